#!/usr/bin/python3
"""Prints the system calls of syscalls.def, and those named, that a unit's SystemCallFilter= refuses.

    unit_calls.py UNIT SYSCALLS.DEF [CALL...]
"""
import re
import subprocess
import sys


def read_groups():
    """What systemd means by each @group."""
    printed = subprocess.check_output(["systemd-analyze", "syscall-filter"], text=True,
                                      stderr=subprocess.DEVNULL)
    groups, name = {}, None
    for line in printed.splitlines():
        if line.startswith("@"):
            name = line.strip()
            groups[name] = []
        elif name and line.startswith(" ") and not line.strip().startswith("#"):
            groups[name].append(line.strip())
    return groups


def expand(groups, word):
    if not word.startswith("@"):
        return {word}
    return set().union(*(expand(groups, each) for each in groups[word]))


def allowed(unit, groups):
    calls = expand(groups, "@default")
    for line in open(unit):
        if not line.startswith("SystemCallFilter="):
            continue
        value = line.split("=", 1)[1].strip()
        named = set().union(*(expand(groups, word) for word in value.lstrip("~").split()))
        calls = calls - named if value.startswith("~") else calls | named
    return calls


def main():
    calls = re.findall(r"^ALLOW(?:_IF)?\((\w+)", open(sys.argv[2]).read(), re.M)
    for call in sorted(set(calls + sys.argv[3:]) - allowed(sys.argv[1], read_groups())):
        print(call)


main()
