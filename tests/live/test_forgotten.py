# SPDX-License-Identifier: GPL-2.0-or-later
"""Names that iotrc had to forget, for want of memory, while something still referred to them: calls that last long, and
processes that end just then. A program says what its rows must be; the kernel, which process had which name."""
import re
import subprocess

import pytest

import recorder

# With the least memory that is accepted, some ten thousand names are known at a time. Recordings of other tests are told of
# these files, too: more of them, or faster, would cost these rows.
FILES, AT_ONCE, PAUSE = 20000, 100, 0.02
PROCESSES = 100 if recorder.EMULATED else 10000 # at most, since each takes time from the others

# Makes so many files, each with a name of its own.
CHURN = f"""
import os, sys, time
os.chdir(sys.argv[1])
for i in range({FILES}):
    os.close(os.open(f"file{{i}}", os.O_CREAT | os.O_WRONLY))
    os.unlink(f"file{{i}}")
    if i % {AT_ONCE} == 0:
        time.sleep({PAUSE})
"""

# Prints what it waits for, and ends when its standard input does.
WAITS = r"""
import fcntl, os, select, socket, sys, threading
os.chdir(sys.argv[1])
def waits(what, number, call):
    def run():
        os.write(1, f"{what} {threading.get_native_id()} {number}\n".encode())
        call()
    threading.Thread(target=run).start()
def name(fd):
    return os.readlink(f"/proc/self/fd/{fd}")
got, give = os.pipe()
waits("read", name(got), lambda: os.read(got, 1))
mine, other = (os.open("locked", os.O_CREAT | os.O_RDWR) for _ in range(2))
fcntl.flock(mine, fcntl.LOCK_EX)
waits("lock", name(other), lambda: fcntl.flock(other, fcntl.LOCK_EX))
taken, put = os.pipe()
copy = os.open("copy", os.O_CREAT | os.O_WRONLY)
waits("splice", f"{name(taken)} -> {name(copy)}", lambda: os.splice(taken, copy, 100))
os.mkfifo("fifo")
waits("open", os.path.realpath("fifo"), lambda: os.close(os.open("fifo", os.O_WRONLY)))
listener = socket.create_server(("127.0.0.1", 0))
waits("ACCEPT", listener.fileno(), lambda: listener.accept()[0].close())
poll = select.poll()
poll.register(0, select.POLLIN)
waits("POLL", 0, poll.poll)
sys.stdin.readline()
os.write(give, b"x")
os.close(mine)
os.write(put, b"text")
os.close(os.open("fifo", os.O_RDONLY))
socket.create_connection(listener.getsockname()).close()
"""


WAITING = 6 # threads


def recording(tmp_path, *streams):
    refused = recorder.run("--memory", "1M", "-o", str(tmp_path / "none")).stderr
    least = re.search(r"at least (\d+)M", refused)[1]
    return recorder.Recording(tmp_path, "--streams", ",".join(streams), "--scope", "all", "--memory", f"{least}M",
                              *recorder.OWN_OR_ALL)


def churn(memory_path):
    return subprocess.Popen(["/usr/bin/python3", "-c", CHURN, memory_path])


def test_calls_that_last_long(tmp_path, memory_path):
    with recording(tmp_path, "fs", "nw_conn", "nw_epoll") as r:
        process = subprocess.Popen(["/usr/bin/python3", "-c", WAITS, tmp_path], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        said = [process.stdout.readline().rstrip("\n").split(" ", 2) for _ in range(WAITING)]
        assert churn(memory_path).wait() == 0
        process.communicate("\n")
        assert process.returncode == 0
    assert r.session.lost() == {}
    assert len({tid for _, tid, _ in said}) == WAITING
    fs, others = r.rows("fs"), {"ACCEPT": r.rows("nw_conn"), "POLL": r.rows("nw_epoll")}
    for what, tid, name in said:
        rows = others.get(what, fs)
        column = {"ACCEPT": "event_type", "POLL": "event_type"}.get(what, "operation")
        row = rows[(rows["tid"] == tid) & rows[column].str.contains(what)]
        assert len(row) == 1, (what, tid, name)
        row = row.iloc[0]
        assert (row["pid"], row["command"]) == (str(process.pid), "python3"), row
        if what not in others:
            assert row["filename"] == name, row
            assert row["cmdline"].startswith("/usr/bin/python3 -c "), row


def test_requests_of_io_uring_that_last_long(tmp_path, memory_path):
    with recording(tmp_path, "fs") as r:
        process = subprocess.Popen([recorder.workload("uring_pending")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        said = process.stdout.readline().split()
        assert churn(memory_path).wait() == 0
        process.communicate("x")
        assert process.returncode == 0
    if not said:
        pytest.skip("this kernel has no io_uring")
    assert r.session.lost() == {}
    rows = r.rows("fs")
    row = rows[rows["tid"].isin([said[0], ""]) & rows["flags"].str.contains("IO_URING")]
    known = ["read", said[1], str(process.pid), "uring_pending", "1"]
    unknown = ["read", "", "", "", "1"] # where the stack has no room for another look (bpf/uring_flight.h)
    found = row[["operation", "filename", "pid", "command", "bytes_completed"]].values.tolist()
    assert found == [known] or (recorder.EMULATED and found == [unknown])


def test_processes_that_end_meanwhile(tmp_path, memory_path):
    """Each process has not been seen for a while when it ends, so its name may be about to be forgotten."""
    with recording(tmp_path, "fs") as r:
        busy, waiting, pids = churn(memory_path), [], []
        while busy.poll() is None:
            if len(pids) == PROCESSES:
                busy.wait()
                break
            waiting.append(subprocess.Popen(["/bin/sleep", "1000"]))
            pids.append(str(waiting[-1].pid))
            if len(waiting) > 60:
                oldest = waiting.pop(0)
                oldest.kill()
                oldest.wait()
        assert busy.returncode == 0
        for process in waiting:
            process.kill()
            process.wait()
    assert r.session.lost() == {}
    rows = r.rows("fs")
    ends = rows[rows["operation"].eq("process_exit") & rows["pid"].isin(pids)]
    assert sorted(ends["pid"]) == sorted(pids)
    assert set(ends["command"]) == {"sleep"}
    # An emulated machine starts processes slowly: the first are forgotten twice before they end.
    assert set(ends["cmdline"]) - ({""} if recorder.EMULATED else set()) == {"/bin/sleep 1000"}
