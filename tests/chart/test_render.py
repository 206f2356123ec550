"""Every values file in ci/ renders with Helm 3 and 4 into objects that Kubernetes accepts."""
import collections
import os
import re
import subprocess

import pytest

import policy
from chart import CHART, KUBERNETES, SCHEMAS, VALUES, find, helm, load, pod_of, render_text

VERSIONS = sorted(p.name.removeprefix('kubernetes-') for p in SCHEMAS.glob('kubernetes-*'))


@pytest.mark.parametrize('version', (3, 4))
def test_lint_finds_nothing(version):
    for file in VALUES:
        helm(version, 'lint', '--strict', '--kube-version', KUBERNETES, '--values', str(file),
             str(CHART))


def test_helm_3_and_4_render_the_same(values_file, rendered):
    assert load(rendered) == load(render_text(file=values_file, version=4))


def test_rendering_twice_gives_the_same(values_file, rendered):
    """GitOps compares renders: nothing may be random or from the clock."""
    assert render_text(file=values_file) == rendered


def test_no_key_stands_twice_and_no_line_is_untidy(values_file, rendered):
    load(rendered)
    # Text of users keeps its blanks.
    if values_file.name != 'legacy-5.1-values.yaml':
        assert [line for line in rendered.split('\n') if line and not line.strip()] == []


def test_no_name_stands_twice(rendered):
    """In lists that the API server merges by name, as server-side apply does."""
    for doc in load(rendered):
        for path, names in named_lists(doc):
            double = [n for n, count in collections.Counter(names).items() if count > 1]
            assert not double, f'{doc["kind"]} {path}: {double}'


def name_of(entry):
    return entry.get('name') or (entry.get('port'), entry.get('protocol'))


def named_lists(node, path=''):
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ('env', 'ports', 'volumes', 'containers', 'initContainers') and value:
                yield f'{path}.{key}', [name_of(e) for e in value]
            if key == 'volumeMounts' and value:
                yield f'{path}.{key}', [e['mountPath'] for e in value]
            yield from named_lists(value, f'{path}.{key}')
    elif isinstance(node, list):
        for item in node:
            yield from named_lists(item, path)


def test_every_mount_has_a_volume(rendered):
    for doc in load(rendered):
        if doc['kind'] != 'Deployment':
            continue
        pod = doc['spec']['template']['spec']
        volumes = {v['name'] for v in pod['volumes']}
        for container in pod['containers']:
            for mount in container.get('volumeMounts', ()):
                assert mount['name'] in volumes


def test_selectors_find_the_pod_that_they_mean(rendered):
    """Each selects the server's pod and not that of `helm test`, but for the policy of that."""
    docs = load(rendered)
    pods = {'Deployment': pod_of(docs)['metadata']['labels'],
            'Pod': find(docs, 'Pod', 'docker-mailserver-test')['metadata']['labels']}
    for doc in docs:
        selector = {'Service': ('selector',), 'Deployment': ('selector', 'matchLabels'),
                    'NetworkPolicy': ('podSelector', 'matchLabels'),
                    'PodDisruptionBudget': ('selector', 'matchLabels')}.get(doc['kind'])
        if selector:
            node = doc['spec']
            for key in selector:
                node = node[key]
            found = [kind for kind, labels in pods.items() if node.items() <= labels.items()]
            meant = 'Pod' if doc['metadata']['name'].endswith('-test') else 'Deployment'
            assert found == [meant], (doc['kind'], doc['metadata']['name'])


def test_names_are_valid(rendered):
    for doc in load(rendered):
        assert re.fullmatch(r'[a-z0-9]([a-z0-9.-]*[a-z0-9])?', doc['metadata']['name'])
        for path, names in named_lists(doc):
            if path.endswith(('.ports', '.volumes')):
                limit = 15 if path.endswith('.ports') else 63
                for name in names:
                    assert isinstance(name, tuple) or len(name) <= limit, name


@pytest.fixture(scope='session')
def all_rendered():
    return {file.stem: render_text(file=file) for file in VALUES}


@pytest.mark.parametrize('kubernetes', VERSIONS)
def test_the_api_server_accepts_it(all_rendered, kubernetes, tmp_path):
    """kubeconform, strictly, with the API server's schemas and those of the custom resources."""
    for name, text in all_rendered.items():
        (tmp_path / f'{name}.yaml').write_text(for_version(text, kubernetes), encoding='utf-8')
    result = subprocess.run(
        [os.environ['KUBECONFORM'], '-strict', '-summary',
         '-schema-location', f'{SCHEMAS}/kubernetes-{kubernetes}/'
                             '{{.ResourceKind}}{{.KindSuffix}}.json',
         '-schema-location', f'{SCHEMAS}/crd/'
                             '{{.Group}}-{{.ResourceKind}}-{{.ResourceAPIVersion}}.json',
         str(tmp_path)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
    assert 'Skipped: 0' in result.stdout


def test_what_the_api_server_would_refuse_is_found(tmp_path):
    """The check above can fail: on a field that does not exist, and on a wrong type."""
    good = render_text()
    for change in (('replicas: 1', 'replicaz: 1'),
                   ('containerPort: 25\n', 'containerPort: "25"\n')):
        assert change[0] in good
        (tmp_path / 'bad.yaml').write_text(good.replace(*change), encoding='utf-8')
        result = subprocess.run(
            [os.environ['KUBECONFORM'], '-strict', '-schema-location',
             f'{SCHEMAS}/kubernetes-{KUBERNETES}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json',
             str(tmp_path)], capture_output=True, text=True, check=False)
        assert result.returncode == 1 and 'Deployment docker-mailserver is invalid' in result.stdout


def for_version(rendered, kubernetes):
    """Fields that the user asked for in a values file, and that only newer versions have."""
    minor = int(kubernetes.split('.')[1])
    if minor < 31:
        rendered = re.sub(r'^  trafficDistribution: .*\n', '', rendered, flags=re.M)
    if minor < 33:
        rendered = re.sub(r'^ +resizePolicy:\n( +- .*\n +\w+: .*\n)+', '', rendered, flags=re.M)
    return rendered


def kube_score(text):
    result = subprocess.run(
        [os.environ['KUBE_SCORE'], 'score', '--kubernetes-version', f'v{KUBERNETES}',
         '-o', 'ci', '-'],
        input=text, capture_output=True, text=True, check=False)
    return {line.split('] ', 1)[0].strip('[') + ': ' + line.split(') ', 1)[-1]
            for line in result.stdout.splitlines() if line.startswith('[CRITICAL]')}


def test_kube_score_finds_nothing_critical():
    """No check is left out. The user that no node has and the pull policy are the values file's."""
    assert kube_score(render_text(file=CHART / 'ci/hardened-values.yaml')) == set()


def test_kube_score_objects_to_the_defaults_only_for_compatibility():
    """Files of existing installations belong to 5000; tags are fixed, so nobody must ask anew."""
    found = ' '.join(kube_score(render_text(file=CHART / 'ci/default-values.yaml')))
    assert found.count('CRITICAL') == 3, found
    assert 'low user ID' in found and 'low group ID' in found and 'ImagePullPolicy' in found


def test_pods_pass_the_restricted_standard(values_file, rendered):
    pods = [d for d in load(rendered) if d['kind'] in ('Deployment', 'Pod')]
    assert pods
    for doc in pods:
        spec = doc['spec']['template']['spec'] if doc['kind'] == 'Deployment' else doc['spec']
        # What the user adds is his; the rest must pass.
        spec = dict(spec, containers=spec['containers'][:1], initContainers=[])
        found = policy.violations(spec)
        if values_file.name == 'host-network-values.yaml' and doc['kind'] == 'Deployment':
            assert found == ['hostNetwork']
        elif values_file.name == 'host-ports-values.yaml' and doc['kind'] == 'Deployment':
            assert set(found) == {'hostPort'}
        else:
            assert found == []
