# SPDX-License-Identifier: GPL-2.0-or-later
"""The summary at the end of a recording: what pandas finds in the rows, in a few lines and quickly."""
import json
import re
import signal
import subprocess
import time

import pytest

import recorder

WORK = """
cd "$1"
for i in 1 2 3; do dd if=/dev/zero of=file.$i bs=1000 count=$((i * 131)) conv=fsync; done
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13; do cat none; done
/usr/bin/python3 -S -E -B -c '
import socket
server = socket.create_server(("127.0.0.1", 0))
for i in range(5):
    socket.create_connection(server.getsockname())
'
true
"""


def recorded(tmp_path, command, *args):
    """What a recording of COMMAND alone prints on stderr, its session, and how long it took to end."""
    gate = subprocess.Popen(["/bin/sh", "-c", 'read go; exec "$@"', "sh", *map(str, command)], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    process = subprocess.Popen([recorder.IOTRC, "--no-snapshots", "-o", str(tmp_path / "out"), "--pid", str(gate.pid), *args],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    directory = process.stdout.readline().strip()
    made, _ = gate.communicate("go\n", timeout=120)
    assert gate.returncode == 0
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    said = process.communicate(timeout=120)[1]
    took = time.monotonic() - began
    return said, recorder.Session(directory), took, made


def line(said, head):
    return re.search(rf"^{head} +(.*)$", said, re.M)[1]


def test_it_is_what_the_rows_say(tmp_path):
    said, session, _, _ = recorded(tmp_path, ["/bin/sh", "-c", WORK, "sh", tmp_path], "--streams", "fs,block,nw_conn")
    fs = session.rows("fs")
    # The bytes that dd wrote.
    assert [int(m) for m in re.findall(r"file\.(\d) \(", line(said, "Busiest files"))] == [3, 2, 1]
    errors = fs[fs["errno"] != ""].groupby(["operation", "errno"]).size().sort_values(ascending=False)
    operation, errno, n = re.match(r"(\w+) (\w+) \((\d+)\)", line(said, "Errors")).groups()
    assert int(n) == errors.iloc[0] == errors[(operation, errno)] >= 13
    spent = fs.assign(ns=fs["duration_ns"].replace("", "0").astype(int)).groupby("pid")["ns"].sum()
    assert re.search(r"(\d+) \(", line(said, "Busiest processes"))[1] == spent.idxmax()
    slowest = fs.loc[fs["duration_ns"].replace("", "0").astype(int).idxmax()]
    assert line(said, "Slowest calls").startswith(slowest["operation"] + " ")
    assert "of the rows" not in said
    digest = said[said.index("\n\nBusiest processes"):said.index("\nMore: ")].strip().splitlines()
    assert 6 <= len(digest) <= 10
    # Bytes that were written; who failed, and how; where to.
    writes = fs[fs["operation"] == "write"]
    moved = writes.assign(n=writes["bytes_completed"].replace("", "0").astype(int)).groupby("pid")["n"].sum()
    assert re.search(r"(\d+) \(", line(said, "Most written by"))[1] == moved.idxmax()
    failing = fs[fs["errno"] != ""].groupby(["pid", "errno"]).size().sort_values(ascending=False)
    pid, error, n = re.match(r".*? (\d+) (\w+) \((\d+)\)", line(said, "Failing processes")).groups()
    assert int(n) == failing.iloc[0] == failing[(pid, error)]
    assert re.match(r"python3 127\.0\.0\.1:\d+ \(5\)", line(said, "Connections"))
    block = session.rows("block")
    block = block[block["latency_ms"] != ""]
    if len(block): # of this disk, if requests tell whose they are
        late = block.assign(ms=block["latency_ms"].astype(float)).groupby(["device", "operation"])["ms"]
        worst = late.apply(lambda ms: sorted(ms)[-(-99 * len(ms) // 100) - 1])
        device, operation = re.match(r"(\S+) (\w+) \(p99 ", line(said, "Slowest disks")).groups()
        assert worst[(device, operation)] >= worst.max() * (1 - 1 / 64)


def test_quiet_leaves_it_out(tmp_path):
    said, _, _, _ = recorded(tmp_path, ["/bin/sh", "-c", WORK, "sh", tmp_path], "-q")
    assert said == ""


@pytest.mark.alone
@pytest.mark.native # a million calls take minutes under emulation
def test_a_large_session_does_not_hold_up_the_end(tmp_path):
    """If there are millions of rows, only some are read: the first line says how many."""
    work = tmp_path / "file"
    work.write_bytes(bytes(4096))
    said, session, took, made = recorded(tmp_path, [recorder.workload("hammer"), work, 3, 2], "--streams", "fs",
                                         "--rotate-rows", "100000")
    assert sum(json.loads(made).values()) > 600_000
    percent = re.search(r"^From (\d+) % of the rows", said, re.M)
    assert percent and 0 < int(percent[1]) < 100
    assert "hammering" in line(said, "Busiest processes") and "/file (" in line(said, "Busiest files")
    assert took < recorder.STOP + recorder.STOP_MARGIN
