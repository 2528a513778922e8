#!/bin/bash
# A start with compiled zone files: written by the running server, used by the next one for the files
# that did not change, and never needed.
. "$(dirname "$0")/lib.bash"
port=$(free_port)
zones=$work/zones
state=$work/state
mkdir "$zones"
cp zones/test-space.yaml tests/zones_good/other-space.yaml "$zones"
flags=(--zones "$zones" --listen "127.0.0.1:$port" --local-as test-space --state-dir "$state")
answers() {
    expect_match "$1: it answers" '10\.0\.0\.37' "$(ask +short frozen-oasis-70544.herokuapp.com)"
}
logged() {
    expect_match "$1" "$2" "$(cat "$server_log")"
}

# The stamp of a file that has just changed proves nothing, and such a file is read at each start.
is_settled() {
    [ $(($(date +%s) - $(stat -c %Z "$zones/other-space.yaml"))) -ge 4 ]
}
await is_settled
start first "${flags[@]}"
logged "the first start reads every file" ' info ready .* files=2 read=2 '
await test -s "$state/compiled" || fail "compiled files are written" "$(ls -la "$state")"
expect "by nobody else to be read" 600 "$(stat -c %a "$state/compiled")"
stop KILL
start second "${flags[@]}"
logged "a start with compiled files reads none" ' info ready .* files=2 read=0 '
answers "a start with compiled files"
stop
sed -i 's/hostname: api\.example\.com/hostname: papi.example.com/' "$zones/test-space.yaml"
start changed "${flags[@]}"
logged "a file that changed is read" ' info ready .* files=2 read=1 '
logged "what it lost is kept back" ' warning names_kept_back count=1 names=api\.example\.com '
answers "a start after a change"
stop KILL

# ---- damage, and another's file ----

printf 'x' | dd of="$state/compiled" bs=1 seek=20000 conv=notrunc status=none
start damaged "${flags[@]}"
logged "damage is told" ' warning state_decayed text="state_dir .*compiled is not what was written there; the zone files are compiled anew"'
logged "and every file is read" ' info ready .* files=2 read=2 '
answers "a start with a damaged file"
stop KILL
rm "$state/compiled"
start without "${flags[@]}"
answers "a start without"
stop KILL

# ---- a file that cannot be written ----

rm -f "$state/compiled"
mkdir "$state/compiled" # no file can be renamed to it
start full "${flags[@]}"
await grep -q ' warning compiled_failed text=".*compiled cannot be written: .*a restart takes longer' "$server_log" ||
    fail "a file that cannot be written is told" "$(cat "$server_log")"
answers "meanwhile"
stop
expect "no draft is left" "" "$(find "$state" -name '.new*')"
finish
