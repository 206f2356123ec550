"""What an operator sees of the queue and does with it: `setup queue` and the old names."""
import contextlib
import json
import os
import pty
import re
import smtplib
import stat
import subprocess
import time

import pytest

from server import wait_until
from smtp_sink import Sink
from test_remote import ALICE, ELSEWHERE, relay_to, submit, submit_many, wait_accepted

LATER = ['450 4.2.0 come back later']


def run(server, *args, program='setup', text=''):
    return subprocess.run([program, *args], executable=server.build / 'setup',
                          env={**server.environment(), 'TZ': 'UTC'}, text=True, input=text,
                          capture_output=True, timeout=30, check=False)


def ok(server, *args, **options):
    result = run(server, *args, **options)
    assert result.returncode == 0, result.stderr + result.stdout
    return result.stdout


def listed(server):
    return [json.loads(line) for line in ok(server, 'queue', 'list', '--json').splitlines()]


def wait_deferred(server, count=1):
    def deferred():
        messages = [m for m in listed(server) if m['queue_name'] == 'deferred']
        return len(messages) == count and all(
            'delay_reason' in r for m in messages for r in m['recipients']) and messages
    return wait_until(deferred, what=f'{count} deferred messages')


@pytest.fixture
def greylisted(make_server):
    """A server whose mail elsewhere waits, and the sink that lets it wait."""
    with Sink(replies={'RCPT': LATER}) as sink:
        server = make_server(accounts=[ALICE],
                             env=relay_to(sink, POSTHORN_REMOTE_RETRY_MIN='1h'))
        yield server, sink


def accept(sink):
    sink.replies['RCPT'] = ['250 ok']


def test_an_empty_queue_is_said_to_be_empty(make_server):
    server = make_server(accounts=[ALICE])
    assert ok(server, 'queue', 'list') == 'Mail queue is empty\n'
    assert ok(server, program='mailq') == 'Mail queue is empty\n'
    assert listed(server) == []


def test_a_message_that_waits_is_listed_with_its_reason(greylisted):
    server, _ = greylisted
    submit(server, [ELSEWHERE, 'carol@elsewhere.example'])
    message, = wait_deferred(server)
    assert message['sender'] == ALICE and message['attempts'] == 1
    assert [r['address'] for r in message['recipients']] == [ELSEWHERE, 'carol@elsewhere.example']
    assert 'come back later' in message['recipients'][0]['delay_reason']
    assert message['next_attempt'] > time.time() + 3000
    table = ok(server, program='mailq')
    assert re.search(rf'^{message["queue_id"]}  +\d+ .*  {ALICE}$', table, re.M)
    assert re.search(rf'^ +\(.*come back later.*\)\n +{ELSEWHERE}$', table, re.M)
    assert re.search(r'^-- \d+ Kbytes in 1 Request\.$', table, re.M)
    assert ok(server, '-p', program='postqueue') == table


def test_a_message_is_shown_with_all_that_is_known(greylisted):
    server, _ = greylisted
    submit(server, ELSEWHERE, mail_options=['MT-PRIORITY=9'])
    message, = wait_deferred(server)
    text = ok(server, 'queue', 'show', message['queue_id'])
    for part in (f'Sender:    <{ALICE}>', f'Recipient: <{ELSEWHERE}>', f'Login:     {ALICE}',
                 'Priority:  9\n',
                 'deferred <bob@elsewhere.example>, host ', 'Subject: hello', 'How are you?'):
        assert part in text
    assert run(server, 'queue', 'show', 'B' * 13).returncode == 1
    assert run(server, 'queue', 'show', 'nonsense').returncode == 1


def test_a_message_that_is_shown_cannot_command_the_terminal(greylisted):
    server, _ = greylisted
    content = b'Subject: a\x1b[31m\r\n\r\nb\xc2\x9b31m\tc\xff\r\n' + \
        (b'\xe2\x82\xac' * 300 + b'\r\n') * 150
    submit(server, ELSEWHERE, content)
    message, = wait_deferred(server)
    command = ['queue', 'show', message['queue_id']]
    main, terminal = pty.openpty()
    shown = b''
    with subprocess.Popen(['setup', *command], executable=server.build / 'setup', stdout=terminal,
                          stderr=subprocess.DEVNULL, env=server.environment()):
        os.close(terminal)
        with contextlib.suppress(OSError):
            while piece := os.read(main, 65536):
                shown += piece
    os.close(main)
    shown = shown.replace(b'\r\r\n', b'\r\n')
    wanted = content.replace(b'\x1b', b'?').replace(b'\xc2\x9b', b'?').replace(b'\xff', b'?')
    assert shown.endswith(wanted)
    # Elsewhere the bytes are what is wanted.
    raw = subprocess.run(['setup', *command], executable=server.build / 'setup', timeout=30,
                         env=server.environment(), capture_output=True, check=True).stdout
    assert raw.endswith(content)


def test_a_message_is_tried_at_once_when_somebody_asks(greylisted):
    server, sink = greylisted
    submit(server, ELSEWHERE)
    message, = wait_deferred(server)
    accept(sink)
    assert ok(server, 'queue', 'retry', message['queue_id']) == 'Tried now: 1 message\n'
    wait_accepted(sink)
    wait_until(lambda: not listed(server), what='an empty queue')


def test_a_domain_is_flushed_alone(greylisted):
    server, sink = greylisted
    submit(server, ELSEWHERE)
    submit(server, 'x@other.example')
    wait_deferred(server, 2)
    accept(sink)
    assert ok(server, 'queue', 'flush', 'Elsewhere.example') == 'Tried now: 1 message\n'
    wait_accepted(sink)
    left, = wait_until(lambda: len(listed(server)) == 1 and listed(server))
    assert left['recipients'][0]['address'] == 'x@other.example'
    ok(server, '-s', 'other.example', program='postqueue')
    wait_accepted(sink, 2)


@pytest.mark.parametrize('words', [('flush',), ('flush', 'elsewhere.example'), ('retry',)])
def test_a_server_that_was_away_is_tried_when_an_operator_says_so(make_server, words):
    with Sink() as sink:
        relay = relay_to(sink, POSTHORN_REMOTE_RETRY_MIN='1h')
    server = make_server(accounts=[ALICE], env=relay)
    for _ in range(3):
        submit(server, ELSEWHERE)
    wait_deferred(server, 3)
    with Sink(port=sink.port) as sink:
        ids = [m['queue_id'] for m in listed(server)] if words == ('retry',) else []
        ok(server, 'queue', *words, *ids)
        wait_accepted(sink, 3)


def test_what_is_held_stays_until_it_is_released_also_across_a_crash(greylisted):
    server, sink = greylisted
    submit(server, ELSEWHERE)
    message, = wait_deferred(server)
    qid = message['queue_id']
    assert ok(server, 'queue', 'hold', qid) == 'Placed on hold: 1 message\n'
    accept(sink)
    ok(server, 'queue', 'flush')
    server.kill_all()
    server.start()
    ok(server, 'queue', 'flush')
    time.sleep(0.5)
    assert listed(server)[0]['queue_name'] == 'hold'
    assert not sink.accepted
    assert f'{qid}!' in ok(server, program='mailq')
    ok(server, '-H', qid, program='postsuper')
    wait_accepted(sink)


def test_what_is_deleted_does_not_come_back(greylisted):
    server, sink = greylisted
    for _ in range(3):
        submit(server, ELSEWHERE)
    ids = [m['queue_id'] for m in wait_deferred(server, 3)]
    assert ok(server, 'queue', 'delete', ids[0]) == 'Deleted: 1 message\n'
    server.kill_all()
    server.start()
    assert [m['queue_id'] for m in listed(server)] == ids[1:]
    assert run(server, 'queue', 'delete', ids[0]).returncode == 1
    ok(server, '-d', '-', program='postsuper', text=ids[1] + '\n')
    assert [m['queue_id'] for m in listed(server)] == ids[2:]
    ok(server, '-d', 'ALL', program='postsuper')
    assert listed(server) == []
    accept(sink)
    ok(server, 'queue', 'flush')
    time.sleep(0.3)
    assert not sink.accepted


def test_old_habits_may_name_a_queue(greylisted):
    server, _ = greylisted
    submit(server, ELSEWHERE)
    submit(server, ELSEWHERE)
    first, second = (m['queue_id'] for m in wait_deferred(server, 2))
    ok(server, '-h', first, program='postsuper')
    for args in (['ALL', 'nonsense'], ['ALL', 'deferred', 'nonsense'], [first, 'deferred'],
                 [first, second], ['-', 'hold']):
        result = run(server, '-d', *args, program='postsuper', text=first)
        assert result.returncode == 1 and 'is not understood' in result.stderr
    assert ok(server, '-d', 'ALL', 'active', 'incoming', program='postsuper') == \
        'Deleted: 0 messages\n'
    assert ok(server, '-d', 'ALL', 'deferred', program='postsuper') == 'Deleted: 1 message\n'
    assert [m['queue_id'] for m in listed(server)] == [first]
    assert ok(server, '-d', 'ALL', 'active', 'hold', program='postsuper') == \
        'Deleted: 1 message\n'
    assert listed(server) == []


def test_the_known_ones_are_acted_on_and_the_unknown_are_named(greylisted):
    server, _ = greylisted
    submit(server, ELSEWHERE)
    submit(server, ELSEWHERE)
    first, second = (m['queue_id'] for m in wait_deferred(server, 2))
    for word, said in (('hold', 'Placed on hold'), ('release', 'Released from hold'),
                       ('delete', 'Deleted')):
        result = run(server, 'queue', word, first, 'B' * 13, second)
        assert result.returncode == 1
        assert result.stdout == f'{said}: 2 messages\n'
        assert f"'{'B' * 13}' is not in the queue" in result.stderr
        assert first not in result.stderr
    assert listed(server) == []


def test_what_is_done_already_is_no_mistake(greylisted):
    server, _ = greylisted
    submit(server, ELSEWHERE)
    message, = wait_deferred(server)
    ok(server, 'queue', 'hold', message['queue_id'])
    assert ok(server, 'queue', 'hold', message['queue_id']) == 'Placed on hold: 0 messages\n'


def test_postsuper_takes_options_as_often_as_they_are_given(greylisted):
    server, _ = greylisted
    for _ in range(5):
        submit(server, ELSEWHERE)
    ids = [m['queue_id'] for m in wait_deferred(server, 5)]
    out = ok(server, '-d', ids[0], '-h', ids[1], '-v', '-d', ids[2], f'-h{ids[3]}',
             program='postsuper')
    assert out == 'Deleted: 2 messages\nPlaced on hold: 2 messages\n'
    assert [(m['queue_id'], m['queue_name']) for m in listed(server)] == [
        (ids[1], 'hold'), (ids[3], 'hold'), (ids[4], 'deferred')]
    out = ok(server, '-H', ids[1], '-d', '-', program='postsuper', text=f'{ids[4]}\n{ids[3]}\n')
    assert out == 'Deleted: 2 messages\nReleased from hold: 1 message\n'
    for args in (['-d'], ['-x', ids[1]], ['-d', '-h', ids[1]], ['-d', ids[1], '-q']):
        result = run(server, *args, program='postsuper')
        assert result.returncode == 1 and 'is not understood' in result.stderr, args
    assert [m['queue_id'] for m in listed(server)] == [ids[1]]


def test_more_messages_than_go_into_a_call_are_acted_on(greylisted):
    server, _ = greylisted
    submit_many(server, 1050)
    wait_until(lambda: '1050 Requests' in ok(server, program='mailq'))
    assert ok(server, 'queue', 'hold', 'all') == 'Placed on hold: 1050 messages\n'
    # What was being tried is held when that has ended.
    wait_until(lambda: ok(server, program='mailq').count('!') == 1050)
    assert ok(server, '-d', 'ALL', 'hold', program='postsuper') == 'Deleted: 1050 messages\n'
    assert listed(server) == []


def test_all_that_is_shown_can_be_had_as_json(greylisted):
    server, sink = greylisted
    submit(server, [ELSEWHERE, 'x@other.example'],
           b'Message-ID: <one@here.example>\r\nSubject: "a\\b" \xe9\r\n\r\nb\tc \xe2\x82\xac'
           b'\r\n' + (b'\xc3\xa4' * 300 + b'\r\n') * 300, mail_options=['MT-PRIORITY=-2'])
    message, = wait_deferred(server)
    qid = message['queue_id']
    shown = json.loads(ok(server, 'queue', 'show', '--json', qid))
    assert {k: v for k, v in shown.items() if k in message} == message
    assert shown['priority'] == -2
    assert shown['login'] == ALICE and shown['client_address'] == '127.0.0.1'
    assert 'Subject: "a\\b" \ufffd\r\n' in shown['content']
    assert shown['content'].endswith('\r\n\r\nb\tc \u20ac\r\n' + ('\u00e4' * 300 + '\r\n') * 300)
    assert [(e['event'], e.get('recipient')) for e in shown['events']] == [
        ('received', None), ('deferred', ELSEWHERE), ('deferred', 'x@other.example')]
    assert 'come back later' in shown['events'][1]['text']
    assert shown['events'][0]['message_id'] == '<one@here.example>'

    traced, = map(json.loads, ok(server, 'queue', 'trace', ELSEWHERE, '--json').splitlines())
    assert traced['events'] == shown['events'] and traced['queue_id'] == qid
    assert traced['now']['queue_name'] == 'deferred'

    stats = [json.loads(line) for line in ok(server, 'queue', 'stats', '--json').splitlines()]
    assert [(d['domain'], d['recipients'], d['minutes']['5'], d['minutes']['more'])
            for d in stats] == [('elsewhere.example', 1, 1, 0), ('other.example', 1, 1, 0)]

    accept(sink)
    ok(server, 'queue', 'flush')
    wait_until(lambda: not listed(server), what='an empty queue')
    wait_until(lambda: 'sent <' in ok(server, 'queue', 'trace', qid))
    traced = json.loads(ok(server, 'queue', 'trace', '--json', qid))
    assert traced['now'] is None and traced['events'][-1]['event'] == 'sent'
    server.stop()
    assert 'now' not in json.loads(ok(server, 'queue', 'trace', '--json', qid))
    server.start()


def test_one_argument_too_many_is_not_passed_over(make_server):
    server = make_server(accounts=[ALICE])
    for args in (['show', 'B' * 13, 'B' * 13], ['trace', 'a', 'b'], ['stats', 'x'],
                 ['flush', 'a.example', 'b.example'], ['suppressed', 'x'],
                 ['unsuppress', 'a@b.example', 'x'], ['list', '--json', 'x']):
        result = run(server, 'queue', *args)
        assert result.returncode == 1 and 'is one argument too many' in result.stderr, args


def test_destinations_are_counted_by_age(greylisted):
    server, _ = greylisted
    submit(server, [ELSEWHERE, 'carol@elsewhere.example', 'x@other.example'])
    wait_deferred(server)
    lines = ok(server, 'queue', 'stats').splitlines()
    assert lines[0].split() == ['T', '5', '10', '20', '40', '80', '160', '320', '640', '1280',
                                '1280+']
    assert [line.split()[:3] for line in lines[1:]] == [
        ['TOTAL', '3', '3'], ['elsewhere.example', '2', '2'], ['other.example', '1', '1']]


def test_a_trace_says_why_mail_has_not_arrived(greylisted):
    server, sink = greylisted
    submit(server, ELSEWHERE, 'Message-ID: <one@here.example>\r\nSubject: a\r\n\r\nb\r\n')
    message, = wait_deferred(server)
    for wanted in ('one@here.example', '<one@here.example>', ELSEWHERE, ALICE.upper(),
                   message['queue_id']):
        text = ok(server, 'queue', 'trace', wanted)
        assert text.startswith(message['queue_id'] + '\n')
        assert re.search(rf'received \d+ bytes from <{ALICE}>, login {ALICE}', text)
        assert re.search(rf'deferred <{ELSEWHERE}>, host .*127\.0\.0\.1.*: .*come back later', text)
        assert re.search(r'now: in the queue \(deferred\), .*next attempt 20', text)
    accept(sink)
    ok(server, 'queue', 'flush')
    wait_until(lambda: 'sent <' in ok(server, 'queue', 'trace', 'one@here.example'))
    text = ok(server, 'queue', 'trace', 'one@here.example')
    assert 'now: not in the queue any more' in text
    assert run(server, 'queue', 'trace', 'nobody@nowhere.example').returncode == 1
    server.stop()
    assert 'the queue cannot be reached' in ok(server, 'queue', 'trace', ELSEWHERE)
    server.start()


def test_the_history_is_bounded(make_server):
    server = make_server(accounts=[ALICE], env={'POSTHORN_QUEUE_HISTORY': '20k'})
    with smtplib.SMTP('127.0.0.1', server.port('smtp')) as client:
        for _ in range(400):
            client.sendmail('x@elsewhere.example', [ALICE], 'Subject: a\r\n\r\nb\r\n')
    server.wait_stored(ALICE, 400)
    time.sleep(0.5)
    files = sorted((server.root / 'var/mail-state/lib-posthorn/queue-history').iterdir())
    assert [f.name for f in files] == ['current', 'old']
    assert sum(f.stat().st_size for f in files) <= 20000


def test_the_door_is_for_the_servers_user_alone(make_server):
    server = make_server(accounts=[ALICE])
    mode = (server.root / 'var/mail-state/lib-posthorn/queue.socket').stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600


def test_without_a_server_it_is_said_so(make_server):
    server = make_server(accounts=[ALICE])
    server.stop()
    result = run(server, 'queue', 'list')
    assert result.returncode == 1 and 'is the server running?' in result.stderr
    server.start()


def test_an_address_that_does_not_exist_is_not_asked_for_again(make_server):
    with Sink(replies={'RCPT': ['550 5.1.1 no such user']}) as sink:
        server = make_server(accounts=[ALICE], env=relay_to(sink, POSTHORN_SUPPRESS='1d'))
        assert ok(server, 'queue', 'suppressed') == 'No address is suppressed\n'
        submit(server, ELSEWHERE)
        server.wait_stored(ALICE)
        text = wait_until(lambda: ELSEWHERE in ok(server, 'queue', 'suppressed') and
                          ok(server, 'queue', 'suppressed'))
        assert '550 5.1.1 no such user' in text
        entry = json.loads(ok(server, 'queue', 'suppressed', '--json'))
        assert entry['address'] == ELSEWHERE and entry['time'] > time.time() - 60
        assert '550 5.1.1 no such user' in entry['reason']
        server.kill_all()
        server.start()
        sessions = len(sink.sessions)
        accept(sink)
        submit(server, ELSEWHERE.upper())
        server.wait_stored(ALICE, 2)
        assert len(sink.sessions) == sessions
        assert 'refused before' in server.log()

        ok(server, 'queue', 'unsuppress', ELSEWHERE)
        assert run(server, 'queue', 'unsuppress', ELSEWHERE).returncode == 1
        submit(server, ELSEWHERE)
        wait_accepted(sink)
