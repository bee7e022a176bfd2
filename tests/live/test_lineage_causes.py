# SPDX-License-Identifier: GPL-2.0-or-later
"""The stream extent: causes that need a machine of a certain kind, and containers. The oracles: the kernel's
counters (/proc/vmstat, io.stat), FIEMAP, programs that know what they wrote."""
import contextlib
import os
import pathlib
import subprocess
import sys

import pytest

import modules
import recorder
from test_block import SECTOR, settle
from test_block_devices import Machine, run
from test_lineage import (CGROUPS, FILE_SYSTEMS, PAGE, cgroup, dd, device_of, drop_pages, extents, file_system,
                          placed, set_vm, whole)

MIB = 1 << 20
MEMORY = 24 * MIB # of the container whose pages are swapped
ALLOCATED = 48 * MIB
# Content that the kernel can neither compress away nor take for zeroes; read once more at the end.
HOG = f"""
import mmap, os
m = mmap.mmap(-1, {ALLOCATED}, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
m.madvise(mmap.MADV_NOHUGEPAGE)
for i in range(0, {ALLOCATED}, {MIB}):
    m[i:i + {MIB}] = os.urandom({MIB})
print(sum(m[i] for i in range(0, {ALLOCATED}, {PAGE})))
"""


def swapped():
    """Pages written to swap, and read from it, since the machine started."""
    counts = dict(line.split() for line in pathlib.Path("/proc/vmstat").read_text().splitlines())
    return int(counts["pswpout"]), int(counts["pswpin"])


@contextlib.contextmanager
def limited(old, new):
    """A cgroup with limits, each of them (controller, file, value): OLD if the machine has that controller in version
    1, otherwise NEW. Yields a function that starts programs in it."""
    hierarchy, file, value = pathlib.Path("/sys/fs/cgroup", old[0]), *old[1:]
    if not hierarchy.is_dir():
        hierarchy, file, value = CGROUPS, *new[1:]
        (hierarchy / "cgroup.subtree_control").write_text(f"+{new[0]}")
    path = hierarchy / f"iotrc-{os.getpid()}-limited"
    path.mkdir()
    try:
        (path / file).write_text(value)
        yield lambda *command, **more: subprocess.run(
            command, check=True, preexec_fn=lambda: (path / "cgroup.procs").write_text("0"), **more)
    finally:
        path.rmdir()
        if hierarchy == CGROUPS: # with io and memory the kernel counts dirty pages for each cgroup
            (hierarchy / "cgroup.subtree_control").write_text(f"-{new[0]}")


def rows_of(r, disk, operation):
    rows = r.rows("extent")
    return rows[(rows["device"] == disk) & (rows["operation"] == operation)]


def total(rows):
    return rows["size"].astype(int).sum()


@pytest.mark.alone # the kernel counts for the whole machine
def test_memory_pressure_swaps(tmp_path):
    if len(pathlib.Path("/proc/swaps").read_text().splitlines()) > 1:
        pytest.fail("this machine swaps elsewhere: the counters would not be of the test alone")
    with (Machine() as machine, limited(("memory", "memory.limit_in_bytes", str(MEMORY)),
                                        ("memory", "memory.max", str(MEMORY))) as start):
        # Not in memory where kernels charge that to whom a loop device works for: swapping would free nothing.
        disk = os.environ.get("IOTRC_TEST_DISK") or machine.loop(128 * MIB)
        run("mkswap", "-q", disk)
        run("swapon", disk)
        try:
            # With this memory each page of the cgroup can wait for its request, and its bio keeps its note.
            with recorder.Recording(tmp_path, "--streams", "block", "--lineage", "--memory", "128M", code=None) as r:
                out, into = swapped()
                start(sys.executable, "-c", HOG, stdout=subprocess.DEVNULL)
                out, into = (now - then for now, then in zip(swapped(), (out, into)))
        finally:
            run("swapoff", disk)
        number = device_of(disk)
    written, read = rows_of(r, number, "write"), rows_of(r, number, "read")
    assert whole(total(written), out * PAGE, r.missed()) and out * PAGE > ALLOCATED - MEMORY
    assert whole(total(read), into * PAGE, r.missed()) and into
    for rows in written, read:
        assert set(rows["kind"]) == {"swap"}
        assert set(rows["inode"]) == set(rows["filename"]) == {""}
    assert set(written["cause"]) == {"memory_pressure"}
    assert set(read["cause"]) <= {"fault", "readahead", "read"} # a call may read into memory that is swapped


# With version 2 each cgroup has thresholds of its own, which it crosses before it is full.
if os.path.isdir("/sys/fs/cgroup/memory"):
    @pytest.mark.alone # somebody else's sync would write the rest, too
    def test_memory_pressure_writes_files(tmp_path):
        """A cgroup that is full of dirty pages: reclaim has a flusher write them, long before they are old or many."""
        point, size = tmp_path / "disk", 3 * MEMORY
        memory = (("memory", "memory.limit_in_bytes", str(MEMORY)), ("memory", "memory.max", str(MEMORY)))
        run("sync") # so that the flushers have nothing else to write
        with (file_system("ext4", point) as disk, limited(*memory) as start,
              set_vm(dirty_ratio=90, dirty_background_ratio=80, dirty_expire_centisecs=360000, dirty_writeback_centisecs=0)):
            with recorder.Recording(tmp_path, "--streams", "block", "--lineage", code=None) as r:
                start("dd", "if=/dev/zero", f"of={point}/file", "bs=64k", f"count={size >> 16}", "status=none")
                run("sync", "-f", point)
                settle(disk)
            inode, number = os.stat(point / "file").st_ino, device_of(disk)
        rows = rows_of(r, number, "write")
        rows = rows[(rows["inode"] == str(inode)) & (rows["kind"] == "data")]
        assert whole(total(rows), size, r.missed()) and set(rows["cause"]) <= {"memory_pressure", "sync"}
        # The rest was left for sync, if anything: where dd runs slowly, reclaim has all written.
        assert total(rows[rows["cause"] == "memory_pressure"]) >= size - MEMORY
        # Of so many pages one block of 512 may be forgotten (docs/lineage.md).
        assert size - total(rows[rows["command"] == "dd"]) <= 512 * PAGE and set(rows["command"]) <= {"dd", ""}


def test_truncate(tmp_path):
    """xfs writes the page with the new end, or all before it, so that it is never longer on the disk than its data."""
    with file_system("xfs", tmp_path / "disk"):
        with recorder.Recording(tmp_path, "--streams", "block", "--lineage", code=None) as r:
            file = tmp_path / "disk/file"
            with open(file, "wb", buffering=0) as f:
                f.write(b"t" * MIB)
                os.ftruncate(f.fileno(), MIB // 2 + 100)
            inode = file.stat().st_ino
    rows = r.rows("extent")
    rows = rows[(rows["inode"] == str(inode)) & (rows["cause"] == "truncate")]
    assert set(rows["kind"]) == {"data"} and set(rows["pid"]) == {str(os.getpid())}
    begin, end, last = rows["offset"].astype(int), rows["offset"].astype(int) + rows["size"].astype(int), MIB // 2 + 99
    assert ((begin <= last) & (last < end)).any() and end.max() <= MIB


# ---- limits ----

RATE = 2 * MIB # bytes per second
HELD = {"write": ["if=/dev/zero", "of={}/new", "count=16", "oflag=direct"], "read": ["if={}/old", "of=/dev/null"]}


@pytest.mark.parametrize("operation", HELD)
def test_what_a_limit_holds_back_is_not_the_workers(tmp_path, operation):
    """A kernel worker submits the request later. The rows name dd or, if programs cannot be attached to the kernel's
    functions, no process (docs/lineage.md). The stream block shows which requests the worker made."""
    point, letter = tmp_path / "disk", operation[0]
    with file_system("ext4", point) as disk:
        dd(point / "old", "bs=1M", "count=1", "conv=fsync")
        os.sync()
        settle(disk)
        drop_pages(point / "old")
        number = device_of(disk)
        with limited(("blkio", f"blkio.throttle.{operation}_bps_device", f"{number} {RATE}"),
                     ("io", "io.max", f"{number} {letter}bps={RATE}")) as start:
            with recorder.Recording(tmp_path, "--streams", "block", "--lineage", code=None) as r:
                start("dd", *(option.format(point) for option in HELD[operation]), "bs=64k", "status=none")
                settle(disk)
        file = point / {"write": "new", "read": "old"}[operation]
        inode, where = os.stat(file).st_ino, extents(file)
    rows, block = rows_of(r, number, operation), r.rows("block")
    rows = rows[(rows["inode"] == str(inode)) & (rows["kind"] != "metadata")]
    assert whole(total(rows), MIB, r.missed())
    for _, row in rows.iterrows():
        assert placed(where, int(row["offset"]), int(row["size"])) == int(row["sector"]) * SECTOR
    workers = block[block["command"].str.startswith("kworker")]["request_id"]
    held, prompt = rows[rows["request_id"].isin(workers)], rows[~rows["request_id"].isin(workers)]
    assert len(held) and set(prompt["command"]) <= {"dd"}
    if operation == "write":
        assert set(rows["kind"]) == {"direct"} and set(rows["cause"]) == {"O_DIRECT"}
    if any(hook["attached"] and hook["name"].endswith("blk_throtl_bio") for hook in r.manifest["diagnostics"]["hooks"]):
        assert set(held["command"]) == {"dd"} and "" not in set(rows["cause"])
    else:
        assert set(held["command"]) == set(held["pid"]) == set(held["container_id"]) == {""}
        if operation == "read":
            assert set(held["kind"]) == {"data"} and set(held["cause"]) == {""}


# ---- containers ----


def written_by(path, device):
    """wbytes of a disk in io.stat of a cgroup."""
    for line in (path / "io.stat").read_text().splitlines():
        number, *counts = line.split()
        if number == device:
            return int(dict(count.split("=") for count in counts)["wbytes"])
    return 0


def test_containers_add_up_to_their_io_stat(tmp_path):
    """Two side by side on one slow disk."""
    modules.need_a_machine_of_our_own() # with the controller io of cgroup v2
    modules.need("dm-delay")
    (CGROUPS / "cgroup.subtree_control").write_text("+io +memory")
    point, sizes = tmp_path / "disk", {"one": 3 * MIB, "two": 5 * MIB}
    with Machine() as machine, contextlib.ExitStack() as groups:
        disk = machine.mapped("delay", machine.loop(), "0", "5")
        run(*FILE_SYSTEMS["ext4"], disk)
        point.mkdir()
        run("mount", disk, point)
        number = device_of(disk)
        try:
            with recorder.Recording(tmp_path, "--streams", "block", "--lineage", code=None) as r:
                paths = {name: groups.enter_context(cgroup(name))[1] for name in sizes}
                writers = [subprocess.Popen(["dd", "if=/dev/zero", f"of={point}/{name}", "bs=64k", f"count={size >> 16}",
                                             "conv=fsync", "status=none"],
                                            preexec_fn=lambda path=paths[name]: (path / "cgroup.procs").write_text("0"))
                           for name, size in sizes.items()]
                assert [w.wait() for w in writers] == [0, 0]
                inodes = {name: (point / name).stat().st_ino for name in sizes}
                written = {name: written_by(path, number) for name, path in paths.items()}
                ids = {name: path.stat().st_ino for name, path in paths.items()}
                settle(disk)
        finally:
            run("umount", point)
    rows = rows_of(r, number, "write")
    for name, size in sizes.items():
        own = rows[(rows["container_id"] == str(ids[name])) & (rows["kind"] == "data")]
        assert size == written[name] and whole(total(own), size, r.missed())
        assert set(rows[rows["inode"] == str(inodes[name])]["container_id"]) == {str(ids[name])}


# ---- the table of dirty pages ----


@pytest.mark.alone # other programs' pages have places in the table, too
def test_owners_of_few_dirty_pages_are_forgotten(tmp_path):
    """docs/lineage.md says of how many: 0.5 % of 256 MiB in pages of 4 KiB."""
    point, size = tmp_path / "disk", (64 if recorder.EMULATED else 256) * MIB
    # So large that ext4 needn't write early to find out how much space is left.
    with (Machine() as machine, file_system("ext4", point, machine.loop(4 * size)) as disk,
          set_vm(dirty_ratio=90, dirty_background_ratio=80, dirty_writeback_centisecs=0)):
        with recorder.Recording(tmp_path, "--streams", "block", "--lineage", code=None) as r:
            run("fio", "--name=job", f"--filename={point}/file", f"--size={size}", "--rw=randwrite", "--bs=4k",
                "--ioengine=psync", "--fallocate=none", "--randseed=7", "--end_fsync=1", "--output=/dev/null")
            settle(disk)
        inode, number = os.stat(point / "file").st_ino, device_of(disk)
    rows = rows_of(r, number, "write")
    rows = rows[(rows["inode"] == str(inode)) & (rows["kind"] == "data")]
    assert whole(total(rows), size, r.missed()) and set(rows["command"]) <= {"fio", ""}
    assert total(rows[rows["command"] == ""]) < size / 50
