# One answer in respond(), and one query in a whole UDP batch: what count.bash counts, and time.

inside_estimate() { echo 45; }

inside_part() {
    local what
    what="instructions, ns, allocations of a query; data lines of an answer, or of a batch of $count_batch_size"
    need valgrind
    progress "counting what an answer costs"
    attend count_all > "$work/inside" || fail "the counting failed"
    progress ''
    print_line "Inside: $what:"
    $json || printf '  %-16s %13s %9s %12s %8s\n' row instructions ns allocations lines
    sort -V "$work/inside" | awk -v json=$json '
        { value[$1, $2] = $3; if (!($1 in seen)) { seen[$1]; order[++rows] = $1 } }
        END {
            for (i = 1; i <= rows; i++) {
                row = order[i]
                if (row == "app")
                    printf json == "true" ? "{\"row\":\"app\",\"octets\":%s}\n" : "  an app has %s octets\n", value[row, "octets"]
                else
                    printf json == "true" ? "{\"row\":\"%s\",\"instructions\":%s,\"ns\":%s,\"allocations\":%s,\"lines\":%s}\n" : "  %-16s %13s %9s %12s %8s\n",
                        row, value[row, "instructions"], value[row, "ns"], value[row, "allocations"], value[row, "lines"]
            }
        }'
    budget "instructions of T1 in respond()" "$(inside_value T1 instructions)" most 600 ""
    budget "allocations of all these answers" "$(awk '$2 == "allocations" { sum += $3 } END { print sum + 0 }' "$work/inside")" most 0 ""
}

inside_value() { # ROW MEASURE
    awk -v row="$1" -v measure="$2" '$1 == row && $2 == measure { print $3 }' "$work/inside"
}
