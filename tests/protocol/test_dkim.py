"""DKIM against another implementation, dkimpy: each verifies what the other signs, and they agree
about messages that changed on the way."""
import base64
import random
import re
import subprocess

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from server import BUILD

TOOL = BUILD / 'tests/protocol/dkim-tool'
DOMAIN, SELECTOR = 'example.com', 'sel'
NAME = f'{SELECTOR}._domainkey.{DOMAIN}'

HEADERS = [b'From: Joe <joe@example.com>', b'To: a@example.net,\r\n\tb@example.net',
           b'Subject:  Caf\xc3\xa9  time ', b'Date: Fri, 11 Jul 2003 21:00:37 -0700',
           b'Message-ID: <1@example.com>', b'Cc:c@example.net', b'X-Empty:',
           b'References: <a@b>\r\n <c@d>\r\n\t<e@f>', b'Received: from a\r\n\tby b; now',
           b'MIME-Version: 1.0', b'Content-Type: text/plain;\r\n  charset=utf-8  ']
BODIES = [b'', b'\r\n', b'\r\n\r\n\r\n', b'Hi.\r\n', b'Hi.', b'Hi. \t \r\n\r\n\r\n',
          b' \t\r\na \t b\r\n\r\n \r\n', b'\r\n\r\na', b'\xff\xfe\x80 8 bit\r\n',
          b'tab\there  two\r\n.\r\n..\r\n', b'x' * 70000 + b'\r\n', b' ' * 70000 + b'x\r\n',
          b'\r\n' * 40000 + b'end\r\n', b'line of text\r\n' * 10000]


class Key:
    def __init__(self, kind, directory):
        self.file = directory / f'{kind}.private'
        self.kind = kind
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        if kind == 'ed25519':
            key = ed25519.Ed25519PrivateKey.generate()
            self.private = base64.b64encode(key.private_bytes(
                serialization.Encoding.Raw, serialization.PrivateFormat.Raw,
                serialization.NoEncryption()))
            public = key.public_key().public_bytes(*raw)
            self.pem = key.private_bytes(serialization.Encoding.PEM,
                                         serialization.PrivateFormat.PKCS8,
                                         serialization.NoEncryption())
        else:
            key = rsa.generate_private_key(65537, 2048)
            self.private = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption())
            public = key.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
            self.pem = self.private
        self.file.write_bytes(self.private)
        self.record = f'v=DKIM1; k={kind}; p={base64.b64encode(public).decode()}'
        self.records = directory / f'{kind}.records'
        self.records.write_text(f'{NAME} {self.record}\n')

    def dns(self, name, timeout=5):
        return self.record.encode() if name.rstrip(b'.') == NAME.encode() else b''


@pytest.fixture(scope='module', params=['rsa', 'ed25519'])
def key(request, tmp_path_factory):
    return Key(request.param, tmp_path_factory.mktemp('keys'))


def run(message, *arguments):
    done = subprocess.run([TOOL, *arguments], input=message, stdout=subprocess.PIPE, check=True,
                          timeout=60)
    return done.stdout


def we_sign(message, key):
    return run(message, 'sign', key.file, DOMAIN, SELECTOR) + message


def we_verify(message, key):
    return [line.split()[0] for line in run(message, 'verify', key.records).decode().splitlines()]


def they_sign(message, key, canonicalize=(b'relaxed', b'relaxed'), **more):
    algorithm = b'ed25519-sha256' if key.kind == 'ed25519' else b'rsa-sha256'
    return dkim.sign(message, SELECTOR.encode(), DOMAIN.encode(), key.private,
                     canonicalize=canonicalize, signature_algorithm=algorithm, **more) + message


def they_verify(message, key):
    try:
        return dkim.verify(message, dnsfunc=key.dns)
    except dkim.DKIMException:
        return False


def messages():
    chance = random.Random(6376)
    for number, body in enumerate(BODIES):
        chosen = [HEADERS[0]] + chance.sample(HEADERS[1:], number % len(HEADERS))
        chance.shuffle(chosen)
        yield b'\r\n'.join(chosen) + b'\r\n\r\n' + body


def small_messages():
    return [message for message in messages() if len(message) < 2000]


def test_they_verify_what_we_sign(key):
    for message in messages():
        assert they_verify(we_sign(message, key), key), message[:300]


def test_we_verify_what_they_sign(key):
    for canonicalize in [(a, b) for a in (b'simple', b'relaxed') for b in (b'simple', b'relaxed')]:
        for message in messages() if canonicalize[0] != canonicalize[1] else small_messages():
            signed = they_sign(message, key, canonicalize)
            assert we_verify(signed, key) == ['pass'], (canonicalize, message[:300])


def test_a_length_that_covers_everything_is_accepted_and_another_is_not(key):
    message = HEADERS[0] + b'\r\n\r\nHi.\r\n'
    signed = they_sign(message, key, length=True)
    assert we_verify(signed, key) == ['pass']
    assert they_verify(signed + b'More.\r\n', key)
    assert we_verify(signed + b'More.\r\n', key) == ['policy']


def change(message, chance):
    """One of the things that happen to mail, or that somebody does to it."""
    at = chance.randrange(len(message))
    kind = chance.randrange(6)
    if kind == 0:
        return message[:at] + bytes([chance.randrange(256)]) + message[at + 1:]
    if kind == 1:
        return message[:at] + b' ' + message[at:]
    if kind == 2:
        return message + chance.choice([b'\r\n', b'\r\n\r\n', b'x\r\n'])
    if kind == 3:
        return b'Received: from elsewhere\r\n' + message
    if kind == 4:
        return message.replace(b'\r\n\r\n', b'\r\n' + chance.choice(HEADERS) + b'\r\n\r\n', 1)
    return message.replace(b': ', b':  ', 1)


# Where we differ on purpose or they are wrong; the message was altered anyway.
def is_known_difference(message):
    field = re.search(rb'(?is)dkim-signature\s*:(.*?)\r\n(?![ \t])', message)
    header = message.split(b'\r\n\r\n', 1)[0]
    return (
        # They read header lines that are no fields, and lone CR or LF, in another way.
        re.search(rb'\r(?!\n)|(?<!\r)\n', header)
        or not field
        # They take b= and bh= with bytes in them that are no base64, or a field name with a space.
        or re.search(rb'[^\x21-\x7e \t\r\n]', field.group(1))
        or any(not re.match(rb'[!-9;-~]+:', line)
               for line in re.sub(rb'\r\n[ \t]+', b' ', header).split(b'\r\n'))
        or re.search(rb'(?is)\bbh?\s*=[^;]*[^A-Za-z0-9+/=\s;]', field.group(1)))


def test_we_agree_about_messages_that_changed(key):
    chance = random.Random(8463)
    small = small_messages()
    passed = compared = 0
    for _ in range(100):
        signer = chance.choice([we_sign, they_sign])
        changed = change(signer(chance.choice(small), key), chance)
        if is_known_difference(changed):
            continue
        ours, theirs = we_verify(changed, key) == ['pass'], they_verify(changed, key)
        assert ours == theirs, changed
        compared += 1
        passed += ours
    assert 10 < passed < compared - 10


# ARC (RFC 8617)

def seal(message, key, name=DOMAIN, result='dmarc=pass'):
    """What a server adds that got the message with this result."""
    message = f'Authentication-Results: {name}; {result} header.from=example.com\r\n'.encode() + \
        message
    return b''.join(dkim.arc_sign(message, SELECTOR.encode(), DOMAIN.encode(), key.private,
                                  name.encode())) + message


@pytest.fixture(scope='module')
def rsa_key(tmp_path_factory):
    return Key('rsa', tmp_path_factory.mktemp('arc'))


def our_chain(message, key):
    return run(message, 'arc', key.records).decode().split()[:2]


def their_chain(message, key):
    try:
        return (dkim.arc_verify(message, dnsfunc=key.dns)[0] or b'fail').decode()
    except dkim.DKIMException:
        return 'fail'


def sealed(message, key, times):
    for number in range(times):
        more = 'dmarc=pass' if number == 0 else 'arc=pass'
        message = seal(message, key, f'mx{number}.example.com', more)
    return message


def test_chains_that_they_seal_pass(rsa_key):
    for message in small_messages()[:6]:
        assert our_chain(message, rsa_key) == ['none', '0']
        for times in (1, 2, 4):
            assert our_chain(sealed(message, rsa_key, times), rsa_key) == ['pass', str(times)]


@pytest.mark.parametrize('old,new', [
    (b'cv=none', b'cv=pass'), (b'cv=pass', b'cv=none'), (b'cv=pass', b'cv=fail'),
    (b'ARC-Seal: i=1', b'ARC-Seal: i=3'), (b'ARC-Seal: i=2', b'X-Seal: i=2'),
    (b'ARC-Authentication-Results: i=1', b'ARC-Authentication-Results: i=0'),
    (b'ARC-Message-Signature: i=2', b'ARC-Message-Signature: i=1'),
    (b'dmarc=pass', b'dmarc=fail'), (b'How', b'Why'), (b'Subject:', b'Subject: Re:'),
    (b'ARC-Seal: i=1', b'ARC-Seal: i=x')])
def test_a_broken_chain_fails(rsa_key, old, new):
    message = HEADERS[0] + b'\r\nSubject: x\r\n\r\nHow are you?\r\n'
    good = sealed(message, rsa_key, 2)
    assert old in good
    assert our_chain(good, rsa_key)[0] == 'pass'
    changed = good.replace(old, new)
    assert our_chain(changed, rsa_key)[0] == their_chain(changed, rsa_key) == 'fail'


def we_seal(message, key):
    return run(message, 'seal', key.file, DOMAIN, SELECTOR, key.records) + message


def test_chains_that_we_seal_pass_with_them(rsa_key):
    for message in messages():
        for times in (1, 2) if len(message) > 2000 else (1, 2, 5):
            chain = message
            for _ in range(times):
                chain = we_seal(chain, rsa_key)
            assert our_chain(chain, rsa_key) == ['pass', str(times)]
            assert their_chain(chain, rsa_key) == 'pass', chain[:2000]


def test_we_and_they_go_on_with_each_others_chains(rsa_key):
    chain = we_sign(HEADERS[0] + b'\r\nSubject: x\r\n\r\nHow are you?\r\n', rsa_key)
    for number in range(6):
        more = 'arc=pass' if number else 'dmarc=pass'
        chain = we_seal(chain, rsa_key) if number % 2 else \
            seal(chain, rsa_key, f'mx{number}.example.com', more)
        assert our_chain(chain, rsa_key) == ['pass', str(number + 1)]
        assert their_chain(chain, rsa_key) == 'pass'


def test_a_seal_covers_the_signatures_of_the_author(rsa_key):
    chain = we_seal(we_sign(HEADERS[0] + b'\r\n\r\nHow are you?\r\n', rsa_key), rsa_key)
    assert our_chain(chain.replace(b'DKIM-Signature: v=1', b'X-Signature: v=1'),
                     rsa_key) == ['fail', '1']


def test_a_chain_has_fifty_sets_and_no_more(rsa_key):
    chain = HEADERS[0] + b'\r\n\r\n'
    for _ in range(52):
        chain = we_seal(chain, rsa_key)
    assert chain.count(b'ARC-Seal: ') == 50
    assert our_chain(chain, rsa_key) == ['pass', '50']


def test_a_chain_that_fails_gets_one_more_set_and_ends(rsa_key):
    for old, new in ((b'How', b'Why'), (b'ARC-Seal: i=1', b'X-Seal: i=1'),
                     (b'ARC-Seal: i=1', b'ARC-Seal: i=x'), (b'cv=none', b'cv=pass')):
        chain = we_seal(HEADERS[0] + b'\r\n\r\nHow are you?\r\n', rsa_key).replace(old, new)
        ended = we_seal(chain, rsa_key)
        assert ended.startswith(b'ARC-Seal: i=2; a=rsa-sha256; cv=fail;')
        assert we_seal(ended, rsa_key) == ended
