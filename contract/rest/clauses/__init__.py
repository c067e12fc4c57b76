"""The clauses: one function each, whose docstring is the clause's number and promise.

A clause gets the endpoint, arranges what it needs, and raises where its promise is broken; it
knows no other clause, and relies on no promise besides its own where that can be avoided.
"""
