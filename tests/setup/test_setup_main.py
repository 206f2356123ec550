"""What `setup` is told: commands, help, names of programs, exit codes."""
import pytest

COMMANDS = ['email add', 'email update', 'email del', 'email list', 'email restrict', 'alias add',
            'alias del', 'alias list', 'quota set', 'quota del', 'dovecot-master add',
            'dovecot-master update', 'dovecot-master del', 'dovecot-master list']
PROGRAMS = ['addmailuser', 'updatemailuser', 'delmailuser', 'listmailuser', 'restrict-access',
            'addalias', 'delalias', 'listalias', 'setquota', 'delquota', 'adddovecotmasteruser',
            'updatedovecotmasteruser', 'deldovecotmasteruser', 'listdovecotmasteruser']


@pytest.mark.parametrize('args', [[], ['help']])
def test_usage_names_every_command(setup, args):
    result = setup.ok(*args)
    assert ('This is the main administration command that you use for all your interactions with'
            in result.out)
    assert all(command in result.out for command in COMMANDS)
    assert result.err == ''


@pytest.mark.parametrize('group,command', [('email', 'email add'), ('queue', 'queue trace'),
                                           ('dovecot-master', 'dovecot-master list'),
                                           ('config', 'config dkim')])
def test_help_of_a_group_names_its_commands_alone(setup, group, command):
    out = setup.ok(group, 'help').out
    assert command in out
    assert all(other not in out for other in COMMANDS if not other.startswith(group))


@pytest.mark.parametrize('args', [['lol', 'troll'], ['email'], ['email', 'nosuch'],
                                  ['add', 'email'], ['nosuch', 'help'], ['', 'help']])
def test_an_unknown_command_is_exit_code_2(setup, args):
    result = setup.run(*args)
    assert result.code == 2
    assert result.out == ''
    assert result.err.splitlines() == [f"The command '{' '.join(args)}' is invalid.",
                                       'Use `setup help` to get an overview of all commands.']


@pytest.mark.parametrize('command,program', list(zip(COMMANDS, PROGRAMS)))
def test_help_of_a_command_under_both_names(setup, command, program):
    result = setup.ok(*command.split(), 'help')
    assert f'{program} - ' in result.out
    assert f'setup {command}' in result.out
    assert setup.ok('help', program=f'/usr/local/bin/{program}').out == result.out


@pytest.mark.parametrize('command', ['email add', 'email update', 'email del', 'alias add',
                                     'alias add a@b.c', 'alias del', 'quota set', 'quota del',
                                     'dovecot-master add', 'dovecot-master del'])
def test_too_few_arguments_show_the_usage(setup, command):
    result = setup.run(*command.split())
    assert result.code == 1
    assert 'SYNOPSIS' in result.out
    assert result.err == ''


def test_programs_work_like_their_commands(setup):
    setup.ok('a@b.c', 'secret', program='addmailuser')
    setup.ok('x@b.c', 'a@b.c', program='addalias')
    assert setup.read('postfix-virtual.cf') == 'x@b.c a@b.c\n'
    assert setup.ok(program='listalias').out == '* x@b.c a@b.c\n\n'


def test_log_level_silences_warnings(setup):
    setup.env['LOG_LEVEL'] = 'error'
    assert setup.ok('email', 'add', 'A@b.c', 'x').err == ''


def test_log_lines_carry_level_and_program(setup):
    assert setup.ok('email', 'add', 'A@b.c', 'x').log == [
        ('WARN', 'addmailuser',
         "Mail account 'A@b.c' has uppercase letters and will be normalized to 'a@b.c'")]
