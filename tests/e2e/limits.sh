#!/bin/bash
# Clients above their rates, with their real addresses: an outsider is limited over UDP and not over
# TCP, a client of a space only once client_rate is set, and the operator sees both; and the raised
# negative TTL of an app that a client asks for in a loop.
# timeout: 120
. "$(dirname "$0")/lib.bash"
. "$(dirname "$script")/network.bash"

build_network DYNO RUN EXT
name=frozen-oasis-70544.herokuapp.com

# ask_often CLIENT COUNT [all [NAME]]: sends COUNT queries as fast as it can, with EDNS, and prints how many
# replies were full, of those how many longer than their query, truncated, refused with Q60. With
# `all`, each is to be answered: no more than 16 are on their way at once.
ask_often() {
    inside "$1" /usr/bin/python3 - "$2" "${3:-}" "${4:-$name}" <<'END'
import select, socket, struct, sys
name = b"".join(bytes([len(part)]) + part for part in sys.argv[3].encode().split(b".")) + b"\0"
question = name + b"\0\1\0\1"
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
client.connect(("10.0.0.2", 53))
full = longer = truncated = limited = wrong = 0

def take(patience, count=1 << 30):
    global full, longer, truncated, limited, wrong
    while count > 0 and select.select([client], [], [], patience)[0]:
        reply = client.recv(1500)
        count -= 1
        flags, = struct.unpack("!H", reply[2:4])
        if flags & 0x0200:
            truncated += 1
            wrong += reply[4:12] != b"\0\1\0\0\0\0\0\0" or reply[12:] != question or flags & 15
        elif b"Q60" in reply:
            limited += 1
        else:
            full += 1
            longer += len(reply) > len(question) + 23

for number in range(int(sys.argv[1])):
    client.send(struct.pack("!HHHHHH", number & 65535, 0x100, 1, 0, 0, 1) + question +
                b"\0\0\x29\4\xd0\0\0\0\0\0\0")
    if number % 16 == 15:
        take(10, 16) if sys.argv[2] else take(0)
take(0.5)
print(full, longer, truncated, limited, wrong)
END
}

counter() {
    "$SPACEDNS" status --socket "$work/control" | sed -n "s/^$1 *\([0-9]*\).*/\1/p"
}
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}

# What the running server explains to the operator, and the line of its status.
explained() {
    "$SPACEDNS" explain "$1" --from "$2" --live --socket "$work/control" 2>&1
}
status_line() {
    "$SPACEDNS" status --socket "$work/control" | sed -n "s/^$1  *//p"
}
limited_json() {
    "$SPACEDNS" status --json --socket "$work/control" | /usr/bin/python3 -c 'import json, sys
limited = json.load(sys.stdin)["limited"]
print(limited["clients"], limited["networks"], limited["worst"] and limited["worst"]["who"])'
}

mkdir "$work/zones"
cp zones/test-space.yaml "$work/zones/"
settings=$work/settings.yaml
echo "control_socket: $work/control" >"$settings"
start limits --settings "$settings" --zones "$work/zones" --listen 10.0.0.2 --workers 2

expect "status: nobody is limited yet" "" "$(status_line limited)"
expect "status --json: nobody is limited yet" "0 0 None" "$(limited_json)"

# ---- outsiders ----

# An even pace of 20 a second would take minutes for so many: however slow this machine is, some are
# above the rate.
read -r full longer truncated limited wrong <<<"$(ask_often EXT 3000)"
[ "$full" -ge 20 ] && [ "$full" -lt 3000 ] || fail "an outsider gets its rate" "$full of 3000"
[ "$truncated" -gt 0 ] && [ $((full + truncated)) -lt 3000 ] ||
    fail "some of the others are truncated, some dropped" "$full full, $truncated truncated"
[ "$longer" -ge 20 ] || fail "the first replies have a text" "$longer"
expect "truncated replies hold the question and nothing else" "0 0" "$wrong $limited"
pass
for _ in 1 2 3; do
    expect "an outsider is not limited over TCP" REFUSED "$(status "$(from EXT 10.0.0.2 +tcp $name)")"
done
expect "the counter of truncated replies" "$truncated" "$(counter external_slipped)"
[ "$(counter external_dropped)" -gt 0 ] || fail "dropped requests are counted" "$(counter external_dropped)"
above=$(($(counter external_slipped) + $(counter external_dropped)))
expect "status: the outsider's network" \
    "0 clients, 1 network in the last minute, most of all 203.0.113.0/24 with $above requests" \
    "$(status_line limited)"
expect_match "explain --live: so is every client of the network" \
    "^limited=203\.0\.113\.0/24 requests=$above since=[0-9]+s last=[0-9]+s: more than external_rate=20 a second" \
    "$(explained $name 203.0.113.77)"
expect_no_match "explain --live: a dyno is not" '^limited=' "$(explained $name 10.0.130.56)"

# ---- clients of spaces ----

read -r full longer truncated limited wrong <<<"$(ask_often DYNO 3200 all)"
expect "a dyno is not limited" "3200 0 0" "$full $truncated $limited"

echo "client_rate: 100" >>"$settings"
inside server kill -HUP "$server"
has_reloaded() {
    grep -q ' info reload_done ' "$server_log"
}
await has_reloaded || fail "the reload is done" "$(cat "$server_log")"
read -r full longer truncated limited wrong <<<"$(ask_often DYNO 20000)"
[ "$full" -ge 100 ] && [ "$full" -lt 20000 ] || fail "a dyno gets its rate" "$full of 20000"
[ "$limited" -ge 10 ] && [ $((full + limited)) -lt 20000 ] ||
    fail "some queries of the others are refused with Q60, most are dropped" "$full, $limited"
expect "nothing is truncated" 0 "$truncated"
expect "another dyno is not limited" NOERROR "$(status "$(from RUN 10.0.0.2 $name)")"
is_logged() {
    grep -q ' warning client_limited client=10.0.130.56 client_rate=100 code=Q60$' "$server_log"
}
await is_logged || fail "the limited client is logged" "$(cat "$server_log")"
grep -q 'client_limited client=10.0.144.9' "$server_log" && fail "the other one is not"
expect "the counter of refusals" "$limited" "$(counter client_refused)"
above=$((limited + $(counter client_dropped)))
expect_match "explain --live: the limited dyno, for a forwarded name as for others" \
    "^limited=10\.0\.130\.56 requests=$above since=[0-9]+s last=[0-9]+s: more than client_rate=100 a second; " \
    "$(explained www.example.org 10.0.130.56)"
expect_no_match "explain --live: the other one" '^limited=' "$(explained $name 10.0.144.9)"
expect_match "status --json: the dyno, and by now perhaps no longer the outsider" \
    '^1 [01] 10\.0\.130\.56$' "$(limited_json)"

# Both off.
sed -i '/client_rate/d' "$settings"
echo "external_rate: 0" >>"$settings"
: >"$server_log"
inside server kill -HUP "$server"
await has_reloaded || fail "the second reload is done" "$(cat "$server_log")"
read -r full longer truncated limited wrong <<<"$(ask_often EXT 1600 all)"
expect "external_rate 0: all are answered" "1600 1600" "$full $longer"
read -r full longer truncated limited wrong <<<"$(ask_often DYNO 1600 all)"
expect "client_rate 0: all are answered" 1600 "$full"
expect_no_match "explain --live: without a rate nobody is limited" '^limited=' "$(explained $name 10.0.130.56)"

# ---- an app that is down ----

down=sleepy-river-2739.herokuapp.com
expect "status: no TTL is raised" "" "$(status_line raised_ttl)"
expect_no_match "explain --live: nor this app's" '^negative_ttl=' "$(explained $down 10.0.130.56)"
is_raised() {
    ask_often DYNO 1600 all "$down" >/dev/null
    [ -n "$(status_line raised_ttl)" ]
}
await is_raised || fail "a loop raises the TTL" "$(status_line raised_ttl)"
expect_match "status: the app" '^1 app, up to [1246]0 s: sleepy-river-2739 of test-space$' \
    "$(status_line raised_ttl)"
expect_match "explain --live: this app's" '^negative_ttl=[1246]0 raised: ' "$(explained $down 10.0.130.56)"
expect_no_match "explain --live: not another's" '^negative_ttl=' "$(explained $name 10.0.130.56)"
stop
finish
