"""Stops one thread of a process, as if it hung, until standard input ends.

    freeze.py THREAD        prints "frozen" once the thread has stopped

Sources: ptrace(2), PTRACE_SEIZE and PTRACE_INTERRUPT.
"""
import ctypes
import os
import sys

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000

thread = int(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def trace(request):
    if libc.ptrace(request, thread, None, None) != 0:
        sys.exit(f"ptrace: {os.strerror(ctypes.get_errno())}")


trace(PTRACE_SEIZE)
trace(PTRACE_INTERRUPT)
os.waitpid(thread, WALL)
print("frozen", flush=True)
sys.stdin.read()
trace(PTRACE_DETACH)
