"""SORT (RFC 5256), DISPLAYFROM and DISPLAYTO (RFC 5957), RETURN (RFC 5267)."""
import random
import re

import pytest
from test_imap import Imap
from test_imap_search import append, mail, numbers, results

SUBJECTS = ['Re: apple', 'apple', '[list] Fwd: Banana', 'banana (fwd)', 'cherry', '',
            '[fwd: cherry]', 'RE[2]: [x] Apple  pie', 'apple pie', '_under', 'zebra']
PEOPLE = ['Zoe <abe@example.org>', 'Abe <zoe@example.org>', 'plain@example.org',
          '"Bob, Jr." <bob@example.org>', 'MIKE@example.org']


def base(subject):
    """RFC 5256 2.1"""
    s = re.sub(r'\s+', ' ', subject)
    while True:
        old = s
        s = re.sub(r'(\s|\(fwd\))+$', '', s, flags=re.I)
        while True:
            before = s
            s = re.sub(r'^(\s|(\[[^][]*\]\s*)*(re|fwd?)\s*(\[[^][]*\]\s*)?:)', '', s, flags=re.I)
            blob = re.sub(r'^\[[^][]*\]\s*', '', s)
            s = blob or s
            if s == before:
                break
        if s.lower().startswith('[fwd:') and s.endswith(']'):
            s = s[5:-1]
        if s == old:
            return s.upper()


def mailbox(address):
    return re.search(r'([^<@ ]+)@', address).group(1).upper()


def display(address):
    name = address.split('<')[0].strip(' "')
    return name.upper()


KEYS = {
    'ARRIVAL': lambda m: m['arrival'],
    'DATE': lambda m: m['sent'] if m['sent'] is not None else m['arrival'],
    'FROM': lambda m: mailbox(m['from']),
    'TO': lambda m: mailbox(m['to']),
    'CC': lambda m: mailbox(m['cc']) if m['cc'] else '',
    'SIZE': lambda m: m['size'],
    'SUBJECT': lambda m: base(m['subject']),
    'DISPLAYFROM': lambda m: display(m['from']),
    'DISPLAYTO': lambda m: display(m['to']),
}


@pytest.fixture
def box(server, user):
    rng = random.Random(3)
    messages = []
    with Imap(server, user) as wire:
        for n in range(50):
            m = {'arrival': rng.randint(0, 20), 'sent': rng.choice([None, *range(20)]),
                 'from': rng.choice(PEOPLE), 'to': rng.choice(PEOPLE),
                 'cc': rng.choice([None, *PEOPLE]), 'subject': rng.choice(SUBJECTS)}
            headers = {'From': m['from'], 'To': m['to'], 'Subject': m['subject']}
            if m['cc']:
                headers['Cc'] = m['cc']
            if m['sent'] is not None:
                # another zone each time: it is the moment that counts
                zone = n % 5
                headers['Date'] = f'Mon, 3 Jun 2024 {m["sent"] % 20 + zone:02}:00:00 +0{zone}00'
            text = mail(headers.items(), 'x' * rng.randint(0, 9) + '\r\n')
            m['size'] = len(text)
            append(wire, text, date=f' 3-Jun-2024 {m["arrival"]:02}:00:00 +0000')
            messages.append(m)
        wire.ok('SELECT INBOX')
        wire.messages = messages
        yield wire


def model(messages, rules):
    order = list(range(len(messages)))
    for rule in reversed(rules):
        order.sort(key=lambda n, r=rule: KEYS[r.split()[-1]](messages[n]),
                   reverse=rule.startswith('REVERSE'))
        # reverse=True keeps the order of equal elements, as RFC 5256 wants it
    return [n + 1 for n in order]


def test_random_orders_are_those_of_the_model(box):
    rng = random.Random(5)
    for _ in range(60):
        rules = [rng.choice(['', 'REVERSE ']) + key
                 for key in rng.sample(sorted(KEYS), rng.randint(1, 3))]
        want = model(box.messages, rules)
        got = box.ok(f'SORT ({" ".join(rules)}) UTF-8 ALL')
        assert got == ['* SORT ' + ' '.join(map(str, want))], rules
        answer = results(box.ok(f'UID SORT RETURN (ALL MIN MAX COUNT) ({" ".join(rules)}) '
                                'US-ASCII NOT 7'))
        want.remove(7)
        # RFC 5267 3.2: "the order of ... is preserved"; 3.1: MIN and MAX are first and last
        assert numbers(answer['ALL']) == want
        assert (answer['MIN'], answer['MAX'], answer['COUNT']) == (str(want[0]), str(want[-1]),
                                                                   '49')
        partial = results(box.ok(f'SORT RETURN (PARTIAL 3:5) ({" ".join(rules)}) UTF-8 ALL'))
        assert numbers(partial['PARTIAL'][1]) == model(box.messages, rules)[2:5]


def test_pipelined_and_byte_by_byte_it_is_the_same(box):
    want = ['* SORT ' + ' '.join(map(str, model(box.messages, ['SUBJECT', 'REVERSE DATE'])))]
    box.send('a SORT (SUBJECT REVERSE DATE) UTF-8 ALL\r\n'
             'b SORT (SUBJECT REVERSE DATE) UTF-8 ALL\r\n')
    assert box.finish('a')[1] == want
    assert box.finish('b')[1] == want
    for byte in b'c SORT (SUBJECT REVERSE DATE) UTF-8 ALL\r\n':
        box.send(bytes([byte]))
    assert box.finish('c')[1] == want


def test_what_was_sorted_can_be_saved(box):
    box.ok('SORT RETURN (SAVE) (REVERSE ARRIVAL) UTF-8 2:4')
    assert box.ok('SEARCH $') == ['* SEARCH 2 3 4']


def test_nothing_found_is_sorted_too(box):
    assert box.ok('SORT (DATE) UTF-8 KEYWORD none') == ['* SORT']


def test_malformed_orders_are_bad(server, user):
    with Imap(server, user) as wire:
        wire.ok('SELECT INBOX')
        for n, bad in enumerate((
                '', 'ALL', '() UTF-8 ALL', '(DATE UTF-8 ALL', '(REVERSE) UTF-8 ALL',
                '(DATE) UTF-8', '(REVERSE REVERSE DATE) UTF-8 ALL', '(NAME) UTF-8 ALL',
                '(DATE) ALL', f'({" ".join(["DATE"] * 17)}) UTF-8 ALL', '(DATE ) UTF-8 ALL')):
            wire.bad(f'SORT {bad}')
            assert wire.ok(f'SORT ({" ".join(["DATE"] * (n + 1))}) UTF-8 ALL') == ['* SORT']


def test_an_unknown_charset_is_refused(box):
    # RFC 5256 section 3: "a tagged NO response ... [BADCHARSET]"
    assert '[BADCHARSET' in box.no('SORT (DATE) X-NONE ALL')
