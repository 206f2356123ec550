"""Certificates and TLSA records for servers of tests, made with the openssl program."""
import hashlib
import ssl
import subprocess


def _openssl(*args, data=None):
    return subprocess.run(['openssl', *args], input=data, capture_output=True, check=True,
                          timeout=60).stdout


class Authority:
    """A certificate authority in a directory."""

    def __init__(self, directory, name='Test Authority'):
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.file, self._key = directory / 'ca.pem', directory / 'ca.key'
        self._count = 0
        _openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                 '-keyout', str(self._key), '-out', str(self.file), '-days', '30',
                 '-subj', f'/CN={name}', '-addext', 'basicConstraints=critical,CA:TRUE',
                 '-addext', 'keyUsage=critical,keyCertSign')

    def issue(self, *names, days=30, self_signed=False):
        """A certificate for these names: Certificate."""
        self._count += 1
        key = self.directory / f'{self._count}.key'
        cert = self.directory / f'{self._count}.pem'
        kind = ','.join(f'IP:{n}' if n[0].isdigit() or ':' in n else f'DNS:{n}' for n in names)
        signed_by = [] if self_signed else ['-CA', str(self.file), '-CAkey', str(self._key)]
        _openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                 '-keyout', str(key), '-out', str(cert), '-days', str(days),
                 '-subj', f'/CN={names[0][:60]}', '-addext', f'subjectAltName={kind}',
                 '-addext', 'basicConstraints=critical,CA:FALSE', *signed_by)
        return Certificate(cert, key, self.file)


class Certificate:
    """A certificate with its key."""

    def __init__(self, file, key, authority):
        self.file, self.key, self.authority = file, key, authority

    def context(self, chain=False):
        """For a server. `chain` shows the authority's certificate too, as DANE-TA needs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        file = self.file
        if chain:
            file = self.file.with_suffix('.chain')
            file.write_bytes(self.file.read_bytes() + self.authority.read_bytes())
        context.load_cert_chain(file, self.key)
        return context

    def tlsa(self, usage=3, selector=1, matching=1, wrong=False):
        """The data of a TLSA record, as in a zone file."""
        source = self.authority if usage == 2 else self.file
        data = ssl.PEM_cert_to_DER_cert(source.read_text())
        if selector == 1:
            public = _openssl('x509', '-in', str(source), '-noout', '-pubkey')
            data = _openssl('pkey', '-pubin', '-outform', 'DER', data=public)
        if wrong:
            data += b'x'
        text = {0: data.hex(), 1: hashlib.sha256(data).hexdigest(),
                2: hashlib.sha512(data).hexdigest()}.get(matching, 'abcd')
        return f'{usage} {selector} {matching} {text}'
