# What it costs to be seen: a worker's work for one query, with what is kept or sent of it.

seen_part() {
    need fstrm_capture
    "$tools/seen_cost" 2> /dev/null > "$work/seen"
    if $json; then
        cat "$work/seen"
        return
    fi
    print_line "A worker's work for one query, without sockets (user and kernel, all threads):"
    sed 's/[{}"]//g; s/[a-z_]*://g' "$work/seen" |
        awk -F, '{ printf "  %-20s %8.1f ns   %.2f x\n", $1, $2, $3 }'
}
