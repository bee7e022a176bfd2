#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""growth.py IOTRC GROWTH [--rounds N] [--write PAGE]: how the time in iotrc's BPF programs grows with the number of threads,
of open files and of files, the depth of paths and the rate of calls, and so does the CPU time of the recorder.

The kernel counts that time (sysctl kernel.bpf_stats_enabled), so that other load hardly affects it; each figure is the
least of the rounds. Needs root.
"""
import argparse
import os
import subprocess
import tempfile
import time

import bench as peers
from counted import Recorder, count_time

CALLS = 200_000
RATE_S = 5   # seconds of calls at a rate
BESIDE_S = 1 # in which other programs' calls are measured
# What growth.c does, and with how many.
KINDS = {'threads': ('pread() by so many threads', (1, 10, 100, 1000)),
         'files': ('pread() of so many open files', (1, 10, 100, 1000, 10_000)),
         'names': ('stat() of so many files', (1, 100, 10_000, 100_000)),
         'path': ('stat(), so many directories down', (1, 5, 15, 30, 60)),
         'depth': ('open() and close(), so many directories down', (1, 5, 15, 30, 60)),
         'rate': ('pread(), so many times per second', (1000, 10_000, 100_000, 500_000))}
BEGIN, END = '<!-- growth: begin -->', '<!-- growth: end -->'


def step(process):
    """Lets growth.c go on, and waits until it has reached the next point."""
    process.stdin.write('\n')
    process.stdin.flush()
    return process.stdout.readline()


def spent(recorder):
    """(time, ns in BPF programs until then, ns of the recorder's CPU time until then)."""
    return time.monotonic(), recorder.ns(), peers.cpu_clock(recorder.proc.pid)


def measure(growth, recorder, kind, n):
    """ns per operation: in BPF programs, and of the recorder's own CPU time."""
    calls = n * RATE_S if kind == 'rate' else CALLS
    with tempfile.TemporaryDirectory(dir='/dev/shm') as at:
        process = subprocess.Popen([growth, kind, str(n), at, str(calls)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   text=True)
        if process.stdout.readline() != 'ready\n':
            raise SystemExit(f'{growth} {kind} {n} failed')
        before = spent(recorder)
        time.sleep(BESIDE_S)
        begin = spent(recorder)
        done = step(process)
        end = spent(recorder)
        process.communicate('\n')
        if done != 'done\n' or process.returncode:
            raise SystemExit(f'{growth} {kind} {n} failed')
        # Other programs' calls are counted, too: as many as before, in equal times.
        share = (end[0] - begin[0]) / (begin[0] - before[0])
        return tuple((e - b - share * (b - a)) / calls for a, b, e in zip(before[1:], begin[1:], end[1:]))


def table(ns):
    yield '| | number | ns in BPF | ratio | own CPU, ns | ratio |'
    yield '|---|---:|---:|---:|---:|---:|'
    for kind, (what, numbers) in KINDS.items():
        first = tuple(map(min, zip(*ns[kind, numbers[0]])))
        for n in numbers:
            bpf, own = map(min, zip(*ns[kind, n]))
            yield (f'| {what if n == numbers[0] else ""} | {n:,} | {bpf:.0f} | {bpf / first[0]:.2f} '
                   f'| {own:.0f} | {own / first[1]:.2f} |')


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('iotrc')
    parser.add_argument('growth')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--write', metavar='PAGE', help='put the table between the markers of that page')
    options = parser.parse_args()
    lock, load = peers.alone(), os.getloadavg()[0]
    ns = {(kind, n): [] for kind, (_, numbers) in KINDS.items() for n in numbers}
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory(dir='/dev/shm') as out:
            recorder = Recorder(options.iotrc, ['--no-snapshots', '--command', 'growth'], out)
            counting = count_time()
            for (kind, n), measured in ns.items():
                measured.append(measure(options.growth, recorder, kind, n))
            os.close(counting)
            recorder.end()
    text = '\n'.join([f'{peers.machine(load)}, {options.rounds} rounds.', '', *table(ns)])
    print(text)
    if options.write:
        peers.write(options.write, text, BEGIN, END)
    lock.close()


main()
