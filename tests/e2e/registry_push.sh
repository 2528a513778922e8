#!/bin/bash
# spacedns push, promote, pause and accept: what is written in one transaction, what is refused before
# it is, and that two pushes at once lose nothing.
# timeout: 180
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/registry.bash"
. "$(dirname "$0")/registry_operator.bash"

start_etcd
replica_settings
zones=$work/zones
mkdir "$zones"
cp "$SOURCE_DIR/zones/test-space.yaml" "$zones"

# ---- a registry that is not there ----

op push "$zones"
expect "a push into nothing: exit code" 1 "$code"
expect_match "a push into nothing" 'there is no registry at /spacedns/test/.*spacedns registry:init' "$err"
op registry:init
done_ok "registry:init"
expect_match "registry:init" 'Made the registry /spacedns/test at http://127.0.0.1:[0-9]+, id [0-9a-f]{8}-[0-9a-f]{4}-4' "$out"
expect_match "meta" '^format: 1$' "$(get meta)"
remember
op registry:init
refused "a second init" 'is there already'

# ---- the first push ----

op push "$zones" --dry-run
expect "a dry run: exit code" 0 "$code"
expect_match "a dry run" 'nothing was changed' "$err"
expect "a dry run writes nothing" "" "$(get z/test-space)"
op push "$zones"
done_ok "the first push"
expect_match "the plan comes first" '\+ api.example.com ' "$out"
expect_match "the revision is printed" "Pushing 1 space to the registry /spacedns/test at .*done, revision $(revision)$" "$err"
expect "the document is verbatim" "$(cat "$zones/test-space.yaml")" "$(get z/test-space)"
expect_match "what is fixed" '^app frozen-oasis-70544 internal_routing=true id=-$' "$(get f/test-space)"
expect_match "who pushed" '^by: .+@.+$' "$(get config)"
expect_match "what was pushed" '^what: push test-space$' "$(get config)"
remember
op push "$zones"
done_ok "the same again"
expect_match "the same again" 'Nothing to do' "$err"
expect "the same again writes nothing" "$before" "$(revision)"

# ---- a registry is read as a folder is ----

op apps --space test-space
expect_match "apps" '^frozen-oasis-70544 \[internal\]$' "$out"
op explain api.example.com --from 10.0.130.56
expect_match "explain" '^host=api.example.com kind=custom domain \(z/test-space:[0-9]+\)$' "$out"
expect_match "explain names the registry" 'registry=/spacedns/test revision=[0-9]+' "$err"
op check
expect "check of the registry: exit code" 0 "$code"
expect_match "check of the registry" '1 file, 1 space, 3 apps' "$out"
op prove
done_ok "prove"
op check "$zones"
expect "check of a folder does not ask the registry" 0 "$code"

# ---- what is refused ----

remember
sed 's/internal_routing: true/internal_routing: false/' "$zones/test-space.yaml" >"$work/fixed.yaml"
op push "$work/fixed.yaml"
refused "R9" 'E-IMMUTABLE|router|internal_routing'
expect_match "R9 names the rule" 'E-IMMUTABLE' "$err"
a_space other-space 10.7.0.0/16 calm-bay-1 | sed 's/^    formation/    domains: [{hostname: api.example.com, cname: a-1.b-2.herokuspace.com}]\n&/' >"$work/taken.yaml"
op push "$work/taken.yaml"
refused "a domain of another space" 'E-DOM-TAKEN'
op check --registry "$work/taken.yaml"
expect "check --registry: exit code" 1 "$code"
expect_match "check --registry" 'E-DOM-TAKEN' "$out"
op check "$work/taken.yaml" --zones "$work"
a_space other-space 10.7.0.0/16 calm-bay-1 >"$work/other.yaml"
op check --registry "$work/other.yaml"
expect "check --registry of a good one: exit code" 0 "$code"
expect_match "check --registry says R" "1 document beside those of revision $before: 0 errors" "$out"
printf 'space: x\n  broken' >"$work/broken.yaml"
op push "$work/broken.yaml"
refused "a file with errors" 'broken.yaml'
op push "$work/other.yaml" "$work/other.yaml"
refused "one space twice" 'both of the space other-space'
op push "$work/other.yaml" --force ' '
expect "a reason without words: exit code" 2 "$code"

op plan "$work/other.yaml"
done_ok "plan"
expect_match "plan" '\+ calm-bay-1.herokuapp.com ' "$out"
expect_match "plan says R" "compared with revision $before of the registry" "$err"
expect "plan writes nothing" "$before" "$(revision)"

# ---- ten apps ----

many() {
    printf 'space: many\ncidr: 10.8.0.0/16\ndyno_cidrs: [10.8.128.0/20]\nrouter_cidrs: [10.8.0.0/20]\nrouters: [10.8.0.37]\napps:\n'
    for i in $(seq 1 12); do
        printf '  - name: many-app-%s\n    internal_routing: true\n' "$i"
        [ "$i" -gt "$1" ] && printf '    formation: {web: {dynos: [{number: 1, private_ip: 10.8.128.%s, state: up}]}}\n' "$((i + 10))"
    done
    echo ...
}
many 0 >"$work/many.yaml"
op push "$work/many.yaml"
done_ok "twelve apps"
many 10 >"$work/many.yaml"
remember
op push "$work/many.yaml"
refused "ten apps emptied" '10 apps would have no address any more'
expect "ten apps emptied: the list" 10 "$(grep -c '^guard: app many-app-[0-9]* of space many loses all its addresses$' <<<"$err")"
op push "$work/many.yaml" --force "moved to another region"
done_ok "ten apps emptied by force"
expect_match "force" '^why: moved to another region$' "$(get force)"
expect "force is of the same revision" "$(revision)" \
    "$(etcd_ctl get "$registry/force" --write-out=fields | sed -n 's/^"ModRevision" : //p')"

# ---- an app that is made anew ----

one_id='    id: 6f1d2f0e-7a55-4d0e-9c35-2a3c1f6f9b01'
a_space anew 10.9.0.0/16 anew-app-1 | sed "s/^  - name: .*/&\n$one_id/" >"$work/anew.yaml"
op push "$work/anew.yaml"
done_ok "an app with an id"
sed 's/internal_routing: true/internal_routing: false/' "$work/anew.yaml" >"$work/anew-public.yaml"
remember
op push "$work/anew-public.yaml"
refused "what is fixed on creation" 'E-IMMUTABLE.*: a new id instead of its id, another name, or remove it with one push and add it with the next$'
op push "$work/anew-public.yaml" --force "it is meant"
refused "and force changes nothing of it" 'E-IMMUTABLE'
sed -i 's/9b01/9b02/' "$work/anew-public.yaml"
op push "$work/anew-public.yaml"
refused "another app of its name without internal routing" 'space anew: .*app anew-app-1 has no internal routing any more; every replica would hold it back|1 app would have no address any more'
sed 's/state: up/state: down/' "$work/anew.yaml" >"$work/anew-down.yaml"
op push "$work/anew-down.yaml" --force "it is down"
done_ok "the app is down"
remember
op push "$work/anew-public.yaml"
refused "what replicas would hold back" '^Error: space anew: app anew-app-1 has no internal routing any more; every replica would hold it back'
op push "$work/anew-public.yaml" --force "made anew"
done_ok "made anew with another id, by force"
sed '/^    id:/d' "$work/anew.yaml" >"$work/anew-plain.yaml"
op push "$work/anew-plain.yaml"
expect "without an id it is the same app: exit code" 1 "$code"
op apps:destroy anew-app-1 --confirm anew-app-1
done_ok "apps:destroy"
op push "$work/anew-plain.yaml"
done_ok "added again, it is another app"
expect_match "and that is fixed now" '^app anew-app-1 internal_routing=true id=-$' "$(get f/anew)"

# ---- two at once ----

op push "$work/other.yaml"
done_ok "other-space"
pids=()
for i in 1 2 3 4; do
    a_space "at-once-$i" "10.2$i.0.0/16" "at-once-app-$i" >"$work/at-once-$i.yaml"
done
for i in 1 2 3 4; do
    timeout 60 "$SPACEDNS" push "$work/at-once-$i.yaml" --settings "$work/replica.yaml" --socket "$no_server" \
        >"$work/out-$i" 2>"$work/err-$i" &
    pids[i]=$!
done
for i in 1 2 3 4; do
    wait "${pids[i]}"
    expect "push $i of four at once" 0 $?
    expect "its document is there" "$(cat "$work/at-once-$i.yaml")" "$(get "z/at-once-$i")"
done
# Two that together break a rule: one of them has to see the other.
for i in 1 2; do
    a_space "clash-$i" "10.3$i.0.0/16" "clash-app-$i" | sed 's/^    formation/    domains: [{hostname: clash.example.org, cname: c-'$i'.b-2.herokuspace.com}]\n&/' >"$work/clash-$i.yaml"
    timeout 60 "$SPACEDNS" push "$work/clash-$i.yaml" --settings "$work/replica.yaml" --socket "$no_server" \
        >"$work/out-$i" 2>"$work/err-$i" &
    pids[i]=$!
done
codes=
for i in 1 2; do
    wait "${pids[i]}"
    codes+=$?
done
expect_match "of two that clash one is refused" '^(01|10)$' "$codes"
expect_match "by the rule" 'E-DOM-TAKEN' "$(cat "$work/err-1" "$work/err-2")"

# ---- canary ----

sed 's/10\.7\.0\.37/10.7.0.38/' "$work/other.yaml" >"$work/canary.yaml"
op push --canary "$work/canary.yaml"
done_ok "push --canary"
expect "next/" "$(cat "$work/canary.yaml")" "$(get next/other-space)"
expect "z/ stays" "$(cat "$work/other.yaml")" "$(get z/other-space)"
op registry
expect_match "registry shows what is offered" 'offered +other-space' "$out"
op promote no-such
expect_match "promote of nothing" 'nothing is offered for space no-such' "$err"
op promote --abort
done_ok "promote --abort"
expect "next/ is gone" "" "$(get next/other-space)"
op push --canary "$work/canary.yaml"
op promote other-space
done_ok "promote"
expect "the candidate is the document" "$(cat "$work/canary.yaml")" "$(get z/other-space)"
expect "next/ is gone again" "" "$(get next/other-space)"

# ---- pause, accept ----

op registry:pause "storm in eu-west"
done_ok "registry:pause"
expect_match "pause" '^why: storm in eu-west$' "$(get pause)"
op registry
expect_match "registry shows the pause" 'paused +by .*: storm in eu-west' "$out"
op registry:resume
done_ok "registry:resume"
expect "pause is gone" "" "$(get pause)"
put pause yes
put beat 'now'
op registry
expect_match "a pause of nobody" '^paused +by somebody since revision [0-9]+: no reason given; ' "$out"
expect_match "a beat without its time" '^beat +! by somebody at revision [0-9]+, without the time of its writing; ' "$out"
del pause
del beat
remember
op registry:resume
refused "a resume of nothing" 'is not paused'
op registry resum
expect "a mistyped command: exit code" 2 "$code"
expect_match "a mistyped command" 'resum is not a command of the registry; did you mean registry:resume\? write' "$err"
op registry:accept other-space
done_ok "registry:accept"
expect_match "accept" '^accept: other-space$' "$(get force)"
expect_match "an accept of what nobody holds" '^No replica has announced that it holds back other-space; ' "$err"
op registry
expect_match "registry shows who overruled the guard" 'last force +by .*: accepted by an operator' "$out"
op registry:accept
expect_match "accept of all" '^accept: all$' "$(get force)"
op registry --json
expect_match "registry --json" '"spaces": [0-9]+' "$out"

# ---- two revisions: of what has changed, and etcd's ----

# revision_of LINE: of what the last op printed
revision_of() {
    sed -nE "s/^$1 [^0-9]*([0-9]+).*/\1/p" "$work/out"
}
op registry
changed=$(revision_of revision)
expect "the newest change" "$changed" "$(etcd_ctl get "$registry/force" --write-out=fields | sed -n 's/^"ModRevision" : //p')"
beat
put "$registry_root-replicas/$registry_cell/ns1" "revision: 1"
op registry
expect "a beat and an announcement are no change" "$changed" "$(revision_of revision)"
expect "they raise etcd's revision" "$(revision)" "$(revision_of etcd)"
op registry --json
expect_match "JSON has the change" "^ *\"revision\": $changed,?\$" "$out"
expect_match "JSON has etcd's" "^ *\"etcd_revision\": $(revision),?\$" "$out"
expect "all is well: exit code" 0 "$code"
expect_match "JSON has that" '"well": true' "$out"
put beat "at_ms: $(($(now_ms) - 61000))\nby: e2e"
op registry
expect "an old beat: exit code" 1 "$code"
expect_match "an old beat" '^beat +! 6[1-9] s ago by e2e, .*registry\.stale_after_s \([0-9]+\): .*; see whether e2e runs' "$out"
del "$registry_root-replicas/$registry_cell/ns1"
del beat

# ---- an app without an id that is made anew in another space ----

mkdir "$work/moving"
a_space from-space 10.201.0.0/16 moving-app-1 >"$work/moving/from-space.yaml"
a_space to-space 10.202.0.0/16 staying-app-2 >"$work/moving/to-space.yaml"
op push "$work/moving"
done_ok "two spaces"
a_space from-space 10.201.0.0/16 staying-app-3 >"$work/moving/from-space.yaml"
a_space to-space 10.202.0.0/16 moving-app-1 >"$work/moving/to-space.yaml"
remember
op push "$work/moving" --force "it moves"
refused "an app that moves" 'E-IMMUTABLE: app moving-app-1 is in space from-space and cannot move to to-space; recreate it there: .*, or remove it with one reload or push and add it with the next$'
op push "$work/moving/from-space.yaml" --force "it moves"
done_ok "it is removed with one push"
op push "$work/moving/to-space.yaml" --force "it moves"
done_ok "and added with the next"
for space in from-space to-space; do
    op spaces:destroy "$space" --confirm "$space"
    done_ok "$space goes"
done

# ---- somebody went past push ----

put z/bare-space "space: bare-space\ncidr: 10.9.0.0/16\nrouters: [nonsense]\n...\n"
op registry
expect_match "registry shows a document with errors" 'broken +bare-space since revision [0-9]+: E-[A-Z-]+: .*; push a zone file without errors' "$out"
expect "a document with errors: exit code" 1 "$code"
op registry --json
expect "a document with errors, JSON: exit code" 1 "$code"
expect_match "JSON has that it is not well" '"well": false' "$out"
op check
expect "check of a registry with errors: exit code" 1 "$code"
expect_match "check of a registry with errors" '^z/bare-space:3:[0-9]+: error E-[A-Z-]+: ' "$out"
del z/bare-space

# ---- usage ----

op push
expect "push of nothing: exit code" 2 "$code"
op registry stauts
expect "a mistyped command: exit code" 2 "$code"
expect_match "a mistyped command" 'did you mean status' "$err"
op push "$work/other.yaml" --zones "$zones"
expect_match "push with --zones" '--zones names a folder, and this is about the registry' "$err"
echo "log_queries: none" >"$work/empty.yaml"
"$SPACEDNS" push "$zones" --socket "$no_server" --settings "$work/empty.yaml" >"$work/out" 2>"$work/err"
expect_match "push without a registry" 'the settings name no registry' "$(cat "$work/err")"

# ---- etcd is not there ----

stop_etcd
op push "$work/other.yaml"
expect "push without etcd: exit code" 1 "$code"
expect_match "push without etcd" '127.0.0.1' "$err"

finish
