"""Mail of strangers is checked: SPF, DKIM, DMARC, with a DNS that the test brings."""
import base64
import itertools
import re

import dkim
import pytest
from dns_server import DnsServer

from server import DOMAIN, HOSTNAME, Server, wait_until
from smtp_sink import Sink
from test_filter import make_ed25519, make_rsa, use_opendkim
from test_proxy import TRUSTED, v1
from test_remote import ELSEWHERE, relay_to, wait_accepted
from wire import Wire, fetch_all

GOOD, BAD = '192.0.2.7', '198.51.100.66'
RSA, ED = make_rsa(), make_ed25519()
RSA_RECORD = 'mail._domainkey TXT ' + ' '.join(
    f'"{RSA[1][i:i + 200]}"' for i in range(0, len(RSA[1]), 200))
ZONES = {DOMAIN: [RSA_RECORD, '_dmarc TXT "v=DMARC1; p=quarantine"'],
         '198.in-addr.arpa': ['66.100.51 PTR mx.trusted.example.'],
         'trusted.example': ['mx A 198.51.100.66'], 'list.example': [RSA_RECORD], 
         '192.in-addr.arpa': ['7.2.0 PTR mx.sender.example.', '8.2.0 PTR mx.sender.example.',
                              *(f'9.2.0 PTR mx{n}.sender.example.' for n in range(3)),
                              '10.2.0 PTR slow.example.', '11.2.0 PTR a\\032b.example.',
                              '12.2.0 PTR 192.0.2.12.'],
         'sender.example': [
    '@ A 192.0.2.7', 'mx A 192.0.2.7', 'mx0 A 192.0.2.7', 'mx2 A 192.0.2.7', 'mx2 A 192.0.2.9',
    '@ TXT "v=spf1 ip4:192.0.2.7 exp=why.%{d} -all"', 'why TXT "%{i} is not ours"',
    '_dmarc TXT "v=DMARC1; p=reject; sp=quarantine"',
    RSA_RECORD, f'ed._domainkey TXT "{ED[1]}"'],
    'plain.example': ['@ A 192.0.2.9'],
    'nothing.example': ['@ TXT "here"'], 'null.example': ['@ MX 0 .'],
    'exchange.example': ['@ MX 5 mx.sender.example.'],
    'slow.example': ['@ TXT "v=spf1 -all"', '_dmarc TXT "v=DMARC1; p=reject"']}
USERS = [f'user{n}@{DOMAIN}' for n in range(80)]
numbers = itertools.count()


@pytest.fixture(scope='module')
def names():
    with DnsServer(ZONES) as server:
        yield server


def environment(names, **more):
    return {**TRUSTED, 'POSTHORN_DNS': names.address, 'POSTHORN_DNS_DNSSEC': 'off',
            'POSTHORN_FILTER_TIMEOUT': '5s', 'POSTHORN_SMTP_NAME_TIMEOUT': '3s', **more}


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
    return (b'\r\n' + message).replace(b'\r\n\t', b' ') \
        .split(b'\r\nAuthentication-Results: ', 1)[1].split(b'\r\n', 1)[0].decode()


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
        'dmarc=pass (p=reject dis=none) header.from=sender.example; '
        f'iprev=pass policy.iprev={GOOD} (mx.sender.example)')
    assert f'(mx.sender.example [{GOOD}])'.encode() in message
    assert f'client=mx.sender.example[{GOOD}]' in checking.log()
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


@pytest.mark.parametrize('before', [
    b'g:;,' * 600, b'(' + (b'x' * 900 + b'\r\n ') * 80 + b')',
    b''.join(b'a@d%d.plain.example, ' % n for n in range(9))],
    ids=['groups', 'comment', 'addresses'])
def test_an_author_does_not_hide_behind_what_is_too_long(checking, before):
    text = MESSAGE.replace(b'From: ', b'From: ' + before)
    assert text != MESSAGE
    assert '550 5.7.1 rejected: the From line is too long to be checked' in str(
        send(checking, text, client=BAD, sender='a@plain.example'))


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
        assert 'dkim=fail' in found
        assert f'arc=pass (i=1) smtp.remote-ip={BAD}; dmarc=fail (p=reject dis=none)' in found
        for text in (through_a_list(sign(MESSAGE), 'dmarc=fail'),
                     through_a_list(sign(MESSAGE)).replace(b'[list]', b'[spam]'),
                     sign(MESSAGE).replace(b'hello', b'[list] hello')):
            assert '550 5.7.1 rejected by DMARC' in str(send(server, text, **options))


def test_a_list_that_is_not_trusted_may_not(checking):
    assert '550 5.7.1 rejected by DMARC' in str(send(
        checking, through_a_list(sign(MESSAGE)), client=BAD, sender='list@plain.example'))


@pytest.mark.parametrize('client, found', [
    (GOOD, 'pass policy.iprev=192.0.2.7 (mx.sender.example)'),
    ('192.0.2.8', 'fail policy.iprev=192.0.2.8'),
    ('192.0.2.9', 'pass policy.iprev=192.0.2.9 (mx2.sender.example)'),
    ('192.0.2.10', 'temperror policy.iprev=192.0.2.10'),
    ('192.0.2.11', 'fail policy.iprev=192.0.2.11'),
    ('192.0.2.12', 'fail policy.iprev=192.0.2.12'),
    (BAD, f'pass policy.iprev={BAD} (mx.trusted.example)'),
    ('192.0.2.13', 'permerror policy.iprev=192.0.2.13')])
def test_the_name_of_a_client_leads_back_to_it(checking, names, client, found):
    names.misbehave('slow.example', 'servfail')
    message = stored(checking, MESSAGE.replace(b'sender', b'plain'), client=client,
                     sender='a@plain.example')
    assert results(message).endswith(f'; iprev={found}')
    name = found.partition('(')[2].rstrip(')') or 'unknown'
    assert f' ({name} [{client}])\r\n'.encode() in message


def test_clients_without_a_name_are_put_off_where_that_is_wanted(names):
    env = environment(names, POSTFIX_REJECT_UNKNOWN_CLIENT_HOSTNAME='1',
                      ENABLE_POLICYD_SPF='0')
    with Server(accounts=USERS, env=env) as server:
        for client, good in ((GOOD, True), ('192.0.2.8', False), ('192.0.2.10', False)):
            with Wire(server, 'smtp', proxy=v1(client)) as wire:
                wire.ehlo()
                wire.expect('MAIL FROM:<a@plain.example>', 250)
                reply = wire.cmd(f'RCPT TO:<{USERS[0]}>')
            assert good or str(reply) == (
                '450 4.7.25 Client host rejected: cannot find your hostname, ' f'[{client}]')
            assert reply.code == (250 if good else 450)


TEAM = f'team@{DOMAIN}'


def forwarding(names, sink, keys, **more):
    server = Server(accounts=USERS, env={**environment(names, **more), **relay_to(sink)})
    use_opendkim(server, keys)
    server.write('postfix-virtual.cf', f'{TEAM} {USERS[0]},{ELSEWHERE}\n'
                 f'team@elsewhere.test {ELSEWHERE}\n')
    return server


def forwarded(server, sink, text, **options):
    """The message as another server gets it."""
    before = len(sink.accepted)
    assert '250 2.0.0' in str(send(server, text, **{'to': TEAM, **options}))
    return wait_accepted(sink, before + 1)[before].data


def find_key(name, timeout=5):
    return (ED if name.startswith(b'ed.') else RSA)[1].encode()


def verdict(message):
    """What dkimpy makes of the chain: its result, and what it found of each set."""
    result, sets, _ = dkim.arc_verify(message, dnsfunc=find_key)
    return result, [(s['cv'], s['ams-valid'], s['as-valid'], s['as-domain'].decode())
                    for s in sets]


def test_what_an_alias_passes_on_is_sealed(names):
    with Sink() as sink, forwarding(names, sink, {'mail': RSA[0], 'ed': ED[0]}) as server:
        first = forwarded(server, sink, sign(MESSAGE))
        found = f'{HOSTNAME}; dkim=pass (2048-bit key) header.d=sender.example'
        assert results(first).startswith(found)
        assert f'ARC-Authentication-Results: i=1; {found}' in \
            first.replace(b'\r\n\t', b' ').decode()
        assert first.startswith(b'ARC-Seal: i=1; a=rsa-sha256; cv=none;')
        assert verdict(first) == (b'pass', [(b'none', True, True, DOMAIN)])
        second = forwarded(server, sink, first, client=BAD, sender='')
        assert f'arc=pass (i=1) smtp.remote-ip={BAD}' in results(second)
        assert verdict(second) == (b'pass', [(b'pass', True, True, DOMAIN),
                                             (b'none', True, True, DOMAIN)])


def test_a_chain_that_was_broken_is_sealed_as_such_and_ends(names):
    with Sink() as sink, forwarding(names, sink, {'mail': RSA[0]}) as server:
        first = through_a_list(MESSAGE).replace(b'[list]', b'[more]')
        second = forwarded(server, sink, first)
        assert 'arc=fail' in results(second)
        assert verdict(second)[0] is None or verdict(second)[0] == b'fail'
        # RFC 8617 5.1.2: its seal signs the last set, as if there were no other.
        alone = re.sub(rb'(?m)^ARC-[A-Za-z-]*: i=1;.*\r\n([ \t].*\r\n)*', b'', second)
        chain = dkim.ARC(alone)
        last = chain.verify_instance(chain.sorted_arc_headers()[1], 2, dnsfunc=find_key)
        assert (last['cv'], last['ams-valid'], last['as-valid']) == (b'fail', True, True)
        third = forwarded(server, sink, second)
        assert 'arc=fail reason="it had failed before"' in results(third)
        assert third.count(b'ARC-Seal: ') == 2


def test_a_chain_whose_keys_cannot_be_found_now_is_left_to_the_next_server(names):
    with Sink() as sink, forwarding(names, sink, {'mail': RSA[0]}) as server:
        names.misbehave('mail._domainkey.lost.example', 'servfail')
        first = b''.join(dkim.arc_sign(
            b'Authentication-Results: mx.lost.example; dmarc=pass\r\n' + MESSAGE, b'mail',
            b'lost.example', RSA[0].encode(), b'mx.lost.example')) + MESSAGE
        second = forwarded(server, sink, first)
        assert 'arc=fail reason="the DNS does not answer"' in results(second)
        assert second.count(b'ARC-Seal: ') == 1 and verdict(second)[0] == b'pass'


def test_a_domain_without_a_key_is_sealed_for_by_that_of_the_host(names):
    with Sink() as sink, forwarding(names, sink, {'mail': RSA[0]}) as server:
        message = forwarded(server, sink, MESSAGE, to='team@elsewhere.test')
        assert verdict(message)[1][0][3] == DOMAIN


def test_only_what_leaves_is_sealed_and_only_with_a_key_that_all_know(names):
    with Sink() as sink, forwarding(names, sink, {'ed': ED[0]}) as server:
        assert b'ARC-' not in forwarded(server, sink, MESSAGE)
    with Server(accounts=USERS, env=environment(names)) as server:
        use_opendkim(server, {'mail': RSA[0]})
        assert b'ARC-' not in stored(server, MESSAGE)


@pytest.mark.parametrize('hosts, trusted', [
    (f'127.0.0.1\nlocalhost\n{BAD}\n', True), ('198.51.100.0/24\n', True),
    ('# all of them\n 0.0.0.0/0 \n', True), ('198.51.100.0/24\n!198.51.100.66\n', False),
    ('192.0.2.0/24\n', False), ('mx.trusted.example\n', True), ('.trusted.example\n', True),
    ('.rusted.example\n', False)])
def test_what_a_trusted_host_sends_in_our_name_is_signed(names, hosts, trusted):
    server = Server(accounts=USERS, env=environment(names, ENABLE_POLICYD_SPF='0'))
    use_opendkim(server, {'mail': RSA[0]})
    (server.config / 'opendkim/TrustedHosts').write_text(hosts)
    text = MESSAGE.replace(b'a@sender.example', f'a@{DOMAIN}'.encode())
    with server:
        ours = stored(server, text, client=BAD, sender='a@plain.example')
        theirs = stored(server, sign(MESSAGE), client=BAD, sender='a@plain.example')
    assert dkim.verify(ours[ours.index(b'DKIM-Signature'):], dnsfunc=find_key) \
        if trusted else b'DKIM-Signature' not in ours
    assert f'dmarc={"pass" if trusted else "fail"} (p=quarantine' in results(ours)
    assert 'dkim=pass' in results(theirs) and theirs.count(b'DKIM-Signature') == 1


def test_results_are_recorded_for_reports(names):
    record = 'v=DMARC1; p=quarantine; adkim=s; rua=mailto:dmarc@reports.example'
    names.set_zone('reports.example', [f'_dmarc TXT "{record}"',
                                       '@ TXT "v=spf1 ip4:192.0.2.7 -all"',
                                       '@ A 192.0.2.7'])
    text = MESSAGE.replace(b'sender', b'news.reports')
    with Server(accounts=USERS, env=environment(names, ENABLE_POLICYD_SPF='0')) as server:
        path = server.root / 'var/mail-state/lib-posthorn/filter/dmarc-results'
        stored(server, MESSAGE)
        stored(server, text, sender='a@reports.example')
        stored(server, sign(text), client=BAD, sender='')
        wait_until(lambda: len(path.read_text().splitlines()) == 2, what='two lines')
        passed, failed = (line.split('\t') for line in path.read_text().splitlines())
        assert path.stat().st_mode & 0o777 == 0o600
    policy = 'p=quarantine sp=quarantine np=quarantine adkim=s aspf=r pct=100 t=n'
    assert passed[1:] == ['reports.example', policy, GOOD, 'none', 'fail', 'pass', '-',
                          'news.reports.example', 'reports.example',
                          'reports.example mfrom pass', '-']
    assert failed[1:] == ['reports.example', policy, BAD, 'none', 'fail', 'fail', 'local_policy',
                          'news.reports.example', '-', 'client.example.org helo none',
                          'sender.example mail pass']


@pytest.mark.parametrize('sender, answer', [
    ('a@nowhere.example', '450 4.1.8 <a@nowhere.example>: Sender address rejected: '
     'Domain not found'),
    ('a@nothing.example', '450 4.1.8 <a@nothing.example>: Sender address rejected: '
     'Domain not found'),
    ('a@null.example', '556 5.7.27 <a@null.example>: Sender address rejected: '
     'Domain null.example does not accept mail (nullMX)'),
    ('a@slow.example', '250 2.1.5 Ok'), ('a@exchange.example', '250 2.1.5 Ok'),
    (f'a@{DOMAIN}', '250 2.1.5 Ok'), (f'a@{HOSTNAME}', '250 2.1.5 Ok'), ('', '250 2.1.5 Ok'),
    ('a@[192.0.2.1]', '250 2.1.5 Ok')])
def test_a_sender_without_a_domain_is_refused(checking, names, sender, answer):
    names.misbehave('slow.example', 'servfail')
    with Wire(checking, 'smtp', proxy=v1(GOOD)) as wire:
        wire.ehlo()
        wire.expect(f'MAIL FROM:<{sender}>', 250)
        assert str(wire.cmd(f'RCPT TO:<{USERS[0]}>')) == answer
