#!/bin/bash
# Every command in README prints what README shows. With --write: updates README.
. "$(dirname "$0")/lib.bash"
enter_private_network "$@" || echo "no network namespace may be made here: only loopback asks"

if TMPDIR=$work /usr/bin/python3 tests/e2e/readme.py tour "$(free_port)" "$(free_port)" "$(free_port)" "$@"; then
    pass
else
    fail "README shows what the program prints" "fix the program, or README with: tests/e2e/readme_tour.sh --write"
fi
finish
