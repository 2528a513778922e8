#!/bin/bash
# The network between a replica and etcd drops everything, without a word: answers go on, the operator
# reads why, and once the network is back all that was missed is there, also when etcd has no history
# of it any more.
# timeout: 180
. "$(dirname "$0")/lib.bash"
. "$(dirname "$script")/network.bash"
. "$(dirname "$script")/registry.bash"

address[ETCD]=10.99.0.2
build_network DYNO EXT ETCD
etcd_at=10.99.0.2
etcd_inside=(nsenter --net=/run/netns/ETCD)
start_etcd
fill_registry
launcher=(nsenter --net=/run/netns/server)
replica_settings 'stale_after_s: 10'
cat >>"$work/replica.yaml" <<END
external_rate: 0
control_socket: $work/control.sock
upstreams: none
END
start first --settings "$work/replica.yaml" --listen 10.0.0.2 --http-listen 127.0.0.1:9153
socket=$work/control.sock
http=9153

metric() {
    inside server curl -s --max-time 2 http://127.0.0.1:9153/metrics | sed -n "s/^$1 //p"
}
readyz() {
    inside server curl -s --max-time 2 -w '\ncode=%{http_code}\n' http://127.0.0.1:9153/readyz
}
has_answer() {
    [ "$(from DYNO 10.0.0.2 +short "$1" "$2" | sort -V | tr '\n' ' ' | sed 's/ $//')" = "$3" ]
}
# every answer to a dyno and to an outsider
note_answers() {
    local client
    for client in DYNO EXT; do
        inside "$client" /usr/bin/python3 tests/support/answers.py --server 10.0.0.2 --client "${address[$client]}" \
            "${answer_files[@]}" || fail "all answers are given"
    done >"$work/$1.answers" 2>&1
}
cut() {
    ip -n ETCD link set far down # what the other end sends is lost
}
heal() {
    ip -n ETCD link set far up
    inside ETCD ip route add default dev far
}
routers="10.0.0.37 10.0.16.21"

beat
put d/test-space/sleepy-river-2739/web '1 up 10.0.131.7\n'
await_answer sleepy-river-2739.herokuapp.com "$routers"
note_answers before

# ---- for a while ----

cut
began=$(now_ms)
put d/test-space/sleepy-river-2739/run '1 up 10.0.144.9\n' # etcd itself is well
patience=15 await_metric spacedns_registry_connected 0
found=$(($(now_ms) - began))
[ -n "${SANITIZE:-}" ] || [ "$found" -le 10000 ] || fail "it is found out within 10 s" "it took $found ms"
await_status '^registry +! the registry'
await_log ' warning registry_lost '
expect_answers "while cut" before
heal
began=$(now_ms)
await_answer run.sleepy-river-2739.app.localspace 10.0.144.9
echo "cut: found out after $found ms, resumed after $(($(now_ms) - began)) ms"
await_metric spacedns_registry_connected 1
del d/test-space/sleepy-river-2739/run
await_answer run.sleepy-river-2739.app.localspace ""
expect_answers "healed" before

# ---- past a compaction ----

cut
put d/test-space/sleepy-river-2739/run '1 up 10.0.144.9\n'
put d/test-space/sleepy-river-2739/web '1 crashed 10.0.131.7\n'
del d/test-space/sleepy-river-2739/run
put d/test-space/open-plain-1001/run '7 up 10.0.144.10\n'
beat
etcd_compact
patience=15 await_metric spacedns_registry_connected 0
expect_answers "cut again" before
heal
await_log ' warning registry_reset .*history'
ctl reload >/dev/null # now, and not at some time in the next minute
await_answer 7.run.open-plain-1001.app.localspace 10.0.144.10
await_answer sleepy-river-2739.herokuapp.com ""
await_answer run.sleepy-river-2739.app.localspace ""
put d/test-space/sleepy-river-2739/web '1 up 10.0.131.7\n'
del d/test-space/open-plain-1001/run
await_answer sleepy-river-2739.herokuapp.com "$routers"
await_answer 7.run.open-plain-1001.app.localspace ""
expect_answers "after all" before
beat
await_ready code=200
stop
expect "exit code" 0 "$code"
finish
