# SPDX-License-Identifier: GPL-2.0-or-later
"""nw_epoll and nw_sockopt: a program says what its rows must be."""
import contextlib
import errno
import os
import re
import socket
import struct
import subprocess
import sys
import threading

import pytest

import recorder

COLUMNS = [
    "event_type", "epoll_fd", "target_fd", "operation", "event_mask", "max_events", "ready_count",
    "timeout_ms", "return_value", "errno",
]


def test_every_way_to_wait(tmp_path):
    with recorder.Recording(tmp_path, "--streams", "nw_epoll", *recorder.OWN_OR_ALL) as r:
        process = subprocess.Popen([recorder.workload("waiting")], stdout=subprocess.PIPE, text=True)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0
    rows = r.rows("nw_epoll")
    rows = rows[(rows["pid"] == str(process.pid)) & (rows["command"] == "waiting")]
    wanted = [["" if field == "-" else field for field in line.split()] for line in said.splitlines()]
    assert rows[COLUMNS].values.tolist() == wanted
    waited = rows[rows["ready_count"] == "0"]
    for timeout, latency in zip(waited["timeout_ms"], waited["latency_ns"]):
        assert int(latency) >= float(timeout) * 1e6
    assert r.session.lost() == {}


def options(family):
    """(level, option, bytes to set, value as in the row), by number; the names are the kernel's."""
    number = struct.pack("i", 1)
    yield "SOL_SOCKET", 1, "SO_KEEPALIVE", 9, number, "1"
    yield "SOL_SOCKET", 1, "SO_SNDBUF", 7, struct.pack("i", 70000), "70000"
    yield "SOL_SOCKET", 1, "SO_LINGER", 13, struct.pack("ii", 1, 7), "l_onoff=1 l_linger=7"
    yield "SOL_SOCKET", 1, "SO_RCVTIMEO", 20, struct.pack("qq", 3, 250000), "3.250000"
    yield "SOL_SOCKET", 1, "SO_BINDTODEVICE", 25, b"lo\0", "lo"
    yield "SOL_SOCKET", 1, "SO_MARK", 36, struct.pack("i", -2), "-2"
    yield "IPPROTO_TCP", 6, "TCP_NODELAY", 1, number, "1"
    yield "IPPROTO_TCP", 6, "TCP_KEEPIDLE", 4, struct.pack("i", 77), "77"
    yield "IPPROTO_TCP", 6, "TCP_CONGESTION", 13, b"reno", "reno"
    if family == socket.AF_INET6:
        yield "IPPROTO_IPV6", 41, "IPV6_V6ONLY", 26, number, "1"
        yield "IPPROTO_IPV6", 41, "IPV6_TCLASS", 67, struct.pack("i", 8), "8"
    else:
        yield "IPPROTO_IP", 0, "IP_TOS", 1, bytes([16]), "16"
        yield "IPPROTO_IP", 0, "IP_TTL", 2, struct.pack("i", 63), "63"


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_options_of_sockets(tmp_path, family):
    wanted = []
    with recorder.Recording(tmp_path, "--streams", "nw_sockopt") as r:
        with socket.socket(family, socket.SOCK_STREAM) as s:
            fd = str(s.fileno())
            for level, level_number, name, number, value, text in options(family):
                s.setsockopt(level_number, number, value)
                wanted.append(["SET", fd, level, name, text, "0"])
            with pytest.raises(OSError):
                s.setsockopt(socket.SOL_SOCKET, 9999, 1)
            wanted.append(["SET", fd, "SOL_SOCKET", "9999", "1", "-92"]) # ENOPROTOOPT
            got = s.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
            wanted.append(["GET", fd, "SOL_SOCKET", "SO_RCVBUF", str(got), "0"])
            assert s.getsockopt(socket.IPPROTO_TCP, 13, 16).rstrip(b"\0") == b"reno"
            wanted.append(["GET", fd, "IPPROTO_TCP", "TCP_CONGESTION", "reno", "0"])
            length = len(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104))
            wanted.append(["GET", fd, "IPPROTO_TCP", "TCP_INFO", f"{length} bytes", "0"])
            with pytest.raises(OSError) as refused:
                s.getsockopt(socket.IPPROTO_UDP, 101)
            result = str(-refused.value.errno)
            wanted.append(["GET", fd, "IPPROTO_UDP", "UDP_NO_CHECK6_TX", "", result])
    rows = r.rows("nw_sockopt")
    rows = rows[rows["pid"] == str(os.getpid())]
    columns = ["event_type", "fd", "level", "option_name", "optval", "return_value"]
    assert rows[columns].values.tolist() == wanted
    for row in rows.to_dict("records"):
        assert row["tid"] == str(threading.get_native_id())
        number = int(row["return_value"])
        assert getattr(errno, row["errno"], 0) == max(-number, 0)
    assert r.session.lost() == {}


NAMES = """
import ctypes, os, socket
print(os.getpid())
libc = ctypes.CDLL(None)
value, length = ctypes.create_string_buffer(64), ctypes.c_int(0)
fd = socket.socket().fileno()
for level in [-1, *range(300)]:
    libc.getsockopt(fd, level, 99999, value, ctypes.byref(length))
for level in 0, 1, 6, 17, 41, 58, 255, 263, 270, -1:
    for option in [-2, -1, *range(100)]:
        libc.getsockopt(fd, level, option, value, ctypes.byref(length))
"""
# Correct names that differ from strace's.
SYNONYMS = {
    "IPPROTO_IP": "SOL_IP", "IPPROTO_TCP": "SOL_TCP", "IPPROTO_UDP": "SOL_UDP", "IPPROTO_IPV6": "SOL_IPV6",
    "IPPROTO_ICMPV6": "SOL_ICMPV6", "IPPROTO_SCTP": "SOL_SCTP", "IPPROTO_UDPLITE": "SOL_UDPLITE",
    "SO_ATTACH_FILTER": "SO_GET_FILTER",
}
# Numbers for which netfilter has two options, one to set and one to get.
NETFILTER = re.compile("(IPT|IP6T|ARPT)_SO_")


def test_numbers_have_the_names_that_strace_gives_them(tmp_path):
    """Each option that strace knows has strace's name; others have one of ours, or their number."""
    log = tmp_path / "strace"
    with recorder.Recording(tmp_path, "--streams", "nw_sockopt") as r:
        done = subprocess.run(
            ["strace", "-o", log, "-e", "trace=getsockopt", "-e", "signal=none", sys.executable, "-c", NAMES],
            check=True, timeout=120, stdout=subprocess.PIPE, text=True,
        )
    wanted = re.findall(r"getsockopt\(\d+, (.*?), (.*?), ", log.read_text())
    rows = r.rows("nw_sockopt")
    rows = rows[rows["pid"] == done.stdout.strip()]
    mine = rows[["level", "option_name"]].values.tolist()
    assert len(mine) == len(wanted) > 1300
    other, named = set(), 0
    for (level, option), (level_there, option_there) in zip(mine, wanted):
        if level_there.startswith("SOL_") and SYNONYMS.get(level, level) != level_there:
            other.add((level, level_there))
        if NETFILTER.match(option_there):
            continue
        if re.fullmatch(r"[A-Z]\w+", option_there):
            named += 1
            if SYNONYMS.get(option, option) != option_there.removesuffix("_OLD"):
                other.add((level, option, option_there))
        elif re.fullmatch(r"-?\d+", option):
            number = re.match(r"(0x[0-9a-f]+|-?\d+)", option_there)[0]
            assert int(option) == (int(number, 0) + 2**31) % 2**32 - 2**31
    assert not other, "\n".join(map(str, sorted(other)))
    assert named > 200
    assert r.session.lost() == {}


def test_times_that_are_none(tmp_path):
    """Timeouts as they were given: the kernel refuses some, and treats others as zero."""
    given = [(-1, 0), (5, 1000000), (5, -1), (2**40, 999999), (-3, 500000), (2**62, 7)]
    with recorder.Recording(tmp_path, "--streams", "nw_sockopt") as r:
        with socket.socket() as s:
            for seconds, rest in given:
                with contextlib.suppress(OSError):
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("qq", seconds, rest))
    rows = r.rows("nw_sockopt")
    rows = rows[rows["pid"] == str(os.getpid())]
    assert rows["optval"].tolist() == [
        f"{s}.{rest:06}" if s >= 0 and 0 <= rest < 1000000 else f"tv_sec={s} tv_usec={rest}"
        for s, rest in given
    ]


@pytest.mark.parametrize("program", ["conn32"] * (os.uname().machine == "x86_64"))
def test_options_by_socketcall(tmp_path, program):
    """i386's single call for sockets serves nw_conn, too: here only nw_sockopt is recorded."""
    with recorder.Recording(tmp_path, "--streams", "nw_sockopt") as r:
        process = subprocess.Popen(
            [recorder.workload(program), "options"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
        )
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0
    rows = r.rows("nw_sockopt")
    rows = rows[rows["pid"] == str(process.pid)]
    wanted = [line.split() for line in said.splitlines()]
    columns = ["event_type", "fd", "level", "option_name", "optval", "return_value"]
    assert len(wanted) == 2 and rows[columns].values.tolist() == wanted


@pytest.mark.parametrize("program", ["unread32"] * (os.uname().machine == "x86_64"))
def test_arguments_in_memory_that_cannot_be_read(tmp_path, program):
    """i386's calls whose argument block cannot be read fail, and have a row with the result and nothing invented."""
    streams = "fs,nw_conn,nw_epoll,nw_sockopt"
    with recorder.Recording(tmp_path, "--streams", streams) as r:
        pid = subprocess.run([recorder.workload(program)], stdout=subprocess.PIPE, text=True, check=True).stdout
    failed = {}
    for stream in streams.split(","):
        rows = r.rows(stream)
        rows = rows[(rows["pid"] == pid.strip()) & (rows["return_value"] == "-14")]
        failed[stream] = rows.to_dict("records")
    (mapping,), (waiting,), (option,) = (failed[s] for s in ("fs", "nw_epoll", "nw_sockopt"))
    empty = "filename size offset mmap_prot mmap_flags address inode"
    assert mapping["operation"] == "mmap" and not any(mapping[c] for c in empty.split())
    assert waiting["event_type"] == "SELECT" and waiting["max_events"] == waiting["timeout_ms"] == ""
    assert option["event_type"] == "SET" and not any(option[c] for c in "fd level option_name optval".split())
    events = {row["event_type"]: row for row in failed["nw_conn"]}
    assert list(events) == ["SOCKET_CREATE", "CONNECT", "LISTEN"]
    empty = "domain sock_type local_addr remote_addr sport dport fd backlog"
    assert not any(row[c] for row in events.values() for c in empty.split())
    assert r.session.lost() == {}
