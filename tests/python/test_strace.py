# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc export --to strace` beside strace itself: one run of a program, recorded by both. One reader reads the lines
of both, which are equal in everything that a row has: thread, call, paths, size, offset, flags, result, error."""
import os
import re
import signal
import subprocess

import pytest

import craft
import record

WORK = r'''
import fcntl, mmap, os, sys
place = os.fsencode(sys.argv[1])
names = [b"plain", b"with blank", b'quo"te', b"back\\slash", b"new\nline", "\u00fcmlaut".encode(), b"\xff1", b"a<b>", b"a -> b"]
for i, name in enumerate(names):
    path = place + b"/" + name
    f = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(f, b"x" * (1000 + i))
    os.pwrite(f, b"y" * 7, 4096 + i)
    os.pread(f, 100000, 5)
    os.lseek(f, 0, 0)
    os.read(f, 13)
    os.ftruncate(f, 8192 + i)
    os.fsync(f)
    os.fdatasync(f)
    fcntl.flock(f, fcntl.LOCK_EX)
    fcntl.lockf(f, fcntl.LOCK_EX, 10, 3)
    mmap.mmap(f, 4096, mmap.MAP_SHARED, mmap.PROT_READ).close()
    os.fstat(f)
    os.posix_fallocate(f, 0, 9000)
    os.close(f)
    os.rename(path, path + b"2")
    os.link(path + b"2", path)
    os.symlink(b"no where", path + b"3")
    os.readlink(path + b"3")
    os.unlink(path)
    os.access(path, os.R_OK | os.W_OK)
    os.truncate(path + b"2", 17)
    try:
        os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        pass
os.mkdir(place + b"/d")
if not os.fork():
    os.chmod(place + b"/d", 0o700)
    os.listdir(place + b"/d")
    os.rmdir(place + b"/d")
    os._exit(7)
os.wait()
'''
# Other calls of the same operations, and the export's name for all of them.
SAME = {"ftruncate": "truncate", "openat": "open", "read": "pread64", "write": "pwrite64", "faccessat": "access",
        "newfstatat": "stat", "fstat": "stat", "fallocate": "fallocate"}
LINE = re.compile(r"^(\d+) +(\d+\.\d{6}) (\w+)\((.*)\) += (-?\d+|\?|0x[0-9a-f]+)(?:<(.*)>)?(?: (E\w+) \((.*?)\))?"
                  r" <(\d+\.\d{6})>$")
LETTERS = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}
PART = re.compile(r'"((?:[^"\\]|\\.)*)"(\.\.\.)?|<((?:[^>\\]|\\.)*)>')


def unquoted(text):
    """The bytes that a string of strace stands for."""
    def byte(escape):
        return chr(int(escape[1], 8)) if escape[1][0] in "01234567" else chr(LETTERS[escape[1]])
    return re.sub(r"\\([0-7]{1,3}|.)", byte, text).encode("latin-1")


def flags(text):
    return frozenset(text.split("|"))


def decode(call, arguments):
    """What both have of a call's ARGUMENTS: the paths in order, and the words of CALL that have a place."""
    spare = []
    text = PART.sub(lambda part: spare.append(unquoted(part[1] if part[1] is not None else part[3])) or "@", arguments)
    spare, words = [s for s in spare if s], text.split(", ") # "" with AT_EMPTY_PATH
    if call in ("read", "pread64", "write", "pwrite64"): # a row does not contain the transferred data
        return [spare[0], words[2]] + words[3:]
    if call == "openat":
        return [spare[-1], flags(words[2])]
    if call == "mmap":
        return [spare, words[1], flags(words[2]), flags(words[3]), words[5]]
    if call in ("truncate", "ftruncate", "fallocate"):
        return [spare[0], words[1:]]
    if call in ("access", "faccessat"):
        return [spare[-1], flags(words[-1] if call == "access" else words[2])]
    if call == "flock":
        return [spare[0], words[1]]
    if call == "readlink":
        return [spare[0], words[2]]
    if call == "fcntl":
        return [spare[0], re.search("l_type=(\\w+)", text)[1], re.search("l_start=(\\d+)", text)[1],
                re.search("l_len=(\\d+)", text)[1]]
    return [spare if call in ("rename", "link", "symlink") else spare[-1]]


def calls(text, place):
    """The calls about files in PLACE by thread, and the time and duration of all lines."""
    found, times, begun = {}, [], {}
    for line in text.splitlines():
        thread, _, rest = line.partition(" ")
        if line.endswith("<unfinished ...>"):
            begun[thread] = line.removesuffix("<unfinished ...>").rstrip()
            continue
        if "resumed>" in rest:
            line = begun.pop(thread) + line.split("resumed>", 1)[1]
        if place not in line or (parts := LINE.match(line)) is None:
            continue
        thread, time, call, arguments, result, result_file, error, message, took = parts.groups()
        if call == "fcntl" and "l_type" not in arguments: # no lock
            continue
        if call in ("execve", "getdents64", "brk", "close", "munmap", "ioctl", "lseek", "chdir"):
            continue
        times.append((float(time), float(took)))
        if call == "openat" and result_file:
            assert unquoted(result_file) == decode(call, arguments)[0]
        name = SAME.get(call, call)
        found.setdefault(int(thread), []).append((name, decode(call, arguments), result, error, message))
    return found, times


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    directory = tmp_path_factory.mktemp("strace")
    place = directory / "work"
    place.mkdir()
    recorder = subprocess.Popen([record.IOTRC, "-o", directory / "out", "--no-snapshots", "--streams", "fs", "--path", place],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    session = recorder.stdout.readline().strip()
    subprocess.run(["strace", "-f", "-ttt", "-T", "-y", "-o", directory / "strace", "/usr/bin/python3", "-S", "-c", WORK, place],
                   check=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    recorder.send_signal(signal.SIGINT)
    _, said = recorder.communicate(timeout=60)
    assert recorder.returncode == 0, said
    done = subprocess.run([record.IOTRC, "export", session, "--to", "strace"], capture_output=True, text=True, check=True)
    return calls((directory / "strace").read_text(), str(place)), calls(done.stdout, str(place)), done


def test_calls_are_those_of_strace(both):
    (theirs, _), (ours, _), _ = both
    assert set(ours) == set(theirs) and len(ours) == 2
    for thread in theirs:
        for one, other in zip(ours[thread], theirs[thread]):
            assert one[2:] == other[2:] and one[0] == other[0] and one[1][:2] == other[1][:2], (one, other)
            # A read at the file position has an offset here.
            assert other[0] in ("pread64", "pwrite64") or one[1] == other[1], (one, other)
            assert other[0] not in ("pread64", "pwrite64") or other[1] in (one[1], one[1][:2]), (one, other)
        assert len(ours[thread]) == len(theirs[thread])


def test_times_are_those_of_strace(both):
    """A call begins where strace says it does, apart from strace's own delay, and takes no longer."""
    (_, theirs), (_, ours), _ = both
    for (began, took), (here, lasted) in zip(sorted(theirs), sorted(ours)):
        assert abs(here - began) < 0.25 and lasted <= took + 1e-6


def test_each_row_is_a_line(both):
    done = both[2]
    rows = int(re.match(r"(\d+) of \1 rows", done.stderr)[1])
    assert done.stdout.count("\n") == rows > 200


def test_what_is_no_call(session):
    rows = [{"operation": "process_exit", "return_value": "7", "tid": "5"},
            {"operation": "process_exit", "return_value": "139", "flags": "SIGSEGV|CORE_DUMPED", "tid": "5"},
            {"operation": "unknown", "flags": "opcode=77|AIO", "errno": "EINVAL", "return_value": "-22", "tid": "5"},
            {"operation": "read", "flags": "RESULT_UNKNOWN|AIO", "filename": "/a", "size": "3", "tid": "5"},
            {"operation": "mount", "filename": "tmpfs -> /m", "flags": "MS_RDONLY", "return_value": "0", "tid": "5"},
            {"operation": "mount", "filename": "/m", "return_value": "0", "tid": "5"}]
    session.add("fs", [{**row, "mono_ns": str(craft.START + i)} for i, row in enumerate(rows)])
    session.write()
    done = subprocess.run([record.IOTRC, "export", session.directory, "--to", "strace"], capture_output=True, text=True, check=True)
    assert [line.split(maxsplit=2)[2] for line in done.stdout.splitlines()] == [
        "+++ exited with 7 +++", "+++ killed by SIGSEGV (core dumped) +++", "unknown(?) = -1 EINVAL (Invalid argument)",
        "read(?</a>, ..., 3) = ?", 'mount("tmpfs", "/m", ..., MS_RDONLY, ...) = 0', 'mount(NULL, "/m", ..., 0, ...) = 0']
