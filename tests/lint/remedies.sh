#!/bin/bash
# Fails when an error of the operator's command does not say what to do: behind a semicolon, or by
# what to write or which values are allowed.
set -euo pipefail
cd "$(dirname "$0")/../.."

# A call's text: its literals, joined.
python3 - cmd/spacedns/*.c <<'END'
import re
import sys

CALL = re.compile(r'\b(?:session_fail|err_set|change_fail)\s*\(((?:[^()"]|"(?:[^"\\]|\\.)*"|'
                  r'\((?:[^()"]|"(?:[^"\\]|\\.)*"|\([^()]*\))*\))*)\)')
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
REMEDY = re.compile(r'; |[Ww]rite |: spacedns | is .* or .*, not %s| is a .* as .*, not %s| such as .*, not %s')
# The next line prints how the command is used.
USAGE = {"Space name required."}
status = 0
for path in sys.argv[1:]:
    text = open(path, encoding="utf-8").read()
    for call in CALL.finditer(text):
        sentence = "".join(LITERAL.findall(call.group(1)))
        words = re.sub(r"%[-.*0-9]*[a-z]+", "", sentence)
        if not re.search("[a-z]{3}", words) or REMEDY.search(sentence) or sentence in USAGE:
            continue
        line = text.count("\n", 0, call.start()) + 1
        print(f"{path}:{line}: an error without a remedy: {sentence}", file=sys.stderr)
        status = 1
sys.exit(status)
END
