# SPDX-License-Identifier: GPL-2.0-or-later
"""A thread of iotrc that makes no progress is noticed, and what happens meanwhile is kept or counted."""
import os

import ptrace
import pytest
import recorder

STUCK = 10 # WATCHDOG_NS


@pytest.mark.slow
@pytest.mark.parametrize("thread, what, stalls", [
    ("iotrc-reader", "the rings have not been read", {"reader": 1, "disk": 0}),
    ("iotrc-writer", "the disk has not taken rows", {"reader": 0, "disk": 1}),
])
def test_a_thread_that_stands_still_is_noticed(tmp_path, thread, what, stalls):
    name = str(tmp_path / "still")
    # Only events of this test: those of a busy machine would overflow the rings within seconds.
    with recorder.Recording(tmp_path, "--streams", "fs", "--pid", str(os.getpid())) as r:
        with ptrace.held(r.process.pid, thread):
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
            r.wait_logged(f"iotrc: {what} for {STUCK} s: ", STUCK * 4)
        r.wait_logged(f"iotrc: no longer: {what}\n", STUCK * 2)
    assert r.manifest["diagnostics"]["stalls"] == stalls
    assert r.stderr.count(what) == 2
    # Nothing had to be lost: ring and queue have room for all of it.
    rows = r.rows("fs")
    assert list(rows[rows["filename"] == name]["operation"]) == ["open", "close"]
