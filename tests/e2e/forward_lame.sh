#!/bin/bash
# Names that an upstream never answers, or answers late, delay only the clients that ask for them:
# with one upstream or two, over UDP and TLS, and with few descriptors.
# busy: measures when clients are answered
# timeout: 120
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
need openssl

upstream_port=$(free_port)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test \
    -addext subjectAltName=DNS:ns.lame.example -keyout "$work/tls.key" -out "$work/tls.pem" \
    2>"$work/openssl.log" || fail "a certificate for tests is made" "$(cat "$work/openssl.log")"
export SSL_CERT_FILE=$work/tls.pem

# start_lame NAME ADDRESS [--well]: lame_upstream.py, over UDP and TLS
start_lame() {
    "$SOURCE_DIR/tests/support/lame_upstream.py" "$2" "$upstream_port" \
        --tls "$work/tls.pem" "$work/tls.key" "${@:3}" >"$work/$1.out" 2>&1 &
    children+=("$!")
    await grep -q '^ready' "$work/$1.out" || fail "the upstream starts: $1" "$(cat "$work/$1.out")"
}
start_lame lame 198.51.100.53
start_lame lame-too 198.51.100.54
start_lame well 198.51.100.55 --well

udp() { echo "--upstream $1@$upstream_port"; }
tls() { echo "--upstream tls://$1@$upstream_port#ns.lame.example"; }

# story NAME "FLAG..." "CLIENT...": a server with these upstreams and its clients, see lame.py; all
# stories go on at once
stories=()
servers=()
story() {
    local port
    port=$(free_port)
    # shellcheck disable=SC2086
    start "$1" --zones zones --listen "10.0.0.2:$port" --workers 1 $2
    stories+=("$1")
    servers+=("$server")
    # Who loses nothing is what is looked at, not how fast a machine is that has other things to do.
    # shellcheck disable=SC2086
    LAME_PATIENCE=15 "$SOURCE_DIR/tests/support/lame.py" 10.0.0.2 "$port" 10 $3 >"$work/$1.lame" 2>&1 &
    children+=("$!")
    clients+=("$!")
}
clients=()

often="victim 10.0.130.56 example.org 0.5"
seldom="victim 10.0.130.56 example.org 3.3"
story one "$(udp 198.51.100.53)" "hammer 10.0.130.57 lame.example 100 $seldom"
story one-slow "$(udp 198.51.100.53)" "hammer 10.0.130.57 slow.example 100 $often"
story two "$(udp 198.51.100.53) $(udp 198.51.100.54)" "hammer 10.0.130.57 lame.example 20 $seldom"
story one-of-two "$(udp 198.51.100.53) $(udp 198.51.100.55)" \
    "hammer 10.0.130.57 lame.example 20 $seldom victim 10.0.130.58 lame.example 0.5"
story tls "$(tls 198.51.100.53)" "hammer 10.0.130.57 lame.example 100 $seldom"
story tls-one-of-two "$(tls 198.51.100.53) $(tls 198.51.100.55)" \
    "hammer 10.0.130.57 slow.example 20 $often victim 10.0.130.58 lame.example 2.5"
story burst "$(udp 198.51.100.53)" \
    "burst 10.0.130.57 lame.example 1100 burst 10.0.130.59 lame.example 1100 $often"
launcher=(prlimit --nofile=1024:1024)
story few "$(udp 198.51.100.53)" "hammer 10.0.130.57 lame.example 50 $often"
launcher=()
wait "${clients[@]}"

for name in "${stories[@]}"; do
    report=$(cat "$work/$name.lame")
    expect_match "$name: other clients asked for good names" '^victim ' "$report"
    expect_no_match "$name: no other client loses anything" ': ' "$report"
done

# One server for the rest: a name that takes 3 s, and that it ends well.
server=${servers[0]} server_log=$work/one.err
port=$(grep -oE ' listen=10\.0\.0\.2:[0-9]+' "$server_log" | grep -oE '[0-9]+$')
got=$(dig -b 10.0.130.56 @10.0.0.2 -p "$port" +tries=1 +time=6 name.slow.example A)
expect_match "a name that takes 3 s is answered" 'A[[:space:]]+198\.51\.100\.80$' "$got"
for server in "${servers[@]}"; do
    stop
    expect "exit code" 0 "$code"
done
finish
