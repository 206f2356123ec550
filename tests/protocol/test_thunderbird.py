"""What Thunderbird does, recorded and said again: every command is answered as it was then, in the
untagged lines as well. How that was recorded stands in thunderbird/README.md."""
import re
import socket
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from test_imap_compress import CompressedImap, Inflated
from thunderbird.clean import clean_answer
from thunderbird.others import OTHER, USER, perform, prepare
from wire import Wire, plain

NAME = r'\$((?:modseq|uidvalidity|mailboxid)\d+)\b'
TEXTS = sorted((Path(__file__).parent / 'thunderbird').glob('*.txt'))


@dataclass
class Step:
    """A command and its answer; without a command, what comes by itself."""
    where: str
    connection: str
    command: list = field(default_factory=list)
    answer: list = field(default_factory=list)


def steps(path):
    found = []
    for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
        where = f'{path.name}:{number}'
        if not line or line.startswith('#'):
            continue
        name, _, rest = line.partition(' ')
        mark, text = rest[:2], rest[3:]
        if name == '!' or rest == 'ends':
            found.append(Step(where, name, [rest]))
        elif mark == 'C:':
            found.append(Step(where, name, [text]))
        elif mark == 'C|':
            found[-1].command.append(text)
        else:
            assert mark == 'S:', f'{where}: {line}'
            if not found or found[-1].connection != name:
                found.append(Step(where, name))
            found[-1].answer.append(text)
    return found


class Talk(CompressedImap):
    """One of Thunderbird's connections to IMAP."""

    def __init__(self, server, values):
        Wire.__init__(self, server, 'imap', greet=False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.values, self.count, self.tag, self.waiting = values, 0, '', []

    def say(self, step):
        word, *rest = step.command
        expected = list(step.answer)
        text = '\r\n'.join([self._filled(word), *rest])
        if word not in ('DONE', '$plain'):
            self.count += 1
            self.tag = f't{self.count}'
            text = f'{self.tag} {text}'
        # Where the literal is a synchronising one, the rest waits for the server.
        while match := re.search(r'\{\d+\}\r\n', text):
            self.send(text[:match.end()])
            self.hear(step, expected.pop(0))
            text = text[match.end():]
        self.send(text + '\r\n')
        for line in expected:
            self.hear(step, line)
        if word == 'STARTTLS':
            self.start_tls_now()
        elif word == 'COMPRESS DEFLATE':
            self.deflate = zlib.compressobj(wbits=-15)
            self.file = Inflated(self.file)

    def hear(self, step, expected):
        """Read on until this line has come. One that came earlier than it did then is as good."""
        for line in self.waiting:
            if self._is(line, expected):
                self.waiting.remove(line)
                return
        while True:
            raw = self.full_line()
            assert raw, f'{step.where}: closed before {expected}'
            sizes = re.search(r'RFC822\.SIZE (\d+).* BODY\[\] \{(\d+)\}', raw)
            assert not sizes or sizes.group(1) == sizes.group(2), f'{step.where}: {sizes.group(0)}'
            line = clean_answer(raw.encode())
            if not line:
                continue
            if self._is(line, expected):
                return
            if self.tag and raw.startswith(self.tag + ' '):
                pytest.fail(f'{step.where}: {step.command[:1]}: no {expected!r}, but '
                            f'{self.waiting} and {raw!r}')
            self.waiting.append(line)

    def _filled(self, text):
        if text == '$plain':
            return plain(USER)
        return re.sub(NAME, lambda m: self.values[m.group(1)], text)

    def _is(self, line, expected):
        """Is that the line? Names that are new get the values they have here."""
        def pattern(match):
            name = match.group(1)
            return re.escape(self.values[name]) if name in self.values else rf'(?P<{name}>\w+)'
        wanted = re.sub(r'\\' + NAME, pattern, re.escape(expected))
        match = re.fullmatch(wanted, line, re.S)
        if match:
            self.values.update(match.groupdict())
        return bool(match)


class Submission(Wire):
    """One of its connections for sending."""

    def __init__(self, server):
        super().__init__(server, 'submission', greet=False)
        self.server, self.waiting = server, []
        self.before, self.recipient = 0, ''

    def say(self, step):
        text = '\r\n'.join(step.command).replace('$plain', plain(USER))
        if text.startswith('RCPT'):
            self.recipient = re.search('<(.*)>', text).group(1)
            self.before = len(self.server.stored(self.recipient))
        self.send(text.encode() + b'\r\n')
        for code in step.answer:
            self.hear(step, code)
        if text == 'STARTTLS':
            self.start_tls_now()
        elif text.endswith('\r\n.'):
            self.server.wait_stored(self.recipient, self.before + 1)

    def hear(self, step, code):
        reply = self.reply()
        assert reply.code == int(code), f'{step.where}: {step.command[:1]}: {reply}'


class Replay:
    """The connections of one start of Thunderbird."""

    def __init__(self, server, values, piece):
        self.server, self.values, self.piece, self.open = server, values, piece, {}

    def run(self, path):
        for step in steps(path):
            if step.connection == '!':
                perform(self.server, USER, step.command[0])
                continue
            if step.command == ['ends']:
                talk = self.open.pop(step.connection)
                assert not talk.waiting, f'{step.where}: never told then: {talk.waiting}'
                talk.close()
                continue
            talk = self._talk(step.connection)
            if step.command:
                talk.say(step)
            else:
                for line in step.answer:
                    talk.hear(step, line)

    def _talk(self, name):
        if name not in self.open:
            self.open[name] = Submission(self.server) if name.startswith('submission') else \
                Talk(self.server, self.values)
            self.open[name].piece = self.piece
        return self.open[name]

    def close(self):
        for talk in self.open.values():
            talk.close()


@pytest.mark.parametrize('piece', [1 << 20, 3])
def test_thunderbird_is_answered_as_it_was(make_server, piece):
    """`piece`: as many bytes leave at a time."""
    assert len(TEXTS) == 5
    server = make_server(start=False, accounts=[USER, OTHER])
    prepare(server, USER)
    values = {}
    for path in TEXTS:
        replay = Replay(server, values, piece)
        try:
            replay.run(path)
        finally:
            replay.close()
