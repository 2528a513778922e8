#!/bin/bash
# What is cached is shown and flushed on a running server: by name, below a name, everything, in all
# workers, with recent failures; the next query is asked of the upstream, whose answer has changed.
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
spacedns=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
port=$(free_port)
live=(--socket "$work/control.sock")
dyno=10.0.130.56

start_upstream first --listen 198.51.100.53 <<'END'
*.example.org. 300 IN A 198.51.100.80
END
cat >"$work/settings.yaml" <<END
zones: zones
listen: 0.0.0.0:$port
allow_public_listen: true
workers: 2
upstreams: [198.51.100.53]
control_socket: $work/control.sock
END
start flush --settings "$work/settings.yaml"

# from_dyno NAME TYPE
from_dyno() {
    ask -b "$dyno" +short +tries=1 "$@"
}

# cached NAME: what is cached, without seconds
cached() {
    "$spacedns" cache "$1" "${live[@]}" 2>&1 | sed -E 's/ttl=[0-9]+/ttl=N/'
}

# flush WORD...: leaves $out and $code
flush() {
    out=$("$spacedns" cache:flush "$@" "${live[@]}" 2>&1)
    code=$?
}

# printed EXPRESSION: of the JSON on standard input
printed() {
    /usr/bin/python3 -c "import json, sys; printed = json.load(sys.stdin); print($1)" 2>&1
}

# ---- a name ----

expect "nothing yet" "Nothing is cached for www.example.org." "$(cached www.example.org)"
for name in www.example.org a.www.example.org other.example.org; do
    expect "$name is asked for" 198.51.100.80 "$(from_dyno "$name" A)"
done
from_dyno www.example.org AAAA >"$work/answer"
expect_match "a line for a type" '^www\.example\.org type=A rcode=NOERROR cached=fresh ttl=N$' "$(cached www.example.org)"
expect "--json has the same" "www.example.org ['A'] ['fresh'] True []" \
    "$("$spacedns" cache www.example.org --json "${live[@]}" | printed '
        printed["name"],
        [each["type"] for each in printed["entries"] if each["type"] == "A"],
        [each["cached"] for each in printed["entries"] if each["type"] == "A"],
        all(0 < each["ttl_seconds"] <= 300 for each in printed["entries"] if each["type"] == "A"),
        printed["silent_workers"]')"

kill "$upstream"
wait "$upstream" 2>/dev/null
start_upstream first --listen 198.51.100.53 <<<'*.example.org. 300 IN A 198.51.100.81'
expect "the upstream's new answer is not asked for" 198.51.100.80 "$(from_dyno www.example.org A)"
flush www.example.org
expect "a flush: exit code" 0 "$code"
expect "a flush takes each entry once" 'Flushing www.example.org... done, entries=2 failures=0' "$out"
expect "it is gone" "Nothing is cached for www.example.org." "$(cached www.example.org)"
for _ in {1..16}; do
    expect "now it is, by whichever worker" 198.51.100.81 "$(from_dyno www.example.org A)"
done
expect "a name below stays" 198.51.100.80 "$(from_dyno a.www.example.org A)"
expect_match "the log has who and what" ' info cache_flushed names=www\.example\.org entries=2 failures=0 by=[0-9]+ .*command=cache:flush$' \
    "$(grep cache_flushed "$server_log")"

# ---- below a name ----

flush WWW.example.org. --below --note "ticket 7"
expect_match "with those below" '^Flushing www\.example\.org and all below\.\.\. done, entries=2 failures=0$' "$out"
expect "the name below is asked for" 198.51.100.81 "$(from_dyno a.www.example.org A)"
expect "another stays" 198.51.100.80 "$(from_dyno other.example.org A)"
expect_match "the log has the note" ' command="cache:flush --below" note="ticket 7"$' "$(grep 'ticket 7' "$server_log")"

# ---- failures ----

set_mode first error SERVFAIL
expect "the upstream fails" "" "$(from_dyno failing.example.org A)"
expect_match "which is cached" '^failing\.example\.org type=A cached=failed$' "$(cached failing.example.org)"
set_mode first answer
flush failing.example.org other.example.org
expect_match "a failure is flushed" '^Flushing failing\.example\.org other\.example\.org\.\.\. done, entries=2 failures=[01]$' "$out"
expect "the upstream is asked at once" 198.51.100.81 "$(from_dyno failing.example.org A)"

# ---- everything ----

expect_match "totals" '^entries      [1-9][0-9]*$' "$("$spacedns" cache "${live[@]}")"
expect_match "and how often it had the answer" '^hits         [1-9][0-9]*$' "$("$spacedns" cache "${live[@]}")"
flush --json
expect "everything: exit code" 0 "$code"
expect "everything" "True [] False True []" \
    "$(printed 'printed["all"], printed["names"], printed["below"], printed["entries"] > 0, printed["silent_workers"]' <<<"$out")"
expect "nothing is left" 0 "$("$spacedns" cache --json "${live[@]}" | printed 'printed["entries"]')"
expect "and everything is asked for" 198.51.100.81 "$(from_dyno other.example.org A)"

# ---- what cannot be read changes nothing ----

for words in "a..b" "--below" "www.example.org --all"; do
    # shellcheck disable=SC2086
    flush $words
    expect "$words: exit code" 2 "$code"
done
expect_match "it is still cached" 'type=A rcode=NOERROR' "$(cached other.example.org)"
stop
finish
