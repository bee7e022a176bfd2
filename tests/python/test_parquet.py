# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc export --to parquet`, written by DuckDB's library, read by hyparquet, which shares no code with it."""
import json
import os
import subprocess

import pytest

import craft
import iotrc
import record
from test_recipes import NODE_MODULES

DUCKDB = NODE_MODULES / "@duckdb/node-bindings-linux-x64/libduckdb.so"
READER = """
import fs from "fs";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
const bytes = fs.readFileSync(process.argv[2]);
const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
const meta = parquetMetadata(file);
const tell = (_, v) => typeof v === "bigint" ? v.toString() : v;
console.log(JSON.stringify({
    schema: meta.schema.slice(1).map(c => [c.name, c.type, c.logical_type?.type ?? null, c.logical_type?.unit ?? null, c.converted_type ?? null]),
    groups: meta.row_groups.map(g => [Number(g.num_rows), [...new Set(g.columns.map(c => c.meta_data.codec))]]),
}, tell));
// A time as it is in the file: a number.
const rows = await parquetReadObjects({ file, compressors, parsers: { timestampFromNanoseconds: n => n } });
for (const row of rows) console.log(JSON.stringify(row, tell));
"""


def export(*arguments, library=DUCKDB, path=None, code=0):
    env = {**os.environ, "IOTRC_DUCKDB": str(library), **({"PATH": path} if path else {})}
    done = subprocess.run([record.IOTRC, "export", *map(str, arguments), "--to", "parquet"], env=env, text=True,
                          capture_output=True, timeout=120, check=False)
    assert done.returncode == code, done.stderr
    return done.stderr


def read(directory, file):
    """The file's metadata, and its rows."""
    (directory / "read.mjs").write_text(READER)
    if not (directory / "node_modules").exists():
        (directory / "node_modules").symlink_to(NODE_MODULES)
    done = subprocess.run(["node", "read.mjs", file], cwd=directory, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    about, *rows = [json.loads(line) for line in done.stdout.splitlines()]
    return about, rows


@pytest.fixture(scope="module")
def exported(tmp_path_factory, special):
    directory = tmp_path_factory.mktemp("parquet")
    assert export(special, "-o", directory / "fs.parquet").startswith("13 of 13 rows of 1 session")
    return directory, *read(directory, directory / "fs.parquet")


def text_of(value):
    """The value as in the CSV; None if that is empty."""
    return None if value in (None, "") else str(value)


def test_every_value_is_exact(exported):
    _, _, rows = exported
    wanted = craft.fs_rows()
    assert [r["mono_ns"] for r in rows[:2]] == [str(craft.START), str(craft.START + 1)]
    found = {r["mono_ns"]: r for r in rows if r["operation"] != "close"}
    assert len(found) == len(wanted)
    for row in wanted:
        for name, value in row.items():
            expected = str(int(value, 16)) if name == "address" else value
            assert text_of(found[row["mono_ns"]][name]) == expected, (row, name)
        assert found[row["mono_ns"]]["mmap_prot"] == row.get("mmap_prot")


def test_times_follow_the_clock(exported, special):
    _, _, rows = exported
    loaded = iotrc.load(special, "fs")
    assert [int(r["timestamp"]) for r in rows] == loaded.sort_values("mono_ns").timestamp.astype("int64").tolist()


def test_columns_and_types(exported, special):
    _, about, rows = exported
    kinds = {name: (type_, converted) for name, type_, _, _, converted in about["schema"]}
    assert list(kinds)[:4] == ["machine", "session", "boot", "timestamp"] and list(kinds)[-1] == "mono_ns"
    assert next(c for c in about["schema"] if c[0] == "timestamp")[1:4] == ["INT64", "TIMESTAMP", "NANOS"]
    assert kinds["inode"] == kinds["mono_ns"] == ("INT64", "UINT_64") and kinds["size"] == ("INT64", "INT_64")
    assert {(r["machine"], r["session"], r["boot"]) for r in rows} == {("0123456789ABCDEF", special.name, "b00t")}


def test_sorted_in_groups_and_compressed(tmp_path, template):
    """Rows of several files and sessions."""
    count = 130_000
    for stamp in "20260329_015959_000", "20260329_020000_000":
        session = craft.Session(tmp_path / "traces", template, stamp=stamp)
        for part in range(2):
            session.add("fs", [{"operation": "close", "mono_ns": str(craft.START + 2 * i + part)} for i in range(count // 2)])
        session.write()
    assert export(tmp_path / "traces", "-o", tmp_path / "fs.parquet").startswith(f"{2 * count} of {2 * count} rows of 2 sessions")
    about, rows = read(tmp_path, tmp_path / "fs.parquet")
    assert [n for n, _ in about["groups"]] == [122_880, 122_880, 2 * count - 2 * 122_880]
    assert {codec for _, codecs in about["groups"] for codec in codecs} == {"ZSTD"}
    key = [(r["session"], int(r["mono_ns"])) for r in rows]
    assert key == sorted(key) and len(set(key)) == 2 * count


def test_what_stands_there_stays(tmp_path, special):
    file = tmp_path / "x.parquet"
    file.write_text("precious")
    assert "exists: --force" in export(special, "-o", file, code=1) and file.read_text() == "precious"
    export(special, "-o", file, "--force")
    assert len(read(tmp_path, file)[1]) == 13
    assert oct(file.stat().st_mode & 0o777) == "0o640"
    assert not list(tmp_path.glob("*.part-*"))


def test_without_duckdb_it_says_what_to_install(tmp_path, special):
    said = export(special, "-o", tmp_path / "x.parquet", library="/nowhere/libduckdb.so", path="/nowhere", code=1)
    assert said.startswith("iotrc export: DuckDB is needed: install") and len(said.splitlines()) == 1
    assert not (tmp_path / "x.parquet").exists()


def test_the_program_does_as_well(tmp_path, special):
    """A stand-in for the program: it passes the SQL on stdin to the library."""
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    (tmp_path / "duckdb").write_text("""#!/usr/bin/env node
const fs = require("fs"), { DuckDBInstance } = require("@duckdb/node-api");
(async () => {
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    const statements = fs.readFileSync(0, "utf8").split(/;\\n/).filter(s => s.trim());
    for (const s of statements) console.log((await connection.runAndReadAll(s)).getRows().map(r => r.join(",")).join("\\n"));
})().catch(e => { console.error(String(e)); process.exit(1); });
""")
    (tmp_path / "duckdb").chmod(0o755)
    export(special, "-o", tmp_path / "x.parquet", library="/nowhere/libduckdb.so", path=f"{tmp_path}:{os.environ['PATH']}")
    assert len(read(tmp_path, tmp_path / "x.parquet")[1]) == 13


def test_a_file_that_is_spoilt_is_an_error(tmp_path, special):
    """DuckDB finds fewer rows than the manifest states, or reports an error."""
    copy = tmp_path / "traces"
    subprocess.run(["cp", "-r", special.parents[2], copy], check=True)
    manifest = next(copy.glob("*/*/*/manifest.json"))
    text = json.loads(manifest.read_text())
    file = next(f for f in text["files"] if f["stream"] == "fs")
    file["rows"] += 1
    manifest.write_text(json.dumps(text))
    assert "not as many rows as the manifests say" in export(copy, "-o", tmp_path / "x.parquet", code=1)
    assert not (tmp_path / "x.parquet").exists()


@pytest.mark.parametrize("arguments, message", [
    (["-s", "fs,block", "-o", "x"], "parquet has the columns of one stream"),
    (["-o", "x", "-w", "size > 1"], "do not go with parquet"),
    (["-s", "fs"], "needs -o FILE"),
    (["-s", "nothing", "-o", "x"], "names an unknown stream"),
])
def test_wrong_use(special, arguments, message):
    assert message in export(special, *arguments, code=2)


def test_a_stream_without_rows(tmp_path, special):
    assert "no finished rows of this stream" in export(special, "-s", "nw_drop", "-o", tmp_path / "x", code=1)
