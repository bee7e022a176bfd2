# SPDX-License-Identifier: GPL-2.0-or-later
"""iotrc lake compact of a day that is too large for one file: files of about 256 MiB, in a directory and in an S3 store,
and readers that count each row once at any time."""
import os
import shutil
import subprocess
import time

import conftest
import pytest
from ceph import KEY, SECRET
from conftest import IOTRC
from engines import DUCKDB, clickhouse, duckdb, run_node

DAY = "2026-11-02"
MIB = 1 << 20
TARGET = 256 * MIB # docs/fleet.md
TOTAL = 600 * MIB # of the day before it is compacted: files of 256 MiB, and a rest
# Random text does not compress: each digit takes half a byte.
TEXT = " || ".join(["md5(random()::VARCHAR)"] * 10)
ROW = 165
QUESTION = f"SELECT count(*), sum(duration_ns), max(mono_ns) FROM fs WHERE date = '{DAY}'"
ALL = f"SELECT count(*), sum(hash(t)::HUGEINT) FROM (FROM fs WHERE date = '{DAY}') AS t"
GRACE = 8


def enlarge(place, path, size):
    """Repeats the rows of a file of the lake with longer names, to about SIZE bytes."""
    larger = path.with_suffix(".larger")
    n = size // ROW
    run_node(place, DUCKDB, [
        f"COPY (SELECT t.* REPLACE (filename || '/' || {TEXT} AS filename) FROM read_parquet('{path}', hive_partitioning = false) t, "
        f"range({n} // (SELECT count(*) FROM read_parquet('{path}')) + 1)) TO '{larger}' (FORMAT parquet, COMPRESSION zstd, "
        "ROW_GROUP_SIZE 122880)"])
    larger.rename(path)


@pytest.fixture(scope="module")
def large(lake, place):
    copy = shutil.copytree(lake, place / "large")
    files = sorted(copy.glob(f"v=1/stream=fs/date={DAY}/*/*.parquet"))
    for path in files:
        enlarge(place, path, TOTAL // len(files))
    yield copy
    shutil.rmtree(copy)


def sizes_are_right(before, after):
    """BEFORE: sizes of the files that were merged; AFTER: of those that they have become, in the order of their numbers. As near
    to 256 MiB as whole files allow."""
    *full, rest = after
    assert len(full) >= 2 and 0 < rest <= TARGET + max(before) / 2, after
    assert all(abs(size - TARGET) < max(before) / 2 + TARGET * 0.02 for size in full), after
    assert 0.9 < sum(after) / sum(before) < 1.1


def compact(lake, read, **environment):
    """Twice: the second one removes what the first one has replaced. The answers of READ meanwhile."""
    answers = []
    for _ in range(2):
        process = subprocess.Popen([IOTRC, "lake", "compact", lake, "--date", DAY, "--grace", f"{GRACE}s"], stdout=subprocess.DEVNULL,
                                   env={**os.environ, "IOTRC_DUCKDB": str(conftest.DUCKDB), **environment})
        while process.poll() is None:
            answers.append(read())
        assert process.returncode == 0
        time.sleep(GRACE + 0.5)
    return answers


def number(name):
    return int(name.removesuffix(".parquet").rpartition("-")[2])


def test_in_a_directory(large, place, tmp_path):
    copy = shutil.copytree(large, tmp_path / "lake")
    files = copy / f"v=1/stream=fs/date={DAY}"
    before = [p.stat().st_size for p in files.glob("*/*")]
    whole, contents = duckdb(place, copy, [QUESTION, ALL])
    answers = compact(copy, lambda: duckdb(place, copy, [QUESTION])[0])
    assert len(answers) > 3 and all(a == whole for a in answers)
    assert duckdb(place, copy, [QUESTION, ALL]) == [whole, contents]
    assert {p.parent.name for p in files.glob("*/*")} == {"machine=all"}
    sizes_are_right(before, [p.stat().st_size for p in sorted(files.glob("*/*"), key=lambda p: number(p.name))])


def test_in_a_store(large, server, s3cmd, bucket, place):
    url = f"s3://{bucket}/lake"
    subprocess.run(["s3cmd", "-c", s3cmd.conf, "sync", "-q", f"{large}/", f"{url}/"], check=True, timeout=600)
    collection = (f"CREATE NAMED COLLECTION iotrc_lake AS url = '{server.endpoint}/{bucket}/lake/', "
                  f"access_key_id = '{KEY}', secret_access_key = '{SECRET}'")

    def read():
        return clickhouse(place, url, [QUESTION], [collection], **server.environment())[0]

    def files():
        return s3cmd.list(bucket, f"lake/v=1/stream=fs/date={DAY}/")

    before, whole = list(files().values()), read()
    assert [[int(v) for v in row] for row in whole] == [[int(v) for v in row] for row in duckdb(place, large, [QUESTION])[0]]
    answers = compact(url, read, **server.environment())
    assert len(answers) > 3 and all(a == whole for a in answers)
    assert read() == whole
    after = files()
    assert all("/machine=all/" in name for name in after)
    sizes_are_right(before, [after[name] for name in sorted(after, key=number)])
