#!/bin/bash
# What the service manager is notified of, over a real socket: the order of the messages from start
# to stop, a watchdog that a worker standing still starves, a socket that is gone; and what the
# journal reads.
# timeout: 120
. "$(dirname "$0")/lib.bash"
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
port=$(free_port)
mkdir "$work/zones"
cp zones/test-space.yaml "$work/zones"
zones="$work/zones/test-space.yaml"

# manage NAME OPTION... -- FLAG...: spacednsd under a stand-in manager; leaves its process in
# $server, the manager's in $manager, the messages in $messages
manage() {
    local name=$1 options=()
    shift
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    messages=$work/$name.messages
    /usr/bin/python3 "$SOURCE_DIR/tests/support/manager.py" --log "$messages" "${options[@]}" -- \
        "$SPACEDNSD" "${as_user[@]}" --http-listen none --zones "$work/zones" --listen "127.0.0.1:$port" --upstream none --workers 2 --local-as test-space \
        --control-socket "$work/control" "$@" >"$work/$name.out" 2>"$work/$name.err" &
    manager=$!
    server_log=$work/$name.err
    children+=("$manager")
    await [ -s "$messages.pid" ] || fail "the manager starts" "$(cat "$work/$name.err")"
    server=$(cat "$messages.pid")
    children+=("$server")
}

# has COUNT PATTERN: that many messages match
has() {
    [ "$(grep -cE -e "$2" "$messages")" -ge "$1" ]
}

# gone: the manager has ended with the server; leaves its exit code in $code
gone() {
    kill -TERM "$server"
    await is_gone "$manager" || fail "the server ends"
    wait "$manager"
    code=$?
}

operator() {
    "$SPACEDNS" "$@" --socket "$work/control" 2>&1
}

# ---- the order of the messages ----

manage order --socket "$work/notify" --ask "$port" --
await has 1 '^asked' || fail "READY is sent" "$(cat "$messages" "$server_log")"
expect_match "a reload" 'done, generation=' "$(sed -i '1i # edited' "$zones"; operator reload)"
sed -i 's/^space:/spcae:/' "$zones"
expect_match "a reload that is refused" 'Error: Q50 reload refused' "$(operator reload)"
sed -i 's/^spcae:/space:/' "$zones"
kill -HUP "$server"
await has 3 '^READY=1|\|READY=1' && await has 4 '^READY=1' || fail "a reload by signal ends with READY" "$(cat "$messages")"
operator reload --dry-run >/dev/null
operator status >/dev/null
gone
expect "SIGTERM ends the server" 0 "$code"
expect "every message, in this order" "STATUS=Loading the zone files of $work/zones
READY=1|STATUS=Serving generation 1: 1 space, 3 apps; last reload done
asked answered
RELOADING=1|MONOTONIC_USEC=N
READY=1|STATUS=Serving generation 2: 1 space, 3 apps; last reload done
RELOADING=1|MONOTONIC_USEC=N
READY=1|STATUS=Serving generation 2: 1 space, 3 apps; last reload refused
RELOADING=1|MONOTONIC_USEC=N
READY=1|STATUS=Serving generation G: 1 space, 3 apps; last reload O
STOPPING=1|STATUS=Stopping: answering the queries received" \
    "$(grep -v '^FDSTORE=' "$messages" | sed -E '7s/(refused): .*/\1/; 9s/generation [23]/generation G/; 9s/reload (done|unchanged)/reload O/')"
expect_match "STATUS names the cause of a refusal" '^READY=1.*last reload refused: .*test-space\.yaml:' "$(cat "$messages")"
rm -f "$work/notify"

# A start that is refused never says READY.
sed -i 's/^space:/spcae:/' "$zones"
manage refused --socket "$work/notify" --
await is_gone "$manager" || fail "a start with bad zone files ends"
wait "$manager"
expect "a start with bad zone files: exit code" 1 "$?"
expect "a start with bad zone files: no READY" "STATUS=Loading the zone files of $work/zones" "$(cat "$messages")"
sed -i 's/^spcae:/space:/' "$zones"
rm -f "$work/notify"

# ---- the watchdog ----

# threads: those of the workers
workers() {
    local task
    for task in /proc/"$server"/task/*; do
        [ "${task##*/}" = "$server" ] || echo "${task##*/}"
    done
}

fed() {
    grep -c '^WATCHDOG=1$' "$messages"
}

is_fed_beyond() {
    [ "$(fed)" -gt "$1" ]
}

# answers_status PATTERN
lists() {
    grep -qE -e "$1" <<<"$(operator status)"
}

manage watchdog --socket "@spacedns-e2e-$$" --watchdog-us 400000 --
await has 3 '^WATCHDOG=1$' || fail "the watchdog is fed, over an abstract socket" "$(cat "$messages" "$server_log")"
for thread in $(workers); do
    mkfifo "$work/thaw.$thread"
    /usr/bin/python3 "$SOURCE_DIR/tests/support/freeze.py" "$thread" <"$work/thaw.$thread" >"$work/frozen.$thread" 2>&1 &
    freezer=$!
    children+=("$freezer")
    exec 7>"$work/thaw.$thread"
    await [ -s "$work/frozen.$thread" ]
    if ! grep -q '^frozen' "$work/frozen.$thread"; then
        echo "not tried: a thread cannot be stopped here: $(cat "$work/frozen.$thread")"
        exec 7>&-
        break
    fi
    if lists 'silent|not reported'; then # by now a pulse under way has arrived, and one has not
        before=$(fed)
        operator status >/dev/null
        expect "the watchdog is not fed while worker $thread stands still" "$before" "$(fed)"
        expect_match "the worker is named in the log" 'error worker_silent worker=[12] ' "$(cat "$server_log")"
        starved=$((${starved:-0} + 1))
    fi
    before=$(fed)
    exec 7>&-
    wait "$freezer"
    await is_fed_beyond "$before" || fail "the watchdog is fed again" "$(cat "$messages")"
done
expect_match "each worker was stopped once" '^2$' "${starved:-not tried}"
gone
expect "the stop: exit code" 0 "$code"

# ---- a socket that is gone ----

manage lost --socket "$work/notify" --watchdog-us 200000 --
await has 1 '^READY=1' || fail "READY is sent" "$(cat "$server_log")"
rm "$work/notify"
await grep -q notify_failed "$server_log" || fail "a lost socket is logged"
for i in 1 2 3; do
    expect_match "the server goes on reloading" 'Reloading zones... ' "$(operator reload)"
done
expect "answers are given as before" "127.0.0.1" "$(ask +short upcheck.localspace)"
gone
expect "the stop: exit code" 0 "$code"
expect "the loss is logged once" 1 "$(grep -c ' warning notify_failed ' "$server_log")"

# ---- the journal ----

manage journal --socket "$work/notify" --journal "$work/journal" --
await has 1 '^READY=1' || fail "READY is sent" "$(cat "$work/journal")"
gone
expect_match "lines have a priority, and no time" '^<6>info ready listen=' "$(cat "$work/journal")"
expect "every line has one" "" "$(grep -vE '^<[3467]>(error|warning|info|debug) ' "$work/journal")"
rm -f "$work/notify"
sed -i 's/^space:/spcae:/' "$zones"
manage journal_refused --socket "$work/notify" --journal "$work/journal" --
await is_gone "$manager"
expect_match "a start that is refused is an error for the journal" '^<3>spacednsd: not started: [0-9]+ error' "$(cat "$work/journal")"
expect "as is every line of it" "" "$(grep -v '^<3>' "$work/journal")"
finish
