# SPDX-License-Identifier: GPL-2.0-or-later
"""How one question to a fleet grows: the time, files and bytes of a lake, of the same lake compacted, and of raw CSV, all
by DuckDB; the requests and bytes that it costs in an S3 store, by ClickHouse; and how fast `iotrc export --lake` writes,
beside DuckDB's own CSV to Parquet.

fleet.py grow IOTRC PLACE MACHINES:DAYS...    makes the sessions in PLACE and prints a table
fleet.py store IOTRC PLACE MACHINES:DAYS...   the same lakes in an S3 store of its own
fleet.py export IOTRC PLACE ROWS              prints rows per second, elapsed and of CPU time

PLACE is a directory; what is in it already is not made again. $WRITE is a page that has a place for the tables."""
import concurrent.futures
import contextlib
import datetime
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOP / "tests/fleet"), str(TOP / "tests/upload")]
import generate # noqa: E402
import report # noqa: E402
from ceph import KEY, SECRET, S3cmd # noqa: E402
from counted_store import CountedStore # noqa: E402

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "iotrc/npm/fleet/node_modules"
DUCKDB = """
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
CLICKHOUSE = """
const { Session } = require("chdb");
const session = new Session();
const [before, question] = JSON.parse(require("fs").readFileSync(0, "utf8"));
for (const s of before) session.query(s);
const began = process.hrtime.bigint(), cpu = process.cpuUsage();
const rows = session.query(question, "JSONCompactEachRow").split("\\n").filter(Boolean).map(r => JSON.parse(r));
const used = process.cpuUsage(cpu);
console.log(JSON.stringify([Number(process.hrtime.bigint() - began) / 1e9, (used.user + used.system) / 1e6, rows]));
session.cleanup();
"""
QUESTION = """SELECT machine, count(*) AS calls, {}(duration_ns{}) AS p99_ns FROM {} GROUP BY machine
ORDER BY p99_ns DESC, machine"""
BY_DUCKDB, BY_CLICKHOUSE = ("quantile_disc", ", 0.99"), ("quantileExactLow(0.99)", "")
ENV = {**os.environ, "IOTRC_DUCKDB": str(CACHE / "@duckdb/node-bindings-linux-x64/libduckdb.so")}
# A machine records one session on the first day, one until the end of the week, then one each week: it is rows of the same
# recording, while the clock jumps by a day.
SPANS = [(0, 1), (1, 7), (7, 14), (14, 21), (21, 28), (28, 30)]
DAYS_MAX = 30
RECORDERS = 8 # at a time: they wait more than they compute
STREAMS = "fs,nw_epoll" # of nw_epoll only the few rows of older schemas


def ask(place, program, before, question, times=3):
    """(elapsed, CPU, rows) of the run with the median elapsed time."""
    link = place / "node_modules"
    if not link.exists():
        link.symlink_to(CACHE)
    runs = []
    for _ in range(times):
        done = subprocess.run(["node", "-e", program], cwd=place, input=json.dumps([before, question]), text=True,
                              capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr[-3000:])
        runs.append(json.loads(done.stdout))
    return sorted(runs, key=lambda r: r[0])[times // 2]


def iotrc(program, *arguments, **environment):
    """What it prints; the torn session makes the exit code 1."""
    return subprocess.run([program, *map(str, arguments)], env={**ENV, **environment}, text=True, capture_output=True,
                          check=False).stdout


def write(name, text):
    """Prints a table, and puts it into the page."""
    print(text, flush=True)
    if os.environ.get("WRITE"):
        page = pathlib.Path(os.environ["WRITE"])
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
        page.write_text(re.sub(f"{begin}.*?{end}", lambda _: begin + text + end, page.read_text(), flags=re.S))


# ---- sessions and lakes ----

class Machines:
    """So many machines' sessions, a lake of them, and the same lake compacted. They grow by days."""

    def __init__(self, program, place, machines):
        self.program, self.machines = program, machines
        self.top = place / f"{machines}-machines"
        # In two halves, of which two processes make a lake at the same time.
        self.raw = [self.top / "raw0", self.top / "raw1"]
        self.top.mkdir(parents=True, exist_ok=True)

    def known(self, name):
        path = self.top / name
        return json.loads(path.read_text()) if path.exists() else None

    def know(self, name, value):
        (self.top / f"{name}.new").write_text(json.dumps(value))
        (self.top / f"{name}.new").rename(self.top / name)

    def record(self, days):
        done = self.known("days")
        if done and done >= days:
            return
        records = generate.load(TOP / "bench/real.records.zst")
        plan = {}
        for machine, day, what, how in generate.plan(self.machines, DAYS_MAX):
            plan[machine, day] = what, how
        for first, end in SPANS:
            if first < (done or 0) or first >= days:
                continue
            for half in self.raw: # of a run that was interrupted
                for session in half.glob(f"*/*/{start_of(first):%Y%m%d}_*"):
                    shutil.rmtree(session)
            with concurrent.futures.ThreadPoolExecutor(RECORDERS) as pool:
                list(pool.map(lambda m, first=first, end=end: self.record_one(records, m, [plan[m, day] for day in range(first, end)]),
                              range(self.machines)))
            self.know("days", end)

    def record_one(self, records, machine, days):
        what, how = days[0]
        how = {**how, "streams": STREAMS}
        if len(days) > 1:
            how.update(share=sum(h["share"] for _, h in days), steps=[n * generate.DAY for n in range(1, len(days))])
        generate.make(self.program, records, self.raw[machine % 2], machine, what, how)

    def make(self, days):
        self.record(days)
        if (self.known("in the lake") or 0) >= days:
            return
        both = [subprocess.Popen([self.program, "lake", "sync", half, self.top / "lake"], env=ENV, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL) for half in self.raw]
        for process in both:
            process.wait()
        linked = set(self.known("linked") or [])
        new = [p for p in self.top.glob("lake/v=1/*/*/*/*.parquet") if str(p.relative_to(self.top / "lake")) not in linked]
        for path in new:
            name = path.relative_to(self.top / "lake")
            to = self.top / "compacted" / name
            to.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError): # the list of compactions, which may have grown
                os.link(path, to)
            linked.add(str(name))
        dates = sorted({p.parts[-3].removeprefix("date=") for p in new if p.parts[-4] != "stream=compacted"})
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda date: iotrc(self.program, "lake", "compact", self.top / "compacted", "--date", date, "--grace", "0"),
                          dates))
        self.know("linked", sorted(linked))
        self.check()
        self.know("in the lake", self.known("days"))

    def sessions(self):
        """(directory, manifest) of all but the torn one."""
        for path in [p for half in self.raw for p in half.glob("*/*/*/manifest.json")]:
            manifest = json.loads(path.read_text())
            if all(os.path.getsize(path.parent / f["path"]) == f["compressed_bytes"] for f in manifest["files"]):
                yield path.parent, manifest

    def check(self):
        """The lakes have the rows that the manifests state, lost ones included."""
        counts = [m["diagnostics"]["streams"]["fs"] for _, m in self.sessions()]
        stated = [sum(c["written"] for c in counts), sum(sum(c["lost"].values()) for c in counts), len(counts)]
        for name in "lake", "compacted":
            found = ask(self.top, DUCKDB, views(self.program, self.top / name),
                        "SELECT (SELECT count(*) FROM fs), sum(lost), count(DISTINCT (machine, session)) FROM sessions WHERE stream_name = 'fs'", 1)[2][0]
            if list(map(int, found)) != stated:
                raise RuntimeError(f"{self.top / name} has {found}, the manifests say {stated}")


def views(program, lake, engine="duckdb", **environment):
    text = iotrc(program, "lake", "views", lake, "--engine", engine, **environment)
    return [s for s in "\n".join(line for line in text.splitlines() if not line.startswith("--")).split(";\n") if s.strip()]


def start_of(day):
    return generate.FIRST_DAY + datetime.timedelta(days=day)


def day_after(days):
    return f"{start_of(days):%Y-%m-%d}" if days < DAYS_MAX else "2026-12-31"


# ---- the question ----

def files_of(lake, until):
    files = [p for p in lake.glob("v=1/stream=fs/date=*/*/*.parquet") if p.parts[-3] < f"date={until}"]
    return len(files), sum(p.stat().st_size for p in files)


def times_for(files):
    """Once, if it takes long."""
    return 3 if files < 2000 else 1


def of_lake(m, lake, until):
    source = f"fs WHERE operation = 'read' AND date < '{until}'"
    files, size = files_of(lake, until)
    return *ask(m.top, DUCKDB, views(m.program, lake), QUESTION.format(*BY_DUCKDB, source), times_for(files)), files, size


def of_csv(m, until):
    """The sessions are chosen by their names. Only the columns that are needed get types."""
    files, names = [], None
    for session, manifest in m.sessions():
        if session.name < until.replace("-", ""):
            files += [session / f["path"] for f in manifest["files"] if f["stream"] == "fs"]
            names = [c["name"] for c in manifest["streams"]["fs"]["columns"]]
    columns = ", ".join(f"'{n}': '{'UBIGINT' if n == 'duration_ns' else 'VARCHAR'}'" for n in names)
    source = (f"(SELECT split_part(csv_file, '/', -4) AS machine, operation, duration_ns FROM read_csv({list(map(str, files))!r}, "
              f"filename = 'csv_file', auto_detect = false, header = true, quote = '\"', escape = '\"', compression = 'zstd', "
              f"columns = {{{columns}}})) WHERE operation = 'read'")
    return *ask(m.top, DUCKDB, [], QUESTION.format(*BY_DUCKDB, source), times_for(len(files))), len(files), sum(map(os.path.getsize, files))


def measured(before):
    """When and beside what it was measured."""
    return (f"{datetime.date.today()}, {os.cpu_count()} CPUs, load {before[0]:.0f} at the beginning and {os.getloadavg()[0]:.0f} at the end:\n\n")


def grow(program, place, *sizes):
    load = os.getloadavg()
    table = "| machines × days | rows of fs | of | files | MB | elapsed, s | CPU, s |\n|---|---|---|---|---|---|---|\n"
    for machines, days in (map(int, s.split(":")) for s in sizes):
        m = Machines(program, place, machines)
        m.make(days)
        until = day_after(days)
        rows = ask(m.top, DUCKDB, views(program, m.top / "compacted"), f"SELECT count(*) FROM fs WHERE date < '{until}'", 1)[2][0][0]
        answers = {"raw CSV": of_csv(m, until), "a lake": of_lake(m, m.top / "lake", until), "compacted": of_lake(m, m.top / "compacted", until)}
        # A session may go on after the last of the days, in its CSV: only all of them are the same rows.
        same = answers if days == DAYS_MAX else ("a lake", "compacted")
        if any(answers[name][2] != answers["compacted"][2] for name in same):
            raise RuntimeError(f"{machines}:{days}: the answers differ")
        for name, (elapsed, cpu, _, files, size) in answers.items():
            table += f"| {machines:,} × {days} | {int(rows):,} | {name} | {files:,} | {size / 1e6:.1f} | {elapsed:.2f} | {cpu:.2f} |\n"
        print(table.splitlines()[-3:], file=sys.stderr, flush=True)
    write("growth", measured(load) + table)


# ---- in a store ----

def stored(m, s3cmd, name, until):
    """The URL of the lake in a new bucket; only what the question may need."""
    bucket = s3cmd.make_bucket()
    top = m.top / name / "v=1"
    for path in sorted(p for p in top.glob("stream=*/date=*") if p.parent.name in ("stream=fs", "stream=compacted") and p.name < f"date={until}"):
        subprocess.run(["s3cmd", "-c", s3cmd.conf, "sync", "-q", f"{path}/", f"s3://{bucket}/lake/{path.relative_to(m.top / name)}/"], check=True)
    return f"s3://{bucket}/lake"


def store(program, place, *sizes):
    load = os.getloadavg()
    table = "| machines × days | of | objects | MB | lists | reads | MB read | elapsed, s | CPU, s |\n|---|---|---|---|---|---|---|---|---|\n"
    with tempfile.TemporaryDirectory(dir=place) as work, CountedStore(pathlib.Path(work) / "ceph") as ceph:
        s3cmd = S3cmd(ceph, work)
        for machines, days in (map(int, s.split(":")) for s in sizes):
            m = Machines(program, place, machines)
            m.make(days)
            until = day_after(days)
            for name, words in ("lake", "a lake"), ("compacted", "compacted"):
                url = stored(m, s3cmd, name, until)
                before = [f"CREATE NAMED COLLECTION iotrc_lake AS url = '{ceph.endpoint}/{url[5:]}/', access_key_id = '{KEY}', "
                          f"secret_access_key = '{SECRET}'",
                          *views(program, url, "clickhouse", **ceph.environment())]
                question = QUESTION.format(*BY_CLICKHOUSE, f"fs WHERE operation = 'read' AND date < '{until}'")
                at = ceph.log()
                elapsed, cpu, rows = ask(m.top, CLICKHOUSE, before, question, 1)
                requests = ceph.requests_since(at)
                wanted = of_lake(m, m.top / name, until)[2]
                # Where 0.99 of the calls is a whole number, the engines take neighbouring ones.
                if {(r[0], int(r[1])) for r in rows} != {(r[0], int(r[1])) for r in wanted}:
                    raise RuntimeError(f"{url}: ClickHouse's answer is not DuckDB's")
                lists = [size for _, key, _, size in requests if not key]
                reads = [size for _, key, _, size in requests if key]
                files, size = files_of(m.top / name, until)
                table += (f"| {machines:,} × {days} | {words} | {files:,} | {size / 1e6:.1f} | {len(lists):,} | {len(reads):,} | "
                          f"{sum(reads) / 1e6:.1f} | {elapsed:.2f} | {cpu:.2f} |\n")
                print(table.splitlines()[-1], file=sys.stderr, flush=True)
    write("store", measured(load) + table)


# ---- export ----

def export(program, place, rows):
    """In turns, on the same session. DuckDB's own COPY guesses types, converts no times and sorts nothing."""
    load = os.getloadavg()
    once = generate.record(program, generate.load(TOP / "bench/real.records.zst"), place / "raw", 0, generate.FIRST_DAY)
    session = place / "many" / once.name
    session.mkdir(parents=True)
    rows, _, _ = report.multiply(once, session, int(rows), ["fs"])
    copy = (f"COPY (SELECT * FROM read_csv('{session}/fs/*.csv.zst', header = true)) TO '{place}/own.parquet' "
            "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)")
    runs = {"`iotrc export --lake`": [], "DuckDB's own COPY": []}
    for i in range(3):
        command = [program, "export", str(session), "--to", "parquet", "--lake", str(place / f"speed{i}")]
        runs["`iotrc export --lake`"].append(report.timed(command, env=ENV)[:2])
        runs["DuckDB's own COPY"].append(ask(place, DUCKDB, [], copy, 1)[:2])
    table = "| | rows of fs | rows/s | rows/s and core |\n|---|---|---|---|\n"
    for name, times in runs.items():
        elapsed, cpu = (statistics.median(t[i] for t in times) for i in (0, 1))
        table += f"| {name} | {rows:,} | {rows / elapsed:,.0f} | {rows / cpu:,.0f} |\n"
    write("export", measured(load) + table)


if __name__ == "__main__":
    {"grow": grow, "store": store, "export": export}[sys.argv[1]](sys.argv[2], pathlib.Path(sys.argv[3]), *sys.argv[4:])
