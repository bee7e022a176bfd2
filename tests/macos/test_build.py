# SPDX-License-Identifier: GPL-2.0-or-later
"""What the build does by programs that macOS has in other versions than Linux: od writes more blanks, mv has no -T, and
before macOS 15 there is no sha256sum."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest
from test_service import program

ROOT = pathlib.Path(__file__).resolve().parents[2]
UPLOT = pathlib.Path(os.environ.get("IOTRC", ROOT / "build/iotrc")).parent / "uplot"
FILES = ["uPlot.iife.min.js", "uPlot.min.css", "LICENSE"]
pytestmark = pytest.mark.calm
# As Apple's od of shell_cmds: three columns more for each byte, and lines that are filled up.
OD = """#!/usr/bin/python3 -IS
import sys
data = open(sys.argv[-1], "rb").read()
for at in range(0, len(data), 16):
    print((" " * 9 + "".join(f"  {byte:02x}" for byte in data[at:at + 16])).ljust(73))
"""


@pytest.mark.parametrize("od", ["GNU", "macOS"])
def test_files_in_the_program_are_whole(tmp_path, od):
    if od == "macOS":
        program(tmp_path / "bin/od", OD)
    subprocess.run(["make", "-s", "-C", ROOT, f"BUILD={tmp_path}/build", f"{tmp_path}/build/report_page.h"], check=True,
                   env={**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "UPLOT": str(UPLOT)}, stdout=subprocess.DEVNULL)
    text = (tmp_path / "build/report_page.h").read_text()
    arrays = {name: bytes(int(n, 0) for n in numbers.split(",")) for name, numbers in
              re.findall(r"static const char page_(\w+)\[\] = \{([^}]*)\};", text)}
    page = ROOT / "src/report/page"
    assert arrays["report_html"] == (page / "report.html").read_bytes() + b"\0"
    assert arrays["report_css"] == (page / "report.css").read_bytes() + b"\0"
    assert arrays["uplot_js"] == (UPLOT / FILES[0]).read_bytes() + b"\0"
    assert len(arrays) == 6


@pytest.mark.parametrize("has", ["sha256sum", "shasum"])
def test_the_chart_library_is_kept(tmp_path, has):
    """After it was fetched once, and checked."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "cp", "dirname", "gzip", "mkdir", "mktemp", "perl", "rm", "tar", has):
        os.symlink(shutil.which(name), tools / name)
    program(tools / "mv", "#!/bin/sh\n[ \"$1\" != -T ] && exec /bin/mv \"$@\"\n")
    work = tmp_path / "package/dist"
    work.mkdir(parents=True)
    for name in FILES:
        shutil.copy(UPLOT / name, work / name)
    (work / "LICENSE").rename(tmp_path / "package/LICENSE")
    program(tools / "npm", f"#!/bin/bash\necho fetched >>{tmp_path}/asked\ntar -C {tmp_path} -czf uplot-1.6.32.tgz package\n")
    for place in "first", "second":
        subprocess.run([ROOT / "scripts/fetch-uplot.sh", tmp_path / place], check=True, env={"PATH": str(tools), "HOME": str(tmp_path)})
        for name in FILES:
            assert (tmp_path / place / name).read_bytes() == (UPLOT / name).read_bytes()
    assert (tmp_path / "asked").read_text() == "fetched\n"
    # What has other sums is not taken.
    shutil.rmtree(tmp_path / ".cache")
    (tmp_path / "package/LICENSE").write_text("other")
    done = subprocess.run([ROOT / "scripts/fetch-uplot.sh", tmp_path / "third"], check=True, env={"PATH": str(tools), "HOME": str(tmp_path)},
                          stdout=subprocess.PIPE, text=True)
    assert "has other checksums than expected" in done.stdout and not (tmp_path / "third/LICENSE").read_bytes()
