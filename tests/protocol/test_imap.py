"""IMAP4rev1 (RFC 3501) and the extensions that clients live on."""
import imaplib
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from server import DOMAIN, PASSWORD, SLOW, wait_until
from wire import ELSEWHERE, TIMEOUT, Wire, b64, deliver, imap, insecure_tls, message, plain, pop3


class Imap(Wire):
    """IMAP line by line; literals in answers are read into the line."""

    def __init__(self, server, user=None, tls=True, source=None):
        super().__init__(server, 'imaps' if tls else 'imap', tls=tls, greet=False, source=source)
        self.greeting = self.line()
        self.count = 0
        if user:
            self.ok(f'LOGIN "{user}" "{PASSWORD}"')

    def full_line(self):
        line = self.line()
        while match := re.search(r'\{(\d+)\}$', line):
            line += '\r\n' + self.file.read(int(match.group(1))).decode('utf-8', 'replace')
            line += self.line()
        return line

    def start(self, text):
        self.count += 1
        tag = f't{self.count}'
        self.send(f'{tag} {text}\r\n')
        return tag

    def finish(self, tag):
        """(status line without the tag, untagged lines)"""
        lines = []
        while True:
            line = self.full_line()
            assert line, f'closed while waiting for {tag}: {lines}'
            if line.startswith(tag + ' '):
                return line[len(tag) + 1:], lines
            lines.append(line)

    def do(self, text):
        return self.finish(self.start(text))

    def ok(self, text):
        status, lines = self.do(text)
        assert status.startswith('OK'), f'{text}: {status}'
        return lines

    def no(self, text):
        status, _ = self.do(text)
        assert status.startswith('NO'), f'{text}: {status}'
        return status

    def bad(self, text):
        status, _ = self.do(text)
        assert status.startswith('BAD'), f'{text}: {status}'
        return status

    def append(self, text, mailbox='INBOX', flags=''):
        tag = self.start(f'APPEND {mailbox} {flags}{{{len(text)}}}')
        assert self.line().startswith('+')
        self.send(text + b'\r\n')
        return self.finish(tag)


@pytest.fixture
def box(server, user):
    with Imap(server, user) as wire:
        yield wire


@pytest.fixture
def three(server, user):
    """A selected inbox with three messages."""
    deliver(server, user, *[message(f'm{n}', f'body {n}\r\n') for n in (1, 2, 3)])
    server.wait_stored(user, 3)
    with Imap(server, user) as wire:
        wire.ok('SELECT INBOX')
        yield wire


def words(lines, start):
    found = [line for line in lines if line.startswith(start)]
    assert found, f'no {start} in {lines}'
    return found[0][len(start):].split()


# Before the login

def test_greeting_and_capabilities(server):
    with Imap(server, tls=False, source=ELSEWHERE) as wire:
        assert wire.greeting.startswith('* OK')
        capabilities = words(wire.ok('CAPABILITY'), '* CAPABILITY')
        assert {'IMAP4rev1', 'STARTTLS', 'LOGINDISABLED'} <= set(capabilities)
        assert not [c for c in capabilities if c.startswith('AUTH=')]


def test_capabilities_under_tls(server):
    with Imap(server) as wire:
        capabilities = words(wire.ok('CAPABILITY'), '* CAPABILITY')
        assert {'IMAP4rev1', 'AUTH=PLAIN', 'SASL-IR', 'ID'} <= set(capabilities)
        assert 'LITERAL+' in capabilities or 'LITERAL-' in capabilities
        assert 'LOGINDISABLED' not in capabilities and 'STARTTLS' not in capabilities


def test_login_needs_tls(server, user):
    with Imap(server, tls=False, source=ELSEWHERE) as wire:
        assert '[PRIVACYREQUIRED]' in wire.no(f'LOGIN {user} "{PASSWORD}"')
        assert '[PRIVACYREQUIRED]' in wire.no('AUTHENTICATE PLAIN ' + plain(user))


def test_login_on_the_same_host_needs_no_tls(server, user):
    with Imap(server, user, tls=False) as wire:
        wire.ok('SELECT INBOX')


def test_login_without_tls_where_the_settings_allow_it(make_server):
    server = make_server(env={'POSTHORN_ALLOW_PLAINTEXT_AUTH': '1'})
    with Imap(server, f'user0@{DOMAIN}', tls=False, source=ELSEWHERE) as wire:
        wire.ok('SELECT INBOX')


@pytest.mark.parametrize('command,answer', [('imap', 't1 NO'), ('pop3', '-ERR')])
def test_a_worker_that_answers_too_late_does_not_answer_twice(make_server, command, answer):
    server = make_server(env={'POSTHORN_WORKERS': '1'})
    [mailbox] = server.roles()['mailbox']
    with Wire(server, command, greet=False) as wire:
        wire.socket.settimeout(30)
        wire.line()
        if command == 'pop3':
            wire.send(f'USER user0@{DOMAIN}\r\n')
            wire.line()
        os.kill(mailbox, signal.SIGSTOP)
        try:
            wire.send(f't1 LOGIN user0@{DOMAIN} "{PASSWORD}"\r\n' if command == 'imap'
                      else f'PASS {PASSWORD}\r\n')
            assert wire.line().startswith(answer)
        finally:
            os.kill(mailbox, signal.SIGCONT)
        assert wire.at_end()


def test_starttls_then_login(server, user):
    with Imap(server, tls=False) as wire:
        wire.ok('STARTTLS')
        wire.start_tls_now()
        wire.ok(f'LOGIN {user} "{PASSWORD}"')
        wire.ok('SELECT INBOX')


def test_command_injected_before_tls_is_not_executed(server, user):
    with Imap(server, tls=False) as wire:
        wire.send('a STARTTLS\r\nb NOOP\r\n')
        assert wire.line().startswith('a OK')
        try:
            wire.start_tls_now()
            wire.send('c NOOP\r\n')
            assert wire.line().startswith('c '), 'an injected command was answered'
        except OSError:
            pass


def test_authenticate_plain_in_every_form(server, user):
    with Imap(server) as wire:
        wire.ok('AUTHENTICATE PLAIN ' + plain(user))
    with Imap(server) as wire:
        tag = wire.start('authenticate plain')
        assert wire.line().startswith('+')
        wire.send(plain(user) + '\r\n')
        assert wire.finish(tag)[0].startswith('OK')
    with Imap(server) as wire:
        tag = wire.start('AUTHENTICATE LOGIN')
        if wire.line().startswith('+'):
            wire.send(b64(user) + '\r\n')
            wire.line()
            wire.send(b64(PASSWORD) + '\r\n')
            assert wire.finish(tag)[0].startswith('OK')


def test_authenticate_can_be_cancelled(server, user):
    with Imap(server) as wire:
        tag = wire.start('AUTHENTICATE PLAIN')
        wire.line()
        wire.send('*\r\n')
        assert wire.finish(tag)[0].startswith('BAD')
        wire.ok(f'LOGIN {user} "{PASSWORD}"')


def test_login_with_literals(server, user):
    with Imap(server) as wire:
        tag = wire.start(f'LOGIN {{{len(user)}}}')
        assert wire.line().startswith('+')
        wire.send(f'{user} {{{len(PASSWORD)}+}}\r\n{PASSWORD}\r\n')
        assert wire.finish(tag)[0].startswith('OK')


def test_wrong_password_and_unknown_user_look_the_same(server, user):
    answers = set()
    for name in (user, 'nobody@example.test'):
        with Imap(server) as wire:
            answers.add(wire.no(f'LOGIN {name} wrong'))
    assert len(answers) == 1 and '[AUTHENTICATIONFAILED]' in answers.pop()


def test_mailbox_commands_need_a_login(server):
    with Imap(server) as wire:
        for text in ('SELECT INBOX', 'LIST "" *', 'FETCH 1 FLAGS', 'CREATE x'):
            status, _ = wire.do(text)
            assert status[:3] in ('BAD', 'NO ')


def test_id_is_exchanged_before_and_after_login(server, user):
    with Imap(server) as wire:
        assert words(wire.ok('ID ("name" "test")'), '* ID')
        wire.ok('ID NIL')
        wire.ok(f'LOGIN {user} "{PASSWORD}"')
        wire.ok('ID NIL')


def test_logout_says_bye(box):
    assert box.ok('LOGOUT')[0].startswith('* BYE')
    assert box.at_end()


@pytest.mark.parametrize('text', ['', 'FOO', 'SELECT', 'SELECT "x', 'FETCH', 'LOGIN a', 'NOOP x',
                                  'UID', 'UID FOO', 'SELECT {5', 'SELECT INBOX extra'])
def test_nonsense_is_bad(box, text):
    box.bad(text)
    box.ok('NOOP')


def test_too_much_nonsense_is_no_harm(server):
    with Imap(server) as wire:
        wire.send(b'a LOGIN ' + b'(' * 100000 + b'\r\n')
        assert wire.line()[:5] in ('a BAD', '* BAD', '* BYE', '')


def test_huge_literal_is_refused_before_it_is_sent(server):
    with Imap(server) as wire:
        wire.send('a LOGIN {4000000000}\r\n')
        assert wire.line()[:4] in ('a BA', 'a NO', '* BY', '* BA')


# Mailboxes

def names(lines):
    return {re.search(r' (?:"([^"]*)"|(\S+))$', line).expand(r'\1\2') for line in lines
            if line.startswith(('* LIST', '* LSUB'))}


def test_special_folders_exist_and_are_subscribed(box):
    lines = box.ok('LIST "" *')
    assert {'INBOX', 'Drafts', 'Junk', 'Sent', 'Trash'} <= names(lines)
    for name in ('Drafts', 'Junk', 'Sent', 'Trash'):
        assert any(f'\\{name}' in line and line.endswith(name) for line in lines), lines
    assert {'Drafts', 'Junk', 'Sent', 'Trash'} <= names(box.ok('LSUB "" *'))


def test_special_folders_come_with_the_first_imap_access(server, user):
    def folders():
        return sorted(p.name for p in server.maildir(user).glob('.[A-Z]*'))
    deliver(server, user, message('before'))
    server.wait_stored(user)
    pop3(server, user).quit()
    assert folders() == [] and not (server.maildir(user) / 'subscriptions').exists()
    with Imap(server, user) as wire:
        wire.ok('SELECT INBOX')
    assert folders() == ['.Drafts', '.Junk', '.Sent', '.Trash']
    assert (server.maildir(user) / 'subscriptions').read_text().split('\n') == \
        ['V\t2', '', 'Drafts', 'Junk', 'Trash', 'Sent', '']


def test_removed_special_folders_come_back_but_not_their_subscription(server, user, box):
    box.ok('LIST "" *')
    box.ok('UNSUBSCRIBE Junk')
    box.ok('DELETE Trash')
    with Imap(server, user) as again:
        assert {'Junk', 'Trash'} <= names(again.ok('LIST "" *'))
        assert 'Junk' not in names(again.ok('LSUB "" *'))


def test_address_extension_makes_no_folder(server, user):
    deliver(server, user.replace('@', '+work@'), message('extended'))
    path, = server.wait_stored(user)
    assert path.parent == server.maildir(user) / 'new'
    with Imap(server, user) as wire:
        assert names(wire.ok('LIST "" *')) == {'INBOX', 'Drafts', 'Junk', 'Sent', 'Trash'}


def test_delimiter_is_a_dot(box):
    assert '"."' in box.ok('LIST "" ""')[0]
    assert '"."' in ' '.join(words(box.ok('NAMESPACE'), '* NAMESPACE'))


def test_folders_are_made_renamed_and_removed(server, user, box):
    box.ok('CREATE one.two')
    assert (server.maildir(user) / '.one.two' / 'cur').is_dir()
    assert 'one.two' in names(box.ok('LIST "" one.*'))
    box.ok('RENAME one.two three')
    assert 'three' in names(box.ok('LIST "" *')) and 'one.two' not in names(box.ok('LIST "" *'))
    box.no('CREATE three')
    box.ok('DELETE three')
    box.no('DELETE three')
    box.no('SELECT three')
    box.no('DELETE INBOX')


def test_patterns_match_as_the_rfc_says(box):
    box.ok('CREATE a.b.c')
    assert {'a.b.c'} <= names(box.ok('LIST "" a.*'))
    assert 'a.b.c' not in names(box.ok('LIST "" %'))
    assert 'a.b.c' in names(box.ok('LIST "a." b.%'))


def test_subscriptions_are_kept(server, user, box):
    box.ok('CREATE news')
    box.ok('SUBSCRIBE news')
    assert 'news' in names(box.ok('LSUB "" *'))
    with Imap(server, user) as again:
        assert 'news' in names(again.ok('LSUB "" *'))
        again.ok('UNSUBSCRIBE news')
    assert 'news' not in names(box.ok('LSUB "" *'))


def test_names_in_modified_utf7_and_hostile_names(box):
    box.ok('CREATE "Entw&APw-rfe"')
    assert 'Entw&APw-rfe' in names(box.ok('LIST "" Entw*'))
    for name in ('"../../etc"', '"a/../b"', '"a..b"', '".a"',
                 '"a&b"', '"' + 'x' * 300 + '"', '"a\tb"'):
        status, _ = box.do(f'CREATE {name}')
        assert status[:2] in ('NO', 'BA', 'OK')
    box.ok('LIST "" *')


def test_hostile_names_stay_inside_the_mailbox(server, user, box):
    box.do('CREATE "../escape"')
    box.do('CREATE "..escape"')
    box.do('CREATE "x/../../../escape"')
    outside = [p for p in server.mail.rglob('*escape*') if server.maildir(user) not in p.parents]
    assert outside == []


def test_select_reports_what_clients_need(three):
    lines = three.ok('SELECT INBOX')
    text = '\n'.join(lines)
    assert '* 3 EXISTS' in text and 'FLAGS (' in text
    assert re.search(r'\[UIDVALIDITY \d+\]', text) and re.search(r'\[UIDNEXT 4\]', text)
    assert 'PERMANENTFLAGS' in text


def test_examine_changes_nothing(server, user):
    deliver(server, user, message('x'))
    server.wait_stored(user)
    with Imap(server, user) as wire:
        status, _ = wire.do('EXAMINE INBOX')
        assert '[READ-ONLY]' in status
        wire.ok('FETCH 1 BODY[]')
        assert '\\Seen' not in wire.ok('FETCH 1 FLAGS')[0]
        wire.no('STORE 1 +FLAGS (\\Seen)')


def test_status_counts_without_selecting(three):
    line = three.ok('STATUS INBOX (MESSAGES UNSEEN UIDNEXT UIDVALIDITY RECENT)')[0]
    assert 'MESSAGES 3' in line and 'UNSEEN 3' in line and 'UIDNEXT 4' in line


# Messages

def test_fetch_items(three):
    line = three.ok('FETCH 2 (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)')[0]
    assert line.startswith('* 2 FETCH (')
    assert 'UID 2' in line and '"m2"' in line
    assert re.search(r'INTERNALDATE "[ \d]\d-\w{3}-\d{4} \d\d:\d\d:\d\d [+-]\d{4}"', line)
    assert re.search(r'RFC822\.SIZE \d+', line)
    assert re.search(r'BODYSTRUCTURE \("text" "plain"', line, re.I)
    assert re.search(r'ENVELOPE \("Tue, 02 Jan 2024 10:00:00 \+0000" "m2" '
                     r'\(\(NIL NIL "sender" "example\.org"\)\)', line)


def test_macros(three):
    assert 'ENVELOPE' in three.ok('FETCH 1 ALL')[0]
    assert 'BODY (' in three.ok('FETCH 1 FULL')[0]
    assert 'ENVELOPE' not in three.ok('FETCH 1 FAST')[0]


def test_body_sections(three):
    assert three.ok('FETCH 1 BODY.PEEK[TEXT]')[0].endswith('body 1\r\n)')
    header = three.ok('FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]')[0]
    assert 'Subject: m1\r\n\r\n' in header and 'From:' not in header
    assert 'Subject:' not in three.ok('FETCH 1 BODY.PEEK[HEADER.FIELDS.NOT (SUBJECT)]')[0]
    assert 'body 1' in three.ok('FETCH 1 BODY.PEEK[1]')[0]
    assert '{4}\r\nbody)' in three.ok('FETCH 1 BODY.PEEK[TEXT]<0.4>')[0]
    assert 'BODY[TEXT]<0>' in three.ok('FETCH 1 BODY.PEEK[TEXT]<0.4>')[0]


def test_multipart_structure(server, user, box):
    text = message('mp', '--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n--b\r\nContent-Type: '
                   'message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner body\r\n--b--\r\n',
                   MIME_Version='1.0', Content_Type='multipart/mixed; boundary=b')
    box.append(text)
    box.ok('SELECT INBOX')
    line = box.ok('FETCH 1 BODYSTRUCTURE')[0].lower()
    assert '"mixed"' in line and '"rfc822"' in line and '"inner"' in line
    assert 'inner body' in box.ok('FETCH 1 BODY.PEEK[2.TEXT]')[0]
    assert 'Subject: inner' in box.ok('FETCH 1 BODY.PEEK[2.HEADER]')[0]
    assert 'plain' in box.ok('FETCH 1 BODY.PEEK[1]')[0]
    assert 'text/plain' in box.ok('FETCH 1 BODY.PEEK[1.MIME]')[0]


def test_body_sets_seen_and_peek_does_not(three):
    three.ok('FETCH 1 BODY.PEEK[]')
    assert '\\Seen' not in three.ok('FETCH 1 FLAGS')[0]
    lines = three.ok('FETCH 1 BODY[]')
    assert any('\\Seen' in line for line in lines + three.ok('FETCH 1 FLAGS'))


def test_flags_and_keywords_survive_the_session(server, user, three):
    assert '\\Flagged' in three.ok('STORE 1 FLAGS (\\Flagged \\Answered $Label1)')[0]
    three.ok('STORE 1 -FLAGS (\\Answered)')
    assert not three.ok('STORE 1 +FLAGS.SILENT (\\Draft)')
    with Imap(server, user) as again:
        again.ok('SELECT INBOX')
        line = again.ok('FETCH 1 FLAGS')[0]
        assert '\\Flagged' in line and '\\Draft' in line and '$Label1' in line
        assert '\\Answered' not in line
    wait_until(lambda: any(p.name.endswith((':2,DFa', ':2,DF')) for p in server.stored(user)))


def test_search(three):
    three.ok('STORE 2 +FLAGS (\\Seen)')
    for query, found in (('ALL', '1 2 3'), ('SEEN', '2'), ('UNSEEN', '1 3'), ('SUBJECT m2', '2'),
                         ('FROM sender', '1 2 3'), ('NOT 2', '1 3'),
                         ('OR SUBJECT m1 SUBJECT m3', '1 3'), ('BODY "body 3"', '3'),
                         ('TEXT nowhere', ''), ('SINCE 1-Jan-2020', '1 2 3'),
                         ('BEFORE 1-Jan-2020', ''), ('LARGER 10', '1 2 3'), ('UID 2:*', '2 3'),
                         ('HEADER Subject m1', '1'), ('1:2 UNSEEN', '1'),
                         ('(SEEN SUBJECT m2)', '2'),
                         ('SENTON 2-Jan-2024', '1 2 3'), ('KEYWORD none', ''),
                         ('CHARSET UTF-8 SUBJECT m1', '1')):
        assert words(three.ok('SEARCH ' + query), '* SEARCH') == found.split(), query
    assert words(three.ok('UID SEARCH SUBJECT m3'), '* SEARCH') == ['3']
    assert '[BADCHARSET' in three.no('SEARCH CHARSET X-NONE SUBJECT a')


def test_expunge_and_uid_expunge(server, user, three):
    three.ok('STORE 1,3 +FLAGS (\\Deleted)')
    three.ok('UID EXPUNGE 3')
    assert words(three.ok('UID SEARCH ALL'), '* SEARCH') == ['1', '2']
    # A count of recent messages that has changed may be told (RFC 3501 7.3.2).
    assert [x for x in three.ok('EXPUNGE') if 'RECENT' not in x] == ['* 1 EXPUNGE']
    wait_until(lambda: len(server.stored(user)) == 1, what='one file left')


def test_close_expunges_silently_and_unselect_does_not(server, user, three):
    three.ok('STORE 1 +FLAGS (\\Deleted)')
    assert three.ok('UNSELECT') == []
    three.bad('FETCH 1 FLAGS')
    three.ok('SELECT INBOX')
    assert three.ok('CLOSE') == []
    assert '* 2 EXISTS' in three.ok('SELECT INBOX')


def test_uids_are_never_used_again(three):
    three.ok('STORE 3 +FLAGS (\\Deleted)')
    three.ok('EXPUNGE')
    status, _ = three.append(message('new'))
    assert re.search(r'\[APPENDUID \d+ 4\]', status), status


def test_append_keeps_flags_date_and_bytes(box):
    text = message('appended', 'x\r\n' * 2000)
    status, _ = box.append(text, flags='(\\Seen $Kept) "02-Feb-2020 02:02:02 +0200" ')
    assert status.startswith('OK') and '[APPENDUID ' in status
    box.ok('SELECT INBOX')
    line = box.ok('FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE)')[0]
    assert '\\Seen' in line and '$Kept' in line and f'RFC822.SIZE {len(text)}' in line
    assert ' 2-Feb-2020 ' in line or '02-Feb-2020 ' in line
    assert box.ok('FETCH 1 BODY.PEEK[]')[0].encode().count(text) == 1


def test_append_to_nowhere_says_trycreate(box):
    tag = box.start('APPEND nowhere {3}')
    line = box.line()
    if line.startswith('+'):
        box.send('abc\r\n')
        line = box.finish(tag)[0]
    assert '[TRYCREATE]' in line


def test_non_synchronising_literal(box):
    tag = box.start('APPEND INBOX {7+}')
    box.send('A: b\r\n\n\r\n')
    assert box.finish(tag)[0][:2] in ('OK', 'NO')


def test_copy_and_move(server, user, three):
    three.ok('CREATE archive')
    status, _ = three.do('COPY 1:2 archive')
    assert re.search(r'OK \[COPYUID \d+ 1:2 1:2\]', status), status
    status, lines = three.do('UID MOVE 3 archive')
    assert status.startswith('OK')
    assert any('COPYUID' in line for line in [status, *lines])
    assert '* 3 EXPUNGE' in lines
    assert 'MESSAGES 3' in three.ok('STATUS archive (MESSAGES)')[0]
    assert len(server.stored(user, '.archive')) == 3
    assert '[TRYCREATE]' in three.no('COPY 1 nowhere')


def test_pipelined_commands_are_answered_in_order(three):
    three.send('a NOOP\r\nb FETCH 1 FLAGS\r\nc NOOP\r\n')
    tags = []
    while len(tags) < 3:
        line = three.full_line()
        if line[0] in 'abc':
            tags.append(line[0])
    assert tags == ['a', 'b', 'c']


# Two sessions at once

def test_idle_tells_about_new_mail(server, user, box):
    box.ok('SELECT INBOX')
    tag = box.start('IDLE')
    assert box.line().startswith('+')
    deliver(server, user, message('ping'))
    box.socket.settimeout(5 * SLOW)
    line = box.line()
    while 'EXISTS' not in line:
        line = box.line()
    assert line == '* 1 EXISTS'
    box.send('DONE\r\n')
    assert box.finish(tag)[0].startswith('OK')


def test_idle_tells_at_once_what_other_programs_do(server, user, box):
    maildir = server.maildir(user)
    box.ok('SELECT INBOX')
    tag = box.start('IDLE')
    assert box.line().startswith('+')
    (maildir / 'tmp/x').write_text('Subject: from another program\n\nx\n')
    (maildir / 'tmp/x').rename(maildir / 'new/1700000000.M1P1.other')
    assert box.line() == '* 1 EXISTS'
    assert box.line() == '* 1 RECENT'
    file = maildir / 'cur/1700000000.M1P1.other:2,'
    wait_until(file.exists)
    file.rename(f'{file}F')
    assert 'Flagged' in box.line()
    box.send('DONE\r\n')
    assert box.finish(tag)[0].startswith('OK')


def run_setup(server, *args):
    return subprocess.run([server.build / 'setup', *args], env=server.environment(), check=True,
                          capture_output=True, text=True).stdout


def test_setup_works_on_a_mailbox_that_is_in_use(server, user, three, tmp_path):
    assert run_setup(server, 'mailbox', 'list', user).split()[6:8] == ['3', '3']
    assert 'INBOX: 3 messages, all well' in run_setup(server, 'mailbox', 'check', user)
    told = run_setup(server, 'mailbox', 'reindex', user, 'INBOX')
    assert 'the server has the mailbox in use' in told
    archive = tmp_path / 'x.tar'
    run_setup(server, 'mailbox', 'export', user, str(archive), 'INBOX')
    run_setup(server, 'mailbox', 'import', user, str(archive), 'INBOX')
    assert '* 6 EXISTS' in three.ok('NOOP')
    three.ok('SELECT INBOX')
    assert len([x for x in three.ok('FETCH 1:* (ENVELOPE)') if 'ENVELOPE' in x]) == 6
    index = server.root / 'var/mail-state/lib-posthorn/index' / user.split('@')[1] / \
        user.split('@')[0]
    wait_until(lambda: list(index.glob('*.index')))


def test_idle_tells_about_other_sessions(server, user, three):
    tag = three.start('IDLE')
    assert three.line().startswith('+')
    with Imap(server, user) as other:
        other.ok('SELECT INBOX')
        other.ok('STORE 2 +FLAGS (\\Flagged)')
        line = three.line()
        assert line.startswith('* 2 FETCH') and '\\Flagged' in line
        other.ok('STORE 1 +FLAGS (\\Deleted)')
        other.ok('EXPUNGE')
    while not line.endswith('EXPUNGE'):
        line = three.line()
    assert line == '* 1 EXPUNGE'
    three.send('DONE\r\n')
    three.finish(tag)


def test_noop_brings_changes_of_other_sessions(server, user, three):
    with Imap(server, user) as other:
        other.append(message('from elsewhere'))
        assert '* 4 EXISTS' in three.ok('NOOP')


def test_files_that_appear_by_themselves_are_noticed(server, user, three):
    (server.maildir(user) / 'new' / f'{int(time.time())}.M1P1.elsewhere').write_bytes(
        b'Subject: by hand\n\nx\n')
    wait_until(lambda: '* 4 EXISTS' in three.ok('NOOP'), what='the new file')
    assert 'by hand' in three.ok('FETCH 4 BODY.PEEK[]')[0]


@pytest.mark.parametrize('tls', [False, True])
def test_much_may_be_pipelined_behind_a_login(server, user, tls):
    """More than a block of the stream's: its buffer has grown for a long line before."""
    login = f'c LOGIN "{user}" "'.encode()
    first = b'a ID ("n" "' + b'x' * 16370 + b'")\r\n'
    second = b'b ID ("n" "' + b'y' * (32768 - len(first) - len(login) - 15) + b'")\r\n'
    with Imap(server, tls=tls) as wire:
        wire.send(first + second + login)
        tags = [wire.line().split()[0] for _ in range(4)]
        wire.send(PASSWORD.encode() + b'"\r\n' + b'd NOOP\r\n' * 4000)
        while len(tags) < 4005:
            tags.append(wire.line().split()[0])
        assert tags == ['*', 'a', '*', 'b', 'c'] + ['d'] * 4000


@pytest.mark.parametrize('tls', [False, True])
def test_login_that_finds_no_worker_is_refused_and_may_be_tried_again(make_server, tls):
    server = make_server(env={'POSTHORN_CONNECTIONS_PER_USER': '1'})
    login = f'LOGIN user0@{DOMAIN} "{PASSWORD}"'
    with Imap(server, tls=tls) as late:
        with Imap(server, f'user0@{DOMAIN}') as first:
            for _ in range(3):
                assert '[LIMIT]' in late.no(login)
            first.ok('LOGOUT')

        def is_free():
            return late.do(login)[0].startswith('OK')
        wait_until(is_free, what='the end of the first session')
        late.ok('SELECT INBOX')


def test_one_address_has_only_so_many_connections(make_server):
    server = make_server(env={'POSTHORN_CONNECTIONS_PER_ADDRESS': '2', 'POSTHORN_WORKERS': '1'})
    with Imap(server, tls=False) as first, Imap(server) as second:
        with Imap(server, tls=False) as third:
            assert third.greeting.startswith('* BYE ') and third.at_end()
        with Wire(server, 'pop3', greet=False) as third:
            assert third.line().startswith('-ERR ') and third.at_end()
        with Imap(server, tls=False, source=ELSEWHERE) as elsewhere:
            elsewhere.ok('NOOP')
        first.ok('NOOP')
        second.ok('NOOP')


def test_sessions_are_told_when_the_server_ends(make_server):
    server = make_server()
    user = f'user0@{DOMAIN}'
    with Imap(server, user) as idle, Imap(server, user, tls=False) as silent, \
            Imap(server) as before:
        idle.ok('SELECT INBOX')
        idle.start('IDLE')
        assert idle.line().startswith('+')
        silent.ok('NOOP')
        server.stop(seconds=8)
        for wire in (idle, silent, before):
            assert wire.line().startswith('* BYE ')
            assert wire.at_end()


def test_lock_of_a_worker_that_was_killed_is_taken_over(server, user):
    maildir = server.maildir(user)
    maildir.mkdir(parents=True)
    for name in ('dovecot-uidlist.lock', 'posthorn.lock.2147483646'):
        (maildir / name).write_text(f'2147483646:{socket.gethostname()}')
    deliver(server, user, message('before'))
    server.wait_stored(user)
    with Imap(server, user) as wire:
        assert '* 1 EXISTS' in wire.ok('SELECT INBOX')
        assert '2147483646' not in ' '.join(p.name for p in maildir.iterdir())


def test_imaplib_works(server, user):
    client = imaplib.IMAP4('127.0.0.1', server.port('imap'), timeout=TIMEOUT)
    client.starttls(insecure_tls())
    client.login(user, PASSWORD)
    client.append('INBOX', '', imaplib.Time2Internaldate(0), message('lib'))
    client.select()
    assert client.search(None, 'ALL')[1] == [b'1']
    client.logout()
    assert imap(server, user).noop()[0] == 'OK'


@pytest.mark.parametrize('end', ['stop', 'kill'])
def test_names_of_files_follow_flags_later_and_before_another_server_sees_them(make_server, end):
    """As long as POSTHORN_RENAME_DELAY says; at the end of the server at once, and if it was killed
    by the next one."""
    user = f'user0@{DOMAIN}'
    server = make_server(accounts=[user], env={'POSTHORN_RENAME_DELAY': '1h'})
    with Imap(server, user) as wire:
        for subject in 'ab':
            wire.append(message(subject))
        wire.ok('SELECT INBOX')
        wire.ok('STORE 1 +FLAGS (\\Flagged)')
        wire.ok('STORE 2 +FLAGS (\\Deleted)')
        wire.ok('EXPUNGE')
        files = server.stored(user)
        assert len(files) == 2 and not any('F' in p.name.partition(':2,')[2] for p in files)
        if end == 'kill':
            server.kill_all()
    if end == 'kill':
        server.env['POSTHORN_RENAME_DELAY'] = '0'
        server.start()
        with Imap(server, user) as wire:
            wire.ok('SELECT INBOX')
            assert '\\Flagged' in ' '.join(wire.ok('FETCH 1 (FLAGS)'))
            wait_until(lambda: len(server.stored(user)) == 1, what='the removal')
    server.stop()
    names = [p.name.partition(':2,')[2] for p in server.stored(user)]
    assert len(names) == 1 and 'F' in names[0]
