#!/bin/bash
# Texts of zone files, and their names, that would speak to the operator's terminal: no command and
# no log prints an octet of them that a terminal obeys or that turns the direction of text.
. "$(dirname "$0")/lib.bash"
spacedns=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
port=$(free_port)
socket=$work/control.sock
zones=$work/zones

# As YAML has it: escape, a C1 control, a bidirectional override, an isolate, a bell.
hostile='h\e[31m\x9b2J\u202e\u2066\a'
in_sed=${hostile//\\/\\\\}
raw=$'[\x01-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8e\x8f\xaa-\xae]|\xe2\x81[\xa6-\xa9]|\xff'

# quiet WHAT FILE...: none of the files holds such octets
quiet() {
    local what=$1 found
    shift
    if found=$(grep -naE -e "$raw" "$@"); then
        fail "$what: nothing speaks to the terminal" "$(head -n 5 <<<"$found" | cat -v)"
    else
        pass
    fi
}

# every COMMAND: with all ways of printing
every() {
    local form
    for form in "" --json; do
        # shellcheck disable=SC2086 # no option at all when it is empty
        "$spacedns" "$@" $form >"$work/out" 2>"$work/err"
        [ $? -lt 3 ] || fail "spacedns $* $form: ends by itself"
        quiet "spacedns $* $form" "$work/out" "$work/err"
    done
}

mkdir "$zones" "$work/before" "$work/bad"
file=$zones/$'t\e[31m\xc2\x9b2J\xe2\x80\xae.yaml'
cp zones/test-space.yaml "$work/before"
sed -e "s|^data_cidr:|region: \"$in_sed\"\ndata_cidr:|" \
    -e "s|pcx_id: pcx-111aaa111,|&aws_vpc_id: \"$in_sed\", aws_region: \"$in_sed\", route_table_id: \"$in_sed\", expires: \"$in_sed\",|" \
    -e "s|aws_vpc_id|aws_account_id: \"$in_sed\", &|" \
    -e "s|name: office|name: \"$in_sed\"|" \
    -e "s|{name: branch, status: failed,|{name: \"${in_sed}2\", status: active,|" \
    -e "s|\[10\.0\.0\.37,|[{ip: 10.0.0.37, az: \"$in_sed\"},|" zones/test-space.yaml >"$file"
"$spacedns" check "$zones" >"$work/out" 2>&1 || fail "the zone file is sound" "$(cat -v "$work/out")"

common=(--zones "$zones" --space test-space)
every check "$zones"
every plan "$zones" --against "$work/before"
every plan "$work/before" --against "$zones"
every prove "$zones"
every spaces --zones "$zones"
for command in apps spaces:info spaces:ps spaces:topology spaces:peerings spaces:vpn:connections \
    spaces:trusted-ips spaces:routers records "spaces:peerings:routes pcx-111aaa111"; do
    # shellcheck disable=SC2086 # a command and its operand
    every $command "${common[@]}"
done
every spaces:zonefile test-space --zones "$zones"
for command in apps:info ps domains; do
    every "$command" -a frozen-oasis-70544 --zones "$zones"
done
for client in 172.16.9.9 192.168.7.7 10.20.3.4; do
    every explain api.example.com --from "$client" --zones "$zones"
    every explain frozen-oasis-70544.herokuapp.com --from "$client" --zones "$zones"
done
every explain "$(printf 'a\e[31m\xc2\x9b.example')" --from 172.16.9.9 --zones "$zones"
every spaces:routers:set 10.0.16.21 --state draining "${common[@]}"

# Findings, whatever the file is called; one that is not UTF-8 is found by machines, too.
cp "$file" "$work/bad/"
echo "space: \"$hostile\"" >"$work/bad/"$'n\xff\xfe\n.yaml'
every check "$work/bad"
expect_match "JSON has the findings of a file without a good name" '"code": "E-SPACE-NAME"' "$(cat "$work/out")"

# The daemon, too, with a folder of such a name.
folder=$work/$'z\xe2\x80\xae'
cp -r "$work/bad" "$folder"
"$SPACEDNSD" --check --zones "$folder" >"$work/out" 2>"$work/err"
quiet "spacednsd --check" "$work/out" "$work/err"

# ---- the running server ----

start hostile --zones "$zones" --listen "127.0.0.1:$port" --local-as test-space --control-socket "$socket" --log-queries all
live() {
    every "$@" --socket "$socket"
}
live status
live whoami --from 172.16.9.9
live explain api.example.com --from 192.168.7.7
live plan "$work/before"
sed -i "s/hostname: api\.example\.com/hostname: papi.example.com/; s/branch/branches/" "$file"
sed -i 's/routable_cidrs: \[192\.168\.7\.0/routable_cidrs: [192.168.6.0/' "$file"
reload
live kept-back
every plan --socket "$socket"
echo "space: \"$hostile\"" >"$zones/"$'x\e]0;owned\a.yaml'
reload
live reload
live status
rm "$zones/"$'x\e]0;owned\a.yaml'
for name in "_why.api.example.com" "_whoami.localspace" "_apps.localspace"; do
    ask "$name" TXT >"$work/asked"
    quiet "$name" "$work/asked"
done
stop
quiet "the log" "$work/hostile.err" "$work/hostile.out"
finish
