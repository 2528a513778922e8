#!/bin/bash
# An address in `listen` with a scheme has a socket of that transport only: udp://, tcp://, and an
# address alone has both. Each transport answers, also a forwarded query and at the end.
. "$(dirname "$0")/lib.bash"

port=$(free_port)
first=$(free_port)
start_upstream first --listen "127.0.0.1:$first" <<'UPSTREAM'
*.example.org.  300 IN A 198.51.100.80
UPSTREAM
flags=(--zones zones --local-as test-space --upstream "127.0.0.1@$first" --workers 2)
app=frozen-oasis-70544.herokuapp.com
routers="10.0.0.37 10.0.16.21"

# holds udp|tcp ADDRESS: a program of this host has the port there
holds() {
    /usr/bin/python3 - "$1" "$2" "$port" <<'PROBE'
import socket, sys
kind = socket.SOCK_DGRAM if sys.argv[1] == "udp" else socket.SOCK_STREAM
with socket.socket(socket.AF_INET, kind) as probe:
    try:
        probe.bind((sys.argv[2], int(sys.argv[3])))
    except OSError:
        sys.exit(0)
sys.exit(1)
PROBE
}

# serves WHAT ADDRESS UDP TCP: whether each transport (yes, no) answers there, and has a socket
serves() {
    local transport how wanted got
    for transport in udp tcp; do
        how=+notcp wanted=$3
        [ $transport = udp ] || how=+tcp wanted=$4
        got=no
        ! holds $transport "$2" || got=yes
        expect "$1: a $transport socket at $2" "$wanted" "$got"
        [ "$wanted" = yes ] || continue
        got=$(dig "@$2" -p "$port" +tries=1 +time="$patience" $how +short "$app")
        expect "$1: an answer over $transport at $2" "$routers" "$(addresses "$got")"
        got=$(dig "@$2" -p "$port" +tries=1 +time="$patience" $how +short "$transport-$what.example.org")
        expect "$1: a forwarded answer over $transport at $2" 198.51.100.80 "$(addresses "$got")"
    done
}

what=alone
start alone "${flags[@]}" --listen "127.0.0.1:$port"
expect_match "the log names the address" " info ready listen=127\.0\.0\.1:$port " "$(cat "$server_log")"
serves "an address alone" 127.0.0.1 yes yes
stop
expect "an address alone: exit code" 0 "$code"

what=udp
start udp "${flags[@]}" --listen "udp://127.0.0.1:$port"
expect_match "the log names the scheme" " info ready listen=udp://127\.0\.0\.1:$port " "$(cat "$server_log")"
serves "udp:// only" 127.0.0.1 yes no
got=$(ask +tcp "$app" 2>&1)
expect_match "udp:// only: TCP is refused" 'refused' "$got"
stop
expect "udp:// only: exit code" 0 "$code"

what=tcp
printf 'listen: ["tcp://127.0.0.1:%s"]\n' "$port" >"$work/tcp.yaml"
start tcp "${flags[@]}" --settings "$work/tcp.yaml"
serves "tcp:// only" 127.0.0.1 no yes
got=$(ask +notcp "$app" 2>&1)
expect_match "tcp:// only: UDP is refused" 'refused' "$got"
kill -TERM "$server"
await is_gone "$server" || fail "tcp:// only: it ends"
wait "$server"
expect "tcp:// only: exit code" 0 "$?"

# Each transport at an address of its own, and both at a third.
what=mixed
start mixed "${flags[@]}" --listen "udp://127.0.0.1:$port,tcp://127.0.0.2:$port" --listen "127.0.0.3:$port"
serves "udp:// here" 127.0.0.1 yes no
serves "tcp:// there" 127.0.0.2 no yes
serves "and both" 127.0.0.3 yes yes
stop
expect "mixed: exit code" 0 "$code"

# Another program may have the transport that is not served.
/usr/bin/python3 - "$port" <<'HOLD' &
import socket, sys, time
held = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
held.bind(("127.0.0.1", int(sys.argv[1])))
time.sleep(600)
HOLD
children+=("$!")
await holds udp 127.0.0.1 || fail "a program has the UDP port"
start beside "${flags[@]}" --listen "tcp://127.0.0.1:$port"
expect "beside a program with the UDP port" "$routers" "$(addresses "$(ask +tcp +short "$app")")"
stop
timeout "$patience" "$SPACEDNSD" "${as_user[@]}" --http-listen none "${flags[@]}" --listen "127.0.0.1:$port" >"$work/out" 2>"$work/err"
expect "an address alone needs both: exit code" 3 "$?"
expect_match "and the error names the transport" "cannot listen on 127\.0\.0\.1:$port over UDP: another program" "$(cat "$work/err")"

finish
