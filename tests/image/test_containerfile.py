"""What can be said of the image without building it."""
import re
import subprocess

import pytest
import yaml
from container import ROOT, VOLUMES

CONTAINERFILE = (ROOT / 'image/Containerfile').read_text()
METADATA = ('LABEL', 'EXPOSE', 'WORKDIR', 'USER', 'CMD', 'ENTRYPOINT', 'ARG', 'VOLUME',
            'HEALTHCHECK')


def stages():
    """{name: [instruction, ...]}, continued lines joined."""
    text = re.sub(r'^#.*\n', '', CONTAINERFILE, flags=re.M).replace('\\\n', '')
    found = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        match = re.match(r'FROM \S+ AS (\S+)', line)
        if match:
            found[match.group(1)] = []
        elif found:
            list(found.values())[-1].append(re.sub(r'\s+', ' ', line))
    return found


def metadata(stage):
    return [line for line in stages()[stage] if line.split()[0] in METADATA]


def test_both_images_are_used_alike():
    def without_description(stage):
        return [re.sub(r'org\.opencontainers\.image\.description="[^"]*"', '', line)
                for line in metadata(stage)]
    assert without_description('posthorn') == without_description('posthorn-full')


def test_commands_can_be_given_instead_of_the_server():
    assert 'CMD ["posthorn"]' in metadata('posthorn')
    assert not [line for line in metadata('posthorn') if line.startswith(('ENTRYPOINT', 'VOLUME'))]


def test_user_is_a_number():
    """Kubernetes cannot tell whether a name is root's (runAsNonRoot)."""
    assert 'USER 5000:5000' in metadata('posthorn')


def test_ports_are_those_of_docker_mailserver():
    assert 'EXPOSE 25 587 143 465 993 110 995 4190' in metadata('posthorn')


def test_version_is_the_projects():
    version = re.search(r"version: '([\d.]+)'", (ROOT / 'meson.build').read_text()).group(1)
    assert CONTAINERFILE.count(f'ARG VERSION={version}\n') == 2


def test_scripts_are_for_any_shell():
    subprocess.run(['sh', '-n', ROOT / 'image/collect.sh'], check=True)


def test_what_the_build_copies_is_not_ignored():
    kept = {line[1:] for line in (ROOT / '.dockerignore').read_text().split() if line[0] == '!'}
    assert {'LICENSE', 'meson.build', 'meson_options.txt', 'src', 'tools', 'image'} <= kept
    assert all((ROOT / name).exists() for name in kept)


@pytest.fixture
def service():
    compose = yaml.safe_load((ROOT / 'image/compose.yaml').read_text())
    assert set(compose['volumes']) == set(VOLUMES)
    return compose['services']['mailserver']


def test_compose_file_builds_this_image(service):
    context = ROOT / 'image' / service['build']['context']
    assert (context / service['build']['dockerfile']).samefile(ROOT / 'image/Containerfile')
    assert service['build']['target'] in stages()


def test_compose_file_mounts_every_volume(service):
    mounted = dict(line.split(':')[:2] for line in service['volumes'])
    assert VOLUMES.items() <= mounted.items()


def test_compose_file_takes_rights_away(service):
    assert service['read_only'] is True and service['cap_drop'] == ['ALL']
    assert service['user'] == '5000:5000'
    assert service['security_opt'] == ['no-new-privileges:true']


def test_health_check_needs_no_shell(service):
    """podman-compose 1.0 puts one before the command of a compose file: the image's has to do."""
    [line] = [line for line in metadata('posthorn') if line.startswith('HEALTHCHECK')]
    assert line.endswith('CMD ["dms-healthcheck"]')
    assert 'healthcheck' not in service


def test_compose_file_waits_longer_than_the_server(service):
    default = re.search(r'`POSTHORN_STOP_TIMEOUT` \| `(\d+)s`',
                        (ROOT / 'docs/settings.md').read_text())
    assert int(service['stop_grace_period'].rstrip('s')) > int(default.group(1))


def test_documented_settings_exist(service):
    settings = (ROOT / 'docs/settings.md').read_text()
    named = re.findall(r'\b(?:POSTHORN|DMS|SSL|ENABLE|OVERRIDE)_[A-Z_]*[A-Z]\b',
                       (ROOT / 'docs/container.md').read_text())
    for name in {*named, *service['environment']}:
        assert name in settings, name
