#!/usr/bin/python3
"""A variable that is cleaned up by itself (auto_buf and its kin) has a value before the first
return: what is cleaned up otherwise is whatever stood there."""
import re

from source import Finding, line_of, run, strip_comments_and_strings

DECLARATION = re.compile(r'^\t+auto_\w+ (?:struct \w+ |\w+ )\**(\w+);', re.M)


def check_file(path, text):
    code = strip_comments_and_strings(text)
    for match in DECLARATION.finditer(code):
        name, rest = match.group(1), code[match.end():]
        made = re.search(rf'&{name}\b|(?<![\w.>]){name} = ', rest)
        left = re.search(r'\breturn\b|\n\}', rest)
        if left and (not made or left.start() < made.start()):
            yield Finding(path, line_of(code, match.start()),
                          f'{name} is cleaned up before it has a value')


def check(tree):
    for path in tree.c_files():
        yield from check_file(path, tree.text(path))


if __name__ == '__main__':
    run(check)
