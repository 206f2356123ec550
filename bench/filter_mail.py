"""Mail of strangers who can prove who they are, and the DNS that knows it."""
import base64
import sys
from pathlib import Path

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'tests/protocol'))

CLIENT = '192.0.2.7'
SENDERS = [f'sender{n}.example' for n in range(20)]
SEALER = 'sealer.example'
OURS = 'example.test'
LINE = b'A line of seventy-two characters, as it stands in messages to somebody.\r\n'


def make_rsa():
    """The private key as PEM, the record."""
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                            serialization.NoEncryption())
    public = base64.b64encode(key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).decode()
    return pem, f'v=DKIM1; k=rsa; p={public}'


def make_ed25519():
    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                            serialization.NoEncryption())
    raw = key.public_key().public_bytes(serialization.Encoding.Raw,
                                        serialization.PublicFormat.Raw)
    return pem, f'v=DKIM1; k=ed25519; p={base64.b64encode(raw).decode()}'


def txt(name, text):
    return f'{name} TXT ' + ' '.join(f'"{text[i:i + 200]}"' for i in range(0, len(text), 200))


class Senders:
    """Each has a key of its own; all mail comes from one address and was sealed by one server."""

    def __init__(self):
        self.keys = {name: make_rsa() for name in (*SENDERS, SEALER)}
        self.zones = {name: [txt('@', f'v=spf1 ip4:{CLIENT} -all'), f'@ A {CLIENT}',
                             txt('_dmarc', 'v=DMARC1; p=reject'),
                             txt('mail._domainkey', record)]
                      for name, (_, record) in self.keys.items()}
        # policyd-spf also asks about the name in EHLO.
        self.zones['client.example'] = [txt('@', f'v=spf1 ip4:{CLIENT} -all'), f'@ A {CLIENT}']

    def message(self, sender, size, sealed):
        text = (f'From: A <a@{sender}>\r\nTo: u0@{OURS}\r\nSubject: the news of today\r\n'
                f'Date: Thu, 26 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{size}@{sender}>\r\n'
                'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n').encode()
        text += LINE * ((size - len(text)) // len(LINE))
        text = self._sign(text, sender)
        return self._seal(text, sender) if sealed else text

    def _sign(self, text, sender):
        return dkim.sign(text, b'mail', sender.encode(), self.keys[sender][0],
                         canonicalize=(b'relaxed', b'relaxed')) + text

    def _seal(self, text, sender):
        found = (f'Authentication-Results: {SEALER}; spf=pass smtp.mailfrom={sender};\r\n'
                 f'\tdkim=pass header.d={sender}; dmarc=pass header.from={sender}\r\n').encode()
        lines = dkim.arc_sign(found + text, b'mail', SEALER.encode(), self.keys[SEALER][0],
                              SEALER.encode(), timestamp='1790000000')
        return b''.join(lines) + text
