#!/bin/bash
# etcd is gone for a day: every answer is as it was, the operator reads how old they are, and they are
# fresh again once it is back.
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
. "$(dirname "$script")/registry.bash"
SPACEDNSD=$BUILD_DIR/bin/tests/e2e/ahead_spacednsd # its clocks are ahead by what the file says
[ -x "$SPACEDNSD" ] || skip "there is no $SPACEDNSD"

export CLOCK_AHEAD=$work/ahead
printf %010d 0 >"$work/ahead"
pass_time() {
    printf %010d "$1" | dd of="$work/ahead" conv=notrunc status=none
    ctl status >/dev/null # which wakes it
    sleep 0.1             # and each of its timers is late then
}
start_etcd
fill_registry
replica_more="external_rate: 0
state_dir: $work/state"
replica first
beat
put d/test-space/sleepy-river-2739/web '1 up 10.0.131.7\n'
await_answer sleepy-river-2739.herokuapp.com "10.0.0.37 10.0.16.21"
expect_no_match "fresh" 'Q41' "$(ask +short TXT _why.frozen-oasis-70544.herokuapp.com)"
expect_match "its revision" 'revision=[0-9]+' "$(ask +short TXT _whoami.localspace)"
expect_match "its age" 'age=[0-9]' "$(ask +short TXT _whoami.localspace)"
note_answers before

stop_etcd
await_metric spacedns_registry_connected 0
for seconds in 120 3600 86400; do
    pass_time $seconds
    expect_answers "after $seconds seconds" before
done
is_age() {
    [ "$(metric spacedns_registry_age_seconds | cut -d. -f1)" -ge 86400 ]
}
await is_age || fail "the age is a day" "$(metric spacedns_registry_age_seconds)"
await_status '^registry +etcd .* age 86[0-9]{3} s'
await_status '^registry +! Q41 '
why_is() {
    ask +short TXT _why.frozen-oasis-70544.herokuapp.com | grep -q "$1"
}
await why_is Q41 || fail "_why has the reason" "$(ask +short TXT _why.frozen-oasis-70544.herokuapp.com)"
await_log ' warning registry_stale '
await_ready '^the registry has said nothing for 86[0-9]{3} s'
await_ready code=200
expect_match "explain has it" 'Q41' "$(ctl explain frozen-oasis-70544.herokuapp.com --live --from 10.0.130.56)"
expect_match "_whoami has the age" 'age=8[67][0-9]{3}' "$(ask +short TXT _whoami.localspace)"

# A restart knows how old it is, too.
stop
replica second
expect_answers "started again" before
await_status '^registry +! the registry'
pass_time 90000
expect_answers "after another hour" before

start_etcd_again
beat
put d/test-space/sleepy-river-2739/web '1 crashed 10.0.131.7\n'
await_answer sleepy-river-2739.herokuapp.com ""
await_metric spacedns_registry_connected 1
is_fresh() {
    ! why_is Q41
}
await is_fresh || fail "_why has the reason no more" "$(ask +short TXT _why.frozen-oasis-70544.herokuapp.com)"
has_no_mark() {
    ! has_status '^registry +! the registry'
}
await has_no_mark || fail "status has nothing amiss" "$(ctl status)"
put d/test-space/sleepy-river-2739/web '1 up 10.0.131.7\n'
await_answer sleepy-river-2739.herokuapp.com "10.0.0.37 10.0.16.21"
expect_answers "fresh again" before
stop
expect "exit code" 0 "$code"
finish
