#!/bin/bash
# The forwarding resolver as dynos use it: a network whose only nameserver is the server, a real
# Unbound as upstream in another, and everything that programs ask in between.
# timeout: 180
. "$(dirname "$0")/lib.bash"
need unbound openssl curl
. "$(dirname "$script")/network.bash"

# ---- the network ----
#
#     RUN, PEER, VPN, EXT ── server ── INTERNET: .53 Unbound, .54 an upstream that follows a script,
#                                      .80 a web server; 192.168.7.53 the company's own resolver

build_network RUN PEER VPN EXT
address[INTERNET]=198.51.100.53
connect INTERNET 198.51.100.54 198.51.100.80 192.168.7.53
serve_http INTERNET
upstream_launcher=(nsenter --net=/run/netns/INTERNET)

big=$(for i in {1..10}; do printf '"%0200d" ' "$i"; done)
cat >"$work/example.org.zone" <<END
example.org.            300 SOA ns hostmaster 1 3600 600 86400 60
example.org.            300 NS ns
ns                      300 A 198.51.100.53
www                     300 A 198.51.100.80
www                     300 AAAA 2001:db8::80
*.host                  300 A 198.51.100.80
*.host                  300 AAAA 2001:db8::80
alias                   300 CNAME other
other                   300 CNAME www
deb                     300 CNAME www
_http._tcp.deb          300 SRV 10 1 80 www
big                     300 TXT $big
odd                     300 TYPE65280 \\# 4 01020304
www                     300 HTTPS 1 . alpn=h2
rebind                  300 A 10.0.0.37
rebind.intranet         300 A 10.0.0.37
END
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test \
    -addext "subjectAltName=DNS:dns.example.org,IP:198.51.100.53" \
    -keyout "$work/tls.key" -out "$work/tls.pem" 2>"$work/openssl.log" ||
    fail "a certificate for tests is made" "$(cat "$work/openssl.log")"
cat >"$work/unbound.conf" <<END
    interface: 198.51.100.53@853
    tls-service-key: "$work/tls.key"
    tls-service-pem: "$work/tls.pem"
auth-zone:
    name: example.org
    zonefile: example.org.zone
    for-downstream: no
    for-upstream: yes
END
start_unbound unbound 198.51.100.53
start_upstream scripted --listen 198.51.100.54 <<'END'
bits.scripted.example.      300 IN A 198.51.100.81
refused.scripted.example.   300 IN A 198.51.100.81
ede refused.scripted.example. 15 on somebody's list
END
start_upstream corp --listen 192.168.7.53 <<'END'
wiki.corp.example.          300 IN A 192.168.7.80
END

zones=$work/zones
mkdir "$zones"
cp zones/test-space.yaml "$zones/"
cat >"$work/settings.yaml" <<END
external_rate: 0
zones: $zones
listen: [10.0.0.2]
workers: 1
upstreams: [198.51.100.53]
upstream_zones:
  corp.example: [192.168.7.53]
  scripted.example: [198.51.100.54]
  intranet.example.org: {upstreams: [198.51.100.53], allow_rebind: true}
END
start resolver --settings "$work/settings.yaml"

# query DIG-ARGUMENT...: as RUN, the one-off dyno
query() {
    from RUN 10.0.0.2 "$@"
}

codes() {
    echo "$(status "$1") $(grep -oE 'EDE: .*\(Q[0-9]+' <<<"$1" | grep -oE 'Q[0-9]+')"
}

# ---- programs in a dyno ----

if may_mount; then
    expect_match "getent ahosts" '^198\.51\.100\.80 +STREAM www\.example\.org' "$(as_dyno getent ahosts www.example.org)"
    expect_match "getent ahostsv4 through two CNAMEs" '^198\.51\.100\.80 +STREAM www\.example\.org' \
        "$(as_dyno getent ahostsv4 alias.example.org)"
    expect "getent of a name that is not there" "" "$(as_dyno getent ahosts none.example.org)"
    expect_match "getent of our own name" '^10\.0\.0\.37 ' "$(as_dyno getent ahosts frozen-oasis-70544.herokuapp.com)"
    expect_match "curl by name" '^HTTP/1\.1 200 OK' "$(as_dyno curl -sSI --noproxy '*' http://www.example.org/)"
    expect_match "curl of a name that is not there" 'Could not resolve host' \
        "$(as_dyno curl -sSI --noproxy '*' http://none.example.org/)"
    # As apt-get update asks: a service, then both families at once, for many hosts in parallel.
    got=$(as_dyno /usr/bin/python3 - <<'END'
import concurrent.futures, socket, time
def look_up(number):
    found = socket.getaddrinfo("h%d.host.example.org" % (number % 50), 80, type=socket.SOCK_STREAM)
    return sorted({entry[4][0] for entry in found})
start = time.monotonic()
with concurrent.futures.ThreadPoolExecutor(32) as pool:
    answers = list(pool.map(look_up, range(400)))
good = sum(answer == ["198.51.100.80", "2001:db8::80"] for answer in answers)
print(good, "of", len(answers), "quickly" if time.monotonic() - start < 5 else "slowly")
END
    )
    expect "400 look-ups by 32 threads, both families" "400 of 400 quickly" "$got"
    expect "each host's addresses were asked of the upstream once" "50 50" \
        "$(grep -c 'h[0-9]*\.host\.example\.org\. A ' "$work/unbound.log") $(grep -c 'h[0-9]*\.host\.example\.org\. AAAA ' "$work/unbound.log")"
    if command -v apt-get >/dev/null; then
        mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
        echo "deb [trusted=yes] http://deb.example.org/debian ./" >"$work/apt/sources.list"
        got=$(as_dyno apt-get -o Dir::Etc::SourceList="$work/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
            -o Dir::State::Lists="$work/apt/lists" -o Dir::Cache="$work/apt/cache" -o APT::Sandbox::User=root \
            -o Acquire::http::Proxy=false -o Acquire::Retries=0 update)
        expect_match "apt-get update reaches its mirror" 'http://deb\.example\.org/debian' "$got"
        expect_no_match "apt-get update resolves its mirror" 'resolv|resolving' "$got"
        expect "apt-get has asked for the service" 1 "$(times_asked unbound _http._tcp.deb.example.org SRV)"
    fi
else
    echo "no mounts may be made here: getent, curl and apt-get are not tried"
fi

# ---- answers pass unchanged ----

got=$(query www.example.org)
expect_match "an answer from upstream" '^www\.example\.org\.[[:space:]]+[0-9]+[[:space:]]+IN[[:space:]]+A[[:space:]]+198\.51\.100\.80$' "$got"
expect_match "an answer from upstream: flags" ';; flags: qr rd ra; QUERY: 1, ANSWER: 1' "$got"
expect_match "over TCP" '^www\.example\.org\..*198\.51\.100\.80$' "$(query +tcp www.example.org)"
expect_match "without EDNS" '^www\.example\.org\..*198\.51\.100\.80$' "$(query +noedns www.example.org)"
expect_match "the question's case is kept" '^;wWw\.eXample\.ORG\.[[:space:]]+IN[[:space:]]+A$' "$(query wWw.eXample.ORG)"
expect_match "a CNAME chain" '^;; flags: qr rd ra; QUERY: 1, ANSWER: 3,' "$(query alias.example.org)"
got=$(query none.example.org)
expect_match "NXDOMAIN" 'status: NXDOMAIN' "$got"
expect_match "NXDOMAIN has the SOA" '^example\.org\..*SOA[[:space:]]' "$got"
got=$(query www.example.org MX)
expect_match "no data" 'status: NOERROR.*' "$got"
expect_match "no data: SOA" 'ANSWER: 0, AUTHORITY: 1' "$got"
expect_match "an unknown type" 'TYPE65280[[:space:]]+\\# 4 01020304$' "$(query odd.example.org TYPE65280)"
expect_match "HTTPS" 'HTTPS[[:space:]]+1 \. alpn="h2"$' "$(query www.example.org HTTPS)"
expect_match "SRV" 'SRV[[:space:]]+10 1 80 www\.example\.org\.$' "$(query _http._tcp.deb.example.org SRV)"

for how in "+bufsize=512" "+noedns" "+bufsize=1232" "+bufsize=4096"; do
    # shellcheck disable=SC2086
    expect_match "a large answer, $how +ignore: cut" ';; flags: qr tc rd ra; QUERY: 1, ANSWER: 0' \
        "$(query $how +ignore big.example.org TXT)"
    # shellcheck disable=SC2086
    got=$(query $how big.example.org TXT)
    expect_match "a large answer, $how: TCP" ';; flags: qr rd ra; QUERY: 1, ANSWER: 1' "$got"
    expect "a large answer, $how: whole" 10 "$(grep -oE '"0{190,}[0-9]+"' <<<"$got" | wc -l)"
done

expect_match "upstream's EDE is passed on" "; EDE: 15 \(Blocked\): \(on somebody's list\)" "$(query refused.scripted.example)"
expect_match "and again from the cache" "; EDE: 15 \(Blocked\): \(on somebody's list\)" "$(query refused.scripted.example)"
expect_no_match "and not to who sends no EDNS" 'EDE' "$(query +noedns refused.scripted.example)"

# What the upstream sees of the client: DO and CD, nothing else of its OPT.
: >"$work/scripted.log"
query +dnssec bits.scripted.example >/dev/null
query +cdflag bits.scripted.example >/dev/null
query +dnssec +cdflag +subnet=10.0.144.0/24 +nsid +keepalive +bufsize=4096 bits.scripted.example >/dev/null
query +subnet=10.0.144.0/24 +noadflag +cookie bits.scripted.example >/dev/null
expect "DO and CD are carried, nothing else is" "rd ad do edns=1232
rd ad cd edns=1232
rd ad cd do edns=1232
rd ad edns=1232" "$(cut -d' ' -f6- "$work/scripted.log")"
expect_match "AD for who asks for it" 'flags: qr rd ra ad;' "$(query +adflag bits.scripted.example)"
expect_match "AD with DO" 'flags: qr rd ra ad;' "$(query +noadflag +dnssec bits.scripted.example)"
expect_match "no AD for who does not" 'flags: qr rd ra;' "$(query +noadflag bits.scripted.example)"

# ---- who may ask ----

for how in +notcp +tcp; do
    expect "PEER may not recurse ($how), even for what is cached" "REFUSED Q20" "$(codes "$(from PEER 10.0.0.2 $how www.example.org)")"
    expect "VPN may not recurse ($how)" "REFUSED Q20" "$(codes "$(from VPN 10.0.0.2 $how www.example.org)")"
    expect "RD=0 ($how)" "REFUSED Q20" "$(codes "$(query $how +norec www.example.org)")"
    expect "an outsider ($how)" "REFUSED Q18" "$(codes "$(from EXT 10.0.0.2 $how www.example.org)")"
done
expect_no_match "PEER gets no RA" 'flags:.* ra' "$(from PEER 10.0.0.2 api.example.com)"
expect_match "RUN is" 'flags: qr aa rd ra;' "$(query api.example.com)"

# ---- zones of their own, rebinding ----

expect_match "a zone with its own upstream" 'A[[:space:]]+192\.168\.7\.80$' "$(query wiki.corp.example)"
expect "no other upstream was queried for it" "1 0" "$(times_asked corp wiki.corp.example A) $(times_asked unbound wiki.corp.example A)"
expect_match "its NXDOMAIN" 'status: NXDOMAIN' "$(query none.corp.example)"
got=$(query rebind.example.org)
expect "an address of the space from upstream" "NOERROR Q23" "$(codes "$got")"
expect_match "an address of the space from upstream: EDE" 'EDE: 15 \(Blocked\): \(Q23 ' "$got"
expect_no_match "an address of the space from upstream: withheld" '10\.0\.0\.37' "$got"
expect "the same from the cache" "NOERROR Q23" "$(codes "$(query rebind.example.org)")"
expect_match "where it is allowed" 'A[[:space:]]+10\.0\.0\.37$' "$(query rebind.intranet.example.org)"

# ---- why ----

got=$(query +short _why.www.example.org TXT)
expect_match "_why names the upstream" '198\.51\.100\.53' "$got"
expect_match "_why shows that it is cached, and how long" 'cached=fresh.* ttl=[0-9]+' "$got"
expect_match "_why of a name not asked before" 'cached=no' "$(query +short _why.fresh.host.example.org TXT)"
expect_match "_why of a zone with its own upstream" '192\.168\.7\.53' "$(query +short _why.wiki.corp.example TXT)"
expect_match "_why for PEER" 'Q20' "$(from PEER 10.0.0.2 +short _why.www.example.org TXT)"
expect_no_match "_why for PEER shows nothing of the cache" 'cached=|198\.51\.100\.53' "$(from PEER 10.0.0.2 +short _why.www.example.org TXT)"

# ---- SIGHUP keeps the cache ----

query kept.host.example.org >/dev/null
expect "a new name is asked of the upstream" 1 "$(times_asked unbound kept.host.example.org A)"
reload
expect_match "after SIGHUP" 'A[[:space:]]+198\.51\.100\.80$' "$(query kept.host.example.org)"
sed -i 's/10\.0\.16\.21\]/10.0.16.22]/' "$zones/test-space.yaml"
reload
expect "ours after SIGHUP" "10.0.0.37 10.0.16.22" "$(addresses "$(query +short frozen-oasis-70544.herokuapp.com)")"
for _ in 1 2 3 4; do query kept.host.example.org >/dev/null; done
expect "SIGHUP keeps the cache: not asked again" 1 "$(times_asked unbound kept.host.example.org A)"
cp zones/test-space.yaml "$zones/"
reload

# ---- the fence: ours, and names of special use, never leave ----

owned=(frozen-oasis-70544.herokuapp.com FROZEN-oasis-70544.HerokuApp.com api.example.com x.apps.example.com
    a.b.c.apps.example.com sleepy-river-2739.herokuapp.com sleepy.example.com
    random-haiku-5196.also-random-3847.herokuspace.com wild-haiku-1188.also-random-3847.herokuspace.com
    apex-haiku-2201.also-random-3847.herokuspace.com drowsy-haiku-7.also-random-3847.herokuspace.com
    localspace app.localspace frozen-oasis-70544.app.localspace web.frozen-oasis-70544.app.localspace
    1.web.frozen-oasis-70544.app.localspace 2.web.frozen-oasis-70544.app.localspace
    9.web.frozen-oasis-70544.app.localspace worker.frozen-oasis-70544.app.localspace
    1.worker.frozen-oasis-70544.app.localspace _http._tcp.web.frozen-oasis-70544.app.localspace
    web.sleepy-river-2739.app.localspace 1.web.sleepy-river-2739.app.localspace
    web.open-plain-1001.app.localspace 1.web.open-plain-1001.app.localspace
    no-such-app.app.localspace wbe.frozen-oasis-70544.app.localspace no.such.name.localspace
    router-1.test-space.space.localspace space.localspace _whoami.localspace _apps.localspace
    version.localspace upcheck.localspace _why.api.example.com _why.www.example.org
    56.130.0.10.in-addr.arpa 37.0.0.10.in-addr.arpa 99.99.0.10.in-addr.arpa 0.10.in-addr.arpa)
apex=(example.net)
special=(localhost x.localhost invalid x.invalid test x.test onion x.onion local printer.local
    resolver.arpa _dns.resolver.arpa home.arpa x.home.arpa
    1.0.0.127.in-addr.arpa 9.9.9.10.in-addr.arpa 1.1.168.192.in-addr.arpa 1.1.16.172.in-addr.arpa
    1.1.254.169.in-addr.arpa 255.255.255.255.in-addr.arpa 0.0.0.0.in-addr.arpa
    1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa d.f.ip6.arpa 8.e.f.ip6.arpa)
types=(A AAAA TXT MX SOA NS SRV PTR HTTPS CNAME DS TYPE65280 ANY)

for name in "${owned[@]}" "${special[@]}"; do
    for type in "${types[@]}"; do echo "$name $type"; done
done >"$work/fence"
for name in "${apex[@]}"; do
    for type in A AAAA HTTPS SVCB; do echo "$name $type"; done
done >>"$work/fence"
asked_in_all=0

# fenced WHAT: every client asks for every name; no upstream is queried
fenced() {
    local client log
    : >"$work/unbound.log"
    : >"$work/scripted.log"
    : >"$work/corp.log"
    for client in RUN PEER VPN EXT; do
        inside "$client" dig @10.0.0.2 +tries=1 +time="$patience" +nocookie -f "$work/fence" >"$work/fenced.$client" 2>&1
        expect "$1: every question of $client is answered" "$(wc -l <"$work/fence")" "$(grep -c '^;; ->>HEADER' "$work/fenced.$client")"
        asked_in_all=$((asked_in_all + $(wc -l <"$work/fence")))
    done
    for log in unbound scripted corp; do
        expect "$1: $log was never asked" "" "$(grep -E ' IN$|^(udp|tcp|tls) ' "$work/$log.log" | sort | uniq -c | head -n 20)"
    done
    query "www.$RANDOM.host.example.org" >/dev/null
    expect_match "$1: the log would have shown it" 'www\.[0-9]+\.host\.example\.org\. A IN' "$(cat "$work/unbound.log")"
}

# edited WHAT SED-EXPRESSION: the same after a reload of changed zones
edited() {
    sed -E "$2" zones/test-space.yaml >"$zones/test-space.yaml"
    reload
    expect_no_match "$1: reload" 'reload_refused' "$(tail -n 1 "$server_log")"
    fenced "$1"
}

fenced "as it is"
expect_match "the reverse of a foreign address is asked" 'NXDOMAIN|SERVFAIL' "$(query -x 203.0.113.7)"
edited "no dyno is up" 's/state: up\}/state: down}/'
edited "no dyno at all" 's/dynos: \[.*\]/dynos: []/'
edited "every router drains but one" 's/routers: \[10.0.0.37, 10.0.16.21\]/routers: [{ip: 10.0.0.37, state: draining}, 10.0.16.21]/'
edited "peering and VPN gone" 's/status: active/status: failed/'
edited "the space is being deleted" 's/^space: test-space/&\nstate: deleting/'
cp zones/test-space.yaml "$zones/"
reload
expect "ours again" "10.0.0.37 10.0.16.21" "$(addresses "$(query +short frozen-oasis-70544.herokuapp.com)")"
expect_match "an apex's mail is asked of the upstream" 'MX IN' \
    "$(query example.net MX >/dev/null; grep example.net "$work/unbound.log")"
stop
expect "exit code" 0 "$code"

# ---- DNS over TLS ----

# over_tls NAME-OF-CERTIFICATE: a server whose only upstream is Unbound over TLS
over_tls() {
    cat >"$work/tls.yaml" <<END
zones: $zones
listen: [10.0.0.2]
upstreams: ["tls://198.51.100.53$1"]
END
    SSL_CERT_FILE=${2:-$work/tls.pem} start "tls${1//[^a-z]/-}" --settings "$work/tls.yaml"
}

for name in "#dns.example.org" ""; do
    over_tls "$name"
    expect_match "over TLS, certificate for ${name:-the address}" 'A[[:space:]]+198\.51\.100\.80$' "$(query www.example.org)"
    expect_match "over TLS, a large answer" ';; flags: qr rd ra; QUERY: 1, ANSWER: 1' "$(query +tcp big.example.org TXT)"
    for i in {1..20}; do query "t$i.host.example.org" >/dev/null; done
    connections=$(inside server ss -Htn state established "( dport = :853 )" | wc -l)
    [ "$connections" -ge 1 ] && [ "$connections" -le "$(nproc)" ] ||
        fail "over TLS, connections are reused" "$connections are open"
    stop
    expect "over TLS: exit code" 0 "$code"
done

# distrusted WHAT: no answer, with the reason
distrusted() {
    local got
    got=$(query www.example.org)
    expect "$1" "SERVFAIL Q22" "$(codes "$got")"
    expect_match "$1: EDE" 'EDE: 23 \(Network Error\): \(Q22 .*198\.51\.100\.53' "$got"
    expect_match "$1: logged" ' (warning|error) [a-z_]+ .*198\.51\.100\.53' "$(cat "$server_log")"
    expect "$1: ours are answered" "10.0.0.37 10.0.16.21" "$(addresses "$(query +short frozen-oasis-70544.herokuapp.com)")"
    stop
}
over_tls "#dns.somebody-else.example"
distrusted "a certificate for another name"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=stranger \
    -keyout "$work/stranger.key" -out "$work/stranger.pem" 2>/dev/null
over_tls "#dns.example.org" "$work/stranger.pem"
distrusted "a certificate of an untrusted authority"

# ---- none, and ourselves ----

start none --zones "$zones" --listen 10.0.0.2 --upstream none
expect "without upstreams" "REFUSED Q20" "$(codes "$(query www.example.org)")"
stop
expect_match "our own address as upstream" 'this server itself' \
    "$(timeout "$patience" "${launcher[@]}" "$SPACEDNSD" "${as_user[@]}" --http-listen none --zones "$zones" --listen 10.0.0.2 --upstream 10.0.0.2 2>&1)"
finish
