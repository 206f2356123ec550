#!/usr/bin/python3
"""docs/settings.md says what the settings table says: the generator compares them."""
import subprocess
import sys

from source import Finding, run

GENERATOR = 'tools/gen_settings_doc.py'


def check(tree):
    if GENERATOR not in tree.paths:
        print(f'skipped: {GENERATOR} is not there', file=sys.stderr)
        return
    result = subprocess.run([sys.executable, GENERATOR, '--check'], cwd=tree.root, text=True,
                            capture_output=True, check=False)
    if result.returncode:
        told = (result.stdout + result.stderr).strip().split('\n')[-1]
        yield Finding('docs/settings.md', 1, told or f'run {GENERATOR}')


if __name__ == '__main__':
    run(check)
