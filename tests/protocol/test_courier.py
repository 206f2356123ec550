"""The courier against a scripted server: RFC 5321 and its extensions from the client's side."""
import time

import pytest
from courier import (BINARY, DELAY, EIGHT_BIT, FAILURE, MESSAGE, RET_HDRS, SMTPUTF8, SUCCESS,
                     Courier)
from server import SLOW
from smtp_sink import EHLO, Close, Late, Raw, Reset, Sink, Tarpit

PLAIN = ['SIZE 50000000', '8BITMIME']


def without(*words):
    return [x for x in EHLO if x.split()[0] not in words]


@pytest.fixture
def courier():
    with Courier() as c:
        yield c


def at(sink):
    return f'[127.0.0.1]:{sink.port}'


@pytest.mark.parametrize('ehlo', [EHLO, PLAIN, without('CHUNKING'), without('PIPELINING'), []],
                         ids=['all', 'plain', 'data', 'stepwise', 'nothing'])
def test_message_arrives_as_it_was(courier, ehlo):
    message = MESSAGE + b'.\r\n..\r\n.leading dot\r\n' + b'x' * 900 + b'\r\n'
    with Sink(ehlo=ehlo) as sink:
        attempt = courier.send(at(sink), 'b@example.org', 'c@example.org', message=message)
        assert [r.outcome for r in attempt.results] == ['sent', 'sent']
        assert attempt.results[0].status == '2.0.0'
        assert attempt.results[0].text == '250 2.0.0 queued as SINK'
        assert attempt.relay == f'127.0.0.1[127.0.0.1]:{sink.port}'
        assert attempt.trouble == 'fine'
        [got] = sink.accepted
        assert got.data == message
        assert [r.split()[0] for r in got.recipients] == ['TO:<b@example.org>',
                                                          'TO:<c@example.org>']
        assert sink.sessions[0].lines[0] == 'EHLO mail.example.test'


@pytest.mark.parametrize('ehlo', [EHLO, PLAIN], ids=['bdat', 'data'])
def test_large_message_arrives_as_it_was(courier, ehlo):
    line = b'.' + b'y' * 70 + b'\r\n'
    message = MESSAGE + line * 40000
    with Sink(ehlo=ehlo) as sink:
        assert courier.send(at(sink), message=message).only.outcome == 'sent'
        assert sink.accepted[0].data == message


def test_dot_after_every_length_of_block_is_doubled(courier):
    # Lines whose start falls on the border of what is read at once.
    with Sink(ehlo=PLAIN) as sink:
        for shift in (0, 1, 2, 3):
            head = b'Subject: x\r\n\r\n'
            body = b'z' * (65536 - len(head) - 2 - shift) + b'\r\n' + b'.\r\n.\r\n'
            assert courier.send(at(sink), message=head + body).only.outcome == 'sent'
            assert sink.accepted[-1].data == head + body


def test_message_without_final_line_end_gets_one(courier):
    with Sink(ehlo=PLAIN) as sink:
        courier.send(at(sink), message=b'Subject: x\r\n\r\nend')
        assert sink.accepted[0].data == b'Subject: x\r\n\r\nend\r\n'


def test_bare_line_feed_cannot_end_the_message_early(courier):
    message = b'Subject: x\r\n\r\na\n.\r\nMAIL FROM:<evil@example.org>\r\n'
    with Sink(ehlo=PLAIN) as sink:
        assert courier.send(at(sink), message=message).only.outcome == 'sent'
        assert sink.messages[0].data == message
        assert sink.commands().count('MAIL') == 1


def test_server_without_ehlo_is_greeted_with_helo(courier):
    with Sink(replies={'EHLO': ['502 5.5.1 unknown']}) as sink:
        assert courier.send(at(sink)).only.outcome == 'sent'
        assert sink.commands()[:3] == ['EHLO', 'HELO', 'MAIL']
        assert sink.accepted[0].mail == 'FROM:<a@example.test>'


@pytest.mark.parametrize('ehlo', [EHLO, PLAIN, without('CHUNKING')], ids=['bdat', 'plain', 'data'])
@pytest.mark.parametrize('replies, outcomes', [
    ({'MAIL': ['550 5.7.1 no']}, ['refused 5.7.1', 'refused 5.7.1']),
    ({'MAIL': ['451 4.3.0 later']}, ['later 4.3.0', 'later 4.3.0']),
    ({'RCPT': ['550 5.1.1 who', None]}, ['refused 5.1.1', 'sent 2.0.0']),
    ({'RCPT': [None, '450 4.2.0 grey']}, ['sent 2.0.0', 'later 4.2.0']),
    ({'RCPT': ['550 5.1.1 who', '450 4.2.0 grey']}, ['refused 5.1.1', 'later 4.2.0']),
    ({'RCPT': ['550 no']}, ['refused 5.0.0', 'refused 5.0.0']),
    ({'END': ['554 5.6.0 spam']}, ['refused 5.6.0', 'refused 5.6.0']),
    ({'END': ['452 4.3.1 full']}, ['later 4.3.1', 'later 4.3.1']),
    ({'END': ['250 taken']}, ['sent 2.0.0', 'sent 2.0.0']),
    ({'END': ['354 odd']}, ['later 4.5.0', 'later 4.5.0']),
], ids=str)
def test_mixture_of_replies(courier, ehlo, replies, outcomes):
    with Sink(ehlo=ehlo, replies=replies) as sink:
        attempt = courier.send(at(sink), 'b@example.org', 'c@example.org')
        assert [f'{r.outcome} {r.status}' for r in attempt.results] == outcomes, attempt
        assert attempt.trouble == 'fine'
        assert bool(sink.accepted) == any(x.startswith('sent') for x in outcomes)
        # Whatever came before does not hurt what comes next.
        sink.replies = {'GREETING': ['220 sink']}
        assert courier.send(at(sink)).only.outcome == 'sent'


@pytest.mark.parametrize('reply, outcome', [('554 5.3.4 too big', 'refused'),
                                            ('451 4.3.0 later', 'later'),
                                            ('250 what', 'later')])
def test_data_command_is_refused(courier, reply, outcome):
    with Sink(ehlo=PLAIN, replies={'DATA': [reply]}) as sink:
        assert courier.send(at(sink)).only.outcome == outcome
        assert not sink.messages


def test_data_for_nobody_is_not_sent(courier):
    # A server that says 354 though it has no recipient gets nothing.
    with Sink(ehlo=without('CHUNKING'), replies={'RCPT': ['550 5.1.1 no'],
                                                 'DATA': ['354 go ahead']}) as sink:
        assert courier.send(at(sink)).only.status == '5.1.1'
        assert not sink.messages


def test_many_recipients_go_in_several_transactions(courier):
    recipients = [f'u{n}@example.org' for n in range(250)]
    with Sink() as sink:
        attempt = courier.send(at(sink), *recipients)
        assert all(r.outcome == 'sent' for r in attempt.results)
        assert [len(m.recipients) for m in sink.accepted] == [100, 100, 50]
        assert len(sink.sessions) == 1


def test_limits_of_the_server_are_kept(courier):
    with Sink(ehlo=[*EHLO, 'LIMITS RCPTMAX=2 MAILMAX=2']) as sink:
        attempt = courier.send(at(sink), *[f'u{n}@example.org' for n in range(7)])
        assert all(r.outcome == 'sent' for r in attempt.results), attempt
        assert [len(m.recipients) for m in sink.accepted] == [2, 2, 2, 1]
        assert [m.session for m in sink.accepted] == [0, 0, 1, 1]


def test_recipients_that_are_too_many_get_another_transaction(courier):
    def reply(_):
        message = sink.sessions[0].lines[::-1]
        since = next(i for i, line in enumerate(message) if line.startswith('MAIL'))
        return '452 4.5.3 too many' if since > 2 else None
    with Sink(replies={'RCPT': [reply]}) as sink:
        attempt = courier.send(at(sink), *[f'u{n}@example.org' for n in range(5)])
        assert all(r.outcome == 'sent' for r in attempt.results), attempt
        assert [len(m.recipients) for m in sink.accepted] == [2, 2, 1]


def test_size_is_said_and_kept(courier):
    with Sink(ehlo=['SIZE 1000']) as sink:
        courier.send(at(sink))
        assert f'SIZE={len(MESSAGE)}' in sink.accepted[0].mail
        big = courier.send(at(sink), message=MESSAGE + b'x' * 1000 + b'\r\n').only
        assert (big.outcome, big.status) == ('refused', '5.3.4')
        assert len(sink.messages) == 1


def test_dsn_parameters_are_passed_on(courier):
    with Sink() as sink:
        notify = SUCCESS | FAILURE | DELAY
        attempt = courier.send(at(sink), f'b@example.org|{notify}|rfc822;B+x@example.org',
                               flags=RET_HDRS, envid='id =1')
        assert attempt.dsn
        [got] = sink.accepted
        assert 'RET=HDRS' in got.mail and 'ENVID=id+20+3D1' in got.mail
        assert got.recipients == ['TO:<b@example.org> NOTIFY=SUCCESS,FAILURE,DELAY '
                                  'ORCPT=rfc822;B+2Bx@example.org']


def test_dsn_parameters_are_left_out_where_unknown(courier):
    with Sink(ehlo=PLAIN) as sink:
        attempt = courier.send(at(sink), f'b@example.org|{SUCCESS}|rfc822;b@example.org',
                               flags=RET_HDRS, envid='x')
        assert not attempt.dsn
        assert 'RET' not in sink.accepted[0].mail and 'ENVID' not in sink.accepted[0].mail
        assert sink.accepted[0].recipients == ['TO:<b@example.org>']


def test_smtputf8_is_asked_for_only_where_it_is_needed(courier):
    with Sink() as sink:
        courier.send(at(sink), flags=SMTPUTF8)
        courier.send(at(sink), 'bäh@example.org', flags=SMTPUTF8)
        courier.send(at(sink), flags=SMTPUTF8, message='Subject: ä\r\n\r\n'.encode() + b'x\r\n')
        assert ['SMTPUTF8' in m.mail for m in sink.accepted] == [False, True, True]


def test_domains_of_other_scripts_are_written_in_ascii_where_utf8_is_not_known(courier):
    # RFC 6531 3.2
    to = ['bob@bücher.example', 'carol@example.org']
    with Sink(ehlo=['8BITMIME']) as sink:
        result = courier.send(at(sink), *to, sender='alice@müller.example')
        assert [r.outcome for r in result.results] == ['sent', 'sent']
        assert courier.send(at(sink), 'bäh@bücher.example').only.outcome == 'refused'
        assert courier.send(at(sink), to[0], flags=SMTPUTF8,
                            message='Subject: ä\r\n\r\n'.encode()).only.outcome == 'refused'
    message, = sink.accepted
    assert message.mail.startswith('FROM:<alice@xn--mller-kva.example>')
    assert 'SMTPUTF8' not in message.mail
    assert message.recipients == ['TO:<bob@xn--bcher-kva.example>', 'TO:<carol@example.org>']
    with Sink() as sink:
        assert courier.send(at(sink), to[0]).only.outcome == 'sent'
        assert sink.accepted[0].recipients == ['TO:<bob@bücher.example>']
        assert 'SMTPUTF8' in sink.accepted[0].mail


def test_a_domain_that_no_script_has_is_refused(courier):
    result = courier.send('\u200d.example', 'bob@\u200d.example').only
    assert (result.outcome, result.status) == ('refused', '5.1.2')


def test_smtputf8_is_needed_and_not_there(courier):
    with Sink(ehlo=PLAIN) as sink:
        result = courier.send(at(sink), 'bäh@example.org', flags=SMTPUTF8).only
        assert (result.outcome, result.status) == ('refused', '5.6.7')
        assert courier.send(at(sink), flags=SMTPUTF8).only.outcome == 'sent'


def test_eight_bit_body_is_declared(courier):
    with Sink() as sink:
        courier.send(at(sink), flags=EIGHT_BIT, message=b'Subject: x\r\n\r\n\xe4\r\n')
        assert 'BODY=8BITMIME' in sink.accepted[0].mail


def test_binary_needs_chunking(courier):
    message = b'Subject: x\r\n\r\n\0\n\r\n'
    with Sink(ehlo=[*EHLO, 'BINARYMIME']) as sink:
        assert courier.send(at(sink), flags=BINARY, message=message).only.outcome == 'sent'
        assert 'BODY=BINARYMIME' in sink.accepted[0].mail
        assert sink.accepted[0].data == message


def eight_bit_message():
    """A message of several parts, and each leaf's content."""
    from email.message import EmailMessage
    from email.policy import SMTP
    inner = EmailMessage()
    inner['Subject'] = 'inner'
    inner.set_content('inner: \u00e4\u00f6\u00fc\n.\n', cte='8bit')
    message = EmailMessage()
    message['Subject'] = 'outer'
    message.set_content('text: \u00e4\u00f6\u00fc = \n\n.dot\ntrailing \n', cte='8bit')
    message.add_attachment('plain ascii\n', cte='7bit')
    message.add_attachment(bytes(range(128, 256)).replace(b'\x85', b''), maintype='application',
                           subtype='x-y', cte='base64')
    message.add_attachment(inner)
    return message.as_bytes(policy=SMTP.clone(cte_type='8bit'))


def contents(raw):
    import email
    import email.policy
    message = email.message_from_bytes(raw, policy=email.policy.SMTP)
    return [(p.get_content_type(), p.get_payload(decode=True).rstrip(b'\r\n'))
            for p in message.walk() if not p.is_multipart()]


def test_eight_bit_text_is_converted_where_it_must_be(courier):
    message = eight_bit_message()
    assert max(message) > 127
    with Sink(ehlo=['SIZE 1000000']) as sink:
        attempt = courier.send(at(sink), 'b@example.org', 'c@example.org', flags=EIGHT_BIT,
                               message=message)
        assert [r.outcome for r in attempt.results] == ['sent', 'sent'], attempt
        [got] = sink.accepted
        assert 'BODY' not in got.mail and f'SIZE={len(got.data)}' in got.mail
        assert max(got.data) < 128
        assert contents(got.data) == contents(message)


def test_eight_bit_text_without_mime_is_converted(courier):
    message = b'Subject: x\r\n\r\nb\xe4h\r\n'
    with Sink(ehlo=[]) as sink:
        assert courier.send(at(sink), message=message).only.outcome == 'sent'
        data = sink.accepted[0].data
        assert b'MIME-Version: 1.0\r\n' in data and b'charset=unknown-8bit' in data
        assert contents(data) == [('text/plain', b'b\xe4h')]


def test_binary_is_converted_where_it_must_be(courier):
    body = bytes(range(256)) * 700
    message = b'MIME-Version: 1.0\r\nContent-Type: application/x-y\r\n' \
              b'Content-Transfer-Encoding: binary\r\n\r\n' + body
    with Sink() as sink:
        assert courier.send(at(sink), flags=BINARY, message=message).only.outcome == 'sent'
        assert contents(sink.accepted[0].data) == contents(message)
        assert b'Content-Transfer-Encoding: base64\r\n' in sink.accepted[0].data


def test_large_message_is_converted(courier):
    message = b'Subject: x\r\n\r\n' + ('\u00e4' * 30 + ' = \r\n').encode() * 20000
    with Sink(ehlo=[]) as sink:
        assert courier.send(at(sink), message=message).only.outcome == 'sent'
        assert contents(sink.accepted[0].data)[0][1] == contents(message)[0][1]


def test_lmtp_answers_for_each_recipient(courier):
    with Sink(lmtp=True, replies={'END': ['250 2.0.0 b', '552 5.2.2 full', '451 4.2.0 c']}) as sink:
        attempt = courier.send('lmtp:' + at(sink), *[f'{x}@example.org' for x in 'bcd'])
        assert [f'{r.outcome} {r.status}' for r in attempt.results] == \
            ['sent 2.0.0', 'refused 5.2.2', 'later 4.2.0']
        assert sink.commands()[0] == 'LHLO'


@pytest.mark.parametrize('ehlo', [EHLO, PLAIN], ids=['bdat', 'data'])
@pytest.mark.parametrize('verb', ['GREETING', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'END'])
@pytest.mark.parametrize('act', [Close(), Reset(), '421 4.3.2 going down'],
                         ids=['close', 'reset', '421'])
def test_server_that_leaves_is_tried_again_later(courier, ehlo, verb, act):
    if verb == 'DATA' and ehlo is EHLO:
        pytest.skip('there is none')
    with Sink(ehlo=ehlo, replies={verb: [act]}) as sink:
        attempt = courier.send(at(sink))
        assert attempt.only.outcome == 'later', attempt
        assert attempt.only.status.startswith('4.')
        if isinstance(act, str):
            assert attempt.trouble == 'busy'
        sink.replies = {'GREETING': ['220 sink']}
        assert courier.send(at(sink)).only.outcome == 'sent'


def test_greeting_that_refuses_is_not_the_end(courier):
    with Sink(greeting='554 5.7.1 not you') as sink:
        attempt = courier.send(at(sink))
        assert attempt.only.outcome == 'later'
        assert attempt.only.status == '4.7.1'
        assert '554 5.7.1 not you' in attempt.only.text


def test_nobody_listens(courier):
    with Sink() as sink:
        port = sink.port
    attempt = courier.send(f'[127.0.0.1]:{port}')
    assert attempt.only.outcome == 'later'
    assert attempt.only.status == '4.4.1'
    assert attempt.only.text == f'connect to 127.0.0.1[127.0.0.1]:{port}: Connection refused'
    assert attempt.trouble == 'unreachable' and attempt.relay == 'none'


def test_reply_in_pieces_is_one_reply(courier):
    pieces = (b'2', b'50-2.0', b'.0 one\r', b'\n250-2.0.0 two\r\n250 2', b'.0.0 three\r\n')
    with Sink(replies={'END': [Raw(*pieces)]}) as sink:
        result = courier.send(at(sink)).only
        assert result == ('sent', '2.0.0', '250 2.0.0 one two three')


@pytest.mark.parametrize('junk', [b'hello\r\n', b'99 x\r\n', b'\r\n', b'250\xff\r\n', b'150 x\r\n',
                                  b'250-x\r\n' * 300])
def test_what_is_no_reply_ends_the_session(courier, junk):
    with Sink(replies={'MAIL': [Raw(junk)]}) as sink:
        result = courier.send(at(sink)).only
        assert result.outcome == 'later'
        assert result.status == '4.5.0'


def test_endless_line_is_cut(courier):
    with Sink(replies={'END': [Raw(b'550 5.7.1 ' + b'x' * 100000 + b'\r\n')]}) as sink:
        result = courier.send(at(sink)).only
        assert result.outcome == 'refused' and result.status == '5.7.1'
        assert len(result.text) < 1000


def test_control_characters_of_a_reply_are_not_passed_on(courier):
    with Sink(replies={'END': [Raw(b'550 5.7.1 a\0b\x1b[0m\tc\r\n')]}) as sink:
        assert courier.send(at(sink)).only.text.startswith('550 5.7.1 a?b?[0m?c')


@pytest.mark.parametrize('verb, setting', [('GREETING', 'GREETING'), ('EHLO', 'HELO'),
                                           ('MAIL', 'MAIL'), ('RCPT', 'MAIL'), ('DATA', 'DATA'),
                                           ('END', 'DATA_END')])
@pytest.mark.parametrize('act', [Late(5, '250 ok'), Tarpit()], ids=['late', 'tarpit'])
def test_time_is_limited(verb, setting, act):
    env = {f'POSTHORN_COURIER_{setting}': '400ms'}
    with Courier(env=env) as c, Sink(ehlo=PLAIN, replies={verb: [act]}) as sink:
        began = time.monotonic()
        attempt = c.send(at(sink))
        assert time.monotonic() - began < 3 * SLOW
        assert attempt.only.outcome == 'later' and attempt.only.status == '4.4.2', attempt
        assert 'timed out' in attempt.only.text


def test_reader_that_stops_is_left():
    env = {'POSTHORN_COURIER_BLOCK': '500ms'}
    with Courier(env=env) as c, Sink(ehlo=PLAIN, replies={'BODY': [Late(4, '250 ok')]}) as sink:
        result = c.send(at(sink), message=MESSAGE + b'x' * 78 + b'\r\n' +
                        (b'y' * 78 + b'\r\n') * 200000).only
        assert result.outcome == 'later' and result.status == '4.4.2'


def test_answer_in_the_middle_of_the_body_counts(courier):
    with Sink(ehlo=PLAIN, replies={'BODY': [Late(0, '552 5.3.4 too much')]}) as sink:
        result = courier.send(at(sink), message=MESSAGE + (b'y' * 78 + b'\r\n') * 200000).only
        assert (result.outcome, result.status) == ('refused', '5.3.4'), result


def test_lost_answer_is_not_asked_elsewhere():
    # Whether the message was taken is not known: a second server would get it twice.
    zone = '''example.org MX found 10 mx1.example.org
              example.org MX found 20 mx2.example.org
              mx1.example.org A found 127.0.0.1
              mx2.example.org A found 127.0.0.2'''
    with Sink(ehlo=PLAIN, replies={'END': [Close()]}) as first, \
            Sink(address='127.0.0.2', port=first.port) as second, \
            Courier(zone, env={'POSTHORN_REMOTE_PORT': str(first.port)}) as c:
        attempt = c.send('example.org')
        assert attempt.only.outcome == 'later'
        assert 'end of data' in attempt.only.text
        assert not second.sessions


# Sessions that are kept

def test_session_is_used_again(courier):
    with Sink() as sink:
        for _ in range(3):
            assert courier.send(at(sink)).only.outcome == 'sent'
        assert len(sink.sessions) == 1
        assert sink.commands().count('EHLO') == 1


def test_session_ends_after_so_many_messages():
    with Courier(env={'POSTHORN_COURIER_MESSAGES': '2'}) as c, Sink() as sink:
        for _ in range(4):
            c.send(at(sink))
        assert [m.session for m in sink.accepted] == [0, 0, 1, 1]


def test_kept_session_that_died_is_no_failure(courier):
    with Sink() as sink:
        courier.send(at(sink))
        sink.hang_up()
        attempt = courier.send(at(sink))
        assert attempt.only.outcome == 'sent' and attempt.trouble == 'fine'
        assert len(sink.sessions) == 2


def test_kept_session_that_says_goodbye_at_once_is_no_failure(courier):
    with Sink(replies={'MAIL': [None, Close(), None]}) as sink:
        courier.send(at(sink))
        attempt = courier.send(at(sink))
        assert attempt.only.outcome == 'sent', attempt
        assert [m.session for m in sink.accepted] == [0, 1]


def test_idle_session_ends_with_quit():
    with Courier(env={'POSTHORN_COURIER_CACHE_IDLE': '100ms'}) as c, Sink() as sink:
        c.send(at(sink))
        time.sleep(1)
        assert sink.commands()[-1] == 'QUIT'


def test_sessions_of_messages_side_by_side_are_apart(courier):
    with Sink(replies={'END': [Late(0.3, '250 2.0.0 ok')]}) as sink:
        for _ in range(5):
            courier.begin(at(sink), ['b@example.org'], beside=True)
        assert all(courier.answer().only.outcome == 'sent' for _ in range(5))
        assert len(sink.sessions) == 5


# Which hosts

def destinations(zone, ports=None):
    return Courier(zone, env={'POSTHORN_REMOTE_PORT': str(ports)})


MX = '''example.org MX found 10 mx1.example.org
        example.org MX found 20 mx2.example.org
        mx1.example.org A found 127.0.0.1
        mx2.example.org A found 127.0.0.2'''


def test_best_mx_is_tried_first():
    with Sink() as first, Sink(address='127.0.0.2', port=first.port) as second, \
            destinations(MX, first.port) as c:
        attempt = c.send('example.org')
        assert attempt.only.outcome == 'sent'
        assert attempt.relay == f'mx1.example.org[127.0.0.1]:{first.port}'
        assert not second.sessions


@pytest.mark.parametrize('replies', [{'GREETING': ['421 no']}, {'GREETING': ['554 no']},
                                     {'EHLO': ['550 no']}, {'MAIL': ['451 no']},
                                     {'RCPT': ['450 4.2.0 no']}, {'END': ['451 no']},
                                     {'MAIL': [Close()]}], ids=str)
def test_next_mx_is_tried_after_trouble(replies):
    if 'EHLO' in replies:
        replies['HELO'] = ['550 no']
    with Sink(replies=replies, ehlo=PLAIN) as first, \
            Sink(address='127.0.0.2', port=first.port) as second, \
            destinations(MX, first.port) as c:
        attempt = c.send('example.org')
        assert attempt.only.outcome == 'sent', attempt
        assert attempt.relay == f'mx2.example.org[127.0.0.2]:{first.port}'
        assert len(second.accepted) == 1


def test_refusal_of_the_best_mx_is_final():
    with Sink(replies={'RCPT': ['550 5.1.1 no']}) as first, \
            Sink(address='127.0.0.2', port=first.port) as second, destinations(MX, first.port) as c:
        assert c.send('example.org').only.outcome == 'refused'
        assert not second.sessions


def test_dead_mx_is_passed_over():
    with Sink(address='127.0.0.2') as second, destinations(MX, second.port) as c:
        assert c.send('example.org').only.outcome == 'sent'


def test_equal_mx_share_the_work():
    zone = MX.replace('MX found 20', 'MX found 10')
    with Sink() as first, Sink(address='127.0.0.2', port=first.port) as second, \
            Courier(zone, env={'POSTHORN_REMOTE_PORT': str(first.port),
                               'POSTHORN_COURIER_CACHE': '0'}) as c:
        for _ in range(30):
            c.send('example.org')
        assert len(first.sessions) + len(second.sessions) == 30
        assert first.sessions and second.sessions


@pytest.mark.parametrize('zone, outcome', [
    ('example.org MX found 0 .', 'refused 5.1.10'),
    ('example.org MX nxdomain', 'refused 5.1.2'),
    ('other.org MX found 0 .', 'refused 5.1.2'),
    ('example.org MX tempfail', 'later 4.4.3'),
    ('example.org MX bogus', 'later 4.4.3'),
    ('example.org TXT found x', 'refused 5.4.4'),
    ('example.org MX found 10 nowhere.example.org', 'refused 5.4.4'),
    ('example.org MX found 10 mx.example.org\nmx.example.org A tempfail', 'later 4.4.3'),
    ('example.org MX found 10 mx.example.org\nmx.example.org A bogus', 'later 4.4.3'),
    ('example.org MX found 5 nowhere.org\nexample.org MX found 10 mx.example.org\n'
     'mx.example.org A tempfail', 'later 4.4.3'),
    ('example.org MX found 10 mx.example.org\nexample.org MX found 20 nowhere.org\n'
     'mx.example.org A tempfail', 'later 4.4.3'),
    ('example.org MX found 10 mail.example.test', 'refused 5.4.6'),
    ('example.org MX found 10 MAIL.example.TEST\nexample.org MX found 20 mx.example.org\n'
     'mx.example.org A found 127.0.0.1', 'refused 5.4.6'),
], ids=lambda x: x.replace('\n', ';'))
def test_domain_without_a_way(zone, outcome):
    with destinations(zone, 1) as c:
        attempt = c.send('example.org')
        assert f'{attempt.only.outcome} {attempt.only.status}' == outcome, attempt


def test_domain_without_mx_is_its_own():
    with Sink() as sink, destinations('example.org A found 127.0.0.1', sink.port) as c:
        assert c.send('example.org').only.outcome == 'sent'


def test_mx_that_are_no_better_than_we_are_not_asked():
    zone = MX + '\nexample.org MX found 20 mail.example.test'
    with Sink(replies={'MAIL': ['451 no']}) as first, \
            Sink(address='127.0.0.2', port=first.port) as second, \
            destinations(zone, first.port) as c:
        assert c.send('example.org').only.outcome == 'later'
        assert not second.sessions


def test_an_address_that_leads_here_by_nat_is_a_loop():
    zone = 'example.org MX found 10 mx.example.org\nmx.example.org A found 203.0.113.5'
    with Courier(zone, env={'POSTHORN_OWN_ADDRESSES': '198.51.100.1, 203.0.113.0/24',
                            'POSTHORN_REMOTE_PORT': '25'}) as courier:
        result = courier.send('example.org').only
        assert (result.outcome, result.status) == ('refused', '5.4.6')
        assert result.text == 'mail for example.org loops back to myself'


def test_our_own_address_is_a_loop():
    with Courier('example.org MX found 10 mx.example.org\nmx.example.org A found 127.0.0.1',
                 env={'POSTHORN_REMOTE_PORT': '25'}) as c:
        result = c.send('example.org').only
        assert (result.outcome, result.status) == ('refused', '5.4.6')


def test_relay_that_is_not_there_is_waited_for():
    with destinations('', 1) as c:
        result = c.send('[relay.example.org]').only
        assert (result.outcome, result.status) == ('later', '4.4.4')


def test_relay_host_has_no_mx_in_brackets():
    zone = '''relay.example.org A found 127.0.0.1
              relay.example.org MX found 10 wrong.example.org'''
    with Sink() as sink, destinations(zone, 1) as c:
        assert c.send(f'[relay.example.org]:{sink.port}').only.outcome == 'sent'


@pytest.mark.parametrize('nexthop', ['', '[', '[]', '[127.0.0.1', '[127.0.0.1]x', ':25', 'a:b:c',
                                     'host:0', 'host:70000', 'a b', 'smtp:', 'lmtp:unix:relative'])
def test_next_hop_that_cannot_be_understood(courier, nexthop):
    result = courier.send(nexthop).only
    assert (result.outcome, result.status) == ('later', '4.3.5')


def test_slow_address_family_does_not_hold_up_the_other():
    # Nothing answers at the first address; the second one is tried without waiting for it.
    zone = '''example.org MX found 10 mx.example.org
              mx.example.org AAAA found ::1
              mx.example.org A found 127.0.0.1'''
    with Sink() as sink, destinations(zone, sink.port) as c:
        assert c.send('example.org').only.outcome == 'sent'


def test_address_family_that_is_off_is_not_used():
    zone = '''example.org MX found 10 mx.example.org
              mx.example.org A found 127.0.0.1'''
    with Sink() as sink, Courier(zone, env={'POSTHORN_REMOTE_PORT': str(sink.port),
                                            'POSTFIX_INET_PROTOCOLS': 'ipv6'}) as c:
        result = c.send('example.org').only
        assert (result.outcome, result.status) == ('later', '4.4.4')
        assert not sink.sessions


def test_source_address_and_name_are_as_set():
    with Sink() as sink, Courier(env={'POSTHORN_HELO_NAME': 'out.example.test',
                                      'POSTHORN_BIND_ADDRESS': '127.0.0.9'}) as c:
        assert c.send(at(sink)).only.outcome == 'sent'
        assert sink.sessions[0].lines[0] == 'EHLO out.example.test'
