"""Programs that people use: what they do against other servers works here."""
import hashlib
import os
import pty
import select
import shutil
import signal
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from server import PASSWORD, SLOW, wait_until
from test_imap import Imap
from wire import TIMEOUT, deliver, fetch_all, imap, message

pytestmark = pytest.mark.usefixtures('home')


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.setenv('LC_ALL', 'C.UTF-8')
    return tmp_path


def need(program):
    if not shutil.which(program):
        pytest.skip(f'{program} is not installed')


def run(*args, stdin='', fine=(0,)):
    result = subprocess.run([str(a) for a in args], input=stdin, capture_output=True, text=True,
                            timeout=120 * SLOW, check=False)
    assert result.returncode in fine, f'{args}: {result.returncode}\n{result.stdout}{result.stderr}'
    return result.stdout + result.stderr


def write(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


def certificate(server, path):
    pem = ssl.get_server_certificate(('127.0.0.1', server.port('imaps')), timeout=TIMEOUT)
    return write(path, pem)


# swaks and curl

def test_swaks_on_port_25(server, user):
    need('swaks')
    run('swaks', '--server', f'127.0.0.1:{server.port("smtp")}', '--from', 'a@example.org',
        '--to', user, '--header', 'Subject: from swaks', '--body', 'hello')
    server.wait_stored(user)
    assert b'Subject: from swaks' in fetch_all(server, user)[0]


@pytest.mark.parametrize('service, option', [('submission', '-tls'), ('submissions', '-tlsc')])
@pytest.mark.parametrize('mechanism', ['PLAIN', 'LOGIN'])
def test_swaks_submits(server, user, service, option, mechanism):
    need('swaks')
    run('swaks', '--server', f'127.0.0.1:{server.port(service)}', option, '--auth', mechanism,
        '--auth-user', user, '--auth-password', PASSWORD, '--from', user, '--to', user)
    server.wait_stored(user)


def test_swaks_is_told_about_a_wrong_password(server, user):
    need('swaks')
    run('swaks', '--server', f'127.0.0.1:{server.port("submissions")}', '-tlsc', '--auth', 'PLAIN',
        '--auth-user', user, '--auth-password', 'wrong', '--to', user, fine=(28,))


def test_swaks_pipelines(server, user):
    need('swaks')
    run('swaks', '--server', f'127.0.0.1:{server.port("smtp")}', '--pipeline', '--to', user)
    server.wait_stored(user)


def test_curl_sends_lists_and_reads(server, user, home):
    need('curl')
    write(home / 'mail', message('from curl', 'hello\r\n').decode())
    credentials = f'{user}:{PASSWORD}'
    run('curl', '-sS', '-k', '--ssl-reqd', f'smtp://127.0.0.1:{server.port("submission")}', '-u',
        credentials, '--mail-from', user, '--mail-rcpt', user, '-T', home / 'mail')
    server.wait_stored(user)
    imaps = f'imaps://127.0.0.1:{server.port("imaps")}'
    assert 'INBOX' in run('curl', '-sS', '-k', '-u', credentials, imaps + '/')
    assert 'Subject: from curl' in run('curl', '-sS', '-k', '-u', credentials,
                                       imaps + '/INBOX;UID=1')
    assert '1' in run('curl', '-sS', '-k', '-u', credentials, imaps + '/INBOX?ALL')
    pop3s = f'pop3s://127.0.0.1:{server.port("pop3s")}'
    assert run('curl', '-sS', '-k', '-u', credentials, pop3s + '/').startswith('1 ')
    assert 'Subject: from curl' in run('curl', '-sS', '-k', '-u', credentials, pop3s + '/1')


def test_curl_appends(server, user, home):
    need('curl')
    write(home / 'mail', message('appended').decode())
    run('curl', '-sS', '-k', '-u', f'{user}:{PASSWORD}', '-T', home / 'mail',
        f'imaps://127.0.0.1:{server.port("imaps")}/Sent')
    assert len(server.wait_stored(user, folder='.Sent')) == 1


# mbsync

def fill_maildir(server, user, count):
    imap(server, user).logout()     # creates the mailbox
    new = server.maildir(user) / 'new'
    owner = server.maildir(user).stat()
    for n in range(count):
        path = new / f'{1700000000 + n}.M{n}P1.seed'
        path.write_bytes(message(f'seed{n}', f'number {n}\r\n' * 20).replace(b'\r\n', b'\n'))
        if os.geteuid() == 0:
            os.chown(path, owner.st_uid, owner.st_gid)


def mbsync_config(server, user, home):
    (home / 'near').mkdir()
    return write(home / 'mbsyncrc', f'''
IMAPAccount a
Host 127.0.0.1
Port {server.port('imaps')}
User {user}
Pass "{PASSWORD}"
SSLType IMAPS
SystemCertificates no
CertificateFile {certificate(server, home / 'cert.pem')}

IMAPStore far
Account a

MaildirStore near
Path {home}/near/
Inbox {home}/near/INBOX
SubFolders Verbatim

Channel c
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
''')


def snapshot(directory):
    return {str(p.relative_to(directory)): p.read_bytes() for p in Path(directory).rglob('*')
            if p.is_file() and p.parent.name in ('cur', 'new')}


def names_and_flags(maildir):
    return sorted(p.name for d in ('new', 'cur') for p in (maildir / d).iterdir())


def test_mbsync_both_ways_and_a_second_run_changes_nothing(server, user, home):
    need('mbsync')
    fill_maildir(server, user, 1000)
    config = mbsync_config(server, user, home)
    near = home / 'near/INBOX'
    run('mbsync', '-c', config, '-a')
    assert len(names_and_flags(near)) == 1000

    # Changes on both sides: new mail, flags and a deletion here, new mail and a flag there.
    files = sorted(p for d in ('new', 'cur') for p in (near / d).iterdir())
    for path in files[:10]:
        path.rename(near / 'cur' / (path.name.split(':')[0] + ':2,S'))
    for path in files[10:13]:
        path.rename(near / 'cur' / (path.name.split(':')[0] + ':2,ST'))
    for n in range(5):
        (near / 'new' / f'1800000000.{n}.here').write_bytes(
            message(f'near{n}').replace(b'\r\n', b'\n'))
    deliver(server, user, message('far'))
    server.wait_stored(user, 1001)
    client = imap(server, user)
    client.store('500', '+FLAGS', '(\\Flagged)')
    client.logout()

    run('mbsync', '-c', config, '-a')
    wait_until(lambda: len(server.stored(user)) == 1000 - 3 + 5 + 1)
    assert len(names_and_flags(near)) == 1003
    flags = [p.name.rpartition(':2,')[2] for p in server.stored(user) if ':2,' in p.name]
    assert sum('S' in f for f in flags) == 10
    assert sum('F' in n.rpartition(':2,')[2] for n in names_and_flags(near)) == 1

    before = snapshot(near), names_and_flags(server.maildir(user))
    run('mbsync', '-c', config, '-a')
    assert (snapshot(near), names_and_flags(server.maildir(user))) == before


def test_offlineimap_both_ways(server, user, home):
    need('offlineimap')
    fill_maildir(server, user, 50)
    near = home / 'near'
    config = write(home / 'offlineimaprc', f'''
[general]
accounts = a
ui = quiet
[Account a]
localrepository = near
remoterepository = far
[Repository near]
type = Maildir
localfolders = {near}
[Repository far]
type = IMAP
remotehost = 127.0.0.1
remoteport = {server.port('imaps')}
remoteuser = {user}
remotepass = {PASSWORD}
ssl = yes
sslcacertfile = {certificate(server, home / 'cert.pem')}
''')
    # It wants the name of the host in the certificate, and is told the fingerprint instead.
    der = ssl.PEM_cert_to_DER_cert((home / 'cert.pem').read_text())
    fingerprint = f'cert_fingerprint = {hashlib.sha512(der).hexdigest()}'
    config.write_text(config.read_text().replace(f'sslcacertfile = {home}/cert.pem', fingerprint))
    run('offlineimap', '-o', '-c', config)
    assert len(names_and_flags(near / 'INBOX')) == 50

    files = sorted(p for d in ('new', 'cur') for p in (near / 'INBOX' / d).iterdir())
    files[0].rename(near / 'INBOX/cur' / (files[0].name.split(':')[0] + ':2,FS'))
    files[1].unlink()
    (near / 'INBOX/new/1800000000.1.here').write_bytes(message('near').replace(b'\r\n', b'\n'))
    deliver(server, user, message('far'))
    server.wait_stored(user, 51)
    run('offlineimap', '-o', '-c', config)
    wait_until(lambda: len(server.stored(user)) == 51)
    assert len(names_and_flags(near / 'INBOX')) == 51
    wait_until(lambda: any(p.name.endswith(':2,FS') for p in server.stored(user)))

    before = snapshot(near), names_and_flags(server.maildir(user))
    run('offlineimap', '-o', '-c', config)
    assert (snapshot(near), names_and_flags(server.maildir(user))) == before


# mutt's successor

def mutt_config(server, user, home):
    certificate(server, home / 'cert.pem')
    (home / 'Mail').mkdir()     # or it asks whether to make it, and takes a key for the answer
    return write(home / 'muttrc', f'''
set imap_user="{user}"
set imap_pass="{PASSWORD}"
set smtp_url="smtps://{user.replace('@', '%40')}@127.0.0.1:{server.port('submissions')}/"
set smtp_pass="{PASSWORD}"
set from="{user}"
set copy=no
set ssl_starttls=yes
set ssl_verify_host=no
set ssl_verify_dates=no
set certificate_file="{home}/cert.pem"
set confirmappend=no
set quit=yes
set mail_check=5
set mbox_type=Maildir
''')


def test_neomutt_sends_in_batch_mode(server, user, home):
    need('neomutt')
    config = mutt_config(server, user, home)
    run('neomutt', '-n', '-F', config, '-s', 'from mutt', '--', user, stdin='body\n')
    server.wait_stored(user)
    assert b'Subject: from mutt' in fetch_all(server, user)[0]


def test_neomutt_reads_and_copies(server, user, home):
    need('neomutt')
    deliver(server, user, *[message(f'm{n}') for n in range(3)])
    server.wait_stored(user, 3)
    config = mutt_config(server, user, home)
    saved = home / 'saved'
    for part in ('cur', 'new', 'tmp'):
        (saved / part).mkdir(parents=True)
    inbox = f'imaps://127.0.0.1:{server.port("imaps")}/INBOX'
    in_terminal('neomutt', '-n', '-F', config, '-f', inbox, '-e',
                f'push "<tag-pattern>~A<enter><tag-prefix><copy-message>{saved}<enter><quit>"')
    assert len(names_and_flags(saved)) == 3


def test_neomutt_comes_back_with_qresync(server, user, home):
    """Its second visit asks for what happened since the first."""
    need('neomutt')
    deliver(server, user, *[message(f'm{n}') for n in range(3)])
    server.wait_stored(user, 3)
    config = mutt_config(server, user, home)
    with config.open('a') as file:
        file.write(f'set header_cache = {home}/cache\nset imap_qresync = yes\n'
                   'set imap_condstore = yes\n')
    saved, trace = home / 'saved', home / 'trace'
    for part in ('cur', 'new', 'tmp'):
        (saved / part).mkdir(parents=True)

    def visit(keys):
        in_terminal('neomutt', '-n', '-F', config, '-d', '3', '-l', trace, '-f',
                    f'imaps://127.0.0.1:{server.port("imaps")}/INBOX', '-e', f'push "{keys}"')

    visit('<quit>')
    with Imap(server, user) as other:
        other.ok('SELECT INBOX')
        other.ok(r'STORE 3 +FLAGS.SILENT (\Deleted)')
        other.ok('EXPUNGE')
        other.ok(r'STORE 1 +FLAGS.SILENT (\Flagged)')
    visit(f'<tag-pattern>~A<enter><tag-prefix><copy-message>{saved}<enter><quit>')
    said = ''.join(file.read_text(errors='replace') for file in home.glob('trace*'))
    assert 'ENABLE QRESYNC' in said and 'VANISHED)' in said
    assert 'Handling VANISHED' in said
    assert len(names_and_flags(saved)) == 2


def in_terminal(*args):
    """Run a program that insists on a terminal; what it waits for is in the failure."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ['TERM'] = 'vt100'
        os.execvp(args[0], [str(a) for a in args])
    output, end = b'', time.monotonic() + 30 * SLOW
    try:
        while select.select([terminal], [], [], max(0, end - time.monotonic()))[0]:
            output += os.read(terminal, 65536)
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass        # the program has ended
    finally:
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, output[-3000:]


# fetchmail and mpop

@pytest.mark.parametrize('protocol, service', [('POP3', 'pop3s'), ('IMAP', 'imaps')])
def test_fetchmail_empties_the_mailbox(server, user, home, protocol, service):
    need('fetchmail')
    deliver(server, user, *[message(f'f{n}') for n in range(3)])
    server.wait_stored(user, 3)
    config = write(home / 'fetchmailrc', f'''
poll 127.0.0.1 protocol {protocol} port {server.port(service)}
  auth password user "{user}" password "{PASSWORD}" ssl no sslcertck
  no keep fetchall mda "cat >> {home}/got"
''')
    run('fetchmail', '-f', config, '--pidfile', home / 'pid', '-v')
    got = (home / 'got').read_text()
    assert all(f'Subject: f{n}' in got for n in range(3))
    wait_until(lambda: server.stored(user) == [])


def test_mpop_fetches_each_message_once(server, user, home):
    need('mpop')
    deliver(server, user, *[message(f'p{n}') for n in range(3)])
    server.wait_stored(user, 3)
    box = home / 'box'
    for part in ('cur', 'new', 'tmp'):
        (box / part).mkdir(parents=True)
    config = write(home / 'mpoprc', f'''
account default
host 127.0.0.1
port {server.port('pop3s')}
tls on
tls_starttls off
tls_certcheck off
auth plain
user {user}
password {PASSWORD}
keep on
delivery maildir {box}
uidls_file {home}/uidls
''')
    run('mpop', '-C', config)
    assert len(names_and_flags(box)) == 3
    run('mpop', '-C', config)
    assert len(names_and_flags(box)) == 3
