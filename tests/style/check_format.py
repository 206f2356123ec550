#!/usr/bin/python3
"""clang-format would change nothing.

Formatting differs between versions of clang-format; the tree is formatted with the one version that
both Debian 12 and 13 package. Without it the check says so and passes.
"""
import re
import shutil
import subprocess
import sys

from source import Finding, run

VERSION = '19'


def formatter():
    """The command of the right version, or None."""
    for name in (f'clang-format-{VERSION}', 'clang-format'):
        if not shutil.which(name):
            continue
        told = subprocess.run([name, '--version'], capture_output=True, text=True, check=False)
        if re.search(rf'version {VERSION}\.', told.stdout):
            return name
    return None


def check(tree):
    command = formatter()
    if not command:
        print(f'skipped: clang-format-{VERSION} is not installed (./test installs it)',
              file=sys.stderr)
        return
    files = tree.c_files()
    if not files:
        return
    result = subprocess.run([command, '--dry-run', *files], cwd=tree.root, capture_output=True,
                            text=True, check=False)
    seen = set()
    for line in result.stderr.splitlines():
        match = re.match(r'(?:\./)?(.+?):(\d+):\d+: (?:warning|error)', line)
        if match and match.group(1) not in seen:
            seen.add(match.group(1))
            yield Finding(match.group(1), int(match.group(2)),
                          f'not formatted; run {command} -i {match.group(1)}')
    if result.returncode and not seen:
        yield Finding('.clang-format', 1, result.stderr.strip().split('\n')[0])


if __name__ == '__main__':
    run(check)
