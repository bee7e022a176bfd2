# SPDX-License-Identifier: GPL-2.0-or-later
"""Filesystems for a test, a writer that numbers its operations, and checks of what was recorded on a disk that failed."""
import contextlib
import os
import signal
import struct
import subprocess
import time

import modules
import recorder

RESUME = 15 if recorder.EMULATED else 5  # seconds: what is promised
SETTLE = 6 if recorder.EMULATED else 2


class Disk:
    """A filesystem on a loop device, for one test."""

    def __init__(self, tmp_path, mib, make=("mkfs.ext4", "-q", "-F", "-m", "0"), options="loop"):
        modules.need("loop")
        self.image, self.point = tmp_path / "image", tmp_path / "disk"
        self.point.mkdir()
        with open(self.image, "wb") as f:
            f.truncate(mib << 20)
        self.options = options
        subprocess.run([*make, self.image], check=True, capture_output=True)
        self.mount()

    def mount(self):
        subprocess.run(["mount", "-o", self.options, self.image, self.point], check=True)

    def umount(self, *options):
        # Unmounting syncs, but not while another mount namespace has it mounted, too.
        subprocess.run(["sync", "-f", self.point], check=False)
        subprocess.run(["umount", *options, self.point], check=True)

    def mount_copy(self):
        """The disk's content, even while another mount namespace has it mounted."""
        copy = self.image.with_suffix(".copy")
        subprocess.run(["cp", "--sparse=always", self.image, copy], check=True)
        self.image = copy
        subprocess.run(["e2fsck", "-fy", copy], check=False, capture_output=True)
        self.mount()

    def device(self):
        done = subprocess.run(["findmnt", "-no", "SOURCE", self.point], capture_output=True, text=True)
        return done.stdout.strip()

    def fill(self, leave=0):
        """Fills it up except for LEAVE bytes."""
        with open(self.point / "filler", "ab") as f, contextlib.suppress(OSError):
            s = os.statvfs(self.point)
            os.posix_fallocate(f.fileno(), 0, f.tell() + s.f_bavail * s.f_frsize - leave)
        with open(self.point / "filler2", "ab", buffering=0) as f, contextlib.suppress(OSError):
            while not leave:
                f.write(bytes(4096))

    def free(self):
        for name in "filler", "filler2":
            with contextlib.suppress(FileNotFoundError):
                (self.point / name).unlink()


class Numbered:
    """Numbered writes until it is stopped."""

    N = 10_000_000

    def __init__(self, tmp_path):
        self.directory = tmp_path / "work"
        self.directory.mkdir()
        self.path, self.stamps = self.directory / "file", tmp_path / "stamps"

    def __enter__(self):
        self.process = subprocess.Popen(
            [recorder.workload("numbered"), self.path, self.stamps, str(self.N), "20000"]
        )
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def done(self):
        """When each operation was done."""
        data = self.stamps.read_bytes() if self.stamps.stat().st_size < 1 << 20 else None
        if data is None:
            with open(self.stamps, "rb") as f:
                data = f.read(1 << 23)
        times = []
        for (stamp,) in struct.iter_unpack("<Q", data[: len(data) // 8 * 8]):
            if not stamp:
                break
            times.append(stamp)
        return times


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def record(tmp_path, numbered, output, *args, **kwargs):
    return recorder.Recording(
        tmp_path, "--streams", "fs", "--path", str(numbered.directory), "--ops", "write",
        *args, output=output, log=tmp_path / "stderr", **kwargs,
    )


def numbers(session):
    rows = session.rows("fs")
    return rows.loc[rows["operation"] == "write", "offset"].astype(int).tolist()


def lost_disk(session):
    return session.counts("fs")["lost"]["disk"]


def check_account(session, numbered, begun, ended, spans):
    """Every operation between BEGUN and ENDED has one row or was lost to the disk in one of SPANS, and the number of
    operations without a row equals the number counted as lost."""
    have = numbers(session)
    assert len(set(have)) == len(have)
    have = set(have)
    times = numbered.done()
    missing = [i for i, t in enumerate(times[1:], 1) if begun < times[i - 1] and t < ended and i not in have]
    for i in missing:
        assert any(a < times[i] < b for a, b in spans), (i, times[i], spans)
    n = sum(1 for t in times if begun < t < ended)
    assert len(missing) <= lost_disk(session)
    assert lost_disk(session) <= len(missing) + len(times) - n
    counts = session.counts("fs")
    assert counts["lost"]["ring"] == counts["lost"]["queue"] == 0
    return missing


def verify(directory):
    done = recorder.run("verify", str(directory))
    assert done.returncode == 0, done.stdout + done.stderr


def end_without_manifest(r):
    """The disk failed: checks the exit code, and the message about what could not be written."""
    r.send(signal.SIGINT)
    code = r.process.wait(recorder.START)
    r.process.stdout.close()
    assert code == 3, r.errors()
    assert "cannot write" in r.errors() and "manifest.json" in r.errors()


def lost_in_status(r):
    """The fs line of SIGUSR1's table: seen, written, filtered, lost (ring, queue, disk, …)."""
    r.send(signal.SIGUSR1)
    time.sleep(1)
    lines = [line.split() for line in r.errors().splitlines() if line.startswith("fs ")]
    return [int(n) for n in lines[-1][1:]]


def failing(tmp_path, d, fail, *args):
    """A disk that answers every write with an error until the end: rows are counted as lost, and files finished before
    are sound. Returns the times of the operations that have no row although they came before the failure, and the time
    of the failure."""
    numbered = Numbered(tmp_path)
    with numbered:
        r = record(tmp_path, numbered, d.point / "traces", *args).start().wait_ready()
        begun = now()
        time.sleep(2 * SETTLE + 1)
        finished = [p.relative_to(r.session_directory) for p in r.session_directory.rglob("*.csv.zst")]
        failed = now()
        fail()
        time.sleep(SETTLE)
        first = lost_in_status(r)
        time.sleep(SETTLE)
        second = lost_in_status(r)
        assert second[0] > first[0], "draining stopped"
        assert second[5] > first[5] > 0, "no row is lost (disk)"
        end_without_manifest(r)
    d.umount()
    d.mount_copy()
    assert finished or "--rotate-age" not in args
    for path in finished:
        subprocess.run(["zstd", "-tq", r.session_directory / path], check=True)
    done = recorder.run("recover", str(r.session_directory))
    assert done.returncode == 0, done.stdout + done.stderr
    verify(r.session_directory)
    have = set(numbers(recorder.Session(r.session_directory)))
    return [t for i, t in enumerate(numbered.done()) if begun < t < failed and i not in have], failed
