#!/bin/bash
# README's tables of reasons and settings are those of the program. With --write: updates them.
. "$(dirname "$0")/lib.bash"

/usr/bin/python3 tests/e2e/readme.py tables "$@" && pass || fail "README's tables are the program's"
finish
