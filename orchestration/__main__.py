"""``python -m orchestration`` is ``stegvis``."""

from orchestration.cli import main

if __name__ == "__main__":
    main()
