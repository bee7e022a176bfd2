# SPDX-License-Identifier: GPL-2.0-or-later
"""Block devices of every kind under fio, compared with /sys/block/DEV/stat; errors and slow requests at known places.
Devices without a driver in this kernel are for `make check-kernels`."""
import contextlib
import errno
import fcntl
import glob
import mmap
import os
import struct
import subprocess
import tempfile
import time

import pytest

import modules
import recorder
from test_block import SECTOR, check_counts, settle, stat

VIRTIO_BLK_T_SECURE_ERASE = 14 # include/uapi/linux/virtio_blk.h
BLKRESETZONE = 0x40101283 # include/uapi/linux/blkzoned.h
SIZE = 64 << 20
DEVICES = ["loop", "disk", "null_blk", "scsi_debug", "linear", "raid0", "raid1"]
if recorder.RELEASE < (5, 14):
    DEVICES.remove("raid0") # passes bios on unchanged: no tracepoint reports their end (docs/block.md)
# Bios, which the driver may split; from 5.18 on, dm counts each part as a request.
BIO_BASED = {"linear", "raid0", "raid1"}


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout.strip()


class Machine:
    """Creates devices, and removes them in reverse order."""

    def __init__(self):
        self.undo = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for undo in reversed(self.undo):
            undo()

    def loop(self, size=SIZE, *options):
        modules.need("loop")
        # In memory: the disks of test machines are small.
        with tempfile.NamedTemporaryFile(dir="/dev/shm", prefix="iotrc-") as f:
            f.truncate(size)
            device = run("losetup", "--find", "--show", *options, f.name)
        self.undo.append(lambda: run("losetup", "-d", device))
        # A write-back error that nobody has seen is reported to the next who syncs, even if the number belongs
        # to another device by then (lib/errseq.c).
        with contextlib.suppress(OSError), open(device, "rb") as f:
            os.fsync(f.fileno())
        return device

    def disk(self):
        if not os.environ.get("IOTRC_TEST_DISK"):
            raise modules.Missing("needs a disk to itself")
        return os.environ["IOTRC_TEST_DISK"]

    def module(self, name, pattern, *parameters):
        modules.need(name, *parameters)
        self.undo.append(lambda: modules.remove(name))
        end = time.monotonic() + 30
        while not glob.glob(pattern):
            assert time.monotonic() < end, f"{name} makes no {pattern}"
            time.sleep(0.05)
        return "/dev/" + os.path.basename(sorted(glob.glob(pattern))[0])

    def null_blk(self, *parameters):
        return self.module("null_blk", "/sys/block/nullb0", "nr_devices=1", "gb=1", *parameters)

    def scsi_debug(self, *parameters):
        modules.need("sd_mod")
        device = self.module(
            "scsi_debug", "/sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/*",
            "dev_size_mb=64", *parameters
        )
        settle(device) # the kernel is looking for partitions
        return device

    def brd(self):
        return self.module("brd", "/sys/block/ram0", "rd_nr=1", f"rd_size={SIZE >> 10}")

    def mapped(self, kind, *arguments, size=SIZE):
        modules.need("dm-mod" if kind == "linear" else f"dm-{kind}")
        name = f"iotrc-{os.getpid()}-{len(self.undo)}"
        table = f"0 {size // SECTOR} {kind} {' '.join(arguments)}\n"
        run("dmsetup", "create", "--noudevsync", name, input=table)
        self.undo.append(lambda: run("dmsetup", "remove", "--noudevsync", "--retry", name))
        return "/dev/dm-" + run("dmsetup", "info", "-c", "--noheadings", "--noudevsync", "-o", "minor", name)

    def linear(self):
        return self.mapped("linear", self.loop(), "0")

    def raid(self, level, chunk):
        """By sysfs (Documentation/admin-guide/md.rst): no metadata, two loop devices."""
        modules.need(level)
        parts = [self.loop(SIZE // 2), self.loop(SIZE // 2)]
        name = f"md_iotrc{level[-1]}"
        with open("/sys/module/md_mod/parameters/new_array", "w") as f:
            f.write(name)
        md = f"/sys/block/{name}/md"

        def put(attribute, value):
            with open(f"{md}/{attribute}", "w") as f:
                f.write(value)

        put("level", level)
        put("metadata_version", "none")
        put("raid_disks", "2")
        if chunk:
            put("chunk_size", str(chunk))
        put("component_size", str(SIZE // 2 >> 10))
        for slot, part in enumerate(parts):
            number = os.stat(part).st_rdev
            put("new_dev", f"{os.major(number)}:{os.minor(number)}")
            put(f"dev-{os.path.basename(part)}/size", str(SIZE // 2 >> 10)) # there is no metadata that says it
            if level == "raid1": # no initial copy is needed
                put(f"dev-{os.path.basename(part)}/state", "insync")
            put(f"dev-{os.path.basename(part)}/slot", str(slot))
        if level == "raid1":
            put("resync_start", "none")
        put("array_state", "active")
        self.undo.append(lambda: put("array_state", "clear"))
        return f"/dev/{name}"

    def raid0(self):
        return self.raid("raid0", 65536)

    def raid1(self):
        return self.raid("raid1", 0)


    def erasable(self):
        """A disk that supports secure erase, served by a program of ours, and a function that says which requests it
        got."""
        for module in "vduse", "virtio_vdpa", "virtio_blk":
            modules.need(module)
        name = "iotrc-erasable"
        disk = subprocess.Popen(
            [recorder.workload("erasable"), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        def end():
            disk.stdin.close()
            assert disk.wait(30) == 0
        self.undo.append(end)
        assert disk.stdout.readline() == "ready\n"
        run("vdpa", "dev", "add", "name", name, "mgmtdev", "vduse")
        self.undo.append(lambda: run("vdpa", "dev", "del", name))

        def reported():
            os.set_blocking(disk.stdout.fileno(), False)
            return [int(line) for line in disk.stdout]
        return "/dev/" + os.path.basename(glob.glob(f"/sys/bus/vdpa/devices/{name}/virtio*/block/*")[0]), reported


@pytest.fixture
def machine():
    with Machine() as m:
        yield m


def rows_of(r, device):
    rows = r.rows("block")
    number = os.stat(device).st_rdev
    return rows[rows["device"] == f"{os.major(number)}:{os.minor(number)}"]


# One after the other, because direct writes and writes through the page cache conflict (EIO).
FIO = """
[global]
filename={device}
size=48m
bsrange=4k-256k
randrepeat=1
[direct]
direct=1
rw=randrw
number_ios=400
fsync=16
[synchronous]
direct=1
sync=1
rw=randwrite
number_ios=100
[buffered]
stonewall
rw=randwrite
number_ios=300
fsync=50
end_fsync=1
"""
TRIM = """
[trim]
stonewall
filename={device}
size=48m
bsrange=4k-1m
direct=1
rw=randtrim
number_ios=50
"""


def load(directory, device):
    job = FIO
    with open(f"/sys/block/{os.path.basename(device)}/queue/discard_max_bytes") as f:
        if int(f.read()):
            job += TRIM
    (directory / "job").write_text(job.format(device=device))
    done = subprocess.run(["fio", str(directory / "job")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kind", DEVICES)
def test_rows_equal_the_counters_under_fio(tmp_path, machine, kind):
    device = getattr(machine, kind)()
    settle(device)
    # md submits bios while one is being submitted; on 6.1 the kernel sometimes skips a program that would nest
    # in itself, and the recorder says so.
    with recorder.Recording(tmp_path, "--streams", "block", code=None if kind.startswith("raid") else 0) as r:
        settle(device)
        before = stat(device)
        load(tmp_path, device)
        settle(device)
        after = stat(device)
    rows = rows_of(r, device)
    assert r.session.lost() == {}
    missed = sum(h["missed"] for h in r.manifest["diagnostics"]["hooks"] if "block_bio" in h["name"])
    for operation in ("read", "write", "discard"):
        mine = rows[rows["operation"] == operation]
        requests, sectors = (a - b for a, b in zip(after[operation], before[operation]))
        if kind == "raid0" and operation == "discard" and not requests:
            continue # raid0_handle_discard() (drivers/md/raid0.c) doesn't account for them
        if kind in BIO_BASED:
            sizes = mine["size"].astype(int)
            short = sectors * SECTOR - sizes.sum()
            assert 0 <= short <= missed * (sizes.max() if len(sizes) else 0), operation
            # A flush without data is a write of size 0; md doesn't count it (md_flush_request()).
            assert (mine["size"] != "0").sum() <= requests, operation
        else:
            check_counts(mine, before, after, operation)
        assert operation == "discard" or requests > 0
    if kind not in BIO_BASED:
        check_counts(rows[rows["operation"] == "flush"], before, after, "flush")
    assert (rows["flags"].str.split("|").map(lambda flags: "bio" in flags) == (kind in BIO_BASED)).all()
    assert not rows["flags"].str.contains("error=").any()
    assert rows["request_id"].is_unique


def test_a_device_that_counts_nothing(tmp_path, machine):
    """brd does no accounting; the rows are the bios that the test has submitted."""
    device = machine.brd()
    buffer = mmap.mmap(-1, 65536)
    with recorder.Recording(tmp_path, "--streams", "block") as r:
        fd = os.open(device, os.O_RDWR | os.O_DIRECT)
        for i in range(19):
            os.pwritev(fd, [memoryview(buffer)[: 4096 * (1 + i % 5)]], i << 16)
        os.close(fd)
    rows = rows_of(r, device)
    mine = rows[(rows["operation"] == "write") & (rows["pid"] == str(os.getpid()))]
    assert mine["size"].astype(int).tolist() == [4096 * (1 + i % 5) for i in range(19)]
    assert mine["sector"].astype(int).tolist() == [(i << 16) // SECTOR for i in range(19)]


def test_beyond_two_tib(tmp_path, machine):
    """Sectors beyond 32 bits."""
    device = machine.loop(3 << 40, "--direct-io=off")
    at = [(2 << 40) - 4096, 2 << 40, (2 << 40) + (5 << 30), (3 << 40) - 4096]
    buffer = mmap.mmap(-1, 4096)
    with recorder.Recording(tmp_path, "--streams", "block") as r:
        fd = os.open(device, os.O_RDWR | os.O_DIRECT)
        for offset in at:
            os.pwritev(fd, [buffer], offset)
        os.close(fd)
    rows = rows_of(r, device)
    mine = rows[(rows["operation"] == "write") & (rows["pid"] == str(os.getpid()))]
    assert mine["sector"].astype(int).tolist() == [offset // SECTOR for offset in at]
    assert mine["sector"].astype(int).max() > 1 << 32


def test_a_slow_request_has_its_whole_latency(tmp_path, machine):
    """dm-delay delays each request by a known time."""
    delay = 3000
    device = machine.mapped("delay", machine.loop(), "0", str(delay))
    buffer = mmap.mmap(-1, 4096)
    with recorder.Recording(tmp_path, "--streams", "block") as r:
        fd = os.open(device, os.O_RDWR | os.O_DIRECT)
        begun = time.monotonic()
        os.pwritev(fd, [buffer], 0)
        took = 1000 * (time.monotonic() - begun)
        os.close(fd)
    rows = rows_of(r, device)
    (latency,) = rows.loc[rows["operation"] == "write", "latency_ms"].astype(float)
    assert delay * 0.99 <= latency <= took


def test_errors_of_a_mapped_device(tmp_path, machine):
    """dm-flakey that is down from the start: it and the devices above it return EIO."""
    device = machine.mapped("flakey", machine.loop(), "0", "0", "1000")
    buffer = mmap.mmap(-1, 4096)
    with recorder.Recording(tmp_path, "--streams", "block") as r:
        fd = os.open(device, os.O_RDWR | os.O_DIRECT)
        for i in range(7):
            with pytest.raises(OSError) as e:
                os.pwritev(fd, [buffer], i << 16)
            assert e.value.errno == errno.EIO
        os.close(fd)
    rows = rows_of(r, device)
    mine = rows[(rows["operation"] == "write") & (rows["pid"] == str(os.getpid()))]
    assert len(mine) == 7 and mine["flags"].str.endswith("error=EIO").all()


def test_medium_errors(tmp_path, machine):
    """scsi_debug's bad blocks, 4660 (0x1234) and the ten after it; and sectors beyond 2 TiB."""
    device = machine.scsi_debug("opts=2", "virtual_gb=3072")
    buffer = mmap.mmap(-1, 4096)
    with recorder.Recording(tmp_path, "--streams", "block") as r:
        fd = os.open(device, os.O_RDONLY | os.O_DIRECT)
        with pytest.raises(OSError):
            os.preadv(fd, [buffer], 0x1234 * SECTOR)
        os.preadv(fd, [buffer], (2 << 40) + (1 << 30))
        os.close(fd)
    rows = rows_of(r, device)
    mine = rows[rows["pid"] == str(os.getpid())].set_index("sector")
    assert mine.loc[str(0x1234), "flags"].endswith("error=ENODATA") # BLK_STS_MEDIUM
    assert "error=" not in mine.loc[str(((2 << 40) + (1 << 30)) // SECTOR), "flags"]


def scsi_debug(name, value):
    with open(f"/sys/bus/pseudo/drivers/scsi_debug/{name}", "w") as f:
        f.write(str(value))


def commands(device):
    """How many commands the SCSI layer has sent."""
    with open(f"/sys/block/{os.path.basename(device)}/device/iorequest_cnt") as f:
        return int(f.read(), 16)


# SDEBUG_OPT_TRANSPORT_ERR, SDEBUG_OPT_SHORT_TRANSFER (drivers/scsi/scsi_debug.c)
@pytest.mark.parametrize("opts", [16, 256], ids=["aborted", "short"])
def test_requests_that_are_issued_again(tmp_path, machine, opts):
    """Every fifth command is aborted, or transfers only the first half: the request, or the rest of it, is requeued. It
    is one row, with its whole size, its first sector and its first issue."""
    device = machine.scsi_debug("delay=10") # jiffies that each command takes
    buffer = mmap.mmap(-1, 65536)
    with recorder.Recording(tmp_path, "--streams", "block") as r:
        fd = os.open(device, os.O_RDONLY | os.O_DIRECT)
        settle(device)
        scsi_debug("opts", opts)
        scsi_debug("every_nth", 5)
        before, sent = stat(device), commands(device)
        for i in range(53):
            os.preadv(fd, [buffer], i << 17)
        after, sent = stat(device), commands(device) - sent
        scsi_debug("every_nth", 0)
        scsi_debug("opts", 0)
        os.close(fd)
    rows = rows_of(r, device)
    mine = rows[(rows["operation"] == "read") & (rows["pid"] == str(os.getpid()))]
    again = sent - 53
    assert again >= 53 // 5
    assert mine["sector"].astype(int).tolist() == [(i << 17) // SECTOR for i in range(53)]
    assert set(mine["size"]) == {"65536"}
    assert not mine["flags"].str.contains("error=").any() and mine["request_id"].is_unique
    assert after["read"][0] - before["read"][0] == 53
    assert after["read"][1] - before["read"][1] == 53 * 65536 // SECTOR
    latency = mine["latency_ms"].astype(float)
    assert (latency > 1.8 * latency.min()).sum() >= again


def test_a_request_of_which_a_part_fails(tmp_path, machine):
    """Of eight sectors, four are read before the bad one: one row for all, with the error."""
    device = machine.scsi_debug("opts=2")
    buffer = mmap.mmap(-1, 4096)
    with recorder.Recording(tmp_path, "--streams", "block") as r:
        fd = os.open(device, os.O_RDONLY | os.O_DIRECT)
        settle(device)
        before = stat(device)
        with pytest.raises(OSError):
            os.preadv(fd, [buffer], (0x1234 - 4) * SECTOR)
        settle(device)
        after = stat(device)
        os.close(fd)
    rows = rows_of(r, device)
    (mine,) = rows[rows["sector"] == str(0x1234 - 4)].to_dict("records")
    assert mine["size"] == "4096" and mine["flags"].endswith("error=ENODATA")
    assert [b - a for a, b in zip(before["read"], after["read"])][:2] == [1, 8]


def test_zones(tmp_path, machine):
    device = machine.null_blk("zoned=1", "zone_size=64")
    buffer = mmap.mmap(-1, 4096)
    with recorder.Recording(tmp_path, "--streams", "block") as r:
        fd = os.open(device, os.O_RDWR | os.O_DIRECT)
        os.pwritev(fd, [buffer], 0)
        # The zones' own operations: reset, open, close, finish (BLKRESETZONE and the three of 5.5).
        for request in BLKRESETZONE, 0x40101286, 0x40101287, 0x40101288:
            fcntl.ioctl(fd, request, struct.pack("QQ", (64 << 20) // SECTOR, (64 << 20) // SECTOR))
        os.close(fd)
    rows = rows_of(r, device)
    mine = rows[rows["operation"].str.startswith("zone_")]
    assert mine["operation"].tolist() == ["zone_reset", "zone_open", "zone_close", "zone_finish"]
    assert set(mine["sector"]) == {str((64 << 20) // SECTOR)}
    assert mine["operation_code"].tolist() == [
        "REQ_OP_ZONE_RESET", "REQ_OP_ZONE_OPEN", "REQ_OP_ZONE_CLOSE", "REQ_OP_ZONE_FINISH"
    ]


def test_secure_erase(tmp_path, machine):
    device, reported = machine.erasable()
    settle(device)
    before = stat(device)
    with recorder.Recording(tmp_path, "--streams", "block") as r:
        # 5 MiB less a block: in requests of a MiB, the most that this disk takes.
        run("blkdiscard", "--force", "--secure", "--offset", "1M", "--length", str((5 << 20) - 4096), device)
    mine = rows_of(r, device)
    mine = mine[mine["operation"] == "secure_erase"]
    assert set(mine["operation_code"]) == {"REQ_OP_SECURE_ERASE"}
    assert set(mine["command"]) == {"blkdiscard"} and not mine["flags"].str.contains("error").any()
    have = sorted((int(row.sector), int(row.size) // SECTOR) for row in mine.itertuples())
    assert [sectors for _, sectors in have] == 4 * [2048] + [2040]
    assert [sector for sector, _ in have] == [2048 * (i + 1) for i in range(5)]
    # What the disk was requested to do, as it says itself. Without sectors: drivers/block/virtio_blk.c stores
    # the ranges of this type, which is even, in data that the device is to write (virtblk_add_req()).
    assert reported().count(VIRTIO_BLK_T_SECURE_ERASE) == 5
    assert check_counts(mine, before, stat(device), "write") == 5 # op_stat_group(), include/linux/blk_types.h


if recorder.RELEASE < (6, 12):
    del test_secure_erase # the kernels of the matrix have no VDUSE before
