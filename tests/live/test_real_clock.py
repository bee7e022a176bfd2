# SPDX-License-Identifier: GPL-2.0-or-later
"""Wall time is right when the machine's clock is set or slewed. The oracle is this program's own reading of both clocks
around each operation. Needs a machine of its own."""
import ctypes
import os
import pathlib
import time

import modules
import pytest
import recorder
from test_clock import MS, S, check, touch

libc = ctypes.CDLL(None, use_errno=True)


@pytest.fixture(autouse=True)
def own_machine():
    modules.need_a_machine_of_our_own()


def step(ns):
    time.clock_settime_ns(time.CLOCK_REALTIME, time.clock_gettime_ns(time.CLOCK_REALTIME) + ns)


class Timex(ctypes.Structure):
    """The first members of struct timex (adjtimex(2)), with room for the others."""
    _fields_ = [("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long), ("rest", ctypes.c_char * 256)]


ADJ_FREQUENCY = 2


def slew(ppm):
    t = Timex(modes=ADJ_FREQUENCY, freq=ppm << 16)
    assert libc.adjtimex(ctypes.byref(t)) >= 0, ctypes.get_errno()


def some(tmp_path, seen):
    for _ in range(5):
        path = tmp_path / f"file{len(seen)}"
        seen.append((path, touch(path)))
        time.sleep(0.05)


def check_all(r, seen, steps):
    rows = r.rows("fs")
    for path, clocks in seen:
        check(r, rows, path, clocks)
    offsets = [o["mono_to_real_offset_ns"] for o in r.manifest["clock"]["offsets"]]
    assert len(offsets) == len(steps) + 1
    for before, after, ns in zip(offsets, offsets[1:], steps):
        assert abs(after - before - ns) < 20 * MS # setting it takes time as well
    assert recorder.run("verify", str(r.session.directory)).returncode == 0


def test_the_clock_is_set(tmp_path):
    steps, seen = [3600 * S, -7200 * S, 50 * MS, 3550 * S + 950 * MS], []
    with recorder.Recording(tmp_path, "--streams", "fs", "--path", str(tmp_path)) as r:
        some(tmp_path, seen)
        for ns in steps:
            step(ns)
            time.sleep(1) # until it is noticed, on a slow machine
            some(tmp_path, seen)
    check_all(r, seen, steps)


def test_the_clock_is_slewed(tmp_path):
    """As NTP does: both clocks run faster or slower together, and no offset changes."""
    seen = []
    with recorder.Recording(tmp_path, "--streams", "fs", "--path", str(tmp_path)) as r:
        try:
            for ppm in 500, -500, 0:
                slew(ppm)
                for _ in range(6):
                    some(tmp_path, seen)
                    time.sleep(0.5)
        finally:
            slew(0)
    check_all(r, seen, [])


def slept():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def test_the_machine_is_suspended(tmp_path):
    """During a suspend, one clock stands still and the other does not: as if it had been set. The kernel's third clock
    (CLOCK_BOOTTIME) says how long it was."""
    alarm, state = pathlib.Path("/sys/class/rtc/rtc0/wakealarm"), pathlib.Path("/sys/power/state")
    assert alarm.exists() and "mem" in state.read_text().split()
    seen = []
    with recorder.Recording(tmp_path, "--streams", "fs", "--path", str(tmp_path)) as r:
        some(tmp_path, seen)
        before = slept()
        alarm.write_text("0")
        alarm.write_text("+5")
        state.write_text("mem")
        took = slept() - before
        assert took > S
        time.sleep(1)
        some(tmp_path, seen)
    check_all(r, seen, [took])


if recorder.RELEASE < (6, 1):
    del test_the_machine_is_suspended # on 5.10 the emulated machine's disk does not resume
