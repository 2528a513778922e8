#!/bin/bash
# Whatever is wrong at the start: one clear message with the remedy, and quickly an exit code.
# busy: measures how long a start takes
. "$(dirname "$0")/lib.bash"
enter_private_network || echo "no network namespace may be made here: on the machine's own network"

port=$(free_port)
nobody=()
if [ "$(id -u)" = 0 ] && setpriv --reuid 65534 --regid 65534 --clear-groups true 2>/dev/null; then
    nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
fi

# run FLAG...: leaves $code, $out, $err and $took (ms)
run() {
    local before
    before=$(now_ms)
    local user=("${as_user[@]}")
    [ "${as[*]}" != "${nobody[*]}" ] || [ ${#as[@]} = 0 ] || user=()
    timeout "$patience" "${as[@]}" "$SPACEDNSD" "${user[@]}" "$@" >"$work/out" 2>"$work/err" </dev/null
    code=$?
    took=$(($(now_ms) - before))
    out=$(head -c 20000 "$work/out")
    err=$(head -c 20000 "$work/err")
}
as=()

# refused WHAT CODE PATTERN...: the last run printed every pattern on standard error, in few lines
refused() {
    local what=$1 wanted=$2 pattern lines
    shift 2
    expect "$what: exit code" "$wanted" "$code"
    expect "$what: nothing on standard output" "" "$out"
    for pattern in "$@"; do
        expect_match "$what" "$pattern" "$err"
    done
    lines=$(wc -l <"$work/err")
    [ "$lines" -ge 1 ] && [ "$lines" -le 3 ] || fail "$what: one message" "$lines lines: $err"
    [ "$(wc -L <"$work/err")" -le 600 ] || fail "$what: a message one can read" "${err:0:700}"
    [ -n "${SANITIZE:-}" ] || [ "$took" -lt 4000 ] || fail "$what: quickly" "it took $took ms"
    expect_no_match "$what: no false alarm" 'out of memory' "$err"
}

# checked WHAT PATTERN: --check prints the same on standard output, with the same exit code
checked() {
    expect "--check, $1: exit code" 1 "$code"
    expect_match "--check, $1" "$2" "$out"
    expect_no_match "--check, $1: no false alarm" 'out of memory' "$out$err"
}

# ---- the zones folder ----

# bad_zones WHAT FOLDER PATTERN...
bad_zones() {
    local what=$1 folder=$2
    shift 2
    run --zones "$folder" --listen "127.0.0.1:$port"
    refused "$what" 1 "$@"
    run --check --zones "$folder"
    checked "$what" "$1"
}

folder() {
    rm -rf "$work/zones"
    mkdir -p "$work/zones"
    [ $# -eq 0 ] || cat >"$work/zones/$1"
}

bad_zones "no zones folder" "$work/nowhere" \
    'zones folder .*/nowhere cannot be opened: No such file or directory; create it, or .*--zones'
folder
bad_zones "an empty zones folder" "$work/zones" 'holds no zone file; put .*NAME\.yaml'
bad_zones "a file as zones folder" zones/test-space.yaml 'cannot be opened: Not a directory'
if [ ${#nobody[@]} -gt 0 ]; then
    folder test.yaml <zones/test-space.yaml
    chmod 700 "$work/zones"
    as=("${nobody[@]}")
    bad_zones "a zones folder that may not be read" "$work/zones" 'cannot be opened: Permission denied'
    as=()
    chmod 755 "$work/zones"
    chmod 600 "$work/zones/test.yaml"
    as=("${nobody[@]}")
    bad_zones "a zone file that may not be read" "$work/zones" 'test\.yaml.* error E-FILE: .*[Pp]ermission denied'
    as=()
else
    echo "not root: unreadable folders are not tried"
fi

# ---- zone files ----

head -c 700 zones/test-space.yaml | folder x.yaml
bad_zones "a half-written file" "$work/zones" 'x\.yaml:[0-9]+:[0-9]+: error E-[A-Z-]+: '
{ printf 'space: '; head -c 50000000 /dev/zero | tr '\0' a; } | folder x.yaml
bad_zones "a text of 50 MB" "$work/zones" 'x\.yaml:1:[0-9]+: error E-LIMIT: '
head -c 100000 /dev/zero | tr '\0' '[' | folder x.yaml
bad_zones "100 KB of [" "$work/zones" 'x\.yaml:1:1: error E-TYPE: '
{ printf 'space: test-space\napps: '; head -c 100000 /dev/zero | tr '\0' '['; } | folder x.yaml
bad_zones "100 KB of [ in a list's place" "$work/zones" 'x\.yaml:2:[0-9]+: error E-(DEPTH|TYPE): '
printf 'space: caf\xe9\n' | folder x.yaml
bad_zones "text that is not UTF-8" "$work/zones" 'x\.yaml:1:[0-9]+: error E-UTF8: '
folder y.yaml <<<'space: one-space'
mkdir "$work/zones/x.yaml"
bad_zones "a folder named as a zone file" "$work/zones" 'x\.yaml.* error E-FILE: .*directory'
folder y.yaml <<<'space: one-space'
mkfifo "$work/zones/x.yaml"
bad_zones "a pipe named as a zone file" "$work/zones" 'x\.yaml.* error E-FILE: .*regular file'
folder y.yaml <<<'space: one-space'
ln -s /nowhere "$work/zones/x.yaml"
bad_zones "a link to nowhere" "$work/zones" 'x\.yaml.* error E-FILE: .*No such file'
folder a.yaml <<<'space: one-space'
cp "$work/zones/a.yaml" "$work/zones/b.yaml"
bad_zones "two files with one space" "$work/zones" 'b\.yaml:1:[0-9]+: error E-DUP: .*one-space'
: | folder x.yaml
bad_zones "an empty file" "$work/zones" 'x\.yaml.* error E-[A-Z]+: '

# All findings in one run, and only as many lines as findings.
folder x.yaml <<'END'
space: test-space
cidr: 10.0.0.1/16
colour: blue
END
run --check --zones "$work/zones"
expect "every finding is printed at once" 2 "$(grep -c ' error E-' "$work/out")"
expect_match "the summary counts" '1 file.*: 2 errors, 0 warnings, 0 notes$' "$out"

# ---- where to listen ----

run --zones zones --listen 203.0.113.9:53
refused "a public address" 1 'E-LISTEN-PUBLIC.*203\.0\.113\.9.*allow_public_listen: true'
run --check --zones zones --listen 203.0.113.9:53
expect "--check, a public address: exit code" 1 "$code"
if [ -z "${E2E_PRIVATE_NETWORK:-}" ]; then
    run --zones zones --listen "10.255.254.253:$port"
    refused "an address of another host" 3 'cannot listen on 10\.255\.254\.253.*no such address'
else
    ip address add 203.0.113.7/32 dev lo
    run --zones zones --listen "0.0.0.0:$port"
    refused "every address, a public one among them" 1 'E-LISTEN-PUBLIC.*203\.0\.113\.7.*allow_public_listen'
    ip address del 203.0.113.7/32 dev lo
    ip route del local 0.0.0.0/0 dev lo
    run --zones zones --listen "10.255.254.253:$port"
    refused "an address of another host" 3 'cannot listen on 10\.255\.254\.253.*no such address'
    ip route add local 0.0.0.0/0 dev lo
fi
if [ ${#nobody[@]} -gt 0 ] && [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 53 ]; then
    as=("${nobody[@]}")
    run --zones zones --listen 127.0.0.1:53
    refused "a port below 1024 without the right" 3 \
        'cannot listen on 127\.0\.0\.1:53 .*no permission.*(setcap|higher port)'
    as=()
fi

# hold udp|tcp: another program has $port
hold() {
    /usr/bin/python3 - "$1" "$port" <<'END' &
import socket, sys, time
kind = socket.SOCK_DGRAM if sys.argv[1] == "udp" else socket.SOCK_STREAM
held = socket.socket(socket.AF_INET, kind)
held.bind(("127.0.0.1", int(sys.argv[2])))
if kind == socket.SOCK_STREAM:
    held.listen()
time.sleep(60)
END
    holder=$!
    children+=("$holder")
    await grep -qiE "^ *[0-9]+: 0100007F:$(printf %04X "$port") " "/proc/net/$1"
}

for transport in udp tcp; do
    hold "$transport"
    run --zones zones --listen "127.0.0.1:$port"
    refused "a port that is taken over $transport" 3 \
        "cannot listen on 127\.0\.0\.1:$port over ${transport^^}: another program has this port"
    kill -KILL "$holder"
    wait "$holder" 2>/dev/null
done
start first --zones zones --listen "127.0.0.1:$port"
run --zones zones --listen "127.0.0.1:$port"
refused "a second server on one port" 3 'another program has this port'
stop

as=(bash -c 'ulimit -n 13 && exec "$@"' bash)
run --zones zones --listen "127.0.0.1:$port" --workers 8 --log-level error
refused "too few file descriptors" 3 'too many open files; .*ulimit'
as=()

# ---- flags and settings ----

# bad_flag WHAT PATTERN FLAG...
bad_flag() {
    local what=$1 pattern=$2
    shift 2
    run "$@"
    refused "$what" 2 "$pattern"
}

bad_flag "a misspelt flag" '--zone \(command line\): error E-SETTING: unknown flag; did you mean --zones\?' --zone zones
bad_flag "an unknown flag" '--frobnicate \(command line\): error E-SETTING: unknown flag' --frobnicate
bad_flag "a flag without its value" '--zones \(command line\): error E-SETTING: has no value' --zones
bad_flag "a value without its flag" '^zones \(command line\): error E-SETTING: not a flag' zones
bad_flag "a number out of range" '--workers \(command line\): error E-SETTING: 999 is out of range.* from 0 to 256' --workers 999
bad_flag "no number" '--workers \(command line\): error E-SETTING: .*many.*from 0 to 256' --workers many
bad_flag "a misspelt word" '--external \(command line\): error E-SETTING: .*did you mean refuse\?' --external refuze
bad_flag "no address" '--listen \(command line\): error E-SETTING: .*foo.* give one like' --listen foo
bad_flag "an unknown scheme" '--listen \(command line\): error E-SETTING: unknown scheme .upd://.; did you mean udp://\? Allowed: udp://, tcp://, or' --listen upd://127.0.0.1
bad_flag "a transport wanted twice" '--listen \(command line\): error E-SETTING: .127\.0\.0\.1:53. and .tcp://127\.0\.0\.1:53. overlap' --listen 127.0.0.1 --listen tcp://127.0.0.1
bad_flag "no port" '--listen \(command line\): error E-SETTING: .*99999.*1 to 65535' --listen 127.0.0.1:99999
bad_flag "a name as upstream" '--upstream \(command line\): error E-SETTING: .ns1\.example\.com. is a name; give .*address' --upstream ns1.example.com
bad_flag "an upstream's port" '--upstream \(command line\): error E-SETTING: .*bad port .70000.*1 to 65535' --upstream 10.0.0.2@70000
bad_flag "an upstream beside none" '--upstream \(command line\): error E-SETTING: .none. is given with an address' --upstream none --upstream 10.0.0.2

# bad_setting WHAT PATTERN TEXT
bad_setting() {
    printf '%s\n' "$3" >"$work/settings.yaml"
    run --settings "$work/settings.yaml" --zones zones
    refused "$1" 1 "settings\.yaml:$2"
    run --settings "$work/settings.yaml" --zones zones --check
    expect "--check, $1: exit code" 1 "$code"
    expect_match "--check, $1" "settings\.yaml:$2" "$err"
}

bad_setting "a misspelt key" '1:1: error E-SETTING: .*`wrokers`; did you mean `workers`\?' 'wrokers: 2'
bad_setting "a key in the wrong place" '2:3: error E-SETTING: .*apsp.*did you mean' $'suffixes:\n  apsp: example.com'
bad_setting "a value out of range" '1:10: error E-SETTING: workers: 300 is out of range; .*from 0 to 256' 'workers: 300'
bad_setting "a key given twice" '2:1: error E-SETTING: ' $'workers: 2\nworkers: 3'
bad_setting "a boolean in other words" '1:10: error E-SETTING: ' 'cookies: yes'
bad_setting "a boolean for the words of the query log" '1:14: error E-SETTING: log_queries: `true` is not known; give failures, all or none' 'log_queries: true'
bad_setting "half a settings file" '[0-9]+:[0-9]+: error E-SETTING: ' 'listen: [127.0.0.1'
bad_setting "the server as its own upstream" '2:12: error E-SETTING: upstreams: .127\.0\.0\.1@5399. is this server itself.* loop' \
    $'listen: 127.0.0.1:5399\nupstreams: 127.0.0.1@5399'
bad_setting "a zone of upstreams listed twice" '1:39: error E-SETTING: upstream_zones\.B\.Example.*listed twice' \
    'upstream_zones: {b.example: 10.0.0.2, B.Example: 10.0.0.3}'
bad_setting "discovery names forwarded" '1:18: error E-SETTING: upstream_zones\.localspace: .*answered here' \
    'upstream_zones: {localspace: 10.0.0.2}'
bad_setting "localhost forwarded" '1:18: error E-SETTING: upstream_zones\.localhost: .*answered here' \
    'upstream_zones: {localhost: 10.0.0.2}'
bad_setting "a list as settings" '1:1: error E-SETTING: ' '- workers'
printf 'workers: 2\ncache_size: 1048575\n' >"$work/settings.yaml"
run --settings "$work/settings.yaml" --zones zones
refused "too small a cache" 1 'settings\.yaml:2:13: error E-SETTING: cache_size: 1048575 is out of range; give a whole number from 1048576 to 4294967295'
if [ -z "${SANITIZE:-}" ]; then
    printf 'workers: 4\ncache_size: 4294967295\n' >"$work/settings.yaml"
    as=(sh -c 'ulimit -v 2000000; exec "$@"' sh)
    run --settings "$work/settings.yaml" --zones zones --listen "127.0.0.1:$port" --upstream 127.0.0.1@9
    as=()
    refused "no memory for the cache" 3 \
        'warning upstreams_unshared text="a cache of 4294967295 octets: .*; lower cache_size"' \
        'spacednsd: a cache of [0-9]+ octets: Cannot allocate memory; lower cache_size'
fi
run --settings "$work/nowhere.yaml" --zones zones
refused "no settings file" 1 'nowhere\.yaml: error E-SETTING: the settings file cannot be opened: No such file.*--settings'
run --settings "$work" --zones zones
refused "a folder as settings file" 1 ': error E-SETTING: the settings file is a folder'
run --zones zones --listen "127.0.0.1:$port" --local-as tset-space
refused "a space that is not there" 1 '^--local-as \(command line\): error E-SETTING: .*tset-space.*did you mean .test-space.\?'

# ---- what is good ----

run --check --zones zones
expect "--check of good zones: exit code" 0 "$code"
expect_match "--check counts" '^zones: 1 file, 1 space, 3 apps: 0 errors, 2 warnings, 0 notes$' "$out"
sed 's/^space: test-space$/&\nlisten: [10.0.0.5]/' zones/test-space.yaml >"$work/listening.yaml"
mkdir "$work/listening"
mv "$work/listening.yaml" "$work/listening/test-space.yaml"
run --check --zones "$work/listening" --listen 10.0.0.6
expect_match "--check of a space at an address that is not listened at" \
    '/test-space\.yaml: warning W-LISTEN-SPACE: space test-space is answered only at its `listen` address 10\.0\.0\.5, ' "$out"
run --check --zones "$work/nowhere"
expect "--check without a folder: exit code" 1 "$code"
expect_match "--check without a folder: why" 'zones folder .*/nowhere cannot be opened: No such file or directory; create it' "$out"
expect_match "--check without a folder counts nothing" '/nowhere: not checked$' "$out"
run --check --zones zones
expect "--check binds nothing and prints nothing on standard error" "" "$err"
run --help
expect "--help: exit code" 0 "$code"
expect_match "--help" '^Usage: spacednsd ' "$out"
expect_match "--help lists the exit codes" '^Exit codes: ' "$out"
run --version
expect "--version: exit code" 0 "$code"
expect_match "--version" '^spacednsd [0-9]+\.[0-9]+\.[0-9]+$' "$out"
expect_match "--version has what gives up privileges" '^privileges: (no )?libcap-ng, (no )?libseccomp$' "$out"
expect_match "--version has what reads past the sockets" '^xdp: (no )?AF_XDP$' "$out"
expect_match "--version has what sends dnstap messages" '^dnstap: (no )?libfstrm$' "$out"
finish
