"""What the columns of a platform mean, one file per platform, as `Platform.column_descriptions` takes them.

A key is `<field>` for what means the same in every table, or `<resource>.<field>` for what means something else in one.
"""
