"""From prescaling-exporter and prometheus-adapter to Preroll, step by step."""
