#!/bin/bash
# A server that stood still for some seconds (SIGSTOP) does not answer what has waited since then: who
# asked has asked again, or given up. What was asked last is answered, and it goes on.
. "$(dirname "$0")/lib.bash"
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}

port=$(free_port)
echo "udp_buffer: 67108864" >"$work/settings.yaml"
start standstill --settings "$work/settings.yaml" --zones zones --listen "127.0.0.1:$port" --local-as test-space --workers 1 \
    --upstream none --control-socket "$work/control"
expect "it answers" "10.0.0.37 10.0.16.21" "$(addresses "$(ask +short frozen-oasis-70544.herokuapp.com)")"

cat >"$work/clients.py" <<'END'
import os, signal, socket, struct, sys, time
port, server, patience = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
name = b"".join(bytes([len(part)]) + part for part in
                b"frozen-oasis-70544.herokuapp.com".split(b".")) + b"\0"
OLD, LAST = 4000, 4999

def query(number):
    return struct.pack("!HHHHHH", number, 0x100, 1, 0, 0, 0) + name + b"\0\1\0\1"

client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
client.connect(("127.0.0.1", port))
os.kill(server, signal.SIGSTOP)
while " (spacednsd) T " not in open("/proc/%d/stat" % server).read():
    time.sleep(0.001)
for number in range(OLD): # as many as the kernel's buffer has room for wait
    client.send(query(number))
time.sleep(3)
os.kill(server, signal.SIGCONT)
old, answered = 0, False
end = time.monotonic() + patience
while not answered and time.monotonic() < end: # a client that asks anew until it is answered
    client.send(query(LAST))
    client.settimeout(0.2)
    try:
        while not answered:
            number, = struct.unpack("!H", client.recv(1500)[:2])
            old += number < OLD
            answered = number == LAST
    except TimeoutError:
        pass
print(old, answered)
END
read -r old answered <<<"$(/usr/bin/python3 "$work/clients.py" "$port" "$server" "$patience")"
expect "what is asked afterwards is answered" True "$answered"
expect "what has waited for seconds is not answered" 0 "$old"
dropped=$("$SPACEDNS" status --socket "$work/control" | sed -n 's/^udp_outdated *\([0-9]*\).*/\1/p')
[ "${dropped:-0}" -ge 64 ] && pass || fail "they are counted" "udp_outdated ${dropped:-not there}"
stop
expect "exit code" 0 "$code"
finish
