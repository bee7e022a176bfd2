# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's own accounting of a process, and iotrc's of itself."""
import subprocess

import pytest
import recorder

# Under emulation, the names alone are two thirds of 1 %.
FILES, ROUNDS = 1000, 150 if recorder.EMULATED else 200


def test_rows_add_up_to_proc_pid_io(tmp_path):
    """syscr, syscw, rchar and wchar of /proc/PID/io, threads and children included, equal the sums over the rows if all
    kinds of files are in scope."""
    with recorder.Recording(tmp_path, "--streams", "fs", "--scope", "all", *recorder.OWN_OR_ALL) as r:
        done = subprocess.run(
            [recorder.workload("procio")], cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
    assert done.returncode == 0, done.stderr
    counted = {k: int(v) for k, v in (line.split(": ") for line in done.stdout.splitlines())}
    rows = r.rows("fs")
    own = rows[rows["command"].str.startswith("procio")]
    # From the first reading of the counters (which counts from there on) to the second (which
    # does not count itself).
    looks = own[(own["operation"] == "read") & own["filename"].str.fullmatch(r"/proc/\d+/io")].index
    assert len(looks) == 2
    own = own[(own.index >= looks[0]) & (own.index < looks[1]) & (own["errno"] == "")]
    both = own["operation"].isin(["sendfile", "copy_file_range"]) # both read and write
    reads = own[(own["operation"] == "read") | both]
    writes = own[(own["operation"] == "write") | both]
    assert {
        "rchar": reads["bytes_completed"].astype(int).sum(),
        "wchar": writes["bytes_completed"].astype(int).sum(),
        "syscr": len(reads),
        "syscw": len(writes),
    } == counted


@pytest.mark.alone # hundreds of thousands of opens at full speed
def test_strings_travel_once(tmp_path):
    """The same thousand files are opened hundreds of times: their names are sent once, not with each open, and no row lacks
    a name."""
    with recorder.Recording(
        tmp_path, "--streams", "fs", "--ops", "open", "--command", "manyfiles"
    ) as r:
        done = subprocess.run(
            [recorder.workload("manyfiles"), str(FILES), str(ROUNDS)], cwd=tmp_path, timeout=120
        )
    assert done.returncode == 0
    assert r.session.lost() == {}
    rows = r.session.tally("fs", "command", "filename")
    opens = sum(n for (command, _), n in rows.items() if command == "manyfiles")
    named = sum(n for (command, name), n in rows.items() if command == "manyfiles" and name.startswith(f"{tmp_path}/dir"))
    assert named == FILES * ROUNDS
    assert opens - named < 20 # the start of the program
    definitions = r.manifest["diagnostics"]["definitions"]
    assert 0 < sum(definitions.values()) < opens / 100, definitions
