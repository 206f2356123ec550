"""The image with companions. It takes some minutes to build: POSTHORN_IMAGE_FULL=1 asks for it."""
import os
import time

import pytest
from container import wait_until
from test_run import send_and_fetch

IMAGE = 'localhost/posthorn-full'
SIZE_MAX = 500_000_000


@pytest.fixture(scope='module')
def full_store(store):
    if not os.environ.get('POSTHORN_IMAGE_FULL'):
        pytest.skip('POSTHORN_IMAGE_FULL is not set')
    store.build('posthorn-full')
    return store


@pytest.fixture
def full(full_store, make_container):
    box = make_container(image=IMAGE)
    box.add_account()
    return box


def companions(box):
    """{(name, pid), ...} of what the server has started besides its roles."""
    found = set()
    for pid in box.processes()[1:]:
        with open(f'/proc/{pid}/comm', encoding='ascii') as file:
            name = file.read().strip()
        if not name.startswith('posthorn'):
            found.add((name, pid))
    return found


def test_full_image_has_a_bound(full_store):
    assert full_store.inspect(IMAGE)['Size'] < SIZE_MAX


def test_full_image_serves_mail(full):
    full.start()
    send_and_fetch(full)
    assert full.stop() == 0


def test_companions_run_where_nothing_is_allowed(full):
    """Without a network ClamAV has no signatures, so it is only asked whether it is there."""
    full.env.update(ENABLE_RSPAMD='1', ENABLE_FETCHMAIL='1', ENABLE_CLAMAV='1')
    (full.volumes['config'] / 'fetchmail.cf').write_text('')
    full.start()

    def lasting():
        before = companions(full)
        time.sleep(2)
        return {name for name, _ in before & companions(full)} >= {'rspamd', 'redis-server'}
    wait_until(lasting, 30, what='companions that last')
    assert 'there is no' not in full.log()
    for command in ('clamd --version', 'freshclam --version', 'fetchmail --version',
                    'getmail --version'):
        assert full.exec(*command.split()).stdout, command
    send_and_fetch(full)
    assert full.stop() == 0
