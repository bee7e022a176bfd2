# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/not-recorded.md names the calls that have no row: they have none, and no call is missing that it does not name.
The kernel says which calls there are, and which of them take a descriptor or the name of a file."""
import os
import pathlib
import re
import subprocess
import sys

import recorder

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "not-recorded.md"

# Each call once, on FILE or its descriptor. Whether it succeeds does not matter: failed calls have rows as well.
PROGRAM = """
import array, ctypes, fcntl, os, sys
libc = ctypes.CDLL(None)
name, at = sys.argv[1].encode(), ctypes.create_string_buffer(4096)
fd = os.open(name, os.O_RDWR)
at[0:4] = (128).to_bytes(4, "little") # struct file_handle.handle_bytes
libc.name_to_handle_at(-100, name, at, ctypes.byref(ctypes.c_int()), 0)
libc.statfs(name, at)
libc.fstatfs(fd, at)
libc.ioctl(fd, ctypes.c_ulong(0x80086601), at) # FS_IOC_GETFLAGS
libc.ioctl(fd, ctypes.c_ulong(0x801C581F), at) # FS_IOC_FSGETXATTR
watch = libc.inotify_init1(0)
libc.inotify_add_watch(watch, name, 0xFFF)
libc.fanotify_mark(-1, 1, ctypes.c_uint64(2), -100, name)
libc.quotactl(0x800001 << 8, name, 0, at)
libc.swapon(name, 0)
libc.swapoff(name)
libc.lseek(fd, 7, 1)
libc.dup(fd)
libc.fcntl(fd, 1) # F_GETFD
libc.mlock(at, 4096)
libc.mincore(ctypes.c_void_p(ctypes.addressof(at) & -4096), 4096, at)
os.close(fd)
"""
CALLS = {"name_to_handle_at", "statfs", "fstatfs", "inotify_add_watch", "fanotify_mark", "quotactl", "swapon", "swapoff",
         "lseek", "dup", "fcntl", "mlock", "mincore"}


def test_calls_without_a_row(tmp_path):
    """strace shows that the calls were made. The only rows about the file are those of its descriptor."""
    path = tmp_path / "file"
    path.write_text("x" * 4096)
    with recorder.Recording(tmp_path, "--streams", "fs", "--scope", "all", *recorder.OWN) as r:
        subprocess.run(["strace", "-f", "-e", "trace=" + ",".join(sorted(CALLS)) + ",ioctl", "-o", tmp_path / "log",
                        sys.executable, "-c", PROGRAM, path], check=True)
    log = (tmp_path / "log").read_text()
    assert CALLS - set(re.findall(r"\b(\w+)\(", log)) == set()
    assert "FS_IOC_GETFLAGS" in log and "FS_IOC_FSGETXATTR" in log
    rows = r.rows("fs")
    rows = rows[rows["filename"].str.startswith(str(path)) & (rows["operation"] != "process_exec")]
    assert rows["operation"].tolist() == ["open", "close"]
    named = set(re.findall(r"\w+", " ".join(line.split("|")[1] for line in PAGE.read_text().splitlines() if line[:3] == "| `")))
    assert CALLS | {"FS_IOC_GETFLAGS", "FS_IOC_FSGETXATTR"} <= named


# Parameters' names in the kernel: fd, dfd, fildes, ruleset_fd, pathname, filename, from_name, uname (of a memfd), ...
ABOUT_FILES = re.compile(r"field:[^;]*\b\w*(fd|fildes|path|name|file)\w*;")
NAMES_OF_THE_MACHINE = {"newuname", "uname", "olduname", "sethostname", "setdomainname"}
# The kernel's names of stat() and others, which have had earlier forms.
RENAMED = {"newstat": "stat", "newlstat": "lstat", "newfstat": "fstat", "sendfile64": "sendfile", "umount": "umount2"}


def test_each_call_of_the_kernel_is_named(tmp_path):
    """On this page, or on that of calls with rows, or of those about sockets."""
    listed = subprocess.run(
        ["unshare", "-m", "sh", "-ec", f"mount -t tracefs none {tmp_path}; cd {tmp_path}/events/syscalls; "
         "grep field: sys_enter_*/format"], check=True, capture_output=True, text=True).stdout
    calls = {line.split("/")[0].removeprefix("sys_enter_") for line in listed.splitlines() if ABOUT_FILES.search(line)}
    calls = {RENAMED.get(call, call) for call in calls - NAMES_OF_THE_MACHINE}
    assert {"openat", "stat", "memfd_create", "inotify_add_watch", "recvmsg"} <= calls
    pages = [PAGE, *(PAGE.with_name(name) for name in ("fs-operations.md", "network.md"))]
    assert calls - set(re.findall(r"\w+", " ".join(page.read_text() for page in pages))) == set()


def test_the_first_page_agrees():
    assert "docs/not-recorded.md" in (PAGE.parents[1] / "README.md").read_text().split("\n\n")[1]
