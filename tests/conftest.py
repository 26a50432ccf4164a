# SPDX-License-Identifier: ISC
"""Fixtures. After every test: no sanitizer report, no process of the server replaced, and the books balance."""
import os

import pytest

from harness import DATA, Server, checked_binary, need


def pytest_sessionstart(session):
    if not os.path.exists(checked_binary()) and not session.config.option.collectonly:
        pytest.exit(f'{checked_binary()} is not there: ./dev build makes it, or POMBO names another', 2)


def pytest_report_header():
    return f'pombo: {checked_binary()}; shared data: {DATA if os.path.isdir(DATA) else "absent"}'


@pytest.fixture(scope='session')
def shared_server():
    """One server for all tests that need nothing but the defaults."""
    server = Server()
    try:
        server.start()
        server.account('catchall@example.org')
        yield server
    finally:
        server.close()


@pytest.fixture
def server(shared_server):
    roles = shared_server.roles()
    yield shared_server
    shared_server.check_log()
    shared_server.check_balance()
    assert shared_server.roles() == roles, 'a process died during the test'


@pytest.fixture
def make_server():
    """make_server(settings, ...): a server of the test's own, see harness.Server; stopped and checked at the end."""
    made = []

    def make(settings='', start=True, **kw):
        server = Server(settings, **kw)
        made.append(server)
        if start:
            server.start()
        return server

    yield make
    errors = []
    for server in made:
        try:
            server.close()
        except AssertionError as e:
            errors.append(str(e))
    assert not errors, '\n'.join(errors)


@pytest.fixture(scope='session')
def session_dns():
    """Started and signed once; only for what adds to it."""
    dnsworld = pytest.importorskip('dnsworld', reason='python3-dnspython is not installed')
    for program in ('nsd', 'ldns-keygen', 'ldns-signzone', 'ldns-key2ds'):
        need(program)
    world = dnsworld.DnsWorld()
    yield world
    world.close()


@pytest.fixture
def dns_world(session_dns):
    """The DNS of the tests (dnsworld.py). What is scripted is forgotten afterwards; zones stay, so a test takes names of its own."""
    yield session_dns
    session_dns.scripts.clear()


@pytest.fixture
def user(server):
    """An account of the test's own on the shared server; its password is "secret"."""
    return server.account()


@pytest.fixture(scope='session')
def data():
    if not os.path.isdir(DATA):
        pytest.skip(f'shared test data is not at {DATA}')
    return DATA
