# SPDX-License-Identifier: ISC
"""Programs beside us that look at mail, the real ones: clamd, spamd, rspamd, and opendkim as a milter; and such that are slow, dead or lie."""
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading

import pytest

from harness import Server, eventually, free_ports, message

GTUBE = 'XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X'
VIRUS = 'THIS-IS-THE-VIRUS-OF-THE-TESTS'
SETTINGS = 'authenticate no\nspam judge no\n'


@pytest.fixture
def folder():
    path = tempfile.mkdtemp(prefix='pombo-scan-')
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def background():
    """Starts a program; it is ended with the test."""
    running = []

    def start(*words, ready, name, **kw):
        log = tempfile.TemporaryFile()
        proc = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **kw)
        running.append((proc, log))

        def is_ready():
            log.seek(0)
            assert proc.poll() is None, f'{name} ended: {log.read()[-2000:]}'
            return ready()

        eventually(is_ready, f'{name} is ready', 60)
        return proc

    yield start
    for proc, log in running:
        try:
            os.killpg(proc.pid, 9)
        except ProcessLookupError:
            pass
        proc.wait()
        log.close()


def program(*names):
    for name in names:
        path = shutil.which(name, path=os.environ['PATH'] + ':/usr/sbin:/sbin')
        if path:
            return path
    pytest.skip(f'{names[0]} is not installed')


def answers(port):
    def look():
        try:
            socket.create_connection(('127.0.0.1', port), 1).close()
            return True
        except OSError:
            return False

    return look


@pytest.fixture
def scanning():
    made = []

    def start(*statements, **kw):
        server = Server(SETTINGS + '\n'.join(statements), **kw).start()
        made.append(server)
        server.account('alice@example.org')
        return server

    yield start
    for server in made:
        server.close()


def post(server, body='Hello.', expect=250, subject='test'):
    with server.smtp() as c:
        c.envelope('alice@example.org')
        return c.data(message(subject, body), expect)


def explained(server, mid):
    """Of each scanner that was asked about a message: its word."""
    return {row['name']: row for row in server.json('explain', mid) if row.get('kind') == 'scanner'}


def mid_of(reply):
    return re.search(r'queued as (\w+)', str(reply)).group(1)


# --- the real ones ---


@pytest.fixture
def clamd(folder, background):
    """With one signature of our own; on a port and on a Unix socket."""
    path = program('clamd')
    os.mkdir(f'{folder}/db')
    with open(f'{folder}/db/test.ndb', 'w') as f:
        f.write(f'Pombo.Test.Virus:0:*:{VIRUS.encode().hex()}\n')
    (port,) = free_ports(1)
    with open(f'{folder}/clamd.conf', 'w') as f:
        f.write(
            f'DatabaseDirectory {folder}/db\nForeground yes\nTCPSocket {port}\nTCPAddr 127.0.0.1\nLocalSocket {folder}/clamd.sock\n'
            f'LocalSocketMode 666\nTemporaryDirectory {folder}\n' + ('User root\n' if os.geteuid() == 0 else '')
        )
    background(path, '-c', f'{folder}/clamd.conf', ready=answers(port), name='clamd')
    return port, f'{folder}/clamd.sock'


def test_clamd(clamd, scanning):
    server = scanning(f'scanner clamd 127.0.0.1:{clamd[0]} fail closed')
    mid = mid_of(post(server))
    assert explained(server, mid)['clamd']['result'] == 'clean'
    assert 'Pombo.Test.Virus' in repr(post(server, VIRUS, 550))
    assert len(server.mailbox('alice@example.org')) == 1


def test_a_unix_socket_is_reached_from_an_empty_root(clamd, scanning):
    server = scanning(f'scanner clamd unix:{clamd[1]} fail closed')
    post(server)
    post(server, VIRUS, 550)


def test_clamd_that_dies_and_comes_back(clamd, scanning, folder):
    port = clamd[0]
    server = scanning(f'scanner clamd 127.0.0.1:{port} fail closed timeout 5s')
    post(server)
    subprocess.run(['pkill', '-9', '-f', f'{folder}/clamd.conf'], check=True)
    eventually(lambda: not answers(port)(), 'clamd is gone')
    post(server, expect=451)


def test_spamd(background, scanning, folder):
    path = program('spamd')
    (port,) = free_ports(1)
    words = [path, '--local', '--nouser-config', '--max-children=1', f'--port={port}', '--listen=127.0.0.1', f'--helper-home-dir={folder}', '--syslog=stderr']
    if os.geteuid() == 0:
        words += ['--username=nobody']
        os.chmod(folder, 0o777)
    background(*words, ready=answers(port), name='spamd', env={**os.environ, 'HOME': folder})
    server = scanning(f'scanner spamd 127.0.0.1:{port} fail closed timeout 50s', 'spam reject 15 junk 5')
    mid = mid_of(post(server))
    assert explained(server, mid)['spamd']['result'] == 'clean'
    post(server, GTUBE, 550)


def test_rspamd(background, scanning, folder):
    path = program('rspamd')
    (port,) = free_ports(1)
    with open(f'{folder}/rspamd.conf', 'w') as f:
        f.write(
            f'options {{ pidfile = "{folder}/pid"; dns {{ nameserver = ["127.0.0.1:1"]; }} }}\n'
            f'logging {{ type = "console"; level = "notice"; }}\n'
            f'worker "normal" {{ bind_socket = "127.0.0.1:{port}"; count = 1; }}\n'
            f'actions {{ reject = 15; add_header = 6; greylist = 4; }}\n'
        )
    words = [path, '-f', '-i', '-c', f'{folder}/rspamd.conf']
    background(*words, ready=answers(port), name='rspamd', cwd=folder, env={**os.environ, 'RUNDIR': folder, 'DBDIR': folder, 'LOGDIR': folder})
    server = scanning(f'scanner rspamd 127.0.0.1:{port} fail closed')
    mid = mid_of(post(server))
    assert explained(server, mid)['rspamd']['result'] == 'clean'
    post(server, GTUBE, 550)


def test_opendkim_as_a_milter(background, scanning, folder):
    """It puts a field in front; what it signed is what is kept."""
    dkim = pytest.importorskip('dkim', reason='python3-dkim is not installed')
    path = program('opendkim')
    (port,) = free_ports(1)
    subprocess.run(['openssl', 'genrsa', '-traditional', '-out', f'{folder}/key', '2048'], check=True, capture_output=True)
    public = subprocess.run(['openssl', 'rsa', '-in', f'{folder}/key', '-pubout'], check=True, capture_output=True, text=True).stdout
    record = 'v=DKIM1; k=rsa; p=' + ''.join(public.splitlines()[1:-1])
    with open(f'{folder}/conf', 'w') as f:
        f.write(f'Domain example.com\nKeyFile {folder}/key\nSelector s1\nMode s\nSocket inet:{port}@127.0.0.1\nSyslog no\nRequireSafeKeys no\n'
                'Canonicalization relaxed/simple\n')
    background(path, '-f', '-x', f'{folder}/conf', ready=answers(port), name='opendkim')
    server = scanning(f'scanner milter 127.0.0.1:{port} fail closed')
    mid = mid_of(post(server, 'Signed.'))
    (kept,) = server.mailbox('alice@example.org')
    assert dkim.verify(kept, dnsfunc=lambda name, timeout=5: record.encode())
    assert explained(server, mid)['milter']['result'] == 'accepted'


# --- such that are slow, dead or lie (bad-input 49, 50) ---


class Rude:
    """Takes connections, and does one thing with each."""

    def __init__(self, behave):
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.port = self.socket.getsockname()[1]
        self.behave = behave
        self.held = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                c, _ = self.socket.accept()
            except OSError:
                return
            self.held.append(c)
            try:
                self.behave(c)
            except OSError:
                pass

    def close(self):
        self.socket.close()
        for c in self.held:
            c.close()


def silent(c):
    pass


def closing(c):
    c.close()


def babbling(c):
    c.sendall(b'x' * 200000)


def endless(c):
    while True:
        c.sendall(b'\0\0\0\1p' * 1000)


KINDS = ['clamd', 'spamd', 'rspamd', 'milter']


@pytest.mark.parametrize('behave', [silent, closing, babbling, endless])
def test_bad_input_49_50(scanning, behave):
    """The configured failure happens, in time: each of them fails by itself, and one that is to fail closed keeps the mail out."""
    rude = Rude(behave)
    try:
        statements = [f'scanner {kind} 127.0.0.1:{rude.port} timeout 1s fail open' for kind in KINDS]
        server = scanning(*statements)
        found = explained(server, mid_of(post(server)))
        assert {kind: found[kind]['result'] for kind in KINDS} == dict.fromkeys(KINDS, 'failed')
        for kind in KINDS:
            server.settings = SETTINGS + f'scanner {kind} 127.0.0.1:{rude.port} timeout 1s fail closed'
            server.write_config()
            server.cli('reload')
            post(server, expect=451)
    finally:
        rude.close()
