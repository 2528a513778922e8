#!/bin/bash
# spacedns snippet: each configuration is loaded by the program that it is for, in the network of a
# peered VPC, and that program then resolves our names through it, where without what the snippet
# sets for private and unsigned answers it does not.
# timeout: 120
. "$(dirname "$0")/lib.bash"
. "$(dirname "$script")/network.bash"
. "$(dirname "$script")/resolvers.bash"
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}

routers="10.0.0.37 10.0.16.21"
names=(frozen-oasis-70544.herokuapp.com api.example.com x.apps.example.com)
# run ARGUMENT...: leaves $code, $out, $err
run() {
    timeout "$patience" "$SPACEDNS" "$@" >"$work/out" 2>"$work/err" </dev/null
    code=$?
    out=$(cat "$work/out")
    err=$(cat "$work/err")
}

# prints WHAT CODE ERROR: no output, this exit code, this one line on standard error
prints() {
    expect "$1: exit code" "$2" "$code"
    expect "$1: nothing on standard output" "" "$out"
    expect "$1" "Error: $3" "$err"
}

# ---- operands and output ----

run snippet unbond --to 10.0.0.2
prints "a kind mistyped" 2 "there is no snippet for unbond; did you mean unbound?"
run snippet powerdns --to 10.0.0.2
prints "an unknown kind" 2 "there is no snippet for powerdns; write spacedns snippet dnsmasq|unbound|bind|systemd-resolved|route53|resolv.conf"
run snippet
expect "no kind: exit code" 2 "$code"
run snippet unbound --to 10.0.0.2 --space tset-space
prints "a space mistyped" 1 "there is no space tset-space in zones; did you mean test-space? spacedns spaces lists them"
run snippet unbound --to 10.0.0.2 --space other
prints "an unknown space" 1 "there is no space other in zones; spacedns spaces lists them"
run snippet unbound
prints "no address that others can ask" 1 "the server has no address that other hosts can reach: the space has no \`listen\`, and the settings list none; name it with --to ADDR"
for wrong in nowhere 0.0.0.0 10.0.0.2:99999; do
    run snippet unbound --to "$wrong"
    prints "--to $wrong" 2 "--to $wrong is not the address of a server; write 10.0.0.2, or 10.0.0.2:5300"
done
run snippet resolv.conf --to 10.0.0.2:5300
prints "a port that resolv.conf cannot name" 1 "resolv.conf cannot name a port, and the server listens at 10.0.0.2 port 5300; let it listen at port 53, or give another address with --to"
run snippet unbound --to 10.0.0.2 --zones "$work/none"
expect "no zone files: exit code" 1 "$code"

# The space's own address, at the settings' port; then the settings' address.
mkdir "$work/own" "$work/two"
sed 's/^cidr:.*/&\nlisten: [10.0.0.3]/' zones/test-space.yaml >"$work/own/test-space.yaml"
printf 'listen: ["0.0.0.0:5300"]\nzones: zones\n' >"$work/settings.yaml"
run snippet dnsmasq --zones "$work/own" --settings "$work/settings.yaml"
expect_match "the space's address at the settings' port" '^server=/localspace/10\.0\.0\.3#5300$' "$out"
printf 'listen: [127.0.0.1, "10.0.0.2:5353"]\nzones: zones\n' >"$work/settings.yaml"
run snippet dnsmasq --settings "$work/settings.yaml"
expect_match "the settings' address" '^server=/localspace/10\.0\.0\.2#5353$' "$out"
expect_no_match "loopback is left out" '127\.0\.0\.1' "$out"
printf 'listen: ["tcp://10.0.0.4", "udp://10.0.0.2:5353"]\nzones: zones\n' >"$work/settings.yaml"
run snippet dnsmasq --settings "$work/settings.yaml"
expect_match "an address over UDP" '^server=/localspace/10\.0\.0\.2#5353$' "$out"
expect_no_match "an address without UDP is left out" '10\.0\.0\.4' "$out"

cp zones/test-space.yaml "$work/two/"
printf 'space: other-space\ncidr: 10.1.0.0/16\n' >"$work/two/other.yaml"
run snippet unbound --to 10.0.0.2 --zones "$work/two"
prints "one of several spaces" 2 "which space? $work/two has several; name one with --space SPACE"
run snippet dnsmasq --to 10.0.0.2 --zones "$work/two" --space other-space
expect "only the space's names" "server=/localspace/10.0.0.2#53" "$(grep ^server= <<<"$out")"

run snippet bind --to 10.0.0.2:5300 --json
expect "names and servers for machines" "10.0.0.2 5300 10 example.net" "$(/usr/bin/python3 -c '
import json, sys
printed = json.load(sys.stdin)
print(printed["servers"][0]["ip"], printed["servers"][0]["port"], len(printed["names"]), *printed["apexes"])' <<<"$out")"
for kind in dnsmasq unbound bind systemd-resolved route53; do
    run snippet "$kind" --to 10.0.0.2
    expect "$kind: exit code" 0 "$code"
    for name in frozen-oasis-70544.herokuapp.com api.example.com apps.example.com localspace \
        random-haiku-5196.also-random-3847.herokuspace.com; do
        expect_match "$kind forwards $name" "^[^#]*[^a-z.]$name" "$out"
    done
    expect_no_match "$kind: nothing of an app that is not internal" 'open-plain' "$out"
    expect_no_match "$kind: no whole suffix" '[ "/~]herokuapp\.com["/ ]' "$(grep -v '^\(#\|//\)' <<<"$out")"
    expect_no_match "$kind: an apex only as a comment" '^[^#/]*example\.net' "$out"
    expect_match "$kind: an apex as a comment" '^(#|//).*example\.net' "$out"
done

# ---- the programs themselves ----

build_network PEER RUN
start serve --zones zones --listen 10.0.0.2:5300 --listen 10.0.0.2:53
inside PEER dig @10.0.0.2 -p 5300 +tries=1 +time=1 x >/dev/null # resolves the neighbour

# resolves WHAT: every name, over UDP and TCP, empty answers as such, and who asked
resolves() {
    local name how
    for name in "${names[@]}"; do
        for how in +notcp +tcp; do
            expect "$1 resolves $name ($how)" "$routers" "$(addresses "$(asked "$how" +short "$name" A)")"
        done
    done
    expect "$1: no IPv6" "NOERROR" "$(status "$(asked frozen-oasis-70544.herokuapp.com AAAA)")"
    expect "$1: no running web dyno" "NOERROR" "$(status "$(asked sleepy-river-2739.herokuapp.com A)")"
    expect_match "$1: the server sees a peer" 'class=peered' "$(asked +short _whoami.localspace TXT)"
}

# fails WHAT: without what was taken out of the snippet. Addresses in a failure are of no use.
fails() {
    local reply
    reply=$(asked frozen-oasis-70544.herokuapp.com A)
    expect_no_match "$1" 'status: NOERROR.*\sA\s+10\.' "$(tr '\n' ' ' <<<"$reply")"
}

try_unbound() {
    local own=$work/unbound.conf
    unbound_file >"$own"
    run snippet unbound --to 10.0.0.2:5300
    cp "$work/out" "$work/snippet"
    expect_match "unbound-checkconf" "^unbound-checkconf: no errors" "$(unbound-checkconf "$own" 2>&1)"
    resolver unbound unbound -d -c "$own"
    resolves unbound
    end_resolver
    for line in private-domain domain-insecure; do
        grep -v "$line: \"frozen" "$work/out" >"$work/snippet"
        resolver "unbound without $line" unbound -d -c "$own"
        fails "unbound without $line gets nothing"
        end_resolver
    done
}

try_dnsmasq() {
    dnsmasq_command
    run snippet dnsmasq --to 10.0.0.2:5300
    cp "$work/out" "$work/snippet"
    expect_match "dnsmasq --test" 'syntax check OK' "$(dnsmasq --test --conf-file="$work/snippet" 2>&1)"
    resolver dnsmasq "${dnsmasq[@]}"
    resolves dnsmasq
    end_resolver
    grep -v "rebind-domain-ok=/frozen" "$work/out" >"$work/snippet"
    resolver "dnsmasq without rebind-domain-ok" "${dnsmasq[@]}"
    fails "dnsmasq without rebind-domain-ok gets nothing"
    end_resolver
}

try_named() {
    local except
    run snippet bind --to 10.0.0.2:5300
    cp "$work/out" "$work/snippet"
    except=$(named_exceptions)
    named_file "$except" >"$work/named.conf"
    expect "named-checkconf" "" "$(named-checkconf "$work/named.conf" 2>&1)"
    resolver named named -f -c "$work/named.conf" -n 1
    resolves named
    end_resolver
    named_file "$(grep -v '"frozen' <<<"$except")" >"$work/named.conf"
    resolver "named without validate-except" named -f -c "$work/named.conf" -n 1
    fails "named without validate-except gets nothing"
    end_resolver
}

try_resolved() {
    if ! may_run_resolved; then
        echo "not tried: systemd-resolved: $(tail -n 1 "$work/refused")"
        return
    fi
    run snippet systemd-resolved --to 10.0.0.2:5300
    cp "$work/out" "$work/snippet"
    start_resolved systemd-resolved yes
    resolves systemd-resolved
    end_resolver
    grep -v '^resolvectl dnssec' "$work/out" >"$work/snippet"
    start_resolved "systemd-resolved with DNSSEC" yes
    fails "systemd-resolved with DNSSEC gets nothing"
    end_resolver
}

try_resolv_conf() {
    may_mount || return 0
    run snippet resolv.conf --to 10.0.0.2
    cp "$work/out" "$work/resolv.conf"
    for name in "${names[@]}"; do
        expect "getent finds $name" "$routers" \
            "$(as_dyno getent ahostsv4 "$name" | awk '{print $1}' | sort -uV | xargs)"
    done
}

# The real command is not asked to sign in anywhere: a stand-in keeps rules as the service does, and
# refuses a rule or an association that exists.
aws_stand_in() {
    cat <<'END'
#!/bin/sh
echo "$@" >>"$aws/log"
command=$2
while [ $# -gt 0 ]; do
    case $1 in
    --domain-name) name=$2 ;;
    --resolver-rule-id) rule=$2 ;;
    esac
    shift
done
case $command in
list-resolver-rules) cat "$aws/rules" ;;
list-resolver-rule-associations) cat "$aws/associations" ;;
create-resolver-rule)
    ! grep -q "^$name\.[[:space:]]" "$aws/rules" || exit 254
    rule=rslvr-rr-$(grep -c . "$aws/log")
    printf '%s.\t%s\n' "$name" "$rule" >>"$aws/rules"
    echo "$rule"
    ;;
update-resolver-rule) grep -q "[[:space:]]$rule\$" "$aws/rules" ;;
associate-resolver-rule)
    ! grep -qx "$rule" "$aws/associations" || exit 254
    echo "$rule" >>"$aws/associations"
    ;;
esac
END
}

# run_route53 WHAT: the script of $work/out
run_route53() {
    aws=$work/aws PATH=$work/bin:$PATH endpoint=rslvr-out-7 vpc=vpc-7 sh "$work/out" \
        >"$work/route53.log" 2>&1
    expect "$1: the script runs" 0 "$?"
}

# calls COMMAND: how often since the last time
calls() {
    grep -c "^route53resolver $1 " "$work/aws/log"
}

try_route53() {
    mkdir -p "$work/bin" "$work/aws"
    aws_stand_in >"$work/bin/aws"
    chmod +x "$work/bin/aws"
    : >"$work/aws/rules"
    : >"$work/aws/associations"
    run snippet route53 --to 10.0.0.2
    run_route53 "the first time"
    expect "a rule for each name" 10 "$(calls create-resolver-rule)"
    expect "each in force in the VPC" 10 "$(sort -u "$work/aws/associations" | wc -l)"
    expect_match "the rule" "--domain-name api.example.com --resolver-endpoint-id rslvr-out-7 --target-ips Ip=10.0.0.2,Port=53 " \
        "$(cat "$work/aws/log")"
    run_route53 "again"
    expect "again: no rule is created" 10 "$(calls create-resolver-rule)"
    expect "again: none is associated" 10 "$(calls associate-resolver-rule)"
    sed -i '/^api\.example/d' "$work/aws/rules"
    sed -i 1d "$work/aws/associations"
    run snippet route53 --to 10.0.0.3
    run_route53 "with a name, an association and an address more"
    expect "only the new name's rule is created" 11 "$(calls create-resolver-rule)"
    expect "what is missing is associated" 12 "$(calls associate-resolver-rule)"
    expect "the others get the new address" 9 "$(grep -c \
        "update-resolver-rule --resolver-rule-id rslvr-rr-[0-9]* --config TargetIps=\[{Ip=10.0.0.3,Port=53}\]\$" \
        "$work/aws/log")"
}

try_resolv_conf
try_route53
for try in unbound dnsmasq named; do
    if command -v "$try" >/dev/null; then
        try_"$try"
    else
        echo "not tried: there is no $try here (cmd/dev deps installs it)"
    fi
done
if find_resolved; then
    try_resolved
else
    echo "not tried: there is no systemd-resolved here (cmd/dev deps fetches it)"
fi
finish
