"""Reads dnstap messages out of a Frame Streams file, without any library for either.

    dnstap.py FILE          prints a line for each message, sorted
    dnstap.py --agree PATH  listens at a unix socket, agrees to take messages, and takes none

A line is: kind protocol address rule action match identity version name rcode answers. What a
message lacks is -; rcode and answers are the response's. A message whose times are out of order, or
whose octets go on after its last field, ends the program with an error.
"""
import socket
import struct
import sys

KINDS = {1: "AQ", 2: "AR", 5: "CQ", 6: "CR"}
PROTOCOLS = {1: "udp", 2: "tcp"}
ACTIONS = {1: "NXDOMAIN", 2: "NODATA", 3: "PASS", 4: "DROP", 5: "TRUNCATE", None: "-"}
MATCHES = {1: "QNAME", 2: "CLIENT_IP", None: "-"}
CONTENT_TYPE = b"protobuf:dnstap.Dnstap"


def frames(octets):
    """Data frames; a length of zero escapes a control frame (its own length follows)."""
    at = 0
    while at + 4 <= len(octets):
        length, = struct.unpack_from("!I", octets, at)
        at += 4
        if length == 0:
            length, = struct.unpack_from("!I", octets, at)
            at += 4
        else:
            yield octets[at:at + length]
        at += length


def varint(octets, at):
    value = shift = 0
    while True:
        value |= (octets[at] & 127) << shift
        shift += 7
        at += 1
        if octets[at - 1] < 128:
            return value, at


def fields(octets):
    """The fields of a protobuf message by number."""
    found, at = {}, 0
    while at < len(octets):
        key, at = varint(octets, at)
        if key & 7 == 0:
            value, at = varint(octets, at)
        elif key & 7 == 5:
            value, at = struct.unpack_from("<I", octets, at)[0], at + 4
        else:
            assert key & 7 == 2, f"wire type {key & 7}"
            length, at = varint(octets, at)
            value, at = octets[at:at + length], at + length
        found[key >> 3] = value
    assert at == len(octets), "a field goes on after the end"
    return found


def name_of(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    return ".".join(labels)


def line(frame):
    outer = fields(frame)
    assert outer[15] == 1
    message = fields(outer[14])
    policy = fields(message.get(15, b""))
    family = socket.AF_INET if message[2] == 1 else socket.AF_INET6
    response = message.get(14)
    if response:
        assert message[10][:2] == response[:2], "the response is another query's"
        assert (message[8], message[9]) <= (message[12], message[13]), "answered before it came"
    assert not policy or policy[1] == b"spacedns"
    return " ".join(map(str, [
        KINDS[message[1]], PROTOCOLS[message[3]], socket.inet_ntop(family, message[4]),
        policy.get(2, b"-").decode(), ACTIONS[policy.get(3)], MATCHES[policy.get(4)],
        outer.get(1, b"-").decode(), outer.get(2, b"-").decode().replace(" ", "/"),
        name_of(message[10]), response[3] & 15 if response else "-",
        struct.unpack_from("!H", response, 6)[0] if response else "-"]))


def agree(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    print("ready", flush=True)
    connection, _ = listener.accept()
    connection.recv(1024)  # READY
    accept = struct.pack("!III", 1, 1, len(CONTENT_TYPE)) + CONTENT_TYPE
    connection.sendall(struct.pack("!II", 0, len(accept)) + accept)
    listener.accept()


if sys.argv[1] == "--agree":
    agree(sys.argv[2])
else:
    with open(sys.argv[1], "rb") as file:
        print("\n".join(sorted(map(line, frames(file.read())))))
