# What the scripts of this folder share; read first: . "$(dirname "$0")/lib.bash"
#
# A script checks many things and goes on after a failure; `finish` prints how many failed.
# Its files live in $work, its processes in $children, and both are gone when it ends.
# Nothing waits longer than `patience` seconds, and no port is fixed.
set -uo pipefail

SOURCE_DIR=${SOURCE_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BUILD_DIR=${BUILD_DIR:-$SOURCE_DIR/build/gcc}
SPACEDNSD=${SPACEDNSD:-$BUILD_DIR/bin/spacednsd}
export SOURCE_DIR BUILD_DIR SPACEDNSD LC_ALL=C

patience=10
[ -z "${SANITIZE:-}" ] || patience=40

skip() {
    echo "skipped: $*"
    exit 77
}

need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || skip "there is no $tool here (cmd/dev deps installs it)"
    done
}

script=$(realpath "$0")
cd "$SOURCE_DIR" || exit 1
[ -x "$SPACEDNSD" ] || { echo "there is no $SPACEDNSD: build it (cmd/dev build), or name another with SPACEDNSD="; exit 1; }
need dig setpriv
[ -x /usr/bin/python3 ] || skip "there is no /usr/bin/python3"

work=$(mktemp -d "${TMPDIR:-/tmp}/spacedns-e2e.XXXXXX")
chmod 755 "$work"
children=()
checks=0
failures=0
enough_failures=12

clean_up() {
    local child
    [ "$BASHPID" = $$ ] || return # a child that a signal ended before it became its program
    disown -a # so that the shell does not report each
    for child in "${children[@]}"; do
        kill -KILL "$child" 2>/dev/null
    done
    for child in "${children[@]}"; do
        await is_gone "$child"
    done
    chmod -R u+rwx "$work" 2>/dev/null
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

# ---- checks ----

pass() {
    checks=$((checks + 1))
}

# fail WHAT [DETAIL]: DETAIL may have several lines
fail() {
    failures=$((failures + 1))
    echo "FAILED: $1"
    [ $# -lt 2 ] || printf '%s\n' "$2" | sed 's/^/    /'
    if [ "$failures" -ge "$enough_failures" ] && [ "$BASHPID" = $$ ]; then
        echo "enough failures, the rest is left out"
        exit 1
    fi
}

# expect WHAT WANTED GOT: the same text
expect() {
    if [ "$2" = "$3" ]; then
        pass
    else
        fail "$1" "expected: $2
got:      $3"
    fi
}

# expect_match WHAT PATTERN TEXT: some line of the text matches the extended expression
expect_match() {
    if grep -qE -e "$2" <<<"$3"; then
        pass
    else
        fail "$1" "expected a line with: $2
got: $3"
    fi
}

expect_no_match() {
    if grep -qE -e "$2" <<<"$3"; then
        fail "$1" "expected no line with: $2
got: $3"
    else
        pass
    fi
}

finish() {
    if [ "$failures" -gt 0 ]; then
        echo "$failures of $((checks + failures)) checks failed"
        exit 1
    fi
    echo "$checks checks passed"
    exit 0
}

# ---- time ----

now_ms() {
    local now=${EPOCHREALTIME/[.,]/}
    echo $((now / 1000))
}

# await COMMAND...: asks until the command succeeds or patience ends
await() {
    local end=$(($(now_ms) + patience * 1000))
    until "$@"; do
        [ "$(now_ms)" -lt "$end" ] || return 1
        sleep 0.02
    done
}

is_gone() {
    ! kill -0 "$1" 2>/dev/null || [ "$(ps -o stat= -p "$1" | cut -c1)" = Z ]
}

# ---- the server ----

# A port that is free over UDP and TCP on every address, and stays so while what listens there starts
# again: the system gives those from 32768 on to connections, and a link with this script's process id
# keeps other scripts away until it has ended.
free_port() {
    /usr/bin/python3 - $$ <<'END'
import os, random, socket, sys, tempfile

claims = os.path.join(tempfile.gettempdir(), "spacedns-ports")


def claim(port):
    path = os.path.join(claims, str(port))
    try:
        if os.path.lexists(path) and not os.path.exists("/proc/" + os.readlink(path)):
            os.unlink(path)
        os.symlink(sys.argv[1], path)
        return True
    except OSError:  # somebody else's
        return False


def is_free(port):
    tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        tcp.bind(("0.0.0.0", port))
        udp.bind(("0.0.0.0", port))
        return True
    except OSError:
        return False


if not os.path.isdir(claims):
    os.makedirs(claims, exist_ok=True)
    os.chmod(claims, 0o777)
port = random.randrange(20000, 32768)
while not (claim(port) and is_free(port)):
    port = random.randrange(20000, 32768)
print(port)
END
}

# Whoever runs the tests stays who it is; privileges.sh tries other users.
as_user=(--user "$(id -un 2>/dev/null || id -u)")

# launch NAME FLAG...: spacednsd in the background as $server, its output in $work/NAME.{out,err}.
# Nobody outside is ever asked: without an --upstream or settings of its own, it has none; and
# servers side by side do not contend for the port of HTTP: without --http-listen, it has none.
launch() {
    local name=$1
    shift
    [[ " $* " =~ " --upstream"|" --settings" ]] || set -- "$@" --upstream none
    [[ " $* " = *" --http-listen "* ]] || set -- --http-listen none "$@"
    : >"$work/$name.err"
    "${launcher[@]}" "$SPACEDNSD" "${as_user[@]}" "$@" >"$work/$name.out" 2>"$work/$name.err" &
    server=$!
    server_log=$work/$name.err
    children+=("$server")
}
launcher=()

is_up_or_gone() {
    grep -q ' info ready ' "$server_log" || is_gone "$server"
}

# start NAME FLAG...: launch, then wait until it answers; ends the script when it does not
start() {
    launch "$@"
    await is_up_or_gone
    if ! grep -q ' info ready ' "$server_log"; then
        fail "the server starts: $*" "$(cat "$server_log")"
        finish
    fi
}

# stop [SIGNAL]: ends $server and leaves its exit code in $code
stop() {
    kill -"${1:-TERM}" "$server" 2>/dev/null
    if [ "${1:-TERM}" != KILL ] && ! await is_gone "$server"; then
        fail "the server ends on SIG${1:-TERM}" "it runs on"
        kill -KILL "$server"
    fi
    wait "$server" 2>/dev/null
    code=$?
}

outcomes() {
    grep -cE ' (info reload_done|info reload_unchanged|error reload_refused) ' "$server_log"
}

has_outcomes() {
    [ "$(outcomes)" -ge "$1" ]
}

has_outcome_of_signal() {
    tail -n "+$(($1 + 1))" "$server_log" |
        grep -qE ' (info reload_done|info reload_unchanged|error reload_refused) .*(by=signal| command="?SIGHUP)'
}

# reload: SIGHUP, until its own outcome is logged: a registry's documents are loaded whenever they
# come. Leaves the new lines of the log in $logged
reload() {
    local lines
    lines=$(wc -l <"$server_log")
    kill -HUP "$server"
    await has_outcome_of_signal "$lines" || fail "an outcome of SIGHUP is logged within $patience s"
    logged=$(tail -n "+$((lines + 1))" "$server_log")
}

# ---- upstreams ----

# start_upstream NAME ARGUMENT...: tests/support/upstream.py with the records that standard input
# gives, its mode in $work/NAME.mode, its log in $work/NAME.log; leaves its process in $upstream
start_upstream() {
    local name=$1
    shift
    cat >"$work/$name.records"
    set_mode "$name" answer
    : >"$work/$name.log"
    : >"$work/$name.out"
    "${upstream_launcher[@]}" /usr/bin/python3 "$SOURCE_DIR/tests/support/upstream.py" "$@" \
        --records "$work/$name.records" --mode "$work/$name.mode" --log "$work/$name.log" \
        >"$work/$name.out" 2>&1 &
    upstream=$!
    children+=("$upstream")
    await grep -q '^ready' "$work/$name.out" || fail "the upstream starts: $name" "$(cat "$work/$name.out")"
}
upstream_launcher=()

# set_mode NAME MODE [ARGUMENT]: what that upstream does from now on
set_mode() {
    echo "${*:2}" >"$work/$1.mode.new"
    mv "$work/$1.mode.new" "$work/$1.mode"
}

# start_unbound NAME ADDRESS: a real resolver that serves what is in $work/NAME.conf, and logs every
# query to $work/NAME.log as `info: CLIENT NAME. TYPE IN`; leaves its process in $upstream
start_unbound() {
    local name=$1 address=$2
    {
        cat <<END
server:
    interface: $address
    access-control: 0.0.0.0/0 allow
    do-ip6: no
    num-threads: 1
    username: ""
    chroot: ""
    pidfile: ""
    directory: "$work"
    use-syslog: no
    logfile: ""
    log-queries: yes
    module-config: "iterator"
    root-hints: "/dev/null"
END
        cat "$work/$name.conf"
    } >"$work/$name.unbound"
    : >"$work/$name.log"
    "${upstream_launcher[@]}" unbound -d -c "$work/$name.unbound" >>"$work/$name.log" 2>&1 &
    upstream=$!
    children+=("$upstream")
    await grep -q 'start of service' "$work/$name.log" || fail "unbound starts" "$(cat "$work/$name.log")"
}

# times_asked LOG NAME TYPE: how often an upstream was asked
times_asked() {
    grep -ciF " $2. $3 " "$work/$1.log"
}

# ask DIG-ARGUMENT...: dig at 127.0.0.1 port $port, one try
ask() {
    dig @127.0.0.1 -p "$port" +tries=1 +time="$patience" "$@"
}

# addresses TEXT: the IPv4 addresses of dig +short's output, sorted, on one line
addresses() {
    grep -E '^[0-9.]+$' <<<"$1" | sort -V | tr '\n' ' ' | sed 's/ $//'
}

# ---- a network of one's own ----

# Starts the script again where the machine's network cannot be seen, with loopback up and every
# IPv4 address its own, so that dig -b may be any client. Takes the script's arguments; fails
# where that is not permitted.
enter_private_network() {
    [ -z "${E2E_PRIVATE_NETWORK:-}" ] || return 0
    local how=(--net --mount)
    command -v unshare >/dev/null && command -v ip >/dev/null || return 1
    [ "$(id -u)" = 0 ] || how+=(--map-root-user)
    unshare "${how[@]}" sh -c 'mount -t tmpfs none /run && ip link set lo up' 2>/dev/null || return 1
    clean_up
    trap - EXIT
    E2E_PRIVATE_NETWORK=1 exec unshare "${how[@]}" sh -c '
        mount -t tmpfs none /run && ip link set lo up &&
            ip route add local 0.0.0.0/0 dev lo && exec "$@"' sh "$script" "$@"
}
