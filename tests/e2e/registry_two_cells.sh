#!/bin/bash
# Two cells of one etcd, and what happens when they are mixed up: neither sees the other's keys, and a
# replica that is started on the wrong one takes nothing away.
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
. "$(dirname "$script")/registry.bash"

start_etcd
registry_cell=eu
registry=$registry_root/eu
found_registry
put_file z/test-space zones/test-space.yaml
registry=$registry_root/eu2 # a name that begins as the other's
found_registry 00000000-0000-4000-8000-000000000002
put_file z/other-space tests/zones_good/other-space.yaml
registry=$registry_root/eu
routers="10.0.0.37 10.0.16.21"

settings_of() {
    registry_cell=$1
    replica_more="external_rate: 0
state_dir: $work/state-$2"
    replica_settings
}
settings_of eu eu
replica eu
eu_port=$port eu_server=$server
mv "$socket" "$work/eu.sock"
settings_of eu2 eu2
port=$(free_port) http=$(free_port) socket=$work/eu2.sock
start eu2 --settings "$work/replica.yaml" --listen "127.0.0.1:$port" --http-listen "127.0.0.1:$http" \
    --upstream none --local-as other-space --control-socket "$socket"
eu2_server=$server
expect "eu2 answers its own" "10.1.0.40 10.1.16.41" "$(addresses "$(ask +short quiet.example.org)")"
answer_files=(tests/zones_good/other-space.yaml)
note_answers eu2
answer_files=(zones/test-space.yaml)
port=$eu_port
await_answer frozen-oasis-70544.herokuapp.com "$routers"
note_answers eu
for name in eu eu2; do
    expect_no_match "$name has nothing of the other" \
        "$([ $name = eu ] && echo 'quiet-lake-4410" "space' || echo 'frozen-oasis-70544" "space')" "$(cat "$work/$name.answers")"
done

# A key of one is nothing to the other.
registry=$registry_root/eu2
put d/test-space/sleepy-river-2739/web '1 up 10.0.131.7\n'
put z/test-space "$(sed 's/10.0.0.37/10.0.0.38/g' zones/test-space.yaml | as_value /dev/stdin)"
registry=$registry_root/eu
put d/test-space/sleepy-river-2739/run '1 up 10.0.144.9\n'
await_answer run.sleepy-river-2739.app.localspace 10.0.144.9
expect "no dyno of the other cell" "" "$(ask +short sleepy-river-2739.herokuapp.com)"
del d/test-space/sleepy-river-2739/run
await_answer run.sleepy-river-2739.app.localspace ""
expect_answers "eu is as it was" eu
txn "del $registry_root/eu2/z/test-space" "del $registry_root/eu2/d/ --prefix" "put $registry_root/eu2/force by: e2e\nwhy: test"

# ---- the settings are mixed up: what was internal here is asked of nobody ----

kill -TERM "$eu_server" "$eu2_server"
await is_gone "$eu_server"
await is_gone "$eu2_server"
settings_of eu2 eu
replica_port=$eu_port
replica mixed
await_log ' warning registry_disk .*another cell'
expect_match "the names of the cell before are kept back" '^frozen-oasis-70544\.herokuapp\.com .* space=test-space' "$(ctl kept-back)"
stop
settings_of eu eu
replica right
await_metric spacedns_registry_connected 1
expect_answers "the right cell again" eu

# ---- the keys of one are written into the other ----

registry=$registry_root/eu
put z/other-space "$(sed 's/10\.1\./10.0./g' tests/zones_good/other-space.yaml | as_value /dev/stdin)" # the same addresses
await_log ' finding code=W-UNSERVED place=z/other-space.*E-SPACE-OVERLAP'
expect_answers "a space that is in its way" eu
del z/other-space
put meta 'format: 1\nid: 00000000-0000-4000-8000-000000000002\n'
await_log ' registry_other '
expect_answers "the other's id" eu
put meta 'format: 1\nid: 6f1d2f0e-7a55-4d0e-9c35-2a3c1f6f9b01\n'
put d/test-space/sleepy-river-2739/run '1 up 10.0.144.9\n'
ctl reload >/dev/null
await_answer run.sleepy-river-2739.app.localspace 10.0.144.9
stop
expect "exit code" 0 "$code"
finish
