# SPDX-License-Identifier: GPL-2.0-or-later
"""A recorder whose BPF programs' time and runs the kernel counts."""
import ctypes
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

PATIENCE_S = 60
BPF_ENABLE_STATS = 32   # enum bpf_cmd of include/uapi/linux/bpf.h
SYS_BPF = {"x86_64": 321, "aarch64": 280}


def programs_of(pid):
    """{id: a program's (verified instructions, ns, runs)}, from /proc/PID/fdinfo (bpf_prog_show_fdinfo())."""
    seen = {}
    for fd in pathlib.Path(f"/proc/{pid}/fdinfo").glob("*"):
        try:
            facts = dict(re.findall(r"^(\w+):\s+(\d+)$", fd.read_text(), re.M))
        except OSError:
            continue
        if "verified_insns" in facts:
            seen[int(facts["prog_id"])] = tuple(int(facts[k]) for k in ("verified_insns", "run_time_ns", "run_cnt"))
    return seen


class Recorder:
    """One build, recording only what one process does, into a directory that is thrown away."""

    def __init__(self, iotrc, options, dir):
        self.out = tempfile.TemporaryFile(dir=dir)
        self.proc = subprocess.Popen(
            [iotrc, "-o", dir, *options], stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.out,
        )
        end = time.monotonic() + PATIENCE_S
        while not self.ready(dir):
            if self.proc.poll() is not None or time.monotonic() > end:
                self.out.seek(0)
                raise SystemExit(f"{iotrc} doesn't record: {self.out.read().decode(errors='replace')}")
            time.sleep(0.1)

    def ready(self, dir):
        return any(self.programs()) and any(pathlib.Path(dir).glob("**/manifest.json"))

    def programs(self):
        return self.by_id().values()

    def by_id(self):
        return programs_of(self.proc.pid)

    def verified(self):
        return sum(p[0] for p in self.programs())

    def ns(self):
        return sum(p[1] for p in self.programs())

    def names(self, bpftool):
        """{id: name} of its programs."""
        return {p["id"]: p.get("name") for p in json.loads(subprocess.check_output([bpftool, "-j", "prog", "show"]))
                if p["id"] in self.by_id()}

    def end(self):
        self.proc.send_signal(signal.SIGINT)
        self.proc.wait(PATIENCE_S)


def count_time():
    """Has the kernel count until the descriptor is closed."""
    attr = (ctypes.c_uint32 * 32)(0)   # BPF_STATS_RUN_TIME
    fd = ctypes.CDLL(None, use_errno=True).syscall(SYS_BPF[os.uname().machine], BPF_ENABLE_STATS, attr, 128)
    if fd < 0:
        raise SystemExit(f"BPF_ENABLE_STATS: {os.strerror(ctypes.get_errno())}")
    return fd
