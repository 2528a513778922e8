#!/bin/bash
# A server that has once read its registry answers without etcd after a restart, whatever was torn on
# the disk and whenever it was killed; and an upgrade loses nothing.
# timeout: 180
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/registry.bash"
app=frozen-oasis-70544.herokuapp.com
worker=worker.frozen-oasis-70544.app.localspace
state=$work/state
flags=(--state-dir "$state")

# ---- a restart without etcd ----

start_etcd
found_registry
put_file z/test-space zones/test-space.yaml
put d/test-space/frozen-oasis-70544/worker '1 up 10.0.130.60\n2 starting 10.0.130.61'
mkdir "$work/open" && chmod 777 "$work/open"
replica unused --state-dir "$work/open"
expect_match "a state folder that is not used is logged" ' warning state_unused .*chmod go-w' "$(cat "$server_log")"
expect_match "and is in status" '^state +! .*chmod go-w' "$(ctl status)"
stop
replica first "${flags[@]}"
await_answer $worker 10.0.130.60
at=$(sed -n 's/^generation *//p' <<<"$(ctl status)")
stop
expect "it ends well" 0 "$code"
[ -s "$state/registry" ] && pass || fail "the state folder has the registry" "$(ls -l "$state")"
stop_etcd
replica second "${flags[@]}"
expect "the document is answered at once" "10.0.0.37 10.0.16.21" "$(addresses "$(ask +short $app)")"
expect "and so are the dynos of keys" 10.0.130.60 "$(addresses "$(ask +short $worker)")"
expect_match "at the revision of before" "^registry +etcd .* revision $at " "$(ctl status)"
expect_match "the serial as well" " $at " "$(ask +short $app SOA)"
expect_match "explain says that it is from before" 'from an earlier run' "$(ctl explain --live $app --from 10.0.130.56)"
stop KILL

# ---- what was missed meanwhile ----

start_etcd_again
put d/test-space/frozen-oasis-70544/worker '1 up 10.0.130.62'
replica third "${flags[@]}"
await_answer $worker 10.0.130.62
sed 's/10\.0\.16\.21/10.0.16.22/' zones/test-space.yaml >"$work/changed.yaml"
put_file z/test-space "$work/changed.yaml"
await_answer $app "10.0.0.37 10.0.16.22"

# ---- a key that goes while no server runs ----

stop
del d/test-space/frozen-oasis-70544/worker
replica fourth "${flags[@]}"
await_answer $worker 10.0.152.218

# ---- somebody writes past push what is fixed of a space ----

lacks_kept() {
    ! has_status '^registry_kept'
}
put f/test-space 'space cidr=10.0.0.0/16 data_cidr=172.29.0.0/20\n'
for start in running again once-more; do
    if [ $start != running ]; then
        stop
        stop_etcd
        replica "fixed-$start" "${flags[@]}"
    fi
    await_status '^registry_kept +! test-space \(E-IMMUTABLE at [0-9]+\): data_cidr of space test-space '
    expect "$start: the space is answered as it was" "10.0.0.37 10.0.16.22" "$(addresses "$(ask +short $app)")"
    [ $start = running ] || start_etcd_again
done
await_status '^registry +etcd .* spaces 1$'
del f/test-space
await lacks_kept || fail "it is kept no more" "$(ctl status)"

# ---- killed at any moment, while everything changes ----

touch "$work/writing"
(
    for ((i = 1; i <= 2000; i++)); do
        [ -e "$work/writing" ] || break
        put d/test-space/frozen-oasis-70544/worker "1 up 10.0.130.$((1 + i % 200))"
    done
) >/dev/null 2>&1 &
writer=$!
children+=("$writer")
for ((round = 1; round <= 8; round++)); do
    sleep "0.$((RANDOM % 9))$((RANDOM % 9))"
    stop KILL
    replica "round$round" "${flags[@]}"
    has_answer $app A "10.0.0.37 10.0.16.22" && pass || fail "round $round: answered at once" "$(ask $app)"
done
rm "$work/writing"
await is_gone "$writer" || fail "the writer ends"
put d/test-space/frozen-oasis-70544/worker '1 up 10.0.130.250'
await_answer $worker 10.0.130.250
stop KILL

# ---- a torn file ----

size=$(stat -c %s "$state/registry")
stop_etcd
for damage in 0 1 $((size / 2)) $((size - 1)); do
    cp -a "$state" "$work/torn"
    truncate -s "$damage" "$work/torn/registry"
    launch_replica "torn$damage" --state-dir "$work/torn"
    await has_status '^registry ' || fail "it starts with a file cut to $damage octets" "$(cat "$server_log")"
    expect_match "cut to $damage octets: told" 'registry_disk|state_decayed' "$(cat "$server_log")"
    answer=$(ask $app)
    expect_match "cut to $damage octets: nothing is denied" 'status: (SERVFAIL|NOERROR)' "$answer"
    stop KILL
    rm -rf "$work/torn"
done

# ---- another channel, without a registry ----

sed -i 's/^registry:.*/&\n  channel: canary/' "$work/replica.yaml"
cp -a "$state" "$work/other"
launch_replica channel --state-dir "$work/other"
await has_answer $app A "10.0.0.37 10.0.16.22" || fail "another channel: what is on disk is served" "$(cat "$server_log")"
await_status '^registry +! registry in the state folder is of another selection or channel'
await_log ' warning registry_disk .*another selection or channel'
stop KILL
sed -i '/^  channel: canary/d' "$work/replica.yaml"
cp -a "$state" "$work/flipped"
printf 'X' | dd of="$work/flipped/registry" bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
start_etcd_again
replica flipped --state-dir "$work/flipped"
await_answer $app "10.0.0.37 10.0.16.22"
await_answer $worker 10.0.130.250
stop

# ---- an upgrade ----

replica before "${flags[@]}"
await_answer $worker 10.0.130.250
before=$server
put d/test-space/frozen-oasis-70544/worker '1 up 10.0.130.251'
upgraded=$(ctl upgrade)
expect_match "an upgrade is done" 'done' "$upgraded"
await is_gone "$before" || fail "the server before ends"
await_answer $worker 10.0.130.251
put d/test-space/frozen-oasis-70544/worker '1 up 10.0.130.252'
await_answer $worker 10.0.130.252
put_file z/test-space zones/test-space.yaml
await_answer $app "10.0.0.37 10.0.16.21"
stop_etcd
upgraded=$(ctl upgrade)
expect_match "and one without etcd" 'done' "$upgraded"
expect "nothing is lost by it" 10.0.130.252 "$(addresses "$(ask +short $worker)")"
new=$(sed -n 's/^pid *//p' <<<"$(ctl status)")
kill -TERM "$new"
await is_gone "$new" || fail "the new server ends"
finish
