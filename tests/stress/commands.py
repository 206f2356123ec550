"""The commands that sessions give at random. Each says what it may do (`plan`), and once it is
answered what it did (`conclude`); both as changes of the model:

writes    (message, flag, value)
gone      messages that left
sweeps    (box, UIDs or None): messages that leave if they are \\Deleted
arrivals  (box, UID or None, identity, flags or the message they come from)
"""
from model import FLAGS, MAYBE, NO, SYSTEM, YES, content, demand
from session import expand


class Command:
    keeps = False       # no sequence number changes while it runs
    literal = b''
    note = ''           # for the trace

    def __init__(self, session, world, rng):
        self.session, self.world, self.rng, self.box = session, world, rng, session.box
        self.reply = self.tag = None
        self.writes, self.gone, self.sweeps, self.arrivals = [], [], [], []
        self.certain = False
        self.text = self.plan()

    def plan(self):
        raise NotImplementedError

    def send(self):
        self.tag = self.session.send(self.text, self.literal, self.note)

    def receive(self):
        self.reply = self.session.receive(self.tag, self.keeps)
        return self.reply

    def nothing(self):
        """It was refused as a whole."""
        self.writes, self.gone, self.sweeps, self.arrivals = [], [], [], []
        self.certain = True

    def conclude(self, alone):
        """It was answered. `alone`: no other command ran meanwhile."""
        if self.reply.ok:
            self.certain = True
        else:
            self.refused(alone)

    def refused(self, alone):
        demand(False, f'{self.text}: {self.reply.status}')

    def pick(self, by_uid):
        """A set of messages of the session's view: its text, and their UIDs."""
        uids, ranges, chosen = self.session.uids, [], set()
        for _ in range(self.rng.choice((1, 1, 2, 3))):
            first = last = self.rng.choice([n for n, uid in enumerate(uids) if uid])
            if None not in uids:    # else some may be gone, and nobody knows which
                last = min(len(uids), first + self.rng.choice((1, 1, 2, 5, 30))) - 1
            chosen |= set(range(first, last + 1))
            ends = (uids[first], uids[last]) if by_uid else (first + 1, last + 1)
            text = str(ends[0]) if first == last else f'{ends[0]}:{ends[1]}'
            if self.rng.random() < 0.2:
                text = ':'.join(reversed(text.split(':')))
            ranges.append(text)
        return ','.join(ranges), {uids[n] for n in chosen if uids[n]}

    def messages(self, uids):
        return [self.box.messages[uid] for uid in sorted(uids) if uid in self.box.messages]

    def some_gone(self):
        return any(m.state != 'here' for m in self.targets)

    def some_flags(self):
        return frozenset(self.rng.sample(FLAGS, self.rng.choice((1, 1, 1, 2, 4))))


class Store(Command):
    def plan(self):
        rng = self.rng
        self.by_uid = rng.random() < 0.5
        self.keeps = not self.by_uid
        numbers, uids = self.pick(self.by_uid)
        self.targets = self.messages(uids)
        self.op = rng.choice('+++--=')
        self.flags = self.some_flags() if rng.random() < 0.75 else frozenset(('\\Deleted',))
        if self.op == '=' and rng.random() < 0.2:
            self.flags = frozenset()
        self.silent = rng.random() < 0.5
        self.since, condition = None, ''
        if self.session.kind != 'plain' and rng.random() < 0.4:
            known = sorted(self.session.modseqs.values())
            self.since = rng.choice([*known[-5:], self.box.modseq, self.box.modseq])
            condition = f'(UNCHANGEDSINCE {self.since}) '
        self.list_writes(())
        item = f'{self.op.strip("=")}FLAGS{".SILENT" if self.silent else ""}'
        return (f'{"UID " if self.by_uid else ""}STORE {numbers} {condition}{item} '
                f'({" ".join(sorted(self.flags))})')

    def list_writes(self, but):
        flags = FLAGS if self.op == '=' else self.flags
        self.writes = [(m, flag, self.op != '-' and flag in self.flags)
                       for m in self.targets if m.uid not in but for flag in flags]

    def conclude(self, alone):
        if not self.reply.ok:
            return self.refused(alone)
        demand(not self.session.readonly, f'{self.text}: OK in a mailbox opened with EXAMINE')
        self.certain = True
        modified = self.reply.code('MODIFIED')
        missed = set(expand(modified)) if modified else set()
        if not self.by_uid:
            # These numbers are those of the command: none has changed since, for it keeps them.
            missed = {self.session.uids[n - 1] for n in missed}
        if alone and self.since is not None:
            for m in self.targets:
                late = m.modseq > self.since
                demand(m.state != 'here' or not m.fresh or late == (m.uid in missed),
                       f'{m}: modseq {m.modseq}, {self.text}: MODIFIED {modified}')
        self.list_writes(missed)
        self.update_told(missed)
        return None

    def update_told(self, missed):
        """A client that asked for silence knows by itself what it did."""
        told = self.session.told
        heard = {r.uid for r in self.reply.reports if r.flags is not None}
        for m in self.targets:
            if self.silent and m.uid in told and m.uid not in missed and m.uid not in heard:
                had = told[m.uid]
                told[m.uid] = (had | self.flags if self.op == '+' else
                               had - self.flags if self.op == '-' else self.flags)

    def refused(self, alone):
        if self.session.readonly:
            return self.nothing()
        demand(self.some_gone() or not alone, f'{self.text}: {self.reply.status}')
        return None     # RFC 2180 4.2.1: done for those that are there


class Fetch(Command):
    ITEMS = ('UID FLAGS', 'FLAGS', 'UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (X-Id)]',
             'UID BODY.PEEK[]', 'BODY[]', 'UID FLAGS MODSEQ')

    def plan(self):
        rng = self.rng
        self.by_uid = rng.random() < 0.5
        self.keeps = not self.by_uid
        numbers, uids = self.pick(self.by_uid)
        self.targets = self.messages(uids)
        items = rng.choice(self.ITEMS[:5 if self.session.kind == 'plain' else 6])
        self.items, modifier, self.since = items, '', None
        if 'MODSEQ' in items and rng.random() < 0.5:
            self.since = rng.choice([*self.session.modseqs.values(), self.box.modseq])
            modifier = f' (CHANGEDSINCE {self.since})'
        if 'BODY[]' in items and not self.session.readonly:
            self.writes = [(m, '\\Seen', True) for m in self.targets]
        return f'{"UID " if self.by_uid else ""}FETCH {numbers} ({items}){modifier}'

    def conclude(self, alone):
        if not self.reply.ok:
            return self.refused(alone)
        self.certain = True
        answered = {r.uid for r in self.reply.reports if self.answers(r)}
        for m in self.targets:
            wanted = m.uid in answered
            if self.since is not None:      # what is not newer may be there as news
                wanted = wanted or not m.fresh or m.modseq <= self.since
            demand(not alone or m.state != 'here' or wanted, f'{self.text}: {m} is missing')
        return None

    def answers(self, report):
        if 'BODY' in self.items:
            return report.body is not None or report.identity
        return report.flags is not None

    def refused(self, alone):
        demand(self.some_gone() or not alone, f'{self.text}: {self.reply.status}')


def flag_key(rng):
    flag = rng.choice(FLAGS)
    wanted = rng.random() < 0.5
    if flag in SYSTEM:
        text = f'{"" if wanted else "UN"}{flag[1:].upper()}'
    else:
        text = f'{"" if wanted else "UN"}KEYWORD {flag}'
    return text, lambda m: m.flags[flag] if wanted else frozenset(not v for v in m.flags[flag])


def identity_key(rng, box):
    living = box.living()
    identity = rng.choice(living).identity if living else 1
    text = rng.choice((f'HEADER X-Id {identity}', f'SUBJECT x{identity}x', f'BODY w{identity}w',
                       f'TEXT x{identity}x', f'FROM s{identity}@'))
    if text.startswith('HEADER'):       # one number may be a part of another
        return text, lambda m: YES if str(identity) in str(m.identity) else NO
    return text, lambda m: YES if m.identity == identity else NO


class Search(Command):
    def plan(self):
        rng = self.rng
        self.by_uid = rng.random() < 0.5
        self.keeps = not self.by_uid
        self.keys = [flag_key(rng) if rng.random() < 0.7 else identity_key(rng, self.box)
                     for _ in range(rng.choice((1, 1, 2)))]
        self.invert = rng.random() < 0.2
        self.returns = rng.random() < 0.3
        self.sort = not self.returns and rng.random() < 0.2
        keys = ' '.join(text for text, _ in self.keys)
        keys = f'NOT ({keys})' if self.invert else keys
        verb = 'SEARCH RETURN (ALL COUNT)' if self.returns else 'SEARCH'
        verb = 'SORT (ARRIVAL) UTF-8' if self.sort else verb
        self.before = {m.uid: self.value(m) for m in self.box.living()}
        return f'{"UID " if self.by_uid else ""}{verb} {keys}'

    def value(self, m):
        values = [key(m) for _, key in self.keys]
        if NO in values:
            value = NO
        else:
            value = YES if all(v == YES for v in values) else MAYBE
        return frozenset(not v for v in value) if self.invert else value

    def found(self):
        if self.returns:
            line = self.reply.data('ESEARCH') or ''
            rest = line.split(' ALL ')[1].split()[0] if ' ALL ' in line else ''
            found = expand(rest) if rest else []
            demand(f'COUNT {len(found)}' in line, f'{self.text}: {line}')
        else:
            line = self.reply.data('SORT' if self.sort else 'SEARCH')
            demand(line is not None, f'{self.text}: no answer in {self.reply.lines}')
            found = [int(n) for n in line.split(' (MODSEQ')[0].split()]
        return found if self.by_uid else [self.session.uids[n - 1] for n in found]

    def conclude(self, alone):
        demand(self.reply.ok, f'{self.text}: {self.reply.status}')
        self.certain = True
        found = self.found()
        demand(len(found) == len(set(found)), f'{self.text}: twice in {found}')
        if not alone:
            return
        view = {*self.session.uids, *self.reply.removed}
        for uid, m in self.box.messages.items():
            value = self.before.get(uid, MAYBE) | self.value(m)
            if m.state == 'here' and uid in view and len(value) == 1:
                demand((uid in found) == (value == YES), f'{self.text}: {m} has '
                       f'{ {f: set(v) for f, v in m.flags.items()} }, found {found}')


class Copy(Command):
    verb = 'COPY'

    def plan(self):
        self.by_uid = self.rng.random() < 0.5
        numbers, uids = self.pick(self.by_uid)
        self.targets = self.messages(uids)
        self.to = self.rng.choice(self.world.boxes)
        self.list_changes([(m, None) for m in self.targets])
        return f'{"UID " if self.by_uid else ""}{self.verb} {numbers} {self.to.name}'

    def list_changes(self, pairs):
        self.arrivals = [(self.to, uid, m.identity, m) for m, uid in pairs]
        self.gone = [m for m, _ in pairs] if self.verb == 'MOVE' else []

    def conclude(self, alone):
        if not self.reply.ok:
            return self.refused(alone)
        demand(self.verb == 'COPY' or not self.session.readonly, f'{self.text}: OK after EXAMINE')
        self.certain = True
        pairs = []
        if (code := self.reply.code('COPYUID')):
            uidvalidity, old, new = code.split()
            old, new = expand(old), expand(new)
            demand(self.to.uidvalidity in (None, int(uidvalidity)), f'{self.text}: {code}')
            demand(len(old) == len(new) and set(old) <= {m.uid for m in self.targets},
                   f'{self.text}: {code}')
            pairs = [(self.box.messages[o], n) for o, n in zip(old, new)]
        left = [str(m) for m in self.targets if m.state == 'here' and
                m not in [p[0] for p in pairs]]
        demand(not alone or not left, f'{self.text}: without {left}')
        self.list_changes(pairs)
        return None

    def refused(self, alone):
        readonly = self.verb == 'MOVE' and self.session.readonly
        demand(readonly or self.some_gone() or not alone, f'{self.text}: {self.reply.status}')
        self.nothing()


class Move(Copy):
    verb = 'MOVE'


class Append(Command):
    def plan(self):
        self.to = self.rng.choice(self.world.boxes)
        self.new = [(self.world.identity(), self.some_flags() if self.rng.random() < 0.6 else ())
                    for _ in range(self.rng.choice((1, 1, 1, 3)))]
        parts = []
        for identity, flags in self.new:
            text = content(identity)
            parts.append(f' ({" ".join(flags)}) {{{len(text)}+}}\r\n'.encode() + text)
        self.literal = b''.join(parts)
        self.list_changes([None] * len(self.new))
        self.note = f'{self.new}'
        return f'APPEND {self.to.name}'

    def list_changes(self, uids):
        self.arrivals = [(self.to, uid, identity, {f: YES for f in flags})
                         for uid, (identity, flags) in zip(uids, self.new)]

    def conclude(self, alone):
        demand(self.reply.ok, f'{self.text}: {self.reply.status}')
        self.certain = True
        uidvalidity, uids = self.reply.code('APPENDUID').split()
        uids = expand(uids)
        demand(self.to.uidvalidity in (None, int(uidvalidity)) and len(uids) == len(self.new),
               f'{self.text}: {self.reply.status}')
        self.list_changes(uids)


class Expunge(Command):
    def plan(self):
        self.uids, numbers = None, ''
        if self.rng.random() < 0.3 and self.session.uids:
            numbers, uids = self.pick(True)
            self.uids = set()
            for part in numbers.split(','):
                low, _, high = part.partition(':')
                low, high = sorted((int(low), int(high or low)))
                self.uids |= set(range(low, high + 1)) | uids
        self.sweeps = [(self.box, self.uids)]
        return f'UID EXPUNGE {numbers}' if numbers else 'EXPUNGE'

    def refused(self, alone):
        demand(self.session.readonly, f'{self.text}: {self.reply.status}')
        self.nothing()


class Noop(Command):
    def plan(self):
        return self.rng.choice(('NOOP', 'CHECK'))


class Status(Command):
    def plan(self):
        self.of = self.rng.choice(self.world.boxes)
        return f'STATUS {self.of.name} (MESSAGES UIDNEXT UIDVALIDITY UNSEEN DELETED HIGHESTMODSEQ)'

    def conclude(self, alone):
        demand(self.reply.ok, f'{self.text}: {self.reply.status}')
        self.certain = True
        words = self.reply.data('STATUS').split('(')[1].rstrip(')').split()
        found = dict(zip(words[::2], map(int, words[1::2])))
        if not alone:
            return
        low, high = self.of.counts()
        for name, least, most in zip(('MESSAGES', 'UNSEEN', 'DELETED'), low, high):
            demand(least <= found[name] <= most,
                   f'{self.reply.data("STATUS")}: {name} must be {least} to {most}')
        demand(found['UIDNEXT'] > self.of.top, f'UIDNEXT {found["UIDNEXT"]}, but {self.of.top}')
        demand(found['HIGHESTMODSEQ'] >= self.of.modseq,
               f'HIGHESTMODSEQ {found["HIGHESTMODSEQ"]}, but {self.of.modseq} was seen')
        demand(found['UIDNEXT'] >= self.of.uidnext, f'UIDNEXT was {self.of.uidnext}')
        self.of.uidnext = found['UIDNEXT']


# With how often each is chosen; those at the end need no message.
CHOICES = ((Store, 30), (Fetch, 20), (Search, 10), (Copy, 7), (Move, 6), (Expunge, 6), (Append, 8),
           (Noop, 4), (Status, 3))
EMPTY = ((Append, 4), (Noop, 1), (Status, 1), (Expunge, 1))


def choose(session, world, rng):
    choices = CHOICES if any(session.uids) else EMPTY
    if len(session.box.messages) and len(session.box.living()) > 150:
        choices += ((Expunge, 60), (Move, 20))
    kind = rng.choices([c for c, _ in choices], [w for _, w in choices])[0]
    return kind(session, world, rng)

