"""Mail that leaves is signed, with the keys that users of OpenDKIM and Rspamd have."""
import base64
import os
import re
import signal
import smtplib

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from server import DOMAIN, HOSTNAME, Server, wait_until
from smtp_sink import Sink
from test_remote import ALICE, ELSEWHERE, relay_to, submit, wait_accepted
from wire import TIMEOUT, message

DER = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
RAW = serialization.Encoding.Raw, serialization.PublicFormat.Raw


def make_rsa():
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                            serialization.NoEncryption()).decode()
    public = base64.b64encode(key.public_key().public_bytes(*DER)).decode()
    return pem, f'v=DKIM1; k=rsa; p={public}'


def make_ed25519():
    key = ed25519.Ed25519PrivateKey.generate()
    seed = base64.b64encode(key.private_bytes(
        serialization.Encoding.Raw, serialization.PrivateFormat.Raw,
        serialization.NoEncryption())).decode()
    public = base64.b64encode(key.public_key().public_bytes(*RAW)).decode()
    return seed, f'v=DKIM1; k=ed25519; p={public}'


def put(server, name, text):
    path = server.config / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def use_opendkim(server, keys):
    """`keys` are {selector: private key}."""
    for selector, private in keys.items():
        put(server, f'opendkim/keys/{DOMAIN}/{selector}.private', private)
    put(server, 'opendkim/KeyTable', ''.join(
        f'{s}._domainkey.{DOMAIN} {DOMAIN}:{s}:/etc/opendkim/keys/{DOMAIN}/{s}.private\n'
        for s in keys))
    put(server, 'opendkim/SigningTable', ''.join(
        f'*@{DOMAIN} {s}._domainkey.{DOMAIN}\n' for s in keys))


def verifies(data, records, index=0):
    def find(name, timeout=5):
        selector = name.decode().split('.')[0]
        assert name.decode().rstrip('.') == f'{selector}._domainkey.{DOMAIN}'
        return records[selector].encode()
    return dkim.DKIM(data).verify(index, dnsfunc=find)


def signatures(data):
    header = data.split(b'\r\n\r\n', 1)[0]
    return re.findall(rb'(?m)^DKIM-Signature:', header)


TEXTS = ['Subject: hello\r\n\r\nHow are you?\r\n', f'From: {ALICE}\r\nSubject: x\r\n\r\n',
         f'From: "A" <{ALICE}>\r\nTo: b@c\r\n\tf@g\r\n\r\n.dot\r\n..\r\n \t\r\n\r\n\r\n',
         f'From: {ALICE}\r\nBcc: secret@example.net\r\nUser-Agent: x\r\n\r\nthe body',
         f'From: {ALICE}\r\n\r\n' + 'A line that is rather long.\r\n' * 40000]


def test_mail_of_users_is_signed_with_every_kind_of_key():
    (pem, rsa_record), (seed, ed_record) = make_rsa(), make_ed25519()
    records = {'mail': rsa_record, 'ed': ed_record}
    with Sink() as sink:
        server = Server(accounts=[ALICE], env=relay_to(sink))
        use_opendkim(server, {'mail': pem, 'ed': seed})
        with server:
            for text in TEXTS:
                submit(server, ELSEWHERE, text)
            messages = wait_accepted(sink, len(TEXTS))
    for message in messages:
        assert len(signatures(message.data)) == 2
        assert message.data.startswith(b'DKIM-Signature:')
        assert verifies(message.data, records, 0) and verifies(message.data, records, 1)
        forged = message.data.replace(b'From: ', b'From: eve@example.net\r\nFrom: ', 1)
        assert not verifies(forged, records)


def test_a_signature_of_ours_takes_the_place_of_an_older_one():
    pem, record = make_rsa()
    old = f'DKIM-Signature: v=1; d={DOMAIN}; s=forged; b=AAAA\r\n'
    with Sink() as sink:
        server = Server(accounts=[ALICE], env=relay_to(sink, SPOOF_PROTECTION='0'))
        use_opendkim(server, {'mail': pem})
        with server:
            submit(server, ELSEWHERE, f'{old}From: {ALICE}\r\n\r\nHow are you?\r\n')
            submit(server, ELSEWHERE, f'{old}From: a@other.example\r\n\r\nHow are you?\r\n')
            ours, theirs = (m.data for m in wait_accepted(sink, 2))
    assert len(signatures(ours)) == 1 and verifies(ours, {'mail': record})
    assert f'\r\nX-Old-DKIM-Sig: v=1; d={DOMAIN}; s=forged; b=AAAA\r\n'.encode() in ours
    assert old.encode() in theirs


def test_keys_of_rspamd_sign_where_it_is_enabled():
    pem, record = make_rsa()
    with Sink() as sink:
        server = Server(accounts=[ALICE], env=relay_to(
            sink, ENABLE_RSPAMD='1', ENABLE_RSPAMD_REDIS='0', ENABLE_OPENDKIM='0'))
        put(server, 'rspamd/dkim/rsa-2048-mail.private.txt', pem)
        put(server, 'rspamd/override.d/dkim_signing.conf',
            f'enabled = true;\ndomain {{\n  {DOMAIN} {{\n'
            '    path = "/tmp/docker-mailserver/rspamd/dkim/rsa-2048-mail.private.txt";\n'
            '    selector = "mail";\n  }\n}\n')
        with server:
            submit(server, ELSEWHERE)
            assert verifies(wait_accepted(sink)[0].data, {'mail': record})


def test_nothing_is_signed_where_that_is_not_wanted():
    with Sink() as sink:
        server = Server(accounts=[ALICE], env=relay_to(sink, ENABLE_OPENDKIM='0'))
        use_opendkim(server, {'mail': make_ed25519()[0]})
        with server:
            submit(server, ELSEWHERE)
            assert not signatures(wait_accepted(sink)[0].data)


def test_a_new_key_is_used_without_a_restart(make_server):
    with Sink() as sink:
        server = make_server(accounts=[ALICE], env=relay_to(sink, DMS_CONFIG_POLL='100ms'))
        submit(server, ELSEWHERE)
        assert not signatures(wait_accepted(sink)[0].data)
        seed, record = make_ed25519()
        use_opendkim(server, {'new': seed})
        wait_until(lambda: '1 keys for 1 patterns' in server.log(), what='the key')
        sent = 1

        def is_signed():
            """Where there was no key, none is asked for within a tenth of a second."""
            nonlocal sent
            submit(server, ELSEWHERE)
            sent += 1
            message = wait_accepted(sink, sent)[-1].data
            return signatures(message) and verifies(message, {'new': record})
        wait_until(is_signed, what='a signature')


def test_a_key_that_cannot_be_used_is_reported():
    server = Server(accounts=[ALICE])
    use_opendkim(server, {'mail': 'no key'})
    with server:
        assert re.search(r'opendkim/KeyTable: line 1: .*no private key', server.log())


def test_mail_waits_for_a_filter_that_died():
    seed, record = make_ed25519()
    with Sink() as sink:
        server = Server(accounts=[ALICE], env=relay_to(sink))
        use_opendkim(server, {'mail': seed})
        with server:
            server.kill_role('filter')
            submit(server, ELSEWHERE)
            assert verifies(wait_accepted(sink)[0].data, {'mail': record})


def test_keys_that_setup_makes_are_used_at_once(make_server):
    with Sink() as sink:
        server = make_server(accounts=[ALICE], env=relay_to(sink, DMS_CONFIG_POLL='100ms'))
        records = {}
        for selector, kind in (('mail', 'rsa'), ('ed', 'ed25519')):
            done = server.setup('config', 'dkim', 'selector', selector, 'keytype', kind)
            assert done.returncode == 0
            records[selector] = re.search(r'must be: (v=DKIM1;.*)', done.stderr).group(1)
        wait_until(lambda: '2 keys for 2 patterns' in server.log(), what='the keys')
        submit(server, ELSEWHERE)
        data = wait_accepted(sink)[0].data
        assert verifies(data, records, 0) and verifies(data, records, 1)


def refuse_elsewhere(argument):
    return '550 5.1.1 nobody here has that name' if ELSEWHERE in argument else None


def report_for_a_stranger(sink, before_sending=lambda server: None):
    """What a stranger hears of an alias that leads nowhere, and the log."""
    pem, record = make_rsa()
    server = Server(accounts=[ALICE], env=relay_to(sink))
    use_opendkim(server, {'mail': pem})
    server.write('postfix-virtual.cf', f'team@{DOMAIN} {ELSEWHERE}\n')
    with server:
        before_sending(server)
        with smtplib.SMTP('127.0.0.1', server.port('smtp'), timeout=TIMEOUT) as client:
            client.sendmail('stranger@far.example', [f'team@{DOMAIN}'], message())
        report, = wait_accepted(sink, seconds=20)
        for pid in server.roles()['filter']:
            os.kill(pid, signal.SIGCONT)
        log = server.log()
    assert report.mail.startswith('FROM:<>')
    assert f'\r\nFrom: MAILER-DAEMON@{HOSTNAME} '.encode() in b'\r\n' + report.data
    return report.data, record, log


def test_a_report_that_leaves_is_signed_by_the_domain_of_the_host():
    with Sink(replies={'RCPT': [refuse_elsewhere]}) as sink:
        data, record, log = report_for_a_stranger(sink)
    assert re.search(rb'^DKIM-Signature: [^:]*; d=' + DOMAIN.encode(),
                     data.replace(b'\r\n\t', b' '))
    assert verifies(data, {'mail': record})
    assert 'without a signature' not in log


def test_a_report_does_not_wait_for_a_filter_that_hangs():
    def stop_filter(server):
        server.kill_role('filter', signal.SIGSTOP)
        server.expected_deaths -= 1
    with Sink(replies={'RCPT': [refuse_elsewhere]}) as sink:
        data, _, log = report_for_a_stranger(sink, stop_filter)
    assert not signatures(data)
    assert 'leaves without a signature: ' in log
