#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""matrix.py OUT IOTRC WORKLOADS [VERSION...]: runs the live tests on other kernels.

Each kernel boots under emulation from a root disk that holds the program, the tests and what they
need. What a machine left goes to OUT/VERSION: the verifier's log (load.log), pytest's, the kernel's,
the console's. Closes with a table test by kernel and the line `N passed, N failed`. A kernel that
can't be had is a test skipped; it is an error when that is all of them.
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
VERSIONS = ["5.10", "6.1", "6.12", "7.2"]
# Not these live tests: no kernel has a part in options, signals and files.
EXCEPT = {"test_session.py", "test_snapshots.py", "test_anonymize.py"}
TESTS = sorted({p.name for p in (HERE.parent / "live").glob("test_*.py")} - EXCEPT)
if os.environ.get("KERNEL_TESTS"): # fewer, for a shorter run
    TESTS = os.environ["KERNEL_TESTS"].split()
SECONDS = 900
# What a kernel can't give: (version, test): why. docs/kernels.md says it to people.
_URING = "its io_uring_complete names no request, and programs may give many the same user_data"
KNOWN = {
    ("5.10", "test_fs_strace::test_rows_equal_strace[uring_rw]"): _URING,
    ("5.10", "test_fs_strace::test_rows_equal_strace[uring_fs]"): _URING,
}
# What the kernel says when something of its own went wrong.
COMPLAINT = re.compile(r"BUG:|WARNING:|Oops|general protection|rcu_.*stall|Call Trace")

PASS, FAIL, KNOWN_FAIL, SKIP, NONE = "ok", "FAIL", "known", "skipped", "-"


class Kernel:
    def __init__(self, version, out):
        self.version, self.out = version, out / version
        self.results = {}
        self.notes = []   # for people, about what failed
        self.seconds = 0

    def fail(self, test, why):
        self.results[test] = FAIL
        self.notes.append(f"{self.version} {test}: {why}")

    def run(self, image, directory):
        """Boots it with a copy of IMAGE; DIRECTORY is where its kernel lies."""
        begun = time.monotonic()
        disk = self.out / "root.img"
        subprocess.run(["cp", "--sparse=always", image, disk], check=True)
        with open(self.out / "console", "wb") as console:
            done = subprocess.run(
                [VM / "boot.sh", f"{directory}/vmlinuz", disk, str(SECONDS), "tests=" + ",".join(TESTS)],
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
            self.fail("load and attach", f"see {self.out}/load.log")
        complaints = [line for line in self.read("dmesg").splitlines() if COMPLAINT.search(line)]
        if complaints:
            self.fail("the kernel's log", complaints[0])
        elif self.read("dmesg"):
            self.results["the kernel's log"] = PASS
        if not self.read("junit.xml"):
            if (self.out / "loaded").exists():
                self.fail("pytest", f"left no results, see {self.out}/pytest.log")
            return
        for case in xml.etree.ElementTree.parse(self.out / "junit.xml").iter("testcase"):
            name = f"{case.get('classname').split('.')[-1]}::{case.get('name')}"
            bad = case.find("failure") if case.find("failure") is not None else case.find("error")
            if bad is not None and (self.version, name) in KNOWN:
                self.results[name] = KNOWN_FAIL
                self.notes.append(f"{self.version} {name}: known: {KNOWN[self.version, name]}")
            elif bad is not None:
                self.fail(name, bad.get("message", "").splitlines()[0][:200])
            else:
                # Nothing in the live tests is skipped, so nothing may be here.
                self.results[name] = FAIL if case.find("skipped") is not None else PASS


def fetch(version):
    """(directory, None) or (None, why not)."""
    done = subprocess.run([VM / "fetch-kernel.sh", version], capture_output=True, text=True)
    if done.returncode:
        return None, (done.stderr.strip() or "can't be fetched").splitlines()[-1]
    return done.stdout.strip(), None


def table(kernels):
    tests = list(dict.fromkeys(test for kernel in kernels for test in kernel.results))
    width = max(len(test) for test in tests)
    row = "{:%d}" % width + "  {:>8}" * len(kernels)
    print(row.format("", *(kernel.version for kernel in kernels)))
    for test in tests:
        print(row.format(test, *(kernel.results.get(test, NONE) for kernel in kernels)))
    print(row.format("seconds", *(f"{kernel.seconds:.0f}" for kernel in kernels)))


def main(out, iotrc, workloads, *versions):
    out = pathlib.Path(out).resolve()
    kernels, directories = [], {}
    image = out / "base.img"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    for version in versions or VERSIONS:
        kernel = Kernel(version, out)
        kernels.append(kernel)
        kernel.out.mkdir()
        directories[kernel], why = fetch(version)
        if why:
            kernel.results["boot"] = SKIP
            kernel.notes.append(f"{version} skipped: {why}")
    here = {kernel: directory for kernel, directory in directories.items() if directory}
    subprocess.run([VM / "make-root.sh", image, iotrc, workloads, *here.values()], check=True)
    # A machine has two CPUs and its tests keep one of them busy.
    with concurrent.futures.ThreadPoolExecutor(max(1, min(4, os.cpu_count()))) as pool:
        for run in [pool.submit(kernel.run, image, directory) for kernel, directory in here.items()]:
            run.result()
    image.unlink()
    table(kernels)
    for kernel in kernels:
        for note in kernel.notes:
            print(note)
    verdicts = [verdict for kernel in kernels for verdict in kernel.results.values()]
    # What is known to fail is neither passed nor failed, and not run is what it amounts to.
    skipped = verdicts.count(KNOWN_FAIL) + verdicts.count(SKIP)
    line = f"{verdicts.count(PASS)} passed, {verdicts.count(FAIL)} failed"
    print(f"{line}, {skipped} skipped" if skipped else line)
    return FAIL in verdicts or PASS not in verdicts


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
