# SPDX-License-Identifier: GPL-2.0-or-later
"""nw_epoll and nw_sockopt: a program says what its rows have to be."""
import os
import socket
import struct
import subprocess

import pytest

import recorder

COLUMNS = [
    "event_type", "epoll_fd", "target_fd", "operation", "event_mask", "max_events", "ready_count",
    "timeout_ms",
]


def test_every_way_to_wait(tmp_path):
    with recorder.Recording(tmp_path, "--streams", "nw_epoll") as r:
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
    """(level, option, bytes to set, value as a row has it), by number; the names are the kernel's."""
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
    assert r.session.lost() == {}


@pytest.mark.parametrize("program", ["conn32"] * (os.uname().machine == "x86_64"))
def test_options_by_socketcall(tmp_path, program):
    """i386's one call for sockets serves nw_conn, too: here nw_sockopt alone is recorded."""
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
