# SPDX-License-Identifier: ISC
"""~/.forward: edited as a user does, and seen in where mail goes. As root with a user of the test's own; else with the user who runs it."""
import os
import pwd
import shutil
import subprocess

import pytest

from harness import eventually, message
from peer import Peer

USER = f'pombo-fw{os.getpid() % 10000}'
DOMAIN = 'example.org'


class User:
    def __init__(self, name, home):
        self.name, self.home, self.path = name, home, os.path.join(home, '.forward')
        self.address = f'{name}@{DOMAIN}'

    def write(self, text, mode=0o644):
        """As an editor does: a new file takes the place of the old one."""
        new = self.path + '.new'
        with open(new, 'w') as f:
            f.write(text)
        os.chmod(new, mode)
        self.own(new)
        os.rename(new, self.path)

    def own(self, path):
        if os.geteuid() == 0:
            entry = pwd.getpwnam(self.name)
            os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)

    def remove(self):
        if os.path.lexists(self.path):
            os.unlink(self.path)


@pytest.fixture
def unix_user(tmp_path_factory):
    if os.geteuid() != 0:
        entry = pwd.getpwuid(os.geteuid())
        user = User(entry.pw_name, entry.pw_dir)
        if os.path.lexists(user.path):
            pytest.skip(f'{user.path} is there already')
        yield user
        user.remove()
        return
    if not shutil.which('useradd'):
        pytest.skip('useradd is not installed')
    subprocess.run(['useradd', '--create-home', '--base-dir', '/tmp', '--shell', '/bin/sh', USER], check=True, capture_output=True)
    try:
        os.chmod(f'/tmp/{USER}', 0o700)
        yield User(USER, f'/tmp/{USER}')
    finally:
        subprocess.run(['userdel', '--remove', USER], capture_output=True)


class World:
    def __init__(self, server, peer, user):
        self.server, self.peer, self.user, self.seen = server, peer, user, 0

    def wait(self, pattern):
        """A line of the log that was not there at the last wait."""

        def find():
            lines = self.server.log().splitlines()
            found = next((i for i, line in enumerate(lines) if i >= self.seen and all(p in line for p in pattern.split('|'))), None)
            if found is None:
                return None
            self.seen = found + 1
            return lines[found]

        return eventually(find, f'a line with {pattern}')

    def changed(self, targets):
        """Sooner than by the ten seconds of the clock: a reload looks at once."""
        self.server.reload()
        self.wait(f'ev=account.forward|address={self.user.address}|targets={targets}')

    def send(self, subject, to=None, sender='sender@example.com'):
        with self.server.smtp() as c:
            c.deliver(message(subject), to or self.user.address, sender=sender)
            c.quit()

    def box(self, address=None):
        return len(self.server.mailbox(address or self.user.address))


@pytest.fixture
def world(make_server, unix_user):
    with Peer() as peer:
        server = make_server(f'unix-users {DOMAIN}\nroute * smtp {peer.address}\n')
        for name in (unix_user.name, 'nosuchuser', 'bob'):
            server.account(f'{name}@{DOMAIN}')
        yield World(server, peer, unix_user)


def test_follows_the_file(world):
    user, server = world.user, world.server
    world.send('first')
    assert world.box() == 1
    user.write('# away\nfriend@elsewhere.example\n')
    world.wait(f'ev=account.forward|address={user.address}|targets=1')  # by itself
    world.send('second')
    delivery = world.peer.wait(1)[0]
    assert delivery.to == ['friend@elsewhere.example']
    assert delivery.header('Subject') == 'second'
    assert 'SRS0=' in delivery.sender and f'@{DOMAIN}' in delivery.sender
    assert world.box() == 1
    assert server.json('account', 'show', user.address)[0]['forward'] == 'friend@elsewhere.example'

    user.write(f'\\{user.name}, friend@elsewhere.example, bob\n')
    world.changed(3)
    world.send('third', user.address)
    assert world.peer.wait(2)[1].header('Subject') == 'third'
    assert (world.box(), world.box(f'bob@{DOMAIN}')) == (2, 1)

    user.remove()
    world.changed(0)
    world.send('fourth')
    assert world.box() == 3
    assert len(world.peer.deliveries) == 2
    server.check_store()


def test_what_is_refused(world):
    user = world.user
    user.write('bob\n|/usr/bin/touch /tmp/pombo-was-here\n/tmp/pombo-was-here, :include:/etc/passwd\n')
    server = world.server
    server.reload()
    for line in (2, 3, 3):
        world.wait(f'ev=forward.refused|user={user.name}|line={line} ')
    world.wait(f'ev=account.forward|address={user.address}|targets=1')
    world.send('to bob')
    assert (world.box(), world.box(f'bob@{DOMAIN}')) == (0, 1)
    assert not os.path.exists('/tmp/pombo-was-here')

    # what others may write, and what is a link, is as though it were not there
    user.write('bob\n', 0o666)
    server.reload()
    world.wait(f'ev=forward.unusable|user={user.name}|others may write it')
    world.wait(f'ev=account.forward|address={user.address}|targets=0')
    world.send('stays')
    assert world.box() == 1
    user.write('bob\n', 0o600)
    world.changed(1)
    user.remove()
    os.symlink('/etc/passwd', user.path)
    user.own(user.path)
    server.reload()
    world.wait(f'ev=forward.unusable|user={user.name}|it is a link')
    world.wait(f'ev=account.forward|address={user.address}|targets=0')
    user.remove()
    user.write('|/bin/true\n')
    server.reload()
    world.wait(f'ev=forward.refused|user={user.name}|line=1 ')
    world.send('stays too')
    assert world.box() == 2


def test_private_file_and_the_setting(world):
    """A folder and a file that nobody but the user may enter and read; and the setting, which counts at once, before and after a restart."""
    user = world.user
    user.write('bob\n', 0o400)
    world.changed(1)
    assert not [line for line in world.server.log().splitlines() if 'ev=forward.' in line]
    # a domain that does not have Unix users any more
    with open(world.server.config) as f:
        text = f.read()
    with open(world.server.config, 'w') as f:
        f.write(text.replace(f'unix-users {DOMAIN}\n', ''))
    world.server.reload()
    world.wait('ev=config.reload')
    world.send('mine')
    assert world.box() == 1
    with open(world.server.config, 'w') as f:
        f.write(text)
    world.server.reload()
    world.wait('ev=config.reload')
    world.send('for bob')
    assert world.box(f'bob@{DOMAIN}') == 1
    # after a restart it still counts, and the file is looked at again
    world.server.restart()
    world.send('for bob again')
    assert world.box(f'bob@{DOMAIN}') == 2
    user.remove()
    world.changed(0)
