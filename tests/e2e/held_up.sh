#!/bin/bash
# Nothing on the host blocks the server: standard error without a reader, files that are pipes,
# unused signals.
. "$(dirname "$0")/lib.bash"
spacedns=${SPACEDNS:-$BUILD_DIR/bin/spacedns}

port=$(free_port)
flags=(--zones zones --listen "127.0.0.1:$port" --local-as test-space)

answers() {
    expect "$1: answers" "10.0.0.37 10.0.16.21" "$(addresses "$(ask +short frozen-oasis-70544.herokuapp.com)")"
}

# ends WHAT: $server ends within a bound after a SIGTERM
ends() {
    kill -TERM "$server"
    await is_gone "$server" || fail "$1: the server ends"
    wait "$server" 2>/dev/null
    expect "$1: exit code" 0 "$?"
}

# ---- standard error without a reader ----

mkfifo "$work/err"
exec {unread}<>"$work/err"
"$SPACEDNSD" "${as_user[@]}" --http-listen none "${flags[@]}" --upstream none --control-socket "$work/unread" 2>"$work/err" &
server=$!
children+=("$server")
has_socket() {
    [ -S "$work/$1" ]
}
await has_socket unread || fail "the server starts with a pipe as standard error"
count_lines() {
    "$spacedns" status --socket "$work/unread" >/dev/null 2>&1
}
await count_lines
# A line for each, 65,536 octets of room; a signal is seen once however often it comes meanwhile.
for _ in {1..120}; do
    kill -USR1 "$server"
    ask +short +time=1 version.localspace TXT >"$work/asked" || fail "DNS goes on"
done
timeout 10 "$spacedns" status --socket "$work/unread" >"$work/status" 2>&1
expect "status still answers" 0 "$?"
kill -HUP "$server"
timeout 10 "$spacedns" reload --socket "$work/unread" >"$work/status" 2>&1
expect "reload still ends" 0 "$?"
answers "standard error without a reader"
ends "standard error without a reader"
exec {unread}<&-

# ---- signals ----

start signals "${flags[@]}"
for signal in USR2 ALRM VTALRM PROF IO PIPE XFSZ TTIN TTOU WINCH; do
    kill -"$signal" "$server"
    answers "SIG$signal"
done
kill -USR1 "$server"
await grep -q ' info counters ' "$server_log" || fail "SIGUSR1 logs the counters"
stop
expect "SIGTERM ends it, after all of them" 0 "$code"
expect_match "and is logged" ' info stopping signal=SIGTERM by=[0-9]+ pid=[0-9]+$' "$(cat "$server_log")"

start interrupted "${flags[@]}"
stop INT
expect "SIGINT ends it, too" 0 "$code"
expect_match "and is logged by its name" ' info stopping signal=SIGINT by=[0-9]+ pid=[0-9]+$' "$(cat "$server_log")"

# ---- files that are pipes ----

write_settings() {
    printf '%s\n' "zones: zones" "listen: [\"127.0.0.1:$port\"]" "local_as: [test-space]" \
        "upstreams: none" >"$work/s.yaml"
}
write_settings
start pipes --settings "$work/s.yaml"
rm "$work/s.yaml"
mkfifo "$work/s.yaml"
reload
expect_match "a pipe as settings file is refused" " error finding code=E-SETTING place=$work/s\.yaml text=.*is a named pipe \(FIFO\), not a file" "$logged"
rm "$work/s.yaml"
write_settings
reload
expect_match "and the file is read again once it is back" ' info reload_unchanged ' "$logged"
answers "after a pipe"
rm "$work/s.yaml"
mkfifo "$work/s.yaml"
kill -HUP "$server"
ends "with a pipe as settings file"

for command in "check --settings $work/s.yaml" "doctor frozen-oasis-70544 --resolv-conf $work/s.yaml" \
    "spaces:import --file $work/s.yaml"; do
    # shellcheck disable=SC2086 # the command's words
    timeout 10 "$spacedns" $command >"$work/command" 2>&1
    code=$?
    case $code in
    0 | 124) fail "a pipe is refused: $command" "$(cat "$work/command")" ;;
    *) pass ;;
    esac
done
finish
