# SPDX-License-Identifier: GPL-2.0-or-later
"""A session as a whole: its files, its signals, its exit codes, and what it must not record."""
import datetime
import hashlib
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

import recorder

FILE_NAME = re.compile(r"(\w+)/\1_\d{8}_\d{6}_\d{3}_\d{4}\.csv\.zst")


def work(directory, n=211):
    """Some rows in each default stream."""
    for i in range(n):
        with open(os.path.join(directory, f"file{i % 7}"), "wb") as f:
            f.write(b"x" * i)
    os.sync()
    subprocess.run(
        [recorder.workload("conn")], cwd=directory, check=True, stdout=subprocess.DEVNULL
    )


def verify(session, code=0):
    done = recorder.run("verify", str(session.directory))
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def recorded(module_path):
    """Several files of each stream; ended by SIGINT."""
    with recorder.Recording(module_path, "--rotate-rows", "1009", *recorder.OWN) as r:
        work(module_path)
        middle = time.clock_gettime_ns(time.CLOCK_MONOTONIC), time.time()
        work(module_path)
    r.middle = middle
    return r


@pytest.fixture(scope="module")
def signalled(module_path):
    """Rotated by SIGHUP three times, then SIGUSR1; ended by SIGTERM."""
    with recorder.Recording(module_path, *recorder.OWN) as r:
        r.parts = []
        for n in range(1, 4):
            (pathlib.Path(module_path) / f"round{n}").touch()
            r.wait_written(f"/round{n}".encode(), seconds=10 if n == 1 else recorder.START) # so that the file is not empty
            r.parts += r.session_directory.glob("fs/*.part")
            r.send(signal.SIGHUP)
            recorder.wait_for(lambda: len(list(r.session_directory.glob("fs/*.zst"))) == n, "a finished file")
        work(module_path, 11)
        recorder.wait_for(lambda: len(recorder.Session(r.session_directory).files("fs")) >= 2, "two files in the manifest")
        r.while_running = recorder.Session(r.session_directory).manifest
        before = r.errors()
        r.send(signal.SIGUSR1)
        recorder.wait_for(lambda: "\ntotal" in r.errors()[len(before):], "the table")
        r.printed = r.errors()[len(before):]
        r.stop(signal.SIGTERM)
    return r


@pytest.fixture(scope="module")
def of_a_caller(module_path):
    """Of somebody who calls sudo, with a bucket's name."""
    env = {**os.environ, "SUDO_UID": "12345", "SUDO_GID": "23456"}
    with recorder.Recording(module_path, "dev", "--trace-bucket", "my_bucket", *recorder.OWN, env=env) as r:
        work(module_path, 11)
    return r


def test_verify_passes(recorded):
    verify(recorded.session)


def test_verify_finds_a_flipped_byte_and_a_missing_file(recorded, tmp_path):
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", recorded.session.directory, copy], check=True)
    session = recorder.Session(copy)
    verify(session)
    first, second = session.files("fs")[:2]
    with open(copy / first["path"], "r+b") as f:
        f.seek(first["compressed_bytes"] // 2)
        byte = f.read(1)
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte[0] ^ 1]))
    done = verify(session, code=1)
    assert first["path"] in done.stdout + done.stderr
    os.unlink(copy / second["path"])
    done = verify(session, code=1)
    assert second["path"] in done.stdout + done.stderr


def test_pandas_reads_every_file(recorded):
    session = recorded.session
    assert {f["stream"] for f in session.files()} >= {"fs", "nw_conn"}
    assert len(session.files("fs")) > 1, "--rotate-rows didn't rotate"
    for f in session.files():
        frame = recorder.read_file(session.directory / f["path"])
        assert list(frame.columns) == session.columns(f["stream"])
        assert len(frame) == f["rows"] > 0
        mono = frame["mono_ns"].astype("uint64")
        assert (mono.min(), mono.max()) == (f["first_mono_ns"], f["last_mono_ns"])


def test_files_are_what_the_manifest_says(recorded):
    session = recorded.session
    listed = {f["path"] for f in session.files()}
    there = {
        str(p.relative_to(session.directory)) for p in session.directory.rglob("*") if p.is_file()
    }
    there.discard("containers.json") # where the machine has containers
    assert there == listed | {"manifest.json", ".lock"}
    for f in session.files():
        assert FILE_NAME.fullmatch(f["path"]), f["path"]
        path = session.directory / f["path"]
        data = path.read_bytes()
        assert len(data) == f["compressed_bytes"]
        assert hashlib.sha256(data).hexdigest() == f["sha256"]
        subprocess.run(["zstd", "-tq", path], check=True)
        listing = subprocess.run(["zstd", "-lv", path], capture_output=True, text=True, check=True)
        assert re.search(r"Zstandard Frames: 1\b", listing.stdout), listing.stdout
        assert re.search(r"Check: XXH64", listing.stdout), listing.stdout
        raw = subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout
        assert len(raw) == f["raw_bytes"]
        assert raw.count(b"\n") == f["rows"] + 1
        assert raw.endswith(b"\n") and b"\r" not in raw and b"\0" not in raw


def test_places_and_modes(recorded):
    session = recorded.session
    computer = recorder.run("--computer-id").stdout.strip()
    with open("/etc/machine-id") as f:
        known = hashlib.sha256(f.read().strip().encode()).hexdigest()[:16].upper()
    assert computer == known == session.manifest["machine_id"]
    assert session.directory.parts[-3:-1] == ("linux_v1", computer)
    assert re.fullmatch(r"\d{8}_\d{6}_\d{3}", session.directory.name)
    for path in session.directory.rglob("*"):
        mode = path.stat().st_mode & 0o777
        assert mode == (0o750 if path.is_dir() else 0o600 if path.name == ".lock" else 0o640), (path, oct(mode))


def test_manifest(recorded):
    m = recorded.manifest
    assert m["session"]["state"] == "complete"
    assert m["tracer"]["engine"] == "bpf"
    assert {"escape", "null"} <= set(m["csv"])
    assert m["host"]["kernel"] == os.uname().release
    assert m["boot_id"] == pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert m["session_id"].split("/") == list(recorded.session.directory.resolve().parts[-3:])
    for key in ("fs", "block", "nw_conn"):
        assert m["streams"][key]["enabled"] and m["streams"][key]["hooks"]
    started, stopped = (
        datetime.datetime.fromisoformat(m["session"][k]) for k in ("started_at", "stopped_at")
    )
    assert started.tzinfo and (stopped - started).total_seconds() == pytest.approx(
        m["session"]["duration_seconds"], abs=0.5
    )
    for hook in m["diagnostics"]["hooks"]:
        # Not every kernel lets programs attach to functions.
        assert hook["attached"] or hook["name"].startswith(("fentry/", "fexit/")), hook


def test_the_two_clocks_agree(recorded):
    """Wall time is mono_ns plus the manifest's offset, in local time."""
    rows = recorded.rows("fs")
    offsets = recorded.manifest["clock"]["offsets"]
    assert offsets[0]["mono_to_real_offset_ns"] == (
        recorded.manifest["clock"]["mono_to_real_offset_ns"]
    )
    for row in rows.iloc[:: max(1, len(rows) // 101)].to_dict("records"):
        mono = int(row["mono_ns"])
        offset = [o for o in offsets if int(o["from_mono_ns"]) <= mono] or offsets[:1]
        wall = mono + int(offset[-1]["mono_to_real_offset_ns"])
        local = datetime.datetime.fromtimestamp(wall // 10**9).strftime("%Y-%m-%d %H:%M:%S")
        assert row["timestamp"] == f"{local}.{wall % 10**9 // 1000:06d}"
    mono, wall = recorded.middle
    assert int(offsets[-1]["mono_to_real_offset_ns"]) == pytest.approx(wall * 1e9 - mono, abs=5e6)


def test_own_io_is_not_recorded(recorded):
    rows = recorded.rows("fs")
    pid = str(recorded.process.pid)
    assert pid not in set(rows["pid"])
    assert not rows["filename"].str.startswith(str(recorded.session.directory)).any()
    connections = recorded.rows("nw_conn")
    assert pid not in set(connections["pid"])


def test_paths_are_there_or_explained(recorded):
    """Only rows without a file have no path: a call that failed, a process, a range of descriptors."""
    rows = recorded.rows("fs")
    empty = rows[rows["filename"] == ""]
    unexplained = empty[
        (empty["errno"] == "") & ~empty["operation"].isin(["process_fork", "process_exit", "sync"])
        & ~empty["flags"].str.startswith("CLOSE_RANGE")
    ]
    assert not len(unexplained), unexplained.head(20).to_string()
    # Other tests run beside this one, some of them with memfds, which are on no filesystem with paths.
    assert rows.loc[rows["filename"] != "", "filename"].str.startswith(("/", "memfd:")).all()


def test_one_line_of_output_and_a_summary(recorded):
    """recorder.Recording refuses more than a line on stdout."""
    assert "pandas" in recorded.stderr and str(recorded.session.directory) in recorded.stderr


# ---- signals and time ----

def test_duration(tmp_path):
    start, watch = time.monotonic(), recorder.Stopwatch()
    with recorder.Recording(tmp_path, "-d", "2s", "--streams", "block", *recorder.OWN, ends=True) as r:
        r.stop()
    assert time.monotonic() - start >= 2 and watch.seconds() < 15
    assert r.manifest["session"]["duration_seconds"] == pytest.approx(2, abs=1)


@pytest.mark.parametrize("ended_by", ["recorded", "signalled"])
def test_signals_that_end(request, ended_by):
    """SIGINT and SIGTERM."""
    r = request.getfixturevalue(ended_by)
    assert r.stop_seconds < recorder.STOP + recorder.STOP_MARGIN
    verify(r.session)


@pytest.mark.parametrize("delay", [0, 0.003, 0.01, 0.03, 0.1, 0.2, 0.4, 0.8])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_during_start_up(tmp_path, number, delay):
    """A signal at any time. Before the program has installed its handlers, the default action is right; after that, it
    ends the recording as usual: a session, if there is one, is complete."""
    r = recorder.Recording(tmp_path, *recorder.OWN).start()
    time.sleep(delay)
    watch = recorder.Stopwatch()
    r.send(number)
    try:
        code = r.process.wait(recorder.START)
    finally:
        r.kill()
    assert code in (0, -number), f"exit code {code}: {r.errors()}"
    assert watch.seconds() < recorder.STOP + recorder.STOP_MARGIN
    for manifest in r.output.rglob("manifest.json"):
        if code == 0:
            session = recorder.Session(manifest.parent)
            assert session.manifest["session"]["state"] == "complete"
            verify(session)


def test_a_second_signal_ends_at_once(tmp_path):
    r = recorder.Recording(tmp_path, *recorder.OWN).start().wait_ready()
    work(tmp_path, 31)
    r.wait_written(b"/file")
    r.send(signal.SIGINT)
    r.send(signal.SIGINT)
    watch = recorder.Stopwatch()
    try:
        r.process.wait(recorder.START)
    finally:
        r.kill()
    assert watch.seconds() < recorder.STOP + recorder.STOP_MARGIN
    # What is on the disk can be read, complete or as far as it got.
    files = [p for p in r.session_directory.rglob("fs_*") if p.is_file()]
    assert files
    for path in files:
        text = subprocess.run(["zstd", "-dcf", path], capture_output=True).stdout
        assert text.startswith(b"timestamp,operation,") and text.endswith(b"\n"), path


def test_sighup_rotates(signalled):
    assert signalled.while_running["session"]["state"] == "running"
    assert len(signalled.session.files("fs")) == 4
    sequence = [f["path"][-12:-8] for f in signalled.session.files("fs")]
    assert sequence == sorted(set(sequence))


def test_sigusr1_prints_the_counters(signalled):
    for stream in ("fs", "block", "nw_conn"):
        assert re.search(rf"^\s*{stream}\b.*\d", signalled.printed, re.M), signalled.printed


def test_a_block_is_on_disk_within_seconds(signalled):
    """Rows could be read from the .part file during the recording, 10 s after the call at most."""
    assert len(set(signalled.parts)) == 3


# ---- exit codes ----

def one_line(done, code):
    assert done.returncode == code, (done.returncode, done.stderr)
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("iotrc: "), done.stderr
    return lines[0]


def as_nobody(*args):
    return subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", recorder.IOTRC, *args],
        capture_output=True, text=True, timeout=30,
    )


def test_not_root(tmp_path):
    tmp_path.chmod(0o777)
    done = as_nobody("-o", str(tmp_path / "traces"))
    assert re.search(r"\broot\b", one_line(done, 1)) and "CAP_BPF" in done.stderr


@pytest.mark.parametrize("option", ["--help", "-h", "--version", "-V", "--computer-id"])
def test_what_needs_no_root(option):
    done = as_nobody(option)
    assert done.returncode == 0 and done.stdout and done.stderr == ""


def test_unwritable_output(tmp_path):
    (tmp_path / "file").write_text("")
    for output in "/proc/iotrc", str(tmp_path / "file"), str(tmp_path / "absent" / "below"):
        assert output in one_line(recorder.run("--streams", "block", "-o", output), 1)


@pytest.mark.parametrize(
    "args, word",
    [
        (["--no-such-option"], "no-such-option"),
        (["--streams", "fs,nosuch"], "nosuch"),
        (["--anonymize=all"], "keep-system"),
        (["--upload-rate", "slow"], "upload-rate"),
        (["--ops", "open,nosuch"], "nosuch"),
        (["-d", "soon"], "soon"),
        (["-d"], "duration"),
        (["--pid", "x"], "x"),
        (["nonsense"], "nonsense"),
        (["--trace-bucket", "x"], "dev"),
    ],
)
def test_usage(args, word):
    assert word in one_line(recorder.run(*args), 2)


def test_verify_of_what_is_no_session(tmp_path):
    done = recorder.run("verify", str(tmp_path))
    assert done.returncode == 1 and (done.stdout or done.stderr)


def test_output_belongs_to_who_called_sudo(of_a_caller):
    for path in [of_a_caller.output, *of_a_caller.output.rglob("*")]:
        st = path.lstat()
        assert (st.st_uid, st.st_gid) == (12345, 23456), path


def test_dev_and_its_bucket(of_a_caller):
    assert of_a_caller.session.directory.parts[-3] == "my_bucket"


def test_two_at_once(tmp_path):
    """Two recorders side by side do not disturb each other; each leaves out only its own I/O, and has all of the
    other's. With -q, they print nothing."""
    only = "-q", "--streams", "fs", "--path", str(tmp_path), *recorder.OWN
    with recorder.Recording(tmp_path, *only) as a:
        with recorder.Recording(tmp_path, *only) as b:
            work(tmp_path)
            b.wait_written(b"/file6")
            a.wait_written(f"{b.session_directory}/fs/".encode())
    assert a.stderr == b.stderr == ""
    for r, other in (a, b), (b, a):
        rows = r.rows("fs")
        writes = rows[rows["operation"] == "write"]
        files = writes[writes["filename"].str.startswith(f"{tmp_path}/file")]
        assert len(files) == 210 # the first file gets nothing, which is not a write
        assert str(r.process.pid) not in set(rows["pid"])
        assert not writes["filename"].str.startswith(str(r.session.directory)).any()
        # The other recorder wrote its files while this one recorded.
        theirs = writes[writes["filename"].str.startswith(str(other.session.directory))]
        assert len(theirs) and set(theirs["pid"]) == {str(other.process.pid)}
        assert theirs["filename"].str.endswith(".csv.zst.part").any()
        verify(r.session)
    # B began and ended while A recorded: the bytes match.
    rows = a.rows("fs")
    files = rows[(rows["operation"] == "write") & (rows["errno"] == "")]
    for f in b.session.files():
        part = files[files["filename"] == f"{b.session.directory}/{f['path']}.part"]
        assert part["bytes_completed"].astype(int).sum() == f["compressed_bytes"], f


