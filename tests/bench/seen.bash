# What it costs to be seen: a worker's work for one query, with what is kept or sent of it.

seen_estimate() { echo 30; }

seen_part() {
    if ! command -v fstrm_capture > /dev/null; then
        note "the part seen is left out, because fstrm_capture is not installed (fstrm-bin)"
        return
    fi
    progress "measuring what it costs to be seen"
    attend "$tools/seen_cost" 2> /dev/null > "$work/seen" || fail "seen_cost failed"
    budget "what is kept of each query by default: CPU of a query, against nothing" \
        "$(field times "$(grep '"on"' "$work/seen")")" most 1.05
    if $json; then
        cat "$work/seen"
        return
    fi
    print_line "A worker's work for one query, without sockets (user and kernel, all threads):"
    sed 's/[{}"]//g; s/[a-z_]*://g' "$work/seen" |
        awk -F, '{ printf "  %-20s %8.1f ns   %.2f x\n", $1, $2, $3 }'
}
