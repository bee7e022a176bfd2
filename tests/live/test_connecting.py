# SPDX-License-Identifier: GPL-2.0-or-later
"""Non-blocking connects, and sockets that were inherited or passed: rows match what the programs say about themselves
and the clock that both read."""
import json
import subprocess
import sys

import pytest

import recorder

# A listener whose queue is full drops requests, which are repeated after a second: so the program decides how long
# a connect takes. It prints a line for each thing it does; times are CLOCK_MONOTONIC.
PROGRAM = """
import ctypes, errno, json, os, select, signal, socket, struct, subprocess, threading, time
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
libc = ctypes.CDLL(None, use_errno=True)
family, host = {4: (socket.AF_INET, "127.0.0.1"), 6: (socket.AF_INET6, "::1")}[VERSION]
now = time.monotonic_ns

def say(what, s, first, second, **more):
    print(json.dumps(dict(
        what=what, fd=s.fileno(), tid=threading.get_native_id(), first=first, second=second,
        port=s.getsockname()[1], **more
    )), flush=True)

def client(blocking=False):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setblocking(blocking)
    return s

def address(to):
    if family == socket.AF_INET:
        return struct.pack("=H2s4s8x", family, struct.pack("!H", to[1]), socket.inet_pton(family, to[0]))
    return struct.pack("=H2sI16sI", family, struct.pack("!H", to[1]), 0, socket.inet_pton(family, to[0]), 0)

def connect(s, to):
    raw = address(to)
    return 0 if libc.connect(s.fileno(), raw, len(raw)) == 0 else -ctypes.get_errno()

def wait(s):
    poll = select.poll()
    poll.register(s, select.POLLOUT)
    poll.poll(60000)
    return s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

def listener(backlog):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.bind((host, 0))
    s.listen(backlog)
    return s, s.getsockname()

# At once, as always on the loopback.
open_one, to = listener(64)
for _ in range(13):
    s = client()
    begun = now()
    first = connect(s, to)
    assert first == -errno.EINPROGRESS and wait(s) == 0
    say("established", s, first, 0, after=begun, before=now(), dport=to[1])
    s.close()

# Refused.
gone, nowhere = listener(1)
gone.close()
for _ in range(7):
    s = client()
    begun = now()
    first = connect(s, nowhere)
    refused = -wait(s) if first == -errno.EINPROGRESS else first
    assert refused == -errno.ECONNREFUSED
    say("refused", s, first, refused, after=begun, before=now(), dport=nowhere[1])
    s.close()

# A full listener.
full, busy = listener(0)
keep = [client(True)]
keep[0].connect(busy)

def full_case(what, s, call):
    begun = now()
    first = call(s)
    returned = now()
    assert select.select([], [s], [], 0)[1] == [] # still under way
    freed = now()
    full.accept()[0].close()
    assert wait(s) == 0
    say(what, s, first, 0, after=freed, before=now(), begun=begun, returned=returned, dport=busy[1])
    keep.append(s)

full_case("slow", client(), lambda s: connect(s, busy))

def timed(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 50000))
    return connect(s, busy)
full_case("timed", client(True), timed)

def interrupted(s):
    libc.siginterrupt(signal.SIGALRM, 1)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    return connect(s, busy)
signal.signal(signal.SIGALRM, lambda *_: None)
full_case("interrupted", client(True), interrupted)

# From a thread, which ends before the connection is there.
def threaded(s):
    result = []
    def run():
        libc.prctl(15, b"connector", 0, 0, 0)
        result.extend([connect(s, busy), threading.get_native_id()])
    t = threading.Thread(target=run)
    t.start()
    t.join()
    say("thread", s, result[0], None, thread=result[1])
    return result[0]
full_case("threaded", client(), threaded)

# Asked again while it is under way, and afterwards.
s = client()
first = connect(s, busy)
again = connect(s, busy)
full.accept()[0].close()
assert again == -errno.EALREADY and wait(s) == 0
say("asked again", s, first, 0, again=again, then=connect(s, busy), dport=busy[1])
keep.append(s)

# Given up.
s = client()
first = connect(s, busy)
say("given up", s, first, None, dport=busy[1])
s.close()

# Never answered.
s = client()
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 1)
begun = now()
first = connect(s, busy)
assert wait(s) == errno.ETIMEDOUT
say("no answer", s, first, -errno.ETIMEDOUT, after=begun, before=now(), dport=busy[1])
s.close()

# A call that waits has one row.
for _ in range(5):
    s = client(True)
    first = connect(s, to)
    say("blocking", s, first, None, dport=to[1])
    s.close()
fields = [line.split()[1:] for line in open("/proc/net/snmp") if line.startswith("Tcp:")]
print(json.dumps(dict(what="snmp", **dict(zip(*fields)))))
"""
EINPROGRESS, EALREADY, ERESTARTSYS = -115, -114, -512


def record(path, version):
    """The rows of the program's connects, and what it said."""
    with recorder.Recording(path, "--streams", "nw_conn", *recorder.OWN) as r:
        process = subprocess.Popen(
            ["unshare", "--net", sys.executable, "-c", f"VERSION = {version}{PROGRAM}"],
            stdout=subprocess.PIPE, text=True,
        )
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
    said = [json.loads(line) for line in out.splitlines()]
    rows = r.rows("nw_conn")
    rows = rows[(rows["pid"] == str(process.pid)) & (rows["event_type"] == "CONNECT")]
    assert r.session.lost() == {}
    assert set(rows["ipver"]) == {str(version)}
    return rows, said


@pytest.fixture(scope="module", params=[4, 6])
def recorded(request, module_path):
    """Once more where the kernel runs no programs in an interrupt of process 1 (recorder.unseen), and an outcome is missing that
    an interrupt told."""
    for left in reversed(range(3 if recorder.unseen(1) else 1)):
        rows, said = record(module_path, request.param)
        missing = [s for s in said if s.get("second") is not None and
                   not ((rows["sport"] == str(s["port"])) & (rows["return_value"] == str(s["second"]))).any()]
        if not missing or not left:
            return rows, said


def of(recorded, what):
    """For each connection of a kind: (what the program said, its rows), matched by port."""
    rows, said = recorded
    for s in said:
        if s["what"] == what:
            mine = rows[(rows["sport"] == str(s["port"])) & (rows["dport"] == str(s["dport"]))]
            assert set(mine["fd"]) == {str(s["fd"])}, mine.to_string()
            yield s, mine


@pytest.mark.parametrize("what", [
    "established", "refused", "slow", "timed", "interrupted", "threaded", "no answer"
])
def test_the_outcome_is_a_row(recorded, what):
    cases = list(of(recorded, what))
    assert cases
    for said, rows in cases:
        # The kernel's own number for a call that a signal interrupted; the program sees EINTR.
        first = said["first"] if what != "interrupted" else ERESTARTSYS
        if what == "refused" and first != EINPROGRESS:
            assert rows["return_value"].tolist() == [str(first)]
            continue
        assert sorted(rows["return_value"]) == sorted([str(first), str(said["second"])]), rows.to_string()
        call = rows[rows["return_value"] == str(first)].iloc[0]
        outcome = rows[rows["return_value"] == str(said["second"])].iloc[0]
        for column in ("pid", "tid", "command", "fd", "domain", "sock_type", "remote_addr", "local_addr"):
            assert call[column] == outcome[column], column
        at, latency = int(outcome["mono_ns"]), int(outcome["latency_ns"])
        assert said["after"] <= at <= said["before"]
        # Both count from the entry of the call.
        assert at - latency == int(call["mono_ns"]) - int(call["latency_ns"])
        if "returned" in said:
            assert said["begun"] <= at - latency <= said["returned"]
            assert int(call["mono_ns"]) < at


def test_it_is_the_requesting_threads(recorded):
    rows, said = recorded
    (thread,) = [s["thread"] for s in said if s["what"] == "thread"]
    assert set(next(of(recorded, "threaded"))[1]["tid"]) == {str(thread)}
    assert set(rows.loc[rows["tid"] == str(thread), "command"]) == {"connector"}


def test_other_calls_have_their_own_rows_alone(recorded):
    ((said, rows),) = of(recorded, "asked again")
    assert sorted(rows["return_value"].astype(int)) == sorted(
        [EINPROGRESS, EALREADY, 0, said["then"]]
    ), rows.to_string()
    ((_, rows),) = of(recorded, "given up")
    assert rows["return_value"].tolist() == [str(EINPROGRESS)]
    for _, rows in of(recorded, "blocking"):
        assert rows["return_value"].tolist() == ["0"]


def test_requests_equal_the_kernels_count(recorded):
    """Each requested connection is one ActiveOpens, and each that failed one AttemptFails."""
    rows, said = recorded
    (snmp,) = [s for s in said if s["what"] == "snmp"]
    ports = rows.groupby(["sport", "dport"])
    assert ports.ngroups == int(snmp["ActiveOpens"])
    failed = rows[rows["return_value"].isin(["-111", "-110"])]
    assert len(failed) == int(snmp["AttemptFails"])
