"""Accounts and aliases while the server runs: a changed file counts within two seconds, and nobody
is disconnected for it."""
import re
import threading
import time

import pytest
from server import DOMAIN, PASSWORD, SLOW, wait_until
from wire import Wire, deliver, imap, message, plain, pop3

LIMIT = 2.5     # two seconds, and the time to notice that it worked


def rcpt(server, address):
    with Wire(server, 'smtp') as wire:
        wire.ehlo()
        wire.mail()
        return wire.cmd(f'RCPT TO:<{address}>').code


def can_login(server, address, password=PASSWORD):
    try:
        imap(server, address, password, select=None).logout()
        return True
    except Exception:       # imaplib has one exception for everything
        return False


def test_server_starts_without_accounts_and_takes_the_first(make_server):
    server = make_server(accounts=[])
    assert rcpt(server, f'first@{DOMAIN}') == 451
    assert 'You need at least one mail account' in server.log()
    server.add_accounts(f'first@{DOMAIN}')
    wait_until(lambda: rcpt(server, f'first@{DOMAIN}') == 250, LIMIT)
    assert rcpt(server, f'second@{DOMAIN}') == 550


def test_no_mail_is_refused_while_the_accounts_cannot_be_read(make_server):
    server = make_server(start=False, accounts=[])
    path = server.config / 'postfix-accounts.cf'
    path.mkdir()        # not even root can read it
    server.write('postfix-virtual.cf', f'info@{DOMAIN} user0@{DOMAIN}\n')
    server.start()
    assert rcpt(server, f'user0@{DOMAIN}') == 451
    assert rcpt(server, f'info@{DOMAIN}') == 451
    with Wire(server, 'imaps', tls=True) as wire:
        wire.line()
        wire.send(f'a LOGIN user0@{DOMAIN} "{PASSWORD}"\r\n')
        assert '[UNAVAILABLE]' in wire.line()
    path.rmdir()
    server.add_accounts(f'user0@{DOMAIN}')
    wait_until(lambda: rcpt(server, f'info@{DOMAIN}') == 250, LIMIT)
    assert can_login(server, f'user0@{DOMAIN}')


def test_failed_logins_are_logged_with_address_and_session(make_server):
    server = make_server()
    assert not can_login(server, f'user0@{DOMAIN}', 'wrong')
    line = next(x for x in server.log().splitlines() if 'Password mismatch' in x)
    assert re.search(rf'passwd-file\(user0@{DOMAIN},127\.0\.0\.1,<[0-9a-f]{{16}}>\)', line)


def test_setup_adds_an_account_to_the_running_server(make_server):
    server = make_server()
    result = server.setup('email', 'add', f'new@{DOMAIN}', 'pass word`\\*')
    assert result.returncode == 0, result.stderr
    wait_until(lambda: rcpt(server, f'new@{DOMAIN}') == 250, LIMIT)
    assert can_login(server, f'new@{DOMAIN}', 'pass word`\\*')
    deliver(server, f'new@{DOMAIN}', message('hello'))
    server.wait_stored(f'new@{DOMAIN}')


def test_removed_account_is_unknown_and_open_sessions_stay(make_server):
    server = make_server()
    session = imap(server, f'user0@{DOMAIN}')
    server.write('postfix-accounts.cf', f'user1@{DOMAIN}|{{PLAIN}}{PASSWORD}\n')
    wait_until(lambda: rcpt(server, f'user0@{DOMAIN}') == 550, LIMIT)
    assert session.noop()[0] == 'OK'
    assert rcpt(server, f'user1@{DOMAIN}') == 250
    session.logout()


def test_changed_password_counts(make_server):
    server = make_server()
    address = f'user0@{DOMAIN}'
    assert can_login(server, address)
    server.write('postfix-accounts.cf', f'{address}|{{PLAIN}}another\n')
    wait_until(lambda: can_login(server, address, 'another'), LIMIT + 2)
    assert not can_login(server, address)


def test_broken_line_is_reported_and_the_rest_stays(make_server):
    server = make_server()
    good = server.read('postfix-accounts.cf')
    server.write('postfix-accounts.cf', 'this is no account\n' + good)
    wait_until(lambda: 'postfix-accounts.cf' in server.log() + server.output(), LIMIT + 3,
               what='a report with the name of the file')
    assert rcpt(server, f'user0@{DOMAIN}') == 250
    server.write('postfix-accounts.cf', good + f'late@{DOMAIN}|{{PLAIN}}x\n')
    wait_until(lambda: rcpt(server, f'late@{DOMAIN}') == 250, LIMIT)


def test_broken_account_stays_as_it_was(make_server):
    server = make_server()
    good = server.read('postfix-accounts.cf')
    server.write('postfix-accounts.cf', good.replace(f'user0@{DOMAIN}|', f'user0@{DOMAIN} '))
    wait_until(lambda: 'postfix-accounts.cf: line 1' in server.log(), LIMIT,
               what='a report with file and line')
    assert rcpt(server, f'user0@{DOMAIN}') == 250
    assert can_login(server, f'user0@{DOMAIN}')


def test_removed_file_changes_nothing(make_server):
    server = make_server()
    (server.config / 'postfix-accounts.cf').unlink()
    wait_until(lambda: 'the file is gone' in server.log(), LIMIT)
    assert rcpt(server, f'user0@{DOMAIN}') == 250


def test_removed_aliases_are_gone(make_server):
    server = make_server(start=False)
    server.write('postfix-virtual.cf', f'info@{DOMAIN} user0@{DOMAIN}\n')
    server.start()
    assert rcpt(server, f'info@{DOMAIN}') == 250
    (server.config / 'postfix-virtual.cf').unlink()
    wait_until(lambda: rcpt(server, f'info@{DOMAIN}') == 550, LIMIT)


def test_a_file_being_written_in_place_is_not_read_half(make_server):
    """Editors, and files that are mounted one by one, are emptied before they are written."""
    server = make_server()
    path = server.config / 'postfix-accounts.cf'
    lines = path.read_text().splitlines(keepends=True)
    codes, written = [], threading.Event()

    def ask():
        while not written.is_set():
            codes.append(rcpt(server, f'user0@{DOMAIN}'))

    asking = threading.Thread(target=ask)
    asking.start()
    for _ in range(10):
        # Emptied for longer than the server needs to look, never at rest.
        with open(path, 'w') as f:
            for line in [f'new@{DOMAIN}|{{PLAIN}}x\n', *lines, *['# more\n'] * 20]:
                f.write(line)
                f.flush()
                time.sleep(0.01)
        time.sleep(0.4)
    written.set()
    asking.join()
    assert set(codes) == {250}
    wait_until(lambda: rcpt(server, f'new@{DOMAIN}') == 250, LIMIT)


def test_a_change_during_the_start_is_not_missed(make_server):
    server = make_server(start=False)
    server.start(wait=False)
    wait_until(lambda: '2 accounts, ' in server.log(), every=0.001)
    server.add_accounts(f'late@{DOMAIN}')
    server.wait_ready()
    wait_until(lambda: rcpt(server, f'late@{DOMAIN}') == 250, LIMIT)


def test_aliases_lead_to_accounts(make_server):
    server = make_server(start=False)
    server.write('postfix-virtual.cf',
                 '# comment\n'
                 f'info@{DOMAIN} user0@{DOMAIN}\n'
                 f'team@{DOMAIN} user0@{DOMAIN},user1@{DOMAIN}\n'
                 f'chain@{DOMAIN} team@{DOMAIN}\n'
                 '@other.test user1@example.test\n')
    server.write('postfix-regexp.cf', f'/^sales-[a-z]+@example\\.test$/ user0@{DOMAIN}\n')
    server.start()
    for alias in (f'info@{DOMAIN}', f'team@{DOMAIN}', f'chain@{DOMAIN}', 'anything@other.test',
                  f'sales-eu@{DOMAIN}', f'info+tag@{DOMAIN}'):
        deliver(server, alias, message(alias))
    server.wait_stored(f'user0@{DOMAIN}', 5)
    server.wait_stored(f'user1@{DOMAIN}', 3)
    assert rcpt(server, f'sales-1@{DOMAIN}') == 550
    assert rcpt(server, 'a@third.test') == 554


def test_new_alias_counts_without_a_restart(make_server):
    server = make_server()
    alias = f'later@{DOMAIN}'
    assert rcpt(server, alias) == 550
    server.write('postfix-virtual.cf', f'{alias} user0@{DOMAIN}\n')
    wait_until(lambda: rcpt(server, alias) == 250, LIMIT)


def test_alias_loops_are_no_harm(make_server):
    server = make_server(start=False)
    server.write('postfix-virtual.cf', f'a@{DOMAIN} b@{DOMAIN}\nb@{DOMAIN} a@{DOMAIN}\n')
    server.start()
    assert 400 <= rcpt(server, f'a@{DOMAIN}') < 600
    assert rcpt(server, f'user0@{DOMAIN}') == 250


SCHEMES = {
    'SHA512-CRYPT': '$6$rounds=1000$saltsalt$',
    'SHA256-CRYPT': '$5$rounds=1000$saltsalt$',
    'MD5-CRYPT': '$1$saltsalt$',
}


@pytest.mark.parametrize('scheme', SCHEMES)
def test_hashed_passwords_are_verified(make_server, scheme):
    import subprocess
    option = {'SHA512-CRYPT': '-6', 'SHA256-CRYPT': '-5', 'MD5-CRYPT': '-1'}[scheme]
    hashed = subprocess.run(['openssl', 'passwd', option, '-salt', 'saltsalt', PASSWORD], text=True,
                            capture_output=True, check=True).stdout.strip()
    server = make_server(start=False, accounts=[])
    server.add_accounts(f'hashed@{DOMAIN}', password=hashed, scheme=scheme)
    server.start()
    assert can_login(server, f'hashed@{DOMAIN}')
    assert not can_login(server, f'hashed@{DOMAIN}', PASSWORD + 'x')


def test_an_account_has_only_so_many_sessions(make_server):
    server = make_server(env={'POSTHORN_CONNECTIONS_PER_USER': '2'})
    first = imap(server, f'user0@{DOMAIN}')
    second = pop3(server, f'user0@{DOMAIN}')
    assert not can_login(server, f'user0@{DOMAIN}')
    wait_until(lambda: f'user0@{DOMAIN} has 2 sessions already' in server.log())
    assert can_login(server, f'user1@{DOMAIN}')
    second.quit()
    wait_until(lambda: can_login(server, f'user0@{DOMAIN}'), 2)
    first.logout()


def timed_failure(server, address):
    before = time.monotonic()
    assert not can_login(server, address, 'wrong')
    return time.monotonic() - before


def test_failed_logins_are_slowed_down(make_server):
    server = make_server(env={'POSTHORN_AUTH_DELAY': '600ms'})
    for address in (f'user0@{DOMAIN}', f'nobody@{DOMAIN}'):
        assert 0.6 <= timed_failure(server, address) < 0.6 + 1.2 * SLOW


def test_guessing_a_password_becomes_slower_but_known_logins_do_not(make_server):
    server = make_server(env={'POSTHORN_AUTH_DELAY': '0'})
    address = f'user0@{DOMAIN}'
    assert can_login(server, address)
    times = [timed_failure(server, address) for _ in range(11)]
    assert max(times[:10]) < 1.5 * SLOW and times[10] >= 2
    before = time.monotonic()
    assert can_login(server, address)
    assert time.monotonic() - before < 1.5 * SLOW


@pytest.mark.parametrize('service, command', [
    ('imaps', 'a LOGIN user0 wrong'),
    ('pop3s', 'AUTH PLAIN ' + plain('user0', 'wrong')),
    ('submissions', 'AUTH PLAIN ' + plain('user0', 'wrong'))])
def test_a_connection_ends_after_too_many_failed_logins(make_server, service, command):
    server = make_server(env={'POSTHORN_AUTH_DELAY': '0', 'POSTHORN_AUTH_FAILURES_MAX': '2'})
    with Wire(server, service, tls=True) as wire:
        if service == 'submissions':
            wire.ehlo()
        else:
            wire.line()
        wire.send(command + '\r\n')
        assert wire.line().split()[0] in ('a', '-ERR', '535')
        wire.send(command + '\r\n')
        assert len(wire.file.read().splitlines()) <= 2      # the answer, and a farewell
