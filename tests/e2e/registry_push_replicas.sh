#!/bin/bash
# A push as its replicas take it: --wait, the canary channel, a pause, and what a guard holds until it
# is accepted.
# timeout: 180
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/registry.bash"
. "$(dirname "$0")/registry_operator.bash"

start_etcd
replica_settings
op registry init
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
op registry replicas
done_ok "registry replicas"
expect_match "the replica is listed" "^ *[^ ]+@127\.0\.0\.1:$port +[0-9]+ +[0-9]+ s .* stable" "$out"

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

op registry pause "a test"
done_ok "pause"
await_status 'paused'
sed -i 's/^routers: \[10\.0\.0\.38, /routers: [10.0.0.39, /' "$work/test-space.yaml"
op push "$work/test-space.yaml"
done_ok "a push while paused"
expect_match "it says that nobody takes it yet" '^The registry is paused by .*: a test; replicas take it after spacedns registry resume$' "$err"
op push "$work/test-space.yaml" --wait
expect "waiting while paused: exit code" 1 "$code"
expect_match "waiting while paused" 'end it with spacedns registry resume' "$err"
op ps:set web.1=down -a frozen-oasis-70544
await_answer frozen-oasis-70544.herokuapp.com ""
op ps:set web.1=up -a frozen-oasis-70544
await_answer frozen-oasis-70544.herokuapp.com "10.0.0.38 10.0.16.21"
op registry resume
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
op registry accept test-space
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
