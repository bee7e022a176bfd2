# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever happens on the way to the store: in the end everything is there once, byte for byte, and nothing was removed
here before."""
import itertools
import json
import os
import random
import re
import subprocess
import time

import pytest

import sessions
from proxy import Proxy

SIZES = [0, 1, 100, 4096, 70_000, 300_000, 1_500_000]


def once(*words):
    """The first requests have these faults."""
    return lambda n, method, path: words[n] if n < len(words) else None


@pytest.mark.parametrize("fault", ["reset-before", "reset-after", "half", "slow", "500", "503", "truncated",
                                   "etag"])
def test_fault(ceph, s3cmd, bucket, tmp_path, fault):
    """The fault occurs twice at the beginning, once in the middle, and once with the manifest."""
    manifests = itertools.count()

    def at_times(n, method, path):
        last = path.endswith("/manifest.json") and next(manifests) == 0
        return fault if n in (0, 1, 6) or last else None

    session = sessions.make(tmp_path / "t", SIZES)
    files = sessions.contents(session)
    with Proxy(ceph.port, at_times) as proxy:
        sessions.upload(bucket, proxy.endpoint, tmp_path / "state", "--keep-uploaded=no", tmp_path / "t")
        assert any(what == fault for _, _, _, what, _ in proxy.log)
        assert proxy.puts()[-1].endswith("/manifest.json")
    sessions.check_whole(s3cmd, bucket, tmp_path, (session, files))
    assert not session.exists()


def test_retry_after_is_honoured(ceph, s3cmd, bucket, tmp_path):
    session = sessions.make(tmp_path / "t", [10])
    with Proxy(ceph.port, once("503")) as proxy:
        sessions.upload(bucket, proxy.endpoint, tmp_path / "state", "--upload-parallel", "1", tmp_path / "t")
        (requested, _, _, _, _), (then, _, _, _, _) = proxy.log[:2]
    assert then - requested >= 2
    sessions.check_whole(s3cmd, bucket, tmp_path, (session, sessions.contents(session)))


def test_each_object_once(ceph, s3cmd, bucket, tmp_path):
    """Without faults nothing is sent twice, with any number of transfers and processes at a time."""
    made = [sessions.make(tmp_path / "t", SIZES, stamp=f"20260131_12000{i}_000") for i in range(4)]
    with Proxy(ceph.port) as proxy:
        running = [sessions.start(bucket, proxy.endpoint, tmp_path / "state", "--upload-parallel", "4",
                                  tmp_path / "t") for _ in range(3)]
        for p in running:
            _, errors = p.communicate(timeout=sessions.LONG)
            assert p.returncode in (0, 3), errors
        sessions.upload(bucket, proxy.endpoint, tmp_path / "state", tmp_path / "t")
        assert len(proxy.puts()) == len(set(proxy.puts())) == 4 * (len(SIZES) + 2)
        for s in made:
            paths = [p for p in proxy.puts() if s.name in p]
            assert paths[-1].endswith("/manifest.json")
    sessions.check_whole(s3cmd, bucket, tmp_path, *((s, sessions.contents(s)) for s in made))


def test_a_store_that_lies(ceph, s3cmd, bucket, tmp_path):
    """200 without an ETag, from a server that did nothing, is no confirmation."""
    session = sessions.make(tmp_path / "t", SIZES)
    files = sessions.contents(session)
    with Proxy(ceph.port, once(*["ok-without-doing"] * 4)) as proxy:
        sessions.upload(bucket, proxy.endpoint, tmp_path / "state", "--keep-uploaded=no", tmp_path / "t")
    sessions.check_whole(s3cmd, bucket, tmp_path, (session, files))


def test_nobody_listens_then_somebody_does(ceph, s3cmd, bucket, tmp_path):
    session = sessions.make(tmp_path / "t", SIZES)
    files = sessions.contents(session)
    with Proxy(ceph.port, lambda *_: "reset-before") as proxy:
        p = sessions.start(bucket, proxy.endpoint, tmp_path / "state", "--keep-uploaded=no", tmp_path / "t")
        time.sleep(3)
        code, errors = sessions.interrupt(p)
        assert code == 3 and "left" in errors, errors
        sessions.check_nothing_lost(s3cmd, bucket, session, files)
        assert sessions.contents(session) == files
        proxy.fault = lambda *_: None
        sessions.upload(bucket, proxy.endpoint, tmp_path / "state", "--keep-uploaded=no", tmp_path / "t")
    sessions.check_whole(s3cmd, bucket, tmp_path, (session, files))


def test_name_that_does_not_resolve(ceph, s3cmd, bucket, tmp_path):
    session = sessions.make(tmp_path / "t", [10])
    files = sessions.contents(session)
    p = sessions.start(bucket, "http://s3.invalid:1", tmp_path / "state", "--keep-uploaded=no", tmp_path / "t")
    line = p.stderr.readline()
    assert "s3.invalid" in line and "DNS" in line and "trying again" in line, line
    code, errors = sessions.interrupt(p)
    assert code == 3, errors
    assert sessions.contents(session) == files
    sessions.check_nothing_lost(s3cmd, bucket, session, files)
    sessions.upload(bucket, ceph.endpoint, tmp_path / "state", "--keep-uploaded=no", tmp_path / "t")
    sessions.check_whole(s3cmd, bucket, tmp_path, (session, files))


def test_stall(ceph, s3cmd, bucket, tmp_path):
    """A minute without a byte: two requests at the same time, before and after the store has processed them."""
    session = sessions.make(tmp_path / "t", SIZES)
    files = sessions.contents(session)
    with Proxy(ceph.port, once("stall", "stall-after")) as proxy:
        errors = sessions.upload(bucket, proxy.endpoint, tmp_path / "state", "--keep-uploaded=no", tmp_path / "t")
        assert "stopped answering" in errors and "goes on" in errors, errors
    sessions.check_whole(s3cmd, bucket, tmp_path, (session, files))
    assert not session.exists()


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """A server's key and certificate, and those of an unknown authority."""
    d = tmp_path_factory.mktemp("tls")
    run = lambda *args: subprocess.run(["openssl", *args], cwd=d, check=True, capture_output=True)
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
        "-subj", "/CN=authority of a test")
    run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "csr.pem", "-subj", "/CN=127.0.0.1")
    (d / "ext").write_text("subjectAltName=IP:127.0.0.1\n")
    run("x509", "-req", "-in", "csr.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
        "-out", "cert.pem", "-extfile", "ext")
    return d


def test_tls_with_an_unknown_authority(ceph, s3cmd, bucket, tmp_path, tls):
    session = sessions.make(tmp_path / "t", SIZES)
    files = sessions.contents(session)
    with Proxy(ceph.port, tls=(tls / "cert.pem", tls / "key.pem")) as proxy:
        errors = sessions.upload(bucket, proxy.endpoint, tmp_path / "state", "--keep-uploaded=no", tmp_path / "t",
                                 code=1)
        assert "certificate" in errors, errors
        assert proxy.log == [] and sessions.contents(session) == files
        sessions.upload(bucket, proxy.endpoint, tmp_path / "state", "--keep-uploaded=no", "--upload-ca",
                        tls / "ca.pem", tmp_path / "t")
    sessions.check_whole(s3cmd, bucket, tmp_path, (session, files))


def test_refused(ceph, s3cmd, bucket, tmp_path):
    """An error that cannot go away by itself ends the command, in one line, and nothing is lost."""
    session = sessions.make(tmp_path / "t", SIZES)
    files = sessions.contents(session)
    errors = sessions.upload(bucket, ceph.endpoint, tmp_path / "state", "--keep-uploaded=no", tmp_path / "t", code=1,
                             AWS_SECRET_ACCESS_KEY="wrong")
    assert len(errors.splitlines()) == 2 and "left: 1 session" in errors, errors
    errors = sessions.upload(f"{bucket}-not", ceph.endpoint, tmp_path / "state", tmp_path / "t", code=1)
    assert "bucket" in errors.lower(), errors
    assert sessions.contents(session) == files


def test_only_what_is_ready(ceph, s3cmd, bucket, tmp_path):
    """A session that is being recorded or was never finished is not touched; nor is one that has lost a file or has a
    changed one: its manifest would be wrong."""
    good = sessions.make(tmp_path / "t", [5], stamp="20260131_120000_001")
    running = sessions.make(tmp_path / "t", [5], stamp="20260131_120000_002", state="running")
    missing = sessions.make(tmp_path / "t", [5, 6], stamp="20260131_120000_003")
    rotten = sessions.make(tmp_path / "t", [5, 6], stamp="20260131_120000_004")
    recovered = sessions.make(tmp_path / "t", [5], stamp="20260131_120000_005", state="recovered")
    next(missing.glob("fs/*0001*")).unlink()
    next(rotten.glob("fs/*0001*")).write_bytes(b"12345")
    errors = sessions.upload(bucket, ceph.endpoint, tmp_path / "state", tmp_path / "t", code=3)
    assert "left: 3 sessions" in errors, errors
    for name, why in (running, "is incomplete"), (missing, "No such file"), (rotten, "SHA-256"):
        assert any(name.name in line and why in line for line in errors.splitlines()), errors
    keys = set(s3cmd.list(bucket))
    for s in good, recovered:
        assert {sessions.key(s, p) for p in sessions.contents(s)} <= keys
    for s in running, missing, rotten:
        assert sessions.key(s, "manifest.json") not in keys
    assert not any(running.name in k for k in keys)
    assert not (running / ".upload.jsonl").exists()


def test_another_target_is_another_matter(tmp_path):
    """A session of which parts were sent to one target and removed here cannot be completed at another, and a message
    says so."""
    session = sessions.make(tmp_path / "t", [5, 6])
    journal = {"target": "0" * 16, "file": f"fs/fs_{session.name}_0001.csv.zst", "bytes": 5,
               "sha256": sessions.sha256(next(session.glob("fs/*0001*")))}
    (session / ".upload.jsonl").write_text(json.dumps(journal) + "\n")
    next(session.glob("fs/*0001*")).unlink()
    (tmp_path / "share").mkdir()
    p = subprocess.run([sessions.IOTRC, "upload", "--upload", f"file://{tmp_path}/share", tmp_path / "t"],
                       text=True, capture_output=True, check=False)
    assert p.returncode == 3 and "another target" in p.stderr, p.stderr
    assert not list((tmp_path / "share").rglob("manifest.json"))


def test_wrong_places(tmp_path):
    """A directory that is not part of a dataset would get another key."""
    moved = tmp_path / "elsewhere"
    sessions.make(tmp_path / "t", [5]).rename(moved)
    (tmp_path / "share").mkdir()
    for d, word in (moved, "directories of a dataset"), (tmp_path / "absent", "No such file"), \
                   (tmp_path / "share", "no session"):
        p = subprocess.run([sessions.IOTRC, "upload", "--upload", f"file://{tmp_path}/share", d],
                           text=True, capture_output=True, check=False)
        assert p.returncode in (1, 3) and word in p.stderr, (d, p.stderr)
    assert not any((tmp_path / "share").iterdir())


def test_rate(ceph, s3cmd, bucket, tmp_path):
    """The limit applies to all files together."""
    sessions.make(tmp_path / "t", [256 << 10] * 4)
    begun = time.monotonic()
    sessions.upload(bucket, ceph.endpoint, tmp_path / "state", "--upload-rate", "256K", "--upload-parallel", "4",
                    tmp_path / "t")
    assert time.monotonic() - begun >= 3


@pytest.mark.parametrize("n", [1, 5])
def test_parallel(ceph, s3cmd, bucket, tmp_path, n):
    session = sessions.make(tmp_path / "t", [100] * 4 * n)
    with Proxy(ceph.port, lambda number, *_: "slow" if number < 2 * n else None) as proxy:
        sessions.upload(bucket, proxy.endpoint, tmp_path / "state", "--upload-parallel", n, tmp_path / "t")
        assert proxy.most == n
    sessions.check_whole(s3cmd, bucket, tmp_path, (session, sessions.contents(session)))


def parts(proxy):
    """Numbers of the parts that the store has received, in order."""
    return [int(re.search(r"partNumber=(\d+)", p)[1]) for p in proxy.puts() if "partNumber=" in p]


def begun_in_parts(ceph, proxy, s3cmd, bucket, tmp_path):
    """A session whose upload is killed in the middle of its one large file, with some parts in the store."""
    session = sessions.make(tmp_path / "t", [200 << 20])
    files = sessions.contents(session)
    p = sessions.start(bucket, proxy.endpoint, tmp_path / "state", "--upload-parallel", "1", tmp_path / "t")
    end = time.monotonic() + sessions.LONG
    while len(parts(proxy)) < 2:
        assert p.poll() is None and time.monotonic() < end
        time.sleep(0.01)
    p.kill()
    p.wait()
    assert len(s3cmd.uploads(bucket)) == 1
    sessions.check_nothing_lost(s3cmd, bucket, session, files)
    return session, files


def test_a_large_file_is_resumed(ceph, s3cmd, bucket, tmp_path):
    """According to the journal: what the store has of it is not sent again."""
    with Proxy(ceph.port) as proxy:
        session, files = begun_in_parts(ceph, proxy, s3cmd, bucket, tmp_path)
        time.sleep(1) # the files that had been sent completely when it was killed
        before = parts(proxy)
        sessions.upload(bucket, proxy.endpoint, tmp_path / "state", "--keep-uploaded=no", tmp_path / "t")
        assert sorted(parts(proxy)) == [1, 2, 3, 4] and parts(proxy)[:len(before)] == before
    sessions.check_whole(s3cmd, bucket, tmp_path, (session, files))
    assert not session.exists()


def test_a_large_file_that_changed_is_taken_back(ceph, s3cmd, bucket, tmp_path):
    """A store keeps the parts of an unfinished upload for ever, and its owner pays for them."""
    with Proxy(ceph.port) as proxy:
        session, _ = begun_in_parts(ceph, proxy, s3cmd, bucket, tmp_path)
        path, = session.glob("fs/*")
        with open(path, "r+b") as f:
            f.write(b"something else")
        errors = sessions.upload(bucket, proxy.endpoint, tmp_path / "state", tmp_path / "t", code=3)
        assert "SHA-256" in errors, errors
    assert s3cmd.uploads(bucket) == []


KILLS = 100


def test_killed(ceph, s3cmd, bucket, tmp_path):
    """A hundred times at a random moment; in each session one file is large enough for a multipart upload."""
    rng = random.Random(7)
    args = (bucket, ceph.endpoint, tmp_path / "state", "--keep-uploaded=no", "--upload-parallel", "4",
            "--upload-rate", "40M", tmp_path / "t")
    made, killed = [], 0
    while killed < KILLS:
        sizes = [rng.choice(SIZES) for _ in range(300)] + [70 << 20]
        session = sessions.make(tmp_path / "t", sizes, stamp=f"20260131_120000_{len(made):03}")
        made.append((session, sessions.contents(session)))
        while session.exists() and killed < KILLS:
            p = sessions.start(*args)
            time.sleep(rng.random() * 0.15)
            killed += p.poll() is None
            p.kill()
            p.wait()
            p.stderr.close()
            if killed % 10 == 0:
                sessions.check_nothing_lost(s3cmd, bucket, *made[-1])
    if session.exists():
        sessions.check_nothing_lost(s3cmd, bucket, *made[-1])
        sessions.upload(*args)
    assert not session.exists()
    sessions.check_whole(s3cmd, bucket, tmp_path, *made)
