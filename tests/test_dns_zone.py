# SPDX-License-Identifier: ISC
"""pombo dns: what it prints is what a name server takes, and then it says that it is there."""
import itertools
import json
import os
import subprocess

import pytest

from harness import Server

numbers = itertools.count(1)


@pytest.fixture
def zone(dns_world):
    """A domain of the test's own, and a way to publish lines of a zone file for it."""
    name = f'zone{next(numbers)}-{os.getpid()}.test'

    def publish(*lines):
        dns_world.zone(name, *lines)
        dns_world.load()
        return dns_world

    return name, publish


def ask(world, name, *words):
    """Without a server: the keys are made by the command."""
    server = Server('authenticate yes\n' + world.settings.replace('trust-anchor', '# trust-anchor'), domains=[name])
    text = server.config_text().replace('hostname mx.example.org', f'hostname mx.{name}')
    server.write_config(text)
    return server, lambda *more: subprocess.run(
        [server.binary, 'dns', '-c', server.config, *words, *more], env=server.env, capture_output=True, text=True, timeout=60
    )


def rows(result):
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_what_is_printed_can_be_published(zone):
    name, publish = zone
    world = publish('mx 60 A 127.0.0.2')
    server, dns = ask(world, name)
    try:
        before = {(r['name'], r['type']): r for r in rows(dns('--json'))}
        assert before[name, 'MX']['state'] == 'missing'
        assert before[f'_dmarc.{name}', 'TXT']['state'] == 'missing'
        assert before[f'mx.{name}', 'A']['state'] == 'there'
        keys = [n for n, _ in before if '._domainkey.' in n]
        assert len(keys) == 2, keys
        printed = dns()
        assert printed.returncode == 0, printed.stderr
        lines = [line for line in printed.stdout.splitlines() if line and not line.startswith(';')]
        # A name server reads them as they are; their comments are comments there, too.
        publish('mx 60 A 127.0.0.2', *(line.replace(' IN ', ' 60 IN ', 1) for line in lines))
        after = rows(dns('--json', name))
        wrong = [r for r in after if r['state'] != 'there' and not r['name'].startswith(('_mta-sts', 'mx.'))]
        assert not wrong, wrong
    finally:
        server.close()


def test_what_differs_is_shown(zone):
    name, publish = zone
    world = publish('@ 60 MX 5 elsewhere.test.', '@ 60 TXT "v=spf1 ~all"', '@ 60 TXT "something=else"')
    server, dns = ask(world, name)
    try:
        got = {(r['name'], r['type']): r for r in rows(dns('--json'))}
        assert got[name, 'MX']['state'] == 'differs' and got[name, 'MX']['found'] == '5 elsewhere.test'
        assert got[name, 'TXT']['state'] == 'differs' and got[name, 'TXT']['found'] == 'v=spf1 ~all'
        assert 'differs: v=spf1 ~all' in dns().stdout
    finally:
        server.close()


def test_a_domain_that_is_not_ours(zone):
    name, publish = zone
    server, dns = ask(publish('mx 60 A 127.0.0.2'), name)
    try:
        result = dns('other.example')
        assert result.returncode == 67 and 'none of the configuration' in result.stderr, result
    finally:
        server.close()
