"""Many sessions, other programs and crashes on one account, everything checked against a model: see
tests/stress/README.md.

POSTHORN_STRESS_SECONDS (10) says for how long, POSTHORN_STRESS_SEED which commands, and
POSTHORN_STRESS_TRACE how many lines a finding prints of what went before.
"""
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'stress'))

import stress  # noqa: E402

SECONDS = float(os.environ.get('POSTHORN_STRESS_SECONDS', '10'))
SEED = int(os.environ.get('POSTHORN_STRESS_SEED', '1'))


@pytest.mark.parametrize('crash', [False, True], ids=['', 'with-crashes'])
def test_a_random_account_is_what_its_commands_made_it(crash):
    done = stress.run(SECONDS, SEED, crash)
    assert done['steps'] > 20 and done['quiet'] > 0, done
