# SPDX-License-Identifier: GPL-2.0-or-later
"""A filter that nothing can match is reported: at the start if it can be known, at the end if there are no rows."""
import os
import subprocess

import pytest

import recorder


def lines(r):
    return [line for line in r.stderr.splitlines() if line.startswith("iotrc: ")]


@pytest.fixture
def merged(tmp_path):
    """Like /bin on a merged /usr: a symlink that everybody uses."""
    (tmp_path / "usr" / "bin").mkdir(parents=True)
    (tmp_path / "bin").symlink_to("usr/bin")
    (tmp_path / "usr" / "bin" / "tool").write_text("x" * 100)
    return tmp_path


def test_a_link_is_followed_and_that_is_said(merged):
    """The kernel knows a file only by its own path."""
    with recorder.Recording(merged, "--streams", "fs", "--path", str(merged / "bin")) as r:
        subprocess.run(["cat", merged / "bin" / "tool"], check=True, capture_output=True)
        subprocess.run(["cat", merged / "usr" / "bin" / "tool"], check=True, capture_output=True)
    rows = r.rows("fs")
    opened = rows[(rows["operation"] == "open") & (rows["command"] == "cat")]
    assert opened["filename"].tolist() == [str(merged / "usr" / "bin" / "tool")] * 2
    assert any(str(merged / "bin") in line and str(merged / "usr" / "bin") in line for line in lines(r)), r.stderr


def test_bin_of_this_machine():
    """If /bin is merged; elsewhere it is a directory, and there is no message."""
    import pathlib
    import tempfile
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        with recorder.Recording(directory, "--streams", "fs", "--path", "/bin") as r:
            subprocess.run(["cat", "/bin/true"], check=True, capture_output=True)
        rows = r.rows("fs")
        assert os.path.realpath("/bin/true") in set(rows[rows["command"] == "cat"]["filename"])
        assert bool(lines(r)) == os.path.islink("/bin"), r.stderr


def test_links_within_a_path(merged):
    (merged / "a").symlink_to("usr")
    with recorder.Recording(merged, "--streams", "fs", "--path", f"{merged}/a/bin/tool/") as r:
        subprocess.run(["cat", merged / "bin" / "tool"], check=True, capture_output=True)
    assert set(r.rows("fs")["filename"]) == {str(merged / "usr" / "bin" / "tool")}
    assert str(merged / "usr" / "bin" / "tool") in r.stderr


def test_a_prefix_that_is_not_there(tmp_path):
    absent = tmp_path / "absent"
    with recorder.Recording(tmp_path, "--streams", "fs", "--path", str(absent)) as r:
        subprocess.run(["cat", "/etc/passwd"], check=True, capture_output=True)
    start, end = lines(r)
    assert f"--path {absent}: " in start and "no such file" in start.lower(), r.stderr
    assert f"--path {absent}" in end and "no row" in end, r.stderr


def test_a_prefix_that_comes_later(tmp_path):
    absent = tmp_path / "absent"
    with recorder.Recording(tmp_path, "--streams", "fs", "--path", str(absent)) as r:
        absent.write_text("now it is there")
    assert len(r.rows("fs")) and len(lines(r)) == 1 and "no row" not in r.stderr, r.stderr


@pytest.mark.parametrize("path", ["/proc/self", "/sys/kernel", "/dev/null"])
def test_a_prefix_out_of_scope(tmp_path, path):
    """A prefix does not add what the default scope leaves out."""
    with recorder.Recording(tmp_path, "--streams", "fs", "--path", path, *recorder.OWN) as r:
        subprocess.run(["cat", "/dev/null", "/proc/self/stat"], check=True, capture_output=True)
    start, end = lines(r)
    assert f"--path {path}: " in start and "--scope all" in start and "no row" in end, r.stderr
    with recorder.Recording(tmp_path, "--streams", "fs", "--scope", "all", "--path", path, *recorder.OWN) as r:
        subprocess.run(["cat", "/dev/null", "/proc/self/stat"], check=True, capture_output=True)
    assert "--scope" not in r.stderr


def ended():
    """The id of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_a_process_that_is_not_there(tmp_path):
    pid = ended()
    with recorder.Recording(tmp_path, "--pid", str(pid)) as r:
        subprocess.run(["cat", "/etc/passwd"], check=True, capture_output=True)
    start, end = lines(r)
    assert f"--pid {pid}: no such process" in start and f"--pid {pid}" in end and "no row" in end, r.stderr


def test_a_thread_is_no_process(tmp_path):
    code = "import threading, time; threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); " \
           "print(open('/proc/self/stat').read().split()[0], flush=True); time.sleep(60)"
    process = subprocess.Popen(["/usr/bin/python3", "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        process.stdout.readline()
        thread = max(int(t) for t in os.listdir(f"/proc/{process.pid}/task"))
        assert thread != process.pid
        with recorder.Recording(tmp_path, "--pid", str(thread)) as r:
            pass
        assert f"--pid {thread}: a thread of process {process.pid}" in lines(r)[0], r.stderr
    finally:
        process.kill()
        process.wait()


def test_a_command_that_never_ran(tmp_path):
    with recorder.Recording(tmp_path, "--command", "never-runs") as r:
        subprocess.run(["cat", "/etc/passwd"], check=True, capture_output=True)
    (end,) = lines(r)
    assert "--command never-runs" in end and "no row" in end, r.stderr


def test_filters_that_something_passes_are_not_reported(tmp_path):
    (tmp_path / "file").write_text("x")
    with recorder.Recording(tmp_path, "--command", "cat", "--path", str(tmp_path)) as r:
        subprocess.run(["cat", tmp_path / "file"], check=True, capture_output=True)
    assert lines(r) == [], r.stderr


def test_quiet_is_no_reason_not_to_say_it(tmp_path):
    with recorder.Recording(tmp_path, "-q", "--streams", "fs", "--command", "never-runs") as r:
        pass
    assert "no row" in r.stderr


def test_one_of_several_that_nothing_matches(tmp_path):
    """The others have rows: only the values without any are named, once, at the end."""
    for name in "a", "b", "here", "idle", "target":
        (tmp_path / name).mkdir()
    (tmp_path / "target" / "file").write_text("x")
    (tmp_path / "link").symlink_to("target")
    shells = [subprocess.Popen(["sh", "-c", "read line; cat /etc/passwd; :"], stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL) for _ in range(3)]
    pids = [shell.pid for shell in shells]
    paths = [arg for name in ("here", "idle", "link") for arg in ("--path", str(tmp_path / name))]
    with recorder.Recording(tmp_path / "a", "--streams", "fs", *paths, "--command", "cat,touch,never-runs") as a, \
            recorder.Recording(tmp_path / "b", "--streams", "fs", "--pid", ",".join(map(str, pids))) as b:
        subprocess.run(["touch", tmp_path / "here" / "file"], check=True)
        subprocess.run(["cat", tmp_path / "link" / "file"], check=True, capture_output=True)
        shells[0].communicate(b"\n")
        shells[2].communicate(b"\n")
    shells[1].communicate(b"")
    assert len(a.rows("fs")) and len(b.rows("fs"))
    assert lines(a)[-1] == f"iotrc: nothing matched --path {tmp_path / 'idle'} --command never-runs", a.stderr
    assert lines(b) == [f"iotrc: nothing matched --pid {pids[1]}"], b.stderr


def test_a_descendant_of_any(tmp_path):
    """A grandchild is followed, too. The recorder cannot tell whose descendant it is, so the message names no pid."""
    idle = subprocess.Popen(["sh", "-c", "read line; :"], stdin=subprocess.PIPE)
    deep = subprocess.Popen(["sh", "-c", "(sh -c 'read line; cat /etc/passwd; :'; :); :"], stdin=subprocess.PIPE,
                            stdout=subprocess.DEVNULL)
    with recorder.Recording(tmp_path, "--streams", "fs", "--pid", f"{idle.pid},{deep.pid}") as r:
        deep.stdin.write(b"\n")
        deep.stdin.flush()
        deep.wait()
    idle.communicate(b"")
    assert len(r.rows("fs")) and "nothing matched" not in r.stderr, r.stderr
