# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc export --to arrow` and `--to parquet`, read by pyarrow (of Debian sid), and arrow by Polars as well."""
import datetime
import json
import os
import random
import subprocess

import pytest

import craft
import iotrc
import record
import sid
from test_parquet import DUCKDB
from test_recipes import NODE_MODULES

STREAMS = ["fs", "block", "cache", "filesystem_snapshot"]
# For each named file: its types, its row groups, and its rows; times are numbers.
PYARROW = """
import json, sys
import pyarrow as pa, pyarrow.parquet as pq
for name in sys.argv[1:]:
    if name.endswith(".parquet"):
        meta = pq.ParquetFile(name).metadata
        groups = [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]
        table = pq.read_table(name)
    else:
        file = pa.ipc.open_file(pa.memory_map(name))
        groups = [file.get_batch(i).num_rows for i in range(file.num_record_batches)]
        table = file.read_all()
        assert pa.ipc.open_stream(open(name, "rb").read()[8:]).read_all().equals(table)
    table.validate(full=True)
    types = {f.name: str(f.type) for f in table.schema}
    for i, f in enumerate(table.schema):
        if pa.types.is_timestamp(f.type):
            table = table.set_column(i, f.name, table.column(i).cast(pa.int64()))
    print(json.dumps([types, groups, table.to_pylist() if len(table) < 1000 else table.column("mono_ns").to_pylist()]))
"""
POLARS = """
const pl = require("nodejs-polars"), { readFileSync } = require("fs");
const cell = v => typeof v === "bigint" ? v.toString() : v;
for (const file of process.argv.slice(2)) {
    let frame = pl.readIPC(readFileSync(file));
    const times = frame.columns.filter((n, i) => /Datetime/.test(frame.dtypes[i].toString()));
    frame = frame.withColumns(...frame.columns.map(
        n => times.includes(n) ? pl.col(n).cast(pl.Int64).cast(pl.Utf8) : pl.col(n).cast(pl.Utf8)));
    console.log(JSON.stringify(frame.toRecords(), (_, v) => cell(v)));
}
"""


def export(*arguments):
    env = {**os.environ, "IOTRC_DUCKDB": str(DUCKDB)}
    done = subprocess.run([record.IOTRC, "export", *map(str, arguments)], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def by_pyarrow(directory, *names):
    done = sid.in_sid(directory, "python3", "-c", PYARROW, *[f"/shared/{n}" for n in names])
    assert done.returncode == 0, done.stderr
    return dict(zip(names, [json.loads(line) for line in done.stdout.splitlines()], strict=True))


@pytest.fixture(scope="module")
def exported(tmp_path_factory, special):
    """The directory, and what pyarrow reads from each of its files."""
    directory = tmp_path_factory.mktemp("arrow")
    for format_ in "arrow", "parquet":
        for stream in STREAMS:
            export(special, "--to", format_, "--streams", stream, "-o", directory / f"{stream}.{format_}")
    return directory, by_pyarrow(directory, *[f"{stream}.{format_}" for stream in STREAMS for format_ in ("arrow", "parquet")])


def text(value):
    return None if value is None else repr(value) if isinstance(value, float) else str(value)


@pytest.mark.parametrize("format_", ["arrow", "parquet"])
def test_pyarrow_reads_every_value(exported, format_):
    types, groups, rows = exported[1][f"fs.{format_}"]
    assert sum(groups) == len(rows) == 13
    found = {r["mono_ns"]: r for r in rows if r["operation"] != "close"}
    for row in craft.fs_rows():
        same = found[int(row["mono_ns"])]
        for name, value in row.items():
            assert text(same[name]) == (str(int(value, 16)) if name == "address" else value), name
        assert {n for n, v in same.items() if v is not None} == {*row, "machine", "session", "boot", "timestamp"}
    assert types["inode"] == types["address"] == types["mono_ns"] == "uint64" and types["size"] == "int64"
    assert types["filename"] == "string"


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("format_", ["arrow", "parquet"])
def test_pyarrow_reads_what_the_loader_gives(exported, special, stream, format_):
    """All columns of all streams; the loader lacks times that datetime64[ns] cannot hold."""
    types, _, rows = exported[1][f"{stream}.{format_}"]
    first = next((n for n in ("operation", "event_type") if n in types), "mono_ns")
    frame = iotrc.load(special, stream).astype({first: object}).sort_values(["mono_ns", first])
    rows = sorted(rows, key=lambda r: (r["mono_ns"], r[first])) # two of them have the same mono_ns
    # A file has the recorder's columns: the loader adds `device` to cache.
    assert list(types)[3:] == [c["name"] for c in iotrc.Session(special).manifest["streams"][stream]["columns"]]
    for name in set(types) & set(frame.columns):
        theirs = [r[name] for r in rows]
        if types[name].startswith("timestamp"):
            scale = 1 if "[ns" in types[name] else 1000
            ours = frame[name].astype("int64").tolist()
            assert [t is None or t * scale == o or o == -2**63 for t, o in zip(theirs, ours)] == [True] * len(ours), name
            assert any(o != -2**63 for o in ours) or not any(theirs) or name == "access_time", name
        else:
            assert [text(v) for v in theirs] == [None if v is None or v != v else text(v) for v in
                                                 frame[name].astype(object).where(frame[name].notna(), None)], name
    assert not any(types[n].startswith("timestamp") != (c["type"] == "timestamp") for n, c in zip(
        list(types)[3:], iotrc.Session(special).manifest["streams"][stream]["columns"]))


def test_times_of_files(exported):
    """Local time in the CSV, two hours after UTC; also times that do not fit into nanoseconds."""
    for format_ in "arrow", "parquet":
        (row,) = exported[1][f"filesystem_snapshot.{format_}"][2]
        for name, local in ("creation_time", (1901, 12, 13, 21, 45, 52, 1)), ("access_time", (2446, 5, 10, 22, 38, 55)):
            since = datetime.datetime(*local) - datetime.timedelta(hours=2) - datetime.datetime(1970, 1, 1)
            assert row[name] == since // datetime.timedelta(microseconds=1), (format_, name)


def test_polars_reads_the_same(exported):
    directory, read = exported
    (directory / "polars.js").write_text(POLARS)
    names = [f"{stream}.arrow" for stream in STREAMS]
    done = subprocess.run(["node", "polars.js", *names], cwd=directory, capture_output=True, text=True, check=False,
                          env={**os.environ, "NODE_PATH": str(NODE_MODULES)})
    assert done.returncode == 0, done.stderr
    for name, line in zip(names, done.stdout.splitlines(), strict=True):
        types, _, rows = read[name]
        theirs = json.loads(line)
        for column, type_ in types.items():
            if type_ != "double":
                assert [text(r[column]) for r in theirs] == [text(r[column]) for r in rows], (name, column)


def test_batches_and_order(tmp_path, template):
    """Files of two sessions, and more rows than a batch has; large texts end a batch earlier."""
    count = 130_000
    for stamp in "20260329_015959_000", "20260329_020000_000":
        session = craft.Session(tmp_path / "traces", template, stamp=stamp)
        session.add("fs", [{"operation": "close", "mono_ns": str(craft.START + 2 * i)} for i in range(count // 2)])
        session.add("fs", [{"operation": "close", "mono_ns": str(craft.START + 2 * i + 1)} for i in range(count // 2)])
        session.write()
    long = craft.Session(tmp_path / "long", template)
    chance = random.Random(7)
    names = ["/" + "".join(chance.choices("abcdefgh", k=500_000)) for _ in range(140)]
    long.add("fs", [{"operation": "close", "filename": n, "mono_ns": str(craft.START + i)} for i, n in enumerate(names)])
    long.write()
    assert f"{2 * count} of {2 * count} rows of 2 sessions" in export(tmp_path / "traces", "--to", "arrow", "-o", tmp_path / "fs.arrow")
    export(tmp_path / "long", "--to", "arrow", "--columns", "filename,mono_ns", "-o", tmp_path / "long.arrow")
    export(tmp_path / "traces", "--to", "arrow", "-w", "operation == 'read'", "-o", tmp_path / "none.arrow")
    read = by_pyarrow(tmp_path, "fs.arrow", "long.arrow", "none.arrow")
    _, groups, mono = read["fs.arrow"]
    assert groups == [122_880, 122_880, 2 * count - 2 * 122_880] and mono == sorted(mono) and len(mono) == 2 * count
    types, groups, rows = read["long.arrow"]
    assert list(types) == ["machine", "session", "boot", "filename", "mono_ns"]
    assert groups == [135, 5] and [r["filename"] for r in rows] == names
    assert read["none.arrow"][1:] == [[], []]


def test_a_field_that_is_none_is_an_error(session):
    session.add("fs", [{"operation": "close", "size": "many", "mono_ns": str(craft.START)}])
    session.write()
    done = subprocess.run([record.IOTRC, "export", session.directory, "--to", "arrow"], capture_output=True, check=False)
    assert done.returncode == 1 and b"not of its column's type" in done.stderr
