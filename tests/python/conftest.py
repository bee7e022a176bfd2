# SPDX-License-Identifier: GPL-2.0-or-later
"""The loader is tested with sessions written by hand (craft.py), with the columns of a real one: TEMPLATE is its
manifest.json, recorded here if the environment names none."""
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import types

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "python"))

import craft # noqa: E402

IOTRC = os.environ.get("IOTRC", "")
# Packages that this machine's release lacks: pandas 2, pyarrow.
SID = ["python3-pandas", "python3-pytest", "python3-zstandard", "zstd", "+python3-pyarrow"]
# Mounts an overlay of this test's own over a Debian, and runs a command in it; everything is removed afterwards.
INSIDE = """
set -e
root=$1 top=$2 shared=$3
shift 3
mount -t tmpfs none /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay none -o lowerdir="$root",upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
mkdir -p /mnt/root/top /mnt/root/shared
mount --bind "$top" /mnt/root/top
mount --bind "$shared" /mnt/root/shared
mount -t proc none /mnt/root/proc
chroot /mnt/root "$@"
"""


def in_sid(shared, *command):
    """The finished COMMAND in a Debian sid with the packages above; SHARED is its /shared, the checkout its /top."""
    root = subprocess.run([TOP / "scripts/vm/fetch-debian.sh", "sid", *SID], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()
    return subprocess.run(["unshare", "-m", "sh", "-c", INSIDE, "sh", root, TOP, shared, *command],
                          capture_output=True, text=True, check=False)


@contextlib.contextmanager
def recording(output, *args, codes=(0,)):
    """Records into OUTPUT while the block runs. Yields an object with the session's directory (session) and, after the
    block, what the recorder wrote to stderr (said). CODES: allowed exit codes of the recorder."""
    recorder = subprocess.Popen([IOTRC, "-o", output, "--no-snapshots", *args], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
    recorded = types.SimpleNamespace(session=recorder.stdout.readline().strip())
    try:
        yield recorded
    finally:
        recorder.send_signal(signal.SIGINT)
        _, recorded.said = recorder.communicate(timeout=60)
    assert recorder.returncode in codes, recorded.said


def record_script(output, script):
    """A session of SCRIPT, whose argument is a directory of its own, with everything done to the files there."""
    place = output / "work"
    place.mkdir()
    with recording(output / "out", "--streams", "fs,block", "--path", place) as recorded:
        subprocess.run(["sh", "-c", script, "sh", place], check=True)
    return recorded.session


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
    """Does `iotrc verify` call a directory sound?"""
    def run(directory):
        return subprocess.run([IOTRC, "verify", directory], capture_output=True, check=False).returncode == 0
    return run
