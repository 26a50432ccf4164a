# SPDX-License-Identifier: ISC
"""Mail that is moved from a mailbox to another one: `pombo mailbox`, what a POP3 session sees of it, and what the judge learns from it."""
import os

import pytest

from harness import Server, eventually, message
from test_authenticate import boxes, findings, mid_of

pytest.importorskip('dnsworld', reason='python3-dnspython is not installed')


def post(server, user, subject='hello', body='Hello.', **kw):
    with server.smtp(**kw) as c:
        c.envelope(user)
        return mid_of(c.data(message(subject, body=body), 250))


def listed(server, user):
    """{mailbox: messages}"""
    return {row['mailbox']: row['messages'] for row in server.json('mailbox', 'list', user)}


def uids(server, user, mailbox='INBOX'):
    return [row['uid'] for row in server.json('mailbox', 'show', user, mailbox)]


# --- the command ---


def test_list_show_move(server, user):
    mids = [post(server, user, f'number {n}') for n in range(4)]
    assert listed(server, user) == {'INBOX': 4}
    rows = server.json('mailbox', 'show', user, 'inbox')
    assert [(r['uid'], r['id'], r['subject'], r['sender']) for r in rows] == [
        (n + 1, mids[n], f'number {n}', 'sender@example.com') for n in range(4)]
    assert all(r['size'] > 100 and r['message-id'].startswith('<') and r['received'].endswith('Z') for r in rows)

    moved = server.json('mailbox', 'move', user, 'INBOX', '3', '1', '99', 'Work', '--create')
    assert [(r['uid'], r['new-uid'], r['id'], r['learned']) for r in moved] == [(1, 1, mids[0], ''), (3, 2, mids[2], '')]
    assert listed(server, user) == {'INBOX': 2, 'Work': 2}
    assert [(r['id'], r['subject']) for r in server.json('mailbox', 'show', user, 'Work')] == [(mids[0], 'number 0'), (mids[2], 'number 2')]
    assert len(server.mailbox(user)) == 2
    assert boxes(server, mids[0]) == ['Work']
    told = server.cli('trace', mids[0]).stdout
    assert 'moved from INBOX by the administrator at 2' in told and 'learned' not in told
    back = server.cli('mailbox', 'move', user, 'Work', 'all', 'INBOX').stdout
    assert '2 moved, 0 learned' in back
    assert uids(server, user) == [2, 4, 5, 6]
    assert server.cli('mailbox', 'show', user, 'Work').stdout == 'the mailbox is empty\n'
    server.check_store()


@pytest.mark.parametrize('words, said', [
    (('move', 'INBOX', '1', 'Nowhere'), 'there is no mailbox Nowhere; --create makes it'),
    (('move', 'INBOX', '7', 'Junk'), 'no message there has such a uid'),
    (('move', 'INBOX', 'x', 'Junk'), 'x is no uid'),
    (('move', 'INBOX', '1', 'a\x1bb', '--create'), 'control characters'),
    (('move', 'INBOX', '1', 'inbox'), 'they are there already'),
    (('show', 'Nowhere'), 'there is no mailbox Nowhere'),
    (('list', 'too', 'many'), 'whose'),
    (('show', 'INBOX', '--create'), '--create is for move'),
])
def test_refused(server, user, words, said):
    post(server, user)
    ran = server.cli('mailbox', words[0], user, *words[1:], expect=None)
    assert ran.returncode != 0 and said in ran.stderr, ran.stderr
    assert uids(server, user) == [1]


def test_without_a_server(make_server):
    server = make_server()
    user = server.account()
    post(server, user)
    server.stop()
    assert server.json('mailbox', 'move', user, 'INBOX', '*', 'Junk')[0]['learned'] == 'spam'
    server.start()
    assert listed(server, user) == {'INBOX': 0, 'Junk': 1}
    eventually(lambda: server.json('spam', 'stats')[0]['spam'] == 1, 'what was moved is learned')


# --- others see it ---


def test_pop3_session_that_is_open(server, user):
    """RFC 1939 4: numbers and sizes stay; what was moved away cannot be read any more, and QUIT deletes nothing of it."""
    mids = [post(server, user, f'number {n}') for n in range(3)]
    with server.pop3(user) as p:
        before = p.stat()
        server.cli('mailbox', 'move', user, 'INBOX', '2', 'Junk')
        assert p.stat() == before
        p.err('RETR 2')
        assert b'number 2' in p.retr(3)
        p.cmd('DELE 2')
        p.cmd('DELE 1')
        p.quit()
    assert listed(server, user) == {'INBOX': 1, 'Junk': 1}
    assert boxes(server, mids[1]) == ['Junk']
    with server.pop3(user) as p:
        assert p.stat()[0] == 1
        p.quit()
    server.check_store()


def test_rebuild(make_server):
    """Where they were moved to last, once."""
    server = make_server()
    user = server.account()
    for n in range(3):
        post(server, user, f'number {n}')
    server.cli('mailbox', 'move', user, 'INBOX', '1:2', 'Work', '--create')
    server.cli('mailbox', 'move', user, 'Work', '1', 'Junk')
    server.stop()
    os.unlink(os.path.join(server.data, 'pombo.db'))
    server.cli('store', 'rebuild')
    server.cli('account', 'passwd', user, input='secret\n')
    server.start()
    assert listed(server, user) == {'INBOX': 1, 'Work': 1, 'Junk': 1}
    assert [r['subject'] for r in server.json('mailbox', 'show', user, 'Junk')] == ['number 0']
    assert len(server.mailbox(user)) == 1
    server.check_store()


# --- what is learned ---

CHEAP = 'genuine replica watches, limited offer, buy now from our exclusive store'
MINUTES = 'please find attached the minutes of the meeting about the new library building'
LESSONS = 55  # the judge wants 50 of each


@pytest.fixture
def judging(session_dns):
    lines = ('authenticate yes', 'dmarc-reports off', 'spam greylist never junk 3', 'rule ptr-none points 0')
    server = Server('\n'.join(lines) + '\n' + session_dns.settings, domains=['example.org { dkim off }']).start()
    yield server
    server.check_log()
    server.check_balance()
    server.close()


def learned(server, account):
    row = [r for r in server.json('spam', 'stats') if r['account'] == account]
    return (row[0]['wanted'], row[0]['spam']) if row and row[0]['waiting'] == 0 else None


def test_the_judge_learns(judging):
    """What is like that which was moved to Junk goes there, until that is moved back."""
    user = judging.account()
    for words in (CHEAP, MINUTES):
        for n in range(LESSONS):
            post(judging, user, f'{words} {n}', f'{words}. {words.upper()} number{n}', source='127.0.0.61')
    assert listed(judging, user) == {'INBOX': 2 * LESSONS}
    first, rest = f'1:{LESSONS}', f'{LESSONS + 1}:*'

    told = judging.json('mailbox', 'move', user, 'INBOX', 'all', 'Junk')
    assert {r['learned'] for r in told} == {'spam'} and len(told) == 2 * LESSONS
    eventually(lambda: learned(judging, user) == (0, 2 * LESSONS), 'all of it is learned as spam', 60)
    told = judging.json('mailbox', 'move', user, 'Junk', rest, 'INBOX')
    assert {r['learned'] for r in told} == {'wanted'} and len(told) == LESSONS
    eventually(lambda: learned(judging, user) == (LESSONS, LESSONS), 'half of it was taken back', 60)
    assert learned(judging, 'all') == (LESSONS, LESSONS)

    judging.restart()  # who runs on looks once a minute
    cheap = post(judging, user, 'limited offer', 'Genuine replica watches: buy now from our exclusive store.')
    assert 'bayes-spam' in [f[1] for f in findings(judging, cheap)]
    assert boxes(judging, cheap) == ['Junk']
    assert 'learned as spam' not in judging.cli('explain', cheap).stdout
    moved = judging.json('mailbox', 'show', user, 'Junk')[0]['id']
    assert 'moved from INBOX by the administrator' in judging.cli('explain', moved).stdout
    assert 'learned as spam' in judging.cli('explain', moved).stdout

    judging.json('mailbox', 'move', user, 'Junk', first, 'INBOX')
    eventually(lambda: learned(judging, user) == (2 * LESSONS, 0), 'all of it was taken back', 60)
    judging.restart()
    again = post(judging, user, 'limited offer', 'Genuine replica watches: buy now from our exclusive store.')
    assert 'bayes-spam' not in [f[1] for f in findings(judging, again)]
    assert boxes(judging, again) == ['INBOX']
    judging.check_store()


def test_not_learned_when_not_wanted(make_server):
    server = make_server('spam learn-moves no')
    user = server.account()
    post(server, user)
    assert server.json('mailbox', 'move', user, 'INBOX', '1', 'Junk')[0]['learned'] == ''
    assert server.json('spam', 'stats')[0]['waiting'] == 0
