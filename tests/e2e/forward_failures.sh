#!/bin/bash
# What a client gets when its upstream misbehaves, one failure after another over real sockets,
# and that each is over as soon as the upstream is well again.
# busy: measures when clients are answered
# timeout: 180
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"

port=$(free_port)
start_upstream first --listen 198.51.100.53 <<'END'
*.example.org.        300 IN A 198.51.100.80
*.short.example.org.  1 IN A 198.51.100.80
alias.example.org.    300 IN CNAME www.example.org.
END
start_upstream second --listen 198.51.100.54 <<'END'
*.example.org.        300 IN A 198.51.100.80
END
flags=(--zones zones --listen "127.0.0.1:$port" --local-as test-space --workers 1)
number=0

# new_name: in $name, one that no client has asked for
new_name() {
    number=$((number + 1))
    name=n$number.example.org
}

outcome() {
    echo "$(sed -n 's/.*status: \([A-Z]*\),.*/\1/p' <<<"$1") $(grep -oE 'EDE: [0-9]+' <<<"$1" | cut -d' ' -f2) $(grep -oE '\(Q[0-9]+' <<<"$1" | tr -d '(')"
}

address="198.51.100.80"
is_well() {
    new_name
    [ "$(ask +short +time=2 "$name")" = "$address" ]
}

# recovers WHAT: the upstream is well, and new names are answered within 2 s
recovers() {
    local before
    set_mode first answer
    before=$(now_ms)
    await is_well || fail "after $1: answers again" "$got"
    [ -n "${SANITIZE:-}" ] || [ $(($(now_ms) - before)) -lt 2500 ] ||
        fail "after $1: answers again within 2 s" "it took $(($(now_ms) - before)) ms"
}

took() {
    sed -n 's/^;; Query time: \([0-9]*\) msec/\1/p' <<<"$1"
}

# broken WHAT MODE TOLD: one question, asked of a fresh name in that mode; the reply is left in $got
broken() {
    new_name
    set_mode first $2
    got=$(ask "$name" A)
    expect "$1: outcome" "$3" "$(outcome "$got")"
    [ -n "${SANITIZE:-}" ] || [ "$(took "$got")" -le 4700 ] || fail "$1: within 4.5 s" "$got"
    recovers "$1"
}

# answered WHAT MODE: as broken, and the answer is right all the same
answered() {
    new_name
    set_mode first $2
    got=$(ask "$name" A)
    expect_match "$1: answered" "^$name\.[[:space:]]+[0-9]+[[:space:]]+IN[[:space:]]+A[[:space:]]+198\.51\.100\.80\$" "$got"
    expect "$1: nothing to explain" "NOERROR  " "$(outcome "$got")"
    recovers "$1"
}

# ---- one upstream ----

start one "${flags[@]}" --upstream 198.51.100.53
await is_well || fail "the upstream answers" "$(cat "$server_log")"

for how in +notcp +tcp; do
    new_name
    got=$(ask $how "$name")
    [ -n "${SANITIZE:-}" ] || [ "$(took "$got")" -lt 300 ] || fail "a name not asked before ($how): at once" "$got"
done
broken silent silent "SERVFAIL 22 Q22"
expect_match "silent: the upstream is named" '\(Q22 .*198\.51\.100\.53' "$got"
answered "slow, 400 ms" "slow 400"
answered "slow, 1.4 s" "slow 1400"
answered "slow, 3 s" "slow 3000"
broken "too slow" "slow 6000" "SERVFAIL 22 Q22"
broken "wrong id" wrong-id "SERVFAIL 22 Q22"
broken "wrong question" wrong-question "SERVFAIL 22 Q22"
broken "wrong source" wrong-source "SERVFAIL 22 Q22"
broken garbage garbage "SERVFAIL 22 Q22"
broken "cut in the middle" half "SERVFAIL 22 Q22"
answered truncated truncated
broken "truncated, and no TCP" tcp-refused "SERVFAIL 23 Q22"
broken SERVFAIL "error SERVFAIL" "SERVFAIL 22 Q22"
expect_match "SERVFAIL: the upstream is named" '\(Q22 .*198\.51\.100\.53' "$got"
broken REFUSED "error REFUSED" "SERVFAIL 22 Q22"
broken NOTIMP "error NOTIMP" "SERVFAIL 22 Q22"
answered "no EDNS" no-edns
answered "wrong case" wrong-case

# ---- answers of unusual size and kind ----

set_mode first oversized
new_name
got=$(ask +tcp "$name" TXT)
case $(outcome "$got") in
"NOERROR  ") expect "3,000 octets over UDP: whole" 14 "$(grep -cE '[[:space:]]TXT[[:space:]]+"' <<<"$got")" ;;
*) expect "3,000 octets over UDP, which were not asked for: outcome" "SERVFAIL 22 Q22" "$(outcome "$got")" ;;
esac
recovers oversized
set_mode first huge
new_name
expect_match "63 KB over UDP: cut" 'flags: qr tc rd ra; QUERY: 1, ANSWER: 5' "$(ask +ignore "$name" TXT)"
got=$(ask +tcp "$name" TXT)
expect "63 KB over TCP: whole" 295 "$(grep -cE '[[:space:]]TXT[[:space:]]+"' <<<"$got")"
recovers huge
set_mode first other-name
new_name
got=$(ask "$name" A)
set_mode first answer
expect "a record of another name is not taken for that name" "$address" "$(ask +short other.example.org)"
set_mode first loop
new_name
got=$(ask "$name" A)
expect_match "a loop of CNAMEs ends" 'status: (NOERROR|SERVFAIL)' "$got"
recovers loop

# kept_for TTL: in $kept, the outcomes of two clients and how often the upstream was asked
kept_for() {
    new_name
    set_mode first "ttl $1"
    ask +noall +answer "$name" >"$work/ttl"
    ask +noall +answer "$name" >>"$work/ttl"
    set_mode first answer
    kept="$(awk '{ print $2 }' "$work/ttl" | tr '\n' ' ')$(times_asked first "$name" A)"
}
kept_for 0
expect "TTL 0 is not kept" "0 0 2" "$kept"
kept_for 2147483648
expect "TTL 2^31 is not kept" "0 0 2" "$kept"
kept_for 4294967295
expect "TTL 2^32 - 1 is not kept" "0 0 2" "$kept"
kept_for 3600
expect_match "a TTL of an hour is kept" '^3600 (3600|3599) 1$' "$kept"
kept_for 2592000
expect_match "a TTL of a month is kept" '^[0-9]+ [0-9]+ 1$' "$kept"
recovers "unusual TTLs"

# ---- failures are remembered, and forgotten ----

new_name
set_mode first error REFUSED
ask "$name" >/dev/null
before=$(times_asked first "$name" A)
got=$(ask "$name")
expect "asked again: outcome" "SERVFAIL 22 Q22" "$(outcome "$got")"
[ "$(took "$got")" -lt 500 ] || fail "asked again: at once" "$got"
expect "asked again: the upstream is left alone" "$before" "$(times_asked first "$name" A)"
recovers "remembered failures"
is_known() {
    [ "$(ask +short "$name")" = "$address" ]
}
name=n$((number - 1)).example.org
await is_known || fail "a failure is forgotten"

# ---- stale answers ----

set_mode first answer
expect "fresh" "$address" "$(ask +short a.short.example.org)"
expect_match "fresh NXDOMAIN" 'status: NXDOMAIN' "$(ask none.example.net)"
set_mode first silent
is_stale() {
    got=$(ask a.short.example.org)
    grep -q 'EDE: 3 ' <<<"$got"
}
await is_stale || fail "an answer past its time is served while the upstream is silent" "$got"
expect "stale: outcome" "NOERROR 3 Q41" "$(outcome "$got")"
expect_match "stale: TTL 30" '^a\.short\.example\.org\.[[:space:]]+30[[:space:]]+IN[[:space:]]+A[[:space:]]+198\.51\.100\.80$' "$got"
[ "$(took "$got")" -le 2000 ] || fail "stale: within 2 s" "$got"
got=$(ask a.short.example.org)
[ "$(took "$got")" -lt 500 ] || fail "stale, asked again: at once" "$got"
is_no_longer_stale() {
    got=$(ask a.short.example.org)
    [ "$(outcome "$got")" = "NOERROR  " ]
}
set_mode first answer
before=$(now_ms)
await is_no_longer_stale || fail "fresh again once the upstream is" "$got"
[ -n "${SANITIZE:-}" ] || [ $(($(now_ms) - before)) -lt 2500 ] ||
    fail "fresh again within 2 s" "it took $(($(now_ms) - before)) ms"
stop
expect "exit code" 0 "$code"

# ---- no server there, then two upstreams ----

start nobody "${flags[@]}" --upstream 198.51.100.99
new_name
got=$(ask "$name")
expect "nothing listens: outcome" "SERVFAIL 23 Q22" "$(outcome "$got")"
[ "$(took "$got")" -le 2000 ] || fail "nothing listens: within 2 s" "$got"
stop

start two "${flags[@]}" --upstream 198.51.100.53 --upstream 198.51.100.54
for mode in silent "error REFUSED" "error SERVFAIL" half tcp-refused garbage; do
    set_mode first $mode
    for _ in 1 2 3 4 5 6; do
        new_name
        got=$(ask "$name")
        expect_match "two upstreams, the first $mode" 'A[[:space:]]+198\.51\.100\.80$' "$got"
        [ -n "${SANITIZE:-}" ] || [ "$(took "$got")" -lt 1500 ] ||
            fail "two upstreams, the first $mode: long before a client's 5 s" "$got"
    done
done
set_mode second silent
new_name
expect "both silent" "SERVFAIL 22 Q22" "$(outcome "$(ask "$name")")"
set_mode first answer
await is_well || fail "one of two is well again"
expect "ours have been answered all along" "10.0.0.37 10.0.16.21" "$(addresses "$(ask +short frozen-oasis-70544.herokuapp.com)")"
stop
expect "exit code" 0 "$code"
finish
