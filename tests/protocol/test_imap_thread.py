"""THREAD (RFC 5256): ORDEREDSUBJECT, REFERENCES, REFS."""
import random

import pytest
from test_dovecot import LIBEXEC, USER, dovecot  # noqa: F401
from test_imap import Imap
from test_imap_search import append, mail
from test_imap_sort import base

RULES = ['SUBJECT', 'DATE', 'REVERSE SUBJECT DATE', 'ARRIVAL SIZE']
SUBJECTS = ['apple', 'Re: apple', 'banana', 'Fwd: banana', '', 'cherry', '[x] Re: cherry']


class Node:
    def __init__(self, message=None):
        self.message, self.parent, self.children = message, None, []

    def adopt(self, child):
        if child.parent:
            child.parent.children.remove(child)
        child.parent = self
        self.children.append(child)

    def is_above(self, other):
        while other:
            if other is self:
                return True
            other = other.parent
        return False

    def first(self):
        return self if self.message else min(self.children, key=Node.key)

    def key(self):
        m = self.first().message
        return m['date'], m['seq']

    def latest(self):
        own = [(self.message['date'], self.message['seq'])] if self.message else []
        return max(own + [c.latest() for c in self.children])


def is_response(subject):
    return base(subject) != subject.strip().upper() and subject != '[x] apple'


def references(messages, by_subject=True):
    """The roots, as RFC 5256 section 3 makes them."""
    table = {}
    nodes = []
    for m in messages:
        if m['id'] and m['id'] in table and not table[m['id']].message:
            node = table[m['id']]
            node.message = m
        else:
            node = Node(m)
            if m['id'] and m['id'] not in table:
                table[m['id']] = node
            nodes.append(node)
        refs = m['references'] or m['in_reply_to'][:1]
        refs = [r for r in refs if r != m['id']]
        last = None
        for ref in refs:
            if ref not in table:
                table[ref] = Node()
                nodes.append(table[ref])
            this = table[ref]
            if last and not this.parent and not this.is_above(last):
                last.adopt(this)
            last = this
        if node.parent and node.parent is not last:
            node.parent.children.remove(node)
            node.parent = None
        if last and node.parent is not last and not node.is_above(last):
            last.adopt(node)

    def prune(node, at_root):
        kept = [k for c in list(node.children) for k in prune(c, False)]
        node.children = kept
        for k in kept:
            k.parent = node
        if node.message or (at_root and len(kept) > 1):
            return [node]
        return kept

    roots = [k for n in nodes if not n.parent for k in prune(n, True)]
    for root in roots:
        root.parent = None
    roots.sort(key=Node.key)
    return gather(roots) if by_subject else roots


def gather(roots):
    table = {}
    for root in roots:
        m = root.first().message
        subject = base(m['subject'])
        if not subject:
            continue
        there = table.setdefault(subject, root)
        if there is not root and there.message and (not root.message or (
                is_response(there.message['subject']) and not is_response(m['subject']))):
            table[subject] = root
    out = list(roots)
    for root in roots:
        subject = base(root.first().message['subject'])
        there = table.get(subject)
        if not subject or there is root:
            continue
        if not there.message:
            for child in (list(root.children) if not root.message else [root]):
                there.adopt(child)
            out.remove(root)
        elif is_response(root.message['subject']) and not is_response(there.message['subject']):
            there.adopt(root)
            out.remove(root)
        else:
            both = Node()
            out[out.index(there)] = both
            out.remove(root)
            both.adopt(there)
            both.adopt(root)
            table[subject] = both
    return out


def ordered_subject(messages):
    groups = {}
    for m in sorted(messages, key=lambda m: (m['date'], m['seq'])):
        node = Node(m)
        if root := groups.get(base(m['subject'])):
            root.adopt(node)
        else:
            groups[base(m['subject'])] = node
    return list(groups.values())


def text_of(node, enclosed=True):
    children = sorted(node.children, key=Node.key)
    out = str(node.message['seq']) if node.message else ''
    if children and out:
        out += ' '
    if len(children) == 1:
        out += text_of(children[0], False)
    else:
        out += ''.join(text_of(c) for c in children)
    return f'({out})' if enclosed else out


def model(messages, how):
    if how == 'ORDEREDSUBJECT':
        roots = ordered_subject(messages)
    else:
        roots = references(messages, how == 'REFERENCES')
    if how == 'REFS':
        roots.sort(key=Node.latest)
    else:
        roots.sort(key=Node.key)
    return '* THREAD ' + ''.join(text_of(r) for r in roots) if roots else '* THREAD'


def random_messages(rng, count):
    ids = [f'<{n}@x>' for n in range(count + count // 3)]
    out = []
    for seq in range(1, count + 1):
        known = ids[:seq + count // 3] if rng.random() < .7 else ids
        out.append({
            'seq': seq, 'date': rng.randint(0, 20), 'arrival': rng.randint(0, 20),
            'subject': rng.choice(SUBJECTS),
            'id': None if rng.random() < .1 else rng.choice(ids) if rng.random() < .1
                  else ids[seq],
            'references': rng.sample(known, rng.choice([0, 0, 1, 2, 5])),
            'in_reply_to': rng.sample(known, rng.choice([0, 0, 1, 2])),
        })
    return out


def put(wire, messages, mailbox='INBOX'):
    for m in messages:
        headers = [('Date', f'Mon, 3 Jun 2024 {m["date"]:02}:00:00 +0000'),
                   ('Subject', m['subject'])]
        if m['id']:
            headers.append(('Message-ID', m['id']))
        for name, key in ('References', 'references'), ('In-Reply-To', 'in_reply_to'):
            if m[key]:
                headers.append((name, ' '.join(m[key])))
        append(wire, mail(headers), date=f' 3-Jun-2024 {m["arrival"]:02}:00:00 +0000')


@pytest.mark.parametrize('seed', range(6))
def test_random_mailboxes_thread_as_the_model_says(server, user, seed):
    rng = random.Random(seed)
    messages = random_messages(rng, 60)
    with Imap(server, user) as wire:
        put(wire, messages)
        wire.ok('SELECT INBOX')
        for how in 'ORDEREDSUBJECT', 'REFERENCES', 'REFS':
            want = model(messages, how)
            assert wire.ok(f'THREAD {how} UTF-8 ALL') == [want]
            some = rng.sample(messages, 20)
            chosen = ','.join(str(m['seq']) for m in some)
            some.sort(key=lambda m: m['seq'])
            assert wire.ok(f'UID THREAD {how} US-ASCII {chosen}') == [model(some, how)], chosen
            text = f'THREAD {how} UTF-8 ALL\r\n'.encode()
            wire.send(b'p1 ' + text + b'p2 ' + text)
            assert wire.finish('p1')[1] == wire.finish('p2')[1] == [want]
            for byte in b'p3 ' + text:
                wire.send(bytes([byte]))
            assert wire.finish('p3')[1] == [want]


def test_a_thread_as_deep_as_the_mailbox(server, user):
    messages = [{'seq': n, 'date': 1, 'arrival': 1, 'subject': f'{n}', 'id': f'<{n}@x>',
                 'references': [f'<{n - 1}@x>'], 'in_reply_to': []} for n in range(1, 301)]
    with Imap(server, user) as wire:
        put(wire, messages)
        wire.ok('SELECT INBOX')
        chain = ' '.join(str(n) for n in range(1, 301))
        assert wire.ok('THREAD REFERENCES UTF-8 ALL') == [f'* THREAD ({chain})']
        assert wire.ok('THREAD REFS UTF-8 KEYWORD none') == ['* THREAD']


def test_malformed_threads_are_bad(server, user):
    with Imap(server, user) as wire:
        wire.ok('SELECT INBOX')
        for bad in '', 'REFS', 'REFS UTF-8', 'OTHER UTF-8 ALL', 'REFS ALL', 'REFS UTF-8 XYZZY':
            wire.bad(f'THREAD {bad}')
        # RFC 5256 section 3: "a tagged NO response ... [BADCHARSET]"
        assert '[BADCHARSET' in wire.no('THREAD REFS X-NONE ALL')
        wire.ok('NOOP')


@pytest.mark.skipif(not (LIBEXEC / 'imap').exists(), reason='dovecot-imapd is not installed')
def test_dovecot_sorts_and_groups_the_same(dovecot):  # noqa: F811
    with Imap(dovecot.server, USER) as wire:
        put(wire, random_messages(random.Random(11), 60))
        wire.ok('SELECT INBOX')
        ours = [wire.ok(f'SORT ({rules}) UTF-8 ALL')[0].removeprefix('* SORT ')
                for rules in RULES]
        threads = wire.ok('THREAD ORDEREDSUBJECT UTF-8 ALL')[0].removeprefix('* THREAD ')
    other = dovecot.imap()
    assert [other.sort(f'({rules})', 'UTF-8', 'ALL')[1][0].decode() for rules in RULES] == ours
    assert other.thread('ORDEREDSUBJECT', 'UTF-8', 'ALL')[1][0].decode() == threads
    other.logout()
