"""The mail that all systems are measured with: the same bytes whenever and wherever it is made.

It is made once, and every system gets links to the same files under names of its own.
"""
import os
import random
from pathlib import Path

CONSONANTS, VOWELS = 'bcdfghklmnprstvz', 'aeiou'
WORDS = [f'{CONSONANTS[n % 16]}{VOWELS[n // 16 % 5]}{n * 7919 % 46656:x}' for n in range(5000)]
PEOPLE = [f'{WORDS[n]}.{WORDS[n + 700]}' for n in range(400)]
PER_DIRECTORY = 1000
LINKS = 50000       # of one file: ext4 allows 65,000
BEGIN = 1600000000


def text(rng, size):
    """Lines of words, few of them frequent."""
    lines, n = [], 0
    while n < size:
        line = ' '.join(WORDS[min(4999, int(rng.paretovariate(0.6)) * 3 + rng.randrange(3))]
                        for _ in range(12))
        lines.append(line)
        n += len(line) + 1
    return '\n'.join(lines) + '\n'


def message(number):
    """Three of four are plain text, the others have HTML beside it; one of 100 is a reply in a
    thread of ten, one of 1,000 has the rare word."""
    rng = random.Random(number)
    thread = number // 10
    subject = f'{WORDS[thread % 5000]} {WORDS[thread * 31 % 5000]} {thread}'
    head = [f'Return-Path: <{rng.choice(PEOPLE)}@example.org>',
            f'Received: from mail.example.org by mx.example.test with ESMTP id {number:x}',
            f'From: "{rng.choice(PEOPLE)}" <{rng.choice(PEOPLE)}@example.org>',
            'To: user@example.test',
            f'Subject: {"Re: " if number % 10 else ""}{subject}',
            f'Date: {date(BEGIN + number * 60)}', f'Message-ID: <{number}@example.org>']
    if number % 10:
        head.append(f'In-Reply-To: <{thread * 10}@example.org>')
        head.append(f'References: <{thread * 10}@example.org>')
    body = text(rng, rng.choice((1500, 3000, 4500, 7000)))
    if number % 1000 == 500:
        body += 'the quagmirelike word\n'
    if number % 4 == 3:
        head.append('MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary="=-b"')
        body = ('--=-b\nContent-Type: text/plain; charset=utf-8\n\n' + body +
                '\n--=-b\nContent-Type: text/html; charset=utf-8\n\n<html><body><p>' +
                body[:1500] + '</p></body></html>\n--=-b--\n')
    return ('\n'.join(head) + '\n\n' + body).encode()


def date(when):
    import email.utils
    return email.utils.formatdate(when)


def make(directory, count):
    """The messages with their sizes, in order: [(path, size, size with CRLF)]."""
    root = Path(directory, f'bench-imap-mail-{count}')
    found = []
    for number in range(count):
        path = root / str(number // PER_DIRECTORY) / str(number)
        if number % PER_DIRECTORY == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(message(number))
        data = path.read_bytes()
        found.append((path, len(data), len(data) + data.count(b'\n')))
    return found


def make_maildir(path):
    for part in ('cur', 'new', 'tmp'):
        (path / part).mkdir(parents=True, exist_ok=True)


def give(mail, maildir, owner, first=0):
    """Link the messages into cur/ of a Maildir, half of them seen."""
    make_maildir(maildir)
    for number, (path, size, wire) in enumerate(mail, first):
        name = f'{BEGIN + number * 60}.M{number}P1.bench,S={size},W={wire}'
        os.link(path, maildir / 'cur' / f'{name}:2,{"S" if number % 2 else ""}')
    os.utime(maildir / 'cur')
    give_to(maildir, owner)


def give_many(path, maildir, owner, count):
    """A mailbox of so many links to copies of one small message."""
    make_maildir(maildir)
    data = b'From: a@example.org\nSubject: one of many\nDate: Mon, 1 Jan 2024 00:00:00 +0000\n\nx\n'
    size, wire = len(data), len(data) + data.count(b'\n')
    source = None
    for number in range(count):
        if number % LINKS == 0:
            source = path / f'many-{count}-{number // LINKS}'
            source.write_bytes(data)
            os.chown(source, owner, owner)
        name = f'{BEGIN + number}.M{number}P1.bench,S={size},W={wire}:2,S'
        os.link(source, maildir / 'cur' / name)
    give_to(maildir, owner)


def give_to(maildir, owner):
    for path in (maildir, *(maildir / p for p in ('cur', 'new', 'tmp'))):
        os.chown(path, owner, owner)
