#!/bin/bash
# Link-local addresses, which belong to an interface: the server listens on one and is asked from one, in
# its sandbox, which has to let it look the interface's name up.
. "$(dirname "$0")/lib.bash"
need ip nsenter
enter_private_network || skip "no network namespace may be made here"
{ ip netns add server && ip netns add client; } 2>/dev/null || skip "no network namespace may be made here"
ip link add near netns server type veth peer name far netns client 2>/dev/null ||
    skip "no virtual network may be made here"
for end in "server near 2" "client far 99"; do
    read -r where link host <<<"$end"
    ip -n "$where" link set lo up
    ip -n "$where" link set "$link" addrgenmode none # so that the address below is the only one
    ip -n "$where" link set "$link" up
    ip -n "$where" address add "fe80::$host/64" dev "$link" nodad
done
launcher=(nsenter --net=/run/netns/server)

# asks DIG-ARGUMENT...: from fe80::99
asks() {
    nsenter --net=/run/netns/client dig +tries=1 +time="$patience" "$@" 2>&1
}

start own --zones zones --listen '[fe80::2%near]:5300' --log-queries all
expect_match "the address with its interface" ' info ready listen=.?\[fe80::2%near\]:5300' "$(<"$server_log")"
for how in +notcp +tcp; do
    expect_match "it is asked ($how)" 'status: REFUSED' "$(asks @fe80::2%far -p 5300 $how example.net)"
done
is_logged() {
    [ "$(grep -c 'fwd="fe80::99"' "$work/own.out")" = 2 ]
}
await is_logged || fail "the query log has the client" "$(<"$work/own.out")"
stop
expect "exit code" 0 "$code"

start every --zones zones --listen '[::]:5300' --allow-public-listen --log-queries all
expect_match "every address is asked" 'status: REFUSED' "$(asks @fe80::2%far -p 5300 example.net)"
expect_match "and once more" 'status: REFUSED' "$(asks @fe80::2%far -p 5300 example.net)"
stop
expect "exit code" 0 "$code"
finish
