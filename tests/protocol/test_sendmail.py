"""sendmail, and other clients that may send without a login."""
import email
import os
import pwd
import re
import smtplib
import subprocess

import pytest
from server import DOMAIN, HOSTNAME, SLOW, wait_until
from smtp_sink import Sink
from test_local_programs import EX_NOUSER, EX_TEMPFAIL, EX_USAGE
from test_remote import ELSEWHERE, relay_to, wait_accepted
from wire import TIMEOUT

ALICE, BOB = f'alice@{DOMAIN}', f'bob@{DOMAIN}'
EX_DATAERR, EX_UNAVAILABLE = 65, 69
LETTER = b'Subject: x\n\nbody\n'


def sendmail(server, *args, text=LETTER):
    done = subprocess.run([server.build / 'sendmail', *args], env=server.environment(), input=text,
                          capture_output=True, timeout=60 * SLOW, check=False)
    assert (done.returncode == 0) == (done.stderr == b''), done.stderr
    return done.returncode, done.stderr.decode()


def got(server, user=ALICE):
    [path] = server.wait_stored(user)
    return email.message_from_bytes(path.read_bytes())


def test_a_letter_gets_what_it_lacks(make_server):
    server = make_server(accounts=[ALICE])
    assert sendmail(server, ALICE) == (0, '')
    letter = got(server)
    me = f'{pwd.getpwuid(os.getuid()).pw_name}@{HOSTNAME}'
    assert letter['From'] == f'<{me}>'
    assert letter['Return-Path'] == f'<{me}>'
    assert letter['Date'] and letter['Message-ID'].endswith(f'@{HOSTNAME}>')
    assert letter.get_payload() == 'body\n'
    assert '127.0.0.1' not in letter['Received']


def test_a_sender_and_a_name(make_server):
    server = make_server(accounts=[ALICE])
    assert sendmail(server, '-f', BOB, '-F', 'Bob, the "Builder"', '--', ALICE) == (0, '')
    letter = got(server)
    assert letter['Return-Path'] == f'<{BOB}>'
    assert letter['From'] == rf'"Bob, the \"Builder\"" <{BOB}>'


def test_recipients_of_the_header_and_of_the_command_line(make_server):
    with Sink() as sink:
        server = make_server(accounts=[ALICE, BOB], env=relay_to(sink))
        text = (f'To: Alice <{ALICE}>,\n group: {ELSEWHERE};\nBcc: secret@elsewhere.example\n'
                f'Cc: \n').encode() + LETTER
        assert sendmail(server, '-t', '-oi', BOB, text=text) == (0, '')
        got(server), got(server, BOB)
        message, = wait_accepted(sink)
        assert len(message.recipients) == 2
        assert b'secret@' not in message.data


@pytest.mark.parametrize('args, kept', [((), 'one\n'), (('-i',), 'one\n.\ntwo\n'),
                                        (('-oi',), 'one\n.\ntwo\n')])
def test_a_dot_ends_the_message_unless_told_otherwise(make_server, args, kept):
    server = make_server(accounts=[ALICE])
    sendmail(server, *args, ALICE, text=b'Subject: x\n\none\n.\ntwo\n')
    assert got(server).get_payload() == kept


def test_a_large_letter_arrives_whole(make_server):
    server = make_server(accounts=[ALICE])
    lines = b''.join(b'%d ..\n.%d\n' % (n, n) for n in range(50000))
    assert sendmail(server, ALICE, text=b'From someone Thu Jan 1\n' + LETTER + lines) == (0, '')
    letter = got(server)
    assert letter['Subject'] == 'x'
    assert letter.get_payload() == 'body\n' + lines.decode()


def test_nobody_gets_what_somebody_cannot(make_server):
    server = make_server(accounts=[ALICE])
    status, text = sendmail(server, ALICE, f'nobody@{DOMAIN}')
    assert status == EX_NOUSER and f'nobody@{DOMAIN}' in text
    assert not server.stored(ALICE)


@pytest.mark.parametrize('args, status', [((), EX_USAGE), (('-t',), EX_USAGE), (('-x',), EX_USAGE),
                                          (('a b<>',), EX_DATAERR), (('-bs',), EX_UNAVAILABLE)])
def test_what_makes_no_sense_is_said(make_server, args, status):
    server = make_server(accounts=[ALICE])
    assert sendmail(server, *args)[0] == status


def test_without_a_server_it_is_tried_later(make_server):
    server = make_server(accounts=[ALICE])
    server.stop()
    assert sendmail(server, ALICE)[0] == EX_TEMPFAIL


def test_bp_lists_the_queue(make_server):
    server = make_server(accounts=[ALICE], env={'DEFAULT_RELAY_HOST': '[127.0.0.1]:9'})
    sendmail(server, ELSEWHERE)
    wait_until(lambda: 'status=deferred' in server.log(), what='a message that waits')
    done = subprocess.run([server.build / 'sendmail', '-bp'], env=server.environment(),
                          capture_output=True, timeout=30, check=True)
    assert ELSEWHERE in done.stdout.decode()


def test_the_socket_is_its_owners_alone(make_server):
    server = make_server(accounts=[ALICE])
    assert (server.root / 'var/mail-state/lib-posthorn/smtp').stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize('env, code', [({}, 554), ({'PERMIT_DOCKER': 'container'}, 250),
                                       ({'PERMIT_DOCKER': 'nonsense'}, 554),
                                       ({'POSTHORN_TRUSTED_NETWORKS': '127.0.0.0/30'}, 250),
                                       ({'POSTHORN_TRUSTED_NETWORKS': '10.0.0.0/8'}, 554)])
def test_trusted_networks_may_relay(make_server, env, code):
    server = make_server(accounts=[ALICE], env={'DEFAULT_RELAY_HOST': '[127.0.0.1]:9', **env})
    with smtplib.SMTP('127.0.0.1', server.port('smtp'), timeout=TIMEOUT) as client:
        client.ehlo('client.example')
        client.mail(ALICE)
        assert client.rcpt(ELSEWHERE)[0] == code


def test_a_network_that_is_none_is_said_at_the_start(make_server):
    server = make_server(start=False, env={'POSTHORN_TRUSTED_NETWORKS': '10.0.0.0/8,elsewhere'})
    server.start(wait=False)
    assert server.process.wait(20 * SLOW) != 0
    assert re.search(r"POSTHORN_TRUSTED_NETWORKS: 'elsewhere' is not a network", server.output())
    server.process = None
