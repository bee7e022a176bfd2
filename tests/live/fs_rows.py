# SPDX-License-Identifier: GPL-2.0-or-later
"""Converts rows of iotrc's file to the oracle's form, and compares the two."""
import dataclasses
import difflib
import itertools

import recorder
from strace_oracle import OPERATIONS, TWO_PATHS, Row

COLUMNS = ["size", "offset", "bytes_completed", "return_value", "errno"]
COMPARED = ["operation", "filename", *COLUMNS, "flags", "address", "mmap_prot", "mmap_flags"]
# What the flags column says about the file itself, which the oracle does not track.
OF_THE_FILE = {"DELETED", "PATH_CUT", "LAST_LINK"}
# Words for rows that are not of a system call.
ASYNCHRONOUS = {"IO_URING", "AIO"}


def to_path(row):
    """The path bytes of a row of the file; two paths if it is `old -> new`."""
    field, operation = row["filename"], row["operation"]
    if operation in TWO_PATHS and " -> " in field:
        return tuple(recorder.unescape(part) for part in field.split(" -> "))
    return recorder.unescape(field)


def to_flags(row):
    words = set(filter(None, row["flags"].split("|"))) - OF_THE_FILE
    words = {w for w in words if not w.startswith("replaced=")}
    if row["operation"] != "open":
        words = {w for w in words if not w.startswith("O_")}
    return "|".join(sorted(words)) if row["operation"] != "process_exit" else ""


def to_row(row):
    memory = [row["address"]]
    memory += ["|".join(sorted(row[column].split("|"))) for column in ("mmap_prot", "mmap_flags")]
    return Row(
        row["operation"], to_path(row), *(row[column] for column in COLUMNS), to_flags(row),
        " ".join(memory).strip(),
    )


def to_rows(frame):
    return [to_row(dict(zip(COMPARED, values))) for values in zip(*(frame[column] for column in COMPARED))]


def fill(expected, actual):
    """EXPECTED, with the values that strace does not show taken from ACTUAL, if both have the same number of rows."""
    if len(expected) != len(actual):
        return expected
    return [
        dataclasses.replace(e, **{k: getattr(a, k) for k, v in vars(e).items() if v is None})
        for e, a in zip(expected, actual)
    ]


def differences(name, expected, actual):
    """A readable diff, or nothing when the rows are equal."""
    expected = fill(expected, actual)
    if expected == actual:
        return []
    lines = [f"== {name}: {len(expected)} rows by strace (-), {len(actual)} by iotrc (+)"]
    # Not unified_diff(): it treats what repeats as noise, and here everything repeats.
    matcher = difflib.SequenceMatcher(None, list(map(str, expected)), list(map(str, actual)), False)
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            lines += [f"  {row}" for row in expected[max(i, j - 2) : j]]
            continue
        # A changed row next to what it changed into.
        pairs = itertools.zip_longest(expected[i:j], actual[k:m])
        lines += [f"{c}{row}" for pair in pairs for c, row in zip("-+", pair) if row is not None]
    return lines[:80]


def asynchronous(flags):
    return bool(ASYNCHRONOUS & set(flags.split("|")))


def reported_rows(oracle, rows):
    """Compares rows of operations other than system calls with those that the program printed, in any order: they
    complete in any order."""
    key = lambda row: (row.operation, str(row))
    return differences(
        f"told by process {oracle.root}",
        sorted((row for row in oracle.reported if asynchronous(row.flags)), key=key),
        sorted(to_rows(rows), key=key),
    )


def interleave(oracle, actual):
    """Inserts the rows of calls that strace does not know into those that it knows, in the order of ACTUAL."""
    reported = [row for row in oracle.reported if not asynchronous(row.flags)]
    if not reported:
        return
    known, oracle.rows[oracle.root] = oracle.rows[oracle.root], []
    for row in actual:
        strange = reported and fill(reported[:1], [row]) == [row]
        source = reported if strange and not (known and fill(known[:1], [row]) == [row]) else known
        if source:
            oracle.rows[oracle.root].append(source.pop(0))
    oracle.rows[oracle.root] += known + reported


def compare(oracle, rows):
    exits = rows[rows["operation"] == "process_exit"]
    others = rows[rows["operation"] != "process_exit"]
    reported = others["flags"].map(asynchronous)
    by_tid = {
        int(tid): to_rows(group)
        for tid, group in others[~reported].groupby("tid", sort=False)
    }
    found = reported_rows(oracle, others[reported])
    interleave(oracle, by_tid.get(oracle.root, []))
    for tid in sorted({*oracle.rows, *by_tid}):
        found += differences(f"thread {tid}", oracle.rows.get(tid, []), by_tid.get(tid, []))
    # The kernel decides which thread's row reports the end of a process.
    by_pid = {}
    for pid, row in zip(exits["pid"], to_rows(exits)):
        by_pid.setdefault(int(pid), []).append(row)
    for pid in sorted({*oracle.exits, *by_pid}):
        expected = [oracle.exits[pid]] if pid in oracle.exits else []
        found += differences(f"end of process {pid}", expected, by_pid.get(pid, []))
    return found


def of(oracle, rows):
    """The rows of a program's processes, without what strace did in one of them before it executed the program."""
    pids = {str(pid) for pid in oracle.pids}
    rows = rows[rows["pid"].isin(pids) & rows["operation"].isin(OPERATIONS)]
    first = rows[(rows["pid"] == str(oracle.root)) & (rows["operation"] == "process_exec")
                 & (rows["errno"] == "")]
    assert len(first), "the program's start is not recorded"
    early = rows[(rows["pid"] == str(oracle.root)) & (rows.index < first.index[0])]
    assert set(early["command"]) <= {"strace"}, "rows before the program's start"
    return rows.drop(early.index)
