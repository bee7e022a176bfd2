# SPDX-License-Identifier: GPL-2.0-or-later
"""UDP and unix sockets in nw_flow: bytes and datagrams against what the programs at both ends counted, and against the
kernel's own counters of UDP in a network namespace."""
import pathlib
import subprocess
import sys

import pytest

import flow_steps
import recorder

SOCKETS = pathlib.Path(__file__).with_name("sockets.py")
UDP = ["four", "six", "mapped", "corked", "shared"]
LIVE = ["early", "lives"]
UNIX = [pair + kind for kind in ("UNIX_STREAM", "UNIX_DGRAM", "UNIX_SEQPACKET") for pair in ("", "pair ")]


@pytest.fixture(scope="module")
def recorded(module_path):
    with flow_steps.Steps(SOCKETS) as sockets:
        with recorder.Recording(
            module_path, "--streams", "nw_flow", "--rotate-age", "2s", "--pid", str(sockets.process.pid),
        ) as r:
            sockets.go_on()
            said = sockets.tells()
            lives = said["sockets"][-1]
            r.wait_written(f",{lives['client_port']},{lives['server_port']},".encode(), "nw_flow")
    rows = r.rows("nw_flow")
    return rows[rows["proto"] != "TCP"], said, {s["name"]: s for s in said["sockets"]}


def ends(rows, s):
    """The rows of the client and of the server, except those of rotations."""
    rows = rows[rows["event_type"] != "ROTATION"]
    if "client_port" in s:
        port = rows["sport"]
        return rows[port == str(s["client_port"])], rows[port == str(s["server_port"])]
    if s["path"]:
        return rows[rows["remote_addr"] == s["path"]], rows[rows["local_addr"] == s["path"]]
    nameless = rows[(rows["proto"] == s["proto"]) & (rows["local_addr"] == "") & (rows["remote_addr"] == "")]
    sends = nameless["bytes_sent"] == str(s["client"]["sent"])
    return nameless[sends], nameless[~sends]


def both(rows, s):
    found = ends(rows, s)
    assert [len(mine) for mine in found] == [1, 1], (s, [mine.to_dict("records") for mine in found])
    return found[0].iloc[0], found[1].iloc[0]


@pytest.mark.parametrize("name", UDP + LIVE + UNIX)
def test_what_both_ends_counted(recorded, name):
    rows, _, did = recorded
    for row, said in zip(both(rows, did[name]), (did[name]["client"], did[name]["server"])):
        assert (row["bytes_sent"], row["bytes_received"]) == (str(said["sent"]), str(said["received"]))
        stream = row["proto"] == "UNIX_STREAM"
        for column, count in ("segments_sent", "datagrams_sent"), ("segments_received", "datagrams_received"):
            assert row[column] == ("" if stream else str(said[count])), column


def test_what_the_kernel_counted(recorded):
    """Udp: and Udp6: of /proc/net/snmp and snmp6, which `nstat` prints."""
    rows, said, did = recorded
    rows = rows[(rows["proto"] == "UDP") & (rows["event_type"] != "ROTATION")]
    # A socket of IPv6 counts a datagram of IPv4 as IPv6's when it is received, and as IPv4's when it is sent.
    total = {way: rows[f"segments_{way}"].astype(int).sum() for way in ("sent", "received")}
    moved = said["moved"]
    assert total["sent"] == moved["Udp:OutDatagrams"] + moved["Udp6OutDatagrams"]
    assert total["received"] == moved["Udp:InDatagrams"] + moved["Udp6InDatagrams"]


@pytest.mark.parametrize("name", UDP + UNIX)
def test_they_end(recorded, name):
    rows, _, did = recorded
    for row in both(rows, did[name]):
        assert row["event_type"] == "END" and int(row["duration_ns"]) > 0
        assert (row["pid"], row["state"]) == (str(did[name]["pid"]), "")
        assert row["command"].startswith("python3") and row["tid"] and row["container_id"]
        assert row["retransmits"] == row["srtt_us"] == row["min_rtt_us"] == ""


@pytest.mark.parametrize("name", LIVE)
def test_they_live(recorded, name):
    rows, _, did = recorded
    for row in both(rows, did[name]):
        assert row["event_type"] == "STOP"
    ports = {str(did[name]["client_port"]), str(did[name]["server_port"])}
    assert set(rows[rows["sport"].isin(ports)]["event_type"]) == {"ROTATION", "STOP"}


def test_addresses(recorded):
    rows, _, did = recorded
    for name, version, address in ("four", "4", "127.0.0.1"), ("six", "6", "::1"), ("mapped", "4", "127.0.0.1"):
        client, server = both(rows, did[name])
        assert (client["proto"], client["ipver"], client["remote_addr"]) == ("UDP", version, address)
        assert client["dport"] == str(did[name]["server_port"])
        # It is not connected.
        assert (server["remote_addr"], server["dport"]) == ("", "")


# Each socket sends as many bytes as its number; 500 at a time are open.
SHORT = """
import socket, sys
sys.stdin.readline()
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 0))
for n in range(20):
    clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(500)]
    for i, client in enumerate(clients):
        client.sendto(b"x" * (500 * n + i + 1), server.getsockname())
        server.recv(65536)
    for client in clients:
        client.close()
"""


def test_short_lived_sockets(tmp_path):
    """More sockets than the table holds, one after the other, at addresses that are used again: none is lost or taken
    for another one."""
    with subprocess.Popen([sys.executable, "-c", SHORT], stdin=subprocess.PIPE, text=True) as program:
        with recorder.Recording(tmp_path, "--streams", "nw_flow", "--pid", str(program.pid)) as r:
            program.communicate("\n")
    rows = r.rows("nw_flow")
    rows = rows[rows["proto"] == "UDP"]
    assert set(rows["event_type"]) == {"END"}
    assert sorted(rows["bytes_sent"].astype(int)) == list(range(10001))
    assert rows["bytes_received"].astype(int).max() == sum(range(10001))


def test_nothing_else_has_a_row(recorded):
    rows, said, did = recorded
    last = rows[rows["event_type"] != "ROTATION"]
    assert str(said["refused"]) not in set(last["sport"])
    assert len(last) == 2 * len(did)
