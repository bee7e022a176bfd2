# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel AIO whose results are never reaped, that is refused, submitted again, appends or has no offset: the program says
what the rows must be."""
import collections
import os
import subprocess

import recorder

NAMES = {"-": "", "pipe": "pipe"}


def test_each_request_is_a_row(tmp_path):
    with recorder.Recording(tmp_path, "--streams", "fs", "--scope", "all", "--ops", "read,write,unknown",
                            *recorder.OWN_OR_ALL) as r:
        done = subprocess.run(
            [recorder.workload("aio_end")], cwd=tmp_path, stdout=subprocess.PIPE, text=True, timeout=60
        )
        assert done.returncode == 0
    said = [line.split() for line in done.stdout.splitlines()]
    assert len(said) == 4 * 2 + 7 + 6 + 2 * 300
    rows = r.rows("fs")
    rows = rows[rows["pid"].isin({line[0] for line in said}) & rows["flags"].str.contains("AIO")]
    name = rows["filename"].map(os.path.basename).str.replace(r":\[\d+\]", "", regex=True)
    mine = zip(rows["pid"], rows["operation"], name, rows["size"], rows["offset"], rows["return_value"])
    wanted = [
        (pid, op, NAMES.get(name, name), *("" if value == "-" else value for value in rest))
        for pid, op, name, *rest in said
    ]
    assert collections.Counter(mine) == collections.Counter(wanted)
    assert set(rows[rows["operation"] == "unknown"]["flags"]) == {"opcode=99|AIO"}
    assert set(rows[rows["return_value"] == ""]["flags"].str.split("|").str[-1]) == {"RESULT_UNKNOWN"}
    assert r.session.lost() == {}
