#!/bin/bash
# Fails when a switch may be over an enum of ours and has a `default:`, which hides from the compiler
# that a new value is forgotten (-Wswitch). A `default:` names in a comment on its line whose values
# it is for: those of a library, of the system, or from the network. So does the comment not name an
# enum of ours.
set -euo pipefail
cd "$(dirname "$0")/../.."
status=0

ours=$(grep -rhoE '^enum [a-z_]+ ?\{' lib cmd --include='*.[ch]' | sed -E 's/^enum ([a-z_]+).*/\1/' | sort -u)
[ -n "$ours" ] || { echo "no enum is found in lib and cmd" >&2; exit 1; }

while IFS=: read -r file number line; do
    if ! [[ $line =~ default:\ /\*\ (.+)\ \*/$ ]]; then
        echo "$file:$number: list the values of an enum of ours instead of \`default:\`;" \
            "if they are not ours, name them: default: /* errno */" >&2
        status=1
    elif grep -qwF "$ours" <<<"${BASH_REMATCH[1]}"; then
        echo "$file:$number: the values are ours: list them instead of \`default:\`" >&2
        status=1
    fi
done < <(grep -rnE '^[[:space:]]*default:' lib cmd --include='*.[ch]')
exit $status
