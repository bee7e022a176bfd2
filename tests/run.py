#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""run.py STATE PYTEST-ARGUMENT…: runs pytest, with many tests side by side, and sums up.

Tests marked `full_speed` and then those marked `alone` run after the others, one at a time (workers.py); the others run
WORKERS at a time (1: no test runs beside another; default: five per CPU, at most ten). With RETRY=1 each failed test runs once more, by itself, and counts as
passed if it passes then. STATE is a directory for pytest's cache and reports. Prints the twenty slowest tests, the
tests that passed only at the second try, and the skipped ones; ends with `N passed, N failed`. Names of tests that
passed only at the second try are also appended to the file that RETRIED names, so that CI can list them at the end of
its log.
"""
import collections
import os
import pathlib
import shutil
import subprocess
import sys
import xml.etree.ElementTree

SLOWEST = 20
# Tests mostly wait: with three a CPU, a third of the CPUs' time was idle. Not many more, since each recorder sees the
# events of all tests.
WORKERS_PER_CPU, WORKERS_MAX = 5, 10
OK, FAILED, NONE_SELECTED = 0, 1, 5 # exit codes of pytest


class Result:
    """The result of one test."""

    def __init__(self):
        self.seconds = 0
        self.cpu = 0 # seconds of CPU, of the test and of its programs
        self.verdict = "passed"
        self.why = ""


def read_report(path):
    """{test: Result} of a report in JUnit's format, in which a test whose teardown failed occurs twice."""
    results = {}
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        if not case.get("name"): # of no test: pytest was interrupted
            continue
        name = case.get("classname", "").replace(".", "/") + ".py::" + case.get("name")
        result = results.setdefault(name, Result())
        result.seconds += float(case.get("time", 0))
        result.cpu += sum(float(more.get("value")) for more in case.iter("property") if more.get("name") == "cpu")
        for child in case:
            if child.tag in ("failure", "error"):
                result.verdict = "failed"
            elif child.tag == "skipped" and result.verdict == "passed":
                result.verdict, result.why = "skipped", child.get("message", "")
    return results


class Runner:
    def __init__(self, state, arguments):
        self.state = pathlib.Path(state)
        self.arguments = arguments
        self.broken = False # pytest itself failed
        shutil.rmtree(self.state, ignore_errors=True)
        self.state.mkdir(parents=True)

    def run(self, name, title, *options):
        """Runs pytest once; returns its results."""
        print(f"-- {title}", flush=True)
        report = self.state / f"{name}.xml"
        code = subprocess.run(
            [sys.executable, pathlib.Path(__file__).with_name("workers.py"), "-q", "--strict-markers", "-o", f"cache_dir={self.state.resolve()}/cache",
             f"--junitxml={report}", *options, *self.arguments],
        ).returncode
        if code not in (OK, FAILED, NONE_SELECTED):
            self.broken = True
        return read_report(report) if report.exists() else {}

    def run_all(self, workers):
        """Each test once."""
        return self.run("all", "one at a time" if workers < 2 else f"side by side, {workers} at a time; then those alone",
                        "--workers", str(workers))


def summarize(results, retried):
    slowest = sorted(results.items(), key=lambda item: -item[1].seconds)[:SLOWEST]
    print(f"\nThe {len(slowest)} slowest tests, of {sum(result.cpu for result in results.values()):.0f} s of CPU in all:")
    for name, result in slowest:
        print(f"{result.seconds:8.1f} s {result.cpu:6.1f} s of CPU  {name}")
    skipped = collections.Counter(result.why for result in results.values() if result.verdict == "skipped")
    for why, count in sorted(skipped.items()):
        print(f"Skipped: {count}, {why}")
    print(f"Passed only at the second try: {len(retried)}")
    for name in retried:
        print(f"    {name}")
    verdicts = collections.Counter(result.verdict for result in results.values())
    for name, result in results.items():
        if result.verdict == "failed":
            print(f"Failed: {name}")
    more = f", {verdicts['skipped']} skipped" if verdicts["skipped"] else ""
    print(f"{verdicts['passed']} passed, {verdicts['failed']} failed{more}")
    return verdicts


def main(state, *arguments):
    runner = Runner(state, arguments)
    results = runner.run_all(int(os.environ.get("WORKERS") or min(WORKERS_PER_CPU * os.cpu_count(), WORKERS_MAX)))
    retried = []
    if os.environ.get("RETRY") and any(result.verdict == "failed" for result in results.values()):
        again = runner.run("again", "once more, what failed", "--last-failed", "--last-failed-no-failures", "none")
        retried = [name for name, result in again.items() if result.verdict == "passed"]
        for name in retried:
            results[name].verdict = "passed"
    if os.environ.get("RETRIED"):
        with open(os.environ["RETRIED"], "a") as f:
            f.writelines(f"{name}\n" for name in retried)
    verdicts = summarize(results, retried)
    return runner.broken or bool(verdicts["failed"]) or not verdicts["passed"]


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
