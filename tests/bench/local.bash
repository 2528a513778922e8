# Names that are ours over UDP, beside NSD, Knot DNS, BIND and a bare echo server.

local_servers=(spacednsd nsd knotd named echo)

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

start_local() { # NAME: as a server of herokuapp.com
    port[$1]=$(free_port)
    case $1 in
    spacednsd) start_spacednsd spacednsd --upstream none ;;
    echo) start_echo echo ;;
    named) start_named named 'recursion no;' 'zone "herokuapp.com" { type master; file "herokuapp.com.zone"; };' ;;
    *) "start_$1" "$1" herokuapp.com ;;
    esac
    wait_until_answering "$1" app-1.herokuapp.com
    pin "${pid[$1]}"
}

write_local() {
    progress "writing $names names"
    write_spaces
    write_zone herokuapp.com app 10
    write_local_names
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

local_estimate() { echo $((15 + rounds * seconds * 5)); }

local_part() {
    local servers name round
    need dig taskset ss
    note_left_out "${local_servers[@]}"
    mapfile -t servers < <(present "${local_servers[@]}")
    write_local
    for name in "${servers[@]}"; do start_local "$name"; done
    for round in $(seq "$rounds"); do
        for name in "${servers[@]}"; do
            progress "UDP, round $round of $rounds: $name"
            measure "$name" udp "$work/names"
        done
    done
    report udp "UDP, $names names" "${servers[@]}"
    mapfile -t servers < <(printf '%s\n' "${servers[@]}" | grep -vx echo)
    report_memory "${servers[@]}"
    budget "UDP, user CPU of an answer, against NSD" "$(user_against udp nsd)" most 0.15
    budget "UDP, user CPU of an answer, against Knot DNS" "$(user_against udp knotd)" most 0.15
    budget "UDP, answers per second, against NSD" "$(rate_against udp nsd)" least 1.25
    budget "UDP, answers per second, against Knot DNS" "$(rate_against udp knotd)" least 1.3
    budget "UDP, answers per second, against the echo server" "$(rate_against udp echo)" least 0.95
    for name in "${servers[@]}" echo; do stop "$name"; done
}
