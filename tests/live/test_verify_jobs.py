# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc verify -j`: its output about a session of many files is that of one thread, whether the session is sound or
not."""
import pathlib
import subprocess
import sys

import pytest

import recorder

pytestmark = pytest.mark.calm

READ = "import os\nfd = os.open('/proc/self/exe', os.O_RDONLY)\nfor i in range(20000): os.pread(fd, i % 7, i)\n"


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    with recorder.Recording(tmp_path_factory.mktemp("jobs"), "--streams", "fs", "--command", "reads", "--rotate-rows", "500") as r:
        subprocess.run([sys.executable, "-c", "open('/proc/self/comm', 'w').write('reads')\n" + READ], check=True)
    return pathlib.Path(r.session_directory)


def said(session, *options):
    done = recorder.run("verify", *options, str(session))
    return done.returncode, done.stdout, done.stderr


def test_sound(session):
    code, text, errors = said(session)
    assert code == 0 and text.endswith(": sound\n") and int(text.split(": ")[1].split()[0]) >= 8, text + errors
    for jobs in "2", "3", "64":
        assert said(session, "-j", jobs) == (code, text, errors)


def test_faults(session, tmp_path):
    """A file is missing, one is cut short, and two have a changed byte."""
    copied = tmp_path / "copy"
    subprocess.run(["cp", "-a", session, copied], check=True)
    files = sorted((copied / "fs").iterdir())
    files[0].unlink()
    files[2].write_bytes(files[2].read_bytes()[:-20])
    for file in files[3], files[5]:
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    code, text, errors = said(copied)
    assert code == 1 and all(f"{f.parent.name}/{f.name}: " in text for f in (files[0], files[2], files[3], files[5])), text
    for jobs in "2", "3", "64":
        assert said(copied, "--jobs", jobs) == (code, text, errors)


@pytest.mark.parametrize("jobs", ["0", "65", "x", "-1", ""])
def test_wrong_number(session, jobs):
    code, text, errors = said(session, f"--jobs={jobs}")
    assert (code, text) == (2, "") and f"--jobs: '{jobs}' is not 1 to 64" in errors
