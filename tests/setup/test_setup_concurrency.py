"""Commands that run at the same time lose nothing."""
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


@pytest.mark.skipif(os.getuid() != 0, reason='only root mounts')
def test_a_single_file_mount_is_rewritten_in_place(setup):
    """What a container with one bind-mounted file sees: it can be written to, but not replaced."""
    setup.write('postfix-accounts.cf', '')
    path = setup.config / 'postfix-accounts.cf'
    if os.system(f'mount --bind {path} {path} 2>/dev/null') != 0:
        pytest.skip('mounts are not permitted')
    try:
        wait_for([setup.start('email', 'add', f'user{i}@b.c', 'x') for i in range(8)])
        assert len(setup.read('postfix-accounts.cf').splitlines()) == 8
    finally:
        os.system(f'umount {path}')


def test_a_directory_that_cannot_be_written_is_an_error(setup):
    setup.config.parent.mkdir(parents=True)
    setup.config.write_text('not a directory')
    result = setup.run('email', 'add', 'a@b.c', 'x')
    assert result.code == 1
    assert result.texts[-1] == 'Aborting'
