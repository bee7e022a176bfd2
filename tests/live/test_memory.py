# SPDX-License-Identifier: GPL-2.0-or-later
"""--memory holds under load: the kernel says what the process and its BPF maps take."""
import os
import pathlib
import re
import subprocess
import sys
import time

import ptrace
import pytest
import recorder

MIB = 1 << 20
NAMES = 5000 if recorder.EMULATED else 20000
ALL = "fs,block,nw_conn,nw_epoll,nw_sockopt,nw_drop,nw_flow,cache,pagefault,extent"

# Each round uses a new name: the tables of names grow until they must be emptied. At least so many seconds and
# so many names; a slow machine needs longer for the latter.
RENAMER = """
import os, sys, time
end, names = time.monotonic() + float(sys.argv[1]), int(sys.argv[2])
old = "0".rjust(200, "n")
os.close(os.open(old, os.O_CREAT | os.O_WRONLY))
n = 0
while n < names or time.monotonic() < end:
    n += 1
    new = str(n).rjust(200, "n")
    os.rename(old, new)
    os.close(os.open(new, os.O_RDONLY))
    old = new
print(n)
"""


def anonymous(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no RssAnon")


def maps(pid):
    """The memory that the kernel charges for the open BPF maps. The rings are among them; the process maps parts of
    them, which its RSS counts again."""
    total = 0
    for info in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            text = info.read_text()
        except FileNotFoundError: # closed meanwhile, so it is no map of ours
            continue
        if "map_type:" in text:
            total += int(text.split("memlock:")[1].split()[0])
    return total


@pytest.mark.full_speed # it hammers
@pytest.mark.parametrize("size", [96, 256])
def test_the_bound_holds_under_load(tmp_path, size):
    data = tmp_path / "data"
    data.write_bytes(b"x" * 4096)
    most = 0
    r = recorder.Recording(
        tmp_path, "--streams", ALL, "--memory", f"{size}M", "--rotate-rows", "1000000", snapshots=True,
        code=None if recorder.EMULATED else 3, # too few events come there to fill the larger tables
    )
    with r:
        pid = r.process.pid
        renamer = subprocess.Popen(
            [sys.executable, "-c", RENAMER, "4", str(NAMES)], cwd=tmp_path, stdout=subprocess.PIPE, text=True,
        )
        load = subprocess.Popen(
            [recorder.workload("hammer"), str(data), "4", str(os.cpu_count())], stdout=subprocess.DEVNULL,
        )
        time.sleep(1) # of load, without faults
        with ptrace.held(pid, "iotrc-writer"): # the queue fills up
            for _ in range(20):
                time.sleep(0.1)
                most = max(most, anonymous(pid) + maps(pid))
        with ptrace.held(pid, "iotrc-reader"): # the rings fill up
            time.sleep(0.5)
        while renamer.poll() is None:
            time.sleep(0.1)
            most = max(most, anonymous(pid) + maps(pid))
        assert load.wait() == 0
        names = int(renamer.communicate()[0])
    print(f"{most / MIB:.1f} of {size} MiB, {names} names")
    assert r.manifest["diagnostics"]["definitions"]["paths"] > names / 2 # some are lost
    assert most <= size * MIB
    assert most > size * MIB / 4 # the measured process is the recorder


def test_what_an_idle_recorder_holds(tmp_path):
    """At default settings. Of each CPU's two buffers a MiB is mapped."""
    with recorder.Recording(tmp_path, *recorder.OWN) as r:
        time.sleep(1)
        status = pathlib.Path(f"/proc/{r.process.pid}/status").read_text()
    assert int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024 <= (64 + 2 * max(0, os.cpu_count() - 8)) * MIB


def test_too_little(tmp_path):
    done = recorder.run("--memory", "1M", "-o", str(tmp_path / "none"))
    assert done.returncode == 2
    assert done.stderr.startswith("iotrc: --memory: '1M' is too little: at least ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("size, chains, more", [(96, 20, []), (256, 5, ["late"])], ids=["paths", "completions"])
def test_no_room_for_requests(tmp_path, size, chains, more):
    """More at the same time than the tables hold; more completions than the program's own queue holds."""
    file = tmp_path / "file"
    file.touch()
    with recorder.Recording(
        tmp_path, "--streams", "fs", "--ops", "open", "--command", "uring_waiting", "--memory", f"{size}M", *recorder.OWN,
        code=None,
    ) as r:
        said = subprocess.run(
            [recorder.workload("uring_waiting"), str(chains), file, *more], check=True, capture_output=True, text=True,
        ).stdout
    rows = r.rows("fs")
    mine = rows[rows["filename"] == str(file)]
    assert mine["flags"].str.contains("IO_URING").all()
    lost = r.session.counts("fs")["lost"]["ring"]
    assert len(mine) + lost == int(said)
    assert 60 <= len(mine) # those of one chain find room anywhere
    # A completion without room is attributed, except where workers end requests by themselves.
    assert not (more and lost) or (5, 19) <= recorder.RELEASE < (6, 10)
