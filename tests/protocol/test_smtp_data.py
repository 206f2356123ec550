"""Message content through DATA and BDAT: what goes in comes out, and nothing else."""
import re
import smtplib

import pytest
from server import HOSTNAME
from wire import TIMEOUT, Wire, deliver, fetch_all, message


def body_of(raw):
    return raw.split(b'\r\n\r\n', 1)[1]


def header_of(raw, name):
    head = raw.split(b'\r\n\r\n', 1)[0] + b'\r\n'
    found = re.findall(rb'^%s:[ \t]*((?:.|\r\n[ \t])*)\r\n' % name.encode(), head, re.M | re.I)
    return [f.decode() for f in found]


def one(server, user):
    server.wait_stored(user)
    bodies = fetch_all(server, user)
    assert len(bodies) == 1
    return bodies[0]


def test_message_comes_out_as_it_went_in(server, user):
    text = message('round', 'line one\r\n\r\n\tline two  \r\nlast without more\r\n')
    deliver(server, user, text)
    raw = one(server, user)
    assert raw.endswith(text)


def test_trace_headers_stand_on_top(server, user):
    deliver(server, user, message('trace'), sender='bounce@example.org')
    raw = one(server, user)
    assert raw.startswith(b'Return-Path: <bounce@example.org>\r\n')
    assert header_of(raw, 'Delivered-To') == [user]
    received = header_of(raw, 'Received')
    assert len(received) >= 1
    flat = ' '.join(received[-1].split())
    assert re.search(r'^from \S+ \(.*127\.0\.0\.1\]?\)', flat)
    assert f'by {HOSTNAME}' in flat and ' with ESMTP id ' in flat
    assert re.search(r'; \w{3}, +\d+ \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}', flat)


def test_return_path_of_the_sender_is_replaced(server, user):
    deliver(
    server,
    user,
    message(
        'rp',
        Return_Path='<forged@example.org>'),
         sender='real@x.example')
    assert header_of(one(server, user), 'Return-Path') == ['<real@x.example>']


def test_null_sender_gives_an_empty_return_path(server, user):
    deliver(server, user, message('dsn'), sender='')
    assert one(server, user).startswith(b'Return-Path: <>\r\n')


@pytest.mark.parametrize('body', [
    '.\r\n', '..\r\n', '...\r\n', '.a\r\n', 'a\r\n.\r\n..b\r\n', 'a\r\n.', '\r\n.\r\n\r\n.x\r\n'])
def test_dots_survive(server, user, body):
    # RFC 5321 4.5.2; a last line without its end gets one.
    deliver(server, user, message('dots', body))
    assert body_of(one(server, user)) == (body if body.endswith('\r\n') else body + '\r\n').encode()


def test_empty_message_is_taken(smtp, server, user):
    smtp.ehlo()
    smtp.mail('a@example.org', user)
    assert smtp.data('').code == 250
    server.wait_stored(user)


def test_body_only_message_keeps_its_lines(smtp, server, user):
    smtp.ehlo()
    smtp.mail('a@example.org', user)
    assert smtp.data('no header here\r\n').code == 250
    assert one(server, user).endswith(b'no header here\r\n')


def test_eight_bit_and_utf8_headers_survive(smtp, server, user):
    text = 'Subject: grüße\r\n\r\nkäse \xff\r\n'.encode('utf-8') + bytes(range(128, 256)) + b'\r\n'
    smtp.ehlo()
    smtp.mail('a@example.org', user, params=' BODY=8BITMIME SMTPUTF8')
    assert smtp.data(text).code == 250
    assert one(server, user).endswith(text)


def test_lines_of_998_octets_survive(server, user):
    body = ('x' * 998 + '\r\n') * 3
    deliver(server, user, message('long', body))
    assert body_of(one(server, user)) == body.encode()


def test_large_message_survives(server, user):
    body = ''.join(f'{n:08d} {"x" * 60}\r\n' for n in range(60000))
    deliver(server, user, message('large', body))
    assert body_of(one(server, user)) == body.encode()


def test_message_beyond_the_size_limit_is_refused_and_the_session_goes_on(smtp, server, user):
    announced = [line for line in smtp.ehlo().lines if line.startswith('SIZE')]
    limit = int(announced[0].split()[1])
    smtp.mail('a@example.org', user)
    smtp.expect('DATA', 354)
    line = b'x' * 998 + b'\r\n'
    for _ in range(limit // len(line) + 2):
        smtp.send(line)
    assert smtp.cmd('.').code == 552
    smtp.mail('a@example.org', user)
    assert smtp.data('Subject: small\r\n\r\nx\r\n').code == 250
    assert len(server.wait_stored(user)) == 1


def test_each_recipient_gets_one_copy(server, user, other_user):
    with smtplib.SMTP('127.0.0.1', server.port('smtp'), timeout=TIMEOUT) as client:
        client.sendmail('a@example.org', [user, other_user], message('two'))
    for address in (user, other_user):
        raw = one(server, address)
        assert header_of(raw, 'Delivered-To') == [address]


def test_recipient_named_twice_gets_one_copy(server, user):
    with smtplib.SMTP('127.0.0.1', server.port('smtp'), timeout=TIMEOUT) as client:
        client.sendmail('a@example.org', [user, user.upper(), user], message('twice'))
    # One that comes after it has everything before it delivered.
    deliver(server, user, message('last'))
    server.wait_stored(user, 2)
    assert len(server.stored(user)) == 2


def test_many_messages_in_one_session(server, user):
    deliver(server, user, *[message(f'n{n}') for n in range(50)])
    server.wait_stored(user, 50)
    subjects = sorted(header_of(raw, 'Subject')[0] for raw in fetch_all(server, user))
    assert subjects == sorted(f'n{n}' for n in range(50))


def test_mail_that_travels_in_circles_is_refused(smtp, server, user):
    # RFC 5321 6.3
    hops = 'Received: from a.example by b.example; Tue, 02 Jan 2024 10:00:00 +0000\r\n' * 120
    smtp.ehlo()
    smtp.mail('a@example.org', user)
    reply = smtp.data(hops + 'Subject: loop\r\n\r\nx\r\n')
    assert reply.code == 554 and reply.text.startswith('5.4.6')
    assert server.stored(user) == []


def test_stored_file_uses_lf_and_names_both_sizes(server, user):
    deliver(server, user, message('sizes', 'a\r\nb\r\n'))
    path = server.wait_stored(user)[0]
    data = path.read_bytes()
    assert b'\r' not in data
    match = re.fullmatch(r'\d+\.M\d+P\d+\.[^,:]+,S=(\d+),W=(\d+)(:2,\w*)?', path.name)
    assert match, path.name
    assert int(match.group(1)) == len(data)
    assert int(match.group(2)) == len(data) + data.count(b'\n')


# BDAT: RFC 3030

def bdat(wire, chunk, last=False):
    wire.send(b'BDAT %d%s\r\n' % (len(chunk), b' LAST' if last else b'') + chunk)
    return wire.reply()


def test_chunks_make_one_message(smtp, server, user):
    text = message('chunks', '.\r\n..\r\n' + 'x' * 5000 + '\r\n')
    smtp.ehlo()
    smtp.mail('a@example.org', user)
    for at in range(0, len(text), 700):
        assert bdat(smtp, text[at:at + 700]).code == 250
    assert bdat(smtp, b'', last=True).code == 250
    assert one(server, user).endswith(text)


def test_chunks_may_be_pipelined(smtp, server, user):
    smtp.ehlo()
    smtp.send(f'MAIL FROM:<a@example.org>\r\nRCPT TO:<{user}>\r\nBDAT 12\r\nSubject: x\r\n'
              'BDAT 5 LAST\r\n\r\nx\r\nNOOP\r\n')
    assert [smtp.reply().code for _ in range(5)] == [250, 250, 250, 250, 250]
    assert one(server, user).endswith(b'Subject: x\r\n\r\nx\r\n')


def test_binary_message_survives_byte_for_byte(smtp, server, user):
    text = message('binary', '') + bytes(range(256)) * 20 + b'\n.\n\r.\r\0'
    smtp.ehlo()
    smtp.mail('a@example.org', user, params=' BODY=BINARYMIME')
    assert bdat(smtp, text, last=True).code == 250
    stored = server.wait_stored(user)
    assert stored[0].read_bytes().endswith(text)
    # RFC 3501 9: a literal has no NUL; it is shown as Dovecot shows it.
    assert one(server, user).endswith(text.replace(b'\0', b'\x80'))


def test_binary_message_cannot_use_data(smtp, user):
    smtp.ehlo()
    smtp.mail('a@example.org', user, params=' BODY=BINARYMIME')
    smtp.expect('DATA', 503)


def test_data_and_bdat_do_not_mix(smtp, user):
    smtp.ehlo()
    smtp.mail('a@example.org', user)
    assert bdat(smtp, b'Subject: x\r\n').code == 250
    smtp.expect('DATA', 503)
    smtp.expect('RSET', 250)


def test_refused_chunk_is_read_away(smtp):
    # RFC 3030 2: the octets follow whatever the answer will be.
    smtp.ehlo()
    assert bdat(smtp, b'QUIT\r\n' * 1000, last=True).code == 503
    smtp.expect('NOOP', 250)


@pytest.mark.parametrize('argument', ['', 'x', '-1', '5 FIRST',
                         '99999999999999999999999', '1 LAST x'])
def test_broken_bdat_is_refused(server, user, argument):
    with Wire(server, 'smtp') as wire:
        wire.ehlo()
        wire.mail('a@example.org', user)
        assert wire.cmd(f'BDAT {argument}').code in (421, 500, 501, 503, 552)


def test_chunks_beyond_the_size_limit_are_refused(smtp, server, user):
    limit = int([line for line in smtp.ehlo().lines if line.startswith('SIZE')][0].split()[1])
    smtp.mail('a@example.org', user)
    chunk = b'x' * 998 + b'\r\n'
    codes = {bdat(smtp, chunk * 1000).code for _ in range(limit // len(chunk) // 1000 + 1)}
    codes.add(bdat(smtp, b'', last=True).code)
    assert 552 in codes or codes == {250, 503}
    smtp.expect('RSET', 250)
    assert server.stored(user) == []
