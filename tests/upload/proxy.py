# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults between a client and a server: a proxy that reads each request completely, calls `fault(n, method, path)` (n:
the number of the request, from 0) to learn what to do with it, and logs what the server answered."""
import contextlib
import socket
import ssl
import struct
import threading
import time


class Message:
    """A head, as bytes, and a body."""

    def __init__(self, head, body):
        self.head, self.body = head, body

    @property
    def lines(self):
        return self.head.decode("latin-1").split("\r\n")

    def header(self, name, default=""):
        for line in self.lines[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name:
                return value.strip()
        return default

    def bytes(self):
        return self.head + self.body


def read_exactly(s, n):
    data = bytearray()
    while len(data) < n:
        piece = s.recv(min(n - len(data), 1 << 20))
        if not piece:
            raise ConnectionError
        data += piece
    return bytes(data)


def read_head(s):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = s.recv(1)
        if not byte:
            raise ConnectionError
        head += byte
    return head


def read_request(s):
    message = Message(read_head(s), b"")
    if message.header("expect"):
        s.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    message.body = read_exactly(s, int(message.header("content-length", "0")))
    return message


def read_line(s):
    line = b""
    while not line.endswith(b"\r\n"):
        line += read_exactly(s, 1)
    return line


def read_chunks(s):
    """The chunks, as they were received."""
    data, size = b"", None
    while size != 0:
        line = read_line(s)
        size = int(line, 16)
        data += line + read_exactly(s, size) + read_line(s)
    return data


def read_answer(s, method):
    message = Message(read_head(s), b"")
    while message.lines[0].split()[1] == "100":
        message = Message(read_head(s), b"")
    if method != "HEAD":
        message.body = read_chunks(s) if message.header("transfer-encoding") == "chunked" else \
            read_exactly(s, int(message.header("content-length", "0")))
    return message


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def answer(code, text, *headers):
    body = f"<Error><Code>{text}</Code></Error>".encode()
    lines = [f"HTTP/1.1 {code} {text}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class Listener:
    """Listens until the block ends; each connection is served on a thread of its own, by serve(socket) of a subclass."""

    def __init__(self, address="127.0.0.1", backlog=64):
        self.listener = socket.create_server(
            (address, 0), backlog=backlog, family=socket.AF_INET6 if ":" in address else socket.AF_INET)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def accept(self):
        with contextlib.suppress(OSError): # the listener is closed
            while True:
                threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()


class Tunnel(Listener):
    """Like a firewall's proxy: CONNECT, and then bytes that it does not understand. It logs the heads of requests, and
    refuses those without the right Proxy-Authorization."""

    def __init__(self, authorization=None):
        self.authorization, self.requests = authorization, []
        super().__init__()

    def serve(self, s):
        with contextlib.suppress(OSError), s:
            head = Message(read_head(s), b"")
            self.requests.append(head)
            if self.authorization and head.header("proxy-authorization") != self.authorization:
                s.sendall(answer(407, "Proxy Authentication Required"))
                return
            host, port = head.lines[0].split()[1].rsplit(":", 1)
            with socket.create_connection((host, int(port))) as up:
                s.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                threading.Thread(target=self.pass_on, args=(up, s), daemon=True).start()
                self.pass_on(s, up)

    @staticmethod
    def pass_on(a, b):
        with contextlib.suppress(OSError):
            while data := a.recv(65536):
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)


class Proxy(Listener):
    """fault's results: None; reset-before, reset-after (the server has processed it), half (of the body is read, then
    reset), stall (until the client disconnects), stall-after (the server has processed it), slow, 500, 503 (Retry-
    After: 2), truncated, etag (a wrong one), ok-without-doing."""

    def __init__(self, port, fault=lambda n, method, path: None, tls=None):
        self.upstream = port
        self.fault = fault
        self.tls = tls
        self.log = []       # (when, method, path, what, status)
        self.heads = []     # of requests, as Message
        self.under_way = self.most = 0 # requests at the same time
        self.lock = threading.Lock()
        self.n = 0
        self.open = True
        super().__init__()

    @property
    def endpoint(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def __exit__(self, *_):
        self.open = False
        super().__exit__()

    def serve(self, s):
        with contextlib.suppress(OSError, ValueError):
            if self.tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*self.tls)
                s = context.wrap_socket(s, server_side=True)
            while self.open:
                self.one(s)
        with contextlib.suppress(OSError):
            s.close()

    def one(self, s):
        head = read_head(s)
        method, path = head.split()[:2]
        method, path = method.decode(), path.decode()
        with self.lock:
            n, self.n = self.n, self.n + 1
            what = self.fault(n, method, path)
            message = Message(head, b"")
            self.heads.append(message)
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        length = int(message.header("content-length", "0"))
        status = None
        try:
            if what == "reset-before":
                reset(s)
                raise ConnectionError
            if message.header("expect"):
                s.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            if what == "half":
                read_exactly(s, length // 2)
                reset(s)
                raise ConnectionError
            message.body = read_exactly(s, length)
            if what == "stall":
                s.recv(1)   # its end
                raise ConnectionError
            if what == "slow":
                time.sleep(3)
            if what == "500":
                s.sendall(answer(500, "InternalError"))
            elif what == "503":
                s.sendall(answer(503, "SlowDown", "Retry-After: 2"))
            elif what == "ok-without-doing":
                s.sendall(answer(200, "OK"))
            else:
                status = self.forward(s, message, method, what)
        finally:
            with self.lock:
                self.under_way -= 1
                self.log.append((time.monotonic(), method, path, what, status))

    def forward(self, s, message, method, what):
        with socket.create_connection(("127.0.0.1", self.upstream)) as up:
            head = message.head.replace(b"Expect: 100-continue\r\n", b"")
            up.sendall(head + message.body)
            got = read_answer(up, method)
        status = int(got.lines[0].split()[1])
        if what == "stall-after":
            s.recv(1)
            raise ConnectionError
        if what == "reset-after":
            reset(s)
            raise ConnectionError
        if what == "truncated":
            s.sendall(got.head[:len(got.head) // 2])
            reset(s)
            raise ConnectionError
        if what == "etag" and got.header("etag"):
            got.head = got.head.replace(got.header("etag").encode(), b'"' + b"0" * 32 + b'"')
        s.sendall(got.bytes())
        return status

    def puts(self):
        """Paths that the server has, in the order of arrival."""
        return [path for _, method, path, _, status in self.log
                if method == "PUT" and status == 200]
