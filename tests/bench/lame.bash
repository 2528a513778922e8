# Lame names: one client asks for names that an upstream never answers, or answers after 3 s, and
# another for good new names. What counts is how many of the good ones are answered.
#
#     hammer, victim (lame.py) ──► spacednsd, Unbound, dnsmasq ──► upstreams (lame_upstream.c, .py)
#
# Upstreams are one, two that are both lame, or two of which the second answers every name at once;
# over UDP or TLS, which dnsmasq does not speak. Each server runs once for a victim that asks every
# 0.5 s and once for one that asks every 3.3 s, when nothing else may come back meanwhile. One more
# client asks the first upstream itself: its longest wait shows the load of the machine.

lame_servers=(spacednsd unbound dnsmasq)
lame_intervals=(0.5 3.3)
lame_seconds=24

await_lame_upstream() { # NAME
    until grep -q '^ready' "$work/$1.log"; do
        kill -0 "${pid[$1]}" 2>/dev/null || fail "$1 ended: $(tail -3 "$work/$1.log")"
        sleep 0.1
    done
}

start_lame_upstream() { # NAME TRANSPORT ADDRESS [--well]
    local name=$1 transport=$2
    shift 2
    case $transport in
    udp) "$tools/lame_upstream" "$1" "${port[upstream]}" "${@:2}" > "$work/$name.log" 2>&1 & ;;
    tls)
        /usr/bin/python3 "$here/../support/lame_upstream.py" "$1" "${port[upstream]}" \
            --tls "$work/lame.pem" "$work/lame.key" "${@:2}" > "$work/$name.log" 2>&1 &
        ;;
    esac
    pid[$name]=$!
    await_lame_upstream "$name"
}

# 127.0.0.1 and .2 are lame, .3 is well.
start_lame_upstreams() { # TRANSPORT
    port[upstream]=$(free_port)
    start_lame_upstream upstream-1 "$1" 127.0.0.1
    start_lame_upstream upstream-2 "$1" 127.0.0.2
    start_lame_upstream upstream-3 "$1" 127.0.0.3 --well
}

stop_lame_upstreams() {
    local number
    for number in 1 2 3; do stop "upstream-$number"; done
}

make_lame_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
        -subj /CN=test -addext subjectAltName=DNS:ns.lame.example \
        -keyout "$work/lame.key" -out "$work/lame.pem" 2> "$work/openssl.log" ||
        fail "no certificate can be made: $(tail -1 "$work/openssl.log")"
}

# ---- servers ----

start_lame_spacednsd() { # NAME TRANSPORT ADDRESS...
    local name=$1 transport=$2 each flags=()
    for each in "${@:3}"; do
        case $transport in
        udp) flags+=(--upstream "$each@${port[upstream]}") ;;
        tls) flags+=(--upstream "tls://$each@${port[upstream]}#ns.lame.example") ;;
        esac
    done
    SSL_CERT_FILE=$work/lame.pem start_spacednsd "$name" "${flags[@]}"
}

start_lame_unbound() { # NAME TRANSPORT ADDRESS...
    local name=$1 transport=$2 each
    {
        cat << CONF
server:
    interface: 127.0.0.1
    port: ${port[$name]}
    do-ip6: no
    num-threads: 1
    username: ""
    chroot: ""
    pidfile: ""
    directory: "$work"
    use-syslog: no
    do-daemonize: no
    module-config: "iterator"
    do-not-query-localhost: no
    outgoing-range: 4096
    num-queries-per-thread: 2048
    local-zone: "example." transparent
    tls-cert-bundle: "$work/lame.pem"
remote-control:
    control-enable: no
forward-zone:
    name: "."
CONF
        [ "$transport" = udp ] || echo '    forward-tls-upstream: yes'
        for each in "${@:3}"; do
            echo "    forward-addr: $each@${port[upstream]}$([ "$transport" = udp ] || echo '#ns.lame.example')"
        done
    } > "$work/$name.conf"
    unbound -d -c "$work/$name.conf" > "$work/$name.log" 2>&1 &
    pid[$name]=$!
}

start_lame_dnsmasq() { # NAME TRANSPORT ADDRESS...
    local name=$1 each flags=()
    for each in "${@:3}"; do flags+=("--server=$each#${port[upstream]}"); done
    dnsmasq --keep-in-foreground --conf-file=/dev/null --pid-file= --user= --no-resolv --no-hosts \
        --listen-address=127.0.0.1 --bind-interfaces --port="${port[$name]}" "${flags[@]}" \
        --cache-size=10000 --dns-forward-max=4096 > "$work/$name.log" 2>&1 &
    pid[$name]=$!
}

lame_can() { # SERVER TRANSPORT
    [ "$1" != dnsmasq ] || [ "$2" = udp ]
}

each_lame_server() { # TRANSPORT COMMAND ARGUMENT...: with its instance's name, SERVER-INTERVAL, last
    local transport=$1 server interval
    for server in "${lame_servers[@]}"; do
        lame_can "$server" "$transport" || continue
        for interval in "${lame_intervals[@]}"; do "${@:2}" "$server-$interval"; done
    done
}

start_lame_server() { # TRANSPORT "ADDRESS..." NAME
    port[$3]=$(free_port)
    # shellcheck disable=SC2086
    "start_lame_${3%-*}" "$3" "$1" $2
    wait_until_answering "$3" first.bench.example
}

# ---- rows ----

lame_answered() { # NAME: "48/48"
    sed -E 's/.*answered ([0-9]+) of ([0-9]+).*/\1\/\2/' "$work/$1.lame"
}

# The last error of each client that lost an answer.
print_lame_losses() { # NAME
    if grep -q ': ' "$work/$1.lame"; then
        print_line "    $1: $(sed 's/^[^:]*: //' "$work/$1.lame")"
    fi
}

run_lame_clients() { # SUFFIX RATE NAME
    "$here/../support/lame.py" 127.0.0.1 "${port[$3]}" "$lame_seconds" hammer 127.0.0.10 "$1" "$2" \
        victim 127.0.0.11 bench.example "${3##*-}" > "$work/$3.lame" &
    lame_tasks+=($!)
}

lame_row() { # TRANSPORT UPSTREAMS SUFFIX RATE: all servers at once
    local line server interval cell
    lame_tasks=()
    progress "$3, $4/s, $2 over $1"
    "$here/../support/lame.py" 127.0.0.1 "${port[upstream]}" "$lame_seconds" \
        victim 127.0.0.12 bench.example 0.1 > "$work/direct.lame" &
    lame_tasks+=($!)
    each_lame_server "$1" run_lame_clients "$3" "$4"
    wait "${lame_tasks[@]}"
    progress ''
    line=$(printf '%-4s %-10s %-13s %5s' "$1" "$2" "$3" "$4/s")
    for server in "${lame_servers[@]}"; do
        cell=-
        if lame_can "$server" "$1"; then
            cell=
            for interval in "${lame_intervals[@]}"; do cell+=" $(lame_answered "$server-$interval")"; done
        fi
        line+=$(printf ' %13s' "${cell# }")
    done
    print_line "$line $(printf %9s "$(sed -E 's/.*longest ([0-9.]+) s.*/\1 s/' "$work/direct.lame")")"
    each_lame_server "$1" print_lame_losses
}

lame_rows() { # TRANSPORT UPSTREAMS ADDRESS...
    local suffix rate
    each_lame_server "$1" start_lame_server "$1" "${*:3}"
    for suffix in lame.example slow.example; do
        for rate in 10 20 100; do lame_row "$1" "$2" "$suffix" "$rate"; done
    done
    each_lame_server "$1" stop
}

# An upstream that loses questions would distort the forwarders' figures.
say_lame_drops() {
    local drops
    drops=$(awk -v port="$(printf ':%04X' "${port[upstream]}")" \
        'index($2, port) { drops += $NF } END { print drops + 0 }' /proc/net/udp)
    print_line "Questions that the upstreams had no room for: $drops"
}

lame_part() {
    local transport
    need dig unbound dnsmasq openssl
    write_spaces
    make_lame_certificate
    print_line "Lame names: good names answered, of those asked every ${lame_intervals[0]} s and every ${lame_intervals[1]} s"
    print_line "$(printf '%-4s %-10s %-13s %5s %13s %13s %13s' over upstreams names rate "${lame_servers[@]}")    direct"
    for transport in udp tls; do
        start_lame_upstreams "$transport"
        lame_rows "$transport" one 127.0.0.1
        lame_rows "$transport" two-lame 127.0.0.1 127.0.0.2
        lame_rows "$transport" one-of-two 127.0.0.1 127.0.0.3
        say_lame_drops
        stop_lame_upstreams
    done
}
