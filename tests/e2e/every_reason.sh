#!/bin/bash
# Every reason of reasons.def is asked for once, and the same query shows it in EDE, with the same words
# in _why and explain, and in the log, the metrics, the API and the page; a reason without a case fails (every_reason.py has them).
# timeout: 180
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
/usr/bin/python3 -c 'import dns.message' 2>/dev/null || skip "there is no python3-dnspython"
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
"$SPACEDNSD" --version | grep -q '^http: libmicrohttpd ' || skip "this build has no libmicrohttpd"

port=5300
http=127.0.0.1:9153
zones=$work/zones
socket=$work/socket
mkdir "$zones"
cp tests/zones_good/changing-space.yaml "$zones/"
{
    sed '$d' zones/test-space.yaml # without its mark of the end
    cat <<'END'
  - name: idle-pond-3
    internal_routing: true
    formation:
      web: {dynos: [{number: 1, private_ip: 10.0.132.1, state: down}]}
      clock: {dynos: [{number: 1, private_ip: 10.0.132.2, state: down}]}
  - {name: gone-brook-4, internal_routing: true, formation: {web: {dynos: [{number: 1, private_ip: 10.0.132.3}]}}}
records:
  - ten.endless.example. 60 IN A 172.24.1.5
END
    links=(one two three four five six seven eight nine ten)
    for i in 0 1 2 3 4 5 6 7 8; do
        echo "  - ${links[$i]}.endless.example. 60 IN CNAME ${links[$((i + 1))]}.endless.example."
    done
} >"$zones/test-space.yaml"

start_upstream world --listen 127.0.0.1:5400 <<'END'
www.example.org. 300 IN A 198.51.100.80
rebind.example.org. 300 IN A 10.0.0.37
END
start_upstream silent --listen 127.0.0.1:5401 <<'END'
END
start_upstream stale --listen 127.0.0.1:5402 <<'END'
www.stale.example. 1 IN A 198.51.100.81
END
set_mode silent silent
set_mode stale ttl 1
cat >"$work/settings.yaml" <<END
zones: $zones
listen: ["127.0.0.1:$port"]
workers: 1
upstreams: [127.0.0.1@5400]
upstream_zones:
  silent.example: [127.0.0.1@5401]
  stale.example: [127.0.0.1@5402]
  closed.example: [127.0.0.1@5499]
recursion_for: [space]
log_queries: all
log_format: json
log_rate: 0
control_socket: $socket
state_dir: $work/state
END
start serve --settings "$work/settings.yaml" --http-listen "$http"

# walk GROUP: what lacks of its reasons
walk() {
    expect "reasons: $1" "" "$(/usr/bin/python3 tests/e2e/every_reason.py "$port" "$http" "$socket" "$SPACEDNS" "$work/serve.out" "$1" 2>&1 | tail -n 20)"
}

walk usual

ask -b 10.0.130.56 www.stale.example >/dev/null
ask -b 10.0.130.56 none.stale.example >/dev/null
set_mode stale silent
walk silent

sed -i '/name: gone-brook-4/d' "$zones/test-space.yaml"
reload
walk removed

echo 'client_rate: 1' >>"$work/settings.yaml"
reload
walk limited

# ---- the page ----

if chromium=$(command -v chromium-headless-shell || command -v chromium); then
    shown=$("$chromium" --headless --no-sandbox --disable-gpu --user-data-dir="$work/chromium" \
        --virtual-time-budget=4000 --dump-dom "http://$http/" 2>/dev/null | sed 's/<[^>]*>/ /g')
    for code in $(sed -nE 's/^REASON\([A-Z_]+, "(Q[0-9]+)".*/\1/p' lib/decide/reasons.def | grep -vE 'Q30|Q50' | sort -u); do
        expect_match "$code: the page" "(^|[^0-9A-Za-z])$code([^0-9A-Za-z]|\$)" "$shown"
    done
else
    echo "left out, for there is no chromium-headless-shell: the page"
fi

# ---- a reload ----

sed -i 's/^cidr: 10.0.0.0/cidr: 10.0.0.1/' "$zones/test-space.yaml"
reload
expect_match "a refused reload: the log" ' error reload_refused code=Q50 desc="Reload refused, old data is being served"' "$logged"
expect_match "a refused reload: the API" '"result": *"refused"' "$(curl -s "http://$http/api/v1/reloads" | tr -d '\n')"
finish
