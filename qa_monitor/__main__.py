"""`python -m qa_monitor`."""

from qa_monitor.cli import main

if __name__ == "__main__":
    main()
