"""COMPRESS=DEFLATE (RFC 4978)."""
import time
import zlib

import pytest
from test_imap import Imap
from wire import deliver, message


class Inflated:
    """The reading side of a compressed connection."""

    def __init__(self, file):
        self.file = file
        self.inflate = zlib.decompressobj(-15)
        self.text = b''

    def readline(self):
        while b'\n' not in self.text:
            self._more()
        line, _, self.text = self.text.partition(b'\n')
        return line + b'\n'

    def read(self, size):
        while len(self.text) < size:
            self._more()
        data, self.text = self.text[:size], self.text[size:]
        return data

    def close(self):
        self.file.close()

    def _more(self):
        data = self.file.read1(4096)
        if not data:
            raise EOFError
        self.text += self.inflate.decompress(data)


class CompressedImap(Imap):
    """IMAP behind COMPRESS; `piece` bytes leave at a time."""

    deflate = None
    piece = 1 << 20
    sent = 0

    def compress(self):
        self.ok('COMPRESS DEFLATE')
        self.deflate = zlib.compressobj(wbits=-15)
        self.file = Inflated(self.file)

    def send(self, data):
        data = data.encode() if isinstance(data, str) else data
        if self.deflate:
            data = self.deflate.compress(data) + self.deflate.flush(zlib.Z_SYNC_FLUSH)
        for at in range(0, len(data), self.piece):
            self.socket.sendall(data[at:at + self.piece])


@pytest.fixture
def box(server, user):
    deliver(server, user, *[message(f'm{n}', 'line\r\n' * 2000) for n in range(3)])
    server.wait_stored(user, 3)
    with CompressedImap(server, user) as wire:
        yield wire


def test_it_is_announced(box):
    assert ' COMPRESS=DEFLATE' in box.ok('CAPABILITY')[0]


@pytest.mark.parametrize('piece', [1 << 20, 1])
def test_a_session_goes_on_compressed(box, piece):
    box.piece = piece
    box.compress()
    assert '* 3 EXISTS' in box.ok('SELECT INBOX')
    [line] = box.ok('FETCH 2 BODY.PEEK[TEXT]')
    assert line.count('line\r\n') == 2000
    assert box.append(message('new'))[0].startswith('OK')
    box.bad('FROB')


def test_pipelined_commands_share_the_stream(box):
    box.compress()
    box.send(b'a SELECT INBOX\r\nb FETCH 1:* UID\r\nc NOOP\r\n')
    status, lines = box.finish('c')
    assert status.startswith('OK') and '* 2 FETCH (UID 2)' in lines


def test_what_follows_the_command_is_compressed(box):
    """RFC 4978 3: compression begins behind the CRLF of the command."""
    deflate = zlib.compressobj(wbits=-15)
    box.send(b'x COMPRESS DEFLATE\r\n' + deflate.compress(b'y NOOP\r\n') +
             deflate.flush(zlib.Z_SYNC_FLUSH))
    assert box.line().startswith('x OK')
    box.file = Inflated(box.file)
    assert box.line().startswith('y OK')


def test_a_second_time_is_refused(box):
    """RFC 4978 3: NO with COMPRESSIONACTIVE."""
    box.compress()
    assert '[COMPRESSIONACTIVE]' in box.no('COMPRESS DEFLATE')
    box.ok('NOOP')


def test_malformed_commands_change_nothing(box):
    assert box.bad('COMPRESS') == 'BAD Missing argument.'
    box.bad('COMPRESS DEFLATE now')
    box.no('COMPRESS LZ4')
    box.ok('NOOP')


def test_an_idle_session_remembers_what_both_sides_may_refer_to(box):
    box.compress()
    box.ok('SELECT INBOX')
    text = message('long', 'a text that both will see again\r\n' * 20)
    assert box.append(text)[0].startswith('OK')
    tag = box.start('IDLE')
    assert box.line() == '+ idling'
    time.sleep(6)
    box.send(b'DONE\r\n')
    box.finish(tag)
    assert box.append(text)[0].startswith('OK')
    [line] = box.ok('FETCH 5 BODY.PEEK[]')
    assert line.count('a text that both will see again') == 20


def test_garbage_ends_the_session_and_nothing_else(box, server, user):
    box.compress()
    box.socket.sendall(b'\xff\xff\xff\xff')
    assert box.socket.recv(1000) == b'' or box.at_end()
    with Imap(server, user) as other:
        other.ok('SELECT INBOX')
