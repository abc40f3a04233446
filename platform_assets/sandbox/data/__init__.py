"""One module per platform: `create` makes its first records, `advance` changes them as the clock moves on."""
