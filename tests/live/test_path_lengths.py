# SPDX-License-Identifier: GPL-2.0-or-later
"""Paths of each length at which they are read differently (bpf/call_paths.h), in any order. Python knows the names."""
import os
import random

import recorder

LENGTHS = [1, 2, 7, 8, *range(40, 58), 94, 95, 96, *range(250, 262), 300]
PART = 200 # a name has at most 255 bytes


def name(length, letter):
    return letter * length if length <= PART else letter * PART + "/" + letter * (length - PART - 1)


def missing(call, *args):
    try:
        call(*args)
    except FileNotFoundError:
        return
    raise AssertionError(f"{args} exists")


def test_paths_of_any_length_are_recorded_whole(tmp_path):
    order = LENGTHS + random.Random(1).sample(3 * LENGTHS, 3 * len(LENGTHS))
    wanted = []
    with recorder.Recording(tmp_path, "--streams", "fs", "--ops", "getattr,open,rename", *recorder.OWN_OR_ALL) as r:
        home = os.getcwd()
        os.chdir(tmp_path)
        try:
            for length, other in zip(order, reversed(order)):
                path, target = name(length, "p"), name(other, "q")
                missing(os.stat, path)
                missing(os.open, path, os.O_RDONLY)
                missing(os.rename, path, target)
                wanted += [("getattr", f"{tmp_path}/{path}"), ("open", f"{tmp_path}/{path}"),
                           ("rename", f"{tmp_path}/{path} -> {tmp_path}/{target}")]
        finally:
            os.chdir(home)
    rows = r.rows("fs")
    rows = rows[(rows["errno"] == "ENOENT") & (rows["pid"] == str(os.getpid())) & rows["filename"].str.startswith(f"{tmp_path}/p")]
    assert list(zip(rows["operation"], rows["filename"])) == wanted
