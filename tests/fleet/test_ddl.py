# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc lake views` for Spark and Trino, which cannot be had here: their grammars take each statement."""
import json
import subprocess

import pytest
from conftest import NODE_MODULES, TOP
from engines import views


def faults(place, engine, statements):
    """What the grammar has against each of STATEMENTS."""
    link = place / "node_modules"
    if not link.exists():
        link.symlink_to(NODE_MODULES)
    done = subprocess.run(["node", TOP / "tests/fleet/sql_syntax.mjs", engine], cwd=place, input=json.dumps(statements), text=True,
                          capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("engine", ["spark", "trino"])
def test_the_grammar_takes_it(lake, place, engine):
    statements = views(lake, engine)
    found = faults(place, engine, statements)
    assert len(found) > 5 and not any(found), [pair for pair in zip(statements, found) if pair[1]]
    # Without a word that it needs, a statement is noticed.
    broken = [s.replace(word, " ", 1) for s in statements for word in (" AS SELECT ", " JOIN ") if word in s]
    assert len(broken) > 3 and all(faults(place, engine, broken))
