#!/bin/bash
# Upgrades: under load no query is lost, whether the new server takes over or fails; a program that
# ends, hangs, crashes or is not to be trusted leaves the running server as it was, with the reason.
# busy: clients ask all the time
# timeout: 300
. "$(dirname "$0")/lib.bash"

SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
steady=$BUILD_DIR/bin/tests/bench/steady
[ -x "$steady" ] || skip "there is no $steady: build everything (cmd/dev build)"

port=$(free_port)
zones=$work/zones
socket=$work/control.sock
mkdir "$zones"
cp zones/test-space.yaml "$zones/"
flags=(--zones "$zones" --listen "127.0.0.1:$port" --local-as test-space --workers 2
    --control-socket "$socket")

spacedns() {
    "$SPACEDNS" "$@" --socket "$socket"
}

# status KEY: of the running server; the process may not be this script's child
status() {
    spacedns status --json | /usr/bin/python3 -c "import json, sys; print(json.load(sys.stdin)['$1'])"
}

# upgrade ARGUMENT...: leaves output and code
upgrade() {
    output=$(spacedns upgrade "$@" 2>&1)
    code=$?
}

# The server that runs now is ended with the script, whoever started it.
adopt() {
    server=$(status pid)
    children+=("$server")
}

ask_on() { # seconds of nothing else
    "$steady" -p "$port" -u "$1" -c "$2" -q 20 >"$work/steady.json" &
    asking=$!
    children+=("$asking")
    await has_asked || fail "the steady client asks"
}

has_asked() {
    [ "$(ask +short frozen-oasis-70544.herokuapp.com | wc -l)" = 2 ]
}

# ends the client; each query must have had its reply
expect_nothing_lost() {
    kill "$asking"
    wait "$asking"
    expect "$1: over UDP and TCP nothing is lost" "0 0 0 0 0" "$(/usr/bin/python3 - "$work/steady.json" <<'END'
import json, sys
got = json.load(open(sys.argv[1]))
assert got["udp_good"] > 0 and got["tcp_good"] > 0, got
print(got["udp_lost"] - got["udp_own_drops"], got["udp_bad"], got["tcp_bad"], got["tcp_unanswered"], got["tcp_closed"])
END
)"
}

broken=$work/broken
mkdir "$broken"
# program NAME: a script from standard input that may be started in place of the server
program() {
    cat >"$broken/spacednsd-$1"
    chmod 755 "$broken/spacednsd-$1"
}

# ---- nothing is lost ----

start first "${flags[@]}" --state-dir "$work/state"
ask_on 3000 30
for round in 1 2 3 4; do
    before=$(status pid)
    upgrade
    expect "upgrade $round: exit code" 0 "$code"
    expect_match "upgrade $round" '^Upgrading\.\.\. done, pid=[0-9]+ version=[0-9.]+ generation=[0-9]+ ms=[0-9]+$' "$output"
    adopt
    expect "upgrade $round: the process that was named serves" "$(sed 's/.*pid=\([0-9]*\) .*/\1/' <<<"$output")" "$server"
    await is_gone "$before" || fail "upgrade $round: the server before leaves"
    if [ "$round" = 1 ]; then
        wait "$before"
        expect "the server before leaves: exit code" 0 "$?"
    fi
done
expect "the generation goes on with the state" 5 "$(status generation)"
expect_nothing_lost "four upgrades"
expect_match "the end of an upgrade is logged" ' info upgrade_done program=.* pid=[0-9]+ version=.* generation=2 ms=[0-9]+ by=[0-9]+ .*command=upgrade$' "$(cat "$work/first.err")"

upgrade --json
expect "as JSON" done "$(/usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["upgrade"])' <<<"$output")"
adopt

# ---- signals and files ----

before=$(wc -l <"$work/first.err")
sed -i 's/10\.0\.16\.21\]/10.0.16.22]/' "$zones/test-space.yaml"
kill -HUP "$server"
is_served() {
    grep -q "^$1$" <<<"$(ask +short frozen-oasis-70544.herokuapp.com)"
}
await is_served 10.0.16.22 || fail "the new server reloads on SIGHUP" "$(tail -n "+$before" "$work/first.err")"
upgrade
adopt
sed -i 's/10\.0\.16\.22\]/10.0.16.21]/' "$zones/test-space.yaml"
expect_match "the new server reloads on command" 'Reloading zones\.\.\. done' "$(spacedns reload 2>&1)"

# what an upgrade finds in the files is what it serves
sed -i 's/10\.0\.16\.21\]/10.0.16.23]/' "$zones/test-space.yaml"
upgrade
adopt
expect "an edit before an upgrade is served after it" "10.0.0.37 10.0.16.23" "$(addresses "$(ask +short frozen-oasis-70544.herokuapp.com)")"
sed -i 's/10\.0\.16\.23\]/10.0.16.21]/' "$zones/test-space.yaml"
spacedns reload >/dev/null 2>&1

# ---- what fails changes nothing ----

program exits <<'END'
#!/bin/sh
echo "cannot do this today" >&2
exit 7
END
program crashes <<'END'
#!/bin/sh
kill -SEGV $$
END
program silent <<'END'
#!/bin/sh
exec sleep 600
END
program mute <<'END'
#!/bin/sh
exec 3>&- 4>&- 2>/dev/null
exec sleep 600
END
# says hello, takes the sockets, and then fails
handshake() {
    program "$1" <<END
#!/usr/bin/python3
import os, socket, sys, time
channel = socket.socket(fileno=3)
channel.setblocking(True)
channel.send(b"hello $2 9.9")
while True:
    data, passed, flags, address = socket.recv_fds(channel, 4096, 64)
    if not data or data.split()[1] == b"0":
        break
$3
END
}
handshake taken 1 'os.kill(os.getpid(), 9)'
handshake stuck 1 'time.sleep(600)'
handshake liar 1 'channel.send(b"serving 5"); time.sleep(600)'
handshake gone 1 'channel.send(b"ready "); channel.recv(100); print("no memory", file=sys.stderr); sys.exit(1)'
handshake newer 99 ''
handshake babble 1 'channel.send(b"what is this"); channel.close(); sys.exit(4)'
echo "no program" >"$broken/spacednsd-data"
chmod 644 "$broken/spacednsd-data"
cp "$SPACEDNSD" "$broken/spacednsd-loose"
chmod 775 "$broken/spacednsd-loose"
cp "$SPACEDNSD" "$broken/other"
cut_binary=$broken/spacednsd-cut
head -c 5000 "$SPACEDNSD" >"$cut_binary"
chmod 755 "$cut_binary"

ask_on 2000 20
serving=$(status pid)

# refused WHAT PATTERN ARGUMENT...
refused() {
    local what=$1 pattern=$2
    shift 2
    upgrade "$@"
    expect "$what: exit code" 1 "$code"
    expect_match "$what" "$pattern" "$output"
    expect "$what: the running server goes on" "$serving" "$(status pid)"
}
goes_on="; this server goes on, pid=$serving version="

refused "a program that ends" "^Error: upgrade failed: $broken/spacednsd-exits ended before it said hello, with exit code 7: cannot do this today$goes_on" "$broken/spacednsd-exits"
refused "one that crashes" "spacednsd-crashes ended before it said hello, with signal 11 \(Segmentation fault\)$goes_on" "$broken/spacednsd-crashes"
refused "one that is not spacednsd" "spacednsd-silent has not said hello \(is it a spacednsd that knows upgrades\?\) within 1 s and was ended$goes_on" "$broken/spacednsd-silent" --timeout 1
refused "one that ends when it has the sockets" "spacednsd-taken ended before it was ready to answer, with signal 9" "$broken/spacednsd-taken"
refused "one that hangs with the sockets" "spacednsd-stuck was not ready to answer within 1 s and was ended" "$broken/spacednsd-stuck" --timeout 1
refused "one that serves without asking" "spacednsd-liar no longer spoke to this server and was ended" "$broken/spacednsd-liar" --timeout 2
refused "one that fails at the last moment" "spacednsd-gone ended before it served, with exit code 1: no memory" "$broken/spacednsd-gone"
refused "another protocol" "spacednsd-newer takes over in another way \(version 99, this server has 1\), so it must be started anew" "$broken/spacednsd-newer"
refused "nonsense" "spacednsd-babble ended before it was ready to answer, with exit code 4" "$broken/spacednsd-babble"
refused "a file that is no program" "spacednsd-data cannot be executed: Permission denied \(chmod \+x\)" "$broken/spacednsd-data"
refused "a program cut in the middle" "spacednsd-cut ended before it said hello, with (signal 11|exit code 1)" "$cut_binary"
refused "a program that others may write" "other users may write to $broken/spacednsd-loose; remove that permission \(chmod go-w\)" "$broken/spacednsd-loose"
refused "a program of another name" "$broken/other is not called spacednsd or spacednsd-VERSION" "$broken/other"
refused "a program that is not there" "^Error: $broken/spacednsd-absent cannot be opened: No such file" "$broken/spacednsd-absent"
if [ "$(id -u)" = 0 ]; then
    cp "$SPACEDNSD" "$broken/spacednsd-foreign"
    chown 12345 "$broken/spacednsd-foreign"
    refused "a program of another user" "spacednsd-foreign belongs to a user who must not decide what the server runs; make it root's" "$broken/spacednsd-foreign"
fi
upgrade --timeout never
expect "a timeout that is no number" 2 "$code"
expect_match "a timeout that is no number" '^Error: --timeout needs a number of seconds from 1 to 3600$' "$output"

# two at once
begun() {
    grep -c "upgrade_started program=$broken/spacednsd-stuck" "$work/first.err"
}
before=$(begun)
spacedns upgrade "$broken/spacednsd-stuck" --timeout 3 >"$work/first-of-two" 2>&1 &
first_of_two=$!
is_loading() {
    [ "$(begun)" -gt "$before" ]
}
await is_loading || fail "the first of two upgrades begins"
output=$(spacedns reload 2>&1)
expect_match "a reload meanwhile" '^Error: an upgrade is running; run the command again once it has ended$' "$output"
upgrade
expect "the second of two upgrades: exit code" 1 "$code"
expect_match "the second of two upgrades" '^Error: an upgrade is running already; wait for its end$' "$output"
wait "$first_of_two"
expect_match "the first of two upgrades" 'was not ready to answer within 3 s' "$(cat "$work/first-of-two")"
expect_match "afterwards a reload works" 'Reloading zones\.\.\. (done|unchanged)' "$(spacedns reload 2>&1)"
expect_nothing_lost "upgrades that fail"

# A state folder that cannot be used any more: what is kept back is in the running server alone.
sed -i '/^ *- .*example\.net/d' "$zones/test-space.yaml"
spacedns reload --force >"$work/reload" 2>&1
kept=$(spacedns kept-back 2>&1)
expect_match "a name is kept back" 'example\.net' "$kept"
generation=$(status generation)
mv "$work/state/zones" "$work/state/zones.away"
mkfifo "$work/state/zones"
refused "a state folder that cannot be used" "spacednsd ended before it was ready to answer, with exit code 3: spacednsd: not taking over, because names kept back would be forgotten; mend the state folder and upgrade again, or restart the server to go on without it: state_dir $work/state: .*$goes_on"
expect "the generation is the same" "$generation" "$(status generation)"
expect "what is kept back is the same" "$kept" "$(spacedns kept-back 2>&1)"
rm "$work/state/zones"
mv "$work/state/zones.away" "$work/state/zones"

# ---- the end of either, in the middle ----

ask_on 2000 20
upgrade
adopt
expect "after all that, an upgrade to the same program: exit code" 0 "$code"
expect_nothing_lost "an upgrade after those that failed"

# the running server is killed while the new one loads: the new one takes over by itself
program slow <<END
#!/bin/sh
sleep 1
exec "$SPACEDNSD" "\$@"
END
before=$server
spacedns upgrade "$broken/spacednsd-slow" >"$work/killed" 2>&1 &
caller=$!
is_started() {
    grep -q "upgrade_started program=$broken/spacednsd-slow" "$work/first.err"
}
await is_started || fail "the slow program is started"
kill -TERM "$server"
await is_gone "$before" || fail "SIGTERM ends a server with an upgrade under way"
wait "$caller"
expect_match "the caller reads that the server stops" '(the server is stopping, so the upgrade was given up|hung up)' "$(cat "$work/killed")"
wait_for_port() {
    ! ask +short frozen-oasis-70544.herokuapp.com +time=1 2>/dev/null | grep -q '^10\.'
}
await wait_for_port || fail "nobody serves after that"

echo 'log_queries: none' >"$work/settings.yaml"
start again "${flags[@]}" --settings "$work/settings.yaml" --upstream none
serving=$server
goes_on="; this server goes on, pid=$serving version="
cp "$zones/test-space.yaml" "$work/good.yaml"
echo "  nonsense: true" >"$zones/test-space.yaml"
refused "zone files with an error" "spacednsd ended before it was ready to answer, with exit code 1: .*$goes_on" --timeout 100
expect_match "zone files with an error: they are logged" ' info upgrade_output text=".*E-[A-Z]+' "$(cat "$work/again.err")"
cp "$work/good.yaml" "$zones/test-space.yaml"
echo 'log_querys: false' >"$work/settings.yaml"
refused "settings with an error" "spacednsd ended before it said hello, with exit code [12]: .*log_querys.*$goes_on"
echo "listen: [127.0.0.1:$port]" >"$work/settings.yaml"
before=$server
upgrade
adopt
kill -KILL "$before" 2>/dev/null
await has_asked || fail "the server before is killed right after an upgrade: the new one serves"
expect "and is the one that was named" "$server" "$(sed 's/.*pid=\([0-9]*\) .*/\1/' <<<"$output")"

# A file that is being written is waited for, so a new server loads until its writer is killed.
keep_writing() {
    rm -f "$work/is-writing"
    /usr/bin/python3 -c "
import os, time
while True:
    os.utime('$zones/test-space.yaml')
    open('$work/is-writing', 'w').close()
    time.sleep(0.005)" &
    writer=$!
    children+=("$writer")
    await test -e "$work/is-writing" || fail "a file is being written"
}

# the process that starts programs is killed while the new server loads: only the running one goes on
keep_writing
before=$server
last=$(sed -n 's/.* upgrade_started .* pid=\([0-9]*\).*/\1/p' "$work/again.err" | tail -1)
spacedns upgrade >"$work/unlaunched" 2>&1 &
caller=$!
new_process() {
    sed -n 's/.* upgrade_started .* pid=\([0-9]*\).*/\1/p' "$work/again.err" | tail -1
}
has_sockets() {
    [ "$(new_process)" != "$last" ] && [ "$(find "/proc/$(new_process)/fd" -lname 'socket:*' 2>/dev/null | wc -l)" -ge 7 ]
}
await has_sockets || fail "the new server gets the sockets"
children+=("$(new_process)")
kill -STOP "$(new_process)"
kill -KILL "$(ps -o ppid= -p "$(new_process)")"
wait "$caller"
kill "$writer"
kill -CONT "$(new_process)" # what it reads then is that the running one goes on
expect_match "the launcher is killed while the new one loads" '^Error: upgrade failed: the process that starts programs for this server has ended; restart the server; this server goes on' "$(cat "$work/unlaunched")"
await is_gone "$(new_process)" || fail "the new server ends, too"
expect "the launcher is killed: the running server goes on" "$before" "$(status pid)"
upgrade
cannot="the process that starts programs for this server has ended, so it cannot be upgraded; restart the server"
expect_match "without a launcher" "^Error: $cannot" "$output"
expect_match "without a launcher: status" "^upgrade +! $cannot" "$(spacedns status)"
stop TERM
start again "${flags[@]}" --settings "$work/settings.yaml" --upstream none

# it is killed while nothing goes on: that is noticed, and nothing is left of it
launcher_of() {
    pgrep -P "$1" -x spacednsd-start
}
expect "an upgrade is possible" None "$(status upgrade_problem)"
launcher_pid=$(launcher_of "$server")
kill -KILL "$launcher_pid"
is_logged() {
    grep -q "$1" "$work/again.err"
}
await is_logged " warning launcher_lost text=\"$cannot" || fail "the launcher is killed: that is logged"
has_no_zombie() {
    [ ! -e "/proc/$launcher_pid" ]
}
await has_no_zombie || fail "the launcher is killed: no zombie is left"
expect_match "the launcher is killed: status" "^$cannot" "$(status upgrade_problem)"
stop TERM
start again "${flags[@]}" --settings "$work/settings.yaml" --upstream none

# it is stopped: what cannot be ended is left, and the next upgrade comes when it goes on
serving=$server
goes_on="; this server goes on, pid=$serving version="
launcher_pid=$(launcher_of "$server")
kill -STOP "$launcher_pid"
silent="the process that starts programs for this server, pid=$launcher_pid, does not answer; let it go on \(kill -CONT $launcher_pid\), or restart the server"
refused "a launcher that is stopped" "^Error: upgrade failed: $broken/spacednsd-stuck was to be ended, but $silent$goes_on" "$broken/spacednsd-stuck" --timeout 1
refused "a launcher that is stopped, again" "^Error: $silent\$"
kill -CONT "$launcher_pid"
is_possible() {
    [ "$(status upgrade_problem)" = None ]
}
await is_possible || fail "a launcher that goes on"
upgrade
expect_match "a launcher that goes on: an upgrade" '^Upgrading\.\.\. done' "$output"
adopt
await is_gone "$serving" || fail "a launcher that goes on: the server before leaves"
kill -TERM "$server"
await is_gone "$server" || fail "the server after it ends on SIGTERM"
start again "${flags[@]}" --settings "$work/settings.yaml" --upstream none

# the running server is killed while the new one loads: that one has the sockets, and goes on alone
keep_writing
before=$server
ask_on 500 5
spacedns upgrade >"$work/orphaned" 2>&1 &
caller=$!
last=
await has_sockets || fail "the new server gets the sockets"
kill -KILL "$before"
kill "$writer"
wait "$caller"
await has_asked || fail "the server is killed while the new one loads: the new one serves"
adopt
expect "it is the one that was started" "$(new_process)" "$server"
kill "$asking"
wait "$asking"
expect "and no query over UDP is lost" 0 "$(/usr/bin/python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["udp_lost"])' "$work/steady.json")"

kill -TERM "$server"
await is_gone "$server" || fail "the last server ends on SIGTERM"

# the first process of a container ends it, so it is not replaced
if unshare --pid --fork --kill-child true 2>/dev/null; then
    launcher=(unshare --pid --fork --kill-child)
    start container "${flags[@]}"
    launcher=()
    upgrade
    expect "in a container: exit code" 1 "$code"
    expect_match "in a container" '^Error: this server is the first process of its container, which ends with it; start a container of the new image instead$' "$output"
    has_asked || fail "in a container: the server goes on"
    stop KILL
fi
finish
