# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway like that of the io-tracer family: it knows the store's keys, and answers with a presigned URL. It logs the
requests."""
import http.server
import json
import threading
import urllib.parse

import ceph as store
import sign


class Gateway:
    def __init__(self, ceph, bucket, token=None):
        self.endpoint, self.bucket, self.token = ceph.endpoint, bucket, token
        self.requests, self.telemetry = [], []
        # What a test may replace: a function from a URL to the answer's status and text, and how URLs are made.
        self.answer = lambda url: (200, url)
        self.presign = sign.presign
        gateway = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def reply(self, status, text="", headers=()):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def denied(self):
                return gateway.token and self.headers["Authorization"] != f"Bearer {gateway.token}"

            def do_GET(self):
                path = urllib.parse.unquote(self.path)
                gateway.requests.append((path, dict(self.headers)))
                if self.denied():
                    self.reply(401)
                elif not path.startswith("/presigned-url/"):
                    self.reply(404)
                else:
                    key = path.removeprefix("/presigned-url/")
                    self.reply(*gateway.answer(gateway.presign(
                        gateway.endpoint, gateway.bucket, key, store.KEY, store.SECRET)))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.denied() or self.path != "/telemetry":
                    self.reply(401)
                else:
                    gateway.telemetry.append(json.loads(body))
                    self.reply(204)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
