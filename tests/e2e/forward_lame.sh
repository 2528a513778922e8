#!/bin/bash
# Names that an upstream never answers, or answers late, cost who asks for them, and nobody else.
# timeout: 120
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"

port=$(free_port)
start_upstream one --listen 198.51.100.53 <<'END'
*.example.org.        300 IN A 198.51.100.80
*.lame.example.       300 IN A 198.51.100.81
*.slow.example.       300 IN A 198.51.100.82
END
start one --zones zones --listen "10.0.0.2:$port" --workers 1 --upstream 198.51.100.53

# lame SECONDS CLIENT...: see lame.py
lame() {
    "$SOURCE_DIR/tests/support/lame.py" 10.0.0.2 "$port" "$@"
}

said=$(lame 7 hammer 10.0.130.57 lame.example 10 victim 10.0.130.56 example.org 0.5)
expect_match "10 dead names a second: nobody else loses anything" '^victim 10\.0\.130\.56 answered 14 of 14,' "$said"
said=$(lame 10 hammer 10.0.130.57 slow.example 20 victim 10.0.130.56 example.org 2.5)
expect_match "20 names a second that take 3 s: nobody else loses anything" '^victim 10\.0\.130\.56 answered 4 of 4,' "$said"

said=$(lame 3 burst 10.0.130.57 lame.example 1100 burst 10.0.130.58 lame.example 1100 \
    victim 10.0.130.56 example.org 1)
expect_match "two clients with 1,100 dead names each: a third is answered at once" \
    '^victim 10\.0\.130\.56 answered 3 of 3, longest [01]\.' "$said"

expect_no_match "an upstream that answers probes is never failing" upstream_failing "$(cat "$server_log")"
got=$(dig -b 10.0.130.56 @10.0.0.2 -p "$port" +tries=1 +time=6 name.slow.example A)
expect_match "a name that takes 3 s is answered" 'A[[:space:]]+198\.51\.100\.82$' "$got"

# One that answers clients and no probe is found to live by what clients ask, and from then on it is
# not taken for failing while it answers anybody.
set_mode one mute
lame 4 hammer 10.0.130.57 lame.example 10 >"$work/lame"
await grep -q ' warning upstream_failing ' "$server_log" || fail "without a reply to anything it is failing" "$(cat "$server_log")"
number=0
answers() {
    number=$((number + 1))
    [ "$(dig -b 10.0.130.56 @10.0.0.2 -p "$port" +short +tries=1 "back$number.example.org" A)" = 198.51.100.80 ]
}
await answers || fail "an upstream that answers no probe is back with an answer" "$(cat "$server_log")"
said=$(lame 7 hammer 10.0.130.57 lame.example 10 victim 10.0.130.56 example.org 0.5)
expect_match "nor does anybody lose anything then" '^victim 10\.0\.130\.56 answered 14 of 14,' "$said"
stop
expect "exit code" 0 "$code"
finish
