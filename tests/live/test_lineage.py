# SPDX-License-Identifier: GPL-2.0-or-later
"""The stream extent: which bytes of which file does a block request carry, and whose are they? The oracles: FIEMAP,
which says where a file is on the device; programs that know what they wrote; the stream block, byte for byte."""
import contextlib
import fcntl
import json
import mmap
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import time

import pytest

import modules
import recorder
from test_block import SECTOR, settle
from test_block_devices import Machine, run

SIZE = 400 << 20
FS_IOC_FIEMAP = 0xC020660B # include/uapi/linux/fs.h
FIEMAP_FLAG_SYNC = 1
FIEMAP_NOT_PLACED = 0x2 | 0x4 | 0x8 | 0x200 # include/uapi/linux/fiemap.h: UNKNOWN, DELALLOC, ENCODED, DATA_INLINE
PAGE = mmap.PAGESIZE
# Nothing is left for a thread of ext4 to write later.
FILE_SYSTEMS = {"ext4": ["mkfs.ext4", "-q", "-F", "-b", "4096", "-E", "lazy_itable_init=0,lazy_journal_init=0"],
                "xfs": ["mkfs.xfs", "-q", "-f"], "f2fs": ["mkfs.f2fs", "-q", "-f"]}


def mapped(path, flags):
    """[(offset in the file, first byte on the device, length, FIEMAP_EXTENT_*)] of a file."""
    n = 4096
    buffer = bytearray(struct.pack("=QQIIII", 0, 2**64 - 1, flags, 0, n, 0) + bytes(n * 56))
    with open(path, "rb") as f:
        fcntl.ioctl(f, FS_IOC_FIEMAP, buffer)
    count = struct.unpack_from("=QQIIII", buffer)[3]
    assert count < n
    found = [struct.unpack_from("=QQQQQIIII", buffer, 32 + 56 * i) for i in range(count)]
    return [(logical, physical, length, flag) for logical, physical, length, _, _, flag, *_ in found]


def extents(path):
    """The first three fields of each extent, once all data has its place."""
    found = mapped(path, FIEMAP_FLAG_SYNC)
    assert not any(flags & FIEMAP_NOT_PLACED for *_, flags in found)
    return [extent[:3] for extent in found]


def placed(where, offset, size):
    """The first byte on the device of SIZE bytes from OFFSET on, of a file with the extents WHERE; None: not within one
    extent."""
    for logical, physical, length in where:
        if logical <= offset and offset + size <= logical + length:
            return physical + offset - logical
    return None


def whole(found, size, missed):
    """Are FOUND bytes all SIZE? Some may be missing if the kernel skipped hooks and the manifest reports it (MISSED >
    0), which the kernel's own count of skipped programs must explain. More than SIZE is always an error."""
    return found == size or (missed > 0 and found < size)


def device(path):
    number = os.stat(path).st_dev
    return f"{os.major(number)}:{os.minor(number)}"


def drop_pages(*files):
    """Their pages leave the cache. Only theirs: if all caches of the machine were dropped, the kernel would know no names for
    what other tests write."""
    for file in files:
        with open(file, "rb") as f:
            os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@contextlib.contextmanager
def file_system(kind, point, blank=None):
    """A filesystem of type KIND at POINT, on a loop device in memory or on the device BLANK."""
    make = FILE_SYSTEMS[kind]
    if kind != "ext4":
        modules.need(kind)
    if not shutil.which(make[0]):
        raise modules.Missing(f"needs {make[0]}")
    with Machine() as machine:
        disk = blank or machine.loop(SIZE)
        run(*make, disk)
        point.mkdir()
        run("mount", disk, point)
        try:
            yield disk
        finally:
            recorder.wait_for(lambda: not subprocess.call(["umount", point]), # what stands on it may be in another
                              f"{point} is unmounted")                        # namespace for a while


def freeze(point, end):
    """Until END ends, threads of the filesystem don't write either: no request is on its way when a recording ends."""
    run("fsfreeze", "-f", point)
    end.callback(run, "fsfreeze", "-u", point)


def dd(to, *more):
    run("dd", "if=/dev/zero", f"of={to}", "status=none", *more)


def fio(to, engine, *more):
    run("fio", "--name=job", f"--filename={to}", f"--ioengine={engine}", "--size=1m", "--rw=randwrite", "--randseed=7",
        "--norandommap=0", "--bs=16k", "--end_fsync=1", "--output=/dev/null", *more)


def fio_mapped(path):
    path.write_bytes(b"")
    os.truncate(path, MIB) # fio would lay it out by writing
    fio(path, "mmap")


def mapped_write(path):
    with open(path, "w+b") as f:
        f.truncate(64 * PAGE)
        with mmap.mmap(f.fileno(), 0) as m:
            m[:] = b"m" * len(m)
            m.flush()


def database(path):
    run("sqlite3", path, "CREATE TABLE t(a); INSERT INTO t VALUES(randomblob(50000));")
    for _ in range(3):
        run("sqlite3", path, "INSERT INTO t VALUES(randomblob(20000));")


# Name: (what makes it, kind of its rows, cause, how many bytes it writes and syncs; None: not known).
MIB = 1 << 20
WRITERS = {
    "synced": (lambda p: dd(p, "bs=64k", "count=16", "conv=fsync"), "data", "fsync", MIB),
    "each_synced": (lambda p: dd(p, "bs=64k", "count=4", "oflag=sync"), "data", "O_SYNC", 256 << 10),
    "direct": (lambda p: dd(p, "bs=128k", "count=8", "oflag=direct"), "direct", "O_DIRECT", MIB),
    "psync": (lambda p: fio(p, "psync"), "data", "fsync", MIB),
    "libaio": (lambda p: fio(p, "libaio", "--direct=1", "--iodepth=8"), "direct", "O_DIRECT", MIB),
    "io_uring": (lambda p: fio(p, "io_uring", "--direct=1", "--iodepth=8"), "direct", "O_DIRECT", MIB),
    "mmap": (fio_mapped, "data", "msync", MIB),
    "mapped": (mapped_write, "data", "msync", 64 * PAGE),
    "database": (database, "data", "fsync", None),
}
if not shutil.which("fio"):
    sys.exit("test_lineage.py needs fio")


def synced(path):
    with open(path, "rb") as f:
        os.fsync(f.fileno())


class Recorded:
    """The rows of one recording of all writers and readers on a filesystem of its own."""

    def __init__(self, kind, path, blank=None):
        self.point = path / "disk"
        # The inode and extents of each file after the writers, from FIEMAP.
        self.files = {}
        # f2fs writes each page elsewhere that it writes again: FIEMAP tells the last place only.
        self.moved = {"database"} if kind == "f2fs" else set()
        with file_system(kind, self.point, blank) as disk, contextlib.ExitStack() as end:
            os.sync()
            settle(disk)
            self.disk = device_of(disk)
            with recorder.Recording(path, "--streams", "block", "--cache", "--lineage", code=None) as r:
                for name, (write, *_) in WRITERS.items():
                    write(self.point / name)
                self.fs_device = device(self.point)
                run("sync", "-f", self.point)
                for name in WRITERS:
                    file = self.point / name
                    self.files[name] = os.stat(file).st_ino, extents(file)
                self.read()
                freeze(self.point, end)
                settle(disk)
        self.rows, self.block, self.cache = r.rows("extent"), r.rows("block"), r.rows("cache")
        self.all, self.directory = self.rows, r.session.directory
        self.rows = self.rows[self.rows["device"] == self.disk]
        self.block = self.block[self.block["device"] == self.disk]
        major, minor = map(int, self.fs_device.split(":"))
        self.cache = self.cache[self.cache["device_id"] == str(major << 20 | minor)]
        self.manifest, self.missed = r.manifest, r.missed()
        self.counts = r.session.counts("extent")

    def read(self):
        drop_pages(self.point / "synced", self.point / "psync")
        with open(self.point / "synced", "rb", buffering=0) as f:
            f.read(3 * PAGE)
            self.read_end = 3 * PAGE
        with open(self.point / "psync", "rb") as f, mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ) as m:
            m[40 * PAGE]

    def of(self, name, operation="write"):
        rows = self.rows[self.rows["inode"] == str(self.files[name][0])]
        return rows[(rows["operation"] == operation) & (rows["kind"] != "metadata")]


    def placed_files(self):
        """{name: (inode, extents)} of files all of whose rows lie in these extents."""
        return {name: file for name, file in self.files.items() if name not in self.moved}


def device_of(disk):
    number = os.stat(disk).st_rdev
    return f"{os.major(number)}:{os.minor(number)}"


def kinds():
    """disk: ext4 on an emulated machine's disk with a driver of its own. Of Debian's kernels those for clouds have no
    f2fs (scripts/vm/fetch-kernel.sh)."""
    if not recorder.EMULATED:
        return ["ext4", "xfs"]
    return ["ext4", "xfs", "disk"] + ["f2fs"] * modules.has("f2fs")


def place_of(kind):
    """(type of filesystem, device to make it on, or None) of one of kinds()."""
    if kind != "disk":
        return kind, None
    if not os.environ.get("IOTRC_TEST_DISK"):
        raise modules.Missing("needs a disk to itself")
    return "ext4", os.environ["IOTRC_TEST_DISK"]


@pytest.fixture(scope="module", params=kinds())
def recorded(request, module_path):
    kind, blank = place_of(request.param)
    path = pathlib.Path(module_path) / request.param
    path.mkdir()
    return Recorded(kind, path, blank)


def test_every_request_is_covered(recorded):
    covered = recorded.rows["size"].astype(int).groupby(recorded.rows["request_id"]).sum()
    sizes = recorded.block.set_index("request_id")["size"].astype(int)
    sizes = sizes[sizes > 0]
    assert len(sizes) > 30
    wrong = {i: (n, covered.get(i)) for i, n in sizes.items() if covered.get(i) != n}
    assert len(wrong) <= recorded.missed, wrong
    # A request may end in an interrupt of a thread of process 1, where some kernels run no program.
    assert len(set(covered.index) - set(sizes.index)) <= recorded.missed + recorder.unseen(len(sizes))
    # Without gaps: the parts of a request follow one another.
    for _, parts in recorded.rows.groupby("request_id"):
        parts = parts[["sector", "size"]].astype(int).sort_values("sector")
        ends = parts["sector"] + parts["size"] // SECTOR
        assert ends.tolist()[:-1] == parts["sector"].tolist()[1:]


def test_rows_lie_where_the_files_do(recorded):
    """Each (file, offset, length) is where FIEMAP says it is."""
    checked = 0
    for name, (inode, where) in recorded.placed_files().items():
        rows = recorded.rows[recorded.rows["inode"] == str(inode)]
        for _, row in rows[rows["kind"].isin(["data", "direct", "readahead"])].iterrows():
            assert placed(where, int(row["offset"]), int(row["size"])) == int(row["sector"]) * SECTOR, (name, row)
            assert recorder.unescape(row["filename"]) == os.fsencode(recorded.point / name)
            assert row["fs_device"] == recorded.fs_device
            checked += 1
    assert checked > 30


def test_writeback_names_its_request(recorded):
    """The pages of a WRITEBACK_END lie, as FIEMAP says, in the request of the stream block that it names."""
    requests = {row["request_id"]: (int(row["sector"]) * SECTOR, int(row["size"]))
                for _, row in recorded.block[recorded.block["operation"] == "write"].iterrows()}
    ended = recorded.cache[recorded.cache["event_type"] == "WRITEBACK_END"]
    checked = 0
    for inode, where in recorded.placed_files().values():
        # A bio that was too large for one request names none (docs/cache.md).
        for _, row in ended[(ended["inode"] == str(inode)) & (ended["request_id"] != "")].iterrows():
            at = placed(where, int(row["page_index"]) * PAGE, int(row["count"]) * PAGE)
            begin, size = requests[row["request_id"]]
            assert begin <= at and at + int(row["count"]) * PAGE <= begin + size, row
            checked += 1
    assert checked > 10
    # A disk's bio has no request yet when it is submitted; nothing else has one at all.
    assert set(recorded.cache[recorded.cache["event_type"] != "WRITEBACK_END"]["request_id"]) == {""}


@pytest.mark.parametrize("name", WRITERS)
def test_what_was_written_is_in_the_rows(recorded, name):
    _, kind, cause, size = WRITERS[name]
    rows = recorded.of(name)
    assert set(rows["kind"]) == {kind}
    assert set(rows["cause"]) == {cause}
    assert set(rows["fs_type"]) <= {"ext4", "xfs", "f2fs"}
    if size:
        assert whole(rows["size"].astype(int).sum(), size, recorded.missed)
    command = {"synced": "dd", "each_synced": "dd", "direct": "dd", "database": "sqlite3"}.get(name)
    if command:
        assert set(rows["command"]) == {command}
    if kind == "data":
        assert (rows["age_ms"].astype(float) >= 0).all()


# docs/lineage.md: until 6.15 this needs hooks on functions, which arm64 has from 6.4 on.
DEMAND_IS_KNOWN = os.uname().machine == "x86_64" or recorder.RELEASE >= (6, 4)


def test_what_nobody_requested_is_read_ahead(recorded):
    rows = recorded.of("synced", "read")
    if not DEMAND_IS_KNOWN:
        assert set(rows["kind"]) == {"data"} and set(rows["cause"]) == {""}
        return
    requested = rows[rows["kind"] == "data"]
    assert requested["size"].astype(int).sum() == recorded.read_end
    assert set(requested["cause"]) == {"read"} and set(requested["pid"]) == {str(os.getpid())}
    ahead = rows[rows["kind"] == "readahead"]
    assert len(ahead) and set(ahead["cause"]) == {"readahead"}
    assert (ahead["offset"].astype(int) >= recorded.read_end).all()


def test_a_fault_asks_for_its_page(recorded):
    rows = recorded.of("psync", "read")
    requested = rows[rows["kind"] == "data"]
    if not DEMAND_IS_KNOWN:
        assert len(requested) and set(requested["cause"]) == {""}
        return
    assert requested[["offset", "size", "cause"]].values.tolist() == [[str(40 * PAGE), str(PAGE), "fault"]]


def test_unknown_parts_are_counted_by_reason(recorded):
    unknown = recorded.manifest["diagnostics"]["extent_unknown"]
    assert set(unknown) == {"operation", "memory", "segments", "submission", "name"}
    assert unknown["segments"] == 0
    assert not len(recorded.rows[(recorded.rows["kind"] == "unknown") & (recorded.rows["operation"] == "read")])


@pytest.mark.parametrize("by", ["file", "kind", "cause", "command"])
def test_a_summary_adds_them_up(recorded, by):
    """iotrc summary prints for each group what pandas computes from the rows."""
    out = run(recorder.IOTRC, "summary", "--stream", "extent", "--by", by, "--json", recorded.directory)
    groups = {g[by]: (g["calls"], g["bytes"]) for g in json.loads(out)["summaries"][0]["groups"]}
    rows = recorded.all.assign(bytes=recorded.all["size"].astype(int))
    column = {"file": "filename"}.get(by, by)
    expected = {key or "-": (len(part), part["bytes"].sum()) for key, part in rows.groupby(column)}
    assert groups == expected


def test_journal_and_metadata(recorded):
    """Bytes that belong to no file and are not unknown: sqlite's transactions make plenty."""
    kinds = recorded.rows.groupby("kind")["size"].count()
    assert kinds.get("metadata", 0) > 1
    if "f2fs" not in str(recorded.point):
        assert kinds.get("journal", 0) > 3
    assert recorded.counts["lost"]["ring"] == 0


# ---- causes, and owners whose pages others write ----

VM = pathlib.Path("/proc/sys/vm")
CGROUPS = pathlib.Path("/sys/fs/cgroup/unified" if os.path.isdir("/sys/fs/cgroup/unified") else "/sys/fs/cgroup")


@contextlib.contextmanager
def set_vm(**values):
    """Sets these sysctls of the whole machine until the block ends. Setting dirty_background_bytes clears the ratio."""
    before = {name: (VM / name).read_text() for name in (*values, "dirty_background_ratio")}
    try:
        for name, value in values.items():
            (VM / name).write_text(str(value))
        yield
    finally:
        for name, value in before.items():
            if value.strip() != "0": # zero bytes: the ratio applies
                (VM / name).write_text(value)


def is_placed(path):
    """Has all of a new file been written back? ext4 allocates its blocks only then."""
    return not any(flags & FIEMAP_NOT_PLACED for *_, flags in mapped(path, 0))


@contextlib.contextmanager
def cgroup(name):
    """A cgroup of its own; yields a function that starts programs in it, and its id."""
    path = CGROUPS / f"iotrc-{os.getpid()}-{name}"
    path.mkdir()

    def start(*command):
        return subprocess.run(command, check=True, preexec_fn=lambda: (path / "cgroup.procs").write_text("0"))

    try:
        yield start, path
    finally:
        path.rmdir()


TRIES = 5


class Causes:
    """One file for each cause; nothing else writes to it. Another program's sync(2) writes it back, too, and would be the
    cause: these calls are recorded, of all programs."""

    def __init__(self, path):
        path.mkdir()
        self.point = path / "disk"
        self.inodes, self.ids, self.times = {}, {}, {}
        # Dirty pages of other programs cross no threshold. The flusher looks five times a second, not once in five seconds:
        # from the mount on, since a new value applies after the next look.
        with (Machine() as machine, contextlib.ExitStack() as groups,
              set_vm(dirty_ratio=90, dirty_background_ratio=80, dirty_writeback_centisecs=20)):
            disk = machine.loop(SIZE)
            run(*FILE_SYSTEMS["ext4"], disk)
            self.point.mkdir()
            run("mount", disk, self.point)
            self.disk = device_of(disk)
            with recorder.Recording(path, "--streams", "fs,block", "--ops", "sync", "--lineage", code=None) as r:
                try:
                    self.write(groups)
                finally:
                    with self.phase("unmount"):
                        run("umount", self.point)
                settle(disk)
        self.rows, self.missed = r.rows("extent"), r.missed()
        self.rows = self.rows[self.rows["device"] == self.disk]
        calls = r.rows("fs") # without a duration: it began before the recording
        self.syncs = [(int(end) - int(took or end), int(end)) for end, took in zip(calls["mono_ns"], calls["duration_ns"])]

    @contextlib.contextmanager
    def phase(self, name):
        """Notes when the file NAME is made and written back."""
        begin = self.times.get(name, (time.monotonic_ns(), 0))[0]
        yield
        self.times[name] = begin, time.monotonic_ns()

    def file(self, name):
        dd(self.point / name, "bs=64k", "count=8")
        self.inodes[name] = os.stat(self.point / name).st_ino
        return self.point / name

    def write(self, groups):
        with set_vm(dirty_expire_centisecs=10), self.phase("dirty_expiry"):
            old = self.file("dirty_expiry")
            recorder.wait_for(lambda: is_placed(old), "old pages are written")
        with set_vm(dirty_background_bytes=PAGE), self.phase("background_threshold"):
            many = self.file("background_threshold")
            recorder.wait_for(lambda: is_placed(many), "pages above the threshold are written")
        with self.phase("sync"):
            self.file("sync")
            run("sync", "-f", self.point)
        for name in "one", "two": # side by side; written by one flusher
            start, path = groups.enter_context(cgroup(name))
            file = self.point / name
            start("dd", "if=/dev/zero", f"of={file}", "bs=64k", "count=16", "status=none")
            self.inodes[name], self.ids[name] = os.stat(file).st_ino, path.stat().st_ino
        run("sync", "-f", self.point)
        with self.phase("unmount"):
            self.file("unmount")

    def is_disturbed(self, name):
        """Did another program call sync(2) meanwhile?"""
        begin, end = self.times[name]
        return any(first < end and last > begin for first, last in self.syncs)

    def of(self, name):
        return self.rows[(self.rows["inode"] == str(self.inodes[name])) & (self.rows["operation"] == "write")]


@pytest.fixture(scope="module")
def tries(module_path):
    """Recordings, until each file of one is written undisturbed."""
    path, made = pathlib.Path(module_path) / "causes", []
    path.mkdir()
    while len(made) < TRIES and not all(any(not one.is_disturbed(name) for one in made) for name in FLUSHED):
        made.append(Causes(path / str(len(made))))
    return made


@pytest.fixture(scope="module")
def causes(tries):
    return tries[0]


FLUSHED = ["dirty_expiry", "background_threshold", "sync", "unmount"]


@pytest.mark.alone # others' dirty pages, when memory is short, could be the cause
@pytest.mark.parametrize("cause", FLUSHED)
def test_why_a_flusher_writes(tries, cause):
    undisturbed = [one for one in tries if not one.is_disturbed(cause)]
    assert undisturbed, f"other programs called sync in each of {TRIES} tries"
    rows = undisturbed[0].of(cause)
    assert whole(rows["size"].astype(int).sum(), 8 << 16, undisturbed[0].missed)
    assert set(rows["cause"]) == {cause}
    assert set(rows["command"]) == {"dd"} # not the flusher


@pytest.mark.alone # it looks at the same recording
@pytest.mark.parametrize("name", ["one", "two"])
def test_pages_are_those_of_the_container_that_wrote_them(causes, name):
    rows = causes.of(name)
    assert whole(rows["size"].astype(int).sum(), 1 << 20, causes.missed)
    assert set(rows["container_id"]) == {str(causes.ids[name])}
