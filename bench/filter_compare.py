#!/usr/bin/python3
"""Who sent a message: Posthorn beside OpenDKIM, OpenDMARC and policyd-spf. Prints a table, writes
JSON."""
import argparse
import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

from compare import machine
from filter_mail import LINE, OURS, SENDERS, Senders, make_ed25519, make_rsa
from filter_systems import PROXY, FilterPosthorn, Milters, have_users
from systems import remove_left_roots, user

from dns_server import DnsServer

SIZE, LARGE = 10000, 25 * 2**20
WARM = 2 * len(SENDERS)


class Session:
    """One SMTP session that is kept."""

    def __init__(self, port, greeting=b''):
        for _ in range(500):
            try:
                self.socket = socket.create_connection(('127.0.0.1', port), 60)
                break
            except OSError:
                time.sleep(0.02)
        self.socket.settimeout(120)
        self.file = self.socket.makefile('rb')
        self.socket.sendall(greeting)
        self.reply(b'220')
        self.say(b'EHLO client.example\r\n', b'250')

    def reply(self, wanted):
        line = self.file.readline()
        while line[3:4] == b'-':
            line = self.file.readline()
        if not line.startswith(wanted):
            raise RuntimeError(f'{wanted.decode()} expected, got {line!r}')

    def say(self, text, wanted):
        self.socket.sendall(text)
        self.reply(wanted)

    def send(self, sender, text):
        self.say(f'MAIL FROM:<{sender}>\r\n'.encode(), b'250')
        self.say(f'RCPT TO:<{user(0)}>\r\n'.encode(), b'250')
        self.say(b'DATA\r\n', b'354')
        self.say(text + b'.\r\n', b'250')

    def close(self):
        self.say(b'QUIT\r\n', b'221')
        self.socket.close()


def head_of(system):
    """The header of the message that came last."""
    for _ in range(200):
        found = system.messages(0)
        if found:
            newest = max(found, key=lambda p: p.stat().st_mtime_ns)
            return re.split(rb'\r?\n\r?\n', newest.read_bytes(), maxsplit=1)[0].lower()
        time.sleep(0.05)
    raise RuntimeError(f'{system.name}: no message arrived')


def demand(system, *wanted):
    """A comparison with somebody who has not found out the same is none."""
    time.sleep(1)
    head = re.sub(rb'\s+', b' ', head_of(system))
    for text in wanted:
        if text not in head:
            raise RuntimeError(f'{system.name}: no {text.decode()} in {head.decode()}')


def verify(system, senders, count, sealed):
    """CPU milliseconds of the checking for each message."""
    mail = [(f'a@{s}', senders.message(s, SIZE, sealed)) for s in SENDERS]
    session = Session(system.smtp_port(), PROXY)
    for n in range(WARM):
        session.send(*mail[n % len(mail)])
    before = system.checking()
    for n in range(count):
        session.send(*mail[n % len(mail)])
    cpu = system.checking() - before
    session.close()
    demand(system, b'dkim=pass', b'dmarc=pass', b'received-spf: pass',
           *([b'arc=pass'] if sealed and system.name == 'posthorn' else []))
    return cpu * 1000 / count


def peak(pid):
    text = Path(f'/proc/{pid}/status').read_text(encoding='ascii')
    return int(re.search(r'VmHWM:\s+(\d+) kB', text).group(1)) / 1024


def verify_large(system, senders):
    """One message of 25 MB: CPU milliseconds, and how much more memory in MiB it takes."""
    text = senders.message(SENDERS[0], LARGE, False)
    pids = system.checkers_pids()
    for pid in pids:
        Path(f'/proc/{pid}/clear_refs').write_text('5', encoding='ascii')
    memory, before = sum(map(peak, pids)), system.checking()
    session = Session(system.smtp_port(), PROXY)
    session.send(f'a@{SENDERS[0]}', text)
    session.close()
    demand(system, b'dkim=pass')
    return {'large': (system.checking() - before) * 1000,
            'large_mib': sum(map(peak, pids)) - memory}


def sign(args, kind, make, count):
    """CPU milliseconds of the filter for each message that it signs."""
    system = FilterPosthorn(args.directory, os.environ['POSTHORN_BUILD'])
    keys = system.root / 'tmp/docker-mailserver/opendkim'
    (keys / 'keys').mkdir(parents=True)
    (keys / 'keys/mail.private').write_bytes(make()[0])
    (keys / 'KeyTable').write_text(f'k {OURS}:mail:/etc/opendkim/keys/mail.private\n')
    (keys / 'SigningTable').write_text(f'*@{OURS} k\n')
    text = (f'From: A <a@{OURS}>\r\nTo: b@elsewhere.example\r\nSubject: x\r\n\r\n'.encode() +
            LINE * (SIZE // len(LINE)))
    try:
        system.start()
        session = Session(system.port('smtp'))
        for n in range(WARM + count):
            if n == WARM:
                before = system.checking()
            session.send(f'a@{OURS}', text)
        cpu = system.checking() - before
        session.close()
        demand(system, b'a=rsa-sha256' if kind == 'rsa' else b'a=ed25519-sha256')
    finally:
        system.stop()
        system.remove()
    return cpu * 1000 / count


def openssl(algorithm):
    """Milliseconds of one signature, alone."""
    out = subprocess.run(['openssl', 'speed', '-seconds', '2', algorithm], capture_output=True,
                         text=True, check=True).stdout
    numbers = re.findall(r'\d+\.\d+s?', out.splitlines()[-1])
    return 1000 / float(numbers[-2])


def own_network():
    """The DNS of this network is ours."""
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    conf = Path('/run/posthorn-bench-resolv.conf')
    conf.write_text('nameserver 127.0.0.1\noptions timeout:2\n', encoding='ascii')
    subprocess.run(['mount', '--bind', conf, os.path.realpath('/etc/resolv.conf')], check=True)


def one_round(args, system, senders):
    result = {}
    try:
        system.start()
        result['plain'] = verify(system, senders, args.messages, False)
        result['sealed'] = verify(system, senders, args.messages, True)
        result.update(verify_large(system, senders))
    finally:
        system.stop()
        system.remove()
    return result


ROWS = (('plain', 'SPF, DKIM, DMARC of 10 KB, CPU ms'),
        ('sealed', '  with an ARC chain of one, CPU ms'),
        ('large', 'the same of 25 MiB, CPU ms'),
        ('large_mib', '  memory it takes, MiB'))
TARGETS = (('SPF, DKIM, DMARC, ARC of 10 KB, CPU ms', lambda r: r['posthorn']['sealed'], '<', 1),
           ('the three programs, times Posthorn',
            lambda r: r['milters']['plain'] / r['posthorn']['plain'], '>=', 3))


def print_results(results):
    print(f'{"":<40}{"Posthorn":>12}{"the three":>12}')
    for name, title in ROWS:
        print(f'{title:<40}' + ''.join(f'{results[s][name]:>12.2f}'
                                       for s in ('posthorn', 'milters')))
    print(f'\n{"":<40}{"Posthorn":>12}{"OpenSSL":>12}')
    for kind in ('rsa', 'ed25519'):
        ours, alone = results['sign'][kind]
        print(f'{"signing 10 KB, " + kind + ", CPU ms":<40}{ours:>12.3f}{alone:>12.3f}')
    print()
    for title, value, sign_, bound in TARGETS:
        got = value(results)
        reached = got < bound if sign_ == '<' else got >= bound
        print(f'{title:<45} {got:8.3g}   {sign_} {bound}   {"reached" if reached else "MISSED"}')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--messages', type=int, default=2000)
    parser.add_argument('--directory', default='/var/tmp')
    parser.add_argument('--json', default='bench-filter-result.json')
    args = parser.parse_args()
    have_users()
    own_network()
    senders, results = Senders(), {}
    report = {'machine': machine(args.directory), 'systems': results}
    try:
        with DnsServer(senders.zones, port=53):
            for make in (lambda: FilterPosthorn(args.directory, os.environ['POSTHORN_BUILD']),
                         lambda: Milters(args.directory)):
                system = make()
                print(f'  {system.title}', file=sys.stderr, flush=True)
                results[system.name] = one_round(args, system, senders)
            results['sign'] = {
                'rsa': (sign(args, 'rsa', make_rsa, args.messages), openssl('rsa2048')),
                'ed25519': (sign(args, 'ed25519', make_ed25519, args.messages),
                            openssl('ed25519'))}
    finally:
        remove_left_roots()
        Path(args.json).write_text(json.dumps(report, indent=1) + '\n', encoding='utf8')
    print(', '.join(f'{key}: {value}' for key, value in report['machine'].items()) + '\n')
    print_results(results)


if __name__ == '__main__':
    main()
