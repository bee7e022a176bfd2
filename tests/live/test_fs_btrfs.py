# SPDX-License-Identifier: GPL-2.0-or-later
"""What the filesystems of most machines cannot do: clones that succeed, and subvolumes."""
import os
import subprocess

import pytest

import fs_rows
import modules
import recorder
import strace_oracle

WORKLOADS = ["clone", "subvolume", "copyrange", "advice", "namespace"]


@pytest.fixture
def volume(tmp_path):
    modules.need("loop")
    modules.need("btrfs")
    image, point = tmp_path / "image", tmp_path / "volume"
    point.mkdir()
    with open(image, "wb") as f:
        f.truncate(256 << 20)
    subprocess.run(["mkfs.btrfs", "-q", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, point], check=True)
    yield point
    subprocess.run(["umount", point], check=True)


def test_rows_equal_strace(volume, tmp_path):
    oracles = {}
    with recorder.Recording(tmp_path, "--streams", "fs", *recorder.OWN) as r:
        for name in WORKLOADS:
            (volume / name).mkdir()
            oracles[name] = strace_oracle.run(
                [recorder.workload(name)], volume / name, tmp_path / f"{name}.strace"
            )
    rows, found = r.rows("fs"), []
    for name, oracle in oracles.items():
        assert oracle.code == 0, oracle.stderr
        found += fs_rows.compare(oracle, fs_rows.of(oracle, rows))
    assert not found, "\n" + "\n".join(found)
    assert "subvolume" in oracles["subvolume"].stdout
    clones = fs_rows.of(oracles["clone"], rows)
    clones = clones[clones["operation"] == "clone"]
    assert (clones["errno"] == "").sum() >= 9
    assert set(clones["fs_type"]) <= {"btrfs", ""}


def test_a_file_has_one_device_in_all_its_rows(volume, tmp_path):
    """stat() returns the subvolume's device; the rows have the superblock's, as mountinfo does."""
    subprocess.run(["btrfs", "-q", "subvolume", "create", volume / "sub"], check=True)
    path = volume / "sub" / "file"
    path.write_text("x")
    with open("/proc/self/mountinfo") as f:
        device = [line.split()[2] for line in f if line.split()[4] == str(volume)]
    with recorder.Recording(tmp_path, "--streams", "fs", "--path", str(volume)) as r:
        st = os.stat(path)
        os.lstat(path)
        os.stat(volume / "sub" / ".." / "sub" / "file")
        path.read_text()
        os.chmod(path, 0o600)
    rows = r.rows("fs")
    rows = rows[(rows["pid"] == str(os.getpid())) & (rows["filename"] == str(path))]
    assert (rows["operation"] == "getattr").sum() >= 3
    assert f"{os.major(st.st_dev)}:{os.minor(st.st_dev)}" not in device
    assert rows["device"].unique().tolist() == device
    assert set(rows["fs_type"]) == {"btrfs"} and set(rows["inode"]) == {str(st.st_ino)}
