# SPDX-License-Identifier: GPL-2.0-or-later
"""Failed openat2() with RESOLVE_IN_ROOT or RESOLVE_BENEATH: no row names or identifies a file outside of the directory."""
import ctypes
import os
import re
import struct
import subprocess
import sys

import recorder

OPENAT2 = 437
IN_ROOT, BENEATH = 0x10, 0x08
EXCLUSIVE = os.O_RDWR | os.O_CREAT | os.O_EXCL


def open_confined(root, path, resolve, flags):
    """Returns the errno."""
    how = struct.pack("=QQQ", flags, 0o600 if flags & os.O_CREAT else 0, resolve)
    fd = os.open(root, os.O_PATH)
    result = ctypes.CDLL(None, use_errno=True).syscall(OPENAT2, fd, path.encode(), how, len(how))
    os.close(fd)
    return 0 if result >= 0 else ctypes.get_errno()


def test_failed_openat2_names_no_file_outside(tmp_path):
    """The host has files at the requested paths, and inotify shows that nobody opens them. The rows have the same paths
    below the root; strace shows the results."""
    host, root = tmp_path / "host", tmp_path / "root"
    below = f"{root}{host}" # where the host's directory is for RESOLVE_IN_ROOT
    host.mkdir()
    os.makedirs(below)
    for name in ("only", "both"):
        (host / name).write_text("the host's")
    with open(f"{below}/both", "w"):
        pass
    (root / "out").symlink_to(host)
    up = "../" * 20
    calls = [ # path, how, flags, the error, the name of the row, whether the file below the root is reached
        (f"{host}/only", IN_ROOT, os.O_RDONLY, "ENOENT", f"{below}/only", False),
        (f"{up}{host}/only", IN_ROOT, os.O_RDONLY, "ENOENT", f"{below}/only", False),
        (f"{host}/./x/../only", IN_ROOT, os.O_RDONLY, "ENOENT", f"{below}/only", False),
        ("out/only", IN_ROOT, os.O_RDONLY, "ENOENT", f"{root}/out/only", False),
        (f"{host}/both", IN_ROOT, EXCLUSIVE, "EEXIST", f"{below}/both", True),
        ("out/both", IN_ROOT, EXCLUSIVE, "EEXIST", f"{root}/out/both", True),
        (f"{host}/only", BENEATH, os.O_RDONLY, "EXDEV", f"{below}/only", False),
        (f"{host}/both", BENEATH, os.O_RDONLY, "EXDEV", f"{below}/both", False),
        (f"{up}{host}/both", BENEATH, os.O_RDONLY, "EXDEV", f"{below}/both", False),
        ("out/both", BENEATH, os.O_RDONLY, "EXDEV", f"{root}/out/both", False),
    ]
    program = f"import test_confined\nfor call in {[call[:3] for call in calls]!r}:\n" \
              f"    test_confined.open_confined({str(root)!r}, *call)\n"
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    assert libc.inotify_add_watch(watch, str(host).encode(), 0xFFF) >= 0 # IN_ALL_EVENTS
    with recorder.Recording(tmp_path, "--streams", "fs", *recorder.OWN) as r:
        subprocess.run(["strace", "-f", "-e", "trace=openat2", "-o", tmp_path / "log", sys.executable, "-c", program],
                       check=True, env={**os.environ, "PYTHONPATH": os.path.dirname(__file__)})
    try:
        assert not os.read(watch, 1 << 16), "somebody used the host's files"
    except BlockingIOError:
        pass
    os.close(watch)
    errors = re.findall(r"openat2\(.*\) += -1 (\w+)", (tmp_path / "log").read_text())
    assert errors == [call[3] for call in calls]
    rows = r.rows("fs")
    rows = rows[(rows["operation"] == "open") & rows["errno"].isin({"ENOENT", "EEXIST", "EXDEV"})
                & rows["filename"].str.startswith(f"{tmp_path}/")]
    inode = str(os.stat(f"{below}/both").st_ino)
    assert rows[["errno", "filename", "inode"]].values.tolist() == [
        [error, name, inode if reached else ""] for _, _, _, error, name, reached in calls]
