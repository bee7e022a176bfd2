# SPDX-License-Identifier: GPL-2.0-or-later
"""What the fs rows of a program must be, according to strace.

strace shows the calls with their arguments and results and, with `-y`, the file of each descriptor. A small model of
processes adds what it does not show: the current directory, the position of an open file, the end of a file that is
appended to, and the mappings.

Paths follow the contract: successful opens and calls on descriptors have the file reached; all others have the
requested path, made absolute and normalized, without following symlinks.
"""
import dataclasses
import errno
import json
import os
import re
import signal
import stat
import subprocess

import words

# The compared operations, and the calls that make them. Rows of other operations are
# not compared here.
CALLS = {
    "open": "open openat openat2 creat open_by_handle_at",
    "close": "close close_range",
    "read": "read pread64 readv preadv preadv2",
    "write": "write pwrite64 writev pwritev pwritev2",
    "fsync": "fsync",
    "fdatasync": "fdatasync",
    "sync": "sync",
    "syncfs": "syncfs",
    "sync_file_range": "sync_file_range sync_file_range2",
    "truncate": "truncate ftruncate truncate64 ftruncate64",
    "fallocate": "fallocate",
    "readdir": "getdents getdents64",
    "getattr": "stat lstat fstat newfstatat statx stat64 lstat64 fstat64 fstatat64",
    "setattr": "chmod fchmod fchmodat chown lchown fchown fchownat chown32 lchown32 fchown32 utime "
               "utimes futimesat utimensat utimensat_time64",
    "access": "access faccessat faccessat2",
    "readlink": "readlink readlinkat",
    "getxattr": "getxattr lgetxattr fgetxattr",
    "setxattr": "setxattr lsetxattr fsetxattr",
    "listxattr": "listxattr llistxattr flistxattr",
    "removexattr": "removexattr lremovexattr fremovexattr",
    "rename": "rename renameat renameat2",
    "unlink": "unlink unlinkat",
    "mkdir": "mkdir mkdirat",
    "rmdir": "rmdir",
    "link": "link linkat",
    "symlink": "symlink symlinkat",
    "mknod": "mknod mknodat",
    "chdir": "chdir fchdir chroot pivot_root",
    "sendfile": "sendfile sendfile64",
    "splice": "splice",
    "vmsplice": "vmsplice",
    "tee": "tee",
    "copy_file_range": "copy_file_range",
    "clone": "ioctl",
    "readahead": "readahead",
    "fadvise": "fadvise64 fadvise64_64",
    "mmap": "mmap mmap2",
    "munmap": "munmap",
    "mremap": "mremap",
    "msync": "msync",
    "madvise": "madvise",
    "lock": "flock fcntl fcntl64",
    "mount": "mount move_mount open_tree fsopen fsconfig fspick fsmount mount_setattr",
    "umount": "umount umount2",
    "process_fork": "fork vfork clone clone3",
    "process_exec": "execve execveat",
}
OPERATION = {call: operation for operation, calls in CALLS.items() for call in calls.split()}
OPERATIONS = {*CALLS, "process_exit"}
# (dirfd, path, …) instead of (path, …)
AT_CALLS = (
    "openat openat2 newfstatat fstatat64 statx unlinkat mkdirat execveat fchmodat fchownat futimesat "
    "utimensat utimensat_time64 faccessat faccessat2 readlinkat mknodat"
).split()
# `a -> b` in filename; mount has one path where it has no source, and chdir only for pivot_root.
TWO_PATHS = "rename link symlink sendfile splice tee copy_file_range clone mount chdir".split()
# With these flags a symlink at the end of the path is not followed.
ON_LINKS = "unlink rmdir rename mkdir mknod symlink readlink".split()
# procfs's links to what a process has open.
MAGIC_LINK = re.compile(
    rb"(?:/proc/(?:self|thread-self|(?P<pid>\d+))/(?:fd/|(?P<kind>cwd|root))|/dev/fd/)"
    rb"(?(kind)|(?P<fd>\d+))(?P<rest>/.*|)", re.S
)
# Traced for the model only.
MODEL = "dup dup2 dup3 lseek _llseek exit exit_group memfd_create".split()

AT_EMPTY_PATH, AT_EXECVE_CHECK = 0x1000, 0x10000
RESOLVE_BENEATH, RESOLVE_IN_ROOT = 0x08, 0x10
AT_REMOVEDIR = 0x200
CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_THREAD = 0x100, 0x200, 0x400, 0x10000
F_DUPFD, F_SETFL, F_DUPFD_CLOEXEC = 0, 4, 1030
F_UNLCK = 2
MREMAP_DONTUNMAP = 4
FICLONE, FICLONERANGE, FIDEDUPERANGE = 0x40049409, 0x4020940D, 0xC0189436
MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_EMPTY_PATH = 4, 64
# A call that a signal interrupts: it is not clear yet whether the program will see EINTR, or nothing because
# the kernel restarts the call (include/linux/errno.h).
RESTART = {
    "ERESTARTSYS": 512, "ERESTARTNOINTR": 513, "ERESTARTNOHAND": 514, "ERESTART_RESTARTBLOCK": 516,
}
# lseek(-1, 0, this): what a program does before it is not compared.
BEGIN = 7777
MAP_FIXED, MAP_ANONYMOUS = 0x10, 0x20
O_CREAT, O_EXCL, O_TRUNC, O_APPEND = os.O_CREAT, os.O_EXCL, os.O_TRUNC, os.O_APPEND
RENAME_EXCHANGE = 2
RWF_APPEND, RWF_NOAPPEND = 0x10, 0x20
# Addresses of arm64 may have a tag in their top byte, which the kernel removes.
ADDRESS = (1 << 56) - 1 if os.uname().machine == "aarch64" else ~0


@dataclasses.dataclass
class Row:
    """The compared fields of a row, as in the file except for the path. None is what strace cannot tell."""

    operation: str
    path: object  # bytes; two of them where the operation has two files
    size: str = ""
    offset: str = ""
    bytes: str = ""
    ret: str = ""
    errno: str = ""
    flags: str = ""  # sorted; without O_* flags of an open file
    memory: str = "" # address, mmap_prot, mmap_flags

    def __str__(self):
        path = b" -> ".join(self.path) if isinstance(self.path, tuple) else self.path
        if len(path) > 300:
            path = path[:140] + b"..." + path[-140:]
        return (
            f"{self.operation} {path!r} size={self.size} offset={self.offset} "
            f"bytes={self.bytes} ret={self.ret} errno={self.errno} flags={self.flags}"
            + (f" memory={self.memory}" if self.memory else "")
        )


# ---- the lines ----

@dataclasses.dataclass
class Arg:
    """`3</a/file>`, `"name"`, `0x22`, `[{…}]`: the text, and what is between the brackets."""

    text: str
    file: bytes = None

    @property
    def number(self):
        return parse_number(self.text)

    @property
    def string(self):
        """The bytes of a string, or None if the program passed no readable one."""
        if not self.text.startswith('"'):
            return None
        # strace cuts paths that the kernel refuses as too long at the length at which it refuses them.
        text = self.text.removesuffix("...")
        assert text.endswith('"') and (text == self.text or len(text) > 4 * 4000), "strace cut it"
        return unhex(text[1:-1])


def parse_number(text):
    total = 0
    # strace writes statx's flags as `|0x1000`, and nothing for none
    for part in filter(None, text.split("|")):
        octal = re.fullmatch(r"0[0-7]+", part)
        total |= int(part, 8) if octal else int(part, 0)
    return total


def signed(number):
    return number - (1 << 64) if number >= 1 << 63 else number


def unhex(text):
    assert re.fullmatch(r"(\\x[0-9a-f]{2})*", text), f"not hexadecimal: {text[:100]!r}"
    return bytes.fromhex(text.replace("\\x", ""))


FILE = re.compile(r"(.*?)<((?:\\x[0-9a-f]{2})*)>(?:\(deleted\))?")


def parse_file(text):
    match = FILE.fullmatch(text)
    return Arg(match[1], unhex(match[2])) if match else Arg(text)


PUNCTUATION = re.compile(r"[][(){},]")


def split_args(text):
    """The arguments at the top level. With -xx no string contains a bracket, comma or quote."""
    args, depth, start = [], 0, 0
    for mark in PUNCTUATION.finditer(text):
        if mark[0] in "([{":
            depth += 1
        elif mark[0] in ")]}":
            depth -= 1
        elif not depth:
            args.append(text[start:mark.start()].strip())
            start = mark.end()
    if text.strip():
        args.append(text[start:].strip())
    # An address within a comment or an array is not a file; such arguments stay text.
    return [parse_file(a) if a[:1] not in "[{" else Arg(a) for a in args]


LINE = re.compile(r"(\d+) +(.*)", re.S)
CALL = re.compile(
    r"(\w+)\((.*)\)\s+= (\?|-?\d+|0x[0-9a-f]+)(<.*>(?:\(deleted\))?)?(?: (E\w+))?(?: \(.*\))?"
)
EXIT = re.compile(r"\+\+\+ (?:exited with (\d+)|killed by (\w+)(?: \(core dumped\))?) \+\+\+")
RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)")
UNFINISHED = " <unfinished ...>"
NOISE = re.compile(
    r"--- SIG.* ---|strace: Process \d+ attached|\[ Process PID=\d+ runs in .* mode. \]"
)


# ---- the model ----

class Description:
    """An open file description: what dup and fork share."""

    def __init__(self, path, flags=0):
        self.path, self.flags = path, flags
        self.position = 0 # None: not known
        self.row = None   # of its open, as long as the path is missing


class Process:
    def __init__(self, pid, cwd):
        self.pid = pid
        self.files = {}        # fd: Description
        self.detached = {}  # descriptors of detached mounts: name, whether it is a filesystem's root
        self.fs = {"cwd": cwd, "root": b""}
        self.maps = []         # (start, end, path); path is None for files that are not in scope

    def child(self, pid, flags):
        new = Process(pid, None)
        new.files = self.files if flags & CLONE_FILES else dict(self.files)
        new.fs = self.fs if flags & CLONE_FS else dict(self.fs or {})
        new.maps = self.maps if flags & CLONE_VM else list(self.maps)
        return new


def fold(path):
    path = os.path.normpath(path)
    return b"/" + path.lstrip(b"/") if path.startswith(b"//") else path


def pseudo(path):
    first = path.split(b"/")[1] if path.startswith(b"/") else b""
    return first in (b"proc", b"sys") or (first == b"dev" and not path.startswith(b"/dev/shm/"))


def in_scope(path):
    """Regular files, directories and symlinks on real filesystems."""
    if not path.startswith(b"/") or path.startswith(b"/memfd:") or pseudo(path):
        return False
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return True # gone, or without a name: the workloads keep special files elsewhere
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)


def has_position(path):
    """Whether reads and writes move the position: not for a pipe, a socket, a terminal or /dev/zero; and a directory's
    position is not an offset. None: the file is gone, and strace does not show its type."""
    if not path.startswith(b"/"):
        return False
    try:
        mode = os.lstat(path).st_mode # a link that is open stays a link
        return stat.S_ISREG(mode) or stat.S_ISBLK(mode)
    except OSError:
        return None


def below(root, path):
    """PATH as seen from ROOT, which is empty for the system's root."""
    if not root or not (path == root or path.startswith(root + b"/")):
        return path
    return path[len(root):] or b"/"


def moved(path, old, new, exchanged):
    for source, goal in ((old, new), (new, old))[: 1 + bool(exchanged)]:
        if path == source or path.startswith(source + b"/"):
            return goal + path[len(source):]
    return path


class Unknown(dict):
    """Keeps nothing."""

    def __setitem__(self, key, value):
        pass


class Oracle:
    """Reads a log; .rows[tid] is a list of Row in the order of completion, .exits[pid] a Row. LINKS: a file may have
    several names, or none while another has its name, so that the offset of an append is not known."""

    def __init__(self, log, cwd, scope_all=False, links=False):
        self.scope_all = scope_all
        self.cwd = os.fsencode(os.path.realpath(cwd))
        self.processes, self.pending = {}, {}
        self.ends = Unknown() if links else {} # path: the end of the file, if it is known
        self.rows, self.exits, self.pids = {}, {}, set()
        self.root = None
        self.reported = []   # rows of what strace cannot see, as the program reports them
        self.early = {}  # tid: lines of a child whose parent is not known yet
        for number, line in enumerate(log.splitlines(), 1):
            try:
                self.line(line)
            except Exception as error:
                raise AssertionError(f"strace line {number}: {line[:400]}") from error
        assert not self.pending, f"calls that never ended: {self.pending}"
        assert not self.early, f"whose children are {list(self.early)}?"

    def in_scope(self, path):
        if path.startswith(b"(detached)"):
            return True
        return self.scope_all or in_scope(path)

    def pseudo(self, path):
        return not self.scope_all and pseudo(path)

    def process(self, tid):
        if tid not in self.processes:
            # A child's first line may come before its parent's call has returned.
            parents = [
                (parent, call) for parent, call in self.pending.items()
                if OPERATION.get(call.split("(")[0]) == "process_fork"
            ]
            if self.root is None:
                self.root = tid
                self.processes[tid] = Process(tid, self.cwd)
            elif len(parents) == 1:
                parent, call = parents[0]
                self.born(self.process(parent), tid, clone_flags(call))
            else:
                assert parents, f"whose child is {tid}?"
                return None
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
        for line in self.early.pop(tid, []):
            self.line(line)

    def line(self, line):
        match = LINE.fullmatch(line)
        assert match, "no pid"
        tid, rest = int(match[1]), match[2]
        if NOISE.fullmatch(rest):
            return
        process = None if tid in self.early else self.process(tid)
        if process is None:
            self.early.setdefault(tid, []).append(line)
            return
        match = EXIT.fullmatch(rest)
        if match:
            self.pending.pop(tid, None)
            self.exited(process, tid, match[1], match[2])
            return
        if rest.endswith(UNFINISHED):
            assert tid not in self.pending
            self.pending[tid] = rest[: -len(UNFINISHED)]
            return
        if rest.startswith("<... ??? resumed>"): # killed before strace knew the name of the call
            self.pending.pop(tid, None)
            return
        match = RESUMED.fullmatch(rest)
        if match:
            rest = self.pending.pop(tid) + match[2]
        match = CALL.fullmatch(rest)
        assert match, "not a call"
        name, args, result, reached, error = match.groups()
        # The end of a process has a line of its own; a call that strace does not know has the
        # program tells.
        if result == "?" and not error or name.startswith("syscall_0x"):
            return
        result = int(result, 0) if result != "?" else -1
        call = Call(self, process, tid, name, split_args(args), result, error)
        if reached:
            call.reached = below(process.fs["root"], parse_file(reached).file)
        call.run(args)

    def exited(self, process, tid, code, killer):
        if tid == process.pid:
            code = code or str(128 + signal.Signals[killer].value)
            self.exits[tid] = Row("process_exit", b"", ret=code)

    def renamed(self, old, new, exchanged):
        for path in old, new: # the appended file has another name now
            self.ends.pop(path, None)
        for process in {id(p): p for p in self.processes.values()}.values():
            process.maps[:] = [
                (start, end, path and moved(path, old, new, exchanged))
                for start, end, path in process.maps
            ]

    def add(self, tid, row):
        self.rows.setdefault(tid, []).append(row)


def clone_flags(text):
    match = re.search(r"flags=([0-9a-fx|]+)", text)
    if text.startswith("vfork"):
        return CLONE_VM
    return parse_number(match[1]) if match else 0


class Call:
    """A call that has returned. The method of its operation adds the row."""

    def __init__(self, oracle, process, tid, name, args, result, error):
        self.oracle, self.process, self.tid, self.name = oracle, process, tid, name
        self.args, self.result, self.error = args, result, error
        self.reached = None
        self.operation = OPERATION.get(name)
        if error:
            self.result = -RESTART.get(error, 0) or -getattr(errno, error)
        for arg in args:
            if arg.file is not None:
                if arg.text == "-100": # of a removed directory, in the form of /proc/PID/cwd
                    arg.file = arg.file.removesuffix(b" (deleted)")
                arg.file = below(process.fs["root"], arg.file)
                # strace shows the root of a detached mount like the root directory.
                if arg.file == b"/" and arg.text.isdigit() and int(arg.text) in process.detached:
                    arg.file = process.detached[int(arg.text)][0]
                self.name_late(arg)
                if arg.text == "-100":
                    process.fs["cwd"] = arg.file

    def name_late(self, arg):
        """Handles that strace shows the file that open_by_handle_at opened only when it is used."""
        file = self.process.files.get(int(arg.text)) if arg.text.isdigit() else None
        if file is not None and file.row is not None:
            file.path = file.row.path = arg.file
            file.row = None

    def run(self, text):
        self.text = text
        getattr(self, "do_" + (self.operation or self.name).lstrip("_"))()

    def row(self, path, size="", offset="", bytes="", ret=None, flags=(), memory=""):
        text = lambda value: None if value is None else str(value)
        size = signed(size) if isinstance(size, int) else size
        row = Row(
            self.operation, path, text(size), text(offset), text(bytes),
            str(self.result if ret is None else ret), self.error or "",
            None if flags is None else "|".join(sorted(flags)), memory,
        )
        self.oracle.add(self.tid, row)
        return row

    @property
    def moved(self):
        return "" if self.error else self.result

    # ---- paths ----

    def requested(self, path, base=None):
        """The path argument PATH made absolute; BASE is the dirfd argument, if there is one."""
        name = path.string
        if not name:
            return b"" # not readable, or nothing
        name = self.behind_magic(name)
        if not name.startswith(b"/"):
            if base is not None and not (base.file or b"").startswith(b"/"):
                return b"" # relative to nothing
            name = (base.file if base is not None else self.process.fs["cwd"]) + b"/" + name
        return fold(name)

    def behind_magic(self, name):
        """NAME, with procfs's link to an open file replaced by that file."""
        match = MAGIC_LINK.fullmatch(name)
        if not match or match["pid"] and int(match["pid"]) != self.process.pid:
            return name
        rest = match["rest"]
        if not rest.strip(b"/") and self.operation in ON_LINKS:
            return name
        if match["fd"]:
            return self.process.files[int(match["fd"])].path + rest
        return (self.process.fs["cwd"] if match["kind"] == b"cwd" else b"") + (rest or b"/")

    def confined(self):
        """The path of an openat2() that cannot leave its directory."""
        base = self.args[0].file
        if not base:
            return b"" # in nothing
        return fold(base + fold(b"/" + self.args[1].string))

    def named(self):
        """Path of a call that takes one: (path), or (dirfd, path) of the *at family."""
        if self.name in AT_CALLS:
            return self.requested(self.args[1], self.args[0])
        return self.requested(self.args[0])

    def on_path(self, path=None, **fields):
        """A row of a call on a path, which need not exist; none for pseudo filesystems."""
        path = self.named() if path is None else path
        last = path[-1] if isinstance(path, tuple) else path
        if not self.oracle.pseudo(last) or isinstance(path, tuple) and not self.oracle.pseudo(path[0]):
            self.row(path, **fields)

    def on_file_or_path(self, empty, **fields):
        """(dirfd, path, …), where an empty path may mean the descriptor itself."""
        if self.name in AT_CALLS and empty and not self.args[1].string and self.args[1].text in ('""', "NULL"):
            self.on_file(self.args[0], **fields)
        else:
            self.on_path(**fields)

    def description(self, arg):
        """The open file of a descriptor argument, or None if it is not open."""
        if arg.file is None:
            return None
        fd = arg.number
        known = self.process.files.get(fd)
        if known is None:
            known = self.process.files[fd] = Description(arg.file)
            known.position = None
        known.path = arg.file
        return known

    def on_file(self, arg, **fields):
        """A row of a call on a descriptor. A descriptor that is not open has no path."""
        if arg.file is None:
            assert self.error, "strace knows no file"
            self.row(b"", **fields)
        elif self.oracle.in_scope(arg.file):
            # Files without a path have their name only; /proc shows a memfd's as if it were a path.
            path = arg.file[1:] if arg.file.startswith(b"/memfd:") else arg.file
            self.row(path, **fields)

    # ---- operations ----

    def do_open(self):
        flags, requested = 0, None
        if self.name == "openat2":
            match = re.search(r"flags=([^,}]+)", self.args[2].text)
            flags = parse_number(match[1]) if match else None
        elif self.name == "open_by_handle_at":
            flags, requested = self.args[2].number, b""
        elif self.name == "creat":
            flags = os.O_WRONLY | os.O_CREAT | O_TRUNC
        else:
            flags = self.args[1 + (self.name == "openat")].number
        said = None if flags is None else words.say(words.OPEN, flags & ~words.LARGEFILE)
        if self.error:
            path = self.named() if requested is None else requested
            resolve = self.name == "openat2" and re.search(r"resolve=([^,}]+)", self.args[2].text)
            if resolve and parse_number(resolve[1]) & (RESOLVE_BENEATH | RESOLVE_IN_ROOT):
                path = self.confined()
            if self.oracle.in_scope(path or b"/"):
                self.row(path, flags=said)
            return
        self.process.files[self.result] = Description(self.reached, flags)
        if flags & O_TRUNC or flags & O_CREAT and flags & O_EXCL:
            self.oracle.ends[self.reached] = 0
        if self.reached is None:
            self.process.files[self.result].row = self.row(None, flags=said)
        elif self.oracle.in_scope(self.reached):
            self.row(self.reached, flags=said)

    def do_close(self):
        if self.name == "close_range":
            said = words.say(words.CLOSE_RANGE, self.args[2].number)
            self.row(b"", flags={"CLOSE_RANGE"} | said)
            return
        self.on_file(self.args[0])
        if not self.error:
            self.process.files.pop(self.args[0].number, None)

    def transfer(self):
        fd = self.args[0]
        if "v" in self.name:
            # A pointer that strace cannot follow is shown as a number.
            size = sum(int(n) for n in re.findall(r"iov_len=(\d+)", self.args[1].text))
            size = min(size, (1 << 64) - 1)
            if self.args[1].text.startswith("0x"):
                size = ""
        else:
            size = self.args[2].number
        at = self.args[3].number if self.name.startswith("p") else -1
        own = not self.name.startswith("p") or self.name.endswith("v2") and at == -1
        rwf = self.args[4].number if self.name.endswith("v2") else 0
        file = self.description(fd)
        offset = "" if own else at
        if file is not None:
            offset = file.position if own else at
            # RWF_APPEND is for writes; RWF_NOAPPEND, if the kernel supports it, undoes O_APPEND.
            appends = file.flags & O_APPEND and not rwf & RWF_NOAPPEND or rwf & RWF_APPEND
            if self.operation == "write" and appends:
                # Where a failed append would have begun is unknown.
                offset = "" if self.error else self.oracle.ends.get(file.path)
            if self.result > 0:
                end = None if offset is None else offset + self.result
                # A write with RWF_APPEND moves the position like any write at the position.
                if own:
                    file.position = end
                if self.operation == "write" and file.path in self.oracle.ends:
                    self.oracle.ends[file.path] = max(end or 0, self.oracle.ends[file.path])
            if own:
                offset = self.if_placed(file.path, offset)
        self.on_file(
            fd, size=size, offset=offset, bytes=self.moved, flags=words.say(words.RWF, rwf)
        )

    do_read = do_write = transfer

    def if_placed(self, path, position):
        """POSITION, if PATH has one. A file that is gone and could be read or written was not a directory."""
        placed = has_position(self.process.fs["root"] + path if path.startswith(b"/") else path)
        if placed is None:
            return None if self.error else position
        return position if placed else ""

    def do_fsync(self):
        self.on_file(self.args[0])

    do_fdatasync = do_fsync

    def do_truncate(self):
        length = self.args[1].number
        if not self.name.startswith("f"):
            path = self.named()
            self.on_path(path, size=length)
        else:
            path = self.args[0].file
            self.on_file(self.args[0], size=length)
        if not self.error:
            self.oracle.ends[path] = length

    def do_getattr(self):
        if self.name in ("fstat", "fstat64"):
            self.on_file(self.args[0])
            return
        flags = {"newfstatat": 3, "fstatat64": 3, "statx": 2}.get(self.name)
        flags = self.args[flags].number if flags else 0
        said = words.say(words.AT, flags)
        if flags & AT_EMPTY_PATH and self.args[1].string == b"":
            self.on_file(self.args[0], flags=said)
            return
        path = self.named()
        if self.oracle.in_scope(path or b"/"):
            self.row(path, flags=said)

    def do_setattr(self):
        n = self.name.removesuffix("32")
        empty = False
        if "chmod" in n:
            said = {"CHMOD"} | words.say(words.MODE, self.args[1 + (n == "fchmodat")].number)
        elif "chown" in n:
            said = {"CHOWN"}
            empty = n == "fchownat" and self.args[4].number & AT_EMPTY_PATH
        else:
            said = {"UTIMES"}
            empty = self.args[1].text == "NULL" # futimens
        if n in ("fchmod", "fchown"):
            self.on_file(self.args[0], flags=said)
        else:
            self.on_file_or_path(empty, flags=said)

    def do_access(self):
        at = self.name in AT_CALLS
        said = words.say(words.ACCESS, self.args[1 + at].number)
        flags = self.args[3].number if self.name == "faccessat2" else 0
        self.on_file_or_path(
            flags & AT_EMPTY_PATH, flags=said | words.say(words.AT_ACCESS, flags)
        )

    def do_readlink(self):
        # With an empty path, readlinkat reads the link that is open.
        # An int; strace prints the whole register.
        size = (self.args[-1].number + (1 << 31)) % (1 << 32) - (1 << 31)
        self.on_file_or_path(True, size=size, bytes=self.moved)

    def do_xattr(self):
        fields = {}
        if self.operation == "setxattr":
            fields = {"size": self.args[3].number, "flags": words.say(words.XATTR, self.args[4].number)}
        elif self.operation != "removexattr":
            fields = {"size": self.args[-1].number, "bytes": self.moved}
        if self.name.startswith("f"):
            self.on_file(self.args[0], **fields)
        else:
            self.on_path(**fields)

    do_getxattr = do_setxattr = do_listxattr = do_removexattr = do_xattr

    def do_readdir(self):
        self.on_file(self.args[0], size=self.args[2].number, bytes=self.moved)

    def two(self):
        """Both paths of rename and its relatives: (old, new) or (dirfd, old, dirfd, new)."""
        if "at" not in self.name[4:]:
            return self.requested(self.args[0]), self.requested(self.args[1])
        return self.requested(self.args[1], self.args[0]), self.requested(self.args[3], self.args[2])

    def do_rename(self):
        flags = self.args[4].number if self.name == "renameat2" else 0
        paths = self.two()
        if not self.error:
            self.oracle.renamed(*paths, flags & RENAME_EXCHANGE)
        self.on_path(paths, flags=words.say(words.RENAME, flags))

    def do_link(self):
        flags = self.args[4].number if self.name == "linkat" else 0
        old, new = self.two()
        if flags & AT_EMPTY_PATH and self.args[1].string == b"":
            old = self.args[0].file
        self.on_path((old, new), flags=words.say(words.AT, flags))

    def do_symlink(self):
        at = self.args[1] if self.name == "symlinkat" else None
        link = self.requested(self.args[-1], at)
        if not self.oracle.pseudo(link):
            self.row((self.args[0].string or b"", link))

    def do_mknod(self):
        mode = self.args[1 + (self.name in AT_CALLS)].number
        self.on_path(flags=words.say(words.MODE, mode))

    def do_unlink(self):
        flags = self.args[2].number if self.name == "unlinkat" else 0
        if flags & AT_REMOVEDIR:
            self.operation = "rmdir"
        elif not self.error:
            self.oracle.ends.pop(self.named(), None)
        self.on_path(flags=words.say(words.AT_UNLINK, flags))

    def do_mkdir(self):
        self.on_path(flags=words.say(words.MODE, self.args[-1].number))

    def do_rmdir(self):
        self.on_path()

    def do_chdir(self):
        fs = self.process.fs
        if self.name == "fchdir":
            self.on_file(self.args[0])
            if not self.error:
                fs["cwd"] = self.args[0].file
        elif self.name == "pivot_root":
            self.on_path((self.requested(self.args[0]), self.requested(self.args[1])), flags={"PIVOT_ROOT"})
        else:
            path = self.named()
            self.on_path(path, flags={"CHROOT"} if self.name == "chroot" else ())
            if self.error:
                return
            if self.name == "chdir":
                fs["cwd"] = path
            else:
                cwd = fs["root"] + fs["cwd"]
                fs["root"] += path
                fs["cwd"] = below(fs["root"], cwd)

    def do_mount(self):
        if self.name == "move_mount":
            flags = self.args[4].number
            ends = []
            for i, bit in (0, MOVE_MOUNT_F_EMPTY_PATH), (2, MOVE_MOUNT_T_EMPTY_PATH):
                empty = flags & bit and self.args[i + 1].string == b""
                if empty and not i and self.process.detached.get(int(self.args[0].text), (b"", False))[1] \
                        and self.args[0].file.startswith(b"(detached)"):
                    ends.append(b"none") # the source, as for fsmount
                    continue
                ends.append(self.args[i].file if empty else self.requested(self.args[i + 1], self.args[i]))
            self.on_path(tuple(ends), flags=words.say(words.MOVE_MOUNT, flags))
            return
        if self.name in ("fsopen", "fsconfig"):
            self.row(b"", flags=None) # the reported source: none
            return
        if self.name == "fsmount":
            # The source passed to fsconfig(): the programs pass none.
            self.row(b"" if self.error else (b"none", b"(detached)/"), flags=None)
            if not self.error:
                self.process.detached[self.result] = b"(detached)/", True
            return
        if self.name in ("open_tree", "mount_setattr", "fspick"):
            flags = self.args[2].number
            empty = flags & AT_EMPTY_PATH and self.args[1].string == b""
            path = self.args[0].file if empty else self.requested(self.args[1], self.args[0])
            self.row(path or b"", flags=None)
            if self.name == "open_tree" and flags & 1 and not self.error:
                self.process.detached[self.result] = b"(detached)" + inside(path), False
            return
        target = self.requested(self.args[1])
        if self.args[0].text != "NULL":
            target = self.args[0].string or b"", target
        self.row(target, flags=words.say(words.MOUNT, self.args[3].number))

    def do_umount(self):
        flags = self.args[1].number if self.name == "umount2" else 0
        self.row(self.named(), flags=words.say(words.UMOUNT, flags))

    # ---- a range of a file ----

    def extent(self, said=(), size=None, offset=None):
        self.on_file(self.args[0], size=self.args[size].number if size else "",
                     offset=self.args[offset].number if offset else "", flags=said)

    def do_sync(self):
        self.row(b"")

    def do_syncfs(self):
        self.on_file(self.args[0])

    def do_sync_file_range(self):
        first = self.name == "sync_file_range2" # arm: the flags come first
        said = words.say(words.SYNC_RANGE, self.args[1 if first else 3].number)
        self.extent(said, size=2 + first, offset=1 + first)

    def do_fallocate(self):
        self.extent(words.say(words.FALLOCATE, self.args[1].number), size=3, offset=2)
        file = self.args[0].file
        if not self.error and file is not None:
            self.oracle.ends.pop(file, None) # the mode says whether it becomes longer

    def do_fadvise(self):
        self.extent(words.say(words.FADVISE, self.args[3].number), size=2, offset=1)

    def do_readahead(self):
        self.extent(size=2, offset=1)

    def do_vmsplice(self):
        sizes = re.findall(r"iov_len=(\d+)", self.args[1].text)
        size = "" if self.args[1].text.startswith("0x") else sum(map(int, sizes))
        said = words.say(words.SPLICE, self.args[3].number)
        self.on_file(self.args[0], size=size, bytes=self.moved, flags=said)

    def do_lock(self):
        if self.name == "flock":
            self.on_file(self.args[0], flags=words.say(words.FLOCK, self.args[1].number))
            return
        command = self.args[1].number
        if command in words.LOCK_COMMAND:
            self.range_lock(words.LOCK_COMMAND[command])
        elif self.error:
            return
        elif command in (F_DUPFD, F_DUPFD_CLOEXEC):
            self.do_dup()
        elif command == F_SETFL:
            file = self.description(self.args[0])
            file.flags = file.flags & ~O_APPEND | self.args[2].number & O_APPEND

    def range_lock(self, command):
        requested = dict(re.findall(r"(l_\w+)=(-?\w+)", self.args[2].text))
        fields = {"flags": {command}} # nothing more is known of an address that cannot be read
        if requested:
            kind = parse_number(requested["l_type"])
            said = words.say(words.LOCK_TYPE, kind)
            fields = {
                "flags": {command} | said, "offset": requested["l_start"], "size": requested["l_len"],
            }
            # strace shows the answer of these: if no lock conflicts, only l_type
            # differs from what was requested.
            if "GETLK" in command and not self.error:
                fields["flags"] = None
                if kind != F_UNLCK:
                    fields["offset"] = fields["size"] = None
        self.on_file(self.args[0], **fields)

    # ---- two files ----

    def between(self, source, goal, size, at="NULL", to="NULL", flags=()):
        """A transfer from the argument SOURCE to GOAL; AT and TO are the texts of pointers to offsets."""
        files = [f.file for f in (source, goal) if f.file is not None]
        if files and not any(map(self.oracle.in_scope, files)):
            return
        self.row(
            (source.file or b"", goal.file or b"") if files else b"", size=size, flags=flags, bytes=self.moved,
            offset=self.advance(source, at),
        )
        if at != "NULL" or to != "NULL" or self.description(goal) is not self.description(source):
            self.advance(goal, to)
        if goal.file is not None and not self.error:
            self.oracle.ends.pop(goal.file, None)

    def advance(self, arg, pointer):
        """Where the transfer began in this file; moves the file's position."""
        if pointer != "NULL" and self.result > 0 and has_position(arg.file) is False:
            return ""
        if pointer != "NULL":
            number = re.match(r"\[(-?\d+)\]", pointer)
            return signed(int(number[1])) if number else ""
        if arg.file is None or not arg.file.startswith(b"/"):
            return ""
        file = self.description(arg)
        begin = self.if_placed(arg.file, file.position)
        if self.result > 0 and file.position is not None:
            file.position += self.result
        return begin

    def do_sendfile(self):
        out, source, at, size = self.args
        self.between(source, out, size.number, at.text.split(" =>")[0])

    def do_splice(self):
        source, at, goal, to, size, flags = self.args
        self.between(source, goal, size.number, at.text, to.text, words.say(words.SPLICE, flags.number))

    def do_tee(self):
        source, goal, size, flags = self.args
        self.between(source, goal, size.number, flags=words.say(words.SPLICE, flags.number))

    def do_copy_file_range(self):
        source, at, goal, to, size, flags = self.args
        self.between(source, goal, size.number, at.text, to.text, words.say([], flags.number))

    def do_clone(self):
        if len(self.args) < 3: # FIOCLEX and others have no argument
            return
        request, text = self.args[1].text, self.args[2].text
        request = parse_number(request) if re.match(r"0x|\d", request) else 0
        if request not in (FICLONE, FICLONERANGE, FIDEDUPERANGE):
            return
        numbers = {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", text)}
        own, other, fields = self.args[0], Arg(""), {}
        fd = numbers.get("dest_fd" if request == FIDEDUPERANGE else "src_fd")
        if request == FICLONE:
            fd = self.args[2].number
        elif numbers:
            fields = {"size": numbers["src_length"], "offset": numbers["src_offset"]}
        if fd in self.process.files:
            other = Arg(str(fd), self.process.files[fd].path)
        source, goal = (own, other) if request == FIDEDUPERANGE else (other, own)
        if any(f.file is not None and self.oracle.in_scope(f.file) for f in (own, other)):
            self.row((source.file or b"", goal.file or b""), flags=None, **fields)

    # ---- memory ----

    def mapped(self, address):
        """The file mapped there, or None if it is not in scope."""
        for start, end, path in self.process.maps:
            if start <= address & ADDRESS < end:
                return path
        return None

    def on_memory(self, said, size=1):
        path = self.mapped(self.args[0].number)
        if path is not None:
            self.row(path, size=self.args[size].number, flags=said, memory=hex(self.args[0].number))
        return path

    def do_msync(self):
        self.on_memory(words.say(words.MSYNC, self.args[2].number))

    def do_madvise(self):
        self.on_memory(words.say(words.MADVISE, self.args[2].number))

    def do_mremap(self):
        start, old, new, flags = (arg.number for arg in self.args[:4])
        path = self.on_memory(words.say(words.MREMAP, flags), size=2)
        if self.error:
            return
        if not flags & MREMAP_DONTUNMAP:
            self.unmap(start, old)
        self.unmap(self.result, new)
        self.process.maps.append((self.result, self.result + pages(new), path))

    def do_mmap(self):
        _, length, prot, flags, fd, offset = self.args
        anonymous = flags.number & MAP_ANONYMOUS
        memory = ["" if self.error else hex(self.result)]
        memory += ["|".join(sorted(said)) for said in (
            words.say(words.PROT, prot.number), words.say(words.MAP, flags.number)
        )]
        # mmap2 counts pages; strace has converted them to bytes.
        if not anonymous:
            self.on_file(fd, size=length.number, offset=offset.number, memory=" ".join(memory).strip())
        if self.error:
            return
        ours = None
        if not anonymous and self.oracle.in_scope(fd.file):
            ours = fd.file[1:] if fd.file.startswith(b"/memfd:") else fd.file
        self.unmap(self.result, length.number)
        self.process.maps.append((self.result, self.result + pages(length.number), ours))

    def unmap(self, start, length):
        start &= ADDRESS
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
        self.on_memory(())
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
        flags = ()
        at = self.args[4].number if self.name == "execveat" else 0
        if at & AT_EXECVE_CHECK: # it only asks
            self.operation = "access"
            self.on_file_or_path(at & AT_EMPTY_PATH, flags={"X_OK"} | words.say(words.AT_ACCESS, at))
            return
        if self.name == "execveat":
            flags = words.say(words.AT, self.args[4].number)
            if self.args[1].string == b"":
                path = self.args[0].file
        if not self.error:
            path = os.path.realpath(path)
            self.process.maps = []
            self.process.files = dict(self.process.files)
        self.row(path, flags=flags)

    # ---- calls that only the model needs ----

    def do_dup(self):
        if not self.error:
            self.process.files[self.result] = self.description(self.args[0])

    do_dup2 = do_dup3 = do_dup

    def do_lseek(self):
        if self.args[-1].number == BEGIN:
            self.oracle.rows.pop(self.tid, None)
        elif not self.error:
            self.description(self.args[0]).position = self.result

    def do_llseek(self): # i386's, with the result in memory
        if not self.error:
            position = re.search(r"\[(\d+)\]", self.text)
            self.description(self.args[0]).position = int(position[1])

    def do_memfd_create(self):
        if not self.error:
            self.process.files[self.result] = Description(self.reached)


def pages(length):
    return -(-length // 4096) * 4096


# ---- running ----

def inside(path):
    """PATH as seen from the root of its filesystem."""
    with open("/proc/self/mountinfo", "rb") as f:
        mounts = [line.split(b" ")[3:5] for line in f]
    root, point = max((m for m in mounts if (path + b"/").startswith(m[1].rstrip(b"/") + b"/")), key=lambda m: len(m[1]))
    return (root.rstrip(b"/") + b"/" + path[len(point.rstrip(b"/")) + 1:]).rstrip(b"/") or b"/"


def command(argv, log):
    """The command line of strace for ARGV. ?call: a call that this architecture lacks is no error."""
    return [
        "strace", "-f", "-y", "-v", "-s", "0", "-xx", "-X", "raw", "-o", str(log),
        "-e", "trace=" + ",".join("?" + call for call in [*OPERATION, *MODEL]), *argv,
    ]


def read(log, cwd, stdout="", **options):
    """The Oracle, with its OPTIONS, of a LOG that command() wrote, of a program that was started in CWD and printed
    STDOUT; see told()."""
    with open(log) as f:
        oracle = Oracle(f.read(), cwd, **options)
    oracle.reported = reported(stdout)
    return oracle


def run(argv, cwd, log, scope_all=False, links=False, seconds=120, **kwargs):
    """Runs ARGV (absolute) under strace in CWD, for at most SECONDS; returns its Oracle, exit code and stdout."""
    done = subprocess.run(
        command(argv, log), cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        errors="surrogateescape", timeout=seconds, **kwargs,
    )
    oracle = read(log, cwd, done.stdout, scope_all=scope_all, links=links)
    oracle.code, oracle.stdout, oracle.stderr = done.returncode, done.stdout, done.stderr
    return oracle


def reported(stdout):
    """The rows that a program prints for itself: one {"operation": …, "path": … (or two), …} a line. null is what it cannot
    know."""
    rows = []
    for line in stdout.splitlines():
        if not line.startswith('{"operation"'):
            continue
        fields = json.loads(line)
        path = fields.pop("path")
        path = tuple(map(os.fsencode, path)) if isinstance(path, list) else os.fsencode(path)
        flags = fields.pop("flags", "")
        if flags is not None:
            flags = "|".join(sorted(flags.split("|")))
        rows.append(Row(path=path, flags=flags, memory=None, **fields))
    return rows
