# A registry for stories: Debian's etcd on loopback, with free ports and its data in $work; read after
# lib.bash. Keys are below $registry, so `put z/test-space` writes $registry/z/test-space.
#
#     start_etcd                       one member; start_etcd 3: three, as a cluster
#     found_registry                   what makes it a registry: meta and config
#     put_file z/test-space FILE       as one revision
#     replica first                    spacednsd on it, ready; its port is $port
#     await_answer NAME 10.0.0.37      until it answers that
#     note_answers before              all answers about test-space and other-space, to several clients
#     expect_answers WHAT before       they are still the same
#
# Members are numbered from 1; what is arrays has them at that index. In a private network (lib.bash)
# the answers to clients with other addresses are noted, too.
need etcd etcdctl curl

registry_root=/spacedns
registry_cell="test"
registry=$registry_root/$registry_cell
etcd_count=0
etcd_pids=()
etcd_urls=()
etcd_peers=()
etcd_settings=() # more flags for members that start from now on
etcd_at=127.0.0.1 # where members listen
etcd_inside=()    # what starts members, etcdctl and curl elsewhere: nsenter --net=…
export ETCDCTL_API=3

# ---- members ----

# etcd_list: the URLs of all members, with commas between
etcd_list() {
    local IFS=,
    echo "${etcd_urls[*]}"
}

is_etcd_up() {
    "${etcd_inside[@]}" curl -s --max-time 2 "${etcd_curl[@]}" "${etcd_urls[$1]}/health" 2>/dev/null | grep -q '"health": *"true"'
}
etcd_curl=() # curl's flags for TLS

# launch_etcd_member N: begins one, with the data it had, and does not wait
launch_etcd_member() {
    local n=$1 cluster i
    cluster=
    for ((i = 1; i <= etcd_count; i++)); do
        cluster+=${cluster:+,}m$i=${etcd_peers[i]}
    done
    "${etcd_inside[@]}" etcd --name "m$n" --data-dir "$work/etcd-$n" --listen-client-urls "${etcd_urls[n]}" \
        --advertise-client-urls "${etcd_urls[n]}" --listen-peer-urls "${etcd_peers[n]}" \
        --initial-advertise-peer-urls "${etcd_peers[n]}" --initial-cluster "$cluster" \
        --heartbeat-interval 100 --election-timeout 1000 --log-level warn --logger zap \
        "${etcd_settings[@]}" >>"$work/etcd-$n.log" 2>&1 &
    etcd_pids[n]=$!
    children+=("$!")
    disown # the shell does not report that it was killed
}

# start_etcd_member N: until it answers
start_etcd_member() {
    launch_etcd_member "$1"
    await is_etcd_up "$1" || fail "etcd's member $1 starts" "$(tail -n 20 "$work/etcd-$1.log")"
}

# stop_etcd_member N [SIGNAL]: KILL by default; STOP and CONT leave it as it is
stop_etcd_member() {
    local signal=${2:-KILL}
    kill -"$signal" "${etcd_pids[$1]}" 2>/dev/null
    case $signal in
    STOP | CONT) ;;
    *)
        await is_gone "${etcd_pids[$1]}" || fail "etcd's member $1 ends"
        ;;
    esac
}

# start_etcd [COUNT]
start_etcd() {
    local n scheme=${etcd_scheme:-http}
    etcd_count=${1:-1}
    for ((n = 1; n <= etcd_count; n++)); do
        etcd_urls[n]=$scheme://$etcd_at:$(free_port)
        etcd_peers[n]=http://$etcd_at:$(free_port)
    done
    for ((n = 1; n <= etcd_count; n++)); do
        launch_etcd_member "$n"
    done
    for ((n = 1; n <= etcd_count; n++)); do
        await is_etcd_up "$n" || fail "etcd's member $n starts" "$(tail -n 20 "$work/etcd-$n.log")"
    done
}

# stop_etcd [SIGNAL]: all members
stop_etcd() {
    local n
    for ((n = 1; n <= etcd_count; n++)); do
        stop_etcd_member "$n" "${1:-KILL}"
    done
}

# start_etcd_again: all members, with the data they had
start_etcd_again() {
    local n
    for ((n = 1; n <= etcd_count; n++)); do
        launch_etcd_member "$n"
    done
    for ((n = 1; n <= etcd_count; n++)); do
        await is_etcd_up "$n" || fail "etcd's member $n starts again" "$(tail -n 20 "$work/etcd-$n.log")"
    done
}

# forget_etcd: the members' data too; start_etcd makes another registry
forget_etcd() {
    stop_etcd
    rm -rf "$work"/etcd-[0-9]
}

etcd_ctl() {
    "${etcd_inside[@]}" etcdctl --endpoints "$(etcd_list)" --command-timeout "${patience}s" "${etcd_ctl_flags[@]}" "$@"
}
etcd_ctl_flags=() # for TLS and users

# etcd_leader: the number of the member that leads; fails when none does
etcd_leader() {
    local n
    for ((n = 1; n <= etcd_count; n++)); do
        if "${etcd_inside[@]}" etcdctl --endpoints "${etcd_urls[n]}" --command-timeout 2s "${etcd_ctl_flags[@]}" \
            endpoint status --write-out=fields 2>/dev/null |
            awk '/^"MemberID"/ {own = $3} /^"Leader"/ {leader = $3} END {exit !(own != "" && own == leader)}'; then
            echo "$n"
            return 0
        fi
    done
    return 1
}

# etcd_backup FILE: what there is now
etcd_backup() {
    "${etcd_inside[@]}" etcdctl --endpoints "${etcd_urls[1]}" "${etcd_ctl_flags[@]}" snapshot save "$1" >/dev/null 2>&1 ||
        fail "etcd is backed up"
}

# etcd_restore FILE: the one member ends, and starts with what the backup has
etcd_restore() {
    stop_etcd_member 1
    rm -rf "$work/etcd-1"
    etcdctl snapshot restore "$1" --data-dir "$work/etcd-1" --name m1 --initial-cluster "m1=${etcd_peers[1]}" \
        --initial-advertise-peer-urls "${etcd_peers[1]}" >"$work/restore" 2>&1 ||
        fail "etcd is restored" "$(cat "$work/restore")"
    start_etcd_member 1
}

# etcd_compact [REVISION]: history begins there, by default now
etcd_compact() {
    etcd_ctl compact --physical "${1:-$(revision)}" >/dev/null || fail "etcd compacts"
}

# ---- certificates ----

# make_certificates NAME...: $work/NAME.{crt,key} of clients whose CommonName is NAME, and etcd's
# own; members that start from now on want one of a client, and etcdctl and curl have root's.
make_certificates() {
    local name subject extension
    need openssl
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -keyout "$work/ca.key" \
        -out "$work/ca.crt" -subj "/O=e2e" 2>/dev/null || fail "a CA is made"
    for name in etcd root "$@"; do
        subject=/CN=$name
        extension=extendedKeyUsage=clientAuth
        [ "$name" != etcd ] ||
            extension="subjectAltName=IP:127.0.0.1,DNS:localhost"$'\n'"extendedKeyUsage=serverAuth,clientAuth"
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/$name.key" \
            -out "$work/$name.csr" -subj "$subject" 2>/dev/null &&
            openssl x509 -req -in "$work/$name.csr" -CA "$work/ca.crt" -CAkey "$work/ca.key" -CAcreateserial \
                -days 30 -out "$work/$name.crt" -extfile <(echo "$extension") 2>/dev/null ||
            fail "a certificate of $name is made"
        chmod 644 "$work/$name.key" # the server may run as another user
    done
    etcd_scheme=https
    etcd_settings+=(--cert-file "$work/etcd.crt" --key-file "$work/etcd.key" --trusted-ca-file "$work/ca.crt"
        --client-cert-auth)
    etcd_curl=(--cacert "$work/ca.crt" --cert "$work/root.crt" --key "$work/root.key")
    etcd_ctl_flags=("${etcd_curl[@]}")
}

# ---- keys ----

# The name of a key: what begins with a slash is whole.
full_key() {
    case $1 in
    /*) echo "$1" ;;
    *) echo "$registry/$1" ;;
    esac
}

# put KEY VALUE: with \n for ends of lines
put() {
    printf '%b' "$2" | etcd_ctl put "$(full_key "$1")" >/dev/null || fail "etcd takes $1"
}

# put_file KEY FILE
put_file() {
    etcd_ctl put "$(full_key "$1")" <"$2" >/dev/null || fail "etcd takes $1 from $2"
}

# get KEY: its value
get() {
    etcd_ctl get --print-value-only "$(full_key "$1")" | head -c -1 # etcdctl ends it with a newline
}

# del KEY [FLAG...]: --prefix for all keys that begin so
del() {
    etcd_ctl del "$(full_key "$1")" "${@:2}" >/dev/null || fail "etcd deletes $1"
}

# txn OPERATION...: in one revision; `put KEY VALUE` with \n for ends of lines, or `del KEY [--prefix]`
txn() {
    local operation verb key value
    {
        echo # no compares
        for operation; do
            read -r verb key value <<<"$operation"
            case $verb in
            put) printf 'put "%s" "%s"\n' "$(full_key "$key")" "${value//\"/\\\"}" ;;
            del) printf 'del "%s" %s\n' "$(full_key "$key")" "$value" ;;
            *) fail "txn knows put and del, not $verb" ;;
            esac
        done
        echo # nothing in the other case
        echo
    } | etcd_ctl txn >/dev/null || fail "etcd takes the transaction"
}

# revision: the registry's, of now
revision() {
    etcd_ctl get / --write-out=fields | sed -n 's/^"Revision" : //p'
}

# as_value FILE: its text as `put` and `txn` take it
as_value() {
    sed -e 's/\\/\\\\/g' "$1" | awk '{printf "%s\\n", $0}'
}

# beat: as a scheduler's, of now
beat() {
    put beat "at_ms: $(now_ms)\nby: e2e"
}

# found_registry [ID]: what makes it one
found_registry() {
    put meta "format: 1\nid: ${1:-6f1d2f0e-7a55-4d0e-9c35-2a3c1f6f9b01}"
    put config "by: e2e@host\nat: 2026-01-01T00:00:00Z\nwhat: first"
}

# fill_registry: found_registry, with test-space and other-space
fill_registry() {
    found_registry
    txn "put z/test-space $(as_value zones/test-space.yaml)" \
        "put z/other-space $(as_value tests/zones_good/other-space.yaml)"
}

# write_mass_space FILE COUNT: a space with so many internal apps (quick-fox-1 …) whose dynos are
# keys; its clients are in 10.2.0.0/16
write_mass_space() {
    local i
    {
        printf 'space: mass-space\ncidr: 10.2.0.0/16\nrouters: [10.2.0.40]\napps:\n'
        for ((i = 1; i <= $2; i++)); do
            printf '  - {name: quick-fox-%d, internal_routing: true}\n' "$i"
        done
        echo ...
    } >"$1"
}

# put_mass_dynos FIRST LAST [FLAG...]: one web dyno each, up, in one revision; FLAGs of etcdctl's put
put_mass_dynos() {
    local i first=$1 last=$2
    shift 2
    {
        echo
        for ((i = first; i <= last; i++)); do
            printf 'put %s "%s" "%s"\n' "$*" "$registry/d/mass-space/quick-fox-$i/web" "1 up 10.2.130.$i"
        done
        echo
        echo
    } | etcd_ctl txn >/dev/null || fail "etcd takes the dynos"
}

# ---- a replica ----

# replica_settings [LINE...]: writes $work/replica.yaml; LINEs go below `registry:`. The variable
# replica_more has settings beside it.
replica_settings() {
    {
        printf 'registry:\n  endpoints: [%s]\n  cell: %s\n' "$(etcd_list)" "$registry_cell"
        [ $# -eq 0 ] || printf '  %s\n' "$@"
        [ -z "${replica_more:-}" ] || printf '%s\n' "$replica_more"
    } >"$work/replica.yaml"
}

# launch_replica NAME FLAG...: in the background; answers 127.0.0.1 as a dyno of test-space, and has
# metrics at port $http
launch_replica() {
    local name=$1
    shift
    port=${replica_port:-$(free_port)}
    if [[ " $* " != *" --http-listen "* ]]; then
        http=$(free_port)
        set -- --http-listen "127.0.0.1:$http" "$@"
    fi
    socket=$work/control.sock
    [ -e "$work/replica.yaml" ] || replica_settings
    launch "$name" --settings "$work/replica.yaml" --listen "127.0.0.1:$port" --upstream none \
        --local-as test-space --control-socket "$socket" "$@"
}

# replica NAME FLAG...: launch_replica, then until it is ready; ends the script when it is not
replica() {
    launch_replica "$@"
    await is_up_or_gone
    if ! grep -q ' info ready ' "$server_log"; then
        fail "the replica starts: $*" "$(cat "$server_log")"
        finish
    fi
}

# ctl COMMAND...: spacedns on the replica
ctl() {
    "${SPACEDNS:-$BUILD_DIR/bin/spacedns}" "$@" --socket "$socket" 2>&1
}

# has_answer NAME TYPE WANTED: what dig +short says, sorted, on one line
has_answer() {
    [ "$(ask +short "$1" "$2" | sort -V | tr '\n' ' ' | sed 's/ $//')" = "$3" ]
}

# await_answer NAME WANTED [TYPE]: within patience; tells what it is instead
await_answer() {
    if await has_answer "$1" "${3:-A}" "$2"; then
        pass
    else
        fail "$1 ${3:-A} becomes: $2" "$(ask "$1" "${3:-A}")
$(tail -n 10 "$server_log")"
    fi
}

# await_log PATTERN: a line of the replica's log
await_log() {
    if await grep -qE -e "$1" "$server_log"; then
        pass
    else
        fail "the log has: $1" "$(tail -n 20 "$server_log")"
    fi
}

has_status() {
    ctl status | grep -qE -e "$1"
}

# await_status PATTERN: a line of `spacedns status`
await_status() {
    if await has_status "$1"; then
        pass
    else
        fail "status has: $1" "$(ctl status)"
    fi
}

# metric NAME: its value, of a name without labels
metric() {
    curl -s --max-time 2 "http://127.0.0.1:$http/metrics" | sed -n "s/^$1 //p"
}

is_metric() {
    [[ "$(metric "$1")" =~ ^($2)$ ]]
}

# await_metric NAME PATTERN
await_metric() {
    if await is_metric "$1" "$2"; then
        pass
    else
        fail "the metric $1 becomes: $2" "$(curl -s --max-time 2 "http://127.0.0.1:$http/metrics" | grep registry)"
    fi
}

# readyz: its code, and what it says
readyz() {
    curl -s --max-time 2 -w '\ncode=%{http_code}\n' "http://127.0.0.1:$http/readyz"
}

has_ready() {
    readyz | grep -qE -e "$1"
}

# await_ready PATTERN: a line of what /readyz says, or code=200
await_ready() {
    if await has_ready "$1"; then
        pass
    else
        fail "/readyz has: $1" "$(readyz)"
    fi
}

# note_answers NAME: every name of $answer_files in every type, to each client, into $work/NAME.answers.
# The serial is left out: it is the revision.
note_answers() {
    /usr/bin/python3 "$SOURCE_DIR/tests/support/answers.py" --port "$port" --patience "$patience" \
        "${answer_clients[@]/#/--client=}" "${answer_files[@]}" >"$work/$1.answers" 2>&1 ||
        fail "all answers are given" "$(tail -n 3 "$work/$1.answers")"
}
answer_files=(zones/test-space.yaml tests/zones_good/other-space.yaml)
answer_clients=(127.0.0.1)
[ -z "${E2E_PRIVATE_NETWORK:-}" ] || answer_clients=(10.0.130.56 10.20.3.4 203.0.113.9 10.1.130.4)

# expect_answers WHAT NAME: they are what note_answers NAME noted
expect_answers() {
    local changed
    note_answers now
    if changed=$(diff "$work/$2.answers" "$work/now.answers"); then
        pass
    else
        fail "$1: every answer is as it was" "$(head -n 20 <<<"$changed")"
    fi
}

# ---- counting ----

# start_counter SECONDS [RATE]: registry_counter.py in the background, at all members in turn
start_counter() {
    "${etcd_inside[@]}" /usr/bin/python3 "$SOURCE_DIR/tests/support/registry_counter.py" --endpoints "$(etcd_list)" \
        --cell "$registry/" --port "$port" --seconds "$1" --rate "${2:-50}" >"$work/counter" 2>&1 &
    counter=$!
    children+=("$counter")
}

# of_counter WORD: a figure that it printed
of_counter() {
    sed -n "s/.*\b$1=\([0-9]*\).*/\1/p" "$work/counter"
}

# end_counter WHAT WAIT_MS: until it has ended; no answer was wrong, no number is lost, and each was
# answered at most WAIT_MS after it was written
end_counter() {
    local word
    wait "$counter"
    if [ -z "$(of_counter written)" ]; then
        fail "$1: it was counted" "$(cat "$work/counter")"
        return
    fi
    for word in half back routers silent lost; do
        expect "$1: $word" 0 "$(of_counter "$word")"
    done
    [ -n "${SANITIZE:-}" ] || [ "$(of_counter wait_ms)" -le "$2" ] ||
        fail "$1: a number is answered within $2 ms" "$(cat "$work/counter")"
    echo "$1: $(cat "$work/counter")"
}

# forget_counter: its keys go, so that answers are as before
forget_counter() {
    local i operations=("del d/test-space/open-plain-1001/left" "del d/test-space/open-plain-1001/right")
    for ((i = 0; i < 20; i++)); do
        operations+=("del d/test-space/frozen-oasis-70544/t$i")
    done
    txn "${operations[@]}"
}
