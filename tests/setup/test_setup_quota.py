"""setup quota set, del."""
import pytest

FORMAT = ('Invalid quota format. e.g. 302M (B (byte), k (kibibyte), M (mebibyte), G (gibibyte) or '
          'T (tebibyte))')


@pytest.fixture
def account(setup):
    setup.write('postfix-accounts.cf', 'user@b.c|x\nxuser@b.c|x\n')
    return setup


@pytest.mark.parametrize('quota', ['10B', '10k', '10M', '10G', '10T', '0'])
def test_set_accepts(account, quota):
    result = account.ok('quota', 'set', 'User@b.c', quota)
    assert (result.out, result.err) == ('', '')
    assert account.read('dovecot-quotas.cf') == f'user@b.c:{quota}\n'


@pytest.mark.parametrize('quota', ['123', 'M', '-60M', '26GIGOTS', '10K', '10m', ' 1M', '1M\nx:1M'])
def test_set_refuses(account, quota):
    account.fail(FORMAT, 'quota', 'set', 'user@b.c', quota, usage=True)
    assert 'dovecot-quotas.cf' not in account.files()


def test_set_replaces_the_line_of_exactly_this_user(account):
    account.write('dovecot-quotas.cf', '# c\nxuser@b.c:1M\nUSER@b.c:2M\nuser@b.co:3M')
    account.ok('quota', 'set', 'user@b.c', '5M')
    assert account.read('dovecot-quotas.cf') == '# c\nxuser@b.c:1M\nuser@b.co:3M\nuser@b.c:5M\n'


def test_set_asks(account):
    account.ok('quota', 'set', 'user@b.c', answers='7M\n')
    assert account.read('dovecot-quotas.cf') == 'user@b.c:7M\n'
    account.fail('Quota must not be empty (use 0 for unlimited quota)', 'quota', 'set', 'user@b.c',
                 answers='\n')
    code, _ = account.talk(['quota', 'set', 'user@b.c'], [('Enter quota (e.g. 10M): ', '8M')])
    assert code == 0
    assert account.read('dovecot-quotas.cf') == 'user@b.c:8M\n'


def test_both_need_an_account(account):
    for command in ('set', 'del'):
        account.fail("'nobody@b.c' does not exist", 'quota', command, 'nobody@b.c', *['1M'])
        account.fail("'user' should include the domain (eg: user@example.com)", 'quota', command,
                     'user', usage=True)


def test_del_removes_and_may_be_repeated(account):
    account.write('dovecot-quotas.cf', 'xuser@b.c:1M\nuser@b.c:2M\n')
    account.ok('quota', 'del', 'user@b.c')
    account.ok('quota', 'del', 'user@b.c')
    assert account.read('dovecot-quotas.cf') == 'xuser@b.c:1M\n'
