#!/bin/bash
# The tables of README.md and zones/README.md are those of the program. With --write: updates them.
. "$(dirname "$0")/lib.bash"

/usr/bin/python3 tests/e2e/readme.py tables "$@" && pass || fail "the tables of README.md and zones/README.md are the program's"
finish
