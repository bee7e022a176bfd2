#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""matrix.py OUT BUILD [VERSION[/WAY][:TESTS]...]: runs the live tests on other kernels, with BUILD/iotrc and
BUILD/workloads, or those of BUILD-arm64.

Each kernel is booted under emulation from a root disk with the program, the tests and what they need, once for each
way to hook system calls that it supports (--attach). TESTS is `corpora` for those of CORPORA, or files with commas
between them: only these run there. The machine has as many CPUs as VM_CPUS says (2). Logs are stored in OUT/VERSION-
WAY: the verifier's (load.log), pytest's, the kernel's and the console's. With RETRY in the environment, failed tests
are run a second time in the same machine: one that passes then is `ok at 2nd` in the table and is listed below it,
and its name is appended to the file that RETRIED names. The slowest tests of each machine follow. Ends with a table
test by machine and the line `N passed, N failed`. A kernel that cannot be had is a skipped test; if there is none at
all, that is an error.
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
VM = HERE.parent.parent / "scripts" / "vm"
# The ways to hook system calls that each kernel supports (docs/kernels.md); auto chooses the first one.
WAYS = {"5.10": ["raw"], "6.1": ["raw", "classic"], "6.1-arm64": ["raw", "classic"], "6.12": ["raw", "classic"],
        "6.1-any": ["raw"], "7.2": ["classic", "functions"]}
# Live tests that do not depend on the kernel: options, signals and files.
EXCEPT = {"test_session.py", "test_snapshots.py", "test_anonymize.py", "test_daemon.py", "test_examples.py", "test_hostile.py",
          "test_recover.py", "test_metrics.py", "test_run_sudo.py", "test_top.py", "test_not_recorded.py",
          "test_questions.py", "test_watch_table.py"}
TESTS = sorted({p.name for p in (HERE.parent / "live").glob("test_*.py")} - EXCEPT)
# 6.1-arm64: without functions to attach to (docs/kernels.md), which test_cache.py needs; other tests were not tried.
# 6.1-any: the same source as 6.1, with file systems that kernels for clouds lack (f2fs).
SOME = {"6.1-arm64": {"test_fs_strace.py", "test_filters.py", "test_conn.py", "test_block.py", "test_hooks.py",
                      "test_fs_counters.py", "test_pagefault.py", "test_lineage.py", "test_lineage_layers.py",
                      "test_lineage_causes.py"},
        "6.1-any": {"test_lineage.py", "test_lineage_database.py"}}
NAMED = os.environ.get("KERNEL_TESTS", "").split() # fewer, for a shorter run
if NAMED:
    TESTS = NAMED
# Tests that depend on the way: they run in each, the others only in the first, unless they are named.
OF_WAYS = {"test_fs_strace.py", "test_fs_chance.py", "test_filters.py", "test_hooks.py", "test_conn.py", "test_refused.py",
           "test_reached.py"}
# The tests that every landing runs on the oldest and the newest kernel and on arm64: each call has a row.
CORPORA = {"test_fs_strace.py", "test_fs_chance.py", "test_conn.py", "test_block.py"}
RETRY = "1" if os.environ.get("RETRY") else ""
SECONDS = 3600 if RETRY else 1800 # for a machine that hangs
SLOWEST = 5
LOG_LINES = 40 # of the verifier's log, where programs don't load
# What the kernel logs when it has detected an error of its own.
COMPLAINT = re.compile(r"BUG:|WARNING:|Oops|general protection|rcu_.*stall|Call Trace")

PASS, AGAIN, FAIL, SKIP, NONE = "ok", "ok at 2nd", "FAIL", "skipped", "-"


def read_seconds(text):
    """{name: seconds} from pytest's junit.xml."""
    return {f"{case.get('classname').split('.')[-1]}::{case.get('name')}": float(case.get("time", 0))
            for case in xml.etree.ElementTree.fromstring(text).iter("testcase")}


def read_cases(text):
    """{name: why it failed, or None} from pytest's junit.xml."""
    cases = {}
    for case in xml.etree.ElementTree.fromstring(text).iter("testcase"):
        name = f"{case.get('classname').split('.')[-1]}::{case.get('name')}"
        bad = next((bad for bad in map(case.find, ("failure", "error", "skipped")) if bad is not None), None)
        if bad is not None: # nothing may be skipped here: these machines have what others lack
            why = (bad.get("message") or bad.text or "it doesn't say why").splitlines()[0][:200]
            cases[name] = "skipped: " + why if bad.tag == "skipped" else why
        else:
            cases.setdefault(name) # its teardown may have failed, which pytest counts as another case
    return cases


class Machine:
    def __init__(self, version, way, out, only):
        self.version, self.way, self.name = version, way, f"{version}/{way}"
        self.out = out / f"{version}-{way}"
        tried = SOME.get(version, TESTS) if only or not NAMED else TESTS
        self.tests = [test for test in TESTS if (NAMED or way == WAYS[version][0] or test in OF_WAYS)
                      and test in tried and (not only or test in only)]
        self.results = {}
        self.slowest = [] # (seconds, test)
        self.notes = []   # for people, about failures
        self.seconds = 0

    def fail(self, test, why):
        self.results[test] = FAIL
        self.notes.append(f"{self.name} {test}: {why}")

    def run(self, image, directory):
        """Boots it with a copy of IMAGE. DIRECTORY contains the kernel."""
        begun = time.monotonic()
        self.out.mkdir()
        disk = self.out / "root.img"
        subprocess.run(["cp", "--sparse=always", image, disk], check=True)
        with open(self.out / "console", "wb") as console:
            done = subprocess.run(
                [
                    VM / "boot.sh", directory, disk, str(SECONDS),
                    "tests=" + ",".join(self.tests), "attach=" + self.way, "retry=" + RETRY,
                ],
                stdout=console, stderr=subprocess.STDOUT,
            )
        subprocess.run(
            ["debugfs", "-R", f"rdump /results {self.out}", f"{disk}?offset=1048576"], check=True, capture_output=True
        )
        disk.unlink()
        for path in (self.out / "results").iterdir():
            path.rename(self.out / path.name)
        (self.out / "results").rmdir()
        self.seconds = time.monotonic() - begun
        self.judge(done.returncode)

    def read(self, name):
        path = self.out / name
        return path.read_text(errors="replace") if path.exists() else ""

    def judge(self, code):
        if not self.read("uptime"):
            self.fail("boot", f"ended with {code} before it was done, see {self.out}/console")
        else:
            self.results["boot"] = PASS
        if (self.out / "loaded").exists():
            self.results["load and attach"] = PASS
        elif self.read("load.log"):
            # After a run in CI the file is not available.
            last = "".join(f"\n    {line[:200]}" for line in self.read("load.log").splitlines()[-LOG_LINES:])
            self.fail("load and attach", f"see {self.out}/load.log, which ends with{last}")
        complaints = [line for line in self.read("dmesg").splitlines() if COMPLAINT.search(line)]
        if complaints:
            self.fail("the kernel's log", complaints[0])
        elif self.read("dmesg"):
            self.results["the kernel's log"] = PASS
        if not self.read("junit.xml"):
            if (self.out / "loaded").exists():
                self.fail("pytest", f"left no results, see {self.out}/pytest.log")
            return
        again = read_cases(self.read("again.xml")) if self.read("again.xml") else {}
        cases = read_cases(self.read("junit.xml"))
        seconds = read_seconds(self.read("junit.xml"))
        self.slowest = sorted(((seconds[name], name) for name in seconds), reverse=True)[:SLOWEST]
        if not cases:
            self.fail("pytest", f"ran no test, see {self.out}/pytest.log")
        for name, why in cases.items():
            if not why:
                self.results[name] = PASS
            elif name in again and not again[name]:
                self.results[name] = AGAIN
                self.notes.append(f"{self.name} {name}: passed when run once more; at first: {why}")
            else:
                self.fail(name, f"twice: {again[name]}; at first: {why}" if name in again else why)


def fetch(what, name):
    """(directory, None) or (None, reason): of a kernel, or of the root file system of another architecture."""
    done = subprocess.run([VM / f"fetch-{what}.sh", name], capture_output=True, text=True)
    if done.returncode:
        return None, (done.stderr.strip() or "can't be fetched").splitlines()[-1]
    return done.stdout.strip(), None


def architecture(kernel):
    """The architecture of a kernel's directory: arm64, or "" for that of this machine."""
    path = pathlib.Path(kernel) / "architecture"
    return path.read_text().strip() if path.exists() else ""


def make_images(out, build, kernels):
    """Makes a root disk for each architecture of KERNELS (directories): {architecture: (image, why there is none)}."""
    images = {}
    for name in dict.fromkeys(map(architecture, kernels)):
        image, programs = out / f"base{name}.img", f"{build}-{name}" if name else build
        own = [kernel for kernel in kernels if architecture(kernel) == name]
        why = fetch("root", name)[1] if name else None
        if not why: # from here on a failure is not the archive's
            subprocess.run(
                [VM / "make-root.sh", image, f"{programs}/iotrc", f"{programs}/workloads", *own], check=True
            )
        images[name] = image, why
    return images


def table(machines):
    tests = list(dict.fromkeys(test for machine in machines for test in machine.results))
    width = max(len(test) for test in tests)
    row = "{:%d}" % width + "  {:>12}" * len(machines)
    print(row.format("", *(machine.name for machine in machines)))
    for test in tests:
        print(row.format(test, *(machine.results.get(test, NONE) for machine in machines)))
    print(row.format("seconds", *(f"{machine.seconds:.0f}" for machine in machines)))


def choose(names, out):
    """The longest-running machines first (those with the longest lists of tests, and the newest kernels), so that all
    finish soonest. A name that is not in WAYS may be a kernel that was added by hand."""
    only = {name: CORPORA if tests == "corpora" else set(tests.split(","))
            for name, _, tests in (name.partition(":") for name in names) if tests}
    missing = {test for tests in only.values() for test in tests if not (HERE.parent / "live" / test).exists()}
    if missing:
        sys.exit(f"no such tests: {' '.join(sorted(missing))}")
    names = [name.partition(":")[0] for name in names]
    for version, _, way in (name.partition("/") for name in names):
        if version not in WAYS and not fetch("kernel", version)[1]:
            WAYS[version] = [way or "raw"]
    machines = [Machine(version, way, out, only.get(f"{version}/{way}", only.get(version)))
                for version, ways in WAYS.items() for way in ways]
    unknown = set(names) - {m.version for m in machines} - {m.name for m in machines}
    if unknown:
        sys.exit(f"{' '.join(unknown)}: none of {' '.join(m.name for m in machines)}")
    wanted = [m for m in machines if not names or m.version in names or m.name in names]
    newest = list(reversed(WAYS))
    return sorted((m for m in wanted if m.tests), key=lambda m: (-len(m.tests), newest.index(m.version)))


def main(out, build, *names):
    out = pathlib.Path(out).resolve()
    machines = choose(names, out)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    kernels = {version: fetch("kernel", version) for version in dict.fromkeys(machine.version for machine in machines)}
    images = make_images(out, build, [directory for directory, why in kernels.values() if not why])
    for machine in machines:
        machine.kernel, why = kernels[machine.version]
        if not why:
            machine.image, why = images[architecture(machine.kernel)]
        if why:
            machine.results["boot"] = SKIP
            machine.notes.append(f"{machine.name} skipped: {why}")
    here = [machine for machine in machines if not machine.results]
    # A machine has two CPUs and its tests keep one of them busy.
    with concurrent.futures.ThreadPoolExecutor(max(1, min(4, os.cpu_count()))) as pool:
        for run in [pool.submit(machine.run, machine.image, machine.kernel) for machine in here]:
            run.result()
    for image, _ in images.values():
        image.unlink(missing_ok=True)
    machines.sort(key=lambda machine: list(WAYS).index(machine.version))
    table(machines)
    for machine in machines:
        for note in machine.notes:
            print(note)
    for machine in machines:
        for seconds, test in machine.slowest:
            print(f"{seconds:8.1f} s  {machine.name} {test}")
    again = [f"{machine.name} {test}" for machine in machines for test, verdict in machine.results.items() if verdict == AGAIN]
    if os.environ.get("RETRIED"):
        with open(os.environ["RETRIED"], "a") as f:
            f.writelines(f"{name}\n" for name in again)
    verdicts = [verdict for machine in machines for verdict in machine.results.values()]
    passed = verdicts.count(PASS) + verdicts.count(AGAIN)
    print(f"Passed only at the second try: {len(again)}")
    line = f"{passed} passed, {verdicts.count(FAIL)} failed"
    print(f"{line}, {verdicts.count(SKIP)} skipped" if SKIP in verdicts else line)
    return FAIL in verdicts or not passed


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
