#!/bin/bash
# Connections with a device: one source address in two VPNs and outside, told apart by the interface
# that its packets come by, over UDP and TCP, on every address and on a given one; interfaces that
# come, go and get another name while the server runs.
# timeout: 180
. "$(dirname "$0")/lib.bash"
. "$(dirname "$script")/network.bash"
. "$(dirname "$script")/devices.bash"

# ---- every address, a given address ----

for listen in 0.0.0.0 10.0.0.2; do
    write_zones ipsec0
    start "devices-$listen" --zones "$zones" --listen "$listen" --control-socket "$work/control.sock" --workers 2
    class_table
    ip -n server route replace "$office/32" dev ipsec0
    got=$(from OFFICE 10.0.0.2 +short _whoami.localspace TXT)
    expect_match "_whoami names the device" '"connection=one-vpn" "device=ipsec0" "matched=172.18.0.0/16"' "$got"

    # A space gets its device, and loses it, at a reload.
    write_zones ""
    reload
    must_see OPEN open0 +notcp "$one" 10.0.0.37
    must_see OPEN open0 +tcp "$one" 10.0.0.37
    must_see BRANCH ipsec1 +notcp "$two" 10.1.0.37
    must_see BRANCH ipsec1 +notcp "$one" 10.0.0.37
    must_see OPEN open0 +notcp "$two" "REFUSED Q20"
    write_zones ipsec0
    reload
    class_table
    stop
    expect "exit code" 0 "$code"
done

# ---- devices first at a reload, on a given address ----

write_zones ""
sed -i 's/, device: ipsec1//' "$zones/two.yaml"
start reload --zones "$zones" --listen 10.0.0.2 --control-socket "$work/control.sock" --workers 2
must_see OPEN open0 +notcp "$one" 10.0.0.37
write_zones ipsec0
reload
class_table

# ---- what comes by a device is tried as coming by it ----

mkdir "$work/next"
for zone in "$zones"/*.yaml; do
    sed '1s/^/# words\n/' "$zone" >"$work/next/${zone##*/}"
done
got=$("$SPACEDNS" plan "$work/next" --traffic --socket "$work/control.sock")
expect_match "nobody is outside of a plan" '^traffic since .*: none of [1-9][0-9]* clients? would have got ' "$got"

# ---- interfaces come and go ----

ip -n server link del ipsec0
await grep -q ' warning device_absent device=ipsec0 ' "$server_log" || fail "the log has that the device is gone"
got=$("$SPACEDNS" whoami --from "$office" --socket "$work/control.sock")
expect_match "whoami without a device" \
    'routable_cidrs of VPN one-vpn of one-space \(.*\), whose clients are inside only when they come by its device: ask with --device ipsec0$' "$got"
got=$("$SPACEDNS" whoami --from "$office" --device ipsec0 --socket "$work/control.sock")
expect_match "whoami with it" 'class=vpn space=one-space connection=one-vpn device=ipsec0 because of 172.18.0.0/16' "$got"
plug open1 OFFICE
must_see OFFICE open1 +notcp "$one" "REFUSED Q18"
ip -n server link del open1
plug ipsec0 OFFICE
await grep -q ' info device_there device=ipsec0$' "$server_log" || fail "the log has that the device is there"
must_see OFFICE ipsec0 +notcp "$one" 10.0.0.37
must_see OFFICE ipsec0 +tcp "$one" 10.0.0.37

# Another name is another device.
ip -n server link set ipsec1 down
ip -n server link set ipsec1 name ipsec9
ip -n server link set ipsec9 up
comes_to_see BRANCH ipsec9 +notcp "$two" "REFUSED Q18"
must_see BRANCH ipsec9 +tcp "$two" "REFUSED Q18"

# The operator's command, by the files alone.
got=$("$SPACEDNS" explain "$one" --from "$office" --zones "$zones" 2>/dev/null)
expect_match "explain without a device" 'Q18' "$got"
got=$("$SPACEDNS" explain "$one" --from "$office" --device ipsec0 --zones "$zones" 2>/dev/null)
expect_match "explain with it" 'NOERROR' "$got"
stop
expect "exit code" 0 "$code"

finish
