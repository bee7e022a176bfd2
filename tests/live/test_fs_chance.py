# SPDX-License-Identifier: GPL-2.0-or-later
"""Random calls under strace: there is exactly one row for each call, and it is what strace says. SEEDS=100-400 in the
environment adds seeds."""
import os

import pytest

import fs_rows
import recorder
import strace_oracle

STEPS = 700
first, last = map(int, os.environ.get("SEEDS", "1-2" if recorder.EMULATED else "1-8").split("-"))


@pytest.fixture(scope="module")
def recorded(module_path):
    oracles = {}
    with recorder.Recording(module_path, "--streams", "fs", *recorder.OWN_OR_ALL) as r:
        for seed in range(first, last + 1):
            root = os.path.join(module_path, str(seed))
            os.mkdir(root)
            oracles[seed] = strace_oracle.run(
                [recorder.workload("chance"), str(seed), str(STEPS)], root, f"{root}.strace", links=True
            )
    return oracles, r.rows("fs"), r.session.lost()


@pytest.mark.parametrize("seed", range(first, last + 1))
def test_rows_equal_strace(recorded, seed):
    oracles, rows, _ = recorded
    oracle = oracles[seed]
    assert oracle.code == 0, oracle.stderr
    assert sum(map(len, oracle.rows.values())) > STEPS / 2
    found = fs_rows.compare(oracle, fs_rows.of(oracle, rows))
    assert not found, "\n" + "\n".join(found)


def test_nothing_lost(recorded):
    """A call that fails before it looks at its descriptor has a row as well."""
    assert recorded[2] == {}
