#!/bin/bash
# Queries that come past the kernel's sockets (xdp), over a virtual cable: the answers are those of the
# sockets, octet for octet, and whatever the filter leaves to the kernel is answered there; what ends
# the interface, the server or the right to it leaves the sockets serving and nothing behind.
#
# XDP_QUERIES=N compares N random queries instead of 20,000.
# busy: floods the server while it reloads
# timeout: 240
. "$(dirname "$0")/lib.bash"
need ip nsenter
enter_private_network || skip "no network namespace may be made here"
{ ip netns add server && ip netns add client; } 2>/dev/null || skip "no network namespace may be made here"
ip link add near netns server type veth peer name far netns client 2>/dev/null ||
    skip "no virtual network may be made here"
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
tool=$SOURCE_DIR/tests/e2e/xdp.py

inside() {
    nsenter --net="/run/netns/$1" "${@:2}"
}

# connect NEAR FAR HOST: an address at each end
connect() {
    ip -n server address add "10.0.$3.2/24" dev "$1"
    ip -n client address add "10.0.$3.56/24" dev "$2"
    ip -n server link set "$1" up
    ip -n client link set "$2" up
}

ip -n server link set lo up
ip -n client link set lo up
connect near far 130
ip link add near2 netns server type veth peer name far2 netns client
connect near2 far2 131
ip -n server address add 2001:db8::2/64 dev near nodad
ip -n client address add 2001:db8::99/64 dev far nodad
ip -n client address add 203.0.113.9/32 dev far
ip -n server route add 203.0.113.9/32 dev near
launcher=(nsenter --net=/run/netns/server)
upstream_launcher=("${launcher[@]}")

asks() {
    inside client dig +tries=1 +time="$patience" "$@" 2>&1
}

# count KEY: a counter of the running server
count() {
    "$SPACEDNS" status --socket "$work/control" --json |
        /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["counters"][sys.argv[1]])' "$1"
}

# grows WHAT KEY BY COMMAND...: the counter grows by so much while the command runs; its output: $got
grows() {
    local before
    before=$(count "$2")
    got=$("${@:4}")
    expect "$1: $2 grows by" "$3" "$(($(count "$2") - before))"
}

has_filter() {
    ip -n server -d link show near | grep -q 'prog/xdp'
}

settings=$work/settings.yaml
cat >"$settings" <<END
zones: $work/zones
listen: [10.0.130.2, 10.0.131.2, "[2001:db8::2]"]
workers: 1
upstreams: [127.0.0.53]
external_rate: 0
log_queries: none
http_listen: none
allow_public_listen: true
cookie_secrets: [000102030405060708090a0b0c0d0e0f]
control_socket: $work/control
END
mkdir "$work/zones"
cp zones/test-space.yaml "$work/zones/"
{
    for number in {1..40}; do
        echo "large.example.org. 300 IN A 198.51.100.$number"
    done
    echo "*.example.org. 300 IN A 198.51.100.80"
} >"$work/records"
start_upstream first --listen 127.0.0.53 <"$work/records"

start xdp --settings "$settings" --xdp near --xdp lo --xdp no-such
grep -q 'xdp_used interface=near' "$server_log" || skip "$(grep 'xdp_unused interface=near' "$server_log")"
expect_match "loopback is refused" 'warning xdp_unused interface=lo text="loopback has no hardware' "$(<"$server_log")"
expect_match "a missing interface is named" 'warning xdp_unused interface=no-such text="there is no such' "$(<"$server_log")"
status=$("$SPACEDNS" status --socket "$work/control")
expect_match "status says how it is used" '^xdp +near (native|generic), copied, 1 of 1 queue, 2 addresses$' "$status"
expect_match "status says what is not used" '^xdp +! no-such there is no such network interface' "$status"
expect_match "the filter is attached" 'prog/xdp' "$(ip -n server link show near)"

# ---- what comes by it, and what does not ----

name=frozen-oasis-70544.herokuapp.com
grows "UDP" xdp_requests 1 asks @10.0.130.2 +short $name
expect "an answer" "10.0.0.37 10.0.16.21" "$(addresses "$got")"
grows "AAAA" xdp_requests 1 asks @10.0.130.2 +noedns $name AAAA
expect_match "no data" 'status: NOERROR.*|ANSWER: 0' "$got"
grows "a cookie" cookies_new 1 asks @10.0.130.2 $name
expect_match "a cookie comes back" 'COOKIE: .*\(good\)' "$got"
grows "TCP" xdp_requests 0 asks @10.0.130.2 +tcp +short $name
expect "TCP is answered" "10.0.0.37 10.0.16.21" "$(addresses "$got")"
grows "an outsider" xdp_requests 1 asks @10.0.130.2 -b 203.0.113.9 $name
expect_match "an outsider is refused" 'EDE: 18 .*Q18' "$got"
grows "IPv6" xdp_requests 1 asks @2001:db8::2 $name
expect_match "IPv6 is refused, as outside" 'EDE: 18 .*Q18' "$got"
grows "another interface" xdp_requests 0 asks @10.0.131.2 +short $name
expect "another interface is answered" "10.0.0.37 10.0.16.21" "$(addresses "$got")"
expect "a ping is answered" 0 "$(inside client /usr/bin/python3 "$tool" ping 10.0.130.2)"

# ---- late replies ----

grows "a forwarded name" forward_misses 1 asks @10.0.130.2 +short one.example.org
expect "a forwarded name" 198.51.100.80 "$got"
grows "a name from the cache" xdp_requests 1 asks @10.0.130.2 +short one.example.org
expect "a name from the cache" 198.51.100.80 "$got"
grows "a long answer" truncated 1 asks @10.0.130.2 +noedns +ignore large.example.org
set_mode first slow 300
expect "a slow upstream's answer" 198.51.100.80 "$(asks @10.0.130.2 +short two.example.org)"
set_mode first answer

# ---- frames by hand ----

for kind in good zero-sum options fragments vlan wrong-sum wrong-sum-v6 wrong-length other-mac loopback-source; do
    case $kind in
    good | zero-sum) requests=1 damaged=0 answer=yes ;;
    options | fragments) requests=0 damaged=0 answer=yes ;;
    wrong-sum | wrong-sum-v6 | wrong-length) requests=0 damaged=1 answer=no ;;
    *) requests=0 damaged=0 answer=no ;;
    esac
    before=$(count xdp_damaged)
    grows "$kind" xdp_requests $requests inside client /usr/bin/python3 "$tool" frame "$kind" far
    expect "$kind: a reply with right sums" $answer "$got"
    expect "$kind: xdp_damaged grows by" $damaged "$(($(count xdp_damaged) - before))"
done

# ---- the same octets ----

sed 's/^listen: .*/listen: ["10.0.130.2:5353"]/; s,control$,control2,' "$settings" >"$work/sockets.yaml"
stop
# Both begin to rotate addresses anew, and nobody waits for an upstream.
start xdp --settings "$settings" --xdp near --upstream none
first=$server
start sockets --settings "$work/sockets.yaml" --upstream none
got=$(inside client /usr/bin/python3 "$tool" compare 10.0.130.2 "${XDP_QUERIES:-20000}")
expect_match "every answer is that of the sockets" '^same [1-9][0-9]* of [0-9]+, 0 differ$' "$got"
echo "$got"
stop
server=$first
server_log=$work/xdp.err
[ "$(count xdp_requests)" -ge "${XDP_QUERIES:-20000}" ] || fail "they came past the sockets" "$(count xdp_requests)"

# ---- a server that stands still ----

before=$(count xdp_requests)
kill -STOP "$server"
inside client /usr/bin/python3 "$tool" burst 10.0.130.2 5000
kill -CONT "$server"
are_told_apart() {
    [ "$(($(count xdp_requests) - before + $(count xdp_fill_empty) + $(count xdp_ring_full)))" = 5000 ]
}
await are_told_apart || fail "each frame is a request, or counted as dropped once" \
    "$("$SPACEDNS" status --socket "$work/control")"
expect "no frame is counted twice" 0 "$(count xdp_dropped)"
expect_no_match "there was no room for all" '^0$' "$(count xdp_fill_empty)"

# ---- reloads under load ----

inside client /usr/bin/python3 "$tool" load 10.0.130.2 3 >"$work/load" &
load=$!
children+=("$load")
for number in 1 2 3 4 5 6 7 8 9 10; do
    sed "s/number: 2, private_ip: 10.0.151.218/number: 2, private_ip: 10.0.151.$((218 + number))/" \
        zones/test-space.yaml >"$work/zones/test-space.yaml"
    reload
done
wait "$load"
expect_match "nothing is lost while it reloads" '^[1-9][0-9]{3,} answered, 0 lost$' "$(<"$work/load")"

# ---- an upgrade: the new process has the sockets alone ----

inside client /usr/bin/python3 "$tool" load 10.0.130.2 2 >"$work/load" &
load=$!
children+=("$load")
answer=$("$SPACEDNS" upgrade --socket "$work/control" 2>&1)
if [[ $answer = *"done, pid="* ]]; then
    wait "$load"
    expect_match "nothing is lost in an upgrade" '^[1-9][0-9]{3,} answered, 0 lost$' "$(<"$work/load")"
    expect_match "it is not used after an upgrade" '^xdp +! near an upgrade hands over sockets alone' \
        "$("$SPACEDNS" status --socket "$work/control")"
    has_filter && fail "the filter is gone after an upgrade"
    await is_gone "$server" || fail "the server before ends"
    server=$(sed 's/.*pid=\([0-9]*\).*/\1/' <<<"$answer")
    children+=("$server")
    kill -TERM "$server"
    await is_gone "$server" || fail "the new server ends"
else
    echo "upgrades are not possible here: $answer"
    wait "$load"
    stop
fi
start xdp --settings "$settings" --xdp near

# ---- the end ----

inside client /usr/bin/python3 "$tool" load 10.0.130.2 1 >"$work/load" &
load=$!
children+=("$load")
sleep 0.3
stop
expect "exit code" 0 "$code"
has_filter && fail "the filter is gone after the end"
wait "$load"
start killed --settings "$settings" --xdp near
expect "a start right after an end" "10.0.0.37 10.0.16.21" "$(addresses "$(asks @10.0.130.2 +short $name)")"
expect_match "it is used again" 'xdp_used interface=near' "$(<"$server_log")"
start second --settings "$work/sockets.yaml" --xdp near
expect_match "an interface has one filter" 'xdp_unused interface=near text=".*(another program|of another already)' "$(<"$server_log")"
expect "who has none answers over its socket" "10.0.0.37 10.0.16.21" \
    "$(addresses "$(asks @10.0.130.2 -p 5353 +short $name)")"
stop
server=${children[-2]}
stop KILL
has_filter && fail "the filter is gone after kill -9"

start generic --settings "$settings" --xdp near --workers 2
stop
sed 's/^workers.*/xdp_mode: skb\nxdp: [near]/' "$settings" >"$work/generic.yaml"
start generic --settings "$work/generic.yaml"
expect_match "xdp_mode: skb" 'xdp_used interface=near text="generic, copied, ' "$(<"$server_log")"
grows "generic" xdp_requests 1 asks @10.0.130.2 +short $name
expect "generic" "10.0.0.37 10.0.16.21" "$(addresses "$got")"

# ---- an interface with several names, and more queues ----

stop
set_mode first slow 300
ip link add near3 numrxqueues 8 numtxqueues 8 netns server type veth \
    peer name far3 numrxqueues 8 numtxqueues 8 netns client
connect near3 far3 132
ip -n server address add 10.0.132.3/24 dev near3 label near3:1
ip -n server link property add dev near3 altname other-name
sed 's/^listen: .*/listen: [10.0.132.2, 10.0.132.3]/' "$settings" >"$work/named.yaml"
start named --settings "$work/named.yaml" --xdp other-name --xdp near3
expect_match "another name, and a label, are the interface's" \
    'xdp_used interface=other-name text=".*, 8 of 8 queues, 2 addresses"' "$(<"$server_log")"
expect_match "it is used once" \
    'xdp_unused interface=near3 text="it is listed before, as other-name; keep one of them' "$(<"$server_log")"
grows "an address with a label" xdp_requests 1 asks @10.0.132.3 +short $name
expect "an address with a label" "10.0.0.37 10.0.16.21" "$(addresses "$got")"
first=$server
sed 's/^listen: .*/listen: ["10.0.132.2:5353"]/; s,control$,control3,' "$settings" >"$work/busy.yaml"
start busy --settings "$work/busy.yaml" --xdp near3
expect_match "busy queues are named" 'xdp_unused interface=near3 text=".*another program' "$(<"$server_log")"
waited=$(sed -n 's/.* info ready .* ms=\([0-9]*\).*/\1/p' "$server_log")
[ "$waited" -lt 5000 ] || fail "the start waits for one busy queue, not for each" "$waited ms"
stop
server=$first
server_log=$work/named.err
ip -n server link set near3 down
ip -n server link set near3 name near4
ip -n server link set near4 up
sleep 1.2 # the interfaces are looked at once a second
grows "an interface with a new name" xdp_requests 1 asks @10.0.132.2 +short late.example.org
expect "a late reply by an interface with a new name" 198.51.100.80 "$got"
expect_no_match "it has not gone away" 'gone away' "$(<"$server_log")"
ip netns add elsewhere
ip -n server link set near4 netns elsewhere
has_left() {
    grep -q 'warning xdp_unused interface=other-name text="the network interface has gone away' "$server_log"
}
await has_left || fail "an interface that is moved has gone away" "$(<"$server_log")"
ip -n elsewhere -d link show near4 | grep -q 'prog/xdp' && fail "it has taken the filter along"
stop
set_mode first answer
start generic --settings "$work/generic.yaml"

# ---- an interface that goes away ----

ip -n server link del near
is_noticed() {
    grep -q 'warning xdp_unused interface=near text="the network interface has gone away' "$server_log"
}
await is_noticed || fail "a lost interface is logged" "$(<"$server_log")"
expect_match "status says that it is gone" '^xdp +! near the network interface has gone away' \
    "$("$SPACEDNS" status --socket "$work/control")"
expect "the sockets serve on" "10.0.0.37 10.0.16.21" "$(addresses "$(asks @10.0.131.2 +short $name)")"
sleep 1.2
expect "it is logged once" 1 "$(grep -c 'gone away' "$server_log")"
stop
expect "exit code" 0 "$code"

# ---- without the right ----

ip link add near netns server type veth peer name far netns client
connect near far 130
if setpriv --bounding-set=-all --inh-caps=-all true 2>/dev/null; then
    launcher=(nsenter --net=/run/netns/server setpriv --bounding-set=-all,+net_bind_service --inh-caps=-all)
    sed 's/, "\[2001:db8::2\]"//' "$settings" >"$work/without.yaml"
    start without --settings "$work/without.yaml" --xdp near
    expect_match "without the right" 'xdp_unused interface=near text=".*right is missing' "$(<"$server_log")"
    expect "without the right, the sockets serve" "10.0.0.37 10.0.16.21" \
        "$(addresses "$(asks @10.0.130.2 +short $name)")"
    stop
    rights=-all,+net_bind_service,+net_admin,+net_raw,+bpf
    launcher=(nsenter --net=/run/netns/server setpriv --bounding-set=$rights --inh-caps=-all
        sh -c 'ulimit -l 64; exec "$@"' sh)
    start locked --settings "$work/without.yaml" --xdp near
    expect_match "without memory to lock" \
        'xdp_unused interface=near text=".*(give the server CAP_IPC_LOCK|right is missing)' "$(<"$server_log")"
    stop
fi
finish
