"""A DNS that answers badly: what can be found out is, what cannot is said to be so, in time, and
nobody is refused for it."""
import re
from concurrent.futures import ThreadPoolExecutor

import dkim
import pytest

from dns_server import DnsServer
from server import DOMAIN, Server
from test_filter import make_rsa
from test_filter_incoming import GOOD, environment, results, send
from wire import fetch_all

KEY = make_rsa()
# Which question is answered badly: name below the domain.
WHERE = {'spf': '', 'dkim': 'mail._domainkey.', 'dmarc': '_dmarc.'}
USERS = {what: f'{what}@{DOMAIN}' for what in WHERE}


def zone(*more):
    key = ' '.join(f'"{KEY[1][i:i + 200]}"' for i in range(0, len(KEY[1]), 200))
    return [f'@ TXT "v=spf1 ip4:{GOOD} -all"', f'mail._domainkey TXT {key}',
            '_dmarc TXT "v=DMARC1; p=reject"', '@ A 192.0.2.9', *more]


def message(domain):
    text = f'From: A <a@{domain}>\r\nTo: b@{DOMAIN}\r\nSubject: x\r\n\r\nHow?\r\n'.encode()
    return dkim.sign(text, b'mail', domain.encode(), KEY[0].encode()) + text


def found(server, domain, user, client=GOOD):
    """{method: result} of a message that was sent, and taken."""
    assert '250 2.0.0' in str(send(server, message(domain), client=client, sender=f'a@{domain}',
                                   to=user))
    server.wait_stored(user)
    text = results(fetch_all(server, user)[0])
    return dict(re.findall(r'\b(spf|dkim|dmarc)=(\w+)', text))


def all_found(zones, spoil):
    """For each of WHERE: what is found when its question is spoilt."""
    with DnsServer(zones) as names:
        spoil(names)
        with Server(accounts=USERS.values(),
                    env=environment(names, POSTHORN_FILTER_TIMEOUT='2s')) as server, \
                ThreadPoolExecutor(len(WHERE)) as pool:
            jobs = {what: pool.submit(found, server, f'{what}.example', USERS[what])
                    for what in WHERE}
            return {what: job.result() for what, job in jobs.items()}


def spoilt_by(mode, argument=0, which=WHERE):
    def spoil(names):
        for what in which:
            names.misbehave(f'{WHERE[what]}{what}.example', mode, argument)
    return all_found({f'{what}.example': zone() for what in WHERE}, spoil)


FINE = {'spf': 'pass', 'dkim': 'pass', 'dmarc': 'pass'}


@pytest.mark.parametrize('mode, argument', [('slow', 0.3), ('truncate', 0)])
def test_what_comes_late_or_over_tcp_counts(mode, argument):
    assert spoilt_by(mode, argument) == {what: FINE for what in WHERE}


@pytest.mark.parametrize('mode', ['servfail', 'refused', 'drop', 'wrong-id',
                                  'wrong-name', 'garbage'])
def test_what_is_not_known_is_a_temporary_error(mode):
    """And DMARC passes by what is left of SPF and DKIM."""
    assert spoilt_by(mode) == {what: {**FINE, what: 'temperror'} for what in WHERE}


def test_nothing_is_not_an_error():
    """An answer without records: there is no policy, and no key. (From a domain of which nothing
    is known no mail is taken.)"""
    assert spoilt_by('lame', which=('dkim', 'dmarc')) == {
        'spf': FINE, 'dkim': {**FINE, 'dkim': 'permerror'}, 'dmarc': {**FINE, 'dmarc': 'none'}}


def test_loops_end():
    """Of aliases, of SPF's includes and redirects."""
    zones = {'spf.example': ['@ TXT "v=spf1 include:spf.example -all"', *zone()[1:]],
             'dkim.example': [line for line in zone() if 'domainkey' not in line] +
                             ['mail._domainkey CNAME one.dkim.example.',
                              'one CNAME two.dkim.example.', 'two CNAME one.dkim.example.'],
             'dmarc.example': [line for line in zone() if '_dmarc' not in line] +
                              ['_dmarc CNAME _dmarc.dmarc.example.']}
    seen = all_found(zones, lambda names: None)
    assert seen['spf'] == {**FINE, 'spf': 'permerror'}
    assert seen['dkim']['dkim'] in ('temperror', 'permerror') and seen['dkim']['dmarc'] == 'pass'
    assert seen['dmarc']['dmarc'] in ('temperror', 'none')


def test_records_of_a_monstrous_size_are_no_answer():
    """A name with 60 kB of text, and a record of two thousand strings."""
    big = '@ TXT ' + ' '.join(['"' + 'x' * 200 + '"'] * 280)
    zones = {'spf.example': [big, *zone()],
             'dkim.example': [line for line in zone() if 'domainkey' not in line] +
                             ['mail._domainkey TXT ' + ' '.join(['"k"'] * 2000)],
             'dmarc.example': zone('_dmarc TXT ' + ' '.join(['"y"'] * 2000))}
    seen = all_found(zones, lambda names: None)
    assert seen['spf']['spf'] in ('pass', 'permerror', 'temperror')
    assert seen['dkim'] == {**FINE, 'dkim': 'permerror'}
    assert seen['dmarc'] == FINE
