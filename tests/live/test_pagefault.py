# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults of a program that touches a known number of pages, compared with the kernel's own counts."""
import os
import subprocess

import pytest

import recorder

# The faults of a run: fault_type, the first page of the mapping.
RUNS = {
    "cold-read": ("READ", 7), "warm-write-again": ("WRITE", 7), "nothing": (None, 7),
    "warm-read": ("READ", 0), "warm-write": ("WRITE", 0), "private-write": ("WRITE", 0),
}
PAGES = 61
# arm64's kernel does not say whether it was a read or a write.
TYPED = os.uname().machine != "aarch64"


@pytest.fixture(scope="module")
def recorded(module_path):
    data = os.path.join(module_path, "data")
    with recorder.Recording(module_path, "--streams", "pagefault") as r:
        done = subprocess.run(
            [recorder.workload("faults"), data], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
    st = os.stat(data)
    rows = r.rows("pagefault")
    number = os.major(st.st_dev) << 20 | os.minor(st.st_dev)
    rows = rows[(rows["inode"] == str(st.st_ino)) & (rows["device_id"] == str(number))]
    lines = [line.split() for line in done.stdout.splitlines() if not line.startswith("file")]
    return r, rows, {what: tuple(int(n, 0) for n in numbers) for what, *numbers in lines}


@pytest.mark.parametrize("run", RUNS)
def test_a_row_for_each_fault(recorded, run):
    _, rows, said = recorded
    first, last, major, minor = said[run]
    address = rows["address"].map(lambda a: int(a, 16))
    # Two runs access the same mapping: first all reads, then all writes.
    mine = rows[(address >= first) & (address <= last)]
    kind, page = RUNS[run]
    if run in ("cold-read", "warm-write-again"):
        early = mine.index.isin(mine.index[:PAGES])
        mine = mine[mine["fault_type"] == kind if TYPED else early == (run == "cold-read")]
    elif run == "nothing":
        assert (major, minor) == (0, 0)
        return
    assert set(mine["fault_type"]) == {kind if TYPED else ""}
    assert (mine["severity"] == "MAJOR").sum() == major
    assert (mine["severity"] == "MINOR").sum() == minor
    wanted = (mine["address"].map(lambda a: int(a, 16)) - first) // os.sysconf("SC_PAGESIZE") + page
    assert mine["offset_pages"].astype(int).tolist() == wanted.tolist()
    assert mine["offset_pages"].is_unique and set(mine["command"]) == {"faults"}
    if run == "cold-read":
        assert (major, minor) == (PAGES, 0)
    if run in ("warm-write-again", "warm-write", "private-write"):
        # 5.10 counts a write fault as major if the filesystem had to be asked.
        assert major + minor == PAGES


def test_nothing_lost(recorded):
    assert recorded[0].session.lost() == {}
