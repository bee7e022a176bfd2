# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs each way to load a session that docs/loading.md shows, unchanged, with a session that has every value that some
reader gets wrong, and one without any transfer. A few lines after it print what was loaded."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pandas as pd
import pytest

import craft
import iotrc
import record

PAGE = (record.TOP / "docs/loading.md").read_text()
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
NODE_MODULES = CACHE / "iotrc/npm/python/node_modules"
PLACE = "iotrc-traces/linux_v1/MACHINE_ID/YYYYMMDD_HHMMSS_mmm"
COLUMNS = ["operation", "filename", "size", "offset", "inode", "errno"]

DUCKDB = """
import fs from "fs";
import { DuckDBInstance } from "@duckdb/node-api";
const connection = await (await DuckDBInstance.create(":memory:")).connect();
await connection.run(fs.readFileSync("views.sql", "utf8"));
for (const query of process.argv.slice(2))
    console.log(JSON.stringify((await connection.runAndReadAll(query)).getRowObjectsJson()));
"""
CLICKHOUSE = """
const fs = require("fs"), { Session } = require("chdb");
const session = new Session();
session.query(fs.readFileSync("views.sql", "utf8"));
for (const query of process.argv.slice(2)) {
    const settings = " SETTINGS output_format_json_quote_64bit_integers=1";
    const told = session.query(query.replace(/;\\s*$/, "") + settings, "JSON");
    console.log(JSON.stringify(JSON.parse(told).data));
}
session.cleanup();
"""
# JSON of both: numbers as text, null for empty fields.
POLARS = """
const cell = v => v === null ? null : String(v);
const texts = fs.select(...%s.map(n => pl.col(n).cast(pl.Utf8))).toRecords();
console.log(JSON.stringify(texts));
console.log(JSON.stringify(fs.groupBy("operation").agg(pl.col("bytes_completed").sum().cast(pl.Utf8)).toRecords()));
"""
R = """
texts <- fs[, lapply(.SD, as.character), .SDcols = c(%s)]
cat(toJSON(texts, na = "null"), "\\n")
cat(toJSON(fs[, .(bytes_completed = as.character(sum(bytes_completed, na.rm = TRUE))), by = operation]), "\\n")
"""


def block(language):
    """The page's first block in LANGUAGE."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)[0]


@pytest.fixture(params=["special", "nothing moved"])
def loaded(request, tmp_path, special, template):
    """A directory with iotrc-traces in it, and its rows of fs."""
    if request.param == "special":
        shutil.copytree(special.parents[2], tmp_path / "iotrc-traces")
        rows = craft.fs_rows() + [{"operation": "close"}] * 4
    else:
        session = craft.Session(tmp_path / "iotrc-traces", template)
        rows = [{"operation": "getattr", "filename": "/no", "errno": "ENOENT", "mono_ns": str(craft.START)}]
        session.add("fs", rows)
        session.write()
    return tmp_path, rows


def run(directory, *command):
    """The JSON lines that COMMAND prints."""
    env = {**os.environ, "PYTHONPATH": str(record.TOP / "python"), "NODE_PATH": str(NODE_MODULES)}
    done = subprocess.run(command, cwd=directory, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]


def script(directory, name, text):
    for session in (directory / "iotrc-traces/linux_v1").glob("*/*"):
        text = text.replace(PLACE, str(session.relative_to(directory)))
    (directory / name).write_text(text)
    (directory / "node_modules").symlink_to(NODE_MODULES) # import ignores NODE_PATH
    return name


def database(directory, dialect):
    """A script that runs given queries on views.sql."""
    return script(directory, "query.mjs", DUCKDB) if dialect == "duckdb" else script(directory, "query.js", CLICKHOUSE)


def texts(records):
    """What was loaded, as the texts of the CSV, sorted by these columns."""
    return sorted([[r.get(n) for n in COLUMNS] for r in records], key=repr)


def expected(rows, without=None):
    """WITHOUT: a number that the reader cannot hold, as its documentation says."""
    return texts([{n: v for n, v in row.items() if v != without} for row in rows])


def sums(rows):
    found = {}
    for row in rows:
        found.setdefault(row["operation"], []).append(int(row.get("bytes_completed", 0)))
    return {operation: (len(moved), sum(moved)) for operation, moved in found.items()}


def views(directory, dialect):
    lines = [line for line in re.findall(r"^.* >views.sql$", PAGE, re.M) if ("clickhouse" in line) == (dialect == "clickhouse")]
    assert len(lines) == 1
    shell = lines[0].replace("PYTHONPATH=python python3", sys.executable)
    run(directory, "bash", "-c", shell)


QUERY = "SELECT operation, filename, CAST(size AS {text}) AS size, CAST(\"offset\" AS {text}) AS \"offset\", " \
        "CAST(inode AS {text}) AS inode, errno FROM fs"


def test_pandas(loaded):
    directory, rows = loaded
    told = block("python").rstrip().splitlines()
    telling = "\n".join([*told[:-1], f"sums = {told[-1]}", "import json", "print(json.dumps(",
                         "    {' '.join(k): [int(v['count']), int(v['sum'])] for k, v in sums.iterrows()}))"])
    found, = run(directory, sys.executable, "-c", telling)
    moved = [r for r in rows if r["operation"] == "read"]
    assert found == ({"read tr\\xc3": [len(moved), sum(int(r["bytes_completed"]) for r in moved)]} if moved else {})


@pytest.mark.parametrize("dialect", ["duckdb", "clickhouse"])
def test_databases(loaded, dialect):
    directory, rows = loaded
    views(directory, dialect)
    text = "VARCHAR" if dialect == "duckdb" else "Nullable(String)"
    summed, all_rows = run(directory, "node", database(directory, dialect), block("sql"), QUERY.format(text=text))
    assert {r["operation"]: (int(r["count"]), int(r["sum"] or 0)) for r in summed} == sums(rows)
    assert texts(all_rows) == expected(rows)


@pytest.mark.parametrize("dialect", ["duckdb", "clickhouse"])
def test_the_views_are_what_load_gives(special, tmp_path, dialect):
    """All streams and columns as text: types, times, escapes."""
    (tmp_path / "views.sql").write_text(iotrc.sql(special, dialect))
    name = database(tmp_path, dialect)
    for stream in "fs", "block", "cache", "filesystem_snapshot", "nw_conn":
        frame = iotrc.load(special, stream)
        rows, = run(tmp_path, "node", name, f"SELECT * FROM {stream} ORDER BY mono_ns")
        frame = frame.sort_values("mono_ns", kind="stable")
        assert not len(frame) or list(rows[0]) == list(frame.columns), stream
        for column in frame:
            if str(frame[column].dtype).startswith("datetime"):
                # The year 2446 does not fit into nanoseconds.
                pairs = [(row[column], t) for row, t in zip(rows, frame[column]) if t is not pd.NaT]
                assert all(pd.Timestamp(told, tz="UTC") == t for told, t in pairs), (stream, column)
            elif str(frame[column].dtype) == "float64":
                assert [r[column] for r in rows if r[column] is not None] == list(frame[column].dropna())
            else:
                assert sorted(str(r[column]) for r in rows if r[column] is not None) == \
                    sorted(str(v) for v in frame[column].dropna()), (stream, column)


def test_duckdb_undoes_escapes(special, tmp_path):
    (tmp_path / "views.sql").write_text(iotrc.sql(special))
    rows, = run(tmp_path, "node", database(tmp_path, "duckdb"),
                "SELECT DISTINCT hex(iotrc_bytes(filename)) AS name FROM fs WHERE filename IS NOT NULL")
    assert {bytes.fromhex(r["name"]) for r in rows} == {name for _, name in craft.NAMES}


def test_polars(loaded):
    directory, rows = loaded
    all_rows, summed = run(directory, "node", script(directory, "load.js", block("js") + POLARS % json.dumps(COLUMNS)))
    assert texts(all_rows) == expected(rows)
    moved = {r["operation"]: int(r["bytes_completed"] or 0) for r in summed}
    assert moved == {operation: n for operation, (_, n) in sums(rows).items()}


def test_r(loaded):
    directory, rows = loaded
    columns = ", ".join(f'"{n}"' for n in COLUMNS)
    all_rows, summed = run(directory, "Rscript", script(directory, "load.R", block("r") + R % columns))
    # integer64 uses the smallest signed number for NA.
    assert texts(all_rows) == expected(rows, without=str(-2**63))
    assert {r["operation"]: int(r["bytes_completed"]) for r in summed} == {o: n for o, (_, n) in sums(rows).items()}
