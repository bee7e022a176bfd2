# SPDX-License-Identifier: GPL-2.0-or-later
"""In a Debian that has dask, distributed and pyarrow: prints as JSON what a lake holds. WHAT: totals,
totals_of_cluster, dtypes, versions, day, questions, killed."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
import pandas as pd

sys.path.insert(0, "/top/python")
import iotrc # noqa: E402

DAY = [("date", "==", "2026-11-03"), ("operation", "==", "read")]


def totals(lake):
    """{stream: [rows found, rows and lost rows as stated]}"""
    sessions = iotrc.dask(lake, "sessions", ["stream_name", "rows", "lost"]).compute()
    stated = sessions.groupby("stream_name", observed=True)[["rows", "lost"]].sum()
    found = {stream: len(iotrc.dask(lake, stream, ["mono_ns"])) for stream in stated.index[stated["rows"] > 0]}
    return {s: [n, int(stated.loc[s, "rows"]), int(stated.loc[s, "lost"])] for s, n in found.items()}


def dtypes(lake):
    fs = iotrc.dask(lake, "fs")
    part = fs.compute()
    return [{n: str(t) for n, t in x.dtypes.items()} for x in (fs._meta, part)]


def versions(lake):
    """All columns, the rows with all, and with one that only the newest version has."""
    waits = iotrc.dask(lake, "nw_epoll")
    return [list(waits.columns), len(waits.compute()), len(iotrc.dask(lake, "nw_epoll", [os.environ["COLUMN"]]).compute())]


def old_aiobotocore():
    """Debian's is older than its botocore, and does not pass a required argument."""
    from botocore.args import ClientArgsCreator

    new = ClientArgsCreator.compute_endpoint_resolver_builtin_defaults
    wanted = "s3_disable_express_session_auth"
    if wanted in new.__code__.co_varnames:
        ClientArgsCreator.compute_endpoint_resolver_builtin_defaults = lambda self, *args, **kw: new(self, *args, **{wanted: None, **kw})


def day(lake):
    if lake.startswith("s3://"):
        old_aiobotocore()
    return len(iotrc.dask(lake, "fs", ["operation", "mono_ns"], filters=DAY))


def questions(lake):
    answers = []
    for block in re.findall(r"```python\n(.*?)```", pathlib.Path("/top/docs/fleet-questions.md").read_text(), re.S):
        scope = {"iotrc": iotrc, "np": np, "pd": pd, "lake": lake}
        exec(block, scope)
        answers.append(json.loads(scope["answer"].to_json(orient="values", double_precision=15)))
    return answers


# ---- a cluster ----

class Cluster:
    """A scheduler and two workers, each a process. Each ends by itself after that many SECONDS."""

    def __init__(self, seconds=900):
        self.dir, self.seconds = tempfile.mkdtemp(), seconds
        self.file = os.path.join(self.dir, "scheduler.json")
        # Does not look up the name of this machine: it may have none.
        local = ["--host", "127.0.0.1", "--no-dashboard"]
        self.processes = [self.start("scheduler", *local, "--port", "0", "--scheduler-file", self.file)]
        while not os.path.exists(self.file):
            time.sleep(0.1)
            assert self.processes[0].poll() is None, "the scheduler has ended"
        self.processes += [self.start("worker", *local, "--scheduler-file", self.file, "--nthreads", "1", "--no-nanny",
                                      "--local-directory", self.dir, "--name", f"worker{i}") for i in range(2)]

    def start(self, what, *arguments):
        return subprocess.Popen(["timeout", "-k", "5", str(self.seconds), sys.executable, "-m", f"distributed.cli.dask_{what}", *arguments],
                                env={**os.environ, "PYTHONPATH": "/top/python"}, stdout=sys.stderr)

    def kill_worker(self):
        """Kills the Python process, not the one that limits its time."""
        watch = self.processes[1].pid
        worker = int(pathlib.Path(f"/proc/{watch}/task/{watch}/children").read_text().split()[0])
        os.kill(worker, signal.SIGKILL)

    def end(self):
        for process in self.processes:
            process.kill()


def totals_of_cluster(lake):
    from distributed import Client

    old_aiobotocore()
    cluster = Cluster(3600)
    try:
        with Client(scheduler_file=cluster.file, timeout=300, set_as_default=True) as client:
            client.wait_for_workers(2, timeout=300)
            client.run(old_aiobotocore)
            return totals(lake)
    finally:
        cluster.end()


def slowly(rows):
    """Slows down the query, so that a worker is killed in the middle of it."""
    time.sleep(0.2)
    return rows


def killed(lake):
    """The same sum by threads, by two workers, and by two of which one is killed during the query."""
    from distributed import Client

    iotrc.PARTITION_BYTES = 1 # each file is a partition
    fs = iotrc.dask(lake, "fs", ["machine", "duration_ns"])
    rows = fs.map_partitions(slowly, meta=fs._meta)
    wanted = int(fs.duration_ns.sum().compute(scheduler="threads"))
    cluster = Cluster()
    try:
        with Client(scheduler_file=cluster.file, timeout=300, set_as_default=True) as client:
            client.wait_for_workers(2, timeout=300)
            both = int(client.compute(rows.duration_ns.sum()).result(timeout=300))
            before = len(client.scheduler_info()["workers"])
            future = client.compute(rows.duration_ns.sum())
            time.sleep(1)
            status = future.status
            cluster.kill_worker()
            one = int(future.result(timeout=300))
            return [wanted, both, one, status, before, len(client.scheduler_info()["workers"])]
    finally:
        cluster.end()


if __name__ == "__main__":
    iotrc.PARTITION_BYTES = 1 if sys.argv[1] in ("totals", "dtypes", "day", "questions") else 1 << 20 # 1: each file is one
    print(json.dumps(globals()[sys.argv[1]](sys.argv[2])))
