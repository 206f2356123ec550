"""NOTIFY (RFC 5465) of a running server: what arrives is told without being asked for."""
import os
import re

import pytest
from server import wait_until
from test_imap import Imap
from wire import deliver, message


@pytest.fixture
def wire(server, user):
    with Imap(server, user) as client:
        client.ok('CREATE Work')
        yield client


def until(wire, pattern):
    """The untagged lines up to one that fits."""
    lines = []
    while not lines or not re.search(pattern, lines[-1]):
        lines.append(wire.full_line())
        assert lines[-1], lines
    return lines


def test_it_is_announced(wire):
    assert ' NOTIFY' in wire.ok('CAPABILITY')[0]


def test_a_delivery_is_told_with_what_was_asked_for(server, user, wire):
    wire.ok('SELECT INBOX')
    wire.ok('NOTIFY SET (selected (MessageNew (UID BODY[HEADER.FIELDS (SUBJECT)]) '
            'MessageExpunge))')
    deliver(server, user, message('first'))
    lines = until(wire, 'FETCH')
    assert '* 1 EXISTS' in lines and 'UID 1' in lines[-1] and 'Subject: first' in lines[-1]
    assert 'Seen' not in wire.ok('FETCH 1 FLAGS')[0]


def test_a_delivery_is_told_to_who_looks_elsewhere(server, user, wire):
    """RFC 5465 5.2: STATUS with UIDNEXT and MESSAGES."""
    wire.ok('SELECT Work')
    wire.ok('NOTIFY SET (selected (MessageNew MessageExpunge)) '
            '(inboxes (MessageNew MessageExpunge))')
    deliver(server, user, message('first'))
    assert until(wire, 'STATUS')[-1].startswith('* STATUS INBOX (MESSAGES 1 UIDNEXT 2 ')
    deliver(server, user, message('second'))
    assert until(wire, 'STATUS')[-1].startswith('* STATUS INBOX (MESSAGES 2 UIDNEXT 3 ')


def test_another_program_is_noticed(server, user, wire):
    deliver(server, user, message('first'))
    server.wait_stored(user, 1)
    wire.ok('SELECT INBOX')
    wire.ok('NOTIFY SET (selected (MessageNew MessageExpunge FlagChange))')
    cur = server.maildir(user) / 'cur'
    [path] = wait_until(lambda: list(cur.iterdir()), what='the file in cur')
    os.rename(path, path.with_name(path.name.split(':')[0] + ':2,F'))
    assert r'\Flagged' in until(wire, 'FETCH')[-1]
    (server.maildir(user) / 'new/1700000000.M1P1.elsewhere').write_bytes(message('second'))
    assert until(wire, 'EXISTS')[-1] == '* 2 EXISTS'


def test_it_holds_in_idle(server, user, wire):
    wire.ok('NOTIFY SET (personal (MessageNew MessageExpunge MailboxName))')
    tag = wire.start('IDLE')
    assert wire.line() == '+ idling'
    with Imap(server, user) as other:
        other.ok('CREATE Work.new')
        assert until(wire, 'LIST') == ['* LIST () "." Work.new']
        assert other.append(message('x'), 'Work')[0].startswith('OK')
    assert until(wire, 'STATUS')[-1].startswith('* STATUS Work (MESSAGES 1 ')
    wire.send('DONE\r\n')
    wire.finish(tag)
