#!/bin/bash
# Fails when an entry of a table is unused: each counter, reason and finding must be used by code
# outside its table.
set -euo pipefail
cd "$(dirname "$0")/../.."
status=0

# lib and cmd as they are compiled, without comments that only name a thing.
code=$(find lib cmd -name '*.c' -o -name '*.h' | sort | xargs sed -E 's,//.*,,; s,/\*.*\*/,,')

# check PREFIX TABLE: used by its full name; a finding also as FIND(checking, SYMBOL, ...)
check() {
    local prefix=$1 table=$2 used symbol
    used=$(grep -oE "\b${prefix}_[A-Z0-9_]+" <<<"$code" | sed "s/^${prefix}_//" | sort -u)
    if [ "$prefix" = FINDING ]; then
        used+=$'\n'$(tr '\n' ' ' <<<"$code" | grep -oE '\bFIND\([^,]*, *[A-Z0-9_]+' | sed 's/.*[ ,]//')
    fi
    [ -f "$table" ] || { echo "$table: is not there" >&2; status=1; return; }
    while read -r symbol; do
        grep -qxF "$symbol" <<<"$used" && continue
        echo "$table: nothing in lib and cmd uses ${prefix}_$symbol; take the line out, or use it" >&2
        status=1
    done < <(sed -nE "s/^$prefix\(([A-Z0-9_]+),.*/\1/p" "$table")
}

check COUNTER lib/stats/counters.def
check REASON lib/decide/reasons.def
check FINDING "$(find lib -name findings.def)"
exit $status
