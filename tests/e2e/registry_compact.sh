#!/bin/bash
# History that a replica has not seen is compacted away: what was deleted meanwhile is not answered any
# more. Debian's etcd passes over a delete in silence when a watch begins at the very revision that it
# was compacted to, be it missed or known.
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
. "$(dirname "$script")/registry.bash"

start_etcd
fill_registry
replica_more='external_rate: 0'
replica first
note_answers before

# while_away COMMAND...: the replica sees nothing of it
while_away() {
    stop_etcd_member 1
    await grep -qE ' registry_lost ' "$server_log" || fail "the connection is lost"
    kill -STOP "$server"
    start_etcd_member 1
    "$@"
    kill -CONT "$server"
}
# read_now: it need not wait for its time to read everything
read_now() {
    await grep -qE ' registry_reset ' "$server_log" || fail "it reads everything again" "$(tail -n 5 "$server_log")"
    ctl reload >/dev/null
}

# ---- a delete that was compacted ----

put d/test-space/sleepy-river-2739/web '1 up 10.0.131.7\n'
put d/test-space/open-plain-1001/run '1 up 10.0.144.9\n'
await_answer run.open-plain-1001.app.localspace 10.0.144.9
await_answer sleepy-river-2739.herokuapp.com "10.0.0.37 10.0.16.21"
lose_delete() {
    del d/test-space/sleepy-river-2739/web
    etcd_compact
}
while_away lose_delete
read_now
await_answer sleepy-river-2739.herokuapp.com ""
await_answer run.open-plain-1001.app.localspace 10.0.144.9
del d/test-space/open-plain-1001/run
await_answer run.open-plain-1001.app.localspace ""
expect_answers "a lost delete" before

# ---- the delete that etcd does not report: it is the last change that is known ----

put d/test-space/open-plain-1001/run '1 up 10.0.144.9\n'
await_answer run.open-plain-1001.app.localspace 10.0.144.9
del d/test-space/open-plain-1001/run
await_answer run.open-plain-1001.app.localspace ""
etcd_compact
stop_etcd_member 1
start_etcd_member 1
patience=15 await_metric spacedns_registry_connected 0
put d/test-space/open-plain-1001/run '1 up 10.0.144.10\n'
ctl reload >/dev/null
await_answer run.open-plain-1001.app.localspace 10.0.144.10
del d/test-space/open-plain-1001/run
await_answer run.open-plain-1001.app.localspace ""

# ---- a long time away ----

resets=$(grep -c ' registry_reset ' "$server_log")
change_much() {
    local i
    put d/test-space/open-plain-1001/run '1 up 10.0.144.9\n'
    for ((i = 0; i < 5; i++)); do
        put d/test-space/sleepy-river-2739/web "$((i + 1)) up 10.0.131.$((i + 7))\n"
    done
    etcd_compact
    beat
}
while_away change_much
await eval '[ "$(grep -c " registry_reset " "$server_log")" -gt "$resets" ]' || fail "it reads everything again"
ctl reload >/dev/null
await_answer web.sleepy-river-2739.app.localspace 10.0.131.11
await_answer run.open-plain-1001.app.localspace 10.0.144.9

# ---- compacted while it follows: nothing is missed, nothing is read again ----

reads=$(metric spacedns_registry_full_reads_total)
for ((i = 0; i < 3; i++)); do
    put d/test-space/sleepy-river-2739/web "1 up 10.0.131.$((i + 20))\n"
    etcd_compact
    await_answer web.sleepy-river-2739.app.localspace "10.0.131.$((i + 20))"
done
expect "nothing is read again" "$reads" "$(metric spacedns_registry_full_reads_total)"
del d/test-space/ --prefix
await_answer sleepy-river-2739.herokuapp.com ""
await_answer run.open-plain-1001.app.localspace ""
expect_answers "after all" before
stop
expect "exit code" 0 "$code"
finish
