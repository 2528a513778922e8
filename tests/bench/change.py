#!/usr/bin/env python3
"""What the benchmark `change` does to a server.

    change.py rewrite FOLDER PID RATE SECONDS   changes one dyno of one zone file after the other, RATE
                                                times a second, and has PID reload; prints how often
    change.py idle PORT COUNT                   opens COUNT connections, asks once over each, prints
                                                how many were answered, and keeps them until its
                                                standard input ends
"""
import os
import signal
import socket
import struct
import sys
import time


def toggle(path):
    with open(path, encoding="ascii") as file:
        text = file.read()
    old, new = ("state: up", "state: starting") if "state: up" in text else ("state: starting", "state: up")
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write(text.replace(old, new, 1))
    os.rename(path + ".new", path)


def rewrite(folder, pid, rate, seconds):
    paths = sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".yaml"))
    begun = time.monotonic()
    done = 0
    while time.monotonic() - begun < seconds:
        wait = begun + done / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        toggle(paths[done % len(paths)])
        os.kill(pid, signal.SIGHUP)
        done += 1
    print(done, flush=True)


def ask(port, number):
    """Each sixteen connections are one client's."""
    connection = socket.socket()
    client = 2 + number // 16
    connection.bind((f"127.1.{client >> 8}.{client & 255}", 0))
    connection.connect(("127.0.0.1", port))
    name = b"\x0bapp-0000-00\x09herokuapp\x03com\x00"
    query = struct.pack("!6H", number & 65535, 0x100, 1, 0, 0, 0) + name + struct.pack("!2H", 1, 1)
    connection.settimeout(10)
    connection.sendall(struct.pack("!H", len(query)) + query)
    return connection, len(connection.recv(4096)) > 12


def idle(port, count):
    connections = []
    answered = 0
    for number in range(count):
        connection, good = ask(port, number)
        connections.append(connection)
        answered += good
    print(answered, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    if len(sys.argv) == 6 and sys.argv[1] == "rewrite":
        rewrite(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5]))
    elif len(sys.argv) == 4 and sys.argv[1] == "idle":
        idle(int(sys.argv[2]), int(sys.argv[3]))
    else:
        sys.exit(__doc__)
