#!/bin/bash
# The package's script after a purge: what the server has written is gone, zone files stay, and a
# folder that something is mounted on is emptied without failing the purge.
. "$(dirname "$0")/lib.bash"
[ "$(id -u)" = 0 ] || skip "only root can mount"
enter_private_network || skip "no mount may be made here"

# The machine's own folders are out of sight.
mount -t tmpfs none /var/lib && mount -t tmpfs none /etc || skip "no mount may be made here"

purge() {
    mkdir -p /var/lib/spacedns /etc/spacedns/zones
    "$@"
    touch /var/lib/spacedns/state
    output=$(sh cmd/package/postrm purge 2>&1)
    expect "a purge with $*: exit code" 0 $?
}

purge true
[ ! -e /var/lib/spacedns ] && [ ! -e /etc/spacedns ] && pass || fail "nothing stays" "$(ls -R /var/lib /etc)"
purge touch /etc/spacedns/zones/a.yaml
expect "zone files stay" a.yaml "$(ls /etc/spacedns/zones)"
purge mount -t tmpfs none /var/lib/spacedns
expect "a mounted folder is emptied" "" "$(ls -A /var/lib/spacedns)"
expect_match "and named" '^spacedns: /var/lib/spacedns stays' "$output"
finish
