# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of any bytes as values of options: they are given as they are, and select the rows of these names, which escape
them."""
import os
import subprocess
import sys

import pytest
import recorder

NAMES = [b"new\nline", b"back\\slash", b"\\x0a", b"bad\xff\xfe", b"a -> b", b"ends ->", b"comma,", b'quo"te', b"tab\t", b"%s", b"-d"]
COMMANDS = [b"c\\x", b"c\n", b"c\xff", b'c"']
PROGRAM = f"""
import ctypes, os
for name in {NAMES!r}:
    os.mkdir(name)
    os.close(os.open(name + b"/in", os.O_CREAT | os.O_WRONLY))
    os.rename(name + b"/in", name + b".moved")
    os.close(os.open(name + b".other", os.O_CREAT | os.O_WRONLY))
for name in {COMMANDS!r}:
    ctypes.CDLL(None).prctl(15, name, 0, 0, 0) # PR_SET_NAME
    for path in {NAMES!r}:
        os.stat(path)
"""
OPERATIONS = {"mkdir": 1, "open": 1, "close": 1, "rename": 1, "getattr": len(COMMANDS)}


@pytest.fixture(scope="module")
def recorded(module_path):
    """The directory with the files, and the session."""
    place = os.path.join(module_path, "place")
    os.mkdir(place)
    with recorder.Recording(module_path, "--streams", "fs", "--path", place, *recorder.OWN) as r:
        subprocess.run([sys.executable, "-I", "-S", "-c", PROGRAM], cwd=place, check=True)
    return place, r.session_directory


def operations(*args):
    """How many rows of each operation `iotrc cat` prints."""
    done = subprocess.run([recorder.IOTRC, "cat", "fs", "-c", "operation", *args], capture_output=True, check=True)
    found = {}
    for line in done.stdout.decode().splitlines()[1:]:
        found[line] = found.get(line, 0) + 1
    return found


@pytest.mark.parametrize("name", NAMES)
def test_paths(recorded, name):
    """The directory and what is in it, but not files whose names begin with its name."""
    place, session = recorded
    path = os.path.join(os.fsencode(place), name)
    assert operations("--path", path, session) == OPERATIONS
    rest = operations("--exclude-path", path, session)
    # Of a rename, the other path is not excluded.
    for operation, count in operations(session).items():
        assert rest[operation] == count - (OPERATIONS.get(operation, 0) if operation != "rename" else 0), operation


@pytest.mark.parametrize("command", COMMANDS)
def test_commands(recorded, command):
    assert operations("--command", command, "--ops", "getattr", recorded[1]) == {"getattr": len(NAMES)}


@pytest.mark.parametrize("columns, status", [("", 2), (",", 2), ("none", 2), ("pid,", 0)])
def test_columns(recorded, columns, status):
    done = recorder.run("watch", f"--format={columns}", recorded[1])
    assert (done.returncode, done.stderr.count("\n")) == (status, bool(status)), done.stderr


WAITING = """
import select
e = select.epoll()
e.register(0)
for _ in range(7):
    e.poll(0)
e.unregister(0)
"""


def test_events_of_epoll(tmp_path):
    """A row of nw_epoll has both an event and, for epoll_ctl(), an operation: either can be selected."""
    with recorder.Recording(tmp_path, "--streams", "nw_epoll", *recorder.OWN) as r:
        subprocess.run([sys.executable, "-I", "-S", "-c", WAITING], stdin=subprocess.PIPE, check=True)

    def found(ops):
        done = recorder.run("cat", "nw_epoll", "-c", "event_type,operation", "--ops", ops, r.session_directory)
        return done.stdout.splitlines()[1:]

    assert found("EPOLL_WAIT") == ["EPOLL_WAIT,"] * 7
    assert found("EPOLL_CTL_ADD") == ["EPOLL_CTL,EPOLL_CTL_ADD"]
    assert found("EPOLL_CTL") == ["EPOLL_CTL,EPOLL_CTL_ADD", "EPOLL_CTL,EPOLL_CTL_DEL"]
    assert found("!EPOLL_WAIT,EPOLL_CREATE,EPOLL_CTL_DEL,POLL,SELECT") == ["EPOLL_CTL,EPOLL_CTL_ADD"]


@pytest.mark.parametrize("command", ["summary", "cat fs", "watch -e file"])
@pytest.mark.parametrize("option, value", [("--ops", "wrtie"), ("--ops", "!open,wrtie"), ("--ops", "HIT"), ("--pid", "x"),
                                           ("--pid", "1,x")])
def test_misspelt(recorded, command, option, value):
    """What no row can have is refused, instead of selecting nothing."""
    if option == "--ops" and command.startswith("watch"):
        option = "-e"
    done = recorder.run(*command.split(), option, value, recorded[1])
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
