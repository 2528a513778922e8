#!/bin/bash
# Fails when a text names a command of the registry otherwise than --help does: registry:accept. With
# a blank it works as well, and who searches for one form must not miss the other.
set -euo pipefail
cd "$(dirname "$0")/../.."

python3 - <<'END'
import os
import re
import sys

table = open("lib/control/commands.def", encoding="utf-8").read()
words = "|".join(re.findall(r'"registry:([a-z]+)"', table))
# Between the words a line may end: of a literal, a comment, a script or a text.
OTHER = re.compile(r"""(?:\b(?:spacedns|op|ctl)[\s"#*]+|`)registry[\s"#*]+(?:""" + words + r""")\b""")
ENDS = (".c", ".h", ".def", ".md", ".sh", ".bash", ".yaml", ".json", ".in", ".scn", "/dev")
# What reads the other form.
READERS = {"lib/control/command.h", "tests/unit/control/test_command.c"}
status = 0
paths = ["README.md"] + [os.path.join(folder, name) for top in ("cmd", "lib", "tests", "zones")
                         for folder, _, names in os.walk(top) for name in names]
for path in sorted(paths):
    if not path.endswith(ENDS) or path in READERS:
        continue
    text = open(path, encoding="utf-8", errors="replace").read()
    for found in OTHER.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        print(f"{path}:{line}: write the command as --help does, registry:NAME: {' '.join(found.group().split())}",
              file=sys.stderr)
        status = 1
sys.exit(status)
END
