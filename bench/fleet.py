# SPDX-License-Identifier: GPL-2.0-or-later
"""How one question to a fleet grows: the time, files and bytes of a lake, of the same lake compacted, and of raw CSV, all
by DuckDB; and how fast `iotrc export --lake` writes, beside DuckDB's own CSV to Parquet.

fleet.py grow IOTRC PLACE MACHINES:DAYS...   makes the sessions of the largest DAYS of each MACHINES in PLACE and prints
                                             a row for each MACHINES:DAYS
fleet.py export IOTRC PLACE ROWS             prints rows per second, elapsed and of CPU time

PLACE is a directory; what is in it already is not made again."""
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "tests/fleet"))
import generate # noqa: E402
import report # noqa: E402

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "iotrc/npm/fleet/node_modules"
NODE = """
const { DuckDBInstance } = require("@duckdb/node-api");
(async () => {
    const c = await (await DuckDBInstance.create(":memory:")).connect();
    const [before, question] = JSON.parse(require("fs").readFileSync(0, "utf8"));
    for (const s of before) await c.run(s);
    const began = process.hrtime.bigint(), cpu = process.cpuUsage();
    const rows = (await c.runAndReadAll(question)).getRowsJson();
    const used = process.cpuUsage(cpu);
    console.log(JSON.stringify([Number(process.hrtime.bigint() - began) / 1e9, (used.user + used.system) / 1e6, rows]));
})().catch(e => { console.error(String(e)); process.exit(1); });
"""
QUESTION = """SELECT machine, count(*) AS calls, quantile_disc(duration_ns, 0.99) AS p99_ns FROM {} GROUP BY machine
ORDER BY p99_ns DESC, machine"""
ENV = {**os.environ, "IOTRC_DUCKDB": str(CACHE / "@duckdb/node-bindings-linux-x64/libduckdb.so")}


def duckdb(place, before, question, times=3):
    """(elapsed, CPU, rows) of the run with the median elapsed time."""
    link = place / "node_modules"
    if not link.exists():
        link.symlink_to(CACHE)
    runs = []
    for _ in range(times):
        done = subprocess.run(["node", "-e", NODE], cwd=place, input=json.dumps([before, question]), text=True,
                              capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        runs.append(json.loads(done.stdout))
    return sorted(runs, key=lambda r: r[0])[times // 2]


def iotrc(program, *arguments):
    """What it prints; the torn session makes the exit code 1."""
    return subprocess.run([program, *map(str, arguments)], env=ENV, text=True, capture_output=True, check=False).stdout


def made(program, place, machines, days):
    """The raw sessions and the lake of them, compacted and not."""
    top = place / f"{machines}x{days}"
    if not (top / "lake").exists():
        records = generate.load(TOP / "bench/real.records.zst")
        for _ in generate.generate(program, records, top / "raw", machines, days):
            pass
        iotrc(program, "lake", "sync", top / "raw", top / "lake")
    if not (top / "compacted").exists():
        shutil.copytree(top / "lake", top / "compacted")
        for day in sorted((top / "compacted/v=1/stream=fs").glob("date=*")):
            iotrc(program, "lake", "compact", top / "compacted", "--date", day.name[5:], "--grace", "0")
    return top


def views(program, lake):
    text = iotrc(program, "lake", "views", lake, "--engine", "duckdb")
    return [s for s in "\n".join(line for line in text.splitlines() if not line.startswith("--")).split(";\n") if s.strip()]


def of_lake(program, place, lake, until):
    files = [p for p in lake.glob("v=1/stream=fs/date=*/*/*.parquet") if p.parts[-3] < f"date={until}"]
    source = f"fs WHERE operation = 'read' AND date < '{until}'"
    return *duckdb(place, views(program, lake), QUESTION.format(source)), len(files), sum(p.stat().st_size for p in files)


def of_csv(place, raw, until):
    """All but the torn one; its sessions are chosen by their names."""
    files = []
    for manifest in raw.glob("*/*/*/manifest.json"):
        session = manifest.parent
        if session.name < until.replace("-", ""):
            stated = json.loads(manifest.read_text())["files"]
            paths = [(session / f["path"], f["compressed_bytes"]) for f in stated if f["stream"] == "fs"]
            if all(p.stat().st_size == size for p, size in paths):
                files += [str(p) for p, _ in paths]
    source = (f"(SELECT split_part(csv_file, '/', -4) AS machine, operation, duration_ns FROM read_csv({files!r}, filename = 'csv_file', "
              "header = true, quote = '\"', escape = '\"', all_varchar = false, union_by_name = true, "
              "types = {'inode': 'UBIGINT', 'mono_ns': 'UBIGINT', 'address': 'VARCHAR', 'errno': 'VARCHAR'})) "
              "WHERE operation = 'read'")
    return *duckdb(place, [], QUESTION.format(source)), len(files), sum(os.path.getsize(f) for f in files)


def grow(program, place, *sizes):
    pairs = [tuple(map(int, s.split(":"))) for s in sizes]
    print("| machines × days | rows of fs | of | files | MB | elapsed, s | CPU, s |\n|---|---|---|---|---|---|---|")
    for machines, days in pairs:
        top = made(program, place, machines, max(d for m, d in pairs if m == machines))
        until = f"2026-11-{2 + days:02}" if days < 29 else "2026-12-31"
        rows = duckdb(place, views(program, top / "lake"), f"SELECT count(*) FROM fs WHERE date < '{until}'")[2][0][0]
        for name, answer in (("raw CSV", of_csv(place, top / "raw", until)),
                             ("a lake", of_lake(program, place, top / "lake", until)),
                             ("compacted", of_lake(program, place, top / "compacted", until))):
            elapsed, cpu, _, files, size = answer
            print(f"| {machines} × {days} | {int(rows):,} | {name} | {files:,} | {size / 1e6:.1f} | {elapsed:.2f} | {cpu:.2f} |", flush=True)


def export(program, place, rows):
    """In turns, on the same session. DuckDB's own COPY guesses types, converts no times and sorts nothing."""
    once = generate.record(program, generate.load(TOP / "bench/real.records.zst"), place / "raw", 0, generate.FIRST_DAY)
    session = place / "many" / once.name
    session.mkdir(parents=True)
    rows, _, _ = report.multiply(once, session, int(rows), ["fs"])
    copy = (f"COPY (SELECT * FROM read_csv('{session}/fs/*.csv.zst', header = true)) TO '{place}/own.parquet' "
            "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)")
    runs = {"iotrc export --lake": [], "DuckDB's own COPY": []}
    for i in range(3):
        command = [program, "export", str(session), "--to", "parquet", "--lake", str(place / f"speed{i}")]
        runs["iotrc export --lake"].append(report.timed(command, env=ENV)[:2])
        runs["DuckDB's own COPY"].append(duckdb(place, [], copy, 1)[:2])
    print("| | rows of fs | rows/s | rows/s and core |\n|---|---|---|---|")
    for name, times in runs.items():
        elapsed, cpu = (statistics.median(t[i] for t in times) for i in (0, 1))
        print(f"| {name} | {rows:,} | {rows / elapsed:,.0f} | {rows / cpu:,.0f} |")


if __name__ == "__main__":
    {"grow": grow, "export": export}[sys.argv[1]](sys.argv[2], pathlib.Path(sys.argv[3]), *sys.argv[4:])
