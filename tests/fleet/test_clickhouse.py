# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc lake views` for ClickHouse, run by chdb on a lake in the S3 server; Spark's and Trino's have run nowhere."""
from conftest import iotrc
from engines import clickhouse, statements_of, views

DAY = "date = '2026-11-02'"


def test_the_comment_is_the_collection(stored, server):
    said = iotrc("lake", "views", stored.url, "--engine", "clickhouse", **server.environment())
    assert f"-- CREATE NAMED COLLECTION iotrc_lake AS url = '{server.endpoint}/{stored.bucket}/lake/', access_key_id" in said


def test_a_day_reads_that_day(stored, server, place):
    at = server.log()
    clickhouse(place, stored.url, [f"SELECT sum(duration_ns) FROM fs WHERE {DAY}"], [stored.collection], **server.environment())
    read = {name for name in server.read_since(at) if "stream=fs" in name}
    assert read and all("date=2026-11-02" in name for name in read)


def test_tables(stored, server, place):
    """Filled by the statements in their comments; the projections are there."""
    text = iotrc("lake", "views", stored.url, "--engine", "clickhouse-table", **server.environment())
    fill = [line.removeprefix("-- A day: ").rstrip(";").replace("2026-11-29", "2026-11-02")
            for line in text.splitlines() if line.startswith("-- A day: ")]
    answers = clickhouse(place, stored.url, [*statements_of(text), *fill, "SELECT count(*), sum(duration_ns) FROM fs_table",
                                            f"SELECT count(*), sum(duration_ns) FROM fs WHERE {DAY}",
                                            "SELECT name FROM system.projections WHERE table = 'fs_table' ORDER BY name",
                                            "SELECT count(*) FROM sessions_table"],
                         [stored.collection], **server.environment())
    *_, table, view, projections, known = answers
    assert table == view and int(table[0][0]) > 0 and int(known[0][0]) > 0
    assert projections == [["by_file"], ["by_machine"]]


def test_a_cluster_is_parsed(stored, server, place):
    """chdb has no cluster; its parser takes the statements."""
    cluster = views(stored.url, "clickhouse-cluster", **server.environment())
    assert any("s3Cluster('default', iotrc_lake" in s for s in cluster)
    answers = clickhouse(place, stored.url, [f"EXPLAIN AST {s}" for s in cluster], [stored.collection], **server.environment())
    assert all(answers[-len(cluster):])


def test_an_engine_that_is_none(lake):
    assert "'mysql' is none of the engines: duckdb clickhouse" in iotrc("lake", "views", lake, "--engine", "mysql", code=2)
    assert "views needs --engine" in iotrc("lake", "views", lake, code=2)
