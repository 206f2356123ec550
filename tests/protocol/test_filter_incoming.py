"""Mail of strangers is checked: SPF, DKIM, DMARC, with a DNS that the test brings."""
import base64
import itertools

import dkim
import pytest
from dns_server import DnsServer

from server import DOMAIN, HOSTNAME, Server
from test_filter import make_ed25519, make_rsa
from test_proxy import TRUSTED, v1
from wire import Wire, fetch_all

GOOD, BAD = '192.0.2.7', '198.51.100.66'
RSA, ED = make_rsa(), make_ed25519()
ZONES = {'sender.example': [
    '@ TXT "v=spf1 ip4:192.0.2.7 exp=why.%{d} -all"', 'why TXT "%{i} is not ours"',
    '_dmarc TXT "v=DMARC1; p=reject; sp=quarantine"',
    'mail._domainkey TXT ' + ' '.join(f'"{RSA[1][i:i + 200]}"' for i in range(0, 600, 200)
                                      if RSA[1][i:i + 200]),
    f'ed._domainkey TXT "{ED[1]}"'],
    'plain.example': ['@ A 192.0.2.9'],
    'list.example': ['mail._domainkey TXT ' + ' '.join(
        f'"{RSA[1][i:i + 200]}"' for i in range(0, 600, 200) if RSA[1][i:i + 200])],
    'slow.example': ['@ TXT "v=spf1 -all"', '_dmarc TXT "v=DMARC1; p=reject"']}
USERS = [f'user{n}@{DOMAIN}' for n in range(30)]
numbers = itertools.count()


@pytest.fixture(scope='module')
def names():
    with DnsServer(ZONES) as server:
        yield server


def environment(names, **more):
    return {**TRUSTED, 'POSTHORN_DNS': names.address, 'POSTHORN_DNS_DNSSEC': 'off',
            'POSTHORN_FILTER_TIMEOUT': '5s', **more}


@pytest.fixture(scope='module')
def checking(names):
    """DMARC refuses, SPF does not."""
    with Server(accounts=USERS, env=environment(names, ENABLE_POLICYD_SPF='0')) as server:
        yield server


def send(server, text, client=GOOD, sender='a@sender.example', to=None):
    with Wire(server, 'smtp', proxy=v1(client)) as wire:
        wire.ehlo()
        wire.mail(sender, to or USERS[0])
        wire.expect('DATA', 354)
        wire.send(text)
        return wire.cmd('.')


def stored(server, text, **options):
    """The message as it was delivered."""
    user = USERS[next(numbers)]
    reply = send(server, text, to=user, **options)
    assert '250 2.0.0' in str(reply)
    server.wait_stored(user)
    return fetch_all(server, user)[0]


def results(message):
    return message.replace(b'\r\n\t', b' ').split(b'Authentication-Results: ', 1)[1] \
        .split(b'\r\n', 1)[0].decode()


MESSAGE = (b'From: A <a@sender.example>\r\nTo: b@example.test\r\nSubject: hello\r\n\r\n'
           b'How are you?\r\n')


def sign(message, selector='mail', domain='sender.example'):
    kind, key = (b'rsa-sha256', RSA[0]) if selector == 'mail' else (b'ed25519-sha256', ED[0])
    return dkim.sign(message, selector.encode(), domain.encode(), key.encode(),
                     signature_algorithm=kind,
                     canonicalize=(b'relaxed', b'relaxed')) + message


def test_what_spf_permits_passes(checking):
    message = stored(checking, MESSAGE)
    assert results(message) == (
        f'{HOSTNAME}; dkim=none; spf=pass smtp.mailfrom=sender.example; '
        'dmarc=pass (p=reject dis=none) header.from=sender.example')
    assert b'\r\nReceived-SPF: pass (' in message
    assert 'sender.example pass (p=reject), dkim=none, spf=pass' in checking.log()


@pytest.mark.parametrize('selector', ['mail', 'ed'])
def test_what_its_domain_has_signed_passes_on_any_way(checking, selector):
    message = stored(checking, sign(MESSAGE, selector), client=BAD, sender='list@plain.example')
    found = results(message)
    assert f'dkim=pass ({256 if selector == "ed" else 2048}-bit key) header.d=sender.example ' \
        f'header.s={selector} header.a=' in found
    assert 'spf=none smtp.mailfrom=plain.example; dmarc=pass (p=reject dis=none)' in found


def test_forged_mail_is_refused(checking):
    for text, options in ((MESSAGE, {'client': BAD}),
                          (MESSAGE, {'client': BAD, 'sender': 'x@plain.example'}),
                          (sign(MESSAGE).replace(b'hello', b'Hello'), {'client': BAD}),
                          (sign(MESSAGE) + b'more\r\n', {'client': BAD})):
        assert '550 5.7.1 rejected by DMARC policy for sender.example' in \
            str(send(checking, text, **options))
    assert 'reject: ' in checking.log()


@pytest.mark.parametrize('author', [
    b'From: a@plain.example\r\nFrom: A <a@sender.example>',
    b'From: a@plain.example, a@sender.example',
    b'From: A <a@sender.example>\r\nFrom: a@plain.example',
    b'From: "x" <x@plain.example>,\r\n (c) "A\r\n B" <a@Sender.Example>',
    b'From: Team: a@plain.example, a@sender.example;'])
def test_one_author_of_several_is_enough_to_refuse(checking, author):
    text = MESSAGE.replace(b'From: A <a@sender.example>', author)
    assert '550 5.7.1 rejected by DMARC policy for sender.example' in \
        str(send(checking, text, client=BAD, sender='a@plain.example'))


def test_a_weaker_policy_only_says_so(checking):
    text = MESSAGE.replace(b'@sender', b'@sub.sender')
    assert 'dmarc=fail (p=quarantine dis=quarantine) header.from=sub.sender.example' in \
        results(stored(checking, text, client=BAD))


def test_mail_without_author_or_policy_is_accepted(checking):
    assert 'dmarc' not in results(stored(checking, b'Subject: x\r\n\r\n', client=BAD))
    assert 'dmarc=none header.from=plain.example' in results(
        stored(checking, MESSAGE.replace(b'sender', b'plain'), sender='a@plain.example'))


def test_results_that_others_wrote_in_our_name_are_removed(checking):
    forged = [f'Authentication-Results: {HOSTNAME}; dmarc=pass',
              f'authentication-results:\r\n (x) "{HOSTNAME.upper()}" 1; dkim=pass',
              f'Authentication-Results: {HOSTNAME}(x); spf=pass']
    kept = f'Authentication-Results: other.{HOSTNAME}; dkim=fail'
    message = stored(checking, '\r\n'.join([*forged, kept, '']).encode() + MESSAGE)
    assert message.lower().count(b'authentication-results:') == 2
    assert kept.encode() in message and message.index(b'dkim=none') < message.index(b'dkim=fail')


def test_what_cannot_be_found_out_does_not_refuse(checking, names):
    names.misbehave('_dmarc.slow.example', 'servfail')
    names.misbehave('slow.example', 'servfail')
    message = stored(checking, MESSAGE.replace(b'sender', b'slow'), client=BAD,
                     sender='a@slow.example')
    assert 'spf=temperror' in results(message) and 'dmarc=temperror' in results(message)


def test_an_answer_that_does_not_come_is_not_waited_for(names):
    names.misbehave('drop.example', 'drop')
    names.misbehave('_dmarc.drop.example', 'drop')
    env = environment(names, POSTHORN_FILTER_TIMEOUT='300ms')
    with Server(accounts=USERS, env=env) as server:
        message = stored(server, MESSAGE.replace(b'sender', b'drop'), sender='a@drop.example')
    assert 'spf=temperror' in results(message) and 'dmarc=temperror' in results(message)


def test_spf_refuses_where_it_is_wanted(names):
    with Server(accounts=USERS, env=environment(names, ENABLE_OPENDMARC='0')) as server:
        assert '550 5.7.23 Message rejected due to: SPF fail - not authorized: ' \
            f'{BAD} is not ours' in str(send(server, MESSAGE, client=BAD))
        assert 'spf=pass' in results(stored(server, MESSAGE))


def test_nothing_is_checked_where_that_is_not_wanted(names):
    off = {f'ENABLE_{name}': '0' for name in ('OPENDKIM', 'OPENDMARC', 'POLICYD_SPF')}
    with Server(accounts=USERS, env=environment(names, **off)) as server:
        assert b'Authentication-Results' not in stored(server, MESSAGE, client=BAD)


def through_a_list(message, result='dmarc=pass'):
    """As a mailing list sends it on: sealed after it was changed."""
    changed = f'Authentication-Results: mx.list.example; {result}\r\n'.encode() + \
        message.replace(b'Subject: ', b'Subject: [list] ')
    return b''.join(dkim.arc_sign(changed, b'mail', b'list.example', RSA[0].encode(),
                                  b'mx.list.example')) + changed


def test_a_trusted_list_may_change_mail(names):
    env = environment(names, POSTHORN_ARC_TRUSTED='other.example, list.example')
    options = {'client': BAD, 'sender': 'list@plain.example'}
    with Server(accounts=USERS, env=env) as server:
        found = results(stored(server, through_a_list(sign(MESSAGE)), **options))
        assert 'dkim=fail' in found and 'arc=pass (i=1); dmarc=fail (p=reject dis=none)' in found
        for text in (through_a_list(sign(MESSAGE), 'dmarc=fail'),
                     through_a_list(sign(MESSAGE)).replace(b'[list]', b'[spam]'),
                     sign(MESSAGE).replace(b'hello', b'[list] hello')):
            assert '550 5.7.1 rejected by DMARC' in str(send(server, text, **options))


def test_a_list_that_is_not_trusted_may_not(checking):
    assert '550 5.7.1 rejected by DMARC' in str(send(
        checking, through_a_list(sign(MESSAGE)), client=BAD, sender='list@plain.example'))
