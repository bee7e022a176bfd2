# SPDX-License-Identifier: GPL-2.0-or-later
"""The S3 server of tests/upload, whose log says what was asked of it."""
import re
import urllib.parse

from ceph import KEY, SECRET, Ceph

# "GET /bucket/key?query HTTP/1.1" 200 1234: the bytes are those of the answer.
REQUEST = re.compile(r'"(GET|HEAD|PUT|POST|DELETE) /[^/ ?]+/?([^ ?]*)\??([^ ]*) HTTP/[\d.]+" (\d+) (\d+)')


class CountedStore(Ceph):
    def environment(self):
        return {"AWS_ENDPOINT_URL_S3": self.endpoint, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}

    def log(self):
        """How much of its log there is now."""
        return (self.dir / "client.admin.log").stat().st_size

    def requests_since(self, at):
        """(method, object or "", query, bytes of the answer) of each request since then."""
        with open(self.dir / "client.admin.log", errors="replace") as f:
            f.seek(at)
            return [(method, urllib.parse.unquote(name), query, int(size)) for method, name, query, _, size in REQUEST.findall(f.read())]

    def read_since(self, at):
        """The objects of which something was read since then."""
        return {name for method, name, _, _ in self.requests_since(at) if method == "GET" and name}
