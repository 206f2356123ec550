"""Debian's Postfix and Exim as the other server: mail to them, their reports, mail from them."""
import contextlib
import email
import email.policy
import email.utils
import os
import re
import smtplib
import socketserver
import tempfile
import threading
import time
from pathlib import Path

import pytest
from certificates import Authority
from dns_server import DnsServer
from peers import DOMAIN as THERE
from peers import Exim, Missing, Postfix, stripped
from server import DOMAIN, PASSWORD, Server, wait_until
from smtp_sink import Sink
from test_remote import ALICE, parts_of, relay_to, reports, submit, wait_accepted
from wire import TIMEOUT, message

ELSEWHERE = f'bob@{THERE}'
ZONES = {THERE: ['@ MX 10 mx', 'mx A 127.0.0.1']}
# How each says that it takes only small messages, and that it does without an extension.
SMALL = {'postfix': ['message_size_limit = 20000'], 'exim': ['message_size_limit = 20000']}
WITHOUT = {
    'postfix': lambda *words: [f'smtpd_discard_ehlo_keywords = {", ".join(words)}'],
    'exim': lambda *words: [{'chunking': 'chunking_advertise_hosts =', 'dsn':
                             'dsn_advertise_hosts =', 'smtputf8': 'smtputf8_advertise_hosts =',
                             'pipelining': 'pipelining_advertise_hosts =',
                             '8bitmime': 'accept_8bitmime = false'}[w] for w in words]}
BODIES = {
    'plain': b'How are you?\r\n',
    'dots': b'.\r\n..\r\n.a\r\n..b\r\n\r\n.\r\n.\r\n',
    'eight bits': 'Grüße aus Köln\r\n'.encode() + bytes(range(128, 256)) + b'\r\n',
    'blanks': b'\r\n\r\n  a \t\r\n \r\n\t\r\n\r\n',
    'long lines': (b'x' * 998 + b'\r\n') * 30,
    'empty': b'',
    'ten megabytes': (b'.y' * 38 + b'\r\n') * 128000,
}


@pytest.fixture(scope='module')
def programs():
    """Where Exim is, or why it is not."""
    with tempfile.TemporaryDirectory(prefix='posthorn-exim-') as name:
        directory = Path(name)
        directory.chmod(0o755)
        try:
            Exim.fetch(directory)
            yield directory
        except Missing as e:
            yield e


@pytest.fixture(scope='module')
def certificate(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp('ca')).issue(f'mx.{THERE}')


class Pair:
    """Posthorn, and the server that the DNS names for elsewhere.example."""

    def __init__(self, server, remote, dns):
        self.server, self.remote, self.dns = server, remote, dns

    def submit(self, to, data, **options):
        submit(self.server, to, data, **options)

    def report(self, count=1):
        wait_until(lambda: len(reports(self.server)) >= count, 20,
                   what=f'report {count}, beside\n{self.server.log()[-3000:]}')
        return reports(self.server)[count - 1]

    def received(self, subject):
        """The one message with this subject, as it arrived."""
        return stripped(self.received_file(subject))

    def received_file(self, subject):
        """The same with what the delivery put on top."""
        def find():
            return [m for m in map(Path.read_bytes, self.remote.files())
                    if f'\nSubject: {subject}\n'.encode() in m]
        found = wait_until(find, 30, what=f'"{subject}" in\n{self.remote.log()[-3000:]}')
        assert len(found) == 1
        return found[0]


@contextlib.contextmanager
def pair(kind, programs, settings=(), certificate=None, env=None):
    server = Server(accounts=[ALICE])
    with contextlib.ExitStack() as stack:
        stack.callback(server.remove)
        options = {'settings': settings, 'certificate': certificate,
                   'smarthost': server.port('smtp')}
        if kind == 'exim' and isinstance(programs, Missing):
            pytest.skip(str(programs))
        try:
            remote = stack.enter_context(
                Exim(programs, **options) if kind == 'exim' else
                Postfix(**options))
        except Missing as e:
            pytest.skip(str(e))
        dns = stack.enter_context(DnsServer(ZONES))
        server.env.update({'POSTHORN_DNS': dns.address, 'POSTHORN_REMOTE_PORT': str(remote.port),
                           'POSTHORN_REMOTE_RETRY_MIN': '300ms', 'POSTHORN_RETRY_MAX': '2s',
                           'POSTFIX_MESSAGE_SIZE_LIMIT': '40000000', **(env or {})})
        server.start()
        try:
            yield Pair(server, remote, dns)
        except BaseException:
            server.stop(check=False)
            raise
        server.stop()


@pytest.fixture(params=['postfix', 'exim'])
def kind(request):
    return request.param


@pytest.fixture
def make_pair(kind, programs):
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(pair(kind, programs, **options))


@pytest.fixture(scope='module', params=['postfix', 'exim'])
def usual(request, programs, certificate):
    """Both as they are, with TLS, for many messages."""
    with pair(request.param, programs, certificate=certificate) as made:
        yield made


# Mail to them

@pytest.mark.parametrize('name', BODIES)
def test_a_message_arrives_byte_for_byte(usual, name):
    sent = message(name, '', From=ALICE) + BODIES[name]
    usual.submit(ELSEWHERE, sent, mail_options=['BODY=8BITMIME'])
    assert usual.received(name) == sent
    assert re.search(r'TLS connection established to mx.elsewhere.example\[127.0.0.1\]:\d+',
                     usual.server.log())
    top = usual.received_file(name).split(b'Received: ')[1]
    assert re.search(rb'with e?smtps', top, re.I)


@pytest.mark.parametrize('without', [['chunking'], ['pipelining'], ['chunking', 'pipelining',
                                                                    'dsn', 'smtputf8']])
def test_a_server_that_offers_less_gets_the_same(make_pair, kind, without):
    both = make_pair(settings=WITHOUT[kind](*without))
    for name in ('dots', 'eight bits', 'empty', 'long lines'):
        sent = message(name, '', From=ALICE) + BODIES[name]
        both.submit(ELSEWHERE, sent, mail_options=['BODY=8BITMIME'])
        assert both.received(name) == sent


def test_text_of_eight_bits_is_encoded_for_a_server_of_seven(make_pair, kind):
    both = make_pair(settings=WITHOUT[kind]('8bitmime', 'smtputf8', 'chunking'))
    text = 'Grüße aus Köln, und ein Punkt\n.\n..\nam Anfang\n'
    sent = message('encoded', '', From=ALICE, MIME_Version='1.0', Content_Type=
                   'text/plain; charset=utf-8', Content_Transfer_Encoding='8bit')
    both.submit(ELSEWHERE, sent + text.replace('\n', '\r\n').encode(),
                mail_options=['BODY=8BITMIME'])
    raw = both.received('encoded')
    assert raw.isascii()
    assert email.message_from_bytes(raw, policy=email.policy.default).get_content() \
        .replace('\r\n', '\n') == text


def test_an_address_beyond_ascii(usual):
    address = f'jürgen@{THERE}'
    sent = message('für Jürgen', 'Hallo\r\n', From=ALICE, To=address)
    usual.submit(address, sent, mail_options=['SMTPUTF8', 'BODY=8BITMIME'])
    assert usual.received('für Jürgen') == sent
    assert address.encode() in usual.received_file('für Jürgen').split(b'\nReceived')[0]


def test_an_address_beyond_ascii_for_a_server_that_has_not_heard_of_it(make_pair, kind):
    both = make_pair(settings=WITHOUT[kind]('smtputf8'))
    address = f'jürgen@{THERE}'
    both.submit(address, message('für Jürgen', '', From=ALICE, To=address),
                mail_options=['SMTPUTF8', 'BODY=8BITMIME'])
    status = both.report().get_payload()[1]
    assert status.get_content_type() == 'message/global-delivery-status'    # RFC 6533 3
    text = both.server.stored(ALICE)[0].read_text(encoding='utf-8')     # Python parses it not
    assert f'\nFinal-Recipient: utf-8; {address}\n' in text
    assert '\nStatus: 5.6.7\n' in text and '\nAction: failed\n' in text
    assert not both.remote.files()


def test_a_success_is_reported_by_whoever_knows_of_it(usual):
    before = len(reports(usual.server))
    usual.submit(ELSEWHERE, message('notify', 'a\r\n', From=ALICE),
                 mail_options=['ENVID=QQ314159', 'RET=HDRS'],
                 rcpt_options=['NOTIFY=SUCCESS,FAILURE',
                               f'ORCPT=rfc822;robert@{THERE}'])
    report = usual.report(before + 1)
    assert 'mail.example.test' not in report['From']
    status = next(p for p in report.walk() if p.get_content_type() == 'message/delivery-status')
    per_message, recipient, *_ = status.get_payload()
    assert recipient['Action'] in ('delivered', 'relayed')
    assert recipient['Original-Recipient'].replace(' ', '') == f'rfc822;robert@{THERE}'
    if type(usual.remote) is Postfix:       # Exim has Original-Envelope-ID of its own kind
        assert per_message['Original-Envelope-Id'] == 'QQ314159'
    time.sleep(0.5)
    assert len(reports(usual.server)) == before + 1, 'Posthorn reported as well'


def test_a_success_is_called_relayed_where_nobody_will_say_more(make_pair, kind):
    both = make_pair(settings=WITHOUT[kind]('dsn'))
    both.submit(ELSEWHERE, message('notify', 'a\r\n', From=ALICE), rcpt_options=['NOTIFY=SUCCESS'])
    _, _, recipients, _ = parts_of(both.report())
    assert recipients[0]['Action'] == 'relayed' and recipients[0]['Status'].startswith('2.')
    both.received('notify')


def test_two_hundred_recipients_get_it_once_each(usual):
    to = [f'user{n}@{THERE}' for n in range(200)]
    usual.submit(to, message('two hundred', 'a\r\n', From=ALICE))

    def recipients():
        texts = [p.read_text(errors='replace') for p in usual.remote.files()]
        return [re.search(r'^(?:Delivered-To|Envelope-to): (\S+)$', text, re.M).group(1)
                for text in texts if '\nSubject: two hundred\n' in text]
    wait_until(lambda: len(recipients()) >= 200, 60, every=0.2, what='200 copies')
    time.sleep(0.5)
    assert sorted(recipients()) == sorted(to)


def test_a_server_that_takes_ten_recipients_at_a_time(make_pair, kind):
    limit = 'smtpd_recipient_limit = 10' if kind == 'postfix' else 'recipients_max = 10'
    both = make_pair(settings=[limit])
    to = [f'user{n}@{THERE}' for n in range(35)]
    both.submit(to, message('many', 'a\r\n', From=ALICE))
    both.remote.wait_stored(35, 60)
    wait_until(lambda: ': removed' in both.server.log(), what='the end of the message')
    assert len(both.remote.files()) == 35 and not reports(both.server)


def test_a_refused_recipient_is_reported_and_the_others_get_it(usual):
    before = len(reports(usual.server))
    usual.submit([ELSEWHERE, f'nobody@{THERE}'], message('refused', 'a\r\n', From=ALICE))
    usual.received('refused')
    report = usual.report(before + 1)
    notice, per_message, recipients, original = parts_of(report)
    assert [r['Final-Recipient'] for r in recipients] == [f'rfc822; nobody@{THERE}']
    assert recipients[0]['Action'] == 'failed' and recipients[0]['Status'].startswith('5.')
    assert recipients[0]['Remote-MTA'] == f'dns; mx.{THERE}'
    assert '550' in recipients[0]['Diagnostic-Code']
    assert email.utils.parsedate_to_datetime(per_message['Arrival-Date'])
    assert f'nobody@{THERE}' in notice
    assert original.get_payload()[0]['Subject'] == 'refused'
    assert not report.defects and not any(p.defects for p in report.walk())


class Policy(socketserver.ThreadingTCPServer):
    """A service of Postfix's policy protocol that lets in who comes a second time."""
    allow_reuse_address, daemon_threads = True, True

    def __init__(self):
        self.seen = []

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                lines = []
                for line in self.rfile:
                    if line != b'\n':
                        lines.append(line.decode().strip())
                        continue
                    recipient = dict(x.split('=', 1) for x in lines)['recipient']
                    lines = []
                    word = 'dunno' if recipient in self.server.seen else \
                        'defer_if_permit 4.2.0 greylisted, come back'
                    self.server.seen.append(recipient)
                    self.wfile.write(f'action={word}\n\n'.encode())
        super().__init__(('127.0.0.1', 0), Handler)

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


def test_who_is_greylisted_comes_back(programs):
    with Policy() as policy, pair('postfix', programs, settings=[
            'smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:'
            f'{policy.server_address[1]}']) as both:
        both.submit([ELSEWHERE, f'carol@{THERE}'], message('grey', 'a\r\n', From=ALICE))
        both.remote.wait_stored(2)
        assert sorted(policy.seen) == sorted([ELSEWHERE, f'carol@{THERE}'] * 2)
        assert re.search(r'dsn=4.2.0, status=deferred \(.*greylisted', both.server.log())
        assert not reports(both.server)


def test_a_message_that_is_too_large_is_not_even_begun(make_pair, kind):
    both = make_pair(settings=SMALL[kind])
    both.submit(ELSEWHERE, message('large', 'xxxxxxxx\r\n' * 5000, From=ALICE))
    _, _, recipients, _ = parts_of(both.report())
    assert recipients[0]['Status'] == '5.3.4' and recipients[0]['Action'] == 'failed'
    both.submit(ELSEWHERE, message('small', 'a\r\n', From=ALICE))
    both.received('small')
    assert len(both.remote.files()) == 1


def test_a_server_that_is_gone_for_a_while_gets_it_later(make_pair):
    both = make_pair()
    both.remote.end()
    both.submit(ELSEWHERE, message('patient', 'a\r\n', From=ALICE))
    wait_until(lambda: 'status=deferred' in both.server.log(), what='a first attempt')
    both.remote.launch()
    both.received('patient')


# Mail from them

def hand_over(remote, to, data, sender=ELSEWHERE, **options):
    with smtplib.SMTP('127.0.0.1', remote.port, timeout=TIMEOUT) as client:
        client.sendmail(sender, to, data, **options)


@pytest.mark.parametrize('name', BODIES)
def test_what_postfix_sends_arrives_byte_for_byte(sending, name):
    before = len(sending.server.stored(ALICE))
    sent = message(name, '', To=ALICE) + BODIES[name]
    hand_over(sending.remote, ALICE, sent, mail_options=['BODY=8BITMIME'])
    sending.server.wait_stored(ALICE, before + 1, seconds=30)
    found = [p.read_bytes() for p in sending.server.stored(ALICE)]
    expected = sent.replace(b'\r\n', b'\n')
    assert [m for m in found if m.endswith(expected)], found[-1][-2000:]
    assert re.search(r'Untrusted TLS connection established to 127.0.0.1', sending.remote.log())


@pytest.fixture(scope='module')
def sending(programs):
    with pair('postfix', programs, settings=[
            'mynetworks = 127.0.0.0/8', 'smtp_tls_security_level = encrypt',
            'smtp_tls_loglevel = 1']) as made:
        yield made


def new_report(peer, before):
    """The report that is there now and was not before."""
    path, = wait_until(lambda: set(peer.files()) - before, 20, what='a report')
    return email.message_from_bytes(path.read_bytes(), policy=email.policy.default)


def test_postfix_hears_of_a_recipient_that_does_not_exist(sending):
    before = set(sending.remote.files())
    hand_over(sending.remote, [f'nobody@{DOMAIN}', ALICE], message('to nobody', 'a\r\n', To=ALICE))
    report = new_report(sending.remote, before)
    assert report.get_content_type() == 'multipart/report'
    status = next(p for p in report.walk() if p.get_content_type() == 'message/delivery-status')
    assert status.get_payload()[1]['Status'] == '5.1.1'
    assert DOMAIN in status.get_payload()[1]['Diagnostic-Code']


def test_postfix_is_told_that_nobody_here_reports_success(sending):
    # Port 25 offers no DSN, so Postfix says itself that the message has left it.
    before = set(sending.remote.files())
    hand_over(sending.remote, ALICE, message('success', 'a\r\n', To=ALICE),
              mail_options=['ENVID=one', 'RET=HDRS'], rcpt_options=['NOTIFY=SUCCESS'])
    report = new_report(sending.remote, before)
    _, per_message, recipients, _ = parts_of(report)
    assert 'postfix.elsewhere.example' in report['From']
    assert per_message['Original-Envelope-Id'] == 'one'
    assert [(r['Action'], r['Final-Recipient']) for r in recipients] == \
        [('relayed', f'rfc822; {ALICE}')]


def test_postfix_sends_through_posthorn_with_a_login(make_server, tmp_path):
    if os.geteuid() != 0:
        pytest.skip('Postfix needs root')
    with Sink() as sink:
        server = make_server(accounts=[ALICE, f'bob@{DOMAIN}'], env=relay_to(sink))
        relay = f'[127.0.0.1]:{server.port("submission")}'
        logins = tmp_path / 'logins'
        logins.write_text(f'{relay} {ALICE}:{PASSWORD}\n')
        try:
            with Postfix(smarthost=server.port('submission'), settings=[
                    'mynetworks = 127.0.0.0/8', 'smtp_tls_security_level = encrypt',
                    'smtp_sasl_auth_enable = yes', 'smtp_sasl_security_options = noanonymous',
                    f'smtp_sasl_password_maps = texthash:{logins}']) as postfix:
                sent = message('through', 'Grüße\r\n.\r\n', From=ALICE)
                hand_over(postfix, ['x@far.example', f'bob@{DOMAIN}'], sent, sender=ALICE)
                accepted, = wait_accepted(sink, seconds=20)
                assert accepted.data.endswith(sent)
                stored, = server.wait_stored(f'bob@{DOMAIN}')
                assert stored.read_bytes().endswith(sent.replace(b'\r\n', b'\n'))
                assert 'relay=127.0.0.1' in postfix.log()
        except Missing as e:
            pytest.skip(str(e))
