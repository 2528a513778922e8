#!/usr/bin/python3
"""Asks one query for each reason, and looks for the reason wherever the server shows it.

    every_reason.py PORT HTTP SOCKET SPACEDNS LOG GROUP

reads lib/decide/reasons.def and the cases below, and prints a line for whatever lacks. Every reason
has a case in some GROUP, or a sentence on how else it is held; a new one without either is an error.
"""
import json
import re
import subprocess
import sys
import time
import urllib.request

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rdatatype

DYNO, PEER, OUTSIDER, OTHER = "10.0.130.56", "10.20.3.4", "203.0.113.9", "10.1.130.4"
TRIES = 400  # of a case that comes in time, 50 ms apart

# symbol: (group, client, name, type, where it cannot be and why)
CASES = {
    "CRASHED": ("usual", DYNO, "sleepy-river-2739.herokuapp.com", "A", {}),
    "NO_WEB": ("usual", DYNO, "idle-pond-3.herokuapp.com", "A", {}),
    "OUTSIDE": ("usual", OUTSIDER, "frozen-oasis-70544.herokuapp.com", "A",
                {"why": "outsiders get Q18 for every name, _why included"}),
    "NOT_ALLOWED": ("usual", PEER, "web.frozen-oasis-70544.app.localspace", "A", {}),
    "NOT_OURS": ("usual", PEER, "www.example.org", "A", {}),
    "UPSTREAM": ("usual", DYNO, "www.silent.example", "A", {}),
    "UPSTREAM_NETWORK": ("usual", DYNO, "www.closed.example", "A", {}),
    "REBIND": ("usual", DYNO, "rebind.example.org", "A", {}),
    "NOT_RUNNING": ("usual", DYNO, "clock.idle-pond-3.app.localspace", "A", {}),
    "NOT_DECLARED": ("usual", DYNO, "wbe.frozen-oasis-70544.app.localspace", "A", {}),
    "SPECIAL_USE": ("usual", DYNO, "printer.local", "A", {}),
    "WITHHELD": ("removed", DYNO, "gone-brook-4.herokuapp.com", "A", {}),
    "ALIAS_ENDLESS": ("usual", DYNO, "one.endless.example", "A", {}),
    "SPACE_CHANGING": ("usual", "10.3.130.4", "early-bird-1.herokuapp.com", "A", {}),
    "ROUTE_MISSING": ("usual", PEER, "frozen-oasis-70544.herokuapp.com", "A", {}),
    "STALE": ("silent", DYNO, "www.stale.example", "A", {}),
    "STALE_NXDOMAIN": ("silent", DYNO, "none.stale.example", "A", {}),
    "RATE_LIMITED": ("limited", DYNO, "frozen-oasis-70544.herokuapp.com", "A",
                     {"why": "_why of a limited client is limited, too",
                      "explain": "explain decides for a client within its rate, and says limited="}),
    "NOT_SUPPORTED": ("usual", DYNO, "frozen-oasis-70544.herokuapp.com", "AXFR",
                      {"why": "_why is about A"}),
}
STALE = {"STALE", "STALE_NXDOMAIN"}
OTHERWISE = {
    "NOT_READY": "a server with a folder binds once zones are loaded: registry_first.sh asks one that waits for its registry",
    "REGISTRY_STALE": "no reply has it: registry_first.sh looks for it in _why, _whoami, explain, status and the log",
    "RELOAD_REFUSED": "no reply has it: every_reason.sh looks for it in the log and the API",
}


def ask(port, client, name, kind):
    request = dns.message.make_query(name, kind, use_edns=0)
    request.flags |= dns.flags.RD
    if kind == "AXFR":  # over UDP it is a question like any other here
        return dns.query.udp(request, "127.0.0.1", 20, port, client, ignore_unexpected=True, raise_on_truncation=False)
    return dns.query.udp(request, "127.0.0.1", 20, port, client)


def ede_of(reply):
    for option in reply.options:
        if option.otype == 15:
            data = option.to_wire() if hasattr(option, "to_wire") else option.data
            return int.from_bytes(data[:2], "big"), data[2:].decode()
    return None, ""


class Walk:
    def __init__(self, port, http, socket, spacedns, log, group):
        self.port, self.http, self.socket, self.spacedns = int(port), http, socket, spacedns
        self.log, self.group = log, group
        self.entries = {}
        pattern = r'^REASON\((\w+), "(Q\d+)", (\w+), (\d+), "((?:[^"\\]|\\.)*)"'
        for line in open("lib/decide/reasons.def"):
            found = re.match(pattern, line)
            if found:
                self.entries[found.group(1)] = found.groups()[1:]

    def say(self, symbol, what):
        print(f"{symbol} ({self.entries[symbol][0]}): {what}")

    def get(self, path):
        with urllib.request.urlopen(f"http://{self.http}{path}", timeout=20) as answer:
            return answer.read().decode()

    def counted(self, code):
        lines = re.findall(rf'^spacedns_queries_total\{{[^}}]*reason="{code}"[^}}]*\}} (\d+)$', self.get("/metrics"), re.M)
        return sum(map(int, lines))

    def reasons(self, code):
        return sum(entry["last_hour"] for entry in json.loads(self.get("/api/v1/reasons"))["reasons"] if entry["reason"] == code)

    # Asks, again and again for a case that comes in time; returns the reply and how the counts changed.
    def provoke(self, symbol, client, name, kind):
        code, _, ede, _ = self.entries[symbol]
        for _ in range(TRIES):
            before = self.counted(code), self.reasons(code)
            reply = ask(self.port, client, name, kind)
            number, text = ede_of(reply)
            if (number, text[:3]) == (int(ede), code):
                self.text = text
                return before
            if self.group == "usual":
                break
            time.sleep(0.05) if self.group == "silent" else None
        self.say(symbol, f"EDE {number} {text!r}, expected {ede} and {code}: {reply.to_text()}")
        return None

    # What _why and explain say of the reason: the EDE's words. Of a stale answer only that it is one:
    # nobody knows whether the upstream will answer the next client.
    def words(self, symbol):
        return self.entries[symbol][0] if symbol in STALE else ": " + self.text

    def check_why(self, symbol, client, name):
        request = dns.message.make_query("_why." + name, "TXT", use_edns=0)
        reply = dns.query.tcp(request, "127.0.0.1", 20, self.port, client)
        if self.words(symbol) not in reply.to_text().split(";ANSWER")[-1]:
            self.say(symbol, f"_why has it not: {reply.to_text()}")

    def check_explain(self, symbol, client, name, kind):
        command = [self.spacedns, "explain", name, "--from", client, "--type", kind, "--live", "--socket", self.socket]
        done = subprocess.run(command, capture_output=True, text=True)
        if self.words(symbol) not in done.stdout:
            self.say(symbol, f"explain has it not: {done.stdout}{done.stderr}")

    def check_log(self, symbol, client, name, kind):
        code, level, _, words = self.entries[symbol]
        wanted = {"code": code, "desc": words, "host": name, "qtype": kind, "fwd": client, "at": "error" if level == "ERROR" else "info"}
        lines = []
        for _ in range(TRIES):
            lines = [json.loads(line) for line in open(self.log) if line.endswith("\n")]
            if any(wanted.items() <= line.items() for line in lines):
                return
            time.sleep(0.05)
        self.say(symbol, f"no line of the log has {wanted}; the last: {lines[-1:]}")

    def check_api(self, symbol, client, name, before):
        code = self.entries[symbol][0]
        found = json.loads(self.get(f"/api/v1/queries?reason={code}&client={client}&n=1000"))["queries"]
        if not any(line["host"] == name and line["code"] == code for line in found):
            self.say(symbol, f"/api/v1/queries has it not: {found}")
        if self.reasons(code) <= before:
            self.say(symbol, "/api/v1/reasons does not count it")

    def check(self, symbol, client, name, kind, but):
        before = self.provoke(symbol, client, name, kind)
        if before is None:
            return
        code = self.entries[symbol][0]
        if self.counted(code) != before[0] + 1:
            self.say(symbol, f"spacedns_queries_total went from {before[0]} to {self.counted(code)}")
        self.check_log(symbol, client, name, kind)
        self.check_api(symbol, client, name, before[1])
        if "why" not in but:
            self.check_why(symbol, client, name)
        if "explain" not in but:
            self.check_explain(symbol, client, name, kind)

    def run(self):
        for symbol in self.entries:
            if (symbol in CASES) + (symbol in OTHERWISE) != 1:
                self.say(symbol, "has no case in every_reason.py: add one, or how else it is held")
        for symbol in set(CASES) | set(OTHERWISE):
            if symbol not in self.entries:
                print(f"{symbol}: is no reason any more; take its case out")
        for symbol, (group, client, name, kind, but) in CASES.items():
            if group == self.group and symbol in self.entries:
                self.check(symbol, client, name, kind, but)


Walk(*sys.argv[1:]).run()
