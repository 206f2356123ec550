#!/usr/bin/python3
"""The shape of the tree: a README per source directory, #pragma once in every header, tests where
they belong, and no word that promises work for later."""
import re

import source
from source import Finding, run

UNFINISHED = re.compile(r'\b(TODO|FIXME|XXX|HACK|WIP|[Ss]tub(?:bed|s)?|for now|[Pp]laceholder|'
                        r'[Tt]emporary (?:hack|workaround|solution)|not yet implemented)\b')
# The checkers name the words they look for; licences are not ours to word.
WORDS_MAY_STAND_IN = ('tests/style/', 'LICENSE', 'fuzz/corpus/')
TEXT = ('.c', '.h', '.py', '.sh', '.md', '.def', '.ipc', '.build', '.txt', '.yaml', '.yml', '.toml')


def check_readmes(tree):
    for directory in sorted({p.split('/')[1] for p in tree.c_files('src') if p.count('/') > 1}):
        if f'src/{directory}/README.md' not in tree.paths:
            yield Finding(f'src/{directory}', 1, 'has no README.md')


def check_headers(tree):
    for path in tree.c_files():
        if path.endswith('.h') and not re.search(r'^#pragma once$', tree.text(path), re.M):
            yield Finding(path, 1, 'has no #pragma once')


def check_test_names(tree):
    """tests/unit/<dir>/ tests src/<dir>/, and so does fuzz/fuzz_<dir>_<module>.c."""
    directories = {p.split('/')[1] for p in tree.c_files('src') if p.count('/') > 1}
    for path in tree.c_files('tests'):
        match = re.fullmatch(r'tests/unit/(\w+)/(.+)', path)
        if match and match.group(1) not in directories:
            yield Finding(path, 1, f'there is no src/{match.group(1)}')
    for path in tree.c_files('fuzz'):
        match = re.fullmatch(r'fuzz/fuzz_([a-z0-9]+)_\w+\.c', path)
        if match and match.group(1) not in directories:
            yield Finding(path, 1, f'there is no src/{match.group(1)}')


def check_words(tree):
    for path in tree.paths:
        is_text = path.endswith(TEXT) or path in ('run', 'test', '.ci/run', 'bench/run')
        if not is_text or path.startswith(WORDS_MAY_STAND_IN):
            continue
        text = tree.text(path)
        if path.endswith(('.c', '.h')):
            text = source.strip_strings(text)       # a test may well search for "TODO"
        for number, line in enumerate(text.splitlines(), 1):
            match = UNFINISHED.search(line)
            if match:
                yield Finding(path, number, f'"{match.group(0)}": finish it or say what is open')


def check(tree):
    yield from check_readmes(tree)
    yield from check_headers(tree)
    yield from check_test_names(tree)
    yield from check_words(tree)


if __name__ == '__main__':
    run(check)
