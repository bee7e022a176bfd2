# SPDX-License-Identifier: GPL-2.0-only
"""What the fs rows of a program must be, told by strace.

strace says which calls were made, with which arguments and which result, and by `-y` which file a
descriptor reaches. What it doesn't say is kept here by a small model of processes: the current
directory, the position of an open file, the end of a file that is appended to, and the mappings.

Paths follow the contract: a successful open and what acts on a descriptor bear the file reached,
everything else the path that was asked for, made absolute, folded, symlinks not followed.
"""
import dataclasses
import errno
import os
import re
import signal
import stat
import subprocess

# The operations that are compared, and the calls that make them. Rows of other operations are
# nobody's business here.
CALLS = {
    "open": "open openat openat2 creat",
    "close": "close",
    "read": "read pread64 readv preadv preadv2",
    "write": "write pwrite64 writev pwritev pwritev2",
    "fsync": "fsync",
    "fdatasync": "fdatasync",
    "truncate": "truncate ftruncate truncate64 ftruncate64",
    "getattr": "stat lstat fstat newfstatat statx",
    "readdir": "getdents64",
    "rename": "rename renameat renameat2",
    "unlink": "unlink unlinkat",
    "mkdir": "mkdir mkdirat",
    "rmdir": "rmdir",
    "mmap": "mmap mmap2",
    "munmap": "munmap",
    "process_fork": "fork vfork clone clone3",
    "process_exec": "execve execveat",
}
OPERATION = {call: operation for operation, calls in CALLS.items() for call in calls.split()}
OPERATIONS = {*CALLS, "process_exit"}
# (dirfd, path, …) instead of (path, …)
AT_CALLS = "openat openat2 newfstatat statx unlinkat mkdirat execveat".split()
# Watched for the model alone.
MODEL = "chdir fchdir dup dup2 dup3 fcntl lseek exit exit_group memfd_create".split()

AT_EMPTY_PATH = 0x1000
AT_REMOVEDIR = 0x200
CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_THREAD = 0x100, 0x200, 0x400, 0x10000
F_DUPFD, F_SETFL, F_DUPFD_CLOEXEC = 0, 4, 1030
MAP_FIXED, MAP_ANONYMOUS = 0x10, 0x20
O_TRUNC, O_APPEND = 0o1000, 0o2000
RWF_APPEND = 0x10


@dataclasses.dataclass
class Row:
    """The fields of a row that are compared, as they stand in the file but for the path."""

    operation: str
    path: object  # bytes; two of them for a rename
    size: str = ""
    offset: str = ""
    bytes: str = ""
    ret: str = ""
    errno: str = ""

    def __str__(self):
        path = b" -> ".join(self.path) if isinstance(self.path, tuple) else self.path
        if len(path) > 300:
            path = path[:140] + b"..." + path[-140:]
        return (
            f"{self.operation} {path!r} size={self.size} offset={self.offset} "
            f"bytes={self.bytes} ret={self.ret} errno={self.errno}"
        )


# ---- the lines ----

@dataclasses.dataclass
class Arg:
    """`3</a/file>`, `"name"`, `0x22`, `[{…}]`: the text, and what stands between the brackets."""

    text: str
    file: bytes = None

    @property
    def number(self):
        return parse_number(self.text)

    @property
    def string(self):
        """The bytes of a string, or None where the program gave no readable one."""
        if not self.text.startswith('"'):
            return None
        assert self.text.endswith('"'), f"strace cut {self.text}"
        return unhex(self.text[1:-1])


def parse_number(text):
    total = 0
    for part in text.strip("|").split("|"): # strace writes statx's flags as `|0x1000`
        octal = re.fullmatch(r"0[0-7]+", part)
        total |= int(part, 8) if octal else int(part, 0)
    return total


def unhex(text):
    assert re.fullmatch(r"(\\x[0-9a-f]{2})*", text), f"not hexadecimal: {text!r}"
    return bytes.fromhex(text.replace("\\x", ""))


FILE = re.compile(r"(.*?)<((?:\\x[0-9a-f]{2})*)>(?:\(deleted\))?")


def parse_file(text):
    match = FILE.fullmatch(text)
    return Arg(match[1], unhex(match[2])) if match else Arg(text)


def split_args(text):
    """The arguments at the top level. With -xx no string holds a bracket, comma or quote."""
    args, depth, start = [], 0, 0
    for i, c in enumerate(text):
        if c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == "," and not depth:
            args.append(text[start:i].strip())
            start = i + 1
    if text.strip():
        args.append(text[start:].strip())
    # An address within a comment or an array isn't a file; such arguments are left as text.
    return [parse_file(a) if a[:1] not in "[{" else Arg(a) for a in args]


LINE = re.compile(r"(\d+) +(.*)", re.S)
CALL = re.compile(
    r"(\w+)\((.*)\)\s+= (\?|-?\d+|0x[0-9a-f]+)(<.*>(?:\(deleted\))?)?(?: (E\w+) \(.*\))?"
)
EXIT = re.compile(r"\+\+\+ (?:exited with (\d+)|killed by (\w+)(?: \(core dumped\))?) \+\+\+")
RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)")
UNFINISHED = " <unfinished ...>"
NOISE = re.compile(
    r"--- SIG.* ---|strace: Process \d+ attached|\[ Process PID=\d+ runs in .* mode. \]"
)


# ---- the model ----

class Description:
    """An open file: what dup and fork share."""

    def __init__(self, path, flags=0):
        self.path, self.flags, self.position = path, flags, 0


class Process:
    def __init__(self, pid, cwd):
        self.pid = pid
        self.files = {}        # fd: Description
        self.fs = {"cwd": cwd}
        self.maps = []         # (start, end, path), path None for what is no file of ours

    def child(self, pid, flags):
        new = Process(pid, None)
        new.files = self.files if flags & CLONE_FILES else dict(self.files)
        new.fs = self.fs if flags & CLONE_FS else dict(self.fs)
        new.maps = self.maps if flags & CLONE_VM else list(self.maps)
        return new


def fold(path):
    path = os.path.normpath(path)
    return b"/" + path.lstrip(b"/") if path.startswith(b"//") else path


def in_scope(path):
    """Regular files, directories and symlinks on real filesystems."""
    if not path.startswith(b"/") or path.startswith(b"/memfd:"):
        return False
    first = path.split(b"/")[1]
    if first in (b"proc", b"sys") or (first == b"dev" and not path.startswith(b"/dev/shm/")):
        return False
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return True # gone, or not to be named: the workloads leave what is special in its place
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)


class Oracle:
    """Reads a log; .rows[tid] is a list of Row in the order of completion, .exits[pid] a Row."""

    def __init__(self, log, cwd):
        self.cwd = os.fsencode(os.path.realpath(cwd))
        self.processes, self.pending = {}, {}
        self.ends = {}   # path: the end of the file, where it is known
        self.rows, self.exits, self.pids = {}, {}, set()
        self.root = None
        for number, line in enumerate(log.splitlines(), 1):
            try:
                self.line(line)
            except Exception as error:
                raise AssertionError(f"strace line {number}: {line[:400]}") from error
        assert not self.pending, f"calls that never ended: {self.pending}"

    def process(self, tid):
        if tid not in self.processes:
            # A child may be heard of before its parent's call has returned.
            parents = [
                (parent, call) for parent, call in self.pending.items()
                if OPERATION.get(call.split("(")[0]) == "process_fork"
            ]
            if self.root is None:
                self.root = tid
                self.processes[tid] = Process(tid, self.cwd)
            else:
                assert len(parents) == 1, f"whose child is {tid}?"
                parent, call = parents[0]
                self.born(self.process(parent), tid, clone_flags(call))
            self.pids.add(self.processes[tid].pid)
        return self.processes[tid]

    def born(self, parent, tid, flags):
        if tid in self.processes:
            return
        if flags & CLONE_THREAD:
            self.processes[tid] = parent
        else:
            self.processes[tid] = parent.child(tid, flags)
            self.pids.add(tid)

    def line(self, line):
        match = LINE.fullmatch(line)
        assert match, "no pid"
        tid, rest = int(match[1]), match[2]
        if NOISE.fullmatch(rest):
            return
        process = self.process(tid)
        match = EXIT.fullmatch(rest)
        if match:
            self.pending.pop(tid, None)
            self.exited(process, tid, match[1], match[2])
            return
        if rest.endswith(UNFINISHED):
            assert tid not in self.pending
            self.pending[tid] = rest[: -len(UNFINISHED)]
            return
        match = RESUMED.fullmatch(rest)
        if match:
            rest = self.pending.pop(tid) + match[2]
        match = CALL.fullmatch(rest)
        assert match, "not a call"
        name, args, result, reached, error = match.groups()
        if result == "?":
            return # exit, exit_group: the process's end has a line of its own
        result = int(result, 0)
        call = Call(self, process, tid, name, split_args(args), result, error)
        if reached:
            call.reached = parse_file(reached).file
        call.run(args)

    def exited(self, process, tid, code, killer):
        if tid == process.pid:
            code = code or str(128 + signal.Signals[killer].value)
            self.exits[tid] = Row("process_exit", b"", ret=code)

    def add(self, tid, row):
        self.rows.setdefault(tid, []).append(row)


def clone_flags(text):
    match = re.search(r"flags=([0-9a-fx|]+)", text)
    if text.startswith("vfork"):
        return CLONE_VM
    return parse_number(match[1]) if match else 0


class Call:
    """One call that has returned. The method of its operation adds the row."""

    def __init__(self, oracle, process, tid, name, args, result, error):
        self.oracle, self.process, self.tid, self.name = oracle, process, tid, name
        self.args, self.result, self.error = args, result, error
        self.reached = None
        self.operation = OPERATION.get(name)
        if error:
            self.result = -getattr(errno, error)
        for arg in args:
            if arg.file is not None and arg.text == "-100":
                process.fs["cwd"] = arg.file

    def run(self, text):
        self.text = text
        getattr(self, "do_" + (self.operation or self.name))()

    def row(self, path, size="", offset="", bytes="", ret=None):
        self.oracle.add(
            self.tid,
            Row(
                self.operation, path, str(size), str(offset), str(bytes),
                str(self.result if ret is None else ret), self.error or "",
            ),
        )

    # ---- paths ----

    def asked(self, path, base=None):
        """Arg PATH made absolute; BASE is the Arg of a dirfd, if there is one."""
        name = path.string
        if name is None:
            return b"" # not readable
        if not name.startswith(b"/"):
            if base is not None and base.file is None:
                return b"" # relative to nothing
            name = (base.file if base is not None else self.process.fs["cwd"]) + b"/" + name
        return fold(name)

    def named(self):
        """Path of a call that takes one: (path), or (dirfd, path) in the *at family."""
        if self.name in AT_CALLS:
            return self.asked(self.args[1], self.args[0])
        return self.asked(self.args[0])

    def description(self, arg):
        """The open file behind a descriptor's Arg, or None for one that isn't open."""
        if arg.file is None:
            return None
        fd = arg.number
        known = self.process.files.get(fd)
        if known is None:
            known = self.process.files[fd] = Description(arg.file)
        known.path = arg.file
        return known

    def on_file(self, arg, **fields):
        """A row of a call on a descriptor. A descriptor that isn't open has no path."""
        if arg.file is None:
            assert self.error, "strace knows no file"
            self.row(b"", **fields)
        elif in_scope(arg.file):
            self.row(arg.file, **fields)

    # ---- operations ----

    def do_open(self):
        if self.error:
            path = self.named()
            if in_scope(path or b"/"):
                self.row(path)
            return
        flags = O_TRUNC
        if self.name == "openat2":
            flags = clone_flags(self.args[2].text)
        elif self.name != "creat":
            flags = self.args[1 + (self.name == "openat")].number
        self.process.files[self.result] = Description(self.reached, flags)
        if flags & O_TRUNC:
            self.oracle.ends[self.reached] = 0
        if in_scope(self.reached):
            self.row(self.reached)

    def do_close(self):
        self.on_file(self.args[0])
        if not self.error:
            self.process.files.pop(self.args[0].number, None)

    def transfer(self):
        fd = self.args[0]
        if "v" in self.name:
            # A pointer that strace can't follow is shown as the number it is.
            size = sum(int(n) for n in re.findall(r"iov_len=(\d+)", self.args[1].text))
            if self.args[1].text.startswith("0x"):
                size = ""
        else:
            size = self.args[2].number
        at = self.args[3].number if self.name.startswith("p") else -1
        rwf = self.args[4].number if self.name.endswith("v2") else 0
        file = self.description(fd)
        offset = "" if at < 0 else at
        if file is not None:
            offset = file.position if at < 0 else at
            appends = file.flags & O_APPEND or rwf & RWF_APPEND
            if self.operation == "write" and appends and not self.error:
                offset = self.oracle.ends[file.path]
            if self.result > 0:
                end = offset + self.result
                if at < 0:
                    file.position = end
                if self.operation == "write" and file.path in self.oracle.ends:
                    self.oracle.ends[file.path] = max(end, self.oracle.ends[file.path])
        self.on_file(fd, size=size, offset=offset, bytes="" if self.error else self.result)

    do_read = do_write = transfer

    def do_fsync(self):
        self.on_file(self.args[0])

    do_fdatasync = do_fsync

    def do_truncate(self):
        length = self.args[1].number
        if not self.name.startswith("f"):
            path = self.named()
            self.row(path, size=length)
        else:
            path = self.args[0].file
            self.on_file(self.args[0], size=length)
        if not self.error:
            self.oracle.ends[path] = length

    def do_getattr(self):
        if self.name == "fstat":
            self.on_file(self.args[0])
            return
        flags = {"newfstatat": 3, "statx": 2}.get(self.name)
        empty = self.args[1].string == b"" if flags else False
        if empty and self.args[flags].number & AT_EMPTY_PATH:
            self.on_file(self.args[0])
            return
        path = self.named()
        if in_scope(path or b"/"):
            self.row(path)

    def do_readdir(self):
        self.on_file(
            self.args[0], size=self.args[2].number, bytes="" if self.error else self.result
        )

    def do_rename(self):
        if self.name == "rename":
            paths = self.asked(self.args[0]), self.asked(self.args[1])
        else:
            paths = self.asked(self.args[1], self.args[0]), self.asked(self.args[3], self.args[2])
        self.row(paths)

    def do_unlink(self):
        if self.name == "unlinkat" and self.args[2].number & AT_REMOVEDIR:
            self.operation = "rmdir"
        self.row(self.named())

    def do_mkdir(self):
        self.row(self.named())

    do_rmdir = do_mkdir

    def do_mmap(self):
        address, length, _, flags, fd, offset = self.args
        anonymous = flags.number & MAP_ANONYMOUS
        # mmap2 counts pages, which strace has turned into bytes.
        if not anonymous:
            self.on_file(fd, size=length.number, offset=offset.number)
        if self.error:
            return
        ours = None if anonymous or not in_scope(fd.file) else fd.file
        self.unmap(self.result, length.number)
        self.process.maps.append((self.result, self.result + pages(length.number), ours))

    def unmap(self, start, length):
        end, maps = start + pages(length), self.process.maps
        old = list(maps)
        maps.clear() # in place: a child of vfork shares the list
        for s, e, path in old:
            if s < start:
                maps.append((s, min(e, start), path))
            if e > end:
                maps.append((max(s, end), e, path))

    def do_munmap(self):
        start, length = self.args[0].number, self.args[1].number
        for s, e, path in self.process.maps:
            if s <= start < e and path is not None:
                self.row(path, size=length)
                break
        if not self.error:
            self.unmap(start, length)

    def do_process_fork(self):
        flags = clone_flags(self.name + "(" + self.text)
        if flags & CLONE_THREAD and not self.error:
            self.oracle.born(self.process, self.result, flags)
        if flags & CLONE_THREAD:
            return
        if not self.error:
            self.oracle.born(self.process, self.result, flags)
        self.row(b"")

    def do_process_exec(self):
        path = self.named()
        if self.name == "execveat" and self.args[1].string == b"":
            path = self.args[0].file
        if not self.error:
            path = os.path.realpath(path)
            self.process.maps = []
            self.process.files = dict(self.process.files)
        self.row(path)

    # ---- what only the model needs ----

    def do_chdir(self):
        if not self.error:
            self.process.fs["cwd"] = self.asked(self.args[0])

    def do_fchdir(self):
        if not self.error:
            self.process.fs["cwd"] = self.args[0].file

    def do_dup(self):
        if not self.error:
            self.process.files[self.result] = self.description(self.args[0])

    do_dup2 = do_dup3 = do_dup

    def do_fcntl(self):
        if self.error:
            return
        command = self.args[1].number
        if command in (F_DUPFD, F_DUPFD_CLOEXEC):
            self.do_dup()
        elif command == F_SETFL:
            file = self.description(self.args[0])
            file.flags = file.flags & ~O_APPEND | self.args[2].number & O_APPEND

    def do_lseek(self):
        if not self.error:
            self.description(self.args[0]).position = self.result

    def do_memfd_create(self):
        if not self.error:
            self.process.files[self.result] = Description(self.reached)


def pages(length):
    return -(-length // 4096) * 4096


# ---- running ----

def run(argv, cwd, log):
    """Runs ARGV (absolute) under strace in CWD; returns its Oracle, exit code and stdout."""
    done = subprocess.run(
        # ?call: one that this architecture doesn't have is no error.
        ["strace", "-f", "-y", "-v", "-s", "0", "-xx", "-X", "raw", "-o", str(log),
         "-e", "trace=" + ",".join("?" + call for call in [*OPERATION, *MODEL]), *argv],
        cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
    )
    with open(log) as f:
        oracle = Oracle(f.read(), cwd)
    oracle.code, oracle.stdout, oracle.stderr = done.returncode, done.stdout, done.stderr
    return oracle
