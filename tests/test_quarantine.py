# SPDX-License-Identifier: ISC
"""What becomes of mail that is judged: Junk, quarantine and what is done to it, what is known of its author; `pombo explain` and `pombo trace` of it, and of what was refused."""
import email
import re

import pytest

from harness import Server, eventually, message
from test_authenticate import boxes, mid_of

dnsworld = pytest.importorskip('dnsworld', reason='python3-dnspython is not installed')

HERE, ELSEWHERE = '127.0.0.51', '127.0.0.52'  # SPF lets the first one send
SETTINGS = ('authenticate yes', 'dmarc-reports off', 'public-suffix-list no', 'spam greylist never', 'spam reject 20', 'rule ptr-none points 0',
            'rule subject-capitals points 8', 'rule contact-like points 0', 'rule spf-fail points 30')
LOUD = 'BUY OUR WONDERFUL WATCHES NOW'
DOMAINS = ['example.org { dkim off }', 'careful.example { dkim off quarantine 6 }']


@pytest.fixture(scope='module')
def judging(session_dns):
    session_dns.zone('trust.test', f'@ TXT "v=spf1 ip4:{HERE} -all"', '_dmarc TXT "v=DMARC1; p=none"')
    session_dns.load()
    server = Server('\n'.join(SETTINGS) + '\n' + session_dns.settings, domains=DOMAINS).start()
    yield server
    server.close()


@pytest.fixture
def server(judging):
    yield judging
    judging.check_log()
    judging.check_balance()


def post(server, *to, subject='hello', author='bob', source=HERE, expect=250):
    text = message(subject).replace(b'sender@example.com>', f'{author}@trust.test>'.encode(), 1)
    with server.smtp(source=source) as c:
        c.envelope(*to, sender=f'{author}@trust.test')
        return c.data(text, expect)


def explained(server, mid):
    """{what: rows}"""
    rows = {}
    for row in server.json('explain', mid):
        rows.setdefault(row['what'], []).append(row)
    return rows


def careful(server):
    return server.account(f'q{next(Server.counter)}@careful.example')


# --- where it goes, and why ---


def test_junk(server):
    user = server.account()
    mid = mid_of(post(server, user, subject=LOUD))
    assert boxes(server, mid) == ['Junk']
    assert server.mailbox(user) == []
    rows = explained(server, mid)
    assert rows['message'][0]['state'] == 'accepted' and rows['recipient'][0]['mailbox'] == 'Junk'
    assert ['8'] == [r['points'] for r in rows['finding'] if r['name'] == 'subject-capitals']
    assert [r['result'] for r in rows['finding'] if r['kind'] == 'decision'] == ['junk']
    assert float(rows['sum'][0]['points']) >= 5
    text = server.cli('explain', mid).stdout
    assert re.search(r'What was checked\ncheck .*\n(.*\n)*spf +pass', text)
    assert re.search(r'What counted\n points +rule .*\n(.*\n)* +8 +subject-capitals', text)
    assert re.search(r'The decision\n\S+: junk; ', text)
    assert mid in server.cli('explain', rows['message'][0]['message-id']).stdout


def test_refused(server):
    user = server.account()
    reply = post(server, user, source=ELSEWHERE, expect=550)
    mid = mid_of(reply)
    rows = explained(server, mid)
    assert rows['message'][0]['state'] == 'refused' and rows['message'][0]['reply'].startswith('550 5.7.1 ')
    assert [r['result'] for r in rows['finding'] if r['name'] == 'spf'] == ['fail']
    assert [(r['address'], r['state']) for r in rows['recipient']] == [(user, 'refused')]
    assert 'refused' in server.cli('trace', mid).stdout
    assert [r['event'] for r in server.json('trace', user)] == ['refused']
    assert 'no message is known' in server.cli('explain', '<nobody@trust.test>', expect=None).stderr


# --- quarantine ---


def test_quarantine(server):
    """Released, it is in the mailbox; dropped, it is in the ledger. Both are learned from."""
    user = careful(server)
    first, second = (mid_of(post(server, user, subject=LOUD)) for _ in range(2))
    assert server.mailbox(user) == [] and boxes(server, first) == []
    listed = {row['id']: row for row in server.json('quarantine', 'list')}
    assert listed[first]['recipient'] == user and 'points' in listed[first]['decision']
    shown = server.cli('quarantine', 'show', first).stdout
    assert 'quarantined' in shown and 'subject-capitals' in shown and f'Subject: {LOUD}' in shown
    server.cli('queue', 'drop', first, expect=None)
    assert first in {row['id'] for row in server.json('quarantine', 'list')}

    assert server.json('quarantine', 'release', first)[0]['affected'] == 1
    eventually(lambda: len(server.mailbox(user)) == 1, 'the released message')
    assert boxes(server, first) == ['INBOX']
    assert server.json('quarantine', 'drop', second)[0]['affected'] == 1
    assert [(r['state'], r['detail']) for r in explained(server, second)['recipient']] == [('discarded', 'quarantine')]
    assert not {first, second} & {row['id'] for row in server.json('quarantine', 'list')}
    server.check_balance()
    eventually(lambda: server.json('spam', 'stats')[0]['waiting'] == 0, 'what was learned')
    learned = server.json('spam', 'stats')[0]
    assert learned['wanted'] >= 1 and learned['spam'] >= 1
    assert server.cli('quarantine', 'show', 'ZZZZ', expect=None).returncode != 0


def test_what_is_held_is_not_delivered(server):
    """NOTIFY=SUCCESS (RFC 3461): in quarantine is in no mailbox, and whoever looks at it decides in private; Junk is one."""
    sender, user, other = server.account(), careful(server), server.account()
    with server.smtp(source=HERE) as c:
        for to, subject in ((user, LOUD), (other, 'marker')):
            c.mail(sender)
            c.rcpt(to, 'NOTIFY=SUCCESS')
            c.data(message(subject), 250)
    (told,) = eventually(lambda: server.mailbox(sender), 'the report about the other one')
    assert b'marker' in told and other.encode() in told and user.encode() not in told
    (held,) = [q for q in server.json('quarantine', 'list') if q['recipient'] == user]
    server.cli('quarantine', 'release', held['id'])
    eventually(lambda: server.mailbox(user), 'the message')
    assert len(server.mailbox(sender)) == 1


def test_junk_is_not_handed_on(server):
    """What an alias would send to other servers waits; they would take us for its source."""
    alias = f'away{next(Server.counter)}@example.org'
    server.cli('alias', 'add', alias, 'somebody@elsewhere.test')
    mid = mid_of(post(server, alias, subject=LOUD))
    assert [r['state'] for r in explained(server, mid)['recipient']] == ['quarantined']
    assert server.json('quarantine', 'drop', mid)[0]['affected'] == 1


def test_quarantine_outlives_a_crash(server):
    user = careful(server)
    mid = mid_of(post(server, user, subject=LOUD))
    server.kill()
    server.start()
    assert mid in {row['id'] for row in server.json('quarantine', 'list')}
    server.check_store()
    server.cli('quarantine', 'release', f'recipient={user}')
    eventually(lambda: len(server.mailbox(user)) == 1, 'the released message')


# --- who wrote it ---


def sentence(text):
    return email.message_from_bytes(text)['Pombo-Sender']


def test_what_is_known_of_an_author(server):
    user, author = server.account(), f'bob{next(Server.counter)}'
    post(server, user, author=author)
    post(server, user, author=author)
    first, second = server.mailbox(user)
    assert sentence(first) == 'trust.test has proved that this is from it; first mail from this address.'
    assert sentence(second) == 'trust.test has proved that this is from it; you had mail from this address before.'
    assert first.index(b'Delivered-To:') < first.index(b'Pombo-Sender:') < first.index(b'Received:')
    mid = server.json('trace', f'{author}@trust.test')[0]['id']
    assert [r.get('keywords') for r in server.json('trace', mid) if r['event'] == 'mailbox'] == ['$PomboVerified $PomboFirstContact']


def test_a_forged_sentence_goes(server):
    user = server.account()
    text = b'Pombo-Sender: trust me\r\n' + message().replace(b'sender@example.com>', b'bob@trust.test>', 1)
    with server.smtp(source=HERE) as c:
        c.envelope(user, sender='bob@trust.test')
        c.data(text, 250)
    m = email.message_from_bytes(server.mailbox(user)[-1])
    assert len(m.get_all('Pombo-Sender')) == 1 and 'trust me' not in m['Pombo-Sender']


def test_whoever_looks_like_a_contact(server):
    user = server.account()
    for _ in range(3):
        post(server, user, author='paypal')
    post(server, user, author='paypa1')
    assert sentence(server.mailbox(user)[-1]) == 'Looks like paypal@trust.test, whom you know, but is another address.'
