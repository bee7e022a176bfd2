#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""lineage.py IOTRC BPFTOOL FLOOR [--rounds N] [--write docs/lineage.md]: what --lineage costs.

On ext4 on a loop device in memory, fio writes in pieces of 4 KiB. Recordings of block alone, of block with --lineage,
and none alternate. The run time of extent's programs is what the kernel counts with sysctl kernel.bpf_stats_enabled, in
the interval in which it was lowest, because other load only adds to it. The kernel's own reading of the clock, which it
does only for this count, is subtracted: the lowest time of a program that does nothing (FLOOR). The CPU time of fio per
operation is likewise that of the round in which it was lowest; it contains neither the recorder nor kernel threads. Pages
dirtied by other programs are counted, too: see the number of runs. Needs root.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time

from counted import PATIENCE_S, Recorder, count_time, programs_of

RECORDINGS = {"none": None, "block": ["--streams", "block", "--no-snapshots"],
              "lineage": ["--streams", "block", "--lineage", "--no-snapshots"]}
SIZE = 256 << 20
FILE = SIZE // 2
COUNT = FILE // 4096
MOMENT_S, RUNS_MIN = 0.02, 200
GOALS = {"request": 3000, "ordered": 100, "dirty": 100} # ns
PROGRAMS = {"request": ["on_extent_bio", "on_extent_issue"], "dirty": ["on_extent_dirty"]}
PROGRAMS["ordered"] = PROGRAMS["dirty"]
EVENTS = {"request": "block_rq_issue", "ordered": "writeback_dirty_folio",
          "dirty": "writeback_dirty_folio"}
LOADS = {
    "request": ["--rw=randwrite", "--ioengine=libaio", "--direct=1", "--iodepth=16", "--invalidate=0"],
    # No page is in the cache before, so that each becomes a folio of its own.
    "ordered": ["--rw=write", "--ioengine=psync", "--invalidate=1"],
    "dirty": ["--rw=randwrite", "--ioengine=psync", "--invalidate=1"],
    "cached": ["--rw=randread", "--ioengine=psync", "--invalidate=0"],
}
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
        """Begins to do each page of the file once."""
        return subprocess.Popen(["fio", "--name=job", f"--filename={self.point}/file", f"--size={FILE}", "--bs=4k",
                                 "--overwrite=1", "--randseed=7", "--output-format=json",
                                 *LOADS[load]], stdout=subprocess.PIPE, text=True)

    def fio(self, load):
        """Does it; returns ns of CPU for an operation."""
        job, = json.loads(self.start(load).communicate()[0])["jobs"]
        return (job["usr_cpu"] + job["sys_cpu"]) / 100 * job["job_runtime"] * 1e6 / COUNT


def is_of(load, name):
    """Whether a program is one of those that the load runs; or of the cached reads, must not run."""
    return name in PROGRAMS[load] if load in PROGRAMS else name.startswith("on_extent")


class Nothing:
    """A program that does nothing, on EVENT."""

    def __init__(self, floor, event):
        self.proc = subprocess.Popen([floor, event], stdout=subprocess.PIPE, text=True)
        if self.proc.stdout.readline() != "ready\n":
            raise SystemExit(f"{floor} {event} does not run")

    def end(self):
        self.proc.terminate()
        self.proc.wait(PATIENCE_S)


def run_ns(before, after, number):
    """(ns for one run of the program NUMBER between two readings of the counters, runs)."""
    ns, runs = (b - a for a, b in zip(before[number][1:], after[number][1:]))
    return ns / max(runs, 1), runs


def cost(recorder, nothing, ids, fio):
    """Waits for FIO; returns the sum over the programs of IDS of ns for one run, in the moment when it took least; the same of as
    many programs that do nothing, which is in it; and the runs of those of IDS."""
    pids = [one.proc.pid for one in (recorder, nothing) if one]
    empty = list(programs_of(nothing.proc.pid)) if nothing else []
    seen = []
    while not seen or fio.poll() is None:
        time.sleep(MOMENT_S if seen else 0)
        seen.append({number: counts for pid in pids for number, counts in programs_of(pid).items()})
    least = {}
    for before, after in zip(seen, seen[1:]):
        for number in [*ids, *empty]:
            ns, runs = run_ns(before, after, number)
            if runs >= RUNS_MIN:
                least[number] = min(least.get(number, ns), ns)
    own = [least[number] for number in ids if number in least]
    return (sum(own), len(own) * sum(least.get(number, 0) for number in empty),
            sum(seen[-1][number][2] - seen[0][number][2] for number in ids))


def measure(iotrc, bpftool, floor, rounds):
    """{(load, recording): [ns of fio's CPU for an operation]}, {load: [cost() of its programs]}."""
    took = {(load, name): [] for load in LOADS for name in RECORDINGS}
    spent = {load: [] for load in LOADS}
    disk = Disk()
    try:
        for _ in range(rounds):
            for name, options in RECORDINGS.items():
                with tempfile.TemporaryDirectory(dir="/dev/shm") as dir:
                    recorder = Recorder(iotrc, options, dir) if options else None
                    names = recorder.names(bpftool) if recorder else {}
                    for load in LOADS:
                        run("sync", "-f", disk.point)
                        took[load, name].append(disk.fio(load))
                        if name != "lineage":
                            continue
                        run("sync", "-f", disk.point)
                        counting = count_time() # what that costs is not in the slow-down
                        nothing = Nothing(floor, EVENTS[load]) if load in EVENTS else None
                        spent[load].append(cost(recorder, nothing, [n for n, name in names.items() if is_of(load, name)],
                                                disk.start(load)))
                        if nothing:
                            nothing.end()
                        os.close(counting)
                    if recorder:
                        recorder.end()
    finally:
        disk.end()
    return took, spent


def table(took, spent):
    """The lines of a page, and whether a goal is missed."""
    lines = ["| fio, 4 KiB | programs of `extent` | goal | runs | and the clock | fio's CPU | recording `block` | "
             "`--lineage` | more |\n|---|---|---|---|---|---|---|---|---|\n"]
    words = {"request": "a request (O_DIRECT)", "ordered": "a page made dirty, in order",
             "dirty": "a page made dirty, at random",
             "cached": "a page read from the cache"}
    missed = False
    for load in LOADS:
        own = {name: min(took[load, name]) for name in RECORDINGS}
        slower = [f"{own[name] / 1000:.1f} us" for name in RECORDINGS] + [f"{100 * (own['lineage'] / own['none'] - 1):.0f} %"]
        runs = f"{min(runs for *_, runs in spent[load]) / COUNT:.3f}"
        if load in GOALS:
            clock = min(clock for _, clock, _ in spent[load])
            ns = min(ns for ns, *_ in spent[load]) - clock
            missed |= ns > GOALS[load]
            cells = f"{ns:.0f} ns", f"{GOALS[load]} ns", runs, f"{clock:.0f} ns"
        else:
            cells = "", "none", runs, ""
        lines.append(f"| {words[load]} | {' | '.join([*cells, *slower])} |\n")
    return "".join(lines), missed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("iotrc")
    parser.add_argument("bpftool")
    parser.add_argument("floor")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", help="a page that has a place for the table")
    args = parser.parse_args()
    text, missed = table(*measure(args.iotrc, args.bpftool, args.floor, args.rounds))
    text += (f"\n{args.rounds} rounds in turns, Linux {os.uname().release}, {os.cpu_count()} CPUs, "
             f"load {os.getloadavg()[1]:.1f} (`make bench-lineage`).\n")
    print(text)
    if args.write:
        page = pathlib.Path(args.write)
        page.write_text(re.sub(f"{BEGIN}.*?{END}", lambda _: BEGIN + text + END, page.read_text(), flags=re.S))
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
