# SPDX-License-Identifier: ISC
"""Reports of DMARC (RFC 9990): a day that lasts two seconds, and who is told at its end; reports of others that come in, and what `pombo reports` says of them."""
import email
import email.policy
import glob
import gzip
import json
import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from harness import DATA, Server, eventually, free_ports, message, need
from peer import Peer
from relaying import relaying, send
from vectors import run_driver, vector_file

pytest.importorskip('dnsworld', reason='python3-dnspython is not installed')

HERE, ELSEWHERE, COLLECTOR = '127.0.0.51', '127.0.0.52', '127.0.0.53'
NS = '{urn:ietf:params:xml:ns:dmarc-2.0}'


@pytest.fixture(scope='module')
def port():
    return free_ports(1)[0]


@pytest.fixture(scope='module')
def world(session_dns):
    """Who wants reports wants them at the collector, which is of the same organization, or at names of another one."""
    lines = ['_dmarc TXT "v=DMARC1; p=none; psd=n"', f'collector A {COLLECTOR}', 'collector MX 1 collector']
    for name in ('told', 'failing', 'loop', 'later', 'out'):
        lines.append(f'{name} TXT "v=spf1 ip4:{HERE} -all"')
    for name in ('told', 'failing', 'loop', 'later'):
        lines.append(f'_dmarc.{name} TXT "v=DMARC1; p={"quarantine" if name == "failing" else "none"}; rua=mailto:{name}@collector.dr.test"')
    lines.append('_dmarc.out TXT "v=DMARC1; p=none; rua=mailto:x@refuses.dx.test,mailto:x@agrees.dx.test"')
    session_dns.zone('dr.test', *lines)
    session_dns.zone('dx.test', '_dmarc TXT "v=DMARC1; p=none; psd=n"', 'agrees MX 1 collector.dr.test.', 'refuses MX 1 collector.dr.test.',
                     'out.dr.test._report._dmarc.agrees TXT "v=DMARC1"')
    session_dns.load()
    return session_dns


@pytest.fixture(scope='module')
def mta(world, port):
    server = Server(
        f'authenticate yes\nspam judge no\npublic-suffix-list no\ntls-reports off\ndmarc-reports send every 2s\n'
        f'route * mx port {port} loopback allow\n{world.settings}',
        domains=['example.org', 'example.net { dkim off }']).start()
    yield server
    server.close()


@pytest.fixture(scope='module')
def collector(port):
    with Peer(COLLECTOR, port) as p:
        yield p


@pytest.fixture
def server(mta):
    yield mta
    mta.check_log()
    mta.check_balance()


def post(server, domain, text=None, source=HERE):
    """A message from that domain, to an account of its own."""
    user = server.account()
    text = text or message('test').replace(b'sender@example.com>', b'bob@' + domain.encode() + b'>', 1)
    with server.smtp(source=source) as c:
        c.envelope(user, sender=f'bob@{domain}')
        c.data(text, 250)
    return user


def about(peer, domain):
    return [d for d in peer.deliveries if f'Report Domain: {domain}' in d.header('Subject')]


def report(peer, domain):
    """The first one about this domain: the delivery, its mail, and the XML."""
    peer.wait_for(lambda p: about(p, domain), f'a report about {domain}')
    [d] = about(peer, domain)[:1]
    mail = email.message_from_bytes(d.data, policy=email.policy.default)
    _, part = mail.iter_parts()
    return d, mail, part, gzip.decompress(part.get_content())


def validate(xml, tmp_path):
    schema = vector_file('reports', 'schema', 'dmarc-xml-0.2.xsd')
    need('xmllint')
    path = tmp_path / 'report.xml'
    path.write_bytes(xml)
    r = subprocess.run(['xmllint', '--noout', '--schema', schema, path], capture_output=True, text=True)
    assert r.returncode == 0, r.stderr + xml.decode()


def text_of(root, path):
    return root.findtext(''.join(f'/{NS}{name}' for name in path.split('/'))[1:])


# --- sending ---


def test_a_report(server, collector, tmp_path):
    post(server, 'told.dr.test')
    d, mail, part, xml = report(collector, 'told.dr.test')
    assert d.sender == 'postmaster@example.org' and d.to == ['told@collector.dr.test']
    assert mail['From'] == 'postmaster@example.org' and mail['Auto-Submitted'] == 'auto-generated'
    assert re.fullmatch(r'Report Domain: told.dr.test\s+Submitter: example.org\s+Report-ID: <[\w.-]+@example.org>', mail['Subject'])
    assert part.get_content_type() == 'application/gzip'
    assert re.fullmatch(r'example\.org!told\.dr\.test!\d+!\d+\.xml\.gz', part.get_filename())
    assert 'd=example.org' in mail['DKIM-Signature'].replace(' ', '')
    validate(xml, tmp_path)
    root = ElementTree.fromstring(xml)
    assert text_of(root, 'report_metadata/org_name') == 'example.org'
    assert text_of(root, 'policy_published/domain') == 'told.dr.test' and text_of(root, 'policy_published/p') == 'none'
    [record] = root.findall(f'{NS}record')
    assert text_of(record, 'row/source_ip') == HERE and text_of(record, 'row/count') == '1'
    assert text_of(record, 'row/policy_evaluated/spf') == 'pass' and text_of(record, 'row/policy_evaluated/dkim') == 'fail'
    assert text_of(record, 'identifiers/header_from') == 'told.dr.test'
    assert text_of(record, 'auth_results/spf/result') == 'pass'


def test_who_fails(server, collector, tmp_path):
    post(server, 'failing.dr.test', source=ELSEWHERE)
    _, _, _, xml = report(collector, 'failing.dr.test')
    validate(xml, tmp_path)
    [record] = ElementTree.fromstring(xml).findall(f'{NS}record')
    assert text_of(record, 'row/source_ip') == ELSEWHERE and text_of(record, 'row/policy_evaluated/disposition') == 'quarantine'
    assert text_of(record, 'row/policy_evaluated/spf') == 'fail' and text_of(record, 'auth_results/spf/result') == 'fail'


def test_others_have_to_agree(server, collector):
    post(server, 'out.dr.test')
    d, _, _, _ = report(collector, 'out.dr.test')
    assert d.to == ['x@agrees.dx.test']
    eventually(lambda: 'ev=relay.dmarc-report-unwanted domain=out.dr.test to=x@refuses.dx.test' in server.log(), 'a refusal in the log')


def aggregate(domain='example.org', organization='loop.dr.test', ident='1', xml=None):
    """A mail with a report."""
    xml = xml or (
        '<?xml version="1.0"?><feedback><report_metadata><org_name>' + organization + '</org_name><email>bob@' + organization + '</email><report_id>' + ident +
        '</report_id><date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata><policy_published><domain>' + domain +
        '</domain><p>none</p></policy_published><record><row><source_ip>192.0.2.7</source_ip><count>3</count><policy_evaluated><disposition>none</disposition>'
        '<dkim>fail</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>' + domain + '</header_from></identifiers></record></feedback>')
    mail = email.message.EmailMessage()
    mail['From'], mail['To'], mail['Date'] = 'bob@loop.dr.test', 'postmaster@example.org', 'Sat, 21 Nov 2026 12:00:00 +0000'
    mail['Message-ID'], mail['Subject'] = f'<{ident}@loop.dr.test>', f'Report Domain: {domain}'
    mail.set_content('A report.\n')
    mail.add_attachment(xml if isinstance(xml, bytes) else gzip.compress(xml.encode()), 'application', 'gzip', filename=f'a!{domain}!1!2.xml.gz')
    return mail.as_bytes(policy=email.policy.SMTP) + b'\r\n.\r\n'


def test_bad_input_40_reports_are_not_reported(server, collector):
    """Two servers would tell each other of their reports for ever."""
    post(server, 'loop.dr.test', aggregate(ident='loop'))
    post(server, 'later.dr.test')
    report(collector, 'later.dr.test')
    post(server, 'later.dr.test')
    collector.wait_for(lambda p: len(about(p, 'later.dr.test')) > 1, 'a day more')
    assert not about(collector, 'loop.dr.test')


# --- receiving ---


def kept(server, ident):
    return [r for r in server.json('reports') if r['id'] == ident]


def test_pombo_reports(server):
    post(server, 'loop.dr.test', aggregate(ident='seen'))
    [r] = kept(server, 'seen')
    assert (r['kind'], r['domain'], r['organization'], r['verified']) == ('dmarc', 'example.org', 'loop.dr.test', 'yes')
    assert r['report']['messages'] == 3 and r['report']['passed'] == 0 and r['report']['sources'][0]['source'] == '192.0.2.7'
    assert r['from'].startswith('2023-11-14T22:13:20')
    text = server.cli('reports', 'example.org').stdout
    assert 'example.org: dmarc report of loop.dr.test, 2023-11-14 to 2023-11-15, authentic' in text
    assert '192.0.2.7: 3 messages from example.org, SPF fail, DKIM fail: none' in text
    assert server.cli('reports', 'example.net').stdout == ''


def test_not_known_to_be_authentic(server):
    post(server, 'loop.dr.test', aggregate(ident='forged', organization='google.com'))
    [r] = kept(server, 'forged')
    assert r['verified'] == 'no'


def test_a_forged_one_gives_way(server):
    """Whoever guesses an id cannot keep the report away."""
    for domain, verified in (('loop.dr.test', 'no'), ('told.dr.test', 'yes'), ('loop.dr.test', 'yes')):
        text = aggregate(ident='twice', organization='told.dr.test').replace(b'bob@loop.dr.test', b'bob@' + domain.encode(), 1)
        post(server, domain, text)
        [r] = kept(server, 'twice')
        assert r['verified'] == verified


def test_failure_reports_are_signed(world, port):
    with Peer(COLLECTOR, 0, rules={'RCPT': '550 5.1.1 nobody'}) as peer:
        with relaying(f'authenticate yes\nspam judge no\ntls-reports off\nroute * smtp {peer.address} tls never\n{world.settings}', domains=['example.org']) as server:
            user = server.account()
            send(server, 'bob@nobody.dr.test', sender=user)
            [raw] = eventually(lambda: server.mailbox(user), 'a report')
            mail = email.message_from_bytes(raw, policy=email.policy.default)
            assert mail.get_content_type() == 'multipart/report' and 'd=example.org' in mail['DKIM-Signature']


@pytest.mark.parametrize('what', ['bomb', 'entities', 'namespace', 'other'])
def test_bad_input_87(server, what):
    bomb = gzip.compress(b'<feedback>' + b' ' * (40 << 20))
    entities = gzip.compress(b'<!DOCTYPE f [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><feedback><report_metadata><report_id>entities</report_id><org_name>&b;'
                             b'</org_name></report_metadata><policy_published><domain>example.org</domain></policy_published><record/></feedback>')
    namespace = gzip.compress(b'<x:feedback xmlns:x="urn:nobody"><x:report_metadata><x:report_id>namespace</x:report_id></x:report_metadata><x:policy_published>'
                              b'<x:domain>example.org</x:domain></x:policy_published></x:feedback>')
    user = post(server, 'loop.dr.test', {
        'bomb': lambda: aggregate(ident='bomb', xml=bomb),
        'entities': lambda: aggregate(ident='entities', xml=entities),
        'namespace': lambda: aggregate(ident='namespace', xml=namespace),
        'other': lambda: aggregate(ident='other', domain='somebody.example')}[what]())
    assert len(server.mailbox(user)) == 1
    assert len(kept(server, what)) == (1 if what == 'namespace' else 0)


# --- samples of others ---


def read(domain, *paths):
    return [json.loads(line) for line in run_driver('filter_reports', [], [domain, *map(str, paths)])]


def samples(pattern):
    return sorted(glob.glob(os.path.join(DATA, 'reports', pattern)))


def as_mail(path, tmp_path):
    """XML alone becomes the text of a mail."""
    if path.endswith('.eml'):
        return path
    mail = tmp_path / 'mail'
    with open(path, 'rb') as f:
        mail.write_bytes(b'From: a@example.com\r\nContent-Type: text/xml\r\n\r\n' + f.read())
    return mail


@pytest.mark.parametrize('path', samples('dmarc/*.xml') + samples('dmarc/*.eml'), ids=os.path.basename)
def test_dmarc_sample(path, tmp_path):
    mail = as_mail(path, tmp_path)
    expected = re.sub(r'\.(xml|eml)$', '.json', path)
    found = []
    for domain in ('example.com', 'example.de', 'stalw.art', 'borschow.com', 'twlnet.com', 'example.net', 'example.org'):
        found += [r for r in read(domain, mail) if 'error' not in r]
    [r] = found
    assert r['kind'] == 'dmarc' and r['report']['messages'] > 0 and r['report']['sources']
    if not os.path.exists(expected):
        return
    with open(expected) as f:
        want = json.load(f)
    meta, policy = want['report_metadata'], want['policy_published']
    assert r['id'] == meta['report_id'] and r['organization'] == meta['org_name'] and r['domain'] == policy['domain']
    assert r['from'] == meta['date_range']['begin'] * 1000000 and r['until'] == meta['date_range']['end'] * 1000000
    assert r['report']['policy'] == policy['p'].lower()
    assert r['report']['messages'] == sum(x['row']['count'] for x in want['record'])
    assert sorted(s['source'] for s in r['report']['sources']) == sorted(x['row']['source_ip'] for x in want['record'])


@pytest.mark.parametrize('path', samples('tls/*.eml') + samples('arf/*.eml'), ids=os.path.basename)
def test_other_sample(path):
    kind = 'arf' if f'{os.sep}arf{os.sep}' in path else 'tls'
    found = []
    for domain in ('company-y.example', 'cardinalhealth.ca', 'example.net', 'example.com'):
        found += [r for r in read(domain, path) if 'error' not in r]
    assert found and {r['kind'] for r in found} == {kind}
