# SPDX-License-Identifier: ISC
"""A real server in a folder of its own, and clients that send exact bytes."""
import itertools
import json
import os
import pwd
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
DATA = os.environ.get('SHARED_DATA') or os.path.join(os.path.dirname(ROOT), 'shared', 'data')
TIMEOUT = 30  # seconds that any single wait may take before the test fails
IMPLICIT_TLS = ('submissions', 'pop3s')
SANITIZER = re.compile(r'(ERROR: \w+Sanitizer|runtime error:|SUMMARY: \w+Sanitizer).*')


def find_binary(*candidates):
    """$POMBO, or the first of the builds that exists."""
    if os.environ.get('POMBO'):
        return os.path.abspath(os.environ['POMBO'])
    paths = [os.path.join(ROOT, c) for c in candidates]
    return next((p for p in paths if os.path.exists(p)), paths[0])


def checked_binary():
    """The build with sanitizers when there is one."""
    return find_binary('build-check/pombo', 'build/pombo')


def plain_binary():
    """The build as users run it: for load, and below LD_PRELOAD. $POMBO_PLAIN names another."""
    built = os.path.join(ROOT, 'build/pombo')
    return os.environ.get('POMBO_PLAIN') or (built if os.path.exists(built) else checked_binary())


def free_ports(n):
    """Ports that nobody listens on. They are held until all are found, so no two are the same."""
    held = [socket.socket() for _ in range(n)]
    for s in held:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(('127.0.0.1', 0))
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def eventually(condition, what, timeout=TIMEOUT):
    """Polls until `condition()` is true and returns its value: for what no event announces."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f'{what}: not within {timeout} s')
        time.sleep(0.01)


def dot_stuff(message):
    """A message as DATA wants it, with the final dot."""
    if message and not message.endswith(b'\r\n'):
        message += b'\r\n'
    stuffed = message.replace(b'\r\n.', b'\r\n..')
    return (b'.' if stuffed.startswith(b'.') else b'') + stuffed + b'.\r\n'


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def need(program):
    """The path of a client; without it the test is skipped by its name."""
    return shutil.which(program) or pytest.skip(f'{program} is not installed')


def run(*words, input=None, env=None):
    """Runs a client to its end, which has to be a good one."""
    r = subprocess.run(words, input=input, capture_output=True, timeout=60, env=dict(os.environ, **(env or {})))
    assert r.returncode == 0, f'{words}: exit {r.returncode}\n{r.stdout.decode()}\n{r.stderr.decode()}'
    return r


def anybody():
    """For clients that do not look at the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Closed(Exception):
    """The server closed the connection where a reply was due."""


class Reply:
    def __init__(self, lines):
        self.lines = lines
        self.code = int(lines[0][:3])
        self.text = b'\n'.join(line[4:] for line in lines).decode('utf-8', 'replace')
        status = re.match(r'[245]\.\d{1,3}\.\d{1,3}(?= |$)', self.text)
        self.status = status.group() if status else ''

    def __repr__(self):
        return f'{self.code} {self.text}'


class Connection:
    """A socket with lines, for exact bytes in both directions."""

    def __init__(self, address, timeout=TIMEOUT, source=None):
        if isinstance(address, str):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(timeout)
            self.sock.connect(address)
        else:
            host, port = address if isinstance(address, tuple) else ('127.0.0.1', address)
            self.sock = socket.create_connection((host, port), timeout, (source, 0) if source else None)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b''

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.sock.close()

    def handshake(self, context=None, name='mx.example.org', session=None):
        """TLS from here on; without a context the server may be anybody."""
        self.sock = (context or anybody()).wrap_socket(self.sock, server_hostname=name, session=session)
        self.buffer = b''

    def reset(self):
        """Ends the connection with RST, as a client that died does."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
        self.sock.close()

    def send(self, data):
        self.sock.sendall(as_bytes(data))

    def fill(self):
        try:
            data = self.sock.recv(262144)
        except ConnectionError:
            data = b''
        if not data:
            raise Closed(f'connection closed; unread: {self.buffer!r}')
        self.buffer += data

    def line(self):
        while b'\n' not in self.buffer:
            self.fill()
        line, self.buffer = self.buffer.split(b'\n', 1)
        assert line.endswith(b'\r'), f'line without CRLF: {line!r}'
        return line[:-1]

    def expect_closed(self):
        """Everything that still comes, up to the end of the connection."""
        try:
            while True:
                self.fill()
        except Closed:
            return self.buffer


class Smtp(Connection):
    """SMTP or LMTP, one method a command. `expect` is a code, a class of codes (2, 4, 5) or several of them."""

    def __init__(self, address, hello='EHLO', greet=True, **kw):
        super().__init__(address, **kw)
        if greet:
            self.expect(220)
            if hello:
                self.cmd(f'{hello} client.example.com', 250)

    def reply(self):
        lines = [self.line()]
        while lines[-1][3:4] == b'-':
            lines.append(self.line())
        for line in lines:
            assert re.fullmatch(rb'[2-5]\d\d[ -][ -\xff]*|[2-5]\d\d', line, re.S), f'malformed reply {line!r}'
            assert line[:3] == lines[0][:3], f'codes differ within a reply: {lines!r}'
            assert len(line) <= 510, f'reply line of {len(line)} octets'  # RFC 5321 4.5.3.1.5
        return Reply(lines)

    def expect(self, *codes):
        reply = self.reply()
        if codes:
            good = reply.code in codes or reply.code // 100 in codes
            assert good, f'expected {codes}, got {reply!r}'
        return reply

    def cmd(self, line, *codes):
        self.send(as_bytes(line) + b'\r\n')
        return self.expect(*codes)

    def mail(self, sender='sender@example.com', params='', expect=250):
        return self.cmd(f'MAIL FROM:<{sender}>' + (params and ' ' + params), expect)

    def rcpt(self, to, params='', expect=250):
        return self.cmd(f'RCPT TO:<{to}>' + (params and ' ' + params), expect)

    def envelope(self, *to, sender='sender@example.com', params=''):
        self.mail(sender, params)
        for address in to:
            self.rcpt(address)

    def data(self, message, *codes):
        """The whole message, which is stuffed here; the reply (of LMTP: the first)."""
        self.cmd('DATA', 354)
        self.send(dot_stuff(as_bytes(message)))
        return self.expect(*codes)

    def bdat(self, chunk, *codes, last=True):
        self.send(b'BDAT %d%s\r\n' % (len(chunk), b' LAST' if last else b'') + chunk)
        return self.expect(*codes)

    def deliver(self, message, *to, sender='sender@example.com', params=''):
        self.envelope(*to, sender=sender, params=params)
        return self.data(message, 250)

    def quit(self):
        self.cmd('QUIT', 221)
        self.expect_closed()
        self.close()


class Pop3(Connection):
    def __init__(self, address, user=None, password=None, **kw):
        super().__init__(address, **kw)
        self.greeting = self.ok()
        if user:
            self.login(user, password)

    def reply(self):
        line = self.line()
        assert re.fullmatch(rb'(\+OK|-ERR)( .*)?', line), f'malformed reply {line!r}'
        assert len(line) <= 510, f'reply line of {len(line)} octets'  # RFC 1939 section 3
        return line.decode('utf-8', 'replace')

    def ok(self):
        line = self.reply()
        assert line.startswith('+OK'), f'expected +OK, got {line!r}'
        return line[4:]

    def cmd(self, line):
        self.send(as_bytes(line) + b'\r\n')
        return self.ok()

    def err(self, line):
        self.send(as_bytes(line) + b'\r\n')
        reply = self.reply()
        assert reply.startswith('-ERR'), f'expected -ERR, got {reply!r}'
        return reply[5:]

    def body(self):
        """The bytes of a multi-line response, dots undone, without the final line."""
        at = 0
        while not (self.buffer.startswith(b'.\r\n') or b'\r\n.\r\n' in self.buffer[at:]):
            at = max(0, len(self.buffer) - 4)
            self.fill()
        if self.buffer.startswith(b'.\r\n'):
            self.buffer = self.buffer[3:]
            return b''
        raw, self.buffer = self.buffer.split(b'\r\n.\r\n', 1)
        raw += b'\r\n'
        return (raw[1:] if raw.startswith(b'.') else raw).replace(b'\r\n.', b'\r\n')

    def multi(self, line):
        self.cmd(line)
        return self.body()

    def login(self, user, password):
        self.cmd(f'USER {user}')
        return self.cmd(f'PASS {password}')

    def stat(self):
        count, size = self.cmd('STAT').split()[:2]
        return int(count), int(size)

    def retr(self, n):
        return self.multi(f'RETR {n}')

    def all(self):
        """All messages, asked for in batches so that the round trips are few."""
        count, _ = self.stat()
        out = []
        for start in range(1, count + 1, 100):
            batch = range(start, min(start + 100, count + 1))
            self.send(''.join(f'RETR {n}\r\n' for n in batch))
            for _ in batch:
                self.ok()
                out.append(self.body())
        return out

    def quit(self):
        self.cmd('QUIT')
        self.expect_closed()
        self.close()


TRACE = re.compile(
    rb'(?:(?:Return-Path|Delivered-To|Received|X-Original-To):[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)*', re.I
)

FIELD = re.compile(rb'(?:From .*\r\n)?[!-9;-~]+[ \t]*:|\r\n')


def split_trace(message, original):
    """Takes the trace headers that the server put in front off; they have to be well-formed."""
    assert message.endswith(
        original
    ), f'the message changed on its way: {len(original)} octets, tail {message[-len(original):][:200]!r}'
    trace = message[: len(message) - len(original)]
    if original and not FIELD.match(original):  # a text without a header: an empty line ends ours
        assert trace.endswith(b'\r\n\r\n'), f'it runs into the text: {trace!r}'
        trace = trace[:-2]
    assert TRACE.fullmatch(trace), f'not trace headers: {trace!r}'
    return trace


def unsigned(domain):
    """A domain as it is configured, whose mail is not signed."""
    return domain if 'dkim' in domain else domain[:-1] + 'dkim off }' if domain.endswith('}') else domain + ' { dkim off }'


def expected_from_pop3(message):
    """What RETR gives for a message: its last line is ended (RFC 1939 section 3)."""
    return message if not message or message.endswith(b'\r\n') else message + b'\r\n'


class Server:
    """One configuration, one data folder, one process tree (a session of its own, so that all of it is found again)."""

    counter = itertools.count(1)

    def __init__(
        self,
        settings='',
        domains=None,
        services=('smtp', 'lmtp', 'pop3'),
        single=False,
        binary=None,
        env=None,
        folder=None,
    ):
        self.binary = binary or checked_binary()
        self.own_folder = folder is None
        self.folder = folder or tempfile.mkdtemp(prefix='pombo-test-')
        os.chmod(self.folder, 0o755)
        self.data = os.path.join(self.folder, 'data')
        self.config = os.path.join(self.folder, 'pombo.conf')
        self.log_path = os.path.join(self.folder, 'log')
        self.domains = domains or ['example.org', 'example.net { catchall catchall@example.org }']
        self.ports = dict(zip(services, free_ports(len(services))))
        self.lmtp_path = os.path.join(self.folder, 'lmtp.sock') if 'lmtp' in services else None
        self.single = single
        self.settings = settings
        self.proc = None
        self.env = dict(
            os.environ,
            ASAN_OPTIONS='detect_leaks=0:quarantine_size_mb=8',
            UBSAN_OPTIONS='print_stacktrace=1:halt_on_error=1',
            **(env or {}),
        )
        self.write_config()

    # --- configuration ---

    def config_text(self):
        lines = ['version 1', 'hostname mx.example.org', f'data {self.data}']
        if os.geteuid() == 0:
            lines.append(f'user {server_user()}')
        # Who sent it, signatures and the judge are for tests that are about them, and say so: authenticate yes.
        plain = 'authenticate ' not in self.settings
        lines += ['authenticate no', 'spam judge no', 'dmarc-reports off'] * plain
        lines += [f'domain {unsigned(d) if plain else d}' for d in self.domains]
        lines += [f'listen {service} 127.0.0.1:{port}' for service, port in self.ports.items()]
        if self.lmtp_path:
            lines.append(f'listen lmtp unix:{self.lmtp_path}')
        return '\n'.join(lines + [self.settings, ''])

    def write_config(self, text=None):
        with open(self.config, 'w') as f:
            f.write(self.config_text() if text is None else text)

    # --- life ---

    def start(self):
        with open(self.log_path, 'ab') as log:
            self.proc = subprocess.Popen(
                [self.binary, 'serve', '-c', self.config] + ['--single'] * self.single,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.env,
                cwd='/',
                start_new_session=True,
            )
        self.wait_ready()
        return self

    def wait_ready(self):
        for service, port in self.ports.items():
            self.wait_banner(service, port)
        if self.lmtp_path:
            self.wait_banner('lmtp', self.lmtp_path)

    def wait_banner(self, service, address, timeout=TIMEOUT):
        """A listening socket accepts before anybody serves it: only the greeting tells that the service is up. A
        greeting that says 4xx (the store is still opening) counts as not yet."""

        def greets():
            assert self.proc.poll() is None, f'the server ended with {self.proc.returncode}:\n{self.log()[-3000:]}'
            try:
                with Connection(address, timeout=timeout) as c:
                    if service in IMPLICIT_TLS:
                        c.handshake()
                    return c.line().startswith((b'220', b'+OK'))
            except (OSError, Closed):
                return False

        try:
            eventually(greets, f'{service} greets', timeout)
        except AssertionError as e:
            raise AssertionError(f'{e}\n{self.log()[-3000:]}') from None

    def stop(self, signals=(signal.SIGTERM,)):
        """Orderly stop; everything that must hold at the end of a server's life is asserted here."""
        if not self.proc:
            return
        for number in signals:
            self.proc.send_signal(number)
        try:
            code = self.proc.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f'not stopped {TIMEOUT} s after SIGTERM:\n{self.log()[-3000:]}') from None
        left = self.processes()
        self.kill()
        self.check_log()
        assert code == 0, f'exit status {code}:\n{self.log()[-3000:]}'
        assert not left, f'processes left over: {left}'

    def kill(self):
        """SIGKILL for the whole tree, as a loss of power would be to its memory."""
        if not self.proc:
            return
        while True:
            pids = self.processes()
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if not pids and self.proc.poll() is not None:
                break
            if self.proc.poll() is None and self.proc.pid in pids:
                self.proc.wait()
        self.proc = None

    def close(self):
        """Stops, looks at the books once more, removes the folder."""
        try:
            if self.proc:
                self.stop()
                self.check_balance()
        finally:
            self.kill()
            if self.own_folder and not os.environ.get('POMBO_KEEP'):
                shutil.rmtree(self.folder, ignore_errors=True)

    def restart(self):
        self.stop()
        return self.start()

    def reload(self):
        self.proc.send_signal(signal.SIGHUP)

    # --- what it looks like from outside ---

    def processes(self):
        """{pid: command line} of the server's session. A zombie is left out once its last thread is gone: until then its
        files are open and locked."""
        out = {}
        for name in os.listdir('/proc'):
            if not name.isdigit():
                continue
            try:
                with open(f'/proc/{name}/stat') as f:
                    fields = f.read().rsplit(')', 1)[1].split()
                with open(f'/proc/{name}/cmdline', 'rb') as f:
                    words = f.read().split(b'\0')
                dead = fields[0] in 'ZX' and len(os.listdir(f'/proc/{name}/task')) == 1
            except OSError:
                continue
            if int(fields[3]) == self.proc.pid and not dead:
                out[int(name)] = b' '.join(words).decode().strip()
        return out

    def roles(self):
        """{(role, index): pid} of the re-executed processes."""
        out = {}
        for pid, words in self.processes().items():
            found = re.search(r'--role (\w+) (\d+)', words)
            if found:
                out[found.group(1), int(found.group(2))] = pid
        return out

    def log(self):
        try:
            with open(self.log_path, errors='replace') as f:
                return f.read()
        except FileNotFoundError:
            return ''

    def check_log(self):
        found = SANITIZER.search(self.log())
        assert not found, f'sanitizer report in the log:\n{self.log()[found.start():][:6000]}'

    # --- commands ---

    def cli(self, *words, input=None, expect=0):
        r = subprocess.run(
            [self.binary, words[0], '-c', self.config, *words[1:]],
            input=input,
            capture_output=True,
            text=True,
            env=self.env,
            timeout=120,
            cwd='/',
        )
        found = SANITIZER.search(r.stderr)
        assert not found, f'sanitizer report of {words}:\n{r.stderr[-6000:]}'
        if expect is not None:
            assert r.returncode == expect, f'pombo {" ".join(words)}: exit {r.returncode}, {r.stdout} {r.stderr}'
        return r

    def json(self, *words):
        return [json.loads(line) for line in self.cli(*words, '--json').stdout.splitlines()]

    def account(self, address=None, password='secret'):
        address = address or f'user{next(Server.counter)}@example.org'
        self.cli('account', 'add', address, input=password + '\n')
        return address

    def balance(self):
        return self.json('balance')[0]

    def check_balance(self):
        books = self.balance()
        assert books['lost'] == 0, books
        kept = sum(books[k] for k in ('mailbox', 'relayed', 'bounced', 'discarded', 'queued'))
        assert books['accepted'] == kept, books
        return books

    def check_store(self):
        """Every record of the store against its checksum and its rows."""
        r = self.cli('store', 'verify')
        return r.stdout

    # --- clients ---

    def smtp(self, **kw):
        return Smtp(self.ports['smtp'], **kw)

    def lmtp(self, unix=False, **kw):
        return Smtp(self.lmtp_path if unix else self.ports['lmtp'], hello='LHLO', **kw)

    def pop3(self, user=None, password='secret', **kw):
        return Pop3(self.ports['pop3'], user, password, **kw)

    def mailbox(self, user, password='secret'):
        """All messages of an account as RETR gives them."""
        with self.pop3(user, password) as p:
            messages = p.all()
            p.quit()
        return messages


def other_address():
    """An address of this machine that is not on loopback; without one the test is skipped."""
    out = subprocess.run([need('ip'), '-4', '-o', 'addr', 'show', 'scope', 'global'], capture_output=True, text=True).stdout
    found = re.search(r'inet (\d+\.\d+\.\d+\.\d+)', out)
    return found.group(1) if found else pytest.skip('this machine has loopback only')


def server_user():
    """The user a server started as root runs as: the packaged one, or who owns nothing."""
    for name in ('pombo', 'nobody'):
        try:
            pwd.getpwnam(name)
            return name
        except KeyError:
            pass
    raise AssertionError('neither pombo nor nobody is a user here')


def message(subject='test', body='Hello.', **fields):
    """A small well-formed message."""
    lines = [
        'From: Sender <sender@example.com>',
        'To: somebody@example.org',
        f'Subject: {subject}',
        'Date: Sat, 21 Nov 2026 12:00:00 +0000',
        f'Message-ID: <{next(Server.counter)}.{os.getpid()}@example.com>',
    ]
    lines += [f'{name.replace("_", "-")}: {value}' for name, value in fields.items()]
    return ('\r\n'.join(lines) + '\r\n\r\n' + body + '\r\n').encode()
