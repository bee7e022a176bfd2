# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc top`: its numbers compared with a workload's own, and its screen in a real terminal (tmux)."""
import collections
import contextlib
import fcntl
import itertools
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest

import recorder

HEAD = ["CALLS/s", "ERR/s", "READ/s", "WRITE/s", "LATENCY", "TIME"]


def top(*arguments, **more):
    return subprocess.Popen([recorder.IOTRC, "top", *map(str, arguments)], **more)


def hammer(tmp_path, seconds, processes):
    work = tmp_path / "file"
    work.write_bytes(bytes(4096))
    return [str(a) for a in (recorder.workload("hammer"), work, seconds, processes)]


# ---- the numbers ----

@contextlib.contextmanager
def watching(*arguments):
    """Rows as they arrive: the block gets a function that reads until WHAT(rows) is true."""
    rows = []
    with top("--json", "-n", "240", *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr.readline() == "watching\n"

        def until(what):
            while not what(rows) and (line := process.stdout.readline()):
                rows.append(json.loads(line))
            assert what(rows), rows
            return rows
        yield until
        process.send_signal(signal.SIGINT)
        rows += map(json.loads, process.stdout)
        said = process.stderr.read()
    assert process.returncode == 0 and "missing" not in said, said


def all_calls(rows):
    return sum(r["calls"] for r in rows)


def watched(tmp_path, by):
    """What the workload printed, the rows of three intervals or more, and how many processes there were."""
    made, processes = collections.Counter(), 0
    with watching("-d", "500ms", "--by", by, *recorder.OWN, "--command", "hammering") as until:
        while len({r["interval_ns"] for r in until(lambda rows: all_calls(rows) >= sum(made.values()))}) < 3:
            made.update(json.loads(subprocess.run(hammer(tmp_path, 0, 2), check=True, capture_output=True, text=True).stdout))
            processes += 2
    return made, until(lambda rows: True), processes


@pytest.mark.parametrize("by", ["process", "file", "user", "command", "container"])
def test_counts_are_those_of_the_workload(tmp_path, by):
    """Exact when added up over all intervals."""
    made, rows, processes = watched(tmp_path, by)
    assert all_calls(rows) == sum(made.values())
    assert sum(r["read_bytes"] for r in rows) == 64 * made["read"] and not sum(r["written_bytes"] for r in rows)
    names = {r[by] for r in rows}
    if by == "process":
        assert len(names) == processes and all(re.fullmatch(r"\d+ hammering", n) for n in names)
    elif by == "file":
        assert names - {"-"} == {str(tmp_path / "file")} # the end of a process concerns no file
    elif by != "container":
        assert names == {"user": {"root"}, "command": {"hammering"}}[by]
    assert max(r["interval_ns"] for r in rows) > 4e8 # an interval after a late one is shorter


def test_written_bytes_and_files(tmp_path):
    code = ("import os, sys\nfd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)\n"
            "for i in range(301): os.pwrite(fd, bytes(1000), 0)\nfor i in range(103): os.pread(fd, 10, 0)\n")
    with watching("-d", "1s", "--by", "file", "-m", tmp_path / "new", *recorder.OWN) as until:
        subprocess.run(["/usr/bin/python3", "-c", code, tmp_path / "new file"], check=True)
        rows = until(lambda rows: all_calls(rows) >= 301 + 103 + 1)
    assert sum(r["written_bytes"] for r in rows) == 301_000 and sum(r["read_bytes"] for r in rows) == 1030
    assert all_calls(rows) == 301 + 103 + 1 # open
    assert {r["file"] for r in rows} == {str(tmp_path / "new file")}


WRITER = """
import os, sys
os.chdir(sys.argv[1])
for line in sys.stdin:
    name, n = line.split()
    for i in range(int(n)):
        fd = os.open(f"{name} {i}", os.O_WRONLY | os.O_CREAT)
        os.write(fd, bytes(10))
        os.close(fd)
    print(flush=True)
"""


def test_idle_files_make_room_for_others(tmp_path, memory_path):
    """More files than the kernel has groups for; when they have been idle, others have groups again, which count from
    zero."""
    out = tmp_path / "out"
    with open(out, "w") as f, top("--json", "-d", "100ms", "--by", "file", "-m", memory_path / "new", *recorder.OWN, stdout=f,
                                  stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr.readline() == "watching\n"
        (memory_path / "new").mkdir()
        with subprocess.Popen([sys.executable, "-S", "-E", "-c", WRITER, memory_path / "new"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as writer:
            def write(name, files):
                writer.stdin.write(f"{name} {files}\n")
                writer.stdin.flush()
                writer.stdout.readline()
            write("many", 16_500)
            end = time.monotonic() + 60
            for i in itertools.count():
                write(f"few{i}", 100)
                time.sleep(0.5)
                if "/new/few" in out.read_text() or time.monotonic() > end:
                    break
            writer.stdin.close()
        process.send_signal(signal.SIGINT)
    written = collections.Counter()
    for row in map(json.loads, out.read_text().splitlines()):
        written[row["file"].removeprefix(f"{memory_path}/new/")] += row["written_bytes"]
    few = {name: n for name, n in written.items() if name.startswith("few")}
    assert few and set(few.values()) == {10}, few


def test_files_created_at_once_have_names(memory_path):
    """Each of these files is used only once: its name is not sent again. All the names fit into the buffer for them, so
    they arrive even if top does not run meanwhile."""
    (memory_path / "new").mkdir()
    with watching("--by", "file", "-d", "500ms", *recorder.OWN) as until, \
            subprocess.Popen([sys.executable, "-S", "-E", "-c", WRITER, memory_path / "new"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True) as writer:
        writer.stdin.write("many 6000\n")
        writer.stdin.close()
        writer.stdout.read()
        rows = until(lambda rows: sum(r["written_bytes"] for r in rows) >= 60_000)
    names = collections.Counter()
    for r in rows:
        names[r["file"]] += r["written_bytes"]
    assert {f"{memory_path}/new/many {i}" for i in range(6000)} <= names.keys(), names.most_common(3)


MOVER = """
import socket, sys, time
a = socket.create_connection((l := socket.create_server(("127.0.0.1", 0))).getsockname())
b, _ = l.accept()
def move():
    a.sendall(b"x" * 20011)
    got = 0
    while got < 20011:
        got += len(b.recv(1 << 16))
    b.sendall(b"y" * 101)
    a.recv(1 << 16)
move()
print(a.getsockname()[1], l.getsockname()[1], flush=True)
while sys.stdin.readline():
    move()
"""


def test_connections():
    """The numbers of a connection that existed before: what both ends move from then on, to the last byte."""
    mover = subprocess.Popen([sys.executable, "-c", MOVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    client, server = mover.stdout.readline().split()

    def of(rows, *ports):
        mine = [r for r in rows if r["connection"] == f"{mover.pid} python3 127.0.0.1:{ports[0]} - 127.0.0.1:{ports[1]}"]
        return sum(r["written_bytes"] for r in mine), sum(r["read_bytes"] for r in mine)
    with watching("-d", "500ms", "--by", "connection", "-m", "127.0.0.1:") as until:
        for i in range(1, 4):
            mover.stdin.write("\n")
            mover.stdin.flush()
            want = i * 20011, i * 101
            until(lambda rows, want=want: of(rows, client, server) >= want and of(rows, server, client) >= want[::-1])
    mover.communicate()
    rows = until(lambda rows: True)
    assert of(rows, client, server) == want and of(rows, server, client) == want[::-1], rows


def test_plain_tables(tmp_path):
    """If stdout is not a terminal; it ends when its reader closes the pipe."""
    with top("-d", "300ms", "--by", "command", "-t", "3", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
             text=True) as process:
        subprocess.run(hammer(tmp_path, 1, 1), check=True, capture_output=True)
        lines = [process.stdout.readline() for _ in range(12)]
        process.stdout.close()
        assert process.wait(recorder.START) == -signal.SIGPIPE
    head = lines[0].split()
    assert head == ["CALLS/s", "ERRORS/s", "READ/s", "WRITE/s", "LATENCY", "TIME", "COMMAND"]
    assert any(line.split()[-1] == "total" for line in lines) and "\x1b" not in "".join(lines)


# ---- the screen ----

class Screen:
    """iotrc top in a terminal of its own."""

    def __init__(self, tmp_path, *arguments, columns=80, lines=24, **env):
        self.socket = str(tmp_path / "tmux")
        self.status = tmp_path / "status"
        words = [f"{k}='{v}'" for k, v in {"LC_ALL": "C.UTF-8", "TERM": "screen-256color", **env}.items()]
        command = f"env -u NO_COLOR {' '.join(words)} {recorder.IOTRC} top {' '.join(arguments)}; echo $? >{self.status}; stty -a >>{self.status}"
        self.tmux("new-session", "-d", "-x", columns, "-y", lines, command, first=["-f", "/dev/null"])

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], check=False, capture_output=True)

    def tmux(self, *arguments, first=()):
        return subprocess.run(["tmux", "-S", self.socket, *first, *map(str, arguments)], check=True, capture_output=True, text=True,
                              env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout

    def text(self, *arguments):
        return self.tmux("capture-pane", "-p", *arguments).splitlines()

    def press(self, *keys):
        self.tmux("send-keys", *keys)

    def until(self, what):
        """The screen, once WHAT(lines) is true."""
        end = time.monotonic() + recorder.START
        while not what(lines := self.text()):
            assert time.monotonic() < end, "\n".join(lines)
            time.sleep(0.1)
        return lines

    def ended(self):
        """Its exit code, and the terminal's settings afterwards."""
        end = time.monotonic() + recorder.START
        while not (self.status.exists() and "icanon" in self.status.read_text()):
            assert time.monotonic() < end
            time.sleep(0.05)
        status, *settings = self.status.read_text().splitlines()
        return int(status), " ".join(settings)


def has_rows(lines):
    return len(lines) > 4 and lines[2].split()[:6] == HEAD and bool(lines[3].strip())


@pytest.fixture
def busy(tmp_path):
    """A program that reads and writes during the whole test, in files with long names."""
    code = ("import os, sys, time\nfor d in 'deep' * 5: os.mkdir(d * 30); os.chdir(d * 30)\nnames = ['näme', 'plain.dat']\n"
            "fds = [os.open(n, os.O_RDWR | os.O_CREAT) for n in names]\nprint('ready', flush=True)\n"
            "while True:\n for fd in fds:\n  os.pwrite(fd, bytes(50000), 0); os.pread(fd, 7, 0)\n"
            " try: os.stat('absent')\n except OSError: pass\n time.sleep(0.002)\n")
    process = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert process.stdout.readline() == b"ready\n"
    yield process
    process.kill()
    process.wait()


def test_a_terminal_of_80_columns(tmp_path, busy):
    """Views, sort orders, opening and going back, search, pause, help, quit."""
    with Screen(tmp_path, "-p", str(busy.pid)) as s:
        lines = s.until(has_rows)
        assert all(len(line) <= 80 for line in lines) and lines[0].startswith("iotrc top  by process, bytes first")
        assert lines[3].split()[-2] == str(busy.pid) and lines[3].split()[3] != "0"
        s.press("Enter") # its files
        lines = s.until(lambda x: has_rows(x) and " of process " in x[0] and any(n.endswith("plain.dat") for n in x))
        assert any(n.endswith("näme") for n in lines) and all(".." in n for n in lines[3:5])
        s.press("Enter") # there is nothing below
        s.press("Escape")
        s.until(lambda x: has_rows(x) and "of process" not in x[0])
        s.press("f", "w")
        s.until(lambda x: has_rows(x) and x[0].startswith("iotrc top  by file, written first"))
        s.press("/", "plain", "Enter")
        lines = s.until(lambda x: has_rows(x) and x[-1] == "/plain" and not x[4].strip())
        s.press("Enter") # the processes that use it
        s.until(lambda x: " of file " in x[0] and x[-1] == "/plain")
        s.press("Escape")
        s.until(lambda x: has_rows(x) and str(busy.pid) in x[3])
        s.press("h")
        s.until(lambda x: any("all again" in line for line in x))
        for key, view in dict(d="device", c="container", u="user", m="command", k="connection", p="process").items():
            s.press(key)
            s.until(lambda x, view=view: x[0].startswith(f"iotrc top  by {view}, "))
        s.press("h", " ")
        paused = s.until(lambda x: "PAUSED" in x[0] and has_rows(x))
        time.sleep(1.5)
        assert s.text() == paused
        s.press("q")
        code, settings = s.ended()
        assert code == 0 and " icanon" in settings and " echo " in settings


def test_resize_to_200_columns(tmp_path, busy):
    with Screen(tmp_path, "-p", str(busy.pid), "--by", "file") as s:
        s.until(lambda x: has_rows(x) and any(n.endswith("plain.dat") for n in x))
        s.tmux("resize-window", "-x", 200, "-y", 30)
        lines = s.until(lambda x: len(x) == 30 and has_rows(x) and max(map(len, x)) > 150)
        assert max(map(len, lines)) <= 200
        s.tmux("resize-window", "-x", 30, "-y", 6)
        s.until(lambda x: len(x) <= 6 and max(map(len, x)) <= 30)
        s.tmux("resize-window", "-x", 80, "-y", 24)
        s.until(lambda x: has_rows(x) and any(n.endswith("plain.dat") for n in x))
        s.press("C-c")
        assert s.ended()[0] == 0


@pytest.mark.parametrize("env, coloured, name", [
    ({}, True, "näme"), ({"NO_COLOR": "1"}, False, "näme"), ({"TERM": "vt100"}, False, "näme"), ({"LC_ALL": "C"}, True, "n??me"),
])
def test_terminals_that_can_do_less(tmp_path, busy, env, coloured, name):
    with Screen(tmp_path, "-p", str(busy.pid), "--by", "file", **env) as s:
        s.until(lambda x: has_rows(x) and any(n.endswith(name) for n in x))
        colours = re.findall(r"\x1b\[(?:\d+;)*(?:3[0-7]|4[0-7]|[34]8;5;\d+)m", "\n".join(s.text("-e")))
        assert bool(colours) == coloured, colours
        s.press("q")
        assert s.ended()[0] == 0


def test_a_terminal_that_is_not_known(tmp_path):
    with Screen(tmp_path, "2>" + str(tmp_path / "said"), TERM="nonsense") as s:
        assert s.ended()[0] == 1 and "use --batch" in (tmp_path / "said").read_text()


@pytest.mark.slow
def test_a_terminal_that_takes_nothing(tmp_path, busy):
    """It delays neither the sums nor the end, and the terminal's settings are restored."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    before = termios.tcgetattr(slave)
    process = top("-d", "100ms", "--by", "file", stdin=slave, stdout=slave, env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"})
    time.sleep(6) # nobody reads: the pty is full by now
    assert process.poll() is None and busy.poll() is None
    process.send_signal(signal.SIGINT)
    process.wait(recorder.START) # it would wait for ever
    assert termios.tcgetattr(slave)[3] == before[3]
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize("arguments, message", [
    (["--by", "mood"], "--by: there is no view 'mood'"), (["--sort", "x"], "--sort: there is no column 'x'"), (["-d", "soon"], "--delay: 'soon'"),
    (["-n", "x"], "not a number"), (["now"], "top takes no arguments"), (["-p", "0"], "is not a process id"),
])
def test_wrong_use_is_one_line(arguments, message):
    done = subprocess.run([recorder.IOTRC, "top", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and message in done.stderr
