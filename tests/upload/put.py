# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs put.c: one object to one target."""
import json
import os
import subprocess

from ceph import KEY, SECRET

KEYS = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}


def command(url, *args, **options):
    """options: endpoint="…", part=…; test=True."""
    line = [os.environ["UPLOAD_PUT"], "--url", url]
    for name, value in options.items():
        line.append("--" + name.replace("_", "-"))
        if value is not True:
            line.append(str(value))
    return [*line, *args]


def environment(env):
    return {**os.environ, **KEYS, **(env or {})}


def put(url, *args, env=None, timeout=120, **options):
    """The output of the last run. ENV is added to the right keys; None removes a variable."""
    variables = {k: v for k, v in environment(env).items() if v is not None}
    p = subprocess.run(command(url, *map(str, args), **options), env=variables, timeout=timeout,
                       text=True, capture_output=True, check=False)
    assert p.returncode == 0, p.stderr
    assert not p.stderr, p.stderr
    result = json.loads(p.stdout.splitlines()[-1])
    for secret in SECRET, variables.get("AWS_SECRET_ACCESS_KEY") or SECRET:
        assert secret not in p.stdout
    return result
