"""The courier and TLS: whom it believes, whom it tells its password, and what it does otherwise."""
import ssl

import pytest
from certificates import Authority
from courier import REQUIRETLS, TLS_OPTIONAL, Courier
from sink_auth import Auth
from smtp_sink import EHLO, Close, Raw, Sink

HOST = 'mx.example.org'


@pytest.fixture(scope='module')
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp('ca'))


@pytest.fixture(scope='module')
def good(authority):
    return authority.issue(HOST)


@pytest.fixture(scope='module')
def other(authority):
    return authority.issue('other.example.net')


@pytest.fixture(scope='module')
def stranger(authority):
    return authority.issue(HOST, self_signed=True)


def zone(*more, secure=True):
    flag = 'secure' if secure else 'found'
    return '\n'.join([f'example.org MX {flag} 10 {HOST}', f'{HOST} A {flag} 127.0.0.1', *more])


def run(sink, authority, text, env=None, root=None):
    return Courier(text, root=root, env={'POSTHORN_REMOTE_PORT': str(sink.port),
                              'POSTHORN_CA_FILE': str(authority.file), **(env or {})})


# Where nobody insists on it

@pytest.mark.parametrize('name, kind', [('good', 'verified'), ('other', 'untrusted'),
                                        ('stranger', 'untrusted')])
def test_tls_is_used_where_it_is_offered(authority, request, name, kind):
    certificate = request.getfixturevalue(name)
    with Sink(tls=certificate.context()) as sink, run(sink, authority, zone()) as c:
        attempt = c.send('example.org')
        assert attempt.only.outcome == 'sent'
        assert attempt.tls.startswith(f'{kind}, TLSv1.3')
        assert sink.accepted[0].tls
        assert sink.sessions[0].server_name == HOST
        assert sink.commands() == ['EHLO', 'STARTTLS', 'EHLO', 'MAIL', 'RCPT', 'BDAT']


@pytest.mark.parametrize('place', [0, 1, 2])
def test_each_authority_of_the_file_is_believed(authority, good, tmp_path, place):
    """Also what stands behind the first one, and lines between them that are no certificate."""
    many = [Authority(tmp_path / str(n), f'Other {n}').file.read_text() for n in range(2)]
    many.insert(place, authority.file.read_text())
    file = tmp_path / 'many.pem'
    file.write_text('# authorities\n' + '\n# next\n'.join(many))
    with Sink(tls=good.context()) as sink, \
            run(sink, authority, zone(), {'POSTHORN_CA_FILE': str(file)}) as c:
        assert c.send('example.org').tls.startswith('verified')


@pytest.mark.parametrize('change', [lambda line: '!' * 64, lambda line: line[::-1]])
def test_an_authority_that_is_damaged_does_not_hide_the_next(authority, good, tmp_path, change):
    lines = Authority(tmp_path / '0', 'Other').file.read_text().splitlines()
    first = '\n'.join(lines)
    lines[2] = change(lines[2])
    file = tmp_path / 'many.pem'
    file.write_text('\n'.join([first, *lines, authority.file.read_text()]))
    with Sink(tls=good.context()) as sink, \
            run(sink, authority, zone(), {'POSTHORN_CA_FILE': str(file)}) as c:
        assert c.send('example.org').tls.startswith('verified')


def test_tls_1_2_is_spoken(authority, good):
    context = good.context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with Sink(tls=context) as sink, run(sink, authority, zone()) as c:
        assert 'TLSv1.2' in c.send('example.org').tls


@pytest.mark.parametrize('act', [Close(), '454 4.7.0 not now', Raw(b'220 go\r\n' + b'junk' * 20),
                                 '502 5.5.1 what'], ids=['close', 'later', 'junk', 'no'])
def test_tls_that_fails_is_left_out(authority, good, act):
    with Sink(tls=good.context(), replies={'STARTTLS': [act]}) as sink, \
            run(sink, authority, zone()) as c:
        attempt = c.send('example.org')
        if isinstance(act, Close):
            assert attempt.only.outcome == 'later'
            return
        assert attempt.only.outcome == 'sent', attempt
        assert attempt.tls == '' and not sink.accepted[0].tls


def test_what_is_said_before_the_handshake_does_not_count(authority, good):
    # RFC 3207 4.2: an attacker could have put it there.
    said = Raw(b'220 go\r\n250-injected\r\n250 SIZE 1\r\n', pause=0, starts_tls=True)
    with Sink(tls=good.context(), replies={'STARTTLS': [said]}) as sink, \
            run(sink, authority, zone(), {'POSTHORN_TLS_REQUIRED': '1'}) as c:
        attempt = c.send('example.org')
        assert attempt.only.outcome == 'sent', attempt
        assert attempt.tls.startswith('verified')


def test_capabilities_are_asked_for_again(authority, good):
    with Sink(tls=good.context(), ehlo=['SIZE 10']) as sink, run(sink, authority, zone()) as c:
        sink.ehlo_tls = EHLO
        assert c.send('example.org').only.outcome == 'sent'


@pytest.mark.parametrize('refuse', ['0', '1'])
def test_server_that_had_tls_is_remembered(authority, good, tmp_path, refuse):
    env = {'POSTHORN_TLS_REFUSE_DOWNGRADE': refuse}
    with Sink(tls=good.context()) as sink, run(sink, authority, zone(), env, root=tmp_path) as c:
        assert c.send('example.org').only.outcome == 'sent'
        assert 'had TLS before' not in c.log()
        port = sink.port
    with Sink(port=port) as sink, run(sink, authority, zone(), env, root=tmp_path) as c:
        attempt = c.send('example.org')
        assert attempt.only.outcome == ('later' if refuse == '1' else 'sent')
        assert 'had TLS before' in c.log() + attempt.only.text


# DANE: RFC 7672

def tlsa(port, data, flag='secure', host=HOST):
    return f'_{port}._tcp.{host} TLSA {flag} {data}'


DANE_CASES = [
    # name, certificate, record, MX and addresses secure, outcome, start of what is said of TLS
    ('ee', 'stranger', lambda c: c.tlsa(3, 1, 1), True, 'sent', 'DANE verified'),
    ('ee whole', 'stranger', lambda c: c.tlsa(3, 0, 0), True, 'sent', 'DANE verified'),
    ('ee sha512', 'stranger', lambda c: c.tlsa(3, 0, 2), True, 'sent', 'DANE verified'),
    ('ee needs no name', 'other', lambda c: c.tlsa(3, 1, 1), True, 'sent', 'DANE verified'),
    ('ee wrong', 'good', lambda c: c.tlsa(3, 1, 1, wrong=True), True, 'later', ''),
    ('ta', 'good', lambda c: c.tlsa(2, 0, 1), True, 'sent', 'DANE verified'),
    ('ta wrong name', 'other', lambda c: c.tlsa(2, 0, 1), True, 'later', ''),
    ('ta wrong', 'good', lambda c: c.tlsa(2, 0, 1, wrong=True), True, 'later', ''),
    ('pkix is unusable', 'stranger', lambda c: c.tlsa(1, 1, 1), True, 'sent', 'untrusted'),
    ('unknown matching', 'stranger', lambda c: c.tlsa(3, 1, 9), True, 'sent', 'untrusted'),
    ('insecure zone', 'stranger', lambda c: c.tlsa(3, 1, 1, wrong=True), False, 'sent',
     'untrusted'),
]


@pytest.mark.parametrize('case', DANE_CASES, ids=lambda c: c[0])
def test_dane(authority, request, case):
    _, name, record, secure, outcome, kind = case
    certificate = request.getfixturevalue(name)
    with Sink(tls=certificate.context(chain=True)) as sink:
        text = zone(tlsa(sink.port, record(certificate)), secure=secure)
        with run(sink, authority, text) as c:
            attempt = c.send('example.org')
            assert attempt.only.outcome == outcome, attempt
            assert attempt.tls.startswith(kind), attempt
            noted = [line.split('\t')[1:] for line in c.results()]
            assert [n[1] for n in noted] == (['tlsa'] if secure else [])
            assert all((n[3] == 'success') == (kind == 'DANE verified') for n in noted)
            if outcome == 'later':
                assert attempt.only.status == '4.7.5' and 'DANE' in attempt.only.text
                assert not sink.messages


def test_one_record_that_fits_is_enough(authority, good):
    with Sink(tls=good.context()) as sink:
        text = zone(tlsa(sink.port, good.tlsa(wrong=True)), tlsa(sink.port, good.tlsa()),
                    tlsa(sink.port, good.tlsa(1, 1, 1)))
        with run(sink, authority, text) as c:
            assert c.send('example.org').tls.startswith('DANE verified')


@pytest.mark.parametrize('flag', ['tempfail', 'bogus'])
def test_records_that_cannot_be_had_forbid_the_host(authority, good, flag):
    with Sink(tls=good.context()) as sink:
        with run(sink, authority, zone(tlsa(sink.port, '', flag))) as c:
            attempt = c.send('example.org')
            assert (attempt.only.outcome, attempt.only.status) == ('later', '4.7.5')
            assert not sink.sessions


def test_insecure_records_do_not_count(authority, stranger):
    with Sink(tls=stranger.context()) as sink:
        text = zone(tlsa(sink.port, stranger.tlsa(wrong=True), 'found'))
        with run(sink, authority, text) as c:
            assert c.send('example.org').only.outcome == 'sent'


@pytest.mark.parametrize('usable', [True, False])
def test_dane_without_starttls_is_no_delivery(authority, good, usable):
    with Sink() as sink:
        text = zone(tlsa(sink.port, good.tlsa(3 if usable else 0, 1, 1)))
        with run(sink, authority, text) as c:
            attempt = c.send('example.org')
            assert (attempt.only.outcome, attempt.only.status) == ('later', '4.7.4')
            assert 'DANE' in attempt.only.text
            assert not sink.messages


def test_dane_follows_the_alias_of_the_host(authority, stranger):
    # RFC 7672 2.2.3: the records of where the alias leads come first.
    with Sink(tls=stranger.context()) as sink:
        text = '\n'.join(['example.org MX secure 10 alias.example.org',
                          f'alias.example.org CNAME secure {HOST}',
                          f'{HOST} A secure 127.0.0.1',
                          tlsa(sink.port, stranger.tlsa()),
                          tlsa(sink.port, stranger.tlsa(wrong=True), host='alias.example.org')])
        with run(sink, authority, text) as c:
            assert c.send('example.org').tls.startswith('DANE verified')


def test_dane_can_be_switched_off(authority, stranger):
    with Sink(tls=stranger.context()) as sink:
        text = zone(tlsa(sink.port, stranger.tlsa(wrong=True)))
        with run(sink, authority, text, {'POSTHORN_ENABLE_DANE': '0'}) as c:
            assert c.send('example.org').only.outcome == 'sent'


def test_next_host_is_tried_when_dane_fails(authority, good):
    with Sink(tls=good.context()) as bad, \
            Sink(address='127.0.0.2', port=bad.port, tls=good.context()) as fine:
        text = zone('example.org MX secure 20 mx2.example.org',
                    'mx2.example.org A secure 127.0.0.2',
                    tlsa(bad.port, good.tlsa(wrong=True)))
        with run(bad, authority, text) as c:
            assert c.send('example.org').only.outcome == 'sent'
            assert fine.accepted and not bad.messages


# REQUIRETLS: RFC 8689

def test_requiretls_needs_a_host_that_is_proven(authority, good):
    with Sink(tls=good.context(), ehlo=[*EHLO, 'REQUIRETLS']) as sink:
        with run(sink, authority, zone()) as c:
            attempt = c.send('example.org', flags=REQUIRETLS)
            assert attempt.only.outcome == 'sent', attempt
            assert 'REQUIRETLS' in sink.accepted[0].mail
        with run(sink, authority, zone(secure=False)) as c:
            result = c.send('example.org', flags=REQUIRETLS).only
            assert (result.outcome, result.status) == ('refused', '5.7.30')


@pytest.mark.parametrize('name, ehlo', [('other', [*EHLO, 'REQUIRETLS']), ('good', EHLO)],
                         ids=['certificate', 'not offered'])
def test_requiretls_is_not_bargained_with(authority, request, name, ehlo):
    certificate = request.getfixturevalue(name)
    with Sink(tls=certificate.context(), ehlo=ehlo) as sink, run(sink, authority, zone()) as c:
        result = c.send('example.org', flags=REQUIRETLS).only
        assert (result.outcome, result.status) == ('refused', '5.7.30')
        assert not sink.messages


def test_tls_required_no_leaves_the_policy_of_the_domain_out(authority, good):
    with Sink(tls=good.context()) as sink:
        with run(sink, authority, zone(tlsa(sink.port, good.tlsa(wrong=True)))) as c:
            assert c.send('example.org').only.outcome == 'later'
            attempt = c.send('example.org', flags=TLS_OPTIONAL)
            assert attempt.only.outcome == 'sent' and attempt.tls, attempt
            # What was opened for it is not good enough for others.
            assert c.send('example.org').only.outcome == 'later'


def test_tls_required_no_does_not_overrule_the_operator(authority):
    with Sink() as sink, run(sink, authority, zone(), {'POSTHORN_TLS_REQUIRED': '1'}) as c:
        assert c.send('example.org', flags=TLS_OPTIONAL).only.outcome == 'later'


def test_required_tls_is_required(authority):
    with Sink() as sink, run(sink, authority, zone(), {'POSTHORN_TLS_REQUIRED': '1'}) as c:
        result = c.send('example.org').only
        assert (result.outcome, result.status) == ('later', '4.7.4')


# Relays: RFC 4954

LOGIN = ('alice', 'pass word:=,')


def relay(sink, authority, env=None, key=None):
    c = Courier(f'{HOST} A found 127.0.0.1', env={'POSTHORN_CA_FILE': str(authority.file),
                                                 **(env or {})})
    key = key or f'[{HOST}]:{sink.port}'
    (c.config / 'postfix-sasl-password.cf').write_text(f'{key} {LOGIN[0]}:{LOGIN[1]}\n')
    return c


@pytest.mark.parametrize('mechanism', ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-256',
                                       'SCRAM-SHA-256-PLUS', 'XOAUTH2'])
def test_login_with_each_mechanism(authority, stranger, mechanism):
    auth = Auth(mechanism, *LOGIN)
    with Sink(tls=stranger.context(), auth=auth) as sink, relay(sink, authority) as c:
        attempt = c.send(f'[{HOST}]:{sink.port}')
        assert attempt.only.outcome == 'sent', (attempt, auth.trouble)
        assert sink.sessions[0].user == LOGIN[0]


def test_strongest_mechanism_is_chosen(authority, good):
    auth = Auth('LOGIN', *LOGIN)
    auth.mechanisms = ['LOGIN', 'PLAIN', 'SCRAM-SHA-256', 'CRAM-MD5']
    with Sink(tls=good.context(), auth=auth) as sink, relay(sink, authority) as c:
        assert c.send(f'[{HOST}]:{sink.port}').only.outcome == 'sent'
        assert any(line.startswith('AUTH SCRAM-SHA-256 ') for line in sink.sessions[0].lines)


def test_password_is_not_sent_without_tls(authority):
    auth = Auth('PLAIN', *LOGIN)
    with Sink(auth=auth) as sink, relay(sink, authority) as c:
        result = c.send(f'[{HOST}]:{sink.port}').only
        assert (result.outcome, result.status) == ('later', '4.7.4')
        assert 'AUTH' not in sink.commands()


def test_password_is_for_the_proven_relay_where_that_is_wanted(authority, good, stranger):
    for certificate, outcome in ((good, 'sent'), (stranger, 'later')):
        with Sink(tls=certificate.context(), auth=Auth('PLAIN', *LOGIN)) as sink, \
                relay(sink, authority, {'POSTHORN_RELAY_VERIFY': '1'}) as c:
            assert c.send(f'[{HOST}]:{sink.port}').only.outcome == outcome
            assert bool(sink.sessions[0].user) == (outcome == 'sent')


@pytest.mark.parametrize('mechanism', ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-256', 'XOAUTH2'])
def test_wrong_password_is_waited_for(authority, good, mechanism):
    with Sink(tls=good.context(), auth=Auth(mechanism, 'alice', 'another')) as sink, \
            relay(sink, authority) as c:
        attempt = c.send(f'[{HOST}]:{sink.port}')
        assert attempt.only.outcome == 'later' and attempt.only.status.startswith('4.7.')
        assert LOGIN[1] not in attempt.only.text
        assert not sink.messages


def test_server_that_does_not_know_the_password_is_not_believed(authority, good):
    auth = Auth('SCRAM-SHA-256', *LOGIN)
    auth.wrong_signature = True
    with Sink(tls=good.context(), auth=auth) as sink, relay(sink, authority) as c:
        assert c.send(f'[{HOST}]:{sink.port}').only.status == '4.7.0'
        assert not sink.messages


@pytest.mark.parametrize('challenge', ['334 !', '334 cj14', '334 ' + 'A' * 20000, '334',
                                       '235 2.7.0 welcome'])
def test_challenge_that_is_none_ends_the_login(authority, good, challenge):
    auth = Auth('SCRAM-SHA-256', *LOGIN)
    with Sink(tls=good.context(), auth=auth, replies={'AUTH': [challenge]}) as sink, \
            relay(sink, authority) as c:
        assert c.send(f'[{HOST}]:{sink.port}').only.outcome == 'later'
        assert not sink.messages


def test_relay_without_auth_gets_no_password(authority, good):
    with Sink(tls=good.context()) as sink, relay(sink, authority) as c:
        assert c.send(f'[{HOST}]:{sink.port}').only.outcome == 'sent'


def test_sessions_of_different_logins_are_apart(authority, good):
    with Sink(tls=good.context(), auth=Auth('PLAIN', *LOGIN)) as sink, \
            relay(sink, authority, key='@one.test') as c:
        assert c.send(f'[{HOST}]:{sink.port}', sender='a@one.test').only.outcome == 'sent'
        assert c.send(f'[{HOST}]:{sink.port}', sender='a@two.test').only.outcome == 'sent'
        assert [s.user for s in sink.sessions] == [LOGIN[0], None]
