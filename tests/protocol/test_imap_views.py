"""Several sessions, deliveries and another program on the same mailboxes, at random: what each
client has been told must always add up to what is there (RFC 3501 7.4.1, 5.5).

POSTHORN_VIEW_STEPS (300) and POSTHORN_VIEW_SEED set how long and which.
"""
import os
import random
import re
import time

import pytest
from server import SLOW, wait_until
from test_imap import Imap
from wire import deliver, message

STEPS = int(os.environ.get('POSTHORN_VIEW_STEPS', '300'))
SEED = int(os.environ.get('POSTHORN_VIEW_SEED', '1'))
KEEPS_NUMBERS = ('FETCH', 'STORE', 'SEARCH')


class Client:
    """What a client can know from the responses alone: the UIDs in order, None for one unknown."""

    def __init__(self, wire, box, rng):
        self.wire, self.box, self.rng = wire, box, rng
        self.select()

    def select(self):
        lines = self.wire.ok(f'SELECT {self.box}')
        exists = next(int(x.split()[1]) for x in lines if x.endswith('EXISTS'))
        self.uids = [None] * exists
        self.learn()

    def learn(self):
        if None in self.uids:
            self.do(f'FETCH {self.uids.index(None) + 1}:* (UID FLAGS)')

    def do(self, command):
        status, lines = self.wire.do(command)
        assert status[:2] in ('OK', 'NO'), f'{command}: {status}'
        self.hear(lines, command.startswith(KEEPS_NUMBERS))

    def append(self):
        status, lines = self.wire.append(message('appended'), self.box,
                                         self.rng.choice(['', '(\\Seen) ', '(a b) ']))
        assert status.startswith('OK'), status
        self.hear(lines, False)

    def hear(self, lines, numbers_stay):
        for line in lines:
            match = re.match(r'\* (\d+) (EXISTS|EXPUNGE|FETCH)', line)
            if not match:
                continue
            number, kind = int(match.group(1)), match.group(2)
            if kind == 'EXISTS':
                assert number >= len(self.uids), line
                self.uids += [None] * (number - len(self.uids))
                continue
            assert 1 <= number <= len(self.uids), line
            if kind == 'EXPUNGE':
                assert not numbers_stay, line
                del self.uids[number - 1]
            elif uid := re.search(r'UID (\d+)', line):
                assert self.uids[number - 1] in (None, int(uid.group(1))), line
                self.uids[number - 1] = int(uid.group(1))
        known = [uid for uid in self.uids if uid]
        assert known == sorted(set(known))

    def act(self):
        """One command, as likely as not with a range."""
        count, pick = len(self.uids), self.rng.choice
        if not count:
            return self.append()
        numbers = f'{self.rng.randint(1, count)}:{self.rng.randint(1, count)}'
        numbers = pick([numbers, numbers.split(':')[0]])
        flag = pick(['\\Seen', '\\Flagged', '\\Deleted', 'k1', 'k2'])
        box = pick(['INBOX', 'other'])
        return pick([
            self.append, self.select,
            *(lambda c=c: self.do(c) for c in (
                f'STORE {numbers} {pick("+-")}FLAGS{pick(["", ".SILENT"])} ({flag})',
                f'STORE {numbers} +FLAGS (\\Deleted)', 'EXPUNGE', 'UID EXPUNGE 1:*', 'NOOP',
                f'FETCH {numbers} (UID FLAGS)', f'UID FETCH {self.uids[-1] or 1}:* FLAGS',
                f'SEARCH {numbers} UNSEEN', f'COPY {numbers} {box}', f'MOVE {numbers} {box}'))])()


def other_program(maildir, rng, number):
    """Deliver, flag or remove a message without asking."""
    files = sorted((maildir / 'cur').iterdir())
    what = rng.random()
    if what < 0.4 or not files:
        (maildir / 'new' / f'{int(time.time())}.M{number}P1.other').write_bytes(b'Subject: x\n\n')
        return
    path = rng.choice(files)
    if what < 0.7:
        path.rename(path.with_name(path.name.split(':')[0] + ':2,' + rng.choice(['', 'S', 'FS'])))
    else:
        path.unlink()


def test_idle_begins_with_what_could_not_be_told_before(server, user):
    """RFC 3501 7.4.1: not during FETCH; RFC 2177: then at once, without another change."""
    deliver(server, user, *[message(f'm{n}') for n in range(3)])
    server.wait_stored(user, 3)
    with Imap(server, user) as wire, Imap(server, user) as other:
        wire.ok('SELECT INBOX')
        other.ok('SELECT INBOX')
        other.ok('STORE 2 +FLAGS.SILENT (\\Deleted)')
        other.ok('EXPUNGE')
        assert not [x for x in wire.ok('FETCH 1 UID') if 'EXPUNGE' in x]
        wire.socket.settimeout(5 * SLOW)
        tag = wire.start('IDLE')
        assert wire.line() == '+ idling'
        assert wire.line() == '* 2 EXPUNGE'
        wire.send('DONE\r\n')
        assert wire.finish(tag)[0].startswith('OK')


def test_flags_and_modseq_of_a_fetch_belong_together(server, user):
    """RFC 7162 3: another program's keyword, found while the text is read that becomes \\Seen."""
    deliver(server, user, message('one'))
    server.wait_stored(user)
    with Imap(server, user) as wire:
        wire.ok('ENABLE CONDSTORE')
        wire.ok('SELECT INBOX')
        wire.ok('STORE 1 +FLAGS (k1)')
        wire.ok('STORE 1 -FLAGS (k1)')
        path = wait_until(lambda: [p for p in (server.maildir(user) / 'cur').iterdir()
                                   if p.name.endswith(':2,')])[0]
        path.rename(path.with_name(path.name + 'a'))
        lines = ' '.join(wire.ok('FETCH 1 (UID BODY[])') + wire.ok('FETCH 1 (FLAGS MODSEQ)'))
        found = re.findall(r'FLAGS \(([^)]*)\) MODSEQ \((\d+)\)', lines)
        states = {(modseq, frozenset(flags.split()) - {'\\Recent'}) for flags, modseq in found}
        assert {flags for _, flags in states} >= {frozenset(('\\Seen', 'k1'))}
        assert len(states) == len({modseq for modseq, _ in states}), states


@pytest.mark.parametrize('seed', [SEED, SEED + 1])
def test_every_session_keeps_a_true_picture(server, user, seed):
    rng = random.Random(seed)
    with Imap(server, user) as wire:
        wire.ok('CREATE other')
    clients = [Client(Imap(server, user), box, rng)
               for box in ('INBOX', 'INBOX', 'INBOX', 'other')]
    inbox = server.maildir(user)
    for step in range(STEPS):
        if rng.random() < 0.05:
            deliver(server, user, message('delivered'))
        if rng.random() < 0.05:
            other_program(rng.choice([inbox, inbox / '.other']), rng, step)
        client = rng.choice(clients)
        client.act()
        client.learn()
    time.sleep(0.05)    # two changes of a directory within one tick of its clock look like one
    for client in clients:
        client.do('NOOP')
        client.learn()
        told = client.wire.ok('UID SEARCH ALL')[0].split()[2:]
        assert [int(uid) for uid in told] == client.uids
        client.wire.close()
    assert clients[0].uids == clients[1].uids == clients[2].uids
    wait_until(lambda: len(server.stored(user)) == len(clients[0].uids))
    wait_until(lambda: len(server.stored(user, '.other')) == len(clients[3].uids))
