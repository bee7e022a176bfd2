# SPDX-License-Identifier: GPL-2.0-or-later
"""While it records, iotrc may use fewer system calls and files than at its start, and these are enough: the kernel says
what is restricted, strace what was refused. tests/unit/test_sandbox.c tries what is forbidden."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

import recorder

# Calls that libraries try and can do without.
HARMLESS = re.compile(r"\b(faccessat2?|access|readlink|statx|newfstatat|getxattr|lgetxattr)\(")


def statuses(pid):
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        yield dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)


@pytest.mark.parametrize("args", [[], ["--process-interval=off"], ["--no-snapshots"]])
def test_all_threads_are_filtered(tmp_path, args):
    with recorder.Recording(tmp_path, "--state", str(tmp_path / "state"), "--streams", "block", *args, *recorder.OWN_OR_ALL, snapshots=True) as r:
        seen = list(statuses(r.process.pid))
    assert len(seen) >= 4
    for status in seen:
        assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1", status["Name"]
    assert r.manifest["diagnostics"]["sandbox"]["seccomp"] is True
    assert r.manifest["diagnostics"]["sandbox"]["landlock"] >= (1 if recorder.RELEASE >= (5, 13) else 0) or \
        "landlock" not in pathlib.Path("/proc/kallsyms").read_text()


def refused(log):
    """Calls that failed with EPERM or EACCES once the filter was installed."""
    lines = log.read_text(errors="replace").splitlines()
    start = next(i for i, line in enumerate(lines) if "SECCOMP_SET_MODE_FILTER" in line)
    return [line for line in lines[start:] if re.search(r"= -1 (EPERM|EACCES|ENOSYS)|SIGSYS", line)
            and not HARMLESS.search(line) and not re.search(r"\bclone3(\(| resumed>)", line)]


def child_of(pid):
    return int(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


@pytest.mark.slow
def test_nothing_that_is_needed_is_refused(tmp_path):
    """Snapshots, rotation, a reload, an upload to a share, a directory created again, and recovery beside it."""
    log, out, share, state = (tmp_path / name for name in ("log", "out", "share", "state"))
    share.mkdir()
    config = tmp_path / "conf"
    config.write_text("rotate-rows = 1000\n")
    with recorder.Recording(tmp_path, "--path", str(tmp_path), output=out) as r:
        (tmp_path / "a").write_text("x")
        time.sleep(2)
        r.kill()
        r.session, r.more = type("None", (), {"check_identity": lambda self: None})(), ""
    said = tmp_path / "said"
    p = subprocess.Popen(
        ["strace", "-f", "-qq", "-o", log, "-e", "trace=all", recorder.IOTRC, "-o", out, "--state", state, "-d",
         "5m", "--config", config, "--process-interval", "1s", "--fs-interval", "1h", "--path", tmp_path, "--upload",
         f"file://{share}", "--attach", recorder.ATTACH], stdout=subprocess.PIPE, stderr=open(said, "w"), text=True)
    session = pathlib.Path(p.stdout.readline().strip())
    for i in range(3000):
        (tmp_path / "a").write_text("x" * i)
    child = child_of(p.pid)
    os.kill(child, signal.SIGHUP)
    for what in f"reloaded {config}", "recovered":
        recorder.wait_for(lambda: what in said.read_text(), lambda: f"{what!r} in {said.read_text()}")
    time.sleep(2) # more snapshots of processes
    os.kill(child, signal.SIGINT)
    p.communicate(timeout=recorder.START)
    errors = said.read_text()
    assert p.returncode in (0, 3), errors
    assert refused(log) == []
    assert list(share.glob(f"linux_v1/*/{session.name}/manifest.json")), errors
    done = recorder.run("verify", str(session))
    assert done.returncode == 0, done.stdout


def test_a_daemon_reopens_its_log(tmp_path):
    log, pid_file = tmp_path / "logs" / "log", tmp_path / "run" / "pid"
    log.parent.mkdir()
    pid_file.parent.mkdir()
    done = recorder.run("--daemon", "--pid-file", str(pid_file), "--log-file", str(log), "-o", str(tmp_path / "out"),
                        "--no-snapshots", "--streams", "block", "--attach", recorder.ATTACH)
    assert done.returncode == 0, done.stderr
    pid = int(pid_file.read_text())
    try:
        assert all(status["Seccomp"] == "2" for status in statuses(pid))
        log.rename(tmp_path / "logs" / "old")
        os.kill(pid, signal.SIGHUP)
        deadline = time.monotonic() + 10
        while not log.exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 10
    while pathlib.Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not pid_file.exists() and "recorded" in log.read_text()


def test_a_directory_that_was_removed_is_made_anew(tmp_path):
    with recorder.Recording(tmp_path, "--path", str(tmp_path), code=None) as r:
        time.sleep(1)
        while subprocess.run(["rm", "-rf", r.output], capture_output=True).returncode:
            pass # it creates files meanwhile
        time.sleep(4)
        (tmp_path / "after").write_text("x")
        time.sleep(1)
    assert "created again" in r.stderr and str(tmp_path / "after") in set(r.rows("fs")["filename"]), r.stderr


def confined(log, *args, prefix=(), program=recorder.IOTRC):
    """Runs a command under strace: it restricts itself, and nothing that it needs is refused afterwards. Threads cannot
    be named from outside any more, and name themselves; the bounding set is minimal."""
    log.mkdir()
    done = subprocess.run([*prefix, "strace", "-ff", "-qq", "-o", log / "of", program, *args],
                          capture_output=True, text=True, timeout=recorder.START)
    (main,) = [path for path in log.iterdir() if "SECCOMP_SET_MODE_FILTER" in path.read_text(errors="replace")]
    text = main.read_text(errors="replace")
    assert re.search(r"seccomp\(SECCOMP_SET_MODE_FILTER, .* = 0$", text, re.M), text[-2000:]
    assert "landlock_restrict_self" not in text or re.search(r"landlock_restrict_self\(.* = 0$", text, re.M)
    assert [line for line in refused(main) if not re.search(r'/comm", O_RDWR|PR_CAPBSET_DROP', line)] == []
    return done


def few_files(tmp_path):
    """Arguments that run a command with few files besides the programs and TMP_PATH: in a mount namespace with empty
    directories over everything else. Searching the whole machine under strace takes a minute."""
    kept = {tmp_path.parts[1], "bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "run", "sbin",
            "sys", "usr"}
    root = pathlib.Path("/")
    hidden = [path for path in [*root.iterdir(), *root.glob("usr/*"), *root.glob("usr/lib/*")]
              if path.is_dir() and not path.is_symlink() and path.name not in kept
              and not path.name.endswith("-linux-gnu")]
    hide = "".join(f"mount -t tmpfs none '{path}'\n" for path in hidden)
    return ["unshare", "--mount", "sh", "-ec", hide + 'exec "$@"', "sh"]


@pytest.mark.slow
def test_commands_that_read_sessions(tmp_path):
    """A file of another user's."""
    log, out, share = tmp_path / "log", tmp_path / "out", tmp_path / "share"
    share.mkdir()
    log.mkdir()
    with recorder.Recording(tmp_path, "--path", str(tmp_path), output=out) as r:
        (tmp_path / "a").write_text("x")
        time.sleep(2)
        r.kill()
        r.session, r.more = type("None", (), {"check_identity": lambda self: None})(), ""
    done = confined(log / "1", "recover", str(out))
    assert done.returncode == 0 and "recovered" in done.stdout, done.stdout + done.stderr
    done = confined(log / "2", "verify", str(out))
    assert done.returncode == 0 and "sound" in done.stdout, done.stdout
    done = confined(log / "5", "report", str(out), "-o", str(tmp_path / "report.html"))
    assert done.returncode == 0 and (tmp_path / "report.html").stat().st_size > 10_000, done.stderr
    (tmp_path / "names").write_text("nobody\n")
    # Its own program may be in a directory that is hidden then.
    program = shutil.copy(recorder.IOTRC, tmp_path)
    done = confined(log / "3", "verify", "--anonymous", str(out), "--against", str(tmp_path / "names"), "--live",
                    prefix=few_files(tmp_path), program=program)
    assert done.returncode in (0, 1), done.stderr
    done = confined(log / "4", "upload", str(out), "--upload", f"file://{share}", "--keep-uploaded=no",
                    "--state", str(tmp_path / "state"))
    assert done.returncode == 0, done.stderr
    assert list(share.glob("linux_v1/*/*/manifest.json")) and (tmp_path / "state" / "uploaded").exists()
    assert not list(out.rglob("*.csv.zst"))
