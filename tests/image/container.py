"""Images and containers of one's own: a base image made from Debian's packages, a build with
buildah, containers with podman and runc. Everything is below one directory and goes with it.

A container has no network but its own loopback, which `Container.network()` enters.
"""
import contextlib
import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests/protocol'))

from server import DOMAIN, HOSTNAME, PASSWORD, PORTS, SLOW, wait_until  # noqa: E402

TOOLS = ('podman', 'buildah', 'runc', 'mmdebstrap', 'nsenter')
DEBIAN = os.environ.get('POSTHORN_IMAGE_DEBIAN', 'trixie')
BASE = f'docker.io/library/debian:{DEBIAN}-slim'
CACHE = ROOT / 'build-results/image'
USER = f'user@{DOMAIN}'
MAIL_UID = 5000
CLONE_NEWNET = 0x40000000
# The runtime gives itself higher limits than some machines allow.
LIMITS = ('--network=none', '--ulimit', 'nofile=4096:4096', '--ulimit', 'nproc=20000:20000',
          '--sysctl', 'net.ipv4.ip_unprivileged_port_start=0')
# As a restricted cluster runs it.
RESTRICTED = ('--read-only', '--cap-drop=ALL', '--security-opt', 'no-new-privileges')
VOLUMES = {'config': '/tmp/docker-mailserver', 'mail': '/var/mail', 'state': '/var/mail-state',
           'log': '/var/log/mail'}
CONTAINERS_CONF = '''[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
tmp_dir = "{0}/tmp"
volume_path = "{0}/volumes"
[containers]
log_driver = "k8s-file"
'''
STORAGE_CONF = '''[storage]
driver = "vfs"
graphroot = "{0}/graph"
runroot = "{0}/run"
'''


def missing():
    """Why images cannot be built here; '' when they can."""
    if os.geteuid() != 0:
        return 'needs root'
    absent = [tool for tool in TOOLS if not shutil.which(tool)]
    return f'needs {", ".join(absent)}' if absent else ''


class Store:
    """A place for images and containers, beside the system's own."""

    def __init__(self):
        self.path = Path(tempfile.mkdtemp(prefix='posthorn-image-'))
        (self.path / 'containers.conf').write_text(CONTAINERS_CONF.format(self.path))
        (self.path / 'storage.conf').write_text(STORAGE_CONF.format(self.path))
        self.env = {**os.environ, 'CONTAINERS_CONF': str(self.path / 'containers.conf'),
                    'CONTAINERS_STORAGE_CONF': str(self.path / 'storage.conf')}

    def call(self, *args, check=True, timeout=60, **kwargs):
        done = subprocess.run([str(a) for a in args], env=self.env, text=True, check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout,
                              **kwargs)
        if check and done.returncode != 0:
            raise AssertionError(f'{" ".join(map(str, args))}: exit status {done.returncode}\n'
                                 f'{done.stdout[-3000:]}{done.stderr[-3000:]}')
        return done

    def podman(self, *args, **kwargs):
        return self.call('podman', *args, **kwargs)

    def why_not(self):
        """What keeps this machine from running any container, as one that is itself a container
        without rights; '' when nothing does."""
        done = self.podman('run', '--rm', *LIMITS, *RESTRICTED, BASE, 'true', check=False)
        return done.stderr.strip()[-300:] if done.returncode else ''

    def import_base(self):
        """What a registry calls debian:*-slim, made of packages; kept for the next run."""
        tar = CACHE / f'debian-{DEBIAN}.tar'
        if not tar.exists():
            CACHE.mkdir(parents=True, exist_ok=True)
            new = tar.with_suffix('.new.tar')
            self.call('mmdebstrap', '--variant=minbase', '--quiet',
                      '--dpkgopt=force-unsafe-io', '--dpkgopt=path-exclude=/usr/share/doc/*',
                      '--dpkgopt=path-include=/usr/share/doc/*/copyright',
                      # Services do not start while packages are installed.
                      r'--customize-hook=printf "#!/bin/sh\nexit 101\n" >'
                      '"$1/usr/sbin/policy-rc.d"; chmod 755 "$1/usr/sbin/policy-rc.d"',
                      DEBIAN, new, timeout=600)
            new.rename(tar)
        self.podman('import', tar, BASE)

    def build(self, target):
        # Docker's format, because OCI's knows no health check.
        self.call('buildah', 'bud', '--format', 'docker', '--isolation', 'chroot',
                  '-f', 'image/Containerfile', '--build-arg', f'DEBIAN={DEBIAN}',
                  '--target', target, '-t', f'localhost/{target}', '.', cwd=ROOT, timeout=900)

    def inspect(self, image):
        [found] = json.loads(self.podman('image', 'inspect', image).stdout)
        return found

    @contextlib.contextmanager
    def mounted(self, image):
        """The files of an image."""
        try:
            yield Path(self.podman('image', 'mount', image).stdout.strip())
        finally:
            self.podman('image', 'umount', image)

    def remove(self):
        self.podman('rm', '--all', '--force', '--time', '0', check=False)
        self.podman('image', 'umount', '--all', check=False)
        shutil.rmtree(self.path)


class Container:
    """One container with its four volumes, which outlive it."""

    def __init__(self, store, directory, image='localhost/posthorn', owner=MAIL_UID):
        self.store, self.image, self.id = store, image, None
        self.volumes = {name: directory / name for name in VOLUMES}
        self.modes = {}
        self.env = {'OVERRIDE_HOSTNAME': HOSTNAME, 'POSTHORN_SMTP_GREET_DELAY': '0'}
        for path in self.volumes.values():
            path.mkdir(mode=0o755)
            os.chown(path, owner, owner)

    def add_account(self, address=USER):
        file = self.volumes['config'] / 'postfix-accounts.cf'
        file.write_text(f'{address}|{{PLAIN}}{PASSWORD}\n')

    def options(self, user, flags):
        yield from (*LIMITS, *flags)
        if user:
            yield from ('--user', user)
        for name, value in self.env.items():
            yield from ('--env', f'{name}={value}')
        for name, path in self.volumes.items():
            yield from ('--volume', f'{path}:{VOLUMES[name]}{self.modes.get(name, "")}')

    def run(self, *command, user=None, flags=RESTRICTED):
        """Run a command in a new container until it ends. Podman has systemd call the health check,
        and complains where that is not running."""
        return self.store.podman('run', '--rm', '--no-healthcheck', *self.options(user, flags),
                                 self.image, *command, check=False)

    def start(self, user=None, flags=RESTRICTED):
        """Start the server, and wait until it serves."""
        self.id = self.store.podman('run', '--detach', *self.options(user, flags),
                                    self.image).stdout.strip()

        def ready():
            log = self.log()
            assert self.state('Running') or 'up and running' in log, log
            return f'{HOSTNAME} is up and running' in log
        wait_until(ready, 20, 0.1, 'a server that is ready')
        return self

    def log(self):
        done = self.store.podman('logs', self.id)
        return done.stdout + done.stderr

    def state(self, name):
        [found] = json.loads(self.store.podman('container', 'inspect', self.id).stdout)
        return found['State'][name]

    def exec(self, *command, check=True):
        return self.store.podman('exec', self.id, *command, check=check)

    def terminate(self):
        self.store.podman('kill', '--signal', 'TERM', self.id)

    def wait(self):
        """The exit status, once it has ended."""
        return int(self.store.podman('wait', self.id, timeout=60 * SLOW).stdout)

    def stop(self):
        self.terminate()
        status = self.wait()
        self.remove()
        return status

    def remove(self):
        if self.id:
            self.store.podman('rm', '--force', '--time', '0', self.id)
        self.id = None

    def port(self, service, proxied=False):
        assert not proxied
        return PORTS[service]

    @contextlib.contextmanager
    def network(self):
        """Sockets made meanwhile are inside of the container."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open('/proc/self/ns/net', 'rb') as home, \
                open(f'/proc/{self.state("Pid")}/ns/net', 'rb') as inside:
            try:
                assert libc.setns(inside.fileno(), CLONE_NEWNET) == 0, ctypes.get_errno()
                yield self
            finally:
                assert libc.setns(home.fileno(), CLONE_NEWNET) == 0

    def processes(self):
        """The server's processes as this machine numbers them."""
        first = self.state('Pid')
        children = Path(f'/proc/{first}/task/{first}/children').read_text().split()
        return [first, *map(int, children)]

    def stored(self, address=USER):
        local, domain = address.split('@')
        return [p for p in (self.volumes['mail'] / domain / local).glob('*/*')
                if p.parent.name in ('new', 'cur')]
