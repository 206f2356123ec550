"""Values by their meaning: types, empties, nulls and typos."""
import json
import re

import pytest
import yaml

from chart import (CHART, REPO, Refused, container_of, env_of, env_with, find, pod_of, render,
                   render_text)

ON = (1, '1', True, 'true', 'yes', 'on', 'True', '01')
OFF = (0, '0', False, 'false', 'no', 'off', '')
# Written as the user does, because YAML decides what they are.
LEGACY_SWITCHES = {'ENABLE_IMAP': 'imap', 'ENABLE_POP3': 'pop3',
                   'ENABLE_MANAGESIEVE': 'managesieve', 'ENABLE_RSPAMD': 'rspamd'}


def port_names(docs):
    return [p['name'] for p in container_of(docs)['ports']]


@pytest.mark.parametrize('name', LEGACY_SWITCHES)
def test_a_switch_is_on_or_off_however_it_is_written(name):
    for value in ON:
        assert LEGACY_SWITCHES[name] in port_names(render(env_with(**{name: value}))), value
    for value in OFF:
        assert LEGACY_SWITCHES[name] not in port_names(render(env_with(**{name: value}))), value


@pytest.mark.parametrize('value', (1, '1', True, 'true', 0, '0', False, '', None))
def test_fail2ban_takes_every_spelling(value):
    """docker-mailserver's chart compared with the number 1 and aborted on everything else."""
    docs = render(env_with(ENABLE_FAIL2BAN=value))
    assert env_of(docs).get('ENABLE_FAIL2BAN') in ('0', '1', None)
    assert container_of(docs)['securityContext']['capabilities'] == {'drop': ['ALL']}


def test_fail2ban_on_the_command_line():
    docs = render(None, '--set', 'deployment.env.ENABLE_FAIL2BAN=1')
    assert env_of(docs)['ENABLE_FAIL2BAN'] == '1'


@pytest.mark.parametrize('key', (
    'proxyProtocol.enabled', 'metrics.enabled', 'networkPolicy.enabled', 'serviceAccount.create',
    'podDisruptionBudget.enabled'))
def test_switches_of_the_chart_are_strings_too(key):
    for word, text in (('"false"', False), ('"0"', False), ('"true"', True), ('1', True)):
        first, second = key.split('.')
        docs = render(f'{first}: {{{second}: {word}}}')
        seen = {
            'proxyProtocol.enabled': 'smtp-proxy' in port_names(docs),
            'metrics.enabled': 'metrics' in [
                p['name'] for p in find(docs, 'Service')['spec']['ports']],
        }.get(key)
        if seen is None:
            kind = {'networkPolicy': 'NetworkPolicy', 'serviceAccount': 'ServiceAccount',
                    'podDisruptionBudget': 'PodDisruptionBudget'}[first]
            seen = kind in [d['kind'] for d in docs]
        assert seen == text, f'{key}: {word}'


@pytest.mark.parametrize('version', (3, 4))
@pytest.mark.parametrize('number', (0, 999999, 1000000, 104857600, 4294967296, 9007199254740991))
def test_integers_are_printed_exactly(number, version):
    docs = render(f'deployment: {{env: {{POSTFIX_MESSAGE_SIZE_LIMIT: {number}}}}}', version=version)
    assert env_of(docs)['POSTFIX_MESSAGE_SIZE_LIMIT'] == str(number)


@pytest.mark.parametrize('version', (3, 4))
def test_large_users_are_printed_exactly(version):
    docs = render('deployment: {securityContext: {runAsUser: 1000720000}}', version=version)
    assert pod_of(docs)['spec']['securityContext']['runAsUser'] == 1000720000


def test_yes_without_quotes_stays_yes_for_directories():
    env = env_of(render(
        'deployment: {env: {LDAP_START_TLS: yes, DOVECOT_TLS: no, ENABLE_SRS: yes}}'))
    assert (env['LDAP_START_TLS'], env['DOVECOT_TLS'], env['ENABLE_SRS']) == ('yes', 'no', '1')


def test_every_switch_of_the_server_is_known_to_be_one():
    """A switch that is missing in _env.tpl would reach the server as "true", which is off there."""
    table = (REPO / 'src/core/settings.def').read_text(encoding='utf-8')
    switches = re.findall(r'SETTING\(SWITCH,\s*\w+,\s*"(\w+)"', table)
    assert len(switches) > 5
    without = {'proxyProtocol': {'enabled': False}}     # which decides on one of them
    env = env_of(render(without | env_with(**{name: True for name in switches})))
    assert {name: env[name] for name in switches} == {name: '1' for name in switches}
    env = env_of(render(without | env_with(**{name: 'off' for name in switches})))
    assert {name: env.get(name) for name in switches} == {name: '0' for name in switches}


def test_empty_variables_do_not_hide_those_of_a_secret():
    """env wins over envFrom: an empty SRS_SECRET in env would hide the one in the Secret."""
    docs = render({'deployment': {'secretEnvironments': ['mail'], 'env': {'RELAY_USER': ''}}})
    assert not [name for name, value in env_of(docs).items() if value in (None, '')]
    assert container_of(docs)['envFrom'] == [{'secretRef': {'name': 'mail'}}]
    for name in ('SRS_SECRET', 'RELAY_USER', 'DEFAULT_RELAY_HOST', 'LDAP_SERVER_HOST',
                 'LDAP_BIND_PW', 'SASLAUTHD_LDAP_PASSWORD', 'RELAY_PASSWORD'):
        assert name not in env_of(docs)


def test_null_removes_a_variable():
    assert 'ENABLE_IMAP' not in env_of(render('deployment: {env: {ENABLE_IMAP: }}'))


def test_unknown_variables_are_passed_on():
    env = env_of(render(env_with(ENABLE_OAUTH2=1, SOMETHING_NEW='x y')))
    assert env['ENABLE_OAUTH2'] == '1' and env['SOMETHING_NEW'] == 'x y'


def test_blanks_at_the_end_of_a_value_stay():
    assert env_of(render())['SPAM_SUBJECT'] == '***SPAM*** '


@pytest.mark.parametrize('version', (3, 4))
@pytest.mark.parametrize('values, complaint', (
    ('deployment: {repliacs: 1}', 'repliacs'),
    ('service: {typ: NodePort}', 'typ'),
    ('service: {type: Loadbalancer}', 'type'),
    ('service: {nodePort: {smtp: many}}', 'smtp'),
    ('proxyProtocol: {enable: true}', 'enable'),
    ('proxyProtocol: {enabled: maybe}', 'enabled'),
    ('persistent_volume_claims: {mail-data: {existing_claim: x}}', 'existing_claim'),
    ('persistence: {mail-data: {mountpath: x}}', 'mountpath'),
    ('configMaps: {a: {create: true, data: x}}', 'path'),
    ('configMaps: {a: {create: true, path: y, data: x}}', 'path'),
    ('secrets: {a: {path: x, name: a, content: x}}', 'content'),
    ('deployment: {env: {A B: 1}}', 'A B'),
    ('deployment: {env: {A: {valuefrom: x}}}', 'valueFrom'),
    ('metrics: {serviceMonitor: {interval: 5s}}', 'interval'),
    ('certManager: null', 'certManager'),
    ('deployment: {env: null}', 'env'),
    ('networkPolicy: {proxyfrom: []}', 'proxyfrom'),
))
def test_typos_are_refused(values, complaint, version):
    with pytest.raises(Refused) as refused:
        render_text(values, version=version)
    assert complaint in str(refused.value)


def test_keys_of_the_users_own_are_kept_for_his_templates():
    docs = render('''
        myDomain: example.org
        global: {x: y}
        configMaps:
          postfix-virtual.cf:
            create: true
            path: postfix-virtual.cf
            data: "info@{{ .Values.myDomain }} user@{{ .Values.myDomain }}"
    ''')
    data = find(docs, 'ConfigMap', 'postfix-virtual-cf')['data']
    assert data == {'postfix-virtual.cf': 'info@example.org user@example.org\n'}


def test_notes_know_every_key_of_the_schema():
    """A key that the schema has and the list in _warnings.tpl has not would be called unknown."""
    text = (CHART / 'templates/_warnings.tpl').read_text(encoding='utf-8')
    listed = re.search(r'define "posthorn.knownKeys" -}}(.*?){{- end', text, re.S).group(1).split()
    schema = json.loads((CHART / 'values.schema.json').read_text(encoding='utf-8'))
    assert set(listed) == set(schema['properties']) | {'global'}


def test_notes_know_every_file_that_the_server_reads():
    """A file in the source that the list in _warnings.tpl has not would be called useless."""
    text = (CHART / 'templates/_warnings.tpl').read_text(encoding='utf-8')
    listed = re.search(r'define "posthorn.filesRead" -}}(.*?){{- end', text, re.S).group(1).split()
    source = ''.join(p.read_text(encoding='utf-8') for p in (REPO / 'src').rglob('*.c'))
    read = set(re.findall(r'"((?:postfix|dovecot|fetchmail)[\w-]*\.cf)"', source))
    assert set(listed) == read


def test_values_yaml_gives_the_same_as_nothing():
    """Copying the whole file, as people do, changes nothing."""
    assert render((CHART / 'values.yaml').read_text(encoding='utf-8')) == render()


@pytest.mark.parametrize('data', (
    'one\n', 'one', '  indented\nnot\n', '\n\nblank before', 'tab\there', '{"json": [1]}',
    '# comment', 'a: b\n', '"quoted', "it's", '- x\n-y', 'ümlaut ✉', 'trailing blanks  \nx',
    '%percent', '@at', '|', ''))
def test_text_of_files_arrives_as_it_was(data):
    docs = render({'configMaps': {'f': {'create': True, 'path': 'f', 'data': data, 'raw': True}},
                   'secrets': {'s': {'create': True, 'path': 's', 'stringData': data + 'x'}}})
    text = find(docs, 'ConfigMap', 'f')['data']['f']
    assert text == (data.rstrip() + '\n' if data.strip() else '')


def test_a_changed_file_restarts_the_pod_and_nothing_else_does():
    def checksum(text, **more):
        values = {'configMaps': {'f': {'create': True, 'path': 'f', 'data': text}}}
        return pod_of(render({**values, **more}))['metadata']['annotations']['checksum/config']

    assert checksum('one') == checksum('one')
    assert checksum('one') != checksum('two')
    assert checksum('{{ .Values.x }}', x='1') != checksum('{{ .Values.x }}', x='2')
    assert checksum('one') == checksum('one', podDisruptionBudget={'enabled': True})


def test_a_new_version_of_the_chart_alone_restarts_nothing(tmp_path):
    """The pod template has no version of the chart in it."""
    pod = pod_of(render())
    assert 'posthorn-' not in yaml.safe_dump(pod['metadata'])
