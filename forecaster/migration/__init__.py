"""From prescaling-exporter and prometheus-adapter to Preroll.

manifests.py       objects as text has them; quantity.py, scalar.py numbers and texts of YAML
old_setup.py       the old set-up: HPAs (hpa_metrics.py), exporter_objects.py windows and events,
                   adapter.py the rules
workload.py        what becomes of an HPA: translated.py, adapter_query.py its metrics as triggers,
                   load.py its traffic and what a replica serves
moves.py           the whole migration: what moves, what stays
files.py           the files: settings_file.py, calendar_file.py, scaled_objects.py, plan.py
                   (plan_parts.py, texts/); paths.py where they stand
comparison.py      old and new over past traffic: exporter_policy.py, moved_policy.py, behavior.py;
                   comparison_text.py what comes of it
old_metrics.py     the exporter's metrics, correctly computed
"""
