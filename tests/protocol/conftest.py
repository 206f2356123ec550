"""Fixtures: one server shared by the tests that leave it as it is, others made to measure.

A test that changes settings, kills roles or fills the disk takes `make_server`.
"""
import itertools
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from server import BUILD, DOMAIN, Server  # noqa: E402
from wire import Wire  # noqa: E402

POOL = 400


def pytest_sessionstart(session):
    if not (BUILD / 'posthorn').exists():
        pytest.exit(f'{BUILD}/posthorn is not built', 3)


def account(number):
    return f'user{number}@{DOMAIN}'


@pytest.fixture(scope='session')
def shared():
    with Server(accounts=[account(n) for n in range(POOL)]) as server:
        yield server


@pytest.fixture
def server(shared):
    """The shared server, watched for reports during this test."""
    before = len(shared.output())
    yield shared
    from server import SANITIZER
    found = SANITIZER.search(shared.output(), before)
    assert not found, shared.output()[found.start():found.start() + 4000]
    assert shared.roles() == shared.roles_at_start, 'a role died during this test'


_numbers = itertools.count()


@pytest.fixture
def user(server):
    """An account of the shared server that no other test has used."""
    return account(next(_numbers) % POOL)


@pytest.fixture
def other_user(server):
    return account(next(_numbers) % POOL)


@pytest.fixture
def smtp(server):
    """A connection to port 25, greeted."""
    with Wire(server, 'smtp') as wire:
        yield wire


@pytest.fixture
def submission(server, user):
    """An authenticated connection to port 587 behind STARTTLS."""
    with Wire(server, 'submission') as wire:
        wire.ehlo()
        wire.starttls()
        wire.ehlo()
        wire.login(user)
        yield wire


@pytest.fixture
def make_server():
    """Server(...) with the same arguments, started, and stopped after the test."""
    servers = []

    def make(start=True, **kwargs):
        kwargs.setdefault('accounts', [account(0), account(1)])
        server = Server(**kwargs)
        servers.append(server)
        return server.start() if start else server

    yield make
    failures = []
    for server in servers:
        try:
            server.stop()
        except AssertionError as e:
            failures.append(str(e))
        finally:
            server.remove()
    assert not failures, '\n'.join(failures)
