"""A client that sends exactly the bytes it is told to; helpers around Python's mail libraries."""
import base64
import imaplib
import poplib
import re
import smtplib
import socket
import ssl
from dataclasses import dataclass

from server import PASSWORD, SLOW

TIMEOUT = 20 * SLOW
# A client that is not on the server's own address, as far as one machine can show that.
ELSEWHERE = '127.0.0.2'


def insecure_tls(minimum=None, maximum=None):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if minimum:
        context.minimum_version = minimum
    if maximum:
        context.maximum_version = maximum
    return context


@dataclass
class Reply:
    """An SMTP reply."""
    code: int
    lines: list

    @property
    def text(self):
        return '\n'.join(self.lines)

    def __str__(self):
        return f'{self.code} {self.text}'


class Wire:
    """A connection to a line protocol."""

    def __init__(self, server, service, tls=False, greet=True, source=None, proxy=None,
                 port=None):
        """`proxy` is the header to send first, on the port for proxies."""
        port = port or server.port(service, proxied=proxy is not None)
        self.socket = socket.create_connection(('127.0.0.1', port), TIMEOUT,
                                               source_address=source and (source, 0))
        self.file = None
        self._open_file()
        self.send(proxy or b'')
        if tls:
            self.start_tls_now()
        self.greeting = self.reply() if greet and 's' == service[0] else None

    def _open_file(self):
        self.file = self.socket.makefile('rb')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self.file.close()
            self.socket.close()
        except OSError:
            pass

    def start_tls_now(self, context=None):
        self.socket = (context or insecure_tls()).wrap_socket(self.socket,
                                                              server_hostname='mail.example.test')
        self._open_file()

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def line(self):
        """The next line without its end; '' at the end of the connection."""
        line = self.file.readline()
        if line and not line.endswith(b'\r\n'):
            raise AssertionError(f'a line without CRLF: {line!r}')
        return line[:-2].decode('utf-8', 'replace')

    def at_end(self):
        """Does the server close, without a further byte?"""
        try:
            return self.file.read(1) == b''
        except (ConnectionError, ssl.SSLError):
            return True

    # SMTP

    def reply(self):
        lines = []
        while True:
            line = self.line()
            match = re.fullmatch(r'(\d{3})([- ])(.*)|(\d{3})', line)
            if not match:
                raise AssertionError(f'not a reply: {line!r} after {lines}')
            lines.append(match.group(3) or '')
            if match.group(2) != '-':
                return Reply(int(line[:3]), lines)

    def cmd(self, text):
        self.send((text.encode() if isinstance(text, str) else text) + b'\r\n')
        return self.reply()

    def expect(self, text, *codes):
        reply = self.cmd(text)
        assert reply.code in codes, f'{text!r} gave {reply}, expected {codes}'
        return reply

    def ehlo(self, name='client.example.org'):
        return self.expect(f'EHLO {name}', 250)

    def starttls(self):
        self.expect('STARTTLS', 220)
        self.start_tls_now()

    def login(self, user, password=PASSWORD):
        return self.expect('AUTH PLAIN ' + plain(user, password), 235)

    def mail(self, sender='sender@example.org', *rcpts, params=''):
        self.expect(f'MAIL FROM:<{sender}>{params}', 250)
        for rcpt in rcpts:
            self.expect(f'RCPT TO:<{rcpt}>', 250)

    def data(self, body):
        """Send a body that is complete and stuffed, and its end."""
        self.expect('DATA', 354)
        self.send(body if isinstance(body, bytes) else body.encode())
        return self.cmd('.')


def plain(user, password=PASSWORD, authzid=''):
    return base64.b64encode(f'{authzid}\0{user}\0{password}'.encode()).decode()


def b64(text):
    return base64.b64encode(text.encode()).decode()


def message(subject='test', body='hello\r\n', **headers):
    """A message with CRLF, as bytes."""
    fields = {'From': 'sender@example.org', 'To': 'user@example.test', 'Subject': subject,
              'Date': 'Tue, 02 Jan 2024 10:00:00 +0000', 'Message-ID': f'<{subject}@example.org>',
              **{k.replace('_', '-'): v for k, v in headers.items()}}
    head = ''.join(f'{name}: {value}\r\n' for name, value in fields.items())
    return (head + '\r\n' + body).encode()


def deliver(server, rcpt, *messages, sender='sender@example.org'):
    """Send messages through port 25 in one session."""
    with smtplib.SMTP('127.0.0.1', server.port('smtp'), timeout=TIMEOUT) as client:
        for each in messages:
            client.sendmail(sender, rcpt, each)


def imap(server, user, password=PASSWORD, select='INBOX'):
    """A logged-in imaplib client."""
    client = imaplib.IMAP4_SSL('127.0.0.1', server.port('imaps'), ssl_context=insecure_tls(),
                               timeout=TIMEOUT)
    client.login(user, password)
    if select:
        status, text = client.select(select)
        assert status == 'OK', text
    return client


def pop3(server, user, password=PASSWORD):
    client = poplib.POP3_SSL('127.0.0.1', server.port('pop3s'), context=insecure_tls(),
                             timeout=TIMEOUT)
    client.user(user)
    client.pass_(password)
    return client


def fetch_all(server, user, password=PASSWORD):
    """The bodies of all messages in the inbox."""
    client = imap(server, user, password)
    try:
        bodies = []
        _, found = client.search(None, 'ALL')
        for number in found[0].split():
            _, data = client.fetch(number.decode(), '(BODY.PEEK[])')
            bodies.append(data[0][1])
        return bodies
    finally:
        client.logout()
