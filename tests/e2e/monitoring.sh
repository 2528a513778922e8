#!/bin/bash
# What is installed for Prometheus and Grafana: every metric and label that rules and dashboard name is
# one of the server's, every alert fires when it is for it and has a runbook whose commands exist, and a
# real Prometheus reads a live server and evaluates all of it.
# timeout: 120
. "$(dirname "$0")/lib.bash"
[ -z "${SANITIZE:-}" ] || skip "rules and dashboard are the same in every build; http.sh reads the metrics of this one"
need promtool prometheus curl
enter_private_network && has_network=true || has_network=false

rules=cmd/spacednsd/monitoring/alerts.yaml
dashboard=cmd/spacednsd/monitoring/dashboard.json

# ---- the files ----

checked=$(/usr/bin/python3 - "$rules" "$dashboard" tests/e2e/monitoring_alerts.yaml "$work/dashboard.yaml" <<'PY'
import json, re, sys

rules, dashboard, tests = (open(path).read() for path in sys.argv[1:4])
suffix = {"COUNTER": "_total", "INFO": "_info", "GAUGE": "", "HISTOGRAM": ""}
labels = {"up": set()}
for line in open("lib/stats/metrics.def"):
    found = re.match(r'METRIC\(\w+, (\w+), "(\w+)", [^,]+, (NULL|"[^"]*"),', line)
    if not found:
        continue
    kind, name, words = found.groups()
    words = set() if words == "NULL" else set(words.strip('"').split())
    labels[name + suffix[kind]] = words
    if kind == "HISTOGRAM":
        labels |= {name + "_bucket": words | {"le"}, name + "_count": words, name + "_sum": words}

def check(where, text):
    for name, selector in re.findall(r'\b((?:spacedns|process)_[a-z_]+|up)\b(?:\{([^}]*)\})?', text):
        if name not in labels:
            print(f"{where}: the server has no metric {name}")
            continue
        for label in re.findall(r'(\w+) *(?:=|!=|=~|!~) *"', selector):
            if label not in labels[name] | {"job", "instance"}:
                print(f"{where}: {name} has no label {label}")
    known = {"job", "instance"}.union(*(labels[name] for name in labels if re.search(rf"\b{name}\b", text)))
    for words in re.findall(r"\b(?:by|on|without) *\(([^)]*)\)", text) + re.findall(r"\{\{ *(?:\$labels\.)?(\w+) *\}\}", text):
        for label in words.replace(",", " ").split():
            if label not in known:
                print(f"{where}: nothing in it has a label {label}")

panels = [panel for panel in json.loads(dashboard)["panels"] if panel["type"] != "row"]
expressions = [(panel["title"], target["expr"]) for panel in panels for target in panel["targets"]]
for panel in panels:
    for target in panel["targets"]:
        check(f"dashboard, {panel['title']}", target["expr"] + " " + target["legendFormat"])
for name in labels:
    if name.startswith("spacedns_registry_") and not any(name in expression for _, expression in expressions):
        print(f"dashboard: its row of the registry has no {name}")
places = [(panel["gridPos"]["x"] + i, panel["gridPos"]["y"] + j) for panel in json.loads(dashboard)["panels"]
          for i in range(panel["gridPos"]["w"]) for j in range(panel["gridPos"]["h"])]
if len(places) != len(set(places)) or max(x for x, _ in places) > 23:
    print("dashboard: panels lie on each other, or beyond the right edge")
with open(sys.argv[4], "w") as out:
    out.write("groups:\n  - name: dashboard\n    rules:\n")
    for number, (_, expression) in enumerate(expressions):
        plain = expression.replace("$__rate_interval", "1m").replace("$job", "spacedns").replace("$instance", ".*")
        out.write(f"      - {{record: 'panel:{number}', expr: {json.dumps(plain)}}}\n")

commands = set(re.findall(r'^COMMAND\(\w+, \w+, "([^"]+)"', open("lib/control/commands.def").read(), re.M))
settings = set(re.findall(r'^SETTING\(\w+, "([^"]+)"', open("lib/config/settings.def").read(), re.M))
alerts = re.split(r"^ +- alert: ", rules, flags=re.M)[1:]
for alert in alerts:
    name = alert.split()[0]
    check(name, re.search(r"expr:(.*?)\n +(?:for|labels):", alert, re.S).group(1))
    runbook = re.search(r"runbook: >-\n(.*)", alert, re.S)
    if not runbook or not re.search(r"summary: .*\n", alert) or not re.search(r"severity: (critical|warning)\}", alert):
        print(f"{name}: needs a severity, a summary and a runbook")
        continue
    for command in re.findall(r"`spacedns ([a-z:-]+)", runbook.group(1)):
        if command not in commands:
            print(f"{name}: there is no command spacedns {command}")
    for word in re.findall(r"\b([a-z]+_[a-z_]+)\b", runbook.group(1)):
        if word not in settings and word not in labels and word not in ("route_table_id", "client_limited"):
            print(f"{name}: {word} is no setting, metric or event")
    check(name, re.search(r"expr:(.*)", alert, re.S).group(1)) # with the labels that its texts name
    if '{alertname="%s"}' % name not in tests:
        print(f"{name}: no test in monitoring_alerts.yaml")
if len(alerts) < 20 or len(expressions) < 40:
    print(f"only {len(alerts)} alerts and {len(expressions)} expressions were found: has their form changed?")
PY
)
expect "rules and dashboard name what there is" "" "$checked"
expect_match "rules" 'SUCCESS' "$(promtool check rules "$rules" 2>&1)"
expect_match "expressions of the dashboard" 'SUCCESS' "$(promtool check rules "$work/dashboard.yaml" 2>&1)"
tested=$(promtool test rules tests/e2e/monitoring_alerts.yaml 2>&1) && pass || fail "each alert fires when it is for it" "$tested"
for file in "$rules" "$dashboard"; do
    expect "README tells where $(basename "$file") is installed" 1 "$(grep -cF "/usr/share/doc/spacedns/examples/$(basename "$file")" README.md)"
    expect "$(basename "$file") is installed" 1 "$(grep -c "spacednsd/monitoring/$(basename "$file")" cmd/CMakeLists.txt)"
done

# ---- a real Prometheus ----

$has_network || { [ "$failures" = 0 ] && skip "no network namespace may be made here"; finish; }
port=5300
zones=$work/zones
mkdir "$zones" && cp zones/test-space.yaml "$zones/"
start_upstream world --listen 127.0.0.1:5400 <<'END'
www.example.org. 300 IN A 198.51.100.80
END
start scraped --zones "$zones" --listen "127.0.0.1:$port" --local-as test-space --workers 2 \
    --upstream 127.0.0.1@5400 --http-listen 127.0.0.1:9153
cp "$rules" "$work/alerts.yaml"
cat >"$work/prometheus.yml" <<'END'
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [alerts.yaml, dashboard.yaml]
scrape_configs:
  - job_name: spacedns
    static_configs: [{targets: ["127.0.0.1:9153"]}]
END
/usr/bin/prometheus --config.file "$work/prometheus.yml" --storage.tsdb.path "$work/tsdb" \
    --web.listen-address 127.0.0.1:9090 >"$work/prometheus.log" 2>&1 &
children+=($!)

# now EXPRESSION: its value, if it has one
now() {
    curl -sG --data-urlencode "query=$1" http://127.0.0.1:9090/api/v1/query |
        /usr/bin/python3 -c 'import json, sys
for result in json.load(sys.stdin)["data"]["result"]: print(result["value"][1])' 2>/dev/null
}
is_now() {
    [ "$(now "$1")" = "$2" ]
}
await is_now 'up{job="spacedns"}' 1 || fail "Prometheus scrapes the server" "$(tail -n 5 "$work/prometheus.log")"
for _ in 1 2 3 4 5; do
    ask -b 10.0.130.56 +short frozen-oasis-70544.herokuapp.com >/dev/null
    ask -b 10.0.130.56 +short sleepy-river-2739.herokuapp.com >/dev/null
    ask -b 10.0.130.56 +short www.example.org >/dev/null
done
await is_now 'sum(spacedns_queries_total{reason="Q10"})' 5 || fail "it counts what was asked" "$(now 'spacedns_queries_total')"
await is_now 'count(panel:0)' 2 || await is_now 'count(panel:0)' 1 || fail "panels have values"
unhealthy() {
    curl -s http://127.0.0.1:9090/api/v1/rules | /usr/bin/python3 -c 'import json, sys
for group in json.load(sys.stdin)["data"]["groups"]:
    for rule in group["rules"]:
        if rule["health"] == "err" or rule.get("state") == "firing":
            print(rule["name"], rule["health"], rule.get("lastError", ""), rule.get("state", ""))'
}
expect "every expression can be evaluated, and no alert fires" "" "$(unhealthy)"
expect "promtool finds nothing to say about the metrics" "" \
    "$(curl -s http://127.0.0.1:9153/metrics | promtool check metrics 2>&1)"
sed -i 's/^cidr:.*/cidr: 10.0.0.1\/16/' "$zones/test-space.yaml"
reload
await is_now 'count(ALERTS{alertname="SpacednsReloadRefused"})' 1 && pass || fail "a refused reload is noticed" "$(now ALERTS)"
stop
await is_now 'count(ALERTS{alertname="SpacednsDown"})' 1 && pass || fail "a server that ends is noticed" "$(now ALERTS)"
finish
