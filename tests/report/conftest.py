# SPDX-License-Identifier: GPL-2.0-or-later
"""Reports in a real browser: headless Chromium, driven by Playwright (page.js). What a page shows is compared with what
pandas computes from the same session. Crafted sessions are those of tests/python."""
import json
import os
import pathlib
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "python"), str(TOP / "tests/python")]

import craft # noqa: E402

IOTRC = os.environ["IOTRC"]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
NODE = {**os.environ, "NODE_PATH": str(CACHE / "iotrc/npm/report/node_modules")}

WORKLOAD = """
import os, socket, subprocess, sys, time
os.chdir(sys.argv[1])
for n in range(300):
    with open(f"f{n % 17}", "wb") as f:
        f.write(b"x" * (n * 37 % 9000))
        if n % 50 == 0:
            os.fsync(f.fileno())
    with open(f"f{n % 17}", "rb") as f:
        while f.read(1 + n * 13 % 5000):
            pass
    try:
        os.stat(f"missing{n % 5}")
    except OSError:
        pass
os.makedirs("deep/er")
os.rename("f1", "deep/er/f1")
server = socket.create_server(("127.0.0.1", 0))
for n in range(9):
    client = socket.create_connection(server.getsockname())
    server.accept()[0].close()
    client.close()
for n in range(7):
    subprocess.run(["/bin/cat", "f2"], stdout=subprocess.DEVNULL)
for name in sys.argv[2:]:
    with open(os.fsencode(name), "wb") as f:
        f.write(b"hostile")
"""
# Names that would have a meaning if they were taken for HTML, JSON, JavaScript or CSS.
HOSTILE = ["</script><script>document.title='owned'<", "\"><img src=x onerror=document.title='owned'>", "'-alert(1)-'",
           "]]>--><!--", "&lt;b&gt;&amp;", "\u202egnp.exe", "a\u200bb\u2028c", "`${document.title='owned'}`",
           "javascript:alert(1)", "{{7*7}}", "\\u003cb\\u003e", "$&$1", "style=x;}*{display:none"]
HOSTILE = [name.replace("/", "\u2215") for name in HOSTILE] + ["</script>".replace("/", "\u2215")]


@pytest.fixture(scope="session")
def recorded(tmp_path_factory):
    """A session of a workload with such names, recorded here; and the workload's directory."""
    top = tmp_path_factory.mktemp("recorded")
    work = top / "work"
    (work / "<").mkdir(parents=True) # and script>… below it
    names = [*HOSTILE, "</script><script>document.title='owned'<"]
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read(1); exec(sys.argv.pop(1))", WORKLOAD, work, *names],
                             stdin=subprocess.PIPE)
    recorder = subprocess.Popen([IOTRC, "--pid", str(child.pid), "-o", top / "out", "--cache", "--network", "--no-snapshots"],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    session = recorder.stdout.readline().strip()
    child.communicate(b"x")
    recorder.terminate()
    error = recorder.communicate()[1]
    assert recorder.returncode in (0, 3), error
    assert child.returncode == 0
    return pathlib.Path(session), work


def report(*arguments):
    """Runs iotrc report; returns its standard error."""
    done = subprocess.run([IOTRC, "report", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def browse(page, *steps, width=1280, scheme="light", screenshot=None):
    """Opens PAGE (a file or an address), does STEPS, and returns what page.js reports."""
    job = {"page": str(page) if str(page).startswith("http") else pathlib.Path(page).as_uri(), "steps": list(steps),
           "width": width, "scheme": scheme, "screenshot": str(screenshot) if screenshot else None}
    done = subprocess.run(["node", TOP / "tests/report/page.js"], input=json.dumps(job), capture_output=True, text=True,
                          check=False, env=NODE, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def template(recorded):
    return recorded[0] / "manifest.json"


@pytest.fixture
def session(tmp_path, template):
    """A directory for a crafted session."""
    return craft.Session(tmp_path, template)
