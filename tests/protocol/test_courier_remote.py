"""From a submission over the queue, the courier and the resolver to servers that the DNS names."""
import re

import pytest
from certificates import Authority
from dns_server import DnsServer
from server import wait_until
from smtp_sink import Sink
from test_remote import ALICE, reports, submit

HOST = 'mx.example.org'
ZONES = {'example.org': ['@ MX 10 mx', 'mx A 127.0.0.1', 'null MX 0 .', 'own A 127.0.0.1']}


@pytest.fixture(scope='module')
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp('ca'))


@pytest.fixture(scope='module')
def certificate(authority):
    return authority.issue(HOST)


def environment(sink, dns, **more):
    return {'POSTHORN_DNS': dns.address, 'POSTHORN_REMOTE_PORT': str(sink.port),
            'POSTHORN_REMOTE_RETRY_MIN': '300ms', 'POSTFIX_INET_PROTOCOLS': 'ipv4', **more}


def logged(server, pattern, seconds=15):
    return wait_until(lambda: re.search(pattern, server.log()), seconds, what=pattern)


def test_mail_finds_its_server(make_server):
    with Sink() as sink, DnsServer(ZONES) as dns:
        server = make_server(accounts=[ALICE], env=environment(sink, dns))
        submit(server, ['bob@example.org', 'bob@own.example.org'])
        wait_until(lambda: len(sink.accepted) == 2, what='both messages')
        logged(server, rf'to=<bob@example.org>.*relay=mx.example.org\[127.0.0.1\]:{sink.port}.*'
                       r'dsn=2.0.0, status=sent \(250 2.0.0 queued as SINK')


def test_domains_of_other_scripts_are_found_and_share_their_sessions(make_server):
    zones = {'xn--bcher-kva.example': ['@ MX 10 mx', 'mx A 127.0.0.1']}
    with Sink(ehlo=['8BITMIME']) as sink, DnsServer(zones) as dns:
        server = make_server(accounts=[ALICE], env=environment(sink, dns))
        submit(server, ['bob@bücher.example', 'carol@BÜCHER.example', 'd@xn--bcher-kva.example'],
               mail_options=['SMTPUTF8'])
        wait_until(lambda: sink.accepted, what='the message')
        logged(server, r'to=<bob@bücher.example>.*relay=mx.xn--bcher-kva.example\[.*status=sent')
        assert [m.recipients for m in sink.accepted] == [[
            f'TO:<{name}@xn--bcher-kva.example>' for name in ('bob', 'carol', 'd')]]


def test_domain_that_takes_no_mail_is_reported(make_server):
    with Sink() as sink, DnsServer(ZONES) as dns:
        server = make_server(accounts=[ALICE], env=environment(sink, dns))
        submit(server, ['bob@null.example.org', 'bob@nowhere.example.org'])
        wait_until(lambda: len(reports(server)) >= 1, 20, what='a report')
        logged(server, r'to=<bob@null.example.org>.*dsn=5.1.10, status=bounced')
        logged(server, r'to=<bob@nowhere.example.org>.*dsn=5.1.2, status=bounced')
        assert not sink.sessions


@pytest.mark.parametrize('right', [True, False])
def test_dane_is_checked_from_the_signature_to_the_certificate(make_server, certificate, tmp_path,
                                                               right):
    # RFC 7672: the MX, the address and the TLSA record are proven by our own resolver.
    with Sink(tls=certificate.context()) as sink:
        zones = {'example.org': [*ZONES['example.org'],
                                 f'_{sink.port}._tcp.mx TLSA {certificate.tlsa(wrong=not right)}']}
        with DnsServer(zones, signed=['example.org']) as dns:
            anchor = dns.trust_anchor(tmp_path / 'anchor')
            server = make_server(accounts=[ALICE], env=environment(
                sink, dns, POSTHORN_DNS_TRUST_ANCHOR=str(anchor)))
            submit(server, 'bob@example.org')
            if right:
                logged(server, r'TLS connection established to mx.example.org\[127.0.0.1\]:\d+, '
                               r'DANE verified: TLSv1.3')
                logged(server, r'status=sent')
            else:
                logged(server, r'dsn=4.7.5, status=deferred \(DANE')
                assert not sink.accepted


def test_relay_that_wants_a_login_gets_it(make_server, certificate, authority):
    from sink_auth import Auth
    with Sink(tls=certificate.context(), auth=Auth('SCRAM-SHA-256', 'relay', 'secret')) as sink:
        server = make_server(accounts=[ALICE], env={
            'DEFAULT_RELAY_HOST': f'[127.0.0.1]:{sink.port}', 'RELAY_USER': 'relay',
            'RELAY_PASSWORD': 'secret', 'POSTHORN_CA_FILE': str(authority.file)})
        submit(server, 'bob@example.org')
        wait_until(lambda: sink.accepted, what='the message')
        assert sink.sessions[0].user == 'relay'
        assert 'secret' not in server.log()
        # RFC 4954 5: who submitted it is said only where he wants it.
        assert ' AUTH=<>' in sink.accepted[0].mail
        for name, said in ((ALICE, ALICE), ('mallory@example.org', '<>')):
            count = len(sink.accepted)
            submit(server, 'bob@example.org', mail_options=[f'AUTH={name}'])
            wait_until(lambda: len(sink.accepted) > count, what='the message')
            assert f' AUTH={said}' in sink.accepted[-1].mail
        # A login of its own for a sender, read without a restart.
        server.write('postfix-sasl-password.cf', f'{ALICE} other:secret\n')
        logged(server, 'Completed handling of detected change')
        submit(server, 'bob@example.org')
        logged(server, r'dsn=4.7.8, status=deferred \(SASL authentication')
        assert 'secret' not in server.log()
