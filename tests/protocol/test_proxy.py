"""Ports for proxies: the PROXY header names the client, for everything that asks who it is."""
import shutil
import socket
import ssl
import subprocess
import time

import pytest
from server import DOMAIN, HOSTNAME, PASSWORD, PORTS, SLOW, Server, wait_until
from wire import TIMEOUT, Wire, fetch_all, message

USER = f'user0@{DOMAIN}'
TRUSTED = {'POSTHORN_PROXY_PROTOCOL': '1', 'POSTHORN_PROXY_TRUSTED_NETWORKS': '127.0.0.1/32'}
CLIENT, SERVICE = '192.0.2.7', '198.51.100.1'


def v1(source=CLIENT, kind='TCP4', destination=SERVICE):
    return f'PROXY {kind} {source} {destination} 40000 25\r\n'.encode()


def v2(source=CLIENT, tlvs=b'', command=0x21):
    family = socket.AF_INET6 if ':' in source else socket.AF_INET
    there = '2001:db8::25' if ':' in source else SERVICE
    body = (socket.inet_pton(family, source) + socket.inet_pton(family, there) +
            (40000).to_bytes(2, 'big') + (25).to_bytes(2, 'big') + tlvs)
    return (b'\r\n\r\n\0\r\nQUIT\n' + bytes([command, 0x21 if ':' in source else 0x11]) +
            len(body).to_bytes(2, 'big') + body)


@pytest.fixture(scope='module')
def proxied():
    with Server(accounts=[f'user{n}@{DOMAIN}' for n in range(20)], env=TRUSTED) as server:
        yield server


def send(server, user, proxy):
    with Wire(server, 'smtp', proxy=proxy) as wire:
        wire.ehlo()
        wire.mail('a@example.org', user)
        wire.expect('DATA', 354)
        wire.send(message('proxied'))
        wire.expect('.', 250)
        wire.cmd('QUIT')


@pytest.mark.parametrize('number, header, address', [
    (1, v1(), CLIENT),
    (2, v1('2001:db8::7', 'TCP6', '2001:db8::25'), 'IPv6:2001:db8::7'),
    (3, v2(), CLIENT),
    (4, v2('2001:db8::7'), 'IPv6:2001:db8::7'),
    (5, v2(tlvs=b'\x05\0\x04abcd\x20\0\x05\x01\0\0\0\0'), CLIENT),
    (6, v2('::ffff:192.0.2.7'), CLIENT),
    (7, b'PROXY UNKNOWN\r\n', '127.0.0.1'),
    (8, v2(command=0x20), '127.0.0.1')])
def test_received_and_log_name_the_client(proxied, number, header, address):
    user = f'user{number}@{DOMAIN}'
    send(proxied, user, header)
    proxied.wait_stored(user)
    assert f'[{address}]' in fetch_all(proxied, user)[0].decode()
    assert f'connect from unknown[{address.removeprefix("IPv6:")}]' in proxied.log()


@pytest.mark.parametrize('service', sorted(PORTS))
def test_every_service_is_served(proxied, service):
    with Wire(proxied, service, proxy=v1(), tls=service.endswith('s') and service != 'smtp',
              greet=False) as wire:
        assert wire.line()[:3] in ('220', '* O', '+OK')


def test_login_log_names_both_ends(proxied):
    with Wire(proxied, 'imaps', proxy=v2(), tls=True, greet=False) as wire:
        wire.line()
        wire.send(f'a LOGIN {USER} "{PASSWORD}"\r\n')
        while not wire.line().startswith('a OK'):
            pass
    wait_until(lambda: f'rip={CLIENT}, lip={SERVICE}' in proxied.log(), what='the login line')


def test_header_may_come_byte_by_byte(proxied):
    with Wire(proxied, 'smtp', proxy=b'', greet=False) as wire:
        for byte in v2():
            wire.send(bytes([byte]))
            time.sleep(0.002)
        assert wire.reply().code == 220


def test_bytes_behind_the_header_are_the_clients(proxied):
    with Wire(proxied, 'imap', proxy=v1() + b'a NOOP\r\nb LOGOUT\r\n', greet=False) as wire:
        assert wire.line().startswith('* OK')
        assert wire.line().startswith('a OK')


def is_dropped(wire):
    try:
        return wire.line() == ''
    except ConnectionResetError:    # something of ours was not read
        return True


@pytest.mark.parametrize('bytes_', [
    b'EHLO client.example.org\r\n', b'\x16\x03\x01\x02\x00\x01', b'PROXY TCP4 nonsense\r\n',
    b'\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff', b'\0'])
def test_connection_without_a_header_is_dropped(proxied, bytes_):
    before = proxied.log().count('refused a connection for proxies')
    with Wire(proxied, 'smtp', proxy=bytes_, greet=False) as wire:
        assert is_dropped(wire)
    wait_until(lambda: proxied.log().count('refused a connection for proxies') > before,
               what='a line in the log')


@pytest.mark.parametrize('service', sorted(PORTS))
def test_connection_from_elsewhere_is_dropped_on_every_port(proxied, service):
    with Wire(proxied, service, proxy=v1(), greet=False, source='127.0.0.2') as wire:
        assert is_dropped(wire)
    wait_until(lambda: f'{service}: refused a connection for proxies from 127.0.0.2: not in '
               'POSTHORN_PROXY_TRUSTED_NETWORKS' in proxied.log(), what='a line in the log')


def test_plain_ports_know_no_header(proxied):
    with Wire(proxied, 'smtp') as wire:
        wire.send(v1())
        assert wire.reply().code >= 500


def test_connections_are_counted_by_client(make_server):
    server = make_server(env={**TRUSTED, 'POSTHORN_CONNECTIONS_PER_ADDRESS': '2',
                              'POSTHORN_WORKERS': '1'})
    held = [Wire(server, 'smtp', proxy=v1()) for _ in range(2)]
    assert [w.greeting.code for w in held] == [220, 220]
    with Wire(server, 'smtp', proxy=v1()) as wire:
        assert wire.greeting.code == 421
    with Wire(server, 'smtp', proxy=v1('192.0.2.8')) as wire:
        assert wire.greeting.code == 220
    for wire in held:
        wire.close()


def failed_login(server, client):
    """How long a wrong password takes."""
    with Wire(server, 'imaps', proxy=v1(client), tls=True, greet=False) as wire:
        wire.line()
        before = time.monotonic()
        wire.send(f'a LOGIN {USER} wrong\r\n')
        assert wire.line().startswith('a NO')
        return time.monotonic() - before


def test_who_guesses_passwords_is_slowed_down_and_not_his_proxy(make_server):
    server = make_server(env={**TRUSTED, 'POSTHORN_AUTH_DELAY': '0'})
    times = [failed_login(server, CLIENT) for _ in range(11)]
    assert max(times[:10]) < 1.5 * SLOW and times[10] >= 2
    assert failed_login(server, '192.0.2.8') < 1.5 * SLOW


def test_untrusted_proxies_are_a_mistake_in_the_settings(make_server):
    server = make_server(start=False, env={'POSTHORN_PROXY_PROTOCOL': '1'})
    server.start(wait=False)
    assert server.process.wait(TIMEOUT) != 0
    assert 'POSTHORN_PROXY_TRUSTED_NETWORKS' in server.output()
    server.process = None


# Real proxies

HAPROXY = '''
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
listen smtp
    bind 127.0.0.1:{front}
    server posthorn 127.0.0.1:{smtp} {option}
listen imaps
    bind 127.0.0.1:{front2}
    server posthorn 127.0.0.1:{imaps} {option}
'''

NGINX = '''
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
pid {root}/nginx.pid;
error_log {root}/nginx.log;
events {{}}
stream {{
    proxy_protocol on;
    server {{ listen 127.0.0.1:{front}; proxy_pass 127.0.0.1:{smtp}; }}
    server {{ listen 127.0.0.1:{front2}; proxy_pass 127.0.0.1:{imaps}; }}
}}
'''


def free_ports(count):
    held = [socket.create_server(('127.0.0.1', 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def listens(port):
    try:
        socket.create_connection(('127.0.0.1', port), 1).close()
        return True
    except OSError:
        return False


@pytest.fixture(params=['haproxy v1', 'haproxy v2', 'nginx v1'])
def real_proxy(request, proxied, tmp_path):
    """(port for SMTP, port for IMAPS) of a running proxy."""
    program, version = request.param.split()
    if not shutil.which(program):
        pytest.skip(f'no {program} here')
    front, front2 = free_ports(2)
    config = tmp_path / 'proxy.conf'
    text = HAPROXY if program == 'haproxy' else NGINX
    config.write_text(text.format(
        root=tmp_path, front=front, front2=front2, smtp=proxied.port('smtp', proxied=True),
        imaps=proxied.port('imaps', proxied=True),
        option='send-proxy' if version == 'v1' else 'send-proxy-v2 proxy-v2-options crc32c'))
    command = ([program, '-f', config] if program == 'haproxy' else
               [program, '-c', config, '-p', tmp_path, '-e', tmp_path / 'nginx.log'])
    with open(tmp_path / 'output', 'wb') as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        wait_until(lambda: listens(front) and listens(front2), what=f'{program}')
        yield front, front2
    finally:
        process.terminate()
        process.wait(TIMEOUT)


def test_client_behind_a_real_proxy_is_seen(proxied, real_proxy):
    smtp, imaps = real_proxy
    before = proxied.log().count('connect from unknown[127.0.0.9]')
    with Wire(proxied, 'smtp', port=smtp, source='127.0.0.9') as wire:
        wire.ehlo()
        wire.mail('a@example.org', USER)
        wire.expect('DATA', 354)
        wire.send(message('through a proxy'))
        wire.expect('.', 250)
    assert proxied.log().count('connect from unknown[127.0.0.9]') > before
    proxied.wait_stored(USER)
    assert '(unknown [127.0.0.9])' in fetch_all(proxied, USER)[-1].decode()

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(('127.0.0.1', imaps), TIMEOUT, ('127.0.0.9', 0)) as raw, \
            context.wrap_socket(raw, server_hostname=HOSTNAME) as tls:
        assert tls.recv(100).startswith(b'* OK')
        tls.sendall(f'a LOGIN {USER} "{PASSWORD}"\r\n'.encode())
        received = b''
        while b'a OK' not in received:
            received += tls.recv(1000)
    wait_until(lambda: 'rip=127.0.0.9, lip=127.0.0.1' in proxied.log(), what='the login line')
