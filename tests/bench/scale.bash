# What grows with the number of apps, and what must not: time to start, from zone files and from the
# compiled state, memory, and the instructions of an answer. In files of a thousand apps each.

scale_files=(1 100 1000)
! $large || scale_files+=(10000)
scale_answers=100

scale_estimate() { if $large; then echo 2400; else echo 330; fi; }

scale_instructions() { # FILES: of T1
    valgrind --tool=callgrind --callgrind-out-file=/dev/null --instr-atstart=no \
        --toggle-collect='counted_*' "$tools/load_cost" "$1" 1000 "$scale_answers" 2>&1 |
        awk -v answers="$scale_answers" '/Collected :/ && $4 > 0 { printf "%.0f", $4 / answers }'
}

scale_row() { # FILES: appends "FILES START COMPILED OCTETS RESIDENT RELOAD INSTRUCTIONS"
    local files=$1 line
    progress "loading $files,000 apps"
    attend "$tools/load_cost" "$files" 1000 > "$work/load" || fail "$files files cannot be loaded"
    line=$(cat "$work/load")
    progress "counting an answer's instructions among $files,000 apps"
    attend scale_instructions "$files" > "$work/instructions" || true
    echo "$files $(field start_s "$line") $(field compiled_start_s "$line") $(field octets_per_app "$line")" \
        "$(field resident_octets_per_app "$line") $(field reload_ms "$line") $(cat "$work/instructions")" >> "$work/scale"
}

scale_value() { # FILES COLUMN
    awk -v files="$1" -v c="$2" '$1 == files { print $c }' "$work/scale"
}

scale_part() {
    local files
    need valgrind
    for files in "${scale_files[@]}"; do scale_row "$files"; done
    progress "loading 10,000 spaces of 100 apps"
    attend "$tools/load_cost" 10000 100 > "$work/spaces" || fail "10,000 spaces cannot be loaded"
    attend "$tools/restate_cost" > "$work/restate" || fail "restate_cost failed"
    progress ''
    print_line ""
    print_line "Scale, two threads (octets of the snapshot, and resident):"
    $json || printf '  %9s %9s %11s %12s %12s %11s %16s\n' apps 'start s' 'compiled s' 'octets/app' 'resident' 'reload ms' 'instructions T1'
    awk -v json=$json '{
        if (json == "true")
            printf "{\"row\":\"scale\",\"apps\":%d,\"start_s\":%s,\"compiled_start_s\":%s,\"octets_per_app\":%s,\"resident_octets_per_app\":%s,\"reload_ms\":%s,\"instructions\":%s}\n", $1 * 1000, $2, $3, $4, $5, $6, $7 == "" ? "null" : $7
        else
            printf "  %9d %9s %11s %12s %12s %11s %16s\n", $1 * 1000, $2, $3, $4, $5, $6, $7 }' "$work/scale"
    budget "1 M apps: octets per app" "$(scale_value 1000 4)" most 160 ""
    budget "1 M apps: start from 1,000 files" "$(scale_value 1000 2)" most 4 s
    budget "1 M apps: start from the compiled state" "$(scale_value 1000 3)" most 0.5 s
    budget "1 M apps: reload of one file of 1,000" "$(scale_value 1000 6)" most 50 ms
    budget "1 M apps: instructions of T1, against 1,000 apps" "$(per "$(scale_value 1000 7)" "$(scale_value 1 7)")" most 1.03
    ! $large || budget "10 M apps: instructions of T1, against 1,000 apps" "$(per "$(scale_value 10000 7)" "$(scale_value 1 7)")" most 1.03
    budget "10,000 spaces of 100 apps: reload of one file" "$(field reload_ms "$(cat "$work/spaces")")" most 50 ms
    budget "10,000 spaces of 100 apps: restate of 50 dynos' spaces" \
        "$(sed -E 's/.*"touched_50":\{"restate_ms":([0-9.]+).*/\1/' "$work/restate")" most 0.5 ms
}
