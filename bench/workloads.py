#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How much longer whole programs take beside a tracer of the whole machine.

Each workload does a fixed amount of work and runs in turns with and without the tracer, so that a slow phase of the machine
affects both. Besides the time it took, the CPU time of its own processes is compared, servers included: other programs
hardly affect that. Needs root.
"""
import argparse
import contextlib
import glob
import os
import pathlib
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import bench as peers
import operations

TOP = pathlib.Path(__file__).resolve().parent.parent
BEGIN, END = '<!-- workloads: begin -->', '<!-- workloads: end -->'
FILES = 30_000     # of /usr, for what reads many files
NOBODY = 65534
READY_S = 30
DISTURBED = 1.1    # the ratio of the most to the least time of a workload without a tracer, above which CPU time counts


def run(*argv, **kwargs):
    return subprocess.run([os.fspath(a) for a in argv], check=True, stdin=subprocess.DEVNULL,
                          **{'stdout': subprocess.DEVNULL, **kwargs})


def shell(script, *args, **kwargs):
    return run('sh', '-ec', script, 'sh', *args, **kwargs)


@contextlib.contextmanager
def served(*argv, ready, **kwargs):
    """A server, until the block ends; it listens once READY() is true."""
    server = subprocess.Popen([os.fspath(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, **kwargs)
    try:
        end = time.monotonic() + READY_S
        while not ready():
            if time.monotonic() > end:
                raise SystemExit(f'workloads: {argv[0]} does not answer within {READY_S} s')
            time.sleep(0.02)
        yield
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(READY_S)


class Workload:
    """prepare() is called once, and its work is not measured; nor is that of clean(), which is called after each run.
    measured() returns the seconds that a fixed amount of work took."""
    goal = None # how many times as long it may take beside iotrc

    def __init__(self, at):
        self.at = at

    def prepare(self):
        pass

    def clean(self):
        pass

    def timed(self):
        begun = time.monotonic()
        self.work()
        return time.monotonic() - begun

    measured = timed


class Find(Workload):
    """find and md5sum"""
    goal = 1.15

    def work(self):
        shell(f'find /usr -xdev -type f -size -256k -print0 | head -zn {FILES} | xargs -0 md5sum')


class FindSize(Workload):
    """find -size"""

    def work(self):
        run('find', '/usr', '-xdev', '-size', '+100M')


class Tar(Workload):
    """tar x to tmpfs"""
    goal = 1.15

    def prepare(self):
        shell(f'find /usr -xdev -type f -size -256k -print0 | head -zn {FILES} | tar -c --null -T - -f "$1" 2>/dev/null',
              self.at / 'tar')

    def work(self):
        (self.at / 'out').mkdir()
        run('tar', '-x', '-C', self.at / 'out', '-f', self.at / 'tar')

    def clean(self):
        shutil.rmtree(self.at / 'out')


class Clone(Workload):
    """git clone"""
    goal = 1.03

    def work(self):
        run('git', 'clone', '-q', '--no-local', TOP, self.at / 'clone', stderr=subprocess.DEVNULL)

    def clean(self):
        shutil.rmtree(self.at / 'clone')


class Make(Workload):
    """make -j2"""
    goal = 1.03
    jobs = 2

    def work(self):
        build = self.at / 'build'
        targets = [build / f.relative_to(TOP).with_suffix('.o') for f in sorted((TOP / 'src' / 'options').glob('*.c'))]
        run('make', '-s', '-C', TOP, f'-j{self.jobs}', f'BUILD={build}', f'PROGRAMS_OF={TOP}/build', *targets)

    def clean(self):
        shutil.rmtree(self.at / 'build')


class MakeMore(Make):
    """make -j8"""
    goal = None
    jobs = 8


class Sqlite(Workload):
    """sqlite"""
    goal = 1.15

    def prepare(self):
        with open(self.at / 'sql', 'w') as f:
            f.write('PRAGMA synchronous = FULL;\nCREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT);\n')
            for i in range(15_000):
                f.write(f"INSERT INTO t VALUES ({i * 7919 % 15_013}, '{i:064}');\nSELECT v FROM t WHERE k = {i * 31 % 15_013};\n")

    def work(self):
        with open(self.at / 'sql') as script:
            subprocess.run(['sqlite3', self.at / 'db'], stdin=script, stdout=subprocess.DEVNULL, check=True)

    def clean(self):
        (self.at / 'db').unlink()


class Pgbench(Workload):
    """pgbench"""
    goal = 1.03
    programs = sorted(glob.glob('/usr/lib/postgresql/*/bin'))[-1:]

    def as_postgres(self, program, *args):
        return ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', f'{self.programs[0]}/{program}', *args]

    def prepare(self):
        self.at.chmod(0o777)
        run(*self.as_postgres('initdb', '--auth=trust', '--locale=C', '--no-sync', '-D', self.at / 'data'), cwd='/')
        with self.server():
            run(*self.as_postgres('pgbench', '-h', self.at, '-i', '-q', '-s', '5', 'postgres'), cwd='/', stderr=subprocess.DEVNULL)

    def server(self):
        return served(*self.as_postgres('postgres', '-D', self.at / 'data', '-k', self.at, '-c', 'listen_addresses='),
                      ready=self.answers, cwd='/')

    def answers(self):
        return not subprocess.run(self.as_postgres('pg_isready', '-h', self.at, '-q'), cwd='/').returncode

    def measured(self):
        with self.server():
            return self.timed()

    def work(self):
        run(*self.as_postgres('pgbench', '-h', self.at, '-c', '2', '-t', '2000', 'postgres'), cwd='/', stderr=subprocess.DEVNULL)


class Redis(Workload):
    """redis"""
    goal = 1.03

    def measured(self):
        with served('redis-server', '--port', '0', '--unixsocket', self.at / 'socket', '--dir', self.at, '--appendonly', 'yes',
                    ready=(self.at / 'socket').exists):
            return self.timed()

    def work(self):
        run('redis-benchmark', '-s', self.at / 'socket', '-t', 'set,get', '-n', '60000', '-q')

    def clean(self):
        shutil.rmtree(self.at / 'appendonlydir')


class Nginx(Workload):
    """nginx and wrk"""
    goal = 1.15
    port, seconds = 18573, 3

    def prepare(self):
        self.at.chmod(0o755)
        (self.at / 'page').write_bytes(b'x' * 4096)
        (self.at / 'conf').write_text(
            f'daemon off; worker_processes 1; pid {self.at}/pid; error_log /dev/null; user nobody nogroup;\n'
            f'events {{ worker_connections 256; }}\n'
            f'http {{ access_log {self.at}/log; server {{ listen 127.0.0.1:{self.port}; root {self.at}; }} }}\n')

    def measured(self):
        """wrk runs for a fixed time: these are the seconds that 100,000 requests take."""
        with served('nginx', '-c', self.at / 'conf', ready=(self.at / 'pid').exists):
            said = run('wrk', '-t1', '-c20', f'-d{self.seconds}s', f'http://127.0.0.1:{self.port}/page',
                       stdout=subprocess.PIPE, text=True).stdout
        self.requests = int(re.search(r'(\d+) requests in', said)[1])
        return 100_000 * float(re.search(r'requests in ([\d.]+)s', said)[1]) / self.requests


class Fio(Workload):
    """fio psync"""
    engine, amount, options = 'psync', '1g', ()

    def work(self):
        run('fio', '--name=x', f'--filename={self.at}/file', '--rw=randrw', '--bs=4k', '--size=32m',
            f'--io_size={self.amount}', f'--ioengine={self.engine}', '--randseed=1', *self.options)


class FioAio(Fio):
    """fio libaio, depth 32"""
    engine, amount, options = 'libaio', '512m', ('--iodepth=32',)


class FioUring(Fio):
    """fio io_uring, depth 32"""
    engine, amount, options = 'io_uring', '512m', ('--iodepth=32',)


WORKLOADS = (Find, FindSize, Tar, Clone, Make, MakeMore, Sqlite, Pgbench, Redis, Nginx, Fio, FioAio, FioUring)


class PerfRecord(peers.PerfRecord):
    """Of the whole machine, unlike that of bench.py."""
    ready, wait_ready = None, lambda self, proc, out, err: time.sleep(1)

    def argv(self, bench):
        return ['perf', 'record', '-q', '-a', '-e', 'raw_syscalls:*', '-o', bench.path('trace')]


TRACERS = {
    'floor': lambda b: operations.beside(peers.Floor('all'), b),
    'iotrc': lambda b: operations.beside(peers.Iotrc(), b),
    'raw ftrace': operations.ftrace,
    **({'Falco': lambda b: operations.beside(peers.Falco(), b)} if peers.Falco.program else {}),
    'perf record': lambda b: operations.beside(PerfRecord(), b),
}


def once(workload):
    """(seconds, CPU seconds of its processes); of nginx, which works for a fixed time, both per request."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = workload.measured()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    workload.clean()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu / getattr(workload, 'requests', 1)


def measure(bench, workloads, names, rounds):
    """{workload: {tracer: [(seconds and CPU seconds without it, the same beside it)]}}."""
    results = {w: {n: [] for n in names} for w in workloads}
    for workload, of in results.items():
        for i in range(rounds):
            for name in names:
                print(f'{workload.__doc__}, round {i + 1}: {name}', file=sys.stderr)
                alone = once(workload)
                with TRACERS[name](bench):
                    traced = once(workload)
                shutil.rmtree(bench.path('iotrc'), ignore_errors=True)
                of[name].append((alone, traced))
    return results


def ratios(pairs, which):
    return [traced[which] / alone[which] for alone, traced in pairs]


def text_of(values):
    return f'{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})'


def table(results, names):
    yield ('| | alone, s | ' + ' | '.join(f'{n}: time | CPU time' for n in names) + ' | goal for iotrc |')
    yield '|---|---:|' + '---:|---:|' * len(names) + '---|'
    for workload, of in results.items():
        alone = [pair[0][0] for pairs in of.values() for pair in pairs]
        which = int(max(alone) > DISTURBED * min(alone))
        cells = [text_of(ratios(of[n], w)) for n in names for w in (0, 1)]
        goal = ''
        if workload.goal and 'iotrc' in of:
            met = statistics.median(ratios(of['iotrc'], which)) <= workload.goal
            goal = f'≤ {workload.goal}, {"met" if met else "missed"}' + (' by CPU time' if which else '')
        yield f'| {workload.__doc__} | {statistics.median(alone):.2f} | ' + ' | '.join(cells) + f' | {goal} |'


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--build', default='../build', help='where build/iotrc is')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--tracers', help=f'some of: {", ".join(TRACERS)}')
    parser.add_argument('--only', help=f'some of: {", ".join(w.__doc__ for w in WORKLOADS)}; separated by semicolons')
    parser.add_argument('--write', metavar='PAGE', help='put the table between the markers of that page')
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    lock, load = peers.alone(), os.getloadavg()[0]
    bench = peers.Bench(os.path.abspath(options.build))
    peers.mount_tracefs()
    names = options.tracers.split(',') if options.tracers else list(TRACERS)
    wanted = options.only.split(';') if options.only else [w.__doc__ for w in WORKLOADS]
    unknown = set(wanted) - {w.__doc__ for w in WORKLOADS} | set(names) - set(TRACERS)
    if unknown:
        parser.error(f'no such workload or tracer: {", ".join(sorted(unknown))}')
    with tempfile.TemporaryDirectory(dir='/dev/shm') as at:
        workloads = []
        for kind in WORKLOADS:
            if kind.__doc__ in wanted:
                place = pathlib.Path(at) / kind.__name__
                place.mkdir()
                workloads.append(kind(place))
        pathlib.Path(at).chmod(0o755)
        for workload in workloads:
            workload.prepare()
            once(workload) # what it reads is in the page cache from now on
        results = measure(bench, workloads, names, options.rounds)
    text = '\n'.join([f'{peers.machine(load)}.', '', *table(results, names), '',
                      f'Medians of {options.rounds} rounds, least and most in brackets; the time of the workload alone, just before, is 1. '
                      f'Where the times alone differ by more than {DISTURBED - 1:.0%}, the CPU time is compared with the goal.'])
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
