# SPDX-License-Identifier: GPL-2.0-or-later
"""CONNECTIONS: makes so many connections over a lossy loopback, half of them IPv6, a thousand at a time. Prints what it
did, how many packets were dropped according to whatever dropped them, and the kernel's counters, as JSON. Run by
test_loss.py under `unshare --net`."""
import errno
import json
import os
import pathlib
import re
import selectors
import shutil
import socket
import subprocess
import sys
import time

# A port of the test's own, so that its rows can be told from those of other programs.
PID = os.getpid()
HOSTS = {socket.AF_INET: f"10.{PID >> 16}.{PID >> 8 & 255}.{PID & 255}", socket.AF_INET6: f"fd00::{PID:x}"}
UNDER_WAY = 1000
PERCENT = 3
TIME_WAIT, LISTEN = "06", "0A"


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


def lose():
    """Has PERCENT of the packets dropped; returns a function that says how many were. netem drops packets as they are
    sent, without an event; without netem, a filter drops them as they arrive."""
    netem = ["tc", "qdisc", "add", "dev", "lo", "root", "netem", "limit", "100000", "loss", f"{PERCENT}%"]
    if not subprocess.run(netem, capture_output=True).returncode:
        return "netem", lambda: int(re.search(r"dropped (\d+)", run("tc", "-s", "qdisc", "show", "dev", "lo"))[1])
    rule = f"numgen random mod 100 < {PERCENT} counter drop"
    table = f"table inet loss {{\nchain arriving {{\ntype filter hook input priority 0\n{rule}\n}}\n}}\n"
    run(shutil.which("nft") or "/usr/sbin/nft", "-f", "-", input=table)
    return "nft", lambda: int(re.search(r"packets (\d+)", run("nft", "list", "table", "inet", "loss"))[1])


def counters(path, protocol):
    with open(path) as f:
        fields = [line.split()[1:] for line in f if line.startswith(protocol)]
    return {name: int(value) for name, value in zip(*fields)}


def unfinished():
    """Connections whose end has not been announced to the peer yet."""
    n = 0
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table) as f:
            n += sum(line.split()[3] not in (TIME_WAIT, LISTEN) for line in list(f)[1:])
    return n


class Load:
    """Clients connect, send, end their half and wait for the server's end."""

    def __init__(self, connections):
        self.selector = selectors.DefaultSelector()
        self.listeners = {}
        self.left = {family: connections // 2 for family in HOSTS}
        self.under_way = 0
        self.connected = self.accepted = 0
        for family, host in HOSTS.items():
            listener = socket.create_server((host, 0), family=family, backlog=4096)
            listener.setblocking(False)
            self.listeners[family] = listener
            self.selector.register(listener, selectors.EVENT_READ, self.accept)

    def begin(self, family):
        client = socket.socket(family, socket.SOCK_STREAM)
        client.setblocking(False)
        error = client.connect_ex(self.listeners[family].getsockname()[:2])
        assert error == errno.EINPROGRESS, errno.errorcode.get(error)
        self.left[family] -= 1
        self.under_way += 1
        self.selector.register(client, selectors.EVENT_WRITE, self.established)

    def accept(self, listener):
        server, _ = listener.accept()
        server.setblocking(False)
        self.accepted += 1
        self.selector.register(server, selectors.EVENT_READ, self.received)

    def established(self, client):
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        self.connected += 1
        client.send(b"x" * 500)
        client.shutdown(socket.SHUT_WR)
        self.selector.modify(client, selectors.EVENT_READ, self.ended)

    def received(self, server):
        if not server.recv(1000):
            self.selector.unregister(server)
            server.close()

    def ended(self, client):
        assert client.recv(10) == b""
        self.selector.unregister(client)
        client.close()
        self.under_way -= 1

    def run(self):
        while self.under_way or any(self.left.values()):
            for family in HOSTS:
                while self.left[family] and self.under_way < UNDER_WAY:
                    self.begin(family)
            for key, _ in self.selector.select():
                key.data(key.fileobj)
        while unfinished():
            time.sleep(0.05)


# If packets of a connection arrive on two CPUs at the same time, one request may become two sockets, one of
# which is dropped at once, but counted (tcp_create_openreq_child()).
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
for command in (
    ["ip", "link", "set", "lo", "mtu", "1500", "up"],
    ["ip", "address", "add", f"{HOSTS[socket.AF_INET]}/32", "dev", "lo"],
    ["ip", "address", "add", f"{HOSTS[socket.AF_INET6]}/128", "dev", "lo", "nodad"],
):
    run(*command)
# A busy machine loses more packets. The default number of tries would not be enough for each of thousands of connections.
for name in "tcp_syn_retries", "tcp_synack_retries":
    pathlib.Path(f"/proc/sys/net/ipv4/{name}").write_text("30")
how, dropped = lose()
load = Load(int(sys.argv[1]))
load.run()
print(json.dumps({
    "hosts": list(HOSTS.values()), "how": how, "dropped": dropped(), "connected": load.connected, "accepted": load.accepted,
    "tcp": counters("/proc/net/snmp", "Tcp:"), "more": counters("/proc/net/netstat", "TcpExt:"),
}))
