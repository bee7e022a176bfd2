# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/watch.md: each line of its table of everyday tools is run as it stands there, beside a program that knows what it
does. Lines that watch the whole machine get the option that keeps other programs out."""
import contextlib
import datetime
import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile

import pytest

import recorder
from test_watch import ENV

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/watch.md"
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.read_text().splitlines()
        if line.startswith("| ") and "`" in line]
TABLE = {question: re.findall("`(.*?)`", cell) for question, _, cell in ROWS}

# It waits for a line; as its last argument says it also waits for a lock for ever.
PROGRAM = """
import fcntl, os, socket, subprocess, sys, time
os.chdir(sys.argv[1])
try: closed = int(sys.argv[2])
except ValueError: closed = 0
print("ready", flush=True)
sys.stdin.readline()
fd = os.open("data", os.O_RDWR | os.O_CREAT)
os.write(fd, bytes(4096))
os.pread(fd, 10, 0)
os.fsync(fd)
os.chmod("data", 0o600)
os.rename("data", "renamed")
os.mkdir("sub")
os.rmdir("sub")
try: os.open("absent", os.O_RDONLY)
except FileNotFoundError: pass
mine, go = os.pipe()
child = os.fork()
if not child:
    lock = os.open("renamed", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.write(go, b"x")
    time.sleep(100 if sys.argv[2] == "hang" else 0.1)
    os._exit(3)
os.read(mine, 1)
fcntl.flock(fd, fcntl.LOCK_EX)
os.waitpid(child, 0)
child = os.fork()
if not child:
    os.setuid(65533)
    try: os.open("renamed", os.O_RDONLY)
    except PermissionError: os._exit(0)
os.waitpid(child, 0)
os.unlink("renamed")
subprocess.run(["/bin/true"])
server = socket.create_server(("127.0.0.1", 0))
with socket.create_connection(server.getsockname()): pass
try: socket.create_connection(("127.0.0.1", closed))
except ConnectionRefusedError: pass
"""

# Of each question: what the lines must have, and what none may have, as regular expressions of the operation and the rest.
OPEN, READ, WRITE, CLOSE, FORK, EXEC, EXIT = "open .*data", "read .*data 0[+]10 → 10", "write .*data .*4096", "close ", "process_fork ", "process_exec .*true", "process_exit "
ABSENT, DENIED, CONNECT = "open .*absent.*ENOENT", "open .*renamed.*EACCES", "CONNECT .*127.0.0.1"
LOCK, REFUSED = "lock .*renamed.* 0 +[0-9.]+(ms|s)", "CONNECT .*127.0.0.1.*ECONNREFUSED"
EXPECTED = {
    "what does this command do?": ([OPEN, READ, WRITE, EXEC, CONNECT], []),
    "what does this process do, from now on, with its threads and children?": ([OPEN, READ, WRITE, DENIED, EXEC, EXIT, CONNECT], []),
    "only calls on files": ([OPEN, ABSENT, "unlink .*renamed"], ["read ", "write ", "close ", "CONNECT "]),
    "only calls on descriptors": ([READ, WRITE, CLOSE, "fsync .*data"], ["open ", "unlink ", "CONNECT "]),
    "only reads and writes": ([READ, WRITE], ["(?!read|write)"]),
    "all but some": ([OPEN, READ], ["close "]),
    "only one file or directory": ([OPEN, READ, "unlink .*renamed"], [".*/bin/true"]),
    "which files does the machine open?": ([OPEN, ABSENT], ["(?!open )"]),
    "who opens, reads, writes and closes which file?": ([OPEN, READ, WRITE, CLOSE], ["(?!open|read|write|close)"]),
    "file not found, permission denied": ([ABSENT, DENIED], ["(?!.*E[A-Z])"]),
    "who opens files and fails with EACCES?": ([DENIED], ["(?!.*EACCES)"]),
    "who deletes or renames?": (["rename .*data", "rmdir .*sub", "unlink .*renamed"], ["(?!rename|rmdir|unlink)"]),
    "who calls fsync?": (["fsync .*data"], ["(?!f(data)?sync|sync|syncfs)"]),
    "who changes modes or owners?": (["setattr .*data"], ["(?!setattr)"]),
    "what is slow on the filesystem?": ([LOCK], [".* [0-9.]+[nu]s$"]),
    "which programs start?": ([EXEC], ["(?!process_exec)"]),
    "who starts whom, and how does it end?": ([FORK, EXEC, EXIT], ["(?!process_)"]),
    "who connects where?": ([CONNECT, REFUSED], ["(?![A-Z_]+ )"]),
    "refused connections": ([REFUSED], ["(?!.*E[A-Z]+)"]),
    "what happened at 14:05?": ([OPEN, READ, WRITE, DENIED, EXEC], []),
}
OTHER = {"how many calls does it make, and how long do they take?", "which files are read and written most?", "each disk request",
         "slow disk requests", "dropped packets, retransmits", "where does this process hang?", "output for a program"}


def test_each_line_of_the_table_is_run():
    assert set(TABLE) == {*EXPECTED, *OTHER}
    tools = PAGE.read_text()
    for tool in "strace", "dtruss", "opensnoop", "biosnoop", "fatrace", "filetop", "execsnoop", "tcpconnect":
        assert re.search(rf"\| .*`{tool}\b.* \| `", tools), tool


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


class Program:
    def __init__(self, place, last=None):
        self.port = closed_port()
        self.argv = [sys.executable, "-S", "-E", "-c", PROGRAM, str(place), str(last or self.port)]

    @contextlib.contextmanager
    def started(self):
        with subprocess.Popen(self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as self.process:
            assert self.process.stdout.readline() == "ready\n"
            self.pid = self.process.pid
            yield self
            self.process.kill()

    def go(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()


def words_of(line, program, place):
    """The command as typed, with the program in the place of CMD, PID and PATH."""
    words = shlex.split(line.removeprefix("sudo "))
    assert words[0] == "iotrc", line
    if "PID" in words or "CMD" in words or "SESSION" in words:
        own = []
    else:
        own = ["-p", str(program.pid)]
    stand = {"iotrc": [recorder.IOTRC], "PID": [str(program.pid)] if "CMD" not in words else [], "CMD": program.argv, "PATH": [str(place)]}
    return [w for word in words for w in stand.get(word, [word])] + own


def watched(line, tmp_path, program):
    """What the line prints while the program runs."""
    if line.endswith(" CMD"):
        done = subprocess.run(words_of(line, program, tmp_path), input="\n", capture_output=True, text=True, env=ENV, check=True, timeout=recorder.START)
        return done.stderr.splitlines()
    with program.started():
        process = subprocess.Popen(words_of(line, program, tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV)
        assert process.stderr.readline() == "watching\n"
        program.go()
        out, said = process.communicate(timeout=recorder.START)
        assert process.returncode == 0, said
    return out.splitlines()


def operations(lines):
    """Without time, process and command."""
    found = [re.fullmatch(r"\d\d:\d\d:\d\d\.\d{6} +\d+ .{15} +(\S.*)", line) for line in lines]
    return [m[1] for m in found if m]


def check(lines, required, forbidden):
    assert lines
    for what in required:
        assert any(re.match(what, l) for l in lines), (what, lines)
    for what in forbidden:
        assert not [l for l in lines if re.match(what, l)], what


@pytest.mark.parametrize("question", [q for q in EXPECTED if "14:05" not in q])
def test_a_line_shows_what_the_program_did(tmp_path, question):
    line, = TABLE[question]
    check(operations(watched(line, tmp_path, Program(tmp_path))), *EXPECTED[question])


def test_what_happened_then(tmp_path):
    line, = TABLE["what happened at 14:05?"]
    program = Program(tmp_path)
    begun = datetime.datetime.now()
    with recorder.Recording(tmp_path, "--streams", "fs", *recorder.OWN) as r:
        subprocess.run(program.argv, input="\n", capture_output=True, text=True, check=True)
    ended = datetime.datetime.now() + datetime.timedelta(minutes=1)
    words = [{"iotrc": recorder.IOTRC, "SESSION": str(r.session.directory), "14:05": f"{begun:%H:%M}", "14:06": f"{ended:%H:%M}"}.get(w, w)
             for w in shlex.split(line)]
    done = subprocess.run(words, capture_output=True, text=True, env=ENV, check=True)
    check(operations(done.stdout.splitlines()), *EXPECTED["what happened at 14:05?"])


def test_lines_for_programs(tmp_path):
    json_line, form = TABLE["output for a program"]
    lines = watched(json_line, tmp_path, Program(tmp_path))
    assert any('"filename":"' + str(tmp_path / "data") in l and '"operation":"write"' in l for l in lines), lines
    program = Program(tmp_path)
    lines = watched(f"sudo iotrc watch {form}", tmp_path, program)
    assert f"{program.pid}\tunlink\t{tmp_path}/renamed" in lines


def test_counts_of_a_command(tmp_path):
    line, = TABLE["how many calls does it make, and how long do they take?"]
    lines = watched(line, tmp_path, Program(tmp_path))
    assert lines[0].split()[:4] == ["share", "total", "calls", "errors"]
    counts = {l.split()[-1]: l.split()[2] for l in lines}
    assert counts["fsync"] == counts["rmdir"] == "1"


def test_the_busiest_files(tmp_path):
    line, = TABLE["which files are read and written most?"]
    program = Program(tmp_path)
    with program.started():
        words = words_of(line, program, tmp_path)
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV) as process: # no terminal: plain tables
            assert process.stderr.readline() == "watching\n"
            program.go()
            for shown in process.stdout:
                if shown.rstrip().endswith((f"{tmp_path}/data", f"{tmp_path}/renamed")):
                    break
            process.send_signal(signal.SIGINT)
    assert float(shown.split()[0]) > 0 and shown.split()[3] != "0"


def test_where_it_hangs(tmp_path):
    line, = TABLE["where does this process hang?"]
    program = Program(tmp_path, "hang")
    with program.started():
        program.go()
        with subprocess.Popen(words_of(line, program, tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV) as process:
            for shown in process.stdout:
                if shown.split()[:1] == [str(program.pid)] and " lock " in shown:
                    break
            process.send_signal(signal.SIGINT)
        children = pathlib.Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text().split()
        for child in children:
            os.kill(int(child), signal.SIGKILL)
    assert re.search(rf"lock +{tmp_path}/(data|renamed)$", shown.rstrip()), shown


def test_dropped_packets():
    line, = TABLE["dropped packets, retransmits"]
    port = closed_port()
    with subprocess.Popen([recorder.IOTRC, *shlex.split(line)[2:]], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV) as process:
        assert process.stderr.readline() == "watching\n"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s: # nobody receives
            s.sendto(b"x", ("127.0.0.1", port))
        shown = next(l for l in process.stdout if f"127.0.0.1:{port}" in l)
        process.send_signal(signal.SIGINT)
    assert "PACKET_DROP" in shown


@pytest.mark.skipif(not os.major(os.stat("/var/tmp").st_dev), reason="/var/tmp is on no disk")
@pytest.mark.parametrize("question", ["each disk request", "slow disk requests"])
def test_disk_requests(question):
    """The requests of a program that writes to a disk; a limit that no request reaches leaves out all."""
    line, = TABLE[question]
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        shown = operations(watched(line.replace("20ms", "100s"), pathlib.Path(place), Program(place)))
    assert bool([l for l in shown if re.match(r"write .*sector \d+\+\d+", l)]) == (question == "each disk request"), shown
