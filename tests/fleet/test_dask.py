# SPDX-License-Identifier: GPL-2.0-or-later
"""iotrc.dask(): dask of Debian sid, on a lake in a directory."""
import json
import shutil

import sid

PACKAGES = "+python3-dask", "+python3-distributed", "+python3-s3fs"


def query(shared, what, lake):
    done = sid.in_sid(shared, "python3", "/top/tests/fleet/dask_query.py", what, lake, packages=PACKAGES, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_totals_are_the_manifests(fleet, lake):
    found = query(lake, "totals", "/shared")
    assert found == {stream: [rows, rows, lost] for stream, (rows, lost) in fleet.totals().items()}
    assert sum(lost for _, _, lost in found.values()) == 1234


def test_dtypes_are_the_loaders(fleet, lake):
    import iotrc as loader
    stated, made = query(lake, "dtypes", "/shared")
    assert stated == made
    wanted = loader.sessions(fleet.raw)[0].dtypes("fs")
    assert {n: stated[n] for n in wanted} == wanted


def test_a_day_reads_that_day(fleet, lake, place):
    """The files of all other days cannot be read."""
    import iotrc as loader
    copy = place / "one day"
    shutil.copytree(lake, copy)
    for file in copy.glob("v=1/stream=fs/date=*/*/*.parquet"):
        if "date=2026-11-03" not in file.parts:
            file.write_bytes(b"nothing")
    wanted = sum(len(loader.load(s, "fs", ["mono_ns"], "operation == 'read'", "2026-11-03", "2026-11-04", check=False))
                 for s, what in fleet.made if what != "torn")
    assert query(copy, "day", "/shared") == wanted > 0
