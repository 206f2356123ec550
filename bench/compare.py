#!/usr/bin/python3
"""Posthorn beside Postfix and Dovecot: prints a table, writes JSON."""
import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import measures
from systems import LeanPeer, Peer, Posthorn, remove_left_roots

TITLES = {system.name: system.title for system in (Posthorn, Peer, LeanPeer)}
CASES = [(sessions, keep) for sessions in (1, 10, 50) for keep in (False, True)]


def case_name(sessions, keep):
    return f'{sessions} {"kept" if keep else "new"}'


def label(sessions, keep):
    plural = 's' if sessions > 1 else ''
    return f'{sessions} session{plural}, {"kept" if keep else "a new connection each"}'


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=3, help='repetitions of everything (3)')
    parser.add_argument('--quick', action='store_true', help='one short round')
    parser.add_argument('--only', choices=('posthorn', 'peer', 'lean'), action='append',
                        help='one of the systems; may be repeated')
    parser.add_argument('--sessions', type=int, default=1000, help='idle IMAP sessions (1000)')
    parser.add_argument('--no-idle', action='store_true', help='without the idle IMAP sessions')
    parser.add_argument('--no-syncs', action='store_true', help='without counting syncs')
    parser.add_argument('--directory', default='/var/tmp', help='where spools and mail go')
    parser.add_argument('--json', default='bench-result.json', help='where the figures go')
    return parser.parse_args()


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ''


def makers(args):
    build = os.environ['POSTHORN_BUILD']
    known = {'posthorn': lambda: Posthorn(args.directory, build),
             'peer': lambda: Peer(args.directory), 'lean': lambda: LeanPeer(args.directory)}
    if os.geteuid() != 0:
        print('Postfix needs root: only Posthorn is measured.', file=sys.stderr)
        return {'posthorn': known['posthorn']}
    chosen = args.only or list(known)
    if chosen != ['posthorn'] and not output_of('dovecot', '--version').startswith('2.3.'):
        raise SystemExit('The peer is configured for Dovecot 2.3 (Debian 12), which is not here: '
                         '--only posthorn')
    return {name: known[name] for name in chosen}


def warm_up(system):
    """Mailboxes are created, caches filled; postscreen waits six seconds with a client it meets."""
    measures.send(system, 50, 50, 1000, False)
    time.sleep(2)
    measures.inbound(system, 50, 100, 1000)


def messages(system, sessions, quick):
    """As many as take a few seconds."""
    count = {'posthorn': 12000, 'peer': 800, 'lean': 1200}[system.name]
    if sessions == 1:
        count //= 2
    count = count // 4 if quick else count
    return max(sessions, count // sessions * sessions)


def one_round(system, args):
    result = {'load_before': os.getloadavg()[0], 'start_s': system.start()}
    result['idle_bytes'] = measures.idle_memory(system)
    warm_up(system)
    for sessions, keep in CASES:
        name = case_name(sessions, keep)
        print(f'  {system.title}: {name}', file=sys.stderr)
        result[name] = measures.inbound(system, sessions,
                                        messages(system, sessions, args.quick), keep=keep)
    result['latency_s'] = measures.latency(system, 100)
    result['verified'] = measures.verify(system)
    result['bytes_after_load'] = measures.idle_memory(system)
    return result


def run_round(make, args):
    os.sync()       # nobody pays for what the one before has left to be written
    system = make()
    try:
        return one_round(system, args)
    finally:
        system.stop()
        system.remove()


def run_idle(make, args):
    system = make()
    try:
        system.start()
        warm_up(system)
        return measures.idle_sessions(system, args.sessions)
    finally:
        system.stop()
        system.remove()


def median(rounds):
    """The median of each figure over the rounds."""
    first = rounds[0]
    if isinstance(first, dict):
        return {key: median([r[key] for r in rounds]) for key in first}
    return statistics.median(rounds)


def spread(values):
    return f'{statistics.median(values):.0f} [{min(values):.0f}-{max(values):.0f}]'


def print_table(results):
    width = max(len(TITLES[name]) for name in results) + 2
    print(f'\n{"":<34}' + ''.join(f'{TITLES[name]:>{width}}' for name in results))

    def row(label, value):
        print(f'{label:<34}' + ''.join(f'{value(results[name]):>{width}}' for name in results))

    for case in CASES:
        row(label(*case), lambda r: '')
        name = case_name(*case)
        row('  delivered/s', lambda r: spread([x[name]['delivered_per_s'] for x in r['rounds']]))
        row('  accepted/s', lambda r: f'{r["median"][name]["accepted_per_s"]:.0f}')
        row('  CPU ms per message',
            lambda r: f'{r["median"][name]["cpu_ms_per_message"]:.2f}')
        row('  client CPU ms per message',
            lambda r: f'{r["median"][name]["client_cpu_ms_per_message"]:.2f}')
    row('one message, ms', lambda r: f'{r["median"]["latency_s"] * 1000:.2f}')
    row('start to banner, ms', lambda r: f'{r["median"]["start_s"] * 1000:.0f}')
    row('idle, MiB', lambda r: f'{r["median"]["idle_bytes"] / 2**20:.1f}')
    row('  after the load, MiB', lambda r: f'{r["median"]["bytes_after_load"] / 2**20:.1f}')
    if any('idle_sessions' in r for r in results.values()):
        row('idle IMAP session, KiB',
            lambda r: f'{r["idle_sessions"]["bytes_per_session"] / 1024:.1f}')
        row('  setting them up, s', lambda r: f'{r["idle_sessions"]["setup_s"]:.1f}')
    for sessions in (1, 10):
        if any('syncs' in r for r in results.values()):
            row(f'syncs per message, {sessions} sessions',
                lambda r: f'{sum(r["syncs"][str(sessions)].values()):.2f}')
    row('messages found once and whole', lambda r: str(sum(x['verified'] for x in r['rounds'])))


def targets(results):
    """What Posthorn must reach: (what, figure, bound, reached). Ratios are those of the medians."""
    ours, peer = results['posthorn'], results.get('peer')
    wanted = []
    for sessions, keep in CASES if peer else []:
        name = case_name(sessions, keep)
        a, b = ours['median'][name], peer['median'][name]
        rate = a['delivered_per_s'] / b['delivered_per_s']
        cpu = a['cpu_ms_per_message'] / b['cpu_ms_per_message']
        least = 3 if sessions == 1 else 10
        wanted.append((f'{label(sessions, keep)}: delivered, times the peer', rate, f'>= {least}',
                       rate >= least))
        wanted.append((f'{label(sessions, keep)}: CPU per message, of the peer\'s', cpu, '<= 0.1',
                       cpu <= 0.1))
    start, idle = ours['median']['start_s'] * 1000, ours['median']['idle_bytes'] / 2**20
    wanted.append(('start to the banner, ms', start, '< 100', start < 100))
    wanted.append(('all processes idle, MiB', idle, '< 16', idle < 16))
    if 'idle_sessions' in ours:
        session = ours['idle_sessions']['bytes_per_session'] / 1024
        wanted.append(('idle IMAP session over TLS, KiB', session, '< 64', session < 64))
    return wanted


def print_targets(wanted):
    width = max(len(what) for what, *_ in wanted)
    print()
    for what, figure, bound, reached in wanted:
        print(f'{what:<{width}} {figure:8.3g}   {bound:<7} {"reached" if reached else "MISSED"}')


def print_lean(results):
    """The tuned peer has no targets."""
    if 'posthorn' not in results or 'lean' not in results:
        return
    ours, theirs = results['posthorn']['median'], results['lean']['median']
    print('\nAgainst the lean peer:')
    for case in CASES:
        name = case_name(*case)
        rate = ours[name]['delivered_per_s'] / theirs[name]['delivered_per_s']
        cpu = theirs[name]['cpu_ms_per_message'] / ours[name]['cpu_ms_per_message']
        print(f'  {label(*case)}: {rate:.1f} x the messages, 1/{cpu:.1f} of the CPU for each')


def machine(directory):
    model = re.search(r'^model name\s*: (.*)$', Path('/proc/cpuinfo').read_text(), re.M)
    return {'cores': os.cpu_count(), 'cpu': model.group(1) if model else platform.machine(),
            'kernel': platform.release(),
            'disk': output_of('findmnt', '-no', 'FSTYPE,SOURCE,OPTIONS', '-T', directory),
            'postfix': output_of('postconf', '-h', 'mail_version'),
            'dovecot': output_of('dovecot', '--version'), 'time': time.strftime('%F %T')}


def measure(args):
    chosen = makers(args)
    results = {name: {'rounds': []} for name in chosen}
    # Systems take turns, so that a machine that becomes slower does so for all of them.
    for _ in range(1 if args.quick else args.rounds):
        for name, make in chosen.items():
            results[name]['rounds'].append(run_round(make, args))
    for name, make in chosen.items():
        results[name]['median'] = median(results[name]['rounds'])
        if not args.no_idle:
            results[name]['idle_sessions'] = run_idle(make, args)
        if not args.no_syncs:
            results[name]['syncs'] = {str(n): measures.syncs(make, n, 200) for n in (1, 10)}
    return results


def main():
    args = arguments()
    try:
        results = measure(args)
    finally:
        remove_left_roots()
    report = {'machine': machine(args.directory), 'systems': results}
    print('\n' + ', '.join(f'{key}: {value}' for key, value in report['machine'].items()))
    print_table(results)
    if 'posthorn' in results:
        wanted = targets(results)
        print_targets(wanted)
        report['targets'] = [dict(zip(('what', 'figure', 'bound', 'reached'), t)) for t in wanted]
    print_lean(results)
    Path(args.json).write_text(json.dumps(report, indent=1) + '\n')
    print(f'\nFigures in {args.json}')


if __name__ == '__main__':
    main()
