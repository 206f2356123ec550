"""The image is built once for all tests; each gets a container with volumes of its own."""
import container
import pytest


@pytest.fixture(scope='session')
def store():
    reason = container.missing()
    if reason:
        pytest.skip(reason)
    store = container.Store()
    try:
        store.import_base()
        reason = store.why_not()
        if reason:
            pytest.skip(f'no containers here: {reason}')
        store.build('posthorn')
        yield store
    finally:
        store.remove()


@pytest.fixture
def make_container(store, tmp_path):
    made = []

    def make(**kwargs):
        directory = tmp_path / str(len(made))
        directory.mkdir()
        made.append(container.Container(store, directory, **kwargs))
        return made[-1]

    yield make
    for one in made:
        one.remove()


@pytest.fixture
def box(make_container):
    """A container with an account, not started."""
    box = make_container()
    box.add_account()
    return box


def pytest_collection_modifyitems(items):
    """The first test waits for the build."""
    for item in items:
        item.add_marker(pytest.mark.timeout(900))
