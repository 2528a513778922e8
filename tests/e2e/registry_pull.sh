#!/bin/bash
# spacedns pull: pull, edit, push is an operator's loop, in which nobody loses what another has done.
# timeout: 60
. "$(dirname "$0")/lib.bash"
. "$(dirname "$0")/registry.bash"
. "$(dirname "$0")/registry_operator.bash"

start_etcd
replica_settings
op registry:init
cp "$SOURCE_DIR/zones/test-space.yaml" "$work/test-space.yaml"
a_space other-space 10.7.0.0/16 calm-bay-1 >"$work/other-space.yaml"
op push "$work/test-space.yaml" "$work/other-space.yaml"
done_ok "push"

op pull "$work/mine"
done_ok "pull"
expect "both files" "other-space.yaml
test-space.yaml" "$(ls "$work/mine")"
expect "verbatim" "" "$(diff "$work/mine/test-space.yaml" "$work/test-space.yaml")"
op pull "$work/mine"
expect_match "again" 'Revision [0-9]+: 2 unchanged' "$out"

# ---- the loop ----

op pull "$work/theirs"
sed -i 's/10\.0\.0\.37, /10.0.0.38, /' "$work/mine/test-space.yaml"
op push "$work/mine"
done_ok "pull, edit, push"
expect "it is there" "$(cat "$work/mine/test-space.yaml")" "$(get z/test-space)"
sed -i 's/10\.0\.0\.38, /10.0.0.39, /' "$work/mine/test-space.yaml"
op push "$work/mine"
done_ok "edit and push without a pull between"

# A file that became the registry's in another way is known as well.
cp "$work/mine/test-space.yaml" "$work/by-another-way.yaml"
sed -i '1i # a remark' "$work/by-another-way.yaml"
op push "$work/by-another-way.yaml"
cp "$work/by-another-way.yaml" "$work/mine/test-space.yaml"
op push "$work/mine"
expect_match "nothing to push" 'Nothing to do' "$err"
sed -i '1i # and another' "$work/mine/test-space.yaml"
op push "$work/mine"
done_ok "edited from there"

# ---- another was first ----

sed -i 's/10\.0\.0\.37, /10.0.0.41, /' "$work/theirs/test-space.yaml"
remember
op push "$work/theirs"
refused "an older file" 'space test-space was changed at revision [0-9]+ since .*/theirs/test-space.yaml was pulled'
op pull "$work/theirs"
expect "a pull over an edit: exit code" 1 "$code"
expect_match "a pull over an edit" 'test-space.yaml differs, and was not pulled as it is, so it stays' "$out"
expect_match "the edit is there" '10\.0\.0\.41' "$(cat "$work/theirs/test-space.yaml")"
op pull "$work/theirs" --force
done_ok "pull --force"
expect "the registry's" "$(cat "$work/mine/test-space.yaml")" "$(cat "$work/theirs/test-space.yaml")"

# ---- what was not edited follows; what was, stays ----

echo '# a comment' >>"$work/theirs/other-space.yaml"
sed -i 's/10\.0\.0\.39, /10.0.0.40, /' "$work/mine/test-space.yaml"
op push "$work/mine/test-space.yaml"
op pull "$work/theirs"
done_ok "pull beside an edit"
expect_match "the edited one stays" 'other-space.yaml edited here' "$out"
expect_match "the other follows" 'test-space.yaml written' "$out"
expect_match "it is the new one" '10\.0\.0\.40' "$(cat "$work/theirs/test-space.yaml")"

# ---- a push is taken back ----

good=$(get z/test-space)
op registry --json
at=$(sed -n 's/^ *"revision": \([0-9]*\),$/\1/p' "$work/out")
sed 's/10\.0\.0\.40, /10.0.0.41, /' "$work/theirs/test-space.yaml" >"$work/test-space.yaml"
op push "$work/test-space.yaml"
done_ok "a bad push"
expect_no_match "it is bad" '10\.0\.0\.40' "$(get z/test-space)"
op pull "$work/former" --revision "$at" --space test-space
done_ok "pull --revision"
expect "as it was" "$good" "$(cat "$work/former/test-space.yaml")"
op push "$work/former"
done_ok "a push of what was"
expect "it is taken back" "$good" "$(get z/test-space)"
op pull "$work/former" --revision 99999999
expect_match "a revision to come" 'has not come to that revision yet; spacedns registry prints' "$err"
op pull "$work/former" --revision last
expect "no revision: exit code" 2 "$code"

# ---- one space; a space that goes ----

op pull "$work/one" --space other-space
expect "one space" "other-space.yaml" "$(ls "$work/one")"
op pull "$work/one" --space no-such
expect_match "no such space" 'there is no space no-such in the registry' "$err"
op spaces:destroy other-space --confirm other-space
done_ok "spaces:destroy"
expect "z/, f/ are gone" "" "$(get z/other-space)$(get f/other-space)"
op pull "$work/one"
expect_match "its file goes, too" 'other-space.yaml removed' "$out"
expect "only what is there" "test-space.yaml" "$(ls "$work/one")"
op pull "$work/theirs"
expect "an edited file of a space that is gone: exit code" 1 "$code"
op push "$work/theirs"
expect_match "and is not pushed by mistake" 'was removed from the registry since' "$err"
op pull "$work/mine" --json
expect_match "pull --json" '"removed": \[' "$out"

finish
