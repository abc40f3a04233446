"""The ways to page through a list, each with a proven end.

pager.py             picks the state machine for a declared paginator
positions.py         page numbers and offsets: overlapping pages notice rows that move (grids.py, counted_cursor.py)
opaque_cursors.py    cursors that only the server understands (link_header.py)
identity.py          which items are the same, and which were read before
pages.py             the loop that sends the requests
"""
