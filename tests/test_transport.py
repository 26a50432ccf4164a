# SPDX-License-Identifier: ISC
"""How connections to other servers are secured: what DANE, MTA-STS, routes and messages ask for, what is told of it, and that nothing leaves in plaintext where it must not."""
import collections
import contextlib
import hashlib
import http.server
import itertools
import ssl
import threading

import pytest

from certificates import Authority
from harness import free_ports, message, run
from peer import CLOSE, EXTENSIONS, Peer
from relaying import forget, relay_server, send, start, told, trace

dnsworld = pytest.importorskip('dnsworld', reason='python3-dnspython is not installed')

A, B = '127.0.0.31', '127.0.0.32'
POLICIES = '127.0.0.33'  # of all domains' MTA-STS
numbers = itertools.count(1)
ROUTES = 12
routes = collections.defaultdict(lambda: iter(range(ROUTES)))
NOT_TLS = b'this is no handshake\r\n' * 10


@pytest.fixture(scope='module')
def port():
    return free_ports(1)[0]


@pytest.fixture(scope='module')
def authority(tmp_path_factory):
    """Of it: right, for the names of all hosts; elsewhere, for another name. Of nobody: own."""
    folder = tmp_path_factory.mktemp('authority')
    known = Authority(folder)
    known.sign('right', names=('*.tls.test', '*.sts.test', '*.plain-tls.test'), addresses=(A,))
    known.sign('elsewhere', names=('mx.elsewhere.test',), addresses=())
    known.sign('ended', names=('*.tls.test',))
    known.end('ended')
    run('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=own', '-addext',
        'subjectAltName=DNS:*.tls.test,DNS:*.sts.test', '-keyout', known.path('own.key'), '-out', known.path('own.pem'))
    with open(known.path('chain.pem'), 'w') as f:
        f.write(open(known.path('right.pem')).read() + open(known.pem).read())
    return known


@pytest.fixture(scope='module')
def certificate(authority):
    """certificate(name): for a peer that shows it."""

    def context(name):
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        c.load_cert_chain(authority.path(f'{name}.pem'), authority.path(f'{"right" if name == "chain" else name}.key'))
        return c

    return context


def digest(pem):
    """SHA-256 of a certificate's public key, as TLSA 3 1 1 has it."""
    text = run('openssl', 'x509', '-in', pem, '-noout', '-pubkey').stdout
    return hashlib.sha256(run('openssl', 'pkey', '-pubin', '-outform', 'der', input=text).stdout).hexdigest()


@pytest.fixture(scope='module')
def world(session_dns, authority, port):
    """Domains n1.KIND.tls.test, n2.KIND.tls.test ...: see domain()."""
    own, other, root = digest(authority.path('own.pem')), 'ab' * 32, digest(authority.pem)
    hosts = {
        'dane': f'3 1 1 {own}',
        'wrong': f'3 1 1 {other}',
        'both': f'3 1 1 {other}',
        'unusable': f'0 1 1 {own}',
        'short': '3 1 1 abcd',
        'issued': f'2 1 1 {root}',
        'strange': f'7 1 1 {own}',
        'hidden': f'3 1 1 {own}',
        'forged': f'3 1 1 {own}',
    }
    lines = [f'{h} A {A}' for h in hosts]
    lines += [f'_{port}._tcp.{h} TLSA {data}' for h, data in hosts.items()]
    lines += [f'*.{h}-domain MX 1 {h}' for h in hosts]
    lines += [f'_{port}._tcp.both TLSA 3 1 1 {own}', f'open A {A}', '*.open-domain MX 1 open', 'other-name CNAME dane', '*.cname-domain MX 1 other-name']
    lines += [f'second A {B}', '*.two-domain MX 1 wrong', '*.two-domain MX 2 second']
    session_dns.zone('tls.test', *lines)
    session_dns.zone('plain-tls.test', f'mx A {A}', f'_{port}._tcp.mx TLSA 3 1 1 {other}', '*.a MX 1 mx', '*.b MX 1 wrong.tls.test.', state='insecure')
    lines = [f'mx A {A}', f'deep.mx A {A}']
    for name, policy in POLICY.items():
        lines += [f'{name} MX 1 {policy.get("host", "mx")}', f'_mta-sts.{name} TXT "v=STSv1; id={policy.get("id", 1)};"', f'mta-sts.{name} A {POLICIES}']
    session_dns.zone('sts.test', *lines, state='insecure')
    session_dns.load()
    return session_dns


@pytest.fixture(scope='module')
def policies(authority):
    """Serves POLICY over HTTPS."""
    names = [f'mta-sts.{name}.sts.test' for name, policy in POLICY.items() if not policy.get('bad_certificate')]
    pem, key = authority.sign('policies', names=names, addresses=())
    try:
        server = PolicyServer((POLICIES, 443), Policies)
    except PermissionError:
        pytest.skip('port 443 is not ours')
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


class PolicyServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    asked = []

    def handle_error(self, request, client_address):
        """A client that did not like the certificate."""


class Policies(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        name = self.headers['Host'].removeprefix('mta-sts.').removesuffix('.sts.test')
        policy = POLICY[name]
        self.server.asked.append(name)
        text = policy.get('text') or sts(**{k: policy[k] for k in ('mode', 'mx', 'max_age') if k in policy})
        found = self.path == '/.well-known/mta-sts.txt'
        self.send_response(policy.get('code', 200) if found else 200)
        if found and 'location' in policy:
            self.send_header('Location', policy['location'])
        self.send_header('Content-Type', policy.get('type', 'text/plain'))
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *words):
        pass


def sts(mode='enforce', mx='*.sts.test', max_age=86400):
    return f'version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: {max_age}\r\n'


POLICY = {
    'enforce': {},
    'unknown': {},
    'not-offered': {},
    'kept': {},
    'testing': {'mode': 'testing'},
    'none': {'mode': 'none'},
    'other-host': {'mx': 'mail.elsewhere.test'},
    'two-labels': {'host': 'deep.mx'},
    'required': {},
    # bad-input 48: what is no policy
    'redirect': {'code': 302, 'location': 'https://mta-sts.enforce.sts.test/.well-known/mta-sts.txt'},
    'redirect-within': {'code': 301, 'location': '/elsewhere.txt'},
    'missing': {'code': 404},
    'large': {'text': sts() + 'x: ' + 'y' * 70000 + '\r\n'},
    'html': {'type': 'text/html'},
    'bad-certificate': {'bad_certificate': True},
    'no-version': {'text': 'mode: enforce\r\nmx: *.sts.test\r\nmax_age: 86400\r\n'},
    'empty': {'text': '\r\n'},
    # and what is one
    'for-ever': {'max_age': 999999999},
}


@pytest.fixture(scope='module')
def mta(world, port, authority):
    static = '\n'.join(
        f'route static{i}.{name}.test {hop}:{port} tls {tls}'
        for name, hop, tls in (('required', f'smtp {A}', 'required'), ('verified', 'smtp open.tls.test', 'verified'), ('address', f'smtp {A}', 'verified'),
                               ('never', f'smtp {A}', 'never'), ('smtps', f'smtps {A}', 'auto'))
        for i in range(ROUTES)
    )
    server = start(relay_server(f'{world.settings}\ntls authorities {authority.pem}\n{static}\nroute * mx port {port} loopback allow'))
    yield server
    world.scripts.clear()
    server.close()


@pytest.fixture
def there(port):
    """there(...): a server at A (or where `host` says), see Peer."""
    with contextlib.ExitStack() as stack:
        yield lambda host=A, **kw: stack.enter_context(Peer(host, port, **kw))


@pytest.fixture
def postman(mta):
    """postman.to(domain): a message is on its way. In the end none is left."""

    class Postman:
        sent = []

        def to(self, domain, **kw):
            self.sent.append(send(mta, f'bob@{domain}', **kw))
            return self.sent[-1]

    yield Postman()
    forget(Postman.sent)
    mta.check_log()


def fresh(kind):
    """A domain that nobody has sent to."""
    return f'n{next(numbers)}.{kind}'


def routed(kind):
    """The same, over a route of its own, so that no test meets another one's connections and failures."""
    return f'static{next(routes[kind])}.{kind}.test'


def taken(peer, mail, security):
    """It was taken, secured like that; every place that tells of it says so."""
    fate = told(mail, 'relayed')
    [d] = peer.deliveries
    if security == '':
        assert fate.security == '' and d.tls is None
    else:
        assert fate.security.startswith('TLSv1.3 TLS_AES_') and fate.security.split(' ', 2)[2] == security, fate
        assert d.tls == 'TLSv1.3'
    [row] = trace(mail, 'relayed')
    assert row['security'] == fate.security and row['host'] == fate.host


def put_off(peer, mail, status, words=''):
    """It waits, and the server has seen nothing of it."""
    fate = told(mail, 'delayed')
    assert fate.status == status and words in fate.reply, fate
    nothing_seen(peer)
    return fate


def nothing_seen(peer):
    assert not peer.deliveries
    assert not [line for line in peer.lines if line.upper().startswith(('MAIL', 'RCPT', 'DATA', 'AUTH', 'BDAT'))], peer.lines


# --- nobody asks for anything ---


def test_tls_when_it_is_offered(postman, there, certificate):
    taken(there(tls=certificate('own')), postman.to(fresh('open-domain.tls.test')), 'unverified')


def test_plaintext_when_it_is_not(postman, there):
    taken(there(), postman.to(fresh('open-domain.tls.test')), '')


@pytest.mark.parametrize('how', [{'handshake': NOT_TLS}, {'handshake': CLOSE}, {'STARTTLS': CLOSE}, {'STARTTLS': '454 4.7.0 not now'}, {'STARTTLS': '501 5.5.4 what'},
                                 {'STARTTLS': b'220 go\r\n250 injected\r\n', 'handshake': CLOSE}], ids=['garbage', 'closes', 'closes early', '454', '501', 'injected'])
def test_broken_tls(postman, there, certificate, how):
    """Better in plaintext than not at all, where nobody asks for more."""
    taken(there(tls=certificate('own'), rules=how), postman.to(fresh('open-domain.tls.test')), '')


# --- the route asks ---


@pytest.mark.parametrize('name', ['own', 'elsewhere', 'ended'])
def test_route_required(postman, there, certificate, name):
    taken(there(tls=certificate(name)), postman.to(routed('required')), 'unverified')


@pytest.mark.parametrize('kind', ['required', 'verified'])
@pytest.mark.parametrize('how', [None, {'handshake': NOT_TLS}, {'STARTTLS': '454 4.7.0 not now'}, {'STARTTLS': CLOSE}], ids=['not offered', 'garbage', '454', 'closes'])
def test_bad_input_08_tls_is_withheld(postman, there, certificate, kind, how):
    peer = there(tls=how and certificate('right'), rules=how)
    fate = told(postman.to(routed(kind)), 'delayed')
    assert fate.status in ('4.7.4', '4.7.0'), fate
    nothing_seen(peer)


def test_bad_input_07_answers_from_before_the_handshake(postman, there, certificate):
    """What came in plaintext behind 220 is no answer of the server that proves itself then."""
    context = certificate('right')
    peer = there(tls=context, rules={'STARTTLS': b'220 go\r\n250-mx.example\r\n250 AUTH PLAIN\r\n250 2.1.0 ok\r\n'})
    mail = postman.to(routed('verified'))
    told(mail, 'delayed', 'relayed')
    assert all(d.tls for d in peer.deliveries)


def test_route_verified(postman, there, certificate):
    taken(there(tls=certificate('right')), postman.to(routed('verified')), 'verified *.tls.test')


def test_route_verified_by_address(postman, there, certificate):
    taken(there(tls=certificate('right')), postman.to(routed('address')), f'verified {A}')


@pytest.mark.parametrize('name', ['own', 'elsewhere', 'ended'])
def test_route_verified_and_somebody_else(postman, there, certificate, name):
    put_off(there(tls=certificate(name)), postman.to(routed('verified')), '4.7.5')


def test_route_never(postman, there, certificate):
    peer = there(tls=certificate('right'))
    taken(peer, postman.to(routed('never')), '')
    assert 'STARTTLS' not in peer.lines


@pytest.mark.parametrize('name', ['right', 'own'])
def test_route_smtps(postman, there, certificate, name):
    taken(there(tls=certificate(name), implicit=True), postman.to(routed('smtps')), 'unverified')


# --- DANE ---


@pytest.mark.parametrize('kind', ['dane', 'both', 'cname'])
def test_dane(postman, there, certificate, kind):
    """RFC 7672: a key that the DNS names, whatever else the certificate says."""
    peer = there(tls=certificate('own'))
    mail = postman.to(fresh(f'{kind}-domain.tls.test'))
    fate = told(mail, 'relayed')
    assert ' dane' in fate.security and peer.deliveries[0].tls


def test_dane_by_an_authority(postman, there, certificate):
    taken(there(tls=certificate('chain')), postman.to(fresh('issued-domain.tls.test')), 'dane *.tls.test')


@pytest.mark.parametrize('name', ['own', 'right', 'ended'])
def test_bad_input_47_dane_mismatch(postman, there, certificate, name):
    put_off(there(tls=certificate(name)), postman.to(fresh('wrong-domain.tls.test')), '4.7.5')


def test_dane_by_an_authority_for_another_name(postman, there, certificate):
    put_off(there(tls=certificate('elsewhere')), postman.to(fresh('issued-domain.tls.test')), '4.7.5')


@pytest.mark.parametrize('kind', ['unusable', 'short', 'strange'])
def test_bad_input_47_dane_unusable(postman, there, certificate, kind):
    """RFC 7672 2.2: TLS, with anybody."""
    taken(there(tls=certificate('own')), postman.to(fresh(f'{kind}-domain.tls.test')), 'unverified')


@pytest.mark.parametrize('kind', ['dane', 'unusable', 'short'])
def test_bad_input_08_dane_and_no_tls(postman, there, kind):
    put_off(there(), postman.to(fresh(f'{kind}-domain.tls.test')), '4.7.4', 'DANE')


def test_dane_and_broken_tls(postman, there, certificate):
    put_off(there(tls=certificate('own'), rules={'handshake': NOT_TLS}), postman.to(fresh('dane-domain.tls.test')), '4.7.4')


@pytest.mark.parametrize('zone', ['a.plain-tls.test', 'b.plain-tls.test'])
def test_bad_input_47_dane_of_an_insecure_zone(postman, there, certificate, zone):
    """Anybody could have written that; also when it leads to a host of a signed zone."""
    taken(there(tls=certificate('own')), postman.to(fresh(zone)), 'unverified')


def test_dane_of_the_next_host(postman, there, certificate):
    """The first one is not who it should be, the second one need not prove anything."""
    first, second = there(tls=certificate('own')), there(B, tls=certificate('own'))
    taken(second, postman.to(fresh('two-domain.tls.test')), 'unverified')
    nothing_seen(first)


@pytest.mark.parametrize('host, answer, status', [('hidden', dnsworld.rcode('SERVFAIL'), '4.4.3'), ('forged', dnsworld.records(b'\3\1\1' + b'x' * 32), '4.7.5')])
def test_dane_that_cannot_be_known(postman, there, certificate, world, port, host, answer, status):
    """RFC 7672 2.1.1: who can suppress an answer must not get the mail by it."""
    world.script(f'_{port}._tcp.{host}.tls.test', answer, 'TLSA')
    put_off(there(tls=certificate('own')), postman.to(fresh(f'{host}-domain.tls.test')), status)


# --- MTA-STS ---


def test_sts(postman, there, certificate, policies):
    """RFC 8461."""
    taken(there(tls=certificate('right')), postman.to('enforce.sts.test'), 'verified *.sts.test')
    assert policies.asked.count('enforce') == 1


def test_sts_and_somebody_else(postman, there, certificate, policies):
    put_off(there(tls=certificate('own')), postman.to('unknown.sts.test'), '4.7.5')


def test_bad_input_08_sts_and_no_tls(postman, there, policies):
    put_off(there(), postman.to('not-offered.sts.test'), '4.7.4', 'MTA-STS')


def test_sts_does_not_name_the_host(postman, there, certificate, policies):
    peer = there(tls=certificate('right'))
    put_off(peer, postman.to('other-host.sts.test'), '4.7.5', 'MTA-STS')
    assert peer.connections == 0


def test_bad_input_48_a_wildcard_is_one_label(postman, there, certificate, policies):
    peer = there(tls=certificate('right'))
    put_off(peer, postman.to('two-labels.sts.test'), '4.7.5', 'MTA-STS')
    assert peer.connections == 0


@pytest.mark.parametrize('name', ['testing', 'none'])
def test_sts_without_force(postman, there, certificate, policies, name):
    taken(there(tls=certificate('own')), postman.to(f'{name}.sts.test'), 'unverified')


@pytest.mark.parametrize('name', ['redirect', 'redirect-within', 'missing', 'large', 'html', 'bad-certificate', 'no-version', 'empty'])
def test_bad_input_48_no_policy(postman, there, certificate, policies, name):
    taken(there(tls=certificate('own')), postman.to(f'{name}.sts.test'), 'unverified')


def test_bad_input_48_a_policy_for_ever(postman, there, certificate, policies):
    put_off(there(tls=certificate('own')), postman.to('for-ever.sts.test'), '4.7.5')


def test_sts_that_is_suppressed_later(mta, world, postman, there, certificate, policies):
    """RFC 8461 5.1: what was fetched holds for its time, over a restart, and with nobody to ask."""
    peer = there(tls=certificate('right'))
    taken(peer, postman.to('kept.sts.test'), 'verified *.sts.test')
    for name in ('_mta-sts', 'mta-sts'):
        world.script(f'{name}.kept.sts.test', dnsworld.rcode('NXDOMAIN'))
    mta.stop()
    start(mta)
    peer.deliveries.clear()
    peer.lines.clear()
    peer.tls = None
    put_off(peer, postman.to('kept.sts.test'), '4.7.4', 'MTA-STS')


# --- the message asks ---

REQUIRETLS = (*EXTENSIONS, 'REQUIRETLS')


def test_requiretls(postman, there, certificate):
    """RFC 8689: with DNSSEC to the host, and a certificate for it; the next server is told."""
    peer = there(tls=certificate('right'), extensions=REQUIRETLS)
    taken(peer, postman.to(fresh('open-domain.tls.test'), params='REQUIRETLS'), 'verified *.tls.test')
    assert 'REQUIRETLS' in peer.deliveries[0].params.split()


def test_requiretls_by_dane(postman, there, certificate):
    peer = there(tls=certificate('own'), extensions=REQUIRETLS)
    told(postman.to(fresh('dane-domain.tls.test'), params='REQUIRETLS'), 'relayed')
    assert 'REQUIRETLS' in peer.deliveries[0].params.split()


def test_requiretls_by_sts(postman, there, certificate, policies):
    peer = there(tls=certificate('right'), extensions=REQUIRETLS)
    told(postman.to('required.sts.test', params='REQUIRETLS'), 'relayed')
    assert 'REQUIRETLS' in peer.deliveries[0].params.split()


def test_requiretls_shares_no_connection(postman, there, certificate):
    """The one that is open proved nothing."""
    peer = there(tls=certificate('right'), extensions=REQUIRETLS)
    domain = fresh('open-domain.tls.test')
    told(postman.to(domain), 'relayed')
    fate = told(postman.to(domain, params='REQUIRETLS'), 'relayed')
    assert 'verified' in fate.security
    assert [d.connection for d in peer.deliveries] == [1, 2]


@pytest.mark.parametrize('domain, name, extensions', [('open-domain.tls.test', 'right', EXTENSIONS), ('b.plain-tls.test', 'right', REQUIRETLS), ('never', 'right', REQUIRETLS)],
                         ids=['unknown to the server', 'no way that can be trusted', 'the route says never'])
def test_requiretls_cannot_be(postman, there, certificate, domain, name, extensions):
    peer = there(tls=certificate(name), extensions=extensions)
    fate = told(postman.to(fresh(domain) if '.' in domain else routed(domain), params='REQUIRETLS', sender=''), 'failed')
    assert fate.status == '5.7.30', fate
    nothing_seen(peer)


def test_requiretls_and_somebody_else(postman, there, certificate):
    put_off(there(tls=certificate('own'), extensions=REQUIRETLS), postman.to(fresh('open-domain.tls.test'), params='REQUIRETLS'), '4.7.5')


@pytest.mark.parametrize('domain', ['wrong-domain.tls.test', 'other-host.sts.test'])
def test_the_sender_would_rather_have_it_delivered(postman, there, certificate, policies, domain):
    """RFC 8689 5: TLS-Required: No."""
    domain = fresh(domain) if 'tls' in domain else domain
    taken(there(tls=certificate('own')), postman.to(domain, body=message(TLS_Required='No')), 'unverified')
