# Names that are not ours: spacednsd, Unbound, dnsmasq, dnsdist and BIND as forwarders in front of one
# echo server, which has an address for every name.
#
#     flood, paced ──► forwarder ──► echo
#     (clients')      (servers')    (clients')

forwarders=(spacednsd unbound dnsmasq dnsdist named)
cached_names=10000
misses_in_flight=256
dnsmasq_entries=25000 # two a name
cache_mb=64
local_per_second=5000

write_forward_names() {
    awk -v most="$cached_names" -v names="$names" -v folder="$work" 'BEGIN { srand(2); for (i = 0; i < 200000; i++) {
        n = int(rand() * most)
        printf "host-%d.bench.example\n", n > (folder "/hits")
        printf "app-%d.herokuapp.com\n", n % names > (folder "/ours") } }'
    echo '*.new.bench.example' > "$work/misses"
    echo '*.flood.bench.example' > "$work/random"
}

start_unbound() {
    cat > "$work/unbound.conf" <<CONF
server:
    interface: 127.0.0.1
    port: ${port[unbound]}
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
    msg-cache-size: 64m
    rrset-cache-size: 128m
    local-zone: "example." transparent
forward-zone:
    name: "."
    forward-addr: 127.0.0.1@${port[upstream]}
remote-control:
    control-enable: no
CONF
    unbound -d -c "$work/unbound.conf" > "$work/unbound.log" 2>&1 &
    pid[unbound]=$!
}

start_dnsmasq() {
    dnsmasq --keep-in-foreground --conf-file=/dev/null --pid-file= --user= --no-resolv --no-hosts \
        --listen-address=127.0.0.1 --bind-interfaces --port="${port[dnsmasq]}" \
        --server="127.0.0.1#${port[upstream]}" --cache-size="$dnsmasq_entries" \
        --dns-forward-max=1024 --log-facility=- > "$work/dnsmasq.log" 2>&1 &
    pid[dnsmasq]=$!
}

start_dnsdist() {
    cat > "$work/dnsdist.conf" <<CONF
setLocal("127.0.0.1:${port[dnsdist]}")
setMaxUDPOutstanding(65535)
setUDPMultipleMessagesVectorSize(64)
setSecurityPollSuffix("")
newServer({address="127.0.0.1:${port[upstream]}", checkName="host-1.bench.example.", sockets=16})
getServer(0):setUp()
getPool(""):setCache(newPacketCache(1000000))
CONF
    dnsdist --supervised --disable-syslog -u "$(id -un)" -C "$work/dnsdist.conf" \
        > "$work/dnsdist.log" 2>&1 &
    pid[dnsdist]=$!
}

start_named_forwarder() {
    start_named named "recursion yes; forward only; forwarders { 127.0.0.1 port ${port[upstream]}; }; max-cache-size 256m;"
}

start_forwarders() {
    local name
    port[upstream]=$(free_port)
    start_echo upstream
    wait_until_answering upstream host-1.bench.example
    pin "${pid[upstream]}" "$client_processor"
    for name in "${forwarders[@]}"; do
        port[$name]=$(free_port)
        case $name in
        spacednsd) start_spacednsd spacednsd --upstream "127.0.0.1@${port[upstream]}" ;;
        named) start_named_forwarder ;;
        *) "start_$name" ;;
        esac
        wait_until_answering "$name" host-1.bench.example
        pin "${pid[$name]}"
        progress "filling the cache of $name"
        attend taskset -c "$client_processor" "$tools/flood" -p "${port[$name]}" -f "$work/hits" -s 2 \
            -n "$misses_in_flight" > "$work/warm"
    done
}

# ---- hits and misses ----

# Once its cache is full, dnsmasq scans all of it for each new name.
restart_dnsmasq() {
    [ -n "${pid[dnsmasq]:-}" ] || return 0
    stop dnsmasq
    dnsmasq_entries=1000
    start_dnsmasq
    wait_until_answering dnsmasq host-1.bench.example
    pin "${pid[dnsmasq]}"
}

measure_forwarders() {
    local round name
    for round in $(seq "$rounds"); do
        for name in "${forwarders[@]}"; do
            progress "hits, round $round of $rounds: $name"
            measure "$name" hits "$work/hits"
        done
        measure spacednsd ours "$work/ours"
    done
    restart_dnsmasq
    for round in $(seq "$rounds"); do
        for name in "${forwarders[@]}"; do
            progress "misses, round $round of $rounds: $name"
            measure "$name" misses "$work/misses" -n "$misses_in_flight"
        done
    done
    progress ''
}

forward_budgets() {
    budget "forwarded, from the cache: user CPU, against a local answer" \
        "$(per "$(mean_user spacednsd hits)" "$(mean_user spacednsd ours)")" most 1.3
    budget "forwarded, from the cache: user CPU, against Unbound" "$(user_against hits unbound)" most 0.2
    budget "forwarded, new names per second, against dnsdist" "$(rate_against misses dnsdist)" least 1
    budget "local answers beside a flood of new names: p99, against nothing else" \
        "$(per "$(latency_median random-flood 2)" "$(latency_median alone 2)")" most 2
}

# ---- latency of local answers during a flood ----

start_flood() { # NAMES-FILE
    # Longer than what is measured meanwhile; stop ends it.
    taskset -c "$client_processor" "$tools/flood" -p "${port[spacednsd]}" -f "$1" -s 60 > "$work/flood.log" &
    pid[flood]=$!
}

measure_latency() { # SITUATION
    local out
    attend "${first[@]}" taskset -c "$client_processor" "$tools/paced" -p "${port[spacednsd]}" -s "$seconds" \
        "local:$local_per_second:$work/ours" > "$work/paced.out" || fail "the client failed: $1"
    out=$(cat "$work/paced.out")
    [ "$(field lost "$out")" = 0 ] ||
        note "$(field lost "$out") of $(field sent "$out") local answers were lost: $1"
    echo "$(field p50_us "$out") $(field p99_us "$out") $(field longest_us "$out")" >> "$work/$1.latency"
}

latency_median() { # SITUATION COLUMN
    sort -n -k"$2","$2" "$work/$1.latency" | awk -v c="$2" '{ v[NR] = $c } END { print v[int((NR + 1) / 2)] }'
}

measure_latencies() {
    local round
    for round in $(seq "$rounds"); do
        progress "latency, round $round of $rounds"
        measure_latency alone
        start_flood "$work/ours"
        measure_latency local-flood
        stop flood
        start_flood "$work/random"
        measure_latency random-flood
        kill -STOP "${pid[upstream]}"
        measure_latency silent-flood
        stop flood
        kill -CONT "${pid[upstream]}"
        wait_until_answering spacednsd "round-$round.new.bench.example"
    done
    progress ''
}

report_latencies() {
    local situation
    declare -A text=(
        [alone]="nothing else"
        [local-flood]="a flood of local names, at full speed"
        [random-flood]="a flood of random names upstream"
        [silent-flood]="the same, the upstream silent")
    print_line ""
    print_line "Local answers at $local_per_second a second beside (µs, medians of $rounds rounds):"
    $json || printf '  %-40s %10s %10s %10s   %s\n' '' p50 p99 longest 'p99 against a local flood'
    for situation in alone local-flood random-flood silent-flood; do
        awk -v json=$json -v key="$situation" -v text="${text[$situation]}" \
            -v p50="$(latency_median "$situation" 1)" -v p99="$(latency_median "$situation" 2)" \
            -v longest="$(latency_median "$situation" 3)" -v base="$(latency_median local-flood 2)" 'BEGIN {
            if (json == "true")
                printf "{\"row\":\"latency\",\"beside\":\"%s\",\"p50_us\":%s,\"p99_us\":%s,\"longest_us\":%s,\"p99_ratio\":%.2f}\n", key, p50, p99, longest, p99 / base
            else
                printf "  %-40s %10.1f %10.1f %10.1f   %.2f x\n", text, p50, p99, longest, p99 / base }'
    done
}

# ---- memory ----

# A server of its own, since the cache of the other has been filled already.
report_cache_memory() {
    local empty before full
    stop spacednsd
    printf 'cache_size: %d\n' $((cache_mb * 1048576)) > "$work/cache.yaml"
    start_spacednsd spacednsd --settings "$work/cache.yaml" \
        --upstream "127.0.0.1@${port[upstream]}"
    wait_until_answering spacednsd app-1.herokuapp.com
    pin "${pid[spacednsd]}"
    empty=$(resident_mb spacednsd)
    full=$empty
    while :; do
        progress "filling a cache of $cache_mb MB: $full MB resident"
        before=$full
        attend taskset -c "$client_processor" "$tools/flood" -p "${port[spacednsd]}" -f "$work/misses" -s 2 \
            -n "$misses_in_flight" > /dev/null
        full=$(resident_mb spacednsd)
        awk -v a="$before" -v b="$full" 'BEGIN { exit !(b > a + 0.5) }' || break
    done
    progress ''
    print_line ""
    awk -v json=$json -v empty="$empty" -v full="$full" -v size="$cache_mb" 'BEGIN {
        ratio = full / (empty + size)
        if (json == "true")
            printf "{\"row\":\"cache memory\",\"empty_mb\":%s,\"full_mb\":%s,\"cache_mb\":%s,\"ratio\":%.3f}\n", empty, full, size, ratio
        else
            printf "Resident memory with a full cache: %.1f MB, that is %.2f x the %.1f MB of an empty one and cache_size %d MB\n(budget 0.9 to 1.1).\n", full, ratio, empty, size }'
}

forward_estimate() { echo $((60 + rounds * seconds * 5 * 2 + rounds * seconds * 6)); }

forward_part() {
    local name
    need dig taskset ss
    note_left_out "${forwarders[@]}"
    mapfile -t forwarders < <(present "${forwarders[@]}")
    progress "writing $names names"
    write_spaces
    write_forward_names
    start_forwarders
    measure_forwarders
    report hits "Forwarded, from the cache ($cached_names names)" "${forwarders[@]}"
    report misses "Forwarded, names never asked before" "${forwarders[@]}"
    measure_latencies
    report_latencies
    report_cache_memory
    forward_budgets
    for name in "${forwarders[@]}" upstream; do stop "$name"; done
}
