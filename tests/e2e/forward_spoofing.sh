#!/bin/bash
# Off-path forgery: 100,000 guesses at what the server asks its upstream, none accepted; and 65,536
# with the port known, all ids in turn, none accepted either.
# busy: a hundred thousand guesses
# timeout: 120
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
/usr/bin/python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)' 2>/dev/null ||
    skip "no forged packets may be sent here"

port=$(free_port)
start_upstream upstream --listen 198.51.100.53 <<'END'
*.example.org. 300 IN A 198.51.100.80
END
start spoofed --zones zones --listen "127.0.0.1:$port" --local-as test-space --workers 1 --upstream 198.51.100.53
expect "the upstream answers" 198.51.100.80 "$(ask +short first.example.org)"

# forge NAME COUNT PORT ID: that many replies to the question, from the upstream's address and port;
# PORT and ID may be `any`; ID `not:N` takes all ids in turn, N last. Prints how many were sent.
forge() {
    /usr/bin/python3 - "$client_address" "$@" <<'END'
import random, socket, struct, sys

client, name, count, port, identity = sys.argv[1:]
server = "198.51.100.53"
wire = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
body = struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + wire + struct.pack("!HH", 1, 1)
body += struct.pack("!HHHIH", 0xc00c, 1, 1, 300, 4) + socket.inet_aton("203.0.113.66")
length = 8 + 2 + len(body)
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + length, 0, 0, 64, socket.IPPROTO_UDP, 0,
                 socket.inet_aton(server), socket.inet_aton(client))
sent = 0
for i in range(int(count)):
    to = random.randrange(1024, 65536) if port == "any" else int(port)
    if identity == "any":
        guess = random.randrange(65536)
    elif identity.startswith("not:"):
        guess = (int(identity[4:]) + 1 + i) & 0xffff
    else:
        guess = int(identity)
    raw.sendto(ip + struct.pack("!HHHHH", 53, to, length, 0, guess) + body, (client, 0))
    sent += 1
print(sent)
END
}

# is_queried NAME: whether the upstream was queried; its line is left in $query
is_queried() {
    query=$(grep "^udp .* $1\. A " "$work/upstream.log" | tail -n 1)
    [ -n "$query" ]
}
asked_port() {
    sed 's/^udp [^#]*#\([0-9]*\) .*/\1/' <<<"$query"
}
asked_id() {
    sed 's/.* id=\([0-9]*\) .*/\1/' <<<"$query"
}
is_queried first.example.org
client_address=$(sed 's/^udp \([^#]*\)#.*/\1/' <<<"$query")

counter() {
    local before
    before=$(grep -c ' info counters ' "$server_log")
    kill -USR1 "$server"
    await has_counters $((before + 1)) || fail "SIGUSR1 logs the counters"
    grep ' info counters ' "$server_log" | tail -n 1 | grep -oE " $1=[0-9]+" | cut -d= -f2
}
has_counters() {
    [ "$(grep -c ' info counters ' "$server_log")" -ge "$1" ]
}

# look_up NAME: in the background, its reply in $work/NAME
look_up() {
    ask "$1" >"$work/$1" 2>&1 &
    looking=$!
    children+=("$looking")
    await is_queried "$1" || fail "the upstream is queried for $1"
}

# ---- a forgery that is right is taken: what follows is not vain ----

set_mode upstream silent
look_up control.example.org
forge control.example.org 1 "$(asked_port)" "$(asked_id)" >/dev/null
wait "$looking"
expect_match "a reply with the right address, ports, id and question is taken" '203\.0\.113\.66$' "$(cat "$work/control.example.org")"

# ---- blind ----

before=$(counter forward_foreign)
guesses=0
round=0
while [ "$guesses" -lt 100000 ]; do
    round=$((round + 1))
    set_mode upstream "slow 1500"
    look_up "blind$round.example.org"
    sent=$(forge "blind$round.example.org" 50000 any any)
    wait "$looking"
    guesses=$((guesses + sent))
    expect_match "round $round of guesses at port and id: the right answer" 'A[[:space:]]+198\.51\.100\.80$' "$(cat "$work/blind$round.example.org")"
    expect_no_match "round $round of guesses at port and id: no forgery" '203\.0\.113\.66' "$(cat "$work/blind$round.example.org")"
done

# ---- the port is known ----

for round in 1 2 3; do
    look_up "port$round.example.org"
    forge "port$round.example.org" 65536 "$(asked_port)" "not:$(asked_id)" >/dev/null
    wait "$looking"
    expect_no_match "all ids at the right port, round $round: no forgery" '203\.0\.113\.66' "$(cat "$work/port$round.example.org")"
    expect_match "all ids at the right port, round $round: asked over TCP instead" "^tcp .* port$round\.example\.org\. A " \
        "$(grep "port$round" "$work/upstream.log")"
    expect_match "all ids at the right port, round $round: the right answer" 'A[[:space:]]+198\.51\.100\.80$' "$(cat "$work/port$round.example.org")"
    expect "what was kept, round $round" 198.51.100.80 "$(ask +short "port$round.example.org")"
done
after=$(counter forward_foreign)
[ "$after" -ge $((before + 3 * 16)) ] || fail "forgeries are counted" "forward_foreign was $before and is $after"
stop
expect "exit code" 0 "$code"
finish
