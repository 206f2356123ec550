"""setup alias add, del, list."""


def test_add_makes_and_extends_an_alias(setup):
    result = setup.ok('alias', 'add', 'alias@b.c', 'target1@x.y')
    assert (result.out, result.err) == ('', '')
    setup.ok('alias', 'add', 'Alias@b.c', 'target2@x.y')
    assert setup.read('postfix-virtual.cf') == 'alias@b.c target1@x.y,target2@x.y\n'


def test_add_takes_a_list(setup):
    setup.ok('alias', 'add', 'alias@b.c', 'one@x.y,two@x.y')
    assert setup.read('postfix-virtual.cf') == 'alias@b.c one@x.y,two@x.y\n'


def test_add_refuses_a_target_twice(setup):
    setup.ok('alias', 'add', 'a@b.c', 'x@y.z')
    setup.fail("'a@b.c' is already an alias for recipient: 'X@y.z'",
               'alias', 'add', 'a@b.c', 'X@y.z')
    setup.ok('alias', 'add', 'a@b.c', 'ax@y.z')
    setup.ok('alias', 'add', 'a@b.c', 'x@y.zz')


def test_add_refuses_an_account_but_not_what_merely_looks_like_one(setup):
    setup.write('postfix-accounts.cf', 'user@b.c|x\n')
    setup.fail("'user@b.c' is already defined as an account", 'alias', 'add', 'user@b.c', 'x@y.z')
    setup.ok('alias', 'add', 'user@b.co', 'x@y.z')
    setup.ok('alias', 'add', 'user', 'x@y.z')


def test_add_extends_entries_over_several_lines_and_keeps_comments(setup):
    setup.write('postfix-virtual.cf', '# head\na@b.c  x@y.z,\r\n  # inside\r\n\tw@y.z\r\n'
                                      '# tail\nq@b.c r@b.c')
    setup.ok('alias', 'add', 'a@b.c', 'new@y.z')
    setup.ok('alias', 'add', 'last@b.c', 'new@y.z')
    assert setup.read('postfix-virtual.cf') == (
        '# head\na@b.c  x@y.z,\r\n  # inside\r\n\tw@y.z,new@y.z\r\n# tail\nq@b.c r@b.c\n'
        'last@b.c new@y.z\n')


def test_add_refuses_what_is_no_line(setup):
    for alias, target in [('a@b.c', 'x@y.z\nroot x@y.z'), ('#a', 'x'), ('a@b.c', ',')]:
        setup.fail('An alias and a recipient are needed', 'alias', 'add', alias, target, usage=True)


def test_del_takes_one_recipient_then_the_line(setup):
    setup.write('postfix-virtual.cf', '# c\na@b.c one@x.y, two@x.y\nb@b.c one@x.y\n')
    setup.ok('alias', 'del', 'A@b.c', 'One@x.y')
    assert setup.read('postfix-virtual.cf') == '# c\na@b.c two@x.y\nb@b.c one@x.y\n'
    setup.ok('alias', 'del', 'a@b.c', 'two@x.y')
    assert setup.read('postfix-virtual.cf') == '# c\nb@b.c one@x.y\n'


def test_del_of_nothing_is_fine(setup):
    assert setup.ok('alias', 'del', 'a@b.c', 'x@y.z').err == ''
    assert setup.files() == []
    setup.write('postfix-virtual.cf', 'a@b.c xx@y.z\r\n')
    setup.ok('alias', 'del', 'a@b.c', 'x@y.z')
    assert setup.read('postfix-virtual.cf') == 'a@b.c xx@y.z\r\n'


def test_list_shows_lines_as_they_are(setup):
    setup.write('postfix-virtual.cf', '# c\n'
                                      'alias1@localhost.localdomain user1@localhost.localdomain\n'
                                      '\n@d.e  x@y.z')
    assert setup.ok('alias', 'list').out == (
        '* alias1@localhost.localdomain user1@localhost.localdomain\n\n* @d.e  x@y.z\n\n')


def test_list_needs_a_file(setup):
    path = setup.config / 'postfix-virtual.cf'
    setup.fail(f"'{path}' does not exist", 'alias', 'list')
    setup.write('postfix-virtual.cf', '')
    setup.fail(f"'{path}' is empty, nothing to list", 'alias', 'list')
