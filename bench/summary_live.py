#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures what a live `iotrc summary` costs beside a recording of the same load, in turns: what it adds to each call of
the programs, how long the kernel is in its BPF programs, and its own CPU time. One CPU is left to the recorder, so that
it loses nothing: a lost row is cheaper. Fails if a summary costs the programs more than the recording, if it takes more
than 1 % of a CPU at a million calls per second, if it writes anything, if it counts other than the programs, or if the
recording loses a row. Needs root.
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
from counted import count_time, programs_of

LOOPS = max(1, os.cpu_count() - 1)
CALLS = 500_000 # of each process: the recorder need not keep up
OPERATION = 'pread-1'
GROUPS = 'operation', 'command,size', 'file,operation', 'process,errno' # of the summaries; the first is the default
MARGIN = 1.05     # by how much two measurements of the same thing differ
CPU_LIMIT = 0.01  # of a CPU, at a million calls per second
BEGIN, END = '<!-- summary-live: begin -->', '<!-- summary-live: end -->'

# Of all processes: calls, and their CPU ns per call; of the tracer: CPU ns and bytes written meanwhile, BPF ns.
Load = namedtuple('Load', 'seconds calls ns own written bpf')
# ns per call; ns per call in its BPF programs, counted apart; calls per second; CPU ns per call; bytes
Round = namedtuple('Round', 'added bpf rate own written')


def written(pid):
    return int(re.search(r'^wchar: (\d+)', peers.read(f'/proc/{pid}/io'), re.M)[1])


def bpf_ns(pid):
    return sum(ns for _, ns, _ in programs_of(pid).values())


def load(bench, tracer=None):
    """Runs the loops."""
    def own():
        return (peers.cpu_clock(tracer), written(tracer), bpf_ns(tracer)) if tracer else (0, 0, 0)
    before = own()
    begun, loops = time.monotonic(), []
    for i in range(LOOPS):
        with open(bench.path(f'out{i}'), 'w') as out:
            loops.append(subprocess.Popen([os.path.join(bench.programs, 'loops'), OPERATION, bench.data, str(CALLS)], stdout=out))
    if any(p.wait() for p in loops):
        raise peers.Failed('a loop failed')
    seconds = time.monotonic() - begun
    said = [tuple(map(float, peers.read(bench.path(f'out{i}')).split())) for i in range(len(loops))]
    calls = int(sum(made for _, made, _ in said))
    return Load(seconds, calls, sum(cpu for _, _, cpu in said) / calls, *(a - b for a, b in zip(own(), before)))


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
        exact = self.by == 'command,size' # in the others, there are other programs
        counted = sum(int(row['calls']) for row in rows if not exact or (row['command'], row['size']) == ('loops', '1'))
        if counted != made if exact else counted < made:
            raise peers.Failed(f'{made} calls made, {counted} counted')


class Recording(peers.Iotrc):
    def argv(self, bench):
        return [*super().argv(bench), '--streams', 'fs']

    def check(self, bench, made):
        kept = self.kept(bench, None, bench.path('stdout'), None)
        if kept.rows < made or kept.lost:
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
        counting = count_time()
        counted = load(bench, proc.pid)
        os.close(counting)
    finally:
        proc.send_signal(signal.SIGINT)
        proc.wait(60)
    tracer.check(bench, traced.calls + counted.calls)
    base = (before.ns + load(bench).ns) / 2
    return base, Round(traced.ns - base, counted.bpf / counted.calls, traced.calls / traced.seconds, traced.own / traced.calls, traced.written)


def table(bases, results):
    yield ('| | added to a read of one byte, CPU ns | ns in its BPF programs | calls per second | its own CPU time per call, ns '
           '| of a CPU at 1 M calls/s | bytes written |')
    yield '|---|---:|---:|---:|---:|---:|---:|'
    yield f'| nothing (the call itself: {statistics.median(bases):,.0f} ns) | | | | | | |'
    for name, rounds in results.items():
        middle = Round(*map(statistics.median, zip(*rounds)))
        yield (f'| {name} | {middle.added:,.0f} ({peers.spread([r.added for r in rounds])}) | {middle.bpf:,.0f} '
               f'({peers.spread([r.bpf for r in rounds])}) | {middle.rate:,.0f} | {middle.own:,.2f} '
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
    tracers = {**{f'summary by {by.replace(",", " and ")}': Summary(by) for by in GROUPS}, 'recording': Recording()}
    bases, results = [], {name: [] for name in tracers}
    for i in range(options.rounds):
        for name, tracer in tracers.items():
            print(f'round {i + 1}: {name}', file=sys.stderr)
            base, one = measure(bench, tracer)
            bases.append(base)
            results[name].append(one)
    lock.close()
    medians = {name: Round(*map(statistics.median, zip(*rounds))) for name, rounds in results.items()}
    recording = medians.pop('recording')
    ratios = {name: (m.added / recording.added, m.bpf / recording.bpf) for name, m in medians.items()}
    text = '\n'.join([peers.machine(busy), '', *table(bases, results), '', f'Medians of {options.rounds} rounds, least and most in brackets. '
                      'Times what the recording adds, and is in its BPF programs: '
                      + ', '.join(f'{name} {added:.2f} and {bpf:.2f}' for name, (added, bpf) in ratios.items()) + '.'])
    print(text)
    if options.write:
        peers.write(options.write, text, BEGIN, END)
    failed = [f'{name} costs the programs {max(both):.2f} times what the recording costs' for name, both in ratios.items() if max(both) > MARGIN]
    failed += [f'{name} takes {m.own / 1000:.2%} of a CPU at a million calls per second' for name, m in medians.items() if m.own / 1000 > CPU_LIMIT]
    failed += [f'{name} writes' for name in medians if any(r.written for r in results[name])]
    return '\n'.join(failed)


if __name__ == '__main__':
    sys.exit(main() or 0)
