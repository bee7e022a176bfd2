# SPDX-License-Identifier: GPL-2.0-or-later
"""A disk that answers with errors only (EIO), by device-mapper's error target. The oracle is a writer on another disk
that numbers its operations (numbered.c)."""
import contextlib
import os
import subprocess
import time

import modules
import pytest
from disks import SETTLE, Disk, failing

SECTORS = 8 # bytes of a block


def dmsetup(*args, table=None):
    subprocess.run(["dmsetup", *args], input=table, text=True, check=True, capture_output=True)


class Mapped(Disk):
    """An ext4 on a device of which ranges of blocks can be made to fail."""

    def __init__(self, tmp_path, mib):
        modules.need("dm-mod")
        self.name, self.loop = f"iotrc-test-{time.monotonic_ns()}", None
        self.map = f"/dev/mapper/{self.name}"
        super().__init__(tmp_path, mib, ("truncate", "-s", f"{mib}M"), "errors=continue")

    def mount(self):
        if not self.loop:
            self.loop = subprocess.run(
                ["losetup", "-f", "--show", self.image], check=True, capture_output=True, text=True
            ).stdout.strip()
            self.sectors = self.image.stat().st_size // 512
            dmsetup("create", "--noudevsync", self.name, table=self.table([]))
            if not os.path.exists(self.map): # no udev makes device nodes here
                dmsetup("mknodes", self.name)
            subprocess.run(["mkfs.ext4", "-q", "-b", "4096", "-m", "0", self.map], check=True)
        subprocess.run(["mount", "-o", self.options, self.map, self.point], check=True)

    def table(self, failing_blocks):
        """Makes these ranges of blocks fail: [(first, last)], ascending."""
        lines, at = [], 0
        for first, last in failing_blocks:
            begin, end = first * SECTORS, (last + 1) * SECTORS
            if begin > at:
                lines.append(f"{at} {begin - at} linear {self.loop} {at}")
            lines.append(f"{begin} {end - begin} error")
            at = end
        if self.sectors > at:
            lines.append(f"{at} {self.sectors - at} linear {self.loop} {at}")
        return "\n".join(lines) + "\n"

    def fail(self, blocks):
        # Waiting writes are not flushed first, and the filesystem is not frozen.
        dmsetup("suspend", "--noflush", "--nolockfs", self.name)
        dmsetup("load", self.name, table=self.table(blocks))
        dmsetup("resume", "--noudevsync", self.name)

    def fail_wholly(self):
        self.fail([(0, self.sectors // SECTORS - 1)])

    def mount_copy(self):
        """The disk's content, after it works again; umount() has emptied the cache."""
        self.fail([])
        subprocess.run(["e2fsck", "-fy", self.map], check=False, capture_output=True)
        self.mount()

    def remove(self):
        subprocess.run(["umount", "-l", self.point], check=False, capture_output=True)
        subprocess.run(["dmsetup", "remove", "--noudevsync", "--retry", "--force", self.name],
                       check=False, capture_output=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.map)
        subprocess.run(["losetup", "-d", self.loop], check=False, capture_output=True)


@pytest.fixture
def disk(tmp_path):
    d = Mapped(tmp_path, 64)
    yield d
    d.remove()


def test_errors_until_the_end(tmp_path, disk):
    """What was on the disk is sound, what was not is counted."""
    missing, failed = failing(tmp_path, disk, disk.fail_wholly, "--rotate-age", "2s")
    assert all(t > failed - (1 + SETTLE) * 10**9 for t in missing)
