#!/bin/bash
# Settings are read again with the zones: new upstreams are used from then on, no waiting client
# is lost, the cache stays unless the upstreams changed, a setting that needs a restart is reported, and a
# broken file changes nothing.
# busy: measures under load
# timeout: 180
. "$(dirname "$0")/lib.bash"
spacedns=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
paced=$BUILD_DIR/bin/tests/bench/paced
[ -x "$paced" ] || skip "there is no $paced"

port=$(free_port)
first=$(free_port)
second=$(free_port)
start_upstream first --listen "127.0.0.1:$first" <<'END'
*.example.org.     300 IN A 198.51.100.1
inward.example.org. 300 IN A 10.0.0.37
END
start_upstream second --listen "127.0.0.1:$second" <<'END'
*.example.org.     300 IN A 198.51.100.2
inward.example.org. 300 IN A 10.0.0.37
END

# settings LINE...: the settings file, in one piece
settings() {
    printf '%s\n' "zones: zones" "listen: [\"127.0.0.1:$port\"]" "local_as: [test-space]" \
        "workers: 2" "control_socket: $work/socket" "$@" >"$work/next.yaml"
    mv "$work/next.yaml" "$work/s.yaml"
}

to_first="upstreams: [127.0.0.1@$first]"
to_second="upstreams: [127.0.0.1@$second]"
settings "$to_first"
start settings --settings "$work/s.yaml"

# ---- what is kept ----

# Both workers may answer, so a name is kept once by each.
for _ in {1..20}; do ask +short kept.example.org >"$work/answer"; done
expect "the first upstream answers" 198.51.100.1 "$(cat "$work/answer")"
asked=$(times_asked first kept.example.org A)
[ "$asked" -le 2 ] || fail "what was answered is kept" "asked $asked times"

reload
expect_match "nothing changed" ' info reload_unchanged generation=1 ' "$logged"
settings "$to_first" "recursion_for: [space, vpn]" "server_id: other" "log_level: debug"
reload
expect_match "settings that change no upstream" \
    ' info reload_done generation=2 .* settings=recursion_for,server_id,log_level by=[0-9]+( user=[^ ]+)? command=SIGHUP$' "$logged"
expect "take effect" '"other"' "$(ask +short id.server CH TXT)"
for _ in {1..20}; do ask +short kept.example.org >"$work/answer"; done
[ "$(times_asked first kept.example.org A)" -le 2 ] || fail "and leave what is kept" "it was asked again"

expect "an address of the space is withheld" "" "$(ask +short inward.example.org)"
settings "$to_first" "allow_rebind: true"
asked=$(times_asked first inward.example.org A)
reload
expect_match "allow_rebind" ' info reload_done .* settings=recursion_for,allow_rebind,server_id' "$logged"
expect "the same address is passed on" 10.0.0.37 "$(ask +short inward.example.org)"
[ "$(times_asked first inward.example.org A)" -le 2 ] || fail "allow_rebind leaves what is kept" "it was asked again"

settings "$to_second"
reload
expect_match "another upstream" ' info reload_done .* settings=upstreams,allow_rebind by=[0-9]+( user=[^ ]+)? command=SIGHUP$' "$logged"
expect "is asked, for what was kept is forgotten" 198.51.100.2 "$(ask +short kept.example.org)"
[ "$(times_asked second kept.example.org A)" = 1 ] || fail "the second upstream was asked"

settings "$to_second" "upstream_zones: {two.example.org: [127.0.0.1@$first]}"
reload
expect "a zone of its own" "198.51.100.1 198.51.100.2" \
    "$(addresses "$(ask +short one.two.example.org; ask +short one.example.org)")"

settings "upstreams: none"
reload
expect_match "no upstreams" 'status: REFUSED.*' "$(ask kept.example.org)"
expect_match "no upstreams: why" 'EDE: 20 .*Q20' "$(ask kept.example.org)"
settings "$to_first"
reload
expect "upstreams again" 198.51.100.1 "$(ask +short kept.example.org)"

settings "$to_first" "recursion_for: [vpn]"
reload
expect_match "recursion taken away" 'status: REFUSED' "$(ask kept.example.org)"

mkdir "$work/zones"
sed 's/10\.0\.16\.21\]/10.0.16.22]/' zones/test-space.yaml >"$work/zones/test-space.yaml"
settings "$to_first"
sed -i "s|^zones: .*|zones: $work/zones|" "$work/s.yaml"
reload
expect_match "another folder of zones" ' info reload_done .* files=1 read=1 .* settings=zones,recursion_for by=[0-9]+( user=[^ ]+)? command=SIGHUP$' "$logged"
expect "is answered from" "10.0.0.37 10.0.16.22" "$(addresses "$(ask +short frozen-oasis-70544.herokuapp.com)")"
expect_match "and the command works on it" "^zones +$work/zones\$" "$("$spacedns" status --socket "$work/socket")"

# ---- who waits ----

set_mode first silent
was_asked() {
    [ "$(times_asked first "$1" A)" -gt 0 ]
}
for way in udp tcp; do
    settings "$to_first"
    reload
    ask $([ "$way" = udp ] || echo +tcp) +short "waiting-$way.example.org" >"$work/waited" &
    waiting=$!
    children+=("$waiting")
    await was_asked "waiting-$way.example.org"
    settings "$to_second"
    reload
    wait "$waiting"
    expect "who waits over $way for a silent upstream is answered by the next" 198.51.100.2 "$(cat "$work/waited")"
done

set_mode first slow 30
set_mode second slow 30
echo '*.example.org' >"$work/names"
echo frozen-oasis-70544.herokuapp.com >"$work/local"
rate=400
[ -z "${SANITIZE:-}" ] || rate=50
"$paced" -p "$port" -s 5 "asked:$rate:$work/names" "local:$rate:$work/local" >"$work/load" &
loading=$!
children+=("$loading")
rounds=0
while ! is_gone "$loading"; do
    case $((rounds % 4)) in
    0 | 2) settings "$to_first" ;;
    1) settings "$to_second" ;;
    3) settings "upstreams: [" ;;
    esac
    reload
    rounds=$((rounds + 1))
    sleep 0.1
done
wait "$loading"
for stream in asked local; do
    line=$(grep "\"stream\":\"$stream\"" "$work/load")
    sent=$(sed 's/.*"sent":\([0-9]*\).*/\1/' <<<"$line")
    expect_match "no query lost or failed in $rounds reloads: $stream" "\"sent\":$sent,.*\"good\":$sent," "$line"
done
[ "$rounds" -ge 8 ] || fail "reloads while there is load" "only $rounds"
for each in first second; do
    [ "$(wc -l <"$work/$each.log")" -gt 20 ] || fail "the $each upstream had its share"
    set_mode "$each" answer
done

# ---- what is refused ----

settings "$to_first"
reload
generation=$(sed -n 's/.*info reload_[a-z]* generation=\([0-9]*\).*/\1/p' <<<"$logged")

# refused WHAT PATTERN LINE...: the settings with these lines change nothing, and the reason is logged
refused() {
    local what=$1 pattern=$2 out
    shift 2
    settings "$@"
    reload
    expect_match "$what: found" " error finding code=E-SETTING place=$pattern" "$logged"
    expect_match "$what: refused" \
        " error reload_refused code=Q50 .* generation=$generation errors=[0-9]+ first=E-SETTING place=" "$logged"
    out=$("$spacedns" reload --socket "$work/socket" 2>&1)
    expect "$what: exit code of the command" 1 "$?"
    expect_match "$what: the command prints the location" "^$work/s\.yaml:?.* error E-SETTING: " "$out"
    expect_match "$what: the command counts" \
        "^Error: Q50 reload refused: [0-9]+ errors? in the settings; generation $generation is still served; fix" "$out"
    expect "$what: the old upstream answers" 198.51.100.1 "$(ask +short "$RANDOM.example.org")"
}
refused "a key misspelt" "$work/s\.yaml:7:1 text=\"unknown key .upstraems.; did you mean .upstreams.\?\"" \
    "$to_second" "upstraems: [10.0.0.9]"
refused "no YAML" "$work/s\.yaml:[67]:[0-9]+ text=" "upstreams: ["
refused "a value that is none" "$work/s\.yaml:7:11 text=\"external: .nothing. is not known; give refuse or nxdomain\"" \
    "$to_second" "external: nothing"
refused "the server itself as upstream" "$work/s\.yaml:6:13 text=.* is this server itself: .* loop" \
    "upstreams: [127.0.0.1@$port]"
refused "a zone that is never asked for" "$work/s\.yaml:7:18 text=.*localspace.* answered here" \
    "$to_second" "upstream_zones: {localspace: [127.0.0.1@$second]}"
rm "$work/s.yaml"
reload
expect_match "the file is gone" " error finding code=E-SETTING place=$work/s\.yaml text=.*No such file" "$logged"
mkdir "$work/bad-zones"
settings "$to_second" "zones: $work/bad-zones"
reload
expect_match "a key given twice" " error finding code=E-SETTING " "$logged"
sed -i '1d' "$work/s.yaml"
reload
expect_match "good settings, and a folder without zones" ' error reload_refused .*no zone file' "$logged"
expect "which changes no upstream either" 198.51.100.1 "$(ask +short "$RANDOM.example.org")"

# ---- settings that need a restart ----

settings "$to_first" "cache_size: 8388608" "log_format: json"
sed -i "s/^listen: .*/listen: [127.0.0.1:1]/; s/^workers: .*/workers: 1/" "$work/s.yaml"
out=$("$spacedns" reload --socket "$work/socket" 2>&1)
expect "settings that need a restart: exit code" 0 "$?"
expect_match "listen stays" "^$work/s\.yaml:2:10: warning W-RESTART: listen: the change from 127\.0\.0\.1:$port to 127\.0\.0\.1:1 takes effect after a restart$" "$out"
expect_match "workers stay" 'W-RESTART: workers: the change from 2 to 1 takes effect after a restart' "$out"
expect_match "cache_size stays" 'W-RESTART: cache_size: the change from 67108864 to 8388608 takes effect after a restart' "$out"
expect_match "log_format stays" 'W-RESTART: log_format: the change from logfmt to json takes effect after a restart' "$out"
expect "no other setting is reported" 4 "$(grep -c W-RESTART <<<"$out")"
expect_match "the zones are as they were" '^Reloading zones\.\.\. unchanged, ' "$out"
expect "the server answers where it did" 198.51.100.1 "$(ask +short "$RANDOM.example.org")"
reload
expect_match "the log has them too" ' warning finding code=W-RESTART place=[^ ]*/s\.yaml:2:10 text="listen: ' "$logged"

# ---- what would be ----

settings "$to_second" "localspace_to: [vpn]"
out=$("$spacedns" reload --dry-run --socket "$work/socket" 2>&1)
expect_match "a dry run shows what the settings would change" '^ +- .*\.frozen-oasis-70544\.app\.localspace' "$out"
expect_match "and which those are" '^  ~ localspace_to: space -> vpn$' "$out"
expect_match "and that others are asked" '^  ~ upstreams: .* -> .*$' "$out"
expect "and changes nothing" 198.51.100.1 "$(ask +short "$RANDOM.example.org")"
settings "$to_second" "reload_guard: false"
out=$("$spacedns" reload --json --socket "$work/socket" 2>&1)
expect_match "JSON lists what changed" '"settings": \["upstreams", "reload_guard"\]|"settings": \[$' "$out"

# ---- what does not fit the zone files ----

settings "$to_second" "reload_guard: false"
sed -i 's/^local_as: .*/local_as: [tset-space]/' "$work/s.yaml"
gone='local_as: no zone file of zones has a space `tset-space`; did you mean `test-space`\?'
for reload in first second; do
    out=$("$spacedns" reload --socket "$work/socket" 2>&1)
    expect "a space that local_as lacks, $reload reload: exit code" 0 "$?"
    expect_match "$reload reload: reported" "^$work/s\.yaml:3:[0-9]+: warning W-LOCAL-AS: $gone$" "$out"
done
reload
expect_match "and logged" " warning finding code=W-LOCAL-AS place=[^ ]*/s\.yaml:3:[0-9]+ text=\"$gone\"$" "$logged"
stop
expect "the server ends" 0 "$code"
finish
