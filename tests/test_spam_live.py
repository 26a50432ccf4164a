# SPDX-License-Identifier: ISC
"""The judge in a running server: lists in the DNS that are in order, out of order, slow or dead (bad-input 46, 50), and words that were learned."""
import time

import pytest

from harness import Server, message
from test_authenticate import boxes, findings, mid_of

dnsworld = pytest.importorskip('dnsworld', reason='python3-dnspython is not installed')

CLEAN, LISTED, REFUSED, ELSEWHERE, SLOW = (f'127.0.0.{n}' for n in (40, 41, 42, 43, 44))
LISTS = ('dnsbl bl.lists.test points 6', 'dnsbl all.lists.test points 6', 'dnsbl none.lists.test points 6', 'uribl ur.lists.test points 6')


@pytest.fixture(scope='module')
def listing(session_dns):
    session_dns.zone(
        'lists.test',
        # in order
        '2.0.0.127.bl A 127.0.0.2', '41.0.0.127.bl A 127.0.0.4', '42.0.0.127.bl A 127.255.255.254', '43.0.0.127.bl A 203.0.113.9',
        'test.ur A 127.0.0.2', 'evil.example.ur A 127.0.0.8', '9.0.0.127.ur A 127.0.0.8',
        '*.all A 127.0.0.2',  # lists everything: somebody else has its name now
        '41.0.0.127.none A 127.0.0.2',  # does not list what it has to
    )
    session_dns.load()
    lines = ('authenticate yes', 'dmarc-reports off', 'spam greylist never', 'rule ptr-none points 0') + LISTS
    server = Server('\n'.join(lines) + '\n' + session_dns.settings, domains=['example.org { dkim off }']).start()
    yield server
    server.close()


def post(server, text, user, source=CLEAN):
    with server.smtp(source=source) as c:
        c.envelope(user)
        return mid_of(c.data(text, 250))


def lists(server, mid):
    """[(rule, result, points, evidence)] of the lists."""
    return [f[1:] for f in findings(server, mid) if f[1] in ('dnsbl', 'uribl')]


def test_a_client_that_is_listed(listing):
    user = listing.account()
    mid = post(listing, message(), user, LISTED)
    assert ['dnsbl', '-', '6', f'{LISTED} in bl.lists.test: 127.0.0.4'] in lists(listing, mid)
    assert boxes(listing, mid) == ['Junk']
    # the two lists that are out of order listed it too
    unknown = [line for line in lists(listing, mid) if line[1] == 'unknown']
    assert len(unknown) == 2 and all('does not list what it has to' in line[3] for line in unknown)


@pytest.mark.parametrize('source', [CLEAN, REFUSED, ELSEWHERE])
def test_answers_that_are_no_listing(listing, source):
    user = listing.account()
    mid = post(listing, message(), user, source)
    assert [line for line in lists(listing, mid) if line[2] != '0'] == []
    assert boxes(listing, mid) == ['INBOX']
    refused = [line[3] for line in lists(listing, mid) if 'is no listing' in line[3]]
    assert len(refused) == (source != CLEAN)


@pytest.mark.parametrize('link', ['http://www.evil.example/x', 'https://a.b.evil.example', 'http://2130706441/'])
def test_domains_of_links(listing, link):
    user = listing.account()
    mid = post(listing, message(body=f'See {link} for more.'), user)
    assert any(line[0] == 'uribl' and line[2] == '6' for line in lists(listing, mid)), findings(listing, mid)
    assert boxes(listing, mid) == ['Junk']


def test_a_list_that_does_not_answer(listing, session_dns):
    """The session is not held up longer than the limit, and what was not heard counts nothing."""
    user = listing.account()
    session_dns.script('44.0.0.127.bl.lists.test', dnsworld.silence)
    begin = time.monotonic()
    mid = post(listing, message(), user, SLOW)
    session_dns.scripts.clear()
    assert time.monotonic() - begin < 9
    assert any(line[0] == 'dnsbl' and line[1] == 'unknown' and line[3].startswith(f'{SLOW} in bl.lists.test') for line in lists(listing, mid))
    assert boxes(listing, mid) == ['INBOX']


def test_words_that_were_learned_count(listing, tmp_path):
    user = listing.account()
    for kind, words in (('spam', 'genuine replica watches, limited offer, buy now from our exclusive store'),
                        ('wanted', 'please find attached the minutes of the meeting about the new library building')):
        box = tmp_path / kind
        box.mkdir()
        for i in range(60):
            (box / str(i)).write_bytes(message(f'{words} {i}', body=f'{words}. {words.upper()} number{i}'))
        listing.cli('spam', 'learn', kind, str(box))
    assert [(r['account'], r['wanted'], r['spam']) for r in listing.json('spam', 'stats')][0] == ('all', 60, 60)

    tested = listing.json('spam', 'test', str(tmp_path / 'spam' / '0'))
    assert len(tested) == 1 and [r['rule'] for r in tested[0]['rules'] if r['points'] > 3] == ['bayes-spam']
    said = listing.cli('spam', 'test', input=(tmp_path / 'wanted' / '0').read_text()).stdout
    assert said.startswith('-: ') and 'bayes-wanted' in said
    listing.restart()  # who runs on looks once a minute
    mid = post(listing, message('limited offer', body='Genuine replica watches: buy now from our exclusive store.'), user)
    found = next(f for f in findings(listing, mid) if f[1] == 'bayes-spam')
    assert float(found[3]) > 4 and 'subject:limited offer' in found[4]
    wanted = post(listing, message('the minutes', body='Attached are the minutes of the meeting about the library.'), user)
    assert [f[1] for f in findings(listing, wanted) if f[1].startswith('bayes')] == ['bayes-wanted']


def test_charsets_are_known_in_an_empty_root(listing):
    """iconv has its charsets in files, which a filter cannot reach."""
    name = '=?koi8-r?B?8NLJ18XU?= =?gb18030?B?urrX1g==?='  # "Привет", "汉字"
    text = message().replace(b'Sender <', f'"service@bank.example" {name} <'.encode(), 1)
    mid = post(listing, text, listing.account())
    evidence = next(f[4] for f in findings(listing, mid) if f[1] == 'from-name-address')
    assert 'Привет汉字' in evidence
