#!/bin/bash
# Everything is gone at once, by mistake: documents, the whole cell, all dynos, dynos on leases that run
# out together, or the settings name a cell that is empty. Answers stay, the operator is told, and what
# was meant is let through: by force, by the keys' return, by spacedns registry:accept.
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
. "$(dirname "$script")/registry.bash"

start_etcd
fill_registry
write_mass_space "$work/mass-space.yaml" 40
put_file z/mass-space "$work/mass-space.yaml"
put_mass_dynos 1 40
replica_settings
cat >>"$work/replica.yaml" <<END
external_rate: 0
state_dir: $work/state
END
replica first
answer_files+=("$work/mass-space.yaml")
answer_clients+=(10.2.130.4)
mass_has() {
    [ "$(dig -b 10.2.130.4 @127.0.0.1 -p "$port" +tries=1 +short "quick-fox-$1.herokuapp.com")" = "$2" ]
}
await_mass() {
    await mass_has "$1" "$2" || fail "quick-fox-$1 becomes: $2" "$(tail -n 5 "$server_log")"
}
await_mass 40 10.2.0.40
note_answers before
registry_ctl() {
    "${SPACEDNS:-$BUILD_DIR/bin/spacedns}" "$@" --settings "$work/replica.yaml" --socket "$socket" 2>&1
}

# ---- documents ----

del z/ --prefix
await_metric 'spacedns_registry_held{kind="spaces"}' 3
await_status '^registry.*held'
await_log ' finding code=W-HELD place=z/test-space'
expect_answers "all documents are deleted" before
await_ready '^space test-space is held'
await_ready code=200
txn "put z/test-space $(as_value zones/test-space.yaml)" "put z/mass-space $(as_value "$work/mass-space.yaml")" \
    "put z/other-space $(as_value tests/zones_good/other-space.yaml)"
await_metric 'spacedns_registry_held{kind="spaces"}' 0
expect_answers "they are back" before

# ---- all dynos ----

# held_dynos WHAT: they are gone, and nothing changes
held_dynos() {
    await is_metric 'spacedns_registry_held{kind="apps"}' '[1-9][0-9]*' || fail "$1: dynos are held" "$(tail -n 5 "$server_log")"
    await_status '^registry.*held'
    expect_answers "$1" before
}
del d/ --prefix
held_dynos "all dynos are deleted"
await_log ' registry_holds '
lists_holding() {
    registry_ctl registry:replicas >"$work/listed"
    [ $? = 1 ] && grep -qE '! holds the dynos of 40 apps$' "$work/listed"
}
await lists_holding || fail "registry:replicas marks what is held" "$(cat "$work/listed")"
put_mass_dynos 1 40
await_metric 'spacedns_registry_held{kind="apps"}' 0
expect_answers "dynos are back" before

for ((i = 0; i < 2; i++)); do
    lease[i]=$(etcd_ctl lease grant 2 | awk '{print $2}')
    put_mass_dynos $((i * 15 + 1)) $((i * 15 + 15)) --lease="${lease[i]}"
done
sleep 0.1
expect_answers "dynos on leases" before
are_leases_over() {
    [ "$(etcd_ctl get "$registry/d/" --prefix --keys-only | grep -c /web)" = 10 ]
}
await are_leases_over || fail "leases run out"
held_dynos "leases run out together"
expect_match "accepted" '' "$(registry_ctl registry:accept)"
await_metric 'spacedns_registry_held{kind="apps"}' 0
await_mass 1 ""
await_mass 30 ""
await_mass 31 10.2.0.40
put_mass_dynos 1 40
await_mass 1 10.2.0.40
expect_answers "dynos are back" before

del_forced=("put force by: e2e\nwhy: test")
for ((i = 1; i <= 40; i++)); do
    del_forced+=("del d/mass-space/quick-fox-$i/web")
done
txn "${del_forced[@]}"
await_mass 1 ""
await_mass 40 ""
put_mass_dynos 1 40
await_mass 40 10.2.0.40
expect_answers "after a forced deletion" before

# ---- everything ----

del / --prefix
await_status '^registry +! .*has no key /spacedns/test/meta.*registry\.root'
await_log ' warning registry_other .*no key /spacedns/test/meta'
expect_answers "the whole registry is deleted" before
stop
replica second
await_status '^registry +! .*has no key /spacedns/test/meta'
expect_answers "started again from disk" before
fill_registry
put_file z/mass-space "$work/mass-space.yaml"
put_mass_dynos 1 40
ctl reload >/dev/null # and does not wait for its time to try again
await_metric spacedns_registry_connected 1
expect_answers "written again" before

# ---- a root that is empty: by a reload, and by a start ----

sed -i 's/^registry:/&\n  root: \/wrong/' "$work/replica.yaml"
ctl reload >/dev/null
expect_answers "a wrong root is for the next start" before
stop
replica wrong
await_status '^registry +! registry in the state folder is of /spacedns/test/, another root.*no key /wrong/test/meta.*registry\.root'
expect_answers "started with a wrong root" before
stop
sed -i '/^  root: /d' "$work/replica.yaml"

# ---- a cell that is empty ----

sed -i 's/^  cell: .*/  cell: tset/' "$work/replica.yaml"
launch_replica third
await_log ' warning registry_disk .*another cell'
is_not_ready() {
    ask frozen-oasis-70544.herokuapp.com | grep -q 'EDE: 14 .*Q30'
}
await is_not_ready || fail "a cell that is empty says nothing of what exists" "$(ask frozen-oasis-70544.herokuapp.com)"
await_status '^registry +! the registry has no key /spacedns/tset/meta'
await_log ' warning registry_read .*registry\.cell'
await_ready code=503
expect_no_match "it is not ready" ' info ready ' "$(cat "$server_log")"
stop
sed -i 's/^  cell: .*/  cell: test/' "$work/replica.yaml"
replica fourth
await_metric spacedns_registry_connected 1
expect_answers "the right cell again" before

# ---- a space that is to go ----

registry_ctl pull "$work/pulled" >/dev/null
txn "del z/other-space" "del f/other-space" "del d/other-space/ --prefix" "put config by: e2e\nwhat: removed" \
    "put force by: e2e\nwhy: it is to go"
other_is() {
    [ "$(dig -b 10.1.130.4 @127.0.0.1 -p "$port" +tries=1 quiet.example.org | sed -n 's/.*status: \([A-Z]*\),.*/\1/p')" = "$1" ]
}
await other_is REFUSED || fail "a space that is removed by force is gone" "$(tail -n 5 "$server_log")"
put z/mass-space 'space: mass-space\ncidr: 10.2.0.0/16\nrouters: [10.2.0.40]\n...\n'
await_metric 'spacedns_registry_held{kind="spaces"}' 1
mass_has 7 10.2.0.40 && pass || fail "apps of a document that is held are answered"
registry_ctl registry:accept mass-space >/dev/null
await_metric 'spacedns_registry_held{kind="spaces"}' 0
await_mass 7 ""
stop
expect "exit code" 0 "$code"
finish
