# SPDX-License-Identifier: GPL-2.0-or-later
"""The scripts of dtrace/, unchanged, with DTrace for Linux on this kernel: compares the rows of a program with strace's
log of the same run, and block requests with what the device counted. There is one recording for all tests, because DTrace
takes a minute to attach (needs root; $DTRACE_ROOT as dtrace-linux expects it)."""
import collections
import csv
import functools
import io
import json
import mmap
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest
import zstandard

HERE = pathlib.Path(__file__).resolve().parent
IOTRC = os.environ.get("IOTRC", str(HERE.parent.parent / "build" / "iotrc"))
START = 400 # seconds, on a busy machine
REPEATS = 7
# Each call whose rows are compared, and its operation.
CALLS = {"openat": "open", "open": "open", "read": "read", "write": "write", "pread64": "read", "pwrite64": "write",
         "readv": "read", "writev": "write", "close": "close", "fsync": "fsync", "fdatasync": "fdatasync",
         "ftruncate": "truncate", "truncate": "truncate", "rename": "rename", "unlink": "unlink", "mkdir": "mkdir",
         "rmdir": "rmdir", "link": "link", "symlink": "symlink", "readlink": "readlink", "newfstatat": "getattr",
         "access": "access", "chdir": "chdir", "fchdir": "chdir", "unlinkat": "unlink", "renameat": "rename",
         "mkdirat": "mkdir", "chmod": "setattr", "fchmod": "setattr", "fchown": "setattr", "utimensat": "setattr",
         **{f"{f}{name}xattr": f"{name}xattr" for f in ("", "f") for name in ("set", "get", "list", "remove")},
         "preadv2": "read", "pwritev2": "write", "fallocate": "fallocate",
         "flock": "lock", "getdents64": "readdir", "sendfile": "sendfile", "copy_file_range": "copy_file_range", "mmap": "mmap",
         "linkat": "link", "symlinkat": "symlink", "readlinkat": "readlink", "mknodat": "mknod"}
PROGRAM = r'''
import fcntl, mmap, os, socket, sys
name = b'a "b"\n\\x\xff\xc3\xa9'
os.chdir(sys.argv[1])
for i in range(%d):
    fd = os.open(name, os.O_CREAT | os.O_RDWR | os.O_TRUNC, 0o640)
    os.write(fd, b"hello world"); os.pread(fd, 5, 3); os.pwrite(fd, b"x", 20); os.ftruncate(fd, 7)
    copy = os.dup(fd); os.close(fd); os.writev(copy, [b"12", b"345"]); os.fsync(copy); os.fdatasync(copy)
    os.rename(name, b"moved"); os.write(copy, b"after"); os.close(copy)
    os.link("moved", "second"); os.symlink("moved", "third"); os.readlink("third"); os.truncate("moved", 3)
    os.chmod("moved", 0o600); os.access("moved", os.R_OK)
    os.mkdir("sub"); here = os.open(".", os.O_RDONLY | os.O_DIRECTORY); os.chdir("sub")
    os.close(os.open("../sub/./f", os.O_CREAT | os.O_WRONLY)); os.fchdir(here)
    os.rename("sub", "sub2"); os.unlink("f", dir_fd=os.open("sub2", os.O_RDONLY)); os.close(here); os.rmdir("sub2")
    for bad in ("gone", "gone/f", "moved/f"):
        try: os.open(bad, os.O_RDONLY)
        except OSError: pass
    with open("moved", "r+b") as f:
        fd = f.fileno()
        os.posix_fallocate(fd, 0, 8192); os.preadv(fd, [bytearray(3)], 1); os.pwritev(fd, [b"1", b"2"], 5)
        os.fchmod(fd, 0o640); os.fchown(fd, -1, -1); fcntl.flock(fd, fcntl.LOCK_EX); mmap.mmap(fd, 4096).close()
        to = os.open("to", os.O_CREAT | os.O_WRONLY); os.sendfile(to, fd, 0, 10); os.copy_file_range(fd, to, 20, 0, 10); os.close(to)
        for what in ("moved", fd):
            for call, *more in (os.setxattr, b"user.x", b"y"), (os.getxattr, b"user.x"), (os.listxattr,), (os.removexattr, b"user.x"):
                try: call(what, *more)
                except OSError: pass
    os.utime("to", (1, 2)); os.listdir(".")
    top = os.open(".", os.O_RDONLY)
    os.link("moved", "l", src_dir_fd=top, dst_dir_fd=top); os.symlink("l", "s", dir_fd=top); os.readlink("s", dir_fd=top)
    os.mkdir("d", dir_fd=top); os.mkfifo("p", dir_fd=top)
    for n in ("to", "l", "s", "p"): os.unlink(n, dir_fd=top)
    os.rmdir("d", dir_fd=top); os.close(top)
    os.spawnv(os.P_WAIT, "/bin/true", ["true", "-x"])
    child = os.fork()
    if not child:
        mine = os.open("third", os.O_WRONLY); os.write(mine, b"child"); os._exit(5)
    os.waitpid(child, 0)
    for n in ("moved", "second", "third"): os.unlink(n)
    s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(7)
    c = socket.socket(); c.connect(s.getsockname()); a, _ = s.accept(); a.shutdown(socket.SHUT_WR)
    for x in (a, c, s): x.close()
    u = socket.socket(socket.AF_UNIX); u.bind("here"); u.listen(3)
    w = socket.socket(socket.AF_UNIX); w.connect("here"); b, _ = u.accept()
    for x in (b, w, u): x.close()
    w = socket.socket(socket.AF_UNIX)
    try: w.connect(sys.argv[1] + "/nobody")
    except OSError: pass
    w.close(); os.unlink("here")
    v = socket.socket(socket.AF_INET6)
    try: v.connect(("::1", 1))
    except OSError: pass
    v.close()
''' % REPEATS


def read_rows(out, stream, wanted=lambda row: True):
    rows = []
    for path in sorted(out.glob(f"*/*/*/{stream}/*.zst")):
        with zstandard.ZstdDecompressor().stream_reader(path.read_bytes()) as reader:
            rows += filter(wanted, csv.DictReader(io.TextIOWrapper(reader, "utf-8", newline="")))
    return rows


@functools.cache
def workload_rows(recorded, stream):
    """Those of the program and its descendants: on a busy machine there are millions of others."""
    pids = set(re.findall(r"^(\d+) ", (recorded / "strace").read_text(), re.M))
    return read_rows(recorded / "out", stream, lambda row: row["pid"] in pids)


# Of a disk of the test's own: each request's place and size, in bytes.
BLOCK = 64 << 10
WRITES = [(i * 3 * BLOCK, BLOCK) for i in range(23)]
READS = [(i * 5 * BLOCK + 4096, 8192) for i in range(13)]


def counted(device):
    """Requests and sectors that the device has completed, by direction (Documentation/block/stat.rst)."""
    n = [int(word) for word in pathlib.Path(f"/sys/block/{os.path.basename(device)}/stat").read_text().split()]
    return {"read": (n[0], n[2]), "write": (n[4], n[6])}


def use_disk(path):
    """Reads and writes a loop device past the page cache, one request a call. What it counted is in `disk`."""
    with open(path / "image", "wb") as f:
        f.truncate(16 << 20)
    device = subprocess.run(["losetup", "--find", "--show", path / "image"], stdout=subprocess.PIPE, text=True,
                            check=True).stdout.strip()
    try:
        fd = os.open(device, os.O_RDWR | os.O_DIRECT)
        before, began = counted(device), time.monotonic_ns()
        time.sleep(0.5)
        with mmap.mmap(-1, BLOCK) as memory:
            for at, size in WRITES:
                assert os.pwritev(fd, [memoryview(memory)[:size]], at) == size
            for at, size in READS:
                assert os.preadv(fd, [memoryview(memory)[:size]], at) == size
        time.sleep(0.5)
        after, ended, number = counted(device), time.monotonic_ns(), os.fstat(fd).st_rdev
        os.close(fd)
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)
    (path / "disk").write_text(json.dumps({
        "device": f"{os.major(number)}:{os.minor(number)}", "span": [began, ended],
        "counted": {word: [a - b for a, b in zip(after[word], before[word])] for word in after}}))


def family(pid):
    """The process and its descendants."""
    children = collections.defaultdict(list)
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            children[int(path.read_text().rpartition(")")[2].split()[1])].append(int(path.parent.name))
        except OSError: # it has ended
            pass
    found, left = set(), [pid]
    while left:
        found.add(left[-1])
        left += children[left.pop()]
    return found


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The recording, and everything that was done meanwhile."""
    path = tmp_path_factory.mktemp("dtrace")
    out, work = path / "out", path / "work"
    work.mkdir()
    log = open(path / "log", "wb")
    recorder = subprocess.Popen(
        [IOTRC, "dev", "--dtrace", HERE / "dtrace-linux", "--no-snapshots", "--streams", "fs,block,nw_conn", "-o", out],
        stderr=log)
    deadline = time.monotonic() + START
    while not list(out.glob("*/*/*/manifest.json")):
        assert recorder.poll() is None and time.monotonic() < deadline, (path / "log").read_text()
        time.sleep(0.2)
    subprocess.run(["strace", "-f", "-y", "-xx", "-s", "4096", "-e", "signal=none", "-o", path / "strace",
                    "/usr/bin/python3", "-I", "-S", "-c", PROGRAM, work], check=True)
    use_disk(path)
    own = family(recorder.pid)
    recorder.send_signal(signal.SIGHUP) # it writes what it has to the disk
    while not list(out.glob("*/*/*/fs/*.zst")):
        assert recorder.poll() is None and time.monotonic() < deadline, (path / "log").read_text()
        time.sleep(0.2)
    (path / "own").write_text(json.dumps(sorted(own | family(recorder.pid))))
    time.sleep(3)
    recorder.send_signal(signal.SIGINT)
    recorder.wait(timeout=60)
    return path


def bytes_of(text):
    return re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), text.encode())


def unescape(field):
    return re.sub(rb"\\(x[0-9A-Fa-f]{2}|\\)", lambda m: b"\\" if m[1] == b"\\" else bytes([int(m[1][1:], 16)]),
                  field.encode())


def calls_of_strace(path, calls):
    """(pid, call, arguments, result, errno) of each finished call, in the order of their ends."""
    begun = {}
    for line in (path / "strace").read_text().splitlines():
        pid, rest = re.match(r"(\d+) +(.*)", line).groups()
        if rest.endswith("<unfinished ...>"):
            begun[pid] = rest[:-len("<unfinished ...>")]
            continue
        resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", rest)
        whole = begun.pop(pid) + resumed[1] if resumed else rest
        m = re.match(r"(\w+)\((.*)\) += (0x[0-9a-f]+|-?\d+|\?)(?:<[^>]*>)?(?: (E\w+))?", whole)
        if m and m[1] in calls and (m[3] != "?" or m[1] == "exit_group"):
            yield int(pid), m[1], m[2], 0 if m[3] == "?" else int(m[3], 0), m[4] or ""


def test_rows_are_those_of_strace(recorded):
    """Operation, process, result and errno, call by call in the same order; names of descriptors byte for byte."""
    inside = os.fsencode(recorded / "work")
    expected = collections.defaultdict(list)
    for pid, call, args, result, error in calls_of_strace(recorded, CALLS):
        # A path is relative to AT_FDCWD, or is not at all.
        files = [bytes_of(f) for f in re.findall(r"(?<!AT_FDCWD)<((?:\\x[0-9a-f]{2})+)>", args)]
        # Data that is read or written is not a path.
        texts = [] if CALLS[call] in ("read", "write") else [
            bytes_of(t) for t in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', args)]
        # Calls of the workload: on a file in its directory, or with a path that is in it or relative.
        if any(f.startswith(inside) for f in files) or (
                texts and texts[0] and (texts[0].startswith(inside) or not texts[0].startswith(b"/"))):
            expected[pid].append((CALLS[call] if not (call == "unlinkat" and "AT_REMOVEDIR" in args) else "rmdir", result if not error else None, error))
    actual = collections.defaultdict(list)
    for row in workload_rows(recorded, "fs"):
        name = unescape(row["filename"])
        if int(row["pid"]) in expected and name.find(inside) >= 0 and row["operation"] in CALLS.values():
            failed = row["errno"] != ""
            actual[int(row["pid"])].append((row["operation"], None if failed else int(row["return_value"]), row["errno"]))
    assert sum(map(len, expected.values())) >= 80 * REPEATS
    assert {operation for rows in expected.values() for operation, _, _ in rows} == set(CALLS.values())
    for pid in expected:
        lacking = collections.Counter(expected[pid]) - collections.Counter(actual[pid])
        more = collections.Counter(actual[pid]) - collections.Counter(expected[pid])
        assert not lacking and not more, (pid, lacking, more)
        assert actual[pid] == expected[pid]


def test_names_are_those_of_strace(recorded):
    """What a descriptor refers to, through dup, rename, links of a directory and a fork."""
    inside = os.fsencode(recorded / "work")
    calls = {"read", "write", "pread64", "pwrite64", "writev", "preadv2", "pwritev2", "fsync", "fdatasync", "ftruncate", "close"}
    expected = collections.Counter()
    for pid, call, args, _, error in calls_of_strace(recorded, calls):
        m = re.match(r"\d+<((?:\\x[0-9a-f]{2})+)>", args)
        if m and bytes_of(m[1]).startswith(inside) and not error:
            expected[pid, CALLS[call], bytes_of(m[1])] += 1
    actual = collections.Counter()
    for row in workload_rows(recorded, "fs"):
        name = unescape(row["filename"])
        if row["operation"] in {CALLS[c] for c in calls} and name.startswith(inside) and int(row["pid"]) in {k[0] for k in expected}:
            # DTrace gives the requested path, strace the symlink's target.
            if os.path.basename(name) == b"third":
                name = inside + b"/moved"
            if row["errno"] == "":
                actual[int(row["pid"]), row["operation"], name] += 1
    # truncate() of a path is the same operation as ftruncate().
    for key in list(actual):
        if key[1] == "truncate" and key[2].endswith(b"/moved"):
            del actual[key]
    assert actual == expected


def test_sizes_are_those_of_strace(recorded):
    """What was asked for, where, and what was moved. DTrace knows no file position, and not the sum of a vector's parts."""
    inside = os.fsencode(recorded / "work")
    expected, at = collections.Counter(), {"pread64", "pwrite64"}
    for pid, call, args, result, error in calls_of_strace(recorded, {"read", "write", *at}):
        m = re.match(r"\d+<((?:\\x[0-9a-f]{2})+)>", args)
        if m and bytes_of(m[1]).startswith(inside) and not error:
            numbers = args.rsplit(", ", 2)[1:]
            size, offset = numbers if call in at else (numbers[1], "")
            expected[pid, CALLS[call], size, offset, str(result)] += 1
    actual = collections.Counter(
        (int(row["pid"]), row["operation"], row["size"], row["offset"], row["bytes_completed"])
        for row in workload_rows(recorded, "fs")
        if row["operation"] in ("read", "write") and row["size"] and unescape(row["filename"]).startswith(inside) and not row["errno"])
    assert actual == expected and sum(expected.values()) >= 5 * REPEATS


def test_processes_are_those_of_strace(recorded):
    """Each child, each program, and each end with its status."""
    expected = collections.Counter()
    for pid, call, args, result, error in calls_of_strace(recorded, {"clone", "clone3", "vfork", "execve", "exit_group"}):
        if call == "execve":
            expected[pid, "process_exec", bytes_of(re.match(r'"((?:\\x[0-9a-f]{2})*)"', args)[1]), result, error] += 1
        elif call == "exit_group":
            expected[pid, "process_exit", b"", int(args), ""] += 1
        else:
            expected[pid, "process_fork", b"", result, error] += 1
    pids = {pid for pid, *_ in expected}
    actual = collections.Counter(
        (int(row["pid"]), row["operation"], unescape(row["filename"]) if row["operation"] == "process_exec" else b"",
         int(row["return_value"]), row["errno"])
        for row in workload_rows(recorded, "fs") if int(row["pid"]) in pids and row["operation"].startswith("process_"))
    assert {key[1] for key in expected} == {"process_exec", "process_exit", "process_fork"}
    assert sum(expected.values()) >= 5 * REPEATS
    assert actual == expected, (expected - actual, actual - expected)


def test_each_call_has_its_time(recorded):
    """Of each call of the workload, which had a begin and an end within the time of the whole."""
    pids = {pid for pid, *_ in calls_of_strace(recorded, CALLS)}
    rows = [row for row in workload_rows(recorded, "fs") if int(row["pid"]) in pids and row["operation"] in CALLS.values()]
    times = [int(row["mono_ns"]) for row in rows]
    took = [int(row["duration_ns"]) for row in rows]
    assert rows and all(0 < ns <= max(times) - min(times) for ns in took)


def test_sockets_are_those_of_strace(recorded):
    words = {"socket": "SOCKET_CREATE", "bind": "BIND", "listen": "LISTEN", "accept4": "ACCEPT", "accept": "ACCEPT",
             "connect": "CONNECT", "shutdown": "SHUTDOWN"}
    expected = [(pid, words[call], result if not error else error) for pid, call, _, result, error in calls_of_strace(recorded, words)]
    pids = {pid for pid, _, _ in expected}
    rows = [r for r in workload_rows(recorded, "nw_conn") if int(r["pid"]) in pids and r["event_type"] in words.values()]
    actual = [(int(r["pid"]), r["event_type"], int(r["return_value"]) if int(r["return_value"]) >= 0 else
               {-111: "ECONNREFUSED", -2: "ENOENT"}[int(r["return_value"])]) for r in rows]
    assert actual == expected and len(expected) == 17 * REPEATS
    connects = [r for r in rows if r["event_type"] == "CONNECT"]
    assert {(unescape(r["remote_addr"]), r["domain"]) for r in connects} == {
        (b"127.0.0.1", "AF_INET"), (b"::1", "AF_INET6"), (b"here", "AF_UNIX"), (os.fsencode(recorded / "work/nobody"), "AF_UNIX")}
    bound = {(r["local_addr"], r["domain"]) for r in rows if r["event_type"] == "BIND"}
    assert bound == {("127.0.0.1", "AF_INET"), ("here", "AF_UNIX")}
    listening = {(r["backlog"], r["domain"]) for r in rows if r["event_type"] == "LISTEN"}
    assert listening == {("7", "AF_INET"), ("3", "AF_UNIX")}


def test_requests_are_those_that_the_device_counted(recorded):
    disk = json.loads((recorded / "disk").read_text())
    began, ended = disk["span"]
    rows = read_rows(recorded / "out", "block",
                     lambda r: r["device"] == disk["device"] and began <= int(r["mono_ns"]) <= ended)
    for word in ("read", "write"):
        mine = [r for r in rows if r["operation"] == word]
        assert [len(mine), sum(int(r["size"]) for r in mine) // 512] == disk["counted"][word]
    assert len(WRITES) <= disk["counted"]["write"][0] and len(READS) <= disk["counted"]["read"][0]
    for word, done in ("write", WRITES), ("read", READS):
        mine = [(int(r["sector"]) * 512, int(r["size"])) for r in rows
                if r["operation"] == word and r["pid"] == str(os.getpid())]
        assert mine == done
    assert all(float(r["latency_ms"]) > 0 for r in rows)


def test_the_recorder_is_left_out(recorded):
    """With all its descendants, among them the dtrace of each script, though it has written files to the disk meanwhile."""
    own = set(map(str, json.loads((recorded / "own").read_text())))
    assert len(own) >= 1 + 3 * 2 # itself; and for each script a process that looks after dtrace
    for stream in ("fs", "block", "nw_conn"):
        assert not read_rows(recorded / "out", stream, lambda row: row["pid"] in own)


def test_nothing_is_left_unreported(recorded):
    """The counts add up, and what DTrace drops is in the lost stream."""
    manifest = json.loads(next((recorded / "out").glob("*/*/*/manifest.json")).read_text())
    lost = collections.Counter()
    for row in read_rows(recorded / "out", "lost"):
        lost[row["stream"]] += int(row["count"])
    for stream in ("fs", "block", "nw_conn"):
        n = manifest["diagnostics"]["streams"][stream]
        assert n["seen"] == n["written"] + n["filtered"] + sum(n["lost"].values())
        assert sum(n["lost"].values()) == lost[stream]
    assert manifest["tracer"]["engine"] == "dtrace"
    done = subprocess.run([IOTRC, "verify", next((recorded / "out").glob("*/*/*"))], check=False)
    assert done.returncode == 0
