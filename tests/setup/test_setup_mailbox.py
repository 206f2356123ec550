"""setup mailbox ..., quota recount."""
import mailbox
import re
import subprocess
import tarfile

import pytest

USER = 'user@b.c'
TEXT = 'From: a@b.c\nSubject: {}\n\nFirst line.\nFrom here on\n>From there\n\nlast\n'


class Account:
    def __init__(self, setup):
        self.setup = setup
        self.root = setup.mail / 'b.c/user'

    def put(self, folder, name, subject='x', text=TEXT):
        for part in ('cur', 'new', 'tmp'):
            (self.root / folder / part).mkdir(parents=True, exist_ok=True)
        data = text.format(subject).encode()
        path = self.root / folder / 'cur' / name.format(S=len(data),
                                                        W=len(data) + data.count(b'\n'))
        path.write_bytes(data)
        return path

    def files(self, folder=''):
        return sorted(p for d in ('new', 'cur') for p in (self.root / folder / d).iterdir())


@pytest.fixture
def account(setup):
    a = Account(setup)
    a.put('', '1700000000.M1P1.h,S={S},W={W}:2,S', 'one')
    a.put('', '1700000001.M2P1.h,S={S},W={W}:2,FRa', 'two')
    (a.root / 'dovecot-keywords').write_text('0 $Label1\n')
    a.put('.Arch&AOk-.Sub', '1700000002.M3P1.h,S={S},W={W}:2,', 'three')
    return a


def test_list_shows_every_mailbox(setup, account):
    lines = setup.ok('mailbox', 'list', 'User@b.c').out.splitlines()
    assert lines[0].split() == ['messages', 'unseen', 'size', 'use', 'sub', 'mailbox']
    assert lines[1].split() == ['2', '1', '154', 'INBOX']
    assert lines[2].split() == ['1', '1', '79', 'Arché.Sub']


def test_status_shows_one_mailbox(setup, account):
    out = setup.ok('mailbox', 'status', USER, 'INBOX').out
    assert re.search(r'messages +2 \(1 unseen, 0 deleted\)', out)
    assert re.search(r'uidnext +3\n', out)
    assert 'Arch' not in out


@pytest.mark.parametrize('command', ['list', 'status', 'check', 'reindex'])
def test_an_account_without_mail_is_told(setup, command):
    setup.fail(f"'no@b.c' has no mail here ({setup.mail}/b.c/no does not exist)", 'mailbox',
               command, 'no@b.c')
    setup.fail("'..@b.c' cannot be the name of an account", 'mailbox', command, '..@b.c')
    setup.fail("'user' should include the domain (eg: user@example.com)", 'mailbox', command,
               'user', usage=True)


def test_an_unknown_mailbox_is_told(setup, account):
    setup.fail("'Nope' of 'user@b.c': no such mailbox", 'mailbox', 'check', USER, 'Nope')


def test_check_finds_nothing_in_good_mail(setup, account):
    assert setup.ok('mailbox', 'check', USER).out == ('INBOX: 2 messages, all well\n'
                                                      'Arché.Sub: 1 messages, all well\n')


def test_check_tells_and_mends(setup, account):
    setup.ok('mailbox', 'check', USER)
    files = account.files()
    files[0].write_text('cut')
    uidlist = account.root / 'dovecot-uidlist'
    uidlist.write_text(uidlist.read_text().replace('\n2 ', '\ngarbage\n2 '))
    result = setup.run('mailbox', 'check', USER, 'INBOX')
    assert result.code == 1
    assert 'INBOX: 2 messages, 1 of another size than their names say\n' == result.out
    assert any('damaged lines dropped' in text for text in result.texts)
    assert any('its name says' in text for text in result.texts)
    assert 'garbage' not in uidlist.read_text()


def test_reindex_makes_the_index_again(setup, account):
    index = setup.root / 'var/mail-state/lib-posthorn/index/b.c/user'
    setup.ok('mailbox', 'check', USER)
    for file in index.glob('*.index'):
        file.write_bytes(b'nonsense')
    assert setup.ok('mailbox', 'reindex', USER).out == 'INBOX: done\nArché.Sub: done\n'
    assert setup.ok('mailbox', 'check', USER, 'INBOX').out == 'INBOX: 2 messages, all well\n'
    assert list(index.glob('*.hot'))


def test_recount_counts_the_files(setup, account):
    assert setup.ok('quota', 'recount', USER).out == 'user@b.c: 3 messages, 233\n'


def messages(account, folder):
    return [(re.search(r':2,(.*)$', p.name)[1] if ':2,' in p.name else '', p.read_text(),
             int(p.stat().st_mtime)) for p in account.files(folder)]


@pytest.mark.parametrize('name', ['all.tar', 'all'])
def test_export_and_import_bring_everything_back(setup, account, tmp_path, name):
    target = tmp_path / name
    out = setup.ok('mailbox', 'export', USER, str(target)).out
    assert out == f'3 messages of 2 mailboxes are in {target}\n'
    if name == 'all.tar':
        with tarfile.open(target) as tar:
            assert 'dovecot-keywords' in tar.getnames()
        subprocess.run(['tar', '-tf', target], check=True, capture_output=True)
    (setup.mail / 'b.c/other').mkdir(parents=True)
    other = Account(setup)
    other.root = setup.mail / 'b.c/other'
    setup.ok('mailbox', 'import', 'other@b.c', str(target))
    for folder in ('', '.Arch&AOk-.Sub'):
        assert sorted(messages(other, folder)) == sorted(messages(account, folder))
    assert '$Label1' in (other.root / 'dovecot-keywords').read_text()


def test_a_tar_of_gnu_tar_is_read(setup, account, tmp_path):
    subprocess.run(['tar', '-C', account.root, '-cf', tmp_path / 'x.tar', '.'], check=True)
    (setup.mail / 'b.c/other').mkdir(parents=True)
    out = setup.ok('mailbox', 'import', 'other@b.c', str(tmp_path / 'x.tar')).out
    assert out.startswith('3 messages of')


def test_mbox_is_what_python_reads_and_comes_back(setup, account, tmp_path):
    target = tmp_path / 'in.mbox'
    setup.fail('An mbox file holds one mailbox: name it', 'mailbox', 'export', USER, str(target),
               usage=True)
    setup.ok('mailbox', 'export', USER, str(target), 'INBOX')
    box = mailbox.mbox(target)
    assert sorted(m['Subject'] for m in box) == ['one', 'two']
    assert {frozenset(m.get_flags()) for m in box} == {frozenset('OFA'), frozenset('RO')}
    assert '>>From there' in target.read_text() and '\n>From here' in target.read_text()

    setup.ok('mailbox', 'import', USER, str(target), 'Back')
    back = messages(account, '.Back')
    assert sorted(text for _, text, _ in back) == [TEXT.format('one'), TEXT.format('two')]
    assert sorted(flags for flags, _, _ in back) == ['FRa', 'S']


def test_nothing_is_overwritten(setup, account, tmp_path):
    target = tmp_path / 'x.tar'
    target.write_text('mine')
    result = setup.run('mailbox', 'export', USER, str(target))
    assert result.code == 1 and 'File exists' in result.err
    assert target.read_text() == 'mine'


@pytest.mark.parametrize('name,text,why', [
    ('x.tar', 'x' * 600, 'is no tar archive, or cut short'),
    ('x.mbox', 'Hello\n', "is no mbox file: it does not begin with 'From '"),
    ('none', None, 'No such file or directory'),
])
def test_what_cannot_be_imported_is_told(setup, account, tmp_path, name, text, why):
    if text:
        (tmp_path / name).write_text(text)
    result = setup.run('mailbox', 'import', USER, str(tmp_path / name))
    assert result.code == 1 and why in result.err
    assert result.out.startswith('0 messages of')


def test_an_account_that_is_deleted_leaves_no_words_behind(setup, account):
    setup.write('postfix-accounts.cf', f'{USER}|x\n')
    setup.ok('mailbox', 'check', USER)
    state = setup.root / 'var/mail-state/lib-posthorn'
    text = state / 'fts/b.c/user'
    text.mkdir(parents=True)
    (text / 'x').write_text('words')
    assert list((state / 'index/b.c/user').iterdir())
    setup.ok('email', 'del', '-y', USER)
    assert not (state / 'index/b.c/user').exists() and not text.exists()
