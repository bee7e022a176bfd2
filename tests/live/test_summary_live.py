# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc summary`, live: as many calls and errors as strace counts, and as programs and the kernel count themselves,
under any load."""
import collections
import csv
import io
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time

import ptrace
import pytest
import recorder
from test_block import exercise, loop, settle, stat # pylint: disable=unused-import # loop is a fixture

TOP = pathlib.Path(__file__).resolve().parents[2]
HZ = os.sysconf("SC_CLK_TCK")
# Operations that cover only some of the calls of a name: of mapped files, not of memory; ioctl() and fcntl() with
# some commands. And rows that are not calls.
PARTLY = {"mmap", "munmap", "mremap", "msync", "madvise", "clone", "lock", "process_exit"}


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def counts(text, key="operation"):
    return {row[key]: (int(row["calls"]), int(row["errors"])) for row in read(text)}


class Watch:
    """A summary of what happens between enter and exit."""

    def __init__(self, *args, env=None):
        self.args, self.env = args, env

    def __enter__(self):
        self.process = subprocess.Popen([recorder.IOTRC, "summary", "--csv", *map(str, self.args)], env=self.env,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr.readline() == "watching\n"
        return self

    def __exit__(self, *exception):
        self.process.send_signal(signal.SIGINT)
        self.process.send_signal(signal.SIGCONT) # where a test has stopped it, and then failed
        self.out = self.process.stdout.read()
        self.said = self.process.stderr.read()
        assert self.process.wait() == 0, self.said
        self.rows = read(self.out)


def of_command(tmp_path, *command, args=(), **options):
    """The summary of a command that it runs."""
    out = tmp_path / "summary.csv"
    out.unlink(missing_ok=True)
    form = [] if "--json" in args else ["--csv"]
    done = subprocess.run([recorder.IOTRC, "summary", *form, "-o", out, *args, "--", *map(str, command)], check=False,
                          capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stderr
    assert "missing" not in done.stderr and "quantile" not in done.stderr, done.stderr
    return out.read_text(), done.stdout


# ---- strace -c -f ----

def operations():
    """The operation of each system call, from docs/fs-operations.md."""
    table = {}
    for line in (TOP / "docs" / "fs-operations.md").read_text().splitlines():
        cells = [c.strip() for c in line.split("|")]
        if len(cells) > 4 and re.fullmatch(r"\w+", cells[1]) and "AT_REMOVEDIR" not in cells[2]:
            for name in re.findall(r"`(\w+)`", cells[2]):
                table[name] = cells[1]
    return table


def strace(tmp_path, *command, **options):
    """{operation: (calls, errors)} by strace -c -f."""
    out = tmp_path / "strace.txt"
    subprocess.run(["strace", "-f", "-c", "-o", out, *map(str, command)], check=True, capture_output=True, **options)
    names, found = operations(), {}
    for line in out.read_text().splitlines():
        words = line.split()
        if len(words) in (5, 6) and words[-1] in names and re.fullmatch(r"[\d.]+", words[0]):
            calls, errors = int(words[3]), int(words[4]) if len(words) == 6 else 0
            before = found.get(names[words[-1]], (0, 0))
            found[names[words[-1]]] = (before[0] + calls, before[1] + errors)
    return found


SCRIPT = r"""
import os, subprocess, sys
os.makedirs("a/b", exist_ok=True)
for i in range(37):
    with open(f"a/b/{i}", "w") as f:
        f.write("x" * i * 100)
    os.rename(f"a/b/{i}", f"a/{i}")
    try:
        os.stat(f"a/b/{i}")
    except FileNotFoundError:
        pass
for name in sorted(os.listdir("a")):
    if name != "b":
        os.unlink(f"a/{name}")
os.rmdir("a/b"); os.rmdir("a")
subprocess.run(["/bin/sh", "-c", "cat /etc/passwd /nowhere; true"], stderr=subprocess.DEVNULL)
"""
PROGRAMS = {
    "ls": ["/bin/ls", "-lR", "/etc"],
    "tar": ["/bin/tar", "-cf", "out.tar", "tree"],
    "cp": ["/bin/cp", "-r", "tree", "copy"],
    "gcc": ["/usr/bin/gcc", "-O0", "-c", "tree/hello.c", "-o", "hello.o"],
    "python": ["/usr/bin/python3", "-S", "-E", "-B", "-c", SCRIPT],
    "sqlite": ["/usr/bin/sqlite3", "rows.db", "create table t(x); insert into t values(1),(2); select * from t;"],
}


@pytest.fixture
def place(tmp_path):
    """A directory that is the same for each run."""
    def fresh(name):
        there = tmp_path / name
        (there / "tree" / "deep").mkdir(parents=True)
        (there / "tree" / "hello.c").write_text("#include <stdio.h>\nint main(void) { return puts(\"\"); }\n")
        for i in range(23):
            (there / "tree" / "deep" / str(i)).write_text("x" * i * 1000)
        return there
    return fresh


@pytest.mark.parametrize("name", [n for n in PROGRAMS if os.path.exists(PROGRAMS[n][0]) or not recorder.EMULATED])
def test_it_counts_what_strace_counts(tmp_path, place, name):
    command = PROGRAMS[name]
    subprocess.run(command, cwd=place("before"), check=True, capture_output=True) # the program's own caches are filled
    want = strace(tmp_path, *command, cwd=place("strace"))
    text, _ = of_command(tmp_path, *command, cwd=place("summary"))
    got = counts(text)
    for operation in PARTLY:
        got.pop(operation, None)
        want.pop(operation, None)
    # unlinkat(AT_REMOVEDIR) is an rmdir here and an unlink in strace's summary.
    for some in got, want:
        some["remove"] = tuple(map(sum, zip(some.pop("rmdir", (0, 0)), some.pop("unlink", (0, 0)))))
    assert len(want) > 6 and sum(n for n, _ in want.values()) > 50
    assert got == want


RESULTS = """
import os, time
r, w = os.pipe()
for i in range(29):
    try:
        os.mkdir("/")
    except FileExistsError:
        os.access(".", os.F_OK)
if os.fork() == 0:
    time.sleep(0.15); os.write(w, b"x"); os._exit(0)
os.read(r, 1); os.wait()
if os.fork() == 0:
    os.setuid(65533)
    for i in range(1000):
        os.access("/", os.F_OK)
    os._exit(0)
os.wait()
"""


def test_filters_of_results_are_the_kernels(tmp_path):
    """A program that knows how often it fails, and that one read takes 150 ms."""
    script = [sys.executable, "-c", RESULTS]
    errors = counts(of_command(tmp_path, *script, args=["--errors"])[0])
    errors.pop("total", None)
    assert errors["mkdir"] == (29, 29) and errors.get("access", (0, 0))[0] < 29
    assert all(calls == failed for calls, failed in errors.values()), errors
    with recorder.undelayed():
        slow = counts(of_command(tmp_path, *script, args=["--slow", "100ms"])[0])
    slow.pop("total", None)
    assert slow == {"read": (1, 0)}
    others = counts(of_command(tmp_path, *script, args=["--ops", "!mkdir", "--uid", str(os.getuid())])[0])
    assert 29 <= others["access"][0] < 1000 and "mkdir" not in others


def test_the_status_is_the_command_s(tmp_path):
    done = subprocess.run([recorder.IOTRC, "summary", "--", "/bin/sh", "-c", "echo out; exit 7"], check=False,
                          capture_output=True, text=True)
    assert done.returncode == 7 and done.stdout == "out\n" and "process_exec" in done.stderr


# ---- what a program knows about itself ----

def hammer(tmp_path, seconds=1, processes=3):
    work = tmp_path / "file"
    work.write_bytes(bytes(4096))
    return [str(a) for a in (recorder.workload("hammer"), work, seconds, processes)]


@pytest.mark.full_speed # at full speed
def test_no_load_can_falsify_it(tmp_path):
    """Under a load that makes a recording lose rows, and then under twice that load, while the summary itself does not run;
    the calls of other programs are not counted."""
    n, seconds = os.cpu_count() or 1, 20 if recorder.EMULATED else 2 # until the buffers are full
    mine = "--command", "hammering", *recorder.OWN
    with Watch("--by", "operation,process", *mine) as w:
        with recorder.Recording(tmp_path, "--streams", "fs", *mine, "--memory", "128M", code=3) as r:
            w.process.send_signal(signal.SIGSTOP)
            load = subprocess.Popen(hammer(tmp_path, seconds, n), stdout=subprocess.PIPE, text=True)
            with ptrace.held(r.process.pid, "iotrc-reader"):
                made = collections.Counter(json.loads(load.communicate(timeout=120)[0]))
        twice = subprocess.run(hammer(tmp_path, seconds, 2 * n), check=True, capture_output=True, text=True)
        made.update(json.loads(twice.stdout))
        w.process.send_signal(signal.SIGCONT)
    assert sum(r.session.counts("fs")["lost"].values()) > 0
    sums = {op: sum(int(r["calls"]) for r in w.rows if r["operation"] == op) for op in made}
    assert sums == made
    assert sum(int(r["bytes"]) for r in w.rows if r["operation"] == "read") == 64 * made["read"]
    assert len({r["process"] for r in w.rows}) == 3 * n and {r["process_command"] for r in w.rows} == {"hammering"}
    assert "missing" not in w.said


@pytest.mark.parametrize("keys", ["command,user", "errno,size", "container,process"])
def test_groups_are_those_of_the_rows(tmp_path, keys):
    """The workload's calls, by each of the keys."""
    with Watch("--by", keys, "--command", "hammering", "--ops", "read,getattr,access", *recorder.OWN) as w:
        done = subprocess.run(hammer(tmp_path, 0, 2), check=True, capture_output=True, text=True)
    made = json.loads(done.stdout)
    reads, getattrs, accesses = made["read"], made["getattr"], made["access"]
    want = {
        "command": {"hammering": reads + getattrs + accesses}, "user": {"root": reads + getattrs + accesses},
        "errno": {"-": reads + getattrs + accesses}, "size": {"64": reads, "-": getattrs + accesses},
    }
    for by in keys.split(","):
        got = collections.Counter()
        for row in w.rows:
            got[row[by]] += int(row["calls"])
        if by in want:
            assert got == want[by]
        else:
            assert got.total() == reads + getattrs + accesses and len(got) == (2 if by == "process" else 1)


WAITS = """
import json, os, sys, time
calls, wait = int(sys.argv[2]), float(sys.argv[3])
r, w = os.pipe()
back, go = os.pipe()
if os.fork() == 0:
    for i in range(calls):
        os.read(back, 1)
        time.sleep(wait if i < calls - 1 else 0.2)
        os.write(w, b"x")
    os._exit(0)
took = []
for i in range(calls):
    os.write(go, b"x")
    since = time.monotonic_ns()
    os.read(r, 1000000)
    took.append(time.monotonic_ns() - since)
with open(sys.argv[1], "w") as f:
    json.dump(took, f)
"""


@pytest.mark.parametrize("calls, wait", [(31, 0.02), (151, 0.005)])
def test_times_are_those_of_the_calls(tmp_path, calls, wait):
    """Reads of an empty pipe that wait WAIT s each, and one that waits 200 ms; the program measures them itself, which takes
    a little longer on a busy machine. The kernel keeps the first 64 times of a group elsewhere than later ones."""
    text, _ = of_command(tmp_path, "/usr/bin/python3", "-S", "-E", "-c", WAITS, str(tmp_path / "took"), calls, wait,
                         args=["--by", "file,size"])
    one, = [r for r in read(text) if r["size"] == "524288" and r["file"].startswith("pipe:")]
    took = sorted(json.loads((tmp_path / "took").read_text()))
    slack = 0.002e9 + 0.1 * sum(took)
    assert int(one["calls"]) == calls and int(one["bytes"]) == calls
    assert 0.9e9 * wait < int(one["p50_ns"]) < took[2 * calls // 3] * 1.01
    assert 0.19e9 < int(one["max_ns"]) <= took[-1]
    assert int(one["total_ns"]) <= sum(took)
    if calls < 100: # the 99th percentile is the longest
        assert abs(int(one["p99_ns"]) - int(one["max_ns"])) <= int(one["max_ns"]) / 128
        assert sum(took) - slack < int(one["total_ns"])
    else:
        assert int(one["p99_ns"]) < took[-1] * 1.01


def test_a_process_and_its_children_alone(tmp_path):
    """-p ends when the process has ended."""
    loop_ = "read x; i=0; while [ $i -lt 13 ]; do /bin/cat /etc/passwd >/dev/null; i=$((i+1)); done"
    shell = subprocess.Popen(["/bin/sh", "-c", loop_], stdin=subprocess.PIPE, text=True)
    w = Watch("-p", shell.pid, "--by", "command,operation")
    w.__enter__() # pylint: disable=unnecessary-dunder-call
    shell.stdin.write("go\n")
    shell.stdin.close()
    assert shell.wait() == 0
    rows = read(w.process.stdout.read())
    assert w.process.wait() == 0
    got = {(r["command"], r["operation"]): int(r["calls"]) for r in rows}
    assert got[("cat", "process_exec")] + got.get(("sh", "process_exec"), 0) == 13
    assert {r["command"] for r in rows} == {"sh", "cat"}


# ---- files ----

FILES = 31
BY_FILE = f"""
import os, sys
os.mkdir(sys.argv[1])
os.chdir(sys.argv[1])
for i in range({FILES}):
    fd = os.open(f"f {{i}}", os.O_RDWR | os.O_CREAT, 0o644)
    for _ in range(i + 1): os.write(fd, bytes(100 + i))
    for _ in range(2 * i): os.pread(fd, 7, 0)
    os.close(fd)
    for _ in range(3): os.stat(f"f {{i}}")
    try: os.stat(f"absent {{i}}")
    except FileNotFoundError: pass
os.symlink("f 3", "link"); os.stat("link"); os.rename("f 4", "moved"); os.unlink("f 5")
"""


def test_files_are_those_of_the_program(tmp_path):
    """By file and operation, under the same names as in rows; also of files that were reached by paths only."""
    text, _ = of_command(tmp_path, "/usr/bin/python3", "-S", "-E", "-B", "-c", BY_FILE, tmp_path / "new",
                         args=["--by", "file,operation"])
    got = {(r["file"], r["operation"]): (int(r["calls"]), int(r["errors"]), int(r["bytes"])) for r in read(text)}
    for i in range(FILES):
        if i == 4: # it has two names
            continue
        name = str(tmp_path / "new" / f"f {i}")
        assert got[(name, "write")] == (i + 1, 0, (i + 1) * (100 + i))
        assert got.get((name, "read"), (0, 0, 0)) == (2 * i, 0, 14 * i)
        assert got[(name, "open")] == got[(name, "close")] == (1, 0, 0)
        assert got[(name, "getattr")][:2] == (3 + (i == 3), 0)
    assert got[("-", "getattr")][1] >= FILES # calls that reached no file
    both = sum(got.get((str(tmp_path / "new" / name), "write"), (0,))[0] for name in ("f 4", "moved"))
    assert both == 5


TREE = """
import os, sys
os.chdir(sys.argv[1])
for name, reads in ("one.csv", 3), ("sub/two.csv", 5), ("sub/three", 7):
    fd = os.open(name, os.O_RDWR | os.O_CREAT)
    for _ in range(reads): os.pread(fd, 1 << 20, 0)
"""


def test_parts_of_names(tmp_path):
    (tmp_path / "tree/sub").mkdir(parents=True)
    text, _ = of_command(tmp_path, "/usr/bin/python3", "-S", "-E", "-c", TREE, tmp_path / "tree",
                         args=["--by", "directory,extension", "--ops", "read"])
    tree = str(tmp_path / "tree")
    got = {(r["directory"], r["extension"]): int(r["calls"]) for r in read(text) if r["directory"].startswith(tree)}
    assert got == {(tree, "csv"): 3, (f"{tree}/sub", "csv"): 5, (f"{tree}/sub", "-"): 7}


def test_file_systems_are_those_of_the_files(tmp_path):
    """Type and device, of open files and of paths, as the mount table has them."""
    def mounted(path):
        """(device, type) of the file system that PATH is on."""
        lines = [line.split() for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]
        below = [f for f in lines if path.is_relative_to(f[4])]
        last = sorted(below, key=lambda f: len(f[4]))[-1] # of equal ones the last one, which hides the others
        return last[2], last[last.index("-") + 1]
    with tempfile.TemporaryDirectory(dir="/dev/shm") as shm:
        places = pathlib.Path(shm), tmp_path
        (types, devices), each = zip(*map(reversed, map(mounted, places))), (3, 5)
        script = "; ".join(f"f = open('{p}/x', 'w'); [os.access('{p}/x', os.R_OK) for _ in range({n})]; "
                           f"[os.fsync(f.fileno()) for _ in range(7 * {n})]" for p, n in zip(places, each))
        text, _ = of_command(tmp_path, "/usr/bin/python3", "-S", "-E", "-B", "-c", "import os; " + script,
                             args=["--by", "fs_type,device", "--ops", "access,fsync"])
        got = {(r["fs_type"], r["device"]): int(r["calls"]) for r in read(text)}
        want = collections.Counter()
        for name, n in zip(zip(types, devices), each):
            want[name] += n + 7 * n
        assert {name: n for name, n in got.items() if name != ("-", "-")} == want # -: of absent files


def test_minutes_are_those_of_the_clock(tmp_path):
    """Calls before and after the end of a minute, by a clock on which that is near."""
    zone, setting = {**os.environ, "TZ": "XXX-05:45"}, tmp_path / "added"
    env = {**zone, "LD_PRELOAD": recorder.workload("stepped_clock.so"), "STEPPED_CLOCK": str(setting)}
    work = tmp_path / "work"
    work.write_bytes(b"x")
    for ahead in 3, 10, 60: # s until that minute ends, if iotrc starts in that time
        end = time.monotonic() + ahead
        noon = 982_152_000 * 10**9 # 2001-02-14 12:00:00 UTC
        setting.write_bytes(struct.pack("q", noon - ahead * 10**9 - time.clock_gettime_ns(time.CLOCK_REALTIME)))
        with Watch("--by", "minute,file", "--ops", "read", "--pid", os.getpid(), env=env) as w, open(work, "rb") as f:
            for _ in range(7):
                os.pread(f.fileno(), 1, 0)
            in_time = time.monotonic() < end - 0.5
            time.sleep(max(0, end - time.monotonic()) + 0.5 if in_time else 0)
            for _ in range(11):
                os.pread(f.fileno(), 1, 0)
        if in_time:
            break
    got = {r["minute"]: int(r["calls"]) for r in w.rows if r["file"] == str(work)}
    assert got == {"2001-02-14 17:44": 7, "2001-02-14 17:45": 11}


def test_files_equal_those_of_a_session(tmp_path):
    """Each file that was read or written has as many calls and bytes as in a recording at the same time."""
    script = "for i in 1 2 3 4 5 6 7; do cat /etc/passwd >>all; dd if=all of=copy bs=512 2>/dev/null; mv copy copy$i; done"
    command = "/bin/sh", "-c", f"cd {tmp_path}; {script}"
    with Watch("--by", "file,operation", "--ops", "read,write", *recorder.OWN) as w:
        with recorder.Recording(tmp_path, *recorder.OWN, "--streams", "fs") as r:
            subprocess.run(command, check=True)
    rows = r.rows("fs")
    rows = rows[rows.operation.isin(["read", "write"]) & rows.filename.str.startswith(str(tmp_path))]
    want = {}
    for name, operation, moved in zip(rows.filename, rows.operation, rows.bytes_completed):
        n, so_far = want.get((name, operation), (0, 0))
        want[(name, operation)] = n + 1, so_far + int(moved or 0)
    got = {(x["file"], x["operation"]): (int(x["calls"]), int(x["bytes"])) for x in w.rows if (x["file"], x["operation"]) in want}
    assert len(want) == 3 and got == want


@pytest.mark.full_speed # at full speed
def test_more_files_than_there_is_room_for(tmp_path, memory_path):
    """When the kernel has no group left, calls count without their file: no call is missing."""
    n = 20_000
    many = (f"import os, sys\nos.chdir(sys.argv[1])\nfor i in range({n}):\n"
            " fd = os.open(f'{i}', os.O_WRONLY | os.O_CREAT); os.write(fd, b'x' * 10); os.close(fd); os.unlink(f'{i}')\n")
    text, _ = of_command(tmp_path, "/usr/bin/python3", "-S", "-E", "-B", "-c", many, memory_path, args=["--by", "file,process", "--ops", "write"])
    rows = read(text)
    named = [r for r in rows if r["file"].startswith(str(memory_path))]
    assert sum(int(r["calls"]) for r in rows) == n and sum(int(r["bytes"]) for r in rows) == 10 * n
    assert 0.9 * 16384 < len(named) <= 16384 and all(int(r["calls"]) == 1 for r in named)


CALLS_OF_MANY = """
import os, sys
os.chdir(sys.argv[1])
open("file", "w").close()
fails = ((os.mkdir, "/"), (os.rmdir, "none"), (os.rename, "none", "other"), (os.unlink, "none"), (os.link, "none", "other"),
         (os.symlink, "none", "/"), (os.mknod, "/"), (os.getxattr, "none", "user.x"),
         (os.setxattr, "none", "user.x", b""), (os.listxattr, "none"), (os.removexattr, "none", "user.x"), (os.fdatasync, 999))
for _ in range(int(sys.argv[2])):
    if os.fork() == 0:
        for call, *arguments in fails:
            try:
                call(*arguments)
            except OSError:
                continue
            os._exit(1)
        os.truncate("file", 0)
        os.chmod("file", 0o600)
        os._exit(0)
    if os.wait()[1]:
        sys.exit(1)
"""


@pytest.mark.native # thousands of processes
def test_more_groups_than_there_is_room_for(tmp_path):
    """What the kernel has no group for is in the rest: no call and no error of many processes is missing."""
    n = 1500
    failing = "mkdir,rmdir,rename,unlink,link,symlink,mknod,getxattr,setxattr,listxattr,removexattr,fdatasync"
    text, _ = of_command(tmp_path, "/usr/bin/python3", "-S", "-E", "-B", "-c", CALLS_OF_MANY, tmp_path, n,
                         args=["--json", "--by", "process,operation", "--ops", f"{failing},truncate,setattr"])
    sums, = json.loads(text)["summaries"]
    errors = n * len(failing.split(","))
    for column, want in ("calls", errors + 2 * n), ("errors", errors):
        assert sums["others"][column] > 0 and sums["total"][column] == want
        assert sum(g[column] for g in sums["groups"]) + sums["others"][column] == want


def test_the_page_cache_by_file(tmp_path):
    """Names come from opens, which are recorded for that purpose."""
    work = tmp_path / "cached"
    work.write_bytes(bytes(4096 * 64))
    with Watch("--stream", "cache", "--by", "file") as w:
        for _ in range(5):
            work.read_bytes()
    mine, = [r for r in w.rows if r["file"] == str(work)]
    assert int(mine["hits"]) >= 5 * 64 and "fs:" not in w.said


# ---- the kernel's counters ----

def test_block_requests_equal_the_counters(loop): # pylint: disable=redefined-outer-name
    number = os.stat(loop).st_rdev
    with Watch("--stream", "block", "--by", "device,operation") as w:
        settle(loop)
        before = stat(loop)
        exercise(loop)
        settle(loop)
        after = stat(loop)
    mine = {r["operation"]: r for r in w.rows if r["device"] == f"{os.major(number)}:{os.minor(number)}"}
    for operation in "read", "write":
        requests, sectors = (a - b for a, b in zip(after[operation], before[operation]))
        missing = recorder.unseen(requests)
        assert requests > 10 and requests - missing <= int(mine[operation]["calls"]) <= requests
        if not missing:
            assert int(mine[operation]["bytes"]) == 512 * sectors


# ---- cost ----

@pytest.mark.native # time under emulation means nothing
def test_it_costs_next_to_nothing_itself(tmp_path):
    """The summary takes less than 1 % of a CPU, however many calls there are."""
    with Watch("--command", "hammering", *recorder.OWN) as w:
        began, before = time.monotonic(), cpu_ticks(w.process.pid)
        subprocess.run(hammer(tmp_path, 3, 1), check=True, capture_output=True)
        used = (cpu_ticks(w.process.pid) - before) / HZ / (time.monotonic() - began)
    assert used < 0.01


def cpu_ticks(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


@pytest.mark.parametrize("args, why", [
    (["--stream", "nw_conn", "--by", "remote"], "record a session, then iotrc summary SESSION --stream nw_conn --by remote"),
    (["--path", "/etc"], "record one, and sum it up"), (["--stream", "nw_conn", "--by", "size"], "have no size"),
    (["--stream", "block", "--by", "file"], "have no file"),
    (["-d", "soon"], "--duration: 'soon'"), (["--scope", "some"], "--scope: 'some'"), (["--ops", "fly"], "--ops:"),
    (["-d", "1s", "--", "true"], "don't go with"),
])
def test_what_makes_no_sense_is_refused(args, why):
    done = subprocess.run([recorder.IOTRC, "summary", *args], check=False, capture_output=True, text=True)
    assert done.returncode == 2 and why in done.stderr
