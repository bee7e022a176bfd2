# SPDX-License-Identifier: GPL-2.0-or-later
"""A client and a server: their rows mirror each other and match what both print."""
import collections
import json
import os
import subprocess
import sys

import pytest

import recorder

FAMILIES = {"AF_INET": "4", "AF_INET6": "6", "AF_UNIX": ""}
ROUNDS = 3

Said = collections.namedtuple("Said", "event pid fd domain local sport remote dport result")


# By native system calls, and by those of 32-bit programs.
PROGRAMS = ["conn"] + ["conn32"] * (os.uname().machine == "x86_64")


class Recorded:
    """All programs of this file in one recording: their rows, and what each said."""

    def __init__(self, path):
        commands = {program: [recorder.workload(program)] for program in PROGRAMS}
        commands["counted"] = ["unshare", "--net", "sh", "-c", COUNTED, recorder.workload("conn"), SNMP]
        commands["elsewhere"] = [sys.executable, "-c", ELSEWHERE]
        commands["early"] = [sys.executable, "-c", EARLY]
        with recorder.Recording(path, "--streams", "nw_conn", *recorder.OWN) as r:
            self.done = {name: subprocess.run(command, cwd=path, capture_output=True, text=True, timeout=60)
                         for name, command in commands.items()}
        self.session, self.rows = r.session, r.rows("nw_conn")

    def said(self, name):
        """The lines that a program printed."""
        assert self.done[name].returncode == 0, self.done[name].stderr
        return self.done[name].stdout.splitlines()


@pytest.fixture(scope="module")
def programs(module_path):
    return Recorded(module_path)


@pytest.fixture(params=PROGRAMS)
def recorded(request, programs): # pylint: disable=redefined-outer-name
    lines = [line.split() for line in programs.said(request.param)]
    said = [Said(*("" if field == "-" else field for field in line)) for line in lines]
    return programs.rows[programs.rows["pid"].isin({s.pid for s in said})], said


def test_every_call_is_a_row(recorded):
    rows, _ = recorded
    for event in ("SOCKET_CREATE", "BIND", "LISTEN", "ACCEPT", "CONNECT", "SHUTDOWN", "CLOSE"):
        for family in FAMILIES:
            mine = rows[(rows["event_type"] == event) & (rows["domain"] == family)]
            expected = {
                # listener, clients, the refused one
                "SOCKET_CREATE": 1 + ROUNDS + 1, "BIND": 1, "LISTEN": 1, "ACCEPT": ROUNDS,
                "CONNECT": ROUNDS + 1, "SHUTDOWN": ROUNDS,
                # the last with the server's process, which exits with the listener open
                "CLOSE": 1 + 2 * ROUNDS + 1 + 1,
            }[event]
            assert len(mine) == expected, f"{event} {family}:\n{mine.to_string()}"
            assert set(mine["ipver"]) == {FAMILIES[family]}
            assert all(t.startswith("SOCK_STREAM") for t in mine["sock_type"])


def address(path, family):
    """An AF_UNIX path may be recorded as it was given, or absolute."""
    return path.rsplit("/", 1)[-1] if family == "AF_UNIX" else path


@pytest.mark.parametrize("family", FAMILIES)
def test_addresses_mirror(recorded, family):
    rows, _ = recorded
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
    """Compares the order within a process, fds, addresses, ports and results."""
    rows, said = recorded
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
            # accept's descriptor is its result; `fd` is the listening socket.
            if s.event != "ACCEPT":
                assert row["fd"] == s.fd
            assert row["return_value"] == s.result
            assert address(row["remote_addr"], s.domain) == address(s.remote, s.domain), (row, s)
            assert row["dport"] == s.dport, (row, s)
            if not refused: # whether a refused socket keeps its port is up to the kernel
                assert address(row["local_addr"], s.domain) == address(s.local, s.domain), (row, s)
                assert row["sport"] == s.sport, (row, s)
            if s.event == "LISTEN":
                assert row["backlog"] == "7"
            if s.event == "SHUTDOWN":
                assert row["shutdown_how"] == "SHUT_WR"


def test_nothing_lost(programs):
    assert programs.session.lost() == {}


COUNTED = 'ip link set lo up; "$0" || exit; exec /usr/bin/python3 -c "$1"'
SNMP = """
fields = [l.split()[1:] for l in open("/proc/net/snmp") if l.startswith("Tcp:")]
tcp = dict(zip(*fields))
print(tcp["ActiveOpens"], tcp["PassiveOpens"])
"""


def test_counts_equal_the_kernels(programs):
    """In a network namespace of its own, ActiveOpens and PassiveOpens count nothing else."""
    *said, counts = programs.said("counted")
    active, passive = map(int, counts.split())
    pids = {line.split()[1] for line in said}
    rows = programs.rows
    rows = rows[rows["pid"].isin(pids) & rows["domain"].isin(["AF_INET", "AF_INET6"])]
    # A refused connect has sent its SYN: it is an active open too.
    assert len(rows[rows["event_type"] == "CONNECT"]) == active == 2 * (ROUNDS + 1)
    assert len(rows[rows["event_type"] == "ACCEPT"]) == passive == 2 * ROUNDS


ELSEWHERE = """
import ctypes, json, os, socket, subprocess, sys, time
libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000

def say(event, s, **more):
    row = dict(event_type=event, pid=str(os.getpid()), fd=str(s.fileno()), return_value="0")
    row.update(zip(("local_addr", "sport"), map(str, s.getsockname()[:2])))
    try:
        row.update(zip(("remote_addr", "dport"), map(str, s.getpeername()[:2])))
    except OSError:
        pass
    # A socket without a port has none in its row.
    print(json.dumps({**row, **more, "sport": row["sport"].lstrip("0")}), flush=True)

def own_network():
    assert libc.unshare(CLONE_NEWNET) == 0
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)

def in_child(work, *args):
    pid = os.fork()
    if not pid:
        try:
            work(*args)
        except BaseException as e:
            print(repr(e), file=sys.stderr)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert status == 0

def end(s, how=socket.SHUT_RDWR):
    s.shutdown(how)
    say("SHUTDOWN", s, shutdown_how="SHUT_RDWR")
    say("CLOSE", s)
    s.close()

own_network()
for family, host in (socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"):
    listener = socket.create_server((host, 0), family=family)
    client = socket.create_connection(listener.getsockname()[:2])
    server, _ = listener.accept()
    # Inherited.
    in_child(end, client)
    # Passed by a message to a process in another network namespace, that never made or accepted it.
    here, there = socket.socketpair()
    def receive():
        own_network()
        here.close()
        _, fds, _, _ = socket.recv_fds(there, 1, 1)
        end(socket.socket(fileno=fds[0]))
    pid = os.fork()
    if not pid:
        client.close()
        server.close()
        receive()
        os._exit(0)
    socket.send_fds(here, [b"x"], [server.fileno()])
    assert os.waitpid(pid, 0)[1] == 0
    # A listener that was inherited, in a child with a network of its own.
    def accept():
        own_network()
        other = socket.socket(family, socket.SOCK_STREAM) # is of the new one
        assert other.connect_ex(listener.getsockname()[:2]) != 0
        new, _ = listener.accept()
        say("ACCEPT", new, fd=str(listener.fileno()), return_value=str(new.fileno()))
        say("CLOSE", new)
        new.close()
    later = socket.create_connection(listener.getsockname()[:2])
    in_child(accept)
    # A datagram socket: a peer is chosen, another, none.
    peers = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(2)]
    for peer in peers:
        peer.bind((host, 0))
    chooser = socket.socket(family, socket.SOCK_DGRAM)
    for peer in peers:
        chooser.connect(peer.getsockname()[:2])
        say("CONNECT", chooser)
    nobody = bytes([0] * 28) # AF_UNSPEC
    assert libc.connect(chooser.fileno(), nobody, len(nobody)) == 0
    say("CONNECT", chooser, remote_addr="", dport="")
    say("CLOSE", chooser, remote_addr="", dport="")
    chooser.close()
"""


def test_sockets_from_elsewhere(programs):
    """Sockets that were inherited, passed, are in other namespaces or have no connection: the socket knows its
    addresses."""
    said = [json.loads(line) for line in programs.said("elsewhere")]
    assert len(said) == 2 * 10
    rows = programs.rows.to_dict("records")
    for s in said:
        mine = [row for row in rows if all(row[column] == value for column, value in s.items())]
        assert len(mine) == 1, f"{len(mine)} rows of {s}"


EARLY = """
import ctypes, json, os, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
v4 = struct.pack("<HH4s8x", socket.AF_INET, socket.htons(4321), bytes([127, 0, 0, 1]))
v6 = struct.pack("<HHI16sI", socket.AF_INET6, socket.htons(81), 0, socket.inet_pton(socket.AF_INET6, "::7"), 0)
path = struct.pack("<H", socket.AF_UNIX) + b"/tmp/nobody\\0"
GIVEN = {v4: ("127.0.0.1", "4321"), v6: ("::7", "81"), path: ("/tmp/nobody", "")}

def say(event, fd, address, result, domain, given=True):
    end = ("remote_addr", "dport") if event == "CONNECT" else ("local_addr", "sport")
    print(json.dumps({
        "event_type": event, "fd": str(fd), "domain": domain, "return_value": str(result),
        **dict(zip(end, GIVEN[address] if given else ("", ""))),
    }), flush=True)

def call(event, fd, address, length=None):
    function = libc.connect if event == "CONNECT" else libc.bind
    assert function(fd, address, len(address or b"") if length is None else length) == -1
    return -ctypes.get_errno()

print(os.getpid(), flush=True)
null = os.open("/dev/null", os.O_RDWR)
inet = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
six = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
for event in "CONNECT", "BIND":
    for address in v4, v6, path:
        # A descriptor that isn't open, one that is no socket, and sockets of other families.
        for fd, domain in (-1, ""), (null, ""):
            say(event, fd, address, call(event, fd, address), domain)
        for s, name, own in (inet, "AF_INET", (v4,)), (six, "AF_INET6", (v4, v6)), (unix, "AF_UNIX", (path,)):
            if address not in own:
                say(event, s.fileno(), address, call(event, s.fileno(), address), name)
    # No address: too short for its family, too long for any, out of reach.
    fd = inet.fileno()
    say(event, fd, v4, call(event, fd, v4, 4), "AF_INET", given=False)
    say(event, fd, v4, call(event, fd, v4.ljust(200, b"x"), 129), "AF_INET", given=False)
    say(event, fd, v4, call(event, fd, None, 16), "AF_INET", given=False)
# Nor is what the socket is bound to what bind() was given.
bound = socket.create_server(("127.0.0.1", 0))
say("BIND", bound.fileno(), v4, call("BIND", bound.fileno(), None, 16), "AF_INET", given=False)
say("BIND", bound.fileno(), v4, call("BIND", bound.fileno(), v4), "AF_INET")
"""


def test_addresses_given_to_calls_that_fail_early(programs):
    pid, *lines = programs.said("early")
    wanted = [json.loads(line) for line in lines]
    rows = programs.rows
    rows = rows[(rows["pid"] == pid) & rows["event_type"].isin(["CONNECT", "BIND"])]
    rows = rows[rows["return_value"] != "0"]
    assert len(wanted) == len(rows) == 30
    for row, said in zip(rows.to_dict("records"), wanted):
        assert {column: row[column] for column in said} == said
    assert set(rows.loc[rows["domain"] == "AF_INET", "ipver"]) == {"4"}
