"""What all style checkers share: the list of files, C without comments and strings, its functions.

A checker is a module with `check(tree) -> iterable of Finding`; run as a program it prints one line
`file:line: text` per finding and exits 1 if there is any.
"""
import argparse
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SKIPPED_DIRS = {'.git', 'var', 'subprojects', '__pycache__', '.pytest_cache'}


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    text: str

    def __str__(self):
        return f'{self.path}:{self.line}: {self.text}'


class Tree:
    """The files of a source tree that belong to the project, by path relative to its root."""

    def __init__(self, root):
        self.root = Path(root)
        self.paths = sorted(self._list())

    def _list(self):
        git = subprocess.run(['git', '-C', self.root, 'ls-files', '-z', '--cached', '--others',
                              '--exclude-standard'], capture_output=True, text=True, check=False)
        if git.returncode == 0 and git.stdout:
            names = {name for name in git.stdout.split('\0') if name}
            return [name for name in names if (self.root / name).is_file()]
        return [str(p.relative_to(self.root)) for p in self.root.rglob('*')
                if p.is_file() and self._is_ours(p.relative_to(self.root))]

    @staticmethod
    def _is_ours(path):
        return not any(part in SKIPPED_DIRS or part.startswith('build') for part in path.parts)

    def text(self, path):
        return (self.root / path).read_text(encoding='utf-8', errors='replace')

    def c_files(self, *tops):
        tops = tops or ('src', 'tests', 'fuzz', 'bench', 'tools')
        return [p for p in self.paths
                if p.endswith(('.c', '.h')) and p.split('/', 1)[0] in tops]


_TOKEN = re.compile(r'''//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*\'''', re.S)


def _blank(match):
    text = match.group(0)
    if text[0] in '"\'':
        return text[0] + ' ' * (len(text) - 2) + text[0]
    return re.sub(r'[^\n]', ' ', text)


def strip_comments_and_strings(text):
    """The same text, every offset and line kept, with comments and literals blanked out."""
    return _TOKEN.sub(_blank, text)


def strip_strings(text):
    """The same text with string and character literals blanked out; comments stay."""
    return _TOKEN.sub(lambda m: m.group(0) if m.group(0)[0] == '/' else _blank(m), text)


def strip_directives(text):
    """Blank out preprocessor lines, with their continuations."""
    return re.sub(r'^[ \t]*#(?:[^\n\\]|\\.|\\\n)*', lambda m: re.sub(r'[^\n]', ' ', m.group(0)),
                  text, flags=re.M)


def line_of(text, offset):
    return text.count('\n', 0, offset) + 1


@dataclass
class Function:
    name: str
    line: int           # where its declaration begins
    last_line: int
    params: list
    body: str           # from the opening to the closing brace, blanked
    body_line: int
    table_lines: int = field(default=0)

    @property
    def length(self):
        """Lines, those of tables inside it excepted."""
        return self.last_line - self.line + 1 - self.table_lines


def _split_params(text):
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in '([{') - (c in ')]}')
        if c == ',' and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    parts.append(text[start:])
    parts = [p.strip() for p in parts]
    return [p for p in parts if p and p not in ('void', '...')]


def _matching(text, start, opening, closing):
    depth = 0
    for i in range(start, len(text)):
        depth += (text[i] == opening) - (text[i] == closing)
        if depth == 0:
            return i
    return -1


_NOT_A_NAME = {'__attribute__', 'PRINTF_LIKE', 'if', 'while', 'for', 'switch', 'typeof', '_Alignas'}


def _name_and_params(header):
    """The function name of a declaration and its parameters; None where it declares no function."""
    for match in re.finditer(r'(\w+)\s*\(', header):
        if match.group(1) in _NOT_A_NAME or header[:match.start()].count('(') != \
                header[:match.start()].count(')'):
            continue
        end = _matching(header, match.end() - 1, '(', ')')
        if end < 0 or '=' in header[:match.start()]:
            return None
        return match.group(1), _split_params(header[match.end():end])
    return None


def _count_table_lines(body):
    """Lines strictly inside the braces of initialisers."""
    total, at = 0, 0
    while True:
        match = re.compile(r'=\s*\{').search(body, at)
        if not match:
            return total
        end = _matching(body, match.end() - 1, '{', '}')
        if end < 0:
            return total
        total += max(0, body.count('\n', match.end(), end) - 1)
        at = end


def functions(text):
    """All function definitions of a C file, and whether its braces balance."""
    code = strip_directives(strip_comments_and_strings(text))
    found, start, i = [], 0, 0
    while i < len(code):
        c = code[i]
        if c == ';':
            start = i + 1
        elif c == '}':
            return found, False
        elif c == '{':
            end = _matching(code, i, '{', '}')
            if end < 0:
                return found, False
            known = _name_and_params(code[start:i])
            if known:
                begin = start + len(code[start:i]) - len(code[start:i].lstrip())
                body = code[i:end + 1]
                found.append(Function(known[0], line_of(code, begin), line_of(code, end), known[1],
                                      body, line_of(code, i), _count_table_lines(body)))
                start = end + 1
            elif not re.match(r'\s*(?:typedef|struct|union|enum|static|extern|const)\b.*=',
                              code[start:i], re.S):
                start = start if code[start:i].lstrip().startswith('typedef') else end + 1
            i = end
        i += 1
    return found, True


def run(check):
    """Run one checker over the tree named on the command line, this one by default."""
    parser = argparse.ArgumentParser(description=sys.modules['__main__'].__doc__)
    parser.add_argument('--root', default=ROOT, help='the source tree to look at')
    findings = sorted(check(Tree(parser.parse_args().root)), key=lambda f: (f.path, f.line))
    for finding in findings:
        print(finding)
    sys.exit(1 if findings else 0)
