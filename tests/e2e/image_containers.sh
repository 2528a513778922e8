#!/bin/bash
# The image in docker and in podman, whichever is here: loaded, inspected, served from with its root
# read-only, asked, reloaded, healthy, and stopped.
# timeout: 300
. "$(dirname "$0")/lib.bash"
[ -z "${SANITIZE:-}" ] || skip "the image has no room for sanitizers"
[ "$(id -u)" = 0 ] || skip "only root may give a container the network of its choice"
need cmake dpkg-deb strip
command -v podman >/dev/null || command -v dockerd >/dev/null || skip "there is neither podman nor dockerd here"
enter_private_network || skip "no network namespace may be made here"

# ---- the image, of what is built ----

# pack FOLDER OUT: an image of the two programs, by way of a package that has no more than them
pack() {
    local folder=$1 out=$2
    DESTDIR=$folder cmake --install "$BUILD_DIR" --prefix /usr --strip &&
        mkdir "$folder/DEBIAN" &&
        printf '%s\n' "Package: spacedns" "Version: $version" "Architecture: amd64" "Maintainer: maintainers" \
            "Description: DNS server" >"$folder/DEBIAN/control" &&
        dpkg-deb --root-owner-group -b "$folder" "$work/spacedns.deb" &&
        SOURCE_DATE_EPOCH=1700000000 cmd/package/image "$work/spacedns.deb" "$out"
}
version=$("$SPACEDNSD" --version | awk 'NR == 1 { print $2 }')
pack "$work/package" "$work/image.tar" >"$work/pack.log" 2>&1 || { fail "the image is made" "$(tail -n 5 "$work/pack.log")"; finish; }
mkdir "$work/zones"
cp zones/test-space.yaml "$work/zones/"
chmod -R go=rX "$work/zones"

# ---- the engines ----

# Each keeps all its files below $work, and leaves the network and the control groups' limits alone.
docker_engine() {
    docker -H "unix://$work/docker.sock" "$@"
}

podman_engine() {
    podman "${runtime[@]}" --root "$work/podman/root" --runroot "$work/podman/run" --tmpdir "$work/podman/tmp" \
        --storage-driver vfs --cgroup-manager cgroupfs --events-backend none "$@"
}
runtime=()

docker_is_here() {
    command -v dockerd >/dev/null && command -v docker >/dev/null
}

docker_begins() {
    dockerd --data-root "$work/docker" --exec-root "$work/docker.exec" --pidfile "$work/docker.pid" \
        -H "unix://$work/docker.sock" --iptables=false --ip6tables=false --bridge=none --storage-driver vfs \
        >"$work/docker.log" 2>&1 & # no function: $! is the daemon
    dockerd=$!
    children+=("$dockerd")
    await docker_answers
    docker_engine version >/dev/null 2>&1
}

docker_answers() {
    docker_engine version >/dev/null 2>&1 || is_gone "$dockerd"
}

docker_ends() {
    ! is_gone "$dockerd" || return 0
    docker_engine rm -f spacedns >/dev/null 2>&1
    kill -TERM "$dockerd"
    await is_gone "$dockerd" || fail "dockerd ends"
    umount "$work/docker.exec/netns/default" 2>/dev/null
}

podman_is_here() {
    command -v podman >/dev/null
}

podman_begins() {
    podman_engine info >"$work/podman.log" 2>&1
}

podman_ends() {
    podman_engine rm -f spacedns >/dev/null 2>&1
    return 0
}

end_engine() {
    [ -z "$engine" ] || "${engine}_ends"
    engine=
}
engine=
trap 'end_engine; clean_up' EXIT # what runs in a container is no child of ours

# What podman takes by itself may not be able to run here, and another may.
podman_can_run() {
    local name
    for name in crun runc; do
        command -v "$name" >/dev/null || continue
        runtime=(--runtime "$name")
        ! runs_true podman || return 0
    done
    return 1
}

docker_can_run() {
    runs_true docker
}

# runs_true ENGINE: whether it runs any container on this host; else why not, in $work/ENGINE.why
runs_true() {
    local root=$work/$1.true library
    mkdir -p "$root/bin"
    cp -L "$(type -P true)" "$root/bin/true"
    while read -r library; do
        mkdir -p "$root$(dirname "$library")"
        cp -L "$library" "$root$library"
    done < <(ldd "$root/bin/true" | grep -oE '/[^ ]+')
    tar -cf "$root.tar" -C "$root" . && "$1_engine" import "$root.tar" runs-at-all >/dev/null 2>"$work/$1.why" &&
        "$1_engine" run --rm "${host[@]}" runs-at-all /bin/true >/dev/null 2>"$work/$1.why"
}
host=(--network host --ulimit nofile="$(ulimit -Hn):$(ulimit -Hn)" --ulimit nproc=1024:1024)
closed=(--read-only --cap-drop ALL --security-opt no-new-privileges)

# ---- what must hold in each ----

loads() {
    local engine=$1_engine
    expect_match "$1: load" "spacedns:$version" "$("$engine" load -i "$work/image.tar" 2>&1)"
    inspected=$("$engine" image inspect "spacedns:$version" 2>&1)
    expect "$1: inspect" "953:953|/usr/sbin/spacednsd --settings /etc/spacedns/spacednsd.yaml|53/tcp 53/udp|/etc/spacedns/zones /run/spacedns /var/lib/spacedns|SIGTERM|$version" \
        "$(/usr/bin/python3 -c '
import json, sys
config = json.load(sys.stdin)[0]["Config"]
print(config["User"], " ".join(config["Entrypoint"]), " ".join(sorted(config["ExposedPorts"])),
      " ".join(sorted(config["Volumes"])), config["StopSignal"],
      config["Labels"]["org.opencontainers.image.version"], sep="|")' <<<"$inspected" 2>&1)"
}

docker_is_healthy() {
    [ "$(docker_engine inspect --format '{{.State.Health.Status}}' spacedns 2>&1)" = healthy ]
}

# podman leaves the rhythm of health checks to systemd, so here one is asked for.
podman_is_healthy() {
    podman_engine healthcheck run spacedns >"$work/podman.health" 2>&1
}

serves() {
    local engine=$1_engine flags=("${host[@]}" "${closed[@]}" -v "$work/zones:/etc/spacedns/zones:ro" -v "$1-state:/var/lib/spacedns")
    if [ "$1" = podman ]; then
        flags+=(--health-cmd "$(sed -n "s/.*--health-cmd '\(.*\)'.*/\1/p" README.md)")
    else
        flags+=(--health-interval 1s)
    fi
    "$engine" run -d --name spacedns "${flags[@]}" "spacedns:$version" \
        --listen "127.0.0.1:$port" --local-as test-space --upstream none >"$work/$1.run" 2>&1
    expect "$1: run, the root read-only" 0 "$?"
    await "$1_is_healthy" || fail "$1: healthy" "$(cat "$work/$1.run" "$work/$1.health" 2>/dev/null; "$engine" logs spacedns 2>&1)"
    expect "$1: answers" "10.0.0.37 10.0.16.21" "$(addresses "$(ask +short frozen-oasis-70544.herokuapp.com)")"
    expect "$1: over TCP" "10.0.0.37 10.0.16.21" "$(addresses "$(ask +tcp +short frozen-oasis-70544.herokuapp.com)")"
    expect_match "$1: keeps state" '^state +/var/lib/spacedns' "$("$engine" exec spacedns spacedns status 2>&1)"
    sed -i '1i # edited' "$work/zones/test-space.yaml"
    expect_match "$1: reload" 'done, generation=2' "$("$engine" exec spacedns spacedns reload 2>&1)"
    expect_match "$1: an upgrade is a new container" 'first process of its container' "$("$engine" exec spacedns spacedns upgrade 2>&1)"
    expect_no_match "$1: no error is logged" ' error ' "$("$engine" logs spacedns 2>&1)"
    "$engine" stop spacedns >/dev/null 2>&1
    expect "$1: stop is an end with exit code 0" 0 "$("$engine" inspect --format '{{.State.ExitCode}}' spacedns)"
    "$engine" rm spacedns >/dev/null 2>&1
}

port=$(free_port)
ran=0
for each in docker podman; do
    "${each}_is_here" || { echo "not tried: there is no $each here"; continue; }
    engine=$each
    if ! "${each}_begins"; then
        echo "not tried: $each does not start here: $(tail -n 1 "$work/$each.log")"
        continue
    fi
    loads "$each"
    if "${each}_can_run"; then
        serves "$each"
        ran=$((ran + 1))
    else
        echo "not tried: $each runs no container here: $(tail -n 1 "$work/$each.why")"
    fi
    end_engine
done
[ "$ran" -gt 0 ] || [ "$failures" -gt 0 ] || skip "no engine runs a container here, see above; the image is loaded by those that start"
finish
