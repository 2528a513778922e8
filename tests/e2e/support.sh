#!/bin/bash
# spacedns support: one archive for a bug report, with a server up, down and out of reach, on a full
# disk and beside a file that is there; no secret is in it.
# timeout: 120
. "$(dirname "$0")/lib.bash"
need tar gzip
enter_private_network || skip "no network namespace may be made here"
spacedns=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
port=$(free_port)
token=planted-token-0815
secret=0123456789abcdef0123456789abcdef
other_secret=ffeeddccbbaa99887766554433221100
key=planted-key-4711

mkdir "$work/zones"
{ echo "# once it was $token, and ${secret^^}"; cat zones/test-space.yaml; } >"$work/zones/test-space.yaml"
cat >"$work/settings.yaml" <<END
zones: $work/zones
listen: 127.0.0.1:$port
local_as: [test-space]
workers: 1
upstreams: none
http_token: $token
cookie_secrets: [${secret^^}, $other_secret]
control_socket: $work/control.sock
END
printf 'nameserver 198.51.100.53\nsearch corp.example\n' >"$work/resolv.conf"
mount --bind "$work/resolv.conf" /etc/resolv.conf 2>/dev/null

# support FILE FLAG...: leaves $out, $err and $code
support() {
    timeout "$patience" "$spacedns" support "$@" >"$work/out" 2>"$work/err" </dev/null
    code=$?
    out=$(cat "$work/out")
    err=$(cat "$work/err")
}

# unpacked FILE: its folder
unpacked() {
    rm -rf "$work/unpacked"
    mkdir "$work/unpacked"
    tar xzf "$1" -C "$work/unpacked" || fail "tar reads $1"
    echo "$work/unpacked"/*
}

# has_no_secret WHAT FILE: no planted one, in any case of letters
has_no_secret() {
    local planted where
    where=$(unpacked "$2")
    for planted in "$token" "$secret" "$other_secret" "$key"; do
        expect "$1: $planted is not in it" "" "$(grep -rliF -- "$planted" "$where")"
    done
}

server_flags=(--socket "$work/control.sock" --settings "$work/settings.yaml")
start support --settings "$work/settings.yaml"
ask +short nosuch.app.localspace A >/dev/null
ask +short "$token.app.localspace" A >/dev/null
ask +short "$secret.app.localspace" A >/dev/null

# ---- the server is up ----

support "$work/up.tar.gz" "${server_flags[@]}" --yes
expect "with a server: exit code" 0 "$code"
expect "its owner's alone" 600 "$(stat -c %a "$work/up.tar.gz")"
folder=$(unpacked "$work/up.tar.gz")
expect_match "a folder of its own" '/spacedns-support-20[0-9]{6}T[0-9]{6}Z$' "$folder"
expect "the parts" "contents.txt failed_queries.txt findings.txt kept_back.txt kernel.txt policy.txt resolv.conf settings.txt status.json version.txt" \
    "$(cd "$folder" && find . -type f ! -name events.txt | sed 's|^\./||' | sort | tr '\n' ' ' | sed 's/ $//')"
expect "what is listed is what is written" "$(cd "$folder" && find . -type f -printf '%P %s\n' | sort)" \
    "$(sed -nE 's/^  ([^ ]+) +([0-9]+)  .*/\1 \2/p' <<<"$out" | sort)"
expect "status is that of the server" "$server" "$(/usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["pid"])' <"$folder/status.json")"
expect_match "settings" '^http_token: \(set\)$' "$(cat "$folder/settings.txt")"
expect_match "settings" '^cookie_secrets: \(set\)$' "$(cat "$folder/settings.txt")"
expect_match "settings" "^listen: 127\.0\.0\.1:$port\$" "$(cat "$folder/settings.txt")"
expect_match "failed queries" ' at=error code=Q25 .* host=nosuch\.app\.localspace ' "$(cat "$folder/failed_queries.txt")"
expect_match "findings" ' warning W-NO-WEB: ' "$(cat "$folder/findings.txt")"
expect_match "the kernel" '^Linux [0-9]' "$(cat "$folder/kernel.txt")"
expect_match "socket buffers" '^net/core/rmem_max [0-9]+$' "$(cat "$folder/kernel.txt")"
expect_match "UDP counters" '^Udp: [0-9]' "$(cat "$folder/kernel.txt")"
expect_match "limits of the server" '^limits of the server$' "$(cat "$folder/kernel.txt")"
expect_match "the version" '^spacedns [0-9]' "$(cat "$folder/version.txt")"
expect_match "interfaces" '^interface lo ' "$(cat "$folder/kernel.txt")"
expect_no_match "without addresses" '127\.0\.0\.1' "$(cat "$folder/kernel.txt")"
expect_match "what was overwritten is told" '^[1-9][0-9]* secrets in it are overwritten with \*$' "$out"
has_no_secret "with a server" "$work/up.tar.gz"

# ---- zone files ----

printf 'space: other-space\ncidr: 10.9.0.0/16\nrouters: [10.9.0.7]\nvpns: [{name: a, pre_shared_key: %s}]\n' "$key" >"$work/zones/other.yaml"
support "$work/zones.tar.gz" "${server_flags[@]}" --yes --with-zones
expect_match "a zone file with a key is left out" '^  zones/other\.yaml +-  left out: has a pre_shared_key; ' "$out"
folder=$(unpacked "$work/zones.tar.gz")
stars() {
    printf '%*s' "${#1}" '' | tr ' ' '*'
}
expect "the others are in it, secrets overwritten" "$(sed "s/$token/$(stars "$token")/; s/${secret^^}/$(stars "$secret")/" "$work/zones/test-space.yaml")" "$(cat "$folder/zones/test-space.yaml")"
has_no_secret "with zone files" "$work/zones.tar.gz"
rm "$work/zones/other.yaml"

# ---- the question ----

# answers TEXT FILE: runs it at a terminal; prints what stands there
answers() {
    /usr/bin/python3 - "$1" "$spacedns" support "$2" "${server_flags[@]}" <<'END'
import os, pty, sys
answer, command = sys.argv[1], sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execv(command[0], command)
printed = b""
while True:
    try:
        octets = os.read(terminal, 65536)
    except OSError:
        break
    if not octets:
        break
    printed += octets
    if printed.rstrip().endswith(b"[y/N]") and answer is not None:
        assert b"settings.txt" in printed
        os.write(terminal, answer.encode() + b"\n")
        answer = None
print(printed.decode(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
END
}
got=$(answers n "$work/asked.tar.gz")
expect_match "no: nothing is written" 'nothing was written' "$got"
expect_match "no: exit code" ' 1$' "$got"
got=$(answers "" "$work/asked.tar.gz")
expect_match "no answer is no" ' 1$' "$got"
[ ! -e "$work/asked.tar.gz" ] || fail "no: no file"
got=$(answers y "$work/asked.tar.gz")
expect_match "yes: exit code" ' 0$' "$got"
[ -s "$work/asked.tar.gz" ] || fail "yes: a file"

# ---- where nothing can be written ----

before=$(sha256sum "$work/up.tar.gz")
support "$work/up.tar.gz" "${server_flags[@]}" --yes
expect "a file that is there: exit code" 1 "$code"
expect_match "a file that is there" "^Error: $work/up\.tar\.gz exists already; " "$err"
expect "it stays as it is" "$before" "$(sha256sum "$work/up.tar.gz")"
support /dev/full "${server_flags[@]}" --yes
expect_match "a device" '^Error: /dev/full exists already; ' "$err"
support "$work/nowhere/a.tar.gz" "${server_flags[@]}" --yes
expect_match "no such folder" "^Error: $work/nowhere/a\.tar\.gz cannot be written: No such file or directory; " "$err"
mkdir "$work/small"
if mount -t tmpfs -o size=8k none "$work/small" 2>/dev/null; then
    head -c 8192 /dev/zero >"$work/small/full"
    support "$work/small/a.tar.gz" "${server_flags[@]}" --yes
    expect "a full disk: exit code" 1 "$code"
    expect_match "a full disk" "^Error: $work/small/a\.tar\.gz cannot be written completely; make room" "$err"
    expect "a full disk: nothing is left" full "$(ls "$work/small")"
    umount "$work/small"
fi

# ---- out of reach, and down ----

if [ "$(id -u)" = 0 ] && setpriv --reuid=65534 --regid=65534 --clear-groups true 2>/dev/null; then
    chmod 600 "$work/settings.yaml"
    mkdir -m 777 "$work/open"
    setpriv --reuid=65534 --regid=65534 --clear-groups "$spacedns" support "$work/open/a.tar.gz" "${server_flags[@]}" --yes >"$work/out" 2>&1 </dev/null
    expect "without rights: exit code" 0 $?
    out=$(cat "$work/out")
    expect_match "without rights: the settings" '^  settings\.txt +-  left out: the settings cannot be read' "$out"
    expect_match "without rights: the server" '^  status\.json +-  left out: .* may not be used by this user' "$out"
    expect_match "without rights: the rest" '^  kernel\.txt +[1-9]' "$out"
    has_no_secret "without rights" "$work/open/a.tar.gz"
fi
stop
expect "the server ends well" 0 "$code"
support "$work/down.tar.gz" "${server_flags[@]}" --yes
expect "without a server: exit code" 0 "$code"
expect_match "without a server: status" '^  status\.json +-  left out: no server is at ' "$out"
expect_match "without a server: settings" '^  settings\.txt +[1-9]' "$out"
folder=$(unpacked "$work/down.tar.gz")
expect_match "the archive says what it lacks" '^  failed_queries\.txt +-  left out: no server is at ' "$(cat "$folder/contents.txt")"
expect_match "limits of the command" '^limits of this command' "$(cat "$folder/kernel.txt")"
has_no_secret "without a server" "$work/down.tar.gz"

# A secret that is wrong in the settings is quoted nowhere.
sed -i "s/^http_token: .*/http_token: short $key/; s/^cookie_secrets: .*/cookie_secrets: [$secret$key]/" "$work/settings.yaml"
support "$work/wrong.tar.gz" "${server_flags[@]}" --yes
expect_match "wrong settings" '^  settings\.txt +-  left out: the settings cannot be read; findings\.txt has why' "$out"
has_no_secret "wrong settings" "$work/wrong.tar.gz"
cd "$work" || exit 1
support --settings "$work/settings.yaml" --socket "$work/control.sock" --dry-run --json
expect "a name of its own, as JSON" "True False 11" "$(/usr/bin/python3 -c '
import json, re, sys
printed = json.load(sys.stdin)
print(re.fullmatch(r"spacedns-support-\d{8}T\d{6}Z\.tar\.gz", printed["file"]) is not None, printed["written"], len(printed["parts"]))' <<<"$out")"
finish
