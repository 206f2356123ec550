#!/usr/bin/python3
"""Posthorn's IMAP and POP3 beside Dovecot's: prints a table, writes JSON."""
import argparse
import json
import os
import statistics
import sys
from pathlib import Path

import imap_measures as measures
from compare import machine, median
from imap_mail import make
from imap_systems import ImapDovecot, ImapPosthorn, TunedDovecot
from systems import remove_left_roots

TITLES = {'posthorn': 'Posthorn', 'dovecot': 'Dovecot', 'tuned': 'tuned Dovecot'}
# name, title, unit, what must be reached: so many times the peer, or at most so many milliseconds
ROWS = (
    ('select', 'SELECT, warm', 'ms', ('ms', 2)),
    ('select_cold', 'SELECT, cold', 'ms', ('ms', 10)),
    ('fetch_flags', 'FETCH 1:* (FLAGS)', 'ms', ('x', 2.5)),
    ('fetch_envelope', 'FETCH 1:* (UID ENVELOPE)', 'ms', ('x', 4)),
    ('fetch_header', 'FETCH 1:* (4 header fields)', 'ms', ('x', 3)),
    ('search_subject', 'SEARCH SUBJECT', 'ms', ('x', 6)),
    ('search_from', 'SEARCH FROM', 'ms', ('x', 6)),
    ('search_text', 'SEARCH TEXT', 'ms', ('ms', 250)),
    ('search_body', 'SEARCH BODY', 'ms', ('ms', 250)),
    ('sort', 'SORT (SUBJECT)', 'ms', ('x', 3)),
    ('sort_news', '  with one new message', 'ms', None),
    ('thread', 'THREAD REFERENCES', 'ms', ('x', 3)),
    ('thread_news', '  with one new message', 'ms', None),
    ('store', 'STORE 1:* of a flag', 'ms', ('x', 10)),
    ('store_named', '  until the file names have it', 'ms', None),
    ('copy', 'COPY of a tenth', 'ms', ('x', 1.5)),
    ('move', 'MOVE of a tenth', 'ms', ('x', 1.5)),
    ('expunge', 'EXPUNGE of a tenth', 'ms', ('x', 1.5)),
    ('append_1', 'APPEND, 1 client', '/s', ('x', 3)),
    ('append_10', 'APPEND, 10 clients', '/s', ('x', 3)),
    ('login', 'logins, 10 at a time', '/s', ('x', 5)),
    ('login_tls', 'logins over TLS, 10 at a time', '/s', ('x', 5)),
    ('mixed', 'mixed load, 20 clients, TLS', '/s', ('x', 5)),
    ('mixed_cpu', '  CPU ms of an operation', '', None),
    ('mixed_client_cpu', '  client CPU ms', '', None),
    ('pop3', 'POP3 RETR, one at a time', '/s', ('x', 2)),
    ('pop3_noop', '  NOOP, for comparison', '/s', None),
    ('pop3_pipelined', 'POP3 RETR, ten at a time', '/s', None),
)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--quick', action='store_true', help='10,000 messages, one round')
    parser.add_argument('--messages', type=int, default=100000)
    parser.add_argument('--largest', type=int, default=1000000, help='mailbox of the curve')
    parser.add_argument('--only', choices=TITLES, action='append')
    parser.add_argument('--sessions', type=int, default=1000, help='idle sessions; 0: none')
    parser.add_argument('--many', type=int, default=10000, help='idle sessions Posthorn must hold')
    parser.add_argument('--directory', default='/var/tmp', help='where the mail goes')
    parser.add_argument('--json', default='bench-imap-result.json')
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.messages, args.many = 1, min(args.messages, 10000), 0
        args.largest = min(args.largest, 10000)
        args.sessions = min(args.sessions, 200)
    return args


def note(system, text):
    print(f'  {system.title}: {text}', file=sys.stderr, flush=True)


def one_round(system, args):
    """Alternates with the other systems; the mailboxes stay from round to round."""
    few = args.quick
    os.sync()
    system.start()
    try:
        result = {'load': os.getloadavg()[0], 'select_cold': measures.cold(system)}
        note(system, 'reads')
        result.update(measures.reads(system, 3 if few else 5))
        result.update(measures.sort_news(system, args.messages, 3))
        note(system, 'writes')
        result.update(measures.writes(system, args.messages, args.messages // 10))
        note(system, 'append, logins')
        fast = 4 if system.name == 'posthorn' else 1
        result['append_1'] = measures.append(system, 1, (100 if few else 400) * fast)
        result['append_10'] = measures.append(system, 10, (30 if few else 100) * fast)
        result['login'] = measures.logins(system, False, (10 if few else 30) * fast)
        result['login_tls'] = measures.logins(system, True, (10 if few else 30) * fast)
        note(system, 'mixed load, POP3')
        load = measures.mixed(system, 3 if few else 8)
        result.update({'mixed': load['ops_per_s'], 'mixed_cpu': load['cpu_ms'],
                       'mixed_client_cpu': load['client_cpu_ms']})
        result['pop3'] = measures.pop3(system, 1)
        result['pop3_noop'] = measures.pop3_noop(system)
        result['pop3_pipelined'] = measures.pop3(system, 10)
        return result
    finally:
        system.stop()


def once(system, args, sizes):
    """What is measured once: nothing cached, the curve, idle sessions."""
    result = {}
    for name, count in (('idle', args.sessions), ('idle_many', args.many)):
        if not count or (name == 'idle_many' and system.name != 'posthorn'):
            continue
        note(system, f'{count} idle sessions')
        system.start()
        try:
            result[name] = measures.idle(system, count)
        finally:
            system.stop()
    note(system, 'curve')
    system.start(index=False)
    try:
        result['curve'] = measures.curve(system, sizes)
    finally:
        system.stop()
    return result


def prepare(system, args, mail, sizes):
    note(system, 'mailboxes')
    measures.populate(system, mail, sizes)
    system.start()
    try:
        return measures.first(system)
    finally:
        system.stop()


def figure(value, unit):
    value = value * 1000 if unit == 'ms' else value
    return f'{value:.2f}' if value < 10 else f'{value:.0f}'


def print_table(results):
    def row(label, texts):
        print(f'{label:<34}' + ''.join(f'{t:>22}' for t in texts))

    print()
    row('', [TITLES[n] for n in results])
    for name, title, unit, _ in ROWS:
        texts = []
        for r in results.values():
            values = [x[name] for x in r['rounds']]
            spread = f' [{figure(min(values), unit)}-{figure(max(values), unit)}]' \
                if len(values) > 1 else ''
            texts.append(figure(statistics.median(values), unit) + spread)
        row(f'{title}, {unit}' if unit else title, texts)
    for name, title in (('select', 'first ever: SELECT, ms'),
                        ('fetch_envelope', 'first ever: (UID ENVELOPE), ms'),
                        ('sort', 'first: SORT (SUBJECT), ms'),
                        ('thread', 'first: THREAD REFERENCES, ms')):
        row(title, [figure(r['first'][name], 'ms') for r in results.values()])
    for size in next(iter(results.values()))['curve']:
        row(f'a flag among {size}, ms', [figure(r['curve'][size], 'ms') for r in results.values()])
    for name in ('idle', 'idle_many'):
        if any(name in r for r in results.values()):
            held = next(r[name]['held'] for r in results.values() if name in r)
            row(f'{held} idle sessions, TLS, MiB',
                [f'{r[name]["bytes"] / 2**20:.1f}' if name in r else '-'
                 for r in results.values()])


def targets(results):
    ours, peer = results['posthorn']['median'], results.get('dovecot', {}).get('median')
    wanted = []
    for name, title, unit, target in ROWS:
        if not target:
            continue
        kind, bound = target
        if kind == 'ms':
            wanted.append((f'{title}, ms', ours[name] * 1000, f'<= {bound}',
                           ours[name] * 1000 <= bound))
        elif peer:
            times = peer[name] / ours[name] if unit == 'ms' else ours[name] / peer[name]
            wanted.append((f'{title}, times the peer', times, f'>= {bound}', times >= bound))
    if 'idle' in results['posthorn']:
        held = results['posthorn']['idle']
        mib = held['bytes'] / 2**20 * 1000 / held['held']
        wanted.append(('1,000 idle TLS sessions, MiB', mib, '<= 64', mib <= 64))
    curve = list(results['posthorn']['curve'].values())
    growth = curve[-1] / curve[0]
    wanted.append(('a flag in the largest mailbox, times the smallest', growth, '<= 2',
                   growth <= 2))
    return wanted


def measure(args, results):
    """Fills results as it goes: what was measured is there even if a later step fails."""
    mail = make(args.directory, args.messages)
    sizes = [n for n in (1000, 10000, 100000, 1000000) if n <= args.largest]
    makers = {'posthorn': lambda: ImapPosthorn(args.directory, os.environ['POSTHORN_BUILD']),
              'dovecot': lambda: ImapDovecot(args.directory),
              'tuned': lambda: TunedDovecot(args.directory)}
    systems = {name: makers[name]() for name in args.only or makers}
    try:
        for name, system in systems.items():
            results[name] = {'first': prepare(system, args, mail, sizes), 'rounds': []}
        for _ in range(args.rounds):
            for name, system in systems.items():
                results[name]['rounds'].append(one_round(system, args))
        for name, system in systems.items():
            results[name]['median'] = median(results[name]['rounds'])
            results[name].update(once(system, args, sizes))
    finally:
        for system in systems.values():
            system.stop()
            system.remove()


def main():
    args = arguments()
    if os.geteuid() != 0:
        raise SystemExit('Dovecot and an empty page cache need root.')
    results = {}
    report = {'machine': machine(args.directory), 'messages': args.messages, 'systems': results}
    try:
        measure(args, results)
    finally:
        remove_left_roots()
        Path(args.json).write_text(json.dumps(report, indent=1) + '\n')
    print('\n' + ', '.join(f'{key}: {value}' for key, value in report['machine'].items()))
    print_table(results)
    if 'posthorn' in results:
        report['targets'] = targets(results)
        print()
        for what, value, bound, reached in report['targets']:
            print(f'{what:<50} {value:8.3g}   {bound:<7} {"reached" if reached else "MISSED"}')
    Path(args.json).write_text(json.dumps(report, indent=1) + '\n')
    print(f'\nFigures in {args.json}')


if __name__ == '__main__':
    main()
