#!/usr/bin/python3
"""Calls that have a better replacement in base, and heap memory outside the modules that own some.

heap_owners.txt lists the files that may call malloc and its kin, each with what it owns.
"""
import re

from source import Finding, line_of, run, strip_comments_and_strings

BANNED = {
    'strcpy': 'arena_cstr or buf_puts', 'strcat': 'buf_puts', 'stpcpy': 'buf_puts',
    'strncpy': 'memcpy with a checked length', 'strncat': 'buf_put',
    'sprintf': 'buf_printf or snprintf', 'vsprintf': 'buf_printf',
    'atoi': 'str_to_u64', 'atol': 'str_to_u64', 'atoll': 'str_to_u64', 'atof': 'a parser',
    'strtok': 'str_next_word', 'strtok_r': 'str_next_word', 'gets': 'stream_read_line',
    'alloca': 'an arena', 'strdupa': 'an arena', 'strndupa': 'an arena',
    'system': 'core/process', 'popen': 'core/process', 'tmpnam': 'memfd_create',
    'mktemp': 'memfd_create', 'setjmp': 'a fiber', 'longjmp': 'a fiber',
    'gethostbyname': 'the resolver', 'rand': 'rand_u64', 'srand': 'rand_u64',
    'gmtime': 'gmtime_r', 'localtime': 'localtime_r', 'ctime': 'mime/date', 'asctime': 'mime/date',
    'usleep': 'fiber_sleep', 'sleep': 'fiber_sleep',
}
HEAP = ('malloc', 'calloc', 'realloc', 'reallocarray', 'free', 'strdup', 'strndup', 'asprintf',
        'vasprintf', 'aligned_alloc', 'posix_memalign')
CALL = re.compile(r'(?<![\w.>])(%s)\s*\(' % '|'.join([*BANNED, *HEAP]))
# A test program sets up the world around the code, and may use the C library to do so.
ALLOWED_IN_TESTS = {*HEAP, 'usleep', 'sleep', 'system', 'rand', 'srand'}


def heap_owners(tree):
    if 'tests/style/heap_owners.txt' not in tree.paths:
        return {}
    rows = [line.split(None, 1) for line in tree.text('tests/style/heap_owners.txt').splitlines()
            if line.strip() and not line.startswith('#')]
    return {row[0]: row[1] if len(row) > 1 else '' for row in rows}


def check_file(path, text, may_own):
    code = strip_comments_and_strings(text)
    for match in CALL.finditer(code):
        name, line = match.group(1), line_of(code, match.start())
        if not path.startswith('src/') and name in ALLOWED_IN_TESTS:
            continue
        if name in BANNED:
            yield Finding(path, line, f'{name}: use {BANNED[name]}')
        elif not may_own:
            yield Finding(path, line, f'{name}: not an owner of heap memory (heap_owners.txt)')


def check(tree):
    owners = heap_owners(tree)
    for path in tree.c_files():
        yield from check_file(path, tree.text(path), path in owners)
    for number, path in enumerate(owners, 1):
        if path not in tree.paths:
            yield Finding('tests/style/heap_owners.txt', number, f'{path} does not exist')
        elif not owners[path]:
            yield Finding('tests/style/heap_owners.txt', number, f'{path}: what does it own?')


if __name__ == '__main__':
    run(check)
