# SPDX-License-Identifier: GPL-2.0-or-later
"""Nothing here is skipped: without root, the tracer or the workloads it fails and says why. Only what
needs a kernel module that this kernel lacks (modules.need) is left to `make check-kernels`."""
import os
import pathlib
import subprocess
import tempfile

import pytest

import modules
import recorder


@pytest.fixture(scope="session", autouse=True)
def ground():
    assert os.geteuid() == 0, "the live tests record for real: run them as root"
    assert os.access(recorder.IOTRC, os.X_OK), "IOTRC names no program: run `make check-live`"
    assert os.path.isdir(recorder.WORKLOADS), "WORKLOADS names no directory: run `make check-live`"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.skipped and not call.excinfo.errisinstance(modules.Missing):
        report.outcome = "failed"
        report.longrepr = f"{item.name} skips: {call.excinfo.value}"


def remove(path):
    """Not shutil.rmtree(): it gives up on the thousands of levels that some tests make."""
    subprocess.run(["rm", "-rf", path], check=False)


@pytest.fixture(scope="module")
def module_path():
    """A directory for what the tests of a module share, gone afterwards."""
    path = tempfile.mkdtemp(prefix="iotrc-live-")
    os.chmod(path, 0o755)
    yield path
    remove(path)


@pytest.fixture
def tmp_path(module_path):
    """pytest's own keeps three runs of everything, which takes gigabytes here."""
    path = pathlib.Path(tempfile.mkdtemp(dir=module_path))
    os.chmod(path, 0o755)
    yield path
    remove(path)
