# The same queries over a virtual cable: past the kernel's sockets (xdp, in the driver and before the
# kernel's own processing), over the sockets, and a bare echo server's. Needs root.
#
# Each server has the interface alone, so they are started in turn. A virtual cable has no zero copy, and
# what its kernel does for the client counts as the server's, too: a network card's figures are better.

cable_near=sdns-bench-near cable_far=sdns-bench-far

lay_cable() {
    trap 'cut_cable; stop_all' EXIT
    ip netns add "$cable_near" && ip netns add "$cable_far" &&
        ip link add near netns "$cable_near" type veth peer name far netns "$cable_far" ||
        fail "no network namespaces can be made here; start this as root"
    ip -n "$cable_near" address add 10.0.0.2/16 dev near
    ip -n "$cable_far" address add 10.0.130.56/16 dev far
    ip -n "$cable_near" link set near up
    ip -n "$cable_far" link set far up
}

cut_cable() {
    ip netns del "$cable_near" 2>/dev/null || true
    ip netns del "$cable_far" 2>/dev/null || true
}

# Names of the client's own space, 90 % of which exist.
write_cable_names() {
    awk -v names="$((names / 4))" 'BEGIN { srand(1); for (i = 0; i < 200000; i++) {
        n = int(rand() * names)
        if (i % 10 == 9) printf "none-%d.herokuapp.com\n", n
        else printf "app-%d.herokuapp.com\n", n } }' > "$work/names"
}

start_on_cable() { # NAME COMMAND...
    local name=$1
    shift
    nsenter --net="/run/netns/$cable_near" taskset -c "$server_processor" "$@" > "$work/$name.log" 2>&1 &
    pid[$name]=$!
}

start_cable_server() { # NAME
    local flags=()
    case $1 in
    echo)
        start_on_cable echo "$tools/echo" 53 10.0.0.2
        return
        ;;
    native) flags=(--xdp near) ;;
    generic) flags=(--settings "$work/generic.yaml") ;;
    esac
    start_on_cable "$1" "$SPACEDNSD" --user "$(id -un)" --http-listen none --zones "$work/zones" \
        --listen 10.0.0.2 --workers 1 --upstream none --log-queries none "${flags[@]}"
}

wait_for_cable() { # NAME
    local try
    for try in $(seq 300); do
        if nsenter --net="/run/netns/$cable_far" dig +tries=1 +time=1 +noedns @10.0.0.2 app-1.herokuapp.com 2>&1 |
            grep -q 'status: NOERROR'; then
            return
        fi
        kill -0 "${pid[$1]}" 2>/dev/null || fail "$1 ended: $(tail -3 "$work/$1.log")"
        sleep 0.1
    done
    fail "$1 does not answer: $(tail -3 "$work/$1.log")"
}

measure_cable() { # NAME
    local name=$1 before after out answers
    start_cable_server "$name"
    wait_for_cable "$name"
    case $name in
    native | generic) grep -q "xdp_used interface=near text=\"$name" "$work/$name.log" || fail "$(grep xdp_unused "$work/$name.log")" ;;
    esac
    before=$(ticks "${pid[$name]}")
    out=$(nsenter --net="/run/netns/$cable_far" taskset -c "$client_processor" "$tools/flood" -a 10.0.0.2 -p 53 -f "$work/names" -s "$seconds")
    after=$(ticks "${pid[$name]}")
    stop "$name"
    answers=$(field answers "$out")
    echo "$before $after $answers" "$seconds" "$(getconf CLK_TCK)" |
        awk '{ printf "%.0f %.4f %.4f\n", $5 / $6, ($3 - $1) * 1e6 / $7 / $5, ($4 - $2) * 1e6 / $7 / $5 }' \
            >> "$work/$name.cable"
}

xdp_estimate() { if [ "$(id -u)" = 0 ]; then echo $((15 + rounds * (seconds + 2) * 4)); else echo 0; fi; }

xdp_part() {
    local servers=(native generic sockets echo) name round
    if [ "$(id -u)" != 0 ]; then
        note "the part xdp is left out: only root may lay a virtual cable"
        return
    fi
    need dig ip nsenter taskset
    progress "writing $names names"
    write_spaces
    write_cable_names
    echo "xdp: [near]
xdp_mode: skb" > "$work/generic.yaml"
    lay_cable
    for round in $(seq "$rounds"); do
        for name in "${servers[@]}"; do
            progress "round $round of $rounds: $name"
            measure_cable "$name"
        done
    done
    progress ''
    report cable "UDP over a virtual cable, $names names (native, generic: xdp)" "${servers[@]}"
    cut_cable
}
