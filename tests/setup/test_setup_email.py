"""setup email add, update, del, list."""
import os
import re
import subprocess

import pytest

HASH = re.compile(r'^\{SHA512-CRYPT\}(\$6\$[./0-9A-Za-z]{16})\$[./0-9A-Za-z]{86}$')
PASSWORDS = ['simple', 'with blank', ' leading and trailing ', 'back\\slash', '`date`', 'a^b*c.d',
             '$HOME', "quote'\"", 'ümläut', '-y']


def verifies(stored, password):
    """Asks the system's Perl, whose crypt is the C library's."""
    hashed = stored.removeprefix('{SHA512-CRYPT}')
    out = subprocess.run(['perl', '-e', 'print crypt($ARGV[0], $ARGV[1])', '--', password, hashed],
                         stdout=subprocess.PIPE, check=True)
    return out.stdout.decode() == hashed


def hashes(setup, name='postfix-accounts.cf'):
    return dict(line.split('|')[:2] for line in setup.read(name).splitlines())


@pytest.mark.parametrize('password', PASSWORDS)
def test_add_stores_a_salted_hash_of_any_password(setup, password):
    result = setup.ok('email', 'add', 'a@b.c', password)
    assert (result.out, result.err) == ('', '')
    stored = hashes(setup)['a@b.c']
    assert HASH.match(stored)
    assert verifies(stored, password)


def test_add_joins_words_of_a_password(setup):
    setup.ok('email', 'add', 'a@b.c', 'two', 'words')
    assert verifies(hashes(setup)['a@b.c'], 'two words')


def test_add_creates_the_volume_and_one_file(setup):
    setup.ok('email', 'add', 'a@b.c', 'x')
    assert setup.files() == ['postfix-accounts.cf']
    assert (setup.config / 'postfix-accounts.cf').stat().st_mode & 0o777 == 0o644


def test_add_asks_twice_without_echo(setup):
    code, shown = setup.talk(['email', 'add', 'a@b.c'],
                             [('Enter Password: ', 's3cret'), ('Confirm Password: ', 's3cret')])
    assert code == 0
    assert 's3cret' not in shown
    assert verifies(hashes(setup)['a@b.c'], 's3cret')


def test_add_reads_the_password_from_a_pipe(setup):
    setup.ok('email', 'add', 'a@b.c', answers='back\\slash\nback\\slash\n')
    assert verifies(hashes(setup)['a@b.c'], 'back\\slash')


def test_add_refuses_an_empty_password(setup):
    setup.fail('Password must not be empty', 'email', 'add', 'a@b.c', answers='\n\n')
    setup.fail('Password must not be empty', 'email', 'add', 'a@b.c', '')
    assert not setup.config.exists()


def test_add_refuses_different_passwords(setup):
    setup.fail('Passwords do not match!', 'email', 'add', 'a@b.c', answers='x\ny\n')


def test_add_needs_a_domain(setup):
    setup.fail("'user_without_domain' should include the domain (eg: user@example.com)",
               'email', 'add', 'user_without_domain', 'x', usage=True)


@pytest.mark.parametrize('name', ['a|b@c.d', 'a b@c.d', '../x@c.d', 'a@b@c', '@b.c', 'a@', '#a@b.c',
                                  'a@b.c\nroot@b.c', 'a/b@c.d', 'a@..'])
def test_add_refuses_names_that_would_break_the_file_or_the_store(setup, name):
    result = setup.run('email', 'add', name, 'x')
    assert result.code == 1
    assert 'is not a valid name' in result.err
    assert not setup.config.exists()


def test_add_lowers_case(setup):
    setup.ok('email', 'add', 'USeRx@Domain.TLD', 'x')
    assert list(hashes(setup)) == ['userx@domain.tld']


def test_add_refuses_what_exists_before_it_asks(setup):
    setup.write('postfix-accounts.cf', 'A@b.c|x\n')
    setup.fail("'a@b.c' already exists", 'email', 'add', 'a@b.c')


def test_add_refuses_an_alias_but_not_what_merely_looks_like_one(setup):
    setup.write('postfix-virtual.cf', 'info@b.c a@b.c\n')
    setup.fail("'info@b.c' is already defined as an alias", 'email', 'add', 'info@b.c', 'x')
    setup.ok('email', 'add', 'info@b.co', 'x')
    setup.ok('email', 'add', 'nfo@b.c', 'x')


def test_add_keeps_every_other_byte_of_the_file(setup):
    setup.write('postfix-accounts.cf', '# people\r\n\r\nz@b.c|x|y=1\r\n  # odd\nlast@b.c|x')
    setup.ok('email', 'add', 'a@b.c', 'x')
    text = setup.read('postfix-accounts.cf')
    assert text.startswith('# people\r\n\r\nz@b.c|x|y=1\r\n  # odd\nlast@b.c|x\n'
                           'a@b.c|{SHA512-CRYPT}')
    assert text.endswith('\n')


def test_add_keeps_mode_of_the_file(setup):
    setup.write('postfix-accounts.cf', '')
    os.chmod(setup.config / 'postfix-accounts.cf', 0o600)
    setup.ok('email', 'add', 'a@b.c', 'x')
    assert (setup.config / 'postfix-accounts.cf').stat().st_mode & 0o777 == 0o600


def test_update_changes_the_hash_and_nothing_else(setup):
    setup.write('postfix-accounts.cf', '# c\nA@b.c|old|userdb_quota_rule=*:bytes=1M|z\nza@b.c|x\n')
    result = setup.ok('email', 'update', 'a@b.c', 'new')
    assert (result.out, result.err) == ('', '')
    lines = setup.read('postfix-accounts.cf').splitlines()
    assert lines[0] == '# c' and lines[2] == 'za@b.c|x'
    name, stored, extra = lines[1].split('|', 2)
    assert (name, extra) == ('A@b.c', 'userdb_quota_rule=*:bytes=1M|z')
    assert verifies(stored, 'new')


def test_update_asks(setup):
    setup.ok('email', 'add', 'a@b.c', 'old')
    code, _ = setup.talk(['email', 'update', 'a@b.c'],
                         [('Enter Password: ', 'new'), ('Confirm Password: ', 'new')])
    assert code == 0
    assert verifies(hashes(setup)['a@b.c'], 'new')


def test_update_needs_an_account(setup):
    setup.fail("'a@b.c' does not exist", 'email', 'update', 'a@b.c', 'x')
    setup.fail("'a' should include the domain (eg: user@example.com)", 'email', 'update', 'a', 'x',
               usage=True)


def prepare_deletion(setup):
    setup.write('postfix-accounts.cf', 'user3@b.c|x\nauser3@b.c|x\na.ser3@b.c|x\nuser3@b.co|x\n')
    setup.write('postfix-virtual.cf', '# aliases\n'
                                      'only@b.c user3@b.c\n'
                                      'both@b.c USER3@b.c,auser3@b.c\n'
                                      'long@b.c auser3@b.c,\n'
                                      '  # why\n'
                                      '  user3@b.c\n'
                                      'other@b.c auser3@b.c, a.ser3@b.c\n')
    setup.write('dovecot-quotas.cf', 'user3@b.c:1M\nauser3@b.c:2M\n')
    setup.message('user3@b.c', 'cur', '1.M1P1.host,S=10,W=10:2,S', 10)
    setup.message('auser3@b.c', 'cur', '1.M1P1.host,S=10,W=10:2,S', 10)


def test_del_removes_account_aliases_and_quota_of_exactly_this_user(setup):
    prepare_deletion(setup)
    result = setup.ok('email', 'del', '-y', 'user3@b.c')
    assert result.log == [
        ('INFO', 'delmailuser', "'user3@b.c' and associated data (aliases, quotas) deleted")]
    assert setup.read('postfix-accounts.cf') == 'auser3@b.c|x\na.ser3@b.c|x\nuser3@b.co|x\n'
    assert setup.read('postfix-virtual.cf') == ('# aliases\n'
                                                'both@b.c auser3@b.c\n'
                                                'long@b.c auser3@b.c\n'
                                                'other@b.c auser3@b.c, a.ser3@b.c\n')
    assert setup.read('dovecot-quotas.cf') == 'auser3@b.c:2M\n'
    assert not (setup.mail / 'b.c/user3').exists()
    assert (setup.mail / 'b.c/auser3/cur').exists()


def test_del_removes_the_domain_with_its_last_mailbox(setup):
    setup.write('postfix-accounts.cf', 'a@b.c|x\n')
    setup.message('a@b.c', '.Sent/cur', '1', 5)
    setup.ok('email', 'del', '-Y', 'A@b.c')
    assert list(setup.mail.iterdir()) == []


@pytest.mark.parametrize('option', ['-n', '-N'])
def test_del_keeps_the_mail_when_told(setup, option):
    prepare_deletion(setup)
    setup.ok('email', 'del', option, 'user3@b.c')
    assert (setup.mail / 'b.c/user3/cur').exists()


@pytest.mark.parametrize('answer,kept', [('y\n', False), ('Y\n', False), ('n\n', True),
                                         ('\n', True), ('yes\n', True), ('', True)])
def test_del_asks_about_the_mail(setup, answer, kept):
    prepare_deletion(setup)
    setup.ok('email', 'del', 'user3@b.c', answers=answer)
    assert (setup.mail / 'b.c/user3').exists() == kept


def test_del_shows_its_question_on_a_terminal(setup):
    prepare_deletion(setup)
    code, _ = setup.talk(['email', 'del', 'user3@b.c', 'auser3@b.c'], [
        ('Do you want to delete the mailbox data as well (removing all mails)? [y/N] ', 'y')])
    assert code == 0
    assert setup.read('postfix-accounts.cf') == 'a.ser3@b.c|x\nuser3@b.co|x\n'


def test_del_of_nobody_fails(setup):
    prepare_deletion(setup)
    before = setup.read('postfix-accounts.cf')
    setup.fail("'nobody@b.c' does not exist", 'email', 'del', '-y', 'nobody@b.c')
    assert setup.read('postfix-accounts.cf') == before


def test_del_without_accounts_is_silent(setup):
    assert setup.ok('email', 'del', '-y', 'a@b.c').err == ''
    setup.write('postfix-accounts.cf', '')
    assert setup.ok('email', 'del', 'a@b.c').err == ''


def test_del_of_an_account_that_never_had_mail_warns(setup):
    setup.write('postfix-accounts.cf', 'a@b.c|x\n')
    result = setup.ok('email', 'del', '-y', 'a@b.c')
    assert result.log[0] == ('WARN', 'delmailuser',
                             f"Mailbox data directory '{setup.mail}/b.c/a' does not exist")
    assert setup.read('postfix-accounts.cf') == ''


def test_del_does_not_follow_links_out_of_the_mailbox(setup):
    setup.write('postfix-accounts.cf', 'a@b.c|x\n')
    outside = setup.root / 'outside'
    outside.mkdir()
    (outside / 'precious').write_text('x')
    setup.message('a@b.c', 'cur', '1', 1)
    (setup.mail / 'b.c/a/link').symlink_to(outside)
    setup.ok('email', 'del', '-y', 'a@b.c')
    assert (outside / 'precious').exists()


def test_del_refuses_unknown_options(setup):
    setup.fail("The option '?' is unknown", 'email', 'del', '-x', 'a@b.c', usage=True)


def test_list_of_a_plain_account(setup):
    setup.write('postfix-accounts.cf', '# c\nuser1@localhost.localdomain|x\n')
    assert setup.ok('email', 'list').out == '* user1@localhost.localdomain ( 0 / ~ ) [0%]\n\n'
    setup.env['ENABLE_QUOTAS'] = '0'
    assert setup.ok('email', 'list').out == '* user1@localhost.localdomain\n\n'


def test_list_shows_usage_limit_and_aliases(setup):
    setup.write('postfix-accounts.cf', 'alice@example.org|x\nbob@example.org|x\n')
    setup.write('dovecot-quotas.cf', 'alice@example.org:5G\n')
    setup.write('postfix-virtual.cf', 'info@example.org Alice@example.org\n'
                                      'team@example.org bob@example.org,alice@example.org\n'
                                      'no@example.org malice@example.org\n')
    setup.message('alice@example.org', 'cur', '1.M1P1.host,S=1048576,W=1100000:2,S')
    setup.message('alice@example.org', 'new', '2.M1P1.host,S=100000,W=110000')
    setup.message('alice@example.org', '.Trash/cur', '3.M1P1.host,S=1024,W=1100:2,')
    setup.message('alice@example.org', 'tmp', '4.M1P1.host,S=999999999')
    setup.message('bob@example.org', 'cur', 'noname', 2048)
    assert setup.ok('email', 'list').out == (
        '* alice@example.org ( 1.1M / 5.0G ) [0%]\n'
        '    [ aliases -> info@example.org, team@example.org ]\n\n'
        '* bob@example.org ( 2.0K / ~ ) [0%]\n'
        '    [ aliases -> team@example.org ]\n\n')


def test_list_uses_the_default_quota(setup):
    setup.env['POSTFIX_MAILBOX_SIZE_LIMIT'] = '4096000'
    setup.write('postfix-accounts.cf', 'a@b.c|x\n')
    setup.message('a@b.c', 'cur', '1.host,S=2097152:2,S')
    assert setup.ok('email', 'list').out == '* a@b.c ( 2.0M / 4.0M ) [50%]\n\n'


def test_list_needs_a_file_with_accounts(setup):
    path = setup.config / 'postfix-accounts.cf'
    setup.fail(f"'{path}' does not exist", 'email', 'list')
    setup.write('postfix-accounts.cf', '')
    setup.fail(f"'{path}' is empty, nothing to list", 'email', 'list')


def test_list_is_for_accounts_in_files(setup):
    setup.env['ACCOUNT_PROVISIONER'] = 'LDAP'
    setup.fail("This command is only compatible with 'ACCOUNT_PROVISIONER=FILE'", 'email', 'list')


def test_master_accounts(setup):
    path = setup.config / 'dovecot-masters.cf'
    setup.fail(f"'{path}' does not exist", 'dovecot-master', 'list')
    setup.ok('dovecot-master', 'add', 'admin', 'x')
    setup.ok('dovecot-master', 'add', 'second', 'x')
    setup.fail("'admin' already exists", 'dovecot-master', 'add', 'admin', 'x')
    setup.fail("'a*b' is not a valid name", 'dovecot-master', 'add', 'a*b', 'x', usage=True)
    assert setup.ok('dovecot-master', 'list').out == '* admin\n\n* second\n\n'
    setup.ok('dovecot-master', 'update', 'admin', 'y')
    assert verifies(hashes(setup, 'dovecot-masters.cf')['admin'], 'y')
    setup.fail("'nobody' does not exist", 'dovecot-master', 'update', 'nobody', 'y')
    setup.fail("'nobody' does not exist", 'dovecot-master', 'del', 'nobody')
    setup.ok('dovecot-master', 'del', 'admin', 'second')
    setup.fail(f"'{path}' is empty, nothing to list", 'dovecot-master', 'list')
