#!/bin/bash
# What README's chapter "When it does not resolve" says that dig, getent, curl, Python and musl print
# is what they print, on a dyno, for each cause.
# timeout: 120
. "$(dirname "$0")/lib.bash"
. "$(dirname "$script")/network.bash"
need getent curl

build_network RUN DYNO
may_mount || skip "a dyno's /etc/resolv.conf cannot be put in place here"
start well --zones zones --listen 10.0.0.2
chapter=$(sed -n '/^## When it does not resolve/,/^## The operator/p' README.md)

# A stub resolver in the manner of a language's runtime; of Alpine's, where musl can be compiled for.
look_up=(/usr/bin/python3 -c 'import socket, sys
try: print(*sorted({a[4][0] for a in socket.getaddrinfo(sys.argv[1], 80)}))
except OSError as e: print(e)')
if command -v musl-gcc >/dev/null; then
    musl-gcc -static -o "$work/musl" -x c - <<'END' || fail "the program for musl is compiled"
#include <netdb.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    struct addrinfo *found;
    int code = getaddrinfo(argv[argc - 1], "80", &(struct addrinfo){.ai_socktype = SOCK_STREAM}, &found);
    return !puts(code == 0 ? "an address" : gai_strerror(code));
}
END
fi

# nameservers ADDRESS...: of the dyno
nameservers() {
    printf 'nameserver %s\n' "$@" >"$work/resolv.conf"
    echo 'options timeout:1 attempts:1' >>"$work/resolv.conf"
}

# prints WHAT PATTERN COMMAND...: on the dyno; README shows the pattern, but for what differs
prints() {
    local what=$1 pattern=$2 out
    shift 2
    out=$(as_dyno "$@")
    expect_match "$what: $*" "$pattern" "$out"
}

# shows TEXT...: README's chapter has it
shows() {
    local text
    for text in "$@"; do
        grep -qF -- "$text" <<<"$chapter" || fail "README's chapter shows: $text"
    done
}

# fails_as WHAT NAME DIG GLIBC MUSL: dig's line, and what the resolvers of glibc and musl print
fails_as() {
    prints "$1" "$3" dig +tries=1 +time=1 "$2"
    prints "$1" "$4\$" "${look_up[@]}" "$2"
    [ ! -x "$work/musl" ] || prints "$1" "^($5)\$" "$work/musl" "$2"
    expect "$1: getent prints nothing" "" "$(as_dyno getent ahostsv4 "$2")"
    as_dyno getent ahostsv4 "$2" >/dev/null
    expect "$1: getent's exit code" 2 "$?"
    prints "$1" "^curl: \(6\) Could not resolve host: $2" curl -sS -m 10 "http://$2/"
}

missing='Name or service not known'
empty='No address associated with hostname'
none='Temporary failure in name resolution'
shows "$missing" "$empty" "$none" 'Name does not resolve' 'Try again' 'Could not resolve host'

nameservers 10.0.0.2
prints "well" '^10\.0\.0\.37 10\.0\.16\.21$' "${look_up[@]}" frozen-oasis-70544.herokuapp.com
[ ! -x "$work/musl" ] || prints "well" '^an address$' "$work/musl" frozen-oasis-70544.herokuapp.com
prints "an address at which nothing listens" '^curl: \(7\) Failed to connect to ' \
    curl -sS -m 10 http://1.web.frozen-oasis-70544.app.localspace:1/
shows 'Failed to connect to'

fails_as "no web dyno" sleepy-river-2739.herokuapp.com 'status: NOERROR' "$empty" \
    'Name does not resolve|Name has no usable address'
prints "no web dyno" 'EDE: .*Q10' dig +tries=1 sleepy-river-2739.herokuapp.com
fails_as "a mistyped name" wbe.frozen-oasis-70544.app.localspace 'status: NXDOMAIN' "$missing" \
    'Name does not resolve'
fails_as "a name that is not the space's" www.example.org 'status: REFUSED' "$none" 'Try again'
prints "a name that is not the space's" 'EDE: .*Q20' dig +tries=1 www.example.org

nameservers 10.0.0.3
fails_as "nothing listens" api.example.com 'communications error to 10\.0\.0\.3#53: connection refused' \
    "$none" 'Try again'
shows 'connection refused' 'timed out' 'no servers could be reached'
upstream_launcher=(nsenter --net=/run/netns/server)
start_upstream other --listen 10.0.0.3 </dev/null
set_mode other silent
nameservers 10.0.0.3
fails_as "no reply comes" api.example.com 'communications error to 10\.0\.0\.3#53: timed out' "$none" 'Try again'
set_mode other answer

# Another resolver as first nameserver: its NXDOMAIN is final, whatever the second one knows.
nameservers 10.0.0.3 10.0.0.2
prints "a first nameserver that knows no space" "$missing\$" "${look_up[@]}" api.example.com
nameservers 10.0.0.2 10.0.0.3
prints "the space's nameserver first" '^10\.0\.0\.37 10\.0\.16\.21$' "${look_up[@]}" api.example.com
finish
