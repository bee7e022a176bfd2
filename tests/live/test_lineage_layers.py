# SPDX-License-Identifier: GPL-2.0-or-later
"""The stream extent where one device or file system stands on another: which stage says what (docs/lineage.md)."""
import contextlib
import os
import pathlib
import subprocess

import pytest

import modules
import recorder
from test_block import SECTOR, settle
from test_block_devices import Machine, run
from test_lineage import (FILE_SYSTEMS, PAGE, SIZE, dd, device, device_of, drop_pages, extents, file_system, placed,
                          whole)

BYTES = 512 << 10


def written(rows, inode):
    return rows[(rows["inode"] == str(inode)) & (rows["operation"] == "write")]


def total(rows):
    return rows["size"].astype(int).sum()


# ---- overlayfs ----


class Overlay:
    """One file written, another read, by way of an overlay."""

    def __init__(self, path):
        modules.need("overlay")
        self.point, self.merged = path / "disk", path / "disk/merged"
        with file_system("ext4", self.point):
            for name in "lower", "upper", "work", "merged":
                (self.point / name).mkdir()
            dd(self.point / "lower/old", "bs=64k", "count=3", "conv=fsync")
            options = ",".join(f"{name}dir={self.point}/{name}" for name in ("lower", "upper", "work"))
            run("mount", "-t", "overlay", "none", "-o", options, self.merged)
            try:
                with recorder.Recording(path, "--streams", "fs,block", "--lineage", code=None) as r:
                    dd(self.merged / "new", "bs=64k", "count=8", "conv=fsync")
                    dd(self.point / "beside", "bs=64k", "count=8", "conv=fsync")
                    drop_pages(self.point / "lower/old")
                    (self.merged / "old").read_bytes()
                self.seen = {name: os.stat(self.merged / name) for name in ("new", "old")}
                self.layer = {name: os.stat(self.point / where / name) for name, where in
                              (("new", "upper"), ("old", "lower"), ("beside", "."))}
            finally:
                run("umount", self.merged)
        self.rows, self.fs = r.rows("extent"), r.rows("fs")

    def of(self, name):
        rows = self.rows[(self.rows["inode"] == str(self.layer[name].st_ino))
                         & (self.rows["fs_device"] == number(self.layer[name].st_dev))]
        return rows[rows["kind"].isin(["data", "readahead"])]


def number(dev):
    return f"{os.major(dev)}:{os.minor(dev)}"


@pytest.fixture(scope="module")
def overlay(module_path):
    path = pathlib.Path(module_path) / "overlay"
    path.mkdir()
    return Overlay(path)


@pytest.mark.parametrize("name, operation, size", [("new", "write", 8 << 16), ("old", "read", 3 << 16)])
def test_a_layers_file_names_the_overlays(overlay, name, operation, size):
    rows, seen = overlay.of(name), overlay.seen[name]
    assert total(rows[rows["operation"] == operation]) == size
    assert {recorder.unescape(f) for f in rows["overlay_filename"]} == {os.fsencode(overlay.merged / name)}
    assert set(rows["overlay_inode"]) == {str(seen.st_ino)}
    assert set(rows["overlay_device"]) == {number(seen.st_dev)}
    # And so they join with fs.
    calls = overlay.fs[(overlay.fs["inode"] == str(seen.st_ino)) & (overlay.fs["device"] == number(seen.st_dev))]
    assert operation in set(calls["operation"])
    assert set(calls[calls["operation"] == operation]["filename"]) == set(rows["overlay_filename"])


def test_a_file_beside_it_names_no_overlay(overlay):
    rows = overlay.of("beside")
    assert total(rows) == 8 << 16
    for column in "overlay_filename", "overlay_inode", "overlay_device":
        assert set(rows[column]) == {""}


# ---- a loop device on a file of a file system ----


class Nested:
    """ext4 in an image file on ext4: a file of each, written at once."""

    def __init__(self, path):
        outer, inner = path / "disk", path / "inner"
        with file_system("ext4", outer) as disk, Machine() as machine:
            image = outer / "image"
            dd(image, "bs=1M", "count=64", "conv=fsync")
            loop = run("losetup", "--find", "--show", image)
            machine.undo.append(lambda: run("losetup", "-d", loop))
            run(*FILE_SYSTEMS["ext4"], loop)
            inner.mkdir()
            run("mount", loop, inner)
            machine.undo.append(lambda: run("umount", inner))
            os.sync()
            settle(loop)
            settle(disk)
            with recorder.Recording(path, "--streams", "block", "--lineage", code=None) as r:
                dd(inner / "file", f"bs={BYTES}", "count=1", "conv=fsync")
                run("sync", "-f", inner)
                run("sync", "-f", outer)
                settle(loop)
                settle(disk)
            self.where = extents(inner / "file"), extents(image)
            self.inodes = os.stat(inner / "file").st_ino, os.stat(image).st_ino
            self.devices = device_of(loop), device_of(disk)
        self.rows = r.rows("extent")


@pytest.fixture(scope="module")
def nested(module_path):
    path = pathlib.Path(module_path) / "nested"
    path.mkdir()
    return Nested(path)


def test_a_loop_devices_requests_name_the_file_in_it(nested):
    rows = written(nested.rows[nested.rows["device"] == nested.devices[0]], nested.inodes[0])
    rows = rows[rows["kind"] == "data"]
    assert total(rows) == BYTES and set(rows["command"]) == {"dd"} and set(rows["cause"]) == {"fsync"}


def test_and_those_of_the_disk_below_name_the_image(nested):
    """Both stages together: byte of the file, byte of the image, byte of the disk, as FIEMAP says of each."""
    rows = nested.rows[nested.rows["device"] == nested.devices[1]]
    rows = written(rows, nested.inodes[1])
    rows = rows[rows["kind"] == "data"]
    below = {int(row["offset"]) + at: int(row["sector"]) * SECTOR + at for _, row in rows.iterrows()
             for at in range(0, int(row["size"]), PAGE)}
    for offset in range(0, BYTES, PAGE):
        in_image = placed(nested.where[0], offset, PAGE)
        assert below[in_image] == placed(nested.where[1], in_image, PAGE), offset
    assert "dd" not in set(rows["command"]) # the thread of the loop device made them dirty


# ---- copy on write ----


def test_btrfs_sums_by_inode(tmp_path):
    """The addresses of its extents are not the device's, so only bytes and offsets are compared."""
    modules.need("btrfs")
    files = {"synced": ("conv=fsync", "fsync"), "each_synced": ("oflag=sync", "O_SYNC")}
    point, inodes = tmp_path / "disk", {}
    with Machine() as machine:
        disk = machine.loop(SIZE)
        run("mkfs.btrfs", "-q", "-f", disk)
        point.mkdir()
        run("mount", disk, point)
        try:
            with recorder.Recording(tmp_path, "--streams", "block", "--lineage", code=None) as r:
                for name, (option, _) in files.items():
                    dd(point / name, "bs=64k", f"count={BYTES >> 16}", option)
                    inodes[name] = os.stat(point / name).st_ino
                run("sync", "-f", point)
        finally:
            run("umount", point)
        number = device_of(disk)
    rows = r.rows("extent")
    rows = rows[rows["device"] == number]
    for name, (_, cause) in files.items():
        own = written(rows, inodes[name])
        own = own[own["kind"] == "data"]
        pages = [page for _, row in own.iterrows()
                 for page in range(int(row["offset"]), int(row["offset"]) + int(row["size"]), PAGE)]
        assert sorted(pages) == list(range(0, BYTES, PAGE)), name # each once
        assert set(own["fs_type"]) == {"btrfs"} and set(own["command"]) == {"dd"}
        assert set(own["cause"]) == {cause}


# ---- bios that the kernel uses again ----


def test_recycled_bios_are_not_taken_for_earlier_ones(tmp_path):
    """Direct, buffered and synced writes at once, in small pieces. For each there is a note at the address of its bio,
    which another file's bio has a moment later. FIEMAP shows for each row whether it was taken for one of these."""
    jobs = {"direct": ["--ioengine=libaio", "--direct=1", "--iodepth=16"],
            "uring": ["--ioengine=io_uring", "--direct=1", "--iodepth=16"],
            "synced": ["--ioengine=psync", "--fdatasync=4"], "sync": ["--ioengine=psync", "--sync=1"]}
    size, point = 2 << 20, tmp_path / "disk"
    with file_system("ext4", point) as disk:
        for name in jobs:
            dd(point / name, "bs=1M", f"count={size >> 20}", "conv=fsync")
        os.sync()
        settle(disk)
        with recorder.Recording(tmp_path, "--streams", "block", "--lineage", code=None) as r:
            writers = [subprocess.Popen(["fio", f"--name={name}", f"--filename={point}/{name}", f"--size={size}",
                                         "--rw=randwrite", "--bs=4k", "--loops=3", "--norandommap=0", "--overwrite=1",
                                         "--output=/dev/null", *options]) for name, options in jobs.items()]
            assert [w.wait() for w in writers] == [0] * len(writers)
            settle(disk)
        files = {name: (os.stat(point / name).st_ino, extents(point / name)) for name in jobs}
        number, fs_device = device_of(disk), device(point)
    rows = r.rows("extent")
    rows = rows[(rows["device"] == number) & (rows["operation"] == "write")]
    for name, (inode, where) in files.items():
        own = rows[(rows["inode"] == str(inode)) & (rows["kind"].isin(["data", "direct"]))]
        wrong = [row for _, row in own.iterrows()
                 if placed(where, int(row["offset"]), int(row["size"])) != int(row["sector"]) * SECTOR]
        assert wrong == [] and set(own["fs_device"]) == {fs_device}
        if name in ("direct", "uring"):
            assert whole(total(own[own["kind"] == "direct"]), 3 * size, r.missed()) and set(own["kind"]) == {"direct"}
        else:
            assert set(own["kind"]) == {"data"} and set(own["command"]) == {"fio"}
    # And what lies in one of the files is told to be: nothing of it went elsewhere.
    reported = {inode for inode, _ in files.values()}
    for _, row in rows[~rows["inode"].isin(map(str, reported))].iterrows():
        at = int(row["sector"]) * SECTOR
        assert not any(physical <= at < physical + length
                       for _, where in files.values() for _, physical, length in where), row


# ---- device-mapper ----


def mapped(machine, kind):
    """(the upper device, the lower one)."""
    lower = machine.loop(SIZE)
    if kind == "linear":
        return machine.mapped("linear", lower, "0", size=SIZE), lower
    modules.need("xts")
    return machine.mapped("crypt", "aes-xts-plain64", "00" * 64, "0", lower, "0", size=SIZE), lower


@pytest.mark.parametrize("kind", ["linear", "crypt"])
def test_device_mapper(tmp_path, kind):
    modules.need("dm-mod")
    point = tmp_path / "disk"
    with Machine() as machine:
        upper, lower = mapped(machine, kind)
        run(*FILE_SYSTEMS["ext4"], upper)
        point.mkdir()
        run("mount", upper, point)
        try:
            with recorder.Recording(tmp_path, "--streams", "block", "--lineage", code=None) as r:
                dd(point / "file", f"bs={BYTES}", "count=1", "conv=fsync")
                settle(lower)
            inode, where = os.stat(point / "file").st_ino, extents(point / "file")
        finally:
            run("umount", point)
        numbers = device_of(upper), device_of(lower)
    rows = r.rows("extent")
    above = written(rows[rows["device"] == numbers[0]], inode)
    above = above[above["kind"] == "data"]
    assert total(above) == BYTES and set(above["cause"]) == {"fsync"} and set(above["command"]) == {"dd"}
    for _, row in above.iterrows():
        assert placed(where, int(row["offset"]), int(row["size"])) == int(row["sector"]) * SECTOR
    below = rows[(rows["device"] == numbers[1]) & (rows["operation"] == "write")]
    if kind == "linear": # the clone carries the same pages
        own = written(below, inode)
        assert total(own[own["kind"] == "data"]) == BYTES and set(own["command"]) == {"dd"}
    else: # encrypted, in memory of its own
        assert total(below[below["kind"] == "unknown"]) >= BYTES
        assert not len(written(below, inode))


# ---- bios that are too large for one request ----


@contextlib.contextmanager
def requests_of(disk, kib):
    """Limits requests to KIB until the block ends: a loop device keeps the limit for its next file."""
    limit = pathlib.Path(f"/sys/block/{os.path.basename(disk)}/queue/max_sectors_kb")
    before = limit.read_text()
    limit.write_text(kib)
    try:
        yield
    finally:
        limit.write_text(before)


def test_split_bios(tmp_path):
    """Each part is a request of its own: its rows are where FIEMAP says, and no row of cache names the wrong
    request."""
    point, size = tmp_path / "disk", 1 << 20
    with file_system("ext4", point) as disk:
        with (requests_of(disk, "64"),
              recorder.Recording(tmp_path, "--streams", "block", "--cache", "--lineage", code=None) as r):
            dd(point / "file", "bs=1M", "count=1", "conv=fsync")
            settle(disk)
        inode, where, number = os.stat(point / "file").st_ino, extents(point / "file"), device_of(disk)
        fs_device = os.stat(point / "file").st_dev
    rows = r.rows("extent")
    rows = written(rows[rows["device"] == number], inode)
    rows = rows[rows["kind"] == "data"]
    assert total(rows) == size and rows["size"].astype(int).max() <= 64 << 10
    for _, row in rows.iterrows():
        assert placed(where, int(row["offset"]), int(row["size"])) == int(row["sector"]) * SECTOR
    assert set(rows["cause"]) == {"fsync"} and set(rows["command"]) == {"dd"}
    cache = r.rows("cache")
    cache = cache[(cache["event_type"] == "WRITEBACK_END") & (cache["inode"] == str(inode))
                  & (cache["device_id"] == str(os.major(fs_device) << 20 | os.minor(fs_device)))]
    assert len(cache)
    spans = rows.groupby("request_id").agg(offset=("offset", lambda o: o.astype(int).min()),
                                           size=("size", lambda s: s.astype(int).sum()))
    for _, row in cache[cache["request_id"] != ""].iterrows():
        begin, length = spans.loc[row["request_id"]]
        at = int(row["page_index"]) * PAGE
        assert begin <= at and at + int(row["count"]) * PAGE <= begin + length, row
