# SPDX-License-Identifier: GPL-2.0-only
"""A client and a server: their rows mirror each other and are what the two say of themselves."""
import collections
import subprocess

import pytest

import recorder

FAMILIES = {"AF_INET": "4", "AF_INET6": "6", "AF_UNIX": ""}
ROUNDS = 3

Said = collections.namedtuple("Said", "event pid fd domain local sport remote dport result")


@pytest.fixture(scope="module")
def recorded(module_path):
    with recorder.Recording(module_path, "--streams", "nw_conn") as r:
        done = subprocess.run(
            [recorder.workload("conn")], cwd=module_path, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    said = [Said(*("" if field == "-" else field for field in line)) for line in lines]
    rows = r.rows("nw_conn")
    rows = rows[rows["pid"].isin({s.pid for s in said})]
    return r.session, rows, said


def test_every_call_is_a_row(recorded):
    _, rows, said = recorded
    for event in ("SOCKET_CREATE", "BIND", "LISTEN", "ACCEPT", "CONNECT", "SHUTDOWN", "CLOSE"):
        for family in FAMILIES:
            mine = rows[(rows["event_type"] == event) & (rows["domain"] == family)]
            expected = {
                # listener, clients, the one refused
                "SOCKET_CREATE": 1 + ROUNDS + 1, "BIND": 1, "LISTEN": 1, "ACCEPT": ROUNDS,
                "CONNECT": ROUNDS + 1, "SHUTDOWN": ROUNDS,
                # the server's process ends with the listener open, which is no call
                "CLOSE": 1 + 2 * ROUNDS + 1,
            }[event]
            assert len(mine) == expected, f"{event} {family}:\n{mine.to_string()}"
            assert set(mine["ipver"]) == {FAMILIES[family]}
            assert all(t.startswith("SOCK_STREAM") for t in mine["sock_type"])


def address(path, family):
    """An AF_UNIX path may be told as it was given, or absolute."""
    return path.rsplit("/", 1)[-1] if family == "AF_UNIX" else path


@pytest.mark.parametrize("family", FAMILIES)
def test_addresses_mirror(recorded, family):
    _, rows, _ = recorded
    rows = rows[rows["domain"] == family]
    connects = rows[(rows["event_type"] == "CONNECT") & (rows["return_value"] == "0")]
    accepts = rows[rows["event_type"] == "ACCEPT"]

    def ends(frame, *columns):
        dicts = frame.to_dict("records")
        return sorted(tuple(address(row[c], family) for c in columns) for row in dicts)

    assert ends(connects, "local_addr", "sport", "remote_addr", "dport") == ends(
        accepts, "remote_addr", "dport", "local_addr", "sport"
    )
    assert len(connects) == ROUNDS
    assert set(connects["remote_addr"]) != {""}
    if family != "AF_UNIX":
        assert connects["sport"].is_unique and "" not in set(connects["sport"])


def test_rows_are_what_the_programs_say(recorded):
    """Order within a process, fds, addresses, ports and results."""
    _, rows, said = recorded
    kinds = {s.event for s in said}
    for pid in sorted({s.pid for s in said}):
        theirs = [s for s in said if s.pid == pid]
        mine = rows[(rows["pid"] == pid) & rows["event_type"].isin(kinds)]
        # Clients' socket() calls aren't printed: only the listeners' are.
        mine = mine[(mine["event_type"] != "SOCKET_CREATE")].to_dict("records")
        theirs = [s for s in theirs if s.event != "SOCKET_CREATE"]
        assert len(mine) == len(theirs)
        for row, s in zip(mine, theirs):
            refused = s.result.startswith("-")
            assert (row["event_type"], row["domain"]) == (s.event, s.domain)
            # accept's descriptor is its result; `fd` is the socket that was asked.
            if s.event != "ACCEPT":
                assert row["fd"] == s.fd
            assert row["return_value"] == s.result
            assert address(row["remote_addr"], s.domain) == address(s.remote, s.domain), (row, s)
            assert row["dport"] == s.dport, (row, s)
            if not refused: # a refused socket keeps its port or not, as the kernel pleases
                assert address(row["local_addr"], s.domain) == address(s.local, s.domain), (row, s)
                assert row["sport"] == s.sport, (row, s)
            if s.event == "LISTEN":
                assert row["backlog"] == "7"
            if s.event == "SHUTDOWN":
                assert row["shutdown_how"] == "SHUT_WR"


def test_nothing_lost(recorded):
    assert recorded[0].lost() == {}


SNMP = """
import sys
fields = [l.split()[1:] for l in open("/proc/net/snmp") if l.startswith("Tcp:")]
tcp = dict(zip(*fields))
print(tcp["ActiveOpens"], tcp["PassiveOpens"])
"""


def test_counts_equal_the_kernels(tmp_path):
    """In a network namespace of its own, ActiveOpens and PassiveOpens count nothing else."""
    with recorder.Recording(tmp_path, "--streams", "nw_conn") as r:
        done = subprocess.run(
            ["unshare", "--net", "sh", "-c",
             f'ip link set lo up; "$0" >said || exit; /usr/bin/python3 -c \'{SNMP}\'',
             recorder.workload("conn")],
            cwd=tmp_path, capture_output=True, text=True, timeout=60,
        )
    assert done.returncode == 0, done.stderr
    active, passive = map(int, done.stdout.split())
    pids = {line.split()[1] for line in (tmp_path / "said").read_text().splitlines()}
    rows = r.rows("nw_conn")
    rows = rows[rows["pid"].isin(pids) & rows["domain"].isin(["AF_INET", "AF_INET6"])]
    # A connect that is refused has sent its SYN: it is an active open too.
    assert len(rows[rows["event_type"] == "CONNECT"]) == active == 2 * (ROUNDS + 1)
    assert len(rows[rows["event_type"] == "ACCEPT"]) == passive == 2 * ROUNDS
