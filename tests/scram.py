# SPDX-License-Identifier: ISC
"""The client's half of SCRAM-SHA-256 (RFC 5802, 7677), with what binds it to the TLS connection (RFC 5929)."""
import base64
import hashlib
import hmac
import os


def _hmac(key, text):
    return hmac.new(key, text, 'sha256').digest()


class Scram:
    """first() is the initial response, final(challenge) the second, proven(challenge) whether the server knows the password too."""

    def __init__(self, user, password, binding=None, data=b'', flag='n', authorization=''):
        name = user.replace('=', '=3D').replace(',', '=2C')
        self.password = password.encode()
        whom = f'a={authorization}' if authorization else ''
        self.header = f'p={binding},{whom},' if binding else f'{flag},{whom},'
        self.channel = self.header.encode() + (data if binding else b'')
        self.nonce = base64.b64encode(os.urandom(18)).decode()
        self.bare = f'n={name},r={self.nonce}'

    def first(self):
        return (self.header + self.bare).encode()

    def final(self, challenge):
        parts = dict(part.split('=', 1) for part in challenge.decode().split(','))
        assert parts['r'].startswith(self.nonce) and len(parts['r']) > len(self.nonce)
        salted = hashlib.pbkdf2_hmac('sha256', self.password, base64.b64decode(parts['s']), int(parts['i']))
        bare = f'c={base64.b64encode(self.channel).decode()},r={parts["r"]}'
        message = f'{self.bare},{challenge.decode()},{bare}'.encode()
        key = _hmac(salted, b'Client Key')
        signature = _hmac(hashlib.sha256(key).digest(), message)
        proof = bytes(a ^ b for a, b in zip(key, signature))
        self.server = _hmac(_hmac(salted, b'Server Key'), message)
        return f'{bare},p={base64.b64encode(proof).decode()}'.encode()

    def proven(self, challenge):
        return challenge == b'v=' + base64.b64encode(self.server)
