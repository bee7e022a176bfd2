# SPDX-License-Identifier: GPL-2.0-or-later
"""More load than can be recorded: losses are counted, to the last operation.

The oracle is tests/workloads/hammer.c, which counts its own operations, with twice as many processes as CPUs. iotrc
records nothing else, so what it has seen and not filtered is exactly those.
"""
import collections
import contextlib
import json
import os
import signal
import subprocess
import time

import ptrace
import pytest
import recorder

pytestmark = pytest.mark.full_speed # it hammers, and the rings of other recordings would overflow
PROCESSES = 2 * os.cpu_count()
LEAST = "128M" # --memory: with little memory much is lost


def hammer(tmp_path, seconds):
    data = tmp_path / "data"
    data.write_bytes(b"x" * 4096)
    return subprocess.Popen(
        [recorder.workload("hammer"), str(data), str(seconds), str(PROCESSES)],
        stdout=subprocess.PIPE, text=True,
    )


def counted(process):
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return json.loads(out)


def record(tmp_path, *args, code=3):
    return recorder.Recording(
        tmp_path, "--streams", "fs", "--command", "hammering", *recorder.OWN, "--rotate-rows", "1000000", *args, code=code,
    )


def rows_by_operation(session):
    rows = session.tally("fs", "operation", "command")
    assert {command for _, command in rows} == {"hammering"}
    return {operation: n for (operation, _), n in rows.items()}


def check(session, oracle):
    """Every operation is a row or counted as lost, and the lost stream reports each loss. Returns the rows by
    operation."""
    c = session.counts("fs")
    made = sum(oracle.values())
    assert c["seen"] - c["filtered"] == made
    assert c["written"] + sum(c["lost"].values()) == made
    rows = rows_by_operation(session)
    assert sum(rows.values()) == c["written"]
    for operation, n in rows.items():
        assert n <= oracle[operation]
    lost = session.rows("lost")
    lost = lost[lost["stream"] == "fs"].astype({"count": int, "from_mono_ns": int, "to_mono_ns": int})
    assert (lost["from_mono_ns"] <= lost["to_mono_ns"]).all()
    by_cause = lost.groupby("cause")["count"].sum().to_dict()
    by_cause.pop("compression", None)
    assert by_cause == {cause: n for cause, n in c["lost"].items() if n}
    # The ring's losses by CPU and span: those of one CPU do not overlap.
    for cpu, spans in lost[lost["cause"] == "ring"].groupby("cpu_id"):
        assert 0 <= int(cpu) < os.cpu_count()
        assert (spans["from_mono_ns"].iloc[1:].values >= spans["to_mono_ns"].iloc[:-1].values).all()
    verified = recorder.run("verify", str(session.directory), seconds=300)
    assert verified.returncode == 0, verified.stdout
    return rows


def told(r, cause):
    """How many fs rows were lost by CAUSE so far, according to the table that SIGUSR1 prints."""
    before = r.errors().count("\ntotal ")
    r.send(signal.SIGUSR1)
    recorder.wait_for(lambda: r.errors().count("\ntotal ") > before, "the table")
    names, values = ([line.split() for line in r.errors().splitlines() if line.startswith(word)][-1]
                     for word in ("stream ", "fs "))
    (column,) = [i for i, name in enumerate(names) if name.endswith(f":{cause}")]
    return int(values[len(values) - len(names) + column])


def hammer_until_lost(r, tmp_path, thread, cause):
    """Before, while and after THREAD of the recorder is held, which is until rows are lost by CAUSE. Returns the operations."""
    made = collections.Counter()

    def loses():
        made.update(counted(hammer(tmp_path, 1)))
        return told(r, cause) > 0

    producers = hammer(tmp_path, 1)
    time.sleep(0.3)
    with ptrace.held(r.process.pid, thread):
        made.update(counted(producers))
        recorder.wait_for(loses, f"rows are lost: {cause}")
        producers = hammer(tmp_path, 1)
        time.sleep(0.3)
    made.update(counted(producers))
    return made


@pytest.mark.parametrize("thread, cause", [("iotrc-reader", "ring"), ("iotrc-writer", "queue")])
def test_every_operation_is_a_row_or_counted_as_lost(tmp_path, thread, cause):
    with record(tmp_path, "--memory", LEAST) as r:
        oracle = hammer_until_lost(r, tmp_path, thread, cause)
    rows = check(r.session, oracle)
    assert r.session.counts("fs")["lost"][cause] > 0
    assert {"read", "getattr", "access"} <= set(rows)
    assert r.session.counts("fs")["lost"]["shed"] == 0


def test_at_full_speed(tmp_path):
    """Nothing stops the recorder: whether rows are lost depends on the machine, and the counts are right either way."""
    with contextlib.suppress(AssertionError):
        with record(tmp_path) as r:
            oracle = counted(hammer(tmp_path, 1))
    assert r.process.returncode in (0, 3), r.errors()
    check(recorder.Session(r.session_directory), oracle)


def stepped_back(r, tmp_path, counts):
    """Does a few operations, which are added to COUNTS; was none of them shed?"""
    before = told(r, "shed")
    time.sleep(0.5)
    counts.append(counted(hammer(tmp_path, 0)))
    return told(r, "shed") == before


def test_lightens_before_it_loses_and_steps_back(tmp_path):
    with record(tmp_path, "--on-overload=lighten", "--memory", LEAST) as r:
        oracle = hammer_until_lost(r, tmp_path, "iotrc-writer", "shed")
        # Calm for 5 s and 5 s, unless it was loaded twice: until the shed operations are rows again.
        again = []
        recorder.wait_for(lambda: stepped_back(r, tmp_path, again), "stepping back")
        again.append(counted(hammer(tmp_path, 1)))
    rows = check(r.session, {k: oracle[k] + sum(more[k] for more in again) for k in oracle})
    c = r.session.counts("fs")
    assert 0 < c["lost"]["shed"]
    lost = r.session.rows("lost")
    compression = lost[lost["cause"] == "compression"]
    shed = lost[lost["cause"] == "shed"]
    assert set(compression["stream"]) == {"fs"} and set(compression["count"]) == {"0"}
    # First one program, then the other.
    assert compression["from_mono_ns"].astype(int).min() <= shed["from_mono_ns"].astype(int).min()
    # No read was shed: a missing one was lost to ring or queue.
    others = c["lost"]["ring"] + c["lost"]["queue"]
    made = {k: oracle[k] + sum(more[k] for more in again) for k in oracle}
    assert made["read"] - rows["read"] <= others
    assert made["getattr"] > rows["getattr"]
