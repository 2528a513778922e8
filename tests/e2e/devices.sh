#!/bin/bash
# Connections with a device: one source address in two VPNs and outside, told apart by the interface
# that its packets come by, over UDP and TCP, on every address and on a given one; interfaces that
# come, go and get another name while the server runs.
# timeout: 180
. "$(dirname "$0")/lib.bash"
. "$(dirname "$script")/network.bash"

SPACEDNS=$BUILD_DIR/bin/spacedns
one=one-app-1.herokuapp.com
two=two-app-1.herokuapp.com
office=172.18.9.9 # of every client

# plug DEVICE CLIENT: a cable between the server's namespace and the client's
plug() {
    ip link add "$1" netns server type veth peer name far netns "$2"
    ip -n server link set "$1" up
    ip -n "$2" address add "$office/32" dev far
    ip -n "$2" link set far up
    ip -n "$2" route add default dev far
}

# sees CLIENT DEVICE HOW NAME WANTED: WANTED is an address, or STATUS CODE
sees() {
    local reply got=
    ip -n server route replace "$office/32" dev "$2" # the way back
    reply=$(from "$1" 10.0.0.2 "$3" "$4")
    got=$(sed -n 's/^[^;].*[[:space:]]IN[[:space:]]A[[:space:]]*//p' <<<"$reply")
    if [ -z "$got" ]; then
        [[ $reply =~ status:\ ([A-Z]+), ]] && got=${BASH_REMATCH[1]}
        [[ $reply =~ EDE:\ [^$'\n']*\((Q[0-9]+) ]] && got+=" ${BASH_REMATCH[1]}"
    fi
    [ "$got" = "$5" ] || seen=$reply
    [ "$got" = "$5" ]
}

must_see() {
    if sees "$@"; then pass; else fail "by $2 ($3) $4: $5" "$seen"; fi
}

# comes_to_see ...: within the patience
comes_to_see() {
    if await sees "$@"; then pass; else fail "by $2 ($3) $4 in the end: $5" "$seen"; fi
}

ip netns add server
for client in OFFICE BRANCH OPEN; do
    ip netns add "$client"
done
inside server ip link set lo up
inside server sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
ip -n server address add 10.0.0.2/32 dev lo
plug ipsec0 OFFICE
plug ipsec1 BRANCH
plug open0 OPEN
answer_for_all
launcher=(nsenter --net=/run/netns/server)

zones=$work/zones
mkdir "$zones"
# write_zones DEVICE: the first space's VPN has it; empty: none
write_zones() {
    local name number=0 device=$1
    for name in one two; do
        cat >"$zones/$name.yaml" <<END
space: $name-space
cidr: 10.$number.0.0/16
routers: [10.$number.0.37]
vpns:
  - {name: $name-vpn, status: active, routable_cidrs: [172.18.0.0/16]${device:+, device: $device}}
apps:
  - name: $name-app-1
    internal_routing: true
    formation: {web: {dynos: [{number: 1, private_ip: 10.$number.130.4}]}}
END
        number=1
        device=ipsec1
    done
}

reload() {
    "$SPACEDNS" reload --socket "$work/control.sock" >/dev/null || fail "the reload is done"
}

class_table() {
    for how in +notcp +tcp; do
        for _ in 1 2 3 4; do # several workers
            must_see OFFICE ipsec0 "$how" "$one" 10.0.0.37
            must_see OFFICE ipsec0 "$how" "$two" "REFUSED Q20"
            must_see BRANCH ipsec1 "$how" "$two" 10.1.0.37
            must_see BRANCH ipsec1 "$how" "$one" "REFUSED Q20"
            must_see OPEN open0 "$how" "$one" "REFUSED Q18"
            must_see OPEN open0 "$how" "$two" "REFUSED Q18"
        done
    done
}

# ---- every address, a given address ----

for listen in 0.0.0.0 10.0.0.2; do
    write_zones ipsec0
    start "devices-$listen" --zones "$zones" --listen "$listen" --control-socket "$work/control.sock" --workers 2
    class_table
    ip -n server route replace "$office/32" dev ipsec0
    got=$(from OFFICE 10.0.0.2 +short _whoami.localspace TXT)
    expect_match "_whoami names the device" '"connection=one-vpn" "device=ipsec0" "matched=172.18.0.0/16"' "$got"

    # A space gets its device, and loses it, at a reload.
    write_zones ""
    reload
    must_see OPEN open0 +notcp "$one" 10.0.0.37
    must_see OPEN open0 +tcp "$one" 10.0.0.37
    must_see BRANCH ipsec1 +notcp "$two" 10.1.0.37
    must_see BRANCH ipsec1 +notcp "$one" 10.0.0.37
    must_see OPEN open0 +notcp "$two" "REFUSED Q20"
    write_zones ipsec0
    reload
    class_table
    stop
    expect "exit code" 0 "$code"
done

# ---- devices first at a reload, on a given address ----

write_zones ""
sed -i 's/, device: ipsec1//' "$zones/two.yaml"
start reload --zones "$zones" --listen 10.0.0.2 --control-socket "$work/control.sock" --workers 2
must_see OPEN open0 +notcp "$one" 10.0.0.37
write_zones ipsec0
reload
class_table

# ---- interfaces come and go ----

ip -n server link del ipsec0
await grep -q ' warning device_absent device=ipsec0 ' "$server_log" || fail "the log has that the device is gone"
got=$("$SPACEDNS" whoami --from "$office" --socket "$work/control.sock")
expect_match "whoami without a device" \
    'routable_cidrs of VPN one-vpn of one-space \(.*\), whose clients are inside only when they come by its device: ask with --device ipsec0$' "$got"
got=$("$SPACEDNS" whoami --from "$office" --device ipsec0 --socket "$work/control.sock")
expect_match "whoami with it" 'class=vpn space=one-space connection=one-vpn device=ipsec0 because of 172.18.0.0/16' "$got"
plug open1 OFFICE
must_see OFFICE open1 +notcp "$one" "REFUSED Q18"
ip -n server link del open1
plug ipsec0 OFFICE
await grep -q ' info device_there device=ipsec0$' "$server_log" || fail "the log has that the device is there"
must_see OFFICE ipsec0 +notcp "$one" 10.0.0.37
must_see OFFICE ipsec0 +tcp "$one" 10.0.0.37

# Another name is another device.
ip -n server link set ipsec1 down
ip -n server link set ipsec1 name ipsec9
ip -n server link set ipsec9 up
comes_to_see BRANCH ipsec9 +notcp "$two" "REFUSED Q18"
must_see BRANCH ipsec9 +tcp "$two" "REFUSED Q18"

# The operator's command, by the files alone.
got=$("$SPACEDNS" explain "$one" --from "$office" --zones "$zones" 2>/dev/null)
expect_match "explain without a device" 'Q18' "$got"
got=$("$SPACEDNS" explain "$one" --from "$office" --device ipsec0 --zones "$zones" 2>/dev/null)
expect_match "explain with it" 'NOERROR' "$got"
stop
expect "exit code" 0 "$code"

finish
