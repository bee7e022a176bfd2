# SPDX-License-Identifier: GPL-2.0-or-later
"""Values of socket options in an anonymised trace: values that say how a socket works are kept, all others are tokens.
"""
import os
import socket
import struct

import pytest
import recorder

SECRET = b"se-cret!"  # 8 bytes: the size of a number
SOL_ALG, ALG_SET_KEY = 279, 1
ULP, FASTOPEN_KEY = 31, 33
# level, option, value, the field in a trace that is not anonymised, whether it is kept
OPTIONS = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, struct.pack("i", 1), "1", True),
    (socket.SOL_SOCKET, socket.SO_SNDBUF, struct.pack("i", 70001), "70001", True),
    (socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("qq", 3, 250000), "3.250000", True),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, struct.pack("i", 77), "77", True),
    (socket.IPPROTO_IP, socket.IP_TTL, struct.pack("i", 63), "63", True),
    (socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"nobodys-algo", "nobodys-algo", False),
    (socket.IPPROTO_TCP, ULP, b"nobodys-ulp", "nobodys-ulp", False),
    (socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"secret0", "secret0", False),
    (socket.IPPROTO_TCP, FASTOPEN_KEY, SECRET, "8 bytes", False),
    (socket.IPPROTO_TCP, FASTOPEN_KEY, SECRET * 2, "16 bytes", False),
    (SOL_ALG, ALG_SET_KEY, SECRET, "8 bytes", False),
    (SOL_ALG, ALG_SET_KEY, SECRET[:4], str(*struct.unpack("i", SECRET[:4])), False),
    (9999, 7, SECRET, "8 bytes", False),
]


@pytest.mark.parametrize("anonymous", [False, True], ids=["clear", "anonymous"])
def test_values(tmp_path, anonymous):
    options = ["-a", "--state", str(tmp_path / "state")] if anonymous else []
    with recorder.Recording(tmp_path, "--streams", "nw_sockopt", *options) as r, socket.socket() as s:
        fd = s.fileno()
        for level, option, value, _, _ in OPTIONS:
            try:
                s.setsockopt(level, option, value)
            except OSError:
                pass  # values that the kernel refuses were passed nevertheless
    rows = r.rows("nw_sockopt")
    rows = rows[(rows["pid"] == str(os.getpid())) & (rows["event_type"] == "SET") & (rows["fd"] == str(fd))]
    assert len(rows) == len(OPTIONS)
    number = str(struct.unpack("Q", SECRET)[0])
    for (_, _, value, clear, stays), seen in zip(OPTIONS, rows["optval"]):
        if stays or not anonymous:
            assert seen == clear
        else:
            assert seen and clear not in seen and number not in seen and value.decode() not in seen
    if anonymous:
        # Equal values have equal tokens, so that they can be compared.
        tokens = list(rows["optval"])
        assert tokens[8] == tokens[10] == tokens[12] != tokens[9]


# level, option, length to ask for, whether the value stays
ASKED = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 4, True),
    (socket.SOL_SOCKET, socket.SO_RCVBUF, 4, True),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 4, True),
    (socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16, False),
    (socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16, False),
    (socket.IPPROTO_TCP, FASTOPEN_KEY, 16, False),
    (socket.IPPROTO_TCP, socket.TCP_INFO, 104, False),
    (socket.SOL_SOCKET, socket.SO_PEERCRED, 12, False),
]


@pytest.mark.parametrize("anonymous", [False, True], ids=["clear", "anonymous"])
def test_requested_values(tmp_path, anonymous):
    """The program that asked prints what the kernel answered."""
    options = ["-a", "--state", str(tmp_path / "state")] if anonymous else []
    with recorder.Recording(tmp_path, "--streams", "nw_sockopt", *options) as r, socket.socket() as s:
        fd = s.fileno()
        s.setsockopt(socket.IPPROTO_TCP, FASTOPEN_KEY, SECRET * 2)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
        answers = [s.getsockopt(level, option, length) for level, option, length, _ in ASKED]
    assert answers[4] == b"lo\0" and answers[5] == SECRET * 2
    rows = r.rows("nw_sockopt")
    rows = rows[(rows["pid"] == str(os.getpid())) & (rows["event_type"] == "GET") & (rows["fd"] == str(fd))]
    assert len(rows) == len(ASKED)
    for (level, option, _, stays), answer, seen in zip(ASKED, answers, rows["optval"]):
        if option in (socket.TCP_CONGESTION, socket.SO_BINDTODEVICE) and not stays:
            clear = answer.rstrip(b"\0").decode()
        elif len(answer) == 4:
            clear = str(struct.unpack("i", answer)[0])
        else:
            clear = f"{len(answer)} bytes"
        if stays or not anonymous:
            assert seen == clear, (level, option)
        else:
            assert seen and clear not in seen and answer.hex() not in seen, (level, option, seen)
