#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""rows.py PROGRAM RECORDS.zst KEPT [--update]: measures what a row costs from the record to the file.

PROGRAM (rows.c) replays the recording. Prints the CPU time per row and, measured by callgrind, the instructions per row
until it is in the writer's queue. The number of instructions is reproducible with the same compiler: the script fails
if it is more than 3 % above the number in the file KEPT. --update writes that number.
"""
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

MORE = 1.03
TIMES = 5


def replay(program, records, before=()):
    """How many rows there are, and the CPU ns per row."""
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run([*before, program, records, directory], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit("no rows. Have records another layout? make bench-record bench-rows UPDATE=1")
    rows, ns = done.stdout.split()
    return int(rows), float(ns)


def instructions(program, records, out):
    """Instructions of the reader alone: compression is the library's."""
    rows, _ = replay(program, records, ["valgrind", "-q", "--tool=callgrind",
                                        "--toggle-collect=engine__drain", f"--callgrind-out-file={out}"])
    total = re.search(r"^(?:totals|summary): (\d+)", pathlib.Path(out).read_text(), re.M)
    return int(total[1]) / rows


def main():
    program, packed, kept = sys.argv[1:4]
    with tempfile.TemporaryDirectory() as directory:
        records = f"{directory}/records"
        subprocess.run(["zstd", "-dqf", packed, "-o", records], check=True)
        rows, ns = min((replay(program, records) for _ in range(TIMES)), key=lambda r: r[1])
        cost = instructions(program, records, f"{directory}/callgrind")
    print(f"{pathlib.Path(packed).name}: {rows} rows, {ns:.0f} ns of CPU and {cost:.1f} instructions each", flush=True)
    if "--update" in sys.argv:
        pathlib.Path(kept).write_text(f"{cost:.1f}\n")
        return 0
    if platform.machine() != "x86_64":
        print(f"{kept} has a number for x86-64 alone: nothing is compared")
        return 0
    limit = float(pathlib.Path(kept).read_text())
    print(f"kept in {kept}: {limit:.1f}, {100 * (cost / limit - 1):+.1f} %")
    if cost > limit * MORE:
        print("more than 3 % above it. If the rows are worth that: make bench-rows UPDATE=1")
        return 1
    return 0


sys.exit(main())
