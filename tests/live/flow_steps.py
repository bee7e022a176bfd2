# SPDX-License-Identifier: GPL-2.0-or-later
"""A program in a network namespace of its own that waits between its steps: flows.py, sockets.py."""
import json
import subprocess
import sys


class Steps:
    def __init__(self, program):
        self.program = program

    def __enter__(self):
        self.process = subprocess.Popen(
            ["unshare", "--net", sys.executable, str(self.program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline() == "before\n"
        return self

    def go_on(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def tells(self):
        return json.loads(self.process.stdout.readline())

    def __exit__(self, *_):
        self.process.communicate(timeout=60)
        assert self.process.returncode == 0
