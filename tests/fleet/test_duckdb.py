# SPDX-License-Identifier: GPL-2.0-or-later
"""The SQL of docs/fleet.md, run by DuckDB on the test lake."""
import json
import re
import subprocess

from conftest import NODE_MODULES, TOP

RUN = """
const { DuckDBInstance } = require("@duckdb/node-api");
(async () => {
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    const answers = [];
    for (const s of JSON.parse(require("fs").readFileSync(0, "utf8")))
        answers.push((await connection.runAndReadAll(s)).getRowsJson());
    console.log(JSON.stringify(answers));
})().catch(e => { console.error(String(e)); process.exit(1); });
"""


def ask(place, statements):
    link = place / "node_modules"
    if not link.exists():
        link.symlink_to(NODE_MODULES)
    done = subprocess.run(["node", "-e", RUN], cwd=place, input=json.dumps(statements), text=True, capture_output=True,
                          timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


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
    days = ask(place, [statements[0], "SELECT count(*) FROM fs", "SELECT count(DISTINCT machine) FROM fs"])
    assert int(days[1][0][0]) == fleet.totals()["fs"][0] and int(days[2][0][0]) == len(wanted)
