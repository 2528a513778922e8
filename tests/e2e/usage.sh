#!/bin/bash
# Who uses what, by what the server was asked: who-uses, last-asked, safe-to-stop and waste are exact,
# across a reload, an upgrade and a restart; a damaged file is begun anew.
# timeout: 120
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
spacedns=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
port=$(free_port)
live=(--socket "$work/control.sock")
oasis=frozen-oasis-70544
plain=10.0.132.9 # the dyno of open-plain-1001

start_upstream resolver --listen 198.51.100.53 <<'END'
db.example.org. 300 IN A 198.51.100.80
END
mkdir "$work/zones"
sed 's/^region:.*//; s/^data_cidr:/ttl: {dyno: 3}\n&/' zones/test-space.yaml >"$work/zones/test-space.yaml"
cat >"$work/settings.yaml" <<END
zones: $work/zones
listen: 0.0.0.0:$port
allow_public_listen: true
workers: 2
upstreams: [198.51.100.53]
state_dir: $work/state
control_socket: $work/control.sock
END

# times COUNT FROM NAME TYPE
times() {
    local i
    for ((i = 0; i < $1; i++)); do
        ask -b "$2" +short "$3" "$4" >/dev/null
    done
}

spacedns() {
    "$spacedns" "$@" "${live[@]}" 2>&1
}

# who: who has asked for the app, with the counts, sorted
who() {
    spacedns who-uses "$oasis" | sed -nE '2,$s/^(.*[^ ])  +([0-9]+) +([0-9]+) +([0-9]+) +([0-9]+) +([0-9]+)  .*/\1 \2 \3 \4 \5 \6/p' | sort
}

# printed EXPRESSION: of the JSON on standard input
printed() {
    /usr/bin/python3 -c "import json, sys; printed = json.load(sys.stdin); print($1)" 2>&1
}

start usage --settings "$work/settings.yaml"

# ---- nobody yet ----

expect_match "nobody has asked yet" "^$oasis has not been asked for since [-0-9T:]+Z, when counting began\$" "$(spacedns who-uses "$oasis")"
expect_match "nor for the domain" '^api\.example\.com has not been asked for since ' "$(spacedns last-asked api.example.com)"
expect_match "an app that does not exist" '^Error: no app nosuch-app is served' "$(spacedns who-uses nosuch-app)"
expect_match "a domain that nobody has" '^Error: no app has the domain nosuch\.example\.com' "$(spacedns last-asked nosuch.example.com)"
expect_match "a discovery name is counted with its app" '^Error: web\.frozen-oasis-70544\.app\.localspace is a discovery name, which is counted with its app; write spacedns last-asked APP$' \
    "$(spacedns last-asked web.$oasis.app.localspace)"
expect_match "no waste" '^No search list has wasted a query since [-0-9T:]+Z$' "$(spacedns waste)"

# ---- who uses whom ----

times 5 "$plain" "$oasis.herokuapp.com" A
times 2 "$plain" "$oasis.herokuapp.com" AAAA
times 3 10.0.144.9 api.example.com A
times 4 10.20.3.4 api.example.com A
times 2 172.16.9.9 x.apps.example.com A
times 3 203.0.113.9 api.example.com A
times 1 "$plain" 9.web.$oasis.app.localspace A
wanted="app open-plain-1001 8 5 2 0 1
outside 3 0 0 3 0
peering pcx-111aaa111 4 4 0 0 0
space test-space 3 3 0 0 0
vpn office 2 2 0 0 0"
expect "who uses the app" "$wanted" "$(who)"
expect "the same as JSON" "app=8 outside=3 peering=4 space=3 vpn=2 minutes=20 others=0 not_counted=0" \
    "$(spacedns who-uses --json -a "$oasis" | printed "*sorted(f'{w[\"kind\"]}={w[\"asked\"]}' for w in printed['who']), f'minutes={sum(printed[\"asked_by_minute\"])}', f'others={printed[\"others\"][\"asked\"]}', f'not_counted={printed[\"not_counted\"]}'")"
expect_match "the app was last asked by its own" "^$oasis was last asked for at [-0-9T:]+Z, [0-9]+ s ago, by app open-plain-1001\$" "$(spacedns last-asked "$oasis")"
expect_match "a domain" '^api\.example\.com was last asked for at .* by outside$' "$(spacedns last-asked api.example.com)"
expect_match "a wildcard" '^\*\.apps\.example\.com was last asked for at .* by vpn office$' "$(spacedns last-asked y.apps.example.com)"
expect_match "a domain that nobody asked" '^example\.net has not been asked for since ' "$(spacedns last-asked example.net)"
users=$("$spacedns" apps:destroy "$oasis" --zones "$work/zones" "${live[@]}" 2>&1)
expect_match "who would lose an app that is to go" '^  app open-plain-1001, 8 times, last at ' "$users"

mkdir "$work/next"
sed 's/{number: \([12]\), private_ip: \(10\.0\.130\.56\|10\.0\.151\.218\), state: up}/{number: \1, private_ip: \2, state: down}/' \
    "$work/zones/test-space.yaml" >"$work/next/test-space.yaml"
expect_match "a plan has how often the app is asked that loses its answers" \
    "^space test-space, app $oasis: 20 asked in the last minute\$" "$(spacedns plan "$work/next")"
expect "and as JSON" "[{'space': 'test-space', 'app': '$oasis', 'asked_last_minute': 20}]" \
    "$(spacedns plan "$work/next" --json | printed "printed['asked']")"

# ---- waste ----

times 2 "$plain" db.example.org.svc.cluster.local A
times 2 "$plain" db.example.org.cluster.local A
times 2 "$plain" db.example.org A
times 1 10.20.3.4 db.example.org.svc.cluster.local A # it never asks for the name itself
times 1 10.0.144.9 nosuch.example.org A
times 1 10.0.144.9 nosuch.example.org.corp.example A
wanted="app open-plain-1001 cluster.local 2 options ndots:1
app open-plain-1001 svc.cluster.local 2 options ndots:1
space test-space corp.example 1 search ."
waste() {
    spacedns waste | sed -nE '2,$s/  +/ /gp' | sed -E 's/ [-0-9T:]+Z / /' | sort
}
expect "what search lists waste" "$wanted" "$(waste)"

# ---- safe to stop ----

# safe DYNO...: leaves $out and $code
safe() {
    out=$("$spacedns" safe-to-stop "$@" "${live[@]}" 2>&1)
    code=$?
}
safe web.1 -a "$oasis"
expect_match "a dyno that is published is not safe" "^web\.1 \(10\.0\.130\.56\) of $oasis is published: take it out first \(spacedns ps:set web\.1=down -a $oasis\)" "$out"
expect "and has its exit code" 3 "$code"
safe web.1
expect "a dyno needs its app" 2 "$code"
safe wbe.1 -a "$oasis"
expect_match "a process type that the app does not have" '^Error: wbe\.1 is not known' "$out"
"$spacedns" ps:set web.1=down -a "$oasis" --zones "$work/zones" "${live[@]}" >"$work/set" 2>&1 || fail "ps:set" "$(cat "$work/set")"
safe web.1 -a "$oasis" --wait
expect_match "it is safe once what was answered before has expired" "^web\.1 .*: safe to stop\$" "$out"
expect "with exit code 0" 0 "$code"
"$spacedns" ps:set web.1=up -a "$oasis" --zones "$work/zones" "${live[@]}" >"$work/set" 2>&1 || fail "ps:set" "$(cat "$work/set")"
times 1 "$plain" web.$oasis.app.localspace A
"$spacedns" ps:set web.1=down -a "$oasis" --zones "$work/zones" "${live[@]}" >"$work/set" 2>&1 || fail "ps:set" "$(cat "$work/set")"
safe 10.0.130.56
expect_match "not while a client may hold its address" '^10\.0\.130\.56: safe in [1-4] s, clients may hold its address until ' "$out"
expect "with exit code 3" 3 "$code"
safe worker.1 -a "$oasis"
expect_match "a dyno of another process type" '^worker\.1 .* is published: .*\)$' "$out"
safe web.9 -a "$oasis"
expect "a dyno that nobody has declared is safe, and not as if it were one" \
    "0 web.9 of $oasis: safe to stop, as it is in no zone file, and clients hold no answer with it" "$code $out"
safe 10.0.130.65
expect "nor is an address" "0 10.0.130.65: safe to stop, as it is in no zone file, and clients hold no answer with it" "$code $out"
safe 10.0.131.7
expect "an address of a dyno that is down is one" "0 10.0.131.7: safe to stop" "$code $out"
expect "as JSON" "False False True" \
    "$("$spacedns" safe-to-stop web.1 -a "$oasis" --json "${live[@]}" | printed "printed['safe'], printed['published'], 1 <= printed['seconds'] <= 4" | tr -d '(),')"
safe web.1 -a "$oasis" --wait
expect "--wait ends once it is safe" "0 web.1 (10.0.130.56) of $oasis: safe to stop" "$code $out"

# ---- a static record with a dyno's address ----

sed -i 's/^\.\.\.$/records: [db.internal.example.com. 3 IN A 10.0.130.56]\n&/' "$work/zones/test-space.yaml"
spacedns reload >"$work/reload" || fail "the reload" "$(cat "$work/reload")"
ask -b 10.0.144.9 +short db.internal.example.com A >"$work/db"
expect "the record is answered with" 10.0.130.56 "$(cat "$work/db")"
safe web.1 -a "$oasis"
expect_match "a dyno in a static record is not safe, even if it is down" \
    "^web\.1 .*: its address is in the static records of db\.internal\.example\.com, space test-space: take it out of \`records\` there first; clients may hold its address for [1-4] s\$" "$out"
expect "with exit code 3" 3 "$code"
sed -i '/^records: /d' "$work/zones/test-space.yaml"
spacedns reload >"$work/reload" || fail "the reload" "$(cat "$work/reload")"
safe web.1 -a "$oasis"
expect_match "nor while a client may hold it" '^web\.1 .*: safe in [1-4] s, ' "$out"
safe 10.0.130.56
expect_match "by its address, too" '^10\.0\.130\.56: safe in [1-4] s, ' "$out"
safe 10.0.130.57
expect "another address is not in use" 0 "$code"
safe web.1 -a "$oasis" --wait
expect "then it is safe" "0 web.1 (10.0.130.56) of $oasis: safe to stop" "$code $out"

# ---- an upgrade and a restart ----

wanted="app open-plain-1001 9 6 2 0 1
outside 3 0 0 3 0
peering pcx-111aaa111 4 4 0 0 0
space test-space 3 3 0 0 0
vpn office 2 2 0 0 0"
expect "all is counted across reloads" "$wanted" "$(who)"
wasted=$(waste)
"$spacedns" upgrade "${live[@]}" >"$work/upgrade" 2>&1 || fail "the upgrade" "$(cat "$work/upgrade")"
await is_gone "$server"
server=$(sed -nE 's/.*done, pid=([0-9]+) .*/\1/p' "$work/upgrade")
children+=("$server")
is_added() {
    [ "$(who)" = "$wanted" ]
}
await is_added || fail "all is counted across an upgrade" "$(who)"
expect "and what was wasted" "$wasted" "$(waste)"
times 1 10.20.3.4 api.example.com A
wanted=${wanted/pcx-111aaa111 4 4/pcx-111aaa111 5 5}
expect "what is asked then is added" "$wanted" "$(who)"

kill -TERM "$server"
await is_gone "$server" || fail "the server ends"
start again --settings "$work/settings.yaml"
expect "all is counted across a restart" "$wanted" "$(who)"
expect "and what was wasted" "$wasted" "$(waste)"
expect_match "who was last" '^api\.example\.com was last asked for at .* by peering pcx-111aaa111$' "$(spacedns last-asked api.example.com)"
safe web.1 -a "$oasis"
expect "a dyno that was safe still is" "0 web.1 (10.0.130.56) of $oasis: safe to stop" "$code $out"

# ---- a crash ----

stop KILL
sed -i 's/^ttl: {dyno: 3}/ttl: {dyno: 1}/' "$work/zones/test-space.yaml"
start killed --settings "$work/settings.yaml"
safe web.1 -a "$oasis"
expect_match "after kill -9 nothing is safe at first, for the TTL of before" ': safe in [2-4] s, ' "$out"
sed -i 's/^ttl: {dyno: 1}/ttl: {dyno: 3}/' "$work/zones/test-space.yaml"

# ---- a file that is not as it was written ----

stop
printf x >>"$work/state/usage"
start damaged --settings "$work/settings.yaml"
expect_match "a damaged file is logged" ' warning usage_unread text="state_dir .*: usage is not what was written there; ' "$(cat "$server_log")"
expect "and begun anew" "" "$(who)"
safe web.1 -a "$oasis"
expect_match "what it handed out before is not known, so nothing is safe at first" ': safe in (29[0-9]|30[01]) s, ' "$out"
times 1 "$plain" api.example.com A
stop
expect "the server ends well" 0 "$code"
start third --settings "$work/settings.yaml"
expect "the new file is read" "app open-plain-1001 1 1 0 0 0" "$(who)"
stop

# ---- a file that cannot be written ----

rm "$work/state/usage"
mkdir "$work/state/usage" # no file can be renamed to it
start unwritten --settings "$work/settings.yaml"
await grep -q ' warning usage_failed text="state_dir .*: usage cannot be written: ' "$server_log" ||
    fail "a file that cannot be written is logged" "$(cat "$server_log")"
times 1 "$plain" api.example.com A
expect "and it is counted all the same" "app open-plain-1001 1 1 0 0 0" "$(who)"
stop
expect "the server ends well" 0 "$code"
finish
