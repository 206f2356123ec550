"""Sender Rewriting Scheme: mail that an alias forwards has a sender of ours, and reports for it are
led back to whoever sent it."""
import re
import smtplib

import pytest
from server import DOMAIN, wait_until
from smtp_sink import Sink
from test_remote import ALICE, ELSEWHERE, relay_to, submit, wait_accepted
from wire import TIMEOUT, message

TEAM = f'team@{DOMAIN}'
STRANGER = 'stranger@far.example'


def srs_server(make_server, sink, **env):
    server = make_server(accounts=[ALICE], start=False,
                         env=relay_to(sink, ENABLE_SRS='1', SRS_DOMAINNAME=DOMAIN, **env))
    server.write('postfix-virtual.cf', f'{TEAM} {ALICE},{ELSEWHERE}\n')
    return server.start()


def send(server, sender, to):
    with smtplib.SMTP('127.0.0.1', server.port('smtp'), timeout=TIMEOUT) as client:
        client.sendmail(sender, [to], message())


def sender_of(accepted):
    return re.match(r'FROM:<(.*?)>', accepted.mail).group(1)


def test_a_forwarded_message_has_a_sender_of_ours_and_the_stored_one_its_own(make_server):
    with Sink() as sink:
        server = srs_server(make_server, sink)
        send(server, STRANGER, TEAM)
        rewritten = sender_of(wait_accepted(sink)[0])
        assert re.fullmatch(r'SRS0=[A-Za-z0-9+/]{4}=[A-Z2-7]{2}=far\.example=stranger@' + DOMAIN,
                            rewritten)
        assert f'Return-Path: <{STRANGER}>'.encode() in server.wait_stored(ALICE)[0].read_bytes()


def test_a_report_finds_the_way_back(make_server):
    with Sink() as sink:
        server = srs_server(make_server, sink)
        send(server, STRANGER, TEAM)
        rewritten = sender_of(wait_accepted(sink)[0])
        send(server, '', rewritten)
        report = wait_accepted(sink, 2)[1]
        assert sender_of(report) == ''
        assert report.recipients[0].startswith(f'TO:<{STRANGER}>')


@pytest.mark.parametrize('local', ['SRS0=AAAA=JP=far.example=stranger', 'SRS0=x', 'SRS1=a=b==c'])
def test_what_was_not_made_here_is_no_way_to_relay(make_server, local):
    with Sink() as sink:
        server = srs_server(make_server, sink)
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            send(server, '', f'{local}@{DOMAIN}')
        (code, _), = refused.value.recipients.values()
        assert code == 550


def test_own_excluded_and_null_senders_stay(make_server):
    with Sink() as sink:
        server = srs_server(make_server, sink, SRS_EXCLUDE_DOMAINS='friend.example')
        submit(server, TEAM)
        send(server, 'a@friend.example', TEAM)
        send(server, '', TEAM)
        accepted = wait_accepted(sink, 3)
        assert sorted(map(sender_of, accepted)) == sorted([ALICE, 'a@friend.example', ''])


def test_the_key_is_made_once_and_stays(make_server):
    with Sink() as sink:
        server = srs_server(make_server, sink)
        path = server.root / 'var/mail-state/etc/postsrsd.secret'
        key = path.read_text()
        assert re.fullmatch(r'[A-Za-z0-9+/]{32}\n', key)
        assert path.stat().st_mode & 0o777 == 0o600
        send(server, STRANGER, TEAM)
        rewritten = sender_of(wait_accepted(sink)[0])
        server.stop()
        server.start()
        assert path.read_text() == key
        send(server, '', rewritten)
        wait_accepted(sink, 2)


def test_a_new_key_signs_and_the_old_one_still_leads_back(make_server):
    with Sink() as sink:
        server = srs_server(make_server, sink, SRS_SECRET='old')
        send(server, STRANGER, TEAM)
        first = sender_of(wait_accepted(sink)[0])
        server.stop()
        server.env['SRS_SECRET'] = 'new,old'
        server.start()
        send(server, STRANGER, TEAM)
        second = sender_of(wait_accepted(sink, 2)[1])
        assert first != second
        for address in (first, second):
            send(server, '', address)
        wait_accepted(sink, 4)


def test_without_srs_the_sender_stays(make_server):
    with Sink() as sink:
        server = srs_server(make_server, sink)
        server.stop()
        server.env['ENABLE_SRS'] = '0'
        server.start()
        send(server, STRANGER, TEAM)
        assert sender_of(wait_accepted(sink)[0]) == STRANGER
        wait_until(lambda: 'removed' in server.log())
