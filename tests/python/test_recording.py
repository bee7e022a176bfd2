# SPDX-License-Identifier: GPL-2.0-or-later
"""The loader with real recordings: inode numbers are those of stat(), and the command printed at the end of a recording
loads it."""
import os
import re
import shlex
import subprocess
import sys

import pandas as pd

import iotrc
import record

# An overlay over two filesystems; the kernel distinguishes their inode numbers by the upper bits (xino): beyond 2**62
# in the lower one, beyond 2**63 in the other.
OVERLAY = """
set -e
mount -t tmpfs none "$1"
cd "$1"
mkdir a b upper merged
for d in a b upper; do mount -t tmpfs -o inode64 none $d; done
mkdir upper/u upper/w
for i in 1 2 3 4 5; do echo a$i >a/a$i; echo b$i >b/b$i; done
mount -t overlay none -o xino=on,lowerdir=a:b,upperdir=upper/u,workdir=upper/w merged
cd merged
stat -c '%i' *
cat * >/dev/null
/usr/bin/python3 -c 'import ctypes, os
ctypes.CDLL(None).ftruncate(os.open("new", os.O_CREAT | os.O_RDWR), ctypes.c_long(-1))'
"""


def test_an_overlay_s_inodes_are_exact(tmp_path):
    place = tmp_path / "overlay"
    place.mkdir()
    with record.recording(tmp_path / "out", "--streams", "fs", "--path", place) as recorded:
        done = subprocess.run(["unshare", "-m", "sh", "-c", OVERLAY, "sh", place], capture_output=True, text=True,
                              check=False)
    assert done.returncode == 0, done.stderr
    session = recorded.session
    inodes = {int(line) for line in done.stdout.splitlines()}
    assert len(inodes) == 10 and min(inodes) > 2**53 and max(inodes) > 2**63

    fs = iotrc.load(session, "fs")
    reads = fs[(fs.operation == "read") & (fs.bytes_completed > 0) & fs.filename.str.contains("/merged/")]
    assert set(reads.inode) == inodes
    truncate, = fs[fs.operation == "truncate"].itertuples()
    assert truncate.size == -1 and truncate.errno == "EINVAL"
    # The types that an ordinary reader guesses: whole numbers, except for the inodes of such a filesystem.
    guessed = pd.concat(pd.read_csv(f.path) for f in iotrc.Session(session)._files("fs"))
    assert guessed["size"].dtype == "float64" and guessed["size"].min() == -1
    assert iotrc.Session(session).boot == open("/proc/sys/kernel/random/boot_id").read().strip()

    command = shlex.split(re.search(r"^  (python3 -c .*)$", recorded.said, re.M)[1])
    reported = subprocess.run([sys.executable, *command[1:]], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(record.TOP / "python")})
    assert f"[{len(fs)} rows x {len(fs.columns)} columns]" in reported.stdout
