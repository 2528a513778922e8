#!/usr/bin/python3
"""Clients that ask for lame names, and one that asks for good ones, all at once and paced.

    lame.py SERVER PORT SECONDS [hammer ADDRESS SUFFIX RATE | burst ADDRESS SUFFIX COUNT |
                                 victim ADDRESS SUFFIX INTERVAL]...

Each client asks from its own address, always for new names below SUFFIX: a `hammer` RATE names a
second, a `burst` COUNT names at the beginning, a `victim` one name every INTERVAL seconds, whether
the one before is answered or not. A victim is a stub resolver: it waits five seconds for a good
answer, or LAME_PATIENCE. One line for each victim, with the last failure if there was one:

    victim 10.0.130.56 answered 120 of 120, longest 0.012 s
"""
import asyncio
import os
import random
import sys

import dns.flags
import dns.message
import dns.rcode

PATIENCE = float(os.environ.get("LAME_PATIENCE", 5))


class Client(asyncio.DatagramProtocol):
    def __init__(self, suffix):
        self.suffix = suffix
        self.waiting = {}

    def connection_made(self, transport):
        self.transport = transport

    def ask(self):
        name = "n%016x.%s" % (random.getrandbits(64), self.suffix)
        query = dns.message.make_query(name, "A", use_edns=0)
        reply = asyncio.get_event_loop().create_future()
        self.waiting[query.id] = reply
        self.transport.sendto(query.to_wire())
        return reply

    def datagram_received(self, octets, _):
        reply = self.waiting.pop(int.from_bytes(octets[:2], "big"), None)
        if reply is not None and not reply.done():
            reply.set_result(octets)

    def error_received(self, _):
        pass


async def client_at(address, suffix, server):
    loop = asyncio.get_event_loop()
    _, client = await loop.create_datagram_endpoint(
        lambda: Client(suffix), local_addr=(address, 0), remote_addr=server)
    return client


async def at_times(count, interval):
    """Yields so often, at that distance by the clock, however long the caller takes."""
    loop = asyncio.get_event_loop()
    began = loop.time()
    for number in range(count):
        await asyncio.sleep(max(0, began + number * interval - loop.time()))
        yield number


async def hammer(client, rate, seconds):
    async for _ in at_times(int(rate * seconds), 1 / rate):
        client.ask()


async def burst(client, count, _):
    for number in range(int(count)):
        client.ask()
        if number % 50 == 49:
            await asyncio.sleep(0.005)


async def ask_for_good(client):
    """Returns (seconds, what went wrong or None)."""
    loop = asyncio.get_event_loop()
    began = loop.time()
    try:
        octets = await asyncio.wait_for(client.ask(), PATIENCE)
    except asyncio.TimeoutError:
        return PATIENCE, "silence"
    reply = dns.message.from_wire(octets)
    if reply.rcode() == dns.rcode.NOERROR and reply.answer:
        return loop.time() - began, None
    return 0, dns.rcode.to_text(reply.rcode()) + " " + " ".join(map(str, reply.options))


async def victim(client, interval, seconds):
    asked = max(1, int(seconds / interval))
    tasks = []
    await asyncio.sleep(interval)
    async for _ in at_times(asked, interval):
        tasks.append(asyncio.ensure_future(ask_for_good(client)))
    outcomes = await asyncio.gather(*tasks)
    failures = [failure for _, failure in outcomes if failure is not None]
    longest = max([seconds for seconds, failure in outcomes if failure is None], default=0)
    print("victim %s answered %d of %d, longest %.3f s%s" % (
        client.transport.get_extra_info("sockname")[0], asked - len(failures), asked, longest,
        "" if not failures else ": " + failures[-1]), flush=True)


async def main():
    server = (sys.argv[1], int(sys.argv[2]))
    seconds = float(sys.argv[3])
    kinds = {"hammer": hammer, "burst": burst, "victim": victim}
    tasks = []
    for at in range(4, len(sys.argv), 4):
        kind, address, suffix, number = sys.argv[at:at + 4]
        client = await client_at(address, suffix, server)
        tasks.append(kinds[kind](client, float(number), seconds))
    await asyncio.gather(*tasks)

asyncio.run(main())
