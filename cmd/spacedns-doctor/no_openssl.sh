#!/bin/sh
# no_openssl.sh LDNS.a CRYPTO.a: a C file with the functions of OpenSSL that ldns refers to, each of
# which ends the program. ldns calls them for DNSSEC and TSIG alone, which the doctor does not use;
# linked in truth, they would be three quarters of its file.
set -eu
names() {
    nm "$@" 2>/dev/null | awk 'NF > 1 { print $NF }' | LC_ALL=C sort -u
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
names --undefined-only "$1" >"$work/wanted"
names --defined-only --extern-only "$2" >"$work/openssl"
echo '#include <stdlib.h>'
LC_ALL=C comm -12 "$work/wanted" "$work/openssl" |
    sed 's/.*/void &(void);\nvoid &(void)\n{\n    abort();\n}/'
