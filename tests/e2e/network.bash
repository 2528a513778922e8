# Clients with their real addresses, each in a network of its own; read after lib.bash.
#
#     clients ── one cable each ── server's namespace (10.0.0.2, 10.0.0.3, 10.1.0.2)
#
# This whole network is inside the script's own, so nothing of it outlives the script.

need ip nsenter
enter_private_network || skip "no network namespace may be made here"
ip netns add probe 2>/dev/null && ip link add probe0 type veth peer name probe1 2>/dev/null ||
    skip "no virtual network may be made here"
ip link del probe0
ip netns del probe

declare -A address=(
    [DYNO]=10.0.130.56 [RUN]=10.0.144.9 [PEER]=10.20.3.4 [PENDING]=10.30.3.4 [VPN]=172.16.9.9
    [BRANCH]=192.168.7.7 [TRUSTED]=192.0.2.10 [EXT]=203.0.113.9 [OTHER]=10.1.130.4
    [GATEWAY]=35.161.69.30)
cables=0

# inside NAMESPACE COMMAND...
inside() {
    local where=$1
    shift
    nsenter --net="/run/netns/$where" "$@"
}

# connect NAME [ADDRESS...]: a namespace with ${address[NAME]} and more, on a cable to the server's
connect() {
    local name=$1 one
    shift
    cables=$((cables + 1))
    ip netns add "$name"
    ip link add "near$cables" netns server type veth peer name far netns "$name"
    inside server ip link set "near$cables" up
    inside "$name" ip link set lo up
    for one in "${address[$name]}" "$@"; do
        inside server ip route add "$one/32" dev "near$cables"
        inside "$name" ip address add "$one/32" dev far
    done
    inside "$name" ip link set far up
    inside "$name" ip route add default dev far
    answer_for_all
}

# Cables answer for every address that the server's namespace knows a way to, and pass packets on.
answer_for_all() {
    inside server sysctl -qw net.ipv4.conf.all.proxy_arp=1 net.ipv4.ip_forward=1 2>/dev/null ||
        inside server sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
            for f in /proc/sys/net/ipv4/conf/*/proxy_arp; do echo 1 >"$f"; done' || true
}

# build_network CLIENT...: the server's namespace and its clients'
build_network() {
    local name
    ip netns add server
    inside server ip link set lo up
    ip -n server address add 10.0.0.2/32 dev lo
    ip -n server address add 10.0.0.3/32 dev lo
    ip -n server address add 10.1.0.2/32 dev lo
    for name in "$@"; do
        connect "$name"
    done
    launcher=(nsenter --net=/run/netns/server)
}

# from CLIENT SERVER-ADDRESS DIG-ARGUMENT...
from() {
    local client=$1 to=$2
    shift 2
    inside "$client" dig "@$to" +tries=1 +time="$patience" "$@" 2>&1
}

# status REPLY: the response code that dig shows
status() {
    sed -n 's/.*status: \([A-Z]*\),.*/\1/p' <<<"$1"
}

# as_dyno COMMAND...: in RUN's network, whose only nameserver is the server
as_dyno() {
    nsenter --net=/run/netns/RUN unshare --mount sh -c '
        mount --bind "$1" /etc/resolv.conf && mount --bind "$2" /etc/nsswitch.conf && shift 2 &&
            exec timeout 20 "$@"' sh "$work/resolv.conf" "$work/nsswitch.conf" "$@" 2>&1
}

# may_mount: whether as_dyno works here
may_mount() {
    echo "nameserver 10.0.0.2" >"$work/resolv.conf"
    echo "hosts: dns" >"$work/nsswitch.conf"
    [ -e /etc/resolv.conf ] && [ -e /etc/nsswitch.conf ] && as_dyno true >/dev/null
}

# serve_http NAMESPACE: a web server at every address of the namespace, port 80
serve_http() {
    inside_http=$1
    nsenter --net="/run/netns/$1" /usr/bin/python3 - >"$work/http-$1" 2>&1 <<'END' &
import http.server
class Router(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_HEAD(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    do_GET = do_HEAD
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("0.0.0.0", 80), Router).serve_forever()
END
    children+=($!)
    await answers_http || fail "the web server of $1 answers"
}

answers_http() {
    inside "$inside_http" /usr/bin/python3 -c \
        'import socket; socket.create_connection(("127.0.0.1", 80), 1)' 2>/dev/null
}
