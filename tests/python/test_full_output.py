# SPDX-License-Identifier: GPL-2.0-or-later
"""What cannot be written: each command that prints says so and fails, and none complains of a reader that has seen enough.
/dev/full refuses each write with ENOSPC."""
import os
import signal
import subprocess

import pytest

from record import IOTRC, record_script

PRINT = [
    "--version", "--help", "--computer-id", "upload --help", "help cat", "verify SESSION", "summary SESSION", "summary --json SESSION",
    "watch SESSION", "watch --json SESSION", "watch --format pid SESSION", "cat SESSION", "cat fs SESSION",
    "cat fs SESSION --to strace", "cat fs SESSION --to arrow", "report SESSION -o -", "doctor", "run --json -- true",
    "watch -d 60s --scope all", "watch --stuck -d 60s --pid PID",
]
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
