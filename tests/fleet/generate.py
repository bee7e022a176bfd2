# SPDX-License-Identifier: GPL-2.0-or-later
"""A fleet's sessions: recorded operations of real programs (bench/*.records.zst), replayed by iotrc itself as other
machines at other times. What no replay can make (losses, an older recorder, a torn file) is changed afterwards.

generate.py IOTRC RECORDS DIRECTORY MACHINES DAYS [OTHERS]: prints what each session is, as JSON lines."""
import concurrent.futures
import datetime
import hashlib
import itertools
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

STREAMS = "fs,block,nw_conn,nw_epoll,nw_sockopt"
FIRST_DAY = datetime.datetime(2026, 11, 2, tzinfo=datetime.timezone.utc)
EVENT, CLOCK, DAY = 2, 3, 86_400 * 10**9
SPECIAL = ["torn", "losses", "step", "midnight", "schema 0", "schema 1", "schema 2", "key A", "key B"]
# With another machine-id, at another time.
AS_ANOTHER = 'mount --bind "$1" /etc/machine-id && time=$2 && shift 2 && exec faketime -f "$time" "$@"'


class Records:
    """A file of `iotrc dev --keep-records`: a head, then entries of (size, kind) and as many bytes, padded to 8."""

    def __init__(self, data):
        self.data = data
        for start in range(16, 1 << 14, 8):
            self.all = list(self.entries(data, start))
            if self.all and self.all[-1][2] == len(data):
                # The first clock: monotonic time, and what is to be added to it.
                self.clock = next(struct.unpack_from("=Qq", data, at + 8) for kind, at, _ in self.all if kind == CLOCK)
                return
        raise ValueError("no records")

    @staticmethod
    def entries(data, at):
        while at + 8 <= len(data):
            size, kind = struct.unpack_from("=II", data, at)
            end = at + 8 + size + -size % 8
            if kind not in (1, EVENT, CLOCK) or end > len(data) or size > 1 << 16:
                return
            yield kind, at, end
            at = end

    def as_of(self, start_ns, share, steps=()):
        """The first SHARE of them, as if they had begun at START_NS. STEPS: by how many ns the clock is off what it was at the
        start, in the second of as many equal parts, and in the following ones."""
        shift = start_ns - sum(self.clock)
        kept = self.all[:int(len(self.all) * share)]
        out = bytearray(self.data[:kept[-1][2]])
        for kind, at, _ in kept:
            if kind == CLOCK:
                mono, offset = struct.unpack_from("=Qq", self.data, at + 8)
                struct.pack_into("=Qq", out, at + 8, mono, offset + shift)
        for n, step in reversed(list(enumerate(steps, 1))):
            before = kept[:len(kept) * n // (len(steps) + 1) + 1]
            # An event is its type, its flags, then its time.
            latest = max(struct.unpack_from("=Q", self.data, at + 16)[0] for kind, at, _ in before if kind == EVENT)
            end = before[-1][2]
            out[end:end] = struct.pack("=IIQq", 16, CLOCK, latest + 1, self.clock[1] + shift + step)
        return bytes(out)


def record(iotrc, records, out, machine, start, share=1.0, steps=(), key=None, streams=STREAMS):
    """A session of MACHINE that began at START. Its directory."""
    top = pathlib.Path(out).parent / "work"
    top.mkdir(exist_ok=True, parents=True)
    machine_id = hashlib.md5(f"machine {machine}".encode()).hexdigest()
    anonymize = ["-a", "--state", str(top / f"key{key}")] if key is not None else []
    with tempfile.TemporaryDirectory(dir=top) as work:
        work = pathlib.Path(work)
        (work / "records").write_bytes(records.as_of(int(start.timestamp()) * 10**9, share, steps))
        (work / "machine-id").write_text(machine_id + "\n")
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", AS_ANOTHER, "sh", work / "machine-id", f"@{start:%Y-%m-%d %H:%M:%S}", iotrc, "dev",
             "--replay", work / "records", "--streams", streams, "-q", "-o", out, *anonymize],
            env={**os.environ, "TZ": "UTC"}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return pathlib.Path(done.stdout.strip())


def change(session, edit):
    path = session / "manifest.json"
    manifest = json.loads(path.read_text())
    edit(manifest)
    path.write_text(json.dumps(manifest))


def waits(session, missing):
    """Adds rows of nw_epoll, which these records have none of, as a recorder wrote them that did not have the MISSING
    columns before the last."""
    def edit(m):
        columns = m["streams"]["nw_epoll"]["columns"]
        del columns[len(columns) - 1 - missing:-1]
        m["tracer"]["version"] = f"0.0.{9 - missing}"
        first = min(f["first_mono_ns"] for f in m["files"])
        offset = next(o for o in reversed(m["clock"]["offsets"]) if o["from_mono_ns"] <= first or o is m["clock"]["offsets"][0])
        wall = datetime.datetime.fromtimestamp((first + offset["mono_to_real_offset_ns"]) // 1000 / 10**6, datetime.timezone.utc)
        row = {"timestamp": f"{wall:%Y-%m-%d %H:%M:%S.%f}", "event_type": "EPOLL_WAIT", "pid": "1", "tid": "1",
               "command": "waiter", "errno": "EINTR", "return_value": "-4", "latency_ns": "77", "mono_ns": str(first)}
        names = [c["name"] for c in columns]
        raw = "\n".join([",".join(names), *[",".join(row.get(n, "") for n in names)] * 5, ""]).encode()
        data = subprocess.run(["zstd", "-qc", "--check"], input=raw, capture_output=True, check=True).stdout
        path = f"nw_epoll/nw_epoll_{session.name}_0001.csv.zst"
        (session / path).parent.mkdir()
        (session / path).write_bytes(data)
        m["files"].append({"path": path, "stream": "nw_epoll", "rows": 5, "raw_bytes": len(raw), "compressed_bytes": len(data),
                           "sha256": hashlib.sha256(data).hexdigest(), "first_mono_ns": first, "last_mono_ns": first})
        counts = m["diagnostics"]["streams"]["nw_epoll"]
        counts["seen"] = counts["written"] = 5
    change(session, edit)


def lose(session, rows):
    def edit(m):
        counts = m["diagnostics"]["streams"]["fs"]
        counts["lost"]["ring"] += rows
        counts["seen"] += rows
    change(session, edit)


def tear(session):
    file = max(session.glob("fs/*.zst"), key=lambda p: p.stat().st_size)
    file.write_bytes(file.read_bytes()[:file.stat().st_size // 2])


def plan(machines, days):
    """(machine, day, what is special about the session, arguments of record()) for each machine and day. What is special
    comes in a fixed order, from the first machine on; what is ordinary, by chance with a fixed seed."""
    chance = random.Random(20)
    for machine in range(machines):
        for day in range(days):
            start = FIRST_DAY + datetime.timedelta(days=day, seconds=chance.randrange(86_000))
            what, how = "ordinary", {"start": start, "share": chance.uniform(0.02, 0.1)}
            if day == 0 and machine < len(SPECIAL):
                what = SPECIAL[machine]
            if what == "step": # back over midnight
                how.update(start=start.replace(hour=12), steps=[-DAY])
            elif what == "midnight":
                how.update(start=start.replace(hour=23, minute=59, second=30), steps=[40 * 10**9])
            elif what.startswith("key"):
                how["key"] = what[-1]
            yield machine, day, what, how


def make(iotrc, records, out, machine, what, how):
    """The directory of one session of a plan."""
    session = record(iotrc, records, out, machine, **how)
    if what == "torn":
        tear(session)
    elif what == "losses":
        lose(session, 1234)
    elif what.startswith("schema"):
        waits(session, int(what[-1]))
    return session


def generate(iotrc, records, out, machines, days, others=None):
    """MACHINES' sessions of DAYS, below OUT, as planned. Yields the directory of each, and what is special about it.
    OTHERS: the records of every fifth machine, as far as it is not special."""
    def of_machine(group):
        made = []
        for machine, _, what, how in group:
            kept = records
            if others and what == "ordinary" and machine % 5 == 4:
                kept, how["share"] = others, min(10 * how["share"], 1)
            made.append((make(iotrc, kept, out, machine, what, how), what))
        return made

    by_machine = [list(group) for _, group in itertools.groupby(plan(machines, days), lambda planned: planned[0])]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for made in pool.map(of_machine, by_machine):
            yield from made


def load(path):
    return Records(subprocess.run(["zstd", "-dqc", path], capture_output=True, check=True).stdout)


if __name__ == "__main__":
    program, first, directory, many, long, *second = sys.argv[1:]
    for made, kind in generate(program, load(first), pathlib.Path(directory), int(many), int(long), *map(load, second)):
        print(json.dumps({"session": str(made), "what": kind}), flush=True)
