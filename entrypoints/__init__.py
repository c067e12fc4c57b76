"""Where callers come in, and where the program is put together.

``http`` speaks our callers' words; ``container``, ``settings`` and ``main`` choose what fills
each port and how long it lives.
"""
