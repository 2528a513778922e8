#!/bin/bash
# spacedns plan of two folders: what changes, exit codes, and what the guard refuses.
# timeout: 30
. "$(dirname "$0")/lib.bash"
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}

# plan ARGUMENT...: leaves $code, $out, $err
plan() {
    timeout "$patience" "$SPACEDNS" plan "$@" >"$work/out" 2>"$work/err" </dev/null
    code=$?
    out=$(cat "$work/out")
    err=$(cat "$work/err")
}

# edited NAME EXPRESSION...: a folder with zones/test-space.yaml after sed
edited() {
    local name=$1
    shift
    mkdir -p "$work/$name"
    sed "$@" zones/test-space.yaml >"$work/$name/test-space.yaml"
}

edited same ''
plan "$work/same" --against zones
expect "nothing changes: exit code" 0 "$code"
expect "nothing changes" "no answer changes" "$out"
plan zones --against zones
expect "against itself" "no answer changes" "$out"

edited grown 's/- {number: 2, private_ip: 10.0.151.218, state: up}/&\n          - {number: 3, private_ip: 10.0.151.219, state: up}/'
plan "$work/grown" --against zones
expect "a dyno more: exit code" 0 "$code"
expect "a dyno more" "space test-space, app frozen-oasis-70544
  ~ web.frozen-oasis-70544.app.localspace (space): 10.0.130.56 10.0.151.218 -> 10.0.130.56 10.0.151.218 10.0.151.219
space: 0 appear, 0 vanish, 0 change code, 1 changes addresses, of 14 names" "$out"
plan "$work/grown" --against zones --color always
expect_match "in colour" $'^\033\\[33m  ~ web\\..*\033\\[0m$' "$out"
plan --zones "$work/grown" --against zones --json
expect "as JSON" "False 1 addresses ['space'] 10.0.151.219" "$(/usr/bin/python3 -c '
import json, sys
printed = json.load(sys.stdin)
change = printed["changes"][0]
print(printed["refused"], len(printed["changes"]), change["change"], change["classes"],
      change["after"]["addresses"][-1])' <<<"$out")"

edited emptied 's/\(10.0.130.56\|10.0.151.218\), state: up/\1, state: down/'
plan "$work/emptied" --against zones
expect "an app is scaled to zero: exit code" 0 "$code"
expect_match "an app is scaled to zero" '^  ~ api\.example\.com \(.*\): 10\.0\.0\.37 10\.0\.16\.21 -> no address, Q14$' "$out"

edited narrowed 's|routable_cidrs: \[172.16.0.0/16\]|routable_cidrs: [172.16.0.0/24]|; s/status: pending-acceptance/status: active/'
plan "$work/narrowed" --against zones
expect "who comes in and who goes: exit code" 0 "$code"
expect "who comes in and who goes" "access
  + 10.30.0.0/16 becomes inside of test-space (peered, pcx-222bbb222): 65536 addresses
  - 172.16.1.0-172.16.255.255 ceases to be inside of test-space (vpn, office): 65280 addresses" "$out"

mkdir "$work/two" "$work/one"
cp zones/test-space.yaml "$work/two/"
cp zones/test-space.yaml "$work/one/"
printf 'space: second-space\ncidr: 10.9.0.0/16\nrouters: [10.9.0.7]\n' >"$work/two/second.yaml"
plan "$work/one" --against "$work/two"
expect "a space vanishes: exit code" 1 "$code"
expect_match "a space vanishes" '^guard: space second-space vanishes with its 0 apps$' "$out"
expect "a space vanishes: last" "Error: space second-space vanishes with its 0 apps; put it back, or use --force if it is meant to go" "$err"
plan "$work/one" --against "$work/two" --force
expect "it is meant to go: exit code" 0 "$code"
expect "with --force: no error" "" "$err"

edited broken 's/10.0.0.37, 10.0.16.21/10.0.130.9/'
plan "$work/broken" --against zones
expect "errors: exit code" 1 "$code"
expect "errors: nothing planned" "" "$out"
expect_match "errors: printed" "^$work/broken/test-space.yaml:.* error E-ROUTER-DYNO: " "$err"
expect_match "errors: last" "^Error: $work/broken has [0-9]+ errors?, (the first )?at $work/broken/[^ ]+:[0-9]+:[0-9]+; fix (it|them), then plan again$" "$err"
edited public 's/name: frozen-oasis-70544/&\n    id: 00000000-0000-0000-0000-000000000001/; 0,/internal_routing: true/s///'
plan "$work/public" --against zones
expect "what is fixed on creation: exit code" 1 "$code"
expect_match "what is fixed on creation" 'E-IMMUTABLE' "$err"

plan "$work/nowhere" --against zones
expect "no folder: exit code" 1 "$code"
expect_match "no folder" "^Error: zones folder $work/nowhere cannot be opened: No such file" "$err"
plan zones --against "$work/nowhere"
expect "no old folder: exit code" 1 "$code"
expect_match "no old folder" "^Error: zones folder $work/nowhere cannot be opened: No such file" "$err"

finish
