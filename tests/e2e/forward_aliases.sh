#!/bin/bash
# Aliases that leave their source, as real clients see them: a static CNAME resolves, and a dnsmasq
# that asks us cannot be given another address for a name of ours by an upstream
# that has an alias to it.
# timeout: 120
. "$(dirname "$0")/lib.bash"
need dnsmasq
enter_private_network || skip "no network namespace may be made here"

mkdir "$work/zones"
{
    sed "/^\.\.\.$/d" zones/test-space.yaml
    cat <<'END'
records:
  - db.corp.example. 60 IN A 172.23.1.5
  - to-record.corp.example. 60 IN CNAME db.corp.example.
  - to-upstream.corp.example. 60 IN CNAME www.example.org.
  - to-app.corp.example. 60 IN CNAME frozen-oasis-70544.herokuapp.com.
  - to-process.corp.example. 60 IN CNAME web.frozen-oasis-70544.app.localspace.
  - to-nothing.corp.example. 60 IN CNAME gone.example.org.
END
} >"$work/zones/test-space.yaml"
start_upstream upstream --listen 198.51.100.53 <<'END'
www.example.org. 300 IN A 198.51.100.80
chain.example.org. 300 IN CNAME api.example.com.
api.example.com. 300 IN A 6.6.6.6
END
port=$(free_port)
start aliases --zones "$work/zones" --listen "127.0.0.1:$port" --local-as test-space --upstream 198.51.100.53

expect "an alias leads to a record" "172.23.1.5" "$(addresses "$(ask +short to-record.corp.example)")"
expect "an alias leads to an upstream's name" "198.51.100.80" "$(addresses "$(ask +short to-upstream.corp.example)")"
expect "an alias leads to an app" "10.0.0.37 10.0.16.21" "$(addresses "$(ask +short to-app.corp.example)")"
expect "an alias leads to a process" "10.0.130.56 10.0.151.218" "$(addresses "$(ask +short to-process.corp.example)")"
expect_match "the last name's code is the answer's" 'status: NXDOMAIN' "$(ask to-nothing.corp.example)"

# A dnsmasq behind us, which caches what it gets.
cache_port=$(free_port)
dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts --bind-interfaces --pid-file= \
    --listen-address=127.0.0.1 --port="$cache_port" --server="127.0.0.1#$port" \
    >"$work/dnsmasq.out" 2>&1 &
children+=("$!")
through() {
    dig @127.0.0.1 -p "$cache_port" +tries=1 +time=2 +short "$@"
}
is_through() {
    [ "$(addresses "$(through "$1")")" = "$2" ]
}
await is_through to-record.corp.example 172.23.1.5 || fail "dnsmasq asks us" "$(cat "$work/dnsmasq.out")"
expect "an upstream's alias to a name of ours gets our answer" "10.0.0.37 10.0.16.21" \
    "$(addresses "$(through chain.example.org)")"
expect "and the name keeps our answer in the cache behind us" "10.0.0.37 10.0.16.21" \
    "$(addresses "$(through api.example.com)")"
expect_no_match "the upstream's data for it is nowhere" '6\.6\.6\.6' \
    "$(ask chain.example.org; ask chain.example.org +tcp; ask chain.example.org ANY)"
stop
finish
