# SPDX-License-Identifier: GPL-2.0-or-later
"""At the full speed of one process, nothing is lost, and there are as many rows as the program says it made."""
import subprocess

import pytest
import recorder

SECONDS = 2


@pytest.mark.alone # at full speed
def test_a_read_loop_loses_nothing(tmp_path):
    data = tmp_path / "data"
    data.write_bytes(b"x" * 4096)
    with recorder.Recording(tmp_path, "--streams", "fs", "--rotate-rows", "1000000") as r:
        done = subprocess.run(
            [recorder.workload("readloop"), str(data), str(SECONDS)],
            capture_output=True, text=True, timeout=60,
        )
        assert done.returncode == 0, done.stderr
    assert r.session.lost() == {}
    rows = r.session.tally("fs", "operation", "filename", "bytes_completed")
    reads = {size: n for (operation, name, size), n in rows.items() if (operation, name) == ("read", str(data))}
    assert reads == {"4096": int(done.stdout)}
    assert not r.session.files("lost")
