# Other programs' resolvers in the network of a peered VPC, with the snippet in $work/snippet; read
# after network.bash.

# herokuapp.com is signed; this anchor above it stands for the root, which cannot be asked here.
anchor=com
digest=E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D

# listen_at PORT: where the next resolver listens, and is asked; systemd-resolved has its own address
listen_at() {
    resolver_port=$1
    at=(@127.0.0.1 -p "$1")
    awake=_whoami.localspace
}
listen_at 5301

# asked NAME [DIG-ARGUMENT...]: at the resolver in the VPC
asked() {
    inside PEER dig "${at[@]}" +tries=1 +time=5 "$@" 2>&1
}

is_awake() {
    asked "$awake" TXT | grep -q 'status: NOERROR'
}

# resolver WHAT COMMAND...: in the VPC, as $resolver
resolver() {
    local what=$1
    shift
    nsenter --net=/run/netns/PEER "$@" >"$work/resolver-$resolver_port.log" 2>&1 &
    resolver=$!
    children+=("$resolver")
    await is_awake || fail "$what begins" "$(tail -n 20 "$work/resolver-$resolver_port.log")"
}

end_resolver() {
    kill -TERM "$resolver" 2>/dev/null
    await is_gone "$resolver" || kill -KILL "$resolver"
    wait "$resolver" 2>/dev/null
}

# unbound_file [LINE...]: its settings; what is not forwarded by the snippet is for the LINEs
unbound_file() {
    cat <<END_OF_FILE
server:
    interface: 127.0.0.1
    port: $resolver_port
    username: ""
    chroot: ""
    pidfile: ""
    directory: "$work"
    use-syslog: no
    do-ip6: no
    module-config: "validator iterator"
    private-address: 10.0.0.0/8
    trust-anchor: "$anchor. DS 20326 8 2 $digest"
include: "$work/snippet"
END_OF_FILE
    printf '%s\n' "$@"
}

# dnsmasq_command [ARGUMENT...]: $dnsmasq
dnsmasq_command() {
    dnsmasq=(dnsmasq --no-daemon --conf-file="$work/snippet" --no-resolv --no-hosts
        --listen-address=127.0.0.1 --bind-interfaces --port="$resolver_port"
        --stop-dns-rebind --dnssec --dnssec-check-unsigned --trust-anchor=".,20326,8,2,$digest" "$@")
}

# named_file VALIDATE-EXCEPT [OPTION...]
named_file() {
    cat <<END_OF_FILE
options {
    directory "$work";
    pid-file none;
    session-keyfile none;
    listen-on port $resolver_port { 127.0.0.1; };
    listen-on-v6 { none; };
    dnssec-validation yes;
    recursion yes;
    $1
    ${*:2}
};
trust-anchors { "$anchor" static-ds 20326 8 2 "$digest"; };
controls { };
include "$work/snippet";
END_OF_FILE
}

# The names of the snippet that named validates without signatures, as its comment has them.
named_exceptions() {
    sed -n '/validate-except/,/};/s|^//||p' "$work/snippet"
}

# find_resolved: $resolved, installed or as cmd/dev deps unpacked it, and where its libraries are
find_resolved() {
    local root
    for root in "" "$SOURCE_DIR/build/systemd-resolved" "$SOURCE_DIR/build/systemd-resolved/usr"; do
        resolved=$root/lib/systemd/systemd-resolved
        resolvectl=${root%/usr}/usr/bin/resolvectl
        resolved_libraries=$(echo "${root%/usr}"/usr/lib/*/systemd)
        [ ! -x "$resolved" ] || return 0
    done
    return 1
}

# With a /run, an /etc/systemd and a D-Bus of its own: no links of networkd, no settings but these. Its
# own user may not be here, so root of this network has that name, too.
with_settings='mount -t tmpfs none /run && mkdir -p /run/systemd/resolve /run/dbus &&
    mount --bind "$1" /etc/systemd && mount --bind "$1/passwd" /etc/passwd && shift && exec "$@"'

with_bus='dbus-daemon --config-file="$1" --fork --nopidfile && shift && exec "$@"'

bus_file() {
    cat <<END_OF_FILE
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/>
  </policy>
</busconfig>
END_OF_FILE
}

# resolved_settings [LINE...]: a folder for /etc/systemd
resolved_settings() {
    rm -rf "$work/systemd"
    mkdir -p "$work/systemd"
    { grep -v ^systemd-resolve: /etc/passwd && echo systemd-resolve:x:0:0::/:/bin/false; } \
        >"$work/systemd/passwd"
    printf '[Resolve]\n%s\n' FallbackDNS= LLMNR=no MulticastDNS=no "$@" >"$work/systemd/resolved.conf"
}

may_run_resolved() {
    resolved_settings
    command -v dbus-daemon >/dev/null || echo "no dbus-daemon" >"$work/refused"
    command -v dbus-daemon >/dev/null && inside PEER unshare --mount sh -c "$with_settings" sh \
        "$work/systemd" true 2>"$work/refused"
}

# start_resolved WHAT DNSSEC [DNS]: the whole host's settings, with servers for what is not forwarded;
# then the snippet is run for the link to the space
start_resolved() {
    resolver_port=53
    at=(@127.0.0.53)
    awake=localhost # which it answers itself
    resolved_settings "DNSSEC=$2" "DNS=${3:-}"
    bus_file >"$work/bus.conf"
    resolver "$1" unshare --mount sh -c "$with_settings" sh "$work/systemd" \
        env LD_LIBRARY_PATH="$resolved_libraries" sh -c "$with_bus" sh "$work/bus.conf" "$resolved"
    mkdir -p "$work/bin"
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$resolved_libraries" "$resolvectl" \
        >"$work/bin/resolvectl"
    chmod +x "$work/bin/resolvectl"
    nsenter --target "$resolver" --net --mount \
        env PATH="$work/bin:$PATH" link=far timeout 20 sh "$work/snippet" >"$work/resolvectl.log" 2>&1 ||
        fail "$1: the snippet runs" "$(cat "$work/resolvectl.log")"
}
