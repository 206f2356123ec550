"""One IMAP session, and what it has been told of its mailbox: numbers, UIDs, flags, modseqs."""
import re
import select
import socket
import time

from model import FLAGS, demand, identity_in
from server import PASSWORD, SLOW

TIMEOUT = 20 * SLOW
KINDS = ('plain', 'condstore', 'qresync')


class Closed(Exception):
    """The server has ended the connection."""


def expand(uid_set):
    """'1:3,5' as a list."""
    found = []
    for part in uid_set.split(','):
        first, _, last = part.partition(':')
        found += range(int(first), int(last or first) + 1)
    return found


class Reply:
    def __init__(self, status, lines, reports):
        self.status, self.lines, self.reports = status, lines, reports
        self.ok = status.startswith('OK')
        self.removed = []       # UIDs that this session was told are gone

    def code(self, name):
        """The arguments of a response code, in any line."""
        for line in [self.status, *self.lines]:
            if match := re.search(rf'\[{name}(?: ([^\]]*))?\]', line):
                return match.group(1) or ''
        return None

    def data(self, word):
        for line in self.lines:
            if line.startswith(f'* {word}'):
                return line[len(word) + 2:].strip()
        return None


class Report:
    """A FETCH response."""

    def __init__(self, number, text, literals):
        self.number = number
        self.uid = self._number(text, r'\bUID (\d+)')
        self.modseq = self._number(text, r'MODSEQ \((\d+)\)')
        self.size = self._number(text, r'RFC822\.SIZE (\d+)')
        flags = re.search(r'FLAGS \(([^)]*)\)', text)
        self.flags = flags and frozenset(flags.group(1).split()) & set(FLAGS)
        self.body = self.identity = None
        if 'HEADER.FIELDS' in text:
            self.identity = literals and identity_in(literals[0].decode('latin-1'))
        elif 'BODY[]' in text:
            self.body = literals[0] if literals else b''

    @staticmethod
    def _number(text, pattern):
        match = re.search(pattern, text)
        return match and int(match.group(1))


class Session:
    def __init__(self, name, kind, trace):
        self.name, self.kind, self.trace = name, kind, trace
        self.socket, self.buffer, self.count = None, b'', 0
        self.box, self.readonly, self.idle = None, False, None
        self.uids, self.told, self.modseqs = [], {}, {}
        self.since = None   # everything up to this modseq was told
        self.memory = {}    # for a return: box name -> (uidvalidity, modseq, {uid: flags})

    # The wire

    def connect(self, server, user):
        self.drop()
        self.socket = socket.create_connection(('127.0.0.1', server.port('imap')), TIMEOUT)
        self.read_line()
        self.command(f'LOGIN {user} "{PASSWORD}"')
        if self.kind != 'plain':
            self.command(f'ENABLE {self.kind.upper()}')

    def drop(self):
        if self.socket:
            self.socket.close()
        self.socket, self.buffer, self.idle = None, b'', None
        self.leave_box()

    def leave_box(self):
        self.box, self.uids, self.told, self.modseqs = None, [], {}, {}

    def send(self, text, literal=b'', note=''):
        """Send a command; `literal` follows at once (LITERAL+). Returns its tag."""
        self.count += 1
        tag = f'{self.name}.{self.count}'
        self.trace(f'> {tag} {text[:300]} {note}')
        self.write(f'{tag} {text}'.encode() + literal + b'\r\n')
        return tag

    def write(self, data):
        try:
            self.socket.sendall(data)
        except OSError as e:
            raise Closed(self.name) from e

    def _more(self):
        try:
            data = self.socket.recv(1 << 18)
        except TimeoutError:
            raise AssertionError(f'{self.name}: no answer within {TIMEOUT:g} s') from None
        except OSError as e:
            raise Closed(self.name) from e
        if not data:
            raise Closed(self.name)
        self.buffer += data

    def read_line(self):
        """A response with its literals cut out: (text, literals)."""
        text, literals = '', []
        while True:
            while (end := self.buffer.find(b'\r\n')) < 0:
                self._more()
            part, self.buffer = self.buffer[:end].decode('latin-1'), self.buffer[end + 2:]
            text += part
            match = re.search(r'\{(\d+)\}$', part)
            if not match:
                break
            size = int(match.group(1))
            while len(self.buffer) < size:
                self._more()
            literals.append(self.buffer[:size])
            self.buffer = self.buffer[size:]
        self.trace(f'< {self.name} {text[:300]}')
        return text, literals

    # Commands

    def command(self, text, keeps=False):
        reply = self.receive(self.send(text), keeps)
        demand(reply.ok, f'{self.name}: {text}: {reply.status}')
        return reply

    def receive(self, tag, keeps=False):
        """Everything up to the end of a command. `keeps`: no number may change meanwhile."""
        reply = Reply('', [], [])
        while True:
            text, literals = self.read_line()
            if text.startswith(tag + ' '):
                status = text[len(tag) + 1:]
                reply.status, reply.ok = status, status.startswith('OK')
                demand(not status.startswith('BAD'), f'{self.name}: {tag}: {status}')
                return reply
            demand(text.startswith(('* ', '+ ')), f'{self.name}: stray response {text!r}')
            if text.startswith('* BYE'):
                raise Closed(self.name)
            reply.lines.append(text)
            self.hear(text, literals, keeps, reply)

    def hear(self, text, literals, keeps, reply):
        if match := re.match(r'\* (\d+) (EXISTS|EXPUNGE|FETCH)(?: \((.*)\))?', text):
            number, kind = int(match.group(1)), match.group(2)
            if kind == 'EXISTS':
                demand(number >= len(self.uids), f'{self.name}: {text} shrinks {len(self.uids)}')
                self.uids += [None] * (number - len(self.uids))
                return
            demand(1 <= number <= len(self.uids), f'{self.name}: {text} of {len(self.uids)}')
            if kind == 'EXPUNGE':
                demand(not keeps and self.kind != 'qresync',
                       f'{self.name}: {text} (RFC 3501 7.4.1)')
                self.remove(number - 1, reply)
            else:
                self.hear_fetch(Report(number, match.group(3), literals), reply)
        elif match := re.match(r'\* VANISHED (\(EARLIER\) )?([\d:,]+)', text):
            if not match.group(1):
                demand(not keeps and self.kind == 'qresync',
                       f'{self.name}: {text} (RFC 7162 3.2.10)')
                for uid in expand(match.group(2)):
                    self.remove(self.position(uid), reply)

    def position(self, uid):
        """Where a UID is, perhaps among those that are not known yet."""
        if uid in self.uids:
            return self.uids.index(uid)
        last = max((n for n, u in enumerate(self.uids) if u and u < uid), default=-1)
        demand(last + 1 < len(self.uids) and self.uids[last + 1] is None,
               f'{self.name}: VANISHED {uid}, which is not there: {self.uids}')
        return last + 1

    def remove(self, at, reply):
        uid = self.uids.pop(at)
        self.told.pop(uid, None)
        self.modseqs.pop(uid, None)
        if uid:
            reply.removed.append(uid)

    def hear_fetch(self, report, reply):
        known = self.uids[report.number - 1]
        if report.uid:
            demand(known in (None, report.uid),
                   f'{self.name}: number {report.number} is UID {known}, not {report.uid}')
            self.uids[report.number - 1] = report.uid
            low = [u for u in self.uids[:report.number - 1] if u]
            demand(not low or low[-1] < report.uid, f'{self.name}: UIDs do not rise: {self.uids}')
        report.uid = report.uid or known
        reply.reports.append(report)
        if report.flags is None or not report.uid:
            return
        self.told[report.uid] = report.flags
        if report.modseq:
            demand(report.modseq >= self.modseqs.get(report.uid, 0),
                   f'{self.name}: modseq of UID {report.uid} falls to {report.modseq}')
            self.modseqs[report.uid] = report.modseq

    def unlearned(self):
        return None in self.uids or any(u not in self.told for u in self.uids)

    def learn(self):
        """Ask for what EXISTS has announced. A message may be gone by now, and stays unknown."""
        replies = []
        while self.unlearned() and len(replies) < 3:
            first = next(n for n, u in enumerate(self.uids) if u is None or u not in self.told)
            reply = self.receive(self.send(f'FETCH {first + 1}:* (UID FLAGS)'), keeps=True)
            demand(reply.ok or reply.code('EXPUNGEISSUED') is not None,
                   f'{self.name}: {reply.status}')
            replies.append(reply)
        return replies

    def select(self, box, readonly=False):
        """Select, and return as a client does that knows what it knew (RFC 7162 3.2.5)."""
        self.remember()
        self.leave_box()
        memory = self.memory.get(box.name) if self.kind == 'qresync' else None
        text = f'{"EXAMINE" if readonly else "SELECT"} {box.name}'
        if memory:
            text += f' (QRESYNC ({memory[0]} {memory[1]}))'
        elif self.kind == 'condstore':
            text += ' (CONDSTORE)'
        reply = self.command(text)
        self.box, self.readonly = box, readonly
        uidvalidity = int(reply.code('UIDVALIDITY'))
        demand(box.uidvalidity in (None, uidvalidity), f'{box.name}: UIDVALIDITY {uidvalidity}')
        box.uidvalidity = uidvalidity
        if memory:
            self.come_back(reply, memory[2])
        replies = [reply, *self.learn()]
        self.since = int(reply.code('HIGHESTMODSEQ'))
        return replies

    def remember(self):
        """What was told is complete up to the modseq of the last command that told everything."""
        if self.kind == 'qresync' and self.box and self.since and not self.unlearned():
            self.memory[self.box.name] = self.box.uidvalidity, self.since, dict(self.told)

    def come_back(self, reply, known):
        """What the client knew and what it was told must add up to the mailbox."""
        vanished = reply.data('VANISHED (EARLIER)')
        for uid in expand(vanished) if vanished else []:
            known.pop(uid, None)
        known.update(self.told)
        uids = sorted(known)
        demand(len(uids) == len(self.uids), f'{self.name}: QRESYNC adds up to {uids}, '
                                            f'but {len(self.uids)} messages exist')
        for number, uid in enumerate(self.uids):
            demand(uid in (None, uids[number]), f'{self.name}: QRESYNC says {uids}, FETCH {uid}')
        self.uids, self.told = uids, known

    # IDLE

    def start_idle(self):
        self.idle = self.send('IDLE')
        reply = Reply('', [], [])
        while True:
            text, literals = self.read_line()
            if text.startswith('+'):
                return reply
            self.hear(text, literals, False, reply)

    def end_idle(self):
        tag, self.idle = self.idle, None
        self.write(b'DONE\r\n')
        return self.receive(tag)

    def listen(self, seconds):
        """What an idle session is told within this time."""
        reply, end = Reply('', [], []), time.monotonic() + seconds
        while b'\r\n' in self.buffer or select.select(
                [self.socket], [], [], max(0, end - time.monotonic()))[0]:
            text, literals = self.read_line()
            demand(not text.startswith('* BYE'), f'{self.name}: {text}')
            self.hear(text, literals, False, reply)
        return reply
