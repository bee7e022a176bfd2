# SPDX-License-Identifier: GPL-2.0-or-later
"""The metrics of a recording as Prometheus reads them: promtool's checks, a real server that scrapes, the alert rules
and every query of the dashboard."""
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "live"))
import recorder  # noqa: E402

DOCS = ROOT / "docs" / "metrics"


class Prometheus:
    """A server of our own on loopback that scrapes PORT every second."""

    def __init__(self, path, port):
        self.port = recorder.free_port()
        (path / "alerts.yml").write_bytes((DOCS / "alerts.yml").read_bytes())
        (path / "prometheus.yml").write_text(f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [alerts.yml]
scrape_configs:
  - job_name: iotrc
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
""")
        self.process = subprocess.Popen(
            ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=tsdb",
             f"--web.listen-address=127.0.0.1:{self.port}"], cwd=path, stderr=open(path / "prometheus.log", "wb"))

    def ask(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)["data"]

    def query(self, expression):
        """[(labels, value)]"""
        return [(r["metric"], float(r["value"][1])) for r in self.ask("query", query=expression)["result"]]

    def up(self):
        try:
            return self.query("up == 1")
        except OSError:
            return None

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


@pytest.fixture(scope="module")
def scraped(tmp_path_factory):
    """A recording under load, what Prometheus knows about it, and the last text of its metrics."""
    path, port = tmp_path_factory.mktemp("metrics"), recorder.free_port()
    os.chmod(path, 0o755)
    with recorder.Recording(path, "--streams", "fs,block", *recorder.OWN, "--metrics-listen", str(port),
                            "--upload", f"file://{path}") as r:
        server = Prometheus(path, port)
        load = subprocess.Popen([sys.executable, "-c", """
import os, time
fd = os.open("data", os.O_RDWR | os.O_CREAT)
while True:
    os.pwrite(fd, b"x", 0); os.fsync(fd); time.sleep(0.01)
"""], cwd=path)
        recorder.wait_for(server.up, "Prometheus scrapes")
        recorder.wait_for(lambda: server.query('rate(iotrc_operation_duration_seconds_count{operation="fsync"}[10s]) > 0'),
                          "two scrapes have seen the load")
        load.terminate()
        load.wait(60)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        yield server, text, r
        server.stop()


def test_promtool_finds_nothing_to_mend(scraped):
    done = subprocess.run(["promtool", "check", "metrics"], input=scraped[1], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_promtool_accepts_the_alert_rules():
    done = subprocess.run(["promtool", "check", "rules", DOCS / "alerts.yml"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "3 rules found" in done.stdout, done.stdout + done.stderr


def test_prometheus_has_what_was_published(scraped):
    server, text, _ = scraped
    wanted = dict(re.findall(r'^iotrc_rows_written_total\{stream="(\w+)"\} (\d+)$', text, re.M))
    assert int(wanted["fs"]) > 0

    def caught_up():
        found = {labels["stream"]: value for labels, value in server.query("iotrc_rows_written_total")}
        return all(found.get(stream, -1) >= int(value) for stream, value in wanted.items())

    recorder.wait_for(caught_up, "the counts have been scraped")
    names = set(server.ask("label/__name__/values"))
    published = set(re.findall(r"^# HELP (\w+)", text, re.M))
    assert published <= {re.sub("_(bucket|sum|count)$", "", name) for name in names} | names


def expressions():
    dashboard = json.loads((DOCS / "dashboard.json").read_text())
    return [t["expr"] for panel in dashboard["panels"] for t in panel["targets"]]


@pytest.mark.parametrize("expression", expressions())
def test_each_panel_of_the_dashboard_has_data(scraped, expression):
    expression = expression.replace("$__rate_interval", "30s").replace("$instance", ".*")
    if "lost" in expression: # no row is lost here, but the counters exist
        expression = expression.replace("[1h]", "[30s]")
    assert scraped[0].query(expression), expression


ALERTS = {
    "IotrcLosesRows": ('iotrc_rows_lost_total{instance="a", stream="fs", cause="ring"}', "0+100x20"),
    "IotrcStopped": ('iotrc_recording{instance="a"}', "0x20"),
    "IotrcUploadStuck": ('iotrc_upload_failing{instance="a"}', "1x60"),
}


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_fires_on_its_condition_alone(tmp_path, alert):
    """With promtool's own rule tests: with the alert's condition, and with a healthy recording."""
    series, values = ALERTS[alert]
    healthy = {'iotrc_recording{instance="a"}': "1x60", 'iotrc_upload_pending_bytes{instance="a"}': "5x60",
               'iotrc_upload_failing{instance="a"}': "0x60",
               'iotrc_rows_lost_total{instance="a", stream="fs", cause="ring"}': "7x60"}
    for condition in (True, False):
        inputs = {**healthy, **({series: values} if condition else {})}
        test = {"rule_files": [str(DOCS / "alerts.yml")], "evaluation_interval": "1m", "tests": [{
            "interval": "1m", "input_series": [{"series": k, "values": v} for k, v in inputs.items()],
            "promql_expr_test": [{"expr": f'count(ALERTS{{alertname="{alert}", alertstate="firing"}})',
                                  "eval_time": "45m" if alert == "IotrcUploadStuck" else "15m",
                                  "exp_samples": [{"labels": "{}", "value": 1}] if condition else []}]}]}
        (tmp_path / "test.yml").write_text(json.dumps(test))
        done = subprocess.run(["promtool", "test", "rules", "test.yml"], cwd=tmp_path, capture_output=True, text=True,
                              timeout=60)
        assert done.returncode == 0, (condition, done.stdout + done.stderr)
