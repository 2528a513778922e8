#!/bin/bash
# Fails when a header of lib is no manual page (what it is, threads, memory), or when
# lib/README.md is not the list of them.
#
#     headers.sh            compares
#     headers.sh --write    writes lib/README.md
set -euo pipefail
cd "$(dirname "$0")/../.."
status=0

# The text at the top of a header, without its comment marks.
manual() {
    sed -n '2,/\*\//{s,^/\*\*,,;s,^ \*/\?,,;s,^ ,,;p}' "$1"
}

# The first sentence of a header, on one line.
sentence() {
    manual "$1" | awk 'NF { text = text (text == "" ? "" : " ") $0; next } text != "" { exit }
                       END { sub(/\. [A-Z].*/, ".", text); print text }'
}

check() {
    local header=$1
    if [ "$(sed -n '1p;2p' "$header" | tr -d '\n' | cut -c 1-15)" != '#pragma once/**' ]; then
        echo "$header: begin it with #pragma once and what the thing is" >&2
        status=1
        return
    fi
    manual "$header" | grep -qE '^Threads[,:]|^Sources, threads,' || {
        echo "$header: say under \`Threads:\` who may call it" >&2
        status=1
    }
    manual "$header" | grep -qE '(^|  )Memory:|[Tt]hreads, memory[,:]' || {
        echo "$header: say under \`Memory:\` what it takes and who frees it" >&2
        status=1
    }
}

# The line of a module in README.md's table, which says what the module has.
purpose() {
    sed -nE "s/^\| \`$1\` \| (.*) \| .* \|$/\1/p" README.md
}

list() {
    local module header
    echo '# The modules'
    echo
    echo 'From the bottom up: each may include those named behind it (`deps.txt`). A header begins with what'
    echo 'its users must know; this list has the first sentence of each.'
    while IFS=: read -r module below; do
        echo
        echo "## $module"
        echo
        purpose "$module" | sed 's/^./\u&/; s/$/./'
        [ -z "$below" ] || printf '\nIncludes `%s`.\n' "$(sed 's/^ //; s/ /`, `/g' <<<"$below")"
        echo
        echo '| header | what it is |'
        echo '| --- | --- |'
        for header in lib/"$module"/*.h; do
            echo "| \`$(basename "$header")\` | $(sentence "$header" | sed 's/|/\\|/g') |"
        done
    done <lib/deps.txt
}

for header in lib/*/*.h; do
    check "$header"
done
if [ "${1-}" = --write ]; then
    list >lib/README.md
elif ! diff -u lib/README.md <(list) >&2; then
    echo "lib/README.md is not current: tests/lint/headers.sh --write" >&2
    status=1
fi
exit $status
