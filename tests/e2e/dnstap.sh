#!/bin/bash
# A receiver of dnstap messages gets each request with its reply and the reason, from a server in its
# sandbox; it may come late, go, come back or stop reading, and DNS goes on.
# timeout: 120
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
"$SPACEDNSD" --version | grep -q '^dnstap: libfstrm$' || skip "this build has no libfstrm"
need fstrm_capture kdig
spacedns=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
port=$(free_port)
tap=$work/tap.sock
version=$("$SPACEDNSD" --version | sed -n '1s/ /\//p' | sed 's/spacednsd/spacedns/')

start_upstream first --listen 198.51.100.53 <<<'*.example.org. 300 IN A 198.51.100.80'

# serve NAME WORKERS [LINE...]: a server with these settings and more
serve() {
    printf '%s\n' "zones: zones" "listen: 0.0.0.0:$port" "allow_public_listen: true" "workers: $2" \
        "upstreams: [198.51.100.53]" "control_socket: $work/control.sock" "server_id: ns-one" \
        "external_rate: 5" "external_slip: 2" "dnstap: $tap" "${@:3}" >"$work/$1.yaml"
    start "$1" --settings "$work/$1.yaml"
}

# capture NAME: a receiver as $receiver, which writes $work/NAME.tap
capture() {
    rm -f "$tap"
    fstrm_capture -t protobuf:dnstap.Dnstap -u "$tap" -w "$work/$1.tap" >"$work/$1.log" 2>&1 &
    receiver=$!
    children+=("$receiver")
    await test -S "$tap" || fail "the receiver listens" "$(cat "$work/$1.log")"
}

end_capture() {
    kill -TERM "$receiver"
    await is_gone "$receiver" || fail "the receiver ends"
}

decoded() {
    /usr/bin/python3 "$SOURCE_DIR/tests/support/dnstap.py" "$work/$1.tap" 2>&1
}

# has_logged EVENT COUNT
has_logged() {
    [ "$(grep -c " $1 " "$server_log")" -ge "$2" ]
}

ask_from() {
    dig "@127.0.0.1" -p "$port" -b "$@" +tries=1 +time="$patience" >"$work/dig" 2>&1
}

counter() {
    "$spacedns" status --json --socket "$work/control.sock" |
        /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["counters"]["dnstap_dropped"])'
}

# ---- what is received ----

serve early 2
await has_logged dnstap_unconnected 1 || fail "no receiver is logged" "$(cat "$server_log")"
expect_match "with the path, the cause and the remedy" \
    " warning dnstap_unconnected path=$tap cause=\"connect: No such file or directory\" text=\"no dnstap messages are sent; start the receiver" \
    "$(cat "$server_log")"
ask_from 10.0.130.56 frozen-oasis-70544.herokuapp.com
expect "without a receiver, DNS goes on" NOERROR "$(sed -n 's/.*status: \([A-Z]*\),.*/\1/p' "$work/dig")"
expect "and the message is counted" 1 "$(counter)"
capture one
await has_logged dnstap_connected 1 || fail "a receiver that comes late is connected to" "$(cat "$server_log")"
ask_from 10.0.130.56 frozen-oasis-70544.herokuapp.com
ask_from 10.0.130.56 sleepy-river-2739.herokuapp.com +tcp
ask_from 10.0.130.56 wbe.frozen-oasis-70544.app.localspace
ask_from 10.0.130.56 www.example.org
ask_from 203.0.113.9 www.example.org
stop
expect "the server ends" 0 "$code"
end_capture
expect "each request is one message" "\
AR tcp 10.0.130.56 Q10 NODATA QNAME ns-one $version sleepy-river-2739.herokuapp.com 0 0
AR udp 10.0.130.56 - - - ns-one $version frozen-oasis-70544.herokuapp.com 0 2
AR udp 10.0.130.56 Q25 NXDOMAIN QNAME ns-one $version wbe.frozen-oasis-70544.app.localspace 3 0
AR udp 203.0.113.9 Q18 - CLIENT_IP ns-one $version www.example.org 5 0
CR udp 10.0.130.56 - - - ns-one $version www.example.org 0 1" "$(decoded one)"
read_by_knot=$(kdig -G "$work/one.tap" 2>&1)
expect "another reader gets the same replies" "3 NOERROR
1 NXDOMAIN
1 REFUSED" "$(sed -n 's/^;; ->>HEADER<<- opcode: QUERY; status: \([A-Z]*\);.*/\1/p' <<<"$read_by_knot" |
    sort | uniq -c | sed 's/^ *//')"
expect_match "with their records" '^frozen-oasis-70544\.herokuapp\.com\. .*A[[:space:]]+10\.0\.' "$read_by_knot"

# ---- who is above a rate ----

# flood COUNT ADDRESS: queries as fast as they go, and how many replies came
flood() {
    /usr/bin/python3 - "$port" "$@" <<'PY'
import select, socket, struct, sys
question = b"\x12frozen-oasis-70544\x09herokuapp\x03com\0\0\1\0\1"
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.bind((sys.argv[3], 0))
client.connect(("127.0.0.1", int(sys.argv[1])))
received = 0
for number in range(int(sys.argv[2])):
    client.send(struct.pack("!HHHHHH", number & 65535, 0x100, 1, 0, 0, 0) + question)
    if number % 16 == 15:
        while received <= number and select.select([client], [], [], 0.01)[0]:
            client.recv(1500)
            received += 1
print(received)
PY
}

capture rates
serve rates 1
await has_logged dnstap_connected 1 || fail "the receiver is connected to" "$(cat "$server_log")"
flood 64 203.0.113.9 >"$work/flood"
stop
end_capture
expect "an outsider above its rate: dropped, and truncated" "\
AQ external_rate DROP CLIENT_IP -
AR Q18 - CLIENT_IP 5
AR external_rate TRUNCATE CLIENT_IP 0" "$(decoded rates | cut -d' ' -f1,4-6,10 | sort -u)"

# ---- sampling ----

capture sample
serve sample 1 "dnstap_sample: 10"
await has_logged dnstap_connected 1 || fail "the receiver is connected to" "$(cat "$server_log")"
flood 40 10.0.130.56 >"$work/flood"
expect "nothing is dropped" 0 "$(counter)"
stop
end_capture
expect "one in ten" 4 "$(decoded sample | grep -c '^AR udp 10\.0\.130\.56 ')"

# ---- a receiver that goes and comes back ----

capture lost
serve back 2
await has_logged dnstap_connected 1 || fail "the receiver is connected to" "$(cat "$server_log")"
kill -KILL "$receiver"
wait "$receiver" 2>/dev/null
asked=0
is_missed() {
    asked=$((asked + 1))
    ask_from 10.0.130.56 frozen-oasis-70544.herokuapp.com
    has_logged dnstap_unconnected 1
}
await is_missed || fail "that it is gone is logged" "$(cat "$server_log")"
is_counted() {
    [ "$(counter)" = "$asked" ]
}
await is_counted || fail "what was on its way to it is counted" "$(counter) of $asked"
before=$(counter)
ask_from 10.0.130.56 frozen-oasis-70544.herokuapp.com
expect "what it misses is counted" $((before + 1)) "$(counter)"
capture found
await has_logged dnstap_connected 2 || fail "it is connected to again" "$(cat "$server_log")"
ask_from 10.0.130.56 sleepy-river-2739.herokuapp.com
stop
end_capture
expect_match "and gets messages again" '^AR udp 10\.0\.130\.56 Q10 ' "$(decoded found)"

# ---- a receiver that takes nothing ----

rm -f "$tap"
/usr/bin/python3 "$SOURCE_DIR/tests/support/dnstap.py" --agree "$tap" >"$work/agree" 2>&1 &
children+=($!)
await grep -q ready "$work/agree" || fail "it listens" "$(cat "$work/agree")"
serve stuck 1
await has_logged dnstap_connected 1 || fail "it is connected to" "$(cat "$server_log")"
expect "DNS goes on" 16000 "$(flood 16000 10.0.130.56)"
[ "$(counter)" -gt 0 ] || fail "what has no room is counted" "$(counter)"
stop
expect "the server ends" 0 "$code"
finish
