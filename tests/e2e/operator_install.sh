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
sbin/spacednsd
share/bash-completion/completions/spacedns
share/doc/spacedns/README.md
share/doc/spacedns/examples/spacednsd.yaml
share/doc/spacedns/examples/zones/test-space.yaml
share/doc/spacedns/zones/README.md
share/man/man1/spacedns.1
share/man/man5/spacedns-zones.5
share/man/man8/spacednsd.8
share/zsh/vendor-completions/_spacedns
bin/spacedns" "$(cd "$root/usr" && find . -type f | sed 's|^\./||' | sort | grep -v ^bin/; echo bin/spacedns)"
installed=$root/usr/bin/spacedns
expect_match "the installed command runs" '^spacedns [0-9]' "$("$installed" version)"
expect_match "the installed server runs" '^spacednsd [0-9]' "$("$root/usr/sbin/spacednsd" --version)"

# ---- manual pages ----

for page in man1/spacedns.1 man5/spacedns-zones.5 man8/spacednsd.8; do
    try "man has no warnings about $page" man --warnings -E UTF-8 -l "$share/man/$page"
    try "mandoc has no warnings about $page" mandoc -Tlint -W warning "$share/man/$page"
    expect_no_match "$page has no marker left" '@' "$(grep -v 'ADDR\[@PORT\]' "$share/man/$page")"
done

# plain PAGE: its words, without what only roff reads
plain() {
    sed 's/\\f[BIRP]//g; s/\\-/-/g; s/\\e/\\/g' "$share/man/$1"
}

mapfile -t commands < <("$installed" help | sed -n 's/^  \([a-z][a-z:-]*\).*/\1/p')
[ ${#commands[@]} -ge 5 ] || fail "there are commands" "${commands[*]}"
plain man1/spacedns.1 >"$work/page1"
for command in "${commands[@]}"; do
    grep -qE -e "^$command( |$)" "$work/page1" && pass || fail "spacedns(1) has $command"
    while read -r option; do
        grep -qE -e "^(-[a-z], )?$option( |$)" "$work/page1" && pass || fail "spacedns(1) has $option of $command"
    done < <("$installed" help "$command" | grep -oE '^  (-[a-z], )?--[a-z-]+' | grep -oE -e '--.*')
done

plain man8/spacednsd.8 >"$work/page8"
while read -r flag; do
    grep -qE -e "^$flag( |$)" "$work/page8" && pass || fail "spacednsd(8) has $flag"
done < <("$root/usr/sbin/spacednsd" --help | grep -oE -e '^ *--[a-z-]+' | tr -d ' ')
while read -r key; do
    grep -qE -e "^$key:" "$work/page8" || grep -qx -e "$key" "$work/page8" && pass || fail "spacednsd(8) has $key"
done < <(sed -n 's/^SETTING([a-z0-9_]*, "\([^"]*\)".*/\1/p' lib/config/settings.def)

plain man5/spacedns-zones.5 >"$work/page5"
while read -r word; do
    grep -qE -e "^$word(, |$)" "$work/page5" && pass || fail "spacedns-zones(5) has $word"
done < <(sed -n 's/^| `\{0,1\}\([A-Za-z][A-Za-z_0-9-]*\).*/\1/p' zones/README.md | grep -vxE 'key|code')

# ---- completions ----

try "bash reads the completion" bash -n "$share/bash-completion/completions/spacedns"
try "zsh reads the completion" zsh -n "$share/zsh/vendor-completions/_spacedns"

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
if command -v zsh >/dev/null; then
    expect "zsh offers every command" "$every" "$(offered "")"
    expect "zsh: kinds" "$kinds" "$(offered snippet "")"
    expect_match "zsh: options" '--color .*--space .*--to' "$(offered snippet --)"
    expect "zsh: words of an option" "always auto never" "$(offered snippet --color "")"
    expect "zsh: a folder" "files -/" "$(offered check "")"
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
finish
