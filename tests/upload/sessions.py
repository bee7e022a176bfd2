# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions to upload, and checks of the result. The contents are random, so that bytes can be compared."""
import hashlib
import json
import os
import pathlib
import random
import signal
import subprocess
import time

from ceph import KEY, SECRET

IOTRC = os.environ.get("IOTRC", "")
MACHINE = "0123456789ABCDEF"
# Seconds, to detect hangs: the machine may be busy.
LONG = 240


def make(out, sizes, stamp="20260131_120000_000", state="complete", seed=0):
    """Makes a session with files of these sizes; returns its directory."""
    rng = random.Random(f"{seed} {stamp}")
    session = pathlib.Path(out) / "linux_v1" / MACHINE / stamp
    files, specs = [], []
    for i, size in enumerate(sizes):
        path = f"fs/fs_{stamp}_{i + 1:04}.csv.zst"
        put(session / path, rng.randbytes(size))
        files.append({"path": path, "compressed_bytes": size, "sha256": sha256(session / path)})
    put(session / "system_spec/os_info.json", b"{}\n")
    specs.append({"path": "system_spec/os_info.json", "bytes": 3,
                  "sha256": sha256(session / "system_spec/os_info.json")})
    manifest = {"session": {"state": state}, "files": files, "system_spec": specs}
    put(session / "manifest.json", json.dumps(manifest).encode())
    return session


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def contents(session):
    """{path in the session: bytes} of what is to be uploaded."""
    session = pathlib.Path(session)
    return {str(p.relative_to(session)): p.read_bytes() for p in sorted(session.rglob("*"))
            if p.is_file() and p.name not in (".upload.jsonl", ".lock")}


def key(session, path="", prefix="p"):
    return "/".join([prefix, *pathlib.Path(session).parts[-3:], *([path] if path else [])])


def command(bucket, endpoint, state, *args):
    return [IOTRC, "upload", "--upload", f"s3://{bucket}/p", "--s3-endpoint", endpoint,
            "--state", str(state), *map(str, args)]


def environment(**more):
    return {**os.environ, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, **more}


def upload(bucket, endpoint, state, *args, code=0, seconds=LONG, **env):
    """Runs `iotrc upload` until it ends; returns its output."""
    p = subprocess.run(command(bucket, endpoint, state, *args), env=environment(**env),
                       text=True, capture_output=True, timeout=seconds, check=False)
    assert p.returncode == code, f"{p.returncode}: {p.stderr}"
    assert SECRET not in p.stdout + p.stderr
    return p.stderr


def start(bucket, endpoint, state, *args, **env):
    return subprocess.Popen(command(bucket, endpoint, state, *args), env=environment(**env),
                            text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def interrupt(process, seconds=LONG):
    process.send_signal(signal.SIGINT)
    code = process.wait(seconds)
    return code, process.stderr.read()


def stored(s3cmd, bucket, tmp_path):
    """{key: bytes} of all objects, read by the other client."""
    target = pathlib.Path(tmp_path) / f"store{time.monotonic_ns()}"
    target.mkdir()
    s3cmd("get", "--recursive", "--force", f"s3://{bucket}/", str(target))
    got = {str(p.relative_to(target)): p.read_bytes() for p in target.rglob("*") if p.is_file()}
    assert set(got) == set(s3cmd.list(bucket))
    subprocess.run(["rm", "-rf", target], check=True)
    return got


def check_whole(s3cmd, bucket, tmp_path, *sessions):
    """The store has exactly these (session, contents)."""
    wanted = {key(s, path): data for s, files in sessions for path, data in files.items()}
    got = stored(s3cmd, bucket, tmp_path)
    assert set(got) == set(wanted)
    assert all(got[k] == wanted[k] for k in wanted)
    assert s3cmd.uploads(bucket) == []


def check_nothing_lost(s3cmd, bucket, session, files):
    """Each file is still here, or complete in the store; the manifest is in the store only if all files are."""
    sizes = s3cmd.list(bucket)
    there = {path for path, data in files.items() if sizes.get(key(session, path)) == len(data)}
    for path, data in files.items():
        local = session / path
        assert path in there or local.read_bytes() == data, path
    assert "manifest.json" not in there or there == set(files)
