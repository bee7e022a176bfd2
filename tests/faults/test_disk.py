# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks that fill up, fail or vanish during a recording. Rows that are not written are counted, each of them: the
oracle is a writer on another disk that numbers its operations (numbered.c)."""
import contextlib
import fcntl
import os
import pathlib
import shutil
import struct
import subprocess
import time

import pytest

import modules
import recorder
from disks import RESUME, SETTLE, Disk, Numbered, check_account, failing, lost_disk, now, numbers, record, verify


@pytest.fixture
def disk(tmp_path):
    made = []

    def make(*args, **kwargs):
        made.append(Disk(tmp_path, *args, **kwargs))
        return made[0]

    yield make
    for d in made:
        subprocess.run(["umount", "-l", d.point], check=False, capture_output=True)


def test_full_and_freed(tmp_path, disk):
    """The disk fills three times, and is full at the end: the manifest is written even then."""
    d, numbered, spans = disk(24), Numbered(tmp_path), []
    with numbered, record(tmp_path, numbered, d.point / "traces", "--min-free", "off", code=3) as r:
        begun = now()
        for i in range(4):
            time.sleep(SETTLE)
            full = now()
            d.fill()
            time.sleep(SETTLE)
            if i < 3:
                d.free()
            # Rows that waited when the disk filled are lost, too: rows wait for half a second.
            spans.append((full - 2 * 10**9, now() + RESUME * 10**9))
            if i < 3:
                time.sleep(RESUME)
        ended = now()
        time.sleep(0.1)
        r.stop()
    missing = check_account(r.session, numbered, begun, ended, spans)
    assert len(missing) > 100
    assert r.manifest["session"]["state"] == "complete"
    assert "could not write all rows: No space left on device" in r.stderr
    assert len(r.session.files("fs")) >= 2
    verify(r.session.directory)


def test_min_free(tmp_path, disk):
    """Nothing is written while less than --min-free is free, and a message reports it."""
    d, numbered = disk(64), Numbered(tmp_path)
    with numbered, record(tmp_path, numbered, d.point / "traces", "--min-free", "20M", code=3) as r:
        begun = now()
        time.sleep(SETTLE)
        low = now()
        d.fill(leave=10 << 20)
        time.sleep(SETTLE)
        before = os.statvfs(d.point).f_bavail
        time.sleep(SETTLE)
        assert os.statvfs(d.point).f_bavail >= before, "it went on writing"
        assert "the disk has 9 MiB free, and 20 are to stay so (--min-free)" in r.errors() or (
            "the disk has 10 MiB free" in r.errors()), r.errors()
        d.free()
        span = (low - 2 * 10**9, now() + RESUME * 10**9)
        time.sleep(RESUME)
        ended = now()
        time.sleep(1)
    assert len(check_account(r.session, numbered, begun, ended, [span])) > 100
    assert "the disk has free space again" in r.stderr
    verify(r.session.directory)


def pad(session, mib):
    with open(session / "padding", "wb") as f:
        os.posix_fallocate(f.fileno(), 0, mib << 20)


def test_max_disk(tmp_path):
    """Uploaded sessions are removed, oldest first, and no others."""
    numbered, output, target = Numbered(tmp_path), tmp_path / "traces", tmp_path / "target"
    target.mkdir()
    old = []
    with numbered:
        for i in range(3):
            with record(tmp_path, numbered, output) as r:
                time.sleep(1)
            old.append(r.session_directory)
            if i < 2:
                done = recorder.run("upload", str(output), "--upload", f"file://{target}", "--keep-uploaded")
                assert done.returncode == 0, done.stdout + done.stderr
            pad(old[i], 6)
        # Of 18 MiB the first session exceeds the limit.
        with record(tmp_path, numbered, output, "--max-disk", "16M") as r:
            wait_for(lambda: not old[0].exists(), r)
            time.sleep(SETTLE)
            assert old[1].exists() and old[2].exists()
        assert f"session {old[0].name} is uploaded, and was removed" in r.stderr
        assert not lost_disk(r.session)
        # The last session alone exceeds the limit, and is the only copy.
        pad(old[2], 17)
        with record(tmp_path, numbered, output, "--max-disk", "16M", code=3) as r:
            wait_for(lambda: not old[1].exists(), r)
            wait_for(lambda: "none of them is uploaded: rows are being lost" in r.errors(), r)
            time.sleep(SETTLE)
            assert (old[2] / "padding").exists()
            (old[2] / "padding").unlink()
            wait_for(lambda: "the disk has free space again" in r.errors(), r)
            resumed = now() + RESUME * 10**9
            time.sleep(RESUME + 1)
            ended = now()
            time.sleep(1)
        assert lost_disk(r.session) > 0
        have, times = set(numbers(r.session)), numbered.done()
        assert all(i in have for i, t in enumerate(times) if resumed < t < ended)
    verify(r.session.directory)
    verify(old[2])


def wait_for(truth, r):
    deadline = time.monotonic() + recorder.START
    while not truth():
        assert time.monotonic() < deadline, r.errors()
        time.sleep(0.1)


def test_removed_directory(tmp_path):
    """The session's directory is created again at the same place; the rows in the removed one are counted as lost."""
    numbered, output = Numbered(tmp_path), tmp_path / "traces"
    with numbered, record(tmp_path, numbered, output, code=3) as r:
        begun = now()
        time.sleep(SETTLE)
        shutil.rmtree(output)
        removed = now()
        time.sleep(RESUME)
        ended = now()
        time.sleep(1)
    assert "was removed with its content: created again" in r.stderr
    missing = check_account(r.session, numbered, begun, ended, [(begun, removed + RESUME * 10**9)])
    assert len(missing) > 100
    verify(r.session.directory)


# EXT4_IOC_SHUTDOWN, fs/ext4/ext4.h: as if the power failed, without flushing the journal.
SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = struct.pack("I", 2)


def shut_down(point):
    fd = os.open(point, os.O_RDONLY)
    try:
        fcntl.ioctl(fd, SHUTDOWN, NO_LOG_FLUSH)
    finally:
        os.close(fd)


def test_power_failure(tmp_path, disk):
    """All rows but those of the last second are on the disk, if the disk syncs quickly."""
    d = disk(64)
    missing, failed = failing(tmp_path, d, lambda: shut_down(d.point))
    assert all(t > failed - (1 + SETTLE) * 10**9 for t in missing), (failed - min(missing)) / 1e9


def test_read_only(tmp_path, disk):
    """The kernel remounts a filesystem read-only after an error."""
    d = disk(64, options="loop,errors=remount-ro")
    trigger = pathlib.Path("/sys/fs/ext4", os.path.basename(d.device()), "trigger_fs_error")
    missing, failed = failing(tmp_path, d, lambda: trigger.write_text("test"), "--rotate-age", "2s")
    assert all(t > failed - (1 + SETTLE) * 10**9 for t in missing)


def test_quota(tmp_path, disk):
    """A limit (RLIMIT_FSIZE) of the recorder alone."""
    modules.need("btrfs")
    d, numbered = disk(256, make=("mkfs.btrfs", "-q", "-f")), Numbered(tmp_path)
    volume = d.point / "volume"
    for command in ("subvolume", "create", volume), ("quota", "enable", d.point):
        subprocess.run(["btrfs", *command], check=True, capture_output=True)
    group = subprocess.run(
        ["btrfs", "inspect-internal", "rootid", volume], check=True, capture_output=True, text=True
    ).stdout.strip()

    def limit(size):
        subprocess.run(["btrfs", "qgroup", "limit", size, f"0/{group}", d.point], check=True)

    with numbered, record(tmp_path, numbered, volume / "traces", "--min-free", "off", code=3) as r:
        begun = now()
        time.sleep(SETTLE)
        full = now()
        subprocess.run(["sync", "-f", d.point], check=True)
        limit("64K")
        time.sleep(2 * SETTLE)
        limit("none")
        span = (full - 2 * 10**9, now() + RESUME * 10**9)
        time.sleep(RESUME)
        ended = now()
        time.sleep(1)
    assert len(check_account(r.session, numbered, begun, ended, [span])) > 100
    assert "Disk quota exceeded" in r.stderr
    verify(r.session.directory)


def test_errors_that_go_away(tmp_path, disk):
    """The image is on a tmpfs that is full for a while: writeback fails meanwhile with EIO, which only the next sync
    reports. Every row that counts as written is on the disk."""
    store, numbered = tmp_path / "store", Numbered(tmp_path)
    store.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", store], check=True)
    try:
        d = Disk(store, 64, ("mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-E", "lazy_itable_init=0"),
                 "loop,errors=continue")
        try:
            # All blocks are allocated first, then the unused ones are discarded: only new blocks can fail, which hold
            # data.
            d.fill()
            subprocess.run(["sync", "-f", d.point], check=True)
            d.free()
            subprocess.run(["fstrim", d.point], check=True)
            check_errors_that_go_away(tmp_path, d, store, numbered)
        finally:
            subprocess.run(["umount", "-l", d.point], check=False, capture_output=True)
    finally:
        subprocess.run(["umount", "-l", store], check=True)


def check_errors_that_go_away(tmp_path, d, store, numbered):
    filler = store / "filler"
    with numbered, record(
        tmp_path, numbered, d.point / "traces", "--min-free", "off", "--rotate-age", "2s", code=None
    ) as r:
        begun = now()
        time.sleep(SETTLE)
        failed = now()
        with open(filler, "wb", buffering=0) as f, contextlib.suppress(OSError):
            while True:
                f.write(bytes(1 << 16))
        time.sleep(3 * SETTLE)
        filler.unlink()
        span = (failed - 2 * 10**9, now() + RESUME * 10**9)
        time.sleep(RESUME)
        ended = now()
        time.sleep(1)
    # The page cache proves nothing: read again from the disk.
    d.umount()
    d.mount_copy()
    check_account(r.session, numbered, begun, ended, [span])
    verify(r.session.directory)
