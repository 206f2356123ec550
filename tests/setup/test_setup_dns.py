"""setup dns check: what the DNS says of the server, and the records that it should have."""
import base64
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

sys.path.append(str(Path(__file__).parents[1] / 'protocol'))

from certificates import Authority  # noqa: E402
from conftest import Setup  # noqa: E402
from dns_server import DnsServer  # noqa: E402
from test_courier_sts import PolicyHost, policy  # noqa: E402

HOST, DOMAIN, ADDRESS = 'mail.org.example', 'org.example', '192.0.2.25'
REVERSE = '25.2.0.192.in-addr.arpa'


def strings(text):
    """A TXT value as a zone file has it."""
    return ' '.join(f'"{text[i:i + 250]}"' for i in range(0, len(text), 250))


@pytest.fixture(scope='module')
def opendkim(tmp_path_factory):
    """(files of a long key, its record as `setup` prints it): making one takes its time."""
    setup = Setup(tmp_path_factory.mktemp('key'))
    said = setup.ok('config', 'dkim', 'domain', DOMAIN, 'keysize', '4096').err
    return setup.config / 'opendkim', re.search(r'must be: (v=DKIM1.*)', said).group(1)


class Names:
    """A server's environment with a DNS of its own."""

    def __init__(self, setup, dns, opendkim, tmp_path):
        self.setup, self.dns = setup, dns
        setup.write('postfix-accounts.cf', f'a@{DOMAIN}|{{PLAIN}}x\n')
        self.authority = Authority(tmp_path / 'ca')
        self.certificate = self.authority.issue(HOST)
        self.tlsa = self.certificate.tlsa()
        shutil.copytree(opendkim[0], setup.config / 'opendkim')
        self.keys = opendkim[1]
        self.put()
        setup.env.update({
            'POSTHORN_DNS': dns.address, 'OVERRIDE_HOSTNAME': HOST, 'SSL_TYPE': 'manual',
            'SSL_CERT_PATH': str(self.certificate.file), 'SSL_KEY_PATH': str(self.certificate.key),
            'POSTHORN_CA_FILE': str(self.authority.file), 'POSTHORN_DNS_TIMEOUT': '2s',
            'POSTHORN_DNS_TRUST_ANCHOR': dns.trust_anchor(tmp_path / 'anchor')})

    def lines(self):
        """A zone with everything in it, by check."""
        return {
            'mx': [f'@ MX 10 {HOST}.'], 'address': [f'mail A {ADDRESS}'],
            'helo': ['mail TXT "v=spf1 a -all"'], 'spf': ['@ TXT "v=spf1 mx -all"'],
            'others': ['@ TXT "something=else"'],
            'dkim': [f'mail._domainkey TXT {strings(self.keys)}'],
            'dmarc': [f'_dmarc TXT "v=DMARC1; p=reject; rua=mailto:x@{DOMAIN}"'],
            'mta-sts': ['_mta-sts TXT "v=STSv1; id=1"', 'mta-sts A 127.0.0.1'],
            'tls-rpt': [f'_smtp._tls TXT "v=TLSRPTv1; rua=mailto:x@{DOMAIN}"'],
            'dane': [f'_25._tcp.mail TLSA {self.tlsa}'],
            'caa': ['@ CAA 0 issue "ca.example"'],
            'clients': ['_submissions._tcp SRV 0 1 465 mail', '_imaps._tcp SRV 0 1 993 mail']}

    def put(self, without=(), signed=True, **instead):
        lines = self.lines()
        for check in without:
            del lines[check]
        lines.update(instead)
        self.dns.set_zone(DOMAIN, sum(lines.values(), []), signed)

    def run(self, *args):
        return self.setup.run('dns', 'check', *args)

    def check(self, *args):
        """(exit code, {check: [finding, ...]}), the server's findings among them."""
        result = self.run('--json', *args)
        said = json.loads(result.out)
        checks = {}
        for domain in said['domains']:
            for found in domain['checks']:
                checks.setdefault(found['check'], []).append(found)
        return result.code, checks

    def only(self, check, *args):
        """The finding of a check that has one: (exit code, state, text, zone lines)."""
        code, checks = self.check(*args)
        found, = checks[check]
        return code, found['state'], found['text'], [r['zone'] for r in found['records']]


@pytest.fixture
def names(setup, opendkim, tmp_path):
    zones = {DOMAIN: [], 'in-addr.arpa': [f'25.2.0.192 PTR {HOST}.'], 'else.example': [
        'mx A 192.0.2.99', '_dmarc TXT "v=DMARC1; p=none"']}
    with DnsServer(zones, signed=[DOMAIN]) as dns:
        yield Names(setup, dns, opendkim, tmp_path)


@pytest.fixture
def sts(names, tmp_path):
    with PolicyHost(names.authority.issue(f'mta-sts.{DOMAIN}'), policy(mx=[HOST])) as host:
        names.setup.env['POSTHORN_MTA_STS_PORT'] = str(host.port)
        yield host


def zone_line(name, kind, value):
    return f'{name}.\t3600\tIN\t{kind}\t{value}'


def test_all_is_right(names, sts):
    code, checks = names.check()
    assert {f['state'] for found in checks.values() for f in found} == {'ok'}, checks
    assert set(checks) == {'address', 'ptr', 'helo', 'dane', 'caa', 'mx', 'spf', 'dkim', 'dmarc',
                           'mta-sts', 'tls-rpt', 'clients'}
    assert code == 0 and names.run('--strict').code == 0
    assert names.run('--yaml').out == ''
    assert sts.asked[0] == (f'mta-sts.{DOMAIN}', '/.well-known/mta-sts.txt')


@pytest.mark.parametrize('check,state,code,record', [
    ('mx', 'missing', 1, (DOMAIN, 'MX', f'10 {HOST}.')),
    ('helo', 'advice', 0, (HOST, 'TXT', '"v=spf1 a -all"')),
    ('spf', 'missing', 1, (DOMAIN, 'TXT', '"v=spf1 mx -all"')),
    ('dmarc', 'missing', 1, (f'_dmarc.{DOMAIN}', 'TXT',
                             f'"v=DMARC1; p=quarantine; rua=mailto:postmaster@{DOMAIN}"')),
    ('tls-rpt', 'advice', 0, (f'_smtp._tls.{DOMAIN}', 'TXT',
                              f'"v=TLSRPTv1; rua=mailto:postmaster@{DOMAIN}"'))])
def test_what_is_missing_is_shown_as_a_line_of_a_zone(names, sts, check, state, code, record):
    names.put(without=[check])
    assert names.only(check)[1:2] + names.only(check)[3:] == (state, [zone_line(*record)])
    assert names.run().code == code and names.run('--strict').code == 1
    assert f'      {zone_line(*record)}\n' in names.run().out


def test_services_for_mail_programs(names, sts):
    names.setup.env['ENABLE_POP3'] = '1'
    names.put(clients=['_imaps._tcp SRV 0 1 143 mail', '_submissions._tcp SRV 0 0 0 .'])
    _, checks = names.check()
    assert [(f['state'], f['records'][0]['zone']) for f in checks['clients']] == [
        (state, zone_line(f'_{name}._tcp.{DOMAIN}', 'SRV', f'0 1 {port} {HOST}.'))
        for state, name, port in [('wrong', 'submissions', 465), ('wrong', 'imaps', 993),
                                  ('advice', 'pop3s', 995)]]


def test_a_long_key_is_split_into_strings(names, sts):
    names.put(without=['dkim'])
    code, state, _, (line,) = names.only('dkim')
    assert (code, state) == (1, 'missing')
    assert line.startswith(f'mail._domainkey.{DOMAIN}.\t3600\tIN\tTXT\t"')
    parts = re.findall(r'"([^"]*)"', line)
    assert [len(p) for p in parts[:-1]] == [255] * (len(parts) - 1) and len(parts) == 3
    assert ''.join(parts) == names.keys
    # What was shown is what is right.
    names.put(dkim=[line.replace('\t', ' ')])
    assert names.only('dkim')[1] == 'ok'


def test_another_key_in_the_dns_is_wrong(names, sts):
    names.setup.ok('config', 'dkim', 'domain', DOMAIN, 'selector', 'other', 'keytype', 'ed25519')
    names.put(without=['dkim'], dkim=[f'mail._domainkey TXT "v=DKIM1; p="',
                                      f'other._domainkey TXT {strings(names.keys)}'])
    _, checks = names.check()
    assert [(f['state'], f['text']) for f in checks['dkim']] == [
        ('wrong', f'mail._domainkey.{DOMAIN}: key was revoked'),
        ('wrong', f'other._domainkey.{DOMAIN}: it is another key than that which signs')]


def test_keys_of_rspamd_are_checked_too(names, sts):
    names.setup.env.update(ENABLE_RSPAMD='1', ENABLE_OPENDKIM='0')
    assert names.only('dkim')[1:3] == (
        'missing',
        f'no key signs mail of the domain; `setup config dkim domain {DOMAIN}` makes one')
    record = names.setup.ok('config', 'dkim', 'selector', 's', 'keytype', 'ed25519', 'domain',
                            DOMAIN).out.strip()
    names.put(dkim=[f's._domainkey TXT "{record}"'])
    assert names.only('dkim')[1] == 'ok'


@pytest.mark.parametrize('there,text,wanted', [
    ('v=spf1 ip4:192.0.2.1 ~all', 'softfail', f'v=spf1 a:{HOST} ip4:192.0.2.1 ~all'),
    ('v=spf1 +all', 'lets everybody send', f'v=spf1 a:{HOST} -all'),
    ('v=spf1 include:nowhere.example -all', 'permerror',
     f'v=spf1 a:{HOST} include:nowhere.example -all'),
    ('v=spf1 nonsense -all', 'syntax error', 'v=spf1 mx -all')])
def test_a_wrong_spf_record_is_mended(names, sts, there, text, wanted):
    names.put(spf=[f'@ TXT "{there}"'])
    code, state, said, zone = names.only('spf')
    assert (code, state, zone) == (1, 'wrong', [zone_line(DOMAIN, 'TXT', f'"{wanted}"')])
    assert text in said and there in said


def test_two_spf_records_are_one_too_many(names, sts):
    names.put(spf=['@ TXT "v=spf1 mx -all"', '@ TXT "v=spf1 a -all"'])
    _, state, said, zone = names.only('spf')
    assert state == 'wrong' and 'more than one record' in said and len(zone) == 1


def test_addresses_of_an_option(names, sts):
    code, checks = names.check('--address', ADDRESS, '--address', '2001:db8::25')
    assert code == 1
    assert [(f['state'], [r['zone'] for r in f['records']]) for f in checks['address']] == [
        ('ok', []), ('missing', [zone_line(HOST, 'AAAA', '2001:db8::25')])]
    assert [f['state'] for f in checks['ptr']] == ['ok', 'missing']
    assert checks['ptr'][1]['records'][0]['zone'].endswith(
        f'8.b.d.0.1.0.0.2.ip6.arpa.\t3600\tIN\tPTR\t{HOST}.')
    assert checks['spf'][0]['state'] == 'wrong'     # "mx" has no such address
    code, checks = names.check('--address', '192.0.2.26')
    assert [(f['state'], [r['zone'] for r in f['records']]) for f in checks['address']] == [
        ('missing', [zone_line(HOST, 'A', '192.0.2.26')]), ('wrong', [])]


def test_an_address_that_others_cannot_reach(names, sts):
    names.put(address=['mail A 10.1.2.3'])
    assert names.only('address')[1:3] == (
        'wrong', f'{HOST} A 10.1.2.3; others cannot reach this address')


def test_another_name_of_the_address(names, sts):
    names.dns.set_zone('in-addr.arpa', ['25.2.0.192 PTR host-25.provider.example.'])
    code, state, text, zone = names.only('ptr')
    assert (code, state, zone) == (1, 'wrong', [zone_line(REVERSE, 'PTR', f'{HOST}.')])
    assert text.startswith(f'{ADDRESS} is host-25.provider.example, not {HOST}')


def test_mail_exchanges(names, sts):
    names.put(mx=['@ MX 5 mx.else.example.', '@ MX 7 alias'], others=['alias CNAME mail'])
    _, checks = names.check()
    assert [(f['state'], f['text'].split(';')[0]) for f in checks['mx']] == [
        ('ok', '5 mx.else.example, another server, signed (DNSSEC)'),
        ('wrong', f'7 alias.{DOMAIN}, this server, signed (DNSSEC)')]
    names.put(mx=['@ MX 5 mx.else.example.'])
    _, checks = names.check()
    assert [f['state'] for f in checks['mx']] == ['ok', 'missing']
    names.put(mx=['@ MX 0 .'])
    _, checks = names.check()
    assert [f['state'] for f in checks['mx']] == ['wrong', 'missing']


def test_dmarc_of_the_organization_counts(names, sts):
    text = names.only('dmarc', f'sub.{DOMAIN}')[2]
    assert text == f'_dmarc.{DOMAIN}: policy reject'


def test_reports_to_others_need_their_consent(names, sts):
    names.put(dmarc=['_dmarc TXT "v=DMARC1; p=none; rua=mailto:a@else.example!10m"'])
    _, checks = names.check()
    assert [(f['state'], [r['zone'] for r in f['records']]) for f in checks['dmarc']] == [
        ('ok', []),
        ('missing', [zone_line(f'{DOMAIN}._report._dmarc.else.example', 'TXT', '"v=DMARC1"')])]
    names.dns.set_zone('else.example', [f'{DOMAIN}._report._dmarc TXT "v=DMARC1"'])
    _, checks = names.check()
    assert [f['state'] for f in checks['dmarc']] == ['ok', 'ok']


def test_reports_within_one_organization_need_none(names, sts):
    for other in (DOMAIN, f'reports.{DOMAIN}'):
        names.put(dmarc=[f'_dmarc TXT "v=DMARC1; p=none; rua=mailto:a@{other}"'])
        assert names.only('dmarc')[1] == 'ok'
    names.dns.set_zone(f'sub.{DOMAIN}', [
        f'_dmarc TXT "v=DMARC1; p=none; rua=mailto:a@reports.{DOMAIN}"'], True)
    assert names.only('dmarc', f'sub.{DOMAIN}')[1] == 'ok'


def test_two_dmarc_records_are_none(names, sts):
    names.put(dmarc=['_dmarc TXT "v=DMARC1; p=none"', '_dmarc TXT "v=DMARC1; p=reject"'])
    assert names.only('dmarc')[:2] == (1, 'wrong')


def test_a_policy_of_mta_sts(names, sts):
    sts.policy = policy(mx=['other.example'])
    code, state, text, _ = names.only('mta-sts')
    assert (code, state) == (1, 'wrong') and f'add "mx: {HOST}" to it' in text
    sts.status = 404
    code, state, text, _ = names.only('mta-sts')
    assert (code, state) == (1, 'wrong') and '404' in text
    names.put(without=['mta-sts'])
    code, state, text, (line,) = names.only('mta-sts')
    assert (code, state) == (0, 'advice') and f'"mx: {HOST}"' in text
    assert re.fullmatch(rf'_mta-sts\.{DOMAIN}\.\t3600\tIN\tTXT\t"v=STSv1; id=\d{{14}}"', line)
    # Without a policy the record does harm: it is not for external-dns.
    assert f'# later: {line[:20]}' in names.run('--yaml').out


def test_dane_compares_with_our_certificate(names, sts):
    names.put(without=['dane'])
    code, state, _, zone = names.only('dane')
    right = zone_line(f'_25._tcp.{HOST}', 'TLSA', names.certificate.tlsa())
    assert (code, state, zone) == (0, 'advice', [right])
    names.put(dane=[f'_25._tcp.mail TLSA {names.certificate.tlsa(wrong=True)}'])
    code, state, _, zone = names.only('dane')
    assert (code, state, zone) == (1, 'wrong', [right])
    kinds = ((3, 0, 1), (3, 1, 2), (3, 0, 0), (2, 0, 1), (2, 1, 1))
    records = [names.certificate.tlsa(*kind) for kind in kinds]
    chain = names.certificate.file
    chain.write_bytes(chain.read_bytes() + names.authority.file.read_bytes())
    for record in records:
        names.put(dane=[f'_25._tcp.mail TLSA {record}'])
        assert names.only('dane')[1] == 'ok', record


def test_without_dnssec_there_is_no_dane(names, sts):
    names.put(signed=False)
    names.setup.env['POSTHORN_DNS_DNSSEC'] = 'off'
    code, state, text, zone = names.only('dane')
    assert (code, state, zone) == (0, 'advice', [])
    assert 'is not signed (DNSSEC)' in text and 'do not count' in text


def test_dane_protects_domains_whose_zones_are_signed(names, sts):
    names.dns.set_zone('else.example', [f'@ MX 10 {HOST}.'])
    said = json.loads(names.run('--json', 'else.example', DOMAIN).out)
    dane = {d['name']: [(f['state'], f['text']) for f in d['checks'] if f['check'] == 'dane']
            for d in said['domains'][1:]}
    assert dane == {DOMAIN: [], 'else.example': [
        ('advice', f'the zone of else.example is not signed (DNSSEC): the TLSA records of {HOST} '
                   'do not protect its mail')]}


def test_caa_knows_who_made_our_certificate(names, sts, tmp_path):
    key, cert = tmp_path / 'le.key', tmp_path / 'le.pem'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                    'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert, '-subj',
                    "/O=Let's Encrypt/CN=R3"], capture_output=True, check=True)
    names.setup.env.update(SSL_CERT_PATH=str(cert), SSL_KEY_PATH=str(key))
    code, state, _, zone = names.only('caa')
    assert (state, zone) == ('wrong', [zone_line(DOMAIN, 'CAA', '0 issue "letsencrypt.org"')])
    names.put(without=['caa'])
    _, state, _, zone = names.only('caa')
    assert (state, zone) == ('advice', [zone_line(HOST, 'CAA', '0 issue "letsencrypt.org"')])
    names.put(caa=['@ CAA 0 issue "letsencrypt.org; validationmethods=dns-01"'])
    assert names.only('caa')[1] == 'ok'


def test_yaml_can_be_applied_and_keeps_what_is_there(names, sts):
    names.put(without=['spf', 'dkim', 'clients'])
    result = names.run('--yaml')
    documents = list(yaml.safe_load_all(result.out))
    assert result.code == 1
    document, = documents
    assert document['apiVersion'] == 'externaldns.k8s.io/v1alpha1'
    assert document['kind'] == 'DNSEndpoint'
    assert document['metadata'] == {'name': f'posthorn-{DOMAIN}'}
    sets = {(e['dnsName'], e['recordType']): e['targets'] for e in document['spec']['endpoints']}
    assert set(sets) == {(DOMAIN, 'TXT'), (f'mail._domainkey.{DOMAIN}', 'TXT'),
                         (f'_imaps._tcp.{DOMAIN}', 'SRV'), (f'_submissions._tcp.{DOMAIN}', 'SRV')}
    assert sorted(sets[DOMAIN, 'TXT']) == ['something=else', 'v=spf1 mx -all']
    assert sets[f'_imaps._tcp.{DOMAIN}', 'SRV'] == [f'0 1 993 {HOST}']
    target, = sets[f'mail._domainkey.{DOMAIN}', 'TXT']
    assert ''.join(re.findall(r'"([^"]*)"', target)) == names.keys
    assert all(e['recordTTL'] == 3600 for e in document['spec']['endpoints'])
    assert names.run('--dnsendpoint').out == result.out


def test_what_external_dns_cannot_make_is_a_comment(names, sts):
    names.put(without=['dane'])
    out = names.run('--yaml').out
    assert out == f'# not for external-dns: _25._tcp.{HOST}.\t3600\tIN\tTLSA\t' \
        f'{names.certificate.tlsa()}\n'


def test_a_dns_that_fails_is_not_taken_for_one_that_has_nothing(names, sts):
    names.dns.misbehave(DOMAIN, 'servfail')
    names.dns.misbehave(f'_dmarc.{DOMAIN}', 'servfail')
    code, checks = names.check()
    assert code == 1
    assert [checks[c][0]['state'] for c in ('mx', 'spf', 'dmarc')] == ['unknown'] * 3
    names.dns.misbehave(DOMAIN, None)
    names.dns.misbehave(f'_smtp._tls.{DOMAIN}', 'bad-signature')
    _, checks = names.check()
    assert checks['tls-rpt'][0]['state'] == 'wrong' and 'DNSSEC' in checks['tls-rpt'][0]['text']


def test_without_any_answer_every_check_says_so(names, sts):
    names.dns.misbehave('*', 'refused')
    code, checks = names.check()
    assert code == 1
    assert {check: {f['state'] for f in found} for check, found in checks.items()} == {
        check: {'unknown'} for check in (
            'address', 'ptr', 'helo', 'dane', 'caa', 'mx', 'spf', 'dkim', 'dmarc', 'mta-sts',
            'tls-rpt', 'clients')}
    assert names.run('--yaml').out == ''


def test_domains_are_those_of_accounts_and_aliases(names, sts):
    names.setup.write('postfix-virtual.cf', f'x@else.example a@{DOMAIN}\n')
    said = json.loads(names.run('--json').out)
    assert [d['name'] for d in said['domains']] == [HOST, 'else.example', DOMAIN]
    said = json.loads(names.run('--json', 'third.example').out)
    assert [d['name'] for d in said['domains']] == [HOST, 'third.example']


def test_what_it_asks_for_makes_it_right(names, sts):
    """Every line that is shown goes into the zones as it is; then nothing is missing."""
    names.setup.env['ENABLE_POP3'] = '1'
    names.dns.set_zone('in-addr.arpa', [])
    names.put(without=[check for check in names.lines() if check not in ('caa', 'mta-sts')],
              **{'mta-sts': ['mta-sts A 127.0.0.1']})
    lines = ['mta-sts A 127.0.0.1', '@ CAA 0 issue "ca.example"']
    for count in (12, 1):   # EHLO's name has to have an address before it can have SPF
        _, checks = names.check('--address', ADDRESS)
        shown = [r['zone'].replace('\t', ' ') for found in checks.values() for f in found
                 for r in f['records']]
        assert len(shown) == count, shown
        lines += shown
        names.dns.set_zone('in-addr.arpa', [line for line in lines if ' PTR ' in line])
        names.dns.set_zone(DOMAIN, [line for line in lines if ' PTR ' not in line], True)
    code, checks = names.check('--address', ADDRESS, DOMAIN)
    assert [f for found in checks.values() for f in found if f['state'] != 'ok'] == []
    assert code == 0


def test_a_domain_of_another_script(names, sts):
    names.dns.set_zone('xn--bcher-kva.example', [f'@ MX 10 {HOST}.'])
    said = json.loads(names.run('--json', 'B\u00fccher.example').out)
    assert said['domains'][1]['name'] == 'xn--bcher-kva.example'
    assert said['domains'][1]['checks'][0]['state'] == 'ok'


def test_the_next_key_of_a_change_is_advice(names, sts):
    made = names.setup.ok('config', 'dkim', 'rotate', 'selector', 'next', 'domain', DOMAIN)
    line = made.out.strip()
    code, checks = names.check()
    assert code == 0
    assert [(f['state'], [r['zone'] for r in f['records']]) for f in checks['dkim']] == [
        ('ok', []), ('advice', [line])]
    names.put(others=[line.replace('\t', ' ')])
    code, checks = names.check()
    assert code == 0 and 'the next key is there' in checks['dkim'][1]['text']
    names.setup.ok('config', 'dkim', 'rotate', 'domain', DOMAIN)
    assert names.only('dkim')[1:3] == ('ok', f'next._domainkey.{DOMAIN}: the key that signs')


def test_people_get_a_list(names, sts):
    names.put(without=['spf'])
    out = names.run().out
    assert out.startswith(f'{HOST}\n  ok       address   {HOST} A {ADDRESS}\n')
    assert '\n  missing  spf       nothing says who may send in the name of the domain\n' in out
    assert out.endswith('\n12 right, 1 missing, 0 wrong, 0 not known, 0 advised\n'), out


@pytest.mark.parametrize('args,text', [
    (['--address', 'x'], "'x' is no address"), (['--address'], "'--address' is not understood"),
    (['nodots'], "'nodots' is not understood"), (['--xml'], "'--xml' is not understood")])
def test_wrong_arguments(names, args, text):
    result = names.run(*args)
    assert result.code == 1 and text in result.err


def test_an_ed25519_key_fits_its_record(names, sts):
    names.setup.ok('config', 'dkim', 'domain', DOMAIN, 'selector', 'ed', 'keytype', 'ed25519')
    private = names.setup.config / f'opendkim/keys/{DOMAIN}/ed.txt'
    record = ''.join(re.findall(r'"([^"]*)"', private.read_text()))
    assert len(base64.b64decode(record.rsplit('p=', 1)[1])) == 32
    names.put(dkim=[f'mail._domainkey TXT {strings(names.keys)}', f'ed._domainkey TXT "{record}"'])
    _, checks = names.check()
    assert [f['state'] for f in checks['dkim']] == ['ok', 'ok']
