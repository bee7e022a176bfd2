#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""lineage.py IOTRC BPFTOOL FLOOR [--rounds N] [--write docs/lineage.md]: what --lineage costs.

On ext4 on a loop device in memory, fio writes and reads in pieces of 4 KiB to 1 MiB. Recordings of block alone, of block
with --lineage, and none alternate. The run time of extent's programs is what the kernel counts with sysctl
kernel.bpf_stats_enabled, in the interval in which it was lowest, because other load only adds to it. The kernel's own
reading of the clock, which it does only for this count, is subtracted: the lowest time of a program that does nothing
(FLOOR). One program runs for each bio, another for each request; the kernel makes several requests of one bio, or one of
several. So the cost of a request is a run of the latter and, for each request, so many runs of the former as there were.
Intervals with requests of other disks, or smaller ones than the mean by /sys/block/DEV/stat, do not count. How many
requests ran the program for each that stat has counted is printed, too: above 1, other disks were busy. The CPU time of
fio per operation is likewise that of the round in which it was lowest; it contains neither the recorder nor kernel threads.
Pages dirtied by other programs are in the number of runs. Needs root.
"""
import argparse
import collections
import contextlib
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time

import bench as peers
from counted import PATIENCE_S, Recorder, count_time, programs_of

RECORDINGS = {"none": None, "block": ["--streams", "block", "--no-snapshots"],
              "lineage": ["--streams", "block", "--lineage", "--no-snapshots"]}
SIZE = 256 << 20
FILE = SIZE // 2
MOMENT_S = 0.02
PAGE = 4096
LIKE_THE_MEAN = 0.9
IN_FLIGHT = 3 # intervals in which a request may be on its way
Measured = collections.namedtuple("Measured", "event programs goal") # programs: {name: what it runs for}; goal: ns
REQUEST = Measured("block_rq_issue", {"on_extent_bio": "bio", "on_extent_issue": "request"}, 3000)
DIRTY = Measured("writeback_dirty_folio", {"on_extent_dirty": "page"}, 100)
# BYTES: of an operation of fio. RUNS_MIN: in the interval that counts. MEASURED is None: no program of extent may run.
Load = collections.namedtuple("Load", "words measured bytes passes runs_min options")
DIRECT = ["--ioengine=libaio", "--direct=1", "--invalidate=0"]
# No page is in the cache before, so that each operation makes a folio of its own.
BUFFERED = ["--ioengine=psync", "--invalidate=1"]
# A bio of large folios becomes dozens of requests.
LOADS = [
    Load("a request, O_DIRECT", REQUEST, PAGE, 1, 200, ["--rw=randwrite", "--iodepth=16", *DIRECT]),
    Load("a request, O_DIRECT", REQUEST, 128 << 10, 4, 50, ["--rw=write", "--iodepth=4", *DIRECT]),
    Load("a request, O_DIRECT", REQUEST, 1 << 20, 8, 10, ["--rw=write", "--iodepth=4", *DIRECT]),
    Load("a request, pages of 4 KiB", REQUEST, PAGE, 4, 10, ["--rw=write", "--end_fsync=1", *BUFFERED]),
    Load("a request, folios of up to 1 MiB", REQUEST, 1 << 20, 8, 1, ["--rw=write", "--end_fsync=1", *BUFFERED]),
    Load("a request, read-ahead", REQUEST, 1 << 20, 8, 4, ["--rw=read", *BUFFERED]),
    Load("a page made dirty, in order", DIRTY, PAGE, 1, 200, ["--rw=write", *BUFFERED]),
    Load("a page made dirty, at random", DIRTY, PAGE, 1, 200, ["--rw=randwrite", *BUFFERED]),
    Load("a page read from the cache", None, PAGE, 1, 200, ["--rw=randread", "--ioengine=psync", "--invalidate=0"]),
]
BEGIN, END = "<!-- bench: begin -->\n", "<!-- bench: end -->\n"


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class Disk:
    """ext4 in memory, without writeback during a measurement."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(dir="/dev/shm")
        with open(f"{self.dir}/image", "wb") as f:
            f.truncate(SIZE * 2)
        self.device = run("losetup", "--find", "--show", f"{self.dir}/image")
        run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", self.device)
        self.point = f"{self.dir}/point"
        os.mkdir(self.point)
        run("mount", self.device, self.point)
        self.vm = {name: pathlib.Path("/proc/sys/vm", name) for name in ("dirty_ratio", "dirty_background_ratio")}
        self.before = {name: path.read_text() for name, path in self.vm.items()}
        self.vm["dirty_ratio"].write_text("90")
        self.vm["dirty_background_ratio"].write_text("80")
        run("dd", "if=/dev/zero", f"of={self.point}/file", "bs=1M", f"count={FILE >> 20}", "conv=fsync")

    def end(self):
        for name, path in self.vm.items():
            path.write_text(self.before[name])
        run("umount", self.point)
        run("losetup", "-d", self.device)
        run("rm", "-r", self.dir)

    def start(self, load):
        """Begins to do each part of the file once in a pass."""
        return subprocess.Popen(["fio", "--name=job", f"--filename={self.point}/file", f"--size={FILE}",
                                 f"--bs={load.bytes}", f"--loops={load.passes}", "--overwrite=1", "--randseed=7",
                                 "--output-format=json", *load.options], stdout=subprocess.PIPE, text=True)

    def fio(self, load):
        """Does it; returns ns of CPU for an operation."""
        job, = json.loads(self.start(load).communicate()[0])["jobs"]
        return (job["usr_cpu"] + job["sys_cpu"]) / 100 * job["job_runtime"] * 1e6 / operations(load)

    def moved(self):
        """(requests that have been read and written, their KiB, requests so far); see Documentation/block/stat.rst."""
        stat = [int(n) for n in pathlib.Path("/sys/block", os.path.basename(self.device), "stat").read_text().split()]
        return stat[0] + stat[4], (stat[2] + stat[6]) / 2, stat[0] + stat[4] + stat[8]


def operations(load):
    return FILE // load.bytes * load.passes


def is_of(load, name):
    """Whether a program is one of those that the load runs; or of the cached reads, must not run."""
    return name in load.measured.programs if load.measured else name.startswith("on_extent")


class Nothing:
    """A program that does nothing, on EVENT."""

    def __init__(self, floor, event):
        self.proc = subprocess.Popen([floor, "nothing", event], stdout=subprocess.PIPE, text=True)
        if self.proc.stdout.readline() != "ready\n":
            raise SystemExit(f"{floor} nothing {event} does not run")

    def end(self):
        self.proc.terminate()
        self.proc.wait(PATIENCE_S)


def run_ns(before, after, number):
    """(ns for one run of the program NUMBER between two readings of the counters, runs)."""
    ns, runs = (b - a for a, b in zip(before[number][1:], after[number][1:]))
    return ns / max(runs, 1), runs


# For a request or page. EACH: {name of a program: (its runs, ns of one)}; KIB: of a request; RUNS: of the last program, for
# each request or operation that was counted otherwise
Cost = collections.namedtuple("Cost", "ns clock each kib runs")


def readings(disk, fio, pids):
    """[({id of a program: counts}, disk.moved())] each MOMENT_S until FIO has ended."""
    seen = []
    while not seen or fio.poll() is None:
        time.sleep(MOMENT_S if seen else 0)
        seen.append(({number: counts for pid in pids for number, counts in programs_of(pid).items()}, disk.moved()))
    return seen


def kib_moved(before, after):
    """(requests, KiB of one) between two readings."""
    requests, kib, _ = (b - a for a, b in zip(before[1], after[1]))
    return requests, kib / max(requests, 1)


def of_large_requests(intervals, issue, kib):
    """Those of INTERVALS with requests to the disk alone, of the size KIB. The kernel counts the size when a request
    completes, which may be in the intervals that follow. ISSUE is the program that runs for each."""
    large = [kib_moved(*pair)[1] >= LIKE_THE_MEAN * kib for pair in intervals]
    return [pair for at, pair in enumerate(intervals) if all(large[at:at + IN_FLIGHT])
            and run_ns(pair[0][0], pair[1][0], issue)[1] * LIKE_THE_MEAN <= pair[1][1][2] - pair[0][1][2]]


def least_ns(intervals, numbers, runs_min):
    """{program: ns for one run in the interval in which that was least}, of intervals with enough runs."""
    least = {}
    for before, after in intervals:
        for number in numbers:
            ns, runs = run_ns(before[0], after[0], number)
            if runs >= runs_min:
                least[number] = min(least.get(number, ns), ns)
    return least


def cost(recorder, nothing, names, disk, load):
    """Runs LOAD; returns the Cost of the programs {id: name}, or None: no interval tells it."""
    fio = disk.start(load)
    seen = readings(disk, fio, [one.proc.pid for one in (recorder, nothing) if one])
    runs = {number: run_ns(seen[0][0], seen[-1][0], number)[1] for number in names}
    requests, kib = kib_moved(seen[0], seen[-1])
    if not load.measured:
        return Cost(0, 0, {}, kib, sum(runs.values()) / operations(load))
    empty, intervals = list(programs_of(nothing.proc.pid)), list(zip(seen, seen[1:]))
    last = next(number for number, name in names.items() if name == list(load.measured.programs)[-1])
    if load.measured is REQUEST:
        intervals = of_large_requests(intervals, last, kib)
    least = least_ns(intervals, [*names, *empty], load.runs_min)
    if any(number not in least for number in [*names, *empty]):
        return None
    clock = sum(least[number] for number in empty)
    counted = {number: sum(run_ns(a[0], b[0], number)[1] for a, b in intervals) for number in names}
    each = {name: (counted[number] / counted[last], least[number] - clock) for number, name in names.items()}
    times = requests if load.measured is REQUEST else operations(load)
    return Cost(sum(runs * ns for runs, ns in each.values()), clock, each, kib, runs[last] / times)


def counted_cost(recorder, names, floor, disk, load):
    """The cost of LOAD while the kernel counts, which is not in the slow-down."""
    run("sync", "-f", disk.point)
    with contextlib.ExitStack() as ends:
        ends.callback(os.close, count_time())
        nothing = Nothing(floor, load.measured.event) if load.measured else None
        if nothing:
            ends.callback(nothing.end)
        return cost(recorder, nothing, {number: name for number, name in names.items() if is_of(load, name)}, disk, load)


def measure(iotrc, bpftool, floor, rounds):
    """{(index in LOADS, recording): [ns of fio's CPU for an operation]}, {index: [Cost]}."""
    took = {(at, name): [] for at in range(len(LOADS)) for name in RECORDINGS}
    spent = {at: [] for at in range(len(LOADS))}
    disk = Disk()
    try:
        for _ in range(rounds):
            for name, options in RECORDINGS.items():
                with tempfile.TemporaryDirectory(dir="/dev/shm") as dir:
                    with contextlib.ExitStack() as ends:
                        recorder = Recorder(iotrc, options, dir) if options else None
                        if recorder:
                            ends.callback(recorder.end)
                        names = recorder.names(bpftool) if recorder else {}
                        for at, load in enumerate(LOADS):
                            run("sync", "-f", disk.point)
                            took[at, name].append(disk.fio(load))
                            if name == "lineage":
                                spent[at] += filter(None, [counted_cost(recorder, names, floor, disk, load)])
    finally:
        disk.end()
    return took, spent


def table(took, spent):
    """The lines of a page, and whether a goal is missed."""
    lines = ["| what | KiB | programs of `extent` | together | goal | and the clock | runs | fio's CPU | recording `block` | "
             "`--lineage` | more |\n|---|---|---|---|---|---|---|---|---|---|---|\n"]
    missed = False
    for at, load in enumerate(LOADS):
        own = {name: min(took[at, name]) for name in RECORDINGS}
        slower = [f"{own[name] / 1000:.1f} us" for name in RECORDINGS] + [f"{100 * (own['lineage'] / own['none'] - 1):.0f} %"]
        if not spent[at]:
            raise SystemExit(f"{load.words}: in no {MOMENT_S} s there were {load.runs_min} runs and no other requests; "
                             "try again with less load, or with more --rounds")
        least = min(spent[at], key=lambda cost: cost.ns)
        if load.measured:
            missed |= least.ns > load.measured.goal
            size = least.kib if load.measured is REQUEST else load.bytes / 1024
            each = " + ".join(f"{least.each[name][0]:.2f} x {least.each[name][1]:.0f} ns ({what})"
                              for name, what in load.measured.programs.items())
            cells = f"{size:.0f}", each, f"{least.ns:.0f} ns", f"{load.measured.goal} ns", f"{least.clock:.0f} ns"
        else:
            cells = f"{load.bytes / 1024:.0f}", "", "", "none", ""
        cells += f"{min(cost.runs for cost in spent[at]):.3f}",
        lines.append(f"| {load.words} | {' | '.join([*cells, *slower])} |\n")
    return "".join(lines), missed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("iotrc")
    parser.add_argument("bpftool")
    parser.add_argument("floor")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", help="a page that has a place for the table")
    args = parser.parse_args()
    load = os.getloadavg()[0]
    text, missed = table(*measure(args.iotrc, args.bpftool, args.floor, args.rounds))
    text += f"\n{args.rounds} rounds in turns, {peers.machine(load)} (`make bench-lineage`).\n"
    print(text)
    if args.write:
        page = pathlib.Path(args.write)
        page.write_text(re.sub(f"{BEGIN}.*?{END}", lambda _: BEGIN + text + END, page.read_text(), flags=re.S))
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
