#!/bin/bash
# The member that a replica is connected to stops without a word: another one is asked within 10
# seconds, nothing is lost, and its waking up changes nothing.
# busy: three members, a writer and a client
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
. "$(dirname "$script")/registry.bash"

start_etcd 3
fill_registry
replica_more='external_rate: 0'
replica first
note_answers before

# connected_member: the number of the member that the replica has a connection to
connected_member() {
    local n
    for ((n = 1; n <= etcd_count; n++)); do
        if ss -Htnp state established "dst 127.0.0.1 and dport = :${etcd_urls[n]##*:}" | grep -q "pid=$server,"; then
            echo "$n"
            return
        fi
    done
    return 1
}
member=$(connected_member) || fail "a member is connected to"
# Others lead, so that the writer goes on.
if [ "$(etcd_leader)" = "$member" ]; then
    other=$((member % 3 + 1))
    id=$(etcdctl --endpoints "${etcd_urls[other]}" endpoint status --write-out=fields | sed -n 's/^"MemberID" : //p')
    etcdctl --endpoints "${etcd_urls[member]}" move-leader "$(printf %x "$id")" >/dev/null || fail "another member leads"
fi

start_counter 13
sleep 1
stop_etcd_member "$member" STOP
end_counter "a member hangs" 10000
expect_match "it was that member" '[5-9][0-9][0-9][0-9]' "$(of_counter wait_ms)"
await_log ' warning registry_lost .*'
await_metric spacedns_registry_connected 1
[ "$(connected_member)" != "$member" ] && pass || fail "another member is connected to"
stop_etcd_member "$member" CONT
forget_counter
await_answer 1.left.open-plain-1001.app.localspace ""
expect_answers "after all" before
await_ready code=200
stop
expect "exit code" 0 "$code"
finish
