"""``python -m stegvis.orchestration`` is ``stegvis``."""

from stegvis.orchestration.cli import main

if __name__ == "__main__":
    main()
