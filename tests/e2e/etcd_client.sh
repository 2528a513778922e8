#!/bin/bash
# The operator's client of etcd, at Debian's: calls, endpoints in turn, log-ins by certificate and by
# password, and what an operator reads when something is refused.
# timeout: 240
# shellcheck disable=SC2154 # of lib.bash and registry.bash
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/registry.bash"

etcd_call=$BUILD_DIR/bin/tests/e2e/etcd_call
[ -x "$etcd_call" ] || skip "there is no $etcd_call here"
"$etcd_call" 127.0.0.1:1 status 2>&1 | grep -q 'this build has no registry' && skip "this build has no registry"

call() {
    "$etcd_call" "$@" 2>&1
}

# begin_call ARGUMENT...: in the background; what it prints is in $work/call, and it reads what
# go_on writes
begin_call() {
    rm -f "$work/lines"
    mkfifo "$work/lines"
    : >"$work/call"
    "$etcd_call" "$@" >"$work/call" 2>&1 <"$work/lines" &
    background=$!
    children+=("$background")
    exec {lines}>"$work/lines"
    await grep -q '^waits$' "$work/call" || fail "the call waits: $*" "$(cat "$work/call")"
}

go_on() {
    echo >&"$lines"
    exec {lines}>&-
}

end_call() {
    wait "$background"
    code=$?
}

# ---- calls, and members that do not answer ----

start_etcd
at=${etcd_urls[1]}
port_of=${at##*:}

expect "keys are put, read, deleted" "put
1: /c/a=one
both
3: /c/a=one /c/x=1 /c/y=2
deleted
0:
compacted" "$(call "$at" put:/c/a:one get:/c/a both:/c/x:/c/y list:/c/:/c0 delete:/c/a get:/c/a compact:3)"
expect_match "a member says who it is" "^etcd [0-9.]+ leader yes database yes at $at$" "$(call "$at" status)"
expect "the members are listed" "m1 $at" "$(call "$at" members)"
expect_match "an endpoint may be without its scheme" "^0:" "$(call "127.0.0.1:$port_of" get:/none)"
expect_match "a name is resolved" "^0:" "$(call "http://localhost:$port_of" get:/none)"
expect_match "the next endpoint is taken" "at $at$" "$(call "http://127.0.0.1:1,$at" status)"

expect "nobody listens" \
    "etcd at http://127.0.0.1:1 does not answer: Connection refused; start etcd, or name the port that it listens on (--listen-client-urls)" \
    "$(call http://127.0.0.1:1 status)"
expect_match "each endpoint has its cause" \
    "answers: http://127.0.0.1:1 \(Connection refused\), http://none.invalid:2 \(the name none.invalid cannot be resolved .*\); " \
    "$(call http://127.0.0.1:1,http://none.invalid:2 status)"
expect_match "no TLS where TLS is wanted" "^etcd at https://127.0.0.1:$port_of does not answer: .* TLS.*http://" \
    "$(call "https://127.0.0.1:$port_of" status)"
expect_match "too much at once" "more than etcd at $at takes at once; .*--max-request-bytes" \
    "$(call "$at" fill:/c/big:2000000)"
expect_match "history that is not there" "^1: /c/x=1" "$(call "$at" get:/c/x)"

begin_call "$at" put:/c/a:one wait get:/c/a
stop_etcd_member 1
start_etcd_member 1
go_on
end_call
expect "a member that was restarted is connected to again" "0 1: /c/a=one" "$code $(tail -n 1 "$work/call")"

begin_call "$at" wait put:/c/a:two
stop_etcd_member 1 STOP
go_on
expect_match "a member that hangs is given up" "does not answer: no reply in time; look at etcd's log" \
    "$(call "$at" status)"
end_call
stop_etcd_member 1 CONT
expect_match "a change without a reply may have been done" \
    "has taken the change and not replied .*so it may have been done; look at" "$(cat "$work/call")"
forget_etcd

# ---- no space ----

etcd_settings=(--quota-backend-bytes 1000000)
start_etcd
at=${etcd_urls[1]}
refused=
for i in {1..20}; do
    refused=$(call "$at" "fill:/c/$i:200000") || break
done
expect_match "no space is left" \
    "^etcd at $at has no space left, .*etcdctl compaction --physical REVISION \(the one of etcd that spacedns registry prints\), etcdctl defrag, then etcdctl alarm disarm" \
    "$refused"
expect_match "reading goes on" "^1: " "$(call "$at" get:/c/1 | cut -c1-3)"
forget_etcd
etcd_settings=()

# ---- users with passwords ----

start_etcd
at=${etcd_urls[1]}
as_reader=(--user reader --password secret)
expect "a user is no obstacle where nobody logs in" put "$(call "${as_reader[@]}" "$at" put:/c/a:one)"
expect "access control begins" enabled "$(call "$at" rights | tail -n 1)"
expect_match "a log-in is wanted" "^etcd at $at wants a log-in; set registry.user" "$(call "$at" get:/c/a)"
expect "a user with a password reads" "1: /c/a=one" "$(call "${as_reader[@]}" "$at" get:/c/a)"
expect_match "a wrong password" "^etcd at $at does not know user reader with this password; correct registry.user" \
    "$(call --user reader --password wrong "$at" get:/c/a)"
expect_match "a missing right to write" \
    "etcd at $at denies to user reader this right: write /c/a; have it granted to a role of this user" \
    "$(call "${as_reader[@]}" "$at" put:/c/a:two)"
expect_match "a missing right to read a range" "denies to user reader this right: read /b/ to /d0; have it" \
    "$(call "${as_reader[@]}" "$at" list:/b/:/d0)"
expect_match "rights of a transaction" "denies to user reader one of these rights: write /c/x, write /d/y; have them" \
    "$(call "${as_reader[@]}" "$at" both:/c/x:/d/y)"
expect_match "what is for root" "denies it to user reader; it is for users with the role root" \
    "$(call "${as_reader[@]}" "$at" rights)"
expect "root may" put "$(call --user root --password root "$at" put:/c/a:two)"

# A new password ends the user's tokens.
begin_call "${as_reader[@]}" "$at" wait get:/c/a
etcdctl --endpoints "$at" --user root:root user passwd reader --interactive=false <<<secret >/dev/null 2>&1 ||
    fail "the password is changed"
go_on
end_call
expect "a token that is not valid any more is renewed" "0 1: /c/a=two" "$code $(tail -n 1 "$work/call")"
forget_etcd

# ---- certificates ----

make_certificates reader nobody
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -keyout "$work/other.key" \
    -out "$work/other.crt" -subj /CN=reader 2>/dev/null
start_etcd
at=${etcd_urls[1]}
port_of=${at##*:}
with() {
    call --ca "$work/ca.crt" --certificate "$work/$1.crt" --key "$work/$1.key" "${@:2}"
}

expect "over TLS" "put
both" "$(with root "$at" put:/c/a:one both:/c/x:/c/y)"
expect "by a name that the certificate has" "1: /c/a=one" "$(with root "https://localhost:$port_of" get:/c/a)"
expect "TLS is the default with a certificate" "1: /c/a=one" "$(with root "127.0.0.1:$port_of" get:/c/a)"
expect "access control begins" enabled "$(with root "$at" rights | tail -n 1)"
expect "the certificate is the log-in" "1: /c/a=one" "$(with reader "$at" get:/c/a)"
expect_match "a certificate without the right" \
    "denies to the user named by the common name of $work/reader.crt this right: write /c/a; have it granted" \
    "$(with reader "$at" put:/c/a:two)"
expect_match "a user without a role" "denies to the user named by .* this right: read /c/a" \
    "$(with nobody "$at" get:/c/a)"
expect_match "a password counts before a certificate" "^put$" \
    "$(with reader --user root --password root "$at" put:/c/a:two)"
expect_match "no certificate of ours" "does not accept our certificate \(.*\); name one in registry.certificate" \
    "$(call --ca "$work/ca.crt" "$at" get:/c/a)"
expect_match "a certificate of another issuer" "does not accept our certificate" \
    "$(call --ca "$work/ca.crt" --certificate "$work/other.crt" --key "$work/other.key" "$at" get:/c/a)"
expect_match "an issuer that we do not trust" \
    "its certificate is not accepted: .*; name the file of its issuer in registry.ca" \
    "$(call --ca "$work/other.crt" --certificate "$work/root.crt" --key "$work/root.key" "$at" get:/c/a)"
expect_match "in the clear where TLS is spoken" "https://" "$(call "http://127.0.0.1:$port_of" get:/c/a)"
expect_match "a key of another certificate" "the key $work/root.key cannot be used: .*mismatch.*; " \
    "$(call --ca "$work/ca.crt" --certificate "$work/reader.crt" --key "$work/root.key" "$at" get:/c/a)"
expect_match "a file that is not there" "issuers $work/none.crt cannot be used: No such file or directory; " \
    "$(call --ca "$work/none.crt" "$at" get:/c/a)"
expect_match "a certificate without its key" "has a certificate and no key; name both or neither" \
    "$(call --ca "$work/ca.crt" --certificate "$work/root.crt" "$at" get:/c/a)"
finish
