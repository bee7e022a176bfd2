# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that people use, under strace while iotrc records: every row is as strace says."""
import json
import os
import pathlib
import subprocess

import pytest

import fs_rows
import recorder
import strace_oracle

SCRIPT = r"""
set -e
mkdir -p work/deep; cd work
for i in 1 2 3 5 7; do echo "line $i" > "file $i.txt"; echo more >> "file $i.txt"; done
cat file*.txt | sort -r | head -3 > out
while read -r a b; do echo "$b $a"; done < out | tee swapped > /dev/null
(cd deep && touch a b c && mv a z && ln b hard && ln -s ../out soft && rm c)
cp -p out deep/copy; chmod 600 deep/copy; wc -c < deep/copy
exec 7<>both; echo through >&7; exec 7>&-
grep -q line out && sed -i s/line/LINE/ out
dd if=out of=dd.out bs=7 conv=notrunc,fsync oflag=append 2>/dev/null
test -f absent || echo none; rmdir deep 2>/dev/null || rm -r deep
cd ..; rm -rf work
"""
SQL = """
PRAGMA journal_mode=WAL; CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT);
BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 997)
INSERT INTO t SELECT i, hex(zeroblob(i)) FROM n; COMMIT;
SELECT count(*), sum(length(b)) FROM t WHERE a % 7 = 3; PRAGMA wal_checkpoint(TRUNCATE);
PRAGMA journal_mode=DELETE; DELETE FROM t WHERE a % 2; VACUUM;
"""
FIO = (
    "fio --name=job --directory=fio --size=256k --bs=4k --rw=randrw --randseed=7 --end_fsync=1 "
    "--output-format=json --ioengine={}"
).format
# In the order in which they run; a later one may use what an earlier one made.
PROGRAMS = {
    "git clone, linked": "git clone -q repository linked",
    "git clone, through a pipe": "git -c protocol.file.allow=always clone -q file://{cwd}/repository cloned",
    "tar c": "tar cf archive.tar source",
    "tar x": "tar xf archive.tar --one-top-level=extracted",
    "cp": "cp --reflink=auto -a source copied",
    "rsync": "rsync -a --delete source/ synced/",
    "rsync, again": "rsync -a --checksum source/ synced/",
    "find": "find source -type f -newer source/one -size -100k -print0",
    "sqlite3": ["sqlite3", "data.db", SQL],
    "sh": ["sh", "-c", SCRIPT],
    "fio psync": FIO("psync"),
    "fio libaio": FIO("libaio") + " --iodepth=8 --direct=1",
    "fio io_uring": FIO("io_uring") + " --iodepth=8",
}
ASYNCHRONOUS = {"fio libaio": "AIO", "fio io_uring": "IO_URING"}


def make_source(cwd):
    source = cwd / "source"
    for name, size in (
        ("one", 0), ("two", 1), ("large", 300007), ("dir/inner", 5003), ("dir/sub/deep", 11),
        ("comma, \"quote\"\n", 17), ("arrow -> in it", 19), (b"bad\xff\xfe".decode(errors="surrogateescape"), 23),
    ):
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(size))
    (source / "link").symlink_to("dir/inner")
    (source / "dangling").symlink_to("nowhere")
    (source / "hard").hardlink_to(source / "two")
    with open(source / "sparse", "wb") as f:
        f.truncate(1 << 20)
        f.seek(1 << 19)
        f.write(b"middle")
    os.utime(source / "one", (1, 1))
    (cwd / "fio").mkdir()
    for i in range(31):
        (source / "dir" / f"number{i}").write_text(f"{i}\n" * i)


def make_repository(cwd, env):
    def git(*args):
        subprocess.run(["git", "-C", cwd / "repository", *args], env=env, check=True, capture_output=True)

    subprocess.run(["cp", "-a", cwd / "source", cwd / "repository"], check=True)
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "one")


class Recorded:
    def __init__(self, path):
        cwd = pathlib.Path(path) / "programs"
        cwd.mkdir()
        env = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(cwd), "LC_ALL": "C",
            "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@b", "GIT_CONFIG_NOSYSTEM": "1",
        }
        make_source(cwd)
        make_repository(cwd, env)
        self.oracles, self.failed = {}, {}
        with recorder.Recording(path, "--streams", "fs", *recorder.OWN) as r:
            for number, (name, argv) in enumerate(PROGRAMS.items()):
                if isinstance(argv, str):
                    argv = argv.format(cwd=cwd).split()
                try:
                    self.oracles[name] = strace_oracle.run(
                        argv, cwd, cwd.parent / f"{number}.strace", env=env
                    )
                except AssertionError as error:
                    self.failed[name] = error
        self.session = r.session
        self.rows = r.rows("fs")


@pytest.fixture(scope="module")
def recorded(module_path):
    return Recorded(module_path)


@pytest.mark.parametrize("name", PROGRAMS)
def test_rows_equal_strace(recorded, name):
    if name in recorded.failed:
        raise recorded.failed[name]
    oracle = recorded.oracles[name]
    assert oracle.code == 0, oracle.stderr
    rows = fs_rows.of(oracle, recorded.rows)
    if name in ASYNCHRONOUS: # only the program itself counts what makes no system call
        rows = rows[~rows["flags"].map(fs_rows.asynchronous)]
        oracle.reported = []
    found = fs_rows.compare(oracle, rows)
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("name", ASYNCHRONOUS)
def test_rows_equal_what_fio_counts(recorded, name):
    oracle = recorded.oracles[name]
    rows = fs_rows.of(oracle, recorded.rows)
    rows = rows[rows["flags"].str.split("|").map(lambda f: ASYNCHRONOUS[name] in f)]
    (job,) = json.loads(oracle.stdout)["jobs"]
    for operation in "read", "write":
        own = rows[(rows["operation"] == operation) & (rows["errno"] == "")]
        assert len(own) == job[operation]["total_ios"], operation
        assert own["bytes_completed"].astype(int).sum() == job[operation]["io_bytes"]
        assert own["offset"].astype(int).isin(range(0, 256 << 10, 4 << 10)).all()
        assert set(own["filename"].map(os.path.basename)) == {"job.0.0"}


def test_nothing_lost(recorded):
    assert recorded.session.lost() == {}
