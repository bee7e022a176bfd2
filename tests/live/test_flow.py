# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP connections: their bytes against what both ends counted, the rest against TCP_INFO (what `ss -i` prints) and the
counters of a network namespace."""
import pathlib
import re

import pytest

import flow_steps
import recorder

FLOWS = pathlib.Path(__file__).with_name("flows.py")
STATES = {1: "TCP_ESTABLISHED"}


def tcp(r):
    rows = r.rows("nw_flow")
    return rows[rows["proto"] == "TCP"]


@pytest.fixture(scope="module")
def recorded(module_path):
    with flow_steps.Steps(FLOWS) as flows:
        with recorder.Recording(module_path, "--streams", "nw_flow", "--rotate-age", "2s") as r:
            flows.go_on()
            said = flows.tells()
            lives = said["connections"][-1]
            r.wait_written(f",{lives['client']},{lives['server']},".encode(), "nw_flow")
    return r, tcp(r), said, {c["name"]: c for c in said["connections"]}


def of(rows, c, end, event=None):
    """The rows of one end of a connection."""
    ports = (c["client"], c["server"]) if end == "client" else (c["server"], c["client"])
    mine = rows[(rows["sport"] == str(ports[0])) & (rows["dport"] == str(ports[1]))]
    return mine[mine["event_type"] == event] if event else mine


def one(rows, c, end, event):
    mine = of(rows, c, end, event)
    assert len(mine) == 1, (c["name"], end, event, of(rows, c, end).to_dict("records"))
    return mine.iloc[0]


ENDED = ["early", "four", "six", "mapped", "reset", "bad", "forked"]


@pytest.mark.parametrize("name", ENDED)
def test_bytes_are_what_both_ends_counted(recorded, name):
    _, rows, _, did = recorded
    c = did[name]
    client, server = (one(rows, c, end, "END") for end in ("client", "server"))
    assert (client["bytes_sent"], client["bytes_received"]) == (str(c["up"]), str(c["down"]))
    assert (server["bytes_sent"], server["bytes_received"]) == (str(c["down"]), str(c["up"]))
    assert not len(of(rows, c, "client", "STOP")) and not len(of(rows, c, "server", "STOP"))


@pytest.mark.parametrize("name", ["stays", "lives"])
def test_connections_that_live(recorded, name):
    """They move nothing between the kernel's answer (TCP_INFO) and the end of the recording."""
    _, rows, said, did = recorded
    c = did[name]
    for end, sent, received in ("client", c["up"], c["down"]), ("server", c["down"], c["up"]):
        row, kernel = one(rows, c, end, "STOP"), c[f"{end}_info"]
        assert (row["bytes_sent"], row["bytes_received"]) == (str(sent), str(received))
        assert row["bytes_sent"] == str(kernel["bytes_sent"] - kernel["bytes_retrans"])
        assert row["segments_sent"] == str(kernel["segs_out"])
        assert row["segments_received"] == str(kernel["segs_in"])
        assert row["retransmits"] == str(kernel["total_retrans"])
        assert row["srtt_us"] == (str(kernel["rtt"]) if kernel["rtt"] else "")
        assert row["min_rtt_us"] == (str(kernel["min_rtt"]) if kernel["min_rtt"] != 2**32 - 1 else "")
        assert row["state"] == STATES[kernel["state"]]
        assert (row["duration_ns"] == "") == (name == "stays")
        assert set(of(rows, c, end)["event_type"]) == {"ROTATION", "STOP"}
    if said["ss"] and not recorder.EMULATED: # where the kernel has no tcp_diag, ss tells little
        line = next(l for l in said["ss"].splitlines() if re.search(rf":{c['client']} +\S+:{c['server']} ", l))
        assert f" bytes_sent:{c['client_info']['bytes_sent']} " in line and f" segs_out:{of(rows, c, 'client', 'STOP').iloc[0]['segments_sent']} " in line


def test_segments_sent_again(recorded):
    _, rows, said, did = recorded
    c = did["bad"]
    again = 0
    for end in "client", "server":
        row, kernel = one(rows, c, end, "END"), c[f"{end}_info"]
        assert row["retransmits"] == str(kernel["total_retrans"])
        assert int(row["segments_sent"]) >= kernel["segs_out"]
        again += kernel["total_retrans"]
    assert again > 3
    ends = {str(port) for c in did.values() for port in (c.get("client"), c["server"])}
    mine = rows[(rows["event_type"] == "END") & rows["sport"].isin(ends) & rows["dport"].isin(ends)]
    assert mine["retransmits"].astype(int).sum() == said["moved"]["Tcp:RetransSegs"]


def test_whose_they_are(recorded):
    _, rows, _, did = recorded
    for name in ENDED:
        c = did[name]
        for end in "client", "server":
            row = one(rows, c, end, "END")
            pid = c["child"] if name == "forked" and end == "server" else c["pid"]
            assert row["pid"] == str(pid), (name, end)
            assert row["command"].startswith("python3") and row["tid"] and row["container_id"]
    for name in "stays", "lives":
        for end in "client", "server":
            assert one(rows, did[name], end, "STOP")["pid"] == str(did[name]["pid"])


def test_times_and_states(recorded):
    _, rows, _, did = recorded
    for name, client, server in (
        ("four", "TCP_FIN_WAIT2", "TCP_LAST_ACK"), ("six", "TCP_LAST_ACK", "TCP_FIN_WAIT2"),
        ("reset", "TCP_ESTABLISHED", "TCP_ESTABLISHED"),
    ):
        c = did[name]
        assert one(rows, c, "client", "END")["state"] == client
        assert one(rows, c, "server", "END")["state"] == server
    for name in "four", "six", "mapped", "bad":
        for end in "client", "server":
            assert 0 < int(one(rows, did[name], end, "END")["duration_ns"]) <= did[name]["took"]
    for end in "client", "server":
        assert one(rows, did["early"], end, "END")["duration_ns"] == ""


def test_addresses(recorded):
    _, rows, _, did = recorded
    for name, version, address in ("four", "4", "127.0.0.1"), ("six", "6", "::1"), ("mapped", "4", "127.0.0.1"):
        for end in "client", "server":
            row = one(rows, did[name], end, "END")
            assert (row["proto"], row["ipver"]) == ("TCP", version)
            assert row["local_addr"] == row["remote_addr"] == address


def test_what_never_was_a_connection(recorded):
    _, rows, _, did = recorded
    port = str(did["refused"]["server"])
    assert not len(rows[(rows["sport"] == port) | (rows["dport"] == port)])


def test_no_connection_is_reported_twice(recorded):
    """Those of everyone on the machine."""
    _, rows, _, _ = recorded
    last = rows[rows["event_type"] != "ROTATION"]
    ends = ["local_addr", "remote_addr", "sport", "dport", "container_id"]
    # Two with the same ports follow each other, so their durations don't overlap.
    for _, same in last.groupby(ends):
        assert len(same) == 1 or (same["duration_ns"] != "").sum() >= len(same) - 1


def test_filters(tmp_path):
    """Connections of other processes are left out, including those found at the beginning; with --errors, so are
    connections that did not fail."""
    with flow_steps.Steps(FLOWS) as flows:
        with recorder.Recording(tmp_path, "--streams", "nw_flow", "--pid", str(flows.process.pid)) as own, \
             recorder.Recording(tmp_path, "--streams", "nw_flow", "--exclude-command", "python3") as others, \
             recorder.Recording(tmp_path, "--streams", "nw_flow", "--errors", *recorder.OWN) as failed:
            flows.go_on()
            did = {c["name"]: c for c in flows.tells()["connections"]}
    pids = {str(c[who]) for c in did.values() for who in ("pid", "child") if who in c}
    assert set(tcp(own)["pid"]) == pids
    assert len(tcp(own)) == 2 * (len(ENDED) + 2)
    assert not set(tcp(others)["pid"]) & pids
    assert others.session.counts("nw_flow")["filtered"] >= 2 * (len(ENDED) + 2)
    # The end that gets the reset.
    rows = tcp(failed)
    assert list(rows["sport"]) == [str(did["reset"]["server"])]
