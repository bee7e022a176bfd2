# SPDX-License-Identifier: GPL-2.0-or-later
"""Mounts made by fsopen() and open_tree(): a program says the row of each call."""
import os
import subprocess

import pandas as pd

import recorder
from strace_oracle import inside


def filesystem(path):
    return subprocess.run(
        ["findmnt", "-nro", "FSTYPE", "--target", path], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_each_step_is_a_row(tmp_path):
    cwd = os.path.realpath(tmp_path / "cwd")
    os.mkdir(cwd)
    with recorder.Recording(tmp_path, "--streams", "fs", *recorder.OWN_OR_ALL) as r:
        done = subprocess.run(
            [recorder.workload("newmount"), filesystem(cwd)], cwd=cwd, capture_output=True, text=True, check=True
        )
    rows = r.rows("fs")
    rows = rows[rows["command"] == "newmount"]
    mounts = rows[(rows["operation"] == "mount") & ~rows["flags"].str.contains("MS_PRIVATE")]
    wanted = []
    for line in done.stdout.splitlines()[1:]:
        result, name, flags, fs_type = line.split("\t")
        name = name.replace("(detached)@/tree", "(detached)" + inside(f"{cwd}/tree".encode()).decode())
        wanted.append([result, name.replace("@", cwd), flags, fs_type])
    found = mounts[["return_value", "filename", "flags", "fs_type"]].values.tolist()
    assert found == wanted
    # A file made in a detached copy is named by its place in the filesystem, and has its inode.
    copied = rows[(rows["operation"] == "open") & rows["filename"].str.startswith("(detached)/")
                  & ~rows["filename"].str.endswith("/passing")]
    names = copied["filename"].tolist()
    assert names == ["(detached)/inside", "(detached)" + inside(f"{cwd}/tree/inside".encode()).decode()]
    assert copied["inode"].iloc[1] == str(os.stat(f"{cwd}/tree/inside").st_ino)
    # Calls on paths relative to it are in the copy, too, and those relative to the directory itself are not.
    passing = rows[rows["filename"].str.endswith("/passing")][["operation", "filename"]].values.tolist()
    path = f"{cwd}/tree/passing"
    detached = "(detached)" + inside(path.encode()).decode()
    assert passing == [[operation, name] for name in (path, detached, path) for operation in ("open", "close", "unlink")]
    # A filesystem has its device from its creation on.
    made = mounts[mounts["flags"].str.contains("CMD_CREATE|FSMOUNT") & (mounts["fs_type"] == "tmpfs")]
    assert made["device"].nunique() == 1 and "" not in set(made["device"])
    text = pd.concat([rows[c] for c in ("filename", "flags")]).str.cat()
    assert "secret" not in text, "the value of an option may be one"


STACKED = """
import os, subprocess, sys
os.chdir(sys.argv[1])
os.mkdir("over")
for _ in range(2):
    subprocess.run(["mount", "-t", "tmpfs", "none", os.path.abspath("over")], check=True)
for name in "over/inside", "over/../outside", "over/./../over/inside":
    open(name, "a").close()
    found = os.stat(name)
    assert os.access(name, os.R_OK)
    print(os.path.normpath(name), found.st_ino, f"{os.major(found.st_dev)}:{os.minor(found.st_dev)}")
"""


def test_mounts_on_one_another(tmp_path):
    """A path leads through both, in and out."""
    with recorder.Recording(tmp_path, "--streams", "fs", *recorder.OWN_OR_ALL) as r:
        done = subprocess.run(["unshare", "--mount", "/usr/bin/python3", "-c", STACKED, tmp_path], capture_output=True,
                              text=True, check=True)
    rows = r.rows("fs")
    for operation in "access", "getattr":
        said = [line.split() for line in done.stdout.splitlines()]
        some = rows[rows["operation"].eq(operation) & rows["filename"].isin([f"{tmp_path}/{name}" for name, *_ in said])]
        some = some[some["flags"].ne("AT_EMPTY_PATH")] # what Python asks of what it opens
        found = some[["filename", "inode", "device"]].values.tolist()
        assert found == [[f"{tmp_path}/{name}", *place] for name, *place in said], operation
