#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""report.py IOTRC RECORDS.zst [ROWS [ROUNDS]]: compares `iotrc report` of a session of ROWS (10 million) rows with
DuckDB computing the page's content from the same files, in turns. Fails if the report takes longer.

The session is the kept recording (bench/rows.records.zst), replayed many times, each time with later times, other pids
and other directories. DuckDB reads each file once, only the columns it needs, with the types of the manifest; then it
groups as the report does. It does not write a page.
"""
import hashlib
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time

import zstandard

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "python"))
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
MODULES = CACHE / "iotrc/npm/bench-report/node_modules"
ROWS_IN_FILE = 2_000_000


def replay(iotrc, records, output):
    """Makes a session with the recording's rows, once."""
    raw = output / "records"
    subprocess.run(["zstd", "-dqf", records, "-o", raw], check=True)
    done = subprocess.run([iotrc, "dev", "-q", "--no-snapshots", "--replay", raw, "-o", output / "once",
                           "--streams", "fs,block,nw_conn,nw_epoll,nw_sockopt,cache,pagefault"],
                          check=False, capture_output=True, text=True)
    if done.returncode not in (0, 3):
        sys.exit(f"no rows. Have records another layout? make bench-record\n{done.stderr}")
    return pathlib.Path(done.stdout.strip())


def shifted(line, times, span, columns):
    """The row LINE, moved by TIMES repetitions; a row of fs also gets another pid and another directory."""
    head, _, mono = line.rpartition(",")
    if columns is None:
        return f"{head},{int(mono) + times * span}"
    fields = head.split(",", 6)
    if len(fields) == 7:
        fields[2] = str(int(fields[2]) + 10_000 * (times % 97))
        if fields[5].startswith("/"):
            fields[5] = f"/part{times % 50}{fields[5]}"
    return ",".join(fields) + f",{int(mono) + times * span}"


def multiply(once, output, rows, streams=None):
    """Makes a session of about ROWS rows in OUTPUT, by repeating the session in ONCE, or STREAMS of it."""
    manifest = json.loads((once / "manifest.json").read_text())
    if streams:
        manifest["files"] = [f for f in manifest["files"] if f["stream"] in streams]
    span = max(f["last_mono_ns"] for f in manifest["files"]) - min(f["first_mono_ns"] for f in manifest["files"] if f["rows"]) + 1
    times = -(-rows // sum(f["rows"] for f in manifest["files"]))
    files = []
    for stream in dict.fromkeys(f["stream"] for f in manifest["files"]):
        lines = []
        for f in manifest["files"]:
            if f["stream"] == stream:
                header, *body = zstandard.ZstdDecompressor().stream_reader((once / f["path"]).read_bytes()).read().decode().splitlines()
                lines += body
        if not lines:
            continue
        (output / stream).mkdir(parents=True, exist_ok=True)
        at = 0
        while at < times:
            n = min(max(1, ROWS_IN_FILE // len(lines)), times - at)
            text = "\n".join([header] + [shifted(line, at + i, span, stream == "fs" or None) for i in range(n) for line in lines]) + "\n"
            packed = zstandard.ZstdCompressor(level=1, write_checksum=True).compress(text.encode())
            path = f"{stream}/{stream}_20260101_000000_000_{len(files) + 1:04d}.csv.zst"
            (output / path).write_bytes(packed)
            mono = [int(line.rpartition(",")[2]) for line in lines]
            files.append({"path": path, "stream": stream, "rows": n * len(lines), "raw_bytes": len(text.encode()), "compressed_bytes": len(packed),
                          "first_mono_ns": min(mono) + at * span, "last_mono_ns": max(mono) + (at + n - 1) * span, "sha256": hashlib.sha256(packed).hexdigest()})
            at += n
    manifest["files"] = files
    for stream, counts in manifest["diagnostics"]["streams"].items():
        written = sum(f["rows"] for f in files if f["stream"] == stream)
        counts.update(seen=written, written=written, filtered=0, lost=dict.fromkeys(counts["lost"], 0))
    (output / "manifest.json").write_text(json.dumps(manifest))
    return sum(f["rows"] for f in files), sum(f["raw_bytes"] for f in files), span * times


def timed(command, **options):
    """Runs COMMAND; returns elapsed seconds, CPU seconds, and its output."""
    begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(list(map(str, command)),
                          check=False, capture_output=True, text=True, **options)
    seconds, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{command}: {done.stderr}")
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def main():
    iotrc, records = sys.argv[1:3]
    rows = int(sys.argv[3]) if len(sys.argv) > 3 else 10_000_000
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as directory:
        work = pathlib.Path(directory)
        session = work / "session"
        made, raw, span = multiply(replay(iotrc, records, work), session, rows)
        print(f"{made:,} rows, {raw / 1e6:,.0f} MB of CSV, on {os.cpu_count()} CPUs", flush=True)
        (work / "node_modules").symlink_to(MODULES)
        (work / "report.mjs").write_text((TOP / "bench/report.mjs").read_text())
        views = subprocess.run([sys.executable, "-m", "iotrc", session], check=True, capture_output=True, text=True,
                               env={**os.environ, "PYTHONPATH": str(TOP / "python")}).stdout
        (work / "views.sql").write_text(views)
        best = {}
        for _ in range(rounds):
            for name, command in (("iotrc report", [iotrc, "report", session, "-f", "-o", work / "report.html"]),
                                  ("DuckDB", ["node", work / "report.mjs", work / "views.sql"])):
                seconds, cpu, out = timed(command, cwd=work)
                print(f"  {name:14}{seconds:8.1f} s {cpu:8.1f} s of CPU", flush=True)
                best[name] = min(best.get(name, (1e9, 0)), (seconds, cpu))
                if name == "DuckDB":
                    theirs = json.loads(out)
        page = (work / "report.html").read_text()
        data = json.loads(re.search('id="data">(.*?)</script>', page)[1])
        ours = {r["name"]: (r["rows"], r["bytes_read"], r["bytes_written"], r["failed"]) for r in data["tables"]["files"]["rows"][:20]}
        wrong = [n for n, want in ours.items() if tuple(theirs["files"].get(n, ())) != want]
        if wrong or theirs["rows"] != sum(s["read"] for s in data["integrity"]["streams"].values() ):
            sys.exit(f"the two differ: {wrong[:3]}")
        print(f"the page has {len(page) / 1e6:.1f} MB; the 20 heaviest files have the same rows and bytes in both")
        print(f"best of {rounds}: iotrc report {best['iotrc report'][0]:.1f} s, DuckDB {best['DuckDB'][0]:.1f} s")
        if best["iotrc report"][0] > best["DuckDB"][0]:
            sys.exit("iotrc report takes longer")


if __name__ == "__main__":
    main()
