# Counts of one answer that are the same in each run: instructions, data lines and allocations. Read
# by counts.sh, which holds them against expected.txt, and by inside.bash, which prints them.
#
# Callgrind counts the function counted_answer() or counted_batch() of a program, and leaves out the
# copies that stand for system calls. Each begins with empty caches (support/cold.h), and the
# simulated cache is larger than what it touches: a miss is a line.

tools=${tools:?the folder of the programs}
count_rows=(T1 T1-cname T1-cookie T2 T3 T4 outsider T9 T10 wildcard T11 T11-cname T11-none)
count_batch_rows=(local local-upstream hit)
count_answers=100 count_batches=64 count_batch_size=64
count_files=100 count_apps=1000 # of which the memory is counted

# count_calls PROGRAM ROW TIMES QUERIES: instructions of each query, and lines of all of one time
count_calls() {
    env -i PATH="$PATH" valgrind --tool=callgrind --callgrind-out-file=/dev/null --cache-sim=yes \
        --I1=32768,8,64 --D1=262144,16,64 --LL=8388608,16,64 --toggle-collect='counted_*' \
        --toggle-collect=__wrap_recvmmsg --toggle-collect=__wrap_sendmmsg "$1" "$2" "$3" 2>&1 |
        awk -v times="$3" -v queries="$4" '/Collected :/ {
            printf "%.0f %.0f\n", $4 / times / queries, ($8 + $9) / times; found = 1 } END { exit !found }'
}

# count_row ROW: prints lines "ROW instructions N", of a query, and "ROW lines N", of an answer or of
# a whole batch
count_row() {
    local counted
    if [[ " ${count_rows[*]} " == *" $1 "* ]]; then
        counted=$(count_calls "$tools/respond_cost" "$1" "$count_answers" 1)
    else
        counted=$(count_calls "$tools/serve_cost" "$1" "$count_batches" "$count_batch_size")
    fi || { echo "bench: callgrind cannot count $1" >&2; return 1; }
    printf '%s instructions %s\n%s lines %s\n' "$1" "${counted% *}" "$1" "${counted#* }"
}

# count_costs: from lines of JSON on stdin, "ROW allocations N" and "ROW ns N"
count_costs() {
    sed -nE 's/.*"row":"([^"]*)","ns":([0-9.]+),"allocations":([0-9.]+).*/\1 allocations \3\n\1 ns \2/p'
}

# count_memory: "app octets N"
count_memory() {
    "$tools/load_cost" "$count_files" "$count_apps" |
        sed -nE 's/.*"octets_per_app":([0-9.]+).*/app octets \1/p'
}

# count_all: all of them, on two processors if there are two
count_all() {
    # shellcheck disable=SC2016
    printf '%s\n' "${count_batch_rows[@]}" "${count_rows[@]}" |
        xargs -P "$(nproc)" -I ROW env tools="$tools" bash -c '. "$0"; count_row "$1"' \
        "${BASH_SOURCE[0]}" ROW &&
        "$tools/respond_cost" | count_costs && "$tools/serve_cost" | count_costs && count_memory
}
