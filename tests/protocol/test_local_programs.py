"""The programs that talk to the server beside them: the health check, and delivery as getmail calls
it."""
import os
import signal
import subprocess

import pytest
from server import DOMAIN, SLOW, WEB_PORT

EX_USAGE, EX_NOINPUT, EX_NOUSER, EX_UNAVAILABLE, EX_TEMPFAIL = 64, 66, 67, 69, 75
WEB = {'POSTHORN_WEB_PORT': str(WEB_PORT)}


def run(server, program, *args, **kwargs):
    return subprocess.run([server.build / program, *args], env=server.environment(),
                          capture_output=True, timeout=60 * SLOW, check=False, **kwargs)


def health(server):
    done = run(server, 'dms-healthcheck')
    return done.returncode, done.stdout.decode()


def hand_over(server, *args, text=b'Subject: x\n\nbody\n'):
    done = run(server, 'deliver', *args, input=text)
    assert done.stdout == b''
    assert (done.stderr == b'') == (done.returncode == 0), 'getmail takes any word for a failure'
    return done.returncode, done.stderr.decode()


def stored(server, user):
    """The one message, without the lines that delivery put on top."""
    [path] = server.wait_stored(user)
    head, body = path.read_bytes().split(b'\n\n', 1)
    return head.decode(), body


def test_health_of_a_server_that_is_well(make_server):
    server = make_server(env=WEB)
    assert health(server) == (0, 'smtp ready\nimap ready\npop3 ready\n')
    server.stop()
    status, text = health(server)
    assert status == 1 and 'Connection refused' in text


def test_health_says_who_is_in_trouble(make_server):
    server = make_server(env=WEB)
    [auth] = server.roles()['auth']
    os.kill(auth, signal.SIGSTOP)
    try:
        status, text = health(server)
    finally:
        os.kill(auth, signal.SIGCONT)
    assert status == 1
    assert 'smtp not ready: auth 0: does not answer\n' in text
    assert health(server)[0] == 0


def test_health_without_a_web_port_is_a_greeting(make_server):
    server = make_server(env={'POSTHORN_SMTP_GREET_DELAY': '100ms'})
    assert health(server) == (0, '')
    fronts = server.roles()['front']
    for pid in fronts:
        os.kill(pid, signal.SIGSTOP)
    try:
        assert health(server)[0] == 1
    finally:
        for pid in fronts:
            os.kill(pid, signal.SIGCONT)


def test_message_is_delivered_as_it_is(server, user):
    text = b'Return-Path: <old@example.org>\nSubject: dots\n\n.\n..a\nl\xc3\xb6ng\r\nno end'
    assert hand_over(server, '-d', user, '-f', 'sender@example.org', text=text) == (0, '')
    head, body = stored(server, user)
    assert body.replace(b'\r\n', b'\n') == b'.\n..a\nl\xc3\xb6ng\nno end\n'
    assert head.startswith('Return-Path: <sender@example.org>')
    assert head.count('Return-Path') == 1
    assert 'Subject: dots' in head


def test_large_message_arrives(server, user):
    lines = b''.join(b'%07d\n' % n for n in range(500000))
    assert hand_over(server, '-d', user, text=b'Subject: large\n\n' + lines) == (0, '')
    assert stored(server, user)[1].replace(b'\r\n', b'\n') == lines


@pytest.mark.parametrize('sender', ['', '<>', 'a b c', 'x>\r\nRSET', '@', 'a' * 300 + '@b'])
def test_sender_that_is_none_becomes_the_null_sender(server, user, sender):
    assert hand_over(server, '-d', user, '-f', sender) == (0, '')
    assert stored(server, user)[0].startswith('Return-Path: <>')


def test_options_of_dovecot_are_understood(server, user, tmp_path):
    file = tmp_path / 'message'
    file.write_bytes(b'Subject: from a file\n\nbody\n')
    assert hand_over(server, '-e', '-k', '-c', '/etc/dovecot/dovecot.conf', '-o', 'a=b', '-a', user,
                     '-r', user, '-m', 'inbox', '-p', str(file), '-d', user, text=b'') == (0, '')
    assert 'Subject: from a file' in stored(server, user)[0]


def test_failures_have_the_statuses_of_sysexits(server, user, tmp_path):
    cases = [
        (EX_USAGE, 'usage:', []),
        (EX_USAGE, 'usage:', ['-x']),
        (EX_USAGE, 'usage:', ['-d', user, 'more']),
        (EX_NOINPUT, 'No such file', ['-d', user, '-p', str(tmp_path / 'none')]),
        (EX_NOUSER, f'deliver: nobody@{DOMAIN}: 550 5.1.1', ['-d', f'nobody@{DOMAIN}']),
        (EX_NOUSER, 'is no address', ['-d', f'{user}>\r\nRCPT TO:<{user}']),
        (EX_NOUSER, 'more than', ['-d', 'a' * 2000]),
        (EX_UNAVAILABLE, 'INBOX only', ['-d', user, '-m', 'Junk']),
    ]
    for status, text, args in cases:
        found = hand_over(server, *args)
        assert found[0] == status and text in found[1], (args, found)
    assert not server.stored(user)


def test_message_that_is_refused_is_not_tried_again(make_server):
    server = make_server(env={'POSTFIX_MESSAGE_SIZE_LIMIT': '100000'})
    status, text = hand_over(server, '-d', f'user0@{DOMAIN}', text=b'Subject: x\n\n' +
                             b'0123456789\n' * 20000)
    assert status == EX_UNAVAILABLE and '552 5.3.4' in text


def test_server_that_is_not_there_is_for_later(make_server):
    server = make_server()
    server.stop()
    status, text = hand_over(server, '-d', f'user0@{DOMAIN}')
    assert status == EX_TEMPFAIL and 'Connection refused' in text
