# SPDX-License-Identifier: GPL-2.0-or-later
"""Files without a path, and those on filesystems internal to the kernel: /proc/self/fd gives their names."""
import contextlib
import ctypes
import json
import os
import socket
import subprocess
import sys

import pytest

import recorder

KINDS = """
import ctypes, json, os, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
names = []

def eventfd(): return libc.eventfd(0, 0)
def timerfd(): return libc.timerfd_create(1, 0)
def epoll(): return libc.epoll_create1(0)
def inotify(): return libc.inotify_init1(0)
def fanotify(): return libc.fanotify_init(0, 0)
def signalfd(): return libc.signalfd(-1, ctypes.create_string_buffer(128), 0)
def userfaultfd(): return libc.syscall({"x86_64": 323, "aarch64": 282}[os.uname().machine], 1)
def memfd(): return libc.memfd_create(b"one", 0)
def memfd_other(): return libc.memfd_create(b"two", 0)
def pipe():
    ends = os.pipe()
    os.close(ends[1])
    return ends[0]
def unix(): return socket.socket(socket.AF_UNIX).detach()
def inet(): return socket.socket(socket.AF_INET).detach()
def pidfd(): return os.pidfd_open(os.getpid())
def ring(): return libc.syscall(425, 4, ctypes.create_string_buffer(120))
def pidfd_other(): return os.pidfd_open(os.getppid())
def namespace(kind): return lambda: os.open("/proc/self/ns/" + kind, os.O_RDONLY)

kinds = [eventfd, timerfd, epoll, inotify, fanotify, signalfd, userfaultfd, memfd, memfd_other, pipe, unix,
         inet, pidfd, pidfd_other, ring]
kinds += [namespace(kind) for kind in ("net", "uts", "mnt", "ipc", "pid", "user", "cgroup")]
for _ in range(3):
    for make in kinds:
        fd = make()
        if fd < 0: # this kernel has none
            continue
        names.append(os.readlink(f"/proc/self/fd/{fd}"))
        os.fstat(fd)
        os.close(fd)
print(os.getpid(), json.dumps(names))
"""


def test_files_without_a_path_are_called_as_proc_calls_them(tmp_path):
    with recorder.Recording(tmp_path, "--streams", "fs", "--scope", "all", "--ops", "getattr", *recorder.OWN_OR_ALL) as r:
        done = subprocess.run([sys.executable, "-c", KINDS], stdout=subprocess.PIPE, text=True, check=True)
    pid, wanted = done.stdout.split(maxsplit=1)
    wanted = json.loads(wanted)
    assert len(wanted) > 50
    rows = r.rows("fs")
    mine = rows.loc[rows["pid"] == pid, "filename"].tolist()[-len(wanted):]
    # /proc puts a slash before the name of a file on an internal mount, and marks it as unreachable.
    wanted = [name.removesuffix(" (deleted)").removeprefix("/") for name in wanted]
    assert mine == wanted


@contextlib.contextmanager
def mounted(kind, at):
    at.mkdir()
    subprocess.run(["mount", "-t", kind, "none", at], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", at], check=True)


# Filesystems that the kernel also mounts itself, with a readable file of each; binfmt_misc may be a module.
FILESYSTEMS = {
    "debugfs": "sleep_time", "tracefs": "trace_clock", "securityfs": "lsm", "mqueue": "iotrc-test",
    "devtmpfs": "null", "cgroup2": "cgroup.procs", "sysfs": "kernel/notes", "proc": "version",
    "binfmt_misc": "status", "hugetlbfs": "page", "bpf": "", "configfs": "",
}


def some_file(directory, wanted):
    """The file WANTED of a filesystem, or else any file there."""
    if wanted and (directory / wanted).exists():
        return directory / wanted
    for where, _, files in os.walk(directory):
        for name in files:
            with contextlib.suppress(OSError):
                os.close(os.open(os.path.join(where, name), os.O_RDONLY | os.O_NONBLOCK))
                return os.path.join(where, name)
    return directory


@pytest.mark.parametrize("kind", FILESYSTEMS)
def test_filesystems_that_the_kernel_mounts_itself_have_paths(tmp_path, kind):
    with open("/proc/filesystems") as f:
        if kind not in {line.split()[-1] for line in f}:
            return # this kernel lacks it
    top = tmp_path / kind
    if kind == "mqueue":
        queue = ctypes.CDLL("librt.so.1").mq_open(b"/iotrc-test", os.O_CREAT | os.O_RDWR, 0o600, None)
        os.close(queue)
    with mounted(kind, top):
        if kind == "hugetlbfs":
            os.close(os.open(top / "page", os.O_CREAT | os.O_RDWR, 0o600))
        path = some_file(top, FILESYSTEMS[kind])
        with recorder.Recording(tmp_path, "--streams", "fs", "--scope", "all", "--path", str(top)) as r:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            link = os.readlink(f"/proc/self/fd/{fd}")
            st = os.fstat(fd)
            os.close(fd)
    if kind == "mqueue":
        ctypes.CDLL("librt.so.1").mq_unlink(b"/iotrc-test")
    rows = r.rows("fs")
    rows = rows[(rows["pid"] == str(os.getpid())) & (rows["filename"] == str(path))]
    assert link == str(path)
    assert rows["operation"].tolist()[-3:] == ["open", "getattr", "close"]
    assert set(rows["inode"]) == {str(st.st_ino)} and set(rows["fs_type"]) == {kind}
