# What the parts of the benchmark share; `run` reads it.
#
# Servers have names: ${port[NAME]}, ${pid[NAME]}, $work/NAME.log. Each round of a measurement is a
# line in $work/NAME.ROW: answers per second, user µs and kernel µs per answer.
json=${json:?} rounds=${rounds:?} seconds=${seconds:?} names=${names:?} large=${large:?} minutes=${minutes:?}
here=${here:?}
fail() { printf 'bench: %s\n' "$*" >&2; exit 1; }
[ -n "${BUILD_DIR:-}" ] || fail "BUILD_DIR is not set; start this with: cmd/dev bench"
tools=$BUILD_DIR/bin/tests/bench
[ -x "$tools/flood" ] || fail "there is no $tools/flood: $BUILD_DIR is no build, or not whole; run: cmd/dev bench"
SPACEDNSD=${SPACEDNSD:-$BUILD_DIR/bin/spacednsd}
work=$(mktemp -d)
chmod 755 "$work"
declare -A pid port
notes=()
attended=

print_line() { $json || printf '%s\n' "$*"; }
progress() { if [ -t 2 ]; then printf '\r\033[K%s' "$*" >&2; fi; }

# The processors that this command may use: servers have the first, clients the second.
mapfile -t processors < <(taskset -cp "$$" | sed 's/.*: //' | tr , '\n' | awk -F- '{
    for (i = $1; i <= ($2 == "" ? $1 : $2); i++) print i }')
server_processor=${processors[0]}
client_processor=${processors[1]:-${processors[0]}}

note() {
    notes+=("$*")
    progress ''
    printf 'bench: %s\n' "$*" >&2
}

# attend COMMAND...: waits for it so that a signal ends the wait at once
attend() {
    "$@" &
    attended=$!
    wait "$attended"
}

need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" > /dev/null || fail "$tool is missing; cmd/dev bench installs it"
    done
}

# present NAME...: prints those servers that are here; ours and the echo servers always are
present() {
    local name
    for name in "$@"; do
        case $name in
        spacednsd | echo) echo "$name" ;;
        *) ! command -v "$name" > /dev/null || echo "$name" ;;
        esac
    done
}

# note_left_out NAME...: says which of them are not here
note_left_out() {
    local name missing=()
    for name in "$@"; do
        [[ " ${left_out[*]:-} " == *" $name "* ]] || [ -n "$(present "$name")" ] || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    left_out+=("${missing[@]}")
    note "left out, because not installed: ${missing[*]}"
}
left_out=()

stop() { # NAME
    kill "${pid[$1]}" 2>/dev/null || true
    wait "${pid[$1]}" 2>/dev/null || true
    unset "pid[$1]"
}

stop_all() {
    local name each all=()
    trap '' INT TERM HUP
    progress ''
    for name in "${!pid[@]}"; do kill -CONT "${pid[$name]}" 2>/dev/null || true; done
    for each in $(jobs -p); do mapfile -t -O "${#all[@]}" all < <(family "$each"); done
    [ ${#all[@]} -eq 0 ] || kill "${all[@]}" 2>/dev/null || true
    for _ in {1..50}; do
        [ -n "$(jobs -pr)" ] || break
        sleep 0.1
    done
    [ ${#all[@]} -eq 0 ] || [ -z "$(jobs -pr)" ] || kill -KILL "${all[@]}" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

free_port() {
    local candidate
    for candidate in $(shuf -i 20000-30000 -n 50); do
        if ! ss -Hlnut "sport = :$candidate" | grep -q .; then
            echo "$candidate"
            return
        fi
    done
    fail "no free port between 20000 and 30000"
}

wait_until_answering() { # NAME QNAME
    local try
    for try in $(seq 300); do
        if dig +tries=1 +time=1 +noedns -p "${port[$1]}" @127.0.0.1 "$2" A 2>&1 |
            grep 'status: NOERROR' > /dev/null; then
            return
        fi
        kill -0 "${pid[$1]}" 2>/dev/null || fail "$1 ended: $(tail -3 "$work/$1.log")"
        sleep 0.1
    done
    fail "$1 does not answer: $(tail -3 "$work/$1.log")"
}

# ---- processes ----

family() { # PID: itself and all below it
    local child
    echo "$1"
    for child in $(pgrep -P "$1"); do family "$child"; done
}

pin() { # PID [PROCESSOR]
    local process
    for process in $(family "$1"); do taskset -apc "${2:-$server_processor}" "$process" > /dev/null; done
}

ticks() { # PID: user and system clock ticks of the whole family
    local process
    # The name in brackets may hold blanks: fields are counted after it.
    for process in $(family "$1"); do sed "s/.*) //" "/proc/$process/stat"; done |
        awk '{ user += $12; kernel += $13 } END { print user, kernel }'
}

memory_mb() { # PID
    local process
    for process in $(family "$1"); do cat "/proc/$process/smaps_rollup" 2>/dev/null; done |
        awk '/^Pss:/ { kb += $2 } END { printf "%.1f", kb / 1024 }'
}

resident_mb() { # NAME
    awk '/^VmRSS:/ { printf "%.1f", $2 / 1024 }' "/proc/${pid[$1]}/status"
}

# With the right to it, the client that measures goes first: what it sees is then the server's.
first=(env)
! chrt -f 10 true 2>/dev/null || first=(chrt -f 10)

# ---- servers and what they serve ----

# Names in four spaces: a space's dynos need addresses of their own, and a /16 has 65,536.
write_spaces() {
    mkdir -p "$work/zones"
    awk -v names="$names" -v folder="$work/zones" 'BEGIN {
        per = int((names + 3) / 4)
        for (s = 0; s < 4; s++) {
            file = folder "/space-" s ".yaml"
            printf "space: bench-%d\ncidr: 10.%d.0.0/16\n", s, s > file
            printf "dyno_cidrs: [10.%d.64.0/18, 10.%d.128.0/17]\n", s, s > file
            printf "routers: [10.%d.0.37, 10.%d.16.21]\napps:\n", s, s > file
            for (i = 0; i < per && s * per + i < names; i++) {
                ip = 64 * 256 + 1 + i
                printf "  - {name: app-%d, internal_routing: true, formation: ", s * per + i > file
                printf "{web: {dynos: [{number: 1, private_ip: 10.%d.%d.%d}]}}}\n",
                    s, int(ip / 256), ip % 256 > file
            }
            close(file)
        }
    }'
}

write_zone() { # ZONE HOST NETWORK [LINE]: HOST-0, HOST-1 ... with two addresses each
    {
        printf '$ORIGIN %s.\n$TTL 3600\n@ SOA ns1 hostmaster 1 3600 600 86400 3600\n' "$1"
        printf '@ NS ns1\nns1 A 127.0.0.1\n%s\n' "${4:-}"
        awk -v names="$names" -v host="$2" -v network="$3" 'BEGIN { for (i = 0; i < names; i++)
            printf "%s-%d A %d.%d.0.37\n%s-%d A %d.%d.16.21\n", host, i, network, i % 4, host, i, network, i % 4 }'
    } > "$work/$1.zone"
}

start_spacednsd() { # NAME FLAG...
    local name=$1
    shift
    "$SPACEDNSD" --user "$(id -un)" --http-listen none --zones "$work/zones" --listen "127.0.0.1:${port[$name]}" --workers 1 \
        --local-as bench-0,bench-1,bench-2,bench-3 "$@" > "$work/$name.log" 2>&1 &
    pid[$name]=$!
}

start_nsd() { # NAME ZONE [SETTING]
    cat > "$work/$1.conf" <<CONF
server:
  ip-address: 127.0.0.1@${port[$1]}
  server-count: 1
  reuseport: yes
  username: ""
  chroot: ""
  database: ""
  zonesdir: "$work"
  pidfile: "$work/$1.pid"
  xfrdfile: "$work/$1.xfrd"
  zonelistfile: "$work/$1.list"
  xfrdir: "$work"
  rrl-ratelimit: 0
  ${3:-}
  verbosity: 0
remote-control:
  control-enable: no
zone:
  name: $2
  zonefile: $2.zone
CONF
    nsd -d -c "$work/$1.conf" > "$work/$1.log" 2>&1 &
    pid[$1]=$!
}

# start_named NAME CONFIGURATION: BIND, with one thread
start_named() {
    cat > "$work/$1.conf" << CONF
options {
    directory "$work";
    listen-on port ${port[$1]} { 127.0.0.1; };
    listen-on-v6 { none; };
    pid-file none;
    session-keyfile none;
    dnssec-validation no;
    allow-query { any; };
    ${2:-}
};
controls { };
${3:-}
CONF
    named -g -4 -n 1 -c "$work/$1.conf" > "$work/$1.log" 2>&1 &
    pid[$1]=$!
}

# start_echo NAME [tcp]
start_echo() {
    "$tools/echo" "${port[$1]}" 127.0.0.1 ${2:+"$2"} > "$work/$1.log" 2>&1 &
    pid[$1]=$!
}

# ---- measuring ----

# settle NAME: waits, not for long, until a server has done with what was asked before
settle() {
    local before now
    before=$(ticks "${pid[$1]}")
    for _ in {1..20}; do
        sleep 0.1
        now=$(ticks "${pid[$1]}")
        [ "$now" != "$before" ] || return 0
        before=$now
    done
}

measure() { # NAME ROW NAMES-FILE FLOOD-FLAG...: appends a line to the row
    local name=$1 row=$2 file=$3 before after out answers
    shift 3
    before=$(ticks "${pid[$name]}")
    attend taskset -c "$client_processor" "$tools/flood" "$@" -p "${port[$name]}" -f "$file" -s "$seconds" \
        > "$work/flood.out" || fail "the client of $name failed: $row"
    after=$(ticks "${pid[$name]}")
    out=$(cat "$work/flood.out")
    answers=$(field answers "$out")
    [ "$answers" -gt 0 ] || fail "$name answered nothing: $row"
    [ $((100 * $(field servfail "$out"))) -le "$answers" ] || fail "$name failed: $row: $out"
    echo "$before $after $answers" "$seconds" "$(getconf CLK_TCK)" |
        awk '{ printf "%.0f %.4f %.4f\n", $5 / $6, ($3 - $1) * 1e6 / $7 / $5, ($4 - $2) * 1e6 / $7 / $5 }' \
            >> "$work/$name.$row"
    settle "$name"
}

field() { # KEY JSON-LINE
    sed "s/.*\"$1\":\"\\?\\([^,\"}]*\\).*/\\1/" <<< "$2"
}

median() { # NAME ROW COLUMN
    sort -n -k"$3","$3" "$work/$1.$2" | awk -v c="$3" '{ v[NR] = $c } END { print v[int((NR + 1) / 2)] }'
}

least() { sort -n -k"$3","$3" "$work/$1.$2" | awk -v c="$3" 'NR == 1 { print $c }'; }
most() { sort -n -k"$3","$3" "$work/$1.$2" | awk -v c="$3" 'END { print $c }'; }

# User µs of all rounds together: clocks tick a hundred times a second, too seldom for one round.
mean_user() { # NAME ROW
    awk '{ answers += $1; user += $1 * $2 } END { printf "%.4f", user / answers }' "$work/$1.$2"
}

mean_cpu() { # NAME ROW: user and kernel
    awk '{ answers += $1; cpu += $1 * ($2 + $3) } END { printf "%.4f", cpu / answers }' "$work/$1.$2"
}

# Servers beside the first of them, which is ours.
report() { # ROW TITLE NAME...
    local row=$1 title=$2 ours=$3 name ours_user ours_rate
    shift 2
    ours_rate=$(median "$ours" "$row" 1)
    ours_user=$(mean_user "$ours" "$row")
    progress ''
    print_line ""
    print_line "$title, medians of $rounds rounds of $seconds s:"
    $json || printf '  %-10s %11s %21s %10s %10s   %s\n' server answers/s 'least–most' 'user µs' 'kernel µs' \
        "$ours is (answers/s, user CPU)"
    for name in "$@"; do
        set -- "$(median "$name" "$row" 1)" "$(mean_user "$name" "$row")" \
            "$(median "$name" "$row" 3)" "$(least "$name" "$row" 1)" "$(most "$name" "$row" 1)"
        awk -v json=$json -v row="$row" -v name="$name" -v rate="$1" -v user="$2" -v low="$4" -v high="$5" \
            -v kernel_us="$3" -v ours_rate="$ours_rate" -v ours_user="$ours_user" 'BEGIN {
            more = ours_rate / rate; less = user > 0 ? ours_user / user : 0
            if (json == "true")
                printf "{\"row\":\"%s\",\"server\":\"%s\",\"per_second\":%d,\"least\":%d,\"most\":%d,\"user_us\":%s,\"kernel_us\":%s,\"rate_ratio\":%.3f,\"user_ratio\":%.3f}\n", row, name, rate, low, high, user, kernel_us, more, less
            else
                printf "  %-10s %11d %20s %10.3f %10.3f   %.2f x, %.2f x\n", name, rate, low "–" high, user, kernel_us, more, less }'
    done
}

# ---- budgets ----

# budget WHAT VALUE most|least BOUND [UNIT]: a row of the last table; an empty value was not measured
budget() {
    printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "${5:-x}" >> "$work/budgets"
}

per() { awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) printf "%.3f", a / b }'; } # A B: A / B

# rate_against, user_against ROW PEER: ours / the peer's; nothing when the peer is not here
rate_against() {
    [ ! -e "$work/$2.$1" ] || per "$(median spacednsd "$1" 1)" "$(median "$2" "$1" 1)"
}

user_against() {
    [ ! -e "$work/$2.$1" ] || per "$(mean_user spacednsd "$1")" "$(mean_user "$2" "$1")"
}

cpu_against() {
    [ ! -e "$work/$2.$1" ] || per "$(mean_cpu spacednsd "$1")" "$(mean_cpu "$2" "$1")"
}

print_budgets() {
    [ -e "$work/budgets" ] || return 0
    print_line ""
    print_line "Budgets:"
    $json || printf '  %-66s %10s %12s\n' '' measured bound
    awk -F'\t' -v json=$json '{
        value = $2; bound = $4
        if (value == "") verdict = "not measured"
        else if ($3 == "most" ? value + 0 <= bound + 0 : value + 0 >= bound + 0) verdict = "met"
        else if (bound == 0) verdict = "missed"
        else verdict = sprintf("missed by %.0f %%", 100 * ($3 == "most" ? value / bound - 1 : 1 - value / bound))
        if (json == "true")
            printf "{\"budget\":\"%s\",\"measured\":%s,\"%s\":%s,\"unit\":\"%s\",\"verdict\":\"%s\"}\n", $1, value == "" ? "null" : value, $3, bound, $5, verdict
        else
            printf "  %-66s %10s %s %7s %-4s %s\n", $1, value == "" ? "-" : value, $3 == "most" ? "≤" : "≥", bound, $5, verdict
    }' "$work/budgets"
}

# ---- the machine ----

noise_bound=10 # percent

machine_ticks() { # busy, stolen and all clock ticks of all processors
    awk '/^cpu / { all = 0; for (i = 2; i <= 9; i++) all += $i; print all - $5 - $6, $9, all; exit }' /proc/stat
}

# One fixed piece of work after the other: its times differ only by what else the machine does.
calibrate() {
    local begun ended
    for _ in {1..15}; do
        begun=$(date +%s%N)
        taskset -c "$server_processor" awk 'BEGIN { for (i = 0; i < 400000; i++) s += i % 7 }'
        ended=$(date +%s%N)
        echo $((ended - begun))
    done | sort -n | awk '{ v[NR] = $1 } END { printf "%.0f", 100 * (v[13] / v[3] - 1) }'
}

note_machine() {
    local before after spread
    if [ ${#processors[@]} -lt 2 ]; then
        note "only one processor: servers and clients share it, so rates and latencies are of both"
    fi
    before=$(machine_ticks)
    sleep 1
    after=$(machine_ticks)
    echo "$before $after" | awk -v bound=$noise_bound '{ share = 100 * ($4 - $1) / ($6 - $3); if (share > bound) printf "%.0f\n", share }' > "$work/noise"
    [ ! -s "$work/noise" ] || note "this machine is noisy: others use $(cat "$work/noise") % of it before anything begins"
    attend calibrate > "$work/spread"
    spread=$(cat "$work/spread")
    [ "$spread" -le 15 ] || note "this machine is noisy: the same work takes up to $spread % longer at times"
    machine_before=$after
}

note_machine_end() {
    local stolen name
    stolen=$(echo "$machine_before $(machine_ticks)" | awk '{ printf "%.0f", 100 * ($5 - $2) / ($6 - $3 + 1) }')
    [ "$stolen" -le 3 ] || note "this machine is noisy: its host took $stolen % of the processors' time"
    for name in "$work"/echo.*; do
        [[ $name == *.udp || $name == *.tcp-one ]] || continue
        awk -v bound=30 '{ v[NR] = $1 } END { for (i in v) { if (low == 0 || v[i] < low) low = v[i]; if (v[i] > high) high = v[i] }
            if (high > low * (1 + bound / 100)) printf "%.0f", 100 * (high / low - 1) }' "$name" > "$work/noise"
        [ ! -s "$work/noise" ] ||
            note "this machine is noisy: the echo server's rounds (${name##*.}) differ by $(cat "$work/noise") %"
    done
}

print_notes() {
    local each
    for each in "${notes[@]}"; do
        if $json; then printf '{"note":"%s"}\n' "$each"; else print_line "Note: $each"; fi
    done
}

print_estimate() { # PART...
    local part estimate=2 known=true
    for part in "$@"; do
        if declare -F "${part}_estimate" > /dev/null; then
            estimate=$((estimate + $("${part}_estimate")))
        else
            known=false
        fi
    done
    ! $known || printf 'bench: %s takes about %d:%02d minutes\n' "$*" $((estimate / 60)) $((estimate % 60)) >&2
}
