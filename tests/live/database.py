# SPDX-License-Identifier: GPL-2.0-or-later
"""A PostgreSQL server."""
import contextlib
import glob
import os
import subprocess

BIN = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1:]


def as_postgres(program, *args):
    return subprocess.run(["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", f"{BIN[0]}/{program}",
                           *map(str, args)], check=True, capture_output=True, text=True, cwd="/").stdout.strip()


def create(data):
    """Creates an empty database in the directory DATA, whose parent anybody may then write to."""
    os.chmod(data.parent, 0o777)
    as_postgres("initdb", "--auth=trust", "--locale=C", "--no-sync", "-D", data)


@contextlib.contextmanager
def served(data):
    """A server that commits by fdatasync and writes nothing of its own accord; yields a function that sends it queries. Its
    socket is in the parent of DATA."""
    socket = data.parent
    as_postgres("pg_ctl", "-D", data, "-w", "-t", "300", "-l", f"{socket}/log", "-o",
                f"-k {socket} -c listen_addresses='' -c autovacuum=off -c wal_sync_method=fdatasync", "start")
    try:
        yield lambda sql: as_postgres("psql", "-h", socket, "-Atc", sql, "postgres")
    finally:
        as_postgres("pg_ctl", "-D", data, "-m", "fast", "-w", "-t", "300", "stop")
