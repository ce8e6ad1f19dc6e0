"""Where the past comes from: the contract of traffic, and its readers."""
