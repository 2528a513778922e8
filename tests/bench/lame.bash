# Lame names: one client asks for names that the upstream never answers, or answers after 3 s, and
# another for good new names. What counts is how many of the good ones are answered.
#
#     hammer, victim (lame.py) ──► spacednsd, Unbound, dnsmasq ──► scripted upstreams (upstream.py)

lame_servers=(spacednsd unbound dnsmasq)
lame_seconds=12

start_lame_upstreams() {
    local name
    port[upstream]=$(free_port)
    printf '%s 300 IN A 198.51.100.80\n' '*.bench.example.' '*.lame.example.' '*.slow.example.' > "$work/records"
    echo answer > "$work/mode"
    for name in 1 2; do
        /usr/bin/python3 "$here/../support/upstream.py" --listen "127.0.0.$name:${port[upstream]}" \
            --records "$work/records" --mode "$work/mode" --log "$work/upstream-$name.queries" \
            > "$work/upstream-$name.log" 2>&1 &
        pid[upstream-$name]=$!
    done
}

# start_lame_forwarders COUNT: each in front of so many upstreams
start_lame_forwarders() {
    local flags=(--upstream "127.0.0.1@${port[upstream]}")
    [ "$1" = 1 ] || flags+=(--upstream "127.0.0.2@${port[upstream]}")
    for name in "${lame_servers[@]}"; do port[$name]=$(free_port); done
    start_spacednsd spacednsd "${flags[@]}"
    lame_upstream_count=$1
    start_unbound_before_lame
    dnsmasq --keep-in-foreground --conf-file=/dev/null --pid-file= --user= --no-resolv --no-hosts \
        --listen-address=127.0.0.1 --bind-interfaces --port="${port[dnsmasq]}" \
        $(for each in $(seq "$1"); do echo "--server=127.0.0.$each#${port[upstream]}"; done) \
        --cache-size=10000 --dns-forward-max=4096 > "$work/dnsmasq.log" 2>&1 &
    pid[dnsmasq]=$!
    for name in "${lame_servers[@]}"; do wait_until_answering "$name" first.bench.example; done
}

start_unbound_before_lame() {
    start_unbound
    [ "$lame_upstream_count" = 1 ] && return
    stop unbound
    sed -i "s/forward-addr: .*/&\n    forward-addr: 127.0.0.2@${port[upstream]}/" "$work/unbound.conf"
    unbound -d -c "$work/unbound.conf" > "$work/unbound.log" 2>&1 &
    pid[unbound]=$!
}

# lame_row SUFFIX RATE INTERVAL: all servers at once
lame_row() {
    local name line tasks=()
    for name in "${lame_servers[@]}"; do
        "$here/../support/lame.py" 127.0.0.1 "${port[$name]}" "$lame_seconds" \
            hammer 127.0.0.10 "$1" "$2" victim 127.0.0.11 bench.example "$3" > "$work/$name.lame" &
        tasks+=($!)
    done
    wait "${tasks[@]}"
    line=$(printf '%-13s %5s %9s %10s' "$1" "$2/s" "$lame_upstream_count" "$3 s")
    for name in "${lame_servers[@]}"; do
        line+=$(printf ' %12s' "$(sed -E 's/.*answered ([0-9]+) of ([0-9]+).*/\1 of \2/' "$work/$name.lame")")
    done
    say "$line"
}

lame_part() {
    local count suffix rate interval name
    need dig unbound dnsmasq
    write_spaces
    start_lame_upstreams
    say "Lame names: good names answered to another client, of those asked"
    say "$(printf '%-13s %5s %9s %10s %12s %12s %12s' names rate upstreams 'good every' "${lame_servers[@]}")"
    for count in 1 2; do
        start_lame_forwarders "$count"
        for suffix in lame.example slow.example; do
            for rate in 10 20 100; do
                for interval in 0.5 3.3; do lame_row "$suffix" "$rate" "$interval"; done
            done
        done
        for name in "${lame_servers[@]}"; do stop "$name"; done
    done
}
