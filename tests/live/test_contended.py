# SPDX-License-Identifier: GPL-2.0-or-later
"""CPUs that other programs keep busy, and a flood of one stream. The workloads count what they do."""
import os
import pathlib
import signal
import socket
import subprocess
import time

import pytest

import recorder

# Each keeps all CPUs busy, and the second one stops the recorder.
pytestmark = pytest.mark.alone

SECONDS, FLOOD_SECONDS = 2, 1
PRODUCERS = 2
CONNECTIONS = 200


@pytest.fixture
def busy():
    """Three busy processes per CPU, which never make a system call."""
    loops = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(3 * os.cpu_count())]
    yield loops
    end(loops)


def end(loops):
    for loop in loops:
        loop.kill()
        loop.wait()


def niceness(pid):
    """The nice value of each thread of PID, by name: field 19 of stat, see proc(5)."""
    found = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        name, rest = (task / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
        found[name] = int(rest.split()[16])
    return found


def test_busy_cpus_cost_no_rows(tmp_path, busy):
    """Reader and writer have the priority that they need: without it, a third of these rows would be lost."""
    data = tmp_path / "data"
    data.write_bytes(b"x" * 4096)
    with recorder.Recording(tmp_path, "--streams", "fs", *recorder.OWN) as r:
        producers = [
            subprocess.Popen([recorder.workload("readloop"), data, str(SECONDS)], stdout=subprocess.PIPE, text=True)
            for _ in range(PRODUCERS)
        ]
        nice = niceness(r.process.pid)
        counted = {str(p.pid): int(p.communicate()[0]) for p in producers}
    end(busy) # reading the rows takes a CPU, too
    assert r.session.lost() == {}
    rows = r.session.tally("fs", "operation", "pid", "filename")
    assert {pid: rows["read", pid, str(data)] for pid in counted} == counted
    assert nice["iotrc-reader"] < 0 and nice["iotrc-writer"] < 0 and nice["iotrc"] == 0


def test_a_flood_of_one_stream_takes_no_rows_of_others(tmp_path):
    """The recorder is stopped meanwhile, so that every buffer between the kernel and the disk overflows."""
    data = tmp_path / ("name" * 50)
    data.write_bytes(b"x")
    server = socket.create_server(("127.0.0.1", 0))
    with recorder.Recording(tmp_path, "--streams", "fs,nw_conn", "--memory", "96M", *recorder.OWN, code=3) as r:
        os.kill(r.process.pid, signal.SIGSTOP)
        end = time.monotonic() + FLOOD_SECONDS
        n = 0
        while time.monotonic() < end or n < CONNECTIONS:
            for _ in range(1000):
                try:
                    os.rename(data, tmp_path / "nowhere" / "at all")
                except OSError:
                    pass
            if n < CONNECTIONS:
                socket.create_connection(server.getsockname()).close()
                server.accept()[0].close()
                n += 1
        os.kill(r.process.pid, signal.SIGCONT)
    assert "fs" in r.session.lost(), "the flood has to be one"
    assert "nw_conn" not in r.session.lost()
    conn = r.rows("nw_conn")
    mine = conn[conn["pid"] == str(os.getpid())]
    assert (mine["event_type"] == "CONNECT").sum() == (mine["event_type"] == "ACCEPT").sum() == CONNECTIONS
