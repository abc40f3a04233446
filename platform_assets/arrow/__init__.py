"""Records as typed Arrow columns, in Parquet files until their resource is read to its end.

A page's way: keys are settled and hashed (keys.py), contents hashed (hashes.py), values converted column by column
(columns.py, conversion.py, exactness.py), rows buffered (buffer.py, batches.py, parquet_files.py), and repeated keys
reduced to one (occurrences.py).
"""
