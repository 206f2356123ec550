"""STARTTLS (RFC 3207) and implicit TLS (RFC 8314)."""
import smtplib
import ssl

import pytest
from wire import TIMEOUT, Wire, deliver, fetch_all, insecure_tls, message


def test_starttls_starts_the_session_over(smtp, user):
    smtp.ehlo()
    smtp.mail('a@example.org', user)
    smtp.starttls()
    smtp.expect(f'RCPT TO:<{user}>', 503)
    smtp.expect('MAIL FROM:<a@example.org>', 503)    # RFC 3207 4.2: not even the EHLO counts
    reply = smtp.ehlo()
    assert 'STARTTLS' not in [line.split()[0] for line in reply.lines]


def test_requiretls_can_be_asked_for_over_tls_only(smtp, user):
    # RFC 8689 2
    assert 'REQUIRETLS' not in smtp.ehlo().lines
    smtp.expect('MAIL FROM:<a@example.org> REQUIRETLS', 555)
    smtp.starttls()
    assert 'REQUIRETLS' in smtp.ehlo().lines
    smtp.expect('MAIL FROM:<a@example.org> REQUIRETLS=1', 501)
    smtp.expect('MAIL FROM:<a@example.org> REQUIRETLS', 250)
    smtp.expect(f'RCPT TO:<{user}>', 250)


def test_second_starttls_is_refused(smtp):
    smtp.ehlo()
    smtp.starttls()
    smtp.ehlo()
    smtp.expect('STARTTLS', 503, 502, 554)


def test_starttls_takes_no_argument(smtp):
    smtp.ehlo()
    smtp.expect('STARTTLS now', 501)


@pytest.mark.parametrize('service', ['smtp', 'submission'])
def test_commands_injected_before_tls_are_not_executed(server, service):
    # RFC 3207 4.2; CVE-2011-0411 and its relatives
    with Wire(server, service) as wire:
        wire.ehlo()
        wire.send('STARTTLS\r\nEHLO injected\r\nNOOP\r\n')
        reply = wire.reply()
        if reply.code != 220:
            return
        try:
            wire.start_tls_now()
        except (ssl.SSLError, ConnectionError):
            return          # hanging up is an answer too
        reply = wire.cmd('MAIL FROM:<a@example.org>')
        assert reply.code in (503, 530), f'an injected EHLO took effect: {reply}'


def test_mail_over_starttls_says_esmtps(server, user):
    with smtplib.SMTP('127.0.0.1', server.port('smtp'), timeout=TIMEOUT) as client:
        client.starttls(context=insecure_tls())
        client.sendmail('a@example.org', user, message('tls'))
    server.wait_stored(user)
    assert b'with ESMTPS id' in b' '.join(fetch_all(server, user)[0].split())


def test_plain_text_in_the_handshake_ends_the_connection_only(server, user):
    with Wire(server, 'smtp') as wire:
        wire.ehlo()
        wire.expect('STARTTLS', 220)
        wire.send('this is no ClientHello\r\n' * 10)
        while wire.file.read(1):
            pass
    deliver(server, user, message('after'))
    server.wait_stored(user)


def test_plain_text_on_the_tls_port_ends_the_connection_only(server):
    with Wire(server, 'submissions', greet=False) as wire:
        wire.send('EHLO x\r\n' * 10)
        try:
            wire.file.read()
        except ConnectionError:
            pass
    with Wire(server, 'submissions', tls=True) as wire:
        wire.ehlo()


@pytest.mark.parametrize('version', [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_modern_protocol_is_spoken(server, version):
    with Wire(server, 'submissions', greet=False) as wire:
        wire.start_tls_now(insecure_tls(version, version))
        assert wire.reply().code == 220
        assert wire.socket.version() == version.name.replace('_', '.')


@pytest.mark.filterwarnings('ignore::DeprecationWarning')
def test_old_protocol_is_not(server):
    context = insecure_tls(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)
    context.set_ciphers('ALL:@SECLEVEL=0')
    with Wire(server, 'submissions', greet=False) as wire:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            wire.start_tls_now(context)


def test_certificate_names_the_host(server):
    pem = ssl.get_server_certificate(('127.0.0.1', server.port('imaps')), timeout=TIMEOUT)
    assert ssl.PEM_cert_to_DER_cert(pem)
    context = ssl.create_default_context(cadata=pem)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    with Wire(server, 'submissions', greet=False) as wire:
        wire.start_tls_now(context)     # checks that the name is mail.example.test
        assert wire.reply().code == 220
