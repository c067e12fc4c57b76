"""Rates of requests and failures: counted in this process, or in a Redis that several share.

Knows the ports and no other adapter. Each module fills a port; what a rate is of, it does not know.
"""
