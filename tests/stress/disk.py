"""The Maildir as another program sees it, which reads and changes it without asking."""
import re
import time

from model import FLAGS, KEYWORDS, LETTERS, YES, content


class Disk:
    def __init__(self, root):
        self.root, self.count = root, 0

    def path(self, box):
        return self.root / box.folder

    def keywords(self, box):
        """{letter: keyword}"""
        try:
            lines = (self.path(box) / 'dovecot-keywords').read_text().splitlines()
        except FileNotFoundError:
            return {}
        return {chr(ord('a') + int(n)): word for n, word in (line.split(' ', 1) for line in lines)}

    def uids(self, box):
        """{name before the first comma or colon: UID}"""
        try:
            text = (self.path(box) / 'dovecot-uidlist').read_text()
        except FileNotFoundError:
            return {}
        return {re.split('[,:]', name)[0]: int(uid)
                for uid, name in re.findall(r'^(\d+) [^:\n]*:(.*)$', text, re.M)}

    def files(self, box):
        """[(path, UID or None, letters)]"""
        uids, found = self.uids(box), []
        for part in ('new', 'cur'):
            for path in (self.path(box) / part).iterdir():
                base, _, letters = path.name.partition(':2,')
                found.append((path, uids.get(re.split('[,:]', base)[0]), letters))
        return found

    def flags(self, box):
        """{UID: flags}; None when there is a file without a UID, or two with one."""
        words, found = {**LETTERS, **self.keywords(box)}, {}
        for _, uid, letters in self.files(box):
            if uid is None or uid in found:
                return None
            found[uid] = frozenset(words[x] for x in letters if x in words) & set(FLAGS)
        return found

    def add(self, box, identity, rng):
        """A message as another program delivers it. Returns its flags."""
        self.count += 1
        name = f'{int(time.time())}.M{self.count}P1.elsewhere'
        letters = rng.choice((None, None, '', 'S', 'FS', 'T'))
        target = f'new/{name}' if letters is None else f'cur/{name}:2,{letters}'
        draft = self.path(box) / 'tmp' / name
        draft.write_bytes(content(identity).replace(b'\r\n', b'\n'))
        draft.rename(self.path(box) / target)
        return {LETTERS[x]: YES for x in letters or ''}

    def flip(self, box, rng, known):
        """Change a flag in the name of a file with one of these UIDs. Returns (UID, flag, its
        value), or None."""
        files = [f for f in self.files(box) if f[1] in known]
        if not files:
            return None
        path, uid, letters = rng.choice(files)
        words = {**LETTERS, **{x: w for x, w in self.keywords(box).items() if w in KEYWORDS}}
        letter = rng.choice(sorted(words))
        value = letter not in letters
        letters = ''.join(sorted({*letters, letter} if value else {*letters} - {letter}))
        base = path.name.partition(':2,')[0]
        try:
            path.rename(self.path(box) / 'cur' / f'{base}:2,{letters}')
        except FileNotFoundError:
            return None
        return uid, words[letter], value

    def remove(self, box, rng, known):
        """Remove a file with one of these UIDs. Returns the UID, or None."""
        files = [f for f in self.files(box) if f[1] in known]
        if not files:
            return None
        path, uid, _ = rng.choice(files)
        try:
            path.unlink()
        except FileNotFoundError:
            return None
        return uid
