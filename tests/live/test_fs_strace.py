# SPDX-License-Identifier: GPL-2.0-only
"""Each workload runs under strace while iotrc records: every row is what strace says, none more."""
import dataclasses
import difflib
import itertools
import os
import pathlib

import pytest

import recorder
import strace_oracle
from strace_oracle import OPERATIONS, TWO_PATHS, Row

# Programs that need nothing but themselves.
WORKLOADS = """
    rw openclose namespace stat mapping process loop32
    access advice clone closerange copyrange handle links lock memory mount opath roots rwf sendfile
    setattr splice sync tmpfile xattr
    bind compat deep inherit moves newcalls oddnames overlay race reuse
    aio uring_fs uring_rw
""".split()
CODES = {"process": 3}
COLUMNS = ["size", "offset", "bytes_completed", "return_value", "errno"]
# What the flags column says of the file itself, which the oracle doesn't follow.
OF_THE_FILE = {"DELETED", "PATH_CUT"}
# How a row came about that isn't of a system call.
ASYNCHRONOUS = {"IO_URING", "AIO"}


def to_path(row):
    """The path bytes of a row of the file; two where it says `old -> new`."""
    field, operation = row["filename"], row["operation"]
    if operation in TWO_PATHS and " -> " in field:
        return tuple(recorder.unescape(part) for part in field.split(" -> "))
    return recorder.unescape(field)


def to_flags(row):
    words = set(filter(None, row["flags"].split("|"))) - OF_THE_FILE
    if row["operation"] != "open":
        words = {w for w in words if not w.startswith("O_")}
    return "|".join(sorted(words)) if row["operation"] != "process_exit" else ""


def to_row(row):
    return Row(
        row["operation"], to_path(row), *(row[column] for column in COLUMNS), to_flags(row)
    )


def fill(expected, actual):
    """EXPECTED with what strace can't tell taken from ACTUAL, when there are as many of both."""
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
    # Not unified_diff(): it takes what repeats for noise, and here everything repeats.
    matcher = difflib.SequenceMatcher(None, list(map(str, expected)), list(map(str, actual)), False)
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            lines += [f"  {row}" for row in expected[max(i, j - 2) : j]]
            continue
        # A changed row beside what it changed into.
        pairs = itertools.zip_longest(expected[i:j], actual[k:m])
        lines += [f"{c}{row}" for pair in pairs for c, row in zip("-+", pair) if row is not None]
    return lines[:80]


class Recorded:
    def __init__(self, path):
        self.oracles, self.files = {}, {}
        path = pathlib.Path(path)
        with recorder.Recording(path, "--streams", "fs") as r:
            for name in WORKLOADS:
                cwd = path / name
                cwd.mkdir()
                self.oracles[name] = strace_oracle.run(
                    [recorder.workload(name)], cwd, path / f"{name}.strace"
                )
        self.session = r.session
        rows = r.rows("fs")
        pids = {str(pid) for oracle in self.oracles.values() for pid in oracle.pids}
        self.rows = rows[rows["pid"].isin(pids) & rows["operation"].isin(OPERATIONS)]

    def of(self, oracle):
        """The rows of a workload's processes, less what strace did as one of them before it
        executed the program."""
        rows = self.rows[self.rows["pid"].isin({str(pid) for pid in oracle.pids})]
        first = rows[(rows["pid"] == str(oracle.root)) & (rows["operation"] == "process_exec")
                     & (rows["errno"] == "")]
        assert len(first), "the program's start is not recorded"
        early = rows[(rows["pid"] == str(oracle.root)) & (rows.index < first.index[0])]
        assert set(early["command"]) <= {"strace"}, "rows before the program's start"
        return rows.drop(early.index)


@pytest.fixture(scope="module")
def recorded(module_path):
    return Recorded(module_path)


def asynchronous(flags):
    return bool(ASYNCHRONOUS & set(flags.split("|")))


def told_of(oracle, rows):
    """The rows of what passes no system call, against those that the program told: in any order,
    as they are complete when they are complete."""
    key = lambda row: (row.operation, str(row))
    return differences(
        f"told by process {oracle.root}",
        sorted((row for row in oracle.told if asynchronous(row.flags)), key=key),
        sorted((to_row(row) for row in rows), key=key),
    )


def interleave(oracle, actual):
    """Puts the rows of calls that strace doesn't know among those that it does, in the order in
    which they are in ACTUAL."""
    told = [row for row in oracle.told if not asynchronous(row.flags)]
    if not told:
        return
    known, oracle.rows[oracle.root] = oracle.rows[oracle.root], []
    for row in actual:
        source = told if told and told[0] == row and not (known and known[0] == row) else known
        if source:
            oracle.rows[oracle.root].append(source.pop(0))
    oracle.rows[oracle.root] += known + told


def compare(oracle, rows):
    exits = rows[rows["operation"] == "process_exit"]
    others = rows[rows["operation"] != "process_exit"]
    told = others["flags"].map(asynchronous)
    by_tid = {
        int(tid): [to_row(row) for row in group.to_dict("records")]
        for tid, group in others[~told].groupby("tid", sort=False)
    }
    found = told_of(oracle, others[told].to_dict("records"))
    interleave(oracle, by_tid.get(oracle.root, []))
    for tid in sorted({*oracle.rows, *by_tid}):
        found += differences(f"thread {tid}", oracle.rows.get(tid, []), by_tid.get(tid, []))
    # Which thread's row tells the end of a process is the kernel's affair.
    by_pid = {}
    for row in exits.to_dict("records"):
        by_pid.setdefault(int(row["pid"]), []).append(to_row(row))
    for pid in sorted({*oracle.exits, *by_pid}):
        expected = [oracle.exits[pid]] if pid in oracle.exits else []
        found += differences(f"end of process {pid}", expected, by_pid.get(pid, []))
    return found


@pytest.mark.parametrize("name", [w for w in WORKLOADS if w != "loop32"])
def test_rows_equal_strace(recorded, name):
    oracle = recorded.oracles[name]
    assert oracle.code == CODES.get(name, 0), oracle.stderr
    found = compare(oracle, recorded.of(oracle))
    assert not found, "\n" + "\n".join(found)


def test_32_bit_calls(recorded):
    """Decoded by their own table, or left out as filtered; never read as 64-bit ones."""
    oracle = recorded.oracles["loop32"]
    assert oracle.code == 0, oracle.stderr
    rows = recorded.of(oracle)
    found = compare(oracle, rows)
    if not found:
        return
    # All of them left out: what remains of the oracle is what the program's start did.
    calls = int(oracle.stdout)
    (tid,) = oracle.rows
    oracle.rows[tid] = oracle.rows[tid][:-calls + 1] # the last one made is no operation of ours
    assert recorded.session.counts("fs")["filtered"] >= calls
    assert not compare(oracle, rows), "\n" + "\n".join(found)


def test_nothing_lost(recorded):
    assert recorded.session.lost() == {}


def test_identity_of_the_files(recorded):
    """inode, device and fs_type, where the file is still there and was one file all along."""
    oracle = recorded.oracles["rw"]
    rows = recorded.of(oracle)
    rows = rows[rows["filename"].str.endswith(("/data", "/log")) & (rows["errno"] == "")]
    rows = rows[rows["operation"].isin(["open", "read", "write", "close", "fsync", "truncate"])]
    assert len(rows) > 100
    for name, group in rows.groupby("filename"):
        st = os.stat(recorder.unescape(name))
        # truncate by path knows no inode before the call and none after it.
        opened = group[(group["operation"] != "truncate") | (group["inode"] != "")]
        assert set(opened["inode"]) == {str(st.st_ino)}, name
        assert set(opened["device"]) == {f"{os.major(st.st_dev)}:{os.minor(st.st_dev)}"}, name
        assert set(opened["fs_type"]) == {mount_type(name)}, name


def mount_type(path):
    best, kind = "", None
    with open("/proc/self/mounts") as mounts:
        for line in mounts:
            _, point, fs_type = line.split()[:3]
            below = point.rstrip("/") + "/"
            if path.startswith(below) and len(point) >= len(best):
                best, kind = point, fs_type
    return kind


def test_flags_of_opens(recorded):
    """The words, against the numbers that the workload's source has."""
    rows = recorded.of(recorded.oracles["openclose"])
    opens = rows[rows["operation"] == "open"]
    sub = opens[opens["filename"].str.endswith("/dir/file")]
    assert "O_RDWR|O_SYNC" in set(sub["flags"]), set(sub["flags"])
    assert "O_WRONLY|O_CREAT|O_EXCL" in set(sub["flags"]), set(sub["flags"])
    created = opens[opens["filename"].str.endswith("/created")]["flags"].tolist()
    assert created[0] == "O_WRONLY|O_CREAT|O_TRUNC", created


def test_processes(recorded):
    """ppid, argv, and how a killed process ended."""
    oracle = recorded.oracles["process"]
    rows = recorded.of(oracle)
    execs = rows[(rows["operation"] == "process_exec") & (rows["errno"] == "")]
    children = execs[execs["pid"] != str(oracle.root)]
    program = recorder.workload("process")
    assert len(children) == 5
    assert set(children["ppid"]) == {str(oracle.root)}
    assert {recorder.unescape(c) for c in children["cmdline"]} == {
        f'{program} child two words comma,"quote"\n'.encode()
    }
    ends = rows[rows["operation"] == "process_exit"]
    killed = {row["return_value"]: row["flags"] for row in ends.to_dict("records")}
    assert killed["137"] == "SIGKILL" and killed["143"] == "SIGTERM", killed
    assert killed["17"] == ""
