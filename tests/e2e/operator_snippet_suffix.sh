#!/bin/bash
# spacedns snippet --by suffix: a peered VPC's resolvers get one rule for each suffix, and never again
# any change. Then 1,000 apps with a domain each are added to the zone files: every real resolver
# resolves all of them, also those whose absence it has cached, and public names of the same suffixes
# stay what the world says; names of other suffixes are not asked of the server.
# timeout: 180
. "$(dirname "$0")/lib.bash"
. "$(dirname "$script")/network.bash"
. "$(dirname "$script")/resolvers.bash"
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}

suffixes="herokuapp.com, herokuspace.com, herokudns.com, example.com, example.net"
mkdir "$work/zones"
cp zones/test-space.yaml "$work/zones/"
cat >"$work/s.yaml" <<END
zones: $work/zones
listen: ["10.0.0.2:5300"]
workers: 1
upstreams: [127.0.0.1@5400]
recursion_for: {space: all, peered: [$suffixes], vpn: [$suffixes]}
log_queries: all
control_socket: $work/socket
END

build_network PEER
upstream_launcher=(nsenter --net=/run/netns/server)
start_upstream world --listen 127.0.0.1:5400 <<'END'
www.herokuapp.com.                300 IN A 198.51.100.80
another.example.com.              300 IN CNAME www.herokuapp.com.
_acme-challenge.api.example.com.  300 IN TXT "token"
example.net.                      300 IN MX 10 mail.example.net.
api.example.com.                  300 IN A 198.51.100.66
app-7.herokuapp.com.              1 IN A 198.51.100.66
END
upstream_launcher=(nsenter --net=/run/netns/PEER)
start_upstream own --listen 127.0.0.1:5400 <<'END'
elsewhere.example.org.            300 IN A 93.184.215.14
END
start serve --settings "$work/s.yaml"
inside PEER dig @10.0.0.2 -p 5300 +tries=1 +time=1 x >/dev/null # resolves the neighbour

# snippet KIND: by suffix without being told to, for the settings allow it
snippet() {
    "$SPACEDNS" snippet "$1" --to 10.0.0.2:5300 --zones "$work/zones" --settings "$work/s.yaml" \
        >"$work/snippet" 2>"$work/snippet.err" || fail "snippet $1" "$(cat "$work/snippet.err")"
    expect_no_match "$1: no rule for a single app" 'frozen-oasis' "$(cat "$work/snippet")"
}

# ---- four resolvers, each with a configuration that stays ----

tried=()

start_unbound_in_vpc() {
    listen_at 5301
    snippet unbound
    unbound_file 'server:' '    do-not-query-localhost: no' 'forward-zone:' '    name: "."' \
        '    forward-addr: 127.0.0.1@5400' >"$work/unbound.conf"
    resolver unbound unbound -d -c "$work/unbound.conf"
}

start_dnsmasq_in_vpc() {
    listen_at 5302
    snippet dnsmasq
    expect "one rule for each suffix, and localspace" 6 "$(grep -c ^server= "$work/snippet")"
    dnsmasq_command --server=/example.org/127.0.0.1#5400
    resolver dnsmasq "${dnsmasq[@]}"
}

start_named_in_vpc() {
    listen_at 5303
    snippet bind
    named_file "$(named_exceptions)" 'forwarders { 127.0.0.1 port 5400; }; forward only;' \
        >"$work/named.conf"
    resolver named named -f -c "$work/named.conf" -n 1
}

start_resolved_in_vpc() {
    snippet systemd-resolved
    start_resolved systemd-resolved no 127.0.0.1:5400
}

for program in unbound dnsmasq named; do
    if command -v "$program" >/dev/null; then
        "start_${program}_in_vpc"
        tried+=("$program:${at[*]}")
    else
        echo "not tried: there is no $program here (cmd/dev deps installs it)"
    fi
done
if find_resolved && may_run_resolved; then
    start_resolved_in_vpc
    tried+=("systemd-resolved:${at[*]}")
else
    echo "not tried: systemd-resolved: $(cat "$work/refused" 2>/dev/null)"
fi

# each COMMAND...: of each resolver, which is $program
each() {
    local one
    for one in "${tried[@]}"; do
        program=${one%%:*}
        read -ra at <<<"${one#*:}"
        "$@"
    done
}

short() {
    asked +short "$@" | sort -V | xargs
}

# what is ours and what is the world's, in the same suffixes
has_both() {
    expect "$program: an app" "10.0.0.37 10.0.16.21" "$(short frozen-oasis-70544.herokuapp.com A)"
    expect "$program: a custom domain" "10.0.0.37 10.0.16.21" "$(addresses "$(asked +short api.example.com A)")"
    expect "$program: a domain at an apex" "10.0.0.37 10.0.16.21" "$(short example.net A)"
    expect "$program: its mail" "10 mail.example.net." "$(short example.net MX)"
    expect "$program: a public name" 198.51.100.80 "$(short www.herokuapp.com A)"
    expect "$program: a public alias" 198.51.100.80 "$(addresses "$(asked +short another.example.com A)")"
    expect "$program: below a custom domain" '"token"' "$(asked +short _acme-challenge.api.example.com TXT)"
    expect "$program: a name of nobody" NXDOMAIN "$(status "$(asked nobody.example.com A)")"
    expect "$program: another suffix" 93.184.215.14 "$(short elsewhere.example.org A)"
    expect "$program: discovery stays closed" "" "$(short web.frozen-oasis-70544.app.localspace A)"
}
each has_both
expect_no_match "the server is not asked for other suffixes" 'example\.org' "$(cat "$work/serve.out")"

# ---- 1,000 apps more ----

# Absent now, and cached as such; the world has an app-7 of its own.
has_none() {
    expect "$program: not yet an app" NXDOMAIN "$(status "$(asked app-1.herokuapp.com A)")"
    expect "$program: not yet a domain" NXDOMAIN "$(status "$(asked app-1.example.com A)")"
    expect "$program: the world's app" 198.51.100.66 "$(short app-7.herokuapp.com A)"
}
each has_none

/usr/bin/python3 - "$work/zones/test-space.yaml" "$work/names" <<'END'
import os
import sys

path, names = sys.argv[1:]
apps = "".join("""\
  - name: app-%d
    internal_routing: true
    domains: [{hostname: app-%d.example.com, cname: grown-haiku-%d.also-random-3847.herokuspace.com}]
    formation: {web: {dynos: [{number: 1, private_ip: 10.0.%d.%d, state: up}]}}
""" % (n, n, n, 133 + n // 250, 1 + n % 250) for n in range(1000))
text = open(path).read()
assert "\napps:\n" in text
open(path + ".new", "w").write(text.replace("\napps:\n", "\napps:\n" + apps))
os.rename(path + ".new", path)
with open(names, "w") as out:
    for n in range(1000):
        out.write("app-%d.herokuapp.com A\napp-%d.example.com A\n" % (n, n))
END
: >"$work/world.log"
reload
expect_match "the reload is done" ' info reload_done generation=2 ' "$logged"

knows_by_now() {
    [ "$(addresses "$(asked +short "$1" A)")" = "10.0.0.37 10.0.16.21" ]
}

resolves_all() {
    local got
    for name in app-1.herokuapp.com app-1.example.com app-7.herokuapp.com; do
        await knows_by_now "$name" || fail "$program: $name after its absence was cached"
    done
    got=$(inside PEER dig "${at[@]}" +tries=2 +time=5 +short -f "$work/names" 2>&1)
    expect "$program: the first router for each" 2000 "$(grep -c '^10\.0\.0\.37$' <<<"$got")"
    expect "$program: the second router for each" 2000 "$(grep -c '^10\.0\.16\.21$' <<<"$got")"
    expect "$program: and nothing else" "" \
        "$(grep -v '^10\.0\.0\.37$\|^10\.0\.16\.21$\|^grown-haiku-.*\.herokuspace\.com\.$' <<<"$got" | head -n 3)"
}
each resolves_all
each has_both

expect_no_match "the world is asked for none of them" \
    ' (app-|api\.example\.com|frozen|sleepy|example\.net\. A )' "$(cat "$work/world.log")"
finish
