"""Mailboxes that users share (RFC 4314), whichever workers they are served by."""
import re

import pytest
from server import DOMAIN, wait_until
from test_imap import Imap
from wire import deliver, message

OWNER = f'user0@{DOMAIN}'
GUESTS = [f'user{n}@{DOMAIN}' for n in range(1, 5)]
WORK = f'shared/{OWNER}/Work'


@pytest.fixture(scope='module')
def sharing():
    """A server with two workers: of four guests some are served by another one than the owner."""
    from server import Server
    with Server(accounts=[OWNER, *GUESTS], env={'POSTHORN_WORKERS': '2'}) as server:
        yield server


@pytest.fixture
def owner(sharing):
    """The owner, with two messages in Work."""
    with Imap(sharing, OWNER) as wire:
        wire.do('DELETE Work')
        wire.do('DELETE Work.sub')
        wire.do('DELETE INBOX.x')
        wire.ok('CREATE Work')
        for n in (1, 2):
            assert wire.append(message(f'm{n}'), 'Work')[0].startswith('OK')
        yield wire


@pytest.fixture(params=GUESTS)
def guest(request, sharing, owner):
    with Imap(sharing, request.param) as wire:
        wire.user = request.param
        yield wire


def share(owner, who, rights, mailbox='Work'):
    owner.ok(f'SETACL {mailbox} {who} {rights}')


def listed(wire):
    return {line.split(' ')[-1].strip('"') for line in wire.ok('LIST "" "shared/*"')}


def test_capability_and_namespace(owner):
    assert ' ACL RIGHTS=texk ' in owner.ok('CAPABILITY')[0]
    assert owner.ok('NAMESPACE') == ['* NAMESPACE (("" ".")) (("shared/" "/")) NIL']


def test_the_owner_has_all_rights_and_gives_some(owner):
    assert owner.ok('MYRIGHTS Work') == ['* MYRIGHTS Work lrwstipekxacd']
    owner.ok(f'SETACL Work {GUESTS[0]} lrs')
    owner.ok(f'SETACL Work {GUESTS[0]} +te')
    owner.ok(f'SETACL Work {GUESTS[0]} -s')
    owner.ok('SETACL Work anyone l')
    owner.ok(f'SETACL Work -{GUESTS[1]} r')
    [line] = owner.ok('GETACL Work')
    assert f'"{OWNER}" lrwstipekxacd' in line and f'"{GUESTS[0]}" lrted' in line
    assert '"anyone" l' in line and f'"-{GUESTS[1]}" r' in line
    owner.ok(f'DELETEACL Work {GUESTS[0]}')
    assert GUESTS[0] not in owner.ok('GETACL Work')[0].replace('-' + GUESTS[0], '')
    [line] = owner.ok(f'LISTRIGHTS Work {GUESTS[0]}')
    assert line.endswith(' "" l r w s t i p e k x a')


def test_what_is_malformed_or_not_possible(owner):
    assert owner.bad('SETACL Work x lq') == 'BAD Unknown right.'
    owner.bad('SETACL Work x')
    owner.bad('GETACL')
    owner.no(f'SETACL Work {OWNER} l')
    owner.no('SETACL Work $group l')
    owner.no('GETACL none')


def test_nothing_is_seen_without_a_right(guest):
    assert listed(guest) == set()
    for command in (f'SELECT {WORK}', f'STATUS {WORK} (MESSAGES)', f'MYRIGHTS {WORK}',
                    f'GETACL {WORK}', f'DELETE {WORK}', f'RENAME {WORK} {WORK}2',
                    f'CREATE {WORK}/sub', 'SELECT shared/nobody@example.test/INBOX',
                    'SELECT shared/../../etc/INBOX', 'SELECT shared/', 'SELECT shared/x',
                    f'SELECT shared/{OWNER}/W.x'):
        assert '[NONEXISTENT]' in guest.no(command), command


def test_lookup_lists_and_no_more(owner, guest):
    share(owner, guest.user, 'l')
    assert listed(guest) == {f'shared/{OWNER}', WORK}
    assert r'* LIST (\Noselect \HasChildren) "/" shared' in guest.ok('LIST "" %')
    assert guest.ok('LIST "" shared/%') == [
        rf'* LIST (\Noselect \HasChildren) "/" "shared/{OWNER}"']
    assert f'"/" "{WORK}"' in '\n'.join(guest.ok('LIST "" *'))
    assert '[NOPERM]' in guest.no(f'SELECT {WORK}')
    assert '[NOPERM]' in guest.no(f'STATUS {WORK} (MESSAGES)')
    assert guest.ok(f'MYRIGHTS {WORK}') == [f'* MYRIGHTS "{WORK}" l']


def test_subscriptions(owner, guest):
    share(owner, guest.user, 'lr')
    assert guest.ok('LIST (SUBSCRIBED) "" shared/*') == []
    guest.ok(f'SUBSCRIBE {WORK}')
    assert guest.ok('LSUB "" shared/*') == [f'* LSUB () "/" "{WORK}"']
    [line] = [line for line in guest.ok('LIST (SUBSCRIBED) "" *') if 'shared' in line]
    assert r'\Subscribed' in line
    guest.ok(f'UNSUBSCRIBE {WORK}')
    assert guest.ok('LSUB "" shared/*') == []


def test_read_only(owner, guest):
    share(owner, guest.user, 'lr')
    status, lines = guest.do(f'SELECT {WORK}')
    assert status.startswith('OK [READ-ONLY]') and '* 2 EXISTS' in lines
    assert '[READ-ONLY]' in guest.no(r'STORE 1 +FLAGS (\Seen)')
    assert 'Subject: m2' in guest.ok('FETCH 2 BODY[]')[0]
    assert guest.ok('FETCH 2 FLAGS') == [r'* 2 FETCH (FLAGS ())'] or \
        'Seen' not in guest.ok('FETCH 2 FLAGS')[0]
    assert '[NOPERM]' in guest.no(f'APPEND {WORK} {{3+}}\r\nabc')
    guest.ok('COPY 1 INBOX')
    guest.ok('UNSELECT')
    assert 'MESSAGES 1' in guest.ok('STATUS INBOX (MESSAGES)')[0]
    guest.ok('SELECT INBOX')
    guest.ok(r'STORE 1 +FLAGS.SILENT (\Deleted)')
    guest.ok('EXPUNGE')


def test_single_rights_to_change_flags(owner, guest):
    share(owner, guest.user, 'lrs')
    lines = guest.ok(f'SELECT {WORK}')
    assert any('[PERMANENTFLAGS (\\Seen)]' in line for line in lines)
    guest.ok(r'STORE 1 +FLAGS (\Seen \Flagged)')
    assert 'Flagged' not in guest.ok('FETCH 1 FLAGS')[0]
    assert 'Seen' in guest.ok('FETCH 1 FLAGS')[0]
    for command in (r'STORE 1 +FLAGS (\Deleted)', r'STORE 1 FLAGS (\Seen)', 'EXPUNGE',
                    'MOVE 1 INBOX', 'REPLACE 1 INBOX {3+}\r\nabc'):
        assert '[NOPERM]' in guest.no(command), command
    owner.ok('SELECT Work')

    def seen():
        owner.ok('NOOP')
        return 'Seen' in owner.ok('FETCH 1 FLAGS')[0]
    wait_until(seen)


def test_all_rights(owner, guest):
    share(owner, guest.user, 'lrswitekxp')
    guest.ok(f'SELECT {WORK}')
    assert guest.append(message('new'), WORK, r'(\Flagged) ')[0].startswith('OK [APPENDUID')
    guest.ok('NOOP')
    assert 'Flagged' in guest.ok('FETCH 3 FLAGS')[0]
    guest.ok(f'CREATE {WORK}/sub')
    assert f'{WORK}/sub' in listed(guest)
    assert re.search(r'COPYUID \d+ 1 1', guest.do(f'COPY 1 {WORK}/sub')[0])
    assert 'COPYUID' in '\n'.join(guest.ok('MOVE 3 INBOX'))
    guest.ok('SELECT INBOX')
    assert 'Flagged' in guest.ok('FETCH 1 FLAGS')[0]
    assert 'COPYUID' in '\n'.join(guest.ok(f'MOVE 1 {WORK}'))
    assert guest.ok('SEARCH ALL') == ['* SEARCH']
    guest.ok(f'RENAME {WORK}/sub {WORK}/other')
    guest.ok(f'DELETE {WORK}/other')
    assert '[NOPERM]' in guest.no(f'SETACL {WORK} x l')
    assert '[CANNOT]' in guest.no(f'RENAME {WORK} stolen')
    owner.ok('SELECT Work')
    assert 'Flagged' in owner.ok('FETCH 3 FLAGS')[0]


def test_an_administrator_gives_rights_too(owner, guest):
    share(owner, guest.user, 'lra')
    guest.ok(f'SETACL {WORK} anyone l')
    assert '"anyone" l' in owner.ok('GETACL Work')[0]


def test_rights_end_with_their_entry(owner, guest):
    share(owner, guest.user, 'lr')
    guest.ok(f'SELECT {WORK}')
    owner.ok(f'DELETEACL Work {guest.user}')
    assert '[NONEXISTENT]' in guest.no(f'SELECT {WORK}')
    assert listed(guest) == set()


def test_both_see_what_the_other_does(sharing, owner, guest):
    share(owner, guest.user, 'lrswite')
    guest.ok(f'SELECT {WORK}')
    owner.ok('SELECT Work')
    deliver(sharing, OWNER, message('to the inbox'))
    guest.ok(r'UID STORE 1 +FLAGS.SILENT (\Flagged)')
    owner.ok(r'UID STORE 2 +FLAGS.SILENT (\Answered)')

    def same():
        owner.ok('NOOP')
        guest.ok('NOOP')
        flags = [re.findall(r'\\Flagged|\\Answered', '\n'.join(wire.ok('UID FETCH 1:2 FLAGS')))
                 for wire in (owner, guest)]
        return flags == [['\\Flagged', '\\Answered']] * 2
    wait_until(same)
    guest.ok(r'UID STORE 1 +FLAGS.SILENT (\Deleted)')
    guest.ok('EXPUNGE')

    def gone():
        owner.ok('NOOP')
        return owner.ok('SEARCH ALL') == ['* SEARCH 1']
    wait_until(gone)
    assert guest.ok('UID SEARCH ALL') == ['* SEARCH 2']


def test_a_guest_in_idle_is_told_at_once(sharing, owner, guest):
    share(owner, guest.user, 'lr')
    guest.ok(f'SELECT {WORK}')
    guest.socket.settimeout(10)     # the disk is looked at every 30 s anyway
    tag = guest.start('IDLE')
    assert guest.line() == '+ idling'
    assert owner.append(message('new'), 'Work')[0].startswith('OK')
    assert guest.line() == '* 3 EXISTS'
    guest.send('DONE\r\n')
    guest.finish(tag)


def test_condstore_clients_are_told_that_there_are_no_mod_sequences(owner, guest):
    """RFC 7162 3.1.2.2, of an account that another worker serves."""
    share(owner, guest.user, 'lrs')
    guest.ok('ENABLE QRESYNC')
    lines = guest.ok(f'SELECT {WORK}')
    told = '\n'.join(lines)
    assert ('[NOMODSEQ]' in told) != ('[HIGHESTMODSEQ' in told)
    guest.ok(r'STORE 1 +FLAGS (\Seen)')
