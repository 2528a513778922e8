#!/bin/bash
# Fails when knowledge flows the wrong way: a line of lib/deps.txt names a module that is not
# above it, a file includes a module its own module may not use, or a third-party header is
# included outside its home.
set -euo pipefail
cd "$(dirname "$0")/../.."
status=0

complain() {
    echo "$*" >&2
    status=1
}

# The #include targets of the files given, as "file:line:target" (quotes and < > removed).
includes_of() {
    grep -HnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]' "$@" |
        sed -E 's/^([^:]+:[0-9]+:)[^<"]*[<"]([^>"]+)[>"].*/\1\2/' || true
}

check_order() {
    local above=" " number=0 line module used
    while IFS= read -r line || [ -n "$line" ]; do
        number=$((number + 1))
        case "$line" in '' | '#'*) continue ;; esac
        if ! [[ $line =~ ^([a-z]+):([a-z ]*)$ ]]; then
            complain "lib/deps.txt:$number: not of the form 'module: used used': $line"
            continue
        fi
        module=${BASH_REMATCH[1]}
        for used in ${BASH_REMATCH[2]}; do
            [[ $above == *" $used "* ]] ||
                complain "lib/deps.txt:$number: '$module' names '$used', which is not above it"
        done
        above+="$module "
    done <lib/deps.txt
}

# Everything one module may include: itself and the names on its line.
allowed_for() {
    echo " $1 $(sed -n "s/^$1://p" lib/deps.txt) "
}

check_module() {
    local module=$1 allowed files place target used
    allowed=$(allowed_for "$module")
    mapfile -t files < <(find "lib/$module" -type f \( -name '*.[ch]' -o -name '*.def' \) | sort)
    [ ${#files[@]} -gt 0 ] || return 0
    grep -q "^$module:" lib/deps.txt || complain "lib/$module: has no line in lib/deps.txt"
    while IFS=: read -r file number target; do
        place=$file:$number
        used=${target%%/*}
        if [ -d "lib/$used" ] && [[ $target == */* ]]; then
            [[ $allowed == *" $used "* ]] ||
                complain "$place: module '$module' may not include '$used' (lib/deps.txt)"
        elif [ -e "lib/$module/$target" ] && ! system_header "$file" "$number"; then
            complain "$place: name the module: #include \"$module/$target\""
        elif [ -d "cmd/$used" ] && [[ $target == */* ]]; then
            complain "$place: lib may not include cmd"
        fi
    done < <(includes_of "${files[@]}")
}

# Is the #include at this line one with < >?
system_header() {
    sed -n "$2p" "$1" | grep -q '<'
}

# home <header pattern> <path pattern of its only home>
home() {
    local header=$1 home=$2 files
    mapfile -t files < <(find cmd lib -type f \( -name '*.[ch]' -o -name '*.def' \) 2>/dev/null | sort)
    [ ${#files[@]} -gt 0 ] || return 0
    while IFS=: read -r file number _; do
        [[ $file =~ $home ]] ||
            complain "$file:$number: <${header//\\/}> may be included only in $home"
    done < <(grep -HnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*<$header>" "${files[@]}" || true)
}

check_order
for folder in lib/*/; do
    [ -d "$folder" ] && check_module "$(basename "$folder")"
done
home 'yaml\.h' '^lib/yaml/'
# Off the packet path: static records, an operator's record types, zone files, the doctor's messages.
home 'ldns/.*' '^(lib/space/records\.c$|lib/inspect/explain_request\.c$|cmd/spacedns/)'
# base/parallel.c starts threads by libuv, and has no loop.
home 'uv\.h' '^(lib/(upstream|serve|control)/|lib/base/parallel\.c$|cmd/)'
home '(sys/(socket|epoll|un)|netdb)\.h' '^(lib/(upstream|tap|serve|control)|cmd)/'
home 'openssl/.*' '^lib/tls/tls\.c$'
home 'nghttp2/.*' '^lib/etcd/(connection|session)(\.c|_state\.h)$'
home 'protobuf-c/.*' '^lib/etcd/(decode|encode|rights)\.c$'
home 'fstrm\.h' '^lib/tap/tap\.c$'
home 'ncurses\.h' '^cmd/spacedns/top_screen\.c$'
home 'jansson\.h' '^(lib/(inspect|space)|cmd/spacedns)/'
home 'sodium\.h' '^lib/wire/'
home 'check\.h' '^tests/'
exit $status
