# SPDX-License-Identifier: ISC
"""The vectors of the SPF project for RFC 7208: several documents, each with a zone and its cases."""
import yaml
import pytest

from vectors import record, run_driver, unword, vector_file, word


def zone_lines(zone):
    """Records of type SPF are read as TXT where the name has no TXT of its own ("TXT: NONE" is one, of nothing). A TIMEOUT answers no question of a type
    that is not there."""
    lines = ['clear']
    for name, entries in zone.items():
        texts = any(isinstance(e, dict) and 'TXT' in e for e in entries)
        for entry in entries:
            if entry == 'TIMEOUT':
                lines.append(f'timeout {word(name)}')
                continue
            (kind, value), = entry.items()
            if kind == 'SPF' and not texts:
                kind = 'TXT'
            if kind != 'SPF' and value != 'NONE':
                lines.append(record(name, kind, value))
    return lines


def client(host):
    return f'[{host}]:25' if ':' in host else f'{host}:25'


def cases(document):
    return [(f'{document["description"]}: {name}', test) for name, test in document['tests'].items()]


def judge(name, test, answer):
    result, explanation, why = answer.split(' ')
    wanted = test['result'] if isinstance(test['result'], list) else [test['result']]
    if result not in wanted:
        return f'{name}: {result} ({unword(why)}), wanted {wanted}'
    text = test.get('explanation', '')
    if text and unword(explanation) != (text if text != 'DEFAULT' else ''):
        return f'{name}: explained by "{unword(explanation)}", wanted "{text}"'
    return None


def test_rfc7208():
    with open(vector_file('spf', 'rfc7208-tests.yml'), encoding='utf-8') as f:
        documents = list(yaml.safe_load_all(f))
    lines, all_cases = [], []
    for document in documents:
        lines += zone_lines(document['zonedata'])
        for name, test in cases(document):
            all_cases.append((name, test))
            lines.append(f'spf {word(client(test["host"]))} {word(test["helo"])} {word(test["mailfrom"])}')
    answers = run_driver('mailauth_spf', lines)
    assert len(answers) == len(all_cases) == 203
    faults = [fault for (name, test), answer in zip(all_cases, answers) if (fault := judge(name, test, answer))]
    if faults:
        pytest.fail('\n'.join(faults))
