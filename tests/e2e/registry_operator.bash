# The operator's command on a registry; read after registry.bash.
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
no_server=$work/no-server.sock

# op ARGUMENT...: leaves $code, $out, $err
op() {
    timeout 60 "$SPACEDNS" "$@" --settings "$work/replica.yaml" --socket "${socket:-$no_server}" \
        >"$work/out" 2>"$work/err" </dev/null
    code=$?
    out=$(cat "$work/out")
    err=$(cat "$work/err")
}

# done_ok WHAT: the last op ended well
done_ok() {
    expect "$1: exit code" 0 "$code"
    [ "$code" = 0 ] || printf '%s\n' "$out$err" | sed 's/^/    /'
}

# refused WHAT PATTERN: it ended with 1 and this sentence, and the registry is as it was
refused() {
    expect "$1: exit code" 1 "$code"
    expect_match "$1" "$2" "$err"
    expect "$1: nothing was written" "$before" "$(revision)"
}

# remember: for refused
remember() {
    before=$(revision)
}

# a_space NAME CIDR APP [LINE...]: a document with one app, which answers with its router
a_space() {
    local name=$1 net=${2%.0.0/16} app=$3
    shift 3
    printf 'space: %s\ncidr: %s.0.0/16\ndyno_cidrs: [%s.128.0/20]\nrouter_cidrs: [%s.0.0/20]\nrouters: [%s.0.37]\n' \
        "$name" "$net" "$net" "$net" "$net"
    [ $# -eq 0 ] || printf '%s\n' "$@"
    printf 'apps:\n  - name: %s\n    internal_routing: true\n    formation: {web: {dynos: [{number: 1, private_ip: %s.128.7, state: up}]}}\n...\n' \
        "$app" "$net"
}
