# SPDX-License-Identifier: GPL-2.0-or-later
"""What is asked for is all that is written; the rest is counted as filtered."""
import os
import subprocess
import sys

import recorder

PROGRAM = """
import os, sys
os.mkdir("in"); os.mkdir("in.not")
for name in "in/a", "in.not/b", "c":
    fd = os.open(name, os.O_RDWR | os.O_CREAT)
    for i in range(13):
        os.write(fd, b"x" * 7)
    os.pread(fd, 5, 0)
    os.close(fd)
os.rename("in/a", "in.not/a")
os.rename("c", "in/c")
r, w = os.pipe()
os.write(w, b"12345")
os.read(r, 5)
try:
    os.close(999)
except OSError:
    pass
open("/proc/self/stat").read()
open("/dev/zero", "rb", buffering=0).read(11)
"""


def run(directory):
    """Runs the program in DIRECTORY; returns its pid."""
    os.makedirs(directory)
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=directory)
    assert process.wait() == 0
    return str(process.pid)


def record(tmp_path, *args):
    with recorder.Recording(tmp_path, *args) as r:
        pid = run(tmp_path / "work")
    rows = r.rows("fs")
    assert r.session.lost() == {}
    return r, rows, rows[rows["pid"] == pid], pid


def names(rows):
    return rows["filename"].tolist()


def test_default_scope(tmp_path):
    r, rows, mine, _ = record(tmp_path)
    assert len(mine[mine["operation"] == "write"]) == 3 * 13
    assert not mine["filename"].str.startswith(("/proc/", "/dev/", "pipe:")).any()
    assert r.session.counts("fs")["filtered"] > 0
    # Whatever else ran: none of the kernel's own filesystems, except where one is mounted.
    pseudo = {"proc", "sysfs", "devpts", "debugfs", "tracefs", "bpf", "sockfs", "pipefs", "cgroup2"}
    assert not pseudo & set(rows["fs_type"][rows["operation"] != "mount"])


def test_scope_all(tmp_path):
    _, _, mine, _ = record(tmp_path, "--scope", "all", "--streams", "fs")
    writes = mine[(mine["operation"] == "write") & (mine["size"] == "5")]
    assert len(writes) == 1 and writes.iloc[0]["filename"].startswith("pipe:")
    assert mine["filename"].str.fullmatch(r"/proc/(self|\d+)/stat").any()
    assert "/dev/zero" in names(mine)
    assert len(mine[(mine["operation"] == "write") & (mine["size"] == "7")]) == 3 * 13


def test_ops(tmp_path):
    _, rows, mine, _ = record(tmp_path, "--ops", "write,rename")
    assert set(rows["operation"]) == {"write", "rename"}
    assert len(mine[mine["operation"] == "write"]) == 3 * 13
    assert len(mine[mine["operation"] == "rename"]) == 2


def test_path(tmp_path):
    prefix = str(tmp_path / "work" / "in")
    r, rows, mine, pid = record(tmp_path, "--path", prefix)
    assert set(rows["pid"]) == {pid}
    for name in names(rows):
        assert any(p == prefix or p.startswith(prefix + "/") for p in name.split(" -> ")), name
    assert len(mine[mine["operation"] == "write"]) == 13
    # A rename out of it or into it is at it.
    assert len(mine[mine["operation"] == "rename"]) == 2
    assert r.session.counts("fs")["filtered"] > 0


def test_pid(tmp_path):
    shell = subprocess.Popen(
        ["sh", "-c", "read line; exec cat /etc/passwd /etc/group >/dev/null"], stdin=subprocess.PIPE
    )
    with recorder.Recording(tmp_path, "--pid", str(shell.pid)) as r:
        other = run(tmp_path / "work")
        shell.communicate(b"\n")
    rows = r.rows("fs")
    assert set(rows["pid"]) == {str(shell.pid)}
    assert "/etc/passwd" in names(rows) and "/etc/group" in names(rows)
    assert other not in set(rows["pid"])


def test_command(tmp_path):
    program = recorder.workload("mapping")
    with recorder.Recording(tmp_path, "--command", "mapping,nothing-else") as r:
        run(tmp_path / "work")
        (tmp_path / "there").mkdir()
        subprocess.run([program], cwd=tmp_path / "there", check=True)
    rows = r.rows("fs")
    assert set(rows["command"]) == {"mapping"}
    assert str(tmp_path / "there" / "file") in names(rows)


def test_streams(tmp_path):
    with recorder.Recording(tmp_path, "--streams", "nw_conn") as r:
        run(tmp_path / "work")
        subprocess.run(
            [recorder.workload("conn")], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL
        )
    # close() serves both streams: a failing one, of no file, must not slip into the other.
    assert {f["stream"] for f in r.session.files()} == {"nw_conn"}
    enabled = {k for k, s in r.manifest["streams"].items() if s["enabled"]}
    assert enabled == {"nw_conn", "lost"}


def test_no_network(tmp_path):
    with recorder.Recording(tmp_path, "--no-network") as r:
        subprocess.run(
            [recorder.workload("conn")], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL
        )
    assert not r.manifest["streams"]["nw_conn"]["enabled"]
    assert not r.session.files("nw_conn")


def test_open_before_the_recording(tmp_path):
    """A file that was open already has its path, and so has a directory's child under it."""
    (tmp_path / "early").mkdir()
    directory = os.open(tmp_path / "early", os.O_RDONLY)
    fd = os.open(tmp_path / "early" / "file", os.O_RDWR | os.O_CREAT)
    os.write(fd, b"x" * 101)
    with recorder.Recording(tmp_path, "--pid", str(os.getpid())) as r:
        os.write(fd, b"y" * 103)
        os.close(os.open("below", os.O_RDWR | os.O_CREAT, dir_fd=directory))
        os.close(fd)
    os.close(directory)
    rows = r.rows("fs")
    write = rows[(rows["operation"] == "write") & (rows["size"] == "103")].iloc[0]
    assert (write["filename"], write["offset"]) == (str(tmp_path / "early" / "file"), "101")
    assert str(tmp_path / "early" / "below") in names(rows[rows["operation"] == "open"])
