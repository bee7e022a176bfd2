# SPDX-License-Identifier: GPL-2.0-or-later
"""Stops single threads of a program, as a debugger does: signals stop whole processes only."""
import contextlib
import ctypes
import os
import pathlib

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000 # __WALL: threads that are not our children

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request, tid):
    if libc.ptrace(request, tid, None, None):
        number = ctypes.get_errno()
        raise OSError(number, f"ptrace({request:#x}, {tid}): {os.strerror(number)}")


def threads(pid):
    """Thread ids by name."""
    return {
        (task / "comm").read_text().strip(): int(task.name)
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
    }


@contextlib.contextmanager
def held(pid, name):
    """Within the block, thread NAME of PID does not run. The block may kill it."""
    tid = threads(pid)[name]
    ptrace(PTRACE_SEIZE, tid)
    ptrace(PTRACE_INTERRUPT, tid)
    os.waitpid(tid, WALL)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            ptrace(PTRACE_DETACH, tid)
