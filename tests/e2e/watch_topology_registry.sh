#!/bin/bash
# spacedns watch-topology with a registry: the space's document is changed there, and replicas follow.
# timeout: 120
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/registry.bash"
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}

start_etcd
replica_settings
operator() {
    "$SPACEDNS" "$@" --settings "$work/replica.yaml" >"$work/operator.out" 2>&1 ||
        fail "spacedns $1" "$(cat "$work/operator.out")"
}
operator registry:init
operator push zones
replica first
await_answer frozen-oasis-70544.herokuapp.com "10.0.0.37 10.0.16.21"

topology=$work/topology.json
watch() {
    "$SPACEDNS" watch-topology "$topology" --once --space test-space --settings "$work/replica.yaml" "$@" \
        >"$work/watch.out" 2>&1
    code=$?
}

"$SPACEDNS" spaces:topology --json --space test-space --zones zones >"$topology"
watch
expect "the first topology: exit code" 0 "$code"
expect_match "the first topology" 'test-space: 1 dyno gone, 3 other changes' "$(cat "$work/watch.out")"
expect_match "config has what was done" '^what: watch-topology ' "$(get config)"
expect_no_match "no name is released" '^release:' "$(get config)"
at=$(revision)
watch
expect "the same again: exit code" 0 "$code"
expect "the same again writes nothing" "$at" "$(revision)"
sed -i 's/10\.0\.130\.56/10.0.130.57/g' "$topology"
watch
expect_match "a dyno moves" 'frozen-oasis-70544: web.1 has the address 10.0.130.57' "$(cat "$work/watch.out")"
await_answer web.frozen-oasis-70544.app.localspace "10.0.130.57 10.0.151.218"
operator ps:set web.1=crashed --app frozen-oasis-70544
await_answer web.frozen-oasis-70544.app.localspace "10.0.151.218"
watch
expect_match "what was set by hand" 'frozen-oasis-70544: web.1 is up' "$(cat "$work/watch.out")"
await_answer web.frozen-oasis-70544.app.localspace "10.0.130.57 10.0.151.218"
kept=$(get z/test-space)
echo '{"version": 1, "apps": []}' >"$topology"
watch
expect "no apps: exit code" 1 "$code"
expect_match "no apps" 'refused: the topology lacks 2 of the 2 internal apps' "$(cat "$work/watch.out")"
expect "no apps: the document stays" "$kept" "$(get z/test-space)"
stop_etcd
watch
expect "without etcd: exit code" 1 "$code"
expect_match "without etcd" 'refused: .*etcd' "$(cat "$work/watch.out")"
expect "without etcd the replica answers" "10.0.130.57 10.0.151.218" \
    "$(addresses "$(ask +short web.frozen-oasis-70544.app.localspace A)")"
finish
