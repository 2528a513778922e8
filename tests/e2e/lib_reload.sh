#!/bin/bash
# What reload of lib.bash waits for: the outcome of its own signal, though a registry's comes before.
. "$(dirname "$0")/lib.bash"

# pretend LINE...: a server that logs these lines, one after the other, when it gets SIGHUP
pretend() {
    server_log=$work/pretended.err
    : >"$server_log"
    bash -c '
        log=$1
        shift
        trap "for line; do echo \"2026-01-01T00:00:00.000Z \$line\" >>\"\$log\"; sleep 0.2; done" HUP
        echo listening >>"$log"
        while :; do read -rt 0.02 <> <(:); done' pretended "$server_log" "$@" &
    server=$!
    children+=("$server")
    await grep -q '^listening$' "$server_log"
}

registrys="info reload_done generation=7 files=1 read=1 spaces=2 apps=3 ms=1 by=registry"
for own in \
    "info reload_done generation=8 files=1 by=0 user=root command=SIGHUP" \
    "info reload_unchanged generation=7 files=1 by=signal" \
    "error reload_refused errors=1 by=1000 command=SIGHUP,reload" \
    "error reload_refused errors=1 by=1000 command=\"SIGHUP,reload --force\" note=\"ticket 7\""; do
    pretend "$registrys" "$own"
    reload
    expect "the new lines are there" "$registrys
$own" "$(cut -d' ' -f2- <<<"$logged")"
    stop KILL
done

finish
