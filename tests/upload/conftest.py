# SPDX-License-Identifier: GPL-2.0-or-later
"""Real servers, each started once and on loopback. No test here is skipped: what is missing is installed by `make
check-upload`, or the test fails and says why."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

from ceph import Ceph, S3cmd

PROGRAMS = "IOTRC", "UPLOAD_PUT"


@pytest.fixture(scope="session", autouse=True)
def ground():
    for name in PROGRAMS:
        assert os.access(os.environ.get(name, ""), os.X_OK), f"{name} names no program: run `make check-upload`"
    # Each test sets its own environment.
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy") or name == "SSL_CERT_FILE":
            del os.environ[name]


@pytest.fixture(scope="session")
def session_path():
    path = pathlib.Path(tempfile.mkdtemp(prefix="iotrc-upload-"))
    path.chmod(0o755)
    yield path
    subprocess.run(["rm", "-rf", path], check=False)


def end_ours():
    """Ends what a failed test has left running: programs of ours that this process has started."""
    programs = {os.path.realpath(os.environ[name]) for name in PROGRAMS}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError): # it has ended
            if int(stat.read_text().rpartition(")")[2].split()[1]) == os.getpid() and \
               os.readlink(stat.parent / "exe") in programs:
                os.kill(int(stat.parent.name), signal.SIGKILL)
                os.waitpid(int(stat.parent.name), 0)


@pytest.fixture
def tmp_path(session_path):
    """pytest's own keeps the files of three runs."""
    path = pathlib.Path(tempfile.mkdtemp(dir=session_path))
    path.chmod(0o755)
    yield path
    end_ours()
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def ceph(session_path):
    with Ceph(session_path / "ceph") as server:
        yield server


@pytest.fixture(scope="session")
def s3cmd(ceph, session_path):
    return S3cmd(ceph, session_path)


@pytest.fixture
def bucket(s3cmd):
    return s3cmd.make_bucket()
