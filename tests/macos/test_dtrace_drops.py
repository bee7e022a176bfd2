# SPDX-License-Identifier: GPL-2.0-or-later
"""DTrace for Linux with buffers that are too small for a flood of calls: what it says that it has dropped is in the stream
`lost`, and in the counts. strace reads what it says (needs root; $DTRACE_ROOT as dtrace-linux expects it)."""
import json
import os
import pathlib
import re
import signal
import subprocess
import time

from test_dtrace import HERE, IOTRC, START, read_rows

FLOOD = "import os, sys\nfd = os.open(sys.argv[1], os.O_RDONLY)\nfor _ in range(100_000):\n    os.pread(fd, 1, 0)\n"
SAID = re.compile(r'^write\(2, "(?:\[| )*(?:dtrace: )?(\d+) [a-z ]*drops?\b', re.M)
FAILED = re.compile(r'^write\(2, "(?:\[| )*(?:dtrace: )?error on enabled probe', re.M)


def test_what_it_drops_is_lost(tmp_path):
    out, log, said = tmp_path / "out", tmp_path / "log", tmp_path / "said"
    (tmp_path / "file").write_text("x")
    with open(log, "wb") as stderr:
        recorder = subprocess.Popen(
            [IOTRC, "dev", "--dtrace", HERE / "dtrace-linux", "--no-snapshots", "--streams", "fs", "-o", out], stderr=stderr,
            env={**os.environ, "DTRACE_BUFSIZE": "64k", "DTRACE_SAID": str(said)})
    deadline = time.monotonic() + START
    while not list(out.glob("*/*/*/manifest.json")):
        assert recorder.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
    flood = [subprocess.Popen(["/usr/bin/python3", "-I", "-S", "-c", FLOOD, tmp_path / "file"]) for _ in range(2)]
    assert [p.wait() for p in flood] == [0, 0]
    time.sleep(3)
    recorder.send_signal(signal.SIGINT)
    code = recorder.wait(timeout=60)
    text = said.read_text(errors="replace")
    dropped = sum(map(int, SAID.findall(text))) + len(FAILED.findall(text))
    assert dropped > 0, log.read_text()
    assert code == 3 # rows are missing
    lost = [row for row in read_rows(out, "lost") if row["stream"] == "fs"]
    assert sum(int(row["count"]) for row in lost) == dropped
    manifest = json.loads(next(out.glob("*/*/*/manifest.json")).read_text())
    counts = manifest["diagnostics"]["streams"]["fs"]
    assert sum(counts["lost"].values()) == dropped and counts["seen"] == counts["written"] + counts["filtered"] + dropped
    assert subprocess.run([IOTRC, "verify", next(pathlib.Path(out).glob("*/*/*"))], check=False).returncode == 0
