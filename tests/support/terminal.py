"""A terminal for programs that fill one: a pseudo-terminal, and a screen that a test can read.

    terminal = Terminal(["spacedns", "top"], columns=80, rows=24)
    terminal.await_text("Apps")
    terminal.type("s")
    terminal.resize(20, 5)
    print(terminal.lines())
    status = terminal.await_end()       exit code, or minus the signal that ended it

What the program writes is interpreted as by the Linux console (pyte); `written` has it as it came.
Nothing waits longer than PATIENCE seconds.
"""
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time

import pyte

PATIENCE = 10 if not os.environ.get("SANITIZE") else 40


class Terminal:
    def __init__(self, command, columns=80, rows=24, environment=None):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.written = b""
        self.ours, self.theirs = pty.openpty()
        self.set_size(columns, rows)
        self.before = termios.tcgetattr(self.theirs)
        self.status = None
        self.is_stopped = False
        self.news, news = os.pipe()
        self.leader = os.fork()
        if self.leader == 0:
            self.lead(command, {**os.environ, "TERM": "linux", **(environment or {})}, news)
        os.close(news)
        self.child = int(self.read_news())

    def lead(self, command, environment, news):
        """As a shell does: the program is a job of its own, or Ctrl-Z would not stop it."""
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.setsid()
        fcntl.ioctl(self.theirs, termios.TIOCSCTTY, 0)
        for descriptor in range(3):
            os.dup2(self.theirs, descriptor)
        os.close(self.ours)
        begin, begun = os.pipe()
        child = os.fork()
        if child == 0:
            os.read(begin, 1)
            for number in (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
                signal.signal(number, signal.SIG_DFL)  # the shell that runs the test ignores them
            os.execvpe(command[0], command, environment)
        os.setpgid(child, child)
        os.tcsetpgrp(self.theirs, child)
        os.write(begun, b"x")
        os.write(news, b"%d\n" % child)
        while True:
            status = os.waitpid(child, os.WUNTRACED)[1]
            if not os.WIFSTOPPED(status):
                os.write(news, b"ended %d\n" % os.waitstatus_to_exitcode(status))
                os._exit(0)
            os.write(news, b"stopped\n")

    def read_news(self):
        line = b""
        while not line.endswith(b"\n"):
            line += os.read(self.news, 1)
        return line.decode()

    def set_size(self, columns, rows):
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        self.screen.resize(rows, columns)
        self.set_size(columns, rows)

    def type(self, keys):
        os.write(self.ours, keys.encode())

    def read(self, seconds):
        """Takes what the program has written, and waits so long for something."""
        if not select.select([self.ours], [], [], seconds)[0]:
            return False
        octets = os.read(self.ours, 65536)
        self.written += octets
        self.stream.feed(octets)
        return True

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def text(self):
        return "\n".join(self.lines())

    def await_that(self, what, condition):
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"{what}:\n{self.text()}")
            self.read(0.05)

    def await_text(self, text):
        self.await_that(f"the screen has {text!r}", lambda: text in self.text())

    def await_without(self, text):
        self.await_that(f"the screen has no {text!r}", lambda: text not in self.text())

    def signal(self, number):
        os.kill(self.child, number)

    def take_news(self):
        while self.status is None and select.select([self.news], [], [], 0)[0]:
            news = self.read_news().split()
            self.is_stopped = news[0] == "stopped"
            if news[0] == "ended":
                self.status = int(news[1])

    def has_ended(self):
        self.take_news()
        return self.status is not None

    def has_stopped(self):
        self.take_news()
        return self.is_stopped

    def await_end(self):
        self.await_that("the program ends", self.has_ended)
        while self.read(0):
            pass
        return self.status

    def is_restored(self):
        """The modes are as before, and the cursor is there."""
        return termios.tcgetattr(self.theirs) == self.before and not self.screen.cursor.hidden
