#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""load.py IOTRC RECORDS.zst [ROWS [PAIRS]]: compares iotrc.load() of a session of ROWS (1 million) rows of fs with
pandas.read_csv() of the same file, in pairs, each in a process of its own. Fails if load() takes more processor time, by
the median of the pairs, or more than 300 MB.

The session is that of report.py. Memory is the maximum resident set size of the whole process, pandas included.
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import report

MB = 300
MEASURE = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
import pandas, iotrc
start, cpu = time.monotonic(), time.process_time()
{load}
seconds, cpu = time.monotonic() - start, time.process_time() - cpu
# Not ru_maxrss: that begins with what the process had before it became this program.
kb = open("/proc/self/status").read().split("VmHWM:")[1].split()[0]
print(json.dumps({{"rows": len(fs), "seconds": seconds, "cpu": cpu, "mb": int(kb) * 1024 / 1e6}}))
"""
LOAD = MEASURE.format(load='fs = iotrc.load(sys.argv[2], "fs")')
PLAIN = MEASURE.format(load='fs = pandas.read_csv(sys.argv[3])')


def measured(program, session):
    """Runs PROGRAM; what it says of itself."""
    file, = (session / "fs").glob("*.csv.zst")
    command = [sys.executable, "-W", "ignore", "-c", program, report.TOP / "python", session, file]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main():
    iotrc, records = sys.argv[1:3]
    rows = int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000
    pairs = int(sys.argv[4]) if len(sys.argv) > 4 else 7
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as directory:
        work = pathlib.Path(directory)
        session = work / "session"
        report.multiply(report.replay(iotrc, records, work), session, rows, ["fs"])
        print(f"load {os.getloadavg()[0]:.1f}", flush=True)
        ratios, most = [], 0
        for _ in range(pairs):
            ours, plain = measured(LOAD, session), measured(PLAIN, session)
            ratios.append(ours["cpu"] / plain["cpu"])
            most = max(most, ours["mb"])
            print(f"{ours['rows']:,} rows: " + ", ".join(
                f"{name} {r['cpu']:.2f} s of CPU in {r['seconds']:.2f} s, {r['mb']:.0f} MB"
                for name, r in (("load", ours), ("read_csv", plain))) + f"; {ratios[-1]:.2f}", flush=True)
    median = statistics.median(ratios)
    print(f"median of {pairs} pairs: load() takes {median:.2f} of read_csv()'s processor time; {most:.0f} MB")
    if median > 1 or most > MB:
        sys.exit("load() takes more")


if __name__ == "__main__":
    main()
