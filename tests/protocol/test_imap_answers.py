"""SORT and THREAD answer from what was worked out before. A worker that has just been started knows
nothing of that: it has to say the same."""
import random

import pytest
from server import wait_until
from test_imap import Imap
from wire import deliver, message

USER = 'user@example.test'
COUNT = 1200    # smaller mailboxes are not worth remembering
QUESTIONS = ('SORT (SUBJECT) UTF-8 ALL', 'SORT (REVERSE FROM SUBJECT) UTF-8 ALL',
             'SORT (SUBJECT) UTF-8 UNFLAGGED', 'SORT (REVERSE DATE SIZE) UTF-8 ALL',
             'THREAD REFERENCES UTF-8 ALL', 'THREAD REFS UTF-8 ALL',
             'THREAD ORDEREDSUBJECT UTF-8 ALL', 'THREAD REFERENCES UTF-8 UNFLAGGED')


def mail(rng, number):
    fields = {'From': f'{rng.choice("abcde")}@example.org', 'Message_ID': f'<{number}@x>',
              'Date': f'Tue, 0{rng.randint(1, 9)} Jan 2024 10:00:00 +0000'}
    if number and rng.random() < 0.6:
        fields['References'] = f'<{rng.randrange(number)}@x>'
    return message(f'about {rng.randrange(200)}', 'x' * rng.randrange(50), **fields)


@pytest.fixture(name='server')
def _server(make_server):
    server, rng = make_server(accounts=[USER], start=False), random.Random(1)
    new = server.mail / 'example.test/user/new'
    for directory in ('cur', 'tmp', 'new'):
        (new.parent / directory).mkdir(parents=True)
    for number in range(COUNT):
        (new / f'{1700000000 + number}.M{number}P1.host').write_bytes(mail(rng, number))
    return server.start()


def ask(session, question):
    """The same for sequence numbers and UIDs."""
    return [session.ok(f'{prefix}{question}')[0] for prefix in ('', 'UID ')]


def answers(server, times):
    with Imap(server, USER) as session:
        session.ok('SELECT INBOX')
        return [[ask(session, question) for question in QUESTIONS] for _ in range(times)]


def forget(server):
    before = server.roles()['mailbox']
    server.kill_role('mailbox')
    wait_until(lambda: set(server.roles().get('mailbox', ())).isdisjoint(before)
               and len(server.roles().get('mailbox', ())) == len(before), what='a new worker')


def count(session):
    return int(session.ok('STATUS INBOX (MESSAGES)')[0].split()[-1].rstrip(')'))


def deliver_all(server, there, new):
    deliver(server, USER, *new)
    with Imap(server, USER) as session:
        wait_until(lambda: count(session) == there + len(new), what='the messages')


def change(server, rng, number):
    with Imap(server, USER) as session:
        session.ok('SELECT INBOX')
        for _ in range(rng.randint(0, 20)):
            session.ok(f'STORE {rng.randint(1, COUNT - 100)} {rng.choice("+-")}FLAGS (\\Flagged)')
        first = rng.randint(1, COUNT // 2)
        session.ok(f'STORE {first}:{first + rng.randint(0, 5)} +FLAGS (\\Deleted)')
        session.ok('EXPUNGE')
        left = count(session)
    new = [mail(rng, number + i) for i in range(rng.randint(0, 70))]
    deliver_all(server, left, new)


def test_the_answers_are_those_of_a_worker_that_remembers_nothing(server):
    rng = random.Random(2)
    for round_ in range(4):
        first, second = answers(server, 2)
        assert first == second
        forget(server)
        assert answers(server, 1)[0] == first, round_
        change(server, rng, COUNT + 100 * round_)


def test_a_new_message_is_put_in_its_place(server):
    """A new message goes between those that are there, behind its equals (RFC 5256 section 3)."""
    with Imap(server, USER) as session:
        session.ok('SELECT INBOX')
        before = session.ok('UID SORT (SUBJECT) UTF-8 ALL')[0].split()[2:]
        deliver_all(server, COUNT, [message('about 100'), message('zz'), message('a')])
        session.ok('SELECT INBOX')
        after = session.ok('UID SORT (SUBJECT) UTF-8 ALL')[0].split()[2:]
    new = [str(COUNT + i) for i in (1, 2, 3)]
    assert [uid for uid in after if uid not in new] == before
    assert after[0] == new[2] and after[-1] == new[1]
    assert 0 < after.index(new[0]) < len(after) - 1


@pytest.mark.parametrize('question', ['UID THREAD REFS UTF-8 UNFLAGGED',
                                      'UID SORT (DATE) UTF-8 UNFLAGGED'])
def test_as_many_messages_are_not_the_same_messages(server, question):
    with Imap(server, USER) as session:
        session.ok('SELECT INBOX')
        session.ok('STORE 5 +FLAGS (\\Flagged)')
        session.ok(question)
        session.ok('STORE 5 -FLAGS (\\Flagged)')
        session.ok('STORE 9 +FLAGS (\\Flagged)')
        found = session.ok(question)[0].replace('(', ' ').replace(')', ' ').split()[2:]
    assert '5' in found and '9' not in found
