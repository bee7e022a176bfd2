# SPDX-License-Identifier: GPL-2.0-or-later
"""Engines that read a lake: DuckDB and ClickHouse (chdb) by Node, with the views of `iotrc lake views`, and Dask in a
Debian that has it."""
import json
import re
import subprocess

import sid
from conftest import NODE_MODULES, PATIENCE, iotrc

DUCKDB = """
const { DuckDBInstance } = require("@duckdb/node-api");
(async () => {
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    const answers = [];
    for (const s of JSON.parse(require("fs").readFileSync(0, "utf8")))
        answers.push((await connection.runAndReadAll(s)).getRowsJson());
    console.log(JSON.stringify(answers));
})().catch(e => { console.error(String(e)); process.exit(1); });
"""
CLICKHOUSE = """
const { Session } = require("chdb");
const session = new Session();
const answers = [];
for (const s of JSON.parse(require("fs").readFileSync(0, "utf8")))
    answers.push(session.query(s, "JSONCompactEachRow").split("\\n").filter(Boolean).map(r => JSON.parse(r)));
console.log(JSON.stringify(answers));
session.cleanup();
"""
SID = "+python3-dask", "+python3-distributed", "+python3-s3fs"


def run_node(place, program, statements):
    link = place / "node_modules"
    if not link.exists():
        link.symlink_to(NODE_MODULES)
    done = subprocess.run(["node", "-e", program], cwd=place, input=json.dumps(statements), text=True, capture_output=True,
                          timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def statements_of(text):
    """The statements of a text without its comments."""
    text = re.sub(r"^--.*$", "", text, flags=re.M)
    return [s for s in re.split(r";\s*$", text, flags=re.M) if s.strip()]


def views(lake, engine, **environment):
    return statements_of(iotrc("lake", "views", lake, "--engine", engine, **environment))


def duckdb(place, lake, statements):
    """The answers of each of STATEMENTS."""
    first = views(lake, "duckdb")
    return run_node(place, DUCKDB, first + statements)[len(first):]


def clickhouse(place, lake, statements, before=(), **environment):
    first = [*before, *views(lake, "clickhouse", **environment)]
    return run_node(place, CLICKHOUSE, first + statements)[len(first):]


def dask(what, shared, lake="/shared", timeout=3 * PATIENCE, **environment):
    """The answer of dask_query.py to WHAT. SHARED is a directory that it sees as /shared. TIMEOUT allows for a scheduler and
    workers that each take minutes to start on a busy machine."""
    variables = [f"{name}={value}" for name, value in environment.items()]
    done = sid.in_sid(shared, "env", *variables, "python3", "/top/tests/fleet/dask_query.py", what, lake, packages=SID,
                      timeout=timeout)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])
