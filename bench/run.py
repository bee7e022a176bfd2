#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures what `iotrc run` costs a build, beside other ways to find out which files a build reads and writes, in one
run; and what each of them found and missed. Needs root.

The build is `make -j2` of this project, in a fresh copy each time. A bare build runs between two observers: the cost of
an observer is relative to the mean of the bare builds before and after it. docs/performance.md has the results.
"""
import argparse
import importlib.util
import json
import os
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import bench as peers

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent
BEGIN, END = "<!-- run: begin -->", "<!-- run: end -->"
GOAL = 1.05
QUIET = 1.1  # maximum ratio of the longest to the shortest bare build on a machine without other load
LISTED = 3  # how many missed files are printed


def proof():
    """The tests' own reading of strace's output, and of directories."""
    sys.path.insert(0, str(TOP / "tests/live"))
    spec = importlib.util.spec_from_file_location("proof", TOP / "tests/live/test_run_proof.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Observer:
    def __init__(self, name, command, read):
        self.name, self.command, self.read = name, command, read


def of_report(log, *_):
    report = json.loads(log.read_text())
    if report["incomplete"]:
        print("incomplete:", *report["incomplete"], sep="\n  ", file=sys.stderr)
    return set(report["reads"]), set(report["writes"])


def of_strace(log, before, workspace):
    return PROOF.reads_of(log, before, workspace), None


def of_installwatch(log, _, workspace):
    """The shim reports files that are opened for writing."""
    names = set()
    for line in log.read_text(errors="replace").splitlines():
        fields = line.split("\t")
        if len(fields) > 2 and fields[1] in ("open", "creat", "fopen", "rename") and "#success" in line:
            names |= {os.path.relpath(f, workspace) for f in fields[2:] if f.startswith(str(workspace))}
    return set(), {n for n in names if (workspace / n).is_file()}


def of_fatrace(log, before, workspace):
    """Parses lines of the form COMMAND(PID): EVENTS PATH; R means read, W written."""
    reads, writes = set(), set()
    for line in log.read_text(errors="replace").splitlines():
        found = re.match(r".*\(\d+\): ([A-Z+<>?]+) +(/.*)", line)
        if found and found[2].startswith(f"{workspace}/"):
            name = os.path.relpath(found[2], workspace)
            reads |= {name} if "R" in found[1] and name in before else set()
            writes |= {name} if "W" in found[1] else set()
    return reads, writes


FATRACE = """
fatrace --current-mount --output="$0" & tracer=$!
sleep 1
"$@"; status=$?
sleep 1; kill $tracer; wait $tracer
exit $status
"""


def observers(iotrc):
    files = "trace=open,openat,creat,read,pread64,write,pwrite64,writev,mmap,sendfile,copy_file_range,splice"
    found = [
        Observer("iotrc run (bpf)", lambda log: [iotrc, "run", "--engine", "bpf", "--no-ignore", "--json", log, "--"], of_report),
        Observer("iotrc run (strace)", lambda log: [iotrc, "run", "--engine", "strace", "--no-ignore", "--json", log, "--"],
                 of_report),
        Observer("strace -f --seccomp-bpf, these calls alone",
                 lambda log: ["strace", "-f", "-y", "-s", "0", "--seccomp-bpf", "-e", files, "-o", log], of_strace),
        Observer("strace -f", lambda log: ["strace", "-f", "-y", "-s", "0", "-o", log], of_strace),
    ]
    if shutil.which("fatrace"):
        found.append(Observer("fatrace (fanotify)", lambda log: ["sh", "-c", FATRACE, log], of_fatrace))
    if shutil.which("installwatch"):
        found.append(Observer("installwatch (LD_PRELOAD)", lambda log: ["installwatch", f"--logfile={log}"], of_installwatch))
    return found


def once(command, observer, tree, scratch):
    """Builds a fresh copy; returns seconds, CPU seconds, what was found, and what is there."""
    workspace, log = scratch / "workspace", scratch / "log"
    shutil.rmtree(workspace, ignore_errors=True)
    shutil.copytree(tree, workspace, symlinks=True)
    log.unlink(missing_ok=True)
    before = PROOF.contents(workspace)
    around = observer.command(log) if observer else []
    cpu, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run([*map(str, around), *command], cwd=workspace, capture_output=True, text=True, errors="replace")
    seconds, end = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{observer and observer.name}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    after = PROOF.contents(workspace)
    changed = {name for name in after if after[name] != before.get(name)}
    reads, writes = observer.read(log, before, workspace) if observer else (set(), set())
    return seconds, end.ru_utime + end.ru_stime - cpu.ru_utime - cpu.ru_stime, reads, writes, changed


def missed(found, all_names):
    lost = sorted(all_names - found)
    return "nothing" if not lost else f"{len(lost)} ({', '.join(lost[:LISTED])}{', ...' if len(lost) > LISTED else ''})"


def costs(tree, command, rounds, scratch):
    """Prints a line of the table for each observer, and what the build read as far as any of them saw."""
    rows, known = {}, set()
    bare = []
    for _ in range(rounds):
        bare.append(once(command, None, tree, scratch)[:2])
        for o in OBSERVERS:
            result = once(command, o, tree, scratch)
            bare.append(once(command, None, tree, scratch)[:2])
            ratios = [2 * result[i] / (bare[-2][i] + bare[-1][i]) for i in range(2)]
            rows.setdefault(o.name, []).append((result, *ratios))
            known |= result[2]
    return rows, known, bare


def table(rows, known, bare):
    seconds = statistics.median(b[0] for b in bare)
    cpu = [statistics.median(b[1] for b in bare), min(b[1] for b in bare), max(b[1] for b in bare)]
    lines = ["| observer | time, bare = 1 | in the rounds | CPU, bare = 1 | reads found | reads missed | writes found | "
             "writes missed |", "|---|---:|---:|---:|---:|---|---:|---|",
             f"| nothing | 1 ({seconds:.1f} s, {min(b[0] for b in bare):.1f} to {max(b[0] for b in bare):.1f}) | | "
             f"1 ({cpu[0]:.1f} s, {cpu[1]:.1f} to {cpu[2]:.1f}) | | | | |"]
    for name, results in rows.items():
        ratios = [ratio for _, ratio, _ in results]
        # This tracer is not our child.
        cpu = "not counted" if "(strace)" in name else f"{statistics.median(c for _, _, c in results):.2f}"
        _, _, reads, writes, changed = results[-1][0]
        made = ("| not judged | ", "") if writes is None else (f"| {len(writes & changed)} | ", missed(writes, changed))
        read = "| not told | " if not reads else f"| {len(reads)} | {missed(reads, known)} "
        lines.append(f"| {name} | {statistics.median(ratios):.2f} | {min(ratios):.2f} to {max(ratios):.2f} | {cpu} "
                     f"{read}{made[0]}{made[1]} |")
    return lines


WAYS = ["raw", "32_bits", "mapping", "copy_file_range", "splice", "aio", "uring", "passing", "inheriting", "children"]


def ways(program, scratch):
    """Which ways of a static program to reach files each observer sees."""
    tree = scratch / "ways"
    for way in WAYS:
        (tree / way).mkdir(parents=True)
        (tree / way / "in").write_text("old")
    lines = ["| observer | " + " | ".join(WAYS) + " |", "|---|" + "---|" * len(WAYS)]
    for o in OBSERVERS:
        _, _, reads, writes, changed = once([program, *WAYS], o, tree, scratch)
        cells = []
        for way in WAYS:
            made = {name for name in changed if name.startswith(way + "/")}
            sees = [kind for kind, yes in (("read", f"{way}/in" in reads),
                                           ("write", writes is not None and made and made <= writes)) if yes]
            cells.append(" ".join(sees) or "-")
        lines.append(f"| {o.name} | " + " | ".join(cells) + " |")
    return lines


def cost(results, bare):
    """CPU time counts all processes of ours. Elapsed time counts only if other load was low."""
    if not results:
        return 0
    seconds, cpu = (statistics.median(r[i] for r in results) for i in (1, 2))
    return max(cpu, seconds) if max(bare) < QUIET * min(bare) else cpu


def main():
    global PROOF, OBSERVERS
    options = argparse.ArgumentParser()
    options.add_argument("--iotrc", type=pathlib.Path, required=True)
    options.add_argument("--ways", type=pathlib.Path, required=True)
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--only", help="observers whose names contain this")
    options.add_argument("--write", type=pathlib.Path)
    options.add_argument("--target", default="all", help="what is built: all, or an object file")
    options = options.parse_args()
    PROOF = proof()
    OBSERVERS = [o for o in observers(options.iotrc.resolve()) if not options.only or options.only in o.name]
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        files = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, check=True, capture_output=True).stdout.split(b"\0")
        for file in filter(None, map(os.fsdecode, files)):
            (scratch / "tree" / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TOP / file, scratch / "tree" / file, follow_symlinks=False)
        load = os.getloadavg()[0]
        rows, known, bare = costs(scratch / "tree", ["make", "-s", "-j2", options.target], options.rounds, scratch)
        lines = [f"{peers.machine(load)}; `make -j2 {options.target}`, rounds: {options.rounds}; fsatrace and tracexec are in no package here.", "",
                 *table(rows, known, bare), "", *ways(options.ways.resolve(), scratch)]
    print(*lines, sep="\n")
    if options.write:
        text = options.write.read_text()
        head, tail = text[:text.index(BEGIN) + len(BEGIN)], text[text.index(END):]
        options.write.write_text("\n".join([head, *lines, tail]))
    return cost(rows.get("iotrc run (bpf)", []), [b[0] for b in bare]) > GOAL


if __name__ == "__main__":
    sys.exit(main())
