#!/bin/bash
# apps:*, domains:*, spaces:* and ps:* on a registry: documents by a push, dynos by their own keys, and
# two schedulers at once never leave an app without what one of them wrote.
# timeout: 120
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/registry.bash"
. "$(dirname "$0")/registry_operator.bash"

start_etcd
replica_settings
op registry:init
op push "$SOURCE_DIR/zones/test-space.yaml"
done_ok "push"
app=frozen-oasis-70544
web=d/test-space/$app/web

# ---- dynos ----

document=$(get z/test-space)
op ps:add web -a "$app"
done_ok "ps:add"
expect_match "ps:add" "Adding web.3 \(10.0.[0-9.]+\) to $app... done, revision $(revision)" "$err"
expect "the key begins with the document's list" "1 up 10.0.130.56
2 up 10.0.151.218" "$(get "$web" | head -n 2)"
expect_match "and has the new one" '^3 up 10\.0\.' "$(get "$web")"
expect "the document is not touched" "$document" "$(get z/test-space)"
op ps -a "$app"
expect_match "ps shows the key's" '^web.3: up 10' "$out"
op ps:set web.2=crashed -a "$app"
done_ok "ps:set"
expect_match "ps:set" '^2 crashed 10.0.151.218$' "$(get "$web")"
op ps:remove web.3 -a "$app"
done_ok "ps:remove"
expect_no_match "ps:remove" '^3 ' "$(get "$web")"
op ps:set web.9=up -a "$app"
expect_match "a dyno that is not there" "app $app has no dyno web.9" "$err"
op ps:add web -a "$app" --ip 192.0.2.7
expect "an address outside: exit code" 1 "$code"
expect_match "an address outside" 'E-DYNO-IP' "$err"
op ps:scale web=4 worker=2 -a "$app"
done_ok "ps:scale"
expect "web has four" 4 "$(get "$web" | grep -c .)"
expect "worker has two, in the same revision" "$(etcd_ctl get "$registry/$web" --write-out=fields | sed -n 's/^"ModRevision" : //p')" \
    "$(etcd_ctl get "$registry/d/test-space/$app/worker" --write-out=fields | sed -n 's/^"ModRevision" : //p')"
op ps:scale -a "$app"
expect "ps:scale prints" "web=4 worker=2" "$out"
put "$web" '1 up 10.0.130.56 host=blue-7 rack=2\n2 up 10.0.151.218\n'
op ps:set web.1=starting -a "$app"
expect_match "words of other writers stay" '^1 starting 10.0.130.56 host=blue-7 rack=2$' "$(get "$web")"
op ps:scale web=0 -a "$app"
done_ok "to none"
expect "the key is there, and empty" "" "$(get "$web")"

# ---- two schedulers ----

# Each adds and removes for a while; after each step the app has what one of them wrote last.
put "$web" '1 up 10.0.130.56\n'
race() {
    local i end=$(($(now_ms) + 6000))
    for ((i = 0; $(now_ms) < end; i++)); do
        timeout 30 "$SPACEDNS" ps:scale "web=$((i % 3 + 2))" -a "$app" --settings "$work/replica.yaml" \
            --socket "$no_server" >/dev/null 2>>"$work/race-$1"
        echo "$?" >>"$work/codes-$1"
    done
}
race a &
racer=$!
empty=0
for i in $(seq 1 40); do
    # Another scheduler, by a transaction that compares what it has read.
    mod=$(etcd_ctl get "$registry/$web" --write-out=fields | sed -n 's/^"ModRevision" : //p')
    value=$(get "$web")
    printf 'mod("%s") = "%s"\n\nput "%s" "%s"\n\n\n' "$registry/$web" "$mod" "$registry/$web" \
        "$(printf '%s' "$value" | sed 's/ up / starting /; $!s/$/\\n/' | tr -d '\n')" | etcd_ctl txn >/dev/null
    [ -n "$(get "$web")" ] || empty=$((empty + 1))
done
wait "$racer"
expect "never an empty app" 0 "$empty"
expect "every scale found its way, or said so" "" "$(grep -v '^[01]$' "$work/codes-a")"
expect_match "most of them did" '^0$' "$(cat "$work/codes-a")"
expect "no dyno twice" "" "$(get "$web" | cut -d' ' -f1 | sort | uniq -d)"

# ---- documents ----

op apps:create calm-bay-7 --space test-space --internal-routing
done_ok "apps:create"
expect_match "it is in the document" 'calm-bay-7' "$(get z/test-space)"
expect_match "it is fixed" '^app calm-bay-7 internal_routing=true' "$(get f/test-space)"
expect_match "config says what" '^what: apps:create calm-bay-7' "$(get config)"
op domains:add new.example.org -a calm-bay-7
done_ok "domains:add"
put d/test-space/calm-bay-7/web '1 up 10.0.133.7\n'
op apps:rename calm-bay-7 calm-bay-8
done_ok "apps:rename"
expect "its dynos come along" "1 up 10.0.133.7" "$(get d/test-space/calm-bay-8/web)"
expect "and are nowhere else" "" "$(get d/test-space/calm-bay-7/web)"
op domains:remove new.example.org -a calm-bay-8
done_ok "domains:remove"
expect_match "its name is let go" '^release: new.example.org$' "$(get config)"
op apps:destroy calm-bay-8 --confirm calm-bay-8
done_ok "apps:destroy"
expect_no_match "it is not in the document" 'calm-bay-8' "$(get z/test-space)"
expect_no_match "nor fixed" 'calm-bay-8' "$(get f/test-space)"
expect "nor are its dynos there" "" "$(get d/test-space/calm-bay-8/web)"
expect_match "it was meant" '^why: apps:destroy calm-bay-8' "$(get force)"
op apps:create calm-bay-8 --space test-space
done_ok "an app made anew may differ"
expect_match "it does" '^app calm-bay-8 internal_routing=false' "$(get f/test-space)"

op spaces:create fresh-space --cidr 10.9.0.0/16
done_ok "spaces:create"
expect_match "its document" '^space: fresh-space$' "$(get z/fresh-space)"
expect_match "what is fixed of it" '^space cidr=10.9.0.0/16' "$(get f/fresh-space)"
remember
op spaces:create fresh-space --cidr 10.10.0.0/16
refused "a second one of that name" 'z/fresh-space exists already'
op spaces:create near-space --cidr 10.9.0.0/16
refused "a space of the same block" 'E-SPACE-OVERLAP'
put d/fresh-space/some-app/web '1 up 10.9.128.9\n'
op spaces:destroy fresh-space --confirm fresh-space
done_ok "spaces:destroy"
expect "nothing of it is left" "" "$(get z/fresh-space)$(get f/fresh-space)$(get d/fresh-space/some-app/web)"
op spaces
expect_no_match "spaces" 'fresh-space' "$out"

# Four that edit one document at once: each edit is there in the end.
pids=()
for i in 1 2 3 4; do
    timeout 60 "$SPACEDNS" apps:create "at-once-$i" --space test-space --settings "$work/replica.yaml" \
        --socket "$no_server" >"$work/out-$i" 2>"$work/err-$i" &
    pids[i]=$!
done
for i in 1 2 3 4; do
    wait "${pids[i]}"
    expect "apps:create $i of four at once" 0 $?
    expect_match "it is there" "at-once-$i" "$(get z/test-space)"
done

finish
