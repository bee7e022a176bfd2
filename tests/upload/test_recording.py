# SPDX-License-Identifier: GPL-2.0-or-later
"""Recordings that upload: real ones, to a real store."""
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import pytest

import ceph as store
import sessions
from proxy import Proxy

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "live"))
import recorder # noqa: E402

LATER = "left for next time"


def options(bucket, endpoint, tmp_path, *args):
    return ["--streams", "fs,nw_conn", "--state", str(tmp_path / "state"), "--upload", f"s3://{bucket}/p",
            "--s3-endpoint", endpoint, "--upload-timeout", "5m", *args]


def recording(tmp_path, bucket, endpoint, *args, env=None, **kwargs):
    return recorder.Recording(tmp_path, *options(bucket, endpoint, tmp_path, *args),
                              env=env or sessions.environment(), **kwargs)


def stop(r, seconds=sessions.LONG):
    """Ends a recording whose rows are not counted: a busy machine may lose some (3)."""
    r.send(signal.SIGINT)
    code = r.process.wait(seconds)
    r.process.stdout.close()
    assert code in (0, 3), r.errors()
    return r.errors()


def work(directory, n=400):
    """Something to record."""
    directory.mkdir(exist_ok=True)
    for i in range(n):
        path = directory / f"a file with a name that does not compress {os.urandom(32).hex()} {i}"
        path.write_bytes(b"x")
        path.unlink()


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def upload_threads(pid):
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == "iotrc-upload":
            yield task


def upload_cpu_s(pid):
    """CPU time that its upload threads have used."""
    stats = [(task / "stat").read_text().rpartition(")")[2].split() for task in upload_threads(pid)]
    return sum(int(s[11]) + int(s[12]) for s in stats) / os.sysconf("SC_CLK_TCK")


def test_goes_while_recording(ceph, s3cmd, bucket, tmp_path):
    with Proxy(ceph.port) as proxy:
        r = recording(tmp_path, bucket, proxy.endpoint, "--rotate-size", "4K").start().wait_ready()
        begun = time.monotonic()
        while not any("/fs/" in p for p in proxy.puts()):
            work(tmp_path / "work")
            assert time.monotonic() < begun + 120, r.errors()
        pid = r.process.pid
        errors = stop(r)
        assert "all is at the target" in errors, errors
        paths = proxy.puts()
    assert paths[-1].endswith("/manifest.json") and len(paths) == len(set(paths))
    session = r.session_directory
    sessions.check_whole(s3cmd, bucket, tmp_path, (session, sessions.contents(session)))
    # Complete by the copy alone, too.
    copy = tmp_path / "copy"
    for k, data in sessions.stored(s3cmd, bucket, tmp_path).items():
        sessions.put(copy / k, data)
    done = recorder.run("verify", str(copy), seconds=120)
    assert done.returncode == 0 and ": sound" in done.stdout, done.stdout
    # Its own files and sockets have no rows.
    for stream in "fs", "nw_conn":
        rows = recorder.Session(session).rows(stream)
        assert not (rows["pid"] == str(pid)).any()
        if stream == "nw_conn":
            mine = rows[rows["dport"] == str(proxy.port)]
            assert mine.empty, mine


def test_threads_have_no_rights(ceph, bucket, tmp_path):
    os.chown(tmp_path, 1234, 1234)
    env = sessions.environment(SUDO_UID="1234", SUDO_GID="1235")
    r = recording(tmp_path, bucket, ceph.endpoint, "--upload-parallel", "3", env=env).start().wait_ready()
    wait_for(lambda: len(list(upload_threads(r.process.pid))) == 3)
    time.sleep(1)
    for task in upload_threads(r.process.pid):
        status = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)
        assert status["NoNewPrivs"] == "1"
        for held in "CapInh", "CapPrm", "CapEff", "CapAmb":
            assert int(status[held], 16) == 0, status
        assert status["Uid"].split() == ["1234"] * 4 and status["Gid"].split() == ["1235"] * 4
        assert status["Groups"].split() == []
        assert os.sched_getscheduler(int(task.name)) == os.SCHED_IDLE
    main = pathlib.Path(f"/proc/{r.process.pid}/status").read_text()
    assert "Uid:\t0\t0\t0\t0" in main
    errors = stop(r)
    assert "all is at the target" in errors, errors
    assert (r.session_directory / ".upload.jsonl").stat().st_uid == 1234


def test_the_end_waits_no_longer_than_requested(ceph, s3cmd, bucket, tmp_path):
    """The next recording uploads the rest."""
    with Proxy(ceph.port, lambda *_: "stall") as proxy:
        r = recording(tmp_path, bucket, proxy.endpoint, "--upload-timeout", "2s").start().wait_ready()
        work(tmp_path / "work")
        begun = time.monotonic()
        errors = stop(r)
        assert 2 <= time.monotonic() - begun < 60
        assert LATER in errors, errors
        left = sessions.contents(r.session_directory)
        sessions.check_nothing_lost(s3cmd, bucket, r.session_directory, left)
        # This file was not to be uploaded.
        own = recorder.Recording(tmp_path, "--streams", "fs", output=r.output)
        with own:
            pass
        proxy.fault = lambda *_: None
        again = recording(tmp_path, bucket, proxy.endpoint, output=r.output)
        again.start().wait_ready()
        errors = stop(again)
        assert "all is at the target" in errors, errors
    both = [(d, sessions.contents(d)) for d in (r.session_directory, again.session_directory)]
    assert both[0][1] == left
    sessions.check_whole(s3cmd, bucket, tmp_path, *both)
    assert not (own.session_directory / ".upload.jsonl").exists()


def test_second_ctrl_c(ceph, bucket, tmp_path):
    with Proxy(ceph.port, lambda *_: "stall") as proxy:
        r = recording(tmp_path, bucket, proxy.endpoint, "--upload-timeout", "10m").start().wait_ready()
        r.send(signal.SIGINT)
        wait_for(lambda: json.loads((r.session_directory / "manifest.json").read_text())["session"]["state"]
                 == "complete")
        wait_for(lambda: "Recorded" in r.errors())
        time.sleep(1)
        assert r.process.poll() is None
        begun = time.monotonic()
        r.send(signal.SIGINT)
        code = r.process.wait(60)
        assert time.monotonic() - begun < 10
        r.process.stdout.close()
        assert code in (0, 3), r.errors()
    assert recorder.run("verify", str(r.session_directory)).returncode == 0


def test_the_rate_may_change_while_a_file_goes(ceph, s3cmd, bucket, tmp_path):
    """A file that would take longer than a minute at the old rate is sent at once at the new one."""
    config = tmp_path / "iotrc.conf"
    config.write_text(f"path = {tmp_path}\nupload-rate = 1K\n")
    r = recording(tmp_path, bucket, ceph.endpoint, "--config", str(config), *recorder.OWN).start().wait_ready()
    work(tmp_path / "work", 2000)
    r.send(signal.SIGHUP)
    wait_for(lambda: list(r.session_directory.glob("fs/*.zst")))
    [file] = r.session_directory.glob("fs/*.zst")
    assert file.stat().st_size > 80000

    def there():
        return any(key.endswith(file.name) for key in s3cmd.list(bucket))

    time.sleep(3) # until its upload has begun
    assert not there()
    config.write_text(f"path = {tmp_path}\nupload-rate = 1G\n")
    r.send(signal.SIGHUP)
    wait_for(there, 40)
    stop(r)


def test_bar_on_a_terminal(ceph, bucket, tmp_path):
    """Ctrl+C as typed: the key, on the terminal where it runs."""
    command = [recorder.IOTRC, "-o", str(tmp_path / "t"), "--no-snapshots",
               *options(bucket, ceph.endpoint, tmp_path, "--upload-rate", "1K", "--upload-timeout", "3s")]
    pid, terminal = pty.fork()
    if not pid:
        os.execve(command[0], command, sessions.environment())
    text, typed = b"", False
    try:
        while piece := os.read(terminal, 65536):
            text += piece
            if b"linux_v1/" in text and not typed: # the message that it has begun
                typed = os.write(terminal, b"\x03")
    except OSError: # the terminal is closed
        pass
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) in (0, 3)
    bars = re.findall(rb"uploading \[#*\.*\] \d+/\d+ files  [\d.]+K?B of [\d.]+K?B  [\d.]+K?B/s  \d s left", text)
    assert len(bars) > 3 and LATER.encode() in text.rpartition(b"uploading [")[2], text


def test_secrets_are_nowhere(ceph, bucket, tmp_path):
    """Secrets are neither in what it writes, prints and sends, nor in its command line, nor in a core dump."""
    secret, pid = store.SECRET.encode(), None
    log = tmp_path / "log"
    with Proxy(ceph.port) as proxy:
        r = recorder.Recording(tmp_path, "--streams", "fs", "--verbose", "--state", str(tmp_path / "state"),
                               "--upload", f"s3://{bucket}/p", "--s3-endpoint", proxy.endpoint,
                               env=sessions.environment(), snapshots=True, log=log)
        r.start().wait_ready()
        pid = r.process.pid
        assert secret in pathlib.Path(f"/proc/{pid}/environ").read_bytes()
        assert secret not in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        work(tmp_path / "work", 50)
        wait_for(lambda: proxy.puts(), sessions.LONG)
        stop(r)
        sent = b"".join(m.bytes() for m in proxy.heads)
    assert secret not in sent
    written = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert log in written and len(written) > 5
    for path in written:
        data = path.read_bytes()
        if path.suffix == ".zst":
            data = subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout
        assert secret not in data, path


def dumps_core(process):
    process.send_signal(signal.SIGSEGV)
    return os.WCOREDUMP(os.waitpid(process.pid, 0)[1])


def test_no_core_dump(ceph, bucket, tmp_path):
    """The kernel says so, and the same program dumps core if it has no secrets."""
    (tmp_path / "share").mkdir()
    for url, dumps in (f"file://{tmp_path}/share", True), (f"s3://{bucket}/p", False):
        command = [recorder.IOTRC, "-o", str(tmp_path / "t"), "--no-snapshots", "--streams", "fs", "--state",
                   str(tmp_path / "state"), "--upload", url, "--s3-endpoint", ceph.endpoint]
        p = subprocess.Popen(["prlimit", "--core=unlimited", *command], stdout=subprocess.PIPE, cwd=tmp_path,
                             stderr=subprocess.DEVNULL, env=sessions.environment())
        assert p.stdout.readline()
        assert dumps_core(p) == dumps, url
        p.stdout.close()


def test_refused_is_said_once(ceph, bucket, tmp_path):
    """The manifest grows by dozens of files a second. On a busy machine the threads may get hardly any CPU, so their
    CPU time is limited, not the elapsed time."""
    env = sessions.environment(AWS_SECRET_ACCESS_KEY="wrong")
    r = recording(tmp_path, bucket, ceph.endpoint, "--rotate-size", "4K", "--upload-timeout", "10m",
                  env=env).start().wait_ready()
    begun = time.monotonic()
    while "upload:" not in r.errors():
        work(tmp_path / "work")
        assert upload_cpu_s(r.process.pid) < 1, r.errors()
        assert time.monotonic() < begun + sessions.LONG
    work(tmp_path / "work")
    begun = time.monotonic()
    errors = stop(r)
    assert time.monotonic() - begun < 120, errors
    assert sum(line.startswith("iotrc: upload:") for line in errors.splitlines()) == 1, errors
    assert LATER in errors, errors


def test_wrong_configuration_is_said_before_recording(tmp_path):
    for url in "s3://", "ftp://x/y", "file://relative":
        done = recorder.run("-o", str(tmp_path / "t"), "--upload", url)
        assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, (url, done.stderr)
        assert done.stderr.startswith("iotrc: cannot upload: "), done.stderr
    assert not (tmp_path / "t").exists()


def test_removed_when_it_is_there(ceph, s3cmd, bucket, tmp_path):
    r = recording(tmp_path, bucket, ceph.endpoint, "--keep-uploaded=no", "--rotate-size", "4K").start().wait_ready()
    for _ in range(5):
        work(tmp_path / "work")
    errors = stop(r)
    assert "all is at the target" in errors, errors
    assert not r.session_directory.exists()
    copy = tmp_path / "copy"
    for k, data in sessions.stored(s3cmd, bucket, tmp_path).items():
        sessions.put(copy / k, data)
    done = recorder.run("verify", str(copy), seconds=120)
    assert done.returncode == 0 and ": sound" in done.stdout, done.stdout


def test_verify_of_what_is_half_gone(ceph, bucket, tmp_path):
    """Files that the target has confirmed and that were removed here are not missing; others are."""
    with recorder.Recording(tmp_path, "--streams", "fs", "--rotate-size", "4K") as r:
        work(tmp_path / "work")
    with Proxy(ceph.port, lambda n, method, path: "500" if "manifest.json" in path else None) as proxy:
        p = sessions.start(bucket, proxy.endpoint, tmp_path / "state", "--keep-uploaded=no", r.output)
        wait_for(lambda: any("manifest.json" in path for _, _, path, _, _ in proxy.log))
        sessions.interrupt(p)
    assert not list(r.session_directory.rglob("*.csv.zst"))
    done = recorder.run("verify", str(r.session_directory))
    assert done.returncode == 0 and "of them are uploaded, and not here" in done.stdout, done.stdout
    journal = r.session_directory / ".upload.jsonl"
    journal.write_text("".join(journal.read_text().splitlines(True)[1:]))
    done = recorder.run("verify", str(r.session_directory))
    assert done.returncode == 1 and done.stdout.count(": missing") == 1, done.stdout


def test_reward(tmp_path):
    """Only after something was uploaded from this machine."""
    (tmp_path / "share").mkdir()
    conf = tmp_path / "study.conf"
    conf.write_text(f"upload = file://{tmp_path}/share\nreward-code = a code of thanks\nstate = {tmp_path}/state\n")
    sessions.make(tmp_path / "t", [5])
    reward = lambda *args: recorder.run("--reward", "--config", str(conf), *args)
    assert reward().returncode == 1 and "has not uploaded" in reward().stderr
    assert recorder.run("--reward").returncode == 1
    done = recorder.run("upload", "--config", str(conf), str(tmp_path / "t"))
    assert done.returncode == 0, done.stderr
    assert reward().stdout == "a code of thanks\n"
    assert reward("--state", str(tmp_path / "other")).returncode == 1


RATE_S = 5
PAIRS = 6


# Runs before other processes of this test: how busy they are does not matter.
FIRST = ["nice", "-n", "-20"]


@pytest.fixture
def memory():
    """A disk of the test's own."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="iotrc-upload-", dir="/dev/shm"))
    yield path
    shutil.rmtree(path)


def reads_recorded(files, path):
    """Rows of reads of PATH in {name: content of a file}, and all losses of the manifest."""
    rows, mark = 0, f",{path},".encode()
    for name, data in files.items():
        if "/fs/" in f"/{name}":
            text = subprocess.run(["zstd", "-dc"], input=data, capture_output=True, check=True).stdout
            rows += sum(b",read," in line and mark in line for line in text.splitlines())
    manifest, = (json.loads(data) for name, data in files.items() if name.endswith("manifest.json"))
    return rows, sum(manifest["diagnostics"]["streams"]["fs"]["lost"].values())


@pytest.mark.parametrize("keep", ["yes", "no"])
def test_full_rate_loses_no_row(ceph, s3cmd, bucket, tmp_path, memory, keep):
    """A program reads as fast as it can and counts its reads; files of a few hundred KiB go to the store meanwhile. The
    store has all of its reads. A machine under other load may lose rows by itself: so it repeats until a quiet moment,
    and takes turns without upload to tell the cause."""
    path = tmp_path / "file"
    path.write_bytes(bytes(4096))
    lost = []
    with ceph.in_the_background():
        for _ in range(PAIRS):
            pair = {}
            for with_upload in False, True:
                args = ["--streams", "fs", "--command", "readloop", "--rotate-size", "256K"]
                if with_upload:
                    r = recording(tmp_path, bucket, ceph.endpoint, *args, f"--keep-uploaded={keep}",
                                  output=memory / "t")
                else:
                    r = recorder.Recording(tmp_path, *args, output=memory / "t")
                r.command = [*FIRST, *r.command]
                r.start().wait_ready()
                done = int(subprocess.run([*FIRST, recorder.workload("readloop"), path, str(RATE_S)], text=True,
                                          stdout=subprocess.PIPE, check=True).stdout)
                errors = stop(r)
                if with_upload:
                    assert "all is at the target" in errors, errors
                    assert r.session_directory.exists() == (keep == "yes")
                    prefix = sessions.key(r.session_directory)
                    files = {k: v for k, v in sessions.stored(s3cmd, bucket, tmp_path).items()
                             if k.startswith(prefix)}
                else:
                    files = sessions.contents(r.session_directory)
                rows, pair[with_upload] = reads_recorded(files, path)
                assert done > 100_000 and done - pair[with_upload] <= rows <= done
            lost.append(pair)
            print(f"of {done} reads were lost without and with upload: {pair}")
            if not pair[True]:
                assert rows == done
                return
    without, with_upload = (sum(p[w] for p in lost) for w in (False, True))
    assert without and with_upload <= 1.2 * without, f"lost without and with upload: {lost}"
