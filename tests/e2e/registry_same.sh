#!/bin/bash
# A registry and a folder with the same content: every answer to every client, what explain, prove and
# plan print, and the findings are the same.
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
. "$(dirname "$script")/registry.bash"
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}

# The folder has in the documents what the registry has in keys.
folder=$work/folder
mkdir "$folder"
cp tests/zones_good/other-space.yaml tests/zones_good/every-shape.yaml "$folder"
sed -e 's/{number: 2, private_ip: 10.0.151.218, state: up}/{number: 2, private_ip: 10.0.151.218, state: starting}/' \
    -e 's/{web: {dynos: \[{number: 1, private_ip: 10.0.131.7, state: crashed}\]}}/{web: {dynos: [{number: 1, private_ip: 10.0.131.9, state: up}]}, run: {dynos: [{number: 4242, private_ip: 10.0.144.9, state: up}]}}/' \
    -e 's/{web: {dynos: \[{number: 1, private_ip: 10.0.132.9, state: up}\]}}/{web: {dynos: []}}/' \
    zones/test-space.yaml >"$folder/test-space.yaml"
expect "the folder differs" 3 "$(diff zones/test-space.yaml "$folder/test-space.yaml" | grep -c '^>')"

port_of_folder=$(free_port)
cat >"$work/folder.yaml" <<END
zones: $folder
external_rate: 0
END
start folder --settings "$work/folder.yaml" --listen "127.0.0.1:$port_of_folder" --upstream none \
    --local-as test-space --control-socket "$work/folder.sock"
folder_server=$server

start_etcd
found_registry
for space in other-space every-shape; do
    put_file "z/$(sed -n 's/^space: *//p' "tests/zones_good/$space.yaml")" "tests/zones_good/$space.yaml"
done
put_file z/test-space zones/test-space.yaml
txn "put d/test-space/frozen-oasis-70544/web 1 up 10.0.130.56\n2 starting 10.0.151.218\n" \
    "put d/test-space/sleepy-river-2739/web 1 up 10.0.131.9\n" \
    "put d/test-space/sleepy-river-2739/run 4242 up 10.0.144.9\n" \
    "put d/test-space/open-plain-1001/web "
replica_more='external_rate: 0'
replica registry

clients=()
for client in 10.0.130.56 10.0.144.9 10.20.3.4 10.30.3.4 172.16.9.9 192.168.7.7 192.0.2.10 203.0.113.9 10.1.130.4 127.0.0.1; do
    clients+=(--client "$client")
done
# all_answers PORT: a digest of every name in every type, to every client
all_answers() {
    /usr/bin/python3 tests/support/answers.py --port "$1" "${clients[@]}" --patience "$patience" \
        --types A,AAAA,CNAME,TXT,SRV,SOA,PTR,HTTPS "$folder"/*.yaml
}
all_answers "$port_of_folder" >"$work/folder.answers" 2>&1 || fail "the folder answers" "$(tail -n 1 "$work/folder.answers")"
all_answers "$port" >"$work/registry.answers" 2>&1 || fail "the registry answers" "$(tail -n 1 "$work/registry.answers")"
if cmp -s "$work/folder.answers" "$work/registry.answers"; then
    pass
else
    fail "all answers are the same" "$(diff "$work/folder.answers" "$work/registry.answers" | head -n 20)"
fi
echo "$(wc -l <"$work/folder.answers") answers compared, $(grep -c NOERROR "$work/folder.answers") of them positive"

# said_by SOCKET COMMAND...: without what names where zone files are, and what only a registry has
said_by() {
    local at=$1
    shift
    "$SPACEDNS" "$@" --socket "$at" 2>&1 |
        sed -E -e "s#$folder/([a-z-]+)\\.yaml#z/\\1#g" -e '/^ *revision /d' -e '/registry|of revision/d' \
            -e 's/generation=[0-9]+/generation=N/' -e '/^process=/s/ \((z|d)\/[^)]*\)$//'
}
for name in frozen-oasis-70544.herokuapp.com sleepy-river-2739.herokuapp.com api.example.com open-plain-1001.herokuapp.com \
    web.frozen-oasis-70544.app.localspace 2.web.frozen-oasis-70544.app.localspace nothing.app.localspace \
    quiet.example.org x.quiet.example.org www.example.org; do
    for client in 10.0.130.56 10.20.3.4 203.0.113.9 10.1.130.4; do
        expect "explain $name from $client" "$(said_by "$work/folder.sock" explain "$name" --live --from "$client")" \
            "$(said_by "$socket" explain "$name" --live --from "$client")"
    done
done
for command in "apps --space test-space" spaces "ps -a frozen-oasis-70544" "domains -a frozen-oasis-70544" "spaces:topology --space test-space"; do
    # shellcheck disable=SC2086 # words
    expect "$command" "$("$SPACEDNS" $command --zones "$folder" 2>&1 | sed "s#$folder#F#")" \
        "$("$SPACEDNS" $command --settings "$work/replica.yaml" --socket "$socket" 2>&1 | sed "s#$folder#F#")"
done
# explained FLAG...: without what names the zone files
explained() {
    "$SPACEDNS" explain "$name" --from "$client" "$@" 2>&1 | sed -E -e '/^settings=/d' -e "s#$folder/([a-z-]+)\\.yaml#z/\\1#g" \
        -e '/^process=/s/ \((z|d)\/[^)]*\)$//'
}
while read -r name client; do
    expect "explain $name from $client, without a server" "$(explained --zones "$folder")" \
        "$(explained --settings "$work/replica.yaml" --socket "$socket")"
done <<'END'
api.example.com 10.20.3.4
sleepy-river-2739.herokuapp.com 10.0.130.56
2.web.frozen-oasis-70544.app.localspace 10.0.130.56
quiet.example.org 10.0.130.56
api.example.com 203.0.113.9
END
findings() {
    sed -nE "s#.* finding (code=[^ ]+ place=)($folder/|z/)([a-z-]+)(\\.yaml)?(:[0-9:]+|) #\\1\\3\\5 #p" "$work/$1.err" |
        sed -E -e "s#$folder/([a-z-]+)\\.yaml#z/\\1#g" -e 's/\(revision [0-9]+\)//' | sort
}
expect "findings" "$(findings folder)" "$(findings registry)"

# ---- pulled, it is a folder ----

pulled=$work/pulled
"$SPACEDNS" pull "$pulled" --settings "$work/replica.yaml" --socket "$socket" >"$work/pull" 2>&1 || fail "pull" "$(cat "$work/pull")"
expect "a document is pulled as it is" "" "$(diff "$pulled/test-space.yaml" zones/test-space.yaml 2>&1)"
expect "prove" "$("$SPACEDNS" prove "$folder" 2>&1 | sed -E 's/ in [0-9.]+ m?s//')" \
    "$("$SPACEDNS" prove --settings "$work/replica.yaml" --socket "$socket" 2>&1 | sed -E 's/ in [0-9.]+ m?s//')"
sed 's/hostname: api.example.com/hostname: papi.example.com/' zones/test-space.yaml >"$pulled/test-space.yaml"
planned=$("$SPACEDNS" plan "$pulled/test-space.yaml" --settings "$work/replica.yaml" --socket "$socket" 2>&1)
expect_match "plan" 'papi\.example\.com' "$planned"
# The same change of the folder.
cp -r "$folder" "$work/next"
sed -i 's/hostname: api.example.com/hostname: papi.example.com/' "$work/next/test-space.yaml"
expect "plan is the same for both" "$("$SPACEDNS" plan "$work/next" --against "$folder" 2>/dev/null)" \
    "$(grep -v '^compared with revision [0-9]* of the registry ' <<<"$planned")"
server=$folder_server
stop
finish
