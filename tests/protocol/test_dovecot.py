"""A volume that moves between Dovecot and this server: each finds what the other left, with the
same UIDs, flags, keywords and subscriptions, and both may be there at once.

Dovecot's own imap and pop3 programs run here on a pipe, as the owner of the mail: no service is
started, and nobody logs in.
"""
import contextlib
import hashlib
import imaplib
import os
import random
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from server import DOMAIN, SLOW, Server, wait_until
from test_imap import Imap
from test_imap_views import Client
from wire import deliver, imap, message, pop3

LIBEXEC = Path('/usr/lib/dovecot')
USER = f'user0@{DOMAIN}'
PROGRAMS = f'{os.environ["PATH"]}:/usr/sbin'
MAIL_OWNER = 5000       # Dovecot refuses to work as root

pytestmark = pytest.mark.skipif(not (LIBEXEC / 'imap').exists(),
                                reason='dovecot-imapd is not installed: nothing is compared')

# Debian 12 has Dovecot 2.3, Debian 13 2.4, whose settings have other names.
LOCATION_2_3 = 'mail_location = maildir:{maildir}'
VERSION_2_4 = 'dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0'
LOCATION_2_4 = 'mail_driver = maildir\nmail_path = {maildir}'

CONFIG = '''{version}
base_dir = {run}
state_dir = {run}
log_path = {run}/log
stats_writer_socket_path =
ssl = no
{location}
mail_home = {maildir}/home
{owner}
namespace inbox {{
  inbox = yes
  separator = .
  mailbox Drafts {{
    auto = subscribe
    special_use = \\Drafts
  }}
  mailbox Junk {{
    auto = subscribe
    special_use = \\Junk
  }}
  mailbox Sent {{
    auto = subscribe
    special_use = \\Sent
  }}
  mailbox Trash {{
    auto = subscribe
    special_use = \\Trash
  }}
}}
'''


def config(maildir, run, owner):
    done = subprocess.run([shutil.which('dovecot', path=PROGRAMS), '--version'], text=True,
                          capture_output=True, check=True)
    old = done.stdout.startswith('2.3')
    location = LOCATION_2_3 if old else LOCATION_2_4
    return CONFIG.format(run=run, maildir=maildir, owner=owner, version='' if old else VERSION_2_4,
                         location=location.format(maildir=maildir)).lstrip()


class Dovecot:
    """Dovecot's programs on the mail of one account."""

    def __init__(self, server, user, run):
        self.maildir = server.maildir(user)
        self.run = run
        self.config = run / 'dovecot.conf'
        self.clients = []
        self.as_root = os.geteuid() == 0
        owner = f'mail_uid = {MAIL_OWNER}\nmail_gid = {MAIL_OWNER}' if self.as_root else ''
        self.config.write_text(config(self.maildir, run, owner))
        self.maildir.mkdir(parents=True, exist_ok=True)
        if self.as_root:
            for path in [server.root, *run.parents]:
                if path.stat().st_uid == 0 and str(path).startswith('/tmp/'):
                    path.chmod(0o755)

    def own(self):
        """What this server, as root, has made since is Dovecot's too."""
        if self.as_root:
            for top in (self.maildir, self.run):
                for path in [top, *top.rglob('*')]:
                    with contextlib.suppress(FileNotFoundError):    # renamed meanwhile
                        os.chown(path, MAIL_OWNER, MAIL_OWNER)

    def environment(self):
        return {**os.environ, 'USER': USER, 'HOME': str(self.maildir / 'home')}

    def imap(self, select='INBOX'):
        self.own()
        os.environ.update(USER=USER, HOME=str(self.maildir / 'home'))
        client = imaplib.IMAP4_stream(
            f'{LIBEXEC}/imap -k -c {self.config} 2>>{self.run}/log')
        assert client.state == 'AUTH', client.welcome
        if select:
            status, text = client.select(select)
            assert status == 'OK', text
        return client

    def pop3(self, *commands):
        """The answers to some commands, without their line ends."""
        self.own()
        text = ''.join(f'{c}\r\n' for c in [*commands, 'QUIT'])
        done = subprocess.run([LIBEXEC / 'pop3', '-k', '-c', self.config], input=text, text=True,
                              capture_output=True, timeout=30 * SLOW, check=False,
                              env=self.environment())
        return done.stdout.splitlines()

    def log(self):
        path = self.run / 'log'
        return path.read_text() if path.exists() else ''


class Pipe(Imap):
    """Dovecot's imap, line by line."""

    def __init__(self, dovecot):       # pylint: disable=super-init-not-called
        dovecot.own()
        self.process = subprocess.Popen([LIBEXEC / 'imap', '-k', '-c', dovecot.config],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, env=dovecot.environment())
        self.file, self.count = self.process.stdout, 0
        self.greeting = self.line()

    def send(self, data):
        self.process.stdin.write(data.encode() if isinstance(data, str) else data)
        self.process.stdin.flush()

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.file.close()


@pytest.fixture
def dovecot(make_server, tmp_path, monkeypatch):
    monkeypatch.setenv('USER', 'user')
    monkeypatch.setenv('HOME', str(tmp_path))
    run = tmp_path / 'dovecot'
    run.mkdir()
    server = make_server(accounts=[USER])
    other = Dovecot(server, USER, run)
    other.server = server
    yield other
    for word in ('Error', 'Panic', 'Warning'):
        assert word not in other.log(), other.log()


def fields(client, number):
    """All that a client can know of a message."""
    status, data = client.fetch(number, '(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])')
    assert status == 'OK', data
    text = b' '.join(p if isinstance(p, bytes) else p[0] for p in data).decode()
    body = next(p[1] for p in data if isinstance(p, tuple))
    flags = set(re.search(r'FLAGS \(([^)]*)\)', text).group(1).split()) - {'\\Recent'}
    return int(re.search(r'UID (\d+)', text).group(1)), {
        'flags': {f.lower() for f in flags},
        'date': time.strftime('%F %T', imaplib.Internaldate2tuple(text.encode())),
        'size': int(re.search(r'RFC822.SIZE (\d+)', text).group(1)),
        'body': hashlib.sha256(body).hexdigest(), 'length': len(body)}


def mailbox(client, name):
    status, data = client.select(f'"{name}"', readonly=True)
    assert status == 'OK', data
    found = dict(fields(client, n.decode()) for n in client.search(None, 'ALL')[1][0].split())
    picture = {'uidvalidity': client.response('UIDVALIDITY')[1],
               'uidnext': client.response('UIDNEXT')[1], 'messages': found}
    client.unselect()
    return picture


def names(lines):
    return {re.search(rb' "?([^" ]+)"?$', line).group(1).decode() for line in lines if line}


def picture(client):
    """Everything in an account, as this client sees it."""
    boxes = names(line for line in client.list()[1] if b'\\Noselect' not in line)
    return {'boxes': {name: mailbox(client, name) for name in sorted(boxes)},
            'subscribed': names(client.lsub()[1])}


def flat(value, path=''):
    if isinstance(value, dict):
        return {k: v for key, inner in value.items()
                for k, v in flat(inner, f'{path}/{key}').items()}
    return {path: value}


def differences(a, b):
    """Where two pictures differ, as text that can be read."""
    a, b = flat(a), flat(b)
    return [f'{k}: {a.get(k)} / {b.get(k)}' for k in sorted({*a, *b}) if a.get(k) != b.get(k)]


def seed(server):
    """An account that has seen some use: gaps, flags, keywords, folders, odd lines."""
    deliver(server, USER, *[message(f'm{n}', f'number {n}\r\n' * n) for n in range(1, 6)])
    server.wait_stored(USER, 5)
    client = imap(server, USER)
    client.append('INBOX', '(\\Seen \\Flagged $Label1 Work)', '"02-Feb-2020 02:02:02 +0000"',
                  message('appended', 'long line ' * 100 + '\r\n'))
    client.append('INBOX', '(\\Draft)', '"03-Mar-2021 03:03:03 +0000"', b'no header, no line end')
    client.store('2', '+FLAGS', '(\\Deleted)')
    client.expunge()
    client.store('1:2', '+FLAGS', '(\\Answered Work)')
    client.store('3', '+FLAGS', '($Junk \\Seen)')
    client.create('"Entw&APw-rfe.2024"')
    client.subscribe('"Entw&APw-rfe.2024"')
    client.create('plain')
    client.copy('1:3', '"Entw&APw-rfe.2024"')
    client.append('Sent', '(\\Seen)', None, message('sent'))
    client.logout()


def change(client, word):
    """What a client does in one sitting; `word` tells the sittings apart."""
    client.select('INBOX')
    client.store('1', '+FLAGS', f'(\\Flagged {word})')
    client.store('2', '-FLAGS', '(Work)')
    client.append('INBOX', f'(\\Seen {word})', '"04-Apr-2022 04:04:04 +0000"', message(word))
    client.copy('1:2', 'plain')
    client.uid('COPY', '1', '"Entw&APw-rfe.2024"')
    client.store('3', '+FLAGS', '(\\Deleted)')
    client.expunge()
    client.create(f'{word}.sub')
    client.subscribe(f'{word}.sub')
    client.uid('MOVE', '1', f'{word}.sub')
    client.unselect()


def test_dovecot_finds_what_we_left(dovecot):
    seed(dovecot.server)
    client = imap(dovecot.server, USER, select=None)
    ours = picture(client)
    client.logout()
    client = dovecot.imap(None)
    theirs = picture(client)
    client.logout()
    assert differences(theirs, ours) == []
    assert len(ours['boxes']['INBOX']['messages']) == 6
    assert {'$label1', 'work', '\\flagged', '\\seen'} == \
        ours['boxes']['INBOX']['messages'][6]['flags']


def test_we_find_what_dovecot_left(dovecot):
    seed(dovecot.server)
    client = dovecot.imap(None)
    change(client, 'theirs')
    theirs = picture(client)
    client.logout()
    client = imap(dovecot.server, USER, select=None)
    ours = picture(client)
    client.logout()
    assert differences(ours, theirs) == []
    assert 'theirs.sub' in ours['subscribed']


def test_an_account_that_dovecot_made_opens_here(dovecot):
    client = dovecot.imap(None)
    for n in range(5):
        client.append('INBOX', '(\\Seen)' if n % 2 else '', None, message(f'd{n}'))
    client.create('"&AN8-.B"')
    client.subscribe('"&AN8-.B"')
    change(client, 'first')
    theirs = picture(client)
    client.logout()
    client = imap(dovecot.server, USER, select=None)
    ours = picture(client)
    assert differences(ours, theirs) == []
    change(client, 'second')
    ours = picture(client)
    client.logout()
    client = dovecot.imap(None)
    assert differences(picture(client), ours) == []
    client.logout()


def test_both_work_on_one_mailbox_at_once(dovecot):
    seed(dovecot.server)
    clients = [imap(dovecot.server, USER), dovecot.imap()]
    for n in range(20):
        actor, observer = clients[n % 2], clients[1 - n % 2]
        uid = int(re.search(rb'APPENDUID \d+ (\d+)', actor.append(
            'INBOX', f'(k{n % 8})', None, message(f'turn{n}'))[1][0]).group(1))
        dovecot.own()
        observer.noop()
        assert observer.uid('FETCH', str(uid), '(FLAGS)')[1][0], f'{n}: {uid} is not seen'
        observer.uid('STORE', str(uid), '+FLAGS', '(\\Flagged)')
        if n % 3 == 0:
            observer.uid('STORE', str(uid), '+FLAGS', '(\\Deleted)')
            observer.expunge()
            dovecot.own()
            actor.noop()
            assert actor.uid('FETCH', str(uid), '(FLAGS)')[1] == [None]
    dovecot.own()
    pictures = []
    for client in clients:
        client.unselect()
        pictures.append(mailbox(client, 'INBOX'))
        client.logout()
    assert differences(*pictures) == []
    assert len(pictures[0]['messages']) == 6 + 20 - 7


def messages_of(wire):
    """What a session says of its mailbox: UIDs and flags."""
    found = {}
    for line in wire.ok('UID FETCH 1:* (UID FLAGS)'):
        if match := re.search(r'FETCH \(UID (\d+) FLAGS \(([^)]*)\)', line):
            found[int(match.group(1))] = set(match.group(2).split()) - {'\\Recent'}
    return found


@pytest.mark.parametrize('seed', [1, 2])
def test_both_keep_a_true_picture_at_random(dovecot, seed):
    rng = random.Random(seed)
    with Imap(dovecot.server, USER) as wire:
        wire.ok('CREATE other')
        wire.ok('SELECT INBOX')
    wires = [Imap(dovecot.server, USER), Pipe(dovecot), Imap(dovecot.server, USER)]
    dovecot.own()
    clients = [Client(wire, box, rng) for wire, box in zip(wires, ('INBOX', 'INBOX', 'other'))]
    for _ in range(120):
        client = rng.choice(clients)
        dovecot.own()
        client.act()
        client.learn()
    time.sleep(2.1)     # Dovecot looks twice at a directory that has changed within a second
    for client in clients[:2]:
        dovecot.own()
        client.do('NOOP')
        client.learn()
    told = [messages_of(wire) for wire in wires[:2]]
    for wire in wires:
        wire.close()
    assert told[0] == told[1]
    assert list(told[0]) == clients[0].uids == clients[1].uids


def test_mail_that_arrives_while_dovecot_has_the_mailbox_open(dovecot):
    seed(dovecot.server)
    client = dovecot.imap()
    deliver(dovecot.server, USER, message('arrival'))
    dovecot.server.wait_stored(USER, 7)
    dovecot.own()

    def subjects():
        client.noop()
        return client.search(None, 'SUBJECT', 'arrival')[1][0]
    number = wait_until(subjects, what='the new mail in Dovecot').decode()
    assert fields(client, number)[0] == 8
    client.logout()
    here = imap(dovecot.server, USER)
    assert here.uid('SEARCH', 'SUBJECT', 'arrival')[1] == [b'8']
    here.logout()


def test_delivered_files_are_named_as_dovecot_names_them(dovecot):
    deliver(dovecot.server, USER, message('one'))
    path, = dovecot.server.wait_stored(USER)
    assert re.fullmatch(r'\d{10}\.M\d{1,6}P\d+(_\d+)?\.[^.,:/]+(\.[^,:/]+)?,S=\d+,W=\d+', path.name)
    size, wire = (int(re.search(f',{k}=([0-9]+)', path.name).group(1)) for k in 'SW')
    text = path.read_bytes()
    assert (size, wire) == (len(text), len(text) + text.count(b'\n'))


# Messages that both servers have to describe in the same words.
SAMPLES = [
    message('plain'),
    message('no body', ''),
    b'\r\nno header\r\n',
    message('addresses', To='"Giant; \\"Big\\" Box" <box@x.test>, Mary <mary@x.test>, a@b.test',
            Cc='Group:Ed <ed@x.test>,joe@x.test;, Empty:;', Bcc='John (comment) <john@x.test>',
            Reply_To='=?utf-8?q?J=C3=B6rg?= <j@x.test>', Sender='s@x.test',
            In_Reply_To='<1@x.test>'),
    message('alternative', '--b\r\nContent-Type: text/plain; charset=utf-8; format=flowed\r\n'
            'Content-Transfer-Encoding: 8bit\r\n\r\ntext\r\n--b\r\nContent-Type: text/html\r\n'
            'Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>=\r\n</p>\r\n--b--\r\n',
            MIME_Version='1.0', Content_Type='multipart/alternative; boundary="b"'),
    message('attachments', 'preamble\r\n--outer\r\nContent-Type: multipart/related; boundary=in; '
            'type="text/html"\r\n\r\n--in\r\nContent-Type: text/html; charset=us-ascii\r\n\r\n'
            '<img>\r\n--in\r\nContent-Type: image/png; name="a b.png"\r\nContent-ID: <i@x>\r\n'
            'Content-Disposition: inline; filename="a b.png"\r\nContent-Transfer-Encoding: base64'
            '\r\n\r\niVBORw0KGgo=\r\n--in--\r\n--outer\r\nContent-Type: application/pdf\r\n'
            'Content-Description: a "paper"\r\nContent-Language: en, de\r\nContent-MD5: x==\r\n'
            'Content-Location: http://x.test/\r\nContent-Disposition: attachment; size=3\r\n\r\n'
            'pdf\r\n--outer--\r\nepilogue\r\n',
            MIME_Version='1.0', Content_Type='multipart/mixed; boundary=outer'),
    message('forwarded', '--b\r\n\r\nsee below\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n'
            'From: in@x.test\r\nSubject: inner\r\nMIME-Version: 1.0\r\nContent-Type: '
            'multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\none\r\n--c\r\n\r\ntwo\r\n--c--\r\n'
            '\r\n--b--\r\n', MIME_Version='1.0', Content_Type='multipart/mixed; boundary=b'),
]
ITEMS = ['ENVELOPE', 'BODY', 'BODYSTRUCTURE', 'RFC822.SIZE', 'BODY.PEEK[]', 'BODY.PEEK[HEADER]',
         'BODY.PEEK[TEXT]', 'BODY.PEEK[HEADER.FIELDS (SUBJECT TO)]', 'BODY.PEEK[]<10.20>',
         'BODY.PEEK[HEADER.FIELDS.NOT (SUBJECT)]<0.30>', 'BODY.PEEK[TEXT]<9999.5>', 'RFC822.HEADER',
         *(f'BODY.PEEK[{part}]' for part in ('1', '2', '1.MIME', '2.MIME', '1.1', '1.2', '1.2.MIME',
                                             '2.HEADER', '2.TEXT', '2.1', '2.2', '2.2.MIME',
                                             '2.HEADER.FIELDS (FROM)', '3'))]


# Where Dovecot differs and the RFCs are with us: the line end before a boundary is the boundary's
# also behind a multipart (RFC 2046 5.1.1), and a part that is no multipart has no parts of its own.
DIFFERENT = {('BODY.PEEK[1]', 6), ('BODY.PEEK[1.1]', 5), ('BODY.PEEK[1.1]', 7),
             ('BODY.PEEK[2.1]', 5), ('BODY.PEEK[2.1]', 6)}


def read_data(text):
    """The data of a response as nested lists; how a string was written does not matter."""
    stack, at = [[]], 0
    token = re.compile(r'\{(\d+)\}\r\n|"((?:[^"\\]|\\.)*)"|([()])|'
                       r'([^\s()"]*\[[^]]*\]\S*|[^\s()"]+)|\s+')
    while at < len(text):
        match = token.match(text, at)
        assert match, text[at:]
        at = match.end()
        if match.group(1) is not None:
            size = int(match.group(1))
            stack[-1].append(text[at:at + size])
            at += size
        elif match.group(2) is not None:
            stack[-1].append(re.sub(r'\\(.)', r'\1', match.group(2)))
        elif match.group(3) == '(':
            stack.append([])
        elif match.group(3) == ')':
            inner = stack.pop()
            stack[-1].append(inner)
        elif match.group(4):
            # Of a part that is not there one says NIL, the other that it is empty.
            stack[-1].append('' if match.group(4) == 'NIL' else match.group(4))
    return stack[0]


def without_case(data):
    return [without_case(d) for d in data] if isinstance(data, list) else data.lower()


@pytest.mark.parametrize('item', ITEMS)
def test_messages_are_described_alike(described, item):
    for number in range(1, len(SAMPLES) + 1):
        if (item, number) in DIFFERENT:
            continue
        ours, theirs = [read_data(wire.ok(f'FETCH {number} {item}')[0]) for wire in described]
        if item in ('BODY', 'BODYSTRUCTURE'):
            ours, theirs = without_case(ours), without_case(theirs)
        assert ours == theirs, f'message {number}'


@pytest.mark.parametrize('query', [
    'SUBJECT plain', 'NOT SUBJECT a', 'FROM sender', 'TO mary', 'CC ed', 'BCC john',
    'HEADER Sender s@', 'HEADER X ""', 'BODY text', 'BODY "see below"', 'TEXT inner',
    'TEXT nowhere', 'LARGER 400', 'SMALLER 200', 'SENTON 2-Jan-2024',
    'SENTBEFORE 2-Jan-2024 SENTSINCE 1-Jan-2000', 'SINCE 1-Jan-2020', 'BEFORE 1-Jan-2020',
    'OR SUBJECT plain SUBJECT forwarded', '2:4 NOT 3', 'NOT (SUBJECT plain OR FROM x TO mary)',
    'UID 3:*', '1:99', 'KEYWORD none', 'UNKEYWORD none',
    'CHARSET UTF-8 HEADER Reply-To "j\u00f6rg"', 'HEADER Message-ID <plain@example.org>'])
def test_searches_find_the_same(described, query):
    found = [wire.ok(f'SEARCH {query}')[0] for wire in described]
    assert found[0] == found[1]


@pytest.fixture(scope='module')
def described(tmp_path_factory):
    """Our session and Dovecot's on one mailbox with the samples."""
    run = tmp_path_factory.mktemp('dovecot')
    with Server(accounts=[USER]) as server:
        dovecot = Dovecot(server, USER, run)
        client = dovecot.imap()
        for sample in SAMPLES:
            client.append('INBOX', None, None, sample)
        client.logout()
        with Pipe(dovecot) as theirs, Imap(server, USER) as ours:
            theirs.ok('SELECT INBOX')
            ours.ok('SELECT INBOX')
            yield ours, theirs


@pytest.mark.skipif(not (LIBEXEC / 'pop3').exists(),
                    reason='dovecot-pop3d is not installed: unique ids are not compared')
def test_pop3_clients_keep_their_unique_ids(dovecot):
    seed(dovecot.server)
    theirs = dovecot.pop3('UIDL', 'LIST')
    client = pop3(dovecot.server, USER)
    ours = [[line.decode() for line in lines] for lines in (client.uidl()[1], client.list()[1])]
    client.quit()
    assert len(ours[0]) == 6
    for lines in ours:
        at = theirs.index(lines[0])
        assert theirs[at:at + len(lines)] == lines
