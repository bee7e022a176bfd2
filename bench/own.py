#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the recorder itself takes for a row: the CPU time of each of its threads, on a loop of preads and on whole programs.

A recorder is started for each of them; its time counts from the beginning of the workload until it
has nothing left to do. Needs root.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import sys
import tempfile
from collections import namedtuple

import bench as peers
import workloads

BEGIN, END = '<!-- own: begin -->', '<!-- own: end -->'
THREADS = {'iotrc-reader': 'reader', 'iotrc-writer': 'writer', 'iotrc-sync': 'syncer'}
NAMES = *THREADS.values(), 'others'
GOALS = {'preads': 220} # ns a row; of other workloads 500
GOAL = 500

Spent = namedtuple('Spent', 'ns user kernel sleeps') # CPU ns; ticks in its own code and in the kernel; how often it slept
Turn = namedtuple('Turn', 'rows lost raw compressed spent') # spent: {thread: Spent}


class Preads(workloads.Workload):
    """preads"""

    def __init__(self, bench):
        super().__init__(None)
        self.bench = bench

    def work(self):
        self.bench.loop('pread', peers.Tracer.calls['pread'])


def spent_by(pid):
    """{thread: Spent} so far. The time is exact; where a thread was is sampled at each tick (proc(5))."""
    spent = {name: Spent(0, 0, 0, 0) for name in NAMES}
    for task in pathlib.Path(f'/proc/{pid}/task').iterdir():
        name = THREADS.get((task / 'comm').read_text().strip(), 'others')
        ns = int((task / 'schedstat').read_text().split()[0])
        ticks = map(int, (task / 'stat').read_text().rsplit(')', 1)[1].split()[11:13])
        sleeps = int(re.search(r'^voluntary_ctxt_switches:\s+(\d+)', (task / 'status').read_text(), re.M)[1])
        spent[name] = Spent(*(a + b for a, b in zip(spent[name], (ns, *ticks, sleeps))))
    return spent


class Iotrc(peers.Iotrc):
    """Of what this process starts: other programs' rows would differ from run to run."""

    def argv(self, bench):
        return [*super().argv(bench), '--pid', str(os.getpid())]


def turn(bench, workload):
    tracer = Iotrc()
    with tracer.running(bench) as proc:
        before = spent_by(proc.pid)
        workload.measured()
        tracer.settle(proc.pid)
        after = spent_by(proc.pid)
    workload.clean()
    with open(os.path.join(peers.read(bench.path('stdout')).strip(), 'manifest.json')) as f:
        manifest = json.load(f)
    shutil.rmtree(bench.path('iotrc'))
    lost = sum(sum(s['lost'].values()) for s in manifest['diagnostics']['streams'].values())
    rows, raw, compressed = (sum(file[key] for file in manifest['files']) for key in ('rows', 'raw_bytes', 'compressed_bytes'))
    return Turn(rows, lost, raw, compressed, {name: Spent(*(a - b for a, b in zip(after[name], before[name]))) for name in NAMES})


def per_row(turns, value):
    return statistics.median(value(t) / t.rows for t in turns)


def in_kernel(turns, name):
    user, kernel = (sum(getattr(t.spent[name], field) for t in turns) for field in ('user', 'kernel'))
    return kernel / max(1, user + kernel)


def row_of(workload, turns):
    each = [sum(s.ns for s in t.spent.values()) / t.rows for t in turns]
    goal = GOALS.get(workload.__doc__, GOAL)
    cells = [f'{statistics.median(t.rows for t in turns):,.0f}', f'{sum(t.lost for t in turns):,}',
             f'{per_row(turns, lambda t: t.raw):,.0f}', f'{per_row(turns, lambda t: t.compressed):,.1f}',
             f'{statistics.median(each):,.0f} ({peers.spread(each)})',
             *(f'{per_row(turns, lambda t, n=name: t.spent[n].ns):,.0f}' for name in NAMES),
             *(f'{1000 * per_row(turns, lambda t, n=name: t.spent[n].sleeps):,.1f}' for name in NAMES[:2]),
             f'≤ {goal}, {"met" if statistics.median(each) <= goal else "missed"}']
    return f'| {workload.__doc__} | {" | ".join(cells)} |'


def table(results):
    yield ('| | rows | lost | bytes a row | compressed | own CPU, ns a row | ' + ' | '.join(NAMES)
           + ' | sleeps of the reader per 1,000 rows | of the writer | goal |')
    yield '|---|' + '---:|' * (7 + len(NAMES)) + '---|'
    for workload, turns in results.items():
        yield row_of(workload, turns)


def main():
    kinds = [k for k in workloads.WORKLOADS if k not in (workloads.MakeMore, workloads.Nginx)]
    names = [Preads.__doc__, *(k.__doc__ for k in kinds)]
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--build', default='../build', help='where build/iotrc and build/bench/* are')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--only', help=f'some of: {"; ".join(names)}; separated by semicolons')
    parser.add_argument('--write', metavar='PAGE', help='put the table between the markers of that page')
    options = parser.parse_args()
    wanted = options.only.split(';') if options.only else ['preads', 'find and md5sum', 'find -size', 'tar x to tmpfs', 'git clone',
                                                           'make -j2', 'sqlite']
    if unknown := set(wanted) - set(names):
        parser.error(f'no such workload: {", ".join(sorted(unknown))}')
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    lock, load = peers.alone(), os.getloadavg()[0]
    bench = peers.Bench(os.path.abspath(options.build))
    with tempfile.TemporaryDirectory(dir='/dev/shm') as at:
        chosen = [Preads(bench)] if Preads.__doc__ in wanted else []
        for kind in kinds:
            if kind.__doc__ in wanted:
                place = pathlib.Path(at) / kind.__name__
                place.mkdir()
                chosen.append(kind(place))
        for workload in chosen:
            workload.prepare()
            workload.measured() # what it reads is in the page cache from now on
            workload.clean()
        results = {w: [] for w in chosen}
        for i in range(options.rounds):
            for workload, turns in results.items():
                print(f'round {i + 1}: {workload.__doc__}', file=sys.stderr)
                turns.append(turn(bench, workload))
    turns = [t for of in results.values() for t in of]
    text = '\n'.join([f'{peers.machine(load)}.', '', *table(results), '',
                      f'Medians of {options.rounds} rounds, least and most in brackets. In the kernel, over all of them: '
                      + ', '.join(f'{in_kernel(turns, name):.0%} of the time of the {name}' for name in NAMES[:3]) + '.'])
    print(text)
    if options.write:
        peers.write(options.write, text, BEGIN, END)
    lock.close()
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
