# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc export`: each format is read by the program it is for (fio itself replays), or by a reader written here from
the format's description. Totals are those of the rows according to pandas."""
import datetime
import json
import os
import pty
import struct
import subprocess

import numpy as np
import pandas as pd
import pytest

import craft
import iotrc
import record

WORK = """
set -e
cd "$1"
dd if=/dev/zero of=a bs=64k count=53 conv=fsync 2>/dev/null
dd if=a of=b bs=4k 2>/dev/null
mkdir "with blank"
dd if=a of="with blank/c" bs=32k 2>/dev/null
for i in 1 2 3 4 5 6 7; do cat b >/dev/null; done
sync
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A session of a program that reads and writes four files."""
    return record.record_script(tmp_path_factory.mktemp("recorded"), WORK)


def export(*args, code=0, **options):
    done = subprocess.run([record.IOTRC, "export", *args], capture_output=True, text=True, check=False, **options)
    assert done.returncode == code, done.stderr
    return done


def transfers(session):
    fs = iotrc.load(session, "fs")
    moved = fs[fs.operation.isin(["read", "write"]) & fs.offset.notna() & (fs.bytes_completed > 0)].copy()
    moved["began"] = moved.mono_ns - moved.duration_ns.astype("uint64")
    return moved.sort_values("began", kind="stable")


def lines_of(session, stream):
    """The rows of a session's files unchanged, without header rows, in the order of mono_ns."""
    found = []
    for file in iotrc.Session(session)._files(stream):
        text = subprocess.run(["zstd", "-dcq", file.path], capture_output=True, check=True).stdout
        found += text.split(b"\n")[1:-1]
    return sorted(found, key=lambda line: int(line.rsplit(b",", 1)[1]))


@pytest.mark.parametrize("stream", ["fs", "block"])
def test_csv_is_all_rows_in_the_order_of_time(recorded, tmp_path, stream):
    export(recorded, "--to", "csv", "--streams", stream, "-o", tmp_path / "rows.csv")
    found = (tmp_path / "rows.csv").read_bytes().split(b"\n")
    schema = iotrc.Session(recorded).manifest["streams"][stream]
    assert found[0].decode().split(",") == [c["name"] for c in schema["columns"]]
    expected = lines_of(recorded, stream)
    assert found[-1] == b"" and sorted(found[1:-1]) == sorted(expected)
    mono = [int(line.rsplit(b",", 1)[1]) for line in found[1:-1]]
    assert mono == sorted(mono) and len(mono) > 50


def test_csv_and_json_keep_every_value(special):
    rows = craft.fs_rows()
    csv = export(special, "--to", "csv").stdout.encode().split(b"\n")
    assert csv[1:-1] == lines_of(special, "fs")
    reported = export(special, "--to", "jsonl", "--streams", "fs")
    found = [json.loads(line) for line in reported.stdout.splitlines()]
    assert "13 of 13 rows of 1 session" in reported.stderr
    for row in rows:
        same, = [f for f in found if f["mono_ns"] == int(row["mono_ns"]) and f["operation"] == row["operation"]]
        for name, text in row.items():
            assert str(same[name]) == text and isinstance(same[name], int) == text.lstrip("-").isdigit(), name
        assert same.keys() - row.keys() == {"machine", "stream", "timestamp"}


def test_json_lines_merge_streams_and_machines(special, session):
    session.manifest["machine_id"] = "F" * 16
    session.add("cache", [{"event_type": "MISS", "count": "1", "mono_ns": str(craft.START + 3)}])
    session.write()
    lines = export(special, session.directory, "--to", "jsonl").stdout.splitlines()
    found = [json.loads(line) for line in lines]
    assert [f["mono_ns"] for f in found] == sorted(f["mono_ns"] for f in found)
    assert len(found) == 13 + 1 + 2 + 1 + 1
    assert {f["machine"] for f in found if f["stream"] == "cache"} == {"0123456789ABCDEF", "F" * 16}


def test_msr_is_the_block_requests(recorded, tmp_path):
    export(recorded, "--to", "msr", "-o", tmp_path / "trace.csv")
    names = ["time", "host", "disk", "type", "offset", "size", "response"]
    found = pd.read_csv(tmp_path / "trace.csv", header=None, names=names)
    block = iotrc.load(recorded, "block", where="operation in ('read', 'write')").dropna(subset=["sector"])
    assert len(found) == len(block) > 5
    for kind, operation in ("Read", "read"), ("Write", "write"):
        assert found["size"][found.type == kind].sum() == block["size"][block.operation == operation].sum()
    assert sorted(found.offset) == sorted(int(s) * 512 for s in block.sector)
    assert found.time.is_monotonic_increasing and set(found.host) == {iotrc.Session(recorded).machine}
    # Windows counts hundreds of nanoseconds from 1601.
    first = datetime.datetime(1601, 1, 1, tzinfo=datetime.timezone.utc)
    first += datetime.timedelta(microseconds=int(found.time[0]) // 10)
    began = block.timestamp - pd.to_timedelta(block.latency_ms, unit="ms")
    assert abs(pd.Timestamp(first) - began.min()) < pd.Timedelta(microseconds=3)
    assert abs(found.response.sum() / 1e4 - block.latency_ms.sum()) < 0.001 * len(found)


@pytest.mark.parametrize("latency", ["9e99", "-1", "nan", "1e400"])
def test_msr_of_a_latency_that_no_number_holds(special, session, latency):
    """A file of any machine. The time is the row's, the response time 0."""
    session.add("block", [{"operation": "read", "device": "8:0", "sector": "16", "size": "512", "latency_ms": latency,
                           "mono_ns": str(craft.START + 3)}])
    session.write()
    lines = export(special, session.directory, "--to", "msr").stdout.splitlines()
    assert [line.split(",")[3:] for line in lines if ",8192," in line] == [["Read", "8192", "512", "0"]], lines


def test_fio_replays_what_was_moved(recorded, tmp_path):
    export(recorded, "--to", "fio", "-o", tmp_path / "trace.iolog")
    moved = transfers(recorded)
    names = dict(line.split("\t") for line in (tmp_path / "trace.iolog.map").read_text().splitlines())
    assert set(names.values()) == set(moved.filename) and any(" " in name for name in names.values())
    for alias, name in names.items():
        rows = moved[moved.filename == name]
        (tmp_path / alias).write_bytes(b"\0" * int((rows.offset + rows.bytes_completed.astype("Int64")).max()))
    command = ["fio", "--name=replay", "--read_iolog=trace.iolog", "--replay_no_stall=1", "--ioengine=psync",
               "--output-format=json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    job = json.loads(done.stdout[done.stdout.index("{"):])["jobs"][0]
    for operation in "read", "write":
        rows = moved[moved.operation == operation]
        assert job[operation]["io_bytes"] == rows.bytes_completed.sum() > 0
        assert job[operation]["total_ios"] == len(rows)


def test_fio_s_times_are_those_of_the_rows(recorded, tmp_path):
    export(recorded, "--to", "fio", "-o", tmp_path / "trace.iolog")
    lines = [line.split(" ") for line in (tmp_path / "trace.iolog").read_text().splitlines()]
    assert lines[0] == ["fio", "version", "3", "iolog"]
    requests = [line for line in lines[1:] if line[2] in ("read", "write")]
    moved = transfers(recorded)
    times = np.array([int(line[0]) for line in requests])
    assert times[0] >= 1 and (np.diff(times) >= 0).all()
    span = (int(moved.began.iloc[-1]) - int(moved.began.iloc[0])) / 1000
    assert abs((times[-1] - times[0]) - span) <= 2
    assert [(line[2], int(line[3]), int(line[4])) for line in requests] == [
        (row.operation, int(row.offset), int(row.bytes_completed)) for row in moved.itertuples()]


REQUEST = struct.Struct("<IQIq") # libCacheSim's oracleGeneralBin.h


@pytest.mark.parametrize("block", [None, 4096])
def test_oracle_general_knows_the_next_request(recorded, tmp_path, block):
    blocks = ["--block", "4k"] if block else []
    export(recorded, "--to", "oracle-general", "-o", tmp_path / "trace.oracleGeneral", *blocks)
    found = list(REQUEST.iter_unpack((tmp_path / "trace.oracleGeneral").read_bytes()))
    expected = []
    moved = transfers(recorded)
    for row in moved.itertuples():
        second = (int(row.began) - int(moved.began.iloc[0])) // 10**9
        file = (row.device, int(row.inode))
        if not block:
            expected.append((second, file, int(row.bytes_completed)))
            continue
        last = (int(row.offset) + int(row.bytes_completed) - 1) // block
        expected += [(second, (*file, b), block) for b in range(int(row.offset) // block, last + 1)]
    assert [(second, size) for second, _, size, _ in found] == [(second, size) for second, _, size in expected]
    # One number for each object.
    pairs = {(object_, name) for (_, object_, _, _), (_, name, _) in zip(found, expected)}
    assert len(pairs) == len({o for o, _ in pairs}) == len({n for _, n in pairs}) > 1
    later = {}
    for number in range(len(found), 0, -1):
        object_, next_ = found[number - 1][1], found[number - 1][3]
        assert next_ == later.get(object_, -1), number
        later[object_] = number


# libCacheSim's lcs.h: magic, version, and the statistics: version, requests, objects, bytes, bytes of objects, first
# and
# last second, reads, writes, deletes, smallest and largest object; the magic again at the end.
LCS = struct.Struct("<QQ12q")
MAGIC = 0x123456789abcdef0


@pytest.mark.parametrize("block", [None, 4096])
def test_lcs_is_oracle_general_behind_a_header(recorded, tmp_path, block):
    blocks = ["--block", "4k"] if block else []
    export(recorded, "--to", "lcs", "-o", tmp_path / "trace.lcs", *blocks)
    export(recorded, "--to", "oracle-general", "-o", tmp_path / "trace.oracleGeneral", *blocks)
    found = (tmp_path / "trace.lcs").read_bytes()
    piped = subprocess.run([record.IOTRC, "export", recorded, "--to", "lcs", *blocks], capture_output=True, check=True)
    assert piped.stdout == found
    assert found[8192:] == (tmp_path / "trace.oracleGeneral").read_bytes()
    magic, version, statistics, *totals = LCS.unpack(found[:LCS.size])
    assert (magic, version, statistics) == (MAGIC, 1, 1)
    assert struct.unpack("<Q", found[8184:8192]) == (MAGIC,)
    moved = transfers(recorded)
    if block:
        last = (moved.offset.astype("int64") + moved.bytes_completed.astype("int64") - 1) // block
        moved["blocks"] = last - moved.offset.astype("int64") // block + 1
        moved = moved.loc[moved.index.repeat(moved.blocks)]
        moved["number"] = moved.offset.astype("int64") // block + moved.groupby(level=0).cumcount()
        moved["bytes_completed"] = block
    objects = moved.drop_duplicates(["device", "inode", *(["number"] if block else [])])
    seconds = (moved.began - moved.began.iloc[0]) // 10**9
    assert totals == [
        len(moved), len(objects), moved.bytes_completed.sum(), objects.bytes_completed.sum(), 0, seconds.iloc[-1],
        (moved.operation == "read").sum(), (moved.operation == "write").sum(), 0, moved.bytes_completed.min(),
        moved.bytes_completed.max()]
    assert not any(found[LCS.size:8184])


@pytest.mark.parametrize("format_, header", [("oracle-general", 0), ("lcs", 8192)])
def test_accesses_through_mappings_are_requests(session, tmp_path, format_, header):
    """A file that is read, mapped and written: its pages are the same objects in all streams."""
    place = {"inode": "77", "device": "8:17"}
    session.add("fs", [{"operation": "read", "offset": "4096", "bytes_completed": "5000", "duration_ns": "0", **place,
                        "mono_ns": str(craft.START)}])
    fault = {"inode": "77", "device_id": str(8 << 20 | 17)}
    session.add("pagefault", [
        {"fault_type": "READ", "severity": "MINOR", "offset_pages": "2", **fault, "mono_ns": str(craft.START + 1)},
        {"fault_type": "WRITE", "severity": "MAJOR", "offset_pages": "9", **fault, "mono_ns": str(craft.START + 2)},
        {"fault_type": "READ", "severity": "MINOR", "offset_pages": "1", **{**fault, "inode": "78"}, "mono_ns": str(craft.START + 3)},
        {"fault_type": "READ", "severity": "MINOR", "mono_ns": str(craft.START + 4)}]) # of no file
    session.add("cache", [
        {"event_type": event, "page_index": "1", "count": "3", **fault, "mono_ns": str(craft.START + 5 + i)}
        for i, event in enumerate(("HIT", "DIRTY", "MISS_WRITE", "READAHEAD"))])
    session.write()

    def requests(*arguments):
        export(session.directory, "--to", format_, "-o", tmp_path / "out", "--force", *arguments)
        return list(REQUEST.iter_unpack((tmp_path / "out").read_bytes()[header:]))

    pages = requests("--block", "4k")
    objects = [object_ for _, object_, _, _ in pages]
    assert len(pages) == 5 and objects[1] == objects[2] and len(set(objects)) == 4
    assert [next_ for _, _, _, next_ in pages] == [-1, 3, -1, -1, -1]
    files = requests()
    assert [size for _, _, size, _ in files] == [5000, 4096, 4096, 4096] and len({f[1] for f in files}) == 2
    assert len(requests("--streams", "fs")) == 1 and len(requests("--streams", "pagefault")) == 3
    cached = requests("--streams", "cache", "--block", "4k")
    assert [next_ for _, _, _, next_ in cached] == [4, 5, 6, -1, -1, -1] and cached[0][1] == objects[0]
    said = export(session.directory, "--to", format_, "-o", tmp_path / "no", "--streams", "fs,cache", code=2).stderr
    assert "select it alone" in said


def test_a_file_appears_whole_and_replaces_none(recorded, tmp_path):
    out = tmp_path / "rows.csv"
    out.write_text("mine")
    assert "--force replaces it" in export(recorded, "--to", "csv", "-o", out, code=1).stderr
    assert out.read_text() == "mine"
    export(recorded, "--to", "csv", "-o", out, "--force")
    assert out.stat().st_mode & 0o777 == 0o640 and len(out.read_bytes()) > 1000
    assert os.listdir(tmp_path) == ["rows.csv"]


def test_a_damaged_session_leaves_no_file(session, tmp_path):
    session.add("fs", craft.fs_rows())
    session.write()
    path = session.directory / session.manifest["files"][0]["path"]
    path.write_bytes(path.read_bytes()[:-20])
    said = export(session.directory, "--to", "csv", "-o", tmp_path / "rows.csv", code=1).stderr
    assert path.name in said
    assert not list(tmp_path.glob("rows*"))


def test_progress_on_a_terminal_only(session, tmp_path):
    row = {"operation": "close", "pid": "7"}
    session.add("fs", [{**row, "mono_ns": str(craft.START + i)} for i in range(40000)])
    session.write()
    ours, its = pty.openpty()
    command = [record.IOTRC, "export", session.directory, "--to", "csv"]
    subprocess.run([*command, "-o", tmp_path / "rows.csv"], stderr=its, check=True)
    os.close(its)
    said = b""
    while b"of 1 session" not in said:
        said += os.read(ours, 65536)
    os.close(ours)
    lines = said.decode().split("\r")
    assert "16384 rows read, 0 sorted" in lines and "40000 rows read, 25536 sorted" in lines, lines
    # The progress line is erased before the result is printed.
    assert "\x1b[K40000 of 40000 rows of 1 session" in lines, lines
    silent = subprocess.run(command, capture_output=True, text=True, check=True)
    assert silent.stderr == "40000 of 40000 rows of 1 session\n" and silent.stdout.count("\n") == 40001


def test_a_machine_that_breaks_lines_is_refused(session):
    session.add("fs", craft.fs_rows())
    session.manifest["machine_id"] = 'a"b\n,c'
    session.write()
    assert "machine_id: not letters and digits" in export(session.directory, "--to", "jsonl", code=1).stderr


def test_lost_rows_are_reported(session):
    session.add("fs", craft.fs_rows())
    session.manifest["diagnostics"]["streams"]["fs"]["lost"]["ring"] = 41
    session.write()
    assert "41 rows were lost when it was recorded" in export(session.directory, "--to", "csv").stderr


# More files than a table of theirs keeps in memory (TABLE_SIZE_MAX of export/table.h, three quarters full).
FILES, AGAIN = 800_000, 200_000


@pytest.fixture(scope="module")
def many_files(tmp_path_factory, template):
    """A session of one read of each of FILES, and then one more of AGAIN of them; and the files in that order."""
    session = craft.Session(tmp_path_factory.mktemp("many"), template)
    order = np.concatenate([np.arange(FILES), np.arange(AGAIN) * 7919 % FILES]) + 1
    fields = {"timestamp": session.wall(craft.START), "operation": "read", "filename": "/f{0}", "offset": "{1}",
              "bytes_completed": "{2}", "inode": "{0}", "device": "8:1", "duration_ns": "0", "mono_ns": "{3}"}
    line = ",".join(fields.get(name, "") for name in session.columns("fs")) + "\n"
    lines = [line.format(file, *place, craft.START + 1000 * i)
             for i, (file, place) in enumerate(zip(order.tolist(), places(len(order))))]
    header = ",".join(session.columns("fs")) + "\n"
    session.add_text("fs", (header + "".join(lines)).encode(), len(lines), craft.START, craft.START + 1000 * len(lines))
    return session.write(), order.tolist()


def places(n):
    return ((i % 5 * 4096, 1 + i % 1000) for i in range(n))


def test_fio_s_names_of_more_files_than_memory_holds(many_files, tmp_path):
    session, order = many_files
    export(session, "--to", "fio", "-o", tmp_path / "trace.iolog")
    lines, names = ["fio version 3 iolog"], []
    for us, (file, place) in enumerate(zip(order, places(len(order))), 1):
        if us <= FILES:
            lines += [f"{us} f{us} add", f"{us} f{us} open"]
            names.append(f"f{us}\t/f{file}")
        lines.append(f"{us} f{file} read {place[0]} {place[1]}") # the first is file 1, the second file 2
    lines += [f"{len(order)} f{file} close" for file in range(1, FILES + 1)]
    assert (tmp_path / "trace.iolog").read_text() == "\n".join(lines) + "\n"
    assert (tmp_path / "trace.iolog.map").read_text() == "\n".join(names) + "\n"


def test_the_next_request_of_more_files_than_memory_holds(many_files, tmp_path):
    session, order = many_files
    export(session, "--to", "oracle-general", "-o", tmp_path / "trace.oracleGeneral")
    export(session, "--to", "lcs", "-o", tmp_path / "trace.lcs")
    requests = np.fromfile(tmp_path / "trace.oracleGeneral",
                           [("second", "<u4"), ("object", "<u8"), ("size", "<u4"), ("next", "<i8")])
    following = np.full(len(order), -1)
    for number, file in enumerate(order[FILES:], FILES + 1):
        following[file - 1] = number
    assert (requests["next"] == following).all()
    assert len(np.unique(requests["object"][:FILES])) == FILES
    assert (requests["object"][FILES:] == requests["object"][np.array(order[FILES:]) - 1]).all()
    lcs = (tmp_path / "trace.lcs").read_bytes()
    assert lcs[8192:] == (tmp_path / "trace.oracleGeneral").read_bytes()
    assert LCS.unpack(lcs[:LCS.size])[3:5] == (len(order), FILES)


def test_a_disk_that_does_not_take_what_memory_does_not_hold(many_files, tmp_path):
    done = export(many_files[0], "--to", "oracle-general", "-o", tmp_path / "out", code=1,
                  env=os.environ | {"TMPDIR": "/dev/null"})
    assert done.stderr == ("iotrc export: temporary files cannot be kept in $TMPDIR or /tmp: set TMPDIR to another "
                           "directory\n")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("args, why", [
    (["--to", "parkett"], "no format 'parkett'"),
    ([], "--to csv"),
    (["--to", "csv", "--streams", "fs,block"], "several"),
    (["--to", "msr", "--streams", "fs"], "no rows of that stream"),
    (["--to", "jsonl", "--streams", "fss"], "unknown stream"),
    (["--to", "fio"], "-o FILE"),
    (["--to", "oracle-general", "-o", "x", "--block", "4q"], "not a size"),
])
def test_what_does_not_go_together_is_refused(special, args, why):
    assert why in export(special, *args, code=2).stderr


OLDER = {
    "nw_conn": ["flags"], "nw_epoll": ["return_value", "errno", "flags"], "nw_sockopt": ["errno", "tid", "flags"],
    "cache": ["request_id"], "extent": ["overlay_filename", "overlay_inode", "overlay_device"],
}


def test_a_session_of_an_older_recorder(session):
    """Files of an older version lack the columns added since: verify finds them sound, and their rows have those
    columns empty."""
    for stream, added in OLDER.items():
        columns = session.manifest["streams"][stream]["columns"]
        session.manifest["streams"][stream]["columns"] = [c for c in columns if c["name"] not in added]
    session.add("nw_epoll", [{"event_type": "POLL", "pid": "7", "command": 'a,"b', "mono_ns": str(craft.START + 3)}])
    session.add("nw_sockopt", [{"event_type": "SET", "return_value": "0", "mono_ns": str(craft.START + 4)}])
    session.add("cache", [{"event_type": "HIT", "count": "3", "pid": "7", "mono_ns": str(craft.START + 5)}])
    session.add("extent", [{"kind": "data", "size": "4096", "pid": "7", "mono_ns": str(craft.START + 6)}])
    session.write()
    done = subprocess.run([record.IOTRC, "verify", session.directory], capture_output=True, text=True)
    assert done.returncode == 0 and "sound" in done.stdout, done.stdout
    lines = export(session.directory, "--to", "jsonl", "--streams", ",".join(OLDER)).stdout.splitlines()
    poll, option = [row for row in map(json.loads, lines) if int(row["mono_ns"]) in (craft.START + 3, craft.START + 4)]
    assert (poll["event_type"], poll["command"]) == ("POLL", 'a,"b') and not {"return_value", "errno"} & {
        k for k, v in poll.items() if v not in ("", None)}, poll
    assert option["return_value"] in (0, "0") and option.get("tid") in ("", None), option
    assert iotrc.load(session.directory, "nw_epoll").event_type.tolist() == ["POLL"]
    for stream in "cache", "extent":
        done = subprocess.run([record.IOTRC, "summary", session.directory, "--stream", stream, "--by", "command", "--json"],
                              capture_output=True, text=True)
        assert json.loads(done.stdout)["summaries"][0]["total"]["calls"] == 1, done.stderr
    page = session.directory.parent / "report.html"
    done = subprocess.run([record.IOTRC, "report", session.directory, "-o", page], capture_output=True, text=True)
    assert done.returncode == 0 and "4 rows" in done.stderr and "not be read" not in done.stderr, done.stderr


def test_columns_that_no_version_lacked(session):
    columns = session.manifest["streams"]["nw_epoll"]["columns"]
    session.manifest["streams"]["nw_epoll"]["columns"] = [c for c in columns if c["name"] != "max_events"]
    session.add("nw_epoll", [{"event_type": "POLL", "mono_ns": str(craft.START + 3)}])
    session.write()
    done = subprocess.run([record.IOTRC, "verify", session.directory], capture_output=True, text=True)
    assert done.returncode == 1 and "not the schema's" in done.stdout, done.stdout
