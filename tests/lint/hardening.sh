#!/bin/bash
# Fails when a shipped program lacks a hardening measure: readelf shows those of the linker, and the
# compile commands those that leave no mark in the program.
set -euo pipefail
cd "$(dirname "$0")/../.."
status=0

complain() {
    echo "$*" >&2
    status=1
}

# wants PROGRAM WHAT PATTERN TEXT
wants() {
    grep -qE -- "$3" <<<"$4" || complain "$1: $2 (CMakeLists.txt, harden_build)"
}

check_program() {
    local program=$1 dynamic segments symbols
    dynamic=$(readelf -Wd "$program")
    segments=$(readelf -Wl "$program")
    symbols=$(readelf -W --dyn-syms "$program")

    wants "$program" "is not position independent" 'FLAGS_1.*\bPIE\b' "$dynamic"
    wants "$program" "binds functions late: no -z now" 'FLAGS_1.*\bNOW\b' "$dynamic"
    wants "$program" "has no read-only relocations: no -z relro" '^ *GNU_RELRO ' "$segments"
    wants "$program" "has an executable stack" '^ *GNU_STACK .* RW +0x' "$segments"
    wants "$program" "has no stack protector" '__stack_chk_fail' "$symbols"
    if ! is_debug; then
        wants "$program" "checks no copies: no _FORTIFY_SOURCE" '__mem[a-z]+_chk|__[a-z]*printf_chk' "$symbols"
    fi
}

is_debug() {
    grep -q '^CMAKE_BUILD_TYPE:STRING=Debug$' "$BUILD_DIR/CMakeCache.txt"
}

# Control flow (the C library's own start files carry no note of it on Debian, so that the program
# has none either), stack clashes and filled variables leave no mark that readelf knows.
# Every file of lib and cmd, but for the tool that makes the manual pages while building.
check_commands() {
    local flag commands missing
    commands=$(grep -E '"command": .* -c ([^ ]*/)?(lib|cmd)/' "$BUILD_DIR/compile_commands.json" |
        grep -vE 'CMakeFiles/manual\.dir')
    [ -n "$commands" ] || complain "$BUILD_DIR/compile_commands.json names no file of lib and cmd"
    for flag in -fstack-protector-strong -fstack-clash-protection -fcf-protection \
        -ftrivial-auto-var-init=zero -fPIE; do
        [ "$(uname -m)" = x86_64 ] || [ "$flag" != -fcf-protection ] || continue
        missing=$(grep -cvF -- " $flag " <<<"$commands" || true)
        [ "$missing" = 0 ] || complain "$missing files are compiled without $flag (CMakeLists.txt)"
    done
}

# Without a build there is nothing to check; the tests of a build run this, too.
[ -n "${SPACEDNSD:-}" ] || exit 0
check_program "$SPACEDNSD"
check_program "$SPACEDNS"
check_commands
exit $status
