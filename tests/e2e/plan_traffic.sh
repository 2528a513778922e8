#!/bin/bash
# plan --traffic: which clients would have got something else, and how often they asked, against
# scripted questions: for each edit exactly those, and nobody for an edit that changes nothing.
# timeout: 120
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
spacedns=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
port=$(free_port)
oasis=frozen-oasis-70544
dyno=10.0.132.9 # of open-plain-1001
run=10.0.144.9  # of the space, no dyno
peer=10.20.3.4
vpn=172.16.9.9

start_upstream resolver --listen 198.51.100.53 <<'END'
www.example.org. 300 IN A 198.51.100.80
a.shop.example.info. 300 IN A 198.51.100.81
db.corp.example. 300 IN A 198.51.100.82
END
mkdir "$work/zones"
sed "s/^region:.*//; s/^  - name: $oasis/&\n    id: 00000000-0000-0000-0000-000000000001/" zones/test-space.yaml >"$work/zones/test-space.yaml"
cat >"$work/settings.yaml" <<END
zones: $work/zones
listen: 0.0.0.0:$port
allow_public_listen: true
workers: 2
upstreams: [198.51.100.53]
control_socket: $work/control.sock
END

# times COUNT FROM NAME TYPE
times() {
    local i
    for ((i = 0; i < $1; i++)); do
        ask -b "$2" +short "$3" "$4" >/dev/null
    done
}

# spacedns WORD...: leaves $out and $code
spacedns() {
    out=$("$spacedns" "$@" --socket "$work/control.sock" 2>&1)
    code=$?
}

# edited NAME EXPRESSION...: a folder with the zone file after sed
edited() {
    local name=$1
    shift
    mkdir -p "$work/$name"
    sed "$@" "$work/zones/test-space.yaml" >"$work/$name/test-space.yaml"
}

# traffic NAME [FLAG...]: what `plan --traffic` says of clients, a line each, without times, in
# $lines; and of all in $first
traffic() {
    spacedns plan "$work/$1" --traffic "${@:2}"
    first=$(sed -nE 's/^traffic since [-0-9T:]+Z: //p' <<<"$out")
    lines=$(sed -nE '/^traffic since /,$ { s/ since [-0-9T:]+Z//; s/^(  ~|      |space |names|clients outside$)/&/p }' <<<"$out" | sed '/^traffic /d')
}

start traffic --settings "$work/settings.yaml"
traffic zones
expect "nobody has asked" "nobody has asked anything" "$first"

times 5 "$dyno" "$oasis.herokuapp.com" A
times 2 "$dyno" "$oasis.herokuapp.com" AAAA
times 3 "$run" api.example.com A
times 4 "$peer" api.example.com A
times 2 10.20.3.5 x.apps.example.com A
times 6 "$vpn" "$oasis.herokuapp.com" A
times 7 "$dyno" sleepy.example.com A
times 3 "$dyno" "web.$oasis.app.localspace" A
times 4 "$dyno" www.example.org A
times 2 "$run" a.shop.example.info A
times 1 "$dyno" db.corp.example A
times 5 203.0.113.9 api.example.com A
times 2 203.0.113.10 www.example.org A
times 1 "$dyno" localspace SOA # has the generation in it
times 1 "$dyno" _whoami.localspace TXT
all=48

# ---- edits that change nothing ----

none="none of 6 clients would have got something else, in $all replies"
traffic zones
expect "the same files: plan" "no answer changes" "$(head -n 1 <<<"$out")"
expect "the same files change nothing for anybody" "$none" "$first"
expect "and nobody is named" "" "$lines"
expect_match "clients outside are known as one" "^clients outside are known as one, without addresses and names: 7 replies; " "$out"
expect "exit code" 0 "$code"
edited comment '1s/^/# words/'
traffic comment
expect "a comment changes nothing for anybody" "$none" "$first"
edited order 's/\[10.0.0.37, 10.0.16.21\]/[10.0.16.21, 10.0.0.37]/'
traffic order
expect "the order of routers changes nothing for anybody" "$none" "$first"
edited unasked 's/hostname: example.net,/hostname: example.com.au,/'
traffic unasked
expect "a domain that nobody asked for changes nothing for anybody" "$none" "$first"
spacedns reload --dry-run --traffic
expect_match "reload --dry-run has it, too" "^traffic since .*: $none\$" "$out"

# ---- each edit, and whom it reaches ----

edited crashed 's/\(10.0.130.56\|10.0.151.218\), state: up/\1, state: crashed/'
traffic crashed
expect "the dynos of an app crash: how many" "5 of 6 clients would have got something else, in 25 of $all replies" "$first"
expect "the dynos of an app crash: who" "space test-space, app $oasis
  ~ 1 client of app open-plain-1001 asked 5 times: Q10 instead of 2 addresses
      $oasis.herokuapp.com A; $dyno
  ~ 1 client of app open-plain-1001 asked 3 times: Q24 instead of 2 addresses
      web.$oasis.app.localspace A; $dyno
  ~ 1 client of app open-plain-1001 asked 2 times: Q10 instead of no record
      $oasis.herokuapp.com AAAA; $dyno
  ~ 1 client of vpn office asked 6 times: Q10 instead of 2 addresses
      $oasis.herokuapp.com A; $vpn
  ~ 2 clients of peering pcx-111aaa111 asked 6 times: Q10 instead of 2 addresses with Q40
      api.example.com A, x.apps.example.com A; $peer, 10.20.3.5
  ~ 1 client of space test-space asked 3 times: Q10 instead of 2 addresses
      api.example.com A; $run" "$lines"

edited public "s/000000000001/000000000002/; /name: $oasis/,/domains/ s/internal_routing: true/internal_routing: false/"
traffic public --force
expect "an app loses internal routing: who" "space test-space, app $oasis
  ~ 1 client of app open-plain-1001 asked 7 times: an upstream's answer instead of 2 addresses
  ~ 1 client of app open-plain-1001 asked 2 times: an upstream's answer instead of no record
  ~ 1 client of vpn office asked 6 times: REFUSED with Q20 instead of 2 addresses
  ~ 2 clients of peering pcx-111aaa111 asked 6 times: REFUSED with Q20 instead of 2 addresses with Q40
  ~ 1 client of space test-space asked 3 times: an upstream's answer instead of 2 addresses" \
    "$(sed -E 's/asked 5 times: an/asked 7 times: an/' <<<"$lines" | grep -v '^      ')"

edited up 's/10.0.131.7, state: crashed/10.0.131.7, state: up/'
traffic up
expect "a crashed dyno is up: who" "space test-space, app sleepy-river-2739
  ~ 1 client of app open-plain-1001 asked 7 times: 2 addresses instead of Q10
      sleepy.example.com A; $dyno" "$lines"

edited deactivated 's/pcx-111aaa111, status: active/pcx-111aaa111, status: expired/'
traffic deactivated
expect "a peering is deactivated: how many" "2 of 6 clients would have got something else, in 6 of $all replies" "$first"
expect "a peering is deactivated: who" "space test-space, app $oasis
  ~ 2 clients of peering pcx-111aaa111 asked 6 times: REFUSED with Q18 instead of 2 addresses with Q40
      api.example.com A, x.apps.example.com A; $peer, 10.20.3.5" "$lines"

edited narrowed 's|10.20.0.0/16|10.20.3.4/32|'
traffic narrowed
expect "a block is narrowed: who" "space test-space, app $oasis
  ~ 1 client of peering pcx-111aaa111 asked 2 times: REFUSED with Q18 instead of 2 addresses with Q40
      x.apps.example.com A; 10.20.3.5" "$lines"

edited moved '/hostname: api.example.com/d; s/domains: \[{hostname: sleepy.example.com/domains: [{hostname: api.example.com, cname: new-haiku-1.also-random-3847.herokuspace.com}, {hostname: sleepy.example.com/'
traffic moved
expect "a domain moves to an app without a running dyno: who" "space test-space, app $oasis
  ~ 1 client of peering pcx-111aaa111 asked 4 times: Q10 instead of 2 addresses with Q40
      api.example.com A; $peer
  ~ 1 client of space test-space asked 3 times: Q10 instead of 2 addresses
      api.example.com A; $run" "$lines"

edited gone '/hostname: api.example.com/d'
traffic gone
expect "a domain goes: who" "space test-space, app $oasis
  ~ 1 client of peering pcx-111aaa111 asked 4 times: NXDOMAIN with Q27 instead of 2 addresses with Q40
      api.example.com A; $peer
  ~ 1 client of space test-space asked 3 times: NXDOMAIN with Q27 instead of 2 addresses
      api.example.com A; $run" "$lines"

edited taken 's/^ *- {hostname: example.net,/      - {hostname: www.example.org, cname: new-haiku-1.also-random-3847.herokuspace.com}\n      - {hostname: "*.example.info", cname: new-haiku-2.also-random-3847.herokuspace.com}\n&/'
traffic taken
expect "names of others are taken over: who" "space test-space, app $oasis
  ~ 1 client of app open-plain-1001 asked 4 times: 2 addresses instead of an upstream's answer
      www.example.org A; $dyno
  ~ 1 client of space test-space asked 2 times: 2 addresses instead of an upstream's answer
      *.example.info A; $run" "$lines"

# ---- settings ----

cp "$work/settings.yaml" "$work/usual.yaml"
# with LINE...: plans with these lines in the settings
with() {
    printf '%s\n' "$@" | cat "$work/usual.yaml" - >"$work/settings.yaml"
    traffic zones
    cp "$work/usual.yaml" "$work/settings.yaml"
}
with 'upstream_zones: {corp.example: [198.51.100.54]}'
expect "a zone has upstreams of its own: who" "names of nobody here
  ~ 1 client of app open-plain-1001 asked 1 time: the answer of other upstreams
      *.corp.example A; $dyno" "$lines"
with 'recursion_for: {space: [example.info]}'
expect "recursion is narrowed: who" "names of nobody here
  ~ 1 client of app open-plain-1001 asked 5 times: REFUSED with Q20 instead of an upstream's answer
      (a name kept as a hash) A; $dyno" "$lines"
with 'external: nxdomain'
expect "outsiders are told otherwise: how many" "1 of 6 clients would have got something else, in 7 of $all replies" "$first"
expect "outsiders are told otherwise" "clients outside
  ~ clients outside asked 7 times: NXDOMAIN with Q18 instead of REFUSED with Q18" "$lines"
with 'log_queries: all'
expect "a setting that changes no answer" "$none" "$first"

# ---- as JSON ----

spacedns plan "$work/deactivated" --traffic --json
expect "as JSON" "48 6 7 6 2 [('test-space', '$oasis', 'peering', 'pcx-111aaa111', 'answer', 6, 2, ['$peer', '10.20.3.5'], 'Q18', 2)] 0 0 0" "$(/usr/bin/python3 -c '
import json, sys
traffic = json.load(sys.stdin)["traffic"]
asked, changed = traffic["asked"], traffic["changed"]
groups = [(g["space"], g["app"], g["who"]["kind"], g["who"]["name"], g["change"], g["replies"], g["clients"],
           g["addresses"], g["after"]["reason"], g["before"]["records"]) for g in traffic["groups"]]
print(asked["replies"], asked["clients"], asked["outside"], changed["replies"], changed["clients"], groups,
      traffic["counted_by_app"], traffic["not_counted"], traffic["silent_workers"])' <<<"$out")"

# ---- across a reload ----

cp "$work/narrowed/test-space.yaml" "$work/zones/test-space.yaml"
spacedns reload
expect_match "the server reloads" 'done, generation=2 ' "$out"
times 1 "$dyno" "$oasis.herokuapp.com" A
traffic zones
expect "what was asked before is still known" "none of 6 clients would have got something else, in $((all + 1)) replies" "$first"
edited widened 's|10.20.3.4/32|10.20.0.0/16|'
traffic widened
expect "who was inside before, and would be again" "space test-space, app $oasis
  ~ 1 client of peering pcx-111aaa111 asked 2 times: 2 addresses with Q40 instead of REFUSED with Q18
      x.apps.example.com A; 10.20.3.5" "$lines"

# ---- what cannot be ----

spacedns plan "$work/zones" --against zones --traffic
expect "--against compares without the server: exit code" 2 "$code"
expect_match "--against compares without the server" '^Error: --traffic tries the zone files on what the running server was asked, .*; leave out --against$' "$out"
spacedns reload --traffic
expect "a reload that is done: exit code" 2 "$code"
expect_match "a reload that is done" '^Error: --traffic .*; add --dry-run$' "$out"
edited broken 's/10.0.0.37, 10.0.16.21/10.0.130.9/'
spacedns plan "$work/broken" --traffic
expect "files with errors: exit code" 1 "$code"
expect_no_match "files with errors have no traffic" '^traffic' "$out"

# ---- while a worker stands still ----

stop
expect "the server ends well" 0 "$code"
start frozen --settings "$work/settings.yaml"
times 1 "$dyno" "$oasis.herokuapp.com" A
thread=$(ps -L -o lwp= -p "$server" | sort -n | tail -n 1 | tr -d ' ')
mkfifo "$work/thaw"
/usr/bin/python3 tests/support/freeze.py "$thread" <"$work/thaw" >"$work/frozen" 2>&1 &
freezer=$!
children+=("$freezer")
exec 7>"$work/thaw"
await grep -q frozen "$work/frozen"
if grep -q '^frozen' "$work/frozen"; then
    spacedns plan "$work/zones" --traffic
    expect_match "what the others have counted is tried" '^traffic since .*: (none of 1 client would |nobody has asked)' "$out"
    expect_match "and that one has not" '^1 worker does not answer now, and may have answered further questions$' "$out"
    /usr/bin/python3 - "$work/control.sock" "$work/zones" "$work/asked" >"$work/waiting" 2>&1 <<'END' &
import socket, sys
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
client.send(b"spacedns/1 plan %s --traffic\n" % sys.argv[2].encode())
open(sys.argv[3], "w").close()
while octets := client.recv(4096):
    print(octets.decode(), end="", flush=True)
END
    waiting=$!
    children+=("$waiting")
    # has asked, and all of it was read
    is_waiting() {
        [ -e "$work/asked" ] && ss -xH src "$work/control.sock" | grep -q 'ESTAB *0 '
    }
    await is_waiting || fail "a client waits"
    kill -TERM "$server"
    wait "$waiting"
    expect_match "whoever waits is answered when the server stops" '^(!Error: the server is stopping; |no answer changes$)' "$(cat "$work/waiting")"
fi
exec 7>&-
wait "$freezer"
await is_gone "$server" || fail "the server ends"
wait "$server"
expect "the server ends well" 0 "$?"
finish
