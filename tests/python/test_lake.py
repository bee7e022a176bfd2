# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc export --to parquet --lake` and `iotrc lake`, on crafted sessions. What was written is the oracle, read back by
hyparquet, which shares no code with DuckDB."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest

import craft
import record
from test_parquet import DUCKDB, read

DAY = 86_400 * 10**9
NOON = 1_774_699_200 * 10**9 # 2026-03-28 12:00 UTC, a day's middle


def run(*arguments, code=0):
    done = subprocess.run([record.IOTRC, *map(str, arguments)], env={**os.environ, "IOTRC_DUCKDB": str(DUCKDB)}, text=True,
                          capture_output=True, timeout=120, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def add(lake, *sessions, code=0):
    return run("export", *sessions, "--to", "parquet", "--lake", lake, code=code)


def verify(lake, *sessions, code=0):
    return run("lake", "verify", lake, *sessions, code=code)


def files(lake):
    """Of rows and sessions: the list of what has been compacted (tests/fleet/test_compact.py) is there, too."""
    return sorted(str(p.relative_to(lake)) for p in lake.rglob("*") if p.is_file() and "stream=compacted" not in p.parts)


def clock(session, offset, *steps):
    """The wall clock of a crafted session: OFFSET, and (mono_ns, offset) for each of STEPS."""
    offsets = [(0, offset), *steps]
    session.manifest["clock"].update(mono_to_real_offset_ns=offset, utc_offset="+00:00", offsets=[
        {"from_mono_ns": at, "mono_to_real_offset_ns": o, "utc_offset": "+00:00"} for at, o in offsets])
    session.manifest["session"]["started_at"] = "2026-03-28T13:00:00.000+01:00"


def rows(*mono):
    return [{"operation": "close", "pid": "7", "mono_ns": str(m)} for m in mono]


@pytest.fixture
def three_days(tmp_path, template):
    """A session from one noon to the second next, with a step back over midnight; unsorted, in two files."""
    session = craft.Session(tmp_path / "traces", template, stamp="20260328_120000_000")
    clock(session, NOON, (DAY // 2 + 1000, NOON - 2000))
    session.add("fs", rows(0, 5, 3, DAY // 2 - 1, DAY // 2, DAY // 2 + 999))
    session.add("fs", rows(DAY // 2 + 1000, DAY // 2 + 1999, DAY // 2 + 2000, 2 * DAY, DAY))
    session.add("block", [{"operation": "read", "request_id": "1", "mono_ns": "4"}])
    return session.write()


def test_files_by_day(tmp_path, three_days):
    lake = tmp_path / "lake"
    assert add(lake, tmp_path / "traces") == "12 rows of 1 session in 6 files\n"
    where = "machine=0123456789ABCDEF/20260328_120000_000"
    mono = {}
    for name in files(lake):
        about, got = read(tmp_path, lake / name)
        mono[name.removeprefix("v=1/")] = [int(r["mono_ns"]) for r in got if "mono_ns" in r]
        assert {codec for _, codecs in about["groups"] for codec in codecs} == {"ZSTD"}
    half = DAY // 2
    assert mono == {
        f"stream=fs/date=2026-03-28/{where}-1.parquet": [0, 3, 5, half - 1],
        f"stream=fs/date=2026-03-29/{where}-1.parquet": [half, half + 999],
        f"stream=fs/date=2026-03-28/{where}-2.parquet": [half + 1000, half + 1999],
        f"stream=fs/date=2026-03-29/{where}-2.parquet": [half + 2000, DAY],
        f"stream=fs/date=2026-03-30/{where}-1.parquet": [2 * DAY],
        f"stream=block/date=2026-03-28/{where}-1.parquet": [4],
        f"stream=sessions/date=2026-03-28/{where}.parquet": [],
    }
    assert verify(lake, tmp_path / "traces") == "12 rows of 1 sessions in 7 files, 0 sessions incomplete: 0 faults\n"


def test_again_is_the_same(tmp_path, special):
    lake = tmp_path / "lake"
    add(lake, special)
    def contents(): # rows with the same mono_ns may be in any order
        return {name: sorted(map(json.dumps, read(tmp_path, lake / name)[1])) for name in files(lake)}
    before = contents()
    add(lake, special)
    assert contents() == before and all(name.endswith(".parquet") for name in before)
    assert "0 faults" in verify(lake, special)


def test_values_are_exact(tmp_path, special):
    lake = tmp_path / "lake"
    add(lake, special)
    found = {}
    for name in files(lake):
        if "stream=fs/" in name:
            about, got = read(tmp_path, lake / name)
            kinds = {n: (t, c) for n, t, _, _, c in about["schema"]}
            assert list(kinds)[:4] == ["machine_id", "session", "boot", "timestamp"]
            assert kinds["inode"] == kinds["mono_ns"] == ("INT64", "UINT_64")
            found.update({r["mono_ns"]: r for r in got if r["operation"] != "close"})
    assert len(found) == len(craft.fs_rows())
    for row in craft.fs_rows():
        for key, value in row.items():
            expected = str(int(value, 16)) if key == "address" else value
            assert str(found[row["mono_ns"]][key]) == expected


def test_row_groups_statistics_and_bloom_filters(tmp_path, template):
    session = craft.Session(tmp_path / "traces", template)
    session.add("fs", [{"operation": "read", "filename": f"/f{i % 97}", "inode": str(i % 97), "mono_ns": str(craft.START + i)}
                       for i in range(130_000)])
    session.write()
    add(tmp_path / "lake", tmp_path / "traces")
    (tmp_path / "columns.mjs").write_text("""
import fs from "fs";
import { parquetMetadata } from "hyparquet";
const b = fs.readFileSync(process.argv[2]);
const meta = parquetMetadata(b.buffer.slice(b.byteOffset, b.byteOffset + b.length));
console.log("groups", ...meta.row_groups.map(g => g.num_rows));
for (const c of meta.row_groups[0].columns) console.log(c.meta_data.path_in_schema[0], c.meta_data.bloom_filter_offset ?? "-",
    c.meta_data.statistics?.min_value ?? "-", c.meta_data.statistics?.max_value ?? "-");
""")
    file = next((tmp_path / "lake").rglob("stream=fs/**/*.parquet"))
    (tmp_path / "node_modules").symlink_to(DUCKDB.parents[2])
    done = subprocess.run(["node", "columns.mjs", file], cwd=tmp_path, text=True, capture_output=True, check=True)
    about = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    assert about["inode"][0] != "-" and about["filename"][0] != "-"
    assert about["groups"] == ["122880n", "7120n"]
    assert about["mono_ns"][1:] == [f"{craft.START}n", f"{craft.START + 122_879}n"]


def test_the_unsound_is_left_out_and_named(tmp_path, template):
    """A torn file, a file of another sha256, a session without a manifest: the others are added."""
    for i in range(4):
        session = craft.Session(tmp_path / "traces", template, stamp=f"20260328_12000{i}_000")
        clock(session, NOON)
        session.add("fs", rows(*range(100)))
        session.write()
    torn, changed, lost, sound = sorted((tmp_path / "traces").glob("*/*/*"))
    file = next(torn.glob("fs/*.zst"))
    file.write_bytes(file.read_bytes()[:-20])
    file = next(changed.glob("fs/*.zst"))
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    (lost / "manifest.json").unlink()
    said = add(tmp_path / "lake", tmp_path / "traces", code=1)
    assert f"{torn}: fs/{next(torn.glob('fs/*')).name}: not as long as the manifest says; left out" in said
    assert f"{changed}: fs/{next(changed.glob('fs/*')).name}: its sha256 is not the manifest's; left out" in said
    assert f"{lost}: has no manifest; left out" in said and "100 rows of 1 session in 1 file" in said
    assert {pathlib.Path(n).name.split("-")[0].split(".")[0] for n in files(tmp_path / "lake")} == {sound.name}
    said = verify(tmp_path / "lake", tmp_path / "traces", code=1)
    assert f"{torn.name}: not in the lake" in said and f"{lost}: has no manifest; not in the lake" in said


def test_rows_that_were_lost(tmp_path, template):
    session = craft.Session(tmp_path / "traces", template)
    session.add("fs", rows(craft.START))
    counts = session.manifest["diagnostics"]["streams"]["fs"]
    counts["seen"] += 5
    counts["lost"].update(ring=2, shed=3)
    session.manifest["session"]["anonymize_key_id"] = "00112233445566ff"
    session.write()
    assert "5 rows were lost" in add(tmp_path / "lake", tmp_path / "traces")
    assert "1 sessions incomplete: 0 faults" in verify(tmp_path / "lake", tmp_path / "traces")
    _, about = read(tmp_path, next((tmp_path / "lake").rglob("stream=sessions/**/*.parquet")))
    fs = next(r for r in about if r["stream_name"] == "fs")
    assert {k: fs[k] for k in ("rows", "seen", "written", "lost", "lost_ring", "lost_shed")} == \
        {"rows": "1", "seen": "6", "written": "1", "lost": "5", "lost_ring": "2", "lost_shed": "3"}
    assert fs["complete"] is False and fs["anonymize_key_id"] == "00112233445566ff"
    assert json.loads(fs["clock_offsets"]) == session.manifest["clock"]["offsets"]


@pytest.mark.parametrize("spoil, said", [
    (lambda lake, fs: fs.unlink(), "0 rows, should be"),
    (lambda lake, fs: next(lake.rglob("stream=sessions/**/*.parquet")).unlink(), "rows of a session that the lake does not know"),
    (lambda lake, fs: shutil.copy(fs, fs.with_name("20260329_015959_000-9.parquet")), "rows, should be"),
    (lambda lake, fs: fs.rename(fs.with_name("20270101_000000_000-1.parquet")), "has rows of 0123456789ABCDEF/20260329_015959_000"),
    (lambda lake, fs: move(fs, "2026-03-28"), "has rows of another day"),
    (lambda lake, fs: fs.with_name("x.csv").write_text(""), "not a file of a lake"),
])
def test_verify_finds(tmp_path, special, spoil, said):
    lake = tmp_path / "lake"
    add(lake, special)
    spoil(lake, max(lake.rglob("stream=fs/**/*.parquet"), key=lambda p: p.stat().st_size))
    assert said in verify(lake, code=1)


def test_links_are_named(tmp_path, special):
    """A machine's directory may be a symbolic link, to a larger disk: no command takes it for nothing."""
    raw, lake, machine = tmp_path / "raw", tmp_path / "lake", special.parent.name
    shutil.copytree(special, raw / "0123456789ABCDE0" / special.name)
    (raw / machine).symlink_to(special.parent)
    (raw / ".hidden").symlink_to(special.parent)
    named = f"{machine}: is a symbolic link, which is not followed; left out"
    for said in run("lake", "sync", raw, lake, code=1), add(tmp_path / "other", raw, code=1):
        assert said.count("is a symbolic link") == 1 and named in said
    (tmp_path / "link").symlink_to(special.parents[1])
    assert "1 sessions added" in run("lake", "sync", tmp_path / "link", tmp_path / "linked") # the first path may be one
    day = max(lake.glob("v=1/stream=fs/date=*/machine=*"))
    moved = day.rename(tmp_path / "moved")
    day.symlink_to(moved)
    said = verify(lake, code=1)
    assert f"{day.relative_to(lake)}: is a symbolic link, which is not followed" in said


def test_sync_of_a_part(tmp_path, special):
    """All machines, one machine's directory, one session: what is in the lake already is known by its manifest."""
    lake, copy = tmp_path / "lake", tmp_path / "elsewhere" / special.name
    shutil.copytree(special, copy)
    assert " 1 sessions added in " in run("lake", "sync", special, lake)
    for path in special, special.parent, special.parents[1], copy.parent, copy:
        assert " of 0 sessions added in 0 files; 1 sessions known, 0 not finished, 0 left out" in run("lake", "sync", path, lake)
    assert " 1 sessions added in " in run("lake", "sync", special.parent, tmp_path / "other")
    assert "0 faults" in verify(lake, special) and "0 faults" in verify(tmp_path / "other", special)
    (tmp_path / "empty").mkdir()
    for path in tmp_path / "empty", tmp_path / "none":
        assert f"iotrc lake: {path}: no session (manifest.json) here or below\n" in run("lake", "sync", path, lake, code=1)


def test_views_of_no_more_than_is_there(tmp_path, special):
    """A lake without files has no views; one without sessions, those of its rows."""
    lake = tmp_path / "lake"
    lake.mkdir()
    assert run("lake", "views", lake, "--engine", "clickhouse", code=1).endswith("no files of a lake (v=1/) are there\n")
    add(lake, special)
    assert " VIEW sessions " in run("lake", "views", lake, "--engine", "clickhouse")
    shutil.rmtree(lake / "v=1/stream=sessions")
    said = run("lake", "views", lake, "--engine", "clickhouse")
    assert " VIEW fs " in said and " VIEW sessions " not in said


def move(file, date):
    to = file.parents[2] / f"date={date}" / file.parent.name
    to.mkdir(parents=True)
    file.rename(to / file.name)


def test_two_at_once(tmp_path, special):
    lake = tmp_path / "lake"
    both = [subprocess.Popen([record.IOTRC, "export", special, "--to", "parquet", "--lake", lake],
                             env={**os.environ, "IOTRC_DUCKDB": str(DUCKDB)}, stderr=subprocess.PIPE) for _ in range(2)]
    assert [p.communicate() and p.returncode for p in both] == [0, 0]
    assert "0 faults" in verify(lake, special) and all(n.endswith(".parquet") for n in files(lake))


def test_a_session_names_no_file_elsewhere(tmp_path, template):
    session = craft.Session(tmp_path / "traces", template)
    session.add("fs", rows(craft.START))
    session.manifest["session_id"] = "linux_v1/0123456789ABCDEF/.."
    session.write()
    assert "is no name; left out" in add(tmp_path / "lake", tmp_path / "traces", code=1)


def test_wrong_use(tmp_path, special):
    assert "--lake needs --to parquet" in run("export", special, "--to", "csv", "--lake", tmp_path / "l", code=2)
    assert "only --to parquet goes with --lake" in run("export", special, "--to", "parquet", "--lake", "l", "-o", "x", code=2)
    assert "is not one of its actions" in run("lake", "drain", tmp_path, code=2)
    assert "no files of a lake" in verify(tmp_path, code=1)
