#!/usr/bin/python3
"""Every metric of the table is counted somewhere: a number that never moves misleads."""
import re

from source import Finding, run

TABLE = 'src/core/metrics.def'
ENTRY = re.compile(r'^(?:COUNTER|GAUGE|HISTOGRAM)\((\w+), "')


def check(tree):
    if TABLE not in tree.paths:
        return
    used = set()
    for path in tree.paths:
        if path.startswith('src/') and path.endswith('.c') and path != 'src/core/metrics.c':
            used |= set(re.findall(r'\bMETRIC_(\w+)', tree.text(path)))
    for number, line in enumerate(tree.text(TABLE).split('\n'), 1):
        entry = ENTRY.match(line)
        if entry and entry[1] not in used:
            yield Finding(TABLE, number, f'{entry[1]} is counted nowhere')


if __name__ == '__main__':
    run(check)
