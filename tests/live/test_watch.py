# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc watch`, live and of a session, compared with programs that know what they did, rows read by pandas, and
terminals of the tests' own."""
import errno
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pandas
import pytest

import recorder

WRITES, READS = 211, 307
# Waits for a line on stdin, then does a known number of things in its current directory.
LOAD = f"""
import os, sys, threading
sys.stdin.readline()
fd = os.open("data", os.O_RDWR | os.O_CREAT)
for i in range({WRITES}):
    os.pwrite(fd, bytes(100), 100 * i)
def read():
    for i in range({READS}):
        os.pread(fd, 50, i)
t = threading.Thread(target=read); t.start(); t.join()
if not os.fork():
    try:
        os.unlink("absent")
    except FileNotFoundError:
        os._exit(7)
os.wait()
"""
ENV = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm"}
ENV.pop("NO_COLOR", None)


def watch(*arguments, **more):
    more.setdefault("env", ENV)
    return subprocess.Popen([recorder.IOTRC, "watch", *map(str, arguments)], **more)


def run(*arguments, **more):
    return subprocess.run([recorder.IOTRC, "watch", *map(str, arguments)], capture_output=True, text=True, env=ENV,
                          timeout=recorder.START, **more)


class Load:
    """Starts the program above, which waits until it is told to begin."""

    def __init__(self, path, code=LOAD):
        self.process = subprocess.Popen([sys.executable, "-c", code], cwd=path, stdin=subprocess.PIPE)
        self.pid = self.process.pid

    def go(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(recorder.START) == 0


def ready(process):
    """Waits until iotrc watches."""
    assert process.stderr.readline() == b"watching\n"


@pytest.fixture(scope="module")
def watched(module_path):
    """JSON lines of a process that existed before, of its thread and of its child."""
    load = Load(module_path)
    with open(os.path.join(module_path, "lines"), "w+") as out:
        process = watch("--json", "-p", load.pid, stdout=out, stderr=subprocess.PIPE)
        ready(process)
        load.go()
        # That the process has ended is enough, also while its parent, this one, has not waited for it.
        assert process.wait(recorder.START) == 0, process.stderr.read()
        load.end()
        out.seek(0)
        return load.pid, [json.loads(line) for line in out]


def test_each_operation_is_a_line_of_typed_values(watched, module_path):
    pid, lines = watched
    data = os.path.join(module_path, "data")
    mine = [l for l in lines if l.get("filename") == data]
    assert [l["offset"] for l in mine if l["operation"] == "write"] == [100 * i for i in range(WRITES)]
    reads = [l for l in mine if l["operation"] == "read"]
    assert [(l["offset"], l["size"], l["return_value"]) for l in reads] == [(i, 50, 50) for i in range(READS)]
    assert {l["pid"] for l in mine} == {pid} and {l["tid"] for l in reads} != {pid}
    assert all(type(l["duration_ns"]) is int and l["stream"] == "fs" for l in mine)


def test_children_are_watched_and_the_end_ends_it(watched):
    pid, lines = watched
    failed = [l for l in lines if l["operation"] == "unlink"]
    assert [(l["errno"], l["return_value"]) for l in failed] == [("ENOENT", -errno.ENOENT)]
    assert failed[0]["pid"] != pid and failed[0]["ppid"] == pid
    assert [l["pid"] for l in lines if l["operation"] == "process_exit"][-1] == pid


def test_lines_are_in_the_order_of_time(watched):
    times = [l["mono_ns"] for l in watched[1]]
    assert times == sorted(times)


# ---- a command ----

def test_a_command_has_its_status_and_its_output(tmp_path):
    done = run("-e", "open", "--", "sh", "-c", "read line; echo $line; cat /nowhere; exit 9", input="spoken\n")
    assert done.returncode == 9 and done.stdout == "spoken\n"
    lines = [l for l in done.stderr.splitlines() if re.match(r"\d\d:\d\d:\d\d\.\d{6} ", l)]
    assert [l for l in lines if "/nowhere" in l and "ENOENT (No such file or directory)" in l], done.stderr
    assert all(" open  " in l for l in lines)


def test_what_a_command_does_is_what_strace_says(tmp_path):
    command = ["sh", "-c", "for i in 1 2 3; do echo $i >f$i; rm f$i; done; cat f1 2>&1; true"]
    log = tmp_path / "strace"
    subprocess.run(["strace", "-f", "-o", log, "-e", "trace=unlink,unlinkat,openat", *command], cwd=tmp_path,
                   capture_output=True, timeout=60)
    lines = run("--json", "-e", "open,unlink", "--", *command, cwd=tmp_path).stderr.splitlines()
    rows = [json.loads(l) for l in lines if l.startswith("{")]
    for operation, calls in ("open", "openat"), ("unlink", "unlink(?:at)?"):
        wanted = [m[1] for m in re.finditer(rf"^\d+ +{calls}\(.*?\) += (-1 E\w+|\d+)", log.read_text(), re.M)]
        found = [f"-1 {r['errno']}" if r.get("errno") else str(r["return_value"])
                 for r in rows if r["operation"] == operation]
        assert found == wanted, operation


# ---- ends ----

def test_a_reader_that_has_enough_ends_it(tmp_path):
    process = watch("-e", "open", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    ready(process)
    (tmp_path / "first").touch()
    assert process.stdout.readline()
    process.stdout.close()
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        (tmp_path / "more").touch()
        time.sleep(0.05)
    assert process.wait(1) == 0 and process.stderr.read() == b""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_though_nobody_reads(tmp_path, sent):
    """A full pipe does not stop the machine."""
    process = watch("-e", "open", "-P", tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    ready(process)
    for i in range(3000):
        (tmp_path / "x").touch()
    process.send_signal(sent)
    assert process.wait(recorder.STOP + recorder.STOP_MARGIN) in (0, 3)


def test_a_duration_ends_it():
    assert run("-d", "1s", "-e", "block").returncode == 0


# ---- terminals ----

class Terminal:
    """A pseudoterminal with a watcher on it."""

    def __init__(self, columns, *arguments, env=ENV):
        self.fd, slave = pty.openpty()
        self.resize(columns)
        self.process = watch(*arguments, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True,
                             preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.text = b""

    def resize(self, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def read(self, seconds=0.1):
        while select.select([self.fd], [], [], seconds)[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError: # EIO: the other end was closed by all
                break
            self.text += data
            seconds = 0
        return self.text

    def wait_for(self, pattern, do=None):
        def found():
            if do:
                do()
            return re.search(pattern, self.read())
        return recorder.wait_for(found, lambda: f"{pattern} in {self.text[-2000:]!r}", 60)

    def press(self, key):
        os.write(self.fd, key)

    def end(self):
        self.press(b"\x03")
        recorder.wait_for(lambda: (self.read(), self.process.poll())[1] is not None, "Ctrl+C ends it", 30)
        os.close(self.fd)
        return self.process.returncode


def lines_of(text):
    """The text without colours."""
    return re.sub(r"\x1b\[\d*m", "", text.decode()).replace("\r", "").split("\n")


def test_a_terminal_of_80_columns(tmp_path):
    deep = tmp_path / ("d" * 60) / ("é" * 40)
    deep.mkdir(parents=True)
    t = Terminal(80, "-e", "unlink,mkdir,open,write", "-P", tmp_path)
    t.wait_for(b"probe", lambda: ((tmp_path / "probe").mkdir(exist_ok=True)))
    (deep / "short").mkdir()
    t.wait_for(b"short")
    line = next(l for l in lines_of(t.text) if "short" in l)
    assert len(line) <= 80 and "…" in line and line.count("é") > 5 and re.search(r"/short → 0  [\d.]+[nmu]s$", line), line
    assert b"\x1b[36mmkdir" in t.text
    with pytest.raises(FileNotFoundError):
        os.open(deep / "none", os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    t.wait_for(rb"none[^\n]*\n")
    line = next(l for l in lines_of(t.text) if "none" in l)
    assert len(line) <= 80 and re.search(r"/none → ENOENT  [\d.]+[nmu]s$", line), line
    fd = os.open(deep / "wal", os.O_WRONLY | os.O_CREAT)
    os.pwrite(fd, bytes(4096), 98_765_432_100)
    os.close(fd)
    t.wait_for(rb"wal 98765432100[^\n]*\n") # numbers are never cut
    line = next(l for l in lines_of(t.text) if "98765432100" in l)
    assert len(line) <= 80 and re.search(r"…\S*wal 98765432100\+4096 → 4096  [\d.]+[nmu]s$", line), line
    t.resize(200)
    (tmp_path / "again").mkdir()
    t.wait_for(b"again") # the width is read anew after each batch
    (deep / "wide").mkdir()
    t.wait_for(b"wide")
    line = next(l for l in lines_of(t.text) if "wide" in l)
    assert 80 < len(line) <= 200, line
    with pytest.raises(FileNotFoundError):
        os.open(deep / "absent", os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    t.wait_for(rb"absent[^\n]*\n")
    line = next(l for l in lines_of(t.text) if "absent" in l)
    assert "O_APPEND" in line and "→ ENOENT (No such file or directory)" in line, line
    assert t.end() == 0


@pytest.mark.parametrize("env, colours, arrow", [({"NO_COLOR": "1"}, False, "→"), ({"TERM": "dumb"}, False, "→"),
                                                  ({"LC_ALL": "C"}, True, "->")])
def test_terminals_that_can_do_less(tmp_path, env, colours, arrow):
    t = Terminal(80, "-e", "mkdir", "-P", tmp_path, env={**ENV, **env})
    t.wait_for(b"probe", lambda: ((tmp_path / "probe").mkdir(exist_ok=True)))
    assert (b"\x1b[" in t.text) == colours
    assert any(f" {arrow} " in l for l in lines_of(t.text))
    assert arrow == "→" or t.text.isascii()
    assert t.end() == 0


def test_a_terminal_that_is_slower_than_the_machine(tmp_path):
    """The terminal is not read for a while: the machine keeps its speed, the lines shown afterwards are recent, and the
    number of lines left out is the number of operations without a line. (--pid is for the kernel to decide. Of lost
    operations it is not known whether they are below a path.)"""
    made = 60_000 # more than three times WATCH_BATCH_LINES, since a terminal that is read again may be fast
    probes = 0

    def probe():
        nonlocal probes
        (tmp_path / "probe").touch()
        (tmp_path / "probe").unlink()
        probes += 1

    t = Terminal(80, "-e", "unlink", "--pid", os.getpid())
    t.wait_for(b"probe", probe)
    code = f"import os\nfor i in range({made}):\n try: os.unlink('n%06d' % i)\n except OSError: pass"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=120)
    time.sleep(1.5)
    t.wait_for(b"lines left out", probe)
    t.wait_for(b"probe.*\n.*probe", probe)
    assert t.end() in (0, 3)
    lines = lines_of(t.text)
    shown = {m[1] for l in lines if (m := re.search(r"(n\d{6})", l))}
    left_out = sum(int(m[1]) for l in lines if (m := re.search(r"… (\d+) lines left out", l)))
    assert len(shown) < made and 0 <= left_out - (made - len(shown)) <= probes, (len(shown), left_out, probes)


def test_a_stopped_terminal_does_not_hold_up_the_end(tmp_path):
    t = Terminal(80, "-e", "unlink", "-P", tmp_path)
    t.wait_for(b"probe", lambda: ((tmp_path / "probe").touch(), (tmp_path / "probe").unlink()))
    t.press(b"\x13") # ^S
    for _ in range(3000):
        (tmp_path / "x").touch()
        (tmp_path / "x").unlink()
    os.kill(t.process.pid, signal.SIGINT)
    assert t.process.wait(recorder.STOP + recorder.STOP_MARGIN) in (0, 3)
    os.close(t.fd)


# ---- a session ----

@pytest.fixture(scope="module")
def session(module_path):
    load = Load(module_path)
    with recorder.Recording(module_path, "--streams", "fs,nw_conn", "--pid", str(load.pid)) as r:
        load.go()
        load.end()
    return r


def played(r, *arguments):
    done = run(r.session.directory, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_all_rows_of_a_session_in_the_order_of_time(session):
    rows = pandas.concat([session.rows("fs"), session.rows("nw_conn")])
    lines = [json.loads(l) for l in played(session, "--json")]
    assert [str(l["mono_ns"]) for l in lines] == sorted(rows["mono_ns"], key=int)


@pytest.mark.parametrize("arguments, condition", [
    (["-e", "write"], lambda f: f["operation"] == "write"),
    (["-e", "%process"], lambda f: f["operation"].str.startswith("process_")),
    (["-e", "!read,write"], lambda f: ~f["operation"].isin(["read", "write"])),
    (["-x"], lambda f: f["errno"] != ""),
    (["--slow", "5us"], lambda f: pandas.to_numeric(f["duration_ns"]) >= 5000),
    (["-w", "size == 50"], lambda f: f["size"] == "50"),
])
def test_filters_of_a_session(session, arguments, condition):
    rows = session.rows("fs")
    wanted = rows[condition(rows)]
    if not any(a == "-e" for a in arguments):
        arguments = ["-e", "fs", *arguments]
    found = [l.split("\t") for l in played(session, "--format", "operation,mono_ns", *arguments)]
    found = [f for f in found if f[1] in set(rows["mono_ns"])]
    assert len(wanted) and found == wanted[["operation", "mono_ns"]].values.tolist()


def test_from_and_to(session):
    rows = session.rows("fs")
    rows = rows[rows["operation"].isin(["read", "write"])]
    middle = rows["timestamp"].iloc[len(rows) // 2]
    before = played(session, "-e", "read,write", "--to", middle)
    after = played(session, "-e", "read,write", "--from", middle[11:])
    same = (rows["timestamp"] == middle).sum()
    assert len(before) == (rows["timestamp"] <= middle).sum()
    assert len(before) + len(after) == len(rows) + same
    first = min(int(n) for s in ("fs", "nw_conn") for n in session.rows(s)["mono_ns"])
    late = (rows["mono_ns"].astype("int64") - first >= 1_000_000).sum()
    assert len(played(session, "-e", "fs,nw_conn", "-w", "operation in ('read', 'write')", "--from", "+1ms")) == late


def test_a_name_made_to_harm_a_terminal_is_shown_harmless(tmp_path):
    name = "a\x1b[31mb\nc\u202ed"
    done = run("-e", "mkdir", "--", "mkdir", name, cwd=tmp_path)
    assert done.returncode == 0
    line = next(l for l in done.stderr.splitlines() if "mkdir" in l and "→ 0" in l)
    assert "\x1b" not in line and "\u202e" not in line and r"a\x1b[31mb\x0ac" in line


# ---- wrong use ----

@pytest.mark.parametrize("arguments, message", [
    (["-e", "reed"], "'reed' is no operation, stream or class"),
    (["-e", ""], "'' is no operation, stream or class"),
    (["-e", "!all"], "'!all' leaves nothing"),
    (["--slow", "fast"], "'fast' is not a time"),
    (["--format", "nothing"], "no stream shown has 'nothing'"),
    (["--json", "--format", "pid"], "--json or --format, not both"),
    (["--where", "size >"], "--where: "),
    (["--from", "10:00"], "--from and --to need a SESSION"),
    (["--from", "noon", "session"], "a time is HH:MM"),
    (["-p", "one"], "one"),
    (["-d", "1s", "session"], "go without a SESSION"),
    (["-d", "1s", "--", "true"], "do not go with -- CMD"),
])
def test_wrong_use_is_one_line(arguments, message):
    done = run(*arguments)
    assert done.returncode == 2 and message in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


def test_a_process_that_is_not_there():
    child = subprocess.Popen(["true"])
    child.wait()
    done = run("-p", child.pid)
    assert done.returncode == 1 and done.stderr == f"iotrc watch: there is no process {child.pid}\n"


def test_a_session_that_is_not_there():
    done = run("/nowhere")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
