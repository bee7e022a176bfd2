# SPDX-License-Identifier: GPL-2.0-or-later
"""A fleet's sessions (generate.py), and the S3 server of tests/upload, whose log says what was read."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / folder) for folder in ("tests/upload", "tests/fleet", "tests/python", "python")]

import generate # noqa: E402
from ceph import KEY, SECRET, S3cmd # noqa: E402
from counted_store import CountedStore # noqa: E402

IOTRC = os.environ["IOTRC"]
NODE_MODULES = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "iotrc/npm/fleet/node_modules"
DUCKDB = NODE_MODULES / "@duckdb/node-bindings-linux-x64/libduckdb.so"
MACHINES = int(os.environ.get("FLEET_MACHINES", "12"))
DAYS = int(os.environ.get("FLEET_DAYS", "3"))
PATIENCE = 300 + MACHINES * DAYS # seconds


def iotrc(*arguments, code=0, **more):
    """The output of a command on stdout and stderr."""
    done = subprocess.run([IOTRC, *map(str, arguments)], env={**os.environ, "IOTRC_DUCKDB": str(DUCKDB), **more}, text=True,
                          capture_output=True, timeout=3600, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


class Fleet:
    """Sessions, and the numbers in their manifests, which are the oracle for all totals."""

    def __init__(self, directory, machines=MACHINES, days=DAYS):
        self.raw = directory / "raw"
        records, others = (generate.load(TOP / f"bench/{name}.records.zst") for name in ("real", "rows"))
        self.made = list(generate.generate(IOTRC, records, self.raw, machines, days, others))
        self.torn = [s for s, what in self.made if what == "torn"]

    def special(self, what):
        return next(s for s, w in self.made if w == what)

    def manifests(self):
        return [json.loads((s / "manifest.json").read_text()) for s, what in self.made if what != "torn"]

    def totals(self):
        """{stream: (rows, lost)} of all sessions but the torn one."""
        sums = {}
        for m in self.manifests():
            for stream, c in m["diagnostics"]["streams"].items():
                rows, lost = sums.get(stream, (0, 0))
                sums[stream] = rows + c["written"], lost + sum(c["lost"].values())
        return {stream: (rows, lost) for stream, (rows, lost) in sums.items() if rows}


@pytest.fixture(scope="session")
def place():
    path = pathlib.Path(tempfile.mkdtemp(prefix="iotrc-fleet-"))
    path.chmod(0o755)
    yield path
    subprocess.run(["rm", "-rf", path], check=False)


@pytest.fixture(scope="session")
def fleet(place):
    (place / "fleet").mkdir()
    return Fleet(place / "fleet")


@pytest.fixture(scope="session")
def lake(fleet, place):
    """A lake of all sessions, in a directory."""
    said = iotrc("lake", "sync", fleet.raw, place / "lake", code=1)
    assert f"{fleet.torn[0].name}: fs/" in said and "1 left out" in said
    return place / "lake"


@pytest.fixture(scope="session")
def server(place):
    with CountedStore(place / "ceph") as ceph:
        yield ceph


@pytest.fixture(scope="session")
def s3cmd(server, place):
    return S3cmd(server, place)


def upload(server, bucket, directory, state, code=0):
    return iotrc("upload", "--upload", f"s3://{bucket}/raw", "--keep-uploaded=yes", "--state", state, directory, code=code,
                 **server.environment())


class Stored:
    """A lake in the store: all sessions are uploaded by iotrc, and added by iotrc from where they were uploaded."""

    def __init__(self, fleet, server, s3cmd, place):
        self.bucket = s3cmd.make_bucket()
        self.url = f"s3://{self.bucket}/lake"
        raw, self.torn = f"s3://{self.bucket}/raw", fleet.torn[0]
        self.uploaded = upload(server, self.bucket, fleet.raw, place / "uploads", code=3)
        self.waiting = iotrc("lake", "sync", raw, self.url, **server.environment())
        # As a store that has damaged it: the uploader does not send its manifest.
        s3cmd("sync", f"{self.torn}/", f"{raw}/{self.torn.relative_to(fleet.raw)}/")
        self.synced = iotrc("lake", "sync", raw, self.url, code=1, **server.environment())
        # ClickHouse's name for it.
        self.collection = (f"CREATE NAMED COLLECTION iotrc_lake AS url = '{server.endpoint}/{self.bucket}/lake/', "
                           f"access_key_id = '{KEY}', secret_access_key = '{SECRET}'")
        # For Dask.
        self.environment = {"AWS_ENDPOINT_URL_S3": server.endpoint, "AWS_ENDPOINT_URL": server.endpoint, "AWS_ACCESS_KEY_ID": KEY,
                            "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="session")
def stored(fleet, server, s3cmd, place):
    return Stored(fleet, server, s3cmd, place)


@pytest.fixture
def bucket(s3cmd):
    return s3cmd.make_bucket()
