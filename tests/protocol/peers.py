"""Debian's Postfix and Exim as the other side, each in a directory of its own, on a free port.

    with Postfix(smarthost=server.port('smtp')) as postfix:
        ...
        postfix.wait_stored()
        stripped(postfix.files()[0].read_bytes())

Both take mail for @elsewhere.example, for anybody but `nobody`, into one Maildir; everything else,
their reports too, goes to `smarthost`. It raises Missing where the program is not to be had.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from server import SLOW, wait_until

DOMAIN = 'elsewhere.example'
POSTFIX_DAEMONS = Path('/usr/lib/postfix/sbin')
NOBODY = 65534
# What a delivery adds above what came over SMTP, and what a hop adds.
ADDED = re.compile(rb'(?:(?:Return-Path|X-Original-To|Delivered-To|Envelope-To|Delivery-Date|'
                   rb'Received): [^\n]*\n(?:[ \t][^\n]*\n)*)*', re.I)


def stripped(data):
    """A message of a Maildir as it came over SMTP: CRLF, without what was put on top."""
    return data[ADDED.match(data).end():].replace(b'\n', b'\r\n')


class Missing(Exception):
    """This program is not installed and cannot be fetched."""


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Peer:
    """What both have in common."""

    def __init__(self, smarthost=0, certificate=None):
        # Not below the directory of pytest, which any other pytest closes to other users.
        self.root = Path(tempfile.mkdtemp(prefix='posthorn-peer-'))
        self.root.chmod(0o755)
        self.mail = self.root / 'mail'
        self.smarthost, self.certificate = smarthost, certificate
        self.port = free_port()
        self.process = None

    def __enter__(self):
        try:
            self.configure()
            self.launch()
        except BaseException:
            self.remove()
            raise
        return self

    def launch(self):
        self.process = self.start()
        wait_until(self._greets, 20, what='a greeting')

    def __exit__(self, *_):
        self.end()
        self.remove()

    def remove(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10 * SLOW)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def configure(self):
        raise NotImplementedError

    def start(self):
        raise NotImplementedError

    def _greets(self):
        assert self.process.poll() is None, self.log()
        try:
            with socket.create_connection(('127.0.0.1', self.port), 1) as s:
                s.settimeout(2)
                return s.recv(100).startswith(b'220')
        except OSError:
            return False

    def log(self):
        return ''.join(p.read_text(errors='replace') for p in sorted(self.root.glob('*.log')))

    def files(self):
        return sorted(self.mail.glob('**/new/*'))

    def wait_stored(self, count=1, seconds=20):
        try:
            wait_until(lambda: len(self.files()) >= count, seconds, what=f'{count} messages')
        except AssertionError as e:
            raise AssertionError(f'{e}\n{self.log()[-3000:]}') from None


POSTFIX_MASTER = '''\
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
'''

POSTFIX_MAIN = '''\
compatibility_level = 3.6
queue_directory = {root}/spool
data_directory = {root}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {root}/mail.log
maillog_file_prefixes = {root}
myhostname = postfix.{domain}
mydestination = localhost
mynetworks =
inet_protocols = ipv4
inet_interfaces = 127.0.0.1
append_dot_mydomain = no
message_size_limit = 40000000
virtual_mailbox_limit = 0
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {root}/mail
virtual_mailbox_maps = regexp:{root}/mailboxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{uid}
virtual_minimum_uid = 1
relayhost = {relayhost}
minimal_backoff_time = 1s
queue_run_delay = 1s
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_recipient_restrictions =
smtpd_client_event_limit_exceptions = 127.0.0.0/8
smtpd_forbid_unauth_pipelining = no
'''


class Postfix(Peer):
    """`settings` are lines of main.cf, later ones hold."""

    def __init__(self, settings=(), **kwargs):
        super().__init__(**kwargs)
        self.settings = list(settings)
        if self.certificate:
            self.settings += [f'smtpd_tls_cert_file = {self.certificate.file}',
                              f'smtpd_tls_key_file = {self.certificate.key}',
                              'smtpd_tls_security_level = may', 'smtpd_tls_loglevel = 1']

    def configure(self):
        if os.geteuid() != 0 or not (POSTFIX_DAEMONS / 'master').exists():
            raise Missing('Postfix is not installed, or this is not root')
        config = self.root / 'postfix'
        for path in (config, self.root / 'spool', self.root / 'data', self.mail):
            path.mkdir()
        shutil.chown(self.root / 'data', 'postfix')
        os.chown(self.mail, NOBODY, NOBODY)
        relayhost = f'[127.0.0.1]:{self.smarthost}' if self.smarthost else ''
        (config / 'main.cf').write_text(POSTFIX_MAIN.format(
            root=self.root, domain=DOMAIN, daemons=POSTFIX_DAEMONS, uid=NOBODY,
            relayhost=relayhost) + '\n'.join(self.settings) + '\n')
        (config / 'master.cf').write_text(POSTFIX_MASTER.format(port=self.port))
        (self.root / 'mailboxes').write_text('!/^nobody@/ all/\n')
        self.run('postfix', 'check')

    def start(self):
        with open(self.root / 'output', 'ab') as output:
            return subprocess.Popen(
                [POSTFIX_DAEMONS / 'master', '-c', self.root / 'postfix', '-d'], stdout=output,
                stderr=output, cwd='/', stdin=subprocess.DEVNULL, start_new_session=True)

    def run(self, program, *args, **kwargs):
        return subprocess.run([f'/usr/sbin/{program}', '-c', self.root / 'postfix', *args],
                              check=True, capture_output=True, timeout=60 * SLOW, **kwargs)


EXIM_CONFIG = '''\
exim_path = {program}
keep_environment = LD_PRELOAD : NSS_WRAPPER_PASSWD : NSS_WRAPPER_GROUP
primary_hostname = exim.{domain}
spool_directory = {root}/spool
log_file_path = {root}/exim-%s.log
pid_file_path = {root}/pid
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
tls_advertise_hosts = {tls}
{certificate}
smtp_accept_queue_per_connection = 0
host_lookup =
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
{settings}
begin acl
rcpt:
  deny local_parts = nobody
       message = no such user
  accept domains = {domain}
  deny message = relay not permitted
begin routers
here:
  driver = accept
  domains = {domain}
  transport = maildir
elsewhere:
  driver = manualroute
  route_list = * 127.0.0.1
  transport = smarthost
  self = send
begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = {root}/mail
  create_directory
  delivery_date_add
  envelope_to_add
  return_path_add
  user = {user}
smarthost:
  driver = smtp
  port = {smarthost}
  allow_localhost
begin retry
* * F,1h,2s
'''
EXIM_USER = 'Debian-exim'
EXIM_SETTINGS = ['dsn_advertise_hosts = *', 'smtputf8_advertise_hosts = *',
                 'message_size_limit = 40M']


class Exim(Peer):
    """Its package excludes that of Postfix, so it is unpacked aside: `programs` is where to.
    The user that it wants to find in the passwd file is made up with libnss_wrapper."""

    def __init__(self, programs, settings=(), **kwargs):
        super().__init__(**kwargs)
        self.programs = Path(programs)
        # Exim takes no setting twice.
        named = {line.split()[0] for line in settings}
        self.settings = [*settings, *(x for x in EXIM_SETTINGS if x.split()[0] not in named)]

    @staticmethod
    def fetch(programs):
        """Unpack the packages below this directory."""
        try:
            subprocess.run(['apt-get', '-q', 'download', 'exim4-daemon-light', 'libnss-wrapper'],
                           cwd=programs, check=True, capture_output=True, timeout=60)
            for package in programs.glob('*.deb'):
                subprocess.run(['dpkg', '-x', package, programs], check=True, capture_output=True,
                               timeout=60)
            (programs / 'usr/sbin/exim4').chmod(0o755)      # it comes with the setuid bit
        except (OSError, subprocess.SubprocessError) as e:
            raise Missing(f'Exim cannot be fetched: {e}') from None

    def configure(self):
        program = self.programs / 'usr/sbin/exim4'
        uid = os.geteuid() or NOBODY
        for path in (self.root / 'spool', self.mail):
            path.mkdir()
        for path in (self.root, self.root / 'spool', self.mail):
            os.chown(path, uid, -1)
        passwd, group = self.root / 'passwd', self.root / 'group'
        passwd.write_text(f'root:x:0:0::/root:/bin/sh\n{EXIM_USER}:x:{uid}:{uid}::/:/bin/false\n')
        group.write_text(f'root:x:0:\nmail:x:8:\n{EXIM_USER}:x:{uid}:\n')
        certificate = ''
        if self.certificate:
            both = self.root / 'certificate'
            both.write_bytes(self.certificate.file.read_bytes() + self.certificate.key.read_bytes())
            certificate = f'tls_certificate = {both}'
        (self.root / 'exim.conf').write_text(EXIM_CONFIG.format(
            program=program, root=self.root, domain=DOMAIN, port=self.port, user=EXIM_USER,
            tls='*' if self.certificate else '', certificate=certificate,
            smarthost=self.smarthost, settings='\n'.join(self.settings)))

    def start(self):
        wrapper, = self.programs.glob('usr/lib/*/libnss_wrapper.so')
        with open(self.root / 'output.log', 'ab') as output:
            return subprocess.Popen(
                [self.programs / 'usr/sbin/exim4', '-C', self.root / 'exim.conf', '-bdf', '-q2s'],
                stdout=output, stderr=output, cwd='/', stdin=subprocess.DEVNULL,
                start_new_session=True,
                env={'PATH': os.environ['PATH'], 'LD_PRELOAD': str(wrapper),
                     'NSS_WRAPPER_PASSWD': str(self.root / 'passwd'),
                     'NSS_WRAPPER_GROUP': str(self.root / 'group')})
