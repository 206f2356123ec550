"""UNAUTHENTICATE (RFC 8437), whichever worker the next user belongs to."""
import zlib

import pytest
from server import DOMAIN, PASSWORD, Server
from test_imap import Imap
from wire import deliver, message, plain

USERS = [f'user{n}@{DOMAIN}' for n in range(6)]


@pytest.fixture(scope='module')
def server():
    with Server(accounts=USERS, env={'POSTHORN_WORKERS': '2'}) as running:
        for n, user in enumerate(USERS):
            deliver(running, user, *[message(f'{user} {k}') for k in range(n + 1)])
            running.wait_stored(user, n + 1)
        yield running


@pytest.mark.parametrize('tls', [True, False])
def test_one_connection_serves_one_user_after_the_other(server, tls):
    with Imap(server, USERS[0], tls=tls) as wire:
        for user in [*USERS[1:], *USERS]:
            assert ' UNAUTHENTICATE' in wire.ok('CAPABILITY')[0]
            wire.ok('SELECT INBOX')
            assert wire.ok('UNAUTHENTICATE') == []
            wire.bad('SELECT INBOX')
            assert ' AUTH=PLAIN' in wire.ok('CAPABILITY')[0]
            if user < USERS[3]:
                wire.ok(f'LOGIN {user} "{PASSWORD}"')
            else:
                wire.ok('AUTHENTICATE PLAIN ' + plain(user))
            wire.bad('FETCH 1 UID')
            count = USERS.index(user) + 1
            assert f'* {count} EXISTS' in wire.ok('SELECT INBOX')


def test_what_was_enabled_is_forgotten(server):
    with Imap(server, USERS[0]) as wire:
        wire.ok('ENABLE QRESYNC IMAP4rev2')
        wire.ok('NOTIFY SET (personal (MessageNew MessageExpunge))')
        wire.ok('UNAUTHENTICATE')
        wire.ok(f'LOGIN {USERS[0]} "{PASSWORD}"')
        assert wire.ok('ENABLE QRESYNC') == ['* ENABLED QRESYNC']
        assert '* 1 EXISTS' in wire.ok('SELECT INBOX')
        wire.bad('UNAUTHENTICATE now')
        wire.ok('NOOP')


def test_wrong_passwords_end_the_connection(server):
    with Imap(server, USERS[0]) as wire:
        wire.ok('UNAUTHENTICATE')
        for _ in range(5):
            assert '[AUTHENTICATIONFAILED]' in wire.no(f'LOGIN {USERS[1]} wrong')
        assert wire.line().startswith('* BYE')
        assert wire.at_end()


def test_a_client_may_log_out_without_a_user(server):
    with Imap(server, USERS[0]) as wire:
        wire.ok('UNAUTHENTICATE')
        assert wire.ok('LOGOUT')[0].startswith('* BYE')
        assert wire.at_end()


def test_not_when_compressed(server):
    with Imap(server, USERS[0]) as wire:
        wire.ok('COMPRESS DEFLATE')
        deflate = zlib.compressobj(wbits=-15)
        wire.send(deflate.compress(b'y UNAUTHENTICATE\r\n') + deflate.flush(zlib.Z_SYNC_FLUSH))
        inflate = zlib.decompressobj(-15)
        assert inflate.decompress(wire.file.read1(1000)).startswith(b'y NO [CANNOT]')
