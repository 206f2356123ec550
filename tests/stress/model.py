"""What mailboxes may hold: every flag of every message with the values that it may have.

As long as commands come one after another there is one value. Commands in flight at the same time,
or cut off by a crash, leave several, until somebody looks (`Message.learn`): what is seen must be
among them, and from then on it is the only one.
"""
import random
import re

SYSTEM = ('\\Seen', '\\Answered', '\\Flagged', '\\Deleted', '\\Draft')
KEYWORDS = ('k0', 'k1', 'k2', '$Forwarded', 'Work')
FLAGS = SYSTEM + KEYWORDS
LETTERS = dict(zip('SRFTD', SYSTEM))
NO, YES, MAYBE = frozenset((False,)), frozenset((True,)), frozenset((False, True))


class Finding(AssertionError):
    """The server did something that no order of the commands explains."""


def demand(condition, text):
    if not condition:
        raise Finding(text)


def content(identity):
    """The message with this identity, always the same."""
    rng = random.Random(identity)
    lines = rng.choice((1, 1, 3, 10, 60))
    body = ''.join(f'{rng.getrandbits(256):x} w{identity}w\r\n' for _ in range(lines))
    return (f'From: s{identity}@example.org\r\nTo: all@example.test\r\nSubject: about x{identity}x'
            f'\r\nDate: Tue, 02 Jan 2024 10:{identity % 60:02}:00 +0000\r\nX-Id: {identity}\r\n\r\n'
            f'{body}').encode()


def identity_in(text):
    match = re.search(r'^X-Id: (\d+)\r?$', text, re.M)
    return match and int(match.group(1))


class Message:
    """One UID of one mailbox."""

    def __init__(self, box, uid, identity, flags):
        self.box, self.uid, self.identity = box, uid, identity
        self.flags = {flag: flags.get(flag, NO) for flag in FLAGS}
        self.state = 'here'     # may be gone: 'maybe'; will be: 'leaving'; is: 'gone'
        self.last = None        # its flags when somebody looked last
        self.source = None      # the message that was moved here
        self.delivered = False  # came by SMTP, and not as a copy
        self.outside = {}       # what another program made of flags, not noticed yet
        self.loose = set()      # flags that it may still change
        self.seen = {}          # modseq: flags
        self.modseq = 0         # the latest seen
        self.fresh = False      # nothing has changed since that was seen
        self.size = None

    def __str__(self):
        return f'{self.box.name} UID {self.uid} ({self.identity})'

    def may_be(self, flags):
        return all((flag in flags) in self.flags[flag] for flag in FLAGS)

    def report_modseq(self, modseq, flags):
        """RFC 7162 3: one modseq stands for one state of a message."""
        known = self.seen.setdefault(modseq, flags)
        demand(known == flags, f'{self}: modseq {modseq} was {set(known)}, is {set(flags)}')
        while len(self.seen) > 50:
            del self.seen[min(self.seen)]

    def learn(self, flags):
        """Nobody changes the message now, and these are its flags."""
        for flag in FLAGS:
            value = flag in flags
            demand(value in self.flags[flag],
                   f'{self}: {flag} is {value}, must be {set(self.flags[flag])}')
            if self.outside.get(flag) is value:
                del self.outside[flag]
            if flag not in self.outside and flag not in self.loose:
                self.flags[flag] = frozenset((value,))

    def write_outside(self, flag, value):
        """Another program's change, which is noticed some time later."""
        self.outside[flag] = value
        self.flags[flag] |= {value}
        self.fresh = False


class Arrival:
    """A message whose UID nobody has seen yet. Not `sure`: it may not be there at all."""

    def __init__(self, identity, flags, sure, source=None, delivered=False):
        self.identity, self.flags, self.sure = identity, flags, sure
        self.source, self.delivered = source, delivered


class Box:
    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        self.messages = {}      # UID: Message, the gone too
        self.forgotten = set()  # UIDs gone long ago
        self.arrivals = []
        self.unknown = set()    # UIDs that sessions saw and nobody has looked at
        self.strays = 0         # of these, what was gone before anybody could look
        self.top = 0            # the largest UID seen
        self.next = 1           # what nobody has seen yet has at least this UID
        self.uidnext = 1        # the largest announced
        self.uidvalidity = None
        self.modseq = 0         # the largest seen anywhere
        self.audited = 0        # the same, when somebody looked at everything last

    def living(self):
        return [m for m in self.messages.values() if m.state != 'gone']

    def add(self, uid, identity, flags):
        demand(uid not in self.messages and uid not in self.forgotten,
               f'{self.name}: UID {uid} is given twice')
        demand(uid >= self.next, f'{self.name}: new UID {uid}, below UIDNEXT {self.next}')
        self.top = max(self.top, uid)
        self.unknown.discard(uid)
        message = self.messages[uid] = Message(self, uid, identity, flags)
        return message

    def see(self, uid):
        """A session has this UID."""
        if not any(uid in known for known in (self.messages, self.forgotten, self.unknown)):
            demand(uid >= self.next, f'{self.name}: UID {uid} comes up, below {self.next}')
            self.unknown.add(uid)
            self.top = max(self.top, uid)

    def found(self, uid, identity, flags):
        """A message nobody knew has this identity: it must have been expected."""
        fits = [a for a in self.arrivals if a.identity == identity and
                all((f in flags) in a.flags.get(f, NO) for f in FLAGS)]
        demand(fits, f'{self.name}: UID {uid} holds {identity} {set(flags)}, which nobody put '
                     f'there: {[(a.identity, a.flags) for a in self.arrivals]}')
        arrival = max(fits, key=lambda a: a.sure)
        self.arrivals.remove(arrival)
        message = self.add(uid, identity, arrival.flags)
        message.source, message.delivered = arrival.source, arrival.delivered
        return message

    def forget(self):
        gone = [uid for uid, m in self.messages.items() if m.state == 'gone']
        for uid in gone[:-200]:
            self.forgotten.add(uid)
            del self.messages[uid]

    def counts(self):
        """(smallest, largest) possible numbers of messages, unseen and deleted ones."""
        low, high = [0, 0, 0], [0, 0, 0]
        for m in self.living():
            for n, values in enumerate((YES, frozenset(not v for v in m.flags['\\Seen']),
                                        m.flags['\\Deleted'])):
                low[n] += m.state == 'here' and values == YES
                high[n] += True in values
        spare = len(self.arrivals)
        return low, [n + spare for n in high]
