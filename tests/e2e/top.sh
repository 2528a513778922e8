#!/bin/bash
# What the server is asked, at a glance: top knows the truth of scripted traffic, fills terminals of
# any size, obeys keys and signals, and gives the terminal back however it ends.
# timeout: 240
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
/usr/bin/python3 -c 'import pyte' 2>/dev/null || skip "there is no python3-pyte here (cmd/dev deps installs it)"
spacedns=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
port=$(free_port)
socket=$work/control.sock
plain=10.0.132.9 # the dyno of open-plain-1001
oasis=frozen-oasis-70544

start_upstream resolver --listen 198.51.100.53 <<'END'
www.example.org. 300 IN A 198.51.100.80
END
mkdir "$work/zones"
cp zones/test-space.yaml "$work/zones/"
cat >"$work/settings.yaml" <<END
zones: $work/zones
listen: 0.0.0.0:$port
allow_public_listen: true
workers: 2
upstreams: [198.51.100.53]
control_socket: $socket
END

top() {
    "$spacedns" top --socket "$socket" "$@"
}

# times COUNT FROM NAME TYPE
times() {
    local i
    for ((i = 0; i < $1; i++)); do
        ask -b "$2" +short "$3" "$4" >/dev/null
    done
}

# printed EXPRESSION: of the JSON on standard input
printed() {
    /usr/bin/python3 -c "import json, sys; top = json.load(sys.stdin); print($1)" 2>&1
}

# check WHAT WANTED EXPRESSION: of the object in $once
check() {
    expect "$1" "$2" "$(printed "$3" <<<"$once")"
}

# counts LIST KEY: an expression for how many replies were of each kind
counts() {
    echo "', '.join(sorted(each['$2'] + ' ' + str(each['queries']) for each in top['$1']))"
}

top --once >"$work/none" 2>&1
expect "without a server: exit code" 1 "$?"
expect_match "without a server: the remedy" "no server is at $socket; start spacednsd" "$(<"$work/none")"

start top --settings "$work/settings.yaml"

# ---- the truth ----

times 5 "$plain" "$oasis.herokuapp.com" A
times 2 "$plain" "$oasis.herokuapp.com" AAAA
times 3 "$plain" sleepy-river-2739.herokuapp.com A
times 4 10.20.3.4 api.example.com A
times 6 203.0.113.9 api.example.com A
times 3 "$plain" www.example.org A
ask -b "$plain" +tcp +short nosuch.app.localspace A >/dev/null
ask -b 203.0.113.7 +short 'evil\027[2J.example.net' A >/dev/null

once=$(top --once --json)
check "queries" 25 'top["queries"]'
check "classes" "external 7, peered 4, space 14" "$(counts classes class)"
check "transports" "tcp 1, udp 24" "$(counts transports transport)"
check "response codes" "NOERROR 17, NXDOMAIN 1, REFUSED 7" "$(counts rcodes rcode)"
check "reasons" "Q10 3, Q18 7, Q25 1, Q40 4" "$(counts reasons reason)"
check "latencies" "['cache', 'local', 'upstream'] 25" 'sorted(each["source"] for each in top["latencies"]), sum(each["queries"] for each in top["latencies"])'
check "apps" "[('$oasis', 17, 17, 6), ('sleepy-river-2739', 3, 3, 3)]" '[(each["name"], each["asked_least"], each["asked_most"], each["failed"]) for each in top["busiest_apps"]]'
check "clients" "[('$plain', 'app', 'open-plain-1001', 14, 4), (None, 'outside', '', 7, 7), ('10.20.3.4', 'peering', 'pcx-111aaa111', 4, 0)]" '[(each.get("address"), each["kind"], each["name"], each["asked_least"], each["failed"]) for each in top["busiest_clients"]]'
check "names" "api.example.com 10, evil\\027[2j.example.net 1, $oasis.herokuapp.com 7, nosuch.app.localspace 1, sleepy-river-2739.herokuapp.com 3, www.example.org 3" '", ".join(sorted(each["name"] + " " + str(each["asked_least"]) for each in top["busiest_names"]))'
check "upstreams" "[('198.51.100.53', 'up', 0)]" '[(each["upstream"].split("@")[0], each["state"], each["failures_since_start"]) for each in top["upstreams"]]'
check "reloads" "(1, 0, 'done')" '(top["reloads_done"], top["reloads_refused"], top["last_reload"])'

text=$(top --once)
expect_match "lines: apps" "^$oasis te +17 +6 " "$text"
expect_match "lines: a name that would command the terminal" 'evil\\027\[2j' "$text"
expect "lines: nothing commands a terminal" "" "$(tr -d '[:print:]\n' <<<"$text")"
expect_match "lines: colour, if it is wanted" $'\e\\[31m' "$(top --once --color always)"

# ---- a stream ----

timeout 20 "$spacedns" top --json --socket "$socket" 2>"$work/stream.err" | head -n 3 >"$work/stream"
expect "a stream has an object on each line" "25 25 25" "$(while read -r line; do printed 'top["queries"]' <<<"$line"; done <"$work/stream" | xargs)"
"$spacedns" top --json --socket "$socket" >"$work/interrupted" &
tail=$!
children+=("$tail")
await grep -q queries "$work/interrupted" || fail "a stream begins"
kill -INT "$tail"
wait "$tail"
expect "Ctrl-C ends a stream: exit code" 0 "$?"

top </dev/null >"$work/pipe" 2>&1
expect "without a terminal: exit code" 2 "$?"
expect_match "without a terminal: the remedy" '^Error: top fills a terminal, and there is none; print it with --once' "$(<"$work/pipe")"

# ---- a client that does not read ----

mkfifo "$work/fifo"
exec 9<>"$work/fifo"
"$spacedns" top --json --socket "$socket" >"$work/fifo" 2>/dev/null &
reader=$!
children+=("$reader")
until_ms=$(($(now_ms) + 3000))
while [ "$(now_ms)" -lt "$until_ms" ]; do
    ask -b "$plain" +short "$oasis.herokuapp.com" A >/dev/null || fail "DNS goes on beside a client that does not read"
done
expect "and others are answered" 0 "$(top --once --json | printed 'top["silent_workers"]')"
kill "$reader"
exec 9>&-

# ---- an upgrade ----

"$spacedns" top --json --socket "$socket" >"$work/upgraded" 2>"$work/upgraded.err" &
tail=$!
children+=("$tail")
await grep -q queries "$work/upgraded" || fail "a stream begins"
"$spacedns" upgrade --socket "$socket" >"$work/upgrade.out" 2>&1 || fail "an upgrade" "$(<"$work/upgrade.out")"
wait "$tail"
expect "an upgrade ends a stream: exit code" 1 "$?"
expect_match "an upgrade ends a stream: the remedy" '^Error: an upgrade has replaced the server; run the command again' "$(<"$work/upgraded.err")"
wait "$server"
server=$("$spacedns" status --json --socket "$socket" | printed 'top["pid"]')
children+=("$server")
times 3 "$plain" "$oasis.herokuapp.com" A
times 2 203.0.113.9 api.example.com A
once=$(top --once --json)
check "the new server counts anew" "[('$oasis', 5)]" '[(each["name"], each["asked_least"]) for each in top["busiest_apps"]]'

# ---- a terminal ----

# on_terminal WHAT: a story in Python, which has Terminal, top() and expect()
on_terminal() {
    local out
    if out=$(PYTHONPATH=$SOURCE_DIR/tests/support SERVER=$server /usr/bin/python3 -c '
import os, signal, sys
from terminal import Terminal
spacedns, socket = sys.argv[1:3]
def top(*arguments, **options):
    return Terminal([spacedns, "top", "--socket", socket, *arguments], **options)
def expect(what, wanted, got):
    if wanted != got:
        raise AssertionError(f"{what}: {got!r} instead of {wanted!r}")
'"$(cat)" "$spacedns" "$socket" 2>&1); then
        pass
    else
        fail "$1" "$out"
    fi
}

on_terminal "a terminal that nobody knows, or a build without ncurses" <<'END'
terminal = top(environment={"TERM": "nosuch-terminal"})
expect("exit code", 1, terminal.await_end())
expect("a sentence", True, "the terminal nosuch-terminal; set TERM" in terminal.text() or "no ncurses" in terminal.text())
END
if ! grep -q ncurses <(ldd "$spacedns"); then
    echo "a build without ncurses: the rest needs a terminal"
    finish
fi

on_terminal "keys are obeyed, and q gives the terminal back" <<'END'
terminal = top()
terminal.await_text("Apps  ")
terminal.await_text("frozen-oasis-70544 te")
terminal.await_text("10.0.132.9 app open-p")
terminal.await_text("q quit  ? help  s sort: asked")
terminal.type("s")
terminal.await_text("s sort: failed")
terminal.type("ss")
terminal.await_text("s sort: asked")
terminal.type("?")
terminal.await_text("quit\ns        sort the busiest")
terminal.type("?")
terminal.await_text("Apps  ")
terminal.type("p")
terminal.await_text("PAUSED")
terminal.type(" ")
terminal.await_without("PAUSED")
terminal.type("xX1")
terminal.type("q")
expect("exit code", 0, terminal.await_end())
expect("restored", True, terminal.is_restored())
expect("no escape of a name", False, b"\x1b[2j" in terminal.written)
END

on_terminal "a terminal becomes 20 x 5, and has each pane in its turn" <<'END'
terminal = top()
terminal.await_text("Apps  ")
terminal.resize(20, 5)
terminal.await_that("five lines", lambda: terminal.lines()[1].startswith("Apps") and terminal.lines()[4].startswith("q quit"))
seen = set()
for _ in range(9):
    title = terminal.lines()[1].split("  ")[0] # its rows change with each second
    seen.add(title)
    terminal.type("\t")
    terminal.await_that("another pane", lambda: terminal.lines()[1].split("  ")[0] != title)
expect("panes", 9, len(seen))
terminal.type("\033[Z")
terminal.resize(200, 60)
terminal.await_text("Clients  ")
terminal.await_text("outside")
terminal.await_text("open-plain-1001")
terminal.type("q")
expect("exit code", 0, terminal.await_end())
expect("restored", True, terminal.is_restored())
END

on_terminal "no colour, if that is not wanted" <<'END'
for arguments, environment, wanted in ((), {}, True), ((), {"NO_COLOR": "1"}, False), (("--color", "never"), {}, False):
    terminal = top(*arguments, environment=environment)
    terminal.await_text("outside")
    terminal.type("q")
    expect("exit code", 0, terminal.await_end())
    expect("red", wanted, b"\x1b[31m" in terminal.written)
END

on_terminal "Ctrl-C ends it well, SIGTERM and SIGHUP end it by themselves" <<'END'
for how, wanted in ((lambda each: each.type("\x03"), 0),
                    (lambda each: each.signal(signal.SIGINT), 0),
                    (lambda each: each.signal(signal.SIGTERM), -signal.SIGTERM),
                    (lambda each: each.signal(signal.SIGHUP), -signal.SIGHUP)):
    terminal = top()
    terminal.await_text("Apps  ")
    how(terminal)
    expect("status", wanted, terminal.await_end())
    expect("restored", True, terminal.is_restored())
END

on_terminal "Ctrl-Z stops it with the terminal as it was, and it goes on" <<'END'
terminal = top()
terminal.await_text("Apps  ")
terminal.type("\x1a")
terminal.await_that("it stops", terminal.has_stopped)
terminal.read(0.2)
expect("restored while it is stopped", True, terminal.is_restored())
terminal.screen.reset()
terminal.resize(60, 12)
terminal.signal(signal.SIGCONT)
terminal.await_text("Apps  ")
terminal.await_that("the new size", lambda: terminal.lines()[11].startswith("q quit"))
terminal.type("q")
expect("exit code", 0, terminal.await_end())
expect("restored", True, terminal.is_restored())
END

# ---- the server goes ----

disown "$server" 2>/dev/null # so that the shell does not report how it ended
on_terminal "a server that is killed: why it ends, and the terminal given back" <<'END'
terminal = top()
terminal.await_text("Apps  ")
os.kill(int(os.environ["SERVER"]), signal.SIGKILL)
expect("exit code", 1, terminal.await_end())
expect("restored", True, terminal.is_restored())
terminal.await_that("a sentence", lambda: "has ended without a word; see its log, start it again" in terminal.text().replace("\n", ""))
END
await is_gone "$server"
start again --settings "$work/settings.yaml"
on_terminal "a server that is stopped: its sentence" <<'END'
terminal = top()
terminal.await_text("Apps  ")
os.kill(int(os.environ["SERVER"]), signal.SIGTERM)
expect("exit code", 1, terminal.await_end())
expect("restored", True, terminal.is_restored())
terminal.await_text("Error: the server is stopping; start it again, then run the command again")
END
finish
