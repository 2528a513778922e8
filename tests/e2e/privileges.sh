#!/bin/bash
# A server that is started as root becomes another user, who may do only what the server has to; all
# of its features work for that user, inside the sandbox; and what that user may not read or write is
# said with the command that mends it.
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
setpriv --reuid 65534 --regid 65534 --clear-groups true 2>/dev/null || skip "not root, so no other user"
id nobody >/dev/null 2>&1 || skip "there is no user nobody here"
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
# A process that has changed its user cannot be looked into by LeakSanitizer.
[ -z "${SANITIZE:-}" ] || export ASAN_OPTIONS=detect_leaks=0
group=$(id -gn nobody)
zones=$work/srv/zones socket=$work/run/socket state=$work/state
mkdir -p "$zones" "$work/run" "$work/etc"
cp zones/test-space.yaml "$zones/"
cat >"$work/etc/spacednsd.yaml" <<END
zones: $zones
listen: [10.0.0.2]
upstreams: [198.51.100.54]
control_socket: $socket
user: nobody
END
as_user=()

spacedns() {
    "$SPACEDNS" --socket "$socket" "$@" 2>&1
}

# query DIG-ARGUMENT...: a dyno's
query() {
    dig -b 10.0.130.56 @10.0.0.2 +tries=1 +time="$patience" "$@"
}

# refused WHAT PATTERN [FLAG...]: the server does not start, and says why in one line
refused() {
    launch refused --settings "$work/etc/spacednsd.yaml" "${@:3}"
    await is_gone "$server" || fail "$1: it ends" "$(<"$server_log")"
    wait "$server" 2>/dev/null
    expect "$1: exit code" 1 $?
    expect_match "$1" "$2" "$(<"$server_log")"
    expect "$1: in one line" 1 "$(grep -vcE ' (info|warning) |^spacednsd: not started: ' "$server_log")"
}

# mended WHAT: the commands after "allow it: " in the last refusal, as an operator would run them
mended() {
    local commands
    commands=$(grep -oP 'allow it: \K[^"]*' "$server_log" | sed -E 's/; (fix it|or name another).*//')
    bash -c "$commands" && pass || fail "$1: the remedy can be run" "$commands"
}

# ---- which user ----

refused "an unknown user" "E-SETTING: .*no user .no-such-user.*useradd --system no-such-user\).*user: root" --user no-such-user
launcher=(setpriv --reuid 65534 --regid 65534 --clear-groups)
refused "another user, not started as root" '^--user .*: error E-SETTING: the server was started as user nobody, and only root' --user root
launcher=()

# ---- what the user may not read ----

chmod 700 "$work/etc"
refused "settings in a closed folder" \
    "settings file .*: a reload could not read it: Permission denied: user nobody may not enter $work/etc \(owner 0, group 0, mode 0700\)"
mended "settings in a closed folder"
chmod 600 "$work/etc/spacednsd.yaml"
refused "closed settings" "user nobody may not read it \(owner 0, group 0, mode 0600\)"
mended "closed settings"
chmod 700 "$zones"
refused "a closed zones folder" "zones folder .*/zones cannot be opened: Permission denied: user nobody may not list it"
mended "a closed zones folder"
chmod 600 "$zones/test-space.yaml"
out=$("$SPACEDNSD" --settings "$work/etc/spacednsd.yaml" --check 2>&1)
expect "root's --check of a closed zone file: exit code" 1 "$?"
expect_match "it reads as the user" "test-space\.yaml:1:1: error E-FILE: .*user nobody may not read it " "$out"
refused "a closed zone file" "test-space\.yaml:1:1: error E-FILE: .*user nobody may not read it .*chgrp $group .*/test-space\.yaml; chmod g\+r "
mended "a closed zone file"
refused "a closed folder for the control socket" "control_socket: .*its folder .*/run: Permission denied: user nobody may not write to it"
mended "a closed folder for the control socket"

# The state is not needed to answer: a warning.
mkdir -m 700 "$state"
echo "state_dir: $state" >>"$work/etc/spacednsd.yaml"
start stateless --settings "$work/etc/spacednsd.yaml"
expect_match "state of another user" " warning state_unused .*user nobody may not write to it .*chown -R nobody $state" "$(<"$server_log")"
mended "state of another user"
stop
sed -i "s,^state_dir:.*,state_dir: $work/none/state," "$work/etc/spacednsd.yaml"
mkdir "$work/none"
start no-state --settings "$work/etc/spacednsd.yaml"
expect_match "a state folder that the user may not make" \
    " warning state_unused .*does not exist, and user nobody may not create it; create it: install -d -m 0700 -o nobody $work/none/state" \
    "$(<"$server_log")"
stop
sed -i "s,^state_dir:.*,state_dir: $state," "$work/etc/spacednsd.yaml"

# ---- what is left ----

start server --settings "$work/etc/spacednsd.yaml" --log-queries all
first=$server
privileges=$(grep ' info privileges ' "$server_log")
expect_match "the start says what is left" \
    ' user=nobody capabilities=none no_new_privileges=yes landlock=.* seccomp=' "$privileges"
has_landlock=$(grep -c 'landlock="ABI ' <<<"$privileges")
has_seccomp=$(grep -c 'seccomp=kill$' <<<"$privileges")
echo "Landlock $has_landlock, seccomp $has_seccomp"
if [ "$has_landlock$has_seccomp" = 11 ]; then
    expect_no_match "a whole sandbox is not warned of" 'sandbox_incomplete' "$(<"$server_log")"
else
    expect_match "what is missing is said" ' warning sandbox_incomplete ' "$(<"$server_log")"
fi
for thread in "/proc/$server/task"/*; do
    status=$(<"$thread/status")
    for is in 'Uid:.65534.65534.65534.65534' 'Gid:.65534.65534.65534.65534' 'Cap(Prm|Eff|Inh|Amb|Bnd):.0{16}' 'NoNewPrivs:.1'; do
        expect_match "every thread: $is" "^$is" "$status"
    done
    expect "every thread: capabilities" 5 "$(grep -cE '^Cap.*:.0{16}$' <<<"$status")"
    expect "every thread: seccomp" "$((2 * has_seccomp))" "$(grep -oP '^Seccomp:.\K.' <<<"$status")"
    expect "every thread: groups" "$(id -G nobody | tr ' ' '\n' | sort -n | xargs)" \
        "$(grep -oP '^Groups:.\K.*' <<<"$status" | tr ' ' '\n' | sort -n | xargs)"
done
text=$(spacedns status)
expect_match "status has the user" '^user +nobody$' "$text"
expect_match "status has the capabilities" '^capabilities +none$' "$text"
expect_match "status has no_new_privileges" '^no_new_privileges +yes$' "$text"
expect "status --json has the same" "nobody none True" \
    "$(spacedns status --json | /usr/bin/python3 -c 'import json, sys
p = json.load(sys.stdin)["privileges"]; print(p["user"], p["capabilities"], p["no_new_privileges"])')"

# ---- every feature, in the sandbox ----

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test \
    -addext "subjectAltName=DNS:dns.example.org" -keyout "$work/tls.key" -out "$work/tls.pem" 2>/dev/null
ip address add 198.51.100.54/32 dev lo
start_upstream plain --listen 198.51.100.54 --tls 198.51.100.54:853 "$work/tls.pem" "$work/tls.key" <<'END'
www.example.org. 300 IN A 198.51.100.80
tcp.example.org. 300 IN A 198.51.100.81
tls.example.org. 300 IN A 198.51.100.82
END

lives() {
    kill -0 "$first" 2>/dev/null && [ "$server" = "$first" ] && pass || fail "the server lives after: $1" "$(tail -n 3 "$server_log")"
}

# So many that the state folder's file system is synced once for all of them.
many_zone_files() {
    local n
    for n in {1..20}; do
        printf 'space: many-%d\ncidr: 10.%d.0.0/16\n...\n' "$n" $((50 + n)) >"$zones/many-$n.yaml"
    done
    expect_match "20 zone files at once" ' done, ' "$(spacedns reload)"
    await [ -s "$state/zones/many-20.yaml" ] && pass || fail "the state has them all" "$(ls "$state/zones")"
    lives "20 zone files at once"
    rm "$zones"/many-*.yaml
    expect_match "20 zone files less" ' done, ' "$(spacedns reload --force)"
}

features() {
    expect "UDP" "10.0.0.37 10.0.16.21" "$(addresses "$(query +short api.example.com)")"
    expect "TCP" "10.0.0.37 10.0.16.21" "$(addresses "$(query +short +tcp api.example.com)")"
    expect "a forwarded name, over UDP" 198.51.100.80 "$(query +short www.example.org)"
    set_mode plain truncated
    expect "a forwarded name, over TCP" 198.51.100.81 "$(query +short tcp.example.org)"
    set_mode plain answer
    lives queries
    sed -i 's/^\.\.\.$/# one\n&/' "$zones/test-space.yaml"
    reload
    expect_match "SIGHUP" ' info reload_done ' "$logged"
    expect_match "plan: nothing" '^no answer changes$' "$(spacedns plan)"
    mkdir -p "$work/srv/next"
    grep -v 'example.net' "$zones/test-space.yaml" >"$work/srv/next/test-space.yaml"
    expect_match "plan of a folder beside it" 'example\.net' "$(spacedns plan "$work/srv/next")"
    cp "$work/srv/next/test-space.yaml" "$zones/new" && mv "$zones/new" "$zones/test-space.yaml"
    expect_match "reload --dry-run" 'example\.net' "$(spacedns reload --dry-run)"
    expect_match "reload" 'done, generation=3 ' "$(spacedns reload)"
    expect_match "kept-back, from the state" 'example\.net' "$(spacedns kept-back)"
    expect_match "forget" 'Forgetting example\.net\.* done' "$(spacedns forget example.net)"
    expect_match "explain --live" 'cached=fresh' "$(spacedns explain www.example.org --from 10.0.130.56 --live)"
    expect_match "whoami" 'class=' "$(spacedns whoami)"
    kill -USR1 "$server"
    await grep -q ' info counters ' "$server_log" && pass || fail "SIGUSR1 logs counters"
    expect_match "the query log" 'host=api\.example\.com' "$(<"$work/server.out")"
    expect_match "the state is nobody's" '^nobody 600$' "$(stat -c '%U %a' "$state/state" | sed 's/644/600/')"
    echo 'space: broken' >"$zones/broken.yaml"
    echo 'nonsense: [' >>"$zones/broken.yaml"
    expect_match "a refused reload" 'Q50 reload refused' "$(spacedns reload)"
    rm "$zones/broken.yaml"
    many_zone_files
    lives features
}
features

sed -i 's,^upstreams:.*,upstreams: ["tls://198.51.100.54#dns.example.org"],' "$work/etc/spacednsd.yaml"
expect_match "a reload brings an upstream over TLS" 'settings=upstreams' "$(spacedns reload)"
expect_match "whose certificate nobody trusts" 'Q22 ' "$(query tls.example.org)"
sed -i '/^upstreams:/d' "$work/etc/spacednsd.yaml"
expect_match "a reload reads resolv.conf" 'settings=upstreams' "$(spacedns reload)"
lives "TLS"

# ---- other folders ----

mkdir -p "$work/far/zones" "$work/srv/releases/2"
cp zones/test-space.yaml "$work/far/zones/"
cp zones/test-space.yaml "$work/srv/releases/2/"
if [ "$has_landlock" = 1 ]; then
    sed -i "s,^zones:.*,zones: $work/far/zones," "$work/etc/spacednsd.yaml"
    generation=$(spacedns status | grep ^generation)
    text=$(spacedns reload)
    expect_match "zones outside the sandbox are refused" 'zones folder .*/far/zones cannot be opened: Permission denied: its mode lets user nobody' "$text"
    expect_match "with the remedy" 'the sandbox of a running server.*restart it' "$text"
    expect "and the old data stays" "$generation" "$(spacedns status | grep ^generation)"
    expect_match "plan says the same" 'the sandbox of a running server' "$(spacedns plan "$work/far/zones")"
    ln -s "$work/far/zones/test-space.yaml" "$zones/link.yaml"
    sed -i "s,^zones:.*,zones: $zones," "$work/etc/spacednsd.yaml"
    expect_match "so is a link that leads outside" 'link\.yaml:1:1: error E-FILE: .*sandbox' "$(spacedns reload)"
    rm "$zones/link.yaml"
fi
stop
expect "stop: exit code" 0 "$code"
[ ! -e "$socket" ] && pass || fail "stop removes the control socket"

# A folder exchanged as a whole, by a link; certificates that are trusted.
ln -s "$zones" "$work/srv/current"
sed -i "s,^zones:.*,zones: $work/srv/current," "$work/etc/spacednsd.yaml"
echo 'upstreams: ["tls://198.51.100.54#dns.example.org"]' >>"$work/etc/spacednsd.yaml"
mkdir "$work/trust"
cp "$work/tls.pem" "$work/trust/ca.pem"
SSL_CERT_FILE=$work/trust/ca.pem start linked --settings "$work/etc/spacednsd.yaml"
expect "a forwarded name, over TLS" 198.51.100.82 "$(query +short tls.example.org)"
ln -sfn "$work/srv/releases/2" "$work/srv/current"
expect_match "the link leads elsewhere below the same folder" 'done, generation=' "$(spacedns reload)"
stop
expect "stop: exit code" 0 "$code"

# ---- an upgrade: the next server is the same user, and may bind what the settings name by then ----

start before --settings "$work/etc/spacednsd.yaml"
sed -i 's,^listen:.*,listen: [10.0.0.2\, 10.0.0.3],' "$work/etc/spacednsd.yaml"
text=$(spacedns upgrade)
expect_match "an upgrade" 'Upgrading\.\.\. done, pid=[0-9]+ ' "$text"
next=$(grep -oP 'pid=\K[0-9]+' <<<"$text")
children+=("$next")
await is_gone "$server" || fail "the server before leaves"
expect "a port below 1024 that is new" "10.0.0.37 10.0.16.21" \
    "$(addresses "$(dig -b 10.0.130.56 @10.0.0.3 +tries=1 +time="$patience" +short api.example.com)")"
for thread in "/proc/$next/task"/*; do
    status=$(<"$thread/status")
    expect_match "after an upgrade: the user" '^Uid:.65534.65534.65534.65534' "$status"
    expect "after an upgrade: capabilities" 5 "$(grep -cE '^Cap.*:.0{16}$' <<<"$status")"
    expect "after an upgrade: seccomp" "$((2 * has_seccomp))" "$(grep -oP '^Seccomp:.\K.' <<<"$status")"
done
expect "a process without privileges is open to its user" "" \
    "$(setpriv --reuid 65534 --regid 65534 --clear-groups cat /proc/self/maps 2>&1 >/dev/null)"
for process in "$next" $(pgrep -P "$next" -x spacednsd-start); do
    expect_match "after an upgrade: memory is closed to the user: $(<"/proc/$process/comm")" 'Permission denied' \
        "$(setpriv --reuid 65534 --regid 65534 --clear-groups cat "/proc/$process/maps" 2>&1 >/dev/null)"
done
expect_match "reload, after an upgrade" 'done|unchanged' "$(spacedns reload)"
kill "$next"
await is_gone "$next" || fail "it ends"

# As a service manager starts it: that user from the beginning, with the right to bind.
launcher=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps +net_bind_service --ambient-caps +net_bind_service)
start ambient --settings "$work/etc/spacednsd.yaml"
launcher=()
expect_match "with the right to bind alone: it is dropped" ' user=nobody capabilities=none ' "$(<"$server_log")"
expect_match "with the right to bind alone: memory is closed to the user" 'Permission denied' \
    "$(setpriv --reuid 65534 --regid 65534 --clear-groups cat "/proc/$server/maps" 2>&1 >/dev/null)"
stop

# ---- staying root, and no sandbox ----

start root --settings "$work/etc/spacednsd.yaml" --user root --state-dir "$work/state-of-root"
expect_match "user: root stays root, with a warning" ' warning stays_root ' "$(<"$server_log")"
expect_match "with less than all of root" ' user=root capabilities=dac_override no_new' "$(<"$server_log")"
expect_match "status has it" '^user +root$' "$(spacedns status)"
stop
start off --settings "$work/etc/spacednsd.yaml" --sandbox off
expect_match "sandbox: off is off" ' user=nobody .* landlock=off seccomp=off$' "$(<"$server_log")"
expect_no_match "and is not incomplete" 'sandbox_incomplete' "$(<"$server_log")"
expect_match "off in status" '^seccomp +off$' "$(spacedns status)"
stop
finish
