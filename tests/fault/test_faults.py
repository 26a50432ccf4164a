# SPDX-License-Identifier: ISC
"""Disks that are full, and disks that fail: the client is told 452 or 451, nothing is torn, the service resumes, and
what got its 250 is there. preload.c makes system calls on the store's files fail, and a small file system fills up
for real."""
import errno
import mmap
import os
import random
import shutil
import struct
import subprocess
import time

import pytest

from harness import HERE, Closed, dot_stuff, eventually, message, plain_binary, split_trace
from load import Load, make_accounts

WRITE, SYNC, TRUNCATE, ALLOCATE, CREATE = 1, 2, 4, 8, 16
SEGMENT, DATABASE, WAL, OTHER = 1, 2, 4, 8


@pytest.fixture(scope='session')
def preload(tmp_path_factory):
    cc = shutil.which('cc') or pytest.skip('no C compiler')
    folder = tmp_path_factory.mktemp('preload')
    for top in (folder, *folder.parents[:2]):  # other users load it
        os.chmod(top, 0o755)
    out = str(folder / 'preload.so')
    subprocess.run(
        [cc, '-shared', '-fPIC', '-O1', '-o', out, os.path.join(HERE, 'fault', 'preload.c'), '-ldl'], check=True
    )
    return out


class Faults:
    """The page that preload.c reads."""

    def __init__(self, path):
        with open(path, 'w+b') as f:
            f.truncate(4096)
            self.page = mmap.mmap(f.fileno(), 4096)
        os.chmod(path, 0o666)

    def fail(self, operations, targets, error, keep=0, skip=0, times=-1):
        self.page[4:24] = struct.pack('IIIii', targets, error, keep, skip, times)
        self.page[24:28] = bytes(4)
        self.page[0:4] = struct.pack('I', operations)

    def clear(self):
        self.page[0:4] = bytes(4)

    @property
    def failed(self):
        return struct.unpack('I', self.page[24:28])[0]

    @property
    def seen(self):
        return struct.unpack('I', self.page[28:32])[0]


@pytest.fixture
def faulty(make_server, preload, tmp_path):
    """A server whose store can be made to fail, an account, and the switch."""

    def make(settings='', **kw):
        server = make_server(settings, start=False, services=('smtp', 'lmtp', 'pop3'), binary=plain_binary(), **kw)
        control = os.path.join(server.folder, 'faults')
        server.faults = Faults(control)
        server.env.update(
            LD_PRELOAD=preload, FAULT_CONTROL=control, ASAN_OPTIONS='detect_leaks=0:verify_asan_link_order=0'
        )
        server.start()
        server.user = server.account()
        deliver(server, 'first')
        assert server.faults.seen > 0, 'the store runs without the preloaded library'
        return server

    return make


def deliver(server, subject, size=3000):
    """One message; true if it got its 250, false for 451 and 452. Anything else is a fault."""
    text = message(subject, body=('x' * 98 + '\r\n') * (size // 100) + 'end')
    with server.smtp(greet=False) as c:
        if c.expect(220, 421).code == 421:
            return False
        c.cmd('EHLO client.example.com', 250)
        c.mail()
        if c.cmd(f'RCPT TO:<{server.user}>', 250, 4).code // 100 == 4:
            return False
        c.cmd('DATA', 354)
        c.send(dot_stuff(text))
        reply = c.expect(250, 451, 452)
        server.last = reply
        return reply.code == 250


def subjects(server):
    out = []
    for text in server.mailbox(server.user):
        assert text.endswith(b'\r\nend\r\n') and text.count(b'Subject: ') == 1, 'torn'
        out.append(text.split(b'Subject: ')[1].split(b'\r\n')[0].decode())
    return out


def resumes(server, subject):
    """Service comes back without anybody's help."""

    def good():
        try:
            return deliver(server, subject)
        except (OSError, Closed):
            return False

    eventually(good, 'mail is taken again')


def judge(server, due):
    """Exactly these messages, now and after the next start; books and records agree."""
    assert subjects(server) == due
    server.check_balance()
    server.check_store()
    server.restart()
    assert subjects(server) == due
    server.check_store()


FULL = ('ENOSPC', 'EDQUOT')
CASES = [
    ('segment-write-ENOSPC', WRITE, SEGMENT, {}),
    ('segment-write-EDQUOT', WRITE, SEGMENT, {}),
    ('segment-write-EIO', WRITE, SEGMENT, {}),
    ('segment-short-write-ENOSPC', WRITE, SEGMENT, {'keep': 1000}),
    ('segment-sync-EIO', SYNC, SEGMENT, {}),
    ('segment-sync-ENOSPC', SYNC, SEGMENT, {}),
    ('wal-write-ENOSPC', WRITE, WAL, {}),
    ('wal-write-EIO', WRITE, WAL, {}),
    ('wal-short-write-ENOSPC', WRITE, WAL, {'keep': 100}),
    ('wal-second-write-EIO', WRITE, WAL, {'skip': 1}),
    ('wal-sync-EIO', SYNC, WAL, {}),
    ('everything-EIO', WRITE | SYNC | TRUNCATE | ALLOCATE | CREATE, SEGMENT | DATABASE | WAL | OTHER, {}),
    ('everything-ENOSPC', WRITE | ALLOCATE | CREATE, SEGMENT | DATABASE | WAL | OTHER, {}),
]


@pytest.mark.parametrize('name, operations, targets, how', CASES, ids=[c[0] for c in CASES])
def test_fault_is_told_and_passes(faulty, name, operations, targets, how):
    server = faulty()
    error = name.rsplit('-', 1)[1]
    server.faults.fail(operations, targets, getattr(errno, error), **how)
    for n in range(3):
        assert not deliver(server, f'while failing {n}'), 'a 250 for what is not kept'
    if error in FULL and targets == SEGMENT and operations == WRITE:
        assert server.last.code == 452 and server.last.status == '4.3.1', server.last
    assert server.faults.failed > 0
    server.faults.clear()
    resumes(server, 'after')
    judge(server, ['first', 'after'])


@pytest.mark.parametrize('target', [SEGMENT, WAL], ids=['segment', 'wal'])
@pytest.mark.parametrize('operation', [WRITE, SYNC], ids=['write', 'sync'])
def test_single_fault_costs_at_most_its_batch(faulty, operation, target):
    server = faulty()
    due = ['first']
    for n in range(10):
        server.faults.fail(operation, target, errno.EIO, times=1)
        if deliver(server, f'{n} with fault'):
            due.append(f'{n} with fault')
        server.faults.clear()
        resumes(server, f'{n}')
        due.append(f'{n}')
    judge(server, due)


def test_checkpoint_fails(faulty):
    """The database file cannot be written: the log grows, mail goes on, nothing is lost."""
    server = faulty()
    due = ['first']
    server.faults.fail(WRITE | SYNC, DATABASE, errno.EIO)
    for n in range(20):
        if deliver(server, f'{n}'):
            due.append(f'{n}')
    server.faults.clear()
    resumes(server, 'after')
    judge(server, due + ['after'])


def test_new_segment_cannot_be_made(faulty):
    server = faulty('store segment 1M')
    due = ['first']
    server.faults.fail(CREATE, SEGMENT, errno.ENOSPC)
    for n in range(8):
        if deliver(server, f'{n}', 400000):
            due.append(f'{n}')
    assert len(due) < 8 and server.faults.failed > 0, 'no new segment was tried'
    server.faults.clear()
    resumes(server, 'after')
    judge(server, due + ['after'])


def test_lmtp_tells_each_recipient(faulty):
    server = faulty()
    other = server.account()
    with server.lmtp() as c:
        c.envelope(server.user, other)
        server.faults.fail(WRITE, SEGMENT, errno.ENOSPC)
        c.data(message('to both'), 452)
        c.expect(452)
        c.cmd('NOOP', 250)
    server.faults.clear()
    resumes(server, 'after')
    judge(server, ['first', 'after'])
    assert server.mailbox(other) == []


def test_pop3_while_the_disk_is_full(faulty):
    """Reading goes on; what cannot be deleted is still there."""
    server = faulty()
    with server.pop3(server.user) as p:
        server.faults.fail(WRITE | ALLOCATE | CREATE, SEGMENT | DATABASE | WAL | OTHER, errno.ENOSPC)
        assert b'Subject: first' in p.retr(1)
        p.cmd('DELE 1')
        p.err('QUIT')
        p.expect_closed()
    server.faults.clear()
    resumes(server, 'after')
    judge(server, ['first', 'after'])


def test_account_add_while_the_disk_fails(faulty):
    server = faulty()
    server.faults.fail(WRITE | SYNC, SEGMENT | DATABASE | WAL | OTHER, errno.EIO)
    r = server.cli('account', 'add', 'late@example.org', input='secret\n', expect=None)
    assert r.returncode != 0 and r.stderr, r
    server.faults.clear()
    resumes(server, 'after')
    server.account('late@example.org')
    judge(server, ['first', 'after'])


def test_faults_under_load(faulty):
    seed = int(os.environ.get('CRASH_SEED', random.randrange(1 << 32)))
    print(f'CRASH_SEED={seed}')
    rnd = random.Random(seed)
    server = faulty('log warn')
    make_accounts(server)
    with Load(server, f'{seed}') as load:
        for n in range(30):
            server.faults.fail(
                rnd.choice((WRITE, SYNC, WRITE | SYNC)),
                rnd.choice((SEGMENT, WAL, DATABASE, SEGMENT | WAL | DATABASE)),
                rnd.choice((errno.EIO, errno.ENOSPC)),
                keep=rnd.choice((0, 1, 4000)),
                skip=rnd.randrange(4),
                times=rnd.choice((1, 3, -1)),
            )
            time.sleep(rnd.uniform(0.01, 0.2))  # how long the disk is broken
            server.faults.clear()
            before = load.acknowledged()
            eventually(lambda: load.acknowledged() > before, f'mail flows again after fault {n}')
    load.judge()
    server.check_balance()
    server.check_store()
    server.restart()
    load.judge()


# --- a file system that is really full ---


@pytest.fixture
def small_disk(make_server):
    """A server whose data folder is a file system of 8 MiB."""
    if os.geteuid() != 0:
        pytest.skip('only root can mount')
    server = make_server('store segment 1M', start=False, services=('smtp', 'lmtp', 'pop3'), binary=plain_binary())
    os.mkdir(server.data, 0o755)
    if subprocess.run(
        ['mount', '-t', 'tmpfs', '-o', 'size=8m,mode=755', 'pombo-test', server.data], capture_output=True
    ).returncode:
        pytest.skip('this root cannot mount')
    try:
        server.start()
        server.user = server.account()
        yield server
        if server.proc:
            server.stop()
            server.check_balance()
    finally:
        server.kill()
        subprocess.run(['umount', '-l', server.data], check=True)


def test_full_disk(small_disk):
    server, due = small_disk, []
    while deliver(server, f'{len(due)}', 200000):
        due.append(f'{len(due)}')
        assert len(due) < 100, 'never full'
    assert server.last.code == 452, server.last
    assert len(due) > 10
    while deliver(server, f'{len(due)}', 0):  # to the last page
        due.append(f'{len(due)}')
        assert len(due) < 20000
    for size in (0, 1000, 100000):
        assert not deliver(server, 'too much', size)
    assert len(server.mailbox(server.user)) == len(due), 'reading goes on'
    subprocess.run(['mount', '-o', 'remount,size=64m', server.data], check=True)
    resumes(server, 'after')
    judge_full(server, due + ['after'])


def judge_full(server, due):
    got = server.mailbox(server.user)
    assert [m.split(b'Subject: ')[1].split(b'\r\n')[0].decode() for m in got] == due
    for m in got:
        split_trace(m, m[m.index(b'From: Sender') :])
    server.check_balance()
    server.check_store()
    server.restart()
    assert len(server.mailbox(server.user)) == len(due)


def test_start_on_a_full_disk(small_disk):
    """The server starts, or says why not; when there is room again all is there."""
    server = small_disk
    assert deliver(server, 'before', 200000)
    server.stop()
    ballast = os.path.join(server.data, 'ballast')
    with open(ballast, 'wb', buffering=0) as f:
        try:
            while True:
                f.write(bytes(4096))
        except OSError as e:
            assert e.errno == errno.ENOSPC
    try:
        server.start()
        assert not deliver(server, 'on a full disk', 200000)
    except AssertionError:
        assert server.proc.poll() not in (None, 0), 'hangs'
        server.proc = None
    os.unlink(ballast)
    if not server.proc:
        server.start()
    resumes(server, 'after')
    assert [b'Subject: before' in m for m in server.mailbox(server.user)] == [True, False]
    server.check_store()
