# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls without an entry event, restarted calls, and processes that see other ids than the machine's."""
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import fs_rows
import ptrace
import pytest
import recorder
import strace_oracle

# A poll() of 5 s that something becomes ready for at the first line of input.
POLLER = """
import os, select, sys
r, w = os.pipe()
child = os.fork()
if child == 0:
    open("/proc/self/comm", "w").write("poller")
    p = select.poll()
    p.register(r, select.POLLIN)
    p.poll(5000)
    os._exit(0)
print(child, flush=True)
sys.stdin.readline()
os.write(w, b"x")
os.waitpid(child, 0)
"""

POLL = {"x86_64": "7", "aarch64": "73"}[os.uname().machine] # the call's number in /proc/PID/syscall

# One is killed while it is stopped; in the other a handler runs, so that its poll() is not restarted.
ENDED_POLLS = """
import os, select, signal, sys, time
def poller(name, handler):
    child = os.fork()
    if child == 0:
        open("/proc/self/comm", "w").write(name)
        if handler:
            signal.signal(signal.SIGUSR1, lambda *_: os._exit(0))
        p = select.poll()
        p.register(os.pipe()[0], select.POLLIN)
        p.poll(5000)
        os._exit(0)
    time.sleep(.3)
    return child
a = poller("killed", False)
os.kill(a, signal.SIGSTOP); time.sleep(.2); os.kill(a, signal.SIGKILL); os.waitpid(a, 0)
b = poller("handled", True)
os.kill(b, signal.SIGUSR1); os.waitpid(b, 0)
"""

# In a pid namespace: a process forks, prints the id that it got, and ends.
FORKS = """
import os
child = os.fork()
if child == 0:
    os._exit(3)
os.waitpid(child, 0)
print(os.getpid(), child)
"""


def test_refused_calls_have_rows(tmp_path):
    cwd = tmp_path / "refused"
    cwd.mkdir()
    with recorder.Recording(tmp_path, "--streams", "fs", *recorder.OWN_OR_ALL) as r:
        oracle = strace_oracle.run(
            [recorder.workload("refused")], cwd, tmp_path / "refused.strace"
        )
    assert oracle.code == 0, oracle.stderr
    rows = fs_rows.of(oracle, r.rows("fs"))
    found = fs_rows.compare(oracle, rows)
    assert not found, "\n" + "\n".join(found)
    refused = rows[(rows["operation"] == "mkdir") & (rows["errno"] == "EACCES")]
    assert refused["duration_ns"].tolist() == [""], "when it began is not known"


def test_refused_connections_have_rows(tmp_path):
    with recorder.Recording(tmp_path, "--streams", "nw_conn") as r:
        done = subprocess.run(
            ["strace", "-f", "-e", "trace=connect,bind", recorder.workload("refused_conn")],
            capture_output=True, text=True, check=True,
        )
    rows = r.rows("nw_conn")
    rows = rows[rows["command"] == "refused_conn"]
    for call in "connect", "bind":
        reported = done.stderr.count(f"{call}(")
        found = rows[rows["event_type"] == call.upper()]
        assert reported == len(found) == 1
        assert found["return_value"].tolist() == ["-1"] and "EPERM" in done.stderr


def test_calls_that_a_tracer_skips_have_rows(tmp_path):
    """strace replaces the number by -1 and, when the call has ended, the kernel's result by its own."""
    (tmp_path / "file").write_text("x")
    with recorder.Recording(tmp_path, "--streams", "fs", *recorder.OWN_OR_ALL) as r:
        done = subprocess.run(
            ["strace", "-f", "-e", "trace=unlinkat", "-e", "inject=unlinkat:error=EACCES",
             "rm", "-f", "file", "absent"],
            cwd=tmp_path, capture_output=True, text=True,
        )
    assert done.returncode == 1 and (tmp_path / "file").exists()
    reported = re.findall(r'unlinkat\(AT_FDCWD, "(.*?)", 0\)\s+= -1 EACCES .*INJECTED', done.stderr)
    assert reported == ["file", "absent"]
    rows = r.rows("fs")
    rows = rows[(rows["operation"] == "unlink") & (rows["command"] == "rm")
                & rows["filename"].str.startswith(f"{os.path.realpath(tmp_path)}/")]
    assert rows["filename"].map(os.path.basename).tolist() == reported
    assert set(rows["errno"]) == {"ENOSYS"}, "the kernel's own result: it did nothing"
    assert set(rows["duration_ns"]) == {""}


def test_calls_that_a_tracer_changes_are_those_that_the_kernel_makes(tmp_path):
    """The workload is its own tracer; the oracle is the files that it leaves."""
    cwd = tmp_path / "retold"
    cwd.mkdir()
    with recorder.Recording(tmp_path, "--streams", "fs", *recorder.OWN) as r:
        child = subprocess.run([recorder.workload("retold")], cwd=cwd, capture_output=True, text=True,
                               check=True).stdout.strip()
    assert {p.name for p in cwd.iterdir()} == {"given", "file", "victim"} and (cwd / "file").stat().st_size == 4
    rows = r.rows("fs")
    rows = rows[rows["pid"] == child]
    rows = rows[rows["operation"].isin(["mkdir", "write", "unlink", "access"])]
    reported = rows[["operation", "size", "return_value"]].assign(name=rows["filename"].map(os.path.basename))
    assert reported.values.tolist() == [["mkdir", "", "0", "given"], ["write", "4", "4", "file"],
                                    ["access", "", "0", "victim"]]


@pytest.mark.parametrize("shift", [0, -100])
def test_first_call_of_an_older_thread_refused(tmp_path, shift):
    """It may have begun before the recording, and says so; also if the recorder has another clock."""
    time.sleep(max(0, 1 - shift - time.clock_gettime(time.CLOCK_MONOTONIC))) # no clock begins before the boot
    flag = tmp_path / "flag"
    flag.write_bytes(bytes(4096))
    process = subprocess.Popen(
        [recorder.workload("refused_first"), str(flag)], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    r = recorder.Recording(tmp_path, "--streams", "fs", *recorder.OWN_OR_ALL, "-d", "4s", ends=True)
    if shift:
        r.command = ["unshare", "--time", "--monotonic", str(shift), "--fork", "--kill-child", *r.command]
    with r:
        with open(flag, "r+b") as f:
            f.write(b"x")
        assert process.wait(timeout=60) == 0
    rows = r.rows("fs")
    rows = rows[(rows["command"] == "refused_first") & (rows["operation"] == "unlink")]
    assert rows["filename"].map(os.path.basename).tolist() == ["first", "second"]
    assert set(rows["errno"]) == {"EPERM"}
    assert rows["flags"].str.contains("PATH_LATE").tolist() == [True, False]


def test_process_ids_are_the_machine_s(tmp_path):
    """return_value of a fork is the child's id as in the child's own rows; the id that fork() returned is in the flags.
    """
    with recorder.Recording(tmp_path, "--streams", "fs", "--scope", "all", *recorder.OWN_OR_ALL) as r:
        done = subprocess.run(
            ["unshare", "--pid", "--fork", "--mount-proc", "/usr/bin/python3", "-c", FORKS],
            capture_output=True, text=True, check=True,
        )
    own, returned = done.stdout.split()
    assert own == "1"
    rows = r.rows("fs")
    ends = rows[(rows["operation"] == "process_exit") & (rows["return_value"] == "3")]
    child = ends.iloc[-1]
    fork = rows[(rows["operation"] == "process_fork") & (rows["return_value"] == child["pid"])]
    assert len(fork) == 1
    assert fork.iloc[0]["flags"] == f"returned={returned}"
    assert fork.iloc[0]["pid"] == child["ppid"]
    # If both ids are the same, the flags have no id.
    outside = rows[(rows["operation"] == "process_fork") & (rows["command"] == "unshare")]
    assert (outside["flags"] == "").all()


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def frozen(pid):
    """By the freezer of cgroups."""
    with tempfile.TemporaryDirectory() as root:
        subprocess.run(["mount", "-t", "cgroup2", "none", root], check=True)
        group, above = pathlib.Path(root) / f"iotrc-{pid}", pathlib.Path(root)
        home = above / re.search("^0::/(.*)$", pathlib.Path(f"/proc/{pid}/cgroup").read_text(), re.M)[1]
        group.mkdir()
        try:
            (group / "cgroup.procs").write_text(str(pid))
            (group / "cgroup.freeze").write_text("1")
            recorder.wait_for(lambda: "frozen 1" in (group / "cgroup.events").read_text(), "it is frozen")
            yield
            (group / "cgroup.freeze").write_text("0")
            (home / "cgroup.procs").write_text(str(pid))
        finally:
            recorder.wait_for(lambda: not (group / "cgroup.procs").read_text(), "it is empty")
            group.rmdir()
            subprocess.run(["umount", root], check=True)


def traced(pid):
    """By a debugger."""
    return ptrace.held(pid, "poller")


@pytest.mark.parametrize("held", [stopped, frozen, traced])
def test_stopped_and_continued_poll_is_one_row(tmp_path, held):
    with recorder.Recording(tmp_path, "--streams", "nw_epoll", *recorder.OWN_OR_ALL) as r:
        process = subprocess.Popen([sys.executable, "-c", POLLER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        pid = int(process.stdout.readline())
        recorder.wait_for(lambda: pathlib.Path(f"/proc/{pid}/syscall").read_text().split()[0] == POLL, "it polls")
        with held(pid):
            time.sleep(0.3)
        time.sleep(0.2)
        process.communicate("\n", timeout=60)
    rows = r.rows("nw_epoll")
    rows = rows[rows["command"] == "poller"]
    assert rows["event_type"].tolist() == ["POLL"]
    row = rows.iloc[0]
    assert row["ready_count"] == "1" and row["return_value"] == "1" and row["errno"] == ""
    assert float(row["timeout_ms"]) == 5000
    assert 0.5e9 < int(row["latency_ns"]) < 5e9


def test_interrupted_polls_that_nothing_continues_have_their_rows(tmp_path):
    with recorder.Recording(tmp_path, "--streams", "nw_epoll") as r:
        subprocess.run([sys.executable, "-c", ENDED_POLLS], check=True)
    rows = r.rows("nw_epoll")
    for name in "killed", "handled":
        own = rows[rows["command"] == name]
        assert own["return_value"].tolist() == ["-516"], name
