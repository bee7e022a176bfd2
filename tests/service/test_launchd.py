# SPDX-License-Identifier: GPL-2.0-or-later
"""launchd, for which nothing is there yet: the test that says so, until something is."""
import sys

import pytest


def test_recorded_by_launchd():
    if sys.platform != "darwin":
        pytest.skip("launchd is macOS's, and this is none")
    pytest.fail("there is no engine for macOS that launchd could start (docs/service.md)")
