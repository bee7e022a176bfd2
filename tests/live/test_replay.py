# SPDX-License-Identifier: GPL-2.0-or-later
"""Kept records make the same rows again, on any system and for any user."""
import itertools
import os
import shutil
import subprocess

import pytest

import recorder

STREAMS = "fs,block,nw_conn,nw_epoll,nw_sockopt,nw_drop,nw_flow,cache,pagefault,extent"
NOBODY = 65534


def record(tmp_path, *args, workloads, work=None, **kwargs):
    """A session, and the file of its records."""
    kept = tmp_path / "records"
    work = work or tmp_path / "work"
    work.mkdir(exist_ok=True)
    with recorder.Recording(
        tmp_path, "dev", "--keep-records", str(kept), "--streams", STREAMS, *args, **kwargs
    ) as r:
        for name, *rest in workloads:
            where = work / name
            where.mkdir()
            subprocess.run([recorder.workload(name), *rest], cwd=where, check=True,
                           stdout=subprocess.DEVNULL, timeout=120)
    return r, kept


def replay(tmp_path, kept, *args, **kwargs):
    with recorder.Recording(
        tmp_path, "dev", "--replay", str(kept), "--streams", STREAMS, *args, ends=True, **kwargs
    ) as r:
        pass
    return r


def contents(session, stream):
    """The bytes of a stream's files, one after the other."""
    files = sorted(session.directory.glob(f"{stream}/*.csv.zst"))
    return b"".join(
        subprocess.run(["zstd", "-dcq", f], check=True, capture_output=True).stdout for f in files
    )


def same(a, b):
    for stream in STREAMS.split(","):
        rows, again = (contents(session, stream).splitlines() for session in (a, b))
        assert [pair for pair in itertools.zip_longest(rows, again) if pair[0] != pair[1]][:3] == [], stream


def test_the_same_rows(tmp_path):
    r, kept = record(tmp_path, *recorder.OWN, workloads=(("rw",), ("namespace",), ("mapping",), ("conn",)))
    again = replay(tmp_path, kept)
    assert len(r.rows("fs")) > 100 and len(r.rows("nw_conn")) > 3 and len(r.rows("pagefault")) > 3
    same(r.session, again.session)
    assert again.manifest["tracer"]["engine"] == "replay"
    assert again.manifest["clock"]["offsets"] == r.manifest["clock"]["offsets"]
    for stream in STREAMS.split(","):
        c = again.session.counts(stream)
        assert c["seen"] == c["written"] + c["filtered"], stream


def test_without_root_and_without_ebpf(tmp_path):
    """A user who may not load BPF: the file has everything that rows need."""
    r, kept = record(tmp_path, *recorder.OWN, workloads=(("rw",),))
    for path in (kept, *kept.parents):
        if path.is_relative_to(tmp_path):
            os.chmod(path, 0o755)
    output = tmp_path / "nobodys"
    output.mkdir()
    os.chown(output, NOBODY, NOBODY)
    program = tmp_path / "iotrc" # a place that nobody, too, can reach
    shutil.copy(recorder.IOTRC, program)
    done = subprocess.run(
        [program, "dev", "--replay", kept, "--streams", STREAMS, "-q", "-o", output],
        user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, text=True,
        timeout=recorder.START,
    )
    assert done.returncode == 0, done.stderr
    same(r.session, recorder.Session(done.stdout.strip()))


@pytest.mark.slow
def test_with_little_memory(tmp_path, memory_path):
    """More files than the reader can remember then: it forgets them, and definitions are sent again."""
    r, kept = record(tmp_path, "--ops", "open,close", "--command", "manyfiles",
                     workloads=(("manyfiles", "30011", "2"),), work=memory_path)
    again = replay(tmp_path, kept, "--memory", "80M", "--ops", "open,close")
    same(r.session, again.session)
    before, after = (m["diagnostics"]["definitions"]["paths"] for m in (r.manifest, again.manifest))
    assert after > before > 30011


def test_anonymized_later(tmp_path):
    """Names are anonymised when rows are made: the file has them in clear, and no other user may read it."""
    r, kept = record(tmp_path, *recorder.OWN, workloads=(("rw",),))
    assert kept.stat().st_mode & 0o777 == 0o600
    again = replay(tmp_path, kept, "-a", "--state", str(tmp_path / "state"))
    assert len(again.rows("fs")) == len(r.rows("fs"))
    assert str(tmp_path).encode() in contents(r.session, "fs")
    assert str(tmp_path).encode() not in contents(again.session, "fs")


def test_a_recorder_that_was_killed(tmp_path):
    """What it had written by then makes rows; a message says that the file is incomplete."""
    kept = tmp_path / "records"
    file = tmp_path / "file"
    file.write_bytes(bytes(4096))
    r = recorder.Recording(tmp_path, "dev", "--keep-records", str(kept), "--streams", "fs", *recorder.OWN_OR_ALL).start()
    r.wait_ready()
    subprocess.run([recorder.workload("readloop"), file, "1"], check=True, stdout=subprocess.DEVNULL)
    recorder.wait_for(lambda: kept.stat().st_size > 1 << 20, "a megabyte of records")
    r.kill()
    with open(kept, "r+b") as f: # in the middle of an entry
        f.truncate(kept.stat().st_size - 3)
    again = replay(tmp_path, kept)
    assert "cut short" in again.stderr
    assert len(again.rows("fs")) > 1000
