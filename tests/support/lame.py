#!/usr/bin/python3
"""Clients that ask for lame names, and one that asks for good ones, all at once and paced.

    lame.py SERVER PORT SECONDS [hammer ADDRESS SUFFIX RATE | burst ADDRESS SUFFIX COUNT |
                                 victim ADDRESS SUFFIX INTERVAL]...

Each client asks from its own address, always for new names below SUFFIX: a `hammer` RATE names a
second, a `burst` COUNT names at the beginning, a `victim` one name every INTERVAL seconds. A victim
is a stub resolver: it waits five seconds for a good answer. One line for each victim:

    victim 10.0.130.56 answered 120 of 120, longest 0.012 s
"""
import asyncio
import random
import sys

import dns.flags
import dns.message
import dns.rcode

PATIENCE = 5


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


async def hammer(client, rate, seconds):
    for _ in range(int(rate * seconds)):
        client.ask()
        await asyncio.sleep(1 / rate)


async def burst(client, count, _):
    for number in range(int(count)):
        client.ask()
        if number % 50 == 49:
            await asyncio.sleep(0.005)


async def victim(client, interval, seconds):
    loop = asyncio.get_event_loop()
    answered, longest, failures = 0, 0, []
    asked = max(1, int(seconds / interval))
    for number in range(asked):
        await asyncio.sleep(interval)
        began = loop.time()
        try:
            octets = await asyncio.wait_for(client.ask(), PATIENCE)
        except asyncio.TimeoutError:
            failures.append("silence")
            continue
        longest = max(longest, loop.time() - began)
        reply = dns.message.from_wire(octets)
        if reply.rcode() == dns.rcode.NOERROR and reply.answer:
            answered += 1
        else:
            failures.append(dns.rcode.to_text(reply.rcode()) + " " + " ".join(map(str, reply.options)))
    print("victim %s answered %d of %d, longest %.3f s%s" % (
        client.transport.get_extra_info("sockname")[0], answered, asked, longest,
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
