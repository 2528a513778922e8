#!/bin/bash
# With few descriptors, names without an answer cost no client its TCP connection, and the
# operator can still ask and reload.
. "$(dirname "$0")/lib.bash"
spacedns=${SPACEDNS:-$BUILD_DIR/bin/spacedns}

port=$(free_port)
silent=$(free_port)
start_upstream silent --listen "127.0.0.1:$silent" <<'END'
*.example.org. 300 IN A 198.51.100.1
END
set_mode silent silent
launcher=(prlimit --nofile=256:256)
start few --zones zones --listen "127.0.0.1:$port" --local-as test-space --workers 1 \
    --upstream "127.0.0.1@$silent" --control-socket "$work/socket"
launcher=()
expect_match "the shortage is logged at the start, with the remedy" \
    ' warning few_descriptors limit=256 wanted=[0-9]+ upstream_sockets=[0-9]+ tcp_connections=[0-9]+ text=".*LimitNOFILE=' \
    "$(cat "$server_log")"
share=$(sed -n 's/.* tcp_connections=\([0-9]*\) .*/\1/p' "$server_log")

/usr/bin/python3 - "$port" "$share" >"$work/flood" <<'END'
import socket, struct, sys, time

port, share = int(sys.argv[1]), int(sys.argv[2])

def query(name, number):
    labels = b"".join(bytes([len(each)]) + each for each in name.split(b"."))
    return struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"

local = query(b"frozen-oasis-70544.herokuapp.com", 7)
held = []
for _ in range(min(share, 60)):
    held.append(socket.create_connection(("127.0.0.1", port)))

def is_served(connection):
    connection.settimeout(10)
    try:
        connection.sendall(struct.pack("!H", len(local)) + local)
        return len(connection.recv(512)) > 40
    except OSError:
        return False

served = sum(is_served(each) for each in held)
flood = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for number in range(3000):
    flood.sendto(query(b"n%d.example.org" % number, number), ("127.0.0.1", port))
    if number % 50 == 0:
        time.sleep(0.005)
print(served, sum(is_served(each) for each in held), len(held))
END
read -r before after held <"$work/flood"
expect "every connection is served before the flood" "$held" "$before"
expect "and after it: none was evicted" "$held" "$after"
out=$("$spacedns" status --socket "$work/socket" 2>&1)
expect "status answers meanwhile" 0 "$?"
out=$("$spacedns" reload --socket "$work/socket" 2>&1)
expect "and a reload ends" 0 "$?"
kill -USR1 "$server"
await grep -q ' info counters ' "$server_log"
expect_match "no connection was evicted" ' tcp_evicted=0 ' "$(cat "$server_log")"
stop
expect "exit code" 0 "$code"
finish
