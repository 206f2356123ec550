"""Health, readiness and metrics over HTTP."""
import http.client
import os
import re
import signal
import socket

import pytest
from server import DOMAIN, WEB_PORT, Server, wait_until
from test_hostile import fill, small_disk  # noqa: F401  (a fixture)
from wire import TIMEOUT, Wire, deliver, imap, message, pop3

USER = f'user0@{DOMAIN}'
WEB = {'POSTHORN_WEB_PORT': str(WEB_PORT)}


@pytest.fixture(scope='module')
def web():
    with Server(accounts=[USER], env=WEB) as server:
        yield server


def get(server, path, method='GET'):
    client = http.client.HTTPConnection('127.0.0.1', WEB_PORT + server.offset, timeout=TIMEOUT)
    client.request(method, path)
    response = client.getresponse()
    text = response.read().decode()
    client.close()
    return response.status, text


def metric(server, name, labels=''):
    """The sum over all processes."""
    lines = re.findall(rf'^{name}{{([^}}]*)}} ([0-9.]+)$', get(server, '/metrics')[1], re.M)
    assert lines, f'no {name}'
    return sum(float(value) for found, value in lines if labels in found)


def test_healthy_and_ready(web):
    assert get(web, '/healthz') == (200, 'ok\n')
    assert get(web, '/readyz') == (200, 'smtp ready\nimap ready\npop3 ready\n')
    assert get(web, '/readyz?imap') == (200, 'imap ready\n')
    assert get(web, '/readyz?gopher')[0] == 404


def test_no_port_without_being_asked(make_server):
    server = make_server()
    assert 'web' not in server.roles()
    with pytest.raises(ConnectionRefusedError):
        get(server, '/healthz')


def test_other_requests(web):
    assert get(web, '/')[0] == 404
    assert get(web, '/healthz', 'HEAD') == (200, '')
    assert get(web, '/healthz', 'POST')[0] == 405


def test_connection_is_kept(web):
    client = http.client.HTTPConnection('127.0.0.1', WEB_PORT + web.offset, timeout=TIMEOUT)
    for _ in range(3):
        client.request('GET', '/healthz')
        assert client.getresponse().read() == b'ok\n'
    client.close()


@pytest.mark.parametrize('request_, status', [
    (b'nonsense\r\n\r\n', b'400'), (b'GET / HTTP/1.1\r\n' + b'A: b\r\n' * 5000, b'431'),
    (b'GET /healthz HTTP/1.1\r\nContent-Length: 30\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n', b'413')])
def test_broken_request_ends_the_connection(web, request_, status):
    with socket.create_connection(('127.0.0.1', WEB_PORT + web.offset), TIMEOUT) as s:
        s.sendall(request_)
        received = b''
        try:
            while chunk := s.recv(4096):
                received += chunk
        except ConnectionResetError:
            pass
    assert received.startswith(b'HTTP/1.1 ' + status)
    assert received.count(b'HTTP/1.1 ') == 1


def test_every_role_is_in_the_metrics(web):
    text = get(web, '/metrics')[1]
    for role in ('front', 'auth', 'queue', 'mailbox', 'web'):
        assert f'posthorn_fibers{{role="{role}",instance="0"}}' in text


def test_mail_and_logins_are_counted(make_server):
    server = make_server(env=WEB)
    deliver(server, USER, message('one'), message('two'))
    server.wait_stored(USER, 2)
    with Wire(server, 'smtp') as wire:
        wire.ehlo()
        wire.mail('a@example.org', USER)
        wire.expect('DATA', 354)
        wire.send(b'Subject: bare\r\n\r\nline\nline\r\n')
        wire.expect('.', 521)
    client = imap(server, USER)
    with pytest.raises(Exception):
        pop3(server, USER, 'wrong')
    assert metric(server, 'posthorn_smtp_messages_total', 'outcome="accepted"') == 2
    assert metric(server, 'posthorn_smtp_messages_total', 'outcome="rejected"') == 1
    assert metric(server, 'posthorn_smtp_connections_total') >= 2
    assert metric(server, 'posthorn_queue_entered_total') == 2
    assert metric(server, 'posthorn_queue_recipients_total', 'outcome="sent"') == 2
    assert metric(server, 'posthorn_deliveries_total') == 2
    assert metric(server, 'posthorn_delivery_bytes_total') > 100
    assert metric(server, 'posthorn_logins_total', 'outcome="ok"') == 1
    assert metric(server, 'posthorn_logins_total', 'outcome="failed"') == 1
    assert metric(server, 'posthorn_mailbox_sessions', 'protocol="imap"') == 1
    assert metric(server, 'posthorn_tls_handshakes_total', 'outcome="ok"') == 2
    assert metric(server, 'posthorn_queue_commit_seconds_count') >= 1
    client.logout()
    wait_until(lambda: metric(server, 'posthorn_mailbox_sessions') == 0, what='no session')


def test_role_that_hangs_is_not_ready(make_server):
    server = make_server(env=WEB)
    [auth] = server.roles()['auth']
    os.kill(auth, signal.SIGSTOP)
    try:
        status, text = get(server, '/readyz')
        assert status == 503
        assert 'smtp not ready: auth 0: does not answer' in text
        assert get(server, '/healthz')[0] == 200
    finally:
        os.kill(auth, signal.SIGCONT)
    assert get(server, '/readyz')[0] == 200


def test_role_that_died_is_ready_again_soon(make_server):
    server = make_server(env=WEB)
    server.kill_role('mailbox')
    wait_until(lambda: get(server, '/readyz')[0] == 200, what='a ready server')
    assert 'mailbox' in server.roles()


def test_full_journal_is_not_ready(small_disk, make_server):  # noqa: F811
    server, disk = small_disk('var/mail-state', env=WEB)
    fill(disk)
    for _ in range(20):
        with Wire(server, 'smtp') as wire:
            wire.ehlo()
            wire.mail('a@example.org', USER)
            if wire.cmd('DATA').code == 354:
                wire.send(message('full', 'x' * 70 + '\r\n' * 20000))
                if wire.cmd('.').code == 452:
                    break
    status, text = get(server, '/readyz')
    assert status == 503 and 'smtp not ready: queue 0: ' in text and 'imap ready' in text
