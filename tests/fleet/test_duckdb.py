# SPDX-License-Identifier: GPL-2.0-or-later
"""DuckDB on the test lake: the SQL of docs/fleet.md, and `iotrc lake views`."""
import os
import re
import shutil
import subprocess
import time

import conftest
from conftest import IOTRC, TOP
from engines import DUCKDB, duckdb, run_node

def ask(place, statements):
    return run_node(place, DUCKDB, statements)


def test_the_page(fleet, lake, place):
    blocks = re.findall(r"```sql\n(.*?)```", (TOP / "docs/fleet.md").read_text(), re.S)
    statements = [s.replace("/data/lake", str(lake)) for b in blocks for s in b.split(";") if s.strip()]
    *_, lost, _ = ask(place, statements)
    wanted = {}
    for m in fleet.manifests():
        rows, gone = wanted.get(m["machine_id"], (0, 0))
        counts = m["diagnostics"]["streams"]["fs"]
        wanted[m["machine_id"]] = rows + counts["written"], gone + sum(counts["lost"].values())
    assert {machine: (int(rows), int(gone)) for machine, rows, gone in lost} == wanted
    days = ask(place, [*statements[:2], "SELECT count(*) FROM fs", "SELECT count(DISTINCT machine) FROM fs"])
    assert int(days[2][0][0]) == fleet.totals()["fs"][0] and int(days[3][0][0]) == len(wanted)


def test_totals_are_the_manifests(fleet, lake, place):
    totals = fleet.totals()
    answers = duckdb(place, lake, [f"SELECT count(*) FROM {s}" for s in totals] +
                     ["SELECT stream_name, sum(rows), sum(lost) FROM sessions GROUP BY 1 HAVING sum(rows) > 0"])
    assert [int(a[0][0]) for a in answers[:-1]] == [rows for rows, _ in totals.values()]
    assert {stream: (int(rows), int(lost)) for stream, rows, lost in answers[-1]} == totals


def test_what_a_query_can_leave_out(fleet, lake, place):
    """Incomplete sessions, and joins of names across keys, by `sessions`."""
    names = ("(SELECT DISTINCT session, filename, anonymize_key_id FROM fs "
             "JOIN (FROM sessions WHERE stream_name = 'fs') USING (machine, session))")
    whole, pairs = duckdb(place, lake, [
        "SELECT count(*) FROM fs SEMI JOIN (FROM sessions WHERE complete AND stream_name = 'fs') USING (machine, session)",
        f"SELECT DISTINCT a.session, b.session FROM {names} a JOIN {names} b "
        "ON a.filename = b.filename AND a.anonymize_key_id IS NOT DISTINCT FROM b.anonymize_key_id WHERE a.session <> b.session"])
    rows = {m["session_id"]: m["diagnostics"]["streams"]["fs"]["written"] for m in fleet.manifests()}
    assert int(whole[0][0]) == sum(rows.values()) - rows[str(fleet.special("losses").relative_to(fleet.raw))] > 0
    with_key = {fleet.special(f"key {k}").name for k in "AB"}
    joined = {session for pair in pairs for session in pair}
    assert len(joined) > 3 and not with_key & joined


def test_readers_of_a_compaction(fleet, lake, place):
    """A reader counts each row once while files are merged and removed."""
    copy = shutil.copytree(lake, place / "read meanwhile")
    rows = fleet.totals()["fs"][0]
    command = [IOTRC, "lake", "compact", copy, "--date", "2026-11-02", "--grace", "5s"]
    for _ in range(2): # the second removes what the first has replaced
        process = subprocess.Popen(command, env={**os.environ, "IOTRC_DUCKDB": str(conftest.DUCKDB)}, stdout=subprocess.DEVNULL)
        running = True
        while running: # once more after its end
            running = process.poll() is None
            answers = duckdb(place, copy, ["SELECT count(*) FROM fs", "SELECT count(DISTINCT (machine, session)) FROM sessions"] * 5)
            assert {(int(a[0][0]), int(b[0][0])) for a, b in zip(answers[::2], answers[1::2])} == {(rows, len(fleet.made) - 1)}
        assert process.returncode == 0
        time.sleep(5.5) # for as long the replaced files stay
    assert {p.parts[-2] for p in copy.glob("v=1/stream=fs/date=2026-11-02/*/*")} == {"machine=all"}
