"""A service manager that keeps a service's sockets over its restarts, as systemd does.

    fd_store.py FOLDER PROGRAM ARGUMENT ...

Starts the program with NOTIFY_SOCKET=FOLDER/notify and with the sockets in its store; when it ends,
waits for FOLDER/go, removes that, and starts it again. FOLDER/store has the names in the store, one a
line; FOLDER/pid the program's process; a file FOLDER/end ends both.

Sources: sd_notify(3) (FDSTORE, FDSTOREREMOVE, FDNAME), sd_listen_fds(3).
"""
import os
import signal
import socket
import sys

FOLDER, PROGRAM = sys.argv[1], sys.argv[2:]
FIRST, HIGH, MOST = 3, 100, 500
store = []  # (name, descriptor)


def write(name, text):
    path = os.path.join(FOLDER, name)
    with open(path + ".new", "w") as file:
        file.write(text)
    os.rename(path + ".new", path)


def take(message, passed):
    words = dict(line.split("=", 1) for line in message.decode().split("\n") if "=" in line)
    name = words.get("FDNAME", "stored")
    if words.get("FDSTORE") == "1":
        for descriptor in passed:
            same = os.fstat(descriptor)
            if any(os.path.samestat(same, os.fstat(other)) for _, other in store):
                os.close(descriptor)
            else:
                store.append((name, os.dup(descriptor)))
                os.close(descriptor)
    if words.get("FDSTOREREMOVE") == "1":
        for entry in [entry for entry in store if entry[0] == name]:
            os.close(entry[1])
            store.remove(entry)
    if "FDSTORE" in words or "FDSTOREREMOVE" in words:
        write("store", "".join(name + "\n" for name, _ in store))


def start():
    child = os.fork()
    if child != 0:
        write("pid", str(child))
        return child
    high = [os.dup2(descriptor, HIGH + number) for number, (_, descriptor) in enumerate(store)]
    for number, descriptor in enumerate(high):
        os.dup2(descriptor, FIRST + number, inheritable=True)
    os.closerange(FIRST + len(high), MOST)
    os.environ["NOTIFY_SOCKET"] = os.path.join(FOLDER, "notify")
    if high:
        os.environ.update(LISTEN_FDS=str(len(high)), LISTEN_PID=str(os.getpid()),
                          LISTEN_FDNAMES=":".join(name for name, _ in store))
    os.execv(PROGRAM[0], PROGRAM)


def has(name):
    return os.path.exists(os.path.join(FOLDER, name))


def main():
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(os.path.join(FOLDER, "notify"))
    manager.settimeout(0.05)
    child = start()
    while not has("end"):
        try:
            message, passed, _, _ = socket.recv_fds(manager, 4096, 16)
            take(message, passed)
        except socket.timeout:
            pass
        if child and os.waitpid(child, os.WNOHANG)[0]:
            child = 0
            write("pid", "0")
        if not child and has("go"):
            os.unlink(os.path.join(FOLDER, "go"))
            child = start()
    if child:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)


main()
