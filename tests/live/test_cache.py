# SPDX-License-Identifier: GPL-2.0-or-later
"""Page cache events of a file of the test's own, compared with mincore() and with what was read and written."""
import contextlib
import ctypes
import mmap
import os
import resource
import struct
import subprocess
import time

import pytest

import recorder

PAGE = os.sysconf("SC_PAGESIZE")
PAGES = 997
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + 3 * [ctypes.c_int] + [ctypes.c_long]
libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
MADV_PAGEOUT = 21


class Mapped:
    """A mapping of a file; nothing touches it by itself."""

    def __init__(self, fd, pages):
        self.length = pages * PAGE
        self.at = libc.mmap(None, self.length, mmap.PROT_READ, mmap.MAP_SHARED, fd, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        libc.munmap(self.at, self.length)

    def touch(self):
        for at in range(0, self.length, PAGE):
            ctypes.string_at(self.at + at, 1)

    def resident(self):
        vector = ctypes.create_string_buffer(self.length // PAGE)
        assert libc.mincore(self.at, self.length, vector) == 0
        return {i for i, byte in enumerate(vector.raw[: self.length // PAGE]) if byte & 1}


def resident(fd, pages=PAGES):
    with Mapped(fd, pages) as m:
        return m.resident()


class Counted:
    """Sums of `count` by event of one file, between mono_ns SINCE and UNTIL."""

    def __init__(self, recording, path_stat):
        rows = recording.rows("cache")
        number = os.major(path_stat.st_dev) << 20 | os.minor(path_stat.st_dev)
        self.rows = rows[
            (rows["inode"] == str(path_stat.st_ino)) & (rows["device_id"] == str(number))
        ].copy()
        for column in ("count", "size_pages", "page_index", "mono_ns"):
            self.rows[column] = self.rows[column].astype("int64")

    def between(self, marks, name):
        begin, end = marks[name]
        return self.rows[(self.rows["mono_ns"] > begin) & (self.rows["mono_ns"] < end)]

    def sums(self, marks, name):
        return self.between(marks, name).groupby("event_type")["count"].sum().to_dict()


def pages_of(rows):
    """Page numbers of the events, each as often as it occurs."""
    return sorted(
        page for first, n in zip(rows["page_index"], rows["count"]) for page in range(first, first + n)
    )


def all_of(pages, wanted, missed):
    """Are PAGES those WANTED? If an interrupt ends the writeback of pages while the same program runs, the kernel does
    not run that program again, and counts this (MISSED > 0): some pages may then be missing, but no other page may be
    there."""
    return pages == wanted or (missed > 0 and len(set(pages)) == len(pages) and set(pages) < set(wanted))


def read_all(fd, size):
    for at in range(0, PAGES * PAGE, size):
        os.pread(fd, min(size, PAGES * PAGE - at), at)


@pytest.fixture(scope="module")
def recorded(module_path):
    path = os.path.join(module_path, "data")
    marks, said = {}, {}
    class phase:
        def __init__(self, name):
            self.name = name

        def __enter__(self):
            self.begin = time.monotonic_ns()

        def __exit__(self, *_):
            marks[self.name] = (self.begin, time.monotonic_ns())

    with recorder.Recording(module_path, "--streams", "cache") as r:
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        stat = os.fstat(fd)
        with phase("write"):
            os.pwrite(fd, os.urandom(PAGES * PAGE), 0)
        with phase("fsync"):
            os.fsync(fd)
        with phase("rewrite"):
            os.pwrite(fd, b"x" * (10 * PAGE), 100 * PAGE)
            os.pwrite(fd, b"y" * (10 * PAGE), 100 * PAGE)
            os.fsync(fd)
        assert len(resident(fd)) == PAGES
        with phase("drop"):
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        said["after drop"] = resident(fd)
        with phase("cold"):
            read_all(fd, 16 * PAGE)
        said["after cold"] = resident(fd)
        with phase("warm"):
            read_all(fd, 64 * PAGE)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
        with phase("random"):
            for i in range(31):
                os.pread(fd, PAGE, i * 32 * PAGE)
        said["after random"] = resident(fd)
        with phase("half"):
            os.pread(fd, 40 * PAGE, 0)
        read_all(fd, PAGES * PAGE)
        with Mapped(fd, PAGES) as m:
            m.touch()
            before = m.resident()
            with phase("pageout"):
                assert libc.madvise(m.at, m.length, MADV_PAGEOUT) == 0
            said["paged out"] = before - m.resident()
        said["left"] = resident(fd)
        with phase("unlink"):
            os.unlink(path)
            os.close(fd)
    return r, Counted(r, stat), marks, said


def test_writes_dirty_pages_once(recorded):
    _, counted, marks, _ = recorded
    assert counted.sums(marks, "write") == {"MISS_WRITE": PAGES, "DIRTY": PAGES}
    for event in "MISS_WRITE", "DIRTY":
        rows = counted.between(marks, "write")
        assert pages_of(rows[rows["event_type"] == event]) == list(range(PAGES))


def test_writeback_begins_and_ends_for_each(recorded):
    r, counted, marks, _ = recorded
    rows = counted.between(marks, "fsync")
    for event in "WRITEBACK_START", "WRITEBACK_END":
        assert all_of(pages_of(rows[rows["event_type"] == event]), list(range(PAGES)), r.missed()), event
    again = counted.between(marks, "rewrite")
    for event in "WRITEBACK_START", "WRITEBACK_END":
        assert all_of(pages_of(again[again["event_type"] == event]), list(range(100, 110)), r.missed()), event
    # A folio becomes dirty as a whole, even if few of its pages are written.
    dirty = pages_of(again[again["event_type"] == "DIRTY"])
    assert set(range(100, 110)) <= set(dirty) and len(dirty) == len(set(dirty))
    ends = rows[rows["event_type"] == "WRITEBACK_END"]
    assert set(ends["pid"]) == {""} and set(ends["command"]) == {""}


def test_what_comes_and_goes_is_what_mincore_says(recorded):
    _, counted, marks, said = recorded
    gone = counted.between(marks, "drop")
    assert set(gone["event_type"]) == {"INVALIDATE"}
    assert set(pages_of(gone)) == set(range(PAGES)) - said["after drop"]
    cold = counted.between(marks, "cold")
    come = cold[cold["event_type"].isin(["MISS", "READAHEAD"])]
    assert pages_of(come) == sorted(said["after cold"] - said["after drop"])


def test_a_page_wanted_is_a_hit_or_a_miss(recorded):
    """The test reads each page once."""
    _, counted, marks, said = recorded
    cold = counted.sums(marks, "cold")
    assert cold["HIT"] + cold["MISS"] == PAGES
    # Read-ahead worked: all but the first read found their pages.
    assert 0 < cold["MISS"] <= 64
    assert counted.sums(marks, "warm") == {"HIT": PAGES}
    assert counted.sums(marks, "random") == {"MISS": 31}
    assert len(said["after random"]) == 31
    half = counted.sums(marks, "half")
    assert half["HIT"] + half["MISS"] == 40 and half["HIT"] == 2


def test_reclaim_evicts(recorded):
    r, counted, marks, said = recorded
    evicted = counted.between(marks, "pageout")
    evicted = evicted[evicted["event_type"] != "HIT"]
    assert len(said["paged out"]) > PAGES // 2
    # In 5.12 no flag marks a thread that reclaims for madvise(), as memalloc_noreclaim_save() does from 5.14 on
    # (reclaim_pages() of mm/vmscan.c).
    old = recorder.RELEASE < (5, 14)
    assert set(evicted["event_type"]) == {"INVALIDATE" if old else "EVICT"}
    assert pages_of(evicted) == sorted(said["paged out"])
    hooks = {h["name"]: h for h in r.manifest["diagnostics"]["hooks"]}
    if hooks["tp_btf/mm_vmscan_reclaim_pages"]["attached"]:
        passes = r.rows("cache")
        passes = passes[(passes["event_type"] == "RECLAIM") & (passes["pid"] == str(os.getpid()))]
        assert passes["count"].astype(int).sum() == len(said["paged out"])
        assert set(passes["inode"]) == {""}


def test_unlink_invalidates(recorded):
    _, counted, marks, said = recorded
    assert counted.sums(marks, "unlink") == ({"INVALIDATE": len(said["left"])} if said["left"] else {})


def test_nothing_lost(recorded):
    assert recorded[0].session.lost() == {}


def test_a_sampled_page_keeps_all_its_events(tmp_path):
    path = tmp_path / "sampled"
    with recorder.Recording(tmp_path, "--cache", "--streams", "cache", "--cache-sample", "4") as r:
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        stat = os.fstat(fd)
        begin = time.monotonic_ns() # the inode may have been another file's until now
        os.pwrite(fd, os.urandom(PAGES * PAGE), 0)
        os.fsync(fd)
        os.ftruncate(fd, 0)
        end = time.monotonic_ns()
        os.close(fd)
    rows = Counted(r, stat).between({"all": (begin, end)}, "all")
    kept = {e: pages_of(rows[rows["event_type"] == e]) for e in set(rows["event_type"])}
    assert set(kept) == {"MISS_WRITE", "DIRTY", "WRITEBACK_START", "WRITEBACK_END", "INVALIDATE"}
    pages = kept["DIRTY"]
    assert all(all_of(found, pages, r.missed()) for found in kept.values()), {e: len(p) for e, p in kept.items()}
    assert len(pages) == len(set(pages)) and PAGES // 6 < len(pages) < PAGES // 3


MADV_RANDOM = 1


def minor_faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


@pytest.fixture(scope="module")
def touched(module_path):
    """Reads of a mapping whose pages the test touches at known places; and writes, some of which append."""
    path = os.path.join(module_path, "mapped")
    marks, said = {}, {}

    @contextlib.contextmanager
    def phase(name):
        begin, faults = time.monotonic_ns(), minor_faults()
        yield
        said[name] = minor_faults() - faults
        marks[name] = (begin, time.monotonic_ns())

    def drop(fd):
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        assert not resident(fd)

    with recorder.Recording(module_path, "--streams", "cache") as r:
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        stat = os.fstat(fd)
        os.pwrite(fd, os.urandom(PAGES * PAGE), 0)
        drop(fd)
        with Mapped(fd, PAGES) as m:
            libc.madvise(m.at, m.length, MADV_RANDOM) # the inode number may have been another file's before
            with phase("each missed"):
                m.touch()
        for name, step in ("all", 1), ("few", 37):
            with Mapped(fd, PAGES) as m:
                ctypes.string_at(m.at, 1) # no read-ahead: each page is a miss
                with phase(name):
                    for at in range(step * PAGE, m.length, step * PAGE):
                        ctypes.string_at(m.at + at, 1)
        drop(fd)
        with phase("read past the end"):
            os.pread(fd, 64 * PAGE, (PAGES - 5) * PAGE)
        with phase("append"):
            os.pwrite(fd, b"z" * (40 * PAGE), PAGES * PAGE)
        os.close(fd)
    return r, Counted(r, stat), marks, said


def test_a_touch_is_a_hit_or_a_miss_and_nothing_around_it_is(touched):
    """Fault-around maps sixteen pages at each fault, one of which was wanted, as the kernel's count of faults says."""
    _, counted, marks, said = touched
    assert counted.sums(marks, "each missed") == {"MISS": PAGES}
    few = counted.between(marks, "few")
    assert few.groupby("event_type")["count"].sum().to_dict() == {"HIT": (PAGES - 1) // 37}
    assert set(pages_of(few)) == set(range(37, PAGES, 37))
    # the page table itself is not a fault of the file
    hits = counted.sums(marks, "all")["HIT"]
    assert hits <= said["all"] and PAGES // 16 <= hits < PAGES // 8


def test_pages_written_anew_differ_from_those_read(touched):
    """hits / (hits + misses) is the ratio of reads: pages that a write creates are neither."""
    _, counted, marks, _ = touched
    read = counted.sums(marks, "read past the end")
    assert read.get("MISS", 0) + read.get("HIT", 0) == 5 and "MISS_WRITE" not in read
    beyond = read.get("READAHEAD", 0) # the page after the last one, which 5.10 adds, and which is written then
    assert beyond <= (recorder.RELEASE < (5, 12))
    assert counted.sums(marks, "append") == {"MISS_WRITE": 40 - beyond, "DIRTY": 40}
    assert touched[0].session.lost() == {}


@pytest.fixture
def overlay(tmp_path):
    """An overlay on a lower layer that is not on tmpfs, and the lower directory."""
    lower, upper, work, merged = (tmp_path / name for name in ("lower", "upper", "work", "merged"))
    for directory in lower, upper, work, merged:
        directory.mkdir()
    (lower / "low").write_bytes(os.urandom(64 * PAGE))
    options = f"lowerdir={lower},upperdir={upper},workdir={work}"
    subprocess.run(["mount", "-t", "overlay", "none", "-o", options, merged], check=True)
    yield merged, lower
    subprocess.run(["umount", merged], check=True)


def test_a_file_on_overlayfs_joins(overlay, tmp_path):
    """pagefault joins fs by inode and device; cache by inode and the layer's device, as docs/cache.md says."""
    merged, lower = overlay
    with recorder.Recording(tmp_path, "--streams", "fs,cache,pagefault", *recorder.OWN_OR_ALL) as r:
        fd = os.open(merged / "low", os.O_RDONLY)
        os.pread(fd, 16 * PAGE, 0)
        with Mapped(fd, 64) as m:
            m.touch()
        os.close(fd)
    number = lambda device: str(os.major(device) << 20 | os.minor(device))
    mine = lambda rows: rows[rows["pid"] == str(os.getpid())]
    opened = mine(r.rows("fs"))
    opened = opened[(opened["filename"] == str(merged / "low")) & (opened["operation"] == "open")].iloc[0]
    major, minor = map(int, opened["device"].split(":"))
    faults, pages = mine(r.rows("pagefault")), mine(r.rows("cache"))
    faults = faults[faults["device_id"] == str(major << 20 | minor)]
    assert len(faults) and set(faults["inode"]) == {opened["inode"]}
    pages = pages[(pages["device_id"] == number(os.stat(lower).st_dev)) & (pages["inode"] == opened["inode"])]
    # Sixteen of the read, and one for each fault of the mapping.
    assert pages["count"].astype(int).sum() == 16 + len(faults)


BPF_PROG_GET_FD_BY_ID, BPF_OBJ_GET_INFO_BY_FD = 13, 15
SYS_BPF = {"x86_64": 321, "aarch64": 280}[os.uname().machine]


def program_name(number):
    """The name of a BPF program, from the kernel: struct bpf_prog_info has it at byte 64."""
    fd = libc.syscall(SYS_BPF, BPF_PROG_GET_FD_BY_ID, struct.pack("III", number, 0, 0), 12)
    assert fd >= 0, os.strerror(ctypes.get_errno())
    info = ctypes.create_string_buffer(80)
    attr = struct.pack("IIP", fd, len(info), ctypes.addressof(info))
    assert libc.syscall(SYS_BPF, BPF_OBJ_GET_INFO_BY_FD, attr, len(attr)) == 0
    os.close(fd)
    return info.raw[64:80].split(b"\0")[0].decode()


def programs(pid):
    """Names, cut to 15 bytes, of the BPF programs that a process holds."""
    numbers = set()
    for fd in os.listdir(f"/proc/{pid}/fdinfo"):
        # It opens and closes files meanwhile.
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/fdinfo/{fd}") as f:
            numbers.update(int(line.split()[1]) for line in f if line.startswith("prog_id:"))
    return [program_name(number) for number in numbers]


def test_a_stream_that_is_off_has_no_programs(tmp_path):
    prefixes = {"cache": "on_cache", "pagefault": "on_fault", "nw_drop": "on_skb"}
    with recorder.Recording(tmp_path, "--streams", "block") as r:
        names = programs(r.process.pid)
    assert [n for n in names if n.startswith("on_block")]
    for stream in ("cache", "pagefault", "nw_drop"):
        assert not [n for n in names if n.startswith(prefixes[stream])], names
        assert r.manifest["streams"][stream]["hooks"] == []
    with recorder.Recording(tmp_path, "--streams", "cache,pagefault,nw_drop") as r:
        names = programs(r.process.pid)
    for stream in ("cache", "pagefault", "nw_drop"):
        assert [n for n in names if n.startswith(prefixes[stream])], names
    assert not [n for n in names if n.startswith("on_block") or n.startswith("on_sys")]
