#!/bin/bash
# A start with zone files that have errors: served as they were accepted, told to the operator, and
# over once the files are correct.
. "$(dirname "$0")/lib.bash"
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
port=$(free_port)
zones=$work/zones
socket=$work/control.sock
mkdir "$zones"
bare=(--zones "$zones" --listen "127.0.0.1:$port" --local-as test-space --control-socket "$socket")
flags=("${bare[@]}" --state-dir "$work/state")
spacedns() {
    "$SPACEDNS" "$@" --socket "$socket" 2>&1
}
whole() {
    cp zones/test-space.yaml tests/zones_good/other-space.yaml "$zones"
}
# refused WHAT PATTERN FLAG...: the server does not start, and prints why
refused() {
    local what=$1 pattern=$2
    shift 2
    launch refused "$@"
    await is_gone "$server" || fail "$what" "it runs"
    wait "$server"
    expect "$what: exit code" 1 "$?"
    expect_match "$what" "$pattern" "$(cat "$server_log")"
}
answers() {
    expect_match "$1" '10\.0\.0\.37' "$(ask +short frozen-oasis-70544.herokuapp.com)"
}
broken="$zones/test-space\.yaml:[0-9]+:[0-9]+"

# ---- nothing accepted yet ----

whole
sed -i 's/^cidr:.*/cidr: 10.0.0.1\/16/' "$zones/test-space.yaml"
refused "the first start is refused for an error" "^$broken: error E-SPACE-CIDR" "${flags[@]}"

# ---- an error while no server runs ----

whole
start first "${flags[@]}"
expect_no_match "nothing is amiss" 'last_good' "$(spacedns status)"
accepted=$(spacedns status --json | tr -d ' \n')
expect_match "JSON has an empty list" '"last_good":\[\]' "$accepted"
stop KILL
sed -i 's/^cidr:.*/cidr: 10.0.0.1\/16/' "$zones/test-space.yaml"
refused "without state_dir it is refused" "^$broken: error E-SPACE-CIDR" "${bare[@]}"
start degraded "${flags[@]}"
answers "a file with an error is served as it was accepted"
expect_match "the log has it, with the place and the first error" \
    " warning finding code=W-LAST-GOOD place=$broken text=\"the text accepted at 20[0-9TZ:-]+ is served, .*: E-SPACE-CIDR: " "$(cat "$server_log")"
expect_match "and the event counts it" ' info ready .* not_served_as_they_are=1 ' "$(cat "$server_log")"
expect_match "status has it" \
    "^last_good +! $zones/test-space\.yaml as accepted at 20[0-9TZ:-]+: [0-9]+:[0-9]+: E-SPACE-CIDR: " "$(spacedns status)"
expect_match "and in JSON" '"last_good":\[\{"file":"[^"]*test-space.yaml","served":true,"accepted":"20[0-9TZ:-]+","code":"E-SPACE-CIDR","line":[0-9]+,' \
    "$(spacedns status --json | tr -d ' \n')"
expect "no name is kept back" "No name is kept back." "$(spacedns kept-back)"
checked=$("$SPACEDNSD" --check "${flags[@]}" 2>&1)
expect "--check: exit code" 1 $?
expect_match "--check has the error" "$broken: error E-SPACE-CIDR" "$checked"
expect_match "and what a start does" "$broken: warning W-LAST-GOOD" "$checked"
reload
expect_match "a reload is refused as ever" ' error reload_refused .* first=E-SPACE-CIDR ' "$logged"
expect_match "status has it still" '^last_good +! ' "$(spacedns status)"
whole
reload
expect_match "once correct, the log tells the end" ' info last_good_over ' "$logged"
expect_no_match "and status has it no more" 'last_good' "$(spacedns status)"
stop

# ---- cut, taken twice, new ----

sed -i '/^\.\.\.$/d' "$zones/test-space.yaml"
start cut "${flags[@]}"
answers "a file that was cut is served whole"
expect_match "and named" " code=W-LAST-GOOD place=$broken .*: E-CUT: " "$(cat "$server_log")"
stop KILL
whole
sed -i 's/name: quiet-lake-4410/name: frozen-oasis-70544/' "$zones/other-space.yaml"
start taken "${flags[@]}"
answers "of two files with one app"
expect_match "the changed one falls back" " code=W-LAST-GOOD place=$zones/other-space\.yaml:.*: E-DUP: " "$(cat "$server_log")"
stop
whole
echo 'space: new_space' >"$zones/new.yaml"
start new "${flags[@]}"
answers "a new file with an error"
expect_match "is not served" " code=W-UNSERVED place=$zones/new\.yaml:1:.*: E-SPACE-NAME: " "$(cat "$server_log")"
expect_match "and status says so" "^last_good +! $zones/new\.yaml is not served: " "$(spacedns status)"
rm "$zones/new.yaml"
reload
expect_match "until it is gone" ' info last_good_over ' "$logged"
stop

# ---- with the space that loopback clients are in ----

rm "$work/state/zones/test-space.yaml"
sed -i 's/^cidr:.*/cidr: 10.0.0.1\/16/' "$zones/test-space.yaml"
start missing "${flags[@]}"
expect_match "local_as is no mistake then" ' warning finding code=W-LOCAL-AS ' "$(cat "$server_log")"
stop
finish
