"""What watches: freshness of every asset, partitions against their parents, alerts."""
