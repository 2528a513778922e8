# Names that are ours, beside NSD, Knot DNS and a bare echo server, and the cost of one answer inside.

# 90 % of the queries are for names that exist.
write_local_names() {
    awk -v names="$names" 'BEGIN { srand(1); for (i = 0; i < 200000; i++) {
        n = int(rand() * names)
        if (i % 10 == 9) printf "none-%d.herokuapp.com\n", n
        else printf "app-%d.herokuapp.com\n", n } }' > "$work/names"
}

start_knotd() { # NAME ZONE
    mkdir -p "$work/knot"
    cat > "$work/knot.conf" <<CONF
server:
    rundir: "$work/knot"
    listen: 127.0.0.1@${port[$1]}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: "$work/knot"
zone:
  - domain: $2
    storage: "$work"
    file: $2.zone
    zonefile-sync: -1
CONF
    knotd -c "$work/knot.conf" > "$work/$1.log" 2>&1 &
    pid[$1]=$!
}

start_echo() { # NAME
    "$tools/echo" "${port[$1]}" > "$work/$1.log" 2>&1 &
    pid[$1]=$!
}

report_inside() {
    local row
    print_line "Inside respond(), one answer:"
    "$tools/respond_cost" > "$work/inside"
    while read -r row; do
        progress "counting instructions of $row"
        grep "\"row\":\"$row\"" "$work/inside" |
            sed "s/}/,\"instructions\":$(count_row "$row" | awk 'NR == 1 { print $3 }')}/"
    done < <(sed 's/.*"row":"\([^"]*\)".*/\1/' "$work/inside") > "$work/inside.json"
    progress ''
    if $json; then
        cat "$work/inside.json"
        return
    fi
    printf '  %-16s %13s %8s %12s\n' row instructions ns allocations
    sed 's/[{}"]//g; s/[a-z_]*://g' "$work/inside.json" |
        awk -F, '{ printf "  %-16s %13d %8.1f %12g\n", $1, $5, $2, $3 }'
}

report_loading() {
    progress "loading a million apps from a thousand files"
    "$tools/load_cost" > "$work/loading"
    progress ''
    if $json; then
        cat "$work/loading"
        return
    fi
    print_line ""
    print_line "Loading, two threads:"
    sed 's/[{}"]//g' "$work/loading" | awk -F'[:,]' '{ for (i = 1; i < NF; i += 2) printf "  %-24s %12s\n", $i, $(i + 1) }'
}

report_memory() { # NAME...
    local name
    print_line ""
    print_line "Memory with $names names (MB, proportional):"
    for name in "$@"; do
        if $json; then
            printf '{"memory_mb":%s,"server":"%s"}\n' "$(memory_mb "${pid[$name]}")" "$name"
        else
            printf '  %-10s %12s\n' "$name" "$(memory_mb "${pid[$name]}")"
        fi
    done
}

local_part() {
    local servers=(spacednsd nsd knotd echo) name round
    need nsd knotd dig taskset ss valgrind
    report_inside
    report_loading
    progress "writing $names names"
    write_spaces
    write_zone herokuapp.com app 10
    write_local_names
    for name in "${servers[@]}"; do
        port[$name]=$(free_port)
        case $name in
        spacednsd) start_spacednsd spacednsd --upstream none ;;
        *) "start_$name" "$name" herokuapp.com ;;
        esac
        wait_until_answering "$name" app-1.herokuapp.com
        pin "${pid[$name]}"
    done
    for round in $(seq "$rounds"); do
        for name in "${servers[@]}"; do
            progress "round $round of $rounds: $name"
            measure "$name" udp "$work/names"
            [ "$name" = echo ] || measure "$name" tcp "$work/names" -t
        done
    done
    progress ''
    report udp "UDP, $names names" "${servers[@]}"
    report tcp "TCP, $names names" spacednsd nsd knotd
    report_memory spacednsd nsd knotd
    for name in "${servers[@]}"; do stop "$name"; done
}
