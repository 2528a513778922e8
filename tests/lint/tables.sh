#!/bin/bash
# Fails when a line of a table has no effect: outside its table, code must count each counter, give
# each reason and situation, report each finding, and read each setting and option; each content of a
# section must stand in a line of answers.def, a story must ask for each name of names.def, and each
# path of HTTP must be answered by its arguments.
set -euo pipefail
cd "$(dirname "$0")/../.."
status=0

# lib and cmd as they are compiled, without comments that only name a thing, and without comparisons
# and cases: a value that is only compared with is never set.
code=$(find lib cmd -name '*.c' -o -name '*.h' | sort |
    xargs cat | sed -zE 's,/\*([^*]|\*+[^*/])*\*+/,,g; s/(case|==|!=)[[:space:]]*[A-Z0-9_]+//g')

# symbols MACRO TABLE: the first arguments of the table's lines
symbols() {
    [ -f "$2" ] || { echo "$2: is not there" >&2; return 1; }
    sed -nE "s/^$1\(([A-Za-z0-9_]+),.*/\1/p" "$2" | grep .
}

# check MACRO TABLE USED WHAT: every symbol of the table is a line of USED
check() {
    local macro=$1 table=$2 used=$3 what=$4 all symbol
    all=$(symbols "$macro" "$table") || { echo "$table: has no line of $macro" >&2; status=1; return; }
    while read -r symbol; do
        grep -qxF -- "$symbol" <<<"$used" && continue
        echo "$table: $what $macro($symbol, …); take the line out, or use it" >&2
        status=1
    done <<<"$all"
}

# named PREFIX: what code names as PREFIX_SYMBOL
named() {
    grep -oE "\b$1_[A-Z0-9_]+" <<<"$code" | sed "s/^$1_//" | sort -u
}

# A finding is reported by its name, or as FIND(checking, SYMBOL, ...).
found=$(tr '\n' ' ' <<<"$code" | grep -oE '\bFIND\([^,]*, *[A-Z0-9_]+' | sed 's/.*[ ,]//')
read_settings=$(grep -oE '\bsettings(->|\.)[a-z0-9_]+' <<<"$code" | sed -E 's/.*(->|\.)//' | sort -u)
parts=$(grep '^SITUATION(' lib/decide/answers.def | tr -d ' ' | cut -d, -f4-6 | tr , '\n')
asked=$(sed -nE 's/^NAME\(([A-Z0-9_]+), [A-Z]+, "([^"]*)".*/\1 \2/p' lib/decide/names.def |
    while read -r symbol label; do
        ! grep -qrE "^ask +${label//./\\.}\." tests/scenario --include='*.scn' || echo "$symbol"
    done)

check COUNTER lib/stats/counters.def "$(named COUNTER)" "nothing in lib and cmd counts"
check REASON lib/decide/reasons.def "$(named REASON)" "nothing in lib and cmd gives"
check SITUATION lib/decide/answers.def "$(named SITUATION)" "nothing in lib and cmd decides"
check PART lib/decide/answers.def "$parts" "no line of SITUATION has"
check NAME lib/decide/names.def "$asked" "no story in tests/scenario asks for"
check FINDING lib/findings/findings.def "$(named FINDING)"$'\n'"$found" "nothing in lib and cmd reports"
check SETTING lib/config/settings.def "$read_settings" "nothing in lib and cmd reads"
check OPTION lib/control/commands.def "$(named OPTION)" "nothing in lib and cmd reads"
check PATH lib/control/paths.def "$(named PATH)" "nothing in cmd answers"
check ARGUMENT lib/control/paths.def "$(named ARGUMENT)" "nothing in cmd reads"
exit $status
