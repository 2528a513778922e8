#!/bin/bash
# The class table over real sockets: each client in a network of its own with its real address, the
# server reached over virtual cables, on every address and on given ones.
# busy: asks from every client
# timeout: 180
. "$(dirname "$0")/lib.bash"
. "$(dirname "$script")/network.bash"

build_network DYNO RUN PEER VPN PENDING BRANCH TRUSTED EXT GATEWAY OTHER
inside EXT dig @10.0.0.2 +tries=1 +time=1 x >/dev/null # resolves the neighbour

# sees CLIENT NAME TYPE WANTED: WANTED is addresses, or STATUS CODE; over UDP and TCP, on each address
sees() {
    local client=$1 name=$2 type=$3 wanted=$4 to how reply got
    for to in "${asked[@]}"; do
        for how in +notcp +tcp; do
            reply=$(from "$client" "$to" "$how" "$name" "$type")
            if [[ $wanted = [0-9]* ]]; then
                got=$(addresses "$(sed -n 's/^[^;].*[[:space:]]IN[[:space:]]A[[:space:]]*//p' <<<"$reply")")
            else
                got=
                [[ $reply =~ status:\ ([A-Z]+), ]] && got=${BASH_REMATCH[1]}
                [[ $reply =~ EDE:\ [^$'\n']*\((Q[0-9]+) ]] && got+=" ${BASH_REMATCH[1]}"
            fi
            expect "$client asks $to ($how) for $name $type" "$wanted" "$got"
            if [[ $reply = *"SERVER: $to#53"* && ! $reply =~ unexpected\ source|timed\ out ]]; then
                pass
            else
                fail "$client asks $to ($how): one reply comes, from there" "$reply"
            fi
        done
    done
}

class_table() {
    local client routers="10.0.0.37 10.0.16.21"
    for client in DYNO RUN PEER VPN; do
        sees "$client" frozen-oasis-70544.herokuapp.com A "$routers"
        sees "$client" api.example.com A "$routers"
        sees "$client" sleepy-river-2739.herokuapp.com A "NOERROR Q10"
        sees "$client" quiet-lake-4410.herokuapp.com A "REFUSED Q20"
        sees "$client" www.example.org A "REFUSED Q20"
    done
    for client in PENDING BRANCH TRUSTED EXT GATEWAY; do
        sees "$client" frozen-oasis-70544.herokuapp.com A "REFUSED Q18"
        sees "$client" no-such-name.example.org AAAA "REFUSED Q18"
        sees "$client" web.frozen-oasis-70544.app.localspace A "REFUSED Q18"
    done
    for client in DYNO RUN; do
        sees "$client" web.frozen-oasis-70544.app.localspace A "10.0.130.56 10.0.151.218"
    done
    for client in PEER VPN; do
        sees "$client" web.frozen-oasis-70544.app.localspace A "REFUSED Q19"
    done
    sees OTHER frozen-oasis-70544.herokuapp.com A "REFUSED Q20"
    sees OTHER web.frozen-oasis-70544.app.localspace A "NXDOMAIN Q25"
    sees OTHER quiet-lake-4410.herokuapp.com A "10.1.0.37"
}

zones=$work/zones
mkdir "$zones"
cp zones/test-space.yaml "$zones/"
cat >"$zones/other.yaml" <<'END'
space: other-space
cidr: 10.1.0.0/16
routers: [10.1.0.37]
apps:
  - name: quiet-lake-4410
    internal_routing: true
    formation: {web: {dynos: [{number: 1, private_ip: 10.1.130.4}]}}
END

# ---- given addresses, every address ----

start given --zones "$zones" --listen 10.0.0.2 --listen 10.1.0.2
asked=(10.0.0.2 10.1.0.2)
class_table
got=$(from DYNO 10.0.0.3 +time=1 frozen-oasis-70544.herokuapp.com)
expect_match "nothing listens on an address that was not given" 'refused|timed out|no servers' "$got"
stop
expect "exit code" 0 "$code"

start every --zones "$zones" --listen 0.0.0.0
asked=(10.0.0.2 10.0.0.3 10.1.0.2)
class_table

# The kernel's choice of a source address would be the same for all three: the whole class table has
# seen each reply come from the address asked. A client asks all three through one socket, too.
got=$(inside DYNO /usr/bin/python3 - <<'END'
import socket, struct
name = b"".join(bytes([len(part)]) + part for part in
                b"frozen-oasis-70544.herokuapp.com".split(b".")) + b"\0"
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(10)
wrong = 0
for number in range(300):
    to = ("10.0.0.2", "10.0.0.3", "10.1.0.2")[number % 3]
    client.sendto(struct.pack("!HHHHHH", number, 0, 1, 0, 0, 0) + name + b"\0\1\0\1", (to, 53))
    reply, sender = client.recvfrom(1500)
    wrong += sender != (to, 53) or reply[:2] != struct.pack("!H", number)
print(wrong)
END
)
expect "300 queries to three addresses through one socket, wrong senders" 0 "$got"

# A peering and a VPN are followed at a reload.
sed -i 's/pcx-111aaa111, status: active/pcx-111aaa111, status: expired/; s/196, status: UP/196, status: DOWN/' \
    "$zones/test-space.yaml"
inside server kill -HUP "$server"
has_reloaded() {
    grep -q ' info reload_done ' "$server_log"
}
await has_reloaded || fail "the reload is done" "$(cat "$server_log")"
asked=(10.0.0.2)
sees PEER frozen-oasis-70544.herokuapp.com A "REFUSED Q18"
sees VPN frozen-oasis-70544.herokuapp.com A "REFUSED Q18"
sees DYNO frozen-oasis-70544.herokuapp.com A "10.0.0.37 10.0.16.21"
stop

# ---- spaces with one CIDR, distinguished by the destination address ----

rm "$zones"/*
for colour in blue:2:37 green:3:99; do
    IFS=: read -r name host router <<<"$colour"
    cat >"$zones/$name.yaml" <<END
space: $name-space
listen: [10.0.0.$host]
routers: [10.0.0.$router]
apps:
  - name: $name-app-1
    internal_routing: true
    formation: {web: {dynos: [{number: 1, private_ip: 10.0.130.56}]}}
END
done
for listen in "--listen 0.0.0.0" "--listen 10.0.0.2 --listen 10.0.0.3 --listen 10.1.0.2"; do
    # shellcheck disable=SC2086
    start listen --zones "$zones" $listen
    asked=(10.0.0.2)
    sees DYNO blue-app-1.herokuapp.com A 10.0.0.37
    sees DYNO green-app-1.herokuapp.com A "REFUSED Q20"
    asked=(10.0.0.3)
    sees DYNO green-app-1.herokuapp.com A 10.0.0.99
    sees DYNO blue-app-1.herokuapp.com A "REFUSED Q20"
    asked=(10.1.0.2)
    sees DYNO blue-app-1.herokuapp.com A "REFUSED Q18"
    asked=(10.0.0.2 10.0.0.3 10.1.0.2)
    sees EXT blue-app-1.herokuapp.com A "REFUSED Q18"
    stop
done

# ---- a one-off dyno, as its user sees it: dig, getent, curl ----

cp "$SOURCE_DIR/zones/test-space.yaml" "$zones/"
rm "$zones"/blue.yaml "$zones"/green.yaml
start dyno --zones "$zones" --listen 10.0.0.2
address[ROUTER]=10.0.0.37
connect ROUTER 10.0.16.21
serve_http ROUTER
if may_mount; then
    name=frozen-oasis-70544.herokuapp.com
    expect "dig without arguments, in a one-off dyno" "10.0.0.37 10.0.16.21" \
        "$(addresses "$(as_dyno dig +short $name)")"
    expect "getent, in a one-off dyno" "10.0.0.37 10.0.16.21" \
        "$(addresses "$(as_dyno getent ahostsv4 $name | cut -d' ' -f1 | sort -u)")"
    if command -v curl >/dev/null; then
        expect_match "curl -I, in a one-off dyno" '^HTTP/1\.1 200 OK' \
            "$(as_dyno curl -sSI --noproxy '*' http://$name/)"
        expect_match "curl of an app that has crashed" 'Could not resolve host' \
            "$(as_dyno curl -sSI --noproxy '*' http://sleepy-river-2739.herokuapp.com/)"
    fi
else
    echo "no mounts may be made here: getent and curl are not tried"
fi
stop
finish
