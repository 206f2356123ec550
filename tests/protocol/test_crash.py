"""Nothing that got its 250 is lost or doubled, whatever is killed while mail comes in.

POSTHORN_CRASH_ROUNDS sets how many times something is killed (8; 200 for the long proof) and
POSTHORN_CRASH_SESSIONS how many clients send meanwhile (8; 50).
"""
import collections
import hashlib
import os
import random
import re
import smtplib
import threading
import time

from server import DOMAIN, SLOW, wait_until
from wire import TIMEOUT, Wire

ROUNDS = int(os.environ.get('POSTHORN_CRASH_ROUNDS', '8'))
SESSIONS = int(os.environ.get('POSTHORN_CRASH_SESSIONS', '50' if ROUNDS >= 50 else '8'))
VICTIMS = ('front', 'auth', 'queue', 'mailbox', 'everything')
USERS = [f'user{n}@{DOMAIN}' for n in range(20)]


def signed_message(name, rng):
    """A message that can be recognised and checked wherever it turns up."""
    size = rng.choice((1, 5, 50, 400, 4000))
    body = ''.join(f'{rng.getrandbits(200):051x}\r\n' for _ in range(size))
    digest = hashlib.sha256(body.encode()).hexdigest()
    return f'Subject: {name}\r\nX-Digest: {digest}\r\n\r\n{body}'.encode()


class Sender(threading.Thread):
    """Sends until told to stop, and remembers for which (recipient, message) a 250 came."""

    def __init__(self, server, number):
        super().__init__(daemon=True)
        self.server, self.number = server, number
        self.rng = random.Random(number)
        self.acknowledged, self.sent, self.ended = [], 0, threading.Event()

    def run(self):
        while not self.ended.is_set():
            try:
                with smtplib.SMTP('127.0.0.1', self.server.port('smtp'), timeout=TIMEOUT) as client:
                    for _ in range(self.rng.randint(1, 8)):
                        self.send_one(client)
            except (smtplib.SMTPException, OSError):
                self.ended.wait(0.05)

    def send_one(self, client):
        if self.ended.is_set():
            return
        self.sent += 1
        name = f's{self.number}-{self.sent}'
        rcpts = self.rng.sample(USERS, self.rng.choice((1, 1, 1, 3)))
        refused = client.sendmail('a@example.org', rcpts, signed_message(name, self.rng))
        self.acknowledged += [(rcpt, name) for rcpt in rcpts if rcpt not in refused]


def stored_messages(server):
    """Counter of (recipient, message name); every stored message is checked."""
    found = collections.Counter()
    for user in USERS:
        for path in server.stored(user):
            try:
                data = path.read_bytes().replace(b'\n', b'\r\n')
            except FileNotFoundError:
                continue
            head, _, body = data.partition(b'\r\n\r\n')
            name = re.search(rb'^Subject: (\S+)', head, re.M)
            digest = re.search(rb'^X-Digest: (\S+)', head, re.M)
            assert name and digest, f'damaged: {path}'
            assert hashlib.sha256(body).hexdigest() == digest.group(1).decode(), \
                f'damaged: {path}'
            found[user, name.group(1).decode()] += 1
    return found


def serves(server):
    try:
        with Wire(server, 'smtp') as wire:
            wire.ehlo()
            wire.mail('probe@example.org', USERS[0])
            return wire.cmd('RSET').code == 250
    except (AssertionError, OSError):
        return False


def strike(server, victim):
    if victim == 'everything':
        server.kill_all()
        server.start()
    else:
        server.kill_role(victim)
    wait_until(lambda: serves(server), 30, what=f'service after killing {victim}')


def check_all_there(server, acknowledged):
    """Every acknowledged message is stored exactly once, and no message more than once."""
    wanted = set(acknowledged)

    def missing():
        found = stored_messages(server)
        return not wanted - set(found) and found

    try:
        found = wait_until(missing, 60, every=0.3, what='delivery of everything acknowledged')
    except AssertionError:
        lost = sorted(wanted - set(stored_messages(server)))
        raise AssertionError(f'{len(lost)} of {len(wanted)} messages lost: {lost[:5]}') from None
    time.sleep(0.5)
    doubled = [key for key, count in stored_messages(server).items() if count > 1]
    assert not doubled, f'delivered more than once: {doubled[:5]}'
    return found


def test_nothing_acknowledged_is_lost_or_doubled(make_server):
    server = make_server(accounts=USERS)
    senders = [Sender(server, n) for n in range(SESSIONS)]
    rng = random.Random(1)
    for sender in senders:
        sender.start()
    try:
        for round_ in range(ROUNDS):
            time.sleep(rng.uniform(0.05, 0.5) * SLOW)
            strike(server, VICTIMS[round_ % len(VICTIMS)])
    finally:
        for sender in senders:
            sender.ended.set()
        for sender in senders:
            sender.join(TIMEOUT)
    acknowledged = [key for sender in senders for key in sender.acknowledged]
    assert len(acknowledged) > ROUNDS, 'hardly any mail went through'
    check_all_there(server, acknowledged)

    server.kill_all()       # and once more: a replay of what is delivered changes nothing
    server.start()
    time.sleep(1)
    check_all_there(server, acknowledged)


def test_delivery_resumes_when_the_mailbox_role_is_back(make_server):
    server = make_server(accounts=USERS)
    server.kill_role('mailbox')
    sender = Sender(server, 0)
    with smtplib.SMTP('127.0.0.1', server.port('smtp'), timeout=TIMEOUT) as client:
        for _ in range(20):
            sender.send_one(client)
    check_all_there(server, sender.acknowledged)


def test_client_sees_a_temporary_failure_while_a_role_is_gone(make_server):
    server = make_server(accounts=USERS)
    with Wire(server, 'smtp') as wire:
        wire.ehlo()
        server.kill_role('auth')
        wire.expect('MAIL FROM:<a@example.org>', 250, 451, 421)
        code = wire.cmd(f'RCPT TO:<{USERS[0]}>').code
        assert code in (250, 450, 451, 421, 503), code
