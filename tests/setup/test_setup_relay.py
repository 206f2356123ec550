"""setup relay add-domain, add-auth, exclude-domain."""
import pytest

MAP, LOGINS = 'postfix-relaymap.cf', 'postfix-sasl-password.cf'


@pytest.mark.parametrize('args, line', [
    (['b.c', 'smtp.relay.example', '2525'], '@b.c [smtp.relay.example]:2525'),
    (['B.C', 'smtp.relay.example'], '@b.c [smtp.relay.example]:25'),
    (['@b.c', '[192.0.2.1]', '65535'], '@b.c [192.0.2.1]:65535'),
    (['b.c', '2001:db8::1', '587'], '@b.c [2001:db8::1]:587')])
def test_a_domain_gets_a_relay(setup, args, line):
    result = setup.ok('relay', 'add-domain', *args)
    assert (result.out, result.err) == ('', '')
    assert setup.read(MAP) == line + '\n'


def test_a_relay_takes_the_place_of_exactly_this_domains(setup):
    setup.write(MAP, '# c\n@xb.c [a]:1\n@B.C [a]:2\n@b.co [a]:3\nuser@b.c [a]:4\n@b.c')
    setup.ok('relay', 'add-domain', 'b.c', 'host', '5')
    assert setup.read(MAP) == '# c\n@xb.c [a]:1\n@b.co [a]:3\nuser@b.c [a]:4\n@b.c [host]:5\n'
    setup.ok('relay', 'exclude-domain', 'B.c')
    setup.ok('relay', 'exclude-domain', 'b.c')
    assert setup.read(MAP) == '# c\n@xb.c [a]:1\n@b.co [a]:3\nuser@b.c [a]:4\n@b.c\n'


@pytest.mark.parametrize('port', ['0', '65536', '-1', '25x', '99999999999999999999', '25 @x'])
def test_a_port_is_a_number(setup, port):
    setup.fail(f"'{port}' is not a port", 'relay', 'add-domain', 'b.c', 'host', port, usage=True)
    assert not (setup.config / MAP).exists()


def test_what_would_break_the_file_is_refused(setup):
    for domain in ('', 'a b', '#b.c', 'user@b.c', '[b.c]'):
        for command in ('add-domain', 'add-auth', 'exclude-domain'):
            more = [] if command == 'exclude-domain' else ['x', '25']
            assert setup.run('relay', command, domain, *more).code == 1
    for host in ('', 'a b', 'a\nb', '[a', 'x@y'):
        assert setup.run('relay', 'add-domain', 'b.c', host).code == 1
    for user in ('', 'a:b', 'a b'):
        assert setup.run('relay', 'add-auth', 'b.c', user, 'x').code == 1
    for password in (' x', 'x ', 'x\ny', 'x\r'):
        assert setup.run('relay', 'add-auth', 'b.c', 'user', password).code == 1
    assert setup.run('relay', 'exclude-domain', 'b.c', 'd.e').code == 1
    assert setup.run('relay', 'add-domain', 'b.c', 'host', '25', 'more').code == 1
    assert not setup.config.exists() or setup.files() == []


def test_a_login_takes_the_place_of_the_one_before(setup):
    setup.write(LOGINS, '@xb.c u:p\n[host]:25 u:p\n')
    setup.ok('relay', 'add-auth', 'b.c', 'user@provider.example', 'a:b', 'c')
    assert setup.read(LOGINS) == '@xb.c u:p\n[host]:25 u:p\n@b.c user@provider.example:a:b c\n'
    setup.ok('relay', 'add-auth', 'b.c', 'user', answers='secret\nsecret\n')
    assert setup.read(LOGINS) == '@xb.c u:p\n[host]:25 u:p\n@b.c user:secret\n'


def test_a_password_is_asked_for_without_showing_it(setup):
    code, shown = setup.talk(['relay', 'add-auth', 'b.c', 'user'],
                             [('Enter Password: ', 'secret'), ('Confirm Password: ', 'secret')])
    assert code == 0 and 'secret' not in shown
    assert setup.read(LOGINS) == '@b.c user:secret\n'
    setup.fail('Passwords do not match!', 'relay', 'add-auth', 'b.c', 'user', answers='a\nb\n')


def test_the_old_names_of_the_programs(setup):
    setup.ok('b.c', 'host', program='addrelayhost')
    setup.ok('b.c', 'user', 'x', program='addsaslpassword')
    setup.ok('d.e', program='excluderelaydomain')
    assert setup.read(MAP) == '@b.c [host]:25\n@d.e\n'
    assert setup.read(LOGINS) == '@b.c user:x\n'
