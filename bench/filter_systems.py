"""Servers that check who sent a message, and what the checking alone has used."""
import os
import pwd
import time
from pathlib import Path

from filter_mail import CLIENT
from peer_config import change_postfix, write_postfix
from server import PROXIED
from systems import HOSTNAME, Posthorn, System, user

TICKS = os.sysconf('SC_CLK_TCK')
PROXY = f'PROXY TCP4 {CLIENT} 127.0.0.1 40000 25\r\n'.encode()


def used(pids):
    """Seconds of CPU of processes that are still there."""
    total = 0
    for pid in pids:
        stat = Path(f'/proc/{pid}/stat').read_text(encoding='ascii').rsplit(')', 1)[1].split()
        total += int(stat[11]) + int(stat[12])
    return total / TICKS


def named(pids, *words):
    """Those with one of the words in their command lines."""
    return [pid for pid in pids
            if any(w in Path(f'/proc/{pid}/cmdline').read_text(encoding='utf8') for w in words)]


class Checking:
    checkers = ()

    def checkers_pids(self):
        return named(self.group.pids(), *self.checkers)

    def checking(self):
        """Seconds of CPU that the programs which check have used."""
        return used(self.checkers_pids())


class FilterPosthorn(Checking, Posthorn):
    checkers = ('posthorn-filter', 'posthorn-resolver')

    def environment(self):
        return {**super().environment(), 'POSTHORN_DNS': '127.0.0.1:53',
                'POSTHORN_DNS_DNSSEC': 'off', 'POSTHORN_PROXY_PROTOCOL': '1',
                'POSTHORN_PROXY_TRUSTED_NETWORKS': '127.0.0.1/32', 'ENABLE_OPENDKIM': '1',
                'ENABLE_OPENDMARC': '1', 'ENABLE_POLICYD_SPF': '1', 'PERMIT_DOCKER': 'container',
                'POSTFIX_MESSAGE_SIZE_LIMIT': '50000000',
                'POSTHORN_USER_RECIPIENTS_PER_HOUR': '0'}

    def smtp_port(self):
        """The port where PROXY is spoken."""
        return PROXIED['smtp'] + self.offset

    def messages(self, number):
        return sorted(p for d in ('new', 'cur')
                      for p in (self.maildir(number) / d).glob('*'))


OPENDKIM = '''\
Mode v
Socket local:{root}/run/opendkim.sock
Nameservers 127.0.0.1
AuthservID {hostname}
UserID opendkim
UMask 000
Syslog no
'''
OPENDMARC = '''\
Socket local:{root}/run/opendmarc.sock
AuthservID {hostname}
TrustedAuthservIDs {hostname}
RejectFailures true
SPFIgnoreResults false
SPFSelfValidate false
UserID opendmarc
UMask 000
Syslog no
'''
POLICYD = '''\
debugLevel = 0
TestOnly = 1
HELO_reject = Fail
Mail_From_reject = Fail
PermError_reject = False
TempError_Defer = False
skip_addresses = 127.0.0.0/8,::ffff:127.0.0.0/104,::1
'''
MAIN = '''\
smtpd_upstream_proxy_protocol = haproxy
smtpd_recipient_restrictions = reject_unauth_destination, check_policy_service unix:private/spf
smtpd_milters = unix:{root}/run/opendkim.sock unix:{root}/run/opendmarc.sock
milter_default_action = tempfail
virtual_transport = virtual
virtual_mailbox_base = {mail}
virtual_uid_maps = static:5000
virtual_gid_maps = static:5000
message_size_limit = 50000000
virtual_mailbox_limit = 0
'''


class Milters(Checking, System):
    """Postfix with the three programs that docker-mailserver has beside it."""
    name = 'milters'
    title = 'OpenDKIM + OpenDMARC + policyd-spf'
    lean = True
    checkers = ('opendkim', 'opendmarc', 'policyd-spf')

    def __init__(self, directory):
        super().__init__(directory)
        self.mail = self.root / 'mail'
        (self.root / 'run').mkdir()
        (self.root / 'run').chmod(0o777)
        (self.mail / 'box').mkdir(parents=True)
        for path in (self.mail, self.mail / 'box'):
            os.chown(path, 5000, 5000)
        write_postfix(self)
        values = {'root': self.root, 'mail': self.mail, 'hostname': HOSTNAME}
        for name, text in (('opendkim.conf', OPENDKIM), ('opendmarc.conf', OPENDMARC),
                           ('policyd-spf.conf', POLICYD)):
            (self.root / name).write_text(text.format(**values))
        config = self.root / 'postfix'
        change_postfix(self, MAIN.format(**values))
        with open(config / 'master.cf', 'a', encoding='ascii') as f:
            f.write('spf unix - n n - 0 spawn user=policyd-spf '
                    f'argv=/usr/bin/policyd-spf {self.root}/policyd-spf.conf\n')
        (self.root / 'vmailbox').write_text(f'{user(0)} box/\n')

    def start(self):
        with open(self.root / 'output', 'ab') as output:
            quiet = {'stdout': output, 'stderr': output}
            self.launch('opendkim', '-f', '-x', self.root / 'opendkim.conf', **quiet)
            self.launch('opendmarc', '-f', '-c', self.root / 'opendmarc.conf', **quiet)
            for name in ('opendkim', 'opendmarc'):
                self._wait_socket(name)
            self.start_postfix(output)

    def _wait_socket(self, name):
        for _ in range(500):
            if (self.root / f'run/{name}.sock').exists():
                return
            time.sleep(0.02)
        raise RuntimeError(f'{name} does not start: see {self.root}/output')

    def stop(self):
        self.stop_postfix()
        self.kill_left()

    def smtp_port(self):
        return self.port('smtp')

    def messages(self, _number):
        return sorted((self.mail / 'box/new').glob('*'))


def have_users():
    """The accounts that Debian's packages make for the milters."""
    for name in ('opendkim', 'opendmarc', 'policyd-spf'):
        pwd.getpwnam(name)
