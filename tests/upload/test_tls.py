# SPDX-License-Identifier: GPL-2.0-or-later
"""TLS: nginx with a CA of its own in front of the store, and in front of a gateway."""
import base64
import os

import pytest

import sign
from gateway import Gateway
from proxy import Tunnel
from put import put
from tls import Tls


@pytest.fixture(scope="module")
def tls(ceph, session_path):
    (session_path / "tls").mkdir()
    server = Tls(session_path / "tls", ceph.port)
    yield server
    server.stop()


@pytest.fixture
def path(tmp_path):
    (tmp_path / "f").write_bytes(os.urandom(3 << 20))
    return tmp_path / "f"


def test_own_ca(ceph, s3cmd, bucket, tmp_path, tls, path):
    r = put(f"s3://{bucket}", "a b/k", path, endpoint=tls.endpoint, ca=tls.ca)
    assert r["verdict"] == "done", r
    r = put(f"s3://{bucket}", "l", path, endpoint=tls.endpoint, env={"SSL_CERT_FILE": str(tls.ca)})
    assert r["verdict"] == "done", r
    assert s3cmd.read(bucket, "a b/k", tmp_path) == path.read_bytes()
    assert set(s3cmd.list(bucket)) == {"a b/k", "l"}


def test_unknown_ca(s3cmd, bucket, tls, path):
    r = put(f"s3://{bucket}", "k", path, endpoint=tls.endpoint)
    assert r["verdict"] == "refused" and r["general"] and "--upload-ca" in r["reason"], r
    assert not s3cmd.list(bucket)


def test_another_name(ceph, s3cmd, bucket, tmp_path, path):
    server = Tls(tmp_path, ceph.port, name="elsewhere.example")
    try:
        r = put(f"s3://{bucket}", "k", path, endpoint=server.endpoint, ca=server.ca)
    finally:
        server.stop()
    assert r["verdict"] == "refused" and "certificate" in r["reason"], r
    assert not s3cmd.list(bucket)


@pytest.mark.parametrize("content", [None, "", "no certificate\n"])
def test_ca_file_that_is_none(bucket, tls, tmp_path, path, content):
    ca = tmp_path / "ca.pem"
    if content is not None:
        ca.write_text(content)
    r = put(f"s3://{bucket}", "k", path, endpoint=tls.endpoint, ca=ca)
    assert r["verdict"] == ("config" if content is None else "refused"), r
    assert "certificate" in r["reason"], r


def test_tls_to_a_server_without(ceph, bucket, path):
    r = put(f"s3://{bucket}", "k", path, endpoint=f"https://127.0.0.1:{ceph.port}")
    assert r["verdict"] == "retry" and "TLS" in r["reason"], r


def test_redirects_are_not_followed(s3cmd, bucket, tls, path):
    r = put(f"s3://{bucket}", "k", path, endpoint=f"http://localhost:{tls.plain}", ca=tls.ca)
    assert r["verdict"] == "refused" and "redirect" in r["reason"] and "308" in r["reason"], r
    assert not s3cmd.list(bucket)


def test_proxy_from_the_environment(ceph, s3cmd, bucket, tls, path):
    """http_proxy: the request goes to the proxy. (nginx, which is no proxy, answers with a redirect.)"""
    env = {"http_proxy": f"http://127.0.0.1:{tls.plain}"}
    r = put(f"s3://{bucket}", "k", path, endpoint=ceph.endpoint, env=env)
    assert r["verdict"] == "refused" and "308" in r["reason"], r
    r = put(f"s3://{bucket}", "k", path, endpoint=ceph.endpoint, env={**env, "no_proxy": "127.0.0.1"})
    assert r["verdict"] == "done", r


def test_tunnel_from_the_environment(s3cmd, bucket, tls, tmp_path, path):
    """https_proxy: the proxy gets the host, its own password, and nothing else of the request."""
    words = "Basic " + base64.b64encode(b"somebody:a-password").decode()
    with Tunnel(words) as tunnel:
        env = {"https_proxy": f"http://somebody:a-password@127.0.0.1:{tunnel.port}"}
        r = put(f"s3://{bucket}", "k", path, endpoint=tls.endpoint, ca=tls.ca, env=env)
        assert r["verdict"] == "done", r
        assert {m.lines[0] for m in tunnel.requests} == {f"CONNECT localhost:{tls.port} HTTP/1.1"}
        assert not any(m.header("authorization") or m.header("x-amz-content-sha256") for m in tunnel.requests)
        # The certificate is checked as without a proxy.
        r = put(f"s3://{bucket}", "l", path, endpoint=tls.endpoint, env=env)
        assert r["verdict"] == "refused" and "certificate" in r["reason"], r
        env = {"HTTPS_PROXY": f"http://somebody:wrong@127.0.0.1:{tunnel.port}"}
        r = put(f"s3://{bucket}", "l", path, endpoint=tls.endpoint, ca=tls.ca, env=env)
        assert r["verdict"] == "refused" and "proxy" in r["reason"] and "wrong" not in r["reason"], r
        before = len(tunnel.requests)
        r = put(f"s3://{bucket}", "m", path, endpoint=tls.endpoint, ca=tls.ca, env={**env, "no_proxy": "localhost"})
        assert r["verdict"] == "done" and len(tunnel.requests) == before, r
    assert s3cmd.read(bucket, "k", tmp_path) == path.read_bytes()
    assert set(s3cmd.list(bucket)) == {"k", "m"}


@pytest.fixture
def gateway(ceph, bucket, tmp_path):
    gw = Gateway(ceph, bucket, token="a-token")
    (tmp_path / "front").mkdir()
    front = Tls(tmp_path / "front", gw.port)
    yield gw, front
    front.stop()
    gw.stop()


def test_gateway(s3cmd, bucket, tmp_path, path, gateway):
    gw, front = gateway
    store = Tls((tmp_path / "store").mkdir() or tmp_path / "store", int(gw.endpoint.rsplit(":", 1)[1]))
    # One file may hold several CAs.
    both = tmp_path / "both.pem"
    both.write_text(front.ca.read_text() + store.ca.read_text())
    env = {"IOTRC_UPLOAD_TOKEN": "a-token"}
    try:
        r = put(front.endpoint, "k", path, ca=both, env=env)
        assert r["verdict"] == "refused" and "unencrypted" in r["reason"], r
        gw.presign = lambda endpoint, *args: sign.presign(store.endpoint, *args)
        r = put(front.endpoint, "k", path, ca=both, env=env)
        assert r["verdict"] == "done", r
        r = put(front.endpoint, "l", path, ca=front.ca, env=env)
        assert r["verdict"] == "refused" and "certificate" in r["reason"], r
    finally:
        store.stop()
    assert s3cmd.read(bucket, "k", tmp_path) == path.read_bytes()
    assert set(s3cmd.list(bucket)) == {"k"}
