"""setup email restrict add, del, list."""
import pytest


@pytest.mark.parametrize('direction', ['send', 'receive', 'SEND'])
def test_a_restriction_comes_and_goes(setup, direction):
    name = f'postfix-{direction.lower()}-access.cf'
    everyone = [('INFO', 'restrict-access', f'Everyone is allowed to {direction.lower()} mails')]
    assert setup.ok('email', 'restrict', 'list', direction).log == everyone
    setup.ok('email', 'restrict', 'add', direction, 'lorem@impsum.org')
    assert setup.read(name) == 'lorem@impsum.org \t\t REJECT\n'
    result = setup.ok('email', 'restrict', 'list', direction)
    assert (result.out, result.err) == ('lorem@impsum.org \t\t REJECT\n', '')
    setup.ok('email', 'restrict', 'del', direction, 'lorem@impsum.org')
    assert setup.ok('email', 'restrict', 'list', direction).log == everyone


def test_names_are_compared_as_a_whole(setup):
    setup.ok('email', 'restrict', 'add', 'send', 'xuser@b.c')
    setup.ok('email', 'restrict', 'add', 'send', 'user@b.c')
    setup.ok('email', 'restrict', 'add', 'send', 'user@b.com')
    setup.fail("User 'USER@b.c' already denied to send mails", 'email', 'restrict', 'add', 'send',
               'USER@b.c')
    setup.ok('email', 'restrict', 'del', 'send', 'user@b.c')
    assert setup.read('postfix-send-access.cf') == ('xuser@b.c \t\t REJECT\n'
                                                    'user@b.com \t\t REJECT\n')


def test_del_needs_a_restriction(setup):
    setup.fail("User 'a@b.c' not found", 'email', 'restrict', 'del', 'send', 'a@b.c')


def test_the_name_is_asked_for(setup):
    setup.ok('email', 'restrict', 'add', 'receive', answers='a@b.c\n')
    assert setup.read('postfix-receive-access.cf').startswith('a@b.c ')
    setup.fail('User must not be empty', 'email', 'restrict', 'del', 'receive', answers='\n')
    code, _ = setup.talk(['email', 'restrict', 'del', 'receive'],
                         [('Provide a username: ', 'a@b.c')])
    assert code == 0


def test_wrong_words_show_the_usage(setup):
    setup.fail("Unknown or missing second parameter 'lose' - specify 'send' or 'receive'",
               'email', 'restrict', 'add', 'lose', 'a@b.c', usage=True)
    setup.fail("Unknown or missing second parameter '' - specify 'send' or 'receive'",
               'email', 'restrict', 'list', usage=True)
    setup.fail("Unknown or missing first parameter 'ban' - specify 'add', 'del' or 'list'",
               'email', 'restrict', 'ban', 'send', usage=True)


def test_a_name_is_one_word(setup):
    setup.fail("'a@b.c OK' is not a valid name", 'email', 'restrict', 'add', 'send', 'a@b.c OK')
