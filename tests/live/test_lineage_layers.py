# SPDX-License-Identifier: GPL-2.0-or-later
"""The stream extent where one device or file system stands on another: which stage says what (docs/lineage.md)."""
import os
import pathlib
import subprocess

import pytest

import modules
import recorder
from test_block import SECTOR, settle
from test_block_devices import Machine, run
from test_lineage import PAGE, SIZE, dd, device, device_of, drop_caches, extents, file_system, placed

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
                with recorder.Recording(path, "--streams", "fs,block", "--lineage") as r:
                    dd(self.merged / "new", "bs=64k", "count=8", "conv=fsync")
                    dd(self.point / "beside", "bs=64k", "count=8", "conv=fsync")
                    drop_caches()
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
