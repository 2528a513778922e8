# Misses: names never asked before, beside dnsdist, and what they do to local answers.
#
#     flood, paced ──► spacednsd (system), spacednsd (any), dnsdist ──► NSD with wildcards
#     (processor 1)    (processor 0)                                    (processor 1)
#
# spacednsd sends each question from a port of its own and with a random id; system and any are its
# upstream_ports. dnsdist has 16 sockets. Servers take turns within each round, and the ratio is the
# median of the rounds'.
#
# The tail is measured at the same good load of local names, alone and beside a flood of random names
# which the server has to forward, all of them in flight at once.

misses_servers=(system any dnsdist)
misses_flight=256 # a client may have a quarter of upstream_questions, 500
misses_good=5000

misses_start_dnsdist() {
    cat > "$work/misses-dnsdist.conf" <<CONF
setLocal("127.0.0.1:${port[dnsdist]}")
setMaxUDPOutstanding(65535)
setUDPMultipleMessagesVectorSize(64)
setSecurityPollSuffix("")
newServer({address="127.0.0.1:${port[upstream]}", checkName="host-1.bench.example.", sockets=16})
getServer(0):setUp()
getPool(""):setCache(newPacketCache(1000000))
CONF
    dnsdist --supervised --disable-syslog -u "$(id -un)" -C "$work/misses-dnsdist.conf" \
        > "$work/dnsdist.log" 2>&1 &
    pid[dnsdist]=$!
}

# Before what else this machine does, where that is permitted.
misses_hasten() { # PID
    local process
    for process in $(family "$1"); do
        for process in "/proc/$process/task/"*; do chrt --fifo --pid 1 "${process##*/}" 2> /dev/null || true; done
    done
}

misses_start() {
    local name
    port[upstream]=$(free_port)
    start_nsd upstream bench.example 'minimal-responses: yes'
    wait_until_answering upstream host-1.bench.example
    pin "${pid[upstream]}" "$client_processor"
    misses_hasten "${pid[upstream]}"
    for name in "${misses_servers[@]}"; do
        port[$name]=$(free_port)
        echo "upstream_ports: $name" > "$work/$name.yaml"
        case $name in
        dnsdist) misses_start_dnsdist ;;
        *) start_spacednsd "$name" --settings "$work/$name.yaml" --upstream "127.0.0.1@${port[upstream]}" ;;
        esac
        wait_until_answering "$name" host-1.bench.example
        pin "${pid[$name]}"
        misses_hasten "${pid[$name]}"
    done
}

misses_measure() {
    local round name
    for round in $(seq "$rounds"); do
        for name in "${misses_servers[@]}"; do
            progress "misses, round $round of $rounds: $name"
            measure "$name" new "$work/new" -n "$misses_flight"
        done
    done
    progress ''
}

misses_ratio() { # NAME COLUMN...: median over the rounds of the columns' sum, against dnsdist's
    local name=$1
    shift
    paste -d' ' "$work/$name.new" "$work/dnsdist.new" |
        awk -v columns="$*" 'BEGIN { count = split(columns, c, " ") } {
            ours = theirs = 0
            for (i = 1; i <= count; i++) { ours += $(c[i]); theirs += $(c[i] + 3) }
            print (theirs > 0 ? ours / theirs : 0) }' | sort -n |
        awk '{ v[NR] = $1 } END { printf "%.2f", v[int((NR + 1) / 2)] }'
}

misses_report() {
    local name
    report new "Names never asked before" "${misses_servers[@]}"
    for name in system any; do
        set -- "$name" "$(misses_ratio "$name" 1)" "$(misses_ratio "$name" 2 3)"
        if $json; then
            printf '{"row":"misses","ports":"%s","rate_ratio":%s,"cpu_ratio":%s}\n' "$@"
        else
            printf '  upstream_ports: %-8s %s x the misses of dnsdist a second (budget of system 1.0), at %s x its CPU\n' "$@"
        fi
    done
}

# ---- the tail of local answers ----

# With the right to it, the client that measures goes first: what it sees is then the server's.
misses_first=()
! chrt -f 10 true 2>/dev/null || misses_first=(chrt -f 10)

misses_latency() { # SITUATION
    local out
    out=$("${misses_first[@]}" taskset -c "$client_processor" "$tools/paced" -p "${port[system]}" -s "$seconds" \
        "local:$misses_good:$work/local")
    [ "$(field lost "$out")" = 0 ] || fail "local answers were lost: $1: $out"
    echo "$(field p50_us "$out") $(field p99_us "$out") $(field longest_us "$out")" >> "$work/system.$1"
}

misses_tail() {
    local round
    for round in $(seq "$rounds"); do
        progress "tail, round $round of $rounds"
        misses_latency alone
        taskset -c "$client_processor" "$tools/flood" -p "${port[system]}" -f "$work/random" -n "$misses_flight" -s 60 \
            > "$work/flood.log" &
        pid[flood]=$!
        misses_hasten "${pid[flood]}"
        misses_latency beside
        stop flood
    done
    progress ''
    set -- "$(median system alone 1)" "$(median system alone 2)" "$(median system beside 1)" \
        "$(median system beside 2)"
    set -- "$@" "$(awk "BEGIN { printf \"%.2f\", $4 / $2 }")"
    if $json; then
        printf '{"row":"tail beside misses","idle_p50_us":%s,"idle_p99_us":%s,"p50_us":%s,"p99_us":%s,"p99_ratio":%s}\n' "$@"
    else
        printf '\nLocal answers at %s a second, medians of %s rounds: alone p50 %s µs, p99 %s µs; beside random names\nforwarded at full speed p50 %s µs, p99 %s µs: %s x (budget 2.0).\n' \
            "$misses_good" "$rounds" "$@"
    fi
}

misses_part() {
    local name
    need nsd dnsdist dig taskset ss
    progress "writing $names names"
    write_spaces
    write_zone bench.example host 198 $'*.new A 198.0.0.1\n*.flood A 198.0.0.1'
    awk -v names="$names" 'BEGIN { srand(2); for (i = 0; i < 50000; i++)
        printf "app-%d.herokuapp.com\n", int(rand() * names) }' > "$work/local"
    echo '*.new.bench.example' > "$work/new"
    echo '*.flood.bench.example' > "$work/random"
    misses_start
    misses_measure
    misses_report
    misses_tail
    for name in "${misses_servers[@]}" upstream; do stop "$name"; done
}
