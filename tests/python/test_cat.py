# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc cat`: a condition keeps the same rows that pandas keeps."""
import io
import json
import subprocess

import pandas as pd
import pytest

import craft
import iotrc
import record


def cat(*args, code=0):
    done = subprocess.run([record.IOTRC, "cat", *args], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done


def read(text):
    return pd.read_csv(io.StringIO(text), dtype=str, na_values=[""], keep_default_na=False)


CONDITIONS = [
    ("operation == 'read' and bytes_completed > 3", None),
    ("operation = 'truncate' or inode >= 9223372036854775810",
     "operation == 'truncate' or inode >= 9223372036854775810"),
    ("inode == 18446744073709551615", None),
    ("size < 0", None),
    ("offset <= -9223372036854775808", None),
    ("offset > 9007199254740993", None),
    ("size != 4096", None),
    ("operation in ('mmap', \"close\")", None),
    ("pid in (1, 7) and not (operation == 'close')", None),
    ("mono_ns >= 1000000000004 and mono_ns < 1000000000007", None),
    ("filename like '/%'", "filename.str.startswith('/')"),
    ("filename like '%_'", "filename.notna()"),
    ("filename like '/N_'", "filename == '/NA'"),
    ("filename like '%->%/c'", "filename.str.endswith('/c')"),
    ("errno == 'EINVAL'", None),
]


@pytest.mark.parametrize("condition, in_pandas", CONDITIONS)
def test_a_condition_keeps_what_pandas_keeps(special, condition, in_pandas):
    expected = iotrc.load(special, "fs", where=in_pandas or condition)
    found = read(cat("fs", special, "--where", condition).stdout)
    assert list(found.mono_ns.astype("uint64")) == sorted(expected.mono_ns)
    assert sorted(found.operation) == sorted(expected.operation)
    assert 0 < len(found) < 13


@pytest.mark.parametrize("condition, rows", [
    ("latency_ms > 0.1", 2), ("latency_ms == 0.100001", 1), ("latency_ms >= 123456789.000004", 0),
    ("latency_ms < 1", 1)])
def test_fractions_are_compared_as_numbers(special, condition, rows):
    assert len(read(cat("block", special, "-w", condition).stdout)) == rows


def test_columns_are_those_requested(special):
    found = read(cat("fs", special, "--columns", "inode,operation,mono_ns").stdout)
    assert list(found.columns) == ["inode", "operation", "mono_ns"]
    assert list(found.inode.dropna()) == [str(i) for i in craft.INODES]


def test_several_streams_are_json_lines(special):
    lines = [json.loads(line) for line in cat("fs", "block", special, "-c", "operation,device").stdout.splitlines()]
    assert len(lines) == 13 + 2
    assert {"machine": "0123456789ABCDEF", "stream": "block", "operation": "read", "device": "8:17"} in lines
    everything = [json.loads(line) for line in cat(special).stdout.splitlines()]
    assert {line["stream"] for line in everything} == {"fs", "block", "cache", "filesystem_snapshot"}
    # A column that a stream hasn't is empty in its rows.
    only = [json.loads(line) for line in cat(special, "-w", "device_id > 0").stdout.splitlines()]
    assert [line["stream"] for line in only] == ["cache"]


@pytest.mark.parametrize("condition, why", [
    ("sise > 1", "no column at 'sise > 1'"), ("size", "no comparison"), ("size >", "a number or"), ("(size > 1", "no )"),
    ("size > 1 size < 2", "'and' or 'or' expected"), ("filename == 'x", "a number or 'text' expected"), ("", "no column"),
    ("size in ()", "a number or"), ("(" * 100 + "size > 1" + ")" * 100, "too deep"),
    (" or ".join(["size > 1"] * 1000), "too long"), ("sector > 1", "no column"),
])
def test_what_is_no_condition_is_refused(special, condition, why):
    assert why in cat("fs", special, "--where", condition, code=2).stderr


def test_a_session_is_needed(special):
    assert "a SESSION is needed" in cat("fs", code=2).stderr
    assert "no column 'sise'" in cat("fs", special, "-c", "size,sise", code=2).stderr
    assert "nowhere: " in cat("nowhere", code=1).stderr
