# Queries while zone files change: what is lost, how late answers come, and what memory becomes of a
# million apps whose files change one after the other, a hundred times a second; and what idle TCP
# connections take.

change_files=${CHANGE_FILES:-1000}
change_rate=100 # files a second
change_queries=50000 # a second
change_connections=10000

change_seconds() { if [ "$minutes" -gt 0 ]; then echo $((60 * minutes)); else echo 15; fi; }

change_estimate() { echo $((75 + 2 * $(change_seconds))); }

# The first space is asked at 127.0.0.1, and the others are there to be changed.
write_change_zones() {
    mkdir -p "$work/changing"
    awk -v files="$change_files" -v folder="$work/changing" 'BEGIN { for (f = 0; f < files; f++) {
        file = sprintf("%s/space-%04d.yaml", folder, f)
        printf "space: change-%d\nlisten: [127.%d.%d.%d]\nrouters: [10.0.0.37, 10.0.16.21]\napps:\n", f,
            (f > 0), f / 250, f % 250 + 1 > file
        for (a = 0; a < 1000; a++)
            printf "  - {name: app-%04d-%02d, internal_routing: true, formation: {web: {dynos: [{number: 1, private_ip: 10.0.%d.%d, state: up}, {number: 2, private_ip: 10.0.%d.%d}]}}}\n",
                f, a, 128 + 2 * a / 250, 1 + 2 * a % 250, 128 + (2 * a + 1) / 250, 1 + (2 * a + 1) % 250 > file
        close(file) } }'
    awk 'BEGIN { srand(1); for (i = 0; i < 100000; i++)
        printf "app-0000-%02d.herokuapp.com\n", int(rand() * 1000) }' > "$work/change-names"
}

start_changing() {
    port[changing]=$(free_port)
    cat > "$work/changing.conf" << CONF
tcp_connections: 20000
tcp_per_client: 20000
tcp_idle_ms: 600000
client_rate: 0
CONF
    "$SPACEDNSD" --user "$(id -un)" --http-listen none --settings "$work/changing.conf" --zones "$work/changing" \
        --listen "127.0.0.1:${port[changing]}" --workers 1 --local-as change-0 --upstream none \
        --control-socket "$work/changing.sock" > "$work/changing.log" 2>&1 &
    pid[changing]=$!
    wait_until_answering changing app-0000-01.herokuapp.com
    pin_worker "${pid[changing]}"
}

# The worker, which is the busiest thread but the first, stays on its processor; threads that read files
# may use both.
pin_worker() { # PID
    local worker thread
    attend taskset -c "$client_processor" "$tools/flood" -p "${port[changing]}" -f "$work/change-names" -s 1 > /dev/null
    worker=$(for thread in "/proc/$1/task/"*; do
        [ "${thread##*/}" = "$1" ] || echo "$(sed 's/.*) //' "$thread/stat" | awk '{ print $12 + $13 }') ${thread##*/}"
    done | sort -n | tail -1)
    taskset -apc "$server_processor,$client_processor" "$1" > /dev/null
    taskset -pc "$server_processor" "${worker#* }" > /dev/null
}

change_phase() { # PHASE
    attend "${first[@]}" taskset -c "$client_processor" "$tools/paced" -p "${port[changing]}" -g 1000 \
        -s "$(change_seconds)" "$1:$change_queries:$work/change-names" > "$work/change-$1" ||
        fail "the client failed: change, $1"
}

change_line() { # PHASE NOTE
    local line
    line=$(cat "$work/change-$1")
    awk -v json=$json -v phase="$1" -v sent="$(field sent "$line")" -v lost="$(field lost "$line")" \
        -v p99="$(field p99_us "$line")" -v p999="$(field p999_us "$line")" -v p9999="$(field p9999_us "$line")" \
        -v longest="$(field longest_us "$line")" -v mb="$2" 'BEGIN {
        if (json == "true")
            printf "{\"row\":\"change\",\"phase\":\"%s\",\"sent\":%d,\"lost\":%d,\"p99_us\":%s,\"p999_us\":%s,\"p9999_us\":%s,\"longest_us\":%s,\"resident_mb\":%s}\n", phase, sent, lost, p99, p999, p9999, longest, mb
        else
            printf "  %-9s %10d %7d %9.0f %9.0f %10.0f %10.0f %12s\n", phase, sent, lost, p99, p999, p9999, longest, mb }'
}

change_ratio() { # KEY
    per "$(field "$1" "$(cat "$work/change-changing")")" "$(field "$1" "$(cat "$work/change-quiet")")"
}

measure_changes() {
    local quiet_mb changing_mb reloads rewriter
    progress "asking while nothing changes"
    change_phase quiet
    quiet_mb=$(resident_mb changing)
    progress "asking while $change_rate files a second change"
    taskset -c "$client_processor" "$here/change.py" rewrite "$work/changing" "${pid[changing]}" "$change_rate" \
        "$(change_seconds)" > "$work/rewritten" &
    rewriter=$!
    change_phase changing
    wait "$rewriter" || fail "the files could not be changed"
    sleep 2
    changing_mb=$(resident_mb changing)
    reloads=$(grep -c ' info reload_done ' "$work/changing.log" || true)
    progress ''
    print_line ""
    print_line "$change_queries queries a second among $((change_files * 1000)) apps, $(change_seconds) s each (µs):"
    $json || printf '  %-9s %10s %7s %9s %9s %10s %10s %12s\n' files sent lost p99 p99.9 p99.99 longest 'resident MB'
    change_line quiet "$quiet_mb"
    change_line changing "$changing_mb"
    if $json; then
        printf '{"row":"change","changed_files":%d,"reloads":%d}\n' "$(cat "$work/rewritten")" "$reloads"
    else
        print_line "  $(cat "$work/rewritten") files changed, in $reloads reloads: what changes during one is in the next"
    fi
    budget "queries lost while files change" "$(field lost "$(cat "$work/change-changing")")" most 0 ""
    budget "p99.9 while files change, against quiet" "$(change_ratio p999_us)" most 2
    budget "p99.99 while files change, against quiet" "$(change_ratio p9999_us)" most 2
    budget "memory after the changes, against before" "$(per "$changing_mb" "$quiet_mb")" most 1.1
}

measure_idle() {
    local before after answered count=$change_connections most
    most=$(($(ulimit -Hn) - 500))
    [ "$count" -le "$most" ] || count=$most
    ulimit -Sn "$(ulimit -Hn)"
    progress "opening $count connections"
    before=$(resident_mb changing)
    mkfifo "$work/hold"
    "$here/change.py" idle "${port[changing]}" "$count" < "$work/hold" > "$work/idle" 2> "$work/idle.err" &
    pid[idle]=$!
    exec {hold}> "$work/hold"
    until [ -s "$work/idle" ]; do
        kill -0 "${pid[idle]}" 2>/dev/null || fail "connections cannot be opened: $(tail -1 "$work/idle.err")"
        sleep 0.2
    done
    after=$(resident_mb changing)
    answered=$(cat "$work/idle")
    exec {hold}>&-
    stop idle
    [ "$answered" = "$count" ] || note "only $answered of $count TCP connections were answered"
    budget "an idle TCP connection of $count, resident" \
        "$(awk -v a="$after" -v b="$before" -v n="$count" 'BEGIN { printf "%.2f", (a - b) * 1024 / n }')" most 2 KB
}

change_part() {
    need dig taskset ss python3
    progress "writing $((change_files * 1000)) apps"
    attend write_change_zones
    start_changing
    measure_changes
    measure_idle
    stop changing
}
