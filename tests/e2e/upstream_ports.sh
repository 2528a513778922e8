#!/bin/bash
# How many ports upstream queries are sent from, in bits: in the log and in `spacedns status`, with a
# warning when they are few. The range is the network namespace's, so the servers have one of their own.
. "$(dirname "$0")/lib.bash"
spacedns=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
how=(--net)
[ "$(id -u)" = 0 ] || how+=(--map-root-user)
unshare "${how[@]}" true 2>/dev/null || skip "this user may not make a network namespace"

# serve NAME RANGE FLAG...
serve() {
    local range=$2
    echo "upstream_ports: ${ports:-system}" > "$work/settings.yaml"
    launcher=(unshare "${how[@]}" sh -c
        "ip link set lo up; echo $range > /proc/sys/net/ipv4/ip_local_port_range; exec \"\$@\"" sh)
    start "$1" --zones zones --listen 127.0.0.1:5300 --local-as test-space --workers 1 \
        --control-socket "$work/socket" --settings "$work/settings.yaml" "${@:3}"
    launcher=()
    # The figure outlasts a reload that changes another setting.
    echo "log_rate: 7" >> "$work/settings.yaml"
    "$spacedns" reload --socket "$work/socket" > "$work/reload" 2>&1
    status=$("$spacedns" status --socket "$work/socket" 2>&1)
    json=$("$spacedns" status --json --socket "$work/socket" 2>&1)
    stop
    log=$(cat "$server_log")
}

serve few "40000 40999" --upstream 10.9.9.9
expect_match "few ports are warned of, with the remedy" \
    ' warning few_ports ports=1000 upstream_port_bits=9\.9 text=".*ip_local_port_range=.*upstream_ports: any' "$log"
expect_match "the start says the bits" ' info ready .* upstream_port_bits=9\.9 ' "$log"
expect_match "status marks them" '^upstream_ports +! system, 1000 ports, 9\.9 bits$' "$status"
expect_match "JSON has them" '"bits": 9\.9' "$json"

serve usual "32768 60999" --upstream 10.9.9.9
expect_no_match "the usual range is enough" few_ports "$log"
expect_match "status says its bits" '^upstream_ports +system, 28232 ports, 14\.7 bits$' "$status"

serve alone "40000 40999" --upstream none
expect_no_match "without upstreams there is nothing to warn of" few_ports "$log"

ports=any serve any "40000 40999" --upstream 10.9.9.9
expect_no_match "any port does not depend on the range" few_ports "$log"
expect_match "status says so" '^upstream_ports +any, 64512 ports, 15\.9 bits$' "$status"
finish
