# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/fleet-questions.md: DuckDB, ClickHouse and Dask give the same answers, those of the page. UPDATE=1 writes them."""
import json
import os
import re
import subprocess

import pytest
from conftest import TOP, Fleet, iotrc
from engines import clickhouse, dask, duckdb

PAGE = TOP / "docs/fleet-questions.md"
QUESTION = re.compile(r"(^## \d+\. [^\n]*\n.*?```sql\n(.*?)```\n\n```python\n(.*?)```\n)(?:\n```text\n(.*?)```\n)?", re.S | re.M)


@pytest.fixture(scope="module")
def ten(place):
    """The lake of the page: ten machines, two days; the last day compacted."""
    (place / "ten").mkdir()
    fleet = Fleet(place / "ten", 10, 2)
    iotrc("lake", "sync", fleet.raw, place / "ten/lake", code=1)
    iotrc("lake", "compact", place / "ten/lake", "--date", "2026-11-03", "--grace", "0")
    return place / "ten/lake"


def plain(value):
    """The same value of all engines."""
    if isinstance(value, str):
        value = float(value) if re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", value) else value
    if isinstance(value, float):
        return int(value) if value.is_integer() else round(value, 6)
    return value


def shown(rows):
    return "".join("  ".join(str(v) for v in row) + "\n" for row in rows)


def same(rows):
    return [[plain(v) for v in row] for row in rows]


def test_the_answers(ten, place):
    found = QUESTION.findall(PAGE.read_text())
    assert len(found) == 10
    by_duckdb = [same(r) for r in duckdb(place, ten, [sql for _, sql, _, _ in found])]
    assert all(by_duckdb)
    by_clickhouse = clickhouse(place, ten, [re.sub(r"quantile_disc\((\w+), ([\d.]+)\)", r"quantileExactLow(\2)(\1)", sql) for _, sql, _, _ in found])
    by_dask = dask("questions", ten)
    for (head, *_), a, b, c in zip(found, by_duckdb, by_clickhouse, by_dask):
        assert a == same(b), f"ClickHouse: {head.splitlines()[0]}"
        assert a == same(c), f"Dask: {head.splitlines()[0]}"
    if os.environ.get("UPDATE"):
        answers = iter(by_duckdb)
        PAGE.write_text(QUESTION.sub(lambda m: f"{m[1]}\n```text\n{shown(next(answers))}```\n", PAGE.read_text()))
    else:
        assert [text for *_, text in found] == [shown(rows) for rows in by_duckdb]
