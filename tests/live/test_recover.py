# SPDX-License-Identifier: GPL-2.0-or-later
"""Recorders that are killed. tests/faults/kills.py does this many times, and checks more."""
import fcntl
import json
import os
import pathlib
import pty
import re
import subprocess
import sys
import time

import pytest
import recorder

KILLS = pathlib.Path(__file__).parent.parent / "faults" / "kills.py"


def work(directory, n=101):
    for i in range(n):
        (directory / f"secretname{i}").write_bytes(b"x" * i)


def recording(tmp_path, *args):
    """Records only what happens in this directory."""
    return recorder.Recording(
        tmp_path, "--streams", "fs", "--path", str(tmp_path), *recorder.OWN, *args, output=tmp_path / "traces"
    )


def killed(tmp_path, *args, n=1):
    """N sessions whose recorders, side by side, were killed when they had some rows on the disk."""
    recorders = [recording(tmp_path, *args).start().wait_ready() for _ in range(n)]

    def begun():
        work(tmp_path)
        return all(list(r.session_directory.rglob("*.part")) for r in recorders)

    recorder.wait_for(begun, "a file of each")
    for r in recorders:
        r.kill()
    return [r.session_directory for r in recorders]


def wait_for_state(directory, state, r):
    """Waits until the manifest of a session says so; R is the recorder that recovers it."""
    recorder.wait_for(lambda: json.loads((directory / "manifest.json").read_text())["session"]["state"] == state, r.errors)


def verify(path):
    done = recorder.run("verify", str(path))
    assert done.returncode == 0, done.stdout + done.stderr


def snapshot(directory):
    return {p: (p.lstat().st_ino, p.lstat().st_mtime_ns, p.lstat().st_ctime_ns) for p in directory.rglob("*")}


@pytest.mark.slow
def test_killed_at_random():
    kills = os.environ.get("KILLS", "3") # 200 in `make check-faults`
    done = subprocess.run(
        [sys.executable, KILLS, recorder.IOTRC, recorder.WORKLOADS, kills], capture_output=True, text=True
    )
    assert done.returncode == 0 and f"{kills} passed, 0 failed" in done.stdout, done.stdout + done.stderr


def test_the_next_start_recovers(tmp_path):
    first, second = killed(tmp_path, n=2)
    with recording(tmp_path) as r:
        for directory in (first, second):
            wait_for_state(directory, "recovered", r)
            r.wait_logged(f"session {directory.name}: recovered: ")
    for directory in (first, second):
        lines = re.findall(f".*session {directory.name}: recovered: .* files, .* rows.*", r.stderr)
        assert len(lines) == 1, r.stderr
        verify(directory)
    # A complete session is left alone.
    before = snapshot(tmp_path / "traces")
    with recording(tmp_path) as r:
        time.sleep(1)
    assert "recovered" not in r.stderr
    after = snapshot(tmp_path / "traces")
    assert all(after[p] == stat for p, stat in before.items() if first in p.parents or second in p.parents)


def test_a_running_session_is_left_alone(tmp_path):
    with recording(tmp_path) as r:
        work(tmp_path)
        r.wait_written(b"/secretname100")
        done = recorder.run("recover", str(tmp_path / "traces"))
        assert done.returncode == 0 and f"{r.session_directory}: in use" in done.stdout, done.stdout + done.stderr
        done = recorder.run("recover", str(r.session_directory))
        assert done.returncode == 0 and "in use" in done.stdout
        work(tmp_path)
    verify(r.session_directory)
    assert r.manifest["session"]["state"] == "complete"
    done = recorder.run("recover", str(r.session_directory))
    assert (done.returncode, done.stdout) == (0, "")


def test_anonymised_sessions_stay_so(tmp_path):
    [session] = killed(tmp_path, "-a", "--state", str(tmp_path / "state"))
    done = recorder.run("recover", str(session))
    assert done.returncode == 0, done.stdout + done.stderr
    verify(session)
    names = tmp_path / "names"
    names.write_text("secretname\n")
    done = recorder.run("verify", "--anonymous", str(session), "--against", str(names))
    assert done.returncode == 0, done.stdout


def test_command_line(tmp_path):
    assert recorder.run("recover").returncode == 2
    assert recorder.run("recover", "a", "b").returncode == 2
    assert "EXAMPLES" in recorder.run("recover", "--help").stdout
    done = recorder.run("recover", str(tmp_path))
    assert done.returncode == 1 and "no session here or below" in done.stderr
    done = recorder.run("recover", str(tmp_path / "none"))
    assert done.returncode == 1 and "No such file" in done.stderr


def test_what_was_in_use_is_recovered_later(tmp_path):
    """As when an uploader looks into it while the next recording starts."""
    directory, = killed(tmp_path)
    fd = os.open(os.path.join(directory, ".lock"), os.O_RDWR)
    fcntl.lockf(fd, fcntl.LOCK_EX)
    with recording(tmp_path) as r:
        time.sleep(3)
        assert "recovered" not in r.errors()
        os.close(fd)
        wait_for_state(directory, "recovered", r)
    verify(directory)


def test_a_reader_cannot_keep_it_from_being_recovered(tmp_path):
    """Members of the group can open the directory, and so lock it with flock(2)."""
    directory, = killed(tmp_path)
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    assert os.stat(os.path.join(directory, ".lock")).st_mode & 0o777 == 0o600
    done = recorder.run("verify", str(directory))
    assert done.returncode == 1 and "its recorder has ended" in done.stdout, done.stdout
    done = recorder.run("recover", str(directory))
    assert done.returncode == 0 and "recovered" in done.stdout, done.stdout + done.stderr
    os.close(fd)
    verify(directory)


def test_verify_shows_on_a_terminal_how_much_is_read(tmp_path):
    with recording(tmp_path) as r:
        work(tmp_path)
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [recorder.IOTRC, "verify", r.session_directory], stdout=subprocess.PIPE, stderr=theirs, text=True, timeout=recorder.START
    )
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert re.search(r": sound$", done.stdout, re.M), done.stdout
    bars = re.findall(r"\r\x1b\[Kreading \[#*\.*\] ([\d.]+[KMG]?)B of ([\d.]+[KMG]?)B\r", shown)
    assert bars and shown.endswith("\r\x1b[K"), shown # removed at the end
    assert not recorder.run("verify", str(r.session_directory)).stderr # no terminal, no progress bar
