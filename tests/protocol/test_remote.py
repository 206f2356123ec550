"""Mail that leaves: from a submission to another server, which is a sink on the loopback.

POSTHORN_CRASH_ROUNDS sets how many times a role is killed (6).
"""
import email
import email.policy
import email.utils
import os
import random
import re
import smtplib
import ssl
import threading
import time

from server import DOMAIN, PASSWORD, SLOW, wait_until
from smtp_sink import Sink
from wire import TIMEOUT

ROUNDS = int(os.environ.get('POSTHORN_CRASH_ROUNDS', '6'))
VICTIMS = ('queue', 'courier', 'auth', 'queue', 'courier', 'mailbox')
ALICE = f'alice@{DOMAIN}'
ELSEWHERE = 'bob@elsewhere.example'


def submit(server, to, text='Subject: hello\r\n\r\nHow are you?\r\n', sender=ALICE, **options):
    to = [to] if isinstance(to, str) else to
    with smtplib.SMTP_SSL('127.0.0.1', server.port('submissions'), timeout=TIMEOUT,
                          context=_context()) as client:
        client.login(ALICE, PASSWORD)
        return client.sendmail(sender, to, text, **options)


def submit_many(server, count):
    """The same message again and again, in one session."""
    with smtplib.SMTP_SSL('127.0.0.1', server.port('submissions'), timeout=TIMEOUT,
                          context=_context()) as client:
        client.login(ALICE, PASSWORD)
        for _ in range(count):
            client.sendmail(ALICE, [ELSEWHERE], 'Subject: hello\r\n\r\nHow are you?\r\n')


def _context():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def relay_to(sink, **env):
    return {'DEFAULT_RELAY_HOST': f'[127.0.0.1]:{sink.port}', 'POSTHORN_REMOTE_RETRY_MIN': '300ms',
            **env}


def wait_accepted(sink, count=1, seconds=10):
    wait_until(lambda: len(sink.accepted) >= count, seconds, what=f'{count} messages in the sink')
    return sink.accepted


def reports(server, user=ALICE):
    found = []
    for path in server.stored(user):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        if message.get_content_type() == 'multipart/report':
            found.append(message)
    return found


def test_a_user_sends_to_another_server(make_server):
    with Sink() as sink:
        server = make_server(accounts=[ALICE], env=relay_to(sink))
        submit(server, [ELSEWHERE, 'carol@elsewhere.example'])
        message, = wait_accepted(sink)
        assert message.mail.startswith(f'FROM:<{ALICE}>')
        assert [r.split()[0] for r in message.recipients] == \
            [f'TO:<{ELSEWHERE}>', 'TO:<carol@elsewhere.example>']
        assert b'\r\n\r\nHow are you?\r\n' in message.data
        wait_until(lambda: 'removed' in server.log(), what='the end of the message')
        assert re.search(rf'to=<{ELSEWHERE}>, relay=.*\[127\.0\.0\.1\]:{sink.port}, .*'
                         r'status=sent \(250 ', server.log())


def test_a_message_has_as_many_recipients_as_the_settings_say_however_long_they_are(make_server):
    domain = '.'.join(['d' * 60] * 3)
    to = [f'{n:04d}{"u" * 60}@{domain}' for n in range(1000)]
    with Sink() as sink:
        server = make_server(accounts=[ALICE], env=relay_to(sink))
        with smtplib.SMTP_SSL('127.0.0.1', server.port('submissions'), timeout=TIMEOUT,
                              context=_context()) as client:
            client.login(ALICE, PASSWORD)
            client.ehlo()
            client.mail(ALICE)
            for address in to:
                code, text = client.rcpt(address, [f'ORCPT=rfc822;{address}'])
                assert code == 250, (address, code, text)
            code, text = client.data('Subject: long\r\n\r\nHow are you?\r\n')
            assert code == 250, text
        wait_accepted(sink, 10)
        assert sorted(r.split()[0][4:-1] for m in sink.accepted for r in m.recipients) == to


def test_an_agent_behind_a_local_socket_gets_the_mail_of_accounts(make_server, tmp_path):
    path = f'{tmp_path}/Agent.sock'
    with Sink(address=path, lmtp=True) as sink:
        server = make_server(accounts=[ALICE], env={'POSTFIX_DAGENT': f'lmtp:unix:{path}'})
        submit(server, ALICE)
        message, = wait_accepted(sink)
        assert message.recipients[0].split()[0] == f'TO:<{ALICE}>'
        wait_until(lambda: 'status=sent' in server.log(), what='the end of the delivery')
        assert f'[{path}], ' in server.log()
        assert server.stored(ALICE) == []


def test_a_next_hop_that_makes_no_sense_is_a_clear_error(make_server):
    for name, value in (('POSTFIX_DAGENT', 'lmtp:unix:'), ('DEFAULT_RELAY_HOST', '[relay')):
        server = make_server(start=False, env={name: value})
        server.start(wait=False)
        server.process.wait(15 * SLOW)
        assert server.process.returncode != 0
        assert f'{name}: {value}: not ' in server.output()
        server.process = None


def test_a_report_about_many_recipients_and_a_long_message_arrives(make_server):
    to = [f'{n:02d}{"u" * 60}@{"d" * 60}.example' for n in range(60)]
    with Sink(replies={'RCPT': ['550 5.1.1 ' + 'no such user ' * 20]}) as sink:
        server = make_server(accounts=[ALICE], env=relay_to(sink))
        submit(server, to, 'Subject: long\r\n\r\n' + 'A line of text.\r\n' * 2800)
        wait_until(lambda: reports(server), what='the report')
        report, = reports(server)
        assert all(address in report.as_string() for address in to)


def test_a_stranger_does_not(make_server):
    with Sink() as sink:
        server = make_server(accounts=[ALICE], env=relay_to(sink))
        with smtplib.SMTP('127.0.0.1', server.port('smtp'), timeout=TIMEOUT) as client:
            client.ehlo('client.example')
            client.mail('x@elsewhere.example')
            code, text = client.rcpt(ELSEWHERE)
        assert (code, b'Relay access denied' in text) == (554, True)


def test_an_alias_leads_to_another_server(make_server):
    with Sink() as sink:
        server = make_server(accounts=[ALICE], env=relay_to(sink, DMS_CONFIG_POLL='100ms'))
        server.write('postfix-virtual.cf', f'team@{DOMAIN} {ALICE},{ELSEWHERE}\n')

        def is_sent():
            try:
                with smtplib.SMTP('127.0.0.1', server.port('smtp'), timeout=TIMEOUT) as client:
                    client.sendmail('x@elsewhere.example', [f'team@{DOMAIN}'], 'Subject: a\n\nb')
                return True
            except smtplib.SMTPRecipientsRefused:
                return False
        wait_until(is_sent, what='the alias')
        message, = wait_accepted(sink)
        assert message.recipients[0].startswith(f'TO:<{ELSEWHERE}>')
        server.wait_stored(ALICE)


def test_a_relay_map_takes_effect_without_a_restart(make_server):
    with Sink() as usual, Sink() as special:
        server = make_server(accounts=[ALICE], env=relay_to(usual, DMS_CONFIG_POLL='100ms'))
        submit(server, ELSEWHERE)
        wait_accepted(usual)
        server.write('postfix-relaymap.cf', f'@{DOMAIN} [127.0.0.1]:{special.port}\n')

        def sent_by_the_other():
            submit(server, ELSEWHERE)
            time.sleep(0.3)
            return special.accepted
        wait_until(sent_by_the_other, 15, what='the relay map')


def test_a_greylisted_message_is_sent_later(make_server):
    with Sink(replies={'RCPT': ['450 4.2.0 greylisted', '250 ok']}) as sink:
        server = make_server(accounts=[ALICE], env=relay_to(sink))
        submit(server, ELSEWHERE)
        wait_accepted(sink)
        assert re.search(r'status=deferred \(.*greylisted', server.log())


def test_a_refused_recipient_comes_back_as_a_report(make_server):
    def unknown(argument):
        return '550 5.1.1 no such user' if 'nobody' in argument else '250 ok'

    with Sink(replies={'RCPT': [unknown]}) as sink:
        server = make_server(accounts=[ALICE], env=relay_to(sink))
        submit(server, ['nobody@elsewhere.example', ELSEWHERE])
        wait_accepted(sink)
        server.wait_stored(ALICE)
        report, = reports(server)
        assert report['To'] == ALICE
        status = report.get_payload()[1].get_payload()[1]
        assert status['Action'] == 'failed'
        assert 'nobody@elsewhere.example' in status['Final-Recipient']
        assert '550 5.1.1 no such user' in status['Diagnostic-Code']
        assert len(sink.accepted[0].recipients) == 1


def test_what_was_under_way_when_the_queue_died_is_not_sent_twice(make_server):
    def slowly(_):
        time.sleep(1.5)
        return '250 2.0.0 taken'

    with Sink(replies={'END': [slowly]}) as sink:
        server = make_server(accounts=[ALICE], env=relay_to(sink))
        for _ in range(3):
            submit(server, ELSEWHERE)
        wait_until(lambda: len(sink.sessions) == 3, what='three sessions')
        time.sleep(0.5)
        server.kill_role('queue')
        wait_accepted(sink, 3)
        wait_until(lambda: server.log().count(': removed') == 3, what='the end of the messages')
        time.sleep(0.5)
        assert len(sink.accepted) == 3


class Submitter(threading.Thread):
    """Sends until told to stop; remembers which recipients were accepted."""

    def __init__(self, server, number):
        super().__init__(daemon=True)
        self.server, self.number = server, number
        self.rng = random.Random(number)
        self.acknowledged, self.sent, self.ended = [], 0, threading.Event()

    def run(self):
        while not self.ended.is_set():
            self.sent += 1
            names = [f'{kind}-{self.number}-{self.sent}-{n}@elsewhere.example' for n, kind in
                     enumerate(self.rng.choices(('good', 'good', 'late', 'bad'), k=2))]
            try:
                submit(self.server, names)
                self.acknowledged += names
            except (smtplib.SMTPException, OSError):
                self.ended.wait(0.05)


def test_whatever_is_killed_each_recipient_is_delivered_bounced_or_queued(make_server):
    """At the end nothing is queued: each is delivered or bounced, and bounced once."""
    tried = set()

    def answer(argument):
        if 'bad-' in argument:
            return '550 5.1.1 no such user'
        if 'late-' in argument and argument not in tried:
            tried.add(argument)
            return '450 4.2.0 later'
        return '250 ok'

    with Sink(replies={'RCPT': [answer]}) as sink:
        server = make_server(accounts=[ALICE], env=relay_to(sink))
        submitters = [Submitter(server, n) for n in range(4)]
        for s in submitters:
            s.start()
        try:
            for n in range(ROUNDS):
                time.sleep(0.4 * SLOW)
                server.kill_role(VICTIMS[n % len(VICTIMS)])
        finally:
            for s in submitters:
                s.ended.set()
            for s in submitters:
                s.join(TIMEOUT)
        acknowledged = [name for s in submitters for name in s.acknowledged]
        assert len(acknowledged) > 20

        def outcome():
            delivered = [r for m in sink.accepted for r in re.findall(r'TO:<(.*?)>',
                                                                      ' '.join(m.recipients))]
            bounced = [name for r in reports(server)
                       for name in re.findall(r'Final-Recipient: rfc822; *(\S+)', str(r))]
            return delivered, bounced

        def all_there():
            delivered, bounced = outcome()
            return not set(acknowledged) - set(delivered) - set(bounced)
        try:
            wait_until(all_there, 60, every=0.5, what='the end of every recipient')
        except AssertionError:
            delivered, bounced = outcome()
            lost = set(acknowledged) - set(delivered) - set(bounced)
            raise AssertionError(f'{len(lost)} of {len(acknowledged)} lost: {sorted(lost)[:5]}') \
                from None
        time.sleep(0.5)
        delivered, bounced = outcome()
        assert not set(delivered) & set(bounced)
        assert all(name.startswith('bad-') for name in bounced)
        assert len(bounced) == len(set(bounced)), 'a report came twice'
        # What was under way when the courier or the queue died may come twice, nothing else.
        assert len(delivered) - len(set(delivered)) <= ROUNDS * len(submitters) * 2


def parts_of(report):
    assert report.get_content_type() == 'multipart/report'
    assert report.get_param('report-type') == 'delivery-status'
    notice, status, original = report.get_payload()
    per_message, *per_recipient = status.get_payload()
    return notice.get_content(), per_message, per_recipient, original


def refuse(argument):
    if 'nobody' in argument:
        return '550 5.1.1 no such user'
    return '552 5.2.2 full' if 'full' in argument else '250 ok'


def test_a_report_says_everything_that_is_known(make_server):
    with Sink(replies={'RCPT': [refuse]}) as sink:
        server = make_server(accounts=[ALICE], env=relay_to(sink))
        submit(server, ['nobody@elsewhere.example', 'full@elsewhere.example', ELSEWHERE],
               mail_options=['ENVID=QQ+2B42', 'RET=HDRS'],
               rcpt_options=['NOTIFY=FAILURE', 'ORCPT=rfc822;old+2B1@elsewhere.example'])
        server.wait_stored(ALICE)
        report, = reports(server)
        notice, message, recipients, original = parts_of(report)
        assert 'MAILER-DAEMON@mail.example.test' in report['From']
        assert report['Auto-Submitted'] == 'auto-replied'
        assert message['Original-Envelope-Id'] == 'QQ+42'
        assert message['Reporting-MTA'] == 'dns; mail.example.test'
        assert email.utils.parsedate_to_datetime(message['Arrival-Date'])
        assert sorted(r['Final-Recipient'].split('; ')[1] for r in recipients) == \
            ['full@elsewhere.example', 'nobody@elsewhere.example']
        for r in recipients:
            assert r['Action'] == 'failed'
            assert r['Original-Recipient'] == 'rfc822;old+1@elsewhere.example'
            assert r['Remote-MTA'].startswith('dns; ')
            assert r['Diagnostic-Code'].startswith('smtp; 55')
        assert sorted(r['Status'] for r in recipients) == ['5.1.1', '5.2.2']
        assert 'There is no such address.' in notice and 'The mailbox is full.' in notice
        assert original.get_content_type() == 'text/rfc822-headers'
        assert 'How are you?' not in original.as_string()


def test_what_requires_tls_is_refused_where_there_is_none_and_not_returned_whole(make_server):
    with Sink() as sink:
        server = make_server(accounts=[ALICE], env=relay_to(sink))
        submit(server, ELSEWHERE, mail_options=['REQUIRETLS'])
        server.wait_stored(ALICE)
        *_, original = parts_of(reports(server)[0])
        assert original.get_content_type() == 'text/rfc822-headers'
        assert '5.7.30' in reports(server)[0].as_string()
        assert not sink.messages


def test_a_wish_for_no_tls_is_taken_from_the_header(make_server):
    # RFC 8689 3; 4.1: REQUIRETLS weighs more.
    text = 'Subject: a\r\nTLS-Required: no\r\n\r\nb\r\n'
    with Sink() as sink:
        server = make_server(accounts=[ALICE], env=relay_to(sink))
        submit(server, ELSEWHERE, text)
        assert b'TLS-Required: no' in wait_accepted(sink)[0].data
        submit(server, ELSEWHERE, text, mail_options=['REQUIRETLS'])
        server.wait_stored(ALICE)
        assert '5.7.30' in reports(server)[0].as_string()


def test_a_report_returns_the_message_if_it_is_not_too_large(make_server):
    with Sink(replies={'RCPT': [refuse]}) as sink:
        server = make_server(accounts=[ALICE], env=relay_to(sink))
        submit(server, 'nobody@elsewhere.example')
        server.wait_stored(ALICE)
        *_, original = parts_of(reports(server)[0])
        assert original.get_content_type() == 'message/rfc822'
        assert original.get_payload()[0].get_content() == 'How are you?\n'

        submit(server, 'nobody@elsewhere.example',
               'Subject: large\r\n\r\n' + 'x' * 70 + '\r\n' + ('y' * 70 + '\r\n') * 800)
        server.wait_stored(ALICE, 2)
        large, = (r for r in reports(server)
                  if parts_of(r)[3].get_content_type() == 'text/rfc822-headers')
        assert 'Subject: large' in large.as_string()


def test_a_priority_is_passed_on_also_after_a_crash(make_server):
    # RFC 6710
    with Sink(replies={'RCPT': ['450 4.2.0 later']}, ehlo=['PIPELINING', 'MT-PRIORITY']) as sink:
        server = make_server(accounts=[ALICE], env=relay_to(sink, POSTHORN_REMOTE_RETRY_MIN='2s'))
        submit(server, ELSEWHERE, mail_options=['MT-PRIORITY=-3'])
        wait_until(lambda: 'status=deferred' in server.log(), what='the first attempt')
        server.kill_all()
        sink.replies['RCPT'] = ['250 ok']
        server.start()
        message, = wait_accepted(sink)
        assert ' MT-PRIORITY=-3' in message.mail
        assert b'\r\n\tPRIORITY -3;\r\n' in message.data
        submit(server, ELSEWHERE)
        wait_accepted(sink, 2)
        assert 'MT-PRIORITY' not in sink.accepted[1].mail
    with Sink(port=sink.port) as sink:
        submit(server, ELSEWHERE, mail_options=['MT-PRIORITY=9'])
        message, = wait_accepted(sink)
        assert 'MT-PRIORITY' not in message.mail
