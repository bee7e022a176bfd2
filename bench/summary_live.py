#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures what a live `iotrc summary` costs beside a recording of the same load, in turns: what it adds to each call of
the programs, and its own CPU time. Fails if the summary costs the programs more than the recording, if it takes more than
1 % of a CPU at a million calls per second, if it writes anything, or if it counts other than the programs. Needs root.
"""
import argparse
import csv
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from collections import namedtuple

import bench as peers

CALLS = 1_500_000 # of each process; there is one for each CPU
OPERATION = 'pread-1'
MARGIN = 1.05     # by how much two measurements of the same thing differ
CPU_LIMIT = 0.01  # of a CPU, at a million calls per second
BEGIN, END = '<!-- summary-live: begin -->', '<!-- summary-live: end -->'

# Of all processes: calls, and their CPU ns per call; of the tracer: CPU ns and bytes written meanwhile.
Load = namedtuple('Load', 'seconds calls ns own written')
Round = namedtuple('Round', 'added rate own written') # ns per call; calls per second; CPU ns per call; bytes


def written(pid):
    return int(re.search(r'^wchar: (\d+)', peers.read(f'/proc/{pid}/io'), re.M)[1])


def load(bench, tracer=None):
    """Runs the loops, one for each CPU."""
    before = (peers.cpu_clock(tracer), written(tracer)) if tracer else (0, 0)
    begun, loops = time.monotonic(), []
    for i in range(os.cpu_count()):
        with open(bench.path(f'out{i}'), 'w') as out:
            loops.append(subprocess.Popen([os.path.join(bench.programs, 'loops'), OPERATION, bench.data, str(CALLS)], stdout=out))
    if any(p.wait() for p in loops):
        raise peers.Failed('a loop failed')
    seconds = time.monotonic() - begun
    after = (peers.cpu_clock(tracer), written(tracer)) if tracer else (0, 0)
    said = [tuple(map(float, peers.read(bench.path(f'out{i}')).split())) for i in range(len(loops))]
    calls = int(sum(made for _, made, _ in said))
    return Load(seconds, calls, sum(cpu for _, _, cpu in said) / calls, after[0] - before[0], after[1] - before[1])


class Summary:
    ready = '^watching'

    def __init__(self, by):
        self.by = by

    def argv(self, bench):
        return [bench.iotrc, 'summary', '--csv', '-o', bench.path('summary'), '--by', self.by]

    def check(self, bench, made):
        """Each call that the loops made is counted. Only they read single bytes under their name."""
        with open(bench.path('summary')) as f:
            rows = list(csv.DictReader(f))
        exact = self.by == 'command,size'
        counted = sum(int(row['calls']) for row in rows if not exact or (row['command'], row['size']) == ('loops', '1'))
        if counted != made if exact else counted < made:
            raise peers.Failed(f'{made} calls made, {counted} counted')


class Recording(peers.Iotrc):
    def argv(self, bench):
        return [*super().argv(bench), '--streams', 'fs']

    def check(self, bench, made):
        kept = self.kept(bench, None, bench.path('stdout'), None)
        if kept.rows + kept.lost < made:
            raise peers.Failed(f'{made} calls made, {kept.rows} recorded, {kept.lost} lost')


def measure(bench, tracer):
    """The load with the tracer, and before and after it without."""
    out, err = bench.path('stdout'), bench.path('stderr')
    before = load(bench)
    with open(out, 'w') as o, open(err, 'w') as e:
        proc = subprocess.Popen(tracer.argv(bench), stdout=o, stderr=e)
    try:
        recorder = peers.Iotrc()
        recorder.ready = tracer.ready
        recorder.wait_ready(proc, out if isinstance(tracer, Recording) else err, err)
        traced = load(bench, proc.pid)
    finally:
        proc.send_signal(signal.SIGINT)
        proc.wait(60)
    tracer.check(bench, traced.calls)
    base = (before.ns + load(bench).ns) / 2
    return base, Round(traced.ns - base, traced.calls / traced.seconds, traced.own / traced.calls, traced.written)


def table(bases, results):
    yield '| | added to a read of one byte, CPU ns | calls per second | its own CPU time per call, ns | of a CPU at 1 M calls/s | bytes written |'
    yield '|---|---:|---:|---:|---:|---:|'
    yield f'| nothing (the call itself: {statistics.median(bases):,.0f} ns) | | | | | |'
    for name, rounds in results.items():
        middle = Round(*map(statistics.median, zip(*rounds)))
        yield (f'| {name} | {middle.added:,.0f} ({peers.spread([r.added for r in rounds])}) | {middle.rate:,.0f} | {middle.own:,.2f} '
               f'| {middle.own / 1000:.2%} | {middle.written:,.0f} |')


def main():
    parser = argparse.ArgumentParser(description=__doc__.split(':', maxsplit=1)[0])
    parser.add_argument('--build', default='build', help='where iotrc and bench/loops are')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--write', metavar='PAGE', help='put the table between the markers of that page')
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    lock = peers.alone()
    busy = os.getloadavg()[0]
    bench = peers.Bench(os.path.abspath(options.build))
    tracers = {'summary': Summary('operation'), 'summary by command and size': Summary('command,size'), 'recording': Recording()}
    bases, results = [], {name: [] for name in tracers}
    for i in range(options.rounds):
        for name, tracer in tracers.items():
            print(f'round {i + 1}: {name}', file=sys.stderr)
            base, one = measure(bench, tracer)
            bases.append(base)
            results[name].append(one)
    lock.close()
    added, own = ({name: statistics.median(getattr(r, what) for r in rounds) for name, rounds in results.items()} for what in ('added', 'own'))
    ratio = added['summary'] / added['recording']
    text = '\n'.join([peers.machine(busy), '', *table(bases, results), '', f'Medians of {options.rounds} rounds, least and most in brackets. '
                      f'The summary adds {ratio:.2f} times what the recording adds.'])
    print(text)
    if options.write:
        peers.write(options.write, text, BEGIN, END)
    failed = [why for why, is_so in (
        (f'the summary costs the programs {ratio:.2f} times what the recording costs', ratio > MARGIN),
        (f'it takes {own["summary"] / 1000:.2%} of a CPU at a million calls per second', own['summary'] / 1000 > CPU_LIMIT),
        ('it writes', any(r.written for r in results['summary']))) if is_so]
    return '\n'.join(failed)


if __name__ == '__main__':
    sys.exit(main() or 0)
