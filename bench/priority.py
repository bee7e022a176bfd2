#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""priority.py IOTRC WORKLOADS [PAIRS]: measures what the priority of the recorder's threads (src/platform/priority.h)
costs the recorded programs and those beside them. Needs root.

Three busy loops per CPU and two programs that read as fast as they can are recorded, in turns, by a recorder that may
raise its priority and by one without CAP_SYS_NICE. The readers count their reads, the loops their rounds. The turns
alternate, so that other load affects both alike; medians are compared.
"""
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile

SECONDS = 3
READERS = 2
LOOP = "import os, signal, sys\nn = 0\ndef end(*_): os.write(1, str(n).encode()); os._exit(0)\n" \
       "signal.signal(signal.SIGTERM, end)\nos.write(1, b'\\n')\nwhile True: n += 1\n"


def turn(iotrc, workloads, raised):
    """(reads, rounds of the loops, rows lost, rows) of one turn."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as scratch:
        data = pathlib.Path(scratch) / "data"
        data.write_bytes(b"x" * 4096)
        command = [iotrc, "-q", "-o", f"{scratch}/out", "--no-snapshots", "--streams", "fs", "--command", "readloop"]
        if not raised:
            command = ["setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice", *command]
        recorder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        session = pathlib.Path(recorder.stdout.readline().strip())
        loops = [subprocess.Popen([sys.executable, "-c", LOOP], stdout=subprocess.PIPE)
                 for _ in range(3 * os.cpu_count())]
        for loop in loops:
            loop.stdout.read(1)
        readers = [subprocess.Popen([f"{workloads}/readloop", data, str(SECONDS)], stdout=subprocess.PIPE, text=True)
                   for _ in range(READERS)]
        reads = sum(int(reader.communicate()[0]) for reader in readers)
        for loop in loops:
            loop.send_signal(signal.SIGTERM)
        rounds = sum(int(loop.communicate()[0]) for loop in loops)
        recorder.send_signal(signal.SIGINT)
        recorder.wait()
        counts = json.loads((session / "manifest.json").read_text())["diagnostics"]["streams"]["fs"]
    return reads, rounds, sum(counts["lost"].values()), counts["seen"]


def main(iotrc, workloads, pairs=5):
    turns = {True: [], False: []}
    for i in range(2 * int(pairs)):
        raised = bool(i % 2) ^ bool(i // 2 % 2)
        turns[raised].append(turn(iotrc, workloads, raised))
        print(f"nice {-15 if raised else 0:3}: {turns[raised][-1][0]:9} reads, {turns[raised][-1][2]} rows lost", flush=True)
    for what, at in ("reads of the programs that are recorded", 0), ("rounds of the busy loops", 1):
        high, low = (statistics.median(t[at] for t in turns[raised]) for raised in (True, False))
        print(f"{what}: {high / low:.2f} of what they are without the priority")
    for raised in True, False:
        lost, seen = (sum(t[at] for t in turns[raised]) for at in (2, 3))
        print(f"rows lost at nice {-15 if raised else 0}: {100 * lost / seen:.2f} %")


main(*sys.argv[1:])
