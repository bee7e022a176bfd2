# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions written by hand, with all values that the format can hold. What was written is the oracle for what is read.
Only the columns come from iotrc: the manifest of a real session is the template."""
import csv
import datetime
import hashlib
import io
import json
import pathlib
import subprocess

START = 1_000_000_000_000 # mono_ns of the first row
# Of the first row: 2026-03-29 00:59:59 UTC, a second before Europe's clocks go forward.
OFFSET = 1_774_745_999_000_000_000 - START


class Session:
    """A session below OUTPUT; write() writes it."""

    def __init__(self, output, template, stamp="20260329_015959_000", machine="0123456789ABCDEF", boot="b00t"):
        self.directory = pathlib.Path(output) / "linux_v1" / machine / stamp
        self.manifest = json.loads(pathlib.Path(template).read_text())
        self.manifest.update(machine_id=machine, files=[], boot_id=boot, session_id=f"linux_v1/{machine}/{stamp}")
        self.manifest.pop("system_spec", None)
        self.manifest["session"]["state"] = "complete"
        self.manifest["clock"].update(
            utc_offset="+01:00", mono_to_real_offset_ns=OFFSET,
            offsets=[{"from_mono_ns": 0, "mono_to_real_offset_ns": OFFSET, "utc_offset": "+01:00"}],
        )
        for counts in self.manifest["diagnostics"]["streams"].values():
            counts.update(seen=0, written=0, filtered=0, lost={"ring": 0, "queue": 0, "disk": 0, "shed": 0})
        self.files = {}

    def columns(self, stream):
        return [c["name"] for c in self.manifest["streams"][stream]["columns"]]

    def wall(self, mono_ns):
        """Local wall time of MONO_NS, as the recorder writes it."""
        o = [o for o in self.manifest["clock"]["offsets"] if o["from_mono_ns"] <= mono_ns][-1]
        minutes = int(o["utc_offset"][:3]) * 60 + int(o["utc_offset"][4:])
        ns = mono_ns + o["mono_to_real_offset_ns"] + minutes * 60 * 10**9
        second = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=ns // 10**9)
        return f"{second:%Y-%m-%d %H:%M:%S}.{ns % 10**9 // 1000:06d}"

    def add(self, stream, rows, part=False, torn=b""):
        """Adds a file of ROWS, dicts of text by column; missing columns are empty. PART: still being written, with an
        unfinished frame and TORN after the last line."""
        names = self.columns(stream)
        text = io.StringIO()
        writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({names[0]: self.wall(int(row["mono_ns"])), **row})
        raw = text.getvalue().encode() + torn
        mono = [int(row["mono_ns"]) for row in rows]
        self.add_text(stream, raw, len(rows), min(mono), max(mono), part)

    def add_text(self, stream, raw, rows, first, last, part=False):
        """The same with a file's whole text, RAW, whose ROWS have mono_ns from FIRST to LAST."""
        zst = subprocess.run(["zstd", "-qc", "--check"], input=raw, capture_output=True, check=True).stdout
        number = 1 + sum(path.startswith(stream + "/") for path in self.files)
        path = f"{stream}/{stream}_20260329_015959_000_{number:04d}.csv.zst"
        if part:
            # A complete block of an incomplete frame.
            self.files[path + ".part"] = zst[:-4]
            return
        self.files[path] = zst
        self.manifest["files"].append({
            "path": path, "stream": stream, "rows": rows, "raw_bytes": len(raw), "compressed_bytes": len(zst),
            "first_mono_ns": first, "last_mono_ns": last, "sha256": hashlib.sha256(zst).hexdigest(),
        })
        counts = self.manifest["diagnostics"]["streams"][stream]
        counts["written"] += rows
        counts["seen"] += rows

    def write(self):
        for path, data in self.files.items():
            (self.directory / path).parent.mkdir(parents=True, exist_ok=True)
            (self.directory / path).write_bytes(data)
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "manifest.json").write_text(json.dumps(self.manifest))
        return self.directory


# Five files on an overlay whose inode numbers differ in their last bits, beyond the precision of a double; beyond
# the largest signed number; and the last number of all.
INODES = [2**53 + 1, 2**53 + 2, 2**62 + 3, 2**62 + 4, 2**63 + 1, 2**63 + 2, 2**64 - 1]
NAMES = [
    ("/plain", b"/plain"),
    ("/comma,quote\" and blanks  ", b"/comma,quote\" and blanks  "),
    ("/line\\x0afeed and \\\\x41 \\xff", b"/line\nfeed and \\x41 \xff"),
    ("/NA", b"/NA"),
    ("nan", b"nan"),
    ("/ümlaut 文", "/ümlaut 文".encode()),
    ("/a\\x20-> b -> /c", b"/a -> b -> /c"),
]


def fs_rows():
    """Rows of fs with every value that some reader gets wrong."""
    rows = []
    for i, (inode, (name, _)) in enumerate(zip(INODES, NAMES)):
        rows.append({
            "operation": "read", "pid": str(4_000_000 + i), "tid": str(4_000_000 + i), "command": "tr\\xc3",
            "filename": name, "size": "4096", "offset": str(2**53 + 1 + i), "bytes_completed": str(i),
            "inode": str(inode), "device": "0:52", "flags": "O_RDONLY|O_CLOEXEC", "duration_ns": str(2**53 + 1),
            "return_value": str(i), "ppid": "1", "container_id": "1", "fs_type": "overlay", "mono_ns": str(START + i),
        })
    rows.append({ # ftruncate(fd, -1)
        "operation": "truncate", "pid": "1", "tid": "1", "command": "t", "filename": "/plain", "size": "-1",
        "duration_ns": "0", "return_value": "-22", "errno": "EINVAL", "ppid": "0", "mono_ns": str(START + 7),
    })
    rows.append({ # a mapping, whose address is beyond 2**63
        "operation": "mmap", "pid": "1", "tid": "1", "command": "t", "filename": "/plain",
        "size": str(2**63 - 1), "offset": str(-2**63), "duration_ns": "5", "return_value": str(-2**63),
        "mmap_prot": "PROT_READ", "mmap_flags": "MAP_SHARED|0x40", "address": "0xffffffffff600001", "ppid": "0",
        "mono_ns": str(START + 8),
    })
    return rows


def special(output, template):
    """The session of all special values, across a change to daylight saving time, a step of the clock and a suspend."""
    session = Session(output, template)
    second = 10**9
    step = OFFSET + 3_600 * second + 123_456_789 # the clock was set forward by an hour and a bit
    session.manifest["clock"]["offsets"] += [
        {"from_mono_ns": START + second, "mono_to_real_offset_ns": OFFSET, "utc_offset": "+02:00"},
        {"from_mono_ns": START + 10 * second, "mono_to_real_offset_ns": step, "utc_offset": "+02:00"},
        {"from_mono_ns": START + 20 * second, "mono_to_real_offset_ns": step + 7_200 * second, "utc_offset": "+02:00"},
    ]
    session.add("fs", fs_rows())
    session.add("fs", [{"operation": "close", "pid": "7", "mono_ns": str(START + at * second + 1)}
                       for at in (0, 1, 10, 20)])
    session.add("cache", [{"event_type": "HIT", "pid": "7", "inode": str(INODES[-1]), "page_index": "0",
                           "size_pages": "1", "device_id": str(8 << 20 | 17), "count": "1", "mono_ns": str(START)}])
    session.add("block", [{"operation": "read", "sector": "0", "size": "512", "latency_ms": "0.100001",
                           "device": "8:17", "request_id": "1", "mono_ns": str(START)},
                          {"operation": "flush", "latency_ms": "123456789.000003", "request_id": "2",
                           "mono_ns": str(START + 1)}])
    session.add("filesystem_snapshot", [
        {"file_path": "/f", "size": "-1", "creation_time": "1901-12-13 21:45:52.000001",
         "modification_time": "2026-03-29 03:00:00.000000", "access_time": "2446-05-10 22:38:55.000000",
         "inode": str(INODES[4]), "device": "0:52", "nlinks": "1", "mono_ns": str(START + 2 * second)}])
    return session
