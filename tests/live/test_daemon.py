# SPDX-License-Identifier: GPL-2.0-or-later
"""iotrc as a daemon, without a service manager."""
import fcntl
import os
import secrets
import pathlib
import signal
import socket
import subprocess
import time

import pytest
import recorder
from recorder import wait_for

PATIENCE = 60


def start(tmp_path, *args, streams="block", code=0):
    """Most tests need no rows, and the programs of block are the quickest to load."""
    command = [recorder.IOTRC, "-o", str(tmp_path / "traces"), "--no-snapshots", "--daemon",
               "--pid-file", str(tmp_path / "pid"), *(["--streams", streams] if streams else []), *args]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture
def pid(tmp_path):
    """A function that returns the daemon's process id. The daemon is stopped at the end."""
    def read():
        return int((tmp_path / "pid").read_text())
    yield read
    if (tmp_path / "pid").exists():
        os.kill(read(), signal.SIGKILL)


def stop(pid):
    number = pid()

    def gone():
        "it has ended"
        return not os.path.exists(f"/proc/{number}")

    os.kill(number, signal.SIGTERM)
    wait_for(gone)


def test_records_before_the_parent_ends(tmp_path, pid):
    log = tmp_path / "log"
    done = start(tmp_path, "--log-file", str(log), streams="fs")
    (tmp_path / "first").write_text("")
    session = pathlib.Path(done.stdout.strip())
    status = dict(line.split(":\t") for line in
                  pathlib.Path(f"/proc/{pid()}/status").read_text().splitlines() if ":\t" in line)
    assert status["Name"] == "iotrc" and os.getsid(pid()) == pid() != os.getsid(0)
    for fd, path in ((0, "/dev/null"), (1, str(log)), (2, str(log))):
        assert os.readlink(f"/proc/{pid()}/fd/{fd}") == path
    with open(tmp_path / "pid") as f, pytest.raises(BlockingIOError): # locked, as fcntl() says
        fcntl.lockf(f, fcntl.LOCK_SH | fcntl.LOCK_NB)
    assert (tmp_path / "pid").stat().st_mode & 0o777 == 0o644
    second = start(tmp_path, code=1)
    assert second.stderr == f"iotrc: already running as process {pid()} ({tmp_path}/pid)\n"
    stop(pid)
    assert not (tmp_path / "pid").exists()
    rows = recorder.Session(session).rows("fs")
    assert "open" in list(rows[rows["filename"] == str(tmp_path / "first")]["operation"])
    lines = log.read_text().splitlines()
    assert f" iotrc: recording in {session}" in lines[0]
    assert f" s in {session}: " in lines[-1] and "Load it in pandas" not in log.read_text()


def test_what_cannot_record_reports_to_its_parent(tmp_path):
    done = subprocess.run(
        ["capsh", "--drop=cap_bpf,cap_sys_admin", "--", "-c",
         f"exec {recorder.IOTRC} -o {tmp_path}/traces --daemon --pid-file {tmp_path}/pid"],
        capture_output=True, text=True, timeout=PATIENCE,
    )
    assert done.returncode == 1 and "cannot record" in done.stderr and done.stdout == "", done
    assert not (tmp_path / "pid").exists()
    done = start(tmp_path, "--log-file", str(tmp_path / "no/such/log"), code=1)
    assert f"cannot write {tmp_path}/no/such/log: No such file or directory" in done.stderr
    done = recorder.run("--pid-file", "x")
    assert done.returncode == 2 and done.stderr == "iotrc: --pid-file: only with --daemon\n"


def test_a_dead_one_is_no_obstacle(tmp_path, pid):
    start(tmp_path)
    dead = pid()
    os.kill(dead, signal.SIGKILL)
    wait_for(lambda: not os.path.exists(f"/proc/{dead}"), "it has ended")
    start(tmp_path)
    stop(pid)


NOBODY = 65534

HOLD = """
import fcntl, sys, time
f = open(sys.argv[1])
fcntl.flock(f, fcntl.LOCK_EX)
fcntl.lockf(f, fcntl.LOCK_SH)
print("held", flush=True)
time.sleep(1000)
"""


def test_other_users_do_not_keep_it_from_starting(tmp_path, pid):
    """A process that may read the pid file may lock it in the two ways open to a reader."""
    start(tmp_path)
    os.kill(pid(), signal.SIGKILL)
    time.sleep(0.5)
    other = subprocess.Popen(
        ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "/usr/bin/python3", "-c", HOLD,
         str(tmp_path / "pid")], stdout=subprocess.PIPE)
    try:
        assert recorder.read_line(other.stdout, PATIENCE) == "held\n"
        start(tmp_path)
        assert start(tmp_path, code=1).stderr.startswith(f"iotrc: already running as process {pid()} (")
        stop(pid)
    finally:
        other.kill()
        other.wait()
        other.stdout.close()


@pytest.mark.parametrize("option", ["--log-file", "--pid-file"])
def test_files_of_others_are_refused(tmp_path, option):
    theirs = tmp_path / "theirs"
    theirs.write_text("theirs")
    theirs.chmod(0o666)
    os.chown(theirs, NOBODY, NOBODY)
    done = recorder.run("-o", str(tmp_path / "traces"), "--no-snapshots", "--daemon", option, str(theirs))
    assert done.returncode == 1
    assert done.stderr == f"iotrc: cannot write {theirs}: it belongs to another user, or others may write to it\n"
    assert theirs.read_text() == "theirs"


def test_a_pid_file_that_others_may_write_is_refused(tmp_path):
    (tmp_path / "open").touch()
    (tmp_path / "open").chmod(0o666)
    done = recorder.run("-o", str(tmp_path / "traces"), "--no-snapshots", "--daemon", "--pid-file", str(tmp_path / "open"))
    assert done.returncode == 1 and "others may write to it" in done.stderr, done.stderr


def test_the_log_is_reopened_where_it_was(tmp_path, pid):
    """It does not write where a symlink leads that has replaced its directory."""
    logs, elsewhere = tmp_path / "logs", tmp_path / "elsewhere"
    logs.mkdir()
    elsewhere.mkdir()
    start(tmp_path, "--log-file", str(logs / "log"))
    logs.rename(tmp_path / "was")
    logs.symlink_to(elsewhere)
    (tmp_path / "was/log").rename(tmp_path / "was/log.1")
    os.kill(pid(), signal.SIGHUP)

    def reported():
        "there is a new one"
        return (tmp_path / "was/log").exists()

    wait_for(reported)
    stop(pid)
    assert not list(elsewhere.iterdir())


def test_reload(tmp_path, pid):
    config, log = tmp_path / "iotrc.conf", tmp_path / "log"
    config.write_text("streams = fs\n")
    start(tmp_path, "--config", str(config), "--log-file", str(log), streams=None)
    wait_for(lambda: "recording in" in log.read_text(), "the first line")
    log.rename(tmp_path / "log.1")
    config.write_text("streams = fs,block\nrotate-rows = 10\n")
    os.kill(pid(), signal.SIGHUP)

    def reported():
        "the new log has it"
        return log.exists() and f"reloaded {config}; takes effect at the next start: streams" in log.read_text()

    wait_for(reported)
    assert "recording in" in (tmp_path / "log.1").read_text()
    stop(pid)
    assert "recorded" in log.read_text() and "recorded" not in (tmp_path / "log.1").read_text()


@pytest.mark.slow
def test_reload_of_the_upload_rate(tmp_path, pid):
    """An upload that would take longer than a minute at the old rate, and is under way, finishes at once at the new
    rate."""
    config, log, share = tmp_path / "iotrc.conf", tmp_path / "log", tmp_path / "share"
    share.mkdir()
    config.write_text(f"streams = fs\npath = {tmp_path}\nupload = file://{share}\nupload-rate = 1K\n")
    start(tmp_path, "--config", str(config), "--log-file", str(log), streams=None)
    for _ in range(5000): # names that do not compress: at least 16 bytes each
        last = tmp_path / secrets.token_hex(16)
        last.touch()

    def arrived():
        "all of their rows, in a file that SIGHUP finishes"
        return any(last.name.encode() in subprocess.run(["zstd", "-dcf", part], capture_output=True).stdout
                   for part in (tmp_path / "traces").rglob("fs_*.part"))

    wait_for(arrived)
    os.kill(pid(), signal.SIGHUP)

    def finished():
        "a finished file"
        return list((tmp_path / "traces").rglob("fs_*.csv.zst"))

    [file] = wait_for(finished)
    assert file.stat().st_size > 80000
    wait_for(lambda: any(part.stat().st_size for part in share.rglob(f".{file.name}.part")),
             "the beginning of it on the share")
    config.write_text(config.read_text().replace("1K", "1G"))
    os.kill(pid(), signal.SIGHUP)
    wait_for(lambda: list(share.rglob(file.name)), "all of it on the share", 40) # of 80 at the old rate
    stop(pid)


@pytest.mark.parametrize("option", ["--log-file", "--pid-file"])
@pytest.mark.parametrize("plant, why", [
    (os.symlink, "it is a symbolic link"), (os.link, "it has another name, too"),
])
def test_a_planted_link_is_refused(tmp_path, option, plant, why):
    victim, planted = tmp_path / "victim", tmp_path / "planted"
    victim.write_text("theirs")
    plant(victim, planted)
    done = recorder.run("-o", str(tmp_path / "traces"), "--no-snapshots", "--daemon", option, str(planted))
    assert done.returncode == 1
    assert done.stderr == f"iotrc: cannot write {planted}: {why}\n"
    assert victim.read_text() == "theirs" and victim.stat().st_nlink == 1 + (plant is os.link)


def test_a_fifo_holds_nobody_up(tmp_path):
    os.mkfifo(tmp_path / "log")
    done = recorder.run(
        "-o", str(tmp_path / "traces"), "--no-snapshots", "--daemon", "--log-file", str(tmp_path / "log"),
    )
    assert done.returncode == 1 and "cannot write" in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_a_link_planted_later_is_not_followed(tmp_path, pid):
    log, victim = tmp_path / "log", tmp_path / "victim"
    victim.write_text("theirs")
    start(tmp_path, "--log-file", str(log))
    log.rename(tmp_path / "log.1")
    log.symlink_to(victim)
    os.kill(pid(), signal.SIGHUP)

    def reported():
        "it says so in the old one"
        return f"cannot open {log} again (it is a symbolic link)" in (tmp_path / "log.1").read_text()

    wait_for(reported)
    stop(pid)
    assert victim.read_text() == "theirs"
    assert "recorded" in (tmp_path / "log.1").read_text()


def test_messages_go_to_syslog(tmp_path, pid):
    """/dev/log is ours, in a mount namespace."""
    (tmp_path / "dev").mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "dev/log"))
        server.settimeout(PATIENCE)
        for name in ("null", "urandom"):
            (tmp_path / "dev" / name).write_text("")
        setup = (f"for n in null urandom; do mount --bind /dev/$n {tmp_path}/dev/$n; done; "
                 f"mount --rbind {tmp_path}/dev /dev; exec \"$@\"")
        subprocess.run(
            ["unshare", "-m", "--propagation", "private", "sh", "-ec", setup, "sh", recorder.IOTRC,
             "-o", str(tmp_path / "traces"), "--no-snapshots", "--daemon", "--pid-file", str(tmp_path / "pid")],
            check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=PATIENCE,
        )
        first = server.recv(4096).decode()
        # daemon.info, as syslog(3) numbers them: 3 * 8 + 6.
        assert first.startswith("<30>") and f"iotrc[{pid()}]: recording in {tmp_path}/traces/" in first, first
        stop(pid)
        assert "iotrc[" in server.recv(4096).decode()


def test_room_is_read_again(tmp_path):
    """Rows are lost while the configuration reserves all of the disk, and no longer."""
    config = tmp_path / "conf"
    base = f"output = {tmp_path}/traces\nstreams = fs\npath = {tmp_path}\n"
    config.write_text(base + "min-free = off\n")
    r = recorder.Recording(tmp_path, "--config", str(config), code=None, output=tmp_path / "traces")

    def change(text):
        config.write_text(base + text)
        r.send(signal.SIGHUP)

    with r:
        change("min-free = 100%\n")
        wait_for(lambda: "are reserved (--min-free)" in r.errors())
        change("min-free = off\nmax-disk = 1G\n")
        wait_for(lambda: "the disk has free space again" in r.errors())
        assert "takes effect at the next start" not in r.errors()
        change("min-free = off\nmax-disk = 1G\nmemory = 512M\n")
        wait_for(lambda: "takes effect at the next start: memory" in r.errors())
