# SPDX-License-Identifier: ISC
"""Any box alone: in front of inner servers, as a backup, behind a smarthost, as the mailboxes of another server by LMTP; and which reports are written then."""
import concurrent.futures
import os
import time

import pytest

from certificates import Authority
from harness import Server, eventually, free_ports, message
from peer import STALL, Peer
from relaying import RETRY, delivered, drained, relay_server, report, reports, send, start, status_fields, told

dnsworld = pytest.importorskip('dnsworld', reason='python3-dnspython is not installed')


def inner_server(make_server, hop, domains=(), settings='', **kw):
    """example.net has its mailboxes elsewhere."""
    return make_server(f'{RETRY}\n{settings}', domains=['example.org', f'example.net {{ relay {hop} }}', *domains], services=('smtp', 'pop3'), **kw)


def rcpt(server, *addresses, sender='sender@example.com'):
    """What each is told."""
    with server.smtp() as c:
        c.mail(sender)
        replies = [c.cmd(f'RCPT TO:<{a}>') for a in addresses]
        c.quit()
    return replies


# --- inner servers ---


def test_recipients_are_asked_for(make_server):
    """While the client waits: nothing bounces later. What was said is remembered."""
    with Peer(rules={'RCPT nobody@example.net': '550 5.1.1 no such user', 'RCPT later@example.net': '450 4.2.1 not now'}) as peer:
        server = inner_server(make_server, f'smtp {peer.address}')
        good, bad, later = rcpt(server, 'bob@example.net', 'nobody@example.net', 'later@example.net')
        assert good.code == 250
        assert (bad.code, bad.status) == (550, '5.1.1') and 'no such user' in bad.text
        assert later.code == 450
        assert not peer.deliveries and 'MAIL FROM:<>' in [line[:12] for line in peer.lines]
        asked = peer.connections
        assert [r.code for r in rcpt(server, 'bob@example.NET', 'nobody@EXAMPLE.net')] == [250, 550]
        assert peer.connections == asked
        with server.smtp() as c:
            c.deliver(message('for bob'), 'bob@example.net')
        [d] = peer.wait()
        assert d.to == ['bob@example.net'] and d.sender == 'sender@example.com'
        drained(server)
        assert server.balance()['accepted'] == 1


def test_an_inner_server_that_is_away(make_server):
    """Clients come back later; who was asked for before is still let in, and his mail waits."""
    [port] = free_ports(1)
    server = inner_server(make_server, f'smtp 127.0.0.1:{port}')
    with Peer(port=port):
        assert rcpt(server, 'known@example.net')[0].code == 250
    begun = time.monotonic()
    [known, unknown] = rcpt(server, 'known@example.net', 'other@example.net')
    assert known.code == 250 and (unknown.code, unknown.status) == (451, '4.4.1')
    assert time.monotonic() - begun < 8
    with server.smtp() as c:
        body = message('waits')
        c.deliver(body, 'known@example.net')
    with Peer(port=port) as peer:
        [d] = peer.wait()
        assert d.data.endswith(body)
        drained(server)


def test_inner_servers_that_say_nothing(make_server):
    """The client is told to come back in a few seconds; it is not kept."""
    with Peer(rules={'connect': STALL}) as one, Peer(rules={'EHLO': STALL}) as two, Peer(rules={'RCPT': STALL}) as three:
        domains = [f'd{p.port}.test {{ relay smtp {p.address} }}' for p in (one, two, three)]
        server = make_server(domains=domains, services=('smtp',))
        begun = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor() as at_once:
            replies = list(at_once.map(lambda peer: rcpt(server, f'bob@d{peer.port}.test')[0], (one, two, three)))
        assert [r.code for r in replies] == [451] * 3 and time.monotonic() - begun < 10


def test_inner_servers_by_lmtp(make_server):
    with Peer(lmtp=True, rules={'RCPT nobody@example.net': '550 5.1.1 no such user'}) as peer:
        server = inner_server(make_server, f'lmtp {peer.address}')
        assert [r.code for r in rcpt(server, 'bob@example.net', 'nobody@example.net')] == [250, 550]
        with server.smtp() as c:
            c.deliver(message(), 'bob@example.net', 'carol@example.net')
        peer.wait(2)
        drained(server)


def test_an_inner_server_with_tls(make_server, tmp_path):
    authority = Authority(tmp_path)
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.sign('inner'))
    with Peer(tls=context) as peer:
        server = inner_server(make_server, f'smtp {peer.address}')
        with server.smtp() as c:
            c.deliver(message(), 'bob@example.net')
        [d] = peer.wait()
        assert d.tls
        drained(server)


def test_pombo_behind_pombo(make_server):
    """A gateway, and a server with the mailboxes behind it that takes mail by LMTP: recipients, quotas and bounces are right."""
    back = Server(domains=['example.net'], services=('lmtp', 'pop3'))
    try:
        back.start()
        bob, full = back.account('bob@example.net'), back.account('full@example.net')
        front = inner_server(make_server, f'lmtp 127.0.0.1:{back.ports["lmtp"]}')
        assert [r.code for r in rcpt(front, bob, full, 'nobody@example.net')] == [250, 250, 550]
        back.cli('account', 'quota', full, '1K')
        body = message('through', body='x' * 70 + '\r\n' + '.\r\n..\r\n' + 'y' * 900)
        with front.smtp() as c:
            c.envelope(bob, full)
            c.data(body, 250)
        [got] = eventually(lambda: back.mailbox(bob), 'it is there')
        assert got.endswith(body) and got.count(b'Received: ') == 2 and b'with LMTP' in got
        [row] = eventually(lambda: [row for row in front.json('queue', 'list') if '4.2.2' in str(row)], 'one waits')
        assert full in str(row)
        back.cli('account', 'quota', full, '1M')
        drained(front)
        assert len(back.mailbox(full)) == 1 and len(back.mailbox(bob)) == 1
    finally:
        back.close()


# --- backup ---


def test_backup(make_server, session_dns):
    """The DNS names the main server and us: mail comes to us while it is away, and goes to it when it is back."""
    [port] = free_ports(1)
    session_dns.zone('backup.test', '@ MX 10 main', '@ MX 20 mx.example.org.', 'main A 127.0.0.41')
    session_dns.load()
    server = inner_server(make_server, 'smtp 127.0.0.41:%d' % port, domains=['backup.test { relay smtp main.backup.test:%d }' % port], settings=session_dns.settings)
    with Peer('127.0.0.41', port):
        assert rcpt(server, 'bob@backup.test')[0].code == 250
    with server.smtp() as c:
        body = message()
        c.deliver(body, 'bob@backup.test')
    assert server.balance()['queued'] == 1
    with Peer('127.0.0.41', port) as main:
        [d] = main.wait()
        assert d.data.endswith(body)
        drained(server)


# --- a smarthost ---


@pytest.fixture(scope='module')
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp('authority'))


@pytest.fixture
def smarthost(authority):
    """smarthost(name, ...): a server with TLS and logins."""
    import contextlib
    import ssl

    with contextlib.ExitStack() as stack:

        def make(name='right', **kw):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*authority.sign(name))
            return stack.enter_context(Peer(tls=context, logins={'example': 'pass word'}, **kw))

        yield make


def password_file(tmp_path, text='pass word\n'):
    """Root's, and of nobody else's business."""
    path = tmp_path / 'password'
    path.write_text(text)
    os.chmod(path, 0o600)
    return path


@pytest.mark.parametrize('implicit', [False, True], ids=['starttls', 'smtps'])
def test_smarthost(make_server, smarthost, authority, tmp_path, implicit):
    host = smarthost(implicit=implicit)
    server = start(relay_server(f'tls authorities {authority.pem}\nroute * {"smtps" if implicit else "smtp"} {host.address} tls verified user example password-file {password_file(tmp_path)}',
                                make=make_server))
    mail = send(server, 'bob@example.com', 'carol@elsewhere.test')
    assert ' verified ' in told(mail, 'relayed').security
    [d] = host.deliveries
    assert d.login == 'example' and d.tls and sorted(d.to) == ['bob@example.com', 'carol@elsewhere.test']
    assert 'pass word' not in server.log()


def test_smarthost_with_another_password(make_server, smarthost, authority, tmp_path):
    """It waits: the administrator can mend that. A file that is changed is read again."""
    host = smarthost()
    path = password_file(tmp_path, 'wrong\n')
    server = start(relay_server(f'tls authorities {authority.pem}\nroute * smtp {host.address} tls verified user example password-file {path}', make=make_server))
    mail = send(server, 'bob@example.com')
    fate = told(mail, 'delayed')
    assert '535' in fate.reply and fate.status.startswith('4.7')
    path.write_text('pass word\n')
    server.reload()
    delivered(mail)


def test_no_password_for_somebody_else(make_server, smarthost, authority, tmp_path):
    """A certificate that is not the smarthost's, or none: the password stays here."""
    import ssl

    other = Authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*other.sign('other'))
    with Peer(tls=context, logins={'example': 'pass word'}) as host, Peer(logins={'example': 'pass word'}) as plain:
        way = f'user example password-file {password_file(tmp_path)}'
        server = start(relay_server(f'tls authorities {authority.pem}\nroute plain.test smtp {plain.address} {way}\nroute * smtp {host.address} tls verified {way}', make=make_server))
        for address in ('bob@example.com', 'bob@plain.test'):
            fate = told(send(server, address), 'delayed')
            assert fate.status.startswith('4.7'), fate
        for peer in (host, plain):
            assert not [line for line in peer.lines if line.startswith(('AUTH', 'MAIL'))], peer.lines


def test_routes_by_sender(make_server):
    with Peer() as one, Peer() as two, Peer() as rest:
        server = start(relay_server(f'route * smtp {one.address} sender alice@example.org\nroute * smtp {two.address} sender example.net\nroute .example.com smtp {rest.address}\n'
                                    f'route * smtp {one.address}', make=make_server))
        for sender, peer, to in (('alice@example.org', one, 'x@a.example.com'), ('Bob@Example.NET', two, 'x@a.example.com'), ('carol@example.org', rest, 'x@a.example.com'),
                                 ('carol@example.org', one, 'x@example.com')):
            fate = told(send(server, to, sender=sender), 'relayed')
            assert fate.host.endswith(f':{peer.port}'), (sender, fate)


# --- reports ---


@pytest.fixture(scope='module')
def hurried():
    """Delays are reported after a second, and all is given up after three."""
    ports = free_ports(10)
    server = start(relay_server('\n'.join(f'route way{i}.test smtp 127.0.0.1:{p}' for i, p in enumerate(ports)) + '\nqueue warn 1s expire 4s'))
    server.left = iter([(p, f'way{i}.test') for i, p in enumerate(ports)])
    server.hopeless = send(server, f'bob@{next(server.left)[1]}', sender='')  # nobody ever listens there
    yield server
    server.close()


def test_late_and_then_too_late(hurried):
    """RFC 3461 5.2.6, 5.2.4: one report of the delay, one of the failure, with what was heard last."""
    users = [hurried.account() for _ in range(4)]
    port, domain = next(hurried.left)
    with Peer(port=port, rules={'RCPT': '450 4.2.1 mailbox is being moved'}):
        asked = ['', 'NOTIFY=FAILURE', 'NOTIFY=DELAY', 'NOTIFY=NEVER']
        mails = [send(hurried, f'bob@{domain}', sender=user, rcpt_params=params) for user, params in zip(users, asked)]
        first = report(hurried, users[0])
        fields = status_fields(first)
        assert fields['action'] == 'delayed' and fields['status'] == '4.2.1' and 'being moved' in fields['diagnostic-code'] and fields['will-retry-until']
        assert told(mails[0], 'delayed').reply == '450 4.2.1 mailbox is being moved'
        for mail in mails:
            fate = told(mail, 'failed')
            assert fate.status in ('5.4.7', '4.4.7', '5.2.1'), fate
    eventually(lambda: len(reports(hurried, users[0])) == 2, 'the second report')
    by_user = [[status_fields(r)['action'] for r in reports(hurried, user)] for user in users]
    assert by_user == [['delayed', 'failed'], ['failed'], ['delayed'], []]
    [_, last] = reports(hurried, users[0])
    assert 'being moved' in last.as_string() and status_fields(last)['status'] in ('5.4.7', '4.4.7', '5.2.1')


def test_expired_without_a_server(hurried):
    fate = told(hurried.hopeless, 'failed')
    assert fate.status == '4.4.1' or 'refused' in fate.reply, fate


def test_success_is_handed_on(hurried):
    """RFC 3461 5.2.2: to a server that knows DSN; its matter from then on."""
    user = hurried.account()
    port, domain = next(hurried.left)
    with Peer(port=port) as peer:
        delivered(send(hurried, f'bob@{domain}', sender=user, params='RET=FULL ENVID=x1', rcpt_params='NOTIFY=SUCCESS,DELAY ORCPT=rfc822;robert@example.org'))
        [(_, params)] = peer.deliveries[0].rcpts
        assert sorted(params.split()) == ['NOTIFY=SUCCESS,DELAY', 'ORCPT=rfc822;robert@example.org']
        assert {'RET=FULL', 'ENVID=x1'} <= set(peer.deliveries[0].params.split())
    assert reports(hurried, user) == []


def test_success_with_a_server_that_does_not_know(hurried):
    """RFC 3461 5.2.2: relayed, and nobody knows what becomes of it."""
    user = hurried.account()
    port, domain = next(hurried.left)
    with Peer(port=port, extensions=('8BITMIME',)) as peer:
        mail = send(hurried, f'bob@{domain}', sender=user, params='ENVID=x2', rcpt_params='NOTIFY=SUCCESS ORCPT=rfc822;robert@example.org')
        delivered(mail)
        assert peer.deliveries[0].rcpts == [(f'bob@{domain}', '')] and 'ENVID' not in peer.deliveries[0].params
    got = report(hurried, user)
    fields = status_fields(got)
    assert fields['action'] == 'relayed' and fields['status'].startswith('2.') and fields['original-recipient'] == 'rfc822; robert@example.org'
    assert 'Original-Envelope-Id: x2' in got.as_string() and b'Hello.' not in got.as_bytes()


def test_success_by_lmtp(make_server):
    """Who speaks LMTP has delivered it."""
    with Peer(lmtp=True, extensions=('8BITMIME',)) as peer:
        server = start(relay_server(f'route * lmtp {peer.address}', make=make_server))
        user = server.account()
        send(server, 'bob@example.com', sender=user, rcpt_params='NOTIFY=SUCCESS')
        assert status_fields(report(server, user))['action'] == 'delivered'


@pytest.mark.parametrize('ret, whole', [('FULL', True), ('HDRS', False), (None, True)])
def test_what_is_returned(hurried, ret, whole):
    """RFC 3461 4.3."""
    user = hurried.account()
    port, domain = next(hurried.left)
    with Peer(port=port, rules={'RCPT': '550 5.1.1 no'}):
        told(send(hurried, f'bob@{domain}', sender=user, params=f'RET={ret}' if ret else ''), 'failed')
    [*_, returned] = report(hurried, user).iter_parts()
    assert returned.get_content_type() == ('message/rfc822' if whole else 'text/rfc822-headers')
    assert (b'Hello.' in returned.as_bytes()) == whole and b'Subject: test' in returned.as_bytes()
