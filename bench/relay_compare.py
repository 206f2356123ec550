#!/usr/bin/python3
"""Mail through Posthorn to another server, beside Debian's Postfix: prints a table, writes JSON."""
import argparse
import asyncio
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import time

from account import pss
from compare import machine
from relay_systems import DOMAINS, RelayPostfix, RelayPosthorn, address, domain
from systems import remove_left_roots

TITLES = {'posthorn': 'Posthorn', 'postfix': 'Postfix'}
SIZE = 5000
DEAD = 100
# name, title, what must be reached: so many times Postfix, or at most so much of it
ROWS = (
    ('one', '1 session, messages/s', (5, None)),
    ('one_cpu', '  CPU ms per message', (None, 0.2)),
    ('ten', '10 sessions, messages/s', (5, None)),
    ('ten_cpu', '  CPU ms per message', (None, 0.2)),
    ('fan', '1 message to 1,000 domains, s', (None, 1 / 3)),
    ('queued', 'taking a backlog, messages/s', None),
    ('backlog_mib', '  memory with it, MiB', None),
    ('mib_per_100k', '  of it for 100,000 messages, MiB', None),
    ('drain', '  sending it, messages/s', (3, None)),
    ('live', '100 destinations, s', None),
    ('live_dead', '  with 100 dead ones beside them, s', None),
)


def free_port():
    with socket.socket() as s:
        s.bind(('', 0))
        return s.getsockname()[1]


STEPS = ('one', 'ten', 'fan', 'backlog', 'live', 'live_dead')


def patience(count):
    """Seconds for so many messages, on a machine that is busy."""
    return max(900, count / 20)


class Sink:
    """smtp-sink, which ends when it has had `count` messages."""

    def __init__(self, port, count):
        self.count = count
        self.process = subprocess.Popen(
            ['smtp-sink', '-u', 'nobody', '-M', str(count), f'0.0.0.0:{port}', '1024'],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(500):
            try:
                socket.create_connection(('127.0.0.1', port), 1).close()
                return
            except OSError:
                time.sleep(0.01)
        raise RuntimeError('smtp-sink does not listen')

    def wait(self):
        self.process.wait(patience(self.count))
        return time.monotonic()

    def close(self):
        self.process.kill()
        self.process.wait()


def submit(system, sessions, count, recipient=lambda n: f'r{n}@elsewhere.example', many=1):
    """smtp-source, `sessions` of them, each with a kept connection; when all were accepted."""
    clients = [subprocess.Popen(['smtp-source', '-d', '-s', '1', '-m', str(count // sessions), '-r',
                                 str(many), '-l', str(SIZE), '-f', f's{n}@example.org', '-t',
                                 recipient(n), f'127.0.0.1:{system.port("smtp")}'],
                                stdout=subprocess.DEVNULL) for n in range(sessions)]
    for client in clients:
        if client.wait(patience(count)):
            raise RuntimeError(f'{system.name}: smtp-source failed')
    return time.monotonic()


def relay(system, port, sessions, count):
    sink, cpu, begin = Sink(port, count), system.group.cpu(), time.monotonic()
    submit(system, sessions, count)
    end = sink.wait()
    time.sleep(0.3)
    return count / (end - begin), (system.group.cpu() - cpu) * 1000 / count


def fan_out(system, port):
    """One message with a recipient in each of 1,000 domains."""
    sink = Sink(port, DOMAINS)
    with socket.create_connection(('127.0.0.1', system.port('smtp')), 60) as s:
        f = s.makefile('rwb')

        def say(text):
            f.write(text)
            f.flush()
            reply = f.readline()
            while reply[3:4] == b'-':
                reply = f.readline()
            if reply[:1] not in b'23':
                raise RuntimeError(f'{system.name}: {text!r}: {reply!r}')
        f.readline()
        say(b'EHLO client.example\r\n')
        say(b'MAIL FROM:<a@example.org>\r\n')
        for n in range(DOMAINS):
            say(f'RCPT TO:<r@{domain(n)}>\r\n'.encode())
        say(b'DATA\r\n')
        begin = time.monotonic()
        say(b'Subject: x\r\n\r\n' + b'x' * 70 + b'\r\n.\r\n')
        return sink.wait() - begin


def backlog(system, port, count):
    """Messages that nobody takes, then somebody who does. What memory they need is the difference
    to a server that has just started; of a few messages that would say nothing."""
    before = pss(system.group.pids())
    begin = time.monotonic()
    queued = submit(system, 10, count)
    time.sleep(2)
    memory = pss(system.group.pids())
    sink = Sink(port, count)
    start = time.monotonic()
    system.flush()
    end = sink.wait()
    result = {'queued': count / (queued - begin), 'backlog_mib': memory / 2**20,
              'drain': count / (end - start)}
    if count >= 10000:
        result['mib_per_100k'] = (memory - before) / 2**20 * 100000 / count
    return result


class Silent:
    """Destinations whose servers take connections and say nothing."""

    def __init__(self, port, numbers):
        self.sockets = [listener(port, number) for number in numbers]

    def close(self):
        for s in self.sockets:
            s.close()


def listener(port, number):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address(number), port))
    s.listen(512)
    return s


async def take_mail(reader, writer, taken):
    """As much of SMTP as a client of ours wants."""
    writer.write(b'220 sink\r\n')
    while line := await reader.readline():
        verb = line[:4].upper()
        if verb == b'DATA':
            writer.write(b'354 go\r\n')
            await reader.readuntil(b'\r\n.\r\n')
            taken()
        writer.write(b'250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n' if verb == b'EHLO'
                     else b'221 bye\r\n' if verb == b'QUIT' else b'250 ok\r\n')
        await writer.drain()
        if verb == b'QUIT':
            break
    writer.close()


async def take_from_many(port, numbers, count):
    left, done = count, asyncio.Event()

    def taken():
        nonlocal left
        left -= 1
        if left == 0:
            done.set()
    for number in numbers:
        await asyncio.start_server(lambda r, w: take_mail(r, w, taken),
                                   sock=listener(port, number))
    await done.wait()
    os._exit(0)


def neighbours(system, port, dead, each=20):
    """Seconds until 100 destinations have their mail, with so many dead ones among the others."""
    silent = Silent(port, range(500, 500 + dead))
    live = multiprocessing.Process(
        target=lambda: asyncio.run(take_from_many(port, range(100), 100 * each)))
    live.start()
    time.sleep(1)
    try:
        for n in range(dead):
            submit(system, 1, each, lambda _, n=n: f'r@{domain(500 + n)}')
        begin = time.monotonic()
        for n in range(100):
            submit(system, 1, each, lambda _, n=n: f'r@{domain(n)}')
        live.join(60)
        if live.is_alive():
            return float('inf')
        return time.monotonic() - begin
    finally:
        live.kill()
        silent.close()


def take_step(name, system, port, args):
    """The figures of one measure."""
    if name in ('one', 'ten'):
        sessions = 1 if name == 'one' else 10
        relay(system, port, sessions, 200)
        speed, cpu = relay(system, port, sessions, args.messages)
        return {name: speed, f'{name}_cpu': cpu}
    if name == 'fan':
        return {name: fan_out(system, port)}
    if name == 'backlog':
        return backlog(system, port, args.backlog)
    return {name: neighbours(system, port, DEAD if name == 'live_dead' else 0)}


def one_round(make, args, result):
    """Fresh servers for each measure: nobody works off what another left. One that fails has no
    figure, and the others go on. How many failed."""
    failed = 0
    for name in args.step or STEPS:
        port = free_port()
        system = make(port, name in ('one', 'ten', 'backlog'))
        print(f'  {system.title}: {name}', file=sys.stderr, flush=True)
        system.start()
        try:
            result.update(take_step(name, system, port, args))
        except (OSError, RuntimeError, subprocess.SubprocessError) as e:
            print(f'  {system.title}: {name} failed: {e}', file=sys.stderr, flush=True)
            failed += 1
        finally:
            system.stop()
            system.remove()
    return failed


def figure(value):
    return f'{value:.2f}' if value < 10 else f'{value:.0f}'


def middle(rounds):
    """The median of each figure, of the rounds that have it."""
    names = {name for r in rounds for name in r}
    return {name: statistics.median(r[name] for r in rounds if name in r) for name in names}


def print_table(results):
    print(f'{"":<38}' + ''.join(f'{TITLES[n]:>22}' for n in results))
    for name, title, _ in ROWS:
        texts = []
        for r in results.values():
            values = [x[name] for x in r['rounds'] if name in x]
            spread = f' [{figure(min(values))}-{figure(max(values))}]' if len(values) > 1 else ''
            texts.append(figure(statistics.median(values)) + spread if values else '-')
        if set(texts) != {'-'}:
            print(f'{title:<38}' + ''.join(f'{t:>22}' for t in texts))


def print_targets(results):
    ours, peer = results['posthorn']['median'], results['postfix']['median']
    print()
    for name, title, target in ROWS:
        if not target or name not in ours or name not in peer:
            continue
        times = ours[name] / peer[name]
        least, most = target
        reached = times >= least if least else times <= most
        bound = f'>= {least}' if least else f'<= {most:.2f}'
        print(f'{title.strip() + ", of Postfix":<46}{times:>9.3g}   {bound:<8} '
              f'{"reached" if reached else "MISSED"}')


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--messages', type=int, default=5000)
    parser.add_argument('--backlog', type=int, default=100000,
                        help='messages that wait before there is anybody to take them')
    parser.add_argument('--step', choices=STEPS, action='append',
                        help='measure this alone; several times for several')
    parser.add_argument('--quick', action='store_true', help='1,000 messages, one round')
    parser.add_argument('--only', choices=TITLES, action='append')
    parser.add_argument('--directory', default='/var/tmp')
    parser.add_argument('--json', default='bench-relay-result.json')
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.messages, args.backlog = 1, 1000, 2000
    return args


def measure(args, results):
    """Fills results as it goes: what was measured is there even if a later step fails."""
    makers = {
        'posthorn': lambda port, hub: RelayPosthorn(args.directory, os.environ['POSTHORN_BUILD'],
                                                    port, hub),
        'postfix': lambda port, hub: RelayPostfix(args.directory, port, hub)}
    failed = 0
    results.update({name: {'rounds': []} for name in args.only or makers})
    for _ in range(args.rounds):
        for name, result in results.items():
            result['rounds'].append({})
            failed += one_round(makers[name], args, result['rounds'][-1])
    return failed


def main():
    args = arguments()
    results = {}
    report = {'machine': machine(args.directory), 'backlog': args.backlog, 'results': results}
    try:
        failed = measure(args, results)
    finally:
        remove_left_roots()
        for result in results.values():
            result['median'] = middle(result['rounds'])
        with open(args.json, 'w', encoding='utf-8') as f:
            json.dump(report, f, indent=1)
    print(', '.join(f'{k}: {v}' for k, v in report['machine'].items()), '\n')
    print_table(results)
    if len(results) == 2:
        print_targets(results)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
