#!/bin/bash
# etcd's database is full: it takes no put any more. Answers go on, what is deleted is followed, and the
# cure of etcd's manual is all that is needed.
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
. "$(dirname "$script")/registry.bash"

etcd_settings=(--quota-backend-bytes 12000000)
start_etcd
fill_registry
replica_more='external_rate: 0'
replica first
web=d/test-space/sleepy-river-2739/web
put "$web" '1 up 10.0.131.7\n'
await_answer sleepy-river-2739.herokuapp.com "10.0.0.37 10.0.16.21"
note_answers before

head -c 1400000 /dev/zero | tr '\0' x >"$work/much"
is_full() {
    [[ "$(etcd_ctl put /other/much <"$work/much" 2>&1)" = *"database space exceeded"* ]]
}
await is_full || fail "etcd gets full"
expect_match "a put is refused" 'database space exceeded' "$(printf '1 crashed 10.0.131.7\n' | etcd_ctl put "$registry/$web" 2>&1)"
expect_answers "full" before
expect_match "a push says so" 'database space exceeded|NOSPACE|space' \
    "$("${SPACEDNS:-$BUILD_DIR/bin/spacedns}" registry:pause full --settings "$work/replica.yaml" --socket "$socket" 2>&1)"
del "$web"
await_answer sleepy-river-2739.herokuapp.com ""
await_metric spacedns_registry_connected 1
await_ready code=200
stop KILL
replica second
await_answer sleepy-river-2739.herokuapp.com ""
await_answer frozen-oasis-70544.herokuapp.com "10.0.0.37 10.0.16.21"

del /other/much
etcd_compact
etcd_ctl defrag >/dev/null
etcd_ctl alarm disarm >/dev/null
put "$web" '1 up 10.0.131.7\n'
await_answer sleepy-river-2739.herokuapp.com "10.0.0.37 10.0.16.21"
expect_answers "cured" before
stop
expect "exit code" 0 "$code"
finish
