"""Inbound interfaces, and the composition of the program.

``http`` and ``cli`` use our callers' terms; ``settings``, ``container``, ``serve`` and ``rooms``
choose the adapter for each port and how long it lives.
"""
