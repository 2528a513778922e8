#!/bin/bash
# The operator's command beside a running server: explain prints what a client gets, for each
# client × name × type of the fixture; a reload that has returned is answered from; and the control
# socket is never held up.
# busy: asks from four threads
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
spacedns=${SPACEDNS:-$BUILD_DIR/bin/spacedns}

port=$(free_port)
zones=$work/zones
mkdir "$zones"
cp zones/test-space.yaml tests/zones_good/other-space.yaml "$zones/"
socket=$work/control.sock
printf 'zones: %s\nlisten: 0.0.0.0:%s\nupstreams: none\nallow_public_listen: true\nexternal_rate: 0\ncontrol_socket: %s\n' \
    "$zones" "$port" "$socket" >"$work/settings.yaml"
settings=(--settings "$work/settings.yaml")
live=(--socket "$socket")
start live "${settings[@]}"

# send_octets TEXT [SECONDS]: what the server answers to these octets; it hangs up, or the seconds are over
send_octets() {
    /usr/bin/python3 - "$socket" "$1" "${2:-20}" <<'PY'
import socket, sys
client = socket.socket(socket.AF_UNIX)
client.settimeout(float(sys.argv[3]))
client.connect(sys.argv[1])
try:
    client.sendall(sys.argv[2].encode().decode("unicode_escape").encode("latin-1"))
except OSError:
    pass
received = b""
try:
    while more := client.recv(65536):
        received += more
    print(received.decode(), "hung up")
except socket.timeout:
    print("silent")
except ConnectionResetError: # it had not read all octets
    print(received.decode(), "hung up")
PY
}

# Sends half a request and waits.
send_octets 'spacedns/1 sta' >"$work/silent" &
silent=$!
children+=("$silent")

# run ARGUMENT...: the command; leaves $out, $err and $code
run() {
    "$spacedns" "$@" >"$work/out" 2>"$work/err"
    code=$?
    out=$(<"$work/out")
    err=$(<"$work/err")
}

# bad WHAT CODE PATTERN ARGUMENT...: one sentence on standard error, and nothing else
bad() {
    local what=$1 wanted=$2 pattern=$3
    shift 3
    run "$@"
    expect "$what: exit code" "$wanted" "$code"
    expect "$what: nothing on standard output" "" "$out"
    expect_match "$what" "$pattern" "$err"
}

# compare WORD...: each name × client × type asked of the server, and of explain with these words;
# prints what differs, and how many were compared. With sanitizers, where each explain takes its
# time, each name × client meets one type, another one each time.
compare() {
    /usr/bin/python3 - "$port" "$spacedns" "$@" <<'PY'
import json, os, re, subprocess, sys
import dns.edns, dns.message, dns.query, dns.rcode
from concurrent.futures import ThreadPoolExecutor

port, program, words = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
clients = ["10.0.130.56", "10.0.144.9", "10.20.3.4", "10.30.3.4", "172.16.9.9", "192.168.7.7",
           "203.0.113.9", "10.1.130.4"]
names = ["frozen-oasis-70544.herokuapp.com", "api.example.com", "x.y.apps.example.com",
         "example.net", "random-haiku-5196.also-random-3847.herokuspace.com",
         "sleepy-river-2739.herokuapp.com", "sleepy.example.com",
         "open-plain-1001-1234567890ab.herokuapp.com", "web.frozen-oasis-70544.app.localspace",
         "1.web.frozen-oasis-70544.app.localspace", "web.sleepy-river-2739.app.localspace",
         "wbe.frozen-oasis-70544.app.localspace", "app.localspace", "localspace",
         "_http._tcp.web.frozen-oasis-70544.app.localspace", "56.130.0.10.in-addr.arpa",
         "9.9.0.10.in-addr.arpa", "www.example.org", "localhost", "upcheck.localspace"]
types = ["A", "AAAA", "MX"]

def explained(name, client, kind):
    ran = subprocess.run([program, "explain", name, "--from", client, "--to", "127.0.0.1",
                          "--type", kind, "--json", *words], capture_output=True, text=True)
    if ran.returncode != 0:
        return ran.stderr
    printed = json.loads(ran.stdout)
    code = printed["reason"]["text"] if printed["reason"] else ""
    return printed["rcode"], printed["data"], code

def got(name, client, kind):
    query = dns.message.make_query(name, kind, use_edns=True)
    reply = dns.query.udp(query, "127.0.0.1", 10, port, source=client)
    ede = [option.text for option in reply.options if option.otype == 15]
    return dns.rcode.to_text(reply.rcode()), bool(reply.answer), ede[0] if ede else ""

# The operator sees the owner of the name; the client does not (Q20, as for an unknown name).
def is_hidden(wanted, printed):
    return wanted[:2] == printed[:2] and wanted[2].startswith("Q20 ") and printed[2].startswith("Q19 ")

def compare(case):
    wanted, printed = got(*case), explained(*case)
    if is_hidden(wanted, printed):
        return
    if wanted != printed:
        print("differs", *case, "served", wanted, "explained", printed)

cases = [(name, client, kind) for name in names for client in clients for kind in types]
if os.environ.get("SANITIZE"):
    pairs = [(name, client) for name in names for client in clients]
    cases = [(*pair, types[number % len(types)]) for number, pair in enumerate(pairs)]
with ThreadPoolExecutor(4) as pool:
    list(pool.map(compare, cases))
print("compared", len(cases))
PY
}

cases=480
[ -z "${SANITIZE:-}" ] || cases=160
expect "explain from zone files prints what is served" "compared $cases" \
    "$(compare "${settings[@]}" --zones "$zones" 2>&1 | tail -n 20)"
expect "explain --live prints what is served" "compared $cases" \
    "$(compare --live "${live[@]}" 2>&1 | tail -n 20)"

# ---- explain, word for word ----

run explain sleepy-river-2739.herokuapp.com --from 10.0.130.56 --zones zones
expect "explain: exit code" 0 "$code"
expect "explain: every fact with file and line" "name=sleepy-river-2739.herokuapp.com type=A
client=10.0.130.56 class=space space=test-space because of 10.0.0.0/16 (zones/test-space.yaml:14)
app=sleepy-river-2739 space=test-space internal_routing=true web_dynos=1 web_up=0 (zones/test-space.yaml:45)
remedy=every web dyno of the app has crashed: read its log, then restart or roll back
verdict=NOERROR without data: Q10 app crashed: sleepy-river-2739 has 1 web dyno, none up" "$out"
echo 'local_as: [test-space]' >"$work/local.yaml"
run explain api.example.com --from 127.0.0.1 --zones zones --settings "$work/local.yaml"
expect_match "loopback is inside by a setting, not by a zone file" \
    '^client=127\.0\.0\.1 class=space space=test-space because of 127\.0\.0\.0/8 \(setting local_as\)$' "$out"
run explain open-plain-1001-1234567890ab.herokuapp.com --from 10.0.130.56 --zones zones
expect_match "a non-internal app must be created anew" 'must be recreated' "$out"
run explain frozen-oasis-70544 --from 10.0.130.56 --zones zones
expect_match "an app's bare name is not a name of it" '^frozen-oasis-70544 is an app; .*spacedns domains -a frozen-oasis-70544' "$err"
run explain api.example.com --from 10.0.130.56 --zones zones
expect "a host is no app's bare name" "settings=defaults zones=zones" "$err"

bad "a web address" 2 'write its host alone: spacedns explain api\.example\.com$' \
    explain "https://api.example.com:8443/a?b" --from 10.0.0.1
bad "no client" 2 'add --from ADDR' explain api.example.com
bad "a bad address" 2 '10\.0\.0 is not an address' explain api.example.com --from 10.0.0
bad "a bad name" 2 'a\.\.b is not a domain name' explain a..b --from 10.0.0.1
bad "a bad type" 2 'AAA is not a record type; did you mean AAAA\?' explain a --from 10.0.0.1 --type AAA
bad "no zones" 1 'nowhere cannot be opened.*create it' explain a --from 10.0.0.1 --zones "$work/nowhere"

# ---- the running server ----

run status "${live[@]}"
expect "status: exit code" 0 "$code"
expect_match "status: who" "^pid +$server\$" "$out"
expect_match "status: zones" "^zones +$zones\$" "$out"
expect_match "status: generation" '^generation +1$' "$out"
expect_match "status: counters, all workers together" '^udp_requests +[0-9]{3,}$' "$out"
run status --json "${settings[@]}"
expect "status --json, socket from the settings" "$server 1 2 True" \
    "$(/usr/bin/python3 -c 'import json, sys
printed = json.load(sys.stdin)
print(printed["pid"], printed["generation"], printed["spaces"], printed["counters"]["udp_requests"] >= int(sys.argv[1]))' "$cases" <<<"$out")"
run whoami "${live[@]}" --from 10.20.3.4
expect_match "whoami" '^class=peered space=test-space connection=pcx-111aaa111 because of 10\.20\.0\.0/16 \(' "$out"
run whoami "${live[@]}"
expect_match "whoami from this host" '^address=127\.0\.0\.1 class=external$' "$out"
(cd / && "$spacedns" explain sleepy-river-2739.herokuapp.com --from 10.0.130.56 "${live[@]}") >"$work/out" 2>&1
expect_match "the running server's zones are taken when none are named" "\($zones/test-space\.yaml:45\)" \
    "$(<"$work/out")"

# ---- reload ----

serial() {
    dig @127.0.0.1 -b 10.0.130.56 -p "$port" +tries=1 +short version.localspace TXT |
        sed -n 's/.*"generation=\([0-9]*\)".*/\1/p'
}

run reload "${live[@]}"
expect "reload of nothing new" 0 "$code"
expect_match "reload of nothing new" '^Reloading zones\.\.\. unchanged, generation=1 files=2 ' "$out"
late=0
for round in {1..40}; do
    sed "s/10\.0\.16\.21\]/10.0.16.$((30 + round))]/" zones/test-space.yaml >"$zones/test-space.yaml"
    run reload "${live[@]}"
    [ "$(serial)" = $((round + 1)) ] || late=$((late + 1))
done
expect "the query after a reload is answered from the new generation, 40 times" 0 "$late"
expect_match "reload prints its outcome" \
    '^Reloading zones\.\.\. done, generation=41 files=2 read=1 spaces=2 apps=[0-9]+ ms=[0-9]+$' "$out"

# Many at once, each after an edit of its own file: a command that returns is answered from its edit.
together() {
    local number=$1
    printf 'space: space-%s\ncidr: 10.%s.0.0/16\n' "$number" $((100 + number)) >"$zones/space-$number.new"
    mv "$zones/space-$number.new" "$zones/space-$number.yaml"
    "$spacedns" reload "${live[@]}" >/dev/null 2>&1 || echo "refused $number"
    "$spacedns" whoami --from "10.$((100 + number)).1.1" "${live[@]}" |
        grep -q "space=space-$number" || echo "late $number"
}
reloads=()
for number in {1..8}; do
    together "$number" >"$work/together-$number" 2>&1 &
    reloads+=($!)
done
wait "${reloads[@]}"
expect "eight reloads at once" "" "$(cat "$work"/together-*)"

sed 's/10\.0\.16\.21\]/10.0.130.9]/' zones/test-space.yaml >"$zones/test-space.yaml"
before=$(serial)
run reload "${live[@]}"
expect "a broken edit: exit code" 1 "$code"
expect_match "a broken edit: the finding" 'test-space\.yaml:18:22: error E-ROUTER-DYNO: ' "$out"
expect_match "a broken edit" 'Q50 reload refused: 1 error in .*; generation [0-9]+ is still served' "$err"
expect "a broken edit changes nothing" "$before" "$(serial)"
run status "${live[@]}"
expect_match "status shows the refusal" "^last_reload +refused [0-9]+ s ago: .*/test-space\\.yaml:18:22: E-ROUTER-DYNO: .*10\\.0\\.16\\.0/20\$" "$out"
run reload --json "${live[@]}"
expect_match "a broken edit, --json" '"code": "E-ROUTER-DYNO"' "$out"
bad_plan='Q50 reload would be refused: 1 error in .*; generation [0-9]+ is still served'
run plan "${live[@]}"
expect "a broken edit, planned: exit code" 1 "$code"
expect_match "a broken edit, planned" "$bad_plan" "$err"
run reload --dry-run "${live[@]}"
expect_match "a broken edit, tried" "$bad_plan" "$err"
cp zones/test-space.yaml "$zones/"
run reload "${live[@]}"
expect "mended" 0 "$code"
run status "${live[@]}"
expect_match "status shows that" '^last_reload +done [0-9]+ s ago$' "$out"

# ---- the guard ----

grown='space: grown-space
cidr: 10.99.0.0/16
routers: [10.99.0.7]
apps: [{name: grown-app-1, internal_routing: true, formation: {web: {dynos: [{number: 1, private_ip: 10.99.130.1}]}}}]'

# grow: a second space, served
grow() {
    echo "$grown" >"$zones/grown.yaml"
    "$spacedns" reload "${live[@]}" >/dev/null 2>&1
}

# shrink: its file is gone
shrink() {
    rm "$zones/grown.yaml"
}

lost='space grown-space vanishes with its 1 app: grown-app-1'
grow
shrink
before=$(serial)
run plan "${live[@]}"
expect "plan: exit code" 1 "$code"
expect_match "plan shows which answers would change" \
    '^  - grown-app-1\.herokuapp\.com \(space\): 10\.99\.0\.7$' "$out"
expect_match "plan shows who would be external" \
    '^  - 10\.99\.0\.0/16 ceases to be inside of grown-space \(space\): 65536 addresses$' "$out"
expect_match "plan shows what the guard refuses" "^guard: $lost$" "$out"
expect_match "plan ends with what to do" "^Error: $lost; put it back, or use --force" "$err"
planned=$out
run reload --dry-run "${live[@]}"
expect "reload --dry-run: exit code" 1 "$code"
expect "reload --dry-run prints what plan prints" "$planned" "$out"
run reload --dry-run --force "${live[@]}"
expect "reload --dry-run --force: exit code" 0 "$code"
run plan --json "${live[@]}"
expect "plan --json" "True True" "$(/usr/bin/python3 -c 'import json, sys
printed = json.load(sys.stdin)
print(printed["refused"], len(printed["changes"]) > 1)' <<<"$out" 2>&1)"
run reload "${live[@]}"
expect "the guard: exit code" 1 "$code"
expect_match "the guard names the space" "Q50 reload refused: $lost; generation $before is still served; put it back, or use --force" "$err"
expect_match "the guard shows whose access would change" '^  - 10\.99\.0\.0/16 ceases to be inside of grown-space' "$out"
run reload --json "${live[@]}"
expect_match "the guard, --json" '"reload": "guarded"' "$out"
run status "${live[@]}"
expect_match "status shows what the guard refused" "^last_reload +guarded [0-9]+ s ago: $lost\$" "$out"
expect_match "the guard is logged" " error reload_refused code=Q50 .*text=\"$lost\"" "$(<"$server_log")"
expect_match "the guard's list is logged" " error reload_guard text=\"- 10\.99\.0\.0/16 ceases to be inside of grown-space" "$(<"$server_log")"
expect "nothing has changed" "$before" "$(serial)"
run reload --force "${live[@]}"
expect_match "what is meant to go goes" "^Reloading zones\.\.\. done, generation=$((before + 1)) " "$out"
run reload --force "${live[@]}"
expect_match "--force reads all files though none has changed" \
    "^Reloading zones\.\.\. unchanged, .* files=([0-9]+) read=\1 " "$out"
mkdir "$work/grown"
cp "$zones"/* "$work/grown/"
echo "$grown" >"$work/grown/grown.yaml"
run plan "$work/grown" "${live[@]}"
expect "plan of another folder: exit code" 0 "$code"
expect_match "plan of another folder" '^  \+ grown-app-1\.herokuapp\.com \(space\): 10\.99\.0\.7$' "$out"
bad "plan of no folder" 1 'nowhere cannot be opened: No such file' plan "$work/nowhere" "${live[@]}"
run reload "${live[@]}"
expect "nothing was lost by planning" 0 "$code"
run plan "${live[@]}"
expect "plan of what is served" "no answer changes" "$out"
expect "plan of what is served: exit code" 0 "$code"

# Several wishes at once each get their own answer.
grow
shrink
before=$(serial)
for number in {1..4}; do
    "$spacedns" plan "${live[@]}" >"$work/plan-$number" 2>&1 &
    plans[number]=$!
    "$spacedns" reload "${live[@]}" >"$work/guarded-$number" 2>&1 &
    guarded[number]=$!
done
for number in {1..4}; do
    wait "${plans[number]}"
    expect "plans and reloads at once: plan $number" 1 "$?"
    wait "${guarded[number]}"
    expect_match "plans and reloads at once: reload $number" "Q50 reload refused: $lost" "$(<"$work/guarded-$number")"
done
expect "plans and reloads at once change nothing" "$before" "$(serial)"
refusals() {
    grep -cE " error reload_refused code=Q50 .*text=\"$lost\"" "$server_log"
}
refused_before=$(refusals)
is_refused() {
    [ "$(refusals)" -gt "$refused_before" ]
}
kill -HUP "$server"
await is_refused || fail "SIGHUP is guarded, too" "$(tail -n 3 "$server_log")"
expect "SIGHUP is guarded, too: nothing has changed" "$before" "$(serial)"
grow

# ---- strangers on the socket ----

expect "the socket is its owner's alone" 600 "$(stat -c %a "$socket")"
expect_match "an HTTP request" '^!Error: this is the control socket of spacednsd; use the command' \
    "$(send_octets 'GET / HTTP/1.0\r\n\r\n')"
expect_match "garbage" '^!Error: this is the control socket' "$(send_octets '\x00\xff\x80\n')"
expect_match "a command of another version" '^!Error: the server is spacedns .* does not know this: dance is not' \
    "$(send_octets 'spacedns/1 dance\n')"
expect_match "another protocol" '^!Error: the server is spacedns .* speaks spacedns/1, not spacedns/9' \
    "$(send_octets 'spacedns/9 status\n')"
expect_match "a command without the server" '^!Error: the server does not run this command' "$(send_octets 'spacedns/1 version\n')"
expect_match "a line without end" '^!Error: the request is longer' "$(send_octets "spacedns/1 $(printf '%05000d')")"

# crowd: 40 clients that send nothing; prints how many were told to try again
crowd() {
    /usr/bin/python3 - "$socket" "$spacedns" <<'PY'
import socket, subprocess, sys, time
crowd = []
for _ in range(40):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(0.5)
    client.connect(sys.argv[1])
    crowd.append(client)
refused = 0
for client in crowd:
    try:
        refused += b"try again" in client.recv(4096)
    except OSError:
        pass
print("refused", refused >= 20)
PY
}
expect "more clients than the server takes are refused" "refused True" "$(crowd)"
wait "$silent"
expect_match "half a request is hung up on" '^ hung up$' "$(<"$work/silent")"
run status "${live[@]}"
expect "the server goes on" 0 "$code"

# ---- no server ----

kill -STOP "$server"
run status "${live[@]}" &
hanging=$!
if [ "$(id -u)" = 0 ]; then
    chmod 755 "$work"
    setpriv --reuid=65534 --regid=65534 --clear-groups "$spacedns" status "${live[@]}" >"$work/nobody.out" 2>"$work/nobody.err"
    expect "a socket without permission: exit code" 1 "$?"
    expect_match "a socket without permission" 'may not be used by this user \(uid 65534\); run the command as' "$(<"$work/nobody.err")"
fi
wait "$hanging"
expect_match "a server that hangs" 'does not answer; check whether it is suspended' "$(<"$work/err")"
kill -CONT "$server"

"$SPACEDNSD" "${as_user[@]}" --http-listen none "${settings[@]}" --listen "127.0.0.1:$(free_port)" >"$work/out" 2>"$work/err"
expect "a second server with one control socket: exit code" 1 "$?"
expect_match "a second server with one control socket" 'another server listens on .*control\.sock; stop it' \
    "$(<"$work/err")"
run status "${live[@]}"
expect "the first goes on" 0 "$code"

stop KILL
bad "a server that was killed" 1 'nothing listens on .*; start spacednsd again' status "${live[@]}"
start again "${settings[@]}"
run reload "${live[@]}"
expect "a socket that a dead server left is replaced" 0 "$code"
stop
echo 'reload_guard: false' >>"$work/settings.yaml"
start unguarded "${settings[@]}"
rm "$zones/grown.yaml"
kill -HUP "$server"
moved_on() {
    [ "$(serial)" = 2 ]
}
await moved_on || fail "SIGHUP is not guarded when that is set" "$(tail -n 3 "$server_log")"
# Somebody who may write the zone files, and not use the socket.
if setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$spacedns" 2>/dev/null; then
    chmod 777 "$zones"
    chmod 666 "$zones"/*
    run_as_nobody() {
        setpriv --reuid=65534 --regid=65534 --clear-groups "$spacedns" "$@" >"$work/out" 2>"$work/err"
        code=$?
        err=$(<"$work/err")
    }
    run_as_nobody ps:add web -a open-plain-1001 --zones "$zones" "${live[@]}"
    expect "a change that the server has not loaded: exit code" 1 "$code"
    expect_match "a change that the server has not loaded" 'is changed, but the server has not loaded it: run spacedns reload$' "$err"
    expect_match "a change that the server has not loaded: why" "^Error: $socket may not be used by this user" "$err"
    run_as_nobody apps -s test-space "${live[@]}"
    expect_match "a server that does not report its folder" "^$socket may not be used by this user.*; using zones folder zones\$" "$err"
fi
stop
expect "the server ends" 0 "$code"
[ ! -e "$socket" ] && pass || fail "the socket is removed" "$(ls -l "$socket")"
bad "no server" 1 'no server is at .*control\.sock; start spacednsd with --control-socket' reload "${live[@]}"
run apps -s test-space "${live[@]}"
expect "no server, and zone files of one's own: exit code" 0 "$code"
expect_match "no server, and zone files of one's own" "^no server is at $socket; .*; using zones folder zones\$" "$err"
run apps -s test-space
expect "no server was named" "" "$err"
echo text >"$socket"
"$SPACEDNSD" "${as_user[@]}" --http-listen none "${settings[@]}" >"$work/out" 2>"$work/err"
expect "a file in the socket's place: exit code" 1 "$?"
expect_match "a file in the socket's place" 'exists and is not a socket; move it away' "$(<"$work/err")"
expect "a file in the socket's place is left alone" text "$(<"$socket")"
"$SPACEDNSD" "${as_user[@]}" --http-listen none "${settings[@]}" --control-socket "$work/nowhere/x" >"$work/out" 2>"$work/err"
expect "no folder for the socket: exit code" 1 "$?"
expect_match "no folder for the socket" 'cannot listen on .*nowhere/x: its folder does not exist; create it' "$(<"$work/err")"

# Zones and settings are the running server's, where nothing else is named.
printf 'zones: %s/zones\nlisten: 127.0.0.1:%s\nupstreams: none\nlocalspace_to: [space, vpn]\n' "$PWD" "$(free_port)" \
    >"$work/vpn.yaml"
start vpn --settings "$work/vpn.yaml" --control-socket "$work/vpn.sock"
run explain web.frozen-oasis-70544.app.localspace --from 172.16.9.9 --socket "$work/vpn.sock"
expect "the settings of the running server" "verdict=NOERROR" "${out##*$'\n'}"
expect "the settings of the running server are named" "settings=of the running server zones=$PWD/zones" "$err"

finish
