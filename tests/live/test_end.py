# SPDX-License-Identifier: GPL-2.0-or-later
"""How a recording ends: losses at the very end are reported where all others are, and a session whose recorder or disk
is gone is not called sound. A writer that numbers its operations (numbered.c) knows what was lost."""
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import time

import pytest

import recorder
from disks import SETTLE, Numbered, now, numbers, record


class Unchecked:
    """A session whose counts cannot be checked."""

    def check_identity(self):
        pass


def verify(directory):
    done = recorder.run("verify", str(directory))
    return done.returncode, done.stdout + done.stderr


def reported(session, stream, cause):
    """The number of rows that the lost stream reports."""
    rows = session.rows("lost")
    rows = rows[(rows["stream"] == stream) & (rows["cause"] == cause)]
    return int(rows["count"].astype(int).sum())


def check_reported(r):
    """The manifest, the lost stream and verify agree, and something was lost."""
    r.session.check_identity()
    for stream, counts in r.manifest["diagnostics"]["streams"].items():
        for cause, n in counts["lost"].items():
            assert stream == "lost" or reported(r.session, stream, cause) == n, (stream, cause)
    assert r.session.counts("fs")["lost"]["disk"] > 0
    code, text = verify(r.session.directory)
    assert code == 0 and "sound" in text, text


def written(r, stream="fs"):
    return sum(p.stat().st_size for p in r.session_directory.glob(f"{stream}/*"))


def limit_files(r, size):
    """From now on no file of the recorder can grow past SIZE: EFBIG."""
    resource.prlimit(r.process.pid, resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("wait", [0, 0.3, 1.3])
def test_rows_that_the_last_write_loses(tmp_path, wait):
    """At any time between the failure and the end: the reader reports losses once a second."""
    numbered = Numbered(tmp_path)
    with numbered, record(tmp_path, numbered, tmp_path / "traces", code=3) as r:
        while written(r) < 60_000:
            time.sleep(0.05)
        # The file can be finished, and the manifest is smaller.
        limit_files(r, written(r) + 500)
        so_far = len(numbered.done())
        recorder.wait_for(lambda: len(numbered.done()) > so_far + 1000, "more rows than still fit")
        time.sleep(wait)
        r.stop()
    check_reported(r)


def test_rows_that_go_with_a_file(tmp_path):
    """If a file is removed before it gets its final name, its rows are lost. This is noticed last of all."""
    numbered = Numbered(tmp_path)
    with numbered, record(tmp_path, numbered, tmp_path / "traces", code=3) as r:
        time.sleep(SETTLE)
        for part in r.session_directory.glob("fs/*.part"):
            part.unlink()
        r.stop()
    check_reported(r)


def test_a_file_that_gets_no_end(tmp_path):
    """A directory is in its place: the rows are in the .part, and `recover` completes it."""
    numbered = Numbered(tmp_path)
    with numbered, record(tmp_path, numbered, tmp_path / "traces", code=3) as r:
        time.sleep(SETTLE)
        begun = now()
        time.sleep(SETTLE)
        ended = now()
        for part in r.session_directory.glob("fs/*.part"):
            part.with_suffix("").mkdir()
        r.send(signal.SIGINT)
        r.finish()
        r.session = Unchecked()
    assert "1 files could not be finished" in r.stderr and "iotrc recover" in r.stderr, r.stderr
    code, text = verify(r.session_directory)
    assert code == 1 and "its recorder has ended: run iotrc recover" in text, text
    for directory in r.session_directory.glob("fs/*.csv.zst"):
        directory.rmdir()
    assert recorder.run("recover", str(r.session_directory)).returncode == 0
    assert verify(r.session_directory)[0] == 0
    have = set(numbers(recorder.Session(r.session_directory)))
    done = [i for i, t in enumerate(numbered.done()) if begun < t < ended]
    assert len(done) > 1000 and have.issuperset(done[1:])


def test_a_dead_recorders_session_is_not_sound(tmp_path):
    numbered = Numbered(tmp_path)
    with numbered, record(tmp_path, numbered, tmp_path / "traces") as r:
        time.sleep(SETTLE)
        code, text = verify(r.session_directory)
        assert code == 0 and "sound so far; the session is not finished" in text, text
        # Looking at it does not disturb the recorder.
        for _ in range(5):
            assert verify(r.session_directory)[0] == 0
        r.kill()
        code, text = verify(r.session_directory)
        assert code == 1 and "its recorder has ended: run iotrc recover" in text and "sound" not in text, text
        r.session, r.more = Unchecked(), ""
        done = recorder.run("recover", str(r.session_directory))
        assert done.returncode == 0, done.stdout + done.stderr
        code, text = verify(r.session_directory)
        assert code == 0 and "sound" in text, text


def test_a_copy_of_a_running_session_says_what_it_is(tmp_path):
    """No process has the copy open."""
    numbered = Numbered(tmp_path)
    with numbered, record(tmp_path, numbered, tmp_path / "traces") as r:
        time.sleep(SETTLE)
        shutil.copytree(r.session_directory, tmp_path / "copy")
    code, text = verify(tmp_path / "copy")
    assert code == 1 and "its recorder has ended" in text, text


@pytest.fixture
def disk(tmp_path):
    point = tmp_path / "disk"
    point.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", point], check=True)
    yield point
    subprocess.run(["umount", "-l", point], check=False, capture_output=True)


@pytest.mark.parametrize("mounted_over", [False, True])
def test_a_disk_that_is_unmounted_lazily(tmp_path, disk, mounted_over):
    """Rows are written to a file that nobody can find: a message reports it at once, and so does the exit code."""
    numbered = Numbered(tmp_path)
    with numbered, record(tmp_path, numbered, disk / "traces", code=3) as r:
        time.sleep(SETTLE)
        subprocess.run(["umount", "-l", disk], check=True)
        if mounted_over:
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", disk], check=True)
        deadline = time.monotonic() + 10
        while "unmounted" not in r.errors():
            assert time.monotonic() < deadline, r.errors()
            time.sleep(0.1)
        r.send(signal.SIGINT)
        r.finish()
        assert r.returncode == 3 and str(r.session_directory) in r.stderr, r.stderr
        assert r.stderr.count("unmounted") == 2, r.stderr # when it happens, and at the end
        assert not os.listdir(disk)
        r.session = Unchecked()


def test_a_directory_that_is_renamed_is_only_reported(tmp_path):
    """The rows are in the same directory, which has another name."""
    numbered = Numbered(tmp_path)
    with numbered, record(tmp_path, numbered, tmp_path / "traces") as r:
        time.sleep(SETTLE)
        (tmp_path / "traces").rename(tmp_path / "moved")
        r.wait_logged("no longer")
        r.send(signal.SIGINT)
        r.finish()
        r.session = recorder.Session(next((tmp_path / "moved").glob("*/*/*")))
    code, text = verify(tmp_path / "moved")
    assert code == 0, text


def catches(pid, number):
    """Whether the process has a handler for the signal."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    mask = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return int(mask.split()[1], 16) >> number - 1 & 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_before_the_recording_begins(tmp_path, number):
    """The signal ends it while programs are loaded, with one line and without a session."""
    for attempt in range(5):
        out, log = tmp_path / f"traces{attempt}", tmp_path / f"log{attempt}"
        with open(log, "wb") as stderr:
            started = subprocess.Popen([recorder.IOTRC, "--no-snapshots", "-o", out], stdout=subprocess.DEVNULL, stderr=stderr)
        recorder.wait_for(lambda: catches(started.pid, number), "a handler")
        started.send_signal(number)
        code = started.wait(recorder.START)
        if not out.exists(): # it had begun before the signal came: once more
            break
    assert code == -number and not out.exists()
    assert log.read_text() == "iotrc: stopped before the recording began: there is no session\n"
