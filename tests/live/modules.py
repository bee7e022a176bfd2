# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel modules that a test needs."""
import os
import shutil
import subprocess

import pytest

import recorder


class Missing(pytest.skip.Exception):
    """The only way to skip a live test."""


def need(name, *parameters):
    """Loads the module, with `parameters`, unless it is loaded. If this kernel has none, the test is skipped here and
    run by `make check-kernels`, whose kernels have it and where a skip is a failure. The module must then be in MODULES
    of scripts/vm/make-root.sh."""
    with open("/proc/filesystems") as f: # built in and without a parameter: only here
        known = name in f.read().split()
    if (known or os.path.isdir(f"/sys/module/{name.replace('-', '_')}")) and not parameters:
        return
    modprobe = shutil.which("modprobe")
    done = modprobe and subprocess.run(
        [modprobe, name, *parameters], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if not done or done.returncode:
        raise Missing(f"needs module {name}: {done.stderr.strip() if done else 'no modprobe'}")


def has(name):
    """Whether this kernel has the module, or it built in."""
    return not subprocess.call(["modprobe", "--dry-run", "--quiet", name], stdin=subprocess.DEVNULL)


def need_a_machine_of_our_own():
    """Skips the test unless this is a machine of `make check-kernels`, whose clock may be set."""
    if not recorder.EMULATED:
        raise Missing("needs a machine of its own")


def remove(name):
    """Unloads it, so that the next test may load it with other parameters."""
    subprocess.run(["modprobe", "-r", name], check=True)
