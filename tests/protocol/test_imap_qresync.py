"""Clients that come back (RFC 7162): what they are told is what happened."""
import re

import pytest
from server import DOMAIN
from test_imap import Imap
from wire import deliver, message


def code(lines, name):
    [value] = [m.group(1) for line in lines if (m := re.search(rf'\[{name} (\d+)\]', line))]
    return int(value)


class Returning(Imap):
    """A client that remembers what it knew of INBOX when it left."""

    def enable(self):
        assert self.ok('ENABLE QRESYNC') == ['* ENABLED QRESYNC']

    def select(self, parameters=''):
        lines = self.ok(f'SELECT INBOX{parameters}')
        self.known = code(lines, 'UIDVALIDITY'), code(lines, 'HIGHESTMODSEQ')
        return [line for line in lines if line.startswith('* VANISHED') or ' FETCH ' in line]


def leave(server, user):
    with Returning(server, user) as wire:
        wire.enable()
        assert wire.select() == []
        return wire.known


def come_back(server, user, uidvalidity, modseq, more=''):
    with Returning(server, user) as wire:
        wire.enable()
        found = wire.select(f' (QRESYNC ({uidvalidity} {modseq}{more}))')
        return found, wire.known


def change(server, user):
    """Expunge UID 2 and 3, flag 4, and let 6 arrive."""
    with Imap(server, user) as wire:
        wire.ok('SELECT INBOX')
        wire.ok(r'UID STORE 2:3 +FLAGS.SILENT (\Deleted)')
        wire.ok('EXPUNGE')
        wire.ok(r'UID STORE 4 +FLAGS.SILENT (\Flagged kept)')
        assert wire.append(message('new'))[0].startswith('OK')


@pytest.fixture
def five(server, user):
    deliver(server, user, *[message(f'm{n}') for n in range(5)])
    server.wait_stored(user, 5)
    return user


def test_nothing_happened(server, five):
    uidvalidity, modseq = leave(server, five)
    assert come_back(server, five, uidvalidity, modseq) == ([], (uidvalidity, modseq))


def test_what_vanished_and_what_changed(server, five):
    uidvalidity, modseq = leave(server, five)
    change(server, five)
    found, (_, now) = come_back(server, five, uidvalidity, modseq)
    assert found[0] == '* VANISHED (EARLIER) 2:3'
    assert re.fullmatch(r'\* 2 FETCH \(UID 4 FLAGS \(\\Flagged kept\) MODSEQ \(\d+\)\)', found[1])
    assert re.fullmatch(r'\* 4 FETCH \(UID 6 FLAGS \(.*\) MODSEQ \(\d+\)\)', found[2])
    assert len(found) == 3 and now > modseq
    assert come_back(server, five, uidvalidity, now)[0] == []


def test_only_of_what_the_client_knows(server, five):
    """RFC 7162 3.2.5.2: known UIDs restrict both."""
    uidvalidity, modseq = leave(server, five)
    change(server, five)
    found, _ = come_back(server, five, uidvalidity, modseq, ' 3:5')
    assert found[0] == '* VANISHED (EARLIER) 3'
    assert len(found) == 2 and 'UID 4 ' in found[1]
    assert come_back(server, five, uidvalidity, modseq, ' 1,5 (1:2 1:2)')[0] == []


def test_another_uidvalidity_is_another_mailbox(server, five):
    uidvalidity, modseq = leave(server, five)
    change(server, five)
    assert come_back(server, five, uidvalidity + 1, modseq)[0] == []


def test_a_restart_forgets_nothing(make_server):
    server, user = make_server(), f'user0@{DOMAIN}'
    deliver(server, user, *[message(f'm{n}') for n in range(5)])
    server.wait_stored(user, 5)
    uidvalidity, modseq = leave(server, user)
    change(server, user)
    server.stop()
    server.start()
    found, _ = come_back(server, user, uidvalidity, modseq)
    assert found[0] == '* VANISHED (EARLIER) 2:3'
    assert ['UID 4 ' in found[1], 'UID 6 ' in found[2]] == [True, True]


def test_an_idle_client_is_told_of_uids(server, five):
    with Returning(server, five) as wire:
        wire.enable()
        wire.select()
        tag = wire.start('IDLE')
        assert wire.line() == '+ idling'
        change(server, five)
        lines = [wire.line()]
        while not lines[-1].endswith('EXISTS'):
            lines.append(wire.line())
        wire.send('DONE\r\n')
        _, rest = wire.finish(tag)
        told = '\n'.join(lines + rest)
        assert '* VANISHED 2' in told and 'EXPUNGE' not in told
        assert re.search(r'FETCH \(UID 4 FLAGS .*MODSEQ', told)


def test_two_clients_and_one_flag(server, five):
    """RFC 7162 3.1.3: the second of two clients learns that it is late."""
    with Imap(server, five) as one, Imap(server, five) as two:
        modseq = code(one.ok('SELECT INBOX (CONDSTORE)'), 'HIGHESTMODSEQ')
        two.ok('SELECT INBOX (CONDSTORE)')
        status, _ = one.do(rf'UID STORE 1 (UNCHANGEDSINCE {modseq}) +FLAGS.SILENT (one)')
        assert status.startswith('OK') and 'MODIFIED' not in status
        status, _ = two.do(rf'UID STORE 1,2 (UNCHANGEDSINCE {modseq}) +FLAGS.SILENT (two)')
        assert status.startswith('OK [MODIFIED 1]')
        flags = '\n'.join(two.ok('UID FETCH 1:2 FLAGS'))
        assert 'UID 1 FLAGS (one' in flags and 'UID 2 FLAGS (two' in flags
