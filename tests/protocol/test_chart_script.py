"""What `helm test` runs in a pod works against the server, and fails when that does not."""
import os
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / 'chart/posthorn/files/round-trip.sh'


def run(server, **environment):
    env = {'PATH': os.environ['PATH'], 'HOST': '127.0.0.1', 'SMTP_PORT': str(server.port('smtp')),
           'SUBMISSION_PORT': str(server.port('submission')),
           'IMAP_PORT': str(server.port('imap')), 'HOSTNAME_IN_CERTIFICATE': 'mail.example.test'}
    # As the pod runs it: `sh -c SCRIPT`.
    return subprocess.run(['sh', '-c', SCRIPT.read_text(encoding='utf-8')], env=env | environment,
                          capture_output=True, text=True, timeout=100, check=False)


def test_a_message_makes_the_round_trip(server, user):
    result = run(server, MAIL_USER=user, MAIL_PASSWORD='correct horse')
    assert result.returncode == 0, result.stdout + result.stderr
    assert [line for line in result.stdout.splitlines() if line.startswith('ok: ')] == [
        'ok: SMTP with STARTTLS', 'ok: submission with STARTTLS', 'ok: IMAP with STARTTLS',
        'ok: logged in and sent a message', 'ok: fetched the message', 'ok: deleted the message']


def test_without_an_account_it_only_greets(server):
    result = run(server)
    assert result.returncode == 0, result.stdout + result.stderr
    assert 'nothing is sent' in result.stdout


def test_a_wrong_password_fails(server, user):
    result = run(server, MAIL_USER=user, MAIL_PASSWORD='wrong')
    assert result.returncode != 0
    assert 'ok: logged in' not in result.stdout


def test_a_port_that_does_not_answer_fails(server):
    assert run(server, SUBMISSION_PORT='1').returncode != 0
