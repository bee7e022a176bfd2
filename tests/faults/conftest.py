# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the live tests' fixtures and helpers available."""
import importlib.util
import pathlib
import sys

LIVE = pathlib.Path(__file__).parent.parent / "live"
sys.path.insert(0, str(LIVE))

_spec = importlib.util.spec_from_file_location("live_conftest", LIVE / "conftest.py")
_live = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_live)
ground, module_path, tmp_path = _live.ground, _live.module_path, _live.tmp_path
