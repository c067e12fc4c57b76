"""The page at ``/docs``: the API document in Swagger UI, from which the API can be called.

Knows that there is a document, not what it says; browsers load nothing from elsewhere.
"""
