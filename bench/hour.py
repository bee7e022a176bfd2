#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""hour.py IOTRC GROWTH [--minutes N] [--write PAGE]: how a recording changes while it lasts.

A program creates, writes, closes and unlinks files, each with a new name, at a steady rate; only its rows are recorded.
The time is divided into equal parts, and for each the table has the CPU time of the recorder and of the program per operation, the
recorder's memory, and the bytes that were stored. Fails if rows are lost. Needs root.
"""
import argparse
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import bench as peers
from counted import Recorder

RATE = 500 # operations per second, each of four calls
PARTS = 6
BEGIN, END = '<!-- hour: begin -->', '<!-- hour: end -->'


def stored(at):
    return sum(path.stat().st_size for path in pathlib.Path(at).rglob('*.csv.zst*')) # of finished files and of others


def rss_mib(pid):
    return next(int(line.split()[1]) for line in peers.read(f'/proc/{pid}/status').splitlines() if line.startswith('VmRSS')) / 1024


def operations(pid):
    """As many as write calls."""
    return int(re.search(r'^syscw: (\d+)', peers.read(f'/proc/{pid}/io'), re.M)[1])


def state(recorder, program, at):
    return operations(program), peers.cpu_clock(recorder), peers.cpu_clock(program), stored(at)


def measure(iotrc, growth, seconds):
    """Yields (until second, recorder's CPU ns, program's CPU ns, MiB, bytes) of each part, per operation; fails if rows are lost."""
    with tempfile.TemporaryDirectory(dir='/var/tmp') as at, tempfile.TemporaryDirectory(dir='/dev/shm') as files:
        recorder = Recorder(iotrc, ['--no-snapshots', '--command', 'growth'], at)
        program = subprocess.Popen([growth, 'churn', str(RATE), files, str(RATE * seconds)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        try:
            program.stdout.readline()
            program.stdin.write('\n')
            program.stdin.flush()
            begun = time.monotonic()
            before = state(recorder.proc.pid, program.pid, at)
            for part in range(1, PARTS + 1):
                time.sleep(max(0, begun + part * seconds / PARTS - time.monotonic()))
                after = state(recorder.proc.pid, program.pid, at)
                done, *spent = (a - b for a, b in zip(after, before))
                own, its, kept = (n / max(done, 1) for n in spent)
                yield part * seconds // PARTS, own, its, rss_mib(recorder.proc.pid), kept
                before = after
            program.communicate('\n')
        finally:
            program.kill()
            program.wait()
            recorder.end()
        manifest = json.loads(next(pathlib.Path(at).rglob('manifest.json')).read_text())
        counts = manifest['diagnostics']['streams']['fs']
        if sum(counts['lost'].values()) or counts['seen'] < 4 * RATE * seconds:
            raise SystemExit(f'{4 * RATE * seconds} calls made: {counts}')


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('iotrc')
    parser.add_argument('growth')
    parser.add_argument('--minutes', type=int, default=60)
    parser.add_argument('--write', metavar='PAGE', help='put the table between the markers of that page')
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    load = os.getloadavg()[0]
    lines = [f'{peers.machine(load)}, {4 * RATE:,} rows per second.', '',
             '| minutes | CPU of the recorder, ns per operation | of the program | VmRSS, MiB | bytes stored per operation |',
             '|---:|---:|---:|---:|---:|']
    for until, own, its, mib, kept in measure(options.iotrc, options.growth, options.minutes * 60):
        lines.append(f'| {until / 60:.0f} | {own:,.0f} | {its:,.0f} | {mib:.1f} | {kept:.1f} |')
        print(lines[-1], file=sys.stderr)
    print('\n'.join(lines))
    if options.write:
        peers.write(options.write, '\n'.join(lines), BEGIN, END)


main()
