"""Where events come from: YAML, CSV, iCalendar, XMLTV, and prescaling-exporter's manifests.

document.py     one event as people write it, in YAML, JSON, REST and the store; problems.py what is
                wrong with one; rules.py daily windows and holidays; parts.py, fields.py, times.py
                what they are made of
reading.py      a calendar in any format; options.py how, and what comes of it; formats/ one module
                each; prescaling.py the exporter's manifests; entries.py what the readers share
mapping.py      titles, categories and channels → kinds; mapping_file.py the rules in YAML
source.py       a file or URL and what is known of it; fetch.py looks again; download.py HTTP
"""
