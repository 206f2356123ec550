"""DKIM beside OpenDKIM, in its test mode: a third opinion on what we sign and on what we accept."""
import random
import re
import subprocess

import pytest
from test_dkim import DOMAIN, SELECTOR, Key, change, is_known_difference, messages, \
    small_messages, we_sign, we_verify


class OpenDkim:
    def __init__(self, key, directory):
        self.key, self.directory = key, directory
        self.message = directory / 'message'

    def run(self, message, *lines):
        """What it says of a message, or does with it."""
        conf = self.directory / 'opendkim.conf'
        conf.write_text('\n'.join(('RequireSafeKeys no', *lines)) + '\n')
        self.message.write_bytes(message)
        return subprocess.run(['opendkim', '-x', conf, '-vvvv', '-t', self.message],
                              capture_output=True, text=True, timeout=60, check=False).stdout

    def verifies(self, message):
        said = self.run(message, 'Mode v', f'TestPublicKeys {self.key.records}')
        return bool(re.search(r'verification \(.*\) succeeded', said))

    def sign(self, message, canonicalization):
        pem = self.directory / 'pem'
        pem.write_bytes(self.key.pem)
        said = self.run(message, 'Mode s', f'Domain {DOMAIN}', f'Selector {SELECTOR}',
                        f'KeyFile {pem}', f'Canonicalization {canonicalization}',
                        f'SignatureAlgorithm {self.key.kind}-sha256')
        value = re.search(r"hname='DKIM-Signature' hvalue='([^']*)'", said).group(1)
        return b'DKIM-Signature: ' + value.replace('\n', '\r\n').encode() + b'\r\n' + message


@pytest.fixture(scope='module', params=['rsa', 'ed25519'])
def them(request, tmp_path_factory):
    key = Key(request.param, tmp_path_factory.mktemp('keys'))
    return OpenDkim(key, tmp_path_factory.mktemp('opendkim'))


def complete(texts):
    """In its test mode it reads lines, and an end without one is none."""
    return [text for text in texts if text.endswith(b'\r\n')]


def test_opendkim_verifies_what_we_sign(them):
    for message in complete(messages()):
        assert them.verifies(we_sign(message, them.key)), message[:300]


# Simple headers are not among them: its test mode forgets the blanks behind a colon.
@pytest.mark.parametrize('canonicalization', ['relaxed/relaxed', 'relaxed/simple'])
def test_we_verify_what_opendkim_signs(them, canonicalization):
    for message in complete(small_messages()):
        signed = them.sign(message, canonicalization)
        assert we_verify(signed, them.key) == ['pass'], message[:300]


def test_we_agree_about_messages_that_changed(them):
    chance = random.Random(2110)
    small = complete(small_messages())
    passed = compared = 0
    for _ in range(60):
        message = chance.choice(small)
        signed = we_sign(message, them.key) if chance.random() < 0.5 else \
            them.sign(message, 'relaxed/relaxed')
        changed = change(signed, chance)
        if is_known_difference(changed) or not changed.endswith(b'\r\n'):
            continue
        ours, theirs = we_verify(changed, them.key) == ['pass'], them.verifies(changed)
        assert ours == theirs, changed
        compared += 1
        passed += ours
    assert 5 < passed < compared - 5
