# SPDX-License-Identifier: GPL-2.0-or-later
"""Recorders that leave the sending to `iotrc upload --continuous`, as the service does: a process beside them that
looks every half minute. The target is a directory, which the tests read."""
import contextlib
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import sessions

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "live"))
import recorder # noqa: E402

LOOK = 90 # seconds: three times as long as it takes to look again


class Place:
    """Where recordings go, and where they are sent."""

    def __init__(self, tmp_path):
        self.tmp_path, self.output, self.target = tmp_path, tmp_path / "traces", tmp_path / "target"
        self.target.mkdir()

    def options(self, *args):
        return ["--upload", f"file://{self.target}", "--state", str(self.tmp_path / "state"), *args]

    def recording(self, *args, **kwargs):
        return recorder.Recording(self.tmp_path, "--streams", "fs", "--path", str(self.tmp_path / "work"),
                                  *self.options("--upload-later", "--rotate-rows", "1", *args), output=self.output, **kwargs)

    @contextlib.contextmanager
    def uploads(self, *args, code=0):
        log = self.tmp_path / f"upload{time.monotonic_ns()}"
        command = [os.environ["IOTRC"], "upload", *self.options("--continuous", *args), str(self.output)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=open(log, "wb"), env=sessions.environment())
        process.log = log
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == code, log.read_text()

    def sent(self, session):
        """{file: its data} at the target."""
        top = next(self.target.glob(f"**/{session.name}"), None)
        return {} if not top else {str(p.relative_to(top)): p.read_bytes() for p in top.rglob("*") if p.is_file()}


def work(directory):
    directory.mkdir(exist_ok=True)
    (directory / f"file{time.monotonic_ns()}").write_text("x")
    time.sleep(1.2) # a chunk is written each second, and each begins a file


def check_sent(place, session, local=None):
    """Every file of the manifest with its content, in so far as it is still here, and the manifest."""
    sent = place.sent(session)
    manifest = json.loads(sent["manifest.json"])
    assert manifest["session"]["state"] in ("complete", "recovered")
    for file in manifest["files"]:
        assert hashlib.sha256(sent[file["path"]]).hexdigest() == file["sha256"]
        assert local is None or local[file["path"]] == sent[file["path"]]
    done = recorder.run("verify", str(place.target), seconds=60)
    assert done.returncode == 0 and ": sound" in done.stdout, done.stdout


def test_sends_while_another_process_records(tmp_path):
    """The uploader started before the first recording. Neither uploader nor recorder does the other's work."""
    place = Place(tmp_path)
    with place.uploads() as process:
        with place.recording() as r:
            def some():
                work(tmp_path / "work")
                return any(name.startswith("fs/") for name in place.sent(r.session_directory))
            recorder.wait_for(some, "files at the target", LOOK)
            assert "manifest.json" not in place.sent(r.session_directory)
            # Not sent twice at the same time, nor removed under way.
            by_hand = recorder.run("upload", *place.options("--keep-uploaded=no"), str(place.output))
            assert by_hand.returncode == 3 and "is being recorded" in by_hand.stderr, by_hand.stderr
            verified = recorder.run("verify", str(r.session_directory))
            assert "its recorder is gone" not in verified.stdout + verified.stderr
        local = sessions.contents(r.session_directory)
        recorder.wait_for(lambda: "manifest.json" in place.sent(r.session_directory), "the session at the target", LOOK)
        check_sent(place, r.session_directory, local)
    assert "all is at the target" in process.log.read_text()
    assert (tmp_path / "state/uploaded").exists()


def test_the_end_sends_the_rest_and_keeps_nothing(tmp_path):
    """Without waiting for the next look."""
    place = Place(tmp_path)
    with place.recording() as r:
        work(tmp_path / "work")
    begun = time.monotonic()
    with place.uploads("--keep-uploaded=no"):
        with place.recording() as later:
            for _ in range(3):
                work(tmp_path / "work")
    assert time.monotonic() - begun < 30
    for session in r.session_directory, later.session_directory:
        check_sent(place, session)
        assert not session.exists()


def test_sends_only_what_was_meant_to_leave(tmp_path):
    place = Place(tmp_path)
    with recorder.Recording(tmp_path, "--streams", "fs", output=place.output) as own:
        work(tmp_path / "work")
    with place.recording() as r:
        work(tmp_path / "work")
    with place.uploads():
        time.sleep(1)
    check_sent(place, r.session_directory)
    assert place.sent(own.session_directory) == {}


def test_a_killed_recorder_is_recovered_while_it_sends(tmp_path):
    place = Place(tmp_path)
    with place.uploads():
        r = place.recording().start().wait_ready()
        for _ in range(3):
            work(tmp_path / "work")
        r.kill()
        done = recorder.run("recover", str(place.output), seconds=60)
        assert done.returncode == 0, done.stderr
    check_sent(place, r.session_directory)
    assert json.loads(place.sent(r.session_directory)["manifest.json"])["session"]["state"] == "recovered"


def test_the_recorder_needs_no_network(tmp_path):
    """Its threads cannot open an Internet socket, and it has none that sends."""
    place = Place(tmp_path)
    with place.recording() as r:
        names = {(t / "comm").read_text().strip() for t in pathlib.Path(f"/proc/{r.process.pid}/task").iterdir()}
        assert "iotrc-reader" in names and "iotrc-upload" not in names, names
    assert (r.session_directory / ".upload.jsonl").read_bytes() == b""


def test_a_line_that_makes_no_sense():
    for args, said in ((["upload", "--upload", "file:///tmp", "--continuous", "a", "b"], "one output directory"),
                       (["upload", "--upload", "file:///tmp", "--continuous", "--test"], "not with --continuous"),
                       (["--continuous"], "only with upload")):
        done = recorder.run(*args)
        assert done.returncode == 2 and said in done.stderr, done.stderr
