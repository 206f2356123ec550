"""A Posthorn of one's own: started in a temporary directory on free ports, watched, and cleaned up.

Nothing here knows how the server works inside; it is started like a user starts it, with
environment variables and files.
"""
import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

BUILD = Path(os.environ.get('POSTHORN_BUILD',
                            Path(__file__).resolve().parents[2] / 'build-test'))
DOMAIN = 'example.test'
HOSTNAME = 'mail.example.test'
PASSWORD = 'correct horse'
PORTS = {'smtp': 25, 'submission': 587, 'submissions': 465, 'imap': 143, 'imaps': 993,
         'pop3': 110, 'pop3s': 995}
WEB_PORT = 8080     # where a test asks for it
# Where proxies connect, when the server listens there.
PROXIED = {name: 12525 if name == 'smtp' else port + 10000 for name, port in PORTS.items()}
# No waiting where a test is not about waiting, and room for many clients on one address.
QUICK = {'OVERRIDE_HOSTNAME': HOSTNAME, 'ENABLE_POP3': '1', 'SSL_TYPE': '',
         'POSTHORN_SMTP_GREET_DELAY': '0', 'POSTHORN_AUTH_DELAY': '300ms',
         'POSTHORN_CONNECTIONS_PER_ADDRESS': '1000', 'POSTHORN_SMTP_ERROR_DELAY': '20ms',
         'POSTHORN_RETRY_MIN': '200ms', 'POSTHORN_RENAME_DELAY': '0',
         # There is no DNS here, but for tests that bring their own.
         'POSTHORN_FILTER_TIMEOUT': '500ms', 'POSTHORN_SMTP_NAME_TIMEOUT': '300ms'}
READY = f'{HOSTNAME} is up and running'
SANITIZER = re.compile(r'ERROR: \w+Sanitizer|runtime error:|check failed:')
# The search for leaks at the end of a process needs /proc and ptrace, which a role has given up;
# the unit tests search. A small quarantine keeps small what the sanitizer adds to memory.
ASAN_OPTIONS = ('detect_leaks=0:detect_stack_use_after_return=0:allocator_may_return_null=1:'
                'quarantine_size_mb=1')
# Programs with sanitizers are several times slower; deadlines in tests are multiplied by this.
SLOW = float(os.environ.get('POSTHORN_TEST_SLOWNESS', '1'))


def wait_until(condition, seconds=10, every=0.02, what='the condition'):
    """Poll until condition() is truthy and return that; fail the test when it takes too long."""
    end = time.monotonic() + seconds * SLOW
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f'{what} did not come about within {seconds * SLOW:g} s')
        time.sleep(every)


def _is_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(('127.0.0.1', port))
            return True
        except OSError:
            return False


class Ports:
    """An offset at which every port is free, held until `release`: tests may run side by side.

    The offsets stay clear of the ephemeral range. A lock on a file says that one is taken, because
    a server that is being restarted does not hold its ports.
    """

    def __init__(self):
        folder = Path(tempfile.gettempdir(), f'posthorn-ports-{os.getuid()}')
        folder.mkdir(exist_ok=True)
        for offset in range(11000, 21000, 500):
            self._lock = open(folder / str(offset), 'w', encoding='ascii')
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self._lock.close()
                continue
            if all(_is_free(port + offset)
                   for port in [*PORTS.values(), *PROXIED.values(), WEB_PORT]):
                self.offset = offset
                return
            self._lock.close()
        raise RuntimeError('no free ports')

    def release(self):
        self._lock.close()


def processes_below(pid):
    """All descendants of a process, as {pid: name of its executable}."""
    parents = {}
    for entry in Path('/proc').iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / 'stat').read_text().rsplit(')', 1)[1].split()
                if stat[0] != 'Z':
                    parents[int(entry.name)] = int(stat[1])
            except OSError:
                pass
    found, grown = {pid}, True
    while grown:
        more = {p for p, parent in parents.items() if parent in found} - found
        grown = bool(more)
        found |= more
    names = {}
    for p in found - {pid}:
        try:
            names[p] = os.path.basename(
                Path(f'/proc/{p}/cmdline').read_bytes().split(b'\0')[0].decode())
        except OSError:
            pass
    return names


class Server:
    """One server. `with Server() as s:` starts and stops it."""

    def __init__(self, accounts=(), env=None, root=None, build=BUILD):
        self.build = Path(build)
        self.made_root = root is None
        self.root = Path(root or tempfile.mkdtemp(prefix='posthorn-test-'))
        self.config = self.root / 'tmp/docker-mailserver'
        self.mail = self.root / 'var/mail'
        self.log_path = self.root / 'var/log/mail/mail.log'
        self.output_path = self.root / 'output'
        self.ports = Ports()
        self.offset = self.ports.offset
        self.env = {**QUICK, **(env or {})}
        self.process = None
        self.expected_deaths = 0
        self.roles_at_start = {}
        for directory in (self.config, self.mail, self.root / 'var/mail-state',
                          self.log_path.parent):
            directory.mkdir(parents=True, exist_ok=True)
        if accounts:
            self.add_accounts(*accounts)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *_):
        try:
            self.stop(check=kind is None)
        finally:
            self.remove()

    def port(self, service, proxied=False):
        return (PROXIED if proxied else PORTS)[service] + self.offset

    def environment(self):
        keep = {k: v for k, v in os.environ.items()
                if k in ('PATH', 'HOME', 'LANG', 'UBSAN_OPTIONS')}
        return {**keep, 'ASAN_OPTIONS': ASAN_OPTIONS, 'POSTHORN_ROOT': str(self.root),
                'POSTHORN_PORT_OFFSET': str(self.offset), 'POSTHORN_LISTEN': '127.0.0.1',
                **self.env}

    # Configuration files

    def write(self, name, text):
        """Put a configuration file in place, as an editor does: complete at once."""
        path = self.config / name
        new = path.with_name(name + '.new')
        new.write_text(text)
        new.rename(path)

    def read(self, name):
        path = self.config / name
        return path.read_text() if path.exists() else ''

    def add_accounts(self, *addresses, password=PASSWORD, scheme='PLAIN'):
        lines = ''.join(f'{a}|{{{scheme}}}{password}\n' for a in addresses)
        self.write('postfix-accounts.cf', self.read('postfix-accounts.cf') + lines)

    def setup(self, *args, **kwargs):
        """Run the setup command beside the server."""
        return subprocess.run([self.build / 'setup', *args], env=self.environment(), text=True,
                              capture_output=True, timeout=30, check=False,
                              stdin=subprocess.DEVNULL, **kwargs)

    # Life

    def start(self, wait=True, command=()):
        self.output_path.write_text('')
        with open(self.output_path, 'ab') as output:
            self.process = subprocess.Popen(command or [self.build / 'posthorn'], stdout=output,
                                            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                            env=self.environment(), start_new_session=True)
        if wait:
            self.wait_ready()
        return self

    def output(self):
        return self.output_path.read_text(errors='replace')

    def log(self):
        return self.log_path.read_text(errors='replace') if self.log_path.exists() else ''

    def wait_ready(self, seconds=20):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f'posthorn exited {self.process.returncode}:\n'
                                     f'{self.output()[-3000:]}')
            return READY in self.output()
        try:
            wait_until(ready, seconds, what='a server that is ready')
        except AssertionError as e:
            raise AssertionError(f'{e}\n{self.output()[-3000:]}') from None
        self.roles_at_start = self.roles()

    def roles(self):
        """{role: [pid, ...]}; the supervisor is not among them."""
        roles = {}
        for pid, name in sorted(processes_below(self.process.pid).items()):
            if name.startswith('posthorn-'):
                roles.setdefault(name.removeprefix('posthorn-'), []).append(pid)
        return roles

    def kill_role(self, role, sig=signal.SIGKILL):
        """Kill every process of a role; the supervisor is expected to start it again."""
        for pid in self.roles().get(role, []):
            os.kill(pid, sig)
            self.expected_deaths += 1

    def kill_all(self):
        """The whole tree at once, like a power cut seen from inside."""
        for pid in [self.process.pid, *processes_below(self.process.pid)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.process = None

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self, check=True, seconds=20):
        """Ask it to end, and complain about anything that went wrong while it lived."""
        if not self.process:
            return
        roles = self.roles()
        family = processes_below(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds * SLOW)
        except subprocess.TimeoutExpired:
            self.kill_all()
            raise AssertionError('SIGTERM did not end the server:\n' + self.output()[-3000:]) \
                from None
        self.process = None
        left = [pid for pid in family if Path(f'/proc/{pid}').exists()]
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if not check:
            return
        self.check_output()
        assert not left, f'processes left behind: {left}'
        assert code == 0, f'exit status {code}\n{self.output()[-3000:]}'
        if not self.expected_deaths:
            assert roles == self.roles_at_start, 'a role was restarted:\n' + self.output()[-3000:]

    def check_output(self):
        text = self.output()
        found = SANITIZER.search(text)
        assert not found, text[max(0, found.start() - 200):found.start() + 4000]

    def remove(self):
        self.ports.release()
        if self.made_root:
            shutil.rmtree(self.root, ignore_errors=True)

    # What the server holds

    def maildir(self, address):
        local, domain = address.split('@')
        return self.mail / domain / local

    def stored(self, address, folder=''):
        """The message files of a folder, new and seen."""
        base = self.maildir(address) / folder
        return sorted(p for d in ('new', 'cur') for p in (base / d).glob('*') if p.is_file())

    def wait_stored(self, address, count=1, folder='', seconds=10):
        return wait_until(lambda: len(self.stored(address, folder)) >= count and
                          self.stored(address, folder), seconds,
                          what=f'{count} messages for {address}')

    def memory(self):
        """PSS of all processes, in bytes."""
        total = 0
        for pid in [self.process.pid, *processes_below(self.process.pid)]:
            try:
                rollup = Path(f'/proc/{pid}/smaps_rollup').read_text()
                total += int(re.search(r'^Pss:\s+(\d+) kB', rollup, re.M).group(1)) * 1024
            except OSError:
                pass
        return total
