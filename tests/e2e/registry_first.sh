#!/bin/bash
# A server that reads its zones from a registry: it answers them, says at which revision and how old
# that is, and is ready only once it has read them. A document with errors leaves its space as it was.
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/registry.bash"
app=frozen-oasis-70544.herokuapp.com
http_port=$(free_port)

metrics() {
    curl -s "http://127.0.0.1:$http_port/metrics"
}
ready() {
    curl -s "http://127.0.0.1:$http_port/readyz"
}

# ---- nothing there ----

start_etcd
replica_settings 'stale_after_s: 10'
launch_replica early --http-listen "127.0.0.1:$http_port"
await has_status '^registry +etcd ' || fail "status answers before the registry has anything" "$(ctl status; cat "$server_log")"
expect_match "without a registry every name is SERVFAIL" 'status: SERVFAIL' "$(ask $app)"
expect_match "and the reason is Q30" 'EDE: 14 .*Q30' "$(ask $app)"
expect_match "names of others are not forwarded either" 'status: SERVFAIL' "$(ask example.org)"
expect_match "it is not ready" 'the registry was not read yet' "$(ready)"
expect_no_match "nor does it say so" ' info ready ' "$(cat "$server_log")"

# ---- the first read ----

found_registry
put_file z/test-space zones/test-space.yaml
put d/test-space/calm-bay-11111/web '1 up 10.0.130.70'
await grep -q ' info ready ' "$server_log" || fail "it becomes ready" "$(cat "$server_log")"
await_answer $app "10.0.0.37 10.0.16.21"
now=$(revision)
await_status "^registry +etcd http://127\.0\.0\.1:[0-9]+ 3\.4\.[0-9]+ cell test revision $now age [0-9]+ s spaces 1$"
expect "the readiness is told" ready "$(ready)"
expect_match "the serial is the revision of what is answered" " $(sed -n "s/^generation *//p" <<<"$(ctl status)") 3600 600 86400 5\$" "$(ask +short $app SOA)"
whoami=$(ask +short _whoami.localspace TXT)
expect_match "_whoami has the revision" "\"revision=$now\"" "$whoami"
expect_match "and its age" '"age=[0-9]+"' "$whoami"
expect_match "explain has where it comes from" \
    "space test-space: document of revision [0-9]+, .*told [0-9]+ s ago by http://127\.0\.0\.1:" "$(ctl explain --live $app --from 10.0.130.56)"
expect_match "and so has _why" "space test-space: document of revision" "$(ask +short _why.$app TXT)"
status=$(ctl status --json)
expect_match "JSON has the registry" '"connected": true' "$status"
expect_match "and no folder" '"zones": null' "$status"
expect_match "a key of an app that no document has waits" '^registry_waiting +1 ' "$(ctl status)"
scraped=$(metrics)
expect_match "metrics have the revision" "^spacedns_registry_revision $now" "$scraped"
expect_match "and that it is followed" '^spacedns_registry_connected 1' "$scraped"
expect_match "and one full read" '^spacedns_registry_full_reads_total [1-9]' "$scraped"
expect_match "the log has the connection" ' info registry_connected ' "$(cat "$server_log")"

# ---- changes ----

put_file z/other-space tests/zones_good/other-space.yaml
await_status "^registry .* spaces 2$"
await_log ' info reload_done .* by=registry'
sed 's/10\.0\.16\.21/10.0.16.22/' zones/test-space.yaml >"$work/changed.yaml"
put_file z/test-space "$work/changed.yaml"
await_answer $app "10.0.0.37 10.0.16.22"

# ---- a document with errors ----

sed 's/^cidr:.*/cidr: 10.0.0.1\/16/' zones/test-space.yaml >"$work/bad.yaml"
put_file z/test-space "$work/bad.yaml"
await_status '^registry_kept +! test-space \(E-SPACE-CIDR at [0-9]+\): '
expect "the space is answered as it was" "10.0.0.37 10.0.16.22" "$(addresses "$(ask +short $app)")"
expect_match "the log has it" ' warning space_kept space=test-space code=E-SPACE-CIDR ' "$(cat "$server_log")"
expect_match "/readyz has it" 'space test-space is kept: E-SPACE-CIDR' "$(ready)"
expect_match "and a metric counts it" '^spacedns_registry_kept_spaces\{kind="kept"\} 1' "$(metrics)"
put_file z/unready-space "$work/bad.yaml"
await_status '^registry_unready +! unready-space '
put_file z/test-space zones/test-space.yaml
await_answer $app "10.0.0.37 10.0.16.21"
await_log ' info space_accepted space=test-space '
del z/unready-space
await_status "^registry .* spaces 2$"

# ---- an operator's reload ----

reload
expect_match "a reload ends" ' info reload_(done|unchanged) ' "$logged"
expect_match "by whom" 'command=SIGHUP' "$logged"

# ---- etcd goes and comes back ----

stop_etcd
await_status '^registry +! '
expect "nothing changes for clients" "10.0.0.37 10.0.16.21" "$(addresses "$(ask +short $app)")"
await_log ' warning registry_lost '
patience=30 await_status '^registry +! Q41 '
await_log ' warning registry_stale '
expect_match "explain has the note" 'Q41 Stale: no word from the registry' "$(ctl explain --live $app --from 10.0.130.56)"
expect_match "and _why" 'Q41 Stale: no word from the registry' "$(ask +short _why.$app TXT)"
expect_match "and _whoami" '"stale=Q41"' "$(ask +short _whoami.localspace TXT)"
expect_no_match "the answer has none" 'Q41' "$(ask $app)"
expect_match "the log has it once" '^1$' "$(grep -c ' warning registry_stale code=Q41 ' "$server_log")"
expect_match "/readyz has it" 'the registry has said nothing for [0-9]+ s' "$(ready)"
expect_match "and a metric says so" '^spacedns_registry_stale 1' "$(metrics)"
expect "it is answered all the same" "10.0.0.37 10.0.16.21" "$(addresses "$(ask +short $app)")"
start_etcd_again
put_file z/test-space "$work/changed.yaml"
await_answer $app "10.0.0.37 10.0.16.22"
await_log ' info registry_fresh '
stop
expect "it ends well" 0 "$code"

# ---- a service manager ----

stop_etcd
messages=$work/messages
/usr/bin/python3 tests/support/manager.py --log "$messages" --socket "$work/notify" -- "$SPACEDNSD" "${as_user[@]}" \
    --settings "$work/replica.yaml" --http-listen none --listen "127.0.0.1:$port" --control-socket "$socket" \
    >"$work/managed.out" 2>"$work/managed.err" &
manager=$!
children+=("$manager")
server_log=$work/managed.err
await [ -s "$messages.pid" ] || fail "the manager starts" "$(cat "$server_log")"
managed=$(cat "$messages.pid")
children+=("$managed")
await grep -q 'STATUS=Waiting for the registry' "$messages" || fail "the manager knows what it waits for" "$(cat "$messages")"
expect_match "it is asked for patience" 'EXTEND_TIMEOUT_USEC=' "$(cat "$messages")"
expect_no_match "and is not told that the server is ready" 'READY=1' "$(cat "$messages")"
start_etcd_again
await grep -q 'READY=1' "$messages" || fail "until it is" "$(cat "$messages")"
kill -TERM "$managed"
await is_gone "$manager" || fail "the managed server ends"

# ---- settings ----

refused() {
    launch refused "${@:3}"
    await is_gone "$server" || fail "$1" "it runs"
    wait "$server"
    expect "$1: exit code" 1 $?
    expect_match "$1" "$2" "$(cat "$server_log")"
}
replica_more="zones: $work" replica_settings
refused "a registry and a folder are refused" 'not from both' --settings "$work/replica.yaml"
replica_settings
expect_match "--check says that the registry is not asked" 'the registry, which is not asked' \
    "$("$SPACEDNSD" --check --settings "$work/replica.yaml")"
expect_match "--version has the library" '^registry: nghttp2 ' "$("$SPACEDNSD" --version)"
finish
