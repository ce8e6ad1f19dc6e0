"""One module per thing a traffic file can be; all of them give ``RawTraffic``."""
