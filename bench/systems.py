"""The servers that are compared, each in a directory of its own on ports of its own.

A system has start() and stop(), ports, and a group that accounts for all of its processes. start()
returns the seconds from the start of the SMTP server to its banner.
"""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from account import make_group
from peer_config import write_dovecot, write_postfix

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'tests/protocol'))

from server import PORTS, Ports  # noqa: E402

DOMAIN = 'example.test'
HOSTNAME = 'mail.example.test'
PASSWORD = 'correct horse'
USERS = 60

left_roots = []


def remove_left_roots():
    for root in left_roots:
        shutil.rmtree(root, ignore_errors=True)


def user(number):
    return f'u{number}@{DOMAIN}'


def hashed_password():
    return subprocess.run(['openssl', 'passwd', '-6', '-salt', 'saltsaltsaltsalt', PASSWORD],
                          capture_output=True, text=True, check=True).stdout.strip()


class System:
    name = ''

    def __init__(self, directory):
        self.root = Path(tempfile.mkdtemp(prefix=f'bench-{self.name}-', dir=directory))
        self.root.chmod(0o755)
        self.group = make_group(f'posthorn-bench-{self.name}-{os.getpid()}')
        self.ports = Ports()
        self.offset = self.ports.offset
        self.tracer = []
        self.sent = Counter()       # accepted messages, by the size of their bodies

    def port(self, service):
        return PORTS[service] + self.offset

    def launch(self, *command, wait=False, **kwargs):
        """Start a program inside the group, under a tracer when one is set."""
        process = subprocess.Popen([*self.tracer, *map(str, command)], stdin=subprocess.DEVNULL,
                                   preexec_fn=self.group.enter, **kwargs)
        self.group.watch(process.pid)
        if wait and process.wait():
            raise RuntimeError(f'{command[0]} failed')
        return process

    def wait_greeting(self, service='smtp', seconds=30):
        """The time when the port gives a banner."""
        begin = time.monotonic()
        while time.monotonic() - begin < seconds:
            try:
                with socket.create_connection(('127.0.0.1', self.port(service)), 1) as s:
                    s.settimeout(10)
                    if s.recv(100):
                        return time.monotonic()
            except OSError:
                time.sleep(0.001)
        raise RuntimeError(f'{self.name}: no banner on {service}')

    def wait_calm(self, seconds=300):
        """Until nothing is left to be done in the background."""
        end, before = time.monotonic() + seconds, self.group.cpu()
        while time.monotonic() < end:
            time.sleep(1)
            now = self.group.cpu()
            if now - before < 0.02:
                return
            before = now
        raise RuntimeError(f'{self.name} is never idle')

    def start_postfix(self, output):
        """The time when its master began. What `postfix start` checks before takes two seconds, and
        is not counted."""
        config = self.root / 'postfix'
        subprocess.run(['postfix', '-c', config, 'check'], check=True, stdout=output,
                       stderr=output)
        begin = time.monotonic()
        self.launch('/usr/lib/postfix/sbin/master', '-c', config, '-w', stdout=output,
                    stderr=output)
        return begin

    def stop_postfix(self):
        subprocess.run(['postfix', '-c', self.root / 'postfix', 'stop'], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def wait_end(self, seconds=10):
        """Until all processes have ended, or are made to."""
        end = time.monotonic() + seconds
        while self.group.pids() and time.monotonic() < end:
            time.sleep(0.1)
        self.kill_left()

    def kill_left(self):
        for pid in self.group.pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass

    def remove(self):
        """All but the files: ext4 looks at every inode that was deleted within the last minutes
        before it makes a new one, so that removing them now would slow down who comes next."""
        self.group.remove()
        self.ports.release()
        left_roots.append(self.root)


class Posthorn(System):
    name = 'posthorn'
    title = 'Posthorn'

    def __init__(self, directory, build):
        super().__init__(directory)
        self.build = Path(build)
        self.process = None
        config = self.root / 'tmp/docker-mailserver'
        for path in (config, self.root / 'var/mail', self.root / 'var/mail-state',
                     self.root / 'var/log/mail'):
            path.mkdir(parents=True)
        secret = hashed_password()
        (config / 'postfix-accounts.cf').write_text(
            ''.join(f'{user(n)}|{{SHA512-CRYPT}}{secret}\n' for n in range(USERS)))
        self.mail = self.root / 'var/mail'

    def environment(self):
        # The peer's greeting is not delayed either: postscreen has passed this client before.
        return {'PATH': os.environ['PATH'], 'POSTHORN_ROOT': str(self.root),
                'POSTHORN_PORT_OFFSET': str(self.offset), 'POSTHORN_LISTEN': '127.0.0.1',
                'OVERRIDE_HOSTNAME': HOSTNAME, 'POSTHORN_SMTP_GREET_DELAY': '0',
                'POSTHORN_CONNECTIONS_PER_ADDRESS': '20000',
                'POSTHORN_CONNECTIONS_PER_USER': '2000'}

    def start(self):
        begin = time.monotonic()
        with open(self.root / 'output', 'ab') as output:
            self.process = self.launch(self.build / 'posthorn', env=self.environment(),
                                       stdout=output, stderr=subprocess.STDOUT)
        return self.wait_greeting() - begin

    def stop(self):
        if self.process:
            for pid in self.group.pids() if self.tracer else [self.process.pid]:
                try:
                    os.kill(pid, signal.SIGTERM)
                except OSError:
                    pass
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                pass
            self.process = None
        self.kill_left()

    def maildir(self, number):
        return self.mail / DOMAIN / f'u{number}'


class Peer(System):
    """Postfix and Dovecot, connected by LMTP as docker-mailserver does it."""
    name = 'peer'
    title = 'Postfix + Dovecot'
    lean = False

    def __init__(self, directory):
        super().__init__(directory)
        self.mail = self.root / 'mail'
        self.mail.mkdir()
        os.chown(self.mail, 5000, 5000)
        (self.root / 'users').write_text(''.join(
            f'{user(n)}:{{SHA512-CRYPT}}{hashed_password()}:5000:5000::{self.mail}/{DOMAIN}/u{n}/'
            'home::\n' for n in range(USERS)))
        write_postfix(self)
        write_dovecot(self)

    def start(self):
        with open(self.root / 'dovecot.out', 'ab') as output:
            self.launch('dovecot', '-c', self.root / 'dovecot.conf', wait=not self.tracer,
                        stdout=output, stderr=output)
            self.wait_greeting('imap')
            begin = self.start_postfix(output)
        return self.wait_greeting() - begin

    def stop(self):
        self.stop_postfix()
        subprocess.run(['doveadm', '-c', self.root / 'dovecot.conf', 'stop'], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_end()

    def maildir(self, number):
        return self.mail / DOMAIN / f'u{number}'


class LeanPeer(Peer):
    """What somebody who tunes for speed would run: no postscreen, quota or Sieve."""
    name = 'lean'
    title = 'lean Postfix + Dovecot'
    lean = True
