#!/bin/bash
# The operator's command beside a running server: what explain tells is what a client gets, for each
# client × name × type of the fixture.
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
spacedns=${SPACEDNS:-$BUILD_DIR/bin/spacedns}

port=$(free_port)
zones=$work/zones
mkdir "$zones"
cp zones/test-space.yaml tests/zones_good/other-space.yaml "$zones/"
printf 'zones: %s\nlisten: 0.0.0.0:%s\nupstreams: none\nallow_public_listen: true\n' \
    "$zones" "$port" >"$work/settings.yaml"
start live --settings "$work/settings.yaml"

# run ARGUMENT...: the command; leaves $out, $err and $code
run() {
    "$spacedns" "$@" >"$work/out" 2>"$work/err"
    code=$?
    out=$(<"$work/out")
    err=$(<"$work/err")
}

# compare WORD...: each name × client × type asked of the server, and of explain with these words;
# prints what differs, and how many were compared
compare() {
    /usr/bin/python3 - "$port" "$spacedns" "$@" <<'PY'
import json, re, subprocess, sys
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

def told(name, client, kind):
    ran = subprocess.run([program, "explain", name, "--from", client, "--to", "127.0.0.1",
                          "--type", kind, "--json", *words], capture_output=True, text=True)
    if ran.returncode != 0:
        return ran.stderr
    said = json.loads(ran.stdout)
    code = said["reason"]["text"] if said["reason"] else ""
    return said["rcode"], said["data"], code

def got(name, client, kind):
    query = dns.message.make_query(name, kind, use_edns=True)
    reply = dns.query.udp(query, "127.0.0.1", 10, port, source=client)
    ede = [option.text for option in reply.options if option.otype == 15]
    return dns.rcode.to_text(reply.rcode()), bool(reply.answer), ede[0] if ede else ""

def compare(case):
    wanted, said = got(*case), told(*case)
    if wanted != said:
        print("differs", *case, "served", wanted, "told", said)

cases = [(name, client, kind) for name in names for client in clients for kind in types]
with ThreadPoolExecutor(4) as pool:
    list(pool.map(compare, cases))
print("compared", len(cases))
PY
}

expect "explain from zone files tells what is served" "compared 480" \
    "$(compare --settings "$work/settings.yaml" 2>&1 | tail -n 20)"

# ---- explain, word for word ----

run explain sleepy-river-2739.herokuapp.com --from 10.0.130.56 --zones zones
expect "explain: exit code" 0 "$code"
expect "explain: every fact with file and line" "name=sleepy-river-2739.herokuapp.com type=A
client=10.0.130.56 class=space space=test-space because of 10.0.0.0/16 (zones/test-space.yaml:13)
app=sleepy-river-2739 space=test-space internal_routing=true web_dynos=1 web_up=0 (zones/test-space.yaml:45)
remedy=every web dyno of the app has crashed: read its log, then restart or roll back
verdict=NOERROR without data: Q10 app crashed: sleepy-river-2739 has 1 web dyno, none up" "$out"
run explain open-plain-1001-1234567890ab.herokuapp.com --from 10.0.130.56 --zones zones
expect_match "a non-internal app must be created anew" 'must be recreated' "$out"

# bad WHAT CODE PATTERN ARGUMENT...: one sentence on standard error, and nothing else
bad() {
    local what=$1 wanted=$2 pattern=$3
    shift 3
    run "$@"
    expect "$what: exit code" "$wanted" "$code"
    expect "$what: nothing on standard output" "" "$out"
    expect_match "$what" "$pattern" "$err"
}

bad "no client" 2 'add --from ADDR' explain api.example.com
bad "a bad address" 2 '10\.0\.0 is not an address' explain api.example.com --from 10.0.0
bad "a bad name" 2 'a\.\.b is not a domain name' explain a..b --from 10.0.0.1
bad "a bad type" 2 'AAA is not a record type; did you mean AAAA\?' explain a --from 10.0.0.1 --type AAA
bad "no zones" 1 'nowhere cannot be opened.*create it' explain a --from 10.0.0.1 --zones "$work/nowhere"
stop
finish
