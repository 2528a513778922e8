#!/bin/bash
# The query log has the very lines that the manual promises, and the same keys as JSON.
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"

port=$(free_port)
zones=$work/zones
mkdir "$zones"
sed 's/state: crashed/state: down/' zones/test-space.yaml >"$zones/test-space.yaml"

# Five queries, whose sizes dig prints: an answer, a reason, TCP, an outsider, a name with quotes.
ask_all() {
    {
        ask -b 10.0.130.56 +noedns frozen-oasis-70544.herokuapp.com A
        ask -b 10.0.130.56 sleepy-river-2739.herokuapp.com A
        ask -b 10.20.3.4 +tcp api.example.com AAAA
        ask -b 203.0.113.9 frozen-oasis-70544.herokuapp.com A
        ask -b 10.0.130.56 'a\"b\032c=d.example.org' TYPE65400
    } >"$work/dig"
    mapfile -t sizes < <(sed -n 's/^;; MSG SIZE  rcvd: //p' "$work/dig")
    expect "every query gets a reply" 5 "${#sizes[@]}"
}

has_lines() {
    [ "$(wc -l <"$work/$1.out")" -ge "$2" ]
}

without_times() {
    sed -E 's/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}\+00:00 /TIME /; s/ service=[0-9]+ms / service=0ms /'
}

# ---- logfmt ----

start logfmt --zones "$zones" --listen "127.0.0.1:$port" --log-queries all
ask_all
await has_lines logfmt 5 || fail "five lines within $patience s" "$(cat "$work/logfmt.out")"
stop
expect "exit code" 0 "$code"
mapfile -t lines < <(without_times <"$work/logfmt.out" | sort -t' ' -k1,1 -s)
expect "an answer" "TIME heroku[dns]: at=info host=frozen-oasis-70544.herokuapp.com qtype=A fwd=\"10.0.130.56\" class=space space=test-space app=frozen-oasis-70544 status=NOERROR answers=2 ttl=30 service=0ms bytes=82 protocol=udp" "${lines[0]}"
expect "no web dyno" "TIME heroku[dns]: at=error code=Q14 desc=\"No web dynos running\" host=sleepy-river-2739.herokuapp.com qtype=A fwd=\"10.0.130.56\" class=space space=test-space app=sleepy-river-2739 status=NOERROR answers=0 ttl=5 service=0ms bytes=${sizes[1]} protocol=udp" "${lines[1]}"
expect "no address of this type, over TCP" "TIME heroku[dns]: at=info host=api.example.com qtype=AAAA fwd=\"10.20.3.4\" class=peered space=test-space app=frozen-oasis-70544 status=NOERROR answers=1 ttl=5 service=0ms bytes=${sizes[2]} protocol=tcp" "${lines[2]}"
expect "an outsider" "TIME heroku[dns]: at=error code=Q18 desc=\"Client is outside every space, peering and VPN served here\" host=frozen-oasis-70544.herokuapp.com qtype=A fwd=\"203.0.113.9\" class=external space= app= status=REFUSED answers=0 ttl=0 service=0ms bytes=${sizes[3]} protocol=udp" "${lines[3]}"
expect_match "a name that would break the line is escaped" 'host="a[^ ]*b[^ ]*c=d\.example\.org" qtype=TYPE65400 fwd="10.0.130.56"' "${lines[4]}"
expect "five queries, five lines" 5 "${#lines[@]}"

# ---- JSON ----

start json --zones "$zones" --listen "127.0.0.1:$port" --log-queries all --log-format json
ask_all
await has_lines json 5 || fail "five lines within $patience s" "$(cat "$work/json.out")"
stop
report=$(/usr/bin/python3 - "$work/logfmt.out" "$work/json.out" <<'END'
import json, re, sys

plain = open(sys.argv[1]).read().splitlines()
for number, (text, line) in enumerate(zip(plain, open(sys.argv[2])), 1):
    entry = json.loads(line)
    keys = re.findall(r' (\w+)=', re.sub(r'"[^"]*"', '""', text))
    missing = [key for key in keys if key not in entry]
    if missing:
        print(f"line {number}: JSON lacks {missing}: {line}")
    for key in ("host", "code", "space", "app", "protocol"):
        found = re.search(rf' {key}=([^" ]*)(?: |$)', text)
        if found and (entry[key] or "") != found.group(1) and "\\" not in found.group(1):
            print(f"line {number}: {key} is {entry[key]!r}, in logfmt {found.group(1)!r}")
END
)
expect "JSON has the same with the same keys" "" "$report"

# ---- what README shows ----

start readme --zones zones --listen "127.0.0.1:$port" --log-queries all
ask -b 10.0.130.56 +noedns frozen-oasis-70544.herokuapp.com A >"$work/dig"
ask -b 10.0.130.56 sleepy-river-2739.herokuapp.com A >"$work/dig"
await has_lines readme 2 || fail "two lines within $patience s"
stop
expect "README shows these lines" "$(without_times <"$work/readme.out")" \
    "$(grep -F ' heroku[dns]: ' README.md | without_times)"

# ---- failures by default, none if told, and never in the way ----

start usual --zones "$zones" --listen "127.0.0.1:$port"
ask_all
stop
expect "without --log-queries, the failures" "Q14 Q18 Q20" \
    "$(grep -oP ' code=\KQ\d+' "$work/usual.out" | sort | xargs)"
expect "and nothing else" "$(wc -l <"$work/usual.out")" 3
start silent --zones "$zones" --listen "127.0.0.1:$port" --log-queries none
ask_all
stop
expect "no line with --log-queries none" "" "$(cat "$work/silent.out")"

for sink in /dev/full closed; do
    name=sink-$(basename "$sink")
    if [ "$sink" = closed ]; then
        "$SPACEDNSD" "${as_user[@]}" --http-listen none --zones "$zones" --listen "127.0.0.1:$port" --log-queries all --upstream none >&- 2>"$work/$name.err" &
    else
        "$SPACEDNSD" "${as_user[@]}" --http-listen none --zones "$zones" --listen "127.0.0.1:$port" --log-queries all --upstream none >"$sink" 2>"$work/$name.err" &
    fi
    server=$!
    server_log=$work/$name.err
    children+=("$server")
    await is_up_or_gone
    for _ in 1 2 3 4 5 6 7 8; do
        got=$(ask -b 10.0.130.56 +short frozen-oasis-70544.herokuapp.com A)
        expect "an answer while standard output is $sink" "10.0.0.37 10.0.16.21" "$(addresses "$got")"
    done
    stop
    expect "exit code with standard output $sink" 0 "$code"
done

# Nobody reads the pipe: the lines go nowhere, the answers go on.
mkfifo "$work/pipe"
exec {unread}<>"$work/pipe"
"$SPACEDNSD" "${as_user[@]}" --http-listen none --zones "$zones" --listen "127.0.0.1:$port" --log-queries all --upstream none >"$work/pipe" 2>"$work/unread.err" &
server=$!
server_log=$work/unread.err
children+=("$server")
await is_up_or_gone
/usr/bin/python3 - "$port" >"$work/unread.answers" <<'END'
import socket, sys

question = b"\x01frozen-oasis-70544\x09herokuapp\x03com\x00".replace(b"\x01f", b"\x12f")
query = b"\x12\x34\x00\x00\x00\x01" + b"\x00" * 6 + question + b"\x00\x01\x00\x01"
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.bind(("10.0.130.56", 0))
client.connect(("127.0.0.1", int(sys.argv[1])))
client.settimeout(10)
answered = 0
for _ in range(3000):
    client.send(query)
    answered += len(client.recv(1500)) == 82
print(answered)
END
expect "answers while the log has no reader" 3000 "$(cat "$work/unread.answers")"
kill -TERM "$server"
await is_gone "$server" || fail "the server ends while the log has no reader"
exec {unread}<&-
finish
