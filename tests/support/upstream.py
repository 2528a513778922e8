#!/usr/bin/python3
"""An upstream whose behaviour a script sets, for tests over real sockets.

    upstream.py --listen ADDRESS[:PORT] [--tls ADDRESS[:PORT] CERTIFICATE KEY]
                --records FILE --mode FILE --log FILE

It prints `ready` on standard output once it listens, over UDP and TCP, and runs until it is stopped.

RECORDS has one record a line ("www.example.org. 300 IN A 198.51.100.80"; `*.` begins a wildcard);
a line `ede NAME CODE TEXT` has that option go with every answer for the name. What is not there is
NXDOMAIN, or NOERROR without data, with the SOA of example.org's kind. CNAMEs are followed.

Names below lame.example are never answered.

MODE is read for each query, so a change takes effect with the next one:

    answer              as a good server would
    silent              no reply at all; TCP connections are taken and never answered
    mute                no reply to NS and SOA, as which a server is probed; others as ever
    slow MS             the right answer, later
    wrong-id            the right answer under another id
    wrong-question      an answer to another question, with the id of this one
    wrong-case          the right answer, the question's letters in lower case
    wrong-source        the right answer from another address
    truncated           TC over UDP, everything over TCP
    tcp-refused         TC over UDP, and nothing listens over TCP
    error RCODE         that code and nothing else
    no-edns             FORMERR to who sends EDNS, the right answer to others
    garbage             octets that are no message
    half                the right answer, cut in the middle of its last record
    oversized           3,000 octets of answer over UDP, whatever the client takes, no TC
    huge                63 KB of records; TC over UDP
    other-name          the right question, records of another name
    loop                a CNAME that leads back to itself
    ttl SECONDS         the right answer, every TTL so

LOG has one line a query, written before the reply goes out:

    udp 10.0.0.2#40123 id=4711 WwW.example.org. A rd ad cd do edns=1232 options=3,10
"""
import argparse
import asyncio
import random
import signal
import socket
import ssl
import struct
import sys

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

WRONG_SOURCE = "198.51.100.99"
LAME = dns.name.from_text("lame.example")
SOA = "ns.invalid. hostmaster.invalid. 1 3600 600 86400 5"
EDE = 15


def place(text, port):
    address, _, given = text.partition(":")
    return address, int(given or port)


# ---- what is known ----


class Records:
    def __init__(self, path):
        self.sets = {}
        self.ede = {}
        for line in open(path):
            words = line.split(None, 4)
            if not words:
                continue
            if words[0] == "ede":
                _, name, code, text = line.split(None, 3)
                self.ede[dns.name.from_text(name)] = (int(code), text.strip())
                continue
            name, ttl, _, kind, data = words
            found = dns.rrset.from_text(name, int(ttl), "IN", kind, data.strip())
            here = self.sets.setdefault(found.name, {})
            if found.rdtype in here:
                here[found.rdtype].update(found)
            else:
                here[found.rdtype] = found

    def at(self, name):
        """The record sets at a name, through a wildcard if need be; None: no such name."""
        if name in self.sets:
            return self.sets[name]
        parent = name
        while parent != dns.name.root:
            parent = parent.parent()
            wild = self.sets.get(dns.name.Name((b"*",) + parent.labels))
            if wild is not None:
                return {kind: renamed(found, name) for kind, found in wild.items()}
        if any(other.is_subdomain(name) for other in self.sets):
            return {}
        return None

    def answer(self, query):
        reply = dns.message.make_response(query, recursion_available=True)
        reply.flags |= dns.flags.AD
        question = query.question[0]
        name = question.name
        for _ in range(16):
            here = self.at(name)
            if here is None:
                reply.set_rcode(dns.rcode.NXDOMAIN)
                break
            if question.rdtype in here:
                reply.answer.append(here[question.rdtype])
                break
            if dns.rdatatype.CNAME not in here:
                break
            reply.answer.append(here[dns.rdatatype.CNAME])
            name = here[dns.rdatatype.CNAME][0].target
        if not reply.answer or reply.answer[-1].rdtype != question.rdtype:
            owner = name.parent() if name != dns.name.root else name
            reply.authority.append(dns.rrset.from_text(owner, 60, "IN", "SOA", SOA))
        if question.name in self.ede and query.edns >= 0:
            code, text = self.ede[question.name]
            reply.use_edns(0, payload=1232, ednsflags=query.ednsflags, options=[
                dns.edns.GenericOption(EDE, struct.pack("!H", code) + text.encode())])
        return reply


def renamed(found, name):
    copy = dns.rrset.RRset(name, found.rdclass, found.rdtype)
    copy.update_ttl(found.ttl)
    for data in found:
        copy.add(data)
    return copy


# ---- what is sent ----

def many(query, octets):
    """A whole message with text records of 200 octets each, by hand: dnspython takes seconds."""
    head = dns.message.make_response(query, recursion_available=True)
    head.use_edns(False)
    count = octets // 213
    records = b"".join(struct.pack("!HHHIHB", 0xc00c, dns.rdatatype.TXT, 1, 300, 201, 200) +
                       b"%04d" % i + b"x" * 196 for i in range(count))
    head = head.to_wire()
    return head[:6] + struct.pack("!H", count) + head[8:] + records


def other_question(reply):
    reply.question = [dns.rrset.RRset(dns.name.from_text("other.example.org."),
                                      dns.rdataclass.IN, dns.rdatatype.A)]
    return reply


def other_name(reply):
    reply.answer = [dns.rrset.from_text("other.example.org.", 300, "IN", "A", "198.51.100.66")]
    return reply


def loop(reply):
    name = reply.question[0].name
    back = dns.name.from_text("back.example.org.")
    reply.answer = [dns.rrset.from_text(name, 300, "IN", "CNAME", back.to_text()),
                    dns.rrset.from_text(back, 300, "IN", "CNAME", name.to_text())]
    return reply


def with_ttl(octets, seconds):
    """dnspython does not write a TTL of 2^31, so the octets are changed."""
    found = dns.message.from_wire(octets)
    for rrset in found.answer + found.authority:
        rrset.ttl = 0x11223344
    return found.to_wire(max_size=65535).replace(b"\x11\x22\x33\x44", struct.pack("!I", seconds))


def error_only(query, rcode):
    reply = dns.message.make_response(query, recursion_available=True)
    reply.set_rcode(rcode)
    return reply


class Upstream:
    def __init__(self, options):
        self.options = options
        self.records = Records(options.records)
        self.log = open(options.log, "a", buffering=1)
        self.streams = set()
        self.listeners = []
        self.accepts = True

    def mode(self):
        words = open(self.options.mode).read().split() or ["answer"]
        return words[0], words[1:]

    def note(self, transport, source, query):
        question = query.question[0]
        flags = [word for word, bit in (("rd", dns.flags.RD), ("ad", dns.flags.AD),
                                        ("cd", dns.flags.CD)) if query.flags & bit]
        if query.edns >= 0:
            flags += ["do"] * bool(query.ednsflags & dns.flags.DO)
            flags.append("edns=%d" % query.payload)
        if query.options:
            flags.append("options=" + ",".join(str(int(o.otype)) for o in query.options))
        self.log.write("%s %s#%d id=%d %s %s %s\n" % (
            transport, source[0], source[1], query.id, question.name,
            dns.rdatatype.to_text(question.rdtype), " ".join(flags)))

    def reply(self, octets, transport, source):
        """Returns (octets or None, delay in seconds, from another address)."""
        try:
            query = dns.message.from_wire(octets)
        except dns.exception.DNSException:
            return None, 0, False
        self.note(transport, source, query)
        mode, words = self.mode()
        self.take(mode != "tcp-refused")
        question = query.question[0]
        is_probe = question.rdtype in (dns.rdatatype.NS, dns.rdatatype.SOA)
        if mode == "silent" or (mode == "mute" and is_probe) or question.name.is_subdomain(LAME):
            return None, 0, False
        delay = int(words[0]) / 1000 if mode == "slow" else 0
        return self.write(query, mode, words, transport), delay, mode == "wrong-source"

    def write(self, query, mode, words, transport):
        good = self.records.answer(query)
        changes = {"wrong-question": other_question, "other-name": other_name, "loop": loop}
        if mode in changes:
            good = changes[mode](good)
        elif mode == "error":
            good = error_only(query, dns.rcode.from_text(words[0]))
        elif mode == "no-edns" and query.edns >= 0:
            good = error_only(query, dns.rcode.FORMERR)
            good.use_edns(False)
        elif mode == "half":
            good.use_edns(False)
        octets = good.to_wire(max_size=65535)
        if mode == "garbage":
            octets = bytes(random.randrange(256) for _ in range(100))
        elif mode == "oversized":
            octets = many(query, 3000)
        elif mode == "huge":
            octets = many(query, 63000)
        elif mode == "wrong-id":
            octets = struct.pack("!H", query.id ^ 0x0101) + octets[2:]
        elif mode == "wrong-case":
            end = 12 + len(query.question[0].name.to_wire())
            octets = octets[:12] + octets[12:end].lower() + octets[end:]
        elif mode == "half":
            octets = octets[:-3]
        elif mode == "ttl":
            octets = with_ttl(octets, int(words[0]))
        if transport == "udp" and mode != "oversized":
            if mode in ("truncated", "tcp-refused") or len(octets) > limit(query):
                return cut(octets, query)
        return octets

    # ---- sockets ----

    def take(self, accepts):
        """Lets TCP connections come, or ends those that are there and refuses others."""
        if accepts == self.accepts:
            return
        self.accepts = accepts
        if accepts:
            asyncio.ensure_future(self.listen_tcp())
            return
        for listener in self.listeners:
            listener.close()
        self.listeners = []
        for stream in list(self.streams):
            stream.transport.abort()

    async def listen_tcp(self):
        for address in self.options.listen:
            host, port = place(address, 53)
            self.listeners.append(await asyncio.get_event_loop().create_server(
                lambda: Stream(self, "tcp"), host, port, reuse_address=True))

    async def start(self):
        loop_ = asyncio.get_event_loop()
        await self.listen_tcp()
        for address in self.options.listen:
            await loop_.create_datagram_endpoint(lambda: Datagrams(self),
                                                 local_addr=place(address, 53))
        for address, certificate, key in self.options.tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate, key)
            host, port = place(address, 853)
            await loop_.create_server(lambda: Stream(self, "tls"), host, port, ssl=context)


def limit(query):
    return max(512, query.payload) if query.edns >= 0 else 512


def cut(octets, query):
    """The header with TC, and the question."""
    end = 12 + len(query.question[0].name.to_wire()) + 4
    return octets[:2] + bytes([octets[2] | 2]) + octets[3:6] + bytes(6) + octets[12:end]


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, upstream):
        self.upstream = upstream

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, octets, source):
        reply, delay, from_elsewhere = self.upstream.reply(octets, "udp", source)
        if reply is None:
            return
        send = self.send_from_elsewhere if from_elsewhere else self.transport.sendto
        if delay > 0:
            asyncio.get_event_loop().call_later(delay, send, reply, source)
        else:
            send(reply, source)

    def send_from_elsewhere(self, reply, source):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wrong:
            wrong.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            wrong.bind((WRONG_SOURCE, self.transport.get_extra_info("sockname")[1]))
            wrong.sendto(reply, source)


class Stream(asyncio.Protocol):
    def __init__(self, upstream, name):
        self.upstream = upstream
        self.name = name
        self.read = b""

    def connection_made(self, transport):
        self.transport = transport
        self.upstream.streams.add(self)

    def connection_lost(self, _):
        self.upstream.streams.discard(self)

    def send(self, reply):
        if not self.transport.is_closing():
            self.transport.write(struct.pack("!H", len(reply)) + reply)

    def data_received(self, octets):
        self.read += octets
        while len(self.read) >= 2:
            length = struct.unpack("!H", self.read[:2])[0]
            if len(self.read) < 2 + length:
                return
            message, self.read = self.read[2:2 + length], self.read[2 + length:]
            source = self.transport.get_extra_info("peername")
            reply, delay, _ = self.upstream.reply(message, self.name, source)
            if reply is not None:
                asyncio.get_event_loop().call_later(delay, self.send, reply)


async def run(options):
    upstream = Upstream(options)
    await upstream.start()
    print("ready", flush=True)
    await asyncio.get_event_loop().create_future()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--listen", action="append", default=[])
    parser.add_argument("--tls", nargs=3, action="append", default=[])
    parser.add_argument("--records", required=True)
    parser.add_argument("--mode", required=True)
    parser.add_argument("--log", required=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    asyncio.run(run(parser.parse_args()))


main()
