"""A large account that Dovecot made, used here, and taken back: nothing is different but what was
changed here, for Dovecot and for a client that synchronises.

POSTHORN_ROUND_TRIP_MESSAGES (2,000; 10,000 in the long proof) says how large.
"""
import imaplib
import os
import random
import re
import shutil
import subprocess
import sys

import pytest
from server import DOMAIN, SLOW, Server
from test_dovecot import LIBEXEC, Dovecot, Pipe
from test_imap import Imap
from wire import message

USER = f'user0@{DOMAIN}'
MESSAGES = int(os.environ.get('POSTHORN_ROUND_TRIP_MESSAGES', '2000'))
FOLDERS = ('Archive', 'Archive.2023', 'Entw&APw-rfe', 'Sent')
FLAGS = ('\\Seen', '\\Answered', '\\Flagged', '\\Draft', '$Forwarded', 'Work', '$Label1')
AT_ONCE = 100

pytestmark = [
    pytest.mark.skipif(not (LIBEXEC / 'imap').exists(), reason='dovecot-imapd is not installed'),
    pytest.mark.skipif(not shutil.which('mbsync'), reason='mbsync is not installed')]


def fill(wire, box, count, rng):
    """Messages with flags and keywords, many at a time, and gaps among their UIDs."""
    for first in range(0, count, AT_ONCE):
        parts = []
        for n in range(first, min(first + AT_ONCE, count)):
            text = message(f'{box}-{n}', f'number {n}\r\n' * rng.choice((1, 5, 50)))
            flags = ' '.join(rng.sample(FLAGS, rng.choice((0, 0, 1, 3))))
            date = f'{n % 28 + 1:02}-Mar-2021 10:{n % 60:02}:00 +0000'
            parts.append(f' ({flags}) "{date}" {{{len(text)}+}}\r\n'.encode() + text)
        wire.count += 1
        wire.send(f't{wire.count} APPEND "{box}"'.encode() + b''.join(parts) + b'\r\n')
        status, _ = wire.finish(f't{wire.count}')
        assert status.startswith('OK'), status
    wire.ok(f'SELECT "{box}"')
    wire.ok(f'STORE {",".join(map(str, range(3, count, 17)))} +FLAGS.SILENT (\\Deleted)')
    wire.ok('EXPUNGE')
    wire.ok('UNSELECT')


def picture(wire):
    """{box: (UIDVALIDITY, {UID: what a client knows of it})}, and the subscriptions."""
    listed = wire.ok('LIST "" "*"')
    boxes = sorted(line.rpartition(' ')[2].strip('"') for line in listed
                   if '\\Noselect' not in line and '\\NonExistent' not in line)
    found = {}
    for box in boxes:
        lines = wire.ok(f'EXAMINE "{box}"')
        uidvalidity = next(m.group(1) for line in lines
                           if (m := re.search(r'UIDVALIDITY (\d+)', line)))
        exists = next(int(line.split()[1]) for line in lines if line.endswith('EXISTS'))
        messages = {}
        for line in wire.ok('UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)') if exists else []:
            uid = re.search(r'UID (\d+)', line)
            if uid:
                flags = re.search(r'FLAGS \(([^)]*)\)', line).group(1).split()
                messages[int(uid.group(1))] = (
                    frozenset(f for f in flags if f != '\\Recent'),
                    imaplib.Internaldate2tuple(line.encode()),
                    re.search(r'RFC822.SIZE (\d+)', line).group(1))
        found[box] = uidvalidity, messages
    subscribed = sorted(line.rpartition(' ')[2].strip('"') for line in wire.ok('LSUB "" "*"'))
    return found, subscribed


# mbsync offers a socket, on which Dovecot's imap expects Dovecot.
PIPE = '''
import os, subprocess, sys, threading
imap = subprocess.Popen(['{program}', '-k', '-c', sys.argv[1]], stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE)
def copy(source, target):
    while data := os.read(source, 65536):
        while data:
            data = data[os.write(target, data):]
threading.Thread(target=copy, args=(0, imap.stdin.fileno()), daemon=True).start()
copy(imap.stdout.fileno(), 1)
os._exit(0)
'''


class Mbsync:
    """A client's copy, which takes over what changed. Its connection is Dovecot's imap."""

    def __init__(self, dovecot, home):
        self.dovecot, self.home = dovecot, home
        (home / 'near').mkdir()
        (home / 'pipe').write_text(PIPE.format(program=LIBEXEC / 'imap'))
        self.config = home / 'mbsyncrc'
        self.config.write_text(f'''
IMAPStore far
Tunnel "{sys.executable} {home}/pipe {dovecot.config} 2>>{dovecot.run}/log"

MaildirStore near
Path {home}/near/
Inbox {home}/near/INBOX
SubFolders Verbatim

Channel c
Far :far:
Near :near:
Patterns *
Create Near
Sync Pull
Expunge Near
SyncState *
''')
        self.config.chmod(0o600)

    def pull(self):
        """Synchronise. Returns the client's files: {(folder, name): flags}."""
        self.dovecot.own()
        done = subprocess.run(['mbsync', '-V', '-c', self.config, '-a'], capture_output=True,
                              text=True, timeout=300 * SLOW, check=False,
                              env=self.dovecot.environment())
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        files = {}
        for path in (self.home / 'near').rglob('*'):
            if path.is_file() and path.parent.name in ('cur', 'new'):
                base, _, flags = path.name.partition(':2,')
                files[path.parent.parent.name, base.split(',U=')[0]] = flags
        return files


@pytest.fixture
def dovecot(tmp_path, monkeypatch):
    monkeypatch.setenv('USER', 'user')
    monkeypatch.setenv('HOME', str(tmp_path))
    run = tmp_path / 'dovecot'
    run.mkdir()
    with Server(accounts=[USER]) as server:
        other = Dovecot(server, USER, run)
        other.server = server
        yield other
    for word in ('Error', 'Panic', 'Warning'):
        assert word not in other.log(), other.log()


def change(wire, inbox):
    """What this server is used for, and what it makes of the picture of INBOX."""
    uids = sorted(inbox)
    flagged, unflagged, deleted, moved = uids[10:20], uids[20:25], uids[30:33], uids[40:42]

    def span(some):
        return ','.join(map(str, some))
    wire.ok('SELECT INBOX')
    wire.ok(f'UID STORE {span(flagged)} FLAGS.SILENT (\\Flagged Work $New)')
    wire.ok(f'UID STORE {span(unflagged)} FLAGS.SILENT ()')
    wire.ok(f'UID STORE {span(deleted)} +FLAGS.SILENT (\\Deleted)')
    wire.ok(f'UID EXPUNGE {span(deleted)}')
    wire.ok(f'UID MOVE {span(moved)} Archive')
    status, _ = wire.append(message('ours'), 'INBOX', '(\\Seen Work) ')
    new = int(re.search(r'APPENDUID \d+ (\d+)', status).group(1))
    expected = {u: v for u, v in inbox.items() if u not in deleted + moved}
    for uid in flagged:
        expected[uid] = (frozenset(('\\Flagged', 'Work', '$New')), *inbox[uid][1:])
    for uid in unflagged:
        expected[uid] = (frozenset(), *inbox[uid][1:])
    assert new > max(uids)
    return expected, new


def test_an_account_goes_there_and_back(dovecot, tmp_path):
    rng = random.Random(1)
    with Pipe(dovecot) as wire:
        for box in FOLDERS:
            if box != 'Sent':
                wire.ok(f'CREATE "{box}"')
        wire.ok('SUBSCRIBE "Archive.2023"')
        wire.ok('SUBSCRIBE "Entw&APw-rfe"')
        fill(wire, 'INBOX', MESSAGES * 7 // 10, rng)
        for box in FOLDERS:
            fill(wire, box, MESSAGES * 3 // 40, rng)
        before = picture(wire)
    copy = Mbsync(dovecot, tmp_path)
    first = copy.pull()
    assert len(first) == sum(len(messages) for _, messages in before[0].values())

    with Imap(dovecot.server, USER) as wire:
        assert picture(wire) == before      # nothing is lost on the way here
        expected, new = change(wire, before[0]['INBOX'][1])
        ours = picture(wire)
    dovecot.server.stop()                   # what is left to be done on disk is done
    dovecot.server.start()

    with Pipe(dovecot) as wire:
        after = picture(wire)
    assert after == ours
    inbox = after[0]['INBOX'][1]
    assert {u: v for u, v in inbox.items() if u != new} == expected
    assert inbox[new][0] == {'\\Seen', 'Work'}
    assert after[1] == before[1]
    assert [v for v, _ in after[0].values()] == [v for v, _ in before[0].values()]
    untouched = [box for box in before[0] if box not in ('INBOX', 'Archive')]
    assert [after[0][box] for box in untouched] == [before[0][box] for box in untouched]

    second = copy.pull()
    gone, came = set(first) - set(second), set(second) - set(first)
    assert (len(gone), len(came)) == (3 + 2, 1 + 2)
    changed = [key for key in set(first) & set(second) if first[key] != second[key]]
    assert all(box == 'INBOX' for box, _ in changed) and 0 < len(changed) <= 15
    assert copy.pull() == second
