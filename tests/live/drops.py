# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes drops and retransmissions in a network namespace of its own; prints what it did and by how much the kernel's
counters changed, as JSON. Run by test_drop.py under `unshare --net`."""
import array
import json
import socket
import struct
import subprocess
import time

SO_ATTACH_FILTER = 26
HOPS = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


def counters():
    found = {}
    for path in ("/proc/net/snmp", "/proc/net/netstat"):
        with open(path) as f:
            lines = [line.split() for line in f]
        for names, values in zip(lines[::2], lines[1::2]):
            found.update(
                (names[0] + name, int(value)) for name, value in zip(names[1:], values[1:])
            )
    with open("/proc/net/snmp6") as f:
        found.update((name, int(value)) for name, value in (line.split() for line in f))
    return found


def refuse_all(sock):
    """A classic BPF filter that drops every packet: `ret #0`."""
    code = array.array("B", struct.pack("HBBI", 6, 0, 0, 0))
    address, _ = code.buffer_info()
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HxxxxxxP", 1, address))


def udp(family, kind=socket.SOCK_DGRAM):
    return socket.socket(family, kind)


def overflow(family):
    """101 datagrams to a socket that has room for a few and is not read."""
    server, client = udp(family), udp(family)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    server.bind((HOPS[family], 0))
    client.bind((HOPS[family], 0))
    for _ in range(101):
        client.sendto(b"x" * 700, server.getsockname())
    # What is queued when a socket is closed is dropped, too.
    try:
        while server.recv(700, socket.MSG_DONTWAIT):
            pass
    except BlockingIOError:
        pass
    return {"sport": client.getsockname()[1], "dport": server.getsockname()[1], "sockets": [server, client]}


def nobody(family, options=()):
    """17 datagrams to a port without a listener."""
    client, closed = udp(family), udp(family)
    closed.bind((HOPS[family], 0))
    port = closed.getsockname()[1]
    closed.close()
    client.bind((HOPS[family], 0))
    for name, value in options:
        client.setsockopt(socket.IPPROTO_IPV6, name, value)
    for _ in range(17):
        client.sendto(b"y" * 100, (HOPS[family], port))
    return {"sport": client.getsockname()[1], "dport": port}


def deaf_server(family):
    """A connection whose data never arrive and are retransmitted again and again."""
    listener = socket.create_server((HOPS[family], 0), family=family)
    client = socket.create_connection(listener.getsockname()[:2])
    server, _ = listener.accept()
    refuse_all(server)
    client.send(b"z" * 100)
    return {
        "sport": client.getsockname()[1], "dport": listener.getsockname()[1],
        "sockets": [listener, client, server],
    }


def deaf_client(family):
    """A connection that is never established: both sides retransmit their first segments."""
    listener = socket.create_server((HOPS[family], 0), family=family)
    client = socket.socket(family, socket.SOCK_STREAM)
    refuse_all(client)
    client.setblocking(False)
    client.bind((HOPS[family], 0))
    client.connect_ex(listener.getsockname()[:2])
    return {
        "sport": client.getsockname()[1], "dport": listener.getsockname()[1],
        "sockets": [listener, client],
    }


def wait_resent(before):
    """Waits until something was sent again to each peer that does not answer, and data more than once: on a busy machine
    that takes longer than the 1.5 s of the kernel's timers."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        now = counters()
        handshakes, all_of_them = (now[name] - before[name] for name in ("TcpExt:TCPSynRetrans", "Tcp:RetransSegs"))
        if handshakes >= 6 and all_of_them - handshakes >= 6:
            return
        time.sleep(0.05)


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    # IPv6 addresses of lo are tentative for a moment.
    time.sleep(0.1)
    before = counters()
    said = {}
    for family, name in (socket.AF_INET, "4"), (socket.AF_INET6, "6"):
        said[f"overflow{name}"] = overflow(family)
        said[f"nobody{name}"] = nobody(family)
        said[f"deaf_server{name}"] = deaf_server(family)
        said[f"deaf_client{name}"] = deaf_client(family)
    padding = bytes([1, 4, 0, 0, 0, 0])
    said["extended6"] = nobody(
        socket.AF_INET6,
        [(54, bytes([0, 0]) + padding), (59, bytes([0, 0]) + padding)], # IPV6_HOPOPTS, IPV6_DSTOPTS
    )
    wait_resent(before)
    for one in said.values():
        for sock in one.pop("sockets", []):
            # No FIN, which would be retransmitted for minutes.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
    time.sleep(0.1)
    after = counters()
    print(json.dumps({
        "did": said,
        "moved": {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)},
    }))


if __name__ == "__main__":
    main()
