# SPDX-License-Identifier: GPL-2.0-or-later
"""The lake of a fleet, in a directory and in an S3 store: all rows, and those that were lost, as the manifests say."""
import os
import shutil
import signal
import subprocess
import time

import conftest
from conftest import DAYS, DUCKDB, IOTRC, MACHINES, iotrc, upload


def summary(fleet):
    rows = sum(n for n, _ in fleet.totals().values())
    return f"{rows} rows of {MACHINES * DAYS - len(fleet.torn)} sessions in "


def test_all_but_the_torn_one(fleet, lake):
    said = iotrc("lake", "verify", lake, fleet.raw, code=1)
    machine, name = fleet.torn[0].parts[-2:]
    assert said.splitlines()[0] == f"{machine} {name}: not in the lake" and len(said.splitlines()) == 2
    assert summary(fleet) in said and "1 sessions incomplete: 1 faults" in said


def test_days_are_those_of_the_clock(fleet, lake):
    """One session is in two days; the clock of another was set back over midnight."""
    def days(what):
        machine, name = fleet.special(what).parts[-2:]
        return sorted(p.parts[-3] for p in lake.glob(f"v=1/stream=fs/date=*/machine={machine}/{name}-*.parquet"))
    assert days("midnight") == ["date=2026-11-02", "date=2026-11-03"]
    assert days("step") == ["date=2026-11-01", "date=2026-11-02"]


def objects(s3cmd, bucket, prefix):
    return {k for k in s3cmd.list(bucket) if k.startswith(prefix)}


def test_in_s3(fleet, server, s3cmd, bucket, place):
    """Uploaded sessions, synced by two at once, one of which is killed and begins again; then a late one."""
    raw = place / "some"
    for session, _ in fleet.made[:2 * DAYS + 2]: # the torn one's files don't match: not among them
        if session not in fleet.torn:
            shutil.copytree(session, raw / session.relative_to(fleet.raw))
    late = next(raw.glob("*/*/*"))
    late.rename(place / "late")
    upload(server, bucket, raw, place / "state")
    command = [IOTRC, "lake", "sync", f"s3://{bucket}/raw", f"s3://{bucket}/lake"]
    env = {**os.environ, **server.environment(), "IOTRC_DUCKDB": str(conftest.DUCKDB)}
    killed = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    while not objects(s3cmd, bucket, "lake/v=1/stream=sessions/"):
        time.sleep(0.05)
    killed.kill()
    killed.wait()
    both = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [(p.communicate()[0] and None) or p.returncode for p in both] == [0, 0]
    assert "0 faults" in iotrc("lake", "verify", f"s3://{bucket}/lake", raw, **server.environment())
    before = objects(s3cmd, bucket, "lake/")
    (place / "late").rename(late)
    upload(server, bucket, raw, place / "state")
    assert " 1 sessions added in " in iotrc("lake", "sync", f"s3://{bucket}/raw", f"s3://{bucket}/lake", **server.environment())
    assert before < objects(s3cmd, bucket, "lake/")
    assert "0 faults" in iotrc("lake", "verify", f"s3://{bucket}/lake", raw, **server.environment())
    assert not list(place.glob("iotrc-*"))
    assert "0 sessions removed" in iotrc("lake", "expire", f"s3://{bucket}/lake", "--older-than", "36500d", **server.environment())
    iotrc("lake", "expire", f"s3://{bucket}/lake", "--older-than", "1d", **server.environment())
    gone = objects(s3cmd, bucket, "lake/")
    assert not {k for k in gone if "date=2026-11-0" in k}


def test_a_session_without_its_manifest_waits(fleet, server, s3cmd, bucket, place):
    session = fleet.special("losses")
    for file in session.rglob("*.zst"):
        s3cmd("put", file, f"s3://{bucket}/raw/{'/'.join(session.parts[-3:])}/{file.parent.name}/{file.name}")
    said = iotrc("lake", "sync", f"s3://{bucket}/raw", f"s3://{bucket}/lake", **server.environment())
    assert f"{session.name}: has no manifest (yet); left out" in said and "1 not finished" in said
    s3cmd("put", session / "manifest.json", f"s3://{bucket}/raw/{'/'.join(session.parts[-3:])}/manifest.json")
    assert " 1 sessions added" in iotrc("lake", "sync", f"s3://{bucket}/raw", f"s3://{bucket}/lake", **server.environment())


def test_export_goes_there_too(fleet, server, bucket):
    session = fleet.special("key A")
    assert "of 1 session in" in iotrc("export", session, "--to", "parquet", "--lake", f"s3://{bucket}/l", **server.environment())
    assert "0 faults" in iotrc("lake", "verify", f"s3://{bucket}/l", session, **server.environment())


def test_of_an_uploaded_prefix(fleet, server, bucket, tmp_path):
    """Export and sync of all machines, of one, of one session, straight from where they were uploaded."""
    raw, env = tmp_path / "raw", server.environment()
    sessions = [shutil.copytree(s, raw / s.relative_to(fleet.raw)) for s in map(fleet.special, ("key A", "key B"))]
    upload(server, bucket, raw, tmp_path / "state")
    key = sessions[0].relative_to(raw)
    to = "--to", "parquet", "--lake", tmp_path / "lake"
    for prefix, n in (f"raw/{key}", 1), (f"raw/{key.parent}", 1), ("raw", 2), ("raw/", 2): # again replaces
        said = iotrc("export", f"s3://{bucket}/{prefix}", *to, **env)
        assert f" rows of {n} session{'s' * (n > 1)} in " in said
        assert "0 faults" in iotrc("lake", "verify", tmp_path / "lake", *sessions[:n])
    assert "2 sessions known" in iotrc("lake", "sync", f"s3://{bucket}/raw", tmp_path / "lake", **env)
    for prefix in f"raw/{key}", f"raw/{key.parent}":
        assert "1 sessions known" in iotrc("lake", "sync", f"s3://{bucket}/{prefix}", tmp_path / "lake", **env)
    nothing = f"s3://{bucket}/none: no session (manifest.json) here or below"
    assert nothing in iotrc("export", f"s3://{bucket}/none", *to, code=1, **env)
    assert nothing in iotrc("lake", "sync", f"s3://{bucket}/none", tmp_path / "lake", code=1, **env)


def test_the_uploader_adds_to_a_lake(fleet, server, s3cmd, bucket, place):
    """--upload-format: beside CSV, whose files are removed when they are there; or instead of it."""
    raw = place / "to upload"
    for session, _ in fleet.made[1:4]:
        shutil.copytree(session, raw / session.relative_to(fleet.raw))
    arguments = ["upload", "--upload", f"s3://{bucket}/both", "--state", place / "state of uploads", raw]
    said = iotrc(*arguments, "--upload-format", "parquet", **server.environment())
    assert " rows of 3 sessions added to the lake; 0 were there" in said
    assert all(name.startswith("both/v=1/") for name in objects(s3cmd, bucket, ""))
    assert "0 faults" in iotrc("lake", "verify", f"s3://{bucket}/both", raw, **server.environment())
    kept = shutil.copytree(raw, place / "uploaded")
    said = iotrc(*arguments, "--upload-format", "csv,parquet", "--keep-uploaded=no", **server.environment())
    assert "0 sessions added to the lake; 3 were there" in said and not list(raw.rglob("*.zst"))
    sent = {name.removeprefix("both/") for name in objects(s3cmd, bucket, "both/linux_v1/")}
    assert {str(p.relative_to(kept)) for p in kept.rglob("*.zst")} <= sent
    assert "0 faults" in iotrc("lake", "verify", f"s3://{bucket}/both", kept, **server.environment())


def test_uploads_of_other_formats(fleet, place):
    session = fleet.special("key A")
    upload_to = ["upload", session, "--state", place / "state of uploads", "--upload-format"]
    assert "csv, parquet or csv,parquet" in iotrc(*upload_to, "orc", "--upload", f"file://{place}/u", code=2)
    assert "a lake is in s3://BUCKET/PREFIX or file:///DIR" in iotrc(*upload_to, "parquet", "--upload", "https://127.0.0.1/x", code=1)
    assert "run one for each format" in iotrc("upload", place, "--upload", f"file://{place}/u", "--upload-format", "csv,parquet", "--continuous", code=2)
    assert "--upload-format: only with upload" in iotrc("--upload-format", "parquet", "-d", "1s", code=2)
    torn = iotrc(*upload_to, "parquet", "--upload", f"file://{place}/u", fleet.torn[0], code=3)
    assert "not as long as the manifest says; not in the lake" in torn and "of 1 sessions added to the lake" in torn
    assert "0 faults" in iotrc("lake", "verify", place / "u", session)


def test_sessions_that_finish_meanwhile_are_added(fleet, place):
    """--continuous: what is there, what comes, and at the end what came last; one that is torn is named once."""
    raw, lake = place / "while recording", place / "lake while recording"
    sessions = [s for s, what in fleet.made if what != "torn"][:3]

    def record(session):
        """Appears whole, as a session whose manifest is complete."""
        to = raw / session.relative_to(fleet.raw)
        shutil.copytree(session, place / "appearing", dirs_exist_ok=True)
        to.parent.mkdir(parents=True, exist_ok=True)
        (place / "appearing").rename(to)

    def added():
        return {p.name for p in lake.glob("v=1/stream=sessions/**/*.parquet")}

    record(sessions[0])
    uploader = subprocess.Popen(
        [IOTRC, "upload", raw, "--upload", f"file://{lake}", "--upload-format", "parquet", "--continuous",
         "--state", place / "state of uploads"],
        env={**os.environ, "IOTRC_DUCKDB": str(DUCKDB)}, text=True, stderr=subprocess.PIPE)
    try:
        for n in 1, 2:
            deadline = time.monotonic() + 300
            while len(added()) < n:
                assert uploader.poll() is None and time.monotonic() < deadline, added()
                time.sleep(0.5)
            record(sessions[n])
        record(fleet.torn[0])
    finally:
        uploader.send_signal(signal.SIGINT)
    said = uploader.communicate(timeout=300)[1]
    assert uploader.returncode == 3 and said.count("not in the lake") == 1, said
    assert "of 3 sessions added to the lake" in said
    shutil.rmtree(raw / fleet.torn[0].relative_to(fleet.raw))
    assert "0 faults" in iotrc("lake", "verify", lake, raw)


def test_no_store(bucket):
    said = iotrc("lake", "verify", f"s3://{bucket}/l", code=1, AWS_ENDPOINT_URL_S3="", AWS_ENDPOINT_URL="")
    assert "AWS_ENDPOINT_URL" in said and len(said.splitlines()) == 1


def test_expire(fleet, lake, place):
    """Sessions are removed by the day of their last row."""
    copy = place / "expiring"
    shutil.copytree(lake, copy)
    (copy / "v=1/stream=fs/.x.parquet.part-abcdef").write_text("")
    os.utime(copy / "v=1/stream=fs/.x.parquet.part-abcdef", (0, 0))
    age = (time.time() - 1793664000) / 86400 # 2026-11-03
    said = iotrc("lake", "expire", copy, "--older-than", f"{int(age)}d")
    machine, name = fleet.special("midnight").parts[-2:]
    kept = {(p.parts[-2], p.name) for p in copy.rglob("*.parquet")}
    assert {n for _, n in kept if n.startswith(name)} == {f"{name}-1.parquet", f"{name}.parquet"}
    assert not any(n.startswith(fleet.special("step").name) for _, n in kept)
    assert not list(copy.rglob(".*")) and "sessions removed" in said
    assert "0 faults" in iotrc("lake", "verify", copy)
