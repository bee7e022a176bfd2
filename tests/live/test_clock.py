# SPDX-License-Identifier: GPL-2.0-or-later
"""Wall time is right, whatever happens to the clocks while iotrc records.

The oracle is this program's own reading of both clocks around each operation. The machine's clock is not changed: a
preloaded library (stepped_clock.c) steps it for iotrc alone, as a file says that this program writes.
"""
import contextlib
import datetime
import json
import mmap
import os
import pathlib
import signal
import struct
import time

import ptrace
import pytest
import recorder

MS = 1_000_000
S = 1000 * MS


def wall_ns(text, utc_offset):
    """A row's wall time (local, with UTC_OFFSET +HH:MM) as ns since 1970."""
    hours, minutes = int(utc_offset[:3]), int(utc_offset[0] + utc_offset[4:])
    zone = datetime.timezone(datetime.timedelta(hours=hours, minutes=minutes))
    at = datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=zone)
    seconds = int(at.replace(microsecond=0).timestamp())
    return seconds * S + at.microsecond * 1000


def touch(path):
    """Creates a file; returns both clocks before and after."""
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC), time.clock_gettime_ns(time.CLOCK_REALTIME)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC), time.clock_gettime_ns(time.CLOCK_REALTIME)
    return before, after


def check(r, rows, path, clocks, added=0):
    """The row that opened PATH lies between the CLOCKS before and after, wall time plus ADDED, within 1 ms."""
    row = rows[(rows["filename"] == str(path)) & (rows["operation"] == "open")].iloc[0]
    (mono0, real0), (mono1, real1) = clocks
    assert mono0 <= int(row["mono_ns"]) <= mono1
    wall = wall_ns(row["timestamp"], r.manifest["clock"]["utc_offset"])
    assert real0 + added - MS <= wall <= real1 + added + MS


def offsets_reported(r):
    """How many clock offsets the manifest has while it records."""
    return len(json.loads((r.session_directory / "manifest.json").read_text())["clock"]["offsets"])


def test_each_row_after_a_step_is_right(tmp_path):
    steps = [0, 3600 * S, -7200 * S + 1, 3 * MS, 0, 1_000_000 * S] # what is added, one after the other
    setting = tmp_path / "added"
    setting.write_bytes(bytes(8))
    env = {**os.environ, "LD_PRELOAD": recorder.workload("stepped_clock.so"), "STEPPED_CLOCK": str(setting)}
    with open(setting, "r+b") as f, mmap.mmap(f.fileno(), 8) as added:
        with recorder.Recording(tmp_path, "--streams", "fs", "--path", str(tmp_path), *recorder.OWN, env=env) as r:
            seen = []
            for i, step in enumerate(steps):
                struct.pack_into("q", added, 0, step)
                recorder.wait_for(lambda: offsets_reported(r) == i + 1, "it is noticed") # the real clock reports a step
                for k in range(5):
                    path = tmp_path / f"{i}.{k}"
                    seen.append((path, touch(path), step))
                    time.sleep(0.01)
    rows = r.rows("fs")
    for path, clocks, step in seen:
        check(r, rows, path, clocks, step)
    offsets = r.manifest["clock"]["offsets"]
    assert len(offsets) == len(steps)
    for o, before, step in zip(offsets[1:], steps, steps[1:]):
        moved = o["mono_to_real_offset_ns"] - offsets[offsets.index(o) - 1]["mono_to_real_offset_ns"]
        assert abs(moved - (step - before)) < MS
    assert recorder.run("verify", str(r.session.directory)).returncode == 0


def test_the_rows_of_a_cpu_are_in_order(tmp_path):
    """In the order of the file: reads and writes take another way out of the kernel than other calls."""
    before = os.sched_getaffinity(0)
    with recorder.Recording(tmp_path, "--streams", "fs", "--path", str(tmp_path), *recorder.OWN) as r:
        try:
            os.sched_setaffinity(0, {min(before)})
            for i in range(3000):
                path = tmp_path / f"file{i % 7}"
                fd = os.open(path, os.O_CREAT | os.O_RDWR)
                os.write(fd, b"x" * 100)
                os.pread(fd, 50, 0)
                path.rename(tmp_path / "other")
                os.close(fd)
        finally:
            os.sched_setaffinity(0, before)
    frames = [recorder.read_file(r.session.directory / f["path"]) for f in r.session.files("fs")]
    ours = [f.loc[f["pid"] == str(os.getpid()), "mono_ns"].astype("uint64") for f in frames]
    times = [t for column in ours for t in column]
    assert len(times) == 5 * 3000
    backwards = [(a, b) for a, b in zip(times, times[1:]) if b < a]
    assert not backwards, (len(backwards), backwards[:3])


@pytest.mark.parametrize("noticed", [True, False])
def test_a_step_before_a_kill(tmp_path, noticed):
    """The step is in the manifest or, if the thread that writes it has not got there, in the rows."""
    setting = tmp_path / "added"
    setting.write_bytes(bytes(8))
    env = {**os.environ, "LD_PRELOAD": recorder.workload("stepped_clock.so"), "STEPPED_CLOCK": str(setting)}
    r = recorder.Recording(tmp_path, "--streams", "fs", "--path", str(tmp_path), *recorder.OWN, env=env).start().wait_ready()
    seen = []

    def some(step, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            path = tmp_path / str(len(seen))
            seen.append((path, touch(path), step))
            time.sleep(0.01)

    with open(setting, "r+b") as f, mmap.mmap(f.fileno(), 8) as added, contextlib.ExitStack() as stack:
        stack.callback(r.process.kill) # whatever happens
        some(0, 1)
        if not noticed:
            stack.enter_context(ptrace.held(r.process.pid, "iotrc"))
        step = 86400 * S + 1
        struct.pack_into("q", added, 0, step)
        if noticed:
            recorder.wait_for(lambda: offsets_reported(r) == 2, "it is noticed")
        else: # by the thread that reads the rings, which does not report it yet
            time.sleep(1)
        some(step, 1)
        r.wait_written(f"{seen[-1][0]},".encode())
        assert offsets_reported(r) == 1 + noticed
        r.process.kill()
    r.process.wait()
    done = recorder.run("recover", str(r.session_directory))
    assert done.returncode == 0, done.stdout + done.stderr
    session = recorder.Session(r.session_directory)
    first, second = session.manifest["clock"]["offsets"]
    moved = second["mono_to_real_offset_ns"] - first["mono_to_real_offset_ns"]
    assert abs(moved - step) < MS
    rows = session.rows("fs")
    for path, clocks, added_ns in seen:
        if str(path) in set(rows["filename"]):
            check(session, rows, path, clocks, added_ns)
    assert sum(str(path) in set(rows["filename"]) for path, _, added_ns in seen if added_ns)
    assert recorder.run("verify", str(r.session_directory)).returncode == 0


@pytest.mark.parametrize("shift", [1_000_000, -100])
def test_in_a_time_namespace(tmp_path, shift):
    """Events have the host's CLOCK_MONOTONIC; clock_gettime() returns another one there."""
    # No clock can be set to a time before the boot.
    time.sleep(max(0, 1 - shift - time.clock_gettime(time.CLOCK_MONOTONIC)))
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    r = recorder.Recording(
        tmp_path, "--streams", "fs", "--path", str(tmp_path), "--state", str(state), *recorder.OWN, ends=True, snapshots=True,
    )
    r.command = ["unshare", "--time", "--monotonic", str(shift), "--fork", "--kill-child", *r.command]
    with r:
        path = tmp_path / "in"
        clocks = touch(path)
        # The recorder is a child of unshare, which does not pass signals on.
        pid = int(pathlib.Path(f"/proc/{r.process.pid}/task/{r.process.pid}/children").read_text())

        def snapshots_are_there():
            recorder.hurry(pid, "snapshots")
            return all(list(r.session_directory.glob(f"{stream}/*.zst")) for stream in ("process", "filesystem_snapshot"))

        recorder.wait_for(snapshots_are_there, "snapshots")
        os.kill(pid, signal.SIGINT)
    check(r, r.rows("fs"), path, clocks)
    now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    for stream in ("process", "filesystem_snapshot"):
        column = r.rows(stream)["mono_ns"].astype("int64")
        assert len(column) and (column <= now).all() and (column > now - 60 * S).all(), stream
    (offset,) = r.manifest["clock"]["offsets"]
    real = time.clock_gettime_ns(time.CLOCK_REALTIME) - time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    assert abs(offset["mono_to_real_offset_ns"] - real) < MS
    assert recorder.run("verify", str(r.session.directory)).returncode == 0
