# SPDX-License-Identifier: GPL-2.0-or-later
"""Every call that the scripts of dtrace/ name: the scripts and src/engine/macos/calls.def agree, and a fake dtrace that
tells of each call on macOS, with the arguments in the order of xnu's syscalls.master, gives the row of that call."""
import pathlib
import re
import struct

import lines
import pytest
from test_fake_dtrace import DARWIN, Run, after

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
pytestmark = pytest.mark.calm

# Of xnu's syscalls.master, by their names there: what a recording of files and of sockets is about.
FILES = """
    read read_nocancel pread pread_nocancel readv readv_nocancel preadv preadv_nocancel
    write write_nocancel pwrite pwrite_nocancel writev writev_nocancel pwritev pwritev_nocancel
    guarded_write_np guarded_pwrite_np guarded_writev_np
    open open_nocancel openat openat_nocancel open_extended open_dprotected_np openat_dprotected_np guarded_open_np
    guarded_open_dprotected_np close close_nocancel guarded_close_np
    fsync fsync_nocancel fdatasync sync fcntl fcntl_nocancel unlink unlinkat rename renameat renameatx_np link linkat symlink
    symlinkat mkdir mkdirat mkdir_extended rmdir truncate ftruncate
    stat lstat fstat stat64 lstat64 fstat64 fstatat fstatat64 stat_extended lstat_extended fstat_extended stat64_extended
    lstat64_extended fstat64_extended getattrlist fgetattrlist getattrlistat getattrlistbulk setattrlist fsetattrlist
    setattrlistat getdirentries getdirentries64 mmap munmap msync msync_nocancel sendfile clonefileat fclonefileat copyfile
    exchangedata chdir fchdir __pthread_chdir __pthread_fchdir chroot fork vfork posix_spawn __mac_execve dup dup2 access access_extended faccessat readlink
    readlinkat mknod mknodat mkfifo mkfifoat mkfifo_extended chmod fchmod chmod_extended fchmod_extended fchmodat chown fchown
    lchown fchownat utimes futimes chflags fchflags getxattr fgetxattr setxattr fsetxattr listxattr flistxattr removexattr
    fremovexattr flock""".split()
SOCKETS = """
    socket socketpair bind listen accept accept_nocancel connect connect_nocancel connectx shutdown close close_nocancel
    guarded_close_np dup dup2 fcntl fcntl_nocancel""".split()


def clauses(script):
    """(probes, body) of each clause."""
    text = re.sub(r"/\*.*?\*/", "", (ROOT / "dtrace" / script).read_text(), flags=re.S)
    return [(re.findall(r"syscall::(\w+):(entry|return)", m[1]), m[2])
            for m in re.finditer(r"((?:[\w:$-]+:[\w:-]*,?\s+)+)(?:/[^{]*/\s*)?\{\n(.*?)\n\}", text, re.S)]


@pytest.mark.parametrize("script, calls", [("vfs.d", FILES), ("network.d", SOCKETS)])
def test_each_call_has_its_clauses(script, calls):
    """One for its beginning, one that prints it, and one that forgets what was kept; in vfs.d also the one that names the
    process."""
    found = clauses(script)
    for call in calls:
        begins = [body for probes, body in found if (call, "entry") in probes and "= timestamp" in body]
        ends = [body for probes, body in found if (call, "return") in probes]
        assert len(begins) == 1, call
        kind = {"begin": begins, "print": [b for b in ends if re.search(r'printf\("(?!task )', b)],
                "name": [b for b in ends if 'printf("task ' in b], "forget": [b for b in ends if "self->ts = 0" in b]}
        if call == "__mac_execve": # a process that executes a program is named by proc:::exec-success
            assert len(kind["print"]) == 1 and "began[pid] = 0" in kind["print"][0]
            continue
        assert {word: len(bodies) for word, bodies in kind.items() if word != "name"} == {"begin": 1, "print": 1, "forget": 1}, call
        if script == "vfs.d" or call in ("socket", "socketpair", "bind", "listen", "accept", "connect", "connectx", "shutdown"):
            assert len(kind["name"]) == 1, call


def test_each_printed_call_is_in_the_table():
    """With as many numbers as its row of calls.def has places for."""
    places = {m[1]: max([int(n) + 1 for n in re.findall(r"AT\((\d)\)", m[2])], default=0)
              for m in re.finditer(r"^CALL\((\w+)(.*)\)$", (ROOT / "src/engine/macos/calls.def").read_text(), re.M)}
    printed = re.findall(r'printf\("(\w+) %d %d %d %d %d %d %d((?: %d)*)((?: %d:%S)*)\\n"',
                         (ROOT / "dtrace/vfs.d").read_text())
    assert len(printed) > 80
    for name, numbers, _ in printed:
        assert numbers.count("%d") >= places[name], name


HOME = "/w"                          # the working directory
OPEN = {3: "/d/f", 4: "/d/g", 5: "/d"}
MEMORY, SOCKET, CWD = 1 << 40, 9, -2 # an address, an unknown descriptor, AT_FDCWD of macOS

# Name in the line, its numbers and texts, its result, and the row's operation, file, size, offset and bytes.
CALLS = [
    ("creat", [0, 0o644, 0, 0], ["new"], 7, "open", "/w/new", "", "", ""),
    ("open", [0, 0x601, 0o644, 0], ["../x"], 8, "open", "/x", "", "", ""),
    ("openat", [5, 0, 0, 0], ["sub/y"], 8, "open", "/d/sub/y", "", "", ""),
    ("read", [3, MEMORY, 10, 0], [], 9, "read", "/d/f", "10", "", "9"),
    ("pread", [3, MEMORY, 10, 4096], [], 10, "read", "/d/f", "10", "4096", "10"),
    ("readv", [3, MEMORY, 2, 0], [], 11, "read", "/d/f", "", "", "11"),
    ("preadv", [3, MEMORY, 2, 512], [], 12, "read", "/d/f", "", "512", "12"),
    ("write", [3, MEMORY, 10, 0], [], 9, "write", "/d/f", "10", "", "9"),
    ("pwrite", [3, MEMORY, 10, 4096], [], 10, "write", "/d/f", "10", "4096", "10"),
    ("writev", [3, MEMORY, 2, 0], [], 11, "write", "/d/f", "", "", "11"),
    ("pwritev", [3, MEMORY, 2, 512], [], 12, "write", "/d/f", "", "512", "12"),
    ("fsync", [3, 0, 0, 0], [], 0, "fsync", "/d/f", "", "", ""),
    ("fdatasync", [3, 0, 0, 0], [], 0, "fdatasync", "/d/f", "", "", ""),
    ("sync", [0, 0, 0, 0], [], 0, "sync", "", "", "", ""),
    ("ftruncate", [3, 77, 0, 0], [], 0, "truncate", "/d/f", "77", "", ""),
    ("truncate", [0, 78, 0, 0], ["/d/g"], 0, "truncate", "/d/g", "78", "", ""),
    ("fstat", [3, MEMORY, 0, 0], [], 0, "getattr", "/d/f", "", "", ""),
    ("stat", [0, MEMORY, 0, 0], ["a"], 0, "getattr", "/w/a", "", "", ""),
    ("lstat", [0, MEMORY, 0, 0], ["a"], 0, "getattr", "/w/a", "", "", ""),
    ("fstatat", [5, 0, MEMORY, 0x20], ["a"], 0, "getattr", "/d/a", "", "", ""),
    ("getattrlist", [0, MEMORY, MEMORY, 64], ["a"], 0, "getattr", "/w/a", "", "", ""),
    ("fgetattrlist", [3, MEMORY, MEMORY, 64], [], 0, "getattr", "/d/f", "", "", ""),
    ("getattrlistat", [5, 0, MEMORY, MEMORY], ["a"], 0, "getattr", "/d/a", "", "", ""),
    ("setattrlist", [0, MEMORY, MEMORY, 64], ["a"], 0, "setattr", "/w/a", "", "", ""),
    ("fsetattrlist", [3, MEMORY, MEMORY, 64], [], 0, "setattr", "/d/f", "", "", ""),
    ("setattrlistat", [CWD, 0, MEMORY, MEMORY], ["a"], 0, "setattr", "/w/a", "", "", ""),
    # The first returns bytes, the second a number of entries.
    ("getdirentries", [5, MEMORY, 8192, MEMORY], [], 96, "readdir", "/d", "8192", "", "96"),
    ("getattrlistbulk", [5, MEMORY, MEMORY, 4096], [], 3, "readdir", "/d", "", "", ""),
    ("access", [0, 4, 0, 0], ["a"], 0, "access", "/w/a", "", "", ""),
    ("faccessat", [5, 0, 4, 0], ["a"], 0, "access", "/d/a", "", "", ""),
    ("readlink", [0, MEMORY, 1024, 0], ["a"], 5, "readlink", "/w/a", "1024", "", ""),
    ("readlinkat", [5, 0, MEMORY, 1024], ["a"], 5, "readlink", "/d/a", "1024", "", ""),
    ("mkdir", [0, 0o755, 0, 0], ["a"], 0, "mkdir", "/w/a", "", "", ""),
    ("mkdirat", [5, 0, 0o755, 0], ["a"], 0, "mkdir", "/d/a", "", "", ""),
    ("mknod", [0, 0o20644, 0, 0], ["a"], 0, "mknod", "/w/a", "", "", ""),
    ("mknodat", [5, 0, 0o20644, 0], ["a"], 0, "mknod", "/d/a", "", "", ""),
    ("mkfifo", [0, 0o644, 0, 0], ["a"], 0, "mknod", "/w/a", "", "", ""),
    ("mkfifoat", [5, 0, 0o644, 0], ["a"], 0, "mknod", "/d/a", "", "", ""),
    ("rmdir", [0, 0, 0, 0], ["a"], 0, "rmdir", "/w/a", "", "", ""),
    ("unlink", [0, 0, 0, 0], ["a"], 0, "unlink", "/w/a", "", "", ""),
    ("unlinkat", [5, 0, 0, 0], ["a"], 0, "unlink", "/d/a", "", "", ""),
    ("unlinkat", [5, 0, 0x80, 0], ["a"], 0, "rmdir", "/d/a", "", "", ""),
    ("chmod", [0, 0o600, 0, 0], ["a"], 0, "setattr", "/w/a", "", "", ""),
    ("fchmod", [3, 0o600, 0, 0], [], 0, "setattr", "/d/f", "", "", ""),
    ("fchmodat", [5, 0, 0o600, 0], ["a"], 0, "setattr", "/d/a", "", "", ""),
    ("chown", [0, 1, 1, 0], ["a"], 0, "setattr", "/w/a", "", "", ""),
    ("lchown", [0, 1, 1, 0], ["a"], 0, "setattr", "/w/a", "", "", ""),
    ("fchown", [3, 1, 1, 0], [], 0, "setattr", "/d/f", "", "", ""),
    ("fchownat", [5, 0, 1, 1], ["a"], 0, "setattr", "/d/a", "", "", ""),
    ("utimes", [0, MEMORY, 0, 0], ["a"], 0, "setattr", "/w/a", "", "", ""),
    ("futimes", [3, MEMORY, 0, 0], [], 0, "setattr", "/d/f", "", "", ""),
    ("chflags", [0, 2, 0, 0], ["a"], 0, "setattr", "/w/a", "", "", ""),
    ("fchflags", [3, 2, 0, 0], [], 0, "setattr", "/d/f", "", "", ""),
    ("getxattr", [0, MEMORY, MEMORY, 64], ["a"], 4, "getxattr", "/w/a", "", "", ""),
    ("fgetxattr", [3, MEMORY, MEMORY, 64], [], 4, "getxattr", "/d/f", "", "", ""),
    ("setxattr", [0, MEMORY, MEMORY, 64], ["a"], 0, "setxattr", "/w/a", "", "", ""),
    ("fsetxattr", [3, MEMORY, MEMORY, 64], [], 0, "setxattr", "/d/f", "", "", ""),
    ("listxattr", [0, MEMORY, 64, 0], ["a"], 9, "listxattr", "/w/a", "", "", ""),
    ("flistxattr", [3, MEMORY, 64, 0], [], 9, "listxattr", "/d/f", "", "", ""),
    ("removexattr", [0, MEMORY, 0, 0], ["a"], 0, "removexattr", "/w/a", "", "", ""),
    ("fremovexattr", [3, MEMORY, 0, 0], [], 0, "removexattr", "/d/f", "", "", ""),
    ("flock", [3, 2, 0, 0], [], 0, "lock", "/d/f", "", "", ""),
    ("fcntl", [3, 51, 0, 0], [], 0, "fsync", "/d/f", "", "", ""), # F_FULLFSYNC
    ("fcntl", [3, 85, 0, 0], [], 0, "fsync", "/d/f", "", "", ""), # F_BARRIERFSYNC
    ("mmap", [0, 8192, 1, 2, 3, 4096], [], MEMORY, "mmap", "/d/f", "8192", "4096", ""),
    ("link", [0, 0, 0, 0], ["a", "b"], 0, "link", "/w/a -> /w/b", "", "", ""),
    ("linkat", [5, 0, CWD, 0, 0x40], ["a", "b"], 0, "link", "/d/a -> /w/b", "", "", ""),
    ("symlink", [0, 0, 0, 0], ["../to", "b"], 0, "symlink", "../to -> /w/b", "", "", ""),
    ("symlinkat", [0, 5, 0, 0], ["to", "b"], 0, "symlink", "to -> /d/b", "", "", ""),
    ("clonefileat", [5, 0, CWD, 0, 0], ["a", "b"], 0, "clone", "/d/a -> /w/b", "", "", ""),
    ("fclonefileat", [3, 5, 0, 0], ["b"], 0, "clone", "/d/f -> /d/b", "", "", ""),
    ("copyfile", [0, 0, 0, 0], ["a", "b"], 0, "copy_file_range", "/w/a -> /w/b", "", "", ""),
    # Which file the socket is about is unknown. The number of bytes is not the result.
    ("sendfile", [3, SOCKET, 100, 55], [], 0, "sendfile", "/d/f -> ", "", "100", "55"),
    ("exchangedata", [0, 0, 0, 0], ["p", "q"], 0, "rename", "/w/p -> /w/q", "", "", ""),
    ("rename", [0, 0, 0, 0], ["a", "b"], 0, "rename", "/w/a -> /w/b", "", "", ""),
    ("renameat", [5, 0, 5, 0, 4], ["a", "b"], 0, "rename", "/d/a -> /d/b", "", "", ""),
    ("fchdir", [5, 0, 0, 0], [], 0, "chdir", "/d", "", "", ""),
    ("stat", [0, MEMORY, 0, 0], ["a"], 0, "getattr", "/d/a", "", "", ""), # there
    ("exec", [], ["/bin/x"], 0, "process_exec", "/bin/x", "", "", ""),
]


def test_each_call_has_its_row(tmp_path):
    """In the order of the calls, and with macOS' flags."""
    steps = [lines.line("chdir", "\x010;", 0, 0, 0, 0, texts=[HOME.encode()])]
    steps += [lines.line("open", "\x010;", 0, 0x1000000 if fd == 4 else 0, 0, 0, ret=fd, texts=[path.encode()]) for fd, path in OPEN.items()]
    steps += [lines.line(name, "\x010;", *numbers, ret=ret, texts=[text.encode() for text in texts])
              for name, numbers, texts, ret, *_ in CALLS]
    # The second descriptor is closed by the program's start, the first is not; a copy has its own flag.
    steps += [lines.line("read", "\x010;", fd, MEMORY, 1, 0, ret=1) for fd in (4, 3)]
    steps += [lines.line("dup2", "\x010;", 3, 20, 0, 0, ret=20), lines.line("write", "\x010;", 20, MEMORY, 1, 0, ret=1),
              lines.line("close", "\x010;", 3, 0, 0, 0), lines.line("write", "\x010;", 3, MEMORY, 1, 0, ret=1)]
    run = Run(tmp_path, after(1), vfs=[[DARWIN, ["line", "".join(steps)], ["wait"]]])
    assert run.code == 0, run.said
    got = [(r["operation"], r["filename"], r["size"], r["offset"], r["bytes_completed"]) for r in run.rows()]
    first = [("chdir", HOME, "", "", "")] + [("open", path, "", "", "") for path in OPEN.values()]
    last = [("read", "/d/f", "1", "", "1"), ("write", "/d/f", "1", "", "1"), ("close", "/d/f", "", "", "")]
    expected = first + [tuple(row[4:]) for row in CALLS] + last
    for a, b in zip(got, expected):
        assert a == b
    assert len(got) == len(expected)
    flags = {(r["operation"], r["filename"]): r["flags"] for r in run.rows()}
    assert flags["rename", "/d/a -> /d/b"] == "RENAME_NOREPLACE" and flags["link", "/d/a -> /w/b"] == "AT_SYMLINK_FOLLOW"
    assert flags["getattr", "/d/a"] in ("AT_SYMLINK_NOFOLLOW", "") and flags["open", "/x"] == "O_WRONLY|O_CREAT|O_TRUNC"
    # What is not about a known file: the two at the descriptor that is closed or unknown.
    assert run.counts()["filtered"] == 2


def test_memory_has_rows_with_all(tmp_path):
    """Of munmap and msync the file is not known."""
    steps = [lines.line("munmap", "\x010;", MEMORY, 4096, 0, 0), lines.line("msync", "\x011;", MEMORY, 8192, 0x10, 0)]
    run = Run(tmp_path, after(1), options=["--scope", "all"], vfs=[[DARWIN, ["line", "".join(steps)], ["wait"]]])
    assert run.code == 0, run.said
    assert [(r["operation"], r["size"]) for r in run.rows()] == [("munmap", "4096"), ("msync", "8192")]


def sockaddr(family, rest):
    """macOS' struct sockaddr: its length, its family, the rest."""
    return bytes([2 + len(rest), family]) + rest


def address_line(name, fd, raw, text=b"", **more):
    """What network.d prints of an address of these bytes."""
    whole = raw.ljust(28, b"\0")
    words = struct.unpack("<qqiii", whole) if len(raw) >= 28 else (*struct.unpack("<qq", whole[:16]), 0, 0, 0)
    return lines.line(name, "\x010;", fd, len(raw), struct.unpack("<H", raw[:2])[0], *words, texts=[text], **more)


def test_sockets_of_macos(tmp_path):
    """IPv4, IPv6 and AF_UNIX: both ends through bind, listen, accept, connect and connectx, shutdown and close."""
    v4 = sockaddr(2, struct.pack(">H", 8080) + bytes([127, 0, 0, 1]) + bytes(8))
    v6 = sockaddr(30, struct.pack(">H", 443) + bytes(4) + bytes(15) + b"\1" + bytes(4))
    path = sockaddr(1, b"/var/run/x.sock\0")
    steps = [lines.line("socket", "\x010;", 2, 1, 0, ret=3), address_line("bind", 3, v4),
             lines.line("listen", "\x010;", 3, 5),
             address_line("accept", 3, sockaddr(2, struct.pack(">H", 50000) + bytes([10, 0, 0, 7]) + bytes(8)), ret=4),
             lines.line("shutdown", "\x010;", 4, 1), lines.line("close", "\x010;", 4),
             lines.line("socket", "\x010;", 30, 1, 6, ret=5), address_line("connect", 5, v6),
             lines.line("dup", "\x010;", 5, 0, 0, ret=6), lines.line("close", "\x010;", 5), lines.line("close", "\x010;", 6),
             lines.line("socket", "\x010;", 1, 2, 0, ret=7), address_line("connect", 7, path, b"/var/run/x.sock", error=2, ret=-1),
             lines.line("socketpair", "\x010;", 1, 1, 0, 10, 11), lines.line("close", "\x010;", 11)]
    run = Run(tmp_path, after(1), "nw_conn", network=[[DARWIN, ["line", "".join(steps)], ["wait"]]])
    assert run.code == 0, run.said
    rows = [(r["event_type"], r["fd"], r["domain"], r["sock_type"], r["local_addr"], r["sport"], r["remote_addr"], r["dport"], r["return_value"])
            for r in run.rows("nw_conn")]
    inet, inet6, unix = ("AF_INET", "SOCK_STREAM"), ("AF_INET6", "SOCK_STREAM"), ("AF_UNIX", "SOCK_DGRAM")
    here, there = ("127.0.0.1", "8080"), ("10.0.0.7", "50000")
    assert rows == [
        ("SOCKET_CREATE", "3", *inet, "", "", "", "", "3"), ("BIND", "3", *inet, *here, "", "", "0"),
        ("LISTEN", "3", *inet, *here, "", "", "0"), ("ACCEPT", "3", *inet, *here, *there, "4"),
        ("SHUTDOWN", "4", *inet, *here, *there, "0"), ("CLOSE", "4", *inet, *here, *there, "0"),
        ("SOCKET_CREATE", "5", *inet6, "", "", "", "", "5"), ("CONNECT", "5", *inet6, "", "", "::1", "443", "0"),
        ("CLOSE", "5", *inet6, "", "", "::1", "443", "0"), ("CLOSE", "6", *inet6, "", "", "::1", "443", "0"),
        ("SOCKET_CREATE", "7", *unix, "", "", "", "", "7"), ("CONNECT", "7", *unix, "", "", "/var/run/x.sock", "", "-2"),
        ("CLOSE", "11", "AF_UNIX", "SOCK_STREAM", "", "", "", "", "0")]
