"""Settings: each declared once, read from environment variables and the files that they name.

Knows the classes that settings fill; nothing here opens a connection or chooses an adapter.
"""
