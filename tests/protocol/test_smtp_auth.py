"""Submission: AUTH (RFC 4954) and the rules of ports 587 and 465 (RFC 6409)."""
import smtplib
import time

import pytest
from server import DOMAIN, PASSWORD, SLOW
from wire import TIMEOUT, Wire, b64, insecure_tls, message, plain


@pytest.fixture
def secure(server):
    """Port 465, greeted, not logged in."""
    with Wire(server, 'submissions', tls=True) as wire:
        wire.ehlo()
        yield wire


def test_587_wants_tls_first(server, user):
    with Wire(server, 'submission') as wire:
        announced = [line.split()[0] for line in wire.ehlo().lines]
        assert 'STARTTLS' in announced and 'AUTH' not in announced
        wire.expect('MAIL FROM:<a@example.org>', 530)
        wire.expect('AUTH PLAIN ' + plain(user), 530, 538, 503, 504)


def test_a_login_in_clear_text_is_forgotten_by_starttls(make_server):
    # RFC 3207 4.2: whoever sits on the wire could log in, and let the client's mail be his
    server = make_server(env={'POSTHORN_ALLOW_PLAINTEXT_AUTH': '1'})
    with Wire(server, 'submission') as wire:
        wire.ehlo()
        wire.login(f'user0@{DOMAIN}')
        wire.starttls()
        wire.ehlo()
        wire.expect('MAIL FROM:<a@example.org>', 250)
        wire.expect(f'RCPT TO:<user1@{DOMAIN}>', 554)
        wire.expect('RSET', 250)
        wire.login(f'user1@{DOMAIN}')


def test_mechanisms_are_announced_under_tls(secure):
    auth = [line for line in secure.ehlo().lines if line.upper().startswith('AUTH ')]
    assert auth and {'PLAIN', 'LOGIN'} <= set(auth[0].split())


def test_port_25_has_no_auth(smtp, user):
    smtp.ehlo()
    smtp.starttls()
    smtp.ehlo()
    smtp.expect('AUTH PLAIN ' + plain(user), 502, 503)


def test_submission_without_login_is_refused(secure, user):
    codes = [secure.cmd('MAIL FROM:<a@example.org>').code, secure.cmd(f'RCPT TO:<{user}>').code]
    assert codes[0] in (530, 250) and codes[1] in (530, 503, 554), codes


def test_plain_with_initial_response(secure, user):
    secure.expect('AUTH PLAIN ' + plain(user), 235)


def test_plain_with_a_challenge(secure, user):
    reply = secure.expect('AUTH PLAIN', 334)
    assert reply.text.strip() == ''
    secure.expect(plain(user), 235)


def test_plain_with_the_same_authorisation_identity(secure, user):
    secure.expect('AUTH PLAIN ' + plain(user, authzid=user), 235)


def test_plain_for_somebody_else_is_refused(secure, user, other_user):
    secure.expect('AUTH PLAIN ' + plain(user, authzid=other_user), 535)


def test_login_asks_for_name_and_password(secure, user):
    assert secure.expect('AUTH LOGIN', 334).text == b64('Username:')
    assert secure.expect(b64(user), 334).text == b64('Password:')
    secure.expect(b64(PASSWORD), 235)


def test_login_takes_the_name_at_once(secure, user):
    secure.expect(f'AUTH LOGIN {b64(user)}', 334)
    secure.expect(b64(PASSWORD), 235)


def test_names_are_known_in_any_case(secure, user):
    secure.expect('auth plain ' + plain(user.upper()), 235)


def test_wrong_password_and_unknown_user_look_the_same(server, user):
    answers, times = set(), []
    for name, password in ((user, 'wrong'), (f'nobody@{DOMAIN}', 'wrong')):
        with Wire(server, 'submissions', tls=True) as wire:
            wire.ehlo()
            before = time.monotonic()
            answers.add(str(wire.expect('AUTH PLAIN ' + plain(name, password), 535)))
            times.append(time.monotonic() - before)
    assert len(answers) == 1
    assert abs(times[0] - times[1]) < 1.5 * SLOW


def test_login_after_a_failure_works(secure, user):
    secure.expect('AUTH PLAIN ' + plain(user, 'wrong'), 535)
    secure.expect('AUTH PLAIN ' + plain(user), 235)


@pytest.mark.parametrize('response', ['!', 'AAA', '====',
                         b64('no zero bytes'), b64('\0\0'), 'A' * 20000])
def test_broken_response_is_refused(server, response):
    with Wire(server, 'submissions', tls=True) as wire:
        wire.ehlo()
        assert wire.cmd('AUTH PLAIN ' + response).code in (500, 501, 535)


def test_exchange_can_be_cancelled(secure):
    secure.expect('AUTH LOGIN', 334)
    secure.expect('*', 501)
    secure.expect('NOOP', 250)


def test_unknown_mechanism_is_504(secure):
    secure.expect('AUTH GSSAPI', 504)
    secure.expect('AUTH', 501)


def test_second_login_and_login_in_a_transaction_are_out_of_order(secure, user):
    secure.login(user)
    secure.expect('AUTH PLAIN ' + plain(user), 503)


def test_everything_before_login_is_forgotten_after_quit_only(submission, server, user, other_user):
    submission.mail(user, other_user)
    assert submission.data(message('submitted')).code == 250
    server.wait_stored(other_user)


def test_log_names_the_login(server, user):
    with Wire(server, 'submissions', tls=True) as wire:
        wire.ehlo()
        wire.login(user)
        wire.mail(user, user)
        assert wire.data(message('log')).code == 250
    server.wait_stored(user)
    assert user in server.log()
    assert PASSWORD not in server.log()


def test_a_user_may_send_to_other_servers(submission, user):
    submission.mail(user)
    assert submission.cmd('RCPT TO:<a@elsewhere.example>').code == 250


def test_many_failures_end_the_session(server, user):
    with Wire(server, 'submissions', tls=True) as wire:
        wire.ehlo()
        codes = []
        for _ in range(12):
            codes.append(wire.cmd('AUTH PLAIN ' + plain(f'nobody{_}@{DOMAIN}', 'x')).code)
            if codes[-1] == 421:
                break
        assert codes[-1] == 421, codes


def test_smtplib_submits(server, user, other_user):
    for connect in (lambda: starttls(server), lambda: smtplib.SMTP_SSL(
            '127.0.0.1', server.port('submissions'), context=insecure_tls(), timeout=TIMEOUT)):
        with connect() as client:
            client.login(user, PASSWORD)
            client.sendmail(user, [other_user], message('lib'))
    server.wait_stored(other_user, 2)


def starttls(server):
    client = smtplib.SMTP('127.0.0.1', server.port('submission'), timeout=TIMEOUT)
    client.starttls(context=insecure_tls())
    return client


def test_a_login_writes_in_its_own_name(make_server):
    alice, bob = f'alice@{DOMAIN}', f'bob@{DOMAIN}'
    server = make_server(start=False, accounts=[alice, bob],
                         env={'POSTHORN_CHECK_HEADER_FROM': '1'})
    server.write('postfix-virtual.cf', f'team@{DOMAIN} {alice}\n')
    server.start()
    with smtplib.SMTP_SSL('127.0.0.1', server.port('submissions'), context=insecure_tls(),
                          timeout=TIMEOUT) as client:
        client.login(alice, PASSWORD)
        for author in (bob, f'Alice <{alice}>, {bob}', 'alice'):
            with pytest.raises(smtplib.SMTPDataError) as refusal:
                client.sendmail(alice, [bob], f'From: {author}\r\n\r\nx\r\n')
            assert refusal.value.smtp_code == 550
            assert b'not owned by user' in refusal.value.smtp_error
        for author in (f'"Bob" <{alice.upper()}>', f'team@{DOMAIN}'):
            client.sendmail(alice, [bob], f'From: {author}\r\n\r\nx\r\n')
    server.wait_stored(bob, 2)


def test_parts_of_submitted_mail_do_not_tell_of_the_users_machine(server, user, other_user):
    part = 'X-Mailer: secret\r\nContent-Type: message/rfc822\r\n\r\nUser-Agent: secret\r\n' \
           'Subject: inner\r\n\r\ntext\r\n'
    signed = '--c\r\nX-Mailer: signed\r\n\r\ntext\r\n--c--\r\n'
    body = f'--b\r\n{part}--b\r\n' \
           f'Content-Type: multipart/signed; boundary=c\r\n\r\n{signed}--b--\r\n'
    with starttls(server) as client:
        client.login(user, PASSWORD)
        client.sendmail(user, [other_user],
                        f'Content-Type: multipart/mixed; boundary=b\r\n\r\n{body}')
    stored = server.wait_stored(other_user)[0].read_text()
    assert 'secret' not in stored and 'X-Mailer: signed' in stored and 'Subject: inner' in stored
