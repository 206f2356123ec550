"""SPF against another implementation, pyspf: both are asked about records made by chance."""
import ipaddress
import random
import re
import subprocess

import spf

from server import BUILD

TOOL = BUILD / 'tests/protocol/spf-tool'

ZONE = """\
h1.example A 192.0.2.1
h2.example A 192.0.2.2
h2.example AAAA 2001:db8::2
many.example MX h1.example
many.example MX h2.example
mxnone.example MX nowhere.example
slow.example A !
slow.example AAAA !
slow.example MX !
slow.example TXT !
pass.example TXT v=spf1 ip4:192.0.2.0/30 ip6:2001:db8::/64 -all
fail.example TXT v=spf1 -all
soft.example TXT v=spf1 ~all
next.example TXT v=spf1 include:pass.example ?all
chain.example TXT v=spf1 redirect=next.example
wrong.example TXT v=spf1 nonsense
twice.example TXT v=spf1 -all
twice.example TXT v=spf1 +all
textless.example TXT something else
1.2.0.192.list.example A 127.0.0.2
alice.user.example A 127.0.0.2
192.0.2.1 PTR h1.example
192.0.2.2 PTR h1.example
192.0.2.2 PTR h2.example
2001:db8::2 PTR h2.example
"""
NAMES = ['h1.example', 'h2.example', 'many.example', 'mxnone.example', 'slow.example',
         'nowhere.example', 'pass.example', 'fail.example', 'soft.example', 'next.example',
         'chain.example', 'wrong.example', 'twice.example', 'textless.example',
         '%{ir}.list.example', '%{l}.user.example', '%{d2}', 'list.%{o}', '%{h}', '%{d1r}.example',
         'Many.Example', 'h1.example.', 'x.123', 'label', '%{lr-}.user.example']
CLIENTS = ['192.0.2.1', '192.0.2.2', '192.0.2.77', '10.1.2.3', '2001:db8::2', '2001:db8:1::9']
SENDERS = ['alice', 'ali-ce', 'a.b']
WORDS = ['all', 'a', 'mx', 'ptr', 'a/24', 'mx/30//64', 'a//64', 'ip4:192.0.2.0/24',
         'ip4:192.0.2.2', 'ip4:10.0.0.0/8', 'ip4:192.0.2.1/33', 'ip6:2001:db8::/32', 'ip6:::1',
         'ip6:2001:db8::/200', 'ip4:300.1.1.1', 'foo', 'x-y=z', 'a:', 'include', 'exists']


def make_term(chance):
    kind = chance.randrange(10)
    sign = chance.choice(['', '', '', '+', '-', '~', '?'])
    if kind < 4:
        return sign + chance.choice(WORDS)
    if kind < 9:
        cidr = chance.choice(['', '', '/28', '//96', '/24//64'])
        mechanism = chance.choice(['a', 'mx', 'include', 'exists', 'ptr'])
        return f'{sign}{mechanism}:{chance.choice(NAMES)}' + \
            (cidr if mechanism in ('a', 'mx') else '')
    return f'redirect={chance.choice(NAMES)}'


def make_record(chance):
    terms = [make_term(chance) for _ in range(chance.randrange(1, 6))]
    if chance.randrange(2):
        terms.append(chance.choice('-~?') + 'all')
    return ' '.join(['v=spf1', *terms])


def parse_zone(text):
    zone = {}
    for line in text.splitlines():
        name, kind, data = line.split(' ', 2)
        if kind == 'PTR':
            name = ipaddress.ip_address(name).reverse_pointer
        zone.setdefault((name.lower(), kind), []).append(data)
    return zone


def theirs(zone, questions):
    def find(name, kind, tcpfallback=True, timeout=30):
        found = zone.get((str(name).rstrip('.').lower(), kind), [])
        if found == ['!']:
            raise spf.TempError('no answer')
        shape = {'TXT': lambda d: (d.encode(),), 'MX': lambda d: (10, d)}.get(kind, lambda d: d)
        return [((name, kind), shape(data)) for data in found]
    before, spf.DNSLookup = spf.DNSLookup, find
    try:
        return [spf.query(i=address, s=sender, h=helo, receiver='mail.example.net').check()[0]
                for address, sender, helo in questions]
    finally:
        spf.DNSLookup = before


def is_known_difference(record, ours, them):
    """Where pyspf is not as RFC 7208 has it, or has it otherwise where that is free."""
    return (
        # 4.6.4 counts terms without an answer; pyspf counts questions, those about the hosts of an
        # MX and the names of a PTR among them.
        {ours, them} & {'permerror'} and any(w in record for w in ('mx', 'ptr', 'many', 'mxnone'))
        # 12: exists needs a domain-spec, and only redirect and exp may not be repeated.
        or re.search(r'exists( |$)', record) or record.count('x-y=z') > 1
        # pyspf takes a domain that includes itself for a syntax error.
        or 'include:%{d2}' in record
        # 5.7: of a bad domain-spec pyspf notices only what it comes across while expanding.
        or any(w in record for w in ('x.123', ':label', '=label')))


def test_we_agree_about_records_made_by_chance(tmp_path):
    chance = random.Random(7208)
    records = [make_record(chance) for _ in range(1500)]
    zone = ZONE + ''.join(f'r{i}.example TXT {r}\n' for i, r in enumerate(records))
    questions = [(chance.choice(CLIENTS), f'{chance.choice(SENDERS)}@r{i}.example', 'h1.example')
                 for i in range(len(records))]
    file = tmp_path / 'zone'
    file.write_text(zone)
    done = subprocess.run([TOOL, file], input='\n'.join(' '.join(q) for q in questions) + '\n',
                          stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    ours = [line.split()[0] for line in done.stdout.splitlines()]
    assert len(ours) == len(records)
    different = [(record, question, us, them) for record, question, us, them in
                 zip(records, questions, ours, theirs(parse_zone(zone), questions))
                 if us != them]
    unknown = [d for d in different if not is_known_difference(d[0], d[2], d[3])]
    assert not unknown, '\n'.join(map(str, unknown[:20]))
    assert len(different) < len(records) // 20
    assert {'pass', 'fail', 'softfail', 'neutral', 'temperror', 'permerror'} <= set(ours)
