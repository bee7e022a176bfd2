# SPDX-License-Identifier: GPL-2.0-or-later
"""A session on a disk that is full for a while, in a directory that another user may write to: what that user puts in
the session's place stays unchanged."""
import subprocess
import time

import pytest
import recorder
from disks import RESUME, SETTLE, Disk, Numbered, record

NOBODY = 65534


def as_nobody(*command):
    subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *map(str, command)], check=True)


def files(tree):
    return sorted(p.relative_to(tree) for p in tree.rglob("*") if not p.is_dir())


@pytest.mark.slow
@pytest.mark.parametrize("planted", ["a directory of theirs", "a link to root's"])
def test_session_does_not_move_into_it(tmp_path, planted):
    disk = Disk(tmp_path, 24)
    theirs, numbered = disk.point / "theirs", Numbered(tmp_path)
    theirs.mkdir()
    subprocess.run(["chown", f"{NOBODY}:{NOBODY}", theirs], check=True)
    output, was, roots = theirs / "traces", theirs / "was", disk.point / "roots"
    try:
        with numbered, record(tmp_path, numbered, output, "--min-free", "off", code=None) as r:
            time.sleep(SETTLE)
            below = r.session_directory.relative_to(output)
            if planted == "a link to root's":
                (roots / below).mkdir(parents=True)
                as_nobody("ln", "-s", roots, theirs / "planted")
            else:
                as_nobody("mkdir", "-p", theirs / "planted" / below)
            disk.fill()
            time.sleep(SETTLE)
            as_nobody("mv", output, was)
            as_nobody("mv", "-T", theirs / "planted", output)
            time.sleep(SETTLE)
            disk.free()
            time.sleep(RESUME)
            into = roots if planted == "a link to root's" else output
            assert files(into) == [], "the session moved"
            as_nobody("mv", "-T", output, theirs / "planted")
            as_nobody("mv", was, output)
            time.sleep(RESUME)
        said = "belongs to somebody else: not used"
        assert (said in r.stderr) == (planted == "a directory of theirs"), r.stderr
        done = recorder.run("verify", str(r.session_directory))
        assert done.returncode == 0, done.stdout
    finally:
        subprocess.run(["umount", "-l", disk.point], check=False)
