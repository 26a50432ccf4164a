# SPDX-License-Identifier: ISC
"""The files by which others are believed, read by the monitor for processes that have none."""
import os
import shutil

import pytest

from harness import eventually

pytest.importorskip('dns', reason='python3-dnspython is not installed')


def route(password):
    return f'route example.com smtp 127.0.0.1:9 tls never user us password-file {password}'


def test_a_missing_password_stops_nothing_else(make_server, tmp_path):
    password = tmp_path / 'password'
    server = make_server(route(password))
    assert 'ev=trust.unreadable' in server.log()
    password.write_text('secret\n')
    password.chmod(0o600)
    server.cli('reload')
    assert server.log().count('ev=trust.unreadable') == 1
    assert 'secret' not in server.log()


def test_a_password_that_everybody_can_read_is_told(make_server, tmp_path):
    password = tmp_path / 'password'
    password.write_text('secret\n')
    password.chmod(0o644)
    server = make_server(route(password))
    assert 'ev=trust.exposed' in server.log()
    assert str(password) in server.log()


def test_authorities(make_server, tmp_path):
    """What cannot be used never replaces what is in use."""
    authorities = tmp_path / 'authorities.pem'
    server = make_server(f'tls authorities {authorities}')
    assert 'ev=trust.unreadable' in server.log()
    authorities.write_text('nonsense\n')
    server.cli('reload')
    eventually(lambda: 'level=error role=monitor ev=trust.reload' in server.log(), 'it is refused')
    assert len(server.json('security')) == len(server.roles()) + 1, 'and nobody died of it'


def test_a_new_anchor(make_server, dns_world, tmp_path):
    """Without a restart, and without being told."""
    anchor = tmp_path / 'anchor'
    anchor.write_text('. DS 1 8 2 ' + '00' * 32 + '\n')
    dns_world.zone('anchor.test', '@ A 127.0.0.2')
    dns_world.load()
    server = make_server(f'resolver 127.0.0.1:{dns_world.port}\ntrust-anchor {anchor}')

    def security():
        [row] = server.json('dns', 'lookup', 'anchor.test', 'A')
        return row['security']

    assert security() == 'bogus'
    resolve = server.roles()['resolve', 0]
    shutil.copy(dns_world.anchor, anchor)
    eventually(lambda: security() == 'secure', 'the new anchor is believed')
    assert server.roles()['resolve', 0] == resolve
    os.remove(anchor)
    server.cli('reload')
    assert security() == 'secure', 'the one from before stays'
