"""A stand-in service manager: starts a program with NOTIFY_SOCKET and writes down what it says.

    manager.py --socket PATH --log FILE [--ask PORT] [--watchdog-us N] [--journal FILE] -- PROGRAM ...

Each message becomes one line of the log, its assignments separated by |, times left out:

    READY=1|STATUS=Serving generation 1: 1 space, 3 apps
    asked answered                                        (with --ask, behind the first READY)

--ask    sends a DNS query to 127.0.0.1 at once when READY arrives
PATH     of the socket; an abstract name begins with @
--journal  standard error goes to this socket's stream, which JOURNAL_STREAM names, and to FILE
The program's process is in LOG.pid; the manager ends with the program's exit code.
"""
import argparse
import os
import re
import select
import socket
import subprocess
import sys

QUERY = bytes([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]) + b"\7upcheck\12localspace\0\0\1\0\1"


def answered(port):
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(20)
    client.connect(("127.0.0.1", port))
    try:
        client.send(QUERY)
        return "answered" if client.recv(1500)[:2] == QUERY[:2] else "other"
    except OSError as error:
        return str(error)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--ask", type=int)
    parser.add_argument("--watchdog-us", type=int)
    parser.add_argument("--journal")
    parser.add_argument("program", nargs="+")
    options = parser.parse_args()

    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    name = options.socket
    manager.bind("\0" + name[1:] if name.startswith("@") else name)
    environment = dict(os.environ, NOTIFY_SOCKET=name)
    if options.watchdog_us:
        environment["WATCHDOG_USEC"] = str(options.watchdog_us)
    log = open(options.log, "w", buffering=1)
    readers = [manager]
    stderr = None
    if options.journal:
        stream, stderr = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        status = os.fstat(stderr.fileno())
        environment["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino}"
        journal = open(options.journal, "wb", buffering=0)
        readers.append(stream)
    program = subprocess.Popen(options.program, env=environment, stderr=stderr)
    if stderr:
        stderr.close()
    with open(options.log + ".pid", "w") as file:
        file.write(str(program.pid))

    has_asked = options.ask is None
    while True:
        is_over = program.poll() is not None
        ready, _, _ = select.select(readers, [], [], 0 if is_over else 0.05)
        if is_over and not ready:
            break
        if manager in ready:
            text = manager.recv(65536).decode("utf-8", "backslashreplace")
            text = re.sub(r"(MONOTONIC_USEC)=\d+", r"\1=N", text.rstrip("\n"))
            log.write(text.replace("\n", "|") + "\n")
            if not has_asked and "READY=1" in text:
                has_asked = True
                log.write("asked " + answered(options.ask) + "\n")
        elif ready:
            octets = stream.recv(65536)
            journal.write(octets)
            if not octets:
                readers.remove(stream)
    sys.exit(program.returncode if program.returncode >= 0 else 128 - program.returncode)


main()
