# SPDX-License-Identifier: GPL-2.0-or-later
"""iotrc.dask(): dask of Debian sid, on a lake in a directory and in an S3 store, and on a cluster of processes."""
import shutil
import subprocess

from ceph import KEY, SECRET
from engines import dask


def test_totals_are_the_manifests(fleet, lake):
    found = dask("totals", lake)
    assert found == {stream: [rows, rows, lost] for stream, (rows, lost) in fleet.totals().items()}
    assert sum(lost for _, _, lost in found.values()) == 1234


def test_dtypes_are_the_loaders(fleet, lake):
    import iotrc as loader
    stated, made = dask("dtypes", lake)
    assert stated == made
    wanted = loader.sessions(fleet.raw)[0].dtypes("fs")
    assert {n: stated[n] for n in wanted} == wanted


def reads_of_a_day(fleet):
    import iotrc as loader
    return sum(len(loader.load(s, "fs", ["mono_ns"], "operation == 'read'", "2026-11-03", "2026-11-04", check=False))
               for s, what in fleet.made if what not in ("torn", "losses"))


def test_a_day_reads_that_day(fleet, lake, place):
    """The query opens only the files of its day: those of all other days cannot be read."""
    copy = place / "one day"
    shutil.copytree(lake, copy)
    for file in copy.glob("v=1/stream=fs/date=*/*/*.parquet"):
        if "date=2026-11-03" not in file.parts:
            file.write_bytes(b"nothing")
    assert dask("day", copy) == reads_of_a_day(fleet) > 0


def test_in_s3_a_day_reads_that_day(fleet, lake, server, s3cmd, bucket, place):
    """The query reads only the files of its day, according to the server's log."""
    subprocess.run(["s3cmd", "-c", s3cmd.conf, "sync", "-q", f"{lake}/", f"s3://{bucket}/lake/"], check=True, timeout=300)
    at = server.log()
    environment = {"AWS_ENDPOINT_URL_S3": server.endpoint, "AWS_ENDPOINT_URL": server.endpoint, "AWS_ACCESS_KEY_ID": KEY,
                   "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1"}
    assert dask("day", place, f"s3://{bucket}/lake", **environment) == reads_of_a_day(fleet) > 0
    read = server.read_since(at)
    rows = {name for name in read if "stream=fs" in name}
    assert rows and all("date=2026-11-03" in name for name in rows)
    assert not {name for name in read if "stream=fs" not in name and "stream=compacted" not in name}


def test_a_worker_is_killed(lake):
    """A worker is killed in the middle of a query; the answer is the same."""
    wanted, both, one, status, before, after = dask("killed", lake)
    assert (status, before, after) == ("pending", 2, 1)
    assert both == one == wanted > 0
