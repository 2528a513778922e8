#!/bin/bash
# The end on SIGTERM: what is under way to upstreams may end within two seconds, and every client
# gets its reply, over UDP and TCP; a query that cannot end gets the reason that the server is stopping.
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"

port=$(free_port)
start_upstream first --listen 198.51.100.53 <<'END'
*.example.org.  300 IN A 198.51.100.80
END
flags=(--zones zones --listen "127.0.0.1:$port" --local-as test-space --upstream 198.51.100.53)

# ask_beside CLIENT DIG-ARGUMENT...: asks beside the script; the reply goes to $work/CLIENT.got
asking=()
ask_beside() {
    ask "${@:2}" >"$work/$1.got" 2>&1 &
    asking+=("$!")
}

# are_asked NAME...: the upstream has seen these questions
are_asked() {
    local name
    for name in "$@"; do
        [ "$(times_asked first "$name" A)" -ge 1 ] || return 1
    done
}

# end_within MOST_MS [MEANWHILE]: SIGTERM, while questions are on their way
end_within() {
    local before
    before=$(now_ms)
    kill -TERM "$server"
    await grep -q ' info stopping ' "$server_log" || fail "$what: SIGTERM is logged" "$(cat "$server_log")"
    [ $# -lt 2 ] || "$2"
    await is_gone "$server" || fail "$what: it ends"
    took=$(($(now_ms) - before))
    wait "$server"
    expect "$what: exit code" 0 "$?"
    [ -n "${SANITIZE:-}" ] || [ "$took" -le "$1" ] || fail "$what: it ends within $1 ms" "it took $took ms"
    wait "${asking[@]}"
    asking=()
}

what="an upstream that answers after a second"
set_mode first slow 1000
start slow "${flags[@]}" --workers 1
ask_beside udp one.example.org
ask_beside tcp +tcp two.example.org
await are_asked one.example.org two.example.org || fail "$what: it is asked" "$(cat "$work/first.log")"
end_within 1900
for client in udp tcp; do
    expect_match "$what: the $client client has its answer" '[[:space:]]198\.51\.100\.80$' "$(cat "$work/$client.got")"
done

what="an upstream that does not answer"
set_mode first answer
start lame "${flags[@]}" --workers 1
ask_beside udp one.lame.example
ask_beside tcp +tcp two.lame.example
await are_asked one.lame.example two.lame.example || fail "$what: it is asked" "$(cat "$work/first.log")"
stopping='EDE: 22 .*\(Q22 this server is stopping and waits no longer for 198\.51\.100\.53\)'
ask_meanwhile() {
    local got
    expect_match "$what: names of ours are answered meanwhile" '^10\.0\.0\.37$' "$(ask +short frozen-oasis-70544.herokuapp.com)"
    got=$(ask new.example.org)
    expect_match "$what: a new query gets the reason why it is not forwarded" 'EDE: 22 .*\(Q22 this server is stopping' "$got"
    expect "$what: nor is it" 0 "$(times_asked first new.example.org A)"
}
end_within 3000 ask_meanwhile
[ "$took" -ge 1900 ] || fail "$what: it has two seconds to" "it took $took ms"
for client in udp tcp; do
    expect_match "$what: the $client client gets SERVFAIL" 'status: SERVFAIL' "$(cat "$work/$client.got")"
    expect_match "$what: the $client client reads why" "$stopping" "$(cat "$work/$client.got")"
done
finish
