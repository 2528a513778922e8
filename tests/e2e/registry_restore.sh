#!/bin/bash
# etcd is restored from a backup: behind what the replica has, and past it on another history; then
# another registry takes its place. Nothing is taken over that the guard would not let pass, and the
# operator reads what happened.
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
. "$(dirname "$script")/registry.bash"

start_etcd
fill_registry
replica_more='external_rate: 0'
replica first
routers="10.0.0.37 10.0.16.21"
web=d/test-space/sleepy-river-2739/web
note_answers before

# read_now: it need not wait for its time to read everything
resets=0
has_reset() {
    [ "$(grep -cE ' registry_(reset|other) ' "$server_log")" -gt "$resets" ]
}
read_now() {
    await has_reset || fail "$1: it reads everything again" "$(tail -n 5 "$server_log")"
    resets=$(grep -cE ' registry_(reset|other) ' "$server_log")
    ctl reload >/dev/null
}

# ---- behind us ----

etcd_backup "$work/backup"
put "$web" '1 up 10.0.131.7\n'
put d/test-space/open-plain-1001/run '1 up 10.0.144.9\n'
beat
await_answer sleepy-river-2739.herokuapp.com "$routers"
await_answer run.open-plain-1001.app.localspace 10.0.144.9
etcd_restore "$work/backup"
read_now "restored behind us"
await_answer sleepy-river-2739.herokuapp.com ""
await_answer run.open-plain-1001.app.localspace ""
expect_answers "restored behind us" before
put "$web" '1 up 10.0.131.8\n'
await_answer sleepy-river-2739.herokuapp.com "$routers"
del "$web"
await_answer sleepy-river-2739.herokuapp.com ""

# ---- past us ----

etcd_backup "$work/backup"
put d/test-space/open-plain-1001/run '1 up 10.0.144.9\n' # of the history that is lost
await_answer run.open-plain-1001.app.localspace 10.0.144.9
stop_etcd_member 1
await_metric spacedns_registry_connected 0
kill -STOP "$server"
etcd_restore "$work/backup"
for ((i = 0; i < 6; i++)); do
    put "$web" "1 up 10.0.131.$((i + 7))\n"
done
beat
kill -CONT "$server"
read_now "restored, and past us"
await_answer web.sleepy-river-2739.app.localspace 10.0.131.12
await_answer run.open-plain-1001.app.localspace ""
del "$web"
await_answer sleepy-river-2739.herokuapp.com ""
expect_answers "restored, and past us" before

# ---- another registry ----

note_answers here
put meta 'format: 1\nid: 00000000-0000-4000-8000-000000000001\n'
await_log ' registry_other '
expect_answers "another id" here

forget_etcd
launch_etcd_member 1
await is_etcd_up 1 || fail "an empty etcd starts in its place"
await_status '^registry +! the registry'
expect_answers "an empty registry in its place" here
await_ready code=200
fill_registry
put "$web" '1 up 10.0.131.7\n'
ctl reload >/dev/null
await_answer sleepy-river-2739.herokuapp.com "$routers"
del "$web"
await_answer sleepy-river-2739.herokuapp.com ""
expect_answers "the registry made anew" before
stop
expect "exit code" 0 "$code"
finish
