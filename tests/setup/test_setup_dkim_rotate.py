"""setup config dkim rotate: another key in the place of one."""
import datetime
import os
import re
import sys
import time
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / 'protocol'))

from dns_server import DnsServer  # noqa: E402

DOMAIN = 'org.example'
ROTATION, TABLE = 'dkim-rotation.cf', 'opendkim/SigningTable'


def day(days=0):
    now = datetime.datetime.now(datetime.timezone.utc)
    return (now + datetime.timedelta(days=days)).strftime('%Y-%m-%d')


@pytest.fixture
def dns():
    with DnsServer({DOMAIN: [], 'two.example': []}) as server:
        yield server


@pytest.fixture
def opendkim(setup, dns):
    setup.env.update(POSTHORN_DNS=dns.address, POSTHORN_DNS_DNSSEC='off',
                     POSTHORN_DNS_TIMEOUT='2s', OVERRIDE_HOSTNAME=f'mail.{DOMAIN}')
    setup.write('postfix-accounts.cf', f'a@{DOMAIN}|x\n')
    setup.ok('config', 'dkim')
    return setup


@pytest.fixture
def rspamd(opendkim):
    opendkim.env.update(ENABLE_RSPAMD='1', ENABLE_OPENDKIM='0')
    opendkim.ok('config', 'dkim', 'domain', DOMAIN)
    return opendkim


def rotate(setup, *args):
    """(exit code, zone line, log lines without those of the sanitizer)."""
    result = setup.run('config', 'dkim', 'rotate', *args)
    texts = [line.split(': ', 1)[1] for line in result.err.splitlines() if 'open-dkim: ' in line]
    return result.code, result.out.rstrip('\n'), texts


def publish(dns, *lines):
    dns.set_zone(DOMAIN, [line.replace('\t', ' ') for line in lines])


def all_files(setup):
    return {str(p.relative_to(setup.config)): p.read_bytes()
            for p in setup.config.rglob('*') if p.is_file()}


def signing_with(setup, dns):
    """What the server would sign with, as `dns check` sees it: [selector, ...]."""
    found = setup.run('dns', 'check', DOMAIN).out
    return re.findall(rf'(?:ok|missing|wrong) +dkim +(\S+)\._domainkey\.{DOMAIN}', found)


def test_the_old_key_signs_until_the_new_record_is_there(opendkim, dns):
    before = all_files(opendkim)
    code, line, texts = rotate(opendkim)
    selector = day().replace('-', '')
    assert code == 0
    assert line.startswith(f'{selector}._domainkey.{DOMAIN}.\t3600\tIN\tTXT\t"v=DKIM1; h=sha256;')
    assert texts[-1].startswith(f"'{DOMAIN}' (rsa): 'mail' signs on, until the DNS has this record")
    now = all_files(opendkim)
    assert {k: now[k] for k in before} == before
    assert sorted(set(now) - set(before)) == [
        ROTATION, *(f'opendkim/keys/{DOMAIN}/{selector}.{end}' for end in ('private', 'txt'))]
    assert signing_with(opendkim, dns) == ['mail']

    # Nothing there, another key there: it says so, shows the same record, and nothing changes.
    for published, why in (([], 'it is not there'),
                           ([re.sub('p=.*"', 'p="', line)], 'key was revoked'),
                           ([line, line.replace('sha256', 'sha512')],
                            'there is more than one record')):
        publish(dns, *published)
        code, again, texts = rotate(opendkim)
        assert (code, again) == (1, line) and texts[-1].endswith(why), texts
        assert all_files(opendkim) == now

    publish(dns, line)
    code, out, texts = rotate(opendkim)
    assert (code, out) == (0, '')
    assert texts[-1] == (
        f"'{DOMAIN}' (rsa): '{selector}' signs since {day()}. The record mail._domainkey.{DOMAIN} "
        f'must stay in the DNS until {day(14)}, for mail that is on its way')
    assert opendkim.read(TABLE) == f'*@{DOMAIN} {selector}._domainkey.{DOMAIN}\n'
    assert signing_with(opendkim, dns) == [selector]
    # The old key is where it was.
    after = all_files(opendkim)
    assert {k: after[k] for k in before if '/keys/' in k} == \
        {k: v for k, v in before.items() if '/keys/' in k}
    assert f'mail._domainkey.{DOMAIN} ' in opendkim.read('opendkim/KeyTable')

    # Once more changes nothing, and says the same.
    assert rotate(opendkim) == (0, '', texts)
    assert all_files(opendkim) == after


def test_after_its_time_the_old_key_may_go_and_the_next_change_begins(opendkim, dns):
    _, line, _ = rotate(opendkim)
    publish(dns, line)
    rotate(opendkim)
    text = opendkim.read(ROTATION)
    opendkim.write(ROTATION, text.replace(day(), day(-13)))
    assert rotate(opendkim)[1] == ''
    opendkim.write(ROTATION, text.replace(day(), day(-14)))
    code, line, texts = rotate(opendkim)
    assert code == 0 and line.startswith(f"{day().replace('-', '')}a._domainkey.{DOMAIN}.")
    assert f"'mail' is used no more since {day(-14)}" in texts[0]


def test_a_command_that_was_overtaken_changes_nothing(opendkim, dns):
    """Another one begins anew while this one waits for the DNS."""
    name = f'next._domainkey.{DOMAIN}'
    _, line, _ = rotate(opendkim, 'selector', 'next')
    publish(dns, line)
    dns.misbehave(name, 'slow', 0.3)
    waiting = opendkim.start('config', 'dkim', 'rotate')
    while not dns.count(name, 'TXT'):
        time.sleep(0.01)
    opendkim.write(ROTATION, opendkim.read(ROTATION).replace('next', 'other'))
    before = all_files(opendkim)
    _, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 1
    assert f"'{DOMAIN}' (rsa): another command was faster, call this one again" in err
    assert all_files(opendkim) == before


@pytest.mark.skipif(os.geteuid() != 0, reason='only root gives files away')
def test_root_makes_files_for_the_server_and_leaves_others_as_they_are(opendkim, dns):
    opendkim.mail.mkdir(parents=True)
    os.chown(opendkim.mail, 12345, 12346)
    os.chown(opendkim.config / TABLE, 54321, 54322)
    rotate(opendkim, 'selector', 'next')
    rotate(opendkim, '-f')

    def owner(name):
        st = (opendkim.config / name).stat()
        return st.st_uid, st.st_gid

    key = f'opendkim/keys/{DOMAIN}/next.private'
    assert owner(key) == owner(ROTATION) == (12345, 12346)
    assert (opendkim.config / key).stat().st_mode & 0o777 == 0o600
    assert owner(TABLE) == (54321, 54322)


def test_force_does_not_look(opendkim, dns):
    rotate(opendkim, 'selector', 'next')
    assert rotate(opendkim, '-f')[0] == 0
    assert dns.count(f'next._domainkey.{DOMAIN}', 'TXT') == 1
    assert signing_with(opendkim, dns) == ['next']


def test_only_lines_of_the_domain_change(opendkim, dns):
    table = (f'# mail._domainkey.{DOMAIN}\r\n*@{DOMAIN}   mail._domainkey.{DOMAIN}  \r\n'
             f'boss@{DOMAIN.upper()}\tmail._domainkey.{DOMAIN}\n'
             f'*@two.example mail._domainkey.{DOMAIN}\n{DOMAIN} other\n')
    opendkim.write(TABLE, table)
    rotate(opendkim, 'selector', 'next', 'domain', DOMAIN)
    rotate(opendkim, '-f', 'domain', DOMAIN)
    lines = opendkim.read(TABLE).split('\n')
    assert lines[0] == table.split('\n')[0]
    assert lines[1] == f'*@{DOMAIN}   next._domainkey.{DOMAIN}  \r'
    assert lines[2] == f'boss@{DOMAIN.upper()}\tnext._domainkey.{DOMAIN}'
    assert lines[3:] == table.split('\n')[3:]


def test_a_pattern_for_all_domains_is_left_to_people(opendkim, dns):
    opendkim.write(TABLE, f'* mail._domainkey.{DOMAIN}\n')
    rotate(opendkim, 'selector', 'next')
    before = all_files(opendkim)
    code, _, texts = rotate(opendkim, '-f')
    assert code == 1 and texts[-2].endswith(
        f"put 'next._domainkey.{DOMAIN}' in the place of 'mail._domainkey.{DOMAIN}' by hand")
    assert all_files(opendkim) == before
    # Done by hand, it is taken note of.
    opendkim.write('opendkim/KeyTable', opendkim.read('opendkim/KeyTable') +
                   f'next._domainkey.{DOMAIN} {DOMAIN}:next:/etc/opendkim/keys/{DOMAIN}/'
                   'next.private\n')
    opendkim.write(TABLE, f'* next._domainkey.{DOMAIN}\n')
    code, _, texts = rotate(opendkim)
    assert code == 0 and f"'next' signs since {day()}" in texts[-1]


def test_both_kinds_of_keys_at_once(opendkim, dns):
    opendkim.ok('config', 'dkim', 'keytype', 'ed25519', 'selector', 'ed')
    code, out, _ = rotate(opendkim)
    names = sorted(re.findall(r'^(\S+?)\._domainkey', out, re.M))
    date = day().replace('-', '')
    assert code == 0 and names == [date, f'{date}-ed']
    publish(dns, *[line for line in out.split('\n') if '-ed' in line])
    code, out, _ = rotate(opendkim)
    assert code == 1 and '-ed' not in out
    assert sorted(signing_with(opendkim, dns)) == [f'{date}-ed', 'mail']
    result = opendkim.run('config', 'dkim', 'rotate', 'selector', 'x', '-f')
    assert result.code == 1 and 'say the keytype' in result.err


def test_the_file_of_rspamd(rspamd, dns):
    conf = 'rspamd/override.d/dkim_signing.conf'
    before = rspamd.read(conf)
    code, line, _ = rotate(rspamd, 'selector', 'next', 'keysize', '3072')
    assert code == 0
    assert line.startswith(f'next._domainkey.{DOMAIN}.\t3600\tIN\tTXT\t"v=DKIM1; k=rsa;')
    assert rspamd.read(conf) == before
    publish(dns, line)
    assert rotate(rspamd)[0] == 0
    assert rspamd.read(conf) == before.replace('"mail"', '"next"').replace(
        f'rsa-2048-mail-{DOMAIN}', f'rsa-3072-next-{DOMAIN}')
    assert signing_with(rspamd, dns) == ['next']
    names = sorted(p.name for p in (rspamd.config / 'rspamd/dkim').glob('*.private.txt'))
    assert names == [f'rsa-2048-mail-{DOMAIN}.private.txt', f'rsa-3072-next-{DOMAIN}.private.txt']


def test_selectors_in_a_list_of_rspamd(rspamd, dns):
    conf = 'rspamd/override.d/dkim_signing.conf'
    ed = 'rspamd/dkim/ed25519-mail-org.example.private.txt'
    rspamd.ok('config', 'dkim', 'keytype', 'ed25519', 'domain', DOMAIN)
    rsa = f'/tmp/docker-mailserver/rspamd/dkim/rsa-2048-mail-{DOMAIN}.private.txt'
    text = ('domain { ' + DOMAIN + ' { selectors [\n'
            f'  {{ path = "{rsa}"; selector = "mail"; }}, # the first\n'
            f'  {{ selector: mail; path: "/tmp/docker-mailserver/{ed}"; }}\n] }} }}\n')
    rspamd.write(conf, text)
    rotate(rspamd, 'keytype', 'ed25519', 'selector', 'e2')
    assert rotate(rspamd, 'keytype', 'ed25519', '-f')[0] == 0
    assert rspamd.read(conf) == text.replace('selector: mail', 'selector: e2').replace(
        'ed25519-mail', 'ed25519-e2')


def test_a_change_that_was_thought_better_of_begins_anew(opendkim, dns):
    rotate(opendkim, 'selector', 'next')
    (opendkim.config / f'opendkim/keys/{DOMAIN}/next.private').unlink()
    code, line, _ = rotate(opendkim, 'selector', 'third')
    assert code == 0 and line.startswith('third._domainkey')
    assert opendkim.read(ROTATION).count('\n') == 1


@pytest.mark.parametrize('args,text', [
    (['domain', 'none.example'], "No such key signs mail of 'none.example': `setup config dkim` "
                                 'makes one'),
    (['keytype', 'ed25519', 'domain', DOMAIN], f"No such key signs mail of '{DOMAIN}': `setup "
                                               'config dkim` makes one'),
    (['domain', '../x'], "'../x' is not a domain"),
    (['selector', 'mail'], None), (['selector', '../x'], "'../x' cannot be a selector")])
def test_what_cannot_be(opendkim, dns, args, text):
    before = all_files(opendkim)
    code, _, texts = rotate(opendkim, *args)
    assert code == 1 and texts[-2] == (text or f'opendkim/keys/{DOMAIN}/mail.private exists')
    assert all_files(opendkim) == before


def test_a_dns_that_does_not_answer_changes_nothing(opendkim, dns):
    rotate(opendkim, 'selector', 'next')
    dns.misbehave(f'next._domainkey.{DOMAIN}', 'servfail')
    code, _, texts = rotate(opendkim)
    assert code == 1 and texts[-1].endswith('the DNS does not answer')
