# What the parts of the benchmark share; `run` reads it.
#
# Servers have names: ${port[NAME]}, ${pid[NAME]}, $work/NAME.log. Each round of a measurement is a
# line in $work/NAME.ROW: answers per second, user µs and kernel µs per answer.
root=${BUILD_DIR:?start this with: cmd/dev bench}
tools=$root/bin/tests/bench
work=$(mktemp -d)
chmod 755 "$work"
declare -A pid port

print_line() { $json || printf '%s\n' "$*"; }
progress() { if [ -t 2 ]; then printf '\r\033[K%s' "$*" >&2; fi; }
fail() { printf 'bench: %s\n' "$*" >&2; exit 1; }

need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" > /dev/null || fail "$tool is missing; cmd/dev bench installs it"
    done
}

stop() { # NAME
    kill "${pid[$1]}" 2>/dev/null || true
    wait "${pid[$1]}" 2>/dev/null || true
    unset "pid[$1]"
}

stop_all() {
    local name
    for name in "${!pid[@]}"; do
        kill -CONT "${pid[$name]}" 2>/dev/null || true
        kill "${pid[$name]}" 2>/dev/null || true
    done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap stop_all EXIT

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
            grep -q 'status: NOERROR'; then
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
    for process in $(family "$1"); do taskset -apc "${2:-0}" "$process" > /dev/null; done
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

# ---- measuring ----

measure() { # NAME ROW NAMES-FILE FLOOD-FLAG...: appends a line to the row
    local name=$1 row=$2 file=$3 before after out answers
    shift 3
    before=$(ticks "${pid[$name]}")
    out=$(taskset -c 1 "$tools/flood" "$@" -p "${port[$name]}" -f "$file" -s "$seconds")
    after=$(ticks "${pid[$name]}")
    answers=$(field answers "$out")
    [ "$answers" -gt 0 ] || fail "$name answered nothing: $row"
    [ $((100 * $(field servfail "$out"))) -le "$answers" ] || fail "$name failed: $row: $out"
    echo "$before $after $answers" "$seconds" "$(getconf CLK_TCK)" |
        awk '{ printf "%.0f %.4f %.4f\n", $5 / $6, ($3 - $1) * 1e6 / $7 / $5, ($4 - $2) * 1e6 / $7 / $5 }' \
            >> "$work/$name.$row"
}

field() { # KEY JSON-LINE
    sed "s/.*\"$1\":\"\\?\\([^,\"}]*\\).*/\\1/" <<< "$2"
}

median() { # NAME ROW COLUMN
    sort -n -k"$3","$3" "$work/$1.$2" | awk -v c="$3" '{ v[NR] = $c } END { print v[int((NR + 1) / 2)] }'
}

# User µs of all rounds together: clocks tick a hundred times a second, too seldom for one round.
mean_user() { # NAME ROW
    awk '{ answers += $1; user += $1 * $2 } END { printf "%.4f", user / answers }' "$work/$1.$2"
}

# Servers beside the first of them, which is ours.
report() { # ROW TITLE NAME...
    local row=$1 title=$2 ours=$3 name ours_user ours_rate
    shift 2
    ours_rate=$(median "$ours" "$row" 1)
    ours_user=$(median "$ours" "$row" 2)
    print_line ""
    print_line "$title, medians of $rounds rounds of $seconds s:"
    $json || printf '  %-10s %12s %12s %12s   %s\n' server answers/s 'user µs' 'kernel µs' \
        "$ours is (answers/s, user CPU)"
    for name in "$@"; do
        set -- "$(median "$name" "$row" 1)" "$(median "$name" "$row" 2)" \
            "$(median "$name" "$row" 3)"
        awk -v json=$json -v row="$row" -v name="$name" -v rate="$1" -v user="$2" \
            -v kernel_us="$3" -v ours_rate="$ours_rate" -v ours_user="$ours_user" 'BEGIN {
            more = ours_rate / rate; less = user > 0 ? ours_user / user : 0
            if (json == "true")
                printf "{\"row\":\"%s\",\"server\":\"%s\",\"per_second\":%d,\"user_us\":%s,\"kernel_us\":%s,\"rate_ratio\":%.3f,\"user_ratio\":%.3f}\n", row, name, rate, user, kernel_us, more, less
            else
                printf "  %-10s %12d %12.3f %12.3f   %.2f x, %.2f x\n", name, rate, user, kernel_us, more, less }'
    done
}
