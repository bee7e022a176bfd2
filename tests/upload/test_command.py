# SPDX-License-Identifier: GPL-2.0-or-later
"""iotrc upload on the command line: --test, the sources of credentials, and messages."""
import os
import subprocess

import pytest

import ceph as store
import sessions
from gateway import Gateway
from tls import Tls


def try_out(url, *args, env=None):
    """(exit code, stdout, stderr) of --test."""
    env = {**os.environ, **(env or {})}
    p = subprocess.run([sessions.IOTRC, "upload", "--test", "--upload", url, *map(str, args)], env=env, text=True,
                       capture_output=True, timeout=sessions.LONG, check=False)
    for secret in store.SECRET, "not-the-secret":
        assert secret not in p.stdout + p.stderr
    return p.returncode, p.stdout, p.stderr


KEYS = {"AWS_ACCESS_KEY_ID": store.KEY, "AWS_SECRET_ACCESS_KEY": store.SECRET}


def test_works(ceph, s3cmd, bucket, tmp_path):
    (tmp_path / "share").mkdir()
    assert try_out(f"s3://{bucket}/p", "--s3-endpoint", ceph.endpoint, env=KEYS) == (0, "uploads will work\n", "")
    assert try_out(f"file://{tmp_path}/share")[0] == 0
    gateway = Gateway(ceph, bucket, token="a-token")
    try:
        assert try_out(gateway.url, env={"IOTRC_UPLOAD_TOKEN": "a-token"})[0] == 0
    finally:
        gateway.stop()
    assert not [key for key in s3cmd.list(bucket) if key.startswith("p/")]


def wrong(code, out, errors, *words):
    """One line that says what is wrong."""
    assert code == 1 and not out and errors.startswith("iotrc: cannot upload: ") and errors.count("\n") == 1, errors
    for word in words:
        assert word in errors, errors


@pytest.mark.parametrize("url, endpoint, env, words", [
    ("s3://{b}", "{e}", {}, ["AWS_ACCESS_KEY_ID", "sudo", "--upload-credentials"]),
    ("s3://{b}", "{e}", {**KEYS, "AWS_SECRET_ACCESS_KEY": "not-the-secret"}, ["secret key is wrong"]),
    ("s3://{b}", "{e}", {**KEYS, "AWS_ACCESS_KEY_ID": "NOBODY"}, ["doesn't know this access key"]),
    ("s3://{b}x", "{e}", KEYS, ["no such bucket"]),
    ("s3://{b}", "http://127.0.0.1:1", KEYS, ["no connection"]),
    ("s3://{b}", "http://nowhere.invalid", KEYS, ["DNS"]),
    ("s3://{b}", "https://127.0.0.1:{p}", KEYS, ["TLS"]),
    ("s3://{b}", "{e}", {**KEYS, "http_proxy": "http://127.0.0.1:1"}, ["no connection"]),
    ("https://127.0.0.1:{p}", None, {}, ["TLS"]),
    ("http://127.0.0.1:{p}", None, {}, ["127.0.0.1:{p}"]),
    ("file:///nonexistent/share", None, {}, ["/nonexistent/share"]),
])
def test_says_what_is_wrong(ceph, bucket, url, endpoint, env, words):
    fill = lambda text: text.format(b=bucket, e=ceph.endpoint, p=ceph.port)
    args = ["--s3-endpoint", fill(endpoint)] if endpoint else []
    wrong(*try_out(fill(url), *args, env={**env, "HOME": "/nonexistent"}), *map(fill, words))


def test_says_what_is_wrong_with_the_certificate(ceph, bucket, tmp_path):
    server = Tls(tmp_path, ceph.port)
    try:
        args = [f"s3://{bucket}", "--s3-endpoint", server.endpoint]
        wrong(*try_out(*args, env=KEYS), "certificate", "--upload-ca")
        assert try_out(*args, "--upload-ca", server.ca, env=KEYS)[0] == 0
    finally:
        server.stop()


def test_says_what_is_wrong_with_the_token(ceph, bucket):
    gateway = Gateway(ceph, bucket, token="a-token")
    try:
        wrong(*try_out(gateway.url), "IOTRC_UPLOAD_TOKEN")
        wrong(*try_out(gateway.url, env={"IOTRC_UPLOAD_TOKEN": "not-the-secret"}), "does not accept this token")
    finally:
        gateway.stop()


def test_keys_in_the_configuration(ceph, s3cmd, bucket, tmp_path):
    """All in one file, which must then be protected like its secrets."""
    conf = tmp_path / "iotrc.conf"
    conf.write_text(f"upload = s3://{bucket}/p\ns3-endpoint = {ceph.endpoint}\nkeep-uploaded = no\n"
                    f"state = {tmp_path}/state\naws_access_key_id = {store.KEY}\n"
                    f"aws_secret_access_key = {store.SECRET}\n")
    session = sessions.make(tmp_path / "t", [5, 6])
    files = sessions.contents(session)

    def upload():
        return subprocess.run([sessions.IOTRC, "upload", "--config", conf, tmp_path / "t"], text=True,
                              capture_output=True, timeout=sessions.LONG, check=False,
                              env={**os.environ, "HOME": "/nonexistent"})
    conf.chmod(0o644)
    done = upload()
    assert done.returncode == 1 and "chmod 600" in done.stderr and store.SECRET not in done.stderr, done.stderr
    assert sessions.contents(session) == files
    conf.chmod(0o600)
    done = upload()
    assert done.returncode == 0, done.stderr
    sessions.check_whole(s3cmd, bucket, tmp_path, (session, files))
    assert not session.exists()


def test_what_is_kept(tmp_path):
    """All sessions by default; the service's configuration can say otherwise."""
    (tmp_path / "share").mkdir()
    for i, (args, kept) in enumerate([([], True), (["--keep-uploaded"], True), (["--keep-uploaded=no"], False),
                                      (["--config", "scripts/iotrc.conf"], False)]):
        session = sessions.make(tmp_path / f"t{i}", [5])
        subprocess.run([sessions.IOTRC, "upload", *args, "--upload", f"file://{tmp_path}/share", "--state",
                        tmp_path / "state", tmp_path / f"t{i}"], check=True, capture_output=True)
        assert session.exists() == kept, args
