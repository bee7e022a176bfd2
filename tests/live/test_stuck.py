# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc watch -p PID --stuck`, compared with a program that knows what each of its threads waits for, and since when.
"""
import json
import os
import pathlib
import subprocess
import sys
import time

import pytest

import recorder

# Each thread waits for something that never comes, and prints who it is and when it began to wait; half of them
# begin before `go`, half after.
WAITING = """
import fcntl, os, socket, sys, threading, time
os.chdir(sys.argv[1])
pipe, other = os.pipe(), os.pipe()
for name in "early", "late":
    os.mkfifo(name + " fifo")
held = open("held", "w"); fcntl.flock(held, fcntl.LOCK_EX)
again = open("held", "w")
server = socket.socket(); server.bind(("127.0.0.1", 0)); server.listen()
def say(what):
    os.write(1, f"{what} {threading.get_native_id()} {time.monotonic_ns()}\\n".encode())
def start(what, run, *args):
    def body():
        say(what); run(*args)
    threading.Thread(target=body, daemon=True).start()
start("early read", os.read, pipe[0], 10)
start("early open", os.open, "early fifo", os.O_RDONLY)
time.sleep(0.5)
os.write(1, b"ready\\n")
sys.stdin.readline()
start("late read", os.read, other[0], 10)
start("late open", os.open, "late fifo", os.O_RDONLY)
start("late lock", fcntl.flock, again, fcntl.LOCK_EX)
start("late accept", server.accept)
time.sleep(0.5)
os.write(1, b"done\\n")
sys.stdin.read()
os._exit(0)
"""


class Waiting:
    """The program, and what it printed."""

    def __init__(self, path):
        self.process = subprocess.Popen([sys.executable, "-c", WAITING, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.threads = {} # thread id: (what, since when)
        self.until(b"ready\n")

    def until(self, word):
        while (line := self.process.stdout.readline()) != word:
            what, tid, ns = line.decode().rsplit(" ", 2)
            self.threads[int(tid)] = what, int(ns)

    def go(self):
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()
        self.until(b"done\n")

    def end(self):
        self.process.stdin.close()
        self.process.wait(recorder.START)


@pytest.fixture(scope="module")
def seen(module_path):
    """The program, and what was shown for each of its threads after two seconds."""
    program = Waiting(module_path)
    watch = subprocess.Popen([recorder.IOTRC, "watch", "-p", str(program.process.pid), "--stuck", "--json"],
                             stdout=subprocess.PIPE)
    first = json.loads(watch.stdout.readline()) # it has begun
    program.go()
    mine = {}
    while set(mine) < set(program.threads):
        line = json.loads(watch.stdout.readline())
        if line["tid"] in program.threads:
            mine[line["tid"]] = line, time.monotonic_ns()
    watch.terminate()
    assert watch.wait(recorder.START) == 0
    yield first, {program.threads[tid][0]: (*said, program.threads[tid][1]) for tid, said in mine.items()}, module_path
    program.end()


def test_each_thread_is_in_what_it_waits_for(seen):
    _, threads, path = seen
    path = pathlib.Path(path)
    said = {what: (line["operation"], line["filename"], line["in_progress"]) for what, (line, *_) in threads.items()}
    assert said["late open"] == ("open", str(path / "late fifo"), True)
    assert said["late lock"] == ("lock", str(path / "held"), True)
    assert said["late accept"][0] == "ACCEPT" and said["late accept"][1].startswith("socket:[")
    for when in "early", "late":
        assert said[f"{when} read"][0] == "read" and said[f"{when} read"][1].startswith("pipe:[")
    # If the call began before the watching, its path is read from the process.
    assert said["early open"] == ("open", str(path / "early fifo"), True)


def test_since_when(seen):
    """Exact if the call began while it was watched; otherwise a lower bound."""
    _, threads, _ = seen
    slack = 2e9 if recorder.EMULATED else 0.3e9
    for what, (line, now, began) in threads.items():
        if what.startswith("late"):
            assert "at_least_ns" not in line and now - began - slack - 1e9 < line["duration_ns"] < now - began
        else:
            assert "duration_ns" not in line and 0 < line["at_least_ns"] < now - began


def test_for_people(module_path, seen):
    """Only calls that have lasted; with -d it ends by itself."""
    del seen
    sleeper = subprocess.Popen(["/bin/sleep", "100"])
    time.sleep(1.2)
    done = subprocess.run([recorder.IOTRC, "watch", "-p", str(sleeper.pid), "--stuck", "-d", "1s"], cwd=module_path,
                          capture_output=True, text=True, timeout=recorder.START, check=False)
    sleeper.kill()
    sleeper.wait()
    header, line = done.stdout.splitlines()[:2]
    assert done.returncode == 0 and header.split() == ["TID", "COMMAND", "S", "FOR", "OPERATION", "FILE"]
    assert line.split()[:4] == [str(sleeper.pid), "sleep", "S", ">"] and "nanosleep" in line


@pytest.mark.parametrize("arguments, message", [
    (["--stuck"], "--stuck needs --pid"), (["--stuck", "-p", "2", "session"], "go without a SESSION"),
])
def test_wrong_use_is_one_line(arguments, message):
    done = subprocess.run([recorder.IOTRC, "watch", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and message in done.stderr and os.linesep not in done.stderr.strip().split("\n", 1)[0]


# ---- in a recording ----

@pytest.fixture(scope="module")
def recorded(module_path):
    """A recording with --slow that ends while the program waits; its rows by thread."""
    directory = pathlib.Path(module_path) / "recorded"
    directory.mkdir()
    program = Waiting(directory)
    with recorder.Recording(module_path, "--streams", "fs", "--scope", "all", "--slow", "1s", "--pid",
                            str(program.process.pid)) as r:
        program.go()
        time.sleep(1.5)
    program.end()
    rows = r.rows("fs")
    rows = rows[rows["flags"].str.contains("IN_PROGRESS")]
    return program, directory, {int(row["tid"]): row for _, row in rows.iterrows()}


def test_a_hang_has_a_row(recorded):
    program, directory, rows = recorded
    # What began before the recording was not seen; accept() is no call on a file.
    wanted = {tid for tid, (what, _) in program.threads.items() if what in ("late read", "late open", "late lock")}
    names = {"late open": f"{directory}/late fifo", "late lock": f"{directory}/held"}
    assert wanted <= set(rows) and not {tid for tid, (what, _) in program.threads.items() if "early" in what} & set(rows)
    for tid in wanted:
        what, began = program.threads[tid]
        row = rows[tid]
        assert row["operation"] == what.split()[1]
        assert (row["return_value"], row["errno"], row["bytes_completed"]) == ("", "", "")
        assert int(row["duration_ns"]) >= 1e9
        # It said so just before it began to wait.
        assert began <= int(row["mono_ns"]) - int(row["duration_ns"]) < began + 1e9
        if what in names:
            assert row["filename"] == names[what]
        else:
            assert row["filename"].startswith("pipe:")
        assert row["pid"] == str(program.process.pid) and row["command"].startswith("python3") and row["container_id"]
