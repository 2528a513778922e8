#!/usr/bin/python3
"""Prints what a server answers to each client for every name of some zone files, in some types.

    answers.py --port PORT [--server ADDRESS] [--client ADDRESS]... [--types A,TXT] [--serial] FILE...

One line a question: client, name, type, code, flags, the records in order, and the extended error.
Names are those that the files have (read as text, so that files with errors do as well), names of
dynos, of addresses, and some that nothing declares. The serial of a SOA and the generation are 0
without --serial, and so are its TTLs, which rise for a crashed app that is asked for in a loop.
Exits with 1 when a question stays without an answer.
"""
import argparse
import re
import socket
import struct
import sys
import time

TYPES = {"A": 1, "CNAME": 5, "SOA": 6, "PTR": 12, "TXT": 16, "AAAA": 28, "SRV": 33, "HTTPS": 65}
KIND_OF = {number: kind for kind, number in TYPES.items()}
CODES = "NOERROR FORMERR SERVFAIL NXDOMAIN NOTIMP REFUSED".split()
FLAGS = {0x0400: "aa", 0x0200: "tc", 0x0100: "rd", 0x0080: "ra"}
PROCESSES = ["web", "worker", "run"]
AT_ONCE = 64
OPT, EXTENDED_ERROR = 41, 15


def names_of(texts):
    names = {"localspace", "app.localspace", "_apps.localspace", "version.localspace", "www.example.org",
             "nothing-at-all-1.herokuapp.com"}
    for text in texts:
        text = re.sub(r"(^|\s)#.*", "", text)
        for host in re.findall(r"(?:hostname|cname|default_domain): *\"?([^\s\",}]+)", text):
            names |= {host, "x." + host.removeprefix("*.")}
        for app in re.findall(r"(?:^|[\s{])name: *\"?([a-z][a-z0-9-]+-[0-9]+)\b", text):
            below = app + ".app.localspace"
            names |= {app + ".herokuapp.com", below, "_dynos." + below}
            for process in PROCESSES:
                names |= {f"{process}.{below}", f"1.{process}.{below}", f"_http._tcp.{process}.{below}"}
        for address in re.findall(r"\b(?:10|172)\.\d+\.\d+\.\d+\b(?!/)", text):
            names.add(".".join(reversed(address.split("."))) + ".in-addr.arpa")
    return sorted(names)


def query(number, name, kind):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return (struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 1) + labels + b"\0" +
            struct.pack("!HHBHHIH", TYPES[kind], 1, 0, OPT, 1232, 0, 0))


def name_at(octets, at):
    labels, end = [], None
    while octets[at]:
        if octets[at] >= 0xC0:
            end = end or at + 2
            at = (octets[at] & 0x3F) << 8 | octets[at + 1]
            continue
        labels.append(octets[at + 1:at + 1 + octets[at]].decode("latin1"))
        at += 1 + octets[at]
    return ".".join(labels) + ".", end or at + 1


def data_of(octets, kind, at, end, has_serial):
    if kind == "A":
        return ".".join(str(octet) for octet in octets[at:end])
    if kind in ("CNAME", "PTR"):
        return name_at(octets, at)[0]
    if kind == "SRV":
        return "%d %d %d " % struct.unpack_from("!HHH", octets, at) + name_at(octets, at + 6)[0]
    if kind == "TXT":
        strings = []
        while at < end:
            strings.append(octets[at + 1:at + 1 + octets[at]].decode("latin1"))
            at += 1 + octets[at]
        return re.sub(r"'(generation|revision|age)=\d+'", r"'\1=0'", str(strings)) if not has_serial else str(strings)
    if kind == "SOA":
        _, at = name_at(octets, at)
        _, at = name_at(octets, at)
        numbers = struct.unpack_from("!IIIII", octets, at)
        return " ".join(str(number) for number in (numbers if has_serial else (0,) + numbers[1:4] + (0,)))
    return octets[at:end].hex()


def errors_of(octets, at, end):
    while at < end:
        code, length = struct.unpack_from("!HH", octets, at)
        if code == EXTENDED_ERROR:
            yield "%d %s" % (struct.unpack_from("!H", octets, at + 4)[0], octets[at + 6:at + 4 + length].decode("latin1"))
        at += 4 + length


def line_of(client, name, kind, octets, has_serial):
    _, flags, questions, *counts = struct.unpack_from("!HHHHHH", octets)
    parts = [client, name, kind, CODES[flags & 15], " ".join(word for bit, word in FLAGS.items() if flags & bit)]
    at, errors = 12, []
    for _ in range(questions):
        at = name_at(octets, at)[1] + 4
    for count in counts:
        records = []
        for _ in range(count):
            owner, at = name_at(octets, at)
            number, _, ttl, length = struct.unpack_from("!HHIH", octets, at)
            at, end = at + 10, at + 10 + length
            if number == OPT:
                errors = list(errors_of(octets, at, end))
            else:
                word = KIND_OF.get(number, str(number))
                ttl = 0 if word == "SOA" and not has_serial else ttl
                records.append(f"{owner} {ttl} {word} {data_of(octets, word, at, end, has_serial)}")
            at = end
        parts.append("; ".join(sorted(records)))
    return " | ".join(parts + errors)


def ask_all(server, port, client, questions, patience, has_serial):
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.bind((client, 0))
    link.connect((server, port))
    link.settimeout(0.3)
    lines, waiting, left = {}, {}, list(enumerate(questions))
    end = time.monotonic() + patience
    while left or waiting:
        while left and len(waiting) < AT_ONCE:
            number, question = left.pop()
            waiting[number] = query(number, *question)
            link.send(waiting[number])
        try:
            octets = link.recv(65535)
        except OSError:
            if time.monotonic() > end:
                sys.exit(f"no answer to {client} about {questions[next(iter(waiting))]}")
            for octets in waiting.values():
                link.send(octets)
            continue
        number = struct.unpack_from("!H", octets)[0]
        if waiting.pop(number, None) is not None:
            lines[number] = line_of(client, *questions[number], octets, has_serial)
    return [lines[number] for number in sorted(lines)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=53)
    parser.add_argument("--server", default="127.0.0.1")
    parser.add_argument("--client", action="append")
    parser.add_argument("--patience", type=int, default=10)
    parser.add_argument("--types", default="A,TXT,SRV,PTR")
    parser.add_argument("--serial", action="store_true")
    parser.add_argument("files", nargs="+")
    given = parser.parse_args()
    questions = [(name, kind) for name in names_of(open(path).read() for path in given.files)
                 for kind in given.types.split(",")]
    for client in given.client or ["127.0.0.1"]:
        print("\n".join(ask_all(given.server, given.port, client, questions, given.patience, given.serial)))


main()
