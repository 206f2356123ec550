"""From what a Recorder wrote down to a text that can be read and replayed.

    python3 clean.py DIRECTORY RESULTS

makes a text of every record that capture.py has left in DIRECTORY.

Every command is followed by its answer, also where another connection spoke in between. Tags, words
for people and the bodies that the server sent are left out; what differs from run to run gets a
name ($modseq3), the same one wherever it occurs.
"""
import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

# What Thunderbird looks for; the others may come and go.
CAPABILITIES = {
    'IMAP4REV1', 'STARTTLS', 'AUTH=PLAIN', 'LITERAL+', 'NAMESPACE', 'ID', 'ENABLE', 'IDLE',
    'UIDPLUS', 'MOVE', 'CONDSTORE', 'QUOTA', 'ACL', 'SPECIAL-USE', 'LIST-EXTENDED',
    'COMPRESS=DEFLATE', 'UTF8=ACCEPT'}
NAMED = re.compile(r'\b(UIDVALIDITY|HIGHESTMODSEQ|MODSEQ|CHANGEDSINCE|APPENDUID|COPYUID|MAILBOXID)'
                   r'( \(?)(\w+)')
KINDS = {'HIGHESTMODSEQ': 'modseq', 'CHANGEDSINCE': 'modseq', 'APPENDUID': 'uidvalidity',
         'COPYUID': 'uidvalidity'}


@dataclass
class Unit:
    """A line with its literals, and for a command the answer to it."""
    at: int             # where in the record
    connection: str
    who: str
    text: bytes
    answer: list = field(default_factory=list)


class Names:
    """Names of values. Modseqs of two mailboxes may happen to be the same number."""

    def __init__(self):
        self._names, self._counts, self._selected = {}, {}, {}

    def select(self, connection, command):
        if match := re.match('select (".*?")', command):
            self._selected[connection] = match.group(1)

    def replace(self, connection, line):
        def named(match):
            kind = KINDS.get(match.group(1), match.group(1).lower())
            key = kind, match.group(3), kind == 'modseq' and self._selected.get(connection)
            if key not in self._names:
                self._counts[kind] = self._counts.get(kind, 0) + 1
                self._names[key] = f'${kind}{self._counts[kind]}'
            return match.group(1) + match.group(2) + self._names[key]
        return NAMED.sub(named, line)


class Lines:
    """Cuts one direction of a connection into units."""

    def __init__(self, connection, who):
        self.connection, self.who = connection, who
        self.rest, self.at, self.in_data = b'', 0, False

    def feed(self, at, data):
        if not self.rest:
            self.at = at
        self.rest += data
        while size := self._size():
            text, self.rest = self.rest[:size], self.rest[size:]
            yield Unit(self.at if self.who == 'C' else at, self.connection, self.who, text[:-2])
            self.at = at

    def _size(self):
        """Of the first complete unit, 0 for none."""
        if self.in_data:
            end = self.rest.find(b'\r\n.\r\n')
            return end + 5 if end >= 0 else 0
        start = 0
        while True:
            end = self.rest.find(b'\r\n', start)
            if end < 0:
                return 0
            literal = re.search(rb'\{(\d+)\+?\}$', self.rest[start:end])
            if not literal or self.connection.startswith('submission'):
                return end + 2
            start = end + 2 + int(literal.group(1))
            if len(self.rest) < start:
                return 0


def units(record):
    """The units in the order in which they began, answers below their commands."""
    lines, open_units, found = {}, {}, []
    early = {}      # what the server says in the middle of a command: that it wants the literal
    for at, (_, connection, who, text) in enumerate(record):
        data = text.encode('latin-1')
        if who in '#!E':
            found.append(Unit(at, connection, who, data))
            continue
        reader = lines.setdefault((connection, who), Lines(connection, who))
        for unit in reader.feed(at, data):
            if who == 'C':
                unit.answer = early.pop(connection, [])
                found.append(unit)
                open_units[connection] = unit
            elif unit.text.startswith(b'+') and lines[connection, 'C'].rest:
                early.setdefault(connection, []).append(unit.text)
            else:
                add_answer(found, open_units, unit)
                if connection.startswith('submission') and unit.text.startswith(b'354'):
                    lines[connection, 'C'].in_data = True
                elif (connection, 'C') in lines:
                    lines[connection, 'C'].in_data = False
    return sorted(found, key=lambda unit: unit.at)


def add_answer(found, open_units, unit):
    command = open_units.get(unit.connection)
    is_idle = command and re.fullmatch(rb'\S+ IDLE', command.text, re.I)
    if not command or (is_idle and command.answer):
        found.append(unit)
    else:
        command.answer.append(unit.text)
        if re.match(rb'\S+ (OK|NO|BAD)\b|\d\d\d ', unit.text) and not unit.text.startswith(b'*'):
            open_units[unit.connection] = None


def clean_answer(text):
    """A line of the server as it is to be expected, or '' for one that does not matter."""
    line = text.decode('utf-8', 'replace')
    line = re.sub(r'^(?!\*|\+)\S+ (?=OK|NO|BAD)', '', line)
    if re.match(r'\d\d\d', line):
        return line[:3] if line[3:4] != '-' else ''
    if re.match(r'\* \d+ RECENT$|\* OK \[UNSEEN', line):
        return ''
    line = re.sub(r' ?\\Recent', '', line).replace('( ', '(')
    if line.startswith('+'):
        return '+'
    if match := re.match(r'((?:\* )?(?:OK \[)?CAPABILITY) ([^\]]*)', line):
        known = [w for w in match.group(2).split() if w.upper() in CAPABILITIES]
        return f'{match.group(1)} {" ".join(known)}'
    if match := re.match(r'((?:\* )?(?:OK|NO|BAD|BYE))( \[.*?\])?(?= |$)', line):
        line = match.group(0)
    return re.sub(r'(RFC822\.SIZE|\(STORAGE) \d+', r'\1 $size', without_literals(line))


def without_literals(line):
    """A message is told by its subject."""
    while match := re.search(r'\{(\d+)\}\r\n', line):
        data = line[match.end():].encode()
        size = int(match.group(1))
        body = data[:size].decode('utf-8', 'replace')
        subject = re.search(r'^Subject: .*$', body, re.M)
        mark = '{' + (subject.group(0).strip() if subject else '') + '}'
        line = line[:match.start()] + mark + data[size:].decode('utf-8', 'replace')
    return line


def clean_command(unit, names):
    text = unit.text.decode('utf-8')
    if unit.connection.startswith('imap') and ' ' in text:
        text = text.partition(' ')[2]
    elif re.fullmatch(r'[A-Za-z0-9+/=]{20,}', text):
        text = '$plain'
    text = re.sub(r'^AUTH PLAIN .*', 'AUTH PLAIN $plain', text)
    first, *more = text.split('\r\n')
    names.select(unit.connection, first)
    return [('C:', names.replace(unit.connection, first)), *(('C|', line) for line in more)]


def clean(record, names):
    for unit in units(record):
        answers = [unit.text] if unit.who == 'S' else unit.answer
        if unit.who == '#':
            yield f'\n# {unit.text.decode()}'
        elif unit.who == '!':
            yield f'! {unit.text.decode()}'
        elif unit.who == 'E':
            yield f'{unit.connection} ends'
        elif unit.who == 'C':
            for mark, line in clean_command(unit, names):
                yield f'{unit.connection} {mark} {line}' if line else f'{unit.connection} {mark}'
        for text in answers:
            if line := clean_answer(text):
                yield f'{unit.connection} S: {names.replace(unit.connection, line)}'


def main():
    directory, results = map(Path, sys.argv[1:])
    names = Names()
    for path in sorted(directory.glob('*.json')):
        record = json.loads(path.read_text())
        version = re.search(r'"Thunderbird" "version" "([\d.]+)"', str(record)).group(1)
        header = f'# Thunderbird {version}, start "{path.stem}", recorded by capture.py.'
        text = '\n'.join([header, *clean(record, names)])
        (results / f'{path.stem}.txt').write_text(text + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
