"""Starts a program with sockets as a service manager does.

    activate.py SOCKET ... -- PROGRAM ARGUMENT ...

SOCKET is NAME=KIND:ADDRESS:PORT, with KIND udp, tcp, connected, udp6 (which takes IPv4, too) or unix
(without an address); NAME may be empty. `ask` as a SOCKET sends a query to every UDP socket before the
program starts and prints, once there is one, the length of each reply to standard error. `stranger`
as a SOCKET says that the sockets are for another process.

Sources: sd_listen_fds(3).
"""
import os
import socket
import sys

QUERY = bytes.fromhex("123401000001000000000000") + b"\x07version\x04bind\x00\x00\x10\x00\x03"
FIRST = 3


def open_socket(kind, rest):
    if kind == "unix":
        return socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    if kind == "udp6":
        made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        made.bind(("::", int(rest[-1])))
        return made
    address = (rest[0], int(rest[1]))
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind(address)
    if kind == "tcp":
        made.listen(100)
    return made


def ask(to):
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(30)
    client.sendto(QUERY, to)
    return client


def report(client):
    print("early reply", len(client.recv(4096)), file=sys.stderr, flush=True)


def main():
    split = sys.argv.index("--")
    words, program = sys.argv[1:split], sys.argv[split + 1:]
    names, sockets = [], []
    for word in words:
        if "=" in word:
            name, description = word.split("=", 1)
            kind, *rest = description.split(":")
            names.append(name)
            sockets.append(open_socket(kind, rest))
    early = []
    if "ask" in words:
        early = [ask(each.getsockname()) for each in sockets
                 if each.family == socket.AF_INET and each.type == socket.SOCK_DGRAM]
    for client in early:
        if os.fork() == 0:
            report(client)
            os._exit(0)
    # out of the way first: a number that is wanted may be taken by another of them
    high = [os.dup2(each.fileno(), 100 + number) for number, each in enumerate(sockets)]
    for number, each in enumerate(high):
        os.dup2(each, FIRST + number, inheritable=True)
    os.closerange(FIRST + len(high), 200)
    os.environ["LISTEN_FDS"] = str(len(high))
    os.environ["LISTEN_FDNAMES"] = ":".join(names)
    os.environ["LISTEN_PID"] = "1" if "stranger" in words else str(os.getpid())
    os.execv(program[0], program)


main()
