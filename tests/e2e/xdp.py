"""What xdp.sh does at the client's end of the cable: frames by hand, comparisons, load.

    xdp.py ping ADDRESS                 prints 0 when it answers
    xdp.py frame KIND INTERFACE         sends a query in a frame of that kind; prints yes if a reply comes
    xdp.py compare ADDRESS COUNT        the same random queries at ports 53 and 5353
    xdp.py burst ADDRESS COUNT          so many queries, whose replies nobody reads
    xdp.py load ADDRESS SECONDS         one query after the other, a few at a time
"""
import random
import select
import socket
import struct
import sys
import time

NAME = b"frozen-oasis-70544.herokuapp.com"
OURS, SERVER = "10.0.130.56", "10.0.130.2"
OURS_V6, SERVER_V6 = "2001:db8::99", "2001:db8::2"
MARK = 0xFFFF  # the id of the query that ends a round


def name_octets(name):
    return b"".join(bytes([len(part)]) + part for part in name.split(b".") if part) + b"\0"


def query(number, name=NAME, kind=1, flags=0x0100, rest=b"", counts=(1, 0, 0, 0)):
    return struct.pack("!HHHHHH", number, flags, *counts) + name_octets(name) + struct.pack("!HH", kind, 1) + rest


def sum16(octets):
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack("!%dH" % (len(octets) // 2), octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


# ---- frames by hand ----

def udp(addresses, payload, check=None):
    head = struct.pack("!HHHH", 40000, 53, 8 + len(payload), 0)
    pseudo = addresses + struct.pack("!HH", 17, 8 + len(payload))
    if check is None:
        check = ~sum16(pseudo + head + payload) & 0xFFFF or 0xFFFF
    return head[:6] + struct.pack("!H", check) + payload


def ipv4(datagram, source=OURS, options=b"", total=None):
    addresses = socket.inet_aton(source) + socket.inet_aton(SERVER)
    total = 20 + len(options) + len(datagram) if total is None else total
    head = struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, 0, total, 7, 0, 64, 17, 0) + addresses + options
    return head[:10] + struct.pack("!H", ~sum16(head) & 0xFFFF) + head[12:] + datagram


def ipv6(datagram):
    addresses = socket.inet_pton(socket.AF_INET6, OURS_V6) + socket.inet_pton(socket.AF_INET6, SERVER_V6)
    return struct.pack("!IHBB", 6 << 28, len(datagram), 17, 64) + addresses + datagram


def pseudo_v4(source=OURS):
    return socket.inet_aton(source) + socket.inet_aton(SERVER)


def pseudo_v6():
    return socket.inet_pton(socket.AF_INET6, OURS_V6) + socket.inet_pton(socket.AF_INET6, SERVER_V6)


def packet_of(kind):
    payload = query(1)
    if kind == "zero-sum":
        return ipv4(udp(pseudo_v4(), payload, 0))
    if kind == "options":
        return ipv4(udp(pseudo_v4(), payload), options=b"\1\1\1\0")
    if kind == "wrong-sum":
        return ipv4(udp(pseudo_v4(), payload, 0x1234))
    if kind == "wrong-sum-v6":
        return ipv6(udp(pseudo_v6(), payload, 0))
    if kind == "wrong-length":
        return ipv4(udp(pseudo_v4(), payload), total=1400)
    if kind == "loopback-source":
        return ipv4(udp(pseudo_v4("127.0.0.1"), payload), source="127.0.0.1")
    return ipv4(udp(pseudo_v4(), payload))


def resolve(address):
    """The MAC address of a neighbour, after a datagram to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        any_socket.sendto(b"", (address, 9))
    for _ in range(100):
        with open("/proc/net/arp") as table:
            for line in table:
                fields = line.split()
                if fields[0] == address and fields[3] != "00:00:00:00:00:00":
                    return bytes.fromhex(fields[3].replace(":", ""))
        time.sleep(0.02)
    sys.exit("no neighbour " + address)


def is_right_reply(frame):
    """A reply to port 40000, with right sums where the sender had to compute them."""
    if frame[12:14] != b"\x08\x00" or frame[23] != 17:
        return False
    packet = frame[14:]
    head = 4 * (packet[0] & 15)
    total = struct.unpack("!H", packet[2:4])[0]
    datagram = packet[head:total]
    if struct.unpack("!HH", datagram[:4]) != (53, 40000) or sum16(packet[:head]) != 0xFFFF:
        return False
    pseudo = packet[12:20] + struct.pack("!HH", 17, len(datagram))
    check = struct.unpack("!H", datagram[6:8])[0]
    # The kernel leaves its own to a network card that is not there.
    return check == sum16(pseudo) or sum16(pseudo + datagram) == 0xFFFF


def send_frame(kind, interface):
    to = resolve(SERVER)
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    raw.bind((interface, 0))
    ours = raw.getsockname()[4]
    packet = packet_of(kind)
    ethernet = to + ours + (b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00")
    if kind == "other-mac":
        ethernet = bytes([to[0] ^ 4]) + ethernet[1:]
    if kind == "vlan":
        ethernet = ethernet[:12] + b"\x81\x00\x00\x64" + ethernet[12:]
    reserved = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    reserved.bind((OURS, 40000))  # so that nothing says that the port is closed
    if kind == "fragments":
        # Both halves of one datagram, the first with more to follow.
        datagram = udp(pseudo_v4(), query(1))
        for offset, part, more in ((0, datagram[:24], 0x2000), (3, datagram[24:], 0)):
            head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(part), 7, more | offset, 64, 17, 0) + pseudo_v4()
            head = head[:10] + struct.pack("!H", ~sum16(head) & 0xFFFF) + head[12:]
            raw.send(ethernet + head + part)
    else:
        raw.send(ethernet + packet)
    end = time.monotonic() + (0.4 if kind in ("vlan", "wrong-sum", "wrong-sum-v6", "wrong-length", "other-mac", "loopback-source") else 5)
    while time.monotonic() < end:
        if select.select([raw], [], [], max(0, end - time.monotonic()))[0] and is_right_reply(raw.recv(4096)):
            return "yes"
    return "no"


# ---- comparison ----

NAMES = [
    NAME, b"sleepy-river-2739.herokuapp.com", b"open-plain-1001-1234567890ab.herokuapp.com", b"api.example.com",
    b"any.apps.example.com", b"example.net", b"web.frozen-oasis-70544.app.localspace", b"frozen-oasis-70544.app.localspace",
    b"1.web.frozen-oasis-70544.app.localspace", b"worker.frozen-oasis-70544.app.localspace", b"_whoami.localspace",
    b"localspace", b"herokuapp.com", b"56.130.0.10.in-addr.arpa", b"1.0.0.127.in-addr.arpa", b"no-such-1.herokuapp.com",
    b"random-haiku-5196.also-random-3847.herokuspace.com", b"id.server", b"version.bind", b"frozen-oasis-70544._why.localspace",
]
TYPES = [1, 1, 1, 28, 12, 16, 5, 6, 2, 33, 255, 65, 41, 252, 43, 0, 65280]


def opt(chance):
    options = b""
    if chance.random() < 0.3:
        options += struct.pack("!HH", 10, 8) + chance.randbytes(8)
    if chance.random() < 0.1:
        options += struct.pack("!HH", 10, 24) + chance.randbytes(24)
    if chance.random() < 0.2:
        options += struct.pack("!HH", 3, 0)
    if chance.random() < 0.1:
        size = chance.randrange(0, 200)
        options += struct.pack("!HH", chance.choice([8, 12, 15, 65001]), size) + chance.randbytes(size)
    size = chance.choice([0, 512, 1232, 4096, chance.randrange(65536)])
    version = 0 if chance.random() < 0.95 else chance.randrange(256)
    return b"\0" + struct.pack("!HHBBHH", 41, size, 0, version, chance.choice([0, 0x8000]), len(options)) + options


def random_query(chance, number):
    name = chance.choice(NAMES)
    if chance.random() < 0.3:
        name = bytes(each ^ 0x20 if 65 <= each & 0xDF <= 90 and chance.random() < 0.5 else each for each in name)
    flags = 0x0100 if chance.random() < 0.9 else chance.randrange(65536)
    if chance.random() < 0.6:
        octets = query(number, name, chance.choice(TYPES), flags, opt(chance), (1, 0, 0, 1))
    else:
        octets = query(number, name, chance.choice(TYPES), flags)
    kind = chance.random()
    if kind < 0.05:  # cut, or with more behind it
        octets = octets[:chance.randrange(2, len(octets))]
    elif kind < 0.08:
        octets += chance.randbytes(chance.randrange(1, 1200))
    elif kind < 0.13:  # octets changed, but for the id
        octets = bytearray(octets)
        for _ in range(chance.randrange(1, 6)):
            octets[chance.randrange(2, len(octets))] = chance.randrange(256)
        octets = bytes(octets)
    elif kind < 0.15:
        octets = octets[:2] + chance.randbytes(chance.randrange(0, 1400))
    return octets


def round_of(client, queries):
    """The replies by id: all are there when that to the last query is."""
    for each in queries:
        client.send(each)
    replies = {}
    while True:
        reply = client.recv(4096)
        number = struct.unpack("!H", reply[:2])[0]
        if number == MARK:
            return replies
        replies[number] = reply


def without_cookie(reply):
    """The server's half of a cookie has the time in it."""
    at = reply.find(b"\0\x0a\0\x18")
    return reply if at < 0 else reply[:at + 12] + reply[at + 28:]


def without_ttl(reply):
    """The negative TTL of an app that clients ask for in a loop rises with time, at both."""
    reply = without_cookie(reply)
    at = reply.find(b"\x0alocalspace\0\x0ahostmaster\x0alocalspace\0")
    if at < 0 or reply[3] & 15 != 0:
        return None
    return reply[:at - 6] + reply[at - 2:at + 51] + reply[at + 55:]  # and the SOA's last number


def compare(address, count):
    chance = random.Random(7)
    clients = []
    for source in (OURS, "203.0.113.9"):
        for port in (53, 5353):
            client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            client.bind((source, 0))
            client.connect((address, port))
            client.settimeout(10)
            clients.append(client)
    done = answered = different = 0
    while done < count:
        first, second = clients[:2] if chance.random() < 0.9 else clients[2:]
        some = min(16, count - done)
        queries = [random_query(chance, number) for number in range(some)] + [query(MARK)]
        ours, theirs = round_of(first, queries), round_of(second, queries)
        for number in range(some):
            a, b = ours.get(number), theirs.get(number)
            answered += a is not None
            if a != b and a and b and without_ttl(a) == without_ttl(b):
                continue
            if a != b and (a is None or b is None or without_cookie(a) != without_cookie(b)):
                different += 1
                if different < 4:
                    print("asked", queries[number].hex(), "\nxdp   ", a and a.hex(), "\nsocket", b and b.hex())
        done += some
    print("same %d of %d, %d differ" % (answered - different, done, different))


# ---- load ----

def load(address, seconds):
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.connect((address, 53))
    client.settimeout(2)
    end = time.monotonic() + seconds
    answered = lost = 0
    while time.monotonic() < end:
        for number in range(32):
            client.send(query(number))
        try:
            for number in range(32):
                client.recv(4096)
                answered += 1
        except (TimeoutError, ConnectionRefusedError):
            lost += 32 - number
    print("%d answered, %d lost" % (answered, lost))


def burst(address, count):
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.connect((address, 53))
    for number in range(count):
        client.send(query(number))


def ping(address):
    client = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    client.settimeout(5)
    octets = struct.pack("!BBHHH", 8, 0, 0, 77, 1)
    client.sendto(octets[:2] + struct.pack("!H", ~sum16(octets) & 0xFFFF) + octets[4:], (address, 0))
    while client.recv(2048)[20] != 0:
        pass
    return 0


if sys.argv[1] == "ping":
    print(ping(sys.argv[2]))
elif sys.argv[1] == "frame":
    print(send_frame(sys.argv[2], sys.argv[3]))
elif sys.argv[1] == "compare":
    compare(sys.argv[2], int(sys.argv[3]))
elif sys.argv[1] == "burst":
    burst(sys.argv[2], int(sys.argv[3]))
else:
    load(sys.argv[2], float(sys.argv[3]))
