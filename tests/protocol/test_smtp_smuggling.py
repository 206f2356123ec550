"""SMTP smuggling: whatever a client puts around a dot, one DATA is at most one message, and what
was accepted carries no line end that a later server could take for the end of data.

The variants are those published in December 2023 (SEC Consult) and in the follow-ups of 2024, with
the NUL and doubled-CR forms found in other servers since.
"""
import re

import pytest
from wire import fetch_all, message

VARIANTS = {
    'LF dot LF': b'\n.\n', 'LF dot CRLF': b'\n.\r\n', 'CRLF dot LF': b'\r\n.\n',
    'CR dot CR': b'\r.\r', 'CR dot LF': b'\r.\n', 'LF dot CR': b'\n.\r', 'CRLF dot CR': b'\r\n.\r',
    'CR dot CRLF': b'\r.\r\n', 'CR CRLF dot CRLF': b'\r\r\n.\r\r\n',
    'CRLF dot CR CRLF': b'\r\n.\r\r\n',
    'NUL before the dot': b'\r\n\0.\r\n', 'NUL after the dot': b'\r\n.\0\r\n',
    'LF LF dot LF': b'\n\n.\n', 'dot space': b'\r\n. \r\n', 'LF dot LF LF': b'\n.\n\n',
    'vertical tab': b'\x0b.\x0b', 'form feed': b'\x0c.\x0c', 'next line': b'\xc2\x85.\xc2\x85',
    'line separator': b'\xe2\x80\xa8.\xe2\x80\xa8',
}
BARE = re.compile(rb'(?<!\r)\n|\r(?!\n)')


def smuggle(user, variant):
    inner = (b'MAIL FROM:<admin@example.test>\r\nRCPT TO:<%s>\r\nDATA\r\n' % user.encode() +
             message('smuggled', 'evil\r\n'))
    return message('outer', 'before')[:-2] + variant + inner


@pytest.mark.parametrize('name', VARIANTS)
def test_variant_ends_no_message(smtp, server, user, name):
    smtp.ehlo()
    smtp.mail('a@example.org', user)
    smtp.expect('DATA', 354)
    smtp.send(smuggle(user, VARIANTS[name]) + b'\r\n.\r\n')
    reply = smtp.reply()
    assert reply.code == 250 or 500 <= reply.code < 600, str(reply)

    # No reply to a smuggled command may be waiting.
    if reply.code == 250 or not smtp_is_closed(smtp):
        marker = smtp.cmd('HELP')
        assert marker.code in (214, 250, 421), str(marker)
    if reply.code == 250:
        server.wait_stored(user)
    bodies = fetch_all(server, user)
    assert len(bodies) == (1 if reply.code == 250 else 0)
    for raw in bodies:
        assert not BARE.search(raw), 'a bare CR or LF was passed on'


def smtp_is_closed(smtp):
    try:
        smtp.send('NOOP\r\n')
        return smtp.reply().code == 421
    except (AssertionError, OSError):
        return True


@pytest.mark.parametrize('end', [b'\n', b'\r', b'\r\r\n', b'\n\r'])
def test_commands_end_with_crlf_only_or_are_refused(server, smtp, end):
    # A bare LF may end a command (many clients do it); then it does so everywhere, and nothing of
    # the next command is taken for an argument.
    smtp.send(b'EHLO x' + end + b'NOOP\r\n')
    codes = [smtp.reply().code]
    smtp.send(b'QUIT\r\n')
    while codes[-1] not in (221, 421):
        codes.append(smtp.reply().code)
    assert codes in ([250, 250, 221], [500, 250, 221], [501, 250, 221], [501, 221], [500, 221],
                     [421], [500, 421], [501, 421], [250, 500, 221], [250, 501, 221]), codes


def test_bdat_chunk_cannot_smuggle(smtp, server, user):
    text = smuggle(user, b'\r\n.\r\n') + b'\r\n.\r\n'
    smtp.ehlo()
    smtp.mail('a@example.org', user)
    smtp.send(b'BDAT %d LAST\r\n' % len(text) + text)
    assert smtp.reply().code == 250
    smtp.expect('NOOP', 250)
    server.wait_stored(user)
    assert len(fetch_all(server, user)) == 1


@pytest.mark.parametrize('bare', [b'a\nb\r\n', b'a\rb\r\n'])
def test_bare_line_ends_in_a_text_chunk_are_not_passed_on(smtp, server, user, bare):
    text = message('bare', '') + bare
    smtp.ehlo()
    smtp.mail('a@example.org', user)
    smtp.send(b'BDAT %d LAST\r\n' % len(text) + text)
    if smtp.reply().code == 250:
        server.wait_stored(user)
        assert not BARE.search(fetch_all(server, user)[0])
