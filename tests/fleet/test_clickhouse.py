# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc lake views` for ClickHouse, run by chdb on a lake in the S3 server; Spark's and Trino's have run nowhere."""
import subprocess

import pytest
from ceph import KEY, SECRET
from conftest import iotrc
from engines import clickhouse, statements_of, views

DAY = "date = '2026-11-02'"


@pytest.fixture(scope="module")
def stored(lake, server, s3cmd):
    """(URL, statements that come first)"""
    s3cmd("mb", "s3://clickhouse-lake")
    subprocess.run(["s3cmd", "-c", s3cmd.conf, "sync", "-q", f"{lake}/", "s3://clickhouse-lake/lake/"], check=True, timeout=300)
    collection = (f"CREATE NAMED COLLECTION iotrc_lake AS url = '{server.endpoint}/clickhouse-lake/lake/', "
                  f"access_key_id = '{KEY}', secret_access_key = '{SECRET}'")
    return "s3://clickhouse-lake/lake", [collection]


def test_the_comment_is_the_collection(stored, server):
    said = iotrc("lake", "views", stored[0], "--engine", "clickhouse", **server.environment())
    assert f"-- CREATE NAMED COLLECTION iotrc_lake AS url = '{server.endpoint}/clickhouse-lake/lake/', access_key_id" in said


def test_totals_are_the_manifests(fleet, stored, server, place):
    totals = fleet.totals()
    *counts, known = clickhouse(place, stored[0], [f"SELECT count(*) FROM {s}" for s in totals] +
                                ["SELECT stream_name, sum(rows), sum(lost) FROM sessions GROUP BY 1 HAVING sum(rows) > 0"],
                                stored[1], **server.environment())
    assert [int(a[0][0]) for a in counts] == [rows for rows, _ in totals.values()]
    assert {stream: (int(rows), int(lost)) for stream, rows, lost in known} == totals


def test_a_day_reads_that_day(fleet, stored, server, place):
    at = server.log()
    clickhouse(place, stored[0], [f"SELECT sum(duration_ns) FROM fs WHERE {DAY}"], stored[1], **server.environment())
    read = {name for name in server.read_since(at) if "stream=fs" in name}
    assert read and all("date=2026-11-02" in name for name in read)


def test_tables(fleet, stored, server, place):
    """Filled by the statements in their comments; the projections are there."""
    text = iotrc("lake", "views", stored[0], "--engine", "clickhouse-table", **server.environment())
    fill = [line.removeprefix("-- A day: ").rstrip(";").replace("2026-11-29", "2026-11-02")
            for line in text.splitlines() if line.startswith("-- A day: ")]
    answers = clickhouse(place, stored[0], [*statements_of(text), *fill, "SELECT count(*), sum(duration_ns) FROM fs_table",
                                            f"SELECT count(*), sum(duration_ns) FROM fs WHERE {DAY}",
                                            "SELECT name FROM system.projections WHERE table = 'fs_table' ORDER BY name",
                                            "SELECT count(*) FROM sessions_table"],
                         stored[1], **server.environment())
    *_, table, view, projections, known = answers
    assert table == view and int(table[0][0]) > 0 and int(known[0][0]) > 0
    assert projections == [["by_file"], ["by_machine"]]


def test_a_cluster_is_parsed(stored, server, place):
    """chdb has no cluster; its parser takes the statements."""
    cluster = views(stored[0], "clickhouse-cluster", **server.environment())
    assert any("s3Cluster('default', iotrc_lake" in s for s in cluster)
    answers = clickhouse(place, stored[0], [f"EXPLAIN AST {s}" for s in cluster], stored[1], **server.environment())
    assert all(answers[-len(cluster):])


def test_an_engine_that_is_none(lake):
    assert "'mysql' is none of the engines: duckdb clickhouse" in iotrc("lake", "views", lake, "--engine", "mysql", code=2)
    assert "views needs --engine" in iotrc("lake", "views", lake, code=2)
