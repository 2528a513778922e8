#!/bin/bash
# Three members, and the leader is killed again and again while a scheduler counts: every answer is a
# whole revision, none is older than the one before, no number is lost, and gaps are short.
# busy: three members, a writer and a client
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
. "$(dirname "$script")/registry.bash"

kills=${KILLS:-3}
start_etcd 3
fill_registry
replica_more='external_rate: 0'
replica first
note_answers before

# kill_leader: it is there again once another one leads
kill_leader() {
    local leader
    leader=$(etcd_leader) || fail "a member leads"
    stop_etcd_member "$leader"
    await etcd_leader >/dev/null || fail "another member leads"
    start_etcd_member "$leader"
}

start_counter $((kills * 4))
for ((i = 0; i < kills; i++)); do
    sleep 0.5
    kill_leader
done
end_counter "leaders are killed" 5000
forget_counter
beat
txn "put d/test-space/sleepy-river-2739/web 1 up 10.0.131.7\n"
await_answer sleepy-river-2739.herokuapp.com "10.0.0.37 10.0.16.21"
del d/test-space/sleepy-river-2739/web
await_answer sleepy-river-2739.herokuapp.com ""
expect_answers "after all" before
await_metric spacedns_registry_connected 1
await_ready code=200
stop
expect "exit code" 0 "$code"
finish
