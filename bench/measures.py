"""What is measured, each a function of a running system."""
import imaplib
import os
import re
import resource
import smtplib
import ssl
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from account import kernel_cpu, pss
from systems import PASSWORD, USERS, user


def stored(system, numbers):
    """Paths of the messages that are in the mailboxes."""
    for number in numbers:
        for part in ('new', 'cur'):
            try:
                with os.scandir(system.maildir(number) / part) as entries:
                    yield from (entry.path for entry in entries)
            except FileNotFoundError:
                pass


def count_stored(system, numbers):
    return sum(1 for _ in stored(system, numbers))


def send(system, sessions, count, size, keep):
    """Let `sessions` clients send `count` messages in all; each has a recipient of its own. Returns
    the seconds of CPU that the clients took."""
    each = count // sessions
    options = ['-d'] if keep else []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    clients = [subprocess.Popen(['smtp-source', *options, '-s', '1', '-m', str(each), '-l',
                                 str(size), '-f', 'sender@example.org', '-t', user(n % USERS),
                                 f'127.0.0.1:{system.port("smtp")}'], stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True) for n in range(sessions)]
    told = [client.communicate(timeout=300)[1] for client in clients]
    for client, text in zip(clients, told):
        if client.returncode:
            raise RuntimeError(f'{system.name}: smtp-source: {text.strip()}')
    system.sent[size + 2] += each * sessions    # it ends the last line behind these octets
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def wait_delivered(system, numbers, wanted, seconds=120):
    """When the last message was there. Looking takes little of the time that delivery needs."""
    begin = time.monotonic()
    while True:
        looked = time.monotonic()
        found = count_stored(system, numbers)
        if found >= wanted:
            return time.monotonic()
        if looked - begin > seconds:
            raise RuntimeError(f'{system.name}: {found} of {wanted} delivered')
        time.sleep(max(0.005, 5 * (time.monotonic() - looked)))


def inbound(system, sessions, count, size=5000, keep=True):
    """Rates of acceptance and delivery, CPU per message: of all server processes, of the clients,
    and of the kernel's threads."""
    numbers = range(min(sessions, USERS))
    total = count // sessions * sessions
    before, kernel, cpu = count_stored(system, numbers), kernel_cpu(), system.group.cpu()
    begin = time.monotonic()
    client_cpu = send(system, sessions, count, size, keep)
    accepted = time.monotonic()
    delivered = wait_delivered(system, numbers, before + total)
    time.sleep(0.3)     # what still runs for these messages counts too
    return {'delivered_per_s': total / (delivered - begin),
            'accepted_per_s': total / (accepted - begin),
            'cpu_ms_per_message': (system.group.cpu() - cpu) * 1000 / total,
            'client_cpu_ms_per_message': client_cpu * 1000 / total,
            'kernel_cpu_ms_per_message': (kernel_cpu() - kernel) * 1000 / total}


LATENCY_BODY = 'x' * 70 + '\r\n'


def latency(system, count):
    """Seconds until one whole message is accepted, one after another on a kept connection: the
    median."""
    times = []
    with smtplib.SMTP('127.0.0.1', system.port('smtp'), timeout=60) as client:
        for number in range(count):
            text = f'Message-Id: <latency.{number}@example.org>\r\n\r\n{LATENCY_BODY}'
            begin = time.monotonic()
            client.sendmail('sender@example.org', user(0), text)
            times.append(time.monotonic() - begin)
    system.sent[len(LATENCY_BODY)] += count
    return sorted(times)[count // 2]


def verify(system):
    """Every message that was accepted is there once, and whole. Returns how many there are."""
    found, ids = Counter(), set()
    wait_delivered(system, range(USERS), sum(system.sent.values()))
    for path in stored(system, range(USERS)):
        head, _, body = Path(path).read_bytes().replace(b'\r\n', b'\n').partition(b'\n\n')
        ids.add(re.search(rb'^Message-Id: (.*)$', head, re.M | re.I).group(1))
        found[len(body) + body.count(b'\n')] += 1
    if found != system.sent or len(ids) != sum(found.values()):
        raise RuntimeError(f'{system.name}: sent {dict(system.sent)} (octets: messages), '
                           f'stored {dict(found)}, {len(ids)} different')
    return len(ids)


def idle_memory(system):
    time.sleep(1)
    return pss(system.group.pids())


def _login(system, context, number):
    client = imaplib.IMAP4_SSL('127.0.0.1', system.port('imaps'), ssl_context=context, timeout=60)
    client.login(user(number % USERS), PASSWORD)
    client.select('INBOX')
    client.send(b'i IDLE\r\n')
    while not client.readline().startswith(b'+'):
        pass
    return client


def _end_idle(client):
    client.send(b'DONE\r\n')
    while not (line := client.readline()).startswith(b'i '):
        if not line:
            raise RuntimeError('an idle session was closed')
    client.shutdown()


def idle_sessions(system, count):
    """Memory of IMAP sessions in IDLE over TLS, and the time to set them up."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    before, begin = idle_memory(system), time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        clients = list(pool.map(lambda n: _login(system, context, n), range(count)))
        seconds = time.monotonic() - begin
        time.sleep(8)       # idle sessions give memory back
        after = idle_memory(system)
        list(pool.map(_end_idle, clients))
    return {'bytes_per_session': (after - before) / count, 'total_bytes': after,
            'setup_s': seconds}


def syncs(make_system, sessions, count, size=5000):
    """System calls that wait for the disk, per message; the system runs under strace."""
    system = make_system()
    trace = system.root / 'strace'
    system.tracer = ['strace', '-f', '--seccomp-bpf', '-qq', '-o', str(trace), '-e',
                     'trace=fsync,fdatasync,syncfs,sync,sync_file_range,msync']
    try:
        system.start()
        inbound(system, sessions, sessions * 5, size)      # mailboxes exist from here on
        before = trace.read_text().count('\n')
        inbound(system, sessions, count, size)
        lines = trace.read_text().splitlines()[before:]
    finally:
        system.stop()
        system.remove()
    kinds = {}
    for line in lines:
        match = re.match(r'\d+ +(\w+)\(', line)
        if match:
            kinds[match.group(1)] = kinds.get(match.group(1), 0) + 1
    return {name: number / count for name, number in sorted(kinds.items())}
