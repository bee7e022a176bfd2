# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets through io_uring: a program says what its rows must be, and in which order."""
import json
import subprocess

import pytest

import recorder

SETUPS = {"nw_conn": ("--streams", "nw_conn"), "fs too": ("--streams", "fs,nw_conn")}


@pytest.mark.parametrize("setup", SETUPS)
def test_rows_are_what_the_program_says(tmp_path, setup):
    with recorder.Recording(tmp_path, *SETUPS[setup]) as r:
        process = subprocess.Popen(
            [recorder.workload("uring_conn")], cwd=tmp_path, stdout=subprocess.PIPE, text=True
        )
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
    if out == "no io_uring\n":
        return
    rows = r.rows("nw_conn")
    rows = rows[rows["pid"] == str(process.pid)].to_dict("records")
    said = [json.loads(line) for line in out.splitlines()]
    reported = [{column: row[column] for column in s} for row, s in zip(rows, said)]
    for i, (mine, theirs) in enumerate(zip(reported, said)):
        if theirs["domain"] == "AF_UNIX": # a path may be recorded as it was given, or absolute
            for end in ("local_addr", "remote_addr"):
                if mine.get(end):
                    mine[end] = mine[end].rsplit("/", 1)[-1]
        assert mine == theirs, f"row {i}: {rows[i]}"
    assert len(rows) == len(said) > 50
    assert all(int(row["latency_ns"]) > 0 for row in rows)
    assert {row["tid"] for row in rows} == {str(process.pid)}
    assert r.session.lost() == {}
    # The end of a socket is reported once.
    if setup == "fs too":
        fs = r.rows("fs")
        mine = fs[(fs["pid"] == str(process.pid)) & (fs["operation"] == "close")]
        assert not mine["filename"].str.contains("socket").any()
