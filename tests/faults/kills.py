#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""kills.py IOTRC WORKLOADS [N]: kills N recorders (200) under load, one after another, at random moments.

The oracles are a writer (tests/workloads/numbered.c), which numbers its operations by their offset and notes when
each was done, and zstd(1) and Python's hashlib, not iotrc. After each kill:

- every row in the .part files, as `zstd -dc` gives them, is whole;
- every operation that was done between the line on stdout and a second before the kill (and the time that the
  recorder waited for a CPU) has its row, and none has two;
- `iotrc recover`, itself killed now and then, leaves sessions in which nothing is unfinished, each file
  reads whole (`zstd -t`) and is what the manifest says, no row has come or gone, and `iotrc verify` passes.

Kills hit the start, the recording and the end. Ends with a line `N passed, N failed`.
"""
import collections
import concurrent.futures
import contextlib
import csv
import hashlib
import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time

SECOND = 10**9
HANG = 60  # seconds


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


class Fault(Exception):
    pass


def check(truth, what):
    if not truth:
        raise Fault(what)


class Writer:
    """Runs the writer; parses its log of numbered operations and their times."""

    N = 60_000_000

    def __init__(self, workloads, directory):
        self.path = directory / "numbered"
        self.stamps = directory / "stamps"
        self.process = subprocess.Popen(
            [f"{workloads}/numbered", self.path, self.stamps, str(self.N), "1000"]
        )
        self.done = 0  # operations before this one are not asked for any more

    def between(self, begin, end):
        """The numbers of the operations that began after BEGIN and were done before END."""
        numbers = []
        with open(self.stamps, "rb") as f:
            i = self.done
            f.seek(8 * i)
            last = 0
            while True:
                data = f.read(8 << 13)
                if not data:
                    return numbers
                for (stamp,) in struct.iter_unpack("<Q", data):
                    if not stamp or stamp > end:
                        return numbers
                    if last > begin:
                        numbers.append(i)
                    else:
                        self.done = i
                    last = stamp
                    i += 1

    def stop(self):
        self.process.kill()
        self.process.wait()


def read_part(path):
    """The rows of a file, without the header, as zstd(1) gives them."""
    done = subprocess.run(["zstd", "-dcq"], stdin=open(path, "rb"), capture_output=True)
    check(not done.stdout or done.stdout.endswith(b"\n"), f"{path}: ends within a row")
    return done.stdout.splitlines()[1:]


def rows_of(session, ends):
    rows = collections.defaultdict(list)
    for path in sorted(session.rglob("*")):
        if path.name.endswith(ends):
            rows[path.parent.name] += read_part(path)
    return rows


def numbers_of(lines, path):
    """The offsets of the rows about PATH; checks that each fs row has its 23 fields."""
    numbers = []
    name = str(path).encode()
    for line in lines:
        if name in line:
            row = next(csv.reader([line.decode()]))
            check(len(row) == 23, f"a row of {len(row)} fields: {line}")
            if row[1] == "write" and row[5] == str(path):
                numbers.append(int(row[7]))
    return numbers


def reported_lost(rows):
    return sum(int(line.split(b",")[3]) for line in rows["lost"] if line.split(b",")[1] == b"fs")


def check_recovered(iotrc, session, before):
    manifest = json.loads((session / "manifest.json").read_text())
    check(manifest["session"]["state"] in ("recovered", "complete"), manifest["session"])
    there = {str(p.relative_to(session)) for p in session.rglob("*") if p.is_file()}
    there.discard("containers.json") # where the machine has containers
    listed = {f["path"] for f in manifest["files"]}
    spec = {s["path"] for s in manifest.get("system_spec", [])}
    check(there == listed | spec | {"manifest.json", ".lock"}, f"there and listed: {there ^ (listed | spec)}")
    for f in manifest["files"]:
        data = (session / f["path"]).read_bytes()
        check(hashlib.sha256(data).hexdigest() == f["sha256"], f"{f['path']}: sha256")
        check(len(data) == f["compressed_bytes"], f"{f['path']}: compressed_bytes")
        done = subprocess.run(["zstd", "-tq", session / f["path"]], capture_output=True)
        check(done.returncode == 0, f"{f['path']}: {done.stderr}")
    after = rows_of(session, ".csv.zst")
    for stream, rows in before.items():
        check(sorted(after[stream]) == sorted(rows), f"{stream}: {len(rows)} rows became {len(after[stream])}")
    done = subprocess.run([iotrc, "verify", session], capture_output=True, text=True)
    check(done.returncode == 0, done.stdout + done.stderr)
    return after


def recover(iotrc, out):
    if random.random() < 0.5:
        victim = subprocess.Popen([iotrc, "recover", out], stdout=subprocess.DEVNULL)
        time.sleep(random.random() * 0.02)
        victim.kill()
        victim.wait()
    done = subprocess.run([iotrc, "recover", out], capture_output=True, text=True, timeout=HANG)
    check(done.returncode == 0, done.stdout + done.stderr)


def waited_for_cpu(pid):
    """For how many ns the threads on the way of a row were runnable but not running. On a machine that is busy with
    something else, the recorder has less than a second per second."""
    waited = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError): # a thread that has ended meanwhile
            if (task / "comm").read_text().strip() in ("iotrc-reader", "iotrc-writer"):
                waited += int((task / "schedstat").read_text().split()[1])
    return waited


class Round:
    def __init__(self, iotrc, out, writer, number):
        self.when = ("start", "recording", "recording", "recording", "end")[number % 5]
        self.late = number % 5 == 2
        self.writer = writer
        self.iotrc = iotrc
        self.out = out
        self.command = [iotrc, "-q", "-o", out, "--rotate-rows", str(random.choice((5000, 10**9)))]
        if number % 4:
            self.command.append("--no-snapshots")

    def record(self):
        """Records until it is killed; returns the session's directory, or None if there was none yet."""
        process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.ready = 0
        if self.when == "start":
            time.sleep(random.random() * 0.6)
        else:
            line = process.stdout.readline()
            check(line.endswith(b"\n"), "no session")
            self.ready = now()
            time.sleep(0.1 + random.random() * 1.6)
            if self.late: # so that there are operations to look for, however busy the machine is
                end = time.monotonic() + HANG
                while now() < self.ready + 1.5 * SECOND + waited_for_cpu(process.pid) and time.monotonic() < end:
                    time.sleep(0.05)
        if self.when == "end":
            process.send_signal(signal.SIGINT)
            time.sleep(random.random() * 0.05)
        self.waited = waited_for_cpu(process.pid)
        self.killed = now()
        process.kill()
        line = line if self.ready else process.stdout.readline()
        process.wait(HANG)
        process.stdout.close()
        if not self.ready:
            self.ready = now()
        sessions = sorted(self.out.glob("*/*/*"))
        return sessions[-1] if sessions else None

    def judge(self, session):
        """Checks the rows; returns how many had to be there."""
        if not session:
            return 0
        rows = rows_of(session, (".csv.zst", ".part"))
        numbers = numbers_of(rows["fs"], self.writer.path)
        have = set(numbers)
        check(len(have) == len(numbers), "a row is there twice")
        old = self.writer.between(self.ready, self.killed - SECOND - self.waited)
        missing = [n for n in old if n not in have]
        check(
            len(missing) <= reported_lost(rows),
            f"{len(missing)} of {len(old)} rows are missing ({self.when}, {self.command[4:]}): "
            f"operations {missing[:1]} to {missing[-1:]}",
        )
        recover(self.iotrc, self.out)
        if session.exists():
            check_recovered(self.iotrc, session, rows)
        else:
            check(not any(rows.values()), "recover has removed a session with rows")
        subprocess.run(["rm", "-rf", self.out], check=True)
        return len(old)


class Score:
    def __init__(self):
        self.passed = self.failed = self.rows = 0

    def settle(self, number, judgement):
        try:
            self.rows += judgement.result()
            self.passed += 1
        except Fault as fault:
            self.failed += 1
            print(f"kill {number}: {fault}", flush=True)


def main():
    iotrc, workloads = sys.argv[1:3]
    kills = int(sys.argv[3]) if len(sys.argv) > 3 else 200
    seed = int(os.environ.get("SEED", time.time()))
    random.seed(seed)
    print(f"{kills} kills (SEED={seed})", flush=True)
    score = Score()
    judgement = None
    with tempfile.TemporaryDirectory(prefix="iotrc-kills-") as directory:
        directory = pathlib.Path(directory)
        writer = Writer(workloads, directory)
        try:
            # The session of the previous kill is checked while the next one is recorded.
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                for number in range(kills):
                    kill = Round(iotrc, directory / f"out{number}", writer, number)
                    session = kill.record()
                    if judgement:
                        score.settle(number - 1, judgement)
                    judgement = pool.submit(kill.judge, session)
                    check(writer.process.poll() is None, "the writer ended")
                score.settle(kills - 1, judgement)
        finally:
            writer.stop()
    print(f"{score.rows} rows older than a second were looked for")
    print(f"{score.passed} passed, {score.failed} failed")
    return score.failed != 0 or not score.rows


if __name__ == "__main__":
    sys.exit(main())
