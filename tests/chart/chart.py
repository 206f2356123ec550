"""Render the chart and read what comes out, strictly: a key that stands twice in a map is an error,
as it is for the API server."""
import os
import subprocess
from pathlib import Path

import yaml

REPO = Path(__file__).resolve().parents[2]
CHART = REPO / 'chart/posthorn'
VALUES = sorted((CHART / 'ci').glob('*-values.yaml'))
SCHEMAS = Path(os.environ.get('CHART_SCHEMAS', ''))
HELM = {3: os.environ.get('HELM3', ''), 4: os.environ.get('HELM4', '')}
KUBERNETES = '1.34'


class Refused(Exception):
    """Helm did not render; the text is its message."""


class Loader(yaml.CSafeLoader):
    pass


def _map_without_duplicates(loader, node):
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    double = sorted({str(k) for k in keys if keys.count(k) > 1})
    if double:
        raise yaml.constructor.ConstructorError(None, None, f'{", ".join(double)} twice',
                                                node.start_mark)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


Loader.add_constructor('tag:yaml.org,2002:map', _map_without_duplicates)


def load(text):
    """The documents of a render, without empty ones."""
    return [d for d in yaml.load_all(text, Loader) if d]


def helm(version, *args, stdin=None):
    result = subprocess.run([HELM[version], *args], input=stdin, capture_output=True, text=True,
                            check=False)
    if result.returncode:
        raise Refused(result.stderr + result.stdout)
    return result.stdout


def render_text(values=None, *options, version=3, release='docker-mailserver', file=None):
    """What `helm template` prints. values: a map, or YAML as the user writes it."""
    args = ['template', release, str(CHART), '--namespace', 'mail', '--kube-version', KUBERNETES]
    if file:
        args += ['--values', str(file)]
    if values is not None:
        args += ['--values', '-']
        if not isinstance(values, str):
            values = yaml.safe_dump(values)
    return helm(version, *args, *options, stdin=values)


def render(values=None, *options, **more):
    return load(render_text(values, *options, **more))


def find(docs, kind, name='docker-mailserver'):
    """The one object of that kind and name."""
    found = [d for d in docs if d['kind'] == kind and d['metadata']['name'] == name]
    assert len(found) == 1, f'{len(found)} of {kind} {name}'
    return found[0]


def kinds(docs):
    return sorted(d['kind'] for d in docs)


def pod_of(docs):
    return find(docs, 'Deployment')['spec']['template']


def container_of(docs):
    return pod_of(docs)['spec']['containers'][0]


def env_of(docs):
    """Name to value (or the map of valueFrom) of the server's variables; none may stand twice."""
    entries = container_of(docs)['env']
    names = [e['name'] for e in entries]
    assert len(set(names)) == len(names), 'a variable stands twice'
    return {e['name']: e.get('value', e.get('valueFrom')) for e in entries}


def env_with(**variables):
    return {'deployment': {'env': variables}}
