# SPDX-License-Identifier: GPL-2.0-or-later
"""The stream extent while PostgreSQL runs pgbench, on each file system. The oracles: FIEMAP, and what the server says that it
has written and synced."""
import contextlib
import os
import pathlib
import time

import pytest

import database
import modules
import recorder
from test_block import SECTOR, settle
from test_block_devices import run
from test_lineage import (FIEMAP_FLAG_SYNC, PAGE, device_of, extents, file_system, freeze, kinds, mapped, place_of,
                          placed)

COMMITS = 40
FIEMAP_DATA_INLINE = 0x200 # include/uapi/linux/fiemap.h


@pytest.fixture(scope="module")
def created(module_path):
    """An empty database: to create it takes longer than all the rest."""
    if not database.BIN:
        raise modules.Missing("needs PostgreSQL: scripts/install-deps.sh check")
    data = pathlib.Path(module_path) / "created" / "data"
    data.parent.mkdir()
    database.create(data)
    return data


def is_inline(file):
    """Is its data in its inode (f2fs)?"""
    return any(flags & FIEMAP_DATA_INLINE for *_, flags in mapped(file, FIEMAP_FLAG_SYNC))


class Committed:
    """The rows of what PostgreSQL writes on a filesystem for pgbench's commits and a checkpoint; where its files are then."""

    def __init__(self, kind, path, created, blank=None):
        point = path / "disk"
        self.data = point / "data"
        self.stays = kind != "f2fs" # a page that is written again does not go elsewhere
        with file_system(kind, point, blank) as disk:
            os.chmod(point, 0o777)
            run("cp", "-a", created, self.data)
            with database.served(self.data) as ask, contextlib.ExitStack() as end:
                database.as_postgres("pgbench", "-q", "-h", point, "-i", "postgres")
                ask("CHECKPOINT")
                ask("SELECT pg_stat_reset_shared('wal')")
                run("sync", "-f", point)
                settle(disk)
                with recorder.Recording(path, "--streams", "block", "--lineage", code=None) as r:
                    self.said = database.as_postgres("pgbench", "-h", point, "-n", "-t", COMMITS, "postgres")
                    time.sleep(1.2) # the server reports its counts each second
                    self.log_bytes, self.syncs = map(int, ask("SELECT wal_bytes, wal_sync FROM pg_stat_wal").split("|"))
                    ask("CHECKPOINT")
                    run("sync", "-f", point)
                    self.files = {str(file.stat().st_ino): (str(file), extents(file)) for file in self.data.rglob("*")
                                  if file.is_file() and file.stat().st_size and not is_inline(file)}
                    freeze(point, end)
                    settle(disk)
            of_disk = device_of(disk)
        rows = r.rows("extent")
        rows = rows[(rows["device"] == of_disk) & (rows["operation"] == "write") & rows["kind"].isin(["data", "direct"])]
        self.rows = rows[rows["inode"].isin(list(self.files))].astype({"offset": int, "size": int, "sector": int})
        self.log = self.rows[self.rows["filename"].str.contains("/pg_wal/")]
        self.missed = r.missed()


@pytest.fixture(scope="module", params=kinds())
def committed(request, module_path, created):
    kind, blank = place_of(request.param)
    path = pathlib.Path(module_path) / request.param
    path.mkdir()
    return Committed(kind, path, created, blank)


def test_rows_lie_where_the_databases_files_do(committed):
    last = {} # {(inode, offset of a page): its row that was written last}
    for row in committed.rows.itertuples():
        name, where = committed.files[row.inode]
        if committed.stays:
            assert placed(where, row.offset, row.size) == row.sector * SECTOR, row
        if "/base/" in name and os.path.basename(name)[0].isdigit(): # other files are renamed
            assert row.filename == name
        last.update({(row.inode, at): row for at in range(row.offset, row.offset + row.size, PAGE)})
    for (inode, at), row in last.items():
        assert placed(committed.files[inode][1], at, PAGE) == row.sector * SECTOR + at - row.offset, row
    names = {committed.files[inode][0] for inode, _ in last}
    assert any("/base/" in name for name in names) and any("/pg_wal/" in name for name in names)


def test_the_log_contains_what_was_committed(committed):
    assert f"actually processed: {COMMITS}/{COMMITS}" in committed.said
    assert committed.syncs >= COMMITS
    assert committed.missed or committed.log["size"].sum() >= committed.log_bytes
    synced = committed.log[committed.log["cause"] == "fsync"]
    assert committed.missed or synced["request_id"].nunique() >= committed.syncs
    assert set(committed.log["command"]) == {"postgres"}
