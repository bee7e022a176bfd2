# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/questions.md: each line that answers a question is run as it stands there, and must give the answer that the program
which was recorded knows. Live lines get the option that keeps other programs out; `-p 1` stands for the program."""
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

import pytest

import recorder

PAGE = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "questions.md").read_text()
SECTIONS = {title: re.findall(r"```(\w*)\n(.*?)```", text, re.S) for title, text in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.S | re.M)}
# Writes 3 MB, reads one file 5,000 times, waits for a lock, fails 4,000 times, connects 40 times and sends 200,003 bytes.
PROGRAM = """
import fcntl, os, socket, subprocess, sys, time
os.chdir(sys.argv[1])
fd = os.open("big", os.O_RDWR | os.O_CREAT)
for _ in range(3): os.write(fd, bytes(1000000))
os.fsync(fd)
busy = os.open("busy", os.O_RDWR | os.O_CREAT)
for _ in range(5000): os.pread(busy, 1, 0)
lock = os.open("slow", os.O_RDWR | os.O_CREAT)
if os.fork() == 0:
    mine = os.open("slow", os.O_RDWR)
    fcntl.flock(mine, fcntl.LOCK_EX)
    time.sleep(1.5)
    os._exit(0)
time.sleep(0.5)
fcntl.flock(lock, fcntl.LOCK_EX)
os.wait()
for _ in range(4000):
    try: os.open("absent", os.O_RDONLY)
    except OSError: pass
subprocess.run(["/bin/echo", "how", "are", "you"], stdout=subprocess.DEVNULL)
server = socket.create_server(("127.0.0.1", 0))
for i in range(40):
    with socket.create_connection(server.getsockname()) as s, server.accept()[0] as t:
        if not i:
            s.sendall(b"x" * 200003)
            s.shutdown(socket.SHUT_WR)
            while t.recv(1 << 20): pass
for _ in range(100):
    with open("big", "rb") as f: f.read(4096)
"""
# What goes on: reads 1,000 times a second, until it is told to stop.
GOING_ON = """
import fcntl, os, sys, time
os.chdir(sys.argv[1])
fd = os.open("going on", os.O_RDWR | os.O_CREAT)
os.write(fd, bytes(8192))
if len(sys.argv) > 2:
    other = os.open("going on", os.O_RDWR)
    fcntl.flock(other, fcntl.LOCK_EX)
print("ready", flush=True)
if len(sys.argv) > 2: fcntl.flock(fd, fcntl.LOCK_EX)
while True:
    os.pread(fd, 4096, 0)
    time.sleep(0.001)
"""


@pytest.fixture(scope="module")
def place(module_path):
    """A directory with iotrc-traces, a recording of the program made as the page says."""
    work = pathlib.Path(module_path)
    line = next(line for line in PAGE.splitlines() if line.startswith("sudo iotrc --cache"))
    options = shlex.split(line)[2:-2] # without sudo, iotrc and -d TIME
    with recorder.Recording(work, *options, *recorder.OWN, output=work / "iotrc-traces", code=None):
        subprocess.run([sys.executable, "-c", PROGRAM, work], check=True)
    return work


def answer(place, title, *more, program=None):
    """The output of the page's line for the question whose title contains TITLE."""
    section, = [blocks for t, blocks in SECTIONS.items() if title in t]
    line = next(text for kind, text in section if kind == "sh").splitlines()[0].removeprefix("sudo ")
    words = [recorder.IOTRC if w == "iotrc" else w for w in shlex.split(line)]
    words = [str(program.pid) if program and before == "-p" else w for before, w in zip(["", *words], words)]
    at = words.index("--") if "--" in words else len(words)
    done = subprocess.run(words[:at] + list(more) + words[at:], cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 3), done.stderr
    return (done.stderr if "--" in words else done.stdout).splitlines() # of a command it is beside the command's own


def test_the_page_has_fourteen_questions_each_with_a_line_and_its_output():
    assert len(SECTIONS) == 14
    for title, blocks in SECTIONS.items():
        assert [kind for kind, _ in blocks[:2]] == ["sh", ""], title
        assert len(blocks[0][1].splitlines()) == 1, title
    readme = (pathlib.Path(__file__).resolve().parents[2] / "README.md").read_text()
    assert "docs/questions.md" in readme[:readme.index("\n## ")]


def column(lines, head):
    """{name of a group: its value of column HEAD, as printed}; names are the last column."""
    heads = re.split(r"(?<=\S) +(?=\S)", lines[0].replace("hit ratio", "hit_ratio").strip())
    at = heads.index(head)
    return {line.split(None, len(heads) - 1)[-1]: line.split()[at] for line in lines[1:]}


def test_which_process_writes_most(place):
    first = answer(place, "writes most")[1].split()
    assert first[-3] == "2.9M" and first[-1] == os.path.basename(sys.executable)[:15]


def test_which_files_are_slow_and_which_are_busiest(place):
    slow = answer(place, "slow")
    assert slow[1].endswith(f" {place}/slow")
    assert float(column(slow, "max")[f"{place}/slow"].removesuffix("s").removesuffix("m")) > 0.5
    busiest = column(answer(place, "busiest"), "calls")
    assert int(busiest[f"{place}/busy"]) == 5001 # open


def test_what_fails(place):
    lines = [line.split() for line in answer(place, "fail")]
    at = lines[0].index("errors")
    assert any(line[-2:] == ["open", "ENOENT"] and int(line[at]) >= 4000 for line in lines[1:4]), lines


def test_disk_latency(place):
    lines = answer(place, "disk latency")
    assert "q.p99" in lines[0] and lines[-1].endswith(" total")
    if lines[-1].split()[2] != "0": # a file system without a disk makes no requests
        assert any(re.search(r"\d+:\d+  \S+$", line) for line in lines[1:-1])


def test_who_started_whom(place):
    rows = answer(place, "started")
    assert [row.split(",")[3] for row in rows if "/bin/echo" in row] == ["/bin/echo how are you"]


def test_who_connects_where(place):
    assert any(re.search(r" python3\S*  127\.0\.0\.1:\d+$", line) and line.split()[2] == "40" for line in answer(place, "connects")), \
        answer(place, "connects")


def test_bytes_of_each_connection(place):
    lines = answer(place, "each connection", "--json", "--where", "local_addr == '127.0.0.1'")
    one, = json.loads("\n".join(lines))["summaries"]
    assert one["total"]["sent"] == one["total"]["received"] >= 200003
    assert one["total"]["calls"] == 80 and max(g["sent"] for g in one["groups"]) in (0, 200003)


@pytest.fixture
def going_on(place, request):
    with subprocess.Popen([sys.executable, "-c", GOING_ON, place, *getattr(request, "param", [])],
                          stdout=subprocess.PIPE) as program:
        assert program.stdout.readline() == b"ready\n"
        time.sleep(0.2)
        yield program
        program.kill()


def test_what_happens_right_now(place, going_on):
    lines = answer(place, "happening", *recorder.OWN)
    assert any(line.split()[-2:-1] == [str(going_on.pid)] for line in lines[1:]), lines


def test_what_a_process_does_from_now_on(place, going_on):
    lines = [line for line in answer(place, "this process do", program=going_on) if f" {going_on.pid} " in line]
    assert len(lines) > 50 and all(re.search(r" read .*/going on .*→ 4096 ", line) for line in lines)


def test_the_cache_now(place, going_on):
    lines = answer(place, "cache hit", "--pid", str(going_on.pid))
    assert lines[1].endswith(f" {place}/going on") and "100.0%" in lines[1], lines


@pytest.mark.parametrize("going_on", [["lock"]], indirect=True)
def test_where_it_hangs(place, going_on):
    lines = answer(place, "hang", program=going_on)
    assert any(re.search(rf"{going_on.pid} .* lock +{place}/going on$", line) for line in lines), lines


MAKEFILE = "out: in\n\tcp in out\n"


def test_a_command_and_a_build(place):
    (place / "Makefile").write_text(MAKEFILE)
    for title in "build", "this command":
        (place / "in").write_text("something")
        (place / "out").unlink(missing_ok=True)
        lines = answer(place, title)
        if title == "build":
            assert [lines[lines.index(head) + 1] for head in ("FILES READ (2)", "FILES WRITTEN (1)")] == ["  Makefile", "  out"]
        else:
            assert lines[0].split()[:4] == ["share", "total", "calls", "errors"] and int(lines[-1].split()[2]) > 50
