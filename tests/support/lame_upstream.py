#!/usr/bin/python3
"""An upstream that is well, but for some names: for tests with more questions than upstream.py takes.

    lame_upstream.py ADDRESS PORT [--tls CERTIFICATE KEY] [--well]

It prints `ready` on standard output once it listens, over UDP, and with --tls over TLS at the same
port. Every name has the address 198.51.100.80 and nothing else. Names below lame.example get no
reply, and those below slow.example get theirs after 3 s; with --well, these are as all others.
"""
import argparse
import asyncio
import signal
import socket
import ssl
import struct
import sys

HEADER_OCTETS = 12
LAME = b"\4lame\7example\0"
SLOW = b"\4slow\7example\0"
SLOW_SECONDS = 3
TYPE_A = 1
RECORD = struct.pack("!HHHIH", 0xc00c, TYPE_A, 1, 300, 4) + socket.inet_aton("198.51.100.80")
ROOM_OCTETS = 4 << 20


def question_end(query):
    at = HEADER_OCTETS
    while query[at] != 0:
        at += 1 + query[at]
    return at + 5


def answer(query):
    end = question_end(query)
    has_address = query[end - 4:end - 2] == struct.pack("!H", TYPE_A)
    flags = 0x8080 | (query[2] & 1) << 8
    head = query[:2] + struct.pack("!HHHHH", flags, 1, has_address, 0, 0)
    return head + query[HEADER_OCTETS:end] + (RECORD if has_address else b"")


class Upstream:
    def __init__(self, is_well):
        self.is_well = is_well

    def take(self, query, send):
        """Answers through send(reply), at once, later or never."""
        name = query[HEADER_OCTETS:question_end(query) - 4].lower()
        if self.is_well or not name.endswith((LAME, SLOW)):
            send(answer(query))
        elif name.endswith(SLOW):
            asyncio.get_event_loop().call_later(SLOW_SECONDS, send, answer(query))


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, upstream):
        self.upstream = upstream

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, octets, source):
        self.upstream.take(octets, lambda reply: self.transport.sendto(reply, source))


class Stream(asyncio.Protocol):
    def __init__(self, upstream):
        self.upstream = upstream
        self.read = b""

    def connection_made(self, transport):
        self.transport = transport

    def send(self, reply):
        if not self.transport.is_closing():
            self.transport.write(struct.pack("!H", len(reply)) + reply)

    def data_received(self, octets):
        self.read += octets
        while len(self.read) >= 2:
            length = struct.unpack("!H", self.read[:2])[0]
            if len(self.read) < 2 + length:
                return
            self.upstream.take(self.read[2:2 + length], self.send)
            self.read = self.read[2 + length:]


def datagram_socket(address):
    found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM_OCTETS)
    found.setblocking(False)
    found.bind(address)
    return found


async def run(options):
    loop = asyncio.get_event_loop()
    upstream = Upstream(options.well)
    await loop.create_datagram_endpoint(lambda: Datagrams(upstream),
                                        sock=datagram_socket((options.address, options.port)))
    if options.tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*options.tls)
        await loop.create_server(lambda: Stream(upstream), options.address, options.port,
                                 ssl=context, backlog=1024)
    print("ready", flush=True)
    await loop.create_future()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("--tls", nargs=2)
    parser.add_argument("--well", action="store_true")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    asyncio.run(run(parser.parse_args()))


main()
