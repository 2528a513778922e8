# A server with two VPNs behind devices, and clients that have one source address; read after
# network.bash.
#
#     OFFICE ── ipsec0 ──╮
#     BRANCH ── ipsec1 ──┼── server's namespace (10.0.0.2)
#     OPEN ──── open0 ───╯

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

# class_table [ROUNDS]: who gets what, of several workers
class_table() {
    local how
    for how in +notcp +tcp; do
        for _ in $(seq "${1:-4}"); do
            must_see OFFICE ipsec0 "$how" "$one" 10.0.0.37
            must_see OFFICE ipsec0 "$how" "$two" "REFUSED Q20"
            must_see BRANCH ipsec1 "$how" "$two" 10.1.0.37
            must_see BRANCH ipsec1 "$how" "$one" "REFUSED Q20"
            must_see OPEN open0 "$how" "$one" "REFUSED Q18"
            must_see OPEN open0 "$how" "$two" "REFUSED Q18"
        done
    done
}
