"""The unit tests in chart/posthorn/tests leave nothing out."""
import filecmp
import os
import shutil
import subprocess

import yaml

from chart import CHART

TEMPLATES = sorted(str(p.relative_to(CHART / 'templates'))
                   for p in [*(CHART / 'templates').rglob('*.yaml'), CHART / 'templates/NOTES.txt'])
SUITES = {p: yaml.safe_load(p.read_text(encoding='utf-8'))
          for p in sorted((CHART / 'tests').glob('*_test.yaml'))}
# Renders nothing: there is nothing to take a picture of.
NO_MANIFEST = {'checks.yaml', 'extra-list.yaml'}


def asserts_of(suite):
    for test in suite['tests']:
        yield from test['asserts']


def test_every_template_has_a_suite():
    tested = {template for suite in SUITES.values() for template in suite['templates']}
    assert tested == set(TEMPLATES)


def test_every_manifest_has_a_snapshot():
    pictured = {template for suite in SUITES.values() for template in suite['templates']
                if any(key.startswith('matchSnapshot') for a in asserts_of(suite) for key in a)}
    assert pictured == set(TEMPLATES) - NO_MANIFEST


def test_every_test_has_a_name_of_its_own_and_asserts_something():
    for path, suite in SUITES.items():
        names = [test['it'] for test in suite['tests']]
        assert len(set(names)) == len(names), path.name
        assert all(test['asserts'] for test in suite['tests']), path.name


def test_no_snapshot_is_missing_or_left_over(tmp_path):
    """helm-unittest writes what is missing and keeps what nobody asks for."""
    copy = tmp_path / 'chart'
    shutil.copytree(CHART, copy)
    shutil.rmtree(copy / 'tests/__snapshot__')
    result = subprocess.run([os.environ['HELM_UNITTEST'], str(copy)], capture_output=True,
                            text=True, check=False)
    assert result.returncode == 0, result.stdout
    kept, made = CHART / 'tests/__snapshot__', copy / 'tests/__snapshot__'
    names = sorted(p.name for p in made.iterdir())
    assert sorted(p.name for p in kept.iterdir()) == names
    assert filecmp.cmpfiles(kept, made, names, shallow=False) == (names, [], [])
