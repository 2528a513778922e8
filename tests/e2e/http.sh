#!/bin/bash
# HTTP: metrics that count what was asked, health and readiness in each state, who may ask, and
# clients that send too much, read nothing or hold connections, while DNS goes on.
# timeout: 240
. "$(dirname "$0")/lib.bash"

enter_private_network || skip "no network namespace may be made here"
need curl
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
"$SPACEDNSD" --version | grep -q '^http: libmicrohttpd ' || skip "this build has no libmicrohttpd"

zones=$work/zones
mkdir "$zones"
cp zones/test-space.yaml "$zones/"
port=5300
http=127.0.0.1:9153
socket=$work/control.sock
flags=(--zones "$zones" --listen "127.0.0.1:$port" --local-as test-space --workers 2 --control-socket "$socket")

spacedns() {
    "$SPACEDNS" "$@" --socket "$socket"
}

# get PATH CURL-ARGUMENT...: the body
get() {
    curl -s --max-time "$patience" "http://$http$1" "${@:2}"
}

# code PATH CURL-ARGUMENT...: the status code
code() {
    curl -s -o /dev/null -w '%{http_code}' --max-time "$patience" "http://$http$1" "${@:2}"
}

# raw TEXT: what a request as it stands gets; the first line
raw() {
    /usr/bin/python3 - "$1" "$patience" <<'PY'
import socket, sys
with socket.create_connection(("127.0.0.1", 9153), float(sys.argv[2])) as connection:
    connection.settimeout(float(sys.argv[2]))
    connection.sendall(sys.argv[1].encode().decode("unicode_escape").encode("latin-1"))
    print(connection.makefile("rb").readline().decode("latin-1").strip())
PY
}

# value SERIES: its value now
value() {
    get /metrics | awk -v series="$1" 'index($0, series " ") == 1 { print substr($0, length(series) + 2) }'
}

dns_answers() {
    expect "$1: DNS answers" "10.0.0.37 10.0.16.21" "$(addresses "$(ask +short frozen-oasis-70544.herokuapp.com)")"
}

# ---- metrics count what was asked ----

start first "${flags[@]}" --http-listen "$http" --http-listen "unix:$work/http.sock"
expect_match "the log has where" " info http_ready address=127.0.0.1:9153$" "$(cat "$server_log")"
expect_match "and the unix socket" " info http_ready address=unix:$work/http.sock$" "$(cat "$server_log")"
expect "HTTP that is there is no warning" 0 "$(grep -c ' warning http_failed' "$server_log")"
for _ in 1 2 3; do
    ask frozen-oasis-70544.herokuapp.com >/dev/null
done
ask sleepy-river-2739.herokuapp.com >/dev/null
ask +tcp sleepy-river-2739.herokuapp.com >/dev/null
ask -b 192.0.2.7 frozen-oasis-70544.herokuapp.com >/dev/null
reply=spacedns_queries_total
expect "answers" 3 "$(value "$reply{class=\"space\",transport=\"udp\",rcode=\"NOERROR\",reason=\"none\"}")"
expect "an app that has crashed, over UDP" 1 "$(value "$reply{class=\"space\",transport=\"udp\",rcode=\"NOERROR\",reason=\"Q10\"}")"
expect "and over TCP" 1 "$(value "$reply{class=\"space\",transport=\"tcp\",rcode=\"NOERROR\",reason=\"Q10\"}")"
expect "an outsider" 1 "$(value "$reply{class=\"external\",transport=\"udp\",rcode=\"REFUSED\",reason=\"Q18\"}")"
app=spacedns_app_queries_total
expect "answers for an app" 3 "$(value "$app{space=\"test-space\",app=\"frozen-oasis-70544\",outcome=\"answered\"}")"
expect "failures of another" 2 "$(value "$app{space=\"test-space\",app=\"sleepy-river-2739\",outcome=\"failed\"}")"
expect "all of them are local" 6 "$(value 'spacedns_query_duration_seconds_count{source="local"}')"
expect "requests over TCP" 1 "$(value 'spacedns_requests_total{transport="tcp"}')"
expect "generation" 1 "$(value spacedns_snapshot_generation)"
expect "the start is a reload" 1 "$(value 'spacedns_reloads_total{result="done"}')"
expect "its warnings" 2 "$(value 'spacedns_findings{level="warning"}')"
expect "workers" 2 "$(value spacedns_workers)"
expect "none is silent" 0 "$(value spacedns_workers_silent)"
expect "the version" 1 "$(value "spacedns_build_info{version=\"$("$SPACEDNSD" --version | awk 'NR == 1 { print $2 }')\"}")"
memory=$(value process_resident_memory_bytes)
[ "${memory:-0}" -gt 1000000 ] && pass || fail "the memory of the process" "$memory"
# The scraper has one, too, and the former scraper's may just be closing.
counts_descriptors() {
    [ "$(find "/proc/$server/fd" -mindepth 1 | wc -l)" = "$(($(value process_open_fds) - 1))" ]
}
await counts_descriptors && pass || fail "the descriptors of the process"
exec 5<>"/dev/tcp/127.0.0.1/$port"
await test "$(value spacedns_tcp_connections)" = 1 && pass || fail "an open TCP connection of DNS"
exec 5>&-

# ---- formats ----

kind() {
    get /metrics -o /dev/null -w '%{content_type}' "$@"
}
expect "without a wish it is the text format" "text/plain; version=0.0.4; charset=utf-8" "$(kind)"
expect "OpenMetrics as Prometheus asks for it" "application/openmetrics-text; version=1.0.0; charset=utf-8" \
    "$(kind -H 'Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1')"
get /metrics >"$work/text"
get /metrics -H 'Accept: application/openmetrics-text' >"$work/openmetrics"
expect "OpenMetrics ends with its mark" "# EOF" "$(tail -n 1 "$work/openmetrics")"
expect "the other does not" 0 "$(grep -c '^# EOF' "$work/text")"
left_out=()
if command -v promtool >/dev/null; then
    expect "promtool finds nothing to say" "" "$(promtool check metrics <"$work/text" 2>&1)"
else
    left_out+=("promtool")
fi
if /usr/bin/python3 -c 'import prometheus_client' 2>/dev/null; then
    /usr/bin/python3 - "$work/openmetrics" >"$work/parsed" 2>&1 <<'PY' && pass || fail "a strict reader of OpenMetrics" "$(cat "$work/parsed")"
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = list(text_string_to_metric_families(open(sys.argv[1]).read()))
assert len(families) > 40, len(families)
assert {family.type for family in families} == {"counter", "gauge", "histogram", "info"}
PY
else
    left_out+=("prometheus_client")
fi

# ---- the other paths ----

expect_match "the page" '^<!doctype html>' "$(get /)"
expect "openapi.json has all that is served" "True" "$(get /api/v1/openapi.json |
    /usr/bin/python3 -c 'import json, sys; print({"/", "/metrics", "/healthz", "/readyz", "/api/v1/status"} <= set(json.load(sys.stdin)["paths"]))')"
expect "status has the keys of the command" "$(spacedns status --json | /usr/bin/python3 -c 'import json, sys; print(list(json.load(sys.stdin)))')" \
    "$(get /api/v1/status | /usr/bin/python3 -c 'import json, sys; print(list(json.load(sys.stdin)))')"
expect "healthy" "ok" "$(get /healthz)"
expect "ready" "ready" "$(get /readyz)"
expect "HEAD has the length and no body" "200 0" "$(curl -s -I -o "$work/head" -w '%{http_code} %{size_download}' "http://$http/metrics")"
expect_match "HEAD has the length" '^Content-Length: [0-9]{4,}' "$(tr -d '\r' <"$work/head")"
expect "a unix socket" "ok" "$(curl -s --unix-socket "$work/http.sock" http://localhost/healthz)"
expect "its mode" 660 "$(stat -c %a "$work/http.sock")"

# ---- what is refused ----

for method in POST PUT DELETE OPTIONS TRACE BREW; do
    expect "$method" "405" "$(code /metrics -X "$method")"
done
expect_match "405 says what is allowed" '^Allow: GET, HEAD' "$(curl -s -i -X POST -d x "http://$http/metrics" | tr -d '\r')"
for path in /nothing /metrics/ //metrics /./metrics /metrics/../metrics /%6detrics /metrics%00 /METRICS /api/v1 /page /page/ /page/x /page/../page.css /page/..%2fpage.css /api/v1/apps/ /api/v1/apps/a/b '/..%2f..%2fetc/passwd' /metrics\;x; do
    expect "no such path: $path" 404 "$(code "$path" --path-as-is)"
done
expect "a query is no part of the path" 200 "$(code '/metrics?x=1')"
expect "a request with a body" 400 "$(code /metrics -X GET -d body)"
expect "a name that leads here" 421 "$(code /metrics -H 'Host: evil.example:9153')"
expect "localhost" 200 "$(code /metrics -H 'Host: LocalHost')"
expect "an address" 200 "$(code /metrics -H 'Host: [::1]:9153')"
expect "40 KB of headers" 431 "$(code / -H "X-Long: $(head -c 40000 /dev/zero | tr '\0' a)")"
expect "a path of 40 KB" 414 "$(code "/$(head -c 40000 /dev/zero | tr '\0' a)")"
expect_match "no HTTP at all" '^(HTTP/1.[01] 400 .*|)$' "$(raw 'frozen oasis\r\n\r\n')"
expect_match "zero octets" '^(HTTP/1.[01] [0-9]{3} .*|)$' "$(raw 'GET /metrics\0 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')"
expect_match "HTTP/1.0 without Host" '^HTTP/1.[01] 200' "$(raw 'GET /healthz HTTP/1.0\r\n\r\n')"
dns_answers "after all that"
expect "refusals are counted" "$(value 'spacedns_http_requests_total{code="421"}')" 1

# ---- clients that are a burden ----

# flood: 1,000 connections with half a request each, and clients that ask on and read nothing;
# prints once they are there, and leaves when its input ends
cat >"$work/flood.py" <<'PY'
import socket, sys
held = []
for number in range(1000):
    connection = socket.socket()
    connection.settimeout(5)
    try:
        connection.connect(("127.0.0.1", 9153))
        connection.setblocking(False)
        ask = b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 400 if number % 100 == 0 else b"GET / HTTP/1.1\r\nX: "
        connection.send(ask)
    except OSError:
        pass
    held.append(connection)
print("there", flush=True)
sys.stdin.read()
PY
mkfifo "$work/flooding"
/usr/bin/python3 "$work/flood.py" <"$work/flooding" >"$work/flood.out" 2>&1 &
flood=$!
children+=("$flood")
exec 6>"$work/flooding"
await grep -q there "$work/flood.out" || fail "the flood is there" "$(cat "$work/flood.out")"
for _ in 1 2 3 4 5; do
    dns_answers "during the flood"
    dns_answers "during the flood"
done
expect "the other socket is not flooded" "ok" "$(curl -s --max-time "$patience" --unix-socket "$work/http.sock" http://localhost/healthz)"
descriptors=$(find "/proc/$server/fd" -mindepth 1 | wc -l)
[ "$descriptors" -lt 200 ] && pass || fail "connections are bounded" "$descriptors descriptors"
is_free() {
    [ "$(code /healthz)" = 200 ]
}
patience=40 await is_free && pass || fail "those who do not go on are disconnected"
exec 6>&-
wait "$flood"
expect "and it serves again" "ok" "$(get /healthz)"

# ---- series are bounded ----

series() {
    get /metrics | grep -vc '^#'
}
ask nothing.example >/dev/null
ask +tcp nothing.example >/dev/null
before=$(series)
/usr/bin/python3 - "$port" <<'PY'
import random, socket, struct, sys
connection = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
connection.settimeout(5)
connection.connect(("127.0.0.1", int(sys.argv[1])))
for number in range(3000):
    label = "%016x" % random.getrandbits(64)
    connection.send(struct.pack(">6H", number, 0x100, 1, 0, 0, 0) + bytes([16]) + label.encode() + b"\7example\0\0\1\0\1")
    connection.recv(4096)
PY
expect "3,000 names of others make no series" "$before" "$(series)"

# ---- readiness ----

sed -i 's/^cidr:.*/cidr: 10.0.0.1\/16/' "$zones/test-space.yaml"
reload
expect "after a refused reload it is not ready" 503 "$(code /readyz)"
expect_match "and says why" '^the last reload was refused: .*test-space\.yaml:[0-9]+:[0-9]+: E-SPACE-CIDR' "$(get /readyz)"
expect "it is healthy all the same" 200 "$(code /healthz)"
expect "the reload is counted" 1 "$(value 'spacedns_reloads_total{result="refused"}')"
[ "$(value 'spacedns_findings{level="error"}')" -ge 1 ] && pass || fail "and its errors"
cp zones/test-space.yaml "$zones/"
reload
expect "it is ready again" "ready" "$(get /readyz)"

stop
expect "it ends" 0 "$code"
[ ! -e "$work/http.sock" ] && pass || fail "its unix socket is gone"

start stored "${flags[@]}" --http-listen "$http" --state-dir "$work/state"
stop
sed -i 's/^cidr:.*/cidr: 10.0.0.1\/16/' "$zones/test-space.yaml"
start last_good "${flags[@]}" --http-listen "$http" --state-dir "$work/state"
expect "with a file from its last good text it is not ready" 503 "$(code /readyz)"
expect_match "and says which" "^$zones/test-space.yaml has errors and is served as accepted last: [0-9]+:[0-9]+: E-SPACE-CIDR: " "$(get /readyz)"
expect "such files are counted" 1 "$(value spacedns_last_good_files)"
stop
cp zones/test-space.yaml "$zones/"

# ---- a worker that stands still ----

start frozen "${flags[@]}" --http-listen "$http"
thread=$(ps -L -o lwp= -p "$server" | sort -n | tail -n 1 | tr -d ' ')
mkfifo "$work/thaw"
/usr/bin/python3 tests/support/freeze.py "$thread" <"$work/thaw" >"$work/frozen" 2>&1 &
freezer=$!
children+=("$freezer")
exec 7>"$work/thaw"
await grep -q frozen "$work/frozen"
if grep -q '^frozen' "$work/frozen"; then
    expect "a worker that stands still is not healthy" 503 "$(code /healthz)"
    expect_match "which one" '^worker [12] does not answer$' "$(get /healthz)"
    expect "metrics come all the same" 1 "$(value spacedns_workers_silent)"
    exec 7>&-
    wait "$freezer"
    await is_free && pass || fail "it is healthy again once the worker goes on"
else
    exec 7>&-
    left_out+=("a worker that stands still (no ptrace)")
fi
stop

# ---- who may ask ----

token=5d0c4a2f8a1b4e0f9c3d7e6b5a493827
cat >"$work/settings.yaml" <<SETTINGS
zones: $zones
listen: ["127.0.0.1:$port"]
local_as: [test-space]
upstreams: none
control_socket: $socket
http_listen: [10.9.9.9, "unix:$work/http.sock"]
SETTINGS
chmod 600 "$work/settings.yaml"
launch open_to_others --settings "$work/settings.yaml" --http-listen 10.9.9.9
await is_gone "$server" || fail "without a token it starts"
wait "$server"
expect "without a token, an address of the network is refused" 1 $?
expect_match "with the remedy" 'error E-SETTING: 10\.9\.9\.9:9153 can be reached from other hosts and there is no http_token' "$(cat "$server_log")"
echo "http_token: $token" >>"$work/settings.yaml"
start guarded --settings "$work/settings.yaml" --http-listen "10.9.9.9,unix:$work/http.sock"
http=10.9.9.9:9153
expect "no token" 401 "$(code /metrics)"
expect_match "401 says what is needed" '^WWW-Authenticate: Bearer' "$(curl -s -i "http://$http/metrics" | tr -d '\r')"
for wrong in "Bearer ${token%7}8" "Bearer ${token}0" "Bearer ${token%?}" "Bearer" "Basic $token" "$token"; do
    expect "wrong: $wrong" 401 "$(code /metrics -H "Authorization: $wrong")"
done
expect "the token" 200 "$(code /metrics -H "Authorization: Bearer $token")"
expect "health needs it, too" 401 "$(code /healthz)"
expect "with it any name will do" 200 "$(code /healthz -H "Authorization: Bearer $token" -H 'Host: dns.example')"
expect "a unix socket needs none" 200 "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$work/http.sock" http://localhost/metrics)"
expect "the token is nowhere to be read" 0 "$({
    spacedns status
    spacedns status --json
    cat "$server_log"
    curl -s --unix-socket "$work/http.sock" http://localhost/api/v1/status
} | grep -c "$token")"
stop
http=127.0.0.1:9153

# ---- ports that others have ----

start default "${flags[@]}" --http-listen "$http"
first=$server
other=(--zones "$zones" --listen 127.0.0.1:5301 --upstream none "${as_user[@]}")
"$SPACEDNSD" "${other[@]}" 2>"$work/second.err" >"$work/second.out" &
second=$!
children+=("$second")
await grep -q ' info ready ' "$work/second.err" && pass || fail "a second server starts without HTTP" "$(cat "$work/second.err")"
expect_match "and warns" ' warning http_failed text="http_listen: cannot listen on 127.0.0.1:9153 over TCP: another program has this port' "$(cat "$work/second.err")"
kill "$second"
wait "$second"
"$SPACEDNSD" "${other[@]}" --http-listen "$http" 2>"$work/third.err"
expect "an address that the settings name has to be had" 3 $?
expect_match "and the error says why" 'http_listen: cannot listen on 127.0.0.1:9153 over TCP: another program has this port' "$(cat "$work/third.err")"
server=$first
stop
"$SPACEDNSD" "${other[@]}" 2>"$work/fourth.err" >"$work/fourth.out" &
server=$!
children+=("$server")
await grep -q ' info ready ' "$work/fourth.err"
expect "without a setting it is on loopback" "ok" "$(get /healthz)"
stop

# ---- an upgrade keeps the sockets ----

start old "${flags[@]}" --http-listen "$http,unix:$work/http.sock"
# connects until its input ends; prints whether it did, and how often that was refused
cat >"$work/scraper.py" <<'PY'
import select, socket, sys
asked = refused = 0
print("asking", flush=True)
while not select.select([sys.stdin], [], [], 0.002)[0]:
    try:
        with socket.create_connection(("127.0.0.1", 9153), 10) as connection:
            asked += 1
    except ConnectionRefusedError:
        refused += 1
print(asked > 0, refused)
PY
mkfifo "$work/asking"
/usr/bin/python3 "$work/scraper.py" <"$work/asking" >"$work/scraper.out" 2>&1 &
scraper=$!
children+=("$scraper")
exec 8>"$work/asking"
await grep -q asking "$work/scraper.out"
process_of() {
    /usr/bin/python3 -c "import json, sys; print(json.load(sys.stdin)['pid'])"
}
for round in 1 2; do
    before=$server
    spacedns upgrade >"$work/upgrade.out" 2>&1 && pass || fail "upgrade $round" "$(cat "$work/upgrade.out")"
    server=$(spacedns status --json | process_of)
    children+=("$server")
    await is_gone "$before" || fail "upgrade $round: the server before leaves"
    expect "upgrade $round: healthy" "ok" "$(get /healthz)"
    expect "upgrade $round: by the unix socket" "ready" "$(curl -s --unix-socket "$work/http.sock" http://localhost/readyz)"
    expect "upgrade $round: the new process answers" "$server" "$(get /api/v1/status | process_of)"
done
exec 8>&-
wait "$scraper"
expect "no connection was refused" "True 0" "$(tail -n 1 "$work/scraper.out")"
kill "$server"
await is_gone "$server" || fail "the last one ends"
[ ! -e "$work/http.sock" ] && pass || fail "the last one removes its unix socket"

[ ${#left_out[@]} = 0 ] || echo "left out, for they are not there: ${left_out[*]}"
finish
