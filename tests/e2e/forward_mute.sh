#!/bin/bash
# An upstream that answers clients and no probe is found to live by what clients ask, and from then
# on it is not taken for failing while it answers anybody.
# busy: measures when clients are answered
# timeout: 60
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"

port=$(free_port)
start_upstream one --listen 198.51.100.53 <<'END'
*.example.org.        300 IN A 198.51.100.80
*.lame.example.       300 IN A 198.51.100.81
END
start one --zones zones --listen "10.0.0.2:$port" --workers 1 --upstream 198.51.100.53
set_mode one mute

# lame SECONDS CLIENT...: see lame.py
lame() {
    "$SOURCE_DIR/tests/support/lame.py" 10.0.0.2 "$port" "$@"
}

lame 4 hammer 10.0.130.57 lame.example 10 >"$work/lame"
await grep -q ' warning upstream_failing ' "$server_log" || fail "without a reply to anything it is failing" "$(cat "$server_log")"
number=0
answers() {
    number=$((number + 1))
    [ "$(dig -b 10.0.130.56 @10.0.0.2 -p "$port" +short +tries=1 "back$number.example.org" A)" = 198.51.100.80 ]
}
await answers || fail "an upstream that answers no probe is back with an answer" "$(cat "$server_log")"
report=$(lame 7 hammer 10.0.130.57 lame.example 10 victim 10.0.130.56 example.org 0.5)
expect_match "nor do other clients lose anything then" '^victim 10\.0\.130\.56 answered 14 of 14,' "$report"
stop
expect "exit code" 0 "$code"
finish
