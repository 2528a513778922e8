#!/bin/bash
# spacedns check: all findings in one run, exit codes, and what a folder may not change; and
# spacedns prove.
# timeout: 30
. "$(dirname "$0")/lib.bash"
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}

# run ARGUMENT...: leaves $code, $out, $err
run() {
    timeout "$patience" "${as[@]}" "$SPACEDNS" "$@" >"$work/out" 2>"$work/err" </dev/null
    code=$?
    out=$(cat "$work/out")
    err=$(cat "$work/err")
}
as=()

# folder NAME: an empty folder of zone files, with what is piped in as space.yaml
folder() {
    mkdir -p "$work/$1"
    cat >"$work/$1/space.yaml"
}

# prints WHAT CODE ERROR: no output, this exit code, this one line on standard error
prints() {
    expect "$1: exit code" "$2" "$code"
    expect "$1: nothing on standard output" "" "$out"
    expect "$1" "Error: $3" "$err"
}

# ---- clean, warnings, errors ----

folder clean <<'END'
space: test-space
routers: [10.0.0.37, 10.0.16.21]
apps:
  - {name: calm-sea-1, internal_routing: true, formation: {web: {dynos: [{number: 1, private_ip: 10.0.130.56}]}}}
...
END
run check "$work/clean"
expect "a clean folder: exit code" 0 "$code"
expect "a clean folder" "$work/clean: 1 file, 1 space, 1 app: 0 errors, 0 warnings, 0 notes" "$out"
run check "$work/clean" --strict
expect "a clean folder, strictly: exit code" 0 "$code"

sed -i '$d' "$work/clean/space.yaml"
run check "$work/clean"
expect "without the end mark: exit code" 0 "$code"
run check "$work/clean" --strict
expect "without the end mark, strictly: exit code" 1 "$code"
expect "without the end mark, strictly" \
    "$work/clean/space.yaml:4:1: warning W-NO-END: the file does not end with a line \`...\`, so a cut would not be noticed; add it" \
    "$(head -n 1 <<<"$out")"

run check zones
expect "warnings: exit code" 0 "$code"
expect "warnings: the same findings and the same last line as spacednsd --check" \
    "$("$SPACEDNSD" --check --zones zones --upstream none)" "$out"
run check zones --strict
expect "warnings, strictly: exit code" 1 "$code"
run check --zones zones
expect "the folder as an option" "zones: 1 file, 1 space, 3 apps: 0 errors, 2 warnings, 0 notes" \
    "$(tail -n 1 <<<"$out")"
as=(env -C "$SOURCE_DIR/zones/..")
run check
expect_match "the folder that is usual" '^zones: 1 file' "$out"
as=()

folder broken <<'END'
space: test-space
cidr: 10.0.0.0/8
routers: [10.0.130.9]
colour: red
apps:
  - {name: calm-sea-1, internal_routing: yes}
END
run check "$work/broken"
expect "errors: exit code" 1 "$code"
expect "errors: nothing on standard error" "" "$err"
for finding in ':2:7: error E-SPACE-CIDR: ' ':4:1: error E-UNKNOWN-KEY: ' ':6:42: error E-TYPE: '; do
    expect_match "errors: all in one run" "^$work/broken/space.yaml$finding" "$out"
done
expect_match "errors: counted" "^$work/broken: 1 file: [3-9] errors, 0 warnings, 0 notes$" "$out"
sorted=$(sort -s -t : -k 2,2n -k 3,3n <<<"$(head -n -1 <<<"$out")")
expect "errors: sorted by place" "$sorted" "$(head -n -1 <<<"$out")"

run check "$work/broken" --json
expect "JSON: exit code" 1 "$code"
expect "JSON: the first finding and the counts" "E-SPACE-CIDR error 2 7 1 True" "$(/usr/bin/python3 -c '
import json, sys
printed = json.load(sys.stdin)
first = printed["findings"][0]
print(first["code"], first["level"], first["line"], first["column"], printed["files"],
      printed["errors"] == len(printed["findings"]))' <<<"$out")"

printf 'workers: 2\nwrokers: 2\n' >"$work/settings.yaml"
run check "$work/clean" --settings "$work/settings.yaml"
expect "wrong settings: exit code" 1 "$code"
wrong="$work/settings.yaml:2:1: error E-SETTING: unknown key \`wrokers\`; did you mean \`workers\`?"
expect "wrong settings" "$wrong" "$err"
run check "$work/clean" --settings "$work/settings.yaml" --json
expect "wrong settings, JSON: exit code" 1 "$code"
expect "wrong settings, JSON: the error as text, too" "$wrong" "$err"
expect "wrong settings, JSON: a finding" "None 1 E-SETTING 2 1" "$(/usr/bin/python3 -c '
import json, sys
printed = json.load(sys.stdin)
found = printed["findings"][0]
print(printed["folder"], printed["errors"], found["code"], found["line"], found["column"])' <<<"$out")"

# ---- what is fixed on creation ----

folder public <<<"$(sed 's/internal_routing: true, //' "$work/clean/space.yaml")"
run check "$work/public" --against "$work/clean"
expect "internal routing taken away: exit code" 1 "$code"
expect_match "internal routing taken away" "^$work/public/space.yaml:4:12: error E-IMMUTABLE: .*calm-sea-1" "$out"
run check "$work/public"
expect "alone, it is in order" 0 "$code"
run check "$work/clean" --against "$work/clean"
expect "against itself: exit code" 0 "$code"
expect "against itself" "$work/clean: 1 file, 1 space, 1 app: 0 errors, 0 warnings, 0 notes" "$out"

run prove zones/test-space.yaml
prints "a file instead of its folder" 1 "zones folder zones/test-space.yaml cannot be opened: Not a directory; give the folder that holds the zone files, or name another with --zones"
run check "$work/clean" --against "$work/nowhere"
prints "no old folder" 1 "zones folder $work/nowhere cannot be opened: No such file or directory; create it, or name another with --zones"
run check "$work/clean" --against "$work/broken"
expect "an old folder with errors: exit code" 1 "$code"
expect_match "an old folder with errors" "^Error: $work/broken has [0-9]+ errors?, (the first )?at $work/broken/[^ ]+:[0-9]+:[0-9]+; fix (it|them), then try again$" "$err"

# ---- no folder, no file ----

run check "$work/nowhere"
prints "no folder" 1 "zones folder $work/nowhere cannot be opened: No such file or directory; create it, or name another with --zones"
mkdir "$work/empty"
run check "$work/empty"
expect "an empty folder: exit code" 1 "$code"
expect_match "an empty folder" "^Error: zones folder $work/empty holds no zone file; put .*NAME\.yaml" "$err"
run check "$work/clean/space.yaml"
expect "one file: exit code" 0 "$code"
expect "one file" "$work/clean/space.yaml: 1 file: 0 errors, 0 warnings, 0 notes" "$out"
if [ "$(id -u)" = 0 ] && setpriv --reuid 65534 --regid 65534 --clear-groups true 2>/dev/null; then
    mkdir "$work/secret"
    cp "$work/clean/space.yaml" "$work/secret/"
    chmod 600 "$work/secret/space.yaml"
    as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    run check "$work/secret"
    expect "a file that may not be read: exit code" 1 "$code"
    expect_match "a file that may not be read" "^$work/secret/space.yaml.* error E-FILE: .*[Pp]ermission denied" "$out"
    as=()
fi

# ---- prove ----

run prove zones
expect "a proof: exit code" 0 "$code"
expect_match "a proof: how much was tried" '^[1-9][0-9]* clients \([1-9][0-9]* outside\), [1-9][0-9]* names, [1-9][0-9]* types: [1-9][0-9]* decisions$' "$out"
run prove --zones tests/zones_good --json
expect "a proof of several spaces" "True None True True" "$(/usr/bin/python3 -c '
import json, sys
printed = json.load(sys.stdin)
print(printed["holds"], printed["counter_example"],
      printed["decisions"] == printed["clients"] * printed["names"] * printed["types"],
      printed["decisions"] == sum(printed["answers"].values()))' <<<"$out")"
run prove "$work/broken"
expect "nothing to prove: exit code" 1 "$code"
expect_match "nothing to prove" "^Error: $work/broken has [0-9]+ errors?, (the first )?at $work/broken/[^ ]+:[0-9]+:[0-9]+; fix (it|them), then try again$" "$err"

# ---- the table of answers ----

lines=$(grep -c '^SITUATION(' lib/decide/answers.def)
run policy
expect "the answers: exit code" 0 "$code"
expect_match "an answer without data" '^NOERROR aa +an app with internal routing and no running web dyno' "$out"
expect_match "its section and reasons" '^ +authority: SOA
 +EDE: 0 Q10, 0 Q14$' "$out"
expect "every line of the table" "$lines" "$(sed '/^$/,$d' <<<"$out" | grep -c '^[A-Za-z]')"
run policy --markdown
expect "as Markdown, with its head" $((lines + 2)) "$(grep -c '^| .* |$' <<<"$out")"
run policy --json
expect "as JSON" "$lines NOERROR True None SOA Q10 Q14" "$(/usr/bin/python3 -c '
import json, sys
printed = json.load(sys.stdin)
row = next(row for row in printed if row["case"] == "NO_WEB")
print(len(printed), row["rcode"], row["aa"], row["answer"], row["authority"],
      *(reason["code"] for reason in row["reasons"]))' <<<"$out")"
run policy --json --markdown
expect "two forms at once: exit code" 2 "$code"
expect "two forms at once" "Error: --json and --markdown exclude each other; give one of them" "$err"

# ---- on a terminal ----

# on_terminal SETTING ARGUMENT...: what a terminal shows of the command
on_terminal() {
    /usr/bin/python3 - "$SPACEDNS" "$@" <<'END' | tr -d '\r'
import fcntl, os, pty, struct, sys, termios

program, setting, *words = sys.argv[1:]
name, _, value = setting.partition("=")
process, terminal = pty.fork()
if process == 0:
    os.environ["TERM"] = "xterm"
    for variable in "NO_COLOR", "LC_ALL", "LC_CTYPE":
        os.environ.pop(variable, None)
    os.environ["LANG"] = "C.UTF-8"
    os.environ[name] = value
    columns = int(value) if name == "COLUMNS" else 200
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.execv(program, [program, *words])
try:
    while octets := os.read(terminal, 4096):
        os.write(1, octets)
except OSError:  # the other end is closed
    pass
os.waitpid(process, 0)
END
}

red=$'\033[31m' plain=$'\033[0m'
wrong="app is not a command; did you mean apps? spacedns help lists them"
expect "a terminal gets signs and colour" " ▸    ${red}Error:$plain $wrong" "$(on_terminal LANG=C.UTF-8 app)"
expect "a terminal without UTF-8 gets colour alone" "${red}Error:$plain $wrong" "$(on_terminal LANG=C app)"
for setting in LANG=de_DE.utf8 NO_COLOR=; do
    expect_match "a terminal with $setting gets signs" '^=== Apps in space ⬡ test-space$' \
        "$(on_terminal "$setting" apps --zones zones)"
done
for setting in NO_COLOR=1 TERM=dumb LANG=C LC_ALL=C; do
    expect_match "a terminal with $setting gets none" '^=== Apps in space test-space$' \
        "$(on_terminal "$setting" apps --zones zones)"
done
for columns in 40 80; do
    expect "help fits $columns columns" "" \
        "$(on_terminal COLUMNS=$columns help | grep -v -e '^Usage' -e 'snippet dnsmasq' | grep -E ".{$((columns + 1))}")"
done
expect_match "help stays a line each elsewhere" '^  reload +Reload settings .* every worker answers from them$' \
    "$("$SPACEDNS" help)"
expect_match "nor do errors with --color never" '^Error: there is no space x' \
    "$(on_terminal LANG=C apps --zones zones --space x --color never)"

# ---- output that cannot be written ----

for words in version "check zones" "prove zones --json" schema policy "policy --json"; do
    "$SPACEDNS" $words >/dev/full 2>"$work/err"
    expect "no room for the output of $words: exit code" 1 "$?"
    expect_match "no room for the output of $words" '^Error: the output could not be written' "$(<"$work/err")"
done

# ---- what a file's name or size may not do ----

mkdir -p "$work/names"
printf x >"$work/names/$(printf 'e\033[31mRED\nb.yaml:1:1: error E-X: \342\200\256.yaml')"
run check "$work/names"
expect "a name that speaks to the terminal: exit code" 1 "$code"
expect "a name that speaks to the terminal" \
    "$work/names/e\\x1b[31mRED\\x0ab.yaml:1:1: error E-X: <U+202E right-to-left override>.yaml:1:1: error E-TYPE: the file holds a text; it must hold \`key: value\` lines" \
    "$(head -n 1 <<<"$out")"
run check "$work/$(printf 'no\033[31m')"
expect_match "a folder that is not there" '^Error: zones folder .*/no\\x1b\[31m cannot be opened' "$err"
run apps --space test-space --zones "$work/$(printf 'no\033[31m')"
expect_match "a folder that is not there, of another command" 'Error: zones folder .*/no\\x1b\[31m cannot be opened' "$err"

mkdir -p "$work/big"
awk 'BEGIN { printf "space: big-one\nrouters: ["; for (i = 0; i < 8000000; i++) printf "x,"; print "x]" }' >"$work/big/big.yaml"
run check "$work/big"
expect "16 MB of errors: exit code" 1 "$code"
expect_match "16 MB of errors are not listed one by one" 'big.yaml: error E-ADDRESS: and 900 more' "$out"
expect_match "the reading ends at some point" 'E-LIMIT: the file has 1000 errors up to here' "$out"
if [ -z "${SANITIZE-}" ]; then
    as=(prlimit --as=150000000)
    run check "$work/big"
    expect "16 MB of errors in 150 MB: exit code" 1 "$code"
    expect_match "16 MB of errors in 150 MB" 'E-LIMIT' "$out"
    as=(prlimit --as=20000000)
    run check "$work/big"
    expect "no memory for the file: exit code" 1 "$code"
    expect_match "no memory for the file" 'out of memory' "$out$err"
    as=()
fi
rm -r "$work/big"

# ---- usage ----

run check a b
prints "two folders" 2 "b is one operand too many; write spacedns check [ZONES]"
run check zones --strikt
prints "a mistyped option" 2 "--strikt is not an option; did you mean --strict? see spacedns help check"
run chekc zones
prints "a mistyped command" 2 "chekc is not a command; did you mean check? spacedns help lists them"
run check zones --against
prints "no old folder is named" 2 "--against needs a value; write --against OLD"
run check zones --color pink
prints "no colour" 2 "--color is always, never or auto, not pink"

finish
