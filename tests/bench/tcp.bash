# Names that are ours over TCP, pipelined and one at a time, beside NSD, Knot DNS, BIND and an echo.

tcp_servers=(spacednsd nsd knotd named echo)
tcp_one=16 # queries under way, one for each connection

tcp_estimate() { echo $((15 + 2 * rounds * seconds * 5)); }

tcp_part() {
    local servers name round
    need dig taskset ss
    note_left_out "${tcp_servers[@]}"
    mapfile -t servers < <(present "${tcp_servers[@]}")
    write_local
    for name in "${servers[@]}"; do
        if [ "$name" = echo ]; then
            port[echo]=$(free_port)
            start_echo echo tcp
            sleep 0.3
            pin "${pid[echo]}"
        else
            start_local "$name"
        fi
    done
    for round in $(seq "$rounds"); do
        for name in "${servers[@]}"; do
            progress "TCP, round $round of $rounds: $name"
            measure "$name" tcp "$work/names" -t
            measure "$name" tcp-one "$work/names" -t -n "$tcp_one"
        done
    done
    report tcp "TCP, pipelined" "${servers[@]}"
    report tcp-one "TCP, one query at a time over each of $tcp_one connections" "${servers[@]}"
    budget "TCP, pipelined, answers per second, against Knot DNS" "$(rate_against tcp knotd)" least 5
    budget "TCP, one at a time, CPU of an answer, against the echo server" "$(cpu_against tcp-one echo)" most 1.1
    for name in "${servers[@]}"; do stop "$name"; done
}
