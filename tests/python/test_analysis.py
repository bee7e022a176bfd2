# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/analysis.md: every block is run, with a recording of a program whose answers are known."""
import os
import re
import subprocess
import sys

import conftest

PAGE = (conftest.TOP / "docs/analysis.md").read_text()
MB = 1 << 20
# dd writes BIG MB, syncs them and reads them back; a client connects 7 times; 11 fsyncs; a thousand stats.
BIG = 24
WORK = f"""
set -e
cd "$1"
dd if=/dev/zero of=big bs=1M count={BIG} conv=fsync 2>/dev/null
dd if=big of=/dev/null bs=64k 2>/dev/null
/usr/bin/python3 - <<'P'
import os, random, socket
f = os.open("storm", os.O_RDWR | os.O_CREAT)
for i in range(11):
    os.pwrite(f, b"x" * 4096, 4096 * i)
    os.fsync(f)
for i in range(997):
    os.pread(f, 512, 4096 * random.Random(i).randrange(11))
s = socket.create_server(("127.0.0.1", 0))
for _ in range(7):
    c = socket.create_connection(s.getsockname())
    s.accept()[0].close()
    c.close()
P
ls -lR /usr/share/doc/b* >/dev/null
sync
"""


def test_every_question_is_answered(tmp_path):
    place = tmp_path / "work"
    place.mkdir()
    with conftest.recording(tmp_path / "iotrc-traces", "--cache", "--network", codes=(0, 3)):
        subprocess.run(["sh", "-c", WORK, "sh", place], check=True)

    sections = re.findall(r"^## (\d+)\. .*?$(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    assert [int(number) for number, _ in sections] == list(range(1, 13))
    first = re.search(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)[1]
    program = ["import matplotlib", "matplotlib.use('Agg')", "import pandas",
               "pandas.set_option('display.width', 400, 'display.max_columns', 50, 'display.max_colwidth', 300, "
               "'display.max_rows', 10000)", first]
    for number, text in sections:
        blocks = re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)
        assert blocks, number
        program += [f"print('## {number}')", *(b.replace(".head(10)", "").replace(".tail(10)", "") for b in blocks)]
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", "\n".join(program)], cwd=tmp_path, text=True,
                          capture_output=True, check=False,
                          env={**os.environ, "PYTHONPATH": str(conftest.TOP / "python"), "MPLCONFIGDIR": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    answers = dict(re.findall(r"^## (\d+)\n(.*?)(?=^## |\Z)", done.stdout, re.M | re.S))

    for picture in re.findall(r"!\[[^]]+\]\(analysis/(.*?)\)", PAGE):
        assert (tmp_path / picture).stat().st_size > 5000, picture
        assert (conftest.TOP / "docs/analysis" / picture).exists(), picture
    # Others may have moved more with programs of the same names.
    read, written = re.search(r"^dd +(\d+) +(\d+)", answers["1"], re.M).groups()
    assert int(read) >= BIG * MB and int(written) >= BIG * MB
    assert re.search(rf"{place}/big +\d+ +{2 * BIG * MB}$", answers["2"], re.M), answers["2"]
    assert float(re.search(r"^dd +([\d.]+)", answers["3"], re.M)[1]) > 0.9
    assert re.search(r"^fsync +\d", answers["5"], re.M)
    assert answers["7"].count("of accesses hit") == 3
    assert 0 < float(re.search(r"([\d.]+)%", answers["8"])[1]) <= 100
    assert sum(int(n) for n in re.findall(r"python3 +(\d+) ", answers["9"])) >= 11
    assert "/bin/dd" in answers["10"]
    assert re.search(r"127\.0\.0\.1 +\d+ +7 ", answers["12"]), answers["12"]
