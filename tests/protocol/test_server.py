"""The server as a program: starting, stopping, reloading, in a world that is not as it should."""
import os
import re
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from server import DOMAIN, HOSTNAME, SLOW, Server, processes_below, wait_until
from wire import Wire, deliver, imap, insecure_tls, message, pop3

USER = f'user0@{DOMAIN}'


def test_ready_line_stands_on_stdout_and_in_the_log(make_server):
    server = make_server()
    assert f'{HOSTNAME} is up and running' in server.output()
    wait_until(lambda: f'{HOSTNAME} is up and running' in server.log(), 2)


def test_every_role_runs_in_a_process_of_its_own(make_server):
    roles = make_server().roles()
    assert {'front', 'auth', 'queue', 'mailbox'} <= set(roles)
    assert len(roles['auth']) == 1 and len(roles['queue']) == 1


def test_a_number_of_workers_that_cannot_be_leaves_the_default(make_server):
    server = make_server(env={'POSTHORN_WORKERS': '16'})
    assert len(server.roles()['front']) <= 4
    assert 'POSTHORN_WORKERS' in server.output()


def test_log_lines_name_what_people_grep_for(make_server):
    server = make_server()
    deliver(server, USER, message('logged'), sender='a@example.org')
    server.wait_stored(USER)
    imap(server, USER).logout()
    wait_until(lambda: 'status=sent' in server.log(), 3)
    log = server.log()
    for text in ('from=<a@example.org>', f'to=<{USER}>', 'status=sent', f'Login: user=<{USER}>'):
        assert text in log, text


def test_sigterm_lets_a_transfer_finish(make_server):
    server = make_server()
    with Wire(server, 'smtp') as wire:
        wire.ehlo()
        wire.mail('a@example.org', USER)
        wire.expect('DATA', 354)
        wire.send(message('draining'))
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        wire.send('.\r\n')
        code = wire.reply().code
        assert code in (250, 421, 451)
    server.process.wait(20 * SLOW)
    server.process = None
    server.start()
    server.roles_at_start = server.roles()
    if code == 250:
        server.wait_stored(USER)


def test_sigterm_ends_a_start_that_does_not_succeed(make_server):
    server = make_server(start=False)
    cert, key = certificate(server.config, HOSTNAME)
    cert.write_text('not a certificate')
    server.env.update(SSL_TYPE='manual', SSL_CERT_PATH=str(cert), SSL_KEY_PATH=str(key))
    server.start(wait=False)
    wait_until(lambda: 'cannot start front' in server.log(), what='a first try')
    server.expected_deaths = 1
    server.stop(seconds=8)
    assert 'is up and running' not in server.output()


@pytest.mark.parametrize('missing', ['cert', 'key'])
def test_missing_self_signed_certificate_is_one_clear_error(make_server, missing):
    server = make_server(start=False)
    ssl = server.config / 'ssl'
    ssl.mkdir()
    files = dict(zip(('cert', 'key'), certificate(ssl, HOSTNAME)))
    for part, file in files.items():
        if part != missing:
            file.rename(ssl / f'{HOSTNAME}-{part}.pem')
    server.env.update(SSL_TYPE='self-signed')
    server.start(wait=False)
    assert server.process.wait(10 * SLOW) == 1
    server.process = None
    assert server.output().count(f'ssl/{HOSTNAME}-{missing}.pem') == 1


def others_may_enter(path):
    return all(p.stat().st_mode & 0o001 for p in [path, *path.resolve().parents])


@pytest.mark.skipif(os.geteuid() != 0, reason='needs a user to become')
def test_root_becomes_the_owner_of_the_mail(make_server):
    server = make_server(start=False)
    if not others_may_enter(server.build):
        pytest.skip('no other user can start the programs where they are')
    server.root.chmod(0o755)
    state = server.root / 'var/mail-state/lib-posthorn'
    state.mkdir()
    for directory in (server.mail, state):
        os.chown(directory, 5000, 5001)
    server.start()
    for pid in [server.process.pid, *processes_below(server.process.pid)]:
        status = Path(f'/proc/{pid}/status').read_text()
        assert re.search(r'^Uid:(\s+5000){4}$', status, re.M), status
        assert re.search(r'^Gid:(\s+5001){4}$', status, re.M), status
        assert re.search(r'^Groups:\s*$', status, re.M), status
    deliver(server, USER, message('not for root'))
    [stored] = server.wait_stored(USER)
    assert (stored.stat().st_uid, stored.stat().st_gid) == (5000, 5001)
    assert server.log_path.stat().st_uid == 5000


def test_sigterm_does_not_wait_for_clients_that_do_nothing(make_server):
    server = make_server()
    with Wire(server, 'smtp') as smtp, Wire(server, 'pop3s', tls=True, greet=False) as pop3:
        smtp.ehlo()
        assert pop3.line().startswith('+OK')
        server.stop(seconds=8)
        assert smtp.reply().code == 421
        assert pop3.at_end()


def test_children_of_others_are_collected(make_server):
    """The first process of a container inherits orphans; here the shell leaves it one."""
    server = make_server(start=False)
    posthorn = server.build / 'posthorn'
    server.start(command=['sh', '-c', f'sleep 1.2 & exec {posthorn}'])
    orphan = [pid for pid, name in processes_below(server.process.pid).items() if name == 'sleep']
    assert len(orphan) == 1
    wait_until(lambda: not Path(f'/proc/{orphan[0]}').exists(), 5, what='the end of the orphan')
    server.roles_at_start = server.roles()


def test_sighup_keeps_sessions(make_server):
    server = make_server()
    session = imap(server, USER)
    server.reload()
    time.sleep(0.3)
    assert session.noop()[0] == 'OK'
    session.logout()


def test_restart_finds_everything(make_server):
    server = make_server()
    deliver(server, USER, message('before'))
    server.wait_stored(USER)
    server.stop()
    server.start()
    client = imap(server, USER)
    assert client.search(None, 'ALL')[1] == [b'1']
    client.logout()


@pytest.mark.skipif(os.geteuid() == 0, reason='root reads everything')
def test_unreadable_accounts_file_is_reported(make_server):
    server = make_server(start=False)
    (server.config / 'postfix-accounts.cf').chmod(0)
    server.start()
    assert 'postfix-accounts.cf' in server.output() + server.log()


def test_port_in_use_is_a_clear_error(make_server):
    server = make_server(start=False)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(('127.0.0.1', server.port('smtp')))
        taken.listen()
        server.start(wait=False)
        server.process.wait(15 * SLOW)
        assert server.process.returncode != 0
        assert str(server.port('smtp')) in server.output()
    server.process = None


def test_second_server_on_the_same_root_is_refused(make_server):
    server = make_server()
    second = Server(root=server.root, accounts=[])
    second.output_path = server.root / 'second'
    second.start(wait=False)
    try:
        code = second.process.wait(15 * SLOW)
        assert code != 0
    except subprocess.TimeoutExpired:
        second.kill_all()
        pytest.fail('two servers share one journal')


def certificate(directory, name, days=30):
    key, cert = directory / f'{name}.key', directory / f'{name}.crt'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                    'ec_paramgen_curve:prime256v1', '-nodes', '-days', str(days), '-subj',
                    f'/CN={name}', '-addext', f'subjectAltName=DNS:{name}', '-keyout', key,
                    '-out', cert], check=True, capture_output=True)
    return cert, key


def peer_certificate(server):
    with Wire(server, 'imaps', tls=True, greet=False) as wire:
        return wire.socket.getpeercert(binary_form=True)


def test_certificate_is_replaced_without_a_restart(make_server):
    server = make_server(start=False)
    cert, key = certificate(server.config, 'one.example.test')
    server.env.update(SSL_TYPE='manual', SSL_CERT_PATH=str(cert), SSL_KEY_PATH=str(key))
    server.start()
    first = peer_certificate(server)
    session = imap(server, USER)
    other_cert, other_key = certificate(server.config, 'two.example.test')
    other_key.rename(key)
    other_cert.rename(cert)
    wait_until(lambda: peer_certificate(server) != first, 6, what='the new certificate')
    assert session.noop()[0] == 'OK'
    session.logout()


def test_certificate_behind_links_is_replaced(make_server):
    """As certbot keeps it: links into an archive; and the key in a directory of its own."""
    server = make_server(start=False)
    archive, live, private = (server.root / name for name in ('archive', 'live', 'private'))
    for directory in (archive, live, private):
        directory.mkdir()
    links = live / 'fullchain.pem', private / 'privkey.pem'

    def renew(number):
        for link, made in zip(links, certificate(archive, f'n{number}.example.test')):
            new = link.with_name('new')
            new.symlink_to(f'../archive/{made.name}')
            new.rename(link)

    renew(1)
    server.env.update(SSL_TYPE='manual', SSL_CERT_PATH=str(links[0]), SSL_KEY_PATH=str(links[1]))
    server.start()
    first = peer_certificate(server)
    renew(2)
    wait_until(lambda: peer_certificate(server) != first, 6, what='the new certificate')


def test_alternate_certificate_serves_clients_without_the_first(make_server):
    server = make_server(start=False)
    cert, key = certificate(server.config, 'one.example.test')
    alt_key, alt_cert = server.config / 'rsa.key', server.config / 'rsa.crt'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '9',
                    '-subj', '/CN=rsa', '-keyout', alt_key, '-out', alt_cert], check=True,
                   capture_output=True)
    server.env.update(SSL_TYPE='manual', SSL_CERT_PATH=str(cert), SSL_KEY_PATH=str(key),
                      SSL_ALT_CERT_PATH=str(alt_cert), SSL_ALT_KEY_PATH=str(alt_key))
    server.start()
    for algorithm, cipher in (('id-ecPublicKey', 'ECDHE-ECDSA-AES128-GCM-SHA256'),
                              ('rsaEncryption', 'ECDHE-RSA-AES128-GCM-SHA256')):
        context = insecure_tls(maximum=ssl.TLSVersion.TLSv1_2)
        context.set_ciphers(cipher)
        with Wire(server, 'imaps', greet=False) as wire:
            wire.start_tls_now(context)
            der = wire.socket.getpeercert(binary_form=True)
        text = subprocess.run(['openssl', 'x509', '-inform', 'der', '-noout', '-text'], input=der,
                              capture_output=True, check=True).stdout.decode()
        assert f'Public Key Algorithm: {algorithm}' in text


@pytest.mark.parametrize('missing', ['SSL_CERT_PATH', 'SSL_KEY_PATH', 'SSL_ALT_KEY_PATH'])
def test_missing_certificate_is_a_clear_error_at_once(make_server, missing):
    server = make_server(start=False)
    cert, key = certificate(server.config, 'one.example.test')
    server.env.update(SSL_TYPE='manual', SSL_CERT_PATH=str(cert), SSL_KEY_PATH=str(key),
                      SSL_ALT_CERT_PATH=str(cert), SSL_ALT_KEY_PATH=str(key))
    server.env[missing] = '/nowhere/file.pem'
    server.start(wait=False)
    assert server.process.wait(5 * SLOW) != 0
    assert f'{missing}: /nowhere/file.pem cannot be read: No such file' in server.output()
    server.process = None


def test_generated_certificate_survives_a_restart(make_server):
    server = make_server()
    first = peer_certificate(server)
    server.stop()
    server.start()
    assert peer_certificate(server) == first


def test_secret_from_a_file(make_server):
    server = make_server(start=False)
    (server.root / 'hostname').write_text('named.example.test\n')
    server.env.pop('OVERRIDE_HOSTNAME')
    server.env['OVERRIDE_HOSTNAME__FILE'] = str(server.root / 'hostname')
    server.start(wait=False)
    wait_until(lambda: 'named.example.test is up and running' in server.output(), 20)
    server.roles_at_start = server.roles()


@pytest.mark.parametrize('protocol', ['imap', 'pop3'])
def test_session_is_logged_once(make_server, protocol):
    server = make_server()
    if protocol == 'imap':
        imap(server, USER).logout()
    else:
        pop3(server, USER).quit()
    wait_until(lambda: 'Disconnected: Logged out' in server.log(), what='the end of the session')
    server.stop()
    assert server.log().count('Login: user=<') == 1
    assert server.log().count('Disconnected: Logged out') == 1


def test_a_delivery_is_one_line_without_leftovers(make_server):
    server = make_server()
    deliver(server, USER, message())
    server.wait_stored(USER)
    line = wait_until(lambda: re.search(r'to=<user0@example.test>.*', server.log()))
    assert re.fullmatch(r'to=<user0@example.test>, relay=mailbox, delay=[\d.]+, dsn=2.0.0, '
                        r'status=sent \(delivered to INBOX\)', line.group())
