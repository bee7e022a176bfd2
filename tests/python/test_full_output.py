# SPDX-License-Identifier: GPL-2.0-or-later
"""What cannot be written: each command that prints says so and fails, and none complains of a reader that has seen enough.
/dev/full refuses each write with ENOSPC. A closed descriptor is none that a file gets. And output to what is no regular
file, which no file may replace."""
import os
import signal
import stat
import subprocess
import threading
import time

import pytest

from record import IOTRC, record_script

PRINT = [
    "--version", "--help", "--computer-id", "upload --help", "help cat", "verify SESSION", "summary SESSION", "summary --json SESSION",
    "watch SESSION", "watch --json SESSION", "watch --format pid SESSION", "cat SESSION", "cat fs SESSION",
    "cat fs SESSION --to strace", "cat fs SESSION --to arrow", "report SESSION -o -", "doctor", "run --json -- true",
    "watch -d 60s --scope all", "watch --stuck -d 60s --pid PID",
]
PRINT += [f"{command} --help" for command in
          "run check doctor verify recover export cat lake summary watch top report help".split()]
READ_IN_PART = ["watch SESSION", "watch --json SESSION", "cat SESSION", "cat fs SESSION --to strace"]


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """Of rows that do not fit into a pipe."""
    return record_script(tmp_path_factory.mktemp("full"), 'cd "$1"; for i in $(seq 700); do : >"file $i"; done; cat *; rm *')


def command(words, session):
    return [IOTRC, *(str({"SESSION": session, "PID": os.getpid()}.get(word, word)) for word in words.split())]


@pytest.mark.parametrize("words", PRINT)
def test_full(session, words):
    with open("/dev/full", "w") as full:
        done = subprocess.run(command(words, session), stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=50)
    assert done.returncode == 1, done.stderr
    assert done.stderr.endswith(": No space left on device\n")


@pytest.mark.parametrize("words", PRINT)
def test_closed(session, words):
    done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *command(words, session)], stderr=subprocess.PIPE, text=True,
                          check=False, timeout=50)
    assert done.returncode == 1, done.stderr
    assert done.stderr.endswith(": Bad file descriptor\n")


def test_closed_descriptors_are_no_other_file(tmp_path):
    """The kernel gives a file that is opened the lowest number that is free."""
    script = 'exec "$@" <&- >&- 2>&-'
    with subprocess.Popen(["sh", "-c", script, "sh", IOTRC, "-o", tmp_path]) as recorder:
        try:
            end = time.monotonic() + 50
            while not list(tmp_path.rglob("manifest.json")):
                assert recorder.poll() is None and time.monotonic() < end
                time.sleep(0.1)
            files = [os.readlink(f"/proc/{recorder.pid}/fd/{fd}") for fd in range(3)]
        finally:
            recorder.send_signal(signal.SIGINT)
        assert recorder.wait(50) == 0
    assert files == ["/dev/null"] * 3


def test_closed_descriptors_stay_closed_for_a_command():
    script = 'exec "$0" watch -- sh -c "ls -l /proc/self/fd/1 /proc/self/fd/2; exit 5" >&-'
    done = subprocess.run(["sh", "-c", script, IOTRC], stderr=subprocess.PIPE, text=True, check=False, timeout=50)
    assert "/proc/self/fd/1': No such file" in done.stderr and done.returncode == 5


@pytest.mark.parametrize("words", READ_IN_PART)
def test_the_reader_goes_away(session, words):
    with subprocess.Popen(command(words, session), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as printing:
        assert printing.stdout.readline()
        printing.stdout.close()
        assert printing.wait(50) in (0, -signal.SIGPIPE)
        assert printing.stderr.read() == ""


def test_the_status_of_a_command_is_kept(session):
    """Lines about a command go to stderr, and the code is the command's."""
    with open("/dev/full", "w") as full:
        done = subprocess.run([IOTRC, "watch", "--", "sh", "-c", "ls /; exit 7"], stdout=subprocess.PIPE, stderr=full, text=True,
                              check=False, timeout=50)
    assert done.returncode == 7 and "etc\n" in done.stdout


WRITE = ["report SESSION --force -o", "export SESSION --to csv --force -o", "cat SESSION --force -o"]


def run(words, session, *more, stdout=subprocess.DEVNULL):
    return subprocess.run([*command(words, session), *more], stdout=stdout, stderr=subprocess.PIPE, text=True, check=False,
                          timeout=50)


@pytest.mark.parametrize("words", WRITE)
def test_devices_and_pipes_are_not_replaced(tmp_path, session, words):
    null, full, fifo, stdout, plain = (tmp_path / name for name in ("null", "full", "fifo", "stdout", "plain"))
    os.mknod(null, 0o666 | stat.S_IFCHR, os.stat("/dev/null").st_rdev)
    os.mknod(full, 0o666 | stat.S_IFCHR, os.stat("/dev/full").st_rdev)
    os.mkfifo(fifo)
    stdout.symlink_to("/proc/self/fd/1")
    before = {path: (os.lstat(path).st_ino, os.lstat(path).st_mode) for path in tmp_path.iterdir()}
    assert run(words, session, plain).returncode == 0
    assert run(words, session, null).returncode == 0
    done = run(words, session, full)
    assert done.returncode == 1 and "No space left on device" in done.stderr
    got = []
    reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
    reader.start()
    assert run(words, session, fifo).returncode == 0
    reader.join()
    with subprocess.Popen([*command(words, session), stdout], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as printing:
        got.append(printing.stdout.read())
    assert {path: (os.lstat(path).st_ino, os.lstat(path).st_mode) for path in before} == before
    sizes = {len(text) for text in (plain.read_bytes(), *got)}
    assert 0 not in sizes and max(sizes) - min(sizes) < 100 # a page has the time at which it was made


@pytest.mark.parametrize("words", WRITE)
def test_a_symlink_stays(tmp_path, session, words):
    (tmp_path / "below").mkdir()
    (tmp_path / "below/file").write_text("old")
    (tmp_path / "link").symlink_to("below/file")
    assert "--force replaces it" in run(words.replace("--force ", ""), session, tmp_path / "link").stderr
    assert run(words, session, tmp_path / "link").returncode == 0
    assert os.readlink(tmp_path / "link") == "below/file"
    assert len((tmp_path / "below/file").read_bytes()) > 100
    assert {path.name for path in (tmp_path / "below").iterdir()} == {"file"}


def test_metrics_replace_no_device(tmp_path, session):
    null = tmp_path / "null"
    os.mknod(null, 0o666 | stat.S_IFCHR, os.stat("/dev/null").st_rdev)
    done = run("-d 1s --no-snapshots --streams fs -o", session, tmp_path / "out", "--metrics-file", null)
    assert done.returncode == 1 and "null is not a regular file" in done.stderr
    assert stat.S_ISCHR(os.lstat(null).st_mode)
