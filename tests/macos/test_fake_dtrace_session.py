# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything behind the engine is the same with DTrace's records: the layout, rotation, upload, anonymisation, verify,
recover; with a dtrace that plays what a test writes."""
import json
import pathlib
import re
import shutil
import signal
import subprocess
import time

import lines
import pytest
import zstandard
from test_fake_dtrace import BEGIN, IOTRC, Run, after

pytestmark = pytest.mark.calm
N, AT_ONCE = 397, 100
SECRET = b"zorba"


def opened(numbers):
    return [["line", lines.line("open", f"\x01{i};", 0, 0, 0, 0, ret=3, texts=[b"/home/%s/file-%d" % (SECRET, i)])] for i in numbers]


def opens():
    """N files, some at once: the engine reads them together."""
    steps = [BEGIN]
    for first in range(0, N, AT_ONCE):
        steps += [*opened(range(first, min(first + AT_ONCE, N))), ["beat"], ["sleep", 0.5]]
    return [*steps, ["wait"]]


def iotrc(*args):
    return subprocess.run([IOTRC, *map(str, args)], capture_output=True, text=True, timeout=120, check=False)


def names(run):
    return [row["filename"] for row in run.rows()]


def all_written(run):
    """Whether all rows are on the disk, as far as they are of finished blocks."""
    data = b"".join(subprocess.run(["zstd", "-dcf", path], capture_output=True, check=False).stdout
                    for path in run.out.glob("*/*/*/fs/*.csv.zst*"))
    return data.count(b"\n") >= N + len(list(run.out.glob("*/*/*/fs/*")))


def test_layout_rotation_and_verify(tmp_path):
    """mac_v1/MACHINE/STAMP/fs/*: as many files as the rows fill, each named and counted; a changed byte is found."""
    run = Run(tmp_path, all_written, options=["--trace-bucket", "mac_v1", "--rotate-rows", AT_ONCE], vfs=[opens()])
    assert run.code == 0, run.said
    machine = iotrc("--computer-id").stdout.strip()
    assert re.fullmatch(r"[0-9A-F]{16}", machine)
    assert run.session.relative_to(run.out).parts[:2] == ("mac_v1", machine)
    assert re.fullmatch(r"\d{8}_\d{6}_\d{3}", run.session.name)
    files = sorted(run.session.glob("fs/*"))
    assert [re.fullmatch(r"fs_\d{8}_\d{6}_\d{3}_(\d{4})\.csv\.zst", f.name)[1] for f in files] == [
        f"{i + 1:04}" for i in range(len(files))] and len(files) > 1
    assert names(run) == [f"/home/zorba/file-{i}" for i in range(N)]
    manifest = run.manifest()
    assert manifest["session_id"] == f"mac_v1/{machine}/{run.session.name}"
    assert manifest["tracer"]["command_line"].split(" ") == list(map(str, run.argv))
    counted = {f["path"]: f["rows"] for f in manifest["files"] if f["stream"] == "fs"}
    assert set(counted) == {f"fs/{f.name}" for f in files} and sum(counted.values()) == N
    assert all(counted[f"fs/{f.name}"] >= AT_ONCE for f in files[:-1])
    assert iotrc("verify", run.out).returncode == 0
    data = bytearray(files[0].read_bytes())
    data[len(data) // 2] ^= 1
    files[0].write_bytes(data)
    done = iotrc("verify", run.out)
    assert done.returncode == 1 and files[0].name in done.stdout + done.stderr


def test_files_are_uploaded(tmp_path):
    """During the recording and at its end; the copy at the target is a whole session."""
    there = tmp_path / "there"
    there.mkdir()
    run = Run(tmp_path, all_written, options=["--trace-bucket", "mac_v1", "--rotate-rows", AT_ONCE, "--upload", f"file://{there}"],
              vfs=[opens()])
    assert run.code == 0, run.said
    copy = there / run.session.relative_to(run.out)
    sent = {f.relative_to(copy): f.read_bytes() for f in copy.glob("fs/*")}
    assert sent == {f.relative_to(run.session): f.read_bytes() for f in run.session.glob("fs/*")} and len(sent) > 1
    shutil.rmtree(run.out)
    done = iotrc("verify", there)
    assert done.returncode == 0, done.stdout + done.stderr


def test_names_are_replaced(tmp_path):
    run = Run(tmp_path, all_written, options=["--anonymize", "--state", tmp_path / "state"], vfs=[opens()])
    assert run.code == 0, run.said
    rows = run.rows()
    assert len(rows) == N and len({row["filename"] for row in rows}) == N
    for path in filter(pathlib.Path.is_file, run.session.rglob("*")):
        data = path.read_bytes()
        data = zstandard.ZstdDecompressor().decompressobj().decompress(data) if path.suffix == ".zst" else data
        assert SECRET not in data and b"file-" not in data, path
    (tmp_path / "names").write_text("zorba\n")
    done = iotrc("verify", "--anonymous", run.session, "--against", tmp_path / "names")
    assert done.returncode == 0, done.stdout
    assert run.manifest()["session"]["anonymized"]


def test_a_killed_recorder_is_recovered_from(tmp_path):
    """All rows on the disk are there, and the dtrace of the killed one has ended."""
    many = 3 * AT_ONCE # a whole file; then others, too few for one
    steps = [BEGIN, *opened(range(many)), ["exists", f"{tmp_path}/out/*/*/*/fs/*.zst"], *opened(range(many, N)), ["wait"]]
    run = Run(tmp_path, all_written, options=["--rotate-rows", many], end=signal.SIGKILL, vfs=[steps])
    assert run.code == -signal.SIGKILL and list(run.session.glob("fs/*.part")) and list(run.session.glob("fs/*.zst"))
    done = iotrc("recover", run.out)
    assert done.returncode == 0, done.stdout + done.stderr
    assert run.manifest()["session"]["state"] == "recovered" and not list(run.session.glob("fs/*.part"))
    assert names(run) == [f"/home/zorba/file-{i}" for i in range(N)]
    assert iotrc("verify", run.out).returncode == 0
    deadline = time.monotonic() + 30
    while str(run.plan) in programs():
        assert time.monotonic() < deadline, "its dtrace goes on"
        time.sleep(0.1)


def programs():
    """The environments of all fake dtraces."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if b"fake_dtrace" in (path / "cmdline").read_bytes():
                found += [word.decode() for word in (path / "environ").read_bytes().split(b"\0")]
        except OSError: # it has ended
            continue
    return [word.removeprefix("FAKE_DTRACE=") for word in found]


def test_the_manifest_has_each_dtrace(tmp_path):
    """The counts of all streams, and that each dtrace recorded."""
    run = Run(tmp_path, after(1), "fs,block,nw_conn", vfs=[[BEGIN, ["line", lines.line("mkdir", "\x010;", 0, 0o755, 0, 0, texts=[b"/here"])], ["wait"]]])
    manifest = json.loads((run.session / "manifest.json").read_text())
    hooks = {h["name"]: h["attached"] for h in manifest["diagnostics"]["hooks"]}
    assert hooks == {"vfs.d": True, "io.d": True, "network.d": True}
    assert manifest["session"]["state"] == "complete" and run.counts()["written"] == 1
