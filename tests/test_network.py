# SPDX-License-Identifier: ISC
"""Mail between two networks of their own, where addresses are not loopback's: what is this machine, from which address mail leaves, when IPv6 is used."""
import contextlib
import ctypes
import os
import subprocess
import sys
import time

import pytest

from harness import HERE, free_ports, need
from peer import Peer
from relaying import delivered, forget, relay_server, send, start, told

# Ours, and those of the others, who are behind a wire.
US, OUR_OTHER, US6, US6_NAMELESS = '192.0.2.1', '192.0.2.7', '2001:db8::1', '2001:db8::5'
FIRST, THIRD, FIRST6, NOBODY6 = '192.0.2.2', '192.0.2.4', '2001:db8::2', '2001:db8::99'


def addresses(link, *all_of_them):
    return ''.join(f'ip address add {a} dev {link} && ' for a in all_of_them) + f'ip link set {link} up'


def test_in_a_network_of_its_own():
    need('unshare'), need('ip'), need('nsenter')
    pytest.importorskip('dnsworld', reason='python3-dnspython is not installed')
    inside = 'ip link set lo up && ip link add here type veth peer name there'
    if subprocess.run(['unshare', '-n', 'sh', '-c', inside], capture_output=True).returncode != 0:
        pytest.skip('no network can be made')
    inside += ' && ' + addresses('here', f'{US}/24', f'{OUR_OTHER}/24', f'{US6}/64 nodad', f'{US6_NAMELESS}/64 nodad') + ' && exec "$0" "$1"'
    r = subprocess.run(['unshare', '-n', 'sh', '-c', inside, sys.executable, os.path.join(HERE, 'test_network.py')], capture_output=True, text=True, timeout=120)
    assert r.returncode == 0, r.stdout + r.stderr


# --- from here on in that network ---


class Beyond:
    """The network behind the wire; peer(address, ...) is a server there."""

    def __init__(self, port):
        self.port, self.libc = port, ctypes.CDLL(None, use_errno=True)
        self.holder = subprocess.Popen(['unshare', '-n', 'sh', '-c', 'echo && exec sleep 300'], stdout=subprocess.PIPE)
        self.holder.stdout.readline()
        subprocess.run(['ip', 'link', 'set', 'there', 'netns', str(self.holder.pid)], check=True)
        subprocess.run(['nsenter', '-t', str(self.holder.pid), '-n', 'sh', '-c', addresses('there', f'{FIRST}/24', f'{THIRD}/24', f'{FIRST6}/64 nodad')], check=True)

    @contextlib.contextmanager
    def entered(self):
        """Sockets that are made meanwhile are there."""
        with open('/proc/self/ns/net') as here, open(f'/proc/{self.holder.pid}/ns/net') as there:
            assert self.libc.setns(there.fileno(), 0) == 0
            try:
                yield
            finally:
                assert self.libc.setns(here.fileno(), 0) == 0

    def peer(self, address, **kw):
        with self.entered():
            return Peer(address, self.port, **kw)

    def close(self):
        self.holder.kill()
        self.holder.wait()


def zones(world):
    middle = [f'middle{n} MX {preference} {host}' for n in range(2) for preference, host in ((10, 'first'), (20, 'us'), (30, 'third'))]
    world.zone(
        'net.test',
        f'us A {US}',
        f'us-too A {OUR_OTHER}',
        f'first A {FIRST}',
        f'third A {THIRD}',
        f'both A {FIRST}',
        f'both AAAA {FIRST6}',
        f'only6 AAAA {FIRST6}',
        *middle,
        *(f'{name} MX 20 third' for name in ('top', 'other-top', 'echo')),
        'top MX 10 us',
        'other-top MX 10 us-too',
        'echo MX 10 first',
        *(f'{name} MX 10 both' for name in ('named', 'nameless')),
        'nameless6 MX 10 only6',
        'half-dead MX 10 half',
        f'half A {FIRST}',
        f'half AAAA {NOBODY6}',
    )
    world.zone('8.b.d.0.1.0.0.2.ip6.arpa', '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 PTR mx.example.org.')
    world.load()


def circles(server, beyond):
    """RFC 5321 5.1: who is in the list himself sends to those above, and to nobody below; by any of his addresses, whether he listens there or not."""
    with beyond.peer(FIRST) as first, beyond.peer(THIRD) as third:
        delivered(send(server, 'bob@middle0.net.test'))
        assert [d.client for d in first.deliveries] == [US]
        for domain in ('top', 'other-top'):
            fate = told(send(server, f'bob@{domain}.net.test', sender=''), 'failed')
            assert fate.status == '5.4.6', fate
        assert third.connections == 0
    with beyond.peer(THIRD) as third:
        mail = send(server, 'bob@middle1.net.test')
        assert told(mail, 'delayed').status == '4.4.1'
        assert third.connections == 0
        forget([mail])


def a_name_that_is_ours(server, beyond):
    """Behind an address translation: who greets us is called what we are."""
    with beyond.peer(FIRST, rules={'EHLO': '250 mx.example.org hello'}) as first, beyond.peer(THIRD) as third:
        fate = told(send(server, 'bob@echo.net.test', sender=''), 'failed')
        assert fate.status == '5.4.6', fate
        assert first.connections == 1 and third.connections == 0


def a_name_for_ipv6(server, beyond):
    """Many servers refuse mail from IPv6 addresses without a PTR record: IPv4 is as good. Where there is nothing else it is tried."""
    with beyond.peer(FIRST) as four, beyond.peer(FIRST6) as six:
        delivered(send(server, 'bob@named.net.test'))
        assert [d.client for d in six.deliveries] == [US6] and four.connections == 0
        delivered(send(server, 'bob@nameless.net.test'))
        assert [d.client for d in four.deliveries] == [OUR_OTHER] and len(six.deliveries) == 1
        delivered(send(server, 'bob@nameless6.net.test'))
        assert [d.client for d in six.deliveries] == [US6, US6_NAMELESS]


def a_short_head_start(server, beyond):
    """RFC 8305: who does not answer by IPv6 costs a quarter of a second."""
    with beyond.peer(FIRST) as four:
        begun = time.monotonic()
        delivered(send(server, 'bob@half-dead.net.test'))
        assert len(four.deliveries) == 1 and time.monotonic() - begun < 2


def main():
    from dnsworld import DnsWorld

    port, own = free_ports(2)
    world, beyond = DnsWorld(), Beyond(port)
    nameless = ''.join(f'route {name}.net.test mx port {port} source {OUR_OTHER} source {US6_NAMELESS}\n' for name in ('nameless', 'nameless6'))
    server = relay_server(f'{world.settings}\nlisten smtp 0.0.0.0:{own}\n{nameless}route * mx port {port} source {US} source {US6}')
    try:
        zones(world)
        start(server)
        for scene in (circles, a_name_that_is_ours, a_name_for_ipv6, a_short_head_start):
            scene(server, beyond)
    finally:
        beyond.close()
        world.close()
        server.close()


if __name__ == '__main__':
    main()
