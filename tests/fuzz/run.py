#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""run.py BUILD SECONDS SEED TARGET...: runs each fuzz target for SECONDS, as many at a time as there are CPUs. SEED
seeds the random numbers (0: the time does), so that a run can be repeated.

A target starts with the inputs in tests/fuzz/corpus and those that earlier runs found, and stores new ones in
BUILD/corpus. Inputs that crash, hang or need too much memory are stored in BUILD/crashes.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
LIMITS = [
    "-timeout=60",          # seconds per input, with sanitizers on a busy machine
    "-rss_limit_mb=1024",   # including the sanitizers' memory
    "-malloc_limit_mb=256",
    "-max_len=65536",
]


def run(build, seconds, seed, target):
    corpus, crashes = build / "corpus" / target, build / "crashes" / target
    corpus.mkdir(parents=True, exist_ok=True)
    crashes.mkdir(parents=True, exist_ok=True)
    seeds = HERE / "corpus" / target
    done = subprocess.run(
        ["nice", "-n", "15", build / "fuzz" / target, f"-max_total_time={seconds}", f"-seed={seed}",
         f"-artifact_prefix={crashes}/", "-print_final_stats=1", *LIMITS, corpus,
         *([seeds] if seeds.is_dir() else [])],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
    )
    text = done.stderr
    inputs = re.search(r"stat::number_of_executed_units: (\d+)", text)
    covered = re.findall(r" cov: (\d+) ", text)
    print(f"{target}: {inputs[1] if inputs else '?'} inputs, {covered[-1] if covered else '?'} edges, "
          + ("all answered" if done.returncode == 0 else f"FAILED, see {crashes}"), flush=True)
    if done.returncode:
        print("\n".join(text.splitlines()[-60:]), flush=True)
    # A run without a single input has tested nothing.
    return done.returncode == 0 and inputs and int(inputs[1]) > 0


def main():
    build, seconds, seed, targets = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        passed = sum(map(bool, pool.map(lambda t: run(build, seconds, seed, t), targets)))
    print(f"{passed} passed, {len(targets) - passed} failed")
    return passed != len(targets)


sys.exit(main())
