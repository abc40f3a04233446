"""What a person is told: the status of each asset, and the report, one HTML page.

`page` assembles the report from `freshness` and `sections`, which say what is shown; `charts` says how rows are drawn,
`axes`, `svg` and `elements` how that looks, with report.css; report.js filters by platform.
"""
