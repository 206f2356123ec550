"""Alerts and dashboard ask for metrics that the server has."""
import json
import re

import yaml

from chart import CHART, REPO, find, render

METRICS = (REPO / 'src/core/metrics.def').read_text(encoding='utf-8')
ALERTS = yaml.safe_load((CHART / 'files/alerts.yaml').read_text(encoding='utf-8'))
DASHBOARD = json.loads((CHART / 'files/dashboard.json').read_text(encoding='utf-8'))


def table():
    """Name to (kind, labels) of every entry; a histogram has three names."""
    out = {}
    for kind, rest in re.findall(r'^(COUNTER|GAUGE|HISTOGRAM)\((.*?)\)$', METRICS, re.M | re.S):
        strings = re.findall(r'"((?:[^"\\]|\\.)*)"', rest)
        name, labels = strings[1], re.findall(r'(\w+)=', strings[2]) if kind != 'HISTOGRAM' else []
        for suffix in ('',) if kind != 'HISTOGRAM' else ('_bucket', '_sum', '_count'):
            out.setdefault(name + suffix, (kind, set()))[1].update(labels)
    return out


def expressions():
    yield from (alert['expr'] for alert in ALERTS)
    yield from (target['expr'] for panel in DASHBOARD['panels'] for target in panel['targets'])


def test_the_table_of_metrics_is_read():
    assert table()['posthorn_logins_total'] == ('COUNTER', {'outcome'})
    assert table()['posthorn_queue_commit_seconds_bucket'][0] == 'HISTOGRAM'


def test_every_metric_exists():
    known = table()
    for expression in expressions():
        used = set(re.findall(r'posthorn_\w+', expression))
        assert used or 'up{' in expression
        assert used <= set(known), expression


def test_counters_are_looked_at_as_rates_and_gauges_are_not():
    known = table()
    for expression in expressions():
        for call, name in re.findall(r'(\w*)\(?\b(posthorn_\w+)\{', expression):
            is_counter = known[name][0] != 'GAUGE'
            assert (call == 'rate') == is_counter, expression


def test_labels_exist():
    known = table()
    for expression in expressions():
        names = set(re.findall(r'posthorn_\w+', expression))
        own = {'le', 'namespace', 'service', 'role', 'instance'}
        own = own.union(*(known[n][1] for n in names))
        used = set(re.findall(r'(\w+)=~?"', expression))
        for labels in re.findall(r'by \(([^)]*)\)', expression):
            used |= set(labels.split(', '))
        assert used <= own, expression


def test_the_values_that_labels_have_exist():
    for label, value in re.findall(r'(\w+)="(\w+)"', ' '.join(expressions())):
        assert f'{label}=\\"{value}\\"' in METRICS


def test_every_panel_is_whole():
    ids = [panel['id'] for panel in DASHBOARD['panels']]
    assert len(set(ids)) == len(ids)
    for panel in DASHBOARD['panels']:
        assert panel['title'] and panel['description'] and panel['targets']
        assert all('namespace="$namespace",service="$service"' in target['expr']
                   for target in panel['targets'])


def test_the_dashboard_arrives_as_it_is():
    docs = render({'metrics': {'dashboard': {'enabled': True}}})
    config = find(docs, 'ConfigMap', 'docker-mailserver-dashboard')
    assert json.loads(config['data']['docker-mailserver.json']) == DASHBOARD


def test_templates_of_alerts_are_left_to_prometheus():
    docs = render({'metrics': {'prometheusRule': {'enabled': True}}})
    rules = find(docs, 'PrometheusRule')['spec']['groups'][0]['rules']
    assert {rule['alert'] for rule in rules} == {alert['alert'] for alert in ALERTS}
    assert any('{{ $value }}' in rule['annotations']['description'] for rule in rules)
    assert not any('SELECTOR' in rule['expr'] for rule in rules)
