# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/lineage.md: its three questions, asked of a recording of PostgreSQL under pgbench and of a program that knows what
it wrote. The oracles: pg_stat_wal, pgbench's own count, the disk's counters in /sys/block."""
import contextlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import pandas
import pytest

import record

sys.path.insert(0, str(record.TOP / "tests/live"))

import database # noqa: E402
import recorder # noqa: E402

PAGE = (record.TOP / "docs/lineage.md").read_text()
PAGE_BYTES, SECTOR = 4096, 512
COMMITS, LINES, LINE = 120, 300, 100
# A log of short lines, each synced. Says how many bytes of pages it made dirty.
LOGGER = f"""
import os, sys
f = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
pages = 0
for i in range({LINES}):
    os.write(f, b"l" * {LINE})
    os.fsync(f)
    pages += (({LINE} * (i + 1) - 1) // {PAGE_BYTES}) - ({LINE} * i // {PAGE_BYTES}) + 1
print(pages * {PAGE_BYTES})
"""


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout.strip()


@contextlib.contextmanager
def disk(directory):
    """(where ext4 is mounted, the device) on a loop device in memory."""
    image = pathlib.Path("/dev/shm") / f"iotrc-{os.getpid()}.img"
    with open(image, "wb") as f:
        f.truncate(600 << 20)
    device = run("losetup", "--find", "--show", image)
    image.unlink()
    point = directory / "disk"
    point.mkdir()
    run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", device)
    run("mount", device, point)
    try:
        yield point, device
    finally:
        # What stands on it may not have ended yet.
        recorder.wait_for(lambda: not subprocess.call(["umount", point]), f"{point} is unmounted")
        run("losetup", "-d", device)


@contextlib.contextmanager
def frozen(point):
    """All has been written, and nothing is written meanwhile: not by threads of the filesystem either."""
    run("fsfreeze", "-f", point)
    try:
        yield
    finally:
        run("fsfreeze", "-u", point)


def sectors_written(device):
    """Of /sys/block/DEV/stat (Documentation/block/stat.rst)."""
    return int(pathlib.Path(f"/sys/block/{os.path.basename(device)}/stat").read_text().split()[6])


class Asked:
    """What the programs and the kernel say, and the answers of the page."""

    def __init__(self, directory):
        os.chmod(directory, 0o755)
        with contextlib.ExitStack() as end:
            point, device = end.enter_context(disk(directory))
            database.create(point / "data")
            ask = end.enter_context(database.served(point / "data"))
            database.as_postgres("pgbench", "-q", "-h", point, "-i", "-s", "1", "postgres")
            ask("CHECKPOINT")
            ask("SELECT pg_stat_reset_shared('wal')")
            recording = contextlib.ExitStack()
            with frozen(point):
                before = sectors_written(device)
                recording.enter_context(record.recording(directory / "iotrc-traces", "--streams", "fs,block", "--lineage"))
            with recording:
                self.bench = database.as_postgres("pgbench", "-h", point, "-n", "-c", "1", "-t", COMMITS, "postgres")
                self.logged = int(run(sys.executable, "-c", LOGGER, point / "logger"))
                time.sleep(1.2) # the server reports its counts each second
                self.wal_bytes, self.syncs = map(int, ask("SELECT wal_bytes, wal_sync FROM pg_stat_wal").split("|"))
                with frozen(point):
                    self.sectors = sectors_written(device) - before
                    recording.close()
            number = os.stat(device).st_rdev
            self.device = f"{os.major(number)}:{os.minor(number)}"
        self.directory = directory
        self.answers = self.ask()

    def ask(self):
        text = PAGE[PAGE.index("## Three questions"):PAGE.index("## Which kernels")]
        blocks = re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)
        lines = ["import matplotlib", "matplotlib.use('Agg')"]
        for number, block in enumerate(blocks):
            lines += [f"print('## {number}')", block.replace(".head(10)", "")]
            if not number: # of the machine, what concerns this disk
                lines.append(f"fs, written = (t[t[c].astype(str) == {self.device!r}] for t, c in "
                             "((fs, 'device'), (written, 'device')))")
        lines.append("extent.to_pickle('extent')")
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", "\n".join(lines)], cwd=self.directory, text=True,
                              capture_output=True, check=False,
                              env={**os.environ, "PYTHONPATH": str(record.TOP / "python"),
                                   "MPLCONFIGDIR": str(self.directory)})
        assert done.returncode == 0, done.stderr
        return dict(re.findall(r"^## (\d)\n(.*?)(?=^## |\Z)", done.stdout, re.M | re.S))


@pytest.fixture(scope="module")
def answered():
    assert database.BIN, "needs PostgreSQL: scripts/install-deps.sh python"
    with tempfile.TemporaryDirectory(prefix="iotrc-") as directory: # pytest's own are closed to PostgreSQL's user
        yield Asked(pathlib.Path(directory))


def test_pictures(answered):
    for picture in re.findall(r"!\[[^]]+\]\(lineage/(.*?)\)", PAGE):
        drawn = answered.directory / picture
        assert drawn.stat().st_size > 3000, picture
        kept = record.TOP / "docs/lineage" / picture
        if os.environ.get("UPDATE"):
            kept.write_bytes(drawn.read_bytes())
        assert kept.exists(), picture


def test_1_amplification(answered):
    found = re.search(r"/logger +(\d+) +([\d.]+) +([\d.]+)$", answered.answers["1"], re.M)
    disk, written, amplification = map(float, found.groups())
    assert (disk, written) == (answered.logged, LINES * LINE)
    assert abs(amplification - answered.logged / (LINES * LINE)) < 0.01


def test_2_wear(answered):
    """The sum is what the kernel has counted for the disk, not including what the recorder does."""
    lines = answered.answers["2"].splitlines()
    at, = (i for i, line in enumerate(lines) if line.startswith(answered.device + " "))
    of_disk = [int(lines[at].split()[-1])]
    for line in lines[at + 1:]:
        if not line.startswith(" "):
            break
        of_disk.append(int(line.split()[-1]))
    assert sum(of_disk) == answered.sectors * SECTOR


def test_3_commit(answered):
    assert f"number of transactions actually processed: {COMMITS}/{COMMITS}" in answered.bench
    commits = int(re.search(r"^(\d+) commits", answered.answers["3"], re.M)[1])
    assert commits == answered.syncs and commits >= COMMITS
    found = {kind: (float(n), float(size)) for kind, n, size in
             re.findall(r"^(\w+) +([\d.]+) +([\d.]+)$", answered.answers["3"], re.M)}
    assert list(found) == ["log", "data", "journal", "metadata"]
    requests, size = found["log"]
    rows = pandas.read_pickle(answered.directory / "extent")
    log = rows[(rows.operation == "write") & rows.filename.astype(str).str.contains("/pg_wal/")]
    assert requests >= 1 and answered.wal_bytes <= size * commits <= log["size"].sum() + 1
