# SPDX-License-Identifier: ISC
"""A DNS of our own on loopback: nsd with zones that are signed up to a root of our own, and in front of it a server that can be told
to answer any question wrongly, late or not at all.

    world = DnsWorld()
    world.zone('example.test', 'mx 300 A 127.0.0.2', 'example.test. 300 MX 10 mx')
    world.zone('plain.test', '@ 300 A 127.0.0.2', state='insecure')
    world.load()
    world.script('slow.example.test', silence)
    make_server(world.settings)          # resolver and trust anchor
"""
import os
import shutil
import socket
import socketserver
import struct
import subprocess
import tempfile
import threading

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from harness import eventually, free_ports

LOOPBACK = '127.0.0.1'
SERVER_TIME = 10  # seconds that nsd may take for an answer

# --- what a script may do: called with the question (dns.message.Message), its bytes and 'udp' or 'tcp'; returns the reply ---

PROXY = object()  # what nsd says


def silence(query, wire, proto):
    """No answer, ever."""
    return None


def rcode(name):
    """A failure: 'SERVFAIL', 'REFUSED' ..."""

    def answer(query, wire, proto):
        reply = dns.message.make_response(query)
        reply.set_rcode(dns.rcode.from_text(name))
        return reply

    return answer


def truncated(query, wire, proto):
    """Over UDP only that there is more; over TCP the answer."""
    if proto == 'tcp':
        return PROXY
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.TC
    return reply


def garbage(query, wire, proto):
    """The right id, and nothing that can be read behind it."""
    return wire[:2] + b'\x81\x80\0\1\0\xff\0\0\0\0' + b'\xff' * 40


def wrong_id(query, wire, proto):
    reply = dns.message.make_response(query)
    reply.id ^= 0x5555
    return reply


def records(*data, ttl=300, type=None):
    """An unsigned answer with exactly these octets as data of the records."""

    def answer(query, wire, proto):
        question = query.question[0]
        head = wire[:2] + b'\x84\x00' + struct.pack('>4H', 1, len(data), 0, 0)
        asked = question.name.to_wire() + struct.pack('>2H', question.rdtype, question.rdclass)
        rdtype = question.rdtype if type is None else dns.rdatatype.from_text(type)
        body = b''.join(b'\xc0\x0c' + struct.pack('>2HIH', rdtype, 1, ttl, len(d)) + d for d in data)
        return head + asked + body

    return answer


def first(n, what, then=PROXY):
    """`what` for the first n questions, then something else."""
    count = iter(range(n))

    def answer(query, wire, proto):
        now = what if next(count, None) is not None else then
        return now if now is PROXY else now(query, wire, proto)

    return answer


# --- a zone ---


class Zone:
    def __init__(self, world, name, state):
        self.world = world
        self.name = name
        self.state = state  # 'secure', 'insecure', 'bogus' (signatures have expired), 'unsigned' (the parent says it is signed)
        self.lines = []
        self.ttl = 300
        self.dirty = True
        self.key = None

    @property
    def dotted(self):
        return '.' if self.name == '' else self.name + '.'

    @property
    def path(self):
        return os.path.join(self.world.folder, (self.name or 'root') + '.zone')

    @property
    def served_path(self):
        return self.path + ('.signed' if self.state in ('secure', 'bogus') else '')

    def make_key(self):
        if self.key or self.state == 'insecure':
            return
        name = self.world.run('ldns-keygen', '-a', 'ECDSAP256SHA256', '-k', self.dotted).strip()
        self.key = os.path.join(self.world.folder, name)
        self.ds = self.world.run('ldns-key2ds', '-n', '-2', self.key + '.key').strip()

    def write(self, children):
        out = [
            f'$ORIGIN {self.dotted}',
            f'$TTL {self.ttl}',
            f'@ SOA ns.world. root.world. 1 3600 600 86400 {self.ttl}',
            '@ NS ns.world.',
        ]
        for child in children:
            out.append(f'{child.dotted} NS ns.world.')
            if child.key:
                out.append(child.ds)
        with open(self.path, 'w') as f:
            f.write('\n'.join(out + self.lines) + '\n')

    def sign(self):
        if self.state not in ('secure', 'bogus'):
            return
        when = ['-i', '20200101000000', '-e', '20200201000000'] if self.state == 'bogus' else []
        self.world.run('ldns-signzone', *when, '-f', self.served_path, self.path, self.key)


# --- the server in front ---


class Front:
    """UDP and TCP on one port. Each question in a thread of its own."""

    def __init__(self, world):
        front = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                wire, sock = self.request
                reply = front.answer(wire, 'udp')
                if reply is not None:
                    try:
                        sock.sendto(reply, self.client_address)
                    except OSError:
                        pass

        class Tcp(socketserver.StreamRequestHandler):
            def handle(self):
                try:
                    while wire := read_message(self.rfile):
                        reply = front.answer(wire, 'tcp')
                        if reply is None:
                            return
                        self.wfile.write(struct.pack('>H', len(reply)) + reply)
                except OSError:
                    pass

        class UdpServer(socketserver.ThreadingUDPServer):
            daemon_threads = True
            max_packet_size = 65535

        class TcpServer(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 100

        self.world = world
        self.questions = []  # (name, type, proto), in the order in which they came
        self.servers = [kind((LOOPBACK, world.port), handler) for kind, handler in ((UdpServer, Udp), (TcpServer, Tcp))]
        self.threads = [threading.Thread(target=s.serve_forever, args=(0.05,), daemon=True) for s in self.servers]
        for t in self.threads:
            t.start()

    def answer(self, wire, proto):
        try:
            query = dns.message.from_wire(wire, ignore_trailing=True)
            name = query.question[0].name.to_text().rstrip('.').lower()
            rdtype = dns.rdatatype.to_text(query.question[0].rdtype)
        except (dns.exception.DNSException, IndexError):
            return None
        self.questions.append((name, rdtype, proto))
        script = self.world.scripts.get((name, rdtype)) or self.world.scripts.get((name, '*'))
        reply = script(query, wire, proto) if script else PROXY
        if reply is PROXY:
            reply = self.world.ask_nsd(wire, proto)
        return reply.to_wire() if isinstance(reply, dns.message.Message) else reply

    def close(self):
        for s in self.servers:
            s.shutdown()
            s.server_close()
        for t in self.threads:
            t.join()


def read_message(stream):
    head = stream.read(2)
    return stream.read(struct.unpack('>H', head)[0]) if len(head) == 2 else b''


# --- the world ---


class DnsWorld:
    """`root_servers`: addresses of this machine on which nsd answers at port 53, and `name_server` for all zones; then there is nothing in front."""

    def __init__(self, root_servers=(), name_server=LOOPBACK):
        self.folder = tempfile.mkdtemp(prefix='pombo-dns-')
        self.root_servers = list(root_servers)
        self.addresses = self.root_servers + [name_server]
        self.port, self.nsd_port = free_ports(2)
        if root_servers:
            self.nsd_port = 53
        self.scripts = {}
        self.zones = {}
        self.nsd = None
        self.anchor = os.path.join(self.folder, 'root.ds')
        self.zone('', f'ns.world. A {name_server}')
        self.zone('test')
        self.load()
        self.front = None if root_servers else Front(self)

    @property
    def settings(self):
        return f'trust-anchor {self.anchor}' + (f'\nresolver {LOOPBACK}:{self.port}' if self.front else '')

    @property
    def questions(self):
        return self.front.questions

    def asked(self, name, rdtype=None):
        """How often that was asked for."""
        return sum(1 for n, t, _ in self.questions if n == name and rdtype in (None, t))

    def run(self, *words):
        r = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, timeout=60)
        assert r.returncode == 0, f'{words}: {r.stdout}{r.stderr}'
        return r.stdout

    def zone(self, name, *lines, state='secure', ttl=300):
        """Adds a zone, or puts another in place of it. Lines of a zone file, names relative to the zone. After the last one: load()."""
        zone = Zone(self, name, state)
        zone.lines = list(lines)
        zone.ttl = ttl
        old = self.zones.get(name)
        if old and old.state == state:
            zone.key, zone.ds = old.key, getattr(old, 'ds', None)
        self.zones[name] = zone
        parent = self.parent(zone)
        if parent and (not old or old.state != state):
            while parent:
                parent.dirty = True
                parent = self.parent(parent)
        return zone

    def script(self, name, what, rdtype='*'):
        """From now on `what` answers for this name (and type); None: nsd does again."""
        self.scripts[name.lower(), rdtype] = what

    def parent(self, zone):
        if zone.name == '':
            return None
        rest = zone.name
        while '.' in rest:
            rest = rest.split('.', 1)[1]
            if rest in self.zones:
                return self.zones[rest]
        return self.zones['']

    def load(self):
        """Signs what is new, and serves it. Nobody is without an answer meanwhile."""
        order = sorted(self.zones.values(), key=lambda z: -len(z.name.split('.')) if z.name else 1)
        for zone in order:
            if zone.dirty:
                zone.make_key()
                zone.write([z for z in order if self.parent(z) is zone])
                zone.sign()
                zone.dirty = False
        with open(self.anchor, 'w') as f:
            f.write('; the root of the tests\n' + self.zones[''].ds + '\n')
        self.start_nsd()

    def start_nsd(self):
        old, port = self.nsd, self.nsd_port
        if old and self.root_servers:
            self.stop_nsd(old)
            old = None
        elif old:
            [port] = free_ports(1)
        config = os.path.join(self.folder, f'nsd-{port}.conf')
        with open(config, 'w') as f:
            f.write(
                'server:\n' + ''.join(f' ip-address: {a}\n' for a in self.addresses) +
                f' port: {port}\n username: ""\n chroot: ""\n server-count: 1\n'
                f' zonesdir: "{self.folder}"\n database: ""\n pidfile: ""\n zonelistfile: "{self.folder}/zone.list"\n'
                f' xfrdfile: "{self.folder}/xfrd.state"\n xfrdir: "{self.folder}"\n logfile: "{self.folder}/nsd.log"\n'
                'remote-control:\n control-enable: no\n'
            )
            for z in self.zones.values():
                f.write(f'zone:\n name: "{z.dotted}"\n zonefile: "{z.served_path}"\n')
        self.nsd = subprocess.Popen(['nsd', '-d', '-c', config], stdin=subprocess.DEVNULL, start_new_session=True)
        eventually(lambda: self.answers(port), 'nsd answers')
        self.nsd_port = port
        self.stop_nsd(old)

    def answers(self, port):
        assert self.nsd.poll() is None, open(os.path.join(self.folder, 'nsd.log')).read()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.2)
            try:
                s.connect((self.addresses[-1], port))
                s.send(dns.message.make_query('.', 'SOA').to_wire())
                return s.recv(4096)
            except OSError:
                return False

    @staticmethod
    def stop_nsd(process):
        if process:
            process.terminate()
            process.wait(30)

    def ask_nsd(self, wire, proto):
        try:
            if proto == 'tcp':
                with socket.create_connection((LOOPBACK, self.nsd_port), SERVER_TIME) as s, s.makefile('rb') as f:
                    s.sendall(struct.pack('>H', len(wire)) + wire)
                    return read_message(f)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(SERVER_TIME)
                s.connect((LOOPBACK, self.nsd_port))
                s.send(wire)
                return s.recv(65535)
        except OSError:
            return None

    def close(self):
        if self.front:
            self.front.close()
        self.stop_nsd(self.nsd)
        shutil.rmtree(self.folder, ignore_errors=True)
