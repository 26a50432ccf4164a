# SPDX-License-Identifier: ISC
"""Mail leaves: static routes to servers that behave, and to servers that do not."""
import email
import email.policy
import os
import subprocess
import tempfile

import pytest

from harness import eventually, message
from peer import CLOSE, LOST_REPLY, STALL, USUAL, Peer

RETRY = 'queue retry 1s'


@pytest.fixture
def peer():
    with Peer() as p:
        yield p


def relay(make_server, peer, settings='', **kw):
    """A server that sends everything that is not its own to the peer, for clients on loopback."""
    return make_server(f'relay-from 127.0.0.0/8\nroute * smtp {peer.address}\n{RETRY}\n{settings}', **kw)


def send(server, *to, sender='sender@example.com', body=None, params=''):
    body = body or message()
    with server.smtp() as c:
        reply = c.deliver(body, *to, sender=sender, params=params)
        c.quit()
    return reply.text.split()[-1], body


def queue(server):
    return server.json('queue', 'list')


def drained(server):
    return eventually(lambda: server.balance()['queued'] == 0, 'the queue is empty')


def rows(server, mid):
    return server.json('trace', mid)


def reports(server, user):
    return [email.message_from_bytes(m, policy=email.policy.default) for m in server.mailbox(user)]


def test_relayed(make_server, peer):
    server = relay(make_server, peer)
    mid, body = send(server, 'bob@example.com')
    (d,) = peer.wait()
    assert d.sender == 'sender@example.com' and d.to == ['bob@example.com']
    assert d.data.endswith(body)
    assert mid in d.header('Received')
    drained(server)
    assert server.balance()['relayed'] == 1
    story = rows(server, mid)
    told = [r for r in story if '250 2.0.0 kept' in str(r) or 'kept' in str(r)]
    assert told and peer.address.split(':')[1] in str(story), story


def test_nobody_else_relays(make_server, peer):
    server = make_server(f'route * smtp {peer.address}')
    with server.smtp() as c:
        c.mail()
        assert c.rcpt('bob@example.com', expect=550).status == '5.7.1'


def test_recipients_share_a_transaction(make_server, peer):
    server = relay(make_server, peer)
    send(server, *[f'r{i}@example.com' for i in range(20)])
    (d,) = peer.wait()
    assert sorted(d.to) == sorted(f'r{i}@example.com' for i in range(20))
    drained(server)
    assert server.balance()['relayed'] == 20


def test_messages_share_a_connection(make_server, peer):
    server = relay(make_server, peer, 'queue per-destination 1')
    for _ in range(10):
        send(server, 'bob@example.com')
    peer.wait(10)
    drained(server)
    assert peer.connections < 10


def test_later(make_server, peer):
    heard = []

    def first_no(peer, line):
        heard.append(line)
        return '450 4.2.1 come back' if len(heard) == 1 else USUAL

    peer.rules['RCPT'] = first_no
    server = relay(make_server, peer)
    mid, body = send(server, 'bob@example.com')
    (d,) = peer.wait()
    assert d.data.endswith(body)
    drained(server)
    assert any('come back' in str(r) for r in rows(server, mid))


def test_refused_comes_back(make_server, peer):
    peer.rules['RCPT nobody@example.com'] = '550 5.1.1 no such user'
    server = relay(make_server, peer)
    user = server.account()
    mid, body = send(server, 'nobody@example.com', 'bob@example.com', sender=user, params='RET=FULL ENVID=abc')
    (d,) = peer.wait()
    assert d.to == ['bob@example.com']
    drained(server)
    (report,) = eventually(lambda: reports(server, user), 'a report')
    assert report['Return-Path'] == '<>'
    assert report.get_content_type() == 'multipart/report'
    assert report.get_param('report-type') == 'delivery-status'
    text, status, original = report.iter_parts()
    assert status.get_content_type() == 'message/delivery-status'
    told = status.as_string()
    assert 'Final-Recipient: rfc822;nobody@example.com' in told.replace('rfc822; ', 'rfc822;')
    assert 'Action: failed' in told and 'Status: 5.1.1' in told and '550 5.1.1 no such user' in told
    assert 'Original-Envelope-Id: abc' in told
    assert original.get_content_type() == 'message/rfc822'
    assert b'Hello.' in original.as_bytes()
    assert server.balance()['bounced'] == 1
    assert 'no such user' in text.get_content()


def test_null_sender_never_gets_a_report(make_server, peer):
    peer.rules['RCPT'] = '550 5.1.1 no such user'
    server = relay(make_server, peer)
    send(server, 'nobody@example.com', sender='')
    drained(server)
    books = server.balance()
    assert books['bounced'] == 1 and books['accepted'] == 1


@pytest.mark.parametrize('how', [CLOSE, '421 4.3.2 going down', '451 4.3.0 not now', b'\xff\x00\r\n', b'250-endless\r\n' * 20000], ids=['closes', '421', '451', 'garbage', 'endless'])
@pytest.mark.parametrize('step', ['connect', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'end'])
def test_trouble_at_every_step(make_server, step, how):
    """It stays in the queue, and arrives once when the server has become good."""
    with Peer(extensions=('8BITMIME', 'SIZE 52428800')) as p:
        troubled = []

        def trouble(peer, line):
            troubled.append(line)
            if len(troubled) > 1:
                peer.rules.pop(step, None)
            return how

        p.rules[step] = trouble
        server = relay(make_server, p)
        _, body = send(server, 'bob@example.com')
        deliveries = p.wait()
        drained(server)
        assert len(deliveries) == 1 and deliveries[0].data.endswith(body)
        assert server.balance()['relayed'] == 1


@pytest.mark.parametrize('step', ['connect', 'EHLO', 'MAIL', 'DATA', 'end'])
def test_server_that_stalls_delays_nobody_else(make_server, step):
    with Peer(extensions=('8BITMIME',), rules={step: STALL}) as bad, Peer() as good:
        server = make_server(
            f'relay-from 127.0.0.0/8\nroute slow.example smtp {bad.address}\nroute * smtp {good.address}\nqueue per-destination 2\n{RETRY}'
        )
        for i in range(5):
            send(server, f'r{i}@slow.example')
        bad.wait_for(lambda p: p.connections > 0, 'a connection')
        send(server, 'bob@example.com')
        good.wait()
        eventually(lambda: server.balance()['queued'] == 5, 'five are left')


def test_lost_reply_may_double_but_not_lose(make_server, peer):
    """RFC 5321 4.5.3.2.6: whoever does not hear the reply sends again."""
    peer.rules['end'] = lambda p, line: LOST_REPLY if p.connections == 1 else USUAL
    server = relay(make_server, peer)
    send(server, 'bob@example.com')
    peer.wait(2)
    drained(server)
    assert server.balance()['relayed'] == 1


def test_dead_host_then_back(make_server):
    with Peer() as p:
        port = p.port
        address = p.address
    server = make_server(f'relay-from 127.0.0.0/8\nroute * smtp {address}\n{RETRY}')
    mid, body = send(server, 'bob@example.com')
    eventually(lambda: any('refused' in str(r).lower() for r in rows(server, mid)), 'an attempt that failed')
    with Peer(port=port) as p:
        (d,) = p.wait()
        assert d.data.endswith(body)
        drained(server)


def test_killed_while_relaying(make_server):
    """SIGKILL of send: what it held returns to the queue."""
    with Peer(rules={'end': STALL}) as p:
        server = relay(make_server, p)
        _, body = send(server, 'bob@example.com')
        p.wait_line(r'^END')
        os.kill(server.roles()['send', 0], 9)
        p.rules.pop('end')
        deliveries = p.wait()
        drained(server)
        assert all(d.data.endswith(body) for d in deliveries)


def test_hold_release_drop_fail(make_server, peer):
    server = relay(make_server, peer)
    user = server.account()
    peer.rules['RCPT'] = '450 4.2.1 later'
    ids = [send(server, f'r{i}@example.com', sender=user)[0] for i in range(3)]
    eventually(lambda: len(queue(server)) == 3, 'three in the queue')
    for mid in ids:
        server.cli('queue', 'hold', mid)
    peer.rules.clear()
    assert server.balance()['queued'] == 3
    server.cli('queue', 'drop', ids[0])
    server.cli('queue', 'fail', ids[1])
    server.cli('queue', 'release', ids[2])
    (d,) = peer.wait()
    assert d.to == ['r2@example.com']
    drained(server)
    books = server.balance()
    assert (books['discarded'], books['bounced'], books['relayed']) == (1, 1, 1)
    (report,) = eventually(lambda: reports(server, user), 'a report')
    assert 'r1@example.com' in report.as_string()


def test_all_messages_unchanged(make_server, peer, data):
    """Real messages, byte for byte, behind our trace header."""
    server = relay(make_server, peer, 'bare-newlines normalise')
    folder = os.path.join(data, 'messages')
    sent = []
    for root, _, names in sorted(os.walk(folder)):
        for name in sorted(names)[:40]:
            with open(os.path.join(root, name), 'rb') as f:
                raw = f.read()
            body = raw.replace(b'\r\n', b'\n').replace(b'\r', b'\n').replace(b'\n', b'\r\n')
            if not name.endswith('.eml') or not body.endswith(b'\r\n') or len(body) > 1 << 20:
                continue
            with server.smtp() as c:
                c.envelope('bob@example.com', params='BODY=8BITMIME')
                reply = c.data(body)
                if reply.code == 250:
                    sent.append(body)
    assert len(sent) > 20
    peer.wait(len(sent))
    got = [d.data for d in peer.deliveries]
    for body in sent:
        assert any(g.endswith(body) for g in got), body[:300]
    drained(server)


def test_lmtp_next_hop(make_server):
    with Peer(lmtp=True, rules={'end full@example.com': '452 4.2.2 full', 'end bad@example.com': '550 5.1.1 no'}) as p:
        server = make_server(f'relay-from 127.0.0.0/8\nroute * lmtp {p.address}\n{RETRY}')
        user = server.account()
        send(server, 'bob@example.com', 'full@example.com', 'bad@example.com', sender=user)
        p.wait()
        eventually(lambda: server.balance()['bounced'] == 1, 'a bounce')
        p.rules.pop('end full@example.com')
        p.wait(2)
        drained(server)
        assert sorted(d.to[0] for d in p.deliveries) == ['bob@example.com', 'full@example.com']


def test_alias_forwards_and_bounces_find_back(make_server, peer):
    server = make_server(f'route * smtp {peer.address}\n{RETRY}')
    server.cli('alias', 'add', 'fwd@example.org', 'carol@example.com')
    send(server, 'fwd@example.org', sender='author@elsewhere.example')
    (d,) = peer.wait()
    assert d.to == ['carol@example.com']
    assert d.sender.lower().startswith('srs0') and d.sender.endswith('@example.org'), d.sender
    with server.smtp() as c:
        c.deliver(message('report'), d.sender, sender='')
        c.mail(sender='')
        wrong = d.sender.replace('=', '=A', 1)
        assert c.rcpt(wrong, expect=550).code == 550
    peer.wait(2)
    assert peer.deliveries[1].to == ['author@elsewhere.example'] and peer.deliveries[1].sender == ''
    drained(server)


def test_local_service(make_server, peer):
    """Programs of this machine, through sendmail."""
    server = make_server(start=False)
    socket = os.path.join(server.folder, 'submit')
    server.settings = f'listen local unix:{socket}\nroute * smtp {peer.address}\n{RETRY}'
    server.write_config()
    server.start()
    user = server.account()
    link = os.path.join(server.folder, 'sendmail')
    os.symlink(server.binary, link)
    env = dict(server.env, POMBO_SUBMIT=f'unix:{socket}')
    text = b'Subject: from a program\nTo: bob@example.com\nBcc: ' + user.encode() + b'\n\nHello.\n'
    subprocess.run([link, '-t', '-i', '-f', 'daemon@example.org'], input=text, env=env, check=True, timeout=60)
    (d,) = peer.wait()
    assert d.to == ['bob@example.com'] and d.sender == 'daemon@example.org'
    assert d.header('From') and d.header('Date') and d.header('Message-ID') and not d.header('Bcc')
    assert eventually(lambda: server.mailbox(user), 'the blind copy')
    drained(server)
    # beside those of the header, and over a way that needs no TLS (RFC 8689)
    text = b'Subject: again\nTo: postmaster@example.org\n\nHello.\n'
    subprocess.run([link, '-t', '-O', 'requiretls=yes', '-f', user, user], input=text, env=env, check=True, timeout=60)
    assert len(server.mailbox(user)) == 2
    # more than one message may have
    many = [user.replace('@', f'+{i}@') for i in range(250)]
    subprocess.run([link, '-i', *many], input=b'Subject: many\n\n', env=env, check=True, timeout=60)
    assert len(server.mailbox(user)) == 5 and server.check_balance()['accepted'] > 250
    r = subprocess.run([link, '-i', *many[:150], 'nobody@example.org'], input=b'Subject: many\n\n', env=env, capture_output=True, timeout=60)
    assert r.returncode == 67 and r.stderr.count(b'\n') == 1
    # all at once
    said = f'EHLO x\nMAIL FROM:<{user}>\nRCPT TO:<{user}>\nDATA\nFrom: {user}\nSubject: at once\n\nHello.\n..\n.\nQUIT\n'
    within = said.replace('\n', '\r\n').replace('Hello.', 'Hello.\n.\nMAIL FROM:<evil@example.com>\n')
    for text, taken in ((said, 1), (said.replace('\n', '\r\n'), 1), ('QUIT\r\n', 0), (within, 0), (said.replace(user, 'nobody@example.org', 2), 0)):
        before = len(server.mailbox(user))
        with tempfile.TemporaryFile() as f:
            f.write(text.encode())
            f.seek(0)
            r = subprocess.run([link, '-bs'], stdin=f, env=env, capture_output=True, timeout=60)
        assert r.stdout.startswith(b'220 ') and (b'\n221 ' in r.stdout) == ('nobody' not in text), r.stdout
        assert len(server.mailbox(user)) == before + taken, r.stdout
        assert b'evil' not in r.stdout and r.stdout.count(b'\n354 ') == ('DATA' in text and 'nobody' not in text)
    # step by step
    with subprocess.Popen([link, '-bs'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as p:
        assert p.stdout.readline().startswith(b'220 ')
        for line in ('HELO x', f'MAIL FROM:<{user}>', f'RCPT TO:<{user}>', f'BDAT {len(user) + 10} LAST\r\nFrom: {user}\r\n\r\n', 'NOOP', 'QUIT'):
            p.stdin.write(line.encode() + b'\r\n' * (not line.endswith('\n')))
            p.stdin.flush()
            assert p.stdout.readline().startswith(b'2')
        assert p.wait(60) == 0
    assert len(server.mailbox(user)) == before + 1
    r = subprocess.run([link, 'bob@example.com'], input=b'x', env=dict(env, POMBO_SUBMIT='unix:/nonexistent/socket'), capture_output=True, timeout=60)
    assert r.returncode == 75
