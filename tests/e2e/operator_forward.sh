#!/bin/bash
# What a running server explains about foreign names: which upstreams are
# asked and how they are, in each worker, what is kept and for how long.
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
spacedns=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
port=$(free_port)
live=(--socket "$work/control.sock")
dyno=10.0.130.56

upstream_records() {
    printf '*.example.org. 300 IN A 198.51.100.80\nbrief.example.org. 2 IN A 198.51.100.81\n'
}
start_upstream first --listen 198.51.100.53 < <(upstream_records)
first=$upstream
start_upstream corp --listen 192.168.7.53 < <(upstream_records)

# serve NAME WORKERS: a server with these upstreams
serve() {
    cat >"$work/$1.yaml" <<END
zones: zones
listen: 0.0.0.0:$port
allow_public_listen: true
workers: $2
upstreams: [198.51.100.53]
upstream_zones: {corp.example.org: [192.168.7.53]}
control_socket: $work/control.sock
END
    start "$1" --settings "$work/$1.yaml"
}

# explain NAME WORD...: the output of explain --live, in $out
explain() {
    out=$("$spacedns" explain "$1" --from "$dyno" --live "${live[@]}" "${@:2}" 2>&1)
}

# from_dyno DIG-ARGUMENT...
from_dyno() {
    ask -b "$dyno" "$@"
}

# why NAME: the strings of the _why record, a line each
why() {
    from_dyno +short "_why.$1" TXT | sed 's/^"//; s/"$//' | sed 's/" "/\n/g'
}

# ---- one worker: word for word what a client gets ----

serve alone 1
explain www.example.org
expect "never asked, not cached" "name=www.example.org type=A
client=$dyno class=space space=test-space because of 10.0.0.0/16 (zones/test-space.yaml:14)
zone=.
upstreams=198.51.100.53 untried
cached=no
verdict=forward to 198.51.100.53" "$out"
expect "as _why explains it" "$(why www.example.org)" "$out"

from_dyno +short www.example.org >"$work/answer"
explain www.example.org
expect_match "the upstream is up" '^upstreams=198\.51\.100\.53 up [0-9]+ms$' "$out"
expect_match "cached, with its time left" '^cached=fresh ttl=(300|29[0-9])$' "$out"
explain www.example.org --type AAAA
expect_match "another type is another question" '^cached=no$' "$out"
explain www.example.org --json
expect "--json has the same by worker" "[{'worker': 1, 'upstreams': ['198.51.100.53 up True'], 'cached': 'fresh'}] True 6" \
    "$(/usr/bin/python3 -c 'import json, sys
printed = json.load(sys.stdin)
ttl = printed["workers"][0].pop("ttl_seconds")
for worker in printed["workers"]:
    worker["upstreams"] = ["%s %s %s" % (each["upstream"], each["state"], each["rtt_ms"] >= 0)
                           for each in worker["upstreams"]]
print(printed["workers"], 290 <= ttl <= 300, len(printed["steps"]))' <<<"$out" 2>&1)"
explain www.corp.example.org
expect_match "a zone with upstreams of its own" '^upstreams=192\.168\.7\.53 untried$' "$out"
expect_match "and its name" '^zone=corp\.example\.org$' "$out"
explain api.example.com --json
expect "a name of ours has no workers" "False" \
    "$(/usr/bin/python3 -c 'import json, sys; print("workers" in json.load(sys.stdin))' <<<"$out")"
out=$("$spacedns" explain www.example.org --from "$dyno" --live "${live[@]}" --type 2>&1)
expect "half a command is refused: exit code" 2 "$?"
stop

# ---- two workers ----

serve two 2
# keep NAME: asks until it is cached, which both workers say
keep() {
    from_dyno +short "$1" >"$work/answer"
    explain "$1"
    [ "$(grep -o 'cached=[a-z]*' <<<"$out" | sort -u)" = cached=fresh ]
}
asked_once() {
    from_dyno +short www.example.org >"$work/answer"
    explain www.example.org
    grep -q 'cached=fresh' <<<"$out"
}
await asked_once || fail "some worker has it" "$out"
expect_match "the worker that has asked" '^workers=[12] upstreams=198\.51\.100\.53 up [0-9]+ms cached=fresh ttl=[0-9]+$' "$out"
expect_match "the one that has not" '^workers=[12] upstreams=198\.51\.100\.53 up cached=fresh ttl=[0-9]+$' "$out"
expect "the verdict stays the last line" "verdict=forward to 198.51.100.53" "$(tail -n 1 <<<"$out")"
status=$("$spacedns" status "${live[@]}" 2>&1)
expect_match "status: an upstream that is well" '^upstream +198\.51\.100\.53 up [0-9]+(-[0-9]+)?ms$' "$status"
expect_match "status: an unused one" '^upstream +192\.168\.7\.53 untried for corp\.example\.org$' "$status"
expect_match "status: the cache" '^cache +1 entries in [0-9]+ of [0-9]+ octets$' "$status"
expect_no_match "status: every worker reports" '^silent_workers' "$status"

await keep brief.example.org || fail "a name with a short time" "$out"
kill -KILL "$first"
wait "$first" 2>/dev/null
fails() {
    local each asking=()
    for each in {1..16}; do
        from_dyno +short +tries=1 "$RANDOM$each.example.org" >/dev/null &
        asking+=($!)
    done
    wait "${asking[@]}"
    explain www.example.org
    # Where workers differ, if only by a second of what is left, the zone's line has no state.
    [ "$(grep -oE 'upstreams=198\.51\.100\.53 [a-z]+' <<<"$out" | sort -u)" = "upstreams=198.51.100.53 failing" ]
}
await fails || fail "an upstream that was killed is failing in each worker" "$out"
expect_match "the cached answer is still shown" 'cached=fresh ttl=[0-9]+' "$out"
is_stale() {
    explain brief.example.org
    grep -q 'cached=stale age=[0-9]' <<<"$out"
}
await is_stale || fail "an expired answer is shown as stale" "$out"
status=$("$spacedns" status "${live[@]}" 2>&1)
expect_match "status: an upstream that fails" '^upstream +198\.51\.100\.53 failing$' "$status"
expect "status --json: its state in each worker" "['.'] [1, 2] failing failing" \
    "$("$spacedns" status --json "${live[@]}" | /usr/bin/python3 -c 'import json, sys
one, = [each for each in json.load(sys.stdin)["upstreams"] if each["upstream"] == "198.51.100.53"]
print(one["zones"], [each["worker"] for each in one["workers"]], *[each["state"] for each in one["workers"]])' 2>&1)"

# Many at once are each answered; the server ends while they ask.
for number in {1..12}; do
    "$spacedns" explain "$number.example.org" --from "$dyno" --live "${live[@]}" >"$work/many-$number" 2>&1 &
    many[number]=$!
done
wait "${many[@]}"
expect "a dozen at once" 12 "$(grep -l '^verdict=forward' "$work"/many-* | wc -l)"
for number in {1..12}; do
    "$spacedns" status "${live[@]}" >"$work/last-$number" 2>&1 &
    many[number]=$!
done
stop
expect "the server ends while it is asked" 0 "$code"
wait "${many[@]}"
expect "and every command is answered" 12 "$(grep -lE '^version|^Error: ' "$work"/last-* | wc -l)"
finish
