# SPDX-License-Identifier: GPL-2.0-or-later
"""Exactly what was asked for is written; all other events count as filtered."""
import contextlib
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import sys

import pytest
import recorder

PROGRAM = """
import os, sys
os.mkdir("in"); os.mkdir("in.not")
for name in "in/a", "in.not/b", "c":
    fd = os.open(name, os.O_RDWR | os.O_CREAT)
    for i in range(13):
        os.write(fd, b"x" * 7)
    os.pread(fd, 5, 0)
    os.close(fd)
os.rename("in/a", "in.not/a")
os.rename("c", "in/c")
r, w = os.pipe()
os.write(w, b"12345")
os.read(r, 5)
try:
    os.close(999)
except OSError:
    pass
open("/proc/self/stat").read()
open("/dev/zero", "rb", buffering=0).read(11)
"""


def run(directory):
    """Runs the program in DIRECTORY; returns its pid."""
    os.makedirs(directory)
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=directory)
    assert process.wait() == 0
    return str(process.pid)


def record(tmp_path, *args):
    with recorder.Recording(tmp_path, *args) as r:
        pid = run(tmp_path / "work")
    rows = r.rows("fs")
    assert r.session.lost() == {}
    return r, rows, rows[rows["pid"] == pid], pid


def names(rows):
    return rows["filename"].tolist()


def test_default_scope(tmp_path):
    r, rows, mine, _ = record(tmp_path)
    assert len(mine[mine["operation"] == "write"]) == 3 * 13
    assert not mine["filename"].str.startswith(("/proc/", "/dev/", "pipe:")).any()
    assert r.session.counts("fs")["filtered"] > 0
    # Whatever else ran: no pseudo filesystem, except where one is mounted.
    pseudo = {"proc", "sysfs", "devpts", "debugfs", "tracefs", "bpf", "sockfs", "pipefs", "cgroup2"}
    assert not pseudo & set(rows["fs_type"][rows["operation"] != "mount"])


def test_scope_all(tmp_path):
    _, _, mine, _ = record(tmp_path, "--scope", "all", "--streams", "fs", *recorder.OWN)
    writes = mine[(mine["operation"] == "write") & (mine["size"] == "5")]
    assert len(writes) == 1 and writes.iloc[0]["filename"].startswith("pipe:")
    assert mine["filename"].str.fullmatch(r"/proc/(self|\d+)/stat").any()
    assert "/dev/zero" in names(mine)
    assert len(mine[(mine["operation"] == "write") & (mine["size"] == "7")]) == 3 * 13


def test_ops(tmp_path):
    _, rows, mine, _ = record(tmp_path, "--ops", "write,rename", *recorder.OWN)
    assert set(rows["operation"]) == {"write", "rename"}
    assert len(mine[mine["operation"] == "write"]) == 3 * 13
    assert len(mine[mine["operation"] == "rename"]) == 2


def test_path(tmp_path):
    prefix = str(tmp_path / "work" / "in")
    r, rows, mine, pid = record(tmp_path, "--path", prefix, *recorder.OWN)
    assert set(rows["pid"]) == {pid}
    for name in names(rows):
        assert any(p == prefix or p.startswith(prefix + "/") for p in name.split(" -> ")), name
    assert len(mine[mine["operation"] == "write"]) == 13
    # A rename into or out of it matches.
    assert len(mine[mine["operation"] == "rename"]) == 2
    assert r.session.counts("fs")["filtered"] > 0


def test_pid(tmp_path):
    shell = subprocess.Popen(
        ["sh", "-c", "read line; exec cat /etc/passwd /etc/group >/dev/null"], stdin=subprocess.PIPE
    )
    with recorder.Recording(tmp_path, "--pid", str(shell.pid)) as r:
        other = run(tmp_path / "work")
        shell.communicate(b"\n")
    rows = r.rows("fs")
    assert set(rows["pid"]) == {str(shell.pid)}
    assert "/etc/passwd" in names(rows) and "/etc/group" in names(rows)
    assert other not in set(rows["pid"])


def test_command(tmp_path):
    program = recorder.workload("mapping")
    with recorder.Recording(tmp_path, "--command", "mapping,nothing-else") as r:
        run(tmp_path / "work")
        (tmp_path / "there").mkdir()
        subprocess.run([program], cwd=tmp_path / "there", check=True)
    rows = r.rows("fs")
    assert set(rows["command"]) == {"mapping"}
    assert str(tmp_path / "there" / "file") in names(rows)


def test_streams(tmp_path):
    with recorder.Recording(tmp_path, "--streams", "nw_conn") as r:
        run(tmp_path / "work")
        subprocess.run(
            [recorder.workload("conn")], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL
        )
    # close() belongs to both streams: a failing one, of no file, must not appear in the other.
    assert {f["stream"] for f in r.session.files()} == {"nw_conn"}
    enabled = {k for k, s in r.manifest["streams"].items() if s["enabled"]}
    assert enabled == {"nw_conn", "lost"}


def test_no_network(tmp_path):
    with recorder.Recording(tmp_path, "--no-network", *recorder.OWN) as r:
        subprocess.run(
            [recorder.workload("conn")], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL
        )
    assert not r.manifest["streams"]["nw_conn"]["enabled"]
    assert not r.session.files("nw_conn")


def test_open_before_the_recording(tmp_path):
    """A file that was open before the recording has its path, and so has a child of a directory that was."""
    (tmp_path / "early").mkdir()
    directory = os.open(tmp_path / "early", os.O_RDONLY)
    fd = os.open(tmp_path / "early" / "file", os.O_RDWR | os.O_CREAT)
    os.write(fd, b"x" * 101)
    with recorder.Recording(tmp_path, "--pid", str(os.getpid())) as r:
        os.write(fd, b"y" * 103)
        os.close(os.open("below", os.O_RDWR | os.O_CREAT, dir_fd=directory))
        os.close(fd)
    os.close(directory)
    rows = r.rows("fs")
    write = rows[(rows["operation"] == "write") & (rows["size"] == "103")].iloc[0]
    assert (write["filename"], write["offset"]) == (str(tmp_path / "early" / "file"), "101")
    assert str(tmp_path / "early" / "below") in names(rows[rows["operation"] == "open"])


def row_names(rows, operation):
    return set(rows[rows["operation"] == operation]["filename"])


RESULTS = """
import os, socket, subprocess, time
def fails(call, *args):
    try:
        call(*args)
        raise SystemExit(f"{call} did not fail")
    except OSError:
        pass
fails(os.open, "none", os.O_RDONLY); fails(os.mkdir, "."); fails(os.rmdir, "none"); fails(os.close, 999)
fails(os.stat, "none"); fails(os.rename, "none", "other"); fails(os.execv, "none", ["none"])
fails(os.read, os.open("file", os.O_WRONLY | os.O_CREAT), 5)
os.mkdir("made"); os.stat("made"); os.rename("made", "renamed"); os.listdir("."); os.rmdir("renamed")
s = socket.socket(); fails(s.connect, ("127.0.0.1", 1)); s.close()
a, b = socket.socketpair()
r, w = os.pipe()
subprocess.Popen(["sh", "-c", f"sleep 0.2; echo >&{w}"], pass_fds=[w])
begun = time.monotonic_ns(); os.read(r, 1); print(time.monotonic_ns() - begun)
"""


def record_results(tmp_path, *args):
    """A program that knows which of its calls fail and which are slow: its rows of fs and nw_conn."""
    (tmp_path / "work").mkdir()
    with recorder.Recording(tmp_path, "--streams", "fs,nw_conn", "--scope", "all", *args) as r:
        with recorder.undelayed():
            process = subprocess.Popen([sys.executable, "-c", RESULTS], cwd=tmp_path / "work", stdout=subprocess.PIPE)
            waited = int(process.communicate()[0])
        assert process.returncode == 0
    assert r.session.lost() == {}
    pid = str(process.pid)
    fs, conn = r.rows("fs"), r.rows("nw_conn")
    for stream in "fs", "nw_conn":
        assert r.session.counts(stream)["filtered"] > 0
    return r, fs, conn, pid, waited


def test_errors(tmp_path):
    r, fs, conn, pid, _ = record_results(tmp_path, "--errors", *recorder.OWN)
    assert (fs["errno"] != "").all() and (conn["return_value"].astype(int) < 0).all()
    mine = fs[fs["pid"] == pid]
    work = str(tmp_path / "work")
    assert row_names(mine, "open") >= {f"{work}/none"} and f"{work}/file" not in row_names(mine, "open")
    assert row_names(mine, "rename") == {f"{work}/none -> {work}/other"}
    assert row_names(mine, "mkdir") == {work} and row_names(mine, "rmdir") == {f"{work}/none"}
    assert f"{work}/none" in row_names(mine, "getattr") & row_names(mine, "process_exec")
    assert mine[mine["operation"] == "read"]["errno"].tolist().count("EBADF") == 1
    assert "EBADF" in mine[mine["operation"] == "close"]["errno"].tolist()
    assert not {"readdir", "process_exit", "process_fork"} & set(mine["operation"])
    mine = conn[conn["pid"] == pid]
    assert mine["event_type"].tolist() == ["CONNECT"]
    assert mine["remote_addr"].tolist() == ["127.0.0.1"]


def test_slow(memory_path):
    r, fs, conn, pid, waited = record_results(memory_path, "--slow", "100ms", *recorder.OWN)
    assert (fs["duration_ns"].astype(int) >= 100_000_000).all()
    assert (conn["latency_ns"].astype(int) >= 100_000_000).all()
    ((_, read),) = fs[fs["pid"] == pid].iterrows()
    assert (read["operation"], read["size"]) == ("read", "1") and 100_000_000 <= int(read["duration_ns"]) <= waited


CHILDREN = """
import os, subprocess
os.mkdir("kept"); os.mkdir("kept/left")
os.close(os.open("kept/first", os.O_WRONLY | os.O_CREAT))
os.close(os.open("kept/left/out", os.O_WRONLY | os.O_CREAT))
os.rename("kept/left/out", "kept/in")
os.access("kept", os.R_OK)
subprocess.run(["dd", "if=/dev/null", "of=kept/dd"], stderr=subprocess.DEVNULL)
subprocess.run(["sh", "-c", "sh -c 'echo x >kept/grandchild'; rm kept/first"])
if os.fork() == 0:
    os.setuid(65534)
    os.access(".", os.F_OK)
    os.mkdir("kept/never")
"""


def test_what_is_excluded(tmp_path):
    """All rows of a program's descendants except those of one command, one directory and two operations."""
    work = tmp_path / "work"
    work.mkdir()
    program = tmp_path / "following"
    os.symlink(sys.executable, program)
    (tmp_path / "other").mkdir()
    with recorder.Recording(
        tmp_path, "--streams", "fs", "--command", "following", "--follow",
        "--exclude-command", "dd,none-such", "--ops", "!getattr,access", "--path", "work/kept/",
        "--exclude-path", "./work/other/../kept/left", "--exclude-path", "work/nowhere",
        "--uid", "root,65533", cwd=tmp_path,
    ) as r:
        subprocess.run([program, "-c", CHILDREN], cwd=work, check=True)
        run(tmp_path / "other" / "in")
    rows = r.rows("fs")
    kept = f"{work}/kept"
    assert set(names(rows)) == {
        kept, f"{kept}/first", f"{kept}/left/out -> {kept}/in", f"{kept}/grandchild"
    }
    assert {"following", "sh", "rm"} == set(rows["command"])
    assert not {"getattr", "access"} & set(rows["operation"])
    assert row_names(rows, "unlink") == {f"{kept}/first"}
    for value in "--exclude-command none-such", f"--exclude-path {work}/nowhere", "--uid 65533":
        assert value in r.stderr, r.stderr
    said = [line for line in r.stderr.splitlines() if "nothing matched" in line]
    assert len(said) == 1 and " dd" not in said[0] and "--uid 0" not in said[0], said


@pytest.fixture
def cgroups(tmp_path):
    """A cgroup, one below it, and another one."""
    root = tmp_path / "cgroup2"
    root.mkdir()
    subprocess.run(["mount", "-t", "cgroup2", "none", root], check=True)
    made = [root / f"iotrc-{os.getpid()}{name}" for name in ("", "/below", "-not")]
    for directory in made:
        directory.mkdir()
    yield made
    for directory in sorted({p for d in made for p in [d, *d.rglob("*")] if p.is_dir()}, reverse=True):
        recorder.wait_for(lambda d=directory: not (d / "cgroup.procs").read_text(), "processes are gone")
        directory.rmdir()
    subprocess.run(["umount", root], check=True)


def test_cgroups(tmp_path, cgroups):
    above, below, other = cgroups
    unused = str(2**40)
    with recorder.Recording(
        tmp_path, "--streams", "fs", "--ops", "mkdir", "--cgroup", str(above), "--cgroup", unused
    ) as r:
        for name, group in ("in", above), ("in-below", below), ("not", other):
            script = f"echo $$ >{group}/cgroup.procs && mkdir {tmp_path}/{name}"
            subprocess.run(["sh", "-c", script], check=True)
    assert names(r.rows("fs")) == [f"{tmp_path}/in", f"{tmp_path}/in-below"]
    assert f"nothing matched --cgroup {unused}" in r.stderr


CONTAINERS = "0123456789abcdef" * 4, "fedcba9876543210" * 4


def test_containers(tmp_path, cgroups):
    """In directories as podman and Kubernetes' containerd name them."""
    above, _, other = cgroups
    web, pod = above / f"libpod-{CONTAINERS[0]}.scope", above / f"cri-containerd-{CONTAINERS[1]}.scope"
    for directory in web, web / "inner", pod:
        directory.mkdir()
    with recorder.Recording(
        tmp_path, "--streams", "fs", "--ops", "mkdir", "--container", CONTAINERS[0][:12], "--cgroup", str(other)
    ) as r:
        for name, group in ("web", web), ("inner", web / "inner"), ("pod", pod), ("other", other):
            subprocess.run(["sh", "-c", f"echo $$ >{group}/cgroup.procs && mkdir {tmp_path}/{name}"], check=True)
    assert names(r.rows("fs")) == [f"{tmp_path}/{name}" for name in ("web", "inner", "other")]
    for name in CONTAINERS[0][:11], "none", "":
        done = recorder.run("--container", name, "-d", "1s", "-o", str(tmp_path / "none"))
        assert done.returncode == 2 and f"no container that runs has the name or id '{name}'" in done.stderr
    done = recorder.run("summary", "-d", "100ms", "--container", CONTAINERS[1])
    assert done.returncode == 0, done.stderr


DOCKER = pathlib.Path("/var/lib/docker/containers")


class Named:
    """Containers as Docker would have them, below a cgroup of the test's own: of a shop, and one that is not of it. No other
    test has their ids and names, since tests run side by side."""

    def __init__(self, above):
        mark = secrets.token_hex(4)
        self.pattern = f"iotrc-{mark}-shop-*"
        self.cart, self.blog = f"iotrc-{mark}-shop-cart", f"iotrc-{mark}-blog"
        self.ids = {name: secrets.token_hex(32) for name in (self.cart, self.blog)}
        self.groups = {name: above / f"docker-{number}.scope" for name, number in self.ids.items()}
        self.made, self.absent = [], [p for p in (DOCKER, *DOCKER.parents) if not p.exists()]

    def name(self, name):
        """Writes its name to the file that Docker has for it."""
        self.made.append(DOCKER / self.ids[name])
        self.made[-1].mkdir(parents=True)
        (self.made[-1] / "config.v2.json").write_text(json.dumps({"Name": f"/{name}"}))

    def unname(self):
        for directory in self.made:
            shutil.rmtree(directory)
        for directory in self.absent:
            with contextlib.suppress(OSError): # a test beside this one needs it
                directory.rmdir()


@pytest.fixture
def named(cgroups):
    containers = Named(cgroups[0])
    yield containers
    containers.unname()


def test_containers_that_start_later(tmp_path, named):
    """From when their names are known, threads that were left out until then as well; those of other containers never."""
    program = (f"import os\nopen('{{}}/cgroup.procs', 'w').write(str(os.getpid()))\nos.mkdir('{tmp_path}/{{}}-before')\nprint(flush=True)\n"
               f"input()\nos.mkdir('{tmp_path}/{{}}-after')\n")
    started, ours = [], named.groups[named.cart]
    with recorder.Recording(tmp_path, "--streams", "fs", "--ops", "mkdir", "--container", named.pattern) as r, contextlib.ExitStack() as ended:
        for what, group in ("ours", ours), ("others", named.groups[named.blog]):
            group.mkdir()
            started.append(ended.enter_context(subprocess.Popen(
                [sys.executable, "-c", program.format(group, what, what)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)))
            ended.callback(started[-1].stdin.close) # which ends it
            assert started[-1].stdout.readline() == b"\n"
        named.name(named.blog)
        named.name(named.cart)
        (ours / "inner").mkdir() # so that it looks at once
        recorder.wait_for(lambda: f"recording container {named.cart} from now on" in r.errors(), r.errors)
        for p in started:
            p.communicate(b"\n")
            assert p.returncode == 0
        subprocess.run(["sh", "-c", f"echo $$ >{ours}/inner/cgroup.procs && mkdir {tmp_path}/new"], check=True)
    assert names(r.rows("fs")) == [f"{tmp_path}/ours-after", f"{tmp_path}/new"]
    for pattern, rows in (named.pattern, 2), ("iotrc-*/*", 0): # in a session, too
        done = recorder.run("cat", "fs", str(r.session.directory), "--container", pattern)
        assert len(done.stdout.splitlines()) == 1 + rows, done.stdout + done.stderr


def test_a_pattern_without_a_container(tmp_path):
    """A recording of nothing says why."""
    with recorder.Recording(tmp_path, "--streams", "fs", "--container", "iotrc-cellar-*") as r:
        (tmp_path / "unseen").mkdir()
    assert not len(r.rows("fs")) and "events none passed --container" in r.stderr, r.stderr


@contextlib.contextmanager
def busy(tmp_path, named):
    """Both containers start, named, and make directories until the end."""
    with contextlib.ExitStack() as ended:
        for name, group in named.groups.items():
            named.name(name)
            group.mkdir()
            (tmp_path / name).mkdir()
            process = subprocess.Popen(["sh", "-c", f"echo $$ >{group}/cgroup.procs; i=0; while mkdir {tmp_path}/{name}/$i; do i=$((i + 1)); sleep 0.05; done"])
            ended.callback(process.wait)
            ended.callback(process.kill)
        yield


def test_live_commands_follow_containers(tmp_path, named):
    """watch, summary and top take those that start later, as a recording does."""
    with contextlib.ExitStack() as ended:
        watch, summary, top = (ended.enter_context(subprocess.Popen(
            [recorder.IOTRC, *command, "--container", named.pattern], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
            for command in (["watch", "--json", "-e", "mkdir"], ["summary", "--csv", "--by", "container"],
                            ["top", "--json", "-d", "200ms", "--by", "container"]))
        for p in watch, summary, top:
            ended.callback(p.kill)
            assert p.stderr.readline() == "watching\n"
        ended.enter_context(busy(tmp_path, named))
        for p in watch, summary:
            assert p.stderr.readline() == f"iotrc: recording container {named.cart} from now on\n"
        rows = [json.loads(watch.stdout.readline()) for _ in range(7)]
        shown = json.loads(top.stdout.readline())
        summary.send_signal(signal.SIGINT)
        summed = summary.communicate(timeout=recorder.START)[0].splitlines()
    assert all(row["filename"].startswith(f"{tmp_path}/{named.cart}/") for row in rows)
    assert shown["container"] == named.cart
    assert len(summed) == 2 and summed[1].startswith(f"{named.cart},"), summed


def test_an_anonymous_recording_follows_patterns(tmp_path, named):
    """And has neither the containers' names nor those of the others."""
    with recorder.Recording(tmp_path, "--streams", "fs", "--ops", "mkdir", "--anonymize", "--state", str(tmp_path / "state"),
                            "--container", named.pattern) as r, busy(tmp_path, named):
        recorder.wait_for(lambda: r.written().count(b"\n") > 7, "rows")
        ours = str(named.groups[named.cart].stat().st_ino)
    rows = r.rows("fs")
    assert len(rows) >= 7 and set(rows["container_id"]) == {ours}
    session = r.session.directory
    assert not (session / "containers.json").exists()
    hidden = [text.encode() for text in (named.pattern.strip("*"), named.cart, named.blog)]
    for path in filter(pathlib.Path.is_file, session.rglob("*")):
        data = subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout if path.suffix == ".zst" else path.read_bytes()
        assert not any(text in data for text in hidden), path


def test_user(tmp_path):
    os.chmod(tmp_path, 0o777)
    with recorder.Recording(
        tmp_path, "--streams", "fs", "--uid", "nobody", "--ops", "mkdir,rmdir"
    ) as r:
        script = "import os; os.mkdir('a'); os.setuid(65534); os.mkdir('b')"
        subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    rows = r.rows("fs")
    assert row_names(rows, "mkdir") >= {f"{tmp_path}/b"} and f"{tmp_path}/a" not in names(rows)
    assert "nothing matched --ops rmdir" in r.stderr, r.stderr
