"""Reads README.md and zones/README.md and holds them to the program.

    readme.py tour            runs every console block, compares what it prints
    readme.py tour --write    puts what is printed now into README.md
    readme.py tables          compares the tables of answers, names, reasons and settings with
                              their .def files, and zones/README.md's tables of keys with
                              keys.def and `spacedns schema`
    readme.py tables --write  puts the rows that are right into README.md and zones/README.md

A console block holds commands, each followed by its output. The prompt is the client:

    $ dig @127.0.0.1 -p 5300 …   the one who runs cmd/dev run (port 5301: the same without
                                 --local-as, so an outsider; port 5302: with an upstream at
                                 which nothing listens; the one at port 5300 has it too)
    $ build/gcc/bin/spacednsd …  the program itself, or the one beside it
    10.20.3.4$ dig @10.0.0.2 …   a client with this address; the server there has the zone file of
                                 the last yaml block, which begins with # NAME.yaml

A yaml block that begins with # spacednsd.yaml is a settings file; it must pass --check.
"""
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

PROGRAM = os.environ["SPACEDNSD"]
SHOWN_FOLDER = "build/gcc/bin/"
MAY_BE_ANYONE = "E2E_PRIVATE_NETWORK" in os.environ
PATIENCE_S = 40 if os.environ.get("SANITIZE") else 10
PROMPT = re.compile(r"^([0-9.]*)\$ (.*)$")


# ---- the blocks of README ----

def blocks(text):
    """Yields (language, first line's index, lines) of each fenced block."""
    lines = text.split("\n")
    start = None
    for i, line in enumerate(lines):
        if start is None and line.startswith("```"):
            start, language = i, line[3:].strip()
        elif start is not None and line == "```":
            yield language, start + 1, lines[start + 1:i]
            start = None


def commands(lines):
    """Splits a console block into (client, command, output lines)."""
    found = []
    for line in lines:
        prompt = PROMPT.match(line)
        if prompt:
            found.append((prompt.group(1), prompt.group(2), []))
        elif found:
            found[-1][2].append(line)
    return found


# ---- servers ----

NOBODY = "127.0.0.1@5399"  # an upstream at which nothing listens


class Server:
    def __init__(self, *flags):
        self.log = tempfile.NamedTemporaryFile("w+", prefix="readme-log-")
        # Nobody outside is asked: what README shows does not depend on the network.
        user = ["--user", subprocess.check_output(["id", "-un"], text=True).strip()]
        upstream = [] if "--upstream" in flags else ["--upstream", "none"]
        http = ["--http-listen", "none"]  # servers side by side do not contend for its port
        self.process = subprocess.Popen([PROGRAM, *user, *http, *flags, *upstream], stdout=subprocess.DEVNULL, stderr=self.log)
        end = time.monotonic() + PATIENCE_S
        while " info ready " not in self.read_log():
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise SystemExit(f"the server does not start: {flags}\n{self.read_log()}")
            time.sleep(0.02)

    def read_log(self):
        with open(self.log.name) as log:
            return log.read()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Tour:
    """Runs commands as README's reader would, with other ports and other clients."""

    def __init__(self, ports):
        self.ports = {"5300": ports[0], "5301": ports[1], "5302": ports[2]}
        self.servers = []
        self.start("--zones", "zones", "--listen", f"127.0.0.1:{ports[0]}", "--local-as", "test-space",
                   "--upstream", NOBODY)
        self.start("--zones", "zones", "--listen", f"127.0.0.1:{ports[1]}")
        self.start("--zones", "zones", "--listen", f"127.0.0.1:{ports[2]}", "--local-as", "test-space",
                   "--upstream", NOBODY)
        self.elsewhere = None
        self.folder = tempfile.mkdtemp(prefix="readme-zones-")

    def start(self, *flags):
        self.servers.append(Server(*flags))
        return self.servers[-1]

    def close(self):
        for server in self.servers:
            server.stop()
        shutil.rmtree(self.folder)

    def serve(self, name, lines):
        """The next clients with addresses ask a server that has this zone file."""
        if not MAY_BE_ANYONE:
            return
        if self.elsewhere:
            self.servers.remove(self.elsewhere)
            self.elsewhere.stop()
        zones = os.path.join(self.folder, name.removesuffix(".yaml"))
        os.mkdir(zones)
        with open(os.path.join(zones, name), "w") as file:
            file.write("\n".join(lines) + "\n")
        self.elsewhere = self.start("--zones", zones, "--listen", "10.0.0.2")

    def run(self, client, command):
        """Returns the lines that the command prints, as README would show them."""
        command, pipe, filter_command = command.partition(" | ")
        words = shlex.split(command)
        if words[0].startswith(SHOWN_FOLDER):
            words[0] = os.path.join(os.path.dirname(PROGRAM), words[0].removeprefix(SHOWN_FOLDER))
        elif client:
            words[1:1] = ["-b", client]
        for shown, real in self.ports.items():
            words = [real if word == shown else word for word in words]
        line = shlex.join(words) + pipe + filter_command
        out = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=PATIENCE_S)
        text = (out.stdout + out.stderr).strip("\n")
        for shown, real in self.ports.items():
            text = text.replace(f"#{real}(", f"#{shown}(").replace(f"-p {real} ", f"-p {shown} ")
        return text.replace(f" -b {client} ", " ").split("\n")


# ---- comparing ----

CHANGES = [
    (r"\bid: \d+", "id: N"),
    (r"Query time: \d+ msec", "Query time: N msec"),
    (r";; WHEN: .*", ";; WHEN: T"),
    (r"COOKIE: [0-9a-f]{48}", "COOKIE: C"),
    (r"DiG \S+", "DiG V"),
    (r'"server=[^"]*"', '"server=S"'),
    (r"\bspacedns(d?) \d+\.\d+\.\d+", r"spacedns\1 V"),
    (r"\s+", " "),
]
ADDRESS_LINE = re.compile(r"^(\S+ \d+ IN A )?\d+\.\d+\.\d+\.\d+$")


def normal(lines):
    """Without what differs from run to run; routers come in any order."""
    out, run = [], []
    for line in lines:
        for pattern, plain in CHANGES:
            line = re.sub(pattern, plain, line)
        line = line.strip()
        if ADDRESS_LINE.match(line):
            run.append(line)
            continue
        out += sorted(run) + [line]
        run = []
    out += sorted(run)
    while out and not out[-1]:
        out.pop()
    return out


def check_settings(lines):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        out = subprocess.run([PROGRAM, "--settings", file.name, "--zones", "zones", "--check"],
                             capture_output=True, text=True, timeout=PATIENCE_S)
    return [] if out.returncode == 0 else [f"the settings file in README.md: {out.stderr}{out.stdout}"]


def difference(number, client, command, expected, got):
    return (f"README.md:{number}: {client}$ {command}\n"
            "  README shows:\n" + "".join(f"    {line}\n" for line in normal(expected)) +
            "  it prints:\n" + "".join(f"    {line}\n" for line in normal(got)))


def walk(tour, text):
    """Returns the problems, and the text with what is printed now."""
    problems, lines, counts = [], text.split("\n"), {"run": 0, "left out": 0}
    replaced = []
    for language, start, block in blocks(text):
        name = re.match(r"# (\S+\.yaml)", block[0]) if language == "yaml" and block else None
        if name and name.group(1) == "spacednsd.yaml":
            problems += check_settings(block)
        elif name:
            tour.serve(name.group(1), block)
        if language != "console":
            continue
        fresh = []
        for client, command, expected in commands(block):
            fresh.append(f"{client}$ {command}")
            if client and not MAY_BE_ANYONE:
                counts["left out"] += 1
                fresh += expected
                continue
            counts["run"] += 1
            got = tour.run(client, command)
            blank = [""] if expected and not expected[-1] else []
            if normal(got) != normal(expected):
                problems.append(difference(start + 1, client, command, expected, got))
                fresh += [re.sub(r'"server=[^"]*"', '"server=dns-1"', line) for line in got] + blank
            else:
                fresh += expected
        replaced.append((start, len(block), fresh))
    for start, length, fresh in reversed(replaced):
        lines[start:start + length] = fresh
    return problems, "\n".join(lines), counts


# ---- tables ----

def entries(path, macro):
    """Yields the arguments of each MACRO(…) of a .def file; strings without quotes, NULL as None."""
    with open(path) as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    for call in re.finditer(r'(?m)^' + macro + r'\(((?:[^()"]|"(?:\\.|[^"\\])*")*)\)', text):
        yield [None if plain == "NULL" else plain if plain else string.replace('\\"', '"')
               for string, plain in re.findall(r'"((?:\\.|[^"\\])*)"|([^\s,"][^,"]*)', call.group(1))]


def reason_rows():
    for _, code, _, ede, description, remedy in entries("lib/decide/reasons.def", "REASON"):
        yield f"| {code} | {ede} | {description} | {remedy} |"


def setting_values(kind, words, value, least, most):
    if words:
        return ", ".join(f"`{word}`" for word in words.split("|"))
    return {"FLAG": "`true`, `false`", "NUMBER": f"{int(least):,} to {int(most):,}"}.get(kind, value)


def setting_rows():
    for entry in entries("lib/config/settings.def", "SETTING"):
        _, key, flag, value, kind, words, initial, least, most, change, help_text = entry
        key = f"`{key}`" if key else "–"
        if key == "–" and kind == "FLAG":
            allowed = "–"
        else:
            allowed = setting_values(kind, words, value, least, most)
        flag = f"`{flag}`" if flag else "–"
        initial = f"`{initial}`" if initial and key != "–" else "–"
        change = "–" if key == "–" else change.lower()
        yield f"| {key} | {flag} | {allowed} | {initial} | {change} | {help_text} |"


def run_spacedns(*words):
    command = [os.path.join(os.path.dirname(PROGRAM), "spacedns"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE_S).stdout


def answer_rows():
    """The rows of `spacedns policy --markdown`, without its head."""
    return run_spacedns("policy", "--markdown").splitlines()[2:]


PARENTS = {"SUFFIX": ".localspace", "APP": ".APP.app.localspace", "ANY": ".NAME", "CHAOS": ""}


def name_rows():
    for _, parent, label, record_type, _, help_text in entries("lib/decide/names.def", "NAME"):
        kind = f"{record_type}, class CH" if parent == "CHAOS" else record_type
        yield f"| `{label}{PARENTS[parent]}` | {kind} | {help_text} |"


def metric_rows():
    suffixes = {"COUNTER": "_total", "INFO": "_info"}
    for _, kind, name, _, labels, help_text in entries("lib/stats/metrics.def", "METRIC"):
        labels = ", ".join(f"`{label}`" for label in labels.split()) if labels else "–"
        yield f"| `{name}{suffixes.get(kind, '')}` | {kind.lower()} | {labels} | {help_text} |"


def path_rows():
    table = "lib/control/paths.def"
    for symbol, path, _, _, help_text in entries(table, "PATH"):
        names = [f"`{name}`" for _, of, name, _, need, *_ in entries(table, "ARGUMENT")
                 if of == symbol and need != "SEGMENT"]
        yield f"| `{path}` | {help_text}{'; takes ' if names else ''}{', '.join(names)} |"


TABLES = [("| case | rcode | aa | answer | authority | EDE |", answer_rows),
          ("| name | type | answer |", name_rows),
          ("| code | EDE | meaning | what to do |", reason_rows),
          ("| path | answer |", path_rows),
          ("| metric | kind | labels | meaning |", metric_rows),
          ("| key | flag | value | default | change | meaning |", setting_rows)]


# The chapters of zones/README.md, by the table of keys.def; $defs of the schema has the same names.
CHAPTERS = {"space": "Space", "ttl": "TTL", "router": "Router",
            "dyno_cidr": "Dyno CIDR and availability zones", "peering": "Peering", "vpn": "VPN",
            "tunnel": "Tunnel", "app": "App", "domain": "Domain", "formation": "Formation",
            "port": "Port", "dyno": "Dyno"}
KEY_HEAD = "| key | value | default | meaning | example |"


def key_values(schema):
    """What a key takes, in words, of its JSON Schema."""
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    kind = schema.get("type", "mapping")
    if kind == "integer":
        return f"{schema['minimum']:,} to {schema['maximum']:,}"
    if kind == "boolean":
        return "`true`, `false`"
    if "pattern" in schema:
        return "CIDR block"
    if "format" in schema:
        return "IPv4 address"
    return {"array": "list", "object": "mapping", "string": "text"}.get(kind if isinstance(kind, str) else kind[0], kind)


def key_rows(table):
    schema = json.loads(run_spacedns("schema"))
    if table != "space":
        schema = schema["$defs"][{"formation": "process-type"}.get(table, table.replace("_", "-"))]
    for name, key, initial, example, help_text in entries("lib/space/keys.def", "KEY"):
        if name != table:
            continue
        initial = "required" if key in schema["required"] else f"`{initial}`" if initial else "–"
        example = f"`{example}`" if example else ""
        values = key_values(schema["properties"][key])
        yield f"| `{key}` | {values} | {initial} | {help_text} | {example} |".replace("|  |", "| |")


def check_table(text, head, rows, file="README.md", title=None):
    """Returns (problem or None, text with the right rows); `title`: of the chapter that has it."""
    lines = text.split("\n")
    titles = [i for i, line in enumerate(lines) if re.fullmatch(f"#+ {title}", line)] if title else [0]
    if not titles or head not in lines[titles[0]:]:
        return f"{file} has no table with the head {head}" + (f" in {title}" if title else ""), text
    start = lines.index(head, titles[0]) + 2
    end = start
    while end < len(lines) and lines[end].startswith("|"):
        end += 1
    if lines[start:end] == rows:
        return None, text
    missing = [f"    lacks {row}" for row in rows if row not in lines[start:end]]
    extra = [f"    has   {row}" for row in lines[start:end] if row not in rows]
    problem = "\n".join([f"{file}, the table {head}"] + missing + extra +
                        ["    fix it with: tests/e2e/readme_tables.sh --write"])
    return problem, "\n".join(lines[:start] + rows + lines[end:])


# ---- the two commands ----

def take_tour(text, ports):
    tour = Tour(ports)
    try:
        problems, text, counts = walk(tour, text)
    finally:
        tour.close()
    print(f"{counts['run']} commands run, {counts['left out']} left out")
    if counts["run"] == 0:
        problems.append("README.md has no console block")
    return problems, text


def take_tables(text):
    problems = []
    for head, rows in TABLES:
        rows = list(rows())
        problem, text = check_table(text, head, rows)
        problems += [problem] if problem else []
        problems += [] if len(rows) >= 5 else [f"only {len(rows)} rows could be read for {head}"]
    return problems, text


def take_keys(text):
    problems = []
    for table, title in CHAPTERS.items():
        rows = list(key_rows(table))
        problem, text = check_table(text, KEY_HEAD, rows, "zones/README.md", title)
        problems += [problem] if problem else []
        problems += [] if rows else [f"no row could be read for {title}"]
    return problems, text


def hold(path, take, writes):
    """Returns the problems of one file, none once they are mended."""
    with open(path) as file:
        problems, fresh = take(file.read())
    if not writes:
        return problems
    with open(path, "w") as file:
        file.write(fresh)
    return []


def main():
    what, rest = sys.argv[1], sys.argv[2:]
    writes = "--write" in rest
    ports = [word for word in rest if word != "--write"]
    if what == "tour":
        problems = hold("README.md", lambda text: take_tour(text, ports), writes)
    else:
        problems = hold("README.md", take_tables, writes) + hold("zones/README.md", take_keys, writes)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
