#!/bin/bash
# cmd/dev package: a package that lintian accepts, installed in a bare Debian, edited, served,
# upgraded while it runs, taken back, and purged; the same octets wherever it is built; an image that
# is complete; a doctor that needs no library.
#
# PACKAGE_TWICE=1 compiles all of it once more elsewhere. Otherwise it is packed once more, in another
# zone, language, home and umask, and nothing that is packed may have this folder's path.
# timeout: 900
# busy: it compiles the programs once more, and unpacks a Debian
. "$(dirname "$0")/lib.bash"
[ "$BUILD_DIR" -ef "$SOURCE_DIR/build/gcc" ] || skip "the package is tested once, beside build/gcc"
[ "$(id -u)" = 0 ] || skip "only root can unpack a Debian"
need dpkg-deb debootstrap lintian
out=build/package/out
root=$BUILD_DIR/package-root
elsewhere=$BUILD_DIR/package-elsewhere/a/path/of/another/length

# ---- with the network of this machine: what is needed ----

bare=(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive)

in_root() {
    chroot "$root" "${bare[@]}" "$@"
}

# Once more from the first step: the source at a longer path, without its history, with files that
# their owner alone reads, in another zone, language and home, and with another number of processes.
build_elsewhere() {
    rm -rf "$elsewhere"
    (
        umask 077
        mkdir -p "$elsewhere" && tar -c cmd lib zones CMakeLists.txt README.md |
            tar -x --no-same-permissions --touch -C "$elsewhere" && cd "$elsewhere" || exit
        SOURCE_DATE_EPOCH=$epoch TZ=Asia/Tokyo LC_ALL=C.UTF-8 HOME=/nonexistent CMAKE_C_COMPILER_LAUNCHER= \
            JOBS=3 cmd/dev package
    )
}

pack_again() {
    (
        umask 077
        rm -rf "$out"
        SOURCE_DATE_EPOCH=$epoch TZ=Asia/Tokyo LC_ALL=C.UTF-8 HOME=/nonexistent CMAKE_C_COMPILER_LAUNCHER= \
            JOBS=3 cmd/dev package
    )
}
epoch=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CMakeLists.txt)

# The mirror of this machine, else Debian's.
mirror() {
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Release: bookworm' 2>/dev/null |
        head -n 1
}

if [ -z "${E2E_PRIVATE_NETWORK:-}" ]; then
    cmd/dev package >"$work/package.log" 2>&1 || { fail "cmd/dev package" "$(cat "$work/package.log")"; finish; }
    cp "$out/SHA256SUMS" "$BUILD_DIR/package-sums"
    if [ -n "${PACKAGE_TWICE:-}" ]; then
        build_elsewhere >"$work/package.log" 2>&1 || { fail "cmd/dev package, elsewhere" "$(tail -n 20 "$work/package.log")"; finish; }
    else
        pack_again >"$work/package.log" 2>&1 || { fail "cmd/dev package, again" "$(tail -n 20 "$work/package.log")"; finish; }
    fi
    rm -rf "$root"
    from=$(mirror)
    debootstrap --variant=minbase --include=libjansson4,libldns3,libuv1,libyaml-0-2,libsodium23,libcap-ng0,libseccomp2,libmicrohttpd12,libfstrm0,libncurses6,libnghttp2-14,libprotobuf-c1 \
        bookworm "$root" "${from:-http://deb.debian.org/debian}" >"$work/debootstrap.log" 2>&1 ||
        skip "a bare Debian cannot be fetched here: $(tail -n 1 "$work/debootstrap.log")"
    enter_private_network || skip "no network namespace may be made here"
fi

# ---- what was made ----

deb=$(echo "$out"/spacedns_*_amd64.deb)
image=$(echo "$out"/spacedns_*_amd64.oci.tar)
version=$(dpkg-deb -f "$deb" Version)
expect "checksums" 0 "$(cd "$out" && sha256sum --quiet -c SHA256SUMS >/dev/null 2>&1; echo $?)"
expect "lintian" "" "$(lintian --fail-on none "$deb" 2>&1 | grep -v 'running with root')"

again=$out/SHA256SUMS
[ -z "${PACKAGE_TWICE:-}" ] || again=$elsewhere/$out/SHA256SUMS
expect "once more, the same octets" "$(cat "$BUILD_DIR/package-sums")" "$(cat "$again")"
rm -rf "$BUILD_DIR/package-elsewhere" "$BUILD_DIR/package-sums"
dpkg-deb -x "$deb" "$work/unpacked"
expect "no path of this folder is in it" "" "$(grep -rlF "$SOURCE_DIR" "$work/unpacked" "$out/spacedns-doctor")"

doctor=$out/spacedns-doctor
expect "the doctor needs no library" "statically linked" "$(ldd "$doctor" 2>&1 | xargs)"
[ "$(stat -c %s "$doctor")" -le 2097152 ] || fail "the doctor is 2 MB at most" "$(stat -c %s "$doctor")"
expect "the doctor's version" "spacedns-doctor $version" "$("$doctor" version)"

# ---- the image ----

mkdir "$work/image"
tar -xf "$image" -C "$work/image"
while read -r blob; do
    expect "blob $blob" "$(basename "$blob")" "$(sha256sum "$blob" | cut -d ' ' -f 1)"
done < <(find "$work/image/blobs" -type f)
/usr/bin/python3 - "$work/image" >"$work/layers" 2>"$work/image.err" <<'END' || fail "the image's manifests" "$(cat "$work/image.err")"
import json, os, sys
top = sys.argv[1]
def blob(digest, size=None):
    path = f"{top}/blobs/{digest.replace(':', '/')}"
    assert size is None or os.path.getsize(path) == size, digest
    return path
index = json.load(open(f"{top}/index.json"))
[entry] = index["manifests"]
manifest = json.load(open(blob(entry["digest"], entry["size"])))
config = json.load(open(blob(manifest["config"]["digest"], manifest["config"]["size"])))
assert config["config"]["User"] != "0:0" and config["config"]["Healthcheck"]["Test"][0] == "CMD"
assert {"/run/spacedns", "/var/lib/spacedns"} <= set(config["config"]["Volumes"])
print(*config["config"]["Healthcheck"]["Test"][1:], file=open(f"{top}/healthcheck", "w"))
[docker] = json.load(open(f"{top}/manifest.json"))
layers = [blob(layer["digest"], layer["size"]) for layer in manifest["layers"]]
assert [f"{top}/{layer}" for layer in docker["Layers"]] == layers
assert f"{top}/{docker['Config']}" == blob(manifest["config"]["digest"])
print("\n".join(layers))
END
mkdir "$work/layer"
while read -r layer; do
    tar -xpf "$layer" -C "$work/layer" --numeric-owner
done <"$work/layers"
cp zones/test-space.yaml "$work/layer/etc/spacedns/zones/"
mkdir -p "$work/layer/proc"
checked=$(chroot --userspec=953:953 "$work/layer" /usr/sbin/spacednsd --settings /etc/spacedns/spacednsd.yaml --check 2>&1)
expect_match "the image's server finds all that it needs" '1 file, 1 space, 3 apps: 0 errors' "$checked"

# As containers run it: nothing but its volumes can be written.
in_image() {
    env -i PATH=/usr/sbin:/usr/bin chroot --userspec=953:953 "$work/layer" "$@"
}
is_healthy() {
    # shellcheck disable=SC2046
    in_image $(cat "$work/image/healthcheck") >"$work/health" 2>&1 || is_gone "$server"
}
mount --bind "$work/layer" "$work/layer"
mount -o remount,ro,bind "$work/layer"
for volume in run/spacedns var/lib/spacedns; do
    mount -t tmpfs -o mode=0755,uid=953,gid=953 none "$work/layer/$volume"
done
echo 53 >/proc/sys/net/ipv4/ip_unprivileged_port_start
chroot --userspec=953:953 "$work/layer" /usr/sbin/spacednsd --settings /etc/spacedns/spacednsd.yaml \
    >"$work/image.out" 2>"$work/image.err" & # no function: $! is the server
server=$!
children+=("$server")
await is_healthy
expect_match "the image's health check, the root read-only" "^pid +" "$(cat "$work/health" "$work/image.err")"
expect_match "it keeps state" '^state +/var/lib/spacedns' "$(cat "$work/health")"
kill -TERM "$server"
await is_gone "$server" || fail "the image's server ends"
echo 1024 >/proc/sys/net/ipv4/ip_unprivileged_port_start
umount "$work/layer/run/spacedns" "$work/layer/var/lib/spacedns" "$work/layer"

# ---- installed ----

mount -t proc none "$root/proc"
mount -t tmpfs none "$root/run"
cp "$deb" "$root/tmp/new.deb"
dpkg-deb -R "$deb" "$work/old"
sed -i 's/^Version: .*/Version: 0.0.1/' "$work/old/DEBIAN/control"
dpkg-deb --root-owner-group -b "$work/old" "$root/tmp/old.deb" >/dev/null

in_root dpkg -i /tmp/old.deb >"$work/install.log" 2>&1
expect "the package is installed in a bare Debian" 0 "$?"
expect_match "it says what to do next" 'write zone files into /etc/spacedns/zones' "$(cat "$work/install.log")"
expect_match "it makes a user" '^spacedns:.*/nologin$' "$(in_root getent passwd spacedns)"
expect "folders" "755 root:root /etc/spacedns
2750 root:spacedns /etc/spacedns/zones
750 spacedns:spacedns /var/lib/spacedns" "$(in_root stat -c '%a %U:%G %n' /etc/spacedns /etc/spacedns/zones /var/lib/spacedns)"
expect "settings are a conffile" "/etc/spacedns/spacednsd.yaml" \
    "$(in_root dpkg-query -W -f '${Conffiles}\n' spacedns | awk 'NF { print $1 }')"

# serve: starts the unit's command; $server is its process
serve() {
    local line
    mkdir -p "$root/run/spacedns" && chroot "$root" chown spacedns: /run/spacedns 2>/dev/null # or no such user
    line=$(sed -n 's/^ExecStart=//p' "$root/usr/lib/systemd/system/spacednsd.service")
    : >"$work/err" # the background command empties it only once it runs: is_ready would read the last one
    # shellcheck disable=SC2086
    chroot "$root" "${bare[@]}" $line >"$work/out" 2>"$work/err" & # no function: $! is the server
    server=$!
    children+=("$server")
}

is_ready() {
    grep -q ' info ready ' "$work/err" || is_gone "$server"
}

stop() {
    kill -TERM "$server"
    await is_gone "$server" || fail "the server ends"
}

# refuses WHAT PATTERN: the server does not start, and says why
refuses() {
    serve
    await is_gone "$server" || { fail "$1: does not start"; stop; }
    expect_match "$1" "$2" "$(cat "$work/err")"
}

answer() {
    dig @127.0.0.1 +tries=1 +time=3 "$@" +short 2>&1 | sort | xargs
}

settings=$root/etc/spacedns/spacednsd.yaml
zone=$root/etc/spacedns/zones/test-space.yaml
sed -i 's/^listen: .*/listen: [127.0.0.1]\nlocal_as: test-space\nupstreams: none/' "$settings"
refuses "no zone files yet" '/etc/spacedns/zones.*(no|empty).*zone file'
install -m 0640 -g "$(in_root id -g spacedns)" zones/test-space.yaml "$zone"
serve
await is_ready
expect "it answers once it has zone files" "10.0.0.37 10.0.16.21" "$(answer frozen-oasis-70544.herokuapp.com)"
expect "it is not root" "$(in_root id -u spacedns)" "$(ps -o uid= -p "$server" | xargs)"
expect_match "the command finds it" "^pid +" "$(in_root spacedns status 2>&1)"

# ---- what happens at night ----

kill -KILL "$server"
await is_gone "$server"
serve
await is_ready
expect "it answers after kill -9" "10.0.0.37 10.0.16.21" "$(answer frozen-oasis-70544.herokuapp.com)"
stop

echo "nonsense: yes" >>"$zone"
serve
await is_ready
expect "a broken file and a restart" "10.0.0.37 10.0.16.21" "$(answer frozen-oasis-70544.herokuapp.com)"
expect_match "and says so" 'W-LAST-GOOD' "$(cat "$work/err")"
stop
install -m 0640 -g "$(in_root id -g spacedns)" zones/test-space.yaml "$zone"

chown root:root "$zone"
serve
await is_ready
expect_match "a file that its user may not read" 'test-space\.yaml.*spacedns.*chgrp' "$(cat "$work/err")"
is_gone "$server" || stop
chgrp "$(in_root id -g spacedns)" "$zone"

sed -i 's/^user: .*//; $a user: nobody-here' "$settings"
refuses "a user that is missing" 'nobody-here'
sed -i '/^user: /d' "$settings"

chmod 0700 "$root/etc/spacedns/zones"
chgrp root "$root/etc/spacedns/zones"
refuses "a zones folder of the wrong mode" 'user spacedns may not list it .*; allow it: chgrp spacedns /etc/spacedns/zones; chmod g\+rx'
in_root sh -c 'chgrp spacedns /etc/spacedns/zones; chmod g+rx /etc/spacedns/zones' # as it says
serve
await is_ready
expect "what the message says is the remedy" "10.0.0.37 10.0.16.21" "$(answer frozen-oasis-70544.herokuapp.com)"
stop

mount -t tmpfs -o "size=64k,mode=0750,uid=$(in_root id -u spacedns)" none "$root/var/lib/spacedns"
! cp /dev/zero "$root/var/lib/spacedns/full" 2>/dev/null || fail "the disk is full"
serve
await is_ready
expect "a full disk at the start" "10.0.0.37 10.0.16.21" "$(answer frozen-oasis-70544.herokuapp.com)"
expect_match "and says so" 'warning state_failed .*No space left on device.*make it possible' "$(cat "$work/err")"
stop
umount "$root/var/lib/spacedns"

mount -t tmpfs -o nr_inodes=1 none "$root/run/spacedns"
serve
await is_ready
expect "no room for the control socket" "10.0.0.37 10.0.16.21" "$(answer frozen-oasis-70544.herokuapp.com)"
expect_match "and says so" 'warning control_failed .*No space left on device: make room there, or give another path' "$(cat "$work/err")"
stop
umount "$root/run/spacedns"

# ---- upgraded while it runs, and gone ----

serve
await is_ready
in_root dpkg -i --force-confold /tmp/new.deb >"$work/install.log" 2>&1
expect "a newer package" 0 "$?"
expect "the server goes on" "10.0.0.37 10.0.16.21" "$(answer frozen-oasis-70544.herokuapp.com)"
expect "the settings are kept" "listen: [127.0.0.1]" "$(grep ^listen "$settings")"
in_root spacedns upgrade >"$work/upgrade" 2>&1
expect_match "the new program takes over" '^Upgrading\.\.\. done' "$(cat "$work/upgrade")"
await is_gone "$server" || fail "the old one leaves"
expect "and answers" "10.0.0.37 10.0.16.21" "$(answer frozen-oasis-70544.herokuapp.com)"

# The way back, which ends as the way there.
server=$(in_root spacedns status | awk '$1 == "pid" { print $2 }')
children+=("$server")
in_root dpkg -i --force-confold /tmp/old.deb >"$work/downgrade.log" 2>&1
expect "an older package over a newer one" "0 0.0.1" "$? $(in_root dpkg-query -W -f '${Version}' spacedns)"
expect "the server goes on" "10.0.0.37 10.0.16.21" "$(answer frozen-oasis-70544.herokuapp.com)"
expect_match "and the older program takes over" '^Upgrading\.\.\. done' "$(in_root spacedns upgrade 2>&1)"
await is_gone "$server" || fail "the newer one leaves"
expect "and answers" "10.0.0.37 10.0.16.21" "$(answer frozen-oasis-70544.herokuapp.com)"
server=$(in_root spacedns status | awk '$1 == "pid" { print $2 }')
children+=("$server")
stop

# Somebody removes the user: the start says so, and the package makes it again.
in_root userdel spacedns
refuses "the package's user is gone" 'this host has no user .spacedns.'
in_root dpkg -i --force-confold /tmp/new.deb >"$work/install.log" 2>&1
expect "the package again" 0 "$?"
serve
await is_ready
expect "its user is back, with what is its own" "10.0.0.37 10.0.16.21" "$(answer frozen-oasis-70544.herokuapp.com)"
stop
in_root dpkg --purge spacedns >"$work/purge.log" 2>&1
expect "the purge" 0 "$?"
expect "what the operator wrote stays" "test-space.yaml" "$(ls "$root/etc/spacedns/zones")"
expect "what the server wrote goes" "" "$(ls -d "$root/var/lib/spacedns" "$settings" 2>/dev/null)"
umount "$root/proc" "$root/run"
rm -rf "$root"
finish
