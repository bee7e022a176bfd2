# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls that are given null pointers: the recorder does not read there, since each such read is a page fault. The kernel's
own tracepoint of page faults (on arm64 since 6.17) counts them, of the same calls with a recorder and without one."""
import contextlib
import os
import re
import subprocess
import sys

import recorder

# Prints its process id, waits for a line, and makes each call TURNS times. The kernel reads the pointers of some, which then
# fail with EFAULT, and not those of others.
CALLS = """
import ctypes, os, socket, sys
libc = ctypes.CDLL(None)
HERE, SETLK, SET, REUSE, EMPTY_PATH, CLONERANGE = -100, 6, 1, 2, 0x1000, 0x4020940d
OPENAT2, STATX = {"x86_64": (437, 332), "aarch64": (437, 291)}[os.uname().machine]
fd = os.open("file", os.O_RDWR | os.O_CREAT)
listener, other = socket.create_server(("127.0.0.1", 0)), socket.socket()
listener.setblocking(False)
epoll, answer = libc.epoll_create1(0), ctypes.create_string_buffer(256)
CALLS = [
    lambda: libc.futimens(fd, None),
    lambda: libc.utimensat(HERE, b"file", None, 0),
    lambda: libc.syscall(STATX, fd, None, EMPTY_PATH, 0x7ff, answer),
    lambda: libc.open(None, 0),
    lambda: libc.syscall(OPENAT2, HERE, b"file", None, 24),
    lambda: libc.rename(None, None),
    lambda: libc.stat(None, answer),
    lambda: libc.stat(b"file", None),
    lambda: libc.execve(None, None, None),
    lambda: libc.mount(None, None, None, 0, None),
    lambda: libc.readv(fd, None, 1),
    lambda: libc.sendfile(fd, fd, None, 0),
    lambda: libc.fcntl(fd, SETLK, None),
    lambda: libc.ioctl(fd, CLONERANGE, None),
    lambda: libc.accept(listener.fileno(), None, None),
    lambda: libc.connect(other.fileno(), None, 16),
    lambda: libc.bind(other.fileno(), None, 0),
    lambda: libc.setsockopt(other.fileno(), SET, REUSE, None, 4),
    lambda: libc.setsockopt(other.fileno(), SET, REUSE, None, 0),
    lambda: libc.getsockopt(other.fileno(), SET, REUSE, None, None),
    lambda: libc.epoll_ctl(epoll, 1, fd, None),
    lambda: libc.epoll_ctl(epoll, 2, fd, None),
]
print(os.getpid(), flush=True)
sys.stdin.readline()
for call in CALLS:
    for _ in range(int(sys.argv[1])):
        call()
"""
TURNS = 16
FIRST_PAGE = 4096


@contextlib.contextmanager
def tracefs(path):
    path.mkdir()
    subprocess.run(["mount", "-t", "tracefs", "none", path], check=True)
    instance = path / "instances" / f"iotrc-test-{os.getpid()}"
    try:
        instance.mkdir()
        try:
            yield instance
        finally:
            instance.rmdir()
    finally:
        subprocess.run(["umount", path], check=True)


def null_faults(instance, directory):
    """How often something in the kernel has read the first page while the calls were made."""
    directory.mkdir()
    enabled = instance / "events/exceptions/page_fault_kernel/enable"
    (instance / "trace").write_text("")
    with subprocess.Popen([sys.executable, "-c", CALLS, str(TURNS)], cwd=directory, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as program:
        (instance / "set_event_pid").write_text(program.stdout.readline())
        enabled.write_text("1")
        program.communicate("\n", timeout=recorder.START)
        enabled.write_text("0")
    assert program.returncode == 0
    lines = (instance / "trace").read_text()
    return sum(int(address, 16) < FIRST_PAGE for address in re.findall(r"page_fault_kernel: address=(\S+)", lines))


def test_null_pointers_are_not_read(tmp_path):
    with tracefs(tmp_path / "tracefs") as instance:
        alone = null_faults(instance, tmp_path / "alone")
        with recorder.Recording(tmp_path, "--scope", "all", *recorder.OWN_OR_ALL) as r:
            recorded = null_faults(instance, tmp_path / "recorded")
    assert alone >= TURNS # some of them the kernel has to read
    assert recorded == alone
    rows = r.rows("fs")
    names = rows[rows["operation"] == "setattr"]["filename"]
    assert (names == str(tmp_path / "recorded/file")).sum() == 2 * TURNS
