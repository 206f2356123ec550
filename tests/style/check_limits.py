#!/usr/bin/python3
"""The limits on size: functions, files, parameters, nesting, columns; and no goto."""
import re

from source import Finding, functions, run, strip_comments_and_strings

FUNCTION_LINES = 100
FILE_LINES = 1000
PARAMETERS = 5
# What a library calls has the parameters that the library gives it.
CALLBACKS = {('src/dns/context.c', 'on_answer')}    # ub_event_callback_type
INDENTS = 4     # the body of a function is the first
COLUMNS = 100
SCRIPTS = ('run', 'test', 'bench/run', 'bench/imap')

HEAD = re.compile(r'(?:\}\s*)?(?:if|for|while|switch|else|do|[A-Z_]*FOREACH[A-Z_]*)\b')


def columns(line):
    """Width on the screen: tabs of 8, one column for every other character."""
    return len(line.expandtabs(8))


def deepest_statement(function):
    """(indents, line) of the most indented statement; lines that continue one do not count."""
    deepest, parens, starts, in_head, braces, table = (0, 0), 0, True, False, 0, 0
    for number, line in enumerate(function.body.split('\n')[1:], function.body_line + 1):
        code = line.strip()
        if not code:
            continue
        if starts and parens == 0 and not table:
            in_head = bool(HEAD.match(code))
            indents = len(line) - len(line.lstrip('\t'))
            if code[0] != '}' and indents > deepest[0]:
                deepest = (indents, number)
        parens += code.count('(') - code.count(')')
        if table or re.search(r'=\s*\{|\)\{|\)\s*\{\s*[.{]', code):
            table += code.count('{') - code.count('}')
        braces += code.count('{') - code.count('}')
        starts = code[-1] in ';{}:' or (in_head and parens == 0)
    return deepest


def check_function(path, function):
    if function.length > FUNCTION_LINES:
        yield Finding(path, function.line,
                      f'{function.name} has {function.length} lines, limit {FUNCTION_LINES}')
    if len(function.params) > PARAMETERS and not path.startswith('fuzz/') and \
            (path, function.name) not in CALLBACKS:
        yield Finding(path, function.line,
                      f'{function.name} has {len(function.params)} parameters, limit {PARAMETERS}')
    indents, line = deepest_statement(function)
    if indents > INDENTS:
        yield Finding(path, line, f'{function.name} is indented {indents} deep, limit {INDENTS}')


def check_c(path, text):
    found, balanced = functions(text)
    if not balanced:
        yield Finding(path, 1, 'braces do not balance: a function is split between #if branches')
    for function in found:
        yield from check_function(path, function)
    for number, line in enumerate(strip_comments_and_strings(text).split('\n'), 1):
        if re.search(r'\bgoto\b', line):
            yield Finding(path, number, 'goto')


def check_lines(path, text):
    lines = text.splitlines()
    if len(lines) > FILE_LINES:
        yield Finding(path, FILE_LINES + 1, f'{len(lines)} lines, limit {FILE_LINES}')
    for number, line in enumerate(lines, 1):
        if columns(line) > COLUMNS:
            yield Finding(path, number, f'{columns(line)} columns, limit {COLUMNS}')


def check(tree):
    for path in tree.c_files():
        yield from check_c(path, tree.text(path))
        yield from check_lines(path, tree.text(path))
    for path in tree.paths:
        if path.endswith(('.py', '.sh', 'meson.build')) or path in SCRIPTS:
            yield from check_lines(path, tree.text(path))


if __name__ == '__main__':
    run(check)
