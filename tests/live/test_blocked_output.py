# SPDX-License-Identifier: GPL-2.0-or-later
"""iotrc's output is not read: its pipe is full, or its terminal is stopped. It records, obeys signals and ends as
usual."""
import contextlib
import fcntl
import os
import pathlib
import pty
import signal
import subprocess
import termios
import time

import pytest
import recorder

PATIENCE = recorder.STOP + recorder.STOP_MARGIN + 2  # plus a second for each of the two that are not read


@contextlib.contextmanager
def full_pipe():
    """The write end of a pipe that is full."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x")
    os.set_blocking(writer, True)
    try:
        yield writer
    finally:
        os.close(reader)
        os.close(writer)


@contextlib.contextmanager
def stopped_terminal():
    """As after ^S."""
    master, slave = pty.openpty()
    termios.tcflow(slave, termios.TCOOFF)
    try:
        yield slave
    finally:
        os.close(master)
        os.close(slave)


def start(tmp_path, stdout, stderr, *args, streams="block"):
    """Most tests need no rows, and the programs of block are the quickest to load."""
    return subprocess.Popen(
        [recorder.IOTRC, "-o", str(tmp_path / "traces"), "--no-snapshots", "--streams", streams,
         *(["--path", str(tmp_path)] if streams == "fs" else []), *args], stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)


def session(tmp_path):
    end = time.monotonic() + recorder.START
    while not (found := list((tmp_path / "traces").glob("*/*/*/manifest.json"))):
        assert time.monotonic() < end
        time.sleep(0.1)
    return found[0].parent


def wait(process, seconds=PATIENCE):
    """Waits SECONDS for its end, and as long as it has to wait for a CPU."""
    watch, end = recorder.Stopwatch(), time.monotonic() + recorder.START
    while process.poll() is None and watch.seconds() < seconds and time.monotonic() < end:
        time.sleep(0.02)
    if process.poll() is None:
        process.kill()
        process.wait()
        raise AssertionError(f"still there after {watch.seconds():.1f} s")
    return process.returncode


def verified(tmp_path):
    done = recorder.run("verify", str(tmp_path / "traces"))
    assert done.returncode == 0 and done.stdout.endswith("sound\n"), done.stdout


@pytest.fixture(params=[full_pipe, stopped_terminal], ids=["a full pipe", "a stopped terminal"])
def blocked(request):
    with request.param() as fd:
        yield fd


def test_duration(tmp_path, blocked):
    process = start(tmp_path, blocked, blocked, "-d", "2s")
    session(tmp_path)
    assert wait(process, 2 + PATIENCE) == 0
    verified(tmp_path)


def test_sigint(tmp_path, blocked):
    """After it has printed much."""
    process = start(tmp_path, blocked, blocked, streams="fs")
    directory = session(tmp_path)
    for _ in range(200):
        process.send_signal(signal.SIGUSR1)
        time.sleep(0.01)
    process.send_signal(signal.SIGHUP)
    time.sleep(1)
    (tmp_path / "seen").touch()
    process.send_signal(signal.SIGINT)
    assert wait(process) == 0
    verified(tmp_path)
    names = set(recorder.Session(directory).rows("fs")["filename"])
    assert str(tmp_path / "seen") in names


def test_second_sigint(tmp_path, blocked):
    process = start(tmp_path, blocked, blocked)
    session(tmp_path)
    time.sleep(1)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    assert wait(process) in (0, 3)


def test_stdout_is_read(tmp_path, blocked):
    """One blocked output does not block the other."""
    process = start(tmp_path, subprocess.PIPE, blocked)
    line = recorder.read_line(process.stdout, recorder.START)
    assert line and pathlib.Path(line[:-1], "manifest.json").exists()
    process.send_signal(signal.SIGINT)
    assert wait(process) == 0
    process.stdout.close()


def test_daemon_leaves_its_parent(tmp_path, blocked):
    process = start(tmp_path, blocked, blocked, "--daemon", "--pid-file", str(tmp_path / "pid"))
    assert wait(process, recorder.START) == 0
    pid = int((tmp_path / "pid").read_text())
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + PATIENCE
    while os.path.exists(f"/proc/{pid}"):
        assert time.monotonic() < end
        time.sleep(0.1)
    verified(tmp_path)


def test_upload(tmp_path, blocked):
    (tmp_path / "target").mkdir()
    assert wait(start(tmp_path, subprocess.DEVNULL, subprocess.DEVNULL, "-d", "1s"), recorder.START) == 0
    process = subprocess.Popen(
        [recorder.IOTRC, "upload", str(tmp_path / "traces"), "--upload", f"file://{tmp_path}/target"],
        stdin=subprocess.DEVNULL, stdout=blocked, stderr=blocked)
    assert wait(process, recorder.START) == 0


@pytest.mark.parametrize("command", ["verify", "recover", "doctor", "watch"])
def test_commands_end_by_sigint(tmp_path, blocked, command):
    """Commands wait for their reader, as programs in a pipeline do; a signal ends them nevertheless."""
    process = subprocess.Popen(
        [recorder.IOTRC, command, *([str(tmp_path)] if command in ("verify", "recover") else [])], stdin=subprocess.DEVNULL,
        stdout=blocked, stderr=blocked)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(2)
    process.send_signal(signal.SIGINT)
    assert wait(process) is not None


def test_slow_reader_gets_all(tmp_path):
    """A slow reader gets everything: the summary is complete."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    process = start(tmp_path, subprocess.DEVNULL, writer, "-d", "1s")
    os.close(writer)
    text = b""
    while piece := os.read(reader, 300):
        text += piece
        time.sleep(0.3)
    os.close(reader)
    assert wait(process) == 0
    assert b"Load it in pandas" in text and text.endswith(b"'\n"), text[-300:]


def test_a_configuration_that_does_not_answer(tmp_path):
    """A FIFO without a writer is in its place: opening it blocks. SIGHUP starts new files, and the recorder goes on and
    ends."""
    config = tmp_path / "conf"
    config.write_text("rotate-age = 1h\n")
    process = start(tmp_path, subprocess.DEVNULL, open(tmp_path / "log", "w"), "--config", str(config), streams="fs")
    directory = session(tmp_path)
    log = tmp_path / "log"

    def files():
        return len(list((directory / "fs").glob("*.csv.zst")))

    config.unlink()
    os.mkfifo(config)
    for n in range(2):
        (tmp_path / f"seen{n}").touch()
        recorder.wait_for(lambda: list((directory / "fs").glob("*.part")), "it records")
        process.send_signal(signal.SIGHUP)
        recorder.wait_for(lambda: files() > n, "there are new files")
    recorder.wait_for(lambda: "has hung since" in log.read_text(), "it says so")
    (tmp_path / "last").touch()
    process.send_signal(signal.SIGINT)
    assert wait(process) == 0
    verified(tmp_path)
    assert str(tmp_path / "last") in set(recorder.Session(directory).rows("fs")["filename"])
