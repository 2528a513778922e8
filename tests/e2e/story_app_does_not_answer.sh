#!/bin/bash
# The seed's story, with commands alone: an app does not answer. The operator finds it in the log, learns
# who asks for it and why each of them fails, mends what is to mend, and sees that it is well. Each step
# uses what the one before has printed.
# timeout: 120
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
port=$(free_port)
zones=$work/zones
mkdir "$zones"
cp zones/test-space.yaml "$zones/"
export SPACEDNS_SOCKET=$work/socket

# operator COMMAND ARGUMENT...: as the operator types it; leaves what it prints in $out, its exit code in $code
operator() {
    out=$("$SPACEDNS" "$@" 2>&1)
    code=$?
}

# resolve CLIENT NAME: the addresses that a program there gets
resolve() {
    addresses "$(ask -b "$1" +short "$2" A)"
}

start serve --zones "$zones" --listen "127.0.0.1:$port" --workers 2 --state-dir "$work/state" --control-socket "$SPACEDNS_SOCKET"
front=10.0.132.9 # a dyno of open-plain-1001, whose app calls sleepy.example.com
desk=172.16.9.9  # somebody behind the VPN
lab=192.168.7.7  # somebody behind the VPN that has failed

# ---- they call: sleepy.example.com does not answer ----

expect "the app gets no address" "" "$(resolve $front sleepy.example.com)"
expect "nor does the desk" "" "$(resolve $desk sleepy.example.com)"
expect "nor does the lab" "" "$(resolve $lab sleepy.example.com)"

# ---- what happened: the log ----

operator logs --failed
expect "the log: three failures" "0 3" "$code $(wc -l <<<"$out")"
app=$(grep -m 1 'host=sleepy.example.com' <<<"$out" | sed 's/.* app=\([^ ]*\) .*/\1/')
expect "it names the app" sleepy-river-2739 "$app"
operator logs -a "$app" --failed
expect "of the app: two" 2 "$(wc -l <<<"$out")"
expect_match "with the reason" ' at=error code=Q10 desc="App crashed" ' "$out"
outsider=$(grep -oP 'fwd="\K[^"]+' <<<"$("$SPACEDNS" logs --reason Q18)")
expect "the third is a client outside, of no app" "$lab" "$outsider"

# ---- whom it hurts ----

operator who-uses "$app"
expect_match "an app of the space" '^app open-plain-1001 +1 +0 +0 +0 +1 ' "$out"
expect_match "and the VPN" '^vpn office +1 +0 +0 +0 +1 ' "$out"

# ---- why, and what next: explain ----

operator explain sleepy.example.com --from "$front"
expect_match "explain: the fact" "^app=$app .* web_dynos=1 web_up=0 " "$out"
expect_match "explain: the remedy" '^remedy=every web dyno of the app has crashed: read its log, then restart or roll back$' "$out"
expect_match "explain: the verdict" '^verdict=NOERROR without data: Q10 app crashed' "$out"
operator whoami --from "$outsider"
expect_match "the client outside: which connection, and why not" "^$lab is in routable_cidrs of VPN branch of test-space .*, which is failed: its clients are inside once its status is active" "$out"

# ---- mend: the dyno is restarted, and the automation has set its state ----

operator ps -a "$app"
expect_match "ps: the dyno" 'web\.1.*crashed|crashed.*web\.1' "$out"
"$SPACEDNS" logs -a "$app" --tail -n 0 >"$work/tail" 2>&1 &
tail=$!
children+=("$tail")
operator ps:set web.1=up -a "$app" --no-reload
expect "ps:set" 0 "$code"
operator plan
expect_match "plan: whose answers come back" "^space test-space, app $app" "$out"
expect_match "plan: the domain" '^  \S sleepy\.example\.com .*no address, Q10 -> 10\.0\.0\.37 10\.0\.16\.21' "$out"
operator plan --traffic
expect_match "plan --traffic: who would notice" '^traffic since .*: 2 of [23] clients would have got something else' "$out"
operator reload
expect_match "reload" '^Reloading zones\.\.\. done, generation=2 ' "$out"

# ---- it is well ----

expect "the app gets the routers" "10.0.0.37 10.0.16.21" "$(resolve $front sleepy.example.com)"
expect "so does the desk" "10.0.0.37 10.0.16.21" "$(resolve $desk sleepy.example.com)"
is_well() {
    grep -q ' at=info host=sleepy.example.com .* answers=3 ' "$work/tail"
}
await is_well || fail "the log that was followed shows it, through the reload" "$(<"$work/tail")"
kill -INT "$tail"
wait "$tail"
operator logs -a "$app" --failed
expect "and no new failure" 2 "$(wc -l <<<"$out")"

# ---- the lab: its VPN comes back, too ----

operator spaces:vpn:set branch --status active --space test-space
expect "spaces:vpn:set" 0 "$code"
expect "the lab gets the routers" "10.0.0.37 10.0.16.21" "$(resolve $lab sleepy.example.com)"
operator last-asked sleepy.example.com
expect_match "last-asked: by the lab" '^sleepy\.example\.com was last asked for at .* by vpn branch$' "$out"
finish
