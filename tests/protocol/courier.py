"""A courier of one's own, between a resolver that says what the test wants and whatever listens.

The process is build/tests/sim/courier/courier_probe, which plays the queue and the resolver.
"""
import os
import socket
import subprocess
import tempfile
from collections import namedtuple
from pathlib import Path

from server import ASAN_OPTIONS, BUILD, HOSTNAME, SANITIZER, SLOW

Result = namedtuple('Result', 'outcome status text')
OUTCOMES = ('sent', 'later', 'refused')
TROUBLES = ('fine', 'busy', 'unreachable')
SMTPUTF8, EIGHT_BIT, BINARY, RET_FULL, RET_HDRS, REQUIRETLS, TLS_OPTIONAL = (
    1 << n for n in range(7))
NEVER, SUCCESS, FAILURE, DELAY = (1 << n for n in range(4))
MESSAGE = b'Subject: test\r\n\r\nText of the test.\r\n'


class Attempt:
    """What came of a message."""

    def __init__(self, results, relay, tls, trouble, dsn):
        self.results = [Result(OUTCOMES[int(r[0])], *r[1:]) for r in results]
        self.relay, self.tls = relay, tls
        self.trouble, self.dsn = TROUBLES[int(trouble)], dsn == '1'

    @property
    def only(self):
        assert len(self.results) == 1
        return self.results[0]

    def __repr__(self):
        return f'<Attempt {self.results} {self.relay} {self.tls} {self.trouble}>'


class Courier:
    """`zone` is lines of "name type flag data", see courier_probe.c."""

    def __init__(self, zone='', env=None, root=None):
        self.made = tempfile.TemporaryDirectory(prefix='posthorn-courier-')
        self.root = Path(root or self.made.name)
        self.zone = self.root / 'zone'
        self.set_zone(zone)
        for directory in ('tmp/docker-mailserver', 'var/mail-state', 'var/log/mail'):
            (self.root / directory).mkdir(parents=True, exist_ok=True)
        self.config = self.root / 'tmp/docker-mailserver'
        ours, theirs = socket.socketpair()
        keep = {k: v for k, v in os.environ.items() if k in ('PATH', 'HOME', 'UBSAN_OPTIONS')}
        self.errors = open(self.root / 'stderr', 'w+', encoding='utf-8')
        self.process = subprocess.Popen(
            [BUILD / 'tests/sim/courier/courier_probe', self.zone], stdin=theirs,
            stderr=self.errors, env={**keep, 'ASAN_OPTIONS': ASAN_OPTIONS,
                                     'POSTHORN_ROOT': str(self.root),
                                     'OVERRIDE_HOSTNAME': HOSTNAME, **(env or {})})
        theirs.close()
        ours.settimeout(60 * SLOW)
        self.socket, self.file = ours, ours.makefile('rb')
        self.count = 0

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.socket.shutdown(socket.SHUT_WR)
        try:
            code = self.process.wait(20 * SLOW)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.file.close()
        self.socket.close()
        text = self.log()
        self.errors.close()
        self.made.cleanup()
        assert not SANITIZER.search(text), text[-5000:]
        if kind is None:
            assert code == 0, text[-3000:]

    def set_zone(self, zone):
        self.zone.write_text('\n'.join(line.strip() for line in zone.strip().split('\n')) + '\n')

    def results(self):
        """What is kept for reports about TLS, line by line."""
        path = self.root / 'var/mail-state/courier/tls-results'
        return path.read_text().splitlines() if path.exists() else []

    def log(self):
        return (self.root / 'stderr').read_text(errors='replace')

    def begin(self, nexthop, recipients, message=MESSAGE, sender='a@example.test', flags=0,
              envid='', beside=False):
        """Hand a message over without waiting."""
        self.count += 1
        path = self.root / f'message{self.count}'
        path.write_bytes(message)
        fields = [nexthop, sender, str(flags), envid, str(path), *recipients]
        self.socket.sendall(('&' * beside + '\t'.join(fields) + '\n').encode())

    def answer(self):
        results = []
        while True:
            line = self.file.readline().decode()
            assert line.endswith('\n'), 'the courier is gone:\n' + self.log()[-5000:]
            kind, *rest = line.rstrip('\n').split('\t')
            assert kind != '!', rest
            if kind == '=':
                return Attempt(results, *rest)
            results.append((kind, *rest))

    def send(self, nexthop, *recipients, **kwargs):
        """Attempt: to each of these recipients at the next hop, and wait."""
        self.begin(nexthop, recipients or ['b@example.org'], **kwargs)
        return self.answer()
