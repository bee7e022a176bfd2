# SPDX-License-Identifier: GPL-2.0-only
"""Rows of a loop device of the test's own against the kernel's counters of that device."""
import mmap
import os
import subprocess
import time

import pytest

import recorder

SECTOR = 512
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
    # A machine that has a disk to spare, and perhaps no loop devices (make check-kernels).
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
    end = time.monotonic() + 10
    while in_flight(device):
        assert time.monotonic() < end, f"{device} doesn't come to rest"
        time.sleep(0.01)


def exercise(device):
    """Reads, writes, flushes and a discard of sizes that no other does."""
    buffer = mmap.mmap(-1, 1 << 20)
    buffer.write(os.urandom(1 << 20))
    fd = os.open(device, os.O_RDWR | os.O_DIRECT)
    try:
        for i in range(17):
            os.pwritev(fd, [memoryview(buffer)[: 4096 * (1 + i % 3)]], i * 65536)
        for i in range(23):
            os.preadv(fd, [memoryview(buffer)[: 512 * (1 + i % 5)]], i * 8192)
        # Larger than a request may be: it is split, and each part is a request.
        os.pwritev(fd, [buffer], 16 << 20)
        os.preadv(fd, [buffer], 16 << 20)
        for _ in range(3):
            os.fsync(fd)
    finally:
        os.close(fd)
    # Through the page cache, written back by somebody else.
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
        requests, sectors = (a - b for a, b in zip(after[operation], before[operation]))
        assert requests > 0, f"the test made no {operation}"
        assert len(mine) == requests, operation
        assert mine["size"].astype(int).sum() == sectors * SECTOR, operation
    assert len(rows[rows["operation"] == "flush"]) == after["flush"][0] - before["flush"][0] > 0


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
    # Who opens a disk may read its first and last blocks (udev); 4 KiB at these places is ours.
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
