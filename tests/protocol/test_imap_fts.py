"""SEARCH BODY and TEXT by the full-text index: what it finds is what reading the mail finds."""
import base64
import quopri
import random
import sqlite3
from contextlib import closing

import pytest
from server import DOMAIN, wait_until
from test_imap import Imap
from test_imap_search import append, fold, mail
from wire import deliver, message

USER = f'user0@{DOMAIN}'


class Index:
    """The index of USER, as SQLite sees it."""

    def __init__(self, server):
        self.server = server
        self.path = next(server.root.rglob('fts')) / DOMAIN / 'user0' / 'text.db'

    def count(self):
        if not self.path.exists():
            return 0
        try:
            with closing(sqlite3.connect(f'file:{self.path}?mode=ro', uri=True)) as db:
                return db.execute('SELECT count(*) FROM doc').fetchone()[0]
        except sqlite3.Error:
            return 0

    def marks(self):
        """How far each mailbox is in."""
        with closing(sqlite3.connect(f'file:{self.path}?mode=ro', uri=True)) as db:
            return [row[0] for row in db.execute('SELECT uid FROM box')]

    def wait(self, count):
        wait_until(lambda: self.count() == count, what=f'{count} messages in the index')


@pytest.fixture
def fts(make_server):
    server = make_server(accounts=[USER], env={'POSTHORN_SEARCH_INDEX_DELAY': '0'})
    return Index(server)


def part(text, charset, encoding, subtype='plain'):
    raw = text.encode(charset)
    body = {'base64': base64.encodebytes, 'quoted-printable': quopri.encodestring,
            '8bit': bytes}[encoding](raw)
    return (f'Subject: a part\r\nContent-Type: text/{subtype}; charset={charset}\r\n'
            f'Content-Transfer-Encoding: {encoding}\r\n\r\n').encode() + body.replace(
                b'\n', b'\r\n').replace(b'\r\r', b'\r') + b'\r\n'


def found(wire, key, text):
    raw = text.encode()
    literal = f'{{{len(raw)}+}}\r\n{text}'
    line, = wire.ok(f'UID SEARCH CHARSET UTF-8 {key} {literal}')
    return [int(n) for n in line.split()[2:]]


MAILS = [
    part('Die Straße nach München', 'utf-8', '8bit'),
    part('MUENCHEN oder M\u00fcnchen', 'iso-8859-1', 'quoted-printable'),
    part('привет МИР', 'koi8-r', 'base64'),
    part('a "quoted" word, 100% of it; x_y*z', 'us-ascii', '8bit'),
    part('<p>M&uuml;nchen is <b>bo</b>ld<br>new line</p><style>hidden {}</style>', 'utf-8',
         'base64', 'html'),
    part('日本語のテキスト', 'iso-2022-jp', 'base64'),
    mail([('Subject', 'only in the header: waldo'), ('X-Thing', 'gadget')], 'nothing here\r\n'),
    mail([('Subject', 'two lines')], 'first line\r\nsecond line\r\n'),
    mail([('Subject', 'long')], 'y' * 300 + ' end\r\n'),
]
ASKED = [
    ('BODY', 'münchen', [1, 2, 5]), ('BODY', 'MUNCHEN', [1, 2, 5]), ('BODY', 'strasse', [1]),
    ('BODY', 'stra', [1]), ('BODY', 'ПРИВЕТ', [3]), ('BODY', 'ивет м', [3]),
    ('BODY', '"quoted"', [4]), ('BODY', '100%', [4]), ('BODY', 'x_y*z', [4]), ('BODY', 'y*', [4]),
    ('BODY', 'bold', [5]), ('BODY', 'ld new', [5]), ('BODY', 'hidden', []), ('BODY', 'uuml', []),
    ('BODY', '日本語', [6]), ('BODY', 'テ', [6]), ('BODY', 'waldo', []), ('TEXT', 'waldo', [7]),
    ('TEXT', 'gadget', [7]), ('TEXT', 'X-Thing: gad', [7]), ('BODY', 'here', [7]),
    ('BODY', 'line second', []), ('BODY', 'line\r\nsecond', [8]), ('BODY', 'y' * 250, [9]),
    ('BODY', 'y' * 300 + ' end', [9]), ('BODY', 'y' * 301, []), ('BODY', 'yyx', []),
    ('BODY', 'zz', []), ('BODY', '', list(range(1, 10))), ('TEXT', 'a part', [1, 2, 3, 4, 5, 6]),
    ('NOT BODY', 'line', [1, 2, 3, 4, 6, 7, 9]),
    ('NOT TEXT', 'a part', [7, 8, 9]),
]


def check_all(wire):
    for key, text, want in ASKED:
        assert found(wire, key, text) == want, (key, text)


def test_the_index_finds_what_reading_finds(fts):
    with Imap(fts.server, USER) as wire:
        for text in MAILS:
            append(wire, text)
        wire.ok('SELECT INBOX')
        check_all(wire)
        fts.wait(len(MAILS))
        check_all(wire)
        # some indexed, some not
        append(wire, mail([('Subject', 'late')], 'München again\r\n'))
        wire.ok('NOOP')
        assert found(wire, 'BODY', 'münchen') == [1, 2, 5, 10]


def test_delivered_mail_is_indexed_and_the_index_is_used(fts):
    deliver(fts.server, USER, message('one', 'a needle in it\r\n'), message('two', 'straw\r\n'))
    fts.server.wait_stored(USER, 2)
    fts.wait(2)
    for path in fts.server.maildir(USER).rglob('*,S=*'):
        # The file is not looked into: what is there now nobody would find.
        path.write_bytes(path.read_bytes().replace(b'needle', b'xxxxxx'))
    with Imap(fts.server, USER) as wire:
        wire.ok('SELECT INBOX')
        assert len(found(wire, 'BODY', 'needle')) == 1
        assert found(wire, 'BODY', 'xxxxxx') == []


def test_copies_moves_and_other_mailboxes_need_no_new_rows(fts):
    with Imap(fts.server, USER) as wire:
        for text in MAILS:
            append(wire, text)
        wire.ok('SELECT INBOX')
        fts.wait(len(MAILS))
        wire.ok('CREATE other')
        wire.ok('MOVE 1:3 other')
        wire.ok('COPY 2 other')
        wire.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
        wire.ok('EXPUNGE')
        assert found(wire, 'BODY', 'münchen') == [5]
        wire.ok('SELECT other')
        assert found(wire, 'BODY', 'münchen') == [1, 2, 4]
    wait_until(lambda: 4 in fts.marks(), what='the other mailbox')
    assert fts.count() == len(MAILS)


def test_what_repeats_itself_is_found_too(fts):
    with Imap(fts.server, USER) as wire:
        append(wire, part('ab' * 5000 + ' the end', 'us-ascii', 'base64'))
        append(wire, part('ab' * 5000 + ' another', 'us-ascii', 'base64'))
        wire.ok('SELECT INBOX')
        fts.wait(2)
        assert found(wire, 'BODY', 'the end') == [1]
        assert found(wire, 'BODY', 'ab' * 45) == [1, 2]
        assert found(wire, 'BODY', 'ab' * 4000) == [1, 2]
        assert found(wire, 'BODY', 'nothing') == []


@pytest.mark.parametrize('damage', ['garbage', 'cut', 'gone', 'pages'])
def test_a_damaged_index_is_reported_and_made_again(fts, damage):
    with Imap(fts.server, USER) as wire:
        for text in MAILS:
            append(wire, text)
        wire.ok('SELECT INBOX')
        fts.wait(len(MAILS))
    fts.server.stop()
    data = fts.path.read_bytes()
    if damage == 'gone':
        fts.path.unlink()
    elif damage == 'garbage':
        fts.path.write_bytes(b'x' * len(data))
    elif damage == 'cut':
        fts.path.write_bytes(data[:len(data) // 2])
    else:
        fts.path.write_bytes(data[:4096] + b'\xff' * (len(data) - 4096))
    fts.server.start()
    with Imap(fts.server, USER) as wire:
        wire.ok('SELECT INBOX')
        check_all(wire)
        fts.wait(len(MAILS))
        check_all(wire)
    if damage != 'gone':
        assert 'the full-text index is made again' in fts.server.log()


def test_rows_that_were_lost_come_back(fts):
    with Imap(fts.server, USER) as wire:
        for text in MAILS:
            append(wire, text)
        wire.ok('SELECT INBOX')
        fts.wait(len(MAILS))
    with closing(sqlite3.connect(fts.path)) as db, db:
        db.execute("INSERT INTO txt(txt) VALUES('delete-all')")
        db.execute('DELETE FROM doc')
    with Imap(fts.server, USER) as wire:
        wire.ok('SELECT INBOX')
        check_all(wire)
        fts.wait(len(MAILS))
        check_all(wire)


def test_old_mail_is_indexed_in_the_background_with_progress(fts):
    count = 1100
    box = fts.server.maildir(USER)
    fts.server.stop()
    for name in 'cur', 'new', 'tmp':
        (box / name).mkdir(parents=True, exist_ok=True)
    for n in range(count):
        text = mail([('Subject', f'old {n}')], f'number {n} of old mail\r\n')
        (box / 'cur' / f'{n}.host,S={len(text)},W={len(text)}:2,S').write_bytes(text)
    fts.server.start()
    with Imap(fts.server, USER) as wire:
        wire.ok('SELECT INBOX')
        assert found(wire, 'BODY', f'number {count - 1} ') != []
        wait_until(lambda: fts.count() == count, seconds=60, what='the index')
        assert len(found(wire, 'BODY', 'of old mail')) == count
    wait_until(lambda: f'({USER}): {count} of {count} messages are in the full-text index'
               in fts.server.log(), what='the log line')


def run_setup(fts, *args):
    return fts.server.setup('mailbox', *args)


def test_setup_tells_how_far_the_index_is(fts):
    """Also of a server that is gone, and nobody but the server adds to it."""
    deliver(fts.server, USER, message('first'))
    shown = run_setup(fts, 'fulltext', USER, '--wait')
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout == f'{USER}: 1 of 1 messages are in the full-text index\n'
    fts.server.stop()
    (fts.server.maildir(USER) / 'new/2.host').write_bytes(message('second'))
    shown = run_setup(fts, 'fulltext', USER)
    assert [line.split() for line in shown.stdout.splitlines()[:2]] == [
        ['messages', 'indexed', 'to', 'do', 'mailbox'], ['2', '1', '1', 'INBOX']]
    assert shown.stdout.endswith(f'{USER}: 1 of 2 messages are in the full-text index\n')
    assert fts.count() == 1


def test_setup_refuses_options_it_does_not_know(fts):
    shown = run_setup(fts, 'fulltext', USER, '--for-ever')
    assert shown.returncode == 1 and "'--for-ever' is not an option" in shown.stderr


def test_reindexing_an_account_makes_its_full_text_index_again(fts):
    made_again = f'({USER}): the full-text index is made again: it is asked for'
    with Imap(fts.server, USER) as wire:
        for text in MAILS:
            append(wire, text)
        wire.ok('SELECT INBOX')
        fts.wait(len(MAILS))
        assert run_setup(fts, 'reindex', USER, 'INBOX').returncode == 0
        check_all(wire)
        assert made_again not in fts.server.log()
        assert run_setup(fts, 'reindex', USER).returncode == 0
        check_all(wire)
        wait_until(lambda: made_again in fts.server.log(), what='the log line')
        fts.wait(len(MAILS))
        check_all(wire)


def test_without_the_setting_there_is_no_index(make_server):
    server = make_server(accounts=[USER], env={'POSTHORN_SEARCH_INDEX': '0'})
    with Imap(server, USER) as wire:
        for text in MAILS:
            append(wire, text)
        wire.ok('SELECT INBOX')
        check_all(wire)
    assert not list(server.root.rglob('text.db'))


def test_random_texts_are_found_as_the_model_finds_them(fts):
    rng = random.Random(4)
    letters = 'abAB äÄß"\'%_*-'
    bodies = [''.join(rng.choices(letters, k=rng.randint(1, 60))) for _ in range(60)]
    with Imap(fts.server, USER) as wire:
        for body in bodies:
            append(wire, part(body, 'utf-8', rng.choice(['8bit', 'base64', 'quoted-printable'])))
        wire.ok('SELECT INBOX')
        fts.wait(len(bodies))
        for _ in range(200):
            text = ''.join(rng.choices(letters, k=rng.randint(1, 5)))
            want = [n for n, body in enumerate(bodies, 1)
                    if fold(text.replace('Ä', 'ä').replace('ä', 'a')) in
                    fold(body.replace('Ä', 'ä').replace('ä', 'a'))]
            assert found(wire, 'BODY', text) == want, text
