#!/bin/bash
# The API over HTTP: openapi.json and every answer that it describes, what the answers hold, refusals,
# streams of queries, and clients that are a burden while DNS goes on.
# timeout: 240
. "$(dirname "$0")/lib.bash"

enter_private_network || skip "no network namespace may be made here"
need curl
/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || skip "there is no python3-jsonschema"
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
"$SPACEDNSD" --version | grep -q '^http: libmicrohttpd ' || skip "this build has no libmicrohttpd"

zones=$work/zones
mkdir "$zones"
cp zones/test-space.yaml "$zones/"
port=5300
http=127.0.0.1:9153
socket=$work/control.sock
flags=(--zones "$zones" --listen "127.0.0.1:$port" --local-as test-space --workers 2 --control-socket "$socket" --http-listen "$http")

spacedns() {
    "$SPACEDNS" "$@" --socket "$socket"
}

# get PATH CURL-ARGUMENT...: the body
get() {
    curl -s --max-time "$patience" "http://$http$1" "${@:2}"
}

# code PATH CURL-ARGUMENT...: the status code
code() {
    get "$1" -o /dev/null -w '%{http_code}' "${@:2}"
}

# field PATH EXPRESSION: of the answer, as `it`
field() {
    get "$1" | /usr/bin/python3 -c "import json, sys; it = json.load(sys.stdin); print($2)"
}

# refused WHAT CODE PATTERN PATH: a code, and an error of JSON
refused() {
    expect "$1" "$2" "$(code "$4")"
    expect_match "$1: the sentence" "$3" "$(field "$4" 'it["error"]')"
}

# value SERIES: its value now
value() {
    get /metrics | awk -v series="$1" 'index($0, series " ") == 1 { print substr($0, length(series) + 2) }'
}

ended() {
    value "spacedns_http_connections_closed_total{cause=\"$1\"}"
}

dns_answers() {
    expect "$1: DNS answers" "10.0.0.37 10.0.16.21" "$(addresses "$(ask +short frozen-oasis-70544.herokuapp.com)")"
}

start server "${flags[@]}"
ask frozen-oasis-70544.herokuapp.com >/dev/null
ask -b 10.20.3.4 frozen-oasis-70544.herokuapp.com >/dev/null
ask -b 10.0.130.56 sleepy-river-2739.herokuapp.com >/dev/null
ask -b 192.0.2.7 frozen-oasis-70544.herokuapp.com >/dev/null

# ---- every path, and its schema ----

/usr/bin/python3 tests/support/openapi.py "http://$http" '/page/{name}?name=page.css' \
    '/api/v1/apps/{name}?name=frozen-oasis-70544' '/api/v1/uses?space=test-space' \
    '/api/v1/explain?name=sleepy-river-2739.herokuapp.com' '/api/v1/explain?from=10.0.130.56' \
    >"$work/openapi" 2>&1 && pass || fail "openapi.json, and all that it describes" "$(cat "$work/openapi")"
for name in sleepy-river-2739 open-plain-1001; do
    /usr/bin/python3 tests/support/openapi.py "http://$http" '/page/{name}?name=page.js' \
        "/api/v1/apps/{name}?name=$name" '/api/v1/uses?space=test-space' '/api/v1/queries?failed=1' \
        '/api/v1/explain?name=www.example.org' '/api/v1/explain?from=192.0.2.7' >"$work/openapi" 2>&1 &&
        pass || fail "the same with others: $name" "$(cat "$work/openapi")"
done

# ---- what they hold ----

expect "the page" "text/html; charset=utf-8" "$(get / -o /dev/null -w '%{content_type}')"
headers=$(get / -o /dev/null -D - | tr -d '\r')
expect_match "its policy" "^Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$" "$headers"
for header in 'X-Content-Type-Options: nosniff' 'Referrer-Policy: no-referrer' 'Cache-Control: no-cache'; do
    expect_match "its header $header" "^$header$" "$headers"
done
for file in cmd/spacednsd/page/*; do
    get "/page/${file##*/}" | cmp -s - "$file" && pass || fail "the page's file ${file##*/} as it is"
done
expect "one router" "{'ip': '10.0.0.37', 'state': 'up', 'az': None}" "$(field /api/v1/spaces 'it["spaces"][0]["routers"][0]')"
expect "who is let in" "['pcx-111aaa111', 'office']" "$(field /api/v1/spaces '[each["name"] for each in it["spaces"][0]["connections"] if each["lets_in"]]')"
expect "apps" "['frozen-oasis-70544', 'sleepy-river-2739', 'open-plain-1001']" "$(field /api/v1/apps '[each["name"] for each in it["apps"]]')"
expect "asked in the last minute" "[3, 1, 0]" "$(field /api/v1/apps '[each["asked_last_minute"] for each in it["apps"]]')"
expect "and by minute" "3 60" "$(field /api/v1/apps 'sum(it["apps"][0]["asked_by_minute"]), len(it["apps"][0]["asked_by_minute"])' | tr -d '(),')"
expect "those with a part of a name" "['open-plain-1001']" "$(field '/api/v1/apps?contains=PLAIN' '[each["name"] for each in it["apps"]]')"
next=
names=
for _ in 1 2 3 4; do
    names+=" $(field "/api/v1/apps?limit=1$next" 'it["apps"][0]["name"]')"
    after=$(field "/api/v1/apps?limit=1$next" 'it["next"]')
    [ "$after" != None ] || break
    next="&after=$after"
done
expect "a page at a time" " frozen-oasis-70544 sleepy-river-2739 open-plain-1001" "$names"
expect "a domain and its target" "random-haiku-5196.also-random-3847.herokuspace.com" \
    "$(field /api/v1/apps/frozen-oasis-70544 '{each["hostname"]: each["cname"] for each in it["domains"]}["api.example.com"]')"
expect "a dyno" "{'number': 1, 'private_ip': '10.0.131.7', 'state': 'crashed'}" "$(field /api/v1/apps/sleepy-river-2739 'it["formation"][0]["dynos"][0]')"
users='[(each["kind"], each.get("name"), each["asked"]) for each in it["used_by"]]'
expect_match "who uses an app" "\('peering', 'pcx-111aaa111', 1\)" "$(field /api/v1/apps/frozen-oasis-70544 "$users")"
expect_match "as the command prints it" "\('peering', 'pcx-111aaa111', 1\)" "$(spacedns who-uses frozen-oasis-70544 --json |
    /usr/bin/python3 -c "import json, sys; it = json.load(sys.stdin); it['used_by'] = it['who']; print($users)")"
expect "who uses whom" "('app', 'frozen-oasis-70544', 'sleepy-river-2739', 1)" \
    "$(field '/api/v1/uses?space=test-space' '[(each["from"]["kind"], each["from"]["name"], each["app"], each["failed"]) for each in it["uses"] if each["from"]["kind"] == "app"][0]')"
expect "reasons of the last hour" "['Q10', 'Q18', 'Q40']" "$(field /api/v1/reasons 'sorted(each["reason"] for each in it["reasons"])')"
expect "explain as the command" "$(spacedns explain sleepy-river-2739.herokuapp.com --from 10.0.130.56 --live --json | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin))')" \
    "$(field '/api/v1/explain?name=sleepy-river-2739.herokuapp.com&from=10.0.130.56' it)"
expect "the last failure" "Q18" "$(field '/api/v1/queries?failed=1&n=1' 'it["queries"][0]["code"]')"
expect "of one client" "1" "$(field '/api/v1/queries?client=10.20.0.0/16' 'len(it["queries"])')"

sed -i 's/^cidr:.*/cidr: 10.0.0.1\/16/' "$zones/test-space.yaml"
spacedns reload --note "ticket <7>" >/dev/null 2>&1
expect "a refused reload" "('refused', 1, 1, 'reload', 'ticket <7>', True)" \
    "$(field /api/v1/reloads '(it["reloads"][0]["result"], it["reloads"][0]["generation"], it["reloads"][0]["files_changed"], it["reloads"][0]["command"], it["reloads"][0]["note"], "E-SPACE-CIDR" in it["reloads"][0]["cause"])')"
cp zones/test-space.yaml "$zones/"
reload
expect "the newest is the first" "['unchanged', 'refused', 'done']" "$(field /api/v1/reloads '[each["result"] for each in it["reloads"]]')"
for _ in $(seq 52); do
    reload
done
expect "fifty are kept" 50 "$(field /api/v1/reloads 'len(it["reloads"])')"

# ---- refusals ----

refused "an argument that there is not" 400 'has no argument limi; did you mean limit\?' '/api/v1/apps?limi=1'
refused "an argument twice" 400 'limit is given twice' '/api/v1/apps?limit=1&limit=1'
refused "an octet 0" 400 'space is not encoded' '/api/v1/apps?space=a%00b'
refused "a space that is not there" 404 'no space tset-space is served; did you mean test-space\?' '/api/v1/apps?space=tset-space'
refused "an app that is not there" 404 'no app nothing is served' '/api/v1/apps/nothing'
refused "an app of another space" 404 'no app sleepy-river-2739 is served in other' '/api/v1/apps/sleepy-river-2739?space=other'
refused "a page behind nothing" 400 'after names no app' '/api/v1/apps?after=test-space/gone'
refused "a page behind an app of another space" 400 'after names no app' '/api/v1/apps?after=other/open-plain-1001'
refused "a reason that there is not" 400 'Q10' '/api/v1/queries?reason=Q99x'
refused "a block that is none" 400 '10.0.0.0/33' '/api/v1/queries?client=10.0.0.0/33'
refused "no client to explain" 400 'needs the argument from' '/api/v1/explain?name=a.example'
refused "a client that is none" 400 'from is no address: 10.0.0; write' '/api/v1/explain?name=a.example&from=10.0.0'
refused "a web address" 400 'is a web address; write its host alone: a.example' '/api/v1/explain?name=https://a.example/x&from=10.0.0.1'
refused "no such path" 404 'openapi.json lists' /api/v2/apps
markup='%3Cscript%3Ealert(1)%3C/script%3E'
refused "markup for a client stays text" 400 '<script>alert\(1\)</script>' "/api/v1/explain?name=a&from=$markup"
expect "markup to explain is a name" "<script>alert\\(1\\)</script>" "$(field "/api/v1/explain?name=$markup&from=10.0.130.56" 'it["name"]')"
refused "1,025 octets to explain" 400 'name is longer than 1024 octets' "/api/v1/explain?from=10.0.0.1&name=$(printf 'a%.0s' $(seq 1025))"
expect "64 KB to explain" 414 "$(code "/api/v1/explain?from=10.0.0.1&name=$(head -c 65536 /dev/zero | tr '\0' a)")"
dns_answers "after refusals"

# ---- streams ----

# stream NAME QUERY: follows queries into $work/NAME.events; leaves its process in $reader, which
# holds no end of a pipe open
stream() {
    curl -sN -H 'Accept: text/event-stream' "http://$http/api/v1/queries?$2" >"$work/$1.events" 6>&- &
    reader=$!
    children+=("$reader")
}
stream all n=1
all=$reader
await grep -q '^event: query' "$work/all.events" && pass || fail "what is kept comes first"
stream failed 'n=0&failed=1'
failed=$reader
is_following() {
    ask "$1.herokuapp.com" >/dev/null
    grep -q "\"host\":\"$1" "$work/$2.events"
}
await is_following sleepy-river-2739 failed && pass || fail "a failure is followed" "$(cat "$work/failed.events")"
await is_following frozen-oasis-70544 all && pass || fail "everything is followed"
expect "with a filter only that" 0 "$(grep -c frozen-oasis "$work/failed.events")"
# are_whole NAME: all that it got is events, whole, whose data is JSON
are_whole() {
    /usr/bin/python3 - "$work/$1.events" <<'PY'
import json, sys
*events, rest = open(sys.argv[1]).read().split("\n\n")
for event in events:
    lines = event.split("\n")
    assert event == ": alive" or len(lines) == 2, event
    if event != ": alive":
        assert lines[0] in ("event: query", "event: dropped") and lines[1].startswith("data: "), event
        json.loads(lines[1][6:])
assert len(events) > 0
PY
}
are_whole all && pass || fail "events are whole"
readers=()
for number in 3 4 5 6 7 8; do
    stream "more$number" n=0
    readers+=("$reader")
done
is_full() {
    [ "$(code '/api/v1/queries?n=0' -H 'Accept: text/event-stream' --max-time 1)" = 503 ]
}
are_there() {
    [ "$(cat "$work"/more*.events | grep -c 'sleepy-river')" -ge 6 ]
}
ask_and_look() {
    ask sleepy-river-2739.herokuapp.com >/dev/null
    are_there
}
await ask_and_look && pass || fail "eight streams at once"
is_full && pass || fail "a ninth one is refused"
kill "${readers[@]}"
is_free() {
    ! is_full
}
await is_free && pass || fail "those that have gone make room"
is_alive() {
    [ "$(grep -c '^: alive$' "$work/all.events")" -ge 2 ]
}
patience=60 await is_alive && pass || fail "a comment comes every 15 s, so HTTP's 10 s do not end a stream"
reload
await is_following open-plain-1001 all && pass || fail "a reload does not end a stream"
# a reader that reads nothing, while queries come: 30,000 in all
cat >"$work/deaf.py" <<'PY'
import socket, sys
with socket.socket() as connection:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", 9153))
    connection.sendall(b"GET /api/v1/queries?n=0 HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n")
    print("there", flush=True)
    sys.stdin.read()
PY
mkfifo "$work/deaf"
/usr/bin/python3 "$work/deaf.py" <"$work/deaf" >"$work/deaf.out" &
deaf=$!
children+=("$deaf")
exec 6>"$work/deaf"
await grep -q there "$work/deaf.out"
stream after n=0
after=$reader
timeouts=$(ended timeout)
/usr/bin/python3 - "$port" <<'PY'
import socket, struct, sys, time
connection = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
connection.settimeout(5)
connection.connect(("127.0.0.1", int(sys.argv[1])))
name = b"\x12frozen-oasis-70544\x09herokuapp\x03com\0\0\1\0\1"
for second in range(4):
    end = time.monotonic() + 1
    for number in range(1200):
        connection.send(struct.pack(">6H", number, 0x100, 1, 0, 0, 0) + name)
        connection.recv(4096)
    time.sleep(max(0, end - time.monotonic()))
PY
dns_answers "with a reader that reads nothing"
is_told() {
    grep -q '^event: dropped' "$work/after.events"
}
await is_told && pass || fail "what a stream has not got is counted for it"
are_whole all && are_whole after && pass || fail "thousands of events are whole, too"
is_ended() {
    [ "$(ended timeout)" -gt "$timeouts" ]
}
patience=40 await is_ended && pass || fail "a reader that reads nothing is disconnected" "$(get /metrics | grep http_conn)"
kill -0 "$all" "$failed" "$after" && pass || fail "and no other"
exec 6>&-
wait "$deaf"

# ---- at the end, and at an upgrade ----

before=$server
spacedns upgrade >"$work/upgrade.out" 2>&1 && pass || fail "an upgrade" "$(cat "$work/upgrade.out")"
server=$(field /api/v1/status 'it["pid"]')
children+=("$server")
await is_gone "$before" || fail "the server before leaves though streams are open"
for reader in "$all" "$failed" "$after"; do
    wait "$reader"
    expect "an upgrade ends streams as they should" 0 $?
done
stream last n=0
await is_following sleepy-river-2739 last && pass || fail "the new server has streams"
kill "$server"
await is_gone "$server" && pass || fail "a server with a stream ends"
wait "$reader"
expect "and so does the stream" 0 $?

# ---- clients that are a burden ----

start burdened "${flags[@]}"
# burden KIND: connections of that kind, until its input ends
cat >"$work/burden.py" <<'PY'
import socket, sys
kind, held = sys.argv[1], []
ask = {
    "headers": [b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X-%d: y\r\n" % number * 3000 for number in range(100)],
    "tricks": [b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % path for path in (
        b"/" + b"a" * 70000, b"//", b"/..", b"/%2e%2e/%2e%2e/etc/passwd", b"/page/..%2f..%2fetc%2fpasswd", b"/page/%00", b"/\0", b"\0",
        b"/api/v1/apps/" + b"%41" * 4000, b"/api/v1/spaces?" + b"a=1&" * 3000, b"*", b"http://127.0.0.1/", b"", b"/ /", b"\xff\xfe")],
    "noise": [bytes((number * 7 + at * 13) % 256 for at in range(4000)) for number in range(100)],
    "readless": [b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 200] * 40,
    "silent": [b""] * 1000,
}[kind]
for octets in ask:
    connection = socket.socket()
    connection.settimeout(1)
    try:
        if kind == "readless":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", 9153))
        connection.setblocking(False)
        connection.send(octets)
    except OSError:
        pass
    if kind in ("readless", "silent"):
        held.append(connection)
    else:
        try:
            connection.settimeout(0.2)
            connection.recv(4096)
        except OSError:
            pass
        connection.close()
print("there", flush=True)
sys.stdin.read()
PY
is_served() {
    [ "$(code /healthz --max-time 2)" = 200 ]
}
for kind in headers tricks noise readless silent; do
    mkfifo "$work/$kind"
    /usr/bin/python3 "$work/burden.py" $kind <"$work/$kind" >"$work/$kind.out" 2>&1 &
    burden=$!
    children+=("$burden")
    exec 7>"$work/$kind"
    patience=60 await grep -q there "$work/$kind.out" || fail "the burden is there: $kind" "$(cat "$work/$kind.out")"
    dns_answers "$kind"
    dns_answers "$kind"
    descriptors=$(find "/proc/$server/fd" -mindepth 1 | wc -l)
    [ "$descriptors" -lt 150 ] && pass || fail "connections are bounded: $kind" "$descriptors descriptors"
    patience=40 await is_served && pass || fail "it serves again: $kind"
    exec 7>&-
    wait "$burden"
done
refused=$(ended refused)
/usr/bin/python3 - <<'PY'
import socket
for _ in range(20):
    with socket.create_connection(("127.0.0.1", 9153)) as connection:
        connection.sendall(b"GET /api/v1/apps HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
PY
await is_served
expect "clients that leave before their answer are not refused" "$refused" "$(ended refused)"
for cause in refused timeout limit done; do
    [ "$(ended $cause)" -gt 0 ] && pass || fail "connections that ended so are counted: $cause"
done
stop
expect "it ends well" 0 "$code"
finish
