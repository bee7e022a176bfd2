# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that iotrc loads on several CPUs at the same time are those that libbpf loads one after the other, as it does
with -v."""
import collections
import os
import pathlib
import re
import subprocess

import recorder


def programs(pid):
    """What the kernel says of the BPF programs that a process has open: tag (a hash of the instructions), type, and the
    number of instructions that it verified."""
    found = collections.Counter()
    for info in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            text = info.read_text()
        except FileNotFoundError: # closed meanwhile
            continue
        if "prog_tag:" in text:
            found[tuple(re.findall(r"^(?:prog_type|prog_tag|verified_insns):\s*(\S+)", text, re.M))] += 1
    return found


def test_the_same_programs(tmp_path):
    loaded = []
    for verbose in ((), ("-v",)):
        with recorder.Recording(tmp_path, "--streams", "fs,block,nw_conn,nw_epoll,pagefault", *verbose) as r:
            loaded.append(programs(r.process.pid))
    assert loaded[0] == loaded[1]
    assert loaded[0].total() >= 10
    # A program that only returns 0 has two instructions.
    assert all(int(verified[-1]) > 2 for verified in loaded[0] if len(verified) == 3)


def test_a_refused_program(tmp_path):
    """The kernel refuses a program that a thread loads: nothing is recorded, and the message says why."""
    env = {**os.environ, "LD_PRELOAD": recorder.workload("refused_program.so"), "REFUSED_PROGRAM": "on_sys_exit"}
    failed = subprocess.run([recorder.IOTRC, "-o", str(tmp_path / "refused")], env=env, stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=recorder.START)
    assert failed.returncode == 1
    assert failed.stderr == (
        "iotrc: cannot record: cannot load BPF programs: Argument list too long (iotrc -v shows the kernel's log)\n")
    assert not failed.stdout
