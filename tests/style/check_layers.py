#!/usr/bin/python3
"""Every #include follows the layer table of ARCHITECTURE.md.

The table stands between `<!-- layers -->` and `<!-- /layers -->`. A row names directories below
src/, the directories they may include freely, and those they may enter only by a door: DIR/DIR.h,
DIR/DIR_client.h, DIR/DIR_ipc.h or a header that the line `doors:` below the table names.
"""
import re

from source import Finding, run

TABLE = re.compile(r'<!-- layers -->(.*?)<!-- /layers -->', re.S)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', re.M)


class Layers:
    def __init__(self, text):
        self.free, self.by_door, self.doors = {}, {}, set()
        for line in text.splitlines():
            if line.startswith('doors:'):
                self.doors.update(re.findall(r'[\w/]+\.h', line))
            cells = [re.findall(r'\w+', cell) for cell in line.strip().strip('|').split('|')]
            if not line.startswith('|') or len(cells) != 3 or cells[0] == ['directory'] \
                    or not cells[0]:
                continue
            for directory in cells[0]:
                self.free[directory] = set(cells[1]) | {directory}
                self.by_door[directory] = set(cells[2])

    def is_door(self, included):
        directory, name = included.split('/', 1)
        return included in self.doors or \
            name in (f'{directory}.h', f'{directory}_client.h', f'{directory}_ipc.h')

    def objection(self, directory, included):
        """Why src/<directory> may not include a path, or None."""
        if '/' not in included:
            return f'"{included}" is not written from src/ ("<dir>/<file>.h")'
        target = included.split('/', 1)[0]
        if directory not in self.free:
            return f'src/{directory} is missing in the layer table of ARCHITECTURE.md'
        if target in self.free[directory]:
            return None
        if target not in self.by_door[directory]:
            return f'src/{directory} must not include "{included}"'
        if not self.is_door(included):
            return f'src/{directory} may reach {target} only by its door, not by "{included}"'
        return None


def check(tree):
    if 'ARCHITECTURE.md' not in tree.paths:
        yield Finding('ARCHITECTURE.md', 1, 'is missing')
        return
    table = TABLE.search(tree.text('ARCHITECTURE.md'))
    if not table:
        yield Finding('ARCHITECTURE.md', 1, 'has no layer table')
        return

    layers = Layers(table.group(1))
    for path in tree.c_files('src'):
        parts = path.split('/')
        text = tree.text(path)
        for match in INCLUDE.finditer(text):
            objection = layers.objection(parts[1], match.group(1)) if len(parts) > 2 else None
            if objection:
                yield Finding(path, text.count('\n', 0, match.start()) + 1, objection)


if __name__ == '__main__':
    run(check)
