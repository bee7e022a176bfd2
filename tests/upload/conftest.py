# SPDX-License-Identifier: GPL-2.0-only
"""Real servers, each started once and on loopback. Nothing here is skipped: what isn't there is
installed by `make check-upload`, or it fails and says why."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import uuid

import pytest

from ceph import Ceph, S3cmd


@pytest.fixture(scope="session", autouse=True)
def ground():
    for name in "IOTRC", "UPLOAD_PUT":
        assert os.access(os.environ.get(name, ""), os.X_OK), f"{name} names no program: run `make check-upload`"
    # The tests say themselves what the environment has.
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy") or name == "SSL_CERT_FILE":
            del os.environ[name]


@pytest.fixture(scope="session")
def session_path():
    path = pathlib.Path(tempfile.mkdtemp(prefix="iotrc-upload-"))
    path.chmod(0o755)
    yield path
    subprocess.run(["rm", "-rf", path], check=False)


@pytest.fixture
def tmp_path(session_path):
    """pytest's own keeps three runs of everything."""
    path = pathlib.Path(tempfile.mkdtemp(dir=session_path))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def ceph(session_path):
    (session_path / "ceph").mkdir()
    server = Ceph(session_path / "ceph")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def s3cmd(ceph, session_path):
    return S3cmd(ceph, session_path)


@pytest.fixture
def bucket(s3cmd):
    name = f"b{uuid.uuid4()}"
    s3cmd("mb", f"s3://{name}")
    return name
