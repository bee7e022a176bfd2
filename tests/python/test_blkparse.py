# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc export --to blkparse`: compares the text with what the real blkparse prints of a binary trace of the same
requests, which is made here from the session's rows as linux/blktrace_api.h describes it."""
import struct
import subprocess


import craft
import iotrc
from test_export import export, recorded # noqa: F401

RECORD = struct.Struct("<IIQQIIIIIHH") # struct blk_io_trace
MAGIC = 0x65617407
WRITE, FLUSH, SYNC, ISSUE, COMPLETE, FS, NOTIFY, AHEAD, META, DISCARD, FUA = (1 << 16 << b for b in (
    1, 2, 3, 6, 7, 8, 10, 11, 12, 13, 15))
READ = 1 << 16
WRITES = {"write", "write_zeroes", "zone_append"}
ERRORS = {"EIO": 5, "ENOSPC": 28}


def events(rows, offset):
    """Time, whether it is a completion, row."""
    for _, row in rows.iterrows():
        if row.latency_ms is not None:
            yield int(row.mono_ns) - int(row.latency_ms * 1e6 + 0.5) + offset, False, row
        yield int(row.mono_ns) + offset, True, row


def category(row, flags):
    bits = FS | (DISCARD | WRITE if row.operation in ("discard", "secure_erase") else
                 WRITE if row.operation in WRITES else READ)
    for name, bit in ("preflush", FLUSH), ("sync", SYNC), ("ahead", AHEAD), ("meta", META), ("fua", FUA):
        bits |= bit if name in flags else 0
    return bits | (FLUSH if row.operation == "flush" else 0)


def printed(rows, offset, directory):
    """What blkparse prints of ROWS."""
    ordered = sorted(events(rows, offset), key=lambda e: (e[0], not e[1]))
    # blkparse expects a file for each CPU that is not empty
    note = RECORD.pack(MAGIC, 0, ordered[0][0], 0, 0, NOTIFY, 1, 0, 0, 0, 16) + b"init".ljust(16, b"\0")
    files = [bytearray(note) for _ in range(int(rows.cpu_id.max()) + 1)]
    for number, (ns, completed, row) in enumerate(ordered, 1):
        flags = str(row["flags"] or "").split("|")
        error = [-ERRORS[f[6:]] & 0xffff for f in flags if f.startswith("error=")]
        cpu = int(row.cpu_id)
        device = int(row.device.split(":")[0]) << 20 | int(row.device.split(":")[1])
        sector = int(row.sector or 0)
        if not completed: # notes in the trace give the names of pids
            files[cpu] += RECORD.pack(MAGIC, 0, ns, 0, 0, NOTIFY, int(row.tid), device, cpu, 0, 16)
            files[cpu] += row.command.encode().ljust(16, b"\0")
        action = category(row, flags) | (COMPLETE | 8 if completed else ISSUE | 7)
        files[cpu] += RECORD.pack(MAGIC, number, ns, sector, int(row["size"]), action, 0 if completed else int(row.tid), device, cpu,
                            error[0] if completed and error else 0, 0)
    for cpu, data in enumerate(files):
        (directory / f"trace.blktrace.{cpu}").write_bytes(data)
    done = subprocess.run(["blkparse", "-i", "trace", "-q"], cwd=directory, capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if line[:3].strip().isdigit() and line[3:4] == ","]


def compare(session, directory):
    rows = iotrc.load(session, "block").astype(object)
    offset = iotrc.Session(session).manifest["clock"]["offsets"][0]["mono_to_real_offset_ns"]
    found = export(session, "--to", "blkparse").stdout.splitlines()
    expected = printed(rows.where(rows.notna(), None), offset, directory)
    # Events of the same nanosecond may be in any order, and so may their sequence numbers.
    bare = lambda lines: sorted(line[:11] + line[19:] for line in lines) # noqa: E731
    assert bare(found) == bare(expected)
    times = [float(line.split()[3]) for line in found]
    assert times == sorted(times) and [int(line.split()[2]) for line in found] == list(range(1, len(found) + 1))
    return found


def test_it_is_what_blkparse_prints_of_a_recording(recorded, tmp_path): # noqa: F811
    found = compare(recorded, tmp_path)
    assert sum("  C " in line for line in found) > 20 and sum("  D " in line for line in found) > 20


def test_operations_flags_and_errors(session, tmp_path):
    requests = [("read", "8", "4096", "3.5", "ahead|meta"), ("write", "16", "512", "9", "sync|fua|preflush"),
                ("discard", "24", "1048576", "0.25", "sync"), ("flush", "", "0", "1", "preflush"),
                ("write_zeroes", "32", "4096", "0.000001", "nounmap"), ("secure_erase", "40", "4096", "2", ""),
                ("write", "48", "4096", "2.5", "sync|error=EIO"), ("write", "0", "0", "", "sync|preflush")]
    session.add("block", [
        {"operation": o, "sector": s, "size": n, "latency_ms": ms, "flags": f, "device": "259:1", "cpu_id": str(i % 2),
         "pid": "100000", "tid": str(100001 + i), "command": "a name", "mono_ns": str(craft.START + 10**9 + i * 10**6)}
        for i, (o, s, n, ms, f) in enumerate(requests)])
    session.write()
    found = compare(session.directory, tmp_path)
    assert len(found) == 15 and any("[65531]" in line for line in found)
