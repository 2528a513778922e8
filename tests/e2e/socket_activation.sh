#!/bin/bash
# Sockets that a service manager has bound: used where the settings listen, closed elsewhere, and
# refused with the remedy when they are of no use.
. "$(dirname "$0")/lib.bash"

SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
port=$(free_port)
flags=(--zones zones --listen "127.0.0.1:$port" --local-as test-space --control-socket "$work/control.sock")
activate=(/usr/bin/python3 "$SOURCE_DIR/tests/support/activate.py")

routers="10.0.0.37 10.0.16.21"
expect_answers() {
    local name=frozen-oasis-70544.herokuapp.com
    for round in 1 2 3 4; do
        expect "$1: over UDP" "$routers" "$(addresses "$(ask +short "$name")")"
        expect "$1: over TCP" "$routers" "$(addresses "$(ask +tcp +short "$name")")"
    done
}

# with SOCKET ... : the sockets of the next start
with() {
    launcher=("${activate[@]}" "$@" --)
}

both=("dns.socket=udp:127.0.0.1:$port" "dns.socket=tcp:127.0.0.1:$port")
for workers in 1 3; do
    with "${both[@]}" ask
    start "activated-$workers" "${flags[@]}" --workers "$workers"
    expect_answers "activated, $workers workers"
    await grep -q '^early reply [1-9]' "$server_log" || fail "a query before the start is answered after it" "$(cat "$server_log")"
    expect_no_match "nothing is to be warned of" ' warning (worker|inherited)' "$(cat "$server_log")"
    stop
    expect "activated, $workers workers: exit code" 0 "$code"
done

# as a server names them: each worker its own
with "udp.0=udp:127.0.0.1:$port" "udp.1=udp:127.0.0.1:$port" "tcp.0=tcp:127.0.0.1:$port" "tcp.1=tcp:127.0.0.1:$port"
start named "${flags[@]}" --workers 2
expect_answers "named sockets"
upgraded=$("$SPACEDNS" upgrade --socket "$work/control.sock" 2>&1)
expect_match "an activated server can be upgraded" '^Upgrading\.\.\. done' "$upgraded"
children+=("$(sed 's/.*pid=\([0-9]*\) .*/\1/' <<<"$upgraded")")
expect_answers "upgraded"
server=${children[-1]}
kill -TERM "$server"
await is_gone "$server" || fail "the upgraded server ends"

# one of both, and an address more
other=$(free_port)
with "dns.socket=udp:127.0.0.1:$port" "dns.socket=tcp:127.0.0.1:$other"
start partly "${flags[@]}" --workers 1
expect_answers "one inherited, the other bound"
expect_match "a socket without an address is told" " warning inherited_unused address=127\.0\.0\.1:$other transport=tcp text=\"the settings do not listen there" "$(cat "$server_log")"
refused_there() {
    ! dig +tcp +tries=1 +time=1 @127.0.0.1 -p "$other" version.bind CH TXT >/dev/null 2>&1
}
refused_there || fail "a socket without an address is closed"
stop

with "${both[@]}" stranger
launch strangers "${flags[@]}" --workers 1
await is_gone "$server" || fail "sockets for another process are not used: it ends"
wait "$server"
expect_match "sockets for another process are not used" 'another program has this port' "$(cat "$server_log")"

# refused NAME SOCKET PATTERN
refused() {
    with "$2"
    launch "refused-$1" "${flags[@]}" --workers 1
    await is_gone "$server" || fail "refused: $1" "it runs"
    wait "$server"
    expect "$1: exit code" 3 "$?"
    expect_match "$1" "$3" "$(cat "$server_log")"
}
refused unix "dns.socket=unix" 'spacednsd: the inherited descriptor dns\.socket is neither an IPv4 nor an IPv6 socket; use ListenDatagram='
refused connection "dns.socket=connected:127.0.0.1:$port" 'is a connection, not a listener; use Accept=no'
if [ -e /proc/net/if_inet6 ]; then
    refused both-families "dns.socket=udp6:$port" 'takes IPv4, too; use BindIPv6Only=ipv6-only'
fi

# ---- a restart by a manager that keeps the sockets ----

launcher=()
kept=$work/kept
mkdir "$kept"
# settings PORT HTTP-PORT: listens there, and serves HTTP there and at a path
settings() {
    printf 'listen: [127.0.0.1:%s]\nhttp_listen: [127.0.0.1:%s, "unix:%s"]\n' "$1" "$2" "$work/http.sock" >"$kept/settings.yaml"
}
http=$(free_port)
sockets="tcp.0 tcp.1 udp.0 udp.1 "
if "$SPACEDNSD" --version | grep -q '^http: libmicrohttpd ' && command -v curl >/dev/null; then
    sockets="http $sockets" # that of the path is the server's own
    settings "$port" "$http"
else
    settings() {
        printf 'listen: [127.0.0.1:%s]\nhttp_listen: none\n' "$1" >"$kept/settings.yaml"
    }
    settings "$port"
fi
: >"$work/manager.err"
/usr/bin/python3 "$SOURCE_DIR/tests/support/fd_store.py" "$kept" "$SPACEDNSD" "${as_user[@]}" \
    --settings "$kept/settings.yaml" --zones zones --local-as test-space --upstream none --workers 2 --control-socket "$work/control.sock" \
    >"$work/manager.out" 2>"$work/manager.err" &
manager=$!
children+=("$manager")
server_log=$work/manager.err
ready() { # how often a server has been ready
    grep -c ' info ready ' "$server_log"
}
is_ready() {
    [ "$(ready)" -ge "$1" ]
}
stored() {
    sort "$kept/store" 2>/dev/null | tr '\n' ' '
}
is_stored() {
    [ "$(stored)" = "$1" ]
}
await is_ready 1 || fail "the service starts" "$(cat "$server_log")"
await is_stored "$sockets" || fail "the manager gets all sockets" "$(stored)"

# ask_early NAME DIG-ARGUMENT...: beside the script
early=()
ask_early() {
    ask +short "${@:2}" frozen-oasis-70544.herokuapp.com >"$work/$1.got" 2>&1 &
    early+=("$!")
}
has_ended() {
    [ "$(cat "$kept/pid")" = 0 ]
}
# restart: ends the server, asks, and lets the manager start it again
restart() {
    local before
    before=$(ready)
    kill -TERM "$(cat "$kept/pid")"
    await has_ended || fail "the server ends"
    early=()
    for client in 1 2 3 4 5 6; do
        ask_early "udp-$client"
        ask_early "tcp-$client" +tcp
    done
    if [[ $sockets = http* ]]; then
        curl -s --max-time "$patience" "http://127.0.0.1:$http/healthz" >"$work/http.got" &
        early+=("$!")
    fi
    touch "$kept/go"
    await is_ready $((before + 1)) || fail "the server is started again" "$(cat "$server_log")"
    wait "${early[@]}"
}
for round in 1 2; do
    restart
    for client in udp-1 udp-2 udp-3 udp-4 udp-5 udp-6 tcp-1 tcp-2 tcp-3 tcp-4 tcp-5 tcp-6; do
        expect "restart $round: $client waits for its answer" "$routers" "$(addresses "$(cat "$work/$client.got")")"
    done
    if [[ $sockets = http* ]]; then
        expect "restart $round: a client of HTTP waits for its answer" "ok" "$(cat "$work/http.got")"
        expect "restart $round: the path is served anew" "ok" "$(curl -s --max-time "$patience" --unix-socket "$work/http.sock" http://localhost/healthz)"
    fi
    expect "restart $round: nothing is kept twice" "$sockets" "$(stored)"
done

# an address that the settings no longer have is not kept bound
before_http=$http
http=$(free_port)
settings "$other" "$http"
before=$(ready)
kill -TERM "$(cat "$kept/pid")"
await has_ended
touch "$kept/go"
await is_ready $((before + 1)) || fail "it starts with another address" "$(cat "$server_log")"
is_free() {
    ! ss -Hlun "sport = :$port" | grep -q . && ! ss -Hltn "sport = :$port or sport = :$before_http" | grep -q .
}
if command -v ss >/dev/null; then
    await is_free || fail "the old address is free" "$(ss -Hluntp "sport = :$port or sport = :$before_http")"
fi
await is_stored "$sockets" || fail "the manager keeps the new sockets" "$(stored)"
touch "$kept/end"
await is_gone "$manager" || fail "the manager ends"
finish
