"""Programs that run beside the server: stand-ins that write down how they are called, and the real
fetchmail and getmail."""
import os
import shutil
import signal

import pytest
from server import DOMAIN, PASSWORD, wait_until
from wire import deliver, message

USERS = [f'user{n}@{DOMAIN}' for n in range(2)]

STAND_IN = '''#!/bin/sh
echo "$0 $*" >> "{calls}"
trap 'echo "$0 ended" >> "{calls}"; exit 0' TERM
{then}
'''
STAY = 'while :; do sleep 0.1; done'


@pytest.fixture
def programs(tmp_path):
    """make(name, then): a program of that name in `path`; `calls` is what they wrote."""
    class Programs:
        path = tmp_path / 'bin'
        calls = tmp_path / 'calls'

        def make(self, name, then=STAY):
            self.path.mkdir(exist_ok=True)
            program = self.path / name
            program.write_text(STAND_IN.format(calls=self.calls, then=then))
            program.chmod(0o755)

        def called(self):
            return self.calls.read_text() if self.calls.exists() else ''

        def env(self, **more):
            return {'PATH': f'{self.path}:{os.environ["PATH"]}', **more}
    return Programs()


def test_none_without_being_asked(make_server, programs):
    programs.make('fetchmail')
    make_server(env=programs.env())
    assert programs.called() == ''


@pytest.mark.parametrize('setting, names', [
    ('ENABLE_RSPAMD', ['redis-server', 'rspamd']), ('ENABLE_CLAMAV', ['clamd', 'freshclam'])])
def test_started_and_stopped_with_the_server(make_server, programs, setting, names):
    for name in names:
        programs.make(name)
    server = make_server(env=programs.env(**{setting: '1'}))
    wait_until(lambda: all(f'/{name} ' in programs.called() for name in names), what='the calls')
    assert 'mail is not passed to it' in server.output()
    server.stop()
    assert all(f'/{name} ended' in programs.called() for name in names)


def test_redis_can_be_somebody_elses(make_server, programs):
    programs.make('redis-server')
    programs.make('rspamd')
    make_server(env=programs.env(ENABLE_RSPAMD='1', ENABLE_RSPAMD_REDIS='0'))
    wait_until(lambda: '/rspamd ' in programs.called(), what='rspamd')
    assert '/redis-server ' not in programs.called()


def test_redis_is_nothing_without_rspamd(make_server, programs):
    """A values file that switches rspamd off has the other switch on, by default."""
    programs.make('redis-server')
    server = make_server(env=programs.env(ENABLE_RSPAMD='0', ENABLE_RSPAMD_REDIS='1'))
    deliver(server, USERS[0], message())
    server.wait_stored(USERS[0])
    assert 'redis' not in server.log() and programs.called() == ''


def test_one_that_dies_is_started_again(make_server, programs):
    programs.make('clamd', 'exit 3')
    programs.make('freshclam')
    server = make_server(env=programs.env(ENABLE_CLAMAV='1'))
    wait_until(lambda: programs.called().count('/clamd ') >= 3, what='three lives')
    assert 'clamd exited with status 3' in server.log()
    assert server.roles()['front'], 'the server goes on'


def test_one_that_ignores_the_end_is_killed(make_server, programs):
    programs.make('clamd', "trap '' TERM\n" + STAY)
    programs.make('freshclam')
    server = make_server(env=programs.env(ENABLE_CLAMAV='1'))
    wait_until(lambda: '/clamd ' in programs.called(), what='clamd')
    server.stop()


def test_missing_program_is_said_and_no_more(make_server):
    server = make_server(env={'PATH': '/nonexistent', 'ENABLE_CLAMAV': '1'})
    wait_until(lambda: 'ENABLE_CLAMAV=1, but there is no clamd here' in server.log(),
               what='the line')
    deliver(server, USERS[0], message())
    server.wait_stored(USERS[0])


def test_getmail_runs_for_every_file(make_server, programs):
    programs.make('getmail', 'exit 0')
    server = make_server(start=False, env=programs.env(ENABLE_GETMAIL='1'))
    (server.config / 'getmail').mkdir()
    (server.config / 'getmail/getmailrc_general.cf').write_text('[options]\ndelete = true\n')
    for name in ('a', 'b'):
        (server.config / f'getmail/{name}.cf').write_text(f'[retriever]\nserver = {name}\n')
    server.start()
    wait_until(lambda: programs.called().count('/getmail ') == 2, what='two calls')
    for name in ('a', 'b'):
        rc = server.root / f'var/mail-state/lib-posthorn/companions/getmail-{name}.cf'
        assert rc.read_text() == (f'[options]\ndelete = true\n\n[retriever]\nserver = {name}\n')
        assert rc.stat().st_mode & 0o777 == 0o600
        assert f'--rcfile {rc}' in programs.called()


def test_fetchmail_may_run_once_for_each_poll(make_server, programs):
    programs.make('fetchmail')
    server = make_server(start=False,
                         env=programs.env(ENABLE_FETCHMAIL='1', FETCHMAIL_PARALLEL='1'))
    server.write('fetchmail.cf', 'defaults ssl\n\npoll one.example\n  user a\npoll two.example\n')
    server.start()
    wait_until(lambda: programs.called().count('/fetchmail ') == 2, what='two calls')
    texts = [p.read_text() for p in sorted((server.root / 'var/mail-state/lib-posthorn/companions')
                                           .glob('fetchmail-*.rc'))]
    assert [t.count('poll ') for t in texts] == [1, 1]
    assert all('defaults ssl\n' in t and 'set daemon 300\n' in t for t in texts)
    assert 'poll one.example\n  user a\n' in texts[0] and 'poll two.example' in texts[1]


def test_unreadable_configuration_is_said(make_server, programs):
    programs.make('fetchmail')
    server = make_server(env=programs.env(ENABLE_FETCHMAIL='1'))
    wait_until(lambda: 'fetchmail.cf: No such file or directory' in server.log(), what='the line')


@pytest.mark.skipif(not shutil.which('fetchmail'), reason='no fetchmail here')
def test_real_fetchmail_brings_mail_home(make_server):
    server = make_server(start=False, env={'ENABLE_FETCHMAIL': '1', 'FETCHMAIL_POLL': '1'})
    server.write('fetchmail.cf', f'''
poll 127.0.0.1 service {server.port('pop3s')} protocol POP3
  user "{USERS[0]}" password "{PASSWORD}" is "{USERS[1]}" here
  ssl sslcertck off no sslcertck
  smtphost 127.0.0.1/{server.port('smtp')}
'''.replace('sslcertck off no sslcertck', 'no sslcertck'))
    server.start()
    deliver(server, USERS[0], message('from afar'))
    server.wait_stored(USERS[1], seconds=20)
    [fetched] = server.stored(USERS[1])
    assert b'Subject: from afar' in fetched.read_bytes()
    os.kill(server.process.pid, signal.SIGHUP)


@pytest.mark.skipif(not shutil.which('getmail'), reason='no getmail here')
@pytest.mark.parametrize('retriever, service', [('SimplePOP3SSLRetriever', 'pop3s'),
                                                ('SimpleIMAPSSLRetriever', 'imaps')])
def test_real_getmail_brings_mail_home(make_server, retriever, service):
    """With the destination of docker-mailserver's example, which is ours in the image."""
    server = make_server()
    (server.config / 'getmail').mkdir()
    (server.config / 'getmail/home.cf').write_text(f'''
[retriever]
type = {retriever}
server = 127.0.0.1
port = {server.port(service)}
username = {USERS[0]}
password = {PASSWORD}

[destination]
type = MDA_external
path = {server.build}/deliver
allow_root_commands = true
arguments = ("-d", "{USERS[1]}", "-f", "%(sender)")
''')
    deliver(server, USERS[0], message('from afar'))
    server.wait_stored(USERS[0])
    server.stop()
    server.env['ENABLE_GETMAIL'] = '1'      # it asks first when the server is up
    server.start()
    [fetched] = server.wait_stored(USERS[1], seconds=20)
    assert b'Return-Path: <sender@example.org>' in fetched.read_bytes()
    assert b'Subject: from afar' in fetched.read_bytes()
