# SPDX-License-Identifier: GPL-2.0-or-later
"""iotrc.dask(): dask of Debian sid, on a lake in a directory and in an S3 store, and on a cluster of processes."""
import shutil

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


def test_columns_of_all_versions(fleet, lake, tmp_path):
    """The file of the newest version is neither the first nor the last."""
    for machine, what in ("A", "schema 2"), ("B", "schema 0"), ("C", "schema 1"):
        session = fleet.special(what)
        [file] = lake.glob(f"v=1/stream=nw_epoll/*/machine={session.parent.name}/*")
        to = tmp_path / f"v=1/stream=nw_epoll/{file.parts[-3]}/machine={machine}"
        to.mkdir(parents=True)
        shutil.copy(file, to)
    [newest] = [m for m in fleet.manifests() if m["session_id"].endswith(fleet.special("schema 0").name)]
    *_, last, _ = names = [c["name"] for c in newest["streams"]["nw_epoll"]["columns"]]
    found, rows, rows_of_last = dask("versions", tmp_path, COLUMN=last)
    assert sorted(found) == sorted(["machine", "session", "boot", *names]) and rows == rows_of_last == 15


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


def test_in_s3_a_day_reads_that_day(fleet, stored, server, place):
    """The query reads only the files of its day, according to the server's log."""
    at = server.log()
    assert dask("day", place, stored.url, **stored.environment) == reads_of_a_day(fleet) > 0
    read = server.read_since(at)
    rows = {name for name in read if "stream=fs" in name}
    assert rows and all("date=2026-11-03" in name for name in rows)
    assert not {name for name in read if "stream=fs" not in name and "stream=compacted" not in name}


def test_a_worker_is_killed(lake):
    """A worker is killed in the middle of a query; the answer is the same."""
    wanted, both, one, status, before, after = dask("killed", lake)
    assert (status, before, after) == ("pending", 2, 1)
    assert both == one == wanted > 0
