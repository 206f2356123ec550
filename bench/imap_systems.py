"""The servers whose IMAP is compared."""
import os
import re
import subprocess
import time
from pathlib import Path

from peer_config import imap_dovecot
from systems import DOMAIN, USERS, Posthorn, System, hashed_password, user

OWNER = 5000


class ImapPosthorn(Posthorn):
    owner = 0
    index = True

    def environment(self):
        return {**super().environment(), 'ENABLE_POP3': '1',
                'POSTHORN_CONNECTIONS_PER_USER': '20000',
                'POSTHORN_SEARCH_INDEX': '1' if self.index else '0'}

    def start(self, index=True):
        self.index = index
        super().start()
        self.wait_greeting('imap')

    def wait_indexed(self, numbers, seconds=1800):
        """Until the text of all mail is in the index; the log says so. Returns the seconds."""
        begin, log = time.monotonic(), self.root / 'var/log/mail/mail.log'
        while time.monotonic() - begin < seconds:
            found = dict(re.findall(r'\((u\d+)@[^)]*\): (\d+ of \d+) messages are in',
                                    log.read_text(errors='replace')))
            done = [name for name, text in found.items() if len(set(text.split(' of '))) == 1]
            if {f'u{n}' for n in numbers} <= set(done):
                return time.monotonic() - begin
            time.sleep(0.5)
        raise RuntimeError('the full-text index is not finished')


class ImapDovecot(System):
    """Dovecot as docker-mailserver configures it."""
    name = 'dovecot'
    title = 'Dovecot'
    tuned = False
    owner = OWNER

    def __init__(self, directory):
        super().__init__(directory)
        self.mail = self.root / 'mail'
        (self.mail / DOMAIN).mkdir(parents=True)
        for path in (self.mail, self.mail / DOMAIN):
            os.chown(path, OWNER, OWNER)
        (self.root / 'users').write_text(''.join(
            f'{user(n)}:{{SHA512-CRYPT}}{hashed_password()}:{OWNER}:{OWNER}::{self.mail}/{DOMAIN}/'
            f'u{n}/home::\n' for n in range(USERS)))
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                        'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30', '-subj',
                        '/CN=mail.example.test', '-keyout', self.root / 'key.pem', '-out',
                        self.root / 'cert.pem'], check=True, capture_output=True)
        imap_dovecot(self)

    def start(self, index=False):
        with open(self.root / 'dovecot.out', 'ab') as output:
            self.launch('dovecot', '-c', self.root / 'dovecot.conf', wait=True, stdout=output,
                        stderr=output)
        self.wait_greeting('imap')

    def stop(self):
        subprocess.run(['doveadm', '-c', self.root / 'dovecot.conf', 'stop'], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while self.group.pids() and time.monotonic() < end:
            time.sleep(0.1)
        self.kill_left()

    def maildir(self, number):
        return self.mail / DOMAIN / f'u{number}'

    def wait_indexed(self, numbers):
        return 0


class TunedDovecot(ImapDovecot):
    """With its limits raised and its login processes reused."""
    name = 'tuned'
    title = 'tuned Dovecot'
    tuned = True


def drop_page_cache():
    os.sync()
    Path('/proc/sys/vm/drop_caches').write_text('3')
