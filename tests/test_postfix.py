# SPDX-License-Identifier: ISC
"""Another mail server, that did not learn SMTP from us: Postfix between two servers of ours, its sink behind one, its TLS client in front of one."""
import os
import re
import shlex
import socket
import subprocess
import threading

import pytest

from certificates import Authority
from harness import Smtp, eventually, free_ports, need
from postfix import Postfix, environment, program
from relaying import delivered, drained, relay_server, report, send, start, status_fields, told

AUTHOR = 'author@near.test'


@pytest.fixture(scope='module')
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp('authority'))


class Chain:
    """first <-> Postfix <-> last. The first one has near.test, the last one far.test, and by LMTP lmtp.test."""

    def __init__(self, authority):
        pem, key = authority.sign('postfix')
        ours = authority.setting('pombo', names=('mx.example.org',))
        self.near, far, lmtp = free_ports(3)
        hops = {'near.test': f'smtp:[127.0.0.1]:{self.near}', 'far.test': f'smtp:[127.0.0.1]:{far}', 'lmtp.test': f'lmtp:[127.0.0.1]:{lmtp}'}
        transport = ' '.join(f'{{ {domain} = {hop} }}' for domain, hop in hops.items())
        self.postfix = Postfix(pem, key, f'transport_maps = inline:{{ {transport} }}\nsmtp_tls_CAfile = {authority.pem}\nsmtp_tls_security_level = encrypt\n'
                               f'lmtp_tls_CAfile = {authority.pem}\nlmtp_tls_security_level = encrypt')
        both = f'{ours}\ntls authorities {authority.pem}\nroute * smtp 127.0.0.1:{self.postfix.port} tls verified\nbare-newlines normalise\nlimit errors 1000 commands 100000'
        self.first = relay_server(f'{both}\nlisten smtp 127.0.0.1:{self.near}\nrelay-from 127.0.0.0/8', domains=['near.test'])
        self.last = relay_server(f'{both}\nlisten smtp 127.0.0.1:{far}\nlisten lmtp 127.0.0.1:{lmtp}', domains=['far.test', 'lmtp.test'])

    def start(self):
        self.postfix.start()
        start(self.first)
        start(self.last)
        return self

    def author(self):
        """An account of the test's own on the first server."""
        self.authors = getattr(self, 'authors', 0) + 1
        return self.first.account(f'author{self.authors}@near.test')

    def close(self):
        try:
            self.postfix.close()
            self.first.close()
        finally:
            self.last.close()


@pytest.fixture(scope='module')
def chain(authority):
    chain = Chain(authority)
    try:
        yield chain.start()
    finally:
        chain.close()


WELL_FORMED = re.compile(rb'(?:[!-9;-~]+:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)+\r\n')


def all_messages(folder):
    """Real ones, with CRLF. A header that is none Postfix makes one of."""
    for root, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            if name.endswith('.eml'):
                with open(os.path.join(root, name), 'rb') as f:
                    body = f.read().replace(b'\r\n', b'\n').replace(b'\r', b'\n').replace(b'\n', b'\r\n')
                if body.endswith(b'\r\n') and WELL_FORMED.match(body) and len(body) < 1 << 20:
                    yield body


@pytest.mark.parametrize('user', ['all@far.test', 'all@lmtp.test'])
def test_all_messages_unchanged(chain, data, user):
    chain.last.account(user)
    sent = []
    with Smtp(chain.near) as c:
        for body in all_messages(os.path.join(data, 'messages')):
            c.envelope(user, sender='author@elsewhere.test', params='BODY=8BITMIME')
            if c.data(body).code == 250:
                sent.append(body)
        c.quit()
    drained(chain.first)
    assert len(sent) > 100

    def mailbox():
        got = chain.last.mailbox(user)
        return got if len(got) == len(sent) else None

    got = eventually(mailbox, 'all are there')
    for body in sent:
        assert any(g.endswith(body) for g in got), body[:500]
    for text in got:
        trace = text[: text.index(b'by postfix.example.net')]
        assert b' (TLSv1.3 ' in trace and b' with %s ' % (b'LMTPS' if 'lmtp' in user else b'ESMTPS') in trace, trace


def test_refused_by_the_last_one(chain):
    """Postfix writes the report, and it finds its way."""
    author = chain.author()
    mail = send(chain.first, 'nobody@far.test', sender=author, params='ENVID=to-nobody RET=HDRS', rcpt_params='ORCPT=rfc822;no+2Bbody@far.test')
    delivered(mail)
    got = report(chain.first, author)
    fields = status_fields(got)
    assert fields['action'] == 'failed' and fields['status'] == '5.1.1' and fields['original-recipient'] == 'rfc822;no+body@far.test'
    assert 'Original-Envelope-Id: to-nobody' in got.as_string() and 'postfix.example.net' in fields.get('reporting-mta', got.as_string())


def test_success_is_reported_by_the_last_one(chain):
    """RFC 3461: NOTIFY goes through us, through Postfix, to us, who delivers; nobody else says that it is delivered."""
    author = chain.author()
    user = chain.last.account('reported@far.test')
    send(chain.first, user, sender=author, params='ENVID=to-somebody', rcpt_params='NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;as+2Bgiven@far.test')
    got = report(chain.first, author)
    fields = status_fields(got)
    assert fields['action'] == 'delivered' and fields['original-recipient'].replace(' ', '') == 'rfc822;as+given@far.test'
    assert 'Reporting-MTA: dns;mx.example.org' in got.as_string().replace('dns; ', 'dns;') and 'Original-Envelope-Id: to-somebody' in got.as_string()
    assert chain.last.mailbox(user)


def test_never_is_honoured(chain):
    author = chain.author()
    send(chain.first, 'nobody@far.test', sender=author, rcpt_params='NOTIFY=NEVER')
    send(chain.first, 'nobody@far.test', sender=author)
    report(chain.first, author)


def test_several_recipients_one_unknown(chain):
    author = chain.author()
    users = [chain.last.account(f'u{i}@far.test') for i in range(5)]
    send(chain.first, *users, 'nobody@far.test', sender=author)
    fields = status_fields(report(chain.first, author))
    assert fields['final-recipient'].replace(' ', '') == 'rfc822;nobody@far.test'
    for user in users:
        eventually(lambda: chain.last.mailbox(user), 'it is there')


def test_from_postfix_to_a_server_that_is_away(chain):
    """It waits there; we are back, and have it once."""
    user = chain.last.account('patient@far.test')
    chain.last.stop()
    mail = send(chain.first, user, sender=AUTHOR)
    delivered(mail)
    eventually(lambda: re.search(r'to=<patient@far\.test>.*status=deferred', chain.postfix.log()), 'Postfix has tried')
    start(chain.last)
    [got] = eventually(lambda: chain.last.mailbox(user), 'it is there')
    assert got.endswith(mail.body)
    drained(chain.first)


# --- smtp-sink ---


GOOD = {'plain': '', 'bare': '-p -8', 'no-codes': '-E', 'no-esmtp': '-e'}
REFUSING = {f'{how}-at-{n}': f'-{letter} {step}' for letter, how in (('r', 'later'), ('q', 'hangs-up')) for n, step in enumerate(('connect', 'ehlo,helo', 'mail', 'rcpt', 'data', '.'))}


class Sinks:
    """A sink for each of the options, which has the domain NAME.sink.test, and one server in front of all."""

    def __init__(self):
        options = {**GOOD, **REFUSING}
        user = ['-u', 'nobody'] if os.geteuid() == 0 else []
        quiet = dict(env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ports = free_ports(len(options))
        self.server = relay_server('\n'.join(f'route {name}.sink.test smtp 127.0.0.1:{port}' for port, name in zip(ports, options)))
        self.processes = [subprocess.Popen([program('smtp-sink'), *user, *words.split(), f'127.0.0.1:{port}', '100'], **quiet) for port, words in zip(ports, options.values())]
        self.ports = ports

    def start(self):
        for port in self.ports:
            eventually(lambda: self.listens(port), 'smtp-sink listens')
        start(self.server)
        return self.server

    def listens(self, port):
        assert not [p for p in self.processes if p.poll() is not None], 'a sink ended'
        try:
            socket.create_connection(('127.0.0.1', port)).close()
            return True
        except OSError:
            return False

    def close(self):
        for p in self.processes:
            p.kill()
            p.wait()
        self.server.close()


@pytest.fixture(scope='module')
def sinks():
    all_of_them = Sinks()
    try:
        yield all_of_them.start()
    finally:
        all_of_them.close()


@pytest.mark.parametrize('name', GOOD)
def test_sink(sinks, name):
    mails = [send(sinks, *(f'r{i}@{name}.sink.test' for i in range(n + 1))) for n in range(10)]
    for mail in mails:
        assert len(delivered(mail)) == len(mail.to)


@pytest.mark.parametrize('name', REFUSING)
def test_sink_that_will_not(sinks, name):
    """Each of its ways to say "not now", and to be gone."""
    mail = send(sinks, f'bob@{name}.sink.test')
    fate = told(mail, 'delayed')
    assert fate.status.startswith('4.')
    sinks.cli('queue', 'drop', mail.mid)


# --- posttls-finger ---


class Trusted(threading.Thread):
    """What nsd says, as a resolver that has validated it says it: on port 53, because that is where glibc asks."""

    def __init__(self, world):
        super().__init__(daemon=True)
        self.world = world
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(('127.0.0.53', 53))
        self.sock.settimeout(0.05)
        self.stopping = False

    def run(self):
        while not self.stopping:
            try:
                wire, client = self.sock.recvfrom(4096)
            except TimeoutError:
                continue
            reply = bytearray(self.world.ask_nsd(wire, 'udp') or b'')
            if len(reply) > 12:
                reply[3] |= 0xA0  # RA, AD
                self.sock.sendto(reply, client)

    def close(self):
        self.stopping = True
        self.join()
        self.sock.close()


@pytest.fixture
def finger(dns_world, tmp_path):
    """finger(words): what posttls-finger prints, in a mount namespace with a resolv.conf of its own."""
    need('unshare')
    if subprocess.run(['unshare', '--mount', 'true'], capture_output=True).returncode != 0:
        pytest.skip('no mount namespace can be made here')
    try:
        trusted = Trusted(dns_world)
    except OSError as e:
        pytest.skip(f'port 53: {e}')
    trusted.start()
    conf = tmp_path / 'resolv.conf'
    conf.write_text('nameserver 127.0.0.53\noptions trust-ad edns0\n')
    (tmp_path / 'main.cf').write_text('compatibility_level = 3.6\nmail_owner = uucp\nsetgid_group = games\ninet_protocols = ipv4\n')
    env = dict(environment(), MAIL_CONFIG=str(tmp_path))

    def run(*words):
        command = f'mount --bind {shlex.quote(str(conf))} "$(readlink -f /etc/resolv.conf)" && exec {shlex.join([program("posttls-finger"), "-t30", "-T30", *words])}'
        return subprocess.run(['unshare', '--mount', 'sh', '-c', command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, env=env).stdout

    yield run
    trusted.close()


def test_posttls_finger_with_dane(finger, dns_world, make_server, tmp_path):
    """Our certificate, found by records in the DNS, by somebody who means it."""
    from test_transport import digest

    authority = Authority(tmp_path)
    server = make_server(authority.setting('mx', names=('mx.finger.test',)))
    key = digest(authority.path('mx.pem'))
    port = server.ports['smtp']
    dns_world.zone('finger.test', 'mx A 127.0.0.1', f'_{port}._tcp.mx TLSA 3 1 1 {key}', 'wrong A 127.0.0.1', f'_{port}._tcp.wrong TLSA 3 1 1 {"ab" * 32}')
    dns_world.load()
    said = finger('-l', 'dane-only', f'[mx.finger.test]:{port}')
    assert 'Verified TLS connection established' in said and 'TLSv1.3' in said, said
    said = finger('-l', 'dane-only', f'[wrong.finger.test]:{port}')
    assert 'Verified TLS' not in said and 'Untrusted' in said or 'not verified' in said.lower(), said


def test_posttls_finger_with_an_authority(finger, make_server, tmp_path, dns_world):
    authority = Authority(tmp_path)
    server = make_server(authority.setting('mx', names=('mx.finger2.test',)))
    dns_world.zone('finger2.test', 'mx A 127.0.0.1')
    dns_world.load()
    said = finger('-l', 'secure', '-F', authority.pem, f'[mx.finger2.test]:{server.ports["smtp"]}', 'mx.finger2.test')
    assert 'Verified TLS connection established' in said, said
