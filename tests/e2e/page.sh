#!/bin/bash
# The page in a real browser: the first glance, an explanation, live queries, hostile names, a server
# that goes and comes back, a token, the keyboard, narrow screens; axe-core finds nothing in any view.
#
#     page.sh            the test
#     page.sh --shots    and screenshots of each view in build/page/shots
#     page.sh --times    and how long each act takes
#
# axe-core comes from npm, at the version of page/package-lock.json, into build/page; without npm or
# network it is left out, and the rest is tested.
# timeout: 180
# busy: a browser
axe=$(dirname "$(realpath "$0")")/../../build/page/node_modules/axe-core/axe.min.js

# Before the network is gone.
fetch_axe() {
    local from folder
    from=$(dirname "$(realpath "$0")")/page
    folder=$(realpath -m "$from/../../../build/page")
    command -v npm >/dev/null || return 1
    mkdir -p "$folder"
    (
        flock 9
        ! cmp -s "$from/package-lock.json" "$folder/package-lock.json" || [ ! -s "$axe" ] || exit 0
        cp "$from"/package*.json "$folder/"
        cd "$folder" && timeout 60 npm ci --ignore-scripts --no-audit --no-fund --fetch-retries 0 >npm.log 2>&1
    ) 9>"$folder/lock"
}
[ -n "${E2E_PRIVATE_NETWORK:-}${SANITIZE:-}" ] || fetch_axe || true

. "$(dirname "$0")/lib.bash"
[ -z "${SANITIZE:-}" ] || skip "the page is the same in every build; http_api.sh asks what answers it"
enter_private_network "$@" || skip "no network namespace may be made here"
"$SPACEDNSD" --version | grep -q '^http: libmicrohttpd ' || skip "this build has no libmicrohttpd"
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}
export SPACEDNS
chromium=$(command -v chromium-headless-shell || command -v chromium) ||
    skip "there is no chromium-headless-shell here (cmd/dev deps installs it)"

arguments=(--work "$work" --chromium "$chromium" --patience "$patience")
if [ -s "$axe" ]; then
    arguments+=(--axe "$axe")
else
    echo "left out, for npm could not fetch it: axe-core"
fi
for option in "$@"; do
    case $option in
    --shots)
        mkdir -p "$SOURCE_DIR/build/page/shots"
        arguments+=(--shots "$SOURCE_DIR/build/page/shots")
        ;;
    --times) arguments+=(--times) ;;
    esac
done

/usr/bin/python3 tests/e2e/page.py "${arguments[@]}" &
story=$!
children+=("$story")
wait "$story"
exit $?
