#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures what a tracer adds to each operation of loops.c, in CPU time of the traced program.

In each round every tracer is started once, and every operation runs under it and, directly before, without it. CPU time
is disturbed least by other programs: they affect it through the caches only. Writes the medians and the spread to a
JSON file. Needs root.
"""
import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys

import bench as peers

# Operation: calls of a turn.
CALLS = {'pread': 100_000, 'pread-1': 100_000, 'pread-128k': 8_000, 'pread-2-threads': 60_000,
         'pread-1000-threads': 300, 'write': 60_000, 'stat': 80_000, 'stat-100000': 100_000, 'stat-deep': 40_000,
         'open': 60_000, 'rename-2': 20_000, 'fault': 80_000, 'readdir-1000': 2_000, 'fsync': 80_000, 'uring-32': 4_000,
         'aio-32': 4_000, 'epoll': 150_000, 'futex': 150_000, 'getppid': 150_000}
NO_FILE = ('epoll', 'futex', 'getppid')
AS_CALLS = tuple(o for o in CALLS if o not in ('fault', 'uring-32', 'aio-32')) # iotrc records faults and requests of these
STOPPED = 100  # for a tracer that stops the program at each call, the number of calls is divided by this
INSTANCE = '/sys/kernel/tracing/instances/iotrc-bench'


def cpu_ns(bench, operation, calls, under=()):
    """CPU ns of a call."""
    file = [] if operation in NO_FILE else [bench.data]
    with open(bench.path('out'), 'w') as out:
        subprocess.run([*under, os.path.join(bench.programs, 'loops'), operation, *file, str(calls)],
                       stdout=out, stderr=subprocess.DEVNULL, check=True)
    _ns, made, cpu = peers.read(bench.path('out')).split()
    return float(cpu) / int(made)


@contextlib.contextmanager
def beside(tracer, bench):
    """Runs a tracer of the whole machine (bench.py) until the block ends."""
    out, err = bench.path('stdout'), bench.path('stderr')
    with open(out, 'w') as o, open(err, 'w') as e:
        proc = subprocess.Popen(tracer.argv(bench), stdout=o, stderr=e)
    try:
        tracer.wait_ready(proc, out, err)
        yield ()
    finally:
        proc.send_signal(signal.SIGINT)
        proc.wait(120)


@contextlib.contextmanager
def ftrace(bench):
    """The kernel's own ring buffer in raw form; a process copies that of each CPU to the disk."""
    os.mkdir(INSTANCE)
    readers = []
    try:
        for cpu in range(os.cpu_count()):
            with open(bench.path(f'ftrace{cpu}'), 'w') as out:
                readers.append(subprocess.Popen(['cat', f'{INSTANCE}/per_cpu/cpu{cpu}/trace_pipe_raw'],
                                                stdout=out, stderr=subprocess.DEVNULL))
        with open(f'{INSTANCE}/events/raw_syscalls/enable', 'w') as f:
            f.write('1')
        yield ()
    finally:
        with open(f'{INSTANCE}/events/raw_syscalls/enable', 'w') as f:
            f.write('0')
        for reader in readers:
            reader.kill()
            reader.wait()
        for cpu in range(os.cpu_count()):
            os.unlink(bench.path(f'ftrace{cpu}'))
        os.rmdir(INSTANCE)


@contextlib.contextmanager
def under(*command):
    yield command


# Every call of the loops, as perf record sees them: what it costs depends on the events, of which each is printed.
BPFTRACE = r'''
BEGIN { printf("ready\n"); }
tracepoint:raw_syscalls:sys_enter /comm == "loops"/ { @at[tid] = nsecs; }
tracepoint:raw_syscalls:sys_exit /@at[tid]/ {
    printf("%llu,%d,%d,%s,%d,%d,%llu\n", @at[tid], pid, tid, comm, args->id, args->ret, nsecs - @at[tid]);
    delete(@at[tid]);
}
END { clear(@at); }
'''


class Bpftrace(peers.Bpftrace):
    def argv(self, bench):
        return ['bpftrace', '-e', BPFTRACE]


# Name: (what runs it, the operations that it sees, whether it stops the program at each call).
# strace receives only the calls of these operations, through a seccomp filter.
SEEN_BY_STRACE = ('pread64,pwrite64,stat,newfstatat,open,openat,close,rename,renameat2,madvise,getdents64,lseek,fsync,'
                  'io_uring_enter,io_submit,io_getevents')
TRACERS = {
    'floor': (lambda b: beside(peers.Floor('all'), b), AS_CALLS, False),
    'iotrc': (lambda b: beside(peers.Iotrc(), b), tuple(CALLS), False),
    'raw ftrace': (ftrace, tuple(CALLS), False),
    **({'Falco': (lambda b: beside(peers.Falco(), b), AS_CALLS, False)} if peers.Falco.program else {}),
    'perf record': (lambda b: under('perf', 'record', '-q', '-e', 'raw_syscalls:*', '-o', b.path('trace'),
                                    '--'), tuple(CALLS), False),
    'bpftrace': (lambda b: beside(Bpftrace(), b), tuple(CALLS), False),
    'strace --seccomp-bpf': (lambda b: under('strace', '-f', '--seccomp-bpf', '-e',
                                             f'trace={SEEN_BY_STRACE}', '-o', b.path('trace')),
                             tuple(CALLS), True),
}


def turn(bench, name):
    """{operation: (ns without the tracer, ns that it adds)}."""
    start, operations, stops = TRACERS[name]
    calls = {o: max(30, CALLS[o] // (STOPPED if stops else 1)) for o in operations}
    alone = {o: cpu_ns(bench, o, n) for o, n in calls.items()}
    with start(bench) as command:
        return {o: (alone[o], cpu_ns(bench, o, n, command) - alone[o]) for o, n in calls.items()}


def summary(values):
    return {'median': round(statistics.median(values), 1), 'least': round(min(values), 1),
            'most': round(max(values), 1)}


def table(results):
    names = list(results['added_cpu_ns'])
    yield '| CPU ns | the operation itself | ' + ' | '.join(f'added by {n}' for n in names) + ' |'
    yield '|---|---:|' + '---:|' * len(names)
    for operation, alone in results['alone_cpu_ns'].items():
        cells = [results['added_cpu_ns'][n].get(operation) for n in names]
        yield (f'| {operation} | {alone["median"]:,.0f} | '
               + ' | '.join(f'{c["median"]:,.0f} ({c["least"]:,.0f} to {c["most"]:,.0f})' if c else ''
                            for c in cells) + ' |')


def measure(bench, names, rounds):
    alone, added = {o: [] for o in CALLS}, {n: {} for n in names}
    for i in range(rounds):
        for name in names:
            print(f'round {i + 1}: {name}', file=sys.stderr)
            for operation, (base, more) in turn(bench, name).items():
                if not TRACERS[name][2]:
                    alone[operation].append(base)
                added[name].setdefault(operation, []).append(more)
    return {'alone_cpu_ns': {o: summary(v) for o, v in alone.items() if v},
            'added_cpu_ns': {n: {o: summary(v) for o, v in a.items()} for n, a in added.items()}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--build', default='../build', help='where build/iotrc and build/bench/* are')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--only', help=f'some of: {", ".join(TRACERS)}')
    parser.add_argument('--json', metavar='FILE', help='write the figures there')
    parser.add_argument('--write', metavar='PAGE', help='put the table between the markers of that page')
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    lock = peers.alone()
    load = os.getloadavg()[0]
    bench = peers.Bench(os.path.abspath(options.build))
    with open(bench.data, 'wb') as f:
        f.write(os.urandom(1 << 17))
    peers.mount_tracefs()
    names = options.only.split(',') if options.only else list(TRACERS)
    results = {'machine': peers.machine_and_peers(load), 'rounds': options.rounds,
               **measure(bench, names, options.rounds)}
    text = '\n'.join([results['machine'], '', *table(results), '',
                      f'Medians of {options.rounds} rounds, least and most in brackets.'])
    print(text)
    if options.json:
        with open(options.json, 'w') as f:
            json.dump(results, f, indent=1)
            f.write('\n')
    if options.write:
        peers.write(options.write, text, '<!-- operations: begin -->', '<!-- operations: end -->')
    lock.close()
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
