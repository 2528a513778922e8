#!/bin/bash
# A push as its replicas take it: --wait, the canary channel, a pause, and what a guard holds until it
# is accepted.
# timeout: 180
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/registry.bash"
. "$(dirname "$0")/registry_operator.bash"

start_etcd
replica_settings
op registry:init
cp "$SOURCE_DIR/zones/test-space.yaml" "$work/test-space.yaml"
op push "$work/test-space.yaml"
done_ok "push before there is a replica"
replica first
await_answer frozen-oasis-70544.herokuapp.com "10.0.0.37 10.0.16.21"

# ---- --wait ----

sed -i 's/^routers: \[10\.0\.0\.37, /routers: [10.0.0.38, /' "$work/test-space.yaml"
op push "$work/test-space.yaml" --wait
done_ok "push --wait"
expect_match "it says whom it waits for" 'Waiting for the replicas\.\.\. done' "$err"
expect "and returns when it is answered" "10.0.0.38 10.0.16.21" \
    "$(ask +short frozen-oasis-70544.herokuapp.com | sort -V | tr '\n' ' ' | sed 's/ $//')"
op registry:replicas
done_ok "registry:replicas"
expect_match "the replica is listed" "^ *[^ ]+@127\.0\.0\.1:$port +[0-9]+ +[0-9]+ s .* stable +ok$" "$out"
expect_match "they are summed up" '^1 replica, which is well$' "$out"

# ---- replicas that are not well ----

# announce NAME AGE_S LINE...: as a replica would
announce() {
    local name=$1 at=$(($(now_ms) - $2 * 1000)) line text=
    shift 2
    for line; do
        text+="$line\n"
    done
    put "$registry_root-replicas/$registry_cell/$name" "at_ms: $at\nversion: 1\nformat: 1\nchannel: stable\n$text"
}
announce behind@ns7 1 "revision: 2"
announce holding@ns8 1 "revision: $(revision)" "held_apps: 3" "held: a-space" "kept: b-space E-CUT" \
    "kept: c-space E-CUT" "kept: d-space E-CUT"
announce silent@ns9 50 "revision: $(revision)"
op registry:replicas
expect "replicas that are not well: exit code" 1 "$code"
expect_match "one that is behind" '^ *behind@ns7 .* ! behind by [0-9]+ revisions since 20[0-9T:-]+Z$' "$out"
expect_match "one that holds and keeps" \
    '^ *holding@ns8 .* ! holds the dynos of 3 apps, holds a-space, keeps b-space \(E-CUT\), c-space \(E-CUT\) and 1 more$' "$out"
expect_match "one that is silent" '^ *silent@ns9 .* 5[0-9] s .* ! stale$' "$out"
expect_match "the sum" '^4 replicas, 1 is behind \(behind@ns7\), 1 is stale \(silent@ns9\), 1 holds deleted dynos .*: for the reason, see .*registry:accept SPACE; push their zone files without errors$' "$out"
op registry:replicas --json
expect "the same as JSON: exit code" 1 "$code"
expect "as JSON" "behind@ns7 False behind;holding@ns8 False holds-apps,holds-spaces,keeps-spaces 3 held:a-space,kept:b-space,kept:c-space,kept:d-space;silent@ns9 False stale" "$(
    python3 -c '
import json, sys
print(";".join(" ".join(filter(None, [r["name"], str(r["well"]), ",".join(r["faults"]), str(r["held_apps"] or ""),
    ",".join(k["kind"] + ":" + k["space"] for k in r["kept"])])) for r in json.load(sys.stdin) if "@ns" in r["name"]))' <<<"$out"
)"
for name in behind@ns7 holding@ns8 silent@ns9; do
    del "$registry_root-replicas/$registry_cell/$name"
done

# ---- the server's settings lead the command to the registry ----

ctl explain api.example.com --from 10.0.130.56 >"$work/explained"
expect_match "explain by the running server's registry" 'registry=/spacedns/test revision=' "$(cat "$work/explained")"

# ---- dynos ----

op ps:set web.1=down web.2=down -a frozen-oasis-70544
done_ok "ps:set"
await_answer frozen-oasis-70544.herokuapp.com ""
op ps:set web.1=up -a frozen-oasis-70544
await_answer frozen-oasis-70544.herokuapp.com "10.0.0.38 10.0.16.21"

# ---- pause ----

op registry:pause "a test"
done_ok "pause"
await_status 'paused'
sed -i 's/^routers: \[10\.0\.0\.38, /routers: [10.0.0.39, /' "$work/test-space.yaml"
op push "$work/test-space.yaml"
done_ok "a push while paused"
expect_match "it says that nobody takes it yet" '^The registry is paused by .*: a test; replicas take it after spacedns registry:resume$' "$err"
op push "$work/test-space.yaml" --wait
expect "waiting while paused: exit code" 1 "$code"
expect_match "waiting while paused" 'end it with spacedns registry:resume' "$err"
op ps:set web.1=down -a frozen-oasis-70544
await_answer frozen-oasis-70544.herokuapp.com ""
op ps:set web.1=up -a frozen-oasis-70544
await_answer frozen-oasis-70544.herokuapp.com "10.0.0.38 10.0.16.21"
op registry:resume
await_answer frozen-oasis-70544.herokuapp.com "10.0.0.39 10.0.16.21"

# ---- held until accepted ----

# Somebody goes past push: the guard of the replica holds what push would have refused.
sed -e '/name: sleepy-river/,+3d' -e 's/^routers: \[10\.0\.0\.39, /routers: [10.0.0.40, /' \
    "$work/test-space.yaml" >"$work/less.yaml"
op push "$work/less.yaml"
expect "push refuses it: exit code" 1 "$code"
expect_match "push refuses it" 'app sleepy-river-2739 of space test-space vanishes' "$err"
put_file z/test-space "$work/less.yaml"
await_status 'held|guard'
await_answer frozen-oasis-70544.herokuapp.com "10.0.0.39 10.0.16.21"
op registry:accept test-space
done_ok "accept"
await_answer frozen-oasis-70544.herokuapp.com "10.0.0.40 10.0.16.21"
op push "$work/test-space.yaml" --wait
done_ok "and back"
await_answer frozen-oasis-70544.herokuapp.com "10.0.0.39 10.0.16.21"

# ---- an app that goes on purpose ----

op apps:destroy sleepy-river-2739 --confirm sleepy-river-2739
done_ok "apps:destroy"
gone() { ! ctl kept-back | grep -q sleepy; }
await gone && pass || fail "a name that was let go is not kept back" "$(ctl kept-back)"
await_status 'revision '

finish
