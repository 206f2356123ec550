"""Without the programs there is nothing to test: that is a failure, not a success of few tests."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from chart import HELM, SCHEMAS, VALUES, render_text  # noqa: E402


def pytest_sessionstart(session):
    if not (all(Path(h).exists() for h in HELM.values()) and SCHEMAS.name and SCHEMAS.exists()):
        pytest.exit('helm and the schemas are missing: run ./test chart', 3)


@pytest.fixture(scope='session', params=VALUES, ids=lambda path: path.stem.removesuffix('-values'))
def values_file(request):
    return request.param


@pytest.fixture(scope='session')
def rendered(values_file):
    """The text of one values file, by Helm 3."""
    return render_text(file=values_file)
