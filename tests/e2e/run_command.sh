#!/bin/bash
# cmd/dev run: builds, prints dig commands, serves zones/ on 127.0.0.1:5300, ends with Ctrl-C.
# serial: needs port 5300, and builds where the tests were built
# timeout: 400
. "$(dirname "$0")/lib.bash"
[ "$BUILD_DIR" -ef "$SOURCE_DIR/build/gcc" ] || skip "cmd/dev run serves build/gcc, not $BUILD_DIR"
enter_private_network || ! dig @127.0.0.1 -p 5300 +tries=1 +time=1 localspace >/dev/null 2>&1 ||
    skip "somebody serves port 5300"

patience=60

# A background command empties its log only once it runs: until then the one before would be read.
forget_log() {
    : >"$work/run.err"
    : >"$work/run.out"
}

is_ready() {
    grep -q '^Stop: Ctrl-C' "$work/run.out" || is_gone "$runner"
}

for signal in TERM INT; do
    forget_log
    # A shell starts background commands with SIGINT ignored; here Ctrl-C must work.
    /usr/bin/python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' cmd/dev run >"$work/run.out" 2>"$work/run.err" &
    runner=$!
    children+=("$runner")
    await is_ready
    if ! grep -q ' info ready listen=127.0.0.1:5300 ' "$work/run.err"; then
        fail "cmd/dev run serves" "$(tail -n 20 "$work/run.out" "$work/run.err")"
        finish
    fi
    mapfile -t digs < <(sed -n 's/^  dig /dig /p' "$work/run.out")
    [ ${#digs[@]} -ge 2 ] || fail "it prints dig commands" "$(cat "$work/run.out")"
    for command in "${digs[@]}"; do
        # shellcheck disable=SC2086
        reply=$($command +tries=1 +time=10 2>&1)
        expect_match "$command" 'status: NOERROR' "$reply"
    done
    # shellcheck disable=SC2086
    expect "the first printed dig gets the routers" "10.0.0.37 10.0.16.21" "$(addresses "$(${digs[0]} +short)")"
    mapfile -t asking < <(sed -n 's|^  build/gcc/bin/spacedns |build/gcc/bin/spacedns |p' "$work/run.out")
    [ ${#asking[@]} -ge 3 ] || fail "it prints commands of the operator" "$(cat "$work/run.out")"
    for command in "${asking[@]}"; do
        [[ $command != *" top "* ]] || command+=" --once" # there is no terminal
        # shellcheck disable=SC2086
        reply=$($command 2>&1)
        expect "$command: exit code" 0 $?
        [[ $command != *" status "* ]] || expect_match "it reaches this server" "^pid +$runner\$" "$reply"
        [[ $command != *" logs "* ]] || expect_match "failures that the digs were" ' code=Q10 .* host=sleepy-river-2739' "$reply"
    done
    logged=$(sed -n 's/.*: kill -HUP \([0-9]*\)$/\1/p' "$work/run.out")
    expect "it prints how to reload" "$runner" "$logged"
    numbers=(no one two three four five)
    expect_match "it counts the warnings of its start" \
        "^Stop: Ctrl-C\. The ${numbers[$(grep -c ' warning ' "$work/run.err")]} warnings above are intended" \
        "$(cat "$work/run.out")"
    kill -HUP "${logged:-$runner}"
    reloaded() {
        grep -q ' info reload_unchanged ' "$work/run.err"
    }
    await reloaded || fail "SIGHUP reaches the server"
    before=$(now_ms)
    kill -"$signal" "$runner"
    await is_gone "$runner" || fail "SIG$signal ends it"
    wait "$runner" 2>/dev/null
    expect "exit code on SIG$signal" 0 "$?"
    [ $(($(now_ms) - before)) -lt 5000 ] || fail "SIG$signal ends it quickly"
done

# Its terminal is closed: the server must not stay behind.
forget_log
mkfifo "$work/keys"
setsid script -qc "bash --norc -i" /dev/null <"$work/keys" >"$work/run.out" 2>&1 &
runner=$!
exec {keys}>"$work/keys"
echo "cmd/dev run" >&"$keys"
children+=("$runner")
await is_ready
server=$(sed -n 's/.*: kill -HUP \([0-9]*\).*/\1/p' "$work/run.out")
kill -KILL "$runner" # script holds the terminal, which goes with it
await is_gone "${server:-0}" || fail "a server whose terminal is closed ends" "$(ps -o pid,args -p "$server")"

# A second one prints why it cannot start.
forget_log
cmd/dev run >"$work/run.out" 2>"$work/run.err" &
runner=$!
children+=("$runner")
await is_ready
timeout 60 cmd/dev run >"$work/second.out" 2>"$work/second.err"
expect "a second cmd/dev run: exit code" 3 "$?"
expect_no_match "a second cmd/dev run does not say that it serves" '^Serving' "$(cat "$work/second.out")"
expect_match "a second cmd/dev run" 'cannot listen on 127\.0\.0\.1:5300 .*another program has this port' \
    "$(cat "$work/second.err")"
kill -TERM "$runner"
await is_gone "$runner"

cmd/dev rnu >"$work/wrong.out" 2>"$work/wrong.err"
expect "an unknown command: exit code" 2 "$?"
expect_match "an unknown command" "unknown command 'rnu'; did you mean 'run'\?" "$(cat "$work/wrong.err")"
finish
