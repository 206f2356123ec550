"""The image at work, as restricted as a cluster has it."""
import os
import re
import signal
import subprocess
import threading
import time
import urllib.request

import pytest
from container import HOSTNAME, MAIL_UID, USER, VOLUMES, wait_until
from wire import Wire, deliver, imap, message


def status(pid):
    with open(f'/proc/{pid}/status', encoding='ascii') as file:
        return dict(re.findall(r'^(\w+):\s*(.*)$', file.read(), re.M))


def uid(pid):
    return int(status(pid)['Uid'].split()[0])


def send_and_fetch(box, subject='hello'):
    with box.network():
        deliver(box, USER, message(subject))
        wait_until(lambda: box.stored(), what='the message')
        client = imap(box, USER)
    text = client.fetch('1', '(BODY[HEADER.FIELDS (SUBJECT)])')[1][0][1]
    client.logout()
    assert subject.encode() in text


# The user in the container; whose the volumes are: 5000's, as the image's own directories are, or
# group 0's, as OpenShift's.
@pytest.mark.parametrize('user, owner', [(None, (MAIL_UID, MAIL_UID)), ('123456:0', (0, 0)),
                                         ('0:0', (0, 0))])
def test_mail_goes_in_and_comes_out(box, user, owner):
    for path in box.volumes.values():
        os.chown(path, *owner)
        path.chmod(0o770)
    box.start(user)
    send_and_fetch(box)
    expected = int((user or f'{MAIL_UID}:').split(':')[0])
    assert {uid(pid) for pid in box.processes()} == {expected}
    assert {p.stat().st_uid for p in box.stored()} == {expected}
    assert box.stop() == 0


def test_nobody_has_a_capability(box):
    box.start()
    for pid in box.processes():
        assert int(status(pid)['CapEff'], 16) == int(status(pid)['CapBnd'], 16) == 0
        assert status(pid)['NoNewPrivs'] == '1'


def test_log_on_stdout_tells_an_operator_what_happened(box):
    box.start()
    send_and_fetch(box)
    for text in ('Welcome to Posthorn', f'{HOSTNAME} is up and running', f'to=<{USER}>',
                 'status=sent', f'Login: user=<{USER}>'):
        wait_until(lambda: text in box.log(), what=f'{text!r} in the log')
    box.terminate()
    assert box.wait() == 0
    assert 'Shutting down' in box.log()


def test_health_is_served_on_8080(box):
    box.start()
    with box.network():
        for path in ('healthz', 'readyz', 'metrics'):
            with urllib.request.urlopen(f'http://127.0.0.1:8080/{path}', timeout=10) as answer:
                assert answer.status == 200, path


def test_health_check_of_the_image(box):
    box.start()

    def check():
        return box.store.podman('healthcheck', 'run', box.id, check=False).returncode
    assert check() == 0
    assert box.exec('dms-healthcheck').stdout == 'smtp ready\nimap ready\n'
    queue = next(pid for pid in box.processes() if status(pid)['Name'] == 'posthorn-queue')
    os.kill(queue, signal.SIGSTOP)
    try:
        assert check() != 0
        done = box.exec('dms-healthcheck', check=False)
        assert done.returncode == 1
        assert 'smtp not ready: queue 0: does not answer' in done.stdout
    finally:
        os.kill(queue, signal.SIGCONT)
    assert check() == 0


@pytest.mark.parametrize('name', ['deliver', 'dovecot-lda'])
def test_programs_that_fetch_mail_find_how_to_deliver_it(box, name):
    box.start()
    done = subprocess.run(['podman', 'exec', '-i', box.id, f'/usr/lib/dovecot/{name}', '-d', USER],
                          input='Subject: from elsewhere\n\nbody\n', env=box.store.env, text=True,
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    wait_until(lambda: box.stored(), what='the message')


def test_setup_works_without_a_server(make_container):
    box = make_container()
    done = box.run('setup', 'email', 'add', USER, 'a password')
    assert done.returncode == 0, done.stderr
    assert box.run('setup', 'email', 'list').stdout.startswith(f'* {USER} ')
    assert (box.volumes['config'] / 'postfix-accounts.cf').stat().st_uid == MAIL_UID


def test_setup_works_in_the_running_server(box):
    box.start()
    box.exec('setup', 'email', 'add', 'new@example.test', 'a password')
    assert 'new@example.test' in box.exec('setup', 'email', 'list').stdout
    assert 'new@example.test' in box.exec('listmailuser').stdout


def test_volumes_that_the_runtime_makes_can_be_used(store, box):
    box.volumes = {name: f'{box.volumes["mail"].parent.name}-{name}' for name in VOLUMES}
    for user in (None, '123456:0'):
        done = box.run('setup', 'email', 'add', f'u{user and user[0]}@example.test', 'pw',
                       user=user)
        assert done.returncode == 0, done.stderr
        box.start(user)
        assert box.stop() == 0
        store.podman('volume', 'rm', *box.volumes.values())


def test_config_may_be_read_only(box):
    box.modes['config'] = ':ro'
    box.start()
    send_and_fetch(box)
    done = box.exec('setup', 'email', 'add', 'new@example.test', 'pw', check=False)
    assert done.returncode != 0 and '/tmp/docker-mailserver' in done.stderr


def test_root_hands_new_volumes_over(make_container):
    """As docker-mailserver is started: root, with the capabilities that docker leaves."""
    box = make_container(owner=0)
    box.add_account()
    box.start('0:0', flags=('--read-only',))
    send_and_fetch(box)
    assert {uid(pid) for pid in box.processes()} == {MAIL_UID}
    assert all(int(status(pid)['CapEff'], 16) == 0 for pid in box.processes())
    assert box.volumes['mail'].stat().st_uid == MAIL_UID
    assert box.volumes['state'].stat().st_uid == MAIL_UID
    assert {p.stat().st_uid for p in box.stored()} == {MAIL_UID}
    box.stop()
    box.start()  # as 5000 from the beginning
    assert box.stop() == 0


def test_root_without_the_right_to_become_another_says_so(box):
    box.volumes['mail'].chmod(0o700)
    done = box.run(user='0:0')
    assert done.returncode == 1
    assert 'root cannot become user 5000:5000' in done.stderr
    assert 'SETUID' in done.stderr


def complaints(done):
    """What the container said, but for warnings about settings."""
    return [line for line in (done.stdout + done.stderr).splitlines()
            if not re.search(r'warning: SSL_TYPE is empty|Welcome to', line)]


@pytest.mark.parametrize('volume', ['mail', 'state'])
def test_volume_of_another_owner_is_one_clear_message(box, volume):
    path = box.volumes[volume]
    os.chown(path, 1000, 1000)
    path.chmod(0o750)
    done = box.run()
    [line] = complaints(done)
    assert f'cannot write {VOLUMES[volume]} (of 1000:1000, mode 750)' in line
    assert 'chown -R 5000:5000' in line
    assert done.returncode == 1
    assert path.stat().st_uid == 1000


def test_all_volumes_of_another_owner_are_one_message(box):
    """So it looks behind an NFS server that maps root to nobody."""
    for path in box.volumes.values():
        os.chown(path, 65534, 65534)
    done = box.run()
    [line] = complaints(done)
    for directory in ('/var/mail', '/var/mail-state', '/var/log/mail'):
        assert f'{directory} (of 65534:65534' in line
    assert line.endswith('or run the server as the owner')
    assert done.returncode == 1


def test_volume_that_is_missing_is_one_clear_message(box):
    del box.volumes['mail']
    done = box.run()
    [line] = complaints(done)
    assert '/var/mail is read-only: mount a volume there' in line
    assert done.returncode == 1


def test_log_that_cannot_be_kept_goes_to_the_runtime(box):
    os.chown(box.volumes['log'], 0, 0)
    box.start()
    send_and_fetch(box)
    wait_until(lambda: 'status=sent' in box.log(), what='the log of the delivery')
    assert box.log().count('logging to standard error') == 1


def test_key_of_root_is_one_clear_message(box):
    config = box.volumes['config']
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=x',
                    '-keyout', config / 'key', '-out', config / 'cert'], check=True,
                   capture_output=True)
    (config / 'key').chmod(0o600)
    box.env.update(SSL_TYPE='manual', SSL_CERT_PATH='/tmp/docker-mailserver/cert',
                   SSL_KEY_PATH='/tmp/docker-mailserver/key')
    done = box.run()
    [line] = complaints(done)
    assert 'SSL_KEY_PATH' in line and '/tmp/docker-mailserver/key (of 0:0, mode 600)' in line
    (config / 'key').chmod(0o640)
    os.chown(config / 'key', 0, MAIL_UID)
    box.start()
    send_and_fetch(box)


def test_sigterm_lets_a_message_in_flight_arrive(box):
    box.start()
    with box.network():
        wire = Wire(box, 'smtp')
    wire.ehlo()
    wire.mail(USER, USER)
    wire.expect('DATA', 354)
    wire.send(message('draining'))
    stopped = threading.Thread(target=box.terminate)
    stopped.start()
    wait_until(lambda: 'Shutting down' in box.log(), what='the beginning of the end')
    time.sleep(0.2)
    assert wire.cmd('.').code == 250
    wire.close()
    stopped.join()
    assert box.wait() == 0
    box.remove()
    box.start()
    wait_until(lambda: box.stored(), what='the message')


def test_sigterm_ends_an_idle_server_before_runtimes_kill_it(box):
    box.start()
    with box.network():
        idle = [Wire(box, 'smtp'), Wire(box, 'imap')]
    box.store.podman('stop', '--time', '10', box.id)
    assert box.state('ExitCode') == 0
    for wire in idle:
        wire.close()


def test_orphans_are_collected(box):
    """A process that lost its parent in the container becomes the server's."""
    box.start()
    first = box.state('Pid')
    subprocess.run(['nsenter', '--pid', '--target', str(first), 'sh', '-c',
                    'sleep 3 & exit'], check=True)
    children = f'/proc/{first}/task/{first}/children'

    def orphans():
        with open(children, encoding='ascii') as file:
            return [p for p in file.read().split()
                    if not status(p)['Name'].startswith('posthorn')]
    assert orphans()
    wait_until(lambda: not orphans(), 15, what='the end of the orphan')


def test_mail_survives_the_container(box):
    box.start()
    send_and_fetch(box)
    box.store.podman('kill', '--signal', 'KILL', box.id)
    box.remove()
    box.start()
    with box.network():
        assert imap(box, USER).search(None, 'ALL')[1] == [b'1']
