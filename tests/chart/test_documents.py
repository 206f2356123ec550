"""Documents and generated files say what is there."""
import re
import subprocess
import sys

import pytest
import yaml

from chart import CHART, REPO, render

COMPATIBILITY = (REPO / 'docs/chart-compatibility.md').read_text(encoding='utf-8')
UPGRADE = (REPO / 'docs/upgrade-from-docker-mailserver.md').read_text(encoding='utf-8')
README = (CHART / 'README.md').read_text(encoding='utf-8')


def test_readme_and_schema_are_what_the_values_say():
    result = subprocess.run([sys.executable, str(REPO / 'tools/gen_chart_docs.py'), '--check'],
                            capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_chart_has_the_version_of_the_server():
    chart = yaml.safe_load((CHART / 'Chart.yaml').read_text(encoding='utf-8'))
    built = re.search(r"version: '([^']+)'", (REPO / 'meson.build').read_text(encoding='utf-8'))
    assert chart['appVersion'] == built.group(1)
    images = yaml.safe_load(chart['annotations']['artifacthub.io/images'])
    values = yaml.safe_load((CHART / 'values.yaml').read_text(encoding='utf-8'))
    assert {i['image'] for i in images} == {
        f'posthorn/posthorn:{built.group(1)}', f'posthorn/posthorn-full:{built.group(1)}',
        values['test']['image']}
    changes = yaml.safe_load(chart['annotations']['artifacthub.io/changes'])
    assert all(set(c) == {'kind', 'description'} for c in changes)


def test_snapshots_do_not_depend_on_the_version():
    for path in (CHART / 'tests').glob('*_test.yaml'):
        suite = yaml.safe_load(path.read_text(encoding='utf-8'))
        assert suite['chart']['version'] in ('0.0.0', '0.1.0'), path.name
        assert 'appVersion' in suite['chart'], path.name


def names_of_tests():
    for path in (CHART / 'tests').glob('*_test.yaml'):
        suite = yaml.safe_load(path.read_text(encoding='utf-8'))
        yield from (f'{suite["suite"]}: {test["it"]}' for test in suite['tests'])
    for path in (REPO / 'tests/chart').glob('test_*.py'):
        yield from re.findall(r'^def (test_\w+)', path.read_text(encoding='utf-8'), re.M)


def quoted(text):
    return [re.sub(r'\s+', ' ', q) for q in re.findall(r'`([^`]+)`', text)]


def rows(text):
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip('|').split(' | ')]
        if line.startswith('| `') and len(cells) == 3:
            yield cells


def test_every_test_that_is_named_exists():
    suites = {name.split(': ')[0] for name in names_of_tests()}
    known = set(names_of_tests())
    named = [q for q in quoted(COMPATIBILITY)
             if q.startswith('test_') or ': ' in q and q.split(': ')[0] in suites]
    assert len(named) > 60
    assert sorted(set(named) - known) == []


def test_every_row_names_a_test():
    known = set(names_of_tests())
    table = list(rows(COMPATIBILITY))
    assert len(table) > 50
    for keys, _, tests in table:
        assert quoted(tests) and set(quoted(tests)) <= known, keys


def old_keys():
    """The keys in the files of old charts, with <n> for names that users choose."""
    for file in ('legacy-5.1-values.yaml', 'legacy-4.1-values.yaml'):
        values = yaml.safe_load((CHART / 'ci' / file).read_text(encoding='utf-8'))
        for key, value in values.items():
            yield from keys_below((key,), value)


# Maps whose content is Kubernetes's or the user's.
WHOLE = ('env', 'annotations', 'labels', 'nodePort', 'resources', 'strategy', 'securityContext',
         'containerSecurityContext', 'affinity', 'nodeSelector', 'loadBalancer', 'image',
         'selector')


def keys_below(path, value):
    if isinstance(value, dict) and value and (path[-1] not in WHOLE or path == ('image',)) or (
            path[-1] == 'resources' and path[0] == 'dovecot'):
        for key, inner in value.items():
            free = path[-1] in ('persistent_volume_claims', 'persistence', 'configMaps', 'secrets')
            yield from keys_below((*path, '<n>' if free else key), inner)
    else:
        yield '.'.join(path)


def test_every_old_key_has_its_row():
    listed = set()
    for keys, _, _ in rows(COMPATIBILITY):
        names = quoted(keys)
        # `persistence.<n>.enabled`, `size`: the first tells where the others are.
        prefix = names[0].rpartition('.')[0]
        listed |= set(names) | {f'{prefix}.{name}' for name in names}
    missing = sorted(set(old_keys()) - listed)
    assert missing == []


def test_the_keys_that_documents_name_exist():
    """In code of README.md and of the way over; keys of old charts are told apart by their row."""
    values = yaml.safe_load((CHART / 'values.yaml').read_text(encoding='utf-8'))

    def exists(path):
        node = values
        for key in path.split('.'):
            if not isinstance(node, dict):
                return False
            if not node:                # a map of the user's own
                return True
            if key not in node:
                return False
            node = node[key]
        return True

    for name in quoted(README.partition('<!-- keys -->')[0]) + quoted(UPGRADE):
        if re.fullmatch(r'[a-z_]\w+(\.[\w-]+)+', name) and name.split('.')[0] in values:
            assert exists(name), name


@pytest.mark.parametrize('document', (README, UPGRADE), ids=('README', 'upgrade'))
def test_values_in_documents_render(document):
    """Each YAML block that is a values file is one that works."""
    blocks = re.findall(r'```yaml\n(.*?)```', document, re.S)
    assert blocks
    for block in blocks:
        if 'apiVersion:' not in block:
            render(block)


def test_keys_of_old_charts_are_accepted():
    render('service: {privateIp: 10.0.0.1, port: 25, loadBalancer: {publicIp: 192.0.2.1}}')
    render('deployment: {hostPID: true}')
