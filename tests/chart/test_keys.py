"""No key is dead: each one changes what is rendered, but for those that are said to be accepted."""
import copy
import functools
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from chart import CHART, Refused, render_text

VALUES = yaml.safe_load((CHART / 'values.yaml').read_text(encoding='utf-8'))
# Accepted for old values files, and documented so.
DEAD = {
    'rblRejectDomains', 'monitoring.pod.port', 'metrics.image', 'metrics.resources',
    'metrics.resizePolicy', 'dovecot.fullTextSearch.enabled', 'dovecot.fullTextSearch.verbose',
    'dovecot.fullTextSearch.resources.memory', 'dovecot.fullTextSearch.cron.enabled',
    'dovecot.fullTextSearch.cron.schedule',
}
# Everything on, so that every key has something to change.
EVERYTHING = yaml.safe_load('''
certManager: {enabled: true, issuerRef: {name: ca}, alternative: {enabled: true}}
existingSecrets:
  accounts: {name: a}
  admin: {name: b}
  dkim: {name: c}
  relay: {name: d}
  ldap: {name: e}
  srs: {name: f}
service: {type: LoadBalancer, internal: {enabled: true}, admin: {enabled: true}}
podDisruptionBudget: {enabled: true}
rspamd:
  ingress: {enabled: true, tls: {enabled: true}}
  httpRoute: {enabled: true, parentRefs: [{name: web}]}
gateway: {enabled: true, parentRefs: [{name: gw}], tlsRoutes: true}
traefik: {enabled: true}
monitoring: {pod: {scrape: "true"}}
metrics:
  enabled: true
  serviceMonitor: {enabled: true}
  prometheusRule: {enabled: true}
  dashboard: {enabled: true}
configMaps: {x: {create: true, path: x, data: x}}
test: {existingSecret: account}
''')
# What to set a key to, where its default does not tell.
OTHER = {
    'deployment.replicas': 0,
    'deployment.strategy.type': 'RollingUpdate',
    'deployment.extraEnv': [{'name': 'A', 'value': 'b'}],
    'deployment.secretEnvironments': ['a'],
    'deployment.extraEnvFrom': [{'secretRef': {'name': 'a'}}],
    'deployment.extraVolumes': [{'name': 'a', 'emptyDir': {}}],
    'deployment.containerSecurityContext.capabilities.drop': ['NET_RAW'],
    'deployment.revisionHistoryLimit': 4,
    'deployment.resizePolicy': [{'resourceName': 'cpu', 'restartPolicy': 'NotRequired'}],
    'deployment.lifecycle': {'preStop': {'sleep': {'seconds': 5}}},
    'deployment.dnsConfig': {'nameservers': ['192.0.2.1']},
    'image.pullPolicy': 'Always',
    'service.type': 'NodePort', 'service.externalTrafficPolicy': 'Cluster',
    'service.internalTrafficPolicy': 'Local', 'service.ipFamilyPolicy': 'SingleStack',
    'service.internal.ipFamilyPolicy': 'SingleStack',
    'service.allocateLoadBalancerNodePorts': False, 'service.healthCheckNodePort': 31000,
    'service.publishNotReadyAddresses': True,
    'service.expose': {'imap': False}, 'service.internal.expose': {'imap': False},
    'gateway.expose': {'imap': False}, 'traefik.expose': {'imap': False},
    'traefik.entryPoints': {'imap': 'other'},
    'gateway.apiVersions': {'TCPRoute': 'gateway.networking.k8s.io/v1'},
    'gateway.parentRefs': [{'name': 'other'}],
    'tmp.medium': 'Memory', 'proxyProtocol.trustedNetworks': '192.0.2.0/24',
    'podDisruptionBudget.minAvailable': 0,
    'metrics.prometheusRule.disabled': ['PosthornDown'],
    'metrics.prometheusRule.extraRules': [{'record': 'a', 'expr': 'b'}],
    'configMaps': {'other': {'create': True, 'path': 'other', 'data': 'other'}},
    'secrets': {'other': {'create': True, 'path': 'other', 'stringData': 'other'}},
    'extraDeploy': [{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'z'}}],
    'deployment.securityContext.runAsUser': 7, 'securityContext': {'runAsUser': 8},
    'existingSecrets.dkim.keys': ['one'],
    'monitoring.service.scrape': 'false', 'monitoring.service.probe': 'true',
    'monitoring.pod.scrape': 'false', 'monitoring.pod.probe': 'true',
    'monitoring.service.port': '9999',
}
# Keys that another one hides in EVERYTHING.
WITH = {
    'service.nodePort': ({'service': {'type': 'NodePort'}}, {'smtp': 31025}),
    'serviceAccount.name': ({}, 'robot'),
    'podDisruptionBudget.maxUnavailable': ({}, 2),
    'image.tag': ({}, 'other'),
    # Either monitor switches the metrics on.
    'metrics.enabled': ({'metrics': {'serviceMonitor': {'enabled': False}}}, False),
    'persistence.mail-config.projected': (
        {'existingSecrets': {'dkim': {'keys': ['one']}}}, True),
}


def leaves(node, path=()):
    if isinstance(node, dict) and node:
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    else:
        yield '.'.join(path), node


def merged(base, more):
    out = copy.deepcopy(base)
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(out.get(key), dict):
            out[key] = merged(out[key], value)
        else:
            out[key] = copy.deepcopy(value)
    return out


def nested(path, value):
    for key in reversed(path.split('.')):
        value = {key: value}
    return value


def other_than(path, value, text='other'):
    """Something else than the default, with `text` in it where it can be."""
    if path in OTHER:
        return OTHER[path]
    if path.endswith('.resourcePolicy'):
        return ''
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return int(text.strip('t')) if text != 'other' else value + 1
    if isinstance(value, list):
        strings = ('names', 'Names', 'Families', 'keys', 'args', 'command', 'Ranges', 'IPs',
                   'Modes', 'drop')
        return [text] if path.endswith(strings) else [{'name': text}]
    if isinstance(value, dict):
        return {'some': text}
    return text


def lookup(values, path):
    for key in path.split('.'):
        values = values.get(key) if isinstance(values, dict) else None
    return values


def change_of(path, default):
    base, value = WITH.get(path, ({}, None))
    base = merged(EVERYTHING, base)
    if path not in WITH:
        current = lookup(base, path)
        value = other_than(path, default if current is None or path in OTHER else current)
    return base, merged(base, nested(path, value))


def shown_together(paths):
    """The keys whose text appears when all of them are set at once: most, in one render."""
    texts = {}
    values = EVERYTHING
    for number, (path, default) in enumerate(paths):
        text = f't{71000 + number}t'
        current = lookup(EVERYTHING, path)
        value = other_than(path, default if current is None else current, text)
        alone = path in WITH or path in OTHER or path.endswith(('existingClaim', 'Override'))
        text = text if isinstance(value, str | list | dict) else text.strip('t')
        if not alone and text in str(value):
            texts[path] = text
            values = merged(values, nested(path, value))
    rendered = render_text(values)
    return {path for path, text in texts.items() if text in rendered}


@functools.cache
def render_cached(text):
    return render_text(text)


def changes_nothing(path, default):
    """True, False, or why Helm refused."""
    base, changed = change_of(path, default)
    try:
        return render_text(changed) == render_cached(yaml.safe_dump(base))
    except Refused as refused:
        return str(refused)


@pytest.mark.timeout(600)       # a hundred renders
def test_every_key_changes_something():
    paths = [(p, v) for p, v in leaves(VALUES) if not p.startswith('deployment.env.')]
    assert len(paths) > 200
    shown = shown_together(paths)
    assert len(shown) > 80
    rest = [entry for entry in paths if entry[0] not in shown]
    with ThreadPoolExecutor(2) as pool:
        results = {path: result for (path, _), result in
                   zip(rest, pool.map(lambda entry: changes_nothing(*entry), rest))}
    refused = [f'{path}: {text}' for path, text in results.items() if isinstance(text, str)]
    assert not refused, '\n'.join(refused)
    assert {path for path, dead in results.items() if dead is True} == DEAD


def test_every_variable_reaches_the_server():
    names = list(VALUES['deployment']['env'])
    assert len(names) > 100
    # Names that the chart decides on have values that it understands.
    values = {name: 'some text' for name in names} | {
        'POSTHORN_WEB_PORT': 9000, 'RELAY_PORT': 2525, 'SSL_ALT_CERT_PATH': '/a',
        'SSL_ALT_KEY_PATH': '/b'}
    text = render_text({'deployment': {'env': values}})
    missing = [name for name in names if f'- name: {name}\n' not in text]
    assert missing == []
