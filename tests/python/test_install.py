# SPDX-License-Identifier: GPL-2.0-or-later
"""Ways to install the loader: pip, and with another pandas."""
import os
import re
import shutil
import subprocess
import sys

import iotrc
import record
import sid


def test_pip_installs_it_from_the_checkout(tmp_path, special):
    source = shutil.copytree(record.TOP / "python", tmp_path / "python", ignore=lambda *_: ["__pycache__"])
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-build-isolation", "--no-deps", "--target",
                    tmp_path / "site", source], check=True)
    program = "import iotrc, sys; print(iotrc.__file__, len(iotrc.load(sys.argv[1], 'fs')))"
    done = subprocess.run([sys.executable, "-c", program, special], cwd=tmp_path, capture_output=True, text=True,
                          check=True, env={**os.environ, "PYTHONPATH": str(tmp_path / "site")})
    assert done.stdout.split() == [str(tmp_path / "site/iotrc.py"), "13"]


def test_its_version_is_the_recorder_s():
    version = re.search(r"^VERSION \W*= (.*)", (record.TOP / "Makefile").read_text(), re.M)[1]
    assert iotrc.__version__ == version


def test_the_tests_pass_with_pandas_2(tmp_path, template):
    shutil.copy(template, tmp_path / "manifest.json")
    done = sid.in_sid(
        tmp_path, "env", "TEMPLATE=/shared/manifest.json", "sh", "-c",
        "python3 -c 'import pandas; print(\"pandas\", pandas.__version__)' && "
        "python3 -m pytest -q -p no:cacheprovider /top/tests/python/test_load.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^pandas 2\.", done.stdout, re.M), done.stdout
    assert re.search(r"^\d+ passed", done.stdout, re.M), done.stdout
