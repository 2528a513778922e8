# Limits: what a thousand good clients notice while others ask far too much, and what of a flood
# comes back to the addresses that it claims to be from.
#
#     good     1,000 dynos, each 5 queries a second
#     dyno     one dyno of the same space, limits_flood queries a second
#     outside  65,536 addresses outside every space (256 of /24), as many
#
# The server has processor 0, all clients have processor 1, the good ones before the others, and all
# of them go before what else the machine does, where that is permitted (chrt). Both
# servers are spacednsd: `usual` with the settings it comes with, `rate` with client_rate: 200. They
# and the phases (quiet, dyno, outside, both) take turns, round by round; figures are medians, and
# ratios those of a phase to the quiet one of the same server. Everything is in a network namespace
# of its own, where every address is this host's. A good client's time ends when its reply is at its
# socket, and begins before it sends: with one processor for all clients a longest time may be theirs.

limits_flood=${LIMITS_FLOOD:-30000}
limits_good=5000
limits_phases=(quiet dyno outside both)
limits_servers=(usual rate)

enter_limits_network() {
    [ -z "${BENCH_PRIVATE_NETWORK:-}" ] || return 0
    # The options of this run, which begins again there.
    local how=(--net) flags=(--rounds "$rounds" --seconds "$seconds" --names "$names")
    [ "$(id -u)" = 0 ] || how+=(--map-root-user)
    ! $json || flags+=(--json)
    unshare "${how[@]}" true 2>/dev/null || fail "this user may not make a network namespace; root may"
    rm -rf "$work"
    # shellcheck disable=SC2016
    BENCH_PRIVATE_NETWORK=1 exec unshare "${how[@]}" sh -c '
        ip link set lo up && ip route add local 0.0.0.0/0 dev lo && exec "$@"' \
        sh "$here/run" limits "${flags[@]}"
}

# Before what else this machine does, where that is permitted; 2 goes before 1.
at_priority() { # PRIORITY COMMAND...
    if chrt --fifo "$1" true 2>/dev/null; then chrt --fifo "$@"; else "${@:2}"; fi
}

limits_streams() { # PHASE: those of the attack
    local dyno="dyno:$limits_flood:$work/names:10.0.191.7:1"
    local outside="outside:$limits_flood:$work/names:198.18.0.0:65536"
    case $1 in
    dyno) echo "$dyno" ;;
    outside) echo "$outside" ;;
    both) echo "$dyno $outside" ;;
    esac
}

# Appends a line for each stream to $work/SERVER-PHASE.STREAM.
limits_phase() { # SERVER PHASE
    local line streams attack=
    read -ra streams <<< "$(limits_streams "$2")"
    if [ ${#streams[@]} -gt 0 ]; then
        at_priority 1 taskset -c "$client_processor" "$tools/paced" -p "${port[$1]}" -g 300 -s "$(awk "BEGIN { print $seconds + 0.5 }")" \
            "${streams[@]}" > "$work/attack" &
        attack=$!
        sleep 0.3
    fi
    at_priority 2 taskset -c "$client_processor" "$tools/paced" -p "${port[$1]}" -g 1000 -s "$seconds" \
        "good:$limits_good:$work/names:10.0.64.1:1000" > "$work/good"
    [ -z "$attack" ] || wait "$attack"
    [ -n "$attack" ] || : > "$work/attack"
    while read -r line; do
        echo "$(field sent "$line") $(field good "$line") $(field other "$line")" \
            "$(field lost "$line") $(field p50_us "$line") $(field p99_us "$line")" \
            "$(field p999_us "$line") $(field sent_octets "$line") $(field received_octets "$line")" \
            >> "$work/$1-$2.$(field stream "$line")"
    done < <(cat "$work/good" "$work/attack")
}

limits_ratio() { # PHASE-VALUE QUIET-VALUE
    awk -v value="$1" -v quiet="$2" 'BEGIN { if (quiet > 0) printf "%.2f", value / quiet; else print "-" }'
}

limits_good_row() { # SERVER PHASE
    local row=$1-$2 quiet=$1-quiet p50 p99
    p50=$(median "$row" good 5) p99=$(median "$row" good 6)
    set -- "$1" "$2" "$p50" "$p99" "$(median "$row" good 7)" "$(median "$row" good 4)" \
        "$(median "$row" good 1)" "$(limits_ratio "$p50" "$(median "$quiet" good 5)")" \
        "$(limits_ratio "$p99" "$(median "$quiet" good 6)")"
    if $json; then
        printf '{"server":"%s","phase":"%s","p50_us":%s,"p99_us":%s,"p999_us":%s,"lost":%s,"sent":%s,"p50_ratio":%s,"p99_ratio":%s}\n' "$@"
    else
        printf '  %-7s %-8s %9.0f %9.0f %10.0f %6d of %-7d %6s x %6s x\n' "$@"
    fi
}

limits_attack_row() { # SERVER PHASE STREAM
    local row=$1-$2 sent octets
    sent=$(median "$row" "$3" 1) octets=$(median "$row" "$3" 8)
    set -- "$1" "$2" "$3" "$(awk "BEGIN { print $sent / ($seconds + 0.5) }")" \
        "$(awk -v sent="$sent" -v lost="$(median "$row" "$3" 4)" 'BEGIN { printf "%.1f", 100 * (sent - lost) / sent }')" \
        "$(limits_ratio "$(median "$row" "$3" 9)" "$octets")"
    if $json; then
        printf '{"server":"%s","phase":"%s","stream":"%s","per_second":%.0f,"answered_percent":%s,"amplification":%s}\n' "$@"
    else
        printf '  %-7s %-8s %-8s %12.0f %12s %% %14s x\n' "$@"
    fi
}

limits_report() {
    local server phase
    print_line "$limits_good queries a second of 1,000 good clients, medians of $rounds rounds of $seconds s:"
    $json || printf '  %-7s %-8s %9s %9s %10s %17s %8s %8s\n' server phase 'p50 µs' 'p99 µs' 'p99.9 µs' lost p50 p99
    for server in "${limits_servers[@]}"; do
        for phase in "${limits_phases[@]}"; do limits_good_row "$server" "$phase"; done
    done
    print_line ""
    print_line "The others, $limits_flood queries a second each if the processor carries it:"
    $json || printf '  %-7s %-8s %-8s %12s %14s %16s\n' server phase who 'queries/s' answered 'octets out/in'
    for server in "${limits_servers[@]}"; do
        limits_attack_row "$server" dyno dyno
        limits_attack_row "$server" outside outside
        limits_attack_row "$server" both dyno
        limits_attack_row "$server" both outside
    done
}

limits_part() {
    local server phase round thread
    need dig taskset ss unshare ip
    enter_limits_network
    progress "writing $names names"
    write_spaces
    awk -v names="$names" 'BEGIN { srand(1); for (i = 0; i < 50000; i++)
        printf "app-%d.herokuapp.com\n", int(rand() * names / 4) }' > "$work/names"
    for server in "${limits_servers[@]}"; do
        port[$server]=$(free_port)
        echo "client_rate: 0" > "$work/$server.yaml"
        [ "$server" = usual ] || echo "client_rate: 200" > "$work/$server.yaml"
        start_spacednsd "$server" --settings "$work/$server.yaml" --upstream none
        wait_until_answering "$server" app-1.herokuapp.com
        pin "${pid[$server]}"
        for thread in "/proc/${pid[$server]}/task/"*; do
            chrt --fifo --pid 1 "${thread##*/}" 2>/dev/null || true
        done
    done
    for round in $(seq "$rounds"); do
        for server in "${limits_servers[@]}"; do
            for phase in "${limits_phases[@]}"; do
                progress "round $round of $rounds: $server, $phase"
                limits_phase "$server" "$phase"
            done
        done
    done
    progress ''
    limits_report
    for server in "${limits_servers[@]}"; do stop "$server"; done
}
