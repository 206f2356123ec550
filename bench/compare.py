#!/usr/bin/python3
"""Posthorn beside Postfix and Dovecot: prints a table, writes JSON."""
import argparse
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path

import measures
from systems import LeanPeer, Peer, Posthorn

TITLES = {system.name: system.title for system in (Posthorn, Peer, LeanPeer)}
CASES = [(sessions, keep) for sessions in (1, 10, 50) for keep in (False, True)]


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


def makers(args):
    build = os.environ['POSTHORN_BUILD']
    known = {'posthorn': lambda: Posthorn(args.directory, build),
             'peer': lambda: Peer(args.directory), 'lean': lambda: LeanPeer(args.directory)}
    if os.geteuid() != 0:
        print('Postfix needs root: only Posthorn is measured.', file=sys.stderr)
        return {'posthorn': known['posthorn']}
    return {name: known[name] for name in args.only or known}


def warm_up(system):
    """Mailboxes are created, caches filled; postscreen waits six seconds with a client it meets."""
    measures.send(system, 50, 50, 1000, False)
    time.sleep(2)
    measures.inbound(system, 50, 100, 1000)


def messages(system, sessions, quick):
    """As many as take a few seconds."""
    count = {'posthorn': 6000, 'peer': 800, 'lean': 1200}[system.name]
    if sessions == 1:
        count //= 2
    count = count // 4 if quick else count
    return max(sessions, count // sessions * sessions)


def one_round(system, args):
    result = {'start_s': system.start()}
    result['idle_bytes'] = measures.idle_memory(system)
    warm_up(system)
    for sessions, keep in CASES:
        name = f'{sessions} {"kept" if keep else "new"}'
        print(f'  {system.title}: {name}', file=sys.stderr)
        result[name] = measures.inbound(system, sessions,
                                        messages(system, sessions, args.quick), keep=keep)
    result['latency_s'] = measures.latency(system, 100)
    return result


def run_round(make, args):
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


def print_table(results, titles):
    width = max(len(t) for t in titles.values()) + 2
    print(f'\n{"":<34}' + ''.join(f'{titles[name]:>{width}}' for name in results))

    def row(label, value):
        print(f'{label:<34}' + ''.join(f'{value(results[name]):>{width}}' for name in results))

    for sessions, keep in CASES:
        case = f'{sessions} {"kept" if keep else "new"}'
        label = f'{sessions} sessions, {"kept" if keep else "new connection each"}'
        row(label, lambda r: '')
        row('  delivered/s', lambda r: spread([x[case]['delivered_per_s'] for x in r['rounds']]))
        row('  accepted/s', lambda r: f'{r["median"][case]["accepted_per_s"]:.0f}')
        row('  CPU ms per message',
            lambda r: f'{r["median"][case]["cpu_ms_per_message"]:.2f}')
    row('one message, ms', lambda r: f'{r["median"]["latency_s"] * 1000:.2f}')
    row('start to banner, ms', lambda r: f'{r["median"]["start_s"] * 1000:.0f}')
    row('idle, MiB', lambda r: f'{r["median"]["idle_bytes"] / 2**20:.1f}')
    if any('idle_sessions' in r for r in results.values()):
        row('idle IMAP session, KiB',
            lambda r: f'{r["idle_sessions"]["bytes_per_session"] / 1024:.1f}')
        row('  setting them up, s', lambda r: f'{r["idle_sessions"]["setup_s"]:.1f}')
    for sessions in (1, 10):
        if any('syncs' in r for r in results.values()):
            row(f'syncs per message, {sessions} sessions',
                lambda r: f'{sum(r["syncs"][str(sessions)].values()):.2f}')


def print_ratios(results):
    if 'posthorn' not in results:
        return
    ours = results['posthorn']['median']
    for name in results:
        if name == 'posthorn':
            continue
        theirs = results[name]['median']
        print(f'\nPosthorn against {name}:')
        for sessions, keep in CASES:
            case = f'{sessions} {"kept" if keep else "new"}'
            rate = ours[case]['delivered_per_s'] / theirs[case]['delivered_per_s']
            cpu = theirs[case]['cpu_ms_per_message'] / ours[case]['cpu_ms_per_message']
            print(f'  {case:<8} {rate:5.1f} x the messages, 1/{cpu:.1f} of the CPU for each')


def main():
    args = arguments()
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
    print_table(results, {name: TITLES[name] for name in chosen})
    print_ratios(results)
    machine = {'cores': os.cpu_count(), 'kernel': platform.release(),
               'time': time.strftime('%F %T')}
    figures = json.dumps({'machine': machine, 'systems': results}, indent=1)
    Path(args.json).write_text(figures + '\n')
    print(f'\nFigures in {args.json}')


if __name__ == '__main__':
    main()
