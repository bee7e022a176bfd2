# SPDX-License-Identifier: GPL-2.0-or-later
"""iotrc.dask(): dask of Debian sid, on a lake in a directory."""
import json
import shutil
import subprocess

import pytest

from conftest import TOP

SID = ["python3-pandas", "python3-pytest", "python3-zstandard", "zstd", "+python3-pyarrow", "+python3-dask",
       "+python3-distributed", "+python3-s3fs"]
# Lays a filesystem of this test's own over that Debian.
INSIDE = """
set -e
root=$1 top=$2 shared=$3
shift 3
mount -t tmpfs none /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay none -o lowerdir="$root",upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
mkdir -p /mnt/root/top /mnt/root/shared
mount --bind "$top" /mnt/root/top
mount --bind "$shared" /mnt/root/shared
mount -t proc none /mnt/root/proc
exec chroot /mnt/root "$@"
"""


@pytest.fixture(scope="session")
def root():
    return subprocess.run([TOP / "scripts/vm/fetch-debian.sh", "sid", *SID], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()


def query(root, shared, what, lake):
    done = subprocess.run(["unshare", "-m", "sh", "-c", INSIDE, "sh", root, TOP, shared, "python3", "/top/tests/fleet/dask_query.py",
                           what, lake], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_totals_are_the_manifests(fleet, lake, root):
    found = query(root, lake, "totals", "/shared")
    assert found == {stream: [rows, rows, lost] for stream, (rows, lost) in fleet.totals().items()}
    assert sum(lost for _, _, lost in found.values()) == 1234


def test_dtypes_are_the_loaders(fleet, lake, root):
    import iotrc as loader
    stated, made = query(root, lake, "dtypes", "/shared")
    assert stated == made
    wanted = loader.sessions(fleet.raw)[0].dtypes("fs")
    assert {n: stated[n] for n in wanted} == wanted


def test_a_day_reads_that_day(fleet, lake, root, place):
    """The files of all other days cannot be read."""
    import iotrc as loader
    copy = place / "one day"
    shutil.copytree(lake, copy)
    for file in copy.glob("v=1/stream=fs/date=*/*/*.parquet"):
        if "date=2026-11-03" not in file.parts:
            file.write_bytes(b"nothing")
    wanted = sum(len(loader.load(s, "fs", ["mono_ns"], "operation == 'read'", "2026-11-03", "2026-11-04", check=False))
                 for s, what in fleet.made if what != "torn")
    assert query(root, copy, "day", "/shared") == wanted > 0
