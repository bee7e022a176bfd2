# SPDX-License-Identifier: GPL-2.0-or-later
"""Bursts of names that are new, after a time in which nothing happened: their definitions fill the ring in less time than
the reader waits when it is idle. The program says which files it has opened."""
import collections
import os
import subprocess

import pytest

import recorder

# A little more than the four MiB of definitions that the ring holds, in half of the time that an idle reader waits. Not
# much more: where the memory of a virtual machine has to be found first, a reader takes 0.1 ms for each of these names.
BURSTS, FILES, LEVELS = 4, 1110, 15
OPENS = f"""
import os, sys, time
os.chdir(sys.argv[1])
for i in range({LEVELS}):
    os.mkdir("d" * 250)
    os.chdir("d" * 250)
names = [[f"{{burst}}-{{i}}" for i in range({FILES})] for burst in range({BURSTS})]
for name in sum(names, []):
    os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
print(flush=True)
sys.stdin.readline()
for some in names:
    time.sleep(0.5)
    for name in some:
        os.close(os.open(name, os.O_RDONLY))
"""


@pytest.mark.alone
def test_bursts_of_new_names(tmp_path):
    process = subprocess.Popen(["/usr/bin/python3", "-c", OPENS, tmp_path], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "\n"
    with recorder.Recording(tmp_path, "--streams", "fs", "--ops", "open", *recorder.OWN_OR_ALL) as r:
        process.communicate("\n")
        assert process.returncode == 0
    assert r.session.lost() == {}
    directory = "/".join([str(tmp_path), *["d" * 250] * LEVELS])
    rows = r.rows("fs")
    rows = rows[rows["pid"].eq(str(process.pid)) & rows["filename"].str.startswith(directory)]
    opened = collections.Counter(os.path.relpath(name, directory) for name in rows["filename"])
    assert opened == {f"{burst}-{i}": 1 for burst in range(BURSTS) for i in range(FILES)}
