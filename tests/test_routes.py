# SPDX-License-Identifier: ISC
"""The ways that mail takes: by MX in a DNS of our own (dnsworld.py), with what a connection has to prove; smarthosts; inner servers."""
import email
import email.policy
import hashlib
import ssl
import subprocess

import pytest

from certificates import Authority
from harness import eventually, free_ports, message
from peer import Peer

dnsworld = pytest.importorskip('dnsworld', reason='python3-dnspython is not installed')

FIRST, SECOND = '127.0.0.2', '127.0.0.3'
CLIENTS = 'relay-from 127.0.0.0/8\nqueue retry 300s'


@pytest.fixture(scope='module')
def authority(tmp_path_factory):
    a = Authority(tmp_path_factory.mktemp('authority'))
    a.sign('mx', names=('mx1.ways.test', 'mx1.dane.test'), addresses=(FIRST, '127.0.0.1'))
    return a


def key_digest(authority):
    """Of the public key, for TLSA 3 1 1."""
    pem = subprocess.run(['openssl', 'x509', '-in', authority.path('mx.pem'), '-noout', '-pubkey'], check=True, capture_output=True).stdout
    der = subprocess.run(['openssl', 'pkey', '-pubin', '-outform', 'DER'], input=pem, check=True, capture_output=True).stdout
    return hashlib.sha256(der).hexdigest()


@pytest.fixture(scope='module')
def world(session_dns, authority):
    w = session_dns
    (w.mx_port,) = free_ports(1)
    both = ('@ MX 10 mx1', '@ MX 20 mx2', f'mx1 A {FIRST}', f'mx2 A {SECOND}')
    w.zone('ways.test', *both)
    w.zone('open.test', *both, state='insecure')
    w.zone('null.test', '@ MX 0 .')
    w.zone('dane.test', *both[:1], both[2], f'_{w.mx_port}._tcp.mx1 TLSA 3 1 1 {key_digest(authority)}')
    w.zone('forged.test', *both[:1], both[2], f'_{w.mx_port}._tcp.mx1 TLSA 3 1 1 {"ab" * 32}')
    w.load()
    return w


@pytest.fixture
def peer(world):
    """What listens at an address of the DNS; closed at the end."""
    made = []

    def make(host=FIRST, port=None, **kw):
        made.append(Peer(host, world.mx_port if port is None else port, **kw))
        return made[-1]

    yield make
    for p in made:
        p.close()


def secured(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.path('mx.pem'), authority.path('mx.key'))
    return context


def by_mx(make_server, world, settings='', loopback='allow'):
    return make_server(f'{world.settings}\n{CLIENTS}\n{settings}\nroute * mx port {world.mx_port} loopback {loopback}')


def send(server, to, sender='alice@example.org'):
    with server.smtp() as c:
        reply = c.deliver(message(), to, sender=sender)
        c.quit()
    return reply.text.split()[-1]


def story(server, mid, word):
    """The trace, once it speaks of that."""
    return eventually(lambda: word in (t := str(server.json('trace', mid))) and t, f'the story of {mid} has {word}')


def test_hosts_by_preference(make_server, world, peer):
    server, first, second = by_mx(make_server, world), peer(), peer(SECOND)
    story(server, send(server, 'bob@ways.test'), 'mx1.ways.test')
    assert len(first.deliveries) == 1 and second.connections == 0
    first.close()
    mid = send(server, 'bob@ways.test')
    second.wait()
    assert f'mx2.ways.test[{SECOND}]' in story(server, mid, 'mx2.ways.test')


def test_domain_that_takes_no_mail(make_server, world):
    server = by_mx(make_server, world)
    server.account('alice@example.org')
    send(server, 'bob@null.test')
    (report,) = eventually(lambda: server.mailbox('alice@example.org'), 'a report')
    assert '5.1.10' in email.message_from_bytes(report, policy=email.policy.default).as_string()


def test_circles(make_server, world, peer):
    server, first = by_mx(make_server, world, loopback='refuse'), peer()
    story(server, send(server, 'bob@ways.test'), '5.4.6')
    assert first.connections == 0


def test_any_certificate_when_nobody_asks(make_server, world, peer, authority):
    server, first = by_mx(make_server, world), peer(tls=secured(authority))
    mid = send(server, 'bob@open.test')
    (d,) = first.wait()
    assert d.tls == 'TLSv1.3'
    assert 'unverified' in story(server, mid, 'TLSv1.3')


def test_dane(make_server, world, peer, authority):
    server, first = by_mx(make_server, world), peer(tls=secured(authority))
    mid = send(server, 'bob@dane.test')
    first.wait()
    assert 'dane' in story(server, mid, 'TLSv1.3')


def test_dane_that_does_not_hold(make_server, world, peer, authority):
    server, first = by_mx(make_server, world), peer(tls=secured(authority))
    mid = send(server, 'bob@forged.test')
    story(server, mid, '4.7.5')
    first.tls = None  # nor does it go in plaintext
    server.cli('queue', 'retry')
    story(server, mid, '4.7.4')
    assert not first.deliveries


def test_dns_that_fails(make_server, world, peer):
    server, first = by_mx(make_server, world), peer()
    world.script('broken.test', dnsworld.rcode('SERVFAIL'))
    story(server, send(server, 'bob@broken.test'), '4.4.3')
    assert first.connections == 0


# --- smarthosts ---


def smarthost(make_server, peer, authority, tmp_path, password='secret', known=None):
    path = tmp_path / 'password'
    path.write_text(f'{password}\n')
    path.chmod(0o600)
    return make_server(f'{CLIENTS}\ntls authorities {known or authority.pem}\n'
                       f'route * smtp {peer.address} tls verified user relay password-file {path}')


def test_smarthost_with_a_login(make_server, peer, authority, tmp_path):
    hub = peer('127.0.0.1', 0, tls=secured(authority), logins={'relay': 'secret'})
    server = smarthost(make_server, hub, authority, tmp_path)
    mid = send(server, 'bob@example.com')
    (d,) = hub.wait()
    assert d.login == 'relay' and d.tls == 'TLSv1.3'
    assert 'verified' in story(server, mid, 'TLSv1.3')


def test_smarthost_that_takes_no_such_login(make_server, peer, authority, tmp_path):
    hub = peer('127.0.0.1', 0, tls=secured(authority), logins={'relay': 'other'})
    server = smarthost(make_server, hub, authority, tmp_path)
    story(server, send(server, 'bob@example.com'), '535')
    assert not hub.deliveries and server.balance()['queued'] == 1


def test_smarthost_of_an_unknown_authority(make_server, peer, authority, tmp_path):
    hub = peer('127.0.0.1', 0, tls=secured(authority), logins={'relay': 'secret'})
    other = Authority(tmp_path)
    server = smarthost(make_server, hub, authority, tmp_path, known=other.pem)
    story(server, send(server, 'bob@example.com'), '4.7.5')
    assert not any(line.startswith('AUTH') for line in hub.lines)


# --- inner servers ---


def test_inner_server_is_asked(make_server, peer):
    inner = peer('127.0.0.1', 0, rules={'RCPT nobody@inner.test': '550 5.1.1 no such user'})
    server = make_server(f'domain inner.test {{ relay smtp {inner.address} }}')
    with server.smtp() as c:
        c.mail()
        c.rcpt('nobody@inner.test', expect=550)
        c.rcpt('bob@inner.test')
        c.data(message(), 250)
        c.quit()
    (d,) = inner.wait()
    assert d.to == ['bob@inner.test']
    eventually(lambda: server.balance()['queued'] == 0, 'the queue is empty')


def test_inner_server_that_is_away(make_server, peer):
    inner = peer('127.0.0.1', 0)
    server = make_server(f'domain inner.test {{ relay smtp {inner.address} }}')
    inner.close()
    with server.smtp() as c:
        c.mail()
        c.rcpt('bob@inner.test', expect=451)
        c.quit()
