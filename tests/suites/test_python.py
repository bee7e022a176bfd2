# SPDX-License-Identifier: GPL-2.0-or-later
"""The parts of CPython's own test suite (Debian's libpython3.11-testsuite) that are about files, under strace while
iotrc records: every row of fs is as strace says. These programs make calls that few programs make."""
import pathlib

import pytest

import fs_rows
import recorder
import strace_oracle

# Without those that run scripts (test_posix, test_zipfile): the row of such an exec names the interpreter, which strace
# does not show.
MODULES = ["test_stat", "test_glob", "test_mmap", "test_fcntl", "test_tempfile", "test_shutil", "test_fileio",
           "test_largefile", "test_pathlib", "test_dbm", "test_tarfile"]


@pytest.mark.parametrize("module", MODULES)
def test_rows_equal_strace(tmp_path, module):
    cwd = pathlib.Path(tmp_path) / "cwd"
    cwd.mkdir()
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(cwd), "LC_ALL": "C.UTF-8", "TMPDIR": str(cwd)}
    with recorder.Recording(tmp_path, "--streams", "fs", "--scope", "all", *recorder.OWN) as r:
        # Some write gigabytes.
        oracle = strace_oracle.run(["/usr/bin/python3", "-B", "-m", "test", module], cwd, tmp_path / "strace",
                                   scope_all=True, env=env, seconds=900)
    assert "OK" in oracle.stdout or "SUCCESS" in oracle.stdout, oracle.stdout + oracle.stderr
    assert r.session.lost() == {}
    found = fs_rows.compare(oracle, fs_rows.of(oracle, r.rows("fs")))
    assert not found, "\n" + "\n".join(found)
