# SPDX-License-Identifier: GPL-2.0-or-later
"""UDP and unix sockets in a network namespace of its own; prints as JSON what each end sent and received, and what the
kernel counted of UDP. Run by test_flow_sockets.py under `unshare --net`.

It prints `before` once the sockets that the recording is to find are there, and waits for a line; then it does the rest,
prints what they are, and waits for another line before it ends."""
import ctypes
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time

from drops import HOPS, counters

SIZES = [0, 1, 7, 513, 1400, 0, 64] * 9
UNIX_KINDS = {"UNIX_STREAM": socket.SOCK_STREAM, "UNIX_DGRAM": socket.SOCK_DGRAM, "UNIX_SEQPACKET": socket.SOCK_SEQPACKET}


class End:
    """A socket, and what its program has sent and received."""

    def __init__(self, sock):
        self.sock = sock
        self.sent = self.received = self.datagrams_sent = self.datagrams_received = 0

    def send(self, data, flags=0, to=None):
        n = self.sock.sendto(data, flags, to) if to else self.sock.send(data, flags)
        assert n == len(data)
        self.sent += n
        self.datagrams_sent += not flags & socket.MSG_MORE
        return n

    def receive(self, size=65536):
        data, address = self.sock.recvfrom(size)
        self.received += len(data)
        self.datagrams_received += 1
        return data, address

    def tell(self):
        return {name: getattr(self, name) for name in ("sent", "received", "datagrams_sent", "datagrams_received")}


def tell(name, client, server, **more):
    return {"name": name, "client": client.tell(), "server": server.tell(), "pid": os.getpid(), **more}


def udp(name, family=socket.AF_INET, address=None, server_family=None):
    """A connected client, and a server that answers each seventh datagram."""
    server = End(socket.socket(server_family or family, socket.SOCK_DGRAM))
    server.sock.bind((HOPS[family] if not server_family else "::", 0))
    client = End(socket.socket(family, socket.SOCK_DGRAM))
    client.sock.connect((address or HOPS[family], server.sock.getsockname()[1]))
    for i, size in enumerate(SIZES):
        client.send(b"x" * size)
        _, peer = server.receive()
        if i % 7 == 3:
            server.send(b"y" * i, to=peer)
            client.receive()
    return name, client, server


def ports(client, server):
    return {"client_port": client.sock.getsockname()[1], "server_port": server.sock.getsockname()[1]}


def ended(name, client, server, **more):
    said = tell(name, client, server, **(more or ports(client, server)))
    client.sock.close()
    server.sock.close()
    return said


def corked():
    """Three parts make a datagram, which is peeked at before it is received; two more are sent by one call."""
    name, client, server = udp("corked")
    for part in b"a" * 10, b"b" * 20:
        client.send(part, socket.MSG_MORE)
    client.send(b"c" * 30)
    assert len(server.sock.recv(1000, socket.MSG_PEEK)) == 60
    assert len(server.receive()[0]) == 60
    send_several(client, [b"d" * 11, b"e" * 12])
    for _ in range(2):
        server.receive()
    return ended(name, client, server)


class iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_char_p), ("len", ctypes.c_size_t)]


class mmsghdr(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("namelen", ctypes.c_uint), ("iov", ctypes.POINTER(iovec)),
                ("iovlen", ctypes.c_size_t), ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t),
                ("flags", ctypes.c_int), ("padding", ctypes.c_int), ("len", ctypes.c_uint)]


def send_several(end, parts):
    """By sendmmsg()."""
    vectors = (iovec * len(parts))(*((part, len(part)) for part in parts))
    messages = (mmsghdr * len(parts))(
        *(mmsghdr(iov=ctypes.pointer(vectors[i]), iovlen=1) for i in range(len(parts)))
    )
    assert ctypes.CDLL(None).sendmmsg(end.sock.fileno(), messages, len(parts), 0) == len(parts)
    end.sent += sum(map(len, parts))
    end.datagrams_sent += len(parts)


def moved_by_child():
    """A child also sends on the socket, and ends last."""
    name, client, server = udp("shared")
    child = os.fork()
    if not child:
        client.sock.send(b"z" * 99)
        os._exit(0)
    os.waitpid(child, 0)
    client.sent, client.datagrams_sent = client.sent + 99, client.datagrams_sent + 1
    server.receive()
    return ended(name, client, server)


def unix(proto, directory, pair=False):
    kind = UNIX_KINDS[proto]
    path = f"{directory}/{proto}"
    if pair:
        a, b = socket.socketpair(socket.AF_UNIX, kind)
    elif kind == socket.SOCK_DGRAM:
        b = socket.socket(socket.AF_UNIX, kind)
        b.bind(path)
        a = socket.socket(socket.AF_UNIX, kind)
        a.connect(path)
    else:
        listener = socket.socket(socket.AF_UNIX, kind)
        listener.bind(path)
        listener.listen()
        a = socket.socket(socket.AF_UNIX, kind)
        a.connect(path)
        b, _ = listener.accept()
        listener.close()
    client, server = End(a), End(b)
    exchange(client, server, kind)
    return ("pair " if pair else "") + proto, client, server, {"proto": proto, "path": None if pair else path}


def exchange(client, server, kind):
    if kind != socket.SOCK_STREAM:
        # An empty one looks like the end of a connection to a reader of SOCK_SEQPACKET.
        for size in filter(None, SIZES):
            client.send(b"x" * size)
            server.receive()
        return
    data = b"x" * 3000017
    sender = threading.Thread(target=client.sock.sendall, args=(data,))
    sender.start()
    client.sent += len(data)
    while server.received < len(data):
        server.received += len(server.sock.recv(1 << 20))
    sender.join()
    server.sock.sendall(b"y" * 501)
    server.sent += 501
    while client.received < 501:
        client.received += len(client.sock.recv(1 << 20))


def refused():
    """A socket whose sends all fail has no row."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((HOPS[socket.AF_INET], 0))
    assert ctypes.CDLL(None).sendto(sock.fileno(), b"x" * 65536, 65536, 0, None, 0) == -1
    port = sock.getsockname()[1]
    sock.close()
    return port


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    time.sleep(0.1)
    _, early_client, early_server = udp("early")
    print("before", flush=True)
    sys.stdin.readline()
    # What was moved before is not in the rows.
    before = early_client.tell(), early_server.tell()
    began = counters()
    said = []
    early_client.send(b"x" * 77)
    early_server.receive()
    early = tell("early", early_client, early_server, **ports(early_client, early_server))
    for end, earlier in zip(("client", "server"), before):
        early[end] = {name: early[end][name] - earlier[name] for name in earlier}
    said.append(ended(*udp("four")))
    said.append(ended(*udp("six", socket.AF_INET6)))
    said.append(ended(*udp("mapped", socket.AF_INET6, "::ffff:127.0.0.1", socket.AF_INET6)))
    said.append(corked())
    said.append(moved_by_child())
    with tempfile.TemporaryDirectory() as directory:
        for proto in UNIX_KINDS:
            for pair in False, True:
                name, client, server, more = unix(proto, directory, pair)
                said.append(ended(name, client, server, **more))
    name, client, server = udp("lives")
    said += [early, tell(name, client, server, **ports(client, server))]
    now = counters()
    print(json.dumps({"sockets": said, "refused": refused(),
                      "moved": {name: now[name] - began.get(name, 0) for name in now}}), flush=True)
    sys.stdin.readline()


main()
