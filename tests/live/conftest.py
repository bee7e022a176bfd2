# SPDX-License-Identifier: GPL-2.0-or-later
"""How the live tests run, and what they share. docs/testing.md describes the marks.

No test here is skipped for lack of root, the recorder or the workloads: it fails and says why. Only a test that needs a
kernel module which this kernel lacks (modules.need) is left to `make check-kernels`.
"""
import os
import pathlib
import subprocess
import tempfile

import pytest

import modules
import recorder


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: no other test runs at the same time")
    config.addinivalue_line("markers", "full_speed: only tests marked calm run at the same time")
    config.addinivalue_line("markers", "calm: may run beside a test marked full_speed")
    config.addinivalue_line("markers", "slow: starts before the others, so that nothing waits for it in the end")
    config.addinivalue_line("markers", "native: not on emulated machines")


def pytest_collection_modifyitems(items):
    if recorder.EMULATED:
        items[:] = [item for item in items if not item.get_closest_marker("native")]


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
    """Not shutil.rmtree(): it fails on the thousands of levels that some tests create."""
    subprocess.run(["rm", "-rf", path], check=False)


@pytest.fixture(scope="module")
def module_path():
    """A directory that the tests of a module share; it is removed at the end."""
    path = tempfile.mkdtemp(prefix="iotrc-live-")
    os.chmod(path, 0o755)
    yield path
    remove(path)


@pytest.fixture
def tmp_path(module_path):
    """pytest's own keeps the files of three runs, which takes gigabytes here."""
    path = pathlib.Path(tempfile.mkdtemp(dir=module_path))
    os.chmod(path, 0o755)
    yield path
    remove(path)


@pytest.fixture
def memory_path():
    """A directory in memory, for thousands of files: an ext4 without a journal passes over each inode that was deleted within
    the last minutes (recently_deleted() in fs/ext4/ialloc.c), so that in the end a new file takes half a millisecond, and
    one with `discard` waits for the disk when a directory goes."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="iotrc-live-", dir="/dev/shm"))
    os.chmod(path, 0o755)
    yield path
    remove(path)
