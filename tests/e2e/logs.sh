#!/bin/bash
# The last queries and those that come: spacedns logs finds a failing app, follows the log live
# through a reload, loses lines rather than time, and ends with a sentence.
# timeout: 120
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"

SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
port=$(free_port)
zones=$work/zones
socket=$work/socket
mkdir "$zones"
cp zones/test-space.yaml "$zones/"
logs() {
    "$SPACEDNS" logs --socket "$socket" "$@"
}

# run ARGUMENT...: logs, with its output in $out, its errors in $err and its exit code in $code
run() {
    logs "$@" >"$work/run.out" 2>"$work/run.err"
    code=$?
    out=$(<"$work/run.out")
    err=$(<"$work/run.err")
}

ask_from() {
    ask -b "$1" +short "${@:2}" >/dev/null
}

has_line() {
    grep -qE -e "$2" "$1"
}

# follow NAME ARGUMENT...: logs --tail in the background as $tail, once it has begun; its first line
# is what is kept, so that the test sees the beginning
follow() {
    : >"$work/$1.tail"
    "$SPACEDNS" logs --socket "$socket" --tail -n 1 "${@:2}" >"$work/$1.tail" 2>"$work/$1.notes" &
    tail=$!
    children+=("$tail")
    await has_line "$work/$1.tail" . || fail "$1: a line that is kept comes first" "$(cat "$work/$1.notes")"
}

start_upstream world --listen 127.0.0.1:5400 <<'END'
www.example.org. 300 IN A 198.51.100.80
END
cat >"$work/settings.yaml" <<END
zones: $zones
listen: ["127.0.0.1:$port"]
workers: 2
upstreams: [127.0.0.1@5400]
control_socket: $socket
END
start serve --settings "$work/settings.yaml"

# ---- what is kept ----

run
expect "nothing is kept yet: exit code" 0 "$code"
expect_match "nothing is kept yet" '^No query is kept that fits; wait for one with --tail$' "$err"
ask_from 10.0.130.56 sleepy-river-2739.herokuapp.com
ask_from 10.0.130.56 frozen-oasis-70544.herokuapp.com
ask_from 10.20.3.4 api.example.com
ask_from 10.0.130.56 www.example.org
ask_from 10.0.130.56 www.example.org
ask_from 203.0.113.9 frozen-oasis-70544.herokuapp.com

run -a sleepy-river-2739 --failed
expect "the failing app: exit code" 0 "$code"
expect_match "the failing app" ' at=error code=Q10 desc="App crashed" host=sleepy-river-2739\.herokuapp\.com .* app=sleepy-river-2739 status=NOERROR ' "$out"
expect "the failing app, and no other" 1 "$(wc -l <"$work/run.out")"
run
expect "all of them, though failures alone are written" 6 "$(wc -l <"$work/run.out")"
expect "and not a note" "" "$err"
expect_no_match "our own names have no upstream" 'herokuapp\.com.* (upstream|cached)=' "$out"
expect "failures alone are written" "Q10 Q18" "$(grep -oP ' code=\KQ\d+' "$work/serve.out" | xargs)"

foreign=$(grep -F 'host=www.example.org' "$work/run.out")
expect_match "an upstream was asked" ' app= upstream=127\.0\.0\.1@5400 cached=no status=NOERROR ' "$(head -n 1 <<<"$foreign")"

expect_match "and had answered what is cached" ' app= upstream=127\.0\.0\.1@5400 cached=(fresh|no) status=NOERROR ' "$(tail -n 1 <<<"$foreign")"

run --client 10.20.0.0/16
expect "by client" api.example.com "$(grep -oP ' host=\K\S+' <<<"$out" | xargs)"
run --reason q18
expect "by reason" 203.0.113.9 "$(grep -oP ' fwd="\K[^"]+' <<<"$out" | xargs)"
run -s test-space -n 2
expect "by space, the last two" "www.example.org www.example.org" "$(grep -oP ' host=\K\S+' <<<"$out" | xargs)"
run -s no-space
expect "none of a space" "" "$out"
expect_match "and that it is not served" '^No query is kept that fits, and no space no-space is served; spacedns spaces lists them$' "$err"
run -a sleepy-rivr-2739
expect "a slip in an app's name is no silence" "0 No query is kept that fits, and no app sleepy-rivr-2739 is served; spacedns apps lists them" "$code $err"
run --json
expect "JSON has the same, line by line" 6 "$(/usr/bin/python3 -c '
import json, sys
print(sum("host" in json.loads(line) for line in sys.stdin))' <<<"$out")"
run --color always -a sleepy-river-2739
expect_match "colour" $': \e\\[31mat=error\e\\[0m .* app=\e\\[36msleepy-river-2739\e\\[0m ' "$out"

for bad in '--client 10.0.0.1/8' '--client nonsense' '--reason Q1' '-n 10001' '-n many' 'APP'; do
    # shellcheck disable=SC2086 # words
    run $bad
    expect "$bad: exit code" 2 "$code"
    expect_match "$bad: a sentence" '^Error: .*(;|; they are|see spacedns help)' "$err"
done

# ---- live ----

"$SPACEDNS" logs --socket "$socket" --tail -a sleepy-rivr-2739 >"$work/slip.tail" 2>"$work/slip.notes" &
tail=$!
children+=("$tail")
await has_line "$work/slip.notes" '^No query is kept that fits, and no app sleepy-rivr-2739 is served; ' ||
    fail "nobody waits for an app that is not served" "$(cat "$work/slip.notes")"
kill -INT "$tail"
wait "$tail"
expect "until Ctrl-C, for it may be served one day" 0 $?

follow live
ask_from 10.0.130.56 open-plain-1001.herokuapp.com
await has_line "$work/live.tail" 'host=open-plain-1001' || fail "a query comes live" "$(cat "$work/live.tail")"
echo 'log_queries: all' >>"$work/settings.yaml"
reload
expect_match "log_queries is live" ' settings=log_queries ' "$logged"
ask_from 10.0.130.56 api.example.com AAAA
await has_line "$work/live.tail" 'host=api.example.com qtype=AAAA' || fail "a reload ends no stream" "$(cat "$work/live.notes")"
await has_line "$work/serve.out" 'host=api.example.com qtype=AAAA' || fail "every query is written now"
expect_no_match "what was asked before the reload is not" 'open-plain-1001' "$(<"$work/serve.out")"
sed -i '$s/all/none/' "$work/settings.yaml"
"$SPACEDNS" reload --socket "$socket" >"$work/reloaded"
expect_match "by spacedns reload, too" ' settings=log_queries' "$(<"$work/reloaded")"
kill -INT "$tail"
wait "$tail"
expect "Ctrl-C: exit code" 0 "$?"
expect "Ctrl-C: no note" "" "$(<"$work/live.notes")"

follow failed --failed -a sleepy-river-2739
ask_from 10.0.130.56 frozen-oasis-70544.herokuapp.com
ask_from 10.0.130.56 sleepy-river-2739.herokuapp.com
await has_line "$work/failed.tail" 'qtype=A ' || fail "a failure comes live"
has_two() { [ "$(wc -l <"$work/failed.tail")" -ge 2 ]; }
await has_two || fail "the second failure comes live" "$(cat "$work/failed.tail")"
expect "and nothing else" "sleepy-river-2739" "$(grep -oP ' app=\K\S+' "$work/failed.tail" | sort -u | xargs)"
kill -INT "$tail"
wait "$tail"

logs --tail | head -n 1 >"$work/head"
expect "a reader that closes the pipe" 1 "$(wc -l <"$work/head")"

# ---- places ----

tails=()
for number in 1 2 3 4 5 6 7 8; do
    follow "place$number"
    tails+=("$tail")
done
run --tail
expect "a ninth: exit code" 1 "$code"
expect_match "a ninth" '^Error: as many commands follow the query log .*end one of them' "$err"
"$SPACEDNS" status --socket "$socket" >"$work/status" || fail "other commands go on"
kill -INT "${tails[@]}"
wait "${tails[@]}"

# ---- readers that do not read, and a flood ----

# flood COUNT [RATE]: queries from a client of the space, all answered; prints how many were
flood() {
    /usr/bin/python3 - "$port" "$@" <<'END'
import socket, sys

query = b"\x12\x34\x00\x00\x00\x01" + b"\x00" * 6 + b"\x12frozen-oasis-70544\x09herokuapp\x03com\x00\x00\x01\x00\x01"
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.bind(("10.0.130.56", 0))
client.connect(("127.0.0.1", int(sys.argv[1])))
client.settimeout(10)
answered = 0
for _ in range(int(sys.argv[2])):
    client.send(query)
    answered += len(client.recv(1500)) == 82
print(answered)
END
}

follow stuck -a frozen-oasis-70544
kill -STOP "$tail"
stuck=$tail
# More than the socket and the buffers hold, at 1,000 lines a second.
full_ms=$(($(now_ms) + 6000))
while [ "$(now_ms)" -lt "$full_ms" ]; do
    expect "all are answered while a reader does not read" 5000 "$(flood 5000)"
done
kill -CONT "$stuck"
await has_line "$work/stuck.notes" '^… [0-9,]+ lines lost: this reader was slower than they came$' ||
    fail "what did not reach the reader is counted" "$(cat "$work/stuck.notes")"
expect "every other line is whole" "" "$(grep -v ' protocol=udp$' "$work/stuck.tail")"
kill -INT "$stuck"
wait "$stuck"
run -n 10000
expect_match "what is not kept is counted" '^… [0-9,]+ more were not kept: at most 200 failures and 200 others are in a second$' "$err"
run --failed -n 1
expect "good answers push no failure out" 1 "$(grep -c 'at=error' <<<"$out")"

# ---- the end ----

follow upgraded
"$SPACEDNS" upgrade --socket "$socket" >"$work/upgraded" 2>&1 || fail "the server is upgraded" "$(cat "$work/upgraded")"
wait "$tail"
expect "an upgrade: exit code" 1 "$?"
expect_match "an upgrade: a sentence" '^Error: an upgrade has replaced the server; run the command again' "$(<"$work/upgraded.notes")"
old=$server
server=$(sed 's/.*pid=\([0-9]*\) .*/\1/' "$work/upgraded")
children+=("$server")
wait "$old"
ask_from 10.0.130.56 sleepy-river-2739.herokuapp.com
follow stopped
kill -TERM "$server"
wait "$tail"
expect "a stop: exit code" 1 "$?"
expect_match "a stop: a sentence" '^Error: the server is stopping; start it again' "$(<"$work/stopped.notes")"
finish
