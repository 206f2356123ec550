"""setup config dkim: keys in the layouts of OpenDKIM and of Rspamd."""
import base64
import re
import stat

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519


@pytest.fixture
def domains(setup):
    setup.write('postfix-accounts.cf', '# c@nowhere.example|x\na@one.example|x\nb@one.example|x\n')
    setup.write('postfix-virtual.cf', 'x@Two.example a@one.example\n  continued@three.example\n')
    return setup


def private(path):
    return serialization.load_pem_private_key(path.read_bytes(), None)


def public_of(text):
    """What the strings of a record's zone lines say the key is."""
    joined = ''.join(re.findall(r'"([^"]*)"', text))
    assert all(len(part) <= 255 for part in re.findall(r'"([^"]*)"', text))
    return re.fullmatch(r'v=DKIM1; (?:h=sha256; )?k=(\w+); p=(\S+)', joined).groups()


def test_keys_for_all_domains(domains):
    result = domains.ok('config', 'dkim')
    assert result.out == ''
    base = domains.config / 'opendkim'
    assert sorted(p.name for p in base.iterdir()) == \
        ['KeyTable', 'SigningTable', 'TrustedHosts', 'keys']
    assert sorted(p.name for p in (base / 'keys').iterdir()) == ['one.example', 'two.example']
    assert (base / 'KeyTable').read_text() == ''.join(
        f'mail._domainkey.{d} {d}:mail:/etc/opendkim/keys/{d}/mail.private\n'
        for d in ('one.example', 'two.example'))
    assert (base / 'SigningTable').read_text() == ''.join(
        f'*@{d} mail._domainkey.{d}\n' for d in ('one.example', 'two.example'))
    assert (base / 'TrustedHosts').read_text() == '127.0.0.1\nlocalhost\n'
    file = base / 'keys/one.example/mail.private'
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    key = private(file)
    assert key.key_size == 2048
    text = file.with_suffix('.txt').read_text()
    assert text.startswith('mail._domainkey\tIN\tTXT\t( "v=DKIM1; h=sha256; k=rsa; "\n\t  "p=')
    assert text.endswith('" )  ; ----- DKIM key mail for one.example\n')
    kind, public = public_of(text)
    assert kind == 'rsa' and base64.b64decode(public) == key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert any(t.startswith('The TXT record of mail._domainkey.one.example must be: v=DKIM1;')
               for t in result.texts)


def test_existing_keys_stay_and_lines_are_not_repeated(domains):
    domains.ok('config', 'dkim', 'domain', 'one.example')
    base = domains.config / 'opendkim'
    before = {p: p.read_text() for p in base.rglob('*') if p.is_file()}
    assert domains.ok('config', 'dkim', 'domain', 'one.example').err == ''
    assert {p: p.read_text() for p in base.rglob('*') if p.is_file()} == before
    domains.ok('config', 'dkim', 'domain', 'one.example', 'selector', 'next')
    assert len((base / 'KeyTable').read_text().splitlines()) == 2


@pytest.mark.parametrize('size', ['1024', '4096'])
def test_sizes(domains, size):
    domains.ok('config', 'dkim', 'keysize', size, 'selector', 's1', 'domain', 'X.example')
    assert private(domains.config / 'opendkim/keys/x.example/s1.private').key_size == int(size)


def test_ed25519(domains):
    domains.ok('config', 'dkim', 'keytype', 'ed25519', 'domain', 'one.example')
    file = domains.config / 'opendkim/keys/one.example/mail.private'
    key = private(file)
    assert isinstance(key, ed25519.Ed25519PrivateKey)
    assert public_of(file.with_suffix('.txt').read_text()) == \
        ('ed25519', base64.b64encode(key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw)).decode())


def test_nothing_to_do(setup):
    assert setup.ok('config', 'dkim').texts == ['No entries found, no keys to make']


@pytest.mark.parametrize('args,text', [
    (['foo', 'bar'], 'Unknown option(s) foo'), (['keysize'], 'Unknown option(s) keysize'),
    (['keysize', '512'], "Unknown keysize '512'"), (['keysize', 'x'], "Unknown keysize 'x'")])
def test_wrong_options(domains, args, text):
    domains.fail(text, 'config', 'dkim', *args, usage=True)
    assert 'opendkim' not in domains.files()


@pytest.mark.parametrize('args,text', [
    (['domain', '../../x'], "'../../x' is not a domain"),
    (['domain', 'a.example,'], None),
    (['selector', '../x'], "'../x' cannot be a selector"),
    (['keytype', 'foobar'], "Unknown keytype 'foobar'"),
    (['keytype', 'ed25519', 'keysize', '4096'],
     "Chosen keytype does not accept the 'keysize' argument")])
def test_names_stay_inside_their_directory(domains, args, text):
    if text:
        domains.fail(text, 'config', 'dkim', *args)
    else:
        domains.ok('config', 'dkim', *args)


@pytest.fixture
def rspamd(domains):
    domains.env.update(ENABLE_RSPAMD='1', ENABLE_OPENDKIM='0', OVERRIDE_HOSTNAME='mail.one.example')
    return domains


def test_rspamd_has_its_own_layout(rspamd):
    result = rspamd.ok('config', 'dkim')
    base = rspamd.config / 'rspamd'
    name = 'rsa-2048-mail-one.example'
    assert sorted(p.name for p in (base / 'dkim').iterdir()) == \
        [f'{name}.{end}' for end in ('private.txt', 'public.dns.txt', 'public.txt')]
    key = private(base / f'dkim/{name}.private.txt')
    record = (base / f'dkim/{name}.public.dns.txt').read_text()
    assert re.fullmatch(r'v=DKIM1; k=rsa; p=\S+', record)
    assert key.key_size == 2048 and result.out == record + '\n'
    conf = (base / 'override.d/dkim_signing.conf').read_text()
    assert f'path = "/tmp/docker-mailserver/rspamd/dkim/{name}.private.txt";' in conf
    assert 'one.example {' in conf and 'selector = "mail";' in conf
    assert result.texts[0] == ('Here is the content of the TXT DNS record '
                               'mail._domainkey.one.example that you need to create:')
    assert result.texts[-1] == 'Finished DKIM key creation'
    assert 'opendkim' not in rspamd.files()


def test_rspamd_overwrites_only_by_force(rspamd):
    args = ['config', 'dkim', 'keytype', 'ed25519', 'domain', 'two.example', 'selector', 's']
    rspamd.ok(*args)
    file = rspamd.config / 'rspamd/dkim/ed25519-s-two.example.private.txt'
    before = file.read_text()
    assert len(base64.b64decode(before)) == 32
    rspamd.fail("Not overwriting existing files (use '--force' to overwrite existing files)", *args)
    assert file.read_text() == before
    result = rspamd.ok(*args, '--force', '-v')
    assert file.read_text() != before
    assert "Domain set to 'two.example'" in result.texts
    assert any(t.endswith('exists, not supplying a default') for t in result.texts)


def test_opendkim_wins_over_rspamd(rspamd):
    rspamd.env['ENABLE_OPENDKIM'] = '1'
    result = rspamd.ok('config', 'dkim', 'domain', 'one.example')
    assert result.log[0][0] == 'WARN'
    assert 'rspamd' not in rspamd.files()


def test_help(setup):
    assert 'open-dkim - Configure DKIM (DomainKeys Identified Mail)' in \
        setup.ok('config', 'dkim', 'help').out.replace('\x1b[0m', '')
