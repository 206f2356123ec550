"""A config volume for each test, and the `setup` command working on it."""
import os
import pathlib
import pty
import re
import select
import subprocess
import time

import pytest

BUILD = pathlib.Path(os.environ.get('POSTHORN_BUILD',
                                    pathlib.Path(__file__).parents[2] / 'build-test')).absolute()
LOG_LINE = re.compile(r'^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d \x1b\[\d+m(\w+) *\x1b\[0m '
                      r'([\w-]+): (.*)$')


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def log(self):
        """[(level, program, text)] of every line on standard error; all of them are log lines."""
        lines = [LOG_LINE.match(line) for line in self.err.splitlines()]
        assert all(lines), self.err
        return [match.groups() for match in lines]

    @property
    def texts(self):
        return [text for _, _, text in self.log]


class Setup:
    def __init__(self, root):
        self.root = root
        self.config = root / 'tmp/docker-mailserver'
        self.mail = root / 'var/mail'
        self.env = {'POSTHORN_ROOT': str(root), 'PATH': os.environ['PATH'], 'TZ': 'UTC'}

    def start(self, *args, program='setup', **options):
        return subprocess.Popen([program, *args], executable=BUILD / 'setup',
                                env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, **options)

    def run(self, *args, answers='', program='setup'):
        process = self.start(*args, program=program)
        out, err = process.communicate(answers, timeout=60)
        return Result(process.returncode, out, err)

    def ok(self, *args, **options):
        result = self.run(*args, **options)
        assert result.code == 0, result.err
        return result

    def fail(self, text, *args, usage=False, **options):
        """The command fails with this reason, behind its usage when the arguments are wrong."""
        result = self.run(*args, **options)
        assert result.code == 1
        assert result.texts[-2:] == [text, 'Aborting']
        assert [level for level, _, _ in result.log][-2:] == ['ERROR', 'ERROR']
        assert ('SYNOPSIS' in result.out) == usage
        return result

    def write(self, name, text):
        self.config.mkdir(parents=True, exist_ok=True)
        (self.config / name).write_bytes(text.encode())

    def read(self, name):
        return (self.config / name).read_bytes().decode()

    def files(self):
        return sorted(path.name for path in self.config.iterdir())

    def message(self, account, folder, name, size=None):
        user, domain = account.split('@')
        path = self.mail / domain / user / folder
        path.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(b'x' * (size or 0))

    def talk(self, args, answers):
        """Run on a terminal; answers is [(question, line)]. Returns the code and what was shown."""
        child, terminal = pty.fork()
        if child == 0:
            os.execve(BUILD / 'setup', ['setup', *args], self.env)
        shown = ''
        for question, line in answers:
            shown += read_until(terminal, question)
            os.write(terminal, line.encode() + b'\n')
        shown += read_until(terminal, None)
        _, status = os.waitpid(child, 0)
        os.close(terminal)
        return os.waitstatus_to_exitcode(status), shown


def read_until(terminal, text, seconds=20):
    shown, end = '', time.monotonic() + seconds
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            data = os.read(terminal, 4096).decode()
        except OSError:
            data = ''
        shown += data
        if (text and text in shown) or not data:
            return shown
    raise AssertionError(f'no {text!r} in {shown!r}')


@pytest.fixture
def setup(tmp_path):
    return Setup(tmp_path)
