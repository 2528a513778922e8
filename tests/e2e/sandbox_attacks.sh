#!/bin/bash
# What a root shell's worth of attack can do from inside the server: nothing, with the sandbox; and
# with less than all of it, each attack succeeds somewhere, so that it would be seen.
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
setpriv --reuid 65534 --regid 65534 --clear-groups true 2>/dev/null || skip "not root, so no other user"
export SPACEDNSD=$BUILD_DIR/bin/tests/e2e/attacked_spacednsd
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
id nobody >/dev/null 2>&1 || skip "there is no user nobody here"

mkdir "$work/zones" "$work/run" "$work/elsewhere"
cp zones/test-space.yaml "$work/zones/"
chown -R nobody "$work/zones" "$work/run" "$work/elsewhere"
echo secret >"$work/of-root"
chmod 600 "$work/of-root"
echo public >"$work/elsewhere/file"
victim=

# The victim is a process of the same user. It must be traceable by it (a changed user is not).
new_victim() {
    [ -z "$victim" ] || kill -KILL "$victim" 2>/dev/null
    setpriv --reuid "$1" --regid "$1" --clear-groups sleep 600 &
    victim=$!
    children+=("$victim")
    await grep -q '^sleep$' "/proc/$victim/comm"
}

# attack USER SANDBOX NAME [ON]: leaves how it ended in $end: succeeded, refused, killed
attack() {
    local user=$1 sandbox=$2 name=$3 printed
    [ "${4:-}" != victim ] || { new_victim "$(id -u "$user")"; set -- "$1" "$2" "$3" "$victim"; }
    as_user=(--user "$user")
    ATTACK=$name ATTACK_ON=${4:-} start "attack" --zones "$work/zones" --listen 127.0.0.1:53 --workers 1 \
        --control-socket "$work/run/socket" --sandbox "$sandbox"
    printed=$("$SPACEDNS" status --socket "$work/run/socket" 2>&1)
    case $printed in
    succeeded) end=succeeded ;;
    refused:*) end=refused ;;
    *) end=gone ;;
    esac
    if [ $end = gone ]; then
        wait "$server" 2>/dev/null
        code=$?
        [ $code != 159 ] || end=killed # SIGSYS
        [ $code != 0 ] || end=succeeded # /bin/true
    else
        stop
    fi
    rm -f "$work/run/socket" "$work/zones/new.yaml"
    [ $end != gone ] || end="$printed (exit code $code)"
}

# What this kernel and build have.
as_user=(--user nobody)
start probe --zones "$work/zones" --listen 127.0.0.1:53 --control-socket "$work/run/socket"
has_seccomp=$(grep -c ' info privileges .* seccomp=kill$' "$server_log")
abi=$(grep -oP ' info privileges .* landlock="ABI \K[0-9]+' "$server_log" || echo 0)
stop
echo "Landlock ABI $abi, seccomp $has_seccomp"

# try_one NAME ON AS-NOBODY LANDLOCK BOTH: how it ends for the user nobody without a sandbox; for root
# with Landlock's ABI (0: none needed) in it; and for nobody in the whole sandbox. `any` is not tried.
try_one() {
    local name=$1 on=$2 nobody_off=$3 needs=$4 root_on=$5 nobody_on=$6
    if [ "$nobody_off" != any ]; then
        attack nobody off "$name" "$on"
        expect "$name ${on##*/}: nobody, no sandbox" "$nobody_off" "$end"
    fi
    if [ "$needs" = seccomp ]; then
        [ "$has_seccomp" = 1 ] || return
    else
        [ "$abi" -ge "$needs" ] || return
    fi
    if [ "$root_on" != any ]; then
        attack root on "$name" "$on"
        expect "$name ${on##*/}: root, sandbox" "$root_on" "$end"
    fi
    attack nobody on "$name" "$on"
    expect "$name ${on##*/}: nobody, sandbox" "$nobody_on" "$end"
}

#       attack         on                            nobody    needs   root     nobody
#                                                    off               on       on
try_one read           /etc/shadow                   refused   1       refused  refused
try_one read           "$work/of-root"               refused   0       any      refused
try_one read           /etc/hostname                 succeeded 1       refused  refused
try_one read           /proc/1/status                succeeded 1       refused  refused
try_one read           "$work/zones/test-space.yaml" succeeded 1       succeeded succeeded
try_one write          "$work/zones/new.yaml"        succeeded 1       refused  refused
try_one write          "$work/zones/test-space.yaml" succeeded 1       refused  refused
try_one write          "$work/elsewhere/new"         succeeded 1       refused  refused
try_one write          "$work/run/new"               succeeded 1       succeeded succeeded
try_one list           /                             succeeded 1       refused  refused
try_one execute        ""                            succeeded seccomp killed   killed
try_one fork           ""                            succeeded seccomp killed   killed
try_one ptrace         victim                        succeeded seccomp killed   killed
try_one memory         victim                        any       seccomp killed   killed
try_one kill           victim                        succeeded seccomp killed   killed
try_one tgkill         victim                        succeeded seccomp killed   killed
try_one bind-25        ""                            refused   4       refused  refused
try_one bind-high      ""                            succeeded 4       refused  refused
try_one listen         ""                            succeeded seccomp killed   killed
try_one raw-socket     ""                            refused   seccomp killed   killed
try_one packet-socket  ""                            refused   seccomp killed   killed
try_one io_uring       ""                            any       seccomp refused  refused
try_one mount          "$work/elsewhere"             refused   seccomp killed   killed
try_one setuid         ""                            refused   seccomp any      killed
try_one user-namespace ""                            any       seccomp killed   killed
try_one code           ""                            succeeded seccomp refused  refused

# A log tells what would have been killed, and nothing is.
if [ "$has_seccomp" = 1 ]; then
    attack nobody log execute
    expect "sandbox: log refuses nothing" succeeded "$end"
    expect_match "and says where to look" ' warning sandbox_log text=".*type=1326' "$(<"$server_log")"
fi
finish
