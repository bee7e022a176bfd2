# SPDX-License-Identifier: GPL-2.0-or-later
"""Each workload runs under strace while iotrc records: there is exactly one row for each call, and it is what strace
says."""
import json
import os
import pathlib
import subprocess

import pytest

import fs_rows
import recorder
import strace_oracle

# How many requests the kernel keeps for a ring (MANY in uring_quiet.c, in batches of eight).
MEMORY_OF_A_RING = 48

# Programs without special requirements.
WORKLOADS = """
    rw openclose namespace stat mapping process loop32
    access advice clone closerange copyrange handle links lock memory mount opath roots rwf sendfile
    setattr splice sync tmpfile xattr magiclink
    bind compat deep inherit interrupt moves newcalls oddnames overlay race reuse subvolume
    aio uring_fs uring_rw uring_slots tagged oddargs
""".split()
CODES = {"process": 3}


class Recorded:
    def __init__(self, path):
        self.oracles, self.files = {}, {}
        path = pathlib.Path(path)
        with recorder.Recording(path, "--streams", "fs", *recorder.OWN_OR_ALL) as r:
            for name in WORKLOADS:
                cwd = path / name
                cwd.mkdir()
                self.oracles[name] = strace_oracle.run(
                    [recorder.workload(name)], cwd, path / f"{name}.strace"
                )
        self.session = r.session
        self.rows = r.rows("fs")

    def of(self, name):
        return fs_rows.of(self.oracles[name], self.rows)


@pytest.fixture(scope="module")
def recorded(module_path):
    return Recorded(module_path)


@pytest.mark.parametrize("name", WORKLOADS)
def test_rows_equal_strace(recorded, name):
    oracle = recorded.oracles[name]
    assert oracle.code == CODES.get(name, 0), oracle.stderr
    found = fs_rows.compare(oracle, recorded.of(name))
    assert not found, "\n" + "\n".join(found)


# Those that use more than files.
WIDE = "rw splice sendfile inherit mapping advice links opath uring_wait uring_many".split()


def test_rows_of_all_kinds_of_files_equal_strace(module_path):
    """The same with pipes, sockets, devices, /proc and memfds in scope."""
    path = pathlib.Path(module_path) / "all"
    path.mkdir()
    oracles = {}
    with recorder.Recording(path, "--streams", "fs", "--scope", "all", *recorder.OWN_OR_ALL) as r:
        for name in WIDE:
            (path / name).mkdir()
            oracles[name] = strace_oracle.run(
                [recorder.workload(name)], path / name, path / f"{name}.strace", scope_all=True
            )
    rows, found = r.rows("fs"), []
    for name, oracle in oracles.items():
        assert oracle.code == 0, oracle.stderr
        found += fs_rows.compare(oracle, fs_rows.of(oracle, rows))
    # Each waited for 50 ms, whichever kernel thread did the work. With SQPOLL, a thread that
    # the kernel has made for the process submits when it is scheduled.
    waited = fs_rows.of(oracles["uring_wait"], rows)
    waited = waited[waited["flags"].map(fs_rows.asynchronous)]
    polled = waited["command"].str.startswith("iou-sqp-")
    assert polled.sum() in (0, 3)
    own = waited[~polled]
    assert set(own["command"]) <= {"uring_wait"} and (own["tid"] == own["pid"]).all()
    assert own["duration_ns"].astype(int).between(45e6, 30e9).all(), own["duration_ns"].tolist()
    assert not found, "\n" + "\n".join(found)


def test_nothing_lost(recorded):
    assert recorded.session.lost() == {}


def test_identity_of_the_files(recorded):
    """inode, device and fs_type, if the file still exists and was the same file throughout."""
    rows = recorded.of("rw")
    rows = rows[rows["filename"].str.endswith(("/data", "/log")) & (rows["errno"] == "")]
    rows = rows[rows["operation"].isin(["open", "read", "write", "close", "fsync", "truncate"])]
    assert len(rows) > 100
    for name, group in rows.groupby("filename"):
        st = os.stat(recorder.unescape(name))
        # truncate by path: strace shows no descriptor before the call and none after it.
        opened = group[(group["operation"] != "truncate") | (group["inode"] != "")]
        assert set(opened["inode"]) == {str(st.st_ino)}, name
        assert set(opened["device"]) == {f"{os.major(st.st_dev)}:{os.minor(st.st_dev)}"}, name
        assert set(opened["fs_type"]) == {mount_type(name)}, name


def test_identity_by_stat_of_32_bit_programs(recorded):
    """Calls whose structures differ between architectures."""
    rows = recorded.of("compat")
    rows = rows[(rows["operation"] == "getattr") & (rows["errno"] == "")]
    rows = rows[rows["filename"].str.endswith("/compat/file")]
    assert len(rows) == 12
    for name, group in rows.groupby("filename"):
        st = os.stat(recorder.unescape(name))
        assert set(group["inode"]) == {str(st.st_ino)}
        assert set(group["device"]) == {f"{os.major(st.st_dev)}:{os.minor(st.st_dev)}"}
        assert set(group["fs_type"]) == {mount_type(name)}


def test_inodes_of_reused_names(recorded):
    """A name, a descriptor and an inode number are each used again, and each row has the right inode."""
    oracle = recorded.oracles["reuse"]
    rows = recorded.of("reuse")
    expected = oracle.stdout.split()
    for operation in "write", "getattr", "read":
        own = rows[(rows["operation"] == operation) & rows["filename"].str.contains("/reuse/")]
        assert own["inode"].tolist() == expected, operation


def test_queries_about_locks(recorded):
    """F_GETLK's answer overwrites the request, so strace doesn't know it: lock.c does."""
    rows = recorded.of("lock")
    requested = rows[rows["flags"].str.contains("GETLK")][["flags", "offset", "size"]]
    assert requested.values.tolist() == 5 * [
        ["F_GETLK|F_WRLCK", "3", "2"], ["F_OFD_GETLK|F_RDLCK", "90", "12"],
    ]


def test_filesystems_have_their_own_names(recorded):
    def types(name, part):
        rows = recorded.of(name)
        rows = rows[rows["filename"].str.contains(part, regex=False) & (rows["inode"] != "")]
        return set(rows["fs_type"])

    if "no overlay" not in recorded.oracles["overlay"].stdout:
        assert types("overlay", "/merged/") == {"overlay"}
    assert types("overlay", "/base/lower/file") == {"tmpfs"}
    assert types("mount", "/point/file") == {"tmpfs"}


def test_open_and_mapped_before(module_path):
    """Files, directories and mappings that were open when the recording began have their names."""
    cwd = pathlib.Path(module_path) / "before"
    cwd.mkdir()
    log = f"{cwd}.strace"
    program = subprocess.Popen(
        strace_oracle.command([recorder.workload("before")], log),
        cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )
    assert program.stdout.readline() == b"ready\n"
    with recorder.Recording(module_path, "--streams", "fs", *recorder.OWN_OR_ALL) as r:
        program.stdin.close()
        program.stdout.close()
        assert program.wait(60) == 0
    oracle = strace_oracle.read(log, cwd)
    rows = r.rows("fs")
    found = fs_rows.compare(oracle, rows[rows["pid"] == str(oracle.root)])
    assert not found, "\n" + "\n".join(found)
    assert len(oracle.rows[oracle.root]) > 40


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
    """The words of the flags, compared with the numbers in the workload's source."""
    rows = recorded.of("openclose")
    opens = rows[rows["operation"] == "open"]
    sub = opens[opens["filename"].str.endswith("/dir/file")]
    assert "O_RDWR|O_SYNC" in set(sub["flags"]), set(sub["flags"])
    assert "O_WRONLY|O_CREAT|O_EXCL" in set(sub["flags"]), set(sub["flags"])
    created = opens[opens["filename"].str.endswith("/created")]["flags"].tolist()
    if os.uname().machine == "aarch64": # arm64 has no creat()
        assert created == [], created
    else:
        assert created[0] == "O_WRONLY|O_CREAT|O_TRUNC", created


def test_processes(recorded):
    """ppid, argv, and how a killed process ended."""
    oracle = recorded.oracles["process"]
    rows = recorded.of("process")
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


def of_uring(program, path, mark, *options):
    """Records PROGRAM; returns what it said about its io_uring requests (those with the word MARK before them
    separately), their rows in the same form, and the recording."""
    with recorder.Recording(path, "--streams", "fs", "--command", program, *options, code=None) as r:
        process = subprocess.Popen([recorder.workload(program)], cwd=path, stdout=subprocess.PIPE, text=True)
        said = process.communicate(timeout=60)[0].splitlines()
        assert process.returncode == 0
    columns = {"operation": "operation", "path": "filename", "size": "size", "offset": "offset",
               "bytes": "bytes_completed", "ret": "return_value", "errno": "errno"}

    def read(line):
        row = json.loads(line)
        return tuple(row.get(name, "") for name in columns)

    expected = [read(line) for line in said if not line.startswith(mark)]
    marked = [read(line.removeprefix(mark)) for line in said if line.startswith(mark)]
    rows = r.rows("fs")
    mine = rows[(rows["pid"] == str(process.pid)) & rows["flags"].str.contains("IO_URING")]
    return expected, marked, sorted(map(tuple, mine[list(columns.values())].values)), r


def test_requests_whose_success_is_not_reported(tmp_path):
    """These requests pass no tracepoint. Where programs can attach to the functions at which they end
    (docs/kernels.md), each is a row; elsewhere failures are rows, and successes count as lost, except those that were
    the last ones in their piece of kernel memory."""
    expected, quiet, rows, r = of_uring("uring_quiet", tmp_path, "quiet ")
    hooks = {h["name"]: h["attached"] for h in r.manifest["diagnostics"]["hooks"]}
    assert bool(quiet) == (recorder.RELEASE >= (5, 17)) == ("fentry/__io_submit_flush_completions" in hooks)
    seen = hooks.get("fentry/__io_submit_flush_completions", False)
    # Those kernels let programs attach to functions, except on arm64 (CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS).
    direct_calls = " register_ftrace_direct\n" in pathlib.Path("/proc/kallsyms").read_text()
    assert seen or not quiet or not recorder.EMULATED or not direct_calls
    assert rows == sorted(expected + seen * quiet)
    lost = r.session.lost().get("fs", 0)
    assert lost == 0 if seen else len(quiet) - MEMORY_OF_A_RING <= lost <= len(quiet)
    assert r.returncode == (3 if lost else 0)


def test_requests_of_the_same_number(tmp_path):
    """Requests in flight at the same time with the same user_data: before 5.18 nothing else tells their completions
    apart, so they are counted instead of being mixed up. The number can be used again when all have ended."""
    expected, same, rows, r = of_uring("uring_same", tmp_path, "same ", "--scope", "all")
    distinct = recorder.RELEASE >= (5, 18)
    assert len(same) == 6 and len(expected) == 1
    assert rows == sorted(expected + distinct * same)
    assert r.session.lost().get("fs", 0) == (0 if distinct else len(same))
    assert r.returncode == (0 if distinct else 3)
