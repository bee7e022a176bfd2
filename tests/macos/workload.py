#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""workload.py run DIR: opens, writes, reads, renames and removes files in DIR, and prints what it did, as JSON.
workload.py compare EXPECTED LINES: whether each of it is in LINES, which dtrace wrote with dtrace/vfs.d.
workload.py rows EXPECTED CSV: whether each of it is in the rows of fs, which iotrc wrote. For Macs, where nothing else has to
be there (.github/workflows/macos.yml)."""
import csv
import json
import os
import re
import sys

SIZES = [1, 7, 4096]


def run(directory):
    os.makedirs(directory, exist_ok=True)
    directory, did = os.path.realpath(directory), []
    for size in SIZES:
        path = f"{directory}/worked-{size} \u30b9"
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        did.append(["open", path, fd])
        did.append(["write", None, os.write(fd, b"x" * size)])
        os.lseek(fd, 0, os.SEEK_SET)
        did.append(["read", None, len(os.read(fd, size))])
        os.close(fd)
        did.append(["close", None, 0])
        os.rename(path, path + "-new")
        did.append(["rename", path, 0])
        os.unlink(path + "-new")
        did.append(["unlink", path + "-new", 0])
    print(json.dumps({"pid": os.getpid(), "did": did}))


def escaped(path):
    """As DTrace's %S shows it."""
    return "".join(chr(b) if 0x20 <= b <= 0x7e else f"\\{b:03o}" for b in os.fsencode(path))


def compare(expected, lines):
    with open(expected, encoding="utf-8") as f:
        said = json.load(f)
    with open(lines, encoding="latin-1") as f:
        found = [line.split(" ") for line in f if len(line.split(" ")) > 7 and line.split(" ")[2] == str(said["pid"])]
    return judge(said["did"], found, lambda line, name, path, result: line[0] == name and line[6] == str(result) and
                 (not path or escaped(path) in " ".join(line)))


def unescaped(field):
    """A path of a row, where bytes that are not printable are \\xHH (docs/format.md)."""
    raw = re.sub(rb"\\(x[0-9A-Fa-f]{2}|\\)", lambda m: b"\\" if m[1] == b"\\" else bytes([int(m[1][1:], 16)]), field.encode())
    return os.fsdecode(raw)


def rows(expected, table):
    with open(expected, encoding="utf-8") as f:
        said = json.load(f)
    with open(table, encoding="utf-8", newline="") as f:
        found = [row for row in csv.DictReader(f) if row["pid"] == str(said["pid"])]
    return judge(said["did"], found, lambda row, name, path, result: row["operation"] == name and
                 row["return_value"] == str(result) and (not path or unescaped(row["filename"]).split(" -> ")[0] == path))


def judge(did, found, fits):
    """Whether FOUND has everything that was done, in that order."""
    at, missing = 0, 0
    for what in did:
        while at < len(found) and not fits(found[at], *what):
            at += 1
        if at >= len(found):
            print("missing:", *what)
            missing, at = missing + 1, -1
        at += 1
    print(f"{len(did) - missing} passed, {missing} failed")
    return bool(missing) or not did


if __name__ == "__main__":
    sys.exit(run(sys.argv[2]) if sys.argv[1] == "run" else {"compare": compare, "rows": rows}[sys.argv[1]](*sys.argv[2:]))
