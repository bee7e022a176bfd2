# SPDX-License-Identifier: GPL-2.0-or-later
"""https://GATEWAY: presigned URLs of the real store, from a small server of our own."""
import json
import os
import subprocess

import pytest

import ceph as store
import sessions
import sign
from gateway import Gateway
from put import put

KEY = "linux_v1/0123456789ABCDEF/20261121_100000_000/fs/fs_20261121_100000_000_0001.csv.zst"


@pytest.fixture
def gateway(ceph, bucket):
    server = Gateway(ceph, bucket)
    yield server
    server.stop()


@pytest.fixture
def path(tmp_path):
    (tmp_path / "f").write_bytes(os.urandom(3 << 20))
    return tmp_path / "f"


def test_arrives(s3cmd, bucket, tmp_path, path, gateway):
    r = put(gateway.url, KEY, path)
    assert r["verdict"] == "done" and r["sent"] == 3 << 20, r
    assert [a[0] for a in gateway.requests] == ["/presigned-url/" + KEY]
    assert "Authorization" not in gateway.requests[0][1]
    assert s3cmd.list(bucket) == {KEY: 3 << 20}
    assert s3cmd.read(bucket, KEY, tmp_path) == path.read_bytes()


def test_odd_names(s3cmd, bucket, path, gateway):
    keys = ["host=h1/a b", "a+b&c=d", "ä%2F", "q?x#z"]
    for key in keys:
        r = put(gateway.url + "/", key, path)
        assert r["verdict"] == "done", (key, r)
    assert set(s3cmd.list(bucket)) == set(keys)


@pytest.mark.parametrize("size", [0, 1])
def test_small(s3cmd, bucket, tmp_path, gateway, size):
    (tmp_path / "f").write_bytes(b"x" * size)
    assert put(gateway.url, KEY, tmp_path / "f")["verdict"] == "done"
    assert s3cmd.list(bucket) == {KEY: size}


@pytest.mark.parametrize("form", [
    lambda url: url + "\n",
    lambda url: json.dumps(url),
    lambda url: json.dumps({"url": url}),
    lambda url: json.dumps({"expires": 300, "data": {"method": "PUT", "uploadUrl": url}}),
    lambda url: json.dumps([{"presigned_url": url}]),
])
def test_forms_of_the_answer(s3cmd, bucket, path, gateway, form):
    gateway.answer = lambda url: (200, form(url))
    assert put(gateway.url, KEY, path)["verdict"] == "done"
    assert set(s3cmd.list(bucket)) == {KEY}


@pytest.mark.parametrize("text", ["", "hello", "{}", '{"url": 5}', '{"url": "ftp://x/y"}', "<html>", "[[[[",
                                  "https://a b c", "x" * 400000, "http://h/" + "y" * 20000],
                         ids=range(10))
def test_answers_without_a_url(s3cmd, bucket, path, gateway, text):
    gateway.answer = lambda url: (200, text)
    r = put(gateway.url, KEY, path)
    assert r["verdict"] == "retry", r
    assert ("too long" if len(text) > 300_000 else "no URL") in r["reason"], r
    assert not s3cmd.list(bucket)


def test_signature_version_2(s3cmd, bucket, tmp_path, path, gateway):
    """The signature covers Content-MD5 and -Type, and that there are none."""
    gateway.presign = sign.presign_v2
    assert put(gateway.url, KEY, path)["verdict"] == "done"
    assert s3cmd.read(bucket, KEY, tmp_path) == path.read_bytes()


@pytest.mark.parametrize("status, verdict, word", [
    (404, "refused", "nothing at this URL"), (500, "retry", "internal error"), (503, "retry", "internal error"),
    (429, "retry", "busy"), (302, "refused", "redirect"),
])
def test_answers_that_are_none(path, gateway, status, verdict, word):
    gateway.answer = lambda url: (status, "", [("Retry-After", "17"), ("Location", "http://127.0.0.1:1/")])
    r = put(gateway.url, KEY, path)
    assert r["verdict"] == verdict and word in r["reason"] and r["retry_after"] == 17, r


def test_token(s3cmd, bucket, tmp_path, path, gateway):
    gateway.token = "s3same-open"
    r = put(gateway.url, KEY, path)
    assert r["verdict"] == "refused" and "IOTRC_UPLOAD_TOKEN" in r["reason"], r
    r = put(gateway.url, KEY, path, env={"IOTRC_UPLOAD_TOKEN": "another"})
    assert r["verdict"] == "refused" and "does not accept this token" in r["reason"], r
    assert not s3cmd.list(bucket)
    assert put(gateway.url, KEY, path, env={"IOTRC_UPLOAD_TOKEN": gateway.token})["verdict"] == "done"
    own = tmp_path / "own"
    own.write_text(f"token = {gateway.token}\n")
    own.chmod(0o600)
    assert put(gateway.url, KEY, path, credentials=own)["verdict"] == "done"
    own.chmod(0o644)
    assert put(gateway.url, KEY, path, credentials=own)["verdict"] == "config"
    own.write_text("no token\n")
    own.chmod(0o600)
    assert put(gateway.url, KEY, path, credentials=own)["verdict"] == "config"


def test_the_store_never_sees_the_token(ceph, bucket, path, gateway):
    """The URL leads to another server of our own, which logs the request."""
    gateway.token = "s3same-open"
    other = Gateway(ceph, bucket)
    seen = []

    class Put(other.server.RequestHandlerClass):
        def do_PUT(self):
            seen.append(dict(self.headers))
            self.rfile.read(int(self.headers["Content-Length"]))
            self.reply(503, headers=[("Retry-After", "5")])
    other.server.RequestHandlerClass = Put
    gateway.presign = lambda *args: other.url + "/x?X-Amz-Signature=0"
    try:
        r = put(gateway.url, KEY, path, env={"IOTRC_UPLOAD_TOKEN": gateway.token})
    finally:
        other.stop()
    assert r["verdict"] == "retry" and r["retry_after"] == 5, r
    assert "Authorization" not in seen[0]
    assert "X-Amz-Signature" not in r["reason"]


def test_url_that_is_too_old(s3cmd, bucket, path, gateway):
    gateway.presign = lambda *args: sign.presign(*args, age=600)
    r = put(gateway.url, KEY, path)
    assert r["verdict"] == "refused" and "AccessDenied" in r["reason"], r
    assert "Signature=" not in r["reason"]
    assert not s3cmd.list(bucket)


def test_url_with_a_wrong_signature(s3cmd, bucket, path, gateway):
    gateway.presign = lambda endpoint, bucket, name, key, secret: sign.presign(
        endpoint, bucket, name, key, "not-the-secret")
    assert put(gateway.url, KEY, path)["verdict"] == "refused"
    assert not s3cmd.list(bucket)


def test_the_store_checks_the_md5(s3cmd, bucket, path, gateway):
    """A URL of version 4 allows a Content-MD5: without one, corruption on the way would go unnoticed."""
    p = subprocess.run(["strace", "-f", "-e", "trace=sendto,write", "-s", "4000", "-o", path.parent / "log",
                        os.environ["UPLOAD_PUT"], "--url", gateway.url, KEY, str(path)], check=True,
                       capture_output=True)
    assert b'"done"' in p.stdout
    assert "Content-MD5: " in (path.parent / "log").read_text()


@pytest.mark.parametrize("url, word", [
    ("http://gateway.example", "https"), ("https://", "gateway"), ("https:///x", "gateway"),
    ("https://h?x", "gateway"), ("https://u:p@h", "gateway"), ("http://127.0.0.1.example", "https"),
    ("https://" + "h" * 2000, "gateway"),
])
def test_configuration(path, url, word):
    r = put(url, KEY, path)
    assert r["verdict"] == "config" and word in r["reason"], r


def test_test(s3cmd, bucket, gateway):
    r = put(gateway.url, test=True)
    assert r["verdict"] == "done", r
    assert set(s3cmd.list(bucket)) == {"linux_v1/0123456789ABCDEF/upload-test/upload-test/upload-test.txt"}


def test_telemetry(gateway):
    gateway.token = "s3same-open"
    r = put(gateway.url, telemetry='{"events": {"fs": 5}}', env={"IOTRC_UPLOAD_TOKEN": gateway.token})
    assert r["verdict"] == "done" and gateway.telemetry == [{"events": {"fs": 5}}], r
    assert put(gateway.url, telemetry="{}")["verdict"] == "refused"


def upload(gateway, tmp_path, *args, **env):
    p = subprocess.run([sessions.IOTRC, "upload", "--upload", gateway.url, "--state", str(tmp_path / "state"),
                        *map(str, args)], env={**os.environ, **env}, text=True, capture_output=True,
                       timeout=sessions.LONG, check=False)
    return p.returncode, p.stderr


def test_a_session(s3cmd, bucket, tmp_path, gateway):
    """iotrc upload as a command: the whole session, the manifest last, telemetry only if requested."""
    gateway.token = "s3same-open"
    for i, args in enumerate([[], ["--telemetry"]]):
        session = sessions.make(tmp_path / "out", [1000, 0, 3 << 20], stamp=f"20260131_12000{i}_000")
        manifest = json.loads((session / "manifest.json").read_text())
        manifest |= {"machine_id": sessions.MACHINE, "host": {"kernel": "6.1", "name": "a-host"},
                     "diagnostics": {"streams": {"fs": {"written": 5, "lost": {"ring": 1, "disk": 2}}}}}
        (session / "manifest.json").write_text(json.dumps(manifest))
        code, said = upload(gateway, tmp_path, *args, session, IOTRC_UPLOAD_TOKEN=gateway.token)
        assert code == 0, said
        here = {"/".join(session.parts[-3:]) + "/" + k: v for k, v in sessions.contents(session).items()}
        for key, data in here.items():
            assert s3cmd.read(bucket, key, tmp_path) == data
        requests = [path.removeprefix("/presigned-url/") for path, _ in gateway.requests]
        assert sorted(requests) == sorted(here) and requests[-1].endswith("/manifest.json")
        gateway.requests.clear()
        assert gateway.telemetry == [{"computer_id": sessions.MACHINE, "kernel": "6.1", "state": "complete",
                                      "events": {"fs": 5}, "lost": {"fs": 3}}] * i
    code, said = upload(gateway, tmp_path, session)
    assert code == 0 and not gateway.requests, said


def test_telemetry_is_the_gateways_alone(ceph, bucket, tmp_path):
    assert put(f"s3://{bucket}", telemetry="{}", endpoint=ceph.endpoint)["verdict"] == "done"
    assert put(f"file://{tmp_path}", telemetry="{}")["verdict"] == "done"
    assert store.KEY and not os.listdir(tmp_path)
