"""The image with companions. It takes some minutes to build: POSTHORN_IMAGE_FULL=1 asks for it."""
import hashlib
import os
import socket
import struct
import time

import pytest
from container import DOMAIN, MAIL_UID, PASSWORD, USER, wait_until
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


def test_getmail_delivers_as_docker_mailserver_has_it_do(full):
    """The configuration of its documentation, but for the server that is asked."""
    other = f'other@{DOMAIN}'
    accounts = full.volumes['config'] / 'postfix-accounts.cf'
    accounts.write_text(f'{accounts.read_text()}{other}|{{PLAIN}}{PASSWORD}\n')
    (full.volumes['config'] / 'getmail').mkdir()
    (full.volumes['config'] / 'getmail/home.cf').write_text(f'''
[retriever]
type = SimpleIMAPSSLRetriever
server = 127.0.0.1
username = {USER}
password = {PASSWORD}
mailboxes = ("INBOX",)

[destination]
type = MDA_external
path = /usr/lib/dovecot/deliver
allow_root_commands = true
arguments = ("-d","{other}")
''')
    full.start()
    send_and_fetch(full, 'from afar')
    assert full.stop() == 0
    full.env['ENABLE_GETMAIL'] = '1'    # it asks first when the server is up
    full.start()
    wait_until(lambda: full.stored(other), 20, what='the message')
    [fetched] = full.stored(other)
    assert b'Subject: from afar' in fetched.read_bytes()
    assert full.stop() == 0


def ask_clamd(path, command, data=b''):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(str(path))
        s.sendall(b'z' + command + b'\0')
        if data:
            s.sendall(struct.pack('!I', len(data)) + data + struct.pack('!I', 0))
        return s.recv(1000).rstrip(b'\0').decode()


def test_clamd_works_with_signatures_that_are_there(full):
    evil = b'nothing but a test of the scanner'
    signatures = full.volumes['state'] / 'lib-clamav'
    signatures.mkdir()
    (signatures / 'local.hdb').write_text(
        f'{hashlib.md5(evil).hexdigest()}:{len(evil)}:Posthorn.Test\n')
    for path in (signatures, signatures / 'local.hdb'):
        os.chown(path, MAIL_UID, MAIL_UID)
    full.env['ENABLE_CLAMAV'] = '1'
    full.start()
    wait_until(lambda: (signatures / 'clamd.sock').exists(), 30, what='clamd')
    assert ask_clamd(signatures / 'clamd.sock', b'PING') == 'PONG'
    assert ask_clamd(signatures / 'clamd.sock', b'INSTREAM', evil) == \
        'stream: Posthorn.Test.UNOFFICIAL FOUND'
    assert ask_clamd(signatures / 'clamd.sock', b'INSTREAM', b'harmless') == 'stream: OK'
    assert 'clamd' in {name for name, _ in companions(full)}
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
