"""What the README of docker-mailserver's chart tells its readers to type, against what is rendered.

Where a command needs a running pod, the object is checked that it goes to; `setup` itself is tested
in tests/setup and, in the container, in tests/image.
"""
import pytest

from chart import Refused, container_of, env_of, find, pod_of, render

MINIMAL = '''
certificate: mail-tls-certificate-rsa
deployment:
  env:
    OVERRIDE_HOSTNAME: example.com       # You must OVERRIDE this!
'''
PROXY_TABLE = {'smtp': (25, 12525), 'submissions': (465, 10465), 'submission': (587, 10587),
               'imap': (143, 10143), 'imaps': (993, 10993), 'pop3': (110, 10110),
               'pop3s': (995, 10995)}


def test_the_minimal_file_gives_hostname_and_certificate():
    docs = render(MINIMAL)
    env = env_of(docs)
    assert env['OVERRIDE_HOSTNAME'] == 'example.com'
    assert (env['SSL_TYPE'], env['SSL_CERT_PATH'], env['SSL_KEY_PATH']) == (
        'manual', '/tmp/dms/custom-certs/tls.crt', '/tmp/dms/custom-certs/tls.key')
    secrets = {v['name']: v['secret']['secretName'] for v in pod_of(docs)['spec']['volumes']
               if 'secret' in v}
    assert secrets == {'certificate': 'mail-tls-certificate-rsa'}


def test_exec_finds_the_deployment_and_its_first_container():
    """kubectl exec -it --namespace mail deploy/docker-mailserver -- setup email add ..."""
    docs = render(MINIMAL)
    assert find(docs, 'Deployment', 'docker-mailserver')['metadata']['namespace'] == 'mail'
    assert len(pod_of(docs)['spec']['containers']) == 1


def test_accounts_are_kept_in_a_volume():
    """cat /tmp/docker-mailserver/postfix-accounts.cf: mapped to the claim mail-config."""
    docs = render(MINIMAL)
    mount = next(m for m in container_of(docs)['volumeMounts']
                 if m['mountPath'] == '/tmp/docker-mailserver')
    volume = next(v for v in pod_of(docs)['spec']['volumes'] if v['name'] == mount['name'])
    claim = volume['persistentVolumeClaim']['claimName']
    assert find(docs, 'PersistentVolumeClaim', claim) and not mount.get('readOnly')


def test_the_annotation_for_haproxy_reaches_the_service():
    docs = render('service: {annotations: {haproxy.org/send-proxy-protocol: proxy-v2}}')
    assert find(docs, 'Service')['metadata']['annotations'] == {
        'haproxy.org/send-proxy-protocol': 'proxy-v2'}


def test_its_certificate_is_what_cert_manager_can_be_asked_for():
    docs = render('''
        certificate: mail-tls-certificate-rsa
        deployment: {env: {OVERRIDE_HOSTNAME: mail.example.com}}
        certManager:
          enabled: true
          issuerRef: {name: letsencrypt-production, kind: Issuer}
          privateKey: {algorithm: RSA, encoding: PKCS1, size: 2048}
    ''')
    spec = find(docs, 'Certificate', 'mail-tls-certificate-rsa')['spec']
    assert spec['secretName'] == 'mail-tls-certificate-rsa'
    assert spec['dnsNames'] == ['mail.example.com']
    assert spec['issuerRef']['name'] == 'letsencrypt-production'
    assert spec['privateKey'] == {'algorithm': 'RSA', 'encoding': 'PKCS1', 'size': 2048,
                                  'rotationPolicy': 'Always'}


def test_the_ports_of_its_proxy_table_are_there():
    docs = render('''
        deployment: {env: {ENABLE_POP3: 1}}
        proxyProtocol:
          enabled: true
          trustedNetworks: "10.0.0.0/8 192.168.0.0/16 172.16.0.0/12"
    ''')
    numbers = {p['port'] for p in find(docs, 'Service')['spec']['ports']}
    assert {n for pair in PROXY_TABLE.values() for n in pair} <= numbers
    assert env_of(docs)['POSTHORN_PROXY_TRUSTED_NETWORKS'] == (
        '10.0.0.0/8,192.168.0.0/16,172.16.0.0/12')


def test_set_on_the_command_line_works():
    docs = render(None, '--set', 'deployment.env.LOG_LEVEL=debug', '--set', 'image.name=your/image',
                  '--set', 'image.tag=1.0.0')
    assert env_of(docs)['LOG_LEVEL'] == 'debug'
    assert container_of(docs)['image'] == 'your/image:1.0.0'


def test_its_outdated_example_of_set_says_what_to_write():
    with pytest.raises(Refused, match='pod.dockermailserver.image is image.name and image.tag'):
        render(None, '--set', 'pod.dockermailserver.image=your/image:1.0.0')


def test_rspamd_instead_of_the_older_filters_is_the_default():
    env = env_of(render(MINIMAL))
    assert env['ENABLE_RSPAMD'] == '1'
    for name in ('ENABLE_OPENDKIM', 'ENABLE_OPENDMARC', 'ENABLE_POLICYD_SPF', 'ENABLE_CLAMAV'):
        assert env[name] == '0'
