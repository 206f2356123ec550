"""What is measured, each a function of a running system."""
import imaplib
import os
import re
import ssl
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from account import pss
from systems import PASSWORD, USERS, user


def count_stored(system, numbers):
    total = 0
    for number in numbers:
        for part in ('new', 'cur'):
            try:
                with os.scandir(system.maildir(number) / part) as entries:
                    total += sum(1 for _ in entries)
            except FileNotFoundError:
                pass
    return total


def send(system, sessions, count, size, keep):
    """Let `sessions` clients send `count` messages in all; each has a recipient of its own."""
    each = count // sessions
    options = ['-d'] if keep else []
    clients = [subprocess.Popen(['smtp-source', *options, '-s', '1', '-m', str(each), '-l',
                                 str(size), '-f', 'sender@example.org', '-t', user(n % USERS),
                                 f'127.0.0.1:{system.port("smtp")}'], stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True) for n in range(sessions)]
    for client in clients:
        _, told = client.communicate(timeout=300)
        if client.returncode:
            raise RuntimeError(f'smtp-source: {told.strip()}')
    return each * sessions


def wait_delivered(system, numbers, wanted, seconds=120):
    """When the last message was there. Looking takes little of the time that delivery needs."""
    begin = time.monotonic()
    while True:
        looked = time.monotonic()
        stored = count_stored(system, numbers)
        if stored >= wanted:
            return time.monotonic()
        if looked - begin > seconds:
            raise RuntimeError(f'{system.name}: {stored} of {wanted} delivered')
        time.sleep(max(0.005, 10 * (time.monotonic() - looked)))


def inbound(system, sessions, count, size=5000, keep=True):
    """Rates of acceptance and delivery, CPU per message of all server processes."""
    numbers = range(min(sessions, USERS))
    before, cpu, begin = count_stored(system, numbers), system.group.cpu(), time.monotonic()
    total = send(system, sessions, count, size, keep)
    accepted = time.monotonic()
    delivered = wait_delivered(system, numbers, before + total)
    time.sleep(0.3)     # what still runs for these messages counts too
    return {'delivered_per_s': total / (delivered - begin),
            'accepted_per_s': total / (accepted - begin),
            'cpu_ms_per_message': (system.group.cpu() - cpu) * 1000 / total}


def latency(system, count):
    """Seconds for one whole message on a kept connection, one after another: the median."""
    import smtplib
    body = 'Subject: latency\r\n\r\n' + 'x' * 70 + '\r\n'
    times = []
    with smtplib.SMTP('127.0.0.1', system.port('smtp'), timeout=60) as client:
        for _ in range(count):
            begin = time.monotonic()
            client.sendmail('sender@example.org', user(0), body)
            times.append(time.monotonic() - begin)
    return sorted(times)[count // 2]


def idle_memory(system):
    time.sleep(1)
    return pss(system.group.pids())


def _login(system, number):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    client = imaplib.IMAP4_SSL('127.0.0.1', system.port('imaps'), ssl_context=context, timeout=60)
    client.login(user(number % USERS), PASSWORD)
    client.select('INBOX')
    client.send(b'i IDLE\r\n')
    while not client.readline().startswith(b'+'):
        pass
    return client


def idle_sessions(system, count):
    """Memory of IMAP sessions in IDLE over TLS, and the time to set them up."""
    before, begin = idle_memory(system), time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        clients = list(pool.map(lambda n: _login(system, n), range(count)))
    seconds = time.monotonic() - begin
    time.sleep(5)       # idle sessions give buffers back
    after = idle_memory(system)
    for client in clients:
        client.shutdown()
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
