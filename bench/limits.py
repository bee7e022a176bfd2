#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""limits.py IOTRC LOOPS SOURCE [--rounds N] [--only PART] [--write PAGE]: what a recorder bears, and what it costs when little
happens.

Programs that read as fast as they can, until rows are lost; the start; an idle minute; and a build of SOURCE beside the
first snapshot. Needs root, and a machine that does nothing else: the load is printed.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import bench as peers

CALLS = 2_000_000 # of each producer
IDLE_S = 60
PAIRS = 5 # of builds in a round: they differ by more than the snapshot costs
BUSY_LOOP = [sys.executable, '-c', 'while True: pass']
BEGIN, END = '<!-- limits: begin -->', '<!-- limits: end -->'


class Recorder:
    def __init__(self, iotrc, at, *options):
        self.begun = time.monotonic()
        self.proc = subprocess.Popen([iotrc, '-q', '-o', at, *options], stdout=subprocess.PIPE, text=True)
        self.session = pathlib.Path(self.proc.stdout.readline().strip())
        self.start_s = time.monotonic() - self.begun
        self.start_cpu_s = self.cpu_s()

    def cpu_s(self):
        return peers.cpu_clock(self.proc.pid) / 1e9

    def rss_mib(self):
        return int(re.search(r'^VmRSS:\s+(\d+)', peers.read(f'/proc/{self.proc.pid}/status'), re.M)[1]) / 1024

    def stop(self):
        """Stops it; returns (rows seen, rows lost)."""
        self.proc.send_signal(signal.SIGINT)
        self.proc.wait(60)
        counts = json.loads((self.session / 'manifest.json').read_text())['diagnostics']['streams'].values()
        return sum(c['seen'] for c in counts), sum(sum(c['lost'].values()) for c in counts)


def produce(iotrc, loops, producers, busy):
    """(rows per second, share of rows lost) of so many programs that read, beside so many busy loops."""
    with tempfile.TemporaryDirectory(dir='/dev/shm') as at:
        data = pathlib.Path(at) / 'data'
        data.write_bytes(bytes(128 * 1024))
        recorder = Recorder(iotrc, f'{at}/out', '--no-snapshots', '--streams', 'fs', '--command', 'loops')
        beside = [subprocess.Popen(BUSY_LOOP) for _ in range(busy)]
        begun = time.monotonic()
        readers = [subprocess.Popen([loops, 'pread', data, str(CALLS)], stdout=subprocess.DEVNULL)
                   for _ in range(producers)]
        for reader in readers:
            reader.wait()
        seconds = time.monotonic() - begun
        for loop in beside:
            loop.kill()
            loop.wait()
        seen, lost = recorder.stop()
    return seen / seconds, lost / seen


def idle(iotrc):
    """(seconds until it records, CPU s of that, CPU s of an idle minute, MiB), of the default streams."""
    sleeper = subprocess.Popen(['sleep', '1000'])
    with tempfile.TemporaryDirectory(dir='/dev/shm') as at:
        recorder = Recorder(iotrc, at, '--no-snapshots', '--pid', str(sleeper.pid))
        time.sleep(2)
        before = recorder.cpu_s()
        time.sleep(IDLE_S)
        used, rss = recorder.cpu_s() - before, recorder.rss_mib()
        recorder.stop()
    sleeper.kill()
    sleeper.wait()
    return recorder.start_s, recorder.start_cpu_s, used * 60 / IDLE_S, rss


def build(source, at):
    """Seconds that a build with two jobs takes; its BPF programs are those of SOURCE's."""
    target = f'{at}/build'
    shutil.rmtree(target, ignore_errors=True)
    begun = time.monotonic()
    subprocess.run(['make', '-s', '-C', source, '-j2', f'BUILD={target}', f'PROGRAMS_OF={source}/build', f'{target}/iotrc'],
                   check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begun


def beside_snapshot(iotrc, source, options):
    """(seconds of a build that begins with the recording, rows lost)."""
    with tempfile.TemporaryDirectory(dir='/var/tmp') as at:
        recorder = Recorder(iotrc, f'{at}/out', *options)
        seconds = build(source, at)
        return seconds, recorder.stop()[1]


def loss(options):
    """(what, text, goal) of each figure, as of the parts below."""
    for producers, busy, goal in (1, 0, '0'), (2, 0, '0'), (4, 0, '≤ 5 %'), (1, 2 * os.cpu_count(), '0'):
        turns = [produce(options.iotrc, options.loops, producers, busy) for _ in range(options.rounds)]
        lost = [share for _, share in turns]
        who = '1 program that reads as fast as it can' if producers == 1 else f'{producers} programs that read as fast as they can'
        yield (f'rows lost, {who}' + (f' beside {busy} busy loops' if busy else ''),
               f'{100 * statistics.median(lost):.2f} % ({100 * min(lost):.2f} to {100 * max(lost):.2f}), at '
               f'{statistics.median(rate for rate, _ in turns) / 1e6:.2f} M rows/s', goal)


def start(options):
    starts, cpus, minutes, sizes = zip(*(idle(options.iotrc) for _ in range(options.rounds)))
    yield 'start, s', f'{statistics.median(starts):.2f} ({min(starts):.2f} to {max(starts):.2f})', '≤ 0.30'
    yield 'CPU time of the start, s', f'{statistics.median(cpus):.2f} ({min(cpus):.2f} to {max(cpus):.2f})', ''
    yield 'CPU time of an idle minute, s', f'{statistics.median(minutes):.3f} ({min(minutes):.3f} to {max(minutes):.3f})', '≤ 0.1'
    yield 'VmRSS then, MiB', f'{statistics.median(sizes):.0f}', '≤ 64'


def snapshot(options):
    """The builds with and without a snapshot take turns in being the first of a pair."""
    beside_snapshot(options.iotrc, options.source, ()) # what it reads is in the page cache from now on
    ratios, rows_lost = [], 0
    for turn in range(options.rounds * PAIRS):
        kinds = [(), ('--no-snapshots',)]
        took = {}
        for kind in kinds[::-1] if turn % 2 else kinds:
            took[kind], lost = beside_snapshot(options.iotrc, options.source, kind)
            rows_lost += lost
        ratios.append(took[kinds[0]] / took[kinds[1]])
    low, median, high = statistics.quantiles(ratios)
    yield (f'a build beside the first snapshot; without snapshots = 1 ({len(ratios)} pairs, the middle half in brackets)',
           f'{median:.3f} ({low:.3f} to {high:.3f})', '≤ 1.01')
    yield 'rows lost in these builds', f'{rows_lost}', '0'


PARTS = {'loss': loss, 'start': start, 'snapshot': snapshot}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    for name in 'iotrc', 'loops', 'source':
        parser.add_argument(name, type=os.path.abspath)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--only', choices=PARTS, help='measure that part alone')
    parser.add_argument('--write', metavar='PAGE', help='put the table between the markers of that page')
    options = parser.parse_args()
    if options.only and options.write:
        parser.error('the table has all parts: not with --only')
    lock, load = peers.alone(), os.getloadavg()[0]
    lines = [f'{peers.machine(load)}, medians of {options.rounds} rounds.', '', '| | measured | goal |', '|---|---:|---:|']
    for part in [options.only] if options.only else PARTS:
        for what, measured, goal in PARTS[part](options):
            lines.append(f'| {what} | {measured} | {goal} |')
            print(lines[-1], flush=True)
    if options.write:
        peers.write(options.write, '\n'.join(lines), BEGIN, END)
    lock.close()


main()
