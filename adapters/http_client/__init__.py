"""An HTTP/1.1 client for one server, through which every upstream is reached.

Knows no upstream: what an answer means, and how much of it is read, its caller says.
"""
