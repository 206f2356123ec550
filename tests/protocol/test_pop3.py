"""POP3: RFC 1939, 2449 (CAPA), 2595 (STLS), 5034 (AUTH), 3206 (response codes), 6856 (UTF8)."""
import poplib

import pytest
from server import PASSWORD, wait_until
from wire import ELSEWHERE, TIMEOUT, Wire, deliver, insecure_tls, message, plain, pop3


class Pop(Wire):
    """POP3 line by line."""

    def __init__(self, server, tls=True, source=None):
        super().__init__(server, 'pop3s' if tls else 'pop3', tls=tls, greet=False, source=source)
        self.greeting = self.line()

    def say(self, text):
        self.send(text.encode() + b'\r\n')
        return self.line()

    def ok(self, text):
        answer = self.say(text)
        assert answer.startswith('+OK'), f'{text}: {answer}'
        return answer

    def err(self, text):
        answer = self.say(text)
        assert answer.startswith('-ERR'), f'{text}: {answer}'
        return answer

    def lines(self):
        found = []
        while (line := self.line()) != '.':
            found.append(line.removeprefix('.') if line.startswith('..') else line)
        return found

    def many(self, text):
        self.ok(text)
        return self.lines()

    def enter(self, user):
        self.ok(f'USER {user}')
        self.ok(f'PASS {PASSWORD}')
        return self


@pytest.fixture
def pop(server):
    with Pop(server) as wire:
        yield wire


@pytest.fixture
def three(server, user):
    """A mailbox with three messages, opened."""
    deliver(server, user, *[message(f'm{n}', f'body {n}\r\n.dot\r\n') for n in (1, 2, 3)])
    server.wait_stored(user, 3)
    with Pop(server) as wire:
        yield wire.enter(user)


def subject(lines):
    return [line for line in lines if line.startswith('Subject:')][0]


def test_greeting_and_capabilities(pop):
    assert pop.greeting.startswith('+OK')
    capabilities = pop.many('CAPA')
    for name in ('TOP', 'UIDL', 'USER', 'RESP-CODES', 'PIPELINING'):
        assert name in [c.split()[0] for c in capabilities], capabilities
    assert any(c.startswith('SASL') and 'PLAIN' in c for c in capabilities)


def test_login_needs_tls(server, user):
    with Pop(server, tls=False, source=ELSEWHERE) as wire:
        capabilities = [c.split()[0] for c in wire.many('CAPA')]
        assert 'STLS' in capabilities and 'USER' not in capabilities and 'SASL' not in capabilities
        assert '[AUTH]' in wire.err(f'USER {user}')
        assert '[AUTH]' in wire.err('AUTH PLAIN ' + plain(user))


def test_login_on_the_same_host_needs_no_tls(server, user):
    with Pop(server, tls=False) as wire:
        wire.enter(user).ok('STAT')


def test_stls_then_login(server, user):
    with Pop(server, tls=False) as wire:
        wire.ok('STLS')
        wire.start_tls_now()
        assert 'STLS' not in wire.many('CAPA')
        wire.enter(user).ok('STAT')


def test_command_injected_before_tls_is_not_executed(server, user):
    with Pop(server, tls=False) as wire:
        wire.send(f'STLS\r\nUSER {user}\r\n')
        assert wire.line().startswith('+OK')
        try:
            wire.start_tls_now()
            assert wire.say(f'PASS {PASSWORD}').startswith('-ERR')
        except OSError:
            pass


def test_wrong_password_and_unknown_user_look_the_same(server, user):
    answers = set()
    for name in (user, 'nobody@example.test'):
        with Pop(server) as wire:
            wire.ok(f'USER {name}')
            answers.add(wire.err('PASS wrong'))
    assert len(answers) == 1
    assert '[AUTH]' in answers.pop()


def test_pass_without_user_is_refused(pop):
    pop.err(f'PASS {PASSWORD}')


def test_password_may_hold_blanks(pop, user):
    assert ' ' in PASSWORD
    pop.enter(user)


def test_auth_plain_with_and_without_initial_response(server, user):
    with Pop(server) as wire:
        wire.ok('AUTH PLAIN ' + plain(user))
    with Pop(server) as wire:
        assert wire.say('AUTH PLAIN').startswith('+ ')
        wire.ok(plain(user))
    with Pop(server) as wire:
        assert wire.say('AUTH PLAIN').startswith('+ ')
        wire.err('*')
        wire.enter(user)


def test_mailbox_commands_need_a_login(pop):
    for text in ('STAT', 'LIST', 'RETR 1', 'DELE 1', 'UIDL', 'TOP 1 0', 'RSET'):
        pop.err(text)


def test_empty_mailbox(pop, user):
    pop.enter(user)
    assert pop.ok('STAT').split()[:3] == ['+OK', '0', '0']
    assert pop.many('LIST') == []
    assert pop.many('UIDL') == []
    pop.err('RETR 1')


def test_sizes_are_those_of_the_wire(three):
    count, total = three.ok('STAT').split()[1:3]
    sizes = {int(n): int(size) for n, size in (line.split() for line in three.many('LIST'))}
    assert count == '3' and int(total) == sum(sizes.values())
    for n, size in sizes.items():
        assert sum(len(line.encode()) + 2 for line in three.many(f'RETR {n}')) == size
    assert three.ok('LIST 2').split()[1:3] == ['2', str(sizes[2])]


def test_messages_come_in_order_with_dots_stuffed(three):
    for n in (1, 2, 3):
        lines = three.many(f'RETR {n}')
        assert subject(lines) == f'Subject: m{n}'
        assert lines[-2:] == [f'body {n}', '.dot']


def test_top_gives_the_header_and_some_lines(three):
    lines = three.many('TOP 1 0')
    assert lines[-1] == '' and subject(lines)
    assert three.many('TOP 1 1')[-1] == 'body 1'
    assert three.many('TOP 1 999')[-1] == '.dot'
    three.err('TOP 1')
    three.err('TOP 1 -1')


def test_unique_ids_last(server, user, three):
    first = three.many('UIDL')
    assert len({line.split()[1] for line in first}) == 3
    assert three.ok('UIDL 2').split()[1:] == first[1].split()
    three.ok('QUIT')
    with Pop(server) as again:
        assert again.enter(user).many('UIDL') == first


@pytest.mark.parametrize('text', ['RETR', 'RETR 0', 'RETR 4', 'RETR x', 'RETR -1', 'LIST 4',
                                  'DELE 0', 'RETR 99999999999999999999', 'UIDL 9', 'FOO', '',
                                  'RETR 1 2'])
def test_nonsense_is_refused(three, text):
    three.err(text)
    three.ok('NOOP')


def test_deletion_happens_at_quit_only(server, user, three):
    three.ok('DELE 2')
    three.err('DELE 2')
    three.err('RETR 2')
    assert [line.split()[0] for line in three.many('LIST')] == ['1', '3']
    assert three.ok('STAT').split()[1] == '2'
    three.close()       # no QUIT: nothing is deleted
    with wait_until(lambda: entered(server, user), what='the lock to be released') as again:
        assert again.ok('STAT').split()[1] == '3'
        again.ok('DELE 2')
        again.ok('QUIT')
        assert again.at_end()
    with wait_until(lambda: entered(server, user), what='the lock to be released') as last:
        assert [subject(last.many(f'RETR {n}')) for n in (1, 2)] == ['Subject: m1', 'Subject: m3']
    wait_until(lambda: len(server.stored(user)) == 2)


def entered(server, user):
    wire = Pop(server)
    wire.ok(f'USER {user}')
    if wire.say(f'PASS {PASSWORD}').startswith('+OK'):
        return wire
    wire.close()
    return None


def test_rset_takes_deletions_back(three):
    three.ok('DELE 1')
    three.ok('RSET')
    assert three.ok('STAT').split()[1] == '3'


def test_pipelined_commands_are_answered_in_order(three):
    three.send('NOOP\r\nSTAT\r\nRETR 1\r\nDELE 1\r\nNOOP\r\n')
    assert three.line().startswith('+OK')
    assert three.line().startswith('+OK 3 ')
    assert three.line().startswith('+OK')
    assert subject(three.lines()) == 'Subject: m1'
    assert three.line().startswith('+OK')
    assert three.line().startswith('+OK')


def test_pipelining_across_the_login(server, user):
    with Pop(server) as wire:
        wire.send(f'USER {user}\r\nPASS {PASSWORD}\r\nSTAT\r\nQUIT\r\n')
        assert [wire.line()[:3] for _ in range(4)] == ['+OK'] * 4


def test_new_mail_shows_in_the_next_session(server, user, three):
    deliver(server, user, message('late'))
    server.wait_stored(user, 4)
    assert three.ok('STAT').split()[1] == '3'


def test_overlong_line_does_no_harm(server):
    with Pop(server) as wire:
        wire.send(b'USER ' + b'x' * 200000 + b'\r\n')
        assert wire.line()[:4] in ('-ERR', '')


def test_poplib_reads_everything(server, user):
    deliver(server, user, *[message(f'p{n}') for n in range(20)])
    server.wait_stored(user, 20)
    client = pop3(server, user)
    assert client.stat()[0] == 20
    for n in range(1, 21):
        assert b'Subject: p%d' % (n - 1) in client.retr(n)[1]
        client.dele(n)
    client.quit()
    # They are gone at once; their files follow in the background.
    client = pop3(server, user)
    assert client.stat()[0] == 0
    client.quit()
    wait_until(lambda: server.stored(user) == [])


def test_poplib_over_stls(server, user):
    client = poplib.POP3('127.0.0.1', server.port('pop3'), timeout=TIMEOUT)
    client.stls(context=insecure_tls())
    client.user(user)
    client.pass_(PASSWORD)
    client.quit()
