"""SEARCH (RFC 3501 6.4.4) and what extends it: RFC 4731, 5032, 5182, 9394, 9585."""
import datetime
import random
import re

import pytest
from test_imap import Imap

CRLF = b'\r\n'


def mail(headers, body='text\r\n'):
    return ''.join(f'{k}: {v}\r\n' for k, v in headers).encode() + CRLF + body.encode()


def append(wire, text, flags='', date=''):
    date = f'"{date}" ' if date else ''
    tag = wire.start(f'APPEND INBOX {flags}{date}{{{len(text)}+}}')
    wire.send(text + CRLF)
    status, _ = wire.finish(tag)
    assert status.startswith('OK'), status


WORDS = ['alpha', 'Beta', 'GAMMA', 'délta', 'epsilon', 'zeta', 'Straße', '=?utf-8?q?=C3=89ta?=']
NAMES = ['Ann', 'Bob', 'Zoë', 'Dave']
KEYWORDS = ['$Junk', 'Work']
FLAGS = ['\\Seen', '\\Answered', '\\Flagged', '\\Deleted', '\\Draft']
DAYS = [datetime.date(2024, 2, 27) + datetime.timedelta(n) for n in range(6)]


def fold(text):
    return (text.replace('=?utf-8?q?=C3=89ta?=', 'Éta').replace('ß', 'ss').replace('é', 'e')
            .replace('É', 'e').replace('ë', 'e').lower())


class Model:
    """Messages as Python sees them; a key is the text for the server and a predicate."""

    def __init__(self, rng):
        self.rng = rng
        self.messages = []

    def new_message(self):
        rng = self.rng
        subject = ' '.join(rng.choices(WORDS, k=rng.randint(0, 4)))
        sent = rng.choice([*DAYS, None])
        date = rng.choice(DAYS)
        m = {
            'headers': [('From', f'{rng.choice(NAMES)} <{rng.choice("abc")}@example.org>'),
                        ('To', f'{rng.choice("abc")}@example.org')],
            'flags': {f for f in FLAGS + KEYWORDS if rng.random() < .3},
            'body': ' '.join(rng.choices(WORDS[:4], k=5)) + '\r\n' * rng.randint(1, 40),
            'date': date, 'sent': sent,
        }
        if rng.random() < .8:
            m['headers'].append(('Subject', subject))
        for name, chance in ('Cc', .3), ('Cc', .2), ('X-Other', .3), ('List-Id', .3):
            if rng.random() < chance:
                m['headers'].append((name, rng.choice(WORDS[:4])))
        if sent:
            m['headers'].append(('Date', sent.strftime('%d %b %Y 23:30:00 -0500')))
        self.messages.append(m)
        m['text'] = mail([*m['headers'], ('Content-Type', 'text/plain; charset=utf-8')],
                         m['body'])
        return m

    def any_header(self, m, name, word):
        return any(n.lower() == name.lower() and fold(word) in fold(v) for n, v in m['headers'])

    def leaf(self):
        rng = self.rng
        kind = rng.choice(['flag', 'keyword', 'header', 'named', 'date', 'sent', 'size', 'seq',
                           'uid', 'body', 'all'])
        if kind == 'flag':
            flag = rng.choice(FLAGS)
            name = flag[1:].upper()
            if rng.random() < .5:
                return name, lambda n, m: flag in m['flags']
            return 'UN' + name, lambda n, m: flag not in m['flags']
        if kind == 'keyword':
            word = rng.choice([*KEYWORDS, 'Unknown'])
            if rng.random() < .5:
                return f'KEYWORD {word}', lambda n, m: word in m['flags']
            return f'UNKEYWORD {word}', lambda n, m: word not in m['flags']
        if kind in ('header', 'named'):
            word = rng.choice(['alp', 'BETA', 'delta', 'dÉlta', 'strasse', 'éta', 'a b', '', 'ann',
                               'zoe', 'gamma délta', 'missing'])
            if kind == 'header':
                name = rng.choice(['X-Other', 'List-Id', 'CC', 'subject', 'Received'])
                key = f'HEADER {name} '
            else:
                name = rng.choice(['SUBJECT', 'FROM', 'TO', 'CC', 'BCC'])
                key = f'{name} '
            literal = f'{{{len(word.encode())}+}}\r\n{word}'
            return key + literal, lambda n, m: self.any_header(m, name, word)
        if kind in ('date', 'sent'):
            day = rng.choice(DAYS)
            how, test = rng.choice([('BEFORE', lambda d: d < day), ('ON', lambda d: d == day),
                                    ('SINCE', lambda d: d >= day)])
            what = 'date' if kind == 'date' else 'sent'
            name = how if kind == 'date' else 'SENT' + how
            return (f'{name} {day.day}-{day:%b-%Y}',
                    lambda n, m: m[what] is not None and test(m[what]))
        if kind == 'size':
            size = rng.randint(100, 400)
            if rng.random() < .5:
                return f'LARGER {size}', lambda n, m: len(m['text']) > size
            return f'SMALLER {size}', lambda n, m: len(m['text']) < size
        if kind in ('seq', 'uid'):
            a, b = sorted(rng.choices(range(1, len(self.messages) + 5), k=2))
            return ('UID ' if kind == 'uid' else '') + f'{b}:{a}', lambda n, m: a <= n <= b
        if kind == 'body':
            word = rng.choice(['alpha', 'beta', 'DELTA', 'gamma delta'])
            return f'BODY "{word}"', lambda n, m: fold(word) in fold(m['body'])
        return 'ALL', lambda n, m: True

    def key(self, depth=0):
        r = self.rng.random()
        if depth > 3 or r < .5:
            return self.leaf()
        (a, pa), (b, pb) = self.key(depth + 1), self.key(depth + 1)
        if r < .65:
            return f'NOT {a}', lambda n, m: not pa(n, m)
        if r < .8:
            return f'OR {a} {b}', lambda n, m: pa(n, m) or pb(n, m)
        return f'({a} {b})', lambda n, m: pa(n, m) and pb(n, m)

    def found(self, test):
        return [n for n, m in enumerate(self.messages, 1) if test(n, m)]


def numbers(text):
    """A set as the list of its numbers, in its order."""
    out = []
    for item in text.split(',') if text else []:
        first, _, last = item.partition(':')
        out += range(int(first), int(last or first) + 1)
    return out


def results(lines):
    """The items of an ESEARCH response."""
    line, = [line for line in lines if line.startswith('* ESEARCH')]
    head = re.match(r'\* ESEARCH \(TAG "?(\w+)"?\)( UID)?', line)
    rest = line[head.end():]
    found = dict(re.findall(r' (MIN|MAX|COUNT|ALL|MODSEQ) ([\d:,]+)', rest))
    partial = re.search(r'PARTIAL \((\S+) (\S+)\)', rest)
    if partial:
        found['PARTIAL'] = partial.groups()
    found['TAG'], found['UID'] = head.group(1), bool(head.group(2))
    return found


@pytest.fixture
def model(server, user):
    made = Model(random.Random(7))
    with Imap(server, user) as wire:
        for _ in range(40):
            m = made.new_message()
            append(wire, m['text'], f'({" ".join(sorted(m["flags"]))}) ',
                   m['date'].strftime('%d-%b-%Y 12:00:00 +0000'))
        wire.ok('SELECT INBOX')
        made.wire = wire
        yield made


def test_random_searches_find_what_the_model_finds(model):
    for _ in range(300):
        text, test = model.key()
        want = model.found(test)
        lines = model.wire.ok(f'SEARCH CHARSET UTF-8 {text}')
        assert lines == ['* SEARCH' + ''.join(f' {n}' for n in want)], text
        got = results(model.wire.ok(f'UID SEARCH RETURN (ALL COUNT MIN MAX) {text}'))
        assert numbers(got.get('ALL')) == want, text
        assert int(got['COUNT']) == len(want)
        assert got.get('MIN') == (str(want[0]) if want else None)
        assert got.get('MAX') == (str(want[-1]) if want else None)


def test_pipelined_and_byte_by_byte_it_is_the_same(model):
    asked = [model.key() for _ in range(12)]
    tags = [f'x{n}' for n in range(len(asked))]
    text = ''.join(f'{tag} SEARCH {key}\r\n' for tag, (key, _) in zip(tags, asked, strict=True))
    wants = [['* SEARCH' + ''.join(f' {n}' for n in model.found(t))] for _, t in asked]
    model.wire.send(text)
    assert [model.wire.finish(tag)[1] for tag in tags] == wants
    for byte in text.encode():
        model.wire.send(bytes([byte]))
    assert [model.wire.finish(tag)[1] for tag in tags] == wants


@pytest.fixture
def five(server, user):
    with Imap(server, user) as wire:
        for n in range(1, 6):
            append(wire, mail([('Subject', f'number {n}'), ('From', 'a@example.org')]),
                   '(\\Flagged) ' if n in (2, 3, 5) else '')
        wire.ok('SELECT INBOX')
        yield wire


# RFC 4731

def test_only_what_is_asked_for_is_returned(five):
    # RFC 4731 3.1: "MIN ... MAX ... ALL ... COUNT"
    assert five.ok('SEARCH RETURN (MIN COUNT) FLAGGED') == [
        f'* ESEARCH (TAG "t{five.count}") MIN 2 COUNT 3']
    assert five.ok('SEARCH RETURN (MAX) FLAGGED') == [f'* ESEARCH (TAG "t{five.count}") MAX 5']
    assert five.ok('UID SEARCH RETURN (ALL) FLAGGED') == [
        f'* ESEARCH (TAG "t{five.count}") UID ALL 2:3,5']


def test_an_empty_list_of_options_is_all(five):
    # RFC 4731 3.1: "the list of result options is empty: ... is equivalent to ... ALL"
    assert five.ok('SEARCH RETURN () FLAGGED') == [f'* ESEARCH (TAG "t{five.count}") ALL 2:3,5']


def test_nothing_found_has_no_numbers(five):
    # RFC 4731 3.1: "If the SEARCH results in no matches, the server MUST NOT include the ALL result
    # option in the ESEARCH response."
    assert five.ok('SEARCH RETURN (MIN MAX ALL COUNT) DRAFT') == [
        f'* ESEARCH (TAG "t{five.count}") COUNT 0']
    assert five.ok('SEARCH RETURN (ALL) DRAFT') == [f'* ESEARCH (TAG "t{five.count}")']


@pytest.mark.parametrize('bad', [
    'RETURN', 'RETURN ALL', 'RETURN (ALL', 'RETURN (ALL)', 'RETURN (OTHER) ALL',
    'RETURN (MIN MIN) ALL', 'RETURN (PARTIAL) ALL', 'RETURN (PARTIAL 0:1) ALL',
    'RETURN (PARTIAL 1:-1) ALL', 'RETURN (PARTIAL -1:1) ALL', 'RETURN (ALL PARTIAL 1:2) ALL',
    'YOUNGER 0', 'OLDER', 'OLDER x', 'MODSEQ', '$,1', '1:$', 'YOUNGER 4294967296'])
def test_malformed_options_are_bad(five, bad):
    five.bad(f'SEARCH {bad}')
    five.ok('NOOP')


# RFC 9394

@pytest.mark.parametrize(('window', 'want'), [
    ('1:2', '2:3'), ('2:1', '2:3'), ('2:500', '3,5'), ('4:5', 'NIL'), ('3:3', '5'),
    ('-1:-1', '5'), ('-1:-2', '3,5'), ('-2:-500', '2:3'), ('-4:-5', 'NIL'),
    ('4294967295:4294967295', 'NIL')])
def test_a_part_of_the_results_can_be_asked_for(five, window, want):
    got = results(five.ok(f'UID SEARCH RETURN (PARTIAL {window}) FLAGGED'))
    assert got['PARTIAL'] == (window, want)


# RFC 5182

def test_what_was_found_can_be_used_again(five):
    # RFC 5182 2.1: "it does not return any ESEARCH response" when only SAVE was asked for
    assert five.ok('SEARCH RETURN (SAVE) FLAGGED') == []
    assert [line.split()[1] for line in five.ok('FETCH $ (UID)')] == ['2', '3', '5']
    assert five.ok('UID SEARCH UID $ NOT 3') == ['* SEARCH 2 5']
    assert five.ok('SEARCH OR $ 1') == ['* SEARCH 1 2 3 5']
    assert five.ok('SEARCH $ NOT $') == ['* SEARCH']
    five.ok('STORE $ +FLAGS.SILENT (\\Seen)')
    assert five.ok('SEARCH SEEN') == ['* SEARCH 2 3 5']


def test_min_and_max_save_what_they_return(five):
    # RFC 5182 2.1: "SAVE MIN ... only the message with the lowest message number"
    five.ok('SEARCH RETURN (SAVE MIN) FLAGGED')
    assert five.ok('SEARCH $') == ['* SEARCH 2']
    five.ok('SEARCH RETURN (SAVE MIN MAX) FLAGGED')
    assert five.ok('SEARCH $') == ['* SEARCH 2 5']
    five.ok('SEARCH RETURN (SAVE MIN COUNT) FLAGGED')
    assert five.ok('SEARCH $') == ['* SEARCH 2 3 5']
    five.ok('SEARCH RETURN (SAVE PARTIAL 2:2) FLAGGED')
    assert five.ok('SEARCH $') == ['* SEARCH 3']
    five.ok('SEARCH RETURN (SAVE PARTIAL 2:2 MIN) FLAGGED')
    assert five.ok('SEARCH $') == ['* SEARCH 2 3']


def test_expunged_messages_leave_what_was_saved(five):
    # RFC 5182 2.1: "when a message listed in the search result variable is EXPUNGEd, it is
    # automatically removed from the list"
    five.ok('SEARCH RETURN (SAVE) FLAGGED')
    five.ok('STORE 1,3 +FLAGS.SILENT (\\Deleted)')
    five.ok('EXPUNGE')
    assert five.ok('SEARCH $') == ['* SEARCH 1 3']
    assert five.ok('UID SEARCH UID $') == ['* SEARCH 2 5']


def test_nothing_is_saved_at_first_after_select_and_after_no(five):
    # RFC 5182 2.1: "set to an empty sequence" initially, on SELECT, and when SAVE gets a NO
    assert five.ok('SEARCH $') == ['* SEARCH']
    assert five.ok('UID FETCH $ FLAGS') == []
    five.ok('SEARCH RETURN (SAVE) ALL')
    five.no('SEARCH RETURN (SAVE) CHARSET X-NONE ALL')
    assert five.ok('SEARCH $') == ['* SEARCH']
    five.ok('SEARCH RETURN (SAVE) ALL')
    five.bad('SEARCH RETURN (SAVE) XYZZY')
    assert five.ok('SEARCH RETURN (COUNT) $')[0].endswith('COUNT 5')
    five.ok('SELECT INBOX')
    assert five.ok('SEARCH $') == ['* SEARCH']


def test_saving_and_using_can_be_pipelined(five):
    # RFC 5182 2.2: pipelining
    five.send('a SEARCH RETURN (SAVE) FLAGGED\r\nb STORE $ +FLAGS (\\Seen)\r\n'
              'c UID SEARCH SEEN\r\n')
    assert five.finish('a')[0].startswith('OK')
    assert five.finish('b')[0].startswith('OK')
    assert five.finish('c')[1] == ['* SEARCH 2 3 5']


# RFC 5032

def test_messages_are_found_by_their_age(server, user):
    now = datetime.datetime.now(datetime.timezone.utc)
    with Imap(server, user) as wire:
        for age in 10, 1000, 100000:
            then = now - datetime.timedelta(seconds=age)
            append(wire, mail([('Subject', str(age))]),
                   date=then.strftime('%d-%b-%Y %H:%M:%S +0000'))
        wire.ok('SELECT INBOX')
        assert wire.ok('SEARCH YOUNGER 500') == ['* SEARCH 1']
        assert wire.ok('SEARCH OLDER 500') == ['* SEARCH 2 3']
        assert wire.ok('SEARCH OLDER 500 YOUNGER 50000') == ['* SEARCH 2']
        assert wire.ok('SEARCH YOUNGER 4294967295') == ['* SEARCH 1 2 3']


# RFC 5267

def apply_updates(lines, tag, known):
    """What a client knows of the results after some answers."""
    for line in lines:
        head = re.match(rf'\* ESEARCH \(TAG "{tag}"\) UID (ADDTO|REMOVEFROM) \(0 (\S+)\)$', line)
        if not head:
            assert 'ADDTO' not in line and 'REMOVEFROM' not in line, line
            continue
        changed = set(numbers(head.group(2)))
        if head.group(1) == 'ADDTO':
            assert not changed & known, line
            known |= changed
        else:
            assert changed <= known, line
            known -= changed


def test_results_stay_right_whatever_happens(server, user):
    # RFC 5267 4.3: "notifications of changes"
    rng = random.Random(9)
    with Imap(server, user) as wire, Imap(server, user) as other:
        for n in range(10):
            append(wire, mail([('Subject', f'number {n}')]))
        for w in (wire, other):
            w.ok('SELECT INBOX')
        keys = ['FLAGGED', 'OR SEEN SUBJECT 3', 'NOT DELETED BODY text', 'UID 2:5 NOT FLAGGED']
        known = {}
        for n, key in enumerate(keys):
            wire.send(f'k{n} UID SEARCH RETURN (UPDATE ALL) {key}\r\n')
            known[n] = set(numbers(results(wire.finish(f'k{n}')[1]).get('ALL')))
        for _ in range(80):
            who = rng.choice([wire, other])
            what = rng.choice(['flag', 'flag', 'flag', 'append', 'expunge'])
            if what == 'append':
                append(other, mail([('Subject', f'number {rng.randint(0, 9)}')]))
                lines = who.ok('NOOP')
            elif what == 'expunge':
                lines = who.ok('EXPUNGE')
            else:
                flag = rng.choice(['\\Flagged', '\\Seen', '\\Deleted'])
                uids = ','.join(str(rng.randint(1, 30)) for _ in range(3))
                silent = rng.choice(['', '.SILENT'])
                lines = who.ok(f'UID STORE {uids} {rng.choice("+-")}FLAGS{silent} ({flag})')
            if who is other:
                lines = []
            lines += wire.ok('NOOP')
            for n, key in enumerate(keys):
                mine = [line for line in lines if f'"k{n}"' in line]
                apply_updates(mine, f'k{n}', known[n])
                more = wire.ok(f'UID SEARCH RETURN (ALL) {key}')
                apply_updates([line for line in more if f'"k{n}"' in line], f'k{n}', known[n])
                now, = [line for line in more if f'TAG "t{wire.count}"' in line]
                want = set(numbers(results([now]).get('ALL')))
                # other searches may have brought news of theirs
                for k in range(len(keys)):
                    if k != n:
                        apply_updates([x for x in more if f'"k{k}"' in x], f'k{k}', known[k])
                assert known[n] == want, key
