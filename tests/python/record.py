# SPDX-License-Identifier: GPL-2.0-or-later
"""Records a session of this machine."""
import contextlib
import os
import pathlib
import signal
import subprocess
import types

TOP = pathlib.Path(__file__).resolve().parents[2]
IOTRC = os.environ.get("IOTRC", "")


@contextlib.contextmanager
def recording(output, *args, codes=(0,)):
    """Records into OUTPUT while the block runs. Yields an object with the session's directory (session) and, after the
    block, what the recorder wrote to stderr (said). CODES: allowed exit codes of the recorder."""
    recorder = subprocess.Popen([IOTRC, "-o", output, "--no-snapshots", *args], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
    recorded = types.SimpleNamespace(session=recorder.stdout.readline().strip())
    try:
        yield recorded
    finally:
        recorder.send_signal(signal.SIGINT)
        _, recorded.said = recorder.communicate(timeout=60)
    assert recorder.returncode in codes, recorded.said


def record_script(output, script):
    """A session of SCRIPT, whose argument is a directory of its own, with everything done to the files there."""
    place = output / "work"
    place.mkdir()
    with recording(output / "out", "--streams", "fs,block", "--path", place) as recorded:
        subprocess.run(["sh", "-c", script, "sh", place], check=True)
    return recorded.session
