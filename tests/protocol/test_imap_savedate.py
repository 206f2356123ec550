"""SAVEDATE (RFC 8514)."""
import imaplib
import os
import re
import time

from test_imap import Imap
from wire import message


def saved(wire, seq):
    [line] = [x for x in wire.ok(f'FETCH {seq} (SAVEDATE)') if 'SAVEDATE' in x]
    text = re.search(r'SAVEDATE ("[^"]+"|NIL)', line)[1]
    return time.mktime(imaplib.Internaldate2tuple(f'INTERNALDATE {text}'.encode()))


def test_a_message_is_saved_when_it_comes_and_when_it_is_copied(server, user):
    """4.1: neither the date of the message nor INTERNALDATE, and COPY sets it anew."""
    with Imap(server, user) as wire:
        wire.ok('SELECT INBOX')
        assert ' SAVEDATE' in ' '.join(wire.ok('CAPABILITY'))
        begun = time.time() - 1
        wire.append(message('old'), flags='"01-Jan-2001 00:00:00 +0000" ')
        wire.ok('NOOP')
        assert begun <= saved(wire, 1) <= time.time() + 1
        time.sleep(1.1)
        wire.ok('CREATE Copies')
        wire.ok('COPY 1 Copies')
        first = saved(wire, 1)
        wire.ok('SELECT Copies')
        assert saved(wire, 1) > first


def test_search_by_the_date_of_saving(server, user):
    """4.3: as SINCE, ON and BEFORE, by days."""
    with Imap(server, user) as wire:
        wire.ok('SELECT INBOX')
        wire.append(message('old'), flags='"01-Jan-2001 00:00:00 +0000" ')
        wire.ok('NOOP')
        today = time.strftime('%d-%b-%Y', time.gmtime())
        for key, found in ((f'SAVEDON {today}', True), (f'SAVEDBEFORE {today}', False),
                           (f'SAVEDSINCE {today}', True), ('SAVEDSINCE 1-Jan-2030', False),
                           ('SAVEDATESUPPORTED', True), (f'ON {today}', False)):
            lines = wire.ok(f'SEARCH {key}')
            assert ('* SEARCH 1' in lines) == found, key
        assert wire.do('SEARCH SAVEDON')[0].startswith('BAD')


def test_mail_that_came_another_way_has_the_date_of_its_file(server, user):
    maildir = server.maildir(user)
    with Imap(server, user) as wire:
        wire.ok('SELECT INBOX')
        file = maildir / 'tmp/x'
        file.write_text('Subject: x\n\nx\n')
        os.utime(file, (1000000000, 1000000000))
        file.rename(maildir / 'new/1000000000.M1P1.x')
        wire.ok('NOOP')
        assert saved(wire, 1) == 1000000000
