#!/bin/bash
# Fails when a C file is not laid out as .clang-format says. The remedy: cmd/dev format
# The tables (*.def) are exempt: their columns are aligned by hand.
set -euo pipefail
cd "$(dirname "$0")/../.."

mapfile -t files < <(find cmd lib tests -type f -name '*.[ch]' | sort)
[ ${#files[@]} -gt 0 ] || exit 0
if ! clang-format --dry-run -Werror "${files[@]}"; then
    echo "Lay these files out with: cmd/dev format" >&2
    exit 1
fi
