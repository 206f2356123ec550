#!/usr/bin/python3
"""Count the test cases in a result file: prints `PASSED FAILED [NOTE]`.

    report.py meson build/meson-logs/unit.json     (cmocka programs under meson test)
    report.py junit results.xml                    (pytest)

    meson introspect --tests build | report.py names unit WORD
prints the programs of a suite that have WORD in their name.
"""
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def count_program(result):
    """(passed, failed) of one test program: its cmocka cases, itself where it reports none."""
    output = (result.get('stdout') or '') + (result.get('stderr') or '')
    passed = sum(int(n) for n in re.findall(r'^\[  PASSED  \] (\d+) test', output, re.M))
    failed = sum(int(n) for n in re.findall(r'^\[  FAILED  \] (\d+) test', output, re.M))
    ok = result['result'] in ('OK', 'EXPECTEDFAIL', 'SKIP')
    if ok:
        return max(passed, 1), failed
    return passed, max(failed, 1)


def count_meson(text):
    counts = [count_program(json.loads(line)) for line in text.splitlines() if line.strip()]
    return sum(c[0] for c in counts), sum(c[1] for c in counts), ''


def count_junit(text):
    suites = list(ElementTree.fromstring(text).iter('testsuite'))
    total, failed, skipped = (sum(int(s.get(key, 0)) for s in suites for key in keys)
                              for keys in (('tests',), ('failures', 'errors'), ('skipped',)))
    return total - failed - skipped, failed, f'({skipped} skipped)' if skipped else ''


def names(text, suite, word):
    return [test['name'] for test in json.loads(text)
            if word in test['name'] and suite in {s.split(':')[-1] for s in test['suite']}]


def main():
    if sys.argv[1] == 'names':
        print('\n'.join(names(sys.stdin.read(), *sys.argv[2:])))
        return
    kind, path = sys.argv[1:]
    if not Path(path).exists():
        print('0 1 no results')
        return
    text = Path(path).read_text(encoding='utf-8', errors='replace')
    print(*(count_meson if kind == 'meson' else count_junit)(text))


if __name__ == '__main__':
    main()
