# SPDX-License-Identifier: GPL-2.0-or-later
"""A fleet that was uploaded by iotrc to an S3 store and added to a lake there by iotrc: each engine finds the rows that the
manifests state, the lost ones included, and not the torn session. FLEET_MACHINES=1000: as many machines (docs/fleet.md)."""
import subprocess

from conftest import PATIENCE, iotrc
from engines import clickhouse, dask, duckdb


def ask(engine, totals, *arguments, **more):
    """{stream: (rows, lost)} according to SQL, by the streams' rows and by `sessions`."""
    *counts, known = engine(*arguments, [f"SELECT count(*) FROM {s}" for s in totals] +
                            ["SELECT stream_name, sum(rows), sum(lost) FROM sessions GROUP BY 1 HAVING sum(rows) > 0"], **more)
    assert [int(a[0][0]) for a in counts] == [rows for rows, _ in totals.values()]
    return {stream: (int(rows), int(lost)) for stream, rows, lost in known}


def test_the_torn_one_is_named(fleet, stored, server):
    """By the uploader, which sends no manifest of it; by sync, also when the store has one; by verify."""
    machine, name = stored.torn.parts[-2:]
    whole = len(fleet.made) - 1
    assert f"{machine}/{name}/fs/" in stored.uploaded and "is not sent: the file has been truncated" in stored.uploaded
    assert "; left: 1 session\n" in stored.uploaded
    assert f"{name}: has no manifest (yet); left out" in stored.waiting
    assert f" of {whole} sessions added in " in stored.waiting and " 0 sessions known, 1 not finished, 0 left out" in stored.waiting
    assert f"{name}: fs/" in stored.synced and "not as long as the manifest says; left out" in stored.synced
    assert f" of 0 sessions added in 0 files; {whole} sessions known, 0 not finished, 1 left out" in stored.synced
    rows = sum(n for n, _ in fleet.totals().values())
    said = iotrc("lake", "verify", stored.url, fleet.raw, code=1, **server.environment())
    assert said.splitlines()[0] == f"{machine} {name}: not in the lake"
    assert f"{rows} rows of {whole} sessions in " in said and "1 sessions incomplete: 1 faults" in said


def test_duckdb(fleet, stored, s3cmd, place):
    """It has no httpfs here: it reads the store's files from a directory."""
    subprocess.run(["s3cmd", "-c", s3cmd.conf, "sync", "-q", f"{stored.url}/", f"{place}/from the store/"], check=True, timeout=PATIENCE)
    assert ask(duckdb, fleet.totals(), place, place / "from the store") == fleet.totals()


def test_clickhouse(fleet, stored, server, place):
    assert ask(clickhouse, fleet.totals(), place, stored.url, before=[stored.collection], **server.environment()) == fleet.totals()


def test_dask_on_a_cluster(fleet, stored, place):
    """A scheduler and two workers, each a process."""
    found = dask("totals_of_cluster", place, stored.url, **stored.environment)
    assert found == {stream: [rows, rows, lost] for stream, (rows, lost) in fleet.totals().items()}


def test_what_the_fleet_has(fleet):
    """Three versions of the schema, lost rows, two keys, steps of the clock."""
    print("rows and lost rows:", fleet.totals())
    manifests = fleet.manifests()
    assert len({len(m["streams"]["nw_epoll"]["columns"]) for m in manifests}) == 3
    assert len({m["session"].get("anonymize_key_id") for m in manifests} - {None}) == 2
    assert max(len(m["clock"]["offsets"]) for m in manifests) > 1
    assert sum(lost for _, lost in fleet.totals().values()) == 1234
