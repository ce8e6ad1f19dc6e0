"""Where events come from: YAML, CSV, iCalendar, XMLTV, and prescaling-exporter's manifests."""
