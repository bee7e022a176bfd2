# SPDX-License-Identifier: GPL-2.0-or-later
"""Dropped packets and retransmitted segments, compared with the counters of a network namespace of its own."""
import json
import pathlib
import subprocess
import sys

import pytest

import recorder

DROPS = pathlib.Path(__file__).with_name("drops.py")


@pytest.fixture(scope="module")
def recorded(module_path):
    with recorder.Recording(module_path, "--streams", "nw_drop") as r:
        done = subprocess.run(
            ["unshare", "--net", sys.executable, str(DROPS)], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    return r, r.rows("nw_drop"), said["did"], said["moved"]


def of(rows, did, event="PACKET_DROP"):
    """Rows of packets on their way from the client to the server."""
    return rows[
        (rows["event_type"] == event) & (rows["sport"] == str(did["sport"])) & (rows["dport"] == str(did["dport"]))
    ]


def reasons(r, rows):
    names = r.manifest["diagnostics"]["drop_reasons"]
    return {names[n] for n in rows["drop_reason"]} if names else set()


LOCAL = {"4": "127.0.0.1", "6": "::1"}


@pytest.mark.parametrize("version", LOCAL)
def test_full_receive_buffers(recorded, version):
    r, rows, did, moved = recorded
    mine = of(rows, did[f"overflow{version}"])
    counter = {"4": "Udp:RcvbufErrors", "6": "Udp6RcvbufErrors"}[version]
    assert len(mine) == moved[counter] > 50
    assert set(mine["proto"]) == {"UDP"} and set(mine["ipver"]) == {version}
    assert set(mine["src_addr"]) == set(mine["dst_addr"]) == {LOCAL[version]}
    assert reasons(r, mine) <= {"SOCKET_RCVBUFF"}


@pytest.mark.parametrize("name", ["nobody4", "nobody6", "extended6"])
def test_closed_ports(recorded, name):
    r, rows, did, moved = recorded
    mine = of(rows, did[name])
    assert len(mine) == 17
    assert set(mine["proto"]) == {"UDP"} and reasons(r, mine) <= {"NO_SOCKET"}
    assert moved["Udp:NoPorts"] == 17 and moved["Udp6NoPorts"] == 34


def test_retransmitted_segments(recorded):
    """Data, connection requests and the answers to them."""
    _, rows, did, moved = recorded
    again = rows[rows["event_type"] == "TCP_RETRANSMIT"]
    ends = {(str(d["sport"]), str(d["dport"])) for d in did.values()}
    mine = [
        row for row in again.to_dict("records")
        if (row["sport"], row["dport"]) in ends or (row["dport"], row["sport"]) in ends
    ]
    sent_again = moved["Tcp:RetransSegs"]
    assert 8 < sent_again - recorder.unseen(sent_again) <= len(mine) <= sent_again
    assert {row["proto"] for row in mine} == {"TCP"} and {row["ipver"] for row in mine} == {"4", "6"}
    for row in mine:
        assert row["src_addr"] == row["dst_addr"] == LOCAL[row["ipver"]]
        assert row["drop_reason"] == ""
    for version in LOCAL:
        data = of(again, did[f"deaf_server{version}"], "TCP_RETRANSMIT")
        assert set(data["skb_len"]) == {"100"} and set(data["tcp_state"]) == {"TCP_ESTABLISHED"}
        asks = of(again, did[f"deaf_client{version}"], "TCP_RETRANSMIT")
        assert set(asks["tcp_state"]) == {"TCP_SYN_SENT"}
        # The answers go the other way.
        turned = {"sport": did[f"deaf_client{version}"]["dport"], "dport": did[f"deaf_client{version}"]["sport"]}
        assert set(of(again, turned, "TCP_RETRANSMIT")["tcp_state"]) == {"TCP_NEW_SYN_RECV"}


@pytest.mark.parametrize("version", LOCAL)
def test_what_a_filter_drops(recorded, version):
    """Each retransmitted segment had been dropped, among them the first and the last."""
    r, rows, did, _ = recorded
    server = did[f"deaf_server{version}"]
    dropped = of(rows, server)
    data = dropped[dropped["proto"] == "TCP"]
    sent_again = of(rows, server, "TCP_RETRANSMIT")
    assert len(data) >= len(sent_again) + 1
    assert "SOCKET_FILTER" in reasons(r, data) or not reasons(r, data)
    # They arrive in a soft interrupt: their process is unknown and not guessed.
    assert set(sent_again["pid"]) == {""}


def test_nothing_lost(recorded):
    r, _, _, _ = recorded
    assert r.session.lost() == {}
    assert all(h["missed"] == 0 for h in r.manifest["diagnostics"]["hooks"])
