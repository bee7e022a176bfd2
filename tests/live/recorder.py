# SPDX-License-Identifier: GPL-2.0-or-later
"""Starts `iotrc`, waits until it records, stops it, and reads what it wrote.

The files are read by pandas, not by code of iotrc.
"""
import collections
import contextlib
import glob
import json
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import time

import pandas

IOTRC = os.environ.get("IOTRC", "")
WORKLOADS = os.environ.get("WORKLOADS", "")
# How system calls are hooked in all recordings (make check-kernels tests each way that a kernel supports).
ATTACH = os.environ.get("IOTRC_ATTACH", "auto")
# On an emulated machine, which is some twenty times slower (make check-kernels).
EMULATED = bool(os.environ.get("IOTRC_EMULATED"))
# The version of this kernel: (5, 10).
RELEASE = tuple(int(n) for n in re.match(r"(\d+)\.(\d+)", os.uname().release).groups())


def unseen(count):
    """How many of COUNT events in interrupts may lack rows: none, except with a patch of some sandboxes' kernels, which
    runs no program on a tracepoint while a thread of process 1 runs (docs/hooks.md)."""
    with open("/sys/kernel/btf/vmlinux", "rb") as f:
        return max(2, count * 3 // 100) if b"\0init_owned\0" in f.read() else 0




def __getattr__(name):
    """OWN: arguments of a recorder that records only this process and its descendants. The kernel side drops the events of
    other programs, so these cannot fill the rings, however busy the machine is. OWN_OR_ALL: the same, but without a filter
    on a machine that runs nothing else. Tests run in processes forked after this was imported, so each asks for its own."""
    if name in ("OWN", "OWN_OR_ALL"):
        return () if EMULATED and name == "OWN_OR_ALL" else ("--pid", str(os.getpid()))
    raise AttributeError(name)


# Seconds. The machine may be busy: these limits detect hangs, not slowness.
START = 120
# The promised time, and an allowance for a loaded machine.
STOP = 2
STOP_MARGIN = 3

# A shell that runs the tests in the background ignores SIGINT, and so would a recorder whose handler is not
# set yet.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ESCAPE = re.compile(rb"\\(\\|x[0-9A-Fa-f]{2})")


def unescape(field):
    """The bytes that an escaped field stands for."""
    raw = field.encode()
    rest = ESCAPE.sub(b"", raw)
    assert b"\\" not in rest, f"a backslash that is no escape in {field!r}"
    return ESCAPE.sub(lambda m: b"\\" if m[1] == b"\\" else bytes([int(m[1][1:], 16)]), raw)


def workload(name):
    return os.path.join(WORKLOADS, name)


def free_port():
    """A TCP port of 127.0.0.1 without a listener."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Stopwatch:
    """Seconds since it was created, without those in which some task waited for a CPU: promised
    times hold on a busy machine, but not while other programs use the CPUs."""

    def __init__(self):
        self.begun = time.monotonic() - self.waited()

    @staticmethod
    def waited():
        """Documentation/accounting/psi.rst; 0 if the kernel has no PSI."""
        try:
            text = pathlib.Path("/proc/pressure/cpu").read_text()
        except OSError:
            return 0
        return int(re.search(r"some .*total=(\d+)", text)[1]) / 1e6

    def seconds(self):
        return time.monotonic() - self.waited() - self.begun


def read_line(stream, seconds):
    """One line of a pipe; None if none came in time, '' if the pipe was closed before."""
    end = time.monotonic() + seconds
    data = b""
    while not data.endswith(b"\n"):
        left = end - time.monotonic()
        if left <= 0 or not select.select([stream], [], [], left)[0]:
            return None
        byte = os.read(stream.fileno(), 1)
        if not byte:
            break
        data += byte
    return data.decode()


def wait_for(condition, what=None, seconds=START):
    """Polls until CONDITION() is true, and returns its value. WHAT describes it, if its docstring does not; if WHAT is
    a function, its result is in the failure's message."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"after {seconds} s not yet: {what() if callable(what) else what or condition.__doc__}"
        time.sleep(0.02)
    return value


@contextlib.contextmanager
def undelayed():
    """What the test starts within it does not wait for a CPU that other programs use."""
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def hurry(pid, thread):
    """Gives a thread of a recorder that runs at the lowest priority a usual one: beside programs that use all CPUs it would take
    minutes for what the test waits for. To be repeated, since the thread lowers its priority when it begins."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError): # it has ended
            if (task / "comm").read_text() == f"{thread}\n":
                os.setpriority(os.PRIO_PROCESS, int(task.name), 0)


def wait_for_snapshots(r, n=1, seconds=START):
    """Waits until the manifest has N snapshots of the filesystems. They are not kept from the CPU meanwhile, unless SECONDS
    is less than usual."""
    def reported():
        if seconds == START:
            hurry(r.process.pid, "snapshots")
        manifest = json.loads((r.session_directory / "manifest.json").read_text())
        return len(manifest.get("snapshots", [])) >= n

    wait_for(reported, lambda: f"{n} snapshots in the manifest: {r.errors()}", seconds)


def read_file(path, columns=None, dtype=str):
    """A finished file; every field is text."""
    return pandas.read_csv(
        path, compression="zstd", dtype=dtype, keep_default_na=False, usecols=columns
    )


class Session:
    """A finished session on disk."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.manifest = json.loads((self.directory / "manifest.json").read_text())

    def files(self, stream=None):
        return [f for f in self.manifest["files"] if stream in (None, f["stream"])]

    def columns(self, stream):
        return [c["name"] for c in self.manifest["streams"][stream]["columns"]]

    def rows(self, stream):
        """A DataFrame of the stream, in the order of completion."""
        frames = [read_file(self.directory / f["path"]) for f in self.files(stream)]
        if not frames:
            return pandas.DataFrame(columns=self.columns(stream), dtype=str)
        frame = pandas.concat(frames, ignore_index=True)
        order = frame["mono_ns"].astype("uint64").sort_values(kind="stable").index
        return frame.loc[order].reset_index(drop=True)

    def tally(self, stream, *columns):
        """How many rows have the same values in COLUMNS: {(value, …): rows}. For millions of rows, for which awk takes a third
        of the time that pandas takes. awk knows no quotes: a row with a comma in a field before the last of COLUMNS counts
        under other values."""
        places = [self.columns(stream).index(name) + 1 for name in columns]
        count = f"FNR > 1 {{ n[{' FS '.join(f'${place}' for place in places)}]++ }} END {{ for (key in n) print key FS n[key] }}"
        rows = collections.Counter()
        for f in self.files(stream):
            if EMULATED: # those machines have no awk
                rows.update(read_file(self.directory / f["path"], list(columns)).value_counts(list(columns)).to_dict())
                continue
            done = subprocess.run(["sh", "-ec", 'zstd -dcq -- "$1" | awk -F, "$2"', "sh", self.directory / f["path"], count],
                                  check=True, capture_output=True, text=True)
            for line in done.stdout.splitlines():
                *values, n = line.split(",")
                rows[tuple(values)] += int(n)
        assert rows.total() == sum(f["rows"] for f in self.files(stream))
        return rows

    def counts(self, stream):
        return self.manifest["diagnostics"]["streams"][stream]

    def check_identity(self):
        """seen = written + filtered + lost, and the files hold what was written."""
        for stream, c in self.manifest["diagnostics"]["streams"].items():
            lost = sum(c["lost"].values())
            assert c["seen"] == c["written"] + c["filtered"] + lost, (stream, c)
            assert c["written"] == sum(f["rows"] for f in self.files(stream)), (
                stream, c, self.files(stream)
            )

    def lost(self):
        return {
            stream: sum(c["lost"].values())
            for stream, c in self.manifest["diagnostics"]["streams"].items()
            if sum(c["lost"].values())
        }


class Recording:
    """with Recording(tmp_path, "--streams", "fs") as r: …; then r.rows("fs").

    `code` is the expected exit code (None: 0 or 3), `ends` is for a recording that ends by itself (-d). `snapshots`
    adds those of processes, files and the system; most tests can do without. `output` is the output directory instead
    of one of its own, and `log` the file for stderr. `cwd` is the recorder's working directory.
    """

    def __init__(self, tmp_path, *args, code=0, ends=False, env=None, snapshots=False, output=None,
                 log=None, cwd=None):
        self.output = pathlib.Path(output or pathlib.Path(tmp_path) / f"traces{time.monotonic_ns()}")
        self.log = log or f"{self.output}.stderr"
        without = [] if snapshots else ["--no-snapshots"]
        self.command = [IOTRC, "-o", str(self.output), "--attach", ATTACH, *without, *args]
        self.code = code
        self.ends = ends
        self.env = env
        self.cwd = cwd
        self.session = None
        self.stderr = ""

    def start(self):
        """Starts it without waiting for its first line."""
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=open(self.log, "wb"),
            env=self.env,
            cwd=self.cwd,
            bufsize=0,
        )
        return self

    def wait_ready(self):
        line = read_line(self.process.stdout, START)
        if not line or not line.endswith("\n"):
            self.kill()
            raise AssertionError(f"no session: stdout {line!r}, stderr:\n{self.errors()}")
        self.session_directory = pathlib.Path(line[:-1])
        return self

    def __enter__(self):
        return self.start().wait_ready()

    def send(self, number):
        self.process.send_signal(number)

    def errors(self):
        return pathlib.Path(self.log).read_text(errors="replace")

    def wait_logged(self, text, seconds=START):
        """Waits until TEXT is in its stderr."""
        wait_for(lambda: text in self.errors(), lambda: f"{text!r} in\n{self.errors()}", seconds)

    def written(self, stream="fs"):
        """The bytes that the files of a stream hold so far, those being written included."""
        files = sorted(self.session_directory.glob(f"{stream}/*"))
        return b"".join(subprocess.run(["zstd", "-dcf", f], capture_output=True).stdout for f in files)

    def wait_written(self, text, stream="fs", seconds=START):
        """Waits until a row of STREAM with TEXT (bytes) is in a file."""
        wait_for(lambda: text in self.written(stream), f"a row of {stream} with {text!r}", seconds)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def finish(self, seconds=START):
        """Waits for the end; what stdout had after the first line is in self.more."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still there after {seconds} s:\n{self.errors()}") from None
        self.more = self.process.stdout.read().decode()
        self.process.stdout.close()
        self.stderr = self.errors()
        self.returncode = code
        expected = (0, 3) if self.code is None else (self.code,)
        assert code in expected, f"exit code {code}, not {self.code}:\n{self.stderr}"

    def stop(self, number=signal.SIGINT):
        watch = Stopwatch()
        if not self.ends:
            self.send(number)
        self.finish()
        self.stop_seconds = watch.seconds()
        self.session = Session(self.session_directory)

    def __exit__(self, kind, value, trace):
        if kind:
            self.kill()
            return
        if self.session is None:
            self.stop()
        assert self.more == "", f"more than one line on stdout: {self.more!r}"
        self.session.check_identity()

    def programs(self):
        """What the kernel says about each BPF program that the running recorder holds, by id."""
        ret = {}
        for path in glob.glob(f"/proc/{self.process.pid}/fdinfo/*"):
            try:
                with open(path) as f:
                    fields = dict(line.split(":", 1) for line in f if ":" in line)
            except FileNotFoundError: # closed meanwhile
                continue
            if "prog_id" in fields and "link_id" not in fields:
                ret[int(fields["prog_id"])] = fields
        return ret

    # What most tests need of the session.
    @property
    def manifest(self):
        return self.session.manifest

    def rows(self, stream):
        return self.session.rows(stream)

    def missed(self):
        """Events for which the kernel ran no program, according to the manifest."""
        return sum(h["missed"] for h in self.manifest["diagnostics"]["hooks"])


def run(*args, seconds=START, **kwargs):
    """Runs `iotrc ARGS` until it ends."""
    return subprocess.run(
        [IOTRC, *args],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, **kwargs,
    )
