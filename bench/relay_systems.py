"""Servers that send everything on to a sink."""
import subprocess

from peer_config import change_postfix, write_postfix
from systems import Posthorn, System

DOMAINS = 1000


def address(number):
    """Each destination has an address of its own; one sink is all of them."""
    return f'127.1.{number // 250}.{number % 250 + 1}'


def domain(number):
    """Address literals (RFC 5321 4.1.3): nobody asks the DNS."""
    return f'[{address(number)}]'


class RelayPosthorn(Posthorn):
    """`hub`: to one relay host; otherwise to the servers of the domains."""

    def __init__(self, directory, build, sink_port, hub):
        super().__init__(directory, build)
        self.sink_port, self.hub = sink_port, hub

    def environment(self):
        env = {**super().environment(), 'PERMIT_DOCKER': 'container'}
        if self.hub:
            return {**env, 'DEFAULT_RELAY_HOST': f'[127.0.0.1]:{self.sink_port}'}
        return {**env, 'POSTHORN_REMOTE_PORT': str(self.sink_port)}

    def flush(self):
        self.setup('queue', 'flush')

    def setup(self, *words):
        return subprocess.run([self.build / 'setup', *words], env=self.environment(), check=True,
                              capture_output=True, text=True).stdout


class RelayPostfix(System):
    """Debian's Postfix with its defaults."""
    name = 'postfix'
    title = 'Postfix'
    lean = True

    def __init__(self, directory, sink_port, hub):
        super().__init__(directory)
        self.mail = self.root / 'mail'
        write_postfix(self)
        relay = f'relayhost = [127.0.0.1]:{sink_port}\n' if hub else \
            f'transport_maps = texthash:{self.root}/transport\n'
        change_postfix(self, 'mynetworks = 127.0.0.0/8\nvirtual_mailbox_domains =\n'
                             'smtpd_recipient_restrictions =\nsmtp_tls_security_level = may\n' +
                       relay)
        (self.root / 'transport').write_text(''.join(
            f'{domain(n)} smtp:[{address(n)}]:{sink_port}\n' for n in range(DOMAINS)))

    def start(self):
        with open(self.root / 'output', 'ab') as output:
            begin = self.start_postfix(output)
        return self.wait_greeting() - begin

    def stop(self):
        self.stop_postfix()
        self.wait_end()

    def flush(self):
        subprocess.run(['postqueue', '-c', self.root / 'postfix', '-f'], check=True,
                       stderr=subprocess.DEVNULL)
