#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""matrix.py OUT BUILD [VERSION[/WAY][:corpora]...]: runs the live tests on other kernels, with BUILD/iotrc and
BUILD/workloads, or those of BUILD-arm64.

Each kernel boots under emulation from a root disk that holds the program, the tests and what they
need, once for each way to hook system calls that it has (--attach); with :corpora only CORPORA run there. What a machine left goes to
OUT/VERSION-WAY: the verifier's log (load.log), pytest's, the kernel's, the console's. With RETRY in
the environment, what fails is run once more in the same machine: what passes then is `ok at 2nd` in
the table and noted below it, and its name goes to the file that RETRIED names; what fails twice fails. Then follow
the slowest tests of each machine. Closes with a table test by machine and the line
`N passed, N failed`. A kernel that can't be had is a test skipped; it is an error when that is all of
them.
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
# The ways to hook system calls that each has (docs/kernels.md), the one that it chooses first.
WAYS = {"5.10": ["raw"], "6.1": ["raw", "classic"], "6.1-arm64": ["raw", "classic"], "6.12": ["raw", "classic"],
        "7.2": ["classic", "functions"]}
# Not these live tests: no kernel has a part in options, signals and files.
EXCEPT = {"test_session.py", "test_snapshots.py", "test_anonymize.py", "test_daemon.py", "test_examples.py", "test_hostile.py",
          "test_recover.py", "test_metrics.py", "test_top.py"}
TESTS = sorted({p.name for p in (HERE.parent / "live").glob("test_*.py")} - EXCEPT)
# There no program attaches to a function (docs/kernels.md), which test_cache.py wants, and others haven't been tried.
SOME = {"6.1-arm64": {"test_fs_strace.py", "test_filters.py", "test_conn.py", "test_block.py", "test_hooks.py",
                      "test_fs_counters.py", "test_pagefault.py"}}
if os.environ.get("KERNEL_TESTS"): # fewer, for a shorter run
    TESTS = os.environ["KERNEL_TESTS"].split()
# What the way bears on: these run in each, the rest in the first.
OF_WAYS = {"test_fs_strace.py", "test_fs_chance.py", "test_filters.py", "test_hooks.py", "test_conn.py", "test_refused.py"}
# What every landing runs on the oldest and the newest kernel and on arm64: each call is a row.
CORPORA = {"test_fs_strace.py", "test_fs_chance.py", "test_conn.py", "test_block.py"}
RETRY = "1" if os.environ.get("RETRY") else ""
SECONDS = 3600 if RETRY else 1800 # for a machine that hangs
SLOWEST = 5
LOG_LINES = 40 # of the verifier's log, where programs don't load
# What the kernel says when something of its own went wrong.
COMPLAINT = re.compile(r"BUG:|WARNING:|Oops|general protection|rcu_.*stall|Call Trace")

PASS, AGAIN, FAIL, SKIP, NONE = "ok", "ok at 2nd", "FAIL", "skipped", "-"


def read_seconds(text):
    """{name: seconds} of the same."""
    return {f"{case.get('classname').split('.')[-1]}::{case.get('name')}": float(case.get("time", 0))
            for case in xml.etree.ElementTree.fromstring(text).iter("testcase")}


def read_cases(text):
    """{name: why it failed, or None} of pytest's junit.xml."""
    cases = {}
    for case in xml.etree.ElementTree.fromstring(text).iter("testcase"):
        name = f"{case.get('classname').split('.')[-1]}::{case.get('name')}"
        bad = next((bad for bad in map(case.find, ("failure", "error", "skipped")) if bad is not None), None)
        if bad is not None: # nothing may be skipped here: what other machines lack, these have
            why = (bad.get("message") or bad.text or "it doesn't say why").splitlines()[0][:200]
            cases[name] = "skipped: " + why if bad.tag == "skipped" else why
        else:
            cases.setdefault(name) # its teardown may have failed, which is a case of its own
    return cases


class Machine:
    def __init__(self, version, way, out, corpora):
        self.version, self.way, self.name = version, way, f"{version}/{way}"
        self.out = out / f"{version}-{way}"
        tried = SOME.get(version, TESTS) if corpora or not os.environ.get("KERNEL_TESTS") else TESTS
        self.tests = [test for test in TESTS if (way == WAYS[version][0] or test in OF_WAYS)
                      and test in tried and (not corpora or test in CORPORA)]
        self.results = {}
        self.slowest = [] # (seconds, test)
        self.notes = []   # for people, about what failed
        self.seconds = 0

    def fail(self, test, why):
        self.results[test] = FAIL
        self.notes.append(f"{self.name} {test}: {why}")

    def run(self, image, directory):
        """Boots it with a copy of IMAGE; DIRECTORY is where its kernel lies."""
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
            # Where CI ran nobody can look into the file afterwards.
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
    """(directory, None) or (None, why not): of a kernel, or the root of another architecture."""
    done = subprocess.run([VM / f"fetch-{what}.sh", name], capture_output=True, text=True)
    if done.returncode:
        return None, (done.stderr.strip() or "can't be fetched").splitlines()[-1]
    return done.stdout.strip(), None


def architecture(kernel):
    """Of a kernel's directory: arm64, or "" for this machine's own."""
    path = pathlib.Path(kernel) / "architecture"
    return path.read_text().strip() if path.exists() else ""


def make_images(out, build, kernels):
    """Makes a root disk for each architecture of KERNELS, directories: {architecture: (image, why there is none)}."""
    images = {}
    for name in dict.fromkeys(map(architecture, kernels)):
        image, programs = out / f"base{name}.img", f"{build}-{name}" if name else build
        own = [kernel for kernel in kernels if architecture(kernel) == name]
        why = fetch("root", name)[1] if name else None
        if not why: # what goes wrong from here on is no matter of the archive
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
    """Those that take longest first, which are those with the longest lists, and the newest: so they are all done
    the soonest. A name that WAYS hasn't got may be of a kernel that somebody has put beside the fetched ones."""
    corpora = {name.partition(":")[0] for name in names if name.endswith(":corpora")}
    names = [name.partition(":")[0] for name in names]
    for version, _, way in (name.partition("/") for name in names):
        if version not in WAYS and not fetch("kernel", version)[1]:
            WAYS[version] = [way or "raw"]
    machines = [Machine(version, way, out, bool({version, f"{version}/{way}"} & corpora))
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
