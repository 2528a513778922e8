#!/bin/bash
# cmd/dev bench registry, short: replicas follow while members and replicas are killed, and are alike at the end.
# timeout: 300
# busy: etcd's members, replicas and the writer of their changes
. "$(dirname "$0")/lib.bash"
need etcd etcdctl ss
[ -x "$BUILD_DIR/bin/tests/tools/scheduler" ] || skip "there is no $BUILD_DIR/bin/tests/tools/scheduler"

# bench FLAG...: leaves $code and $out; ends with this script
bench() {
    tests/bench/registry "$@" >"$work/out" 2>"$work/err" &
    children+=("$!")
    wait "$!"
    code=$?
    out=$(cat "$work/out")
}

bench --replicas 3 --spaces 2 --apps 20 --seconds 8
expect "fan-out: exit code" 0 "$code"
expect_match "fan-out: latencies" '^put to answered, ms +p50 [0-9.]+ .* p99 [0-9.]+ .*\([1-9][0-9]* answers, 0 missing\)$' "$out"
expect_match "fan-out: CPU" '^CPU of a replica +[0-9.]+ %' "$out"
expect_match "fan-out: memory" '^memory of a replica +[1-9][0-9]* KB resident' "$out"
expect_match "fan-out: starts" '^start, s +a replica from its disk [0-9.]+, from etcd alone [0-9.]+; of the folder, compiled [0-9.]+, text [0-9.]+$' "$out"
[ "$code" = 0 ] || cat "$work/err"

bench --long --minutes 1 --replicas 4 --spaces 2 --apps 20
expect "the long run: exit code" 0 "$code"
expect_match "the long run: what was killed" '^replicas 4 \([1-9][0-9]* killed\), members 3 \([2-9] killed\)' "$out"
expect_match "the long run: all alike" '^all 4 replicas: serial [1-9][0-9]*, [1-9][0-9]* dynos, digest [0-9a-f]{16}, as etcd has them$' "$out"
[ "$code" = 0 ] || cat "$work/err"

bench --replicas many
expect "a bad number: exit code" 1 "$code"
expect_match "a bad number" "--replicas is a whole number from 1, not 'many'" "$(cat "$work/err")"
finish
