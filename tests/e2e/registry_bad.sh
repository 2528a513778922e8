#!/bin/bash
# Values that are corrupt, cut, too long, binary or in the wrong place: what is in force stays, all
# others go on, the operator reads where and what, and a good value ends it.
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
. "$(dirname "$script")/registry.bash"

start_etcd
fill_registry
replica_more='external_rate: 0'
replica first
routers="10.0.0.37 10.0.16.21"
web=d/test-space/sleepy-river-2739/web
good=$(as_value zones/test-space.yaml)
put "$web" '1 up 10.0.131.7\n'
await_answer sleepy-river-2739.herokuapp.com "$routers"
note_answers before

lines=0
mark() {
    lines=$(wc -l <"$server_log")
}
has_new() {
    tail -n "+$((lines + 1))" "$server_log" | grep -qE -e "$1"
}
# kept WHAT PATTERN: the log has it since the mark, answers are as they were, and others go on
turn=0
kept() {
    [ -z "$2" ] || await has_new "$2" || fail "$1: the log has: $2" "$(tail -n "+$((lines + 1))" "$server_log")"
    turn=$((turn + 1))
    put d/other-space/quiet-lake-4410/run "1 up 10.1.144.$((turn + 10))\n"
    await other_has "10.1.144.$((turn + 10))" || fail "$1: another space goes on" "$(tail -n 3 "$server_log")"
    del d/other-space/quiet-lake-4410/run
    await other_has "" || fail "$1: another space goes on" "$(tail -n 3 "$server_log")"
    expect_answers "$1" before
}
other_has() {
    [ "$(dig -b 10.1.130.4 @127.0.0.1 -p "$port" +tries=1 +short run.quiet-lake-4410.app.localspace)" = "$1" ]
}

# ---- dynos ----

# bad_dynos WHAT VALUE CODE: counted as bad, and named with the reason
bad_dynos() {
    mark
    put "$web" "$2"
    kept "dynos: $1" " finding code=$3 place=d/test-space/sleepy-river-2739/web@[0-9]+(:[0-9:]+)? "
    await_metric spacedns_registry_bad_keys 1
    await_status "^registry_bad +! d/test-space/sleepy-river-2739/web@[0-9]+ \\($3\\): "
}
bad_dynos "a state that is none" '1 upp 10.0.131.7\n' 'E-[A-Z-]+'
bad_dynos "no number" 'x up 10.0.131.7\n' E-DYNO-NUM
bad_dynos "a number twice" '1 up 10.0.131.7\n1 up 10.0.131.8\n' E-DYNO-NUM
bad_dynos "an address of another space" '1 up 10.1.131.7\n' E-DYNO-IP
bad_dynos "a router's address" '1 up 10.0.0.37\n' E-DYNO-IP
bad_dynos "binary octets" '\x00\xff\x01\n\xfe' 'E-[A-Z-]+'
printf '%070000d up 10.0.131.7\n' 1 >"$work/endless"
mark
put_file "$web" "$work/endless"
kept "dynos: an endless value" ' finding code=E-[A-Z-]+ place=d/test-space/sleepy-river-2739/web@'
await_status '^registry.*bad'
put "$web" '1 up 10.0.131.7\n'
await_metric spacedns_registry_bad_keys 0
expect_answers "dynos: good ones" before

# ---- documents ----

# bad_document WHAT FILE PATTERN
bad_document() {
    mark
    put_file z/test-space "$2"
    kept "document: $1" "$3"
    await_metric 'spacedns_registry_kept_spaces{kind="kept"}' 1
    await_status '^(registry|last_good).*test-space'
    await_ready '^space test-space is kept'
    await_ready code=200
    put z/test-space "$good"
    await_metric 'spacedns_registry_kept_spaces{kind="kept"}' 0
    expect_answers "document: $1: a good one" before
}
sed 's/^cidr:.*/cidr: 10.0.0.1\/16/' zones/test-space.yaml >"$work/error.yaml"
bad_document "an error" "$work/error.yaml" ' finding code=W-LAST-GOOD place=z/test-space:[0-9]+:[0-9]+ .*E-SPACE-CIDR'
head -c $(($(wc -c <zones/test-space.yaml) / 2)) zones/test-space.yaml >"$work/half.yaml"
bad_document "half of it" "$work/half.yaml" ' finding code=W-LAST-GOOD place=z/test-space:'
# What is whole YAML, but not the whole.
sed '/- name: sleepy-river-2739/,$d' zones/test-space.yaml >"$work/cut.yaml"
bad_document "cut, without its end mark" "$work/cut.yaml" ' finding code=W-LAST-GOOD place=z/test-space:.*E-CUT'
{
    sed '/^apps:/,$d' zones/test-space.yaml
    echo ...
} >"$work/marked.yaml"
mark
put_file z/test-space "$work/marked.yaml"
kept "document: cut, with the end mark" ' finding code=W-HELD place=z/test-space'
await_metric 'spacedns_registry_held{kind="spaces"}' 1
put z/test-space "$good"
await_metric 'spacedns_registry_held{kind="spaces"}' 0
head -c 3000 /dev/urandom >"$work/binary.yaml"
bad_document "binary octets" "$work/binary.yaml" ' finding code=W-LAST-GOOD place=z/test-space:'
sed 's/^space:.*/space: another-space/' zones/test-space.yaml >"$work/name.yaml"
bad_document "another space's name" "$work/name.yaml" ' finding code=W-LAST-GOOD place=z/test-space:'
{
    sed '$d' zones/test-space.yaml
    head -c 1100000 /dev/zero | tr '\0' '#' | fold -w 1000
    printf '\n...\n'
} >"$work/endless.yaml"
bad_document "more than 1 MB" "$work/endless.yaml" 'E-LIMIT'

# ---- a new space with errors ----

mark
put z/third-space 'space: third-space\ncidr: 10.2.0.0/16\nrouters: [nonsense]\n...\n'
kept "a new document with an error" ' finding code=W-UNSERVED place=z/third-space:'
reply=$(dig -b 10.2.130.4 @127.0.0.1 -p "$port" +tries=1 anything.herokuapp.com)
expect_match "its clients read that it is not ready" 'status: SERVFAIL' "$reply"
expect_match "and why" 'EDE: 14 .*Q30' "$reply"
del z/third-space
await_metric 'spacedns_registry_kept_spaces{kind="kept"}' 0

# ---- keys that are none ----

mark
for key in foo z z/ z/a/b f/a/b d/test-space d/test-space/sleepy-river-2739 d/test-space/sleepy-river-2739/ \
    d/test-space/sleepy-river-2739/web/1 d//sleepy-river-2739/web "d/test-space/sleepy-river-2739/w"$'\x01'"eb" \
    "z/$(printf '%0300d' 1)" h/host; do
    put "$key" '1 up 10.0.131.9\n'
done
put d/no-space/no-app/web '1 up 10.0.131.9\n'
put d/test-space/no-app/web '1 up 10.0.131.9\n'
kept "keys outside of the layout" ''
await_status '^registry.*(waiting|wait)'
stop
expect "exit code" 0 "$code"
finish
