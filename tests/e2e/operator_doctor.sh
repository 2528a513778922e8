#!/bin/bash
# spacedns doctor: beside a server that is well, one that is gone, and nameservers that spoil one
# thing each; it names the hop and what to do, and its exit code shows whether all is well.
# timeout: 60
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}

# run ARGUMENT...: leaves $code, $out, $err
run() {
    timeout "$patience" "$SPACEDNS" "$@" >"$work/out" 2>"$work/err" </dev/null
    code=$?
    out=$(cat "$work/out")
    err=$(cat "$work/err")
}

# doctor LINES ARGUMENT...: with such a resolv.conf
doctor() {
    printf '%b\n' "$1" >"$work/resolv.conf"
    shift
    run doctor "$@" --resolv-conf "$work/resolv.conf"
}

# fails WHAT STEP PATTERN: exit code 1, and only that step fails
fails() {
    expect "$1: exit code" 1 "$code"
    expect "$1: only $2 fails" "$2" "$(sed -n 's/^  fail  \([^ ]*\) .*/\1/p' <<<"$out" | xargs)"
    expect_match "$1" "^  fail  $2 +$3" "$out"
}

start well --zones zones --listen 10.0.0.2:53 --listen 203.0.113.9:53 --allow-public-listen

# relay ADDRESS MODE: a nameserver that hands questions on to the server over UDP, and spoils one thing
relay() {
    : >"$work/relay-$1"
    /usr/bin/python3 - "$1" "$2" >"$work/relay-$1" 2>&1 <<'END' &
import socket, sys, time
mode = sys.argv[2]
front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
front.bind((sys.argv[1], 53))
print("ready", flush=True)
if mode != "udp-only":
    import threading
    listener = socket.create_server((sys.argv[1], 53))
    def serve():
        while True:
            near = listener.accept()[0]
            if mode == "trickle":
                for octet in near.recv(65535):
                    time.sleep(0.5)
                    try:
                        near.send(bytes([octet]))
                    except OSError:
                        break
                near.close()
                continue
            with near, socket.create_connection(("10.0.0.2", 53)) as far:
                far.sendall(near.recv(65535))
                near.sendall(far.recv(65535))
    threading.Thread(target=serve, daemon=True).start()
while True:
    query, client = front.recvfrom(65535)
    end = query.index(b"\0", 12)
    kind = query[end + 1:end + 3]
    if mode == "no-edns" and query[11]:
        continue
    if mode == "no-aaaa" and kind == b"\0\x1c":
        continue
    back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    back.settimeout(5)
    back.sendto(query, ("10.0.0.2", 53))
    reply = bytearray(back.recv(65535))
    if mode == "ignorant":
        reply = query[:2] + b"\x81\x83" + query[4:6] + b"\0" * 6 + query[12:end + 5]
    if mode == "stale":
        reply = reply.replace(bytes([10, 0, 0, 37]), bytes([10, 0, 0, 99]))
    if mode == "filter" and kind == b"\0\1":
        reply = query[:2] + b"\x81\x80" + query[4:6] + b"\0" * 6 + query[12:end + 5]
    if mode == "aaaa-missing" and kind == b"\0\x1c":
        reply = query[:2] + b"\x81\x83" + query[4:6] + b"\0" * 6 + query[12:end + 5]
    if mode == "cut":
        reply = reply[:-7]
    if mode == "hostile" and kind == b"\0\x10":
        ede = b"\0\x12\x1b[31mred\x07"
        option = b"\0\x0f" + len(ede).to_bytes(2, "big") + ede
        reply = query[:2] + b"\x81\x85" + query[4:6] + b"\0" * 5 + b"\1" + query[12:end + 5] + \
            b"\0\0\x29\x04\xd0" + b"\0" * 4 + len(option).to_bytes(2, "big") + option
    if mode == "forged":
        front.sendto(bytes([reply[0] ^ 255]) + reply[1:], client)
        front.sendto(b"", client)
    front.sendto(reply, client)
END
    children+=($!)
    await grep -q '^ready' "$work/relay-$1" || fail "the nameserver begins: $2" "$(cat "$work/relay-$1")"
}

# ---- all is well ----

doctor 'nameserver 10.0.0.2'
expect "well: exit code" 0 "$code"
expect "well" "$work/resolv.conf
  ok    servers   1
  ok    search    0 suffixes, ndots:1: no useless queries
nameserver 10.0.0.2:53
  ok    udp       answers
  ok    edns      answers of up to 1232 octets
  ok    tcp       answers
  ok    whoami    address=10.0.0.2 class=space space=test-space matched=10.0.0.0/16 transport=udp edns=1232 server=X generation=1
  ok    a+aaaa    both answered at once: NOERROR
All is well." "$(sed 's/server=[^ ]*/server=X/' <<<"$out")"

doctor 'nameserver 10.0.0.2' api.example.com
expect "a name: exit code" 0 "$code"
expect_match "a name" '^  ok    name      api\.example\.com has 10\.0\.0\.37 10\.0\.16\.21$' "$out"
doctor 'nameserver 10.0.0.2' web.frozen-oasis-70544.app.localspace.
expect "a discovery name: exit code" 0 "$code"
expect_match "a discovery name" 'has 10\.0\.130\.56 10\.0\.151\.218$' "$out"

doctor 'nameserver 10.0.0.2' café.example.com
expect "a name beyond ASCII: exit code" 2 "$code"
expect_match "a name beyond ASCII" '^Error: café\.example\.com is not ASCII, .* write it in Punycode \(xn--\.\.\.\)$' "$err"
doctor '# comment\nsearch a.example b.example\noptions rotate ndots:5 edns0\nnameserver 10.0.0.2' api.example.com
expect "useless questions: exit code" 0 "$code"
expect_match "useless questions" '^  note  search    a lookup of api\.example\.com sends 4 useless queries first \(2 search suffixes, ndots:5\); write it with a dot at the end, or set `options ndots:1`$' "$out"
doctor 'domain old.example\nsearch a.example b.example\noptions ndots:5\nnameserver 10.0.0.2' api.example.com.
expect_match "a dot at the end: no useless queries" '^  ok    search    2 suffixes, ndots:5' "$out"
doctor 'nameserver 10.0.0.2\nnameserver 10.0.0.2\nnameserver 10.0.0.2\nnameserver 10.0.0.2'
expect_match "a fourth nameserver" '^  note  servers   1 nameserver line is not used' "$out"

doctor 'nameserver 10.0.0.2' api.example.com --json
expect "for machines" "8 ok 10.0.0.2:53" "$(/usr/bin/python3 -c '
import json, sys
steps = json.load(sys.stdin)
print(len(steps), *{s["result"] for s in steps}, steps[-1]["hop"])' <<<"$out")"

# ---- names that have no address ----

doctor 'nameserver 10.0.0.2' sleepy-river-2739.herokuapp.com
fails "no running web dyno" name 'sleepy-river-2739\.herokuapp\.com gets NOERROR without addresses: Q10 .*; every web dyno of the app has crashed'
doctor 'nameserver 10.0.0.2' wbe.frozen-oasis-70544.app.localspace
fails "a mistyped process" name '.* gets NXDOMAIN: Q25 .*did you mean web'
doctor 'nameserver 10.0.0.2' open-plain-1001-1234567890ab.herokuapp.com
fails "an app that is not internal" name '.* gets REFUSED: Q20 .*has no internal routing; to have it, recreate the app$'
doctor 'nameserver 10.0.0.2' frozen-oasis-70544
expect_match "an app's name alone" '^  note  search    frozen-oasis-70544 has no dot; .* as in frozen-oasis-70544\.herokuapp\.com$' "$out"

# ---- hops that fail ----

doctor 'nameserver 203.0.113.9'
expect "an outsider: exit code" 1 "$code"
expect_match "an outsider" '^  fail  whoami    REFUSED: Q18 .*; ask from a dyno' "$out"
doctor 'nameserver 10.0.0.77' api.example.com
fails "nothing listens" udp 'refused: nothing listens at 10\.0\.0\.77:53; check that the server runs'
relay 10.0.0.61 udp-only
doctor 'nameserver 10.0.0.61' api.example.com
fails "no TCP" tcp 'refused: nothing listens at 10\.0\.0\.61:53; long answers need it: open TCP port 53'
relay 10.0.0.62 no-edns
doctor 'nameserver 10.0.0.62' api.example.com
fails "EDNS is lost" edns 'questions with EDNS get no good answer, those without do'
relay 10.0.0.63 no-aaaa
doctor 'nameserver 10.0.0.63' api.example.com
expect "one of two answers is lost: exit code" 1 "$code"
expect_match "one of two answers is lost" '^  fail  a\+aaaa    asked at once from one port, AAAA gets no answer.*single-request-reopen' "$out"
relay 10.0.0.64 ignorant
doctor 'nameserver 10.0.0.64'
fails "a foreign nameserver" whoami 'NXDOMAIN: this nameserver is not spacedns and does not forward'
relay 10.0.0.65 stale
doctor 'nameserver 10.0.0.65' api.example.com
fails "an old answer" name 'api\.example\.com gets 10\.0\.0\.99 10\.0\.16\.21, but the server decides NOERROR'
relay 10.0.0.66 filter
doctor 'nameserver 10.0.0.66' api.example.com
fails "private addresses are taken out" name 'api\.example\.com gets NOERROR without addresses, but the server decides NOERROR: .*rebinding'
relay 10.0.0.67 aaaa-missing
doctor 'nameserver 10.0.0.67' api.example.com
expect_match "AAAA as if the name were missing" '^  fail  a\+aaaa    A gets NOERROR and AAAA gets NXDOMAIN' "$out"
doctor 'nameserver 10.0.0.2\nnameserver 10.0.0.65' api.example.com
expect_match "nameservers that differ" '^  fail  same      this nameserver.s answer for api\.example\.com is not the first' "$out"

relay 10.0.0.68 forged
doctor 'nameserver 10.0.0.68' api.example.com
expect "replies that are not to the question are passed over: exit code" 0 "$code"
relay 10.0.0.70 hostile
doctor 'nameserver 10.0.0.70'
fails "a reason that might control the terminal" whoami 'REFUSED: \?\[31mred\?; ask from a dyno'
relay 10.0.0.71 trickle
before=$(now_ms)
doctor 'nameserver 10.0.0.71'
fails "a reply over TCP that comes octet by octet" tcp 'no answer within 3 seconds; long answers need it'
[ $(($(now_ms) - before)) -lt 6000 ] || fail "it does not wait anew for each octet"
relay 10.0.0.69 cut
doctor 'nameserver 10.0.0.69'
fails "replies that cannot be read" udp 'no answer within 3 seconds'

kill -STOP "$server"
doctor 'nameserver 10.0.0.2'
fails "a server that hangs" udp 'no answer within 3 seconds; check that the server runs'
kill -CONT "$server"
stop
doctor 'nameserver 10.0.0.2'
fails "a server that is gone" udp 'refused: nothing listens at 10\.0\.0\.2:53'

for lines in '' 'nameserver here' 'options edns0'; do
    doctor "$lines"
    expect_match "no nameserver in \"$lines\"" '^  note  servers +names no nameserver that can be used, so clients use 127\.0\.0\.1; write a line `nameserver ADDR`$' "$out"
    fails "no nameserver in \"$lines\"" udp 'refused: nothing listens at 127\.0\.0\.1:53'
done

# ---- what cannot be done ----

run doctor --resolv-conf "$work"
expect "a folder as resolv.conf: exit code" 1 "$code"
expect "a folder as resolv.conf" "Error: $work is a folder, not a file; name another with --resolv-conf FILE" "$err"
run doctor --resolv-conf "$work/none"
expect "no resolv.conf: exit code" 1 "$code"
expect "no resolv.conf" "Error: $work/none cannot be opened: No such file or directory; name another with --resolv-conf FILE" "$err"
run doctor 'bad..name'
expect "no name: exit code" 2 "$code"
expect "no name" "Error: \`bad..name\` is not a domain name; write one such as api.example.com" "$err"
run doctor ''
expect "an empty name" "2 Error: \`\` is not a domain name; write one such as api.example.com" "$code $err"
run doctor 10.0.130.56
expect "an address" "2 Error: 10.0.130.56 is an address, and doctor looks up names; who is there: spacedns whoami --from 10.0.130.56" "$code $err"
for name in 'api example.com' http://api.example.com/ api.example.com:443 someone@example.com; do
    run doctor "$name"
    expect "a host name among other things" "2 Error: $name is not a domain name; write the host name alone, such as api.example.com" "$code $err"
done
finish
