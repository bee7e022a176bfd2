# SPDX-License-Identifier: GPL-2.0-or-later
"""Names longer than the 255 bytes of most filesystems (FUSE: 4,095; vfat in UTF-8: 765), and trees of FIFOs, links and
devices in the place of a dataset, given to each program that walks directories. The tree's maker knows what is right.
"""
import contextlib
import os
import pathlib
import shutil
import subprocess
import time

import pytest
import recorder
from treefs import NAME_MAX, TreeFS, of

pytestmark = pytest.mark.calm

SECONDS = 120  # for hangs
LENGTHS = sorted({255, 256, 511, 900, 1023, 1024, NAME_MAX - 1, NAME_MAX})


@pytest.fixture(scope="module")
def recorded(module_path):
    """A session, recorded once: its directory."""
    directory = pathlib.Path(module_path)
    with recorder.Recording(
        directory, "--streams", "fs", "--path", module_path, *recorder.OWN, "-d", "1s", ends=True, output=directory / "out",
    ) as r:
        for i in range(30):
            (directory / f"file{i}").write_text("x" * i)
    return r.session_directory


def iotrc(*args):
    done = subprocess.run([recorder.IOTRC, *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=SECONDS)
    text = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode in (0, 1, 3), (done.returncode, text)
    assert all(c.isprintable() or c == "\n" for c in text), repr(text)
    return done.returncode, text


def nest(names, innermost):
    tree = innermost
    for name in reversed(names):
        tree = {name: tree}
    return tree


@pytest.mark.parametrize("length", LENGTHS)
def test_verify_walks_through_long_names(tmp_path, recorded, length):
    """The session is found below them, however long the path, and is sound."""
    with TreeFS(tmp_path / "fs", nest([b"A" * length, b"B" * length, b"C" * length], {
        os.fsencode(recorded.name): of(recorded)})):
        code, said = iotrc("verify", tmp_path / "fs")
        assert code == 0 and said.endswith(" rows: sound\n") and said.count("\n") == 1, said[-300:]
        assert f"/{'A' * length}/{'B' * length}/{'C' * length}/{recorded.name}: " in said


@pytest.mark.parametrize("length", LENGTHS)
def test_verify_sees_long_names_in_a_session(tmp_path, recorded, length):
    """A trace file that the manifest doesn't list is a fault, however long its name."""
    tree = of(recorded)
    for where in tree, tree[b"fs"]:
        where[b"x" * (length - 8) + b".csv.zst"] = b"x"
        where[b"x" * (length - 5) + b".part"] = b"x"
    with TreeFS(tmp_path / "fs", {os.fsencode(recorded.name): tree}):
        code, said = iotrc("verify", tmp_path / "fs")
    assert code == 1, said
    assert said.count(": not in the manifest\n") == 2 and said.count(": not finished, but the session is\n") == 2, said


@pytest.mark.parametrize("length", LENGTHS)
def test_verify_sees_long_names_without_a_session(tmp_path, length):
    with TreeFS(tmp_path / "fs", nest([b"A" * length], {b"x" * (length - 8) + b".csv.zst": b"x"})):
        code, said = iotrc("verify", tmp_path / "fs")
    assert code == 1 and said.endswith("x.csv.zst: no manifest.json above it\n"), said[-300:]


@pytest.mark.parametrize("length", LENGTHS)
def test_commands_walk_through_long_names(tmp_path, recorded, length):
    words = tmp_path / "words"
    words.write_text("a-word-that-is-nowhere\n")
    with TreeFS(tmp_path / "fs", nest([b"A" * length, b"B" * length], {
        os.fsencode(recorded.name): of(recorded), b"C" * length: ("p", b"")})):
        assert iotrc("recover", tmp_path / "fs") == (0, "")
        code, said = iotrc("verify", "--anonymous", tmp_path / "fs", "--against", words)
        assert code == 1 and said, said[-300:]
        code, said = iotrc("upload", tmp_path / "fs", "--upload", f"file://{tmp_path}")
        assert code in (1, 3) and said, said[-300:]


@pytest.fixture(scope="module")
def opened(module_path):
    """{length: (where its filesystem was, its names)}, and rows of opening, reading and closing each."""
    wanted = {length: (pathlib.Path(module_path) / f"names{length}", [bytes([c]) * length for c in b"AB"]) for length in LENGTHS}
    with contextlib.ExitStack() as mounted:
        for point, names in wanted.values():
            mounted.enter_context(TreeFS(point, {name: b"x" for name in names}))
        with recorder.Recording(module_path, "--streams", "fs", *recorder.OWN) as r:
            for point, names in wanted.values():
                fd = os.open(point, os.O_RDONLY)
                for name in names:
                    file = os.open(name, os.O_RDONLY, dir_fd=fd)
                    os.read(file, 10)
                    os.close(file)
                os.close(fd)
    return wanted, r.rows("fs")


@pytest.mark.parametrize("length", LENGTHS)
def test_rows_have_the_whole_name(opened, length):
    """The program that opens them knows the names. A path longer than any system call accepts keeps its tail."""
    wanted, rows = opened
    point, names = wanted[length]
    for operation in "open", "read", "close":
        seen = {recorder.unescape(f) for f in rows[rows["operation"] == operation]["filename"]}
        for name in names:
            path = os.fsencode(point) + b"/" + name
            assert path in seen or len(path) >= 4096 and b"/" + name in seen, (operation, length)


def wait_for_snapshot(r):
    end = time.monotonic() + recorder.START
    while not any(s["complete"] for s in recorder.Session(r.session_directory).manifest.get("snapshots", ())
                  if s["stream"] == "filesystem_snapshot"):
        assert time.monotonic() < end, r.errors()
        time.sleep(0.2)


def test_snapshot_of_long_names(tmp_path):
    """Each path has a row, including those too long for a system call."""
    tree = {name: {b"f" * n: b"x" * n, b"d" * n: nest([b"e" * n] * 3, {b"g": ("l", b"nowhere")}), b"p": ("p", b"")}
            for n in LENGTHS for name in [b"%d-" % n + b"A" * (n - len(b"%d-" % n))]}
    point = tmp_path / "fs"
    with TreeFS(point, tree) as fs:
        with recorder.Recording(
            tmp_path, "--streams", "fs", "--path", str(point), "--state", str(tmp_path / "state"), "--fs-interval",
            "1h", "--fs-full", "--fs-busy", "100", *recorder.OWN, snapshots=True,
        ) as r:
            wait_for_snapshot(r)
        base = os.fsencode(point)
        expected = {base: "d"} | {base + b"/" + path: kind for path, kind in fs.paths().items()}
    kinds = {"S_IFDIR": "d", "S_IFREG": "-", "S_IFLNK": "l", "S_IFIFO": "p"}
    seen = {recorder.unescape(row["file_path"]): kinds[row["flags"].split("|")[0]]
            for row in r.rows("filesystem_snapshot").to_dict("records")}
    assert seen == expected


# ---- trees that are not datasets ----


def spoil(session, how):
    """A copy of a sound session, in which HOW has put something else in the place of a file."""
    (trace,) = [p for p in (session / "fs").iterdir()]
    for path in session / "manifest.json", trace, session / "system_spec", session / "nw_conn":
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        how(path)
        yield path
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


MAKERS = {
    "a FIFO": os.mkfifo,
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to /dev/zero": lambda path: path.symlink_to("/dev/zero"),
    "a link out": lambda path: path.symlink_to("/etc"),
    "a device": lambda path: os.mknod(path, 0o20644, os.makedev(1, 5)),
    "a device of blocks": lambda path: os.mknod(path, 0o60644, os.makedev(7, 200)),
    "a terminal": lambda path: os.mknod(path, 0o20644, os.makedev(5, 0)),
    "a directory": pathlib.Path.mkdir,
    "a socket": lambda path: os.mknod(path, 0o140644),
}


@pytest.mark.parametrize("maker", MAKERS)
def test_hostile_tree(tmp_path, recorded, maker):
    """Each command ends, and verify finds a fault where the sound file was."""
    sound = recorded / "manifest.json"
    for i in range(4):
        output = tmp_path / f"out{i}"
        session = output / "linux_v1" / "0123456789ABCDEF" / recorded.name
        shutil.copytree(recorded, session)
        for k, path in enumerate(spoil(session, MAKERS[maker])):
            if k != i:
                continue
            for command in ("verify", output), ("recover", output), ("verify", output), (
                    "verify", "--anonymous", output, "--against", sound), (
                    "upload", output, "--upload", f"file://{tmp_path}"):
                code, said = iotrc(*command)
                assert code or path.name in ("system_spec", "nw_conn") or command[0] == "recover", (command, said)
                assert len(said) < 20000
            break


def test_hostile_tree_in_depth(tmp_path, recorded):
    """Everything at once, at every level of a dataset, long names included."""
    odd = {b"%c" % (97 + i) + b"o" * 800: what for i, what in enumerate(
        [("p", b""), ("c", b""), ("b", b""), ("s", b""), ("l", b"."), ("l", b"/dev/zero"), ("l", b"x" * 4000), b"x", {}])}
    odd |= {b"manifest.json.part": ("p", b""), b"x.csv.zst": ("c", b""), b"\xff\x1b]0;x\x07\xe2\x80\xae.part": ("p", b""),
            b"20260131_120000_000": {b"manifest.json": ("p", b"")}, b"20260131_120000_001": ("l", b"20260131_120000_000")}
    session = of(recorded) | odd
    session[b"fs"] |= odd
    with TreeFS(tmp_path / "fs", odd | {b"linux_v1": odd | {b"0123456789ABCDEF": odd | {
        os.fsencode(recorded.name): session}}}):
        code, said = iotrc("verify", tmp_path / "fs")
        assert code == 1 and said.count("\n") < 200, said[-1000:]
        iotrc("recover", tmp_path / "fs")
        code, said = iotrc("verify", "--anonymous", tmp_path / "fs", "--against", recorded / "manifest.json")
        assert code == 1
        iotrc("upload", tmp_path / "fs", "--upload", f"file://{tmp_path}")
