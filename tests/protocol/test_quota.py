"""Quotas, from the operator's file to every way into a mailbox (RFC 9208, RFC 3463)."""
import re
import smtplib

import pytest
from server import DOMAIN, wait_until
from test_imap import Imap
from wire import Wire, deliver, fetch_all, message

USER, OTHER = f'user0@{DOMAIN}', f'user1@{DOMAIN}'
KILOBYTE = 'x' * 62 + '\r\n'


def sized(subject, kilobytes):
    return message(subject, KILOBYTE * 16 * kilobytes)


@pytest.fixture
def limited(make_server):
    """USER may store 100 KiB."""
    server = make_server(start=False)
    server.write('dovecot-quotas.cf', f'{USER}:100k\n')
    return server.start()


def storage(server, user=USER):
    with Imap(server, user) as wire:
        lines = wire.ok('GETQUOTAROOT INBOX')
        found = re.search(r'STORAGE (\d+) (\d+)', '\n'.join(lines))
        return tuple(map(int, found.groups())) if found else None


def test_only_the_user_named_has_a_limit(limited):
    assert storage(limited) == (0, 100)
    assert storage(limited, OTHER) is None


def test_the_limit_of_all(make_server):
    """POSTFIX_MAILBOX_SIZE_LIMIT is bytes that become MiB by dividing by a million."""
    server = make_server(env={'POSTFIX_MAILBOX_SIZE_LIMIT': '4096000'})
    assert storage(server) == (0, 4096)


def test_without_enable_quotas_there_are_none(make_server):
    server = make_server(start=False, env={'ENABLE_QUOTAS': '0'})
    server.write('dovecot-quotas.cf', f'{USER}:100k\n')
    server.start()
    assert storage(server) is None


def test_a_changed_file_holds_for_open_sessions(limited):
    with Imap(limited, USER) as wire:
        assert 'STORAGE 0 100' in '\n'.join(wire.ok('GETQUOTA "User quota"'))
        limited.write('dovecot-quotas.cf', f'{USER}:200k\n')
        wait_until(lambda: 'STORAGE 0 200' in '\n'.join(wire.ok('GETQUOTA "User quota"')), 30, 0.5)


def test_imap_is_refused(limited):
    with Imap(limited, USER) as wire:
        assert wire.append(sized('a', 60))[0].startswith('OK')
        status, _ = wire.do('APPEND INBOX {60000}')
        assert status.startswith('NO [OVERQUOTA] Quota exceeded')
        wire.ok('SELECT INBOX')
        assert '[OVERQUOTA]' in wire.no('COPY 1 Sent')
        wire.ok('MOVE 1 Sent')
        wire.ok('COPY 1:* Sent')


def test_a_full_mailbox_is_told_at_rcpt(limited):
    with Imap(limited, USER) as wire:
        assert wire.append(sized('a', 95))[0].startswith('OK')
    with Wire(limited, 'smtp', source='127.0.0.2') as smtp:
        smtp.ehlo()
        smtp.expect('MAIL FROM:<a@example.org> SIZE=30000', 250)
        reply = smtp.expect(f'RCPT TO:<{USER}>', 552)
        assert reply.text.startswith('5.2.2 ') and 'Mailbox is full' in reply.text
        smtp.expect(f'RCPT TO:<{OTHER}>', 250)
        smtp.expect('RSET', 250)
        # The last message may be too large by a tenth.
        smtp.expect('MAIL FROM:<a@example.org> SIZE=9000', 250)
        smtp.expect(f'RCPT TO:<{USER}>', 250)


def test_delivery_refuses_and_the_sender_is_told(limited):
    """A message whose size was not announced."""
    deliver(limited, USER, sized('fits', 70))
    limited.wait_stored(USER, 1)
    with Wire(limited, 'smtp') as smtp:
        smtp.ehlo()
        smtp.mail(OTHER, USER)
        assert smtp.data(sized('does not', 70)).code == 250
    limited.wait_stored(OTHER, 1)
    [bounce] = fetch_all(limited, OTHER)
    assert b'5.2.2' in bounce and b'Quota exceeded (mailbox for user is full)' in bounce
    assert [b'Subject: fits' in text for text in fetch_all(limited, USER)] == [True]


@pytest.mark.parametrize('kilobytes,percent', [(82, 80), (97, 95)])
def test_a_user_is_warned(limited, kilobytes, percent):
    deliver(limited, USER, sized('large', kilobytes))
    limited.wait_stored(USER, 2)
    [warning] = [t for t in fetch_all(limited, USER) if b'Subject: quota warning' in t]
    assert f'Your mailbox is now {percent}% full.'.encode() in warning
    assert f'From: postmaster@{DOMAIN}'.encode() in warning


def test_expunging_makes_room(limited):
    with Imap(limited, USER) as wire:
        assert wire.append(sized('a', 90))[0].startswith('OK')
        wire.ok('SELECT INBOX')
        wire.ok(r'STORE 1 +FLAGS.SILENT (\Deleted)')
        assert '* STATUS INBOX (DELETED-STORAGE 91)' in wire.ok('STATUS INBOX (DELETED-STORAGE)')
        wire.ok('EXPUNGE')
        assert wire.append(sized('b', 90))[0].startswith('OK')


def test_mail_is_delivered_when_auth_comes_back(limited):
    """The workers ask the new process."""
    limited.kill_role('auth')

    def accepted():
        try:
            deliver(limited, OTHER, message('through'))
        except smtplib.SMTPException:
            return False
        return True
    wait_until(accepted, 30, 0.5)
    limited.wait_stored(OTHER, 1)
    assert storage(limited) == (0, 100)
