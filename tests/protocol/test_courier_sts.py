"""MTA-STS (RFC 8461) from the sender's side: policies over HTTPS, kept, and kept to."""
import http.server
import threading
import time

import pytest
from certificates import Authority
from courier import Courier
from smtp_sink import Sink

HOST = 'mx.example.org'


class PolicyHost:
    """An HTTPS server with the policy of example.org."""

    def __init__(self, certificate, policy=None, status=200, chunked=False):
        self.policy, self.status, self.chunked = policy, status, chunked
        self.asked = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_GET(self):                                      # noqa: N802: the library's name
                outer.asked.append((self.headers['Host'], self.path))
                body = outer.policy.encode()
                self.send_response(outer.status)
                if outer.status == 301:
                    self.send_header('Location', 'https://elsewhere.example/')
                if outer.chunked:
                    self.send_header('Transfer-Encoding', 'chunked')
                    body = b''.join(b'%x\r\n%s\r\n' % (1, body[i:i + 1])
                                    for i in range(len(body))) + b'0\r\n\r\n'
                else:
                    self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.socket = certificate.context().wrap_socket(self.server.socket,
                                                               server_side=True)
        self.port = self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def policy(mode='enforce', mx=(HOST,), max_age=86400):
    return ''.join(f'{line}\r\n' for line in ['version: STSv1', f'mode: {mode}',
                                              *[f'mx: {m}' for m in mx], f'max_age: {max_age}'])


def zone(txt='v=STSv1; id=1;', more=()):
    lines = [f'example.org MX found 10 {HOST}', f'{HOST} A found 127.0.0.1',
             'mta-sts.example.org A found 127.0.0.1', *more]
    return '\n'.join(lines + ([f'_mta-sts.example.org TXT found {txt}'] if txt else []))


@pytest.fixture(scope='module')
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp('ca'))


@pytest.fixture(scope='module')
def web(authority):
    return authority.issue('mta-sts.example.org')


@pytest.fixture(scope='module')
def good(authority):
    return authority.issue(HOST)


@pytest.fixture(scope='module')
def other(authority):
    return authority.issue('other.example.net')


def run(sink, host, authority, text=None, **kwargs):
    return Courier(text or zone(), env={'POSTHORN_REMOTE_PORT': str(sink.port),
                                        'POSTHORN_MTA_STS_PORT': str(host.port),
                                        'POSTHORN_CA_FILE': str(authority.file),
                                        'POSTHORN_COURIER_CACHE': '0',
                                        'ENABLE_MTA_STS': '1'}, **kwargs)


CASES = [
    # policy, certificate of the server, outcome, what is said of TLS
    (policy(), 'good', 'sent', 'MTA-STS verified'),
    (policy(), 'other', 'later', ''),
    (policy(), None, 'later', ''),
    (policy('testing'), 'other', 'sent', 'untrusted'),
    (policy('testing'), None, 'sent', ''),
    (policy('none'), 'other', 'sent', 'untrusted'),
    (policy(mx=('other.example.org',)), 'good', 'later', ''),
    (policy(mx=('other.example.org', '*.example.org')), 'good', 'sent', 'MTA-STS verified'),
    (policy(mx=('*.org',)), 'good', 'later', ''),
    (policy('testing', mx=('other.example.org',)), 'good', 'sent', 'verified'),
    ('', 'other', 'sent', 'untrusted'),
    ('version: STSv2\nmode: enforce\nmx: a\nmax_age: 1', 'other', 'sent', 'untrusted'),
    (policy() + 'x' * 70000, 'other', 'sent', 'untrusted'),
]


@pytest.mark.parametrize('number', range(len(CASES)))
def test_policy_is_kept_to(authority, web, request, number):
    text, name, outcome, kind = CASES[number]
    certificate = request.getfixturevalue(name) if name else None
    with PolicyHost(web, text) as host, \
            Sink(tls=certificate and certificate.context()) as sink, \
            run(sink, host, authority) as c:
        attempt = c.send('example.org')
        assert attempt.only.outcome == outcome, (attempt, c.log())
        assert attempt.tls.startswith(kind), attempt
        noted = [line.split('\t') for line in c.results()]
        assert all(n[1:3] == ['example.org', 'sts'] for n in noted)
        if outcome == 'later':
            assert attempt.only.status in ('4.7.4', '4.7.5')
            assert 'MTA-STS' in attempt.only.text
            assert not sink.messages
        assert host.asked[0] == ('mta-sts.example.org', '/.well-known/mta-sts.txt')


def test_policy_may_come_in_chunks(authority, web, good):
    with PolicyHost(web, policy(), chunked=True) as host, Sink(tls=good.context()) as sink, \
            run(sink, host, authority) as c:
        assert c.send('example.org').tls.startswith('MTA-STS verified')


@pytest.mark.parametrize('status', [301, 404, 500])
def test_only_200_is_a_policy(authority, web, other, status):
    with PolicyHost(web, policy(), status=status) as host, Sink(tls=other.context()) as sink, \
            run(sink, host, authority) as c:
        assert c.send('example.org').only.outcome == 'sent'
        assert str(status) in c.log()
        c.send('example.org')
        assert len(host.asked) == 1, 'not again within five minutes'


def test_policy_of_a_host_that_is_not_proven_does_not_count(authority, other):
    with PolicyHost(other, policy()) as host, Sink(tls=other.context()) as sink, \
            run(sink, host, authority) as c:
        assert c.send('example.org').only.outcome == 'sent'
        assert not host.asked


def test_policy_is_fetched_once_and_again_with_a_new_id(authority, web, good, other):
    with PolicyHost(web, policy('testing')) as host, Sink(tls=other.context()) as sink, \
            run(sink, host, authority) as c:
        for _ in range(3):
            assert c.send('example.org').only.outcome == 'sent'
        assert len(host.asked) == 1
        host.policy = policy()
        c.set_zone(zone('v=STSv1; id=2;'))
        assert c.send('example.org').only.outcome == 'later'
        assert len(host.asked) == 2


@pytest.mark.parametrize('text', [zone(None), zone('v=STSv1; id=2;'),
                                  zone(None, ['_mta-sts.example.org TXT tempfail'])],
                         ids=['gone', 'new', 'tempfail'])
def test_policy_holds_though_nobody_can_ask(authority, web, other, text):
    # RFC 8461 5.1: who can suppress DNS or HTTPS does not get rid of it.
    with PolicyHost(web, policy()) as host, Sink(tls=other.context()) as sink, \
            run(sink, host, authority) as c:
        assert c.send('example.org').only.outcome == 'later'
        host.status = 503
        c.set_zone(text)
        assert c.send('example.org').only.outcome == 'later'


def test_policy_holds_over_a_restart(authority, web, other, tmp_path):
    with PolicyHost(web, policy()) as host, Sink(tls=other.context()) as sink:
        with run(sink, host, authority, root=tmp_path) as c:
            assert c.send('example.org').only.outcome == 'later'
            time.sleep(0.3)
        host.status = 503
        with run(sink, host, authority, root=tmp_path) as c:
            assert c.send('example.org').only.outcome == 'later'
            assert len(host.asked) == 1


def test_policy_expires(authority, web, other):
    with PolicyHost(web, policy(max_age=1)) as host, Sink(tls=other.context()) as sink, \
            run(sink, host, authority) as c:
        assert c.send('example.org').only.outcome == 'later'
        c.set_zone(zone(None))
        time.sleep(2.1)
        assert c.send('example.org').only.outcome == 'sent'


def test_attempts_side_by_side_fetch_once(authority, web, other):
    with PolicyHost(web, policy()) as host, Sink(tls=other.context()) as sink, \
            run(sink, host, authority) as c:
        for _ in range(10):
            c.begin('example.org', ['b@example.org'], beside=True)
        assert all(c.answer().only.outcome == 'later' for _ in range(10))
        assert len(host.asked) == 1


def test_dane_comes_first(authority, web, other):
    with PolicyHost(web, policy()) as host, Sink(tls=other.context()) as sink:
        text = '\n'.join([f'example.org MX secure 10 {HOST}', f'{HOST} A secure 127.0.0.1',
                          f'_{sink.port}._tcp.{HOST} TLSA secure {other.tlsa()}',
                          'mta-sts.example.org A found 127.0.0.1',
                          '_mta-sts.example.org TXT found v=STSv1; id=1;'])
        with run(sink, host, authority, text) as c:
            assert c.send('example.org').tls.startswith('DANE verified')


def test_it_is_off_where_nobody_wants_it(authority, web, other):
    with PolicyHost(web, policy()) as host, Sink(tls=other.context()) as sink, \
            Courier(zone(), env={'POSTHORN_REMOTE_PORT': str(sink.port),
                                 'POSTHORN_MTA_STS_PORT': str(host.port)}) as c:
        assert c.send('example.org').only.outcome == 'sent'
        assert not host.asked
