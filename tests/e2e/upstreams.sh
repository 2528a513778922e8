#!/bin/bash
# The default upstreams: the nameservers of the host, but never the server itself; a reload reads
# them again.
. "$(dirname "$0")/lib.bash"
enter_private_network "$@" || skip "no network namespace may be made here"
[ "$(id -u)" = 0 ] && [ -f /etc/resolv.conf ] && touch "$work/resolv.conf" &&
    mount --bind "$work/resolv.conf" /etc/resolv.conf || skip "/etc/resolv.conf cannot be covered here"
ip address add 10.9.0.2/24 dev lo

# log_of NAME LISTEN NAMESERVER...: starts on a host with these nameservers, leaves its log in $log
log_of() {
    local name=$1 listen=$2
    shift 2
    printf 'nameserver %s\n' "$@" >"$work/resolv.conf"
    echo "listen: [$listen]" >"$work/$name.yaml"
    start "$name" --zones zones --settings "$work/$name.yaml"
    log=$(cat "$server_log")
    stop
}

log_of given 127.0.0.1 10.9.0.9 10.9.0.10
expect_match "the host's nameservers are asked" ' info ready .* upstreams=10\.9\.0\.9,10\.9\.0\.10 ' "$log"
expect_no_match "and there is nothing to warn of" 'no_upstreams' "$log"

log_of loop 127.0.0.1 127.0.0.1 10.9.0.9
expect_match "the server itself is left out" ' info ready .* upstreams=10\.9\.0\.9 ' "$log"

log_of wildcard 0.0.0.0 127.0.0.53 10.9.0.2 10.9.0.9
expect_match "it is every address of the host when it listens on all" ' info ready .* upstreams=10\.9\.0\.9 ' "$log"

log_of alone 0.0.0.0 127.0.0.53 10.9.0.2
expect_match "without any, a warning has the remedy" \
    ' warning no_upstreams text=".*/etc/resolv\.conf.*upstreams \(--upstream ADDR\).*none' "$log"
expect_match "and there are no upstreams" ' info ready .* upstreams=none ' "$log"

log_of bad 127.0.0.1 10.9.0.9 0.0.0.0
ignored='this nameserver is ignored: .0\.0\.0\.0. is the unspecified address; give'
expect_match "a nameserver that none can be is a warning with its line" \
    " warning finding code=W-RESOLV-CONF place=/etc/resolv\.conf:2:12 text=\"$ignored" "$log"
expect_match "--check prints it, too" "^/etc/resolv\.conf:2:12: warning W-RESOLV-CONF: $ignored" \
    "$("$SPACEDNSD" --check --zones zones --settings "$work/bad.yaml")"

printf 'nameserver 10.9.0.9\n' >"$work/resolv.conf"
start none --zones zones --listen 127.0.0.1 --upstream none
log=$(cat "$server_log")
stop
expect_match "--upstream none has no upstreams" ' info ready .* upstreams=none ' "$log"
expect_no_match "and is not warned of" 'no_upstreams' "$log"

start flag --zones zones --listen 127.0.0.1 --upstream 10.9.0.7 --upstream tls://10.9.0.8#ns.example
log=$(cat "$server_log")
stop
expect_match "--upstream takes the place of the host's" ' info ready .* upstreams=10\.9\.0\.7,tls://10\.9\.0\.8 ' "$log"

# reloaded NAMESERVER...: the host's nameservers are these now; leaves the new lines of the log in $logged
reloaded() {
    printf 'nameserver %s\n' "$@" >"$work/resolv.conf"
    reload
}

# asked: the upstreams that the server logs
asked() {
    dig @127.0.0.1 +short _why.www.example.org TXT | grep -oE '(upstreams=[^"]*|Q20)' | head -n 1
}
printf 'nameserver %s\n' 10.9.0.9 >"$work/resolv.conf"
echo "listen: [127.0.0.1]" >"$work/again.yaml"
start again --zones zones --settings "$work/again.yaml" --local-as test-space
expect_match "the host's nameserver" '^upstreams=10\.9\.0\.9 ' "$(asked)"
reloaded 10.9.0.9
expect_match "the same nameserver" ' info reload_unchanged ' "$logged"
reloaded 10.9.0.10
expect_match "another nameserver" ' info reload_done .* settings=upstreams by=[0-9]+( user=[^ ]+)? command=SIGHUP' "$logged"
expect_match "is asked" '^upstreams=10\.9\.0\.10 ' "$(asked)"
reloaded 127.0.0.1 10.9.0.10
expect_match "the server itself is left out again" ' info reload_unchanged ' "$logged"
reloaded 127.0.0.1
expect_match "none is left" ' warning finding code=W-RESOLV-CONF place=/etc/resolv\.conf text="the file names no resolver but this server; the nameservers that it named before stay in use: 10\.9\.0\.10' "$logged"
expect_match "so those before are asked on" '^upstreams=10\.9\.0\.10 ' "$(asked)"
reloaded 10.9.0.9
expect_match "and somebody again" '^upstreams=10\.9\.0\.9 ' "$(asked)"
stop

launch own --zones zones --listen 0.0.0.0 --upstream 10.9.0.2
await is_gone "$server" || fail "the server refuses itself as upstream"
wait "$server"
expect "itself as upstream: exit code" 1 "$?"
expect_match "itself as upstream" '^--upstream \(command line\): error E-SETTING: .10\.9\.0\.2. is this server itself: .* loop' "$(cat "$server_log")"
finish
