#!/bin/bash
# Reloads, signals and ends: an edit is answered at once, a broken edit changes nothing, no query
# is lost meanwhile, and the server ends on SIGTERM.
# busy: measures under load
# timeout: 180
. "$(dirname "$0")/lib.bash"

port=$(free_port)
zones=$work/zones
mkdir "$zones"
fresh() {
    rm -rf "$zones"
    mkdir "$zones"
    cp zones/test-space.yaml "$zones/test-space.yaml"
}
fresh
flags=(--zones "$zones" --listen "127.0.0.1:$port" --local-as test-space)
printf '%s\n' 'reload_guard: false' 'log_rate: 0' >"$work/settings.yaml" # spaces come and go here
start reload "${flags[@]}" --settings "$work/settings.yaml" --log-queries all

generation() {
    ask +short version.localspace TXT | sed -n 's/.*"generation=\([0-9]*\)".*/\1/p'
}

routers() {
    addresses "$(ask +short frozen-oasis-70544.herokuapp.com)"
}

# ---- edits ----

expect "the first answer" "10.0.0.37 10.0.16.21" "$(routers)"
reload
expect_match "nothing changed" ' info reload_unchanged generation=1 files=1 ' "$logged"
sed -i 's/10\.0\.16\.21\]/10.0.16.22]/' "$zones/test-space.yaml"
reload
expect_match "an edit" ' info reload_done generation=2 files=1 read=1 spaces=1 apps=3 ms=[0-9]+( changes=.*)? by=[0-9]+( user=[^ ]+)? command=SIGHUP$' "$logged"
expect "the next answer after an edit" "10.0.0.37 10.0.16.22" "$(routers)"

sed -i 's/state: crashed/state: up/' "$zones/test-space.yaml"
reload
expect "0 to 1 web dynos" "10.0.0.37 10.0.16.22" "$(addresses "$(ask +short sleepy-river-2739.herokuapp.com)")"
sed -i 's/10.0.131.7, state: up/10.0.131.7, state: down/' "$zones/test-space.yaml"
reload
expect_match "1 to 0 web dynos" 'EDE: 0 \(Other\): \(Q14 ' "$(ask sleepy-river-2739.herokuapp.com)"

cat >"$zones/other.yaml" <<'END'
space: other-space
cidr: 10.1.0.0/16
apps:
  - name: quiet-lake-4410
END
reload
expect_match "a file more" ' info reload_done .* files=2 read=[12] spaces=2 apps=4 ' "$logged"
rm "$zones/other.yaml"
reload
expect_match "a file less" ' info reload_done .* files=1 read=[01] spaces=1 apps=3 ' "$logged"

# ---- broken edits ----

# kept WHAT PATTERN: the last reload logged Q50, and nothing else changed
kept() {
    expect_match "$1" "$2" "$logged"
    expect_match "$1: one line logs the outcome" \
        ' error reload_refused code=Q50 desc="Reload refused, old data is being served" generation=' "$logged"
    expect_no_match "$1: no false alarm" 'out of memory' "$logged"
    expect "$1: same generation" "$before" "$(generation)"
    expect "$1: same answer" "10.0.0.37 10.0.16.21" "$(routers)"
}

# broken WHAT CODE-AND-TEXT [NAME]: with standard input as x.yaml, or with NAME as it lies there
broken() {
    [ $# -gt 2 ] || cat >"$zones/x.yaml"
    reload
    kept "$1" " error finding code=$2"
    rm -rf "$zones/x.yaml"
}

fresh
reload
before=$(generation)
broken "a key misspelt" \
    'E-UNKNOWN-KEY place=[^ ]*/x\.yaml:2:1 text=".*did you mean .*apps' <<<$'space: new-space\naps: []'
broken "half a file" 'E-[A-Z]+ place=[^ ]*/x\.yaml:[0-9]+:[0-9]+ ' < <(head -c 700 zones/test-space.yaml)
broken "no UTF-8" 'E-UTF8 place=[^ ]*/x\.yaml:1:[0-9]+ ' < <(printf 'space: caf\xe9\n')
broken "100 KB of [" 'E-TYPE place=[^ ]*/x\.yaml:1:1 ' < <(head -c 100000 /dev/zero | tr '\0' '[')
broken "a text of 50 MB" 'E-LIMIT place=[^ ]*/x\.yaml:1:[0-9]+ ' \
    < <(printf 'space: '; head -c 50000000 /dev/zero | tr '\0' a)
broken "two files with one space" 'E-DUP place=[^ ]*/x\.yaml:1:[0-9]+ ' <<<'space: test-space'
mkdir "$zones/x.yaml"
broken "a folder named as a zone file" 'E-FILE place=[^ ]*/x\.yaml' as-it-lies
mkfifo "$zones/x.yaml"
broken "a pipe named as a zone file" 'E-FILE place=[^ ]*/x\.yaml' as-it-lies
ln -s /nowhere "$zones/x.yaml"
broken "a link to nowhere" 'E-FILE place=[^ ]*/x\.yaml' as-it-lies

sed -i 's/10\.0\.16\.21\]/10.0.130.1]/' "$zones/test-space.yaml"
reload
kept "a router among the dynos" \
    'E-ROUTER-DYNO place=[^ ]*/test-space\.yaml:18:22 text="router 10\.0\.130\.1 lies in .*; give '
expect_match "the last line counts and names the first" \
    ' error reload_refused .* errors=1 first=E-ROUTER-DYNO place=[^ ]*/test-space\.yaml:18:22 text=' "$logged"
plain() {
    grep -E ' error (finding|reload_refused) ' | sed -E "s|$zones|zones|g; s/^[^ ]+ //; s/generation=[0-9]+/generation=N/"
}
expect "README shows these lines" "$(plain <<<"$logged")" "$(plain <README.md)"
fresh
sed -i '/name: frozen-oasis/{n;d}' "$zones/test-space.yaml"
reload
kept "internal routing taken away" \
    'E-IMMUTABLE place=[^ ]*/test-space\.yaml:[0-9]+:[0-9]+ text="internal_routing of app frozen-oasis-70544 is true and cannot become false'
fresh
sed -i 's/^  - name: open-plain-1001/&\n    internal_routing: true/' "$zones/test-space.yaml"
reload
kept "internal routing given later" 'E-IMMUTABLE place=[^ ]*/test-space\.yaml:.*open-plain-1001'
fresh
sed -i 's/^data_cidr: .*/data_cidr: 172.24.0.0\/20/' "$zones/test-space.yaml"
reload
kept "another data_cidr" 'E-IMMUTABLE place=[^ ]*/test-space\.yaml:.*data_cidr'

rm -rf "$zones"
reload
kept "the zones folder is gone" 'reload_refused .*text=".*cannot be opened: No such file'
mkdir "$zones"
reload
kept "the zones folder is empty" 'reload_refused .*text=".*no zone file'
fresh
reload
expect_match "mended" ' info (reload_done|reload_unchanged) ' "$logged"

# ---- many signals, many queries ----

# load FILE: queries without pause until there is such a file; prints `sent N lost N strange N`
load() {
    /usr/bin/python3 - "$port" "$1" <<'END'
import os, socket, struct, sys

def name(text):
    return b"".join(bytes([len(part)]) + part.encode() for part in text.split(".")) + b"\0"

port, end = int(sys.argv[1]), sys.argv[2]
question = name("frozen-oasis-70544.herokuapp.com") + struct.pack("!HH", 1, 1)
whole = ({"10.0.0.37", "10.0.16.21"}, {"10.0.0.37", "10.0.16.22"})
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.connect(("127.0.0.1", port))
client.settimeout(5)
sent = lost = strange = 0
while not os.path.exists(end):
    sent += 1
    client.send(struct.pack("!HHHHHH", sent & 0xffff, 0x0100, 1, 0, 0, 0) + question)
    try:
        reply = client.recv(4096)
    except OSError:
        lost += 1
        continue
    found, at = set(), 12 + len(question)
    for _ in range(struct.unpack("!H", reply[6:8])[0]):
        found.add(socket.inet_ntoa(reply[at + 12:at + 16]))
        at += 16
    strange += found not in whole or reply[:2] != struct.pack("!H", sent & 0xffff)
print("sent", sent, "lost", lost, "strange", strange)
END
}

load "$work/enough" >"$work/load" &
loading=$!
children+=("$loading")
for round in {1..15}; do
    case $((round % 3)) in
    1) sed 's/10\.0\.16\.21\]/10.0.16.22]/' zones/test-space.yaml >"$work/next" ;;
    2) echo 'space: [' >"$work/next" ;;
    0) cp zones/test-space.yaml "$work/next" ;;
    esac
    mv "$work/next" "$zones/test-space.yaml"
    reload
done
touch "$work/enough"
wait "$loading"
expect_match "no query lost or answered from a mixture while 15 reloads go on" \
    '^sent [0-9]{3,} lost 0 strange 0$' "$(cat "$work/load")"

before=$(outcomes)
for _ in {1..300}; do kill -HUP "$server"; done
await has_outcomes $((before + 1))
fresh
sed -i 's/10\.0\.16\.21\]/10.0.16.22]/' "$zones/test-space.yaml"
kill -HUP "$server"
sees_edit() {
    [ "$(routers)" = "10.0.0.37 10.0.16.22" ]
}
await sees_edit || fail "the edit before the last of 300 signals is answered" "$(routers)"
expect "no query was dropped by the log" 0 "$(grep -c 'querylog_dropped=[1-9]' "$server_log")"

kill -USR1 "$server"
counted() {
    grep -q ' info counters udp_requests=' "$server_log"
}
await counted || fail "SIGUSR1 logs the counters"

# ---- ends ----

# hold_connections: 50 TCP clients, one of them in the middle of a frame
hold_connections() {
    : >"$work/connected"
    /usr/bin/python3 - "$port" "$work/connected" <<'END' &
import socket, sys, time
clients = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(50)]
clients[0].send(b"\x00\x20\x12")
open(sys.argv[2], "w").write("yes")
time.sleep(60)
END
    holder=$!
    children+=("$holder")
    await test -s "$work/connected" || fail "50 TCP connections"
}

let_go() {
    kill -KILL "$holder"
    wait "$holder" 2>/dev/null
}

# ended WHAT CODE: quickly, with $code, and the port is free for the next
ended() {
    expect "$1: exit code" "$2" "$code"
    [ -n "${SANITIZE:-}" ] || [ "$took" -lt 3000 ] || fail "$1: quickly" "it took $took ms"
}

for signal in TERM INT; do
    hold_connections
    before=$(now_ms)
    stop "$signal"
    took=$(($(now_ms) - before))
    ended "SIG$signal with TCP clients" 0
    expect_match "SIG$signal is logged" " info stopping signal=SIG$signal by=[0-9]+ pid=[0-9]+\$" "$(cat "$server_log")"
    let_go
    fresh
    start "after-$signal" "${flags[@]}"
    expect "started again after SIG$signal" "10.0.0.37 10.0.16.21" "$(routers)"
done

hold_connections
kill -TERM "$server"
kill -TERM "$server" 2>/dev/null
before=$(now_ms)
stop TERM
took=$(($(now_ms) - before))
case $code in
0 | 143) pass ;;
*) fail "two SIGTERM end the server" "exit code $code" ;;
esac
ended "two SIGTERM" "$code"
let_go

start before-kill "${flags[@]}"
hold_connections
stop KILL
expect "SIGKILL" 137 "$code"
start after-kill "${flags[@]}"
expect "started again after SIGKILL" "10.0.0.37 10.0.16.21" "$(routers)"
let_go
stop

# A reload asked for while the server reads its zones waits until it can be done. 200 spaces take
# long enough to be seen at it: SIGHUP is held back, and ready is not logged yet.
rm -f "$zones"/*
awk -v folder="$zones" 'BEGIN {
    for (dyno = 1; dyno <= 50; dyno++)
        dynos = dynos (dyno > 1 ? ", " : "") "{number: " dyno ", state: down}"
    for (space = 0; space < 200; space++) {
        file = folder "/space-" space ".yaml"
        printf "space: space-%d\ncidr: 10.%d.0.0/16\napps:\n", space, space >file
        for (app = 0; app < 25; app++)
            printf "  - {name: app-%d-%d, formation: {web: {dynos: [%s]}}}\n", space, app, dynos >file
        close(file)
    }
}'
holds_signals() {
    local key mask=0
    while read -r key mask; do
        [ "$key" != SigBlk: ] || break
    done 2>/dev/null <"/proc/$server/status"
    [[ $mask = *[13579bdf] ]]
}
launch early --zones "$zones" --listen "127.0.0.1:$port"
late=$((SECONDS + patience))
until holds_signals || [ -s "$server_log" ] || [ "$SECONDS" -gt "$late" ]; do :; done
if grep -q ' info ready ' "$server_log"; then
    echo "the server was ready too soon to be seen reading its zones"
else
    kill -HUP "$server"
    await is_up_or_gone
    expect "SIGHUP while the zones are read: the server starts" 1 "$(grep -c ' info ready ' "$server_log")"
    await has_outcomes 1 || fail "SIGHUP while the zones are read is not forgotten" "$(tail -n 3 "$server_log")"
fi
stop
expect "SIGHUP while the zones are read: exit code" 0 "$code"
finish
