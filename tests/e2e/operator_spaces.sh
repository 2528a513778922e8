#!/bin/bash
# The commands about spaces print exactly this, and exit with these codes.
# timeout: 30
. "$(dirname "$0")/lib.bash"
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}

# run ARGUMENT...: leaves $code, $out and $err
run() {
    timeout "$patience" "$SPACEDNS" "$@" >"$work/out" 2>"$work/err" </dev/null
    code=$?
    out=$(cat "$work/out")
    err=$(cat "$work/err")
}

# prints ARGUMENT...: succeeds, and standard output is exactly standard input
prints() {
    local wanted
    wanted=$(cat)
    run "$@"
    expect "$*: exit code" 0 "$code"
    expect "$*" "$wanted" "$out"
    expect "$*: nothing else" "" "$err"
}

# refuses CODE SENTENCE ARGUMENT...: prints one sentence and nothing else
refuses() {
    local wanted=$1 sentence=$2
    shift 2
    run "$@"
    expect "$*: exit code" "$wanted" "$code"
    expect "$*" "Error: $sentence" "$err"
    expect "$*: nothing on standard output" "" "$out"
}

# agrees FILTER WANTED ARGUMENT...: the JSON that is printed, seen through a Python expression of j
agrees() {
    local filter=$1 wanted=$2
    shift 2
    run "$@" --json
    expect "$* --json: exit code" 0 "$code"
    expect "$* --json: $filter" "$wanted" \
        "$(/usr/bin/python3 -c "import json, sys; j = json.load(sys.stdin); print($filter)" <<<"$out")"
}

three=$work/three
mkdir "$three"
cp tests/zones_good/*.yaml "$three"

# ---- looking ----

prints spaces <<'END'
 Name        Region  State      Generation  CIDR         Apps
 test-space          allocated  cedar       10.0.0.0/16  3
END
prints spaces --zones "$three" <<'END'
 Name            Region    State       Generation  CIDR         Apps
 changing-space            allocating  cedar       10.3.0.0/16  1
 every-shape     virginia  allocated   cedar       10.2.0.0/16  5
 other-space               allocated   cedar       10.1.0.0/16  1
END
agrees '[(s["name"], s["region"], s["state"], s["apps"]) for s in j]' \
    "[('changing-space', None, 'allocating', 1), ('every-shape', 'virginia', 'allocated', 5), ('other-space', None, 'allocated', 1)]" \
    spaces --zones "$three"
prints spaces:info <<'END'
=== test-space
CIDR:       10.0.0.0/16
Data CIDR:  172.23.0.0/20
State:      allocated
Shield:     off
Generation: cedar
END
prints spaces:info --space test-space --color always <<'END'
=== ⬡ test-space
CIDR:       10.0.0.0/16
Data CIDR:  172.23.0.0/20
State:      allocated
Shield:     off
Generation: cedar
END
agrees 'sorted(j.items())' \
    "[('affinity', 'none'), ('apps', 3), ('cidr', '10.0.0.0/16'), ('data_cidr', '172.23.0.0/20'), ('generation', 'cedar'), ('id', None), ('name', 'test-space'), ('region', None), ('shield', False), ('state', 'allocated')]" \
    spaces:info
prints spaces:ps <<'END'
=== frozen-oasis-70544 web (2)
web.1: up 10.0.130.56
web.2: up 10.0.151.218
=== frozen-oasis-70544 worker (1)
worker.1: up 10.0.152.218
=== sleepy-river-2739 web (1)
web.1: crashed 10.0.131.7
=== open-plain-1001 web (1)
web.1: up 10.0.132.9
END
agrees '[(d["name"], d["type"], d["state"], d["private_ip"]) for a in j for d in a["dynos"] if a["app_name"] == "sleepy-river-2739"]' \
    "[('web.1', 'web', 'crashed', '10.0.131.7')]" spaces:ps
mkdir "$work/bare"
echo 'space: bare-space' >"$work/bare/bare-space.yaml"
prints spaces:ps --zones "$work/bare" <<<"No dynos on bare-space"

# ---- the topology ----

prints spaces:topology --space test-space <<'END'
=== frozen-oasis-70544 (web, worker)
Domains: *.apps.example.com
         apex-haiku-2201.also-random-3847.herokuspace.com
         api.example.com
         example.net
         frozen-oasis-70544.herokuapp.com
         random-haiku-5196.also-random-3847.herokuspace.com
         wild-haiku-1188.also-random-3847.herokuspace.com
Dynos:   web.1 - 10.0.130.56 - 1.web.frozen-oasis-70544.app.localspace
         web.2 - 10.0.151.218 - 2.web.frozen-oasis-70544.app.localspace
         worker.1 - 10.0.152.218 - 1.worker.frozen-oasis-70544.app.localspace

=== sleepy-river-2739 (web)
Domains: drowsy-haiku-7.also-random-3847.herokuspace.com
         sleepy-river-2739.herokuapp.com
         sleepy.example.com

=== open-plain-1001 (web)
Domains: open-plain-1001-1234567890ab.herokuapp.com
Dynos:   web.1 - 10.0.132.9 - 1.web.open-plain-1001.app.localspace
END
agrees '[list(j), list(j["apps"][0]), list(j["apps"][0]["formation"][0]), list(j["apps"][0]["formation"][0]["dynos"][0])]' \
    "[['version', 'apps'], ['id', 'domains', 'formation'], ['id', 'process_type', 'dynos'], ['id', 'number', 'private_ip', 'hostname', 'host_entry']]" \
    spaces:topology
prints spaces:topology --zones "$work/bare" </dev/null
agrees j "{'version': 1, 'apps': []}" spaces:topology --zones "$work/bare"
first=$("$SPACEDNS" spaces:topology --json)
expect "a topology's octets are the same each time" "$first" "$("$SPACEDNS" spaces:topology --json)"

# ---- the zone file ----

# Without upstreams, so that this host's resolv.conf has no part in it.
echo 'recursion_for: []' >"$work/refusing.yaml"
cat >"$work/bare/zonefile.yaml" <<'END'
space: printed-space
cidr: 10.9.0.0/16
routers: [10.9.0.1]
apps:
  - name: calm-lake-1
    internal_routing: true
    domains: [{hostname: calm.example.com}]
    formation: {web: {dynos: [{number: 1, private_ip: 10.9.130.1}]}}
END
prints spaces:zonefile printed-space --zones "$work/bare" --settings "$work/refusing.yaml" <<'END'
; Space printed-space for clients of class space, asked as 10.9.130.1.
; The names are in several zones, so there is no SOA and no NS record. Below a name in
; a comment stands why it has no record, as `spacedns explain` prints it.

; app calm-lake-1
calm-lake-1.herokuapp.com.	30	IN	A	10.9.0.1
; calm.example.com A
;   pending, so not answered: give it its cname; remove `status: pending` if that is there
;   remedy=if it is an app: create it with internal routing; if not: name upstreams, and list the client's class, or a suffix of the name for it, in recursion_for
;   verdict=REFUSED: Q20 not a name of this space, and no recursion for this client
web.calm-lake-1.app.localspace.	10	IN	A	10.9.130.1
1.web.calm-lake-1.app.localspace.	10	IN	A	10.9.130.1
1.130.9.10.in-addr.arpa.	10	IN	PTR	1.web.calm-lake-1.app.localspace.

; the space's own: static records and routers
router-1.printed-space.space.localspace.	30	IN	A	10.9.0.1
1.0.9.10.in-addr.arpa.	10	IN	PTR	router-1.printed-space.space.localspace.
END
agrees '[j["space"], j["class"], j["from"], len(j["records"]), j["records"][1], [m["name"] for m in j["missing"]]]' \
    "['printed-space', 'space', '10.9.0.9', 6, {'name': 'web.calm-lake-1.app.localspace.', 'ttl': 10, 'class': 'IN', 'type': 'A', 'data': '10.9.130.1'}, ['calm.example.com']]" \
    spaces:zonefile printed-space --zones "$work/bare" --from 10.9.0.9
run spaces:zonefile test-space --as external
expect "an outsider gets no record" "" "$(grep -v '^;\|^$' <<<"$out")"
expect_match "and the reason" '^;   verdict=REFUSED: Q18 ' "$out"
agrees '[j.get("from"), j["class"], len(j["records"])]' "[None, 'external', 0]" spaces:zonefile test-space --as external
agrees '[j["from"], j["class"], len(j["records"])]' "['2001:db8::1', 'external', 0]" spaces:zonefile test-space --from 2001:db8::1
refuses 1 "space printed-space has no clients of class vpn: none of its connections that are up makes one; spacedns spaces:peerings and spaces:vpn:connections show their states" \
    spaces:zonefile printed-space --as vpn --zones "$work/bare"
refuses 1 "there is no space tset-space in zones; did you mean test-space? spacedns spaces lists them" \
    spaces:zonefile tset-space
refuses 2 "--as: dyno is not a class of clients; write space, peered, vpn or external" \
    spaces:zonefile test-space --as dyno
refuses 2 "--from: here is not an address; write one as 10.0.130.56" spaces:zonefile test-space --from here
refuses 2 "write --as CLASS or --from ADDR, not both" spaces:zonefile test-space --as vpn --from 10.0.130.56
rm "$work/bare/zonefile.yaml"

# ---- the network ----

prints spaces:peerings <<'END'
=== test-space Peerings
 PCX ID         Type              CIDR Blocks   Status              VPC ID  AWS Region  AWS Account ID  Expires
 pcx-111aaa111  customer-managed  10.20.0.0/16  active
 pcx-222bbb222  customer-managed  10.30.0.0/16  pending-acceptance
END
agrees '[list(p) for p in j][0], [(p["pcx_id"], p["cidr_blocks"], p["status"]) for p in j]' \
    "['type', 'pcx_id', 'cidr_blocks', 'status', 'aws_vpc_id', 'aws_region', 'aws_account_id', 'expires'] [('pcx-111aaa111', ['10.20.0.0/16'], 'active'), ('pcx-222bbb222', ['10.30.0.0/16'], 'pending-acceptance')]" \
    spaces:peerings
prints spaces:peerings --zones "$work/bare" <<<"=== bare-space has no peerings"
prints spaces:vpn:connections --space test-space <<'END'
=== test-space VPN Connections
 Name    Status  Tunnels  Routable CIDRs  Public IP
 office  active  UP/DOWN  172.16.0.0/16   35.161.69.30
 branch  failed           192.168.7.0/24
END
agrees '[(v["name"], v["status"], [t["status"] for t in v["tunnels"]]) for v in j]' \
    "[('office', 'active', ['UP', 'DOWN']), ('branch', 'failed', [])]" spaces:vpn:connections
prints spaces:vpn:connections --zones "$work/bare" <<<"=== bare-space has no VPN connections"
prints spaces:trusted-ips <<'END'
=== Trusted IP Ranges
192.0.2.0/26
Trusted IP rules are applied to this space.
END
prints spaces:trusted-ips --zones "$work/bare" <<<"=== bare-space has no trusted IP ranges. All inbound web requests to dynos are blocked."
agrees 'j' "{'space': {'id': None, 'name': 'test-space'}, 'rules': [{'action': 'allow', 'source': '192.0.2.0/26'}]}" \
    spaces:trusted-ips
printf 'space: bare-space\ntrusted_ips: [0.0.0.0/0]\nregion: "\\e[31m"\n' >"$work/bare/bare-space.yaml"
agrees 'j["rules"][0]["source"]' 0.0.0.0/0 spaces:trusted-ips --zones "$work/bare"
run spaces:info --zones "$work/bare"
expect_match "a zone file does not speak to the terminal" '^Region:     \\x1b\[31m$' "$out"

# ---- routes of a peered VPC ----

# advises WHY ARGUMENT...: prints the commands of standard input, and why on standard error
advises() {
    local logged=$1 wanted
    shift
    wanted=$(cat)
    run "$@"
    expect "$*: exit code" 0 "$code"
    expect "$*" "$wanted" "$out"
    expect "$*: why" "$logged" "$err"
}

advises "pcx-111aaa111 has no route to router 10.0.0.37 (in 10.0.0.0/20), 10.0.16.21 (in 10.0.16.0/20), so its clients get addresses they cannot reach. In the peered VPC, run:" \
    spaces:peerings:routes pcx-111aaa111 <<'END'
aws ec2 describe-route-tables --filters Name=vpc-id,Values=vpc-your-vpc-id --query "RouteTables[].RouteTableId" --output text
aws ec2 create-route --route-table-id rtb-your-route-table-id --destination-cidr-block 10.0.0.0/16 --vpc-peering-connection-id pcx-111aaa111
END
advises "pcx-222bbb222 does not list the routes of its VPC. Unless it has a route to 10.0.0.0/16, run this in the peered VPC, and list what it has as \`routes\`:" \
    spaces:peerings:routes pcx-222bbb222 --space test-space <<'END'
aws ec2 describe-route-tables --filters Name=vpc-id,Values=vpc-your-vpc-id --query "RouteTables[].RouteTableId" --output text
aws ec2 create-route --route-table-id rtb-your-route-table-id --destination-cidr-block 10.0.0.0/16 --vpc-peering-connection-id pcx-222bbb222
END
routed=$work/routed
mkdir "$routed"
sed 's/status: active,/&route_table_id: rtb-0a1b2c3d,/; s/routes: \[.*\]}/routes: [10.0.0.0\/16, 10.0.128.0\/20, 10.0.144.0\/20]}/' \
    zones/test-space.yaml >"$routed/test-space.yaml"
advises "pcx-111aaa111 has routes to the whole of 10.0.0.0/16.
The routes inside it are not needed, and these commands remove them." \
    spaces:peerings:routes pcx-111aaa111 --zones "$routed" <<'END'
aws ec2 delete-route --route-table-id rtb-0a1b2c3d --destination-cidr-block 10.0.128.0/20
aws ec2 delete-route --route-table-id rtb-0a1b2c3d --destination-cidr-block 10.0.144.0/20
END
agrees 'j["routes_are"], j["needless_routes"], len(j["commands"])' "complete ['10.0.128.0/20', '10.0.144.0/20'] 2" \
    spaces:peerings:routes pcx-111aaa111 --zones "$routed"
sed -i 's/routes: \[.*\]}/routes: [10.0.0.0\/20, 10.0.16.0\/20]}/' "$routed/test-space.yaml"
advises "pcx-111aaa111 has routes to every router, but not to the whole of 10.0.0.0/16. To cover routers to come, run in the peered VPC:" \
    spaces:peerings:routes pcx-111aaa111 --zones "$routed" <<'END'
aws ec2 create-route --route-table-id rtb-0a1b2c3d --destination-cidr-block 10.0.0.0/16 --vpc-peering-connection-id pcx-111aaa111
END
sed -i 's/routes: \[.*\]}/routes: [10.0.0.0\/17, 10.0.128.0\/17]}/' "$routed/test-space.yaml"
advises "pcx-111aaa111 has routes to the whole of 10.0.0.0/16, in pieces." \
    spaces:peerings:routes pcx-111aaa111 --zones "$routed" </dev/null
agrees 'j["pcx_id"], j["routes_are"], j["missed_routers"], j["needless_routes"], len(j["commands"])' \
    "pcx-111aaa111 missing ['10.0.0.37', '10.0.16.21'] [] 2" spaces:peerings:routes pcx-111aaa111
refuses 1 "there is no peering pcx-111aaa112 in zones; did you mean pcx-111aaa111? spacedns spaces:peerings lists them" \
    spaces:peerings:routes pcx-111aaa112
refuses 1 "there is no peering pcx-111aaa111 in other-space; spacedns spaces:peerings lists them" \
    spaces:peerings:routes pcx-111aaa111 --space other-space --zones "$three"
run spaces:peerings:routes
expect "no peering named: exit code" 2 "$code"

# ---- a new space ----

made=$work/made
mkdir "$made"
run spaces:create my-space --zones "$made"
expect "spaces:create: exit code" 0 "$code"
expect "spaces:create" "$made/my-space.yaml" "$out"
expect "spaces:create: what is done" "Creating space my-space... done
To load it into a running server, use spacedns reload" "$err"
prints spaces:info --zones "$made" <<'END'
=== my-space
CIDR:       10.0.0.0/16
State:      allocated
Shield:     off
Generation: cedar
END
expect_match "the file shows what comes next" '^# routers: \[10\.0\.0\.37, 10\.0\.16\.21\]$' "$(cat "$made/my-space.yaml")"
sed -i 's/^# routers/routers/' "$made/my-space.yaml"
expect "the file ends with its mark" "..." "$(tail -n 1 "$made/my-space.yaml")"
expect "nothing is put elsewhere: exit code" 0 \
    "$(TMPDIR=$work/none run spaces:create three-space --cidr 10.3.0.0/16 --zones "$made"; echo "$code")"
rm "$made/three-space.yaml"
run spaces:create two-space --cidr 10.1.0.0/16 --zones "$made"
expect "a second space" "$made/two-space.yaml" "$out"
expect "only the two files are there" "my-space.yaml two-space.yaml" "$(ls -A "$made" | grep -vx .spacedns.lock | xargs)"
before=$(cat "$made"/*)

# unmade SENTENCE ARGUMENT...: spaces:create is refused and changes nothing
unmade() {
    local sentence=$1
    shift
    run spaces:create "$@" --zones "$made"
    expect "spaces:create $*: exit code" 1 "$code"
    expect "spaces:create $*" "Creating space $1... !
Error: $sentence" "$err"
    expect "spaces:create $*: nothing on standard output" "" "$out"
    expect "spaces:create $* changes nothing" "$before" "$(cat "$made"/*)"
    expect "spaces:create $* leaves nothing" "my-space.yaml two-space.yaml" "$(ls -A "$made" | grep -vx .spacedns.lock | xargs)"
}

unmade "$made/my-space.yaml exists already; move it away, or take another name" my-space
unmade "E-SPACE-OVERLAP: space three-space has cidr 10.0.0.0/16, and so has space my-space ($made/my-space.yaml:3); give each its own \`listen\` addresses, so that the address asked tells them apart; nothing was changed; --cidr gives the space another block" \
    three-space
unmade "E-SPACE-CIDR: \`cidr\` is 10.0.0.0/8, but a space has a /16; write for example 10.0.0.0/16; nothing was changed; --cidr gives the space another block" \
    three-space --cidr 10.0.0.0/8
unmade "E-SPACE-NAME: space name \`a--b\` has two hyphens in a row; a name has 3 or more of a-z, 0-9 and single inner hyphens; nothing was changed" \
    a--b --cidr 10.2.0.0/16
refuses 1 "a space name has 3 to 63 of a-z, 0-9 and single inner hyphens, as my-space; ../x is not one" \
    spaces:create ../x --zones "$made"
refuses 2 "--cidr is a block such as 10.1.0.0/16, not wide" spaces:create xyz --cidr wide --zones "$made"
sed -i '$d' "$made/two-space.yaml"
echo 'routers: 7' >>"$made/two-space.yaml"
before=$(cat "$made"/*)
unmade "$made/two-space.yaml:$(wc -l <"$made/two-space.yaml"):10: E-TYPE: \`routers\` must be a list, found \`7\`; nothing was changed; fix what is there already first" \
    three-space --cidr 10.2.0.0/16

# ---- a topology becomes a zone file ----

imported=$work/imported
mkdir "$imported"
"$SPACEDNS" spaces:topology --json >"$work/t.json"
run spaces:import "$work/t.json" --space test-space --zones "$imported"
expect "spaces:import: exit code" 0 "$code"
expect "spaces:import" "$imported/test-space.yaml" "$out"
expect "spaces:import: what is done" "Importing $work/t.json into test-space... done
The topology does not show which DNS target belongs to which of 3 domains; compare them with heroku domains." "$err"
prints spaces:topology --json --zones "$imported" <"$work/t.json"
expect "what was imported is served" 0 "$("$SPACEDNS" check --zones "$imported" >/dev/null; echo $?)"
sed 's/"formation"/"formations"/' "$work/t.json" >"$work/t2.json"
rm "$imported"/*
run spaces:import "$work/t2.json" --space test-space --zones "$imported" --cidr 10.0.0.0/16
expect "formations is taken for formation: exit code" 0 "$code"
prints spaces:topology --json --zones "$imported" <"$work/t.json"
cat >"$work/file.json" <<'END'
{"version": 1, "apps": [{"id": "7ef41ec6-b4a9-4739-a646-fab8e08960a3", "new": [1],
 "domains": ["thawing-meadow-2738.powerful-retreat-1851.herokuspace.com", "cloudapp.herokuapp.com"],
 "formation": [{"process_type": "web", "dynos": [{"number": 2, "private_ip": "10.9.130.56",
  "hostname": "2.web.cloudapp.app.localspace"}]}]}]}
END
run spaces:import "$work/file.json" --space file-space --cidr 10.9.0.0/16 --zones "$imported"
expect "a file of the platform: exit code" 0 "$code"
expect "a file of the platform: what is done" "Importing $work/file.json into file-space... done
Left out: DNS targets without a custom domain, 1 of them." "$err"
prints spaces:topology --space file-space --zones "$imported" <<'END'
=== cloudapp (web)
Domains: cloudapp.herokuapp.com
Dynos:   web.2 - 10.9.130.56 - 2.web.cloudapp.app.localspace
END
before=$(cat "$imported"/*)

# unread SENTENCE FILE [ARGUMENT...]: spaces:import is refused and changes nothing
unread() {
    local sentence=$1
    shift
    run spaces:import "$@" --space new-space --zones "$imported"
    expect "spaces:import $*: exit code" 1 "$code"
    expect "spaces:import $*" "Importing $1 into new-space... !
Error: $sentence" "$err"
    expect "spaces:import $*: nothing on standard output" "" "$out"
    expect "spaces:import $* changes nothing" "$before" "$(cat "$imported"/*)"
    expect "spaces:import $* leaves nothing" "file-space.yaml test-space.yaml" "$(ls -A "$imported" | grep -vx .spacedns.lock | xargs)"
}

unread "$work/none.json cannot be opened: No such file or directory; name a file that this user may read" "$work/none.json"
unread "$work is not a regular file; save the topology to one" "$work"
mkfifo "$work/pipe"
unread "$work/pipe is not a regular file; save the topology to one" "$work/pipe"
truncate -s 1G "$work/huge.json"
unread "$work/huge.json has 1073741824 octets, more than the 16777216 of any topology; is it another file?" "$work/huge.json"
/usr/bin/python3 -c 'print("{\"version\": 1, \"apps\": [" + "{}," * 600000 + "{}]}")' >"$work/many.json"
unread "$work/many.json has more than the 1048576 values of any topology; is it another file?" "$work/many.json"
head -c 500 "$work/t.json" >"$work/cut.json"
run spaces:import "$work/cut.json" --space new-space --zones "$imported"
expect "a truncated file: exit code" 1 "$code"
expect_match "a truncated file" "^Error: $work/cut\.json:[0-9]+:[0-9]+: .*; it is incomplete, fetch the topology again$" "$err"
sed 's/"version": 1,/&"version": 1,/' "$work/t.json" >"$work/twice.json"
unread "$work/twice.json:2:24: duplicate object key near '\"version\"'; correct it, or fetch the topology again" "$work/twice.json"
sed 's/"number": 2/"number": "2"/' "$work/t.json" >"$work/type.json"
unread "$work/type.json: apps[0].formation[0].dynos[1].number must be a whole number from 1, found a text \`2\`; correct it, or fetch the topology again" "$work/type.json"
unread "E-DYNO-IP: dyno web.1 has private_ip 10.0.130.56 outside dyno_cidrs; give it an address in 10.5.128.0/20 or 10.5.144.0/20 (the first of 4 errors); nothing was changed; --cidr gives the space another block" \
    "$work/t.json" --cidr 10.5.0.0/16
refuses 2 "Space name required. Write --space NAME, the space to create" spaces:import "$work/t.json" --zones "$imported"
run spaces:import "$work/t.json" --space test-space --zones "$imported"
expect "a space that is there" "Importing $work/t.json into test-space... !
Error: $imported/test-space.yaml exists already; with --force its apps become those of the topology, and the rest stays" "$err"
expect "a space that is there: exit code" 1 "$code"
expect "a space that is there is not changed" "$before" "$(cat "$imported"/*)"

# ---- a topology replaces the apps of a space ----

replaced=$work/replaced
mkdir "$replaced"
{ sed '$d' zones/test-space.yaml; printf '# the last line\nregion: virginia\n'; } >"$replaced/test-space.yaml"
/usr/bin/python3 - "$work/t.json" "$work/moved.json" <<'END'
import json, sys
topology = json.load(open(sys.argv[1]))
topology["apps"][0]["formation"][0]["dynos"][0]["private_ip"] = "10.0.130.57"
topology["apps"].append({"domains": ["new-app.herokuapp.com"], "formation": []})
json.dump(topology, open(sys.argv[2], "w"))
END
run spaces:import "$work/moved.json" --space test-space --zones "$replaced" --force
expect "spaces:import --force: exit code" 0 "$code"
expect "spaces:import --force" "$replaced/test-space.yaml" "$out"
expect "spaces:import --force: what is done" "Importing $work/moved.json into test-space... done
To load it into a running server, use spacedns reload; spacedns plan shows what would change" "$err"
expect "what stands before the apps stays" "$(sed '/^apps:/,$d' zones/test-space.yaml)" "$(sed '/^apps:/,$d' "$replaced/test-space.yaml")"
expect "what stands behind the apps stays, and the end is marked" "# the last line
region: virginia
..." "$(tail -n 3 "$replaced/test-space.yaml")"
mkdir "$work/appless"
printf 'space: test-space\nrouters: [10.0.0.37]\n...\n' >"$work/appless/test-space.yaml"
run spaces:import "$work/moved.json" --space test-space --zones "$work/appless" --force
expect "apps where there were none: exit code" 0 "$code"
expect "apps where there were none stand before the end mark" "apps: 1, ...: 1" \
    "apps: $(grep -c '^apps:' "$work/appless/test-space.yaml"), ...: $(tail -n 1 "$work/appless/test-space.yaml" | grep -cx '[.][.][.]')"
agrees '[len(j["apps"]), j["apps"][0]["formation"][0]["dynos"][0]["private_ip"]]' "[4, '10.0.130.57']" \
    spaces:topology --zones "$replaced"
expect "apps keep their internal routing, ports and targets" "2 1 1" \
    "$(cd "$replaced" && grep -c 'internal_routing: true' ./* | xargs) $(grep -c 'ports: {http: 8080}' "$replaced"/*) $(grep -c 'hostname: api.example.com, cname: random-haiku-5196.also-random-3847.herokuspace.com}' "$replaced"/*)"
before=$(cat "$replaced"/*)
run spaces:import "$work/cut.json" --space test-space --zones "$replaced" --force
expect "a truncated file: exit code" 1 "$code"
expect_match "a truncated file" "; it is incomplete, fetch the topology again$" "$err"
sed 's/10\.0\.151\.218/10.0.0.99/g' "$work/t.json" >"$work/outside.json"
run spaces:import "$work/outside.json" --space test-space --zones "$replaced" --force
expect "a dyno outside: exit code" 1 "$code"
expect_match "a dyno outside" '^Error: E-DYNO-IP: dyno web\.2 has private_ip 10\.0\.0\.99 outside dyno_cidrs; .*; nothing was changed$' "$err"
refuses 1 "there is no space new-space in $replaced; spacedns spaces lists them" \
    spaces:import "$work/t.json" --space new-space --zones "$replaced" --force
expect "what is refused changes nothing" "$before" "$(cat "$replaced"/*)"
expect "what is refused leaves nothing" "test-space.yaml" "$(ls -A "$replaced" | grep -vx .spacedns.lock | xargs)"

# ---- which space ----

refuses 1 "there is no space test-spacs in zones; did you mean test-space? spacedns spaces lists them" \
    spaces:info --space test-spacs
refuses 1 "there is no space elsewhere in zones; spacedns spaces lists them" spaces:ps --space elsewhere
refuses 2 "Space name required. Write --space NAME; spacedns spaces lists the 3 of $three" \
    spaces:peerings --zones "$three"
refuses 1 "zones folder $work/nowhere cannot be opened: No such file or directory; create it, or name another with --zones" \
    spaces --zones "$work/nowhere"
run spaces --zones tests/zones_bad
expect "a folder with errors: exit code" 1 "$code"
expect_match "a folder with errors" '^Error: tests/zones_bad has [0-9]+ errors, the first at tests/zones_bad/[^ ]+:[0-9]+:[0-9]+; fix them, then try again$' "$err"
run spaces surplus
expect "an operand that is not wanted: exit code" 2 "$code"

finish
