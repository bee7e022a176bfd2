# SPDX-License-Identifier: GPL-2.0-or-later
"""The live tests' helpers and fixtures are used here, too."""
import pathlib
import sys

LIVE = pathlib.Path(__file__).parent.parent / "live"
sys.path.insert(0, str(LIVE))
