# SPDX-License-Identifier: GPL-2.0-or-later
"""A filter that nothing can match is reported: at the start if it can be known, at the end if there are no rows."""
import os
import subprocess

import recorder


def lines(r):
    return [line for line in r.stderr.splitlines() if line.startswith("iotrc: ")]


def test_links_are_followed_and_that_is_said(tmp_path):
    """The kernel knows a file only by its own path. A link that everybody uses, like /bin on a merged /usr; one within a path;
    and /bin itself, which is a directory on other machines, and then there is no message."""
    (tmp_path / "usr" / "bin").mkdir(parents=True)
    (tmp_path / "bin").symlink_to("usr/bin")
    (tmp_path / "opt" / "lib").mkdir(parents=True)
    (tmp_path / "a").symlink_to("opt")
    tool, deep = tmp_path / "usr" / "bin" / "tool", tmp_path / "opt" / "lib" / "deep"
    for file in tool, deep:
        file.write_text("x" * 100)
    with recorder.Recording(tmp_path, "--streams", "fs", "--path", str(tmp_path / "bin"), "--path", f"{tmp_path}/a/lib/deep/",
                            "--path", "/bin", *recorder.OWN) as r:
        for file in tmp_path / "bin" / "tool", tool, deep, "/bin/true":
            subprocess.run(["cat", file], check=True, capture_output=True)
    rows = r.rows("fs")
    opened = rows[(rows["operation"] == "open") & (rows["command"] == "cat")]
    assert opened["filename"].tolist() == [str(tool), str(tool), str(deep), os.path.realpath("/bin/true")]
    said = [(f"{tmp_path}/bin", f"{tmp_path}/usr/bin"), (f"{tmp_path}/a/lib/deep", str(deep)),
            *([("/bin", os.path.realpath("/bin"))] if os.path.islink("/bin") else [])]
    assert len(lines(r)) == len(said), r.stderr
    for line, (link, own) in zip(lines(r), said):
        assert f"--path {link}" in line and own in line, r.stderr


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


def test_prefixes_out_of_scope(tmp_path):
    """A prefix does not add what the default scope leaves out."""
    paths = "/proc/self", "/sys/kernel", "/dev/null"
    filters = [argument for path in paths for argument in ("--path", path)]
    with recorder.Recording(tmp_path, "--streams", "fs", *filters, *recorder.OWN) as r:
        subprocess.run(["cat", "/dev/null", "/proc/self/stat"], check=True, capture_output=True)
    *start, end = lines(r)
    assert len(start) == len(paths) and "no row" in end, r.stderr
    for path, line in zip(paths, start):
        assert f"--path {path}: " in line and "--scope all" in line, r.stderr
    with recorder.Recording(tmp_path, "--streams", "fs", "--scope", "all", *filters, *recorder.OWN) as r:
        subprocess.run(["cat", "/dev/null", "/proc/self/stat"], check=True, capture_output=True)
    assert "--scope" not in r.stderr


def ended():
    """The id of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_what_is_no_process(tmp_path):
    """One that has ended, and a thread."""
    pid = ended()
    code = "import threading, time; threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); " \
           "print(open('/proc/self/stat').read().split()[0], flush=True); time.sleep(60)"
    process = subprocess.Popen(["/usr/bin/python3", "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        process.stdout.readline()
        thread = max(int(t) for t in os.listdir(f"/proc/{process.pid}/task"))
        assert thread != process.pid
        with recorder.Recording(tmp_path, "--pid", f"{pid},{thread}") as r:
            subprocess.run(["cat", "/etc/passwd"], check=True, capture_output=True)
    finally:
        process.kill()
        process.wait()
    first, second, end = lines(r)
    assert f"--pid {pid}: no such process" in first, r.stderr
    assert f"--pid {thread}: a thread of process {process.pid}" in second, r.stderr
    assert f"--pid {pid}" in end and "no row" in end, r.stderr


def test_a_command_that_never_ran(tmp_path):
    """Being quiet is no reason not to say it."""
    with recorder.Recording(tmp_path, "-q", "--streams", "fs", "--command", "never-runs") as r:
        subprocess.run(["cat", "/etc/passwd"], check=True, capture_output=True)
    (end,) = lines(r)
    assert "--command never-runs" in end and "no row" in end, r.stderr


def test_filters_that_something_passes_are_not_reported(tmp_path):
    (tmp_path / "file").write_text("x")
    with recorder.Recording(tmp_path, "--command", "cat", "--path", str(tmp_path)) as r:
        subprocess.run(["cat", tmp_path / "file"], check=True, capture_output=True)
    assert lines(r) == [], r.stderr


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
