"""Authentication-Results as another program reads them (RFC 8601), python3-authres."""
import authres
import pytest

from dns_server import DnsServer
from server import HOSTNAME, Server
from test_filter_incoming import BAD, MESSAGE, USERS, ZONES, environment, results, sign, \
    stored


@pytest.fixture(scope='module')
def accepting():
    with DnsServer(ZONES) as names, \
            Server(accounts=USERS, env=environment(names, ENABLE_OPENDMARC='0',
                                                   ENABLE_POLICYD_SPF='0')) as server:
        yield server


CASES = [
    (MESSAGE, {}, {'dkim': 'none', 'spf': 'pass', 'dmarc': 'pass'}),
    (MESSAGE, {'client': BAD}, {'dkim': 'none', 'spf': 'fail', 'dmarc': 'fail'}),
    (sign(MESSAGE), {'client': BAD, 'sender': 'x@plain.example'},
     {'dkim': 'pass', 'spf': 'none', 'dmarc': 'pass'}),
    (sign(MESSAGE, 'ed'), {}, {'dkim': 'pass', 'spf': 'pass', 'dmarc': 'pass'}),
    (sign(MESSAGE) + b'more\r\n', {}, {'dkim': 'fail', 'spf': 'pass', 'dmarc': 'pass'}),
    (MESSAGE, {'sender': '"odd \\"name\\" ;x=y"@sender.example'},
     {'dkim': 'none', 'spf': 'pass', 'dmarc': 'pass'}),
]


@pytest.mark.parametrize('text, options, wanted', CASES)
def test_what_we_write_is_understood(accepting, text, options, wanted):
    found = results(stored(accepting, text, **options))
    header = authres.AuthenticationResultsHeader.parse(f'Authentication-Results: {found}')
    assert header.authserv_id == HOSTNAME
    by_method = {r.method: r for r in header.results}
    assert {m: by_method[m].result for m in wanted} == wanted
    domains = {'dkim': ('header', 'd'), 'dmarc': ('header', 'from')}
    for method, (kind, name) in domains.items():
        if by_method[method].result != 'none':
            values = {p.name: p.value for p in by_method[method].properties if p.type == kind}
            assert values[name] == 'sender.example'
