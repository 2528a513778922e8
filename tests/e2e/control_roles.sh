#!/bin/bash
# Other users on the control socket: what each role may run, what a refused one is told, what the
# log says; and who caused which reload.
# timeout: 90
. "$(dirname "$0")/lib.bash"
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
[ "$(id -u)" = 0 ] && setpriv --reuid 65534 --regid 65534 --clear-groups true 2>/dev/null || skip "only root may become other users"
setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$SPACEDNS" || skip "other users cannot run $SPACEDNS"
port=$(free_port)
server_uid=61001 server_gid=61002 admins=61010 readers=61011 alice=61100
mkdir "$work/zones" "$work/run"
cp zones/test-space.yaml "$work/zones"
chown -R "$server_uid:$server_gid" "$work/zones" "$work/run"
socket=$work/run/control

# settings LINE...: the settings file, with these lines at its end
settings() {
    printf '%s\n' "zones: $work/zones" "listen: [\"127.0.0.1:$port\"]" "upstreams: none" "workers: 1" \
        "control_socket: $socket" "$@" >"$work/settings.yaml"
    chmod 644 "$work/settings.yaml"
}

# as UID GID[,GROUP...] COMMAND...: leaves $out (both streams) and $code
as() {
    local uid=$1 groups=$2 more=--clear-groups
    shift 2
    [[ $groups != *,* ]] || more=--groups=${groups#*,}
    out=$(setpriv --reuid "$uid" --regid "${groups%%,*}" "$more" "$SPACEDNS" "$@" --socket "$socket" 2>&1)
    code=$?
}

# may WHAT UID GROUPS COMMAND...
may() {
    local what=$1
    shift
    as "$@"
    expect "$what may: ${*:3}" "0" "$code"
    expect_no_match "$what may: ${*:3}" 'may not' "$out"
}

# may_not WHAT PATTERN UID GROUPS COMMAND...
may_not() {
    local what=$1 pattern=$2
    shift 2
    as "$@"
    expect "$what may not: ${*:3}: exit code" "1" "$code"
    expect_match "$what may not: ${*:3}" "$pattern" "$out"
}

mode() {
    stat -c '%a %u %g' "$socket"
}

launcher=(setpriv --reuid "$server_uid" --regid "$server_gid" --clear-groups)
as_user=() # which is not root

# ---- without groups ----

settings
start none --settings "$work/settings.yaml"
expect "the socket without groups" "600 $server_uid $server_gid" "$(mode)"
may "root" 0 0 status
may "the server's user" "$server_uid" "$server_gid" reload
may_not "another user" "may not be used by this user \(uid $alice\); run the command as" "$alice" "$alice" status
stop

# ---- the server's own group reads ----

settings "control_read_group: $server_gid"
start own --settings "$work/settings.yaml"
expect "the socket for the server's own group" "660 $server_uid $server_gid" "$(mode)"
may "a member" "$alice" "$alice,$server_gid" status
may_not "a member" "uid $alice may not run reload; .*setting control_group and restart" "$alice" "$alice,$server_gid" reload
may_not "another user" "only by members of the group .*\(gid $server_gid\)" "$alice" "$alice" status
stop

# ---- two groups ----

settings "control_group: $admins" "control_read_group: \"$readers\""
start two --settings "$work/settings.yaml"
expect "the socket for two groups" "666 $server_uid $server_gid" "$(mode)"
for command in status "status --json" kept-back "who-uses frozen-oasis-70544" "last-asked api.example.com" waste cache "cache a.example" "explain frozen-oasis-70544.herokuapp.com --live --from 10.0.130.56" \
    "whoami --from 10.0.130.56" plan "reload --dry-run"; do
    # shellcheck disable=SC2086
    may "a reader" "$alice" "$readers" $command
    # shellcheck disable=SC2086
    may "a member of both" "$alice" "$alice,$readers,$admins" $command
done
for command in reload "reload --force" "forget a.example" cache:flush "cache:flush a.example" "plan $work/zones"; do
    # shellcheck disable=SC2086
    may_not "a reader" "uid $alice may not run ${command%% *}; root, the server's user and members of the group $admins may: .*usermod -aG $admins USER" \
        "$alice" "$alice,$readers" $command
done
may "an administrator" "$alice" "$alice,$admins" reload
may "an administrator" "$alice" "$admins" reload --force --note "ticket 4711"
may "root" 0 0 reload
may_not "a stranger" "user nobody \(uid 65534\) may not run status; .*the group $readers or $admins may" 65534 65534 status
may_not "a stranger" "may not run reload" 65534 65534 reload
as 65534 65534 apps --space test-space
expect_match "a stranger's other command says why it has not asked the server" "user nobody \(uid 65534\) may not run status; .*; using zones folder" "$out"
expect "one line of the log for the stranger" 1 "$(grep -c ' warning control_refused by=65534 user=nobody command=status text=' "$server_log")"
expect "and one for the reader" 1 "$(grep -c " warning control_refused by=$alice command=" "$server_log")"
expect_match "help says who may" 'On the running server: root, its own user, members of control_group\.' "$("$SPACEDNS" help reload)"
expect_match "help says who may read" 'members of control_read_group or control_group\.' "$("$SPACEDNS" help status)"

# ---- by= ----

# reported EVENT: the last such line
reported() {
    grep -E " info $1 | error $1 " "$server_log" | tail -n 1
}

expect_match "a reload names uid and command" " info reload_unchanged .* by=0 user=root command=reload\$" "$(reported reload_unchanged)"
expect_match "a forced one, with its note" " by=$alice command=\"reload --force\" note=\"ticket 4711\"\$" \
    "$(grep 'ticket' "$server_log")"
expect "a dry run is no line" 0 "$(grep -c 'dry-run' "$server_log")"
as 0 0 apps:create calm-bay-1 --space test-space --internal-routing --zones "$work/zones"
expect "an edit" 0 "$code"
expect_match "an edit names itself" " info reload_done generation=2 .* changes=\"1 space changed, 1 app added\" by=0 user=root command=reload note=\"apps:create calm-bay-1 --space test-space --internal-routing\"\$" "$(reported reload_done)"
as 0 0 apps:create --space test-space --zones "$work/zones"
expect_match "with a name that was made for it" " note=\"apps:create [a-z]+-[a-z]+-[0-9]+ --space test-space\"\$" "$(reported reload_done)"
as 0 0 apps:destroy calm-bay-1 --confirm calm-bay-1 --zones "$work/zones"
expect_match "names that are let go name the edit" " info names_let_go .*calm-bay-1.* by=0 user=root command=forget note=\"apps:destroy calm-bay-1\"\$" "$(reported names_let_go)"
printf 'space: second\ncidr: 10.9.0.0/16\n' >"$work/zones/second.yaml"
reload
expect_match "only what has changed is counted" ' changes="1 space added" by=[0-9]+( user=[^ ]+)? command=SIGHUP$' "$logged"
sed -i '1i # again' "$work/zones/test-space.yaml"
reload
expect_match "SIGHUP is a signal" ' info reload_done .* by=[0-9]+( user=[^ ]+)? command=SIGHUP$' "$logged"
sed -i '1i # and again' "$work/zones/test-space.yaml"
SUDO_USER=carol "$SPACEDNS" reload --socket "$socket" >/dev/null
expect_match "root says for whom it calls" ' info reload_done .* by=0 user=root sudo=carol command=reload$' "$(reported reload_done | tail -n 1)"
sed -i 's/^space:/spcae:/' "$work/zones/test-space.yaml"
as "$alice" "$admins" reload
expect_match "a refusal names who tried" " error reload_refused .* by=$alice command=reload\$" "$(reported reload_refused)"
expect_match "the start has the version" " info ready .* version=[0-9.]+\$" "$(cat "$server_log")"
stop
expect_match "the end names who ended it" " info stopping signal=SIGTERM by=0 pid=[0-9]+\$" "$(cat "$server_log")"
sed -i 's/^spcae:/space:/' "$work/zones/test-space.yaml"

# ---- groups that are not there ----

settings "control_group: no-such-group-here"
"${launcher[@]}" "$SPACEDNSD" "${as_user[@]}" --http-listen none --settings "$work/settings.yaml" >"$work/out" 2>&1
expect "an unknown group: exit code" 1 "$?"
expect_match "an unknown group" "settings\.yaml:6:16: error E-SETTING: control_group: no-such-group-here: this host has no such group; make it \(groupadd --system no-such-group-here\)" "$(<"$work/out")"
settings
start changed --settings "$work/settings.yaml"
settings "control_read_group: no-such-group-here"
reload
expect_match "a reload with an unknown group is refused, as the next start would be" 'error reload_refused .*no-such-group-here' "$logged"
settings "control_read_group: $readers"
reload
expect_match "a known one needs a restart" 'W-RESTART.*control_read_group' "$logged"
finish
