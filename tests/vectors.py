# SPDX-License-Identifier: ISC
"""What the tests with vectors of others share: the drivers beside the program (build/vector_ROOM_NAME), and the lines that they read
(src/mailauth/vector_dns.h)."""
import ipaddress
import os
import string
import subprocess
import urllib.parse

import pytest

from harness import DATA, SANITIZER, checked_binary

PLAIN = set((string.ascii_letters + string.digits + '-_.@').encode())
TYPES = {'A': 1, 'CNAME': 5, 'PTR': 12, 'MX': 15, 'TXT': 16, 'AAAA': 28}


def vector_file(*path):
    """A file of the shared data; the test is skipped by name where it is absent."""
    name = os.path.join(DATA, *path)
    if not os.path.exists(name):
        pytest.skip(f'{name} is not there')
    return name


def octets(text):
    return text if isinstance(text, bytes) else text.encode('utf-8', 'surrogateescape')


def word(text):
    raw = octets(text)
    return ''.join(chr(c) if c in PLAIN else f'%{c:02x}' for c in raw) or '%'


def unword(text):
    return urllib.parse.unquote_to_bytes('' if text == '%' else text).decode('latin-1')


def wire_name(name):
    """On the wire; labels may have any octets but dots."""
    labels = [octets(label) for label in name.rstrip('.').split('.') if label]
    return b''.join(bytes([len(label)]) + label for label in labels) + b'\0'


def strings(*parts):
    """TXT: strings of at most 255 octets."""
    out = b''
    for part in map(octets, parts):
        for i in range(0, max(len(part), 1), 255):
            piece = part[i:i + 255]
            out += bytes([len(piece)]) + piece
    return out


def rdata(kind, value):
    if kind in ('A', 'AAAA'):
        return ipaddress.ip_address(value).packed
    if kind == 'MX':
        return int(value[0]).to_bytes(2, 'big') + wire_name(value[1])
    if kind == 'TXT':
        return strings(*(value if isinstance(value, list) else [value]))
    return wire_name(value)


def record(name, kind, value):
    return f'record {word(name)} {TYPES[kind]} {word(rdata(kind, value))}'


def run_driver(name, lines, args=()):
    """What the driver says, line by line."""
    program = os.path.join(os.path.dirname(checked_binary()), f'vector_{name}')
    if not os.path.exists(program):
        pytest.skip(f'{program} is not built')
    done = subprocess.run([program, *args], input='\n'.join(lines) + '\n', capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and not SANITIZER.search(done.stderr), done.stderr
    return done.stdout.splitlines()
