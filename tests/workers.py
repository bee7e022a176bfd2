# SPDX-License-Identifier: GPL-2.0-or-later
"""A plugin of pytest: runs tests side by side, in processes that are forked once all tests are collected. (pytest-xdist
starts interpreters instead, each of which imports and collects all tests for itself: a fifth of the CPU time.)

The tests of a file that share a fixture run one after the other in one process, any other test anywhere; those that take
long start first. Then come the tests marked `full_speed`, one at a time, with tests beside them that are marked
`calm`, and at the end the tests marked `alone`.
"""
import collections
import multiprocessing.connection
import pathlib
import resource
import signal
import sys

import pytest

FORK = multiprocessing.get_context("fork")
BEGUN = pytest.StashKey() # the processor time when the test began
# The kinds of tests that run beside others: the marks, and what tests without one are.
FULL_SPEED, CALM, RECORDS = "full_speed", "calm", "records"
BESIDE_FULL_SPEED = 3 # how many calm tests


def pytest_configure(config):
    # Of other tests than the live ones.
    config.addinivalue_line("markers", f"{CALM}: may run beside a test marked {FULL_SPEED}")
    config.addinivalue_line("markers", "slow: starts before the others")


def pytest_addoption(parser):
    parser.addoption("--workers", type=int, default=1, help="how many tests run side by side")


def processor_time():
    """Seconds of CPU that this process and its children that have ended have used."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    item.stash[BEGUN] = processor_time()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item, call):
    if call.when == "teardown":
        item.user_properties.append(("cpu", f"{processor_time() - item.stash[BEGUN]:.3f}"))


def shares(path):
    """Whether the tests of this file share a fixture, such as one recording for all of them."""
    return 'scope="module"' in pathlib.Path(path).read_text(encoding="utf-8")


def kind_of(item):
    """How the test gets along with others."""
    return next((kind for kind in (FULL_SPEED, CALM) if item.get_closest_marker(kind)), RECORDS)


def groups_of(items):
    """[[item, …], …]: the tests of a group are of one kind, and run one after the other in one process. Groups that take
    long come first."""
    groups = collections.defaultdict(list)
    for item in items:
        groups[item.path if shares(item.path) else item.nodeid, kind_of(item)].append(item)
    return sorted(groups.values(), key=lambda group: (not shares(group[0].path), not group[0].get_closest_marker("slow")))


class Reporter:
    """In a worker: sends what becomes of its tests, as calls of the hooks that the main process has for it."""

    def __init__(self, config, connection):
        self.config, self.connection = config, connection

    def pytest_runtest_logstart(self, nodeid, location):
        self.connection.send(("pytest_runtest_logstart", {"nodeid": nodeid, "location": location}))

    def pytest_runtest_logreport(self, report):
        data = self.config.hook.pytest_report_to_serializable(config=self.config, report=report)
        self.connection.send(("pytest_runtest_logreport", {"report": data}))

    def pytest_runtest_logfinish(self, nodeid, location):
        self.connection.send(("pytest_runtest_logfinish", {"nodeid": nodeid, "location": location}))


def work(session, groups, incoming, outgoing, not_its_own):
    """What a worker does: the groups of tests whose numbers it is TOLD, until that is None."""
    for connection in not_its_own: # or a test's programs would have them for a moment
        connection.close()
    plugins = session.config.pluginmanager
    plugins.unregister(name="terminalreporter")
    # Files for the tests' output are its own, too.
    capture = plugins.getplugin("capturemanager")
    capture.stop_global_capturing()
    capture.start_global_capturing()
    plugins.register(Reporter(session.config, outgoing))
    while (number := incoming.recv()) is not None:
        group = groups[number]
        # Fixtures of the session last until the worker ends.
        for item, following in zip(group, [*group[1:], session]):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        outgoing.send(("done", {}))
    session._setupstate.teardown_exact(None) # pylint: disable=protected-access
    outgoing.send(("end", {}))


class Worker:
    """A worker as the main process sees it."""

    def __init__(self, session, groups, others):
        self.session, self.groups = session, groups
        self.group = None # its number
        self.left = [] # the tests of its group that have not ended
        # Two pipes: tests of sockets see those that a process has.
        incoming, self.outgoing = FORK.Pipe(duplex=False)
        self.incoming, outgoing = FORK.Pipe(duplex=False)
        not_its_own = [end for worker in [self, *others] for end in (worker.incoming, worker.outgoing)]
        self.process = FORK.Process(target=work, args=(session, groups, incoming, outgoing, not_its_own), daemon=True)
        self.process.start()
        incoming.close()
        outgoing.close()

    def begin(self, number):
        """Gives it a group, or has it end (None)."""
        self.group = number
        self.left = [] if number is None else list(self.groups[number])
        self.outgoing.send(number)

    def hear(self):
        """Takes one message from it. Returns "done" if it has no group any more, "end" if it has ended."""
        hook = self.session.config.hook
        try:
            what, arguments = self.incoming.recv()
        except EOFError:
            self.bury()
            return "end"
        if what == "end":
            self.process.join()
        elif what == "pytest_runtest_logreport":
            self.report(hook.pytest_report_from_serializable(config=self.session.config, data=arguments["report"]))
        elif what != "done":
            if what == "pytest_runtest_logfinish":
                self.left.pop(0)
            getattr(hook, what)(**arguments)
        return what

    def bury(self):
        """Reports what it has left undone."""
        self.process.join()
        if not self.left:
            raise RuntimeError("a fixture of the session did not end")
        why = f"the process that ran it ended with {self.process.exitcode}"
        for item in self.left:
            self.report(pytest.TestReport(item.nodeid, item.location, {}, "failed", why, "call"))

    def report(self, report):
        self.session.config.hook.pytest_runtest_logreport(report=report)


class Queue:
    """The groups that have not begun, by kind."""

    def __init__(self, groups):
        self.kinds = [kind_of(group[0]) for group in groups]
        self.waiting = collections.defaultdict(collections.deque)
        for number, kind in enumerate(self.kinds):
            self.waiting[kind].append(number)

    def next(self, running):
        """The number of the group that may begin beside those that are RUNNING; None if there is none now."""
        kinds = collections.Counter(self.kinds[number] for number in running)
        if self.waiting[RECORDS]:
            return self.waiting[RECORDS].popleft()
        if self.waiting[FULL_SPEED] and not kinds[RECORDS] and not kinds[FULL_SPEED]:
            return self.waiting[FULL_SPEED].popleft()
        last = not self.waiting[FULL_SPEED]
        if self.waiting[CALM] and (last or kinds[CALM] < BESIDE_FULL_SPEED):
            return self.waiting[CALM].popleft()
        return None

    def __bool__(self):
        return any(self.waiting.values())


def run(session, groups, count):
    """Runs the groups, COUNT at a time."""
    queue = Queue(groups)
    workers, idle = {}, []

    def start(number):
        worker = Worker(session, groups, workers.values())
        workers[worker.incoming] = worker
        worker.begin(number)

    def hand_out():
        """Has all work that can begin now, and ends the workers for which there will be none."""
        while queue and len(workers) - len(idle) < count:
            number = queue.next([worker.group for worker in workers.values() if worker.group is not None])
            if number is None:
                break
            if idle:
                idle.pop().begin(number)
            else:
                start(number)
        while idle and not queue:
            idle.pop().begin(None)

    hand_out()
    while workers:
        for connection in multiprocessing.connection.wait(list(workers)):
            worker = workers[connection]
            what = worker.hear()
            if what == "end":
                del workers[connection]
            elif what == "done":
                worker.group = None
                idle.append(worker)
        hand_out()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    count = session.config.option.workers
    if count < 2 or session.testsfailed or session.config.option.collectonly:
        return None # as pytest does it
    session.config._tmp_path_factory.getbasetemp() # pylint: disable=protected-access # one for all workers
    by_mark = {False: [], True: []}
    for item in session.items:
        by_mark[bool(item.get_closest_marker("alone"))].append(item)
    run(session, groups_of(by_mark[False]), count)
    run(session, groups_of(by_mark[True]), 1)
    return True


if __name__ == "__main__":
    signal.signal(signal.SIGHUP, signal.SIG_DFL) # nohup ignores it, and a shell cannot trap what it inherits ignored
    sys.exit(pytest.main(sys.argv[1:], plugins=[sys.modules[__name__]]))
