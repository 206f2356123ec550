"""The resolver: the real process, asked as other roles ask it (dns_ask.c), with a DNS of tests."""
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dns_server import DnsServer
from server import ASAN_OPTIONS, BUILD, SANITIZER, SLOW, wait_until

PROGRAM = BUILD / 'posthorn-resolver'
ASK = BUILD / 'tests/protocol/dns-ask'
TLSA = '3 1 1 ' + 'ab' * 32
ZONES = {
    'example.org': ['@ MX 10 mx', '@ MX 20 mx.example.net.', '@ TXT "v=spf1 " "-all"',
                    'mx A 192.0.2.1', 'mx AAAA 2001:db8::1', f'_25._tcp.mx TLSA {TLSA}',
                    'www 60 CNAME mx', 'out CNAME mx.example.net.', 'old DNAME example.net.',
                    '_imap._tcp SRV 1 2 143 mx', '@ CAA 0 issue "ca.example"'],
    'example.net': ['mx A 192.0.2.2', 'into CNAME mx.example.org.', 'silent MX 0 .',
                    'loop1 CNAME loop2', 'loop2 CNAME loop1', 'many TXT first',
                    *[f'many TXT "{n} {"x" * 200}"' for n in range(40)], 'soon 1 A 192.0.2.7'],
    '2.0.192.in-addr.arpa': ['1 PTR mx.example.org.'],
    '8.b.d.0.1.0.0.2.ip6.arpa': [f'1{".0" * 23} PTR mx.example.org.'],
}


class Resolver:
    """A resolver of its own, and the program that asks it."""

    def __init__(self, tmp_path, env):
        self.root = tmp_path / 'root'
        (self.root / 'etc').mkdir(parents=True, exist_ok=True)
        self.errors_path = tmp_path / 'errors'
        self.errors_file = open(self.errors_path, 'wb')
        self.process = subprocess.Popen(
            [ASK, PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors_file,
            text=True, env={'PATH': os.environ['PATH'], 'OVERRIDE_HOSTNAME': 'mail.example.test',
                            'POSTHORN_ROOT': str(self.root), 'ASAN_OPTIONS': ASAN_OPTIONS, **env})

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.process.stdin.close()
        try:
            code = self.process.wait(30 * SLOW)
        finally:
            self.process.kill()
            self.errors_file.close()
        if kind is None:
            assert code == 0, self.log()
            assert not SANITIZER.search(self.log()), self.log()

    def log(self):
        return self.errors_path.read_text()

    def write(self, name, text):
        (self.root / 'etc' / name).write_text(text)

    def ask_all(self, questions):
        """Ask at once: [(type, name)]."""
        self.process.stdin.write(' '.join(f'{t}:{n}' for t, n in questions) + '\n')
        self.process.stdin.flush()
        return [json.loads(self.process.stdout.readline()) for _ in questions]

    def ask(self, kind, name):
        answer = self.ask_all([(kind, name)])[0]
        answer['texts'] = sorted(r.get('text', '') for r in answer['records'])
        return answer


@pytest.fixture
def make_resolver(tmp_path):
    started = []

    def make(dns=None, **env):
        if dns:
            env.setdefault('POSTHORN_DNS', dns.address)
            env.setdefault('POSTHORN_DNS_TRUST_ANCHOR', dns.trust_anchor(tmp_path / 'anchor'))
        env.setdefault('POSTHORN_DNS_TIMEOUT', '5s')
        resolver = Resolver(tmp_path, env)
        started.append(resolver)
        return resolver

    yield make
    for resolver in started:
        resolver.__exit__(None)


@pytest.fixture
def dns():
    with DnsServer(ZONES, signed=['example.org']) as server:
        yield server


@pytest.fixture
def resolver(dns, make_resolver):
    return make_resolver(dns)


@pytest.mark.parametrize('kind, name, texts', [
    ('MX', 'example.org', ['10 mx.example.org', '20 mx.example.net']),
    ('MX', 'EXAMPLE.org.', ['10 mx.example.org', '20 mx.example.net']),
    ('MX', 'silent.example.net', ['0 ']),
    ('TXT', 'example.org', ['v=spf1 -all']),
    ('TLSA', '_25._tcp.mx.example.org', ['3 1 1 32']),
    ('SRV', '_imap._tcp.example.org', ['1 2 143 mx.example.org']),
    ('CAA', 'example.org', ['0 issue ca.example']),
    ('PTR', '192.0.2.1', ['mx.example.org']),
    ('PTR', '2001:db8::1', ['mx.example.org']),
    ('HOST', 'mx.example.org', ['192.0.2.1', '2001:db8::1']),
    ('HOST', 'mx.example.net', ['192.0.2.2']),
])
def test_records_of_each_type_are_found(resolver, kind, name, texts):
    answer = resolver.ask(kind, name)
    assert answer['status'] == 'found'
    assert answer['texts'] == texts
    assert answer['ttl'] == 300


@pytest.mark.parametrize('kind, name, status', [
    ('MX', 'mx.example.org', 'nodata'),
    ('MX', 'no.example.org', 'nxdomain'),
    ('HOST', '_tcp.mx.example.org', 'nodata'),
    ('HOST', 'no.example.net', 'nxdomain'),
])
def test_nothing_is_an_answer_that_may_be_proved_and_has_a_ttl(resolver, kind, name, status):
    answer = resolver.ask(kind, name)
    assert answer['status'] == status
    assert answer['secure'] == name.endswith('.org')
    assert 0 < answer['ttl'] <= 60


@pytest.mark.parametrize('name, canonical, secure, ttl', [
    ('www.example.org', 'mx.example.org', True, 60),
    ('out.example.org', 'mx.example.net', False, 300),
    ('into.example.net', 'mx.example.org', False, 300),
])
def test_aliases_are_followed_and_are_as_secure_as_their_weakest_link(resolver, name, canonical,
                                                                      secure, ttl):
    answer = resolver.ask('HOST', name)
    assert answer['status'] == 'found'
    assert (answer['name'], answer['secure'], answer['ttl']) == (canonical, secure, ttl)


def test_aliases_in_a_circle_are_a_temporary_failure(resolver):
    answer = resolver.ask('HOST', 'loop1.example.net')
    assert answer['status'] == 'tempfail'
    assert answer['reason']


@pytest.mark.parametrize('name', [
    '192.0.2.1', '2001:db8::1', '[192.0.2.1]', '[IPv6:2001:db8::1]', 'a..b', '.org',
    'x' * 64 + '.org', '.'.join(['abcdefg'] * 32), 'm\\', 'm\u2488.example.org', 'a\\256.org',
])
def test_what_cannot_be_a_name_does_not_exist_and_nobody_is_asked(resolver, dns, name):
    for kind in ('HOST', 'MX'):
        assert resolver.ask(kind, name)['status'] == 'nxdomain'
    assert dns.questions == []


def test_an_operator_may_write_an_address(resolver):
    assert resolver.ask('LOCAL', '192.0.2.9')['texts'] == ['192.0.2.9']
    assert resolver.ask('LOCAL', '[2001:db8::9]')['texts'] == ['2001:db8::9']


def test_an_answer_is_kept_and_asked_for_once(resolver, dns):
    first = resolver.ask('MX', 'example.org')
    again = resolver.ask('MX', 'example.org')
    assert first['texts'] == again['texts']
    resolver.ask('MX', 'no.example.net')
    resolver.ask('MX', 'no.example.net')
    assert dns.count('example.org', 'MX') == 1
    assert dns.count('no.example.net', 'MX') == 1


def test_the_same_question_in_flight_is_asked_once(resolver, dns):
    resolver.ask('HOST', 'mx.example.org')
    dns.misbehave('example.org', 'slow', 0.3)
    answers = resolver.ask_all([('MX', 'example.org')] * 100)
    assert all(a['status'] == 'found' for a in answers)
    assert dns.count('example.org', 'MX') < 10      # one, and what is sent again without an answer


def test_more_questions_than_may_be_in_flight_take_turns(dns, make_resolver):
    dns.set_zone('example.net', [f'n{n} A 192.0.2.3' for n in range(300)])
    resolver = make_resolver(dns, POSTHORN_DNS_QUESTIONS_MAX='3')
    answers = resolver.ask_all([('HOST', f'n{n}.example.net') for n in range(300)])
    assert [a['status'] for a in answers] == ['found'] * 300


def test_a_question_too_many_is_told_so_at_its_deadline(dns, make_resolver):
    for n in range(3):
        dns.misbehave(f'n{n}.example.net', 'drop')
    resolver = make_resolver(dns, POSTHORN_DNS_QUESTIONS_MAX='2', POSTHORN_DNS_TIMEOUT='1s')
    answers = resolver.ask_all([('MX', f'n{n}.example.net') for n in range(3)])
    assert [a['status'] for a in answers] == ['tempfail'] * 3
    assert answers[2]['reason'] == 'too many questions are in flight'


@pytest.mark.parametrize('mode', ['drop', 'servfail', 'refused', 'formerr', 'wrong-id',
                                  'wrong-name', 'garbage'])
def test_a_server_that_fails_is_a_temporary_failure_with_a_reason(dns, make_resolver, mode):
    dns.misbehave('mx.example.net', mode)
    resolver = make_resolver(dns, POSTHORN_DNS_TIMEOUT='2s')
    started = time.monotonic()
    answer = resolver.ask('HOST', 'mx.example.net')
    assert answer['status'] == 'tempfail'
    assert answer['reason']
    assert time.monotonic() - started < 20 * SLOW
    assert resolver.ask('MX', 'example.org')['status'] == 'found'


def test_a_late_answer_serves_the_next_question(dns, make_resolver):
    dns.misbehave('mx.example.net', 'slow', 0.25)
    resolver = make_resolver(dns, POSTHORN_DNS_TIMEOUT='100ms')
    first = resolver.ask('1', 'mx.example.net')
    assert (first['status'], first['reason']) == ('tempfail', 'no answer in time')
    dns.misbehave('mx.example.net', 'drop')
    wait_until(lambda: resolver.ask('1', 'mx.example.net')['status'] == 'found', 10,
               what='the late answer')


@pytest.mark.parametrize('mode', ['truncate', None])
def test_what_does_not_fit_into_udp_comes_over_tcp(resolver, dns, mode):
    dns.misbehave('many.example.net', mode)
    answer = resolver.ask('TXT', 'many.example.net')
    assert answer['status'] == 'found'
    assert len(answer['texts']) == 41
    assert 'tcp' in dns.transports


def test_the_server_that_was_away_is_asked_again_soon(tmp_path, make_resolver):
    with DnsServer(ZONES) as dns:
        port = dns.port
    resolver = make_resolver(None, POSTHORN_DNS=f'127.0.0.1:{port}', POSTHORN_DNS_DNSSEC='off',
                             POSTHORN_DNS_TIMEOUT='1s')
    for n in range(6):
        assert resolver.ask('MX', f'n{n}.example.org')['status'] == 'tempfail'
    with DnsServer(ZONES, port=port):
        wait_until(lambda: resolver.ask('MX', 'example.org')['status'] == 'found', 20,
                   what='an answer after the break')


def test_the_second_forwarder_answers_when_the_first_is_dead(dns, make_resolver):
    with DnsServer() as gone:
        dead = gone.address
    resolver = make_resolver(dns, POSTHORN_DNS=f'{dead}, {dns.address}')
    assert resolver.ask('MX', 'example.org')['status'] == 'found'


# Old answers.

def test_an_old_answer_is_used_while_servers_fail(resolver, dns):
    assert resolver.ask('1', 'soon.example.net')['status'] == 'found'
    dns.misbehave('*', 'drop')
    time.sleep(2.2)     # a TTL ends with the second
    answer = resolver.ask('1', 'soon.example.net')
    assert answer['status'] == 'found'
    assert answer['ttl'] <= 30
    assert dns.count('soon.example.net', 'A') > 1


def test_without_stale_answers_a_failure_is_one(dns, make_resolver):
    resolver = make_resolver(dns, POSTHORN_DNS_STALE_MAX='0', POSTHORN_DNS_TIMEOUT='3s')
    assert resolver.ask('1', 'soon.example.net')['status'] == 'found'
    dns.misbehave('*', 'drop')
    time.sleep(2.2)     # a TTL ends with the second
    assert resolver.ask('1', 'soon.example.net')['status'] == 'tempfail'


# DNSSEC.

def test_what_is_signed_is_secure_and_what_is_not_is_not(resolver):
    assert resolver.ask('MX', 'example.org')['secure']
    assert not resolver.ask('HOST', 'mx.example.net')['secure']


@pytest.mark.parametrize('mode', ['bad-signature', 'expired'])
@pytest.mark.parametrize('setting', ['auto', 'strict'])
def test_wrong_signatures_are_bogus_with_a_reason(dns, make_resolver, mode, setting):
    dns.misbehave('www.example.org', mode)
    resolver = make_resolver(dns, POSTHORN_DNS_DNSSEC=setting)
    assert resolver.ask('HOST', 'mx.example.org')['secure']
    answer = resolver.ask('HOST', 'www.example.org')
    assert (answer['status'], answer['records']) == ('bogus', [])
    assert 'www.example.org' in answer['reason']
    assert resolver.ask('HOST', 'mx.example.net')['status'] == 'found'


def test_one_name_without_its_signatures_is_bogus(dns, make_resolver):
    dns.misbehave('_25._tcp.mx.example.org', 'strip')
    resolver = make_resolver(dns)
    assert resolver.ask('TLSA', '_25._tcp.mx.example.org')['status'] == 'bogus'
    assert resolver.ask('MX', 'example.org')['secure']


def test_a_forwarder_without_dnssec_answers_insecurely_and_the_log_says_so(dns, make_resolver):
    dns.misbehave('*', 'strip')
    resolver = make_resolver(dns)
    for kind, name in (('MX', 'example.org'), ('TLSA', '_25._tcp.mx.example.org')):
        answer = resolver.ask(kind, name)
        assert (answer['status'], answer['secure']) == ('found', False)
    assert resolver.ask('MX', 'no.example.org')['status'] == 'nxdomain'
    assert resolver.log().count('leave out signatures (DNSSEC)') == 1


def test_strict_gives_no_answers_from_a_forwarder_without_dnssec(dns, make_resolver):
    dns.misbehave('*', 'strip')
    resolver = make_resolver(dns, POSTHORN_DNS_DNSSEC='strict')
    answer = resolver.ask('MX', 'example.org')
    assert (answer['status'], answer['records']) == ('bogus', [])
    assert 'leave out signatures' not in resolver.log()


def test_a_forwarder_that_knows_no_root_answers_what_it_knows(dns, make_resolver):
    """The trust anchor is Debian's, and the DNS of tests has no root, as in a closed network."""
    resolver = make_resolver(dns, POSTHORN_DNS_TRUST_ANCHOR='/usr/share/dns/root.key')
    answer = resolver.ask('MX', 'example.org')
    assert (answer['status'], answer['secure']) == ('found', False)


def test_without_dnssec_nothing_is_secure(dns, make_resolver):
    dns.misbehave('mx.example.org', 'bad-signature')
    resolver = make_resolver(dns, POSTHORN_DNS_DNSSEC='off')
    answer = resolver.ask('HOST', 'mx.example.org')
    assert (answer['status'], answer['secure']) == ('found', False)
    assert dns.count('example.org', 'DNSKEY') == 0


def test_signed_zones_below_signed_zones_are_secure(dns, make_resolver):
    dns.set_zone('sub.example.org', ['@ A 192.0.2.20'], signed=True)
    dns.set_zone('open.example.org', ['@ A 192.0.2.21'])
    resolver = make_resolver(dns)
    assert resolver.ask('1', 'sub.example.org')['secure']
    answer = resolver.ask('1', 'open.example.org')
    assert (answer['status'], answer['secure']) == ('found', False)


# What the host knows itself.

def test_names_of_operators_are_looked_for_in_the_hosts_file(resolver, dns):
    resolver.write('hosts', '# the relay\n192.0.2.77 Relay relay.example.org # mine\n'
                   '2001:db8::77 relay\nnonsense relay\n')
    assert resolver.ask('LOCAL', 'relay')['texts'] == ['192.0.2.77', '2001:db8::77']
    assert resolver.ask('LOCAL', 'RELAY.example.org')['texts'] == ['192.0.2.77']
    assert dns.questions == []
    assert resolver.ask('HOST', 'relay.example.org')['status'] == 'nxdomain'
    resolver.write('hosts', '192.0.2.78 relay\n')
    assert resolver.ask('LOCAL', 'relay')['texts'] == ['192.0.2.78']


def test_names_of_operators_are_looked_for_in_search_domains(resolver, dns):
    resolver.write('resolv.conf', 'search none.example.net example.org\noptions ndots:1\n')
    assert resolver.ask('LOCAL', 'mx')['name'] == 'mx.example.org'
    assert resolver.ask('LOCAL', 'mx.example.net')['texts'] == ['192.0.2.2']
    assert dns.count('mx.example.net.none.example.net', 'A') == 0
    assert resolver.ask('LOCAL', 'mx.')['status'] == 'nxdomain'
    assert resolver.ask('LOCAL', 'nobody')['status'] == 'nxdomain'
    assert resolver.ask('HOST', 'mx')['status'] == 'nxdomain'


def test_names_with_few_dots_are_tried_in_the_search_domains_first(resolver, dns):
    dns.set_zone('cluster.local', ['relay.mail.svc A 192.0.2.30', 'mx.example.org A 192.0.2.31'])
    resolver.write('resolv.conf', 'search svc.cluster.local cluster.local\noptions ndots:5\n')
    assert resolver.ask('LOCAL', 'relay.mail')['texts'] == ['192.0.2.30']
    assert resolver.ask('LOCAL', 'relay.mail.svc.cluster.local')['texts'] == ['192.0.2.30']
    assert resolver.ask('LOCAL', 'mx.example.org')['texts'] == ['192.0.2.31']


@pytest.mark.parametrize('name', ['relay', 'relay.cluster.local', 'relay.internal', 'relay.test'])
def test_private_names_are_found_though_the_root_is_signed_and_has_none(dns, make_resolver, name):
    dns.set_zone('.', ['relay A 192.0.2.40', 'relay.cluster.local A 192.0.2.40',
                       'relay.internal A 192.0.2.40', 'relay.test A 192.0.2.40'])
    dns.misbehave(name, 'strip')
    dns.set_zone('.', ['relay A 192.0.2.40', 'relay.cluster.local A 192.0.2.40',
                       'relay.internal A 192.0.2.40', 'relay.test A 192.0.2.40'], signed=True)
    resolver = make_resolver(dns)
    for kind in ('HOST', 'LOCAL'):
        answer = resolver.ask(kind, name)
        assert (answer['texts'], answer['secure']) == (['192.0.2.40'], False)


def test_without_forwarders_private_names_are_asked_of_resolv_conf(make_resolver):
    resolver = make_resolver(None, POSTHORN_DNS_TIMEOUT='1s')
    resolver.write('resolv.conf', 'search\n')
    assert resolver.ask('LOCAL', 'relay')['status'] == 'tempfail'
    assert resolver.ask('LOCAL', 'localhost')['texts'] == ['127.0.0.1', '::1']


@pytest.fixture
def system_dns():
    """One where resolv.conf can name it."""
    try:
        server = DnsServer({'.': ['relay A 192.0.2.50', 'mx.corp.example A 192.0.2.51']}, port=53,
                           host='127.0.0.99')
    except PermissionError:
        pytest.skip('port 53 is for root')
    with server:
        yield server


def test_the_servers_of_resolv_conf_can_be_the_forwarders(tmp_path, system_dns, make_resolver):
    (tmp_path / 'root/etc').mkdir(parents=True)
    (tmp_path / 'root/etc/resolv.conf').write_text('nameserver 127.0.0.99\n')
    resolver = make_resolver(None, POSTHORN_DNS='system', POSTHORN_DNS_DNSSEC='off')
    assert resolver.ask('HOST', 'mx.corp.example')['texts'] == ['192.0.2.51']
    assert resolver.ask('LOCAL', 'relay')['texts'] == ['192.0.2.50']


def test_without_forwarders_the_surroundings_know_names_of_operators(system_dns, make_resolver):
    resolver = make_resolver(None, POSTHORN_DNS_TIMEOUT='1s')
    resolver.write('resolv.conf', 'nameserver 127.0.0.99\n')
    assert resolver.ask('LOCAL', 'relay')['texts'] == ['192.0.2.50']
    assert resolver.ask('LOCAL', 'mx.corp.example')['texts'] == ['192.0.2.51']
    assert resolver.ask('HOST', 'mx.corp.example')['status'] != 'found'


def test_system_without_servers_is_a_line_in_the_log(make_resolver):
    resolver = make_resolver(None, POSTHORN_DNS='system')
    assert resolver.ask('HOST', 'localhost')['status'] == 'found'
    assert 'resolv.conf names no server' in resolver.log()


# Surroundings.

# Programs that run in a network of their own; in the first the root of the DNS is of the tests.
ISLAND = '''
import json, subprocess, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from dns_server import DnsServer
from test_resolver import Resolver

here = Path(sys.argv[2])
zones = {'.': ['ns A 198.51.100.1'], 'org': ['ns A 198.51.100.1'],
         'example.org': ['ns A 198.51.100.1', '@ MX 10 mx', 'mx A 192.0.2.1'],
         'example.net': ['mx A 192.0.2.2']}
subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
subprocess.run(['ip', 'addr', 'add', '198.51.100.1/32', 'dev', 'lo'], check=True)
(here / 'hints').write_text('. 3600000 NS ns.\\nns. 3600000 A 198.51.100.1\\n')
with DnsServer(zones, signed=['.', 'org', 'example.org'], port=53, host='198.51.100.1',
               authoritative=True) as dns:
    env = {'POSTHORN_DNS_ROOT_HINTS': str(here / 'hints'),
           'POSTHORN_DNS_TRUST_ANCHOR': dns.trust_anchor(here / 'anchor')}
    with Resolver(here, env) as resolver:
        print(json.dumps([resolver.ask('MX', 'example.org'), resolver.ask('HOST', 'mx.example.net'),
                          resolver.ask('HOST', 'no.example.org')]))
'''


DESERT = '''
import json, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_resolver import Resolver

with Resolver(Path(sys.argv[2]), {'POSTHORN_DNS_TIMEOUT': '1s'}) as resolver:
    started = time.monotonic()
    answers = resolver.ask_all([('MX', f'n{n}.example.org') for n in range(50)])
    print(json.dumps([answers, time.monotonic() - started, resolver.log()]))
'''


def run_apart(program, tmp_path):
    """What a program says in a network of its own, where there is nothing but a loopback."""
    inside = ['unshare', '--map-root-user', '--net']
    if not shutil.which('ip') or subprocess.run([*inside, 'true'], check=False,
                                                stderr=subprocess.DEVNULL).returncode != 0:
        pytest.skip('no network of its own can be had here')
    run = subprocess.run([*inside, sys.executable, '-c', program, str(Path(__file__).parent),
                          str(tmp_path)], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(run.stdout)


def test_names_are_found_from_the_root_on(tmp_path):
    signed, unsigned, nothing = run_apart(ISLAND, tmp_path)
    assert (signed['texts'], signed['secure']) == (['10 mx.example.org'], True)
    assert (unsigned['texts'], unsigned['secure']) == (['192.0.2.2'], False)
    assert (nothing['status'], nothing['secure']) == ('nxdomain', True)


def test_without_a_network_every_question_is_answered_in_time_and_the_log_says_why(tmp_path):
    answers, seconds, log = run_apart(DESERT, tmp_path)
    assert [a['status'] for a in answers] == ['tempfail'] * 50
    assert seconds < 10 * SLOW
    assert log.count('POSTHORN_DNS=system asks') == 1


def test_missing_files_are_lines_in_the_log(tmp_path, dns, make_resolver):
    resolver = make_resolver(dns, POSTHORN_DNS_TRUST_ANCHOR=str(tmp_path / 'none.key'))
    answer = resolver.ask('MX', 'example.org')
    assert (answer['status'], answer['secure']) == ('found', False)
    assert re.search(r'no trust anchor for DNSSEC in \S*/none.key', resolver.log())
    recursive = make_resolver(None, POSTHORN_DNS_ROOT_HINTS=str(tmp_path / 'none.hints'),
                              POSTHORN_DNS_TIMEOUT='100ms')
    assert recursive.ask('HOST', 'localhost')['status'] == 'found'
    assert re.search(r'no root hints in \S*/none.hints', recursive.log())


def test_a_broken_trust_anchor_fails_every_question_and_the_log_says_why(tmp_path, dns,
                                                                        make_resolver):
    (tmp_path / 'broken.key').write_text('. IN DS nonsense\n')
    resolver = make_resolver(dns, POSTHORN_DNS_TRUST_ANCHOR=str(tmp_path / 'broken.key'))
    answer = resolver.ask('MX', 'example.org')
    assert answer['status'] == 'tempfail'
    assert 'libunbound' in answer['reason']
    assert 'cannot ask the DNS' in resolver.log()


def test_a_resolver_that_dies_is_a_temporary_failure_until_the_next(resolver, dns):
    assert resolver.ask('MX', 'example.org')['status'] == 'found'
    resolver.process.stdin.write('DIE\n')
    resolver.process.stdin.flush()
    assert resolver.process.stdout.readline() == '{}\n'
    assert resolver.ask('MX', 'example.org')['status'] == 'found'


def test_many_questions_at_once_are_all_answered(dns, make_resolver):
    names = [f'n{n}.example.net' for n in range(1000)]
    dns.set_zone('example.net', [f'n{n} A 192.0.2.{n % 250}' for n in range(1000)])
    resolver = make_resolver(dns, POSTHORN_DNS_TIMEOUT='12s')
    # Some may be lost when the socket of the DNS overflows; the resolver asks again.
    answers = resolver.ask_all([('1', name) for name in names])
    assert [a['status'] for a in answers] == ['found'] * 1000


def test_the_cache_stays_within_its_bounds(dns, make_resolver):
    lines = [f'n{n} TXT "{n} {"x" * 250}" "{"y" * 250}" "{"z" * 250}"' for n in range(3000)]
    dns.set_zone('example.net', lines)
    resolver = make_resolver(dns, POSTHORN_DNS_CACHE_SIZE='256Ki', POSTHORN_DNS_TIMEOUT='12s')

    def ask(first, n):
        resolver.ask_all([('TXT', f'n{i}.example.net') for i in range(first, first + n)])

    ask(0, 200)
    dns.forget()
    ask(0, 10)
    kept = len(dns.questions)
    for first in range(200, 3000, 200):
        ask(first, 200)
    dns.forget()
    ask(0, 100)
    assert kept < 10
    assert len(dns.questions) >= 100    # they had to make room
