"""``python -m forecaster.cli``."""

from __future__ import annotations

from forecaster.cli import main

if __name__ == "__main__":
    main()
