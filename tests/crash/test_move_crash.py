# SPDX-License-Identifier: ISC
"""The store is killed with SIGKILL at random moments while messages come in and are moved from mailbox to mailbox: then each is in one
mailbox, once, whole; and a rebuild from the segments alone finds each where it was.

15 kills unless MOVE_CRASH_KILLS says otherwise; CRASH_SEED repeats a run's choices. By itself: /usr/bin/python3
tests/crash/test_move_crash.py
"""
import os
import random
import sys
import threading
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import eventually, plain_binary  # noqa: E402
from load import USERS, Load, make_accounts  # noqa: E402
from test_crash import kill_role, logins_work  # noqa: E402

KILLS = int(os.environ.get('MOVE_CRASH_KILLS', '15'))
BOXES = ('INBOX', 'Junk', 'Work')
MOVERS = 2


class Mover(threading.Thread):
    """Moves until told to stop. The command fails when the store dies meanwhile."""

    def __init__(self, server, seed, stop):
        super().__init__(daemon=True)
        self.server, self.rnd, self.stopping = server, random.Random(seed), stop
        self.moved = self.failed = 0

    def run(self):
        while not self.stopping.is_set():
            source, target = self.rnd.sample(BOXES, 2)
            uids = self.rnd.choice(('all', '*', f'{self.rnd.randrange(1, 200)}:*', f'1:{self.rnd.randrange(1, 200)}'))
            r = self.server.cli(
                'mailbox', 'move', f'u{self.rnd.randrange(USERS)}@example.org', source, uids, target, '--create', '--json', expect=None
            )
            self.moved += len(r.stdout.splitlines())
            self.failed += r.returncode == 75  # EX_TEMPFAIL


def places(server):
    """{(user, mailbox, uid, id)}"""
    found = set()
    for u in range(USERS):
        user = f'u{u}@example.org'
        for box in server.json('mailbox', 'list', user):
            rows = server.json('mailbox', 'show', user, box['mailbox'])
            assert len(rows) == box['messages']
            found |= {(u, box['mailbox'], row['uid'], row['id']) for row in rows}
    return found


def kill_many(server, load, kills, rnd):
    for n in range(1, kills + 1):
        time.sleep(rnd.uniform(0.2, 1.5))  # the random moment
        before = load.acknowledged()
        kill_role(server, rnd.choice(('store', 'store', 'store', 'filter')))
        eventually(lambda: load.acknowledged() > before, f'mail flows again after kill {n}', 60)


def rebuild(server):
    server.stop()
    for name in os.listdir(server.data):
        if name.startswith('pombo.db'):
            os.unlink(os.path.join(server.data, name))
    server.cli('store', 'rebuild')
    for u in range(USERS):
        server.cli('account', 'passwd', f'u{u}@example.org', input='secret\n')
    server.start()


def test_killed_while_moving(make_server, capsys):
    seed = int(os.environ.get('CRASH_SEED', random.randrange(1 << 32)))
    print(f'CRASH_SEED={seed}')
    rnd, stop = random.Random(seed), threading.Event()
    server = make_server('log warn', 'store segment 2M', services=('smtp', 'pop3'), binary=plain_binary())
    make_accounts(server)
    movers = [Mover(server, f'{seed}.{n}', stop) for n in range(MOVERS)]
    with Load(server, f'm{seed}') as load:
        for m in movers:
            m.start()
        try:
            kill_many(server, load, KILLS, rnd)
        finally:
            stop.set()
            for m in movers:
                m.join(120)
    assert not any(m.is_alive() for m in movers), 'a command hangs'
    eventually(lambda: logins_work(server), 'logins work after the kills', 60)
    server.check_balance()
    server.check_store()
    server.cli('store', 'compact')
    before = places(server)
    rebuild(server)
    assert places(server) == before
    server.check_store()
    for u in range(USERS):
        for box in BOXES[1:]:
            server.cli('mailbox', 'move', f'u{u}@example.org', box, 'all', 'INBOX', expect=None)
    sure, extra = load.judge()
    with capsys.disabled():
        moved, failed = (sum(getattr(m, name) for m in movers) for name in ('moved', 'failed'))
        print(f'\n  crash: {KILLS} kills while {moved} messages were moved ({failed} commands failed), seed {seed}: '
              f'{sure} messages acknowledged, none lost, doubled or torn; {extra} kept whole without their 250')


if __name__ == '__main__':
    sys.exit(pytest.main(['-s', '-q', '-o', 'faulthandler_timeout=0', os.path.abspath(__file__)]))
