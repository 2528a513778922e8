#!/bin/bash
# What an answer costs is what tests/bench/expected.txt says, within 3 %: instructions, distinct data
# lines and allocations of respond() and of whole UDP batches, and octets of memory per app.
#
#     counts.sh [--write]     --write makes the present figures the expected ones
#
# Of lines, three more or less are allowed, too, for what stands together in one changes with each
# link. Less is as wrong as more: the figures in the file are true. They are those of the plain build by
# one version of gcc; with another build, or without valgrind, it exits with 77.
# timeout: 240
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD_DIR:-$PWD/build/gcc}
tools=$build/bin/tests/bench
expected=tests/bench/expected.txt
# shellcheck source=tests/bench/count.bash
. tests/bench/count.bash

skip() {
    echo "skipped: $*"
    exit 77
}

usage_error() {
    echo "counts: $*; usage: counts.sh [--write]" >&2
    exit 2
}

# setting NAME: of the build
setting() {
    sed -nE "s/^$1:[A-Z]+=(.*)/\\1/p" "$build/CMakeCache.txt"
}

check_build() {
    [ -e "$build/CMakeCache.txt" ] || skip "there is no build in $build"
    [ "$(setting CMAKE_BUILD_TYPE)" = RelWithDebInfo ] || skip "the build type is $(setting CMAKE_BUILD_TYPE)"
    [ "$(setting LTO)" = ON ] || skip "this build optimises no further than modules (LTO)"
    [ "$(setting HARDENING)" = ON ] || skip "this build is not hardened"
    [ -z "$(setting SANITIZE)$(setting CMAKE_C_FLAGS)" ] || skip "this build has flags of its own"
    [[ $(setting CMAKE_C_COMPILER) =~ (^|/)(gcc|cc)$ ]] || skip "this build is not by gcc"
    command -v valgrind >/dev/null || skip "valgrind is missing"
    [ -x "$tools/serve_cost" ] || skip "there is no $tools/serve_cost"
}

# What the figures depend on besides the code.
versions() {
    echo "gcc $("$(setting CMAKE_C_COMPILER)" -dumpfullversion), $(uname -m)"
}

write_expected() {
    {
        cat <<END
# What an answer costs, of which tests/bench/counts.sh allows 3 %, or 3 lines, more or less. Written by:
#
#     cmd/dev bench counts --write
#
# Rows are those of tests/bench/respond_cost.c, and of whole batches of 64 those of serve_cost.c;
# lines are those of the batch, instructions and allocations those of each query.
# build: $(versions)
END
        cat
    } >"$expected.new"
    mv "$expected.new" "$expected"
}

# Prints what is beyond the bounds; fails when anything is.
compare() {
    awk '
        NR == FNR { if ($1 != "#" && NF == 3) { expected[$1 " " $2] = $3; rows++ } next }
        {
            key = $1 " " $2
            got[key] = 1
            if (!(key in expected)) { printf "%-30s is not expected, got %s\n", key, $3; bad = 1; next }
            difference = $3 - expected[key]
            allowed = 0.03 * expected[key]
            if ($2 == "lines" && allowed < 3) allowed = 3
            if (difference < -allowed || difference > allowed) {
                percent = expected[key] > 0 ? sprintf(" (%+.1f %%)", 100 * difference / expected[key]) : ""
                printf "%-30s expected %s, got %s%s\n", key, expected[key], $3, percent
                bad = 1
            }
        }
        END {
            for (key in expected) if (!(key in got)) { printf "%-30s expected %s, got nothing\n", key, expected[key]; bad = 1 }
            if (rows == 0) { print "nothing is expected"; bad = 1 }
            exit bad
        }' "$expected" -
}

case "${1:-}" in
'' | --write) [ $# -le 1 ] || usage_error "too many arguments" ;;
*) usage_error "unknown argument '$1'" ;;
esac
check_build
if [ "${1:-}" != --write ]; then
    [ -e "$expected" ] || { echo "counts: there is no $expected; write it: cmd/dev bench counts --write" >&2; exit 1; }
    grep -qxF "# build: $(versions)" "$expected" ||
        skip "the figures are of $(sed -n 's/^# build: //p' "$expected"), this is $(versions)"
fi
counts=$(count_all) || { echo "counts: the counting failed" >&2; exit 1; }
counts=$(grep -v ' ns ' <<<"$counts" | sort -V)
if [ "${1:-}" = --write ]; then
    write_expected <<<"$counts"
    echo "written: $expected"
elif ! compare <<<"$counts"; then
    echo "If that is intended, and as good as can be: cmd/dev bench counts --write"
    exit 1
fi
