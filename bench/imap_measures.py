"""What is measured of IMAP and POP3, each a function of a running system; seconds, or rates."""
import os
import random
import resource
import statistics
import time

from account import pss
from imap_client import Client, Pop3, context, together
from imap_mail import give, give_many, give_to, make_maildir, message
from imap_systems import drop_page_cache
from systems import user

BIG = 0             # the account with the big mailbox
SMALL = range(10, 30)       # accounts of the mixed load
CURVE = 1
READS = (
    ('select', 'SELECT INBOX'),
    ('fetch_flags', 'FETCH 1:* (FLAGS)'),
    ('fetch_envelope', 'FETCH 1:* (UID ENVELOPE)'),
    ('fetch_header', 'FETCH 1:* (BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE)])'),
    ('search_subject', 'SEARCH SUBJECT "12"'),
    ('search_from', 'SEARCH FROM "7a"'),
    ('search_text', 'SEARCH TEXT quagmirelike'),
    ('search_body', 'SEARCH BODY quagmirelike'),
    ('sort', 'SORT (SUBJECT) UTF-8 ALL'),
    ('thread', 'THREAD REFERENCES UTF-8 ALL'),
)
SLOW = ('search_text', 'search_body')


def account_dir(system, number):
    """The Maildir of an account, made with its parents."""
    path = system.maildir(number)
    make_maildir(path)
    give_to(path, system.owner)
    return path


def populate(system, mail, curve):
    """Before the first start."""
    for number in (BIG, *SMALL):
        few = mail if number == BIG else mail[:1000]
        give(few, account_dir(system, number), system.owner)
    curve_dir = account_dir(system, CURVE)
    for count in curve:
        give_many(system.root, curve_dir / f'.m{count}', system.owner, count)


def first(system):
    """The first session with mail that came another way: nothing is cached. Seconds."""
    client = Client(system, user(BIG))
    result = {name: client.timed(text) for name, text in READS
              if name in ('select', 'fetch_envelope', 'sort', 'thread')}
    for name, text in READS:
        client.do(text)
    client.close()
    for number in SMALL:
        client = Client(system, user(number))
        client.do('SELECT INBOX')
        client.do('FETCH 1:* (UID ENVELOPE)')
        client.close()
    result['index'] = system.wait_indexed((BIG, *SMALL))
    return result


def cold(system):
    """SELECT by a server that was just started, with nothing in the page cache."""
    system.stop()
    drop_page_cache()
    system.start()
    client = Client(system, user(BIG))
    seconds = client.timed('SELECT INBOX')
    client.close()
    return seconds


def reads(system, times):
    """The caches are warm: each command once before it is measured."""
    client, result = Client(system, user(BIG)), {}
    for name, text in READS:
        client.do(text)
        if name == 'search_text':       # nor do the files come from the disk
            client.do(text)
        runs = [client.timed(text) for _ in range(2 if name in SLOW else times)]
        result[name] = statistics.median(runs)
    client.close()
    return result


def wait_named(system, letter, wanted, box='', seconds=300):
    """Until the names of the files tell the flag (so that nobody is measured while it still has
    work of the command before). Returns the seconds."""
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds:
        with os.scandir(system.maildir(BIG) / box / 'cur') as entries:
            found = sum(letter in e.name.rpartition(',')[2] for e in entries)
        if found == wanted:
            seconds = time.perf_counter() - begin
            os.sync()       # nor for what the one before has left to be written
            return seconds
        time.sleep(0.2)
    raise RuntimeError(f'{system.name}: {found} of {wanted} files have {letter}')


def writes(system, count, part):
    """STORE on all, then COPY, MOVE and EXPUNGE of a part."""
    client, result = Client(system, user(BIG)), {}
    client.do('SELECT INBOX')
    stores = []
    for sign, wanted in (('+', count), ('-', 0)):
        stores.append(client.timed(f'STORE 1:* {sign}FLAGS.SILENT (\\Flagged)'))
        result['store_named'] = wait_named(system, 'F', wanted)
    result['store'] = statistics.mean(stores)
    for box in ('copied', 'moved'):
        client.do(f'CREATE {box}')
    result['copy'] = client.timed(f'COPY 1:{part} copied')
    client.do('SELECT copied')
    os.sync()
    result['move'] = client.timed(f'MOVE 1:{part} moved')
    client.do('SELECT moved')
    client.do('STORE 1:* +FLAGS.SILENT (\\Deleted)')
    wait_named(system, 'T', part, '.moved')
    result['expunge'] = client.timed('EXPUNGE')
    client.do('CLOSE')
    for box in ('copied', 'moved'):
        client.do(f'DELETE {box}')
    client.close()
    os.sync()
    return result


def sort_news(system, count, times):
    """SORT and THREAD when there is one more message each time, behind the first `count`."""
    client, result = Client(system, user(BIG)), {}
    data = message(3).replace(b'\n', b'\r\n')
    client.do('SELECT INBOX')
    for name, text in READS:
        if name not in ('sort', 'thread'):
            continue
        client.do(text)
        runs = []
        for _ in range(times):
            client.append('INBOX', data)
            client.do('NOOP')
            runs.append(client.timed(text))
        result[f'{name}_news'] = statistics.median(runs)
    client.do(f'STORE {count + 1}:* +FLAGS.SILENT (\\Deleted)')
    client.do('EXPUNGE')
    client.close()
    os.sync()
    return result


def append(system, clients, each):
    """Messages of 5 KB per second, each client with a mailbox of its own account."""
    data = (message(1) + b'x' * 5000)[:5000].replace(b'\n', b'\r\n')

    def work(n):
        client = Client(system, user(SMALL[n]))
        yield
        for _ in range(each):
            client.append('Sent', data)
        client.close()
    seconds, _ = together(clients, work)
    return clients * each / seconds


def logins(system, tls, each, clients=10):
    """Connections with a login per second, ten at a time."""
    def work(n):
        c = context() if tls else None
        yield
        for _ in range(each):
            client = Client(system, user(SMALL[n]), tls=c)
            client.do('LOGOUT')
            client.close()
    seconds, _ = together(clients, work)
    return clients * each / seconds


def mixed(system, seconds, clients=20):
    """Operations per second of clients over TLS, each with an account of its own: what people do
    in an inbox of 1,000 messages."""
    data = message(2)[:5000].replace(b'\n', b'\r\n')

    def work(n):
        rng = random.Random(n)
        client = Client(system, user(SMALL[n]), tls=context())
        client.do('SELECT INBOX')
        yield
        end, done = time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            k = rng.randrange(1, 980)
            what = rng.random()
            if what < 0.30:
                client.do(f'FETCH {k}:{k + 20} (UID FLAGS ENVELOPE RFC822.SIZE)')
            elif what < 0.55:
                client.do(f'FETCH {k} (BODY.PEEK[])')
            elif what < 0.70:
                client.do(f'STORE {k} {rng.choice("+-")}FLAGS (\\Seen)')
            elif what < 0.80:
                client.do('NOOP')
            elif what < 0.87:
                client.do('SEARCH UNSEEN')
            elif what < 0.92:
                client.do(f'SEARCH SUBJECT "{k}"')
            elif what < 0.96:
                client.append('Sent', data)
            else:
                client.do('SELECT INBOX')
            done += 1
        cpu = resource.getrusage(resource.RUSAGE_SELF)
        client.close()
        yield done, cpu.ru_utime + cpu.ru_stime
    before = system.group.cpu()
    took, results = together(clients, work)
    done = sum(r[0] for r in results)
    return {'ops_per_s': done / took, 'cpu_ms': (system.group.cpu() - before) / done * 1000,
            'client_cpu_ms': sum(r[1] for r in results) / done * 1000}


def pop3(system, at_once):
    """Messages per second by RETR, one client, plain."""
    client, numbers = Pop3(system, user(SMALL[0])), list(range(1, 1001))
    client.retr(numbers, 10)
    return len(numbers) / client.retr(numbers, at_once)


def pop3_noop(system):
    """What the client and the kernel need for a question and the shortest of answers."""
    client = Pop3(system, user(SMALL[0]))
    return 1000 / client.noop(1000)


def idle(system, count):
    """Sessions in IDLE over TLS: memory of all processes, and that all of them answer."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 500), hard))
    tls, clients = context(), []
    begin = time.perf_counter()
    for n in range(count):
        client = Client(system, user(SMALL[n % 20]), tls=tls)
        client.do('SELECT INBOX')
        client.buffer = None
        client.idle()
        clients.append(client)
    seconds = time.perf_counter() - begin
    time.sleep(10)      # idle sessions give memory back
    held = pss(system.group.pids())
    for client in clients:
        client.end_idle()
        client.close()
    return {'bytes': held, 'setup_s': seconds, 'held': len(clients)}


def curve(system, sizes, times=20):
    """A flag of one message, in mailboxes of these sizes: the median, in seconds."""
    client, result = Client(system, user(CURVE)), {}
    for size in sizes:
        client.do(f'SELECT m{size}')
        client.do('STORE 1 +FLAGS.SILENT (\\Flagged)')
        system.wait_calm()      # new mail is looked at in the background
        rng, runs = random.Random(size), []
        for n in range(times):
            runs.append(client.timed(f'STORE {rng.randint(1, size)} +FLAGS (\\Flagged)'))
        result[size] = statistics.median(runs)
    client.close()
    return result

