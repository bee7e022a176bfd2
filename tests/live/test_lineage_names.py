# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of files in the stream extent, where the kernel has none or the path is long."""
import contextlib
import os
import pathlib

import pytest

import recorder
from test_block import settle
from test_block_devices import run
from test_lineage import device_of, file_system, freeze

BYTES = 64 << 10
LEVELS = 60 # more components than a lasting id may have (bpf/path.h)


class Written:
    """Files whose pages the file system writes on its own account, after it has forgotten the names that are not in use."""

    def __init__(self, path, streams="block", *args):
        point = path / "disk"
        deep = point.joinpath(*["d"] * LEVELS)
        self.files = {"forgotten": point / "forgotten", "in use": point / "in-use", "deep": deep / "file"}
        with contextlib.ExitStack() as end, file_system("ext4", point) as disk, contextlib.ExitStack() as opened:
            deep.mkdir(parents=True)
            settle(disk)
            with recorder.Recording(path, "--streams", streams, "--lineage", *args, code=None) as r:
                for name, file in self.files.items():
                    file.write_bytes(b"x" * BYTES)
                    if name != "forgotten":
                        opened.enter_context(open(file, "rb"))
                self.inodes = {name: str(os.stat(file).st_ino) for name, file in self.files.items()}
                run("mount", "-o", "remount", point) # drops the names of this file system (shrink_dcache_sb() in fs/super.c)
                run("sync", "-f", point)
                freeze(point, opened)
                settle(disk)
            of_disk = device_of(disk)
        rows = r.rows("extent")
        self.rows = rows[(rows["device"] == of_disk) & (rows["operation"] == "write") & (rows["kind"] == "data")]
        self.missed = r.missed()
        self.unknown = r.manifest["diagnostics"]["extent_unknown"]["name"]

    def of(self, name):
        """Its rows, which contain the whole file."""
        rows = self.rows[self.rows["inode"] == self.inodes[name]]
        assert self.missed or rows["size"].astype(int).sum() == BYTES
        return rows


@pytest.fixture(scope="module")
def written(module_path):
    path = pathlib.Path(module_path) / "written"
    path.mkdir()
    return Written(path)


@pytest.mark.parametrize("name", ["in use", "deep"])
def test_a_name_that_the_kernel_has(written, name):
    assert set(written.of(name)["filename"]) == {str(written.files[name])}


def test_a_name_that_the_kernel_has_forgotten(written):
    """The inode and the device say what the rows are of, and the manifest counts them."""
    rows = written.of("forgotten")
    assert set(rows["filename"]) == {""} and not (rows["fs_device"] == "").any()
    assert written.unknown >= len(rows) > 0


def test_it_is_below_no_path(tmp_path):
    """With --path there is no such row, which is counted nevertheless."""
    written = Written(tmp_path, "fs,block", "--path", str(tmp_path / "disk"))
    assert not (written.rows["inode"] == written.inodes["forgotten"]).any()
    assert len(written.of("in use")) and written.unknown > 0
