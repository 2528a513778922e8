#!/usr/bin/python3
"""Counts in a registry as a scheduler would, and looks whether a replica's answers follow.

    registry_counter.py --endpoints URL,URL --cell /spacedns/test/ --port PORT --seconds S [--rate N]

Writes 0, 1, 2 … at a rate, each in one transaction of three keys: the process types left and right
of open-plain-1001, and one of twenty of frozen-oasis-70544 in turn. The number is in the address of
their dyno. A put that fails is tried again at the next endpoint until it is known to be done, and
none is done twice or late: each compares the number before. Meanwhile it asks for both types in one
question, again and again.

Prints one line of words NAME=VALUE:
    written, failures     puts that were done, and tries that were not
    put_ms                the longest put
    half, back, routers   answers with two numbers, with a smaller one than before, with other routers
    silent                questions without an answer in a second
    gap_ms                longest time without a new number, put_ms included
    wait_ms               longest time from when a put was done until it was answered
    lost                  keys whose last number is not answered 5 s after the last put
"""
import argparse
import base64
import http.client
import json
import socket
import struct
import threading
import time

SPACE = "test-space"
COUNTED, LISTED, LISTS = "open-plain-1001", "frozen-oasis-70544", 20
LEFT, RIGHT, LIST = (134, 138, 146)  # third octet of the address of number 0
ROUTERS = {"10.0.0.37", "10.0.16.21"}


def address(block, number):
    return f"10.0.{block + number // 256}.{number % 256}"


def number_of(block, text):
    _, _, third, fourth = (int(part) for part in text.split("."))
    return (third - block) * 256 + fourth


def coded(text):
    return base64.b64encode(text.encode()).decode()


class Writer:
    def __init__(self, given):
        self.ends = [url.split("//")[1].rstrip("/") for url in given.endpoints.split(",")]
        self.cell, self.rate, self.until = given.cell, given.rate, time.monotonic() + given.seconds
        self.at, self.link = 0, None
        self.written, self.failures, self.longest = 0, 0, 0.0
        self.done = []  # when each number was known to be written
        self.is_over = False

    def key(self, app, kind):
        return coded(f"{self.cell}d/{SPACE}/{app}/{kind}")

    def transaction(self, number):
        def put(app, kind, block):
            return {"request_put": {"key": self.key(app, kind), "value": coded(f"1 up {address(block, number)}\n")}}
        left = self.key(COUNTED, "left")
        compare = ({"key": left, "target": "VALUE", "result": "EQUAL", "value": coded(f"1 up {address(LEFT, number - 1)}\n")}
                   if number else {"key": left, "target": "CREATE", "result": "EQUAL", "create_revision": "0"})
        return {"compare": [compare],
                "success": [put(COUNTED, "left", LEFT), put(COUNTED, "right", RIGHT), put(LISTED, f"t{number % LISTS}", LIST)],
                "failure": [{"request_range": {"key": left}}]}

    def put_once(self, number):
        if self.link is None:
            self.link = http.client.HTTPConnection(self.ends[self.at], timeout=2)
        self.link.request("POST", "/v3/kv/txn", json.dumps(self.transaction(number)))
        reply = self.link.getresponse()
        body = reply.read()
        if reply.status != 200:
            raise OSError(body[:100])
        said = json.loads(body)
        if said.get("succeeded"):
            return
        held = said["responses"][0]["response_range"].get("kvs", [{}])[0].get("value", "")
        if base64.b64decode(held).decode() != f"1 up {address(LEFT, number)}\n":
            raise SystemExit(f"somebody else counts: {said}")

    def put(self, number):
        begin = time.monotonic()
        while True:
            try:
                self.put_once(number)
                break
            except (OSError, http.client.HTTPException):
                self.failures += 1
                if self.link:
                    self.link.close()
                self.link, self.at = None, (self.at + 1) % len(self.ends)
                time.sleep(0.05)
                if time.monotonic() > begin + 60:
                    return False
        self.done.append(time.monotonic())
        self.longest = max(self.longest, self.done[-1] - begin)
        self.written += 1
        return True

    def run(self):
        due = time.monotonic()
        while time.monotonic() < self.until and self.put(self.written):
            due = max(due + 1 / self.rate, time.monotonic() - 1)
            time.sleep(max(0, due - time.monotonic()))
        self.is_over = True


class Asker:
    def __init__(self, port):
        self.link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.link.connect(("127.0.0.1", port))
        self.link.settimeout(1)
        self.id = 0
        self.silent = 0

    def ask(self, name, kind):
        self.id = (self.id + 1) & 0xFFFF
        labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
        self.link.send(struct.pack("!HHHHHH", self.id, 0x0100, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, kind, 1))
        try:
            while True:
                octets = self.link.recv(4096)
                if struct.unpack_from("!H", octets)[0] == self.id:
                    return octets
        except OSError:
            self.silent += 1
            return None

    def addresses(self, name):
        """Those of the last records: owners are pointers, as there is one name only."""
        octets = self.ask(name, 1)
        if octets is None:
            return set()
        count = struct.unpack_from("!H", octets, 6)[0]
        return {".".join(str(octet) for octet in octets[len(octets) - 4 - 16 * i:][:4]) for i in range(count)}

    def sides(self):
        """The numbers of left and right, of one answer; None of a side that is not there."""
        octets = self.ask(f"_dynos.{COUNTED}.app.localspace", 16)
        if octets is None:
            return None
        found = [None, None]
        for side, block in enumerate((LEFT, RIGHT)):
            word = b"dyno=" + (b"left", b"right")[side] + b".1"
            at = octets.find(word)
            if at >= 0:
                at = octets.index(b"address=", at)
                text = octets[at + 8:at + octets[at - 1]].decode()
                found[side] = number_of(block, text)
        return found


def follow(writer, asker):
    counts = {"half": 0, "back": 0, "routers": 0}
    last, last_at, gap, wait, turn, waits_for = -1, time.monotonic(), 0.0, 0.0, 0, 0
    end = None
    while True:
        if writer.is_over:
            end = end or time.monotonic() + 5
            if last == writer.written - 1 or time.monotonic() > end:
                break
        turn += 1
        if turn % 10 == 0 and asker.addresses(LISTED + ".herokuapp.com") != ROUTERS:
            counts["routers"] += 1
        sides = asker.sides()
        now = time.monotonic()
        if sides is None:
            time.sleep(0.01)
            continue
        counts["half"] += sides[0] != sides[1]
        number = -1 if sides[0] is None else sides[0]
        counts["back"] += number < last
        if number > last:
            gap = max(gap, now - last_at) if last >= 0 else gap
            last, last_at = number, now
        while waits_for <= last and waits_for < len(writer.done):
            wait = max(wait, now - writer.done[waits_for])
            waits_for += 1
        if waits_for < len(writer.done):
            wait = max(wait, now - writer.done[waits_for])
        time.sleep(0.002)
    return counts, gap, wait


def count_lost(writer, asker):
    lost = 0
    for number in range(max(0, writer.written - LISTS), writer.written):
        lost += asker.addresses(f"1.t{number % LISTS}.{LISTED}.app.localspace") != {address(LIST, number)}
    return lost


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--endpoints", required=True)
    parser.add_argument("--cell", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--rate", type=float, default=50)
    given = parser.parse_args()
    writer, asker = Writer(given), Asker(given.port)
    thread = threading.Thread(target=writer.run, daemon=True)
    thread.start()
    counts, gap, wait = follow(writer, asker)
    words = {"written": writer.written, "failures": writer.failures, "put_ms": int(writer.longest * 1000), **counts,
             "silent": asker.silent, "gap_ms": int(gap * 1000), "wait_ms": int(wait * 1000), "lost": count_lost(writer, asker)}
    print(" ".join(f"{name}={value}" for name, value in words.items()))


main()
