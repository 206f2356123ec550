"""Against a real API server, where there is one: over from docker-mailserver's chart, and back.

    POSTHORN_KUBECONFIG=~/.kube/config ./test -k cluster chart

makes namespaces that begin with posthorn-test, and removes them. It needs no node: no pod has to
run, but the API server checks fields, names, what cannot change, and the restricted standard.
"""
import json
import os
import subprocess
import uuid

import pytest
import yaml

import test_upgrade as old
from chart import CHART, HELM

KUBECONFIG = os.environ.get('POSTHORN_KUBECONFIG')
pytestmark = [pytest.mark.skipif(not KUBECONFIG, reason='needs POSTHORN_KUBECONFIG'),
              pytest.mark.timeout(300)]
LABELS = {**old.SELECTOR, 'chart': 'docker-mailserver-5.1.1', 'heritage': 'Helm'}
CONFIGS = {'dovecot-cf': '/tmp/docker-mailserver/dovecot.cf',
           'fts-xapian-plugin-conf': '/etc/dovecot/conf.d/10-plugin.conf',
           'user-patches-sh': '/tmp/docker-mailserver/user-patches.sh'}


def command(*args, stdin=None):
    result = subprocess.run(args, input=stdin, capture_output=True, text=True, check=False,
                            env={**os.environ, 'KUBECONFIG': KUBECONFIG or ''})
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def kubectl(namespace, *args, stdin=None):
    return command('kubectl', '--namespace', namespace, *args, stdin=stdin)


def metadata(name):
    return {'name': name, 'labels': LABELS}


def objects_of_the_old_chart():
    """A stand-in with its facts: the objects, their names, and what in them cannot change."""
    ports = [(n, p) for n, p in old.PORTS if not n.startswith(('pop3', 'm'))]
    yield {'apiVersion': 'v1', 'kind': 'ServiceAccount', 'metadata': metadata('docker-mailserver')}
    for name, (_, size) in old.CLAIMS.items():
        yield {'apiVersion': 'v1', 'kind': 'PersistentVolumeClaim',
               'metadata': {'name': f'docker-mailserver-{name}'},
               'spec': {'accessModes': ['ReadWriteOnce'],
                        'resources': {'requests': {'storage': size}}}}
    for name in CONFIGS:
        yield {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': metadata(name),
               'data': {'file': ''}}
    yield {'apiVersion': 'v1', 'kind': 'Service', 'metadata': metadata('docker-mailserver'),
           'spec': {'type': 'ClusterIP', 'ipFamilyPolicy': 'SingleStack', 'selector': old.SELECTOR,
                    'ports': [{'name': n, 'port': p, 'targetPort': n} for n, p in ports]}}
    probe = {'exec': {'command': ['/bin/bash', '-c', 'supervisorctl status']}}
    mounts = [{'name': n, 'mountPath': path} for n, (path, _) in old.CLAIMS.items()]
    mounts += [{'name': n, 'mountPath': p, 'subPath': 'file'} for n, p in CONFIGS.items()]
    volumes = [{'name': n, 'persistentVolumeClaim': {'claimName': f'docker-mailserver-{n}'}}
               for n in old.CLAIMS]
    volumes += [{'name': n, 'configMap': {'name': n}} for n in CONFIGS]
    yield {'apiVersion': 'apps/v1', 'kind': 'Deployment', 'metadata': metadata('docker-mailserver'),
           'spec': {
               'replicas': 1, 'selector': {'matchLabels': old.SELECTOR},
               'strategy': {'type': 'Recreate'},
               'template': {'metadata': {'labels': LABELS}, 'spec': {
                   'serviceAccountName': 'docker-mailserver', 'volumes': volumes,
                   'containers': [{
                       'name': 'docker-mailserver', 'image': 'mailserver/docker-mailserver:15.1.0',
                       'env': [{'name': 'SRS_SECRET'}, {'name': 'ENABLE_IMAP', 'value': '1'}],
                       'livenessProbe': probe, 'readinessProbe': probe, 'volumeMounts': mounts,
                       'ports': [{'name': n, 'containerPort': p} for n, p in ports]}]}}}}


@pytest.fixture(scope='module')
def old_chart(tmp_path_factory):
    chart = tmp_path_factory.mktemp('old') / 'docker-mailserver'
    (chart / 'templates').mkdir(parents=True)
    (chart / 'Chart.yaml').write_text(yaml.safe_dump(
        {'apiVersion': 'v2', 'name': 'docker-mailserver', 'version': '5.1.1'}), encoding='utf-8')
    (chart / 'templates/all.yaml').write_text(
        yaml.safe_dump_all(objects_of_the_old_chart()), encoding='utf-8')
    return chart


@pytest.fixture
def namespace():
    name = f'posthorn-test-{uuid.uuid4().hex[:8]}'
    command('kubectl', 'create', 'namespace', name)
    yield name
    command('kubectl', 'delete', 'namespace', name, '--wait=false')


def identities(namespace):
    found = json.loads(kubectl(namespace, 'get', 'deployment,service,pvc', '-o', 'json'))
    return {f'{o["kind"]}/{o["metadata"]["name"]}': o['metadata']['uid'] for o in found['items']}


def pod(namespace):
    deployment = kubectl(namespace, 'get', 'deployment', 'docker-mailserver', '-o', 'json')
    return json.loads(deployment)['spec']['template']


@pytest.mark.parametrize('before, after', ((3, 3), (3, 4), (4, 4)))
def test_a_release_goes_over_and_back(namespace, old_chart, before, after):
    command(HELM[before], 'install', 'docker-mailserver', str(old_chart), '--namespace', namespace)
    objects = identities(namespace)
    assert len(objects) == 6

    command(HELM[after], 'upgrade', 'docker-mailserver', str(CHART), '--namespace', namespace,
            '--set', 'deployment.env.OVERRIDE_HOSTNAME=mail.example.org')
    assert identities(namespace) == objects
    server = pod(namespace)['spec']['containers'][0]
    assert server['image'].startswith('posthorn/') and 'exec' not in server['livenessProbe']
    assert {v['name'] for v in pod(namespace)['spec']['volumes']} == {*old.CLAIMS, 'tmp'}

    command(HELM[after], 'rollback', 'docker-mailserver', '1', '--namespace', namespace)
    assert identities(namespace) == objects
    server = pod(namespace)['spec']['containers'][0]
    assert server['image'].startswith('mailserver/') and 'exec' in server['livenessProbe']
    assert not pod(namespace)['spec'].get('securityContext')


def test_a_namespace_with_the_restricted_standard_lets_the_pod_in(namespace):
    command('kubectl', 'label', 'namespace', namespace,
            'pod-security.kubernetes.io/enforce=restricted',
            'pod-security.kubernetes.io/warn=restricted')
    told = command(HELM[4], 'install', 'docker-mailserver', str(CHART), '--namespace', namespace)
    assert 'would violate' not in told
    template = pod(namespace)
    kubectl(namespace, 'create', '--dry-run=server', '-f', '-', stdin=json.dumps({
        'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': 'try'}, 'spec': template['spec']}))


def test_claims_survive_the_release(namespace):
    command(HELM[3], 'install', 'docker-mailserver', str(CHART), '--namespace', namespace)
    command(HELM[3], 'uninstall', 'docker-mailserver', '--namespace', namespace)
    assert set(identities(namespace)) == {
        f'PersistentVolumeClaim/docker-mailserver-{name}' for name in old.CLAIMS}
