#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What tracing costs the traced: iotrc beside the floor and its peers, in one interleaved run.

Needs root. docs/performance.md says what is measured and how to read it.
"""
import argparse
import atexit
import contextlib
import datetime
import fcntl
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import namedtuple

import counted

BEGIN, END = '<!-- bench: begin -->', '<!-- bench: end -->'
READY_TIMEOUT = 60  # seconds
QUIET = 0.15        # of one CPU: if others use more while a loop runs, it runs again
TRIES = 4
SAME = 1.2          # how far two runs of the bare loop, before and after a tracer, may differ
COUNTED = 3         # rounds of the kernel's count of time in BPF
EXTRA = 3           # up to so many times the requested rounds are run until enough are undisturbed
BPFTRACE = r'''
BEGIN { printf("ready\n"); }
tracepoint:syscalls:sys_enter_pread64 { @at[tid] = nsecs; }
tracepoint:syscalls:sys_exit_pread64 /@at[tid]/ {
    printf("%llu,%d,%d,%s,%d,%llu\n", @at[tid], pid, tid, comm, args->ret, nsecs - @at[tid]);
    delete(@at[tid]);
}
END { clear(@at); }
'''

# ns per call; CPU ns of the program per call; calls of all tries; CPU of the tracer
Loop = namedtuple('Loop', 'ns own_ns calls cpu_ns')
Kept = namedtuple('Kept', 'rows bytes lost')  # what a tracer wrote of the pread loop


class Failed(Exception):
    """Raised when a tracer cannot be measured; the text says why."""


def cpu_clock(pid):
    """CPU ns of a process with all its threads: the clock of clock_getcpuclockid(3)."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def busy_ns():
    """Busy CPU time of the machine in ns, summed over all CPUs, stolen time included."""
    user, nice, system, _idle, _iowait, *rest = map(int, read('/proc/stat').split('\n')[0].split()[1:9])
    return (user + nice + system + sum(rest)) * 1_000_000_000 // os.sysconf('SC_CLK_TCK')


def read(path):
    with open(path, errors='replace') as f:
        return f.read()


def tail(path):
    return ' '.join(read(path).split())[-200:]


def lines_with(path, text):
    with open(path, 'rb') as f:
        return sum(text in line for line in f)


class Bench:
    """The paths of the programs, and how the loops are run."""

    def __init__(self, build):
        self.programs = os.path.join(build, 'bench')
        self.iotrc = os.path.join(build, 'iotrc')
        self.tmp = tempfile.mkdtemp(prefix='run-', dir=self.programs)
        atexit.register(shutil.rmtree, self.tmp, ignore_errors=True)
        self.disturbed = 0  # loops that were disturbed in every try
        self.data = self.path('data')
        with open(self.data, 'wb') as f:
            f.write(os.urandom(1 << 16))

    def path(self, name):
        return os.path.join(self.tmp, name)

    def nothing(self):
        return [self.loop(kind, calls) for kind, calls in Tracer.calls.items()]

    def loop(self, kind, calls, tracer=None, under=()):
        """Runs a loop, beside the process TRACER or under the command UNDER, and repeats it while other processes keep
        the machine busy. CPU time that the tracer itself uses never causes a repetition."""
        made, file = 0, [self.data] if kind == 'pread' else []
        argv = [*under, os.path.join(self.programs, 'loops'), kind, *file, str(calls)]
        for _ in range(TRIES):
            busy, tracing = busy_ns(), cpu_clock(tracer) if tracer else 0
            with open(self.path('out'), 'w') as out, open(self.path('err'), 'w') as err:
                proc = subprocess.Popen(argv, stdout=out, stderr=err)
                # It has ended but was not reaped: its clock can still be read.
                os.waitid(os.P_PID, proc.pid, os.WEXITED | os.WNOWAIT)
            cpu = cpu_clock(tracer) - tracing if tracer else cpu_clock(proc.pid) if under else 0
            busy = busy_ns() - busy
            m = re.search(r'^([\d.]+) (\d+) (\d+)$', read(self.path('out')), re.M)
            if proc.wait() or not m:
                raise Failed(f'exit code {proc.returncode}: {tail(self.path("err"))}')
            made += int(m[2])
            if busy - cpu - int(m[3]) < QUIET * float(m[1]) * int(m[2]):
                break
            time.sleep(1)
        else:
            self.disturbed += 1
        return Loop(float(m[1]), float(m[3]) / int(m[2]), made, cpu)


class Tracer:
    program = None  # looked for in PATH
    calls = {'pread': 500_000, 'getppid': 1_000_000}

    def missing(self, bench):
        return None if shutil.which(self.program) else f'{self.program} is not installed'


class Beside(Tracer):
    """A tracer of the whole system: it is started, and once it is ready the loops run beside it."""
    ready = '^ready'

    @contextlib.contextmanager
    def running(self, bench):
        """Runs the tracer until the block ends. Yields the process; then its output is complete."""
        out, err = bench.path('stdout'), bench.path('stderr')
        with open(out, 'w') as o, open(err, 'w') as e:
            proc = subprocess.Popen(self.argv(bench), stdout=o, stderr=e)
        try:
            self.wait_ready(proc, out, err)
            yield proc
        finally:
            if proc.poll() is None:
                proc.send_signal(signal.SIGINT)
                try:
                    proc.wait(60)
                except subprocess.TimeoutExpired:
                    proc.kill()
                    proc.wait()
                    raise Failed('did not end within 60 s of SIGINT') from None
        if proc.returncode not in (0, 3):  # iotrc: 3 is recorded with a loss
            raise Failed(f'exit code {proc.returncode}: {tail(err)}')

    def measure(self, bench):
        with self.running(bench) as proc:
            getppid = bench.loop('getppid', self.calls['getppid'], tracer=proc.pid)
            before = cpu_clock(proc.pid)
            pread = bench.loop('pread', self.calls['pread'], tracer=proc.pid)
            pread = pread._replace(cpu_ns=self.settle(proc.pid) - before)
        kept = self.kept(bench, pread, bench.path('stdout'), bench.path('stderr'))
        if kept.rows + kept.lost < pread.calls:
            raise Failed(f'{pread.calls} calls made, only {kept.rows} recorded and {kept.lost} lost')
        return pread, getppid, kept

    def in_bpf(self, bench, kind):
        """ns that the kernel counts in the tracer's BPF programs for each call of a loop, this counting included."""
        def spent(pid):
            return sum(ns for _, ns, _ in counted.programs_of(pid).values())

        with self.running(bench) as proc:
            counting = counted.count_time()
            before = spent(proc.pid)
            calls = bench.loop(kind, self.calls[kind], tracer=proc.pid).calls
            ns = spent(proc.pid) - before
            os.close(counting)
        return ns / calls

    def wait_ready(self, proc, out, err):
        end = time.monotonic() + READY_TIMEOUT
        while not re.search(self.ready, read(out), re.M):
            if proc.poll() is not None or time.monotonic() > end:
                raise Failed(f'did not get ready: {tail(err)}')
            time.sleep(0.05)

    @staticmethod
    def settle(pid):
        """Waits until the tracer has processed what it had buffered, and returns its CPU time then. The steps are
        longer than the second after which iotrc flushes."""
        step, last = 1.2, cpu_clock(pid)
        for _ in range(30):
            time.sleep(step)
            now = cpu_clock(pid)
            if now - last < 0.1 * step * 1e9:
                break
            last = now
        return now


class Floor(Beside):
    """Of pread alone, or, with 'all' as an argument, of all calls that a recorder of files has to know."""

    def __init__(self, *args):
        self.args = args

    def missing(self, bench):
        return None

    def argv(self, bench):
        return [os.path.join(bench.programs, 'floor'), *self.args]

    def kept(self, bench, pread, out, err):
        m = re.search(r'rows (\d+) lost (\d+)', read(out))
        return Kept(int(m[1]), 0, int(m[2]))


class Iotrc(Beside):
    ready = '^/.*\n'  # the session's directory, once every hook is attached

    def missing(self, bench):
        return None if os.access(bench.iotrc, os.X_OK) else 'it is not built'

    def argv(self, bench):
        return [bench.iotrc, '-q', '--no-snapshots', '-o', bench.path('iotrc')]

    def kept(self, bench, pread, out, err):
        with open(os.path.join(read(out).strip(), 'manifest.json')) as f:
            manifest = json.load(f)
        shutil.rmtree(bench.path('iotrc'))
        lost = sum(sum(s['lost'].values()) for s in manifest['diagnostics']['streams'].values())
        return Kept(sum(f['rows'] for f in manifest['files']),
                    sum(f['compressed_bytes'] for f in manifest['files']), lost)


class Falco(Beside):
    """A program of Falco's own that throws its engine's events away (docs/performance.md: how it is built). It is asked
    for the calls that iotrc records."""
    program = os.environ.get('FALCO')
    ready = 'Live capture in progress'
    calls_of_iotrc = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../src/engine/bpf/syscalls.def')

    def argv(self, bench):
        # It knows the calls by numbers of its own, and lists these when it is given one that is none.
        listed = subprocess.run([self.program, '--modern_bpf', '--ppm_sc', '99999'], capture_output=True, text=True).stdout
        numbers = dict(re.findall(r'PPM_SC > (\w+) .*ppm_code: \((\d+)\)', listed))
        names = re.findall(r'^SYSCALL\((\w+), (?:FS|NW_CONN),', read(self.calls_of_iotrc), re.M)
        chosen = sorted({numbers[n] for n in names if n in numbers}, key=int)
        # Otherwise what it says waits in a buffer.
        return ['stdbuf', '-oL', self.program, '--modern_bpf', *(a for n in chosen for a in ('--ppm_sc', n))]

    def wait_ready(self, proc, out, err):
        super().wait_ready(proc, out, err)
        time.sleep(1) # it says that just before it attaches its programs


class Bpftrace(Beside):
    program = 'bpftrace'
    calls = {'pread': 100_000, 'getppid': 1_000_000}

    def argv(self, bench):
        return ['bpftrace', '-e', BPFTRACE]

    def kept(self, bench, pread, out, err):
        rows = lines_with(out, b',loops,')
        return Kept(rows, os.path.getsize(out), max(0, pread.calls - rows))


class Around(Tracer):
    """A tracer that starts the loop itself and sees every system call of it, getppid included."""

    start_cpu_ns = None  # of a loop of one call: the tracer's own start

    def measure(self, bench):
        if self.start_cpu_ns is None:
            # The least of three: a first start may have to read the tracer from the disk.
            self.start_cpu_ns = min(self.run(bench, 'pread', 1).cpu_ns for _ in range(3))
        getppid = self.run(bench, 'getppid', self.calls['getppid'])
        pread = self.run(bench, 'pread', self.calls['pread'])
        # The trace is that of the last try.
        pread = pread._replace(calls=self.calls['pread'], cpu_ns=max(0, pread.cpu_ns - self.start_cpu_ns))
        return pread, getppid, self.kept(bench, pread, bench.path('trace'))

    def run(self, bench, kind, calls):
        return bench.loop(kind, calls, under=self.argv(bench.path('trace')))


class Strace(Around):
    program = 'strace'
    calls = {'pread': 10_000, 'getppid': 10_000}

    def argv(self, trace):
        return ['strace', '-f', '-o', trace]

    def kept(self, bench, pread, trace):
        rows = lines_with(trace, b' pread64(')
        return Kept(rows, os.path.getsize(trace), max(0, pread.calls - rows))


class PerfTrace(Around):
    program = 'perf'
    calls = {'pread': 30_000, 'getppid': 30_000}

    def argv(self, trace):
        return ['perf', 'trace', '-o', trace, '--']

    def kept(self, bench, pread, trace):
        rows = lines_with(trace, b'pread64(')
        return Kept(rows, os.path.getsize(trace), max(0, pread.calls - rows))


class PerfRecord(Around):
    program = 'perf'
    calls = {'pread': 200_000, 'getppid': 200_000}

    def argv(self, trace):
        return ['perf', 'record', '-q', '-e', 'raw_syscalls:*', '-o', trace, '--']

    def kept(self, bench, pread, trace):
        stats = subprocess.run(['perf', 'report', '--stats', '-i', trace],
                               capture_output=True, text=True)
        m = re.search(r'SAMPLE events:\s+(\d+)', stats.stdout)
        if not m:
            raise Failed(f'perf report: {stats.stderr.strip()[-200:]}')
        rows = int(m[1]) // 2  # an enter and an exit
        return Kept(rows, os.path.getsize(trace), max(0, pread.calls - rows))


TRACERS = {'floor': Floor, 'iotrc': Iotrc, 'bpftrace': Bpftrace, 'perf record': PerfRecord,
           'perf trace': PerfTrace, 'strace -f': Strace}

# (text, function of the medians, limit, whether the limit is the most allowed)
FLOOR_GOALS = (
    ('iotrc / floor, added to a pread', lambda m: m['iotrc'].pread / m['floor'].pread, 1.5, True),
    ('iotrc / floor, added to a getppid',
     lambda m: m['iotrc'].getppid / m['floor'].getppid, 1.5, True),
)
GOALS = (
    ('perf record / iotrc, added to a pread',
     lambda m: m['perf record'].pread / m['iotrc'].pread, 2.5, False),
    ('strace -f / iotrc, added to a pread',
     lambda m: m['strace -f'].pread / m['iotrc'].pread, 25, False),
    ('perf trace / iotrc, added to a pread',
     lambda m: m['perf trace'].pread / m['iotrc'].pread, 25, False),
    ('iotrc, CPU ns per row', lambda m: m['iotrc'].cpu, 400, True),
    ('iotrc, rows lost', lambda m: m['iotrc'].lost, 0, True),
)

# pread, getppid: added ns per call; own_*: added CPU ns of the program per call
Round = namedtuple('Round', 'pread getppid own_pread own_getppid cpu bytes lost rows')
InBpf = namedtuple('InBpf', 'pread getppid') # ns per call


def alone():
    """Two benches at the same time would measure each other. The lock ends with the process."""
    lock = open(__file__)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print('bench: another one is running, waiting for it', file=sys.stderr)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def mount_tracefs():
    """perf and bpftrace read event ids there. What this function mounts is unmounted at the end."""
    where = '/sys/kernel/tracing'
    if not os.path.exists(f'{where}/events'):
        if subprocess.run(['mount', '-t', 'tracefs', 'nodev', where]).returncode == 0:
            atexit.register(subprocess.run, ['umount', where])


def measure(bench, tracer):
    """Measures one tracer once, with the bare loops before and after it: the speed of the machine drifts, and other
    tracers that no load figure shows may be running. Returns the times without the tracer, what it added, and whether
    the machine was undisturbed."""
    disturbed = bench.disturbed
    before = bench.nothing()
    pread, getppid, kept = tracer.measure(bench)
    after = bench.nothing()
    base = [((b.ns + a.ns) / 2, (b.own_ns + a.own_ns) / 2) for b, a in zip(before, after)]
    peace = all(max(b.ns, a.ns) < SAME * min(b.ns, a.ns) for b, a in zip(before, after))
    rows = max(1, kept.rows)
    added = Round(pread.ns - base[0][0], getppid.ns - base[1][0], pread.own_ns - base[0][1], getppid.own_ns - base[1][1],
                  pread.cpu_ns / rows, kept.bytes / rows, kept.lost, kept.rows)
    return base, added, peace and bench.disturbed == disturbed


def run(bench, tracers, rounds):
    """Runs every tracer once a round. Disturbed rounds are repeated at the end; they count only if repeating them did
    not help, and then the CPU time of the program counts instead of the time that passed."""
    bases, clean, noisy, failed = {True: [], False: []}, {n: [] for n in tracers}, {n: [] for n in tracers}, {}
    stumbled = set()
    for i in range(EXTRA * rounds):
        for name, tracer in tracers.items():
            if name in failed or len(clean[name]) == rounds:
                continue
            print(f'round {i + 1}: {name}', file=sys.stderr)
            try:
                base, added, peace = measure(bench, tracer)
            except Failed as e:
                # bpftrace 0.17 sometimes hangs at its end: it gets a second try.
                if name in stumbled:
                    failed[name] = str(e)
                stumbled.add(name)
                continue
            (clean if peace else noisy)[name].append(added)
            bases[peace].append(base)
    results = {n: (clean[n] + noisy[n])[:rounds] for n in tracers if n not in failed}
    disturbed = {n: rounds - len(clean[n]) for n in results if len(clean[n]) < rounds}
    if not disturbed:
        return bases[True], results, failed, disturbed
    return ([tuple((own, own) for _, own in base) for base in bases[True] + bases[False]],
            {n: [r._replace(pread=r.own_pread, getppid=r.own_getppid) for r in of] for n, of in results.items()},
            failed, disturbed)


def median(rounds):
    """The median of each field; losses are summed."""
    middle = Round(*(statistics.median(column) for column in zip(*rounds)))
    return middle._replace(lost=sum(r.lost for r in rounds), rows=sum(r.rows for r in rounds))


def spread(values):
    return f'{min(values):,.0f} to {max(values):,.0f}'


def table(nothing, results, failed, noisy, medians):
    pread, getppid = zip(*(((p[0], g[0]) for p, g in nothing))) if nothing else ([0], [0])
    yield ('| tracer | added to a pread, ns | in the rounds | added to a getppid, ns | its CPU, ns a row '
           '| on disk, bytes a row | lost |')
    yield '|---|---:|---:|---:|---:|---:|---:|'
    yield (f'| nothing (the call itself) | {statistics.median(pread):,.0f} | {spread(pread)} '
           f'| {statistics.median(getppid):,.0f} | | | |')
    for name, m in medians.items():
        lost = f'{m.lost / max(1, m.lost + m.rows):.1%}' if m.lost else '0'
        star = '\\*' if issubclass(TRACERS[name], Around) else ''
        disk = f'{m.bytes:,.1f}' if m.bytes else 'thrown away'
        yield (f'| {name} | {m.pread:,.0f} | {spread([r.pread for r in results[name]])} '
               f'| {m.getppid:,.0f}{star} | {m.cpu:,.0f} | {disk} | {lost} |')
    for name, why in failed.items():
        yield f'| {name} | not measured: {why} | | | | | |'
    yield ''
    yield '\\* traced too: this tool was asked for every system call.'
    if noisy:
        yield ''
        yield ('Other processes disturbed ' + ', '.join(f'{n} of {len(results[name])} rounds of {name}' for name, n in noisy.items())
               + ': all times above are CPU time of the program, not the time that passed.')


def in_bpf(bench, tracers):
    """{name: what its BPF programs take}, of the tracers that the goals compare by that, on a disturbed machine."""
    return {name: InBpf(*(min(tracers[name].in_bpf(bench, kind) for _ in range(COUNTED)) for kind in InBpf._fields))
            for name in ('floor', 'iotrc') if name in tracers}


def count_lines(counts):
    for name, of in counts.items():
        yield (f'{name}, ns in BPF as the kernel counts them, the least of {COUNTED}: pread {of.pread:,.0f}, '
               f'getppid {of.getppid:,.0f}.')
        yield ''
    if counts:
        yield 'The goals beside the floor compare these.'
        yield ''


def goals(wanted, medians):
    """(text, 'PASS', 'FAIL' or 'SKIP') for each goal."""
    for text, value, limit, at_most in wanted:
        sign = '≤' if at_most else '≥'
        try:
            v = value(medians)
        except KeyError as e:
            yield f'| {text} | not measured: no {e.args[0]} | {sign} {limit} | SKIP |', 'SKIP'
            continue
        verdict = 'PASS' if (v <= limit if at_most else v >= limit) else 'FAIL'
        yield f'| {text} | {v:,.2f} | {sign} {limit} | {verdict} |', verdict


def first_line(argv):
    try:
        return subprocess.run(argv, capture_output=True, text=True).stdout.split('\n')[0]
    except OSError:
        return None


def machine(load):
    info = read('/proc/cpuinfo')
    model = re.search(r'^(?:model name|CPU part)\s*: (.*)$', info, re.M)
    uname = os.uname()
    memory = os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30
    return (f'{datetime.date.today()}, {os.cpu_count()} x {model[1] if model else uname.machine}, '
            f'{memory:.0f} GiB, {uname.sysname} {uname.release} {uname.machine}, '
            f'load at start {load:.2f}')


def machine_and_peers(load):
    versions = [first_line([p, '--version']) for p in ('strace', 'perf', 'bpftrace')]
    return f'{machine(load)}. Beside it: {", ".join(v for v in versions if v)}.'


def write(path, text, begin=BEGIN, end=END):
    """Replaces what is between the two markers of the page by TEXT."""
    page = read(path)
    before, rest = page.split(begin)
    after = rest.split(end)[1]
    with open(path + '.tmp', 'w') as f:
        f.write(f'{before}{begin}\n{text}\n{end}{after}')
    os.rename(path + '.tmp', path)


def main():
    parser = argparse.ArgumentParser(description='measure what tracing costs, side by side')
    parser.add_argument('--build', default='../build', help='where build/iotrc and build/bench/* are')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--only', help=f'some of: {", ".join(TRACERS)}')
    parser.add_argument('--write', metavar='PAGE', help='put the tables between the markers of that page')
    options = parser.parse_args()
    names = options.only.split(',') if options.only else list(TRACERS)
    if set(names) - set(TRACERS) or options.rounds < 1:
        parser.error(f'--only takes some of: {", ".join(TRACERS)}; --rounds at least 1')
    if os.geteuid():
        print('bench: needs root to trace', file=sys.stderr)
        return 1

    # Also if the shell started this with these signals ignored: what is mounted and started has to be undone.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    lock = alone()
    load = os.getloadavg()[0]
    bench = Bench(os.path.abspath(options.build))
    tracers = {name: TRACERS[name]() for name in names}
    missing = {name: why for name, t in tracers.items() if (why := t.missing(bench))}
    tracers = {name: t for name, t in tracers.items() if name not in missing}
    if any(t.program for t in tracers.values()):
        mount_tracefs()
    nothing, results, failed, noisy = run(bench, tracers, options.rounds)
    medians = {name: median(r) for name, r in results.items()}
    counts = in_bpf(bench, tracers) if noisy else {}
    verdicts = [*goals(FLOOR_GOALS, counts or medians), *goals(GOALS, medians)]

    text = '\n'.join([machine_and_peers(load), '', *table(nothing, results, {**missing, **failed}, noisy, medians), '',
                      *count_lines(counts),
                      f'| goal (medians of {options.rounds} rounds) | measured | limit | |',
                      '|---|---:|---:|---|', *(line for line, _ in verdicts)])
    print(text)
    if options.write:
        write(options.write, text)
    lock.close()
    return 1 if failed or any(v == 'FAIL' for _, v in verdicts) else 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
