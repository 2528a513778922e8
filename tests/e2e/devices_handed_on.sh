#!/bin/bash
# Connections with a device, served on sockets that the server did not open: a service manager's,
# those of the server before at an upgrade, and those that a service manager kept over a restart.
# Meanwhile interfaces get other numbers.
# timeout: 300
. "$(dirname "$0")/lib.bash"
. "$(dirname "$script")/network.bash"
. "$(dirname "$script")/devices.bash"

write_zones ipsec0
socket=$work/control.sock
flags=(--zones "$zones" --control-socket "$socket" --workers 2)

number_of() {
    inside server cat "/sys/class/net/$1/ifindex" 2>/dev/null || ip -n server -o link show "$1" | cut -d: -f1
}

# renumber: the interface of the first device is gone, and there again with another number
renumber() {
    local before
    before=$(number_of ipsec0)
    ip -n server link del ipsec0
    plug ipsec0 OFFICE
    [ "$(number_of ipsec0)" != "$before" ] || fail "the interface gets another number"
}

spacedns() {
    "$SPACEDNS" "$@" --socket "$socket"
}

# The server that runs now is ended with the script, whoever started it.
adopt() {
    server=$(spacedns status --json | /usr/bin/python3 -c "import json, sys; print(json.load(sys.stdin)['pid'])")
    children+=("$server")
}

upgrade() {
    local before=$server
    expect_match "$1" '^Upgrading\.\.\. done' "$(spacedns upgrade 2>&1)"
    adopt
    await is_gone "$before" || fail "$1: the server before leaves"
}

# ---- a service manager's sockets, upgrades ----

for listen in 0.0.0.0 10.0.0.2; do
    launcher=(nsenter --net=/run/netns/server /usr/bin/python3 "$SOURCE_DIR/tests/support/activate.py"
        "dns.socket=udp:$listen:53" "dns.socket=tcp:$listen:53" --)
    start "activated-$listen" --listen "$listen" "${flags[@]}"
    class_table 2
    upgrade "$listen, an upgrade"
    class_table 2
    renumber
    upgrade "$listen, an upgrade after the interface has another number"
    class_table 2
    kill -TERM "$server"
    await is_gone "$server" || fail "$listen: the upgraded server ends"
done

# the first device of all, which the new server alone knows of
launcher=(nsenter --net=/run/netns/server)
write_zones ""
sed -i 's/, device: ipsec1//' "$zones/two.yaml"
start plain --listen 10.0.0.2 "${flags[@]}"
must_see OPEN open0 +notcp "$one" 10.0.0.37
must_see OPEN open0 +tcp "$one" 10.0.0.37
write_zones ipsec0
upgrade "an upgrade that brings the first device"
class_table 2
kill -TERM "$server"
await is_gone "$server" || fail "the upgraded server ends"

# ---- a restart with the sockets kept ----

kept=$work/kept
mkdir "$kept"
server_log=$work/manager.err
: >"$server_log"
"${launcher[@]}" /usr/bin/python3 "$SOURCE_DIR/tests/support/fd_store.py" "$kept" \
    "$SPACEDNSD" "${as_user[@]}" --http-listen none --listen 10.0.0.2 "${flags[@]}" --upstream none >"$work/manager.out" 2>"$server_log" &
manager=$!
children+=("$manager")
is_ready() {
    [ "$(grep -c ' info ready ' "$server_log")" -ge "$1" ]
}
is_stored() {
    [ "$(sort "$kept/store" 2>/dev/null | tr '\n' ' ')" = "tcp.0 tcp.1 udp.0 udp.1 " ]
}
has_ended() {
    [ "$(cat "$kept/pid")" = 0 ]
}
await is_ready 1 || fail "the service starts" "$(cat "$server_log")"
await is_stored || fail "the manager gets all sockets"
class_table 2
for round in 1 2; do
    kill -TERM "$(cat "$kept/pid")"
    await has_ended || fail "restart $round: the server ends"
    renumber
    # What waits for the server came by the interface, too.
    ip -n server route replace "$office/32" dev ipsec0
    early=()
    for how in +notcp +tcp; do
        from OFFICE 10.0.0.2 "$how" +short "$one" >"$work/early.$how" 2>&1 &
        early+=("$!")
    done
    touch "$kept/go"
    await is_ready $((round + 1)) || fail "restart $round: the server is started again" "$(cat "$server_log")"
    wait "${early[@]}"
    for how in +notcp +tcp; do
        expect "restart $round: a query that waits ($how)" 10.0.0.37 "$(cat "$work/early.$how")"
    done
    class_table 2
done
touch "$kept/end"
await is_gone "$manager" || fail "the manager ends"

finish
