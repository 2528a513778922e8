#!/bin/bash
# spacedns watch-topology: a space follows the platform's topology, a file or a command's output. What
# is half, empty, late, too much or a loss changes nothing, and is printed once; a server answers meanwhile.
# timeout: 120
. "$(dirname "$0")/lib.bash"
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}

zones=$work/zones
zone=$zones/test-space.yaml
socket=$work/control.sock
topology=$work/topology.json
mkdir "$zones"
cp zones/test-space.yaml "$zones/"
port=$(free_port)
start server --zones "$zones" --listen "127.0.0.1:$port" --local-as test-space --control-socket "$socket"

common=(--zones "$zones" --socket "$socket" --space test-space)

# edit PYTHON: changes the topology `t` on its way from standard input to standard output
edit() {
    /usr/bin/python3 -c "
import json, sys
t = json.load(sys.stdin)
def app(domain):
    return next(a for a in t['apps'] if domain in a['domains'])
oasis = 'frozen-oasis-70544.herokuapp.com'
$1
json.dump(t, sys.stdout, indent=1)"
}

# put TEXT: the file is replaced, as those do who fetch it
put() {
    printf '%s\n' "$1" >"$topology.new"
    mv "$topology.new" "$topology"
}

dynos_of() {
    addresses "$(ask +short "$1.app.localspace" A)"
}

answers_dynos() {
    [ "$(dynos_of web.frozen-oasis-70544)" = "$1" ]
}

# has_line PATTERN: since mark
has_line() {
    tail -n "+$((marked + 1))" "$work/watch.out" | grep -qE -e "$1"
}

mark() {
    marked=$(wc -l <"$work/watch.out")
}

# comes WHAT PATTERN: a line of the watch
comes() {
    if await has_line "$2"; then pass; else
        fail "$1: a line with $2" "$(tail -n "+$((marked + 1))" "$work/watch.out")"
    fi
}

# stays WHAT: the zone file is as it was, and the server answers as it did
stays() {
    expect "$1: the zone file" "$kept" "$(cat "$zone")"
    expect "$1: answers" "$answers" "$(dynos_of web.frozen-oasis-70544)"
    expect "$1: the routers" "10.0.0.37 10.0.16.21" "$(addresses "$(ask +short api.example.com A)")"
}

keep() {
    kept=$(cat "$zone")
    answers=$(dynos_of web.frozen-oasis-70544)
}

# watch ARGUMENT...: in the background as $watcher
watch() {
    : >"$work/watch.out"
    marked=0
    "$SPACEDNS" watch-topology "$@" "${common[@]}" >"$work/watch.out" 2>&1 </dev/null &
    watcher=$!
    children+=("$watcher")
    comes "the watch begins" '"?watching'
}

# unwatch [SIGNAL]: it ends, with exit code 0, and leaves no child
unwatch() {
    kill -"${1:-TERM}" "$watcher"
    await is_gone "$watcher" || fail "SIG${1:-TERM} ends it" "$(cat "$work/watch.out")"
    wait "$watcher" 2>/dev/null
    expect "SIG${1:-TERM}: exit code" 0 $?
    expect_match "SIG${1:-TERM}: its last line" 'ended: by a signal|"event":"ended"' "$(tail -n 1 "$work/watch.out")"
}

full=$("$SPACEDNS" spaces:topology --json "${common[@]}")
more=$(edit "app(oasis)['formation'][0]['dynos'].append({'id': 'x', 'number': 3, 'private_ip': '10.0.130.58',
    'hostname': '3.web.frozen-oasis-70544.app.localspace', 'host_entry': ''})" <<<"$full")
without=$(edit "t['apps'] = [a for a in t['apps'] if oasis not in a['domains']]" <<<"$full")
added=$(edit "t['apps'].append({'id': '99999999-2222-3333-4444-555555555555',
    'domains': ['new-lake-1.herokuapp.com'], 'formation': [{'process_type': 'web', 'dynos': [
    {'number': 1, 'private_ip': '10.0.133.9', 'hostname': '1.web.new-lake-1.app.localspace'}]}]})" <<<"$full")
two="10.0.130.56 10.0.151.218"
three="10.0.130.56 10.0.130.58 10.0.151.218"

# ---- a file ----

put "$full"
watch "$topology" --every 5
comes "the first topology" 'test-space: 1 dyno gone, 3 other changes: .*sleepy-river-2739: web.1 is gone'
await answers_dynos "$two" || fail "the server has loaded it" "$(dynos_of web.frozen-oasis-70544)"
keep
mark
before=$(stat -c %Y%i "$zone")
put "$full"
put "$more"
comes "a dyno more" '1 dyno new: frozen-oasis-70544: web.3 10.0.130.58 is new$'
await answers_dynos "$three" || fail "the server answers the new dyno" "$(dynos_of web.frozen-oasis-70544)"
expect_match "the server's log has who and what" 'note="watch-topology .*test-space.*by=|by=.*note="watch-topology ' \
    "$(cat "$server_log")"
expect "the rest of the file stays" "trusted_ips: [192.0.2.0/26]" "$(grep ^trusted_ips "$zone")"
keep

mark
before=$(stat -c %Y.%i "$zone")
put "$more"
touch "$topology"
put "$full"
comes "the dyno goes" '1 dyno gone: frozen-oasis-70544: web.3 is gone$'
await answers_dynos "$two"
keep

mark
inode=$(stat -c %i "$zone")
put "$(edit 't["extra"] = {"a": 1}' <<<"$full")" # other octets, the same facts
sleep 0.5
expect "the same facts write nothing" "$inode" "$(stat -c %i "$zone")"
expect "the same facts are no line" "" "$(tail -n "+$((marked + 1))" "$work/watch.out")"

mark
put "${more:0:$((${#more} / 2))}"
comes "a half" 'failed|refused: .*topology.json:[0-9]+:[0-9]+: .*it is incomplete, fetch the topology again'
stays "a half"
printf '%s' "${more:0:200}" >"$topology" # written in two pieces
sleep 0.3
printf '%s' "${more:200}" >>"$topology"
comes "the whole" '1 dyno new.*, well again after 1 failure$'
await answers_dynos "$three" || fail "the whole is answered"
mark
printf '%s' "${full:0:200}" >"$topology"
sleep 0.3
printf '%s' "${full:200}" >>"$topology"
comes "written in two pieces" '1 dyno gone'
expect_no_match "written in two pieces: no failure" 'failed|refused|again' "$(tail -n "+$((marked + 1))" "$work/watch.out")"
await answers_dynos "$two"
keep

mark
: >"$topology"
comes "an empty file" 'failed: .*topology.json is empty; fetch the topology again'
stays "an empty file"
mark
rm "$topology"
comes "no file" 'failed: .*topology.json cannot be opened: No such file'
stays "no file"
mark
put '{"version": 1, "apps": []}'
comes "no apps" 'refused: the topology lacks 2 of the 2 internal apps, such as frozen-oasis-70544; nothing was changed; .*spacedns apps:destroy frozen-oasis-70544'
stays "no apps"
mark
put "$without"
comes "an app is dropped" 'refused: the topology lacks 1 of the 2 internal apps, such as frozen-oasis-70544'
stays "an app is dropped"
mark
put "$full"
comes "it is restored" 'no change, well again after [0-9]+ failures'
stays "it is restored"

mark
put "$added"
comes "a new app" '1 app new: new-lake-1: the app is new$'
comes "a new app: what a topology does not tell" 'new-lake-1 is new; a topology does not tell of internal routing'
await_new() { [ "$(dynos_of web.new-lake-1)" = 10.0.133.9 ]; }
await await_new || fail "the new app's dynos are found"
mark
put "$(edit "app(oasis)['formation'][0]['dynos'][0]['private_ip'] = '10.0.151.218'" <<<"$added")"
comes "what the rules refuse" 'refused: E-DYNO-IP-DUP: .*; nothing was changed'
mark
put "$added"
comes "well again" 'well again'
unwatch TERM

# ---- a command ----

kept=$(cat "$zone")
put "$added"
watch "cat $topology" --every 1 --timeout 1 --json
comes "the first reading" '"event":"unchanged"'
mark
put "$full"
comes "the command prints another topology" '"event":"applied".*"apps_gone":1'
comes "nothing is printed for the same octets but a line" '"event":"unchanged"'
expect "every line is an object" "" "$(/usr/bin/python3 -c '
import json, sys
for line in sys.stdin:
    o = json.loads(line)
    assert {"time", "event", "space", "source", "by"} <= set(o), line' <"$work/watch.out" 2>&1)"
keep
unwatch INT

watch 'echo no route to host >&2; exit 7' --every 1
comes "a command that fails" "failed: .* has failed with exit code 7: no route to host"
stays "a command that fails"
sleep 1.5
expect "the same failure is one line" 1 "$(grep -c failed "$work/watch.out")"
unwatch

watch 'sleep 1000 & sleep 1001' --every 1 --timeout 1
comes "a command that hangs" 'failed: sleep 1000 & sleep 1001 took longer than 1 s, and was ended'
stays "a command that hangs"
unwatch HUP
expect "nothing of it runs on" "" "$(pgrep -f 'sleep 100[01]' || true)"

watch 'head -c 100000000 /dev/zero' --every 1
comes "100 MB" 'failed: .* has printed more than the 16777216 octets of any topology, and was ended'
stays "100 MB"
unwatch

watch 'true' --every 1
comes "a command without output" 'failed: true has printed nothing'
stays "a command without output"
unwatch

watch "head -c 300 $topology" --every 1
comes "a command whose output is cut" 'refused: .*it is incomplete'
stays "a command whose output is cut"
unwatch

# SIGTERM while the command runs
watch 'sleep 1002; echo' --every 1
await pgrep -f 'sleep 1002' >/dev/null
unwatch
expect "a command that was under way ends, too" "" "$(pgrep -f 'sleep 1002' || true)"

# ---- once, for cron ----

once() {
    "$SPACEDNS" watch-topology "$@" --once "${common[@]}" >"$work/once.out" 2>&1
    code=$?
}
put "$full"
once "$topology"
expect "once, the same: exit code" 0 $code
expect "once, the same: no output, so that cron sends no mail" "" "$(cat "$work/once.out")"
put "$without"
once "$topology"
expect "once, refused: exit code" 1 $code
expect_match "once, refused" 'refused: the topology lacks 1 of the 2 internal apps' "$(cat "$work/once.out")"
stays "once, refused"
once false
expect "once, a command that fails: exit code" 1 $code
"$SPACEDNS" watch-topology "$topology" --force "${common[@]}" >"$work/once.out" 2>&1
expect "a standing --force: exit code" 2 $?
expect_match "a standing --force" 'add --once' "$(cat "$work/once.out")"
once "$topology" --force
expect "once, by force: exit code" 0 $code
expect_match "once, by force" '1 app gone' "$(cat "$work/once.out")"
expect_match "a name that went stays kept back" 'frozen-oasis-70544.herokuapp.com' \
    "$("$SPACEDNS" kept-back --socket "$socket")"
put "$full"

# ---- the server hangs, refuses, or is gone ----

put "$full"
watch "$topology" --every 1
comes "before the server hangs" 'app new'
patience=60
kill -STOP "$server"
mark
put "$more"
comes "a server that hangs" 'written but not loaded: 1 dyno new: .*; the server at .* does not answer'
kill -CONT "$server"
comes "it goes on" 'loaded by the server now, well again after [0-9]+ failures?'
await answers_dynos "$three" || fail "it answers the new dyno" "$(dynos_of web.frozen-oasis-70544)"
unwatch
patience=10

stop
put "$full"
once "$topology"
expect "without a server: exit code" 0 $code
expect_match "without a server" 'No server answers here' "$(cat "$work/once.out")"
put '{"version": 1, "apps": []}'
once "$topology"
expect_match "without a server the guard is on, too" 'refused: the topology lacks' "$(cat "$work/once.out")"
finish
