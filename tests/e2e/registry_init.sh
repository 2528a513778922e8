#!/bin/bash
# spacedns registry:init --print: the lines make the rights, with which each can do its own and no more.
# timeout: 90
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/registry.bash"
. "$(dirname "$0")/registry_operator.bash"

start_etcd
replica_settings
remember
op registry:init --print
done_ok "registry:init --print"
expect "it changes nothing" "$before" "$(revision)"
printf '%s\n' "$out" >"$work/init.sh"

# As an administrator would, but with passwords: certificates need a CA, which this story has not.
sed -e 's/user add --no-password \([^ ]*\)/user add \1:secret-\1/' \
    -e "s|etcdctl |etcdctl --endpoints $(etcd_list) |" "$work/init.sh" >"$work/init-passwords.sh"
bash -e "$work/init-passwords.sh" >"$work/init.out" 2>&1 || fail "the lines are etcdctl's" "$(cat "$work/init.sh" "$work/init.out")"

etcd_ctl_flags=(--user root:secret-root)
id=$(get meta)
printf '%s\n' "$out" | sed -n '/^etcdctl txn/,/^END/p' | sed "s|etcdctl |etcdctl --endpoints $(etcd_list) --user root:secret-root |" >"$work/again.sh"
sed -i 's/id: [0-9a-f]*/id: other/' "$work/again.sh"
expect "the lines make no second registry of it" FAILURE "$(bash "$work/again.sh" 2>&1 | grep -x FAILURE)"
expect "so its id stays" "$id" "$(get meta)"

# as USER: settings for it
as() {
    printf '%s\n' "secret-$1" >"$work/password"
    printf 'registry:\n  endpoints: [%s]\n  cell: %s\n  user: %s\n  password_file: %s\n' \
        "$(etcd_list)" "$registry_cell" "$1" "$work/password" >"$work/replica.yaml"
}

as operator
op registry
done_ok "an operator reads"
op push "$SOURCE_DIR/zones/test-space.yaml"
done_ok "an operator pushes"
op ps:set web.1=starting -a frozen-oasis-70544
done_ok "an operator mends a dyno"

as replica
op apps --space test-space
done_ok "a replica's user reads"
op push "$SOURCE_DIR/zones/test-space.yaml"
done_ok "what is there already needs no right"
sed 's/10\.0\.0\.37, /10.0.0.38, /' "$SOURCE_DIR/zones/test-space.yaml" >"$work/test-space.yaml"
op push "$work/test-space.yaml"
expect "a replica's user does not write: exit code" 1 "$code"
expect_match "a replica's user does not write" 'permission|right' "$err"

etcd_ctl_flags=(--user scheduler:secret-scheduler)
etcd_ctl put "$registry/d/test-space/frozen-oasis-70544/web" '1 up 10.0.130.56' >/dev/null ||
    fail "a scheduler writes dynos"
etcd_ctl put "$registry/beat" 'at_ms: 1' >/dev/null || fail "a scheduler writes its beat"
etcd_ctl put "$registry/z/test-space" 'space: x' >/dev/null 2>&1 && fail "a scheduler does not write documents"
etcd_ctl get "$registry/z/test-space" >/dev/null 2>&1 && fail "a scheduler does not read documents"

printf 'wrong\n' >"$work/password"
op registry
expect "a wrong password: exit code" 1 "$code"
expect_match "a wrong password" 'password' "$err"
rm "$work/password"
op registry
expect_match "no password" 'registry.password_file .* cannot be opened' "$err"

finish
