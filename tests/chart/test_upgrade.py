"""A release of docker-mailserver's chart becomes ours in place: what Kubernetes cannot change, and
what others refer to, is as that chart had it. The facts below are that chart's."""
import pytest

from chart import (CHART, container_of, env_of, find, pod_of, render)

# Fields that the API server refuses to change.
SELECTOR = {'app.kubernetes.io/name': 'docker-mailserver', 'release': 'docker-mailserver'}
# Name to number, in the order that the Service had.
PORTS = [('smtp', 25), ('submissions', 465), ('submission', 587), ('smtp-proxy', 12525),
         ('subs-proxy', 10465), ('sub-proxy', 10587), ('imap', 143), ('imaps', 993),
         ('imap-proxy', 10143), ('imaps-proxy', 10993), ('pop3', 110), ('pop3s', 995),
         ('pop3-proxy', 10110), ('pop3s-proxy', 10995), ('rspamd', 11334), ('managesieve', 4190),
         ('msieve-proxy', 14190), ('metrics', 9102)]
NODE_PORTS = {'smtp': 30025, 'submissions': 30465, 'submission': 30587, 'imap': 30143,
              'imaps': 30993, 'pop3': 30110, 'pop3s': 30995}
CLAIMS = {'mail-config': ('/tmp/docker-mailserver', '1Mi'), 'mail-data': ('/var/mail', '10Gi'),
          'mail-state': ('/var/mail-state', '1Gi'), 'mail-log': ('/var/log/mail', '1Gi')}
EVERYTHING = {'deployment': {'env': {'ENABLE_POP3': 1, 'ENABLE_MANAGESIEVE': 1}},
              'metrics': {'enabled': True}}
LEGACY = CHART / 'ci/legacy-5.1-values.yaml'
LEGACY_4_1 = CHART / 'ci/legacy-4.1-values.yaml'


@pytest.mark.parametrize('values', ({}, EVERYTHING))
def test_the_deployment_keeps_its_name_and_selector(values):
    deployment = find(render(values), 'Deployment')
    assert deployment['apiVersion'] == 'apps/v1'
    assert deployment['spec']['selector'] == {'matchLabels': SELECTOR}
    assert container_of(render(values))['name'] == 'docker-mailserver'


def test_the_service_keeps_names_numbers_and_order_of_ports():
    docs = render(EVERYTHING)
    service = find(docs, 'Service')['spec']
    assert [(p['name'], p['port']) for p in service['ports']] == PORTS
    assert all(p['targetPort'] == p['name'] for p in service['ports'])
    assert service['selector'] == SELECTOR
    numbers = {p['name']: p['containerPort'] for p in container_of(docs)['ports']}
    assert numbers == {**dict(PORTS), 'metrics': 8080}


def test_node_ports_are_the_same():
    service = find(render({**EVERYTHING, 'service': {'type': 'NodePort'}}), 'Service')['spec']
    assert {p['name']: p['nodePort'] for p in service['ports'] if 'nodePort' in p} == NODE_PORTS


def test_claims_keep_name_size_and_place():
    docs = render()
    mounts = {m['name']: m['mountPath'] for m in container_of(docs)['volumeMounts']}
    for name, (path, size) in CLAIMS.items():
        claim = find(docs, 'PersistentVolumeClaim', f'docker-mailserver-{name}')
        assert claim['spec'] == {'accessModes': ['ReadWriteOnce'],
                                 'resources': {'requests': {'storage': size}}}
        assert claim['metadata']['annotations'] == {'helm.sh/resource-policy': 'keep'}
        assert mounts[name] == path


def test_a_file_of_chart_5_renders_with_everything_it_says():
    docs = render(file=LEGACY)
    env = env_of(docs)
    assert env['SSL_CERT_PATH'] == '/tmp/dms/custom-certs/tls.crt'
    assert env['POSTFIX_MESSAGE_SIZE_LIMIT'] == '104857600'
    assert env['RELAY_PASSWORD'] == {'secretKeyRef': {'name': 'relay', 'key': 'password'}}
    assert container_of(docs)['image'].startswith('posthorn/')
    assert container_of(docs)['securityContext']['readOnlyRootFilesystem'] is False
    assert find(docs, 'Service')['spec']['type'] == 'LoadBalancer'
    assert find(docs, 'PersistentVolumeClaim', 'docker-mailserver-mail-state')['spec'][
        'storageClassName'] == 'fast'
    assert not [d for d in docs if d['metadata']['name'] == 'docker-mailserver-mail-data']
    assert find(docs, 'Ingress', 'docker-mailserver-rspamd')['spec']['tls'][0]['secretName'] == (
        'rspamd-tls')
    assert find(docs, 'ServiceMonitor')['metadata']['labels']['release'] == 'kube-prometheus-stack'
    assert find(docs, 'Secret', 'rspamd-example-org')
    assert find(docs, 'ConfigMap', 'docker-mailserver-extra')


def test_templates_in_a_file_of_chart_5_find_the_values_they_read():
    text = find(render(file=LEGACY), 'ConfigMap', 'dovecot-cf')['data']['dovecot.cf']
    assert 'haproxy_trusted_networks = 10.0.0.0/8 192.168.0.0/16 172.16.0.0/12' in text


def test_a_file_of_chart_4_1_finds_the_mail_that_is_there():
    """Chart 5 ignored these settings and mounted fresh, empty claims."""
    docs = render(file=LEGACY_4_1)
    volumes = {v['name']: v for v in pod_of(docs)['spec']['volumes']}
    assert volumes['mail-data']['persistentVolumeClaim']['claimName'] == 'old-mail'
    assert volumes['mail-state']['persistentVolumeClaim']['claimName'] == (
        'docker-mailserver-mail-state')
    state = find(docs, 'PersistentVolumeClaim', 'docker-mailserver-mail-state')['spec']
    assert state['storageClassName'] == 'slow'
    assert state['resources']['requests']['storage'] == '3Gi'
    assert not [d for d in docs if d['metadata']['name'] == 'docker-mailserver-mail-data']
    mounts = {m['mountPath']: m for m in container_of(docs)['volumeMounts']}
    assert mounts['/var/mail']['subPath'] == 'mail'


def test_nothing_of_the_pod_needs_root():
    """docker-mailserver ran as root and gave the mail to 5000; that is who the server is."""
    context = pod_of(render(file=LEGACY))['spec']['securityContext']
    assert (context['runAsUser'], context['runAsGroup'], context['fsGroup']) == (5000, 5000, 5000)


@pytest.mark.parametrize('release, name', (
    ('docker-mailserver', 'docker-mailserver'), ('mail', 'mail-docker-mailserver'),
    ('docker-mailserver-2', 'docker-mailserver-2')))
def test_names_follow_the_release_as_they_did(release, name):
    docs = render(release=release)
    deployment = next(d for d in docs if d['kind'] == 'Deployment')
    assert deployment['metadata']['name'] == name
    assert deployment['spec']['selector']['matchLabels']['release'] == release


def test_the_labels_of_that_chart_are_there():
    labels = find(render(), 'Service')['metadata']['labels']
    assert labels['app.kubernetes.io/name'] == 'docker-mailserver'
    assert labels['heritage'] == 'Helm' and labels['release'] == 'docker-mailserver'
    assert labels['chart'].startswith('posthorn-')
