"""Ways to page through a list, each with a proven end, and how rows that move between two pages are noticed."""
