"""The SMTP dialogue: RFC 5321 sections 3 and 4, extensions announced and kept."""
import re

import pytest
from server import DOMAIN, HOSTNAME
from wire import Wire


def extensions(reply):
    return {line.split()[0].upper(): line.split()[1:] for line in reply.lines[1:]}


def test_greeting_names_the_host(smtp):
    assert smtp.greeting.code == 220
    assert smtp.greeting.text.split()[0] == HOSTNAME
    assert 'ESMTP' in smtp.greeting.text


def test_ehlo_on_port_25_announces_what_is_served_there(smtp):
    announced = extensions(smtp.ehlo())
    for name in ('PIPELINING', 'SIZE', '8BITMIME', 'SMTPUTF8', 'STARTTLS', 'ENHANCEDSTATUSCODES',
                 'CHUNKING', 'BINARYMIME'):
        assert name in announced
    assert 'AUTH' not in announced
    assert int(announced['SIZE'][0]) > 0


def test_ehlo_names_the_host_first(smtp):
    assert smtp.ehlo().lines[0].split()[0] == HOSTNAME


def test_helo_answers_in_one_line(smtp):
    reply = smtp.expect('HELO client.example.org', 250)
    assert len(reply.lines) == 1 and HOSTNAME in reply.text


@pytest.mark.parametrize('text', ['HELO', 'EHLO'])
def test_greeting_without_a_name_is_a_syntax_error(smtp, text):
    smtp.expect(text, 501)


@pytest.mark.parametrize('name', ['client', '[127.0.0.1]', '[IPv6:::1]', 'xn--bcher-kva.example'])
def test_every_lawful_client_name_is_taken(smtp, name):
    smtp.ehlo(name)


def test_commands_are_known_in_any_case(smtp, user):
    smtp.expect('ehlo client', 250)
    smtp.expect('mAiL fRoM:<a@example.org>', 250)
    smtp.expect(f'rcpt to:<{user}>', 250)
    smtp.expect('rset', 250)
    smtp.expect('quit', 221)


def test_quit_is_answered_before_the_connection_ends(smtp):
    smtp.expect('QUIT', 221)
    assert smtp.at_end()


def test_noop_takes_an_argument(smtp):
    smtp.expect('NOOP', 250)
    smtp.expect('NOOP whatever', 250)


def test_help_is_answered(smtp):
    smtp.expect('HELP', 214, 250)


def test_vrfy_and_expn_reveal_nothing(smtp, user):
    smtp.ehlo()
    smtp.expect(f'VRFY {user}', 252)
    smtp.expect(f'VRFY nobody@{DOMAIN}', 252)
    smtp.expect('EXPN staff', 502, 252, 500)


@pytest.mark.parametrize('text', ['FOO', 'FOO BAR', 'MAILFROM:<a@b>', '', ' NOOP', 'NOOPX'])
def test_unknown_command_is_500(smtp, text):
    smtp.ehlo()
    smtp.expect(text, 500, 502)
    smtp.expect('NOOP', 250)


def test_obsolete_commands_are_refused(smtp):
    smtp.ehlo()
    for verb in ('TURN', 'SEND FROM:<a@b>', 'SOML FROM:<a@b>', 'SAML FROM:<a@b>'):
        smtp.expect(verb, 500, 502)


def test_replies_after_ehlo_carry_an_enhanced_code(smtp, user):
    smtp.ehlo()
    for text in ('MAIL FROM:<a@example.org>', f'RCPT TO:<{user}>', 'RSET', 'FOO', 'DATA'):
        reply = smtp.cmd(text)
        assert re.match(rf'{str(reply.code)[0]}\.\d+\.\d+ ', reply.text), f'{text}: {reply}'


# Order of commands: RFC 5321 4.1.4

def test_mail_needs_ehlo(smtp):
    smtp.expect('MAIL FROM:<a@example.org>', 503)


def test_rcpt_needs_mail_and_data_needs_rcpt(smtp, user):
    smtp.ehlo()
    smtp.expect(f'RCPT TO:<{user}>', 503)
    smtp.expect('DATA', 503)
    smtp.expect('MAIL FROM:<a@example.org>', 250)
    smtp.expect('DATA', 503, 554)


def test_second_mail_is_out_of_order(smtp):
    smtp.ehlo()
    smtp.mail()
    smtp.expect('MAIL FROM:<b@example.org>', 503)


@pytest.mark.parametrize('reset', ['RSET', 'EHLO again', 'HELO again'])
def test_transaction_is_dropped_by_rset_and_by_a_new_greeting(smtp, user, reset):
    smtp.ehlo()
    smtp.mail('a@example.org', user)
    smtp.expect(reset, 250)
    smtp.expect(f'RCPT TO:<{user}>', 503)
    smtp.mail('b@example.org', user)


def test_commands_without_arguments_refuse_them(smtp, user):
    smtp.ehlo()
    smtp.mail('a@example.org', user)
    smtp.expect('DATA now', 501)
    smtp.expect('RSET now', 501)


# Paths and parameters: RFC 5321 4.1.2, 4.1.1.2

@pytest.mark.parametrize('path', [
    '<>', '<a@example.org>', '<"a b"@example.org>', '<"a\\"b@c"@example.org>', '<a@[127.0.0.1]>',
    '<a@[IPv6:2001:db8::1]>', '<@one.example,@two.example:a@example.org>',
    "<o'brien+x@example.org>", '<' + 'l' * 64 + '@example.org>'])
def test_lawful_reverse_path_is_taken(smtp, path):
    smtp.ehlo()
    smtp.expect(f'MAIL FROM:{path}', 250)


@pytest.mark.parametrize('path', [
    '', '<', '<a', 'a@example.org>', '<a@>', '<@example.org>', '<a b@example.org>', '<a@b@c>',
    '<a@exa mple.org>', '<a@-example.org>', '<a..b@example.org>', '<.a@example.org>',
    '<a@example..org>', '<"a@example.org>', '<a@[1.2.3]>', '<a@example.org> <b@example.org>',
    '<a\x01b@example.org>'])
def test_unlawful_reverse_path_is_a_syntax_error(smtp, path):
    smtp.ehlo()
    smtp.expect(f'MAIL FROM:{path}', 501, 553, 555, 550)
    smtp.expect('MAIL FROM:<a@example.org>', 250)


@pytest.mark.parametrize('path', ['<>', '<', '<a', '<@>'])
def test_unlawful_forward_path_is_a_syntax_error(smtp, path):
    smtp.ehlo()
    smtp.mail()
    smtp.expect(f'RCPT TO:{path}', 501, 553, 550)


def test_overlong_path_is_refused(smtp):
    smtp.ehlo()
    smtp.expect('MAIL FROM:<' + 'a' * 200 + '@example.org>', 501, 553, 550)
    domain = '.'.join(['d' * 60] * 5)
    smtp.expect(f'MAIL FROM:<a@{domain}>', 501, 553, 550)


@pytest.mark.parametrize('params', [' SIZE=100', ' BODY=7BIT', ' BODY=8BITMIME', ' body=8bitmime',
                                    ' BODY=BINARYMIME', ' SMTPUTF8',
                                    ' SIZE=1 BODY=8BITMIME SMTPUTF8'])
def test_announced_parameter_is_taken(smtp, params):
    smtp.ehlo()
    smtp.expect(f'MAIL FROM:<a@example.org>{params}', 250)


@pytest.mark.parametrize('params', [' FOO=BAR', ' SIZE=x', ' SIZE=', ' BODY=9BIT', ' SMTPUTF8=1',
                                    ' SIZE=1 SIZE=1', ' =', ' SIZE=-1'])
def test_unknown_or_broken_parameter_is_refused(smtp, params):
    smtp.ehlo()
    smtp.expect(f'MAIL FROM:<a@example.org>{params}', 501, 504, 555)


def test_declared_size_beyond_the_limit_is_refused_at_once(smtp):
    limit = int(extensions(smtp.ehlo())['SIZE'][0])
    smtp.expect(f'MAIL FROM:<a@example.org> SIZE={limit + 1}', 552)
    smtp.expect('MAIL FROM:<a@example.org> SIZE=99999999999999999999', 501, 552)
    smtp.expect(f'MAIL FROM:<a@example.org> SIZE={limit}', 250)


def test_non_ascii_address_needs_smtputf8(smtp):
    smtp.ehlo()
    smtp.expect('MAIL FROM:<bücher@example.org>', 501, 550, 553)
    smtp.expect('MAIL FROM:<bücher@exämple.org> SMTPUTF8', 250)


def test_invalid_utf8_is_refused_even_with_smtputf8(smtp):
    smtp.ehlo()
    smtp.expect(b'MAIL FROM:<b\xfccher@example.org> SMTPUTF8', 501, 550, 553)


# Recipients

def test_unknown_user_of_our_domain_is_550(smtp):
    smtp.ehlo()
    smtp.mail()
    reply = smtp.expect(f'RCPT TO:<nobody@{DOMAIN}>', 550)
    assert reply.text.startswith('5.1.1 ')


@pytest.mark.parametrize('rcpt', ['a@elsewhere.example', f'a%elsewhere.example@other.{DOMAIN}',
                                  f'@{DOMAIN}:a@elsewhere.example',
                                  '"a@elsewhere.example"@x.example'])
def test_mail_for_others_is_not_relayed(smtp, rcpt):
    smtp.ehlo()
    smtp.mail()
    reply = smtp.expect(f'RCPT TO:<{rcpt}>', 550, 551, 554)
    assert reply.text.startswith('5.')


def test_recipient_is_found_in_any_case_and_with_an_extension(smtp, user):
    local, domain = user.split('@')
    smtp.ehlo()
    smtp.mail('a@example.org', user.upper(), f'{local}+detail@{domain}', f'"{local}"@{domain}')


def test_refused_recipient_does_not_harm_the_others(smtp, server, user):
    smtp.ehlo()
    smtp.mail('a@example.org', user)
    smtp.expect(f'RCPT TO:<nobody@{DOMAIN}>', 550)
    assert smtp.data('Subject: x\r\n\r\nx\r\n').code == 250
    server.wait_stored(user)


def test_postmaster_without_a_domain_is_lawful(smtp):
    # RFC 5321 4.5.1: every server knows <postmaster>; whether somebody reads it is configuration.
    smtp.ehlo()
    smtp.mail()
    assert smtp.cmd('RCPT TO:<Postmaster>').code in (250, 550)


# Pipelining: RFC 2920

def test_pipelined_commands_are_answered_in_order(smtp, server, user):
    smtp.ehlo()
    smtp.send(f'MAIL FROM:<a@example.org>\r\nRCPT TO:<nobody@{DOMAIN}>\r\nRCPT TO:<{user}>\r\n'
              'DATA\r\n')
    assert [smtp.reply().code for _ in range(4)] == [250, 550, 250, 354]
    smtp.send('Subject: piped\r\n\r\nbody\r\n.\r\nNOOP\r\nQUIT\r\n')
    assert [smtp.reply().code for _ in range(3)] == [250, 250, 221]
    server.wait_stored(user)


def test_data_after_refused_recipients_takes_no_message(smtp):
    smtp.ehlo()
    smtp.send(f'MAIL FROM:<a@example.org>\r\nRCPT TO:<nobody@{DOMAIN}>\r\nDATA\r\n')
    codes = [smtp.reply().code for _ in range(3)]
    assert codes[:2] == [250, 550] and codes[2] in (503, 554, 354)
    if codes[2] == 354:
        assert smtp.cmd('.').code == 554
    smtp.expect('NOOP', 250)


def test_commands_may_come_byte_by_byte(smtp, user):
    for byte in b'EHLO slow.example.org\r\n':
        smtp.send(bytes([byte]))
    assert smtp.reply().code == 250
    smtp.mail('a@example.org', user)


def test_client_that_vanishes_is_no_harm(server, user):
    for text in ('', 'EHLO x\r\n',
                 f'EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<{user}>\r\nDATA\r\nx'):
        with Wire(server, 'smtp') as wire:
            wire.send(text)
    with Wire(server, 'smtp') as wire:
        wire.ehlo()
    assert server.stored(user) == []
