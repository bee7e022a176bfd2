# SPDX-License-Identifier: GPL-2.0-or-later
"""Metrics of a recording, read by Prometheus' own Python client, compared with the rows, the manifest and a program
that counts what it did."""
import http.client
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time

import numpy
import pandas
import pytest
from prometheus_client import parser

import ptrace
import recorder

READS = 1009
BOUNDS = [1e-6 * 4 ** i for i in range(13)] + [float("inf")]
LOAD = f"""
import os
fd = os.open("data", os.O_RDWR | os.O_CREAT)
os.write(fd, bytes(4096))
os.fsync(fd)
for _ in range({READS}):
    os.pread(fd, 512, 0)
"""


def parse(text):
    """{(name, labels as a sorted tuple): value}."""
    return {(s.name, tuple(sorted(s.labels.items()))): s.value
            for family in parser.text_string_to_metric_families(text) for s in family.samples}


def get(port, path="/metrics", method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path)
    answer = connection.getresponse()
    return answer.status, answer.getheader("Content-Type"), answer.read().decode()


@pytest.fixture(scope="module")
def recorded(module_path):
    """A recording, its metrics by HTTP while it ran, and the metrics file that it left."""
    file, port = pathlib.Path(module_path, "iotrc.prom"), recorder.free_port()
    with recorder.Recording(module_path, "--streams", "fs,block", *recorder.OWN, "--metrics-file", file,
                            "--metrics-listen", str(port)) as r:
        first = parse(file.read_text())
        subprocess.run([sys.executable, "-c", LOAD], cwd=module_path, check=True)
        label = ("iotrc_operation_duration_seconds_count", (("operation", "read"),))
        recorder.wait_for(lambda: parse(get(port)[2]).get(label, 0) >= READS, "the reads are counted")
        answers = {(method, path): get(port, path, method) for method, path in
                   [("GET", "/metrics"), ("HEAD", "/metrics"), ("GET", "/"), ("POST", "/metrics")]}
        # Silent connections hold up neither other connections nor the end of the recording.
        idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(8)]
        answers["beside"] = get(port)
    for s in idle:
        s.close()
    return r, first, answers, parse(file.read_text()), file


def test_the_file_has_the_counts_of_the_manifest(recorded):
    r, first, _, last, _ = recorded
    assert first["iotrc_recording", ()] == 1 and last["iotrc_recording", ()] == 0
    assert first["iotrc_start_time_seconds", ()] == last["iotrc_start_time_seconds", ()]
    for stream in ("fs", "block", "lost"):
        counts = r.session.counts(stream)
        labels = (("stream", stream),)
        for what in ("seen", "written", "filtered"):
            assert last[f"iotrc_rows_{what}_total", labels] == counts[what], (stream, what)
        lost = {dict(key[1])["cause"]: value for key, value in last.items()
                if key[0] == "iotrc_rows_lost_total" and dict(key[1])["stream"] == stream}
        assert lost == counts["lost"]
        size = sum(os.stat(r.session.directory / f["path"]).st_size for f in r.session.files(stream))
        assert last["iotrc_written_bytes_total", labels] == size


def test_the_file_says_that_it_has_ended_on_a_busy_machine(tmp_path):
    """The thread that writes the metrics file gets no CPU for some seconds after the end of the recording."""
    file = tmp_path / "iotrc.prom"
    r = recorder.Recording(tmp_path, "--streams", "block", *recorder.OWN, "--metrics-file", file)
    with r:
        with ptrace.held(r.process.pid, "metrics"):
            r.process.send_signal(signal.SIGINT)
            r.wait_logged("More: ")
            time.sleep(3)
            assert parse(file.read_text())["iotrc_recording", ()] == 1 and r.process.poll() is None
        r.ends = True
    assert parse(file.read_text())["iotrc_recording", ()] == 0


def histogram(metrics, name, labels):
    wanted = dict(labels)
    counts = {float(dict(key[1])["le"]): value for key, value in metrics.items() if key[0] == f"{name}_bucket"
              and {k: v for k, v in key[1] if k != "le"} == wanted}
    key = tuple(sorted(labels))
    return counts, metrics[f"{name}_count", key], metrics[f"{name}_sum", key]


def compare(metrics, name, labels, seconds):
    counts, count, total = histogram(metrics, name, labels)
    assert count == len(seconds) == counts[float("inf")]
    assert total == pytest.approx(seconds.sum(), abs=1e-6 * len(seconds))
    assert sorted(counts) == pytest.approx(BOUNDS)
    for bound, value in counts.items():
        # latency_ms has six decimals: rounding moves no row across a bound.
        assert value == (seconds <= bound).sum(), (labels, bound)


def test_histograms_are_those_of_the_rows(recorded):
    r, _, _, last, _ = recorded
    rows = r.rows("fs")
    durations = pandas.to_numeric(rows["duration_ns"]).dropna() / 1e9
    operations = rows.loc[durations.index, "operation"]
    assert (operations == "read").sum() >= READS
    published = {dict(key[1])["operation"] for key in last if key[0] == "iotrc_operation_duration_seconds_count"}
    assert published == set(operations)
    for operation in published:
        compare(last, "iotrc_operation_duration_seconds", [("operation", operation)],
                durations[operations == operation])


def test_block_histograms_are_those_of_the_rows(recorded):
    r, _, _, last, _ = recorded
    rows = r.rows("block")
    rows = rows[rows["latency_ms"] != ""]
    assert len(rows), "the fsync made no request"
    for (device, operation), group in rows.groupby(["device", "operation"]):
        compare(last, "iotrc_block_latency_seconds", [("device", device), ("operation", operation)],
                numpy.round(pandas.to_numeric(group["latency_ms"]) / 1e3, 9))


def test_http(recorded):
    _, _, answers, _, _ = recorded
    status, kind, text = answers["GET", "/metrics"]
    assert status == 200 and kind.startswith("text/plain; version=0.0.4") and parse(text)["iotrc_recording", ()] == 1
    assert answers["HEAD", "/metrics"][::2] == (200, "")
    assert answers["GET", "/"][0] == 404 and answers["POST", "/metrics"][0] == 405
    assert answers["beside"][0] == 200


def test_only_the_file_is_left(recorded):
    file = recorded[4]
    assert [p.name for p in file.parent.iterdir() if "prom" in p.name] == [file.name]
    assert oct(file.stat().st_mode & 0o7777) == "0o644"


@pytest.mark.parametrize("arguments, message", [
    (["--metrics-listen", "localhost:http"], "is not [ADDRESS:]PORT"),
    (["--metrics-listen", "0"], "is not [ADDRESS:]PORT"),
    (["--metrics-listen", "127.0.0.1:65536"], "is not [ADDRESS:]PORT"),
    (["--metrics-listen", "[::1:9435"], "is not [ADDRESS:]PORT"),
    (["--metrics-listen", "192.0.2.1:9435"], "cannot listen on 192.0.2.1, port 9435: "),
    (["--metrics-file", "/nowhere/iotrc.prom"], "cannot open directory /nowhere/: No such file"),
    (["--metrics-file", "/proc/iotrc.prom"], "cannot write /proc/iotrc.prom: "),
    (["--metrics-file", "/tmp/"], "names no file"),
])
def test_what_cannot_be_published_is_reported_at_the_start(tmp_path, arguments, message):
    done = subprocess.run([recorder.IOTRC, "-o", tmp_path, "-d", "1s", "--streams", "block", *arguments],
                          capture_output=True, text=True, timeout=recorder.START)
    assert done.returncode == 1 and message in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_address_in_use_is_reported(tmp_path):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        done = subprocess.run([recorder.IOTRC, "-o", tmp_path, "-d", "1s", "--streams", "block",
                               "--metrics-listen", f":{port}"], capture_output=True, text=True, timeout=recorder.START)
    assert done.returncode == 1 and "Address already in use" in done.stderr


def test_a_reader_never_sees_half_a_file(module_path):
    """Every GET and every read of the file can be parsed, however often they are made."""
    file, port, stop, bad = pathlib.Path(module_path, "again.prom"), recorder.free_port(), threading.Event(), []

    def read():
        while not stop.is_set():
            for text in (file.read_text(), get(port)[2]):
                try:
                    assert parse(text)["iotrc_build_info", tuple(sorted(LABELS.items()))] == 1
                except (AssertionError, ValueError, KeyError) as e:
                    bad.append(e)

    with recorder.Recording(module_path, "--streams", "block", *recorder.OWN, "--metrics-file", file,
                            "--metrics-listen", f"127.0.0.1:{port}") as r:
        LABELS = next(dict(key[1]) for key in parse(file.read_text()) if key[0] == "iotrc_build_info")
        threads = [threading.Thread(target=read) for _ in range(3)]
        before = file.stat().st_ino
        # It is replaced after fifteen seconds (src/metrics/publisher.h); until shortly before, nothing happens to it.
        time.sleep(max(0, file.stat().st_mtime + 12 - time.time()))
        assert file.stat().st_ino == before
        for t in threads:
            t.start()
        recorder.wait_for(lambda: file.stat().st_ino != before, "the file has been replaced", 60)
        stop.set()
        for t in threads:
            t.join()
    assert not bad and LABELS["engine"] == "bpf" and LABELS["kernel"] == os.uname().release
