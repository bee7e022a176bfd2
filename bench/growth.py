#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""growth.py IOTRC GROWTH [--rounds N] [--write PAGE]: how the time in iotrc's BPF programs grows with the number of threads,
of open files and of files, and with the depth of paths.

The kernel counts that time (sysctl kernel.bpf_stats_enabled), so that other load hardly affects it; each figure is the
least of the rounds. Needs root.
"""
import argparse
import datetime
import os
import subprocess
import tempfile

import bench as peers
from counted import Recorder, count_time

CALLS = 200_000
# What growth.c does, and with how many.
KINDS = {'threads': ('pread() by so many threads', (1, 10, 100, 1000)),
         'files': ('pread() of so many open files', (1, 10, 100, 1000, 10_000)),
         'names': ('stat() of so many files', (1, 100, 10_000, 100_000)),
         'path': ('stat(), so many directories down', (1, 5, 15, 30, 60)),
         'depth': ('open() and close(), so many directories down', (1, 5, 15, 30, 60))}
BEGIN, END = '<!-- growth: begin -->', '<!-- growth: end -->'


def step(process):
    """Lets growth.c go on, and waits until it has reached the next point."""
    process.stdin.write('\n')
    process.stdin.flush()
    return process.stdout.readline()


def measure(growth, recorder, kind, n):
    """ns in BPF programs per operation."""
    with tempfile.TemporaryDirectory(dir='/dev/shm') as at:
        process = subprocess.Popen([growth, kind, str(n), at, str(CALLS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   text=True)
        if process.stdout.readline() != 'ready\n':
            raise SystemExit(f'{growth} {kind} {n} failed')
        before = recorder.ns()
        done = step(process)
        ns = recorder.ns() - before
        process.communicate('\n')
        if done != 'done\n' or process.returncode:
            raise SystemExit(f'{growth} {kind} {n} failed')
        return ns / CALLS


def table(ns):
    yield '| | number | ns | ratio |'
    yield '|---|---:|---:|---:|'
    for kind, (what, numbers) in KINDS.items():
        for n in numbers:
            least, first = min(ns[kind, n]), min(ns[kind, numbers[0]])
            yield f'| {what if n == numbers[0] else ""} | {n:,} | {least:.0f} | {least / first:.2f} |'


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
    text = '\n'.join([f'{datetime.date.today()}, {os.cpu_count()} CPUs, Linux {os.uname().release}, load at start {load:.2f}, '
                      f'{options.rounds} rounds.', '', *table(ns)])
    print(text)
    if options.write:
        peers.write(options.write, text, BEGIN, END)
    lock.close()


main()
