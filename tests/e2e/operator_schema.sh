#!/bin/bash
# spacedns schema: what the parser takes passes, what it does not name is refused.
# timeout: 60
. "$(dirname "$0")/lib.bash"
SPACEDNS=${SPACEDNS:-$BUILD_DIR/bin/spacedns}

"$SPACEDNS" schema >"$work/schema.json"
expect "exit code" 0 "$?"
expect "the same each time" "$(cat "$work/schema.json")" "$("$SPACEDNS" schema)"
/usr/bin/python3 -c 'import jsonschema, yaml' 2>/dev/null ||
    skip "there is no python3-jsonschema or no python3-yaml"

cat >"$work/validate.py" <<'END'
import datetime, json, sys
import jsonschema, yaml

def plain(value):
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime.date) else value

with open(sys.argv[1]) as file:
    schema = json.load(file)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
for path in sys.argv[2:]:
    with open(path) as file:
        errors = list(validator.iter_errors(plain(yaml.safe_load(file))))
    for error in errors[:3]:
        print(path, error.json_path, error.message[:200])
    if not errors:
        print(path, "passes")
END

# validate FILE...: one line for each that passes, and what is wrong with the others
validate() {
    /usr/bin/python3 "$work/validate.py" "$work/schema.json" "$@" 2>&1
}

for file in zones/*.yaml tests/zones_good/*.yaml; do
    expect "it takes what the parser takes" "$file passes" "$(validate "$file")"
done
# Not those that only a rule can find, nor `yes`, which is a boolean in YAML 1.1.
for file in tests/zones_bad/{E-UNKNOWN-KEY,E-MISSING,E-TYPE,E-ENUM,E-SECRET}*.yaml; do
    case $file in
    */E-MISSING.address.yaml | */E-MISSING.blocks.yaml | */E-MISSING.routable.yaml | */E-TYPE.boolean.yaml) continue ;;
    esac
    [ -e "$file" ] || continue
    expect_no_match "it refuses what the parser cannot read: $file" ' passes$' "$(validate "$file")"
done

# Each example of keys.def is a value that the schema takes for its key.
cat >"$work/examples.py" <<'END'
import datetime, json, sys
import jsonschema, yaml
sys.path.insert(0, "tests/e2e")
import readme

with open(sys.argv[1]) as file:
    schema = json.load(file)
count = 0
for table, key, _, example, _ in readme.entries("lib/space/keys.def", "KEY"):
    if not example:
        continue
    value = yaml.safe_load(example)[key]
    name = {"formation": "process-type"}.get(table, table.replace("_", "-"))
    mapping = schema if table == "space" else schema["$defs"][name]
    if isinstance(value, datetime.datetime):
        value = value.isoformat()
    wanted = {"$defs": schema["$defs"], **mapping["properties"][key]}
    for error in jsonschema.Draft202012Validator(wanted).iter_errors(value):
        print(f"{example}: {error.message}")
    count += 1
print("all pass" if count > 40 else f"only {count} examples")
END
expect "each example is what its key takes" "all pass" \
    "$(PYTHONDONTWRITEBYTECODE=1 SPACEDNSD=$SPACEDNSD /usr/bin/python3 "$work/examples.py" "$work/schema.json" 2>&1)"

finish
