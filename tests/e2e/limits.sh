#!/bin/bash
# Clients above their rates, with their real addresses: an outsider is limited over UDP and not over
# TCP, a client of a space only once client_rate is set, and the operator sees both.
# timeout: 120
. "$(dirname "$0")/lib.bash"
. "$(dirname "$script")/network.bash"

build_network DYNO RUN EXT
name=frozen-oasis-70544.herokuapp.com

# ask_often CLIENT COUNT [all]: sends COUNT queries as fast as it can, with EDNS, and prints how many
# replies were full, of those how many longer than their query, truncated, refused with Q60. With
# `all`, each is to be answered: no more than 16 are on their way at once.
ask_often() {
    inside "$1" /usr/bin/python3 - "$2" "${3:-}" <<'END'
import select, socket, struct, sys
name = b"".join(bytes([len(part)]) + part for part in
                b"frozen-oasis-70544.herokuapp.com".split(b".")) + b"\0"
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

mkdir "$work/zones"
cp zones/test-space.yaml "$work/zones/"
settings=$work/settings.yaml
echo "control_socket: $work/control" >"$settings"
start limits --settings "$settings" --zones "$work/zones" --listen 10.0.0.2 --workers 2

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
stop
finish
