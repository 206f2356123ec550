"""Clients and messages that mean harm: the server answers or hangs up, its memory stays bounded,
and others are served meanwhile.

POSTHORN_HOSTILE_CONNECTIONS (10000, as far as the limit on open files allows) and
POSTHORN_HOSTILE_BYTES (100 MB; 1 GB for the long proof) set how hard.
"""
import os
import random
import resource
import select
import socket
import ssl
import time
from pathlib import Path
import subprocess

import pytest
from server import DOMAIN, PASSWORD, SLOW, wait_until
from wire import TIMEOUT, Wire, deliver, imap, insecure_tls, message

CONNECTIONS = int(os.environ.get('POSTHORN_HOSTILE_CONNECTIONS', '10000'))
BYTES = int(os.environ.get('POSTHORN_HOSTILE_BYTES', '100000000'))
MIB = 1 << 20
USER = f'user0@{DOMAIN}'
GROWTH = 100 * MIB


@pytest.fixture
def strong(make_server):
    """A server of one's own, whose memory must not grow much."""
    server = make_server()
    deliver(server, USER, message('warm'))
    server.wait_stored(USER)
    before = server.memory_at_start = server.memory()
    yield server
    grown = server.memory() - before
    assert grown < GROWTH, f'{grown // MIB} MiB more than before'


def served(server):
    """Somebody else's mail goes through."""
    count = len(server.stored(USER))
    deliver(server, USER, message(f'meanwhile{count}'))
    server.wait_stored(USER, count + 1)


def open_silent(server, service, count):
    """Connections from many addresses of the loopback network: no limit per client helps."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held = []
    for n in range(min(count, hard - 500)):
        s = socket.socket()
        try:
            s.settimeout(TIMEOUT)
            s.bind((f'127.{1 + n // 30 // 200}.{n // 30 % 200}.2', 0))
            s.connect(('127.0.0.1', server.port(service)))
        except OSError:
            s.close()
            break
        held.append(s)
    return held, soft


@pytest.mark.parametrize('service', ['smtp', 'imaps'])
def test_connections_that_say_nothing(make_server, service):
    server = make_server()
    held, soft = open_silent(server, service, CONNECTIONS)
    try:
        assert len(held) >= min(CONNECTIONS, 500)
        served(server)
        imap(server, USER).logout()
        per_connection = server.memory() / len(held)
        assert per_connection < 256 * 1024 or len(held) < 2000, f'{per_connection} bytes each'
    finally:
        for s in held:
            s.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, resource.getrlimit(
            resource.RLIMIT_NOFILE)[1]))
    served(server)


def test_client_that_sends_a_byte_at_a_time_holds_up_nobody(strong):
    slow = Wire(strong, 'smtp')
    for n, byte in enumerate(b'EHLO slow.example.org\r\nNOOP\r\n'):
        slow.send(bytes([byte]))
        if n % 10 == 0:
            served(strong)
    assert slow.reply().code == 250
    slow.close()


def flood(wire, chunk, total):
    """Send until the peer hangs up; returns the bytes that went out."""
    sent = 0
    try:
        while sent < total:
            wire.socket.sendall(chunk)
            sent += len(chunk)
    except OSError:
        pass
    return sent


@pytest.mark.parametrize('service, start', [
    ('smtp', ''), ('smtp', 'EHLO '), ('imaps', 'a LOGIN '), ('imaps', ''), ('pop3s', 'USER '),
    ('smtp', f'EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<{USER}>\r\nDATA\r\n'),
    ('smtp', f'EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<{USER}>\r\nDATA\r\nSubject: ')])
def test_line_without_end(strong, service, start):
    with Wire(strong, service, tls=service.endswith('s'), greet=False) as wire:
        wire.socket.settimeout(TIMEOUT)
        wire.send(start)
        flood(wire, b'x' * 1000000, BYTES)
    served(strong)


@pytest.mark.parametrize('service, line', [
    ('pop3s', b'USER ' + b'x' * 16000), ('pop3s', b'UTF8 ' + b'x' * 16000),
    ('imaps', b'a NOOP'), ('smtp', b'RSET')], ids=['USER', 'UTF8', 'NOOP', 'RSET'])
def test_commands_without_end(strong, service, line):
    """What a command needs is given back behind it, however many come before a login."""
    count = BYTES // (len(line) + 500)
    with Wire(strong, service, tls=service.endswith('s'), greet=False) as wire:
        wire.socket.settimeout(TIMEOUT)
        try:
            for _ in range(count // 100):
                wire.socket.sendall((line + b'\r\n') * 100)
                for _ in range(100):
                    assert wire.line()
        except (OSError, AssertionError):
            pass        # hung up on
        held = strong.memory()
    served(strong)
    assert held < strong.memory_at_start + GROWTH


def test_reader_who_never_reads(strong):
    for _ in range(20):
        deliver(strong, USER, message('big', 'x' * 76 + '\r\n' + ('y' * 76 + '\r\n') * 10000))
    strong.wait_stored(USER, 21)
    with Wire(strong, 'imaps', tls=True, greet=False) as wire:
        wire.send(f'a LOGIN {USER} "{PASSWORD}"\r\nb SELECT INBOX\r\n')
        flood(wire, b'c FETCH 1:* BODY.PEEK[]\r\n' * 10, 3000)
        served(strong)
        # The commands wait in the socket, not in memory.
        assert strong.memory() < 1000 * MIB


def accepted(server, text):
    with Wire(server, 'smtp') as wire:
        wire.ehlo()
        wire.mail('a@example.org', USER)
        wire.expect('DATA', 354)
        wire.send(text)
        return wire.cmd('.').code == 250


def nested_multipart(depth):
    head = b'Subject: deep\r\nMIME-Version: 1.0\r\n'
    opening = b''.join(b'Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n' % (n, n)
                       for n in range(depth))
    return head + opening + b'\r\nbody\r\n'


def nested_message(depth):
    return b'Subject: deep\r\n' + b'Content-Type: message/rfc822\r\n\r\n' * depth + b'\r\nbody\r\n'


HOSTILE_MESSAGES = {
    '100,000 headers': lambda: b'X-A: b\r\n' * 100000 + b'\r\nbody\r\n',
    'one header of 5 MB': lambda: b'Subject: ' + (b'x' * 900 + b'\r\n ') * 5000 +
                                  b'\r\n\r\nbody\r\n',
    'a To of 100,000 addresses': lambda: b'To: a@example.org' + b',\r\n a@example.org' * 100000 +
                                         b'\r\n\r\nbody\r\n',
    'comments 50,000 deep': lambda: b'To: ' + b'(\r\n ' * 50000 + b'\r\n\r\nbody\r\n',
    'groups and quotes without end': lambda: b'To: "' + b'g:' * 50000 + b'\r\n\r\nbody\r\n',
    'multiparts 5,000 deep': lambda: nested_multipart(5000),
    'messages 5,000 deep': lambda: nested_message(5000),
    '100,000 parts': lambda: b'Content-Type: multipart/mixed; boundary=b\r\n\r\n' +
                             b'--b\r\n\r\n.\r\n'.replace(b'\r\n.', b'\r\nx') * \
                                                         100000 + b'--b--\r\n',
    '50,000 parameters': lambda: b'Content-Type: text/plain' + b'; a*0=b\r\n' b' ' * 50000 +
                                 b'\r\n\r\nbody\r\n',
    'encoded words only': lambda: b'Subject: ' + b'=?utf-8?q?a?=\r\n ' * 50000 + b'\r\n\r\nx\r\n',
    'nothing but dots': lambda: b'..\r\n' * 500000,
    'boundary lines only': lambda: b'Content-Type: multipart/mixed; boundary=-\r\n\r\n' +
                                   b'-' * 70 + b'\r\n' * 1 + (b'-' * 900 + b'\r\n') * 5000,
    'random bytes': lambda: random.Random(1).randbytes(2000000).replace(b'\n', b'x')
    .replace(b'\r', b'x') + b'\r\n',
}


@pytest.mark.parametrize('name', HOSTILE_MESSAGES)
def test_message_made_to_hurt_a_parser(strong, name):
    if not accepted(strong, HOSTILE_MESSAGES[name]()):
        served(strong)
        return
    strong.wait_stored(USER, 2)
    client = imap(strong, USER)
    before = time.monotonic()
    for items in ('(ENVELOPE)', '(BODYSTRUCTURE)', '(RFC822.SIZE FLAGS)', '(BODY.PEEK[1])',
                  '(BODY.PEEK[HEADER.FIELDS (SUBJECT TO)])',
                  f'(BODY.PEEK[HEADER.FIELDS.NOT ({" ".join(f"F{n}" for n in range(480))})])',
                  '(BODY.PEEK[1.1.1.1.1.1.1.1.1.1])'):
        assert client.fetch('2', items)[0] == 'OK', items
    client.search(None, 'TEXT', 'needle')
    assert time.monotonic() - before < 20 * SLOW, 'a message that takes this long is a weapon'
    client.logout()
    served(strong)


@pytest.mark.parametrize('service', ['smtp', 'submissions', 'imap', 'imaps', 'pop3', 'pop3s'])
def test_random_bytes(strong, service):
    rng = random.Random(service)
    for tls in ({False, service.endswith('s')}):
        for _ in range(10):
            try:
                with Wire(strong, service, tls=tls, greet=False) as wire:
                    wire.send(rng.randbytes(20000))
                    wire.socket.shutdown(socket.SHUT_WR)
                    while wire.socket.recv(65536):
                        pass
            except (OSError, ssl.SSLError):
                pass
    served(strong)


HOSTILE_COMMANDS = {
    'deep parentheses': 'SEARCH ' + '(' * 20000 + 'ALL' + ')' * 20000,
    'NOT of NOT': 'SEARCH ' + 'NOT ' * 20000 + 'ALL',
    'OR of OR': 'SEARCH ' + 'OR ' * 20000 + 'ALL',
    'many keys': 'SEARCH ' + 'BODY x ' * 5000 + 'ALL',
    'many ranges': 'FETCH ' + ','.join(['1:*'] * 20000) + ' FLAGS',
    'the largest number': 'FETCH 4294967295:1 FLAGS',
    'many sections': 'FETCH 1 (' + 'BODY[1] ' * 5000 + ')',
    'a deep section': 'FETCH 1 BODY[' + '1.' * 20000 + '1]',
    'wildcards': 'LIST "" ' + '*%' * 5000,
    'many patterns': 'LIST "" (' + 'a ' * 20000 + 'a)',
    'many keywords': 'STORE 1 FLAGS (' + ' '.join(f'k{n}' for n in range(5000)) + ')',
    'a deep mailbox': 'CREATE ' + 'a.' * 5000 + 'a',
    'a literal beyond all numbers': 'APPEND INBOX {999999999999999999999}',
    'a literal that does not wait': 'CREATE {60000+}\r\n' + 'x' * 60000,
}


@pytest.mark.parametrize('name', HOSTILE_COMMANDS)
def test_imap_commands_made_to_hurt(strong, name):
    with Wire(strong, 'imaps', tls=True, greet=False) as wire:
        wire.send(f'a LOGIN {USER} "{PASSWORD}"\r\nb SELECT INBOX\r\n')
        while not wire.line().startswith('b OK'):
            pass
        before = time.monotonic()
        wire.send(f'x {HOSTILE_COMMANDS[name]}\r\n')
        while (line := wire.line()).startswith('* ') and not line.startswith('* BYE'):
            pass
        assert line.startswith(('x OK', 'x NO', 'x BAD', '* BYE')), line
        assert time.monotonic() - before < 5 * SLOW
    served(strong)


def test_search_that_takes_long_lets_others_run(strong):
    deliver(strong, USER, message('long', ('word ' * 14 + '\r\n') * 20000))
    strong.wait_stored(USER, 2)
    other = imap(strong, USER)
    with Wire(strong, 'imap', greet=False) as wire:
        wire.send(f'a LOGIN {USER} "{PASSWORD}"\r\nb SELECT INBOX\r\n')
        while not wire.line().startswith('b OK'):
            pass
        wire.send('c SEARCH 2' + ''.join(f' NOT BODY no{n}' for n in range(300)) + '\r\n')
        time.sleep(0.2)
        assert other.noop()[0] == 'OK'
        assert not select.select([wire.socket], [], [], 0)[0], 'the search was over first'
        assert wire.line() == '* SEARCH 2'
    other.logout()


def test_tls_handshakes_that_never_finish(strong):
    held, soft = open_silent(strong, 'submissions', 300)
    try:
        for s in held:
            s.sendall(b'\x16\x03\x01\x02\x00')
        served(strong)
        with Wire(strong, 'submissions', tls=True) as wire:
            wire.ehlo()
    finally:
        for s in held:
            s.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, resource.getrlimit(
            resource.RLIMIT_NOFILE)[1]))


def test_renegotiation_and_handshake_storms(strong):
    for _ in range(30):
        with Wire(strong, 'submissions', greet=False) as wire:
            wire.start_tls_now(insecure_tls())
    served(strong)


# Disks that are full or broken

def mounted(path, size):
    path.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0 or subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={size},mode=777',
                                            'posthorn-test', path], check=False).returncode:
        pytest.skip('cannot mount a small file system here')


def fill(directory):
    path = Path(directory, 'ballast')
    with open(path, 'wb', buffering=0) as f:
        try:
            while True:
                f.write(b'x' * 65536)
        except OSError:
            try:
                while True:
                    f.write(b'x')
            except OSError:
                return path


@pytest.fixture
def small_disk(make_server):
    """make(volume): a server whose volume is a small file system."""
    paths = []
    servers = []

    def make(volume, **kwargs):
        server = make_server(start=False, **kwargs)
        path = server.root / volume
        mounted(path, '100m')
        paths.append(path)
        servers.append(server)
        return server.start(), path

    yield make
    for server in servers:
        server.stop(check=False)
    for path in paths:
        subprocess.run(['umount', path], check=False)


def test_full_journal_is_a_temporary_failure_and_heals(small_disk):
    server, disk = small_disk('var/mail-state')
    served(server)
    ballast = fill(disk)
    codes = set()
    for n in range(20):
        with Wire(server, 'smtp') as wire:
            wire.ehlo()
            wire.expect('MAIL FROM:<a@example.org>', 250, 451, 452)
            if wire.cmd(f'RCPT TO:<{USER}>').code == 250 and wire.cmd('DATA').code == 354:
                wire.send(message(f'full{n}', 'x' * 70 + '\r\n' * 2000))
                codes.add(wire.cmd('.').code)
    assert codes <= {250, 451, 452}, codes
    imap(server, USER).logout()
    ballast.unlink()

    def accepts_again():
        try:
            deliver(server, USER, message('again'))
            return True
        except Exception:       # smtplib has many
            return False
    wait_until(accepts_again, 20, every=0.5, what='recovery')


def test_full_mail_volume_delays_but_loses_nothing(small_disk):
    server, disk = small_disk('var/mail')
    served(server)
    ballast = fill(disk)
    for n in range(5):
        deliver(server, USER, message(f'late{n}', 'x' * 50000 + '\r\n'))
    time.sleep(1)
    ballast.unlink()
    wait_until(lambda: len(server.stored(USER)) >= 6, 60, every=0.5,
               what='delivery after the disk has space again')
    assert len(server.stored(USER)) == 6


def test_full_mail_volume_refuses_what_needs_room_and_nothing_else(small_disk):
    server, disk = small_disk('var/mail')
    deliver(server, USER, *[message(f'old{n}') for n in range(3)])
    server.wait_stored(USER, 3)
    client = imap(server, USER)
    ballast = fill(disk)
    big = message('big', 'x' * 70 + '\r\n' * 20000)
    status, text = client.append('INBOX', None, None, big)
    assert status == 'NO' and text[0].startswith((b'[UNAVAILABLE]', b'[OVERQUOTA]')), text
    assert client.fetch('1:3', '(BODY.PEEK[])')[0] == 'OK'
    assert client.store('1', '+FLAGS', '(\\Seen)')[0] == 'OK'
    assert client.store('2', '+FLAGS', '(\\Deleted)')[0] == 'OK'
    assert client.expunge()[0] == 'OK'
    ballast.unlink()
    assert client.append('INBOX', None, None, big)[0] == 'OK'
    client.logout()
    assert len(server.stored(USER)) == 3
    assert not list((server.maildir(USER) / 'tmp').iterdir())
