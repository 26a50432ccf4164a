# SPDX-License-Identifier: ISC
"""The vectors of the ARC working group for RFC 8617."""
import yaml
import pytest

from vectors import record, run_driver, unword, vector_file, word

NOW = 1782000000


def cases(document):
    """Of messages that are broken in one place the suite says "Fail"; where a seal says cv=fail it says nothing, as then there is nothing to be told to the next
    one. By RFC 8617 5.2 step 2 and 3 C the status of such a chain is "fail", too."""
    for name, test in document['tests'].items():
        yield f'{document["description"]}: {name}', test['message'], (test['cv'] or 'fail').lower()


def crlf(text):
    return text.replace('\n', '\r\n')


@pytest.mark.parametrize('ends', ['LF', 'CRLF'])
def test_validation(ends):
    with open(vector_file('arc', 'arc-draft-validation-tests.yml'), encoding='utf-8') as f:
        documents = [d for d in yaml.safe_load_all(f) if d]
    lines, all_cases = [], []
    for document in documents:
        lines.append('clear')
        lines += [record(name, 'TXT', text) for name, text in document['txt-records'].items()]
        for name, message, wanted in cases(document):
            lines.append(f'arc {NOW} {word(crlf(message) if ends == "CRLF" else message)}')
            all_cases.append((name, wanted))
    answers = run_driver('mailauth_dkim', lines)
    assert len(answers) == len(all_cases) == 171
    faults = []
    for (name, wanted), answer in zip(all_cases, answers):
        result, _, _, why = answer.split(' ')[:4]
        if result != wanted:
            faults.append(f'{name}: {result} ({unword(why)}), wanted {wanted}')
    if faults:
        pytest.fail('\n'.join(faults))
