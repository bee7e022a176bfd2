#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bpf.py LOOPS IOTRC... [--rounds N] [--options '...']: compares what the BPF programs of several builds of iotrc cost.

For each build it prints how many instructions the kernel's verifier processed when the programs were loaded, and for
each operation of bench/loops the time per call that the kernel spent in them (sysctl kernel.bpf_stats_enabled). The
builds take turns, and each figure is the minimum of all rounds, because other load only adds to it. Ratios are to the
first build. Needs root. The programs of another recorder do not count.
"""
import argparse
import os
import pathlib
import subprocess
import tempfile

from counted import Recorder, count_time

OPERATIONS = ["pread", "write", "fsync", "stat", "stat-deep", "stat-at", "open", "rename-2", "uring-32", "aio-32", "getppid"]
SLOWER = {"rename-2": 4, "uring-32": 32, "aio-32": 32}   # by how much an operation is longer than a pread, at least


def loop(loops, operation, file, calls):
    """Runs the loop; returns how many operations it did, warm-up included."""
    argv = [loops, operation, *([] if operation == "getppid" else [file]), str(calls)]
    return int(subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("loops")
    parser.add_argument("iotrc", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--options", default="", help="of each recording")
    args = parser.parse_args()
    verified = {}
    ns = {(iotrc, o): [] for iotrc in args.iotrc for o in OPERATIONS}
    with tempfile.TemporaryDirectory(dir="/dev/shm") as at:
        file = f"{at}/file"
        pathlib.Path(file).write_bytes(bytes(128 * 1024))
        for turn in range(args.rounds * len(args.iotrc)):
            iotrc = args.iotrc[turn % len(args.iotrc)]
            with tempfile.TemporaryDirectory(dir="/dev/shm") as dir:
                recorder = Recorder(iotrc, args.options.split(), dir)
                verified[iotrc] = recorder.verified()
                counting = count_time()
                for operation in OPERATIONS:
                    before = recorder.ns()
                    calls = loop(args.loops, operation, file, args.calls // SLOWER.get(operation, 1))
                    ns[iotrc, operation].append((recorder.ns() - before) / calls)
                os.close(counting)
                recorder.end()
    first = args.iotrc[0]
    print(f"{'':42}{'verified':>12}" + "".join(f"{o:>16}" for o in OPERATIONS))
    for iotrc in args.iotrc:
        print(f"{iotrc[-40:]:42}{verified[iotrc]:>12,}" + "".join(
            f"{min(ns[iotrc, o]):>8.1f} ({min(ns[iotrc, o]) / min(ns[first, o]):5.3f})" for o in OPERATIONS))
        print(f"{'':42}{verified[iotrc] / verified[first]:>12.3f}")


main()
