#!/bin/bash
# The upstream dies under load, once silently and once with ICMP, and comes back: local answers do
# not notice, what was kept is served stale, the rest fails quickly, and nothing has grown.
#
# OUTAGE_SECONDS=60 makes each outage as long as an operator would see; 2 by default.
# serial: measures under load
# timeout: 300
. "$(dirname "$0")/lib.bash"
need unbound
enter_private_network || skip "no network namespace may be made here"

seconds=${OUTAGE_SECONDS:-2}
share=4 # of 20,000 queries a second: a machine with other work keeps up with it
[ -z "${SANITIZE:-}" ] || share=10
paced=$BUILD_DIR/bin/tests/bench/paced
flood=$BUILD_DIR/bin/tests/bench/flood
[ -x "$paced" ] && [ -x "$flood" ] || skip "there is no $paced and $flood"
port=$(free_port)

cat >"$work/unbound.conf" <<'END'
    log-queries: no
    verbosity: 1
    so-rcvbuf: 4m
    local-zone: "load.example." redirect
    local-data: "load.example. 1 IN A 198.51.100.80"
END
start_upstream_again() {
    start_unbound unbound 198.51.100.53
}
start_upstream_again
cat >"$work/settings.yaml" <<END
zones: zones
listen: ["127.0.0.1:$port"]
local_as: [test-space]
workers: 2
upstreams: [198.51.100.53]
cache_size: 2097152
END
start outage --settings "$work/settings.yaml"

echo frozen-oasis-70544.herokuapp.com >"$work/local"
for i in {1..101}; do echo "kept$i.load.example"; done >"$work/kept"
echo '*.new.load.example' >"$work/new"

# under_load SECONDS: a share of 20,000 queries a second of three kinds; leaves a line for each in $work/load
under_load() {
    "$paced" -p "$port" -s "$1" "local:$((10000 / share)):$work/local" "kept:$((5000 / share)):$work/kept" \
        "new:$((5000 / share)):$work/new" >"$work/load"
}

# of KIND KEY: one figure of the last load
of() {
    grep "\"stream\":\"$1\"" "$work/load" | sed "s/.*\"$2\":\([0-9]*\).*/\1/"
}

# all KIND KEY...: every query of that kind came to one of these, at least one to the last
all() {
    local kind=$1 sum=0 key
    shift
    for key in "$@"; do
        sum=$((sum + $(of "$kind" "$key")))
    done
    if [ "$sum" = "$(of "$kind" sent)" ] && [ "$(of "$kind" "$key")" -gt 0 ]; then
        pass
    else
        fail "$what: all of '$kind' are $*" "$(cat "$work/load")"
    fi
}

resident_kb() {
    sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$server/status"
}

descriptors() {
    find "/proc/$server/fd" -mindepth 1 | wc -l
}

# is_calm: no question is on its way, so no socket is open that was not there before, but for spare ones
is_calm() {
    [ "$(descriptors)" -le $((descriptors_before + 2 * 16)) ] # so many of each worker may stay spare
}

# is_well: eight new names in a row are answered, so that each worker has answered
number=0
is_well() {
    local i
    for i in 1 2 3 4 5 6 7 8; do
        number=$((number + 1))
        [ "$(ask +short +time=1 "probe$number.load.example")" = 198.51.100.80 ] || return 1
    done
}

# recovers: new names are answered within 2 s
recovers() {
    local before
    before=$(now_ms)
    await is_well || fail "$what: answers again" "$(cat "$server_log")"
    recovery=$(($(now_ms) - before))
    [ -n "${SANITIZE:-}" ] || [ "$recovery" -lt 2000 ] || fail "$what: answers again within 2 s" "it took $recovery ms"
}

# outage NAME: what the load sees while the upstream is gone
outage() {
    what=$1
    under_load "$seconds"
    all local good
    all kept good stale
    all new failed
    [ -n "${SANITIZE:-}" ] || [ "$(of new longest_us)" -lt 5000000 ] || fail "$what: names not known fail after 4.5 s" "$(cat "$work/load")"
    echo "$what: $(tr '\n' ' ' <"$work/load")"
}

what="while all is well"
under_load 3
all local good
all kept good
all new good
echo "$what: $(tr '\n' ' ' <"$work/load")"
await is_well
descriptors_before=$(descriptors)

# What the server may take it takes now: a full cache, and in the first outage a full pool.
"$flood" -p "$port" -f "$work/new" -s 2 -n 256 >"$work/flood"
kill -STOP "$upstream"
outage "a silent upstream"
kill -CONT "$upstream"
recovers
await is_calm || fail "$what: descriptors" "$descriptors_before before, $(descriptors) now"
under_load 1
all local good
all kept good
all new good
resident_before=$(resident_kb)
before_ms=$(now_ms)

disown "$upstream"
kill -KILL "$upstream"
await is_gone "$upstream"
outage "an upstream that is gone"
start_upstream_again
recovers
kill -STOP "$upstream"
outage "a silent upstream again"
kill -CONT "$upstream"
recovers
what="after all outages"
under_load 1
all local good
all kept good
all new good
await is_calm || fail "$what: descriptors" "$descriptors_before before, $(descriptors) now"
resident=$(resident_kb)
# The last queries are kept (serve/querylog_history.h), at most 200 of either kind a second: in the
# history once, in a worker's ring once; 1,200 records of 528 octets, until their memory is all used.
# 5,000 questions fail in the two outages: 3 MB would be some 600 octets of each.
records_kb=$((($(now_ms) - before_ms) * 620 / 1000))
[ -n "${SANITIZE:-}" ] || [ "$resident" -le $((resident_before + 3072 + records_kb)) ] ||
    fail "$what: memory has not grown" "$resident_before KB before, $resident KB now"
echo "$what: recovery in $recovery ms, $resident KB resident ($resident_before before), $(descriptors) descriptors ($descriptors_before before)"
stop
expect "exit code" 0 "$code"
finish
