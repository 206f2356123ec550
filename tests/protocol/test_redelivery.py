"""What a client did to a message stays done when a process dies before the delivery was known to be
on the disk."""
import time

import pytest
from server import wait_until
from wire import deliver, imap, message

USER = 'user@example.test'


@pytest.fixture(name='server')
def _server(make_server):
    server = make_server(accounts=[USER])
    deliver(server, USER, message())
    wait_until(lambda: uids(server), what='the message')
    return server


def uids(server, box='INBOX'):
    with imap(server, USER) as session:
        session.select(box)
        return session.uid('SEARCH', None, 'ALL')[1][0].split()


def restart_role(server, role):
    before = set(server.roles()[role])
    server.kill_role(role)
    wait_until(lambda: (now := set(server.roles().get(role, ()))) and not now & before,
               what=f'a new {role}')


def wait_marked(server):
    wait_until(lambda: ': removed' in server.log(), what='the mark of the delivery')


@pytest.mark.parametrize('role', ['mailbox', 'queue'])
def test_an_expunged_message_does_not_come_back(server, role):
    with imap(server, USER) as session:
        session.select()
        session.store('1', '+FLAGS', r'(\Deleted)')
        session.expunge()
    restart_role(server, role)
    wait_marked(server)
    assert uids(server) == []


@pytest.mark.parametrize('role', ['mailbox', 'queue'])
def test_a_moved_message_is_not_delivered_again(server, role):
    with imap(server, USER) as session:
        session.create('Kept')
        session.select()
        assert session._simple_command('MOVE', '1', 'Kept')[0] == 'OK'
    restart_role(server, role)
    wait_marked(server)
    assert uids(server) == []
    assert len(uids(server, 'Kept')) == 1


@pytest.mark.parametrize('role', ['mailbox', 'queue'])
def test_a_message_that_nobody_touched_is_there_once(server, role):
    restart_role(server, role)
    wait_marked(server)
    time.sleep(0.2)
    assert len(uids(server)) == 1
