# SPDX-License-Identifier: GPL-2.0-or-later
"""The DTrace engine with a fake dtrace that plays what a test writes: lines with any paths, losses, ends, silence and
macOS' refusals."""
import csv
import io
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import lines
import pytest
import zstandard

HERE = pathlib.Path(__file__).resolve().parent
IOTRC = os.environ.get("IOTRC", str(HERE.parent.parent / "build" / "iotrc"))
BEGIN = ["line", "begin 0 0 0 \x010; 0 0 0\n"]
DARWIN = ["line", "begin 0 0 0 \x010; 0 1 0\n"]
SECONDS = 120 # at most, on a busy machine


def unescape(field):
    return re.sub(rb"\\(x[0-9A-Fa-f]{2}|\\)", lambda m: b"\\" if m[1] == b"\\" else bytes([int(m[1][1:], 16)]),
                  field.encode())


class Run:
    """A recording with a fake dtrace that plays SCRIPTS, until the function UNTIL of the recording is true."""

    def __init__(self, tmp_path, until=None, streams="fs", seconds=SECONDS, options=(), end=signal.SIGINT, **play):
        self.out = tmp_path / "out"
        plan = tmp_path / "play.json"
        plan.write_text(json.dumps(play))
        self.log = tmp_path / "log"
        self.argv = [IOTRC, "dev", "--dtrace", HERE / "fake_dtrace", "--no-snapshots", "--streams", streams, "-o", self.out,
                     *map(str, options)]
        with open(self.log, "wb") as log:
            recorder = subprocess.Popen(self.argv, stderr=log, env={**os.environ, "FAKE_DTRACE": str(plan)})
        deadline = time.monotonic() + seconds
        while recorder.poll() is None and time.monotonic() < deadline and not (until and self.is_played(play) and until(self)):
            time.sleep(0.05)
        if recorder.poll() is None:
            recorder.send_signal(end)
        self.code = recorder.wait(timeout=SECONDS)
        self.said = self.log.read_text()
        self.plan = plan

    def started(self, name="vfs"):
        path = pathlib.Path(f"{self.out.parent}/play.json.{name}")
        return len(path.read_text()) if path.exists() else 0

    def is_played(self, play):
        """Whether it records, and the dtrace of each script in PLAY has played its lines, and waits for the end."""
        path = pathlib.Path(f"{self.out.parent}/play.json.played")
        return path.exists() and list(self.out.glob("*/*/*/manifest.json")) and {"vfs", "io", "network"} & set(play) <= set(path.read_text().split())

    @property
    def session(self):
        return next(self.out.glob("*/*/*"))

    def manifest(self):
        return json.loads((self.session / "manifest.json").read_text())

    def rows(self, stream="fs"):
        found = []
        for path in sorted(self.out.glob(f"*/*/*/{stream}/*.zst*")):
            with zstandard.ZstdDecompressor().stream_reader(path.read_bytes()) as reader:
                found += csv.DictReader(io.StringIO(reader.read().decode()))
        return found

    def counts(self, stream="fs"):
        return self.manifest()["diagnostics"]["streams"][stream]


def after(seconds):
    """SECONDS after the lines were played."""
    begun = []

    def over(_):
        begun.append(time.monotonic())
        return begun[-1] > begun[0] + seconds
    return over


def test_no_path_breaks_a_record(tmp_path):
    """Exactly the opened names, whatever is in them; texts as on macOS and as on Linux."""
    chance, play, expected = lines.seeded(19), [BEGIN], []
    for i in range(300):
        path = lines.random_path(chance)
        expected.append(path)
        play.append(["line", lines.line("open", f"\x01{i};", 0, 0, 0, 0, ret=3, texts=[path], nul=i % 2)])
    run = Run(tmp_path, after(1), vfs=[play + [["wait"]]])
    assert run.code == 0, run.said
    assert [unescape(row["filename"]) for row in run.rows()] == expected
    assert not any(run.counts()["lost"].values())


def test_descriptors_are_followed(tmp_path):
    """Through dup, fork, exec, rename, chdir and a directory's descriptor, with records of two CPUs out of order."""
    p, child = lines.OURS, lines.OURS + 1
    ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    at = lambda i: ns + i * 1000
    script = [
        BEGIN,
        # CPU 1 is written first although it is later.
        ["line", lines.line("read", at(3), 4, 0, 10, 0, cpu=1, pid=p, ret=10)],
        ["line", lines.line("task", at(0), pid=p, ret=7, texts=[b"shell"])],
        ["line", lines.line("chdir", at(1), 0, 0, 0, 0, pid=p, texts=[b"/a"])],
        ["line", lines.line("openat", at(2), -100, 0, 0o2000000, 0, pid=p, ret=4, texts=[b"b/../c"])],
        ["line", lines.line("dup", at(4), 4, 0, 0, 0, pid=p, ret=5)],
        ["line", lines.line("create", at(5), pid=p, ret=child)],
        ["line", lines.line("close", at(6), 4, 0, 0, 0, pid=p)],
        ["line", lines.line("write", at(7), 4, 0, 3, 0, pid=child, ret=3)],
        ["line", lines.line("rename", at(8), 0, 0, 0, 0, pid=p, texts=[b"/a", b"/z"])],
        ["line", lines.line("write", at(9), 5, 0, 4, 0, pid=child, ret=4)],
        ["line", lines.line("exec", at(10), pid=child, texts=[b"/bin/x"])],
        ["line", lines.line("write", at(11), 4, 0, 5, 0, pid=child, ret=5)], # close-on-exec
        ["line", lines.line("write", at(12), 5, 0, 6, 0, pid=child, ret=6)], # its copy is unknown
        ["line", lines.line("read", at(13), 9, 0, 10, 0, pid=p, error=9, ret=-1)],
        ["line", lines.line("unlinkat", at(14), 77, 0, 0, 0, pid=p, error=2, ret=-1, texts=[b"gone"])], # below an unknown directory
        ["line", lines.line("exit", at(15), 1, pid=child, ret=3)],
        ["wait"],
    ]
    run = Run(tmp_path, after(1), vfs=[script])
    assert run.code == 0, run.said
    assert [(r["operation"], r["filename"], r["size"], r["bytes_completed"], r["errno"]) for r in run.rows()] == [
        ("chdir", "/a", "", "", ""), ("open", "/a/c", "", "", ""), ("read", "/a/c", "10", "10", ""),
        ("close", "/a/c", "", "", ""), ("write", "/a/c", "3", "3", ""), ("rename", "/a -> /z", "", "", ""),
        ("write", "/z/c", "4", "4", ""), ("process_exec", "/bin/x", "", "", ""), ("write", "/z/c", "6", "6", ""),
        ("unlink", "", "", "", "ENOENT"), ("process_exit", "", "", "", "")]
    assert {r["command"] for r in run.rows()} == {"shell"} and run.rows()[-1]["return_value"] == "3"
    assert run.counts()["filtered"] == 2 # the two whose file is unknown


def test_threads_with_directories_of_their_own(tmp_path):
    """macOS' __pthread_chdir() and __pthread_fchdir(): relative paths of a thread, and of the child that it makes, begin there,
    until it returns to the directory of its process, or ends."""
    p, thread, third, child, spawned = (lines.OURS + i for i in range(5))
    here, cwd = {"pid": p, "tid": p}, -2
    own, gone, made = {"pid": p, "tid": thread}, {"pid": p, "tid": third}, {"pid": child}
    call = lambda name, *numbers, text=None, who, **more: lines.line(
        name, "\x010;", *numbers, texts=[] if text is None else [text], **who, **more)
    stat = lambda text, who: call("stat", 0, 0, 0, 0, text=text, who=who)
    steps = [
        call("chdir", 0, 0, 0, 0, text=b"/a", who=here), stat(b"1", here), stat(b"2", own),
        call("pthread_chdir", 0, 0, 0, 0, text=b"/b", who=own), stat(b"3", own), stat(b"4", here),
        call("pthread_chdir", 0, 0, 0, 0, text=b"c", who=own), call("chdir", 0, 0, 0, 0, text=b"../q", who=own),
        stat(b"5", own), stat(b"6", here), call("open", 0, 0, 0, 0, text=b"/d", who=here, ret=5),
        call("pthread_fchdir", 5, 0, 0, 0, who=own), call("openat", cwd, 0, 0, 0, text=b"7", who=own, ret=6),
        call("create", 0, who=own, ret=child), stat(b"8", made), call("write", 6, 0, 3, 0, who=made, ret=3),
        # It executes a program: its thread's directory becomes the process's.
        call("pthread_chdir", 0, 0, 0, 0, text=b"/e", who=made), call("exec", text=b"x", who=made), stat(b"9", made),
        # posix_spawn() that changes the child's descriptors or directory: neither is guessed.
        call("create", 1, who=own, ret=spawned), stat(b"10", {"pid": spawned}), call("write", 6, 0, 3, 0, who={"pid": spawned}, ret=3),
        call("pthread_fchdir", -1, 0, 0, 0, who=own), stat(b"11", own),
        call("pthread_fchdir", -1, 0, 0, 0, who=own, ret=-1, error=9),
        call("pthread_chdir", 0, 0, 0, 0, text=b"no", who=own, ret=-1, error=2), stat(b"12", own),
        call("pthread_chdir", 0, 0, 0, 0, text=b"/t", who=gone), call("thread_exit", who=gone), stat(b"13", gone),
        call("pthread_fchdir", 77, 0, 0, 0, who=own), stat(b"14", own),
    ]
    run = Run(tmp_path, after(1), vfs=[[DARWIN, ["line", "".join(steps)], ["wait"]]])
    assert run.code == 0, run.said
    assert [(r["operation"], r["filename"], r["errno"]) for r in run.rows()] == [
        ("chdir", "/a", ""), ("getattr", "/a/1", ""), ("getattr", "/a/2", ""), ("chdir", "/b", ""), ("getattr", "/b/3", ""),
        ("getattr", "/a/4", ""), ("chdir", "/b/c", ""), ("chdir", "/b/q", ""), ("getattr", "/b/c/5", ""), ("getattr", "/b/q/6", ""),
        ("open", "/d", ""), ("chdir", "/d", ""), ("open", "/d/7", ""), ("getattr", "/d/8", ""), ("write", "/d/7", ""),
        ("chdir", "/e", ""), ("process_exec", "/e/x", ""), ("getattr", "/e/9", ""), ("getattr", "", ""), ("chdir", "/b/q", ""),
        ("getattr", "/b/q/11", ""), ("chdir", "/b/q/no", "ENOENT"), ("getattr", "/b/q/12", ""), ("chdir", "/t", ""),
        ("getattr", "/b/q/13", ""), ("getattr", "", "")]
    # A descriptor of which nothing is known: of the spawned process, -1, and 77.
    assert run.counts()["filtered"] == 3


def test_numbers_of_macos(tmp_path):
    """errno, flags and families are those of macOS if the lines are; the words are the same."""
    fcntl_fullfsync = 51
    inet6 = lines.line("connect", "\x010;", 3, 28, 30 << 8 | 28, 0xbb01 << 16 | 30 << 8 | 28, 0, 0, 0x01000000, 0, error=61, ret=-1, texts=[b""])
    run = Run(tmp_path, after(1), "fs,nw_conn", vfs=[[
        DARWIN,
        ["line", lines.line("open", "\x011;", 0, 0x601 | 0x1000000 | 0x8000, 0o644, 0, ret=3, texts=[b"/f"])],
        ["line", lines.line("fcntl", "\x012;", 3, fcntl_fullfsync, 0, 0)],
        ["line", lines.line("openat", "\x013;", -2, 0, 0, 0, error=62, ret=-1, texts=[b"/loop"])],
        ["wait"]]], network=[[
            DARWIN, ["line", lines.line("socket", "\x011;", 30, 1, 0, ret=3)], ["line", inet6], ["wait"]]])
    assert run.code == 0, run.said
    rows = run.rows()
    assert rows[0]["flags"] == "O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC|O_EVTONLY"
    assert [r["operation"] for r in rows] == ["open", "fsync", "open"] and rows[2]["errno"] == "ELOOP"
    conn = run.rows("nw_conn")
    assert [(r["event_type"], r["domain"]) for r in conn] == [("SOCKET_CREATE", "AF_INET6"), ("CONNECT", "AF_INET6")]
    assert (conn[1]["remote_addr"], conn[1]["dport"], conn[1]["return_value"]) == ("::1", "443", "-111")


def test_guarded_descriptors(tmp_path):
    """Of which macOS' libraries make use: SQLite's, for one. The guard's address comes before the other arguments."""
    guard, memory = 1 << 40, 1 << 41
    run = Run(tmp_path, after(1), vfs=[[
        DARWIN, ["line", lines.line("guarded_open", "\x010;", 0, guard, 1, 0x202, ret=3, texts=[b"/db"])],
        ["line", lines.line("guarded_write", "\x011;", 3, guard, memory, 100, ret=100)],
        ["line", lines.line("guarded_pwrite", "\x012;", 3, guard, memory, 7, 4096, ret=7)],
        ["line", lines.line("guarded_writev", "\x013;", 3, guard, memory, 2, ret=11)],
        ["line", lines.line("close", "\x014;", 3, guard, 0, 0)], ["wait"]]])
    assert run.code == 0, run.said
    assert [(r["operation"], r["filename"], r["size"], r["offset"], r["bytes_completed"]) for r in run.rows()] == [
        ("open", "/db", "", "", ""), ("write", "/db", "100", "", "100"), ("write", "/db", "7", "4096", "7"),
        ("write", "/db", "", "", "11"), ("close", "/db", "", "", "")]


def test_drops_are_lost_rows(tmp_path):
    """With their number and span, in the stream whose dtrace reported them."""
    play = [BEGIN, ["beat"], ["said", "dtrace: 123 drops on CPU 0"],
            ["said", "dtrace: 5 dynamic variable drops with non-empty dirty list"],
            ["said", "dtrace: error on enabled probe ID 5 (ID 123: syscall::open:return): invalid address (0x0) in action #1"],
            ["wait"]]
    run = Run(tmp_path, after(1), vfs=[play])
    assert run.code != 0 and run.counts()["lost"]["ring"] == 129
    lost = run.rows("lost")
    assert sum(int(r["count"]) for r in lost) == 129 and {(r["stream"], r["cause"]) for r in lost} == {("fs", "ring")}
    assert all(0 < int(r["from_mono_ns"]) <= int(r["to_mono_ns"]) for r in lost)


@pytest.mark.parametrize("bad", [
    "no record at all\n", "read 0 1 1\n", "open 0 1 1 5 5 3 0 0 0 0 0 99:/short\n", "open 0 1 1 5 5 3 0 0 0 0 0 2:/\\q\n",
    "unheard 0 1 1 \x010; 5 3 0\n", "read 0 1 1 99999999999999999999 5 3 0\n", "\x00\xff\n", "x" * 40000 + "\n"])
def test_what_is_no_line_is_lost_and_shown(tmp_path, bad):
    good = lines.line("open", "\x010;", 0, 0, 0, 0, ret=3, texts=[b"/good"])
    run = Run(tmp_path, after(1), vfs=[[BEGIN, ["line", bad], ["line", good], ["wait"]]])
    assert run.counts()["lost"]["ring"] == 1 and run.counts()["written"] == 1
    assert "cannot parse a line of " in run.said and "\x00" not in run.said
    assert [r["filename"] for r in run.rows()] == ["/good"]


@pytest.mark.slow
@pytest.mark.parametrize("end", [["exit", 1], ["stall"]])
def test_a_dtrace_that_dies_or_hangs_is_started_again(tmp_path, end):
    """The gap has a row, and descriptors opened before it are unknown."""
    def line(path, ret):
        return ["line", lines.line("open", "\x010;", 0, 0, 0, 0, ret=ret, texts=[path])]

    first = [BEGIN, line(b"/first", 3), ["beat"], ["sleep", 0.5], ["beat"], end]
    second = [BEGIN, line(b"/second", 4), ["line", lines.line("read", "\x011;", 3, 0, 1, 0, ret=1)], ["wait"]]
    second_lasted = after(1)
    until = lambda run: run.started() > 1 and second_lasted(run)
    run = Run(tmp_path, until, vfs=[first, second])
    assert run.started() == 2
    assert [r["filename"] for r in run.rows()] == ["/first", "/second"]
    gaps = [r for r in run.rows("lost") if r["cause"] == "missed"]
    assert len(gaps) == 1 and gaps[0]["count"] == "1" and gaps[0]["stream"] == "fs"
    rows = [int(r["mono_ns"]) for r in run.rows()]
    assert rows[0] < int(gaps[0]["from_mono_ns"]) < int(gaps[0]["to_mono_ns"]) + 10**9 and run.code != 0
    assert "restarting it" in run.said


@pytest.mark.calm # the others mostly wait, this one reads
def test_a_flood_is_all_there(tmp_path):
    """Half a million records at once: each has a row."""
    n = 500_000
    play = [BEGIN, ["line", lines.line("open", "\x010;", 0, 0, 0, 0, ret=3, texts=[b"/flood"])], ["flood", n, lines.OURS], ["wait"]]
    run = Run(tmp_path, after(1), vfs=[play])
    counts = run.counts()
    assert counts["written"] + sum(counts["lost"].values()) == n + 1 and counts["seen"] == n + 1
    assert counts["written"] == n + 1, run.said


SIP = "dtrace: system integrity protection is on, some features will not be available\n"


@pytest.mark.parametrize("said, words", [
    (SIP + "dtrace: failed to match syscall:::: No probe matches description\n", "csrutil enable --without dtrace"),
    ("dtrace: invalid probe specifier syscall:::entry: probe description syscall:::entry does not match any probes. "
     "System Integrity Protection is on\n", "csrutil enable --without dtrace"),
    ("dtrace: failed to initialize dtrace: DTrace requires additional privileges\n", "DTrace needs root"),
    ("dtrace: failed to open: Operation not permitted\n", "DTrace needs root"),
    ("dtrace: no idea\n", "no idea")])
def test_refusals_are_explained(tmp_path, said, words):
    """Exit code 1, instructions, and no session."""
    run = Run(tmp_path, said=said)
    assert run.code == 1 and words in run.said and not run.out.exists()


def test_few_probes_are_no_engine(tmp_path):
    run = Run(tmp_path, list=7)
    assert run.code == 1 and "only 7 probes of syscall" in run.said and not run.out.exists()


CUSTOM = """System Integrity Protection status: unknown (Custom Configuration).

Configuration:
\tApple Internal: disabled
\tKext Signing: enabled
\tFilesystem Protections: enabled
\tDebugging Restrictions: enabled
\tDTrace Restrictions: {}
\tNVRAM Protections: enabled
\tBaseSystem Verification: enabled

This is an unsupported configuration, likely to break in the future and leave your machine in an unknown state.
"""


@pytest.mark.parametrize("status, restricted", [
    ("System Integrity Protection status: enabled.\n", True), ("System Integrity Protection status: disabled.\n", False),
    (CUSTOM.format("enabled"), True), (CUSTOM.format("disabled"), False)])
def test_csrutil_is_called(tmp_path, monkeypatch, status, restricted):
    """For a dtrace that does not say why it has few probes."""
    (tmp_path / "csrutil").write_text(f"#!/bin/sh\n[ \"$*\" = status ] && cat <<'END'\n{status}END\n")
    (tmp_path / "csrutil").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    run = Run(tmp_path, list=7)
    assert run.code == 1 and not run.out.exists()
    steps = ["Apple silicon", "Command-R", "csrutil enable --without dtrace", "Undo it in the same way with: csrutil enable"]
    assert all((words in run.said) == restricted for words in steps), run.said
    assert ("only 7 probes of syscall" in run.said) != restricted


def test_a_script_that_does_not_compile(tmp_path):
    run = Run(tmp_path, vfs=[[["said", "dtrace: failed to compile script: line 3: syntax error"], ["exit", 1]]])
    assert run.code == 1 and "line 3: syntax error" in run.said and not run.out.exists()


def test_block_and_the_manifest(tmp_path):
    """The columns of a request, and which of them DTrace cannot fill."""
    play = [BEGIN, ["line", lines.line("task", "\x010;", ret=1, texts=[b"writer"])],
            ["line", lines.line("block", "\x010;", 2048, 4096, 0, 254, 3, 0, duration=1_500_000)],
            ["line", lines.line("block", "\x010;", 8, 512, 1, 254, 3, 0, ret=-5)], ["wait"]]
    run = Run(tmp_path, after(1), "block", io=[play])
    assert run.code == 0, run.said
    rows = run.rows("block")
    assert [(r["operation"], r["sector"], r["size"], r["device"], r["command"]) for r in rows] == [
        ("write", "2048", "4096", "254:3", "writer"), ("read", "8", "512", "254:3", "writer")]
    assert float(rows[0]["latency_ms"]) == 1.5 and rows[1]["flags"] == "error=EIO"
    manifest = run.manifest()
    assert manifest["tracer"]["engine"] == "dtrace"
    assert "inode" in manifest["diagnostics"]["unfilled_columns"]["fs"]
    assert all(not rows[0][name] for name in manifest["diagnostics"]["unfilled_columns"]["block"])


def test_process_filter_takes_in_children(tmp_path):
    p, child, other = lines.OURS, lines.OURS + 1, lines.OURS + 5
    play = [BEGIN]
    for i, pid in enumerate((p, child, other)):
        if pid == child:
            play.append(["line", lines.line("create", f"\x01{3 * i};", pid=p, ret=child)])
        play.append(["line", lines.line("mkdir", f"\x01{3 * i + 1};", 0, 0o755, 0, 0, pid=pid, texts=[b"/%d" % i])])
    env = os.environ.copy()
    env["FAKE_DTRACE"] = str(tmp_path / "play.json")
    (tmp_path / "play.json").write_text(json.dumps({"vfs": [play + [["wait"]]]}))
    # --pid needs an existing process: ours, whose id is in the lines
    text = (tmp_path / "play.json").read_text().replace(str(child), "@C@").replace(str(other), "@D@").replace(
        str(p), str(os.getpid())).replace("@C@", str(child)).replace("@D@", str(other))
    (tmp_path / "play.json").write_text(text)
    out = tmp_path / "out"
    subprocess.run([IOTRC, "dev", "--dtrace", HERE / "fake_dtrace", "--no-snapshots", "--streams", "fs", "--pid",
                    str(os.getpid()), "-d", "2s", "-o", out], env=env, check=True, stderr=subprocess.DEVNULL)
    run = Run.__new__(Run)
    run.out = out
    assert [r["filename"] for r in run.rows()] == ["/0", "/1"] and run.counts()["filtered"] == 1


def processes_with(text):
    """Those with TEXT in their environment."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            if text.encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError: # it has ended, or is another user's
            pass
    return found


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_before_the_first_line(tmp_path, end):
    """The signal ends the recorder, with one line and without a session, and then its dtrace."""
    (tmp_path / "play.json").write_text(json.dumps({"vfs": [[["stall"]]]}))
    started = tmp_path / "play.json.vfs"
    recorder = subprocess.Popen(
        [IOTRC, "dev", "--dtrace", HERE / "fake_dtrace", "--no-snapshots", "--streams", "fs", "-o", tmp_path / "out"],
        stderr=subprocess.PIPE, text=True, env={**os.environ, "FAKE_DTRACE": str(tmp_path / "play.json")})
    deadline = time.monotonic() + SECONDS
    while not started.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    recorder.send_signal(end)
    _, said = recorder.communicate(timeout=SECONDS)
    assert recorder.returncode == -end and not (tmp_path / "out").exists()
    assert said == "iotrc: stopped before the recording began: there is no session\n"
    while processes_with(f"FAKE_DTRACE={tmp_path}") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not processes_with(f"FAKE_DTRACE={tmp_path}")


def block_of(texts):
    return ["line", "".join(texts)]


def test_more_processes_than_fit(tmp_path):
    """Rows of those that come after 65,536 are lost, which is said once."""
    n, made = 66_000, [lines.line("mkdir", f"\x01{i};", 0, 0o755, 0, 0, pid=lines.OURS + i, texts=[b"/d"]) for i in range(66_000)]
    play = [BEGIN, *(block_of(made[i:i + 1000]) for i in range(0, n, 1000)), ["wait"]]
    run = Run(tmp_path, after(1), vfs=[play])
    counts = run.counts()
    assert counts["written"] + counts["lost"]["ring"] == counts["seen"] == n
    # Processes of this machine have entries, too.
    assert n - 65_536 <= counts["lost"]["ring"] < n // 2
    assert [int(row["pid"]) - lines.OURS for row in run.rows()] == list(range(counts["written"]))
    assert run.said.count("vfs.d: more than 65536 processes: rows of further ones are lost") == 1
    assert "cannot parse" not in run.said and run.code == 3


def test_more_descriptors_than_fit(tmp_path):
    """Beyond 1,048,576 a file is unknown: its open has a row, a read has none, and the end says so. Those that are known
    stay known, and others fit when a process has ended."""
    p, late, children = lines.OURS, lines.OURS + 1, range(lines.OURS + 2, lines.OURS + 2 + 1023)
    steps = [lines.line("open", "\x010;", 0, 0, 0, 0, pid=p, ret=0, texts=[b"/kept"]),
             *(lines.line("dup", "\x010;", 0, 0, 0, 0, pid=p, ret=number) for number in range(1, 1024)),
             *(lines.line("create", "\x010;", pid=p, ret=child) for child in children),
             # This machine's own descriptors have entries, too, so that the last of these do not fit.
             *(lines.line("open", "\x010;", 0, 0, 0, 0, pid=late, ret=number, texts=[b"/late"]) for number in range(3)),
             lines.line("read", "\x010;", 2, 0, 10, 0, pid=late, ret=10),
             lines.line("read", "\x010;", 7, 0, 10, 0, pid=children[0], ret=10),
             lines.line("exit", "\x010;", 1, pid=children[0], ret=0),
             lines.line("open", "\x010;", 0, 0, 0, 0, pid=late, ret=4, texts=[b"/again"]),
             lines.line("read", "\x010;", 4, 0, 10, 0, pid=late, ret=10)]
    run = Run(tmp_path, after(1), vfs=[[BEGIN, block_of(steps), ["wait"]]])
    assert run.code == 0, run.said
    assert [(row["operation"], row["filename"]) for row in run.rows()] == [
        ("open", "/kept"), *[("open", "/late")] * 3, ("read", "/kept"), ("process_exit", ""), ("open", "/again"), ("read", "/again")]
    told = re.search(r"vfs\.d: descriptors beyond 1048576 are unknown: rows about them are missing \((\d+)\)", run.said)
    assert told and int(told[1]) >= 3
