#!/bin/bash
# Fails when a C file is not formatted by .clang-format. The remedy: cmd/dev format
# The tables (*.def) are exempt: their columns are aligned by hand.
#
# Fails as well when a drawing or an example in a comment was torn: a line of it that was longer than
# 100 columns goes on at the margin, and takes the lines behind it along. The remedy: draw it again,
# with shorter lines.
set -euo pipefail
cd "$(dirname "$0")/../.."

mapfile -t files < <(find cmd lib tests -type f -name '*.[ch]' | sort)
[ ${#files[@]} -gt 0 ] || exit 0
if ! clang-format --dry-run -Werror "${files[@]}"; then
    echo "Format these files with: cmd/dev format" >&2
    exit 1
fi

# FILE:LINE of text at the margin right below a line of an example, which has five blanks before it.
torn=$(awk 'FNR == 1 { was_example = 0 }
    was_example && /^ \* [^ \/]/ { print FILENAME ":" FNR ":" $0 }
    { was_example = /^ \*      ?[^ ]/ }' "${files[@]}")
if [ -n "$torn" ]; then
    echo "These lines ran out of a drawing or an example; draw it again, at most 100 columns wide:" >&2
    echo "$torn" >&2
    exit 1
fi
