#!/bin/bash
# Fails when the repository loses its shape: an unknown top-level entry, a bad zone file
# that is not named after its rule, a TODO in shipped code.
set -euo pipefail
cd "$(dirname "$0")/../.."
status=0

complain() {
    echo "$*" >&2
    status=1
}

check_top_level() {
    local entry
    for entry in *; do
        case "$entry" in
        cmd | lib | zones | tests | CMakeLists.txt | README.md) ;;
        build | build-* | compile_commands.json) ;; # what a build leaves, see .gitignore
        *) complain "$entry: top-level entries are cmd, lib, zones, tests, CMakeLists.txt, README.md" ;;
        esac
    done
}

# A file (or a folder, where the rule needs several files) is named after the code the server
# prints, and a variant of it: E-DUP.yaml, E-DUP.two-files/, W-AWS.account-id.yaml
check_bad_zones() {
    local path name code
    for path in tests/zones_bad/*; do
        [ -e "$path" ] || continue
        name=$(basename "$path" .yaml)
        case "$name" in README.md | *.txt) continue ;; esac
        code=${name%%.*}
        if ! [[ $code =~ ^[EWN]-[A-Z0-9]+(-[A-Z0-9]+)*$ ]]; then
            complain "$path: name it after its rule: CODE.yaml, CODE.variant.yaml or a folder of that name"
        elif ! grep -rqwE --include='*.[ch]' --include='*.def' -e "${code//-/[-_]}" lib; then
            complain "$path: nothing in lib knows the code $code"
        fi
    done
}

check_notes() {
    local folders=() folder
    for folder in cmd lib; do
        [ -d "$folder" ] && folders+=("$folder")
    done
    if grep -rnwE 'TODO|FIXME|XXX|HACK' "${folders[@]}"; then
        complain "Write an issue, or do it now: shipped code carries no such notes."
    fi
}

check_top_level
check_bad_zones
check_notes
exit $status
