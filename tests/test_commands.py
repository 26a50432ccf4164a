# SPDX-License-Identifier: ISC
"""The command line, with and without a running server: pombo(8)."""
import json
import os
import re
import shutil
import sqlite3

import pytest

from certificates import Authority
from harness import Server, message, run, split_trace


@pytest.fixture
def stopped(make_server):
    return make_server(start=False, services=('smtp', 'pop3'))


def test_check(stopped):
    assert stopped.cli('check').returncode == 0
    stopped.write_config(stopped.config_text().replace('hostname', 'hostnam'))
    r = stopped.cli('check', expect=78)
    assert re.search(re.escape(stopped.config) + r':2:\d+: .*hostname', r.stdout + r.stderr)
    assert stopped.cli('serve', expect=78).returncode == 78


def test_check_knows_rules(stopped):
    stopped.write_config(stopped.config_text() + 'rule helo-unknwn points 1\n')
    r = stopped.cli('check', expect=78)
    assert 'did you mean "helo-unknown"?' in r.stderr


ED25519 = ('ed25519',)


@pytest.mark.parametrize(
    'make,kind,said',
    [
        (dict(), None, ''),
        (dict(names=('other.example.org',)), 'warning', 'no certificate is for mx.example.org'),
        (None, 'warning', 'the certificate has ended 20'),
        (dict(days=10), 'warning', 'the certificate ends 20'),
        (dict(algorithm=ED25519), 'fault', 'the private key is neither RSA nor ECDSA but ED25519'),
    ],
)
def test_check_looks_into_certificates(stopped, tmp_path, make, kind, said):
    authority = Authority(tmp_path)
    stopped.write_config(stopped.config_text() + authority.setting(**{'days': 30, **(make or {})}) + '\n')
    if make is None:
        authority.end('mx')
    status = 78 if kind == 'fault' else 0
    text = stopped.cli('check', expect=status).stderr
    rows = [json.loads(line) for line in stopped.cli('check', '--json', expect=status).stdout.splitlines()]
    if kind is None:
        assert text == '' and rows == []
    else:
        assert said in text and ('warning: ' in text) == (kind == 'warning')
        assert len(rows) == 1 and rows[0][kind].startswith(said)


def test_check_finds_unusable_certificates(stopped, tmp_path):
    authority = Authority(tmp_path)
    good, other = authority.sign('good', days=30), authority.sign('other', days=30)
    (tmp_path / 'empty').write_text('')
    for pem, key, said in (
        (good[0], other[1], f"{other[1]}: the private key is not the certificate's"),
        (good[0], tmp_path / 'none', f'{tmp_path}/none: No such file or directory'),
        (tmp_path / 'empty', good[1], f'{tmp_path}/empty: there is no certificate in PEM in it'),
    ):
        stopped.write_config(stopped.config_text() + f'tls certificate {pem} key {key}\n')
        assert said in stopped.cli('check', expect=78).stderr
        assert json.loads(stopped.cli('check', '--json', expect=78).stdout)['fault'] in said


def test_check_dump_is_a_configuration(stopped):
    dump = stopped.cli('check', '--dump').stdout
    stopped.write_config(dump)
    assert stopped.cli('check', '--dump').stdout == dump


def test_usage_errors(stopped):
    for words in (
        ['nonsense'],
        ['account'],
        ['account', 'nonsense', 'a@example.org'],
        ['account', 'add'],
        ['trace'],
        ['store', 'nonsense'],
        ['balance', '--nonsense'],
        ['balance', '--since', 'yesterday'],
    ):
        r = stopped.cli(*words, expect=64)
        assert r.stderr and not r.stdout, words


def test_accounts_without_a_server_and_with_one(stopped):
    server = stopped
    server.account('alice@example.org')
    assert server.cli('account', 'add', 'alice@example.org', input='x\n', expect=73).stderr
    server.cli('account', 'add', 'alice@elsewhere.example', input='x\n', expect=65)
    server.cli('account', 'add', 'not an address', input='x\n', expect=65)
    server.cli('account', 'add', 'bob@example.org', input='\n', expect=65)
    server.cli('account', 'show', 'nobody-here@example.org', expect=67)
    server.start()
    server.account('Bob@Example.Org')
    listed = server.json('account', 'list')
    assert ['alice@example.org', 'bob@example.org'] == sorted(row['address'] for row in listed)
    assert 'bob@example.org' in server.cli('account', 'show', 'bob@example.org').stdout
    with server.smtp() as c:
        c.deliver(message('hello'), 'alice@example.org', 'bob@example.org')
    assert len(server.mailbox('alice@example.org')) == len(server.mailbox('bob@example.org')) == 1


def test_no_secret_is_shown(server, user):
    for words in (
        ('account', 'list'),
        ('account', 'show', user),
        ('account', 'list', '--json'),
        ('account', 'show', user, '--json'),
    ):
        assert '$y$' not in server.cli(*words).stdout
    assert 'secret' not in server.log() and '$y$' not in server.log()


def test_aliases(server, user):
    server.cli('alias', 'add', 'sales@example.org', user)
    assert {'sales@example.org'} == {row['address'] for row in server.json('alias', 'list', 'sales@example.org')}
    server.cli('alias', 'add', user, 'sales@example.org', expect=None)
    server.cli('alias', 'remove', 'sales@example.org')
    server.cli('alias', 'remove', 'sales@example.org', expect=67)
    server.cli('alias', 'remove', user, expect=None)


def test_aliases_of_a_file(server, user, tmp_path):
    """What is not for us is passed over with its line, and the rest is in force."""
    file = tmp_path / 'aliases'
    file.write_text(f'postmaster: root\nroot: {user}\ngone: :fail: gone\nold: error:550 no\nbad address: x\nfile: /tmp/x\npipe: "|cat"\nnoreply: /dev/null\n')
    said = server.cli('alias', 'import', str(file)).stderr
    assert {n for n in range(1, 9) if f'line {n}: ' in said} == {3, 4, 5, 6, 7}
    assert {row['address'] for row in server.json('alias', 'list') if row['source'] == 'file'} == {'postmaster@example.org', 'root@example.org', 'noreply@example.org'}
    before = server.check_balance()['discarded']
    with server.smtp() as c:
        c.deliver(message('nobody wants it'), 'noreply@example.org')
    assert server.check_balance()['discarded'] == before + 1
    assert 'alias to /dev/null' in server.cli('trace', 'noreply@example.org').stdout
    file.write_text('no colon here\n')
    assert f'{file}: line 1: ' in server.cli('alias', 'import', str(file), expect=65).stderr
    assert server.cli('alias', 'import', str(tmp_path / 'none'), expect=66).stderr.count('none') == 1
    assert len([row for row in server.json('alias', 'list') if row['source'] == 'file']) == 3


def test_trace_tells_the_story(server, user):
    text = message('a story')
    with server.smtp() as c:
        mid = c.deliver(text, user, sender='author@example.com').text.split()[-1]
    message_id = re.search(rb'^Message-ID: (<.*>)', text, re.M).group(1).decode()
    by_mid = server.cli('trace', mid).stdout
    for word in (mid, user, 'author@example.com', 'client.example.com', '127.0.0.1', message_id):
        assert word in by_mid, word
    for key in (message_id, user):
        assert mid in server.cli('trace', key).stdout
    assert all(isinstance(row, dict) for row in server.json('trace', mid))
    server.cli('trace', 'FFFFFFFFFFFF', expect=67)
    assert re.search(rf'^t=.*ev=smtp\.accept.* mid={mid}\b', server.log(), re.M), 'the log names it too'


def test_balance(make_server):
    server = make_server(services=('smtp', 'pop3'))
    users = [server.account() for _ in range(3)]
    with server.smtp() as c:
        c.deliver(message('three'), *users)
        c.deliver(message('one'), users[0])
        c.mail()
        c.rcpt(users[0])
        c.cmd('RSET', 250)
    zero = {k: 0 for k in ('relayed', 'bounced', 'discarded', 'queued', 'lost')}
    assert server.balance() == {'accepted': 4, 'mailbox': 4, **zero}
    with server.pop3(users[0]) as p:
        p.cmd('DELE 1')
        p.quit()
    assert server.balance() == {'accepted': 4, 'mailbox': 4, **zero}, 'what its reader deletes was delivered'
    assert server.json('balance', '--since', '2099-01-01')[0]['accepted'] == 0
    assert server.cli('balance').returncode == 0


def test_balance_finds_what_is_lost(stopped):
    server = stopped
    user = server.account()
    server.start()
    with server.smtp() as c:
        c.deliver(message('to be lost'), user)
    server.stop()
    with sqlite3.connect(os.path.join(server.data, 'pombo.db')) as db:
        db.execute('DELETE FROM ledger WHERE side = 1')
    db.close()
    r = server.cli('balance', '--json', expect=1)
    assert '"lost":1' in r.stdout


def fill(server, n=5):
    user = server.account('reader@example.org')
    texts = [message(f'number {i}', body='x' * 900 + f'\r\n{i}') for i in range(n)]
    with server.smtp() as c:
        for text in texts:
            c.deliver(text, user)
    return user, texts


def same(server, user, texts):
    got = server.mailbox(user)
    assert len(got) == len(texts)
    for m, text in zip(got, texts):
        split_trace(m, text)


def uidl(server, user):
    with server.pop3(user) as p:
        return p.multi('UIDL')


def test_backup_and_restore(make_server, tmp_path):
    server = make_server(services=('smtp', 'pop3'))
    user, texts = fill(server)
    uids = uidl(server, user)
    folder = os.path.join(server.folder, 'backup')
    os.chmod(server.folder, 0o777)  # the store writes it, as its own user
    server.cli('backup', folder)
    with server.smtp() as c:
        c.deliver(message('after the backup'), user)
    server.cli('backup', folder, expect=73)
    server.cli('restore', folder, expect=75)  # a server runs
    server.stop()
    server.cli('restore', folder, expect=73)  # the data folder is not empty
    shutil.rmtree(server.data)
    server.cli('restore', folder)
    server.start()
    same(server, user, texts)
    assert uidl(server, user) == uids
    server.check_store()


def test_rebuild_from_segments_alone(make_server):
    server = make_server(services=('smtp', 'pop3'))
    user, texts = fill(server)
    with server.pop3(user) as p:
        p.cmd('DELE 2')
        p.quit()
    uids = uidl(server, user)
    server.cli('store', 'rebuild', expect=75)
    server.stop()
    for name in os.listdir(server.data):
        if name.startswith('pombo.db'):
            os.unlink(os.path.join(server.data, name))
    server.cli('store', 'rebuild')
    server.cli('account', 'passwd', user, input='secret\n')
    server.start()
    same(server, user, texts[:1] + texts[2:])
    assert uidl(server, user) == uids
    with server.smtp() as c:
        c.deliver(message('new'), user)
    assert len(server.mailbox(user)) == 5
    server.check_store()


def test_compaction_keeps_what_lives(make_server):
    server = make_server('store segment 1M', services=('smtp', 'pop3'))
    user = server.account()
    kept = []
    with server.smtp() as c:
        for n in range(30):
            text = message(f'number {n}', body=('y' * 98 + '\r\n') * 2000)
            c.deliver(text, user)
            if n % 10 == 0:
                kept.append(text)
    with server.pop3(user) as p:
        for n in range(30):
            if n % 10:
                p.cmd(f'DELE {n + 1}')
        p.quit()
    before = folder_size(server)
    server.cli('store', 'compact')
    assert folder_size(server) < before / 2
    same(server, user, kept)
    server.check_store()
    server.restart()
    same(server, user, kept)


def folder_size(server):
    bodies = os.path.join(server.data, 'bodies')
    return sum(os.path.getsize(os.path.join(bodies, name)) for name in os.listdir(bodies))


def test_stats_and_security(server):
    assert server.json('store', 'stats')
    rows = server.json('security')
    roles = {row['process'] for row in rows}
    assert {'monitor', 'edge-0', 'filter-0', 'keys-0', 'resolve-0', 'send-0', 'store-0'} <= roles
    if os.geteuid() == 0:
        for row in rows:
            if row['process'] != 'monitor':
                with open(f'/proc/{row["pid"]}/status') as f:
                    status = f.read()
                assert not re.search(r'^Uid:.*\b0\b', status, re.M), 'still root'
                assert re.search(r'^NoNewPrivs:\s1', status, re.M) and re.search(r'^CapEff:\s0+$', status, re.M)


def test_roles_reach_nothing_they_do_not_need(server):
    """Whoever started the server: system calls are filtered, no file is opened but by the store, no program started, and edges connect to nobody."""
    rows = {row['process']: row for row in server.json('security')}
    if not os.path.exists('/proc/sys/kernel/seccomp'):
        pytest.skip('this kernel has no filter of system calls')
    for name, row in rows.items():
        with open(f'/proc/{row["pid"]}/status') as f:
            assert re.search(r'^Seccomp:\s2$', f.read(), re.M), name
        if name != 'monitor':
            assert row['starts'] == 'none', row
            assert row['opens'] == ('data folder' if name == 'store-0' else 'none'), row
            out = name.split('-')[0] in ('filter', 'oauth', 'resolve', 'send')
            assert row['connects'] == ('outward' if out else 'none'), row
    assert 'filter of system calls' not in server.log()


def test_roles_have_an_empty_root(server):
    if os.geteuid() != 0:
        pytest.skip('only root can change the root')
    for (role, _), pid in server.roles().items():
        root = f'/proc/{pid}/root'
        names = os.listdir(root)
        assert 'etc' not in names, f'{role} sees the machine'
        if role != 'store':
            assert names == [], f'{role} sees {names}'


def test_security_without_a_server(stopped):
    stopped.account()
    stopped.cli('security', expect=69)
    stopped.cli('reload', expect=69)


def test_data_belongs_to_the_user(stopped):
    """account add before the first serve leaves nothing that the server cannot open; nobody else reads mail. keys/ is root's, whoever
    made it: the private key in it is for the monitor to read, and not for the store, whose root folder this is."""
    stopped.account()
    stopped.cli('dns', expect=None)
    stopped.start()
    for top, folders, names in os.walk(stopped.data):
        for path in [top] + [os.path.join(top, n) for n in names]:
            st = os.stat(path)
            roots = path.startswith(os.path.join(stopped.data, 'keys'))
            if not path.startswith(os.path.join(stopped.data, 'keys', '')):
                assert os.geteuid() != 0 or (st.st_uid == 0) == roots, f'{path} belongs to {st.st_uid}'
            assert st.st_mode & (0o077 if roots else 0o007) == 0, f'{path} is open to others'


def test_version_and_help(stopped):
    assert run(stopped.binary, 'version').stdout.startswith(b'pombo ')
    assert run(stopped.binary, '--version').stdout.startswith(b'pombo ')
    assert b'pombo serve' in run(stopped.binary, 'help').stdout
    assert b'compact' in run(stopped.binary, 'help', 'store').stdout


def test_not_root(tmp_path):
    """A developer's way: started by anybody, on high ports, as that user."""
    if os.geteuid() != 0:
        pytest.skip('all other tests run this way already')
    runuser = shutil.which('setpriv') or pytest.skip('setpriv is not installed')
    server = Server(services=('smtp', 'pop3'))
    try:
        os.chmod(server.folder, 0o777)
        wrapper = os.path.join(server.folder, 'pombo')
        with open(wrapper, 'w') as f:
            f.write(f'#!/bin/sh\nexec {runuser} --reuid=65534 --regid=65534 --clear-groups {server.binary} "$@"\n')
        os.chmod(wrapper, 0o755)
        server.cli('dns', expect=None)  # root makes the keys, for whoever starts the server
        server.binary = wrapper
        server.write_config(re.sub(r'^user .*\n', '', server.config_text(), flags=re.M))
        server.start()
        user = server.account()
        with server.smtp() as c:
            c.deliver(message('as nobody'), user)
        assert len(server.mailbox(user)) == 1
    finally:
        server.close()
