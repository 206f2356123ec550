"""Commands that run at the same time lose nothing."""
import contextlib
import os

import pytest

PARALLEL = 40


def wait_for(processes):
    for process in processes:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err


def test_forty_accounts_at_once(setup):
    wait_for([setup.start('email', 'add', f'user{i}@b.c', 'x') for i in range(PARALLEL)])
    names = {line.split('|')[0] for line in setup.read('postfix-accounts.cf').splitlines()}
    assert names == {f'user{i}@b.c' for i in range(PARALLEL)}
    assert setup.files() == ['postfix-accounts.cf']


def test_forty_targets_of_one_alias_at_once(setup):
    wait_for([setup.start('alias', 'add', 'all@b.c', f'user{i}@b.c') for i in range(PARALLEL)])
    key, targets = setup.read('postfix-virtual.cf').split()
    assert key == 'all@b.c'
    assert sorted(targets.split(',')) == sorted(f'user{i}@b.c' for i in range(PARALLEL))


def test_one_of_forty_adds_of_the_same_account_wins(setup):
    processes = [setup.start('email', 'add', 'a@b.c', 'x') for _ in range(PARALLEL)]
    codes = []
    for process in processes:
        process.communicate(timeout=120)
        codes.append(process.returncode)
    assert sorted(codes) == [0] + [1] * (PARALLEL - 1)
    assert len(setup.read('postfix-accounts.cf').splitlines()) == 1


@contextlib.contextmanager
def mounted(options, path):
    if os.getuid() != 0 or os.system(f'mount {options} {path} 2>/dev/null') != 0:
        pytest.skip('mounts are not permitted')
    try:
        yield
    finally:
        os.system(f'umount {path}')


def test_a_single_file_mount_is_rewritten_in_place(setup):
    """What a container with one bind-mounted file sees: it can be written to, but not replaced."""
    setup.write('postfix-accounts.cf', '')
    path = setup.config / 'postfix-accounts.cf'
    with mounted(f'--bind {path}', path):
        wait_for([setup.start('email', 'add', f'user{i}@b.c', 'x') for i in range(8)])
        assert len(setup.read('postfix-accounts.cf').splitlines()) == 8


def test_a_full_disk_leaves_a_single_file_mount_as_it_is(setup):
    """The disk behind the file is full, that of the directory around it is not."""
    text = 'a@b.c|x\n' + '#' * 4087 + '\n'
    disk = setup.root / 'disk'
    disk.mkdir()
    setup.write('postfix-accounts.cf', '')
    path = setup.config / 'postfix-accounts.cf'
    with mounted('-t tmpfs -o size=16k none', disk):
        (disk / 'accounts').write_text(text)
        with mounted(f'--bind {disk}/accounts', path):
            os.system(f'cat /dev/zero >{disk}/filler 2>/dev/null')
            result = setup.run('email', 'update', 'a@b.c', 'x')
            assert result.code == 1
            assert 'No space left' in result.texts[-2]
            assert setup.read('postfix-accounts.cf') == text


def test_a_read_only_volume_is_an_error(setup):
    setup.write('postfix-accounts.cf', 'a@b.c|x\n')
    with mounted(f'--bind {setup.config}', setup.config):
        os.system(f'mount -o remount,ro,bind {setup.config}')
        for command in (['email', 'add', 'd@b.c', 'x'], ['email', 'update', 'a@b.c', 'x'],
                        ['email', 'del', '-n', 'a@b.c'], ['alias', 'add', 'd@b.c', 'a@b.c'],
                        ['quota', 'set', 'a@b.c', '1M'],
                        ['email', 'restrict', 'add', 'send', 'a@b.c']):
            result = setup.run(*command)
            assert result.code == 1, command
            assert 'Read-only file system' in result.texts[-2]
        assert setup.ok('email', 'list').out.startswith('* a@b.c')
        assert setup.read('postfix-accounts.cf') == 'a@b.c|x\n'


def test_a_symbolic_link_stays_one(setup):
    setup.config.mkdir(parents=True)
    real = setup.root / 'elsewhere'
    real.write_text('a@b.c|x\n')
    (setup.config / 'postfix-accounts.cf').symlink_to('../../elsewhere')
    setup.ok('email', 'add', 'd@b.c', 'x')
    assert (setup.config / 'postfix-accounts.cf').is_symlink()
    assert [line.split('|')[0] for line in real.read_text().splitlines()] == ['a@b.c', 'd@b.c']


def test_a_directory_that_cannot_be_written_is_an_error(setup):
    setup.config.parent.mkdir(parents=True)
    setup.config.write_text('not a directory')
    result = setup.run('email', 'add', 'a@b.c', 'x')
    assert result.code == 1
    assert result.texts[-1] == 'Aborting'
