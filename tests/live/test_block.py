# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares the rows of a loop device with the kernel's counters of that device."""
import errno
import fcntl
import mmap
import os
import random
import stat as statmod
import struct
import subprocess
import threading
import time

import pytest

import recorder

SECTOR = 512
BLKDISCARD = 0x1277 # include/uapi/linux/fs.h
SIZE = 64 << 20


def stat(device):
    """/sys/block/DEV/stat: (requests, sectors) by direction, Documentation/block/stat.rst."""
    with open(f"/sys/block/{os.path.basename(device)}/stat") as f:
        v = [int(n) for n in f.read().split()]
    return {
        "read": (v[0], v[2]), "write": (v[4], v[6]), "discard": (v[11], v[13]),
        "flush": (v[15], None),
    }


def in_flight(device):
    with open(f"/sys/block/{os.path.basename(device)}/inflight") as f:
        return sum(int(n) for n in f.read().split())


@pytest.fixture
def loop(tmp_path):
    # A machine that has a spare disk, and perhaps no loop devices (make check-kernels).
    disk = os.environ.get("IOTRC_TEST_DISK")
    if disk:
        yield disk
        return
    image = tmp_path / "image"
    with open(image, "wb") as f:
        f.truncate(SIZE)
    device = subprocess.run(
        ["losetup", "--find", "--show", str(image)], check=True, capture_output=True, text=True
    ).stdout.strip()
    yield device
    subprocess.run(["losetup", "-d", device], check=True)


def settle(device):
    os.sync()
    end = time.monotonic() + recorder.START
    while in_flight(device):
        assert time.monotonic() < end, f"{device} doesn't come to rest"
        time.sleep(0.01)


def check_counts(rows, before, after, operation, missed=0):
    """There are as many rows, with as many sectors, as the kernel counted requests, except for events that the manifest
    reports as missed. Returns their number."""
    requests = after[operation][0] - before[operation][0]
    unseen = recorder.unseen(requests) + missed
    assert requests - unseen <= len(rows) <= requests, operation
    if operation != "flush" and len(rows): # no sectors are counted for flushes
        sizes = rows["size"].astype(int)
        missing = (after[operation][1] - before[operation][1]) * SECTOR - sizes.sum()
        # Of a request with a flush, the step that has the bytes may be the missed one.
        assert 0 <= missing <= unseen * sizes.max(), operation
    return requests


def exercise(device):
    """Reads, writes, flushes and a discard, each of a size that no other program uses."""
    buffer = mmap.mmap(-1, 1 << 20)
    buffer.write(os.urandom(1 << 20))
    fd = os.open(device, os.O_RDWR | os.O_DIRECT)
    try:
        for i in range(17):
            os.pwritev(fd, [memoryview(buffer)[: 4096 * (1 + i % 3)]], i * 65536)
        for i in range(23):
            os.preadv(fd, [memoryview(buffer)[: 512 * (1 + i % 5)]], i * 8192)
        # Larger than the maximum request: it is split, and each part is a request.
        os.pwritev(fd, [buffer], 16 << 20)
        os.preadv(fd, [buffer], 16 << 20)
        for _ in range(3):
            os.fsync(fd)
    finally:
        os.close(fd)
    # Through the page cache, written back by a kernel thread.
    with open(device, "r+b") as f:
        f.seek(32 << 20)
        f.write(os.urandom(333 * 4096))
        f.flush()
        os.fsync(f.fileno())
    subprocess.run(["blkdiscard", "-o", str(48 << 20), "-l", str(1 << 20), device], check=True)


def test_rows_equal_the_counters(tmp_path, loop):
    number = os.stat(loop).st_rdev
    settle(loop)
    with recorder.Recording(tmp_path, "--streams", "block") as r:
        settle(loop)
        before = stat(loop)
        exercise(loop)
        settle(loop)
        after = stat(loop)
    rows = r.rows("block")
    rows = rows[rows["device"] == f"{os.major(number)}:{os.minor(number)}"]
    assert r.session.lost() == {}
    for operation in ("read", "write", "discard"):
        mine = rows[rows["operation"] == operation]
        assert check_counts(mine, before, after, operation) > 0
    assert check_counts(rows[rows["operation"] == "flush"], before, after, "flush") > 0


def test_fields(tmp_path, loop):
    number = os.stat(loop).st_rdev
    buffer = mmap.mmap(-1, 4096)
    with recorder.Recording(tmp_path, "--streams", "block") as r:
        fd = os.open(loop, os.O_RDWR | os.O_DIRECT)
        for i in range(13):
            os.pwritev(fd, [buffer], (i + 1) * 40960)
        for i in range(11):
            os.preadv(fd, [buffer], (i + 1) * 40960)
        os.close(fd)
    rows = r.rows("block")
    rows = rows[rows["device"] == f"{os.major(number)}:{os.minor(number)}"]
    # Programs that open a disk may read its first and last blocks (udev); nobody else uses 4 KiB here.
    writes = rows[(rows["operation"] == "write") & (rows["pid"] == str(os.getpid()))]
    reads = rows[(rows["operation"] == "read") & (rows["pid"] == str(os.getpid()))]
    assert writes["sector"].astype(int).tolist() == [(i + 1) * 80 for i in range(13)]
    assert reads["sector"].astype(int).tolist() == [(i + 1) * 80 for i in range(11)]
    for group, code in (writes, "REQ_OP_WRITE"), (reads, "REQ_OP_READ"):
        assert set(group["size"]) == {"4096"}
        assert set(group["operation_code"]) == {code}
        assert set(group["ppid"]) == {str(os.getppid())}
    own = rows[rows["pid"] == str(os.getpid())]
    latency = own["latency_ms"].astype(float)
    assert ((latency > 0) & (latency < 10000)).all()
    queued = own.loc[own["queue_latency_ms"] != "", "queue_latency_ms"].astype(float)
    assert (queued >= 0).all()
    ids = r.rows("block")["request_id"]
    assert ids.is_unique and (ids != "").all()


def at_once(worker, n):
    """Runs worker(0) to worker(N - 1), each in a thread of its own."""
    threads = [threading.Thread(target=worker, args=(seed,)) for seed in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_mixed_load(tmp_path, loop):
    """Several threads at once: sizes, reads and writes, synchronous ones, flushes, discards."""
    number = os.stat(loop).st_rdev

    def worker(seed):
        chance = random.Random(seed)
        buffer = mmap.mmap(-1, 256 << 10)
        buffer.write(os.urandom(256 << 10))
        fd = os.open(loop, os.O_RDWR | os.O_DIRECT | (os.O_DSYNC if seed % 2 else 0))
        for _ in range(150):
            size, at = 4096 * chance.randint(1, 64), 4096 * chance.randint(0, (SIZE >> 12) - 65)
            kind = chance.random()
            if kind < 0.45:
                os.preadv(fd, [memoryview(buffer)[:size]], at)
            elif kind < 0.9:
                os.pwritev(fd, [memoryview(buffer)[:size]], at)
            elif kind < 0.95:
                os.fsync(fd)
            else:
                fcntl.ioctl(fd, BLKDISCARD, struct.pack("QQ", at, size))
        os.close(fd)

    settle(loop)
    # Where tracepoints can be preempted, the kernel may skip both programs of a hook, and the recorder says so.
    with recorder.Recording(tmp_path, "--streams", "block", code=None) as r:
        settle(loop)
        before = stat(loop)
        at_once(worker, 5)
        settle(loop)
        after = stat(loop)
    rows = r.rows("block")
    rows = rows[rows["device"] == f"{os.major(number)}:{os.minor(number)}"]
    missed = r.missed()
    for operation in ("read", "write", "discard"):
        mine = rows[rows["operation"] == operation]
        assert check_counts(mine, before, after, operation, missed) > 0
    flushes = rows[rows["operation"] == "flush"]
    assert check_counts(flushes, before, after, "flush", missed) > 0
    # The kernel issues one flush for several callers, and one of them is its submitter.
    assert set(flushes["pid"]) - ({""} if missed else set()) == {str(os.getpid())}
    assert r.session.lost() == {}
    assert r.returncode == 0 or missed and recorder.RELEASE >= (7, 1)


def test_more_threads_than_cpus(tmp_path, loop):
    """From 7.1 on, while a thread is preempted in a program, the kernel does not run that program for other threads.
    The second program of the hook records what the first misses; the kernel counts the runs of each."""
    number = os.stat(loop).st_rdev

    def worker(seed):
        chance = random.Random(seed)
        buffer = mmap.mmap(-1, 4096)
        fd = os.open(loop, os.O_RDWR | os.O_DIRECT)
        for _ in range(400):
            kind = os.preadv if chance.random() < 0.5 else os.pwritev
            kind(fd, [buffer], 4096 * chance.randint(0, (SIZE >> 12) - 1))
        os.close(fd)

    settle(loop)
    with recorder.Recording(tmp_path, "--streams", "block", code=None) as r:
        settle(loop)
        before = stat(loop)
        at_once(worker, 3 * os.cpu_count())
        settle(loop)
        after = stat(loop)
        # (5.10 doesn't count them.)
        misses = {program: int(of.get("recursion_misses", 0)) for program, of in r.programs().items()}
    rows = r.rows("block")
    rows = rows[rows["device"] == f"{os.major(number)}:{os.minor(number)}"]
    missed = r.missed()
    for operation in ("read", "write"):
        check_counts(rows[rows["operation"] == operation], before, after, operation, missed)
    incomplete = (rows["pid"] != str(os.getpid())) | (rows["latency_ms"] == "")
    assert incomplete.sum() <= missed + recorder.unseen(len(rows))
    assert missed <= max(2, sum(misses.values()) / 4), (missed, misses)


if not os.environ.get("IOTRC_TEST_DISK"):

    def test_errors_are_rows(tmp_path):
        """A loop device on a file whose filesystem is too small for it."""
        small = tmp_path / "small"
        small.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "small", str(small)], check=True)
        device = None
        try:
            with open(small / "image", "wb") as f:
                f.truncate(8 << 20)
            device = subprocess.run(
                ["losetup", "--find", "--show", str(small / "image")],
                check=True, capture_output=True, text=True,
            ).stdout.strip()
            number = os.stat(device).st_rdev
            buffer = mmap.mmap(-1, 1 << 20)
            buffer.write(b"e" * (1 << 20))
            failed = 0
            with recorder.Recording(tmp_path, "--streams", "block") as r:
                fd = os.open(device, os.O_WRONLY | os.O_DIRECT)
                for i in range(8):
                    try:
                        os.pwritev(fd, [memoryview(buffer)[: 256 << 10]], i << 20)
                    except OSError as e:
                        assert e.errno in (errno.EIO, errno.ENOSPC)
                        failed += 1
                os.close(fd)
        finally:
            if device:
                subprocess.run(["losetup", "-d", device], check=True)
            subprocess.run(["umount", str(small)], check=True)
        rows = r.rows("block")
        rows = rows[rows["device"] == f"{os.major(number)}:{os.minor(number)}"]
        bad = rows[rows["flags"].str.contains("error=")]
        assert len(bad) == failed > 0
        assert set(bad["operation"]) == {"write"} and set(bad["pid"]) == {str(os.getpid())}
        assert bad["flags"].str.contains(r"error=(?:EIO|ENOSPC)$").all()


if os.path.exists("/sys/class/zram-control"):

    @pytest.fixture
    def zram():
        with open("/sys/class/zram-control/hot_add") as f:
            number = f.read().strip()
        with open(f"/sys/block/zram{number}/disksize", "w") as f:
            f.write(str(SIZE))
        if not os.path.exists(f"/dev/zram{number}"): # no udev, no devtmpfs
            major, minor = open(f"/sys/block/zram{number}/dev").read().split(":")
            os.mknod(f"/dev/zram{number}", 0o600 | statmod.S_IFBLK, os.makedev(int(major), int(minor)))
        yield f"/dev/zram{number}"
        with open("/sys/class/zram-control/hot_remove", "w") as f:
            f.write(number)
        if os.path.exists(f"/dev/zram{number}"):
            os.unlink(f"/dev/zram{number}")

    def test_a_device_without_requests(tmp_path, zram):
        """zram takes bios: its rows are bios and marked as such."""
        number = os.stat(zram).st_rdev
        buffer = mmap.mmap(-1, 1 << 20)
        buffer.write(os.urandom(1 << 20))
        with recorder.Recording(tmp_path, "--streams", "block") as r:
            settle(zram)
            before = stat(zram)
            fd = os.open(zram, os.O_RDWR | os.O_DIRECT)
            for i in range(37):
                os.pwritev(fd, [memoryview(buffer)[: 4096 * (1 + i % 7)]], i << 16)
            for i in range(41):
                os.preadv(fd, [memoryview(buffer)[: 4096 * (1 + i % 5)]], i << 16)
            os.close(fd)
            settle(zram)
            after = stat(zram)
        rows = r.rows("block")
        rows = rows[rows["device"] == f"{os.major(number)}:{os.minor(number)}"]
        for operation in ("read", "write"):
            mine = rows[rows["operation"] == operation]
            requests, sectors = (a - b for a, b in zip(after[operation], before[operation]))
            assert len(mine) == requests > 0, operation
            assert mine["size"].astype(int).sum() == sectors * SECTOR, operation
        assert rows["flags"].str.split("|").map(lambda flags: "bio" in flags).all()
        own = rows[rows["pid"] == str(os.getpid())]
        assert len(own) >= 37 + 41 and (own["latency_ms"].astype(float) > 0).all()
        assert set(own["queue_latency_ms"]) == {""}
        assert rows["request_id"].is_unique
