# SPDX-License-Identifier: ISC
"""The service for programs of this machine: a Unix socket where the kernel says who writes (SO_PEERCRED), and nobody logs in."""

import os
import pwd
import subprocess

import pytest

from harness import Server, Smtp, message

# What a program of another user does: the whole dialogue, replies on standard output.
SPEAK = """
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(30)
s.connect(sys.argv[1])
f = s.makefile('rwb')
def reply():
    line = f.readline()
    while line[3:4] == b'-':
        line = f.readline()
    print(line.decode().rstrip())
reply()
for line in sys.argv[2:]:
    f.write(line.encode() + b'\\r\\n')
    f.flush()
    reply()
"""


@pytest.fixture(scope='module')
def local():
    server = Server(services=('smtp', 'lmtp', 'pop3'))
    server.local_path = os.path.join(server.folder, 'submit')
    server.settings = f'listen local unix:{server.local_path}'
    server.write_config()
    server.start()
    server.wait_banner('local', server.local_path)
    yield server
    server.close()


@pytest.fixture
def bob(local):
    yield local.account()
    local.check_log()
    local.check_balance()


def connect(server):
    return Smtp(server.local_path)


def test_a_program_submits(local, bob):
    with connect(local) as c:
        words = c.cmd('EHLO client.example.com', 250).text
        assert 'AUTH' not in words and 'STARTTLS' not in words
        assert 'XFATE' in words and 'REQUIRETLS' in words
        c.envelope(bob, sender='anybody@elsewhere.example')
        c.data(b'From: anybody@elsewhere.example\r\nBcc: secret@example.com\r\nSubject: s\r\n\r\nHello.\r\n', 250)
        c.quit()
    [got] = local.mailbox(bob)
    text = b' '.join(got.split())
    assert b'Received: from client.example.com (local user %d) by mx.example.org with ESMTP id' % os.getuid() in text
    assert b'Message-ID: <' in got and b'\r\nDate: ' in got
    assert b'secret@' not in got


def test_other_servers(local):
    with connect(local) as c:
        c.mail('anybody@elsewhere.example')
        c.rcpt('somebody@elsewhere.example')
        c.rcpt('nobody-here@example.org', expect=550)


def test_nobody_logs_in(local):
    with connect(local) as c:
        c.cmd('AUTH PLAIN AGFsaWNlAHNlY3JldA==', 502)
        c.cmd('STARTTLS', 502)
        c.cmd('NOOP', 250)


def speak(server, *lines):
    """The replies to what the user nobody says."""
    nobody = pwd.getpwnam('nobody')
    r = subprocess.run(
        ['/usr/bin/python3', '-I', '-c', SPEAK, server.local_path, *lines],
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        cwd='/',
        capture_output=True,
        timeout=60,
        check=True,
    )
    return r.stdout.decode().split('\n')[:-1]


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can be somebody else')
def test_another_user(local, bob):
    uid = pwd.getpwnam('nobody').pw_uid
    replies = speak(local, 'EHLO host.example', 'MAIL FROM:<>', f'RCPT TO:<{bob}>', 'DATA', 'From: x@example.org\r\n\r\n.')
    assert [line[:3] for line in replies] == ['220', '250', '250', '250', '354', '250']
    [got] = local.mailbox(bob)
    assert b'(local user %d)' % uid in got
    assert f'uid={uid}' in local.cli('trace', replies[-1].split()[-1]).stdout


# Takes all the connections that it gets, and holds them until it is told to end.
HOLD = """
import socket, sys
held = []
while True:
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(30)
    s.connect(sys.argv[1])
    held.append(s)
    if not s.recv(100).startswith(b'220'):
        break
print(len(held) - 1, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can be somebody else')
def test_a_user_takes_no_places_of_others(make_server):
    """Not those of other users, nor those of LMTP's socket."""
    server = make_server('processes edge 1\nlimit connections 100 per-address 5', services=('lmtp', 'pop3'), start=False)
    path = os.path.join(server.folder, 'submit')
    server.settings += f'\nlisten local unix:{path}'
    server.write_config()
    server.start()
    server.wait_banner('local', path)
    nobody = pwd.getpwnam('nobody')
    with subprocess.Popen(
        ['/usr/bin/python3', '-I', '-c', HOLD, path],
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        cwd='/',
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as hold:
        assert hold.stdout.readline() == b'5\n'
        with Smtp(path) as c, server.lmtp(unix=True) as d:
            c.quit()
            d.quit()
        assert f'why=per-address client="local uid={nobody.pw_uid}"' in server.log()
        hold.stdin.close()


def test_lmtp_is_not_for_other_servers(local):
    """Neither over a Unix socket nor from loopback (RFC 2033 5)."""
    for unix in (True, False):
        with local.lmtp(unix=unix) as c:
            c.mail()
            assert c.rcpt('somebody@elsewhere.example', expect=550).status == '5.7.1'


def test_lmtp_is_not_for_other_servers_even_from_relay_from(make_server):
    server = make_server('relay-from 127.0.0.1 unix', services=('smtp', 'lmtp', 'pop3'))
    with server.smtp() as c:
        c.mail()
        c.rcpt('somebody@elsewhere.example')
        words = c.cmd('EHLO client.example.com', 250).text
        assert 'DELIVERBY' in words
    for unix in (True, False):
        with server.lmtp(unix=unix) as c:
            c.mail()
            c.rcpt('somebody@elsewhere.example', expect=550)


def test_many_at_once(local, bob):
    sessions = [connect(local) for _ in range(20)]
    for n, c in enumerate(sessions):
        c.deliver(message(f'number {n}'), bob)
    for c in sessions:
        c.close()
    assert len(local.mailbox(bob)) == 20


def test_what_became_of_it(local, bob):
    """XFATE is for the user who submitted it, not for others of this machine."""
    with connect(local) as c:
        c.envelope(bob)
        mid = c.data(message('asked for'), 250).text.split()[-1]
        c.send(f'XFATE {mid} WAIT=10\r\n'.encode())
        assert c.line().endswith(b' FINAL=1')
        assert c.line().startswith(f'250-mailbox {bob} '.encode())
        assert c.line() == b'250 End'
    if os.geteuid() == 0:
        r = speak(local, 'EHLO host.example', f'XFATE {mid}')
        assert r[-1].startswith('550 5.1.0')
