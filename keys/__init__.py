"""Bytes to signed or sealed bytes and back: signers, CMS, trust, the keyring, files at rest.

Import the modules: `keys.keyring`, `keys.cms`, `keys.sealed`, `keys.statement`, `keys.errors`.
"""
