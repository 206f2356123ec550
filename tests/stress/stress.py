#!/usr/bin/python3
"""Random sessions on one account, and everything they are told checked: README.md."""
import argparse
import collections
import os
import random
import smtplib
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / 'protocol')]

from commands import choose  # noqa: E402
from disk import Disk  # noqa: E402
from model import Arrival, Box, FLAGS, Finding, NO, YES, content, demand  # noqa: E402
from server import DOMAIN, SANITIZER, SLOW, Server, wait_until  # noqa: E402
from session import TIMEOUT, Closed, Session  # noqa: E402

USER = f'user0@{DOMAIN}'
ENV = {'POSTHORN_CONNECTIONS_PER_USER': '100', 'POSTHORN_CONNECTIONS_PER_ADDRESS': '1000'}
SESSIONS = (('plain', 0), ('plain', 0), ('condstore', 0), ('condstore', 0), ('qresync', 0),
            ('qresync', 0), ('qresync', 1), ('plain', 1), ('qresync', 2))
TRACE = int(os.environ.get('POSTHORN_STRESS_TRACE', '300'))     # lines printed with a finding
CHECKPOINT = 10 # seconds after which a delivery is never repeated
QUIET = 20      # seconds until everybody agrees when nothing happens any more


class World:
    def __init__(self):
        self.boxes = [Box('INBOX', ''), Box('one', '.one'), Box('two', '.two')]
        self.identities = 0
        self.delivered = {}         # identity: when; these have got header fields on their way

    def identity(self):
        self.identities += 1
        return self.identities


class Stress:
    def __init__(self, server, seed, crash=True):
        self.server, self.crash = server, crash
        self.rng, self.world = random.Random(seed), World()
        self.lines = collections.deque(maxlen=TRACE)
        self.disk = Disk(server.maildir(USER))
        self.counts = collections.Counter()
        self.started = time.monotonic()
        self.auditors = {box: Session(f'audit{n}', 'condstore', self.trace)
                         for n, box in enumerate(self.world.boxes)}
        self.sessions = [Session(f's{n}', kind, self.trace)
                         for n, (kind, _) in enumerate(SESSIONS)]
        self.home = {s: self.world.boxes[box] for s, (_, box) in zip(self.sessions, SESSIONS)}
        first = Session('first', 'plain', self.trace)
        first.connect(server, USER)
        for box in self.world.boxes[1:]:
            first.command(f'CREATE {box.name}')
        first.drop()
        self.connect()

    def trace(self, line):
        self.lines.append(f'{time.monotonic() - self.started:9.4f} {line}')

    def connect(self):
        """Everybody comes (back) and selects."""
        for box, auditor in self.auditors.items():
            self.login(auditor)
            auditor.select(box)
        for session in self.sessions:
            self.login(session)
            self.select(session, self.home[session])

    def login(self, session):
        def logged_in():
            try:
                session.connect(self.server, USER)
                return True
            except (Closed, OSError, Finding):
                return False
        wait_until(logged_in, 30, 0.05, 'a login')

    def select(self, session, box, readonly=False):
        replies = session.select(box, readonly)
        self.home[session] = box
        for reply in replies:
            self.check_reports(session, reply, {})
        self.look_at_unknown()

    def close(self):
        for session in [*self.sessions, *self.auditors.values()]:
            session.drop()

    # Commands, one or several at a time

    def run(self, commands, kill=False):
        span = self.span_of_nothing(commands)
        for command in commands:
            command.send()
        if kill:
            time.sleep(self.rng.choice((0, 0.0005, 0.002, 0.005, 0.02)) * SLOW)
            self.server.kill_role('mailbox')
            self.trace('--- the worker is killed')
        for command in commands:
            try:
                command.receive()
            except Closed:
                demand(kill, f'{command.session.name} was closed')
                command.reply = None
            else:
                command.conclude(len(commands) == 1)
            self.counts[type(command).__name__] += 1
        self.apply(commands, span)
        for command in commands:
            if command.reply:
                self.check_reports(command.session, command.reply, span)
        if not kill:
            self.learn({command.session for command in commands})

    def learn(self, sessions):
        for session in sessions:
            for reply in session.learn():
                self.check_reports(session, reply, {})
        self.look_at_unknown()

    def look_at_unknown(self):
        for box in self.world.boxes:
            if box.unknown:
                self.audit(box)

    @staticmethod
    def span_of_nothing(commands):
        """What each session had in view, before."""
        return {'views': {c: set(c.session.uids) for c in commands}}

    def apply(self, commands, span):
        sure, perhaps = {}, {}
        for command in commands:
            for m, flag, value in command.writes:
                (sure if command.certain else perhaps).setdefault((m, flag), set()).add(value)
        for m, flag in {**sure, **perhaps}:
            may = frozenset(perhaps.get((m, flag), ()))
            span[m, flag] = m.flags[flag] | may | frozenset(sure.get((m, flag), ()))
        for command in commands:
            command.moving = [m for m in command.gone if m.state == 'here']
            for m in command.gone:
                demand(m.state != 'gone' or not command.certain, f'{command.text}: {m} was gone')
                m.state = 'gone' if command.certain else 'maybe' if m.state == 'here' else m.state
            for arrival in command.arrivals:
                self.arrive(command, arrival, span)
        for command in commands:
            for box, uids in command.sweeps:
                self.sweep(command, box, uids, span)
        self.write(sure, perhaps, span)

    @staticmethod
    def arrive(command, arrival, span):
        box, uid, identity, flags = arrival
        source = None
        if not isinstance(flags, dict):
            source = flags if command.gone else None
            flags = {f: span.get((flags, f), flags.flags[f]) for f in FLAGS}
        if uid:
            box.add(uid, identity, flags)
        else:
            box.arrivals.append(Arrival(identity, flags, False, source))

    @staticmethod
    def sweep(command, box, uids, span):
        """EXPUNGE takes what is \\Deleted throughout, and may take what is so at some time."""
        for m in box.living():
            deleted = span.get((m, '\\Deleted'), m.flags['\\Deleted'])
            if True not in deleted or (uids is not None and m.uid not in uids):
                continue
            if deleted == YES and command.certain and m.uid in span['views'][command]:
                m.state = 'gone'
            elif m.state == 'here':
                m.state = 'maybe'

    @staticmethod
    def write(sure, perhaps, span):
        for m, flag in {**sure, **perhaps}:
            m.fresh = False
            if m.outside.pop(flag, None) is not None:
                m.loose.add(flag)
            if (m, flag) not in sure or flag in m.loose:
                m.flags[flag] = span[m, flag]
            else:
                m.flags[flag] = frozenset(sure[m, flag]) | frozenset(perhaps.get((m, flag), ()))

    # What they are told

    def check_reports(self, session, reply, span):
        box = session.box
        for uid in reply.removed:
            if (m := box.messages.get(uid)):
                demand(m.state != 'here', f'{session.name}: {m} is said to be gone')
                m.state = 'gone'
            else:
                box.see(uid)
        for r in reply.reports:
            m = box.messages.get(r.uid)
            if m:
                self.check_report(session, m, r, span)
            elif r.uid:
                box.see(r.uid)

    def check_report(self, session, m, r, span):
        who = f'{session.name}: {m}'
        if r.flags is not None and m.state != 'gone':
            for flag in FLAGS:
                values = span.get((m, flag), m.flags[flag]) | m.flags[flag]
                demand((flag in r.flags) in values,
                       f'{who}: flags {sorted(r.flags)}, but {flag} is {set(values)}')
        if r.modseq:
            if r.flags is not None:
                m.report_modseq(r.modseq, r.flags)
            m.modseq = max(m.modseq, r.modseq)
            m.box.modseq = max(m.box.modseq, r.modseq)
        if r.identity is not None:
            demand(r.identity == m.identity, f'{who}: is {r.identity}')
        delivered = m.identity in self.world.delivered
        if r.body is not None and (r.body or m.state == 'here'):
            text = content(m.identity)
            demand(r.body.endswith(text) if delivered else r.body == text, f'{who}: {r.body!r}')
        if r.size is not None and not delivered:
            demand(r.size == len(content(m.identity)), f'{who}: size {r.size}')

    # The truth

    def audit(self, box):
        """Look at everything while nobody does anything: afterwards nothing is uncertain."""
        auditor = self.auditors[box]
        self.check_reports(auditor, auditor.command('NOOP'), {})
        reply = auditor.command('UID FETCH 1:* (UID FLAGS MODSEQ)')
        seen = {r.uid: r for r in reply.reports if r.flags is not None and r.modseq}
        strange = [uid for uid in seen if uid not in box.messages]
        for uid in strange:
            asked = auditor.command(f'UID FETCH {uid} (UID BODY.PEEK[HEADER.FIELDS (X-Id)])')
            identities = [r.identity for r in asked.reports if r.uid == uid and r.identity]
            if identities:
                box.found(uid, identities[0], seen[uid].flags)
            else:
                self.strays(box, {uid})
        for uid, r in seen.items():
            if uid in box.messages:
                self.audit_message(box.messages[uid], r)
        for m in box.living():
            if m.uid not in seen:
                demand(m.state in ('maybe', 'leaving'), f'{m} is lost')
                m.state = 'gone'
        self.strays(box, box.unknown - set(seen))
        box.audited = box.modseq
        box.next = max(box.next, box.top + 1)

    @staticmethod
    def strays(box, uids):
        """These came and went before anybody could look."""
        box.unknown -= uids
        box.strays += len(uids)

    @staticmethod
    def audit_message(m, r):
        demand(m.state != 'gone', f'{m} is back')
        if m.state == 'maybe':
            m.state = 'here'
        m.learn(r.flags)
        m.report_modseq(r.modseq, r.flags)
        demand(r.modseq >= m.modseq, f'{m}: modseq falls from {m.modseq} to {r.modseq}')
        if r.flags != m.last:
            demand(r.modseq > m.box.audited, f'{m}: was {m.last}, is {r.flags}, modseq {r.modseq}, '
                                             f'not above {m.box.audited}')
        elif m.fresh:
            demand(r.modseq == m.modseq, f'{m}: modseq {m.modseq} becomes {r.modseq} for nothing')
        m.last, m.modseq = r.flags, r.modseq
        m.fresh = not m.outside and not m.loose
        m.box.modseq = max(m.box.modseq, r.modseq)

    def agreed(self):
        """What still keeps the mailboxes from standing still, as text; '' when nothing does."""
        for box in self.world.boxes:
            self.audit(box)
            missing = [a.identity for a in box.arrivals if a.sure]
            if len(missing) > box.strays:
                return f'{box.name}: {missing} have not arrived'
            if odd := [str(m) for m in box.living() if m.state != 'here' or m.outside]:
                return f'{box.name}: changes by another program are not noticed: {odd}'
            told, files = {m.uid: m.last for m in box.living()}, self.disk.flags(box)
            if told != files:
                return f'{box.name}: files and flags differ: {self.difference(told, files)}'
        return ''

    @staticmethod
    def difference(told, files):
        if files is None:
            return 'a file has no UID, or two have one'
        return [(uid, told.get(uid), files.get(uid)) for uid in sorted({*told, *files})
                if told.get(uid) != files.get(uid)]

    def quiet(self):
        """Nothing happens any more: everybody must agree."""
        end, why = time.monotonic() + QUIET * SLOW, self.agreed()
        while why:
            demand(time.monotonic() < end, why)
            time.sleep(0.05)
            why = self.agreed()
        for box in self.world.boxes:
            box.arrivals, box.strays = [], 0
            for m in box.living():
                m.loose.clear()
            self.audit(box)
            box.forget()
        for session in self.sessions:
            if session.idle:
                self.await_told(session)
            else:
                self.check_reports(session, session.command('NOOP'), {})
                self.learn([session])
            missed = self.not_told(session)
            demand(not missed, f'{session.name} ({session.kind}) was not told: {missed}')
        self.read_all()
        self.counts['quiet'] += 1

    @staticmethod
    def not_told(session):
        truth = {m.uid: m.last for m in session.box.living()}
        if session.uids != sorted(truth):
            return f'has {session.uids}, there are {sorted(truth)}'
        wrong = [(u, session.told.get(u), f) for u, f in truth.items() if session.told.get(u) != f]
        return wrong and f'(UID, told, true): {wrong}'

    def await_told(self, session):
        end = time.monotonic() + QUIET * SLOW
        while self.not_told_idle(session) and time.monotonic() < end:
            self.check_idle(session, session.listen(0.2))
        demand(not self.not_told_idle(session),
               f'{session.name} in IDLE was not told: {self.not_told_idle(session)}')
        self.check_idle(session, session.end_idle())
        self.learn([session])

    @staticmethod
    def not_told_idle(session):
        """It cannot ask: how many there are, and the flags of those it knows."""
        truth = {m.uid: m.last for m in session.box.living()}
        if len(session.uids) != len(truth):
            return f'{len(session.uids)} messages, not {len(truth)}'
        return [(u, session.told.get(u), f) for u, f in truth.items()
                if u in session.told and session.told[u] != f]

    @staticmethod
    def check_idle(session, reply):
        """What is read now may have been true a while ago: only removals are for good."""
        for uid in reply.removed:
            if (m := session.box.messages.get(uid)):
                demand(m.state != 'here', f'{session.name}: {m} is said to be gone')

    def read_all(self):
        """Every message of a mailbox holds what was put there."""
        box = self.rng.choice(self.world.boxes)
        auditor = self.auditors[box]
        if auditor.uids:
            reply = auditor.command('UID FETCH 1:* (UID RFC822.SIZE BODY.PEEK[])')
            self.check_reports(auditor, reply, {})
            demand({r.uid for r in reply.reports} == {m.uid for m in box.living()},
                   f'{box.name}: not every message can be read')

    # What else happens

    def deliver(self):
        identity = self.world.identity()
        self.world.boxes[0].arrivals.append(Arrival(identity, {}, True, delivered=True))
        self.trace(f'--- {identity} is delivered')
        with smtplib.SMTP('127.0.0.1', self.server.port('smtp'), timeout=TIMEOUT) as client:
            client.sendmail('a@example.org', USER, content(identity))
        self.world.delivered[identity] = time.monotonic()

    def other_program(self):
        box, rng = self.rng.choice(self.world.boxes), self.rng
        what, known = rng.random(), box.messages.keys()
        if what < 0.3:
            identity = self.world.identity()
            flags = self.disk.add(box, identity, rng)
            box.arrivals.append(Arrival(identity, flags, True))
            self.trace(f'--- another program adds {identity} to {box.name} {flags}')
        elif what < 0.7:
            done = self.disk.flip(box, rng, known)
            self.trace(f'--- another program flags in {box.name}: {done}')
            m = done and box.messages.get(done[0])
            if m and m.state != 'gone':
                m.write_outside(*done[1:])
        else:
            uid = self.disk.remove(box, rng, known)
            self.trace(f'--- another program removes {uid} from {box.name}')
            m = uid and box.messages.get(uid)
            if m and m.state != 'gone':
                m.state = 'leaving'

    def may_come_again(self):
        """A crash repeats deliveries that were not yet known to be on the disk. What a client has
        moved or expunged in these seconds is then delivered once more."""
        inbox, now = self.world.boxes[0], time.monotonic()
        there = {m.identity for m in inbox.living() if m.delivered and m.state == 'here'}
        for identity, when in self.world.delivered.items():
            if now - when < CHECKPOINT * SLOW:
                self.world.delivered[identity] = now    # the next crash may do the same
                if identity not in there:
                    inbox.arrivals.append(Arrival(identity, {}, False, delivered=True))

    def kill(self):
        """The worker dies with commands in flight: what was answered is done, the rest perhaps."""
        commands = self.choose_commands(self.rng.randint(1, 5))
        self.run(commands, kill=True)
        self.close()
        self.connect()
        for box in self.world.boxes:
            self.audit(box)
        for command in commands:
            if not command.certain and command.gone:
                self.check_moved(command, commands)
        self.counts['kill'] += 1

    @staticmethod
    def check_moved(move, commands):
        """Each message is in exactly one of the two mailboxes."""
        others = {id(m) for c in commands if c is not move for m in getattr(c, 'targets', ())}
        swept = any(c.sweeps for c in commands)
        alike = collections.Counter(m.identity for m in move.gone)
        for m in move.moving:
            if id(m) in others or swept or m.state == 'leaving' or alike[m.identity] > 1:
                continue
            came = any(n.source is m for n in move.to.messages.values())
            demand(came == (m.state == 'gone'), f'{move.text}, cut off: {m} is '
                   f'{"in both mailboxes" if came else "lost"}')

    def restart(self):
        lose = self.rng.random() < 0.3
        if lose:
            self.quiet()    # what is not settled would be lost with the index
        self.close()
        self.trace('--- restart')
        if self.rng.random() < 0.5:
            self.server.stop()
        else:
            self.server.kill_all()
            self.may_come_again()
        if lose:
            self.trace('--- without the index')
            for path in (self.server.root / 'var/mail-state').rglob('*'):
                if path.is_file() and 'index' in str(path):
                    path.unlink()
            for m in (m for box in self.world.boxes for m in box.living()):
                m.fresh = False     # all may have new modseqs, above those that were
        self.server.start()
        self.connect()
        for box in self.world.boxes:
            self.audit(box)
        self.counts['restart'] += 1

    def choose_commands(self, number):
        awake = [s for s in self.sessions if not s.idle]
        return [choose(s, self.world, self.rng)
                for s in self.rng.sample(awake, min(number, len(awake)))]

    def move_about(self):
        """Sessions change their mailbox, come anew, idle."""
        session, rng = self.rng.choice(self.sessions), self.rng
        if session.idle:
            self.check_idle(session, session.end_idle())
            self.learn([session])
        elif rng.random() < 0.4 and sum(1 for s in self.sessions if s.idle) < 4:
            reply = session.start_idle()
            self.check_reports(session, reply, {})
        else:
            self.leave(session)
            box = rng.choice([self.home[session], self.home[session], *self.world.boxes])
            self.select(session, box, rng.random() < 0.15)

    def leave(self, session):
        what = self.rng.choice(('CLOSE', 'UNSELECT', 'LOGOUT', 'nothing'))
        if what == 'LOGOUT':
            session.remember()
            self.login(session)
        elif what != 'nothing':
            session.remember()
            if what == 'CLOSE' and not session.readonly:
                for m in session.box.living():
                    deleted = m.flags['\\Deleted']
                    if deleted == YES and m.uid in session.uids:
                        m.state = 'gone'
                    elif deleted != NO and m.state == 'here':
                        m.state = 'maybe'
            session.command(what)
            session.leave_box()

    def step(self):
        what = self.rng.random()
        if what < 0.62:
            self.run(self.choose_commands(1))
        elif what < 0.80:
            self.run(self.choose_commands(self.rng.randint(2, 5)))
        elif what < 0.85:
            self.audit(self.rng.choice(self.world.boxes))
        elif what < 0.89:
            self.deliver()
        elif what < 0.94:
            self.other_program()
        elif what < 0.988:
            self.move_about()
        elif what < 0.994 or not self.crash:
            self.quiet()
        elif what < 0.998:
            self.kill()
        else:
            self.restart()
        self.counts['steps'] += 1

    def work(self, seconds):
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                self.step()
                self.server.check_output()
            self.quiet()
        finally:
            self.close()


def run(seconds, seed, crash=True, env=None):
    """Returns what was done. A Finding says what went wrong, and what happened before."""
    with Server(accounts=[USER], env={**ENV, **(env or {})}) as server:
        stress = Stress(server, seed, crash)
        try:
            stress.work(seconds)
        except (AssertionError, Closed, OSError) as e:
            lines = '\n'.join(stress.lines)
            output = server.output()
            found = SANITIZER.search(output)
            output = output[found.start():][:4000] if found else output[-1500:]
            raise Finding(f'{lines}\nseed {seed}, {dict(stress.counts)}:\n{type(e).__name__}: {e}\n'
                          f'{output}') from e
        return dict(stress.counts)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seconds', type=float, default=60)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--every', type=float, default=0, help='a new seed after so many seconds')
    parser.add_argument('--no-crash', action='store_true', help='without kills and restarts')
    args = parser.parse_args()
    end, seed = time.monotonic() + args.seconds, args.seed
    while (left := end - time.monotonic()) > 0:
        print(seed, run(min(left, args.every or left), seed, not args.no_crash), flush=True)
        seed += 1


if __name__ == '__main__':
    main()
