#!/bin/bash
# cmake --install: everything where Debian expects it, complete manual pages that
# man and mandoc read without complaint, completions that work, a unit that systemd accepts.
# timeout: 60
. "$(dirname "$0")/lib.bash"
need cmake
root=$work/root
share=$root/usr/share

# try WHAT TOOL COMMAND...: no output and success, where the tool is here
try() {
    local what=$1
    shift
    if ! command -v "$1" >/dev/null; then
        echo "not tried: there is no $1 here"
        return
    fi
    expect "$what" "0 " "$("$@" 2>&1 >/dev/null | head -n 5; echo "${PIPESTATUS[0]} ")"
}

DESTDIR=$root cmake --install "$BUILD_DIR" --prefix /usr >"$work/install.log" 2>&1
expect "cmake --install" 0 "$?"
expect "what is installed" "lib/systemd/system/spacednsd.service
lib/sysusers.d/spacedns.conf
lib/tmpfiles.d/spacedns.conf
sbin/spacednsd
share/bash-completion/completions/spacedns
share/bash-completion/completions/spacednsd
share/doc/spacedns/README.md
share/doc/spacedns/examples/alerts.yaml
share/doc/spacedns/examples/dashboard.json
share/doc/spacedns/examples/spacednsd.yaml
share/doc/spacedns/examples/zones/test-space.yaml
share/doc/spacedns/zones/README.md
share/man/man1/spacedns.1
share/man/man5/spacedns-zones.5
share/man/man8/spacednsd.8
share/zsh/vendor-completions/_spacedns
share/zsh/vendor-completions/_spacednsd
bin/spacedns" "$(cd "$root/usr" && find . -type f | sed 's|^\./||' | sort | grep -v ^bin/; echo bin/spacedns)"
installed=$root/usr/bin/spacedns
expect_match "the installed command runs" '^spacedns [0-9]' "$("$installed" version)"
expect_match "the installed server runs" '^spacednsd [0-9]' "$("$root/usr/sbin/spacednsd" --version)"

# ---- manual pages ----

for page in man1/spacedns.1 man5/spacedns-zones.5 man8/spacednsd.8; do
    try "man has no warnings about $page" man --warnings -E UTF-8 -l "$share/man/$page"
    try "mandoc has no warnings about $page" mandoc -Tlint -W warning "$share/man/$page"
    expect_no_match "$page has no marker left" '@' "$(grep -vE "ADDR\\[@PORT\\]|TYPE@REVISION" "$share/man/$page")"
done

# plain PAGE: its words, without what only roff reads
plain() {
    sed 's/\\f[BIRP]//g; s/\\-/-/g; s/\\e/\\/g' "$share/man/$1"
}

# missing PATTERN PAGE: the words of standard input that begin no line of a page that the pattern finds
missing() {
    sort -u | comm -23 - <(grep -oE -e "$1" "$2" | sed 's/^-[a-z], //' | sort -u) | xargs
}

# flags_of: those of the help on standard input
flags_of() {
    grep -oE '^ *(-[a-z], )?--[a-z-]+' | grep -oE -e '--.*'
}

mapfile -t commands < <("$installed" help | sed -n 's/^  \([a-z][a-z:-]*\).*/\1/p')
[ ${#commands[@]} -ge 5 ] || fail "there are commands" "${commands[*]}"
plain man1/spacedns.1 >"$work/page1"
expect "spacedns(1) has every command" "" "$(printf '%s\n' "${commands[@]}" | missing '^[a-z][a-z:-]*' "$work/page1")"
for command in "${commands[@]}"; do
    "$installed" help "$command"
done >"$work/helps"
expect_match "commands have options" '^--json$' "$(flags_of <"$work/helps")"
expect "spacedns(1) has every option" "" "$(flags_of <"$work/helps" | missing '^(-[a-z], )?--[a-z-]+' "$work/page1")"

plain man8/spacednsd.8 >"$work/page8"
"$root/usr/sbin/spacednsd" --help >"$work/help"
expect_match "the server has flags" '^--zones$' "$(flags_of <"$work/help")"
expect "spacednsd(8) has every flag" "" "$(flags_of <"$work/help" | missing '^--[a-z-]+' "$work/page8")"
expect "spacednsd(8) has every setting" "" \
    "$(sed -n 's/^SETTING([a-z0-9_]*, "\([^"]*\)".*/\1/p' lib/config/settings.def | missing '^[a-z][a-z0-9_.]*' "$work/page8")"

plain man5/spacedns-zones.5 >"$work/page5"
expect "spacedns-zones(5) has every word" "" \
    "$(sed -n 's/^| `\{0,1\}\([A-Za-z][A-Za-z_0-9-]*\).*/\1/p' zones/README.md | grep -vxE 'key|code' |
        missing '^[A-Za-z][A-Za-z_0-9-]*' "$work/page5")"
expect_no_match "no heading of spacedns-zones(5) is left in Markdown" '(^|[^#])##' "$(cat "$work/page5")"

# ---- completions ----

for page in spacedns spacednsd; do
    try "bash reads the completion of $page" bash -n "$share/bash-completion/completions/$page"
    try "zsh reads the completion of $page" zsh -n "$share/zsh/vendor-completions/_$page"
done
DESTDIR=$work/local cmake --install "$BUILD_DIR" --prefix /usr/local >"$work/install.log" 2>&1
expect "zsh looks for completions below /usr/local in site-functions" "_spacedns _spacednsd" \
    "$(ls "$work/local/usr/local/share/zsh/site-functions" | xargs)"

# completed LINE: what bash offers at its end, sorted, on one line
completed() {
    bash -c '. "$1"; COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDBREAKS=" :="; _spacedns
        printf "%s\n" "${COMPREPLY[@]}" | sort | xargs' bash \
        "$share/bash-completion/completions/spacedns" "$1"
}

# offered WORD...: what zsh offers for the last of the words; _describe and _files are stand-ins
offered() {
    zsh -f -c '
        _describe() { local name=${@[-1]}; print -rl -- "${(@P)name}"; }
        _files() { print -- "files $*"; }
        page=$1; shift
        words=(spacedns "$@"); CURRENT=$#words
        . $page' zsh "$share/zsh/vendor-completions/_spacedns" "$@" 2>&1 | sed 's/\([^\]\):.*/\1/; s/\\:/:/g' | sort | xargs
}

every=$(printf '%s\n' "${commands[@]}" | sort | xargs)
kinds="bind dnsmasq resolv.conf route53 systemd-resolved unbound"
expect "bash offers every command" "$every" "$(completed "spacedns ")"
expect "bash: the beginning of one" "snippet" "$(completed "spacedns sni")"
expect "bash: behind a colon, for bash splits there" "connections" "$(completed "spacedns spaces:vpn:con")"
expect "bash: behind an option and its value" "snippet" "$(completed "spacedns --zones zones sni")"
expect "bash: kinds" "$kinds" "$(completed "spacedns snippet ")"
expect "bash: options" "--settings --socket --space" "$(completed "spacedns snippet --s")"
expect "bash: an option of another command" "" "$(completed "spacedns snippet --typ")"
expect "bash: words of an option" "always auto never" "$(completed "spacedns snippet --color ")"
expect "bash: a folder" "zones" "$(completed "spacedns check zone")"
expect "bash: commands to be helped with" "$every" "$(completed "spacedns help ")"
PATH=$root/usr/bin:$PATH
where="--zones zones"
mkdir "$work/orders"
expect "bash: apps" "frozen-oasis-70544 open-plain-1001 sleepy-river-2739" "$(completed "spacedns $where ps -a ")"
expect "bash: spaces" "test-space" "$(completed "spacedns $where apps -s ")"
expect "bash: types of the app" "web worker" "$(completed "spacedns $where ps:add -a frozen-oasis-70544 " | tr ' ' '\n' | sort -u | xargs)"
expect "bash: dynos of the app" "web.1=" "$(completed "spacedns $where ps:set -a sleepy-river-2739 ")"
expect "bash: states" "web.1=crashed web.1=down web.1=idle web.1=starting web.1=up" \
    "$(completed "spacedns $where ps:set -a sleepy-river-2739 web.1=")"
expect "bash: states of a router" "down draining up" "$(completed "spacedns $where spaces:routers:set 10.0.0.37 --state ")"
expect "bash: peerings" "pcx-111aaa111 pcx-222bbb222" "$(completed "spacedns $where spaces:peerings:set ")"
for order in '$(touch PWNED)' '`touch PWNED`'; do
    completed "spacedns $where ps:set ${order// /\${IFS\}}.1=" >/dev/null
    sed "s/name: office/name: '${order// /\${IFS\}}'/" zones/test-space.yaml >"$work/orders/test-space.yaml"
    expect "bash carries nothing out that a name says: $order" "branch" \
        "$(completed "spacedns --zones $work/orders spaces:vpn:set ")"
    [ ! -e PWNED ] || fail "bash carries nothing out: $order" "$(rm -v PWNED)"
done
expect "bash: query types" "MX" "$(completed "spacedns explain a.b --type M")"
expect "bash: reasons" "$(sed -nE 's/^REASON\(\w+, "(Q1[0-9])".*/\1/p' lib/decide/reasons.def | sort -u | xargs)" "$(completed "spacedns logs --reason Q1")"

# completed_server WORD BEFORE: what bash offers behind `spacednsd ... BEFORE WORD`
completed_server() {
    bash -c '. "$1"; _spacednsd spacednsd "$2" "$3"; printf "%s\n" "${COMPREPLY[@]}" | sort | xargs' bash \
        "$share/bash-completion/completions/spacednsd" "$1" "$2"
}
expect "bash: flags of the server" "--log-format --log-level --log-queries" "$(completed_server --log spacednsd)"
expect "bash: words of the query log" "all failures none" "$(completed_server "" --log-queries)"
expect "bash: words of a flag" "debug error info warning" "$(completed_server "" --log-level)"
if command -v zsh >/dev/null; then
    expect "zsh: apps" "frozen-oasis-70544 open-plain-1001 sleepy-river-2739" "$(offered --zones zones ps -a "")"
    expect "zsh: states" "web.1=crashed web.1=down web.1=idle web.1=starting web.1=up" \
        "$(offered --zones zones ps:set -a sleepy-river-2739 web.1=)"
    expect "zsh offers every command" "$every" "$(offered "")"
    expect "zsh: kinds" "$kinds" "$(offered snippet "")"
    expect_match "zsh: options" '--color .*--space .*--to' "$(offered snippet --)"
    expect "zsh: words of an option" "always auto never" "$(offered snippet --color "")"
    expect "zsh: files and folders" "files" "$(offered check "")"
fi

# ---- what an operator begins with ----

sed "s|/etc/spacedns/zones|$share/doc/spacedns/examples/zones|" \
    "$share/doc/spacedns/examples/spacednsd.yaml" >"$work/settings.yaml"
"$root/usr/sbin/spacednsd" --check --settings "$work/settings.yaml" >"$work/check.log" 2>&1
expect "the example is accepted" "0" "$?"
unit=$root/usr/lib/systemd/system/spacednsd.service
expect "the unit starts what is installed" \
    "ExecStart=/usr/sbin/spacednsd --settings /etc/spacedns/spacednsd.yaml" "$(grep ^ExecStart "$unit")"
sed "s|=/usr/sbin/spacednsd|=$root/usr/sbin/spacednsd|; s|=/usr/bin/spacedns |=$root/usr/bin/spacedns |; /^Documentation/d" "$unit" >"$work/spacednsd.service"
expect_match "a reload that is refused fails in systemctl, too" '^ExecReload=/usr/bin/spacedns reload$' "$(<"$unit")"
try "systemd accepts the unit" systemd-analyze verify "$work/spacednsd.service"

# exposure UNIT: what systemd reckons, in tenths
exposure() {
    systemd-analyze security --offline=true "$1" 2>/dev/null |
        sed -n 's/.*Overall exposure level for [^:]*: \([0-9]*\)\.\([0-9]\).*/\1\2/p'
}

if command -v systemd-analyze >/dev/null; then
    level=$(exposure "$work/spacednsd.service")
    [ "${level:-99}" -le 16 ] && pass || fail "systemd's exposure level of the unit is at most 1.6" "$level tenths"
    expect "the unit allows every system call of the sandbox, and to enter it" "" \
        "$(/usr/bin/python3 "$SOURCE_DIR/tests/support/unit_calls.py" "$unit" cmd/spacednsd/syscalls.def \
            seccomp prctl landlock_create_ruleset landlock_add_rule landlock_restrict_self 2>&1)"
fi
for setting in Type=notify User=spacedns; do
    expect_match "the unit has $setting" "^$setting\$" "$(<"$unit")"
done
expect_match "the unit has a watchdog" '^WatchdogSec=[1-9]' "$(<"$unit")"
expect_no_match "nothing keeps the server from saying what is missing" '^Condition' "$(<"$unit")"

# ---- the user and the folders ----

# folder PATH: its mode, owner and group
folder() {
    printf '%s %s\n' "$1" "$(stat -c '%a %u %g' "$root$1")"
}

if [ "$(id -u)" = 0 ] && command -v systemd-sysusers >/dev/null && command -v systemd-tmpfiles >/dev/null; then
    mkdir -p "$root/etc"
    expect "systemd-sysusers makes the user" "0" "$(systemd-sysusers --root="$root" spacedns.conf >"$work/users.log" 2>&1; echo $?)"
    uid=$(sed -n 's/^spacedns:[^:]*:\([0-9]*\):.*/\1/p' "$root/etc/passwd")
    gid=$(sed -n 's/^spacedns:[^:]*:\([0-9]*\):.*/\1/p' "$root/etc/group")
    expect_match "a system user without a shell" '^spacedns:x:[0-9]+:[0-9]+:.*:/var/lib/spacedns:/usr/sbin/nologin$' "$(<"$root/etc/passwd")"
    expect "systemd-tmpfiles makes the folders" "0" \
        "$(systemd-tmpfiles --root="$root" --create spacedns.conf >"$work/folders.log" 2>&1; echo $?)"
    expect "their modes and owners" "/etc/spacedns 755 0 0
/etc/spacedns/zones 2750 0 $gid
/run/spacedns 755 $uid $gid
/var/lib/spacedns 750 $uid $gid" "$(for each in /etc/spacedns /etc/spacedns/zones /run/spacedns /var/lib/spacedns; do folder "$each"; done)"
    cp zones/test-space.yaml "$root/etc/spacedns/zones"
    chmod 640 "$root/etc/spacedns/zones/test-space.yaml"
    expect_match "the server's user reads zone files of mode 0640" ': 1 file, 1 space, 3 apps: 0 errors' \
        "$(setpriv --reuid "$uid" --regid "$gid" --clear-groups "$root/usr/sbin/spacednsd" --check --zones "$root/etc/spacedns/zones")"
    expect_no_match "nobody else does" '1 space' \
        "$(setpriv --reuid 65534 --regid 65534 --clear-groups "$root/usr/sbin/spacednsd" --check --zones "$root/etc/spacedns/zones" 2>&1)"
    expect_match "without settings the server says what is missing" 'spacednsd\.yaml.*cannot be (opened|read)|spacednsd\.yaml: ' \
        "$("$root/usr/sbin/spacednsd" --settings "$root/etc/spacedns/spacednsd.yaml" 2>&1)"
fi

# ---- another prefix ----

DESTDIR=$work/local cmake --install "$BUILD_DIR" --prefix /usr/local >"$work/install.log" 2>&1
expect "cmake --install, below /usr/local" 0 "$?"
expect_match "the unit starts what is there" '^ExecStart=/usr/local/sbin/spacednsd ' \
    "$(<"$work/local/usr/local/lib/systemd/system/spacednsd.service")"
expect "with its user and folders" "spacedns.conf spacedns.conf" \
    "$(basename -a "$work"/local/usr/local/lib/sysusers.d/* "$work"/local/usr/local/lib/tmpfiles.d/* | xargs)"
finish
