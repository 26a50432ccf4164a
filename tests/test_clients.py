# SPDX-License-Identifier: ISC
"""Users' programs over TLS, certificates verified: they submit and fetch mail. What one machine lacks is skipped by its name."""
import base64
import email
import hashlib
import json
import mailbox
import os
import re
import shutil
import ssl
import subprocess
import tarfile

import pytest

from certificates import Authority
from harness import Connection, Server, Smtp, message, need, run, server_user
from scram import Scram

ALICE = 'alice@example.org'
NODEMAILER = 'nodemailer-9.1.1.tgz'  # ./dev deps fetches it


@pytest.fixture(scope='module')
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp('authority'))


@pytest.fixture(scope='module')
def mx(authority):
    """One edge: a ticket is good at the one that gave it."""
    server = Server(authority.setting() + '\nprocesses edge 1', services=('smtp', 'submission', 'submissions', 'pop3', 'pop3s')).start()
    try:
        server.account(ALICE)
        yield server
    finally:
        server.close()


@pytest.fixture
def bob(mx):
    """An account for one test's messages."""
    yield mx.account()
    mx.check_log()
    mx.check_balance()


def received(server, user):
    [text] = server.mailbox(user)
    return email.message_from_bytes(text)


def filled(server, user, n=3):
    with server.smtp() as c:
        for i in range(n):
            c.deliver(message(f'number {i}'), user)
        c.quit()


SUBJECTS = [f'number {i}' for i in range(3)]


def b64(data):
    return base64.b64encode(data).decode()


# --- SCRAM with channel bindings ---


def gsasl(server, authority, *words, user=ALICE, password='secret', expect=0):
    r = subprocess.run(
        [need('gsasl'), '--client', '--smtp', f'--connect=127.0.0.1:{server.ports["submission"]}', f'--x509-ca-file={authority.pem}',
         '--starttls', '--authentication-id', user, '--password', password, '--authorization-id', '', *words],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert r.returncode == expect, f'{r.stdout.decode()}\n{r.stderr.decode()}'
    return r.stdout.decode()


@pytest.mark.parametrize('priority,binding', [('NORMAL', 'tls-exporter'), ('NORMAL:-VERS-ALL:+VERS-TLS1.2', 'tls-unique')])
def test_client_gsasl_plus(mx, authority, priority, binding):
    """It takes tls-exporter with TLS 1.3 and tls-unique with TLS 1.2."""
    said = gsasl(mx, authority, '--verbose', '--priority', priority, '--mechanism', 'SCRAM-SHA-256-PLUS')
    assert '235 2.7.0' in said
    [first] = re.findall(r'^AUTH SCRAM-SHA-256-PLUS\n334 \n(\S+)', said.replace('\r', ''), re.M)
    assert base64.b64decode(first).startswith(f'p={binding},a=,n={ALICE},r='.encode())
    gsasl(mx, authority, '--priority', priority, '--mechanism', 'SCRAM-SHA-256-PLUS', password='wrong', expect=1)


def test_client_gsasl_chooses_the_best(mx, authority):
    assert 'AUTH SCRAM-SHA-256-PLUS' in gsasl(mx, authority, '--verbose')


@pytest.mark.parametrize('mechanism', ['SCRAM-SHA-256', 'PLAIN', 'LOGIN'])
def test_client_gsasl_without_binding(mx, authority, mechanism):
    gsasl(mx, authority, '--no-cb', '--mechanism', mechanism)


def channel(c, binding):
    """What the connection is called by the client's side of TLS."""
    if binding == 'tls-unique':
        return c.sock.get_channel_binding('tls-unique')
    assert binding == 'tls-server-end-point'
    return hashlib.sha256(c.sock.getpeercert(True)).digest()


def say(c, line):
    c.send(line + '\r\n')
    return c.line().decode()


def scram_login(c, scram, mechanism):
    """The server's last line."""
    line = say(c, f'AUTH {mechanism} {b64(scram.first())}')
    for step in (scram.final, lambda challenge: scram.proven(challenge) and b''):
        challenge = re.match(r'(?:334|\+) (\S+)$', line)
        if not challenge:
            return line
        line = say(c, b64(step(base64.b64decode(challenge.group(1)))))
    return line


def connected(server, service, context=None, session=None):
    c = Connection(server.ports[service])
    if service == 'pop3s':
        c.handshake(context, session=session)
        c.line()
        return c
    c.close()
    c = Smtp(server.ports[service], greet=False)
    c.handshake(context, session=session)
    c.expect(220)
    c.cmd('EHLO client.example.com', 250)
    return c


def tls12():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def is_welcome(line):
    return line.startswith(('235', '+OK'))


@pytest.mark.parametrize('service', ['submissions', 'pop3s'])
@pytest.mark.parametrize('binding', ['tls-unique', 'tls-server-end-point'])
def test_scram_plus(mx, service, binding):
    with connected(mx, service, tls12()) as c:
        assert not is_welcome(scram_login(c, Scram(ALICE, 'secret', binding, b'another channel'), 'SCRAM-SHA-256-PLUS'))
        assert not is_welcome(scram_login(c, Scram(ALICE, 'wrong', binding, channel(c, binding)), 'SCRAM-SHA-256-PLUS'))
        assert not is_welcome(scram_login(c, Scram(ALICE, 'secret', 'tls-unheard-of', channel(c, binding)), 'SCRAM-SHA-256-PLUS'))
        assert is_welcome(scram_login(c, Scram(ALICE, 'secret', binding, channel(c, binding)), 'SCRAM-SHA-256-PLUS'))


def test_scram_plus_over_a_resumed_session(mx):
    context = tls12()
    with connected(mx, 'submissions', context) as c:
        session = c.sock.session
    with connected(mx, 'submissions', context, session) as c:
        assert c.sock.session_reused
        assert is_welcome(scram_login(c, Scram(ALICE, 'secret', 'tls-unique', channel(c, 'tls-unique')), 'SCRAM-SHA-256-PLUS'))


@pytest.mark.parametrize('cipher', ['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256'])
def test_scram_plus_by_the_certificate_that_was_shown(make_server, authority, cipher):
    """A resumed session has the certificate of the first one, whichever of the two that was."""
    server = make_server('processes edge 1\n' + authority.setting('ecdsa') + '\n' + authority.setting('rsa', algorithm=('rsa:2048',)),
                         services=('submissions', 'pop3'))
    server.account(ALICE)
    context, session = tls12(), None
    context.set_ciphers(cipher)
    for resumed in (False, True, True):
        with connected(server, 'submissions', context, session) as c:
            assert c.sock.session_reused == resumed
            assert is_welcome(scram_login(c, Scram(ALICE, 'secret', 'tls-server-end-point', channel(c, 'tls-server-end-point')), 'SCRAM-SHA-256-PLUS'))
            session = c.sock.session


def test_tls_unique_is_none_of_tls_1_3(mx):
    """RFC 9266 1: it is not defined there."""
    with connected(mx, 'submissions') as c:
        assert not is_welcome(scram_login(c, Scram(ALICE, 'secret', 'tls-unique', c.sock.get_channel_binding('tls-unique')), 'SCRAM-SHA-256-PLUS'))
        assert is_welcome(scram_login(c, Scram(ALICE, 'secret', 'tls-server-end-point', channel(c, 'tls-server-end-point')), 'SCRAM-SHA-256-PLUS'))


def test_scram_hidden_offer(mx):
    """Somebody in between has taken -PLUS off the list (RFC 5802 6)."""
    with connected(mx, 'submissions') as c:
        assert not is_welcome(scram_login(c, Scram(ALICE, 'secret', flag='y'), 'SCRAM-SHA-256'))
        assert is_welcome(scram_login(c, Scram(ALICE, 'secret'), 'SCRAM-SHA-256'))


# --- certificates of clients (EXTERNAL) ---


@pytest.fixture(scope='module')
def asking(authority):
    """A server that asks clients for certificates. Alice has one, and Bob another and the one that both have."""
    server = Server(authority.setting('asking') + '\ntls client-certificates ask', services=('smtp', 'submission', 'submissions', 'pop3', 'pop3s')).start()
    try:
        server.account(ALICE)
        server.account('bob@example.org')
        for name in ('alice', 'bob', 'both', 'stranger'):
            authority.sign(name, names=(f'{name}.example.org',), addresses=())
        server.cli('account', 'certificate', 'add', ALICE, authority.path('alice.pem'))
        server.cli('account', 'certificate', 'add', 'bob@example.org', authority.path('bob.pem'))
        for user in (ALICE, 'bob@example.org'):
            server.cli('account', 'certificate', 'add', user, fingerprint(authority, 'both'))
        yield server
    finally:
        server.close()


def fingerprint(authority, name):
    said = run('openssl', 'x509', '-in', authority.path(f'{name}.pem'), '-noout', '-fingerprint', '-sha256').stdout.decode()
    return said.strip().split('=')[1]


def showing(authority, name):
    context = authority.context()
    if name:
        context.load_cert_chain(authority.path(f'{name}.pem'), authority.path(f'{name}.key'))
    return context


@pytest.mark.parametrize('service', ['submissions', 'pop3s'])
def test_external(asking, authority, service):
    for name, said, welcome in [
        ('alice', b64(ALICE.encode()), True),
        ('alice', '=', True),
        ('alice', b64(b'bob@example.org'), False),
        ('both', '=', False),  # it does not say who
        ('both', b64(b'bob@example.org'), True),
        ('stranger', '=', False),
        ('stranger', b64(ALICE.encode()), False),
        (None, b64(ALICE.encode()), False),
    ]:
        with connected(asking, service, showing(authority, name)) as c:
            assert is_welcome(say(c, f'AUTH EXTERNAL {said}')) == welcome, (name, said)
    assert f'mechanism=EXTERNAL user={ALICE}' in asking.log()


def test_external_is_offered_to_who_shows_a_certificate(asking, authority):
    for name, there in (('stranger', True), (None, False)):
        with Smtp(asking.ports['submission'], hello=None) as c:
            assert 'EXTERNAL' not in c.cmd('EHLO client.example.com', 250).text
            c.cmd('STARTTLS', 220)
            c.handshake(showing(authority, name))
            assert ('EXTERNAL' in c.cmd('EHLO client.example.com', 250).text) == there


def test_nobody_is_asked_on_port_25(asking, authority):
    with asking.smtp() as c:
        c.cmd('STARTTLS', 220)
        c.handshake(showing(authority, 'alice'))
        assert 'AUTH' not in c.cmd('EHLO client.example.com', 250).text
    said = subprocess.run(['openssl', 's_client', '-connect', f'127.0.0.1:{asking.ports["smtp"]}', '-starttls', 'smtp'], input=b'',
                          capture_output=True, timeout=30).stdout
    assert b'No client certificate CA names sent' in said and b'Requested Signature Algorithms' not in said


def test_certificates_of_an_account(asking, authority):
    user = asking.account()
    add = ('account', 'certificate', 'add', user)
    authority.sign('mine', names=('mine.example.org',), addresses=())
    asking.cli(*add, authority.path('mine.pem'))
    asking.cli(*add, fingerprint(authority, 'mine'), expect=73)
    with connected(asking, 'pop3s', showing(authority, 'mine')) as c:
        assert is_welcome(say(c, 'AUTH EXTERNAL ='))
    [row] = asking.json('account', 'certificate', 'list', user)
    assert row['name'] == fingerprint(authority, 'mine').replace(':', '').lower()
    assert row['expires'] > row['created'] and row['used'].startswith('20')  # the certificate's own end
    assert asking.json('account', 'app-password', 'list', user) == []
    asking.cli('account', 'certificate', 'remove', user, authority.path('mine.pem'))
    asking.cli('account', 'certificate', 'remove', user, authority.path('mine.pem'), expect=67)
    with connected(asking, 'pop3s', showing(authority, 'mine')) as c:
        assert not is_welcome(say(c, 'AUTH EXTERNAL ='))
    authority.end('mine')
    asking.cli(*add, authority.path('mine.pem'), expect=65)
    for words in ((), ('x', user), ('add', user), ('list',), ('list', user, '--expires', '1d'), ('add', user, 'f' * 64, '--expires', 'soon')):
        asking.cli('account', 'certificate', *words, expect=64)
    asking.cli(*add, authority.path('mine.key'), expect=65)
    asking.cli(*add, authority.path('none'), expect=66)


def test_client_gsasl_external(asking, authority):
    words = ('--mechanism', 'EXTERNAL', '--no-cb', f'--x509-cert-file={authority.path("alice.pem")}', f'--x509-key-file={authority.path("alice.key")}')
    gsasl(asking, authority, *words)


def test_client_curl_external(asking, authority, tmp_path):
    (tmp_path / 'text').write_text(f'From: {ALICE}\r\nSubject: external\r\n\r\nHello.\r\n')
    run(need('curl'), '-sS', '--ssl-reqd', '--cacert', authority.pem, '--cert', authority.path('alice.pem'), '--key', authority.path('alice.key'),
        f'smtps://localhost:{asking.ports["submissions"]}/client.example.com', '--user', f'{ALICE}:', '--login-options', 'AUTH=EXTERNAL',
        '--mail-from', ALICE, '--mail-rcpt', ALICE, '--upload-file', str(tmp_path / 'text'))
    assert len(asking.mailbox(ALICE)) == 1


# --- submission ---

# Debian 12's mutt takes SCRAM-SHA-256-PLUS when it is offered, does not know tls-exporter, and gives up: with TLS 1.3 it has to be told what to use.
MUTT_MECHANISMS = 'set smtp_authenticators="scram-sha-256:plain" pop_authenticators="scram-sha-256:plain"\n'


@pytest.mark.parametrize('service', ['submission', 'submissions'])
def test_client_mutt_sends(mx, authority, bob, service, tmp_path):
    (tmp_path / 'rc').write_text(
        f'set smtp_url="{"smtps" if service == "submissions" else "smtp"}://{ALICE}@localhost:{mx.ports[service]}/" smtp_pass=secret\n'
        f'set ssl_starttls=yes ssl_force_tls=yes ssl_ca_certificates_file={authority.pem} certificate_file={tmp_path}/none\n'
        f'set from={ALICE} hostname=example.org record="" copy=no\n' + MUTT_MECHANISMS
    )
    run(need('mutt'), '-F', str(tmp_path / 'rc'), '-s', 'gr\u00fc\u00dfe', bob, input='Hallo.\n'.encode(),
        env={'HOME': str(tmp_path), 'TERM': 'xterm', 'LC_ALL': 'C.UTF-8'})
    m = received(mx, bob)
    assert str(email.header.make_header(email.header.decode_header(m['Subject']))) == 'gr\u00fc\u00dfe'
    assert ' with ESMTPSA ' in m['Received'] or ' with UTF8SMTPSA ' in m['Received']


def test_client_mutt_where_scram_plus_is_refused(make_server, authority, tmp_path):
    """It has to be told nothing then."""
    server = make_server(authority.setting('again') + '\nscram-plus refuse', services=('submissions', 'pop3'))
    server.account(ALICE)
    (tmp_path / 'rc').write_text(
        f'set smtp_url="smtps://{ALICE}@localhost:{server.ports["submissions"]}/" smtp_pass=secret ssl_ca_certificates_file={authority.pem}\n'
        f'set certificate_file={tmp_path}/none from={ALICE} hostname=example.org record="" copy=no\n'
    )
    run(need('mutt'), '-F', str(tmp_path / 'rc'), '-s', 'plain', ALICE, input=b'x\n', env={'HOME': str(tmp_path), 'TERM': 'xterm'})
    assert received(server, ALICE)['Subject'] == 'plain'


def test_client_mutt_refuses_a_stranger(mx, bob, tmp_path):
    """That the other tests verify something."""
    (tmp_path / 'rc').write_text(
        f'set smtp_url="smtps://{ALICE}@localhost:{mx.ports["submissions"]}/" smtp_pass=secret\n'
        f'set ssl_ca_certificates_file="" certificate_file={tmp_path}/none from={ALICE} record="" copy=no\n'
    )
    r = subprocess.run([need('mutt'), '-F', str(tmp_path / 'rc'), '-s', 'x', bob], input=b'x\n', capture_output=True, timeout=60,
                       env=dict(os.environ, HOME=str(tmp_path), TERM='xterm'))
    assert r.returncode != 0
    assert mx.mailbox(bob) == []


@pytest.mark.parametrize('service', ['submission', 'submissions'])
def test_client_s_nail_sends(mx, authority, bob, service, tmp_path):
    user = ALICE.replace('@', '%40')
    scheme = 'smtps' if service == 'submissions' else 'smtp'
    run(need('s-nail'), '-:/', '-Sv15-compat=y', f'-Smta={scheme}://{user}:secret@localhost:{mx.ports[service]}', '-Ssmtp-use-starttls',
        f'-Stls-ca-file={authority.pem}', '-Stls-ca-no-defaults', '-Stls-verify=strict', '-Ssmtp-auth=plain', '-Sttycharset=utf-8',
        '-Shostname=client.example.com', f'-Sfrom={ALICE}', '-Snosave', '-s', 's-nail', bob, input=b'Hello.\n',
        env={'HOME': str(tmp_path), 'MAILRC': '/dev/null'})
    m = received(mx, bob)
    assert m['Subject'] == 's-nail' and ' with ESMTPSA ' in m['Received']


def node_modules(folder):
    """The module's tarball as ./dev deps left it, unpacked."""
    cache = os.environ.get('XDG_CACHE_HOME') or os.path.join(os.environ.get('HOME') or '/root', '.cache')
    archive = os.path.join(cache, 'pombo', NODEMAILER)
    if not os.path.exists(archive):
        pytest.skip(f'nodemailer is not there: {archive}')
    modules = folder / 'node_modules'
    with tarfile.open(archive) as t:
        t.extractall(modules)
    os.rename(modules / 'package', modules / 'nodemailer')
    return modules


@pytest.mark.parametrize('service', ['submission', 'submissions'])
@pytest.mark.parametrize('method', ['PLAIN', 'LOGIN'])
def test_client_nodemailer_sends(mx, authority, bob, service, method, tmp_path):
    node = need('node')
    node_modules(tmp_path)
    options = {'host': 'localhost', 'port': mx.ports[service], 'secure': service == 'submissions', 'requireTLS': True, 'authMethod': method,
               'auth': {'user': ALICE, 'pass': 'secret'}, 'name': 'client.example.com'}
    text = {'from': f'Alice <{ALICE}>', 'to': bob, 'subject': 'nodemailer \u00fc', 'text': 'Hello.', 'attachments': [{'filename': 'a.txt', 'content': 'x' * 1000}]}
    (tmp_path / 'send.js').write_text(
        f'const options = {json.dumps(options)};\noptions.tls = {{ca: [require("fs").readFileSync({json.dumps(authority.pem)})]}};\n'
        f'require("nodemailer").createTransport(options).sendMail({json.dumps(text)}, (error, info) => {{\n'
        '  if (error) { console.error(error); process.exit(1); }\n  console.log(info.response); process.exit(0);\n});\n')
    assert b'250 2.0.0 Ok: queued as' in run(node, str(tmp_path / 'send.js'), env={'NODE_EXTRA_CA_CERTS': ''}).stdout
    m = received(mx, bob)
    assert [p.get_filename() for p in m.walk()][-1] == 'a.txt'


# --- POP3 ---


@pytest.mark.parametrize('service', ['pop3', 'pop3s'])
def test_client_curl_fetches(mx, authority, bob, service):
    filled(mx, bob)
    words = [need('curl'), '-sS', '--cacert', authority.pem, '--ssl-reqd', '-u', f'{bob}:secret']
    url = f'{service}://localhost:{mx.ports[service]}/'
    assert len(run(*words, url).stdout.splitlines()) == 3
    assert b'Subject: number 1\r\n' in run(*words, url + '2').stdout


@pytest.mark.parametrize('service', ['pop3', 'pop3s'])
def test_client_fetchmail(mx, authority, bob, service, tmp_path):
    filled(mx, bob)
    rc, out = tmp_path / 'rc', tmp_path / 'out'
    how = 'ssl' if service == 'pop3s' else 'sslproto "auto"'
    rc.write_text(
        f'poll localhost protocol pop3 port {mx.ports[service]} uidl\n user "{bob}" password "secret" fetchall\n'
        f' {how} sslcertck sslcertfile "{authority.pem}" mda "cat >>{out}"\n'
    )
    rc.chmod(0o600)
    r = run(need('fetchmail'), '-v', '-f', str(rc), '--nodetach', '--nosyslog', '--pidfile', str(tmp_path / 'pid'), '--idfile', str(tmp_path / 'ids'),
            env={'HOME': str(tmp_path), 'FETCHMAILHOME': str(tmp_path)})
    assert b'SSL/TLS: using protocol TLSv1.3' in r.stdout
    assert re.findall(r'^Subject: (number \d)', out.read_text(), re.M) == SUBJECTS
    assert mx.mailbox(bob) == []


@pytest.mark.parametrize('service', ['pop3', 'pop3s'])
def test_client_getmail(mx, authority, bob, service, tmp_path):
    filled(mx, bob)
    box = mailbox.Maildir(tmp_path / 'box', create=True)
    shutil.copy(authority.pem, tmp_path / 'ca.pem')
    as_user = ''
    if os.geteuid() == 0:  # it does not deliver as root
        as_user = f'user = {server_user()}\n'
        for top, _, files in os.walk(tmp_path):
            for name in [top, *(os.path.join(top, f) for f in files)]:
                shutil.chown(name, server_user())
        for folder in (tmp_path, *tmp_path.parents[:2]):
            folder.chmod(0o755)
    (tmp_path / 'rc').write_text(
        f'[retriever]\ntype = {"SimplePOP3SSLRetriever" if service == "pop3s" else "SimplePOP3Retriever"}\nserver = localhost\n'
        f'port = {mx.ports[service]}\nusername = {bob}\npassword = secret\nca_certs = {tmp_path}/ca.pem\n'
        f'[destination]\ntype = Maildir\npath = {tmp_path}/box/\n{as_user}[options]\ndelete = true\n'
    )
    run(need('getmail'), '--getmaildir', str(tmp_path), '--rcfile', str(tmp_path / 'rc'))
    assert sorted(m['Subject'] for m in box) == SUBJECTS
    assert mx.mailbox(bob) == []


@pytest.mark.parametrize('service', ['pop3', 'pop3s'])
def test_client_mutt_fetches(mx, authority, bob, service, tmp_path):
    filled(mx, bob)
    box = mailbox.Maildir(tmp_path / 'spool', create=True)
    (tmp_path / 'rc').write_text(
        f'set pop_host="{"pops" if service == "pop3s" else "pop"}://localhost:{mx.ports[service]}" pop_user="{bob}" pop_pass=secret\n'
        f'set ssl_starttls=yes ssl_force_tls=yes ssl_ca_certificates_file={authority.pem} certificate_file={tmp_path}/none pop_delete=no\n'
        f'set folder={tmp_path} spoolfile={tmp_path}/spool mbox_type=Maildir confirmcreate=no move=no quit=yes\n'
        'push "<fetch-mail><quit>"\n' + MUTT_MECHANISMS
    )
    run(need('script'), '-qefc', f'{need("mutt")} -F {tmp_path}/rc -f {tmp_path}/spool', '/dev/null', env={'HOME': str(tmp_path), 'TERM': 'xterm'},
        input=b'')
    assert len(box) == 3
