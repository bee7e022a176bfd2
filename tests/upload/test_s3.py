# SPDX-License-Identifier: GPL-2.0-or-later
"""s3:// against a real store, checked by another client."""
import datetime
import hashlib
import json
import os
import pathlib
import re
import signal
import subprocess
import time
import urllib.request
import uuid

import pytest

import ceph as store
import sign
from proxy import Proxy
from put import KEYS, command, environment, put

MIB = 1 << 20
PART = 5 * MIB  # the smallest size that S3 allows


def fill(path, size):
    path.write_bytes(os.urandom(size))
    return path


def s3(ceph, bucket, key, path, prefix="", **options):
    options.setdefault("endpoint", ceph.endpoint)
    return put(f"s3://{bucket}{prefix}", key, path, **options)


@pytest.mark.parametrize("size", [0, 1, 4096, 3 * MIB + 7])
def test_arrives(ceph, s3cmd, bucket, tmp_path, size):
    path = fill(tmp_path / "f", size)
    key = "linux_v1/0123456789ABCDEF/20261121_100000_000/fs/fs_20261121_100000_000_0001.csv.zst"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    r = s3(ceph, bucket, key, path, prefix="/some/prefix/", sha256=digest)
    assert r["verdict"] == "done" and r["sent"] == size, r
    assert s3cmd.list(bucket) == {"some/prefix/" + key: size}
    assert s3cmd.read(bucket, "some/prefix/" + key, tmp_path) == path.read_bytes()
    assert f"x-amz-meta-sha256: {digest}" in s3cmd("info", f"s3://{bucket}/some/prefix/{key}")


# Names that are easily encoded wrong in a canonical request; iotrc's own are simpler.
ODD = ["host=h1/a", "a b", "a+b", "a&b=c", "a%2Fb", "a%b", "ä/ö", "日本", "q?x=y#z", "a;b,c:d@e$f!",
       "it's", "(x)*[y]{z}|~", 'qu"ote', "a\\b", "tilde~dot.-_", "-", "x" * 900]


@pytest.mark.parametrize("prefix", ["", "/pre fix/ö=+"])
def test_odd_names(ceph, s3cmd, bucket, tmp_path, prefix):
    before = prefix[1:] + "/" if prefix else ""
    there = {}
    for i, key in enumerate(ODD):
        path = fill(tmp_path / "f", 100 + i)
        r = s3(ceph, bucket, key, path, prefix=prefix)
        assert r["verdict"] == "done", (key, r)
        there[before + key] = path.read_bytes()
    assert s3cmd.list(bucket) == {key: len(data) for key, data in there.items()}
    # s3cmd treats * and ? as patterns. This is a URL of our own making (sign.py).
    for key, data in there.items():
        url = sign.presign(ceph.endpoint, bucket, key, store.KEY, store.SECRET, method="GET")
        assert urllib.request.urlopen(url, timeout=60).read() == data, key


def test_keys_stay_below_the_prefix(ceph, s3cmd, bucket, tmp_path):
    path = fill(tmp_path / "f", 100)
    for key in "../x", "a/../../x", "/x", "a//b", "":
        assert s3(ceph, bucket, key, path)["verdict"] == "local", key
    assert s3(ceph, bucket, "k" * 1025, path)["verdict"] == "local"
    assert s3(ceph, bucket, "k" * 1020, path, prefix="/prefix")["verdict"] == "refused"
    assert not s3cmd.list(bucket)


def test_a_second_put_replaces(ceph, s3cmd, bucket, tmp_path):
    for size in 1000, 1000, 10:
        path = fill(tmp_path / "f", size)
        assert s3(ceph, bucket, "k", path)["verdict"] == "done"
        assert s3cmd.read(bucket, "k", tmp_path) == path.read_bytes()
    assert s3cmd.list(bucket) == {"k": 10}


def test_many_over_one_connection(ceph, s3cmd, bucket, tmp_path):
    arguments, expected = [], {}
    for i in range(53):
        path = fill(tmp_path / f"f{i}", 100 + i)
        arguments += [f"k/{i}", path]
        expected[f"k/{i}"] = 100 + i
    assert put(f"s3://{bucket}", *arguments, endpoint=ceph.endpoint)["verdict"] == "done"
    assert s3cmd.list(bucket) == expected


def test_virtual_host_style(ceph, s3cmd, bucket, tmp_path):
    path = fill(tmp_path / "f", 1000)
    r = s3(ceph, bucket, "k", path, endpoint="http://{bucket}.localhost:%d" % ceph.port)
    assert r["verdict"] == "done", r
    r = s3(ceph, bucket, "l", path, endpoint="http://{bucket}.localhost:%d/" % ceph.port)
    assert r["verdict"] == "done", r
    assert s3cmd.list(bucket) == {"k": 1000, "l": 1000}


def test_endpoint_and_region_from_the_environment(ceph, s3cmd, bucket, tmp_path):
    path = fill(tmp_path / "f", 10)
    for i, env in enumerate([{"AWS_ENDPOINT_URL": ceph.endpoint},
                             {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_S3": ceph.endpoint},
                             {"AWS_ENDPOINT_URL": ceph.endpoint, "AWS_REGION": "eu-central-1"}]):
        assert put(f"s3://{bucket}", f"k{i}", path, env=env)["verdict"] == "done"
    assert len(s3cmd.list(bucket)) == 3


@pytest.mark.parametrize("options, env, region", [
    ({}, {}, "us-east-1"),
    ({"region": "eu-central-1"}, {"AWS_REGION": "not-this"}, "eu-central-1"),
    ({}, {"AWS_REGION": "ap-south-1", "AWS_DEFAULT_REGION": "not-this"}, "ap-south-1"),
    ({}, {"AWS_DEFAULT_REGION": "sa-east-1"}, "sa-east-1"),
])
def test_region(ceph, s3cmd, bucket, tmp_path, options, env, region):
    """The store accepts any region, but the signature must be for the named one."""
    path = fill(tmp_path / "f", 2 * PART)
    with Proxy(ceph.port) as proxy:
        r = s3(ceph, bucket, "k", path, endpoint=proxy.endpoint, part=PART, env=env, **options)
        assert r["verdict"] == "done", r
        scopes = {re.search(r"Credential=([^,]+),", m.header("authorization"))[1] for m in proxy.heads}
    assert {s.split("/", 2)[2] for s in scopes} == {f"{region}/s3/aws4_request"}
    assert s3cmd.read(bucket, "k", tmp_path) == path.read_bytes()


@pytest.mark.parametrize("url, endpoint, word", [
    ("s3://", "http://h", "BUCKET"),
    ("s3:///prefix", "http://h", "BUCKET"),
    ("s3://b@d", "http://h", "BUCKET"),
    ("s3://..", "http://h", "BUCKET"),
    ("s3://bucket", None, "--s3-endpoint"),
    ("s3://bucket", "h", "endpoint"),
    ("s3://bucket", "ftp://h", "endpoint"),
    ("s3://bucket", "http://", "endpoint"),
    ("s3://bucket", "http://user:pw@h", "endpoint"),
    ("s3://bucket", "http://h?x", "endpoint"),
    ("s3://bucket", "http://" + "h" * 2000, "endpoint"),
    ("s3://bucket/" + "p" * 600, "http://h", "prefix"),
    ("s3://bucket/../x", "http://h", "prefix"),
    ("s3://bucket/a//b", "http://h", "prefix"),
    ("s3://bucket/a/./", "http://h", "prefix"),
])
def test_configuration(url, endpoint, word):
    r = put(url, **({"endpoint": endpoint} if endpoint else {}))
    assert r["verdict"] == "config" and word in r["reason"], r
    assert r["reason"].isprintable()


# Credentials.

def credentials(path, text, mode=0o600):
    path.write_text(text)
    path.chmod(mode)
    return path


NO_KEYS = {name: None for name in KEYS}
FILE = f"""# a remark
[other]
aws_access_key_id = NOBODY
aws_secret_access_key = not-the-secret

[default]
region = nowhere
aws_access_key_id={store.KEY}
  aws_secret_access_key   =   {store.SECRET}\t
"""


def test_credentials_of_the_shared_file(ceph, bucket, tmp_path):
    path = fill(tmp_path / "f", 10)
    shared = credentials(tmp_path / "shared", FILE)
    env = {**NO_KEYS, "AWS_SHARED_CREDENTIALS_FILE": str(shared)}
    assert s3(ceph, bucket, "k", path, env=env)["verdict"] == "done"
    r = s3(ceph, bucket, "k", path, env={**env, "AWS_PROFILE": "other"})
    assert r["verdict"] == "refused" and "access key" in r["reason"], r
    r = s3(ceph, bucket, "k", path, env={**env, "AWS_PROFILE": "third"})
    assert r["verdict"] == "config" and "third" in r["reason"], r
    # The environment has precedence.
    r = s3(ceph, bucket, "k", path, env={"AWS_SHARED_CREDENTIALS_FILE": str(shared),
                                         "AWS_ACCESS_KEY_ID": "SOMEBODY"})
    assert r["verdict"] == "refused", r


def test_credentials_of_home(ceph, bucket, tmp_path):
    (tmp_path / ".aws").mkdir()
    credentials(tmp_path / ".aws/credentials", FILE)
    path = fill(tmp_path / "f", 10)
    assert s3(ceph, bucket, "k", path, env={**NO_KEYS, "HOME": str(tmp_path)})["verdict"] == "done"
    r = s3(ceph, bucket, "k", path, env={**NO_KEYS, "HOME": "/nonexistent"})
    assert r["verdict"] == "config" and "AWS_ACCESS_KEY_ID" in r["reason"], r


def test_credentials_of_our_own_file(ceph, bucket, tmp_path):
    path = fill(tmp_path / "f", 10)
    own = credentials(tmp_path / "own", f"aws_access_key_id = {store.KEY}\r\n"
                                        f"aws_secret_access_key = {store.SECRET}\r\n")
    # The file has precedence over an environment that is meant for something else.
    r = s3(ceph, bucket, "k", path, credentials=own, env={"AWS_ACCESS_KEY_ID": "SOMEBODY"})
    assert r["verdict"] == "done", r


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_credentials_that_others_may_read(ceph, bucket, tmp_path, mode):
    path = fill(tmp_path / "f", 10)
    own = credentials(tmp_path / "own", FILE, mode)
    for options in {"credentials": own}, {"env": {**NO_KEYS, "AWS_SHARED_CREDENTIALS_FILE": str(own)}}:
        r = s3(ceph, bucket, "k", path, **options)
        assert r["verdict"] == "config" and "chmod 600" in r["reason"], r


@pytest.mark.parametrize("text, word", [
    ("", "aws_access_key_id"),
    ("aws_access_key_id = x\n", "aws_secret_access_key"),
    (f"aws_access_key_id = x\naws_secret_access_key = {'y' * 300}\n", "line 2"),
    ("aws_access_key_id = x y\n", "line 1"),
    ("x" * 70000, "credentials"),
])
def test_credentials_that_are_none(ceph, bucket, tmp_path, text, word):
    own = credentials(tmp_path / "own", text)
    r = s3(ceph, bucket, "k", fill(tmp_path / "f", 1), credentials=own)
    assert r["verdict"] == "config" and word in r["reason"], r
    assert "yyy" not in r["reason"]


def test_credentials_of_another_user(ceph, bucket, tmp_path):
    own = credentials(tmp_path / "own", FILE)
    os.chown(own, 12345, 12345)
    r = s3(ceph, bucket, "k", fill(tmp_path / "f", 1), credentials=own)
    assert r["verdict"] == "config" and "must belong" in r["reason"], r


def test_session_token(ceph, s3cmd, bucket, tmp_path):
    path = fill(tmp_path / "f", 2 * PART)
    endpoint = ceph.start_sts()
    # It gives tokens to administrators only, unless a policy says otherwise.
    ceph.user("admin", "ADMINKEY", "admins-secret", "--admin")
    keys = sign.session_token(endpoint, "ADMINKEY", "admins-secret")
    assert s3(ceph, bucket, "k", path, env=keys, endpoint=endpoint)["verdict"] == "done"
    assert s3(ceph, bucket, "l", path, env=keys, part=PART, endpoint=endpoint)["verdict"] == "done"
    own = credentials(tmp_path / "own", "".join(f"{k.lower()} = {v}\n" for k, v in keys.items()))
    assert s3(ceph, bucket, "m", path, credentials=own, endpoint=endpoint)["verdict"] == "done"
    assert s3cmd.list(bucket) == {"k": 2 * PART, "l": 2 * PART, "m": 2 * PART}
    for token in None, "bm90IGEgdG9rZW4=":
        r = s3(ceph, bucket, "n", path, env={**keys, "AWS_SESSION_TOKEN": token}, endpoint=endpoint)
        assert r["verdict"] == "refused", r


def test_credentials_that_are_replaced(ceph, s3cmd, bucket, tmp_path):
    """The credentials of a running recorder are read again if they are temporary. A file that cannot be read changes
    nothing."""
    path = fill(tmp_path / "f", 10)
    good = f"aws_access_key_id = {store.KEY}\naws_secret_access_key = {store.SECRET}\n"
    own = credentials(tmp_path / "own", good.replace(store.SECRET, "not-the-secret"))
    p = subprocess.Popen(command(f"s3://{bucket}", endpoint=ceph.endpoint, credentials=own), text=True,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(key):
        p.stdin.write(f"{key} {path}\n")
        p.stdin.flush()
        return json.loads(p.stdout.readline())["verdict"]
    assert ask("a") == "refused"
    assert ask("b") == "refused"
    credentials(own, good)
    assert ask("c") == "done"
    own.unlink()
    ceph.admin("user", "suspend", "--uid=iotrc")
    try:
        assert ask("d") == "refused"
    finally:
        ceph.admin("user", "enable", "--uid=iotrc")
    assert ask("e") == "done"
    p.stdin.close()
    assert p.wait() == 0
    assert set(s3cmd.list(bucket)) == {"c", "e"}


# Refusals, each by the store itself.

def refused(r, *words):
    assert r["verdict"] == "refused" and r["general"], r
    for word in words:
        assert word in r["reason"], r


def test_wrong_secret(ceph, bucket, tmp_path):
    path = fill(tmp_path / "f", 10)
    refused(s3(ceph, bucket, "k", path, env={"AWS_SECRET_ACCESS_KEY": "not-the-secret"}), "secret key is wrong")
    refused(s3(ceph, bucket, "k", path, env={"AWS_ACCESS_KEY_ID": "NOBODY"}), "access key")


def test_no_such_bucket(ceph, tmp_path):
    refused(s3(ceph, f"none{uuid.uuid4()}", "k", fill(tmp_path / "f", 10)), "no such bucket")


def test_anothers_bucket(ceph, bucket, tmp_path):
    ceph.user("stranger", "STRANGERKEY", "strangers-secret")
    refused(s3(ceph, bucket, "k", fill(tmp_path / "f", 10),
               env={"AWS_ACCESS_KEY_ID": "STRANGERKEY", "AWS_SECRET_ACCESS_KEY": "strangers-secret"}),
            "lack permission")


def test_suspended_user(ceph, bucket, tmp_path):
    path = fill(tmp_path / "f", 10)
    ceph.admin("user", "suspend", "--uid=iotrc")
    try:
        refused(s3(ceph, bucket, "k", path), "suspended")
    finally:
        ceph.admin("user", "enable", "--uid=iotrc")
    assert s3(ceph, bucket, "k", path)["verdict"] == "done"


def test_quota(ceph, bucket, tmp_path):
    ceph.admin("quota", "set", "--quota-scope=bucket", f"--bucket={bucket}", "--max-objects=1", "--uid=iotrc")
    ceph.admin("quota", "enable", "--quota-scope=bucket", f"--bucket={bucket}", "--uid=iotrc")
    path = fill(tmp_path / "f", 10)
    assert s3(ceph, bucket, "k", path)["verdict"] == "done"
    refused(s3(ceph, bucket, "l", path), "quota")


@pytest.mark.parametrize("days", [-2, 2])
def test_wrong_clock(ceph, bucket, tmp_path, days):
    """By libfaketime: the machine's clock is not changed."""
    then = datetime.datetime.now() + datetime.timedelta(days=days)
    refused(s3(ceph, bucket, "k", fill(tmp_path / "f", 10),
               env={"LD_PRELOAD": LIBFAKETIME, "FAKETIME": f"@{then:%Y-%m-%d %H:%M:%S}",
                    "FAKETIME_DONT_FAKE_MONOTONIC": "1"}), "clock", "off")


LIBFAKETIME = subprocess.run("ls /usr/lib/*/faketime/libfaketimeMT.so.1 /usr/lib64/faketime/libfaketimeMT.so.1",
                             shell=True, text=True, capture_output=True, check=False).stdout.strip()


# Servers in trouble.

def test_nobody_listens(tmp_path):
    port, = store.free_ports(1)
    r = put("s3://bucket", "k", fill(tmp_path / "f", 10), endpoint=f"http://127.0.0.1:{port}")
    assert r["verdict"] == "retry" and r["general"] and "no connection" in r["reason"], r


def test_no_such_name(tmp_path):
    r = put("s3://bucket", "k", fill(tmp_path / "f", 10), endpoint="http://store.invalid")
    assert r["verdict"] == "retry" and "DNS" in r["reason"], r


def test_hanging_server(ceph, s3cmd, bucket, tmp_path):
    path = fill(tmp_path / "f", 3 * MIB)
    ceph.freeze()
    try:
        r = s3(ceph, bucket, "k", path, stall=2)
    finally:
        ceph.thaw()
    assert r["verdict"] == "retry" and "stopped answering" in r["reason"], r
    assert s3(ceph, bucket, "k", path, stall=60)["verdict"] == "done"
    assert s3cmd.read(bucket, "k", tmp_path) == path.read_bytes()


def test_cancelled_while_it_hangs(ceph, bucket, tmp_path):
    """progress() is called at least once a second, whatever the server does."""
    ceph.freeze()
    start = time.monotonic()
    try:
        r = s3(ceph, bucket, "k", fill(tmp_path / "f", 3 * MIB), stall=60, cancel_at=MIB)
    finally:
        ceph.thaw()
    assert r["verdict"] == "cancelled", r
    assert time.monotonic() - start < 30


def test_server_dies_and_returns(ceph, s3cmd, bucket, tmp_path):
    path = fill(tmp_path / "f", 8 * MIB)
    p = subprocess.Popen(command(f"s3://{bucket}", "k", str(path), endpoint=ceph.endpoint, rate=2 * MIB),
                         env=environment({}), stdout=subprocess.PIPE, text=True)
    time.sleep(1.5)
    assert p.poll() is None
    ceph.kill_rgw()
    out = p.communicate(timeout=60)[0]
    ceph.start_rgw()
    assert '"retry"' in out, out
    assert not s3cmd.list(bucket)
    assert s3(ceph, bucket, "k", path)["verdict"] == "done"
    assert s3cmd.read(bucket, "k", tmp_path) == path.read_bytes()


def test_not_an_s3_store(tmp_path):
    """A server that answers 200 to everything has stored nothing."""
    port, = store.free_ports(1)
    server = subprocess.Popen(["/usr/bin/python3", "-c", f"""
import http.server
class Yes(http.server.BaseHTTPRequestHandler):
    def do_PUT(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200); self.send_header("content-length", "0"); self.end_headers()
    do_HEAD = do_PUT
    def log_message(self, *args): pass
s = http.server.HTTPServer(("127.0.0.1", {port}), Yes)
print("ready", flush=True)
s.serve_forever()"""], stdout=subprocess.PIPE)
    try:
        server.stdout.readline()
        r = put("s3://bucket", "k", fill(tmp_path / "f", 10), endpoint=f"http://127.0.0.1:{port}")
    finally:
        server.kill()
        server.wait()
    assert r["verdict"] == "retry" and "ETag" in r["reason"], r


# What is sent.

def test_the_rate_is_kept(ceph, bucket, tmp_path):
    path = fill(tmp_path / "f", 2 * MIB)
    start = time.monotonic()
    assert s3(ceph, bucket, "k", path, rate=MIB)["verdict"] == "done"
    # libcurl sends the first buffers at once.
    assert time.monotonic() - start > 1


def test_only_what_was_recorded(ceph, s3cmd, bucket, tmp_path):
    path = fill(tmp_path / "f", 1000)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    r = s3(ceph, bucket, "k", path, sha256=digest)
    assert r["verdict"] == "local" and "SHA-256" in r["reason"], r
    assert not s3cmd.list(bucket)


def test_a_file_that_changes_while_it_is_sent(ceph, s3cmd, bucket, tmp_path):
    """The store compares the announced SHA-256 with that of what it received."""
    path = fill(tmp_path / "f", 8 * MIB)
    p = subprocess.Popen(command(f"s3://{bucket}", "k", str(path), endpoint=ceph.endpoint, rate=2 * MIB),
                         env=environment({}), stdout=subprocess.PIPE, text=True)
    time.sleep(1.5)
    assert p.poll() is None
    with open(path, "r+b") as f:
        f.seek(-10, os.SEEK_END)
        f.write(b"changed")
    out = p.communicate(timeout=60)[0]
    assert '"retry"' in out and "corrupted on the way" in out, out
    assert not s3cmd.list(bucket)


def test_a_file_that_is_cut_while_it_is_sent(ceph, s3cmd, bucket, tmp_path):
    path = fill(tmp_path / "f", 8 * MIB)
    p = subprocess.Popen(command(f"s3://{bucket}", "k", str(path), endpoint=ceph.endpoint, rate=2 * MIB),
                         env=environment({}), stdout=subprocess.PIPE, text=True)
    time.sleep(1.5)
    assert p.poll() is None
    os.truncate(path, 7 * MIB)
    out = p.communicate(timeout=60)[0]
    assert '"local"' in out and "truncated" in out, out
    assert not s3cmd.list(bucket)


# Multipart.

def test_multipart(ceph, s3cmd, bucket, tmp_path):
    path = fill(tmp_path / "f", 3 * PART + 4321)
    r = s3(ceph, bucket, "a b/k", path, part=PART)
    assert r["verdict"] == "done" and len(r["ids"]) == 2 and r["ids"][1] is None, r
    assert s3cmd.list(bucket) == {"a b/k": 3 * PART + 4321}
    assert s3cmd.read(bucket, "a b/k", tmp_path) == path.read_bytes()
    # The suffix of its ETag says that it was uploaded in four parts.
    assert re.search(r"-4$", s3cmd("info", f"s3://{bucket}/a b/k").split("MD5 sum:")[1].split()[0])
    assert not s3cmd.uploads(bucket)


@pytest.mark.parametrize("size, parts", [(PART, 0), (PART + 1, 2), (2 * PART, 2)])
def test_multipart_begins_above_its_size(ceph, s3cmd, bucket, tmp_path, size, parts):
    path = fill(tmp_path / "f", size)
    r = s3(ceph, bucket, "k", path, part=PART)
    assert r["verdict"] == "done" and len(r["ids"]) == (2 if parts else 0), r
    assert s3cmd.read(bucket, "k", tmp_path) == path.read_bytes()


def test_multipart_goes_on(ceph, s3cmd, bucket, tmp_path):
    path = fill(tmp_path / "f", 4 * PART + 99)
    r = s3(ceph, bucket, "k", path, part=PART, cancel_at=2 * PART + 100)
    assert r["verdict"] == "cancelled", r
    upload_id, = r["ids"]
    assert s3cmd.uploads(bucket) == [("k", upload_id)]
    sent = listed(s3cmd, bucket, "k", upload_id)
    assert len(sent) == 2
    r = s3(ceph, bucket, "k", path, part=PART, upload_id=upload_id)
    assert r["verdict"] == "done" and r["ids"] == [None], r
    assert s3cmd.read(bucket, "k", tmp_path) == path.read_bytes()
    assert not s3cmd.uploads(bucket)


def listed(s3cmd, bucket, key, upload_id):
    """{part: when it was put} of an upload in progress."""
    parts = {}
    for line in s3cmd("listmp", f"s3://{bucket}/{key}", upload_id).splitlines()[1:]:
        when, number, _, _ = line.split("\t")
        parts[int(number)] = when
    return parts


def test_multipart_sends_no_part_twice(ceph, s3cmd, bucket, tmp_path):
    path = fill(tmp_path / "f", 3 * PART)
    upload_id, = s3(ceph, bucket, "k", path, part=PART, cancel_at=PART + 100)["ids"]
    before = listed(s3cmd, bucket, "k", upload_id)
    time.sleep(1.1)
    r = s3(ceph, bucket, "k", path, part=PART, cancel_at=2 * PART + 100, upload_id=upload_id)
    assert r["verdict"] == "cancelled", r
    after = listed(s3cmd, bucket, "k", upload_id)
    assert list(before) == [1] and list(after) == [1, 2] and after[1] == before[1]


def test_multipart_of_a_file_that_is_another_now(ceph, s3cmd, bucket, tmp_path):
    """Parts that do not match the file any more are sent again."""
    path = fill(tmp_path / "f", 3 * PART)
    upload_id, = s3(ceph, bucket, "k", path, part=PART, cancel_at=2 * PART + 100)["ids"]
    fill(path, 3 * PART)
    # Its SHA-256 was announced when the upload began: the change is noticed, and the upload starts anew.
    r = s3(ceph, bucket, "k", path, part=PART, upload_id=upload_id)
    assert r["verdict"] == "retry" and r["ids"] == [None], r
    assert s3(ceph, bucket, "k", path, part=PART)["verdict"] == "done"
    assert s3cmd.read(bucket, "k", tmp_path) == path.read_bytes()


def test_multipart_that_the_store_has_forgotten(ceph, s3cmd, bucket, tmp_path):
    path = fill(tmp_path / "f", 2 * PART)
    upload_id, = s3(ceph, bucket, "k", path, part=PART, cancel_at=PART + 100)["ids"]
    s3cmd("abortmp", f"s3://{bucket}/k", upload_id)
    r = s3(ceph, bucket, "k", path, part=PART, upload_id=upload_id)
    assert r["verdict"] == "done" and r["ids"][0] is None and r["ids"][2] is None, r
    assert s3cmd.read(bucket, "k", tmp_path) == path.read_bytes()


def test_multipart_whose_last_answer_was_lost(ceph, s3cmd, bucket, tmp_path):
    path = fill(tmp_path / "f", 2 * PART)
    upload_id, _ = s3(ceph, bucket, "k", path, part=PART)["ids"]
    when = s3cmd("info", f"s3://{bucket}/k")
    time.sleep(1.1)
    r = s3(ceph, bucket, "k", path, part=PART, upload_id=upload_id)
    assert r["verdict"] == "done" and r["ids"] == [None], r
    assert s3cmd("info", f"s3://{bucket}/k") == when


def test_multipart_that_nobody_will_go_on_with(ceph, s3cmd, bucket, tmp_path):
    path = fill(tmp_path / "f", 2 * PART)
    r = s3(ceph, bucket, "k", path, part=PART, cancel_at=PART + 100, no_resume=True)
    assert r["verdict"] == "cancelled", r
    assert not s3cmd.uploads(bucket)


def test_multipart_taken_back(ceph, s3cmd, bucket, tmp_path):
    path = fill(tmp_path / "f", 2 * PART)
    upload_id, = s3(ceph, bucket, "k", path, part=PART, cancel_at=PART + 100)["ids"]
    for _ in range(2):
        r = put(f"s3://{bucket}", "k", endpoint=ceph.endpoint, abort=True, upload_id=upload_id)
        assert r["verdict"] == "done", r
    assert not s3cmd.uploads(bucket)


def test_multipart_killed_and_taken_up(ceph, s3cmd, bucket, tmp_path):
    """The process has lost its state except for the id, by which it can ask the store."""
    path = fill(tmp_path / "f", 4 * PART)
    p = subprocess.Popen(command(f"s3://{bucket}", "k", str(path), endpoint=ceph.endpoint, part=PART,
                                 rate=5 * MIB), env=environment({}), stdout=subprocess.PIPE)
    time.sleep(2.5)
    assert p.poll() is None
    p.send_signal(signal.SIGKILL)
    p.wait()
    (_, upload_id), = s3cmd.uploads(bucket)
    assert s3(ceph, bucket, "k", path, part=PART, upload_id=upload_id)["verdict"] == "done"
    assert s3cmd.read(bucket, "k", tmp_path) == path.read_bytes()
    assert not s3cmd.uploads(bucket)


# iotrc upload --test.

def test_test(ceph, s3cmd, bucket):
    r = put(f"s3://{bucket}/prefix", endpoint=ceph.endpoint, test=True)
    assert r["verdict"] == "done" and not r["reason"], r
    assert not s3cmd.list(bucket)


@pytest.mark.parametrize("env, word", [
    ({"AWS_SECRET_ACCESS_KEY": "not-the-secret"}, "secret key is wrong"),
    ({"AWS_ACCESS_KEY_ID": "NOBODY"}, "access key"),
])
def test_test_says_what_is_wrong(ceph, bucket, env, word):
    r = put(f"s3://{bucket}", endpoint=ceph.endpoint, test=True, env=env)
    assert r["verdict"] == "refused" and word in r["reason"], r


WRITE_ONLY = """{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow",
"Principal": {{"AWS": ["arn:aws:iam:::user/writer"]}}, "Action": ["s3:PutObject"],
"Resource": ["arn:aws:s3:::{0}/*"]}},
{{"Effect": "Deny", "Principal": {{"AWS": ["arn:aws:iam:::user/writer"]}}, "Action": ["s3:GetObject"],
"Resource": ["arn:aws:s3:::{0}/*"]}},
{{"Effect": "Allow", "Principal": {{"AWS": ["arn:aws:iam:::user/iotrc"]}}, "Action": ["s3:GetObject"],
"Resource": ["arn:aws:s3:::{0}/*"]}}]}}"""


@pytest.fixture(scope="session")
def writer(ceph):
    ceph.user("writer", "WRITERKEY", "writers-secret")
    return {"AWS_ACCESS_KEY_ID": "WRITERKEY", "AWS_SECRET_ACCESS_KEY": "writers-secret"}


def test_credentials_that_may_only_write(ceph, s3cmd, bucket, tmp_path, writer):
    """Credentials as many machines have: they cannot list objects, so the store's answers must suffice."""
    (tmp_path / "policy").write_text(WRITE_ONLY.format(bucket))
    s3cmd("setpolicy", str(tmp_path / "policy"), f"s3://{bucket}")
    path = fill(tmp_path / "f", 2 * PART)
    assert s3(ceph, bucket, "k", path, env=writer)["verdict"] == "done"
    assert s3(ceph, bucket, "l", path, env=writer, part=PART)["verdict"] == "done"
    for key in "k", "l":
        assert s3cmd.read(bucket, key, tmp_path) == path.read_bytes()
    r = put(f"s3://{bucket}", endpoint=ceph.endpoint, test=True, env=writer)
    assert r["verdict"] == "done" and "read back" in r["reason"] and "stays" in r["reason"], r


# Secrets.

def test_no_core_dump(ceph, bucket, tmp_path):
    """No core dump is written, and no other process of the user may read this one's memory: a process that may dump
    core belongs to its user in /proc, one that may not to root (proc(5))."""
    path = fill(tmp_path / "f", 8 * MIB)
    line = command(f"s3://{bucket}", "k", str(path), endpoint=ceph.endpoint, rate=MIB)
    for args, owner in (["sleep", "60"], 12345), (line, 0):
        home = tmp_path / str(owner)
        home.mkdir()
        os.chown(home, 12345, 12345)
        p = subprocess.Popen(["prlimit", "--core=unlimited", *args], env=environment({}), cwd=home,
                             user=12345, group=12345, stdout=subprocess.DEVNULL)
        time.sleep(1.5)
        assert p.poll() is None
        assert os.stat(f"/proc/{p.pid}/mem").st_uid == owner
        assert store.SECRET.encode() not in pathlib.Path(f"/proc/{p.pid}/cmdline").read_bytes()
        p.send_signal(signal.SIGQUIT)
        p.wait()
        # If cores are written to files here, the first one has left one.
        if not pathlib.Path("/proc/sys/kernel/core_pattern").read_text().startswith(("|", "/")):
            assert bool(os.listdir(home)) == bool(owner)
