"""FETCH of what the server knows of a message is FETCH of the message (RFC 3501 6.4.5)."""
import re

import pytest
from test_imap import Imap

PARTS = [
    b'Content-Type: text/plain; charset=utf-8\r\n\r\nfirst part\r\nof two lines',
    b'Content-Type: message/rfc822\r\n\r\n'
    b'From: inner@example.org\r\nSubject: within\r\nX-Other: y\r\n\r\ninner body\r\n',
    b'Content-Type: application/octet-stream; name=x\r\n'
    b'Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\nBBBB',
]
HEADER = (b'From: A <a@example.org>\r\nTo: b@example.org,\r\n\tc@example.org\r\nX-Mine: 1\r\n'
          b'Subject: =?utf-8?q?=C3=BC?=\r\nReceived: from x\r\nto: again@example.org\r\n'
          b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=bb\r\n\r\n')
MAIL = HEADER + b'preamble\r\n' + b''.join(b'--bb\r\n' + p + b'\r\n' for p in PARTS) + b'--bb--\r\n'


def split(part):
    header, body = part.split(b'\r\n\r\n', 1)
    return header + b'\r\n\r\n', body


def fields(header, *names):
    found = re.findall(rb'(?:^|(?<=\n))(?:[^\s:]+:.*\r\n(?:[ \t].*\r\n)*)', header)
    return b''.join(f for f in found if f.split(b':')[0].lower() in names) + b'\r\n'


inner_header, inner_body = split(split(PARTS[1])[1])
SECTIONS = {
    '': MAIL,
    'HEADER': HEADER,
    'TEXT': MAIL[len(HEADER):],
    '1': split(PARTS[0])[1],
    '1.MIME': split(PARTS[0])[0],
    '2': split(PARTS[1])[1],
    '2.MIME': split(PARTS[1])[0],
    '2.HEADER': inner_header,
    '2.TEXT': inner_body,
    '2.1': inner_body,
    '2.HEADER.FIELDS (SUBJECT X-OTHER)': fields(inner_header, b'subject', b'x-other'),
    '2.HEADER.FIELDS.NOT (SUBJECT)': fields(inner_header, b'from', b'x-other'),
    '3': split(PARTS[2])[1],
    '4': None,
    '1.1': None,
    '2.2': None,
    'HEADER.FIELDS (TO FROM)': fields(HEADER, b'from', b'to'),
    'HEADER.FIELDS (SUBJECT X-MINE)': fields(HEADER, b'subject', b'x-mine'),
    'HEADER.FIELDS (LIST-ID)': b'\r\n',
    'HEADER.FIELDS.NOT (RECEIVED TO)': fields(HEADER, b'from', b'x-mine', b'subject',
                                              b'mime-version', b'content-type'),
}


@pytest.fixture
def box(server, user):
    with Imap(server, user) as wire:
        assert wire.append(MAIL)[0].startswith('OK')
        wire.ok('SELECT INBOX')
        yield wire


def answer(section, want, partial=''):
    if want is None:
        return f'BODY[{section}]{partial} NIL'
    return f'BODY[{section}]{partial} {{{len(want)}}}\r\n{want.decode()}'


@pytest.mark.parametrize('section', SECTIONS)
def test_a_section_is_its_bytes(box, section):
    want = SECTIONS[section]
    lines = box.ok(f'FETCH 1 (UID BODY.PEEK[{section}] ENVELOPE)')
    assert lines[0].startswith(f'* 1 FETCH (UID 1 {answer(section, want)} ENVELOPE (')
    if want is not None:
        # RFC 3501 6.4.5: "If the starting octet is beyond the end of the text, an empty string is
        # returned."
        for start in (0, 5, len(want), len(want) + 5):
            lines = box.ok(f'FETCH 1 BODY.PEEK[{section}]<{start}.7>')
            cut = answer(section, want[start:start + 7], f'<{start}>')
            assert lines == [f'* 1 FETCH ({cut})']


def test_all_sections_at_once_are_the_same(box):
    items = ' '.join(f'BODY.PEEK[{s}]' for s in SECTIONS)
    want = ' '.join(answer(s, w) for s, w in SECTIONS.items())
    assert box.ok(f'FETCH 1 ({items})') == [f'* 1 FETCH ({want})']


def test_reading_text_tells_the_flag_it_sets(box):
    # RFC 3501 6.4.5: "The \Seen flag is implicitly set; if this causes the flags to change, they
    # SHOULD be included as part of the FETCH responses."
    want = answer('HEADER.FIELDS (FROM)', fields(HEADER, b'from'))
    line = box.ok('FETCH 1 (BODY[HEADER.FIELDS (FROM)] ENVELOPE)')[0]
    assert line.startswith(f'* 1 FETCH ({want} ENVELOPE (')
    assert re.search(r' FLAGS \(\\Seen.*\)\)$', line)
    assert '\\Seen' in box.ok('FETCH 1 FLAGS')[0]


def test_many_answers_come_whole_and_in_order(server, user):
    with Imap(server, user) as wire:
        for n in range(120):
            tag = wire.start(f'APPEND INBOX {{{len(MAIL)}+}}')
            wire.send(MAIL + b'\r\n')
            assert wire.finish(tag)[0].startswith('OK'), n
        wire.ok('SELECT INBOX')
        lines = wire.ok('FETCH 1:* (UID RFC822.SIZE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (TO)])')
        start = [f'* {n} FETCH (UID {n} RFC822.SIZE {len(MAIL)} BODYSTRUCTURE (('
                 for n in range(1, 121)]
        assert [line[:len(s)] for line, s in zip(lines, start, strict=True)] == start
        assert len({line.split('BODYSTRUCTURE')[1] for line in lines}) == 1
