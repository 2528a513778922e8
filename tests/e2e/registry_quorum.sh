#!/bin/bash
# Two of three members are killed: answers go on as they were, status says that there is no word from
# the registry, a restart serves from disk, and all goes on once there is a leader again.
# busy: three members
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
. "$(dirname "$script")/registry.bash"

seconds=${OUTAGE_SECONDS:-4}
start_etcd 3
fill_registry
replica_settings 'stale_after_s: 10'
cat >>"$work/replica.yaml" <<END
external_rate: 0
state_dir: $work/state
END
replica first
beat
put d/test-space/sleepy-river-2739/web '1 up 10.0.131.7\n'
await_answer sleepy-river-2739.herokuapp.com "10.0.0.37 10.0.16.21"
await_metric spacedns_registry_connected 1
note_answers before

stop_etcd_member 1
stop_etcd_member 2
await_metric spacedns_registry_connected 0
await_status '^registry +! the registry'
await_log ' warning registry_lost '
end=$(($(now_ms) + seconds * 1000))
while [ "$(now_ms)" -lt "$end" ]; do
    expect_answers "without a leader" before
    sleep 0.3
done
await_ready code=200

stop
replica second
expect_answers "started again from disk" before
await_metric spacedns_registry_connected 0
await_status '^registry +! the registry'

launch_etcd_member 1
await is_etcd_up 3 || fail "two of three are enough"
put d/test-space/sleepy-river-2739/web '1 crashed 10.0.131.7\n'
await_answer sleepy-river-2739.herokuapp.com ""
await_metric spacedns_registry_connected 1
put d/test-space/sleepy-river-2739/web '1 up 10.0.131.7\n'
await_answer sleepy-river-2739.herokuapp.com "10.0.0.37 10.0.16.21"
expect_answers "after all" before
stop
expect "exit code" 0 "$code"
finish
