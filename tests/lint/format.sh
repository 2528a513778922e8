#!/bin/bash
# Fails when a C file is not formatted by .clang-format. The remedy: cmd/dev format
# The tables (*.def) are exempt: their columns are aligned by hand.
set -euo pipefail
cd "$(dirname "$0")/../.."

mapfile -t files < <(find cmd lib tests -type f -name '*.[ch]' | sort)
[ ${#files[@]} -gt 0 ] || exit 0
if ! clang-format --dry-run -Werror "${files[@]}"; then
    echo "Format these files with: cmd/dev format" >&2
    exit 1
fi
