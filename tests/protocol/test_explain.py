"""setup explain: what the server says of a message, and why."""
import json
import subprocess

import pytest
from dns_server import DnsServer

from server import HOSTNAME, Server, wait_until
from test_filter_incoming import (BAD, GOOD, MESSAGE, USERS, ZONES, environment, send, sign, stored,
                                  through_a_list)

WITH_ID = MESSAGE.replace(b'Subject:', b'Message-ID: <%s@sender.example>\r\nSubject:')


@pytest.fixture(scope='module')
def names():
    with DnsServer(ZONES) as server:
        yield server


@pytest.fixture(scope='module')
def checking(names):
    with Server(accounts=USERS, env=environment(names, POSTHORN_ARC_TRUSTED='list.example')) as s:
        yield s


def run(server, *args, text=None):
    return subprocess.run([server.build / 'setup', 'explain', *args], env=server.environment(),
                          input=text, capture_output=True, timeout=30, check=False)


def explain(server, *args, **options):
    result = run(server, '--json', *args, **options)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def finding(explained, check, number=0):
    """(result, subject, {fact: value}) of a check."""
    found = [f for f in explained['now']['findings'] if f['check'] == check][number]
    return (found['result'], found.get('subject', ''),
            {f['name']: f['value'] for f in found['facts']})


def test_a_file_is_checked_with_the_client_of_the_options(checking, tmp_path):
    path = tmp_path / 'mail.eml'
    path.write_bytes(sign(MESSAGE))
    said = explain(checking, '--client', GOOD, '--helo', 'mx.sender.example', '--from',
                   'a@sender.example', str(path))
    assert said['message'] == f'file {path}'
    result, subject, facts = finding(said, 'spf')
    assert (result, subject) == ('pass', 'sender.example')
    assert facts == {'client': GOOD, 'identity': 'MAIL FROM <a@sender.example>',
                     'asked': 'sender.example TXT',
                     'record': 'v=spf1 ip4:192.0.2.7 exp=why.%{d} -all',
                     'decided by': 'ip4:192.0.2.7', 'aligned': 'yes'}
    result, subject, facts = finding(said, 'dkim')
    assert (result, subject) == ('pass', 'sender.example')
    assert facts['selector'] == 'mail' and facts['key'] == '2048 bits'
    assert facts['asked'] == 'mail._domainkey.sender.example TXT'
    assert facts['algorithm'] == 'rsa-sha256, relaxed/relaxed' and facts['aligned'] == 'yes'
    assert facts['signs'] == 'from : to : subject : from'
    result, subject, facts = finding(said, 'dmarc')
    assert (result, subject) == ('pass', 'sender.example')
    assert facts['record'] == 'v=DMARC1; p=reject; sp=quarantine' and facts['policy'] == 'reject'
    assert said['now']['action'] == 'accept'
    assert {s['name']: s['weight_thousandths'] for s in said['now']['symbols']} == \
        {'DKIM_PASS': -1000, 'SPF_PASS': -1000, 'DMARC_PASS': -1000, 'IPREV_PASS': 0}
    assert said['then'] == {'history': [], 'fields': [], 'log': []}


def test_what_would_be_refused_is_told_with_its_reply(checking):
    said = explain(checking, '--client', BAD, '--from', 'a@sender.example', '-',
                   text=sign(MESSAGE).replace(b'hello', b'Hello'))
    assert said['message'] == 'standard input'
    assert finding(said, 'spf')[0] == 'fail'
    assert finding(said, 'spf')[2]['explanation'] == f'{BAD} is not ours'
    assert finding(said, 'dkim')[0] == 'fail'
    assert finding(said, 'dkim')[2]['reason'] == 'signature does not match'
    assert finding(said, 'dmarc')[2]['applied'] == 'reject'
    assert said['now']['action'] == 'reject'
    assert said['now']['reply'].startswith('550 5.7.23 Message rejected due to: SPF fail')


def test_without_a_client_there_is_no_spf(checking):
    said = explain(checking, '-', text=sign(MESSAGE))
    assert finding(said, 'spf') == ('unknown', '', {
        'reason': 'the address of the client is not known'})
    assert finding(said, 'dmarc')[0] == 'pass'
    assert 'client' not in said and 'mail_from' not in said


def test_other_line_ends_are_those_of_mail(checking):
    text = b'From x@y Thu Nov 26 10:00:00 2026\n' + sign(MESSAGE).replace(b'\r\n', b'\n')
    assert finding(explain(checking, '-', text=text), 'dkim')[0] == 'pass'


@pytest.mark.parametrize('client,result,name', [
    (GOOD, 'pass', 'mx.sender.example'), ('192.0.2.8', 'fail', 'mx.sender.example'),
    ('192.0.2.9', 'pass', 'mx2.sender.example'), ('192.0.2.12', 'fail', '192.0.2.12'),
    ('192.0.2.99', 'permerror', ''),
    ('2001:db8::7', 'permerror', '')])
def test_the_name_of_the_client_is_asked_for(checking, client, result, name):
    said = explain(checking, '--client', client, '-', text=MESSAGE)
    assert finding(said, 'iprev')[:2] == (result, name)
    assert f'iprev={result} ' in said['now']['fields'].replace('\r\n\t', ' ')


def test_every_signature_is_told(checking):
    said = explain(checking, '-', text=sign(sign(MESSAGE), 'ed'))
    assert [finding(said, 'dkim', i)[2]['key'] for i in (0, 1)] == ['256 bits', '2048 bits']


def test_a_chain_is_told_seal_by_seal(checking):
    said = explain(checking, '--client', BAD, '--from', 'list@plain.example', '-',
                   text=through_a_list(sign(MESSAGE)))
    result, _, facts = finding(said, 'arc')
    assert result == 'pass' and facts['sets'] == '1' and facts['trusted'].startswith('yes: ')
    assert 'dmarc=pass' in facts['first results']
    assert finding(said, 'arc-message')[:2] == ('pass', 'list.example')
    assert finding(said, 'arc-seal')[:2] == ('pass', 'list.example')
    assert finding(said, 'dmarc')[2]['override'] == 'the ARC chain vouches for it'
    assert said['now']['action'] == 'accept'


def test_delivered_mail_is_found_by_its_message_id(checking, names):
    text = WITH_ID % b'one'
    stored(checking, sign(text))
    # It is in the queue until the next checkpoint; the history is written a little later.
    def delivered():
        found = explain(checking, '<one@sender.example>')
        return found if len(found['then']['history']) == 2 and \
            found['message'].startswith(f'file {checking.mail}/') else None
    said = wait_until(delivered)
    assert (said['client'], said['mail_from']) == (GOOD, 'a@sender.example')
    assert [line['kind'] for line in said['then']['history']] == ['received', 'sent']
    assert said['then']['fields'][0].startswith(
        f'Authentication-Results: {HOSTNAME}; dkim=pass')
    assert said['then']['fields'][1].startswith('Received-SPF: pass (')
    assert any('sender.example pass (p=reject), dkim=pass' in line
               for line in said['then']['log'])
    assert finding(said, 'spf')[0] == 'pass' and finding(said, 'dkim')[0] == 'pass'
    assert explain(checking, said['queue_id'])['message'] == said['message']
    # What the DNS says now is one thing, what was found then is another.
    names.set_zone('sender.example', ['@ TXT "v=spf1 -all"'])
    try:
        with Server(accounts=USERS, env=environment(names)) as other:
            later = explain(other, said['message'].removeprefix('file '))
    finally:
        names.set_zone('sender.example', ZONES['sender.example'])
    assert finding(later, 'spf')[0] == 'fail' and finding(later, 'dkim')[0] == 'permerror'
    assert later['then']['fields'] == said['then']['fields']


def test_waiting_mail_is_found_in_the_queue(names):
    env = environment(names, DEFAULT_RELAY_HOST='[127.0.0.1]:1', PERMIT_DOCKER='network')
    with Server(accounts=USERS, env=env) as server:
        send(server, WITH_ID % b'two', client='172.16.0.9', to='someone@elsewhere.example')
        said = explain(server, 'two@sender.example')
    assert said['message'] == 'queue' and finding(said, 'spf')[0] == 'fail'
    assert (said['client'], said['mail_from']) == ('172.16.0.9', 'a@sender.example')


def test_refused_mail_is_known_to_the_log_alone(checking):
    assert '550' in str(send(checking, WITH_ID % b'three', client=BAD))
    result = run(checking, 'three@sender.example')
    assert result.returncode == 1
    assert b'The message itself is not here: give its file' in result.stderr
    assert b'sender.example fail (p=reject)' in result.stdout


def test_people_get_a_table(checking):
    result = run(checking, '--client', GOOD, '--from', 'a@sender.example', '-', text=MESSAGE)
    out = result.stdout.decode()
    assert result.returncode == 0
    for line in ('Client      192.0.2.7  (option)', 'HELO        not known',
                 '  spf         pass        sender.example',
                 '      decided by     ip4:192.0.2.7', '  dkim        none        ',
                 '  SPF_PASS               -1.000  sender.example', 'Action      accept'):
        assert line in out.splitlines(), out


def test_control_characters_do_not_reach_the_terminal(checking):
    text = MESSAGE.replace(b'From: A', b'Message-ID: <\x1b[31m@x>\r\nFrom: A')
    out = run(checking, '-', text=text).stdout
    assert b'\x1b' not in out and b'?[31m@x' in out


def test_what_is_not_there_is_said(checking):
    result = run(checking, 'nobody@nowhere.example')
    assert result.returncode == 1
    assert b"There is no file, and nothing is known of a message, 'nobody@nowhere.example'" in \
        result.stderr
    assert b"'nowhere' is no address" in run(checking, '--client', 'nowhere', '-').stderr
    assert b"'--client' wants a value" in run(checking, '-', '--client').stderr
    assert b'There is no message in' in run(checking, '-', text=b'').stderr


def test_without_a_server_it_says_so(checking, tmp_path):
    env = {**checking.environment(), 'POSTHORN_ROOT': str(tmp_path)}
    result = subprocess.run([checking.build / 'setup', 'explain', '-'], env=env, input=MESSAGE,
                            capture_output=True, timeout=30, check=False)
    assert result.returncode == 1
    assert b'The filter cannot be reached, is the server running?' in result.stderr


def test_a_filter_that_was_started_again_is_found(names):
    with Server(accounts=USERS, env=environment(names)) as server:
        before = server.roles()['filter']
        server.kill_role('filter')
        wait_until(lambda: server.roles().get('filter', before) != before, what='another filter')
        wait_until(lambda: run(server, '-', text=MESSAGE).returncode == 0, what='an explanation')


def test_asking_is_neither_logged_nor_counted(checking):
    before = checking.log().count('dkim=')
    explain(checking, '-', text=MESSAGE)
    assert checking.log().count('dkim=') == before


def test_only_the_owner_may_ask(checking):
    socket = checking.root / 'var/mail-state/lib-posthorn/filter.socket'
    assert socket.is_socket() and socket.stat().st_mode & 0o777 == 0o600
