# SPDX-License-Identifier: ISC
"""The other side: a mail server that keeps what it is given, and that misbehaves exactly where it is told to."""
import re
import socket
import ssl
import threading
import time

from harness import TIMEOUT

EXTENSIONS = ('PIPELINING', '8BITMIME', 'SIZE 52428800', 'DSN', 'ENHANCEDSTATUSCODES', 'SMTPUTF8', 'CHUNKING')

# What a rule may answer instead of a line: hang up, say nothing more (the connection stays), go on as usual.
# LOST_REPLY, for the end of a message: it is kept, and the connection breaks before that is said.
CLOSE, STALL, USUAL, LOST_REPLY = object(), object(), object(), object()


class Delivery:
    """A message that was acknowledged with 250, or, with LMTP, its recipients that were."""

    def __init__(self, session, sender, params, rcpts, data):
        self.sender, self.params, self.rcpts, self.data = sender, params, rcpts, data
        self.tls, self.login, self.connection, self.client = session.tls, session.login, session.number, session.client

    @property
    def to(self):
        return [address for address, _ in self.rcpts]

    def header(self, name):
        head = self.data.split(b'\r\n\r\n', 1)[0]
        found = re.search(rb'(?im)^' + name.encode() + rb':[ \t]*([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)', head)
        return found and found.group(1).decode('utf-8', 'replace')


class Hangup(Exception):
    pass


class Peer:
    """rules: {step: answer}. A step is 'connect', 'EHLO', 'HELO', 'LHLO', 'STARTTLS', 'handshake', 'AUTH', 'MAIL', 'RCPT', 'DATA', 'BDAT', 'end' (after the message's last octet),
    'RSET', 'QUIT', or 'RCPT someone@example.net'. An answer is a line (or lines, bytes as they are), CLOSE, STALL, USUAL, or a function of (peer, line) that returns one of these."""

    def __init__(self, host='127.0.0.1', port=0, extensions=EXTENSIONS, tls=None, lmtp=False, logins=None, rules=None, delay=0, implicit=False, numbered=False):
        self.implicit = implicit  # TLS from the first octet on
        self.numbered = numbered  # each 250 behind a message says its place in `deliveries`
        self.extensions, self.tls, self.lmtp, self.logins = list(extensions), tls, lmtp, logins or {}
        self.rules, self.delay = dict(rules or {}), delay
        self.deliveries, self.lines, self.connections = [], [], 0
        self.changed = threading.Condition()
        self.stopping = False
        self.sockets = set()
        self.listener = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((host, port))
        self.listener.listen(200)
        self.host, self.port = self.listener.getsockname()[:2]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    @property
    def address(self):
        return f'[{self.host}]:{self.port}' if ':' in self.host else f'{self.host}:{self.port}'

    def accept(self):
        while not self.stopping:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.changed:
                self.connections += 1
                number = self.connections
                self.sockets.add(sock)
            threading.Thread(target=Session(self, sock, number).run, daemon=True).start()

    def close(self):
        """Nobody listens on the port afterwards, and every connection is gone."""
        self.stopping = True
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        with self.changed:
            sockets = list(self.sockets)
            self.changed.notify_all()
        for sock in sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.thread.join(TIMEOUT)

    def note(self, line):
        with self.changed:
            self.lines.append(line)
            self.changed.notify_all()

    def keep(self, delivery):
        """What is said of it."""
        with self.changed:
            self.deliveries.append(delivery)
            self.changed.notify_all()
            return f'250 2.0.0 kept {len(self.deliveries) - 1}' if self.numbered else '250 2.0.0 kept'

    def wait_for(self, condition, what, timeout=TIMEOUT):
        end = time.monotonic() + timeout
        with self.changed:
            while not condition(self):
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError(f'{what}: not within {timeout} s; {len(self.deliveries)} deliveries, last lines {self.lines[-20:]}')
                self.changed.wait(min(left, 1))

    def wait(self, n=1, timeout=TIMEOUT):
        """The deliveries, once there are n of them."""
        self.wait_for(lambda p: len(p.deliveries) >= n, f'{n} deliveries', timeout)
        return self.deliveries

    def wait_line(self, pattern, timeout=TIMEOUT):
        self.wait_for(lambda p: any(re.search(pattern, line) for line in p.lines), f'a line like {pattern}', timeout)


class Session:
    def __init__(self, peer, sock, number):
        self.peer, self.sock, self.number = peer, sock, number
        self.raw, self.client = sock, sock.getpeername()[0]
        self.buffer = b''
        self.tls = self.login = None
        self.reset()

    def reset(self):
        self.sender, self.params, self.rcpts, self.chunks = None, '', [], b''

    # --- octets ---

    def fill(self):
        try:
            data = self.sock.recv(1 << 18)
        except (OSError, ssl.SSLError):
            data = b''
        if not data:
            raise Hangup
        self.buffer += data

    def line(self):
        while b'\n' not in self.buffer:
            self.fill()
        line, self.buffer = self.buffer.split(b'\n', 1)
        if not line.endswith(b'\r'):
            self.peer.note(f'BARE LF {line!r}')
        return line.rstrip(b'\r').decode('utf-8', 'surrogateescape')

    def octets(self, n):
        while len(self.buffer) < n:
            self.fill()
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def message(self):
        data = b''
        while True:
            while b'\n' not in self.buffer:
                self.fill()
            line, self.buffer = self.buffer.split(b'\n', 1)
            if not line.endswith(b'\r') or b'\r' in line[:-1]:
                self.peer.note(f'BARE NEWLINE IN DATA {line[-60:]!r}')
            if line == b'.\r':
                return data
            data += (line[1:] if line.startswith(b'.') else line) + b'\n'

    def say(self, answer):
        if isinstance(answer, str):
            answer = answer.encode() + b'\r\n'
        try:
            self.sock.sendall(answer)
        except (OSError, ssl.SSLError):
            raise Hangup from None

    # --- rules ---

    def rule(self, step, line=''):
        rules = self.peer.rules
        rule = rules.get(f'{step} {line}', rules.get(step, USUAL)) if line else rules.get(step, USUAL)
        return rule(self.peer, line) if callable(rule) else rule

    def obey(self, rule, usual):
        """Says what a rule wants, else `usual`. True: the client may go on."""
        if rule is CLOSE:
            raise Hangup
        if rule is STALL:
            while True:
                self.fill()
        answer = usual if rule is USUAL else rule
        self.say(answer)
        text = answer if isinstance(answer, bytes) else answer.encode()
        return text[:1] in b'23'

    def answer(self, step, line, usual):
        return self.obey(self.rule(step, line), usual)

    # --- the dialogue ---

    def run(self):
        try:
            if self.peer.delay:
                time.sleep(self.peer.delay)
            if self.peer.implicit:
                self.handshake()
            self.answer('connect', '', '220 peer.example.net ESMTP')
            while True:
                self.command(self.line())
        except Hangup:
            pass
        finally:
            with self.peer.changed:
                self.peer.sockets.discard(self.raw)
            try:
                self.sock.close()
            except OSError:
                pass

    def command(self, line):
        self.peer.note(line)
        verb = line.split(' ', 1)[0].upper()
        getattr(self, 'do_' + verb, self.unknown)(line)

    def unknown(self, line):
        self.say('500 5.5.1 what?')

    def extensions(self):
        names = list(self.peer.extensions)
        if self.peer.tls and not self.tls:
            names.append('STARTTLS')
        if self.peer.logins and (self.tls or not self.peer.tls):
            names.append('AUTH PLAIN LOGIN')
        lines = ['peer.example.net', *names]
        return '\r\n'.join(f'250{"-" if i + 1 < len(lines) else " "}{text}' for i, text in enumerate(lines))

    def do_EHLO(self, line):
        self.reset()
        self.answer(line.split(' ', 1)[0].upper(), '', self.extensions())

    do_LHLO = do_EHLO

    def do_HELO(self, line):
        self.reset()
        self.answer('HELO', '', '250 peer.example.net')

    def do_STARTTLS(self, line):
        if not self.answer('STARTTLS', '', '220 2.0.0 go'):
            return
        rule = self.peer.rules.get('handshake', USUAL)
        if rule is CLOSE:
            raise Hangup
        if rule is not USUAL and rule is not STALL:
            self.say(rule)
            raise Hangup
        self.handshake()

    def handshake(self):
        try:
            self.sock = self.peer.tls.wrap_socket(self.sock, server_side=True)
        except (OSError, ssl.SSLError) as e:
            self.peer.note(f'HANDSHAKE {e}')
            raise Hangup from None
        self.buffer = b''
        self.tls = self.sock.version()
        self.reset()

    def do_AUTH(self, line):
        import base64

        words = line.split()
        if words[1].upper() == 'PLAIN':
            if len(words) < 3:
                self.say('334 ')
                words.append(self.line())
            _, user, password = base64.b64decode(words[2]).decode().split('\0')
        else:
            self.say('334 VXNlcm5hbWU6')
            user = base64.b64decode(self.line()).decode()
            self.say('334 UGFzc3dvcmQ6')
            password = base64.b64decode(self.line()).decode()
        if self.peer.logins.get(user) == password:
            self.login = user
            self.answer('AUTH', '', '235 2.7.0 welcome')
        else:
            self.say('535 5.7.8 no')

    @staticmethod
    def path(line):
        found = re.match(r'[^:]*:<([^>]*)>\s*(.*)', line)
        return (found.group(1), found.group(2)) if found else (line, '')

    def do_MAIL(self, line):
        address, params = self.path(line)
        if self.answer('MAIL', address, '250 2.1.0 ok'):
            self.reset()
            self.sender, self.params = address, params

    def do_RCPT(self, line):
        address, params = self.path(line)
        if self.answer('RCPT', address, '250 2.1.5 ok'):
            self.rcpts.append((address, params))

    def do_DATA(self, line):
        if not self.rcpts and 'DATA' not in self.peer.rules:
            self.say('503 5.5.1 no recipient')
            return
        if self.answer('DATA', '', '354 go on'):
            self.finish(self.message())

    def do_BDAT(self, line):
        words = line.split()
        chunk = self.octets(int(words[1]))
        if not self.rcpts:
            self.say('503 5.5.1 no recipient')
            return
        self.chunks += chunk
        if 'LAST' in line.upper():
            self.finish(self.chunks)
        else:
            self.answer('BDAT', '', '250 2.0.0 more')

    def finish(self, data):
        """What is acknowledged was kept before."""
        self.peer.note(f'END {len(data)}')
        if self.peer.lmtp:
            for rcpt in self.rcpts:
                rule = self.rule('end', rcpt[0])
                if rule is USUAL:
                    self.peer.keep(Delivery(self, self.sender, self.params, [rcpt], data))
                self.obey(rule, f'250 2.0.0 {rcpt[0]} kept')
        else:
            rule, said = self.rule('end'), ''
            if rule in (USUAL, LOST_REPLY):
                said = self.peer.keep(Delivery(self, self.sender, self.params, self.rcpts, data))
            self.obey(CLOSE if rule is LOST_REPLY else rule, said)
        self.reset()

    def do_RSET(self, line):
        self.reset()
        self.answer('RSET', '', '250 2.0.0 ok')

    def do_NOOP(self, line):
        self.say('250 2.0.0 ok')

    def do_QUIT(self, line):
        self.answer('QUIT', '', '221 2.0.0 bye')
        raise Hangup
