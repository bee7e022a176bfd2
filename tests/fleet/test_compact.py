# SPDX-License-Identifier: GPL-2.0-or-later
"""iotrc lake compact: no row is lost or twice, whenever one looks, and whatever happens to it."""
import os
import shutil
import signal
import subprocess
import time

import conftest
import pytest
from conftest import DAYS, IOTRC, MACHINES, iotrc

DATES = ["2026-11-01", "2026-11-02", "2026-11-03"]


@pytest.fixture
def copy(lake, tmp_path):
    return shutil.copytree(lake, tmp_path / "lake")


def verify(lake, fleet):
    """All but the torn session are there, with the counts of their manifests."""
    said = iotrc("lake", "verify", lake, fleet.raw, code=1)
    machine, name = fleet.torn[0].parts[-2:]
    assert said.splitlines()[0] == f"{machine} {name}: not in the lake"
    rows = sum(n for n, _ in fleet.totals().values())
    assert f"{rows} rows of {MACHINES * DAYS - 1} sessions in " in said and "1 sessions incomplete: 1 faults" in said
    return said


def files(lake, date="*"):
    return {p for p in lake.glob(f"v=1/stream=*/date={date}/*/*.parquet") if p.parts[-4] != "stream=compacted"}


def test_a_day(fleet, copy):
    """Its files are merged; the old ones go later. What is known already is not added again, and no harm if it is."""
    before = files(copy, "2026-11-02")
    said = iotrc("lake", "compact", copy, "--date", "2026-11-02", "--grace", "1h")
    assert f"{len(before)} still there" in said or "1 still there" not in said
    assert before < files(copy, "2026-11-02")
    assert "have been replaced by a compaction" in verify(copy, fleet)
    assert " of 0 sessions added" in iotrc("lake", "sync", fleet.raw, copy, code=1)
    time.sleep(1.1)
    assert "0 still there" in iotrc("lake", "compact", copy, "--date", "2026-11-02", "--grace", "1s")
    left = files(copy, "2026-11-02")
    assert len(left) < len(before) / 3 and {p.parts[-2] for p in left if p.parts[-4] in ("stream=fs", "stream=sessions")} == {"machine=all"}
    assert "replaced" not in verify(copy, fleet)
    session = fleet.special("key A")
    iotrc("export", session, "--to", "parquet", "--lake", copy)
    verify(copy, fleet)


def test_a_late_session(fleet, copy, tmp_path):
    """A late session is merged with the files that have been merged already."""
    late = fleet.special("midnight")
    hidden = [p for p in files(copy) if p.parts[-2] == f"machine={late.parts[-2]}" and p.name.startswith(late.name)]
    for p in hidden:
        p.unlink()
    for date in DATES:
        iotrc("lake", "compact", copy, "--date", date, "--grace", "0")
    iotrc("lake", "sync", fleet.raw, copy, code=1)
    verify(copy, fleet)
    assert len([p for p in files(copy) if p.name.startswith(late.name)]) >= 3
    for date in DATES:
        iotrc("lake", "compact", copy, "--date", date, "--grace", "0")
    assert not [p for p in files(copy, "2026-11-02") if p.name.startswith(late.name) and p.parts[-4] == "stream=fs"]
    assert len(list(copy.glob("v=1/stream=fs/date=2026-11-02/machine=all/*"))) == 1
    verify(copy, fleet)


def test_killed_at_any_time(fleet, copy):
    """A compaction that was interrupted is repeated, and all rows count exactly once at each moment."""
    command = [IOTRC, "lake", "compact", copy, "--date", "2026-11-02", "--grace", "0"]
    env = {**os.environ, "IOTRC_DUCKDB": str(conftest.DUCKDB)}
    begun = time.monotonic()
    probe = shutil.copytree(copy, copy.parent / "probe")
    subprocess.run([*command[:3], probe, *command[4:]], env=env, check=True, stdout=subprocess.DEVNULL)
    took = time.monotonic() - begun
    killed = 0
    for share in (0.3, 0.5, 0.7, 0.8, 0.9):
        process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
        try:
            process.wait(took * share)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
        verify(copy, fleet)
    assert killed
    iotrc("lake", "compact", copy, "--date", "2026-11-02", "--grace", "0")
    assert "replaced" not in verify(copy, fleet) or list(copy.glob("v=1/stream=*/date=2026-11-02/machine=all/*"))


def test_running_sessions_stay_as_they_are(fleet, copy, tmp_path):
    """The files of a running session are not merged: they are replaced when the session has ended."""
    session = shutil.copytree(fleet.special("key A"), tmp_path / "raw" / "/".join(fleet.special("key A").parts[-3:]))
    conftest.generate.change(session, lambda m: m["session"].update(state="running"))
    iotrc("export", session, "--to", "parquet", "--lake", copy)
    iotrc("lake", "compact", copy, "--date", "2026-11-02", "--grace", "0")
    own = [p for p in files(copy) if p.parts[-2] == f"machine={session.parts[-2]}" and p.name.startswith(session.name)]
    assert {"stream=fs", "stream=sessions"} <= {p.parts[-4] for p in own}
    iotrc("export", fleet.special("key A"), "--to", "parquet", "--lake", copy)
    verify(copy, fleet)


def test_compacted_days_expire(fleet, copy):
    """Compacted days expire like others: rows about sessions that have later rows remain, and say that everything is as
    it should be."""
    for date in DATES:
        iotrc("lake", "compact", copy, "--date", date, "--grace", "0")
    age = int((time.time() - 1793664000) / 86400) # until 2026-11-03
    iotrc("lake", "expire", copy, "--older-than", f"{age}d")
    assert not [p for p in files(copy, "2026-11-02") if p.parts[-4] == "stream=fs"]
    late = fleet.special("midnight")
    said = iotrc("lake", "verify", copy, late)
    assert "0 faults" in said
    iotrc("lake", "expire", copy, "--older-than", "1d")
    assert not [p for p in files(copy) if p.parts[-3] < "date=2026-11-20"]


def test_two_at_a_time(fleet, copy):
    """The second says that it came too late, or finds nothing to do, or does all of it."""
    command = [IOTRC, "lake", "compact", copy, "--date", "2026-11-02", "--grace", "2s"]
    env = {**os.environ, "IOTRC_DUCKDB": str(conftest.DUCKDB)}
    both = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [p.communicate()[1] for p in both]
    assert 0 in [p.returncode for p in both]
    assert all(not s or "another process has compacted this day meanwhile" in s for s in said)
    verify(copy, fleet)


def test_wrong_uses(copy):
    assert "compact needs --date" in iotrc("lake", "compact", copy, code=2)
    assert "compact needs --date" in iotrc("lake", "compact", copy, "--date", "2026-02-30", code=2)
    assert "--grace needs a time" in iotrc("lake", "compact", copy, "--date", "2026-11-02", "--grace", "soon", code=2)
