# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets that end without close(): each descriptor has one CLOSE row, at its end. A program knows when that was."""
import collections
import json
import os
import subprocess
import sys

import pytest

import recorder

ENDS = """
import ctypes, errno, fcntl, json, os, resource, signal, socket, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
CLOSE_RANGE, DUP3 = 436, {"x86_64": 292, "aarch64": 24}[os.uname().machine]
EXECVEAT = {"x86_64": 322, "aarch64": 281}[os.uname().machine]
CLOSE_RANGE_UNSHARE, CLOSE_RANGE_CLOEXEC = 2, 4
CLONE_FILES = 0x400
ended = [] # (pid, fd, local port)

def pair(inheritable=False):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    s.set_inheritable(inheritable)
    return s.detach()

def port(fd):
    s = socket.socket(fileno=fd)
    number = s.getsockname()[1]
    s.detach()
    return number

def ends(*fds, pid=None):
    ended.extend((pid or os.getpid(), fd, port(fd)) for fd in fds)

def child(work):
    pid = os.fork()
    if not pid:
        try:
            work()
        finally:
            os._exit(0)
    return pid

def wait(pid):
    os.waitpid(pid, 0)

# close(): the measure.
a = pair(); ends(a); os.close(a)

# close_range: of three the middle is no socket; and what it doesn't close.
a = pair(); null = os.open("/dev/null", os.O_RDONLY); b = pair()
assert libc.syscall(CLOSE_RANGE, b, a, 0) == -1 and libc.syscall(CLOSE_RANGE, a, b, 64) == -1
libc.syscall(CLOSE_RANGE, a, b, CLOSE_RANGE_CLOEXEC)
ends(a, b)
assert libc.syscall(CLOSE_RANGE, a, b, 0) == 0
a = pair(); b = pair(); ends(a, b)
assert libc.syscall(CLOSE_RANGE, a, b, CLOSE_RANGE_UNSHARE) == 0

# dup2, dup3: onto a socket, onto itself, refused, of what isn't open.
a = pair(); null = os.open("/dev/null", os.O_RDONLY)
os.dup2(a, a)
assert libc.dup2(-1, a) == -1 and libc.syscall(DUP3, a, a, 0) == -1
ends(a); os.dup2(null, a); os.close(a)
a = pair(); ends(a); libc.syscall(DUP3, null, a, os.O_CLOEXEC); os.close(a)
a = pair(); b = os.dup(a); ends(b); os.dup2(null, b); ends(a); os.close(a)

# execveat() with AT_EXECVE_CHECK executes nothing, and kernels before 6.14 refuse it.
a = pair()
libc.syscall(EXECVEAT, -100, b"/bin/true", None, None, 0x10000)
ends(a); os.close(a)

# exec: those that are close-on-exec, when it succeeds; the others with the process.
a, b = pair(), pair(inheritable=True)
def work():
    try:
        os.execv("/nonexistent", ["x"])
    except FileNotFoundError:
        pass
    os.execv("/bin/true", ["true"])
pid = child(work)
ends(a, b, pid=pid)
wait(pid)
ends(a, b); os.close(a); os.close(b)

# exit, and death by a signal; more than one word of the table.
resource.setrlimit(resource.RLIMIT_NOFILE, (2048, 2048))
many = [pair() for _ in range(300)]
high = fcntl.fcntl(many[0], fcntl.F_DUPFD, 1500)
pid = child(lambda: os._exit(3)); ends(*many, high, pid=pid); wait(pid)
pid = child(lambda: os.kill(os.getpid(), signal.SIGKILL)); ends(*many, high, pid=pid); wait(pid)
for fd in [*many, high]:
    ends(fd); os.close(fd)

# More in one call than the kernel's allocator for maps has at hand.
many = [pair() for _ in range(700)]
ends(*many)
assert libc.syscall(CLOSE_RANGE, min(many), max(many), 0) == 0

# Passed to another process: each of the two has a descriptor of its own, the receiver's with its exit. One that nobody
# receives has none.
left, right = socket.socketpair()
def receive():
    _, fds, _, _ = socket.recv_fds(right, 1, 1)
    os.write(right.fileno(), bytes(str(fds[0]), "ascii"))
    right.recv(1)
pid = child(receive)
a = pair()
socket.send_fds(left, [b"x"], [a])
ends(a); os.close(a)
there = int(left.recv(16))
ended.append((pid, there, ended[-1][2]))
left.send(b"x")
wait(pid)
a = pair(); socket.send_fds(left, [b"x"], [a]); ends(a); os.close(a)

# A thread ends with nothing; its process with all, once.
a = pair()
def threads():
    all_there = threading.Barrier(9)
    def run():
        all_there.wait()
        libc.syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)
    for _ in range(8):
        threading.Thread(target=run, daemon=True).start()
    all_there.wait()
    libc.syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)
for _ in range(20):
    pid = child(threads); ends(a, pid=pid); wait(pid)
ends(a); os.close(a)

print(os.getpid(), json.dumps(ended))
os._exit(0)
"""


@pytest.mark.parametrize("options", [["--streams", "nw_conn"], ["--streams", "nw_conn,fs"],
                                     ["--streams", "nw_conn,fs", "--ops", "read"]])
def test_each_descriptor_ends_once(tmp_path, options):
    with recorder.Recording(tmp_path, *options, *recorder.OWN_OR_ALL) as r:
        done = subprocess.run([sys.executable, "-c", ENDS], stdout=subprocess.PIPE, text=True, timeout=120)
        assert done.returncode == 0
    _, wanted = done.stdout.split(maxsplit=1)
    wanted = collections.Counter((str(pid), str(fd), str(port)) for pid, fd, port in json.loads(wanted))
    rows = r.rows("nw_conn")
    rows = rows[(rows["event_type"] == "CLOSE") & rows["pid"].isin({pid for pid, _, _ in wanted})]
    # No other socket of this family is in a process of the program's.
    rows = rows[rows["domain"] == "AF_INET"]
    mine = collections.Counter(zip(rows["pid"], rows["fd"], rows["sport"]))
    assert mine == wanted
    assert set(rows["return_value"]) == {"0"} and set(rows["local_addr"]) == {"127.0.0.1"}
    assert r.session.lost() == {}


def test_rows_of_files_are_as_before(tmp_path):
    """close_range, exec and exit also have rows in fs; dup2 has none."""
    script = "import os; os.dup2(0, 9); os.closerange(40, 50); os.execv('/bin/true', ['true'])"
    with recorder.Recording(tmp_path, "--streams", "nw_conn,fs", *recorder.OWN_OR_ALL) as r:
        process = subprocess.Popen([sys.executable, "-c", script])
        assert process.wait() == 0
    rows = r.rows("fs")
    rows = rows[rows["pid"] == str(process.pid)]
    ops = rows["operation"].value_counts()
    assert ops["process_exec"] == 2 and ops["process_exit"] == 1
    assert os.path.realpath("/bin/true") in set(rows.loc[rows["operation"] == "process_exec", "filename"])
