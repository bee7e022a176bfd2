# SPDX-License-Identifier: GPL-2.0-or-later
"""The loader is tested with sessions written by hand (craft.py), with the columns of a real one: TEMPLATE is its
manifest.json, recorded here if the environment names none."""
import os
import pathlib
import subprocess
import sys

import pytest

from record import IOTRC, TOP

sys.path.insert(0, str(TOP / "python"))

import craft # noqa: E402


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """The manifest.json of a session without rows."""
    if os.environ.get("TEMPLATE"):
        return pathlib.Path(os.environ["TEMPLATE"])
    output = tmp_path_factory.mktemp("template")
    done = subprocess.run([IOTRC, "-o", output, "--no-snapshots", "--streams", "nw_drop", "-d", "200ms"],
                          capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode in (0, 3), done.stderr
    return pathlib.Path(done.stdout.strip()) / "manifest.json"


@pytest.fixture(scope="session")
def special(tmp_path_factory, template):
    """The directory of craft.special()."""
    return craft.special(tmp_path_factory.mktemp("special"), template).write()


@pytest.fixture
def session(tmp_path, template):
    """A directory for a crafted session."""
    return craft.Session(tmp_path, template)


@pytest.fixture
def verify():
    """Whether `iotrc verify` finds a directory sound."""
    def run(directory):
        return subprocess.run([IOTRC, "verify", directory], capture_output=True, check=False).returncode == 0
    return run
