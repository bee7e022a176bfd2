# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP connections in a network namespace of its own; prints as JSON what each end moved and what the kernel says of it
(TCP_INFO, which is what `ss -i` prints). Run by test_flow.py under `unshare --net`.

It prints `before` once the connections that the recording is to find are there, and waits for a line; then all others
are made, it prints what they are, and waits for another line before it ends."""
import array
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time

from drops import SO_ATTACH_FILTER, counters, HOPS

# struct tcp_info (include/uapi/linux/tcp.h): offset and type
INFO = {
    "rtt": (68, "I"), "total_retrans": (100, "I"), "bytes_acked": (120, "Q"), "bytes_received": (128, "Q"),
    "segs_out": (136, "I"), "segs_in": (140, "I"), "min_rtt": (148, "I"), "bytes_sent": (200, "Q"),
    "bytes_retrans": (208, "Q"),
}
SO_DETACH_FILTER = 27 # include/uapi/asm-generic/socket.h
DROPPED = 0.05 # of the segments that a bad line carries: with many more, one is lost again and again, for minutes


def info(sock):
    raw = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 240)
    return {"state": raw[0], **{name: struct.unpack_from(type, raw, at)[0] for name, (at, type) in INFO.items()}}


def drop_some(sock):
    """A classic BPF filter: `ld rand; jge #N, 0, 1; ret #-1; ret #0`."""
    code = array.array("B", struct.pack("HBBI" * 4, 0x20, 0, 0, 0xfffff000 + 56, 0x35, 0, 1, int(DROPPED * 2**32),
                                        0x06, 0, 0, 0xffffffff, 0x06, 0, 0, 0))
    address, _ = code.buffer_info()
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HxxxxxxP", 4, address))


class Connection:
    """A connection of CLIENT to SERVER, both in this process."""

    def __init__(self, name, family=socket.AF_INET, address=None, listener=None):
        self.name = name
        self.began = time.monotonic_ns()
        self.listener = listener or socket.create_server((HOPS[family], 0), family=family)
        self.client = socket.socket(socket.AF_INET6 if address else family, socket.SOCK_STREAM)
        self.client.connect((address or HOPS[family], self.listener.getsockname()[1]))
        self.server, _ = self.listener.accept()
        self.up = self.down = 0

    def move(self, up, down):
        """UP bytes to the server, then DOWN bytes back; the receivers count."""
        for source, sink, size in (self.client, self.server, up), (self.server, self.client, down):
            sender = threading.Thread(target=source.sendall, args=(b"x" * size,))
            sender.start()
            got = 0
            while got < size:
                got += len(sink.recv(min(1 << 20, size - got)))
            sender.join()
            assert got == size
        self.up += up
        self.down += down

    def tell(self, **more):
        # The last acknowledgements are under way.
        time.sleep(0.1)
        return {
            "name": self.name, "client": self.client.getsockname()[1], "server": self.listener.getsockname()[1],
            "up": self.up, "down": self.down, "client_info": info(self.client), "server_info": info(self.server),
            "pid": os.getpid(), **more,
        }

    def end(self, first, **more):
        """FIRST closes first, after all was read."""
        said = self.tell(ended=True, **more)
        other = self.server if first is self.client else self.client
        first.close()
        assert other.recv(1) == b""
        other.close()
        said["took"] = time.monotonic_ns() - self.began
        return said


def reset():
    c = Connection("reset")
    c.move(1001, 0)
    said = c.tell(ended=True)
    c.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.client.close()
    c.server.close()
    return said


def forked():
    """A child reads from the accepted connection, as a server's does, and ends with it open."""
    c = Connection("forked")
    child = os.fork()
    if not child:
        c.client.close()
        while c.server.recv(1 << 16):
            pass
        os._exit(0)
    c.server.close()
    c.client.sendall(b"x" * 4099)
    said = {"name": c.name, "client": c.client.getsockname()[1], "server": c.listener.getsockname()[1], "up": 4099,
            "down": 0, "pid": os.getpid(), "child": child, "ended": True}
    c.client.close()
    os.waitpid(child, 0)
    return said


def refused():
    """Connections that were never established have no row."""
    listener = socket.create_server((HOPS[socket.AF_INET], 0))
    address = listener.getsockname()
    listener.close()
    client = socket.socket()
    assert client.connect_ex(address)
    return {"name": "refused", "server": address[1]}


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    time.sleep(0.1)
    early, stays = Connection("early"), Connection("stays")
    early.move(10007, 3)
    stays.move(20011, 5)
    print("before", flush=True)
    sys.stdin.readline()
    moved = counters()
    said = []
    early.move(1, 2)
    said.append(early.end(early.client))
    both = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    for name, args in {
        "four": {}, "six": {"family": socket.AF_INET6}, "mapped": {"address": "::ffff:127.0.0.1", "listener": both},
    }.items():
        c = Connection(name, **args)
        c.move(3000017, 77773)
        said.append(c.end(c.client if name == "four" else c.server))
    said += [reset(), forked(), refused()]
    bad = Connection("bad")
    drop_some(bad.server)
    drop_some(bad.client)
    bad.move(16000003, 16000003)
    # The end of the connection is not lost.
    for sock in bad.client, bad.server:
        sock.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
    time.sleep(0.5)
    said.append(bad.end(bad.client))
    now = counters()
    lives = Connection("lives")
    lives.move(500009, 500)
    said += [stays.tell(ended=False), lives.tell(ended=False)]
    ss = subprocess.run(["ss", "-tinHO"], capture_output=True, text=True, check=True).stdout if shutil.which("ss") else ""
    print(json.dumps({"connections": said, "ss": ss,
                      "moved": {name: now[name] - moved.get(name, 0) for name in now}}), flush=True)
    sys.stdin.readline()


main()
