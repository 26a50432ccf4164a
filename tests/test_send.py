# SPDX-License-Identifier: ISC
"""pombo send: the mail client of the command line, with servers that are good, bad and hostile."""
import email
import email.policy
import json
import os
import socket
import ssl
import subprocess
import threading

import pytest

from harness import checked_binary, message
from peer import CLOSE, USUAL, Peer
from test_tls import make_certificate

ALICE = 'alice@example.org'


@pytest.fixture(scope='module')
def certificate(tmp_path_factory):
    """The line for the configuration, and the file that a client trusts."""
    folder = str(tmp_path_factory.mktemp('certificate'))
    line = make_certificate(folder, 'localhost')
    return line, os.path.join(folder, 'localhost.pem'), os.path.join(folder, 'localhost.key')


@pytest.fixture
def server(make_server, certificate):
    s = make_server(certificate[0] + '\nroute * smtp 127.0.0.1:1\nqueue retry 1h', services=('submissions', 'submission', 'pop3'))
    s.account(ALICE)
    return s


def send(*words, text='Hello.\n', expect=0, env=None, timeout=60):
    """Runs pombo send without a file of defaults, unless HOME in `env` has one."""
    env = {'HOME': '/nonexistent', 'XDG_CONFIG_HOME': '', **(env or {})}
    r = subprocess.run(
        [checked_binary(), 'send', *words],
        input=text.encode() if isinstance(text, str) else text,
        capture_output=True,
        timeout=timeout,
        env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0', UBSAN_OPTIONS='halt_on_error=1', **env),
    )
    assert b'Sanitizer' not in r.stderr and b'runtime error' not in r.stderr, r.stderr.decode()
    if expect is not None:
        assert r.returncode == expect, (r.returncode, r.stdout, r.stderr)
    return r


def at(server, certificate, service='submissions'):
    return ['--server', f'localhost:{server.ports[service]}', '--tls', 'implicit' if service == 'submissions' else 'starttls', '--authorities',
            certificate[1], '--user', ALICE, '--password-command', 'echo secret']


def letters(server, user=ALICE):
    return [email.message_from_bytes(m, policy=email.policy.default) for m in server.mailbox(user)]


@pytest.mark.parametrize('service', ['submissions', 'submission'])
def test_sent_and_told(server, certificate, service, tmp_path):
    attachment = tmp_path / 'résumé 1.bin'
    attachment.write_bytes(bytes(range(256)) * 100)
    r = send(*at(server, certificate, service), '-s', 'Grüße aus Köln', '--from', f'Zoë <{ALICE}>', '-a', str(attachment), '--header', 'X-Test: yes', '--wait=30s',
             ALICE, text='Schöne Grüße,\n.\nZoë\n')
    assert f'{ALICE}  in the mailbox' in r.stdout.decode()
    (letter,) = letters(server)
    assert letter['Subject'] == 'Grüße aus Köln' and letter['X-Test'] == 'yes'
    assert letter['From'].addresses[0].display_name == 'Zoë'
    assert letter.get_body(('plain',)).get_content().splitlines() == ['Schöne Grüße,', '.', 'Zoë']
    (part,) = letter.iter_attachments()
    assert part.get_content() == bytes(range(256)) * 100 and part.get_filename() == 'résumé 1.bin'


def test_json_and_several_fates(server, certificate):
    bob = server.account()
    r = send(*at(server, certificate), '--json', '--wait=2s', '-s', 'x', ALICE, '--bcc', bob, 'far@example.com', 'nobody@example.org', expect=67)
    rows = {row['address']: row for row in map(json.loads, r.stdout.decode().splitlines())}
    assert rows[ALICE]['state'] == 'mailbox' and rows[bob]['state'] == 'mailbox'
    assert rows['far@example.com']['state'] in ('queued', 'delayed')
    assert rows['nobody@example.org']['state'] == 'failed' and rows['nobody@example.org']['status'] == '5.1.1'
    (letter,) = letters(server)
    assert bob not in letter.as_string()


@pytest.mark.parametrize('limit, all_of_them, transactions', [(100, 150, 2), (40, 100, 3)])
def test_more_recipients_than_a_transaction_takes(make_server, certificate, limit, all_of_them, transactions):
    """RFC 5321 4.5.3.1.8, 4.5.3.1.10: the others get it in further transactions, each with an id and fates of its own."""
    server = make_server(f'{certificate[0]}\nlimit recipients {limit}', services=('submissions', 'pop3'))
    server.account(ALICE)
    many = [ALICE.replace('@', f'+{i}@') for i in range(all_of_them)]
    for wait in (['--wait=30s'], []):
        r = send(*at(server, certificate), '--json', *wait, *many, 'nobody@example.org', expect=67)
        *rows, nobody = sorted(map(json.loads, r.stdout.decode().splitlines()), key=lambda row: row['state'] == 'failed')
        assert nobody['address'] == 'nobody@example.org' and nobody['status'] == '5.1.1'
        assert sorted(row['original' if wait else 'address'] for row in rows) == sorted(many)
        assert {row['state'] for row in rows} == {'mailbox' if wait else 'queued'} and len({row['id'] for row in rows}) == transactions
    r = send(*at(server, certificate), *many)
    assert r.stdout.count(b'taken by') == transactions
    assert len(letters(server)) == 3 * transactions


def test_what_was_not_handed_over_is_told():
    """The connection breaks between transactions: nobody tries again, and so nobody is told of as delayed."""
    with Peer(rules={'MAIL': lambda peer, line: CLOSE if peer.deliveries else USUAL}) as peer:
        r = send('--server', f'127.0.0.1:{peer.port}', '--tls', 'none', '--from', ALICE, '--json', *[f'b{i}@example.com' for i in range(250)], expect=75)
        rows = list(map(json.loads, r.stdout.decode().splitlines()))
        assert [row['state'] for row in rows].count('queued') == 100 and len(peer.deliveries[0].to) == 100
        assert [row['address'] for row in rows if row['state'] == 'failed' and row['status'] == '4.4.2'][-50:] == [f'b{i}@example.com' for i in range(200, 250)]


def test_refused_for_now_is_not_delayed():
    with Peer(rules={'RCPT': '450 4.2.1 busy'}) as peer:
        r = send('--server', f'127.0.0.1:{peer.port}', '--tls', 'none', '--from', ALICE, 'bob@example.com', expect=75)
        assert r.stdout.startswith(b'bob@example.com  failed') and b'busy' in r.stdout and b'delayed' not in r.stdout


def test_relayed_is_told_with_evidence(make_server, certificate):
    with Peer() as peer:
        server = make_server(f'{certificate[0]}\nroute * smtp {peer.address}', services=('submissions', 'smtp', 'pop3'))
        server.account(ALICE)
        r = send(*at(server, certificate), '--wait=30s', 'bob@example.com')
        peer.wait()
        assert 'bob@example.com  taken by' in r.stdout.decode() and f':{peer.port}' in r.stdout.decode() and '250' in r.stdout.decode()


def test_failure_is_told(make_server, certificate):
    with Peer(rules={'RCPT': '550 5.1.1 who is that?'}) as peer:
        server = make_server(f'{certificate[0]}\nroute * smtp {peer.address}', services=('submissions', 'smtp', 'pop3'))
        server.account(ALICE)
        r = send(*at(server, certificate), '--wait=30s', 'bob@example.com', expect=69)
        assert 'who is that?' in r.stdout.decode()


def test_whole_message(server, certificate):
    body = message('whole', To=ALICE).replace(b'From: Sender <sender@example.com>', b'From: ' + ALICE.encode()).replace(b'To: somebody@example.org\r\n', b'')
    send(*at(server, certificate), '--message', '-q', text=body)
    (letter,) = letters(server)
    assert letter['Subject'] == 'whole'


def test_defaults_file(server, certificate, tmp_path):
    folder = tmp_path / '.config' / 'pombo'
    folder.mkdir(parents=True)
    (folder / 'send').write_text(
        f'# mine\nfrom Alice <{ALICE}>\nserver localhost:{server.ports["submissions"]}\nuser {ALICE}\npassword-command echo secret\nauthorities {certificate[1]}\ntls implicit\n')
    send(ALICE, '-s', 'by default', env={'HOME': str(tmp_path)})
    assert letters(server)[0]['From'] == f'Alice <{ALICE}>'
    (folder / 'send').write_text('sever x\n')
    assert b'line 1' in send(ALICE, env={'HOME': str(tmp_path)}, expect=78).stderr


def test_wrong_password_and_wrong_certificate(server, certificate, tmp_path):
    words = at(server, certificate)
    assert b'535' in send(*words[:-1], 'echo wrong', ALICE, expect=77).stderr
    make_certificate(str(tmp_path), 'localhost')
    words[words.index('--authorities') + 1] = str(tmp_path / 'localhost.pem')
    send(*words, ALICE, expect=77)
    assert letters(server) == []


def test_certificate_of_another_name(make_server, tmp_path):
    line = make_certificate(str(tmp_path), 'mail.elsewhere.example')
    server = make_server(line, services=('submissions', 'pop3'))
    server.account(ALICE)
    r = send(*at(server, (None, str(tmp_path / 'mail.elsewhere.example.pem'))), ALICE, expect=77)
    assert b'elsewhere' in r.stderr or b'localhost' in r.stderr


def test_usage(server, certificate):
    assert b'--subject' in send('--help').stdout
    send(*at(server, certificate), expect=64)
    send(*at(server, certificate), '-m', text='Subject: to nobody\n\n', expect=65)
    send('--tls', 'sometimes', ALICE, expect=64)
    send(*at(server, certificate), '--body', '/nonexistent', ALICE, expect=66)
    send(*at(server, certificate)[:-6], '--authorities', '/nonexistent', ALICE, '--from', ALICE, expect=66)
    send('--server', 'nonexistent.invalid', ALICE, '--from', ALICE, expect=68)
    send('--server', f'localhost:{server.ports["submissions"]}', '--tls', 'starttls', '--defaults', '/nonexistent', ALICE, expect=78)
    send(*at(server, certificate), 'no address', expect=65)
    send(*at(server, certificate), ALICE, text=b'\xff\xfe', expect=65)
    send('--server', 'localhost:1', ALICE, '--from', ALICE, expect=69)


HOSTILE = {
    'nothing': b'',
    'garbage': bytes(range(256)) * 100,
    'endless line': b'220 ' + b'x' * (1 << 20),
    'endless greeting': b'220-hello\r\n' * 100000,
    'early hangup': b'220 hi\r\n',
    'injection': b'220 hi\r\n250-x\r\n250 AUTH PLAIN\r\n235 ok\r\n250 ok\r\n',
    'wrong codes': b'220 hi\r\n250-x\r\n550 y\r\n',
    'nul': b'220 h\0i\r\n250 \0\r\n',
    'negative': b'-20 x\r\n',
}


@pytest.mark.parametrize('what', HOSTILE)
def test_hostile_servers(what):
    """It ends, in bounded time and memory, with a message of one line."""
    listener = socket.create_server(('127.0.0.1', 0))

    def serve():
        c, _ = listener.accept()
        with c:
            try:
                c.sendall(HOSTILE[what])
                c.shutdown(socket.SHUT_WR)
                while c.recv(65536):
                    pass
            except OSError:
                pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    r = send('--server', f'127.0.0.1:{listener.getsockname()[1]}', '--tls', 'none', '--from', ALICE, 'bob@example.com', expect=None)
    listener.close()
    assert r.returncode in (65, 69, 75, 76), (r.returncode, r.stderr)
    assert r.stderr.count(b'\n') == 1 and len(r.stderr) < 2000 and b'\0' not in r.stderr


@pytest.mark.parametrize('step', ['EHLO', 'MAIL', 'RCPT', 'DATA', 'end'])
@pytest.mark.parametrize('how', [CLOSE, '421 4.3.2 no', '554 5.7.1 \x1b[31mred'], ids=['closes', '421', '554'])
def test_server_that_stops_at_a_step(step, how):
    with Peer(extensions=('8BITMIME',), rules={step: how, 'HELO': how}) as peer:
        r = send('--server', peer.address, '--tls', 'none', '--from', ALICE, 'bob@example.com', expect=None)
        assert r.returncode in (69, 75, 77), (r.returncode, r.stdout, r.stderr)
        assert b'\x1b' not in r.stderr + r.stdout
        assert not peer.deliveries


def test_bad_input_07_answer_before_the_handshake(certificate):
    """What a server says in plaintext behind 220 to STARTTLS is not an answer of the encrypted session."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[1], certificate[2])
    with Peer(tls=context, rules={'STARTTLS': b'220 go\r\n250-injected\r\n250 AUTH PLAIN\r\n'}, logins={ALICE: 'secret'}) as peer:
        r = send('--server', f'localhost:{peer.port}', '--tls', 'starttls', '--authorities', certificate[1], '--user', ALICE, '--password-command',
                 'echo secret', 'bob@example.com', expect=None)
        assert r.returncode != 0 or peer.deliveries[0].tls
        assert not any('secret' in line for line in peer.lines)


def test_published_server(server, certificate):
    """RFC 6186, 8314: SRV records of the sender's domain; a name of another domain is not believed."""
    dns = pytest.importorskip('dns.message')
    import dns.rrset

    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(('127.0.0.1', 0))
    asked, good = [], f'{server.ports["submissions"]} localhost.'
    implicit = [f'0 1 {good}']

    def serve():
        while True:
            try:
                packet, client = sock.recvfrom(4096)
            except OSError:
                return
            query = dns.message.from_wire(packet)
            reply = dns.message.make_response(query, recursion_available=True)
            name = query.question[0].name.to_text()
            asked.append(name)
            if name == '_submissions._tcp.localhost.':
                reply.answer.append(dns.rrset.from_text(name, 60, 'IN', 'SRV', *implicit))
            elif name == '_submission._tcp.localhost.':
                reply.answer.append(dns.rrset.from_text(name, 60, 'IN', 'SRV', f'0 1 {server.ports["submission"]} localhost.'))
            elif name == '_submissions._tcp.evil.example.':
                reply.answer.append(dns.rrset.from_text(name, 60, 'IN', 'SRV', '0 1 465 mail.other.example.'))
            sock.sendto(reply.to_wire(), client)

    threading.Thread(target=serve, daemon=True).start()
    ask = ['--resolver', f'127.0.0.1:{sock.getsockname()[1]}', '--user', ALICE, '--password-command', 'echo secret', '--authorities', certificate[1]]
    try:
        send(*ask, '--from', 'a@localhost', ALICE, expect=77)  # found; the login may not write as a@localhost
        assert '_submissions._tcp.localhost.' in asked and '_submission._tcp.localhost.' not in asked
        # the next one by priority where one ends at once, does not answer, or is of another domain
        with Peer(rules={'connect': CLOSE}) as closing:
            for bad in (f'0 1 {closing.port} localhost.', '0 1 1 localhost.', '0 1 465 mail.other.example.'):
                implicit = [f'7 1 {good}', bad, bad.replace('0', '3', 1)]
                send(*ask, '--from', 'a@localhost', ALICE, expect=77)
            assert closing.connections == 2
        assert '_submission._tcp.localhost.' not in asked
        with Peer(rules={'connect': CLOSE}) as closing:
            implicit = [f'0 1 {closing.port} localhost.', '1 1 1 localhost.']
            send(*ask, '--from', 'a@localhost', ALICE, expect=69)
        implicit = ['0 0 0 .']  # RFC 2782: not there; the other service is one of STARTTLS, whatever its port
        send(*ask, '--from', 'a@localhost', ALICE, expect=77)
        assert '_submission._tcp.localhost.' in asked
        r = send(*ask, '--from', 'a@evil.example', ALICE, expect=68)
        assert b'mail.other.example' in r.stderr and b'--server' in r.stderr
        r = send(*ask, '--from', 'a@none.example', ALICE, expect=68)
        assert b'publishes no server' in r.stderr
    finally:
        sock.close()
