# SPDX-License-Identifier: GPL-2.0-or-later
"""An endpoint that tries to keep its client busy, or to send it elsewhere: our own server on one socket. `answers`
gives the answer for each method; requests, and the numbers of bytes sent and received, are logged."""
import contextlib
import ctypes
import os
import socket
import subprocess
import time

from proxy import Listener, Message, read_exactly, read_head

CLONE_NEWNET = 0x40000000


@contextlib.contextmanager
def own_network(*addresses):
    """A network namespace for this thread, whose loopback interface has ADDRESSES beside 127.0.0.1: an address that is
    not loopback's, without a packet that leaves the machine. Sockets and programs created inside stay there."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as before:
        assert libc.unshare(CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            for address in addresses:
                subprocess.run(["ip", "address", "add", address, "dev", "lo"], check=True)
            yield
        finally:
            assert libc.setns(before.fileno(), CLONE_NEWNET) == 0


class Hostile(Listener):
    """answers: maps a method to a function of (server, socket). A body is read completely first, unless `reads` has a
    function of (server, socket, length)."""

    def __init__(self, address="127.0.0.1", reads=None, **answers):
        self.answers, self.reads = answers, reads
        self.requests, self.bodies = [], []   # (method, path); their headers
        self.sent = self.taken = 0         # bytes of answers, and of bodies
        super().__init__(address, backlog=16)
        self.url = f"http://{address}:{self.port}"

    def serve(self, s):
        with contextlib.suppress(OSError), s:
            # One answer per connection: a redirect needs a new one.
            head = Message(read_head(s), b"")
            method, path = head.lines[0].split()[:2]
            self.requests.append((method, path))
            if head.header("expect"):
                s.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            length = int(head.header("content-length", "0"))
            if self.reads and length:
                self.reads(self, s, length)
            else:
                self.bodies.append(read_exactly(s, length))
                self.taken += length
            self.answers[method](self, s)

    def send(self, s, data):
        s.sendall(data)
        self.sent += len(data)


# ---- answers ----

def text(body, status="200 OK", *headers):
    """An ordinary answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return lambda server, s: server.send(s, "\r\n".join(lines).encode() + body.encode())


def endless(status="200 OK"):
    def answer(server, s):
        server.send(s, f"HTTP/1.1 {status}\r\nContent-Type: x\r\n\r\n".encode())
        while True:
            server.send(s, b"A" * 65536)
    return answer


def endless_chunks(server, s):
    server.send(s, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        server.send(s, b"10000\r\n" + b"A" * 65536 + b"\r\n")


def trickle(server, s):
    server.send(s, b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
    while True:
        server.send(s, b"AA")
        time.sleep(.5)


def trickling_head(server, s):
    server.send(s, b"HTTP/1.1 200 OK\r\n")
    while True:
        server.send(s, b"X-A: b\r\n")
        time.sleep(.5)


def endless_head(server, s):
    server.send(s, b"HTTP/1.1 200 OK\r\n")
    while True:
        server.send(s, b"X-A: " + b"y" * 1000 + b"\r\n")


def endless_trailers(server, s):
    server.send(s, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n0\r\n")
    while True:
        server.send(s, b"X-A: " + b"y" * 1000 + b"\r\n")


def endless_extension(server, s):
    """A chunk's length: neither part of the head nor of the body."""
    server.send(s, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;")
    while True:
        server.send(s, b"x" * 65536)


def continues(server, s):
    """Interim answers without end, at full speed."""
    while True:
        server.send(s, b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def continues_slowly(server, s):
    while True:
        server.send(s, b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(.2)


# ---- readers ----

def sip(server, s, length):
    """Receives a body so slowly that it never ends, but without stalling."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    while server.taken < length:
        server.taken += len(s.recv(1000))
        time.sleep(.5)
