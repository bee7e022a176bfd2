# SPDX-License-Identifier: GPL-2.0-or-later
"""There is no launchd service yet: this test says so until there is one."""
import sys

import pytest


def test_recorded_by_launchd():
    if sys.platform != "darwin":
        pytest.skip("launchd is macOS's, and this is none")
    pytest.fail("there is no engine for macOS that launchd could start (docs/service.md)")
