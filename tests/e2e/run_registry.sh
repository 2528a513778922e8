#!/bin/bash
# cmd/dev run --registry: three replicas on one etcd, and everything that it prints to try does what it says.
# serial: needs ports 5300 and 5301, and builds where the tests were built
# timeout: 180
. "$(dirname "$0")/lib.bash"
[ "$BUILD_DIR" -ef "$SOURCE_DIR/build/gcc" ] || skip "cmd/dev run serves build/gcc, not $BUILD_DIR"
need etcd etcdctl
enter_private_network || ! dig @127.0.0.1 -p 5300 +tries=1 +time=1 localspace >/dev/null 2>&1 ||
    skip "somebody serves port 5300"
patience=60

is_ready() {
    grep -q '^Logs: ' "$work/run.out" || is_gone "$runner"
}

begin() {
    : >"$work/run.out"
    : >"$work/run.err"
    # A shell starts background commands with SIGINT ignored; here Ctrl-C must work.
    /usr/bin/python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' cmd/dev run --registry >"$work/run.out" 2>"$work/run.err" &
    runner=$!
    children+=("$runner")
    await is_ready
    if ! grep -q '^Logs: ' "$work/run.out"; then
        fail "cmd/dev run --registry serves" "$(tail -n 30 "$work/run.out" "$work/run.err")"
        finish
    fi
}

# printed PATTERN: the commands that it prints and that match
printed() {
    sed -n 's/^  //p' "$work/run.out" | grep -E -e "$1"
}

# answers_of NAME TYPE: what each replica answers, a line each
answers_of() {
    local n
    for n in 1 2 3; do
        echo "$(addresses "$(dig "@127.0.0.$n" -p 5300 +tries=1 +time=5 +short "$1" "$2")")"
    done
}

# all_answer ADDRESSES: of the app's web dynos
all_answer() {
    [ "$(answers_of web.frozen-oasis-70544.app.localspace A)" = "$1
$1
$1" ]
}

# become WHAT ADDRESSES
become() {
    await all_answer "$2" || fail "$1: all replicas answer $2" "$(answers_of web.frozen-oasis-70544.app.localspace A)"
    pass
}

serials() {
    local n
    for n in 1 2 3; do
        dig "@127.0.0.$n" -p 5300 +tries=1 +time=5 +short frozen-oasis-70544.herokuapp.com SOA | cut -d' ' -f3
    done | sort -u
}

has_one_serial() {
    [ "$(serials | wc -l)" = 1 ]
}

two="10.0.130.56 10.0.151.218"
begin
mapfile -t digs < <(printed '^dig ')
expect "it prints a dig for each replica" 3 "${#digs[@]}"
for command in "${digs[@]}"; do
    # shellcheck disable=SC2086
    expect_match "$command" 'status: NOERROR' "$($command +tries=1 +time=10 2>&1)"
done
become "at first" "$two"
put=$(printed '^printf .* put ')
delete=$(printed '^ETCDCTL_API=3 .* del ')
bash -c "$put" >"$work/put.out" 2>&1 || fail "$put" "$(cat "$work/put.out")"
become "a scheduler's change" 10.0.130.77
await has_one_serial || fail "one serial after a change" "$(serials)"
bash -c "$delete" >"$work/put.out" 2>&1 || fail "$delete" "$(cat "$work/put.out")"
become "without the key" "$two"
set_state=$(printed 'ps:set')
bash -c "$set_state" >"$work/set.out" 2>&1 || fail "$set_state" "$(cat "$work/set.out")"
become "an operator's change" 10.0.151.218
mapfile -t asking < <(printed '/spacedns (registry|status)')
expect "it prints how to ask for states" 3 "${#asking[@]}"
for command in "${asking[@]}"; do
    bash -c "$command" >"$work/ask.out" 2>&1 || fail "$command" "$(cat "$work/ask.out")"
    pass
done

# Without etcd every answer stays; then everything is well again, by itself.
etcd_pid=$(printed '# etcd$' | grep -oE '[0-9]+ #' | tr -d ' #')
replica_pid=$(printed '# replica-2$' | grep -oE '[0-9]+ #' | tr -d ' #')
kill -9 "$etcd_pid" "$replica_pid"
await grep -q '^etcd has ended' "$work/run.out" || fail "it prints that etcd has ended" "$(cat "$work/run.out")"
expect "without etcd: answers" 10.0.151.218 "$(answers_of web.frozen-oasis-70544.app.localspace A | head -1)"
await grep -q '^replica-2 begins again' "$work/run.out" || fail "replica-2 begins again"
become "replica-2 is back" 10.0.151.218
await grep -q '^etcd begins again' "$work/run.out" || fail "etcd begins again"
await bash -c "$put" >/dev/null 2>&1
become "etcd is back" 10.0.130.77

mapfile -t parts < <(pgrep -f "build/registry/" || true)
[ "${#parts[@]}" -ge 4 ] || fail "its processes are found" "${parts[*]}"
before=$(now_ms)
kill -INT "$runner"
await is_gone "$runner" || fail "Ctrl-C ends it"
wait "$runner" 2>/dev/null
expect "exit code on Ctrl-C" 0 $?
[ $(($(now_ms) - before)) -lt 15000 ] || fail "Ctrl-C ends it quickly"
for part in "${parts[@]}"; do
    is_gone "$part" || fail "nothing of it stays behind" "$(ps -o pid,args -p "$part")"
done
[ ! -e build/registry ] || fail "its folder is removed"
pass
cmd/dev run --registry more >"$work/wrong.out" 2>"$work/wrong.err"
expect "an argument: exit code" 2 $?
finish
