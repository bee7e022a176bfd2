# SPDX-License-Identifier: GPL-2.0-or-later
"""iotrc.load() gives what was written, to the last bit."""
import warnings

import numpy as np
import pandas as pd
import pytest

import craft
import iotrc

pytestmark = pytest.mark.calm


def texts(column):
    return [None if v is pd.NA or v != v else v for v in column.astype(object)]


def test_every_value_is_exact(special):
    rows = craft.fs_rows()
    fs = iotrc.load(special, "fs").iloc[:len(rows)]
    for name in "operation", "filename", "command", "device", "flags", "errno", "mmap_flags", "fs_type":
        assert texts(fs[name]) == [row.get(name) for row in rows], name
    for name in "pid", "size", "offset", "bytes_completed", "inode", "duration_ns", "return_value", "mono_ns":
        assert texts(fs[name]) == [int(row[name]) if name in row else None for row in rows], name
    assert texts(fs.address) == [int(row["address"], 16) if "address" in row else None for row in rows]
    assert fs.inode.nunique() == len(craft.INODES)


def test_the_dtypes_are_the_manifest_s(special):
    fs = iotrc.load(special, "fs")
    assert dict(fs.dtypes.astype(str)) == iotrc.Session(special).dtypes("fs")
    assert {n: str(fs.dtypes[n]) for n in ("timestamp", "operation", "filename", "pid", "offset", "inode", "address",
                                           "mono_ns", "machine")} == {
        "timestamp": "datetime64[ns, UTC]", "operation": "category", "filename": "category", "pid": "UInt64",
        "offset": "Int64", "inode": "UInt64", "address": "UInt64", "mono_ns": "uint64", "machine": "category"}


def test_without_rows_or_transfers_the_dtypes_are_the_same(special, session):
    session.add("fs", [{"operation": "getattr", "filename": "/nope", "errno": "ENOENT", "mono_ns": str(craft.START)}])
    session.write()
    with_transfers = iotrc.load(special, "fs").dtypes.astype(str)
    without = iotrc.load(session.directory, "fs")
    assert without.bytes_completed.sum() == 0 and without["size"].isna().all()
    assert dict(without.dtypes.astype(str)) == dict(with_transfers)
    for stream in iotrc.Session(special).streams:
        empty = iotrc.load(session.directory, stream)
        assert dict(empty.dtypes.astype(str)) == iotrc.Session(special).dtypes(stream), stream


def test_wall_time_is_utc_across_summer_time_step_and_suspend(special):
    closes = iotrc.load(special, "fs", where="operation == 'close'")
    assert [t.isoformat() for t in closes.timestamp] == [
        "2026-03-29T00:59:59.000000001+00:00", # 01:59:59 local time
        "2026-03-29T01:00:00.000000001+00:00", # 03:00:00
        "2026-03-29T02:00:09.123456790+00:00", # an hour and 0.123456789 s forward
        "2026-03-29T04:00:19.123456790+00:00", # two hours of sleep
    ]


def test_times_that_files_have_are_utc(special):
    row = iotrc.load(special, "filesystem_snapshot").iloc[0]
    assert row.creation_time == pd.Timestamp("1901-12-13 19:45:52.000001", tz="UTC") # +02:00 when the file was examined
    assert row.modification_time == pd.Timestamp("2026-03-29 01:00:00", tz="UTC")
    assert row.access_time is pd.NaT # the year 2446
    assert row["size"] == -1


def test_fractions_are_the_nearest_float(special):
    assert list(iotrc.load(special, "block").latency_ms) == [float("0.100001"), float("123456789.000003")]


def test_device_is_one_key_in_all_streams(special):
    cache, block = iotrc.load(special, "cache"), iotrc.load(special, "block")
    assert list(cache.device) == ["8:17"] == list(block.device[:1])
    assert iotrc.load(special, "cache", ["device"]).device[0] == "8:17"


@pytest.mark.parametrize("escapes", ["bytes", "str"])
def test_escapes_are_undone_on_request(special, escapes):
    names = list(iotrc.load(special, "fs", ["filename"], escapes=escapes).filename[:len(craft.NAMES)])
    expected = [name for _, name in craft.NAMES]
    assert names == (expected if escapes == "bytes" else [n.decode("utf-8", "surrogateescape") for n in expected])


def test_names_that_become_the_same_are_one_category(session):
    rows = [("rename", "/a\\x20-> b -> /c"), ("rename", "/a -> b -> /c"), ("open", "/c")]
    session.add("fs", [{"operation": o, "filename": f, "mono_ns": str(craft.START)} for o, f in rows])
    fs = iotrc.load(session.write(), "fs", escapes="bytes")
    assert list(fs.filename) == [b"/a -> b -> /c", b"/a -> b -> /c", b"/c"]


def test_two_paths_are_split_where_the_arrow_is(special):
    parts = iotrc.split_paths(iotrc.load(special, "fs").filename)
    assert list(parts.iloc[6]) == ["/a\\x20-> b", "/c"]
    assert parts.old[0] == "/plain" and parts.new.isna().sum() == len(parts) - 1


@pytest.mark.parametrize("where", [
    "operation == 'read' and bytes_completed > 4",
    lambda fs: (fs.operation == "read") & (fs.bytes_completed > 4),
    "inode >= 9223372036854775810", # 2**63 + 2
])
def test_where_keeps_what_it_says(special, where):
    fs = iotrc.load(special, "fs", ["filename", "pid"], where)
    assert list(fs.columns) == ["filename", "pid"]
    assert texts(fs.filename) == [name for name, _ in craft.NAMES[5:]]


def test_columns_come_in_the_requested_order(special):
    assert list(iotrc.load(special, "fs", ["size", "timestamp", "session"]).columns) == ["size", "timestamp", "session"]
    with pytest.raises(KeyError, match="no column 'sice'"):
        iotrc.load(special, "fs", ["sice"])
    with pytest.raises(KeyError, match="no stream 'fss'"):
        iotrc.load(special, "fss")


@pytest.mark.parametrize("start, end, rows", [
    (craft.START + 7, craft.START + 9, 2),
    ("2026-03-29 01:00:00", "2026-03-29 02:00:09.12345679", 1),
    (pd.Timestamp("2026-03-29 04:00:00", tz="Europe/Berlin"), None, 2),
    (None, pd.Timestamp("2026-03-29 00:59:59.000000001", tz="UTC"), 1),
    ("2027-01-01", None, 0),
])
def test_start_and_end_choose_rows(special, start, end, rows):
    assert len(iotrc.load(special, "fs", start=start, end=end)) == rows


def test_sessions_of_several_machines(special, session, template, tmp_path):
    session.add("fs", [{"operation": "sync", "mono_ns": str(craft.START)}])
    session.write()
    other = craft.Session(tmp_path, template, machine="F" * 16, stamp="20270101_000000_000", boot="other")
    # A session from before `size` was signed, and without a column that came later.
    columns = other.manifest["streams"]["fs"]["columns"]
    next(c for c in columns if c["name"] == "size")["type"] = "uint64"
    columns.remove(next(c for c in columns if c["name"] == "fs_type"))
    other.add("fs", [{"operation": "truncate", "size": str(2**64 - 1), "mono_ns": str(craft.START)}])
    other.write()
    assert [s.machine for s in iotrc.sessions(tmp_path)] == ["0123456789ABCDEF", "F" * 16]
    for source in tmp_path, [session.directory, iotrc.Session(other.directory)]:
        fs = iotrc.load(source, "fs")
        assert list(fs.machine) == ["0123456789ABCDEF", "F" * 16]
        assert list(fs.session) == ["20260329_015959_000", "20270101_000000_000"]
        assert list(fs.boot) == ["b00t", "other"]
        assert fs.fs_type.isna().all() and texts(fs["size"]) == [None, -1]
        assert dict(fs.dtypes.astype(str)) == iotrc.Session(special).dtypes("fs")


def test_chunks_are_the_whole(special, monkeypatch):
    monkeypatch.setattr(iotrc, "BLOCK_BYTES", 300) # a few rows
    parts = list(iotrc.chunks(special, "fs", rows=2))
    assert len(parts) > 3
    whole = pd.concat(p.astype({n: object for n in p if p[n].dtype == "category"}) for p in parts)
    expected = iotrc.load(special, "fs").astype({n: object for n in whole if str(whole[n].dtype) == "object"})
    pd.testing.assert_frame_equal(whole.reset_index(drop=True), expected)


def test_many_texts_and_large_numbers_in_any_block(session, monkeypatch):
    monkeypatch.setattr(iotrc, "BLOCK_BYTES", 32768)
    inodes = [(2**64 - 1 - i if i % 1000 == 999 else i) for i in range(40_000)]
    session.add("fs", [{"operation": "open", "filename": f"/{i}", "inode": str(inode),
                        "mono_ns": str(craft.START + i)} for i, inode in enumerate(inodes)])
    fs = iotrc.load(session.write(), "fs")
    assert list(fs.inode) == inodes
    assert list(fs.filename) == [f"/{i}" for i in range(40_000)]
    assert fs.filename.cat.codes.dtype == np.int32


def test_a_running_session_is_read_as_far_as_it_is(session):
    session.add("fs", [{"operation": "open", "mono_ns": str(craft.START)}])
    session.add("fs", [{"operation": "read", "bytes_completed": "3", "mono_ns": str(craft.START + 1)}], part=True,
                torn=b'2026-03-29 01:59:59.000000,close,"/torn')
    session.manifest["session"]["state"] = "running"
    session.write()
    assert list(iotrc.load(session.directory, "fs").operation) == ["open", "read"]


def test_lost_rows_are_reported(session):
    session.add("fs", [{"operation": "open", "mono_ns": str(craft.START)}])
    session.add("lost", [{"stream": "fs", "cause": "ring", "count": "41", "mono_ns": str(craft.START)}])
    counts = session.manifest["diagnostics"]["streams"]["fs"]
    counts["seen"] += 41
    counts["lost"]["ring"] = 41
    session.write()
    with pytest.warns(iotrc.LostRows, match="41 rows of fs were lost"):
        iotrc.load(session.directory, "fs")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        iotrc.load(session.directory, "lost")


def test_progress_is_shown_on_request(special, capsys, monkeypatch):
    monkeypatch.setattr(iotrc, "PROGRESS_SECONDS", 0)
    iotrc.load(special, "fs", progress=True)
    assert "9 of 13 (69 %) rows" in capsys.readouterr().err
    iotrc.load(special, "fs")
    assert capsys.readouterr().err == ""


def test_a_directory_without_sessions_is_refused(tmp_path):
    with pytest.raises(iotrc.Unsound, match="no session"):
        iotrc.load(tmp_path, "fs")


def test_the_program_zstd_will_do(special, monkeypatch):
    expected = iotrc.load(special, "fs")
    monkeypatch.setattr(iotrc, "zstandard", None)
    pd.testing.assert_frame_equal(iotrc.load(special, "fs"), expected)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ImportError, match="zstandard"):
        iotrc.load(special, "fs")


def test_every_type_of_the_schema_is_known(special):
    """iotrc.load() refuses a type that it does not know, instead of reading it as text."""
    known = {"timestamp", "uint64", "int64", "float", "text", "word", "flags", "device", "address"}
    for stream, schema in iotrc.Session(special).manifest["streams"].items():
        assert {c["type"] for c in schema["columns"]} <= known, stream
