#!/bin/bash
# DNS cookies: dig and kdig accept ours; BIND and Unbound work as clients; servers with one secret
# accept each other's, BIND's among them; own secrets outlive a restart; a reload changes them.
. "$(dirname "$0")/lib.bash"
need kdig named unbound

app=frozen-oasis-70544.herokuapp.com
secret=e5e973e5a6b2a43f48e7dc849e37bfcf
other=dd3bdf9344b678b185a6f5cb60fca715
port=$(free_port)
settings=$work/settings.yaml

# write_settings LINE...: the usual settings and these
write_settings() {
    printf '%s\n' "zones: zones" "local_as: [test-space]" "listen: [\"127.0.0.1:$port\"]" \
        "upstreams: none" "workers: 2" "$@" >"$settings"
}

# cookie DIG-ARGUMENT...: what dig prints of the reply's cookie: 48 digits, and good or bad
cookie() {
    ask +cookie "$@" "$app" | sed -n 's/^; COOKIE: //p'
}

# counted NAME: a counter
has_counters() {
    [ "$(grep -c ' info counters ' "$server_log")" -gt "$1" ]
}
counted() {
    local before
    before=$(grep -c ' info counters ' "$server_log")
    kill -USR1 "$server"
    await has_counters "$before"
    grep ' info counters ' "$server_log" | tail -n 1 | grep -oE " $1=[0-9]+" | grep -oE '[0-9]+$'
}

# ---- clients ----

mkdir -m 700 "$work/state"
write_settings "state_dir: $work/state"
start own --settings "$settings"
got=$(ask +cookie "$app")
expect_match "dig accepts the cookie" '^; COOKIE: [0-9a-f]{48} \(good\)$' "$got"
expect_match "dig gets the answer" 'status: NOERROR' "$got"
got=$(kdig @127.0.0.1 -p "$port" +cookie "$app")
expect_match "kdig gets the answer" 'status: NOERROR' "$got"
expect_match "kdig shows a cookie" 'COOKIE: [0-9A-Fa-f]{16}[: ,]*[0-9A-Fa-f]*' "$got"
got=$(ask +nocookie "$app")
expect_no_match "no cookie without one" COOKIE "$got"
first=$(cookie | cut -c1-48)
expect "a right cookie stays the same" "$first (good)" "$(cookie "+cookie=$first")"
got=$(cookie +tcp "+cookie=$first")
expect "over TCP, too" "$first (good)" "$got"
got=$(ask +header-only "+cookie=$first" .)
expect_match "a cookie alone is answered" 'status: NOERROR' "$got"
forged=${first:0:47}$(tr 0-9a-f 1-9a-f0 <<<"${first:47}")
got=$(ask +header-only "+cookie=$forged" . +nobadcookie)
expect_match "a forged cookie alone is refused" 'status: BADCOOKIE' "$got"
got=$(ask +header-only +nocookie .)
expect_match "no question and no cookie is an error" 'status: FORMERR' "$got"
expect_match "new, right and wrong ones are counted" '^[1-9]' "$(counted cookies_right)"

# ---- a restart ----

expect "the file of the secret is private" 600 "$(stat -c %a "$work/state/cookie-secrets")"
stop KILL
start again --settings "$settings"
expect "a cookie outlives a restart" "$first (good)" "$(cookie "+cookie=$first")"
stop
sed -i 's/^made .*/made 1/' "$work/state/cookie-secrets"
start decayed --settings "$settings"
expect_match "a damaged file is told" 'warning cookie_secrets_lost .*is damaged' "$(cat "$server_log")"
got=$(cookie "+cookie=$first")
expect_match "and a new cookie is given" ' \(good\)$' "$got"
[ "${got:0:48}" != "$first" ] && pass || fail "a new cookie after a lost secret" "$got"

# ---- secrets of the settings ----

write_settings "state_dir: $work/state" "cookie_secrets: [$secret]"
reload
expect_match "the reload takes the secret" 'reload_done' "$logged"
expect_no_match "no secret in the log" "$secret|$other" "$(cat "$server_log")"
first=$(cookie | cut -c1-48)
write_settings "state_dir: $work/state" "cookie_secrets: [$other, $secret]"
reload
got=$(cookie "+cookie=$first")
expect_match "a second secret still verifies" ' \(good\)$' "$got"
write_settings "state_dir: $work/state" "cookie_secrets: [${secret}0]"
reload
expect_match "a bad secret is refused" 'E-SETTING.*not 32 hexadecimal digits' "$logged"
expect_no_match "and not shown" "$secret" "$(cat "$server_log")"
write_settings "state_dir: $work/state" "cookies: false"
reload
expect_no_match "cookies can be off" COOKIE "$(ask +cookie "$app")"
stop

# ---- other servers with the same secret ----

# start_named NAME PORT: BIND with $work/NAME.options in its options
start_named() {
    mkdir -p "$work/$1"
    cat >"$work/$1.conf" <<END
options {
    directory "$work/$1";
    pid-file none;
    session-keyfile none;
    listen-on port $2 { 127.0.0.1; };
    listen-on-v6 { none; };
    dnssec-validation no;
    empty-zones-enable no;
    $(cat "$work/$1.options")
};
controls { };
END
    named -g -c "$work/$1.conf" >"$work/$1.log" 2>&1 &
    children+=($!)
    await grep -q ' running$' "$work/$1.log" || fail "BIND starts" "$(tail -n 20 "$work/$1.log")"
}

write_settings "cookie_secrets: [$secret]"
start replica --settings "$settings"
peer=$(free_port)
cat >"$work/peer.options" <<END
cookie-algorithm siphash24;
cookie-secret "$secret";
recursion no;
require-server-cookie yes;
END
start_named peer "$peer"
ours=$(cookie | cut -c1-48)
got=$(dig "@127.0.0.1" -p "$peer" +tries=1 +nobadcookie "+cookie=$ours" "$app")
expect_match "BIND accepts our cookie" 'status: REFUSED' "$got"
got=$(dig "@127.0.0.1" -p "$peer" +tries=1 +nobadcookie "+cookie=${ours:0:16}" "$app")
expect_match "BIND wants a server's cookie" BADCOOKIE "$got"
theirs=$(sed -n 's/^; COOKIE: \([0-9a-f]*\).*/\1/p' <<<"$got")
expect "we accept BIND's cookie" "$theirs (good)" "$(cookie "+cookie=$theirs")"
before=$(counted cookies_wrong)
expect "none was wrong so far" "" "${before#0}"

# ---- resolvers as clients ----

resolver=$(free_port)
cat >"$work/resolver.options" <<END
recursion yes;
forward only;
forwarders port $port { 127.0.0.1; };
END
start_named resolver "$resolver"
for name in "$app" api.example.com "$app"; do
    got=$(dig @127.0.0.1 -p "$resolver" +tries=1 +time="$patience" +short "$name")
    expect "BIND resolves $name through us" "10.0.0.37 10.0.16.21" "$(addresses "$got")"
done
expect_match "BIND sent cookies" '^[1-9]' "$(counted cookies_right)"
unbound=$(free_port)
cat >"$work/unbound.conf" <<END
    port: $unbound
    do-not-query-localhost: no
    local-zone: "example.com" nodefault
forward-zone:
    name: "."
    forward-addr: 127.0.0.1@$port
END
upstream_launcher=()
start_unbound unbound 127.0.0.1
got=$(dig @127.0.0.1 -p "$unbound" +tries=1 +time="$patience" +short "$app")
expect "Unbound resolves through us" "10.0.0.37 10.0.16.21" "$(addresses "$got")"
stop
expect "exit code" 0 "$code"
finish
