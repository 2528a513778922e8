#!/bin/bash
# spacedns apps, domains, ps: what they print, what they refuse, and that a zone file keeps every
# octet that was not asked to change, even when editors are killed or edit at the same time.
# timeout: 60
. "$(dirname "$0")/lib.bash"
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}

zones=$work/zones
file=$zones/test-space.yaml
socket=$work/control.sock
mkdir "$zones"

# run ARGUMENT...: leaves $code, $out, $err (without the advice on how a server reads it, and lets go)
run() {
    timeout "$patience" "${as[@]}" "$SPACEDNS" "$@" --zones "$zones" --socket "$socket" >"$work/out" 2>"$work/err" </dev/null
    code=$?
    out=$(cat "$work/out")
    err=$(grep -Ev '^( ▸    )?(No server answers here; to load the change|The server will not forward the removed names)' "$work/err")
}
as=()

fresh() {
    rm -rf "$zones"
    mkdir "$zones"
    cp "$SOURCE_DIR/zones/test-space.yaml" "$file"
}

# prints WHAT CODE OUT ERR: exactly this
prints() {
    expect "$1: exit code" "$2" "$code"
    expect "$1: standard output" "$3" "$out"
    expect "$1: standard error" "$4" "$err"
}

# refused WHAT CODE ERR: nothing on standard output, and every file is what it was
refused() {
    prints "$1" "$2" "" "$3"
    expect "$1: nothing changed" "$before" "$(cat "$file")"
    expect "$1: nothing is left behind" "test-space.yaml" "$(ls -A "$zones" | grep -vx .spacedns.lock)"
}

# changed WHAT DIFF: what the file has now that the example does not, and the other way round
changed() {
    expect "$1: the lines that differ" "$2" "$(diff "$SOURCE_DIR/zones/test-space.yaml" "$file" | grep '^[<>]')"
}

# ---- apps ----

fresh
before=$(cat "$file")
run apps --space test-space
prints "apps" 0 "=== Apps in space test-space

frozen-oasis-70544 [internal]
sleepy-river-2739  [internal]
open-plain-1001" ""
run apps --space test-space --json
expect "apps --json" "frozen-oasis-70544 True test-space" \
    "$(/usr/bin/python3 -c 'import json, sys; a = json.load(sys.stdin)[0]; print(a["name"], a["internal_routing"], a["space"])' <<<"$out")"
run apps --space test-spac
refused "a space that is not there" 1 \
    "Error: there is no space test-spac in $zones; did you mean test-space? spacedns spaces lists them"

run apps:create --internal-routing
refused "an internal app without a space" 2 "Error: Space name required.
Internal Web Apps are only available for Private Spaces.
USAGE: spacedns apps:create --space my-space --internal-routing"

run apps:create --internal-routing --space test-space
expect "an app without a name: exit code" 0 "$code"
name=$(sed -nE 's/^Creating app in space test-space\.\.\. done, ([a-z]+-[a-z]+-[0-9]{5})$/\1/p' <<<"$err")
expect_match "an app without a name: standard error" '^Creating app in space test-space\.\.\. done, [a-z]+-[a-z]+-[0-9]{5}$' "$err"
expect "an app without a name: standard output" \
    "https://$name.herokuapp.com/ | https://git.heroku.com/$name.git" "$out"
expect_match "how a server reads it" '^No server answers here; .* spacedns reload or kill -HUP$' "$(cat "$work/err")"
changed "an app without a name" ">   - name: $name
>     internal_routing: true"
run apps:destroy "$name" --confirm "$name" --no-reload
prints "an app less" 0 "" "Destroying $name... done"
expect_no_match "--no-reload" 'kill -HUP' "$(cat "$work/err")"
changed "an app more, an app less" ""

run apps:create calm-bay-1 --space test-space --color always
prints "a sign before the name" 0 \
    "https://calm-bay-1.herokuapp.com/ | https://git.heroku.com/calm-bay-1.git" \
    "Creating app in space ⬡ test-space... done, ⬢ calm-bay-1"
before=$(cat "$file")
run apps:create calm-bay-1 --space test-space
refused "a name that is taken" 1 "Creating app in space test-space... !
Error: Name calm-bay-1 is already taken; choose another"
run apps:create Calm --space test-space
refused "a name that is none" 1 "Creating app in space test-space... !
Error: E-APP-NAME: app name \`Calm\` has characters other than a-z, 0-9 and hyphens; a name has 3 to 30 of a-z, 0-9 and -, and begins with a letter; nothing was changed"
run apps:info calm-bay-2
refused "an app that is not there" 1 \
    "Error: Couldn't find that app: calm-bay-2; did you mean calm-bay-1? spacedns apps --space SPACE lists them"
run apps:info -a frozen-oasis-70544
prints "apps:info" 0 "=== frozen-oasis-70544

Auto Cert Mgmt:   false
Dynos:            web: 2, worker: 1
Git URL:          https://git.heroku.com/frozen-oasis-70544.git
Internal Routing: true
Space:            test-space
Web URL:          https://frozen-oasis-70544.herokuapp.com/" ""
run apps:destroy calm-bay-1
refused "destroying without a word" 1 \
    "Error: destroying calm-bay-1 cannot be undone; to go on, write spacedns apps:destroy calm-bay-1 --confirm calm-bay-1"
run apps:destroy calm-bay-1 --confirm calm-bay
refused "destroying with another word" 1 "Error: Confirmation calm-bay did not match calm-bay-1. Aborted. Write --confirm calm-bay-1"
run apps:info
refused "no app" 2 "Error: Missing required flag app; write -a APP"
run apps:info calm-bay-1 -a calm-bay-2
refused "two apps" 2 "Error: Two apps are named, calm-bay-1 and calm-bay-2; name one"

# ---- dynos ----

run ps -a frozen-oasis-70544
prints "ps" 0 "=== web (2)
web.1: up 10.0.130.56
web.2: up 10.0.151.218

=== worker (1)
worker.1: up 10.0.152.218" ""
run ps -a calm-bay-1
prints "ps without dynos" 0 "No dynos on calm-bay-1" ""
run ps:add web -a calm-bay-1
prints "the first dyno" 0 "" "Adding web.1 (10.0.128.4) to calm-bay-1... done"
run ps:add web -a calm-bay-1
prints "the next one" 0 "" "Adding web.2 (10.0.128.5) to calm-bay-1... done"
run ps:add worker_1 -a calm-bay-1 --ip 10.0.144.77
prints "a type more" 0 "" "Adding worker_1.1 (10.0.144.77) to calm-bay-1... done"
run ps:set web.1=crashed web.2=down -a calm-bay-1
prints "states" 0 "" "Setting web.1 to crashed, web.2 to down on calm-bay-1... done"
run ps -a calm-bay-1 --json
expect "ps --json" "web.1 crashed 10.0.128.4, web.2 down 10.0.128.5, worker_1.1 up 10.0.144.77" \
    "$(/usr/bin/python3 -c 'import json, sys; print(", ".join(d["name"] + " " + d["state"] + " " + d["private_ip"] for d in json.load(sys.stdin)))' <<<"$out")"
run ps:remove web.2 -a calm-bay-1
prints "a dyno less" 0 "" "Removing web.2 from calm-bay-1... done"
changed "dynos" ">   - name: calm-bay-1
>     formation:
>       web:
>         dynos:
>           - {number: 1, private_ip: 10.0.128.4, state: crashed}
>       worker_1:
>         dynos:
>           - {number: 1, private_ip: 10.0.144.77, state: up}"
before=$(cat "$file")
run ps:set web.1=up web.9=up -a calm-bay-1
refused "a dyno that is not there: none is set" 1 "Setting web.1 to up, web.9 to up on calm-bay-1... !
Error: app calm-bay-1 has no dyno web.9; spacedns ps -a calm-bay-1 lists its dynos"
run ps:set web.1=upp -a calm-bay-1
refused "a state that is none" 2 \
    "Error: upp is not a state of a dyno; did you mean up? write up, starting, idle, crashed or down"
run ps:set web.1=up web.2=up web.1=down -a calm-bay-1
refused "a dyno twice" 2 "Error: web.1 is given twice; give it once"
run ps:set web.1 -a calm-bay-1
refused "no state" 2 "Error: web.1 is not of the form TYPE.N=STATE; write it as web.1=up"
run ps:remove web -a calm-bay-1
refused "no dyno" 2 "Error: web is not of the form TYPE.N; write it as web.1"
run ps:add web -a calm-bay-1 --ip 10.0.130.56
expect "an address that is taken: exit code" 1 "$code"
expect_match "an address that is taken" '^Error: E-DYNO-IP-DUP: private_ip 10\.0\.130\.56 already belongs .*; nothing was changed$' "$err"
run ps:add web -a calm-bay-1 --ip 10.0.0.77
expect_match "an address outside" '^Error: E-DYNO-IP: dyno web\.2 has private_ip 10\.0\.0\.77 outside dyno_cidrs; give it ' "$err"
run ps:add web -a calm-bay-1 --ip 10.0
refused "no address" 2 "Error: 10.0 is not an IPv4 address; write --ip 10.0.128.7"
run ps:add 12 -a calm-bay-1
expect_match "a type of digits" '^Error: E-PROC-NUM: ' "$err"
expect "all of that changed nothing" "$before" "$(cat "$file")"

# ---- domains ----

advice() {
    printf "Configure your app's DNS provider to point to the DNS Target\n%s.\nFor help, see https://devcenter.heroku.com/articles/custom-domains" "$1"
}

fresh
run domains -a frozen-oasis-70544
prints "domains" 0 "=== frozen-oasis-70544 Heroku Domain

frozen-oasis-70544.herokuapp.com

=== frozen-oasis-70544 Custom Domains
 Domain Name         DNS Record Type  DNS Target
 api.example.com     CNAME            random-haiku-5196.also-random-3847.herokuspace.com
 *.apps.example.com  CNAME            wild-haiku-1188.also-random-3847.herokuspace.com
 example.net         ALIAS or ANAME   apex-haiku-2201.also-random-3847.herokuspace.com" ""
run domains -a open-plain-1001
prints "no custom domains" 0 "=== open-plain-1001 Heroku Domain

open-plain-1001-1234567890ab.herokuapp.com" ""
run domains:add WWW.Example.com. --cname calm-lake-1.also-random-3847.herokuspace.com -a sleepy-river-2739
prints "a domain more" 0 "" "Adding www.example.com to sleepy-river-2739... done
$(advice calm-lake-1.also-random-3847.herokuspace.com)"
run domains:add '*.example.org' -a open-plain-1001
target=$(sed -n 's/^\(.*\.herokuspace\.com\)\.$/\1/p' <<<"$err")
prints "a domain without a target" 0 "" "Adding *.example.org to open-plain-1001... done
$(advice "$target")"
expect_match "a target is made, beside those of the space" '^[a-z]+-[a-z]+-[0-9]{4}\.also-random-3847\.herokuspace\.com$' "$target"
changed "domains, in a list on a line and in lines" \
    "<     domains: [{hostname: sleepy.example.com, cname: drowsy-haiku-7.also-random-3847.herokuspace.com}]
>     domains: [{hostname: sleepy.example.com, cname: drowsy-haiku-7.also-random-3847.herokuspace.com}, {hostname: www.example.com, cname: calm-lake-1.also-random-3847.herokuspace.com}]
>     domains:
>       - {hostname: \"*.example.org\", cname: $target}"
before=$(cat "$file")
run domains:add api.example.com -a sleepy-river-2739
refused "a domain in use" 1 "Adding api.example.com to sleepy-river-2739... !
Error: api.example.com is currently in use by another app; remove it there first, or choose another"
run domains:add www.example.com -a sleepy-river-2739
refused "a domain twice" 1 "Adding www.example.com to sleepy-river-2739... !
Error: domain www.example.com is already added to app sleepy-river-2739"
run domains:add x.herokuapp.com -a sleepy-river-2739
expect_match "a domain of the platform" '^Error: E-DOM-RESERVED: .*; nothing was changed$' "$err"
run domains:add a.example.com --cname a.example.net -a sleepy-river-2739
expect_match "a target of somebody's" '^Error: E-DOM-TARGET: .*; nothing was changed$' "$err"
run domains:add 'a", b: "c.example.com' -a sleepy-river-2739
expect_match "a domain with quotes" '^Error: a name has quotes' "$err"
run domains:add "$(printf 'a%.0s' {1..300}).example.com" -a sleepy-river-2739
expect_match "a domain too long" 'is longer than a host name may be' "$err"
run domains:remove api.example.com -a sleepy-river-2739
refused "a domain of another app" 1 "Removing api.example.com from sleepy-river-2739... !
Error: Couldn't find that domain name: api.example.com; spacedns domains -a sleepy-river-2739 lists them"
run domains:remove www.example.com -a sleepy-river-2739
prints "a domain less" 0 "" "Removing www.example.com from sleepy-river-2739... done"
run domains:remove '*.EXAMPLE.org' -a open-plain-1001
prints "a wildcard less" 0 "" "Removing *.example.org from open-plain-1001... done"
changed "all domains gone again" ">     domains:"

# ---- files that cannot be changed ----

fresh
before=$(cat "$file")
chmod 444 "$file"
run ps:add web -a open-plain-1001
refused "a read-only file" 1 \
    "Error: $file is read-only for you; nothing was changed; make it writable (chmod u+w), or run this as its owner"
chmod 644 "$file"
chmod 755 "$work" "$zones"
as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
if "${as[@]}" test -x "$SPACEDNS" 2>/dev/null; then
    chmod 666 "$file"
    run ps:add web -a open-plain-1001
    refused "a read-only folder" 1 "Error: zones folder $zones cannot be locked: .spacedns.lock: Permission denied; run this as the folder's owner"
fi
as=()
mkdir "$work/elsewhere"
mv "$file" "$work/elsewhere/it.yaml"
ln -s ../elsewhere/it.yaml "$file"
run ps:set web.1=down -a open-plain-1001
prints "a link" 0 "" "Setting web.1 to down on open-plain-1001... done"
expect "a link stays" "../elsewhere/it.yaml" "$(readlink "$file")"
changed "a link" "<     formation: {web: {dynos: [{number: 1, private_ip: 10.0.132.9, state: up}]}}
>     formation: {web: {dynos: [{number: 1, private_ip: 10.0.132.9, state: down}]}}"
fresh
printf 'space: broken-space\nrouters: [10.0.130.9]\n' >"$zones/broken.yaml"
run ps:set web.1=down -a open-plain-1001
expect "a folder with errors: exit code" 1 "$code"
expect "a folder with errors: what stands in the way, and where" "$zones/broken.yaml:2:11: error E-ROUTER-DYNO: " \
    "$(head -n 1 <<<"$err" | grep -o '^.*error [^ ]* ')"
expect "a folder with errors" "Error: $zones has 1 error, at $zones/broken.yaml:2:11; fix it, then try again" \
    "$(tail -n +2 <<<"$err")"
changed "a folder with errors" ""
rm -r "$zones"
run apps --space test-space
expect_match "no folder" "^Error: zones folder $zones cannot be opened: No such file or directory; create it" "$err"
run apps:create --space test-space
prints "no folder to create in" 1 "" \
    "Error: zones folder $zones cannot be opened: No such file or directory; create it, or name another with --zones"

# ---- the server reads it ----

fresh
port=$(free_port)
start served --zones "$zones" --listen "127.0.0.1:$port" --local-as test-space --control-socket "$socket"
answer() {
    addresses "$(ask +short "$1.herokuapp.com")"
}
reloading='Reloading zones\.\.\. done, generation=[0-9]+ files=1 read=1 spaces=1 apps=[0-9]+ ms=[0-9]+$'
run ps:set web.1=up -a sleepy-river-2739
expect "the server reads it: exit code" 0 "$code"
expect_match "the server reads it" "^$reloading" "$err"
expect "a dyno that is up again" "10.0.0.37 10.0.16.21" "$(answer sleepy-river-2739)"
run apps:create calm-bay-1 --internal-routing --space test-space
expect "a new app: only the addresses on standard output" \
    "https://calm-bay-1.herokuapp.com/ | https://git.heroku.com/calm-bay-1.git" "$out"
expect_match "a new app" "^$reloading" "$err"
# value KEY: of the object on standard output
value() {
    /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1" <<<"$out"
}
run apps:create calm-bay-2 --space test-space --json
expect "a new app, --json" "calm-bay-2.herokuapp.com False" "$(value default_domain) $(value internal_routing)"
run domains:add "*.bay.example.com" -a calm-bay-2 --cname far-bay-1.herokuspace.com --json
expect "a new domain, --json" "*.bay.example.com far-bay-1.herokuspace.com" "$(value hostname) $(value cname)"
run apps:destroy calm-bay-2 --confirm calm-bay-2
expect "an app without internal routing goes without force" 0 "$code"
run ps:add web -a calm-bay-1 --no-reload
expect "--no-reload: exit code" 0 "$code"
expect "--no-reload: the server does not know" "" "$(answer calm-bay-1)"
run domains:add www.example.com -a calm-bay-1 >/dev/null
expect "what waited is read with the next change" "10.0.0.37 10.0.16.21" "$(answer calm-bay-1)"
run ps:set web.1=down -a calm-bay-1
expect "scaling to zero is no accident: exit code" 0 "$code"
expect "scaling to zero is answered at once" "" "$(answer calm-bay-1)"
for number in 1 2 3 4 5; do
    run domains:add "www$number.bay.example.com" -a calm-bay-1 --no-reload
done
sed -i '/hostname: www[1-5].bay.example.com/d' "$file"
run ps:set web.1=up -a calm-bay-1
expect "what was never served may go: exit code" 0 "$code"
expect "up again" "10.0.0.37 10.0.16.21" "$(answer calm-bay-1)"
run apps:destroy calm-bay-1 --confirm calm-bay-1
expect "an app is destroyed: exit code" 0 "$code"
expect_match "an app is destroyed" "^$reloading" "$err"
expect "an app is destroyed: no answer" "" "$(answer calm-bay-1)"
cp -r "$zones" "$work/other"
kept=$zones zones=$work/other
run ps:set web.1=down -a sleepy-river-2739
prints "a folder that the server does not serve" 0 "" "Setting web.1 to down on sleepy-river-2739... done
The running server serves $kept, so it does not load this change"
zones=$kept
stop

# ---- many edits, many editors ----

fresh
/usr/bin/python3 - "$SPACEDNS" "$zones" "${SANITIZE:+60}" >"$work/many" 2>&1 <<'END'
import os, random, signal, subprocess, sys, time

program, zones, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3] or 240)
path = zones + "/test-space.yaml"
random.seed(70544)

def command(*arguments):
    return [program, *arguments, "--zones", zones, "--no-reload"]

def run(*arguments):
    done = subprocess.run(command(*arguments), capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr

def read():
    with open(path, "rb") as file:
        return file.read()

def expect(what, is_so, detail=""):
    if not is_so:
        print("FAILED:", what, detail)
        sys.exit(1)

first = read()
def is_kept(text):
    "Every line of the first text, in its order."
    rest = iter(text.split(b"\n"))
    return all(line in rest for line in first.split(b"\n"))

# Edits one after the other, known to a model of them.
apps, domains, dynos = set(), {}, {}
for number in range(rounds):
    name = "app-%d" % random.randrange(6)
    if name not in apps:
        step = ("apps:create", name, "--space", "test-space")
        apps.add(name)
    elif random.random() < 0.1:
        step = ("apps:destroy", name, "--confirm", name)
        apps.discard(name); domains.pop(name, 0); dynos.pop(name, 0)
    elif random.random() < 0.4:
        host = "%s.%s.example.org" % (random.choice("abc"), name)
        known = domains.setdefault(name, set())
        step = ("domains:remove" if host in known else "domains:add", host, "-a", name)
        known ^= {host}
    elif name not in dynos or random.random() < 0.3:
        dynos[name] = dynos.get(name, 0) + 1
        step = ("ps:add", "web", "-a", name)
    else:
        step = ("ps:set", "web.%d=%s" % (random.randint(1, dynos[name]), random.choice(["up", "down", "idle"])), "-a", name)
    code, printed = run(*step)
    expect("edit %d is done" % number, code == 0, "%s %s" % (step, printed))
    expect("edit %d keeps the rest" % number, is_kept(read()), str(step))
for name in sorted(apps):
    run("apps:destroy", name, "--confirm", name)
expect("all taken out again", read() == first)

# Killed at any moment: a whole file, no lock, and the next edit goes through.
whole = {first}
for number in range(rounds // 4):
    child = subprocess.Popen(command("apps:create", "killed-%d" % number, "--space", "test-space"),
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(random.random() * 0.03)
    child.send_signal(signal.SIGKILL)
    child.wait()
    expect("a killed editor leaves a whole file", is_kept(read()) and read().endswith(b"\n"))
code, printed = run("apps:create", "after-all", "--space", "test-space")
expect("a killed editor leaves no lock", code == 0, printed)
expect("a killed editor leaves no draft for good", sorted(os.listdir(zones)) == [".spacedns.lock", "test-space.yaml"], str(os.listdir(zones)))

# Two and more at once: none is lost.
count = max(8, rounds // 8)
children = [subprocess.Popen(command("apps:create", "both-%d" % number, "--space", "test-space"),
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for number in range(count)]
for child in children:
    printed = child.communicate(timeout=60)[1]
    expect("edits at once are all done", child.returncode == 0, printed)
text = read()
for number in range(count):
    expect("an edit is lost", text.count(b"- name: both-%d\n" % number) == 1, str(number))
print("done")
END
expect "many edits, kills and editors" "done" "$(cat "$work/many")"
"$SPACEDNS" check "$zones" >"$work/check" && pass || fail "the folder is good at the end" "$(cat "$work/check")"

finish
