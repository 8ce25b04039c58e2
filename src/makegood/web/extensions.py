"""What our server tells the application beyond ASGI, in the scope of a request; elsewhere they are not there."""

WHOLE = "makegood.body_is_whole"
"""The body has arrived: nothing of it needs to be waited for."""

AT_ONCE = "makegood.answer_at_once"
"""A function of the lines of a head, without its length, and a body: writes both in one packet.

False if it cannot; then nothing was written.
"""
