#!/bin/bash
# Logging in: by a certificate's name, and by user and password. A wrong name, a missing right and an
# expired token are told as what they are, and answers stay.
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
. "$(dirname "$script")/registry.bash"

make_certificates replica stranger
start_etcd
fill_registry
put_file z/test-space zones/test-space.yaml
{
    etcd_ctl user add root:root
    etcd_ctl role add root
    etcd_ctl user grant-role root root
    etcd_ctl user add replica:right
    etcd_ctl role add reader
    etcd_ctl role grant-permission reader --prefix=true read "$registry/"
    etcd_ctl role grant-permission reader --prefix=true readwrite "$registry_root-replicas/$registry_cell/"
    etcd_ctl user grant-role replica reader
    etcd_ctl auth enable
} >/dev/null

# settings_of CERTIFICATE: as whom the replica logs in
settings_of() {
    replica_more="external_rate: 0
state_dir: $work/state"
    replica_settings "ca: $work/ca.crt" "certificate: $work/$1.crt" "key: $work/$1.key"
}

# ---- certificates ----

settings_of stranger
launch_replica stranger
await_log 'stranger|permission|right|user'
expect_match "it answers nothing yet" 'status: SERVFAIL' "$(ask frozen-oasis-70544.herokuapp.com)"
await_log ' warning registry_(denied|lost) '
stop

settings_of replica
replica by_name
await_answer frozen-oasis-70544.herokuapp.com "10.0.0.37 10.0.16.21"
put d/test-space/sleepy-river-2739/web '1 up 10.0.131.7\n'
await_answer sleepy-river-2739.herokuapp.com "10.0.0.37 10.0.16.21"
note_answers before
stop

# Root itself may not come by a certificate of another CA.
mv "$work/ca.crt" "$work/right-ca.crt"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -keyout "$work/other.key" \
    -out "$work/ca.crt" -subj "/O=other" 2>/dev/null
replica wrong_ca
await_log ' warning registry_lost .*certificate'
await_status '^registry +! the registry'
expect_answers "a CA that did not sign etcd's certificate" before
stop
mv "$work/right-ca.crt" "$work/ca.crt"

settings_of stranger
replica stranger_with_disk
await_log ' warning registry_denied '
await_status '^registry +! the registry'
await_metric spacedns_registry_connected 0
expect_answers "a stranger keeps what is on disk" before
stop

# ---- a certificate that has run out, and its renewal ----

mv "$work/replica.crt" "$work/renewed.crt"
openssl x509 -req -in "$work/replica.csr" -CA "$work/ca.crt" -CAkey "$work/ca.key" -CAcreateserial -days -1 \
    -out "$work/replica.crt" 2>/dev/null || fail "a certificate is made that has run out"
settings_of replica
replica renewed
await_log ' warning registry_(lost|denied) .*certificate'
await_status '^registry +! .*certificate'
await_metric spacedns_registry_connected 0
expect_answers "a certificate has run out" before
mv "$work/renewed.crt" "$work/replica.crt"
kill -HUP "$server"
await_metric spacedns_registry_connected 1
put d/test-space/sleepy-river-2739/web '1 crashed 10.0.131.7\n'
await_answer sleepy-river-2739.herokuapp.com ""
put d/test-space/sleepy-river-2739/web '1 up 10.0.131.7\n'
await_answer sleepy-river-2739.herokuapp.com "10.0.0.37 10.0.16.21"
stop

# ---- a certificate that is about to end, and files that a reload cannot read ----

# sign_replica DAYS: from now
sign_replica() {
    openssl x509 -req -in "$work/replica.csr" -CA "$work/ca.crt" -CAkey "$work/ca.key" -CAcreateserial -days "$1" \
        -extfile <(echo extendedKeyUsage=clientAuth) -out "$work/signed.crt" 2>/dev/null &&
        mv "$work/signed.crt" "$work/replica.crt" || fail "a certificate of $1 days is made"
}
# end_of_replica FORMAT: when its certificate ends, as date has it
end_of_replica() {
    date -u -d "$(openssl x509 -in "$work/replica.crt" -noout -enddate | cut -d= -f2)" "+$1"
}
in_json() {
    ctl status --json | /usr/bin/python3 -c "import json, sys; print(json.load(sys.stdin)['registry']['$1'])"
}
end_metric=spacedns_registry_certificate_end_timestamp_seconds

sign_replica 3
replica ends_soon
await_metric spacedns_registry_connected 1
ends="the certificate in $work/replica\.crt ends in [23] days, at $(end_of_replica %Y-%m-%dT%H:%M:%SZ): .*; put a renewed one in its place, then: spacedns reload"
await_log " warning registry_certificate_ends file=$work/replica\.crt text=\"$ends\""
await_status "^registry +! $ends\$"
warnings() {
    grep -c ' warning registry_certificate_ends ' "$server_log"
}
sleep 1.5 # it looks every second
expect "a start logs it once" 1 "$(warnings)"
expect "JSON has its end" "$(end_of_replica %Y-%m-%dT%H:%M:%SZ)" "$(in_json certificate_end)"
expect_match "and what to do, for the page" "^$ends" "$(in_json certificate_problem)"
expect "and the metric" "$(end_of_replica %s)" "$(metric $end_metric)"
/usr/bin/python3 tests/support/openapi.py "http://127.0.0.1:$http" '/page/{name}?name=page.css' \
    '/api/v1/apps/{name}?name=frozen-oasis-70544' '/api/v1/uses?space=test-space' \
    '/api/v1/explain?name=sleepy-river-2739.herokuapp.com' '/api/v1/explain?from=127.0.0.1' >"$work/openapi" 2>&1 &&
    pass || fail "openapi.json describes what a replica answers" "$(cat "$work/openapi")"
mv "$work/replica.key" "$work/away.key"
out=$(ctl reload)
expect "a key that a reload cannot read: exit code" 0 "$?"
gone="the key $work/replica\.key cannot be used: No such file or directory; .*; until a reload reads it, the former one stays in use"
expect_match "the reload names it" "^$work/replica\.yaml:[0-9]+:[0-9]+: warning W-REGISTRY-LOGIN: $gone\$" "$out"
expect_match "and has taken over the rest" '^Reloading zones\.\.\. (done|unchanged), ' "$out"
are_warnings() {
    [ "$(warnings)" = "$1" ]
}
await are_warnings 2 || fail "and its log tells of the end again" "$(warnings)"
expect_match "JSON as well" '"W-REGISTRY-LOGIN"' "$(ctl reload --json)"
await_log " warning finding code=W-REGISTRY-LOGIN place=$work/replica\.yaml:[0-9:]+ text=\"$gone\""
await_status "^registry +! $gone\$"
await_status "^registry +! $ends\$"
expect_match "so has JSON's" "^the key $work/replica.key" "$(in_json login_problem)"
stop_etcd_member 1 # the former one logs it in
start_etcd_member 1
await_metric spacedns_registry_connected 1
mv "$work/away.key" "$work/replica.key"
sign_replica 30
expect_no_match "a reload that reads them" 'W-REGISTRY-LOGIN' "$(ctl reload)"
expect_no_match "status tells neither any more" 'certificate|key' "$(ctl status | grep ^registry)"
expect "JSON has no file at fault" None "$(in_json login_problem)"
expect "and the new end" "$(end_of_replica %Y-%m-%dT%H:%M:%SZ)" "$(in_json certificate_end)"
expect "the metric, too" "$(end_of_replica %s)" "$(metric $end_metric)"
stop

etcd_ctl role revoke-permission reader --prefix=true "$registry/" >/dev/null
etcd_ctl role grant-permission reader --prefix=true read "$registry/z/" >/dev/null
settings_of replica
replica half
await_log ' warning registry_denied .*/spacedns/test/'
await_status '^registry +! the registry'
expect_answers "a right is missing" before
etcd_ctl role grant-permission reader --prefix=true read "$registry/" >/dev/null
ctl reload >/dev/null # tries at once
await_metric spacedns_registry_connected 1
put d/test-space/sleepy-river-2739/web '1 crashed 10.0.131.7\n'
await_answer sleepy-river-2739.herokuapp.com ""
stop
expect "exit code" 0 "$code"

# ---- user and password ----

forget_etcd
etcd_settings=(--auth-token-ttl 2)
etcd_scheme=http
etcd_curl=()
etcd_ctl_flags=()
rm -rf "$work/state"
start_etcd
fill_registry
{
    etcd_ctl user add root:root
    etcd_ctl role add root
    etcd_ctl user grant-role root root
    etcd_ctl user add replica:right
    etcd_ctl role add reader
    etcd_ctl role grant-permission reader --prefix=true read "$registry/"
    etcd_ctl role grant-permission reader --prefix=true readwrite "$registry_root-replicas/$registry_cell/"
    etcd_ctl user grant-role replica reader
    etcd_ctl auth enable
} >/dev/null
etcd_ctl_flags=(--user root:root)
echo wrong >"$work/password"
replica_settings "user: replica" "password_file: $work/password"
launch_replica wrong_password
await_log ' warning registry_denied .*password'
expect_no_match "no password is logged" 'wrong' "$(grep -o 'text=.*' "$server_log" | sed 's/wrong password//')"
echo right >"$work/password"
ctl reload >/dev/null
await_answer frozen-oasis-70544.herokuapp.com "10.0.0.37 10.0.16.21" # the file is read again
mv "$work/password" "$work/away"
expect_match "a password's file that a reload cannot read" \
    "warning W-REGISTRY-LOGIN: the password's file $work/password cannot be opened: " "$(ctl reload)"
mv "$work/away" "$work/password"
expect_no_match "a reload that reads it" 'W-REGISTRY-LOGIN' "$(ctl reload)"
expect "there is no certificate" None "$(in_json certificate_end)"
expect "nor its metric" "" "$(metric $end_metric)"
stop
replica by_password
expect_no_match "spaces are not missed before they could be read" 'W-LOCAL-AS' "$(cat "$server_log")"
await_answer frozen-oasis-70544.herokuapp.com "10.0.0.37 10.0.16.21"
note_answers before
sleep 2.5 # the token's life
put d/test-space/sleepy-river-2739/web '1 up 10.0.131.7\n'
await_answer sleepy-river-2739.herokuapp.com "10.0.0.37 10.0.16.21"
ctl reload >/dev/null # asks with the token
del d/test-space/sleepy-river-2739/web
await_answer sleepy-river-2739.herokuapp.com ""
stop_etcd_member 1 # and all tokens with it
start_etcd_member 1
put d/test-space/sleepy-river-2739/web '1 up 10.0.131.7\n'
await_answer sleepy-river-2739.herokuapp.com "10.0.0.37 10.0.16.21"
await_metric spacedns_registry_connected 1
del d/test-space/sleepy-river-2739/web
await_answer sleepy-river-2739.herokuapp.com ""
expect_answers "after expired tokens" before
stop
expect "exit code" 0 "$code"
finish
