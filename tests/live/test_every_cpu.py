# SPDX-License-Identifier: GPL-2.0-or-later
"""Each CPU has buffers of its own: a program on each of them, and one that moves between them."""
import os
import pathlib
import re
import subprocess
import sys
import time

import recorder

CALLS = 2000 # on each CPU
# Reads CALLS times one byte on the CPU that it is given, or on each CPU in turn, from ascending offsets.
PROGRAM = """
import os, sys
name, calls, *cpus = sys.argv[1:]
fd = os.open(name, os.O_RDONLY)
for i in range(int(calls)):
    if len(cpus) > 1 or not i:
        os.sched_setaffinity(0, {int(cpus[i % len(cpus)])})
    os.pread(fd, 1, i)
"""


def rss_mib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) // 1024


def test_no_row_is_lost_or_moved(tmp_path):
    """As many rows as calls, for programs that run on each CPU at the same time and for one that is on another CPU at each
    call, whose rows are in the order of its calls."""
    cpus = [str(cpu) for cpu in sorted(os.sched_getaffinity(0))]
    data = tmp_path / "data"
    data.write_bytes(bytes(CALLS))
    begun = time.monotonic()
    with recorder.Recording(tmp_path, "--streams", "fs", *recorder.OWN_OR_ALL) as r:
        started = time.monotonic() - begun
        programs = [subprocess.Popen([sys.executable, "-c", PROGRAM, data, str(CALLS), *where])
                    for where in [cpus] + [[cpu] for cpu in cpus]]
        assert not any([p.wait() for p in programs])
        print(f"{len(cpus)} CPUs: records after {started:.1f} s, {rss_mib(r.process.pid)} MiB")
    assert r.session.lost() == {}
    rows = r.rows("fs")
    reads = rows[(rows["operation"] == "read") & (rows["filename"] == str(data))]
    for program in programs:
        own = reads[reads["pid"] == str(program.pid)]
        in_order = own.sort_values("mono_ns", key=lambda ns: ns.astype("int64"))
        assert in_order["offset"].astype(int).tolist() == list(range(CALLS))
