#!/bin/bash
# Two documents that claim one name, put there past push: the space that was created first has it, at a
# replica that saw one after the other, at one that starts from its disk and at one that has nothing.
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
. "$(dirname "$script")/registry.bash"
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}

start_etcd
found_registry
put_file z/test-space zones/test-space.yaml
put_file z/other-space tests/zones_good/other-space.yaml # created later, by name before it
replica_more="external_rate: 0
state_dir: $work/state"
mkdir -m 700 "$work/state"
replica seen
note_answers before

# The space created first claims what the other one has; that one stays served but for the name.
sed 's/^    domains:$/&\n      - {hostname: quiet.example.org, cname: loud-haiku-5196.also-random-3847.herokuspace.com}/' \
    zones/test-space.yaml >"$work/claims.yaml"
put_file z/test-space "$work/claims.yaml"
await_status '^registry_taken +! other-space \(E-DOM-TAKEN at [0-9]+\): quiet.example.org is currently in use by another app, frozen-oasis-70544 \(z/test-space:[0-9]+\); remove it from one of them; '
await_log ' warning space_taken space=other-space code=E-DOM-TAKEN '
await_log ' finding code=W-TAKEN place=z/other-space:'
await_metric 'spacedns_registry_kept_spaces{kind="taken"}' 1
await_metric 'spacedns_registry_kept_spaces{kind="kept"}' 0
await_answer quiet.example.org "10.0.0.37 10.0.16.21 loud-haiku-5196.also-random-3847.herokuspace.com."
expect "its clients have the rest" "10.1.0.40 10.1.16.41" \
    "$(addresses "$(ask -b 10.1.130.4 +short quiet-lake-4410.herokuapp.com)")"
expect_match "explain names the space that has it" 'test-space' "$(ctl explain --live quiet.example.org --from 10.0.130.56)"
note_answers claimed
stop
expect "exit code" 0 "$code"

replica disk
await_status '^registry_taken +! other-space '
expect_answers "from its disk" claimed
stop

replica_more='external_rate: 0'
replica_settings
replica nothing
await_status '^registry_taken +! other-space '
expect_answers "with nothing" claimed
put d/test-space/open-plain-1001/run '1 up 10.0.144.9\n'
put d/other-space/quiet-lake-4410/run '1 up 10.1.144.9\n'
await_answer run.open-plain-1001.app.localspace 10.0.144.9
await_status '^registry_taken +! other-space '
del d/test-space/open-plain-1001/run
del d/other-space/quiet-lake-4410/run
await_answer run.open-plain-1001.app.localspace ""
expect_answers "when dynos came and went" claimed

# Who pushes something else is told of it, and not refused.
expect_match "check --registry" '^z/other-space claims what another space has, and is left out here; replicas serve its space without that: E-DOM-TAKEN' \
    "$("$SPACEDNS" check --registry "$work/claims.yaml" --settings "$work/replica.yaml" --socket "$work/no-server" 2>&1)"

# It is given back, and the other space has it without being written again.
put_file z/test-space zones/test-space.yaml
await_log ' info space_accepted space=other-space '
await_metric 'spacedns_registry_kept_spaces{kind="taken"}' 0
expect_answers "given back" before

# An app whose name is another's is one of its space all the same: the page lists it, and goes on.
sed 's/^apps:$/&\n  - {name: open-plain-1001}/' tests/zones_good/other-space.yaml >"$work/app.yaml"
put_file z/other-space "$work/app.yaml"
await_status '^registry_taken +! other-space \(E-DUP at [0-9]+\): app open-plain-1001 is defined in z/test-space:[0-9]+ already'
expect_match "what comes after it is listed" '"name": ?"quiet-lake-4410"' \
    "$(curl -s --max-time 2 "http://127.0.0.1:$http/api/v1/apps?space=other-space&after=other-space%2Fopen-plain-1001")"
expect_match "it is found by its space" '"space": ?"other-space"' \
    "$(curl -s --max-time 2 "http://127.0.0.1:$http/api/v1/apps/open-plain-1001?space=other-space")"
stop
expect "exit code" 0 "$code"
finish
