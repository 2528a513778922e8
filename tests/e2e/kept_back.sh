#!/bin/bash
# An internal name never leaves, with the real server: random edits, signals, kill -9 and starts
# against an upstream that records what it is asked; then what the operator sees of it.
#
#     kept_back.sh [STEPS [SEED]]      the walk alone: so many steps, or one that failed once more
# timeout: 300
. "$(dirname "$0")/lib.bash"
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
port=$(free_port)

# ---- a random walk ----

cat >"$work/walk.py" <<'END'
import os, random, re, signal, socket, struct, subprocess, sys, threading, time

program, command, work = sys.argv[1:4]
port, steps, seed, patience = (int(each) for each in sys.argv[4:8])
dice = random.Random(seed)
zones, state = work + "/walk-zones", work + "/walk-state"
os.mkdir(zones)
sources = {"test-space.yaml": "zones", "other-space.yaml": "tests/zones_good", "every-shape.yaml": "tests/zones_good"}
whole = {name: open(folder + "/" + name).read() for name, folder in sources.items()}
# internal by themselves, and one below each wildcard
probes = [
    "frozen-oasis-70544.herokuapp.com", "api.example.com", "x.apps.example.com", "example.net",
    "random-haiku-5196.also-random-3847.herokuspace.com", "sleepy-river-2739.herokuapp.com", "sleepy.example.com",
    "quiet-lake-4410.herokuapp.com", "quiet.example.org", "y.quiet.example.org",
]

# the upstream: records every question, answers none
asked, upstream = [], socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
upstream.bind(("127.0.0.1", 0))
def record():
    while True:
        packet, client = upstream.recvfrom(4096)
        labels, at = [], 12
        while packet[at]:
            labels.append(packet[at + 1:at + 1 + packet[at]].decode("latin1"))
            at += 1 + packet[at]
        asked.append(".".join(labels).lower())
        upstream.sendto(packet[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + packet[12:at + 5] + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\x42", client)
threading.Thread(target=record, daemon=True).start()

def question(name, number, type=1):
    octets = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    opt = b"\0\0\x29\x04\xd0\0\0\0\0\0\0" # 1,232 octets: _why is long
    return struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 1) + octets + struct.pack("!HH", type, 1) + opt

client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.connect(("127.0.0.1", port))
client.settimeout(patience)
def ask_all():
    for number, name in enumerate(probes):
        client.send(question(name, number))
        reply = client.recv(4096)
        while struct.unpack("!H", reply[:2])[0] != number:
            reply = client.recv(4096)

# Names of another space are not shown to this client by _why; the operator's command shows them. The
# server is asked: it may have started with files that have errors.
def owner_of(name):
    client.send(question("_why." + name, 65535, 16))
    reply = client.recv(4096)
    while reply[:2] != b"\xff\xff":
        reply = client.recv(4096)
    if b"internal_routing=" in reply:
        return reply
    return subprocess.run([command, "explain", name, "--live", "--from", "10.1.130.4", "--socket", work + "/walk.sock"], capture_output=True).stdout

# Declared as an app's without internal routing, a name is let go, and an upstream's from then on.
given_away = set()
def look_at_owners():
    for name in probes:
        owner = owner_of(name)
        if b"internal_routing=false" in owner:
            given_away.add(name)
        elif b"internal_routing=true" in owner:
            given_away.discard(name)

server, log, lines = None, None, 0
def outcome(pattern):
    global lines
    end = time.monotonic() + patience
    while time.monotonic() < end:
        printed = open(log).read().split("\n")[lines:]
        found = [line for line in printed if re.search(pattern, line)]
        if found:
            lines += len(printed) - 1
            return found[-1]
        if server.poll() is not None:
            return None
        time.sleep(0.005)
    sys.exit("seed %d: nothing of %s within %d s" % (seed, pattern, patience))

def start():
    global server, log, lines
    user = subprocess.check_output(["id", "-un"], text=True).strip()
    log, lines = "%s/walk-%d.err" % (work, starts), 0
    server = subprocess.Popen([program, "--user", user, "--http-listen", "none", "--settings", work + "/walk.yaml"], stderr=open(log, "w"), stdout=subprocess.DEVNULL)
    return outcome(" info ready ") is not None

def write(name, text):
    with open(zones + "/.new", "w") as file:
        file.write(text)
    os.rename(zones + "/.new", zones + "/" + name)

def edit():
    name = dice.choice(list(whole))
    try:
        text = open(zones + "/" + name).read()
    except OSError:
        text = ""
    rows = text.split("\n")
    kind = dice.randrange(6)
    if kind == 0 or not text:
        write(name, whole[name])
    elif kind == 1:
        write(name, text[:dice.randrange(len(text))])
    elif kind == 2:
        at = dice.randrange(len(rows))
        write(name, "\n".join(rows[:at] + rows[at + 1 + dice.randrange(4):]))
    elif kind == 3 and os.path.exists(zones + "/" + name):
        os.unlink(zones + "/" + name)
    elif kind == 4:
        digits = [m.start() for m in re.finditer("[0-9]", text)]
        at = dice.choice(digits) if digits else 0
        write(name, text[:at] + dice.choice("0123456789") + text[at + 1:])
    else:
        at, to = dice.randrange(len(rows)), dice.randrange(len(rows))
        rows.insert(to, rows.pop(at))
        write(name, "\n".join(rows))

for name, text in whole.items():
    write(name, text)
open(work + "/walk.yaml", "w").write(
    "zones: %s\nlisten: [\"127.0.0.1:%d\"]\nlocal_as: [test-space]\nupstreams: [\"127.0.0.1@%d\"]\n"
    # without its space the client is an outsider
    "external_rate: 0\nstate_dir: %s\nreload_guard: false\nworkers: 1\ncontrol_socket: %s/walk.sock\n" % (zones, port, upstream.getsockname()[1], state, work))
starts = loads = refused = checked = 0
assert start(), open(log).read()
ask_all()
try:
    look_at_owners()
    for step in range(steps):
        edit()
        before = starts + loads
        if dice.randrange(6) == 0:
            server.send_signal(signal.SIGKILL)
            server.wait()
            for _ in range(dice.randrange(3)):
                edit()
            starts += 1
            if not start():
                for name, text in whole.items():
                    write(name, text)
                starts += 1
                if not start():
                    sys.exit("seed %d, step %d: no start: %s" % (seed, step, open(log).read()))
        elif dice.randrange(3) > 0:
            server.send_signal(signal.SIGHUP)
            line = outcome(" (info reload_done|info reload_unchanged|error reload_refused) ")
            loads += "reload_done" in line
            if "reload_refused" in line:
                refused += 1
                if dice.randrange(2) == 0:
                    for name, text in whole.items():
                        write(name, text)
        if starts + loads > before: # what is served changes only then
            look_at_owners()
        ask_all()
        leaked = [name for name in set(asked[checked:]) if name in probes and name not in given_away]
        checked = len(asked)
        if leaked:
            sys.exit("seed %d, step %d: the upstream was asked for %s" % (seed, step, leaked))
finally:
    server.kill()
print("seed %d: %d steps, %d loads, %d refused, %d starts, %d other names asked" % (seed, steps, loads, refused, starts, len(asked)))
END

steps=${1:-300}
seed=${2:-$RANDOM}
[ -z "${SANITIZE:-}" ] || [ $# -gt 0 ] || steps=60
logged=$(/usr/bin/python3 "$work/walk.py" "$SPACEDNSD" "$SPACEDNS" "$work" "$port" "$steps" "$seed" "$patience" 2>&1) && pass ||
    fail "no internal name is asked of an upstream (kept_back.sh $steps $seed plays it again)" "$logged"
echo "$logged"
[ $# -eq 0 ] || finish

# ---- what the operator sees ----

zones=$work/zones
socket=$work/control.sock
mkdir "$zones"
cp zones/test-space.yaml "$zones"
flags=(--zones "$zones" --listen "127.0.0.1:$port" --local-as test-space --state-dir "$work/state" --control-socket "$socket")
spacedns() {
    "$SPACEDNS" "$@" --socket "$socket" 2>&1
}
start first "${flags[@]}"
expect "nothing is kept back" "No name is kept back." "$(spacedns kept-back)"
expect_match "status shows the state" "^state +$work/state\$" "$(spacedns status)"
sed -i 's/hostname: api\.example\.com/hostname: papi.example.com/' "$zones/test-space.yaml"
reload
expect_match "the log has the names kept back and the remedy" \
    ' warning names_kept_back count=1 names=api\.example\.com kept_back=1 text=".*spacedns forget NAME' "$logged"
listed="^api\.example\.com  generation=1 since=20[0-9TZ:-]+ space=test-space file=$zones/test-space.yaml\$"
expect_match "kept-back lists it" "$listed" "$(spacedns kept-back)"
expect_match "status counts it" '^kept_back +1$' "$(spacedns status)"
expect_match "a client reads why" 'EDE: 0 \(Other\): \(Q27 internal until generation 1, no longer declared; if meant: spacedns forget\)' \
    "$(ask api.example.com)"
stop KILL
start second "${flags[@]}"
expect_match "it is kept back after kill -9" "$listed" "$(spacedns kept-back)"
expect_match "generations go on" ' info ready .* generation=3 ' "$(cat "$server_log")"
stop KILL
sed -i 's/hostname: example\.net/hostname: example.edu/' "$zones/test-space.yaml"
start third "${flags[@]}"
expect_match "an edit while no server ran is seen" ' warning names_kept_back count=1 names=example\.net kept_back=2 ' \
    "$(cat "$server_log")"
expect "both are kept back" "api.example.com example.net " "$(spacedns kept-back | sed 's/  .*//' | tr '\n' ' ')"

expect "forget lets go" "Forgetting api.example.com... done" "$(spacedns forget API.example.com.)"
expect_match "the log has it" ' info names_let_go count=1 cause=forget names=api\.example\.com kept_back=1 generation=' "$(cat "$server_log")"
expect_match "an unknown name now" 'status: REFUSED' "$(ask api.example.com)"
expect_match "what is not kept back cannot be forgotten" '^Error: api\.example\.com is not kept back; spacedns kept-back lists' \
    "$(spacedns forget api.example.com)"
expect_match "what is no name cannot either" '^Error: a\.\.b is not a name' "$(spacedns forget a..b)"
expect "JSON" '{"forgotten":["example.net"],"not_kept_back":["www.example.org"],"generation":6}' \
    "$(spacedns forget example.net www.example.org --json | tr -d ' \n')"
stop KILL
start fourth "${flags[@]}"
expect "what was forgotten stays so after kill -9" "No name is kept back." "$(spacedns kept-back)"

# On purpose: the command lets go by itself.
"$SPACEDNS" domains:remove papi.example.com -a frozen-oasis-70544 --zones "$zones" --socket "$socket" >/dev/null 2>&1
expect "domains:remove keeps nothing back" "No name is kept back." "$(spacedns kept-back)"
"$SPACEDNS" apps:destroy sleepy-river-2739 --confirm sleepy-river-2739 --force --zones "$zones" --socket "$socket" >/dev/null 2>&1
expect "apps:destroy keeps nothing back" "No name is kept back." "$(spacedns kept-back)"
expect_match "and is done" 'status: REFUSED' "$(ask sleepy-river-2739.herokuapp.com)"
expect_match "--no-reload prints how" 'spacedns forget frozen-oasis-70544\.herokuapp\.com ' \
    "$("$SPACEDNS" apps:destroy frozen-oasis-70544 --confirm frozen-oasis-70544 --force --no-reload --zones "$zones" --socket "$socket" 2>&1)"
stop

# ---- a disk that is full for a while ----

cp zones/test-space.yaml "$zones"
start full "${flags[@]}"
rm -f "$work/state/kept-back"
mkdir "$work/state/kept-back" # no file can be renamed to it
sed -i 's/hostname: api\.example\.com/hostname: papi.example.com/' "$zones/test-space.yaml"
reload
expect_match "the log has what could not be written" ' warning state_failed text="state_dir .*kept-back cannot be written: .*it is tried again' "$logged"
expect_match "status shows it" "^state +! state_dir .*kept-back cannot be written: " "$(spacedns status)"
expect_match "the name is kept back" '^api\.example\.com ' "$(spacedns kept-back)"
reload
rmdir "$work/state/kept-back"
await grep -q ' info state_stored ' "$server_log" || fail "the server tries again by itself" "$(cat "$server_log")"
expect "the failure is logged once" 1 "$(grep -c ' warning state_failed ' "$server_log")"
expect_match "status shows the folder again" "^state +$work/state\$" "$(spacedns status)"
stop KILL
start full_again "${flags[@]}"
expect_match "and the name is kept back after kill -9" '^api\.example\.com ' "$(spacedns kept-back)"
mv "$work/state/kept-back" "$work/state/kept-back.copy" "$work"
expect_match "kept-back counts what it cannot list" '^[0-9]+ more names are kept back, but the files with them in state_dir cannot be read; ' \
    "$(spacedns kept-back)"
mv "$work/kept-back" "$work/kept-back.copy" "$work/state"
expect "it is let go" "Forgetting api.example.com... done" "$(spacedns forget api.example.com)"
stop

# ---- a state that is not to be used ----

cp zones/test-space.yaml "$zones"
# unused WHAT PATTERN: the server starts, logs why, and answers
unused() {
    start unused "${flags[@]}"
    expect_match "$1" "$2" "$(cat "$server_log")"
    expect_match "$1: it answers all the same" '10\.0\.0\.37' "$(ask +short frozen-oasis-70544.herokuapp.com)"
    stop
}
cp -r "$work/state" "$work/sound"
sed -i 's/^spacedns state 1/spacedns state 2/' "$work/state/state"
before=$(cat "$work/state"/state "$work/state"/zones/*)
unused "a newer version's state" ' warning state_unused text="state_dir .*newer version .* neither read nor written'
expect "it is left alone" "$before" "$(cat "$work/state"/state "$work/state"/zones/*)"
rm -r "$work/state" && cp -r "$work/sound" "$work/state"
chmod go+w "$work/state"
unused "a state that others may write to" ' warning state_unused text="state_dir .*chmod go-w'
chmod go-w "$work/state"
if [ "$(id -u)" = 0 ]; then
    chown 12345 "$work/state"
    unused "somebody else's state" ' warning state_unused text="state_dir .*belongs to another user'
    chown 0 "$work/state"
fi
printf 'spacedns kept-back 1\ncohort 1 0 test-space a.yaml\nname lost.example.com\nnonsense\n' >"$work/state/kept-back"
# Its clock stood at 1970; that lets nothing go.
start decayed "${flags[@]}"
expect_match "a state that decayed" ' warning state_decayed text="state_dir .*kept-back is not what was written' "$(cat "$server_log")"
expect_match "is read as far as it goes" '^lost\.example\.com ' "$(spacedns kept-back)"
expect_match "and written anew" '^checksum ' "$(cat "$work/state/kept-back")"
stop KILL
echo nothing >"$work/state/kept-back"
start decayed_whole "${flags[@]}"
expect_match "a file that decayed as a whole" ' warning state_decayed text="state_dir .*kept-back is not what was written there; its copy ' "$(cat "$server_log")"
expect_match "lets no name go" '^lost\.example\.com ' "$(spacedns kept-back)"
expect "and has its copy again" "" "$(cmp "$work/state/kept-back" "$work/state/kept-back.copy" 2>&1)"
launch other --zones "$zones" --listen "127.0.0.1:$(free_port)" --state-dir "$work/state"
other_log=$server_log
await grep -q ' info ready ' "$other_log" || fail "a second server starts" "$(cat "$other_log")"
expect_match "two servers do not share one" ' warning state_unused text="state_dir .*another server uses it' "$(cat "$other_log")"
stop
finish
