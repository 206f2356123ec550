"""DMARC beside OpenDMARC: it gets our DKIM results and decides anew. In its test mode there is no
envelope, so SPF counts for nothing; tests/unit/filter/test_dmarc.c has its alignment.

It asks the DNS of the system, at port 53. So it runs in a network of its own, where that is ours.
"""
import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import dkim
import pytest

HERE = Path(__file__).resolve()
NAMES = ['org.example', 'sub.org.example', 'deep.sub.org.example', 'other.example',
         'a.other.example', 'quiet.example', 'odd.example']
CASES = 60


def records(chance):
    """A policy or none, and sometimes one that is no policy."""
    if chance.random() < 0.2:
        return []
    text = 'v=DMARC1; p=' + chance.choice(['none', 'quarantine', 'reject'])
    if chance.random() < 0.4:
        text += '; sp=' + chance.choice(['none', 'quarantine', 'reject'])
    for tag in ('adkim', 'aspf'):
        if chance.random() < 0.5:
            text += f'; {tag}=' + chance.choice('rs')
    return [f'_dmarc TXT "{text}"']


def beside():
    """In the network of its own: what OpenDMARC says of each message on standard input."""
    from dns_server import DnsServer
    job = json.load(sys.stdin)
    directory = Path(job['directory'])
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    resolv, conf, mail = (directory / n for n in ('resolv.conf', 'opendmarc.conf', 'mail'))
    resolv.write_text('nameserver 127.0.0.1\n')
    subprocess.run(['mount', '--bind', resolv, os.path.realpath('/etc/resolv.conf')], check=True)
    conf.write_text(f'AuthservID {job["host"]}\nTrustedAuthservIDs {job["host"]}\n'
                    'PublicSuffixList /usr/share/publicsuffix/public_suffix_list.dat\n')
    said = []
    with DnsServer(job['zones'], port=53):
        for text in job['messages']:
            mail.write_text(text)
            done = subprocess.run(['opendmarc', '-c', conf, '-vvv', '-t', mail], text=True,
                                  capture_output=True, timeout=60, check=True)
            said.append(done.stdout)
    json.dump(said, sys.stdout)


def decide(directory, zones, host, messages):
    job = {'directory': str(directory), 'zones': zones, 'host': host, 'messages': messages}
    done = subprocess.run(['unshare', '-rnm', sys.executable, HERE], input=json.dumps(job),
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


if __name__ == '__main__':
    sys.path.insert(0, str(HERE.parent))
    beside()
    sys.exit()

from dns_server import DnsServer  # noqa: E402
from server import DOMAIN, HOSTNAME, Server  # noqa: E402
from test_filter import make_rsa  # noqa: E402
from test_filter_incoming import BAD, environment, results, send  # noqa: E402
from wire import fetch_all  # noqa: E402

KEY = make_rsa()


def zones_of(chance):
    key = ' '.join(f'"{KEY[1][i:i + 200]}"' for i in range(0, len(KEY[1]), 200))
    return {name: ['@ TXT "v=spf1 -all"', '@ A 192.0.2.1', f'mail._domainkey TXT {key}',
                   *records(chance)] for name in NAMES}


def message(author, signer):
    text = (f'From: A <a@{author}>\r\nTo: b@{DOMAIN}\r\nSubject: x\r\n\r\n'
            'How are you?\r\n').encode()
    if not signer:
        return text
    return dkim.sign(text, b'mail', signer.encode(), KEY[0].encode(),
                     canonicalize=(b'relaxed', b'relaxed')) + text


def verdict(text):
    """(result, policy)"""
    found = re.search(r'dmarc=(\w+)(?: \(p=(\w+))?', text)
    return found.group(1), found.group(2) if found.group(1) != 'none' else 'none'


def policy(zones, name):
    return next((line for line in zones[name] if line.startswith('_dmarc')), '')


def is_known_difference(zones, author, signer):
    """They do not walk up the tree: between the author's domain and the registered one they ask
    nobody (RFC 7489 3.2), we ask all (its successor). And they take adkim=s for adkim=r."""
    registered = '.'.join(author.split('.')[-2:])
    between = [n for n in NAMES if author.endswith('.' + n) and n != registered]
    return any(policy(zones, n) for n in between) or not policy(zones, registered) or \
        ('adkim=s' in policy(zones, author) and signer != author)


def compare(tmp_path, zones, cases):
    """(author, signer, our verdict, what they say) of each case."""
    users = [f'user{n}@{DOMAIN}' for n in range(len(cases))]
    ours, messages = [], []
    with DnsServer(zones) as names, \
            Server(accounts=users, env=environment(names, ENABLE_OPENDMARC='0',
                                                   ENABLE_POLICYD_SPF='0')) as server:
        for user, (author, signer) in zip(users, cases):
            send(server, message(author, signer), client=BAD, sender='a@quiet.example', to=user)
            server.wait_stored(user)
            found = results(fetch_all(server, user)[0])
            ours.append((author, signer, verdict(found)))
            known = found.split('; dmarc=')[0]
            messages.append(f'Authentication-Results: {known}\nFrom: a@{author}\n\nx\n')
    return [(*mine, said) for mine, said in zip(ours, decide(tmp_path, zones, HOSTNAME, messages))]


@pytest.mark.parametrize('seed', range(3))
def test_opendmarc_decides_as_we_do(tmp_path, seed):
    chance = random.Random(7489 + seed)
    zones = zones_of(chance)
    cases = []
    for _ in range(CASES):
        author = chance.choice(NAMES)
        cases.append((author, chance.choice([None, author, *NAMES])))
    found = compare(tmp_path, zones, cases)
    for author, signer, mine, said in found:
        if mine != verdict(said):
            assert is_known_difference(zones, author, signer), (author, signer, zones, mine, said)
    assert {mine[0] for _, _, mine, _ in found} >= {'pass', 'fail'}


def test_owners_are_those_of_the_list_where_the_dns_says_nothing(tmp_path):
    zones = zones_of(random.Random(1))
    for name in NAMES:
        zones[name] = [line for line in zones[name] if not line.startswith('_dmarc')]
    zones['sub.org.example'].append('_dmarc TXT "v=DMARC1; p=reject"')
    cases = {'org.example': 'pass', 'deep.sub.org.example': 'pass', 'other.example': 'fail',
             'sub.org.example': 'pass'}
    found = compare(tmp_path, zones, [('sub.org.example', signer) for signer in cases])
    assert [mine for _, _, mine, _ in found] == [verdict(said) for *_, said in found] == \
        [(result, 'reject') for result in cases.values()]
